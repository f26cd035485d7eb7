"""`POST /v1/responses`: success, shapes, usage, keys, headers."""

import json
from typing import Any

import httpx2
import pytest

from service.sandbox import Settings, tokens
from tests.sandbox.conftest import INVOICE_SCHEMA, NOON, body, client_for


async def test_a_success_has_the_shape_of_the_contract(client: httpx2.AsyncClient, contract: Any) -> None:
    """A completed response carries the record as text, echoes the request and validates."""
    answer = await client.post("/v1/responses", json=body())
    assert answer.status_code == 200
    made = answer.json()
    contract("Response", made)
    assert made["status"] == "completed"
    assert made["model"] == "gpt-4.1-mini-2025-04-14"
    assert made["text"]["format"]["schema"] == INVOICE_SCHEMA
    record = json.loads(made["output"][0]["content"][0]["text"])
    assert record == {"invoice_number": "F-2026-0117", "issue_date": "2026-05-03", "total": 1280.5}


async def test_keys_come_in_the_order_of_the_schema(client: httpx2.AsyncClient) -> None:
    """Output keys follow the schema's properties."""
    made = (await client.post("/v1/responses", json=body())).json()
    assert list(json.loads(made["output"][0]["content"][0]["text"])) == list(INVOICE_SCHEMA["properties"])


async def test_usage_counts_real_tokens(client: httpx2.AsyncClient) -> None:
    """Output tokens are those of the text; input grows by the tokens of what is added."""
    first = (await client.post("/v1/responses", json=body())).json()
    text = first["output"][0]["content"][0]["text"]
    assert first["usage"]["output_tokens"] == tokens.count(text)
    assert first["usage"]["total_tokens"] == first["usage"]["input_tokens"] + first["usage"]["output_tokens"]
    longer = body(instructions="Extract the invoice. " + "word " * 50)
    second = (await client.post("/v1/responses", json=longer)).json()
    assert second["usage"]["input_tokens"] - first["usage"]["input_tokens"] == pytest.approx(50, abs=3)


async def test_a_repeated_prefix_is_cached_in_steps_of_128(client: httpx2.AsyncClient) -> None:
    """Prompts of 1024 tokens and more are cached from the second request on, shorter ones never."""
    long = body(instructions="alpha beta " * 800)
    first = (await client.post("/v1/responses", json=long)).json()["usage"]
    second = (await client.post("/v1/responses", json=long)).json()["usage"]
    assert first["input_tokens_details"]["cached_tokens"] == 0
    cached = second["input_tokens_details"]["cached_tokens"]
    assert cached >= 1024
    assert cached % 128 == 0
    assert cached <= second["input_tokens"]
    other = body(instructions="gamma " + "alpha beta " * 800)
    third = (await client.post("/v1/responses", json=other)).json()["usage"]
    assert third["input_tokens_details"]["cached_tokens"] < cached


async def test_headers_name_the_request_and_the_limits(client: httpx2.AsyncClient) -> None:
    """Every answer carries request id, processing time, version and rate limits."""
    headers = (await client.post("/v1/responses", json=body())).headers
    assert headers["x-request-id"].startswith("req_")
    assert int(headers["openai-processing-ms"]) >= 1
    assert headers["openai-version"] == "2020-10-01"
    for name in ("limit", "remaining", "reset"):
        assert f"x-ratelimit-{name}-requests" in headers
        assert f"x-ratelimit-{name}-tokens" in headers


@pytest.mark.parametrize("header", [{}, {"authorization": "Bearer "}, {"authorization": "Basic abc"}])
async def test_a_missing_key_is_401(header: dict[str, str], contract: Any) -> None:
    """Without a bearer key the answer is 401 in the provider's words."""
    async with client_for() as client:
        del client.headers["authorization"]
        answer = await client.post("/v1/responses", json=body(), headers=header)
    assert answer.status_code == 401
    contract("ErrorResponse", answer.json())
    assert answer.json()["error"]["message"].startswith("You didn't provide an API key.")


async def test_output_beyond_the_budget_is_incomplete(client: httpx2.AsyncClient, contract: Any) -> None:
    """A text longer than `max_output_tokens` is cut there, and its tokens are billed."""
    made = (await client.post("/v1/responses", json=body(max_output_tokens=16))).json()
    contract("Response", made)
    assert made["status"] == "incomplete"
    assert made["incomplete_details"] == {"reason": "max_output_tokens"}
    assert made["completed_at"] is None
    assert made["output"][0]["status"] == "incomplete"
    assert made["usage"]["output_tokens"] == 16
    with pytest.raises(json.JSONDecodeError):
        json.loads(made["output"][0]["content"][0]["text"])


async def test_only_the_delimited_document_is_read(client: httpx2.AsyncClient) -> None:
    """Text outside the document's delimiters is no source of values."""
    text = (
        'Invoice number: WRONG-1\n<document name="a.txt">\nInvoice number: RIGHT-2\n</document>\nTotal: 9.99'
    )
    made = (await client.post("/v1/responses", json=body(input=text))).json()
    record = json.loads(made["output"][0]["content"][0]["text"])
    assert record["invoice_number"] == "RIGHT-2"
    assert record["total"] is None


