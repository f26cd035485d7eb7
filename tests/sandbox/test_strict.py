"""Strict-mode refusals: an independent check in the provider's words (contract section 3.5)."""

import gzip
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.sandbox.strict import schema_fault
from tests.sandbox.conftest import body

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared"


def _closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False,
    }  # fmt: skip


def _nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = _closed(x={"type": "string"})
    for _ in range(levels - 1):
        schema = _closed(x=schema)
    return schema


S = {"type": "string"}
REQUIRED = "'required' is required to be supplied and to be an array including every key in properties."

VECTORS: dict[str, tuple[dict[str, Any], str]] = {
    "1": ({"type": "object", "properties": {}, "required": []},
          "In context=(), 'additionalProperties' is required to be supplied and to be false."),
    "2": (_closed(etymology={"type": "object", "properties": {}, "required": []}),
          "In context=('properties', 'etymology'), 'additionalProperties' is required to be supplied and to be false."),
    "3": (_closed(organizations={"type": "array", "items": {
              "type": "object", "properties": {"roles": S}, "required": [], "additionalProperties": False}}),
          f"In context=('properties', 'organizations', 'items'), {REQUIRED} Missing 'roles'."),
    "4": ({**_closed(), "required": ["determined_dir"]},
          f"In context=(), {REQUIRED} Extra required key 'determined_dir' supplied."),
    "5": ({"type": "array", "items": S},
          "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'."),
    "5 untyped": ({"anyOf": [_closed()]},
          "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'."),
    "6": (_closed(data={"oneOf": [S]}), "In context=('properties', 'data'), 'oneOf' is not permitted."),
    "7": (_closed(data={"allOf": [S]}), "In context=('properties', 'data'), 'allOf' is not permitted."),
    "8": (_closed(episodeRefs={"type": "array", "items": S, "uniqueItems": True}),
          "In context=('properties', 'episodeRefs'), 'uniqueItems' is not permitted."),
    "9": (_closed(itemSpecifics={"type": "object", "propertyNames": S}),
          "In context=('properties', 'itemSpecifics'), 'propertyNames' is not permitted."),
    "10": (_closed(status={"type": "string", "default": "x"}),
           "In context=('properties', 'status'), 'default' is not permitted."),
    "11": (_closed(code={"type": "string", "minLength": 2}),
           "In context=('properties', 'code'), 'minLength' is not permitted."),
    "12": (_closed(url={"type": ["string", "null"], "format": "uri"}),
           "In context=('properties', 'url', 'type', '0'), 'uri' is not a valid format."),
    "13": ({**_closed(pet_color={"$ref": "#/$defs/c", "description": "x"}), "$defs": {"c": S}},
           "context=('properties', 'pet_color'), $ref cannot have keywords {'description'}."),
    "14": (_closed(y={"type": "array", "items": {"$ref": "#/properties/y"}}),
           ("In context=('properties', 'y', 'items'), reference can only point to definitions defined at the top level "
           "of the schema.")),
    "15": (_nested(15), "14 levels of nesting exceeds limit of 10."),
    "16": (_closed(**{f"p{n}": S for n in range(6_000)}), "6000 parameters exceeds limit of 5000."),
    "17": (_closed(ok={"enum": ["a"]}), "In context=('properties', 'ok'), schema must have a 'type' key."),
    "18": (_closed(objects={"type": "array"}), "In context=('properties', 'objects'), array schema missing items."),
    "19 not": (_closed(a={"type": "string", "not": {}}), "In context=('properties', 'a'), 'not' is not permitted."),
    "19 contains": (_closed(a={"type": "array", "items": S, "contains": S}),
                    "In context=('properties', 'a'), 'contains' is not permitted."),
    "19 if": (_closed(a={"type": "string", "if": {}}), "In context=('properties', 'a'), 'if' is not permitted."),
}  # fmt: skip


@pytest.mark.parametrize("number", VECTORS)
async def test_faults_read_as_the_provider_words_them(client: httpx2.AsyncClient, number: str) -> None:
    """Each recorded refusal comes back with its exact message, param and code."""
    schema, message = VECTORS[number]
    form = {"type": "json_schema", "name": "NAME", "strict": True, "schema": schema}
    answer = await client.post("/v1/responses", json=body(text={"format": form}))
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "message": f"Invalid schema for response_format 'NAME': {message}",
        "type": "invalid_request_error",
        "param": "text.format.schema",
        "code": "invalid_json_schema",
    }


