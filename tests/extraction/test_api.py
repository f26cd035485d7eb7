"""The main job over HTTP: the real app, the real SDK, the sandbox's wire protocol."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from conftest import running, settings_for

TEXT = "INVOICE\n\nInvoice number: 2026-0417\nSeller: Acme GmbH\nCurrency: EUR\nTotal: 1280.50\n"
SCHEMA = {
    "type": "object",
    "properties": {
        "invoice_number": {"type": "string", "description": "The invoice number."},
        "total": {"type": "number", "description": "The total."},
        "due_date": {"type": "string", "format": "date", "description": "When payment is due."},
    },
    "required": ["invoice_number", "total"],
}


def inline(text: str = TEXT, schema: Any = SCHEMA, **options: Any) -> dict[str, Any]:
    return {"schema": schema, "input": {"text": text}, "options": options}


async def attempts_of(client: httpx2.AsyncClient) -> list[dict[str, Any]]:
    """Every recorded attempt, read from the database."""
    from sqlalchemy import select

    from service.extraction.store import attempts

    async with client.app.state.parts.database.read() as connection:
        rows = await connection.execute(select(attempts).order_by(attempts.c.id))
        return [dict(row._mapping) for row in rows]


async def test_inline_schema(client: httpx2.AsyncClient) -> None:
    """A document and a schema of one's own become a record, with who said so and what it cost."""
    answer = await client.post("/v1/extract", json=inline() | {"metadata": {"order": "4711"}})
    assert answer.status_code == 200, answer.text
    result = answer.json()
    assert result["data"] == {"invoice_number": "2026-0417", "total": 1280.5}
    assert result["status"] == "succeeded"
    assert result["metadata"] == {"order": "4711"}
    assert result["schema"]["name"] == "inline"
    assert result["provenance"]["engine"] == "sandbox"
    assert result["provenance"]["model"] == "gpt-4.1-mini-2025-04-14"
    assert [attempt["outcome"] for attempt in result["provenance"]["attempts"]] == ["accepted"]
    assert result["usage"]["input_tokens"] > 100
    (attempt,) = await attempts_of(client)
    usage = result["usage"]
    assert attempt["extraction_id"] == result["id"]
    assert attempt["cost_nano_usd"] == usage["input_tokens"] * 400 + usage["output_tokens"] * 1600
    assert attempt["request_id"] == result["provenance"]["attempts"][0]["request_id"]


async def test_the_three_forms_agree(client: httpx2.AsyncClient) -> None:
    """Raw body, multipart and JSON give the same record."""
    raw = await client.post(
        "/v1/extract/order", content=TEXT.encode(), headers={"content-type": "text/plain"}
    )
    form = await client.post(
        "/v1/extract/order", files={"file": ("invoice.txt", TEXT.encode(), "text/plain")}
    )
    text = await client.post("/v1/extract/order", json={"input": {"text": TEXT}})
    coded = {"base64": base64.b64encode(TEXT.encode()).decode(), "media_type": "text/plain"}
    encoded = await client.post("/v1/extract/order@1", json={"input": coded})
    answers = [raw, form, text, encoded]
    assert [answer.status_code for answer in answers] == [200] * 4, [answer.text for answer in answers]
    assert all(answer.json()["data"] == raw.json()["data"] for answer in answers)
    assert raw.json()["data"]["invoice_number"] == "2026-0417"


async def test_several_parts_make_one_document(client: httpx2.AsyncClient) -> None:
    """Parts are read in order, as pages of one document."""
    parts = [{"text": "Invoice number: 2026-0417"}, {"text": "Total: 1280.50"}]
    answer = await client.post("/v1/extract", json={"schema": SCHEMA, "inputs": parts})
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == {"invoice_number": "2026-0417", "total": 1280.5}
    assert answer.json()["document"]["pages"] == 2
    second = await client.post(
        "/v1/extract", json={"schema": SCHEMA, "inputs": parts, "options": {"pages": "9"}}
    )
    assert second.status_code == 400
    form = [
        ("file", ("a.txt", b"Invoice number: 2026-0417", "text/plain")),
        ("file", ("b.txt", b"Total: 1280.50", "text/plain")),
    ]
    multipart = await client.post("/v1/extract", files=form, data={"schema": json.dumps(SCHEMA)})
    assert multipart.json()["data"] == answer.json()["data"]


