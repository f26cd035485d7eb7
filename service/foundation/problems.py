"""RFC 9457 problem documents: how every error leaves the service."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from service.foundation import jsontext
from service.foundation.errors import Fault, WinnowError

MEDIA_TYPE = "application/problem+json"


class FaultBody(BaseModel):
    """One faulty place."""

    pointer: str = Field(description="JSON Pointer (RFC 6901) into what was sent; empty for the whole.")
    detail: str = Field(description="What is wrong there and how to fix it.")
    part: int | None = Field(
        None, description="Which part of a document of several parts, from 1; absent of one part."
    )
    page: int | None = Field(
        None, description="Which page of that part, from 1; absent where it is no page's fault."
    )


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
    errors: list[FaultBody] = Field(
        default_factory=list,
        description="Each faulty place, and what to do about it. The empty pointer is the request as a whole.",
    )
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
        "errors": [_fault(fault) for fault in _faults(error)],
    }
    body.update(error.members)
    headers = {"content-type": MEDIA_TYPE}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after + 0.49)))
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    return error.status, headers, jsontext.render(body)


def _faults(error: WinnowError) -> Sequence[Fault]:
    """The faulty places; where none was named, the request as a whole and what the code says to do about it."""
    return error.errors or ((Fault("", error.hint),) if error.hint else ())


def _fault(fault: Fault) -> dict[str, Any]:
    body: dict[str, Any] = {"pointer": fault.pointer, "detail": fault.detail}
    if fault.part is not None:
        body["part"] = fault.part
    if fault.page is not None:
        body["page"] = fault.page
    return body
