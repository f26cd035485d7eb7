"""Which lines of a document a repair is shown: those around the failing part, where it is known where that stands. Pure.

A row that is asked for again is shown with the lines around it and the head of its list. Single values are shown with the
lines in which a word of their label stands, those of the values beside them in the record, and the beginning and the end
of the document, where there is such a word. For everything else the whole text is shown, without the rows of lists that are
not asked for and whose words are all accounted for by values that were found there: nothing else can stand in them. What is
left out is marked.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from service.documents import Document, Page
from service.extraction.evidence import Evidence, Index, Outline
from service.extraction.evidence.neighbours import says
from service.extraction.evidence.outline import Facts
from service.extraction.fragments import Fragment, Part

OMITTED = "[...]"
"""Stands for lines that are left out."""

_AROUND = 2
"""Lines above and below a row that are shown with it."""

_HEAD = 3
"""Lines above the first row of its list, which say what the columns are."""

_EDGE = 1
"""Rows at each end of a run of accounted rows that are shown all the same."""

_LABEL = 0.5
"""How much a word must be a label of a value for its line to be shown."""

_ABOVE_LABEL, _BELOW_LABEL = 1, 3
"""Lines above and below a label that are shown: a value may stand under it, an address takes several."""

_BESIDE = 1
"""Lines above and below values that stand beside what is asked for in the record."""

_OPENING, _CLOSING = 12, 4
"""Lines at the beginning and the end of the document that are shown: what it is, whose it is, and its number stand there."""

_ACCOUNTED = 0.6
"""Share of a line's letters and digits from which found values account for it."""

_WORTH = 0.85
"""Share of the text that may be left, for leaving anything out to be worth it."""

_Line = tuple[int, int]
"""Place of the page in the document, and of the line in the page."""


@dataclass(slots=True)
class _Row:
    """An item of a list: the lines that its found values stand in."""

    list: str
    lines: set[_Line] = field(default_factory=set)


def narrowed(
    document: Document, record: Any, fragment: Fragment, located: Mapping[str, Evidence], outline: Outline
) -> Document | None:
    """The document with the lines that the fragment needs; None where all of it is needed, or most.

    ``located`` is the evidence of the record in the pages' texts, with spans. Pages that are shown as images stay as
    they are.
    """
    layout = _Layout(document.pages)
    rows: dict[str, _Row] = {}
    covered: dict[_Line, int] = defaultdict(int)
    singles: dict[str, set[_Line]] = {}
    for pointer, item, array in _leaves(record):
        one = located.get(pointer)
        if one is None or one.page is None or one.span is None or one.status not in ("found", "ambiguous"):
            continue
        lines = layout.lines(one.page, *one.span)
        if item is None:
            singles[pointer] = lines
        if item is not None and array is not None:
            rows.setdefault(item, _Row(array)).lines |= lines
            for line in lines:
                covered[line] += layout.letters(line, *one.span)
    keep = _around(fragment, rows)
    if keep is None:
        asked = tuple(part.inside for part in fragment.parts)
        spent = {
            line
            for row in rows.values()
            if not any(_within(row.list, one) or _within(one, row.list) for one in asked)
            for line in row.lines
            if covered[line] >= _ACCOUNTED * layout.size(line)
        }
        keep = layout.all - _inner(spent)
        near = _by_label(fragment, record, singles, layout, outline)
        keep = keep if near is None else keep & near
    return layout.shown(document, keep)


def _around(fragment: Fragment, rows: Mapping[str, _Row]) -> set[_Line] | None:
    """The lines around the rows that are asked for; None when not only rows are, or one of them stands nowhere."""
    keep: set[_Line] = set()
    for part in fragment.parts:
        place = _item(part)
        row = None if place is None else rows.get(place[0])
        if place is None or row is None or not row.lines:
            return None
        _, array, _ = place
        top, bottom = min(row.lines), max(row.lines)
        keep |= _span((top[0], top[1] - _AROUND), (bottom[0], bottom[1] + _AROUND))
        first = min(min(other.lines) for other in rows.values() if other.list == array and other.lines)
        keep |= _span((first[0], first[1] - _HEAD), first)
    return keep


def _by_label(
    fragment: Fragment, record: Any, singles: Mapping[str, set[_Line]], layout: "_Layout", outline: Outline
) -> set[_Line] | None:
    """The lines around labels of the single values that are asked for; None where not only such are, or one has none."""
    keep: set[_Line] = set()
    for part in fragment.parts:
        way = tuple(step for step in part.steps if isinstance(step, str))
        value = fragment.current(record).get(part.name)
        if len(way) != len(part.steps) or isinstance(value, dict | list):
            return None
        labelled = layout.labelled(outline.facts(way))
        if not labelled:
            return None
        for page, line in labelled:
            keep |= _span((page, line - _ABOVE_LABEL), (page, line + _BELOW_LABEL))
        outer = part.pointer.rpartition("/")[0]
        for pointer, lines in singles.items():
            if pointer.rpartition("/")[0] == outer:
                for page, line in lines:
                    keep |= _span((page, line - _BESIDE), (page, line + _BESIDE))
    return keep | layout.ends(_OPENING, _CLOSING)


