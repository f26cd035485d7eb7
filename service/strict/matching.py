"""Which of several forms an instance has: judged by the rules that the strict form keeps. Never recursive."""

from collections.abc import Generator
from typing import Any

from service.strict.analysis import Analysis
from service.strict.merge import matches, within
from service.strict.patterns import searcher
from service.strict.rules import Goal, Leaf, Members
from service.strict.values import Kind, identity, is_integer, kind_of

_Step = Generator[tuple[Goal, Any], bool | None, bool]


class Forms:
    """The leaves of goals, and the choice among them."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._known: dict[tuple[Goal, Kind], list[Goal]] = {}

    def candidates(self, goal: Goal, kind: Kind) -> list[Goal]:
        """The leaves of a goal that admit a kind of value."""
        known = self._known.get((goal, kind))
        if known is None:
            known = [leaf for leaf in self._analysis.leaves(goal) if kind in self._analysis.leaf(leaf).kinds]
            self._known[goal, kind] = known
        return known

    def choose(self, candidates: list[Goal], value: Any) -> Goal:
        """The leaf whose rules the value keeps; where it keeps none, the one it is closest to."""
        if len(candidates) == 1:
            return candidates[0]
        likely = [leaf for leaf in candidates if self._glance(leaf, value)]
        if len(likely) > 1:
            return next((leaf for leaf in likely if self._holds(leaf, value)), likely[0])
        return likely[0] if likely else max(candidates, key=lambda leaf: self._overlap(leaf, value))

    def _glance(self, goal: Goal, value: Any) -> bool:
        """Whether a form can be the right one, judged by keys, constants and scalars only."""
        leaf = self._analysis.leaf(goal)
        if isinstance(value, list):
            listing = leaf.listing
            if listing is None or len(value) < listing.least:
                return False
            return listing.most is None or len(value) <= listing.most
        members = leaf.members
        if members is None or len(value) < members.least:
            return False
        if members.most is not None and len(value) > members.most:
            return False
        for name, found in members.fields.items():
            if name not in value:
                if found.required:
                    return False
            elif not self._fits(found.goal, value[name]):
                return False
        return all(name in members.fields or entry_goal(members, name) is not None for name in value)

    def _fits(self, goal: Goal, value: Any) -> bool:
        kind = kind_of(value)
        leaves = self.candidates(goal, kind)
        if kind in {"array", "object"}:
            return bool(leaves)
        return any(scalar_matches(self._analysis.leaf(leaf), kind, value) for leaf in leaves)

    def _overlap(self, goal: Goal, value: Any) -> int:
        members = self._analysis.leaf(goal).members
        if members is None or not isinstance(value, dict):
            return 0
        score = 0
        for name, found in members.fields.items():
            if name not in value:
                score -= found.required
                continue
            score += 2
            if self._fits(found.goal, value[name]):
                first = self._analysis.leaf(self._analysis.leaves(found.goal)[0])
                score += 8 if first.literals is not None else 1
        return score

    def _holds(self, leaf: Goal, value: Any) -> bool:
        """Whether a value keeps all rules of a leaf, all the way down."""
        # What was found out about a goal and a value holds for the whole walk; without it, unions in unions would be
        # tried exponentially often.
        known: dict[tuple[Goal, int], bool] = {}
        asked: list[tuple[Goal, int]] = []
        stack = [self._leaf(leaf, value)]
        result: bool | None = None  # what a fresh generator takes
        while stack:
            try:
                goal, below = stack[-1].send(result)
            except StopIteration as done:
                result = done.value
                stack.pop()
                if asked:
                    known[asked.pop()] = bool(result)
                continue
            question = (goal, id(below))
            result = known.get(question)
            if result is None:
                asked.append(question)
                stack.append(self._goal(goal, below))
        return bool(result)

    def _goal(self, goal: Goal, value: Any) -> _Step:
        kind = kind_of(value)
        for leaf in self.candidates(goal, kind):
            if kind not in {"array", "object"}:
                if scalar_matches(self._analysis.leaf(leaf), kind, value):
                    return True
            elif (yield from self._leaf(leaf, value)):
                return True
        return False

    def _leaf(self, goal: Goal, value: Any) -> _Step:
        if not self._glance(goal, value):
            return False
        leaf = self._analysis.leaf(goal)
        anything = self._analysis.goals.any
        for below, item in self._parts(leaf, value):
            if below is None or (below != anything and not (yield below, item)):
                return False
        return True

    def _parts(self, leaf: Leaf, value: Any) -> list[tuple[Goal | None, Any]]:
        if isinstance(value, list) and leaf.listing is not None:
            first, rest = leaf.listing.first, leaf.listing.rest
            return [(first[i] if i < len(first) else rest, item) for i, item in enumerate(value)]
        members = leaf.members
        if not isinstance(value, dict) or members is None:
            return []
        fields = members.fields
        return [
            (fields[n].goal if n in fields else entry_goal(members, n), item) for n, item in value.items()
        ]


def scalar_matches(leaf: Leaf, kind: Kind, value: Any) -> bool:
    """Whether a scalar keeps the rules of a leaf."""
    if kind not in leaf.kinds:
        return False
    if leaf.literals is not None:
        same = identity(value)
        return any(identity(literal) == same for literal in leaf.literals)
    if kind == "string":
        return matches(value, leaf.string)
    if kind == "number":
        return (not leaf.quantity.integer or is_integer(value)) and within(value, leaf.quantity)
    return True


def entry_goal(members: Members, name: str) -> Goal | None:
    """What the value of an undeclared key must meet; ``None`` where the key is not allowed."""
    if members.name_values is not None and name not in members.name_values:
        return None
    if members.names is not None and not matches(name, members.names):
        return None
    fallback = None
    for pattern, goal in members.entries:
        if pattern is None:
            fallback = goal
            continue
        test = searcher(pattern)
        if test is not None and test(name):
            return goal
    return fallback
