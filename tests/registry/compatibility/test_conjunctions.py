"""Readers that say several things of one place: projecting follows all of them at once, and so must the verdict."""

from typing import Any

import pytest

from service.registry.compatibility import NotProjectable, check, project

TEXT = {"type": "string"}
NULLABLE = {"type": ["string", "null"]}
CLOSED = {"additionalProperties": False}

ROW = {"type": "object", "properties": {"x": TEXT}, "required": ["x"]}
HOLDER = {"type": "object", "properties": {"a": ROW}}
ROWS = {"type": "array", "items": ROW}
ONE = {"type": "object", "properties": {"a": TEXT}, "maxProperties": 1}
PLAIN = {"type": "object", "properties": {"a": TEXT}}
WITH_NULL = {"type": "object", "properties": {"a": TEXT, "b": NULLABLE}, "required": ["b"]}
REMARK = {"description": "Else it would be the same subschema"}


def _reads(reader: Any, writer: Any) -> bool:
    return check(reader, [writer], level="BACKWARD", policy="RECORDS").compatible


@pytest.mark.parametrize(
    ("writer", "reader", "record"),
    [
        pytest.param(
            ROW, {"$defs": {"row": ROW}, "$ref": "#/$defs/row", **CLOSED}, {"x": "1"}, id="reference"
        ),
        pytest.param(ROW, {"allOf": [{**ROW, "minProperties": 0}], **CLOSED}, {"x": "1"}, id="allOf"),
        pytest.param(
            HOLDER, {"allOf": [HOLDER, {"properties": {"a": CLOSED}}]}, {"a": {"x": "1"}}, id="member"
        ),
        pytest.param(
            HOLDER, {**HOLDER, "patternProperties": {"^a": CLOSED}}, {"a": {"x": "1"}}, id="member by pattern"
        ),
        pytest.param(ROWS, {"allOf": [ROWS, {"items": CLOSED}]}, [{"x": "1"}], id="items"),
        pytest.param(
            HOLDER,
            {**HOLDER, "anyOf": [{"properties": {"a": CLOSED}}]},
            {"a": {"x": "1"}},
            id="member in a branch",
        ),
        pytest.param(ROWS, {**ROWS, "oneOf": [{"items": CLOSED}]}, [{"x": "1"}], id="items in a branch"),
        pytest.param(
            {**ROWS, "uniqueItems": True},
            {"allOf": [{"items": {"type": "object", **CLOSED}}], "uniqueItems": True},
            [{"x": "1"}, {"x": "2"}],
            id="items that must differ",
        ),
        pytest.param(
            {**ROWS, "contains": {"required": ["x"]}},
            {"type": "array", "items": {"type": "object", **CLOSED}, "contains": {"required": ["x"]}},
            [{"x": "1"}],
            id="items that are looked for",
        ),
        pytest.param(
            {"type": "array", "items": PLAIN, "contains": PLAIN},
            {"type": "array", "items": PLAIN, "contains": WITH_NULL},
            [{"a": "x"}],
            id="null is not added for items that are looked for",
        ),
        pytest.param(
            {**ROWS, "contains": False, "minContains": 0},
            {
                "type": "array",
                "items": {"type": "object", **CLOSED},
                "contains": {"not": {"required": ["x"]}},
                "minContains": 0,
                "maxContains": 0,
            },
            [{"x": "1"}],
            id="items that must not be found",
        ),
        pytest.param(
            ONE,
            {"allOf": [ONE], "properties": {"b": NULLABLE}, "required": ["b"]},
            {"a": "x"},
            id="null beside a count",
        ),
        pytest.param(
            PLAIN, {**WITH_NULL, "propertyNames": {"pattern": "^a"}}, {"a": "x"}, id="null under a name"
        ),
        pytest.param(
            PLAIN,
            {
                **WITH_NULL,
                "properties": {**WITH_NULL["properties"], "c": TEXT},
                "dependentRequired": {"b": ["c"]},
            },
            {"a": "x"},
            id="null that needs another",
        ),
        pytest.param(
            PLAIN,
            {**WITH_NULL, "dependentSchemas": {"b": {"required": ["c"]}}},
            {"a": "x"},
            id="null that brings rules along",
        ),
        pytest.param(
            PLAIN, {**WITH_NULL, "anyOf": [{"maxProperties": 1}]}, {"a": "x"}, id="null in a branch"
        ),
        pytest.param(
            PLAIN,
            {**WITH_NULL, "anyOf": [{"properties": {"b": TEXT}}]},
            {"a": "x"},
            id="null a branch refuses",
        ),
        pytest.param(
            ROW,
            {**ROW, "anyOf": [{"properties": {"x": {"type": "integer"}}}]},
            {"x": "1"},
            id="a member that a branch has left out",
        ),
        pytest.param(
            {**HOLDER, "anyOf": [{"properties": {"a": {"properties": {"y": {}}}}}]},
            {"properties": {"a": {**ROW, "properties": {"x": TEXT, "y": TEXT}}}},
            {"a": {"x": "1", "y": 1}},
            id="a member of a member that a branch declares",
        ),
        pytest.param(
            {**ROWS, "oneOf": [{"items": {"properties": {"y": {}}}}]},
            {"type": "array", "items": {**ROW, "properties": {"x": TEXT, "y": TEXT}}},
            [{"x": "1", "y": 1}],
            id="a member of an item that a branch declares",
        ),
        pytest.param(
            {"properties": {"a": {"const": "k"}}, "not": HOLDER},
            {"properties": {"a": {"const": "k", "type": "object"}}, "not": HOLDER},
            {"a": "k"},
            id="a member left out for what is excluded",
        ),
        pytest.param(
            {**PLAIN, "if": {"properties": {"b": {"const": "k"}}}, "then": {"required": ["a"]}},
            {**PLAIN, "if": {"properties": {"b": {"const": "k"}}}, "then": {"required": ["a"]}, **CLOSED},
            {"b": 1},
            id="a member left out for a condition",
        ),
        pytest.param(
            {"type": "object", "properties": {"a": {}}, "dependentRequired": {"a": ["c"]}},
            {
                "type": "object",
                "properties": {"a": {}, "c": {"type": "integer"}},
                "dependentRequired": {"a": ["c"]},
            },
            {"a": 1, "c": "x"},
            id="a member that is needed and not declared",
        ),
        pytest.param(
            {**PLAIN, "required": ["a"], "dependentRequired": {"a": ["c"]}},
            {**PLAIN, "required": ["a"], "dependentRequired": {"a": ["c"]}, **CLOSED},
            {"a": "x", "c": 1},
            id="a member that is needed and not read",
        ),
    ],
)
def test_refused(writer: Any, reader: Any, record: Any) -> None:
    """The verdict sees what the record shows."""
    assert not _reads(reader, writer)
    with pytest.raises(NotProjectable):
        project(record, writer=writer, reader=reader)


