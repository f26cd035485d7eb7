"""`Idempotency-Key`: a request that is sent twice is carried out once.

A layer in plain ASGI around every POST and PATCH under ``/v1/``; a request without the header passes through untouched.

**What is kept.** The first request with a key is carried out. Its answer is kept, before it is sent, when it is a
success, or a 402 or 422: these say something final about this very request and may have cost money. Every other answer
is not kept and frees the key: 400, 401, 404, 405, 406, 409, 413, 415 did nothing; 429 and 5xx are there to be retried.
A repetition gets the kept answer with ``Idempotency-Replayed: true``. Kept for ``keep_s``, per caller.

**What is the same request.** Same method, path, query, media type, ``If-Match`` and body. The body is hashed while it is
read, never buffered; the boundary of a multipart body, which clients draw anew for each attempt, does not count.

**Crashes.** While a request is carried out, its key is leased to its process, which renews the lease every third of
``lease_s``. When the process is killed, the key is free again within ``lease_s``, and the next request with it is carried
out anew: at least once then, not at most once, since nobody knows how far the dead process came (it may have paid the
provider). A process that lives but cannot renew (the database or its event loop stands still for ``lease_s``) loses its
lease in the same way; it still answers its own caller, and its answer is not kept over the other's. An answer that was
sent to the caller is kept, unless the database failed in between, which is logged.

**Streams.** A stream of events cannot be replayed: a key together with ``Accept: text/event-stream`` is refused. Take
the record as JSON.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from service.foundation import telemetry
from service.foundation.answers import Answers, Claim, Taken
from service.foundation.asgi import App, Message, Receive, Scope, Send
from service.foundation.errors import BadRequest, Conflict, Fault, Unprocessable, WinnowError

HEADER = "Idempotency-Key"
MAX_KEY = 255
_KEY = re.compile(rb"[\x21-\x7e]{1,255}\Z")
_BOUNDARY = re.compile(rb'boundary="?([^";,\s]{1,70})"?', re.IGNORECASE)
_MARK = b"\0the boundary\0"
_METHODS = ("POST", "PATCH")
_REPLAYED = (b"idempotency-replayed", b"true")
_KEPT_HEADERS = (
    "content-type",
    "location",
    "content-location",
    "etag",
    "cache-control",
    "link",
    "preference-applied",
)
"""Headers that belong to an answer; the others, such as `x-request-id`, belong to the exchange."""


class KeyInvalid(BadRequest):
    """The header is given twice, is empty, too long, or holds more than visible ASCII."""

    code = "idempotency_key_invalid"
    title = "The idempotency key is not valid"
    hint = f"Send one key of 1 to {MAX_KEY} visible ASCII characters, such as a UUID."


class KeyNotForStreams(BadRequest):
    """A stream of events cannot be replayed."""

    code = "idempotency_not_for_streams"
    title = "An idempotency key does not go with a stream of events"
    hint = "Accept `application/json`, or leave the key out."


class KeyInFlight(Conflict):
    """The first request with this key is still being carried out."""

    code = "idempotency_in_flight"
    title = "The first request with this key is still being worked on"
    retryable = True
    hint = "Wait for the number of seconds in `Retry-After`, then send the same request again."


class KeyMismatch(Unprocessable):
    """The key was used for another request."""

    code = "idempotency_mismatch"
    title = "The idempotency key was used for another request"
    hint = "Use a new key for a new request; a repetition must have the same path, query and body."


class AnswerNotKept(Conflict):
    """The request was carried out; its answer was too large to keep, or had to make room."""

    code = "idempotency_answer_not_kept"
    title = "The answer is not kept any more"
    hint = "It was carried out. Look for its result (`GET /v1/extractions`), or use a new key to have it carried out again."


class Fingerprint:
    """What makes two requests the same, fed while the body is read."""

    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        given = {name: value for name, value in headers if name in (b"content-type", b"if-match")}
        content_type = given.get(b"content-type", b"")
        kind = content_type.partition(b";")[0].strip().lower()
        boundary = _BOUNDARY.search(content_type) if kind.startswith(b"multipart/") else None
        self._delimiter = b"--" + boundary[1] if boundary else b""
        self._tail = b""
        self._hash = hashlib.sha256(kind + b"\0" + given.get(b"if-match", b"") + b"\0")

    def update(self, chunk: bytes) -> None:
        """Another piece of the body."""
        if not self._delimiter:
            self._hash.update(chunk)
            return
        *done, rest = (self._tail + chunk).split(self._delimiter)
        for piece in done:
            self._hash.update(piece)
            self._hash.update(_MARK)
        cut = max(0, len(rest) - len(self._delimiter) + 1)  # a delimiter may go on in the next piece
        self._hash.update(rest[:cut])
        self._tail = rest[cut:]

    def hexdigest(self) -> str:
        """The digest of all that was fed."""
        final = self._hash.copy()
        final.update(self._tail)
        return final.hexdigest()


@dataclass(frozen=True, slots=True)
class _Route:
    """What the access log calls a request that was answered here."""

    path: str = "idempotency"


class Idempotency:
    """Wraps the application.

    ``answers`` finds where answers are kept; ``caller`` names whose keys these are from the ``Authorization`` header, and
    raises ``Unauthorized``, so that nobody learns anything, or writes a row, without the right to call.
    """

    def __init__(
        self, app: App, *, answers: Callable[[Scope], Answers], caller: Callable[[str | None], str]
    ) -> None:
        self._app = app
        self._answers = answers
        self._caller = caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if (
            scope["type"] != "http"
            or scope["method"] not in _METHODS
            or not scope["path"].startswith("/v1/")
            or all(name != b"idempotency-key" for name, _ in scope["headers"])
        ):
            await self._app(scope, receive, send)
            return
        key = _key([value for name, value in scope["headers"] if name == b"idempotency-key"])
        headers = dict(scope["headers"])
        accept = headers.get(b"accept", b"")
        if b"text/event-stream" in accept and b"application/json" not in accept:
            raise KeyNotForStreams("`Accept` asks for a stream of events, which cannot be replayed.")
        authorization = headers.get(b"authorization")
        caller = self._caller(None if authorization is None else authorization.decode("latin-1"))
        answers = self._answers(scope)
        target = _target(scope)
        taken = await answers.claim(caller, key, target)
        fingerprint = Fingerprint(scope["headers"])
        if isinstance(taken, Claim):
            await _First(answers, taken, fingerprint, receive, send).run(self._app, scope)
        else:
            scope["route"] = _Route()
            await _again(taken, target, fingerprint, receive, send)


class _First:
    """The request that is carried out: reads its body through the fingerprint and holds its answer until it is kept."""

    def __init__(
        self, answers: Answers, claim: Claim, fingerprint: Fingerprint, receive: Receive, send: Send
    ) -> None:
        self._answers = answers
        self._claim = claim
        self._fingerprint = fingerprint
        self._receive = receive
        self._send = send
        self._read = False
        self._settled = False
        self._start: Message | None = None
        self._started = False
        self._pieces: list[bytes] = []
        self._size = 0

    async def run(self, app: App, scope: Scope) -> None:
        """Let the application answer; a key without a kept answer is free afterwards."""
        try:
            await app(scope, self._hashed, self._held)
        finally:
            if not self._settled:
                await self._answers.release(self._claim)

    async def _hashed(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._fingerprint.update(message.get("body", b""))
            self._read = not message.get("more_body", False)
        return message

    async def _held(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body" or self._start is None:
            await self._send(message)
            return
        self._pieces.append(bytes(message.get("body", b"")))
        self._size += len(self._pieces[-1])
        more = message.get("more_body", False)
        if not more:
            await self._settle(self._start)
        elif self._size <= self._answers.settings.max_answer_bytes:
            return
        # Too large to be kept, or complete: what was held goes out, and the end of it only once it is settled.
        if not self._started:
            self._started = True
            await self._send(self._start)
        await self._send({**message, "body": b"".join(self._pieces)})
        self._pieces = []

    async def _settle(self, start: Message) -> None:
        """Keep the answer, or free the key. Trouble of the database does not take the answer from its caller."""
        self._settled = True
        try:
            status = start["status"]
            if not _final(status):
                await self._answers.release(self._claim)
                return
            while not self._read:
                if (await self._hashed())["type"] == "http.disconnect":
                    break
            known = {name.decode("latin-1").lower(): value for name, value in start.get("headers", [])}
            headers = {name: known[name].decode("latin-1") for name in _KEPT_HEADERS if name in known}
            whole = self._size <= self._answers.settings.max_answer_bytes
            body = b"".join(self._pieces) if whole else None
            digest = self._fingerprint.hexdigest()
            if not await self._answers.keep(self._claim, digest, status, headers, body):
                telemetry.log.warning("idempotency_lease_lost")
        except WinnowError as error:
            telemetry.log.warning("idempotency_answer_not_kept", code=error.code)


async def _again(taken: Taken, target: str, fingerprint: Fingerprint, receive: Receive, send: Send) -> None:
    """Answer a repetition."""
    if taken.target != target:
        raise KeyMismatch("This key was used for another method, path or query.")
    if taken.fingerprint is None:
        raise KeyInFlight("The first request with this key is still being worked on.", retry_after=1)
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        fingerprint.update(message.get("body", b""))
        more = message.get("more_body", False)
    if taken.fingerprint != fingerprint.hexdigest():
        raise KeyMismatch("This key was used for another body.")
    if taken.body is None:
        raise AnswerNotKept(f"The request was carried out and answered with {taken.status}.")
    await send(
        {
            "type": "http.response.start",
            "status": taken.status,
            "headers": [*_raw(taken.headers), (b"content-length", b"%d" % len(taken.body)), _REPLAYED],
        }
    )
    await send({"type": "http.response.body", "body": taken.body})


def _key(given: list[bytes]) -> str:
    if len(given) != 1:
        raise KeyInvalid(
            f"`{HEADER}` stands {len(given)} times.", errors=[Fault("", "Send the header once.")]
        )
    if not _KEY.match(given[0]):
        raise KeyInvalid(
            f"`{HEADER}` is not 1 to {MAX_KEY} visible ASCII characters.",
            errors=[Fault("", "Send a UUID, for instance.")],
        )
    return given[0].decode("ascii")


def _target(scope: Scope) -> str:
    path = scope.get("raw_path") or scope["path"].encode()
    parts = (scope["method"].encode(), path.partition(b"?")[0], scope.get("query_string", b""))
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _final(status: int) -> bool:
    return 200 <= status < 400 or status in (402, 422)


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
