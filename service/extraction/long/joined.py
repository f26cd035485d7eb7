"""The answers about the parts of a long document, as one record, with what it lacks. Pure, CPU-bound."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.extraction.long import targets
from service.extraction.long.asking import Unit
from service.extraction.long.targets import Target
from service.extraction.plan import Parts, Plan
from service.extraction.result import PartSpan
from service.extraction.review import Review
from service.extraction.said import NOTHING_SAID, Said
from service.extraction.segments.completeness import Gap, gaps
from service.extraction.segments.excerpts import Excerpt
from service.extraction.segments.merge import Merged, Piece, merge
from service.extraction.segments.places import Own, Shown, Some
from service.extraction.segments.relevant import Chosen
from service.extraction.validate import Finding
from service.foundation.errors import WinnowError


@dataclass(frozen=True, slots=True)
class PartRead:
    """One part that was read: its lines, and what it says; None when it could not be read.

    ``look``: of a further look at some lines of a part, those.
    """

    excerpt: Excerpt
    data: Any = field(repr=False)
    unit: Unit = field(repr=False)
    failure: WinnowError | None = None
    said: Said = field(default=NOTHING_SAID, repr=False)
    look: Chosen | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """The record of all parts. ``doubts``: what is known to be missing or doubtful; with any, it is partial."""

    data: Any = field(repr=False)
    findings: tuple[Finding, ...]
    doubts: tuple[Finding, ...]
    parts: tuple[PartSpan, ...]
    review: Review
    """What was seen in the record."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What was read, merged. ``spans`` are the parts as they were read in the end."""

    found: tuple[PartRead, ...]
    merged: Merged
    gaps: tuple[Gap, ...]
    spans: tuple[PartSpan, ...]
    said: Said
    conflicts: tuple[Finding, ...]

    @property
    def lacking(self) -> tuple[int, int]:
        """How much the record is known to lack: lines, and findings."""
        return len({line for gap in self.gaps for line in gap.lines}), len(self.gaps)

    @property
    def pieces(self) -> list[PartRead]:
        """What was merged, in its order."""
        return [one for one in self.found if one.failure is None]

    def units(self, lines: Iterable[int]) -> dict[Unit, frozenset[int]]:
        """Some lines by the part that they are in."""
        units: dict[Unit, set[int]] = {}
        own = {
            one.unit: one.unit.segment.excerpt
            for one in self.found
            if one.unit.segment is not None and one.unit.segment.excerpt is not None
        }
        for line in lines:
            for unit, excerpt in own.items():
                if excerpt.first <= line < excerpt.last:
                    units.setdefault(unit, set()).add(line)
        return {unit: frozenset(some) for unit, some in units.items()}

    def by_unit(self, pointers: Sequence[str], header: Unit) -> dict[Unit, list[Target]]:
        """What to ask for, by what it is asked about: the part that a row comes from, or the header."""
        pieces = self.pieces
        units: dict[Unit, list[Target]] = {}
        for piece, target in targets.together(pointers, self.merged.rows):
            units.setdefault(header if piece is None else pieces[piece].unit, []).append(target)
        return units

    def lines_of(self, rows: Sequence[str]) -> frozenset[int] | None:
        """The lines that rows stand in, by pointer; None where one of them stands nobody knows where."""
        found: set[int] = set()
        for pointer in rows:
            array, _, number = pointer.rpartition("/")
            spots = [row.spot for row in self.merged.rows[array]]
            spot = spots[int(number)]
            if spot is not None:
                found |= {spot.at[0], *(line for line, _ in (*spot.leaves.values(), *spot.inner))}
                continue
            before = next((one.at[0] for one in reversed(spots[: int(number)]) if one is not None), None)
            after = next((one.at[0] for one in spots[int(number) + 1 :] if one is not None), None)
            if before is None or after is None:
                return None
            found |= set(range(before, after + 1))
        return frozenset(found)


def join(plan: Plan, parts: Parts, found: Sequence[PartRead]) -> Joined:
    """The record of everything that was read, which is in the order of the document."""
    read = [one for one in found if one.failure is None]
    merged = merge([Piece(one.data, _shown(parts, one)) for one in read], plan.version.schema, parts.lines)
    return Joined(
        tuple(found),
        merged,
        tuple(gaps(merged, parts.lines)),
        tuple(
            PartSpan(*pages_of(plan, one.excerpt), one.failure is None) for one in found if one.look is None
        ),
        Said.merged([(one.said, _pages_shown(plan, parts, one)) for one in read], merged.sources),
        tuple(
            Finding(
                conflict.pointer,
                "conflict",
                "Parts of the document say different things; what most of it shows was taken.",
                "warning",
            )
            for conflict in merged.conflicts
        ),
    )


def so_far(plan: Plan, parts: Parts, found: Sequence[PartRead]) -> Any:
    """The record of the parts that are read already; nothing validates it."""
    return merge(
        [Piece(one.data, _shown(parts, one)) for one in found], plan.version.schema, parts.lines
    ).data


def with_more(found: Sequence[PartRead], more: Sequence[PartRead]) -> list[PartRead]:
    """The same with further looks at some lines, each after the part that shows them."""
    result = list(found)
    for one in more:
        last = max(place for place, other in enumerate(result) if other.excerpt.first <= one.excerpt.first)
        result.insert(last + 1, one)
    return result


def placed_in(chosen: Chosen) -> Excerpt:
    """The lines of a further look, as a part."""
    return Excerpt(chosen.own[0], chosen.own[-1] + 1, chosen.context)


def pages_of(plan: Plan, excerpt: Excerpt) -> tuple[int, int]:
    """The numbers of the first and the last page of a part."""
    assert plan.parts is not None  # noqa: S101 - narrows the type
    lines = plan.parts.lines.all
    pages = plan.document.pages
    return pages[lines[excerpt.first].page].number, pages[lines[excerpt.last - 1].page].number


def _pages_shown(plan: Plan, parts: Parts, one: PartRead) -> frozenset[int]:
    """The numbers of the pages that hold the lines which a part is asked to read."""
    own = one.look.own if one.look is not None else range(one.excerpt.first, one.excerpt.end)
    places = {parts.lines.all[number].page for number in own}
    return frozenset(plan.document.pages[place].number for place in places)


def _shown(parts: Parts, one: PartRead) -> Shown:
    lines, excerpt = parts.lines.all, one.excerpt
    numbers: Iterable[int] = (*excerpt.context, *range(excerpt.first, excerpt.end))
    own: Own = range(excerpt.first, excerpt.last)
    if one.look is not None:
        numbers, own = one.look.numbers, Some(frozenset(one.look.own))
    texts = [
        (number, lines[number].text) for number in numbers if not lines[number].image or lines[number].text
    ]
    return Shown(texts, own, one.data)
