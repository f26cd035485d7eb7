"""Every error that a caller can be told about.

The tree (status, code); features add their own leaves beside the code that raises them:

    WinnowError
    ├── BadRequest          400  the request itself is malformed
    ├── Unauthorized        401  no valid credential
    ├── MoneyCapped         402  the worst case does not fit under the caller's cap
    ├── NotFound            404
    ├── BodyTooSlow         408
    ├── Conflict            409
    ├── PayloadTooLarge     413
    ├── UnsupportedMedia    415
    ├── Unprocessable       422  this document or schema cannot become a valid record; do not retry
    ├── RateLimited         429  too often; wait and retry
    ├── HeadTooLarge        431
    ├── CallerGone          499  nobody is there to read it; for logs and metrics
    ├── UpstreamBroken      502  the provider failed or broke its protocol
    ├── Unavailable         503  overloaded, or our provider key or quota is the trouble
    └── DeadlineExceeded    504

Each leaf has a stable ``code``; one handler in ``app`` renders them all as RFC 9457 problems. Messages say what was
wrong and how to fix it. They never contain document content or secrets.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong at one place: a JSON Pointer (RFC 6901; ``""`` is the whole) and what to do about it.

    Where the place lies inside a document: ``part`` is which of its several parts, ``page`` which page of that part, both
    from 1.
    """

    pointer: str
    detail: str
    part: int | None = None
    page: int | None = None


class WinnowError(Exception):
    """Base of all errors that become a problem document.

    ``detail`` says what was wrong this time and how to fix it; ``errors`` names each faulty place; ``retry_after`` (in
    seconds) becomes the header of that name; ``members`` are extra members of the problem (RFC 9457 §3.2).
    """

    code: ClassVar[str]
    title: ClassVar[str]
    status: ClassVar[int]
    retryable: ClassVar[bool] = False
    hint: ClassVar[str] = ""
    """What a caller can do about it; shown on ``/problems/{code}``, and in problems that name no faulty place."""

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        retry_after: float | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after = retry_after
        self.members = dict(members or {})


def leaves(base: type[WinnowError] = WinnowError) -> Iterator[type[WinnowError]]:
    """Every error class that has a code of its own, in the order of definition."""
    for child in base.__subclasses__():
        if "code" in vars(child):
            yield child
        yield from leaves(child)


class BadRequest(WinnowError):
    """The request is malformed: syntax, unknown options, values out of range."""

    code = "bad_request"
    title = "The request is malformed"
    status = 400
    hint = "Correct the members named in `errors` and send the request again."


class Unauthorized(WinnowError):
    """No credential was sent, or not a valid one."""

    code = "unauthorized"
    title = "A valid API key is needed"
    status = 401
    hint = "Send `Authorization: Bearer <WINNOW_API_KEY>`."


class MoneyCapped(WinnowError):
    """The worst case of the next call does not fit under ``max_cost_usd``."""

    code = "max_cost_exceeded"
    title = "The worst case costs more than the cap allows"
    status = 402
    hint = "Raise `max_cost_usd`, choose a cheaper model, or send less of the document."


class NotFound(WinnowError):
    """Nothing lives at this address."""

    code = "not_found"
    title = "Not found"
    status = 404
    hint = "Check the path; `/docs` lists every operation."


class MethodNotAllowed(WinnowError):
    """The path exists, the method does not."""

    code = "method_not_allowed"
    title = "Method not allowed"
    status = 405
    hint = "Use one of the methods in the `Allow` header."


class BodyTooSlow(WinnowError):
    """The body came too slowly, or stopped coming."""

    code = "body_too_slow"
    title = "The request body came too slowly"
    status = 408
    retryable = True
    hint = "Send the request again over a better line; nothing was done."


class Conflict(WinnowError):
    """The state of the resource forbids it."""

    code = "conflict"
    title = "Conflict"
    status = 409


class PayloadTooLarge(WinnowError):
    """More bytes than the service accepts."""

    code = "payload_too_large"
    title = "The request body is too large"
    status = 413
    hint = "Send a smaller document; the limit stands in the detail."


class UnsupportedMedia(WinnowError):
    """A media type that the service does not read."""

    code = "unsupported_media_type"
    title = "Unsupported media type"
    status = 415
    hint = "Send one of the types listed in the detail."


class Unprocessable(WinnowError):
    """Base of what is well-formed and still cannot become a record. Sending it again does not help."""

    status = 422


class RateLimited(WinnowError):
    """Too many requests; wait for ``Retry-After`` seconds."""

    code = "rate_limited"
    title = "Too many requests"
    status = 429
    retryable = True
    hint = "Wait for the number of seconds in `Retry-After`, then retry."


class HeadTooLarge(WinnowError):
    """The request line and the headers are larger than the service reads."""

    code = "head_too_large"
    title = "The headers of the request are too large"
    status = 431
    hint = "Move options from the query into the body, and drop headers that the service does not need."


class CallerGone(WinnowError):
    """The connection ended before the body was there. Nobody reads this problem: it is for logs and metrics."""

    code = "caller_gone"
    title = "The caller went away"
    status = 499
    retryable = True
    hint = "Keep the connection open until the answer is there."


class Internal(WinnowError):
    """A fault of ours. It should never be seen; the request id finds it in the logs."""

    code = "internal_error"
    title = "A fault of ours"
    status = 500
    retryable = True
    hint = "Report the `request_id`."


class UpstreamBroken(WinnowError):
    """Base of: the provider failed, or broke its protocol."""

    status = 502
    retryable = True


class Unavailable(WinnowError):
    """Base of: the service cannot take this request now."""

    status = 503
    retryable = True


class Overloaded(Unavailable):
    """As many requests are in flight as this process accepts."""

    code = "overloaded"
    title = "The service is at its limit"
    hint = "Wait for the number of seconds in `Retry-After`, then retry."


class DeadlineExceeded(WinnowError):
    """The caller's ``deadline_s`` passed before the record was ready."""

    code = "deadline_exceeded"
    title = "The deadline passed"
    status = 504
    retryable = True
    hint = "Raise `deadline_s` or send less of the document."
