"""Tables of a web page while it is read: rows of cells, each in its column also where cells reach down from above."""

from collections.abc import Mapping
from dataclasses import dataclass, field

_MOST_COLUMNS, _MOST_ROWS = 1000, 65_534
"""What browsers take of `colspan` and `rowspan`."""

Cell = list[str]
"""The lines of a cell."""

Span = tuple[int, int]
"""Columns and rows that a cell takes."""


def span(attributes: Mapping[str, str | None]) -> Span:
    """What a cell says of its size. No rows at all means: to the end of the table."""
    columns, rows = _number(attributes.get("colspan")), _number(attributes.get("rowspan"))
    return min(columns or 1, _MOST_COLUMNS), _MOST_ROWS if rows == 0 else min(rows or 1, _MOST_ROWS)


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 7 else None


@dataclass(slots=True)
class Grid:
    """A table under construction. Where a cell from above reaches into a row, None stands in it."""

    rows: list[list[Cell | None]] = field(default_factory=list)
    nested: bool = False
    """Whether a table lies inside of it."""
    spans: list[Span] = field(default_factory=list)
    """Those of the cells that are open."""
    _column: int = 0
    _covered: dict[int, int] = field(default_factory=dict)
    _coming: dict[int, int] = field(default_factory=dict)
    """Column → rows that a cell from above still takes: in this row and on, and from the next one on."""

    def next_row(self) -> None:
        """Begin a row."""
        self.rows.append([])
        self._column = 0
        still = {column: left - 1 for column, left in self._covered.items() if left > 1}
        self._covered, self._coming = still | self._coming, {}

    def add(self, cell: Cell) -> int:
        """Put a cell behind those of its row and those that reach into it; how many places that took."""
        if not self.rows:
            self.next_row()
        columns, rows = self.spans.pop() if self.spans else (1, 1)
        row = self.rows[-1]
        before = len(row)
        while self._column in self._covered:
            row.append(None)
            self._column += 1
        row.append(cell)
        if rows > 1:
            self._coming |= dict.fromkeys(range(self._column, self._column + columns), rows - 1)
        self._column += columns
        return len(row) - before
