"""The provider's rate limits, kept from our side: wait for a grant before each attempt, settle it afterwards.

``Limits`` is what the door needs; ``MemoryLimits`` serves one process. Several processes on one key need a row per
bucket in a database, behind the same three methods.
"""

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from service.catalogue import Model
from service.foundation import clock
from service.upstream.buckets import Kind, Lane, Need, Ticket
from service.upstream.headers import Seen
from service.upstream.settings import ProviderSettings

LONG_CONTEXT = 128_000
"""Input tokens above which the provider counts a request against another pool, where a model has one."""

_LANES = 1_000


class Throttled(Exception):  # a turn of events that ``Upstream.call`` makes an outcome of
    """The wait for a grant would pass the deadline, or too many wait already. ``seconds`` is the expected wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"a grant is expected in {seconds:.1f} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Grant:
    """The permission for one attempt."""

    lane: str
    need: Need
    taken: Mapping[Kind, float]
    """What each bucket had granted in all just after this; a header's figures are compared with it."""


class Limits(Protocol):
    """Grants for attempts."""

    async def expected_wait(self, model: Model, need: Need, *, caller: str) -> float:
        """Seconds until a request that asks now would be granted."""

    async def admit(self, model: Model, need: Need, *, caller: str, deadline: float) -> Grant:
        """Wait for a grant, fairly among callers. Raises ``Throttled``, early when the wait would pass the deadline."""

    async def settle(
        self,
        grant: Grant,
        *,
        used: int | None,
        seen: Mapping[Kind, Seen],
        limited: bool,
        retry_after: float | None,
    ) -> None:
        """Tell what became of it: tokens that were really used (None: nobody knows), headers, a 429 and its wait."""


@dataclass
class _State:
    lane: Lane
    ceilings: Mapping[Kind, float]
    """What the settings allow at most, whatever the provider does."""
    waiting: dict[Ticket, "asyncio.Future[Grant]"] = field(default_factory=dict)
    timer: asyncio.TimerHandle | None = None


