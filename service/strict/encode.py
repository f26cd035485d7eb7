"""Instances to strict values: the way back of ``decode``.

Encoding maps structure and does not validate. What has no place in the strict form keeps a shape that the form refuses:
an undeclared key stays where it is, a value of a kind that is not admitted is wrapped as a misfit. Where a place admits
several forms, the one whose rules the instance keeps is taken.
"""

from collections.abc import Callable, Generator
from typing import Any

from service.strict.decode import changing_places
from service.strict.layout import ENTRIES, KEY, REST, VALUE, Layout, item_name
from service.strict.matching import Forms, entry_goal
from service.strict.rules import NEVER, Goal, Leaf, Listing, Members
from service.strict.values import Kind, kind_of

Encoder = Callable[[Any], Any]
_Step = Generator[tuple[Goal, Any], Any, Any]

MISFIT = "misfit"
"""The key around a value that has no strict form."""

_TYPES: dict[Kind, tuple[type, ...]] = {
    "boolean": (bool,),
    "null": (type(None),),
    "number": (int, float),
    "string": (str,),
}
_ALL: frozenset[type] = frozenset((bool, type(None), int, float, str, list, dict))


def encoder(layout: Layout) -> Encoder:
    """The function from instances to strict values (of the root place, unwrapped)."""
    plain = _Plain(layout)
    root = layout.analysis.goals.root
    if plain(root):
        return _same
    forms = Forms(layout.analysis)
    quick = _Quick(layout, forms, plain)
    patient = _Patient(layout, forms, plain)

    def encode(value: Any) -> Any:
        try:
            return quick.goal(root)(value)
        except RecursionError:  # hundreds of levels: walk them without the interpreter's stack
            return patient.encode(root, value)

    return encode


def _same(value: Any) -> Any:
    return value


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


# -- quick: closures, made when a goal is first met


class _Quick:
    def __init__(self, layout: Layout, forms: Forms, plain: _Plain) -> None:
        self._layout = layout
        self._analysis = layout.analysis
        self._forms = forms
        self._plain = plain
        self._goals: dict[Goal, Encoder] = {}
        self._leaves: dict[Goal, Encoder] = {}

    def goal(self, goal: Goal) -> Encoder:
        """The encoder of a goal."""
        known = self._goals.get(goal)
        if known is None:
            known = self._goals[goal] = _same if self._plain(goal) else self._either(goal)
        return known

    def _either(self, goal: Goal) -> Encoder:
        scalars = self._passing(goal)
        arrays = self._forms.candidates(goal, "array")
        objects = self._forms.candidates(goal, "object")
        choose, leaf = self._forms.choose, self._leaf

        def encode(value: Any) -> Any:
            kind = type(value)
            if kind in scalars:
                return value
            candidates = objects if kind is dict else arrays if kind is list else None
            if not candidates:
                return {MISFIT: value}
            return leaf(candidates[0] if len(candidates) == 1 else choose(candidates, value))(value)

        return encode

    def _passing(self, goal: Goal) -> frozenset[type]:
        """The types of value that need no encoding."""
        if self._plain(goal):
            return _ALL
        kinds = self._analysis.kinds(goal)
        return frozenset(kind for name, types in _TYPES.items() if name in kinds for kind in types)

    def _leaf(self, goal: Goal) -> Encoder:
        known = self._leaves.get(goal)
        if known is None:
            known = self._leaves[goal] = self._made(goal, self._analysis.leaf(goal))
        return known

    def _made(self, goal: Goal, leaf: Leaf) -> Encoder:
        arrays = self._array(leaf.listing) if leaf.listing is not None else _same
        objects = self._object(goal, leaf.members) if leaf.members is not None else _same
        if leaf.members is None:
            return arrays
        if leaf.listing is None:
            return objects
        return lambda value: arrays(value) if type(value) is list else objects(value)

    def _array(self, listing: Listing) -> Encoder:
        items = self._layout.plain_items(listing)
        if items is None:
            return self._tuple(listing)
        passing, goal, inner = self._passing(items), self.goal, items

        def encode(value: Any) -> Any:
            function = goal(inner)
            return [item if type(item) in passing else function(item) for item in value]

        return encode

    def _tuple(self, listing: Listing) -> Encoder:
        layout, goal = self._layout, self.goal
        absences = [layout.item_absence(listing, index) for index in range(len(listing.first))]

        def encode(value: Any) -> Any:
            found: dict[str, Any] = {}
            for index, below in enumerate(listing.first):
                if index < len(value):
                    lost = value[index] is None and absences[index] == "null"
                    found[item_name(index)] = {MISFIT: None} if lost else goal(below)(value[index])
                elif absences[index] != "never":
                    found[item_name(index)] = _absent(layout, absences[index])
            tail = value[len(listing.first) :]
            if listing.rest != NEVER:
                found[REST] = [goal(listing.rest)(item) for item in tail]
            elif tail:
                found[REST] = tail
            return found

        return encode

    def _object(self, goal: Goal, members: Members) -> Encoder:
        layout = self._layout
        tags = {layout.tags[goal]: True} if goal in layout.tags else {}
        if layout.is_map(self._analysis.leaf(goal)):
            entries = self._map(members)
            if goal not in layout.wrapped:
                return entries
            return lambda value: {**tags, ENTRIES: entries(value)}
        fields = self._fields(members)
        name = layout.others_name(goal)
        inner = self._analysis.leaf(members.others).members if name is not None else None
        others = self._map(inner) if inner is not None else None
        declared = members.fields

        def encode(value: Any) -> Any:
            found = dict(tags)
            count = fields(found, value)
            if others is not None and name is not None:
                found[name] = (
                    []
                    if count == len(value)
                    else others({k: v for k, v in value.items() if k not in declared})
                )
            elif count < len(value):
                found.update((k, v) for k, v in value.items() if k not in declared)
            return found

        return encode

    def _fields(self, members: Members) -> Callable[[dict[str, Any], dict[str, Any]], int]:
        """A function that fills in declared properties and returns how many were there."""
        layout, goal = self._layout, self.goal
        plan = []
        for name, field in members.fields.items():
            absence = layout.absence(members, name)
            passing = self._passing(field.goal)
            if absence == "null":
                passing -= {type(None)}
            plan.append((name, passing, field.goal, absence))

        def fill(found: dict[str, Any], value: dict[str, Any]) -> int:
            count = 0
            for name, passing, below, absence in plan:
                if name in value:
                    count += 1
                    member = value[name]
                    if type(member) not in passing:
                        member = {MISFIT: None} if member is None else goal(below)(member)
                    found[name] = member
                elif absence != "never":
                    found[name] = None if absence == "null" else _absent(layout, absence)
            return count

        return fill

    def _map(self, members: Members) -> Encoder:
        goal = self.goal
        only = members.entries[0][1] if len(members.entries) == 1 and members.entries[0][0] is None else None
        if members.names is not None or members.name_values is not None:
            only = None

        def encode(value: Any) -> Any:
            entries = []
            for name, member in value.items():
                below = only if only is not None else entry_goal(members, name)
                entries.append({KEY: name, VALUE: member if below is None else goal(below)(member)})
            return entries

        return encode


