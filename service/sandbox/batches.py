"""`/v1/batches`: the status machine, on provider time (contract section 6).

A batch is validated after two seconds of provider time, runs its lines, finalises for two seconds. With
`Settings.clock_speed` all of that, and the 24 hours until expiry, pass as fast as a test wants. What counts towards
expiry is what the lines take at the provider (their latency, `sandbox-slow-*`), not what the sandbox computes.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from service.sandbox.engine import WAITED, Dropped, Engine
from service.sandbox.errors import ProviderError, bad_value, missing
from service.sandbox.files import Files, checked_lifetime
from service.sandbox.ledger import Entry
from service.sandbox.paging import page_of
from service.sandbox.validation import check_metadata
from service.sandbox.webhooks import Webhooks

__all__ = ["Batches", "Runner"]

Runner = Callable[[object, str, Entry], Awaitable[Mapping[str, Any]]]
"""Answers one body as its synchronous endpoint would; raises `ProviderError` or `Dropped`."""

MAX_LINES = 50_000
MAX_BYTES = 200 * 1024 * 1024
_WINDOW = 86_400
_STEP_SECONDS = 2.0
_LINE_SECONDS = 0.01
_MAX_ERRORS = 50
_YIELD_EVERY = 20
_EXPIRED = "This request could not be executed before the completion window expired."
_CANCELLED = "This request was not executed because the batch was cancelled."


@dataclass(frozen=True, slots=True)
class _Line:
    custom_id: str
    body: Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class _Batch:
    shown: dict[str, Any]
    key: str
    lifetime: int | None
    task: asyncio.Task[None] | None = None
    cancelled: bool = False
    queued_tokens: int = 0
    done: list[bytes] = field(default_factory=list)
    failed: list[bytes] = field(default_factory=list)


class Batches:
    """The batches of one sandbox."""

    def __init__(self, engine: Engine, files: Files, hooks: Webhooks, runners: Mapping[str, Runner]) -> None:
        self.engine = engine
        self.files = files
        self.hooks = hooks
        self.runners = runners
        self._batches: dict[str, _Batch] = {}

    # ------------------------------------------------------------------------------------ endpoints
    def create(self, raw: object, key: str) -> dict[str, Any]:
        """A batch in status `validating`. Raises `ProviderError` for what the request itself gets wrong."""
        if not isinstance(raw, dict):
            raise ProviderError(
                400, "We could not parse the JSON body of your request: it must be a JSON object."
            )
        for name in ("input_file_id", "endpoint", "completion_window"):
            if not isinstance(raw.get(name), str):
                raise missing(name)
        if raw["endpoint"] not in self.runners:
            raise bad_value("endpoint", raw["endpoint"], tuple(self.runners))
        if raw["completion_window"] != "24h":
            raise bad_value("completion_window", raw["completion_window"], ("24h",))
        if raw.get("metadata") is not None:
            check_metadata(raw["metadata"], "metadata")
        lifetime = None
        expiry = raw.get("output_expires_after")
        if isinstance(expiry, dict) and isinstance(expiry.get("seconds"), int):
            lifetime = checked_lifetime(expiry["seconds"], "output_expires_after.seconds")
        held = self.files.held(raw["input_file_id"])
        if held.purpose != "batch":
            raise ProviderError(
                400,
                f"Invalid file purpose: expected a file with purpose 'batch', but got '{held.purpose}'.",
                param="input_file_id",
                code="invalid_value",
            )
        now = int(self.engine.clock())
        shown: dict[str, Any] = {
            "id": f"batch_{secrets.token_hex(12)}",
            "object": "batch",
            "endpoint": raw["endpoint"],
            "errors": None,
            "input_file_id": held.id,
            "completion_window": "24h",
            "status": "validating",
            "output_file_id": None,
            "error_file_id": None,
            "created_at": now,
            "in_progress_at": None,
            "expires_at": now + _WINDOW,
            "finalizing_at": None,
            "completed_at": None,
            "failed_at": None,
            "expired_at": None,
            "cancelling_at": None,
            "cancelled_at": None,
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
            "metadata": raw.get("metadata"),
        }
        batch = _Batch(shown=shown, key=key, lifetime=lifetime)
        self._batches[shown["id"]] = batch
        batch.task = asyncio.create_task(self._run(batch, held.content))
        return _public(shown)

    def retrieve(self, batch_id: str) -> dict[str, Any]:
        """A batch as it stands. Raises `ProviderError` 404."""
        return _public(self._batch(batch_id).shown)

    def listing(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Batches in pages, newest first."""
        rows = [_public(batch.shown) for batch in self._batches.values()]
        return page_of(rows, query, default_limit=20, newest_first=True)

    def cancel(self, batch_id: str) -> dict[str, Any]:
        """Asks a batch to stop; what it has done is kept. Raises `ProviderError` 404, 409."""
        batch = self._batch(batch_id)
        if batch.shown["status"] not in ("validating", "in_progress", "cancelling"):
            raise ProviderError(409, f"Cannot cancel a batch with status '{batch.shown['status']}'.")
        batch.cancelled = True
        if batch.shown["status"] != "cancelling":
            self._status(batch, "cancelling")
        return _public(batch.shown)

    def _batch(self, batch_id: str) -> _Batch:
        batch = self._batches.get(batch_id)
        if batch is None:
            raise ProviderError(404, f"No batch found with id '{batch_id[:80]}'.")
        return batch

    async def close(self) -> None:
        """Stops every batch that is still running."""
        tasks = [
            batch.task for batch in self._batches.values() if batch.task is not None and not batch.task.done()
        ]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ------------------------------------------------------------------------------- status machine
    def _status(self, batch: _Batch, status: str) -> None:
        batch.shown["status"] = status
        batch.shown[f"{status}_at"] = int(self.engine.clock())

    async def _run(self, batch: _Batch, content: bytes) -> None:
        WAITED.set([0.0])  # of this task
        await self.engine.pause(_STEP_SECONDS)
        lines, faults = self._validated(batch, content)
        if faults:
            batch.shown["errors"] = {"object": "list", "data": faults}
            self._status(batch, "failed")
            await self.hooks.send("batch.failed", batch.shown["id"])
            return
        batch.shown["request_counts"]["total"] = len(lines)
        if not batch.cancelled:
            self._status(batch, "in_progress")
        rest = await self._run_lines(batch, lines)
        batch.queued_tokens = 0
        if batch.cancelled:
            self._leftovers(batch, rest, "batch_cancelled", _CANCELLED)
            self._end(batch, "cancelled")
        elif rest:
            self._leftovers(batch, rest, "batch_expired", _EXPIRED)
            self._end(batch, "expired")
        else:
            self._status(batch, "finalizing")
            await self.engine.pause(_STEP_SECONDS)
            self._end(batch, "completed")
        await self.hooks.send(f"batch.{batch.shown['status']}", batch.shown["id"])

    async def _run_lines(self, batch: _Batch, lines: list[_Line]) -> list[_Line]:
        """Runs lines in an order of the provider's own; returns those that were not run."""
        run = self.runners[batch.shown["endpoint"]]
        ordered = sorted(lines, key=lambda line: hashlib.blake2b(line.custom_id.encode()).digest())
        counts = batch.shown["request_counts"]
        for number, line in enumerate(ordered):
            if batch.cancelled or _waited() >= _WINDOW:
                return ordered[number:]
            status, body = await self._answer(run, batch, line)
            row = {
                "id": f"batch_req_{secrets.token_hex(12)}",
                "custom_id": line.custom_id,
                "response": {
                    "status_code": status,
                    "request_id": f"req_{secrets.token_hex(16)}",
                    "body": body,
                },
                "error": None,
            }
            (batch.done if status == 200 else batch.failed).append(orjson.dumps(row))
            counts["completed" if status == 200 else "failed"] += 1
            if number % _YIELD_EVERY == 0:
                await self.engine.pause(_LINE_SECONDS * _YIELD_EVERY)
        return []

    async def _answer(self, run: Runner, batch: _Batch, line: _Line) -> tuple[int, Mapping[str, Any]]:
        entry = Entry(at=self.engine.clock(), method="POST", path=batch.shown["endpoint"], request_id="")
        try:
            body = await run(line.body, batch.key, entry)
        except ProviderError as error:
            return error.status, error.body()
        except Dropped:
            message = "The server had an error while processing your request. Sorry about that!"
            return 500, ProviderError(500, message, type="server_error", code="server_error").body()
        usage = batch.shown.setdefault(
            "usage",
            {
                "input_tokens": 0,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": 0,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": 0,
            },
        )
        usage["input_tokens"] += entry.input_tokens
        usage["input_tokens_details"]["cached_tokens"] += entry.cached_tokens
        usage["output_tokens"] += entry.output_tokens
        usage["total_tokens"] += entry.input_tokens + entry.output_tokens
        return 200, body

    @staticmethod
    def _leftovers(batch: _Batch, lines: list[_Line], code: str, message: str) -> None:
        for line in lines:
            row = {
                "id": f"batch_req_{secrets.token_hex(12)}",
                "custom_id": line.custom_id,
                "response": None,
                "error": {"code": code, "message": message},
            }
            batch.failed.append(orjson.dumps(row))

    def _end(self, batch: _Batch, status: str) -> None:
        for rows, member, name in (
            (batch.done, "output_file_id", "output"),
            (batch.failed, "error_file_id", "error"),
        ):
            if rows:
                content = b"\n".join(rows) + b"\n"
                filename = f"{batch.shown['id']}_{name}.jsonl"
                held = self.files.keep(content, filename, "batch_output", batch.lifetime or 30 * 86_400)
                batch.shown[member] = held.id
        batch.done, batch.failed = [], []
        self._status(batch, status)

    # ------------------------------------------------------------------------------------ validation
    def _validated(self, batch: _Batch, content: bytes) -> tuple[list[_Line], list[dict[str, Any]]]:
        """The lines of a file, or what is wrong with it; the first fifty faults are listed."""
        lines: list[_Line] = []
        faults: list[dict[str, Any]] = []
        if len(content) > MAX_BYTES:
            return [], [_fault("file_too_large", f"The file is larger than {MAX_BYTES} bytes.")]
        seen: set[str] = set()
        models: set[str] = set()
        for number, raw in _numbered(content):
            if len(lines) >= MAX_LINES:
                return [], [_fault("too_many_tasks", f"The batch has more than {MAX_LINES} requests.")]
            try:
                line = self._line(raw, batch.shown["endpoint"], seen, models)
            except _LineFault as fault:
                if len(faults) < _MAX_ERRORS:
                    faults.append({**fault.shown, "line": number})
                continue
            lines.append(line)
        if not lines and not faults:
            return [], [_fault("empty_file", "The batch input file is empty.")]
        return lines, faults or self._queue(batch, lines, models)

    def _line(self, raw: bytes, endpoint: str, seen: set[str], models: set[str]) -> _Line:
        try:
            row = orjson.loads(raw)
        except orjson.JSONDecodeError:
            row = None
        if not isinstance(row, dict):
            raise _LineFault("invalid_json_line", "This line is not parseable as valid JSON.")
        for name in ("custom_id", "method", "url", "body"):
            if row.get(name) is None:
                raise _LineFault("missing_required_parameter", f"Missing required parameter: '{name}'.", name)
        custom_id = str(row["custom_id"])
        if custom_id in seen:
            raise _LineFault(
                "duplicate_custom_id",
                f"The custom_id '{custom_id[:100]}' for this request is a duplicate of another request. The custom_id "
                "parameter must be unique for each request in a batch.",
                "custom_id",
            )
        seen.add(custom_id)
        if row["method"] != "POST":
            raise _LineFault("invalid_method", "The method of a request in a batch must be 'POST'.", "method")
        if row["url"] != endpoint:
            raise _LineFault(
                "invalid_url", "The URL provided for this request does not match the batch endpoint.", "url"
            )
        body = row["body"]
        model = body.get("model") if isinstance(body, dict) else None
        if not isinstance(model, str):
            raise _LineFault(
                "missing_required_parameter", "Missing required parameter: 'body.model'.", "body.model"
            )
        models.add(model)
        if len(models) > 1:
            raise _LineFault(
                "mismatched_model",
                f"The model '{model[:100]}' differs from that of the other requests. A batch has one model.",
                "body.model",
            )
        return _Line(custom_id, body)

    def _queue(self, batch: _Batch, lines: list[_Line], models: set[str]) -> list[dict[str, Any]]:
        """Enqueues the estimated input tokens, or says that the queue is full."""
        model = next(iter(models))
        batch.shown["model"] = model
        estimate = sum(len(orjson.dumps(line.body)) for line in lines) // 4
        waiting = sum(
            other.queued_tokens for other in self._batches.values() if other.shown.get("model") == model
        )
        limit = self.engine.settings.batch_queue_tokens
        if waiting + estimate > limit:
            message = (
                f"Enqueued token limit reached for {model} in organization {self.engine.settings.organization}. "
                f"Limit: {limit:,} enqueued tokens. Please try again once some in_progress batches have been completed."
            )
            return [_fault("token_limit_exceeded", message)]
        batch.queued_tokens = estimate
        return []


def _waited() -> float:
    """Provider time that the running batch has taken."""
    waited = WAITED.get()
    return 0.0 if waited is None else waited[0]


class _LineFault(Exception):
    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.shown = {"code": code, "message": message, "param": param}


def _fault(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "param": None, "line": None}


def _numbered(content: bytes) -> Iterator[tuple[int, bytes]]:
    for number, raw in enumerate(content.split(b"\n"), 1):
        if raw.strip():
            yield number, raw


def _public(shown: Mapping[str, Any]) -> dict[str, Any]:
    """A copy without the moments that have not come."""
    return {name: value for name, value in shown.items() if value is not None or name == "metadata"}
