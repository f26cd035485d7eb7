"""What a part of a document is asked for: the schema with nothing required that the part may not say. Pure.

A part that lacks the title page must be able to leave the title out, and a row cut by its border must be able to leave
cells out; a form that requires them makes a model invent them. ``complete`` puts back what only the form needs.
"""

from collections.abc import Mapping
from typing import Any

_NESTED = ("properties", "patternProperties", "$defs", "definitions")
_SINGLE = ("items", "additionalProperties", "additionalItems")
_DROPPED = ("minItems", "minProperties", "contains", "minContains", "maxContains", "dependentRequired", "dependencies")
_DEEP = 64


def relaxed(schema: Any) -> Any:
    """The schema with every member optional whose value cannot be null, and without least lengths of lists.

    Alternatives (``anyOf``, ``oneOf``) stay as they are where what is required tells them apart.
    """
    return _relaxed(schema, schema, 0)


def _relaxed(schema: Any, root: Any, depth: int) -> Any:
    if not isinstance(schema, Mapping) or depth > _DEEP:
        return schema
    result: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in _DROPPED:
            continue
        if keyword == "required" and isinstance(value, list):
            properties = schema.get("properties")
            kept = [name for name in value if isinstance(properties, Mapping) and nullable(properties.get(name), root)]
            if kept:
                result[keyword] = kept
        elif keyword in _NESTED and isinstance(value, Mapping):
            result[keyword] = {name: _relaxed(child, root, depth + 1) for name, child in value.items()}
        elif keyword in _SINGLE and isinstance(value, Mapping):
            result[keyword] = _relaxed(value, root, depth + 1)
        elif keyword in ("anyOf", "oneOf") and isinstance(value, list) and _told_apart(value, root):
            result[keyword] = [_relaxed(child, root, depth + 1) for child in value]
        elif keyword == "allOf" and isinstance(value, list):
            result[keyword] = [_relaxed(child, root, depth + 1) for child in value]
        else:
            result[keyword] = value
    return result


def nullable(schema: Any, root: Any) -> bool:
    """Whether null is plainly a value of it."""
    schema = resolved(schema, root)
    if not isinstance(schema, Mapping):
        return False
    kind = schema.get("type")
    if kind == "null" or (isinstance(kind, list) and "null" in kind and "enum" not in schema):
        return True
    if isinstance(schema.get("enum"), list) and None in schema["enum"]:
        return kind is None or (isinstance(kind, list) and "null" in kind)
    for keyword in ("anyOf", "oneOf"):
        choices = schema.get(keyword)
        if isinstance(choices, list) and any(isinstance(one, Mapping) and one.get("type") == "null" for one in choices):
            return True
    return False


def _told_apart(choices: list[Any], root: Any) -> bool:
    """Whether the alternatives differ in their types, at most one of them an object, so that nothing else is needed."""
    objects = 0
    for choice in choices:
        choice = resolved(choice, root)
        if not isinstance(choice, Mapping):
            return False
        if choice.get("type") == "object" or "properties" in choice or "type" not in choice:
            objects += 1
    return objects <= 1


def resolved(schema: Any, root: Any) -> Any:
    """The schema behind local references."""
    for _ in range(_DEEP):
        reference = schema.get("$ref") if isinstance(schema, Mapping) else None
        if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
            return schema
        node = root
        for step in reference[2:].split("/") if reference != "#" else ():
            step = step.replace("~1", "/").replace("~0", "~")
            node = node.get(step) if isinstance(node, Mapping) else None
        schema = node
    return None


def complete(data: Any, schema: Any) -> Any:
    """Data with the required members that say nothing: null where that is a value, and empty lists and objects.

    Members that nothing says and that must have a value stay out: validation names them.
    """
    return _complete(data, schema, schema, 0)


def _complete(data: Any, schema: Any, root: Any, depth: int) -> Any:
    schema = resolved(schema, root)
    if not isinstance(schema, Mapping) or depth > _DEEP:
        return data
    if isinstance(data, list):
        items = schema.get("items")
        return [_complete(item, items, root, depth + 1) for item in data] if isinstance(items, Mapping) else data
    if not isinstance(data, Mapping):
        return data
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        properties = {}
    rest = schema.get("additionalProperties")
    required = schema.get("required")
    wanted = set(required) if isinstance(required, list) else set()
    result: dict[str, Any] = {}
    for name, child in properties.items():
        if name in data:
            result[name] = _complete(data[name], child, root, depth + 1)
        elif name in wanted:
            empty, value = _empty(child, root)
            if empty:
                result[name] = _complete(value, child, root, depth + 1)
    for name, value in data.items():
        if name not in properties:
            result[name] = _complete(value, rest, root, depth + 1) if isinstance(rest, Mapping) else value
    return result


def _empty(schema: Any, root: Any) -> tuple[bool, Any]:
    if nullable(schema, root):
        return True, None
    schema = resolved(schema, root)
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    if kind == "array" and not schema.get("minItems"):
        return True, []
    return (True, {}) if kind == "object" else (False, None)
