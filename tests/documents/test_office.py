import zipfile
from collections.abc import Callable
from io import BytesIO

import pytest

from service.documents import parse_pages
from service.documents.errors import (
    DocumentEmpty,
    DocumentEncrypted,
    DocumentTooComplex,
    DocumentTooLong,
    DocumentTooManyPages,
    DocumentUnreadable,
    PagesOutOfRange,
)
from service.documents.media import resolve
from service.documents.parsed import Parsed
from service.foundation.errors import UnsupportedMedia
from tests.documents import make
from tests.documents.make import cells, paragraph, shape

Read = Callable[..., Parsed]
OOXML = "application/vnd.openxmlformats-officedocument."
DOCX = f"{OOXML}wordprocessingml.document"
PPTX = f"{OOXML}presentationml.presentation"
XLSX = f"{OOXML}spreadsheetml.sheet"
ODS = "application/vnd.oasis.opendocument.spreadsheet"


def document(read: Read, body: str, **options: object) -> str:
    return read(make.docx(body, **options), DOCX).pages[0].text  # type: ignore[arg-type]


def test_office_types_are_told_apart() -> None:
    """Office files are recognised by what is in them, whatever they are called."""
    assert resolve(make.docx(""), declared="application/zip", name="x.zip").media_type == DOCX
    assert resolve(make.pptx("<p:sld/>"), declared=None, name=None).media_type == PPTX
    assert resolve(make.xlsx({"a": ""}), declared="application/vnd.ms-excel", name=None).media_type == XLSX
    assert resolve(make.ods(("a",)), declared=None, name=None).media_type == ODS
    assert resolve(b"{\\rtf1 x}", declared="text/rtf", name=None).media_type == "application/rtf"
    with pytest.raises(UnsupportedMedia):
        resolve(make.package({"a.txt": "x"}), declared=DOCX, name="a.docx")


@pytest.mark.parametrize(
    ("stream", "found"),
    [
        ("Workbook", "application/vnd.ms-excel"),
        ("__properties_version1.0", "application/vnd.ms-outlook"),
        ("WordDocument", None),
        ("PowerPoint Document", None),
        ("Something", None),
    ],
)
def test_old_office_files(stream: str, found: str | None) -> None:
    """Old office files are told apart by their streams; old Word and PowerPoint are not read."""
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + stream.encode("utf-16-le") + bytes(500)
    if found is None:
        with pytest.raises(UnsupportedMedia):
            resolve(data, declared=None, name=None)
    else:
        assert resolve(data, declared=None, name=None).media_type == found


CHART = make.chart("Sales", ["Q1", "Q2"], Share=("0%", [0.25, 0.5]), Since=("m/d/yyyy", [46000, 46031]))
DRAWN = (("Sales", "Share", "Since"), ("Q1", "25%", "2025-12-09"), ("Q2", "50%", "2026-01-09"))


def test_charts(read: Read) -> None:
    """A chart is read as the table that is drawn, in its place; a damaged one costs only itself."""
    slide = f"<p:sld><p:cSld><p:spTree>{shape('Before')}<p:graphicFrame>{make.CHART}</p:graphicFrame>{shape('After')}</p:spTree></p:cSld></p:sld>"
    body = (
        paragraph("Before")
        + f"<w:p><w:r><w:drawing>{make.CHART}</w:drawing></w:r></w:p>"
        + paragraph("After")
    )
    for chart, lines, tables in (
        (CHART, ["Before", *map(" | ".join, DRAWN), "After"], (DRAWN,)),
        ("<c:chartSpace", ["Before", "After"], ()),
    ):
        word = make.docx(
            body, parts={"word/charts/chart1.xml": chart}, links=(("chart", "charts/chart1.xml"),)
        )
        for data, media_type in ((make.pptx(slide, chart=chart), PPTX), (word, DOCX)):
            page = read(data, media_type).pages[0]
            assert [line for line in page.text.split("\n") if line] == lines
            assert page.tables == tables


def test_encrypted_office_files() -> None:
    """An office file behind a password says so."""
    data = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + "EncryptedPackage".encode("utf-16-le") + bytes(500)
    )
    with pytest.raises(DocumentEncrypted, match="password"):
        resolve(data, declared=XLSX, name=None)


