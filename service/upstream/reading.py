"""What an HTTP answer of the provider means: bytes to an ``Outcome``. Pure, and total: no answer makes it raise.

The rules are those of the provider's contract §1.4 and §5. Unknown members are ignored; what stands at an unexpected
place or has an unexpected type counts as absent.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from service.upstream.buckets import Kind
from service.upstream.call import (
    Failed,
    FailureKind,
    Filtered,
    Outcome,
    Refused,
    Text,
    Truncated,
    Usage,
)
from service.upstream.durations import retry_after
from service.upstream.headers import Seen, seen_in

Understood = tuple[Outcome, Usage, str | None]
"""Outcome, billed tokens, and the model that answered."""

Understand = Callable[[Mapping[str, Any], int], Understood]

NO_USAGE = Usage()
_MESSAGE_CHARS = 2_000

_QUOTA = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "billing_hard_limit_reached",
    }
)
_OVERLOADED = frozenset({"server_is_overloaded", "slow_down"})
_CODES: Mapping[str, FailureKind] = {
    **dict.fromkeys(_QUOTA, "quota"),
    **dict.fromkeys(_OVERLOADED, "overloaded"),
    "rate_limit_exceeded": "rate",
    "context_length_exceeded": "context",
    "model_not_found": "model",
    "invalid_api_key": "credentials",
    "server_error": "server",
    "vector_store_timeout": "server",
}
"""What a code of the provider means wherever it turns up: in an error body, a failed response, a stream."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was understood. ``model`` is the snapshot that answered, None when the body names none."""

    outcome: Outcome
    usage: Usage = NO_USAGE
    model: str | None = None
    request_id: str | None = None
    http_status: int | None = None
    limits: Mapping[Kind, Seen] = field(default_factory=dict)
    """What the headers said of our rate limits."""

    @property
    def error_code(self) -> str | None:
        """The provider's code of a failure."""
        return self.outcome.code if isinstance(self.outcome, Failed) else None


def read(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime,
    understand_body: Understand | None = None,
) -> Answer:
    """The meaning of an HTTP answer. ``headers`` have lower-case names.

    ``understand_body`` reads the JSON object of a success; the default reads a Response.
    """
    value = parsed(body)
    usage, model = NO_USAGE, None
    outcome: Outcome
    if not 200 <= status < 300:
        outcome = _http_failure(status, headers, value, body, now)
    elif not isinstance(value, dict):
        kind = "an HTML page" if body.lstrip()[:1] == b"<" else "not a JSON object"
        outcome = Failed("protocol", f"the body of a {status} is {kind}", http_status=status)
    else:
        outcome, usage, model = (understand_body or understand)(value, status)
    return Answer(
        outcome,
        usage=usage,
        model=model,
        request_id=headers.get("x-request-id"),
        http_status=status,
        limits=seen_in(headers),
    )


def understand(value: Mapping[str, Any], http_status: int) -> Understood:
    """What a Response object says."""
    return response_outcome(value, http_status=http_status), usage_of(value), string(value.get("model"))


def response_outcome(response: Mapping[str, Any], *, http_status: int | None = None) -> Outcome:
    """What a Response object says: whole, refused, cut short, filtered, or failed."""
    status = response.get("status")
    if status == "failed" or isinstance(response.get("error"), dict):
        return _failed_response(response, http_status)
    message = _final_message(response)
    if status == "incomplete":
        return _incomplete(response, _answer_text(message), http_status)
    if status not in ("completed", None):  # compatible servers may leave it out
        return Failed("protocol", f"the response has the status {status!r}"[:200], http_status=http_status)
    refusal = _refusal(message)
    if refusal is not None:
        return Refused(refusal)
    text = _answer_text(message)
    if message.get("status") == "incomplete":
        return Truncated(text)
    if not text:
        return Failed("protocol", "the response is completed and holds no answer", http_status=http_status)
    return Text(
        text, token_chances(entry for part in _parts(message) for entry in listed(part.get("logprobs")))
    )


def usage_of(response: Mapping[str, Any]) -> Usage:
    """The billed tokens of a Response object; zeros where it has none."""
    usage = mapping(response.get("usage"))
    read_details = mapping(usage.get("input_tokens_details"))
    written_details = mapping(usage.get("output_tokens_details"))
    return Usage(
        input_tokens=tokens(usage.get("input_tokens")),
        cached_tokens=tokens(read_details.get("cached_tokens")),
        output_tokens=tokens(usage.get("output_tokens")),
        reasoning_tokens=tokens(written_details.get("reasoning_tokens")),
        cache_write_tokens=tokens(read_details.get("cache_write_tokens")),
    )


def failure_of(error: Any, *, http_status: int | None = None, default: FailureKind = "server") -> Failed:
    """An error object of the provider (``{code, message, type?, param?}``) that came without a status of its own."""
    members = mapping(error)
    code = string(members.get("code"))
    category = string(members.get("type"))
    kind = _CODES.get(code or "") or _CODES.get(category or "")
    if kind is None:
        # Codes such as invalid_prompt or image_too_large: the response failed because of what we sent.
        kind = "rejected" if code is not None and category != "server_error" else default
    return Failed(
        kind,
        (string(members.get("message")) or "")[:_MESSAGE_CHARS],
        http_status=http_status,
        code=code,
        param=string(members.get("param")),
    )


