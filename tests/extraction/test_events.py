"""Server-sent events, over a real socket: the in-process transport would hold the stream back."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from conftest import serving, settings_for

SCHEMA = {
    "type": "object",
    "properties": {"invoice_number": {"type": "string"}, "lines": {"type": "array", "items": {"type": "string"}}, "total": {"type": "number"}},
    "required": ["invoice_number", "lines", "total"],
}  # fmt: skip
TEXT = "Invoice number: 2026-0417\nTotal: 1280.50"


@pytest.fixture
def service(sandbox: str, tmp_path: Path) -> Any:
    import uvicorn

    from service.app import create_app

    app = create_app(settings_for(sandbox, f"sqlite:///{tmp_path}/w.db"))
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
    with serving(config) as url:
        yield url, app


def body(**options: Any) -> dict[str, Any]:
    return {"schema": SCHEMA, "input": {"text": TEXT}, "options": options}


async def events(url: str, content: dict[str, Any]) -> list[tuple[str, Any]]:
    found = []
    async with (
        httpx2.AsyncClient(timeout=60) as client,
        client.stream(
            "POST", f"{url}/v1/extract", json=content, headers={"accept": "text/event-stream"}
        ) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        name = ""
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                found.append((name, json.loads(line.removeprefix("data: "))))
    return found


async def test_progress_snapshots_and_a_record(service: Any) -> None:
    """The last event is the record, exactly as the plain answer would be; what comes before grows towards it."""
    found = await events(service[0], body())
    names = [name for name, _ in found]
    assert names[0] == "progress"
    assert names[-1] == "record"
    assert set(names) <= {"progress", "snapshot", "record"}
    record = found[-1][1]
    assert record["data"]["invoice_number"] == "2026-0417"
    assert record["status"] == "succeeded"
    for name, data in found:
        if name == "snapshot":
            assert data["data"].keys() <= record["data"].keys()


@pytest.mark.parametrize(
    ("model", "code"),
    [("sandbox-refusal", "model_refused"), ("sandbox-midstream", None), ("sandbox-quota", "provider_quota")],
)
async def test_a_problem_is_the_last_event(service: Any, model: str, code: str | None) -> None:
    """What goes wrong after the headers are out is an event that says what the problem document would."""
    found = await events(service[0], body(model=model, max_attempts=1))
    name, problem = found[-1]
    assert name == "problem"
    assert problem["extraction_id"]
    assert code is None or problem["code"] == code


async def test_a_bad_request_is_a_plain_problem(service: Any) -> None:
    """What is wrong before anything began needs no stream."""
    async with httpx2.AsyncClient() as client:
        answer = await client.post(
            f"{service[0]}/v1/extract", json={}, headers={"accept": "text/event-stream"}
        )
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_hanging_up_cancels_the_call_and_keeps_the_account(service: Any) -> None:
    """A caller that goes away stops the provider's work; the attempt is in the database."""
    from sqlalchemy import create_engine, text

    url, app = service
    async with (
        httpx2.AsyncClient(timeout=60) as client,
        client.stream(
            "POST",
            f"{url}/v1/extract",
            json=body(model="sandbox-slow-20s"),
            headers={"accept": "text/event-stream"},
        ) as answer,
    ):
        async for line in answer.aiter_lines():
            if '"asking"' in line:
                break
    engine = create_engine(app.state.parts.settings.database.url.get_secret_value())
    for _ in range(300):
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT outcome FROM attempts")).scalars().all()
        if rows:
            break
        await asyncio.sleep(0.1)
    engine.dispose()
    assert rows == ["failed:cancelled"]
