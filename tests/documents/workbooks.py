"""Workbooks of the four families made by code, with rows, columns and sheets that are hidden as each format says it."""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.documents import make
from tests.documents.compound import compound

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@dataclass(frozen=True)
class Number:
    """A number, the code of its format, and what OpenDocument says of it: its kind and what is shown."""

    value: float
    code: str
    kind: str
    shown: str


@dataclass(frozen=True)
class Sheet:
    """Texts and numbers by row; ``rows`` and ``columns`` are those that are hidden, from 0."""

    name: str
    cells: Sequence[Sequence[str | Number]]
    rows: frozenset[int] = frozenset()
    columns: frozenset[int] = frozenset()
    hidden: bool = False


def xlsx(*sheets: Sheet) -> bytes:
    """A workbook of Excel 2007 and later."""
    parts = {}
    codes = _codes(sheets)
    for sheet in sheets:
        lines = []
        for at, row in enumerate(sheet.cells, start=1):
            line = make.cells(at, *(cell if isinstance(cell, str) else cell.value for cell in row))
            for column, cell in enumerate(row):
                if isinstance(cell, Number):
                    place = f'r="{chr(65 + column)}{at}"'
                    line = line.replace(place, f'{place} s="{2 + codes.index(cell.code)}"')
            lines.append(line)
        for at in sheet.rows:
            lines[at] = lines[at].replace("<row ", '<row hidden="1" ', 1)
        parts[sheet.name] = "".join(lines)
    columns = "".join(f'<col min="{at + 1}" max="{at + 1}" hidden="1"/>' for at in sorted(sheets[0].columns))
    return make.xlsx(
        parts,
        hidden=tuple(sheet.name for sheet in sheets if sheet.hidden),
        columns=f"<cols>{columns}</cols>" if columns else "",
        codes=codes,
    )


def _codes(sheets: Sequence[Sheet]) -> tuple[str, ...]:
    cells = [cell for sheet in sheets for row in sheet.cells for cell in row]
    return tuple(dict.fromkeys(cell.code for cell in cells if isinstance(cell, Number)))


def ods(*sheets: Sheet) -> bytes:
    """An OpenDocument spreadsheet as LibreOffice writes it: a last row and column are repeated to the edge."""
    tables = ""
    for sheet in sheets:
        width = max(map(len, sheet.cells))
        columns = (
            "".join(f"<table:table-column{_folded(at in sheet.columns)}/>" for at in range(width))
            + f'<table:table-column table:number-columns-repeated="{16384 - width}"/>'
        )
        lines = ""
        for at, row in enumerate(sheet.cells):
            inner = "".join(map(_ods_cell, row))
            lines += f"<table:table-row{_folded(at in sheet.rows)}>{inner}</table:table-row>"
        style = ' table:style-name="off"' if sheet.hidden else ""
        tables += f'<table:table table:name="{sheet.name}"{style}>{columns}{lines}</table:table>'
    return ods_of(tables)


def _ods_cell(cell: str | Number) -> str:
    said, text = 'office:value-type="string"', cell
    if isinstance(cell, Number):
        said, text = f'office:value-type="{cell.kind}" office:value="{cell.value}"', cell.shown
    return f"<table:table-cell {said}><text:p>{text}</text:p></table:table-cell>"


def ods_of(tables: str) -> bytes:
    """An OpenDocument spreadsheet of these tables; the style ``off`` is that of a hidden one."""
    names = ("office", "table", "text", "style")
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in names)
    return make.package(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": "<manifest/>",
            "content.xml": f"<office:document-content {spaces}><office:automatic-styles>"
            '<style:style style:name="off" style:family="table"><style:table-properties table:display="false"/>'
            f"</style:style></office:automatic-styles><office:body><office:spreadsheet>{tables}"
            "</office:spreadsheet></office:body></office:document-content>",
        },
        stored=("mimetype",),
    )


def _folded(yes: bool) -> str:
    return ' table:visibility="collapse"' if yes else ""


def xlsb(*sheets: Sheet) -> bytes:
    """A binary workbook of Excel 2007 and later ([MS-XLSB])."""
    bundles = b"".join(
        _binary(156, struct.pack("<II", sheet.hidden, at) + _wide(f"r{at}") + _wide(sheet.name))
        for at, sheet in enumerate(sheets, start=1)
    )
    places = [("worksheet", f"worksheets/sheet{at}.bin") for at in range(1, len(sheets) + 1)]
    places.append(("styles", "styles.bin"))
    codes = _codes(sheets)
    formats = [_binary(44, struct.pack("<H", at) + _wide(code)) for at, code in enumerate(codes, start=164)]
    styles = [
        _binary(47, struct.pack("<HHHHHHHH", 0, at, 0, 0, 0, 0, 0, 0))
        for at in (0, *range(164, 164 + len(codes)))
    ]
    members: dict[str, str | bytes] = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": make.relations(("officeDocument", "xl/workbook.bin")),
        "xl/workbook.bin": _binary(131) + _binary(143) + bundles + _binary(144) + _binary(132),
        "xl/_rels/workbook.bin.rels": make.relations(*places),
        "xl/styles.bin": _binary(278)
        + _binary(615, struct.pack("<I", len(formats)))
        + b"".join(formats)
        + _binary(616)
        + _binary(617, struct.pack("<I", len(styles)))
        + b"".join(styles)
        + _binary(618)
        + _binary(279),
    }
    for at, sheet in enumerate(sheets, start=1):
        members[f"xl/worksheets/sheet{at}.bin"] = _xlsb_sheet(sheet, codes)
    return make.package(members)