@pytest.mark.parametrize(
    ("writer", "reader"),
    [
        pytest.param(
            ROW, {"$defs": {"row": ROW}, "$ref": "#/$defs/row", "unevaluatedProperties": False}, id="closed"
        ),
        pytest.param(
            HOLDER, {"allOf": [{**HOLDER, **REMARK}], "properties": {"n": NULLABLE}}, id="another member"
        ),
        pytest.param(HOLDER, {"allOf": [HOLDER, {"properties": {"a": {"minProperties": 1}}}]}, id="no say"),
        pytest.param(
            HOLDER,
            {"allOf": [HOLDER, {"properties": {"a": {"properties": {"x": TEXT}}}}]},
            id="the same twice",
        ),
        pytest.param(PLAIN, {**WITH_NULL, "anyOf": [{"required": ["b"]}]}, id="null that a branch wants"),
        pytest.param(
            {**PLAIN, "required": ["a"]},
            {**WITH_NULL, "dependentRequired": {"b": ["a"]}},
            id="null with what it needs",
        ),
        pytest.param(
            {"type": "array", "items": TEXT}, {"type": "array", "items": {"allOf": [TEXT]}}, id="items"
        ),
    ],
)
def test_read(writer: Any, reader: Any) -> None:
    """Saying more of a place breaks nothing by itself."""
    assert _reads(reader, writer)


def test_a_reference_that_leads_elsewhere_by_the_way() -> None:
    """Where a dynamic reference leads depends on the way to it: such schemas are not compared, and equal ones are."""
    tree = {
        "$schema": "https://json-schema.org/draft/2019-09/schema",
        "$id": "https://example.com/main",
        "$defs": {
            "inner": {
                "$id": "inner",
                "$recursiveAnchor": True,
                "additionalProperties": {"$recursiveRef": "#"},
            }
        },
        "if": {"propertyNames": {}},
        "then": {"$id": "any", "$recursiveAnchor": True, "$ref": "inner"},
        "else": {"$id": "whole", "$recursiveAnchor": True, "type": ["object", "integer"], "$ref": "inner"},
    }
    report = check(
        {**tree, "if": {"propertyNames": {"pattern": "^[a-m]"}}}, [tree], level="BACKWARD", policy="STRICT"
    )
    assert [one.kind for one in report.differences] == ["REFERENCE_UNDECIDED"]
    assert report.differences[0].pointer.endswith("/$recursiveRef")
    assert _reads(tree, tree)
