"""A provider of our own for tests: a tiny HTTP server that answers from a script and remembers what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Asked:
    """One request as it came over the wire."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)


@dataclass
class Says:
    """One scripted answer. ``delay`` comes before it, ``cut`` closes the connection after so many body bytes."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: int | None = None
    reset: bool = False
    pieces: Sequence[bytes | float] | None = None
    """A streamed body: bytes are sent, numbers are seconds of silence."""


@dataclass
class Provider:
    """The running server: where it is, what it will say (the last answer is repeated), what it was asked."""

    url: str
    script: list[Says]
    asked: list[Asked] = field(default_factory=list)
    hung_up: int = 0
    connections: int = 0

    def _next(self) -> Says:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            self.hung_up += 1
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.asked.append(Asked(first.split(" ")[1], headers, body))
        says = self._next()
        if says.reset and says.pieces is None:
            writer.transport.abort()
            return False
        if says.delay and not await self._still_there(reader, says.delay):
            self.hung_up += 1
            return False
        if says.pieces is not None:
            return await self._stream(writer, says)
        content = says.body if isinstance(says.body, bytes) else json.dumps(says.body).encode()
        fields = {"content-type": "application/json", "content-length": str(len(content)), **says.headers}
        writer.write(f"HTTP/1.1 {says.status} Scripted\r\n".encode())
        writer.write("".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode() + b"\r\n")
        writer.write(content if says.cut is None else content[: says.cut])
        await writer.drain()
        return says.cut is None

    async def _stream(self, writer: asyncio.StreamWriter, says: Says) -> bool:
        fields = {"content-type": "text/event-stream", "transfer-encoding": "chunked", **says.headers}
        writer.write(f"HTTP/1.1 {says.status} Scripted\r\n".encode())
        writer.write("".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode() + b"\r\n")
        for piece in says.pieces or ():
            if isinstance(piece, float):
                await writer.drain()
                await asyncio.sleep(piece)
                continue
            if piece:  # an empty chunk would end the body, and give the connection back before it is reset
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
            if writer.transport.is_closing():
                raise ConnectionResetError
        if says.reset:
            await asyncio.sleep(0.02)
            writer.transport.abort()
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _still_there(self, reader: asyncio.StreamReader, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return bool(await reader.read(1))
        except TimeoutError:
            return True


@asynccontextmanager
async def provider(*script: Says) -> AsyncIterator[Provider]:
    """Run a provider on a free loopback port."""
    fake = Provider("", list(script))
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield fake
    finally:
        server.close()


async def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds, a minute at most."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  # the condition is on the other side of a socket
            await asyncio.sleep(0.005)


def response(*output: Any, **members: Any) -> dict[str, Any]:
    """A Response object, completed unless ``members`` say otherwise."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1795170000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": "gpt-4.1-mini-2025-04-14",
        "output": list(output),
        "usage": {
            "input_tokens": 1412,
            "input_tokens_details": {"cached_tokens": 1280, "cache_write_tokens": 0},
            "output_tokens": 27,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 1439,
        },
        "something_new": {"ignored": True},
    } | members


def message(*content: Any, **members: Any) -> dict[str, Any]:
    """An assistant message item."""
    return {
        "id": "msg_1",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": list(content),
    } | members


def text(value: str) -> dict[str, Any]:
    """An output_text part."""
    return {"type": "output_text", "text": value, "annotations": [], "logprobs": []}


def error(message: str, *, type: str = "invalid_request_error", code: Any = None, param: Any = None) -> Any:
    """An error body."""
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


def frame(kind: str, number: int = 0, **members: Any) -> bytes:
    """One event of a streamed answer."""
    data = {"type": kind, "sequence_number": number} | members
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()


def streamed(*deltas: str, last: bytes | None = None) -> list[bytes]:
    """The events of a whole answer made of these pieces of text; ``last`` replaces the terminal event."""
    whole = "".join(deltas)
    events = [
        frame("response.created", response=response(status="in_progress", usage=None)),
        frame("response.in_progress", 1, response=response(status="in_progress", usage=None)),
        frame("response.output_item.added", 2, output_index=0, item=message(status="in_progress")),
        frame("response.content_part.added", 3, output_index=0, content_index=0, part=text("")),
    ]
    events += [
        frame(
            "response.output_text.delta",
            4 + number,
            output_index=0,
            content_index=0,
            delta=delta,
            obfuscation="x",
        )
        for number, delta in enumerate(deltas)
    ]
    events.append(frame("response.output_text.done", 90, output_index=0, content_index=0, text=whole))
    events.append(frame("response.output_item.done", 91, output_index=0, item=message(text(whole))))
    events.append(
        last if last is not None else frame("response.completed", 92, response=response(message(text(whole))))
    )
    return events
