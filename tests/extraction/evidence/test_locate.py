"""Records against small documents: which place, which status."""

import itertools
from typing import Any

import pytest

from service.documents import Document, Page, Word
from service.extraction.evidence import Evidence, Index, bodies, confident, locate


def text_document(*pages: str) -> Document:
    return Document(
        "sha256:0", "text/plain", None, 1, tuple(Page(number, text) for number, text in enumerate(pages, 1))
    )


def located(text: str, data: Any, schema: Any = True) -> dict[str, Evidence]:
    return locate(Index.of(text_document(text)), data, schema)


def quoted(text: str, one: Evidence) -> str:
    """What stands at the span."""
    assert one.span is not None
    return text[slice(*one.span)]


INVOICE = """\
Müller & Söhne GmbH                         Invoice 4711
Hauptstraße 5                               Date: 05.06.2018
80333 München                               Due date: 05.07.2018

Bill to: Kunden AG, Hauptstraße 5, 10115 Berlin

Pos  Item                Qty   Unit price    Amount
1    Office chair         2       100,00      200,00
2    Desk lamp            1       200,00      200,00
3    Cable                2         5,00       10,00

                               Net            410,00
                               VAT 19 %        77,90
                               Total          487,90
"""


def test_equal_amounts_in_two_rows_are_two_places() -> None:
    """Each row's values are found in that row, in their columns."""
    lines = [
        {"item": "Office chair", "quantity": 2, "unit_price": 100.0, "amount": 200.0},
        {"item": "Desk lamp", "quantity": 1, "unit_price": 200.0, "amount": 200.0},
        {"item": "Cable", "quantity": 2, "unit_price": 5.0, "amount": 10.0},
    ]
    found = located(INVOICE, {"lines": lines})
    for row, line in enumerate(lines):
        begin = INVOICE.index(str(line["item"]))
        end = INVOICE.index("\n", begin)
        edges = [found[f"/lines/{row}/{name}"].span for name in line]
        assert all(span is not None and begin <= span[0] < end for span in edges)
        assert edges == sorted(edges, key=lambda span: span or (0, 0))
    assert {found[f"/lines/{row}/amount"].status for row in range(3)} == {"found"}


def test_labels_choose_between_equal_values() -> None:
    """The occurrence beside the label is the one that is meant."""
    text = "Order no. 4711\nCustomer no. 4711\nInvoice no. 4711\n"
    found = located(text, {"customer_number": "4711", "invoice_number": "4711"})
    assert found["/customer_number"].span == (28, 32)
    assert found["/invoice_number"].span == (45, 49)


def test_siblings_choose_between_equal_values() -> None:
    """A street that stands in two addresses belongs to the one its siblings are in."""
    found = located(
        INVOICE,
        {"seller": {"name": "Müller & Söhne GmbH", "street": "Hauptstraße 5", "city": "München"},
         "buyer": {"name": "Kunden AG", "street": "Hauptstraße 5", "city": "Berlin"}},
    )  # fmt: skip
    assert found["/seller/street"].span == (57, 70)
    assert quoted(INVOICE, found["/buyer/street"]) == "Hauptstraße 5"
    assert found["/buyer/street"].span > found["/seller/street"].span


def test_statuses() -> None:
    """Each status has its reason."""
    schema = {"properties": {"kind": {"enum": ["invoice", "credit"]}, "paid": {"type": "boolean"}}}
    data = {"kind": "credit", "paid": False, "iban": None, "total": 487.9, "tax": 77.91, "buyer": "Nobody Ltd", "rows": 2,
            "vat_rate": 0.19, "note": ""}  # fmt: skip
    found = located(INVOICE, data, schema)
    assert {pointer[1:]: one.status for pointer, one in found.items()} == {
        "kind": "derived",
        "paid": "derived",
        "iban": "absent",
        "total": "found",
        "tax": "not_found",
        "buyer": "not_found",
        "rows": "ambiguous",
        "vat_rate": "found",
        "note": "absent",
    }
    assert found["/kind"].reason == "category"


