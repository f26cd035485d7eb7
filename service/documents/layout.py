"""Words with places → text in reading order in which columns and tables stay aligned. Pure.

Words become lines by their baselines, lines become segments where the gap is wide. Segments are set on a grid of
average characters, as ``pdftotext -layout`` does, so that tables stay tables. Columns of running text are the
exception: side by side they would be torn apart line by line, so they are read one after the other.
"""

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from statistics import median
from typing import NamedTuple


class Piece(NamedTuple):
    """One word, in points from the top left corner. ``vertical``: 0 runs across, 1 down, -1 up, 2 upside down."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    base: float
    vertical: int
    drawn: int = 0
    """What draws it: a key of its looks, 0 where nothing is known."""


_LEFT, _BASE = attrgetter("left"), attrgetter("base")


@dataclass(slots=True)
class _Segment:
    text: str = field(repr=False)
    left: float
    right: float


@dataclass(slots=True)
class _Line:
    base: float
    segments: list[_Segment]


_FEWEST_LINES = 6
"""Lines that a column of running text has at least."""

_FILL = 0.7
"""How much of its column's width a line of running text fills (the median line)."""

_PROSE = 24
"""Characters in a line of running text (the median line); cells of tables are shorter. Wide characters count twice."""

_FEWEST_LETTERS = 8
"""Letters that have to stand on their heads to be taken for text of its own: single digits look the same both ways."""

_MOST_COLUMNS = 4
_WIDEST = 240
"""Characters of a line at most for the grid; beyond, gaps are cut short."""


def arrange(pieces: Sequence[Piece], width: float, height: float) -> str:
    """The text of one page."""
    if not pieces:
        return ""
    heads = sum(len(piece.text) for piece in pieces if piece.vertical == 2)
    level = {0} if heads >= _FEWEST_LETTERS else {0, 2}
    across = [piece for piece in pieces if piece.vertical in level]
    turned = [piece for piece in pieces if piece.vertical not in level]
    if sum(len(piece.text) for piece in turned) > sum(len(piece.text) for piece in across):
        main, side = _turn(turned, width, height), across
    else:
        main, side = across, _turn(turned, width, height)
    blocks = [_page(main)] if main else []
    if side:
        blocks.append(_page(side))
    return "\n\n".join(block for block in blocks if block)


def _turn(pieces: Sequence[Piece], width: float, height: float) -> list[Piece]:
    """Words that run up, down or upside down, laid across."""
    laid = []
    for text, left, top, right, bottom, base, vertical, _ in pieces:
        if vertical == 2:
            laid.append(
                Piece(text, width - right, height - bottom, width - left, height - top, height - base, 0)
            )
        elif vertical > 0:
            laid.append(Piece(text, top, width - right, bottom, width - left, width - left, 0))
        else:
            laid.append(Piece(text, height - bottom, left, height - top, right, right, 0))
    return laid


def _page(pieces: Sequence[Piece]) -> str:
    sizes = [piece.bottom - piece.top for piece in pieces]
    size = median(sizes) or 1.0
    letters = [(piece.right - piece.left) / len(piece.text) for piece in pieces if piece.right > piece.left]
    unit = max(median(letters) if letters else 1.0, 0.5)
    lines = _lines(pieces, size, unit)
    left = min(segment.left for line in lines for segment in line.segments)
    return "\n".join(_rendered(lines, unit, left, depth=0)).strip("\n")


def _lines(pieces: Sequence[Piece], size: float, unit: float) -> list[_Line]:
    tolerance = max(0.35 * size, 0.5)
    rows: list[list[Piece]] = []
    anchor = 0.0
    for piece in sorted(pieces, key=_BASE):
        if rows and piece.base - anchor <= tolerance:
            rows[-1].append(piece)
            anchor += (piece.base - anchor) / len(rows[-1])
        else:
            rows.append([piece])
            anchor = piece.base
    return [_Line(sum(piece.base for piece in row) / len(row), _segments(row, unit)) for row in rows]


def _segments(row: list[Piece], unit: float) -> list[_Segment]:
    """Words of one line, joined while the gaps are those between words."""
    row.sort(key=_LEFT)
    groups: list[list[Piece]] = []
    reach = 0.0
    for piece in row:
        letter = max((piece.right - piece.left) / len(piece.text), unit)
        if groups and piece.left - reach <= 1.6 * letter:
            groups[-1].append(piece)
        else:
            groups.append([piece])
        reach = max(piece.right, reach) if len(groups[-1]) > 1 else piece.right
    return [
        _Segment(_joined(group, unit), group[0].left, max(piece.right for piece in group)) for group in groups
    ]


def _joined(group: list[Piece], unit: float) -> str:
    """The words of a segment with single spaces; scripts that run right to left are read that way."""
    if len(group) == 1:
        return group[0].text
    texts = [piece.text for piece in group]
    if all(map(str.isascii, texts)):
        return " ".join(texts)
    backward = sum(map(_runs_left, texts)) * 2 > len(group)
    ordered = group[::-1] if backward else group
    parts = [ordered[0].text]
    for before, piece in itertools.pairwise(ordered):
        gap = piece.left - before.right if not backward else before.left - piece.right
        touching = gap < 0.12 * unit and (_wide(before.text[-1]) or _wide(piece.text[0]))
        parts.append(piece.text if touching else f" {piece.text}")
    return "".join(parts)


def _runs_left(text: str) -> bool:
    return any("\u0590" <= letter <= "\u08ff" or "\ufb1d" <= letter <= "\ufefc" for letter in text)


