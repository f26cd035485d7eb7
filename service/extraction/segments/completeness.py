"""What a long document says about whether its record is complete. Pure.

Four witnesses, none of which needs a language: lines that look exactly like those of the rows and belong to none; sums
of a column that the document prints; running balances that do not go on; printed counts (of these the label has to be
known). A printed sum that agrees outweighs lines that merely look like rows.
"""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.extraction.segments.lines import Line, Lines, is_row, shape_of
from service.extraction.segments.merge import Merged, Row
from service.extraction.segments.places import Spot
from service.extraction.segments.words import Path, leaves, words_of
from service.extraction.validate import Finding

_TYPICAL = 0.04
"""The share of a list's rows that a shape must have for other lines of that shape to be suspected."""

_TAKEN = 0.7
"""The share of the lines of a shape that must be rows: below it, the list is a selection of them."""

_CHAIN = 0.85
"""The share of the rows whose balance must go on for a list to have running balances."""

_LEAST = 5
"""Rows below which a list is not judged."""

_NEAR = 60
"""Lines from a row within which a line can belong to the same table."""

_HIGH = 6
"""Lines of one row at most between whose first and last another cannot stand."""

_LABEL = 80
"""Characters of a line at most that says a count and nothing else."""

_TABLE = 3
"""Lines at least of a table that is none of the list's."""

_COUNT = re.compile(
    r"(?:\b(?:number of|no\. of|count|anzahl|nombre (?:de|d')|n[uú]mero d[eio]|liczba|aantal|antal|počet|lukumäärä|"
    r"quantit[àé] di|количество|число|sayısı|jumlah|số lượng)|件数|笔数|總數|总数|행 수|건수)",
    re.IGNORECASE,
)
_INTEGER = re.compile(r"(?<![\d.,])\d{1,3}(?:[.,’' ]\d{3})+(?![\d.,]*\d)|(?<![\d.,])\d+(?![.,]?\d)")


@dataclass(frozen=True, slots=True)
class _List:
    """All lists at one place of the record, as one: those in rows are pooled, under the pointer of the outer list."""

    pointer: str
    values: list[Any] = field(repr=False)
    rows: list[Row] = field(repr=False)
    nested: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """What a list lacks, as a finding, and the numbers of the lines that may say it; none where nothing tells which."""

    finding: Finding
    lines: frozenset[int] = frozenset()


def doubts(merged: Merged, lines: Lines) -> list[Finding]:
    """What does not add up, per list; nothing for a list that is not known to lack anything."""
    return [gap.finding for gap in gaps(merged, lines)]


def gaps(merged: Merged, lines: Lines) -> list[Gap]:
    """The same, with the lines where what is lacking may stand."""
    claimed = {
        line for rows in merged.rows.values() for row in rows if row.spot for line in _lines_of(row.spot)
    }
    found: list[Gap] = []
    lists = _lists(merged)
    sums = [(one, _columns(one.values)) for one in lists]
    for one, columns in sums:
        if len(one.values) >= _LEAST:
            found += _judge(one, columns, sums, lines, claimed, merged.data)
    return found


def _lines_of(spot: Spot) -> Iterator[int]:
    """The lines of a row: those of its leaves, and what stands between the ones that are surely its own."""
    yield from (line for line, _ in spot.leaves.values())
    sure = sorted({spot.at[0], *(spot.leaves[path][0] for path in spot.sure)})
    if sure[-1] - sure[0] <= _HIGH:
        yield from range(sure[0], sure[-1])


