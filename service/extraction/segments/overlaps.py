"""Rows that a part tells of lines it was shown to help only: of its context, of the lines after it. Pure.

They are told by the part that owns those lines. Most are known by where they stand; what says too little of its place, or
stands as well in the part's own lines, is known by a row of the owner that says the same, and by whether the reader of
this part tells of such lines at all: one that does tells of a row there and of its equal here as two.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.extraction.segments.places import Shown, Spot
from service.extraction.segments.shapes import holds_rows, same
from service.extraction.segments.words import leaves

_CLEAR = 0.75
"""The share of a row that must stand in other pieces' lines for it to be left to these."""

_AS_WELL = 0.8
"""The share of what stands of a row in a part's own lines that must stand in the others for it to stand there as well."""


@dataclass(frozen=True, slots=True)
class Told:
    """The rows of one list that one part tells, and where they stand in what it was shown."""

    piece: int
    shown: Shown = field(repr=False)
    rows: Sequence[Any] = field(repr=False)
    spots: Sequence[Spot | None] = field(repr=False)


def elsewhere(shown: Shown, spot: Spot) -> bool:
    """Whether all of a row stands in lines that were shown to help only: the part that owns them tells it."""
    return spot.share >= _CLEAR and _around(shown, spot)


def tellers(lists: Sequence[Told]) -> set[int]:
    """The pieces that surely tell rows of lines which are not their own: the owner tells the same rows."""
    owners = _Owners(lists)
    return {
        one.piece
        for one in lists
        if any(
            spot is not None and _around(one.shown, spot) and owners.of(one, row, spot)
            for row, spot in zip(one.rows, one.spots, strict=True)
        )
    }


def repeated(lists: Sequence[Told], telling: set[int]) -> set[tuple[int, int]]:
    """The rows, by piece and number, that another piece tells of the same lines. ``telling``: see ``tellers``."""
    owners = _Owners(lists)
    found: set[tuple[int, int]] = set()
    for one in lists:
        rows = [
            (number, spot is not None and not _around(one.shown, spot), row, spot)
            for number, (row, spot) in enumerate(zip(one.rows, one.spots, strict=True))
            if not holds_rows(row)
        ]
        used: set[tuple[int, int]] = set()
        # Rows that stand in the part's own lines too come last: each row of an owner is told once.
        for number, own, row, spot in sorted(rows, key=lambda entry: entry[1]):
            if own and one.piece not in telling:
                break
            free = [owner for owner in owners.of(one, row, spot) if owner not in used and owner not in found]
            if free:
                used.add(free[0])
                found.add((one.piece, number))
    return found


def _around(shown: Shown, spot: Spot) -> bool:
    """Whether nothing of a row stands in its part's own lines."""
    return not any(line in shown.own for line, _ in spot.places)


def _as_well(shown: Shown, row: Any, spot: Spot) -> bool:
    """Whether a row stands in the lines around a part's own as well as in these."""
    sides = [(shown.numbers[0], shown.own.start - 1), (shown.own.stop, shown.numbers[-1])]
    around = (shown.place([row], side)[0] for side in sides if side[0] <= side[1])
    return any(other is not None and other.share >= _AS_WELL * spot.share for other in around)


class _Owners:
    """The rows of all parts by the lines of their own in which they stand."""

    def __init__(self, lists: Sequence[Told]) -> None:
        self._lists = {one.piece: one for one in lists}
        self._at: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._equal: dict[Hashable, list[tuple[int, int]]] = defaultdict(list)
        for one in lists:
            for number, (row, spot) in enumerate(zip(one.rows, one.spots, strict=True)):
                self._equal[same(row)].append((one.piece, number))
                for line in {line for line, _ in spot.places} if spot is not None else ():
                    if line in one.shown.own:
                        self._at[line].append((one.piece, number))
        self._near: dict[int, dict[tuple[int, int], Mapping[Any, Hashable]]] = {}

    def of(self, one: Told, row: Any, spot: Spot | None) -> list[tuple[int, int]]:
        """The rows which say all that this one does, of the lines that its part was shown to help.

        Those that stand in such lines; else, where this one stands there too, those of a part that owns such lines.
        """
        near = self._near.get(one.piece)
        if near is None:
            near = self._near[one.piece] = self._standing_around(one)
        says = _says(row).items()
        found = [at for at, other in near.items() if says <= other.items()] if says else []
        if found:
            return found
        if spot is None:
            return self._equal_around(one, row)
        equal = [at for at in self._equal[same(row)] if at[0] != one.piece and self._may_stand(at)]
        if not equal or not (_around(one.shown, spot) or _as_well(one.shown, row, spot)):
            return []
        around = _lines_around(one.shown)
        return [at for at in equal if any(line in self._lists[at[0]].shown.own for line in around)]

    def _equal_around(self, one: Told, row: Any) -> list[tuple[int, int]]:
        """The rows that say the same, of which anything stands in lines that a part was shown to help."""
        around = set(_lines_around(one.shown))
        found = []
        for piece, number in self._equal[same(row)]:
            spot = self._lists[piece].spots[number]
            if piece != one.piece and spot and any(line in around for line, _ in spot.leaves.values()):
                found.append((piece, number))
        return found

    def _may_stand(self, at: tuple[int, int]) -> bool:
        """Whether too little of a row was found to say where among its part's own lines it stands."""
        told = self._lists[at[0]]
        spot = told.spots[at[1]]
        return spot is None or (spot.share < _CLEAR and not _around(told.shown, spot))

    def _standing_around(self, one: Told) -> dict[tuple[int, int], Mapping[Any, Hashable]]:
        """What the rows say that stand in lines which a part was shown to help."""
        rows = dict.fromkeys(
            at for line in _lines_around(one.shown) for at in self._at.get(line, ()) if at[0] != one.piece
        )
        return {(piece, number): _says(self._lists[piece].rows[number]) for piece, number in rows}


def _lines_around(shown: Shown) -> list[int]:
    return [line for line in shown.numbers if line not in shown.own]


def _says(row: Any) -> dict[Any, Hashable]:
    return {path: same(value) for path, value in leaves(row)}
