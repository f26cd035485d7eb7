"""Several subschemas' own keywords at once: one set of rules per kind of value. Merging comes before closing."""

import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, Protocol

from service.strict.evaluated import evaluated
from service.strict.negation import EXCLUDED
from service.strict.patterns import matches_everything, searcher
from service.strict.references import Documents, Site
from service.strict.refused import SchemaRefused
from service.strict.rules import NEVER, Field, Goal, Leaf, Listing, Members, Note, Quantity, Text
from service.strict.values import KINDS, Kind, identity, is_integer, kind_of

_ARRAY_WORDS = frozenset(("additionalItems", "items", "prefixItems", "unevaluatedItems"))
_OBJECT_WORDS = frozenset(
    ("additionalProperties", "patternProperties", "properties", "unevaluatedProperties")
)


class Goals(Protocol):
    """Who numbers the goals of subschemas (``goals.Goals``)."""

    documents: Documents
    any: Goal
    infer: bool

    def of(self, sites: Iterable[Site]) -> Goal:
        """The goal of meeting all these subschemas."""
        ...

    def others(self, members: Members, site: Site) -> Goal:
        """The goal of a map that holds the keys an object does not declare."""
        ...

    def spend(self, steps: int, site: Site) -> None:
        """Count work that grows faster than the schema."""
        ...


class Merger:
    """Reads the keywords of sites one by one and ends with a leaf."""

    def __init__(self, goals: Goals, sites: list[Site]) -> None:
        self._goals = goals
        self._documents = goals.documents
        self._sites = sites
        self.kinds: list[Kind] | None = None
        self.integer = False
        self.literals: list[Any] | None = None
        self.excluded: set[Any] = set()
        self.text = Text()
        self.quantity = Quantity()
        self.notes: list[Note] = []
        self.sizes: dict[str, tuple[int, Site]] = {}
        self.required: dict[str, Site] = {}
        self.names: list[Site] = []
        self._bound: set[Kind] = set()
        self._where: dict[Kind, Site] = {}
        for site in sites:
            self.read(site)

    def read(self, site: Site) -> None:
        """Take in the keywords of one subschema."""
        for keyword, value in site.schema.items():
            rule = _RULES.get(keyword)
            if rule is None or not site.dialect.knows(keyword):
                continue
            read, kind = rule
            if read is not None:
                read(self, site, keyword, value)
            if kind is not None and not _idle(keyword, value):
                self._bound.add(kind)
                self._where.setdefault(kind, site)

    def unconstrained_kinds(self) -> list[Kind]:
        """The kinds admitted only because no keyword speaks of them, where no ``type`` was given."""
        if self.kinds is not None or self.literals is not None:
            return []
        return [kind for kind in KINDS if kind not in self._bound]

    def implied(self) -> bool:
        """Whether the keywords point at a kind although no ``type`` was given."""
        return bool(self._bound & {"object", "array"}) or self._bound in ({"string"}, {"number"})

    def leaf(self) -> Leaf:
        """The rules of all sites together."""
        kinds = self.kinds if self.kinds is not None else list(KINDS)
        leaf = Leaf(kinds=kinds, quantity=self.quantity, string=self.text, notes=self.notes)
        leaf.site = next((self._where[kind] for kind in kinds if kind in self._where), None)
        self.quantity.integer = self.integer
        if not kinds:
            leaf.dead = "no type is left that all parts allow"
        elif self.literals is not None:
            leaf.literals = [value for value in self.literals if self._admits(value, kinds)]
            leaf.kinds = [kind for kind in KINDS if any(kind_of(value) == kind for value in leaf.literals)]
            leaf.dead = "" if leaf.literals else "no enumerated value is left that all parts allow"
            leaf.site = leaf.site or self._sites[0]
            return leaf
        if "boolean" in kinds and self.excluded:
            self._exclude(leaf)
        leaf.kinds = [kind for kind in leaf.kinds if not self._contradiction(kind)]
        if kinds and not leaf.kinds:
            leaf.dead = self._contradiction(kinds[0])
        if "array" in leaf.kinds:
            leaf.listing = _listing(self)
        if "object" in leaf.kinds:
            leaf.members = _members(self)
        return leaf

    def _exclude(self, leaf: Leaf) -> None:
        left = [value for value in (True, False) if identity(value) not in self.excluded]
        if len(left) == 1 and list(leaf.kinds) == ["boolean"]:
            leaf.literals = left
        elif not left:
            leaf.kinds = [kind for kind in leaf.kinds if kind != "boolean"]
        if "null" in leaf.kinds and identity(None) in self.excluded:
            leaf.kinds = [kind for kind in leaf.kinds if kind != "null"]

    def _admits(self, value: Any, kinds: list[Kind]) -> bool:
        kind = kind_of(value)
        if kind not in kinds:
            return False
        if kind == "number":
            return (
                (not self.integer or is_integer(value))
                and within(value, self.quantity)
                and self._allowed(value)
            )
        if kind == "string":
            return matches(value, self.text) and self._allowed(value)
        return self._allowed(value)

    def _allowed(self, value: Any) -> bool:
        return not self.excluded or identity(value) not in self.excluded

    def _contradiction(self, kind: Kind) -> str:
        if kind == "string" and self.text.most is not None and self.text.least > self.text.most:
            return "minLength is above maxLength"
        if kind == "number":
            return _empty(self.quantity)
        least, most = {"array": ("minItems", "maxItems"), "object": ("minProperties", "maxProperties")}.get(
            kind, ("", "")
        )
        if least in self.sizes and most in self.sizes and self.sizes[least][0] > self.sizes[most][0]:
            return f"{least} is above {most}"
        return ""

    def unevaluated(self, keyword: str) -> list[Site]:
        """The sites that say what may be beside everything else."""
        return [site for site in self._sites if keyword in site.schema and site.dialect.knows(keyword)]

    def size(self, keyword: str) -> int | None:
        """The merged value of a counting keyword."""
        found = self.sizes.get(keyword)
        return None if found is None else found[0]

    @property
    def goals(self) -> Goals:
        """The goals that this leaf belongs to."""
        return self._goals

    def child(self, site: Site, *path: str | int) -> Site:
        """A subschema's site."""
        return self._documents.child(site, *path)

    @property
    def sites(self) -> list[Site]:
        """The sites that were read."""
        return self._sites


