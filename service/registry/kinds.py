"""The kinds of rules as plain values. ``rules`` reads them from JSON, the extraction evaluates them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any, ClassVar, Literal

from service.registry.places import Place

Severity = Literal["error", "warning"]
Missing = Literal["skip", "zero"]
Direction = Literal["ascending", "descending", "either"]
ChecksumKind = Literal[
    "bic", "ean", "eu_vat", "iban", "imei", "isbn", "isin", "issn", "lei", "luhn", "us_routing", "vin"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far two numbers may be apart and still be equal: an amount, or a share of the number that is stated."""

    amount: Decimal = Decimal("0.01")
    share: Decimal = Decimal(0)


Operand = Place | Decimal
"""A number of the record, or one that the rule itself says."""


@dataclass(frozen=True, slots=True)
class Test:
    """A condition on one place. What is None is not asked for."""

    field: Place
    present: bool | None = None
    one_of: tuple[Any, ...] | None = None
    at_least: Decimal | None = None
    at_most: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Every:
    """All of the conditions hold."""

    of: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of the conditions holds."""

    of: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold."""

    of: "Condition"


Condition = Test | Every | Some | Not

# -------------------------------------------------------------------------------------------------------------- rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What every rule has. ``scope`` is the innermost ``*`` that its places share: it is held for each item there."""

    kind: ClassVar[str]
    aggregated: ClassVar[frozenset[str]] = frozenset()
    """Members whose own stars are gathered instead of belonging to the scope."""

    severity: Severity = "error"
    message: str | None = None
    when: Condition | None = None
    scope: tuple[str | None, ...] = ()
    source: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """The rule as it was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum(Rule):
    """The numbers at ``of`` add up to ``equals``."""

    kind = "sum"
    aggregated = frozenset({"of"})
    of: Place
    equals: Operand
    tolerance: Tolerance = Tolerance()
    missing: Missing = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product(Rule):
    """The operands multiplied are ``equals``."""

    kind = "product"
    of: tuple[Operand, ...]
    equals: Operand
    tolerance: Tolerance = Tolerance()


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentage(Rule):
    """``percent`` hundredths of ``of`` are ``equals``."""

    kind = "percentage"
    percent: Operand
    of: Operand
    equals: Operand
    tolerance: Tolerance = Tolerance()


@dataclass(frozen=True, slots=True, kw_only=True)
class Total(Rule):
    """Everything in ``plus`` less everything in ``minus`` is ``equals``. Stars of either are summed up."""

    kind = "total"
    aggregated = frozenset({"plus", "minus"})
    plus: tuple[Operand, ...]
    minus: tuple[Operand, ...] = ()
    equals: Operand
    tolerance: Tolerance = Tolerance()
    missing: Missing = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running(Rule):
    """``equals`` is the balance after each item: the one before and ``of``. The first one follows ``start``."""

    kind = "running"
    aggregated = frozenset({"of", "equals"})
    start: Operand | None = None
    of: Place
    equals: Place
    tolerance: Tolerance = Tolerance()


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Rule):
    """``equals`` is how many items are at ``of``."""

    kind = "count"
    aggregated = frozenset({"of"})
    of: Place
    equals: Operand


@dataclass(frozen=True, slots=True, kw_only=True)
class Equal(Rule):
    """Both places say the same: numbers within the tolerance, texts but for white space and case."""

    kind = "equal"
    left: Place
    right: Place
    tolerance: Tolerance = Tolerance()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Rule):
    """Dates or numbers in order: several places, or one place of every item of a list."""

    kind = "order"
    of: tuple[Place, ...]
    direction: Direction = "ascending"
    strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Requires(Rule):
    """Where ``when`` holds, ``then`` holds too."""

    kind = "requires"
    then: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Checksum(Rule):
    """The check digits of an identifier are right."""

    kind = "checksum"
    of: Place
    of_kind: ChecksumKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern(Rule):
    """A text matches a regular expression (ECMA 262), look-around included."""

    kind = "pattern"
    of: Place
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique(Rule):
    """No two items have the same value at ``of``."""

    kind = "unique"
    aggregated = frozenset({"of"})
    of: Place


def places_of(rule: Rule) -> Iterator[tuple[str, Place]]:
    """Every place that a rule names, with the member that names it; conditions included."""
    for member in fields(rule):
        for place in places_in(getattr(rule, member.name)):
            yield member.name, place


def places_in(value: Any) -> Iterator[Place]:
    """Every place in a member of a rule."""
    match value:
        case Place():
            yield value
        case Test(field=place):
            yield place
        case Every(of=inner) | Some(of=inner):
            yield from places_in(inner)
        case Not(of=one):
            yield from places_in(one)
        case tuple():
            for item in value:
                yield from places_in(item)
