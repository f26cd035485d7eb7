"""XLSX, XLSM, XLSB, XLS and ODS through calamine: visible sheets, rows in blocks, values as text."""

import datetime as dt
import io
from importlib import import_module
from typing import Any

from service.documents import sheet_marks_binary, sheet_marks_xml
from service.documents.archive import Archive
from service.documents.document import Notice, Page
from service.documents.encodings import clean
from service.documents.errors import DocumentEmpty, DocumentEncrypted, DocumentTooComplex, DocumentUnreadable
from service.documents.media import UNLOCK
from service.documents.number_formats import formatted
from service.documents.pages import chosen
from service.documents.parsed import Job, Parsed, check_length
from service.documents.plain import too_many_pages
from service.documents.sheet_marks import SPARSE, Marks, Sheets
from service.documents.tables import BLOCK, rendered
from service.foundation.errors import Fault


def read(data: bytes, job: Job) -> Parsed:
    """Blocks of rows as pages, sheet by sheet.

    Raises ``DocumentUnreadable``, ``DocumentEncrypted``, ``DocumentEmpty``, ``DocumentTooComplex``, ``DocumentTooLong``,
    ``PagesOutOfRange``.
    """
    marks = _marks(data, job)
    calamine: Any = import_module("python_calamine")
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        found = list(_sheets(calamine, book, job, marks))
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
    cells = sum(sheet.cells for sheet in marks.values())
    if cells:
        notices.append(Notice("hidden_text", f"{cells} cells of hidden rows and columns were left out"))
    unshown = sum(sheet.unshown for sheet in marks.values())
    if unshown:
        notices.append(Notice("hidden_text", f"{unshown} cells that show nothing were left out"))
    unsolved = sum(sheet.unsolved for sheet in marks.values())
    if unsolved:
        notices.append(Notice("formula", f"{unsolved} formulas hold no result: their cells are empty"))
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


def _marks(data: bytes, job: Job) -> Sheets:
    """What calamine does not tell. Refuses first what it would lay out until the process ends."""
    if not data.startswith(b"PK"):
        return sheet_marks_binary.xls(data)
    archive = Archive(data, job.limits)
    if "content.xml" in archive.names:
        return sheet_marks_xml.ods(archive)
    if "xl/workbook.bin" in archive.names:
        return sheet_marks_binary.xlsb(archive, job.limits)
    return sheet_marks_xml.xlsx(archive, job.limits)


def _sheets(calamine: Any, book: Any, job: Job, marks: Sheets) -> Any:
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
        _, left = sheet.start or (0, 0)
        last, _ = sheet.end or (0, 0)
        cells += (last + 1) * max(sheet.width, 1)
        if cells > SPARSE * job.limits.max_cells:
            raise DocumentTooComplex("the sheets span too many cells", members={"limit": "max_cells"})
        rows = []
        filled = 0
        about = marks.get(place) or Marks()
        for number, row in enumerate(sheet.iter_rows()):  # all rows, and columns from the first that is used
            if about.formats:
                row = _formatted(about, row, number, left)
            texts = _row(row if not about.folded else _unfolded(about, row, number, left))
            if texts:
                filled += len(texts)
                rows.append(texts)
            if filled > job.limits.max_cells:
                raise DocumentTooComplex(
                    f"the sheets hold more than {job.limits.max_cells} cells", members={"limit": "max_cells"}
                )
        yield name, rows


def _formatted(marks: Marks, row: list[Any], number: int, left: int) -> list[Any]:
    """The row with cells as a reader sees them, where their format changes what is read."""
    cells = list(row)
    for first, last, format in marks.formats.of_row(number):
        for at in range(max(first - left, 0), min(last - left + 1, len(cells))):
            text = formatted(cells[at], format)
            if text is not None:
                marks.unshown += not text and bool(cells[at])
                cells[at] = text
    return cells


def _unfolded(marks: Marks, row: list[Any], number: int, left: int) -> list[Any]:
    """The cells of a row that are not hidden."""
    kept = (
        [] if number in marks.rows else [c for at, c in enumerate(row, start=left) if at not in marks.columns]
    )
    marks.cells += sum(map(bool, map(_shown, row))) - sum(map(bool, map(_shown, kept)))
    return kept


def _row(row: list[Any]) -> tuple[str, ...]:
    """The cells as text without the empty ones at the end; nothing for an empty row."""
    if row.count("") == len(row):  # sheets with a far corner are empty rows by the million
        return ()
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
        # Whole numbers to their last digit: they may be codes. Others in the 15 digits that are no noise.
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(float(f"{cell:.15g}"))
    if isinstance(cell, dt.datetime):
        midnight = cell.time() == dt.time()
        return cell.date().isoformat() if midnight else cell.isoformat(" ")
    if isinstance(cell, dt.timedelta):
        return _duration(cell)
    return str(cell)


def _duration(time: dt.timedelta) -> str:
    """Hours and minutes, and seconds where there are any: days are no part of what a reader sees."""
    seconds = round(abs(time).total_seconds())
    minutes, rest = divmod(seconds, 60)
    sign = "-" if time < dt.timedelta() and seconds else ""
    return f"{sign}{minutes // 60}:{minutes % 60:02}" + (f":{rest:02}" if rest else "")