def _judge(
    one: _List,
    columns: "Columns",
    every: "Sequence[tuple[_List, Columns]]",
    lines: Lines,
    claimed: set[int],
    data: Any,
) -> Iterator[Gap]:
    anchors = {row.spot.at[0] for row in one.rows if row.spot is not None}
    printed = _printed(lines, anchors)
    suspects = _suspects(one, lines, claimed, anchors)
    scalars = [0, *(cents for _, value in leaves(data, lists=False) if (cents := _cents(value)) is not None)][
        :20
    ]
    unexplained = [line for line in suspects if not _explained(line, every, suspects, scalars)]
    if unexplained and not _summed(columns, printed, len(one.values)):
        pages = sorted({line.page for line in unexplained})
        yield _gap(
            one,
            "rows",
            f"{len(unexplained)} line(s) on {_pages(pages)} look like rows of this list and are none of its {len(one.values)}.",
            (line.number for line in unexplained),
        )
    rooms = (_room_between(one, place, lines, claimed) for place in _breaks(one, columns))
    breaks = [room for room in rooms if room is not None]
    if breaks:
        yield _gap(
            one,
            "balance",
            f"The running balance does not go on at {len(breaks)} of {len(one.values)} rows: some may be missing.",
            (line for room in breaks for line in room),
        )
    count = _miscounted(one, [len(other.values) for other, _ in every], lines, anchors)
    if count is not None:
        message = f"The document counts {count} where the list has {len(one.values)}."
        yield _gap(one, "count", message, _unclaimed(lines, claimed, anchors))


def _gap(one: _List, what: str, message: str, lines: Iterable[int] = ()) -> Gap:
    return Gap(Finding(one.pointer, f"completeness.{what}", message, "warning"), frozenset(lines))


def _unclaimed(lines: Lines, claimed: set[int], anchors: set[int]) -> Iterator[int]:
    """Lines among the rows that look like rows, of whatever table, and belong to none."""
    first, last = min(anchors, default=0), max(anchors, default=-1)
    for line in lines.all[max(first - _NEAR, 0) : last + _NEAR]:
        if is_row(line.shape) and not line.running and line.number not in claimed:
            yield line.number


def _pages(places: Sequence[int]) -> str:
    shown = ", ".join(str(place + 1) for place in places[:10])
    return f"page(s) {shown}{' and more' if len(places) > 10 else ''}"


def _lists(merged: Merged) -> list[_List]:
    pooled: dict[tuple[str, ...], _List] = {}
    for pointer, rows in merged.rows.items():
        steps = pointer.split("/")[1:]
        values = merged.data
        for step in steps:
            name = step.replace("~1", "/").replace("~0", "~")
            values = values[int(name)] if isinstance(values, list) else values.get(name)
        if not isinstance(values, list) or len(values) != len(rows):
            continue
        nested = any(step.isdigit() for step in steps)
        key = tuple("*" if step.isdigit() else step for step in steps)
        whole = next((place for place, step in enumerate(key) if step == "*"), len(key))
        one = pooled.setdefault(key, _List("".join(f"/{step}" for step in key[:whole]), [], [], nested))
        one.values.extend(values)
        one.rows.extend(rows)
    return list(pooled.values())


# ------------------------------------------------------------------------------------------------ lines like rows


def _suspects(one: _List, lines: Lines, claimed: set[int], anchors: set[int]) -> list[Line]:
    """Lines that look like those of the rows, near them, and are none."""
    shapes = Counter(lines.all[number].shape for number in anchors)
    typical = {
        shape
        for shape, count in shapes.items()
        if count >= max(2, _TYPICAL * len(one.values)) and shape not in ("", "image")
    }
    typical = {shape for shape in typical if is_row(shape) or (shape[0] != "h" and _has_figures(shape))}
    if not typical:
        return []
    found = []
    for line in lines.all:
        if line.shape not in typical or line.running or line.number in claimed:
            continue
        if not (_names_columns(line, lines) or _alone_at_edge(line, lines)):
            found.append(line)
    counts = Counter(line.shape for line in found)
    open_shapes = {shape for shape in typical if shapes[shape] / (shapes[shape] + counts[shape]) < _TAKEN}
    ordered = sorted(anchors)
    first, last = ordered[0], ordered[-1]
    near = [
        line
        for line in found
        if line.shape not in open_shapes and first - _NEAR <= line.number <= last + _NEAR
    ]
    return [line for run in _runs(near, ordered) if not _another_table(run, ordered, lines) for line in run]


