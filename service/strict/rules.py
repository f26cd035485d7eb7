"""The intermediate representation: what a place of the schema admits, kind by kind, whatever the draft said it with.

A goal is a number for "all of these subschemas at once". Each goal has one shape: another goal (``Alias``), one of
several goals (``Union``), or rules per kind of value (``Leaf``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from service.strict.references import Site
from service.strict.values import KINDS, Kind

Goal = int
NEVER: Goal = 0
"""The goal that no value meets."""


@dataclass(frozen=True, slots=True)
class Note:
    """A rule that the strict form may not hold: where it stands, and the words for the model."""

    site: Site
    keyword: str
    detail: str
    words: str = ""


@dataclass(slots=True)
class Text:
    """Rules for strings. ``sites`` tell where a rule came from, by keyword."""

    patterns: list[tuple[str, Site]] = field(default_factory=list)
    formats: list[tuple[str, Site]] = field(default_factory=list)
    least: int = 0
    most: int | None = None
    sites: dict[str, Site] = field(default_factory=dict)


@dataclass(slots=True)
class Quantity:
    """Rules for numbers; a bound is its value and whether the value itself is excluded."""

    integer: bool = False
    low: tuple[Any, bool] | None = None
    high: tuple[Any, bool] | None = None
    multiples: list[tuple[Any, Site]] = field(default_factory=list)
    sites: dict[str, Site] = field(default_factory=dict)


@dataclass(slots=True)
class Listing:
    """Rules for arrays: the first items one by one, then the rest."""

    first: list[Goal]
    rest: Goal
    least: int = 0
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A declared property."""

    goal: Goal
    required: bool


@dataclass(slots=True)
class Members:
    """Rules for objects: declared properties, then what other keys may hold. ``others`` is a map goal or ``NEVER``."""

    fields: dict[str, Field]
    entries: list[tuple[str | None, Goal]]
    """Other keys: a pattern (``None`` for any key) and what they hold."""
    names: Text | None = None
    name_values: list[str] | None = None
    least: int = 0
    most: int | None = None
    others: Goal = NEVER
    """With ``fields``: the goal of a map of all other keys."""


@dataclass(slots=True)
class Shape:
    """What all shapes have: words for the model, and rules given up on the way."""

    text: str = ""
    notes: list[Note] = field(default_factory=list)


@dataclass(slots=True)
class Alias(Shape):
    """Exactly another goal."""

    target: Goal = NEVER


@dataclass(slots=True)
class Union(Shape):
    """At least one of several goals."""

    branches: list[Goal] = field(default_factory=list)


@dataclass(slots=True)
class Leaf(Shape):
    """Rules by kind. A kind that is not listed is not admitted."""

    kinds: Sequence[Kind] = KINDS
    literals: list[Any] | None = None
    quantity: Quantity = field(default_factory=Quantity)
    string: Text = field(default_factory=Text)
    listing: Listing | None = None
    members: Members | None = None
    dead: str = ""
    """Why no value at all is admitted, where that is plain."""
    site: Site | None = None
