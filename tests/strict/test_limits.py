"""What is beyond the provider's limits is given up piece by piece, and each piece is a loss."""

from typing import Any

import pytest

from service.strict import SchemaRefused, check, compile

TEXT = {"type": "string"}


def closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def values(prefix: str, count: int) -> dict[str, Any]:
    return {"enum": [f"{prefix}{n}" for n in range(count)]}


def test_the_largest_enumerations_are_opened() -> None:
    """Above 1,000 enumerated values, the largest enumeration becomes a plain string; the others stay."""
    compiled = compile(
        closed({"small": values("s", 300), "large": values("l", 900), "x": {"enum": ["a", "b"]}})
    )
    assert compiled.stats.enum_values == 302
    assert compiled.strict["properties"]["large"] == {"type": "string"}
    assert [(loss.pointer, loss.keyword) for loss in compiled.losses] == [("/properties/large", "enum")]
    assert compiled.decode(compiled.encode({"small": "s1", "large": "l1", "x": "a"}))["large"] == "l1"


def test_one_enumeration_of_many_long_values() -> None:
    """More than 250 values with more than 15,000 characters are too much for one enumeration."""
    compiled = compile(closed({"a": {"enum": [f"{n:080}" for n in range(260)]}}))
    assert compiled.strict["properties"]["a"] == {"type": "string"}
    assert [loss.keyword for loss in compiled.losses] == ["enum"]


@pytest.mark.no_cover  # a bound on time: counting lines would triple it
def test_what_lies_farthest_is_opened() -> None:
    """With too many properties, the groups far from the root hold anything; what lies near keeps its structure."""
    schema = closed(
        {
            f"g{k}": closed(
                {f"p{k}_{n}": closed({f"q{k}_{n}": {"type": "array", "items": TEXT}}) for n in range(60)}
            )
            for k in range(60)
        }
    )
    schema["properties"]["near"] = TEXT
    compiled = compile(schema)
    assert compiled.stats.within
    assert check(compiled.strict) == []
    assert list(compiled.strict["properties"])[:2] == ["g0", "g1"]
    assert compiled.losses
    assert {loss.keyword for loss in compiled.losses} == {"properties"}
    instance = {f"g{k}": {f"p{k}_{n}": {f"q{k}_{n}": ["x"]} for n in range(60)} for k in range(60)}
    assert compiled.decode(compiled.encode(instance)) == instance


def test_too_many_properties_at_the_root() -> None:
    """Nothing can be given up at the root itself."""
    with pytest.raises(SchemaRefused, match="5000 properties"):
        compile(closed({f"p{n}": TEXT for n in range(5_001)}))


def test_too_many_characters() -> None:
    """Names alone can be too long; the counts stand in the reason."""
    with pytest.raises(SchemaRefused, match="of 120000 characters"):
        compile(closed({f"{n:03}" * 500: {**TEXT, "x-a": 1} for n in range(100)}))


def test_combinations_are_spread_out_only_while_they_are_few() -> None:
    """A product of alternatives that grows too large keeps one of them and lists the others."""

    def one_of(word: str, count: int) -> dict[str, Any]:
        return {"anyOf": [{"required": [f"{word}{n}"]} for n in range(count)]}

    names = {f"{word}{n}": {**TEXT, "description": "words " * 40} for word in "abc" for n in range(8)}
    few = compile({**closed(names), "required": [], "allOf": [one_of("a", 2), one_of("b", 2)]})
    assert few.losses == ()
    many = compile(
        {**closed(names), "required": [], "allOf": [one_of("a", 8), one_of("b", 8), one_of("c", 8)]}
    )
    assert [loss.keyword for loss in many.losses] == ["anyOf", "anyOf"]
    instance = {"a0": "x", "b0": "y", "c7": "z"}
    assert many.decode(many.encode(instance)) == instance


def test_stats_count_against_the_limits() -> None:
    """The stats say how much is used and how much there is."""
    stats = compile(closed({"a": closed({"b": {"enum": ["x", "yy"]}})})).stats
    assert (stats.properties, stats.depth, stats.characters, stats.enum_values) == (2, 2, 5, 2)
    assert (stats.max_properties, stats.max_depth) == (5_000, 10)
    assert (stats.max_characters, stats.max_enum_values) == (120_000, 1_000)
