"""Reading a long document in parts: all of them at once, within the limits, into one record."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from service.extraction import plan as planning
from service.extraction.account import Account, Hold
from service.extraction.completeness import doubts
from service.extraction.errors import OutputTruncated, RecordIncomplete, RecordInvalid
from service.extraction.excerpts import Excerpt, halves
from service.extraction.journal import Journal
from service.extraction.merge import Merged, Piece, merge
from service.extraction.places import Shown
from service.extraction.plan import Parts, Plan, Segment
from service.extraction.reading import Progress, Terms, read
from service.extraction.relaxed import complete, filled
from service.extraction.result import PartSpan
from service.extraction.settings import Settings
from service.extraction.validate import Finding, Validator
from service.extraction.wire import Options
from service.foundation import clock
from service.foundation.errors import Fault, WinnowError
from service.foundation.money import NanoUSD
from service.upstream import ContextExceeded, Upstream

_SHARE = 0.6
"""The part of the remaining time that the first reading of a part may take: the rest is for splitting it, or once more."""

_DEEPEST = 10
"""How often a part is halved at most."""


@dataclass(frozen=True, slots=True)
class PartRead:
    """One part that was read: its lines, and what it says; None when it could not be read."""

    excerpt: Excerpt
    data: Any = field(repr=False)
    failure: WinnowError | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """The record of all parts. ``doubts``: what is known to be missing or doubtful; with any, it is partial."""

    data: Any = field(repr=False)
    findings: tuple[Finding, ...]
    doubts: tuple[Finding, ...]
    parts: tuple[PartRead, ...]


class PartsReading:
    """The reading of one document in parts."""

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
    ) -> None:
        if plan.parts is None:
            raise ValueError("the plan has no parts")
        parts = self._parts = plan.parts
        self._plan = plan
        self._account = account
        self._journal = journal
        self._terms = terms
        self._upstream = upstream
        self._options = options
        self._settings = settings
        # A border may cut what only the whole record holds: that is validated.
        anything = Validator(True, draft="2020-12")
        version = replace(plan.version, rules=())
        self._reading = replace(plan, prepared=replace(parts.prepared, validator=anything), version=version)
        self._busy = asyncio.Semaphore(settings.parts_at_once)
        self._of = len(plan.segments)
        self._done = 0
        self._rows = 0

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
        merged, uncertain = await asyncio.to_thread(self._merge, found)
        again = _at_fault(merged, await self._wrong(merged.data))
        if again:
            found = await self._read_again(found, again)
            merged, uncertain = await asyncio.to_thread(self._merge, found)
        return await self._checked(found, merged, uncertain, partial=partial)

    async def _read_again(self, found: Sequence[PartRead], places: frozenset[int]) -> list[PartRead]:
        """The parts whose rows break the schema, each asked once more, now with its own answer validated."""
        strict = replace(self._reading, prepared=self._parts.prepared)

        async def once_more(one: PartRead) -> PartRead:
            segment = planning.segment_of(
                self._plan,
                one.excerpt,
                self._plan.segments[0].call,
                options=self._options,
                settings=self._settings,
                part=found.index(one) + 1,
                of=len(found),
            )
            async with self._busy:
                hold = await self._account.more(segment.call, strict.model)
                terms = replace(self._terms, watch=None)
                try:
                    answer = await read(
                        segment,
                        strict,
                        hold=hold,
                        upstream=self._upstream,
                        journal=self._journal,
                        terms=terms,
                    )
                except (RecordInvalid, OutputTruncated):
                    return one  # the whole record says what is wrong, at its own pointers
                return replace(one, data=answer.data)

        read_parts = [one for one in found if one.failure is None]
        wrong = [read_parts[place] for place in sorted(places)]
        renewed = dict(zip(map(id, wrong), await asyncio.gather(*map(once_more, wrong)), strict=True))
        return [renewed.get(id(one), one) for one in found]

    def _merge(self, found: Sequence[PartRead]) -> tuple[Merged, list[Finding]]:
        lines = self._parts.lines
        pieces = [Piece(one.data, _shown(self._parts, one)) for one in found if one.failure is None]
        merged = merge(pieces, self._plan.version.schema, lines)
        return merged, doubts(merged, lines)

    async def _checked(
        self, found: Sequence[PartRead], merged: Merged, uncertain: Sequence[Finding], *, partial: bool
    ) -> Whole:
        """The merged record against the caller's schema, and against what the document says of itself."""
        data = merged.data
        wrong = await self._wrong(data)
        if any(finding.rule == "required" for finding in wrong):
            data = await self._asked_once(data)
            wrong = await self._wrong(data)
        if wrong:
            raise RecordInvalid(
                f"The record of all {len(found)} parts breaks {len(wrong)} rule(s) of the schema.",
                errors=[Fault(finding.pointer, finding.message) for finding in wrong],
            )
        lost = [
            Finding("", "completeness.part", self._unread(one), "warning")
            for one in found
            if one.failure is not None
        ]
        every = (*lost, *uncertain)
        if every and not partial:
            raise RecordIncomplete(
                "The document shows rows, counts or totals that the record does not account for.",
                errors=[Fault(doubt.pointer, doubt.message) for doubt in every],
            )
        findings = tuple(
            Finding(
                conflict.pointer,
                "conflict",
                "Parts of the document say different things; what most of it shows was taken.",
                "warning",
            )
            for conflict in merged.conflicts
        )
        return Whole(data, findings, every, tuple(found))

    async def _wrong(self, data: Any) -> list[Finding]:
        validator = self._plan.prepared.validator
        return [] if validator.accepts(data) else await asyncio.to_thread(validator.findings, data)

    async def _asked_once(self, data: Any) -> Any:
        """The record with what it must have and no part said: the ends of the document are asked for it."""
        plan = replace(
            self._reading, prepared=replace(self._parts.once, validator=self._reading.prepared.validator)
        )
        segment = planning.segment_once(
            self._plan, self._plan.segments[0].call, options=self._options, settings=self._settings
        )
        hold = await self._account.more(segment.call, plan.model)
        terms = replace(self._terms, watch=None)
        answer = await read(
            segment, plan, hold=hold, upstream=self._upstream, journal=self._journal, terms=terms
        )
        return complete(filled(data, answer.data), self._plan.version.schema)

    def _unread(self, one: PartRead) -> str:
        first, last = pages_of(self._plan, one.excerpt)
        code = one.failure.code if one.failure is not None else ""
        return f"Pages {first} to {last} could not be read ({code})."

    # ------------------------------------------------------------------------------------------- one part

    async def _part(self, segment: Segment, hold: Hold, *, partial: bool) -> list[PartRead]:
        async with self._busy:
            try:
                return await self._read(segment, hold, depth=0)
            except WinnowError as error:
                if not partial or segment.excerpt is None:
                    raise
                self._note(None)
                return [PartRead(segment.excerpt, None, error)]

    async def _read(self, segment: Segment, hold: Hold, *, depth: int) -> list[PartRead]:
        excerpt = segment.excerpt
        assert excerpt is not None  # noqa: S101 - narrows the type: plans in parts have excerpts
        now = clock.monotonic()
        early = now + (self._terms.deadline - now) * _SHARE
        try:
            done = await self._once(segment, hold, deadline=early)
        except (OutputTruncated, ContextExceeded):
            two = halves(self._parts.lines, excerpt) if depth < _DEEPEST else None
            if two is None:
                raise
            self._of += 1
            found = []
            for half in two:
                part = planning.segment_of(
                    self._plan, half, segment.call, options=self._options, settings=self._settings,
                    part=self._plan.segments.index(segment) + 1 if segment in self._plan.segments else 1,
                    of=len(self._plan.segments),
                )  # fmt: skip
                found += await self._read(
                    part, await self._account.more(part.call, self._plan.model), depth=depth + 1
                )
            return found
        except WinnowError as error:
            if not error.retryable or clock.monotonic() >= self._terms.deadline:
                raise
            again = await self._account.more(segment.call, self._plan.model)
            done = await self._once(segment, again, deadline=self._terms.deadline)
        self._note(done)
        return [PartRead(excerpt, done)]

    async def _once(self, segment: Segment, hold: Hold, *, deadline: float) -> Any:
        terms = replace(self._terms, deadline=deadline, watch=None)
        reading = await read(
            segment, self._reading, hold=hold, upstream=self._upstream, journal=self._journal, terms=terms
        )
        return reading.data

    def _note(self, data: Any) -> None:
        self._done += 1
        self._rows += _count(data)
        if self._terms.watch is not None:
            cost = NanoUSD(sum(attempt.cost for attempt in self._journal.attempts))
            self._terms.watch.part(Progress(self._done, self._of, self._rows, cost))


