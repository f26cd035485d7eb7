"""What the checks of single keywords look at, and what they answer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from service.registry.compatibility.facts import Case, Facts
from service.registry.compatibility.reach import forms
from service.registry.compatibility.report import Policy
from service.registry.compatibility.words import Node, Words

How = Policy | Literal["SET"]
"""``SET`` is set inclusion and nothing else; used inside, where a branch must be shown not to apply."""


class OutOfBudget(Exception):
    """The comparison takes too long."""


@dataclass(frozen=True, slots=True)
class Break:
    """A rule of the reader that what is written may break. ``pointer`` leads into the reader's schema."""

    pointer: str
    kind: str
    message: str
    written: Any = field(default=None, compare=False, repr=False)
    read: Any = field(default=None, compare=False, repr=False)
    undecided: bool = False


@dataclass(slots=True)
class Budget:
    """Steps that are left."""

    steps: int

    def spend(self, steps: int = 1) -> None:
        """Raises ``OutOfBudget``."""
        self.steps -= steps
        if self.steps < 0:
            raise OutOfBudget


class Walk(Protocol):
    """The comparison that the checks are part of."""

    how: How

    def follows(self, case: Case, node: Node, whole: Case | None = None) -> list[Break]:
        """What of a node does not follow from a case of the same value."""

    def inside(self, case: Case | None, node: Node) -> list[Break]:
        """The same for a member or an item; None is a value of which nothing is known."""

    def empty(self, case: Case) -> bool:
        """Whether it is certain that a case holds no value at all."""

    def apart(self, case: Case, node: Node, whole: Case | None = None) -> bool:
        """Whether it is certain that nothing of a case, as the reader ``whole`` knows it, meets ``node``."""

    def admits_null(self, case: Case | None) -> bool:
        """Whether null may stand there; not where nothing is known."""

    def facts_of(self, case: Case, opened: int | None = None, *, reading: bool = False) -> Facts:
        """What follows from a case, looked up."""

    def may_declare_more(self, case: Case) -> bool:
        """Whether a choice of a case that is still open may say something of members that are not declared."""

    def unchanged(self, case: Case, node: Node) -> bool:
        """Whether everything of a case is valid under ``node`` as it is."""

    def partings(self, case: Case, branches: Sequence[Node]) -> Iterator[list[Case]]:
        """Ways to split a case, the most telling first."""


@dataclass(slots=True)
class Scope:
    """What the checks of single keywords look at."""

    walk: Walk
    case: Case
    facts: Facts
    node: Node
    words: Words
    whole: Case

    @property
    def how(self) -> How:
        """The policy in force."""
        return self.walk.how

    def broken(self, keyword: str, kind: str, message: str, written: Any = None, read: Any = None) -> Break:
        """A break at one keyword of the node."""
        return Break(
            f"{self.node.pointer}/{keyword}" if keyword else self.node.pointer, kind, message, written, read
        )

    def filled(self) -> frozenset[str]:
        """Members that projecting adds as null: the reader requires them, and they need not be written."""
        if self.how != "RECORDS":
            return frozenset()
        told = self.facts_of_whole()
        missing = [name for name in told.required if name not in self.facts.required]
        return frozenset(name for name in missing if self.walk.admits_null(told.member(name)))

    def facts_of_whole(self) -> Facts:
        """What the reader says altogether: references, ``allOf`` and the branches that are taken."""
        return self.walk.facts_of(self.whole, reading=True)

    def inside(self, case: Case | None, node: Node, place: Callable[[Facts], Case | None]) -> list[Break]:
        """What of a reader's member or item ``node`` does not follow; ``place`` finds it in what the reader says.

        Projecting a record leaves of a member or item what the reader says of it altogether.
        """
        read = place(self.facts_of_whole()) if self.how == "RECORDS" else None
        if read is not None and sum(map(forms, read.holds)) > 1:
            node = node.source.joined(read.holds)
        return self.walk.inside(case, node)

    def is_empty(self, case: Case | None) -> bool:
        """Whether a member or item cannot be there."""
        return case is not None and self.walk.empty(case)