def _idle(keyword: str, value: Any) -> bool:
    return value is False if keyword == "uniqueItems" else (value is True or value == {} or value == [])


# -- keywords


_KIND_OF: Mapping[str, Kind] = {**{kind: kind for kind in KINDS}, "integer": "number"}


def _type(merger: Merger, _: Site, __: str, value: Any) -> None:
    names = [value] if isinstance(value, str) else value
    kinds: list[Kind] = list(dict.fromkeys(_KIND_OF[name] for name in names))
    if "number" in kinds and "number" not in names:
        merger.integer = True
    merger.kinds = kinds if merger.kinds is None else [kind for kind in merger.kinds if kind in kinds]


def _enum(merger: Merger, site: Site, keyword: str, value: Any) -> None:
    values: dict[Any, Any] = {}
    for member in value if keyword == "enum" else [value]:
        try:
            values.setdefault(identity(member), member)
        except ValueError:
            raise SchemaRefused(
                site.place.pointer(), f"a value of {keyword} nests too deep, or is no number"
            ) from None
    if merger.literals is None:
        merger.literals = list(values.values())
    else:
        merger.literals = [member for member in merger.literals if identity(member) in values]


def _excluded(merger: Merger, site: Site, _: str, value: Any) -> None:
    for member in value:
        try:
            merger.excluded.add(identity(member))
        except ValueError:
            continue
        if kind_of(member) in {"string", "number"} and merger.literals is None:
            merger.notes.append(Note(site, "not", "a value that is not allowed", f"not {member!r}"[:60]))


def _pattern(merger: Merger, site: Site, _: str, value: Any) -> None:
    if value not in [pattern for pattern, _ in merger.text.patterns]:
        merger.text.patterns.append((value, site))


