"""How this face says no: a status, a code of the protocol and a message, in place of problem documents.

Every error of the service has a form here too (``in_our_words``), so that a client of the protocol never meets another one.
"""

import json
from collections.abc import Mapping

from service.foundation import jsontext
from service.foundation.database import StorageUnavailable
from service.foundation.errors import NotFound, WinnowError
from service.registry.errors import RegistryBusy

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"


class Refusal(Exception):
    """An answer that is no success.

    ``code`` is the protocol's ``error_code``: the status itself, or the status and two digits.
    """

    def __init__(
        self, status: int, code: int, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def body(self) -> bytes:
        """The JSON that the client gets."""
        return jsontext.render({"error_code": self.code, "message": self.message})


def quoted(name: str) -> str:
    """A subject as messages name it."""
    return f"'{name if len(name) <= 255 else name[:255] + '…'}'"


# ------------------------------------------------------------------------------------------------------ what is missing


def no_subject(subject: str) -> Refusal:
    """40401."""
    return Refusal(404, 40401, f"Subject {quoted(subject)} not found.")


def no_version(version: int) -> Refusal:
    """40402."""
    return Refusal(404, 40402, f"Version {version} not found.")


def no_schema(id: str | int | None = None) -> Refusal:
    """40403."""
    return Refusal(404, 40403, "Schema not found" if id is None else f"Schema {str(id)[:64]} not found")


def subject_deleted(subject: str) -> Refusal:
    """40404."""
    return Refusal(
        404,
        40404,
        f"Subject {quoted(subject)} was soft deleted. Set permanent=true to delete permanently",
    )


def subject_not_deleted(subject: str) -> Refusal:
    """40405."""
    return Refusal(
        404,
        40405,
        f"Subject {quoted(subject)} was not deleted first before being permanently deleted",
    )


def version_deleted(subject: str, version: int) -> Refusal:
    """40406."""
    return Refusal(
        404,
        40406,
        f"Subject {quoted(subject)} Version {version} was soft deleted. Set permanent=true to delete permanently",
    )


def version_not_deleted(subject: str, version: int) -> Refusal:
    """40407."""
    return Refusal(
        404,
        40407,
        f"Subject {quoted(subject)} Version {version} was not deleted first before being permanently deleted",
    )


def no_level(subject: str) -> Refusal:
    """40408."""
    return Refusal(
        404, 40408, f"Subject {quoted(subject)} does not have subject-level compatibility configured"
    )


def no_mode(subject: str) -> Refusal:
    """40409."""
    return Refusal(404, 40409, f"Subject {quoted(subject)} does not have subject-level mode configured")


# ---------------------------------------------------------------------------------------------------- what is not right


def incompatible(subject: str, details: str) -> Refusal:
    """40901."""
    return Refusal(
        409,
        40901,
        f"Schema being registered is incompatible with an earlier schema for subject {json.dumps(subject)}, "
        f"details: {details}",
    )


def invalid_schema(message: str) -> Refusal:
    """42201."""
    return Refusal(422, 42201, message)


def invalid_version(text: str) -> Refusal:
    """42202."""
    return Refusal(
        422,
        42202,
        f"The specified version '{text[:64]}' is not a valid version id. Allowed values are between [1, 2^31-1] and "
        'the string "latest"',
    )


def invalid_level(message: str | None = None) -> Refusal:
    """42203."""
    return Refusal(
        422,
        42203,
        message
        or "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, "
        "forward_transitive, and full_transitive",
    )


def invalid_mode() -> Refusal:
    """42204."""
    return Refusal(
        422, 42204, "Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE, and IMPORT"
    )


def not_permitted(message: str) -> Refusal:
    """42205."""
    return Refusal(422, 42205, message)


def referenced(subject: str, version: int) -> Refusal:
    """42206."""
    return Refusal(
        422,
        42206,
        f"One or more references exist to the schema {{subject={subject},version={version}}}",
    )


def id_mismatch(message: str) -> Refusal:
    """42207."""
    return Refusal(422, 42207, message)


def invalid_subject(subject: str, why: str) -> Refusal:
    """42208."""
    return Refusal(422, 42208, f"The specified subject {quoted(subject)} is not a valid subject: {why}")


def schema_too_large(limit: int) -> Refusal:
    """42209."""
    return Refusal(
        422, 42209, f"The schema is too large: with all it refers to it may have at most {limit:,} bytes"
    )


def invalid_rule_set(message: str) -> Refusal:
    """42210."""
    return Refusal(422, 42210, f"Invalid rule set: {message}")


def unreadable(message: str) -> Refusal:
    """422: JSON, but not of the form that the protocol has."""
    return Refusal(422, 422, message)


def malformed(message: str) -> Refusal:
    """400: not JSON, or a query that says nothing."""
    return Refusal(400, 400, message)


# -------------------------------------------------------------------------------------------------- errors from elsewhere


def in_our_words(error: WinnowError) -> Refusal:
    """An error of the rest of the service in this protocol's words.

    A busy registry is a 429, which clients try again: a 409 would read as an incompatible schema. A database that does
    not answer is the protocol's 50001.
    """
    headers = {}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after + 0.49)))
    if isinstance(error, StorageUnavailable):
        return Refusal(500, 50001, f"Error in the backend data store. {error.detail}", headers)
    if isinstance(error, RegistryBusy):
        return Refusal(429, 429, error.detail, headers)
    if isinstance(error, NotFound):
        return Refusal(404, 404, "HTTP 404 Not Found", headers)
    if error.status == 401:
        headers["www-authenticate"] = 'Basic realm="schema registry", Bearer'
        return Refusal(
            401,
            401,
            f"Unauthorized. {error.detail} The key may also be the password of basic authentication.",
            headers,
        )
    return Refusal(error.status, error.status, error.detail, headers)


def render(error: WinnowError, _: str | None = None) -> tuple[int, dict[str, str], bytes]:
    """As ``problems.render``, for what fails before or behind this face's own code; the request's id is in a header."""
    refusal = in_our_words(error)
    return refusal.status, {"content-type": MEDIA_TYPE, **refusal.headers}, refusal.body()
