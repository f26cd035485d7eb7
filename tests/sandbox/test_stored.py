"""Stored and background responses, token counts, function tools, files in the input."""

import asyncio
import base64
import io
import json
from typing import Any

import httpx2
import pytest
from PIL import Image

from service.sandbox import Settings
from tests.sandbox.conftest import INVOICE_SCHEMA, INVOICE_TEXT, NOON, body, client_for


async def test_the_counter_agrees_with_the_bill(client: httpx2.AsyncClient, contract: Any) -> None:
    """`input_tokens` returns what a create call is billed, and caches nothing."""
    counted = (await client.post("/v1/responses/input_tokens", json=body())).json()
    contract("TokenCountsResource", counted)
    made = (await client.post("/v1/responses", json=body())).json()
    assert counted["input_tokens"] == made["usage"]["input_tokens"]


async def test_stored_responses_are_retrieved_and_deleted(client: httpx2.AsyncClient, contract: Any) -> None:
    """`store` true keeps response and input; deleting forgets both; `store` false keeps nothing."""
    made = (await client.post("/v1/responses", json=body(store=True))).json()
    path = f"/v1/responses/{made['id']}"
    assert (await client.get(path)).json() == made
    items = (await client.get(f"{path}/input_items")).json()
    contract("ResponseItemList", items)
    assert items["data"][0]["content"][0]["text"] == INVOICE_TEXT
    assert (await client.delete(path)).json()["deleted"] is True
    assert (await client.get(path)).status_code == 404
    other = (await client.post("/v1/responses", json=body())).json()
    assert (await client.get(f"/v1/responses/{other['id']}")).status_code == 404


async def test_a_background_response_runs_through_its_states(contract: Any) -> None:
    """Queued first, completed later, the record inside."""
    async with client_for(Settings(now=lambda: NOON, clock_speed=100)) as client:
        made = (await client.post("/v1/responses", json=body(store=True, background=True))).json()
        contract("Response", made)
        assert made["status"] == "queued"
        for _ in range(3000):
            made = (await client.get(f"/v1/responses/{made['id']}")).json()
            if made["status"] == "completed":
                break
            await asyncio.sleep(0.01)
    assert json.loads(made["output"][0]["content"][0]["text"])["total"] == 1280.5


async def test_a_background_response_can_be_cancelled(client: httpx2.AsyncClient) -> None:
    """Cancel stops it; a synchronous response cannot be cancelled."""
    made = (await client.post("/v1/responses", json=body(store=True, background=True))).json()
    stopped = (await client.post(f"/v1/responses/{made['id']}/cancel")).json()
    assert stopped["status"] == "cancelled"
    plain = (await client.post("/v1/responses", json=body(store=True))).json()
    assert (await client.post(f"/v1/responses/{plain['id']}/cancel")).status_code == 400


async def test_background_needs_store(client: httpx2.AsyncClient) -> None:
    """A background response that nobody could retrieve is refused."""
    answer = await client.post("/v1/responses", json=body(background=True))
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "background"


@pytest.mark.parametrize("choice", ["required", {"type": "function", "name": "record"}])
async def test_a_required_function_is_called_with_the_record(
    client: httpx2.AsyncClient, contract: Any, choice: Any
) -> None:
    """The reader fills the function's parameters; with `auto` the answer is text."""
    tool = {"type": "function", "name": "record", "strict": True, "parameters": INVOICE_SCHEMA}
    sent = body(text=None, tools=[tool], tool_choice=choice)
    made = (await client.post("/v1/responses", json=sent)).json()
    contract("Response", made)
    call = made["output"][0]
    assert call["type"] == "function_call"
    assert call["name"] == "record"
    assert json.loads(call["arguments"])["invoice_number"] == "F-2026-0117"
    plain = (await client.post("/v1/responses", json=body(text=None, tools=[tool]))).json()
    assert plain["output"][0]["type"] == "message"


async def test_text_files_are_read(client: httpx2.AsyncClient) -> None:
    """An inline text file and an uploaded one are part of the document; an unknown id is 404."""
    data = base64.b64encode(b"Invoice number: FILE-77\n").decode()
    part = {"type": "input_file", "filename": "a.txt", "file_data": f"data:text/plain;base64,{data}"}
    sent = body(input=[{"role": "user", "content": [part]}])
    made = (await client.post("/v1/responses", json=sent)).json()
    assert json.loads(made["output"][0]["content"][0]["text"])["invoice_number"] == "FILE-77"
    missing = body(input=[{"role": "user", "content": [{"type": "input_file", "file_id": "file-none"}]}])
    answer = await client.post("/v1/responses", json=missing)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "No such File object: file-none"


def _png(width: int, height: int) -> str:
    out = io.BytesIO()
    Image.new("1", (width, height)).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


# The worked examples of section 4.2: model, patch budget, size, detail, tokens.
WORKED = [
    ("gpt-4.1", 6_144, (1024, 1024), "high", 765),
    ("gpt-4.1", 6_144, (1240, 1754), "high", 1_105),
    ("gpt-4.1", 6_144, (2480, 3508), "auto", 1_105),
    ("gpt-4.1", 6_144, (2480, 3508), "low", 85),
    ("gpt-4o-mini", 6_144, (1024, 1024), "high", 25_501),
    ("gpt-4o-mini", 6_144, (1240, 1754), "high", 36_835),
    ("gpt-4.1-mini", 6_144, (1024, 1024), "high", 1_659),
    ("gpt-4.1-mini", 1_536, (1024, 1024), "high", 1_659),
    ("gpt-4.1-mini", 1_536, (1240, 1754), "high", 2_385),
    ("gpt-4.1-mini", 6_144, (1240, 1754), "high", 3_475),
    ("gpt-4.1-mini", 1_536, (2480, 3508), "high", 2_385),
    ("gpt-4.1-mini", 6_144, (2480, 3508), "high", 4_770),
    ("gpt-4.1-mini", 1_536, (1800, 2400), "high", 2_353),
]


@pytest.mark.parametrize(("model", "budget", "size", "detail", "expected"), WORKED)
async def test_images_cost_what_the_rules_say(
    model: str, budget: int, size: tuple[int, int], detail: str, expected: int
) -> None:
    """Tiles and patches give the contract's worked examples."""
    async with client_for(Settings(now=lambda: NOON, image_patch_budget=budget)) as client:
        text = {"type": "input_text", "text": "x"}
        image = {"type": "input_image", "image_url": _png(*size), "detail": detail}
        path = "/v1/responses/input_tokens"
        without = (
            await client.post(path, json=body(model, input=[{"role": "user", "content": [text]}]))
        ).json()
        both = (
            await client.post(path, json=body(model, input=[{"role": "user", "content": [text, image]}]))
        ).json()
    assert both["input_tokens"] - without["input_tokens"] == expected


async def test_an_image_without_text_gives_nulls(client: httpx2.AsyncClient) -> None:
    """Where no OCR is installed an image yields a legal record without values."""
    image = {"type": "input_image", "image_url": _png(64, 64)}
    made = (
        await client.post("/v1/responses", json=body(input=[{"role": "user", "content": [image]}]))
    ).json()
    assert json.loads(made["output"][0]["content"][0]["text"]) == {
        "invoice_number": "", "issue_date": None, "total": None,
    }  # fmt: skip
