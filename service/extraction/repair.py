"""From a first answer to the best record that the caps allow: repair what is wrong, then ask a stronger model.

A repair sends the findings, the failing part and the pages it stands on, and asks for that part only. The part goes into
the record, which is judged anew; a value that stands in the document is never replaced by one that does not.
"""

import asyncio
from dataclasses import replace
from typing import Any

from service.documents import Document
from service.extraction import prompt
from service.extraction.account import Account, Hold
from service.extraction.decide import Again, Asked, Next, Stop, decide
from service.extraction.errors import AnswerMalformed, RecordInvalid
from service.extraction.evidence import Index, locate
from service.extraction.fragments import Fragment, cut
from service.extraction.journal import Journal
from service.extraction.judge import Malformed, decoded
from service.extraction.looking import Candidate, Looking, is_about, readable, verdict
from service.extraction.narrowing import narrowed
from service.extraction.plan import Form, Plan, Prepared, part_of, prepare
from service.extraction.reading import Stronger, Terms, ask, raise_for
from service.extraction.said import NOTHING_SAID, Said
from service.extraction.wire import Options
from service.foundation import clock, jsontext
from service.foundation.errors import Fault
from service.registry.places import Place, parse
from service.upstream import Attempt, Call, Failed, Part, Reply, Text, TextPart, Upstream, problem_for

_LEAST_OUTPUT = 512
_OUTPUT_PER_CHARACTER = 2
_LEAST_SECONDS = 0.5
"""Time that must be left for another call to be begun."""

_MAX_FINDINGS = 20


