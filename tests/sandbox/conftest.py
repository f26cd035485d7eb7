"""Shared parts of the sandbox's tests: an in-process client, a served one, bodies, the contract's schemas."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import jsonschema_rs
import pytest
import uvicorn

from service.sandbox import Settings, create_app

SUBSET = Path(__file__).resolve().parents[2] / ".." / "shared" / "openai" / "openapi-subset.json"
# A day on which gpt-4.1-mini is served and gpt-4-turbo is not.
NOON = 1_795_176_000.0

INVOICE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "invoice_number": {"type": "string"},
        "issue_date": {"type": ["string", "null"], "format": "date"},
        "total": {"type": ["number", "null"]},
    },
    "required": ["invoice_number", "issue_date", "total"],
    "additionalProperties": False,
}
INVOICE_TEXT = "Invoice number: F-2026-0117\nInvoice date: 3 May 2026\nTotal: EUR 1,280.50\n"


def body(model: str = "gpt-4.1-mini", **changes: Any) -> dict[str, Any]:
    """A request that extracts the small invoice; members set to None are left out."""
    made: dict[str, Any] = {
        "model": model,
        "instructions": "Extract the invoice.",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": INVOICE_TEXT}]}],
        "text": {
            "format": {"type": "json_schema", "name": "invoice", "strict": True, "schema": INVOICE_SCHEMA}
        },
        "store": False,
    }
    made.update(changes)
    return {name: value for name, value in made.items() if value is not None}


def client_for(settings: Settings | None = None, **options: Any) -> httpx2.AsyncClient:
    """A client that talks to a fresh sandbox in this process."""
    app = create_app(settings or Settings(now=lambda: NOON), **options)
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app),
        base_url="http://sandbox",
        headers={"authorization": "Bearer sk-test"},
    )


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a sandbox with default limits."""
    async with client_for() as made:
        yield made


class Served:
    """A sandbox on a loopback port, in a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        self.app = create_app(settings)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        config = uvicorn.Config(
            self.app, host="127.0.0.1", port=self.port, log_level="critical", access_log=False,
            timeout_graceful_shutdown=1, loop="asyncio", ws="none",
        )  # fmt: skip
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def start(self) -> None:
        self.thread.start()
        for _ in range(500):
            if self.server.started:
                return
            await asyncio.sleep(0.01)
        raise RuntimeError("the sandbox did not start within five seconds")

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """A sandbox over loopback: for streams, cut connections and real clients."""
    made = Served(Settings(now=lambda: NOON))
    await made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def contract() -> Iterator[Any]:
    """Checks values against a named schema of the provider's published description."""
    if not SUBSET.exists():
        pytest.skip("../shared is absent")
    document = json.loads(SUBSET.read_text())
    made: dict[str, Any] = {}

    def check(name: str, value: Any) -> None:
        if name not in made:
            made[name] = jsonschema_rs.Draft202012Validator(
                {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
            )
        errors = [
            f"{list(error.instance_path)}: {error.message[:300]}" for error in made[name].iter_errors(value)
        ]
        assert not errors, errors[:3]

    return check
