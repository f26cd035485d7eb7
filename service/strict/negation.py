"""What must hold for a schema not to: its negation, as schemas of which at least one applies.

Not every negation can be written in the subset. Then the result is wider than the truth and says so.
"""

from collections.abc import Callable, Mapping
from typing import Any

from service.strict.drafts import ONE, Dialect
from service.strict.shapes import TYPES

EXCLUDED = "\0excluded"
"""Our own keyword in synthetic schemas: values that are not allowed."""

_Alternatives = list[dict[str, Any]]
Negated = tuple[_Alternatives, bool]
"""Schemas of which one applies, and whether together they are exactly the negation."""

_OPEN = ONE - {"contains", "if", "not"}
"""Keywords with one subschema that say nothing where the subschema is ``true``."""

_ANYTHING: Negated = ([{}], False)


def _type(_: Mapping[str, Any], value: Any) -> Negated:
    refused = {value} if isinstance(value, str) else set(value)
    left = [kind for kind in TYPES if kind not in refused and kind != "integer"]
    if "number" in refused:
        return ([{"type": left}] if left else []), True
    return ([{"type": left}] if left else []), "integer" not in refused


def _values(_: Mapping[str, Any], value: Any) -> Negated:
    return [{EXCLUDED: value}], True


def _const(_: Mapping[str, Any], value: Any) -> Negated:
    return [{EXCLUDED: [value]}], True


def _required(_: Mapping[str, Any], value: Any) -> Negated:
    return [{"type": "object", "properties": {name: False}} for name in value], True


def _properties(_: Mapping[str, Any], value: Any) -> Negated:
    return [
        {"type": "object", "required": [name], "properties": {name: {"not": schema}}}
        for name, schema in value.items()
        if schema is not True and schema != {}
    ], True


def _bound(keyword: str, *, exclusive: str) -> Callable[[Mapping[str, Any], Any], Negated]:
    def negate(node: Mapping[str, Any], value: Any) -> Negated:
        if isinstance(node.get(exclusive), bool):
            return [{"type": "number"}], False
        return [{"type": "number", keyword: value}], True

    return negate


def _size(kind: str, keyword: str, step: int) -> Callable[[Mapping[str, Any], Any], Negated]:
    def negate(_: Mapping[str, Any], value: Any) -> Negated:
        size = int(value) + step
        return ([{"type": kind, keyword: size}] if size >= 0 else []), True

    return negate


def _any_of(_: Mapping[str, Any], value: Any) -> Negated:
    return [{"allOf": [{"not": schema} for schema in value]}], True


def _all_of(_: Mapping[str, Any], value: Any) -> Negated:
    return [{"not": schema} for schema in value], True


def _not(_: Mapping[str, Any], value: Any) -> Negated:
    return [value if isinstance(value, dict) else {} if value else {"not": {}}], True


def _unknown(_: Mapping[str, Any], __: Any) -> Negated:
    return _ANYTHING


def _excluded(_: Mapping[str, Any], value: Any) -> Negated:
    return [{"enum": value}], True


def _unique(_: Mapping[str, Any], value: Any) -> Negated:
    return ([{"type": "array"}], False) if value else ([], True)


def _limit(keyword: str) -> Callable[[Mapping[str, Any], Any], Negated]:
    def negate(_: Mapping[str, Any], value: Any) -> Negated:
        return ([], True) if isinstance(value, bool) else ([{"type": "number", keyword: value}], True)

    return negate


def _only(kind: str) -> Callable[[Mapping[str, Any], Any], Negated]:
    return lambda _, __: ([{"type": kind}], False)


def _nothing(_: Mapping[str, Any], __: Any) -> Negated:
    return [], True


_RULES: Mapping[str, Callable[[Mapping[str, Any], Any], Negated]] = {
    "$dynamicRef": _unknown,
    "$recursiveRef": _unknown,
    EXCLUDED: _excluded,
    "additionalItems": _only("array"),
    "additionalProperties": _only("object"),
    "allOf": _all_of,
    "anyOf": _any_of,
    "const": _const,
    "contains": _only("array"),
    "dependencies": _only("object"),
    "dependentRequired": _only("object"),
    "dependentSchemas": _only("object"),
    "enum": _values,
    "exclusiveMaximum": _limit("minimum"),
    "exclusiveMinimum": _limit("maximum"),
    "format": _nothing,
    "if": _unknown,
    "items": _only("array"),
    "maxItems": _size("array", "minItems", 1),
    "maxLength": _size("string", "minLength", 1),
    "maxProperties": _size("object", "minProperties", 1),
    "maximum": _bound("exclusiveMinimum", exclusive="exclusiveMaximum"),
    "minItems": _size("array", "maxItems", -1),
    "minLength": _size("string", "maxLength", -1),
    "minProperties": _size("object", "maxProperties", -1),
    "minimum": _bound("exclusiveMaximum", exclusive="exclusiveMinimum"),
    "multipleOf": _only("number"),
    "not": _not,
    "oneOf": _unknown,
    "pattern": _only("string"),
    "patternProperties": _only("object"),
    "prefixItems": _only("array"),
    "properties": _properties,
    "propertyNames": _only("object"),
    "required": _required,
    "type": _type,
    "unevaluatedItems": _only("array"),
    "unevaluatedProperties": _only("object"),
    "uniqueItems": _unique,
}


def negation(node: Any, dialect: Dialect, target: Any = None) -> Negated:
    """The negation of one schema; ``target`` is what its ``$ref``, if any, leads to.

    No alternative at all means that the schema always holds, so its negation never does.
    """
    if isinstance(node, bool):
        return ([] if node else [{}]), True
    if "$ref" in node and dialect.ref_hides_siblings:
        return [{"not": target}], True
    alternatives: _Alternatives = []
    exact = True
    for keyword, value in node.items():
        if keyword == "$ref":
            alternatives.append({"not": target})
        elif keyword in _OPEN and (value is True or value == {}):
            continue  # always holds
        elif dialect.knows(keyword):
            found, precise = _RULES.get(keyword, _nothing)(node, value)
            alternatives += found
            exact = exact and precise
    return alternatives, exact
