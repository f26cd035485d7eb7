"""Where the rows of an answer stand in the lines that were shown. Pure.

Rows are found by their words (``words.py``). They come in the order of the document: all rows of a list are placed at once, on
the best rising chain of lines, so that equal rows are told apart by their order.
"""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from service.extraction.segments.words import Path, leaves, nested, words_in, words_of

Place = tuple[int, int]
"""A line's number in the document, and which word of it."""

_MOST = 48
"""Lines that are considered for one row; more for one that stands in many lines alike."""

_NEAR = 10
"""Lines around a row's place in which its leaves are looked for."""

_ENOUGH = 0.34
"""The share of a row's words that must stand where it is placed."""

_TELLING = 0.02
"""The share of the lines, at most, that hold a word which alone tells where a row stands; three lines always do."""

_CHANCE = 0.34
"""How often a word may be expected within the lines between a row and a leaf for the leaf to be the row's surely."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where one row stands: its own place and that of each of its leaves that was found.

    ``sure`` are the leaves that stand there by more than chance: a common word some lines off may be another's.
    """

    at: Place
    leaves: Mapping[Path, Place]
    share: float
    sure: frozenset[Path] = frozenset()
    inner: tuple[Place, ...] = ()
    """Where the rows within the row stand."""

    @property
    def places(self) -> list[Place]:
        """All that surely stands somewhere of the row and of those within it."""
        return [self.at, *(self.leaves[path] for path in self.sure), *self.inner]


class Own(Protocol):
    """Numbers of lines: a range, or some of one."""

    @property
    def start(self) -> int:
        """The first."""

    @property
    def stop(self) -> int:
        """The one after the last."""

    def __contains__(self, number: object, /) -> bool:
        """Whether a line is one of them."""


@dataclass(frozen=True, slots=True)
class Some:
    """Some lines of a range."""

    numbers: frozenset[int]

    @property
    def start(self) -> int:
        """The first."""
        return min(self.numbers)

    @property
    def stop(self) -> int:
        """The one after the last."""
        return max(self.numbers) + 1

    def __contains__(self, number: object, /) -> bool:
        """Whether a line is one of them."""
        return number in self.numbers


