"""The outermost layer of the HTTP face, in plain ASGI: request ids, limits, the access log, metrics, the last resort."""

import asyncio
import re
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from service.foundation import clock, problems, telemetry
from service.foundation.errors import (
    BodyTooSlow,
    CallerGone,
    Fault,
    Internal,
    Overloaded,
    PayloadTooLarge,
    UnsupportedMedia,
    WinnowError,
)

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Render = Callable[[WinnowError, str | None], tuple[int, dict[str, str], bytes]]
"""Status, headers and body of the answer that an error becomes; the second argument is the request's id."""

_SAFE_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}\Z")
_UNTRACKED = ("/healthz", "/readyz", "/metrics")
_A_TURN = 16
"""Requests that begin in one turn of the event loop: together less than 20 ms of work."""
_PATIENCE_S = 30.0
_LEAST_RATE = 4096
"""A body may take so many seconds, and one more for so many bytes of it that came."""


class Front:
    """Wraps the application.

    At most ``max_in_flight`` requests under ``/v1/`` and ``faces`` are worked on at once; the next one is a 503. No
    body of more than ``max_body_bytes`` is read: the count is kept while reading, so a missing or lying
    ``Content-Length`` does not matter. A body that trickles in is given up after ``patience_s`` and a second for every
    4 KiB that came: else a few thousand idle callers would hold every place. ``x-request-id`` is taken from the caller where it is harmless and stands on
    every answer. ``faces`` are prefixes of paths whose errors have another form than problem documents.
    """

    def __init__(
        self,
        app: App,
        *,
        max_in_flight: int,
        max_body_bytes: int,
        patience_s: float = _PATIENCE_S,
        faces: Mapping[str, Render] | None = None,
    ) -> None:
        self._app = app
        self._patience_s = patience_s
        self._faces = dict(faces or {})
        self._max_in_flight = max_in_flight
        self._max_body_bytes = max_body_bytes
        self._in_flight = 0
        self._turns = _Turns(_A_TURN)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        telemetry.begin(request_id=request_id)
        started = clock.monotonic()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", [])
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        face = self._face(scope["path"])
        render = problems.render if face is None else face
        counted = face is not None or scope["path"].startswith("/v1/")
        if counted:
            self._in_flight += 1
            telemetry.IN_FLIGHT.inc()
        try:
            if counted and self._in_flight > self._max_in_flight:
                raise Overloaded(
                    f"{self._max_in_flight} requests are in flight, as many as this process takes.",
                    retry_after=1,
                )
            if counted:
                await self._turns.take()
            await self._app(scope, self._bounded(scope, receive), send_with_id)
        except WinnowError as error:
            if status == 0:
                await _answer(error, render, request_id, send_with_id)
        except Exception as error:  # noqa: BLE001 - the last resort: whatever it was, the caller gets a problem document
            # Frames only: the message of an unforeseen exception may quote what the caller sent.
            frames = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
            telemetry.log.error("internal_error", error=type(error).__name__, frames=frames[-12:])
            if status == 0:
                failed = Internal("The service failed; the fault is ours.")
                await _answer(failed, render, request_id, send_with_id)
        finally:
            if counted:
                self._in_flight -= 1
                telemetry.IN_FLIGHT.dec()
            if scope["path"] not in _UNTRACKED:
                _account(scope, status, clock.monotonic() - started)

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        return _Bounded(scope, receive, self._max_body_bytes, self._patience_s)

    def _face(self, path: str) -> Render | None:
        for prefix, render in self._faces.items():
            if path == prefix or path.startswith(f"{prefix}/"):
                return render
        return None


class _Turns:
    """Lets so many requests begin in one turn of the event loop, in the order in which they came.

    A loop runs all that is ready before it looks again. Of a thousand requests that come at once every one would be
    prepared before the first answer is looked at, and all would be sent, and answered, at once again: bursts stay
    bursts, with idle seconds between them. So beginnings stand back behind what is under way.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = most
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Return when it is this caller's turn; at once unless many begin."""
        if self._left > 0 and not self._waiting:
            if self._left == self._most:
                asyncio.get_running_loop().call_soon(self._next)
            self._left -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def _next(self) -> None:
        self._left = self._most
        while self._left and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # whoever waited may have been cancelled
                turn.set_result(None)
                self._left -= 1
        if self._left < self._most:
            asyncio.get_running_loop().call_soon(self._next)


class _Bounded:
    """A ``receive`` that counts and keeps time until the body is there; afterwards it only passes on.

    Raises ``PayloadTooLarge``, ``BodyTooSlow``, ``CallerGone`` where the connection ends before the body does, and
    ``UnsupportedMedia`` for a body that is packed: what it holds would be taken for what it is.
    """

    __slots__ = ("_began", "_ended", "_left", "_limit", "_patience_s", "_receive", "_scope")

    def __init__(self, scope: Scope, receive: Receive, limit: int, patience_s: float) -> None:
        self._scope = scope
        self._receive = receive
        self._limit = self._left = limit
        self._patience_s = patience_s
        self._began: float | None = None
        self._ended = False

    async def __call__(self) -> Message:
        if self._ended:
            return await self._receive()
        if self._began is None:
            self._began = asyncio.get_running_loop().time()
            self._check_headers()
        until = self._began + self._patience_s + (self._limit - self._left) / _LEAST_RATE
        try:
            async with asyncio.timeout_at(until):
                message = await self._receive()
        except TimeoutError:
            raise BodyTooSlow(
                f"The body came at less than {_LEAST_RATE:,} bytes a second for {self._patience_s:g} s."
            ) from None
        if message["type"] == "http.disconnect":
            raise CallerGone("The caller went away before the body was there.")
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise too_large(self._limit)
        self._ended = not message.get("more_body", False)
        return message

    def _check_headers(self) -> None:
        for name, value in self._scope["headers"]:
            if name == b"content-length":
                if value.isdigit() and (len(value) > 18 or int(value) > self._limit):
                    raise too_large(self._limit)
            elif name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
                raise UnsupportedMedia(
                    "Packed bodies (`Content-Encoding`) are not read here; send the bytes as they are."
                )


def too_large(limit: int) -> PayloadTooLarge:
    """The error for a body above ``limit`` bytes."""
    return PayloadTooLarge(
        f"The body is larger than {limit:,} bytes, the most this service reads.",
        errors=[
            Fault(
                "",
                "Send a smaller document. Several files may each be uploaded with `POST /v1/files` and sent as `file_id`.",
            )
        ],
        members={"allowed": limit},
    )


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SAFE_ID.match(value):
            given: str = value.decode()
            return given
    return clock.new_id("req")


async def _answer(error: WinnowError, render: Render, request_id: str, send: Send) -> None:
    status, headers, body = render(error, request_id)
    telemetry.PROBLEMS.labels(error.code).inc()
    headers["content-length"] = str(len(body))
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})


def _account(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "unmatched")
    method = scope["method"] if route != "unmatched" else "any"
    telemetry.count(telemetry.REQUESTS, route, method, str(status))
    telemetry.observe(route, seconds)
    telemetry.log.info("request", method=method, route=route, status=status, seconds=round(seconds, 4))
