"""What the provider would refuse about a schema, all at once and in its own words (contract §3.5)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from service.strict.drafts import DIALECTS, Place
from service.strict.limits import MAX_CHARACTERS, MAX_DEPTH, MAX_ENUM_VALUES, MAX_PROPERTIES
from service.strict.patterns import portable
from service.strict.scalars import BIG_ENUM_CHARACTERS, BIG_ENUM_VALUES, FORMATS, Profile
from service.strict.shapes import TYPES, fault
from service.strict.values import is_integer, kind_of

MAX_VIOLATIONS = 500
"""More are not listed: nobody reads them, and a hostile schema could ask for millions."""

_STRUCTURE = frozenset(
    ["type", "enum", "const", "anyOf", "$ref", "properties", "required", "additionalProperties", "items"]
)
_RULES = frozenset(
    [
        "pattern",
        "format",
        "multipleOf",
        "maximum",
        "exclusiveMaximum",
        "minimum",
        "exclusiveMinimum",
        "minItems",
        "maxItems",
    ]
)
_WORDS = frozenset(("title", "description"))
_DOCUMENTED = _STRUCTURE | _RULES | _WORDS
_DENIED = frozenset(
    [
        "oneOf",
        "allOf",
        "not",
        "if",
        "then",
        "else",
        "dependentRequired",
        "dependentSchemas",
        "dependencies",
        "patternProperties",
        "propertyNames",
        "minProperties",
        "maxProperties",
        "unevaluatedProperties",
        "unevaluatedItems",
        "contains",
        "minContains",
        "maxContains",
        "uniqueItems",
        "prefixItems",
        "additionalItems",
        "$dynamicRef",
        "$recursiveRef",
    ]
)
_ROOT_ONLY = frozenset(("$schema", "$defs", "definitions"))
_NOT_AT_ROOT = ("anyOf", "oneOf", "allOf", "not", "enum", "const", "$ref")
_LOOKAROUND = ("(?=", "(?!", "(?<=", "(?<!")
_REFERENCE = re.compile(r"#/(\$defs|definitions)/([^/]+)")
_RECURSION = "#"


@dataclass(frozen=True, slots=True)
class Violation:
    """One reason for which the provider would refuse the schema.

    ``message`` is the provider's full text; ``context`` its path to the fault; ``pointer`` the same as a JSON Pointer.
    """

    message: str
    context: tuple[str, ...]
    pointer: str
    keyword: str


def check(schema: Any, *, name: str = "schema", profile: Profile = "documented") -> list[Violation]:
    """Everything that the provider would refuse; empty where it would accept.

    ``profile`` "observed" gives the benefit of the doubt to keywords that some report as accepted; "minimal" allows
    only what all agree on. The provider itself reports one fault per request.
    """
    return _Check(schema, name, profile).run()


@dataclass(slots=True)
class _Totals:
    properties: int = 0
    enum_values: int = 0
    characters: int = 0
    levels: int = 0


class _Check:
    def __init__(self, root: Any, name: str, profile: Profile) -> None:
        self._root = root
        self._prefix = f"Invalid schema for response_format '{name}': "
        self._profile = profile
        self._found: list[Violation] = []
        self._totals = _Totals()

    def run(self) -> list[Violation]:
        root = self._root
        if not isinstance(root, dict):
            self._add(
                "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'.",
                Place(),
                "type",
                bare=True,
            )
            return self._found
        if root.get("type") != "object":
            self._add(
                f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{_short(root.get('type'))}\"'.",
                Place(),
                "type",
                bare=True,
            )
        for keyword in _NOT_AT_ROOT:
            if keyword in root:
                self._add(f"'{keyword}' is not permitted.", Place(), keyword)
        top = {word: value for word, value in root.items() if word not in _NOT_AT_ROOT}
        self._walk(top, Place())
        for word in ("$defs", "definitions"):
            definitions = root.get(word)
            if isinstance(definitions, dict):
                for key, part in definitions.items():
                    self._totals.characters += len(key)
                    self._walk(part, Place() / word / key)
                    self._check_cycle(word, key)
        self._check_totals()
        return self._found

    def _add(self, text: str, place: Place, keyword: str, *, bare: bool = False) -> None:
        if len(self._found) >= MAX_VIOLATIONS:
            return
        context = _context(place)
        where = "" if bare else f"In context={context!r}, "
        self._found.append(Violation(f"{self._prefix}{where}{text}", context, place.pointer(), keyword))

    # -- nodes

    def _walk(self, start: Any, place: Place) -> None:
        stack: list[tuple[Any, Place, int, int]] = [(start, place, 0, 0)]
        while stack and len(self._found) < MAX_VIOLATIONS:
            node, at, containers, objects = stack.pop()
            if not isinstance(node, dict):
                self._add(f"{_short(node)} is not of type 'object'.", at, "")
                continue
            if "$ref" in node:
                self._check_reference(node, at)
                continue
            types = self._check_type(node, at)
            self._check_keywords(node, at)
            self._check_values(node, types, at)
            self._check_string(node, at)
            containers += bool(types & {"object", "array"})
            objects += "object" in types
            self._totals.levels = max(
                self._totals.levels, objects if objects > MAX_DEPTH >= containers - 1 else containers - 1
            )
            if "object" in types:
                self._check_object(node, at)
            if "array" in types and "items" not in node:
                self._add("array schema missing items.", at, "items")
            below = [(part, at_part, containers, objects) for part, at_part in _below(node, at)]
            stack.extend(reversed(below))

    def _check_keywords(self, node: dict[str, Any], at: Place) -> None:
        wrong = fault(node, DIALECTS["2020-12"])
        if wrong is not None:
            self._add(f"{wrong[0]!r} {wrong[1]}.", at, wrong[0])
        root = at.above is None
        for keyword in node:
            if keyword in _DOCUMENTED:
                if self._profile == "minimal" and keyword in _RULES:
                    self._add(f"'{keyword}' is not permitted.", at, keyword)
            elif (root and keyword in _ROOT_ONLY) or (keyword == "$id" and self._profile == "observed"):
                continue
            elif self._profile != "observed" or keyword in _DENIED:
                self._add(f"'{keyword}' is not permitted.", at, keyword)

    def _check_type(self, node: dict[str, Any], at: Place) -> frozenset[str]:
        kind = node.get("type")
        if kind is None:
            if "anyOf" not in node:
                self._add("schema must have a 'type' key.", at, "type")
            return frozenset(("object",)) if "properties" in node else frozenset()
        names = kind if isinstance(kind, list) else [kind]
        return frozenset(item for item in names if isinstance(item, str) and item in TYPES)

    def _check_string(self, node: dict[str, Any], at: Place) -> None:
        form = node.get("format")
        if isinstance(form, str) and form not in FORMATS:
            place = at / "type" / 0 if isinstance(node.get("type"), list) else at
            self._add(f"'{form}' is not a valid format.", place, "format")
        pattern = node.get("pattern")
        if isinstance(pattern, str):
            if _looks_around(pattern):
                path = "".join(f".{token}" for token in _context(at))
                text = f"Invalid JSON schema: regex lookaround is not supported. Found at ${path}.pattern."
                self._found.append(Violation(text, _context(at), at.pointer(), "pattern"))
            elif portable(pattern) is None:
                self._add("pattern is not a valid regex.", at, "pattern")

    def _check_values(self, node: dict[str, Any], types: frozenset[str], at: Place) -> None:
        values = node.get("enum")
        if isinstance(values, list):
            self._totals.enum_values += len(values)
            size = sum(len(value) for value in values if isinstance(value, str))
            self._totals.characters += size
            if len(values) > BIG_ENUM_VALUES and size > BIG_ENUM_CHARACTERS:
                self._add(
                    f"enum of {len(values)} values: {size} characters exceeds limit of {BIG_ENUM_CHARACTERS}.",
                    at,
                    "enum",
                )
        else:
            values = []
        if "const" in node:
            values = [*values, node["const"]]
            if isinstance(node["const"], str):
                self._totals.characters += len(node["const"])
        for value in values:
            kind = kind_of(value)
            if kind in {"object", "array"}:
                if self._profile != "observed":
                    self._add(f"enum value of type '{kind}' is not permitted.", at, "enum")
                    break
            elif (
                types
                and kind not in types
                and not (kind == "number" and "integer" in types and is_integer(value))
            ):
                listed = node["type"]
                self._add(
                    f"enum value {_short(value)} does not validate against {{'type': {listed!r}}}.",
                    at,
                    "enum",
                )
                break

    def _check_object(self, node: dict[str, Any], at: Place) -> None:
        if node.get("additionalProperties") is not False:
            self._add(
                "'additionalProperties' is required to be supplied and to be false.",
                at,
                "additionalProperties",
            )
        properties = node.get("properties")
        if not isinstance(properties, dict):
            self._add("object schema missing properties.", at, "properties")
            return
        self._totals.properties += len(properties)
        self._totals.characters += sum(map(len, properties))
        required = node.get("required")
        wanted = "'required' is required to be supplied and to be an array including every key in properties."
        if not isinstance(required, list):
            if properties:
                self._add(wanted, at, "required")
            return
        given = {key for key in required if isinstance(key, str)}
        missing = next((key for key in properties if key not in given), None)
        if missing is not None:
            self._add(f"{wanted} Missing {missing!r}.", at, "required")
        extra = next((key for key in required if isinstance(key, str) and key not in properties), None)
        if extra is not None:
            self._add(f"{wanted} Extra required key {extra!r} supplied.", at, "required")

    # -- references

    def _check_reference(self, node: dict[str, Any], at: Place) -> None:
        others = sorted(key for key in node if key != "$ref")
        if others:
            context = _context(at)
            listed = "{" + ", ".join(map(repr, others)) + "}"
            text = f"{self._prefix}context={context!r}, $ref cannot have keywords {listed}."
            self._found.append(Violation(text, context, at.pointer(), "$ref"))
        reference = node["$ref"]
        if reference == _RECURSION:
            return
        match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
        if match is None:
            self._add(
                "reference can only point to definitions defined at the top level of the schema.", at, "$ref"
            )
        elif self._definition(match) is None:
            self._add(f"reference to component '{reference}' which was not found in the schema.", at, "$ref")

    def _definition(self, match: re.Match[str]) -> Any:
        definitions = self._root.get(match[1])
        if not isinstance(definitions, dict):
            return None
        decoded = unquote(match[2]).replace("~1", "/").replace("~0", "~")
        return definitions.get(decoded, definitions.get(match[2]))

    def _check_cycle(self, word: str, key: str) -> None:
        """A definition that is only a chain of references back to itself never produces a value."""
        seen: set[int] = set()
        part = self._root[word][key]
        while isinstance(part, dict) and isinstance(part.get("$ref"), str):
            if id(part) in seen:
                self._add("definition refers only to itself.", Place() / word / key, "$ref")
                return
            seen.add(id(part))
            match = _REFERENCE.fullmatch(part["$ref"])
            part = self._definition(match) if match is not None else None

    # -- limits

    def _check_totals(self) -> None:
        totals = self._totals
        for count, limit, text, keyword in (
            (totals.levels, MAX_DEPTH, "levels of nesting exceeds limit of", "properties"),
            (totals.properties, MAX_PROPERTIES, "parameters exceeds limit of", "properties"),
            (totals.enum_values, MAX_ENUM_VALUES, "enum values exceeds limit of", "enum"),
            (totals.characters, MAX_CHARACTERS, "characters exceeds limit of", "properties"),
        ):
            if count > limit:
                self._add(f"{count} {text} {limit}.", Place(), keyword, bare=True)


def _below(node: Mapping[str, Any], at: Place) -> Iterator[tuple[Any, Place]]:
    properties = node.get("properties")
    if isinstance(properties, dict):
        for key, part in properties.items():
            yield part, at / "properties" / key
    branches = node.get("anyOf")
    if isinstance(branches, list):
        for index, part in enumerate(branches):
            yield part, at / "anyOf" / index
    if "items" in node:
        yield node["items"], at / "items"


def _context(place: Place) -> tuple[str, ...]:
    tokens = []
    while place.above is not None:
        tokens.append(place.token)
        place = place.above
    return tuple(reversed(tokens))


def _short(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    return f"{value!s:.40}"


def _looks_around(pattern: str) -> bool:
    index, inside = 0, False
    while index < len(pattern):
        char = pattern[index]
        if char == "\\":
            index += 2
            continue
        if inside:
            inside = char != "]"
        elif char == "[":
            inside = True
        elif pattern.startswith(_LOOKAROUND, index):
            return True
        index += 1
    return False
