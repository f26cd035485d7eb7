"""`Idempotency-Key` over HTTP: a request that is sent twice is carried out once, whoever gets it and whoever dies."""

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from conftest import running, settings_for

from service.foundation.answers import Settings
from service.foundation.idempotency import Fingerprint

BODY = {"input": {"text": "Invoice number: 2026-0417\nTotal: 5"}}
VERSION = {"schema": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}}


@pytest.fixture
async def service(sandbox: str, database_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A service with an empty database, once of each kind."""
    async with running(settings_for(sandbox, database_url, idempotency={"lease_s": 1})) as client:
        yield client


@pytest.fixture
def key() -> dict[str, str]:
    """A fresh key, as a header."""
    return {"idempotency-key": str(uuid.uuid4())}


async def asked(client: httpx2.AsyncClient) -> int:
    """How often the provider was asked, by the attempts that are recorded."""
    from sqlalchemy import func, select

    from service.extraction.store import attempts

    async with client.app.state.parts.database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(attempts))).scalar_one())


def provider_calls(sandbox: str) -> int:
    """How often the provider was asked, by its own books."""
    report = httpx2.get(f"{sandbox.removesuffix('/v1')}/__sandbox/ledger").json()
    return sum(entry["path"].endswith("/responses") for entry in report["requests"])


def forget_calls(sandbox: str) -> None:
    httpx2.delete(f"{sandbox.removesuffix('/v1')}/__sandbox/ledger")


def problem(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_repetition_gets_the_same_answer(
    service: httpx2.AsyncClient, sandbox: str, key: dict[str, str]
) -> None:
    """Status, headers and body are the first one's; the provider is asked once, and once more without the key."""
    forget_calls(sandbox)
    first = await service.post("/v1/extract/order", json=BODY, headers=key)
    again = await service.post("/v1/extract/order", json=BODY, headers=key)
    assert (first.status_code, again.status_code) == (200, 200), first.text
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert provider_calls(sandbox) == 1
    await service.post("/v1/extract/order", json=BODY)
    assert provider_calls(sandbox) == 2


async def test_publishing_twice_publishes_once(service: httpx2.AsyncClient, key: dict[str, str]) -> None:
    """The registry answers the repetition with the same 201."""
    answers = [await service.post("/v1/schemas/parcel/versions", json=VERSION, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotency-replayed"] == "true"
    history = (await service.get("/v1/schemas/parcel/history")).json()["changes"]
    assert len(history) == 1


async def test_uploading_twice_keeps_one_file(client: httpx2.AsyncClient, key: dict[str, str]) -> None:
    """A file that is sent again under its key is the same file."""
    sent = {"files": {"file": ("a.txt", b"Total: 5" * 200_000, "text/plain")}, "headers": key}
    answers = [await client.post("/v1/files", **sent) for _ in range(2)]
    assert answers[0].status_code in (200, 201), answers[0].text
    assert answers[1].json() == answers[0].json()
    assert answers[1].headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("how", ["body", "path", "query", "type"])
async def test_a_key_is_for_one_request(service: httpx2.AsyncClient, key: dict[str, str], how: str) -> None:
    """Another body, path, query or media type under the same key is a 422, and nobody is asked."""
    text = {"content-type": "text/plain", **key}
    await service.post("/v1/extract/order", content=b"Total: 5", headers=text)
    before = await asked(service)
    path = {"path": "/v1/extract/invoice", "query": "/v1/extract/order?store=true"}.get(
        how, "/v1/extract/order"
    )
    body = b"Total: 6" if how == "body" else b"Total: 5"
    headers = {**text, "content-type": "text/markdown"} if how == "type" else text
    answer = await service.post(path, content=body, headers=headers)
    assert problem(answer) == (422, "idempotency_mismatch")
    assert await asked(service) == before


async def test_twenty_at_once_ask_the_provider_once(
    sandbox: str, database_url: str, key: dict[str, str]
) -> None:
    """Of twenty requests to two replicas one is carried out, the others are 409 with Retry-After, and replays later."""
    settings = settings_for(sandbox, database_url)
    body = {**BODY, "options": {"model": "sandbox-slow-1s"}}
    forget_calls(sandbox)
    async with running(settings) as one, running(settings) as two:
        answers = await asyncio.gather(
            *(
                replica.post("/v1/extract/order", json=body, headers=key)
                for replica in (one, two)
                for _ in range(10)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 19
        for refused in (answer for answer in answers if answer.status_code == 409):
            assert refused.json()["code"] == "idempotency_in_flight"
            assert refused.json()["retryable"] is True
            assert int(refused.headers["retry-after"]) >= 1
        first = next(answer for answer in answers if answer.status_code == 200)
        for replica in (one, two):
            again = await replica.post("/v1/extract/order", json=body, headers=key)
            assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert provider_calls(sandbox) == 1


async def test_a_killed_process_gives_its_keys_back(
    sandbox: str, database_url: str, key: dict[str, str]
) -> None:
    """After kill -9 the key is taken until the lease has run out; then the next request is carried out."""
    environment = {
        name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH", "SYSTEMROOT") if name in os.environ
    }
    environment |= {
        "OPENAI_BASE_URL": sandbox,
        "OPENAI_API_KEY": "sk-test",
        "WINNOW_UPSTREAM_ENGINE": "sandbox",
        "WINNOW_DATABASE_URL": database_url,
        "WINNOW_IDEMPOTENCY_LEASE_S": "3",
        "WINNOW_LOG_LEVEL": "error",
    }
    slow = {**BODY, "options": {"model": "sandbox-slow-90s"}}
    settings = settings_for(sandbox, database_url, idempotency={"lease_s": 3})
    async with running(settings) as survivor:
        command = [sys.executable, "-m", "service.cli", "serve", "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as victim:
            assert victim.stdout is not None
            line = await asyncio.to_thread(victim.stdout.readline)
            url = line.split()[-1]
            forget_calls(sandbox)
            async with httpx2.AsyncClient(timeout=120) as direct:
                path = "/v1/extract/invoice"
                hopeless = asyncio.create_task(direct.post(url + path, json=slow, headers=key))
                for _ in range(600):
                    if provider_calls(sandbox):
                        break
                    await asyncio.sleep(0.05)
                await asyncio.sleep(3.3)  # beyond the lease: it lives by being renewed
                held = await survivor.post(path, json=slow, headers=key)
                assert problem(held) == (409, "idempotency_in_flight")
                victim.kill()
                with pytest.raises(httpx2.TransportError):
                    await hopeless
        fresh = {**BODY, "options": {"model": "gpt-4.1-mini"}}
        statuses = []
        for _ in range(300):
            answer = await survivor.post(path, json=fresh, headers=key)
            statuses.append(answer.status_code)
            if answer.status_code != 409:
                break
            await asyncio.sleep(0.1)
        assert statuses[0] == 409
        assert statuses[-1] == 200, answer.text
        assert (await survivor.post(path, json=fresh, headers=key)).content == answer.content


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/extract/order", {**BODY, "options": {"model": "sandbox-429-9", "max_attempts": 1}}, 429),
        ("/v1/extract/order", {**BODY, "options": {"model": "sandbox-500-9", "max_attempts": 1}}, 502),
        ("/v1/extract/order", {"input": {}}, 400),
        ("/v1/extract/nothing", BODY, 404),
    ],
)
async def test_what_may_be_retried_is_not_kept(
    client: httpx2.AsyncClient, key: dict[str, str], path: str, body: Any, status: int
) -> None:
    """After a 429, a 5xx or a request that did nothing the key is free, for another body too."""
    first = await client.post(path, json=body, headers=key)
    assert first.status_code in (status, 503), first.text
    again = await client.post(path, json=body, headers=key)
    assert "idempotency-replayed" not in again.headers
    corrected = await client.post("/v1/extract/order", json=BODY, headers=key)
    assert corrected.status_code == 200
    assert "idempotency-replayed" not in corrected.headers


async def test_a_refusal_that_cost_money_is_kept(client: httpx2.AsyncClient, key: dict[str, str]) -> None:
    """A 422 is as final as a record: the repetition asks nobody."""
    body = {**BODY, "options": {"model": "sandbox-refusal"}}
    first = await client.post("/v1/extract/order", json=body, headers=key)
    assert problem(first) == (422, "model_refused")
    before = await asked(client)
    again = await client.post("/v1/extract/order", json=body, headers=key)
    assert (again.content, again.headers["content-type"]) == (first.content, "application/problem+json")
    assert again.headers["idempotency-replayed"] == "true"
    assert await asked(client) == before


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ([("idempotency-key", "")], "idempotency_key_invalid"),
        ([("idempotency-key", "x" * 256)], "idempotency_key_invalid"),
        ([("idempotency-key", "a b")], "idempotency_key_invalid"),
        ([("idempotency-key", "ä".encode())], "idempotency_key_invalid"),
        ([("idempotency-key", "a"), ("idempotency-key", "b")], "idempotency_key_invalid"),
        ([("idempotency-key", "a"), ("accept", "text/event-stream")], "idempotency_not_for_streams"),
    ],
)
async def test_keys_that_are_refused(client: httpx2.AsyncClient, headers: Any, code: str) -> None:
    """A key is one header of 1 to 255 visible ASCII characters, and not for a stream; nobody is asked."""
    answer = await client.post("/v1/extract/order", json=BODY, headers=headers)
    assert problem(answer) == (400, code)
    assert await asked(client) == 0
    longest = await client.post("/v1/extract/order", json=BODY, headers={"idempotency-key": "~" * 255})
    assert longest.status_code == 200


async def test_multipart_bodies_are_the_same_whatever_their_boundary(
    client: httpx2.AsyncClient, key: dict[str, str]
) -> None:
    """Clients draw a new boundary for each attempt; the files decide."""
    for content, status in ((b"Total: 5", 200), (b"Total: 5", 200), (b"Total: 6", 422)):
        answer = await client.post(
            "/v1/extract/order", files={"file": ("a.txt", content, "text/plain")}, headers=key
        )
        assert answer.status_code == status, answer.text
    assert await asked(client) == 1


def test_a_fingerprint_does_not_depend_on_how_a_body_is_cut() -> None:
    """Pieces of any size give one digest, also where a boundary lies across two of them."""

    def digest(boundary: str, size: int, content: str = "abc") -> str:
        body = f"--{boundary}\r\nx: y\r\n\r\n{content}\r\n--{boundary}--\r\n".encode()
        made = Fingerprint([(b"content-type", f'multipart/form-data; boundary="{boundary}"'.encode())])
        for start in range(0, len(body), size):
            made.update(body[start : start + size])
        return made.hexdigest()

    assert len({digest(name, size) for name in ("b", "-" * 40 + "q") for size in (1, 2, 7, 1000)}) == 1
    assert digest("b", 7) != digest("b", 7, content="abd")


async def test_keys_belong_to_their_caller(sandbox: str, tmp_path: Path, key: dict[str, str]) -> None:
    """Without the right to call there is no replay, and no row is written."""
    async with running(settings_for(sandbox, f"sqlite:///{tmp_path}/w.db", api_key="s3cret")) as client:
        ours = {**key, "authorization": "Bearer s3cret"}
        assert (await client.post("/v1/extract/order", json=BODY, headers=ours)).status_code == 200
        for headers in (key, {**key, "authorization": "Bearer other"}):
            answer = await client.post("/v1/extract/order", json=BODY, headers=headers)
            assert problem(answer) == (401, "unauthorized")
        answers = client.app.state.parts.answers
        assert (await answers.claim("another caller", key["idempotency-key"], "t")).owner
        rows = await scopes(client)
        assert len(rows) == 2
        assert not any("s3cret" in scope for scope in rows)


async def scopes(client: httpx2.AsyncClient) -> list[str]:
    from sqlalchemy import select

    from service.foundation.answers import kept

    async with client.app.state.parts.database.read() as connection:
        return list((await connection.execute(select(kept.c.scope))).scalars())


async def test_answers_expire(service: httpx2.AsyncClient, key: dict[str, str]) -> None:
    """After `keep_s` the request is carried out anew, and sweeping deletes what expired."""
    answers = service.app.state.parts.answers
    answers.settings = Settings(keep_s=1)
    await service.post("/v1/extract/order", json=BODY, headers=key)
    await asyncio.sleep(1.1)
    again = await service.post("/v1/extract/order", json=BODY, headers=key)
    assert "idempotency-replayed" not in again.headers
    await answers.sweep()
    assert len(await scopes(service)) == 1
    await asyncio.sleep(1.1)
    await answers.sweep()
    assert await scopes(service) == []


async def test_large_answers_are_not_kept_but_their_giving_is(
    service: httpx2.AsyncClient, key: dict[str, str]
) -> None:
    """Above the cap for one answer or for all, a repetition is a 409 and is not carried out."""
    answers = service.app.state.parts.answers
    answers.settings = Settings(max_answer_bytes=100)
    first = await service.post("/v1/extract/order", json=BODY, headers=key)
    assert first.json()["status"] == "succeeded"
    again = await service.post("/v1/extract/order", json=BODY, headers=key)
    assert problem(again) == (409, "idempotency_answer_not_kept")
    answers.settings = Settings(max_total_bytes=int(len(first.content) * 1.5))
    keys = [{"idempotency-key": str(number)} for number in range(2)]
    for one in keys:
        await service.post("/v1/extract/order", json=BODY, headers=one)
    await answers.sweep()
    codes = [(await service.post("/v1/extract/order", json=BODY, headers=one)).status_code for one in keys]
    assert codes == [409, 200]
    assert await asked(service) == 3


async def test_every_post_describes_the_header(client: httpx2.AsyncClient) -> None:
    """The OpenAPI document declares it where it works."""
    document = (await client.get("/openapi.json")).json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            names = [parameter["name"] for parameter in operation.get("parameters", [])]
            assert ("Idempotency-Key" in names) == (method == "post" and path.startswith("/v1/")), path
