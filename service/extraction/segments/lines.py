"""A document as numbered lines: what segments are cut from, and where rows are found again. Pure.

Every format has lines: of a page, of a sheet (a row is one), of a plain text, whose overlong lines are cut at sentences.
What a line looks like is told by its shape alone (dates, numbers, words, gaps), never by the words of a language.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from service.documents import Document

LONGEST = 600
"""Characters of a line above which it is cut, at sentences where there are some."""

_EDGE = 8
"""Lines at the top and at the bottom of a page among which running heads and feet are looked for."""

_GAP = re.compile(r"\s{2,}|\t")
_DIGITS = re.compile(r"\d+")
_SENTENCE = re.compile(r"[.!?;:。！？；]\s+|[。！？；]|,\s+|\s+")
_DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}/\d{1,2}|\d{1,2}\.\d{1,2}\.|\d{1,4}[-/.]?[^\W\d_]{3,9}[-/.]?\d{2,4}"
    r"|\d{4}年\d{1,2}月\d{1,2}日|\d{1,2}-[^\W\d_]{3,9}"
)
_NUMBER = re.compile(
    r"[^\w\s]{0,3}(?:[A-Z]{3})?[^\w\s]{0,2}\d[\d.,'’\u00a0\u202f]*[^\w\s]{0,3}(?:[A-Z]{2,3})?"
)
_DECORATION = re.compile(r"[^\w\s]{1,3}|[A-Z]{2,3}")


@dataclass(frozen=True, slots=True)
class Line:
    """One line. ``page`` is its place in ``Document.pages``, ``start`` its place in ``Page.text``.

    ``image``: the page is shown as an image, and this stands for the whole of it.
    """

    number: int
    page: int
    start: int
    text: str = field(repr=False)
    shape: str
    image: bool = False
    running: bool = False
    """Printed on page after page: running heads, feet, the heads of a table that goes on."""


class Lines:
    """All lines of a document, in order: ``all[number]``."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.all = tuple(lines)

    @classmethod
    def of(cls, document: Document, *, images: frozenset[int] = frozenset()) -> "Lines":
        """The lines of a document. ``images`` are the places of pages that are shown as images: each is one line."""
        found: list[tuple[int, int, str, bool]] = []
        for place, page in enumerate(document.pages):
            if place in images:
                found.append((place, 0, page.text, True))
                continue
            found += [(place, start, text, False) for start, text in _cut(page.text)]
        running = _running(found, len(document.pages))
        return cls(
            [
                Line(
                    number, page, start, text, "image" if image else shape_of(text), image, number in running
                )
                for number, (page, start, text, image) in enumerate(found)
            ]
        )

    def __len__(self) -> int:
        return len(self.all)

    @cached_property
    def rows(self) -> int:
        """How many lines look like rows of a table."""
        return sum(is_row(line.shape) for line in self.all if not line.running)


def shape_of(text: str) -> str:
    """What a line looks like.

    ``|3n``: three cells set apart by bars, numbers among them (``w``: none). ``h3``: three columns of words. Else how it
    begins (``d`` date, ``n`` number, ``w`` word), whether it has columns (``+``), and how many numbers end it: ``d+2``.
    Empty for a blank line.
    """
    text = text.strip()
    if not text:
        return ""
    if " | " in text or (text.startswith("|") and text.count("|") > 1):
        cells = text.strip("|").split("|")
        return f"|{len(cells)}{'n' if any(_has_figure(cell) for cell in cells) else 'w'}"
    kinds = [_kind(word) for word in text.split()]
    columns = len(_GAP.split(text))
    if columns > 1 and not any(kind in "dn" for kind in kinds):
        return f"h{columns}"
    lead = next((kind for kind in kinds if kind != "-"), "w")
    trail = 0
    for kind in reversed(kinds):
        if kind == "n":
            trail += 1
        elif kind != "-":
            break
    return f"{lead}{'+' if columns > 1 else ''}{trail}"


def is_row(shape: str) -> bool:
    """Whether a line of this shape looks like a row of a table: columns with figures in them."""
    if shape.startswith("|"):
        return True
    if shape in {"", "image"} or shape[0] == "h":
        return False
    return "+" in shape or (shape[0] == "d" and shape[-1] != "0")


def _kind(word: str) -> str:
    if _DATE.fullmatch(word.strip("()[],;")):
        return "d"
    if _NUMBER.fullmatch(word):
        return "n"
    return "-" if _DECORATION.fullmatch(word) else "w"


def _has_figure(cell: str) -> bool:
    return any(_kind(word) in "dn" for word in cell.split())


def _cut(text: str) -> list[tuple[int, str]]:
    """Start and text of each line; overlong ones in pieces."""
    found: list[tuple[int, str]] = []
    at = 0
    for line in text.split("\n"):
        if len(line) <= LONGEST:
            found.append((at, line))
        else:
            found += _pieces(at, line)
        at += len(line) + 1
    return found


def _pieces(at: int, line: str) -> list[tuple[int, str]]:
    """An overlong line, cut after sentences, else after words, else anywhere."""
    found = []
    start = 0
    while len(line) - start > LONGEST:
        window = line[start : start + LONGEST]
        ends = [(match.group().strip(), match.end()) for match in _SENTENCE.finditer(window)]
        whole = [end for mark, end in ends if mark and mark != "," and end > LONGEST // 3]
        any_end = [end for _, end in ends if end > LONGEST // 3]
        length = whole[-1] if whole else any_end[-1] if any_end else LONGEST
        found.append((at + start, line[start : start + length]))
        start += length
    found.append((at + start, line[start:]))
    return found


def _running(lines: Sequence[tuple[int, int, str, bool]], pages: int) -> set[int]:
    """The lines that stand, but for their digits, near the edge of at least half of the pages, and seldom elsewhere.

    What stands between the edges as well is a line of what each record or row says: "State: new".
    """
    if pages < 3:
        return set()
    by_page: dict[int, list[int]] = {}
    for number, (page, _, text, image) in enumerate(lines):
        if not image and text.strip():
            by_page.setdefault(page, []).append(number)
    keys: dict[int, str] = {}
    counts: Counter[str] = Counter()
    within: Counter[str] = Counter()
    for numbers in by_page.values():
        edge = {*numbers[:_EDGE], *numbers[-_EDGE:]}
        named = {number: _DIGITS.sub("0", " ".join(lines[number][2].split())) for number in numbers}
        keys |= {number: named[number] for number in edge}
        counts.update({named[number] for number in edge})
        within.update(key for number, key in named.items() if number not in edge)
    least = max(3, len(by_page) / 2)
    return {number for number, key in keys.items() if counts[key] >= least and within[key] < counts[key]}
