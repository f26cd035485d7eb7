"""What is known of a record that meets several subschemas at once.

A *case* is a set of nodes that hold, and of nodes that do not. Its facts are what follows: kinds, bounds, members. They
never claim less than what may be written, so that whatever is shown of them holds of every record of the case.
"""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from typing import Any

from service.registry.compatibility.reach import FORMING, Pick, branches, choices, either, forms, spread
from service.registry.compatibility.values import TooDeep, admits, kind_of, matches
from service.registry.compatibility.words import KINDS, Bound, Node, Words


@dataclass(frozen=True, slots=True)
class Case:
    """Nodes that hold, nodes that do not, and the choices already taken (`owners` of an ``anyOf`` and the like)."""

    holds: frozenset[Node]
    fails: frozenset[Node] = frozenset()
    taken: frozenset[tuple[Node, str]] = frozenset()

    @classmethod
    def of(cls, *nodes: Node) -> "Case":
        """The case in which all these hold."""
        return cls(frozenset(nodes))

    def also(self, *nodes: Node, fails: Iterable[Node] = (), taken: tuple[Node, str] | None = None) -> "Case":
        """The part of this case in which more holds."""
        return Case(
            self.holds.union(nodes),
            self.fails.union(fails),
            self.taken if taken is None else self.taken | {taken},
        )


@dataclass(slots=True)
class Facts:
    """What follows from a case."""

    said: list[tuple[Node, Words]] = field(default_factory=list)
    """Every node that holds, references and ``allOf`` followed."""
    never: bool = False
    kinds: frozenset[str] = KINDS
    whole: bool = False
    values: list[Any] | None = None
    """The only values there are, where they are enumerated."""
    low: Bound | None = None
    high: Bound | None = None
    multiples: list[Fraction] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    patterns: set[str] = field(default_factory=set)
    formats: set[str] = field(default_factory=set)
    unique: bool = False
    required: dict[str, None] = field(default_factory=dict)
    choices: list[tuple[Node, str]] = field(default_factory=list)
    """Choices that are still open: whose they are, and which keyword offers them."""
    opened: int | None = None
    """The side whose closed objects count as open."""
    reading: bool = False
    """Whether they are of what is read."""
    leftovers: list["_Leftovers"] = field(default_factory=list)
    """What each ``unevaluatedProperties`` says of members that nothing beside it or in it names."""

    def size(self, keyword: str) -> int | None:
        """A limit on size. Those of objects count what is required."""
        found = self.sizes.get(keyword)
        if keyword == "minProperties":
            return max(found or 0, len(self.required))
        return found

    # -- members of objects

    def asked(self) -> list[str]:
        """The names that are required, some of them only beside others."""
        needed = [
            wanted for _, words in self.said for names in words.needed_with.values() for wanted in names
        ]
        return list(dict.fromkeys([*self.required, *needed]))

    def declared(self) -> list[str]:
        """The names that properties have, in order."""
        return list(dict.fromkeys(name for _, words in self.said for name in words.properties))

    def member(self, name: str) -> Case | None:
        """The case of a member's value; None where no schema says anything of it."""
        nodes: list[Node] = []
        for node, words in self.said:
            nodes += _holding(words, name, self._additional(node, words))
        nodes += [left.node for left in self.leftovers if left.applies(name)]
        if nodes:
            nodes += self._either(("member", name), lambda words: _holding(words, name, words.additional))
        return Case(frozenset(nodes)) if nodes else None

    def _either(self, place: Hashable, pick: Pick) -> list[Node]:
        """What the choices that are still open say of the same member or item: what it declares may be more than is known.

        Not where it is about what is read: there the branches are taken first (``readings``).
        """
        if self.reading or self.opened is not None:
            return []
        found = [either(owner, keyword, place, pick) for owner, keyword in self.choices]
        return [one for one in found if one is not None]

    def _additional(self, node: Node, words: Words) -> Node | None:
        found = words.additional
        if found is not None and node.side == self.opened and found.source.words(found).never:
            return None
        return found

    def under(self) -> Iterator[tuple[str, Case]]:
        """Patterns of names, each with the case of a value under such a name that is not declared."""
        for pattern in dict.fromkeys(pattern for _, words in self.said for pattern in words.patterns):
            nodes: list[Node] = []
            for node, words in self.said:
                additional = self._additional(node, words)
                if pattern in words.patterns:
                    nodes.append(words.patterns[pattern])
                elif not words.patterns and additional is not None:
                    nodes.append(additional)
            yield pattern, Case(frozenset(nodes))

    def others(self) -> Case | None:
        """The case of a member that no property and no pattern names; None where anything may stand there."""
        found = [self._additional(node, words) for node, words in self.said]
        nodes = [node for node in found if node is not None]
        nodes += [left.node for left in self.leftovers if left.applies(None)]
        return Case(frozenset(nodes)) if nodes else None

    @property
    def declares(self) -> bool:
        """Whether any properties are declared."""
        return any(words.properties for _, words in self.said)

    # -- items of arrays

    def length_of_prefix(self) -> int:
        """How many items have a place of their own."""
        return max((len(words.prefix) for _, words in self.said), default=0)

    def item(self, index: int | None) -> Case | None:
        """The case of an item, or (None) of those behind every prefix; None where nothing is said."""
        nodes: list[Node] = []
        for _, words in self.said:
            nodes += _standing(words, index)
        if nodes:
            nodes += self._either(("item", index), lambda words: _standing(words, index))
        if not nodes and not self._branches() and not any(words.contains for _, words in self.said):
            nodes = [words.unevaluated_items for _, words in self.said if words.unevaluated_items is not None]
        return Case(frozenset(nodes)) if nodes else None

    def _branches(self) -> bool:
        """Whether there are alternatives, which may evaluate members and items that nothing here names."""
        return any(
            words.any_of or words.one_of or words.conditional or words.holds_with for _, words in self.said
        )


