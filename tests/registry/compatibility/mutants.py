"""Changes to schemas, made by code: some at random places, some whose effect on records is known."""

import copy
import gzip
import hashlib
import json
import os
import random
from collections.abc import Callable, Iterator
from typing import Any

from conftest import SHARED

CORPUS = SHARED / "schemas-corpus"
FULL = os.environ.get("WINNOW_CORPUS") == "full"


def corpus(*, one_in: int) -> Iterator[dict[str, Any]]:
    """Schemas by hash of their id, all of them in a full run; none that need documents from elsewhere."""
    for path in sorted(CORPUS.glob("*.jsonl.gz")):
        with gzip.open(path, "rt") as lines:
            for line in lines:
                row: dict[str, Any] = json.loads(line)
                digest = int(hashlib.sha256(row["id"].encode()).hexdigest(), 16)
                if (FULL or digest % one_in == 0) and not row.get("flags") and not row.get("externals"):
                    yield row


def _places(schema: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    stack = [schema]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            found.append(node)
            stack += node.values()
        elif isinstance(node, list):
            stack += node
    return found


def mutated(schema: Any, chance: random.Random) -> Any:
    """A copy with one or two random changes: what they do to records is for others to find out."""
    result = copy.deepcopy(schema)
    for _ in range(chance.choice([1, 1, 2, 3])):
        places = [node for node in _places(result) if node]
        if places:
            chance.choice(_RANDOM)(chance.choice(places), chance)
    return result


def _drop(node: dict[str, Any], chance: random.Random) -> None:
    del node[chance.choice(sorted(node))]


def _shift(node: dict[str, Any], chance: random.Random) -> None:
    for keyword in sorted(node):
        value = node[keyword]
        if keyword.startswith(("min", "max", "exclusiveM")) and type(value) in (int, float):
            node[keyword] = max(0, value + chance.choice([-1, 1]))
            return
    node["maxLength"] = chance.choice([0, 1, 5])


def _members(node: dict[str, Any], chance: random.Random) -> None:
    for keyword in ("enum", "required", "anyOf", "oneOf", "allOf"):
        value = node.get(keyword)
        if isinstance(value, list) and len(value) > 1:
            value.pop(chance.randrange(len(value)))
            return
    node["required"] = ["extra"]


def _property(node: dict[str, Any], chance: random.Random) -> None:
    inner = node.get("properties")
    if isinstance(inner, dict):
        inner["extra"] = chance.choice([{"type": "string"}, {"type": ["null", "integer"]}, True, False])
        if chance.random() < 0.5:
            node["additionalProperties"] = chance.choice([False, True, {"type": "string"}])


def _type(node: dict[str, Any], chance: random.Random) -> None:
    if isinstance(node.get("type"), str):
        node["type"] = chance.choice(
            ["string", "integer", "number", [node["type"], "null"], ["integer", "string"]]
        )


def _wrap(node: dict[str, Any], chance: random.Random) -> None:
    inner = dict(node)
    node.clear()
    node[chance.choice(["anyOf", "oneOf", "allOf"])] = [
        inner,
        *([{"type": "null"}] if chance.random() < 0.5 else []),
    ]


def _close(node: dict[str, Any], chance: random.Random) -> None:
    if isinstance(node.get("properties"), dict) or chance.random() < 0.2:
        keyword = chance.choice(["additionalProperties", "unevaluatedProperties"])
        node[keyword] = chance.choice([False, False, True, {"type": ["string", "null"]}])


def _nullable(node: dict[str, Any], chance: random.Random) -> None:
    inner = node.get("properties")
    if isinstance(inner, dict):
        inner["noted"] = {"type": ["string", "null"]}
        required = node.get("required")
        if chance.random() < 0.5:
            node["required"] = [*(required if isinstance(required, list) else []), "noted"]


def _require(node: dict[str, Any], chance: random.Random) -> None:
    inner = node.get("properties")
    if isinstance(inner, dict) and inner:
        required = node.get("required")
        names = {*(required if isinstance(required, list) else [])} ^ {chance.choice(sorted(inner))}
        node["required"] = sorted(names) or [next(iter(inner))]


def _items(node: dict[str, Any], chance: random.Random) -> None:
    if "items" in node:
        node[chance.choice(["uniqueItems", "uniqueItems", "minItems", "maxItems"])] = chance.choice([1, 2])
        if "uniqueItems" in node:
            node["uniqueItems"] = True


def _branch(node: dict[str, Any], chance: random.Random) -> None:
    inner = node.get("properties")
    if not isinstance(inner, dict) or len(inner) < 2:
        return
    one, other = chance.sample(sorted(inner), 2)
    kind = chance.choice(["anyOf", "oneOf", "if", "dependencies", "split"])
    if kind == "if":
        node["if"] = {"required": [one]}
        node["then"] = {"required": [other]}
    elif kind == "dependencies":
        node[chance.choice(["dependencies", "dependentRequired"])] = {one: [other]}
    elif kind == "split":
        left, right = {one: inner.pop(one)}, {other: inner.pop(other)}
        closed = {} if chance.random() < 0.5 else {"additionalProperties": False}
        node[chance.choice(["anyOf", "oneOf"])] = [
            {"properties": left, "required": [one], **closed},
            {"properties": right, "required": [other], **closed},
        ]
    else:
        node[kind] = [{"required": [one]}, {"required": [other]}]


_RANDOM: list[Callable[[dict[str, Any], random.Random], None]] = [
    _drop,
    _shift,
    _members,
    _property,
    _type,
    _wrap,
    _close,
    _nullable,
    _require,
    _items,
    _branch,
]


def shaken(record: Any, chance: random.Random) -> Any:
    """A copy whose lists have items that nearly repeat others, and whose objects lack, null or add a member."""
    result = copy.deepcopy(record)
    for node in _containers(result):
        if isinstance(node, list):
            if node and chance.random() < 0.7:
                twin = copy.deepcopy(chance.choice(node))
                _shake(twin, chance)
                node.append(twin)
        elif chance.random() < 0.3:
            _shake(node, chance)
    return result


def _containers(value: Any) -> list[Any]:
    found: list[Any] = []
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, dict | list):
            found.append(node)
            stack += node.values() if isinstance(node, dict) else node
    return found