def spans(plan: Plan, whole: Whole) -> Iterator[PartSpan]:
    """The parts as they were read in the end."""
    for one in whole.parts:
        first, last = pages_of(plan, one.excerpt)
        yield PartSpan(first, last, one.failure is None)


def pages_of(plan: Plan, excerpt: Excerpt) -> tuple[int, int]:
    """The numbers of the first and the last page of a part."""
    assert plan.parts is not None  # noqa: S101 - narrows the type
    lines = plan.parts.lines.all
    pages = plan.document.pages
    return pages[lines[excerpt.first].page].number, pages[lines[excerpt.last - 1].page].number


def _at_fault(merged: Merged, wrong: Sequence[Finding]) -> frozenset[int]:
    """The pieces whose rows break the schema."""
    found = set()
    for finding in wrong:
        steps = finding.pointer.split("/")
        for length in range(len(steps) - 1, 0, -1):
            rows = merged.rows.get("/".join(steps[:length]))
            if rows is not None and steps[length].isdigit() and int(steps[length]) < len(rows):
                found.add(rows[int(steps[length])].piece)
                break
    return frozenset(found)


def _shown(parts: Parts, one: PartRead) -> Shown:
    lines, excerpt = parts.lines.all, one.excerpt
    numbers = [*excerpt.context, *range(excerpt.first, excerpt.end)]
    texts = [
        (number, lines[number].text) for number in numbers if not lines[number].image or lines[number].text
    ]
    return Shown(texts, range(excerpt.first, excerpt.last), one.data)


def _count(value: Any) -> int:
    """The items of all lists."""
    if isinstance(value, list):
        return sum(1 + _count(item) for item in value)
    return sum(_count(child) for child in value.values()) if isinstance(value, dict) else 0