def _standing(words: Words, index: int | None) -> list[Node]:
    if index is not None and index < len(words.prefix):
        return [words.prefix[index]]
    return [] if words.items is None else [words.items]


def _holding(words: Words, name: str, additional: Node | None) -> list[Node]:
    found = [words.properties[name]] if name in words.properties else []
    # Only what certainly applies may be counted on.
    found += [node for pattern, node in words.patterns.items() if matches(pattern, name) is True]
    if not found and additional is not None:
        maybe = any(matches(pattern, name) is None for pattern in words.patterns)
        found = [] if maybe else [additional]
    return found


@dataclass(frozen=True, slots=True)
class _Leftovers:
    """One ``unevaluatedProperties`` that is in force, and everything that may evaluate members for it."""

    node: Node
    beside: tuple[Words, ...]

    def applies(self, name: str | None) -> bool:
        """Whether it certainly speaks of a member of this name; None is a name that nobody knows."""
        return not any(_evaluates(words, name) for words in self.beside)


def _evaluates(words: Words, name: str | None) -> bool:
    if words.additional is not None:
        return True
    return name is not None and (
        name in words.properties or any(matches(pattern, name) is not False for pattern in words.patterns)
    )


def facts_of(case: Case, opened: int | None = None, *, reading: bool = False) -> Facts:
    """Everything that follows from a case; closed objects of side ``opened`` count as open.

    Where it is a case of what is read (``reading``), only the taken branches of an ``anyOf`` count: what they do not
    name is left out before it is read. What is written may meet other branches too.
    """
    facts = Facts(opened=opened, reading=reading)
    seen: set[Node] = set()
    stack = sorted(case.holds, key=lambda node: (node.side, node.key), reverse=True)
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        words = node.source.words(node)
        if words.never:
            facts.never = True
            return facts
        facts.said.append((node, words))
        stack += reversed(words.everywhere)
        _add(facts, words)
        facts.choices += [(node, keyword) for keyword in choices(words) if (node, keyword) not in case.taken]
    facts.leftovers = [
        left
        for node, words in facts.said
        if words.unevaluated is not None and node.side != opened
        for left in _leftovers(case, node, words.unevaluated, reading=reading)
    ]
    _settle(facts, case)
    return facts


def within(case: Case, node: Node) -> Iterator[tuple[Node, Words]]:
    """``node`` and what is in force of it in a case: references, ``allOf``, and the branches that are taken."""
    return spread(
        [node],
        lambda words: [*words.everywhere, *(branch for branch in branches(words) if branch in case.holds)],
    )


def alone(whole: Case, told: Facts, node: Node) -> bool:
    """Whether nothing that ``whole`` says (``told``) beside ``node`` has a say in what projecting leaves of a value."""
    own = {one for one, _ in within(whole, node)}
    return not any(
        words.says & FORMING or any(map(forms, branches(words))) for one, words in told.said if one not in own
    )


def _leftovers(case: Case, owner: Node, node: Node, *, reading: bool) -> Iterator[_Leftovers]:
    """At most one; none where a branch that is not decided may evaluate anything."""
    beside: list[Words] = []
    for one, words in within(case, owner):
        if one != owner and words.unevaluated is not None:
            return  # evaluates everything
        for keyword in choices(words):
            evaluates = keyword.partition("\0")[0] not in ("not", "dependentRequired")
            exact = keyword != "anyOf" or reading or len(words.any_of or ()) == 1
            if evaluates and not ((one, keyword) in case.taken and exact):
                return
        beside.append(words)
    yield _Leftovers(node, tuple(beside))


