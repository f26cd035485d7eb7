"""Values that are not printed as such, and still have a reason: categories, counts, positions, sums."""

from typing import Any, Literal

from service.extraction.evidence.leaves import Leaf, Path
from service.extraction.evidence.outline import Outline

Derivation = Literal["boolean", "category", "constant", "count", "position", "computed"]
"""``category``: one of a closed list; ``count``: as long as a list beside it; ``position``: the place of its item in its
list; ``computed``: sum, difference or product of values beside it that were found."""

_SIGNIFICANT = 10
"""Below, sums and products come out by chance."""

_MOST_OPERANDS = 40


def derivation(leaf: Leaf, leaves: list[Leaf], outline: Outline) -> Derivation | None:
    """Why a value that is not in the document may be right, None when nothing speaks for it."""
    value = leaf.value
    if isinstance(value, bool):
        return "boolean"
    facts = outline.facts(leaf.way)
    if facts.constant:
        return "constant"
    if facts.category:
        return "category"
    if isinstance(value, str):
        return None
    return _arithmetic(leaf, leaves, countable=facts.countable)


def _arithmetic(leaf: Leaf, leaves: list[Leaf], *, countable: bool) -> Derivation | None:
    value = leaf.value
    indices = [step for step in leaf.path if type(step) is int]
    if countable and indices and value in (indices[-1], indices[-1] + 1):
        return "position"
    parent = leaf.path[:-1]
    depth = len(parent)
    lists: dict[str | int, int] = {}
    columns: dict[tuple[Path, ...], list[float]] = {}
    beside: list[float] = []
    for other in leaves:
        path = other.path
        if other is leaf or path[:depth] != parent:
            continue
        if len(path) > depth + 1 and type(path[depth + 1]) is int:
            lists[path[depth]] = max(lists.get(path[depth], 0), int(path[depth + 1]) + 1)
            if other.chosen is not None and _is_number(other.value):
                columns.setdefault(((path[depth],), path[depth + 2 :]), []).append(other.value)
        elif len(path) == depth + 1 and other.chosen is not None and _is_number(other.value):
            beside.append(other.value)
    if countable and value in lists.values():
        return "count"
    if abs(value) < _SIGNIFICANT:
        return None
    if any(len(column) > 1 and _equal(sum(column), value) for column in columns.values()):
        return "computed"
    return "computed" if _of_two(beside[:_MOST_OPERANDS], value) else None


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