@pytest.mark.parametrize(
    ("model", "status", "code", "outcome"),
    [
        ("sandbox-refusal", 422, "model_refused", "refused"),
        ("sandbox-truncate", 422, "output_truncated", "truncated"),
        ("sandbox-filter", 422, "content_filtered", "filtered"),
        ("sandbox-malformed", 502, "answer_malformed", "malformed"),
        ("sandbox-quota", 503, "provider_quota", "failed:quota"),
        ("sandbox-500", 502, "provider_error", "failed:server"),
        ("sandbox-502-html", 502, "provider_error", "failed:server"),
        ("sandbox-overloaded", 503, "provider_overloaded", "failed:overloaded"),
        ("sandbox-429", 503, "provider_rate_limited", "failed:rate"),
        ("sandbox-reset", 502, "provider_unreachable", "failed:connection"),
    ],
)
async def test_every_other_end_is_a_problem_of_its_own(
    client: httpx2.AsyncClient, model: str, status: int, code: str, outcome: str
) -> None:
    """What the model or the provider did is named; every attempt is recorded under the extraction's id."""
    answer = await client.post("/v1/extract", json=inline(model=model, max_attempts=1))
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    recorded = await attempts_of(client)
    assert [row["outcome"] for row in recorded] == [outcome]
    assert recorded[0]["extraction_id"] == answer.json()["extraction_id"]
    assert "2026-0417" not in answer.text
    if status == 503:
        assert int(answer.headers["retry-after"]) >= 1


async def test_retries_are_attempts(client: httpx2.AsyncClient) -> None:
    """A rate limit that passes costs attempts and not the record."""
    answer = await client.post("/v1/extract", json=inline(model="sandbox-429-2"))
    assert answer.status_code == 200, answer.text
    outcomes = [attempt["outcome"] for attempt in answer.json()["provenance"]["attempts"]]
    assert outcomes == ["failed:rate", "failed:rate", "accepted"]
    assert [row["outcome"] for row in await attempts_of(client)] == outcomes


async def test_a_record_that_breaks_the_schema_is_refused(client: httpx2.AsyncClient) -> None:
    """What strict mode cannot hold is checked afterwards; the finding says where, without the value."""
    schema = {
        "type": "object",
        "properties": {"total": {"type": "number", "not": {"const": 1280.5}}},
        "required": ["total"],
    }
    answer = await client.post("/v1/extract", json=inline(schema=schema, max_attempts=1))
    assert (answer.status_code, answer.json()["code"]) == (422, "record_invalid")
    assert answer.json()["errors"] == [{"pointer": "/total", "detail": "the schema's `not` is not met"}]
    assert [row["outcome"] for row in await attempts_of(client)] == ["invalid"]


async def test_the_deadline_bounds_the_request(client: httpx2.AsyncClient) -> None:
    """A provider that hangs ends in a 504 in time, and the attempt is recorded."""
    started = asyncio.get_running_loop().time()
    answer = await client.post("/v1/extract", json=inline(model="sandbox-hang", deadline_s=0.5))
    assert asyncio.get_running_loop().time() - started < 3
    assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
    assert [row["outcome"] for row in await attempts_of(client)] == ["failed:deadline"]


async def test_the_money_cap_is_checked_before_the_call(client: httpx2.AsyncClient) -> None:
    """A worst case above the cap is a 402 that names the sum; nothing is sent. That sum is then enough."""
    answer = await client.post("/v1/extract", json=inline(max_cost_usd="0.000001"))
    assert (answer.status_code, answer.json()["code"]) == (402, "max_cost_exceeded")
    assert await attempts_of(client) == []
    needed = answer.json()["worst_case_usd"]
    answer = await client.post("/v1/extract", json=inline(max_cost_usd=needed))
    assert answer.status_code == 200
    assert float(answer.json()["usage"]["cost_usd"]) <= float(needed)