class Mending:
    """The reading of one document in one call, with its repairs."""

    def __init__(
        self,
        plan: Plan,
        *,
        account: Account,
        journal: Journal,
        terms: Terms,
        upstream: Upstream,
        options: Options,
        most: int,
        stronger: Stronger | None,
        evidence: bool,
    ) -> None:
        self._plan = plan
        (self._segment,) = plan.segments
        self._account = account
        self._journal = journal
        self._terms = terms
        self._upstream = upstream
        self._options = options
        self._most = most
        self._stronger = stronger
        self._evidence = evidence
        self._looking = Looking(plan.document, plan.prepared, evidence=evidence)
        self._asked: list[Asked] = []

    async def read(self, hold: Hold) -> Candidate:
        """The best record. Its ``standing`` says whether it may be accepted; it is never invalid.

        Raises a ``WinnowError`` for everything that is not a record: what ended the first call, ``AnswerMalformed``,
        ``RecordInvalid``, or what ended a later call when no record can be accepted without it.
        """
        last, outcome, form = await self._first(hold)
        best = await self._judged(outcome, form, last)
        while True:
            step = self._next(best)
            if not isinstance(step, Again):
                return self._concluded(best, step)
            last = self._journal.attempts[-1]
            await self._journal.record(last)
            if self._terms.watch is not None:
                self._terms.watch.attempted(last)
            reply = await self._ask(step, best)
            if reply is None:
                return self._concluded(best, Stop())
            best = reply

    def _next(self, best: Candidate | None) -> Next:
        left = self._most - len(self._journal.attempts)
        if self._terms.deadline - clock.monotonic() < _LEAST_SECONDS:
            left = 0
        return decide(
            None if best is None else best.standing,
            self._asked,
            left=left,
            stronger=self._stronger is not None,
        )

    def _concluded(self, best: Candidate | None, step: Next) -> Candidate:
        if best is None:
            raise AnswerMalformed("The answer could not be read: it is not of the form that was asked for.")
        if best.standing.invalid:
            findings = best.standing.invalid
            raise RecordInvalid(
                f"The record breaks {len(findings)} rule(s) of the schema.",
                errors=[Fault(finding.pointer, finding.message) for finding in findings],
            )
        if not isinstance(step, Stop):
            last = self._journal.attempts[-1]
            if last.outcome == "doubtful":
                self._journal.judge(last, "accepted")
        return best

    async def _first(self, hold: Hold) -> tuple[Attempt, Text, Form]:
        reply = await ask(
            self._segment.call,
            hold=hold,
            upstream=self._upstream,
            journal=self._journal,
            terms=self._terms,
        )
        outcome = reply.outcome
        if not reply.attempts:
            assert isinstance(outcome, Failed)  # noqa: S101 - narrows the type: only a passed deadline asks nobody
            raise problem_for(outcome)
        last = reply.attempts[-1]
        if not isinstance(outcome, Text):
            await self._journal.record(last)
            raise_for(outcome)
        prepared = self._plan.prepared
        return last, outcome, prepared.minimal if reply.minimal else prepared.form

    async def _judged(self, outcome: Text, form: Form, attempt: Attempt) -> Candidate | None:
        data = decoded(outcome.text, form)
        if isinstance(data, Malformed):
            self._journal.judge(attempt, "malformed")
            return None
        candidate = await self._looking.at(data, await self._said(outcome, form))
        self._journal.judge(attempt, verdict(candidate.standing))
        return candidate

    async def _said(self, outcome: Text, form: Form) -> Said:
        if not self._evidence or not (outcome.tokens or form.quoted):
            return NOTHING_SAID
        return await asyncio.to_thread(Said.of, outcome, form)

    async def _ask(self, step: Again, best: Candidate | None) -> Candidate | None:
        """One more call, and the better of the record before and after it.

        None when the call could not be made, or ended without an answer that can be used, and nothing else was wrong.
        """
        strong = self._stronger if step.kind == "escalation" else None
        fragment = None
        if best is not None and step.scope != "whole":
            fragment = self._fragment(step, best)
        prepared = await self._prepared(fragment)
        call = await self._call(step, best, fragment, prepared, strong)
        model = self._plan.model if strong is None else strong.model
        hold = self._account.hold(call, model)
        if not await hold.reserve():
            return None
        self._asked.append(Asked(step.kind, step.scope))
        if fragment is None and step.scope != "whole":
            self._asked.append(Asked(step.kind, "whole"))
        terms = replace(
            self._terms, max_attempts=max(1, self._most - len(self._journal.attempts)), watch=None
        )
        reply = await ask(call, hold=hold, upstream=self._upstream, journal=self._journal, terms=terms)
        return await self._answered(reply, best, fragment, prepared)

    async def _answered(
        self, reply: Reply, best: Candidate | None, fragment: Fragment | None, prepared: Prepared
    ) -> Candidate | None:
        outcome = reply.outcome
        if not isinstance(outcome, Text):
            if reply.attempts:
                await self._journal.record(reply.attempts[-1])
            if isinstance(outcome, Failed) and (best is None or best.standing.blocked):
                raise problem_for(
                    outcome
                )  # another try may bring the record: that is not the document's fault
            return None
        last = reply.attempts[-1]
        form = prepared.minimal if reply.minimal else prepared.form
        answer = decoded(outcome.text, form)
        data = answer
        if fragment is not None and best is not None and not isinstance(answer, Malformed):
            data = fragment.graft(best.data, answer) if isinstance(answer, dict) else None
        if data is None or isinstance(data, Malformed):
            # Without as many values as there are rows, rows are missing or too many: whole rows are asked for next.
            self._asked[-1] = replace(self._asked[-1], usable=False)
            self._journal.judge(last, "malformed" if isinstance(answer, Malformed) else "invalid")
            return best
        said = await self._said(outcome, form)
        if best is not None:
            said = said if fragment is None else best.said.grafted(fragment, said)
            if not best.standing.invalid:
                data, back = await self._looking.supported(best.data, data)
                said = said.back(best.said, back)
        candidate = await self._looking.at(data, said)
        self._journal.judge(last, verdict(candidate.standing))
        return candidate if best is None or candidate.standing.better_than(best.standing) else best

    def _fragment(self, step: Again, best: Candidate) -> Fragment | None:
        findings = best.standing.wrong[:_MAX_FINDINGS]
        pointers: list[str] = []
        columns: list[Place] = []
        suspects = best.standing.suspects if step.scope == "suspects" else ()
        for finding in findings:
            if about := [pointer for pointer in suspects if is_about(finding, pointer)]:
                pointers += about
                continue
            lists = {column.split("/*", 1)[0] for column in finding.columns}
            places = finding.places or (finding.pointer,)
            narrow = step.scope in ("suspects", "columns")
            pointers += [place for place in places if not narrow or place not in lists]
            columns += [parse(column) for column in finding.columns] if narrow else []
        return cut(self._plan.version.schema, best.data, pointers, columns)

    async def _prepared(self, fragment: Fragment | None) -> Prepared:
        if fragment is None:
            return self._plan.prepared
        part = part_of(self._plan.version, fragment.schema)
        return await asyncio.to_thread(prepare, part)

    async def _call(
        self,
        step: Again,
        best: Candidate | None,
        fragment: Fragment | None,
        prepared: Prepared,
        strong: Stronger | None,
    ) -> Call:
        first = self._segment.call
        parts, budget = first.parts, first.max_output_tokens
        if fragment is not None and best is not None:
            current = len(jsontext.render(fragment.current(best.data)))
            budget = min(budget, _LEAST_OUTPUT + _OUTPUT_PER_CHARACTER * current)
            again = any(one.usable for one in self._asked)
            parts = await self._shown(best, fragment, closely=step.kind == "repair" and not again)
        if best is not None:
            text = prompt.check(best.standing.wrong[:_MAX_FINDINGS], best.data, fragment)
            parts = (*parts, TextPart(text))
        name, model = (self._plan.name, self._plan.model) if strong is None else (strong.name, strong.model)
        return replace(
            first,
            model=name,
            instructions=first.instructions if fragment is None else prompt.shortened(first.instructions),
            parts=parts,
            format=prepared.form.format,
            minimal=prepared.minimal.format,
            max_output_tokens=min(budget, model.max_output_tokens),
            kind=step.kind,
        )

    async def _shown(self, best: Candidate, fragment: Fragment, *, closely: bool) -> tuple[Part, ...]:
        """The pages on which the failing part stands, all where that is not known; ``closely``: of these, the lines."""
        document = self._plan.document
        if not readable(document):
            return self._segment.call.parts[len(prompt.examples(self._plan.examples)) :]
        wanted = await self._pages(best, fragment)
        shown = document
        if wanted is not None:
            shown = replace(document, pages=tuple(page for page in document.pages if page.number in wanted))
        if closely:
            less = await asyncio.to_thread(self._narrowed, shown, best.data, fragment)
            shown = shown if less is None else less
        if shown is document:
            return self._segment.call.parts[len(prompt.examples(self._plan.examples)) :]
        # A file is given whole or not at all: of some of its pages, what was read here is shown.
        return prompt.parts(replace(shown, files=()), self._options.policy, self._options.detail)

    async def _pages(self, best: Candidate, fragment: Fragment) -> set[int] | None:
        """The numbers of the pages on which the failing part stands; None where that is not known."""
        if len(self._plan.document.pages) < 2:
            return None
        found = await self._looking.located(best.data)
        wanted: set[int] = set()
        for part in fragment.parts:
            inside = part.inside
            pages = {
                one.page
                for pointer, one in found.items()
                if one.page is not None and (pointer == inside or pointer.startswith(inside + "/"))
            }
            if not pages:
                return None
            wanted |= set(
                range(min(pages), max(pages) + 2)
            )  # rows that are missing may stand on the next page
        return wanted

    def _narrowed(self, document: Document, data: Any, fragment: Fragment) -> Document | None:
        # Spans in the text that the model is shown, also on pages whose words have boxes.
        texts = Index(tuple(replace(page, words=()) for page in document.pages))
        outline = self._plan.prepared.outline
        return narrowed(document, data, fragment, locate(texts, data, outline), outline)