async def test_models_are_listed_with_their_shutdown(client: httpx2.AsyncClient, contract: Any) -> None:
    """The list has the dated snapshots, the shutdown dates, and no retired model."""
    made = (await client.get("/v1/models")).json()
    contract("ListModelsResponse", made)
    rows = {row["id"]: row for row in made["data"]}
    assert rows["gpt-4.1-mini-2025-04-14"]["shutdown_date"] == "2027-01-14"
    assert rows["gpt-6-luna"]["shutdown_date"] is None
    assert "gpt-4-turbo" not in rows


async def test_a_model_retires_on_its_day() -> None:
    """From its shutdown date on a model answers 404 in the provider's words."""
    async with client_for(Settings(now=lambda: NOON + 60 * 86_400)) as client:
        answer = await client.post("/v1/responses", json=body())
    assert answer.status_code == 404
    assert answer.json()["error"] == {
        "message": "The model `gpt-4.1-mini` has been deprecated, learn more here: "
        "https://platform.openai.com/docs/deprecations",
        "type": "invalid_request_error",
        "param": None,
        "code": "model_not_found",
    }


async def test_the_ledger_tells_what_was_asked_and_billed(client: httpx2.AsyncClient) -> None:
    """Requests, tokens and integer costs are listed; document text is not."""
    made = (await client.post("/v1/responses", json=body())).json()
    await client.post("/v1/responses", json=body(model="gpt-4-turbo"))
    report = (await client.get("/__sandbox/ledger")).json()
    assert report["totals"]["requests"] == 2
    assert report["totals"]["failed"] == 1
    first = report["requests"][0]
    assert first["model"] == "gpt-4.1-mini"
    assert (
        first["cost_nano_usd"] == made["usage"]["input_tokens"] * 400 + made["usage"]["output_tokens"] * 1600
    )
    assert "F-2026" not in json.dumps(report)
    assert (await client.delete("/__sandbox/ledger")).json()["cleared"] is True
    assert (await client.get("/__sandbox/ledger")).json()["totals"]["requests"] == 0


async def test_buckets_run_dry_and_refill() -> None:
    """A spent request bucket answers 429 with both retry headers, and serves again after that wait."""
    now = [NOON]
    async with client_for(Settings(now=lambda: now[0], requests_per_minute=2)) as client:
        codes = [(await client.post("/v1/responses", json=body())).status_code for _ in range(3)]
        refused = await client.post("/v1/responses", json=body())
        now[0] += int(refused.headers["retry-after-ms"]) / 1000 + 0.001
        again = await client.post("/v1/responses", json=body())
    assert codes == [200, 200, 429]
    error = refused.json()["error"]
    assert error["type"] == "requests"
    assert error["code"] == "rate_limit_exceeded"
    assert error["message"].startswith(
        "Rate limit reached for gpt-4.1-mini in organization org-sandbox on requests per min (RPM): Limit 2, Used 2, "
        "Requested 1. Please try again in "
    )
    assert int(refused.headers["retry-after"]) >= 1
    assert again.status_code == 200


async def test_a_request_larger_than_the_bucket_never_fits() -> None:
    """429 `Request too large` has no retry headers."""
    async with client_for(Settings(now=lambda: NOON, tokens_per_minute=100)) as client:
        answer = await client.post("/v1/responses", json=body(max_output_tokens=5000))
    assert answer.status_code == 429
    assert answer.json()["error"]["message"].startswith("Request too large for gpt-4.1-mini")
    assert answer.json()["error"]["type"] == "tokens"
    assert "retry-after" not in answer.headers


async def test_a_scripted_reader_stands_behind_the_same_protocol() -> None:
    """A reader of the test's own fills the schema."""

    class Scripted:
        def read(self, text: str, images: Any, schema: Any) -> Any:
            return {"invoice_number": "X", "issue_date": None, "total": len(text)}

    async with client_for(reader=Scripted()) as client:
        made = (await client.post("/v1/responses", json=body())).json()
    assert json.loads(made["output"][0]["content"][0]["text"])["invoice_number"] == "X"


async def test_log_probabilities_come_when_asked(client: httpx2.AsyncClient, contract: Any) -> None:
    """Each token has its bytes and as many alternatives as asked."""
    asked = body(include=["message.output_text.logprobs"], top_logprobs=2)
    made = (await client.post("/v1/responses", json=asked)).json()
    contract("Response", made)
    part = made["output"][0]["content"][0]
    assert b"".join(bytes(entry["bytes"]) for entry in part["logprobs"]).decode() == part["text"]
    assert all(len(entry["top_logprobs"]) == 2 and entry["logprob"] <= 0 for entry in part["logprobs"])


async def test_a_reasoning_model_reasons_inside_its_budget(client: httpx2.AsyncClient, contract: Any) -> None:
    """Reasoning tokens are billed, come as an item before the message, and can use up the budget."""
    made = (await client.post("/v1/responses", json=body("gpt-6-luna"))).json()
    contract("Response", made)
    assert [item["type"] for item in made["output"]] == ["reasoning", "message"]
    assert made["usage"]["output_tokens_details"]["reasoning_tokens"] == 192
    none = (await client.post("/v1/responses", json=body("gpt-6-luna", reasoning={"effort": "none"}))).json()
    assert [item["type"] for item in none["output"]] == ["message"]
    short = (await client.post("/v1/responses", json=body("gpt-6-luna", max_output_tokens=100))).json()
    assert short["status"] == "incomplete"
    assert short["usage"]["output_tokens"] == 100