def test_word_body_in_order(read: Read) -> None:
    """Paragraphs and tables come in the body's order, lists with a dash, tabs and breaks kept."""
    body = (
        paragraph("Invoice 7")
        + "<w:tbl><w:tr><w:tc>" + paragraph("Item") + "</w:tc><w:tc>" + paragraph("Price") + "</w:tc></w:tr>"
        + "<w:tr><w:tc>" + paragraph("Copper") + paragraph("pipe") + "</w:tc><w:tc>" + paragraph("12.00")
        + "</w:tc></w:tr></w:tbl>"
        + paragraph("one", "<w:pPr><w:numPr/></w:pPr>")
        + "<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r></w:p>"
    )  # fmt: skip
    page = read(make.docx(body), DOCX).pages[0]
    assert [line for line in page.text.split("\n") if line] == [
        "Invoice 7",
        "Item | Price",
        "Copper pipe | 12.00",
        "- one",
        "a\tb",
        "c",
    ]
    assert page.tables == ((("Item", "Price"), ("Copper pipe", "12.00")),)


def _table(*rows: tuple[str, ...]) -> str:
    """A table of cells given as their blocks."""
    return f"<w:tbl>{''.join('<w:tr>' + ''.join(f'<w:tc>{cell}</w:tc>' for cell in row) + '</w:tr>' for row in rows)}</w:tbl>"


def test_tables_inside_of_tables(read: Read) -> None:
    """Tables inside of a row follow it row by row; a row that only lays out blocks keeps their order."""
    items = _table(
        (paragraph("Item"), paragraph("Price")),
        (paragraph("Pipe"), paragraph("12.00")),
    )
    inside = paragraph("To:") + items + paragraph("Pay soon")
    page = read(make.docx(_table((inside, "<w:p/>"))), DOCX).pages[0]
    assert [line for line in page.text.split("\n") if line] == [
        "To:",
        "Item | Price",
        "Pipe | 12.00",
        "Pay soon",
    ]
    outer = _table(
        (paragraph("Sum"), paragraph("12.00")),
        (paragraph("Total"), paragraph("13.00") + items),
        (paragraph("Due"), paragraph("soon")),
    )
    page = read(make.docx(outer), DOCX).pages[0]
    assert [line for line in page.text.split("\n") if line] == [
        "Sum | 12.00",
        "Total | 13.00",
        "Item | Price",
        "Pipe | 12.00",
        "Due | soon",
    ]
    assert page.tables == (
        (("Sum", "12.00"), ("Total", "13.00")),
        (("Item", "Price"), ("Pipe", "12.00")),
    )


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("<w:p><w:del><w:r><w:delText>old</w:delText></w:r></w:del><w:ins><w:r><w:t>new</w:t></w:r></w:ins></w:p>", "new"),
        ("<w:p><w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:t>3</w:t></w:r></w:p>", "3"),
        ("<w:sdt><w:sdtContent>" + paragraph("in a control") + "</w:sdtContent></w:sdt>", "in a control"),
        ("<w:p><w:hyperlink><w:r><w:t>link</w:t></w:r></w:hyperlink></w:p>", "link"),
        ("<w:p><w:r><w:fldChar><w:ffData><w:checkBox><w:checked/></w:checkBox></w:ffData></w:fldChar></w:r><w:r><w:t>yes</w:t></w:r></w:p>", "[x] yes"),
        ("<w:p><w:r><w:sym w:font='Wingdings' w:char='F0FE'/><w:t>ok</w:t></w:r></w:p>", "[x]ok"),
        ("<w:p><w:r><mc:AlternateContent><mc:Choice><w:txbxContent>" + paragraph("boxed") + "</w:txbxContent></mc:Choice><mc:Fallback><w:t>boxed</w:t></mc:Fallback></mc:AlternateContent></w:r><w:r><w:t>beside</w:t></w:r></w:p>", "beside\nboxed"),
    ],
)  # fmt: skip
def test_word_details(read: Read, body: str, shown: str) -> None:
    """Revisions, fields, controls, boxes: what Word shows is read, once."""
    assert document(read, body) == shown


def test_word_hidden_text(read: Read) -> None:
    """Hidden runs are left out with a notice."""
    body = "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r><w:r><w:rPr><w:vanish w:val='0'/></w:rPr><w:t>seen</w:t></w:r></w:p>"
    parsed = read(make.docx(body), DOCX)
    assert parsed.pages[0].text == "seen"
    assert [notice.rule for notice in parsed.notices] == ["hidden_text"]


