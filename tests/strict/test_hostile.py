"""Schemas and values made to hurt: each compiles or is refused, and deep values pass."""

from collections.abc import Callable
from typing import Any

import pytest

from service.strict import Compiled, SchemaRefused, check, compile, guess_draft

Wrap = Callable[[Any], Any]


def deep(wrap: Wrap, levels: int, leaf: Any) -> Any:
    for _ in range(levels):
        leaf = wrap(leaf)
    return leaf


WRAPS: dict[str, Wrap] = {
    "properties": lambda s: {"type": "object", "properties": {"a": s}},
    "items": lambda s: {"type": "array", "items": s},
    "allOf": lambda s: {"allOf": [s]},
    "anyOf": lambda s: {"anyOf": [s, {"type": "null"}], "description": "d"},
    "not": lambda s: {"not": s},
    "if": lambda s: {"if": s, "then": {"properties": {"a": {"type": "string"}}}},
    "additionalProperties": lambda s: {"type": "object", "additionalProperties": s},
}
OUTCOMES = (Compiled, SchemaRefused)


def outcome(schema: Any, draft: str | None = None) -> Compiled | SchemaRefused:
    try:
        compiled = compile(schema, draft=draft)
    except SchemaRefused as refused:
        return refused
    assert check(compiled.strict) == []
    assert compiled.stats.within
    return compiled


@pytest.mark.parametrize("levels", [50, 300, 10_000])
@pytest.mark.parametrize("name", WRAPS)
def test_depth(name: str, levels: int) -> None:
    """Nesting of any depth is compiled or refused, without the interpreter's stack."""
    assert isinstance(outcome(deep(WRAPS[name], levels, {"type": "string"})), OUTCOMES)


def tower(size: int) -> Any:
    steps = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(size)}
    return {"$defs": {**steps, f"d{size}": {"type": "string"}}, "$ref": "#/$defs/d0"}


def references(size: int) -> Any:
    steps = {
        f"d{n}": {"type": "object", "properties": {c: {"$ref": f"#/$defs/d{n + 1}"} for c in "abcdefgh"}}
        for n in range(size)
    }
    return {"$defs": {**steps, f"d{size}": {"type": "string"}}, "$ref": "#/$defs/d0"}


def product(word: str, choices: int, branches: int) -> Any:
    return {
        "type": "object",
        "allOf": [
            {
                word: [
                    {"properties": {f"p{i}_{j}": {"type": "string"}}, "required": [f"p{i}_{j}"]}
                    for j in range(branches)
                ]
            }
            for i in range(choices)
        ],
    }


