"""What callers may cost who never end what they began, over real sockets."""

import json
import logging
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from conftest import serving

from service.cli.connections import MAX_HEAD_BYTES, Connection
from service.foundation.asgi import Front

HEAD_S = 0.5


class Hasty(Connection):
    head_s = HEAD_S


async def _app(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body and answers with its length."""
    assert scope["type"] == "http"
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message["body"])
        more = message["more_body"]
    body = json.dumps({"length": length}).encode()
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", b"%d" % len(body))],
        }
    )
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    """Of a server with short patience."""
    front = Front(_app, max_in_flight=10, max_body_bytes=10_000_000, patience_s=HEAD_S)
    config = uvicorn.Config(front, http=Hasty, log_config=None, access_log=False, lifespan="off")
    with serving(config) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        yield host, int(port)


def _answer(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    """Status and JSON of the next answer; 0 where the server closed without one."""
    file = connection.makefile("rb")
    line = file.readline()
    if not line:
        return 0, {}
    length = 0
    while (header := file.readline().strip().lower()) != b"":
        name, _, value = header.partition(b":")
        length = int(value) if name == b"content-length" else length
    return int(line.split()[1]), json.loads(file.read(length))


def test_heads_without_end_are_refused(address: tuple[str, int]) -> None:
    """A head beyond the bound is a 431, however many headers it is made of; one just below it is read."""
    fitting = b"GET /v1/x HTTP/1.1\r\n" + b"a: %b\r\n" % (b"x" * (MAX_HEAD_BYTES - 100)) + b"\r\n"
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(fitting)
        assert _answer(connection) == (200, {"length": 0})
    for line in (b"a: b\r\n", b"x" * 1000):
        with socket.create_connection(address, timeout=60) as connection:
            connection.sendall(b"GET /v1/x HTTP/1.1\r\na: b\r\n" + line * (MAX_HEAD_BYTES // len(line) + 1))
            status, problem = _answer(connection)
        assert (status, problem["code"]) == (431, "head_too_large")


def test_what_is_not_http_is_a_problem_too(
    address: tuple[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    """Bytes that no parser takes are a 400 of our form."""
    caplog.set_level(logging.ERROR)  # the server warns of it
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        status, problem = _answer(connection)
    assert (status, problem["code"]) == (400, "bad_request")


@pytest.mark.parametrize("begun", [b"", b"GET /v1/x HTTP/1.1\r\n"])
def test_connections_that_ask_nothing_are_closed(address: tuple[str, int], begun: bytes) -> None:
    """Neither a silent connection nor a head that is never ended is kept, also when it trickles in."""
    with socket.create_connection(address, timeout=60) as connection:
        if begun:
            connection.sendall(begun)
            for _ in range(3):
                connection.sendall(b"a: b\r\n")
                time.sleep(HEAD_S / 10)
        assert _answer(connection) == (0, {})


def test_a_connection_that_was_answered_may_rest(address: tuple[str, int]) -> None:
    """Between two requests the keep-alive time counts, not the time for a head; the second head has its own."""
    ask = b"POST /v1/x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(ask)
        assert _answer(connection) == (200, {"length": 3})
        time.sleep(HEAD_S * 2)
        connection.sendall(ask)
        assert _answer(connection) == (200, {"length": 3})
        connection.sendall(b"POST /v1/x HTTP/1.1\r\n")
        assert _answer(connection) == (0, {})


def test_a_body_that_trickles_in_is_given_up(address: tuple[str, int]) -> None:
    """Whoever sends a byte now and then gets a 408 and frees its place."""
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(b"POST /v1/x HTTP/1.1\r\nContent-Length: 100\r\n\r\n")
        for _ in range(3):
            connection.sendall(b"a")
            time.sleep(HEAD_S / 10)
        status, problem = _answer(connection)
    assert (status, problem["code"], problem["retryable"]) == (408, "body_too_slow", True)
