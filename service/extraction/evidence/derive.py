"""Values that are not printed as such, and still have a reason: categories, counts, positions, pages, sums."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from service.extraction.evidence.index import Index
from service.extraction.evidence.leaves import Leaf, Path
from service.extraction.evidence.outline import Facts, Outline, Way

Derivation = Literal["boolean", "category", "code", "constant", "count", "position", "page", "computed"]
"""``category``: one of a closed list; ``code``: of a language or country; ``count``: as long as a list beside it; ``position``: the place of its item in its
list; ``page``: the page on which values beside it were found; ``computed``: sum, difference or product of values beside
it that were found."""

_CODE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")

_SIGNIFICANT = 10
"""Below, sums and products come out by chance."""

_MOST_OPERANDS = 40

_EFFORT = 300_000
"""Leaves that are looked at for one record, beyond which numbers are not explained any more."""


@dataclass(slots=True)
class _Family:
    """What stands around a leaf in the record: in its object, and below it."""

    lists: dict[str | int, int] = field(default_factory=dict)
    """Member → how long the list is."""
    columns: dict[Way, list[float]] = field(default_factory=dict)
    """The found numbers of lists, by the way to them."""
    beside: list[tuple[int, float]] = field(default_factory=list)
    """The found numbers of the same object, with their places among the leaves."""
    pages: set[int] = field(default_factory=set)


class Derivations:
    """Explains the leaves of one record. ``leaves`` are in the order of the record, with their places chosen."""

    def __init__(self, index: Index, leaves: Sequence[Leaf], outline: Outline) -> None:
        self._index = index
        self._leaves = leaves
        self._outline = outline
        self._effort = _EFFORT
        self._families: dict[Path, _Family] = {}
        """Object → what all leaves in it are: the same for each that was not found itself."""

    def of(self, at: int) -> Derivation | None:
        """Why the value of the leaf at a place may be right without being printed, None when nothing speaks for it."""
        leaf = self._leaves[at]
        if isinstance(leaf.value, bool):
            return "boolean"
        facts = self._outline.facts(leaf.way)
        if facts.constant:
            return "constant"
        if facts.category:
            return "category"
        if isinstance(leaf.value, str):
            return "code" if facts.code and _CODE.fullmatch(leaf.value) else None
        return self._number(at, leaf, facts)

    def _number(self, at: int, leaf: Leaf, facts: Facts) -> Derivation | None:
        value, path = leaf.value, leaf.path
        if not path or type(path[-1]) is int:
            return None
        if facts.numbers_items:
            last = next((step for step in reversed(path) if type(step) is int), None)
            if last is not None and value in (last, last + 1):
                return "position"
        family = self._family(at)
        if facts.page and value in family.pages:
            return "page"
        if facts.counts and value in family.lists.values():
            return "count"
        if abs(value) < _SIGNIFICANT:
            return None
        if any(len(column) > 1 and _equal(sum(column), value) for column in family.columns.values()):
            return "computed"
        nearest = sorted(family.beside, key=lambda beside: (beside[0] > at, abs(beside[0] - at)))
        operands = [other for _, other in nearest[:_MOST_OPERANDS]]
        return "computed" if _of_two(operands, value) else None

    def _family(self, at: int) -> _Family:
        """What stands around a leaf, without itself."""
        leaf = self._leaves[at]
        parent = leaf.path[:-1]
        if leaf.chosen is not None:
            return self._gathered(at, parent)
        found = self._families.get(parent)
        if found is None:
            found = self._families[parent] = self._gathered(at, parent)
        return found

    def _gathered(self, at: int, parent: Path) -> _Family:
        depth = len(parent)
        found = _Family()
        index, lists, columns = self._index, found.lists, found.columns
        for near, other in self._under(at, parent):
            path, chosen = other.path, other.chosen
            number = chosen is not None and _is_number(other.value)
            if chosen is not None:
                found.pages.add(index.pages[index.page_at(chosen.start)].number)
            if len(path) == depth + 1:
                if number:
                    found.beside.append((near, other.value))
            elif type(step := path[depth + 1]) is int:
                name = path[depth]
                if lists.get(name, 0) <= step:
                    lists[name] = step + 1
                if number:
                    columns.setdefault(other.way[depth:], []).append(other.value)
        return found

    def _under(self, at: int, parent: Path) -> Iterator[tuple[int, Leaf]]:
        """The other leaves below an object, with their places: they stand together."""
        leaves, depth = self._leaves, len(parent)
        for places in (range(at - 1, -1, -1), range(at + 1, len(leaves))):
            for near in places:
                other = leaves[near]
                if self._effort <= 0 or (depth and other.path[:depth] != parent):
                    break
                self._effort -= 1
                yield near, other


def _of_two(numbers: list[float], value: float) -> bool:
    for at, one in enumerate(numbers):
        for other in numbers[at + 1 :]:
            if _equal(one + other, value) or _equal(one - other, value) or _equal(other - one, value):
                return True
            if min(abs(one), abs(other)) > 1 and _equal(round(one * other, 2), value):
                return True
    return False


def _is_number(value: Any) -> bool:
    return type(value) is float or type(value) is int


def _equal(one: float, other: float) -> bool:
    return abs(one - other) < 0.005