def _item(part: Part) -> tuple[str, str, int] | None:
    """The outermost item that a part is or is in: its pointer, its list, its number."""
    steps: list[str] = []
    for step in part.steps:
        if step is None:
            return None
        if isinstance(step, int):
            array = "".join(f"/{one}" for one in steps)
            return f"{array}/{step}", array, step
        steps.append(step.replace("~", "~0").replace("/", "~1"))
    return None


def _span(first: _Line, last: _Line) -> set[_Line]:
    """All lines between two; of pages between them, as many as a page may have."""
    if first[0] == last[0]:
        return {(first[0], line) for line in range(max(first[1], 0), last[1] + 1)}
    found = {(first[0], line) for line in range(max(first[1], 0), first[1] + _LONG)}
    for page in range(first[0] + 1, last[0]):
        found |= {(page, line) for line in range(_LONG)}
    return found | {(last[0], line) for line in range(last[1] + 1)}


_LONG = 2000


def _inner(lines: set[_Line]) -> set[_Line]:
    """The lines with as many neighbours on both sides among them."""
    return {
        (page, line)
        for page, line in lines
        if all((page, line + apart) in lines for apart in range(-_EDGE, _EDGE + 1))
    }


def _within(pointer: str, outer: str) -> bool:
    return pointer == outer or pointer.startswith(f"{outer}/")


def _leaves(record: Any) -> Iterator[tuple[str, str | None, str | None]]:
    """Each leaf, with the outermost item it is in and that item's list."""
    stack: list[tuple[str, Any, str | None, str | None]] = [("", record, None, None)]
    while stack:
        pointer, value, item, array = stack.pop()
        if isinstance(value, dict):
            for name, member in value.items():
                step = name.replace("~", "~0").replace("/", "~1")
                stack.append((f"{pointer}/{step}", member, item, array))
        elif isinstance(value, list):
            for at, member in enumerate(value):
                below = f"{pointer}/{at}"
                stack.append((below, member, item or below, array if item else pointer))
        else:
            yield pointer, item, array


class _Layout:
    """The lines of the pages."""

    def __init__(self, pages: tuple[Page, ...]) -> None:
        self._pages = pages
        self._texts = [page.text.split("\n") for page in pages]
        self._numbers = {page.number: place for place, page in enumerate(pages)}
        self._starts: list[list[int]] = []
        for texts in self._texts:
            at, starts = 0, []
            for text in texts:
                starts.append(at)
                at += len(text) + 1
            self._starts.append(starts)

    @property
    def all(self) -> set[_Line]:
        """Every line."""
        return {(page, line) for page, texts in enumerate(self._texts) for line in range(len(texts))}

    def lines(self, number: int, start: int, end: int) -> set[_Line]:
        """The lines that a span of a page's text touches."""
        page = self._numbers[number]
        starts = self._starts[page]
        first, last = bisect_right(starts, start) - 1, bisect_right(starts, max(end - 1, start)) - 1
        return {(page, line) for line in range(first, last + 1)}

    def labelled(self, facts: Facts) -> set[_Line]:
        """The lines in which a word of a value's label stands."""
        return {
            (page, line)
            for page, texts in enumerate(self._texts)
            for line, text in enumerate(texts)
            if any(says(word, facts) >= _LABEL for word in Index.tokens_of(text))
        }

    def ends(self, first: int, last: int) -> set[_Line]:
        """So many lines that are not blank at the beginning and at the end."""
        full = [
            (page, line)
            for page, texts in enumerate(self._texts)
            for line, text in enumerate(texts)
            if text.strip()
        ]
        return {*full[:first], *full[-last:]}

    def letters(self, line: _Line, start: int, end: int) -> int:
        """How many letters and digits of a line a span holds."""
        begin = self._starts[line[0]][line[1]]
        text = self._texts[line[0]][line[1]]
        return sum(map(str.isalnum, text[max(start - begin, 0) : max(end - begin, 0)]))

    def size(self, line: _Line) -> int:
        """The letters and digits of a line."""
        return sum(map(str.isalnum, self._texts[line[0]][line[1]]))

    def shown(self, document: Document, keep: set[_Line]) -> Document | None:
        """The document with these lines; None where little would be saved."""
        pages = []
        before = after = 0
        for place, (page, texts) in enumerate(zip(self._pages, self._texts, strict=True)):
            if page.image is not None:
                pages.append(page)
                continue
            lines: list[str] = []
            for number, text in enumerate(texts):
                if (place, number) in keep:
                    lines.append(text)
                elif not lines or lines[-1] != OMITTED:
                    lines.append(OMITTED)
            before += len(page.text)
            if lines != [OMITTED]:
                shown = "\n".join(lines)
                after += len(shown)
                pages.append(replace(page, text=shown))
        return replace(document, pages=tuple(pages)) if pages and after <= _WORTH * before else None