async def test_look_around_has_its_own_wording(client: httpx2.AsyncClient) -> None:
    """Vector 22: the message names the place as a JSON path and no schema."""
    schema = _closed(
        commands={
            "type": "array",
            "items": _closed(working_directory={"type": "string", "pattern": "^(?!/).*$"}),
        }
    )
    form = {"type": "json_schema", "name": "NAME", "strict": True, "schema": schema}
    answer = await client.post("/v1/responses", json=body(text={"format": form}))
    assert answer.json()["error"]["message"] == (
        "Invalid JSON schema: regex lookaround is not supported. "
        "Found at $.properties.commands.items.properties.working_directory.pattern."
    )


async def test_without_strict_any_schema_passes(client: httpx2.AsyncClient) -> None:
    """`strict` is false by default: the subset is not enforced then."""
    form = {"type": "json_schema", "name": "x", "schema": {"type": "object", "properties": {"a": {}}}}
    assert (await client.post("/v1/responses", json=body(text={"format": form}))).status_code == 200


async def test_function_tools_have_their_own_subject(client: httpx2.AsyncClient) -> None:
    """A strict function's parameters are refused with param and code of tools."""
    tool = {
        "type": "function",
        "name": "f",
        "strict": True,
        "parameters": {"type": "object", "properties": {}},
    }
    answer = await client.post("/v1/responses", json=body(tools=[tool]))
    error = answer.json()["error"]
    assert error["param"] == "tools[0].parameters"
    assert error["code"] == "invalid_function_parameters"
    assert error["message"].startswith(
        "Invalid schema for function 'f': In context=(), 'additionalProperties'"
    )


@pytest.mark.parametrize(
    "schema",
    [
        _nested(11),
        {**_closed(a={"$ref": "#"}), "$schema": "https://json-schema.org/draft/2020-12/schema"},
        {**_closed(a={"anyOf": [{"$ref": "#/$defs/n"}, {"type": "null"}]}), "$defs": {"n": _closed(v=S)}},
        _closed(a={"type": ["string", "null"], "format": "date"}, b={"type": "integer", "minimum": 0}),
        _closed(a={"type": "string", "enum": ["x", "y"]}, b={"type": "string", "const": "z"}),
        _closed(a={"type": "string", "pattern": "^[(?=]+$"}),
    ],
)
def test_the_supported_subset_is_accepted(schema: dict[str, Any]) -> None:
    """Recursion, unions, formats, bounds and ten levels below the root pass."""
    assert schema_fault(schema) is None


def test_hostile_schemas_end() -> None:
    """Absurd depth is refused without recursion, and odd values never raise."""
    deep: dict[str, Any] = {"type": "object"}
    for _ in range(5_000):
        deep = {"type": "object", "anyOf": [deep]}
    assert schema_fault(deep) is not None
    for odd in (None, True, [], 5, "x", {"type": 5}, {"type": "object", "properties": []}, _closed(a=None)):
        assert schema_fault(odd) is not None


@pytest.mark.corpus
@pytest.mark.figures
def test_the_verdict_agrees_with_the_outside_judge() -> None:
    """On the schema corpus the verdicts of the two checkers are the same but for the reasons listed here."""
    judge_file = SHARED / "tools" / "strict" / "strict_oracle.py"
    files = sorted((SHARED / "schemas-corpus").rglob("*.jsonl.gz")) if judge_file.exists() else []
    if not files:
        pytest.skip("../shared is absent")
    spec = importlib.util.spec_from_file_location("strict_oracle", judge_file)
    assert spec is not None
    assert spec.loader is not None
    judge = importlib.util.module_from_spec(spec)
    sys.modules["strict_oracle"] = judge
    spec.loader.exec_module(judge)
    differing: list[str] = []
    seen = 0
    for file in files:
        for line in gzip.decompress(file.read_bytes()).decode().splitlines()[:300]:
            row = json.loads(line)
            schema = row.get("schema", row)
            seen += 1
            theirs = judge.check(schema)
            ours = schema_fault(schema)
            if bool(theirs) != (ours is not None):
                differing.append(
                    f"{file.name}: ours {ours and ours.message!r}, theirs {[str(v) for v in theirs][:2]}"
                )
    print(f"{seen} schemas, {len(differing)} differing verdicts")
    for text in differing[:10]:
        print("  ", text[:200])
    # The contract has `$id` at the root accepted (section 3.1, measured); the judge's documented profile refuses it.
    assert [text for text in differing if "'$id' is not permitted" not in text] == []
