"""The door: one ``AsyncOpenAI`` per process, our own retries, every attempt seen, priced and recorded."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from service.catalogue import Catalogue, Model, cost
from service.foundation import clock
from service.foundation.money import NanoUSD
from service.upstream.call import (
    Attempt,
    Call,
    Failed,
    FailureKind,
    Filtered,
    Outcome,
    Refused,
    Reply,
    Text,
    Truncated,
)
from service.upstream.reading import Answer
from service.upstream.request import encode
from service.upstream.retry import delay
from service.upstream.settings import OPENAI_BASE_URL, Settings

if TYPE_CHECKING:
    from service.upstream.sdk import Sdk

Record = Callable[[Attempt], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Health:
    """What ``/readyz`` can say about the provider. ``problems`` make the service useless, ``warnings`` do not yet."""

    engine: str
    open: bool
    problems: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether calls can be expected to work."""
        return self.open and not self.problems


class Upstream:
    """The provider. ``open`` and ``close`` bracket its life, in one event loop."""

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self.settings = settings
        self.catalogue = catalogue
        self._sdk: Sdk | None = None
        self._last_failure: Failed | None = None
        self._random = random.Random()  # noqa: S311  # jitter, not secrets

    async def open(self) -> None:
        """Build the client. Nothing is sent."""
        # A process that never calls the provider need not hold the SDK.
        from service.upstream.sdk import Sdk

        self._sdk = await Sdk.open(self.settings)

    async def close(self) -> None:
        """Close every connection."""
        if self._sdk is not None:
            await self._sdk.close()
            self._sdk = None

    async def call(self, call: Call, *, deadline: float, record: Record) -> Reply:
        """Ask a model, with retries, until ``deadline`` (a value of ``clock.monotonic``).

        Each attempt that is followed by another one is handed to ``record`` first; the last one is left to the
        caller. When this task is cancelled while a request is on the wire, that attempt is recorded before
        ``CancelledError`` goes on. Raises ``UnknownModel``, and whatever ``record`` raises.
        """
        model = self.catalogue.find(call.model)
        body = encode(call, model)
        attempts: list[Attempt] = []
        while True:
            remaining = deadline - clock.monotonic()
            if remaining <= 0 and not attempts:
                return Reply(Failed("deadline", "the deadline had passed before the first attempt"), ())
            attempt, outcome = await self._attempt(call.model, model, body, remaining, record)
            attempts.append(attempt)
            wait = self._wait(outcome, len(attempts), deadline)
            if wait is None:
                return Reply(outcome, tuple(attempts))
            await _surely(record(attempt))
            await asyncio.sleep(wait)

    def ready(self, *, today: date) -> Health:
        """What is known about the provider without asking it."""
        problems = []
        if self.settings.base_url == OPENAI_BASE_URL and self.settings.api_key is None:
            problems.append("no provider key is set")
        if self._last_failure is not None and self._last_failure.kind in ("credentials", "quota"):
            problems.append(
                f"the provider's last answer was a failure of the kind {self._last_failure.kind!r}"
            )
        warnings = (
            f"{model.id} stops on {model.stops}; its successor is {model.successor or 'not known'}"
            for model in self.catalogue.retiring(today=today)
        )
        return Health(self.settings.engine, self._sdk is not None, tuple(problems), tuple(warnings))

    def _wait(self, outcome: Outcome, attempt: int, deadline: float) -> float | None:
        self._last_failure = outcome if isinstance(outcome, Failed) else None
        if not isinstance(outcome, Failed):
            return None
        return delay(
            outcome,
            attempt=attempt,
            max_tries=self.settings.max_tries,
            remaining=deadline - clock.monotonic(),
            draw=self._random.random(),
        )

    async def _attempt(
        self, name: str, model: Model, body: bytes, remaining: float, record: Record
    ) -> tuple[Attempt, Outcome]:
        """One request on the wire; cut off at the deadline or at the attempt's own limit, whichever comes first."""
        sdk = self._sdk
        if sdk is None:
            raise RuntimeError("the upstream is not open")
        attempt_id = clock.new_id("att")
        started_at = clock.now()
        start = clock.monotonic()

        def attempt(answer: Answer) -> Attempt:
            return _attempt_of(
                answer, attempt_id, name, self._cost(model, answer), started_at, clock.monotonic() - start
            )

        limit = min(remaining, self.settings.attempt_timeout_s)
        try:
            async with asyncio.timeout(limit):
                answer = await sdk.respond(body, client_request_id=attempt_id)
        except TimeoutError:
            kind: FailureKind = "deadline" if remaining <= limit else "timeout"
            answer = Answer(Failed(kind, f"no answer within {limit:.3f} s"))
        except asyncio.CancelledError:
            await _surely(record(attempt(Answer(Failed("cancelled", "the caller went away")))))
            raise
        return attempt(answer), answer.outcome

    def _cost(self, model: Model, answer: Answer) -> NanoUSD:
        """The price is that of the snapshot that answered, where the catalogue knows it."""
        usage = answer.usage
        if usage.input_tokens == usage.output_tokens == 0:
            return NanoUSD(0)
        answered = self.catalogue.known(answer.model) if answer.model else None
        if answered is not None and answered.price is not None and not model.id.startswith("ft:"):
            model = answered
        if model.price is None:
            return NanoUSD(0)
        return cost(
            model,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached_tokens,
            cache_write_tokens=usage.cache_write_tokens,
        )


def _attempt_of(
    answer: Answer, attempt_id: str, name: str, price: NanoUSD, started_at: datetime, seconds: float
) -> Attempt:
    return Attempt(
        id=attempt_id,
        asked_model=name,
        model=answer.model,
        request_id=answer.request_id,
        outcome=_name(answer.outcome),
        usage=answer.usage,
        cost=price,
        seconds=seconds,
        http_status=answer.http_status,
        error_code=answer.error_code,
        started_at=started_at,
    )


def _name(outcome: Outcome) -> str:
    match outcome:
        case Text():
            return "text"
        case Refused():
            return "refused"
        case Truncated():
            return "truncated"
        case Filtered():
            return "filtered"
        case Failed():
            return f"failed:{outcome.kind}"


async def _surely(work: Awaitable[None]) -> None:
    """Await ``work`` to its end, also when this task is cancelled meanwhile; then the cancellation goes on."""
    task = asyncio.ensure_future(work)
    cancellation: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancellation = error
    task.result()
    if cancellation is not None:
        raise cancellation
