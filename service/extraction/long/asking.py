"""Asking about the parts of a long document: within the bounds of each part, of the account, and of how many at once."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

from service.extraction.account import Account, Hold
from service.extraction.journal import Journal
from service.extraction.judge import Malformed, decoded
from service.extraction.plan import Form, Plan, Segment
from service.extraction.reading import Stronger, Terms, ask
from service.extraction.said import NOTHING_SAID, Said
from service.extraction.settings import Settings
from service.extraction.wire import Options
from service.foundation import clock
from service.foundation.money import NanoUSD
from service.upstream import Attempt, Call, Failed, Text, Upstream, problem_for

_LEAST_SECONDS = 0.5
"""Time that must be left for another call to be begun."""


@dataclass(slots=True, eq=False)
class Unit:
    """What requests are counted for: a part of the document, or (``segment`` None) what it says once."""

    segment: Segment | None
    used: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer that could be read."""

    data: Any = field(repr=False)
    text: Text = field(repr=False)
    form: Form = field(repr=False)
    attempt: Attempt


class Asking:
    """Asks, pays, counts and records. ``most`` bounds the requests about each unit, the first reading among them."""

    def __init__(
        self,
        plan: Plan,
        *,
        account: Account,
        journal: Journal,
        terms: Terms,
        upstream: Upstream,
        options: Options,
        settings: Settings,
        most: int,
        stronger: Stronger | None,
        evidence: bool,
    ) -> None:
        self.account = account
        self.journal = journal
        self.terms = terms
        self.upstream = upstream
        self.options = options
        self.settings = settings
        self.stronger = stronger
        self.busy = asyncio.Semaphore(settings.parts_at_once)
        self._plan = plan
        self._most = most
        self._evidence = evidence
        self._failed: Failed | None = None

    def left(self, unit: Unit) -> int:
        """How many requests about a unit may still be sent. What a document says once is first read with its parts."""
        if self.terms.deadline - clock.monotonic() < _LEAST_SECONDS:
            return 0
        return max(self._most - unit.used - (unit.segment is None), 0)

    async def ask(self, call: Call, unit: Unit, form: Form, minimal: Form) -> Heard | None:
        """One more question, of the stronger model where that is what the call is for.

        None when it cannot be paid, or ends without an answer that can be read: that is recorded.
        """
        model = self._plan.model
        if call.kind == "escalation" and self.stronger is not None:
            model = self.stronger.model
            most = min(call.max_output_tokens, model.max_output_tokens)
            call = replace(call, model=self.stronger.name, max_output_tokens=most)
        async with self.busy:
            left = self.left(unit)
            hold = self.account.hold(call, model)
            if left < 1 or not await hold.reserve():
                return None
            reply = await self._sent(call, hold, unit, left)
        if not reply.attempts:
            return None
        last = reply.attempts[-1]
        if not isinstance(reply.outcome, Text):
            if isinstance(reply.outcome, Failed):
                self._failed = reply.outcome
            await self.journal.record(last)
            return None
        asked = minimal if reply.minimal else form
        data = decoded(reply.outcome.text, asked)
        if isinstance(data, Malformed):
            await self.record(last, "malformed")
            return None
        return Heard(data, reply.outcome, asked, last)

    async def _sent(self, call: Call, hold: Hold, unit: Unit, left: int) -> Any:
        try:
            return await ask(
                call,
                hold=hold,
                upstream=self.upstream,
                journal=self.journal,
                terms=replace(self.terms, watch=None, max_attempts=left),
            )
        finally:
            unit.used += hold.attempts

    async def record(self, attempt: Attempt, outcome: str) -> None:
        """The final verdict on an attempt."""
        await self.journal.record(self.journal.judge(attempt, outcome))

    async def said(self, text: Text, form: Form) -> Said:
        """What an answer says of itself, where that is asked for."""
        if not self._evidence or not (text.tokens or form.quoted):
            return NOTHING_SAID
        return await asyncio.to_thread(Said.of, text, form)

    def tell(self, calls: int) -> None:
        """Who looks on hears that so many calls follow about what is wrong or missing."""
        if self.terms.watch is not None and calls:
            self.terms.watch.mending(calls, self.cost)

    @property
    def cost(self) -> NanoUSD:
        """What was spent so far."""
        return NanoUSD(sum(attempt.cost for attempt in self.journal.attempts))

    def raise_failure(self) -> None:
        """Raise what kept a question from being answered, if anything did: another try may bring the record."""
        if self._failed is not None:
            raise problem_for(self._failed)
