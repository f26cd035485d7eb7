"""``check`` speaks the provider's words (contract §3.5) and finds everything at once."""

from typing import Any

import pytest

from service.strict import check

PREFIX = "Invalid schema for response_format 'reply': "


def closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = closed(leaf={"type": "string"})
    for _ in range(levels - 1):
        schema = closed(below=schema)
    return schema


TEXT = {"type": "string"}
REQUIRED = "'required' is required to be supplied and to be an array including every key in properties."
CLOSED = "'additionalProperties' is required to be supplied and to be false."
VECTORS: list[tuple[Any, str]] = [
    ({"type": "object", "properties": {}, "required": []}, f"In context=(), {CLOSED}"),
    (
        closed(etymology={"type": "object", "properties": {}}),
        f"In context=('properties', 'etymology'), {CLOSED}",
    ),
    (
        closed(organizations={"type": "array", "items": {**closed(roles=TEXT), "required": []}}),
        f"In context=('properties', 'organizations', 'items'), {REQUIRED} Missing 'roles'.",
    ),
    (
        {**closed(), "required": ["determined_dir"]},
        f"In context=(), {REQUIRED} Extra required key 'determined_dir' supplied.",
    ),
    (
        {"type": "array", "items": TEXT},
        "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'.",
    ),
    ({"properties": {}}, "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'."),
    (closed(data={"oneOf": [TEXT]}), "In context=('properties', 'data'), 'oneOf' is not permitted."),
    (closed(data={"allOf": [TEXT]}), "In context=('properties', 'data'), 'allOf' is not permitted."),
    (
        closed(refs={"type": "array", "items": TEXT, "uniqueItems": True}),
        "In context=('properties', 'refs'), 'uniqueItems' is not permitted.",
    ),
    (
        closed(names={**closed(), "propertyNames": TEXT}),
        "In context=('properties', 'names'), 'propertyNames' is not permitted.",
    ),
    (
        closed(status={**TEXT, "default": "x"}),
        "In context=('properties', 'status'), 'default' is not permitted.",
    ),
    (
        closed(text={**TEXT, "minLength": 1}),
        "In context=('properties', 'text'), 'minLength' is not permitted.",
    ),
    (
        closed(url={"type": ["string", "null"], "format": "uri"}),
        "In context=('properties', 'url', 'type', '0'), 'uri' is not a valid format.",
    ),
    (closed(url={**TEXT, "format": "uri"}), "In context=('properties', 'url'), 'uri' is not a valid format."),
    (
        {**closed(colour={"$ref": "#/$defs/c", "description": "d"}), "$defs": {"c": TEXT}},
        "context=('properties', 'colour'), $ref cannot have keywords {'description'}.",
    ),
    (
        closed(y={"type": "array", "items": {"$ref": "#/properties/x"}}),
        "In context=('properties', 'y', 'items'), reference can only point to definitions defined at the top level of the schema.",
    ),
    (nested(15), "14 levels of nesting exceeds limit of 10."),
    (closed(**{f"p{n}": TEXT for n in range(6000)}), "6000 parameters exceeds limit of 5000."),
    (closed(ok={}), "In context=('properties', 'ok'), schema must have a 'type' key."),
    (closed(ok={"enum": ["a"]}), "In context=('properties', 'ok'), schema must have a 'type' key."),
    (closed(objects={"type": "array"}), "In context=('properties', 'objects'), array schema missing items."),
    (closed(x={"not": TEXT}), "In context=('properties', 'x'), 'not' is not permitted."),
    (
        closed(x={"type": "object", "additionalProperties": False}),
        "In context=('properties', 'x'), object schema missing properties.",
    ),
    (
        closed(x={"type": ["string", "null"], "enum": ["a", 0]}),
        "In context=('properties', 'x'), enum value 0 does not validate against {'type': ['string', 'null']}.",
    ),
    (
        {**closed(x={"$ref": "#/$defs/gone"}), "$defs": {}},
        "In context=('properties', 'x'), reference to component '#/$defs/gone' which was not found in the schema.",
    ),
]


@pytest.mark.parametrize(("schema", "message"), VECTORS, ids=[message[:60] for _, message in VECTORS])
def test_message(schema: Any, message: str) -> None:
    """Each recorded refusal is found, word for word."""
    assert PREFIX + message in [violation.message for violation in check(schema, name="reply")]


def test_look_around_has_a_message_of_its_own() -> None:
    """Look-around is reported with a JSON path and without the usual prefix."""
    schema = closed(commands={"type": "array", "items": closed(dir={**TEXT, "pattern": "^(?!/)"})})
    [violation] = check(schema)
    assert violation.message == (
        "Invalid JSON schema: regex lookaround is not supported. Found at $.properties.commands.items.properties.dir.pattern."
    )
    assert violation.keyword == "pattern"


def test_everything_is_found_at_once() -> None:
    """The provider stops at the first fault; ``check`` names each with its place."""
    schema = closed(a={"oneOf": [TEXT]}, b={**TEXT, "format": "uri"}, c={"type": "array"})
    assert {violation.pointer for violation in check(schema)} == {
        "/properties/a",
        "/properties/b",
        "/properties/c",
    }


@pytest.mark.parametrize(
    "schema",
    [
        closed(),
        closed(a={"anyOf": [TEXT, {"type": "null"}]}, b={"$ref": "#"}),
        {**closed(a={"$ref": "#/$defs/x"}), "$defs": {"x": closed(y={"type": "array", "items": TEXT})}},
        closed(
            a={"type": "integer", "minimum": 1, "multipleOf": 2}, b={**TEXT, "format": "date", "title": "t"}
        ),
        {**nested(10), "$schema": "https://json-schema.org/draft/2020-12/schema"},
    ],
)
def test_accepted(schema: Any) -> None:
    """What the guide documents is accepted."""
    assert check(schema) == []


def test_profiles() -> None:
    """The profile `observed` gives the benefit of the doubt, `minimal` takes it away."""
    assert check(closed(a={**TEXT, "minLength": 1, "default": "x"}), profile="observed") == []
    assert check(closed(a={**TEXT, "minLength": 1})) != []
    assert check(closed(a={**TEXT, "pattern": "^a"})) == []
    assert check(closed(a={**TEXT, "pattern": "^a"}), profile="minimal") != []


@pytest.mark.parametrize(
    "schema",
    [
        None,
        1,
        [],
        "x",
        True,
        {"$ref": 5},
        {"type": {}},
        closed(a=True),
        closed(a=[]),
        closed(a={"type": "string", "properties": {"b": True}}),
    ],
)
def test_anything_can_be_checked(schema: Any) -> None:
    """What is no schema is refused, not raised about."""
    assert check(schema) != []