def _shake(node: Any, chance: random.Random) -> None:
    inner = [one for one in _containers(node) if isinstance(one, dict)]
    if not inner:
        return
    place = chance.choice(inner)
    name = chance.choice([*sorted(place), "extra", "noted"])
    match chance.choice(["drop", "null", "other"]):
        case "drop":
            place.pop(name, None)
        case "null":
            place[name] = None
        case _:
            place[name] = chance.choice(["a", "b", 1, 2])


# ------------------------------------------------------------------------------------ changes whose effect is known


def closed(schema: dict[str, Any]) -> dict[str, Any] | None:
    """The schema with its root closed, where its root is a plain object with properties; else None.

    None too where it requires a member that it does not describe: closed, it would admit no record at all.
    """
    plain = {
        "$schema",
        "$id",
        "id",
        "type",
        "properties",
        "required",
        "title",
        "description",
        "definitions",
        "$defs",
    }
    inner = schema.get("properties")
    if (
        schema.get("type") != "object"
        or not isinstance(inner, dict)
        or not inner
        or not inner.keys() >= set(schema.get("required", []))
        or not set(schema) - {"additionalProperties"} <= plain
    ):
        return None
    return {**copy.deepcopy(schema), "additionalProperties": False}


Change = Callable[[dict[str, Any]], dict[str, Any]]


def _with(schema: dict[str, Any], name: str, inner: Any, *, required: bool) -> dict[str, Any]:
    names = [*schema.get("required", []), *([name] if required else [])]
    return {**schema, "properties": {**schema["properties"], name: inner}, "required": names}


def _without(schema: dict[str, Any], name: str) -> dict[str, Any]:
    return {
        **schema,
        "properties": {key: value for key, value in schema["properties"].items() if key != name},
        "required": [key for key in schema.get("required", []) if key != name],
    }


KNOWN: list[tuple[str, Any, Any, bool, bool]] = [
    ("add nullable", None, {"type": ["string", "null"]}, True, True),
    ("add required", None, {"type": "string"}, False, True),
    ("remove required", {"type": "string"}, None, True, False),
    ("remove nullable", {"type": ["string", "null"]}, None, True, True),
    ("tighten a length", {"type": "string", "maxLength": 9}, {"type": "string", "maxLength": 4}, False, True),
    ("loosen a bound", {"type": "number", "minimum": 3}, {"type": "number", "minimum": 0}, True, False),
    ("extend an enum", {"enum": ["a"]}, {"enum": ["a", "b"]}, True, False),
    ("narrow a union", {"type": ["string", "integer"]}, {"type": "string"}, False, True),
    ("scalar to list", {"type": "string"}, {"type": "array", "items": {"type": "string"}}, False, False),
]
"""Name, the new member before and after (None: it is not there), and what RECORDS says: backward, forward."""


def chain(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any], bool, bool]]:
    """Versions of one schema, each with what RECORDS says of the step: name, old, new, backward, forward."""
    name = "winnow_chain"
    for step, before, after, backward, forward in KNOWN:
        old = _without(schema, name) if before is None else _with(schema, name, before, required=True)
        new = _without(schema, name) if after is None else _with(schema, name, after, required=True)
        yield step, old, new, backward, forward
