"""Facts about goals that depend on each other: which can be met by a finite value, and of which kinds."""

from collections import defaultdict
from collections.abc import Iterator

from service.strict.goals import Goals
from service.strict.refused import SchemaRefused
from service.strict.rules import NEVER, Alias, Goal, Leaf, Listing, Members, Note, Shape, Union
from service.strict.values import Kind


def children(shape: Shape) -> Iterator[Goal]:
    """The goals that a shape leads to."""
    if isinstance(shape, Alias):
        yield shape.target
    elif isinstance(shape, Union):
        yield from shape.branches
    elif isinstance(shape, Leaf):
        if shape.listing is not None:
            yield from shape.listing.first
            yield shape.listing.rest
        if shape.members is not None:
            yield from (field.goal for field in shape.members.fields.values())
            yield from (goal for _, goal in shape.members.entries)
            yield shape.members.others


class Analysis:
    """The goals that can be met, with everything else cut off."""

    def __init__(self, goals: Goals) -> None:
        self.goals = goals
        self.shapes = goals.shapes
        self._alive = [False] * len(self.shapes)
        self._find_alive()
        if not self._alive[goals.root]:
            raise SchemaRefused(*self._why(goals.root))
        for goal, shape in enumerate(self.shapes):
            if self._alive[goal]:
                self._prune(shape)
        self._whole: list[Shape] = []
        self._leaves: dict[Goal, list[Goal]] = {}
        self._kinds: dict[Goal, frozenset[Kind]] = {}

    def leaf(self, goal: Goal) -> Leaf:
        """The shape of a goal that is known to be a leaf."""
        shape = self.shapes[goal]
        if not isinstance(shape, Leaf):
            raise TypeError("not a leaf")
        return shape

    def leaves(self, goal: Goal) -> list[Goal]:
        """The leaves that a goal stands for, in order."""
        known = self._leaves.get(goal)
        if known is None:
            found: dict[Goal, None] = {}
            seen: set[Goal] = set()
            stack = [goal]
            while stack:
                at = stack.pop()
                if at in seen:
                    continue
                seen.add(at)
                shape = self.shapes[at]
                if isinstance(shape, Leaf):
                    found[at] = None
                else:
                    stack.extend(reversed(list(children(shape))))
            known = self._leaves[goal] = list(found)
        return known

    def kinds(self, goal: Goal) -> frozenset[Kind]:
        """The kinds of value that a goal admits."""
        known = self._kinds.get(goal)
        if known is None:
            known = frozenset(kind for leaf in self.leaves(goal) for kind in self.leaf(leaf).kinds)
            self._kinds[goal] = known
        return known

    # -- what is too much

    def distances(self) -> dict[Goal, int]:
        """The goals that the root leads to, with how many steps they lie from it."""
        found = {self.goals.root: 0}
        level = [self.goals.root]
        while level:
            below: list[Goal] = []
            for goal in level:
                for child in children(self.shapes[goal]):
                    if child not in found and child != NEVER:
                        found[child] = found[goal] + 1
                        below.append(child)
            level = below
        return found

    def farthest(self) -> int:
        """The distance of the goal that lies farthest from the root."""
        self.shapes[:] = self._whole or self.shapes
        return max(self.distances().values())

    def fields_at_root(self) -> int:
        """How many properties the root itself declares, in all its forms."""
        found = (self.leaf(goal).members for goal in self.leaves(self.goals.root))
        return sum(len(members.fields) for members in found if members is not None)

    def open_beyond(self, reach: int) -> None:
        """Let objects and arrays that lie farther from the root hold anything. Replaces an earlier choice."""
        self._whole = self._whole or list(self.shapes)
        self.shapes[:] = self._whole
        for goal, distance in self.distances().items():
            shape = self.shapes[goal]
            if distance <= reach or not isinstance(shape, Leaf) or goal == self.goals.any:
                continue
            if (shape.listing is None and shape.members is None) or self.goals.is_others(goal):
                continue
            site = shape.site or self.goals.documents.root
            note = Note(site, "properties", "over the provider's limits: any value is let through here")
            self.shapes[goal] = Alias(text=shape.text, notes=[note], target=self.goals.any)
        self._leaves.clear()
        self._kinds.clear()

    # -- which goals can be met

    def _find_alive(self) -> None:
        above: dict[Goal, list[Goal]] = defaultdict(list)
        for goal, shape in enumerate(self.shapes):
            for child in children(shape):
                above[child].append(goal)
        pending = list(
            range(len(self.shapes))
        )  # taken from the end: children mostly come after their parents
        while pending:
            goal = pending.pop()
            if not self._alive[goal] and self._holds(self.shapes[goal]):
                self._alive[goal] = True
                pending.extend(parent for parent in above[goal] if not self._alive[parent])

    def _holds(self, shape: Shape) -> bool:
        if isinstance(shape, Alias):
            return self._alive[shape.target]
        if isinstance(shape, Union):
            return any(self._alive[branch] for branch in shape.branches)
        if isinstance(shape, Leaf):
            return not shape.dead and any(self._kind_holds(shape, kind) for kind in shape.kinds)
        return False

    def _kind_holds(self, leaf: Leaf, kind: Kind) -> bool:
        if kind == "array" and leaf.listing is not None:
            return self._longest(leaf.listing) >= leaf.listing.least
        if kind == "object" and leaf.members is not None:
            return self._members_hold(leaf.members)
        return True

    def _longest(self, listing: Listing) -> float:
        """The most items that an array can have."""
        length: float = next(
            (index for index, goal in enumerate(listing.first) if not self._alive[goal]), len(listing.first)
        )
        if length == len(listing.first) and self._alive[listing.rest]:
            length = float("inf")
        return length if listing.most is None else min(length, listing.most)

    def _members_hold(self, members: Members) -> bool:
        required = 0
        for field in members.fields.values():
            if field.required:
                required += 1
                if not self._alive[field.goal]:
                    return False
        if members.most is not None and required > members.most:
            return False
        if required >= members.least or any(self._alive[goal] for _, goal in members.entries):
            return True
        return sum(self._alive[field.goal] for field in members.fields.values()) >= members.least

    def _prune(self, shape: Shape) -> None:
        if isinstance(shape, Union):
            shape.branches = [branch for branch in shape.branches if self._alive[branch]]
        elif isinstance(shape, Leaf):
            shape.kinds = [kind for kind in shape.kinds if self._kind_holds(shape, kind)]
            if shape.listing is not None:
                longest = self._longest(shape.listing)
                shape.listing.most = None if longest == float("inf") else int(longest)
                shape.listing.first = shape.listing.first[: shape.listing.most]
                if not self._alive[shape.listing.rest] or shape.listing.most == len(shape.listing.first):
                    shape.listing.rest = NEVER
            if "array" not in shape.kinds:
                shape.listing = None
            if shape.members is not None:
                members = shape.members
                members.fields = {n: field for n, field in members.fields.items() if self._alive[field.goal]}
                members.entries = [entry for entry in members.entries if self._alive[entry[1]]]
                if not members.entries or members.others == NEVER or not members.fields:
                    members.others = NEVER
            if "object" not in shape.kinds:
                shape.members = None

    def _why(self, goal: Goal) -> tuple[str, str]:
        """The pointer and reason of the deepest cause that a goal cannot be met."""
        seen: set[Goal] = set()
        while goal not in seen:
            seen.add(goal)
            shape = self.shapes[goal]
            below = next((child for child in self._causes(shape) if not self._alive[child]), None)
            if below is None or below == NEVER:
                break
            goal = below
        else:
            place = self.goals.hint(goal)
            return (
                place.pointer() if place else "",
                "no finite value is possible: it requires itself without end",
            )
        shape = self.shapes[goal]
        place = shape.site.place if isinstance(shape, Leaf) and shape.site else self.goals.hint(goal)
        reason = shape.dead if isinstance(shape, Leaf) else ""
        return (
            place.pointer() if place else "",
            f"no value can match: {reason or 'its parts contradict each other'}",
        )

    def _causes(self, shape: Shape) -> Iterator[Goal]:
        if isinstance(shape, Leaf):
            if shape.members is not None:
                yield from (field.goal for field in shape.members.fields.values() if field.required)
            if shape.listing is not None and shape.listing.least:
                yield from shape.listing.first
                yield shape.listing.rest
        else:
            yield from children(shape)
