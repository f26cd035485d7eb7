"""Streamed answers: the order of events, their numbers, and what cuts them short."""

import json
from typing import Any

import httpx2
import pytest
from openai import APIConnectionError, APIError, AsyncOpenAI

from tests.sandbox.conftest import Served, body


def events_of(text: str) -> list[dict[str, Any]]:
    """The events of a whole stream; each frame's event line must repeat its type."""
    events = []
    for frame in text.strip().split("\n\n"):
        name, data = frame.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        events.append(event)
    return events


async def _stream(client: httpx2.AsyncClient, model: str, **changes: Any) -> list[dict[str, Any]]:
    answer = await client.post("/v1/responses", json=body(model, stream=True, **changes))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    return events_of(answer.text)


async def test_events_come_in_the_order_of_the_contract(client: httpx2.AsyncClient, contract: Any) -> None:
    """Created, in progress, item, part, deltas, done in reverse, completed; numbers rise by one from zero."""
    events = await _stream(client, "gpt-4.1-mini")
    for event in events:
        contract("ResponseStreamEvent", event)
    kinds = [event["type"] for event in events]
    deltas = kinds.count("response.output_text.delta")
    assert kinds == [
        "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
        *["response.output_text.delta"] * deltas,
        "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed",
    ]  # fmt: skip
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    text = "".join(event["delta"] for event in events if event["type"].endswith(".delta"))
    final = events[-1]["response"]
    assert text == final["output"][0]["content"][0]["text"]
    assert events[0]["response"]["usage"] is None
    assert final["usage"]["output_tokens"] > 0


async def test_obfuscation_can_be_switched_off(client: httpx2.AsyncClient) -> None:
    """Deltas carry padding unless `include_obfuscation` is false."""
    padded = await _stream(client, "gpt-4.1-mini")
    plain = await _stream(client, "gpt-4.1-mini", stream_options={"include_obfuscation": False})
    assert all("obfuscation" in event for event in padded if event["type"].endswith(".delta"))
    assert not any("obfuscation" in event for event in plain)


async def test_a_refusal_streams_refusal_events(client: httpx2.AsyncClient, contract: Any) -> None:
    """Refusal deltas and done replace the text events."""
    events = await _stream(client, "sandbox-refusal")
    for event in events:
        contract("ResponseStreamEvent", event)
    kinds = [event["type"] for event in events]
    assert "response.refusal.delta" in kinds
    assert "response.refusal.done" in kinds
    assert "response.output_text.delta" not in kinds


@pytest.mark.parametrize(
    ("model", "last"),
    [
        ("sandbox-truncate", "response.incomplete"),
        ("sandbox-filter", "response.incomplete"),
        ("sandbox-failed", "response.failed"),
        ("sandbox-stream-error", "response.failed"),
    ],
)
async def test_terminal_events_say_how_it_ended(client: httpx2.AsyncClient, model: str, last: str) -> None:
    """Budget, filter and failure each have their terminal event."""
    assert (await _stream(client, model))[-1]["type"] == last


async def test_errors_before_generation_are_plain_http(client: httpx2.AsyncClient) -> None:
    """A refused request has a JSON body, also when a stream was asked for."""
    answer = await client.post("/v1/responses", json=body("sandbox-500", stream=True))
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "server_error"


async def test_the_sdk_reads_the_stream(served: Served) -> None:
    """openai-python follows a stream to its completed event."""
    async with AsyncOpenAI(api_key="sk-test", base_url=served.url, max_retries=0) as client:
        stream = await client.responses.create(**body(stream=True))
        kinds = [event.type async for event in stream]
    assert kinds[-1] == "response.completed"


async def test_the_sdk_raises_on_an_error_frame(served: Served) -> None:
    """The nested error frame becomes an APIError."""
    async with AsyncOpenAI(api_key="sk-test", base_url=served.url, max_retries=0) as client:
        stream = await client.responses.create(**body("sandbox-stream-error", stream=True))
        with pytest.raises(APIError):
            _ = [event async for event in stream]


async def _collect(stream: Any, kinds: list[str]) -> None:
    async for event in stream:
        kinds.append(event.type)


async def test_a_cut_stream_has_no_terminal_event(served: Served) -> None:
    """`sandbox-midstream` breaks off among the deltas."""
    kinds: list[str] = []
    async with AsyncOpenAI(api_key="sk-test", base_url=served.url, max_retries=0) as client:
        stream = await client.responses.create(**body("sandbox-midstream", stream=True))
        with pytest.raises(APIConnectionError):
            await _collect(stream, kinds)
    assert "response.created" in kinds
    assert "response.completed" not in kinds
