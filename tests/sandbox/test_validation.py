"""Refusals: the provider's order, texts, params and codes (contract sections 1.6, 3.5, 5)."""

from typing import Any

import httpx2
import pytest

from tests.sandbox.conftest import INVOICE_SCHEMA, body

Vector = tuple[dict[str, Any], str | None, str | None, str]


def _text(**changes: Any) -> dict[str, Any]:
    form = {"type": "json_schema", "name": "x", "strict": True, "schema": INVOICE_SCHEMA, **changes}
    return {"format": {name: value for name, value in form.items() if value is not None}}


# changed members ("-" takes one away), param, code, message
VECTORS: dict[str, Vector] = {
    "model missing": (
        {"model": "-"}, "model", "missing_required_parameter", "Missing required parameter: 'model'."),
    "model null": (
        {"model": None}, "model", "invalid_type",
        "Invalid type for 'model': expected a string, but got an object instead."),
    "input missing": (
        {"input": "-"}, "input", "missing_required_parameter", "Missing required parameter: 'input'."),
    "input empty": (
        {"input": ""}, None, "missing_required_parameter",
        'One of "input" or "previous_response_id" or \'prompt\' or \'conversation\' must be provided.'),
    "input empty list": (
        {"input": []}, None, "missing_required_parameter",
        'One of "input" or "previous_response_id" or \'prompt\' or \'conversation\' must be provided.'),
    "input number": (
        {"input": 5}, "input", "invalid_type",
        "Invalid type for 'input': expected one of a string or array of input items, but got an integer instead."),
    "unknown key": ({"zzz": 1}, "zzz", "unknown_parameter", "Unknown parameter: 'zzz'."),
    "near key": (
        {"stor": True, "store": "-"}, "stor", "unknown_parameter",
        "Unknown parameter: 'stor'. Did you mean 'store'?"),
    "near key already sent": ({"stor": True}, "stor", "unknown_parameter", "Unknown parameter: 'stor'."),
    "chat field": (
        {"messages": [], "input": "-"}, None, "unsupported_parameter",
        ("Unsupported parameter: 'messages'. In the Responses API, this parameter has moved to 'input'. Try again with "
        "the new parameter. See the API documentation for more information: "
        "https://platform.openai.com/docs/api-reference/responses/create.")),
    "chat's format": (
        {"response_format": {}}, None, "unsupported_parameter",
        ("Unsupported parameter: 'response_format'. In the Responses API, this parameter has moved to 'text.format'. Try "
        "again with the new parameter. See the API documentation for more information: "
        "https://platform.openai.com/docs/api-reference/responses/create.")),
    "store type": (
        {"store": "yes"}, "store", "invalid_type",
        "Invalid type for 'store': expected a boolean, but got a string instead."),
    "temperature type": (
        {"temperature": "1"}, "temperature", "invalid_type",
        "Invalid type for 'temperature': expected a decimal, but got a string instead."),
    "temperature above": (
        {"temperature": 3}, "temperature", "decimal_above_max_value",
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 instead."),
    "budget below": (
        {"max_output_tokens": 15}, "max_output_tokens", "integer_below_min_value",
        "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 15 instead."),
    "logprobs above": (
        {"top_logprobs": 21}, "top_logprobs", "integer_above_max_value",
        "Invalid 'top_logprobs': integer above maximum value. Expected a value <= 20, but got 21 instead."),
    "truncation": (
        {"truncation": "bogus"}, "truncation", "invalid_value",
        "Invalid value: 'bogus'. Supported values are: 'auto' and 'disabled'."),
    "tier": (
        {"service_tier": "gold"}, "service_tier", "invalid_value",
        "Invalid value: 'gold'. Supported values are: 'auto', 'default', 'fast', 'flex', and 'priority'."),
    "tools": (
        {"tools": {}}, "tools", "invalid_type",
        "Invalid type for 'tools': expected an array of tools, but got an object instead."),
    "metadata type": (
        {"metadata": []}, "metadata", "invalid_type",
        "Invalid type for 'metadata': expected a metadata object, but got an array instead."),
    "metadata size": (
        {"metadata": {str(n): "x" for n in range(17)}}, "metadata", "object_above_max_properties",
        ("Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object "
        "with 17 properties instead.")),
    "role": (
        {"input": [{"role": "boss", "content": "x"}]}, "input[0]", "invalid_value",
        "Invalid value: 'boss'. Supported values are: 'assistant', 'system', 'developer', and 'user'."),
    "content missing": (
        {"input": [{"role": "user"}]}, "input[0].content", "missing_required_parameter",
        "Missing required parameter: 'input[0].content'."),
    "member unknown": (
        {"input": [{"role": "user", "content": "x", "bogus": 1}]}, "input[0].bogus", "unknown_parameter",
        "Unknown parameter: 'input[0].bogus'."),
    "format type": (
        {"text": {"format": {"type": "xml"}}}, "text.format.type", "invalid_value",
        "Invalid value: 'xml'. Supported values are: 'json_object', 'text', and 'json_schema'."),
    "format name missing": (
        {"text": _text(name=None)}, "text.format.name", "missing_required_parameter",
        "Missing required parameter: 'text.format.name'."),
    "format name pattern": (
        {"text": _text(name="a b")}, "text.format.name", "invalid_value",
        ("Invalid 'text.format.name': string does not match pattern. Expected a string that matches the pattern "
        "'^[a-zA-Z0-9_-]+$'.")),
    "format name long": (
        {"text": _text(name="a" * 80)}, "text.format.name", "string_above_max_length",
        ("Invalid 'text.format.name': string too long. Expected a string with maximum length 64, but got a string with "
        "length 80 instead.")),
    "usage in stream options": (
        {"stream_options": {"include_usage": True}}, "stream_options.include_usage", "unknown_parameter",
        "Unknown parameter: 'stream_options.include_usage'."),
    "unknown model": (
        {"model": "gpt-nope"}, "model", "model_not_found", "The requested model 'gpt-nope' does not exist."),
    "unknown previous": (
        {"previous_response_id": "resp_1"}, "previous_response_id", "previous_response_not_found",
        "Previous response with id 'resp_1' not found."),
    "both states": (
        {"previous_response_id": "resp_1", "conversation": "conv_1"}, None, "mutually_exclusive_parameters",
        "Mutually exclusive parameters: ''. Ensure you are only providing one of: 'pre..._id' or 'conversation'."),
    "temperature on a reasoning model": (
        {"model": "gpt-6-luna", "temperature": 0}, "temperature", None,
        "Unsupported parameter: 'temperature' is not supported with this model."),
    "logprobs on a reasoning model": (
        {"model": "gpt-6-luna", "include": ["message.output_text.logprobs"]}, "include", "unsupported_parameter",
        "logprobs are not supported with reasoning models."),
    "json_object without json": (
        {"text": {"format": {"type": "json_object"}}}, "input", None,
        ("Response input messages must contain the word 'json' in some form to use 'text.format' of type "
        "'json_object'.")),
    "image type": (
        {"input": [{"role": "user", "content": [
            {"type": "input_image", "image_url": "data:text/markdown;base64,aGk="}]}]},
        "input[0].content[0].image_url", "invalid_value",
        ("Invalid 'input[0].content[0].image_url'. Expected a base64-encoded data URL with an image MIME type (e.g. "
        "'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got unsupported MIME type 'text/markdown'.")),
    "image base64": (
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,@@"}]}]},
        "input[0].content[0].image_url", "invalid_value",
        ("Invalid 'input[0].content[0].image_url'. Expected a base64-encoded data URL with an image MIME type (e.g. "
        "'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got an invalid base64-encoded value.")),
    "image format": (
        {"input": [{"role": "user", "content": [
            {"type": "input_image", "image_url": "data:image/png;base64,aGVsbG8="}]}]},
        None, "invalid_image_format",
        ("You uploaded an unsupported image. Please make sure your image has of one the following formats: "
        "['png', 'jpeg', 'gif', 'webp'].")),
}  # fmt: skip


@pytest.mark.parametrize("name", VECTORS)
async def test_refusals_are_the_providers(client: httpx2.AsyncClient, contract: Any, name: str) -> None:
    """Each fault is 400 with the contract's message, param and code."""
    changes, param, code, message = VECTORS[name]
    sent = {**body(), **changes}
    sent = {key: value for key, value in sent.items() if value != "-"}
    answer = await client.post("/v1/responses", json=sent)
    contract("ErrorResponse", answer.json())
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "message": message, "type": "invalid_request_error", "param": param, "code": code,
    }  # fmt: skip


