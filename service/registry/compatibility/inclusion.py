"""Whether everything that one schema lets be written can be read by another: a walk over both.

The writer's side is a case, from which facts follow; the reader's side is one node, each keyword of which must follow
from these facts. Where it does not, the case is split at the writer's own choices and tried again part by part. What
refers to itself is taken to hold while it is being looked at, and looked at again if that proves wrong, until nothing
changes: the greatest fixpoint. Everything is counted against a budget, and what exceeds it is undecided.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from service.registry.compatibility import objects, readings, scalars, sequences
from service.registry.compatibility.facts import Case, Facts, alone, alternatives, facts_of
from service.registry.compatibility.scope import Break, Budget, How, Scope
from service.registry.compatibility.shapes import Shapes
from service.registry.compatibility.values import TooDeep, admits, kind_of
from service.registry.compatibility.words import Node, Source, Words

_MAX_DEPTH = 60
_MAX_SPLITS = 6
"""Splits of one case in search of a reader's branch."""
_FINITE = 16
"""Values of a member that a case is split into."""

_VALUES_A_STEP = 50
"""Enumerated values that are looked up in about the time of one other step."""

_Loose = Callable[[str], bool]

_Key = tuple[Case, Node, Case | None]


class Inclusion:
    """Compares what ``writer`` writes with what ``reader`` reads. Not to be used twice."""

    def __init__(self, writer: Source, reader: Source, how: How, budget: Budget) -> None:
        self.writer = writer
        self.reader = reader
        self.how = how
        self.budget = budget
        self._exact = self if how == "SET" else Inclusion(writer, reader, "SET", budget)
        self._shapes = Shapes(budget)
        self._known: dict[_Key, list[Break]] = {}
        self._wrong: dict[_Key, list[Break]] = {}
        self._active: dict[_Key, int] = {}
        self._assumed: set[_Key] = set()
        self._facts: dict[tuple[Case, int | None, bool], Facts] = {}
        self._open: dict[Case, bool] = {}
        self._again = False
        self._level = 0
        self._depth = 0

    def run(self) -> list[Break]:
        """What breaks; nothing where the reader understands everything. Raises ``OutOfBudget``."""
        while True:
            self._known.clear()
            self._assumed.clear()
            self._again = False
            found = self.follows(Case.of(self.writer.root), self.reader.root)
            if not self._again:
                return found

    def same_roots(self) -> bool:
        """Whether both schemas plainly say the same."""
        return self._shapes.same(self.writer.root, self.reader.root)

    # -- one node of the reader

    def follows(self, case: Case, node: Node, whole: Case | None = None) -> list[Break]:
        """What of ``node`` does not follow from a case. ``whole`` is what of the reader ``node`` is a part of."""
        self.budget.spend()
        key = (case, node, whole)
        if key in self._wrong:
            return self._wrong[key]
        if key in self._known:
            return self._known[key]
        if key in self._active:
            if self._active[key] == self._level:
                return [_undecided(node, "the schema refers to itself without going deeper")]
            self._assumed.add(key)
            return []
        if self._depth > _MAX_DEPTH:
            return [_undecided(node, "the schemas nest too deep to be compared")]
        self._active[key] = self._level
        self._depth += 1
        try:
            found = self._look(case, node, whole)
        finally:
            self._depth -= 1
            del self._active[key]
        if found and key in self._assumed:
            self._wrong[key] = found
            self._again = True
        self._known[key] = found
        return found

    def inside(self, case: Case | None, node: Node) -> list[Break]:
        """The same for a member or an item; None is a value of which nothing is known."""
        self._level += 1
        try:
            return self.follows(case or Case(frozenset()), node)
        finally:
            self._level -= 1

    def _look(self, case: Case, node: Node, whole: Case | None) -> list[Break]:
        words = self.reader_words(node)
        if not words.never and not words.says:
            return []
        if any(self._shapes.same(one, node) for one in case.holds) and (
            self.how != "RECORDS" or whole is None or alone(whole, self.facts_of(whole, reading=True), node)
        ):
            return []
        facts = self.facts_of(case)
        if facts.never:
            return []
        if words.never:
            return (
                []
                if self.empty(case)
                else [Break(node.pointer, "SCHEMA_CLOSED", "no value is read here any more")]
            )
        if facts.values is not None:
            return self._values(facts.values, node, words)
        if whole is None and self.how == "RECORDS" and facts.kinds & {"object", "array"}:
            found = readings.read(self, case, Case.of(node))
        else:
            found = self._parts(case, facts, node, words, whole or Case.of(node))
        if found and self.empty(case):
            return []
        if found and facts.choices:
            return self._split(case, facts, node, whole, found)
        return found

    def _parts(self, case: Case, facts: Facts, node: Node, words: Words, whole: Case) -> list[Break]:
        found: list[Break] = []
        for part in words.everywhere:
            found += self.follows(case, part, whole)
        scope = Scope(self, case, facts, node, words, whole)
        for check in _CHECKS:
            found += check(scope)
        if words.any_of is not None and (node, "anyOf") not in whole.taken:
            found += self._some(case, node, words.any_of, whole, _MAX_SPLITS)
        if words.one_of is not None and (node, "oneOf") not in whole.taken:
            found += self._some(case, node, words.one_of, whole, _MAX_SPLITS, one=True)
        if words.excluded is not None and not self.apart(case, words.excluded, whole):
            found.append(
                Break(
                    f"{node.pointer}/not",
                    "NOT_TYPE_EXTENDED",
                    "what is excluded here may be written",
                    read=words.excluded.schema,
                )
            )
        if words.conditional is not None and (node, "if") not in whole.taken:
            found += self._conditional(case, words, whole)
        return _once(found)

    def _split(
        self, case: Case, facts: Facts, node: Node, whole: Case | None, before: list[Break]
    ) -> list[Break]:
        """Look at each way in which the writer may write."""
        owner, keyword = facts.choices[0]
        found: list[Break] = []
        parts = alternatives(case, owner, keyword)
        for part in parts:
            found += self.follows(part, node, whole)
        if not found:
            return []
        # Alternatives that only repeat what was known without them add nothing.
        return before if len(found) >= len(before) * max(1, len(parts)) else _once(found)

    def _values(self, values: Sequence[Any], node: Node, words: Words) -> list[Break]:
        self.budget.spend(1 + len(values) // _VALUES_A_STEP)
        refused = []
        for value in values:
            try:
                if not admits(node, value):
                    refused.append(value)
            except TooDeep:
                return [_undecided(node, "an enumerated value nests too deep to be compared")]
        if not refused:
            return []
        kinds = {kind_of(value) for value in refused}
        if not kinds & words.kinds:
            return [
                Break(
                    f"{node.pointer}/type",
                    "TYPE_CHANGED",
                    f"{_listed(kinds)} is not read any more",
                    read=sorted(words.kinds),
                )
            ]
        return [
            Break(
                f"{node.pointer}/enum" if words.values is not None else node.pointer,
                "ENUM_ARRAY_NARROWED" if words.values is not None else "VALUES_NOT_COVERED",
                f"{len(refused)} value(s) that may be written are not read",
                written=refused[:10],
                read=words.values,
            )
        ]

    def _conditional(self, case: Case, words: Words, whole: Case) -> list[Break]:
        given = words.conditional
        assert given is not None  # noqa: S101 - narrows the type: the caller looked
        found: list[Break] = []
        turns = self.how == "RECORDS" and readings.speaks_of(
            given.condition, readings.filled(self, case, whole)
        )
        if given.then is not None and not self.apart(case, given.condition, whole):
            found += self.follows(case if turns else case.also(given.condition), given.then)
        if given.otherwise is not None and turns:
            found += self.follows(case, given.otherwise)
        elif given.otherwise is not None and self._exact.follows(case, given.condition):
            outside = case.also(fails=[given.condition])
            negated = given.condition.source.negated(given.condition)
            for part in [outside.also(one) for one in negated]:
                found += self.follows(part, given.otherwise)
        return found

    # -- branches

    def _some(
        self, case: Case, node: Node, branches: Sequence[Node], whole: Case, splits: int, *, one: bool = False
    ) -> list[Break]:
        """A branch that everything of the case follows, or one for each part of it."""
        nearest: list[Break] | None = None
        for branch in branches:
            found = self.follows(case, branch)
            if not found and (not one or self._only(case, branch, branches, whole)):
                return []
            if found and (nearest is None or len(found) < len(nearest)):
                nearest = found
        if splits > 0:
            for parts in self.partings(case, branches):
                if all(not self._some(part, node, branches, whole, splits - 1, one=one) for part in parts):
                    return []
                break
        kind = "SUM_TYPE_NARROWED" if nearest else "SUM_TYPE_OVERLAPS"
        message = (
            "what may be written is not read by one of the alternatives"
            if nearest
            else "what may be written may be read by more than one alternative"
        )
        pointer = f"{node.pointer}/{'oneOf' if one else 'anyOf'}"
        return [
            Break(pointer, kind, message, read=[branch.schema for branch in branches], undecided=not nearest),
            *(nearest or [])[:5],
        ]

    def _only(self, case: Case, branch: Node, branches: Sequence[Node], whole: Case) -> bool:
        return all(self.apart(case, other, whole.also(branch)) for other in branches if other != branch)

    def partings(self, case: Case, branches: Sequence[Node]) -> Iterator[list[Case]]:
        """Ways to split a case, the most telling first."""
        facts = self.facts_of(case)
        if facts.never or facts.values is not None:
            if facts.values is not None and len(facts.values) > 1:
                yield [
                    case.also(self.writer.made(("value", repr(value)), {"const": value}))
                    for value in facts.values[:64]
                ]
            return
        if facts.choices:
            yield alternatives(case, *facts.choices[0])
        if len(facts.kinds) > 1:
            yield [
                case.also(self.writer.made(("kind", kind), {"type": [kind]})) for kind in sorted(facts.kinds)
            ]
        if facts.kinds != {"object"}:
            return
        told = [self.facts_of(Case.of(branch)) for branch in branches]
        named = dict.fromkeys(name for one in told for name in (*one.required, *one.declared()))
        for name in named:
            member = facts.member(name)
            values = None if member is None else self.facts_of(member).values
            if name in facts.required and values is not None and 1 < len(values) <= _FINITE:
                yield [
                    case.also(
                        self.writer.made(
                            ("member", name, repr(value)), {"properties": {name: {"const": value}}}
                        )
                    )
                    for value in values
                ]
            elif name not in facts.required and any(name in one.required for one in told):
                yield [
                    case.also(
                        self.writer.made(("present", name, ()), {"type": "object", "required": [name]})
                    ),
                    case.also(self.writer.made(("absent", name), {"properties": {name: False}})),
                ]

    # -- nothing in common

    def apart(self, case: Case, node: Node, whole: Case | None = None) -> bool:
        """Whether it is certain that nothing of a case, as the reader ``whole`` knows it, meets ``node``."""
        self.budget.spend()
        if self.how != "RECORDS":
            for refused in case.fails:
                if not self._exact.follows(Case.of(node), refused):
                    return True
            return self.empty(case.also(node))
        # A projected record differs from the written one: what that one fails says nothing of it, members that a closed
        # object does not name are gone, and others have become null.
        loose = None if whole is None else readings.changed(self, case, whole)
        return self.empty(case.also(node), opened=self.reader.side, loose=loose)

    def admits_null(self, case: Case | None) -> bool:
        """Whether null may stand there; not where nothing is known."""
        null = self.reader.made(("kind", "null"), {"type": ["null"]})
        return case is not None and not self.empty(case.also(null))

    def may_declare_more(self, case: Case) -> bool:
        """Whether a choice of a case that is still open may say something of members that are not declared."""
        known = self._open.get(case)
        if known is None:
            known = self._open[case] = readings.may_declare_more(self.facts_of(case))
        return known

    def unchanged(self, case: Case, node: Node) -> bool:
        """Whether everything of a case is valid under ``node`` as it is."""
        return not self._exact.follows(case, node)

    def empty(
        self, case: Case, depth: int = 0, opened: int | None = None, loose: _Loose | None = None
    ) -> bool:
        """Whether it is certain that a case holds no value at all, whatever its ``loose`` members are."""
        self.budget.spend()
        if depth > 8:
            return False
        facts = self.facts_of(case, opened)
        if facts.never or all(self._dead(facts, kind, depth, opened, loose) for kind in facts.kinds):
            return True
        return any(
            all(self.empty(part, depth + 1, opened, loose) for part in alternatives(case, *choice))
            for choice in facts.choices[:3]
        )

    def _dead(self, facts: Facts, kind: str, depth: int, opened: int | None, loose: _Loose | None) -> bool:
        if kind == "number":
            return scalars.no_number(facts)
        if kind in ("string", "array", "object"):
            what = {"string": "Length", "array": "Items", "object": "Properties"}[kind]
            least, most = facts.size(f"min{what}") or 0, facts.size(f"max{what}")
            if most is not None and least > most:
                return True
        inside: list[Case | None] = []
        if kind == "array":
            inside = [facts.item(index) for index in range(min(facts.size("minItems") or 0, 32))]
        elif kind == "object":
            inside = [facts.member(name) for name in facts.required if not (loose and loose(name))]
        return any(case is not None and self.empty(case, depth + 1, opened) for case in inside)

    # -- words

    def facts_of(self, case: Case, opened: int | None = None, *, reading: bool = False) -> Facts:
        """What follows from a case, looked up."""
        key = (case, opened, reading)
        known = self._facts.get(key)
        if known is None:
            known = self._facts[key] = facts_of(case, opened, reading=reading)
        return known

    def reader_words(self, node: Node) -> Words:
        """What a node says."""
        return node.source.words(node)


_CHECKS: Sequence[Callable[[Scope], list[Break]]] = (
    *scalars.CHECKS,
    *sequences.CHECKS,
    *objects.CHECKS,
)


def _undecided(node: Node, why: str) -> Break:
    return Break(node.pointer, "UNDECIDED", f"cannot be compared: {why}", undecided=True)


def _once(found: Iterable[Break]) -> list[Break]:
    return list(dict.fromkeys(found))


def _listed(kinds: Iterable[str]) -> str:
    return " or ".join(sorted(kinds))
