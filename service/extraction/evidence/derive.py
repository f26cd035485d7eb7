"""Values that are not printed as such, and still have a reason: categories, counts, positions, pages, sums."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from service.extraction.evidence.index import Index
from service.extraction.evidence.leaves import Leaf
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
    beside: list[float] = field(default_factory=list)
    """The found numbers of the same object."""
    pages: set[int] = field(default_factory=set)


class Derivations:
    """Explains the leaves of one record. ``leaves`` are in the order of the record, with their places chosen."""

    def __init__(self, index: Index, leaves: Sequence[Leaf], outline: Outline) -> None:
        self._index = index
        self._leaves = leaves
        self._outline = outline
        self._effort = _EFFORT

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
        return "computed" if _of_two(family.beside[:_MOST_OPERANDS], value) else None

    def _family(self, at: int) -> _Family:
        parent = self._leaves[at].path[:-1]
        depth = len(parent)
        found = _Family()
        for other in self._under(at, parent):
            path = other.path
            number = other.chosen is not None and _is_number(other.value)
            if other.chosen is not None:
                found.pages.add(self._index.pages[self._index.page_at(other.chosen.start)].number)
            if len(path) == depth + 1:
                if number:
                    found.beside.append(other.value)
            elif type(step := path[depth + 1]) is int:
                found.lists[path[depth]] = max(found.lists.get(path[depth], 0), step + 1)
                if number:
                    found.columns.setdefault(other.way[depth:], []).append(other.value)
        return found

    def _under(self, at: int, parent: tuple[str | int, ...]) -> Iterator[Leaf]:
        """The other leaves below an object: they stand together."""
        depth = len(parent)
        for step in (-1, 1):
            near = at + step
            while 0 <= near < len(self._leaves) and self._effort > 0:
                self._effort -= 1
                if self._leaves[near].path[:depth] != parent:
                    break
                yield self._leaves[near]
                near += step


def _of_two(numbers: list[float], value: float) -> bool:
    for at, one in enumerate(numbers):
        for other in numbers[at + 1 :]:
            if any(_equal(made, value) for made in (one + other, one - other, other - one)):
                return True
            if min(abs(one), abs(other)) > 1 and _equal(round(one * other, 2), value):
                return True
    return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(one: float, other: float) -> bool:
    return abs(one - other) < 0.005