@pytest.mark.parametrize(
    ("properties", "around", "shown"),
    [
        ("<w:color w:val='ffffff'/>", "", "seen"),
        ("<w:sz w:val='2'/>", "", "seen"),
        ("<w:sz w:val='14'/><w:color w:val='FF0000'/>", "", "seen\nspoken"),
        ("<w:color w:val='FFFFFF'/>", "<w:tbl><w:tblPr><w:tblStyle/></w:tblPr></w:tbl>", "seen\nspoken"),
        ("<w:color w:val='FFFFFF'/><w:shd w:fill='000080'/>", "", "seen\nspoken"),
    ],
)
def test_word_unreadable_text(read: Read, properties: str, around: str, shown: str) -> None:
    """Tiny text, and white text where nothing is shaded, is left out like hidden text."""
    body = f"{paragraph('seen')}{around}<w:p><w:r><w:rPr>{properties}</w:rPr><w:t>spoken</w:t></w:r></w:p>"
    parsed = read(make.docx(body), DOCX)
    assert parsed.pages[0].text == shown
    assert bool(parsed.notices) == (shown == "seen")


def test_word_headers_and_notes(read: Read) -> None:
    """Headers stand before the body, notes and footers behind it, each once."""
    data = make.docx(
        paragraph("body"),
        parts={
            "word/header1.xml": f"<w:X>{paragraph('Acme Ltd')}</w:X>",
            "word/header2.xml": f"<w:X>{paragraph('Acme Ltd')}</w:X>",
            "word/footer1.xml": f"<w:X>{paragraph('VAT GB1')}</w:X>",
            "word/footnotes.xml": f"<w:X><w:footnote w:type='separator'/><w:footnote>{paragraph('a note')}</w:footnote></w:X>",
        },
        links=(
            ("header", "header1.xml"),
            ("header", "header2.xml"),
            ("footer", "footer1.xml"),
            ("footnotes", "footnotes.xml"),
        ),
    )
    assert read(data, DOCX).pages[0].text.split() == ["Acme", "Ltd", "body", "a", "note", "VAT", "GB1"]


def test_word_pages(read: Read) -> None:
    """Pages are those that Word broke last."""
    body = paragraph("one") + "<w:p><w:r><w:lastRenderedPageBreak/><w:t>two</w:t></w:r></w:p>"
    body += "<w:p><w:r><w:t>more</w:t><w:br w:type='page'/><w:t>three</w:t></w:r></w:p>"
    data = make.docx(body)
    assert [page.text for page in read(data, DOCX).pages] == ["one", "two\nmore", "three"]
    assert [page.number for page in read(data, DOCX, pages=parse_pages("2-")).pages] == [2, 3]
    with pytest.raises(PagesOutOfRange):
        read(data, DOCX, pages=parse_pages("4"))
    with pytest.raises(DocumentTooManyPages):
        read(data, DOCX, limits={"max_pages": 2})


def test_word_of_pictures(read: Read) -> None:
    """A document that holds scans and no text becomes its pictures; otherwise they are noticed."""
    parts: dict[str, str | bytes] = {
        "word/media/1.png": make.picture("PNG"),
        "word/media/2.emf": b"\x01\x00\x00\x00",
    }
    links = (("image", "media/1.png"), ("image", "media/2.emf"))
    parsed = read(make.docx(paragraph("Scan"), parts=parts, links=links), DOCX)
    assert parsed.pages[0].text == "Scan"
    assert parsed.pages[0].image is not None
    assert [notice.rule for notice in parsed.notices] == ["pictures"]
    written = read(make.docx(paragraph("A letter with a logo and text"), parts=parts, links=links), DOCX)
    assert written.pages[0].image is None
    assert "2 pictures" in written.notices[0].message
    with pytest.raises(DocumentEmpty):
        read(make.docx("", parts={"word/media/2.emf": b"\x01"}, links=(("image", "media/2.emf"),)), DOCX)


