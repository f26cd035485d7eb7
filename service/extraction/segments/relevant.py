"""Which lines of a long document a question about some of its record is shown. Pure.

Rows are shown with the lines around them and what an excerpt from there would need to be understood. What a document says
once is looked for where it begins, where a word of its label stands, and where it ends, as far as a budget goes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from service.extraction.evidence import Index
from service.extraction.evidence.neighbours import says
from service.extraction.evidence.outline import Facts
from service.extraction.segments.excerpts import Excerpt, surrounded, weight
from service.extraction.segments.lines import Lines, is_row

_AROUND = 2
"""Lines above and below a row that are shown with it."""

_ROW = 4
"""Lines at most that are added at either end so that rows are shown whole."""

_MOST = 0.6
"""Share of a part from which all of it is shown: the rest costs little."""

_LABEL = 0.5
"""How much a word must be a label of a value for its line to be shown."""

_ABOVE_LABEL, _BELOW_LABEL = 1, 3
"""Lines above and below a label that are shown: a value may stand under it, an address takes several."""

_OPENING, _LABELS = 0.4, 0.45
"""Shares of the budget for the beginning of the document and for labels; the rest is for its end."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Numbers of lines, in order: those to read, and others that help to understand them.

    What helps with lines further down stands before those, and tells the lines above nothing.
    """

    own: tuple[int, ...]
    context: tuple[int, ...] = ()

    @property
    def numbers(self) -> tuple[int, ...]:
        """All of them."""
        return tuple(sorted((*self.context, *self.own)))

    @property
    def before(self) -> tuple[int, ...]:
        """Those that help and stand before all that is to be read."""
        return tuple(number for number in self.context if number < self.own[0])

    @property
    def rest(self) -> tuple[int, ...]:
        """All the others."""
        return tuple(number for number in self.numbers if number >= self.own[0])


def all_of(part: Excerpt) -> Chosen:
    """Everything that a part shows."""
    return Chosen(tuple(range(part.first, part.end)), part.context)


def around(lines: Lines, wanted: Iterable[int], part: Excerpt) -> Chosen:
    """The lines of a part around some of them; all of it where that is most of it."""
    own: set[int] = set()
    for number in wanted:
        if part.first <= number < part.last:
            own |= set(_whole(lines, number, part))
    size = sum(weight(lines.all[number]) for number in own)
    if not own or size > _MOST * sum(weight(line) for line in lines.all[part.first : part.last]):
        return all_of(part)
    runs = _runs(sorted(own))
    context = {number for run in runs for number in surrounded(lines, run[0], run[-1] + 1).context}
    return Chosen(tuple(sorted(own)), tuple(sorted(context - own)))


def of_header(lines: Lines, facts: Sequence[Facts], *, tokens: float, images: int) -> Chosen:
    """The lines where values may stand that a document says once, for about so many tokens; pictures are so many at most."""
    everything = lines.all
    own: set[int] = set()
    own |= _as_fit(lines, range(len(everything)), _OPENING * tokens)
    labelled = _labelled(lines, facts)
    room = _LABELS * tokens
    for number in labelled:
        near = {
            other
            for other in range(number - _ABOVE_LABEL, number + _BELOW_LABEL + 1)
            if 0 <= other < len(everything) and everything[other].page == everything[number].page
        } - own
        room -= sum(weight(everything[other]) for other in near)
        if room < 0:
            break
        own |= near
    own |= _as_fit(lines, range(len(everything) - 1, -1, -1), (1 - _OPENING - _LABELS) * tokens)
    pictures = [number for number in sorted(own) if everything[number].image]
    return Chosen(tuple(sorted(own - set(pictures[images:]))))


def _whole(lines: Lines, number: int, part: Excerpt) -> range:
    """The lines around one, from the beginning of a row to the end of one."""
    first, end = max(number - _AROUND, part.first), min(number + _AROUND + 1, part.last)
    least, most = max(first - _ROW, part.first), min(end + _ROW, part.end)
    while first > least and not is_row(lines.all[first].shape):
        first -= 1
    while end < most and lines.all[end].shape and not is_row(lines.all[end].shape):
        end += 1
    return range(first, end)


def _runs(numbers: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _as_fit(lines: Lines, numbers: Iterable[int], tokens: float) -> set[int]:
    """Lines in this order, as many as tokens take; one at least."""
    found: set[int] = set()
    for number in numbers:
        tokens -= weight(lines.all[number])
        if tokens < 0 and found:
            break
        found.add(number)
    return found


def _labelled(lines: Lines, facts: Sequence[Facts]) -> list[int]:
    """The lines in which words of labels stand, those that say most of one first, then in order; one of equal ones."""
    found: dict[str, tuple[float, int]] = {}
    for line in lines.all:
        if line.image or not line.shape:
            continue
        words = set(Index.tokens_of(line.text))
        best = max(
            (sum(share for word in words if (share := says(word, one)) >= _LABEL) for one in facts), default=0
        )
        if best and line.text not in found:
            found[line.text] = (-best, line.number)
    return [number for _, number in sorted(found.values())]
