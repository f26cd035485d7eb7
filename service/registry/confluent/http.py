"""The wire: paths as they were sent, media types, bodies within limits, and every error in the protocol's form.

Plain ASGI beside the rest of the service, because the protocol needs what a web framework takes away: subjects with a
slash arrive percent-encoded, so a path is split before it is decoded.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from starlette.routing import BaseRoute, Match, NoMatchFound
from typing_extensions import override

from service.foundation import jsontext, telemetry
from service.foundation.errors import PayloadTooLarge, WinnowError
from service.registry.confluent.errors import MEDIA_TYPE, Refusal, in_our_words, malformed, not_permitted
from service.registry.confluent.wire import MAX_DEPTH
from service.registry.errors import InUse, ReadOnly

Item = TypeVar("Item")
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Answer = Any
"""What an operation answers, as JSON."""

MAX_BODY_BYTES = 8 * 1024 * 1024
"""Four times the largest schema: in a body it is a string with escapes."""

_PARSED_HERE = 64 * 1024
"""Bytes that are parsed on the event loop."""

_OFFERED = (MEDIA_TYPE, "application/vnd.schemaregistry+json", "application/json")
_READ = (*_OFFERED, "application/octet-stream")
_ALL_DIGITS = re.compile(r"-?[0-9]{1,10}\Z")


@dataclass(slots=True)
class Ask:
    """A request of the protocol, its path taken apart."""

    path: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    caller: str
    read: Callable[[], Awaitable[bytes]] = field(repr=False)

    def at(self, name: str) -> str:
        """A part of the path."""
        return self.path[name]

    def texts(self, name: str) -> list[str]:
        """Every value that the query has for a name."""
        return [value for key, value in self.query if key == name]

    def text(self, name: str) -> str:
        """The last value of the query, empty where there is none."""
        found = self.texts(name)
        return found[-1] if found else ""

    def flag(self, name: str) -> bool:
        """A boolean of the query, ``True`` and ``FALSE`` included. Raises 400."""
        word = self.text(name).lower()
        if word not in ("", "true", "false"):
            raise malformed(f"`{name}` is true or false")
        return word == "true"

    def page(self, items: Sequence[Item]) -> list[Item]:
        """What `offset` and `limit` leave; a negative limit is none. Raises 400."""
        offset, limit = self._number("offset", 0), self._number("limit", -1)
        if offset < 0:
            raise malformed("`offset` is not negative")
        return list(items[offset:] if limit < 0 else items[offset : offset + limit])

    def _number(self, name: str, default: int) -> int:
        word = self.text(name)
        if not word:
            return default
        if not _ALL_DIGITS.match(word):
            raise malformed(f"`{name}` is a whole number")
        return int(word)

    @property
    def tolerant(self) -> bool:
        """Whether the client wants members that are not known to be passed over, and takes such itself."""
        return self.headers.get("confluent-accept-unknown-properties", "").lower() == "true"

    async def json(self) -> Any:
        """The body. Raises 400, 415, ``PayloadTooLarge``."""
        kind = self.headers.get("content-type", MEDIA_TYPE).partition(";")[0].strip().lower()
        if kind and kind not in _READ:
            raise Refusal(415, 415, f"HTTP 415 Unsupported Media Type: send {MEDIA_TYPE} or application/json")
        data = await self.read()
        try:
            if len(data) <= _PARSED_HERE:
                return jsontext.parse(data, max_depth=MAX_DEPTH)
            return await asyncio.to_thread(jsontext.parse, data, max_depth=MAX_DEPTH)
        except jsontext.MalformedJson as error:
            raise malformed(f"The body is not JSON: {error}") from None


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one path; parts in braces stand for one encoded segment."""

    method: str
    path: str
    answer: Callable[[Ask], Awaitable[Answer]]

    def match(self, segments: Sequence[bytes]) -> dict[str, bytes] | None:
        """The parts of a path that the route fits."""
        parts = self.path.split("/")[1:]
        if len(parts) != len(segments):
            return None
        found: dict[str, bytes] = {}
        for part, segment in zip(parts, segments, strict=True):
            if part.startswith("{"):
                found[part[1:-1]] = segment
            elif part.encode() != unquote_to_bytes(segment):
                return None
        return found


