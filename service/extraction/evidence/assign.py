"""One place for every value, all values together.

Places are chosen in three steps. Values that stand in one place only are anchors. Items of arrays are then laid on rows,
in order, by what each row holds of each item (dynamic programming over the items: a row serves one item, order is kept
where it can be). Last, each leaf takes the place that spells it best, is nearest to its item or its siblings, stands in
the column in which the same leaf of other items stands, has its label beside it, and is not taken; twice, so that the
second round knows what the first one found.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from service.extraction.evidence.candidates import Candidate
from service.extraction.evidence.columns import LEVEL, Column, lined_up
from service.extraction.evidence.index import Index
from service.extraction.evidence.leaves import Leaf, Path
from service.extraction.evidence.neighbours import PAGE, Neighbourhood, says
from service.extraction.evidence.order import OUT_OF_ORDER, in_order, near_row, on_row
from service.extraction.evidence.outline import Facts, Outline, Way
from service.extraction.evidence.rows import Spot

_TELLING = 48
"""Places of a value, above which it says nothing of where its item stands."""

_ROWS = 10
"""Rows an item may lie on that are weighed against those of its neighbours."""

_LISTED = 24
"""Places of an item of a plain list that are weighed."""

_BESIDE = ((0, 1.0), (-1, 0.5), (1, 0.55), (2, 0.25))
"""Rows beside that of a value, and what it says for its item to lie there."""

_WEIGHED = 160
_WEIGHED_AROUND = 24
"""Places of one leaf that are weighed; of more, those nearest to its item, else the first."""

_SAME_ROW = 0.45
_HEADER_ROWS = 12
_LABELLED = 0.35

_SURE = 0.9
"""Quality of a place that says its value without doubt."""

_CLEAR = 0.4
"""A lead that the second round cannot take away."""


def assign(index: Index, leaves: Sequence[Leaf], outline: Outline) -> None:
    """Set ``chosen``, ``margin`` and ``labelled`` of every leaf that has candidates."""
    open_leaves = []
    for leaf in leaves:
        if len(leaf.candidates) == 1:
            leaf.chosen = leaf.candidates[0]
        elif leaf.candidates:
            open_leaves.append(leaf)
    if open_leaves:
        _Assignment(index, leaves, open_leaves, outline).settle(open_leaves)


class _Assignment:
    def __init__(
        self, index: Index, leaves: Sequence[Leaf], open_leaves: Sequence[Leaf], outline: Outline
    ) -> None:
        self._around = Neighbourhood(index)
        self._index = index
        self._outline = outline
        self._items: dict[Path, dict[int, list[Leaf]]] = {}
        """Array → item → its leaves; arrays in which something is left to be decided."""
        self._groups: dict[Path, list[Leaf]] = {}
        """Object → the leaves in it; objects in which something is left to be decided."""
        for leaf in open_leaves:
            path = leaf.path
            if len(path) > 1:
                self._groups[path[:-1]] = []
            for at, step in enumerate(path):
                if type(step) is int:
                    self._items[path[:at]] = {}
        for leaf in leaves:
            if not leaf.candidates:
                continue
            path = leaf.path
            if len(path) > 1 and (group := self._groups.get(path[:-1])) is not None:
                group.append(leaf)
            for at, step in enumerate(path):
                if type(step) is int and (items := self._items.get(path[:at])) is not None:
                    items.setdefault(step, []).append(leaf)
        self._anchors: dict[Path, int] = {}
        """Item → the row it lies on, counted through all pages."""
        self._columns: dict[Way, Column] = {}
        """Leaf of items → its column."""
        self._headers: dict[Way, tuple[float, float] | None] = {}
        self._clear: set[Path] = set()
        """Items whose row is beyond doubt."""
        self._settled = False
        """Whether every leaf has had a first choice."""
        self._taken: dict[Way, dict[int, Leaf]] = defaultdict(dict)

    def settle(self, open_leaves: list[Leaf]) -> None:
        plain: list[Path] = []
        for array in sorted(self._items, key=len):
            items = self._items[array]
            if all(len(leaf.path) == len(array) + 1 for members in items.values() for leaf in members):
                plain.append(array)
            elif not self._is_clear(array, items):
                self._lay_out(array, items)
        for array in plain:
            self._list(array, self._items[array])
        decided = self._on_their_rows(open_leaves) if self._clear else []
        if decided:
            open_leaves = [leaf for leaf in open_leaves if leaf.margin < 1.0 or leaf.chosen is None]
            self._take(decided)
        if not open_leaves:
            return
        for leaf in open_leaves:
            if leaf.chosen is None:
                self._nearest(leaf)
        for leaf in sorted(open_leaves, key=lambda leaf: len(leaf.candidates)):
            self._choose(leaf)
        unclear = {leaf.way for leaf in open_leaves if leaf.margin < _CLEAR}
        if not unclear:
            return
        self._columns = self._lined_up(unclear)
        self._settled = True
        self._taken.clear()
        self._take(decided)
        for leaf in open_leaves:
            if leaf.margin < _CLEAR:
                self._choose(leaf)
            elif leaf.chosen is not None:
                self._taken[leaf.way][leaf.chosen.start] = leaf

    def _take(self, decided: Iterable[Leaf]) -> None:
        for leaf in decided:
            if leaf.chosen is not None:
                self._taken[leaf.way][leaf.chosen.start] = leaf

    # -- items on rows

    def _is_clear(self, array: Path, items: dict[int, list[Leaf]]) -> bool:
        """Lay items on rows where there is nothing to weigh.

        Each has values that stand in one place only, all of one item on one row, and the rows rise with the items.
        """
        rows: list[tuple[int, int]] = []
        last = -1
        for item in sorted(items):
            row = -1
            for leaf in items[item]:
                if len(leaf.candidates) == 1 and leaf.candidates[0].quality >= _SURE:
                    own = self._around.row(leaf.candidates[0])
                    if row not in (-1, own):
                        return False
                    row = own
            if row <= last:
                return False
            rows.append((item, row))
            last = row
        for item, row in rows:
            self._anchors[(*array, item)] = row
            self._clear.add((*array, item))
        return True

    def _on_their_rows(self, leaves: Iterable[Leaf]) -> list[Leaf]:
        """Choose the places on the rows of the leaves' items, where that row is clear. Returns who has one by that.

        Where a row has several places for a leaf (one piece at 80.00 is 80.00), the column tells in which other items have it.
        """
        decided: list[Leaf] = []
        crowded: list[tuple[Leaf, list[Candidate]]] = []
        for leaf in leaves:
            there = self._on_its_row(leaf)
            if len(there) > 1:
                crowded.append((leaf, there))
            elif there and there[0].quality >= _SURE:
                leaf.chosen, leaf.margin, leaf.labelled = there[0], 1.0, True
                decided.append(leaf)
        columns = self._lined_up({leaf.way for leaf, _ in crowded}) if crowded else {}
        for leaf, there in crowded:
            column = columns.get(leaf.way)
            if column is None or column.spread > LEVEL:
                continue
            inside = [one for one in there if column.apart(self._around.spot(one)[1]) <= LEVEL]
            if len(inside) == 1 and inside[0].quality >= _SURE:
                leaf.chosen, leaf.margin, leaf.labelled = inside[0], 1.0, True
                decided.append(leaf)
        return decided

    def _on_its_row(self, leaf: Leaf) -> list[Candidate]:
        """The places on the row of the leaf's item, where that row is clear."""
        path = leaf.path
        for end in range(len(path) - 1, 0, -1):
            row = self._anchors.get(path[:end])
            if row is not None:
                return self._around.on_row(leaf.candidates, row) if path[:end] in self._clear else []
        return []

    def _lay_out(self, array: Path, items: dict[int, list[Leaf]]) -> None:
        """A row for each item of an array of objects."""
        outer = self._anchor_of(array)
        layers: list[tuple[int, list[tuple[int, float]]]] = []
        for item in sorted(items):
            votes = self._votes(items[item], outer)
            if votes:
                layers.append((item, votes))
        for item, row in in_order(layers, same=_SAME_ROW):
            self._anchors[(*array, item)] = row

    def _votes(self, leaves: list[Leaf], outer: int | None) -> list[tuple[int, float]]:
        """The rows that an item may lie on, and how much of it each holds."""
        score: dict[int, float] = defaultdict(float)
        telling = [leaf for leaf in leaves if len(leaf.candidates) <= _TELLING]
        for leaf in telling or leaves:
            if len(leaf.candidates) == 1:  # most leaves: nothing to compare
                row = self._around.row(leaf.candidates[0])
                for apart, part in _BESIDE:
                    score[row + apart] += leaf.candidates[0].quality * part
                continue
            rows: dict[int, float] = {}
            share = 1.0 / len(leaf.candidates) ** 0.4
            for candidate in leaf.candidates[:400]:
                row = self._around.row(candidate)
                weight = candidate.quality * share
                for apart, part in _BESIDE:
                    near = row + apart
                    if rows.get(near, 0.0) < weight * part:
                        rows[near] = weight * part
            for row, weight in rows.items():
                score[row] += weight
        if outer is not None:
            for row in score:
                score[row] += 1.5 * near_row(row, outer)
        best = sorted(score.items(), key=lambda vote: (-vote[1], vote[0]))[:_ROWS]
        return sorted(best)

    def _list(self, array: Path, items: dict[int, list[Leaf]]) -> None:
        """Places for the items of a plain list: in order, near each other."""
        outer = self._anchor_of(array)
        layers: list[tuple[int, list[tuple[int, float]]]] = []
        places: dict[tuple[int, int], Candidate] = {}
        for item in sorted(items):
            leaf = items[item][0]
            facts = self._outline.facts(leaf.way)
            options = []
            for candidate in self._some(leaf, outer):
                places[item, candidate.start] = candidate
                worth = 2 * candidate.quality
                if len(leaf.candidates) > 1:
                    worth += 0.5 * min(self._around.label(candidate, facts), 1.0)
                    if outer is not None:
                        worth += 1.5 * near_row(self._around.row(candidate), outer)
                options.append((candidate.start, worth))
            if options:
                layers.append((item, options))
        for item, start in in_order(layers, same=OUT_OF_ORDER, scale=60.0):
            items[item][0].chosen = places[item, start]

    def _some(self, leaf: Leaf, outer: int | None) -> Sequence[Candidate]:
        candidates = leaf.candidates
        if len(candidates) <= _LISTED:
            return candidates
        if outer is not None:
            nearest = sorted(candidates, key=lambda candidate: abs(self._around.row(candidate) - outer))
            return sorted(nearest[:_LISTED])
        return candidates[:_LISTED]

    def _anchor_of(self, path: Path) -> int | None:
        """The row of the innermost item around a path."""
        for end in range(len(path), 0, -1):
            row = self._anchors.get(path[:end])
            if row is not None:
                return row
        return None

    # -- columns

    def _lined_up(self, ways: set[Way]) -> dict[Way, Column]:
        """The columns of leaves of arrays, by the places chosen so far."""
        spots: dict[Way, list[Spot]] = defaultdict(list)
        for items in self._items.values():
            for members in items.values():
                for leaf in members:
                    if (
                        leaf.way in ways
                        and leaf.chosen is not None
                        and (len(leaf.candidates) == 1 or leaf.margin > 0.1)
                    ):
                        spots[leaf.way].append(self._around.spot(leaf.chosen)[1])
        return {way: column for way, found in spots.items() if (column := lined_up(found)) is not None}

    def _header(self, leaf: Leaf, facts: Facts) -> tuple[float, float] | None:
        """Left and right of the label above the first item of the leaf's array."""
        if leaf.way in self._headers:
            return self._headers[leaf.way]
        found = None
        depth = max(at for at, step in enumerate(leaf.path) if type(step) is int)
        array = leaf.path[:depth]
        rows = [row for path, row in self._anchors.items() if path[:-1] == array and len(path) == depth + 1]
        if rows:
            page, row = divmod(max(min(rows), 0), PAGE)
            grid = self._index.rows(page)
            best = 0.35
            # Items may lie next to the rows that hold their values: just above the first, or below the last of a page.
            first = row - 1 if row < PAGE - 1 else -1
            for above in range(min(first, grid.count - 1), max(row - _HEADER_ROWS, -1), -1):
                share = 1 - 0.03 * (row - above)
                if share <= best + 0.05:
                    break  # no word says more than 1: none further up can be better
                if self._around.is_silent(page, above, facts):
                    continue
                for left, right, word in grid.words(above):
                    speaks = says(word, facts) * share
                    if speaks > best + 0.05:
                        best, found = speaks, (left, right)
        self._headers[leaf.way] = found
        return found

    # -- leaves

    def _nearest(self, leaf: Leaf) -> None:
        """A first choice by spelling and the item's row alone."""
        outer = self._anchor_of(leaf.path)
        if outer is None:
            return
        leaf.chosen = max(
            self._weighed(leaf, outer),
            key=lambda candidate: candidate.quality + 0.8 * on_row(self._around.row(candidate) - outer),
        )

    def _weighed(self, leaf: Leaf, outer: int | None) -> Sequence[Candidate]:
        candidates = leaf.candidates
        if len(candidates) <= (_WEIGHED if outer is None else _WEIGHED_AROUND):
            return candidates
        if outer is not None:
            return sorted(candidates, key=lambda candidate: abs(self._around.row(candidate) - outer))[
                :_WEIGHED_AROUND
            ]
        return candidates[:_WEIGHED]

    def _choose(self, leaf: Leaf) -> None:
        facts = self._outline.facts(leaf.way)
        outer = self._anchor_of(leaf.path)
        siblings = self._siblings(leaf)
        taken = self._taken[leaf.way]
        beside = {
            other.chosen.start
            for other in self._groups.get(leaf.path[:-1], ())
            if other is not leaf and other.chosen
        }
        listed = leaf.path != () and type(leaf.path[-1]) is int
        column = header = None
        if outer is not None and not listed:
            column, header = self._columns.get(leaf.way), self._header(leaf, facts)
        scored: list[tuple[float, float, Candidate]] = []
        for candidate in self._weighed(leaf, outer):
            row = self._around.row(candidate)
            # In a table the header speaks for the column, and what is to the left are other columns.
            alone = outer is None or listed
            label = min(self._around.label(candidate, facts), 1.2) if alone or self._settled else 0.0
            score = candidate.quality + (0.5 if alone else 0.1) * label
            if outer is not None and not listed:
                near = on_row(row - outer)
                score += 0.8 * near + self._aligned(candidate, column, header)
                label = max(label, near if near == 1.0 else 0.0)
            elif siblings:
                near = max(near_row(row, sibling) for sibling in siblings)
                score += 0.35 * near
                label = max(label, near if near > 0.6 else 0.0)
            if listed and leaf.chosen is candidate:
                score += 0.6
            if candidate.start in taken:
                score -= 0.5
            if candidate.start in beside:
                score -= 0.2
            scored.append((score, label, candidate))
        best = max(scored, key=lambda one: (one[0], -one[2].start))
        leaf.chosen = best[2]
        leaf.labelled = best[1] >= _LABELLED
        leaf.margin = min(
            (
                best[0] - score
                for score, _, candidate in scored
                if candidate.start >= best[2].end or candidate.end <= best[2].start
            ),
            default=1.0,
        )
        taken[best[2].start] = leaf

    def _siblings(self, leaf: Leaf) -> list[int]:
        if len(leaf.path) < 2:
            return []
        return [
            self._around.row(other.chosen)
            for other in self._groups[leaf.path[:-1]]
            if other is not leaf
            and other.chosen is not None
            and (self._settled or len(other.candidates) == 1 or other.margin > 0.1)
        ]

    def _aligned(
        self, candidate: Candidate, column: Column | None, header: tuple[float, float] | None
    ) -> float:
        """How well a place lies in the column of its leaf, or under its header."""
        found = 0.0
        if column is None and header is None:
            return found
        spot: Spot = self._around.spot(candidate)[1]
        if column is not None:
            found = 0.3 * max(0.0, 1 - column.apart(spot) / 8)
        if header is not None:
            apart = max(header[0] - spot.right, spot.left - header[1], 0.0)
            found += 0.25 * max(0.0, 1 - apart / 6)
        return found