def _http_failure(status: int, headers: Mapping[str, str], value: Any, body: bytes, now: datetime) -> Failed:
    error = mapping(value).get("error", value)
    if isinstance(error, str):  # some compatible servers answer {"error": "…"}
        error = {"message": error}
    members = mapping(error)
    code = string(members.get("code"))
    category = string(members.get("type"))
    message = string(members.get("message")) or string(members.get("detail")) or ""
    if not isinstance(value, dict):
        message = "an HTML page" if body.lstrip()[:1] == b"<" else "a body that is not a JSON object"
    return Failed(
        _status_kind(status, code, category, message, is_json=isinstance(value, dict)),
        message[:_MESSAGE_CHARS],
        http_status=status,
        code=code,
        param=string(members.get("param")),
        retry_after=retry_after(headers, message, now=now)
        if status in (408, 409, 429) or status >= 500
        else None,
        should_retry={"true": True, "false": False}.get(headers.get("x-should-retry", "")),
    )


def _status_kind(
    status: int, code: str | None, category: str | None, message: str, *, is_json: bool
) -> FailureKind:
    if status == 429:
        return _too_many(code, category, message)
    if status >= 500:
        return "overloaded" if status == 503 or code in _OVERLOADED else "server"
    if status == 408:
        return "timeout"
    if status == 409:  # a lock at the provider: retried as its own fault
        return "server"
    if code in ("model_not_found", "context_length_exceeded"):
        return _CODES[code]
    if status in (401, 403):
        return "credentials"
    if status == 404:
        return "model" if "model" in message else "protocol"  # without a model: the base URL is wrong
    return "rejected" if is_json and status >= 400 else "protocol"


def _too_many(code: str | None, category: str | None, message: str) -> FailureKind:
    if code in _QUOTA or category in _QUOTA:
        return "quota"
    if message.startswith("Request too large"):
        return "too_large"
    return "overloaded" if code in _OVERLOADED else "rate"


def _failed_response(response: Mapping[str, Any], http_status: int | None) -> Failed:
    error = response.get("error")
    if not isinstance(error, dict):
        return Failed("server", "the response failed and gives no reason", http_status=http_status)
    return failure_of(error, http_status=http_status)


def _incomplete(response: Mapping[str, Any], text: str, http_status: int | None) -> Outcome:
    reason = mapping(response.get("incomplete_details")).get("reason")
    if reason == "max_output_tokens":
        return Truncated(text)
    if reason == "content_filter":
        return Filtered()
    return Failed(
        "protocol", f"the response is incomplete for the reason {reason!r}"[:200], http_status=http_status
    )


def _final_message(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """The last item that is an answer: a message (commentary aside) or the call of the function we offered.

    Reasoning and whatever else newer models put beside it are skipped.
    """
    output = response.get("output")
    if not isinstance(output, list):
        return {}
    for item in reversed(output):
        if not isinstance(item, dict):
            continue
        if item.get("type") == "function_call":
            return item
        if item.get("type") == "message" and item.get("phase") != "commentary":
            return item
    return {}


def _answer_text(item: Mapping[str, Any]) -> str:
    if item.get("type") == "function_call":
        return string(item.get("arguments")) or ""
    return "".join(
        part["text"]
        for part in _parts(item)
        if part.get("type") == "output_text" and isinstance(part.get("text"), str)
    )


def token_chances(entries: Iterable[Any]) -> tuple[tuple[bytes, float], ...]:
    """Tokens and their log-probabilities; none at all where any entry is of another form."""
    found: list[tuple[bytes, float]] = []
    for entry in entries:
        members = mapping(entry)
        token, chance, raw = members.get("token"), members.get("logprob"), members.get("bytes")
        if not isinstance(token, str) or not isinstance(chance, int | float) or isinstance(chance, bool):
            return ()
        try:
            spelled = bytes(raw) if isinstance(raw, list) else token.encode("utf-8", "surrogatepass")
        except (TypeError, ValueError):
            return ()
        found.append((spelled, float(chance)))
    return tuple(found)


def listed(value: Any) -> list[Any]:
    """The list that stands here; an empty one where something else does."""
    return value if isinstance(value, list) else []


def _refusal(item: Mapping[str, Any]) -> str | None:
    for part in _parts(item):
        if part.get("type") == "refusal":
            return string(part.get("refusal")) or ""
    return None


def _parts(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = item.get("content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def parsed(body: bytes) -> Any:
    """The value of a JSON body; None when it is none."""
    # Not jsontext: its walk for depth costs 60 µs here, and the envelope's members are few and checked one by one.
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def mapping(value: Any) -> Mapping[str, Any]:
    """The object that stands here; an empty one where something else does."""
    return value if isinstance(value, dict) else {}


def string(value: Any) -> str | None:
    """The text that stands here; a number is taken for its digits, as some servers' error codes are numbers."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def tokens(value: Any) -> int:
    """The number of tokens that stands here; 0 where something else does."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