def _format(merger: Merger, site: Site, _: str, value: Any) -> None:
    if value not in [name for name, _ in merger.text.formats]:
        merger.text.formats.append((value, site))


def _min_length(merger: Merger, site: Site, keyword: str, value: Any) -> None:
    if value > merger.text.least:
        merger.text.least = int(value)
        merger.text.sites[keyword] = site


def _max_length(merger: Merger, site: Site, keyword: str, value: Any) -> None:
    if merger.text.most is None or value < merger.text.most:
        merger.text.most = int(value)
        merger.text.sites[keyword] = site


def _low(merger: Merger, site: Site, keyword: str, value: Any) -> None:
    if isinstance(value, bool):
        return
    excluded = keyword == "exclusiveMinimum" or site.schema.get("exclusiveMinimum") is True
    old = merger.quantity.low
    if old is None or value > old[0] or (value == old[0] and excluded):
        merger.quantity.low = (value, excluded)
        merger.quantity.sites["minimum"] = site


def _high(merger: Merger, site: Site, keyword: str, value: Any) -> None:
    if isinstance(value, bool):
        return
    excluded = keyword == "exclusiveMaximum" or site.schema.get("exclusiveMaximum") is True
    old = merger.quantity.high
    if old is None or value < old[0] or (value == old[0] and excluded):
        merger.quantity.high = (value, excluded)
        merger.quantity.sites["maximum"] = site


def _multiple(merger: Merger, site: Site, _: str, value: Any) -> None:
    if value not in [number for number, _ in merger.quantity.multiples]:
        merger.quantity.multiples.append((value, site))


def _least(merger: Merger, site: Site, keyword: str, value: Any) -> None:
    if keyword not in merger.sizes or value > merger.sizes[keyword][0]:
        merger.sizes[keyword] = (int(value), site)


def _most(merger: Merger, site: Site, keyword: str, value: Any) -> None:
    if keyword not in merger.sizes or value < merger.sizes[keyword][0]:
        merger.sizes[keyword] = (int(value), site)


def _required(merger: Merger, site: Site, _: str, value: Any) -> None:
    for name in value:
        merger.required.setdefault(name, site)


def _unique(merger: Merger, site: Site, keyword: str, value: Any) -> None:
    if value:
        merger.notes.append(Note(site, keyword, "items may repeat", "unique items"))


def _contains(merger: Merger, site: Site, keyword: str, _: Any) -> None:
    wanted = site.schema.get("minContains", 1) if site.dialect.knows("minContains") else 1
    _least(merger, site, "minItems", wanted)
    merger.notes.append(Note(site, keyword, f"at least {wanted} of the items must match", ""))


def _property_names(merger: Merger, site: Site, _: str, __: Any) -> None:
    merger.names.append(site)


_Read = Callable[[Merger, Site, str, Any], None]
_RULES: Mapping[str, tuple[_Read | None, Kind | None]] = {
    EXCLUDED: (_excluded, None),
    "const": (_enum, None),
    "contains": (_contains, "array"),
    "enum": (_enum, None),
    "exclusiveMaximum": (_high, "number"),
    "exclusiveMinimum": (_low, "number"),
    "format": (_format, "string"),
    "maxItems": (_most, "array"),
    "maxLength": (_max_length, "string"),
    "maxProperties": (_most, "object"),
    "maximum": (_high, "number"),
    "minItems": (_least, "array"),
    "minLength": (_min_length, "string"),
    "minProperties": (_least, "object"),
    "minimum": (_low, "number"),
    "multipleOf": (_multiple, "number"),
    "pattern": (_pattern, "string"),
    "propertyNames": (_property_names, "object"),
    "required": (_required, "object"),
    "type": (_type, None),
    "uniqueItems": (_unique, "array"),
    **dict.fromkeys(_ARRAY_WORDS, (None, "array")),
    **dict.fromkeys(_OBJECT_WORDS, (None, "object")),
}


# -- strings and numbers