class Shown:
    """The lines that one call was shown, made ready for looking rows up.

    ``own`` are the numbers that are its own. ``said`` is the answer: what many of its rows say tells none of them.
    """

    def __init__(self, lines: Sequence[tuple[int, str]], own: Own, said: Any = None) -> None:
        self.own = own
        self._said = Counter(word for _, value in leaves(said) for word in set(words_in(value)))
        self.numbers = [number for number, _ in lines]
        self._words: list[list[str]] = [words_of(text) for _, text in lines]
        self._lines: dict[str, list[int]] = {}
        for at, words in enumerate(self._words):
            for word in set(words):
                self._lines.setdefault(word, []).append(at)
        self._weights: dict[str, float] = {}

    def weight(self, word: str) -> float:
        """How much it says that a line holds this word: much for rare and long ones."""
        found = self._weights.get(word)
        if found is None:
            lines = self._spread(word)
            found = math.log(1 + (len(self._words) + 1) / (lines + 1)) + 0.1
            if len(word) == 1:
                found *= 0.5
            self._weights[word] = found
        return found

    def find(self, value: Any) -> Place | None:
        """Where a single value stands, the first of the best lines; None where most of it does not stand."""
        rows = self.place([value])
        return rows[0].at if rows[0] is not None else None

    def place(
        self,
        rows: Sequence[Any],
        within: tuple[int, int] | None = None,
        concluded: frozenset[tuple[str, ...]] = frozenset(),
    ) -> list[Spot | None]:
        """Where each row of one list stands, in lines from ``within[0]`` to ``within[1]`` (numbers of the document).

        ``concluded`` names the members whose values are words of the schema and not of the document. Rows that hold
        rows stand where those do: a page's number, or a heading that comes again, does not tell where a table is.
        """
        paths = {path for row in rows for path, _ in nested(row)}
        lists: dict[tuple[str, ...], list[tuple[int, Any]]] = {}
        for number, row in enumerate(rows):
            for path in paths:
                lists.setdefault(path, []).extend((number, item) for item in _listed(row, path))
        if not lists:
            return self._plain(rows, within, concluded)
        inner: list[list[Place]] = [[] for _ in rows]
        for path, numbered in lists.items():
            below = frozenset(names[len(path) :] for names in concluded if names[: len(path)] == path)
            spots = self.place([item for _, item in numbered], within, below)
            for (number, _), spot in zip(numbered, spots, strict=True):
                inner[number] += [] if spot is None else spot.places
        return self._around(rows, inner, within, concluded | paths)

    def _around(
        self,
        rows: Sequence[Any],
        inner: Sequence[Sequence[Place]],
        within: tuple[int, int] | None,
        concluded: frozenset[tuple[str, ...]],
    ) -> list[Spot | None]:
        """The places of rows that hold rows: with their own leaves from the rows in the one before to those in the next."""
        if not self.numbers:
            return [None] * len(rows)
        low, last = within or (self.numbers[0], self.numbers[-1])
        found: list[Spot | None] = []
        for number, row in enumerate(rows):
            following = next((min(places)[0] for places in inner[number + 1 :] if places), last)
            high = min(following, max(inner[number])[0] + _NEAR) if inner[number] else following
            heading = any(True for _ in leaves(row, lists=False))
            own = self._plain([row], (low, max(low, high)), concluded)[0] if heading else None
            if not inner[number]:
                found.append(own)
                continue
            first = min(inner[number])
            if own is None or not self._tells(row, own):
                own = Spot(first, {}, 1.0)
            places = tuple(sorted(inner[number]))
            found.append(replace(own, at=min(own.at, first), share=1.0, inner=places))
            low = max(low, max(inner[number])[0])
        return found

    def _tells(self, row: Any, spot: Spot) -> bool:
        """Whether any leaf of a row is rare enough to tell by itself where the row stands."""
        return any(self._is_telling(words_in(value)) for path, value in _own_leaves(row) if path in spot.sure)

    def _is_telling(self, words: Sequence[str]) -> bool:
        most = max(3.0, _TELLING * len(self._words))
        return any(word in self._lines and self._spread(word) <= most for word in words)

    def _spread(self, word: str) -> int:
        """In how many lines a word stands, or how many values say it where that is more."""
        return max(len(self._lines.get(word, ())), self._said[word])

    def _plain(
        self,
        rows: Sequence[Any],
        within: tuple[int, int] | None,
        concluded: frozenset[tuple[str, ...]] = frozenset(),
    ) -> list[Spot | None]:
        low, high = (0, len(self.numbers)) if within is None else self._between(within)
        asked = [self._printed(_own_leaves(row, concluded)) for row in rows]
        candidates = [self._candidates(leaves, low, high) for leaves in asked]
        chosen = _rising(candidates)
        taken = {place for place in chosen if place is not None}
        for row, options in enumerate(
            candidates
        ):  # what the chain left out stands elsewhere: the list is not in order
            if chosen[row] is None and options:
                # Rows that say the same of a line may share a place: names, each with the company of them all.
                free = [place for place in options if place not in taken] or list(options)
                best = max(free, key=lambda place: (options[place], -place[0]))
                chosen[row] = best
                taken.add(best)
        return [self._spot(leaves, place, low, high) for leaves, place in zip(asked, chosen, strict=True)]

    def _printed(self, leaves: Sequence[tuple[Path, Any]]) -> list[tuple[Path, list[str]]]:
        """The words of the leaves that stand anywhere: what is concluded (a unit, a period) says nothing of a place.

        All of them where what stands is too common to tell a place by itself.
        """
        asked = [(path, words_in(value)) for path, value in leaves]
        found = []
        for path, words in asked:
            size = sum(self.weight(word) for word in words)
            if sum(self.weight(word) for word in words if word in self._lines) >= 0.5 * size:
                found.append((path, words))
        return found if any(self._is_telling(words) for _, words in found) else asked

    def _between(self, within: tuple[int, int]) -> tuple[int, int]:
        return bisect_left(self.numbers, within[0]), bisect_right(self.numbers, within[1])

    def _candidates(self, asked: Sequence[tuple[Path, list[str]]], low: int, high: int) -> dict[Place, float]:
        """Places for a row (line in the shown ones, word in it), and how much of the row stands there."""
        total = 0.0
        scores: dict[int, float] = {}
        for _, words in asked:
            size = sum(self.weight(word) for word in words)
            total += size
            held: dict[int, float] = {}
            for word in words:
                lines = self._lines.get(word, ())
                weight = self.weight(word)
                for at in lines[bisect_left(lines, low) : bisect_left(lines, high)]:
                    held[at] = held.get(at, 0.0) + weight
            for (
                at,
                some,
            ) in held.items():  # half a leaf is less than half as telling: other leaves share its words
                scores[at] = scores.get(at, 0.0) + some * min(some / size, 1.0)
        if not scores:
            return {}
        best = max(scores.values())
        least = max(0.7 * best, 0.2 * total)
        good = [at for at, score in scores.items() if score >= least]
        if len(good) > _MOST:
            limit = sorted((scores[at] for at in good), reverse=True)[_MOST - 1]
            good = [at for at in good if scores[at] >= limit]
        places: dict[Place, float] = {}
        anchor = [word for _, words in asked for word in words]
        single = len(set(anchor)) <= 2
        for at in sorted(good):
            line = self._words[at]
            # Of places that say as much, the one that says least else; then one of its own lines.
            share = scores[at] / total + 0.02 * min(len(set(anchor)) / len(line), 1.0)
            if self.numbers[at] in self.own:
                share += 1e-3
            first = next((word for word in anchor if word in line), "")
            columns = [column for column, word in enumerate(line) if word == first]
            for column in columns if single else columns[:1]:
                places[at, column] = share
        return places

    def _spot(
        self, asked: Sequence[tuple[Path, list[str]]], place: Place | None, low: int, high: int
    ) -> Spot | None:
        if place is None:
            return None
        at, column = place
        found: dict[Path, Place] = {}
        sure = set()
        total = held = 0.0
        used: set[Place] = set()
        every = frozenset(word for _, words in asked for word in words)
        for path, words in asked:
            size = sum(self.weight(word) for word in words)
            total += size
            where = self._leaf(words, at, column, low, high, used, every)
            if where is not None:
                used.add(where)
                found[path] = (self.numbers[where[0]], where[1])
                held += size
                if self._is_sure(words, where[0], at):
                    sure.add(path)
        if total and held / total < _ENOUGH:
            return None
        return Spot((self.numbers[at], column), found, held / total if total else 0.0, frozenset(sure))

    def _is_sure(self, words: list[str], line: int, at: int) -> bool:
        """Whether a leaf in this line is the row's at ``at``: on its line, or too rare to be near it by chance."""
        if line == at:
            return True
        lines = min(self._spread(word) for word in words if word in self._words[line])
        off = abs(self.numbers[line] - self.numbers[at])
        return lines * (2 * off + 1) <= _CHANCE * len(self._words) or lines == 1

    def _says(self, line: int, words: frozenset[str]) -> int:
        """How many of some words stand in a line."""
        return len(words.intersection(self._words[line]))

    def _leaf(
        self,
        words: list[str],
        at: int,
        column: int,
        low: int,
        high: int,
        used: set[Place],
        every: frozenset[str],
    ) -> Place | None:
        """The place of one leaf near its row: the line that holds most of its words, the row's own line first.

        Of lines as near on either side the one that says more of the row (``every`` word of it), then the one below.
        """
        if not words:
            return None
        need = 0.5 * len(words)
        best: tuple[float, int] | None = None
        here = self.numbers[at]
        near = (
            line
            for line in range(max(at - _NEAR, low), min(at + _NEAR + 1, high))
            if abs(self.numbers[line] - here) <= _NEAR
        )
        for line in sorted(near, key=lambda line: (abs(line - at), -line)):
            if best is not None and best[0] == len(words) and abs(line - at) > abs(best[1] - at):
                break
            held = sum(word in self._words[line] for word in words)
            if held < need:
                continue
            across = best is not None and held == best[0] and abs(line - at) == abs(best[1] - at)
            if (
                best is None
                or held > best[0]
                or (across and self._says(line, every) > self._says(best[1], every))
            ):
                best = (held, line)
        if best is None:
            return None
        line = best[1]
        # The same word whatever else was shown: two pieces must find a leaf in the same place.
        longest = max(
            (word for word in words if word in self._words[line]), key=lambda word: (len(word), word)
        )
        columns = [(line, place) for place, word in enumerate(self._words[line]) if word == longest]
        later = [place for place in columns if place not in used and (line != at or place[1] >= column)]
        return later[0] if later else next((place for place in columns if place not in used), None)


