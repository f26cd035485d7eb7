"""What a schema says of each leaf: the words its label may have, and whether it is a category rather than a quotation."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from service.extraction.evidence.folding import key
from service.extraction.evidence.lexicon import SYNONYMS

Way = tuple[str, ...]
"""The names on the way to a leaf; items of arrays are ``*``."""

_NAME_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
_WORDS = re.compile(r"[^\W_]+")
_MOST_NODES = 24
_DEEPEST_REFS = 8
_SHORTEST_PART = 3
_DESCRIBED = 12
"""Words of a description that are looked at: its beginning says what the value is."""

_EMPTY = frozenset(
    {
        "the",
        "a",
        "an",
        "of",
        "in",
        "on",
        "or",
        "and",
        "as",
        "is",
        "for",
        "with",
        "by",
        "at",
        "if",
        "not",
        "der",
        "die",
        "das",
        "des",
        "le",
        "la",
        "les",
        "de",
        "du",
        "el",
        "los",
        "iso",
    }
)


_CODE = re.compile(r"\bISO[ -]?(?:3166|639)|\bBCP[ -]?47|\b(?:language|country) code", re.IGNORECASE)

_NUMBERING = ("index", "position", "number", "rank", "order", "row", "line", "seq", "pos", "nummer", "item")
_COUNTING = ("count", "total", "num", "length", "size", "quantity", "anzahl", "rows", "lines", "items")


@dataclass(frozen=True, slots=True)
class Facts:
    """One leaf's place in the schema."""

    labels: Mapping[str, float] = field(default_factory=dict)
    """Keys of words → how much they speak for a place beside them, up to 1."""
    compounding: tuple[tuple[str, float], ...] = ()
    """Those among them that may be parts of a compound, with how much they speak."""
    contained: tuple[str, ...] = ()
    """Those among them that may be parts of a longer word: scripts without spaces."""
    category: bool = False
    """An enumeration or constant: chosen, not necessarily printed."""
    constant: bool = False
    numbers_items: bool = False
    """The name says that this numbers the items of a list."""
    counts: bool = False
    """The name says that this counts the items of a list."""
    page: bool = False
    """The name says that this is a page of the document."""
    code: bool = False
    """The code of a language or country, which documents name in words or not at all."""


class Outline:
    """A schema, read as it is needed. Build it once per schema."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._nodes: dict[Way, tuple[Mapping[str, Any], ...]] = {(): self._resolved([schema])}
        self._facts: dict[Way, Facts] = {}

    def facts(self, way: Way) -> Facts:
        """The facts of a leaf."""
        found = self._facts.get(way)
        if found is None:
            found = self._facts[way] = self._read(way)
        return found

    def _at(self, way: Way) -> tuple[Mapping[str, Any], ...]:
        found = self._nodes.get(way)
        if found is None:
            found = self._nodes[way] = self._resolved(_below(self._at(way[:-1]), way[-1]))
        return found

    def _resolved(self, nodes: Iterable[Any]) -> tuple[Mapping[str, Any], ...]:
        """Nodes with what they refer to and what they are composed of."""
        found: list[Mapping[str, Any]] = []
        pending = [(node, 0) for node in nodes]
        while pending and len(found) < _MOST_NODES:
            node, depth = pending.pop(0)
            if not isinstance(node, dict) or any(node is known for known in found):
                continue
            found.append(node)
            if depth < _DEEPEST_REFS:
                reference = node.get("$ref")
                if isinstance(reference, str):
                    pending.append((self._referred(reference), depth + 1))
                for word in ("anyOf", "oneOf", "allOf"):
                    branches = node.get(word)
                    if isinstance(branches, list):
                        pending += [(branch, depth + 1) for branch in branches]
        return tuple(found)

    def _referred(self, reference: str) -> Any:
        if not reference.startswith("#"):
            return None
        node = self._schema
        for part in reference[1:].split("/")[1:]:
            part = part.replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict):
                node = node.get(part)
            elif isinstance(node, list) and part.isdecimal() and int(part) < len(node):
                node = node[int(part)]
            else:
                return None
        return node

    def _read(self, way: Way) -> Facts:
        nodes = self._at(way)
        named = [part for part in way if part != "*"]
        labels: dict[str, float] = {}
        for part, weight in zip(reversed(named), (1.0, 0.5, 0.25), strict=False):
            _add(labels, _NAME_PARTS.findall(part), weight)
        for node in nodes:
            title, text = node.get("title"), node.get("description")
            if isinstance(title, str):
                _add(labels, _WORDS.findall(title[:200]), 1.0)
            if isinstance(text, str):
                _add(labels, _WORDS.findall(text[:300])[:_DESCRIBED], 0.4)
        last = key(named[-1]) if named else ""
        return Facts(
            labels=labels,
            compounding=tuple(
                (label, weight) for label, weight in labels.items() if len(label) > _SHORTEST_PART
            ),
            contained=tuple(label for label in labels if not label.isascii() and len(label) >= 2),
            category=any("enum" in node or "const" in node for node in nodes),
            constant=any("const" in node for node in nodes),
            numbers_items=any(word in last for word in _NUMBERING),
            counts=any(word in last for word in _COUNTING),
            page="page" in last,
            code=any(
                isinstance(text := node.get("description"), str) and _CODE.search(text) for node in nodes
            ),
        )


def _add(labels: dict[str, float], words: Iterable[str], weight: float) -> None:
    folded = [part for word in words if (part := key(word)) and part not in _EMPTY and len(part) > 1]
    for word in (*folded, "".join(folded)):
        labels[word] = max(labels.get(word, 0.0), weight)
        for other in SYNONYMS.get(word, ()):
            labels[other] = max(labels.get(other, 0.0), weight * 0.8)


def _below(nodes: tuple[Mapping[str, Any], ...], step: str) -> list[Any]:
    found: list[Any] = []
    for node in nodes:
        if step == "*":
            items = node.get("items")
            found += items if isinstance(items, list) else [items]
            more = node.get("prefixItems")
            found += more if isinstance(more, list) else []
            found.append(node.get("additionalItems"))
            continue
        properties = node.get("properties")
        if isinstance(properties, dict) and step in properties:
            found.append(properties[step])
            continue
        patterns = node.get("patternProperties")
        if isinstance(patterns, dict):
            found += patterns.values()
        found.append(node.get("additionalProperties"))
    return found
