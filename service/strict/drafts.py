"""Which draft of JSON Schema a document is written in, and what the drafts mean differently."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.strict.refused import SchemaRefused

DRAFTS = ("4", "6", "7", "2019-09", "2020-12")
"""Oldest first."""

# The drafts that know a keyword, where not all do: first and last.
_SPAN: Mapping[str, tuple[str, str]] = {
    "$defs": ("2019-09", "2020-12"),
    "additionalItems": ("4", "2019-09"),
    "const": ("6", "2020-12"),
    "contains": ("6", "2020-12"),
    "dependencies": ("4", "7"),
    "dependentRequired": ("2019-09", "2020-12"),
    "dependentSchemas": ("2019-09", "2020-12"),
    "else": ("7", "2020-12"),
    "if": ("7", "2020-12"),
    "maxContains": ("2019-09", "2020-12"),
    "minContains": ("2019-09", "2020-12"),
    "prefixItems": ("2020-12", "2020-12"),
    "propertyNames": ("6", "2020-12"),
    "then": ("7", "2020-12"),
    "unevaluatedItems": ("2019-09", "2020-12"),
    "unevaluatedProperties": ("2019-09", "2020-12"),
    "$dynamicRef": ("2020-12", "2020-12"),
    "$recursiveRef": ("2019-09", "2019-09"),
}

# Where subschemas stand. Only these positions are walked: a property may well be called "enum" or "$ref".
ONE = frozenset(
    [
        "additionalItems",
        "additionalProperties",
        "contains",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    ]
)
MANY = frozenset(("allOf", "anyOf", "items", "oneOf", "prefixItems"))
NAMED = frozenset(
    ("$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties")
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a draft decides."""

    draft: str
    identifier: str
    ref_hides_siblings: bool
    boolean_exclusive: bool

    def knows(self, keyword: str) -> bool:
        """Whether the draft gives this keyword a meaning."""
        span = _SPAN.get(keyword)
        return span is None or DRAFTS.index(span[0]) <= DRAFTS.index(self.draft) <= DRAFTS.index(span[1])


DIALECTS: Mapping[str, Dialect] = {
    draft: Dialect(
        draft=draft,
        identifier="id" if draft == "4" else "$id",
        ref_hides_siblings=draft in {"4", "6", "7"},
        boolean_exclusive=draft == "4",
    )
    for draft in DRAFTS
}

_URIS = (
    ("draft-03", "4"),
    ("draft-04", "4"),
    ("draft-05", "4"),
    ("draft-06", "6"),
    ("draft-07", "7"),
    ("2019-09", "2019-09"),
    ("2020-12", "2020-12"),
)


def declared_draft(schema: Any) -> str | None:
    """The draft named by ``$schema``, if it names one that we know."""
    uri = schema.get("$schema") if isinstance(schema, dict) else None
    if not isinstance(uri, str):
        return None
    return next((draft for part, draft in _URIS if part in uri), None)


def guess_draft(schema: Any) -> str:
    """The draft of a schema: from ``$schema``, else from the keywords it uses, else the newest."""
    declared = declared_draft(schema)
    if declared is not None:
        return declared
    old = False
    for node in subschemas(schema):
        if "prefixItems" in node or "$dynamicRef" in node or "$dynamicAnchor" in node:
            return "2020-12"
        if "$recursiveRef" in node or "$recursiveAnchor" in node:
            return "2019-09"
        if isinstance(node.get("exclusiveMinimum"), bool) or isinstance(node.get("exclusiveMaximum"), bool):
            return "4"
        old = (
            old or isinstance(node.get("items"), list) or "dependencies" in node or "additionalItems" in node
        )
    return "7" if old else "2020-12"


def dialect_of(draft: str) -> Dialect:
    """The dialect for a draft's name.

    Raises ``SchemaRefused`` for a name that is not one of ``DRAFTS``.
    """
    if draft not in DIALECTS:
        raise SchemaRefused("", f"draft {draft!r} is not one of {', '.join(DRAFTS)}")
    return DIALECTS[draft]


class Place:
    """Where a subschema stands: a linked JSON Pointer, so that a deep document does not cost a long string per node."""

    __slots__ = ("above", "depth", "token")

    def __init__(self, above: "Place | None" = None, token: str | int = "") -> None:
        self.above = above
        self.token = str(token)
        self.depth: int = 0 if above is None else above.depth + 1

    def __truediv__(self, token: str | int) -> "Place":
        """The place one step below."""
        return Place(self, token)

    def pointer(self) -> str:
        """The JSON Pointer (RFC 6901), behind the document's URI where it is not the schema itself."""
        tokens = []
        place = self
        while place.above is not None:
            tokens.append(place.token.replace("~", "~0").replace("/", "~1"))
            place = place.above
        return "".join([place.token, *("/" + token for token in reversed(tokens))])


def children(node: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The subschemas right below one, with the steps that lead there, in the order of the text."""
    for keyword, value in node.items():
        if isinstance(value, dict):
            if keyword in NAMED:
                for name, child in value.items():
                    yield (keyword, name), child
            elif keyword in ONE:
                yield (keyword,), value
        elif keyword in MANY and isinstance(value, list):
            for index, child in enumerate(value):
                yield (keyword, index), child


def subschemas(schema: Any) -> Iterator[dict[str, Any]]:
    """Every object subschema, found by keyword position, parents first. Not recursive."""
    stack = [schema]
    seen: set[int] = set()
    while stack:
        node = stack.pop()
        if isinstance(node, dict) and id(node) not in seen:
            seen.add(id(node))  # a value made in Python may use one object in many places
            yield node
            stack.extend(reversed([child for _, child in children(node)]))
