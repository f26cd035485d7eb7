"""Reading a long document in parts: all of them at once, within the limits, into one record."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from service.extraction import plan as planning
from service.extraction.account import Hold
from service.extraction.errors import OutputTruncated
from service.extraction.long.asking import Asking, Unit
from service.extraction.long.joined import PartRead, Whole, so_far
from service.extraction.long.mending import PartsMending
from service.extraction.plan import Plan, Segment
from service.extraction.reading import Progress, Read, read
from service.extraction.segments.excerpts import halves
from service.extraction.validate import Validator
from service.foundation import clock
from service.foundation.errors import WinnowError
from service.upstream import ContextExceeded

_SHARE = 0.6
"""The part of the remaining time that the first reading of a part may take: the rest is for splitting it, or once more."""

_SHOWN_S = 0.25
"""Seconds between two views of the record so far at least; making them takes a fifth of the time at most."""

_DEEPEST = 10
"""How often a part is halved at most."""


class PartsReading:
    """The reading of one document in parts."""

    def __init__(self, plan: Plan, asking: Asking, *, evidence: bool) -> None:
        if plan.parts is None:
            raise ValueError("the plan has no parts")
        parts = self._parts = plan.parts
        self._plan = plan
        self._asking = asking
        # A border may cut what only the whole record holds: that is validated.
        anything = Validator(True, draft="2020-12")
        version = replace(plan.version, rules=())
        self._reading = replace(plan, prepared=replace(parts.prepared, validator=anything), version=version)
        self._mending = PartsMending(plan, parts, asking, evidence=evidence)
        self._of = len(plan.segments)
        self._done = 0
        self._rows = 0
        self._found: list[PartRead] = []
        self._next_view = 0.0

    async def read(self, holds: Sequence[Hold], *, partial: bool = False) -> Whole:
        """Every part, merged. ``holds`` has the money of the first call about each.

        Raises the error of a part that could not be read (unless ``partial``), ``RecordInvalid``, ``RecordIncomplete``.
        """
        pairs = zip(self._plan.segments, holds, strict=True)
        tasks = [asyncio.create_task(self._part(segment, hold, partial=partial)) for segment, hold in pairs]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            failed = next((task for task in tasks if task.done() and task.exception() is not None), None)
            if failed is not None:
                failed.result()
            found = sorted(
                (one for task in tasks for one in task.result()), key=lambda one: one.excerpt.first
            )
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for hold in holds:
                hold.release()
        if not any(one.failure is None for one in found):
            raise next(one.failure for one in found if one.failure is not None)
        return await self._mending.mend(found, partial=partial)

    async def _part(self, segment: Segment, hold: Hold, *, partial: bool) -> list[PartRead]:
        unit = Unit(segment)
        async with self._asking.busy:
            try:
                return await self._read(unit, segment, hold, depth=0)
            except WinnowError as error:
                if not partial or segment.excerpt is None:
                    raise
                self._note(None)
                return [PartRead(segment.excerpt, None, unit, error)]

    async def _read(self, unit: Unit, segment: Segment, hold: Hold, *, depth: int) -> list[PartRead]:
        asking = self._asking
        excerpt = segment.excerpt
        assert excerpt is not None  # noqa: S101 - narrows the type: plans in parts have excerpts
        now = clock.monotonic()
        early = now + (asking.terms.deadline - now) * _SHARE
        try:
            done = await self._once(unit, segment, hold, deadline=early)
        except (OutputTruncated, ContextExceeded):
            two = halves(self._parts.lines, excerpt) if depth < _DEEPEST else None
            if two is None:
                raise
            self._of += 1
            found = []
            for half in two:
                part = planning.segment_of(
                    self._plan, half, segment.call, options=asking.options, settings=asking.settings,
                    part=self._plan.segments.index(segment) + 1 if segment in self._plan.segments else 1,
                    of=len(self._plan.segments),
                )  # fmt: skip
                more = await asking.account.more(part.call, self._plan.model)
                found += await self._read(Unit(part), part, more, depth=depth + 1)
            return found
        except WinnowError as error:
            if not error.retryable or not asking.left(unit):
                raise
            again = await asking.account.more(segment.call, self._plan.model)
            done = await self._once(unit, segment, again, deadline=asking.terms.deadline)
        self._note(done.data)
        one = PartRead(excerpt, done.data, unit, said=await asking.said(done.answer, done.form))
        self._found.append(one)
        await self._show()
        return [one]

    async def _once(self, unit: Unit, segment: Segment, hold: Hold, *, deadline: float) -> Read:
        asking = self._asking
        terms = replace(asking.terms, deadline=deadline, watch=None, max_attempts=asking.left(unit))
        try:
            return await read(
                segment,
                self._reading,
                hold=hold,
                upstream=asking.upstream,
                journal=asking.journal,
                terms=terms,
            )
        finally:
            unit.used += hold.attempts

    def _note(self, data: Any) -> None:
        self._done += 1
        self._rows += _count(data)
        asking = self._asking
        if asking.terms.watch is not None:
            asking.terms.watch.part(Progress(self._done, self._of, self._rows, asking.cost))

    async def _show(self) -> None:
        """The record of the parts that are read so far, for who looks on."""
        watch = self._asking.terms.watch
        began = clock.monotonic()
        if watch is None or began < self._next_view or self._done == self._of:
            return
        self._next_view = math.inf  # one view is made at a time
        found = sorted(self._found, key=lambda one: one.excerpt.first)
        watch.grown(await asyncio.to_thread(so_far, self._plan, self._parts, found))
        now = clock.monotonic()
        self._next_view = now + max(_SHOWN_S, 4 * (now - began))


def _count(value: Any) -> int:
    """The items of all lists."""
    if isinstance(value, list):
        return sum(1 + _count(item) for item in value)
    return sum(_count(child) for child in value.values()) if isinstance(value, dict) else 0
