"""Where the rows of an answer stand in the lines that were shown. Pure.

Values are compared by their letters and digits alone (1280.5 is printed ``1.280,50``, 2025-05-01 ``01.05.2025``), so no
language or country has to be known. Rows come in the order of the document: all rows of a list are placed at once, on
the best rising chain of lines, so that equal rows are told apart by their order.
"""

import math
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Place = tuple[int, int]
"""A line's number in the document, and which word of it."""

Path = tuple[str | int, ...]
"""Where a leaf stands in its row: names of members, numbers of items."""

_TOKEN = re.compile(
    r"\d[\d.,'’\u00a0\u202f]*\d|\d|[\u0e00-\u0eff\u2e80-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]"
    r"|[^\W\d_\u0e00-\u0eff\u2e80-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]+"
)
_DIGITS = re.compile(r"\d+")
_SPACED = re.compile(r"(?<![\d.,])\d{1,3}(?: \d{3})+(?:[.,]\d+)?(?!\d)")
"""A number whose thousands are set apart by spaces."""

_ISO_DATE = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?(?:[T ].*)?")
_MOST = 48
"""Lines that are considered for one row; more for one that stands in many lines alike."""

_NEAR = 10
"""Lines around a row's place in which its leaves are looked for."""

_FIRST = 10
"""Words of a leaf by which it is looked for: a long text goes on over lines, and stands where it begins."""

_ENOUGH = 0.34
"""The share of a row's words that must stand where it is placed."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where one row stands: its own place and that of each of its leaves that was found."""

    at: Place
    leaves: Mapping[Path, Place]
    share: float


def words_of(text: str) -> list[str]:
    """The words of a printed line; of a number its digits, of a date its parts as well."""
    found: list[str] = []
    text = unicodedata.normalize("NFKC", text)
    spaced = {match.start(): match[0] for match in _SPACED.finditer(text)} if " " in text else {}
    for match in _TOKEN.finditer(text):
        word = match[0]
        if match.start() in spaced:
            found.append(_digits(spaced[match.start()]))
        if word[0].isdigit():
            found.append(_digits(word))
            parts = _DIGITS.findall(word)
            if len(parts) > 2:
                found += [_digits(part) for part in parts]
        else:
            found.append(word.casefold())
    return found


def words_in(value: Any) -> list[str]:
    """The words by which a leaf is found; none for a boolean and for null."""
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, int | float):
        return [_digits(_plain(value))]
    if isinstance(value, str):
        date = _ISO_DATE.fullmatch(value.strip())
        if date is not None:
            return [_digits(part) for part in date.groups() if part]
        return words_of(value[: 40 * _FIRST])[:_FIRST]
    return []


