"""What is read of a conversation: turns, examples, corrections, responses that follow others."""

import json
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI

from service.sandbox import Settings
from tests.sandbox.conftest import INVOICE_SCHEMA, INVOICE_TEXT, NOON, Served, body, client_for

OTHER = "Invoice number: X-1\nInvoice date: 1 January 2020\nTotal: EUR 5.00\n"
ANSWER = '{"invoice_number":"X-1","issue_date":"2020-01-01","total":5}'


def said(*turns: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"role": role, "content": text} for role, text in turns]


def record(made: dict[str, Any]) -> Any:
    return json.loads(made["output"][0]["content"][0]["text"])


READ = {"invoice_number": "F-2026-0117", "issue_date": "2026-05-03", "total": 1280.5}


@pytest.mark.parametrize(
    "turns",
    [
        pytest.param([("user", INVOICE_TEXT), ("user", "Fill the form.")], id="in two messages"),
        pytest.param([("user", "Fill the form."), ("user", INVOICE_TEXT)], id="the task first"),
        pytest.param(
            [("user", OTHER), ("assistant", ANSWER), ("user", INVOICE_TEXT)], id="an example before"
        ),
        pytest.param(
            [("user", INVOICE_TEXT), ("assistant", "{}"), ("user", "Try again.")], id="a correction behind"
        ),
        pytest.param(
            [
                ("user", OTHER * 9),
                ("assistant", ANSWER),
                ("user", f"<document>\n{INVOICE_TEXT}</document>"),
            ],
            id="a short document with marks behind a long example",
        ),
    ],
)
async def test_the_document_is_found_in_a_conversation(
    client: httpx2.AsyncClient, turns: list[tuple[str, str]]
) -> None:
    """Over both surfaces: examples are left out, corrections send the reader back to the document."""
    made = (await client.post("/v1/responses", json=body(input=said(*turns)))).json()
    assert record(made) == READ
    form = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": INVOICE_SCHEMA}}
    sent = {"model": "gpt-4.1-mini", "messages": said(*turns), "response_format": form}
    chat = (await client.post("/v1/chat/completions", json=sent)).json()
    assert json.loads(chat["choices"][0]["message"]["content"]) == READ


async def test_a_response_that_follows_another_knows_what_was_said(client: httpx2.AsyncClient) -> None:
    """The conversation before is read and billed; instructions are not inherited."""
    first = (await client.post("/v1/responses", json=body(store=True))).json()
    again = body(input="Once more, please.", previous_response_id=first["id"], store=True)
    second = (await client.post("/v1/responses", json=again)).json()
    assert record(second) == READ
    assert second["previous_response_id"] == first["id"]
    alone = (await client.post("/v1/responses", json=body(input="Once more, please."))).json()
    spent = second["usage"]["input_tokens"], first["usage"]["input_tokens"], alone["usage"]["input_tokens"]
    assert spent[0] > spent[1] > spent[2]
    third = body(input="And again.", previous_response_id=second["id"])
    assert record((await client.post("/v1/responses", json=third)).json()) == READ


async def test_a_stored_response_is_streamed_again(served: Served) -> None:
    """`retrieve(stream=True)` sends the events, from any of them on."""
    async with AsyncOpenAI(api_key="sk-test", base_url=served.url, max_retries=0) as client:
        stream = await client.responses.create(**body(store=True, stream=True))
        first = [event async for event in stream]
        id = first[0].response.id
        again = [event async for event in await client.responses.retrieve(id, stream=True)]
        rest = [event async for event in await client.responses.retrieve(id, stream=True, starting_after=5)]
    assert [event.type for event in again] == [event.type for event in first]
    assert again[-1].response == first[-1].response
    assert [event.sequence_number for event in rest] == [n for n in range(len(first)) if n > 5]


async def test_a_stream_of_a_response_that_still_runs_waits_for_it(contract: Any) -> None:
    """Of a background response the stream ends when that does; one that is cancelled ends it too."""
    async with client_for(Settings(now=lambda: NOON, clock_speed=20)) as client:
        made = (await client.post("/v1/responses", json=body(store=True, background=True))).json()
        answer = await client.get(f"/v1/responses/{made['id']}?stream=true")
        bad = await client.get(f"/v1/responses/{made['id']}?stream=true&starting_after=x")
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    for event in events:
        contract("ResponseStreamEvent", event)
    assert record(events[-1]["response"]) == READ
    assert bad.status_code == 400