def _names_columns(line: Line, lines: Lines) -> bool:
    """Whether a line of cells begins its table and none of its cells is a figure: "Phone 1" is a name."""
    above = lines.all[line.number - 1].shape if line.number else ""
    if not line.shape.startswith("|") or above.startswith("|"):
        return False
    cells = [cell.strip() for cell in line.text.strip("|").split("|")]
    return not any(shape_of(cell)[:1] in {"d", "n"} for cell in cells)


def _alone_at_edge(line: Line, lines: Lines) -> bool:
    """Whether a line is the first or the last of its page, and no row stands beside it: a title or a page's number."""
    everything = lines.all
    for step in (-1, 1):
        number = line.number + step
        while 0 <= number < len(everything) and not everything[number].shape:
            number += step
        if 0 <= number < len(everything) and everything[number].page == line.page:
            continue  # the page goes on there
        inner = line.number - step
        beside = everything[inner] if 0 <= inner < len(everything) else None
        if beside is None or beside.page != line.page or not is_row(beside.shape):
            return True
    return False


def _has_figures(shape: str) -> bool:
    return shape[-1] != "0" or shape[0] in "dn"


def _runs(found: Sequence[Line], anchors: Sequence[int]) -> list[list[Line]]:
    """The suspected lines, together where no row stands between them."""
    runs: dict[int, list[Line]] = defaultdict(list)
    for line in found:
        runs[bisect_left(anchors, line.number)].append(line)
    return list(runs.values())


def _another_table(run: Sequence[Line], anchors: Sequence[int], lines: Lines) -> bool:
    """Whether lines are a table of their own: several, with a heading between them and the rows before, and those after."""
    if len(run) < _TABLE:
        return False
    place = bisect_left(anchors, run[0].number)
    above = lines.all[anchors[place - 1] + 1 if place else 0 : run[0].number]
    below = lines.all[run[-1].number + 1 : anchors[place] if place < len(anchors) else len(lines)]
    return _has_heading(above) and (place == len(anchors) or _has_heading(below))


def _has_heading(between: Sequence[Line]) -> bool:
    """Whether the names of columns, or two lines that are no rows, stand here; not what every page repeats."""
    heads = [line for line in between if line.shape and not line.running and not is_row(line.shape)]
    return len(heads) > 1 or any(line.shape.startswith("h") for line in heads)


def _explained(
    line: Line, every: "Sequence[tuple[_List, Columns]]", suspects: Sequence[Line], scalars: Sequence[int]
) -> bool:
    """Whether a line says a sum so far, of any list, or a number of rows, or the heads of columns: it is no row."""
    if line.shape.endswith("w"):
        return True
    figures = set(words_of(line.text))
    earlier = max((other.number for other in suspects if other.number < line.number), default=-1)
    for one, columns in every:
        before = sum(row.spot is not None and row.spot.at[0] < line.number for row in one.rows)
        if before > 1 and _COUNT.search(line.text) and _digits(len(one.values)) in figures:
            return True
        for values in columns.values():
            since = [
                value or 0
                for row, value in zip(one.rows, values, strict=True)
                if row.spot is not None and earlier < row.spot.at[0] < line.number
            ]
            sums = {sum(value or 0 for value in values[:before]), sum(since) if len(since) > 1 else 0}
            if before > 1 and any(
                _digits(total + scalar) in figures for total in sums for scalar in scalars if total
            ):
                return True
    return False


# ---------------------------------------------------------------------------------------------- sums and balances


Columns = Mapping[Path, Sequence[int | None]]
"""The numbers of a list's columns, in hundredths."""


