"""What a caller is told when a call failed. The provider's own words stay in the logs: they may quote the document."""

from service.foundation.errors import (
    DeadlineExceeded,
    Overloaded,
    RateLimited,
    Unavailable,
    Unprocessable,
    UpstreamBroken,
    WinnowError,
)
from service.upstream.call import Failed, FailureKind


class ProviderError(UpstreamBroken):
    """The provider answered with a fault of its own, also after retries."""

    code = "provider_error"
    title = "The provider failed"
    hint = "Retry later; the attempts are recorded."


class ProviderProtocol(UpstreamBroken):
    """The provider's answer is not what its contract allows."""

    code = "provider_protocol"
    title = "The provider broke its protocol"
    hint = "Check the base URL and what stands between the service and the provider."


class ProviderUnreachable(UpstreamBroken):
    """No connection to the provider, or one that broke."""

    code = "provider_unreachable"
    title = "The provider cannot be reached"
    hint = "Check the network and the base URL, then retry."


class RequestRejected(UpstreamBroken):
    """The provider refuses our request for a reason that the caller did not cause."""

    code = "request_rejected"
    title = "The provider rejected our request"
    retryable = False
    hint = "Report the `request_id`: the request we built is at fault."


class ProviderOverloaded(Unavailable):
    """The provider is overloaded, also after retries."""

    code = "provider_overloaded"
    title = "The provider is overloaded"
    hint = "Wait for the number of seconds in `Retry-After`, then retry."


class ProviderRateLimited(Unavailable):
    """Our rate limit at the provider is used up, and waiting would pass the deadline."""

    code = "provider_rate_limited"
    title = "The rate limit at the provider is used up"
    hint = "Wait for the number of seconds in `Retry-After`, then retry, or raise `deadline_s`."


class UpstreamThrottled(RateLimited):
    """As many requests wait for the provider's rate limit as can be served before this one's deadline."""

    code = "upstream_throttled"
    title = "Too many requests wait for the provider"
    hint = "Wait for the number of seconds in `Retry-After`, then retry, or raise `deadline_s`."


class ProviderQuota(Unavailable):
    """The provider account has no credit left, or reached a spending limit."""

    code = "provider_quota"
    title = "The provider account's quota is used up"
    hint = "The operator of this service must settle it with the provider."


class ProviderCredentials(Unavailable):
    """The provider does not accept our key."""

    code = "provider_credentials"
    title = "The provider does not accept our credentials"
    hint = "The operator of this service must check the provider key and its permissions."


class ModelUnavailable(Unavailable):
    """The provider does not offer this model to us, or no longer."""

    code = "model_unavailable"
    title = "The provider does not offer this model"
    retryable = False
    hint = "Choose another model; `GET /v1/models` lists those that are known and when each stops."


class ProviderTimeout(WinnowError):
    """The provider did not answer in time, also after retries."""

    code = "provider_timeout"
    title = "The provider did not answer in time"
    status = 504
    retryable = True
    hint = "Retry, send less of the document, or raise `deadline_s`."


class InputRejected(Unprocessable):
    """The provider refuses the document, the schema or the instructions."""

    code = "input_rejected"
    title = "The provider rejected the input"
    hint = "Change what the detail names: the image, the schema or the instructions."


class ContextExceeded(Unprocessable):
    """The input is larger than the model's context window, or than the rate limit lets one request be."""

    code = "context_exceeded"
    title = "The document is too large for the model"
    hint = "Send fewer pages, or choose a model with a larger context window."


_INPUT_FAULTS = {
    "invalid_prompt": "it objects to the text of the document or of the instructions",
    "invalid_json_schema": "it does not accept the strict form of the schema",
    "bio_policy": "its usage policy forbids this content",
    "misalignment_policy_violation": "its usage policy forbids this content",
    "image_content_policy_violation": "its usage policy forbids an image of the document",
    "invalid_image": "an image of the document is not valid",
    "invalid_image_format": "an image of the document is not PNG, JPEG, WEBP or GIF",
    "invalid_base64_image": "an image of the document is not valid",
    "image_too_large": "an image of the document is too large",
    "image_too_small": "an image of the document is too small",
    "image_parse_error": "an image of the document cannot be read",
    "image_file_too_large": "an image of the document is too large",
    "unsupported_image_media_type": "an image of the document is not PNG, JPEG, WEBP or GIF",
    "empty_image_file": "an image of the document is empty",
}


_TOLD: dict[FailureKind, tuple[type[WinnowError], str, float | None]] = {
    "connection": (ProviderUnreachable, "No answer came from the provider: the connection failed.", None),
    "timeout": (ProviderTimeout, "The provider did not answer in time.", None),
    "protocol": (
        ProviderProtocol,
        "The provider's answer could not be understood; it is not what its contract allows.",
        None,
    ),
    "context": (
        ContextExceeded,
        "The document and the schema are larger than the context window of the model.",
        None,
    ),
    "too_large": (
        ContextExceeded,
        "This one request is larger than the provider's rate limit allows in a minute.",
        None,
    ),
    "credentials": (ProviderCredentials, "The provider does not accept the key of this service.", 60),
    "quota": (
        ProviderQuota,
        "The provider account of this service has no credit left, or reached a spending limit.",
        60,
    ),
    "rate": (
        ProviderRateLimited,
        "The provider's rate limit is used up, and the wait it asks for does not fit.",
        10,
    ),
    "overloaded": (ProviderOverloaded, "The provider is overloaded, also after retries.", 10),
    "model": (
        ModelUnavailable,
        "The provider does not offer this model to the key of this service, or no longer.",
        None,
    ),
    "server": (ProviderError, "The provider failed, also after retries.", None),
    "throttled": (
        UpstreamThrottled,
        "The wait for the provider's rate limit would pass the deadline, or too many requests wait already.",
        10,
    ),
    "deadline": (DeadlineExceeded, "The deadline passed while waiting for the provider.", None),
    "cancelled": (Overloaded, "The request was cancelled.", 1),
}
"""For each kind of failure but ``rejected``: the error, our words for it, and a wait (s) where one is worth naming."""


def problem_for(failed: Failed) -> WinnowError:
    """The error that tells a caller about a failed call, in words of our own.

    ``members`` name the provider's HTTP status and code; neither quotes anything.
    """
    members: dict[str, object] = {"provider_status": failed.http_status, "provider_code": _safe(failed.code)}
    if failed.kind == "rejected":
        return _rejected(failed, members)
    error, detail, wait = _TOLD[failed.kind]
    return error(detail, members=members, retry_after=None if wait is None else failed.retry_after or wait)


def is_schema_fault(failed: Failed) -> bool:
    """Whether the provider objects to the schema. Some of its schema faults carry no code, only these words."""
    return failed.code == "invalid_json_schema" or failed.message.startswith("Invalid schema")


def _rejected(failed: Failed, members: dict[str, object]) -> WinnowError:
    reason = _INPUT_FAULTS.get("invalid_json_schema" if is_schema_fault(failed) else failed.code or "")
    if reason is not None:
        return InputRejected(f"The provider rejected the input: {reason}.", members=members)
    return RequestRejected(
        f"The provider answered {failed.http_status} to a request that this service built.", members=members
    )


def _safe(code: str | None) -> str | None:
    """A code is an identifier; anything else is not repeated."""
    return code if code is not None and code.isascii() and len(code) <= 64 and code.isidentifier() else None
