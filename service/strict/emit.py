"""Goals to strict schema text: one fragment per goal, shared fragments hoisted into ``$defs``."""

import re
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from service.strict.goals import join
from service.strict.layout import ENTRIES, KEY, REST, VALUE, Layout, item_name
from service.strict.references import Site
from service.strict.rules import NEVER, Alias, Goal, Leaf, Listing, Members, Note, Text, Union
from service.strict.scalars import Fragment, Profile, describe, literals, number, string

_ROOT = "#"
_SMALL = 60
"""Characters of JSON below which a fragment is repeated rather than referred to."""
_BAD_NAME = re.compile(r"[^A-Za-z0-9_.-]+")
_SCALARS = frozenset(("string", "number", "integer", "boolean"))


@dataclass(slots=True)
class Emitted:
    """The strict text, and what its notes were."""

    strict: Fragment
    notes: list[Note] = field(default_factory=list)


class Emitter:
    """Writes the strict form of one layout."""

    def __init__(self, layout: Layout, profile: Profile, opened: frozenset[Goal] = frozenset()) -> None:
        self._layout = layout
        self._analysis = layout.analysis
        self._profile: Profile = profile
        self._notes: list[Note] = list(layout.analysis.goals.notes)
        self._fragments: dict[Goal, Fragment] = {}
        self._names: dict[Goal, str] = {}
        self._taken: set[str] = {layout.marker}
        self._hints: dict[Goal, str] = {}
        self._small: dict[Goal, bool] = {}
        self._pending: deque[Goal] = deque()
        self._marked = False
        self._opened = opened
        self._shared: set[Goal] = set()

    def emit(self) -> Emitted:
        """The whole strict form."""
        root, texts = self._root()
        wrapped = not self._is_object(root)
        self._layout.root_wrapped = wrapped
        self._count(root)
        if wrapped:
            self._fill(root)
            strict = _object({VALUE: self._used(root)})
        else:
            self._shared.discard(root)
            self._names[root] = _ROOT
            strict = self._described(self._fill(root), join(texts), [])
        definitions: dict[str, Fragment] = {}
        while self._pending:
            goal = self._pending.popleft()
            definitions[self._names[goal]] = self._fill(goal)
        if self._marked:
            definitions[self._layout.marker] = {
                **_object({self._layout.marker: {"type": "boolean", "const": True}}),
                "description": "left out",
            }
        if definitions:
            strict = {**strict, "$defs": definitions}
        return Emitted(strict, self._notes)

    # -- which goals become definitions

    def _target(self, goal: Goal) -> Goal:
        """The goal itself, or the one it merely repeats."""
        for _ in range(len(self._analysis.shapes)):
            shape = self._analysis.shapes[goal]
            if shape.text or shape.notes:
                break
            if isinstance(shape, Alias):
                goal = shape.target
            elif isinstance(shape, Union) and len(shape.branches) == 1:
                goal = shape.branches[0]
            else:
                break
        return goal

    def _root(self) -> tuple[Goal, list[str]]:
        """The goal to start from and the texts passed on the way: an object behind references is sent as it is."""
        start = goal = self._target(self._analysis.goals.root)
        texts: list[str] = []
        notes: list[Note] = []
        shape = self._analysis.shapes[goal]
        while isinstance(shape, Alias) or (isinstance(shape, Union) and len(shape.branches) == 1):
            texts.append(describe(shape.text, (note.words for note in shape.notes)))
            notes += shape.notes
            goal = shape.target if isinstance(shape, Alias) else shape.branches[0]
            shape = self._analysis.shapes[goal]
        if not self._is_object(goal):
            return start, []
        self._notes += notes
        return goal, texts

    def _is_object(self, goal: Goal) -> bool:
        """Whether the root can be sent as it is: one closed object and nothing else."""
        shape = self._analysis.shapes[goal]
        return (
            isinstance(shape, Leaf)
            and list(shape.kinds) == ["object"]
            and shape.literals is None
            and shape.members is not None
            and (not self._layout.is_map(shape) or goal in self._layout.wrapped)
        )

    def _below(self, goal: Goal) -> Iterable[tuple[Goal, str]]:
        shape = self._analysis.shapes[goal]
        if isinstance(shape, Alias):
            yield shape.target, ""
        elif isinstance(shape, Union):
            for branch in shape.branches:
                yield branch, ""
        elif isinstance(shape, Leaf):
            if shape.listing is not None:
                items = self._layout.plain_items(shape.listing)
                if items is not None:
                    yield items, "item"
                else:
                    for index, item in enumerate(shape.listing.first):
                        yield item, item_name(index)
                    yield shape.listing.rest, REST
            if shape.members is not None:
                for name, found in shape.members.fields.items():
                    yield found.goal, name
                if not shape.members.fields:
                    for _, value in shape.members.entries:
                        yield value, VALUE
                elif shape.members.others != NEVER:
                    yield shape.members.others, self._layout.others_name(goal) or ""

    def _count(self, root: Goal) -> None:
        """Find the goals that are used more than once."""
        uses: Counter[Goal] = Counter([root])
        pending, seen = [root], {root}
        while pending:
            goal = pending.pop()
            for below, hint in self._below(goal):
                child = self._target(below)
                if child == NEVER:
                    continue
                uses[child] += 1
                if child not in seen:
                    seen.add(child)
                    pending.append(child)
                    self._hints[child] = hint or self._hints.get(goal, "")
        self._shared = {goal for goal, count in uses.items() if count > 1}

    def _name(self, goal: Goal) -> str:
        known = self._names.get(goal)
        if known is not None:
            return known
        if goal == self._analysis.goals.any:
            base = "any"
        else:
            base = (
                self._definition_name(goal) or _BAD_NAME.sub("_", self._hints.get(goal, "")).strip("_")[:40]
            )
        base = base or "part"
        name, number_ = base, 1
        while name in self._taken:
            number_ += 1
            name = f"{base}_{number_}"
        self._taken.add(name)
        self._names[goal] = name
        self._pending.append(goal)
        return name

    def _definition_name(self, goal: Goal) -> str:
        place = self._analysis.goals.hint(goal)
        if place is None or place.above is None or place.above.token not in {"$defs", "definitions"}:
            return ""
        return _BAD_NAME.sub("_", place.token.rsplit("/", 1)[-1]).strip("_")[:60]

    # -- fragments

    def _slot(self, goal: Goal, *, absence: str = "never") -> Fragment:
        """What stands where a goal is used: its fragment or a reference, widened by what says "absent"."""
        goal = self._target(goal)
        fragment = self._used(goal)
        if absence == "null":
            return self._with_null(fragment)
        if absence == "marker":
            self._marked = True
            absent = {"$ref": f"#/$defs/{self._layout.marker}"}
            return _any_of([*_branches(fragment), absent], fragment.get("description"))
        return fragment

    def _used(self, goal: Goal) -> Fragment:
        if self._names.get(goal) == _ROOT:
            return {"$ref": _ROOT}
        if self._is_referred(goal):
            return {"$ref": f"#/$defs/{self._name(goal)}"}
        return dict(self._fragments[goal])

    def _is_referred(self, goal: Goal) -> bool:
        return self._names.get(goal) == _ROOT or (goal in self._shared and not self._is_small(goal))

    def _is_small(self, goal: Goal) -> bool:
        known = self._small.get(goal)
        if known is None:
            shape = self._analysis.shapes[goal]
            known = isinstance(shape, Leaf) and shape.listing is None and shape.members is None
            if known:
                self._fragments[goal] = self._write(goal)
                known = len(repr(self._fragments[goal])) <= _SMALL
            self._small[goal] = known
        return known

    def _fill(self, goal: Goal) -> Fragment:
        """The fragment of a goal, with those that are used once built into it. Not recursive."""
        stack = [(goal, False)]
        while stack:
            at, ready = stack.pop()
            if at in self._fragments:
                continue
            if ready:
                self._fragments[at] = self._write(at)
                continue
            stack.append((at, True))
            for below, _ in self._below(at):
                child = self._target(below)
                if child != NEVER and child not in self._fragments and not self._is_referred(child):
                    stack.append((child, False))
        return self._fragments[goal]

    def _write(self, goal: Goal) -> Fragment:
        shape = self._analysis.shapes[goal]
        self._notes += shape.notes
        words = [note.words for note in shape.notes]
        if isinstance(shape, Alias):
            return self._described(self._slot(shape.target), shape.text, words)
        if isinstance(shape, Union):
            return self._described(self._union(shape.branches), shape.text, words)
        if isinstance(shape, Leaf):
            fragment, notes = self._leaf(goal, shape)
            self._notes += notes
            return self._described(fragment, shape.text, [*words, *(note.words for note in notes)])
        raise TypeError("an unknown shape")

    def _described(self, fragment: Fragment, text: str, words: list[str]) -> Fragment:
        said = describe(text, words)
        if not said:
            return fragment
        if "$ref" in fragment:
            return {"anyOf": [fragment], "description": said}
        return {**fragment, "description": join([said, fragment.get("description", "")])}

    def _union(self, branches: list[Goal]) -> Fragment:
        found: list[Fragment] = []
        null = False
        for branch in branches:
            fragment = self._slot(branch)
            for part in fragment["anyOf"] if fragment.keys() == {"anyOf"} else [fragment]:
                if part == _NULL:
                    null = True
                elif not (len(part) <= 2 and part.keys() <= {"$ref", "type"} and part in found):
                    found.append(part)
        if not found:
            return dict(_NULL)
        union = found[0] if len(found) == 1 else {"anyOf": found}
        return self._with_null(union) if null else union

    def _with_null(self, fragment: Fragment) -> Fragment:
        kind = fragment.get("type")
        if kind == "null" or (isinstance(kind, list) and "null" in kind):
            return fragment
        if kind in _SCALARS and not (self._profile == "minimal" and fragment.keys() & {"enum", "const"}):
            widened = {**fragment, "type": [kind, "null"]}
            if "enum" in widened:
                widened["enum"] = [*widened["enum"], None]
            elif "const" in widened:
                widened = {
                    ("enum" if k == "const" else k): ([v, None] if k == "const" else v)
                    for k, v in widened.items()
                }
            return widened
        branches = _branches(fragment)
        if any(
            branch == _NULL or "null" in branch.get("type", ()) for branch in branches if len(branch) <= 2
        ):
            return fragment
        return _any_of([*branches, dict(_NULL)], fragment.get("description"))

    # -- leaves

    def _leaf(self, goal: Goal, leaf: Leaf) -> tuple[Fragment, list[Note]]:
        site = leaf.site or self._analysis.goals.documents.root
        found: list[Fragment] = []
        notes: list[Note] = []
        if leaf.literals is not None:
            found, notes = literals(leaf, opened=goal in self._opened, site=site)
        else:
            for kind in leaf.kinds:
                if kind == "string":
                    fragment, lost = string(leaf.string, self._profile, site)
                elif kind == "number":
                    fragment, lost = number(leaf.quantity, self._profile, site)
                elif kind == "array" and leaf.listing is not None:
                    fragment, lost = self._array(leaf.listing, site)
                elif kind == "object" and leaf.members is not None:
                    fragment, lost = self._members(goal, leaf, leaf.members, site)
                elif kind == "boolean":
                    fragment, lost = {"type": "boolean"}, []
                else:
                    continue
                found.append(fragment)
                notes += lost
        if not found:
            return dict(_NULL), notes
        union = found[0] if len(found) == 1 else {"anyOf": found}
        return (self._with_null(union) if "null" in leaf.kinds else union), notes

    def _sized(
        self, fragment: Fragment, least: int, most: int | None, site: Site
    ) -> tuple[Fragment, list[Note]]:
        if self._profile == "minimal" and (least or most is not None):
            words = f"at least {least} items" if most is None else f"{least} to {most} items"
            return fragment, [
                Note(site, "minItems" if least else "maxItems", "the size is not limited", words)
            ]
        if least:
            fragment["minItems"] = least
        if most is not None:
            fragment["maxItems"] = most
        return fragment, []

    def _array(self, listing: Listing, site: Site) -> tuple[Fragment, list[Note]]:
        items = self._layout.plain_items(listing)
        if items is not None:
            inner = {"type": "string"} if items == NEVER else self._slot(items)
            return self._sized({"type": "array", "items": inner}, listing.least, listing.most, site)
        parts = {
            item_name(index): self._slot(goal, absence=self._layout.item_absence(listing, index))
            for index, goal in enumerate(listing.first)
        }
        notes: list[Note] = []
        if listing.rest != NEVER:
            most = None if listing.most is None else listing.most - len(listing.first)
            least = max(0, listing.least - len(listing.first))
            parts[REST], notes = self._sized(
                {"type": "array", "items": self._slot(listing.rest)}, least, most, site
            )
        return _object(parts), notes

    def _members(self, goal: Goal, leaf: Leaf, members: Members, site: Site) -> tuple[Fragment, list[Note]]:
        tag = self._layout.tags.get(goal)
        parts: dict[str, Fragment] = {}
        if tag is not None:
            parts[tag] = {"type": "boolean", "const": True}
        if self._layout.is_map(leaf):
            entries, notes = self._map(members, site)
            if goal not in self._layout.wrapped:
                return entries, notes
            return _object({**parts, ENTRIES: entries}), notes
        notes = []
        for name, found in members.fields.items():
            parts[name] = self._slot(found.goal, absence=self._layout.absence(members, name))
        others = self._layout.others_name(goal)
        if others is not None:
            parts[others] = self._slot(members.others)
        required = sum(found.required for found in members.fields.values())
        if members.least > required:
            notes.append(
                Note(
                    site,
                    "minProperties",
                    "the number of members is open",
                    f"at least {members.least} members",
                )
            )
        if members.most is not None and (others is not None or members.most < len(members.fields)):
            notes.append(
                Note(
                    site, "maxProperties", "the number of members is open", f"at most {members.most} members"
                )
            )
        return _object(parts), notes

    def _map(self, members: Members, site: Site) -> tuple[Fragment, list[Note]]:
        notes: list[Note] = []
        variants = []
        for pattern, value in members.entries:
            key, lost = self._key(pattern, members, site)
            notes += lost
            variants.append(_object({KEY: key, VALUE: self._slot(value)}))
        items = variants[0] if len(variants) == 1 else {"anyOf": variants}
        fragment, lost = self._sized({"type": "array", "items": items}, members.least, members.most, site)
        return fragment, [*notes, *lost]

    def _key(self, pattern: str | None, members: Members, site: Site) -> tuple[Fragment, list[Note]]:
        if members.name_values:
            return {"type": "string", "enum": members.name_values}, []
        rules = Text() if members.names is None else members.names
        if pattern is not None:
            rules = Text(
                [(pattern, site), *rules.patterns], rules.formats, rules.least, rules.most, rules.sites
            )
        return string(rules, self._profile, site)


_NULL: Fragment = {"type": "null"}


def _object(parts: dict[str, Fragment]) -> Fragment:
    return {"type": "object", "properties": parts, "required": list(parts), "additionalProperties": False}


def _branches(fragment: Fragment) -> list[Fragment]:
    if fragment.keys() <= {"anyOf", "description"} and "anyOf" in fragment:
        return list(fragment["anyOf"])
    return [{word: value for word, value in fragment.items() if word != "description"}]


def _any_of(branches: list[Fragment], text: str | None) -> Fragment:
    return {"anyOf": branches, "description": text} if text else {"anyOf": branches}
