"""Hidden rows and columns, and number formats, of XLSX and ODS, which say them as attributes."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NoReturn
from xml.parsers import expat

from service.documents.archive import Archive, Element, child, local, value
from service.documents.errors import DocumentUnreadable
from service.documents.limits import Limits
from service.documents.number_formats import HIDDEN, Format, of_id, of_shown
from service.documents.sheet_marks import Marks, Sheets, check_corner

# ---------------------------------------------------------------------------------------------------------- XLSX

_CELL = re.compile(rb"<(?:\w+:)?c\b[^<>]{0,200}?\sr=\"([A-Z]{1,3})([0-9]{1,7})\"")
_ROW_OR_COLUMN = re.compile(rb"<(?:\w+:)?(row|col)\b([^<>]{0,500})>")
_ROW_OR_CELL = re.compile(
    rb"<(?:\w+:)?(row|c)\b(?:\sr=\"([A-Z]{0,3})([0-9]{1,7})\")?(?:\ss=\"([0-9]{1,7})\")?([^<>]{0,500})>"
)
"""The attributes in the order in which nearly all programs write them, and the rest."""

_FOLDED = re.compile(rb"\s(?:hidden=|(?:ht|width)=[\"']0[\"'])")
_ATTRIBUTE = re.compile(rb"\s(r|min|max|hidden|ht|width)=[\"']([0-9]{1,7}|true)[\"']")
_UNSOLVED = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f\b[^<>]{0,500}/>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
"""The end of a cell with a formula and no result."""

_COLOURED = re.compile(rb"<(?:\w+:)?(?:tableParts|conditionalFormatting)\b")
"""What may give a cell another ground than its own style does."""

_STYLED = re.compile(rb"\s(r|s)=[\"']([A-Z]{0,3})([0-9]{1,7})[\"']")


def xlsx(archive: Archive, limits: Limits) -> Sheets:
    """The marks of a workbook of Excel 2007 and later. Raises ``DocumentTooComplex``, ``DocumentUnreadable``."""
    places, styles = _places(archive, "xl/workbook.xml")  # calamine knows no other name
    formats = _formats(archive, styles)
    marks: dict[int, Marks] = {}
    for member in archive.names:
        if member not in places and not (member.startswith("xl/worksheets/") and member.endswith(".xml")):
            continue
        data = archive.read(member)
        columns, last = {b"A"}, 1
        for match in _CELL.finditer(data):
            columns.add(match[1])
            last = max(last, int(match[2]))
        check_corner(max(_column(letters) for letters in columns), last, limits)
        if member in places:
            sheet = marks[places[member]] = Marks()
            if _FOLDED.search(data):
                _hidden(data, sheet)
            _over(archive, member, sheet)
            if b"<f" in data or b":f" in data:
                sheet.unsolved = len(_UNSOLVED.findall(data))
            coloured = _COLOURED.search(data) is not None
            shown = {at: format for at, format in formats.items() if not (coloured and format == HIDDEN)}
            if shown:
                _styled(data, shown, sheet)
    return marks


def _places(archive: Archive, main: str) -> tuple[dict[str, int], str]:
    """Member → place of the sheet, and the member that holds the styles."""
    root, relations = archive.xml(main), archive.relations(main)
    listed = [] if root is None else [sheet for sheet in root.iter() if local(sheet) == "sheet"]
    found: dict[str, int] = {}
    for at, sheet in enumerate(listed):
        place = relations.get(value(sheet, "id") or "")
        if place is not None:
            found[place[1]] = at
    styles = [member for kind, member in relations.values() if kind == "styles"]
    return found, styles[0] if styles else ""


def _formats(archive: Archive, member: str) -> Mapping[int, Format]:
    """Style of a cell → its format, where that changes what is read."""
    root = archive.xml(member)
    if root is None:
        return {}
    listed, styles = child(root, "numFmts"), child(root, "cellXfs")
    codes = {
        int(id): value(one, "formatCode") or ""
        for one in ([] if listed is None else listed)
        if (id := value(one, "numFmtId") or "").isdecimal()
    }
    white = _listed(root, "fonts", lambda font: _white(child(font, "color")))
    tiny = _listed(root, "fonts", _tiny)
    blank = _listed(root, "fills", _blank)
    made = {}
    for at, style in enumerate([] if styles is None else styles):
        id = value(style, "numFmtId") or ""
        format = of_id(int(id), codes) if id.isdecimal() else None
        font = value(style, "fontId") or "0"
        if font in tiny or (font in white and (value(style, "fillId") or "0") in blank):
            format = HIDDEN
        if format is not None:
            made[at] = format
    return made


def _listed(root: Element, name: str, test: Callable[[Element], bool]) -> frozenset[str]:
    """The numbers of those elements of a list that pass."""
    listed = child(root, name)
    return frozenset(str(at) for at, one in enumerate([] if listed is None else listed) if test(one))


def _tiny(font: Element) -> bool:
    """Whether letters are of one point at most, which nobody can read."""
    size = child(font, "sz")
    return size is not None and (value(size, "val") or "") in {"0", "1", "1.0"}


def _white(colour: Element | None) -> bool:
    """Whether a colour is white, or that of the paper."""
    if colour is None or value(colour, "tint") not in {None, "0"}:
        return False
    return (value(colour, "rgb") or "").upper()[-6:] == "FFFFFF" or value(colour, "theme") == "0"


def _blank(fill: Element) -> bool:
    """Whether a cell with this fill is white."""
    pattern = child(fill, "patternFill")
    if pattern is None:
        return False  # a gradient
    kind = value(pattern, "patternType") or "none"
    return kind == "none" or (kind == "solid" and _white(child(pattern, "fgColor")))


def _styled(data: bytes, formats: Mapping[int, Format], sheet: Marks) -> None:
    """Note the cells whose style has a format. Rows and cells need not say where they are: then they follow."""
    row = column = -1
    for tag in _ROW_OR_CELL.finditer(data):
        what, letters, number, style, rest = tag.groups()
        if b"r=" in rest or b"s=" in rest:
            for name, *said in _STYLED.findall(rest):
                if name == b"s":
                    style = said[1]
                else:
                    letters, number = said
        if what == b"row":
            row = row + 1 if number is None else int(number) - 1
            column = -1
            continue
        if number is None:
            column += 1
        else:
            row, column = int(number) - 1, _column(letters) - 1
        format = None if style is None else formats.get(int(style))
        if format is not None and row >= 0 <= column:
            sheet.formats.add((row, row), (column, column), format)


def _over(archive: Archive, member: str, sheet: Marks) -> None:
    """Note the texts of boxes over the cells, which are shown, and of comments, which are not."""
    for kind, path in archive.relations(member).values():
        if kind not in {"drawing", "comments", "threadedComment"}:
            continue
        try:
            root = archive.xml(path)
        except DocumentUnreadable:
            continue  # the cells are read all the same
        for shape in () if root is None else root.iter():
            if local(shape) in {"comment", "threadedComment"}:
                sheet.comments += len("".join(_said(shape).split()))
            elif local(shape) == "sp" and not _invisible(shape):
                text = " ".join(_said(shape).split())
                if text:
                    sheet.boxes.append(text)


def _said(shape: Element) -> str:
    texts = []
    for part in shape.iter():
        if local(part) in {"t", "text"}:
            texts.append(part.text or "")
        elif local(part) in {"p", "br"}:
            texts.append("\n")
    return "".join(texts)


def _invisible(shape: Element) -> bool:
    return any(local(part) == "cNvPr" and part.get("hidden") in {"1", "true"} for part in shape.iter())


def _hidden(data: bytes, sheet: Marks) -> None:
    row = -1
    for tag in _ROW_OR_COLUMN.finditer(data):
        marks = dict(_ATTRIBUTE.findall(tag[2]))
        hidden = marks.get(b"hidden") in {b"1", b"true"} or b"0" in {marks.get(b"ht"), marks.get(b"width")}
        if tag[1] == b"row":
            row = int(marks[b"r"]) - 1 if b"r" in marks else row + 1
            if hidden:
                sheet.rows.add(row, row)
        elif hidden:
            sheet.columns.add(int(marks.get(b"min", b"1")) - 1, int(marks.get(b"max", b"0")) - 1)


@lru_cache(maxsize=1024)
def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


# ---------------------------------------------------------------------------------------------------------- ODS

_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
_ANNOTATION = f"{_OFFICE} annotation"
_PARAGRAPH = "urn:oasis:names:tc:opendocument:xmlns:text:1.0 p"
_SHOWN = 100
"""Characters of what a cell with a number shows that are looked at."""


class _Tables:
    """Follows the tables of ``content.xml``: counts rows and columns, and notes those that are not shown.

    They say so themselves (``visibility``), or a group that they lie in does (``display``). Cells hold a number and what
    a reader sees of it; what differs is taken for its format.
    """

    def __init__(self) -> None:
        self.found: dict[int, Marks] = {}
        self._place = -1
        self._inside = 0
        self._row = self._column = 0
        self._shut = 0
        self._rows = (0, 0)
        self._cell = 0
        """The column of the cell that the reader is at."""
        self._span = (0, 0)
        self._number: tuple[str, str] | None = None
        """Kind and value of a cell with a number or a time."""
        self._shown = ""
        self._reading = self._noted = False
        """Whether the reader is in a paragraph of such a cell, or in a comment, which has paragraphs too."""

    @property
    def _marks(self) -> Marks:
        return self.found.setdefault(self._place, Marks())

    def start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, tag = name.partition(" ")
        if space != _TABLE:
            self._noted |= name == _ANNOTATION
            self._reading |= name == _PARAGRAPH and self._number is not None and not self._noted
            return
        if tag == "table":
            self._inside += 1
            if self._inside == 1:
                self._place += 1
                self._row = self._column = self._shut = 0
        elif self._inside == 1:
            self._within(tag, attributes)

    def _within(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in {"table-cell", "covered-table-cell"}:
            count = _count(attributes.get(f"{_TABLE} number-columns-repeated"))
            self._span = (self._cell, self._cell + count - 1)
            self._cell += count
            kind = attributes.get(f"{_OFFICE} value-type", "")
            said = attributes.get(f"{_OFFICE} {'time-value' if kind == 'time' else 'value'}")
            if not kind and f"{_TABLE} formula" in attributes:
                self._marks.unsolved += 1
            if said is not None and kind in {"float", "percentage", "currency", "time"}:
                self._number, self._shown = (kind, said), ""
        elif tag in {"table-row-group", "table-column-group"}:
            self._shut += bool(self._shut) or attributes.get(f"{_TABLE} display") == "false"
        elif tag in {"table-row", "table-column"}:
            what = tag.removeprefix("table-")
            count = _count(attributes.get(f"{_TABLE} number-{what}s-repeated"))
            hidden = self._shut or attributes.get(f"{_TABLE} visibility") in {"collapse", "filter"}
            first = self._row if what == "row" else self._column
            if hidden:
                (self._marks.rows if what == "row" else self._marks.columns).add(first, first + count - 1)
            if what == "row":
                self._rows = (first, first + count - 1)
                self._row += count
                self._cell = 0
            else:
                self._column += count

    def text(self, text: str) -> None:
        if self._reading and len(self._shown) < _SHOWN:
            self._shown += text

    def end(self, name: str) -> None:
        self._reading &= name != _PARAGRAPH
        self._noted &= name != _ANNOTATION
        if self._number is not None and name == f"{_TABLE} table-cell":
            format = of_shown(self._shown, *self._number)
            if format is not None:
                self._marks.formats.add(self._rows, self._span, format)
            self._number = None
        if name == f"{_TABLE} table":
            self._inside -= 1
        elif self._inside == 1 and self._shut and name.endswith(("-row-group", "-column-group")):
            self._shut -= 1


def _count(said: str | None) -> int:
    return int(said) if said and said.isdecimal() and len(said) < 8 else 1


def ods(archive: Archive) -> Sheets:
    """The marks of an OpenDocument spreadsheet. Raises ``DocumentTooComplex``, ``DocumentUnreadable``."""
    tables = _Tables()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = tables.start
    parser.EndElementHandler = tables.end
    parser.CharacterDataHandler = tables.text
    try:
        parser.Parse(archive.read("content.xml"), True)
    except expat.ExpatError as error:
        raise DocumentUnreadable("a part of the office file is not XML") from error
    return tables.found


def _refuse(*_: object) -> NoReturn:
    raise DocumentUnreadable("a part of the office file declares a document type, as no office program does")
