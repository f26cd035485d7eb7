"""Places in formats without boxes: the cell of a table, or the paragraph.

Loaders render each row of a table as a line of the page's text, cells set apart by ``|``; finding the line again gives
each cell its span.
"""

from array import array
from bisect import bisect_right

from service.documents import Page


class Cells:
    """One page without words."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._lines: array[int] | None = None
        self._begins = array("I")
        self._places: list[tuple[int, str, int, list[int]]] = []
        """End of the line, the table's name, the row from 1, where each cell begins."""
        text = page.text
        at = 0
        for number, table in enumerate(page.tables, start=1):
            if len(page.tables) == 1:
                name = page.label or ("" if _only_table(page) else "Table 1")
            else:
                name = f"Table {number}" if page.label is None else f"{page.label} table {number}"
            for row, cells in enumerate(table, start=1):
                shown = [" ".join(cell.split()) for cell in cells]
                line = " | ".join(shown).rstrip()
                start = _line(text, line, at)
                if start < 0:
                    continue
                begins, begin = [], start
                for cell in shown:
                    begins.append(begin)
                    begin += len(cell) + 3
                at = start + len(line)
                self._begins.append(start)
                self._places.append((at, name, row, begins))

    def at(self, start: int, end: int) -> str | None:
        """The place of a span of the page's text."""
        found = bisect_right(self._begins, start) - 1
        if found >= 0:
            line_end, name, row, begins = self._places[found]
            if start < line_end:
                first = bisect_right(begins, start) - 1
                last = bisect_right(begins, max(start, min(end, line_end) - 1)) - 1
                cell = (
                    f"{column(first)}{row}" if first == last else f"{column(first)}{row}:{column(last)}{row}"
                )
                return f"{name}!{cell}" if name else cell
        if self._lines is None:
            self._lines = array("I")
            line = 0
            for shown in self._page.text.split("\n"):
                if shown.strip():
                    self._lines.append(line)
                line += len(shown) + 1
        return f"paragraph {bisect_right(self._lines, start)}"


def _only_table(page: Page) -> bool:
    """Whether the page is its table, as in CSV."""
    return page.text.count("\n") + 1 <= len(page.tables[0])


def _line(text: str, line: str, at: int) -> int:
    """Where ``line`` is the whole of a line from ``at`` on."""
    while line:
        at = text.find(line, at)
        if at < 0:
            return -1
        end = at + len(line)
        if (at == 0 or text[at - 1] == "\n") and (end == len(text) or text[end] == "\n"):
            return at
        at = end
    return -1


def column(number: int) -> str:
    """The letters of a column counted from 0: A, …, Z, AA."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
