"""Whether a schema's keywords have values of the right kind: what the drafts' metaschemas say, in one table."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from service.strict.drafts import Dialect
from service.strict.values import is_sane

TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")


def _schema(value: Any) -> bool:
    return isinstance(value, dict | bool)


def _schemas(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_schema, value))


def _named_schemas(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_schema, value.values()))


def _number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return is_sane(value) if isinstance(value, int) else isinstance(value, float) and math.isfinite(value)


def _positive(value: Any) -> bool:
    return _number(value) and value > 0


def _count(value: Any) -> bool:
    return _number(value) and value >= 0 and value == int(value)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _types(value: Any) -> bool:
    if isinstance(value, str):
        return value in TYPES
    return isinstance(value, list) and bool(value) and all(isinstance(x, str) and x in TYPES for x in value)


def _dependencies(value: Any) -> bool:
    return isinstance(value, dict) and all(_schema(x) or _names(x) for x in value.values())


_Rule = tuple[Callable[[Any], bool], str]
_RULES: Mapping[str, _Rule] = {
    **dict.fromkeys(
        (
            "additionalItems", "additionalProperties", "contains", "else", "if", "not", "propertyNames", "then",
            "unevaluatedItems", "unevaluatedProperties",
        ),
        (_schema, "must be a schema"),
    ),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), (_schemas, "must be a non-empty array of schemas")),
    **dict.fromkeys(
        ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties"),
        (_named_schemas, "must be an object of schemas"),
    ),
    **dict.fromkeys(
        ("maxContains", "maxItems", "maxLength", "maxProperties", "minContains", "minItems", "minLength",
         "minProperties"),
        (_count, "must be a non-negative integer"),
    ),
    **dict.fromkeys(("maximum", "minimum"), (_number, "must be a number")),
    **dict.fromkeys(("$dynamicRef", "$recursiveRef", "$ref", "format", "pattern"), (_text, "must be a string")),
    "dependencies": (_dependencies, "must be an object of schemas or arrays of names"),
    "dependentRequired": (
        lambda value: isinstance(value, dict) and all(map(_names, value.values())),
        "must be an object of arrays of names",
    ),
    "enum": (lambda value: isinstance(value, list) and bool(value), "must be a non-empty array"),
    "items": (lambda value: _schema(value) or value == [] or _schemas(value), "must be a schema or an array of schemas"),
    "multipleOf": (_positive, "must be a number above zero"),
    "required": (_names, "must be an array of property names"),
    "type": (_types, f"must be one or more of {', '.join(TYPES)}"),
    "uniqueItems": (_flag, "must be a boolean"),
}  # fmt: skip


def fault(node: Mapping[str, Any], dialect: Dialect) -> tuple[str, str] | None:
    """The first keyword with a value that no schema may have, and what it must be; ``None`` where all is well."""
    return next(faults(node, dialect), None)


def faults(node: Mapping[str, Any], dialect: Dialect) -> Iterator[tuple[str, str]]:
    """Every keyword with a value that no schema may have, and what it must be."""
    if dialect.ref_hides_siblings and isinstance(node.get("$ref"), str):
        return
    for keyword, value in node.items():
        if keyword in {"exclusiveMinimum", "exclusiveMaximum"}:
            if not (_flag if dialect.boolean_exclusive else _number)(value):
                yield keyword, "must be a boolean" if dialect.boolean_exclusive else "must be a number"
            continue
        rule = _RULES.get(keyword)
        if rule is not None and dialect.knows(keyword) and not rule[0](value):
            yield keyword, rule[1]
