"""The answers about the parts of a document, as one record. Pure.

Rows are kept in the order of the document. Two parts show some lines twice; a row that both report is one row when its
values stand in the same places of the document, never because it says the same: two equal rows of a statement are two.
Scalars are taken from where the document says them, most agreed first, then the first; what else was said is a conflict.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any

from service.extraction.segments.lines import Lines, is_row
from service.extraction.segments.overlaps import Told, elsewhere, repeated, tellers
from service.extraction.segments.places import Place, Shown, Spot
from service.extraction.segments.relaxed import complete
from service.extraction.segments.seams import Seam, only_difference
from service.extraction.segments.shapes import (
    concluded_in,
    holds_rows,
    items_of,
    kind_of,
    member,
    same,
    says_nothing,
    shape_of,
    squeezed,
)
from service.extraction.segments.words import Path, has_lists, leaves, nested, words_of

_SAME = 0.5
"""The share of its places that a row must have in common with another to be the same row."""

_CELLS = 3
"""Lines that the cells of one row go over at most."""

_INSERT = 200
"""Rows that are looked through backwards for where a row belongs that its own part did not report."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The answer about one part: a value of the relaxed schema, and the lines that the part was shown."""

    data: Any = field(repr=False)
    shown: Shown = field(repr=False)


@dataclass(frozen=True, slots=True)
class Row:
    """Where one row of the merged record comes from: the number of its piece, and its place if it has one."""

    piece: int
    spot: Spot | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Parts of the document say different things about one scalar. ``pieces`` are those that say what was not taken."""

    pointer: str
    pieces: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Merged:
    """One record. ``rows`` has an entry for each list, by JSON Pointer."""

    data: Any = field(repr=False)
    rows: Mapping[str, tuple[Row, ...]] = field(repr=False)
    conflicts: tuple[Conflict, ...] = ()
    sources: Mapping[str, tuple[int, str]] = field(default_factory=dict, repr=False)
    """Which piece said what stands at a pointer, and at what pointer into its answer; of what lies below it, the same."""


def merge(pieces: Sequence[Piece], schema: Any, lines: Lines) -> Merged:
    """The record of all pieces, which are in the order of the document. It is not validated."""
    work = _Merge(pieces, schema, lines)
    parts = [_Part(number, piece.data, None, "") for number, piece in enumerate(pieces)]
    work.survey(parts, schema)
    data = work.value(parts, schema, "")
    return Merged(complete(data, schema), work.rows, tuple(work.conflicts), work.sources)


@dataclass(frozen=True, slots=True)
class _Part:
    """One piece's value at some place of the record. ``within``: the first and the last line where it can stand.

    ``path``: its pointer into the piece's answer.
    """

    piece: int
    value: Any
    within: tuple[int, int] | None
    path: str

    def below(self, step: str, value: Any, within: tuple[int, int] | None) -> "_Part":
        """The part of a member or an item of it; ``step`` as pointers have it."""
        return _Part(self.piece, value, within, f"{self.path}/{step}")


@dataclass(slots=True)
class _Item:
    """A row as it is being put together."""

    parts: list[_Part]
    spots: list[Spot | None]
    at: Place | None = None
    """Where it takes its place among the others."""
    places: dict[tuple[Path, Place], None] = field(default_factory=dict)


class _Merge:
    def __init__(self, pieces: Sequence[Piece], schema: Any, lines: Lines) -> None:
        self.rows: dict[str, tuple[Row, ...]] = {}
        self.conflicts: list[Conflict] = []
        self.sources: dict[str, tuple[int, str]] = {}
        self._pieces = pieces
        self._schema = schema
        self._lines = lines
        self._seams: dict[int, Seam] = {}
        self._telling: set[int] = set()
        """The pieces that tell rows of lines which they were shown to help only."""
        self._placed: dict[tuple[int, int, tuple[int, int] | None], tuple[Any, list[Spot | None]]] = {}

    def survey(self, parts: Sequence[_Part], schema: Any) -> None:
        """Look through all lists for pieces that tell rows of lines which are not their own."""
        schema = shape_of(schema, self._schema, parts[0].value if parts else None)
        objects = [part for part in parts if isinstance(part.value, Mapping)]
        for name in dict.fromkeys(name for part in objects for name in part.value):
            children = [
                part.below(_step(name), part.value[name], part.within)
                for part in objects
                if name in part.value
            ]
            self.survey(children, member(schema, name))
        lists = [part for part in parts if isinstance(part.value, list)]
        if len(lists) < 2:
            return
        concluded = self._concluded(schema)
        self._telling |= tellers([self._told(part, concluded) for part in lists])
        rows: dict[tuple[str, ...], dict[int, list[Any]]] = {}
        for part in lists:
            for row in part.value:
                for names, inner in nested(row):
                    rows.setdefault(names, {}).setdefault(part.piece, []).extend(inner)
        for names, pooled in rows.items():
            below = frozenset(path[len(names) :] for path in concluded if path[: len(names)] == names)
            self._telling |= tellers(
                [self._told(_Part(piece, inner, None, ""), below) for piece, inner in pooled.items()]
            )

    def _concluded(self, schema: Any) -> frozenset[tuple[str, ...]]:
        return frozenset(concluded_in(items_of(schema, self._schema), self._schema))

    def _told(self, part: _Part, concluded: frozenset[tuple[str, ...]]) -> Told:
        """The rows of one piece's list with their places, which are found once."""
        key = part.piece, id(part.value), part.within
        shown = self._pieces[part.piece].shown
        if key not in self._placed:  # with the list, so that no other one can come to have its identity
            self._placed[key] = part.value, shown.place(part.value, part.within, concluded)
        return Told(part.piece, shown, part.value, self._placed[key][1])

    def value(self, parts: Sequence[_Part], schema: Any, pointer: str) -> Any:
        schema = shape_of(schema, self._schema, parts[0].value if parts else None)
        said = [part for part in parts if part.value is not None]
        if not said:
            return None
        if len({part.piece for part in said}) == 1 and not isinstance(said[0].value, Mapping | list):
            return self._said(said[0], pointer)
        kind = kind_of(max(said, key=lambda part: (not says_nothing(part.value), -part.piece)).value)
        said = [part for part in said if kind_of(part.value) == kind]
        if kind == "object":
            return self._object(said, schema, pointer)
        return self._list(said, schema, pointer) if kind == "list" else self._scalar(said, pointer)

    def _object(self, parts: Sequence[_Part], schema: Any, pointer: str) -> dict[str, Any]:
        names = dict.fromkeys(name for part in parts for name in part.value)
        reaches = [self._reaches(part, schema) for part in parts]
        return {
            name: self.value(
                [
                    part.below(step, part.value[name], reach.get(name, part.within))
                    for part, reach in zip(parts, reaches, strict=True)
                    if name in part.value
                ],
                member(schema, name),
                f"{pointer}/{step}",
            )
            for name, step in ((name, _step(name)) for name in names)
        }

    def _said(self, part: _Part, pointer: str) -> Any:
        """The value of the part that is taken."""
        self.sources[pointer] = part.piece, part.path
        return part.value

    def _reaches(self, part: _Part, schema: Any) -> dict[str, tuple[int, int]]:
        """Where what belongs to each entry of a map can stand: entries that hold lists are rows with a name."""
        declared = schema.get("properties") if isinstance(schema, Mapping) else None
        entries = [name for name in part.value if not (isinstance(declared, Mapping) and name in declared)]
        if len(entries) < 2 or not any(has_lists(part.value[name]) for name in entries):
            return {}
        rows = [{"": name, "value": part.value[name]} for name in entries]
        spots = self._pieces[part.piece].shown.place(rows, part.within)
        return {name: self._reach(part, spots, number) for number, name in enumerate(entries)}

    # ---------------------------------------------------------------------------------------------- scalars

    def _scalar(self, parts: Sequence[_Part], pointer: str) -> Any:
        groups: dict[Hashable, list[_Part]] = {}
        parts = self._whole_texts(parts)
        for part in parts:
            groups.setdefault(same(part.value), []).append(part)
        if len(groups) == 1:
            return self._said(parts[0], pointer)
        shown = {key: [part for part in group if self._stands(part)] for key, group in groups.items()}
        order = sorted(
            groups,
            key=lambda key: (
                says_nothing(groups[key][0].value),
                not shown[key],
                -len(shown[key]),
                -len(groups[key]),
                groups[key][0].piece,
            ),
        )
        chosen = order[0]
        against = [part.piece for key in order[1:] for part in groups[key] if not says_nothing(part.value)]
        if against:
            self.conflicts.append(Conflict(pointer, tuple(sorted(against))))
        return self._said((shown[chosen] or groups[chosen])[0], pointer)

    def _whole_texts(self, parts: Sequence[_Part]) -> list[_Part]:
        """The same with texts as one that borders between them cut."""
        found: list[_Part] = []
        last = -1
        for part in parts:
            whole = self._joined(found[-1], part, cut=True) if found and last + 1 == part.piece else None
            found[-1:] = [whole] if whole is not None else [*found[-1:], part]
            last = part.piece
        return found

    def _joined(self, one: _Part, other: _Part, *, cut: bool = False) -> _Part | None:
        """Two texts as one where the second stands on from the first. ``cut``: where the border must cut a text, too."""
        before, after = one.value, other.value
        if not isinstance(before, str) or not isinstance(after, str):
            return None
        seam = self._seam(other.piece)
        if cut and not seam.cuts(before, after):
            return None
        whole = seam.joined(before, after)
        return None if whole is None else replace(one, value=whole)

    def _seam(self, piece: int) -> Seam:
        if piece not in self._seams:
            self._seams[piece] = Seam(self._lines, self._pieces[piece].shown)
        return self._seams[piece]

    def _stands(self, part: _Part) -> bool:
        return self._pieces[part.piece].shown.find(part.value) is not None

    # ------------------------------------------------------------------------------------------------ lists

    def _list(self, parts: Sequence[_Part], schema: Any, pointer: str) -> list[Any]:
        items: list[_Item] = []
        index: dict[tuple[Path, Place], list[_Item]] = {}
        if self._are_cells(parts):
            return list(self._said(max(parts, key=lambda part: (len(part.value), -part.piece)), pointer))
        schemas = items_of(schema, self._schema)
        concluded = self._concluded(schema)
        told = [self._told(part, concluded) for part in parts]
        again = repeated(told, self._telling) if len(parts) > 1 else set()
        others: list[tuple[_Part, Spot]] = []
        for number, (part, one) in enumerate(zip(parts, told, strict=True)):
            others += self._add(part, one.spots, items, index, seam=number > 0, again=again)
        self._keep(others, items, index)
        merged = []
        rows = []
        for number, item in enumerate(items):
            merged.append(self._item(item, schemas, f"{pointer}/{number}"))
            first = next((at for at, spot in enumerate(item.spots) if spot is not None), 0)
            rows.append(Row(item.parts[first].piece, item.spots[first]))
        if isinstance(schema, Mapping) and schema.get("uniqueItems") is True:
            kept = list({same(value): number for number, value in reversed(list(enumerate(merged)))}.values())
            merged, rows = (
                [merged[number] for number in sorted(kept)],
                [rows[number] for number in sorted(kept)],
            )
            self._renumber(pointer, sorted(kept))
        self.rows[pointer] = tuple(rows)
        return merged

    def _renumber(self, pointer: str, kept: Sequence[int]) -> None:
        """Sources of a list's items under the numbers of those that are left."""
        numbers = {str(old): str(new) for new, old in enumerate(kept)}
        inside = [place for place in self.sources if place.startswith(f"{pointer}/")]
        taken = {place: self.sources.pop(place) for place in inside}
        for place, source in taken.items():
            number, slash, rest = place[len(pointer) + 1 :].partition("/")
            if number in numbers:
                self.sources[f"{pointer}/{numbers[number]}{slash}{rest}"] = source

    def _are_cells(self, parts: Sequence[_Part]) -> bool:
        """Whether lists of single values are the cells of one row that several pieces show: they stand together."""
        if len(parts) == 1 or any(part.within is None for part in parts):
            return False
        if any(isinstance(row, Mapping | list) for part in parts for row in part.value):
            return False
        spots = (
            spot
            for part in parts
            for spot in self._pieces[part.piece].shown.place(part.value, part.within)
            if spot is not None
        )
        found = [spot.at[0] for spot in spots]
        return not found or max(found) - min(found) <= _CELLS

    def _add(
        self,
        part: _Part,
        spots: Sequence[Spot | None],
        items: list[_Item],
        index: dict[tuple[Path, Place], list[_Item]],
        *,
        seam: bool,
        again: AbstractSet[tuple[int, int]],
    ) -> list[tuple[_Part, Spot]]:
        """The rows of one piece: each joins the row it is, or takes its place among the others.

        Those that stand in lines of other pieces alone are given back: these report them.
        """
        rows = part.value
        others: list[tuple[_Part, Spot]] = []
        last = items[-1] if items else None
        fresh = False
        before = [item.parts[-1].value for item in items[-2:]]
        for number, (row, spot) in enumerate(zip(rows, spots, strict=True)):
            if (part.piece, number) in again:
                continue
            own = part.below(str(number), row, self._reach(part, spots, number))
            item = self._known(own, spot, index)
            first = item is None and seam and not fresh and last is not None
            if first and last is not None and self._goes_on(last, own, spot, (*before, *rows[:2])):
                item = last
            if item is None and spot is not None and elsewhere(self._pieces[part.piece].shown, spot):
                others.append((own, spot))
                continue
            if item is None:
                item, fresh = _Item([], [], self._anchor(part, spot)), True
                self._insert(item, own, items)
            item.parts.append(own)
            item.spots.append(spot)
            item.at = item.at or self._anchor(part, spot)
            for place in _keys(spot, spot.sure) if spot is not None else ():
                item.places[place] = None
                index.setdefault(place, []).append(item)
        return others

    def _keep(
        self,
        others: Sequence[tuple[_Part, Spot]],
        items: list[_Item],
        index: Mapping[tuple[Path, Place], list[_Item]],
    ) -> None:
        """Rows that were left to the pieces which own their lines: they complete those, or take their place after all."""
        taken = {
            line
            for item in items
            for spot in item.spots
            if spot is not None
            for line, _ in (*spot.places, *spot.leaves.values())
        }
        for part, spot in others:
            item = self._known(part, spot, index)
            lines = {line for line, _ in spot.places}
            if item is not None:
                item.parts.append(part)
                item.spots.append(spot)
            elif len(lines & taken) < _SAME * len(lines):
                taken |= lines
                later = (n for n, item in enumerate(items) if item.at is not None and item.at > spot.at)
                items.insert(next(later, len(items)), _Item([part], [spot], spot.at))

    def _anchor(self, part: _Part, spot: Spot | None) -> Place | None:
        """Where a row is among those of its list: in its piece's own lines, though a heading of it stands before them."""
        if spot is None:
            return None
        own = self._pieces[part.piece].shown.own
        return (
            spot.at if spot.at[0] in own else min((at for at in spot.places if at[0] in own), default=spot.at)
        )

    def _insert(self, item: _Item, part: _Part, items: list[_Item]) -> None:
        """Put a new row at the end, or before rows of other pieces that stand after it; those of its own keep their order."""
        at = len(items)
        if item.at is not None:
            for place in range(len(items) - 1, max(len(items) - _INSERT, 0) - 1, -1):
                other = items[place]
                if other.parts[-1].piece == part.piece or other.at is None or other.at <= item.at:
                    break
                at = place
        items.insert(at, item)

    def _known(
        self, part: _Part, spot: Spot | None, index: Mapping[tuple[Path, Place], list[_Item]]
    ) -> _Item | None:
        """The row of another piece that stands in the same places."""
        if spot is None:
            return None
        counts: dict[int, tuple[int, _Item]] = {}
        mine = _keys(spot, spot.sure or spot.leaves)
        for place in mine:
            for item in index.get(place, ()):
                if item.parts[-1].piece != part.piece:
                    counts[id(item)] = (counts.get(id(item), (0, item))[0] + 1, item)
        for common, item in sorted(counts.values(), key=lambda entry: -entry[0]):
            if common >= _SAME * min(len(mine), len(item.places)) and not _differs(part, spot, item):
                return item
        return None

    def _reach(self, part: _Part, spots: Sequence[Spot | None], number: int) -> tuple[int, int]:
        """The lines where what belongs to a row can stand: from it to the next one."""
        shown = self._pieces[part.piece].shown.numbers
        low, high = part.within or ((shown[0], shown[-1]) if shown else (0, 0))
        spot = spots[number]
        if spot is not None and any(other is not None for other in spots[:number]):
            low = max(low, min(spot.places)[0])
        later = next((other for other in spots[number + 1 :] if other is not None), None)
        return low, max(low, later.at[0]) if later is not None else high

    def _goes_on(self, item: _Item, part: _Part, spot: Spot | None, near: Sequence[Any]) -> bool:
        """Whether a piece's first row is the rest of the last row of the piece before."""
        last = item.parts[-1]
        if last.piece >= part.piece:
            return False
        begun, row = _printed(last.value, item.spots[-1]), _printed(part.value, spot)
        text = only_difference(begun, row)
        if text is not None:
            return self._text_goes_on(last, part, text, near)
        if spot is not None and elsewhere(self._pieces[part.piece].shown, spot):
            return False
        if isinstance(part.value, Mapping) and _is_rest(part.value):
            listed = any(has_lists(own.value) for own in item.parts)
            return not listed or not self._heading_between(item, part, spot)
        one, other = dict(leaves(begun, lists=False)), dict(leaves(row, lists=False))
        if any(same(one[path]) != same(other[path]) for path in one.keys() & other.keys()):
            return False
        if holds_rows(part.value):
            # The heading comes again, as at the head of a new page, or nothing that could be one stands between.
            printed = spot is not None and any(
                spot.leaves[path] <= min(spot.inner, default=spot.at) for path in spot.sure
            )
            listed = any(holds_rows(own.value) for own in item.parts)
            return other.keys() <= one.keys() and (
                printed or not listed or not self._heading_between(item, part, spot)
            )
        if one and one.keys() < other.keys() and self._shows(part.piece, item):
            return True  # the part was shown how the row begins, and says that too
        # Cells of a cut row: each has what the other lacks, and what both have stands in one place.
        return (
            bool(one.keys() - other.keys())
            and bool(other.keys() - one.keys())
            and all(
                _at(spot, path) == _at(item.spots[-1], path) is not None for path in one.keys() & other.keys()
            )
        )

    def _shows(self, piece: int, item: _Item) -> bool:
        """Whether a piece was shown all that is known of where a row stands."""
        lines = set(self._pieces[piece].shown.numbers)
        places = [place for spot in item.spots if spot is not None for place in spot.places]
        return bool(places) and all(line in lines for line, _ in places)

    def _text_goes_on(self, last: _Part, part: _Part, path: Path, near: Sequence[Any]) -> bool:
        """Whether rows that differ in one text are one that the border cuts. ``near``: rows on both sides of it."""
        before, after = (dict(leaves(one.value, lists=False))[path] for one in (last, part))
        # Where all rows say the same but for this text, that tells nothing: names, the lines of one chapter.
        others = [one for one in near if one is not last.value and one is not part.value]
        alike = any(
            only_difference(last.value, one) == path == only_difference(one, last.value) for one in others
        )
        return self._seam(part.piece).cuts(before, after, sentence=alike or not path)

    def _heading_between(self, item: _Item, part: _Part, spot: Spot | None) -> bool:
        """Whether lines that are no rows, and not printed on every page, stand between the rows of two lists.

        One such line may be a label within a table; a table begins with more.
        """
        before = [place for own in item.spots if own is not None for place in own.inner or own.places]
        after = spot.inner or spot.places if spot is not None else ()
        if not before or not after:
            return False
        first, last = max(before)[0] + 1, min(after)[0]
        heads = 0
        texts = self._texts_beside(item, part)
        seen = {squeezed(line.text) for line in self._lines.all[max(min(before)[0] - 12, 0) : first]}
        for line in self._lines.all[first:last]:
            label = bool(line.shape) and not line.running and not is_row(line.shape)
            if label and squeezed(line.text) not in seen:
                said = " ".join(words_of(line.text))
                heads += not any(said in text for text in texts)
        return heads > 1

    def _texts_beside(self, item: _Item, part: _Part) -> list[str]:
        """The texts before and after a border, as words: their lines are no headings."""
        before = [value for _, value in leaves(item.parts[-1].value)][-1:]
        after = [value for _, value in leaves(part.value)][:2]
        return [" ".join(words_of(text)) for text in (*before, *after) if isinstance(text, str)]

    def _item(self, item: _Item, schema: Any, pointer: str) -> Any:
        """One row of all its parts: the fullest one, completed from the others."""
        parts = item.parts
        if len(parts) == 1 and not holds_rows(parts[0].value):
            return self._said(parts[0], pointer)
        fullest = sorted(parts, key=lambda part: -sum(1 for _ in leaves(part.value)))
        if isinstance(fullest[0].value, list) and not holds_rows(fullest[0].value):
            return self._said(fullest[0], pointer)  # a row of cells
        return self._filled(fullest, schema, pointer)

    def _filled(self, parts: Sequence[_Part], schema: Any, pointer: str) -> Any:
        first = parts[0].value
        if isinstance(first, Mapping):
            names = dict.fromkeys(
                name for part in parts if isinstance(part.value, Mapping) for name in part.value
            )
            return {
                name: self._filled(
                    sorted(
                        (
                            part.below(_step(name), part.value[name], part.within)
                            for part in parts
                            if isinstance(part.value, Mapping) and name in part.value
                        ),
                        key=lambda part: says_nothing(part.value),
                    ),
                    member(shape_of(schema, self._schema, parts[0].value), name),
                    f"{pointer}/{_step(name)}",
                )
                for name in names
            }
        if isinstance(first, list):
            ordered = sorted(
                (part for part in parts if isinstance(part.value, list)), key=lambda part: part.piece
            )
            return self._list(ordered, shape_of(schema, self._schema, parts[0].value), pointer)
        return self._text(parts, pointer) if isinstance(first, str) else self._said(parts[0], pointer)

    def _text(self, parts: Sequence[_Part], pointer: str) -> Any:
        """A text of all its parts, where each goes on the one before; else that of the first."""
        ordered = sorted(parts, key=lambda part: part.piece)
        whole = ordered[0]
        for part in ordered[1:]:
            if same(part.value) == same(whole.value):
                continue
            joined = self._joined(whole, part)
            if joined is None:
                return self._said(parts[0], pointer)
            whole = joined
        return self._said(whole, pointer)


