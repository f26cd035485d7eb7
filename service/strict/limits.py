"""The provider's limits on a schema (contract §3.3): counting against them, and hoisting what nests too deep."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_PROPERTIES = 5_000
MAX_DEPTH = 10
MAX_CHARACTERS = 120_000
MAX_ENUM_VALUES = 1_000

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")

_MAX_NESTING = 60
"""Levels of schema text in one definition; unions in unions are no levels to the provider, but somebody parses them."""


@dataclass(frozen=True, slots=True)
class Stats:
    """How much of the provider's limits a strict form uses."""

    properties: int
    depth: int
    characters: int
    enum_values: int
    max_properties: int = MAX_PROPERTIES
    max_depth: int = MAX_DEPTH
    max_characters: int = MAX_CHARACTERS
    max_enum_values: int = MAX_ENUM_VALUES

    @property
    def within(self) -> bool:
        """Whether all limits are kept."""
        return (
            self.properties <= self.max_properties
            and self.depth <= self.max_depth
            and self.characters <= self.max_characters
            and self.enum_values <= self.max_enum_values
        )


def parts(fragment: Mapping[str, Any]) -> Iterator[tuple[Any, Any, Any]]:
    """The fragments right below one: what holds them, under which key, and the fragment."""
    properties = fragment.get("properties")
    if isinstance(properties, dict):
        for name, part in properties.items():
            yield properties, name, part
    branches = fragment.get("anyOf")
    if isinstance(branches, list):
        for index, part in enumerate(branches):
            yield branches, index, part
    if "items" in fragment:
        yield fragment, "items", fragment["items"]


def is_container(fragment: Mapping[str, Any]) -> bool:
    """Whether a fragment is an object or array, and so a level."""
    kind = fragment.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    return "object" in kinds or "array" in kinds


def hoist(strict: dict[str, Any]) -> None:
    """Move what nests beyond ``MAX_DEPTH`` into definitions, in place: each definition is counted from its own start."""
    definitions: dict[str, Any] = strict.get("$defs", {})
    pending = [strict, *definitions.values()]
    while pending:
        stack = [(pending.pop(), 0, 0)]
        while stack:
            fragment, level, nesting = stack.pop()
            level += is_container(fragment)
            for holder, key, part in parts(fragment):
                if level + is_container(part) > MAX_DEPTH or nesting >= _MAX_NESTING:
                    name = fresh_name("part", definitions)
                    definitions[name] = part
                    holder[key] = {"$ref": f"#/$defs/{name}"}
                    pending.append(part)
                else:
                    stack.append((part, level, nesting + 1))
    if definitions:
        strict["$defs"] = definitions


def fresh_name(base: str, taken: Mapping[str, Any]) -> str:
    """A definition's name that is not taken, in letters that need no escaping."""
    base = _UNSAFE.sub("_", base).strip("_")[:40] or "part"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name


def measure(strict: Mapping[str, Any]) -> Stats:
    """Count a strict form against the limits. Objects and arrays on the longest path are its depth."""
    properties = characters = values = depth = 0
    definitions = strict.get("$defs", {})
    stack: list[tuple[Any, int]] = [(strict, 0)]
    for name, part in definitions.items():
        characters += len(name)
        stack.append((part, 0))
    while stack:
        fragment, level = stack.pop()
        level += is_container(fragment)
        depth = max(depth, level)
        names = fragment.get("properties", {})
        properties += len(names)
        characters += sum(map(len, names))
        listed = fragment.get("enum", ())
        values += len(listed)
        characters += sum(len(value) for value in listed if isinstance(value, str))
        if isinstance(fragment.get("const"), str):
            characters += len(fragment["const"])
        stack.extend((part, level) for _, _, part in parts(fragment))
    return Stats(properties, depth, characters, values)