def _columns(rows: Sequence[Any]) -> Columns:
    """The numbers of each column in hundredths; those of columns that most rows fill."""
    found: dict[Path, list[int | None]] = defaultdict(lambda: [None] * len(rows))
    for number, row in enumerate(rows):
        for path, value in leaves(row, lists=False):
            cents = _cents(value)
            if cents is not None:
                found[path][number] = cents
    return {
        path: values for path, values in found.items() if sum(value is not None for value in values) >= _LEAST
    }


def _cents(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        return None
    return round(value * 100)


def _digits(cents: int) -> str:
    """An amount as its significant digits, as ``words_of`` has them."""
    return str(abs(cents)).strip("0") or "0"


def _printed(lines: Lines, anchors: set[int]) -> Counter[str]:
    """The figures that stand in lines of no row."""
    return Counter(
        word
        for line in lines.all
        if line.number not in anchors and line.text
        for word in words_of(line.text)
        if word[0].isdigit()
    )


def _summed(columns: Columns, printed: Mapping[str, int], rows: int) -> bool:
    """Whether the document prints the sum of a whole column: then no row of it is missing."""
    for values in columns.values():
        known = [value for value in values if value is not None]
        total = sum(known)
        digits = _digits(total)
        if len(known) >= 0.9 * rows and len(digits) >= 4 and digits in printed:
            return True
    return False


def _breaks(one: _List, columns: Columns) -> list[int]:
    """The rows at which a running balance does not follow from the row before, where the list has running balances."""
    if one.nested:
        return []
    best: list[int] | None = None
    for balance, totals in columns.items():
        for amount, amounts in columns.items():
            if amount == balance:
                continue
            for follows in (_after, _before):
                for sign in (1, -1):
                    broken, judged = follows(totals, amounts, sign)
                    good = judged >= _LEAST and len(broken) <= (1 - _CHAIN) * judged
                    if good and (best is None or len(broken) < len(best)):
                        best = broken
    return best or []


def _after(totals: Sequence[int | None], amounts: Sequence[int | None], sign: int) -> tuple[list[int], int]:
    """Oldest row first: each balance is the one before and the amounts since."""
    broken: list[int] = []
    judged, last, since = 0, None, 0
    for place, (total, amount) in enumerate(zip(totals, amounts, strict=True)):
        since += sign * (amount or 0)
        if total is None:
            continue
        if last is not None:
            judged += 1
            if abs(last + since - total) > 1:
                broken.append(place)
        last, since = total, 0
    return broken, judged


def _before(totals: Sequence[int | None], amounts: Sequence[int | None], sign: int) -> tuple[list[int], int]:
    """Newest row first."""
    broken, judged = _after(totals[::-1], amounts[::-1], sign)
    return [len(totals) - place for place in broken], judged


def _room_between(one: _List, place: int, lines: Lines, claimed: set[int]) -> list[int] | None:
    """The lines between a row and the one before that could be a row that is missing; None where there are none.

    Empty where nobody knows where one of them stands.
    """
    if not 0 < place < len(one.rows):
        return None
    before, after = one.rows[place - 1].spot, one.rows[place].spot
    if before is None or after is None:
        return []
    return [
        line.number
        for line in lines.all[before.at[0] + 1 : after.at[0]]
        if line.shape
        and not line.running
        and line.number not in claimed
        and any(sign.isdigit() for sign in line.text)
    ] or None


# ----------------------------------------------------------------------------------------------------- counts


def _miscounted(one: _List, lengths: Sequence[int], lines: Lines, anchors: set[int]) -> int | None:
    """A printed count that is a little more than the number of rows, and not that of another list."""
    if one.nested:
        return None
    rows = len(one.values)
    for line in lines.all:
        text = line.text.strip()
        if line.number in anchors or len(text) > _LABEL or not _COUNT.search(text):
            continue
        counts = [int(re.sub(r"\D", "", match[0])) for match in _INTEGER.finditer(text)]
        if len(counts) == 1 and rows < counts[0] <= 1.25 * rows + 2 and counts[0] not in lengths:
            return counts[0]
    return None