def test_codes_of_languages_and_countries_are_derived() -> None:
    """Documents name countries in words and their own language not at all; what is no such code is still looked for."""
    schema = {
        "properties": {
            "language": {"type": "string", "description": "Language as an ISO 639-1 code."},
            "country": {"type": "string", "description": "ISO 3166-1 alpha-2."},
        }
    }
    found = located("Hartmann GmbH, Deutschland", {"language": "de", "country": "Austria"}, schema)
    assert (found["/language"].status, found["/language"].reason) == ("derived", "code")
    assert found["/country"].status == "not_found"


def test_counts_and_sums_are_derived() -> None:
    """What is not printed but follows from found values is not called invented."""
    data = {"lines": [{"amount": 200.0}, {"amount": 10.0}], "lines_total": 210.0, "line_count": 2}
    found = located("A 200,00\nB 10,00\nC 33,00", data)
    assert (found["/lines_total"].status, found["/lines_total"].reason) == ("derived", "computed")
    assert (found["/line_count"].status, found["/line_count"].reason) == ("derived", "count")


@pytest.mark.parametrize(
    ("text", "value", "printed"),
    [
        ("an Erika Muster-\nmann, Bonn", "Erika Mustermann", "Erika Muster-\nmann"),
        ("IBAN DE12 3456 7890 1234 5678 90 x", "DE12345678901234567890", "DE12 3456 7890 1234 5678 90"),
        ("住所 東京都千代田区\n丸の内1-1 電話", "東京都千代田区丸の内1-1", "東京都千代田区\n丸の内1-1"),
        ("שם: דוד לוי טלפון", "דוד לוי", "דוד לוי"),
        ("الاسم: مُحمَّد علي", "محمد علي", "مُحمَّد علي"),
        ("นายสมชายใจดีเป็นผู้ซื้อ", "สมชายใจดี", "สมชายใจดี"),
        ("call (089) 123-456 now", "089123456", "089) 123-456"),
        ("OFFICE CHAIR", "Office chair", "OFFICE CHAIR"),
        ("Total € 5", "EUR", "€"),
    ],
)
def test_texts_in_any_script(text: str, value: str, printed: str) -> None:
    """Names, addresses and identifiers over line breaks, in scripts with and without spaces."""
    one = located(text, {"x": value})["/x"]
    assert (one.status, quoted(text, one)) == ("found", printed)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Hans Müller wohnt bei Beispiel GmbH", "Müller GmbH"),
        ("Subtotal", "Total"),
        ("Total 24.0", "2.40"),
        ("paid on 05.06.2018", "2018-06-15"),
        ("Moeller Ltd", "Mueller Ltd"),
        ("qty 12 34", "1234567"),
        ("line\n12\n34", "1234"),
    ],
)
def test_near_misses_are_inventions(text: str, value: str) -> None:
    """A text that only resembles what is printed was not found."""
    assert located(text, {"x": value})["/x"].status == "not_found"


def test_words_with_boxes() -> None:
    """Values of pages with words have a box for each line, those of other pages none."""
    words = (
        Word("Total", (0.1, 0.1, 0.2, 0.12)),
        Word("12,50", (0.7, 0.1, 0.8, 0.12)),
        Word("Erika", (0.1, 0.2, 0.2, 0.22)),
        Word("Muster-", (0.21, 0.2, 0.3, 0.22)),
        Word("mann", (0.1, 0.23, 0.2, 0.25)),
    )
    page = Page(3, "ignored", words=words, width=600.0, height=800.0)
    index = Index.of(Document("sha256:0", "application/pdf", None, 1, (page,)))
    found = bodies(locate(index, {"total": 12.5, "name": "Erika Mustermann"}, {}))
    assert found["/total"] == {
        "status": "found", "page": 3, "box": [0.7, 0.1, 0.8, 0.12], "quote": "12,50", "match": "normalized", "score": 1.0,
    }  # fmt: skip
    assert found["/name"]["boxes"] == [[0.1, 0.2, 0.3, 0.22], [0.1, 0.23, 0.2, 0.25]]
    assert "span" not in found["/name"]


