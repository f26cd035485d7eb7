"""Which values of a merged record a repair asks for, and with which others. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.extraction.decide import Standing
from service.extraction.fragments import MAX_PARTS
from service.extraction.looking import is_about
from service.extraction.segments.merge import Row
from service.extraction.validate import Finding

_ROWS = MAX_PARTS // 2
"""Rows that one question is about at most: of each it may ask for two values."""

_LONG = 40
"""Items of a list from which it is never asked for whole: no question about a record holds so much."""

Rows = Mapping[str, Sequence[Row]]
"""Where the rows of each list come from, by the pointer of the list."""


@dataclass(frozen=True, slots=True)
class Target:
    """Places of a record that one question asks for. ``rows``: those that they are in, by pointer; none for a header."""

    pointers: tuple[str, ...]
    rows: tuple[str, ...] = ()


def places_of(standing: Standing, data: Any) -> list[str]:
    """The places to ask for: of what a rule adds up the values that the document does not print, else those outside lists."""
    found: dict[str, None] = {}
    for finding in (*standing.invalid, *standing.errors, *standing.doubts):
        about = [pointer for pointer in standing.suspects if is_about(finding, pointer)]
        for place in about or _own_places(finding):
            value = _at(data, place)
            if place and not (isinstance(value, list) and len(value) > _LONG):
                found[place] = None
    return list(found)


def _own_places(finding: Finding) -> list[str]:
    lists = {column.split("/*", 1)[0] for column in finding.columns}
    row = finding.pointer.rpartition("/")[0]
    if any(row.startswith(f"{one}/") for one in lists):
        return [row]  # what does not follow in a row may be any of its values
    return [place for place in finding.places or (finding.pointer,) if place not in lists]


def row_of(pointer: str, rows: Rows) -> tuple[str, int] | None:
    """The innermost row that a place is in: its list, and its number."""
    steps = pointer.split("/")
    for length in range(len(steps) - 1, 0, -1):
        array = "/".join(steps[:length])
        if array in rows and steps[length].isdigit() and int(steps[length]) < len(rows[array]):
            return array, int(steps[length])
    return None


def together(pointers: Sequence[str], rows: Rows) -> list[tuple[int | None, Target]]:
    """The questions: for places in rows by the piece that the rows come from, for others by themselves.

    A number of a piece, or None for what stands in no row.
    """
    by_piece: dict[int | None, dict[str, list[str]]] = {}
    for pointer in pointers:
        row = row_of(pointer, rows)
        if row is None:
            by_piece.setdefault(None, {})[pointer] = [pointer]
        else:
            own = rows[row[0]][row[1]].piece
            by_piece.setdefault(own, {}).setdefault(f"{row[0]}/{row[1]}", []).append(pointer)
    found: list[tuple[int | None, Target]] = []
    for piece, groups in by_piece.items():
        most = MAX_PARTS if piece is None else _ROWS
        names = list(groups)
        for at in range(0, len(names), most):
            some = names[at : at + most]
            places = tuple(pointer for name in some for pointer in groups[name])
            found.append((piece, Target(places, () if piece is None else tuple(some))))
    return found


def _at(node: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list):
            node = node[int(name)] if name.isdigit() and int(name) < len(node) else None
        else:
            node = node.get(name) if isinstance(node, Mapping) else None
    return node
