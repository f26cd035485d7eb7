"""Files and batches: the status machine, output and error files, faults of the input, the sped-up clock."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI

from service.sandbox import Settings
from tests.sandbox.conftest import Served, body, client_for

FAST = 5_000.0


@pytest.fixture
async def fast() -> AsyncIterator[httpx2.AsyncClient]:
    """A sandbox whose provider time runs five thousand times as fast."""
    async with client_for(Settings(clock_speed=FAST)) as made:
        yield made


def line(number: int, **changes: Any) -> dict[str, Any]:
    row = {"custom_id": f"doc-{number}", "method": "POST", "url": "/v1/responses", "body": body()}
    return {**row, **changes}


async def upload(client: httpx2.AsyncClient, rows: list[Any]) -> str:
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    answer = await client.post(
        "/v1/files",
        data={"purpose": "batch"},
        files={"file": ("in.jsonl", text.encode(), "application/jsonl")},
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def start(client: httpx2.AsyncClient, rows: list[Any], **changes: Any) -> dict[str, Any]:
    sent = {
        "input_file_id": await upload(client, rows), "endpoint": "/v1/responses", "completion_window": "24h", **changes,
    }  # fmt: skip
    answer = await client.post("/v1/batches", json=sent)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def finished(client: httpx2.AsyncClient, batch: dict[str, Any]) -> dict[str, Any]:
    for _ in range(3_000):
        batch = (await client.get(f"/v1/batches/{batch['id']}")).json()
        if batch["status"] in ("completed", "failed", "expired", "cancelled"):
            return batch
        await asyncio.sleep(0.01)
    raise AssertionError(f"the batch is still {batch['status']}")


async def rows_of(client: httpx2.AsyncClient, file_id: str) -> list[dict[str, Any]]:
    answer = await client.get(f"/v1/files/{file_id}/content")
    return [json.loads(row) for row in answer.text.splitlines()]


async def test_a_batch_completes_with_both_files(fast: httpx2.AsyncClient, contract: Any) -> None:
    """Good lines go to the output file in an order of its own, refused ones to the error file."""
    rows = [line(n) for n in range(30)] + [line(99, body=body(temperature=9))]
    batch = await start(fast, rows, metadata={"job": "7"})
    contract("Batch", batch)
    assert batch["status"] == "validating"
    done = await finished(fast, batch)
    contract("Batch", done)
    assert done["status"] == "completed"
    assert done["request_counts"] == {"total": 31, "completed": 30, "failed": 1}
    assert done["metadata"] == {"job": "7"}
    output = await rows_of(fast, done["output_file_id"])
    for row in output:
        contract("BatchRequestOutput", row)
        contract("Response", row["response"]["body"])
    names = [row["custom_id"] for row in output]
    assert sorted(names) == sorted(f"doc-{n}" for n in range(30))
    assert names != [f"doc-{n}" for n in range(30)]
    errors = await rows_of(fast, done["error_file_id"])
    assert errors[0]["response"]["status_code"] == 400
    assert errors[0]["response"]["body"]["error"]["code"] == "decimal_above_max_value"
    assert done["usage"]["input_tokens"] == sum(
        r["response"]["body"]["usage"]["input_tokens"] for r in output
    )


FAULTS: dict[str, tuple[list[Any], str]] = {
    "json": (["{"], "invalid_json_line"),
    "duplicate": ([line(1), line(1)], "duplicate_custom_id"),
    "url": ([line(1, url="/v1/embeddings")], "invalid_url"),
    "method": ([line(1, method="GET")], "invalid_method"),
    "missing": ([{"custom_id": "a", "method": "POST", "url": "/v1/responses"}], "missing_required_parameter"),
    "models": ([line(1), line(2, body=body("gpt-4o"))], "mismatched_model"),
    "empty": ([""], "empty_file"),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_faulty_file_fails_before_anything_runs(
    fast: httpx2.AsyncClient, contract: Any, name: str
) -> None:
    """Validation errors end in status failed, with code and line."""
    rows, code = FAULTS[name]
    done = await finished(fast, await start(fast, rows))
    contract("Batch", done)
    assert done["status"] == "failed"
    assert done["errors"]["data"][0]["code"] == code
    assert "output_file_id" not in done


async def test_the_queue_has_a_limit() -> None:
    """Beyond the enqueued tokens a batch fails with the provider's words."""
    async with client_for(Settings(clock_speed=FAST, batch_queue_tokens=10)) as client:
        done = await finished(client, await start(client, [line(1)]))
    assert done["errors"]["data"][0]["message"].startswith(
        "Enqueued token limit reached for gpt-4.1-mini in organization org-sandbox. Limit: 10 enqueued tokens."
    )


