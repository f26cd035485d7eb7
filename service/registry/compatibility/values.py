"""Whether one value meets a subschema: for enumerated values, and for records that show a difference."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from service.registry.compatibility.words import Node, Words, identity
from service.strict import searcher

_MAX_DEPTH = 64


class TooDeep(Exception):
    """The value or the schema nests too deep to be tried."""


def kind_of(value: Any) -> str:
    """The kind of a JSON value: ``number`` with or without a fraction."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def matches(pattern: str, text: str) -> bool | None:
    """Whether a pattern occurs in a text; None for a pattern that cannot be read."""
    search = searcher(pattern)
    return None if search is None else bool(search(text))


def admits(node: Node, value: Any, depth: int = 0) -> bool:
    """Whether ``value`` is valid under ``node``. Formats are not asserted; patterns that cannot be read hold.

    Raises ``TooDeep``.
    """
    if depth > _MAX_DEPTH:
        raise TooDeep
    words = node.source.words(node)
    if words.never:
        return False
    if not all(admits(part, value, depth + 1) for part in words.everywhere):
        return False
    return (
        _own(words, value)
        and _branches(words, value, depth)
        and _INSIDE.get(kind_of(value), _nothing)(words, value, depth)
    )


def _nothing(_: Words, __: Any, ___: int) -> bool:
    return True


def _own(words: Words, value: Any) -> bool:
    kind = kind_of(value)
    if kind not in words.kinds:
        return False
    if words.among is not None and identity(value) not in words.among:
        return False
    if words.not_among is not None and identity(value) in words.not_among:
        return False
    if kind == "number":
        return _number(words, value)
    if kind == "string":
        sized = _sized(words, len(value), "Length")
        return sized and (words.pattern is None or matches(words.pattern, value) is not False)
    return True


def _number(words: Words, value: float) -> bool:
    exact = Fraction(str(value)) if value == value and abs(value) != float("inf") else None
    if exact is None:
        return False
    if words.whole and exact.denominator != 1:
        return False
    if words.low is not None and (exact < words.low[0] or (words.low[1] and exact == words.low[0])):
        return False
    if words.high is not None and (exact > words.high[0] or (words.high[1] and exact == words.high[0])):
        return False
    return words.multiple is None or words.multiple == 0 or (exact / words.multiple).denominator == 1


def _sized(words: Words, size: int, what: str) -> bool:
    most = words.sizes.get(f"max{what}")
    return words.sizes.get(f"min{what}", 0) <= size and (most is None or size <= most)


def _branches(words: Words, value: Any, depth: int) -> bool:
    if words.any_of is not None and not any(admits(one, value, depth + 1) for one in words.any_of):
        return False
    if words.one_of is not None and sum(admits(one, value, depth + 1) for one in words.one_of) != 1:
        return False
    if words.excluded is not None and admits(words.excluded, value, depth + 1):
        return False
    if words.conditional is not None:
        met = admits(words.conditional.condition, value, depth + 1)
        then = words.conditional.then if met else words.conditional.otherwise
        return then is None or admits(then, value, depth + 1)
    return True


def _array(words: Words, value: list[Any], depth: int) -> bool:
    if not _sized(words, len(value), "Items"):
        return False
    for index, item in enumerate(value):
        node = words.prefix[index] if index < len(words.prefix) else words.items
        if node is not None and not admits(node, item, depth + 1):
            return False
    if words.contains is not None:
        node, least, most = words.contains
        count = sum(admits(node, item, depth + 1) for item in value)
        if count < least or (most is not None and count > most):
            return False
    return not words.unique or len(set(map(identity, value))) == len(value)


def _object(words: Words, value: dict[str, Any], depth: int) -> bool:
    if not _sized(words, len(value), "Properties") or any(name not in value for name in words.required):
        return False
    for name, member in value.items():
        if not all(admits(node, member, depth + 1) for node in holding(words, name)):
            return False
        if words.names is not None and not admits(words.names, name, depth + 1):
            return False
    for name, wanted in words.needed_with.items():
        if name in value and any(other not in value for other in wanted):
            return False
    return all(admits(node, value, depth + 1) for name, node in words.holds_with.items() if name in value)


_INSIDE: dict[str, Callable[[Words, Any, int], bool]] = {"array": _array, "object": _object}


def holding(words: Words, name: str) -> Iterable[Node]:
    """The subschemas that one object schema has for a member of this name."""
    found = [words.properties[name]] if name in words.properties else []
    found += [node for pattern, node in words.patterns.items() if matches(pattern, name) is not False]
    if not found and words.additional is not None:
        found = [words.additional]
    return found
