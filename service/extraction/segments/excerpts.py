"""Cutting a long document into excerpts: where to cut, and what of the rest each excerpt must show. Pure.

Cuts fall between rows wherever rows can be told, at the border of a page where that is one. What an excerpt needs to
be understood is shown before it (heads of tables, titles, the lines above), and the end of a row that it begins is
shown after it; both are marked, and cost at most a tenth of it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from service.catalogue import text_tokens_about
from service.extraction.segments.lines import Line, Lines, is_row

_GAP = re.compile(r"\s{2,}|\t")

_ENDS = (".", "!", "?", "。")

IMAGE_TOKENS = 1500
"""What a page that is shown as an image weighs beside text."""

_SHARE = 0.09
"""The part of an excerpt's weight that what is shown around it may have."""

_LEAST = 60
"""Tokens that may be shown around any excerpt, however short it is."""

_SLACK = 0.2
"""How far from the aimed-at size a better place to cut is looked for."""

_HEAD = 8
"""Lines of the document's head that are shown again."""

_BACK = 400
"""Lines that are looked through backwards for heads and titles."""

_TAIL = 12
"""Lines after an excerpt among which the end of its last row is looked for."""

_HIGH = 4
"""Lines of one row at most between its first and one that goes on it."""

_BLANKS = 2
"""Blank lines after rows within sight of a line, from which on these part the rows there."""

_ROWS = 3
"""Rows around the beginning of an excerpt from which on it begins within a table."""

_SHAPES = 4
"""Lines of different shapes that are shown from before an excerpt."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines that are read together.

    ``first`` to before ``last`` is its own part of the document, which no other excerpt shares; ``context`` are lines
    shown before it, ``tail`` is the end of the lines shown after it.
    """

    first: int
    last: int
    context: tuple[int, ...] = ()
    tail: int = 0

    @property
    def end(self) -> int:
        """The first line that is not shown."""
        return max(self.last, self.tail)


def weight(line: Line) -> float:
    """About how many tokens a line is."""
    if line.image:
        return IMAGE_TOKENS + len(line.text) / 4
    return text_tokens_about(line.text) + 1


def cut(lines: Lines, *, tokens: float, rows: int, pages: int, images: int = 4) -> tuple[Excerpt, ...]:
    """Excerpts of about ``tokens`` each; together they hold every line once.

    They have at most ``rows`` lines that look like rows, from at most ``pages`` pages, of which at most ``images`` are
    shown as images.
    """
    everything = lines.all
    borders = [0]
    start = 0
    while start < len(everything):
        end = _fill(everything, start, tokens, rows, pages, images)
        if end < len(everything):
            end = _better(everything, start, end)
        borders.append(end)
        start = end
    if len(borders) > 2 and _total(everything[borders[-2] :]) < 0.25 * tokens:
        size = _total(everything[borders[-3] :])
        pictures = sum(line.image for line in everything[borders[-3] :])
        if size <= tokens * (1 + _SLACK) and pictures <= images:
            del borders[-2]
    return tuple(surrounded(lines, first, last) for first, last in pairwise(borders))


def halves(lines: Lines, excerpt: Excerpt) -> tuple[Excerpt, Excerpt] | None:
    """Two excerpts in place of one; None when it cannot be cut."""
    own = lines.all[excerpt.first : excerpt.last]
    if len(own) < 2:
        return None
    half = _total(own) / 2
    size = 0.0
    middle = 1
    for place, line in enumerate(own[:-1], start=1):
        size += weight(line)
        middle = place
        if size >= half:
            break
    middle = _better(lines.all, excerpt.first, excerpt.first + middle)
    return surrounded(lines, excerpt.first, middle), surrounded(lines, middle, excerpt.last)


def surrounded(lines: Lines, first: int, last: int) -> Excerpt:
    """An excerpt with what must be shown around it."""
    everything = lines.all
    if first == 0 and last >= len(everything):
        return Excerpt(first, last, tail=last)
    room = max(_SHARE * _total(everything[first:last]), _LEAST)
    before = _before(everything, first)
    context = []
    for number in before[:1] if before and _is_head(everything, before[0], first) else ():
        room -= weight(everything[number])
        context.append(number)
    tail = last
    for number in range(last, _row_end(everything, first, last)):
        if weight(everything[number]) > room:
            break
        room -= weight(everything[number])
        tail = number + 1
    for number in before:
        if number not in context and weight(everything[number]) <= room:
            room -= weight(everything[number])
            context.append(number)
    return Excerpt(first, last, tuple(sorted(context)), tail)