class MemoryLimits:
    """Limits of one process, in one event loop.

    A model's limits come from the settings, else from the tier that the settings name, else from the first answer
    that carries them; until then nothing is held back.
    """

    def __init__(self, settings: ProviderSettings, *, now: Callable[[], float] = clock.monotonic) -> None:
        self._settings = settings
        self._now = now
        self._states: dict[str, _State] = {}

    async def expected_wait(self, model: Model, need: Need, *, caller: str) -> float:
        """Seconds until a request that asks now would be granted."""
        state = self._state(model, need)[1]
        return state.lane.expected_wait(need, caller, self._now())

    async def admit(self, model: Model, need: Need, *, caller: str, deadline: float) -> Grant:
        """Wait for a grant, fairly among callers.

        Raises ``Throttled`` at once when the expected wait passes the deadline or the line is full, and at the
        deadline when the expectation was wrong.
        """
        name, state = self._state(model, need)
        lane = state.lane
        now = self._now()
        if lane.length == 0 and lane.wait(need, now) <= 0:
            lane.take(need, now)
            return _grant(name, lane, need)
        expected = lane.expected_wait(need, caller, now)
        if now + expected > deadline or lane.length >= self._settings.max_queued:
            raise Throttled(expected)
        return await self._in_line(name, state, Ticket(caller, need), deadline)

    async def settle(
        self,
        grant: Grant,
        *,
        used: int | None,
        seen: Mapping[Kind, Seen],
        limited: bool,
        retry_after: float | None,
    ) -> None:
        """Give unused tokens back or note a debt, take over what the headers say, and pause after a 429."""
        state = self._states.get(grant.lane)
        if state is None:  # forgotten meanwhile
            return
        lane = state.lane
        now = self._now()
        tokens = lane.buckets.get("tokens")
        if used is not None and tokens is not None and "tokens" in grant.taken:
            tokens.give_back(grant.need.tokens - used, now)
        for kind, figures in seen.items():
            if figures.limit:
                limit = min(float(figures.limit), state.ceilings.get(kind, math.inf))
                lane.set_limit(kind, limit, now=now)
            bucket = lane.buckets.get(kind)
            if bucket is not None and figures.remaining is not None and kind in grant.taken:
                # What was granted after this attempt is not in the figure yet.
                bucket.lower(figures.remaining - max(bucket.taken - grant.taken[kind], 0.0), now)
        if limited:
            # Without a limit known, a 429 holds nothing back but the attempt that met it.
            for bucket in lane.buckets.values():
                bucket.hold(now + (retry_after or 0.0), now)
        self._pump(grant.lane, state)

    async def _in_line(self, name: str, state: _State, ticket: Ticket, deadline: float) -> Grant:
        future: asyncio.Future[Grant] = asyncio.get_running_loop().create_future()
        state.waiting[ticket] = future
        state.lane.join(ticket)
        self._pump(name, state)
        try:
            async with asyncio.timeout(max(deadline - self._now(), 0.0)):
                return await future
        except BaseException as error:
            state.waiting.pop(ticket, None)
            if future.done() and not future.cancelled():  # granted in the very moment of leaving
                state.lane.give_back(ticket.need, self._now())
            else:
                state.lane.leave(ticket)
            expected = state.lane.expected_wait(ticket.need, ticket.caller, self._now())
            self._pump(name, state)
            if isinstance(error, TimeoutError):
                raise Throttled(expected) from None
            raise

    def _pump(self, name: str, state: _State) -> None:
        """Grant what can be granted, and come back when the next one can."""
        if state.timer is not None:
            state.timer.cancel()
            state.timer = None
        lane = state.lane
        for ticket in lane.grants(self._now()):
            future = state.waiting.pop(ticket)
            if not future.done():
                future.set_result(_grant(name, lane, ticket.need))
            else:
                lane.give_back(ticket.need, self._now())
        wait = lane.next_grant(self._now())
        if wait is not None:
            # A timer may fire a little early; a millisecond more saves a second round.
            state.timer = asyncio.get_running_loop().call_later(wait + 0.001, self._pump, name, state)

    def _state(self, model: Model, need: Need) -> tuple[str, _State]:
        long = need.tokens > LONG_CONTEXT and bool(model.limits_over_128k)
        name = f"{model.id} over 128k" if long else model.id
        state = self._states.get(name)
        if state is None:
            self._forget_idle()
            own = _own_limits(self._settings, model)
            limits = own or _published_limits(self._settings, model, long=long)
            lane = Lane(limits, window=self._settings.limit_window_s, now=self._now())
            state = self._states[name] = _State(lane, ceilings=own)
        return name, state

    def _forget_idle(self) -> None:
        """Names of fine-tunes come from callers: there may be any number of lanes, but not for ever."""
        if len(self._states) >= _LANES:
            self._states = {name: state for name, state in self._states.items() if state.lane.length}


def _own_limits(settings: ProviderSettings, model: Model) -> dict[Kind, float]:
    """What the settings say of this model, by its name at the provider too."""
    own = settings.limits.get(model.id) or settings.limits.get(model.id.partition("/")[2])
    if own is None:
        return {}
    given: dict[Kind, int | None] = {
        "requests": own.requests_per_minute,
        "tokens": own.tokens_per_minute,
        "images": own.images_per_minute,
    }
    return {kind: float(limit) for kind, limit in given.items() if limit is not None}


def _published_limits(settings: ProviderSettings, model: Model, *, long: bool) -> dict[Kind, float]:
    """What the provider publishes for the usage tier that the settings name."""
    tiers = model.limits_over_128k if long else model.limits
    if settings.tier is None or not tiers:
        return {}
    tier = tiers[min(settings.tier, len(tiers)) - 1]
    return {"requests": float(tier.rpm), "tokens": float(tier.tpm)}


def _grant(name: str, lane: Lane, need: Need) -> Grant:
    return Grant(name, need, {kind: bucket.taken for kind, bucket in lane.buckets.items()})
