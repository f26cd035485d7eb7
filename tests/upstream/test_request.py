"""The bytes that are sent."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from service.catalogue import Catalogue
from service.foundation import jsontext
from service.upstream import Call, FilePart, ImagePart, ResponseFormat, TextPart, at_most, counted, expected
from service.upstream.estimate import need_of
from service.upstream.request import encode, encode_count

CATALOGUE = Catalogue.load()
CONTRACT = Path(__file__).resolve().parents[3] / "shared" / "openai" / "openapi-subset.json"
SCHEMA = {
    "type": "object",
    "properties": {"total": {"type": ["number", "null"]}, "currency": {"type": "string"}},
    "required": ["total", "currency"],
    "additionalProperties": False,
}
FORMAT = ResponseFormat(
    "invoice",
    SCHEMA,
    jsontext.render({"type": "json_schema", "name": "invoice", "schema": SCHEMA, "strict": True}),
)


def a_call(model: str = "gpt-4.1-mini", **members: Any) -> Call:
    values = {
        "instructions": 'Read the "invoice".\n',
        "parts": (TextPart("Total: 1.280,50 €"),),
        "format": FORMAT,
        "max_output_tokens": 512,
    } | members
    return Call(model, **values)


def sent(call: Call, *, stream: bool = False) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(encode(call, CATALOGUE.find(call.model), stream=stream))
    return body


def test_a_text_call() -> None:
    """Model, instructions, one user message, strict format, budget, store false and temperature 0: nothing else."""
    assert sent(a_call(cache_key="invoice@3")) == {
        "model": "gpt-4.1-mini",
        "instructions": 'Read the "invoice".\n',
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "Total: 1.280,50 €"}]}],
        "text": {"format": {"type": "json_schema", "name": "invoice", "schema": SCHEMA, "strict": True}},
        "max_output_tokens": 512,
        "store": False,
        "temperature": 0,
        "prompt_cache_key": "invoice@3",
    }


def test_property_order_reaches_the_wire_as_rendered() -> None:
    """The model writes in the order of the schema's properties, so the schema's text is spliced, not rebuilt."""
    assert FORMAT.rendered in encode(a_call(), CATALOGUE.find("gpt-4.1-mini"))


def test_an_image_is_a_data_url() -> None:
    """The picture travels in base64, beside the text, in order."""
    image = ImagePart("image/png", b"\x89PNG\x00", 10, 20, "low")
    content = sent(a_call(parts=(TextPart("page 1"), image)))["input"][0]["content"]
    assert content[1] == {
        "type": "input_image",
        "image_url": "data:image/png;base64," + base64.b64encode(b"\x89PNG\x00").decode(),
        "detail": "low",
    }


def test_a_file_is_sent_whole() -> None:
    """Name and data URL; the detail only when it was asked for. Pages and text are reckoned with."""
    pdf = FilePart("a.pdf", "application/pdf", b"%PDF", pages=2, text_bytes=400)
    [part] = sent(a_call(parts=(pdf,)))["input"][0]["content"]
    assert part == {
        "type": "input_file",
        "filename": "a.pdf",
        "file_data": "data:application/pdf;base64,JVBERg==",
    }
    assert sent(a_call(parts=(replace(pdf, detail="low"),)))["input"][0]["content"][0]["detail"] == "low"
    model = CATALOGUE.find("gpt-4.1-mini")
    bare = at_most(a_call(parts=()), model).input_tokens
    assert at_most(a_call(parts=(pdf,)), model).input_tokens >= bare + 400 + 2 * 3_475
    assert counted(a_call(parts=(pdf,)), model).input_tokens >= 400 + 2 * 3_475
    assert need_of(a_call(parts=(pdf,)), model).images == 2
    likely = expected(a_call(parts=(pdf,)), model, output_tokens=100)
    assert 2 * 2_385 < likely.input_tokens < at_most(a_call(parts=(pdf,)), model).input_tokens
    assert likely.cost == likely.input_tokens * 400 + 160_000


def test_a_reasoning_model_gets_an_effort_and_no_temperature() -> None:
    """gpt-6-luna would reason by default and refuse sampling parameters; its auto detail has no ceiling."""
    image = ImagePart("image/png", b"x", 10, 20)
    body = sent(a_call("gpt-6-luna", parts=(image,)))
    assert body["reasoning"] == {"effort": "none"}
    assert "temperature" not in body
    assert body["max_output_tokens"] == 512
    assert body["input"][0]["content"][0]["detail"] == "high"


def test_a_model_that_must_reason_gets_room_for_it() -> None:
    """o4-mini knows no effort none, so its budget holds a reserve."""
    body = sent(a_call("o4-mini"))
    assert body["reasoning"] == {"effort": "low"}
    assert body["max_output_tokens"] == 512 + 8_192
    assert "temperature" not in body


def test_a_model_without_json_schema_must_call_a_strict_function() -> None:
    """gpt-4-turbo has no strict format, but strict function arguments."""
    body = sent(a_call("gpt-4-turbo"))
    assert "text" not in body
    assert body["tools"] == [{"type": "function", "name": "invoice", "parameters": SCHEMA, "strict": True}]
    assert body["tool_choice"] == {"type": "function", "name": "invoice"}
    assert body["parallel_tool_calls"] is False


def test_the_least_budget_is_sixteen() -> None:
    """The provider refuses fewer."""
    assert sent(a_call(max_output_tokens=1))["max_output_tokens"] == 16


@pytest.mark.parametrize("text", ["\ud800", "a\x00b\u2028", "\U0001f600", "\ud83d\ude00", "", "x" * 100_000])
def test_any_text_can_be_sent(text: str) -> None:
    """Lone surrogates become U+FFFD, pairs become their character; everything else stays."""
    [part] = sent(a_call(parts=(TextPart(text),)))["input"][0]["content"]
    assert part["text"] == text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def test_the_worst_case_covers_the_counted_one() -> None:
    """Bytes bound tokens; both price the whole output budget."""
    model = CATALOGUE.find("gpt-4.1-mini")
    call = a_call(parts=(TextPart("Füße und 数据 " * 200), ImagePart("image/png", b"", 1240, 1754)))
    bound, count = at_most(call, model), counted(call, model)
    assert bound.input_tokens > count.input_tokens > 3_475
    assert bound.cost > count.cost > 512 * 1_600
    assert bound.output_tokens == count.output_tokens == 512
    assert count.cost == count.input_tokens * 400 + 512 * 1_600


@pytest.mark.skipif(not CONTRACT.exists(), reason="../shared absent")
@pytest.mark.parametrize(
    "model", ["gpt-4.1-mini", "gpt-4o", "gpt-6-luna", "o4-mini", "gpt-4-turbo", "gpt-5-nano"]
)
@pytest.mark.parametrize("stream", [False, True])
def test_requests_are_valid_by_the_providers_description(model: str, stream: bool) -> None:
    """Text and image, every family, plain and streamed, against the OpenAPI subset."""
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource

    document = json.loads(CONTRACT.read_text())
    registry = Registry().with_resource("urn:openai", Resource.from_contents(document, _specification()))
    validator = Draft202012Validator(
        {"$ref": "urn:openai#/components/schemas/CreateResponse"}, registry=registry
    )
    call = a_call(
        model,
        parts=(
            TextPart("a"),
            ImagePart("image/jpeg", b"abc", 10, 10),
            FilePart("a.pdf", "application/pdf", b"%PDF", 1, 9, "high"),
        ),
        cache_key="k",
    )
    body = sent(call, stream=stream)
    assert [error.message for error in validator.iter_errors(body)] == []
    count = json.loads(encode_count(call, CATALOGUE.find(model)))
    counter = Draft202012Validator(
        {"$ref": "urn:openai#/components/schemas/TokenCountsBody"}, registry=registry
    )
    assert [error.message for error in counter.iter_errors(count)] == []
    assert set(count) <= set(document["components"]["schemas"]["TokenCountsBody"]["properties"])
    known: set[str] = set()
    for name in ("CreateModelResponseProperties", "ResponseProperties", "ModelResponseProperties"):
        known |= _properties(document["components"]["schemas"], name)
    known |= _properties(document["components"]["schemas"], "CreateResponse")
    assert set(body) <= known


def _specification() -> Any:
    from referencing.jsonschema import DRAFT202012

    return DRAFT202012


def _properties(schemas: dict[str, Any], name: str) -> set[str]:
    schema = schemas.get(name, {})
    names = set(schema.get("properties", {}))
    for part in schema.get("allOf", ()):
        names |= set(part.get("properties", {}))
        if "$ref" in part:
            names |= _properties(schemas, part["$ref"].rsplit("/", 1)[1])
    return names
