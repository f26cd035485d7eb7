"""What happens after an answer: accept it, ask again for what is wrong, ask a stronger model, or stop. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from service.extraction.validate import Finding

Scope = Literal["gaps", "suspects", "columns", "rows", "whole"]
"""How much a repair asks for: rows that the record lacks, where the document may say them; of what a rule adds up only the
values that the document does not print; of failing lists the failing members only, whole lists, or the whole record."""

Kind = Literal["repair", "escalation"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How good the best record so far is: what it breaks of its schema, and what is doubtful about it.

    ``invalid`` and ``errors`` keep it from being accepted; ``doubts`` (broken rules of severity ``warning``, required
    values that do not stand in the document) are worth one repair, and are then told with the record.
    """

    invalid: tuple[Finding, ...] = ()
    errors: tuple[Finding, ...] = ()
    doubts: tuple[Finding, ...] = ()
    suspects: tuple[str, ...] = ()
    """The values that broken rules are about and that do not stand in the document: probably they break them."""
    missing: tuple[Finding, ...] = ()
    """What the document is known to show and the record lacks. It keeps the record from being accepted, too."""

    @property
    def wrong(self) -> tuple[Finding, ...]:
        """Everything that a repair is about."""
        return (*self.invalid, *self.errors, *self.missing, *self.doubts)

    @property
    def blocked(self) -> bool:
        """Whether the record cannot be accepted."""
        return bool(self.invalid or self.errors or self.missing)

    def better_than(self, other: "Standing | None") -> bool:
        """Whether a record of this standing replaces one of the other."""
        return other is None or self.rank < other.rank

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """Less is better."""
        return len(self.invalid), len(self.errors), len(self.missing), len(self.doubts)


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that was answered, of those beyond the first. ``usable`` unless it was malformed or had other rows."""

    kind: Kind
    scope: Scope
    usable: bool = True


@dataclass(frozen=True, slots=True)
class Accept:
    """The best record is good, or as good as a repair can make it."""


@dataclass(frozen=True, slots=True)
class Stop:
    """No further call would help, or is allowed."""


@dataclass(frozen=True, slots=True)
class Again:
    """One more call."""

    kind: Kind
    scope: Scope


Next = Accept | Stop | Again

_LADDER: tuple[Again, ...] = (
    Again("repair", "suspects"),
    Again("repair", "columns"),
    Again("repair", "rows"),
    Again("escalation", "rows"),
    Again("escalation", "whole"),
)
_WITHOUT_ESCALATION: tuple[Again, ...] = (
    Again("repair", "suspects"),
    Again("repair", "columns"),
    Again("repair", "rows"),
    Again("repair", "whole"),
)
_OF_GAPS: tuple[Again, ...] = (Again("repair", "gaps"), Again("escalation", "gaps"))
_OF_PARTS: tuple[Again, ...] = (
    Again("repair", "suspects"),
    Again("repair", "rows"),
    Again("escalation", "rows"),
)

About = Literal["record", "gaps", "values"]
"""What is decided about: a record that was read in one call; of one that was read in parts, which is never asked for as a
whole, the rows that it lacks, and then the values that it has."""


def _ladder(about: About, *, stronger: bool) -> tuple[Again, ...]:
    if about == "record":
        return _LADDER if stronger else _WITHOUT_ESCALATION
    steps = _OF_GAPS if about == "gaps" else _OF_PARTS
    # Without a stronger model the same one is asked once more, and shown more.
    return steps if stronger else tuple(Again("repair", step.scope) for step in steps)


def decide(
    best: Standing | None, asked: Sequence[Asked], *, left: int, stronger: bool, about: About = "record"
) -> Next:
    """The next step. ``best`` is None while no answer could be read; ``left`` is how many requests are still allowed.

    Each rung of the ladder is asked once. An answer that cannot be read is asked for again, whole: once of the same
    model, once of the stronger one. With requests for one more call only, that goes to the stronger model.
    """
    if best is not None and not best.wrong:
        return Accept()
    if best is None:
        steps = (Again("repair", "whole"), *([Again("escalation", "whole")] if stronger else []))
        return steps[len(asked)] if left > 0 and len(asked) < len(steps) else Stop()
    if not best.blocked and any(one.usable and one.scope != "suspects" for one in asked):
        return Accept()
    if left <= 0:
        return Stop() if best.blocked else Accept()
    ladder = [
        step
        for step in _ladder(about, stronger=stronger)
        # Where no finding is about a member of a whole list, both ask for the same.
        if (step.scope != "columns" or any(finding.columns for finding in best.wrong))
        and (step.scope != "suspects" or best.suspects)
    ]
    done = Counter((one.kind, one.scope) for one in asked)
    waiting = []
    for step in ladder:
        done[step.kind, step.scope] -= 1
        if done[step.kind, step.scope] < 0:
            waiting.append(step)
    if best.blocked and left == 1 and asked and stronger:
        waiting = [step for step in waiting if step.kind == "escalation"]
    if waiting:
        return waiting[0]
    return Stop() if best.blocked else Accept()