async def test_stored_results(client: httpx2.AsyncClient) -> None:
    """Results asked for with `store` are listed newest first, shown as answered, and deleted; attempts stay."""
    results = [(await client.post("/v1/extract", json=inline(store=True))).json() for _ in range(3)]
    await client.post("/v1/extract", json=inline())
    page = (await client.get("/v1/extractions", params={"limit": 2})).json()
    assert [item["id"] for item in page["extractions"]] == [results[2]["id"], results[1]["id"]]
    rest = (await client.get("/v1/extractions", params={"limit": 2, "cursor": page["next_cursor"]})).json()
    assert [item["id"] for item in rest["extractions"]] == [results[0]["id"]]
    assert rest["next_cursor"] is None
    assert (await client.get("/v1/extractions", params={"schema": "invoice"})).json()["extractions"] == []
    path = f"/v1/extractions/{results[0]['id']}"
    assert (await client.get(path)).json() == results[0]
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).json()["code"] == "extraction_not_found"
    assert (await client.delete(path)).status_code == 404
    assert len(await attempts_of(client)) == 4


@pytest.mark.parametrize("id", ["nope", "ext_%00", "ext_" + "0" * 26, "ext_" + "x" * 200])
async def test_unknown_extractions(client: httpx2.AsyncClient, id: str) -> None:
    """An id that is not ours is a 404, whatever it holds."""
    answer = await client.get(f"/v1/extractions/{id}")
    assert (answer.status_code, answer.json()["code"]) == (404, "extraction_not_found")


async def test_on_postgres(sandbox: str, postgres: str) -> None:
    """The same service on the other database."""
    async with running(settings_for(sandbox, postgres)) as client:
        answer = await client.post("/v1/extract", json=inline(store=True))
        assert answer.status_code == 200, answer.text
        assert (await client.get(f"/v1/extractions/{answer.json()['id']}")).json() == answer.json()


DEEP = b'{"input": {"text": ' + b"[" * 20_000 + b"]" * 20_000 + b"}}"
BAD: list[tuple[str, Any, str, int, str]] = [
    ("not JSON", b"{", "", 400, "bad_request"),
    ("an array", b"[]", "", 400, "bad_request"),
    ("NaN", b'{"input": {"text": "x"}, "options": {"deadline_s": NaN}}', "", 400, "bad_request"),
    ("absurdly deep", DEEP, "", 400, "bad_request"),
    ("lone surrogate", b'{"input": {"text": "\\ud800"}}', "", 400, "bad_request"),
    ("no input", b"{}", "", 400, "bad_request"),
    ("both inputs", b'{"input": {"text": "x"}, "inputs": [{"text": "y"}]}', "", 400, "bad_request"),
    ("unknown member", b'{"input": {"text": "x"}, "zzz": 1}', "/zzz", 400, "bad_request"),
    ("unknown option", b'{"input": {"text": "x"}, "options": {"zzz": 1}}', "/options/zzz", 400, "option_not_served"),
    ("unknown evidence", b'{"input": {"text": "x"}, "options": {"evidence": "boxes"}}', "/options/evidence", 400, "bad_request"),
    ("cache", b'{"input": {"text": "x"}, "options": {"cache": true}}', "/options/cache", 400, "option_not_served"),
    ("bad deadline", b'{"input": {"text": "x"}, "options": {"deadline_s": -1}}', "/options/deadline_s", 400, "bad_request"),
    ("bad money", b'{"input": {"text": "x"}, "options": {"max_cost_usd": "a lot"}}', "/options/max_cost_usd", 400, "bad_request"),
    ("bad pages", b'{"input": {"text": "x"}, "options": {"pages": "3-1"}}', "/options/pages", 400, "bad_request"),
    ("unknown model", b'{"input": {"text": "x"}, "options": {"model": "gpt-4.1-minni"}}', "", 400, "unknown_model"),
    ("retired model", b'{"input": {"text": "x"}, "options": {"model": "gpt-4-turbo"}}', "", 400, "model_retired"),
    ("bad base64", b'{"input": {"base64": "%%%"}}', "/input/base64", 400, "bad_request"),
    ("empty text", b'{"input": {"text": ""}}', "", 422, "document_empty"),
    ("blank text", b'{"input": {"text": "  \\n "}}', "", 422, "document_empty"),
    ("schema on a named path", b'{"schema": {}, "input": {"text": "x"}}', "/schema", 400, "bad_request"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "pointer", "status", "code"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
async def test_bad_json(
    client: httpx2.AsyncClient, body: bytes, pointer: str, status: int, code: str
) -> None:
    """A bad request is a 4xx that names the place, and asks no model."""
    answer = await client.post(
        "/v1/extract/invoice", content=body, headers={"content-type": "application/json"}
    )
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["request_id"] == answer.headers["x-request-id"]
    if pointer:
        assert pointer in [fault["pointer"] for fault in problem["errors"]], problem
    assert await attempts_of(client) == []


@pytest.mark.parametrize("schema", ["{}", 5, None, []], ids=repr)
async def test_a_schema_that_is_none(client: httpx2.AsyncClient, schema: Any) -> None:
    """A schema is an object or a boolean; anything else is a 422 that says so."""
    answer = await client.post("/v1/extract", json=inline(schema=schema))
    assert (answer.status_code, answer.json()["code"]) == (422, "schema_invalid")
    assert answer.json()["errors"][0]["pointer"] == "/schema"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/none"}}, "required": ["a"]},
        {"$ref": "#"},
        {"properties": 5},
        {
            "type": "object",
            "properties": {"a": {"$ref": "http://127.0.0.1:1/schema.json"}},
            "required": ["a"],
        },
        False,
    ],
    ids=lambda schema: json.dumps(schema)[:60],
)
async def test_a_schema_that_cannot_be_met(client: httpx2.AsyncClient, schema: Any) -> None:
    """An invalid or unsatisfiable schema is a 422 before anything is sent."""
    answer = await client.post("/v1/extract", json=inline(schema=schema))
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] in ("schema_refused", "schema_invalid")
    assert answer.json()["errors"]
    assert await attempts_of(client) == []


