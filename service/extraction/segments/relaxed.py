"""What a part of a document is asked for: the schema with nothing required that the part may not say. Pure.

A part that lacks the title page must be able to leave the title out; a form that requires it makes a model invent it.
Rows stay as they are: a part of text shows each of its rows whole, and a form with optional cells would invite lines
that are no rows. ``complete`` puts back what only the form needs.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_NESTED = ("properties", "patternProperties", "$defs", "definitions")
_SINGLE = ("items", "additionalProperties", "additionalItems")
_DROPPED = (
    "minItems",
    "minProperties",
    "contains",
    "minContains",
    "maxContains",
    "dependentRequired",
    "dependencies",
)
_DEEP = 64


def relaxed(schema: Any, *, rows: bool = False) -> Any:
    """The schema with every member optional whose value cannot be null, and without least lengths of lists.

    ``rows``: those of rows too, for pages that are images, whose borders cut rows; else only of rows with lists in them,
    which go on over the borders of parts.
    Alternatives (``anyOf``, ``oneOf``) stay as they are where what is required tells them apart.
    """
    return _Relaxing(schema, rows).all(schema, 0)


class _Relaxing:
    def __init__(self, root: Any, rows: bool) -> None:  # noqa: FBT001 - one caller, three lines above
        self._root = root
        self._rows = rows
        # A definition is relaxed in place, for all that refer to it: those of plain rows are left alone.
        self._kept = {id(row) for row in plain_rows(root)} if not rows else set()

    def all(self, schema: Any, depth: int) -> Any:
        if not isinstance(schema, Mapping) or depth > _DEEP or id(schema) in self._kept:
            return schema
        return {
            keyword: value
            for keyword, child in schema.items()
            for keyword, value in self._keyword(keyword, child, schema, depth)
        }

    def _keyword(
        self, keyword: str, value: Any, schema: Mapping[str, Any], depth: int
    ) -> list[tuple[str, Any]]:
        if keyword in _DROPPED:
            return []
        if keyword == "required" and isinstance(value, list):
            properties = schema.get("properties")
            known = properties if isinstance(properties, Mapping) else {}
            kept = [name for name in value if nullable(known.get(name), self._root)]
            return [(keyword, kept)] if kept else []
        if keyword in _NESTED and isinstance(value, Mapping):
            return [(keyword, {name: self.all(child, depth + 1) for name, child in value.items()})]
        if keyword in _SINGLE and isinstance(value, Mapping):
            return [(keyword, self.all(value, depth + 1))]
        several = keyword == "allOf" or (keyword in ("anyOf", "oneOf") and _told_apart(value, self._root))
        if several and isinstance(value, list):
            return [(keyword, [self.all(child, depth + 1) for child in value])]
        return [(keyword, value)]


def without_lists(schema: Any) -> Any:
    """The schema without the members that are lists: what a document says once."""
    return _without_lists(schema, schema, 0)


def _without_lists(schema: Any, root: Any, depth: int) -> Any:
    schema = resolved(schema, root) if depth < _DEEP else None
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping):
        return schema
    kept = {
        name: _without_lists(child, root, depth + 1)
        for name, child in properties.items()
        if not _is_list(child, root)
    }
    required = schema.get("required")
    result = {**schema, "properties": kept}
    if isinstance(required, list):
        result["required"] = [name for name in required if name in kept]
    return result


def _is_list(schema: Any, root: Any) -> bool:
    schema = resolved(schema, root)
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    return kind == "array" or (isinstance(kind, list) and "array" in kind)


def filled(data: Any, more: Any) -> Any:
    """Data with the members that it lacks and ``more`` has."""
    if not isinstance(data, Mapping) or not isinstance(more, Mapping):
        return data
    named = {name: filled(value, more[name]) if name in more else value for name, value in data.items()}
    return {**named, **{name: value for name, value in more.items() if name not in data}}


def plain_rows(schema: Any) -> list[Any]:
    """The schemas of objects in lists that hold no lists themselves: a part of the text shows each of them whole."""
    found: list[Any] = []
    for node in nodes(schema, schema):
        items = resolved(node.get("items"), schema)
        if isinstance(items, Mapping) and not any(_is_list(inner, schema) for inner in nodes(items, schema)):
            found.append(items)
    return found


def nodes(schema: Any, root: Any) -> Iterator[Mapping[str, Any]]:
    """Every object schema that values can have, each once."""
    seen: set[int] = set()
    stack = [schema]
    while stack:
        node = resolved(stack.pop(), root)
        if not isinstance(node, Mapping) or id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        for keyword in _NESTED[:2]:
            children = node.get(keyword)
            stack += children.values() if isinstance(children, Mapping) else ()
        stack += [node.get(keyword) for keyword in _SINGLE]
        for keyword in ("anyOf", "oneOf", "allOf"):
            children = node.get(keyword)
            stack += children if isinstance(children, list) else ()


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
        if isinstance(choices, list) and any(
            isinstance(one, Mapping) and one.get("type") == "null" for one in choices
        ):
            return True
    return False


def _told_apart(choices: Any, root: Any) -> bool:
    """Whether the alternatives differ in their types, at most one of them an object, so that nothing else is needed."""
    if not isinstance(choices, list):
        return False
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
        return (
            [_complete(item, items, root, depth + 1) for item in data] if isinstance(items, Mapping) else data
        )
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