def _plain(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return ""
    text = repr(value)
    return format(value, ".10f") if "e" in text else text


def _digits(text: str) -> str:
    """The significant digits: without separators, without zeros at either end."""
    digits = "".join(
        str(unicodedata.digit(sign))
        for sign in text
        if sign.isdigit() and unicodedata.digit(sign, None) is not None
    )
    return digits.strip("0") or "0"


def leaves(value: Any, path: Path = (), *, lists: bool = True) -> Iterator[tuple[Path, Any]]:
    """The leaves of a value that say something. Without ``lists``, those in lists of objects are left out."""
    if isinstance(value, Mapping):
        for name, child in value.items():
            yield from leaves(child, (*path, name), lists=lists)
    elif isinstance(value, list):
        if lists or not _has_items(value):
            for number, child in enumerate(value):
                yield from leaves(child, (*path, number), lists=lists)
    elif value is not None and value != "":
        yield path, value


def _has_items(value: list[Any]) -> bool:
    return any(isinstance(item, Mapping | list) for item in value)


class Shown:
    """The lines that one call was shown, made ready for looking rows up. ``own`` are the numbers that are its own."""

    def __init__(self, lines: Sequence[tuple[int, str]], own: range) -> None:
        self.own = own
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
            lines = len(self._lines.get(word, ()))
            found = math.log(1 + (len(self._words) + 1) / (lines + 1)) + 0.1
            if len(word) == 1:
                found *= 0.5
            self._weights[word] = found
        return found

    def find(self, value: Any) -> Place | None:
        """Where a single value stands, the first of the best lines; None where most of it does not stand."""
        rows = self.place([value])
        return rows[0].at if rows[0] is not None else None

    def place(self, rows: Sequence[Any], within: tuple[int, int] | None = None) -> list[Spot | None]:
        """Where each row of one list stands, in lines from ``within[0]`` to ``within[1]`` (numbers of the document)."""
        low, high = (0, len(self.numbers)) if within is None else self._between(within)
        asked = [[(path, words_in(value)) for path, value in _own_leaves(row)] for row in rows]
        candidates = [self._candidates(leaves, low, high) for leaves in asked]
        chosen = _rising(candidates)
        taken = {place for place in chosen if place is not None}
        for row, options in enumerate(
            candidates
        ):  # what the chain left out stands elsewhere: the list is not in order
            if chosen[row] is None and options:
                free = [place for place in options if place not in taken]
                if free:
                    best = max(free, key=lambda place: (options[place], -place[0]))
                    chosen[row] = best
                    taken.add(best)
        return [self._spot(leaves, place, low, high) for leaves, place in zip(asked, chosen, strict=True)]

    def _between(self, within: tuple[int, int]) -> tuple[int, int]:
        return bisect_left(self.numbers, within[0]), bisect_right(self.numbers, within[1])

    def _candidates(self, asked: Sequence[tuple[Path, list[str]]], low: int, high: int) -> dict[Place, float]:
        """Places for a row (line in the shown ones, word in it), and how much of the row stands there."""
        words = {word for _, some in asked for word in some}
        total = sum(self.weight(word) for word in words)
        if not total:
            return {}
        scores: dict[int, float] = {}
        for word in words:
            lines = self._lines.get(word, ())
            weight = self.weight(word)
            for at in lines[bisect_left(lines, low) : bisect_left(lines, high)]:
                scores[at] = scores.get(at, 0.0) + weight
        if not scores:
            return {}
        best = max(scores.values())
        least = max(0.7 * best, 0.2 * total)
        good = [at for at, score in scores.items() if score >= least]
        if len(good) > _MOST:
            limit = sorted((scores[at] for at in good), reverse=True)[_MOST - 1]
            good = [at for at in good if scores[at] >= limit]
        places: dict[Place, float] = {}
        single = len(words) <= 2
        anchor = [word for _, some in asked for word in some]
        for at in sorted(good):
            line = self._words[at]
            # Of places that say as much, the one that says least else; then one of its own lines.
            share = scores[at] / total + 0.02 * min(len(words) / len(line), 1.0)
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
        total = held = 0.0
        used: set[Place] = set()
        for path, words in asked:
            size = sum(self.weight(word) for word in words)
            total += size
            where = self._leaf(words, at, column, low, high, used)
            if where is not None:
                used.add(where)
                found[path] = (self.numbers[where[0]], where[1])
                held += size
        if total and held / total < _ENOUGH:
            return None
        return Spot((self.numbers[at], column), found, held / total if total else 0.0)

    def _leaf(
        self, words: list[str], at: int, column: int, low: int, high: int, used: set[Place]
    ) -> Place | None:
        """The place of one leaf near its row: the line that holds most of its words, the row's own line first."""
        if not words:
            return None
        need = 0.5 * len(words)
        best: tuple[float, int] | None = None
        for line in sorted(
            range(max(at - _NEAR, low), min(at + _NEAR + 1, high)), key=lambda line: (abs(line - at), -line)
        ):
            held = sum(word in self._words[line] for word in words)
            if held >= need and (best is None or held > best[0]):
                best = (held, line)
                if held == len(words):
                    break
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


def _own_leaves(row: Any) -> list[tuple[Path, Any]]:
    """What a row is found by: its own leaves, else those of the rows in it."""
    own = [(path, value) for path, value in leaves(row, lists=False) if words_in(value)]
    return own or [(path, value) for path, value in leaves(row) if words_in(value)][:200]


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
