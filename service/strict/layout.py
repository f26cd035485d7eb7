"""How values are laid out in the strict form, and how a strict value tells what it was.

A map becomes an array of entries, a tuple an object, an absent property ``null`` or a marker. Where several layouts may
stand in one place, a strict value must show which it is: by its kind, by its keys, else by a tag that is added here.
``Reading`` says how the values of one place are read back; a place is a set of leaves.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from service.strict.analysis import Analysis
from service.strict.rules import NEVER, Goal, Leaf, Listing, Members

Absence = Literal["never", "null", "marker"]
"""How the strict form says that a property is left out."""

ENTRIES, EXTRA, KEY, REST, VALUE = "entries", "undeclared", "key", "rest", "value"
Place = frozenset[Goal]


def item_name(index: int) -> str:
    """The strict key of a tuple's item."""
    return f"item{index}"


@dataclass(slots=True)
class Reader:
    """How one property of a strict object is read: whether it may be absent, and the place of its value."""

    absence: Absence
    nullable: bool
    place: Place


@dataclass(slots=True)
class ObjectReading:
    """Strict objects of one form. ``form`` says what they stand for."""

    form: Literal["object", "map", "tuple"]
    fields: dict[str, Reader]
    others: tuple[str, Place] | None = None
    tags: frozenset[str] = frozenset()
    keys: list[frozenset[str]] = field(default_factory=list)


@dataclass(slots=True)
class Reading:
    """How the strict values of a place are read back. Kinds that are missing here are read as they are."""

    items: Place | None = None
    entries: Place | None = None
    objects: list[ObjectReading] = field(default_factory=list)