def _absent(layout: Layout, absence: str) -> Any:
    return {layout.marker: True} if absence == "marker" else None


# -- patient: the same, with an explicit stack


class _Patient:
    def __init__(self, layout: Layout, forms: Forms, plain: _Plain) -> None:
        self._layout = layout
        self._analysis = layout.analysis
        self._forms = forms
        self._plain = plain

    def encode(self, goal: Goal, value: Any) -> Any:
        """The strict value of an instance of a goal."""
        stack = [self._goal(goal, value)]
        result: Any = None
        while stack:
            try:
                below, inner = stack[-1].send(result)
            except StopIteration as done:
                result = done.value
                stack.pop()
            else:
                stack.append(self._goal(below, inner))
                result = None
        return result

    def _goal(self, goal: Goal, value: Any) -> _Step:
        if self._plain(goal):
            return value
        kind = kind_of(value)
        candidates = self._forms.candidates(goal, kind)
        if not candidates:
            return {MISFIT: value}
        if kind not in {"array", "object"}:
            return value
        chosen = self._forms.choose(candidates, value)
        leaf = self._analysis.leaf(chosen)
        if kind == "array" and leaf.listing is not None:
            return (yield from self._array(leaf.listing, value))
        if kind == "object" and leaf.members is not None:
            return (yield from self._object(chosen, leaf.members, value))
        return value

    def _array(self, listing: Listing, value: list[Any]) -> _Step:
        items = self._layout.plain_items(listing)
        found: list[Any] = []
        if items is not None:
            for item in value:
                found.append((yield items, item))
            return found
        strict: dict[str, Any] = {}
        for index, goal in enumerate(listing.first):
            absence = self._layout.item_absence(listing, index)
            if index < len(value):
                lost = value[index] is None and absence == "null"
                strict[item_name(index)] = {MISFIT: None} if lost else (yield goal, value[index])
            elif absence != "never":
                strict[item_name(index)] = _absent(self._layout, absence)
        tail = value[len(listing.first) :]
        if listing.rest != NEVER:
            for item in tail:
                found.append((yield listing.rest, item))
            strict[REST] = found
        elif tail:
            strict[REST] = tail
        return strict

    def _object(self, goal: Goal, members: Members, value: dict[str, Any]) -> _Step:
        layout = self._layout
        strict: dict[str, Any] = {layout.tags[goal]: True} if goal in layout.tags else {}
        if layout.is_map(self._analysis.leaf(goal)):
            entries = yield from self._map(members, value)
            if goal not in layout.wrapped:
                return entries
            return {**strict, ENTRIES: entries}
        for name, field in members.fields.items():
            absence = layout.absence(members, name)
            if name in value:
                lost = value[name] is None and absence == "null"
                strict[name] = {MISFIT: None} if lost else (yield field.goal, value[name])
            elif absence != "never":
                strict[name] = _absent(layout, absence)
        extra = {name: member for name, member in value.items() if name not in members.fields}
        others = layout.others_name(goal)
        if others is not None:
            inner = self._analysis.leaf(members.others).members
            strict[others] = yield from self._map(inner or members, extra)
        else:
            strict.update(extra)
        return strict

    def _map(self, members: Members, value: dict[str, Any]) -> _Step:
        entries = []
        for name, member in value.items():
            goal = entry_goal(members, name)
            encoded = member if goal is None else (yield goal, member)
            entries.append({KEY: name, VALUE: encoded})
        return entries
