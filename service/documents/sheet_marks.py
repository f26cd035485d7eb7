"""What calamine does not tell of a workbook: which rows and columns are hidden, and the number formats of cells.

Sheets are told by their place in the workbook, which is the order in which calamine lists them; rows and columns are
counted from 0.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter

from service.documents.errors import DocumentTooComplex
from service.documents.limits import Limits
from service.documents.number_formats import Format

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


class Formats:
    """The formats of a sheet's cells: 20 bytes for each run of a row, or of repeated rows, that has one."""

    def __init__(self) -> None:
        self._numbers: dict[Format, int] = {}
        self._formats: list[Format] = []
        self._runs = array("I")
        """First and last row, first and last column, number of the format; by rows once ``_begins`` is made."""
        self._begins: array[int] | None = None
        self._last: object = None
        """Rows, last column and format of the run that was added last: what follows it makes it longer."""

    def add(self, rows: tuple[int, int], columns: tuple[int, int], format: Format) -> None:
        """Cells from and to these rows and columns have a format. Runs of repeated rows do not overlap."""
        if self._last == (rows, columns[0] - 1, format):
            self._runs[-2] = columns[1]
        elif max(*rows, *columns) < 2**32:
            number = self._numbers.setdefault(format, len(self._numbers))
            if number == len(self._formats):
                self._formats.append(format)
            self._runs.extend((*rows, *columns, number))
            self._begins = None
        self._last = (rows, columns[1], format)

    def of_row(self, row: int) -> Iterator[tuple[int, int, Format]]:
        """(first column, last column, format) of the runs of a row."""
        if self._begins is None:
            self._begins = self._sorted()
        at = bisect_right(self._begins, row) - 1
        if at < 0:
            return
        begin = self._begins[at]
        while at >= 0 and self._begins[at] == begin:
            _, last_row, first, last, number = self._runs[5 * at : 5 * at + 5]
            if row <= last_row:
                yield first, last, self._formats[number]
            at -= 1

    def _sorted(self) -> "array[int]":
        begins = self._runs[::5]
        if any(begins[at] > begins[at + 1] for at in range(len(begins) - 1)):  # files need not keep the order
            runs = sorted(zip(*(self._runs[part::5] for part in range(5)), strict=True))
            self._runs = array("I", [part for run in runs for part in run])
            begins = self._runs[::5]
        return begins

    def __bool__(self) -> bool:
        return bool(self._formats)


@dataclass(slots=True)
class Marks:
    """The hidden rows and columns of a sheet, and its cells' formats."""

    rows: Spans = field(default_factory=Spans)
    columns: Spans = field(default_factory=Spans)
    formats: Formats = field(default_factory=Formats)
    cells: int = 0
    """How many cells with values were left out in hidden rows and columns."""
    unshown: int = 0
    """How many were left out because their format shows nothing."""
    unsolved: int = 0
    """How many formulas have no result in the file: programs that cannot calculate write such ones."""

    @property
    def folded(self) -> bool:
        """Whether any row or column is hidden."""
        return bool(self.rows or self.columns)


Sheets = Mapping[int, Marks]
"""Place of the sheet (from 0) → what is marked in it; sheets without anything may be missing."""


def check_corner(columns: int, rows: int, limits: Limits) -> None:
    """Refuse a sheet whose far corner spans more than can be laid out. Raises ``DocumentTooComplex``."""
    if columns * rows > SPARSE * limits.max_cells:
        raise DocumentTooComplex(
            f"a sheet spans {columns} columns × {rows} rows", members={"limit": "max_cells"}
        )