BOMBS: dict[str, Any] = {
    "allOf tower": tower(200),
    "references": references(60),
    "anyOf product": product("anyOf", 12, 6),
    "oneOf product": product("oneOf", 12, 6),
    "oneOf of 600": {
        "oneOf": [{"type": "object", "properties": {f"p{n}": {"type": "string"}}} for n in range(600)]
    },
    "7,000 properties": {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(7_000)}},
    "spread over groups": {
        "type": "object",
        "properties": {
            f"g{k}": {"type": "object", "properties": {f"p{k}_{n}": {"type": "string"} for n in range(120)}}
            for k in range(60)
        },
    },
    "20,000 values": {"enum": [f"v{n}" for n in range(20_000)]},
    "one long enumeration": {"enum": [f"value {n}" * 8 for n in range(300)]},
    "if tower": {
        "allOf": [
            {"if": {"properties": {"a": {"const": n}}, "required": ["a"]}, "then": {"required": [f"r{n}"]}}
            for n in range(100)
        ]
    },
    "dependencies": {"type": "object", "dependentRequired": {f"p{n}": [f"p{n + 1}"] for n in range(50)}},
    "patterns over names": {
        "type": "object",
        "patternProperties": {f"^a{n}": {"type": "string"} for n in range(700)},
        "properties": {f"a{n}": {} for n in range(700)},
    },
    "repetition": {"type": "string", "pattern": "(a{1000}){1000}"},
    "parentheses": {"type": "string", "pattern": "(" * 4000 + "a" + ")" * 4000},
    "huge number": {"type": "integer", "minimum": 10**5000},
    "long number": {"type": "integer", "minimum": 10**300, "multipleOf": 10**30},
    "half a surrogate": {"type": "object", "properties": {"\ud800": {"type": "string"}}},
    "circle": {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
    "not itself": {"$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"},
    "allOf itself": {"type": "object", "allOf": [{"$ref": "#"}]},
    "deep constant": {"const": deep(lambda s: [s], 5_000, 1)},
    "deep annotation": {"type": "object", "default": deep(lambda s: {"a": s}, 5_000, 1)},
    "the metaschema": {"$ref": "http://json-schema.org/draft-07/schema#"},
    "not a number": {"minimum": float("nan")},
    "identifiers of other kinds": {"$id": [1], "id": {"a": 1}, "$anchor": 3, "type": "object"},
    "broken address": {"$ref": "http://[x/y"},
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb(name: str) -> None:
    """What would grow without end ends in a strict form within the limits, or in a refusal."""
    assert isinstance(outcome(BOMBS[name]), OUTCOMES)


@pytest.mark.parametrize("draft", ["4", "6", "7", "2019-09", "2020-12"])
@pytest.mark.parametrize("value", [1, "x", None, [], [1], {"a": 1}, True, [{}], [[]]])
def test_keywords_with_values_of_any_kind(draft: str, value: Any) -> None:
    """A keyword with a value of the wrong kind is a refusal, never an exception of another kind."""
    words = (
        "type enum const properties required additionalProperties patternProperties propertyNames items prefixItems"
        " additionalItems contains minItems maxLength pattern format multipleOf minimum exclusiveMinimum allOf anyOf oneOf"
        " not if then dependencies dependentRequired dependentSchemas $ref $dynamicRef $recursiveRef $id id $anchor"
        " $defs definitions unevaluatedProperties unevaluatedItems uniqueItems minContains description title $schema"
    )
    for word in words.split():
        for schema in (
            {word: value},
            {"type": "object", "properties": {"a": {word: value, "then": value}}},
            {"properties": {"a": {"$ref": "#/x-odd/place"}}, "x-odd": {"place": {word: value}}},
            {"oneOf": [{word: value}, {"not": {word: value}}, {"if": {word: value}, "then": {word: value}}]},
        ):
            assert isinstance(outcome(schema, draft), OUTCOMES)


@pytest.mark.parametrize("document", [5, None, [], {"type": 5}, {"$ref": 7}, {"$ref": "elsewhere"}, False])
def test_external_documents_of_any_kind(document: Any) -> None:
    """A document from outside is as hostile as the schema."""
    for fragment in ("", "#", "#/a", "#/a/b", "#nowhere", "#/a~2%ZZ"):
        with pytest.raises(SchemaRefused):
            compile({"$ref": f"https://e.org/x{fragment}"}, externals={"https://e.org/x": document})


def test_deep_values() -> None:
    """Values as deep as a request may be are encoded and decoded, in closed, open and free structures."""
    free = compile(True)
    value = deep(lambda v: {"a": [v]}, 250, 1)
    assert _flat(free.decode(free.encode(value))) == _flat(value)
    tree = compile({"type": "object", "properties": {"n": {"$ref": "#"}, "v": {"type": ["null", "integer"]}}})
    value = deep(lambda v: {"n": v, "x": 1}, 500, {"v": None})
    assert _flat(tree.decode(tree.encode(value))) == _flat(value)


def test_deep_values_of_every_form() -> None:
    """Tuples, maps, tagged and marked objects nest by the hundred too, there and back."""
    node = {"$ref": "#/$defs/node"}
    compiled = compile(
        {
            "$ref": "#/$defs/node",
            "$defs": {
                "node": {
                    "anyOf": [
                        {"type": "null"},
                        {
                            "type": "array",
                            "prefixItems": [node, {"type": "integer"}],
                            "items": node,
                            "minItems": 1,
                        },
                        {"type": "object", "required": ["k"], "properties": {"k": {"const": 1}, "v": node}},
                        {"type": "object", "additionalProperties": node},
                    ]
                }
            },
        }
    )
    steps: list[Wrap] = [
        lambda v: [v],
        lambda v: [None, 3, v],
        lambda v: {"k": 1, "v": v},
        lambda v: {"k": 1, "other": [v]},
        lambda v: {"x": v, "y": None},
    ]
    for levels in (20, 400):
        value = None
        for level in range(levels):
            value = steps[level % len(steps)](value)
        assert _flat(compiled.decode(compiled.encode(value))) == _flat(value)


def _flat(value: Any) -> list[Any]:
    """A deep value as a flat list: comparing deep values needs the interpreter's stack."""
    found: list[Any] = []
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            found.append(sorted(item))
            stack.extend(item[name] for name in sorted(item))
        elif isinstance(item, list):
            found.append(len(item))
            stack.extend(item)
        else:
            found.append(item)
    return found


@pytest.mark.parametrize(
    ("schema", "draft"),
    [
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, "4"),
        ({"$schema": "http://json-schema.org/draft-06/schema"}, "6"),
        ({"$schema": "https://json-schema.org/draft/2019-09/schema"}, "2019-09"),
        ({"properties": {"a": {"minimum": 1, "exclusiveMinimum": True}}}, "4"),
        ({"items": [{}]}, "7"),
        ({"prefixItems": [{}]}, "2020-12"),
        ({"$recursiveRef": "#"}, "2019-09"),
        ({"properties": {"prefixItems": {}}}, "2020-12"),
        (True, "2020-12"),
    ],
)
def test_guess_draft(schema: Any, draft: str) -> None:
    """The draft is declared, or guessed from the keywords in keyword positions."""
    assert guess_draft(schema) == draft


def test_unknown_draft() -> None:
    """A draft that does not exist is refused by name."""
    with pytest.raises(SchemaRefused, match="'5'"):
        compile({}, draft="5")
