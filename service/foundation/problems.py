"""RFC 9457 problem documents: how every error leaves the service."""

from typing import Any

from pydantic import BaseModel, Field

from service.foundation import jsontext
from service.foundation.errors import WinnowError

MEDIA_TYPE = "application/problem+json"


class FaultBody(BaseModel):
    """One faulty place."""

    pointer: str = Field(description="JSON Pointer (RFC 6901) into what was sent; empty for the whole.")
    detail: str = Field(description="What is wrong there and how to fix it.")


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    type: str = Field(description="`/problems/{code}`: a page that explains the code.")
    title: str
    status: int
    detail: str = Field(
        description="What was wrong this time, and what to do about it. Never quotes the document."
    )
    code: str = Field(description="Stable, for programs.")
    retryable: bool = Field(description="Whether the same request may succeed later.")
    request_id: str | None = None
    errors: list[FaultBody] = Field(default_factory=list, description="Each faulty place.")
    extraction_id: str | None = Field(None, description="The extraction whose attempts were recorded.")


def render(error: WinnowError, request_id: str | None) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer that ``error`` becomes."""
    body: dict[str, Any] = {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "retryable": error.retryable,
        "request_id": request_id,
        "errors": [{"pointer": fault.pointer, "detail": fault.detail} for fault in error.errors],
    }
    body.update(error.members)
    headers = {"content-type": MEDIA_TYPE}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after + 0.49)))
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    return error.status, headers, jsontext.render(body)