class Layout:
    """The layout of every leaf, and the reading of every place."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.wrapped: set[Goal] = set()
        self.tags: dict[Goal, str] = {}
        self.extra: dict[Goal, str] = {}
        self.marker = self._marker_name()
        self.root_wrapped = False
        self.readings: dict[Place, Reading] = {}
        self.root = self.place(analysis.goals.root)
        while not self._settle():
            pass

    def place(self, *goals: Goal) -> Place:
        """The place where values of any of these goals stand."""
        return frozenset(leaf for goal in goals for leaf in self.analysis.leaves(goal))

    # -- layouts of single leaves

    def is_map(self, leaf: Leaf) -> bool:
        """Whether an object is written as entries."""
        return leaf.members is not None and not leaf.members.fields and bool(leaf.members.entries)

    def plain_items(self, listing: Listing) -> Goal | None:
        """The goal of all items, where an array can stay an array; ``None`` where it is a tuple."""
        if not listing.first:
            return listing.rest
        goals = [*listing.first, *([listing.rest] if listing.rest != NEVER else [])]
        first = goals[0]
        return first if all(self._same(first, goal) for goal in goals[1:]) else None

    def absence(self, members: Members, name: str) -> Absence:
        """How a property says that it is absent."""
        found = members.fields[name]
        if found.required:
            return "never"
        return "marker" if "null" in self.analysis.kinds(found.goal) else "null"

    def item_absence(self, listing: Listing, index: int) -> Absence:
        """How an item of a tuple says that the array ended before it."""
        if index < listing.least:
            return "never"
        return "marker" if "null" in self.analysis.kinds(listing.first[index]) else "null"

    def others_name(self, goal: Goal) -> str | None:
        """The strict key that holds what an object does not declare."""
        members = self.analysis.leaf(goal).members
        if members is None or members.others == NEVER or not members.fields:
            return None
        name = self.extra.get(goal)
        if name is None:
            name = EXTRA
            while name in members.fields:
                name += "_"
            self.extra[goal] = name
        return name

    def _same(self, one: Goal, other: Goal) -> bool:
        return one == other or self.analysis.goals.equal(one, other)

    def _marker_name(self) -> str:
        used = {
            name
            for shape in self.analysis.shapes
            if isinstance(shape, Leaf) and shape.members is not None
            for name in shape.members.fields
        }
        name = "absent"
        while name in used:
            name += "_"
        return name

    # -- readings of places

    def _settle(self) -> bool:
        """Work out all readings; where two layouts cannot be told apart, change one and report that."""
        self.readings = {}
        settled = True
        pending = [self.root]
        for goal in self.analysis.distances():
            shape = self.analysis.shapes[goal]
            if not isinstance(shape, Leaf) and self.analysis.kinds(goal):
                pending.append(self.place(goal))
        while pending:
            place = pending.pop()
            if place in self.readings:
                continue
            reading = self._read(place)
            if reading is None:
                settled = False
                reading = Reading()
            self.readings[place] = reading
            pending += self._below(reading)
        return settled

    def _below(self, reading: Reading) -> Iterable[Place]:
        if reading.items is not None:
            yield reading.items
        if reading.entries is not None:
            yield reading.entries
        for form in reading.objects:
            yield from (reader.place for reader in form.fields.values())
            if form.others is not None:
                yield form.others[1]

    def _read(self, place: Place) -> Reading | None:
        reading = Reading()
        lists: list[Goal] = []
        maps: list[Goal] = []
        for goal in sorted(place):
            leaf = self.analysis.leaf(goal)
            if leaf.listing is not None:
                items = self.plain_items(leaf.listing)
                if items is None:
                    if not self._add(reading, self._tuple(goal, leaf.listing), goal):
                        return None
                else:
                    lists.append(items)
            if leaf.members is not None:
                if self.is_map(leaf) and goal not in self.wrapped:
                    maps.append(goal)
                elif not self._add(reading, self._object(goal, leaf), goal):
                    return None
        if lists and maps:
            self.wrapped.update(maps)
            return None
        if lists:
            reading.items = self.place(*lists)
        if maps:
            values = [value for goal in maps for _, value in self._entries(goal)]
            reading.entries = self.place(*values)
        return reading

    def _entries(self, goal: Goal) -> list[tuple[str | None, Goal]]:
        members = self.analysis.leaf(goal).members
        return members.entries if members is not None else []

    def _tuple(self, goal: Goal, listing: Listing) -> ObjectReading:
        fields = {
            item_name(index): Reader(
                self.item_absence(listing, index), "null" in self.analysis.kinds(item), self.place(item)
            )
            for index, item in enumerate(listing.first)
        }
        others = None if listing.rest == NEVER else (REST, self.place(listing.rest))
        return self._tagged(goal, ObjectReading("tuple", fields, others))

    def _object(self, goal: Goal, leaf: Leaf) -> ObjectReading:
        members = leaf.members or Members({}, [])
        if self.is_map(leaf):
            places = self.place(*(value for _, value in members.entries))
            return self._tagged(goal, ObjectReading("map", {}, (ENTRIES, places)))
        fields = {
            name: Reader(
                self.absence(members, name), "null" in self.analysis.kinds(found.goal), self.place(found.goal)
            )
            for name, found in members.fields.items()
        }
        name = self.others_name(goal)
        others = None
        if name is not None:
            others = (name, self.place(*(value for _, value in self._entries(members.others))))
        return self._tagged(goal, ObjectReading("object", fields, others))

    def _tagged(self, goal: Goal, form: ObjectReading) -> ObjectReading:
        keys = set(form.fields)
        if form.others is not None:
            keys.add(form.others[0])
        if goal in self.tags:
            form.tags = frozenset((self.tags[goal],))
            keys.add(self.tags[goal])
        form.keys = [frozenset(keys)]
        return form

    def _add(self, reading: Reading, form: ObjectReading, goal: Goal) -> bool:
        """Enter a form; merge it with one that is read alike. False where it had to be changed."""
        for known in reading.objects:
            merged = _merge(known, form)
            if merged is not None:
                reading.objects[reading.objects.index(known)] = merged
                return True
        if any(form.keys[0] in known.keys for known in reading.objects):
            number = len(self.tags) + 1
            self.tags[goal] = f"form{number}"
            return False
        reading.objects.append(form)
        return True


def _merge(one: ObjectReading, other: ObjectReading) -> ObjectReading | None:
    """Two forms read as one, or ``None`` where some value would be read differently."""
    if one.form != other.form or one.tags != other.tags:
        return None
    if one.form != "object" and (one.fields.keys() != other.fields.keys()):
        return None
    others = _merged_others(one, other)
    if others == "clash":
        return None
    fields = dict(one.fields)
    for name, reader in other.fields.items():
        known = fields.get(name)
        if known is None:
            fields[name] = reader
            continue
        absence = _merged_absence(known, reader)
        if absence is None:
            return None
        fields[name] = Reader(absence, known.nullable or reader.nullable, known.place | reader.place)
    return ObjectReading(one.form, fields, others, one.tags, [*one.keys, *other.keys])


def _merged_others(one: ObjectReading, other: ObjectReading) -> tuple[str, Place] | Literal["clash"] | None:
    a, b = one.others, other.others
    if a is not None and b is not None:
        return (a[0], a[1] | b[1]) if a[0] == b[0] else "clash"
    if one.form != "object" and (a is None) != (b is None):
        return "clash"
    if (a is not None and a[0] in other.fields) or (b is not None and b[0] in one.fields):
        return "clash"
    return a if a is not None else b


def _merged_absence(one: Reader, other: Reader) -> Absence | None:
    if one.absence == other.absence:
        return one.absence
    ways = {one.absence, other.absence}
    if ways == {"never", "marker"}:
        return "marker"
    if ways == {"never", "null"}:
        plain = one if one.absence == "never" else other
        return None if plain.nullable else "null"
    return None
