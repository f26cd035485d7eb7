"""Which rows and columns of a workbook are hidden: calamine tells values and hidden sheets, and of these nothing.

Each format says it in its own way: XLSX and ODS as attributes, XLSB and XLS as bits of binary records ([MS-XLSB] and
[MS-XLS]). Sheets are told by their place in the workbook, which is the order in which calamine lists them.
"""

import io
import re
import struct
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from operator import itemgetter
from typing import Any
from xml.parsers import expat

from service.documents.archive import Archive, local, value
from service.documents.errors import DocumentTooComplex, DocumentUnreadable
from service.documents.limits import Limits

SPARSE = 50
"""Grid positions for each cell that may be read: calamine lays out the whole grid before it can be looked at."""


@dataclass(slots=True)
class Spans:
    """A set of numbers from 0, kept as ranges: a repeated row of ODS may stand for a million."""

    _added: list[tuple[int, int]] = field(default_factory=list)
    _merged: list[tuple[int, int]] = field(default_factory=list)

    def add(self, first: int, last: int) -> None:
        """Put ``first`` to ``last`` into the set."""
        if self._added and self._added[-1][1] + 1 == first <= last:
            self._added[-1] = (self._added[-1][0], last)
        elif first <= last:
            self._added.append((first, last))
        self._merged = []

    def __contains__(self, number: int) -> bool:
        if not self._merged and self._added:
            for first, last in sorted(self._added):
                if self._merged and first <= self._merged[-1][1] + 1:
                    self._merged[-1] = (self._merged[-1][0], max(self._merged[-1][1], last))
                else:
                    self._merged.append((first, last))
        at = bisect_right(self._merged, number, key=itemgetter(0)) - 1
        return at >= 0 and number <= self._merged[at][1]

    def __bool__(self) -> bool:
        return bool(self._added)


@dataclass(slots=True)
class Folded:
    """The rows and columns of a sheet that are hidden (from 0), and how many cells with values were left out."""

    rows: Spans = field(default_factory=Spans)
    columns: Spans = field(default_factory=Spans)
    cells: int = 0

    def __bool__(self) -> bool:
        return bool(self.rows or self.columns)


Sheets = Mapping[int, Folded]
"""Place of the sheet (from 0) → what is hidden in it; sheets without anything hidden may be missing."""


def hidden_in(data: bytes, limits: Limits) -> Sheets:
    """What is hidden in each sheet of a workbook of any format.

    Refuses sheets whose far corner spans more than can be laid out: calamine would end the process. Raises
    ``DocumentTooComplex``, ``DocumentUnreadable``.
    """
    if not data.startswith(b"PK"):
        return _xls(data)
    archive = Archive(data, limits)
    if "content.xml" in archive.names:
        return _ods(archive)
    return _xlsb(archive, limits) if "xl/workbook.bin" in archive.names else _xlsx(archive, limits)


def _check_corner(columns: int, rows: int, limits: Limits) -> None:
    if columns * rows > SPARSE * limits.max_cells:
        raise DocumentTooComplex(
            f"a sheet spans {columns} columns × {rows} rows", members={"limit": "max_cells"}
        )


# ---------------------------------------------------------------------------------------------------------- XLSX

_CELL = re.compile(rb"<(?:[a-z]+:)?c\b[^<>]{0,200}?\sr=\"([A-Z]{1,3})([0-9]{1,7})\"")
_ROW_OR_COLUMN = re.compile(rb"<(?:[a-z]+:)?(row|col)\b([^<>]{0,500})>")
_ATTRIBUTE = re.compile(rb"\b(r|min|max|hidden)=\"([0-9]{1,7}|true)\"")


def _xlsx(archive: Archive, limits: Limits) -> Sheets:
    places = _xlsx_places(archive)
    folded: dict[int, Folded] = {}
    for member in archive.names:
        if not member.startswith("xl/worksheets/") or not member.endswith(".xml"):
            continue
        data = archive.read(member)
        columns, last = {b"A"}, 1
        for match in _CELL.finditer(data):
            columns.add(match[1])
            last = max(last, int(match[2]))
        _check_corner(max(_column(letters) for letters in columns), last, limits)
        if b"hidden=" in data and member in places:
            folded[places[member]] = _xlsx_sheet(data)
    return folded


