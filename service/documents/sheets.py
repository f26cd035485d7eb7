"""XLSX, XLSM, XLSB, XLS and ODS through calamine: visible sheets, rows in blocks, values as text."""

import datetime as dt
import io
import re
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from service.documents.archive import Archive, local, value
from service.documents.document import Notice, Page
from service.documents.encodings import clean
from service.documents.errors import DocumentEmpty, DocumentEncrypted, DocumentTooComplex, DocumentUnreadable
from service.documents.media import UNLOCK
from service.documents.pages import chosen
from service.documents.parsed import Job, Parsed, check_length
from service.documents.plain import too_many_pages
from service.documents.tables import BLOCK, rendered
from service.foundation.errors import Fault

_CELL = re.compile(rb"<(?:[a-z]+:)?c\b[^<>]{0,200}?\sr=\"([A-Z]{1,3})([0-9]{1,7})\"")
_ROW_OR_COLUMN = re.compile(rb"<(?:[a-z]+:)?(row|col)\b([^<>]{1,500})>")
_ATTRIBUTE = re.compile(rb"\b(r|min|max|hidden)=\"([0-9]{1,7}|true)\"")
_MOST_COLUMNS = 16_384

_SPARSE = 50
"""Grid positions for each cell that may be read: the library lays out the whole grid before it can be looked at."""


def read(data: bytes, job: Job) -> Parsed:
    """Blocks of rows as pages, sheet by sheet.

    Raises ``DocumentUnreadable``, ``DocumentEncrypted``, ``DocumentEmpty``, ``DocumentTooComplex``, ``DocumentTooLong``,
    ``PagesOutOfRange``.
    """
    folded = _checked(Archive(data, job.limits), job) if data.startswith(b"PK") else {}
    calamine: Any = import_module("python_calamine")
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        found = list(_sheets(calamine, book, job, folded))
    except calamine.PasswordError as error:
        raise DocumentEncrypted(
            "the workbook is encrypted: remove its password and send it again", errors=[Fault("", UNLOCK)]
        ) from error
    except (calamine.CalamineError, calamine.ZipError, calamine.XmlError) as error:
        raise DocumentUnreadable("the workbook is damaged") from error
    notices = []
    hidden = sum(rows is None for _, rows in found)
    if hidden:
        notices.append(Notice("hidden_text", f"{hidden} hidden sheets were left out"))
    cells = sum(fold.cells for fold in folded.values())
    if cells:
        notices.append(Notice("hidden_text", f"{cells} cells of hidden rows and columns were left out"))
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


@dataclass(slots=True)
class _Folded:
    """The rows and columns of a sheet that are hidden (from 0), and how many cells with values were left out."""

    rows: set[int] = field(default_factory=set)
    columns: set[int] = field(default_factory=set)
    cells: int = 0


def _checked(archive: Archive, job: Job) -> dict[str, _Folded]:
    """What is hidden in each sheet, by its name. Refuses sheets whose far corner spans more than can be laid out.

    Without this, calamine ends the process; and of hidden rows it knows nothing.
    """
    names = _sheet_names(archive)
    folded: dict[str, _Folded] = {}
    for member in archive.names:
        if not member.startswith("xl/worksheets/") or not member.endswith(".xml"):
            continue
        data = archive.read(member)
        columns, last = {b"A"}, 1
        for match in _CELL.finditer(data):
            columns.add(match[1])
            last = max(last, int(match[2]))
        widest = max(_column(letters) for letters in columns)
        if widest * last > _SPARSE * job.limits.max_cells:
            raise DocumentTooComplex(
                f"a sheet spans {widest} columns × {last} rows", members={"limit": "max_cells"}
            )
        if b"hidden=" in data and member in names:
            folded[names[member]] = _fold(data)
    return folded


def _sheet_names(archive: Archive) -> dict[str, str]:
    """Member → name of the sheet."""
    main = "xl/workbook.xml"
    root, relations = archive.xml(main), archive.relations(main)
    found: dict[str, str] = {}
    for sheet in [] if root is None else root.iter():
        place = relations.get(value(sheet, "id") or "") if local(sheet) == "sheet" else None
        if place is not None:
            found[place[1]] = sheet.get("name", "")
    return found


def _fold(data: bytes) -> _Folded:
    folded = _Folded()
    for tag in _ROW_OR_COLUMN.finditer(data):
        marks = dict(_ATTRIBUTE.findall(tag[2]))
        if marks.get(b"hidden") not in {b"1", b"true"}:
            continue
        if tag[1] == b"row":
            folded.rows.add(int(marks.get(b"r", b"0")) - 1)
        else:
            first, last = int(marks.get(b"min", b"1")), int(marks.get(b"max", b"0"))
            folded.columns.update(range(first - 1, min(last, _MOST_COLUMNS)))
    return folded


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _sheets(calamine: Any, book: Any, job: Job, folded: dict[str, _Folded]) -> Any:
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
        fold = folded.get(about.name)
        top, left = sheet.start or (0, 0)
        for number, row in enumerate(sheet.iter_rows(), start=top):
            texts = _row(row if fold is None else _unfolded(fold, row, number, left))
            if texts:
                filled += len(texts)
                rows.append(texts)
            if filled > job.limits.max_cells:
                raise DocumentTooComplex(
                    f"the sheets hold more than {job.limits.max_cells} cells", members={"limit": "max_cells"}
                )
        yield name, rows


def _unfolded(fold: _Folded, row: list[Any], number: int, left: int) -> list[Any]:
    """The cells of a row that are not hidden."""
    kept = (
        [] if number in fold.rows else [c for at, c in enumerate(row, start=left) if at not in fold.columns]
    )
    fold.cells += sum(map(bool, map(_shown, row))) - sum(map(bool, map(_shown, kept)))
    return kept


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
