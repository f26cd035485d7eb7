"""The table of RECORDS: what history and live consumers survive, and projection that makes it true."""

from typing import Any

import pytest

from service.registry.compatibility import NO_WITNESS, NotProjectable, check, project


def record(**properties: Any) -> dict[str, Any]:
    """A closed object, every property required, as strict structured output has it."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


NULLABLE = {"type": ["string", "null"]}
TEXT = {"type": "string"}
A = record(a=TEXT)

TABLE: list[tuple[str, Any, Any, bool, bool]] = [
    ("nothing", A, A, True, True),
    ("add a nullable property", A, record(a=TEXT, b=NULLABLE), True, True),
    ("add a property that is not nullable", A, record(a=TEXT, b=TEXT), False, True),
    ("remove a property that is not nullable", record(a=TEXT, b=TEXT), A, True, False),
    ("remove a nullable property", record(a=TEXT, b=NULLABLE), A, True, True),
    ("allow null", A, record(a=NULLABLE), True, False),
    ("forbid null", record(a=NULLABLE), A, False, True),
    ("add an enum member", record(a={"enum": ["x"]}), record(a={"enum": ["x", "y"]}), True, False),
    ("remove an enum member", record(a={"enum": ["x", "y"]}), record(a={"enum": ["x"]}), False, True),
    ("add a union member", A, record(a={"anyOf": [TEXT, {"type": "integer"}]}), True, False),
    ("remove a union member", record(a={"anyOf": [TEXT, {"type": "integer"}]}), A, False, True),
    ("integer to number", record(a={"type": "integer"}), record(a={"type": "number"}), True, False),
    ("number to integer", record(a={"type": "number"}), record(a={"type": "integer"}), False, True),
    ("tighten a bound", record(a={"type": "number"}), record(a={"type": "number", "minimum": 0}), False, True),
    ("loosen a length", record(a={**TEXT, "maxLength": 3}), record(a={**TEXT, "maxLength": 5}), True, False),
    ("add a pattern", A, record(a={**TEXT, "pattern": "^[A-Z]+$"}), False, True),
    ("rename", record(a=TEXT), record(b=TEXT), False, False),
    ("scalar to array", A, record(a={"type": "array", "items": TEXT}), False, False),
    (
        "another format",
        record(a={**TEXT, "format": "date"}),
        record(a={**TEXT, "format": "email"}),
        False,
        False,
    ),
    ("words", A, {**record(a={**TEXT, "description": "other words"}), "title": "New"}, True, True),
    ("order", record(a=TEXT, b=TEXT), record(b=TEXT, a=TEXT), True, True),
    ("open the object", A, {**A, "additionalProperties": True}, True, True),
    (
        "add a nullable property to the items of a list",
        record(lines={"type": "array", "items": record(a=TEXT)}),
        record(lines={"type": "array", "items": record(a=TEXT, b=NULLABLE)}),
        True,
        True,
    ),
    (
        "add a nullable property behind a reference",
        {"$ref": "#/$defs/x", "$defs": {"x": record(a=TEXT)}},
        {"$ref": "#/$defs/y", "$defs": {"y": record(a=TEXT, b={"anyOf": [TEXT, {"type": "null"}]})}},
        True,
        True,
    ),
    (
        "add a nullable property to one of several forms told apart by a constant",
        {"oneOf": [record(kind={"const": "a"}, x=TEXT), record(kind={"const": "b"}, y=TEXT)]},
        {"oneOf": [record(kind={"const": "a"}, x=TEXT, z=NULLABLE), record(kind={"const": "b"}, y=TEXT)]},
        True,
        True,
    ),
    (
        "tighten inside a schema that refers to itself",
        {"$ref": "#/$defs/n", "$defs": {"n": record(v=TEXT, next={"anyOf": [{"$ref": "#/$defs/n"}, {"type": "null"}]})}},
        {
            "$ref": "#/$defs/n",
            "$defs": {"n": record(v={**TEXT, "minLength": 1}, next={"anyOf": [{"$ref": "#/$defs/n"}, {"type": "null"}]})},
        },
        False,
        True,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "backward", "forward"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_the_table(old: Any, new: Any, *, backward: bool, forward: bool) -> None:
    """Each change breaks the direction that the table says, and full is both."""
    assert check(new, [old], level="BACKWARD", policy="RECORDS").compatible is backward
    assert check(new, [old], level="FORWARD", policy="RECORDS").compatible is forward
    full = check(new, [old], level="FULL", policy="RECORDS")
    assert full.compatible is (backward and forward)
    assert {one.direction for one in full.differences} == {
        name for name, fine in (("BACKWARD", backward), ("FORWARD", forward)) if not fine
    }


def test_a_refusal_shows_place_values_and_a_record() -> None:
    """A difference leads to the reader's keyword, and its witness is valid for the writer and not for the reader."""
    old, new = record(a={**TEXT, "maxLength": 5}), record(a={**TEXT, "maxLength": 3})
    (one,) = check(new, [old], level="FULL", policy="RECORDS", versions=[7]).differences
    assert (one.pointer, one.kind, one.direction, one.old, one.new, one.version) == (
        "/properties/a/maxLength", "MAX_LENGTH_DECREASED", "BACKWARD", 5, 3, 7,
    )  # fmt: skip
    assert one.witness is not NO_WITNESS
    assert 3 < len(one.witness["a"]) <= 5


