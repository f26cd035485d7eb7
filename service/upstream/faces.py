"""The two APIs a provider may speak, as tables of functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from service.catalogue import Model
from service.upstream import chat, reading, request
from service.upstream.call import Call
from service.upstream.chat import ChatReader
from service.upstream.reading import Understood
from service.upstream.streaming import Reader, ResponsesReader


class Encode(Protocol):
    """A call as the bytes of a request."""

    def __call__(self, call: Call, model: Model, *, stream: bool = False) -> bytes:
        """The body."""


@dataclass(frozen=True, slots=True)
class Face:
    """One API: where it is, how a call is written for it, how its answers are read, whole and streamed."""

    path: str
    encode: Encode
    understand: Callable[[Mapping[str, Any], int], Understood]
    reader: Callable[[], Reader]


RESPONSES = Face("/responses", request.encode, reading.understand, ResponsesReader)
CHAT = Face("/chat/completions", chat.encode, chat.understand, ChatReader)
