"""An extraction as server-sent events: `progress`, `snapshot`, then `record` or `problem`.

Snapshots are decoded from what the model has written so far; of a document that is read in parts they are the parts so far,
merged. They parse, they grow, and nothing validates them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from service.extraction.arguments import Arguments
from service.extraction.partial import completed
from service.extraction.plan import Form, Plan
from service.extraction.reading import Progress
from service.extraction.result import Extraction, body
from service.extraction.run import Extractor
from service.foundation import clock, jsontext, problems
from service.foundation.errors import WinnowError
from service.foundation.money import NanoUSD, usd
from service.upstream import Attempt

HEARTBEAT_S = 15.0
SNAPSHOT_S = 0.25
"""Seconds between two snapshots at least."""

_MAX_SNAPSHOT = 200_000
"""Characters of an answer beyond which no snapshots are made: each is a reading of the whole, and bytes of one at most."""


class Listener:
    """Turns what a ``Watch`` hears into events in a queue."""

    def __init__(self, queue: asyncio.Queue[bytes | None], form: Callable[[Plan], Form]) -> None:
        self._queue = queue
        self._form_of = form
        self._form: Form | None = None
        self._attempt = 0
        self._text: list[str] = []
        self._next = 0.0
        self._last: bytes = b""

    def planned(self, plan: Plan) -> None:
        """The model is about to be asked."""
        self._form = self._form_of(plan)
        about = {"stage": "asking", "model": plan.name, "pages": len(plan.document.pages)}
        if plan.parts is not None:
            about["parts"] = len(plan.segments)
        self._queue.put_nowait(event("progress", about))

    def part(self, progress: Progress) -> None:
        """A part of a long document is read."""
        about = {
            "stage": "part",
            "parts_done": progress.done,
            "parts": progress.of,
            "rows": progress.rows,
            "cost_usd": usd(progress.cost),
        }
        self._queue.put_nowait(event("progress", about))

    def grown(self, data: Any) -> None:
        """The record of the parts that are read so far."""
        snapshot = event("snapshot", {"data": data})
        if len(snapshot) <= _MAX_SNAPSHOT:
            self._queue.put_nowait(snapshot)

    def mending(self, calls: int, cost: NanoUSD) -> None:
        """What is wrong or missing in the record of all parts is asked for again."""
        about = {"stage": "mending", "calls": calls, "cost_usd": usd(cost)}
        self._queue.put_nowait(event("progress", about))

    def attempted(self, attempt: Attempt) -> None:
        """Another attempt follows."""
        self._queue.put_nowait(event("progress", {"stage": "retrying", "outcome": attempt.outcome}))

    def heard(self, attempt: int, delta: str) -> None:
        """A piece of the answer: at most four snapshots a second come of it."""
        if attempt != self._attempt:
            self._attempt, self._text = attempt, []
        self._text.append(delta)
        now = clock.monotonic()
        if now < self._next or self._form is None:
            return
        self._next = now + SNAPSHOT_S
        text = "".join(self._text)
        snapshot = _snapshot(text, self._form) if len(text) <= _MAX_SNAPSHOT else None
        if snapshot is not None and snapshot != self._last:
            self._last = snapshot
            self._queue.put_nowait(snapshot)


def _snapshot(text: str, form: Form) -> bytes | None:
    prefix = completed(text)
    if prefix is None:
        return None
    # An unfinished object lacks keys that decoding may look for; then the next piece brings the next snapshot.
    with suppress(
        jsontext.MalformedJson,
        UnicodeEncodeError,
        KeyError,
        IndexError,
        TypeError,
        ValueError,
        AttributeError,
    ):
        return event("snapshot", {"data": form.decode(jsontext.parse(prefix.encode()))})
    return None


def event(name: str, data: Any) -> bytes:
    """One frame; JSON has no line breaks, so one `data` line holds it."""
    return b"event: " + name.encode() + b"\ndata: " + jsontext.render(data) + b"\n\n"


async def stream(extractor: Extractor, arguments: Arguments, request_id: str | None) -> AsyncIterator[bytes]:
    """The frames of one extraction. Closing the iterator cancels it; what was spent is recorded all the same."""
    queue: asyncio.Queue[bytes | None] = asyncio.Queue()
    listener = Listener(queue, lambda plan: plan.prepared.form)

    async def run() -> None:
        try:
            extraction: Extraction = await extractor.run(arguments, listener)
            queue.put_nowait(event("record", body(extraction)))
        except WinnowError as error:
            _, _, content = problems.render(error, request_id)
            queue.put_nowait(b"event: problem\ndata: " + content + b"\n\n")
        finally:
            queue.put_nowait(None)

    task = asyncio.create_task(run())
    try:
        yield event("progress", {"stage": "reading"})
        while True:
            try:
                frame = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
            except TimeoutError:
                yield b": still working\n\n"
                continue
            if frame is None:
                break
            yield frame
        await task  # an unforeseen fault is raised here, where the last resort sees it
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
