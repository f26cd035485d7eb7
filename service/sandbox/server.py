"""The HTTP side of the sandbox: routes, keys, headers, error envelopes, cut connections."""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from service.sandbox import models, scenarios
from service.sandbox.engine import Dropped, Engine
from service.sandbox.errors import ProviderError
from service.sandbox.faults import GatewayError
from service.sandbox.ledger import Entry, Ledger
from service.sandbox.reader import Reader, RuleReader
from service.sandbox.responses import Responses, parse_json
from service.sandbox.settings import Settings

__all__ = ["Sandbox", "create_app", "serve"]

_JSON = "application/json"


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request on its way through: what came, who asked, what is recorded, how to answer."""

    request: Request
    send: Send
    entry: Entry
    key: str = ""
    started: float = field(default_factory=time.perf_counter)
    begun: bool = False


Handler = Callable[[Exchange, Mapping[str, str]], Awaitable[None]]


class Sandbox:
    """The ASGI application; `ledger` and `engine` are open to tests in the same process."""

    def __init__(self, settings: Settings, reader: Reader) -> None:
        self.settings = settings
        self.engine = Engine(settings, reader)
        self.ledger = Ledger(settings.ledger_entries)
        self.responses = Responses(self.engine)
        self.routes: tuple[tuple[str, tuple[str, ...], Handler], ...] = (
            ("POST", ("v1", "responses"), self._create_response),
            ("GET", ("v1", "models"), self._list_models),
            ("GET", ("v1", "models", "{id}"), self._get_model),
            ("GET", ("__sandbox", "ledger"), self._ledger),
            ("DELETE", ("__sandbox", "ledger"), self._clear_ledger),
            ("GET", ("__sandbox", "scenarios"), self._scenarios),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one ASGI connection."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        entry = Entry(
            at=self.settings.now(),
            method=request.method,
            path=request.url.path[:200],
            request_id=f"req_{secrets.token_hex(16)}",
        )
        exchange = Exchange(request=request, send=send, entry=entry)
        try:
            await self._route(exchange)
        except ProviderError as error:
            await self._refuse(exchange, error)
        except Dropped as dropped:
            entry.outcome = entry.outcome or "dropped"
            await _cut(exchange, dropped)
        except ClientDisconnect:
            entry.outcome = "client disconnected"

    # ------------------------------------------------------------------------------------- routing
    async def _route(self, exchange: Exchange) -> None:
        path = exchange.request.url.path
        steps = tuple(step for step in path.split("/") if step)
        allowed: list[str] = []
        for method, pattern, handler in self.routes:
            found = _match(pattern, steps)
            if found is None:
                continue
            allowed.append(method)
            if method != exchange.request.method:
                continue
            if steps[0] != "__sandbox":
                self.ledger.open(exchange.entry)
                exchange.key = _bearer(exchange.request)
            await handler(exchange, found)
            return
        method = exchange.request.method
        if allowed:
            message = f"Not allowed to {method} on {path[:200]} (HINT: Perhaps you meant to use a different method?)"
            raise ProviderError(405, message, code="method_not_supported")
        raise ProviderError(404, f"Invalid URL ({method} {path[:200]})")

    async def _json(self, exchange: Exchange) -> object:
        """The request body as JSON, refused while it is read when it is too large."""
        return parse_json(await self.body(exchange))

    async def body(self, exchange: Exchange) -> bytes:
        """The raw request body. Raises `ProviderError` 413 beyond the limit."""
        chunks: list[bytes] = []
        size = 0
        async for chunk in exchange.request.stream():
            size += len(chunk)
            if size > self.settings.max_body_bytes:
                raise ProviderError(
                    413, f"Request body is too large: the limit is {self.settings.max_body_bytes} bytes."
                )
            chunks.append(chunk)
        return b"".join(chunks)

    # ----------------------------------------------------------------------------------- endpoints
    async def _create_response(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        job = self.responses.prepare(await self._json(exchange), exchange.key, exchange.entry)
        self.engine.admit(job, exchange.entry)
        headers = self.engine.buckets.headers(job.key, job.model_name, self.settings.now())
        if job.body.get("stream"):
            await self._start(exchange, 200, {**headers, "content-type": "text/event-stream; charset=utf-8"})
            async for frame in self.responses.stream(job, exchange.entry):
                await exchange.send({"type": "http.response.body", "body": frame, "more_body": True})
            await exchange.send({"type": "http.response.body", "body": b""})
            return
        try:
            final = await self.responses.create(job, exchange.entry)
        except Dropped as dropped:
            if not dropped.halfway:
                raise
            await self._start(exchange, 200, {**headers, "content-type": _JSON, "content-length": "4096"})
            await exchange.send({"type": "http.response.body", "body": b'{"id":"resp_', "more_body": True})
            raise
        await self._answer(exchange, 200, final, headers)

    async def _list_models(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        await self._answer(exchange, 200, {"object": "list", "data": models.listing(self.settings.now())})

    async def _get_model(self, exchange: Exchange, found: Mapping[str, str]) -> None:
        name = found["id"]
        models.by_name(name, today=self.engine.today(), chat=True)
        rows = {row["id"]: row for row in models.listing(self.settings.now())}
        row = rows.get(name) or {**rows["sandbox"], "id": name}
        await self._answer(exchange, 200, row)

    async def _ledger(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        await self._answer(exchange, 200, self.ledger.report())

    async def _clear_ledger(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        self.ledger.clear()
        await self._answer(exchange, 200, {"object": "sandbox.ledger", "cleared": True})

    async def _scenarios(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        rows = [
            {"model": f"sandbox-{name}", "answer": answer} for name, answer in scenarios.DESCRIPTIONS.items()
        ]
        await self._answer(exchange, 200, {"object": "list", "data": rows})

    # ----------------------------------------------------------------------------------- answering
    async def _answer(
        self, exchange: Exchange, status: int, value: object, headers: Mapping[str, str] | None = None
    ) -> None:
        body = orjson.dumps(value)
        shown = {**(headers or {}), "content-type": _JSON, "content-length": str(len(body))}
        await self._start(exchange, status, shown)
        await exchange.send({"type": "http.response.body", "body": body})

    async def _refuse(self, exchange: Exchange, error: ProviderError) -> None:
        exchange.entry.code = error.code
        if exchange.begun:
            raise error
        if isinstance(error, GatewayError):
            body, kind = error.html.encode(), "text/html; charset=UTF-8"
        else:
            body, kind = orjson.dumps(error.body()), _JSON
        headers = {**error.headers, "content-type": kind, "content-length": str(len(body))}
        await self._start(exchange, error.status, headers)
        await exchange.send({"type": "http.response.body", "body": body})

    async def _start(self, exchange: Exchange, status: int, headers: Mapping[str, str]) -> None:
        entry = exchange.entry
        entry.status = status
        exchange.begun = True
        elapsed = max(1, round((time.perf_counter() - exchange.started) * 1000))
        shown = {
            **headers,
            "x-request-id": entry.request_id,
            "openai-processing-ms": str(elapsed),
            "openai-version": "2020-10-01",
            "openai-organization": self.settings.organization,
        }
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in shown.items()]
        await exchange.send({"type": "http.response.start", "status": status, "headers": raw})


def _match(pattern: tuple[str, ...], steps: tuple[str, ...]) -> dict[str, str] | None:
    if len(pattern) != len(steps):
        return None
    found: dict[str, str] = {}
    for wanted, step in zip(pattern, steps, strict=True):
        if wanted.startswith("{"):
            found[wanted[1:-1]] = step
        elif wanted != step:
            return None
    return found


def _bearer(request: Request) -> str:
    """The API key. Raises `ProviderError` 401 when none was sent; any non-empty one is accepted."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise ProviderError(
            HTTPStatus.UNAUTHORIZED,
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer "
            "auth (i.e. Authorization: Bearer YOUR_KEY). You can obtain an API key from "
            "https://platform.openai.com/account/api-keys.",
        )
    return key.strip()


async def _cut(exchange: Exchange, dropped: Dropped) -> None:
    """Closes the connection without finishing the answer.

    ASGI has no word for that. uvicorn's send is a method of the object that owns the transport; in process
    there is none, and the error itself reaches the client as the broken connection.
    """
    transport = getattr(getattr(exchange.send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("the sandbox cut this connection") from dropped
    if dropped.halfway:
        transport.close()
    else:
        transport.abort()


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def create_app(settings: Settings | None = None, *, reader: Reader | None = None) -> Sandbox:
    """An ASGI application that answers like the provider.

    `reader` fills the submitted schemas; the default one reads by rules.
    """
    return Sandbox(settings or Settings(), reader or RuleReader())


def serve(host: str = "127.0.0.1", port: int = 4010, settings: Settings | None = None) -> None:
    """Runs the sandbox until it is stopped; blocks. The default address is loopback."""
    # uvicorn costs 60 ms to import, and in-process users never need it.
    import uvicorn

    uvicorn.run(
        create_app(settings),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
    )
