"""Tables of a text: Markdown, delimited lines, and columns aligned with spaces."""

import csv
import io
import re
from dataclasses import dataclass
from functools import partial

from service.sandbox.reader.lexicon import STEMS
from service.sandbox.reader.page import Cell, Page, clean
from service.sandbox.reader.words import canonical

__all__ = ["Table", "find_tables"]

_KNOWN = frozenset(STEMS.values())
_DELIMITERS = (";", "\t", ",", "|")
_MARKDOWN_RULE = re.compile(r"^\s*\|?\s*:?-{2,}")
_MAX_ROWS = 20_000
_MAX_TABLES = 400
_SUMMARY = frozenset({"subtotal", "total", "net", "gross", "vat", "tax", "balance", "tip", "discount"})


@dataclass(frozen=True, slots=True)
class Table:
    """Column headings and rows of equal width; `line` is where the headings stand."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    line: int
    end: int = 0
    groups: tuple[str | None, ...] = ()
    """The heading inside the table that each row stands under; empty when there are none."""


def find_tables(page: Page) -> list[Table]:
    """Every table, in page order; a line belongs to one table at most."""
    tables: list[Table] = []
    number = 0
    # Where a run of lines with one delimiter turned out to be no table, it is not tried again line by line.
    barred: dict[str, int] = {}
    while number < len(page.lines) and len(tables) < _MAX_TABLES:
        for reader in (_markdown, partial(_delimited, barred=barred), _aligned):
            table, after = reader(page, number)
            if table is not None:
                tables.append(table)
                number = after
                break
        else:
            number += 1
    return tables


def _markdown(page: Page, number: int) -> tuple[Table | None, int]:
    lines = page.lines
    bars = lines[number].count("|")
    if not bars:
        return None, number
    end = number
    while end < len(lines) and lines[end].count("|") == bars and end - number < _MAX_ROWS:
        end += 1
    rows = [
        _split_pipes(line) for line in lines[number:end] if not _MARKDOWN_RULE.match(line.replace("|", "", 1))
    ]
    if len(rows) < 2:
        return None, number
    return _squared(rows, number, end), end


def _split_pipes(line: str) -> list[str]:
    body = line.strip().removeprefix("|").removesuffix("|")
    return [clean(cell.replace("\\|", "|")) for cell in re.split(r"(?<!\\)\|", body)]


def _delimited(page: Page, number: int, barred: dict[str, int]) -> tuple[Table | None, int]:
    line = page.lines[number]
    for mark in _DELIMITERS[:3]:
        if number < barred.get(mark, 0):
            continue
        width = line.count(mark)
        if width < (1 if mark != "," else 2) or (mark == "," and ", " in line):
            continue
        end = number
        while end < len(page.lines) and page.lines[end].count(mark) >= width and end - number < _MAX_ROWS:
            end += 1
        barred[mark] = end
        if end - number < 3:
            continue
        rows = _csv_rows(page.lines[number:end], mark)
        if len(rows) >= 2 and sum(len(row) == len(rows[0]) for row in rows) >= 0.6 * len(rows):
            return _squared(rows, number, end), end
    return None, number


def _csv_rows(lines: list[str], mark: str) -> list[list[str]]:
    try:
        return [
            [cell.strip() for cell in row]
            for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=mark)
        ]
    except csv.Error:
        # a cell beyond the parser's limit: quotes do not matter in such a line
        return [[cell.strip() for cell in line.split(mark)] for line in lines]


def _squared(rows: list[list[str]], line: int, end: int) -> Table:
    width = len(rows[0])
    body = tuple(tuple((row + [""] * width)[:width]) for row in rows[1:])
    return Table(tuple(rows[0]), body, line, end)


def _aligned(page: Page, number: int) -> tuple[Table | None, int]:
    """Columns under headings: each cell goes to the heading it overlaps most, or stands nearest to."""
    headings = _header_cells(page, number)
    if headings is None:
        return None, number
    row_cells, below = headings
    rows: list[list[str]] = []
    groups: list[str | None] = []
    group: str | None = None
    gaps = 0
    end = below
    grouped = _starts_with_heading(page, below)
    while end < len(page.cells) and len(rows) < _MAX_ROWS:
        cells = page.cells[end]
        if end in page.breaks and _repeats(page, end, row_cells):
            break
        if not cells or re.fullmatch(r"[\s\-=_.]+", page.lines[end]):
            gaps += not cells
            if gaps > 2:
                break
            end += 1
            continue
        if not rows and _is_summary(cells) and len(cells) > 1:
            end += 1  # an opening balance comes before the first row
            continue
        if _is_summary(cells) or _header_words(cells) >= max(2, len(cells) - 1):
            break
        row = _assign(cells, row_cells)
        filled = sum(1 for text in row if text)
        if gaps and rows and filled < max(2, (len(row_cells) + 1) // 2):
            break
        if grouped and len(cells) == 1 and cells[0].start <= row_cells[0].end:
            group = cells[0].text
        elif filled <= 1 and rows and len(cells) == 1 and not any(c.isdigit() for c in cells[0].text[-3:]):
            place = next(index for index, text in enumerate(row) if text)
            rows[-1][place] = f"{rows[-1][place]} {row[place]}".strip()
        elif filled >= 2:
            rows.append(row)
            groups.append(group)
        elif gaps:
            break
        gaps = 0
        end += 1
    if not rows:
        return None, number
    kept = tuple(groups) if group is not None else ()
    return Table(tuple(cell.text for cell in row_cells), tuple(map(tuple, rows)), number, end, kept), end


def _repeats(page: Page, line: int, headings: list[Cell]) -> bool:
    """Whether the page that begins here prints the headings again: then the table does too."""
    texts = [cell.text for cell in headings]
    return any([cell.text for cell in cells] == texts for cells in page.cells[line : line + 12])


def _starts_with_heading(page: Page, line: int) -> bool:
    """Whether the first line under the headings is a lone cell at the left: then such lines head groups of rows."""
    for cells in page.cells[line : line + 3]:
        if cells:
            return len(cells) == 1 and not any(character.isdigit() for character in cells[0].text)
    return False


def _header_cells(page: Page, number: int) -> tuple[list[Cell], int] | None:
    cells = page.cells[number]
    if len(cells) < 3 or len(cells) > 25:
        return None
    if any(len(cell.text) > 40 for cell in cells):
        return None
    digits = sum(any(character.isdigit() for character in cell.text) for cell in cells)
    if digits > len(cells) / 4 or _header_words(cells) < max(2, len(cells) * 0.6):
        return None
    if sum(":" in cell.text for cell in cells) > 1:
        return None
    return cells, number + 1


def _header_words(cells: list[Cell]) -> int:
    return sum(
        any(word in _KNOWN for word in canonical(cell.text)) and not _has_amount(cell.text) for cell in cells
    )


def _has_amount(text: str) -> bool:
    return any(character.isdigit() for character in text)


def _is_summary(cells: list[Cell]) -> bool:
    """Whether a line of few cells opens with the name of a sum: the table ends above it."""
    if len(cells) > 4:
        return False
    first = [word for word in canonical(cells[0].text) if word.isalpha()]
    return bool(first) and any(word in _SUMMARY for word in first) and len(first) <= 5 and len(cells) <= 3


def _assign(cells: list[Cell], headings: list[Cell]) -> list[str]:
    row = [""] * len(headings)
    for cell in cells:
        best, best_score = 0, float("-inf")
        for index, heading in enumerate(headings):
            overlap = min(cell.end, heading.end) - max(cell.start, heading.start)
            # right-aligned numbers end where their heading ends
            edge = (
                -abs(cell.end - heading.end) if _has_amount(cell.text) else -abs(cell.start - heading.start)
            )
            score = overlap * 4 + edge * 0.5 if overlap > 0 else overlap * 2 + edge * 0.1
            if score > best_score:
                best, best_score = index, score
        row[best] = f"{row[best]} {cell.text}".strip()
    return row
