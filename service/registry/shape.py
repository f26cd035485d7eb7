"""The shape of a schema: what decides which records are valid, without words and without order. Pure."""

from collections.abc import Mapping
from typing import Any

from service.foundation import jsontext

_WORDS = frozenset(
    ["title", "description", "default", "examples", "$comment", "deprecated", "readOnly", "writeOnly"]
)
_NAMED = frozenset(
    [
        "$defs",
        "definitions",
        "dependencies",
        "dependentSchemas",
        "patternProperties",
        "properties",
    ]
)
_ONE = frozenset(
    [
        "additionalItems",
        "additionalProperties",
        "contains",
        "else",
        "if",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    ]
)
_MANY = frozenset(["allOf", "anyOf", "oneOf", "prefixItems"])
_SETS = frozenset(["enum", "required", "type"])


def shape(schema: Any) -> Any:
    """A schema without annotations, its sets sorted; equal shapes have equal canonical JSON.

    Walks subschemas by keyword: a property may well be called "title".
    """
    if not isinstance(schema, Mapping):
        return schema
    return {keyword: _keyword(keyword, value) for keyword, value in schema.items() if keyword not in _WORDS}


def _keyword(keyword: str, value: Any) -> Any:
    if keyword in _NAMED and isinstance(value, Mapping):
        return {name: shape(child) for name, child in value.items()}
    if keyword in _ONE:
        return shape(value)
    if keyword == "items":
        return [shape(child) for child in value] if isinstance(value, list) else shape(value)
    if keyword in _MANY and isinstance(value, list):
        return [shape(child) for child in value]
    if keyword in _SETS and isinstance(value, list):
        return sorted(value, key=jsontext.canonical)
    return value