async def test_explosive_schemas_are_refused_quickly(client: httpx2.AsyncClient) -> None:
    """Alternatives that double with every reference neither hang the service nor reach the model."""
    defs: dict[str, Any] = {f"a{i}": {"anyOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(40)}
    schema = {
        "$defs": {**defs, "a40": {"type": "string", "minLength": 3}},
        "type": "object",
        "properties": {"x": {"$ref": "#/$defs/a0"}},
    }
    async with asyncio.timeout(20):
        answer = await client.post("/v1/extract", json=inline(schema=schema))
    assert answer.status_code in (200, 422)


async def test_patterns_cannot_stall_the_service(client: httpx2.AsyncClient) -> None:
    """A pattern that backtracks for hours on other engines is answered at once."""
    schema = {
        "type": "object",
        "properties": {"word": {"type": "string", "pattern": "^(a+)+$"}},
        "required": ["word"],
    }
    async with asyncio.timeout(20):
        answer = await client.post("/v1/extract", json=inline(f"word: {'a' * 60}!", schema))
    assert answer.status_code in (200, 422)


async def test_unknown_schemas_are_named_with_their_neighbours(client: httpx2.AsyncClient) -> None:
    """A typo is answered with the near names."""
    for name, wanted in (
        ("invoise", "`invoice`"),
        ("purchase-order", "`purchase_order`"),
        ("invoice@7", "version 1"),
    ):
        answer = await client.post(f"/v1/extract/{name}", json={"input": {"text": "x"}})
        assert (answer.status_code, answer.json()["code"]) == (404, "schema_not_found")
        assert wanted in answer.json()["detail"]
    answer = await client.post("/v1/extract/invoice@!", json={"input": {"text": "x"}})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"prefer": "respond-async, wait=5"}, 400, "option_not_served"),
        ({"accept": "text/xml"}, 406, "not_acceptable"),
        ({"content-type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
        ({"content-type": "image/svg+xml"}, 415, "unsupported_media_type"),
        ({"content-type": "multipart/form-data"}, 400, "bad_request"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_headers_that_are_not_served(
    client: httpx2.AsyncClient, headers: dict[str, str], status: int, code: str
) -> None:
    """What a caller would rely on is refused by name."""
    body = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    answer = await client.post(
        "/v1/extract/invoice", content=body, headers={"content-type": "text/plain"} | headers
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


@pytest.mark.parametrize(
    ("query", "status"),
    [("?pages=1", 200), ("?zzz=1", 400), ("?pages=1&pages=2", 400), ("?store=maybe", 400), ("?store=true", 200), ("?deadline_s=30", 200),
     ("?max_attempts=x", 400), ("?evidence=off", 200), ("?max_cost_usd=1", 200)],
)  # fmt: skip
async def test_options_in_the_query(client: httpx2.AsyncClient, query: str, status: int) -> None:
    """Raw bodies take the same options in the query."""
    answer = await client.post(
        f"/v1/extract/order{query}", content=TEXT.encode(), headers={"content-type": "text/plain"}
    )
    assert answer.status_code == status, answer.text


async def test_an_option_given_twice(client: httpx2.AsyncClient) -> None:
    """Body and query must not disagree silently."""
    answer = await client.post("/v1/extract?store=true", json=inline(store=False))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/options/store"


@pytest.mark.parametrize(
    ("form", "pointer"),
    [
        ({"data": {"options": "{}"}, "files": {"other": ("a", b"x")}}, "/file"),
        ({"data": {"zzz": "1"}, "files": {"file": ("a.txt", b"x", "text/plain")}}, "/zzz"),
        ({"data": {"options": "{"}, "files": {"file": ("a.txt", b"x", "text/plain")}}, "/options"),
        ({"data": {"metadata": "[]"}, "files": {"file": ("a.txt", b"x", "text/plain")}}, "/metadata"),
    ],
    ids=["no file", "unknown part", "bad options", "bad metadata"],
)
async def test_bad_forms(client: httpx2.AsyncClient, form: dict[str, Any], pointer: str) -> None:
    """A form's faults are named by part."""
    answer = await client.post("/v1/extract/invoice", **form)
    assert answer.status_code == 400, answer.text
    assert pointer in [fault["pointer"] for fault in answer.json()["errors"]] or pointer == "/file"


async def asked(sandbox: str) -> int:
    """How many requests the provider has seen."""
    async with httpx2.AsyncClient(timeout=60) as books:
        report = (await books.get(f"{sandbox.removesuffix('/v1')}/__sandbox/ledger")).json()
    return sum(entry["path"].endswith("/responses") for entry in report["requests"])


async def test_a_caller_that_hangs_up_is_still_accounted(client: httpx2.AsyncClient, sandbox: str) -> None:
    """The attempt of a cancelled request is in the database."""
    before = await asked(sandbox)
    task = asyncio.create_task(client.post("/v1/extract", json=inline(model="sandbox-slow-60s")))
    while await asked(sandbox) == before:
        assert not task.done()
        await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(300):
        if recorded := await attempts_of(client):
            break
        await asyncio.sleep(0.1)
    assert [row["outcome"] for row in recorded] == ["failed:cancelled"]


async def test_image(client: httpx2.AsyncClient, tmp_path: Path) -> None:
    """A picture goes to the model as a picture: every member that may be absent is."""
    from PIL import Image

    Image.new("RGB", (64, 64), "white").save(tmp_path / "scan.png")
    schema = {"type": "object", "properties": {"total": {"type": ["number", "null"]}}, "required": ["total"]}
    data = base64.b64encode((tmp_path / "scan.png").read_bytes()).decode()
    answer = await client.post(
        "/v1/extract", json={"schema": schema, "input": {"base64": data, "media_type": "image/png"}}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == {"total": None}
    assert answer.json()["document"]["media_type"] == "image/png"
    text = await client.post(
        "/v1/extract",
        json={
            "schema": schema,
            "input": {"base64": data, "media_type": "image/png"},
            "options": {"policy": "text"},
        },
    )
    assert text.status_code == 400
