"""One vocabulary for every draft: what a subschema says, with its subschemas as nodes.

Reads through ``service.strict``'s documents, which know where references lead and what each draft means.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from service.strict import EXCLUDED, Documents, Site, dialect_of, guess_draft, negation

NULL: Final = "null"
KINDS = frozenset([NULL, "boolean", "number", "string", "array", "object"])
"""Kinds of value. ``integer`` is a number that has no fraction: `1.0` is one (2020-12 §6.1.1)."""

Bound = tuple[Fraction, bool]
"""A limit and whether the limit itself is excluded."""


def identity(value: Any) -> Hashable:
    """A key that two JSON values share exactly when they are equal: 1 equals 1.0 and not true."""
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, list):
        return "array", tuple(map(identity, value))
    if isinstance(value, dict):
        return "object", frozenset((name, identity(member)) for name, member in value.items())
    return value if value is None or isinstance(value, int | float) else ("string", value)


@dataclass(frozen=True, slots=True)
class Node:
    """A subschema in one of the compared documents. Equal nodes are the same place."""

    source: "Source" = field(compare=False, repr=False)
    side: int
    key: int

    @property
    def site(self) -> Site:
        """Where it stands, and its JSON."""
        return self.source.documents.sites[self.key]

    @property
    def schema(self) -> Any:
        """Its JSON."""
        return self.site.schema

    @property
    def pointer(self) -> str:
        """JSON Pointer into its document."""
        return self.site.place.pointer().partition("#")[2] or self.site.place.pointer()


@dataclass(slots=True)
class Conditional:
    """``if`` with its consequences; a missing one is None."""

    condition: Node
    then: Node | None
    otherwise: Node | None


@dataclass(slots=True)
class Words:
    """What one subschema says, in the terms of 2020-12. Empty for ``true``; ``false`` is ``never``."""

    never: bool = False
    everywhere: list[Node] = field(default_factory=list)
    """Subschemas that must hold too: ``$ref``, ``allOf``."""
    any_of: list[Node] | None = None
    one_of: list[Node] | None = None
    excluded: Node | None = None
    conditional: Conditional | None = None
    kinds: frozenset[str] = KINDS
    whole: bool = False
    """Numbers must have no fraction."""
    values: list[Any] | None = None
    among: frozenset[Hashable] | None = None
    """The identities of ``values``: enumerations have thousands of them."""
    refused: list[Any] | None = None
    """Values that are not admitted."""
    not_among: frozenset[Hashable] | None = None
    """The identities of ``refused``."""
    low: Bound | None = None
    high: Bound | None = None
    multiple: Fraction | None = None
    sizes: dict[str, int] = field(default_factory=dict)
    """``minLength``, ``maxItems`` and the like."""
    pattern: str | None = None
    format: str | None = None
    prefix: list[Node] = field(default_factory=list)
    items: Node | None = None
    """Of the items behind ``prefix``."""
    contains: tuple[Node, int, int | None] | None = None
    unique: bool = False
    properties: dict[str, Node] = field(default_factory=dict)
    patterns: dict[str, Node] = field(default_factory=dict)
    additional: Node | None = None
    required: tuple[str, ...] = ()
    names: Node | None = None
    needed_with: dict[str, tuple[str, ...]] = field(default_factory=dict)
    holds_with: dict[str, Node] = field(default_factory=dict)
    unevaluated: Node | None = None
    unevaluated_items: Node | None = None
    says: frozenset[str] = frozenset()
    """The keywords of all this."""


_SIZES = (
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
)


class Source:
    """One of the compared schemas.

    Raises ``service.strict.SchemaRefused`` for what is no schema, or refers to what is not there.
    """

    def __init__(self, schema: Any, side: int) -> None:
        self.side = side
        self.dialect = dialect_of(guess_draft(schema))
        self.documents = Documents(schema, self.dialect, {})
        self.root = self.node(self.documents.root)
        self._words: dict[int, Words] = {}
        self.forming: dict[int, bool] = {}
        """What ``reach.forms`` found out about nodes, by their number."""
        self.eithers: dict[Hashable, Node | None] = {}
        """What ``reach.either`` found out about choices."""

    def node(self, site: Site) -> Node:
        """The node of a site."""
        return Node(self, self.side, site.key)

    def made(self, key: Any, schema: dict[str, Any]) -> Node:
        """A node for a schema made up here, in the words of 2020-12."""
        return self.node(self.documents.synthesise(key, schema, self.documents.root))

    def joined(self, nodes: frozenset[Node]) -> Node:
        """A node that says what several nodes of this source say together."""
        first, *_ = ordered = sorted(nodes, key=lambda node: node.key)
        return self._composed("allOf", nodes, first, Words(everywhere=ordered))

    def one_of_these(self, nodes: Sequence[Node]) -> Node:
        """A node that says that one of several nodes of this source holds at least."""
        return self._composed("anyOf", tuple(nodes), nodes[0], Words(any_of=list(nodes)))

    def _composed(self, keyword: str, nodes: Collection[Node], first: Node, words: Words) -> Node:
        text = {keyword: [node.schema for node in nodes]}
        site = self.documents.synthesise((keyword, nodes), text, first.site)
        # Not read from the text: each node keeps its place, and what its references mean there.
        words.says = frozenset(text)
        self._words.setdefault(site.key, words)
        return self.node(site)

    def words(self, node: Node) -> Words:
        """What a node of this source says."""
        known = self._words.get(node.key)
        if known is None:
            known = self._words[node.key] = self._read(node.site)
        return known

    def ambiguous(self) -> tuple[Node, str] | None:
        """A place, and the keyword there, whose reference leads somewhere else on every way to it; None where all is plain."""
        for site in self.documents.sites:
            for keyword in ("$dynamicRef", "$recursiveRef"):
                here = (
                    isinstance(site.schema, dict) and keyword in site.schema and site.dialect.knows(keyword)
                )
                if here and self.documents.is_dynamic(site, keyword):
                    return self.node(site), keyword
        return None

    def negated(self, node: Node) -> list[Node]:
        """Alternatives that together hold at least what ``node`` refuses; none where it refuses nothing."""
        site = node.site
        target = None
        if isinstance(site.schema, dict) and isinstance(site.schema.get("$ref"), str):
            target = self.documents.resolve(site, "$ref").schema
        found, _ = negation(site.schema, site.dialect, target)
        return [self.made(("not", site.key, index), text) for index, text in enumerate(found)]

    def _read(self, site: Site) -> Words:
        schema = site.schema
        if not isinstance(schema, Mapping):
            return Words(never=schema is False)
        dialect = site.dialect
        if "$ref" in schema and dialect.ref_hides_siblings:
            return Words(everywhere=[self._target(site, "$ref")], says=frozenset(["$ref"]))
        words = Words(says=frozenset(word for word in schema if dialect.knows(word)))
        for keyword in words.says:
            reading = _READINGS.get(keyword)
            if reading is not None:
                reading(self, site, words, schema[keyword])
        if dialect.boolean_exclusive:
            _flags(words, schema)
        return words

    def _target(self, site: Site, keyword: str) -> Node:
        return self.node(self.documents.resolve(site, keyword))

    def child(self, site: Site, *path: str | int) -> Node:
        """The node of a subschema below a site."""
        return self.node(self.documents.child(site, *path))


def _number(value: Any) -> Fraction:
    return Fraction(str(value))


def _reference(keyword: str) -> Any:
    def read(source: Source, site: Site, words: Words, _: Any) -> None:
        words.everywhere.append(source.node(source.documents.resolve(site, keyword)))

    return read


def _all_of(source: Source, site: Site, words: Words, value: Any) -> None:
    words.everywhere += [source.child(site, "allOf", index) for index in range(len(value))]


def _any_of(source: Source, site: Site, words: Words, value: Any) -> None:
    words.any_of = [source.child(site, "anyOf", index) for index in range(len(value))]


def _one_of(source: Source, site: Site, words: Words, value: Any) -> None:
    words.one_of = [source.child(site, "oneOf", index) for index in range(len(value))]


def _not(source: Source, site: Site, words: Words, _: Any) -> None:
    words.excluded = source.child(site, "not")


def _if(source: Source, site: Site, words: Words, _: Any) -> None:
    # Alone it says nothing, but evaluates members.
    if "then" in site.schema or "else" in site.schema or site.dialect.knows("unevaluatedProperties"):
        words.conditional = Conditional(
            source.child(site, "if"),
            source.child(site, "then") if "then" in site.schema else None,
            source.child(site, "else") if "else" in site.schema else None,
        )


def _type(_: Source, __: Site, words: Words, value: Any) -> None:
    named = {value} if isinstance(value, str) else set(value)
    words.whole = "integer" in named and "number" not in named
    if "integer" in named:
        named.add("number")
    words.kinds = frozenset(named) & KINDS


def _enum(_: Source, __: Site, words: Words, value: Any) -> None:
    words.values = list(value)
    words.among = frozenset(map(identity, value))


def _refused(_: Source, __: Site, words: Words, value: Any) -> None:
    words.refused = list(value)
    words.not_among = frozenset(map(identity, value))


def _const(source: Source, site: Site, words: Words, value: Any) -> None:
    _enum(source, site, words, [value])


def _limit(name: str, *, excluded: bool) -> Any:
    def read(_: Source, __: Site, words: Words, value: Any) -> None:
        if isinstance(value, bool):
            return
        bound = (_number(value), excluded)
        known: Bound | None = getattr(words, name)
        tighter = max if name == "low" else min
        if known is not None and known[0] == bound[0]:
            bound = (bound[0], known[1] or excluded)
        elif known is not None:
            bound = tighter(known, bound)
        setattr(words, name, bound)

    return read


def _flags(words: Words, schema: Mapping[str, Any]) -> None:
    """Draft 4: a flag beside the bound."""
    if schema.get("exclusiveMinimum") is True and words.low is not None:
        words.low = (words.low[0], True)
    if schema.get("exclusiveMaximum") is True and words.high is not None:
        words.high = (words.high[0], True)


def _multiple(_: Source, __: Site, words: Words, value: Any) -> None:
    words.multiple = _number(value)


def _size(keyword: str) -> Any:
    def read(_: Source, __: Site, words: Words, value: Any) -> None:
        words.sizes[keyword] = int(value)

    return read


def _text(name: str) -> Any:
    def read(_: Source, __: Site, words: Words, value: Any) -> None:
        setattr(words, name, value)

    return read


def _items(source: Source, site: Site, words: Words, value: Any) -> None:
    if isinstance(value, list):
        words.prefix = [source.child(site, "items", index) for index in range(len(value))]
    else:
        words.items = source.child(site, "items")


def _additional_items(source: Source, site: Site, words: Words, _: Any) -> None:
    if isinstance(site.schema.get("items"), list):  # beside anything else it says nothing
        words.items = source.child(site, "additionalItems")


def _prefix(source: Source, site: Site, words: Words, value: Any) -> None:
    words.prefix = [source.child(site, "prefixItems", index) for index in range(len(value))]


def _contains(source: Source, site: Site, words: Words, _: Any) -> None:
    least, most = site.schema.get("minContains", 1), site.schema.get("maxContains")
    if not site.dialect.knows("minContains"):
        least, most = 1, None
    words.contains = (source.child(site, "contains"), int(least), None if most is None else int(most))


def _unique(_: Source, __: Site, words: Words, value: Any) -> None:
    words.unique = bool(value)


def _named(name: str, keyword: str) -> Any:
    def read(source: Source, site: Site, words: Words, value: Any) -> None:
        setattr(words, name, {key: source.child(site, keyword, key) for key in value})

    return read


def _single(name: str, keyword: str) -> Any:
    def read(source: Source, site: Site, words: Words, _: Any) -> None:
        setattr(words, name, source.child(site, keyword))

    return read


def _required(_: Source, __: Site, words: Words, value: Any) -> None:
    if isinstance(value, list):  # draft 3 had a flag
        words.required = tuple(dict.fromkeys(value))


def _dependencies(keyword: str) -> Any:
    def read(source: Source, site: Site, words: Words, value: Any) -> None:
        for name, wanted in value.items():
            if isinstance(wanted, list):
                words.needed_with[name] = tuple(wanted)
            else:
                words.holds_with[name] = source.child(site, keyword, name)

    return read


_READINGS: Mapping[str, Any] = {
    "$ref": _reference("$ref"),
    "$dynamicRef": _reference("$dynamicRef"),
    "$recursiveRef": _reference("$recursiveRef"),
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
    "if": _if,
    "type": _type,
    "enum": _enum,
    "const": _const,
    EXCLUDED: _refused,
    "minimum": _limit("low", excluded=False),
    "maximum": _limit("high", excluded=False),
    "exclusiveMinimum": _limit("low", excluded=True),
    "exclusiveMaximum": _limit("high", excluded=True),
    "multipleOf": _multiple,
    "pattern": _text("pattern"),
    "format": _text("format"),
    "items": _items,
    "additionalItems": _additional_items,
    "prefixItems": _prefix,
    "contains": _contains,
    "uniqueItems": _unique,
    "properties": _named("properties", "properties"),
    "patternProperties": _named("patterns", "patternProperties"),
    "additionalProperties": _single("additional", "additionalProperties"),
    "required": _required,
    "propertyNames": _single("names", "propertyNames"),
    "dependencies": _dependencies("dependencies"),
    "dependentRequired": _dependencies("dependentRequired"),
    "dependentSchemas": _dependencies("dependentSchemas"),
    "unevaluatedProperties": _single("unevaluated", "unevaluatedProperties"),
    "unevaluatedItems": _single("unevaluated_items", "unevaluatedItems"),
    **{keyword: _size(keyword) for keyword in _SIZES},
}
