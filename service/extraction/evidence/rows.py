"""The rows of a page: a grid on which neighbours are found, the same for words with boxes and for plain text.

A spot is (row, left, right): rows count from the top of the page; left and right are in average characters.
"""

import re
from abc import ABC, abstractmethod
from array import array
from bisect import bisect_right
from statistics import median
from typing import NamedTuple

from typing_extensions import override

from service.documents import Page
from service.extraction.evidence.folding import key, keys

COMPOUND = 8
"""Letters of a word, from which it may be a compound with a label in it (``Rechnungsdatum``)."""


class Spot(NamedTuple):
    """Where something stands on its page."""

    row: int
    left: float
    right: float


class Rows(ABC):
    """One page. ``words(row)`` are (left, right, key) from left to right."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._words: dict[int, list[tuple[float, float, str]]] = {}
        self._vocabulary: dict[int, tuple[frozenset[str], tuple[str, ...]]] = {}

    @abstractmethod
    def row(self, start: int) -> int:
        """The row of a character: that of the spot which begins there."""

    @abstractmethod
    def spot(self, start: int, end: int) -> Spot:
        """The spot of the characters from ``start`` to before ``end``; of several rows, the first."""

    def words(self, row: int) -> list[tuple[float, float, str]]:
        """The words of a row."""
        found = self._words.get(row)
        if found is None:
            found = self._words[row] = self._read(row)
        return found

    def vocabulary(self, row: int) -> tuple[frozenset[str], tuple[str, ...]]:
        """The keys of a row's words, and those among them in which a label may be a part."""
        found = self._vocabulary.get(row)
        if found is None:
            words = frozenset([word for _, _, word in self.words(row)])
            compounds = tuple([word for word in words if len(word) >= COMPOUND or not word.isascii()])
            found = self._vocabulary[row] = words, compounds
        return found

    @abstractmethod
    def span(self, row: int) -> tuple[int, int] | None:
        """Where the characters of a row begin and end; None where they need not stand together."""

    @abstractmethod
    def _read(self, row: int) -> list[tuple[float, float, str]]: ...


class _TextRows(Rows):
    def __init__(self, text: str, start: int, end: int) -> None:
        self._text = text
        self._begins = begins = array("I", [start])
        self._end = end
        at = text.find("\n", start, end)
        while at >= 0:
            begins.append(at + 1)
            at = text.find("\n", at + 1, end)
        super().__init__(len(begins))

    @override
    def row(self, start: int) -> int:
        return bisect_right(self._begins, start) - 1

    @override
    def spot(self, start: int, end: int) -> Spot:
        row = bisect_right(self._begins, start) - 1
        begin = self._begins[row]
        return Spot(row, start - begin, min(end, self._line_end(row)) - begin)

    @override
    def span(self, row: int) -> tuple[int, int] | None:
        return self._begins[row], self._line_end(row) + 1

    def _line_end(self, row: int) -> int:
        return self._begins[row + 1] - 1 if row + 1 < self.count else self._end

    @override
    def _read(self, row: int) -> list[tuple[float, float, str]]:
        begin = self._begins[row]
        line = self._text[begin : self._line_end(row)]
        if line.isascii():
            spans = [match.span() for match in _WORD.finditer(line)]
            return [(*span, word) for span, word in zip(spans, keys(line), strict=True)]
        found: list[tuple[float, float, str]] = []
        at = 0
        for word in line.split():
            at = line.index(word, at)
            end = at + len(word)
            folded = key(word)
            if folded:
                found.append((at, end, folded))
            at = end
        return found


_WORD = re.compile(r"(?<!\S)[^\sA-Za-z0-9]*+[A-Za-z0-9]\S*")
"""A word of ASCII that is more than signs. It is begun between words only: a line of dashes costs one look at each."""


class _WordRows(Rows):
    def __init__(self, page: Page, begins: "array[int]") -> None:
        words = page.words
        self._page = page
        self._begins = begins
        heights = [word.box[3] - word.box[1] for word in words]
        near = 0.5 * median(heights)
        letters = [(word.box[2] - word.box[0]) / len(word.text) for word in words if word.text]
        self._unit = max(median(letters), 1e-4)
        order = sorted(range(len(words)), key=lambda at: words[at].box[1] + words[at].box[3])
        self._row_of = array("I", bytes(4 * len(words)))
        self._in_row: list[list[int]] = []
        anchor = -1.0
        for at in order:
            box = words[at].box
            middle = (box[1] + box[3]) / 2
            if not self._in_row or middle - anchor > near:
                self._in_row.append([])
                anchor = middle
            self._in_row[-1].append(at)
            self._row_of[at] = len(self._in_row) - 1
        super().__init__(len(self._in_row))

    @override
    def row(self, start: int) -> int:
        return self._row_of[max(bisect_right(self._begins, start) - 1, 0)]

    @override
    def spot(self, start: int, end: int) -> Spot:
        first = max(bisect_right(self._begins, start) - 1, 0)
        last = max(bisect_right(self._begins, end - 1) - 1, first)
        words = self._page.words
        row = self._row_of[first]
        left, right = words[first].box[0], words[first].box[2]
        for at in range(first + 1, last + 1):
            if self._row_of[at] != row:
                break
            left, right = min(left, words[at].box[0]), max(right, words[at].box[2])
        return Spot(row, left / self._unit, right / self._unit)

    @override
    def span(self, row: int) -> tuple[int, int] | None:
        return None

    @override
    def _read(self, row: int) -> list[tuple[float, float, str]]:
        words = self._page.words
        found = []
        for at in self._in_row[row]:
            folded = key(words[at].text)
            if folded:
                found.append((words[at].box[0] / self._unit, words[at].box[2] / self._unit, folded))
        found.sort()
        return found


def of_text(text: str, start: int, end: int) -> Rows:
    """The lines of a page that is its text."""
    return _TextRows(text, start, end)


def of_words(page: Page, begins: "array[int]") -> Rows:
    """Words whose middles are level."""
    return _WordRows(page, begins)
