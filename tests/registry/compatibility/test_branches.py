"""Records for readers with alternatives, closed objects and items that must differ: what is promised is then valid."""

from typing import Any

import pytest

from service.registry.compatibility import NotProjectable, check, project

TEXT = {"type": "string"}
NULLABLE = {"type": ["string", "null"]}
LATEST = "https://json-schema.org/draft/2020-12/schema"


def record(**properties: Any) -> dict[str, Any]:
    """A closed object, every property required."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def reads(reader: Any, writer: Any, policy: Any = "RECORDS") -> bool:
    """Whether what ``writer`` lets be written is read by ``reader``."""
    return check(reader, [writer], level="BACKWARD", policy=policy).compatible


def rows(item: Any, **more: Any) -> dict[str, Any]:
    """A list."""
    return {"type": "array", "items": item, **more}


A = record(kind={"const": "a"}, x=TEXT)
B = record(kind={"const": "b"}, y=TEXT)
B_NOTED = record(kind={"const": "b"}, y=TEXT, z=NULLABLE)


def test_long_lists_of_alternatives():
    """Every row is read as the alternative that it is, however many rows there are."""
    new, old = rows({"oneOf": [A, B_NOTED]}), rows({"oneOf": [A, B]})
    assert reads(old, new)
    written = [{"kind": "b", "y": "1", "z": "2"}, {"kind": "a", "x": "1"}] * 300
    assert (
        project(written, writer=new, reader=old) == [{"kind": "b", "y": "1"}, {"kind": "a", "x": "1"}] * 300
    )


def test_what_the_reader_knows_is_never_left_out():
    """Of alternatives that fit, that which keeps most is read, and of an ``anyOf`` all that fit."""
    linked = {"type": "object", "properties": {"a": TEXT, "b": TEXT}, "dependentRequired": {"a": ["b"]}}
    closed = {**linked, "additionalProperties": False}
    more = {**linked, "properties": {**linked["properties"], "n": NULLABLE}}
    written = {"a": "1", "b": "2", "n": "x"}
    assert project(written, writer=more, reader=closed) == {"a": "1", "b": "2"}
    either = {
        "type": "object",
        "anyOf": [
            {"properties": {"a": TEXT}, "required": ["a"]},
            {"properties": {"b": TEXT}, "required": ["b"]},
        ],
    }
    assert project({"a": "1", "b": "2"}, writer=either, reader=either) == {"a": "1", "b": "2"}
    small, large = record(a=TEXT), record(a=TEXT, b=TEXT)
    union = {"anyOf": [small, large]}
    noted = {"anyOf": [small, record(a=TEXT, b=TEXT, n=TEXT)]}
    assert project({"a": "1", "b": "2", "n": "3"}, writer=noted, reader=union) == {"a": "1", "b": "2"}


def test_alternatives_that_only_a_format_tells_apart():
    """A day is not read as the alternative for moments, which would leave out what stands beside it."""
    day = record(when={"type": "string", "format": "date"}, place=TEXT)
    moment = record(when={"type": "string", "format": "date-time"}, zone=TEXT)
    more = record(when={"type": "string", "format": "date"}, place=TEXT, note=NULLABLE)
    new, old = {"anyOf": [moment, more]}, {"anyOf": [moment, day]}
    written = {"when": "2026-11-26", "place": "Ulm", "note": None}
    assert project(written, writer=new, reader=old) == {"when": "2026-11-26", "place": "Ulm"}


def variants(*branches: Any, **properties: Any) -> dict[str, Any]:
    """An object with members of its own and alternatives for the rest; nothing else."""
    return {
        "$schema": LATEST,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "oneOf": [{"properties": one, "required": list(one)} for one in branches],
        "unevaluatedProperties": False,
    }


def test_unevaluated_members_are_left_out():
    """What neither the object nor the branch that holds evaluates is unknown to the reader."""
    first, second = {"t": {"const": "a"}, "x": TEXT}, {"t": {"const": "b"}, "y": TEXT}
    old, new = variants(first, second), variants(first, {**second, "z": NULLABLE})
    assert reads(old, new)
    assert reads(new, old)
    assert project({"t": "b", "y": "1", "z": "2"}, writer=new, reader=old) == {"t": "b", "y": "1"}
    assert project({"t": "a", "x": "1"}, writer=new, reader=old) == {"t": "a", "x": "1"}
    crossed = variants(first, {**second, "x": TEXT})  # `x` is known, but not in this branch
    assert reads(old, crossed)
    assert project({"t": "b", "y": "1", "x": "2"}, writer=crossed, reader=old) == {"t": "b", "y": "1"}


def test_unevaluated_members_that_are_required():
    """A branch that does not evaluate what the object requires can never be read."""
    old = {
        "$schema": LATEST,
        "type": "object",
        "required": ["x"],
        "anyOf": [{"properties": {"x": TEXT}}, {"properties": {"y": TEXT}}],
        "unevaluatedProperties": False,
    }
    assert reads(old, record(x=TEXT, y=TEXT))
    assert not reads(old, record(x={"type": "integer"}, y=TEXT))
    assert project({"x": "1", "y": "2"}, writer=record(x=TEXT, y=TEXT), reader=old) == {"x": "1", "y": "2"}


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_branches_that_are_closed_themselves(keyword: str):
    """A closed branch that does not name what the object requires admits nothing."""
    reader = {
        "type": "object",
        "properties": {"x": TEXT},
        "required": ["x"],
        keyword: [{"properties": {"y": TEXT}, "additionalProperties": False}],
    }
    writer = record(x=TEXT, y=TEXT)
    assert not reads(reader, writer)
    fine = {**reader, keyword: [{"properties": {"x": TEXT, "y": TEXT}, "additionalProperties": False}]}
    assert reads(fine, writer)


def test_conditions_and_closed_objects():
    """What only a consequence names is known where the condition holds."""

    def reader(**more: Any) -> dict[str, Any]:
        return {
            "$schema": LATEST,
            "type": "object",
            "properties": {"kind": {"enum": ["a", "b"]}},
            "required": ["kind"],
            "if": {"properties": {"kind": {"const": "a"}}},
            "then": {"properties": {"x": TEXT, **more}, "required": ["x"]},
            "unevaluatedProperties": False,
        }

    new, old = reader(note=NULLABLE), reader()
    assert reads(old, new)
    assert project({"kind": "a", "x": "1", "note": "2"}, writer=new, reader=old) == {"kind": "a", "x": "1"}
    assert not reads(old, record(kind={"const": "a"}, x={"type": "integer"}))
    assert reads(old, record(kind={"const": "b"}, x={"type": "integer"}))
    assert project({"kind": "b", "x": 1}, writer=record(kind={"const": "b"}, x={}), reader=old) == {
        "kind": "b"
    }


def test_null_that_is_added_may_turn_a_condition():
    """What projecting adds counts where a condition, or another alternative, asks for it."""
    base = {"type": "object", "properties": {"k": NULLABLE, "z": TEXT}, "required": ["k"]}
    turned = {**base, "if": {"properties": {"k": {"type": "null"}}}, "then": {"required": ["z"]}}
    writer = {"type": "object", "properties": {"k": TEXT}, "additionalProperties": False}
    assert reads(base, writer)
    assert not reads(turned, writer)


@pytest.mark.parametrize(
    ("written", "read", "values"),
    [
        # undeclared members tell items apart that the reader may not take as they are
        (
            {"type": "object", "properties": {"a": TEXT}, "required": ["a"]},
            {"type": "object", "properties": {"a": TEXT, "b": NULLABLE}, "required": ["a"]},
            [{"a": "1", "b": 1}, {"a": "1", "b": 2}],
        ),
        # null is added to an item whose twin has it
        (
            {**record(a=TEXT, b=NULLABLE), "required": ["a"]},
            record(a=TEXT, b=NULLABLE),
            [{"a": "1", "b": None}, {"a": "1"}],
        ),
        # what differs lies deeper
        (
            record(a=record(x=TEXT, y=TEXT)),
            record(a=record(x=TEXT)),
            [{"a": {"x": "1", "y": "2"}}, {"a": {"x": "1", "y": "3"}}],
        ),
    ],
)
def test_items_that_may_become_equal(written: Any, read: Any, values: Any):
    """Where a projection may make unique items equal, the reader is not promised them."""
    writer, reader = rows(written, uniqueItems=True), rows(read, uniqueItems=True)
    assert not reads(reader, writer)
    with pytest.raises(NotProjectable):
        project(values, writer=writer, reader=reader)
    assert reads(rows(read), writer)


@pytest.mark.parametrize(
    "read",
    [
        record(a=TEXT, b=NULLABLE),
        {"anyOf": [record(a=TEXT, b=NULLABLE), {"type": "null"}]},
        record(a={"type": ["string", "null"]}),
    ],
)
def test_items_that_stay_different(read: Any):
    """Null that every item gets, and values that stay as they are, make no items equal."""
    writer, reader = rows(record(a=TEXT), uniqueItems=True), rows(read, uniqueItems=True)
    assert reads(reader, writer)
    projected = project([{"a": "1"}, {"a": "2"}], writer=writer, reader=reader)
    assert [one["a"] for one in projected] == ["1", "2"]


def test_undeclared_members_are_kept_only_where_they_must():
    """One list needs undeclared members, and an object beside it may not have them: each gets what is valid."""
    item = {"type": "object", "properties": {"a": TEXT}, "required": ["a"]}
    few = {"type": "object", "properties": {"q": TEXT}, "propertyNames": {"pattern": "^q$"}}
    writer = record(lines=rows(item, uniqueItems=True), few={**few, "propertyNames": {}})
    reader = record(lines=rows(item, uniqueItems=True), few=few)
    written = {"lines": [{"a": "1", "b": 1}, {"a": "1", "b": 2}], "few": {"q": "1", "r": "2"}}
    assert project(written, writer=writer, reader=reader) == {**written, "few": {"q": "1"}}


def test_set_inclusion_sees_what_stays_unevaluated():
    """``unevaluatedItems`` holds, and ``unevaluatedProperties`` does not see what stands around it."""
    items = {"$schema": LATEST, "type": "array", "prefixItems": [TEXT]}
    assert not reads({**items, "unevaluatedItems": False}, {**items, "items": TEXT}, "STRICT")
    assert reads({**items, "unevaluatedItems": False}, {**items, "items": False}, "STRICT")
    cousins = {"$schema": LATEST, "allOf": [{"properties": {"a": TEXT}}, {"unevaluatedProperties": False}]}
    assert not reads(cousins, {**record(a=TEXT), "required": []}, "STRICT")
    beside = {"$schema": LATEST, "allOf": [{"properties": {"a": TEXT}}], "unevaluatedProperties": False}
    assert reads(beside, {**record(a=TEXT), "required": []}, "STRICT")


def test_null_that_is_added_counts_as_a_member():
    """What a reader requires and projecting adds may be one member too many."""
    writer = {
        "type": "object",
        "properties": {"a": TEXT, "b": TEXT},
        "additionalProperties": False,
        "maxProperties": 1,
    }
    reader = {**writer, "properties": {"a": TEXT, "b": TEXT, "n": NULLABLE}, "required": ["n"]}
    assert not reads(reader, writer)
    with pytest.raises(NotProjectable):
        project({"a": "1"}, writer=writer, reader=reader)
    assert reads({**reader, "maxProperties": 2}, writer)


def test_members_that_only_another_alternative_declares():
    """They are kept where the reader takes them, and left out where it does not."""
    writer = {
        "type": "object",
        "anyOf": [{"properties": {"a": TEXT}, "required": ["a"]}, {"properties": {"b": TEXT}}],
    }
    reader = {"type": "object", "properties": {"a": TEXT, "b": TEXT}}
    assert reads(reader, writer)
    assert project({"a": "1", "b": "2"}, writer=writer, reader=reader) == {"a": "1", "b": "2"}
    assert project({"a": "1", "b": 2}, writer=writer, reader=reader) == {"a": "1"}


@pytest.mark.parametrize(
    "more",
    [{"patternProperties": {"^a": TEXT}}, {"additionalProperties": TEXT}, {"propertyNames": {"enum": ["b"]}}],
)
def test_what_is_required_is_written_though_nobody_declares_it(more: Any):
    """It may hold anything, and is not left out."""
    writer = {"type": "object", "properties": {"b": TEXT}, "required": ["a"]}
    assert not reads({"type": "object", "properties": {"b": TEXT}, **more}, writer)


def test_what_a_branch_declares_is_written():
    """Members that only an open branch of the writer speaks of are no undeclared ones."""
    writer = {
        "properties": {"a": TEXT},
        "anyOf": [record(d={"type": "boolean"}), record(d={"type": "boolean"}, b=TEXT)],
    }
    reader = {"type": "object", "properties": {"d": record(a=TEXT)}}
    assert not reads(reader, writer)
    assert reads({"type": "object", "properties": {"d": {"type": "boolean"}}}, writer)
    left = {
        "$schema": LATEST,
        "type": "object",
        "properties": {"a": TEXT},
        "unevaluatedProperties": {"type": "null"},
    }
    linked = {**left, "dependentSchemas": {"d": {"required": ["a"]}}}
    assert not reads({**linked, "unevaluatedProperties": {"type": "integer"}}, linked)


def test_a_reference_to_nowhere_raises_nothing():
    """What nobody reaches may lead nowhere, and does not keep a difference from being told."""
    new = {"type": "string", "$defs": {"x": {"$ref": "#/nope"}}}
    assert not check(new, [{"type": "integer"}], level="FULL", policy="RECORDS").compatible


def test_members_that_are_required_without_end():
    """No record is finite: the search for one that shows a difference ends all the same."""
    tree = {
        "$defs": {"node": record(left={"$ref": "#/$defs/node"}, right={"$ref": "#/$defs/node"})},
        "type": "object",
        "properties": {"tree": {"$ref": "#/$defs/node"}, "note": TEXT},
    }
    assert not reads({**tree, "properties": {**tree["properties"], "note": {"type": "integer"}}}, tree)
