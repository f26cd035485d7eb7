"""`/v1/chat/completions`: formats, tools, streams, refusals."""

import json
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI

from tests.sandbox.conftest import INVOICE_SCHEMA, INVOICE_TEXT, Served


def chat(model: str = "gpt-4.1-mini", **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "model": model,
        "messages": [
            {"role": "system", "content": "Extract the invoice."},
            {"role": "user", "content": INVOICE_TEXT},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "invoice", "strict": True, "schema": INVOICE_SCHEMA},
        },
    }
    made.update(changes)
    return {name: value for name, value in made.items() if value is not None}


async def test_a_completion_carries_the_record(client: httpx2.AsyncClient, contract: Any) -> None:
    """The record is the message's content; usage has the older names."""
    answer = await client.post("/v1/chat/completions", json=chat())
    made = answer.json()
    contract("CreateChatCompletionResponse", made)
    choice = made["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert json.loads(choice["message"]["content"])["issue_date"] == "2026-05-03"
    assert (
        made["usage"]["total_tokens"] == made["usage"]["prompt_tokens"] + made["usage"]["completion_tokens"]
    )
    assert "x-ratelimit-limit-tokens" in answer.headers


async def test_shapes_have_their_finish_reasons(client: httpx2.AsyncClient, contract: Any) -> None:
    """Refusal, budget and filter look as they do on this surface."""
    refused = (await client.post("/v1/chat/completions", json=chat("sandbox-refusal"))).json()
    contract("CreateChatCompletionResponse", refused)
    assert refused["choices"][0]["message"]["content"] is None
    assert refused["choices"][0]["message"]["refusal"].startswith("I'm sorry")
    cut = (await client.post("/v1/chat/completions", json=chat(max_completion_tokens=5))).json()
    assert cut["choices"][0]["finish_reason"] == "length"
    filtered = (await client.post("/v1/chat/completions", json=chat("sandbox-filter"))).json()
    assert filtered["choices"][0]["finish_reason"] == "content_filter"


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "record"}}])
async def test_a_required_tool_is_called(client: httpx2.AsyncClient, contract: Any, choice: Any) -> None:
    """Strict function parameters are filled like a format."""
    tool = {"type": "function", "function": {"name": "record", "strict": True, "parameters": INVOICE_SCHEMA}}
    sent = chat(response_format=None, tools=[tool], tool_choice=choice)
    made = (await client.post("/v1/chat/completions", json=sent)).json()
    contract("CreateChatCompletionResponse", made)
    choice_made = made["choices"][0]
    assert choice_made["finish_reason"] == "tool_calls"
    call = choice_made["message"]["tool_calls"][0]["function"]
    assert json.loads(call["arguments"])["total"] == 1280.5


CHAT_VECTORS: dict[str, tuple[dict[str, Any], int, str | None, str | None, str]] = {
    "messages missing": ({"messages": None}, 400, "messages", "missing_required_parameter",
                         "Missing required parameter: 'messages'."),
    "unknown key": ({"zzz": 1}, 400, "zzz", "unknown_parameter", "Unknown parameter: 'zzz'."),
    "unknown model": ({"model": "gpt-nope"}, 404, None, "model_not_found",
                      "The model `gpt-nope` does not exist or you do not have access to it."),
    "retired model": ({"model": "gpt-4-turbo"}, 404, None, "model_not_found",
                      ("The model `gpt-4-turbo` has been deprecated, learn more here: "
                      "https://platform.openai.com/docs/deprecations")),
    "schema": ({"response_format": {"type": "json_schema", "json_schema": {
                   "name": "N", "strict": True, "schema": {"type": "object", "properties": {}}}}},
               400, "response_format", None,
               ("Invalid schema for response_format 'N': In context=(), 'additionalProperties' is required to be "
               "supplied and to be false.")),
    "tool": ({"tools": [{"type": "function", "function": {
                 "name": "F", "strict": True, "parameters": {"type": "object", "properties": {}}}}]},
             400, "tools[0].function.parameters", "invalid_function_parameters",
             ("Invalid schema for function 'F': In context=(), 'additionalProperties' is required to be supplied and to "
             "be false.")),
    "max_tokens on a reasoning model": ({"model": "gpt-6-luna", "max_tokens": 5}, 400, "max_tokens",
             "unsupported_parameter",
             ("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' "
             "instead.")),
}  # fmt: skip


@pytest.mark.parametrize("name", CHAT_VECTORS)
async def test_refusals_of_this_surface(client: httpx2.AsyncClient, contract: Any, name: str) -> None:
    """Chat has its own statuses, params and codes for the same faults."""
    changes, status, param, code, message = CHAT_VECTORS[name]
    answer = await client.post("/v1/chat/completions", json=chat(**changes))
    contract("ErrorResponse", answer.json())
    assert answer.status_code == status
    assert answer.json()["error"] == {
        "message": message, "type": "invalid_request_error", "param": param, "code": code,
    }  # fmt: skip


async def test_a_stream_ends_with_done(client: httpx2.AsyncClient, contract: Any) -> None:
    """Chunks join to the content; usage comes last when asked; `[DONE]` ends it."""
    sent = chat(stream=True, stream_options={"include_usage": True})
    text = (await client.post("/v1/chat/completions", json=sent)).text
    frames = [frame.removeprefix("data: ") for frame in text.strip().split("\n\n")]
    assert frames[-1] == "[DONE]"
    chunks = [json.loads(frame) for frame in frames[:-1]]
    joined = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"])
    assert json.loads(joined)["invoice_number"] == "F-2026-0117"
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] > 0
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"


async def test_the_sdk_streams_and_calls_tools(served: Served) -> None:
    """openai-python reads both forms."""
    async with AsyncOpenAI(api_key="sk-test", base_url=served.url, max_retries=0) as client:
        stream = await client.chat.completions.create(**chat(stream=True))
        parts = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert json.loads("".join(parts))["total"] == 1280.5


async def test_json_mode_fills_the_schema_that_the_prompt_spells_out(client: httpx2.AsyncClient) -> None:
    """Without a format the schema is taken from the text; without any schema the labels become the keys."""
    described = f"Answer in JSON of this schema: {json.dumps(INVOICE_SCHEMA)}"
    messages = [{"role": "system", "content": described}, {"role": "user", "content": INVOICE_TEXT}]
    sent = chat(messages=messages, response_format={"type": "json_object"})
    made = (await client.post("/v1/chat/completions", json=sent)).json()
    assert json.loads(made["choices"][0]["message"]["content"])["total"] == 1280.5
    bare = [{"role": "user", "content": f"As json please.\n{INVOICE_TEXT}"}]
    sent = chat(messages=bare, response_format={"type": "json_object"})
    made = (await client.post("/v1/chat/completions", json=sent)).json()
    assert json.loads(made["choices"][0]["message"]["content"])["Invoice number"] == "F-2026-0117"
