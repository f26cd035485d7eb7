"""XLSX, XLSM, XLSB, XLS and ODS through calamine: visible sheets, rows in blocks, values as text."""

import datetime as dt
import io
import re
from importlib import import_module
from typing import Any

from service.documents.archive import Archive
from service.documents.document import Notice, Page
from service.documents.encodings import clean
from service.documents.errors import DocumentEmpty, DocumentEncrypted, DocumentTooComplex, DocumentUnreadable
from service.documents.pages import chosen
from service.documents.parsed import Job, Parsed, check_length
from service.documents.plain import too_many_pages
from service.documents.tables import BLOCK, rendered

_CELL = re.compile(rb"<(?:[a-z]+:)?c\b[^<>]{0,200}?\sr=\"([A-Z]{1,3})([0-9]{1,7})\"")
_SPARSE = 50
"""Grid positions for each cell that may be read: the library lays out the whole grid before it can be looked at."""


def read(data: bytes, job: Job) -> Parsed:
    """Blocks of rows as pages, sheet by sheet.

    Raises ``DocumentUnreadable``, ``DocumentEncrypted``, ``DocumentEmpty``, ``DocumentTooComplex``, ``DocumentTooLong``,
    ``PagesOutOfRange``.
    """
    if data.startswith(b"PK"):
        _check_grid(Archive(data, job.limits), job)
    calamine: Any = import_module("python_calamine")
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        found = list(_sheets(calamine, book, job))
    except calamine.PasswordError as error:
        raise DocumentEncrypted("the workbook is encrypted: remove its password and send it again") from error
    except (calamine.CalamineError, calamine.ZipError, calamine.XmlError) as error:
        raise DocumentUnreadable("the workbook is damaged") from error
    notices = []
    hidden = sum(rows is None for _, rows in found)
    if hidden:
        notices.append(Notice("hidden_text", f"{hidden} hidden sheets were left out"))
    shown = [(name, rows) for name, rows in found if rows]
    if not shown:
        raise DocumentEmpty("the workbook has no visible sheet with values")
    blocks = [
        (name, tuple(rows[start : start + BLOCK]))
        for name, rows in shown
        for start in range(0, len(rows), BLOCK)
    ]
    numbers = chosen(len(blocks), job.pages)
    if len(numbers) > job.limits.max_pages:
        raise too_many_pages(len(numbers), job)
    pages = []
    characters = 0
    for number in numbers:
        name, rows = blocks[number - 1]
        text = rendered(rows)
        if len(shown) > 1:
            text = f"[Sheet: {name}]\n{text}"
        characters += len(text)
        check_length(characters, job.limits)
        pages.append(Page(number=number, text=text, tables=(rows,), label=name))
    return Parsed(tuple(pages), tuple(notices))


def _check_grid(archive: Archive, job: Job) -> None:
    """Refuse sheets whose far corner spans more than can be laid out. Without this, calamine ends the process."""
    for name in archive.names:
        if not name.startswith("xl/worksheets/") or not name.endswith(".xml"):
            continue
        columns, last = {b"A"}, 1
        for match in _CELL.finditer(archive.read(name)):
            columns.add(match[1])
            last = max(last, int(match[2]))
        widest = max(_column(letters) for letters in columns)
        if widest * last > _SPARSE * job.limits.max_cells:
            raise DocumentTooComplex(
                f"a sheet spans {widest} columns × {last} rows", members={"limit": "max_cells"}
            )


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _sheets(calamine: Any, book: Any, job: Job) -> Any:
    """(name, rows) of every sheet in order; None in place of the rows of a hidden sheet."""
    cells = 0
    for place, about in enumerate(book.sheets_metadata):
        if about.typ != calamine.SheetTypeEnum.WorkSheet:
            continue
        name = " ".join(clean(about.name)[0].split())
        if about.visible != calamine.SheetVisibleEnum.Visible:
            yield name, None
            continue
        sheet = book.get_sheet_by_index(place)
        cells += sheet.height * sheet.width
        if cells > _SPARSE * job.limits.max_cells:
            raise DocumentTooComplex("the sheets span too many cells", members={"limit": "max_cells"})
        rows = []
        filled = 0
        for row in sheet.iter_rows():
            texts = _row(row)
            if texts:
                filled += len(texts)
                rows.append(texts)
            if filled > job.limits.max_cells:
                raise DocumentTooComplex(
                    f"the sheets hold more than {job.limits.max_cells} cells", members={"limit": "max_cells"}
                )
        yield name, rows


def _row(row: list[Any]) -> tuple[str, ...]:
    """The cells as text without the empty ones at the end; nothing for an empty row."""
    texts = [_shown(cell) for cell in row]
    while texts and not texts[-1]:
        texts.pop()
    return tuple(texts)


def _shown(cell: Any) -> str:
    if isinstance(cell, str):
        return clean(cell)[0] if cell else ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        midnight = cell.time() == dt.time()
        return cell.date().isoformat() if midnight else cell.isoformat(" ")
    return str(cell)
