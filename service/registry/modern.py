"""A schema of any draft in the words of 2020-12 alone, complete in itself. Pure.

What follows from a draft is done once here, so that whoever writes a schema out for others (OpenAPI components, types of
a programming language) knows one dialect: no identifiers, anchors or dynamic references, every ``$ref`` leads to the
schema itself (``#``) or to one of its ``$defs``, and no keyword stands there that 2020-12 does not know. A dynamic
reference that leads to several places is left open.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from service.strict import DRAFTS, Documents, Site, children, dialect_of, guess_draft

_DEEPEST = 40
"""Levels of subschemas in one definition; what lies deeper becomes one of its own, so that walks stay shallow."""

_ONE = (
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_MANY = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("dependentSchemas", "patternProperties", "properties")
_PLAIN: Mapping[str, type | tuple[type, ...]] = {
    "const": object,
    "default": object,
    "dependentRequired": dict,
    "deprecated": bool,
    "description": str,
    "enum": list,
    "examples": list,
    "exclusiveMaximum": (int, float),
    "exclusiveMinimum": (int, float),
    "format": str,
    "maxContains": (int, float),
    "maxItems": (int, float),
    "maxLength": (int, float),
    "maxProperties": (int, float),
    "maximum": (int, float),
    "minContains": (int, float),
    "minItems": (int, float),
    "minLength": (int, float),
    "minProperties": (int, float),
    "minimum": (int, float),
    "multipleOf": (int, float),
    "pattern": str,
    "readOnly": bool,
    "required": list,
    "title": str,
    "type": (str, list),
    "uniqueItems": bool,
    "writeOnly": bool,
}
"""Keywords without subschemas, and what their values must be; authors of old drafts write others as they like."""

_FORMATS = {"date": "7", "time": "7", "duration": "2019-09", "uuid": "2019-09"}
"""The first draft of formats that generators make types of: nothing holds values to them in older ones."""

_REFERENCES = ("$ref", "$recursiveRef", "$dynamicRef")
_POSITIONS = frozenset((*_ONE, *_MANY, *_NAMED, "additionalItems", "dependencies", "definitions", "$defs"))
_UNSAFE = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(frozen=True)
class Modern:
    """A schema in 2020-12. ``root`` and ``definitions`` are objects or booleans; names are of letters, digits and ``_``."""

    root: Any
    definitions: Mapping[str, Any]

    @cached_property
    def document(self) -> Any:
        """The schema as one JSON document."""
        if not self.definitions or not isinstance(self.root, dict):
            return self.root
        return {**self.root, "$defs": dict(self.definitions)}

    def target(self, reference: str) -> Any:
        """Where a ``$ref`` leads."""
        return self.root if reference == "#" else self.definitions[reference.removeprefix("#/$defs/")]

    def moved(self, places: Mapping[str, str]) -> "Modern":
        """The same with every ``$ref`` replaced."""
        definitions = {name: _moved(schema, places) for name, schema in self.definitions.items()}
        return Modern(_moved(self.root, places), definitions)


def modern(schema: Any) -> Modern:
    """``schema`` in the words of 2020-12; what it does not use is left out.

    Raises ``SchemaRefused`` for what is no schema, or refers to what is not there.
    """
    documents = Documents(schema, dialect_of(guess_draft(schema)), {})
    return _Writer(documents).run()


class _Writer:
    """Writes the root, then everything that was referred to, until nothing new is."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._names: dict[int, str] = {}
        self._taken: set[str] = set()
        self._waiting: list[Site] = []

    def run(self) -> Modern:
        root = self._write(self._documents.root, 0)
        definitions: dict[str, Any] = {}
        while self._waiting:
            site = self._waiting.pop(0)
            definitions[self._names[site.key]] = self._write(site, 0)
        return Modern(root, definitions)

    def _place(self, site: Site) -> str:
        """The reference to a site, which is written where it is not yet."""
        if site.key == self._documents.root.key:
            return "#"
        if site.key not in self._names:
            base = _name(site)
            name, number = base, 1
            while name.lower() in self._taken:
                number += 1
                name = f"{base}_{number}"
            self._taken.add(name.lower())
            self._names[site.key] = name
            self._waiting.append(site)
        return f"#/$defs/{self._names[site.key]}"

    def _write(self, site: Site, depth: int) -> Any:
        schema = site.schema
        if not isinstance(schema, Mapping):
            return schema if isinstance(schema, bool) else True
        if depth > _DEEPEST:
            return {"$ref": self._place(site)}
        hiding = site.dialect.ref_hides_siblings and isinstance(schema.get("$ref"), str)
        result: dict[str, Any] = {}
        for keyword in ("$ref",) if hiding else schema:
            value = schema[keyword]
            if keyword in _REFERENCES and isinstance(value, str) and site.dialect.knows(keyword):
                self._refer(result, site, keyword)
            elif site.dialect.knows(keyword):
                self._keyword(result, site, keyword, value, depth + 1)
        if site.dialect.boolean_exclusive:
            for bound, exclusive in (
                ("minimum", "exclusiveMinimum"),
                ("maximum", "exclusiveMaximum"),
            ):
                if schema.get(exclusive) is True and bound in result:
                    result[exclusive] = result.pop(bound)
        return result

    def _refer(self, result: dict[str, Any], site: Site, keyword: str) -> None:
        target = self._documents.resolve(site, keyword)
        if self._documents.is_dynamic(site, keyword) or self._endless(site, target):
            return  # one place that it leads to would be too narrow; and what refers to itself says nothing
        reference = {"$ref": self._place(target)}
        if "$ref" in result:
            result["allOf"] = [*result.get("allOf", []), reference]
        else:
            result.update(reference)

    def _endless(self, site: Site, target: Site) -> bool:
        seen = {site.key}
        while target.key not in seen:
            seen.add(target.key)
            onward = next(
                (
                    word
                    for word in _REFERENCES
                    if isinstance(target.schema, dict)
                    and isinstance(target.schema.get(word), str)
                    and target.dialect.knows(word)
                ),
                None,
            )
            if onward is None:
                return False
            target = self._documents.resolve(target, onward)
        return True

    def _keyword(self, result: dict[str, Any], site: Site, keyword: str, value: Any, depth: int) -> None:
        if keyword == "items" and isinstance(value, list):
            self._tuple(result, site, value, depth)
        elif keyword == "dependencies" and isinstance(value, dict):
            for name, needed in value.items():
                if isinstance(needed, list):
                    result.setdefault("dependentRequired", {})[name] = list(needed)
                else:
                    child = self._documents.child(site, keyword, name)
                    result.setdefault("dependentSchemas", {})[name] = self._write(child, depth)
        elif keyword in _NAMED and isinstance(value, dict):
            written = {name: self._write(self._documents.child(site, keyword, name), depth) for name in value}
            result[keyword] = {**result.get(keyword, {}), **written}
        elif keyword in _MANY and isinstance(value, list) and value:
            written_all = [
                self._write(self._documents.child(site, keyword, index), depth) for index in range(len(value))
            ]
            result[keyword] = [*result.get(keyword, []), *written_all]
        elif keyword in _ONE and isinstance(value, dict | bool):
            result[keyword] = self._write(self._documents.child(site, keyword), depth)
        elif keyword == "format" and _is_younger(value, site):
            return
        elif keyword in _PLAIN and isinstance(value, _PLAIN[keyword]) and _fits(keyword, value):
            result[keyword] = value

    def _tuple(self, result: dict[str, Any], site: Site, value: list[Any], depth: int) -> None:
        """``items`` as a list, as before 2020-12."""
        if value:
            result["prefixItems"] = [
                self._write(self._documents.child(site, "items", index), depth) for index in range(len(value))
            ]
        if isinstance(site.schema.get("additionalItems"), dict | bool):
            result["items"] = self._write(self._documents.child(site, "additionalItems"), depth)