async def test_what_does_not_fit_into_a_day_expires(contract: Any) -> None:
    """Lines not run within 24 hours of provider time have their own error, and the rest is kept."""
    async with client_for(Settings(clock_speed=2_000_000.0)) as client:
        rows = [line(n, body=body("sandbox-slow-9999s")) for n in range(20)]
        done = await finished(client, await start(client, rows))
        errors = await rows_of(client, done["error_file_id"])
        kept = await rows_of(client, done["output_file_id"])
    assert done["status"] == "expired"
    assert {row["error"]["code"] for row in errors} == {"batch_expired"}
    assert len(errors) + len(kept) == 20


async def test_a_cancelled_batch_keeps_what_it_did() -> None:
    """Cancelling goes over to cancelled; lines not run are listed as such; an ended batch cannot be cancelled."""
    async with client_for(Settings(clock_speed=1_000.0)) as client:
        batch = await start(client, [line(n, body=body("sandbox-slow-100s")) for n in range(50)])
        await asyncio.sleep(0.4)
        stopping = (await client.post(f"/v1/batches/{batch['id']}/cancel")).json()
        assert stopping["status"] == "cancelling"
        done = await finished(client, batch)
        errors = await rows_of(client, done["error_file_id"])
        again = await client.post(f"/v1/batches/{batch['id']}/cancel")
    assert done["status"] == "cancelled"
    assert {row["error"]["code"] for row in errors} == {"batch_cancelled"}
    assert again.status_code == 409


CREATE_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"endpoint": "/v1/nope"}, "invalid_value"),
    ({"completion_window": "1h"}, "invalid_value"),
    ({"endpoint": None}, "missing_required_parameter"),
    ({"metadata": {"a": 1}}, "invalid_type"),
]


@pytest.mark.parametrize(("changes", "code"), CREATE_FAULTS)
async def test_a_batch_request_is_checked(
    fast: httpx2.AsyncClient, changes: dict[str, Any], code: str
) -> None:
    """Endpoint, window and metadata are refused at once."""
    sent = {
        "input_file_id": await upload(fast, [line(1)]), "endpoint": "/v1/responses", "completion_window": "24h", **changes,
    }  # fmt: skip
    answer = await fast.post("/v1/batches", json=sent)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


async def test_files_are_listed_read_and_deleted(client: httpx2.AsyncClient, contract: Any) -> None:
    """A file is what was uploaded, until it is deleted."""
    answer = await client.post(
        "/v1/files",
        data={
            "purpose": "user_data",
            "expires_after[anchor]": "created_at",
            "expires_after[seconds]": "3600",
        },
        files={"file": ("a.txt", b"hello", "text/plain")},
    )
    made = answer.json()
    contract("OpenAIFile", made)
    assert made["bytes"] == 5
    assert made["expires_at"] == made["created_at"] + 3_600
    contract("ListFilesResponse", (await client.get("/v1/files?purpose=user_data")).json())
    assert (await client.get(f"/v1/files/{made['id']}/content")).content == b"hello"
    contract("DeleteFileResponse", (await client.delete(f"/v1/files/{made['id']}")).json())
    assert (await client.get(f"/v1/files/{made['id']}")).status_code == 404


async def test_uploads_are_checked(client: httpx2.AsyncClient) -> None:
    """Missing file, missing or odd purpose, odd lifetime, and a body that is no form are 400."""
    file = {"file": ("a.txt", b"x", "text/plain")}
    for data, files in (
        ({"purpose": "batch"}, {"other": ("a", b"x")}),
        ({}, file),
        ({"purpose": "nope"}, file),
        ({"purpose": "batch", "expires_after[seconds]": "1"}, file),
    ):
        assert (await client.post("/v1/files", data=data, files=files)).status_code == 400
    broken = await client.post(
        "/v1/files", content=b"--x\r\nbroken", headers={"content-type": "multipart/form-data; boundary=x"}
    )
    assert broken.status_code == 400


async def test_the_sdk_runs_a_batch() -> None:
    """openai-python uploads, creates, polls and downloads unchanged."""
    served = Served(Settings(clock_speed=FAST))
    await served.start()
    try:
        async with AsyncOpenAI(api_key="sk-test", base_url=served.url) as client:
            text = "\n".join(json.dumps(line(n)) for n in range(5)).encode()
            file = await client.files.create(file=("in.jsonl", text), purpose="batch")
            batch = await client.batches.create(
                input_file_id=file.id, endpoint="/v1/responses", completion_window="24h"
            )
            for _ in range(500):
                batch = await client.batches.retrieve(batch.id)
                if batch.status == "completed":
                    break
                await asyncio.sleep(0.01)
            assert batch.output_file_id is not None
            content = await client.files.content(batch.output_file_id)
            assert len(content.text.splitlines()) == 5
    finally:
        served.stop()


async def test_a_fast_clock_leaves_no_line_undone() -> None:
    """What the sandbox computes takes no provider time: at a million times real time a day is 0.09 s."""
    async with client_for(Settings(clock_speed=1_000_000.0)) as client:
        done = await finished(client, await start(client, [line(n) for n in range(400)]))
    assert done["status"] == "completed"
    assert done["request_counts"] == {"total": 400, "completed": 400, "failed": 0}
