"""The application as a whole: health, problems, limits, access, the OpenAPI document."""

import asyncio
import gzip
from pathlib import Path
from typing import Any

import httpx2
import pytest
from conftest import running, settings_for
from openapi_spec_validator import validate

from service.foundation.errors import leaves


async def test_health(client: httpx2.AsyncClient) -> None:
    """Alive, ready, and measured."""
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    ready = (await client.get("/readyz")).json()
    assert ready["status"] == "ready"
    assert ready["engine"] == "sandbox"
    assert ready["schemas"] == 11
    assert any("gpt-4.1-mini stops on 2027-01-14" in warning for warning in ready["warnings"])
    await client.get("/v1/schemas")
    await client.post("/v1/extract/invoice", json={"input": {"text": "Invoice number: 7"}})
    await client.get("/v1/extract/invoice")
    metrics = (await client.get("/metrics")).text
    assert 'winnow_requests_total{method="GET",route="/v1/schemas",status="200"}' in metrics
    assert 'winnow_requests_total{method="POST",route="/v1/extract/{schema}",status="200"}' in metrics
    assert 'winnow_requests_total{method="GET",route="/v1/extract/{schema}",status="405"}' in metrics
    assert (await client.get("/docs")).status_code == 200


async def test_not_ready_without_a_database(client: httpx2.AsyncClient) -> None:
    """A database that is gone is a 503, not a crash; the process stays alive."""
    database = client.app.state.parts.database
    writer, database._writer = database._writer, type("Broken", (), {"begin": lambda _: _raise()})()
    answer = await client.get("/readyz")
    database._writer = writer
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert (await client.get("/healthz")).status_code == 200