def _add(facts: Facts, words: Words) -> None:
    facts.kinds &= words.kinds
    facts.whole = facts.whole or words.whole
    if words.values is not None:
        facts.values = words.values if facts.values is None else facts.values
    facts.low = tighter(facts.low, words.low, upper=False)
    facts.high = tighter(facts.high, words.high, upper=True)
    if words.multiple is not None:
        facts.multiples.append(words.multiple)
    for keyword, size in words.sizes.items():
        keep = max if keyword.startswith("min") else min
        facts.sizes[keyword] = keep(size, facts.sizes.get(keyword, size))
    if words.pattern is not None:
        facts.patterns.add(words.pattern)
    if words.format is not None:
        facts.formats.add(words.format)
    facts.unique = facts.unique or words.unique
    facts.required.update(dict.fromkeys(words.required))


def tighter(one: Bound | None, other: Bound | None, *, upper: bool) -> Bound | None:
    """The bound that both together make."""
    if one is None or other is None:
        return one or other
    if one[0] == other[0]:
        return (one[0], one[1] or other[1])
    return min(one, other) if upper else max(one, other)


def _settle(facts: Facts, case: Case) -> None:
    """Enumerate where little is possible; keep of the enumerated what really holds."""
    if facts.values is None:
        facts.values = _few(facts)
    if facts.values is not None:
        facts.values = [value for value in facts.values if _possible(value, facts, case)]
        facts.kinds &= frozenset(map(kind_of, facts.values))
        facts.choices = []
    for name in list(facts.required):
        for _, words in facts.said:
            facts.required.update(dict.fromkeys(words.needed_with.get(name, ())))
    facts.never = not facts.kinds


def _few(facts: Facts) -> list[Any] | None:
    """All values of a case that has only a handful: nulls, booleans, short ranges of whole numbers."""
    values: list[Any] = []
    for kind in sorted(facts.kinds):
        if kind == "null":
            values.append(None)
        elif kind == "boolean":
            values += [False, True]
        elif kind == "number" and facts.whole and facts.low is not None and facts.high is not None:
            first, last = -(-facts.low[0] // 1), facts.high[0] // 1
            if last - first > _FEW:
                return None
            values += [int(first) + step for step in range(int(last - first) + 1)]
        else:
            return None
    return values


_FEW = 32


def _possible(value: Any, facts: Facts, case: Case) -> bool:
    try:
        return all(admits(node, value) for node in case.holds) and not any(
            admits(node, value) for node in case.fails
        )
    except TooDeep:
        return kind_of(value) in facts.kinds


def alternatives(case: Case, owner: Node, keyword: str) -> list[Case]:
    """The cases that one choice splits a case into; together they hold all of it."""
    source, words = owner.source, owner.source.words(owner)
    taken = (owner, keyword)
    word, _, name = keyword.partition("\0")
    if word == "anyOf":
        return [case.also(branch, taken=taken) for branch in words.any_of or ()]
    if word == "oneOf":
        branches = words.one_of or []
        return [
            case.also(branch, fails=[other for other in branches if other != branch], taken=taken)
            for branch in branches
        ]
    if word == "not":
        assert words.excluded is not None  # noqa: S101 - narrows the type: this choice is offered by it
        here = case.also(fails=[words.excluded], taken=taken)
        return [here.also(node) for node in source.negated(words.excluded)]
    if word == "if":
        assert words.conditional is not None  # noqa: S101 - as above
        given, met = words.conditional, case.also(words.conditional.condition, taken=taken)
        unmet = case.also(fails=[given.condition], taken=taken)
        otherwise = [unmet.also(node) for node in source.negated(given.condition)]
        return [
            met if given.then is None else met.also(given.then),
            *(one if given.otherwise is None else one.also(given.otherwise) for one in otherwise),
        ]
    absent = source.made(("absent", name), {"properties": {name: False}})
    wanted = words.needed_with.get(name, ()) if word == "dependentRequired" else ()
    present = source.made(("present", name, wanted), {"type": "object", "required": [name, *wanted]})
    there = case.also(present, taken=taken)
    if word == "dependentSchemas":
        there = there.also(words.holds_with[name])
    return [case.also(absent, taken=taken), there]


def merged(cases: Iterable[Case]) -> Case:
    """The case in which all of several cases hold."""
    return reduce(
        lambda one, other: Case(one.holds | other.holds, one.fails | other.fails, one.taken | other.taken),
        cases,
        Case(frozenset()),
    )