def test_cells_and_paragraphs() -> None:
    """Tables name their cells, other text its paragraph."""
    table = (("Team", "Wins"), ("Blues", "1"), ("Maple Leafs", "13"))
    page = Page(1, "Team | Wins\nBlues | 1\nMaple Leafs | 13", tables=(table,), label="Cups")
    index = Index.of(Document("sha256:0", "text/csv", None, 1, (page,)))
    found = locate(index, {"rows": [{"team": "Maple Leafs", "wins": 13}]}, {})
    assert (found["/rows/0/team"].place, found["/rows/0/wins"].place) == ("Cups!A3", "Cups!B3")
    assert located("One\n\nTwo\nThree", {"x": "Three"})["/x"].place == "paragraph 3"


def test_deep_and_odd_records() -> None:
    """Any JSON value has evidence; names are escaped in pointers."""
    deep: Any = "x"
    for _ in range(3000):
        deep = [deep]
    assert len(located("x", deep)) == 1
    assert located("5 a\n5 b", 5)[""].status == "ambiguous"  # a record that is no container
    found = located("a 5", {"a/b": {"~": 5}, "": 1e300, "n": -0.0, "big": 10**400}, {"type": "object"})
    assert found["/a~1b/~0"].status == "found"
    assert found["/"].status == found["/big"].status == "not_found"


@pytest.mark.parametrize("pages", [("3 3",), ("3", "3 3"), ("1 2", "3\n3 3"), ("3 3 3\n4",), ("4\n3 3 3",)])
def test_items_at_the_edges_of_a_page(pages: tuple[str, ...]) -> None:
    """Items whose values stand in the first or last row of a page have evidence, in text and in words."""
    placed = tuple(
        Page(page.number, "", words=tuple(
            Word(word, (0.1 * at, 0.1 * row, 0.1 * at + 0.05, 0.1 * row + 0.05))
            for row, line in enumerate(page.text.split("\n")) for at, word in enumerate(line.split())
        ), width=595.0, height=842.0) for page in text_document(*pages).pages
    )  # fmt: skip
    for document in (text_document(*pages), Document("sha256:0", "application/pdf", None, 1, placed)):
        for values in itertools.product((3, 4), repeat=4):
            items = [{"a": a, "b": b} for a, b in (values[:2], values[2:])]
            for record in ([*items], [*items, *items], [*items, *items[::-1]]):
                found = locate(Index.of(document), {"items": record}, {})
                assert {one.status for one in found.values()} <= {
                    "found",
                    "ambiguous",
                    "derived",
                    "not_found",
                }
                assert all(found[f"/items/{at}/a"].page for at, item in enumerate(record) if item["a"] == 3)


@pytest.mark.no_cover  # a bound on time: counting lines would triple it
def test_hostile_documents_take_no_time() -> None:
    """Repetition without end does not make work without end."""
    for text in (
        "a" * 300_000,
        "1 " * 150_000,
        "1.1." * 75_000,
        "12/12/" * 50_000,
        "Jan 1 " * 50_000,
        "( - " * 50_000,
    ):
        found = located(
            text, {"x": ["aa", 1, 11, "2012-12-12", "2001-01-01", "ab " * 500, "1 1", "(", "Jan 1"]}
        )
        assert len(found) == 9


def test_confidence() -> None:
    """Support by the document, certainty of the model and findings multiply."""
    found = located(INVOICE, {"total": 487.9, "tax": 77.91})
    plain = confident(found)
    assert plain["/total"].confidence == pytest.approx(0.99)
    assert plain["/tax"].confidence == pytest.approx(0.15)
    doubted = confident(found, findings=[("/total", "error"), ("", "warning")], probabilities={"/total": 0.5})
    assert doubted["/total"].confidence == pytest.approx(0.99 * 0.5 * 0.95 * 0.7)
