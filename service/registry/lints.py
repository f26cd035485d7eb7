"""What a careful reviewer would remark on a schema: nothing here stops a publish. Pure.

Each rule is a small function over one property; what they look for costs wrong values later: a date nobody knows how
to write, money that a float rounds, an enumeration that forces a choice, a field whose meaning is left to its name.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.strict import DRAFTS, children, declared_draft, guess_draft

_MAX_LINTS = 200
_DEEP = 6
"""Levels of objects and arrays above which models lose track and people do too."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_DATES = frozenset(
    ["date", "day", "dob", "birthday", "deadline", "due", "expiry", "expires", "issued", "valid"]
)
_NOT_DATES = frozenset(["days", "number", "count", "amount", "rate", "id", "type", "terms"])
_MONEY = frozenset(
    ["amount", "balance", "charge", "cost", "credit", "debit", "fee", "income", "money", "net", "gross", "paid", "payment",
     "price", "revenue", "salary", "subtotal", "tax", "total", "vat", "wage"]
)  # fmt: skip
_NOT_MONEY = frozenset(
    ["count", "number", "rate", "percent", "percentage", "pages", "items", "quantity", "weight", "id"]
)
_CODES = frozenset(
    ["phone", "zip", "postcode", "postal", "iban", "ssn", "ean", "gtin", "isbn", "vin", "account"]
)
_SHARES = frozenset(["percent", "percentage", "rate", "ratio", "share"])
_MEASURES = frozenset(
    ["weight", "height", "width", "length", "duration", "distance", "volume", "temperature", "speed", "size"]
)
_OTHER = re.compile(
    r"other|unknown|unspecified|none|n/?a\b|misc|undefined|not_|else|various|sonst|autre|otro", re.IGNORECASE
)
_SCALE = re.compile(r"percent|%|0 ?(-|–|to|\.\.) ?1\b|fraction|scale|0\.\d|per cent", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Lint:
    """A remark on one place of a schema, with what to do about it."""

    pointer: str
    rule: str
    detail: str
    suggestion: str


@dataclass(frozen=True, slots=True)
class _Property:
    name: str
    schema: Mapping[str, Any]
    words: frozenset[str]
    types: frozenset[str]

    @property
    def described(self) -> str:
        text = self.schema.get("description")
        return text if isinstance(text, str) else ""


Remark = tuple[str, str]


def lints(schema: Any) -> list[Lint]:
    """Remarks on a schema, in the order of its text, at most two hundred."""
    if not isinstance(schema, Mapping):
        return []
    found: list[Lint] = []
    if not isinstance(schema.get("description"), str):
        found.append(
            Lint(
                "",
                "no_description",
                "The schema says nothing about what its records are.",
                "Add `description`.",
            )
        )
    if "$schema" in schema and declared_draft(schema) is None:
        found.append(
            Lint(
                "/$schema",
                "unknown_draft",
                f"This names no draft that is known; the schema is read as draft {guess_draft(schema)}.",
                f"Name one of the drafts {', '.join(DRAFTS)}, or leave `$schema` out.",
            )
        )
    found.extend(_deep(schema))
    for pointer, name, node in _properties(schema):
        item = _Property(name, node, _words(name), _types(node))
        for rule, look in _RULES.items():
            remark = look(item)
            if remark is not None:
                found.append(Lint(pointer, rule, *remark))
        if len(found) >= _MAX_LINTS:
            break
    return found[:_MAX_LINTS]


def _properties(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Every declared property with its pointer, parents first."""
    stack: list[tuple[str, Mapping[str, Any]]] = [("", schema)]
    seen: set[int] = set()
    while stack:
        pointer, node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        below = []
        for steps, child in children(dict(node)):
            place = pointer + "".join(f"/{_escaped(str(step))}" for step in steps)
            if isinstance(child, Mapping):
                below.append((place, child))
                if steps[0] == "properties":
                    yield place, str(steps[1]), child
        stack.extend(reversed(below))


def _deep(schema: Mapping[str, Any]) -> Iterator[Lint]:
    """The first place that lies deeper than is good; references are not followed."""
    stack: list[tuple[str, Mapping[str, Any], int]] = [("", schema, 0)]
    while stack:
        pointer, node, level = stack.pop()
        level += bool(_types(node) & {"object", "array"})
        if level > _DEEP:
            yield Lint(
                pointer,
                "deep_nesting",
                f"This lies more than {_DEEP} levels deep.",
                "Flatten what has one member only, or split the schema.",
            )
            return
        for steps, child in children(dict(node)):
            if isinstance(child, Mapping) and steps[0] not in ("$defs", "definitions"):
                place = pointer + "".join(f"/{_escaped(str(step))}" for step in steps)
                stack.append((place, child, level))


# ------------------------------------------------------------------------------------------------------------- rules


def _undescribed(item: _Property) -> Remark | None:
    if item.described or "$ref" in item.schema or "const" in item.schema:
        return None
    return (
        "The property has no description: its name is all that the model is told.",
        "Say in one sentence what stands here, where documents have it, and in which form.",
    )


def _ambiguous_date(item: _Property) -> Remark | None:
    if not item.words & _DATES or item.words & _NOT_DATES or "string" not in item.types:
        return None
    if any(keyword in item.schema for keyword in ("format", "pattern", "enum", "const")):
        return None
    return ("A date as free text: 03/04/2026 has two readings.", 'Add `"format": "date"` (or `date-time`).')


def _money_as_float(item: _Property) -> Remark | None:
    if not item.words & _MONEY or item.words & _NOT_MONEY or "number" not in item.types:
        return None
    if "multipleOf" in item.schema:
        return None
    return (
        "Money as a binary float: sums of such numbers are off by cents.",
        'Use a string with `"pattern": "^-?\\\\d+(\\\\.\\\\d{2})?$"`, an integer of minor units, or say `"multipleOf": 0.01`.',
    )


def _closed_choice(item: _Property) -> Remark | None:
    values = item.schema.get("enum")
    if not isinstance(values, list) or not all(
        isinstance(value, str) for value in values if value is not None
    ):
        return None
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) < 3 or None in values or "null" in item.types or any(map(_OTHER.search, texts)):
        return None
    return (
        "An enumeration without a way out: a document that fits no value gets a wrong one.",
        'Add a value such as "other", or admit null.',
    )


def _code_as_number(item: _Property) -> Remark | None:
    if not item.words & _CODES or not item.types & {"number", "integer"}:
        return None
    return ("A code as a number: leading zeros get lost.", 'Use `"type": "string"`.')


def _unclear_share(item: _Property) -> Remark | None:
    if not item.words & _SHARES or not item.types & {"number", "integer"}:
        return None
    if _SCALE.search(item.described) or "maximum" in item.schema:
        return None
    return ("A rate that may be 19 or 0.19.", "Say in the description which, with an example.")


def _no_unit(item: _Property) -> Remark | None:
    if not item.words & _MEASURES or not item.types & {"number", "integer"} or item.described:
        return None
    if len(item.words) > 1:
        return None  # weight_kg
    return ("A measure without a unit.", "Name the unit in the property (`weight_kg`) or its description.")


def _anything(item: _Property) -> Remark | None:
    meaningful = set(item.schema) - {"title", "description", "default", "examples", "$comment", "deprecated"}
    if meaningful:
        return None
    return (
        "Any JSON may stand here; the model has to guess its form.",
        "Give it a `type`, and `properties` or `items`.",
    )


_RULES: Mapping[str, Callable[[_Property], Remark | None]] = {
    "no_description": _undescribed,
    "ambiguous_date": _ambiguous_date,
    "money_as_float": _money_as_float,
    "closed_choice": _closed_choice,
    "code_as_number": _code_as_number,
    "unclear_share": _unclear_share,
    "no_unit": _no_unit,
    "anything": _anything,
}


def _words(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(name))


def _types(node: Mapping[str, Any]) -> frozenset[str]:
    """The types of a node, those of its nullable unions included."""
    kinds: set[str] = set()
    given = node.get("type")
    kinds.update(
        [given] if isinstance(given, str) else filter(_is_text, given) if isinstance(given, list) else ()
    )
    for keyword in ("anyOf", "oneOf"):
        for branch in node.get(keyword) or () if isinstance(node.get(keyword), list) else ():
            kind = branch.get("type") if isinstance(branch, Mapping) else None
            kinds.update([kind] if isinstance(kind, str) else ())
    return frozenset(kinds)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
