"""Properties that hold for any schema and any value."""

import json
import math
from typing import Any

import jsonschema_rs
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from service.strict import SchemaRefused, check, compile

NAMES = st.sampled_from(("a", "b", "c", "undeclared", "absent", "key", "$ref", "entries"))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from((0.5, 1.0, 2.0**80))
    | st.sampled_from(("", "a", "ab", "zz"))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def _scalar_schemas() -> st.SearchStrategy[Any]:
    return st.one_of(
        st.sampled_from(
            (
                True,
                {},
                {"type": "string"},
                {"type": "string", "minLength": 1, "maxLength": 2},
                {"type": "string", "pattern": "^a"},
                {"type": "integer", "minimum": 0},
                {"type": "number", "multipleOf": 0.5},
                {"type": ["string", "null"]},
                {"type": ["boolean", "integer", "object"]},
                {"type": "null"},
                {"minimum": 1},
                {"type": "array"},
                {"type": "object"},
                {"format": "uri"},
            )
        ),
        st.lists(VALUES, min_size=1, max_size=3).map(lambda values: {"enum": values}),
        VALUES.map(lambda value: {"const": value}),
    )


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    properties = st.dictionaries(NAMES, inner, max_size=3)
    required = st.lists(NAMES, max_size=2, unique=True)
    objects = st.fixed_dictionaries(
        {"type": st.just("object"), "properties": properties},
        optional={
            "required": required,
            "additionalProperties": st.booleans() | inner,
            "patternProperties": st.dictionaries(st.sampled_from(("^a", "b$", ".*")), inner, max_size=2),
            "minProperties": st.integers(0, 2),
            "description": st.just("words"),
            "dependentRequired": st.dictionaries(NAMES, required, max_size=1),
        },
    )
    arrays = st.fixed_dictionaries(
        {"type": st.just("array")},
        optional={
            "items": st.booleans() | inner,
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "minItems": st.integers(0, 2),
            "maxItems": st.integers(0, 3),
            "uniqueItems": st.booleans(),
        },
    )
    several = st.lists(inner, min_size=1, max_size=3)
    unions = st.fixed_dictionaries(
        {}, optional={"anyOf": several, "oneOf": several, "allOf": several, "not": inner}
    )
    conditions = st.fixed_dictionaries({"if": inner, "then": inner}, optional={"else": inner})
    references = st.sampled_from(
        (
            {"type": "object", "properties": {"a": {"$ref": "#"}}},
            {"type": ["array", "null"], "items": {"$ref": "#", "description": "again"}},
        )
    )
    typeless = objects.map(lambda schema: {word: value for word, value in schema.items() if word != "type"})
    return st.one_of(objects, objects, arrays, unions, conditions, references, typeless)


SCHEMAS = st.recursive(_scalar_schemas(), _containers, max_leaves=8)
THOROUGH = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: 1 is 1.0, but not ``True``."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def compiled_or_none(schema: Any) -> Any:
    """The compiled schema, or ``None`` where it is refused."""
    try:
        return compile(schema, draft="2020-12")
    except SchemaRefused:
        return None


@THOROUGH
@given(SCHEMAS, st.lists(VALUES, min_size=1, max_size=6))
def test_valid_instances_survive_the_way_there_and_back(schema: Any, values: list[Any]) -> None:
    """A valid instance has a strict value, and that value means this instance."""
    original = _validator(schema)
    assume(original is not None)
    valid = [value for value in values if _is_valid(original, value)]
    compiled = compiled_or_none(schema)
    if compiled is None:
        assert not valid, "a schema with a valid instance is not refused"
        return
    strict = jsonschema_rs.Draft202012Validator(compiled.strict)
    for value in valid:
        encoded = compiled.encode(value)
        assert strict.is_valid(encoded)
        assert same(compiled.decode(encoded), value)


@THOROUGH
@given(SCHEMAS)
def test_the_provider_would_accept_every_strict_form(schema: Any) -> None:
    """Whatever compiles, compiles to the documented subset, the same each time, and to itself the second time."""
    compiled = compiled_or_none(schema)
    assume(compiled is not None)
    assert check(compiled.strict) == []
    again = compile(schema, draft="2020-12")
    assert json.dumps(again.strict) == json.dumps(compiled.strict)
    assert again.digest == compiled.digest
    assert again.losses == compiled.losses
    twice = compile(compiled.strict)
    assert twice.strict == compiled.strict
    assert twice.losses == ()


@THOROUGH
@given(SCHEMAS, VALUES)
def test_decode_is_total(schema: Any, value: Any) -> None:
    """Decoding and encoding take any value without raising; decoding leaves its argument alone."""
    compiled = compiled_or_none(schema)
    assume(compiled is not None)
    before = json.dumps(value)
    compiled.decode(value)
    compiled.decode(compiled.encode(value))
    assert json.dumps(value) == before


def _validator(schema: Any) -> Any:
    try:
        return jsonschema_rs.Draft202012Validator(schema, validate_formats=False)
    except (ValueError, jsonschema_rs.ValidationError):
        return None


def _is_valid(validator: Any, value: Any) -> bool:
    try:
        return bool(validator.is_valid(value)) and not (isinstance(value, float) and math.isnan(value))
    except (ValueError, RecursionError):
        return False
