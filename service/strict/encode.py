"""Instances to strict values: the way back of ``decode``.

Encoding maps structure and does not validate. What has no place in the strict form keeps a shape that the form refuses:
an undeclared key stays where it is, a value of a kind that is not admitted is wrapped as a misfit. Where a place admits
several forms, the one that the instance keeps the rules of is taken. Walks with an explicit stack.
"""

from collections.abc import Callable, Generator
from typing import Any, Protocol

from service.strict.decode import changing_places
from service.strict.layout import ENTRIES, KEY, REST, VALUE, Layout, item_name
from service.strict.merge import matches, within
from service.strict.patterns import searcher
from service.strict.rules import NEVER, Goal, Leaf, Listing, Members
from service.strict.values import Kind, identity, is_integer, kind_of

_Step = Generator[tuple[Callable[..., Any], Goal, Any], Any, Any]

MISFIT = "misfit"


class _Walk(Protocol):
    def __call__(self, goal: Goal, value: Any) -> _Step: ...


class Encoder:
    """Encodes instances of one compiled schema."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._analysis = layout.analysis
        self._plain = _Plain(layout)
        self._choices: dict[tuple[Goal, Kind], list[Goal]] = {}

    def encode(self, value: Any) -> Any:
        """The strict value of an instance (of the root place, unwrapped)."""
        return self._run(self._encode, self._analysis.goals.root, value)

    def _run(self, walk: _Walk, goal: Goal, value: Any) -> Any:
        stack = [walk(goal, value)]
        result: Any = None
        while stack:
            try:
                below, next_goal, inner = stack[-1].send(result)
            except StopIteration as done:
                result = done.value
                stack.pop()
                continue
            result = None
            stack.append(below(next_goal, inner))
        return result

    def _candidates(self, goal: Goal, kind: Kind) -> list[Goal]:
        known = self._choices.get((goal, kind))
        if known is None:
            known = [leaf for leaf in self._analysis.leaves(goal) if kind in self._analysis.leaf(leaf).kinds]
            self._choices[goal, kind] = known
        return known

    def _encode(self, goal: Goal, value: Any) -> _Step:
        if self._plain(goal):
            return value
        kind = kind_of(value)
        candidates = self._candidates(goal, kind)
        if not candidates:
            return {MISFIT: value}
        if kind not in {"array", "object"}:
            return value
        chosen = candidates[0]
        if len(candidates) > 1:
            likely = [leaf for leaf in candidates if self._glance(leaf, value)]
            chosen = (likely or [max(candidates, key=lambda leaf: self._overlap(leaf, value))])[0]
            if len(likely) > 1:
                for leaf in likely:
                    if (yield self._leaf_matches, leaf, value):
                        chosen = leaf
                        break
        found = self._analysis.leaf(chosen)
        if kind == "array" and found.listing is not None:
            return (yield from self._array(found.listing, value))
        if kind == "object" and found.members is not None:
            return (yield from self._object(chosen, found.members, value))
        return value

    # -- structure

    def _array(self, listing: Listing, value: list[Any]) -> _Step:
        items = self._layout.plain_items(listing)
        found: list[Any] = []
        if items is not None:
            for item in value:
                found.append((yield self._encode, items, item))
            return found
        layout = self._layout
        strict: dict[str, Any] = {}
        for index, goal in enumerate(listing.first):
            if index < len(value):
                strict[item_name(index)] = yield from self._present(
                    layout.item_absence(listing, index), goal, value[index]
                )
            elif layout.item_absence(listing, index) != "never":
                strict[item_name(index)] = self._absent(layout.item_absence(listing, index))
        tail = value[len(listing.first) :]
        if listing.rest != NEVER:
            for item in tail:
                found.append((yield self._encode, listing.rest, item))
            strict[REST] = found
        elif tail:
            strict[REST] = tail
        return strict

    def _present(self, absence: str, goal: Goal, value: Any) -> _Step:
        if value is None and absence == "null":
            return {MISFIT: None}
        return (yield self._encode, goal, value)

    def _absent(self, absence: str) -> Any:
        return {self._layout.marker: True} if absence == "marker" else None

    def _object(self, goal: Goal, members: Members, value: dict[str, Any]) -> _Step:
        layout = self._layout
        if layout.is_map(self._analysis.leaf(goal)):
            entries = yield from self._map(members, value)
            if goal not in layout.wrapped:
                return entries
            strict: dict[str, Any] = {ENTRIES: entries}
        else:
            strict = {}
            for name, found in members.fields.items():
                absence = layout.absence(members, name)
                if name in value:
                    strict[name] = yield from self._present(absence, found.goal, value[name])
                elif absence != "never":
                    strict[name] = self._absent(absence)
            extra = {name: member for name, member in value.items() if name not in members.fields}
            name_of_others = layout.others_name(goal)
            if name_of_others is not None:
                inner = self._analysis.leaf(members.others).members
                strict[name_of_others] = yield from self._map(inner or members, extra)
            else:
                strict.update(extra)
        if goal in layout.tags:
            strict[layout.tags[goal]] = True
        return strict

    def _map(self, members: Members, value: dict[str, Any]) -> _Step:
        entries = []
        for name, member in value.items():
            goal = _entry_goal(members, name)
            encoded = member if goal is None else (yield self._encode, goal, member)
            entries.append({KEY: name, VALUE: encoded})
        return entries

    # -- choosing among several forms

    def _glance(self, goal: Goal, value: Any) -> bool:
        """Whether a form can be the right one, judged by keys and constants only."""
        leaf = self._analysis.leaf(goal)
        if leaf.literals is not None:
            return any(kind_of(literal) == kind_of(value) for literal in leaf.literals)
        if isinstance(value, list):
            listing = leaf.listing
            if listing is None or len(value) < listing.least:
                return False
            return listing.most is None or len(value) <= listing.most
        members = leaf.members
        if members is None:
            return False
        for name, found in members.fields.items():
            if name not in value:
                if found.required:
                    return False
            elif not self._scalar_fits(found.goal, value[name]):
                return False
        return all(name in members.fields or _entry_goal(members, name) is not None for name in value)

    def _scalar_fits(self, goal: Goal, value: Any) -> bool:
        kind = kind_of(value)
        leaves = self._candidates(goal, kind)
        if kind in {"array", "object"}:
            return bool(leaves)
        return any(scalar_matches(self._analysis.leaf(leaf), kind, value) for leaf in leaves)

    def _overlap(self, goal: Goal, value: Any) -> int:
        members = self._analysis.leaf(goal).members
        if members is None or not isinstance(value, dict):
            return 0
        known = sum(2 for name in value if name in members.fields)
        tags = sum(
            8 if self._analysis.leaf(leaf).literals is not None else 1
            for name, found in members.fields.items()
            if name in value and self._scalar_fits(found.goal, value[name])
            for leaf in self._analysis.leaves(found.goal)[:1]
        )
        return (
            known + tags - sum(found.required and name not in value for name, found in members.fields.items())
        )

    def _matches(self, goal: Goal, value: Any) -> _Step:
        for leaf in self._candidates(goal, kind_of(value)):
            if (yield self._leaf_matches, leaf, value):
                return True
        return False

    def _leaf_matches(self, goal: Goal, value: Any) -> _Step:
        leaf = self._analysis.leaf(goal)
        kind = kind_of(value)
        if kind not in {"array", "object"}:
            return scalar_matches(leaf, kind, value)
        if not self._glance(goal, value):
            return False
        if kind == "array" and leaf.listing is not None:
            first = leaf.listing.first
            for index, item in enumerate(value):
                below = first[index] if index < len(first) else leaf.listing.rest
                if below != self._analysis.goals.any and not (yield self._matches, below, item):
                    return False
        elif leaf.members is not None:
            size = len(value)
            if size < leaf.members.least or (leaf.members.most is not None and size > leaf.members.most):
                return False
            for name, item in value.items():
                found = leaf.members.fields.get(name)
                under = found.goal if found is not None else _entry_goal(leaf.members, name)
                if under is None or (
                    under != self._analysis.goals.any and not (yield self._matches, under, item)
                ):
                    return False
        return True


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


def _entry_goal(members: Members, name: str) -> Goal | None:
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


class _Plain:
    """Whether values of a goal are the same in both forms, all the way down."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._changing = changing_places(layout)  # the two directions change the same places
        self._known: dict[Goal, bool] = {}

    def __call__(self, goal: Goal) -> bool:
        known = self._known.get(goal)
        if known is None:
            place = self._layout.place(goal)
            known = self._known[goal] = place in self._layout.readings and place not in self._changing
        return known
