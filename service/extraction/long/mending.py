"""From what the parts of a long document say to the best record that the caps allow.

The answers are merged and judged. Rows that the document shows and the record lacks are asked for where they may stand, and
come in by their places. Values that are wrong or missing are asked for by themselves: those of rows of the part they stand
in, others of what shows the beginning of the document, their labels, and its end. Then a stronger model is asked the same.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from service.extraction import plan as planning
from service.extraction import prompt
from service.extraction.decide import Again, Asked, Standing, decide
from service.extraction.errors import RecordIncomplete, RecordInvalid
from service.extraction.evidence import Outline
from service.extraction.fragments import Fragment, cut
from service.extraction.long.asking import Asking, Unit
from service.extraction.long.joined import Joined, PartRead, Whole, join, pages_of, placed_in, with_more
from service.extraction.long.targets import Target, places_of
from service.extraction.looking import Candidate, Looking, is_about, lost, readable, restored
from service.extraction.plan import Parts, Plan, part_of, prepare
from service.extraction.said import NOTHING_SAID, Said
from service.extraction.segments.completeness import doubts
from service.extraction.segments.excerpts import weight
from service.extraction.segments.relaxed import complete, filled
from service.extraction.segments.relevant import Chosen, all_of, around, of_header
from service.extraction.segments.shapes import says_nothing
from service.extraction.validate import Finding
from service.foundation import jsontext
from service.foundation.errors import Fault
from service.upstream import Attempt, Part, TextPart

_LEAST_OUTPUT = 512
_OUTPUT_PER_CHARACTER = 2
_MAX_FINDINGS = 20
_CLOSELY = 0.4
"""Share of the largest part that the first question for what a document says once may show."""

_ALONE = 8
"""Answers that are tried one by one where all together make nothing better."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """What a question for some values brought. ``fragment`` None: members of the record, to fill in what it lacks."""

    fragment: Fragment | None
    data: Any = field(repr=False)
    said: Said
    attempt: Attempt


class PartsMending:
    """The record of a document that was read in parts, with its repairs."""

    def __init__(self, plan: Plan, parts: Parts, asking: Asking, *, evidence: bool) -> None:
        self._plan = plan
        self._parts = parts
        self._asking = asking
        self._looking = Looking(plan.document, plan.prepared, evidence=evidence)
        self._header = Unit(None)
        self._heaviest = max(
            sum(weight(line) for line in parts.lines.all[excerpt.first : excerpt.last])
            for excerpt in parts.excerpts
        )

    async def mend(self, found: Sequence[PartRead], *, partial: bool = False) -> Whole:
        """The record of the parts. Raises ``RecordInvalid``, and unless ``partial`` what keeps it from being whole."""
        joined = await asyncio.to_thread(join, self._plan, self._parts, found)
        joined = await self._completed(joined)
        best = await self._look(joined.merged.data, joined.said, joined)
        best = await self._repaired(joined, best)
        return await self._concluded(joined, best, partial=partial)

    async def _look(self, data: Any, said: Said, joined: Joined) -> Candidate:
        known = (*joined.conflicts, *(gap.finding for gap in joined.gaps))
        return await self._looking.at(data, said, known)

    async def _concluded(self, joined: Joined, best: Candidate, *, partial: bool) -> Whole:
        wrong = best.standing.invalid
        count = len(joined.spans)
        if wrong:
            self._asking.raise_failure()
            raise RecordInvalid(
                f"The record of all {count} parts breaks {len(wrong)} rule(s) of the schema.",
                errors=[Fault(finding.pointer, finding.message) for finding in wrong],
            )
        uncertain = [gap.finding for gap in joined.gaps]
        if uncertain and best.data is not joined.merged.data:
            merged = replace(joined.merged, data=best.data)
            uncertain = await asyncio.to_thread(doubts, merged, self._parts.lines)
        missing = [
            Finding("", "completeness.part", self._unread(one), "warning")
            for one in joined.found
            if one.failure is not None
        ]
        every = (*missing, *uncertain)
        if every and not partial:
            self._asking.raise_failure()
            raise RecordIncomplete(
                "The document shows rows, counts or totals that the record does not account for.",
                errors=[Fault(doubt.pointer, doubt.message) for doubt in every],
            )
        return Whole(best.data, joined.conflicts, every, joined.spans, best.seen)

    def _unread(self, one: PartRead) -> str:
        first, last = pages_of(self._plan, one.excerpt)
        code = one.failure.code if one.failure is not None else ""
        return f"Pages {first} to {last} could not be read ({code})."

    # ------------------------------------------------------------------------------------------- rows that are lacking

    async def _completed(self, joined: Joined) -> Joined:
        """The rows that the document shows and no part gave, asked for where they may stand."""
        asked: list[Asked] = []
        while True:
            gaps = [gap for gap in joined.gaps if gap.lines]
            # A count says of no line that it is a row: lines are looked at for it where nothing tells more.
            telling = [gap for gap in gaps if gap.finding.rule != "completeness.count"] or gaps
            wanted = frozenset(line for gap in telling for line in gap.lines)
            units = {
                unit: lines for unit, lines in joined.units(wanted).items() if self._asking.left(unit) > 0
            }
            step = decide(
                Standing(missing=tuple(gap.finding for gap in gaps)),
                asked,
                left=max(map(self._asking.left, units), default=0),
                stronger=self._asking.stronger is not None,
                about="gaps",
            )
            if not isinstance(step, Again):
                return joined
            closely = not asked
            asked.append(Asked(step.kind, step.scope))
            self._asking.tell(len(units))
            findings = [gap.finding for gap in gaps]
            more = await together(
                self._rows(step, unit, lines, findings, closely=closely) for unit, lines in units.items()
            )
            read = [one for one in more if one is not None]
            if not read:
                continue
            found = with_more(joined.found, read)
            renewed = await asyncio.to_thread(join, self._plan, self._parts, found)
            if renewed.lacking < joined.lacking:
                joined = renewed

    async def _rows(
        self, step: Again, unit: Unit, wanted: frozenset[int], findings: Sequence[Finding], *, closely: bool
    ) -> PartRead | None:
        """What the lines around some of a part's say; None when they could not be read."""
        segment = unit.segment
        assert segment is not None and segment.excerpt is not None  # noqa: S101, PT018 - narrows: only the header has none
        lines = self._parts.lines
        chosen = around(lines, wanted, segment.excerpt) if closely else all_of(segment.excerpt)
        parts = (*self._shown(chosen), TextPart(prompt.check(findings, None, None)))
        call = replace(segment.call, parts=parts, kind=step.kind)
        reply = await self._asking.ask(call, unit, self._parts.prepared.form, self._parts.prepared.minimal)
        if reply is None:
            return None
        if not self._parts.prepared.validator.accepts(reply.data):
            await self._asking.record(reply.attempt, "invalid")
            return None
        await self._asking.record(reply.attempt, "accepted")
        said = await self._asking.said(reply.text, reply.form)
        return PartRead(placed_in(chosen), reply.data, unit=unit, said=said, look=chosen)

    def _shown(self, chosen: Chosen) -> tuple[Part, ...]:
        asking = self._asking
        return prompt.selected(
            self._parts.lines,
            chosen.rest,
            chosen.before,
            self._plan.document,
            asking.options.policy,
            asking.options.detail,
        )

    # ------------------------------------------------------------------------------------------- values that are wrong

    async def _repaired(self, joined: Joined, best: Candidate) -> Candidate:
        """The values that are wrong or missing, asked for by themselves.

        An answer that says nothing of what is missing is a valid one; it is taken when nobody else says more.
        """
        asked: list[Asked] = []
        silent: list[_Answer] = []
        while True:
            wanted = places_of(best.standing, best.data)
            units = joined.by_unit(wanted, self._header)
            left = max(map(self._asking.left, units), default=0)
            step = decide(
                best.standing, asked, left=left, stronger=self._asking.stronger is not None, about="values"
            )
            if not isinstance(step, Again):
                return await self._taken(best, silent, joined) if best.standing.invalid else best
            closely = not any(one.usable for one in asked)
            asked.append(Asked(step.kind, step.scope))
            scope = [
                (unit, target) for unit, some in units.items() for target in some[: self._asking.left(unit)]
            ]
            self._asking.tell(len(scope))
            answers = await together(
                self._values(step, unit, target, best, joined, closely=closely) for unit, target in scope
            )
            silent += [one for one in answers if one is not None and _says_nothing(one, best.data)]
            given = [one for one in answers if one is not None and one not in silent]
            if not given:
                asked[-1] = replace(asked[-1], usable=False)
                continue
            best = await self._taken(best, given, joined)

    async def _values(
        self, step: Again, unit: Unit, target: Target, best: Candidate, joined: Joined, *, closely: bool
    ) -> _Answer | None:
        """The answer to a question for some values of the record; None when there was none that can be used."""
        schema = self._plan.version.schema
        fragment = cut(schema, best.data, target.pointers)
        if fragment is None:
            return await self._once(step, unit) if unit is self._header else None
        prepared = await asyncio.to_thread(prepare, part_of(self._plan.version, fragment.schema))
        chosen = await asyncio.to_thread(self._lines, unit, target, fragment, joined, closely=closely)
        findings = [
            one for one in best.standing.wrong if any(_concerns(one, part.pointer) for part in fragment.parts)
        ]
        current = fragment.current(best.data)
        single = all(not isinstance(current.get(part.name, []), list | dict) for part in fragment.parts)
        first = self._plan.segments[0].call if unit.segment is None else unit.segment.call
        whole = single or unit.segment is not None
        budget = _LEAST_OUTPUT + _OUTPUT_PER_CHARACTER * len(jsontext.render(current))
        call = replace(
            first,
            instructions=prompt.shortened(first.instructions),
            parts=(
                *self._shown(chosen),
                TextPart(prompt.check(findings[:_MAX_FINDINGS], best.data, fragment)),
            ),
            format=prepared.form.format,
            minimal=prepared.minimal.format,
            max_output_tokens=min(
                first.max_output_tokens, budget if whole else self._asking.settings.min_output_tokens
            ),
            kind=step.kind,
        )
        reply = await self._asking.ask(call, unit, prepared.form, prepared.minimal)
        if reply is None:
            return None
        if not isinstance(reply.data, dict):
            await self._asking.record(reply.attempt, "invalid")
            return None
        return _Answer(fragment, reply.data, await self._asking.said(reply.text, reply.form), reply.attempt)

    async def _once(self, step: Again, unit: Unit) -> _Answer | None:
        """All that the document says once, of its ends: for schemas of which nothing can be cut out."""
        prepared = self._parts.once
        segment = planning.segment_once(
            self._plan,
            self._plan.segments[0].call,
            options=self._asking.options,
            settings=self._asking.settings,
        )
        call = replace(segment.call, kind=step.kind)
        reply = await self._asking.ask(call, unit, prepared.form, prepared.minimal)
        return None if reply is None else _Answer(None, reply.data, NOTHING_SAID, reply.attempt)

    def _lines(
        self, unit: Unit, target: Target, fragment: Fragment, joined: Joined, *, closely: bool
    ) -> Chosen:
        """What is shown with a question: ``closely`` what is most likely to answer it, else as much as a part is."""
        lines = self._parts.lines
        if unit.segment is not None and unit.segment.excerpt is not None:
            excerpt = unit.segment.excerpt
            wanted = joined.lines_of(target.rows) if closely else None
            return all_of(excerpt) if wanted is None else around(lines, wanted, excerpt)
        outline = self._plan.prepared.outline
        facts = [
            outline.facts(tuple("*" if isinstance(step, int | None) else step for step in part.steps))
            for part in fragment.parts
        ]
        settings = self._asking.settings
        tokens = self._heaviest * (_CLOSELY if closely else 1.0)
        return of_header(lines, facts, tokens=tokens, images=1 if closely else settings.part_images)

    async def _taken(self, best: Candidate, given: Sequence[_Answer], joined: Joined) -> Candidate:
        """The best record with what the answers make better of it: all of them, or one by one those that do."""
        before = best
        together_ = await self._with(best, given, joined)
        if together_.standing.better_than(best.standing):
            for one in given:
                await self._asking.record(one.attempt, "accepted")
            return together_
        for one in given:
            candidate = await self._with(best, [one], joined) if 1 < len(given) <= _ALONE else before
            better = candidate.standing.better_than(best.standing)
            best = candidate if better else best
            await self._asking.record(one.attempt, "accepted" if better else "invalid")
        return best

    async def _with(self, best: Candidate, given: Sequence[_Answer], joined: Joined) -> Candidate:
        """The record with some answers in it."""
        data, said = best.data, best.said
        for one in given:
            if one.fragment is None:
                data = complete(filled(data, one.data), self._plan.version.schema)
                continue
            answer, back = await self._supported(best, one.fragment, one)
            grafted = one.fragment.graft(data, answer)
            if grafted is not None:
                data, said = grafted, said.grafted(one.fragment, one.said.without(back))
        return await self._look(data, said, joined)

    async def _supported(
        self, best: Candidate, fragment: Fragment, one: _Answer
    ) -> tuple[Mapping[str, Any], list[str]]:
        """The answer, with what the record said where that stands in the document and the answer does not.

        What the schema does not allow is not kept, wherever it stands.
        """
        if not readable(self._plan.document):
            return one.data, []
        broken = {
            part.name
            for part in fragment.parts
            if any(_concerns(finding, part.pointer) for finding in best.standing.invalid)
        }
        before = {name: value for name, value in fragment.current(best.data).items() if name not in broken}
        outline = Outline(fragment.schema)
        back = lost(
            await self._looking.located(before, outline), await self._looking.located(one.data, outline)
        )
        return restored(before, one.data, back), back


def _says_nothing(answer: _Answer, data: Any) -> bool:
    """Whether values are asked for that the record lacks, and the answer has none of them."""
    if answer.fragment is None:
        return False
    current = answer.fragment.current(data)
    asked = [part.name for part in answer.fragment.parts if part.name not in current]
    return bool(asked) and all(says_nothing(answer.data.get(name)) for name in asked)


def _concerns(finding: Finding, pointer: str) -> bool:
    """Whether a finding is about a place of the record, or something in it."""
    inside = f"{pointer}/"
    places = (finding.pointer, *finding.places)
    return is_about(finding, pointer) or any(place.startswith(inside) for place in places)


async def together(work: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """What all of them bring, done side by side; when one fails, the others are given up."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
