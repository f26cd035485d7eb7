"""Hidden rows and columns, and number formats, of XLSB and XLS: bits of binary records ([MS-XLSB] and [MS-XLS])."""

import io
import struct
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from service.documents.archive import Archive
from service.documents.errors import DocumentUnreadable
from service.documents.limits import Limits
from service.documents.number_formats import Format, of_id
from service.documents.sheet_marks import Marks, Sheets, check_corner

# ---------------------------------------------------------------------------------------------------------- XLSB

_ROW_HEADER, _COLUMN_INFO, _BUNDLE = 0, 60, 156
_FORMAT, _STYLE, _STYLES_BEGIN, _STYLES_END = 44, 47, 617, 618
_LAST_CELL = 11
"""Records from 1 to this one are cells; they begin with their column and their style."""


def xlsb(archive: Archive, limits: Limits) -> Sheets:
    """The marks of a binary workbook. Raises ``DocumentTooComplex``, ``DocumentUnreadable``."""
    relations = archive.relations("xl/workbook.bin")
    styles = next((member for kind, member in relations.values() if kind == "styles"), "")
    formats = _xlsb_formats(archive.read(styles))
    marks: dict[int, Marks] = {}
    place = 0
    for kind, at, size, data in _records(archive.read("xl/workbook.bin")):
        if kind != _BUNDLE or size < 12:
            continue
        (length,) = struct.unpack_from("<I", data, at + 8)
        id = data[at + 12 : at + 12 + 2 * min(length, 255)].decode("utf-16-le", "replace")
        member = relations.get(id)
        if member is not None:
            marks[place] = _xlsb_sheet(archive.read(member[1]), formats, limits)
        place += 1
    return marks


def _xlsb_formats(data: bytes) -> Mapping[int, Format]:
    """Style of a cell → its format, where that changes what is read."""
    codes: dict[int, str] = {}
    made = {}
    styles = None
    for kind, at, size, _ in _records(data):
        if kind == _FORMAT and size >= 6:
            id, length = struct.unpack_from("<HI", data, at)
            codes[id] = data[at + 6 : at + min(size, 6 + 2 * length)].decode("utf-16-le", "replace")
        elif kind == _STYLES_BEGIN:
            styles = 0
        elif kind == _STYLES_END:
            styles = None
        elif kind == _STYLE and size >= 4 and styles is not None:
            format = of_id(struct.unpack_from("<H", data, at + 2)[0], codes)
            if format is not None:
                made[styles] = format
            styles += 1
    return made


def _xlsb_sheet(data: bytes, formats: Mapping[int, Format], limits: Limits) -> Marks:
    marks = Marks()
    row = widest = last = 0
    for kind, at, size, _ in _records(data):
        if kind == _ROW_HEADER and size >= 12:
            (row,) = struct.unpack_from("<I", data, at)
            if data[at + 11] & 0x10:
                marks.rows.add(row, row)
        elif 1 <= kind <= _LAST_CELL and size >= 8:
            column, style = struct.unpack_from("<II", data, at)
            widest = max(widest, column + 1)
            last = max(last, row + 1)
            format = formats.get(style & 0xFFFFFF)
            if format is not None:
                marks.formats.add((row, row), (column, column), format)
        elif kind == _COLUMN_INFO and size >= 18:
            first, final = struct.unpack_from("<II", data, at)
            if data[at + 16] & 1:
                marks.columns.add(first, final)
    check_corner(widest, last, limits)
    return marks


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
_FORMAT_8, _XF = 0x41E, 0xE0
_CELLS = frozenset({0x06, 0xFD, 0x203, 0x204, 0x27E})
"""Formulas, shared texts, numbers, texts and packed numbers: they begin with row, column and style."""

_PACKED = 0xBD
"""Packed numbers side by side: row, first column, (style, number) of each, last column."""


def xls(data: bytes) -> Sheets:
    """The marks of a workbook before Excel 2007. Raises ``DocumentUnreadable``."""
    book = _workbook_stream(data)
    starts: list[int] = []
    codes: dict[int, str] = {}
    styles: list[int] = []
    for kind, at, size in _biff(book, 0):
        if kind == _BOUND_SHEET and size >= 6:
            starts.extend(struct.unpack_from("<I", book, at))
        elif kind == _FORMAT_8 and size >= 5:
            id, length, wide = struct.unpack_from("<HHB", book, at)
            said = book[at + 5 : at + min(size, 5 + (length << (wide & 1)))]
            codes[id] = said.decode("utf-16-le" if wide & 1 else "latin-1", "replace")
        elif kind == _XF and size >= 4:
            styles.append(struct.unpack_from("<H", book, at + 2)[0])
    formats = {at: format for at, id in enumerate(styles) if (format := of_id(id, codes)) is not None}
    return {place: _xls_sheet(book, start, formats) for place, start in enumerate(starts)}


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


def _xls_sheet(book: bytes, start: int, formats: Mapping[int, Format]) -> Marks:
    marks = Marks()
    for kind, at, size in _biff(book, start):
        if kind in _CELLS and size >= 6:
            row, column, style = struct.unpack_from("<HHH", book, at)
            if style in formats:
                marks.formats.add((row, row), (column, column), formats[style])
        elif kind == _PACKED and size >= 6:
            row, first = struct.unpack_from("<HH", book, at)
            for column in range((size - 6) // 6):
                (style,) = struct.unpack_from("<H", book, at + 4 + 6 * column)
                if style in formats:
                    marks.formats.add((row, row), (first + column,) * 2, formats[style])
        elif kind == _ROW and size >= 14:
            if book[at + 12] & 0x20:
                (row,) = struct.unpack_from("<H", book, at)
                marks.rows.add(row, row)
        elif kind == _COLINFO and size >= 10 and book[at + 8] & 1:
            first, last = struct.unpack_from("<HH", book, at)
            marks.columns.add(first, last)
    return marks


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
