"""What an answer of the provider means."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.upstream.call import Failed, Filtered, Outcome, Refused, Text, Truncated, Usage
from service.upstream.reading import read, response_outcome
from tests.upstream.provider import error, message, response, text

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
REASONING = {"id": "rs_1", "type": "reasoning", "summary": []}


def outcome(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Outcome:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read(status, headers or {}, raw, now=NOW).outcome


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (response(message(text('{"a":1}'))), Text('{"a":1}')),
        (response(REASONING, message(text("{}"))), Text("{}")),
        (response(message(text("{"), text("}"))), Text("{}")),
        (
            response(
                message(text("thinking"), phase="commentary"), message(text("{}"), phase="final_answer")
            ),
            Text("{}"),
        ),
        (response(message(text("{}")), message(text("more"), phase="commentary")), Text("{}")),
        (response({"type": "new_kind"}, message(text("{}")), "odd"), Text("{}")),
        (response({"type": "function_call", "name": "invoice", "arguments": "{}"}), Text("{}")),
        (response(message(text("{}")), status=None), Text("{}")),
        (response(message({"type": "refusal", "refusal": "I cannot."})), Refused("I cannot.")),
        (response(message(text(""), {"type": "refusal", "refusal": ""})), Refused("")),
        (
            response(
                message(text('{"a'), status="incomplete"),
                status="incomplete",
                incomplete_details={"reason": "max_output_tokens"},
            ),
            Truncated('{"a'),
        ),
        (
            response(REASONING, status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
            Truncated(""),
        ),
        (response(message(text('{"a'), status="incomplete")), Truncated('{"a')),
        (response(status="incomplete", incomplete_details={"reason": "content_filter"}), Filtered()),
        (
            response(
                message(text("{")), status="incomplete", incomplete_details={"reason": "content_filter"}
            ),
            Filtered(),
        ),
    ],
)
def test_a_response_becomes_an_outcome(body: Any, expected: Outcome) -> None:
    """Items are found by type, not by place; refusals are completed; the reason of an incomplete one decides."""
    assert outcome(body) == expected


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (response(status="failed", error={"code": "server_error", "message": "x"}), "server", "server_error"),
        (response(status="failed", error={"code": "rate_limit_exceeded", "message": "x"}), "rate", None),
        (
            response(status="failed", error={"code": "server_is_overloaded", "message": "x"}),
            "overloaded",
            None,
        ),
        (response(status="failed", error={"code": "slow_down", "message": "x"}), "overloaded", None),
        (response(status="failed", error={"code": "insufficient_quota", "message": "x"}), "quota", None),
        (response(status="failed", error={"code": "invalid_prompt", "message": "x"}), "rejected", None),
        (response(status="failed", error={"code": "image_too_large", "message": "x"}), "rejected", None),
        (response(status="failed", error=None), "server", None),
        (response(status="failed", error={"message": 7}), "server", None),
        (response(status="queued"), "protocol", None),
        (response(status=["odd"]), "protocol", None),
        (response(), "protocol", None),
        (response(message()), "protocol", None),
        (response(message(text(""))), "protocol", None),
        (response(message(text("{}"), content=None)), "protocol", None),
        (response(status="incomplete"), "protocol", None),
        (response(status="incomplete", incomplete_details={"reason": "steered"}), "protocol", None),
        (response(output="text"), "protocol", None),
        (b"<html>gateway</html>", "protocol", None),
        (b"", "protocol", None),
        (b"[]", "protocol", None),
        (b'{"status": NaN}', "protocol", None),
        (b"[" * 100_000, "protocol", None),
        (b"\xff\xfe", "protocol", None),
    ],
)
def test_what_is_no_answer_is_a_failure(body: Any, kind: str, code: str | None) -> None:
    """Failed responses by their code; everything that the contract does not allow is a protocol failure."""
    failed = outcome(body)
    assert isinstance(failed, Failed)
    assert failed.kind == kind
    assert failed.http_status == 200
    if code is not None:
        assert failed.code == code


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error("Invalid type for 'x'", code="invalid_type", param="x"), "rejected"),
        (400, error("Your input exceeds the context window", code="context_length_exceeded"), "context"),
        (400, error("The requested model 'x' does not exist.", code="model_not_found"), "model"),
        (400, b"<html>bad</html>", "protocol"),
        (401, error("Incorrect API key", code="invalid_api_key"), "credentials"),
        (401, b"", "credentials"),
        (
            403,
            error("region", type="request_forbidden", code="unsupported_country_region_territory"),
            "credentials",
        ),
        (403, error("no access to model", code="model_not_found"), "model"),
        (404, error("The model `x` does not exist", code="model_not_found"), "model"),
        (404, error("The model `gpt-4-turbo` has been deprecated, learn more here"), "model"),
        (404, b"<html>not here</html>", "protocol"),
        (404, {"detail": "Not Found"}, "protocol"),
        (408, b"", "timeout"),
        (409, error("locked"), "server"),
        (413, error("too big"), "rejected"),
        (422, error("odd"), "rejected"),
        (429, error("Rate limit reached", type="tokens", code="rate_limit_exceeded"), "rate"),
        (429, error("Request too large for gpt-4o", type="tokens", code="rate_limit_exceeded"), "too_large"),
        (429, error("quota", type="insufficient_quota", code="insufficient_quota"), "quota"),
        (429, error("quota", type="insufficient_quota"), "quota"),
        (429, error("spent", code="project_spend_limit_exceeded"), "quota"),
        (429, error("spent", code="credit_balance_exhausted"), "quota"),
        (429, error("slower", code="slow_down"), "overloaded"),
        (429, b"", "rate"),
        (500, error("oops", type="server_error"), "server"),
        (500, {"error": "a string"}, "server"),
        (502, b"<html>Bad Gateway</html>", "server"),
        (503, error("busy", type="service_unavailable_error", code="server_is_overloaded"), "overloaded"),
        (504, b"", "server"),
        (302, b"", "protocol"),
    ],
)
def test_http_failures_are_classified(status: int, body: Any, kind: str) -> None:
    """The table of the provider's contract §5."""
    failed = outcome(body, status)
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.http_status) == (kind, status)


