"""Validation against the original schema: what it says, and what it cannot be made to do."""

from typing import Any

import pytest

from service.extraction.validate import Validator
from service.strict import SchemaRefused

CASES: list[tuple[Any, Any, str, str]] = [
    ({"type": "string"}, 5, "", "type"),
    ({"properties": {"a/b": {"minimum": 3}}}, {"a/b": 1}, "/a~1b", "minimum"),
    ({"properties": {"d": {"format": "date"}}}, {"d": "3.11.2026"}, "/d", "format"),
    ({"items": {"enum": ["a"]}}, ["a", "b"], "/1", "enum"),
    ({"required": ["a"]}, {}, "", "required"),
    (
        {"additionalProperties": False, "patternProperties": {"^x": {}}},
        {"xa": 1, "b": 2},
        "",
        "additionalProperties",
    ),
    ({"additionalProperties": {"type": "string"}}, {"a": 1}, "/a", "type"),
    ({"patternProperties": {"^x": {"type": "string"}}}, {"xa": 1}, "/xa", "type"),
    ({"properties": {"p": {"pattern": "^\\d+$"}}}, {"p": "x"}, "/p", "pattern"),
    ({"uniqueItems": True}, [1, 1], "", "uniqueItems"),
    ({"oneOf": [{}, {}]}, 1, "", "oneOf"),
]


@pytest.mark.parametrize(("schema", "record", "pointer", "rule"), CASES, ids=lambda value: str(value)[:40])
def test_findings(schema: Any, record: Any, pointer: str, rule: str) -> None:
    """A finding names the place and the rule; its message never holds the value."""
    validator = Validator(schema, draft="2020-12")
    assert not validator.accepts(record)
    (finding,) = validator.findings(record)
    assert (finding.pointer, finding.rule) == (pointer, rule)
    assert "3.11.2026" not in finding.message


def test_what_is_missing_is_named_once_and_one_by_one() -> None:
    """One finding for an object, with a place for each member that it lacks: a repair asks for those alone."""
    schema = {"properties": {"a": {"required": ["x", "y/z", "there"]}}}
    (finding,) = Validator(schema, draft="2020-12").findings({"a": {"there": 1}})
    assert (finding.pointer, finding.places) == ("/a", ("/a/x", "/a/y~1z"))
    assert finding.message == "lacks what is required: ['x', 'y/z']"


def test_at_most_fifty() -> None:
    """A record that is wrong everywhere does not make an endless answer."""
    assert len(Validator({"items": {"type": "string"}}, draft="2020-12").findings([1] * 1000)) == 50


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [{"$ref": "#"}, {"type": "string"}]},
        {"if": {"$ref": "#"}, "then": {"type": "string"}},
        {"properties": {"a": {"not": {"$ref": "#/properties/a"}}}},
        {"allOf": [{"$ref": "#"}], "type": "object"},
    ],
    ids=str,
)
def test_endless_references_end(schema: Any) -> None:
    """A schema that refers to itself in place neither hangs nor kills the process."""
    validator = Validator(schema, draft="2020-12")
    for record in ("text", 5, None, {"a": 1}):
        assert isinstance(validator.accepts(record), bool)
        assert isinstance(validator.findings(record), list)


def test_explosions_are_refused() -> None:
    """Alternatives that double with every reference would be tried for years."""
    definitions: dict[str, Any] = {f"a{i}": {"anyOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(40)}
    with pytest.raises(SchemaRefused):
        Validator(
            {"$defs": {**definitions, "a40": {"type": "string"}}, "$ref": "#/$defs/a0"}, draft="2020-12"
        )


def test_nothing_is_fetched() -> None:
    """A reference to elsewhere is refused, not followed."""
    with pytest.raises(SchemaRefused):
        Validator({"$ref": "http://127.0.0.1:1/schema.json"}, draft="2020-12")


@pytest.mark.parametrize("draft", ["4", "6", "7", "2019-09", "2020-12"])
def test_every_draft(draft: str) -> None:
    """Each draft has its judge."""
    validator = Validator(
        {"$schema": "http://json-schema.org/draft-03/schema#", "type": "string", "pattern": "^a"}, draft=draft
    )
    assert validator.accepts("ab")
    assert [finding.rule for finding in validator.findings("b")] == ["pattern"]
