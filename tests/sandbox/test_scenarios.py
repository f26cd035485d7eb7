"""Scenarios: model names that misbehave in one documented way."""

import json
from typing import Any

import httpx2
import pytest
from openai import APIConnectionError, AsyncOpenAI, RateLimitError

from service.sandbox import Settings
from service.sandbox.scenarios import Rehearsal, parse
from tests.sandbox.conftest import NOON, Served, body, client_for


async def _made(client: httpx2.AsyncClient, model: str, **changes: Any) -> Any:
    answer = await client.post("/v1/responses", json=body(model, **changes))
    assert answer.status_code == 200
    return answer.json()


async def test_refusal_is_completed_with_a_refusal_part(client: httpx2.AsyncClient, contract: Any) -> None:
    """`sandbox-refusal` has status completed and no text."""
    made = await _made(client, "sandbox-refusal")
    contract("Response", made)
    assert made["status"] == "completed"
    assert made["model"] == "sandbox-refusal"
    assert made["output"][0]["content"] == [
        {"type": "refusal", "refusal": "I'm sorry, but I can't help with that request."}
    ]


@pytest.mark.parametrize(
    ("model", "reason"),
    [("sandbox-truncate", "max_output_tokens"), ("sandbox-filter", "content_filter")],
)
async def test_incomplete_answers_stop_early(
    client: httpx2.AsyncClient, contract: Any, model: str, reason: str
) -> None:
    """Truncated and filtered answers are incomplete, with the reason and partial text."""
    made = await _made(client, model)
    contract("Response", made)
    assert made["status"] == "incomplete"
    assert made["incomplete_details"] == {"reason": reason}
    assert made["usage"]["output_tokens"] > 0


async def test_malformed_is_completed_but_no_json(client: httpx2.AsyncClient) -> None:
    """`sandbox-malformed` claims success and sends broken text."""
    made = await _made(client, "sandbox-malformed")
    assert made["status"] == "completed"
    with pytest.raises(json.JSONDecodeError):
        json.loads(made["output"][0]["content"][0]["text"])


async def test_failed_is_a_failed_response(client: httpx2.AsyncClient, contract: Any) -> None:
    """`sandbox-failed` is HTTP 200 with status failed and an error."""
    made = await _made(client, "sandbox-failed")
    contract("Response", made)
    assert made["error"]["code"] == "server_error"
    assert made["usage"] is None


@pytest.mark.parametrize(
    ("model", "status", "type", "code"),
    [
        ("sandbox-429", 429, "requests", "rate_limit_exceeded"),
        ("sandbox-quota", 429, "insufficient_quota", "insufficient_quota"),
        ("sandbox-401", 401, "invalid_request_error", "invalid_api_key"),
        ("sandbox-500", 500, "server_error", "server_error"),
        ("sandbox-overloaded", 503, "service_unavailable_error", "server_is_overloaded"),
    ],
)
async def test_faults_answer_in_the_error_envelope(
    client: httpx2.AsyncClient, contract: Any, model: str, status: int, type: str, code: str
) -> None:
    """Each fault has its status, type and code."""
    answer = await client.post("/v1/responses", json=body(model))
    assert answer.status_code == status
    contract("ErrorResponse", answer.json())
    assert answer.json()["error"]["type"] == type
    assert answer.json()["error"]["code"] == code