def matches(value: str, text: Text) -> bool:
    """Whether a string keeps the rules that can be tested; formats are not asserted."""
    if len(value) < text.least or (text.most is not None and len(value) > text.most):
        return False
    tests = (searcher(pattern) for pattern, _ in text.patterns)
    return all(test is None or test(value) for test in tests)


def within(value: Any, quantity: Quantity) -> bool:
    """Whether a number keeps the rules."""
    if quantity.integer and not is_integer(value):
        return False
    if quantity.low is not None and (
        value < quantity.low[0] or (quantity.low[1] and value == quantity.low[0])
    ):
        return False
    if quantity.high is not None and (
        value > quantity.high[0] or (quantity.high[1] and value == quantity.high[0])
    ):
        return False
    return all(_divides(step, value) for step, _ in quantity.multiples)


def _divides(step: Any, value: Any) -> bool:
    if isinstance(step, int) and isinstance(value, int):
        return value % step == 0
    return (Fraction(str(value)) / Fraction(str(step))).denominator == 1


def _empty(quantity: Quantity) -> str:
    low, high = quantity.low, quantity.high
    if low is None or high is None:
        return ""
    if low[0] > high[0] or (low[0] == high[0] and (low[1] or high[1])):
        return "the lower bound is above the upper bound"
    if quantity.integer:
        first = math.floor(low[0]) + 1 if low[1] else math.ceil(low[0])
        last = math.ceil(high[0]) - 1 if high[1] else math.floor(high[0])
        if first > last:
            return "no integer lies between the bounds"
    return ""


# -- arrays


def _listing(merger: Merger) -> Listing:
    specs = [_items(merger, site) for site in merger.sites]
    length = max((len(first) for first, _ in specs), default=0)
    rests = [rest for _, rest in specs if rest is not None]
    first = []
    for index in range(length):
        here = [known[index] if index < len(known) else rest for known, rest in specs]
        first.append(merger.goals.of(site for site in here if site is not None))
    if not rests:
        for site in merger.unevaluated("unevaluatedItems"):
            known = evaluated(merger.goals.documents, site)
            if known.open_items or _contains_evaluates(merger):
                rests = []
                break
            first += [merger.goals.any] * (known.length - len(first))
            rests.append(merger.child(site, "unevaluatedItems"))
    return Listing(
        first=first,
        rest=merger.goals.of(rests),
        least=merger.size("minItems") or 0,
        most=merger.size("maxItems"),
    )


def _contains_evaluates(merger: Merger) -> bool:
    """Since 2020-12, items that ``contains`` matches are evaluated."""
    return any("contains" in site.schema and site.dialect.draft == "2020-12" for site in merger.sites)


def _items(merger: Merger, site: Site) -> tuple[list[Site], Site | None]:
    """What one subschema says about the first items, and about the rest if anything."""
    schema = site.schema
    tuple_word = "prefixItems" if site.dialect.knows("prefixItems") else "items"
    given = schema.get(tuple_word)
    if not isinstance(given, list):
        return [], merger.child(site, "items") if isinstance(schema.get("items"), dict | bool) else None
    first = [merger.child(site, tuple_word, index) for index in range(len(given))]
    rest_word = "items" if tuple_word == "prefixItems" else "additionalItems"
    return first, merger.child(site, rest_word) if rest_word in schema else None


# -- objects


class _Spec:
    """What one subschema says about keys."""

    __slots__ = ("merger", "others", "patterns", "properties", "site")

    def __init__(self, merger: Merger, site: Site) -> None:
        self.merger, self.site = merger, site
        self.properties: dict[str, Any] = site.schema.get("properties", {})
        self.patterns: list[str] = list(site.schema.get("patternProperties", ()))
        self.others = (
            merger.child(site, "additionalProperties") if "additionalProperties" in site.schema else None
        )

    def holds(self, name: str) -> list[Site]:
        """The subschemas for the value of one key."""
        found = []
        if name in self.properties:
            found.append(self.merger.child(self.site, "properties", name))
        for pattern in self.patterns:
            test = searcher(pattern)
            if test is not None and test(name):
                found.append(self.merger.child(self.site, "patternProperties", pattern))
        return found if found or self.others is None else [self.others]

    def under(self, pattern: str) -> list[Site]:
        """The subschemas for keys that match another subschema's pattern."""
        if pattern in self.patterns:
            return [self.merger.child(self.site, "patternProperties", pattern)]
        return [self.others] if self.others is not None and not self.patterns else []