def _is_younger(format: Any, site: Site) -> bool:
    """Whether a format came with a draft after the schema's."""
    first = _FORMATS.get(format, "4") if isinstance(format, str) else "4"
    return DRAFTS.index(site.dialect.draft) < DRAFTS.index(first)


def _fits(keyword: str, value: Any) -> bool:
    if isinstance(value, bool):  # an exclusive bound of draft 4 is a flag, and a flag is an int in Python
        return _PLAIN[keyword] in (bool, object)
    return True


def _name(site: Site) -> str:
    """What a definition is called: by its key, else by the nearest member that leads to it."""
    place = site.place
    while place.above is not None:
        token = _UNSAFE.sub("_", place.token).strip("_")
        if token and not token.isdigit() and place.token not in _POSITIONS:
            return token
        place = place.above
    return "part"


def _moved(schema: Any, places: Mapping[str, str]) -> Any:
    if not isinstance(schema, dict):
        return schema
    result = dict(schema)
    if "$ref" in result:
        result["$ref"] = places[result["$ref"]]
    for steps, child in children(schema):
        moved = _moved(child, places)
        if len(steps) == 1:
            result[str(steps[0])] = moved
            continue
        keyword, step = str(steps[0]), steps[1]
        if result[keyword] is schema[keyword]:
            group = schema[keyword]
            result[keyword] = dict(group) if isinstance(group, dict) else list(group)
        result[keyword][step] = moved
    return result
