"""What stands around a place: its row, labels beside and above it."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from service.extraction.evidence.candidates import Candidate
from service.extraction.evidence.index import Index
from service.extraction.evidence.outline import Facts
from service.extraction.evidence.rows import COMPOUND, Rows, Spot

PAGE = 1_000_000
"""Rows of a page at most, so that one number tells page and row."""

_ABOVE = (0.85, 0.7, 0.5)
"""What a label above counts, row by row."""

_BEFORE, _BEHIND = 130.0, 30.0
"""Characters to the left and to the right in which a label is looked for."""


class Neighbourhood:
    """The surroundings of candidates, worked out once each."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._spots: dict[tuple[int, int], tuple[int, Spot]] = {}
        self._row_of: dict[int, int] = {}
        self._labels: dict[tuple[int, int], float] = {}
        self._silent: dict[tuple[int, int, int], bool] = {}

    def spot(self, candidate: Candidate) -> tuple[int, Spot]:
        """The place in ``Index.pages``, and the spot on that page."""
        place = candidate.start, candidate.end
        found = self._spots.get(place)
        if found is None:
            page = self._index.page_at(candidate.start)
            found = self._spots[place] = page, self._index.rows(page).spot(*place)
        return found

    def row(self, candidate: Candidate) -> int:
        """The row, counted through all pages."""
        row = self._row_of.get(candidate.start)
        if row is None:
            page = self._index.page_at(candidate.start)
            own = self._index.rows(page).row(candidate.start)
            row = self._row_of[candidate.start] = page * PAGE + own
        return row

    def on_row(self, candidates: Sequence[Candidate], row: int) -> list[Candidate]:
        """Those that lie on a row, counted through all pages."""
        page, own = divmod(row, PAGE)
        span = self._index.rows(page).span(own)
        if span is None:
            return [candidate for candidate in candidates if self.row(candidate) == row]
        start, end = span
        return [candidate for candidate in candidates if start <= candidate[0] < end]

    def label(self, candidate: Candidate, facts: Facts) -> float:
        """How well the words around a place fit the leaf's label: 0 not at all, 1 and more a label right beside it."""
        place = candidate.start, id(facts)
        known = self._labels.get(place)
        if known is None:
            page, spot = self.spot(candidate)
            known = self._labels[place] = self._label(page, spot, facts)
        return known

    def is_silent(self, page: int, row: int, facts: Facts) -> bool:
        """Whether no word of a row is a label of the leaf: most are not, and telling it takes one look at each row."""
        place = page, row, id(facts)
        known = self._silent.get(place)
        if known is None:
            words, compounds = self._index.rows(page).vocabulary(row)
            known = words.isdisjoint(facts.labels) and not any(says(word, facts) for word in compounds)
            self._silent[place] = known
        return known

    def _label(self, page: int, spot: Spot, facts: Facts) -> float:
        best = second = 0.0
        seen: set[str] = set()
        for speaks, word in self._speaking(page, spot, facts):
            if word in seen:
                continue
            if speaks > best:
                best, second = speaks, best
            elif speaks > second:
                second = speaks
            if speaks > 0.4:
                seen.add(word)
        return best + 0.4 * second

    def _speaking(self, page: int, spot: Spot, facts: Facts) -> list[tuple[float, str]]:
        rows = self._index.rows(page)
        found: list[tuple[float, str]] = []
        if not self.is_silent(page, spot.row, facts):
            found += _beside(rows, spot, facts)
        left, right = spot.left, spot.right
        for distance, share in enumerate(_ABOVE, start=1):
            row = spot.row - distance
            if row < 0:
                break
            if self.is_silent(page, row, facts):
                continue
            for start, end, word in _window(rows, row, left - 30, right + 3):
                if start < right + 3 and end > left - 3:
                    weight = says(word, facts)
                    if weight:
                        found.append((weight * share, word))
        return found


def _beside(rows: Rows, spot: Spot, facts: Facts) -> Iterator[tuple[float, str]]:
    left, right = spot.left, spot.right
    between = 1.0
    for start, end, word in reversed(_window(rows, spot.row, left - _BEFORE, right + _BEHIND)):
        if end <= left + 0.5:
            weight = says(word, facts)
            if weight:
                yield weight * between / (1 + 0.008 * max(left - end, 0.0)), word
            else:
                between *= 0.6 if word.isdecimal() else 0.92
        elif start >= right - 0.5:
            weight = says(word, facts)
            if weight:
                backwards = not word.isascii() and any("\u0590" <= letter <= "\u08ff" for letter in word)
                apart = 1 + 0.05 * max(start - right, 0.0)
                yield weight * (1.0 if backwards else 0.45) / apart, word


def _window(rows: Rows, row: int, left: float, right: float) -> list[tuple[float, float, str]]:
    """The words of a row that begin within a range."""
    words = rows.words(row)
    if len(words) < 24:
        return words
    return words[bisect_left(words, (left,)) : bisect_left(words, (right,))]


def says(word: str, facts: Facts) -> float:
    """How much a word is a label of the leaf."""
    weight = facts.labels.get(word)
    if weight is not None:
        return weight
    if len(word) >= COMPOUND and word.isascii() and word.isalpha():
        parts = [part for label, part in facts.compounding if label in word]
        return min(0.7 * max(parts) + 0.1 * (len(parts) - 1), 1.0) if parts else 0.0
    if facts.contained and not word.isascii():
        return max((facts.labels[label] for label in facts.contained if label in word), default=0.0)
    return 0.0
