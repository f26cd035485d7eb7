"""Where the filler stands in a schema, and what it found there."""

from dataclasses import dataclass
from typing import Any

from service.sandbox.reader.parties import Party

__all__ = ["Found", "Place", "at"]


@dataclass(frozen=True, slots=True)
class Found:
    """A value for one node, and how sure the rules are: zero means that nothing was found."""

    value: Any
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a node stands in the schema and which part of the page it may look at."""

    name: str
    parents: tuple[str, ...]
    depth: int
    description: str = ""
    party: Party | None = None
    in_party: bool = False


def at(place: Place, **changes: Any) -> Place:
    """The same place with some members changed."""
    return Place(
        **{
            "name": place.name, "parents": place.parents, "depth": place.depth, "description": place.description,
            "party": place.party, "in_party": place.in_party, **changes,
        }
    )  # fmt: skip