def _is_head(lines: Sequence[Line], number: int, first: int) -> bool:
    """Whether a line names the columns of the table that is cut before ``first``: without it no row can be read."""
    following = _next(lines, first)
    return (
        following is not None
        and is_row(lines[following].shape)
        and lines[number].shape.startswith(("h", "|"))
    )


def _total(lines: Sequence[Line]) -> float:
    return sum(weight(line) for line in lines)


def _fill(lines: Sequence[Line], start: int, tokens: float, rows: int, pages: int, images: int) -> int:
    """The end of the longest excerpt from ``start`` that keeps to the bounds; it holds at least one line."""
    size = 0.0
    seen = pictures = 0
    for number in range(start, len(lines)):
        line = lines[number]
        size += weight(line)
        seen += is_row(line.shape) and not line.running
        pictures += line.image
        too_much = size > tokens or seen > rows or pictures > images or line.page - lines[start].page >= pages
        if too_much and number > start:
            return number
    return len(lines)


def _better(lines: Sequence[Line], start: int, end: int) -> int:
    """The best place to cut near ``end``, not after it: the border of a page, of a row, of a paragraph."""
    if lines[end - 1].image or lines[end].image:
        return end
    least = max(start + 1, end - max(int((end - start) * _SLACK), min((end - start) // 3, _TAIL)))
    best, place = -1.0, end
    for number in range(end, least - 1, -1):
        if number >= len(lines):
            continue
        worth = _worth(lines, number) - 0.5 * (end - number) / max(end - least, 1)
        if worth > best:
            best, place = worth, number
    return _above_head(lines, max(start + (end - start) // 2, start + 1), place)


def _above_head(lines: Sequence[Line], least: int, place: int) -> int:
    """The place above a table's head where a cut would part that from its rows, or fall within it; else the same."""
    if place >= len(lines) or lines[place].page != lines[place - 1].page:
        return place
    row = next((n for n in range(place, min(place + _HIGH, len(lines))) if is_row(lines[n].shape)), None)
    if row is None:
        return place
    top = place
    while (
        top > max(least, place - _HEAD)
        and _heads(lines[top - 1])
        and lines[top - 1].page == lines[place].page
    ):
        top -= 1
    block = lines[top:row]
    return top if all(map(_heads, block)) and any(line.shape.startswith("h") for line in block) else place


def _heads(line: Line) -> bool:
    return bool(line.shape) and not line.image and not is_row(line.shape)


def _worth(lines: Sequence[Line], number: int) -> float:
    """How good it is to cut before this line."""
    line, before = lines[number], lines[number - 1]
    if line.image or before.image:
        return 4.0
    following = _next(lines, number)
    begins = following is not None and _begins(lines, following)
    if line.page != before.page:
        return 3.5 if begins else 1.0
    if not line.shape:
        return 0.0
    if begins:
        return 3.0
    if not before.shape:
        return 2.0
    return 0.5 if before.text.rstrip().endswith((*_ENDS, ":", ";")) else 0.0


def _next(lines: Sequence[Line], number: int) -> int | None:
    """The next line that is neither blank nor running."""
    for place in range(number, min(number + _TAIL, len(lines))):
        if lines[place].shape and not lines[place].running:
            return place
    return None


def _begins(lines: Sequence[Line], number: int) -> bool:
    """Whether a row begins at this line: it looks like one, so do others nearby, and it does not go on a row above."""
    line = lines[number]
    if not is_row(line.shape):
        return False
    near = [other.shape for other in lines[max(number - 8, 0) : number + 9]]
    return near.count(line.shape) >= 2 and not _goes_on(lines, number) and not _within_block(lines, number)


def _within_block(lines: Sequence[Line], number: int) -> bool:
    """Whether blank lines part the rows around a line, and none stands before it: a row has several such lines."""
    near = lines[max(number - 8, 0) : number + 9]
    if sum(not line.shape and _beside_rows(lines, line.number) for line in near) < _BLANKS:
        return False
    printed = [line for line in lines[max(number - _TAIL, 0) : number] if not line.running]
    while printed and printed[-1].page == lines[number].page and not printed[-1].shape:
        if any(line.shape and line.page == lines[number].page for line in printed):
            return False
        printed.pop()  # what is blank under the head of a page parts nothing
    return bool(printed) and bool(printed[-1].shape)


def _beside_rows(lines: Sequence[Line], number: int) -> bool:
    """Whether a row stands before this line."""
    return number > 0 and is_row(lines[number - 1].shape) and not lines[number - 1].running


def _goes_on(lines: Sequence[Line], number: int) -> bool:
    """Whether a line is further in than the one that begins its row, a few above it, and says less than that."""
    line = lines[number]
    if line.shape.startswith("|"):
        return False
    between = 0
    for above in reversed(lines[max(number - _TAIL, 0) : number]):
        if not above.shape or above.running:
            continue
        if _indent(line.text) > _indent(above.text):
            return is_row(above.shape) and _cells(line.text) < _cells(above.text)
        between += 1
        if between > _HIGH or not is_row(above.shape):
            return False
    return False


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _cells(text: str) -> int:
    return len(_GAP.split(text.strip()))


def _row_end(lines: Sequence[Line], first: int, last: int) -> int:
    """The end of the row, sentence or paragraph that is cut before ``last``."""
    if last >= len(lines) or lines[last].image or lines[last - 1].image:
        return last
    in_table = any(is_row(line.shape) for line in lines[max(last - 8, first) : last])
    following = _next(lines, last)
    if in_table and following is not None and _begins(lines, following):
        return last
    if not in_table and _is_done(lines, last):
        return last
    for number in range(last, min(last + _TAIL, len(lines))):
        line = lines[number]
        if line.image:
            return number
        if line.running or (line.page != lines[last - 1].page and not line.shape):
            continue
        if not line.shape and number > last:
            return number
        if in_table and _begins(lines, number):
            return number
    return min(last + (3 if in_table else 6), len(lines))


def _is_done(lines: Sequence[Line], number: int) -> bool:
    """Whether a sentence and its paragraph end before this line."""
    apart = lines[number - 1].running or not lines[number - 1].shape
    above = next(
        (
            line
            for line in reversed(lines[max(number - _TAIL, 0) : number])
            if line.shape and not line.running
        ),
        None,
    )
    return apart and above is not None and above.text.rstrip().endswith(_ENDS)


def _before(lines: Sequence[Line], first: int) -> list[int]:
    """Lines from before that help to understand, the most helpful first.

    The head of the table, the last line of each other shape (titles, what rows belong to), the head of the document.
    """
    found: list[int] = []
    shapes: set[str] = set()
    own = next((line.shape for line in lines[first : first + 6] if is_row(line.shape)), "")
    page = lines[first].page
    near = lines[max(first - _HEAD, 0) : first + _HEAD]
    in_table = sum(is_row(line.shape) and not line.running for line in near) >= _ROWS
    sheet = _sheet_head(lines, first)
    if sheet is not None:
        found.append(sheet)
    for number in range(first - 1, max(first - _BACK, -1), -1):
        line = lines[number]
        if not line.shape or line.image or line.shape in shapes or (line.running and line.page != page):
            continue
        if line.shape == own or (is_row(line.shape) and (number < first - 60 or not in_table)):
            continue
        if line.shape.startswith("h") and not _goes_under(lines, number, first):
            continue
        shapes.add(line.shape)
        if number not in found:
            found.append(number)
        if len(shapes) >= _SHAPES:
            break
    found.sort(key=lambda number: (number != sheet, not lines[number].shape.startswith("h"), -number))
    for number in range(min(_HEAD, first)):
        line = lines[number]
        if line.image or (is_row(line.shape) and _begins(lines, number)):
            break
        if line.shape and number not in found:
            found.append(number)
    return [number for number in found if number < first]


def _goes_under(lines: Sequence[Line], head: int, first: int) -> bool:
    """Whether rows under a head look like those of an excerpt, or none stand between: else another table's head it is."""
    under = {line.shape for line in lines[head + 1 : first] if is_row(line.shape) and not line.running}
    own = {line.shape for line in lines[first : first + _HEAD] if is_row(line.shape)}
    return not own or not under or not own.isdisjoint(under)


def _sheet_head(lines: Sequence[Line], first: int) -> int | None:
    """The first row of cells of the sheet that goes on at ``first``, where it names the columns."""
    if not lines[first].shape.startswith("|"):
        return None
    begin = first
    while begin > 0 and (lines[begin - 1].shape.startswith("|") or not lines[begin - 1].shape):
        begin -= 1
    for number in range(begin, min(begin + 3, first)):
        if lines[number].shape.startswith("|"):
            return number
    return None
