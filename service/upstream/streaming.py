"""A streamed answer: bytes to frames, frames to text as it grows and to the same ``Outcome`` as a whole answer. Pure.

The rules are those of the provider's contract §2: errors come in two forms, an overload may come in the middle, and a
stream that ends without its last event has failed.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import orjson

from service.upstream.call import Failed, Outcome, Text
from service.upstream.reading import NO_USAGE, Understood, failure_of, response_outcome, usage_of

_TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed"})


class Frames:
    """Server-sent events, in pieces of any size. Only their data matter: the JSON repeats the event's name."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The data of each event that this piece completes."""
        self._buffer += piece
        while (end := self._buffer.find(b"\n", self._scanned)) >= 0:
            line = bytes(self._buffer[:end]).removesuffix(b"\r")
            del self._buffer[: end + 1]
            self._scanned = 0
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line and self._data:
                data = b"\n".join(self._data)
                self._data = []
                yield data
        self._scanned = len(self._buffer)


class Reader(Protocol):
    """Understands the events of one face of the provider."""

    done: bool
    """The last event has come; what follows does not matter."""

    def hear(self, event: Mapping[str, Any]) -> str:
        """Take an event in; the text it adds to the answer, mostly none."""

    def end(self) -> Understood:
        """What the stream amounts to: outcome, billed tokens, the model that answered."""


class ResponsesReader:
    """The events of a streamed Response."""

    def __init__(self) -> None:
        self.done = False
        self._text: list[str] = []
        self._commentary: set[object] = set()
        self._model: str | None = None
        self._response: Mapping[str, Any] = {}
        self._failed: Failed | None = None

    def hear(self, event: Mapping[str, Any]) -> str:
        """Take an event in; the text it adds to the answer, mostly none."""
        kind = event.get("type")
        if kind == "error":
            # Flat {code, message, param}, or nested under "error"; either may be followed by response.failed, which
            # says no more.
            nested = event.get("error")
            self._failed = failure_of(nested if isinstance(nested, dict) else event, http_status=200)
            self.done = True
        elif kind in _TERMINAL:
            response = event.get("response")
            self._response = response if isinstance(response, dict) else {}
            self.done = True
        elif kind == "response.created":
            response = event.get("response")
            model = response.get("model") if isinstance(response, dict) else None
            self._model = model if isinstance(model, str) else None
        elif kind == "response.output_item.added":
            item = event.get("item")
            if isinstance(item, dict) and item.get("phase") == "commentary":
                self._commentary.add(_key(event))
        elif kind in ("response.output_text.delta", "response.function_call_arguments.delta"):
            delta = event.get("delta")
            if isinstance(delta, str) and _key(event) not in self._commentary:
                self._text.append(delta)
                return delta
        return ""

    def end(self) -> Understood:
        """What the stream amounts to: outcome, billed tokens, the model that answered."""
        if self._failed is not None:
            return self._failed, NO_USAGE, self._model
        if not self.done:
            return Failed("connection", "the stream ended before its last event"), NO_USAGE, self._model
        model = self._response.get("model")
        return (
            self._outcome(),
            usage_of(self._response),
            model if isinstance(model, str) else self._model,
        )

    def _outcome(self) -> Outcome:
        outcome = response_outcome(self._response, http_status=200)
        # Some compatible servers close with a response that leaves the output out.
        if self._text and self._response.get("status") == "completed" and not self._response.get("output"):
            return Text("".join(self._text))
        return outcome


def event_of(data: bytes) -> Mapping[str, Any] | None:
    """The event in a frame's data; None for what is none. The mark at the end of a chat stream is an event here."""
    if data == b"[DONE]":
        return {"type": "[DONE]"}
    try:
        event = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) else None


def _key(event: Mapping[str, Any]) -> object:
    index = event.get("output_index")
    return index if isinstance(index, int) else None
