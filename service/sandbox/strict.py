"""Would the provider compile this schema? An independent check in its words (contract sections 3.1 to 3.5).

The rules are an allow-list: what no source names as accepted is refused. The first fault found in document
order is the one reported, as the provider does.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from service.sandbox.errors import ProviderError

__all__ = ["Fault", "refuse_unsupported", "schema_fault"]

FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"},
)
TYPES = frozenset({"string", "number", "integer", "boolean", "null", "object", "array"})
PERMITTED = frozenset(
    {
        "type", "enum", "const", "anyOf", "$ref", "$defs", "definitions", "properties", "required",
        "additionalProperties", "items", "pattern", "format", "multipleOf", "minimum", "maximum",
        "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems", "title", "description",
    },
)  # fmt: skip
ROOT_ONLY = frozenset({"$schema", "$id"})
LENGTHS = frozenset({"minLength", "maxLength"})

MAX_PROPERTIES = 5_000
MAX_LEVELS = 10
MAX_CHARACTERS = 120_000
MAX_ENUM_VALUES = 1_000
BIG_ENUM = 250
BIG_ENUM_CHARACTERS = 15_000
# Beyond this the walk itself would be the attack; combinators do not count as levels, so it is generous.
MAX_JSON_DEPTH = 150

_LOCAL_REF = re.compile(r"#(?:/(\$defs|definitions)/([^/]+))?")
_LOOKAROUND = ("(?=", "(?!", "(?<=", "(?<!")
_URI_REFERENCE = re.compile(r"[^\s<>\"{}|\\^`]*")

Path = tuple[str, ...]


class Fault(Exception):
    """One reason why strict mode refuses a schema; `prefixed` messages name the schema first."""

    def __init__(self, message: str, *, prefixed: bool = True) -> None:
        super().__init__(message)
        self.message = message
        self.prefixed = prefixed


def refuse_unsupported(
    schema: object, *, subject: str, param: str | None, code: str | None, allow_lengths: bool = False
) -> None:
    """Raises `ProviderError` 400 when strict mode refuses; `subject` is e.g. `response_format 'invoice'`."""
    fault = schema_fault(schema, allow_lengths=allow_lengths)
    if fault is None:
        return
    message = f"Invalid schema for {subject}: {fault.message}" if fault.prefixed else fault.message
    raise ProviderError(400, message, param=param, code=code)


def schema_fault(schema: object, *, allow_lengths: bool = False) -> Fault | None:
    """The first fault of a schema, or None when strict mode accepts it."""
    try:
        _Check(schema, allow_lengths=allow_lengths).run()
    except Fault as fault:
        return fault
    return None


def json_depth(value: object, limit: int) -> int:
    """How deep a JSON value nests, counted without recursion and at most to `limit` + 1."""
    level = 0
    layer = [value]
    while layer and level <= limit:
        following: list[object] = []
        for item in layer:
            if isinstance(item, dict):
                following.extend(item.values())
            elif isinstance(item, list):
                following.extend(item)
        if not any(isinstance(item, dict | list) for item in layer):
            return level
        level += 1
        layer = following
    return level


def _context(path: Path) -> str:
    return repr(path)


class _Check:
    def __init__(self, root: object, *, allow_lengths: bool) -> None:
        self.root = root
        self.permitted = PERMITTED | LENGTHS if allow_lengths else PERMITTED
        self.properties = 0
        self.enum_values = 0
        self.characters = 0
        self.deepest = 0

    def run(self) -> None:
        root = self.root
        kind = root.get("type") if isinstance(root, dict) else None
        if not isinstance(root, dict) or kind != "object":
            shown = kind if isinstance(kind, str) else "None"
            raise Fault(f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{shown}\"'.")
        depth = json_depth(root, MAX_JSON_DEPTH)
        if depth > MAX_JSON_DEPTH:
            raise Fault(f"{depth} levels of nesting exceeds limit of {MAX_LEVELS}.")
        for keyword in ("anyOf", "enum", "const", "$ref"):
            if keyword in root:
                raise Fault(f"In context=(), '{keyword}' is not permitted.")
        self.walk(root, (), 0)
        for table in ("$defs", "definitions"):
            definitions = root.get(table)
            if definitions is None:
                continue
            if not isinstance(definitions, dict):
                raise Fault(f"In context=('{table}',), {definitions!r:.60} is not of type 'object'.")
            for name, definition in definitions.items():
                self.characters += len(name)
                self.walk(definition, (table, name), 0)
        self.limits()
        self.empty_references()

    def limits(self) -> None:
        for number, noun, limit in (
            (self.deepest, "levels of nesting", MAX_LEVELS),
            (self.properties, "parameters", MAX_PROPERTIES),
            (self.enum_values, "enum values", MAX_ENUM_VALUES),
            (self.characters, "characters in names and values", MAX_CHARACTERS),
        ):
            if number > limit:
                raise Fault(f"{number} {noun} exceeds limit of {limit}.")

    def walk(self, schema: object, path: Path, level: int) -> None:
        if not isinstance(schema, dict):
            raise Fault(f"In context={_context(path)}, {schema!r:.60} is not of type 'object'.")
        if "$ref" in schema:
            self.reference(schema, path)
            return
        self.keywords(schema, path)
        self.deepest = max(self.deepest, level)
        types = self.types(schema, path)
        self.values(schema, types, path)
        self.text_rules(schema, path)
        self.number_rules(schema, path)
        for index, branch in enumerate(self.branches(schema, path)):
            self.walk(branch, (*path, "anyOf", str(index)), level)
        if "object" in types or (not types and "properties" in schema):
            self.object_rules(schema, path, level)
        if "array" in types:
            if "items" not in schema:
                raise Fault(f"In context={_context(path)}, array schema missing items.")
            self.walk(schema["items"], (*path, "items"), level + 1)
        elif "items" in schema:
            self.walk(schema["items"], (*path, "items"), level + 1)

    def keywords(self, schema: Mapping[str, Any], path: Path) -> None:
        for keyword in schema:
            if keyword in self.permitted:
                if keyword in ("$defs", "definitions") and path:
                    break
                continue
            if keyword in ROOT_ONLY and not path:
                self.identifier(schema, keyword)
                continue
            raise Fault(f"In context={_context(path)}, '{keyword}' is not permitted.")
        else:
            return
        raise Fault(f"In context={_context(path)}, '{keyword}' is not permitted.")

    def identifier(self, schema: Mapping[str, Any], keyword: str) -> None:
        value = schema[keyword]
        if keyword == "$id" and not (isinstance(value, str) and _URI_REFERENCE.fullmatch(value)):
            raise Fault(f"{value!r:.60} is not a 'uri-reference'.")

    def types(self, schema: Mapping[str, Any], path: Path) -> frozenset[str]:
        if "type" not in schema:
            if "anyOf" not in schema:
                raise Fault(f"In context={_context(path)}, schema must have a 'type' key.")
            return frozenset()
        kind = schema["type"]
        names = kind if isinstance(kind, list) else [kind]
        known = [name for name in names if isinstance(name, str) and name in TYPES]
        if len(known) != len(names) or not names or len(set(known)) != len(names):
            raise Fault(
                f"In context={_context((*path, 'type'))}, {kind!r:.80} is not valid under any of the given schemas."
            )
        return frozenset(known)

    def branches(self, schema: Mapping[str, Any], path: Path) -> Iterator[object]:
        if "anyOf" not in schema:
            return
        branches = schema["anyOf"]
        if not isinstance(branches, list) or not branches:
            raise Fault(f"In context={_context(path)}, 'anyOf' must be a non-empty array.")
        yield from branches

    def values(self, schema: Mapping[str, Any], types: frozenset[str], path: Path) -> None:
        if "const" in schema:
            self.value(schema["const"], types, path, "const")
        if "enum" not in schema:
            return
        values = schema["enum"]
        if not isinstance(values, list) or not values:
            raise Fault(f"In context={_context((*path, 'enum'))}, {values!r:.60} should be non-empty.")
        seen: set[tuple[str, str]] = set()
        size = 0
        for value in values:
            self.value(value, types, path, "enum")
            mark = (type(value).__name__, repr(value))
            if mark in seen:
                raise Fault(
                    f"In context={_context((*path, 'enum'))}, {values!r:.60} has non-unique elements."
                )
            seen.add(mark)
            size += len(value) if isinstance(value, str) else 0
        self.enum_values += len(values)
        if len(values) > BIG_ENUM and size > BIG_ENUM_CHARACTERS:
            raise Fault(
                f"{size} characters in an enum with {len(values)} values exceeds limit of {BIG_ENUM_CHARACTERS}."
            )

    def value(self, value: object, types: frozenset[str], path: Path, keyword: str) -> None:
        kind = _kind(value)
        fits = kind in types or (kind == "integer" and "number" in types) or not types
        if kind in ("object", "array") or not fits:
            shown = sorted(types)
            raise Fault(
                f"In context={_context(path)}, {keyword} value {value!r:.60} does not validate against {{'type': {shown}}}."
            )
        if isinstance(value, str):
            self.characters += len(value)

    def text_rules(self, schema: Mapping[str, Any], path: Path) -> None:
        form = schema.get("format")
        if form is not None and (not isinstance(form, str) or form not in FORMATS):
            where = (*path, "type", "0") if isinstance(schema.get("type"), list) else path
            raise Fault(f"In context={_context(where)}, '{str(form)[:80]}' is not a valid format.")
        pattern = schema.get("pattern")
        if pattern is None:
            return
        if not isinstance(pattern, str):
            raise Fault(
                f"In context={_context((*path, 'pattern'))}, {pattern!r:.60} is not of type 'string'."
            )
        if _has_lookaround(pattern):
            raise Fault(
                f"Invalid JSON schema: regex lookaround is not supported. Found at {_json_path(path)}.pattern.",
                prefixed=False,
            )
        if not _compiles(pattern):
            raise Fault(f"In context={_context(path)}, {pattern!r:.80} is not a 'regex'.")

    def number_rules(self, schema: Mapping[str, Any], path: Path) -> None:
        for keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"):
            bound = schema.get(keyword)
            if keyword in schema and (isinstance(bound, bool) or not isinstance(bound, int | float)):
                raise Fault(
                    f"In context={_context((*path, keyword))}, {bound!r:.60} is not of type 'number'."
                )
        if "multipleOf" in schema and schema["multipleOf"] <= 0:
            raise Fault(
                f"In context={_context((*path, 'multipleOf'))}, {schema['multipleOf']!r} is less than or equal to "
                "the minimum of 0."
            )
        for keyword in ("minItems", "maxItems", "minLength", "maxLength"):
            bound = schema.get(keyword)
            if keyword in schema and (isinstance(bound, bool) or not isinstance(bound, int) or bound < 0):
                raise Fault(
                    f"In context={_context((*path, keyword))}, {bound!r:.60} is not of type 'integer'."
                )
        for keyword in ("title", "description"):
            if keyword in schema and not isinstance(schema[keyword], str):
                raise Fault(
                    f"In context={_context((*path, keyword))}, {schema[keyword]!r:.60} is not of type 'string'."
                )

    def object_rules(self, schema: Mapping[str, Any], path: Path, level: int) -> None:
        where = f"In context={_context(path)}, "
        if schema.get("additionalProperties") is not False:
            raise Fault(f"{where}'additionalProperties' is required to be supplied and to be false.")
        properties = schema.get("properties")
        if not isinstance(properties, dict):
            raise Fault(f"{where}object schema missing properties.")
        wanted = f"{where}'required' is required to be supplied and to be an array including every key in properties."
        required = schema.get("required")
        if not isinstance(required, list):
            if properties:
                raise Fault(f"{wanted} Missing '{next(iter(properties))}'.")
            required = []
        names = {name for name in required if isinstance(name, str)}
        for name in properties:
            if name not in names:
                raise Fault(f"{wanted} Missing '{name}'.")
        for name in required:
            if not isinstance(name, str) or name not in properties:
                raise Fault(f"{wanted} Extra required key '{name}' supplied.")
        self.properties += len(properties)
        for name, member in properties.items():
            self.characters += len(name)
            below = level + 1 if _is_container(member) else level
            self.walk(member, (*path, "properties", name), below)

    def reference(self, schema: Mapping[str, Any], path: Path) -> None:
        siblings = sorted(set(schema) - {"$ref"})
        if siblings:
            shown = "{" + ", ".join(repr(name) for name in siblings) + "}"
            raise Fault(f"context={_context(path)}, $ref cannot have keywords {shown}.")
        target = schema["$ref"]
        match = _LOCAL_REF.fullmatch(target) if isinstance(target, str) else None
        if match is None:
            raise Fault(
                f"In context={_context(path)}, reference can only point to definitions defined at the top level "
                "of the schema."
            )
        if match[1] is not None and self.definition(match[1], match[2]) is None:
            raise Fault(
                f"In context={_context(path)}, reference to component '{target[:120]}' which was not found."
            )

    def definition(self, table: str, name: str) -> object | None:
        definitions = self.root.get(table) if isinstance(self.root, dict) else None
        if not isinstance(definitions, dict):
            return None
        plain = _unescaped(name)
        return definitions.get(plain, definitions.get(name))

    def empty_references(self) -> None:
        """Refuse a definition that is only a chain of references back to itself: it describes no value."""
        root = self.root if isinstance(self.root, dict) else {}
        for table in ("$defs", "definitions"):
            for name, definition in (root.get(table) or {}).items():
                seen: set[str] = set()
                while isinstance(definition, dict) and isinstance(definition.get("$ref"), str):
                    target = definition["$ref"]
                    match = _LOCAL_REF.fullmatch(target)
                    if target in seen:
                        raise Fault(
                            f"In context={_context((table, name))}, definition refers only to itself."
                        )
                    seen.add(target)
                    if match is None or match[1] is None:
                        break
                    definition = self.definition(match[1], match[2])


def _is_container(schema: object) -> bool:
    if not isinstance(schema, dict):
        return False
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    if "object" in kinds or "array" in kinds:
        return True
    branches = schema.get("anyOf")
    return isinstance(branches, list) and any(_is_container(branch) for branch in branches)


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "integer" if value.is_integer() else "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _unescaped(token: str) -> str:
    token = re.sub("%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), token)
    return token.replace("~1", "/").replace("~0", "~")


def _json_path(path: Path) -> str:
    return "$" + "".join(f".{step}" for step in path)


def _has_lookaround(pattern: str) -> bool:
    """Whether a look-around or back-reference stands outside escapes and character classes."""
    index = 0
    in_class = False
    while index < len(pattern):
        character = pattern[index]
        if character == "\\":
            if not in_class and index + 1 < len(pattern) and pattern[index + 1] in "123456789":
                return True
            index += 2
            continue
        if in_class:
            in_class = character != "]"
        elif character == "[":
            in_class = True
            # A bracket that comes first inside a class is literal: []a] and [^]a].
            while index + 1 < len(pattern) and pattern[index + 1] in "^]":
                index += 1
                if pattern[index] == "]":
                    break
        elif pattern.startswith(_LOOKAROUND, index):
            return True
        index += 1
    return False


def _compiles(pattern: str) -> bool:
    """Whether a pattern is a regular expression; ECMA spellings that Python lacks are let through."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return re.search(r"\\[pPuc]|\(\?<[A-Za-z]", pattern) is not None
    return True
