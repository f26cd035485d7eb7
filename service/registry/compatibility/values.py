"""Whether one value meets a subschema: for enumerated values, and for records that show a difference."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from service.registry.compatibility.judge import has_format
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


def admits(node: Node, value: Any, depth: int = 0, *, formats: bool = False) -> bool:
    """Whether ``value`` is valid under ``node``. Patterns that cannot be read hold, and so do formats unless asserted.

    Raises ``TooDeep``.
    """
    return _admits(node, value, _Try(depth, formats))


@dataclass(frozen=True, slots=True)
class _Try:
    """How deep the trial is, and whether formats are asserted."""

    depth: int
    formats: bool

    def deeper(self) -> "_Try":
        if self.depth >= _MAX_DEPTH:
            raise TooDeep
        return _Try(self.depth + 1, self.formats)


def _admits(node: Node, value: Any, way: _Try) -> bool:
    words = node.source.words(node)
    if words.never:
        return False
    if not words.says:
        return True
    deeper = way.deeper()
    if not all(_admits(part, value, deeper) for part in words.everywhere):
        return False
    return (
        _own(words, value)
        and (not way.formats or _formatted(node, words, value))
        and _branches(words, value, deeper)
        and _INSIDE.get(kind_of(value), _nothing)(words, value, deeper)
        and _leftover(node, words, value, deeper)
    )


def _nothing(_: Words, __: Any, ___: _Try) -> bool:
    return True


def _formatted(node: Node, words: Words, value: Any) -> bool:
    if words.format is None or not isinstance(value, str):
        return True
    return has_format(node.site.dialect.draft, words.format, value)


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


def _branches(words: Words, value: Any, way: _Try) -> bool:
    if words.any_of is not None and not any(_admits(one, value, way) for one in words.any_of):
        return False
    if words.one_of is not None and sum(_admits(one, value, way) for one in words.one_of) != 1:
        return False
    if words.excluded is not None and _admits(words.excluded, value, way):
        return False
    given = words.conditional
    if given is not None and (given.then is not None or given.otherwise is not None):
        then = given.then if _admits(given.condition, value, way) else given.otherwise
        return then is None or _admits(then, value, way)
    return True


def _array(words: Words, value: list[Any], way: _Try) -> bool:
    if not _sized(words, len(value), "Items"):
        return False
    for index, item in enumerate(value):
        node = words.prefix[index] if index < len(words.prefix) else words.items
        if node is not None and not _admits(node, item, way):
            return False
    if words.contains is not None:
        node, least, most = words.contains
        count = sum(_admits(node, item, way) for item in value)
        if count < least or (most is not None and count > most):
            return False
    return not words.unique or len(set(map(identity, value))) == len(value)


def _object(words: Words, value: dict[str, Any], way: _Try) -> bool:
    if not _sized(words, len(value), "Properties") or any(name not in value for name in words.required):
        return False
    for name, member in value.items():
        if not all(_admits(node, member, way) for node in holding(words, name)):
            return False
        if words.names is not None and not _admits(words.names, name, way):
            return False
    for name, wanted in words.needed_with.items():
        if name in value and any(other not in value for other in wanted):
            return False
    return all(_admits(node, value, way) for name, node in words.holds_with.items() if name in value)


_INSIDE: dict[str, Callable[[Words, Any, _Try], bool]] = {"array": _array, "object": _object}


def _leftover(node: Node, words: Words, value: Any, way: _Try) -> bool:
    """``unevaluatedProperties`` and ``unevaluatedItems``."""
    if words.unevaluated is not None and isinstance(value, dict):
        left = set(value) - _evaluated(node, value, way, own=True)
        return all(_admits(words.unevaluated, value[name], way) for name in left)
    if words.unevaluated_items is not None and isinstance(value, list):
        left = set(range(len(value))) - _evaluated(node, value, way, own=True)
        return all(_admits(words.unevaluated_items, value[index], way) for index in left)
    return True


def _evaluated(node: Node, value: Any, way: _Try, *, own: bool = False) -> set[Any]:
    """Names or indices that a schema which holds evaluates; with ``own``, what is unevaluated aside."""
    words, way = node.source.words(node), way.deeper()
    if isinstance(value, dict):
        found = _named(words, value)
        more = words.unevaluated
    else:
        found = _counted(node, words, value, way)
        more = words.unevaluated_items
    if more is not None and not own:
        return set(value) if isinstance(value, dict) else set(range(len(value)))
    parts = [*words.everywhere, *(words.one_of or ()), *(words.any_of or ())]
    parts += [part for name, part in words.holds_with.items() if isinstance(value, dict) and name in value]
    if words.conditional is not None:
        given = words.conditional
        met = _admits(given.condition, value, way)
        parts += [
            one for one in ((given.condition, given.then) if met else (given.otherwise,)) if one is not None
        ]
    for part in parts:
        if _admits(part, value, way):
            found |= _evaluated(part, value, way)
    return found


def _named(words: Words, value: dict[str, Any]) -> set[Any]:
    if words.additional is not None:
        return set(value)
    found = {name for name in value if name in words.properties}
    return found | {
        name for name in value for pattern in words.patterns if matches(pattern, name) is not False
    }


def _counted(node: Node, words: Words, value: list[Any], way: _Try) -> set[Any]:
    if words.items is not None:
        return set(range(len(value)))
    found = set(range(min(len(words.prefix), len(value))))
    if words.contains is not None and node.site.dialect.draft == "2020-12":  # earlier it evaluated nothing
        found |= {index for index, item in enumerate(value) if _admits(words.contains[0], item, way)}
    return found


def holding(words: Words, name: str) -> Iterable[Node]:
    """The subschemas that one object schema has for a member of this name."""
    found = [words.properties[name]] if name in words.properties else []
    found += [node for pattern, node in words.patterns.items() if matches(pattern, name) is not False]
    if not found and words.additional is not None:
        found = [words.additional]
    return found
