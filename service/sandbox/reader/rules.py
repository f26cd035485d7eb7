"""Fills any schema from the labels, tables, blocks and values of a text."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from service.sandbox.reader import slips
from service.sandbox.reader.kinds import Wish, convert, is_verbatim, kind_of
from service.sandbox.reader.legal import Resolver, compiles, passes, smallest, types_of, valid
from service.sandbox.reader.lists import list_for
from service.sandbox.reader.ocr import read_images
from service.sandbox.reader.page import Page, Pair, label_like, open_page
from service.sandbox.reader.parties import Party, find_parties, legal_name, party_for, role_of
from service.sandbox.reader.place import Found, Place, at
from service.sandbox.reader.quotes import quotes_of, record_schema
from service.sandbox.reader.sections import paragraph, section_for
from service.sandbox.reader.tables import Table, find_tables
from service.sandbox.reader.unlabelled import without_label
from service.sandbox.reader.words import (
    agreement,
    alternatives,
    canonical,
    name_words,
    plain_words,
    split_name,
    weight,
)

__all__ = ["RuleReader"]

_MAX_NODES = 20_000
_MAX_DEPTH = 14
_ENOUGH = 0.42
_PARTY_PARTS = frozenset(
    [
        "name",
        "street",
        "city",
        "postcode",
        "country",
        "vat",
        "email",
        "phone",
        "address",
        "website",
        "contact",
        "number",
        "state",
        "iban",
        "bic",
    ]
)


_KINDS = frozenset("invoice receipt order delivery contract statement ticket credit quote".split())  # noqa: SIM905
_ROLE_WORDS = frozenset(
    "seller buyer supplier customer receiver sender company payee payer holder laboratory organizer".split()  # noqa: SIM905
)


class RuleReader:
    """The default reader: general rules, no model; what it does not find is null or the least legal value."""

    def read(self, text: str, images: Sequence[bytes], schema: Mapping[str, Any]) -> Any:
        """A value that validates against `schema`; images count only where an OCR extra is installed."""
        if images:
            text = "\n".join(filter(None, (text, read_images(images))))
        inner = record_schema(schema)
        if inner is not None:
            record = self.read(text, (), inner)
            return {"record": record, "quotes": quotes_of(record, text)}
        if not compiles(schema):
            return {}
        value = _Filler(open_page(text), schema).fill_root()
        if valid(schema, value):
            return value
        return smallest(Resolver(schema), schema)


@dataclass
class _Filler:
    page: Page
    schema: Mapping[str, Any]
    nodes: int = 0
    resolver: Resolver = field(init=False)

    def __post_init__(self) -> None:
        self.resolver = Resolver(self.schema)

    @cached_property
    def title(self) -> frozenset[str]:
        return frozenset(canonical(str(self.schema.get("title") or "")[:80])) or self._topic

    @cached_property
    def _topic(self) -> frozenset[str]:
        """What the document calls itself first, as far as it is a kind of document that the schema speaks of."""
        own = frozenset(word for name in self.schema.get("properties") or () for word in name_words(name))
        opening = (word for line in self.page.lines[:40] for word in canonical(line[:60]))
        return frozenset(next(((word,) for word in opening if word in _KINDS and word in own), ()))

    @cached_property
    def parties(self) -> list[Party]:
        return find_parties(self.page)

    @cached_property
    def tables(self) -> list[Table]:
        return find_tables(self.page)

    @cached_property
    def table_lines(self) -> dict[int, float]:
        """Lines inside tables of several rows: their headings label columns, and their cells are no labels."""
        inside: dict[int, float] = {}
        for table in self.tables:
            if len(table.rows) < 2 or len(table.headers) < 3:
                continue
            inside[table.line] = 0.0
            for line in range(table.line + 1, table.end):
                inside[line] = 0.6
        return inside

    def fill_root(self) -> Any:
        found = self.fill(self.schema, Place(name="", parents=(), depth=0))
        return found.value

    # ---------------------------------------------------------------------------------------- nodes
    def fill(self, schema: Any, place: Place) -> Found:
        self.nodes += 1
        schema = self.resolver.follow(schema)
        if self.nodes > _MAX_NODES or place.depth > _MAX_DEPTH:
            return Found(smallest(self.resolver, schema), 0.0)
        if "const" in schema:
            return Found(schema["const"], 0.05)
        described = schema.get("description")
        if isinstance(described, str):
            place = at(place, description=described)
        for keyword in ("anyOf", "oneOf"):
            branches = schema.get(keyword)
            if isinstance(branches, list) and branches:
                return self._branch(schema, branches, place)
        types = types_of(schema)
        if "object" in types or (not types and place.depth == 0):
            found = self._object(schema, place)
        elif "array" in types:
            found = self._array(schema, place)
        else:
            found = self._leaf(schema, types, place)
        if found.score > 0 or "null" not in types:
            return found
        return Found(None, 0.0)

    def _branch(self, schema: Mapping[str, Any], branches: list[Any], place: Place) -> Found:
        best: Found | None = None
        for branch in branches[:30]:
            followed = self.resolver.follow(branch)
            if types_of(followed) == ("null",):
                continue
            found = self.fill(followed, place)
            if found.score > 0 and (best is None or found.score > best.score):
                best = found
        if best is not None:
            return best
        return Found(smallest(self.resolver, schema), 0.0)

    def _object(self, schema: Mapping[str, Any], place: Place) -> Found:
        properties = schema.get("properties") or {}
        if not properties and schema.get("additionalProperties") not in (None, False):
            return self._labels(schema["additionalProperties"])
        required = set(schema.get("required") or ())
        inner = self._entered(place, properties)
        values: dict[str, Any] = {}
        score = 0.0
        for name, member in properties.items():
            found = self.fill(
                member,
                Place(
                    name=name,
                    parents=(*place.parents, place.name) if place.name else place.parents,
                    depth=place.depth + 1,
                    party=inner.party,
                    in_party=inner.in_party,
                ),
            )
            if found.score > 0 or name in required:
                values[name] = found.value
                score += found.score
        return Found(values, score / max(1, len(properties)) if score else 0.0)

    def _labels(self, member: Any) -> Found:
        """Every plain `Label: value` of the page, for a map without named members."""
        member = self.resolver.follow(member)
        pairs = [pair for pair in self.page.pairs if pair.trust == 1.0 and pair.label][:100]
        values = {pair.label: pair.values[0] for pair in pairs if passes(member, pair.values[0])}
        return Found(values, 0.4 if values else 0.0)

    def _entered(self, place: Place, properties: Mapping[str, Any]) -> Place:
        """An object that describes somebody is filled from that party's block."""
        words = frozenset(name_words(place.name)) if place.name else frozenset()
        members = frozenset(word for name in properties for word in name_words(name))
        if not place.name or not members & _PARTY_PARTS:
            return place
        if place.in_party and words <= {"address", "contact", "street"}:
            return place
        role = role_of(words)
        if role is None:
            return place
        return at(place, party=party_for(self.parties, role), in_party=True)

    def _array(self, schema: Mapping[str, Any], place: Place) -> Found:
        items = self.resolver.follow(schema.get("items") or {})
        least, most = schema.get("minItems"), schema.get("maxItems")
        values, score = list_for(self, items, place)
        if isinstance(most, int):
            values = values[:most]
        while isinstance(least, int) and len(values) < min(least, 100):
            values.append(smallest(self.resolver, items))
        return Found(values, score if values else 0.0)

    # --------------------------------------------------------------------------------------- leaves
    def wish(self, schema: Mapping[str, Any], place: Place) -> Wish:
        """What a leaf asks for."""
        words = frozenset(name_words(place.name))
        types = types_of(schema)
        return Wish(
            schema=schema,
            words=words,
            name=place.name,
            kind=kind_of(schema, types, words, place.description),
            verbatim=is_verbatim(place.description),
            description=place.description,
        )

    def _leaf(self, schema: Mapping[str, Any], types: tuple[str, ...], place: Place) -> Found:
        wish = self.wish(schema, place)
        found = self._from_slip(wish, place) or self._from_party(wish, place)
        if found is None and not place.in_party:
            found = self._from_labels(wish, place)
        if (found is None or found.score < 0.65) and not place.in_party and "string" in types:
            found = self._from_section(wish, place) or found
        if found is None and not place.in_party:
            value = without_label(self.page, wish, self.title)
            found = Found(value, 0.3) if value is not None else None
        if found is not None:
            value = _typed(found.value, types, schema)
            if value is not None and passes(schema, value):
                return Found(value, found.score)
        return Found(self._nothing(schema), 0.0)

    def _nothing(self, schema: Mapping[str, Any]) -> Any:
        choices = schema.get("enum")
        if isinstance(choices, list) and None not in choices:
            for fallback in ("other", "unknown", "none", "unspecified", "n/a", "not_specified"):
                for choice in choices:
                    if isinstance(choice, str) and choice.lower() == fallback:
                        return choice
        return smallest(self.resolver, schema)

    def _from_slip(self, wish: Wish, place: Place) -> Found | None:
        """The head and the sum of a till slip, where the schema asks for a receipt's own members."""
        if "receipt" not in self.title or place.in_party or place.parents:
            return None
        text = slips.read(self.page, wish)
        if text is None:
            return None
        value = text if "string" in types_of(wish.schema) else convert(wish, text, self.page)
        return None if value is None else Found(value, 0.7)

    def _from_party(self, wish: Wish, place: Place) -> Found | None:
        words = wish.words
        if place.in_party:
            return self._of_party(wish, place)
        role = role_of(words)
        if role is None or wish.kind in ("number", "date", "id", "enum", "boolean"):
            return None
        rest = words - _ROLE_WORDS
        if rest - _PARTY_PARTS:
            return None
        direct = self._from_labels(wish, place)
        if direct is not None and direct.score >= 0.75:
            return direct
        party = party_for(self.parties, role)
        if party is None:
            return direct
        kind = "address" if "address" in rest else wish.kind
        value = party.name if kind == "text" else party.read(kind)
        return Found(value, 0.7) if value else direct

    def _of_party(self, wish: Wish, place: Place) -> Found | None:
        """A member of an object that describes somebody: from that party's block, then from labels of its own."""
        party, words = place.party, wish.words
        if party is None:
            return None
        role = frozenset(word for name in place.parents for word in name_words(name))
        if words == {"company"}:
            value: Any = party.name if party.name and legal_name(party.name) else None
        elif words <= {"name", "company", "full", "legal"} | role:
            value = party.name
        elif "address" in words and "street" not in words:
            value = party.read("address")
        elif "contact" in words or words == {"person"}:
            value = party.read("contact")
        elif wish.kind == "country" and wish.schema.get("pattern") is None and "code" not in wish.description:
            value = party.read("country text")
        elif words & {"tax", "vat"} and "number" in words | {"number"} and wish.kind != "number":
            value = party.read("vat")
        else:
            value = party.read(wish.kind)
        if isinstance(value, str):
            value = convert(wish, value, self.page)
        if value is not None:
            return Found(value, 0.9)
        if words & {
            "address",
            "street",
            "city",
            "postcode",
            "country",
            "state",
            "name",
            "contact",
            "company",
        }:
            return None
        return self._near_party(wish, place)

    def _near_party(self, wish: Wish, place: Place) -> Found | None:
        """Data that stand away from the block: labelled with the party's role, or the issuer's as nobody else's."""
        role = role_of(frozenset(word for name in place.parents for word in name_words(name)))
        if role != "seller" and wish.kind in ("email", "phone", "url"):
            return None
        found = self._from_labels(wish, place)
        if found is not None and (role == "seller" or found.score >= 0.8):
            others = [party for party in self.parties if party.role is not None and party.role != role]
            if not any(str(found.value) in line for party in others for line in party.lines):
                return found
        if role != "seller" or wish.kind not in ("vat", "email", "url", "phone", "iban", "bic"):
            return None
        value = without_label(self.page, wish, self.title)
        others = [party for party in self.parties if party.role is not None and party.role != "seller"]
        if value is None or any(str(value) in line for party in others for line in party.lines):
            return None
        return Found(value, 0.4)

    def _from_labels(self, wish: Wish, place: Place) -> Found | None:
        ranked = self.ranked(wish, place)
        for score, pair in ranked[:40]:
            for text in pair.values:
                if wish.kind == "text" and label_like(text):
                    continue
                value = convert(wish, text, self.page)
                if value is not None and passes_loosely(wish, value):
                    return Found(value, score)
        return None

    def _from_section(self, wish: Wish, place: Place) -> Found | None:
        """Running text under a heading that names the property."""
        if wish.kind != "text" or wish.words & {"title", "name"}:
            return None
        section = section_for(self.page, frozenset(name_words(place.name)))
        if section is None:
            return None
        text = paragraph(self.page, section)
        return Found(text, 0.6) if text else None

    def ranked(self, wish: Wish, place: Place) -> list[tuple[float, Pair]]:
        """Labels that could mean this property, best first; equal ones in page order."""
        wanted = self._wanted(wish.words, place)
        described = frozenset(canonical(place.description[:200])) if place.description else frozenset()
        neutral = self.title | frozenset(word for name in place.parents[-2:] for word in name_words(name))
        scored: list[tuple[float, Pair]] = []
        literal = frozenset(plain_words(split_name(place.name)))
        vocabulary = frozenset(word for words, _ in wanted for word in words)
        for pair in self.page.candidates(vocabulary):
            if wish.kind in ("number", "text") and "number" in pair.words and "number" not in wish.words:
                continue  # a tax number is no tax, and a delivery note's number no note
            if wish.words == {"title"} and not place.parents and pair.line > 25:
                continue  # a document's title stands at its head
            around = pair.words if pair.prose else neutral
            best = max(agreement(words, pair.words, around) * trust for words, trust in wanted)
            if pair.prose and best < 0.8:
                continue  # running text must say all of it
            if best > 0 and described:
                best += 0.04 * len(pair.words & described)
            if best > 0 and literal and literal <= frozenset(plain_words(pair.label)):
                best += 0.06
            score = best * pair.trust * (self.table_lines.get(pair.line, 1.0))
            if score >= _ENOUGH:
                scored.append((score, pair))
        scored.sort(key=lambda entry: (-round(entry[0], 3), entry[1].line))
        return scored

    def _wanted(self, words: frozenset[str], place: Place) -> list[tuple[frozenset[str], float]]:
        """Sets of label words that would answer a property, with how much each is trusted."""
        parent = frozenset(name_words(place.parents[-1])) if place.parents else frozenset()
        sets: dict[frozenset[str], float] = {}
        bases = [(words | parent, 1.0), (words, 0.85 if parent else 0.95), (words | self.title, 0.98)]
        if sum(map(weight, words - self.title)) > 0.5:
            bases.append((words - self.title, 0.9))
        for base, trust in bases:
            if base:
                sets.setdefault(base, trust)
        described = frozenset(
            canonical(re.split(r"[.,;(]| of | as ", place.description, maxsplit=1)[0][:60])
        ) - {"the", "a"}
        if 0 < len(described) <= 4 and sum(map(weight, described)) >= 0.8:
            sets.setdefault(described, 0.85)
        for base, trust in list(sets.items()):
            for rank, other in enumerate(alternatives(base)):
                general = (
                    0.5
                    if not other <= self.title and sum(map(weight, other)) <= 0.6 and len(base) > 1
                    else 1.0
                )
                sets.setdefault(other, trust * general * max(0.55, 0.93 - 0.05 * rank))
        return list(sets.items())


def passes_loosely(wish: Wish, value: Any) -> bool:
    """Whether a candidate meets the leaf's own constraints, so that a later one gets its turn otherwise."""
    return passes({key: item for key, item in wish.schema.items() if key != "type"}, value)


def _typed(value: Any, types: tuple[str, ...], schema: Mapping[str, Any]) -> Any | None:
    """A found value in a type that the leaf permits."""
    if not types:
        return value
    if isinstance(value, bool):
        return value if "boolean" in types else None
    if isinstance(value, int | float):
        if "number" in types or ("integer" in types and float(value).is_integer()):
            return int(value) if "number" not in types else value
        if "integer" in types:
            return round(value)
        return str(value) if "string" in types else None
    if isinstance(value, str):
        if "string" in types:
            longest = schema.get("maxLength")
            return value[:longest] if isinstance(longest, int) else value
        return None
    return value