def test_only_the_last_version_counts_unless_all_do() -> None:
    """A level without TRANSITIVE looks at the last version, one with it at every version."""
    first, second = record(a={"enum": ["x"]}), record(a={"enum": ["x", "y"]})
    assert check(second, [first, second], level="FORWARD", policy="RECORDS").compatible
    report = check(second, [first, second], level="FORWARD_TRANSITIVE", policy="RECORDS", versions=[1, 2])
    assert [one.version for one in report.differences] == [1]
    assert check(first, [second], level="NONE", policy="RECORDS").compatible


def test_a_break_behind_a_cycle_is_not_masked() -> None:
    """Two definitions that refer to each other: what breaks in one is found from the other, whichever is met first."""

    def chain(leaf: Any) -> dict[str, Any]:
        return {
            "$ref": "#/$defs/a",
            "$defs": {
                "a": {
                    "type": "object",
                    "properties": {"b": {"$ref": "#/$defs/b"}, "again": {"$ref": "#/$defs/a"}},
                },
                "b": {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}, "leaf": leaf}},
            },
        }

    report = check(
        chain({"type": "string"}), [chain({"type": ["string", "integer"]})], level="BACKWARD", policy="STRICT"
    )
    assert not report.compatible
    assert check(chain(True), [chain(True)], level="FULL", policy="STRICT").compatible


def test_projection() -> None:
    """A new record for an old reader: what it does not know is left out, what may be null and is missing is null."""
    old = record(a=TEXT, gone=NULLABLE, lines={"type": "array", "items": record(x=TEXT)})
    new = record(a=TEXT, fresh=TEXT, lines={"type": "array", "items": record(x=TEXT, y=NULLABLE)})
    written = {"a": "1", "fresh": "2", "lines": [{"x": "3", "y": None}]}
    assert project(written, writer=new, reader=old) == {"a": "1", "gone": None, "lines": [{"x": "3"}]}


def test_projection_chooses_the_form_that_then_holds() -> None:
    """With alternatives on the reader's side, the first that the projected record meets is taken."""
    one, other = record(kind={"const": "a"}, x=TEXT), record(kind={"const": "b"}, y=TEXT)
    more = {"oneOf": [one, record(kind={"const": "b"}, y=TEXT, z=NULLABLE)]}
    written = {"kind": "b", "y": "1", "z": "2"}
    assert project(written, writer=more, reader={"oneOf": [one, other]}) == {"kind": "b", "y": "1"}