ORDER: list[tuple[dict[str, Any], str | None]] = [
    ({"model": 1}, "model"),
    ({"input": 5, "zzz": 1}, "zzz"),
    ({"input": 5}, "input"),
    ({"include": 1}, "include"),
    ({"tools": 1}, "tools"),
    ({"metadata": 1}, "metadata"),
    ({"text": 1}, "text"),
    ({"temperature": "x"}, "temperature"),
    ({"top_p": "x"}, "top_p"),
    ({"parallel_tool_calls": 1}, "parallel_tool_calls"),
    ({"stream": 1}, "stream"),
    ({"background": 1}, "background"),
    ({"max_output_tokens": 1}, "max_output_tokens"),
    ({"reasoning": 1}, "reasoning"),
    ({"user": 1}, "user"),
    ({"safety_identifier": 1}, "safety_identifier"),
    ({"prompt_cache_key": 1}, "prompt_cache_key"),
    ({"prompt_cache_retention": 1}, "prompt_cache_retention"),
    ({"truncation": 1}, "truncation"),
    ({"instructions": 1}, "instructions"),
    ({"store": 1}, "store"),
    ({"service_tier": 1}, "service_tier"),
    ({"top_logprobs": -1}, "top_logprobs"),
    ({"previous_response_id": "resp_none"}, "previous_response_id"),
    ({"model": "gpt-nope"}, "model"),
]


