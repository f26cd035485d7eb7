"""Small schemas made at random, and changes to them: what several parts of a schema say of one place, mostly."""

import copy
import random
from typing import Any

NAMES = ("a", "b", "c")
LATEST = "https://json-schema.org/draft/2020-12/schema"
_SCALARS: tuple[dict[str, Any], ...] = (
    {},
    {"type": "string"},
    {"type": ["string", "null"]},
    {"type": "integer"},
    {"type": ["integer", "null"]},
    {"type": "null"},
    {"const": "k"},
    {"enum": ["k", "l"]},
)
_MAPS = ("properties", "patternProperties", "dependentSchemas")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLES = ("items", "additionalProperties", "if", "then", "not", "contains")
_DEEPEST = 3


def pair(chance: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """A schema and a changed one, in either order."""
    first = {"$schema": LATEST, **_schema(chance, 0)}
    second = _changed(chance, first)
    return (first, second) if chance.random() < 0.5 else (second, first)


def _some(chance: random.Random, share: float) -> list[str]:
    return [name for name in NAMES if chance.random() < share]


def _scalar(chance: random.Random) -> dict[str, Any]:
    return dict(chance.choice(_SCALARS))


def _object(chance: random.Random, depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"} if chance.random() < 0.85 else {}
    if chance.random() < 0.9:
        schema["properties"] = {name: _schema(chance, depth + 1) for name in _some(chance, 0.6)}
    if chance.random() < 0.55:
        schema["required"] = _some(chance, 0.4)
    kind = chance.random()
    if kind < 0.35:
        schema["additionalProperties"] = False
    elif kind < 0.42:
        schema["additionalProperties"] = _scalar(chance)
    elif kind < 0.5:
        schema["unevaluatedProperties"] = False
    seldom = {
        "maxProperties": lambda: chance.randint(1, 3),
        "minProperties": lambda: chance.randint(1, 2),
        "patternProperties": lambda: {chance.choice(["^a", "^[bc]"]): _schema(chance, depth + 1)},
        "propertyNames": lambda: {"pattern": chance.choice(["^[ab]", "^[a-c]$"])},
        "dependentRequired": lambda: {chance.choice(NAMES): [chance.choice(NAMES)]},
        "dependentSchemas": lambda: {chance.choice(NAMES): _object(chance, depth + 1)},
    }
    return schema | {keyword: make() for keyword, make in seldom.items() if chance.random() < 0.06}


def _array(chance: random.Random, depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "array"}
    if chance.random() < 0.8:
        schema["items"] = _schema(chance, depth + 1)
    seldom = {
        "uniqueItems": lambda: True,
        "contains": lambda: _schema(chance, depth + 1),
        "minItems": lambda: 1,
        "maxItems": lambda: 2,
        "prefixItems": lambda: [_schema(chance, depth + 1)],
    }
    return schema | {keyword: make() for keyword, make in seldom.items() if chance.random() < 0.12}


def _schema(chance: random.Random, depth: int) -> dict[str, Any]:
    kind = chance.random()
    if depth >= _DEEPEST or (depth and kind < 0.35):
        return _scalar(chance)
    schema = _object(chance, depth) if kind < 0.85 or not depth else _array(chance, depth)
    more = chance.random()
    if depth > 1 or more > 0.34:
        return schema
    inner = [_object(chance, depth + 1) for _ in range(chance.randint(1, 2))]
    if more < 0.2:
        schema["allOf"] = inner
    elif more < 0.28:
        schema[chance.choice(["anyOf", "oneOf"])] = inner
    elif more < 0.32:
        schema |= {"if": inner[0], "then": inner[-1]}
    else:
        schema["not"] = inner[0]
    return schema


def _places(schema: dict[str, Any]) -> list[dict[str, Any]]:
    found, stack = [], [schema]
    while stack:
        node = stack.pop()
        if not isinstance(node, dict):
            continue
        found.append(node)
        for keyword in _MAPS:
            stack += node.get(keyword, {}).values()
        for keyword in _LISTS:
            stack += node.get(keyword, [])
        stack += [node[keyword] for keyword in _SINGLES if keyword in node]
    return found


def _changed(chance: random.Random, schema: dict[str, Any]) -> dict[str, Any]:
    schema = copy.deepcopy(schema)
    for _ in range(chance.choice([1, 1, 2])):
        node = chance.choice(_places(schema))
        kind = chance.random()
        if kind < 0.3:
            node["additionalProperties"] = False
        elif kind < 0.45:
            node.setdefault("properties", {})[chance.choice([*NAMES, "d"])] = _scalar(chance)
        elif kind < 0.55 and node.get("properties"):
            del node["properties"][chance.choice(sorted(node["properties"]))]
        elif kind < 0.7:
            node["required"] = sorted({*node.get("required", []), chance.choice(NAMES)})
        elif kind < 0.8:
            node.setdefault("allOf", []).append(_object(chance, _DEEPEST - 1))
        elif kind < 0.9:
            node.update({**_object(chance, _DEEPEST - 1), **node})
        elif removable := sorted(keyword for keyword in node if keyword != "$schema"):
            del node[chance.choice(removable)]
    if chance.random() < 0.15:
        return {"$schema": LATEST, "allOf": [schema, _object(chance, 1)]}
    return schema