@pytest.mark.parametrize(
    ("headers", "message", "seconds"),
    [
        ({"retry-after-ms": "84"}, "", 0.084),
        ({"retry-after-ms": "1500", "retry-after": "9"}, "", 1.5),
        ({"retry-after": "20"}, "", 20.0),
        ({"retry-after": "0.5"}, "", 0.5),
        ({"retry-after": "300"}, "", 300.0),
        ({"retry-after": "Fri, 20 Nov 2026 12:00:30 GMT"}, "", 30.0),
        ({"retry-after": "Fri, 20 Nov 2026 11:00:00 GMT"}, "", 0.0),
        ({"retry-after": "soon"}, "Please try again in 6m0s.", None),
        ({"retry-after": "nan"}, "", None),
        ({"retry-after-ms": "-3", "retry-after": "2"}, "", 2.0),
        ({}, "Please try again in 84ms. Visit", 0.084),
        ({}, "Please try again in 1m2.5s. Visit", 62.5),
        ({}, "no hint", None),
    ],
)
def test_the_wait_the_provider_asks_for(headers: dict[str, str], message: str, seconds: float | None) -> None:
    """Milliseconds, seconds, an HTTP date, or the words of the message."""
    failed = outcome(error(message, type="requests", code="rate_limit_exceeded"), 429, headers)
    assert isinstance(failed, Failed)
    assert failed.retry_after == (None if seconds is None else pytest.approx(seconds))


def test_the_envelope_is_read() -> None:
    """Usage, the snapshot that answered and the request id come with the outcome."""
    body = json.dumps(response(message(text("{}")))).encode()
    answer = read(200, {"x-request-id": "req_1"}, body, now=NOW)
    assert answer.usage == Usage(input_tokens=1412, cached_tokens=1280, output_tokens=27)
    assert (answer.model, answer.request_id, answer.http_status) == ("gpt-4.1-mini-2025-04-14", "req_1", 200)


@pytest.mark.parametrize(
    "usage", [None, [], {"input_tokens": "9", "output_tokens": -1, "input_tokens_details": 3}]
)
def test_missing_or_odd_usage_counts_as_none(usage: Any) -> None:
    """A provider that bills nothing readable is recorded with zeros."""
    answer = read(200, {}, json.dumps(response(message(text("{}")), usage=usage)).encode(), now=NOW)
    assert answer.usage == Usage()
    assert answer.outcome == Text("{}")


def test_a_provider_that_says_not_to_retry_is_heard() -> None:
    """``x-should-retry`` is kept with the failure."""
    failed = outcome(error("x"), 500, {"x-should-retry": "false"})
    assert isinstance(failed, Failed)
    assert failed.should_retry is False


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "content", "text", "refusal", "status", "phase", "arguments", "error"]),
            inner | st.sampled_from(["message", "output_text", "refusal", "incomplete", "function_call"]),
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    body=st.dictionaries(
        st.sampled_from(["status", "output", "error", "incomplete_details", "usage", "model"]), json_values
    )
)
def test_no_response_makes_reading_raise(body: dict[str, Any]) -> None:
    """Whatever stands in a body, it is an outcome."""
    response_outcome(body)
    for status in (200, 400, 404, 429, 500):
        read(status, {}, json.dumps(body).encode(), now=NOW)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(status=st.integers(100, 599), body=st.binary(max_size=200))
def test_no_bytes_make_reading_raise(status: int, body: bytes) -> None:
    """Whatever the bytes are, they are an outcome."""
    read(status, {}, body, now=NOW)