def _listed(row: Any, path: tuple[str, ...]) -> list[Any]:
    """The list at this path of a row."""
    for name in path:
        row = row.get(name) if isinstance(row, Mapping) else None
    return row if isinstance(row, list) else []


def _own_leaves(row: Any, concluded: frozenset[tuple[str, ...]] = frozenset()) -> list[tuple[Path, Any]]:
    """What a row is found by: its own leaves, else those of the rows in it; what is concluded only if that is all."""
    own = [(path, value) for path, value in leaves(row, lists=False) if words_in(value)]
    own = own or [(path, value) for path, value in leaves(row) if words_in(value)][:200]
    return [leaf for leaf in own if _names(leaf[0]) not in concluded] or own


def _names(path: Path) -> tuple[str, ...]:
    return tuple(step for step in path if isinstance(step, str))


def _rising(candidates: Sequence[Mapping[Place, float]]) -> list[Place | None]:
    """One place per row so that the places rise and say most: the heaviest rising chain, by a Fenwick tree."""
    places = sorted({place for options in candidates for place in options})
    rank = {place: number for number, place in enumerate(places, start=1)}
    tree: list[tuple[float, int]] = [(0.0, -1)] * (len(places) + 1)
    nodes: list[tuple[int, Place, int]] = []  # row, place, node before
    for row, options in enumerate(candidates):
        fresh = []
        for place, share in options.items():
            before = _best(tree, rank[place] - 1)
            nodes.append((row, place, before[1]))
            fresh.append((rank[place], (before[0] + share, len(nodes) - 1)))
        for number, entry in fresh:
            _raise(tree, number, entry)
    chosen: list[Place | None] = [None] * len(candidates)
    node = _best(tree, len(places))[1]
    while node >= 0:
        row, place, node = nodes[node]
        chosen[row] = place
    return chosen


def _best(tree: Sequence[tuple[float, int]], number: int) -> tuple[float, int]:
    best = (0.0, -1)
    while number > 0:
        best = max(best, tree[number], key=lambda entry: entry[0])
        number -= number & -number
    return best


def _raise(tree: list[tuple[float, int]], number: int, entry: tuple[float, int]) -> None:
    while number < len(tree):
        if entry[0] > tree[number][0]:
            tree[number] = entry
        number += number & -number
