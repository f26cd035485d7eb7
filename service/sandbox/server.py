"""The HTTP side of the sandbox: routes, keys, headers, error envelopes, cut connections."""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from service.sandbox import models, scenarios
from service.sandbox.batches import Batches
from service.sandbox.chat import Chat
from service.sandbox.engine import Dropped, Engine, Job
from service.sandbox.errors import ProviderError, bad_type
from service.sandbox.faults import GatewayError
from service.sandbox.files import Files
from service.sandbox.ledger import Entry, Ledger
from service.sandbox.reader import Reader, RuleReader
from service.sandbox.responses import Responses, parse_json
from service.sandbox.settings import Settings
from service.sandbox.vectors import embeddings, moderations
from service.sandbox.webhooks import Webhooks

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
        hooks = Webhooks(settings)
        self.files = Files(self.engine.clock)
        self.responses = Responses(self.engine, self.files, hooks)
        self.chat = Chat(self.engine)
        self.batches = Batches(
            self.engine,
            self.files,
            hooks,
            {
                "/v1/responses": self._run_response,
                "/v1/chat/completions": self._run_chat,
                "/v1/embeddings": _run_embeddings,
                "/v1/moderations": _run_moderations,
            },
        )
        self.routes: tuple[tuple[str, tuple[str, ...], Handler], ...] = (
            ("POST", ("v1", "responses"), self._create_response),
            ("POST", ("v1", "responses", "input_tokens"), self._count_tokens),
            ("GET", ("v1", "responses", "{id}"), self._get_response),
            ("DELETE", ("v1", "responses", "{id}"), self._delete_response),
            ("POST", ("v1", "responses", "{id}", "cancel"), self._cancel_response),
            ("GET", ("v1", "responses", "{id}", "input_items"), self._input_items),
            ("POST", ("v1", "chat", "completions"), self._create_chat),
            ("POST", ("v1", "files"), self._upload),
            ("GET", ("v1", "files"), self._list_files),
            ("GET", ("v1", "files", "{id}"), self._get_file),
            ("DELETE", ("v1", "files", "{id}"), self._delete_file),
            ("GET", ("v1", "files", "{id}", "content"), self._file_content),
            ("POST", ("v1", "batches"), self._create_batch),
            ("GET", ("v1", "batches"), self._list_batches),
            ("GET", ("v1", "batches", "{id}"), self._get_batch),
            ("POST", ("v1", "batches", "{id}", "cancel"), self._cancel_batch),
            ("POST", ("v1", "embeddings"), self._embed),
            ("POST", ("v1", "moderations"), self._moderate),
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
            await self.responses.close()
            await self.batches.close()
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
        if job.body.get("background") and not job.body.get("stream"):
            headers = self.engine.buckets.headers(job.key, job.model_name, self.settings.now())
            await self._answer(exchange, 200, self.responses.begin(job, exchange.entry), headers)
            return
        await self._generate(exchange, job, self.responses)

    async def _generate(self, exchange: Exchange, job: Job, surface: Responses | Chat) -> None:
        """Answers a job whole or as a stream, with the rate limits in the headers."""
        headers = self.engine.buckets.headers(job.key, job.model_name, self.settings.now())
        if job.body.get("stream"):
            await self._start(exchange, 200, {**headers, "content-type": "text/event-stream; charset=utf-8"})
            async for frame in surface.stream(job, exchange.entry):
                await exchange.send({"type": "http.response.body", "body": frame, "more_body": True})
            await exchange.send({"type": "http.response.body", "body": b""})
            return
        try:
            final = await surface.create(job, exchange.entry)
        except Dropped as dropped:
            if not dropped.halfway:
                raise
            await self._start(exchange, 200, {**headers, "content-type": _JSON, "content-length": "4096"})
            await exchange.send({"type": "http.response.body", "body": b'{"id":"resp_', "more_body": True})
            raise
        await self._answer(exchange, 200, final, headers)

    async def _run_response(self, body: object, key: str, entry: Entry) -> Mapping[str, Any]:
        """One line of a batch, outside the rate limits."""
        if isinstance(body, dict) and body.get("stream"):
            raise ProviderError(400, "Streaming is not supported in batches.", param="stream")
        job = self.responses.prepare(body, key, entry)
        self.engine.admit(job, entry, limited=False)
        return await self.responses.create(job, entry)

    async def _run_chat(self, body: object, key: str, entry: Entry) -> Mapping[str, Any]:
        job = self.chat.prepare(body, key, entry)
        self.engine.admit(job, entry, limited=False)
        return await self.chat.create(job, entry)

    async def _count_tokens(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        job = self.responses.prepare(
            await self._json(exchange), exchange.key, exchange.entry, count_only=True
        )
        await self._answer(
            exchange, 200, {"object": "response.input_tokens", "input_tokens": job.input_tokens}
        )

    async def _get_response(self, exchange: Exchange, found: Mapping[str, str]) -> None:
        query = exchange.request.query_params
        response = self.responses.retrieve(found["id"])
        if query.get("stream", "").lower() != "true":
            await self._answer(exchange, 200, response)
            return
        after = query.get("starting_after", "-1")
        if not after.removeprefix("-").isdigit():
            raise bad_type("starting_after", "an integer", after)
        await self._start(exchange, 200, {"content-type": "text/event-stream; charset=utf-8"})
        async for frame in self.responses.replay(found["id"], int(after[:12])):
            await exchange.send({"type": "http.response.body", "body": frame, "more_body": True})
        await exchange.send({"type": "http.response.body", "body": b""})

    async def _delete_response(self, exchange: Exchange, found: Mapping[str, str]) -> None:
        await self._answer(exchange, 200, self.responses.delete(found["id"]))

    async def _cancel_response(self, exchange: Exchange, found: Mapping[str, str]) -> None:
        await self._answer(exchange, 200, await self.responses.cancel(found["id"]))

    async def _input_items(self, exchange: Exchange, found: Mapping[str, str]) -> None:
        query = dict(exchange.request.query_params)
        await self._answer(exchange, 200, self.responses.input_items(found["id"], query))

    async def _create_chat(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        job = self.chat.prepare(await self._json(exchange), exchange.key, exchange.entry)
        self.engine.admit(job, exchange.entry)
        await self._generate(exchange, job, self.chat)

    async def _upload(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        declared = exchange.request.headers.get("content-length", "")
        limit = self.settings.max_upload_bytes
        if declared.isdigit() and int(declared) > limit + 65_536:
            raise ProviderError(413, f"The file is too large: the limit is {limit} bytes.")
        try:
            async with exchange.request.form(max_files=1, max_fields=20) as form:
                file = form.get("file")
                fields = {name: value for name, value in form.items() if isinstance(value, str)}
                content = await file.read() if isinstance(file, UploadFile) else None
                filename = (file.filename or "upload") if isinstance(file, UploadFile) else ""
        except HTTPException as error:
            raise ProviderError(400, f"The multipart form could not be read: {error.detail}") from error
        await self._answer(exchange, 200, self.files.upload(content, filename[:255], fields))

    async def _list_files(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        await self._answer(exchange, 200, self.files.listing(dict(exchange.request.query_params)))

    async def _get_file(self, exchange: Exchange, found: Mapping[str, str]) -> None:
        await self._answer(exchange, 200, self.files.held(found["id"]).shown())

    async def _delete_file(self, exchange: Exchange, found: Mapping[str, str]) -> None:
        await self._answer(exchange, 200, self.files.delete(found["id"]))

    async def _file_content(self, exchange: Exchange, found: Mapping[str, str]) -> None:
        content = self.files.held(found["id"]).content
        headers = {"content-type": "application/octet-stream", "content-length": str(len(content))}
        await self._start(exchange, 200, headers)
        await exchange.send({"type": "http.response.body", "body": content})

    async def _create_batch(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        await self._answer(exchange, 200, self.batches.create(await self._json(exchange), exchange.key))

    async def _list_batches(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        await self._answer(exchange, 200, self.batches.listing(dict(exchange.request.query_params)))

    async def _get_batch(self, exchange: Exchange, found: Mapping[str, str]) -> None:
        await self._answer(exchange, 200, self.batches.retrieve(found["id"]))

    async def _cancel_batch(self, exchange: Exchange, found: Mapping[str, str]) -> None:
        await self._answer(exchange, 200, self.batches.cancel(found["id"]))

    async def _embed(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        await self._answer(exchange, 200, embeddings(await self._json(exchange)))

    async def _moderate(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        await self._answer(exchange, 200, moderations(await self._json(exchange)))

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


async def _run_embeddings(body: object, _key: str, _entry: Entry) -> Mapping[str, Any]:
    return embeddings(body)


async def _run_moderations(body: object, _key: str, _entry: Entry) -> Mapping[str, Any]:
    return moderations(body)


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