def _xlsx_places(archive: Archive) -> dict[str, int]:
    """Member → place of the sheet."""
    main = "xl/workbook.xml"
    root, relations = archive.xml(main), archive.relations(main)
    listed = [] if root is None else [sheet for sheet in root.iter() if local(sheet) == "sheet"]
    found: dict[str, int] = {}
    for at, sheet in enumerate(listed):
        place = relations.get(value(sheet, "id") or "")
        if place is not None:
            found[place[1]] = at
    return found


def _xlsx_sheet(data: bytes) -> Folded:
    folded = Folded()
    row = -1
    for tag in _ROW_OR_COLUMN.finditer(data):
        marks = dict(_ATTRIBUTE.findall(tag[2]))
        hidden = marks.get(b"hidden") in {b"1", b"true"}
        if tag[1] == b"row":
            row = int(marks[b"r"]) - 1 if b"r" in marks else row + 1
            if hidden:
                folded.rows.add(row, row)
        elif hidden:
            folded.columns.add(int(marks.get(b"min", b"1")) - 1, int(marks.get(b"max", b"0")) - 1)
    return folded


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


# ---------------------------------------------------------------------------------------------------------- ODS

_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
_MARKS = (b"collapse", b"filter", b"display")


class _OdsTables:
    """Follows the tables of ``content.xml``: counts rows and columns, and notes those that are not shown.

    They say so themselves (``visibility``), or a group that they lie in does (``display``).
    """

    def __init__(self) -> None:
        self.found: dict[int, Folded] = {}
        self._place = -1
        self._inside = 0
        self._row = self._column = 0
        self._shut = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, tag = name.partition(" ")
        if space != _TABLE:
            return
        if tag == "table":
            self._inside += 1
            if self._inside == 1:
                self._place += 1
                self._row = self._column = self._shut = 0
        elif self._inside == 1:
            self._within(tag, attributes)

    def _within(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in {"table-row-group", "table-column-group"}:
            self._shut += bool(self._shut) or attributes.get(f"{_TABLE} display") == "false"
        elif tag in {"table-row", "table-column"}:
            what = tag.removeprefix("table-")
            said = attributes.get(f"{_TABLE} number-{what}s-repeated", "1")
            count = int(said) if said.isdecimal() and len(said) < 8 else 1
            hidden = self._shut or attributes.get(f"{_TABLE} visibility") in {"collapse", "filter"}
            first = self._row if what == "row" else self._column
            if hidden:
                folded = self.found.setdefault(self._place, Folded())
                (folded.rows if what == "row" else folded.columns).add(first, first + count - 1)
            if what == "row":
                self._row += count
            else:
                self._column += count

    def end(self, name: str) -> None:
        if name == f"{_TABLE} table":
            self._inside -= 1
        elif self._inside == 1 and self._shut and name.endswith(("-row-group", "-column-group")):
            self._shut -= 1


def _ods(archive: Archive) -> Sheets:
    data = archive.read("content.xml")
    if not any(mark in data for mark in _MARKS):
        return {}
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise DocumentUnreadable(
            "a part of the office file declares a document type, as no office program does"
        )
    tables = _OdsTables()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = tables.start
    parser.EndElementHandler = tables.end
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise DocumentUnreadable("a part of the office file is not XML") from error
    return tables.found


# ---------------------------------------------------------------------------------------------------------- XLSB

_ROW_HEADER, _COLUMN_INFO, _BUNDLE = 0, 60, 156
_LAST_CELL = 11
"""Records from 1 to this one are cells; they begin with their column."""


def _xlsb(archive: Archive, limits: Limits) -> Sheets:
    relations = archive.relations("xl/workbook.bin")
    folded: dict[int, Folded] = {}
    place = 0
    for kind, at, size, data in _records(archive.read("xl/workbook.bin")):
        if kind != _BUNDLE or size < 12:
            continue
        (length,) = struct.unpack_from("<I", data, at + 8)
        id = data[at + 12 : at + 12 + 2 * min(length, 255)].decode("utf-16-le", "replace")
        member = relations.get(id)
        if member is not None:
            folded[place] = _xlsb_sheet(archive.read(member[1]), limits)
        place += 1
    return folded


def _xlsb_sheet(data: bytes, limits: Limits) -> Folded:
    folded = Folded()
    row = widest = last = 0
    for kind, at, size, _ in _records(data):
        if kind == _ROW_HEADER and size >= 12:
            (row,) = struct.unpack_from("<I", data, at)
            if data[at + 11] & 0x10:
                folded.rows.add(row, row)
        elif 1 <= kind <= _LAST_CELL and size >= 4:
            widest = max(widest, struct.unpack_from("<I", data, at)[0] + 1)
            last = max(last, row + 1)
        elif kind == _COLUMN_INFO and size >= 18:
            first, final = struct.unpack_from("<II", data, at)
            if data[at + 16] & 1:
                folded.columns.add(first, final)
    _check_corner(widest, last, limits)
    return folded


def _records(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """(kind, where its content begins, its length, ``data``) of each record; ends where one is cut off."""
    at, end = 0, len(data)
    try:
        while at < end:
            kind = data[at]
            at += 1
            if kind & 0x80:
                kind = (kind & 0x7F) | (data[at] & 0x7F) << 7
                at += 1
            size = shift = 0
            while shift < 28:
                byte = data[at]
                at += 1
                size |= (byte & 0x7F) << shift
                shift += 7
                if not byte & 0x80:
                    break
            if at + size > end:
                return
            yield kind, at, size, data
            at += size
    except IndexError:
        return


# ---------------------------------------------------------------------------------------------------------- XLS

_BOUND_SHEET, _COLINFO, _ROW, _BOF, _EOF = 0x85, 0x7D, 0x208, 0x809, 0x0A


def _xls(data: bytes) -> Sheets:
    book = _workbook_stream(data)
    folded: dict[int, Folded] = {}
    place = 0
    for kind, at, size in _biff(book, 0):
        if kind == _BOUND_SHEET and size >= 6:
            (start,) = struct.unpack_from("<I", book, at)
            folded[place] = _xls_sheet(book, start)
            place += 1
    return folded


def _workbook_stream(data: bytes) -> bytes:
    """The stream in which the sheets lie; the bytes themselves where they are not wrapped, as before Excel 5."""
    if not data.startswith(b"\xd0\xcf\x11\xe0"):
        return data
    olefile: Any = import_module("olefile")  # it has no types; only XLS needs it here
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as files:
            for name in ("Workbook", "Book"):
                if files.exists(name):
                    stream: Any = files.openstream(name)
                    return bytes(stream.read())
    except (OSError, ValueError, IndexError, struct.error) as error:
        raise DocumentUnreadable("the workbook is damaged") from error
    return b""


def _xls_sheet(book: bytes, start: int) -> Folded:
    folded = Folded()
    for kind, at, size in _biff(book, start):
        if kind == _ROW and size >= 14:
            if book[at + 12] & 0x20:
                (row,) = struct.unpack_from("<H", book, at)
                folded.rows.add(row, row)
        elif kind == _COLINFO and size >= 10 and book[at + 8] & 1:
            first, last = struct.unpack_from("<HH", book, at)
            folded.columns.add(first, last)
    return folded


def _biff(book: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """(kind, where its content begins, its length) of each record to the end of the substream, or where it is cut off."""
    header = struct.Struct("<HH")
    end = len(book)
    depth = 0
    while at + 4 <= end:
        kind, size = header.unpack_from(book, at)
        at += 4
        if at + size > end:
            return
        if kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1  # charts lie inside sheets, with a beginning and an end of their own
            if depth <= 0:
                return
        if depth == 1:
            yield kind, at, size
        at += size
