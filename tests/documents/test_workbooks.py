"""What a workbook hides is left out and noticed, whichever family it is of."""

import io
import zipfile
from collections.abc import Callable
from operator import itemgetter

import pytest

from service.documents.errors import DocumentTooComplex, DocumentUnreadable
from service.documents.media import resolve
from service.documents.number_formats import of_code
from service.documents.parsed import Parsed
from service.documents.sheet_marks import Formats, Spans
from tests.documents import workbooks
from tests.documents.workbooks import FAMILIES, Number, Sheet

Read = Callable[..., Parsed]

SHEETS = (
    Sheet(
        "Main", [["a1", "b1", "c1"], ["a2", "b2", "c2"], ["a3", "b3", "c3"]], frozenset({1}), frozenset({1})
    ),
    Sheet("Off", [["never shown"]], hidden=True),
    Sheet("End", [["e1"], ["e2"]], frozenset({0})),
)
ODS = FAMILIES["ods"][0]


@pytest.mark.parametrize("family", FAMILIES)
def test_hidden_rows_columns_and_sheets(read: Read, family: str) -> None:
    """Rows, columns and sheets that the program does not show are left out, and said to be."""
    media_type, make = FAMILIES[family]
    data = make(*SHEETS)
    assert resolve(data, declared=None, name=None).media_type == media_type
    parsed = read(data, media_type)
    assert [page.text for page in parsed.pages] == ["[Sheet: Main]\na1 | c1\na3 | c3", "[Sheet: End]\ne2"]
    assert [(notice.rule, notice.message) for notice in parsed.notices] == [
        ("hidden_text", "1 hidden sheets were left out"),
        ("hidden_text", "6 cells of hidden rows and columns were left out"),
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_hidden(read: Read, family: str) -> None:
    """Of a workbook that shows everything, everything is read and nothing noticed."""
    media_type, make = FAMILIES[family]
    parsed = read(make(Sheet("Main", [["a1", "b1"], ["a2", "Müller"]])), media_type)
    assert parsed.pages[0].text == "a1 | b1\na2 | Müller"
    assert parsed.notices == ()


@pytest.mark.parametrize("family", FAMILIES)
def test_numbers_as_they_are_read(read: Read, family: str) -> None:
    """Numbers come with what their format adds, in whichever way the family says it; without one they are bare."""
    media_type, make = FAMILIES[family]
    code = Number(42.0, "00000", "float", "00042")
    rows = [
        ["Rate", Number(0.175, "0.00%", "percentage", "17.50%"), "of 0.175"],
        ["Total", Number(1234.5, '#,##0.00\\ "€"', "currency", "1,234.50 €"), "with VAT"],
        ["Codes", code, code],
        ["Bare", Number(1234.5, "#,##0.0", "float", "1,234.5"), "end"],
    ]
    parsed = read(make(Sheet("Main", rows)), media_type)
    assert parsed.pages[0].text.split("\n") == [
        "Rate | 17.50% | of 0.175",
        "Total | 1234.50 € | with VAT",
        "Codes | 00042 | 00042",
        "Bare | 1234.5 | end",
    ]


def test_cells_whose_format_shows_nothing(read: Read) -> None:
    """A format may hide what a cell holds; it is left out, and said to be."""
    rows = "<row><c><v>1</v></c><c s='2'><v>2</v></c><c t='str' s='2'><v>secret</v></c></row>"
    data = workbooks.make.xlsx({"a": rows.replace("'", '"')}, codes=(";;;",))
    parsed = read(data, FAMILIES["xlsx"][0])
    assert parsed.pages[0].text == "1"
    assert parsed.notices[0].message == "2 cells that show nothing were left out"


@pytest.mark.parametrize("family", FAMILIES)
def test_sheets_that_begin_further_down(read: Read, family: str) -> None:
    """Rows and columns are told by their place in the sheet, also where the first ones are empty."""
    media_type, make = FAMILIES[family]
    code = Number(7.0, "000", "float", "007")
    rows = [[], [], ["", "", "kept", code], ["", "", "hidden", code], ["", "", "kept", code]]
    parsed = read(make(Sheet("Main", rows, rows=frozenset({3}))), media_type)
    assert [" ".join(line.strip(" |").split()) for line in parsed.pages[0].text.split("\n")] == [
        "kept | 007"
    ] * 2


def test_a_cell_beyond_the_last_row(read: Read) -> None:
    """A row number that no program allows is refused, not counted up to."""
    rows = '<row r="99999999999"><c r="ZZZZ99999999999"><v>1</v></c></row>'
    with pytest.raises(DocumentTooComplex):
        read(workbooks.make.xlsx({"a": rows}), FAMILIES["xlsx"][0])


def test_white_cells_on_white(read: Read) -> None:
    """Cells in the colour of their ground are left out, unless a table or a condition may give them another one."""
    rows = '<row r="1"><c r="A1"><v>1</v></c><c r="B1" s="1" t="str"><v>secret</v></c><c r="C1" s="2"><v>3</v></c></row>'
    styles = (
        '<fonts><font/><font><color rgb="FFFFFFFF"/></font></fonts>'
        '<fills><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="solid"><fgColor rgb="FF0000FF"/>'
        '</patternFill></fill></fills><cellXfs><xf/><xf fontId="1" fillId="0"/><xf fontId="1" fillId="1"/></cellXfs>'
    )
    parsed = read(workbooks.make.xlsx({"a": rows}, styles=styles), FAMILIES["xlsx"][0])
    assert parsed.pages[0].text == "1 |  | 3"
    assert parsed.notices[0].message == "1 cells that show nothing were left out"
    table = '<conditionalFormatting sqref="A1"/>'
    parsed = read(workbooks.make.xlsx({"a": rows}, styles=styles, columns=table), FAMILIES["xlsx"][0])
    assert parsed.pages[0].text == "1 | secret | 3"


def test_what_lies_over_the_cells(read: Read) -> None:
    """Texts of boxes follow the cells; those of hidden ones and of comments are left out, and a damaged part costs nothing."""
    drawing = "http://schemas.openxmlformats.org/drawingml/2006"
    box = '<xdr:sp><xdr:nvSpPr><xdr:cNvPr id="1" name="b"{}/></xdr:nvSpPr><xdr:txBody><a:p><a:r><a:t>{}</a:t></a:r></a:p><a:p/></xdr:txBody></xdr:sp>'
    boxes = box.format("", "in a box") + box.format(' hidden="1"', "hidden box")
    over = {
        "drawing": f'<xdr:wsDr xmlns:xdr="{drawing}/spreadsheetDrawing" xmlns:a="{drawing}/main">{boxes}</xdr:wsDr>',
        "comments": "<comments><comment><text><r><t>not this</t></r></text></comment></comments>",
    }
    rows = workbooks.make.cells(1, "x")
    parsed = read(workbooks.make.xlsx({"a": rows}, over=over), FAMILIES["xlsx"][0])
    assert parsed.pages[0].text == "x\nin a box"
    assert [notice.message for notice in parsed.notices] == ["comments were left out: 7 characters"]
    parsed = read(workbooks.make.xlsx({"a": rows}, over={"drawing": "<xdr:wsDr"}), FAMILIES["xlsx"][0])
    assert parsed.pages[0].text == "x"


def test_rows_and_columns_of_no_size(read: Read) -> None:
    """A row of no height, a column of no width and letters of one point are hidden too."""
    rows = (
        '<row r="1"><c r="A1"><v>1</v></c><c r="B1"><v>2</v></c><c r="C1" s="1"><v>3</v></c></row>'
        '<row r="2" ht="0" customHeight="1"><c r="A2"><v>4</v></c></row>'
    )
    columns = '<cols><col min="2" max="2" width="0" customWidth="1"/></cols>'
    styles = '<fonts><font/><font><sz val="1"/></font></fonts><cellXfs><xf/><xf fontId="1"/></cellXfs>'
    data = workbooks.make.xlsx({"a": rows}, columns=columns, styles=styles)
    parsed = read(data, FAMILIES["xlsx"][0])
    assert parsed.pages[0].text == "1"
    assert len(parsed.notices) == 2


def test_formulas_without_results(read: Read) -> None:
    """Programs that cannot calculate write formulas only: that their cells are empty is said."""
    rows = (
        '<row r="1"><c r="A1"><f>B1</f><v>7</v></c><c r="B1"><f>1+2</f><v/></c><c r="C1"><f>2</f></c>'
        '<c r="D1"><f t="shared" si="0"/><v></v></c></row>'
    )
    parsed = read(workbooks.make.xlsx({"a": rows}), FAMILIES["xlsx"][0])
    assert parsed.pages[0].text == "7"
    assert [notice.message for notice in parsed.notices] == [
        "3 formulas hold no result: their cells are empty"
    ]
    cell = (
        '<table:table-cell office:value-type="float" office:value="7"><text:p>7</text:p></table:table-cell>'
    )
    empty = '<table:table-cell table:formula="of:=[.A1]"/>'
    table = f'<table:table table:name="T"><table:table-row>{cell}{empty}</table:table-row></table:table>'
    parsed = read(workbooks.ods_of(table), ODS)
    assert [notice.message for notice in parsed.notices] == [
        "1 formulas hold no result: their cells are empty"
    ]


def test_long_codes_keep_their_digits(read: Read) -> None:
    """Whole numbers come to their last digit, others without the noise of computing in binary."""
    rows = "<row><c><v>1234567890123456</v></c><c><v>0.30000000000000004</v></c></row>"
    assert (
        read(workbooks.make.xlsx({"a": rows}), FAMILIES["xlsx"][0]).pages[0].text == "1234567890123456 | 0.3"
    )


def test_sheets_in_folders_of_their_own(read: Read) -> None:
    """Sheets are found by what the workbook relates to: their formats and far corners count wherever they lie."""
    corner = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    for rows in ('<row r="1"><c r="A1" s="2"><v>0.5</v></c></row>', corner):
        made = zipfile.ZipFile(io.BytesIO(workbooks.make.xlsx({"a": rows}, codes=("0%",))))
        moved = {
            name.replace("worksheets/sheet1.xml", "pages/1.xml"): made.read(name).replace(
                b"worksheets/sheet1.xml", b"pages/1.xml"
            )
            for name in made.namelist()
        }
        data = workbooks.make.package(dict(moved))
        if rows is corner:
            with pytest.raises(DocumentTooComplex):
                read(data, FAMILIES["xlsx"][0])
        else:
            assert read(data, FAMILIES["xlsx"][0]).pages[0].text == "50%"


def test_comments_of_opendocument_are_not_what_a_cell_shows(read: Read) -> None:
    """A comment inside a cell and spans inside its paragraph do not change which number it shows."""
    cell = (
        '<table:table-cell office:value-type="float" office:value="42" table:number-columns-repeated="2">'
        "<office:annotation><text:p>007</text:p></office:annotation><text:p>000<text:span>42</text:span></text:p>"
        "</table:table-cell>"
    )
    table = f'<table:table table:name="T"><table:table-row table:number-rows-repeated="2">{cell}</table:table-row></table:table>'
    assert read(workbooks.ods_of(table), ODS).pages[0].text == "00042 | 00042\n00042 | 00042"


def test_times_of_opendocument(read: Read) -> None:
    """A duration comes as it is shown, not as the file writes it."""
    cell = '<table:table-cell office:value-type="time" office:time-value="PT26H15M00S"><text:p>26:15</text:p></table:table-cell>'
    table = f'<table:table table:name="T"><table:table-row>{cell}</table:table-row></table:table>'
    assert read(workbooks.ods_of(table), ODS).pages[0].text == "26:15"


def test_formats_of_cells_in_any_order() -> None:
    """Rows may come in any order; runs of one format are one."""
    percent, code = of_code("0%"), of_code("000")
    assert percent is not None
    assert code is not None
    formats = Formats()
    formats.add((5, 5), (1, 1), percent)
    formats.add((5, 5), (2, 2), percent)
    formats.add((2, 3), (0, 0), code)
    formats.add((2, 3), (4, 6), percent)
    assert [list(formats.of_row(row)) for row in (0, 1, 4, 6)] == [[], [], [], []]
    assert list(formats.of_row(5)) == [(1, 2, percent)]
    assert sorted(formats.of_row(3), key=itemgetter(0)) == [(0, 0, code), (4, 6, percent)]


def row(text: str, more: str = "") -> str:
    """A row of an OpenDocument table with one cell."""
    inner = f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
    return f"<table:table-row{more}>{inner}</table:table-row>"


def test_groups_and_filters_of_opendocument(read: Read) -> None:
    """Rows that a filter hides or a closed group holds are left out; an open group inside a closed one stays closed."""
    filtered = ' table:visibility="filter" table:number-rows-repeated="3"'
    closed = '<table:table-row-group table:display="false">'
    table = (
        '<table:table table:name="T"><table:table-header-rows>'
        + row("head")
        + "</table:table-header-rows>"
        + row("filtered", filtered)
        + row("seen")
        + f"{closed}{row('closed')}<table:table-row-group>{row('inner')}</table:table-row-group></table:table-row-group>"
        + f"<table:table-row-group>{row('open')}</table:table-row-group>"
        + row("last")
        + "</table:table>"
    )
    parsed = read(workbooks.ods_of(table), ODS)
    assert parsed.pages[0].text == "head\nseen\nopen\nlast"
    assert parsed.notices[0].message == "5 cells of hidden rows and columns were left out"


def test_a_million_hidden_rows_cost_nothing(read: Read) -> None:
    """Repeated rows are kept as one range."""
    edge = '<table:table-row table:visibility="collapse" table:number-rows-repeated="1048574"/>'
    table = f'<table:table table:name="T">{row("seen")}{edge}</table:table>'
    assert read(workbooks.ods_of(table * 1), ODS).pages[0].text == "seen"


def test_rows_without_numbers(read: Read) -> None:
    """Rows of XLSX need not say which they are; hidden ones are counted all the same."""
    cell = '<c t="inlineStr"><is><t>{}</t></is></c>'
    rows = f"<row>{cell.format('one')}</row><row hidden='1'>{cell.format('two')}</row><row>{cell.format('three')}</row>"
    data = workbooks.make.xlsx({"a": rows.replace("'", '"')})
    assert read(data, FAMILIES["xlsx"][0]).pages[0].text == "one\nthree"


def test_sparse_binary_giants(read: Read) -> None:
    """A far corner of XLSB is refused before it is laid out, as that of XLSX is."""
    wide = Sheet("a", [[f"c{at}" for at in range(60)] for _ in range(10)])
    with pytest.raises(DocumentTooComplex, match="60 columns × 10 rows"):
        read(workbooks.xlsb(wide), FAMILIES["xlsb"][0], limits={"max_cells": 10})


def test_damaged_workbooks_are_refused(read: Read) -> None:
    """Cut-off workbooks of every family are refused by name, or read as far as they go."""
    for family, (media_type, make) in FAMILIES.items():
        data = make(*SHEETS)
        for share in (0.2, 0.5, 0.8):
            try:
                read(data[: int(len(data) * share)], media_type)
            except DocumentUnreadable:
                continue
            assert family == "xls"  # of which calamine reads what is there


def test_spans() -> None:
    """A set of ranges, whatever the order in which they are added."""
    spans = Spans()
    assert 0 not in spans
    for first, last in ((10, 12), (3, 4), (11, 20), (5, 5), (7, 6)):
        spans.add(first, last)
    assert [number for number in range(25) if number in spans] == [3, 4, 5, *range(10, 21)]
