"""The door: one ``AsyncOpenAI`` per process, our own retries, every attempt seen, priced and recorded."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING

from service.catalogue import Catalogue, Model, cost
from service.foundation import clock
from service.foundation.money import NanoUSD
from service.upstream.buckets import Need
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
from service.upstream.estimate import counted, need_of
from service.upstream.limits import Grant, Limits, MemoryLimits, Throttled
from service.upstream.reading import Answer
from service.upstream.request import encode
from service.upstream.retry import delay
from service.upstream.settings import OPENAI_BASE_URL, Settings

if TYPE_CHECKING:
    from service.upstream.sdk import Sdk

Record = Callable[[Attempt], Awaitable[None]]
OnText = Callable[[int, str], None]


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


@dataclass(frozen=True, slots=True)
class _Asked:
    """One call while it is being made."""

    name: str
    model: Model
    body: bytes
    need: Need
    caller: str
    deadline: float
    record: Record
    on_text: OnText | None


class Upstream:
    """The provider. ``open`` and ``close`` bracket its life, in one event loop."""

    def __init__(self, settings: Settings, catalogue: Catalogue, *, limits: Limits | None = None) -> None:
        self.settings = settings
        self._limits = limits if limits is not None else MemoryLimits(settings)
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

    async def call(
        self,
        call: Call,
        *,
        deadline: float,
        record: Record,
        caller: str = "",
        max_tries: int | None = None,
        budget: NanoUSD | None = None,
    ) -> Reply:
        """Ask a model, with retries, until ``deadline`` (a value of ``clock.monotonic``).

        Each attempt that is followed by another one is handed to ``record`` first; the last one is left to the
        caller. When this task is cancelled while a request is on the wire, that attempt is recorded before
        ``CancelledError`` goes on. ``caller`` is for whom we ask: callers share a rate limit fairly. ``max_tries``
        lowers the setting of that name. ``budget`` is what all attempts together may cost: no retry is begun whose
        worst case would pass it, where an attempt that broke on the way counts as billed in full. Raises
        ``UnknownModel``, and whatever ``record`` raises.
        """
        asked = self._asked(call, deadline, record, caller, None)
        return await self._call(asked, call, max_tries, budget)

    async def stream(
        self,
        call: Call,
        *,
        deadline: float,
        record: Record,
        on_text: OnText,
        caller: str = "",
        max_tries: int | None = None,
        budget: NanoUSD | None = None,
    ) -> Reply:
        """The same while the answer is heard as it grows: ``on_text(attempt, delta)`` gets each piece.

        ``attempt`` counts from 1; when it changes, what was heard before is void. The reply holds the whole answer.
        """
        asked = self._asked(call, deadline, record, caller, on_text)
        return await self._call(asked, call, max_tries, budget)

    def _asked(
        self, call: Call, deadline: float, record: Record, caller: str, on_text: OnText | None
    ) -> _Asked:
        model = self.catalogue.find(call.model)
        body = encode(call, model, stream=on_text is not None)
        return _Asked(call.model, model, body, need_of(call, model), caller, deadline, record, on_text)

    async def _call(self, asked: _Asked, call: Call, max_tries: int | None, budget: NanoUSD | None) -> Reply:
        tries = min(max_tries or self.settings.max_tries, self.settings.max_tries)
        worst = counted(call, asked.model).cost if budget is not None else NanoUSD(0)
        attempts: list[Attempt] = []
        while True:
            attempt, outcome = await self._attempt(asked, len(attempts) + 1)
            if attempt is None and attempts:
                # The attempt before was recorded as one that another would follow; so there is one, though no
                # request was sent for it: the rate limit or our own database used up the time.
                attempt = _attempt_of(
                    Answer(outcome), clock.new_id("att"), call.model, NanoUSD(0), clock.now(), 0.0
                )
            if attempt is not None:
                attempts.append(attempt)
            wait = await self._wait(asked, outcome, len(attempts))
            if wait is None or len(attempts) >= tries:
                return Reply(outcome, tuple(attempts))
            if budget is not None and _spent_at_most(attempts, worst) + worst > budget:
                return Reply(outcome, tuple(attempts))
            await _surely(asked.record(attempts[-1]))
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

    async def _wait(self, asked: _Asked, outcome: Outcome, attempts: int) -> float | None:
        """Seconds until the next attempt; None when this was the last one."""
        self._last_failure = outcome if isinstance(outcome, Failed) else None
        if not isinstance(outcome, Failed):
            return None
        remaining = asked.deadline - clock.monotonic()
        wait = delay(
            outcome,
            attempt=attempts,
            max_tries=self.settings.max_tries,
            remaining=remaining,
            draw=self._random.random(),
        )
        if wait is None:
            return None
        queue = await self._limits.expected_wait(asked.model, asked.need, caller=asked.caller)
        return wait if max(wait, queue) < remaining else None

    async def _attempt(self, asked: _Asked, number: int) -> tuple[Attempt | None, Outcome]:
        """One request on the wire, as soon as the rate limit lets it; None when it never came to that."""
        try:
            grant = await self._limits.admit(
                asked.model, asked.need, caller=asked.caller, deadline=asked.deadline
            )
        except Throttled as throttled:
            return None, Failed("throttled", str(throttled), retry_after=throttled.seconds)
        remaining = asked.deadline - clock.monotonic()
        if remaining <= 0:
            return None, Failed("deadline", "the deadline had passed before the attempt")
        attempt_id = clock.new_id("att")
        started_at = clock.now()
        start = clock.monotonic()
        try:
            answer = await self._ask(asked, number, attempt_id, remaining)
        except asyncio.CancelledError:
            answer = Answer(Failed("cancelled", "the caller went away"))
            seconds = clock.monotonic() - start
            await _surely(
                asked.record(_attempt_of(answer, attempt_id, asked.name, NanoUSD(0), started_at, seconds))
            )
            raise
        seconds = clock.monotonic() - start
        price = self._cost(asked.model, answer)
        attempt = _attempt_of(answer, attempt_id, asked.name, price, started_at, seconds)
        try:
            await self._settle(grant, answer)
        except asyncio.CancelledError:
            await _surely(asked.record(attempt))
            raise
        return attempt, answer.outcome

    async def _ask(self, asked: _Asked, number: int, attempt_id: str, remaining: float) -> Answer:
        """Cut off at the deadline or at the attempt's own limit, whichever comes first."""
        if self._sdk is None:
            raise RuntimeError("the upstream is not open")
        limit = min(remaining, self.settings.attempt_timeout_s)
        try:
            async with asyncio.timeout(limit):
                if asked.on_text is None:
                    return await self._sdk.respond(asked.body, client_request_id=attempt_id)
                on_delta = partial(asked.on_text, number)
                return await self._sdk.stream(asked.body, client_request_id=attempt_id, on_delta=on_delta)
        except TimeoutError:
            kind: FailureKind = "deadline" if remaining <= limit else "timeout"
            return Answer(Failed(kind, f"no answer within {limit:.3f} s"))

    async def _settle(self, grant: Grant, answer: Answer) -> None:
        usage = answer.usage
        used = usage.input_tokens + usage.output_tokens
        failed = answer.outcome if isinstance(answer.outcome, Failed) else None
        limited = failed is not None and failed.kind == "rate"
        await self._limits.settle(
            grant,
            used=used or None,  # a failed request counts at the provider too
            seen=answer.limits,
            limited=limited,
            retry_after=failed.retry_after if failed is not None and limited else None,
        )

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


_MAYBE_BILLED = ("failed:connection", "failed:timeout", "failed:cancelled", "failed:deadline")
"""Ends after which nobody told us what the provider did, and billed."""


def _spent_at_most(attempts: Sequence[Attempt], worst: NanoUSD) -> int:
    return sum(worst if attempt.outcome in _MAYBE_BILLED else attempt.cost for attempt in attempts)


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
