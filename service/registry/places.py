"""Places of a record: JSON Pointers with ``*`` for every item of a list or every member of a map. Pure.

``/lines/*/amount`` is the amount of each line. ``declared`` looks a place up in a schema: which subschemas it has there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

MAX_STEPS = 32
_MAX_CHARACTERS = 1000
_MAX_ALTERNATIVES = 512
"""Subschemas looked at for one step. Beyond, the schema is taken to allow anything there."""


@dataclass(frozen=True, slots=True)
class Place:
    """The steps of a pointer; None is a ``*``."""

    steps: tuple[str | None, ...]

    @override
    def __str__(self) -> str:
        return "".join(
            "/" + ("*" if step is None else step.replace("~", "~0").replace("/", "~1")) for step in self.steps
        )

    @property
    def stars(self) -> tuple[tuple[str | None, ...], ...]:
        """For each ``*`` the steps up to and with it, outermost first."""
        return tuple(self.steps[: index + 1] for index, step in enumerate(self.steps) if step is None)


def parse(text: str) -> Place:
    """The place that a pointer names. Raises ``ValueError`` with what is wrong."""
    if len(text) > _MAX_CHARACTERS:
        raise ValueError(f"is longer than {_MAX_CHARACTERS} characters")
    if text and not text.startswith("/"):
        raise ValueError("is not a JSON Pointer: it begins with `/`")
    steps = text.split("/")[1:]
    if len(steps) > MAX_STEPS:
        raise ValueError(f"is deeper than {MAX_STEPS} levels")
    return Place(tuple(None if step == "*" else step.replace("~1", "/").replace("~0", "~") for step in steps))


def declared(schema: Any, place: Place) -> tuple[Any, ...] | int:
    """The subschemas at a place, references followed and alternatives opened; never empty.

    Where the schema declares nothing, the number of the step at which that begins.
    """
    here = _opened(schema, [schema])
    for number, step in enumerate(place.steps):
        found = [child for node in here for child in _children(node, step)]
        if not found:
            return number
        here = _opened(schema, found)
    return here


def types(nodes: Sequence[Any]) -> frozenset[str] | None:
    """The JSON types that a value may have there, without ``null``; None when any type may."""
    found: set[str] = set()
    for node in nodes:
        named = _types(node)
        if named is None:
            return None
        found |= named
    return frozenset(found - {"null"})


def _types(node: Any) -> set[str] | None:
    if not isinstance(node, Mapping):
        return set() if node is False else None
    named = node.get("type")
    if isinstance(named, str):
        return {named}
    if isinstance(named, list):
        return {name for name in named if isinstance(name, str)}
    values = (
        node["enum"] if isinstance(node.get("enum"), list) else [node["const"]] if "const" in node else None
    )
    if values is not None:
        return {_type_of(value) for value in values}
    # A node that only passes on to others says nothing itself; those are opened beside it.
    return set() if any(keyword in node for keyword in ("$ref", *_BRANCHES)) else None


def _type_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


_BRANCHES = ("allOf", "anyOf", "oneOf")
_SINGLE = ("then", "else")


def _opened(root: Any, nodes: Sequence[Any]) -> tuple[Any, ...]:
    """The nodes and everything that applies at the same place: targets of references, branches."""
    found: list[Any] = []
    seen: set[int] = set()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            if id(node) in seen:
                continue
            seen.add(id(node))
            if len(seen) > _MAX_ALTERNATIVES:
                return (True,)
            waiting.extend(_beside(root, node))
        found.append(node)
    return tuple(found)


def _beside(root: Any, node: Mapping[str, Any]) -> Iterator[Any]:
    reference = node.get("$ref")
    if isinstance(reference, str):
        yield _target(root, reference)
    for keyword in _BRANCHES:
        branches = node.get(keyword)
        if isinstance(branches, list):
            yield from branches
    for keyword in _SINGLE:
        if keyword in node:
            yield node[keyword]


def _target(root: Any, reference: str) -> Any:
    """What a reference names; anything (``True``) where it is not a pointer into this schema."""
    if not reference.startswith("#") or (len(reference) > 1 and not reference.startswith("#/")):
        return True
    node = root
    for step in reference.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        if isinstance(node, Mapping) and step in node:
            node = node[step]
        elif isinstance(node, list) and step.isascii() and step.isdigit() and int(step) < len(node):
            node = node[int(step)]
        else:
            return True
    return node


def _children(node: Any, step: str | None) -> Iterator[Any]:
    """What a node declares for one step below it."""
    if node is True or (isinstance(node, Mapping) and _says_nothing(node)):
        yield True
    if not isinstance(node, Mapping):
        return
    yield from _items(node, step)
    yield from _members(node, step)


def _says_nothing(node: Mapping[str, Any]) -> bool:
    """An object without declared members, a list without declared items, or no type at all."""
    types = _types(node)
    shaped = any(
        keyword in node
        for keyword in ("properties", "patternProperties", "additionalProperties", "items", "prefixItems")
    )
    return not shaped and (types is None or bool(types & {"object", "array"}))


def _items(node: Mapping[str, Any], step: str | None) -> Iterator[Any]:
    if step is not None and not (step.isascii() and step.isdigit()):
        return
    items = node.get("items")
    first = items if isinstance(items, list) else node.get("prefixItems")
    first = first if isinstance(first, list) else []
    rest = node.get("additionalItems") if isinstance(items, list) else items
    if step is None:
        yield from first
    elif int(step) < len(first):
        yield first[int(step)]
        return
    if rest is not None and rest is not False:
        yield rest


def _members(node: Mapping[str, Any], step: str | None) -> Iterator[Any]:
    declared_members = node.get("properties")
    if isinstance(declared_members, Mapping) and step in declared_members:
        yield declared_members[step]
        return
    patterns = node.get("patternProperties")
    if isinstance(patterns, Mapping):
        yield from patterns.values()
    rest = node.get("additionalProperties")
    if rest is not None and rest is not False:
        yield rest
