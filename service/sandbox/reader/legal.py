"""What a schema permits: the smallest legal value of any schema, and whether a value passes.

`jsonschema-rs` judges, so patterns run in an engine without catastrophic backtracking.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import jsonschema_rs
import orjson

__all__ = ["Resolver", "compiles", "passes", "smallest", "types_of", "valid"]

Schema = Mapping[str, Any]
_MAX_DEPTH = 40
_SAMPLES = {
    "date": "1970-01-01", "date-time": "1970-01-01T00:00:00Z", "time": "00:00:00Z", "duration": "PT0S",
    "email": "unknown@example.com", "idn-email": "unknown@example.com", "hostname": "example.com", "ipv4": "0.0.0.0",  # noqa: S104 - a sample value, nothing binds to it
    "ipv6": "::", "uuid": "00000000-0000-0000-0000-000000000000", "uri": "https://example.com/", "uri-reference": "/",
    "iri": "https://example.com/", "json-pointer": "", "regex": "",
}  # fmt: skip
_ALL_TYPES = ("null", "string", "number", "integer", "boolean", "array", "object")


class Resolver:
    """Follows local references of one schema; foreign and broken ones lead to the schema that permits all."""

    def __init__(self, root: Schema) -> None:
        self.root = root

    def follow(self, schema: Any) -> Schema:
        """The schema behind a reference chain, with the members that stand beside the reference."""
        seen: set[str] = set()
        while isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
            target = schema["$ref"]
            if target in seen:
                return {}
            seen.add(target)
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            found = self._pointed(target)
            schema = {**found, **beside} if isinstance(found, dict) else beside
        if isinstance(schema, dict) and isinstance(schema.get("allOf"), list):
            schema = self._merged(schema)
        return schema if isinstance(schema, dict) else {}

    def _merged(self, schema: Schema) -> Schema:
        merged = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"][:20]:
            if not isinstance(part, dict) or "allOf" in part:
                continue
            part = self.follow(part)
            properties = {**(part.get("properties") or {}), **(merged.get("properties") or {})}
            required = [*(merged.get("required") or []), *(part.get("required") or [])]
            merged = {**part, **merged}
            if properties:
                merged["properties"] = properties
            if required:
                merged["required"] = list(dict.fromkeys(required))
        return merged

    def _pointed(self, target: str) -> Any:
        if not target.startswith("#"):
            return None
        value: Any = self.root
        for step in target[1:].split("/")[1:]:
            step = re.sub("%([0-9A-Fa-f]{2})", lambda match: chr(int(match[1], 16)), step)
            step = step.replace("~1", "/").replace("~0", "~")
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
                value = value[int(step)]
            else:
                return None
        return value


def types_of(schema: Schema) -> tuple[str, ...]:
    """The JSON types a schema names; guessed from its other keywords when it names none."""
    kind = schema.get("type")
    if isinstance(kind, str):
        return (kind,)
    if isinstance(kind, list):
        return tuple(name for name in kind if isinstance(name, str))
    if "properties" in schema:
        return ("object",)
    if "items" in schema:
        return ("array",)
    return ()


@lru_cache(maxsize=512)
def _validator(text: str) -> Any:
    try:
        return jsonschema_rs.Draft202012Validator(orjson.loads(text), validate_formats=True, retriever=_never)
    except (ValueError, jsonschema_rs.ValidationError):
        return None


def _never(uri: str) -> Any:
    """Nothing is fetched for a schema that somebody sent."""
    raise ValueError(f"foreign reference {uri[:100]!r}")


def compiles(schema: Schema) -> bool:
    """Whether a schema is one: well formed, and complete in itself."""
    return _validator(orjson.dumps(schema).decode()) is not None


def valid(schema: Schema, value: Any) -> bool:
    """Whether a value validates, formats asserted; a schema that cannot be compiled permits everything."""
    validator = _validator(orjson.dumps(schema).decode())
    return validator is None or bool(validator.is_valid(value))


_CONSTRAINTS = (
    "type", "enum", "const", "pattern", "format", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minItems", "maxItems",
)  # fmt: skip


def passes(schema: Schema, value: Any) -> bool:
    """Whether a single value meets the constraints that stand on its own schema."""
    own = {key: schema[key] for key in _CONSTRAINTS if key in schema}
    if tuple(own) in (("type",), ()):
        return _of_type(types_of(schema), value)
    return valid(own, value)


def _of_type(types: tuple[str, ...], value: Any) -> bool:
    match value:
        case None:
            return not types or "null" in types
        case bool():
            return not types or "boolean" in types
        case int() | float():
            whole = isinstance(value, int) or value.is_integer()
            return not types or "number" in types or ("integer" in types and whole)
        case str():
            return not types or "string" in types
        case list():
            return not types or "array" in types
        case _:
            return not types or "object" in types


def smallest(resolver: Resolver, schema: Any, depth: int = 0) -> Any:
    """The least a schema permits: null where allowed, else empty, zero or the first legal sample."""
    schema = resolver.follow(schema)
    if depth > _MAX_DEPTH:
        return None
    if "const" in schema:
        return schema["const"]
    values = schema.get("enum")
    if isinstance(values, list) and values:
        return None if None in values else values[0]
    types = types_of(schema)
    if "null" in types:
        return None
    for keyword in ("anyOf", "oneOf"):
        branches = schema.get(keyword)
        if isinstance(branches, list) and branches:
            return _least_branch(resolver, branches, depth)
    return _of_kind(resolver, schema, types[0] if types else "null", depth)


def _least_branch(resolver: Resolver, branches: Sequence[Any], depth: int) -> Any:
    order = {name: rank for rank, name in enumerate(_ALL_TYPES)}
    followed = [resolver.follow(branch) for branch in branches[:50]]
    best = min(followed, key=lambda branch: min((order.get(kind, 9) for kind in types_of(branch)), default=8))
    return smallest(resolver, best, depth + 1)


def _of_kind(resolver: Resolver, schema: Schema, kind: str, depth: int) -> Any:
    match kind:
        case "string":
            return next((text for text in _texts(schema) if passes(schema, text)), "")
        case "number" | "integer":
            found = next((number for number in _numbers(schema) if passes(schema, number)), 0)
            return int(found) if kind == "integer" else found
        case "boolean":
            return False
        case "array":
            least = schema.get("minItems")
            count = min(least, 100) if isinstance(least, int) and least > 0 else 0
            return [smallest(resolver, schema.get("items") or {}, depth + 1) for _ in range(count)]
        case "object":
            properties = schema.get("properties") or {}
            required = set(schema.get("required") or ())
            return {
                name: smallest(resolver, member, depth + 1)
                for name, member in properties.items()
                if name in required
            }
    return None


def _texts(schema: Schema) -> Iterator[str]:
    if isinstance(schema.get("format"), str):
        yield _SAMPLES.get(schema["format"], "")
    yield ""
    pattern = schema.get("pattern")
    least = schema.get("minLength")
    if isinstance(pattern, str):
        yield from _matching(pattern)
    if isinstance(least, int) and 0 < least <= 10_000:
        yield "-" * least
    yield from (
        "-",
        "0",
        "00",
        "000",
        "0000",
        "A",
        "AA",
        "AAA",
        "A0",
        "00:00",
        "1970-01-01",
        "1970-01",
        "EUR",
        "US",
    )


def _numbers(schema: Schema) -> Iterator[float]:
    yield 0
    step = schema.get("multipleOf")
    for key, shift in (("minimum", 0), ("exclusiveMinimum", 1), ("maximum", 0), ("exclusiveMaximum", -1)):
        bound = schema.get(key)
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            continue
        yield bound
        yield bound + shift
        yield math.ceil(bound) if shift >= 0 else math.floor(bound)
        yield bound + shift * 1e-6 * max(1.0, abs(bound))
        if isinstance(step, int | float) and step > 0:
            yield math.ceil(bound / step) * step
            yield (math.floor(bound / step) + shift) * step
    low, high = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if isinstance(low, int | float) and isinstance(high, int | float):
        yield (low + high) / 2


# --------------------------------------------------------------------------------------- patterns
def _matching(pattern: str) -> Iterator[str]:
    """Short texts that a pattern probably matches: written from the pattern, checked by the caller."""
    text, index = [], 0
    body = pattern.removeprefix("^").removesuffix("$")
    if len(body) > 500:
        return
    while index < len(body):
        atom, index = _atom(body, index)
        least, index = _repeats(body, index)
        text.append(atom * min(least, 200))
    yield "".join(text)
    yield "".join(text).split("|", 1)[0]


def _atom(body: str, index: int) -> tuple[str, int]:
    character = body[index]
    if character == "\\":
        escaped = body[index + 1 : index + 2]
        return {"d": "0", "w": "a", "s": " ", "S": "a", "D": "a", "b": "", "B": ""}.get(
            escaped, escaped
        ), index + 2
    if character == "[":
        end = index + 1
        while end < len(body) and (body[end] != "]" or end == index + 1):
            end += 2 if body[end] == "\\" else 1
        return _class_member(body[index + 1 : end]), end + 1
    if character == "(":
        level, end = 1, index + 1
        while end < len(body) and level:
            level += {"(": 1, ")": -1}.get(body[end], 0)
            end += 2 if body[end] == "\\" else 1
        inner = body[index + 1 : end - 1].removeprefix("?:").split("|", 1)[0]
        return (next(_matching(inner), "") if index == 0 or inner != body else ""), end
    return {".": "a", "^": "", "$": ""}.get(character, character), index + 1


def _class_member(members: str) -> str:
    if members.startswith("^"):
        return next((sample for sample in "a0A -_" if sample not in members), "a")
    if members.startswith("\\"):
        return {"d": "0", "w": "a", "s": " "}.get(members[1:2], members[1:2])
    return members[:1]


def _repeats(body: str, index: int) -> tuple[int, int]:
    if index >= len(body):
        return 1, index
    counted = re.match(r"\{(\d+)(?:,\d*)?\}\??", body[index:])
    if counted:
        return int(counted[1]), index + counted.end()
    if body[index] in "*?":
        return 0, index + 1
    if body[index] == "+":
        return 1, index + 1
    return 1, index