def test_a_record_that_nests_too_deep_is_read_as_it_is_where_it_is_valid() -> None:
    """Its own version, for one, reads it whatever its depth; no other is promised to."""
    schema = {"properties": {"a": {"$ref": "#"}, "b": {"type": ["string", "null"]}}}
    deep: dict[str, Any] = {"b": "x"}
    for _ in range(250):
        deep = {"a": deep}
    assert project(deep, writer=schema, reader=schema) == deep
    with pytest.raises(NotProjectable, match="too deep"):
        project(deep, writer=schema, reader={**schema, "required": ["c"]})


def test_projection_refuses_what_cannot_be_read() -> None:
    """A value that the older version does not admit is a problem that names its place."""
    with pytest.raises(NotProjectable) as caught:
        project({"a": "y"}, writer=record(a={"enum": ["x", "y"]}), reader=record(a={"enum": ["x"]}))
    assert [fault.pointer for fault in caught.value.errors] == ["/a"]


def test_members_that_tell_unique_items_apart_are_kept() -> None:
    """Undeclared members go, unless items that must differ would then be equal; a closed reader gets none of them."""
    item = {"type": "object", "properties": {"a": TEXT}, "required": ["a"]}
    lines = {"type": "array", "items": item, "uniqueItems": True}
    old, new = record(lines=lines), record(lines=lines, note=NULLABLE)
    apart = {"lines": [{"a": "1", "b": 1}, {"a": "1", "b": 2}], "note": "x"}
    assert project(apart, writer=new, reader=old) == {"lines": apart["lines"]}
    plain = {"lines": [{"a": "1", "b": 1}, {"a": "2", "b": 2}], "note": "x"}
    assert project(plain, writer=new, reader=old) == {"lines": [{"a": "1"}, {"a": "2"}]}
    closed = record(lines={**lines, "items": {**item, "additionalProperties": False}})
    with pytest.raises(NotProjectable) as caught:
        project(apart, writer=new, reader=closed)
    assert [fault.pointer for fault in caught.value.errors] == ["/lines"]
    assert check(new, [old], level="FULL", policy="RECORDS").compatible
    refused = check(new, [closed], level="FORWARD", policy="RECORDS")
    assert [one.kind for one in refused.differences] == ["UNIQUE_ITEMS_ADDED"]


def test_maps_keep_their_members() -> None:
    """Members of a map are not unknown members."""
    scores = {"type": "object", "additionalProperties": {"type": "number"}}
    assert project({"s": {"any": 1}}, writer=record(s=scores), reader=record(s=scores)) == {"s": {"any": 1}}
    narrower = {"type": "object", "additionalProperties": {"type": "integer"}}
    assert not check(record(s=narrower), [record(s=scores)], level="BACKWARD", policy="RECORDS").compatible


def reads(new: Any, old: Any) -> bool:
    """Whether what ``old`` lets be written is read by ``new``."""
    return check(new, [old], level="BACKWARD", policy="RECORDS").compatible


@pytest.mark.timeout(20)
def test_long_enumerations_are_looked_up_and_not_walked():
    codes = [f"code-{number}" for number in range(20_000)]
    shorter, longer = record(a={"enum": codes[:-1]}), record(a={"enum": codes})
    assert reads(longer, shorter)
    refused = check(shorter, [longer], level="BACKWARD", policy="RECORDS")
    assert {one.kind for one in refused.differences} == {"ENUM_ARRAY_NARROWED"}


@pytest.mark.parametrize(
    ("written", "read", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ("1", 1, False),
        (None, False, False),
        ({"a": [1, {}]}, {"a": [1.0, {}]}, True),
        ([1, 2], [2, 1], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
    ],
)
def test_enumerated_values_are_equal_as_json_values(written, read, equal):
    assert reads({"enum": [read, "other"]}, {"enum": [written]}) is equal


def test_a_schema_that_refers_to_itself_in_place_proves_nothing():
    loop = {"$defs": {"a": {"$ref": "#/$defs/a"}}, "properties": {"x": {"$ref": "#/$defs/a"}}}
    assert not reads({"properties": {"x": {"type": "string"}}}, loop)
    assert not reads(loop, {"properties": {"x": {"type": "string"}}})
