"""What schemas and values say of a record's shape: its lists, and what is equal in it. Pure."""

import math
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from service.extraction.segments.relaxed import resolved
from service.extraction.segments.words import leaves, nested

_DEEP = 12
"""Levels of a row's schema that are looked through."""


def shape_of(schema: Any, root: Any, like: Any) -> Any:
    """The schema of a value, behind references; of alternatives, the only one for lists or objects, as ``like`` is one."""
    schema = resolved(schema, root)
    if not isinstance(schema, Mapping):
        return None
    if "properties" in schema or "items" in schema:
        return schema
    for keyword in ("anyOf", "oneOf", "allOf"):
        choices = schema.get(keyword)
        if isinstance(choices, list):
            shapes = [resolved(choice, root) for choice in choices]
            wanted = "items" if isinstance(like, list) else "properties"
            fitting = [shape for shape in shapes if isinstance(shape, Mapping) and wanted in shape]
            if len(fitting) == 1:
                return fitting[0]
    return schema


def member(schema: Any, name: str) -> Any:
    """The schema of a member; None where nothing is known of it."""
    if not isinstance(schema, Mapping):
        return None
    properties = schema.get("properties")
    if isinstance(properties, Mapping) and name in properties:
        return properties[name]
    rest = schema.get("additionalProperties")
    return rest if isinstance(rest, Mapping) else None


def items_of(schema: Any, root: Any) -> Any:
    """The schema of a list's rows."""
    return resolved(schema.get("items"), root) if isinstance(schema, Mapping) else None


def concluded_in(schema: Any, root: Any, depth: int = 0) -> Iterator[tuple[str, ...]]:
    """The members of rows, by names, whose values are words of the schema: enumerations, constants, yes and no."""
    schema = resolved(schema, root)
    if not isinstance(schema, Mapping) or depth > _DEEP:
        return
    if "enum" in schema or "const" in schema or schema.get("type") == "boolean":
        yield ()
    yield from concluded_in(schema.get("items"), root, depth + 1)
    properties = schema.get("properties")
    for name, child in properties.items() if isinstance(properties, Mapping) else ():
        for names in concluded_in(child, root, depth + 1):
            yield (name, *names)


def holds_rows(row: Any) -> bool:
    """Whether there are lists of rows in a row."""
    return any(True for _ in nested(row))


def squeezed(text: str) -> str:
    """Without differences of white space."""
    return " ".join(text.split())


def kind_of(value: Any) -> str:
    """``object``, ``list`` or ``scalar``."""
    return "object" if isinstance(value, Mapping) else "list" if isinstance(value, list) else "scalar"


def says_nothing(value: Any) -> bool:
    """Whether a value has no leaf that says something."""
    return (
        value is None
        or value == ""
        or (isinstance(value, Mapping | list) and not any(True for _ in leaves(value)))
    )


def same(value: Any) -> Hashable:
    """Equal for values that say the same: numbers by value, text but for case and spaces."""
    if isinstance(value, bool) or value is None:
        return ("literal", value)
    if isinstance(value, int | float):
        return ("number", value if math.isfinite(value) else repr(value))
    if isinstance(value, str):
        return ("text", squeezed(value).casefold())
    if isinstance(value, Mapping):
        return ("object", frozenset((name, same(child)) for name, child in value.items()))
    return ("list", tuple(same(child) for child in value))
