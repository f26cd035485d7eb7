"""Embeddings, moderations, signed events."""

import asyncio
import json
import math
from typing import Any

import httpx2
from aiohttp import web
from openai import OpenAI

from service.sandbox import Settings
from service.sandbox.webhooks import Webhooks, signature
from tests.sandbox.conftest import NOON, body, client_for


async def test_embeddings_depend_on_the_text_alone(client: httpx2.AsyncClient) -> None:
    """Equal texts have equal unit vectors of the wanted size; different ones differ."""
    sent = {"model": "text-embedding-3-small", "input": ["a", "b", "a"], "dimensions": 64}
    rows = (await client.post("/v1/embeddings", json=sent)).json()["data"]
    vectors = [row["embedding"] for row in rows]
    assert vectors[0] == vectors[2]
    assert vectors[0] != vectors[1]
    assert math.isclose(sum(value * value for value in vectors[0]), 1.0)
    assert len(vectors[0]) == 64


async def test_embedding_requests_are_checked(client: httpx2.AsyncClient) -> None:
    """Unknown models are 404; odd inputs are 400."""
    path = "/v1/embeddings"
    assert (await client.post(path, json={"model": "x", "input": "a"})).status_code == 404
    for changes in (
        {"input": 5},
        {"input": [""]},
        {"dimensions": 0},
        {"encoding_format": "hex"},
        {"input": None},
    ):
        sent = {"model": "text-embedding-3-small", "input": "a", **changes}
        assert (await client.post(path, json=sent)).status_code == 400
    assert (await client.post(path, json=[])).status_code == 400


async def test_moderation_flags_plain_words(client: httpx2.AsyncClient, contract: Any) -> None:
    """A harmless text passes, a threatening one is flagged in its category."""
    sent = {"input": ["a nice day", "I will kill you"]}
    made = (await client.post("/v1/moderations", json=sent)).json()
    contract("CreateModerationResponse", made)
    assert [result["flagged"] for result in made["results"]] == [False, True]
    assert made["results"][1]["categories"]["violence"] is True
    assert (await client.post("/v1/moderations", json={})).status_code == 400


def test_signatures_verify_with_the_sdk() -> None:
    """openai-python unwraps what we sign."""
    import time

    secret = Settings().webhook_secret
    event = {
        "id": "evt_1", "object": "event", "type": "batch.completed", "created_at": 1, "data": {"id": "batch_1"},
    }  # fmt: skip
    payload = json.dumps(event).encode()
    now = int(time.time())
    headers = {
        "webhook-id": "wh_1",
        "webhook-timestamp": str(now),
        "webhook-signature": signature(secret, "wh_1", now, payload),
    }
    client = OpenAI(api_key="sk-test", webhook_secret=secret)
    assert client.webhooks.unwrap(payload, headers).type == "batch.completed"


async def test_events_are_delivered_and_retried() -> None:
    """A background response announces itself; a first 500 is followed by another attempt."""
    seen: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        seen.append({"headers": dict(request.headers), "body": await request.json()})
        return web.Response(status=500 if len(seen) == 1 else 204)

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    settings = Settings(now=lambda: NOON, clock_speed=200, webhook_url=f"http://127.0.0.1:{port}/hook")
    try:
        async with client_for(settings) as client:
            made = (await client.post("/v1/responses", json=body(store=True, background=True))).json()
            for _ in range(3000):
                if len(seen) >= 2:
                    break
                await asyncio.sleep(0.01)
    finally:
        await runner.cleanup()
    assert [event["body"]["type"] for event in seen] == ["response.completed"] * 2
    assert seen[0]["body"]["data"] == {"id": made["id"]}
    assert seen[0]["headers"]["webhook-id"] == seen[1]["headers"]["webhook-id"]


async def test_without_an_address_nothing_is_sent() -> None:
    """Webhooks are off by default."""
    assert await Webhooks(Settings()).send("batch.completed", "batch_1") is False