def test_word_refusals(read: Read) -> None:
    """Empty, broken and malicious documents are refused by name."""
    with pytest.raises(DocumentEmpty):
        read(make.docx("<w:p/>"), DOCX)
    with pytest.raises(DocumentUnreadable):
        read(make.docx("")[:-60], DOCX)
    with pytest.raises(DocumentUnreadable, match="not XML"):
        read(make.docx("<w:p>"), DOCX)
    with pytest.raises(DocumentUnreadable, match="no body"):
        read(make.package({"[Content_Types].xml": "<Types/>", "word/document.xml": "<x/>"}), DOCX)
    laughs = make.package({"word/document.xml": "<!DOCTYPE x [<!ENTITY a 'ha'>]><x>&a;</x>"})
    with pytest.raises(DocumentUnreadable, match="document type"):
        read(laughs, DOCX)
    with pytest.raises(DocumentTooComplex):
        read(make.docx("<w:sdt>" * 400 + "</w:sdt>" * 400), DOCX)
    with pytest.raises(DocumentTooComplex):
        read(make.docx("<w:tbl><w:tr>" + "<w:tc/>" * 20 + "</w:tr></w:tbl>"), DOCX, limits={"max_cells": 10})
    with pytest.raises(DocumentTooLong):
        read(make.docx(paragraph("x" * 500)), DOCX, limits={"max_text_characters": 100})