async def test_faults_are_reported_in_the_providers_order(client: httpx2.AsyncClient) -> None:
    """Of all faults sent together the first in order is named; mending it shows the next."""
    for start in range(len(ORDER)):
        sent = body()
        for changes, _ in reversed(ORDER[start:]):
            sent.update(changes)
        answer = await client.post("/v1/responses", json=sent)
        assert answer.json()["error"]["param"] == ORDER[start][1], ORDER[start]


async def test_null_means_omitted(client: httpx2.AsyncClient) -> None:
    """Null members count as absent, except model and input."""
    sent = {**body(), "temperature": None, "tools": None, "metadata": None, "reasoning": None, "stream": None}
    assert (await client.post("/v1/responses", json=sent)).status_code == 200


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[1,2]", b'"x"', b"NaN", b'{"model": NaN}', b"[" * 50_000, b"\xff\xfe{}"]
)
async def test_bodies_that_are_no_object_are_400(client: httpx2.AsyncClient, raw: bytes) -> None:
    """Broken, deep or scalar JSON is 400, never 500."""
    answer = await client.post("/v1/responses", content=raw)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_a_body_beyond_the_limit_is_413() -> None:
    """The body is refused while it is read."""
    from service.sandbox import Settings
    from tests.sandbox.conftest import client_for

    async with client_for(Settings(max_body_bytes=1_000)) as client:
        answer = await client.post("/v1/responses", content=b"x" * 2_000)
    assert answer.status_code == 413


async def test_unknown_paths_and_methods(client: httpx2.AsyncClient) -> None:
    """Unknown paths are 404, known ones with another method 405, both in the envelope."""
    missing = await client.get("/v1/nothing")
    assert missing.status_code == 404
    assert missing.json()["error"]["message"] == "Invalid URL (GET /v1/nothing)"
    assert (await client.put("/v1/responses")).status_code == 405


async def test_context_overflow_names_the_input(client: httpx2.AsyncClient) -> None:
    """A prompt beyond the model's window is 400 `context_length_exceeded`."""
    answer = await client.post("/v1/responses", json=body("gpt-4o", input="word " * 140_000))
    assert answer.json()["error"] == {
        "message": "Your input exceeds the context window of this model. Please adjust your input and try again.",
        "type": "invalid_request_error",
        "param": "input",
        "code": "context_length_exceeded",
    }
