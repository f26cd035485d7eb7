"""What a connection may take before it has said what it wants: the server has no such bounds of its own."""

import asyncio

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from service.foundation import problems
from service.foundation.errors import BadRequest, HeadTooLarge, WinnowError

MAX_HEAD_BYTES = 256 * 1024
"""Request line and headers. Options may stand in the query, and each letter of instructions takes up to nine bytes there."""
HEAD_S = 30.0
"""Seconds until the headers must be there: of a new connection, and of each further request from its first byte on."""


class Connection(HttpToolsProtocol):
    """HTTP/1.1 with bounds on the head of a request. Without them, callers who never end it cost memory and descriptors."""

    head_s = HEAD_S

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._expect_head()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._waiting.cancel()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(
                HeadTooLarge(f"Request line and headers are larger than {MAX_HEAD_BYTES:,} bytes together.")
            )

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        if not self._in_head:  # the first request of a connection is waited for since it was made
            self._expect_head()

    @override
    def on_headers_complete(self) -> None:
        self._in_head = False
        self._waiting.cancel()
        super().on_headers_complete()

    @override
    def send_400_response(self, msg: str) -> None:
        self._refuse(BadRequest("This is not HTTP/1.1 as the service reads it."))

    def _expect_head(self) -> None:
        self._in_head = True
        self._head_bytes = 0
        self._waiting = self.loop.call_later(self.head_s, self._give_up)

    def _give_up(self) -> None:
        cycle: RequestResponseCycle | None = (
            self.cycle
        )  # uvicorn's own annotation leaves out that there may be none
        if cycle is not None and not cycle.response_complete:
            # The one before is still being answered; reading may have been paused for it.
            self._waiting = self.loop.call_later(self.head_s, self._give_up)
        elif not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, error: WinnowError) -> None:
        status, headers, body = problems.render(error, None)
        headers |= {"content-length": str(len(body)), "connection": "close"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.transport.write(STATUS_LINE[status] + lines.encode() + b"\r\n" + body)
        self.transport.close()
