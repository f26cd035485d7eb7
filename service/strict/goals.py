"""From subschemas to goals: references followed, ``allOf`` gathered, alternatives spread out.

A goal is a conjunction of items. An item is a subschema and which part of it: all of it, its own keywords only, or one
of its choices (``anyOf``, ``if``, ``not`` …). Conjunctions are numbered, so recursion ends by itself, and a budget ends
what would grow without end.
"""

from collections.abc import Iterable
from typing import Any

from service.strict import choices
from service.strict.choices import ALL, OWN, Item, Options
from service.strict.drafts import Place
from service.strict.merge import Merger
from service.strict.references import Documents, Site
from service.strict.refused import SchemaRefused
from service.strict.rules import NEVER, Alias, Goal, Leaf, Members, Note, Shape, Union
from service.strict.values import KINDS, Kind, kind_of

_SILENT = frozenset(
    [
        "$anchor",
        "$comment",
        "$defs",
        "$dynamicAnchor",
        "$id",
        "$recursiveAnchor",
        "$schema",
        "$vocabulary",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
        "default",
        "definitions",
        "deprecated",
        "description",
        "else",
        "example",
        "examples",
        "id",
        "maxContains",
        "minContains",
        "nullable",
        "readOnly",
        "then",
        "title",
        "writeOnly",
    ]
)
"""Keywords that admit and refuse nothing by themselves."""


_OTHERS = "others"
_REFERENCES = frozenset(("$ref", "$dynamicRef", "$recursiveRef"))

_MAX_WORK = 200_000
"""Steps of flattening and matching names that one attempt may take."""

_MAX_NOTES = 100
"""Places beyond the budget that are listed as lost."""


class _OutOfBudget(Exception):
    """More goals than allowed."""