def _raise() -> None:
    raise OSError("gone")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/v1/extract/invoice", 405, "method_not_allowed"),
        ("DELETE", "/v1/schemas", 405, "method_not_allowed"),
        ("GET", "/v1/schemas/nope", 404, "schema_not_found"),
        ("GET", "/v1/extractions?limit=0", 400, "bad_request"),
        ("GET", "/v1/extractions?limit=x", 400, "bad_request"),
        ("GET", "/v1/extractions?cursor=x", 400, "bad_request"),
        ("GET", "/problems/nope", 404, "not_found"),
    ],
)
async def test_problems(client: httpx2.AsyncClient, method: str, path: str, status: int, code: str) -> None:
    """Every error is a problem document with the request's id."""
    answer = await client.request(method, path, headers={"x-request-id": "mine-1"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["x-request-id"] == "mine-1"
    assert (await client.get(problem["type"])).json()["code"] == code
    if status == 405:
        assert answer.headers["allow"]


async def test_request_ids_are_made_up_where_the_given_one_is_not_harmless(
    client: httpx2.AsyncClient,
) -> None:
    """Nothing that a log or a header could be broken with is repeated."""
    for given in ("a b", "x" * 129, 'quote"'):
        answer = await client.get("/healthz", headers={"x-request-id": given})
        assert answer.headers["x-request-id"].startswith("req_")


async def test_every_problem_code_has_a_page(client: httpx2.AsyncClient) -> None:
    """Codes are unique, and each says what it means and what to do."""
    kinds = list(leaves())
    assert len({kind.code for kind in kinds}) == len(kinds)
    for kind in kinds:
        page = (await client.get(f"/problems/{kind.code}")).json()
        assert page["status"] == kind.status
        assert page["meaning"]


async def test_bodies_are_limited_while_they_are_read(sandbox: str, tmp_path: Path) -> None:
    """A body above the limit is a 413, with a true length, with none, and with a lying one."""
    settings = settings_for(sandbox, f"sqlite:///{tmp_path}/w.db", max_body_bytes=2048)

    async def endless() -> Any:
        for _ in range(100):
            yield b"x" * 1024

    async with running(settings) as client:
        for content in (b"x" * 4096, endless()):
            answer = await client.post(
                "/v1/extract/order", content=content, headers={"content-type": "text/plain"}
            )
            assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
        fits = await client.post(
            "/v1/extract/order", content=b"x" * 2048, headers={"content-type": "text/plain"}
        )
        assert fits.status_code in (200, 422)


async def test_packed_bodies_are_refused(client: httpx2.AsyncClient) -> None:
    """What `Content-Encoding` packs is not taken for the document, in no operation; `identity` packs nothing."""
    packed = gzip.compress(b"Invoice number: 5")
    for path in (
        "/v1/extract/order",
        "/v1/extract",
        "/v1/estimate/order",
        "/v1/files",
        "/v1/schemas/x/check",
    ):
        answer = await client.post(
            path, content=packed, headers={"content-type": "text/plain", "content-encoding": "gzip"}
        )
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type"), path
    plain = {"content-type": "text/plain", "content-encoding": "identity"}
    answer = await client.post("/v1/extract/order", content=b"Invoice number: 5\nTotal: 5", headers=plain)
    assert answer.status_code == 200


async def test_callers_who_go_away_are_no_faults_of_ours(
    client: httpx2.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """A body that ends early is a 499 in logs and metrics, and its idempotency key is free again."""
    headers = [(b"content-type", b"text/plain"), (b"idempotency-key", b"gone")]
    for path in ("/v1/extract/order", "/v1/files", "/v1/schemas/x/versions"):
        messages = iter(
            [
                {"type": "http.request", "body": b"{", "more_body": True},
                {"type": "http.disconnect"},
            ]
        )
        answered: list[Any] = []

        async def receive(messages: Any = messages) -> Any:
            return next(messages)

        async def send(message: Any, answered: list[Any] = answered) -> None:
            answered.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "app": client.app,
        }
        await client.app(scope, receive, send)
        assert answered[0]["status"] == 499
    assert "internal_error" not in capsys.readouterr().err
    again = await client.post(
        "/v1/extract/order",
        content=b"Invoice number: 5\nTotal: 5",
        headers={"content-type": "text/plain", "idempotency-key": "gone"},
    )
    assert again.status_code == 200
    metrics = (await client.get("/metrics")).text
    for route in ("/v1/extract/{schema}", "/v1/files", "/v1/schemas/{name}/versions"):
        assert f'winnow_requests_total{{method="POST",route="{route}",status="499"}}' in metrics


async def test_requests_in_flight_are_limited(sandbox: str, tmp_path: Path) -> None:
    """The request beyond the limit is a 503 with `Retry-After`; health is still answered."""
    async with running(settings_for(sandbox, f"sqlite:///{tmp_path}/w.db", max_in_flight=2)) as client:
        body = {"input": {"text": "Invoice number: 1\nTotal: 5"}, "options": {"model": "sandbox-slow-1s"}}
        answers = await asyncio.gather(
            *(client.post("/v1/extract/order", json=body) for _ in range(3)), client.get("/healthz")
        )
        assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 503]
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert refused.json()["code"] == "overloaded"
        assert refused.headers["retry-after"] == "1"
        assert refused.headers["x-request-id"]


async def test_access(sandbox: str, tmp_path: Path) -> None:
    """With a key set, nothing under /v1 and no metrics are answered without it; health and docs are."""
    async with running(settings_for(sandbox, f"sqlite:///{tmp_path}/w.db", api_key="s3cret")) as client:
        for path in ("/v1/schemas", "/v1/extractions", "/metrics"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
            assert answer.headers["www-authenticate"] == "Bearer"
            assert (await client.get(path, headers={"authorization": "Bearer s3cret"})).status_code == 200
        assert (await client.post("/v1/extract/order", json={"input": {"text": "x"}})).status_code == 401
        for path in ("/healthz", "/readyz", "/docs", "/openapi.json", "/problems/unauthorized"):
            assert (await client.get(path)).status_code == 200


async def test_the_openapi_document(client: httpx2.AsyncClient) -> None:
    """It is valid, names the security scheme, and has one described, typed operation per schema."""
    document = (await client.get("/openapi.json")).json()
    validate(document)
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    names = [schema["name"] for schema in (await client.get("/v1/schemas")).json()["schemas"]]
    for name in names:
        assert f"/v1/extract/{name}" in document["paths"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], path
            problems = [status for status in operation["responses"] if int(status) >= 400]
            assert problems, f"{method} {path} has no problem responses"
            for status in problems:
                assert list(operation["responses"][status]["content"]) == ["application/problem+json"]
    typed = document["paths"]["/v1/extract/invoice"]["post"]["responses"]["200"]["content"][
        "application/json"
    ]["schema"]
    extraction = document["components"]["schemas"][typed["$ref"].rpartition("/")[2]]
    assert extraction["properties"]["data"] == {"$ref": "#/components/schemas/InvoiceRecord"}


async def test_schemas_are_shown(client: httpx2.AsyncClient) -> None:
    """The list has every schema; one of them is shown with its strict form and losses."""
    shown = (await client.get("/v1/schemas/invoice@latest")).json()
    assert shown["name"] == "invoice"
    assert shown["schema"]["title"] == shown["title"]
    assert shown["strict"]["additionalProperties"] is False
    assert shown["digest"].startswith("sha256:")


async def test_faults_of_ours_do_not_quote_the_caller(
    client: httpx2.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unforeseen exception is a problem document; log and answer keep its message to themselves."""

    async def broken(*_: Any) -> None:
        raise RuntimeError("the customer's text")

    client.app.state.parts.extractor.run = broken
    answer = await client.post("/v1/extract/order", json={"input": {"text": "x"}})
    del client.app.state.parts.extractor.run
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "customer" not in answer.text + capsys.readouterr().err
