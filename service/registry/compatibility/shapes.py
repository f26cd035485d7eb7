"""Whether two subschemas say the same, words for people aside."""

from typing import Protocol

from service.registry.compatibility.words import Node, Words


class _Budget(Protocol):
    def spend(self, steps: int = 1) -> None: ...


class Shapes:
    """Compares places of two documents, references followed on both sides."""

    def __init__(self, budget: _Budget) -> None:
        self._budget = budget
        self._known: dict[tuple[Node, Node], bool] = {}

    def same(self, one: Node, other: Node) -> bool:
        """Whether both admit plainly the same values. What refers to itself is the same until a difference is met."""
        if one == other:
            return True
        known = self._known.get((one, other))
        if known is not None:
            return known
        assumed: dict[tuple[Node, Node], bool] = {}
        found = self._compare(one, other, assumed, 0)
        if found:
            self._known.update(assumed)  # all of them held together
        self._known[one, other] = found
        return found

    def _compare(self, one: Node, other: Node, assumed: dict[tuple[Node, Node], bool], depth: int) -> bool:
        if one == other or (one, other) in assumed:
            return True
        known = self._known.get((one, other))
        if known is not None:
            return known
        if depth > 200:
            return False
        self._budget.spend()
        assumed[one, other] = True
        mine, theirs = _behind(one), _behind(other)
        if mine.never or theirs.never:
            return mine.never and theirs.never
        if not _plainly_equal(mine, theirs):
            return False
        pairs = _paired(mine, theirs)
        return pairs is not None and all(self._compare(*pair, assumed, depth + 1) for pair in pairs)


def _behind(node: Node) -> Words:
    """What a node says, without references and ``allOf`` of one that say nothing else."""
    for _ in range(50):
        words = node.source.words(node)
        if len(words.everywhere) != 1 or len(words.says - _SILENT) != 1:
            return words
        node = words.everywhere[0]
    return words


_SILENT = frozenset(
    [
        "$anchor", "$comment", "$defs", "$id", "$schema", "default", "definitions", "deprecated", "description",
        "examples", "id", "readOnly", "title", "writeOnly",
    ]
)  # fmt: skip

_PLAIN = (
    "kinds",
    "whole",
    "low",
    "high",
    "multiple",
    "pattern",
    "format",
    "unique",
    "needed_with",
    "among",
    "not_among",
)


def _plainly_equal(one: Words, other: Words) -> bool:
    return (
        all(getattr(one, name) == getattr(other, name) for name in _PLAIN)
        and {name: size for name, size in one.sizes.items() if size or name.startswith("max")}
        == {name: size for name, size in other.sizes.items() if size or name.startswith("max")}
        and set(one.required) == set(other.required)
    )


def _paired(one: Words, other: Words) -> list[tuple[Node, Node]] | None:
    """Subschemas that stand at the same places; None where one has a place that the other has not."""
    pairs: list[tuple[Node, Node]] = []
    for name in ("items", "additional", "names", "excluded", "unevaluated", "unevaluated_items"):
        mine, theirs = getattr(one, name), getattr(other, name)
        if (mine is None) != (theirs is None):
            return None
        if mine is not None:
            pairs.append((mine, theirs))
    for name in ("everywhere", "any_of", "one_of", "prefix"):
        first, second = getattr(one, name) or [], getattr(other, name) or []
        if len(first) != len(second):
            return None
        pairs += zip(first, second, strict=True)
    for name in ("properties", "patterns", "holds_with"):
        these, those = getattr(one, name), getattr(other, name)
        if these.keys() != those.keys():
            return None
        pairs += [(node, those[key]) for key, node in these.items()]
    return pairs if _pair_rest(one, other, pairs) else None


def _pair_rest(one: Words, other: Words, pairs: list[tuple[Node, Node]]) -> bool:
    if (one.contains is None) != (other.contains is None) or (one.conditional is None) != (
        other.conditional is None
    ):
        return False
    if one.contains is not None and other.contains is not None:
        if one.contains[1:] != other.contains[1:]:
            return False
        pairs.append((one.contains[0], other.contains[0]))
    if one.conditional is not None and other.conditional is not None:
        for name in ("condition", "then", "otherwise"):
            mine, theirs = getattr(one.conditional, name), getattr(other.conditional, name)
            if (mine is None) != (theirs is None):
                return False
            if mine is not None:
                pairs.append((mine, theirs))
    return True
