"""Cutting, reading and merging without HTTP: what a document's parts lose against the whole of it."""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from service.documents import Document
from service.extraction.segments.excerpts import Excerpt, cut, halves, weight
from service.extraction.segments.lines import Lines
from service.extraction.segments.merge import Merged, Piece, merge
from service.extraction.segments.places import Shown
from service.extraction.segments.relaxed import relaxed
from service.strict import compile
from tests.extraction.long.perfect import Gold, fit, leaves_of, squeezed


@dataclass
class Pipeline:
    """One document and its schema, made ready to be read in parts."""

    document: Document
    schema: dict[str, Any]
    gold: Gold

    def __post_init__(self) -> None:
        self.lines = Lines.of(self.document)
        self.form = compile(relaxed(self.schema), undeclared="drop")
        self.places = _places(self.document)
        self.total = sum(weight(line) for line in self.lines.all)

    def excerpts(self, share: float) -> tuple[Excerpt, ...]:
        return cut(self.lines, tokens=self.total * share, rows=10**9, pages=10**9)

    def shown(self, excerpt: Excerpt) -> set[int]:
        """The lines of the document's text that an excerpt shows whole; equal lines are told apart by where they stand."""
        numbers = [*excerpt.context, *range(excerpt.first, excerpt.end)]
        ends: dict[int, int] = {}
        for line in (self.lines.all[number] for number in numbers):
            at = self.places(line.page, line.start)
            ends[at] = ends.get(at, 0) + len(line.text)
        whole = self.document.text.split("\n")
        return {at for at, length in ends.items() if length >= len(whole[at])}

    def short(self, share: float) -> Gold:
        """The gold without leaves that are longer than half a part and not read in parts: these cannot hold them."""
        return self.gold.within(max(len(self.lines) * share / 2, 2))

    def piece(self, excerpt: Excerpt, gold: Gold, dropped: frozenset[Any] = frozenset()) -> Piece:
        own = self.shown(Excerpt(excerpt.first, excerpt.last))
        record = gold.record(self.shown(excerpt), dropped, frozenset(own))
        data = self.form.decode(json.loads(json.dumps(fit(record, self.form.strict))))
        numbers = [*excerpt.context, *range(excerpt.first, excerpt.end)]
        shown = Shown(
            [(number, self.lines.all[number].text) for number in numbers],
            range(excerpt.first, excerpt.last),
            data,
        )
        return Piece(data, shown)

    def read(self, share: float, *, truncated: float = 0.0, dropped: frozenset[Any] = frozenset()) -> Merged:
        """The record of all parts. ``truncated``: of so many the first answer is cut, and they are split."""
        excerpts = list(self.excerpts(share))
        if truncated:
            step = max(round(1 / truncated), 1)
            cut_ones = [
                part
                for number, part in enumerate(excerpts)
                if number % step == step // 2 or len(excerpts) < step
            ]
            for one in cut_ones:
                parts = halves(self.lines, one)
                if parts is not None:
                    at = excerpts.index(one)
                    excerpts[at : at + 1] = parts
        gold = self.short(share)
        return merge([self.piece(one, gold, dropped) for one in excerpts], self.schema, self.lines)

    def whole(self, share: float = 1.0, dropped: frozenset[Any] = frozenset()) -> Any:
        """The record of the unsplit reading, of what parts of this share can hold."""
        record = self.short(share).record(None, dropped)
        return self.form.decode(json.loads(json.dumps(fit(record, self.form.strict))))


def _places(document: Document) -> Callable[[int, int], int]:
    """From a page's place and a place in its text to the number of the line in the document's text."""
    text, starts, at = document.text, {}, 0
    for place, page in enumerate(document.pages):
        if page.text:
            starts[place] = at
            at += len(page.text) + 2
    breaks = [place for place, sign in enumerate(text) if sign == "\n"]
    return lambda page, start: bisect_left(breaks, starts[page] + start)


def rows_of(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], list[str]]:
    """The rows of every list as text, by the names that lead to it; rows without their nested rows."""
    found: dict[tuple[str, ...], list[str]] = {}
    if isinstance(value, dict):
        parts = [rows_of(child, (*path, name)) for name, child in value.items()]
    elif isinstance(value, list):
        found[path] = [
            squeezed(json.dumps(leaves_of(_own(item))).replace("\\r", "").replace("\\n", " "))
            for item in value
        ]
        parts = [rows_of(item, path) for item in value if isinstance(item, dict)]
    else:
        parts = []
    for part in parts:
        for key, rows in part.items():
            found.setdefault(key, []).extend(rows)
    return found


def _own(item: Any) -> Any:
    return (
        {name: child for name, child in item.items() if not _holds_rows(child)}
        if isinstance(item, dict)
        else item
    )


def _holds_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict | list)


@dataclass
class Score:
    """How a reading compares with another: rows in common, and whether their order is the same."""

    wanted: int = 0
    got: int = 0
    common: int = 0
    ordered: bool = True

    @property
    def f1(self) -> float:
        return 2 * self.common / (self.wanted + self.got) if self.wanted + self.got else 1.0


def compare(got: Any, wanted: Any) -> Score:
    """Rows of all lists, and scalars outside of lists."""
    score = Score()
    one, other = rows_of(got), rows_of(wanted)
    for path in one.keys() | other.keys():
        rows, gold = one.get(path, []), other.get(path, [])
        common = Counter(rows) & Counter(gold)
        score.wanted += len(gold)
        score.got += len(rows)
        score.common += common.total()
        keep = [row for row in rows if row in common]
        score.ordered &= keep == [row for row in gold if row in common] or common.total() < len(gold)
    return score
