"""Reading one segment: ask, decode, validate, and record the verdict on every attempt."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn, Protocol, assert_never

from service.catalogue import Model
from service.extraction.account import Hold
from service.extraction.errors import (
    AnswerMalformed,
    ContentFiltered,
    ModelRefused,
    OutputTruncated,
    RecordInvalid,
)
from service.extraction.journal import Journal
from service.extraction.judge import Accepted, Invalid, Malformed, judge
from service.extraction.plan import Form, Plan, Segment
from service.foundation.errors import Fault
from service.foundation.money import NanoUSD
from service.upstream import (
    Attempt,
    Call,
    Failed,
    Filtered,
    Refused,
    Reply,
    Text,
    Truncated,
    Upstream,
    problem_for,
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reading of a long document is. ``rows`` counts the items of all lists so far."""

    done: int
    of: int
    rows: int
    cost: NanoUSD


class Watch(Protocol):
    """Hears how an extraction goes, for callers who look on."""

    def planned(self, plan: Plan) -> None:
        """The document is loaded; the model is about to be asked."""

    def heard(self, attempt: int, delta: str) -> None:
        """A piece of the answer. With a new attempt, what was heard before is void."""

    def part(self, progress: Progress) -> None:
        """A part of a long document is read."""

    def grown(self, data: Any) -> None:
        """The record of the parts that are read so far."""

    def mending(self, calls: int, cost: NanoUSD) -> None:
        """What is wrong or missing in the record of all parts is asked for again, by so many calls at once."""

    def attempted(self, attempt: Attempt) -> None:
        """An attempt failed and was recorded; another follows."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a document is read: ``deadline`` is a value of ``clock.monotonic``.

    ``max_attempts`` bounds the requests for one segment, None leaves it to the settings.
    """

    deadline: float
    max_attempts: int | None
    caller: str
    watch: Watch | None


@dataclass(frozen=True, slots=True)
class Stronger:
    """The model that is asked when the first one fails; ``name`` is what it is asked by."""

    name: str
    model: Model


@dataclass(frozen=True, slots=True)
class Read:
    """What a segment says: a record that validates. ``answer`` is what was answered, and ``form`` what was asked for."""

    data: Any = field(repr=False)
    answer: Text = field(repr=False)
    form: Form = field(repr=False)


async def read(
    segment: Segment, plan: Plan, *, hold: Hold, upstream: Upstream, journal: Journal, terms: Terms
) -> Read:
    """One segment into one record. The worst case of the first attempt is set aside in ``hold``.

    The verdict on the last attempt is left in ``journal`` to be recorded with the result. Raises a ``WinnowError``
    for everything that is not a record.
    """
    reply = await ask(segment.call, hold=hold, upstream=upstream, journal=journal, terms=terms)
    outcome = reply.outcome
    if not reply.attempts:
        assert isinstance(outcome, Failed)  # noqa: S101 - narrows the type: only a passed deadline asks nobody
        raise problem_for(outcome)
    last = reply.attempts[-1]
    if not isinstance(outcome, Text):
        await journal.record(last)
        raise_for(outcome)
    form = plan.prepared.minimal if reply.minimal else plan.prepared.form
    verdict = await judge(outcome.text, form, plan.prepared.validator)
    match verdict:
        case Malformed(reason=reason):
            await journal.record(journal.judge(last, "malformed"))
            raise AnswerMalformed(f"The answer could not be read: {reason}.")
        case Invalid(findings=findings):
            await journal.record(journal.judge(last, "invalid"))
            raise RecordInvalid(
                f"The record breaks {len(findings)} rule(s) of the schema.",
                errors=[Fault(finding.pointer, finding.message) for finding in findings],
            )
        case Accepted(data=data):
            journal.judge(last, "accepted")
            return Read(data, outcome, form)
    assert_never(verdict)


async def ask(call: Call, *, hold: Hold, upstream: Upstream, journal: Journal, terms: Terms) -> Reply:
    """One call with its retries, paid from ``hold``. The verdict on the last attempt is left to the caller."""
    watch = terms.watch

    async def record(attempt: Attempt) -> None:
        await journal.record(attempt)
        if watch is not None:
            watch.attempted(attempt)

    door = upstream.call if watch is None else partial(upstream.stream, on_text=watch.heard)
    try:
        return await door(
            call,
            deadline=terms.deadline,
            record=record,
            caller=terms.caller,
            max_tries=terms.max_attempts,
            purse=hold,
        )
    finally:
        hold.release()


def raise_for(outcome: Refused | Truncated | Filtered | Failed) -> NoReturn:
    """The problem that an answer without text is. Raises it."""
    match outcome:
        case Refused(text=text):
            raise ModelRefused(
                "The model declined to extract from this document.", members={"refusal": text[:2000]}
            )
        case Truncated():
            raise OutputTruncated("The record is longer than the output budget of the model.")
        case Filtered():
            raise ContentFiltered("The provider's content filter stopped the answer.")
        case Failed():
            raise problem_for(outcome)
        case _:
            assert_never(outcome)