class Face(BaseRoute):
    """The ASGI application, and the route that leads to it.

    ``admit`` is told an ``Authorization`` header and says who calls, or raises ``Unauthorized``. ``renew`` takes over what
    others changed and says whether there was anything: asked before a 404, for a record may come from who registered its
    schema with another process a moment ago.
    """

    def __init__(
        self,
        prefix: str,
        routes: Sequence[Route],
        *,
        admit: Callable[[str | None], str],
        renew: Callable[[], Awaitable[bool]],
    ) -> None:
        self._prefix = prefix
        self._routes = routes
        self._admit = admit
        self._renew = renew

    @override
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whatever is below the prefix. Starlette's mount would not see a path with a line break in it."""
        path = scope["path"] if scope["type"] == "http" else ""
        mine = path == self._prefix or path.startswith(f"{self._prefix}/")
        return (Match.FULL if mine else Match.NONE), {}

    @override
    def url_path_for(self, name: str, /, **path_params: Any) -> NoReturn:
        """Nothing here has a name to find it by."""
        raise NoMatchFound(name, path_params)

    @override
    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        head = scope["method"] == "HEAD"
        try:
            kind = negotiated(headers.get("accept", ""))
            status, extra, body = await self._answered(
                scope, receive, headers, "GET" if head else scope["method"]
            )
        except _Gone:
            return
        except (Refusal, WinnowError) as error:
            told = _told(error)
            kind, status, extra, body = MEDIA_TYPE, told.status, told.headers, told.body()
        pairs = {"content-type": kind, "content-length": str(len(body)), **extra}
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(name.encode(), value.encode("latin-1")) for name, value in pairs.items()],
            }
        )
        await send({"type": "http.response.body", "body": b"" if head else body})

    async def _answered(
        self, scope: Scope, receive: Receive, headers: Mapping[str, str], method: str
    ) -> tuple[int, dict[str, str], bytes]:
        caller = self._admit(_as_bearer(headers.get("authorization")))
        route, parts = self._route(scope, method)
        scope["route"] = _Seen(self._prefix + route.path)  # for the access log and the metrics
        read: bytes | None = None

        async def body() -> bytes:
            nonlocal read
            if read is None:
                read = await _body(receive)
            return read

        ask = Ask(
            path={name: _decoded(value) for name, value in parts.items()},
            query=parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True),
            headers=headers,
            caller=caller,
            read=body,
        )
        try:
            answer = await route.answer(ask)
        except Refusal as refusal:
            if refusal.status != 404 or not await self._renew():
                raise
            answer = await route.answer(ask)
        return 200, {}, jsontext.render(answer)

    def _route(self, scope: Scope, method: str) -> tuple[Route, dict[str, bytes]]:
        segments = _segments(scope, below=self._prefix)
        allowed: list[str] = []
        for route in self._routes:
            parts = route.match(segments)
            if parts is None:
                continue
            if route.method == method:
                return route, parts
            allowed.append(route.method)
        if allowed:
            raise Refusal(
                405, 405, "HTTP 405 Method Not Allowed", {"allow": ", ".join(dict.fromkeys(allowed))}
            )
        raise Refusal(404, 404, "HTTP 404 Not Found")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the outermost layer looks for in a scope."""

    path: str


class _Gone(Exception):
    """The client has hung up."""


def _segments(scope: Scope, *, below: str) -> list[bytes]:
    """The path below a prefix, split before it is decoded. A slash at the end does not count."""
    raw = scope.get("raw_path") or quote(scope["path"]).encode()
    segments = raw.partition(b"?")[0].split(b"/")[1 + below.count("/") :]
    if len(segments) > 1 and not segments[-1]:
        segments.pop()
    return segments or [b""]


def _decoded(segment: bytes) -> str:
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise malformed("The path is not UTF-8") from None


async def _body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MAX_BODY_BYTES:
            raise PayloadTooLarge(
                f"The body is larger than {MAX_BODY_BYTES:,} bytes, the most this path reads."
            )
        if not message.get("more_body", False):
            return b"".join(chunks)


def _as_bearer(authorization: str | None) -> str | None:
    """The key in a header: as it is, or the password of basic authentication."""
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return authorization
    try:
        user_and_password = base64.b64decode(credentials.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return "Bearer "
    return f"Bearer {user_and_password.partition(':')[2]}"


def _told(error: Refusal | WinnowError) -> Refusal:
    if isinstance(error, Refusal):
        return error
    telemetry.PROBLEMS.labels(error.code).inc()
    if isinstance(error, ReadOnly):
        return not_permitted(error.detail)
    if isinstance(error, InUse):
        return Refusal(422, 42206, error.detail)
    return in_our_words(error)


def negotiated(accept: str) -> str:
    """The media type of the answer: of those offered the one that the client likes best. Raises 406."""
    if not accept.strip():
        return MEDIA_TYPE
    liked: dict[str, float] = {}
    for item in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = next((_weight(part[2:]) for part in parameters if part.startswith("q=")), 1.0)
        for offered in _OFFERED:
            if kind in (offered, "application/*", "*/*"):
                exact = kind == offered
                liked[offered] = max(liked.get(offered, 0.0), weight if exact else weight * 0.999)
    best = max(_OFFERED, key=lambda offered: liked.get(offered, 0.0))
    if liked.get(best, 0.0) <= 0:
        raise Refusal(406, 406, f"HTTP 406 Not Acceptable: this path answers {', '.join(_OFFERED)}")
    return best


def _weight(text: str) -> float:
    return float(text) if re.fullmatch(r"[01](\.[0-9]{0,3})?", text) else 0.0