def _xlsb_sheet(sheet: Sheet, codes: Sequence[str]) -> bytes:
    columns = b"".join(_binary(60, struct.pack("<IIIIH", at, at, 2340, 0, 1)) for at in sorted(sheet.columns))
    lines = b""
    for at, row in enumerate(sheet.cells):
        flags = 0x10 if at in sheet.rows else 0
        lines += _binary(0, struct.pack("<IIHBBBI", at, 0, 300, 0, flags, 0, 0))
        for column, cell in enumerate(row):
            if isinstance(cell, Number):
                lines += _binary(5, struct.pack("<IId", column, 1 + codes.index(cell.code), cell.value))
            else:
                lines += _binary(6, struct.pack("<II", column, 0) + _wide(cell))
    corner = struct.pack("<IIII", 0, len(sheet.cells) - 1, 0, max(map(len, sheet.cells)) - 1)
    return b"".join(
        [
            _binary(129),
            _binary(148, corner),
            _binary(390),
            columns,
            _binary(391),
            _binary(145),
            lines,
            _binary(146),
            _binary(130),
        ]
    )


def _binary(kind: int, content: bytes = b"") -> bytes:
    """A record: its kind and its length in groups of seven bits."""
    head = bytes((kind,)) if kind < 0x80 else bytes((kind & 0x7F | 0x80, kind >> 7))
    size = len(content)
    sizes = b""
    while True:
        sizes += bytes((size & 0x7F | (0x80 if size > 0x7F else 0),))
        size >>= 7
        if not size:
            return head + sizes + content


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def xls(*sheets: Sheet) -> bytes:
    """A workbook of Excel 97 to 2003 ([MS-XLS])."""
    start = _biff(0x809, struct.pack("<HHHHII", 0x600, 0x05, 0, 1997, 0, 6)) + _biff(0x42, b"\xb0\x04")
    codes = _codes(sheets)
    for at, code in enumerate(codes, start=164):
        start += _biff(0x41E, struct.pack("<HHB", at, len(code), 1) + code.encode("utf-16-le"))
    for at in (0, *range(164, 164 + len(codes))):
        start += _biff(0xE0, struct.pack("<HH", 0, at) + bytes(16))
    bodies = [_xls_sheet(sheet, codes) for sheet in sheets]
    names = [sheet.name.encode("latin-1") for sheet in sheets]
    at = len(start) + sum(4 + 8 + len(name) for name in names) + 4
    bounds = b""
    for sheet, name, body in zip(sheets, names, bodies, strict=True):
        bounds += _biff(0x85, struct.pack("<IBBBB", at, sheet.hidden, 0, len(name), 0) + name)
        at += len(body)
    book = start + bounds + _biff(0x0A) + b"".join(bodies)
    return compound({"Workbook": book})


def _xls_sheet(sheet: Sheet, codes: Sequence[str]) -> bytes:
    made = _biff(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 1997, 0, 6))
    for at in sorted(sheet.columns):
        made += _biff(0x7D, struct.pack("<HHHHHH", at, at, 2340, 0, 1, 0))
    width = max(map(len, sheet.cells))
    made += _biff(0x200, struct.pack("<IIHHH", 0, len(sheet.cells), 0, width, 0))
    for at in range(len(sheet.cells)):
        made += _biff(
            0x208, struct.pack("<HHHHHHI", at, 0, width, 255, 0, 0, 0x20 if at in sheet.rows else 0)
        )
    for at, row in enumerate(sheet.cells):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                said = cell.encode("utf-16-le")
                made += _biff(0x204, struct.pack("<HHHHB", at, column, 0, len(cell), 1) + said)
            elif cell.value.is_integer() and column + 1 < len(row) and cell == row[column + 1]:
                packed = struct.pack("<HI", 1 + codes.index(cell.code), int(cell.value) << 2 | 2)
                made += _biff(
                    0xBD, struct.pack("<HH", at, column) + 2 * packed + struct.pack("<H", column + 1)
                )
            elif not (column and cell == row[column - 1] and cell.value.is_integer()):
                style = 1 + codes.index(cell.code)
                made += _biff(0x203, struct.pack("<HHHd", at, column, style, cell.value))
    return made + _biff(0x0A)


def _biff(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


FAMILIES: Mapping[str, tuple[str, Callable[..., bytes]]] = {
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx),
    "xlsb": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsb),
    "xls": ("application/vnd.ms-excel", xls),
    "ods": ("application/vnd.oasis.opendocument.spreadsheet", ods),
}
"""Name of the family → its media type and what makes it."""
