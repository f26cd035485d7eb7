"""Numbers that Word counts when it shows a page stand in the text as a reader sees them."""

from collections.abc import Callable

import pytest

from service.documents.parsed import Parsed
from service.documents.word_numbers import written
from tests.documents import make

Read = Callable[..., Parsed]
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def level(at: int, format: str, text: str, more: str = "") -> str:
    start = '<w:start w:val="1"/>'
    return (
        f'<w:lvl w:ilvl="{at}">{start}<w:numFmt w:val="{format}"/>{more}<w:lvlText w:val="{text}"/></w:lvl>'
    )


CLAUSES = level(0, "decimal", "%1.") + level(1, "decimal", "%1.%2") + level(2, "lowerLetter", "(%3)")
PART = level(0, "upperRoman", "Part %1", '<w:pStyle w:val="Part"/>')
NUMBERING = (
    f'<w:X><w:abstractNum w:abstractNumId="7">{CLAUSES}</w:abstractNum>'
    f'<w:abstractNum w:abstractNumId="8">{level(0, "bullet", "o")}</w:abstractNum>'
    f'<w:abstractNum w:abstractNumId="9">{PART}</w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>'
    '<w:num w:numId="2"><w:abstractNumId w:val="8"/></w:num>'
    '<w:num w:numId="3"><w:abstractNumId w:val="7"/>'
    '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride></w:num>'
    '<w:num w:numId="4"><w:abstractNumId w:val="9"/></w:num></w:X>'
)
STYLES = (
    '<w:X><w:style w:type="paragraph" w:styleId="Part"><w:pPr><w:numPr><w:numId w:val="4"/></w:numPr></w:pPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="Appendix"><w:basedOn w:val="Part"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Round"><w:basedOn w:val="Round"/></w:style></w:X>'
)


def item(text: str, list: int, at: int = 0) -> str:
    asked = f'<w:ilvl w:val="{at}"/><w:numId w:val="{list}"/>'
    return make.paragraph(text, f"<w:pPr><w:numPr>{asked}</w:numPr></w:pPr>")


def styled(text: str, style: str, more: str = "") -> str:
    return make.paragraph(text, f'<w:pPr><w:pStyle w:val="{style}"/>{more}</w:pPr>')


def lines(read: Read, body: str, numbering: str = NUMBERING) -> list[str]:
    parts: dict[str, str | bytes] = {"word/numbering.xml": numbering, "word/styles.xml": STYLES}
    links = (("numbering", "numbering.xml"), ("styles", "styles.xml"))
    return read(make.docx(body, parts=parts, links=links), DOCX).pages[0].text.splitlines()


def test_clauses(read: Read) -> None:
    """Levels count within their upper ones and begin anew below the next; lists of one definition count on together."""
    body = (
        item("Scope", 1)
        + item("Parties", 1, 1)
        + item("seller", 1, 2)
        + item("buyer", 1, 2)
        + item("Goods", 1, 1)
        + make.paragraph("Between them")
        + item("Price", 1)
        + item("Net", 1, 1)
        + item("anew", 3)
        + item("and on", 3)
        + item("a point", 2)
    )
    assert lines(read, body) == [
        "1. Scope",
        "1.1 Parties",
        "(a) seller",
        "(b) buyer",
        "1.2 Goods",
        "Between them",
        "2. Price",
        "2.1 Net",
        "5. anew",
        "6. and on",
        "- a point",
    ]


def test_numbers_of_styles(read: Read) -> None:
    """A style may number its paragraphs, also one that is based on it; a paragraph may go without."""
    none = '<w:numPr><w:numId w:val="0"/></w:numPr>'
    body = (
        styled("General", "Part")
        + styled("Special", "Appendix")
        + styled("Foreword", "Part", none)
        + styled("x", "Round")
    )
    assert lines(read, body) == ["Part I General", "Part II Special", "Foreword", "x"]


def test_an_empty_item_counts(read: Read) -> None:
    """A number without a text is not shown, and is counted."""
    assert lines(read, item("one", 1) + item("", 1) + item("three", 1)) == ["1. one", "", "3. three"]


def test_legal_numbers(read: Read) -> None:
    """A level that is marked as legal writes all its numbers as decimals."""
    roman = level(0, "upperRoman", "%1.") + level(1, "decimal", "%1.%2", "<w:isLgl/>")
    numbering = (
        f'<w:X><w:abstractNum w:abstractNumId="1">{roman}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num></w:X>'
    )
    assert lines(read, item("a", 1) + item("b", 1, 1), numbering) == ["I. a", "1.1 b"]


def test_lists_that_nothing_defines(read: Read) -> None:
    """Without a definition an item is an item."""
    assert lines(read, item("a", 99)) == ["- a"]
    assert read(make.docx(item("a", 1)), DOCX).pages[0].text == "- a"


@pytest.mark.parametrize(
    ("number", "format", "shown"),
    [
        (4, "upperRoman", "IV"),
        (1999, "lowerRoman", "mcmxcix"),
        (28, "lowerLetter", "bb"),
        (3, "upperLetter", "C"),
        (3, "decimalZero", "03"),
        (3, "none", ""),
        (3, "chicago", "3"),
        (0, "lowerLetter", "0"),
        (9_999_999, "lowerLetter", "i" * 20),
    ],
)
def test_formats(number: int, format: str, shown: str) -> None:
    """Letters repeat beyond z, romans end where they do in Word, and nothing grows without bounds."""
    assert written(number, format) == shown