class Goals:
    """All goals of one compilation and their shapes."""

    def __init__(
        self, documents: Documents, *, branches: int, budget: int, overflow: bool, infer: bool = False
    ) -> None:
        self.documents = documents
        self.infer = infer
        self._branches = branches
        self._budget = budget
        self._overflow = overflow
        self._work = 0
        self.widest = 1
        """The most branches that one conjunction spreads into; fewer allowed branches than that change the result."""
        self.notes: list[Note] = []
        self._numbers: dict[tuple[Item, ...], Goal] = {(): NEVER}
        self._items: list[tuple[Item, ...]] = [()]
        self._maps: dict[Any, Goal] = {}
        self._ready: dict[Goal, Shape] = {}
        self.shapes: list[Shape] = [Leaf(kinds=(), dead="nothing is allowed here")]
        self.any = self.of_kinds(KINDS)
        self.root = self.of([documents.root])
        self.exhausted = False
        """Whether the budget ran out before all goals were expanded."""
        try:
            self._expand_all()
        except _OutOfBudget:
            self.exhausted = True

    # -- numbering

    def intern(self, items: Iterable[Item]) -> Goal:
        """The number of a conjunction of items."""
        key = tuple(dict.fromkeys(items))
        if not key:
            return self.any
        known = self._numbers.get(key)
        if known is None:
            if len(self._items) >= self._budget:
                if not self._overflow:
                    raise _OutOfBudget
                return self._let_through(key)
            known = self._numbers[key] = len(self._items)
            self._items.append(key)
        return known

    def _let_through(self, key: tuple[Item, ...]) -> Goal:
        """What stands for a goal beyond the budget: any value."""
        if len(self.notes) < _MAX_NOTES:
            self.notes.append(
                Note(self._site(key[0]), "", "the schema is too large: any value is let through here")
            )
        return self.any

    def of(self, sites: Iterable[Site]) -> Goal:
        """The goal of meeting all these subschemas."""
        items: list[Item] = []
        for site in sites:
            if site.schema is False:
                return NEVER
            if site.schema is not True:
                items.append((site.key, ALL))
        return self.intern(items)

    def of_kinds(self, kinds: Iterable[Kind], like: Site | None = None) -> Goal:
        """The goal of being of one of these kinds."""
        names = tuple(kinds)
        site = self.documents.synthesise(("kinds", names), {"type": list(names)}, like or self.documents.root)
        return self.intern([(site.key, ALL)])

    def synthetic(self, key: Any, schema: dict[str, Any], like: Site) -> Goal:
        """The goal of a schema made up here."""
        return self.of([self.documents.synthesise(key, schema, like)])

    def others(self, members: Members, site: Site) -> Goal:
        """The goal of a map that holds the keys an object does not declare."""
        rules = members.names is not None or members.name_values is not None
        key = ("others", tuple(members.entries), site.key if rules else None)
        known = self._maps.get(key)
        if known is None:
            known = self._maps[key] = len(self._items)
            self._items.append(((site.key, _OTHERS),))
            inner = Members({}, members.entries, members.names, members.name_values)
            self._ready[known] = Leaf(kinds=["object"], members=inner, site=site)
        return known

    def is_others(self, goal: Goal) -> bool:
        """Whether a goal is a map that belongs to an object."""
        items = self._items[goal]
        return len(items) == 1 and items[0][1] == _OTHERS

    def equal(self, one: Goal, other: Goal) -> bool:
        """Whether two goals plainly say the same: single subschemas with the same simple words."""
        said = []
        for goal in (one, other):
            items = self._items[goal]
            schema = self._site(items[0]).schema if len(items) == 1 and items[0][1] == ALL else None
            if not isinstance(schema, dict) or not all(map(_is_simple, schema.values())):
                return False
            # As text: `True` equals 1 in Python, but not here.
            said.append(sorted(f"{word} {value!r}" for word, value in schema.items() if word not in _SILENT))
        return said[0] == said[1]

    # -- shapes

    def _expand_all(self) -> None:
        while len(self.shapes) < len(self._items):
            goal = len(self.shapes)
            shape = self._ready.get(goal)
            if shape is None and self._work > _MAX_WORK and goal > self.root:
                if not self._overflow:
                    raise _OutOfBudget
                shape = Alias(target=self._let_through(self._items[goal]))
            self.shapes.append(shape or self._expand(self._items[goal]))

    def spend(self, steps: int, site: Site) -> None:
        """Count work that grows faster than the schema.

        Raises ``SchemaRefused`` where one place alone needs too much.
        """
        self._work += steps
        if steps > _MAX_WORK:
            raise SchemaRefused(site.place.pointer(), "too many patterns over too many properties")

    def _expand(self, items: tuple[Item, ...]) -> Shape:
        text = join(self._words(key) for key, part in items if part == ALL)
        if len(items) == 1:
            target = self._single_target(*items[0])
            if target is not None:
                return Alias(text=text, target=target)
        own, spread, more = self._flatten(items)
        if own is None:
            return Leaf(kinds=(), dead="`false` stands here", site=self._site(items[0]))
        text = join([text, *more])
        notes: list[Note] = []
        kept: list[tuple[Item, Options]] = []
        for item in spread:
            options = choices.options(self.documents, item)
            notes += options.notes
            if options.alternatives is not None:
                kept.append((item, options))
        notes += self._drop_excess(kept)
        if not kept:
            return self._leaf(own, items, text, notes)
        options, rest = kept[0][1], [item for item, _ in kept[1:]]
        base = [(site.key, OWN) for site in own]
        branches = [
            NEVER if branch is None else self.intern([*base, *branch, *rest])
            for branch in options.alternatives or ()
        ]
        return Union(text=text, notes=notes, branches=list(dict.fromkeys(branches)))

    def _drop_excess(self, kept: list[tuple[Item, Options]]) -> list[Note]:
        """Give up choices, the least telling first, until the product of the others is small enough."""
        notes: list[Note] = []
        while True:
            product = 1
            for _, options in kept:
                product *= max(1, len(options.alternatives or ()))
            if not kept or (len(kept) == 1 and kept[0][1].pure):
                return notes
            self.widest = max(self.widest, product)
            if product <= self._branches:
                return notes
            worst = max(range(len(kept)), key=lambda i: (kept[i][1].rank, i))
            (key, _), options = kept.pop(worst)
            notes.append(
                Note(self.documents.sites[key], options.keyword, "too many combinations", options.words)
            )

    def _single_target(self, key: int, part: str) -> Goal | None:
        """What an item says that is nothing but a reference, or an ``allOf`` of one."""
        site = self.documents.sites[key]
        schema = site.schema
        if part != ALL or not isinstance(schema, dict):
            return None
        if "$ref" in schema and site.dialect.ref_hides_siblings:
            return self.of([self._target(site, "$ref")])
        telling = [word for word in schema if word not in _SILENT and choices.matters(site, word)]
        if len(telling) == 1 and telling[0] in _REFERENCES:
            return self.of([self._target(site, telling[0])])
        if telling == ["allOf"] and len(schema["allOf"]) == 1:
            return self.of([self.documents.child(site, "allOf", 0)])
        return None

    def _target(self, site: Site, keyword: str) -> Site:
        target = self.documents.resolve(site, keyword)
        if target is site:
            raise SchemaRefused(site.place.pointer(), "the reference leads to itself")
        return target

    def _flatten(self, items: tuple[Item, ...]) -> tuple[list[Site] | None, list[Item], list[str]]:
        """Gather what must hold: sites whose own keywords apply, choices, and texts met on the way."""
        own: list[Site] = []
        spread: list[Item] = []
        texts: list[str] = []
        seen: set[Item] = set()
        given = set(items)
        stack = list(reversed(items))
        while stack:
            item = stack.pop()
            if item in seen:
                continue
            seen.add(item)
            self._work += 1
            key, part = item
            site = self.documents.sites[key]
            if part == OWN:
                own.append(site)
            elif part != ALL:
                spread.append(item)
            elif site.schema is False:
                return None, [], []
            elif site.schema is not True:
                if item not in given:
                    texts.append(self._words(key))
                stack.extend(reversed(self._parts(site)))
        return own, spread, texts

    def _parts(self, site: Site) -> list[Item]:
        """The items that one subschema amounts to, in the order of its text."""
        schema = site.schema
        if "$ref" in schema and site.dialect.ref_hides_siblings:
            return [(self._target(site, "$ref").key, ALL)]
        parts: list[Item] = []
        for keyword in schema:
            if keyword in _SILENT or not choices.matters(site, keyword):
                continue
            if keyword in _REFERENCES:
                parts.append((self._target(site, keyword).key, ALL))
            elif keyword == "allOf":
                for index in range(len(schema["allOf"])):
                    parts.append((self.documents.child(site, "allOf", index).key, ALL))
            elif keyword in choices.CHOICES:
                parts += choices.items(site, keyword)
            else:
                parts.append((site.key, OWN))
        return parts

    def _leaf(self, own: list[Site], items: tuple[Item, ...], text: str, notes: list[Note]) -> Shape:
        if not own:
            return Alias(text=text, notes=notes, target=self.any)
        merger = Merger(self, own)
        leaf = merger.leaf()
        leaf.site = leaf.site or self._site(items[0])
        leaf.text, leaf.notes = text, [*notes, *leaf.notes]
        if leaf.dead:
            return leaf
        if leaf.literals is not None and any(isinstance(value, dict | list) for value in leaf.literals):
            return self._literal_union(leaf)
        loose = merger.unconstrained_kinds()
        if len(loose) == len(KINDS):
            return (
                Alias(text=text, notes=leaf.notes, target=self.any)
                if items != self._items[self.any]
                else leaf
            )
        if loose and self.infer and merger.implied():
            leaf.kinds = [kind for kind in leaf.kinds if kind not in loose]
            leaf.notes.append(Note(leaf.site, "type", "the type is taken from the other keywords"))
        elif loose:
            bound = [kind for kind in KINDS if kind not in loose]
            site = self.documents.synthesise(("kinds", tuple(bound)), {"type": bound}, leaf.site)
            strict = self.intern([*((one.key, OWN) for one in own), (site.key, OWN)])
            return Union(text=text, notes=notes, branches=[strict, self.of_kinds(loose, leaf.site)])
        return leaf

    def _literal_union(self, leaf: Leaf) -> Shape:
        """Objects and arrays among enumerated values: each becomes a structure of constants."""
        branches = []
        plain = [value for value in leaf.literals or () if not isinstance(value, dict | list)]
        site = leaf.site or self.documents.root
        if plain:
            branches.append(self.synthetic(("plain", site.key, len(self._items)), {"enum": plain}, site))
        for value in leaf.literals or ():
            if isinstance(value, dict | list):
                branches.append(self.synthetic(("literal", id(value)), structure(value), site))
        return Union(text=leaf.text, notes=leaf.notes, branches=branches)

    def _site(self, item: Item) -> Site:
        return self.documents.sites[item[0]]

    def hint(self, goal: Goal) -> Place | None:
        """The place that best names a goal."""
        items = self._items[goal]
        return self._site(items[0]).place if items else None

    def _words(self, key: int) -> str:
        site = self.documents.sites[key]
        if not isinstance(site.schema, dict):
            return ""
        text = site.schema.get("description")
        if isinstance(text, str) and text.strip():
            return text.strip()
        title = site.schema.get("title")
        # Generators title each property by its own name, which says nothing more.
        if not isinstance(title, str) or _letters(title) == _letters(site.place.token):
            return ""
        return title.strip()


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


def _is_simple(value: Any) -> bool:
    if isinstance(value, list):
        return not any(isinstance(member, dict | list) for member in value)
    return not isinstance(value, dict)


def structure(value: Any) -> dict[str, Any]:
    """A schema that admits exactly one value, one level deep; deeper values are constants of their own."""
    if kind_of(value) == "object":
        return {
            "type": "object",
            "properties": {name: {"const": member} for name, member in value.items()},
            "required": list(value),
            "additionalProperties": False,
        }
    return {
        "type": "array",
        "prefixItems": [{"const": member} for member in value],
        "items": False,
        "minItems": len(value),
    }


def join(texts: Iterable[str]) -> str:
    """Descriptions of one place, joined without saying anything twice."""
    kept: list[str] = []
    for text in texts:
        if text and not any(text in other for other in kept):
            kept.append(text)
    return " ".join(kept)