def _wide(letter: str) -> bool:
    """East Asian letters, which stand without spaces and two columns wide."""
    return "\u1100" <= letter <= "\u115f" or "\u2e80" <= letter <= "\uffe6"


def _length(text: str) -> int:
    return len(text) if text.isascii() else len(text) + sum(map(_wide, text))


# --------------------------------------------------------------------------------------------- columns


def _rendered(lines: list[_Line], unit: float, left: float, depth: int) -> list[str]:
    band = _columns(lines, unit) if depth < _MOST_COLUMNS else None
    if band is None:
        return _grid(lines, unit, left)
    first, last, gutter = band
    before, inside, after = lines[:first], lines[first:last], lines[last:]
    west, east = _split(inside, gutter)
    edge = min(segment.left for line in east for segment in line.segments)
    parts = [
        _rendered(before, unit, left, depth + 1) if before else [],
        _rendered(west, unit, left, depth + 1),
        _rendered(east, unit, edge, depth + 1),
        _rendered(after, unit, left, depth + 1) if after else [],
    ]
    joined: list[str] = []
    for part in parts:
        if part and joined:
            joined.append("")
        joined.extend(part)
    return joined


def _split(lines: list[_Line], gutter: float) -> tuple[list[_Line], list[_Line]]:
    west, east = [], []
    for line in lines:
        west_side = [segment for segment in line.segments if segment.right <= gutter]
        east_side = [segment for segment in line.segments if segment.right > gutter]
        if west_side:
            west.append(_Line(line.base, west_side))
        if east_side:
            east.append(_Line(line.base, east_side))
    return west, east


def _columns(lines: list[_Line], unit: float) -> tuple[int, int, float] | None:
    """The longest run of lines (first, behind the last) that a gutter splits into columns of running text."""
    if len(lines) < _FEWEST_LINES:
        return None
    left = min(segment.left for line in lines for segment in line.segments)
    right = max(segment.right for line in lines for segment in line.segments)
    beside = sum(segment.left > left + (right - left) * 0.2 for line in lines for segment in line.segments)
    if beside < _FEWEST_LINES:
        return None
    step = max((right - left) / 60, unit)
    gutters = []
    at = left + (right - left) * 0.2
    while at < right - (right - left) * 0.2:
        gutters.append(at)
        at += step
    crossed = [_crossed(line, gutters) for line in lines]
    best: tuple[int, int, float] | None = None
    for place, gutter in enumerate(gutters):
        for first, last in _runs(crossed, 1 << place):
            longer = best is None or last - first > best[1] - best[0]
            if longer and _prose(lines[first:last], gutter):
                best = (first, last, gutter)
    return best


def _crossed(line: _Line, gutters: list[float]) -> int:
    """The gutters that a line's segments cross, a bit each."""
    bits = 0
    for segment in line.segments:
        first, last = bisect_right(gutters, segment.left), bisect_left(gutters, segment.right)
        if first < last:
            bits |= (1 << last) - (1 << first)
    return bits


def _runs(crossed: list[int], gutter: int) -> list[tuple[int, int]]:
    """Runs of lines (first, behind the last) in which nothing crosses the gutter of that bit."""
    runs = []
    first = 0
    for index, bits in enumerate(crossed):
        if bits & gutter:
            if index - first >= _FEWEST_LINES:
                runs.append((first, index))
            first = index + 1
    if len(crossed) - first >= _FEWEST_LINES:
        runs.append((first, len(crossed)))
    return runs


def _prose(lines: list[_Line], gutter: float) -> bool:
    """Whether both sides are columns of running text: one segment a line, long, filling the column."""
    west = east = west_alone = east_alone = 0
    for line in lines:  # nothing crosses the gutter, so the first and last segments tell
        segments = line.segments
        if segments[0].right <= gutter:
            west += 1
            west_alone += len(segments) == 1 or segments[1].right > gutter
        if segments[-1].right > gutter:
            east += 1
            east_alone += len(segments) == 1 or segments[-2].right <= gutter
    if west_alone < max(0.8 * west, _FEWEST_LINES) or east_alone < max(0.8 * east, _FEWEST_LINES):
        return False
    return all(map(_running, _split(lines, gutter)))


def _running(side: list[_Line]) -> bool:
    alone = [line.segments[0] for line in side if len(line.segments) == 1]
    edges = max(segment.right for segment in alone) - min(segment.left for segment in alone)
    if edges <= 0 or median(segment.right - segment.left for segment in alone) < _FILL * edges:
        return False
    return median(_length(segment.text) for segment in alone) >= _PROSE


# --------------------------------------------------------------------------------------------- grid


def _grid(lines: list[_Line], unit: float, left: float) -> list[str]:
    """Lines on a grid of average characters, with an empty line where the page has a gap."""
    steps = [after.base - before.base for before, after in itertools.pairwise(lines)]
    pitch = median(steps) if steps else 0.0
    shown: list[str] = []
    for index, line in enumerate(lines):
        if index and pitch > 0 and steps[index - 1] > 1.7 * pitch:
            shown.append("")
        shown.append(_set(line, unit, left))
    return shown


def _set(line: _Line, unit: float, left: float) -> str:
    text = ""
    width = 0
    for segment in line.segments:
        column = min(round((segment.left - left) / unit), _WIDEST)
        gap = max(column - width, 2 if text else 0)
        text += " " * gap + segment.text
        width += gap + _length(segment.text)
    return text
