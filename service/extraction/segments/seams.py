"""Texts that the border of two parts cuts: whether one goes on in the other, by where they stand, and both as one. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from service.extraction.segments.lines import Lines
from service.extraction.segments.places import Shown
from service.extraction.segments.shapes import same
from service.extraction.segments.words import Path, leaves, words_of

_WINDOW = 60
"""Lines on either side of a border in which a text that it cuts is looked for."""

_END = 8
"""Words of a text's end, and of its beginning, by which these are found."""

_LONG = 40
"""Characters of a text below which it is not taken for one that goes on, where nothing else says so."""

_CLOSED = (".", "!", "?", ":", ";", "。", "！", "？", "؟", "।", ")", "”", '"', "»")
_MARK = re.compile(r"\s*(?:[^\w\s(\"'“«„]|\(?\w{1,3}[.)])\s+\S")
_BULLET = re.compile(r"[^\w\s(\"'“«„\[]\s")
_CLOSE = re.compile(r"\w*[^\w\s]*(?=\s|$)")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class _Join:
    """How a text goes on: so many words of the second stand in the first already, and the line where new ones begin."""

    shared: int
    line: int
    blank: bool


class Seam:
    """The border before one part's own lines."""

    def __init__(self, lines: Lines, shown: Shown) -> None:
        self._lines = lines
        first = shown.own.start
        self._words: list[str] = []
        self._at: list[int] = []
        for line in lines.all[max(first - _WINDOW, 0) : first + _WINDOW]:
            if not line.running:
                words = words_of(line.text)
                self._words += words
                self._at += [line.number] * len(words)
        self._border = next((n for n, line in enumerate(self._at) if line >= first), len(self._at))

    def joined(self, before: str, after: str) -> str | None:
        """Two texts as one, where the second stands on from the first over the border; None where it does not."""
        how = self._how(before, after)
        if how is None:
            return None
        rest = _without(after, how.shared)
        if not rest:
            return before  # the first goes as far
        return before + self._between(before, rest, how.line) + rest

    def cuts(self, before: str, after: str, *, sentence: bool = False) -> bool:
        """Whether the border cuts a text: within a sentence or the items it has, or between lines with no blank one there.

        ``sentence``: only the former.
        """
        how = self._how(before, after)
        if how is None:
            return False
        if (
            how.shared
            or self._within_sentence(before, after)
            or (not how.blank and _more_items(before, after))
        ):
            return True
        return not sentence and not how.blank and max(self._height(before), self._height(after)) > 1

    def _how(self, before: str, after: str) -> _Join | None:
        one, other = words_of(before), words_of(after)
        if not one or not other:
            return None
        end = self._nearest(one[-_END:], last=True)
        start = self._nearest(other[:_END], last=False)
        # The first reaches over the border or up to it, and the second begins there or before.
        if end is None or start is None or not (start <= self._border <= end):
            return None
        line, upper = self._at[min(end, len(self._at) - 1)], self._at[end - 1]
        blank = any(not between.shape for between in self._lines.all[upper + 1 : line])
        return _Join(end - start, line, blank)

    def _nearest(self, wanted: Sequence[str], *, last: bool) -> int | None:
        """Where words stand next to the border: the index after the last of them, or of the first."""
        size = len(wanted)
        found = [
            at for at in range(len(self._words) - size + 1) if self._words[at : at + size] == list(wanted)
        ]
        places = [at + size if last else at for at in found]
        return min(places, key=lambda at: abs(at - self._border), default=None)

    def _within_sentence(self, before: str, rest: str) -> bool:
        open_end = not before.rstrip().endswith(_CLOSED)
        first = _WORD.search(rest)
        return len(before) >= _LONG and open_end and first is not None and first[0][0].islower()

    def _height(self, text: str) -> int:
        """On about how many lines a text is printed."""
        width = max((len(self._lines.all[line].text.strip()) for line in set(self._at)), default=1)
        return max(text.count("\n") + 1, -(-len(text) // max(width, 1)))

    def _between(self, before: str, rest: str, line: int) -> str:
        """What to put between: lines stay lines where the text has some and this one begins with a mark or a capital."""
        if before.endswith("-") and before[-2:-1].isalpha() and rest[:1].islower():
            return ""
        apart = next((sign for sign in ("\r\n", "\n") if sign in before or sign in rest), " ")
        begins = bool(_MARK.match(self._lines.all[line].text)) or not rest[:1].islower()
        return apart if begins else " "


def _more_items(before: str, after: str) -> bool:
    """Whether a text that holds several marked lines, or some under a title, stands before one that begins so marked."""
    mark = _BULLET.match(after)
    return mark is not None and any(line.startswith(mark[0]) for line in before.splitlines()[1:])


def _without(text: str, words: int) -> str:
    """A text without so many of its first words."""
    if not words:
        return text.lstrip()
    low, high = 0, len(text)
    while low < high:  # the shortest beginning that holds the words
        middle = (low + high) // 2
        if len(words_of(text[:middle])) >= words:
            high = middle
        else:
            low = middle + 1
    # What closes the last of them stands in the first text, too.
    close = _CLOSE.match(text, low)
    return text[close.end() if close else low :].lstrip()


def only_difference(one: Any, other: Any) -> Path | None:
    """The one text in which two rows differ, where the second says nothing else than the first; None where there is none."""
    mine, others = dict(leaves(one, lists=False)), dict(leaves(other, lists=False))
    if not others.keys() <= mine.keys():
        return None
    apart = [path for path, value in others.items() if same(value) != same(mine[path])]
    if len(apart) != 1 or not (isinstance(mine[apart[0]], str) and isinstance(others[apart[0]], str)):
        return None
    return apart[0]