_RETIRED = "has been deprecated, learn more here: https://platform.openai.com/docs/deprecations"
BODIES: dict[str, tuple[str, str, dict[str, Any], int, dict[str, str | None]]] = {
    "no key": ("POST", "/v1/responses", {"key": ""}, 401, {
        "message": "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
        "(i.e. Authorization: Bearer YOUR_KEY). You can obtain an API key from https://platform.openai.com/account/api-keys.",
        "type": "invalid_request_error", "param": None, "code": None}),
    "quota": ("POST", "/v1/responses", {"model": "sandbox-quota"}, 429, {
        "message": "You exceeded your current quota, please check your plan and billing details. For more information on this "
        "error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
        "type": "insufficient_quota", "param": None, "code": "insufficient_quota"}),
    "rate": ("POST", "/v1/responses", {"model": "sandbox-429"}, 429, {
        "message": "Rate limit reached for sandbox-429 in organization org-sandbox on requests per min (RPM): Limit 500, Used 500, "
        "Requested 1. Please try again in 120ms. Visit https://platform.openai.com/account/rate-limits to learn more.",
        "type": "requests", "param": None, "code": "rate_limit_exceeded"}),
    "server": ("POST", "/v1/responses", {"model": "sandbox-500"}, 500, {
        "message": "The server had an error while processing your request. Sorry about that!",
        "type": "server_error", "param": None, "code": "server_error"}),
    "overloaded": ("POST", "/v1/responses", {"model": "sandbox-overloaded"}, 503, {
        "message": "The model is currently overloaded. Please try again later.",
        "type": "service_unavailable_error", "param": None, "code": "server_is_overloaded"}),
    "retired": ("POST", "/v1/responses", {"model": "gpt-4-turbo"}, 404, {
        "message": f"The model `gpt-4-turbo` {_RETIRED}",
        "type": "invalid_request_error", "param": None, "code": "model_not_found"}),
    "retired, by chat": ("POST", "/v1/chat/completions", {"model": "gpt-4-turbo"}, 404, {
        "message": f"The model `gpt-4-turbo` {_RETIRED}",
        "type": "invalid_request_error", "param": None, "code": "model_not_found"}),
    "unknown model, by chat": ("POST", "/v1/chat/completions", {"model": "gpt-nope"}, 404, {
        "message": "The model `gpt-nope` does not exist or you do not have access to it.",
        "type": "invalid_request_error", "param": None, "code": "model_not_found"}),
    "unknown response": ("GET", "/v1/responses/resp_none", {}, 404, {
        "message": "Response with id 'resp_none' not found.",
        "type": "invalid_request_error", "param": None, "code": None}),
    "unknown batch": ("GET", "/v1/batches/batch_none", {}, 404, {
        "message": "No batch found with id 'batch_none'.",
        "type": "invalid_request_error", "param": None, "code": None}),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
async def test_errors_have_the_exact_body(client: httpx2.AsyncClient, contract: Any, name: str) -> None:
    """Errors beyond the validator's (contract section 5) come with the contract's words, types and codes."""
    method, path, given, status, error = BODIES[name]
    headers = {"authorization": ""} if "key" in given else {}
    sent = None
    if method == "POST" and "chat" in path:
        sent = {"model": given["model"], "messages": [{"role": "user", "content": "x"}]}
    elif method == "POST":
        sent = body(given.get("model", "gpt-4.1-mini"))
    answer = await client.request(method, path, json=sent, headers=headers)
    contract("ErrorResponse", answer.json())
    assert (answer.status_code, answer.json()) == (status, {"error": error})


async def test_the_gateway_sends_html(client: httpx2.AsyncClient) -> None:
    """`sandbox-502-html` is a page, not an envelope."""
    answer = await client.post("/v1/responses", json=body("sandbox-502-html"))
    assert answer.status_code == 502
    assert answer.headers["content-type"].startswith("text/html")


async def test_counted_faults_end_per_request(client: httpx2.AsyncClient) -> None:
    """`sandbox-429-2` fails twice for each distinct request, then works and keeps working."""
    codes = [(await client.post("/v1/responses", json=body("sandbox-429-2"))).status_code for _ in range(4)]
    assert codes == [429, 429, 200, 200]
    other = body("sandbox-429-2", prompt_cache_key="another")
    assert (await client.post("/v1/responses", json=other)).status_code == 429


async def test_parts_compose(client: httpx2.AsyncClient) -> None:
    """Faults come first, then the shape; `@` borrows a real model."""
    codes = [
        (await client.post("/v1/responses", json=body("sandbox-500-1+refusal@gpt-6-luna"))) for _ in range(2)
    ]
    assert [answer.status_code for answer in codes] == [500, 200]
    assert codes[1].json()["output"][-1]["content"][0]["type"] == "refusal"
    assert codes[1].json()["usage"]["output_tokens_details"]["reasoning_tokens"] == 192


async def test_an_unknown_scenario_names_the_known_ones(client: httpx2.AsyncClient) -> None:
    """A misspelt scenario is 400 with the list."""
    answer = await client.post("/v1/responses", json=body("sandbox-refuse"))
    assert answer.status_code == 400
    assert "refusal" in answer.json()["error"]["message"]


def test_flaky_draws_are_the_same_in_every_run() -> None:
    """`flaky-20` fails about a fifth of attempts, and the same ones each time."""
    scenario = parse("sandbox-flaky-20")
    draws = [Rehearsal.failing(scenario, f"request-{n}", 1) for n in range(1_000)]
    assert 150 < sum(draw == "500" for draw in draws) < 250
    assert draws == [Rehearsal.failing(scenario, f"request-{n}", 1) for n in range(1_000)]


async def test_slow_waits() -> None:
    """`sandbox-slow-1s` takes a second, and settings add to it."""
    async with client_for(Settings(now=lambda: NOON, latency_s=0.05)) as client:
        answer = await client.post("/v1/responses", json=body("sandbox-slow-1s"))
    assert answer.elapsed.total_seconds() >= 1.0


@pytest.mark.parametrize("model", ["sandbox-reset", "sandbox-midstream"])
async def test_cut_connections_reach_the_client_as_such(served: Served, model: str) -> None:
    """Reset and midstream are connection errors to the real SDK."""
    async with AsyncOpenAI(api_key="sk-test", base_url=served.url, max_retries=0) as client:
        with pytest.raises(APIConnectionError):
            await client.responses.create(**body(model))


async def test_hang_outlasts_the_client(served: Served) -> None:
    """`sandbox-hang` ends only with the client's own timeout."""
    async with AsyncOpenAI(api_key="sk-test", base_url=served.url, max_retries=0, timeout=0.3) as client:
        with pytest.raises(APIConnectionError):
            await client.responses.create(**body("sandbox-hang"))


async def test_the_sdk_retries_what_is_retryable(served: Served) -> None:
    """The SDK's own retries get through two 429s and give up on three."""
    async with AsyncOpenAI(api_key="sk-test", base_url=served.url, max_retries=2) as client:
        made = await client.responses.create(**body("sandbox-429-2"))
        assert made.status == "completed"
        with pytest.raises(RateLimitError):
            await client.responses.create(**body("sandbox-429-3"))