def _step(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _at(spot: Spot | None, path: Path) -> Place | None:
    return spot.leaves.get(path) if spot is not None else None


def _printed(row: Any, spot: Spot | None) -> Any:
    """A row without zeros that stand nowhere: a form that requires a number gets one where the part shows none."""
    known = spot.leaves if spot is not None else {}
    if not isinstance(row, Mapping):
        return row
    return {name: value for name, value in row.items() if (name,) in known or same(value) != same(0)}


def _is_rest(row: Mapping[str, Any]) -> bool:
    """Whether a row says nothing but lists: the part does not show what the row says of itself."""
    return has_lists(row) and not any(
        True for path, _ in leaves(row) if not any(isinstance(step, int) for step in path)
    )


def _differs(part: _Part, spot: Spot, item: _Item) -> bool:
    """Whether a row says something else than another one, and both stand in the document: they share a heading only.

    Cells without names are not compared: which is which depends on what a part shows of the row.
    """
    own = {path: value for path, value in leaves(part.value, lists=False) if path in spot.sure}
    for other, at in zip(item.parts, item.spots, strict=True):
        if at is None or not isinstance(other.value, Mapping):
            continue
        for path, value in leaves(other.value, lists=False):
            apart = path in own and path in at.sure and spot.leaves[path] != at.leaves[path]
            if apart and same(value) != same(own[path]):
                return True
    return False


def _keys(spot: Spot, paths: Iterable[Path]) -> set[tuple[Path, Place]]:
    """Where leaves of a row stand, by their names: which cell of a row it is depends on what a part shows of the row."""
    return {(tuple(step for step in path if isinstance(step, str)), spot.leaves[path]) for path in paths}
