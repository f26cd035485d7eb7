"""The door: one ``AsyncOpenAI`` per process, our own retries, every attempt seen, priced and recorded."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any

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
    Purse,
    Refused,
    Reply,
    Text,
    Truncated,
)
from service.upstream.errors import is_schema_fault
from service.upstream.estimate import need_of
from service.upstream.limits import Grant, Limits, MemoryLimits, Throttled
from service.upstream.naming import DEFAULT, catalogue_of, provider_settings, route
from service.upstream.provider import Provider
from service.upstream.reading import Answer, mapping, tokens
from service.upstream.request import encode_count
from service.upstream.retry import delay
from service.upstream.settings import OPENAI_BASE_URL, ProviderSettings, Settings

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
class _Terms:
    """On what terms a call is made: the arguments of ``Upstream.call`` and ``Upstream.stream``."""

    deadline: float
    record: Record
    caller: str
    max_tries: int | None
    purse: Purse | None
    on_text: OnText | None


@dataclass(frozen=True, slots=True)
class _Asked:
    """One call while it is being made. ``call`` is as its provider knows it, ``name`` the model as it was asked for."""

    name: str
    call: Call
    model: Model
    provider: Provider
    need: Need
    terms: _Terms


class Upstream:
    """The provider, and further ones by name. ``open`` and ``close`` bracket its life, in one event loop.

    ``catalogue`` is the given one with the models that the settings add: whoever looks a model up uses it.
    """

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        *,
        limits: Callable[[ProviderSettings], Limits] = MemoryLimits,
    ) -> None:
        self.settings = settings
        self.catalogue = catalogue_of(settings, catalogue)
        self._providers = {
            name: Provider(own, limits(own)) for name, own in provider_settings(settings).items()
        }
        self._random = random.Random()  # noqa: S311  # jitter, not secrets

    async def open(self) -> None:
        """Begin to build the clients. Nothing is sent; calls wait until their client is there."""
        for provider in self._providers.values():
            provider.open()

    async def loaded(self) -> None:
        """Return when every client is there. Raises what went wrong in building one."""
        for provider in self._providers.values():
            await provider.client()

    async def close(self) -> None:
        """Close every connection."""
        for provider in self._providers.values():
            await provider.close()

    async def call(
        self,
        call: Call,
        *,
        deadline: float,
        record: Record,
        caller: str = "",
        max_tries: int | None = None,
        purse: Purse | None = None,
    ) -> Reply:
        """Ask a model, with retries, until ``deadline`` (a value of ``clock.monotonic``).

        Each attempt that is followed by another one is handed to ``record`` first; the last one is left to the
        caller. When this task is cancelled while a request is on the wire, that attempt is recorded before
        ``CancelledError`` goes on. ``caller`` is for whom we ask: callers share a rate limit fairly. ``max_tries``
        lowers the setting of that name. ``purse`` hears of every attempt as it ends, and is asked before each retry;
        for the first attempt its owner has set the money aside. Raises ``UnknownModel``, and whatever ``record`` or
        ``purse`` raises.
        """
        terms = _Terms(deadline, record, caller, max_tries, purse, None)
        return await self._call(self._asked(call, terms))

    async def stream(
        self,
        call: Call,
        *,
        deadline: float,
        record: Record,
        on_text: OnText,
        caller: str = "",
        max_tries: int | None = None,
        purse: Purse | None = None,
    ) -> Reply:
        """The same while the answer is heard as it grows: ``on_text(attempt, delta)`` gets each piece.

        ``attempt`` counts from 1; when it changes, what was heard before is void. The reply holds the whole answer.
        """
        terms = _Terms(deadline, record, caller, max_tries, purse, on_text)
        return await self._call(self._asked(call, terms))

    async def count(self, call: Call, *, deadline: float) -> int | None:
        """The exact number of input tokens, as the provider counts them; None where it does not."""
        prefix, name = route(call.model, self.settings.providers)
        body = encode_count(replace(call, model=name), self.catalogue.find(call.model))
        value = await self._fetch(prefix, "/responses/input_tokens", body, deadline)
        return tokens(mapping(value).get("input_tokens")) or None

    async def shutdown_dates(self, *, deadline: float) -> dict[str, date]:
        """The dates that the provider's own list of models announces, by name; for ``Catalogue.with_stops``."""
        value = mapping(await self._fetch(DEFAULT, "/models", None, deadline))
        listed = value.get("data")
        dates: dict[str, date] = {}
        for model in listed if isinstance(listed, list) else ():
            name, day = mapping(model).get("id"), mapping(model).get("shutdown_date")
            if isinstance(name, str) and isinstance(day, str):
                with suppress(ValueError):
                    dates[name] = date.fromisoformat(day)
        return dates

    def ready(self, *, today: date) -> Health:
        """What is known about the provider without asking it."""
        provider = self._providers[DEFAULT]
        problems = []
        if self.settings.base_url == OPENAI_BASE_URL and self.settings.api_key is None:
            problems.append("no provider key is set")
        failure = provider.lasting_failure()
        if failure is not None:
            problems.append(f"the provider's last answer was a failure of the kind {failure.kind!r}")
        warnings = (
            f"{model.id} stops on {model.stops}; its successor is {model.successor or 'not known'}"
            for model in self.catalogue.retiring(today=today)
        )
        return Health(self.settings.engine, provider.is_open, tuple(problems), tuple(warnings))

    def _asked(self, call: Call, terms: _Terms) -> _Asked:
        model = self.catalogue.find(call.model)
        prefix, name = route(call.model, self.settings.providers)
        return _Asked(
            name=call.model,
            call=replace(call, model=name) if prefix else call,
            model=model,
            provider=self._providers[prefix],
            need=need_of(call, model),
            terms=terms,
        )

    async def _call(self, asked: _Asked) -> Reply:
        simpler = asked.call.minimal
        minimal = simpler is not None and asked.provider.refuses(asked.call.format)
        attempts: list[Attempt] = []
        while True:
            call = replace(asked.call, format=simpler) if minimal and simpler else asked.call
            attempt, outcome = await self._attempt(asked, call, len(attempts) + 1)
            if attempt is None and attempts:
                # The attempt before was recorded as one that another would follow; so there is one, though no
                # request was sent for it: the rate limit or our own database used up the time.
                now = clock.now()
                attempt = _attempt_of(
                    Answer(outcome), clock.new_id("att"), asked, NanoUSD(0), now, 0, len(attempts) + 1
                )
            purse = asked.terms.purse
            if attempt is not None:
                attempts.append(attempt)
                if purse is not None:
                    purse.settle(attempt)
            if simpler is not None and not minimal and _schema_refused(outcome):
                asked.provider.note_refusal(asked.call.format)
                minimal, wait = True, 0.0
            else:
                later = await self._wait(asked, outcome, len(attempts))
                tries = asked.terms.max_tries
                if later is None or (tries is not None and len(attempts) >= tries):
                    return Reply(outcome, tuple(attempts), minimal)
                wait = later
            if purse is not None and not await purse.reserve():
                return Reply(outcome, tuple(attempts), minimal)
            await _surely(asked.terms.record(attempts[-1]))
            await asyncio.sleep(wait)

    async def _wait(self, asked: _Asked, outcome: Outcome, attempts: int) -> float | None:
        """Seconds until the next attempt; None when this was the last one."""
        if not isinstance(outcome, Failed):
            return None
        remaining = asked.terms.deadline - clock.monotonic()
        wait = delay(
            outcome,
            attempt=attempts,
            max_tries=self.settings.max_tries,
            remaining=remaining,
            draw=self._random.random(),
        )
        if wait is None:
            return None
        queue = await asked.provider.limits.expected_wait(asked.model, asked.need, caller=asked.terms.caller)
        return wait if max(wait, queue) < remaining else None

    async def _attempt(self, asked: _Asked, call: Call, number: int) -> tuple[Attempt | None, Outcome]:
        """One request on the wire, as soon as the rate limit lets it; None when it never came to that."""
        try:
            grant = await asked.provider.limits.admit(
                asked.model, asked.need, caller=asked.terms.caller, deadline=asked.terms.deadline
            )
        except Throttled as throttled:
            return None, Failed("throttled", str(throttled), retry_after=throttled.seconds)
        remaining = asked.terms.deadline - clock.monotonic()
        if remaining <= 0:
            await _settle(asked.provider.limits, grant, None)
            return None, Failed("deadline", "the deadline had passed before the attempt")
        attempt_id = clock.new_id("att")
        started_at = clock.now()
        start = clock.monotonic()
        try:
            answer = await self._ask(asked, call, number, attempt_id, remaining)
        except asyncio.CancelledError:
            answer = Answer(Failed("cancelled", "the caller went away"))
            seconds = clock.monotonic() - start
            gone = _attempt_of(answer, attempt_id, asked, NanoUSD(0), started_at, seconds, number)
            await _surely(asked.terms.record(gone))
            raise
        seconds = clock.monotonic() - start
        price = self._cost(asked.model, answer)
        attempt = _attempt_of(answer, attempt_id, asked, price, started_at, seconds, number)
        try:
            await _settle(asked.provider.limits, grant, answer)
        except asyncio.CancelledError:
            await _surely(asked.terms.record(attempt))
            raise
        return attempt, answer.outcome

    async def _ask(self, asked: _Asked, call: Call, number: int, attempt_id: str, remaining: float) -> Answer:
        """Cut off at the deadline or at the attempt's own limit, whichever comes first."""
        limit = min(remaining, self.settings.attempt_timeout_s)
        on_delta = None if asked.terms.on_text is None else partial(asked.terms.on_text, number)
        try:
            async with asyncio.timeout(limit):
                return await asked.provider.ask(call, asked.model, attempt_id=attempt_id, on_delta=on_delta)
        except TimeoutError:
            kind: FailureKind = "deadline" if remaining <= limit else "timeout"
            return Answer(Failed(kind, f"no answer within {limit:.3f} s"))

    async def _fetch(self, provider: str, path: str, body: bytes | None, deadline: float) -> Any:
        try:
            async with asyncio.timeout(max(deadline - clock.monotonic(), 0)):
                return await (await self._providers[provider].client()).fetch(path, body)
        except TimeoutError:
            return None

    def _cost(self, model: Model, answer: Answer) -> NanoUSD:
        """The price is that of the snapshot that answered, where the catalogue knows it."""
        usage = answer.usage
        if usage.input_tokens == usage.output_tokens == 0:
            return NanoUSD(0)
        answered = self.catalogue.known(answer.model) if answer.model else None
        if answered is not None and answered.price is not None and not model.own_price:
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
    answer: Answer,
    attempt_id: str,
    asked: _Asked,
    price: NanoUSD,
    started_at: datetime,
    seconds: float,
    number: int,
) -> Attempt:
    return Attempt(
        id=attempt_id,
        asked_model=asked.name,
        model=answer.model,
        request_id=answer.request_id,
        outcome=_name(answer.outcome),
        usage=answer.usage,
        cost=price,
        seconds=seconds,
        http_status=answer.http_status,
        error_code=answer.error_code,
        started_at=started_at,
        kind=asked.call.kind if number == 1 else "retry",
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


async def _settle(limits: Limits, grant: Grant, answer: Answer | None) -> None:
    """Tell the limits what became of a grant; no answer: nothing was sent."""
    if answer is None:
        await limits.settle(grant, used=0, seen={}, limited=False, retry_after=None)
        return
    used = answer.usage.input_tokens + answer.usage.output_tokens
    failed = answer.outcome if isinstance(answer.outcome, Failed) else None
    limited = failed is not None and failed.kind == "rate"
    await limits.settle(
        grant,
        used=used or None,  # a failed request counts at the provider too
        seen=answer.limits,
        limited=limited,
        retry_after=failed.retry_after if failed is not None and limited else None,
    )


def _schema_refused(outcome: Outcome) -> bool:
    return isinstance(outcome, Failed) and outcome.kind == "rejected" and is_schema_fault(outcome)


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