def _members(merger: Merger) -> Members:
    goals = merger.goals
    specs = [_Spec(merger, site) for site in merger.sites if _OBJECT_WORDS & site.schema.keys()]
    others = [spec.others for spec in specs if spec.others is not None]
    unevaluated: list[Site] = []
    free: dict[str, None] = {}
    if not others:
        for site in merger.unevaluated("unevaluatedProperties"):
            known = evaluated(goals.documents, site)
            if known.open_members:
                unevaluated = []
                break
            free.update(known.names)
            unevaluated.append(merger.child(site, "unevaluatedProperties"))
        others = unevaluated
    names = dict.fromkeys(name for spec in specs for name in spec.properties)
    names.update(dict.fromkeys(merger.required))
    names.update(free)
    key_rules, key_values = _key_rules(merger)
    fields = {}
    goals.spend(len(names) * (1 + sum(len(spec.patterns) for spec in specs)), merger.sites[0])
    for name in names:
        found = [site for spec in specs for site in spec.holds(name)]
        if not found and unevaluated and name not in free:
            found = unevaluated
        goal = goals.of(found)
        if not _key_allowed(name, key_rules, key_values):
            goal = NEVER
        fields[name] = Field(goal, name in merger.required)
    entries: list[tuple[str | None, Goal]] = []
    for pattern in dict.fromkeys(pattern for spec in specs for pattern in spec.patterns):
        entries.append((pattern, goals.of([site for spec in specs for site in spec.under(pattern)])))
    if goals.infer and fields and not others:
        site = specs[0].site if specs else merger.sites[0]
        merger.notes.append(
            Note(site, "additionalProperties", "members that are not declared cannot be returned")
        )
    else:
        entries.append((None, goals.of(others)))
    wide = next(
        (goal for pattern, goal in entries if pattern is not None and matches_everything(pattern)), None
    )
    if wide is not None:  # other keys do not exist
        entries = [entry for entry in entries if entry[0] is not None and not matches_everything(entry[0])]
        entries.append((None, wide))
    entries = [entry for entry in entries if entry[1] != NEVER]
    members = Members(
        fields=fields,
        entries=entries,
        names=key_rules,
        name_values=key_values,
        least=merger.size("minProperties") or 0,
        most=merger.size("maxProperties"),
    )
    if fields and entries:
        members.others = goals.others(members, specs[0].site if specs else merger.sites[0])
    return members


def _key_rules(merger: Merger) -> tuple[Text | None, list[str] | None]:
    """``propertyNames`` as rules for strings, as far as they are that simple."""
    if not merger.names:
        return None, None
    documents = merger.goals.documents
    rules = Merger(merger.goals, [])
    for site in merger.names:
        inner = merger.child(site, "propertyNames")
        for _ in range(8):
            if isinstance(inner.schema, dict) and isinstance(inner.schema.get("$ref"), str):
                inner = documents.resolve(inner, "$ref")
        if inner.schema is False:
            rules.literals = []
        elif isinstance(inner.schema, dict):
            rules.read(inner)
            if inner.schema.keys() & {"anyOf", "allOf", "oneOf", "not", "if", "$ref"}:
                merger.notes.append(Note(site, "propertyNames", "not all rules for names are kept", ""))
    values = None
    if rules.literals is not None:
        values = [value for value in rules.literals if isinstance(value, str) and matches(value, rules.text)]
    return rules.text, values


def _key_allowed(name: str, rules: Text | None, values: list[str] | None) -> bool:
    if values is not None:
        return name in values
    return rules is None or matches(name, rules)