def test_zip_bombs(read: Read) -> None:
    """What inflates too far is refused on the directory, and while reading when the directory lies."""
    with pytest.raises(DocumentTooComplex):
        read(make.docx(paragraph("x" * 20_000_000)), DOCX)
    with pytest.raises(DocumentTooComplex):
        read(make.docx(paragraph("words " * 5000)), DOCX, limits={"max_unzipped_bytes": 10_000})
    lying = make.docx(paragraph("words " * 5000))
    real = zipfile.ZipFile(BytesIO(lying)).getinfo("word/document.xml").file_size
    lying = lying.replace(real.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    with pytest.raises((DocumentTooComplex, DocumentUnreadable)):
        read(lying, DOCX, limits={"max_unzipped_bytes": 10_000})


def test_slides(read: Read) -> None:
    """A slide is a page: shapes in order, tables as rows, notes at the end, its size in points."""
    table = "<p:graphicFrame><a:tbl>" + "".join(
        "<a:tr>" + "".join(f"<a:tc><a:txBody><a:p><a:r><a:t>{cell}</a:t></a:r></a:p></a:txBody></a:tc>" for cell in row) + "</a:tr>"
        for row in (("Item", "Price"), ("Pipe", "12"))
    ) + "</a:tbl></p:graphicFrame>"  # fmt: skip
    notes = f"<p:notes>{shape('7', placeholder='sldNum')}{shape('say this')}</p:notes>"
    data = make.pptx(
        f"<p:sld>{shape('Title')}{table}</p:sld>",
        f"<p:sld>{shape('Second', 'slide')}</p:sld>",
        f"<p:sld show='0'>{shape('hidden')}</p:sld>",
        notes=notes,
    )
    parsed = read(data, PPTX)
    assert [line for line in parsed.pages[0].text.split("\n") if line] == [
        "Title",
        "Item | Price",
        "Pipe | 12",
        "Notes:",
        "say this",
    ]
    assert parsed.pages[0].tables == ((("Item", "Price"), ("Pipe", "12")),)
    assert parsed.pages[1].text == "Second\nslide"
    assert parsed.pages[2].text == ""
    assert [notice.rule for notice in parsed.notices] == ["hidden_text"]
    assert (parsed.pages[0].width, parsed.pages[0].height) == (720, 540)
    assert [page.number for page in read(data, PPTX, pages=parse_pages("2")).pages] == [2]


def test_broken_slides(read: Read) -> None:
    """A damaged slide costs only itself; a deck without slides or text is empty."""
    parsed = read(make.pptx(f"<p:sld>{shape('good')}</p:sld>", "<p:sld><broken></p:sld>"), PPTX)
    assert [page.text for page in parsed.pages] == ["good", ""]
    assert [notice.rule for notice in parsed.notices] == ["slide_unreadable"]
    with pytest.raises(DocumentEmpty):
        read(make.pptx(), PPTX)
    with pytest.raises(DocumentEmpty):
        read(make.pptx("<p:sld/>"), PPTX)
    with pytest.raises(DocumentUnreadable):
        read(make.package({"[Content_Types].xml": "<T/>", "ppt/x.xml": "<x/>"}), PPTX)
    with pytest.raises(DocumentTooComplex):
        read(make.pptx("<p:sld>" + "<p:grpSp>" * 300 + "</p:grpSp>" * 300 + "</p:sld>"), PPTX)


def test_workbooks(read: Read) -> None:
    """Visible sheets come as rows of text, numbers without needless zeros, empty rows left out."""
    dates = '<row r="4"><c r="A4" s="1"><v>45717</v></c><c r="B4" t="b"><v>1</v></c></row>'
    data = make.xlsx(
        {
            "Lines": cells(1, "Item", "Price") + cells(3, "Pipe", 12.0, 0.1) + dates,
            "Old": cells(1, "x"),
            "More": cells(1, "y"),
        },
        hidden=("Old",),
    )
    parsed = read(data, XLSX)
    assert [page.label for page in parsed.pages] == ["Lines", "More"]
    assert parsed.pages[0].text == "[Sheet: Lines]\nItem | Price\nPipe | 12 | 0.1\n2025-03-01 | TRUE"
    assert parsed.pages[0].tables[0][1] == ("Pipe", "12", "0.1")
    assert [notice.rule for notice in parsed.notices] == ["hidden_text"]
    assert [page.label for page in read(data, XLSX, pages=parse_pages("2")).pages] == ["More"]
    assert read(make.ods(("a", "b"), ("1", "2")), ODS).pages[0].text == "a | b\n1 | 2"


def test_workbook_refusals(read: Read) -> None:
    """Sparse giants are refused before they are laid out; empty and broken workbooks by name."""
    corner = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    with pytest.raises(DocumentTooComplex, match="16384 columns"):
        read(make.xlsx({"a": cells(1, "x") + corner}), XLSX)
    with pytest.raises(DocumentTooComplex):
        read(make.xlsx({"a": cells(1, *"abcdefgh") + cells(2, *"abcdefgh")}), XLSX, limits={"max_cells": 10})
    with pytest.raises(DocumentEmpty):
        read(make.xlsx({"a": ""}), XLSX)
    with pytest.raises(DocumentUnreadable):
        read(make.package({"[Content_Types].xml": "<T/>", "xl/x.xml": "<x/>"}), XLSX)
    with pytest.raises(DocumentUnreadable):
        read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "application/vnd.ms-excel")


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (rb"{\rtf1\ansi Hello \b world\b0\par line}", "Hello world\nline"),
        (rb"{\rtf1\ansi\ansicpg1252 M\'fcller \'80}", "Müller €"),
        (rb"{\rtf1\ansi\ansicpg1251 \'d1\'f7\'b8\'f2}", "Счёт"),
        (rb"{\rtf1\uc1 \u26085?\u-10179?\u-8704?}", "日😀"),
        (rb"{\rtf1\uc2 \u233 ??e}", "ée"),
        (rb"{\rtf1{\fonttbl{\f0\fcharset128 Gothic;}}\f0 \'90\'bf\'8b\'81}", "請求"),
        (rb"{\rtf1{\fonttbl{\f0 Arial;}}{\info{\title t}}{\*\generator x;}{\pict 0a0b}shown}", "shown"),
        (rb"{\rtf1\trowd a\cell b\cell\row 1\cell 2\cell\row}", "a | b\n1 | 2"),
        (rb"{\rtf1 \{a\}\\b\~c\_d\emdash}", "{a}\\b\xa0c-d—"),
        (rb"{\rtf1{\field{\*\fldinst HYPERLINK x}{\fldrslt link}}}", "link"),
        (rb"{\rtf1 a}}} b", "a b"),
        (rb"{\rtf1 {\v secret}seen", "seen"),
        (rb"{\rtf1 {\deleted gone}{\revised new}", "new"),
        (rb"{\rtf1 see{\footnote {\super 1} note} there}", "see [1 note]  there"),
        (
            rb"{\rtf1 a{\shp{\*\shpinst\shpleft9{\sp{\sn fLine}{\sv 0}}{\shptxt\pard boxed\par}}{\shprslt boxed}}b}",
            "a\nboxed\n\nb",
        ),
    ],
)
def test_rtf(read: Read, source: bytes, shown: str) -> None:
    """RTF reads as a word processor shows it."""
    assert read(source, "application/rtf").pages[0].text == shown


def test_rtf_pages_and_refusals(read: Read) -> None:
    """Page breaks make pages; empty and bottomless files are refused."""
    assert [page.text for page in read(rb"{\rtf1 one\page two}", "application/rtf").pages] == ["one", "two"]
    assert read(rb"{\rtf1 {\v secret}seen}", "application/rtf").notices[0].rule == "hidden_text"
    with pytest.raises(DocumentEmpty):
        read(rb"{\rtf1 }", "application/rtf")
    with pytest.raises(DocumentTooComplex):
        read(b"{\\rtf1 " + b"{" * 5000, "application/rtf")
    with pytest.raises(DocumentTooManyPages):
        read(rb"{\rtf1 one\page two}", "application/rtf", limits={"max_pages": 1})
