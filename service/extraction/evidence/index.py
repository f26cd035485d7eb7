"""A document made ready for looking values up: one text, its key, its numbers and dates, and the way back to places.

Pages with words are laid out from their words, so that each character has a box; others are their text. What a lookup
needs is worked out when the first one needs it: a record without dates never pays for dates.
"""

import re
from array import array
from bisect import bisect_right
from functools import cached_property

from service.documents import Box, Document, Page, Word
from service.extraction.evidence.cells import Cells
from service.extraction.evidence.dates import Places
from service.extraction.evidence.dates import collect as collect_dates
from service.extraction.evidence.folding import beyond_ascii, confused, key, positions
from service.extraction.evidence.glance import may_name
from service.extraction.evidence.numbers import Signs, table_factors
from service.extraction.evidence.numbers import collect as collect_numbers
from service.extraction.evidence.rows import Rows, of_text, of_words
from service.extraction.evidence.times import collect as collect_times

_WIDE = 1.0
"""Gap in line heights, from which words are not read on."""

_TOKEN = re.compile(
    "[\u0e00-\u0eff\u2e80-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]|"
    "[^\\W_\u0e00-\u0eff\u2e80-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_TAG_OR_TOKEN = re.compile(rf"</?[A-Za-z][^<>]{{0,500}}>|{_TOKEN.pattern}")
"""Words; single characters of scripts that set no spaces between them."""

_BETWEEN_PAGES = "\n\f\n"


class Index:
    """One document. Build it once, look up as many records as there are.

    Safe to share between threads: what is worked out late is worked out twice at worst.
    """

    def __init__(self, pages: tuple[Page, ...], *, marked_up: bool = False) -> None:
        self.pages = pages
        self.marked_up = marked_up
        """Whether the text holds tags, which are no words."""
        texts: list[str] = []
        self.words: list[array[int] | None] = []
        """Per page, where its words begin in ``text``; None for pages that are their text."""
        self.starts: list[int] = []
        at = 0
        for page in pages:
            self.starts.append(at)
            if page.words:
                text, begins = _laid_out(page, at)
                self.words.append(begins)
            else:
                text = page.text
                self.words.append(None)
            texts.append(text)
            at += len(text) + len(_BETWEEN_PAGES)
        self.text = texts[0] if len(texts) == 1 else _BETWEEN_PAGES.join(texts)
        self._rows: dict[int, Rows] = {}
        self._cells: dict[int, Cells] = {}

    @classmethod
    def of(cls, document: Document) -> "Index":
        """The index of a document."""
        return cls(document.pages, marked_up=document.media_type.endswith("xml"))

    @cached_property
    def folded(self) -> str:
        """The key of the text."""
        return key(self.text)

    @cached_property
    def positions(self) -> "array[int]":
        """Where each character of the key comes from."""
        return positions(self.text)

    @cached_property
    def confused(self) -> str:
        """The key with the letters and digits that readers of pictures mix up made one."""
        return confused(self.folded)

    @cached_property
    def numbers(self) -> Signs:
        """Where numbers stand, by their significant digits."""
        return collect_numbers(self.text)

    @cached_property
    def dates(self) -> Places:
        """Where dates stand, by what they may mean."""
        return collect_dates(self.text)

    def may_name(self, day: int) -> bool:
        """Whether ``dates`` may hold a day, told without working them out."""
        return "dates" in self.__dict__ or not self._plain_digits or may_name(self.text, day)

    @cached_property
    def _plain_digits(self) -> bool:
        return self.text.isascii() or not any(map(str.isdecimal, beyond_ascii(self.text)))

    @cached_property
    def times(self) -> Places:
        """Where times of day stand."""
        return collect_times(self.text)

    @cached_property
    def factors(self) -> frozenset[float]:
        """The units in which the document says its figures are."""
        return table_factors(self.text)

    # -- words, for texts that do not stand as they are

    @cached_property
    def _tokens(self) -> "tuple[array[int], array[int], list[str], dict[str, array[int]]]":
        starts, ends = array("I"), array("I")
        folded: list[str] = []
        vocabulary: dict[str, array[int]] = {}
        for match in (_TAG_OR_TOKEN if self.marked_up else _TOKEN).finditer(self.text):
            if match[0][0] == "<":
                continue
            word = key(match[0])
            if word:
                places = vocabulary.get(word)
                if places is None:
                    places = vocabulary[word] = array("I")
                places.append(len(folded))
                starts.append(match.start())
                ends.append(match.end())
                folded.append(word)
        return starts, ends, folded, vocabulary

    @property
    def token_starts(self) -> "array[int]":
        """Where each word begins."""
        return self._tokens[0]

    @property
    def token_ends(self) -> "array[int]":
        """Where each word ends."""
        return self._tokens[1]

    @property
    def vocabulary(self) -> "dict[str, array[int]]":
        """The keys of words → which words of the text they are."""
        return self._tokens[3]

    def token(self, place: int) -> str:
        """The key of a word."""
        return self._tokens[2][place]

    @staticmethod
    def tokens_of(value: str) -> list[str]:
        """The keys of the words of a value."""
        return [folded for word in _TOKEN.findall(value) if (folded := key(word))]

    @cached_property
    def unread(self) -> bool:
        """Whether there are pages of which only a picture is known: what is not found may stand there."""
        return any(page.image is not None and not page.words and not page.text.strip() for page in self.pages)

    @cached_property
    def read_from_pictures(self) -> bool:
        """Whether any page was read from a picture, where letters are mixed up."""
        return any(self._read)

    @cached_property
    def _read(self) -> list[bool]:
        return [page.source in {"ocr", "mixed"} for page in self.pages]

    def is_read(self, at: int) -> bool:
        """Whether a character was read from a picture."""
        return self._read[self.page_at(at)]

    def table_factors(self) -> frozenset[float]:
        """``factors``, for those who may not need them."""
        return self.factors

    def page_at(self, at: int) -> int:
        """The place in ``pages`` of a character."""
        return bisect_right(self.starts, at) - 1 if len(self.starts) > 1 else 0

    def rows(self, page: int) -> Rows:
        """The rows of a page: what stands beside, above and below."""
        found = self._rows.get(page)
        if found is None:
            begins = self.words[page]
            start = self.starts[page]
            if begins is None:
                found = of_text(self.text, start, start + len(self.pages[page].text))
            else:
                found = of_words(self.pages[page], begins)
            self._rows[page] = found
        return found

    def boxes(self, page: int, start: int, end: int) -> tuple[Box, ...]:
        """The boxes of the characters from ``start`` to before ``end``, one per line; none on pages without words."""
        begins = self.words[page]
        if begins is None:
            return ()
        words = self.pages[page].words
        first = max(bisect_right(begins, start) - 1, 0)
        boxes: list[Box] = []
        for at in range(first, len(words)):
            if begins[at] >= end:
                break
            box = _part(words[at], start - begins[at], end - begins[at])
            if boxes and _one_line(boxes[-1], box):
                last = boxes[-1]
                boxes[-1] = (
                    min(last[0], box[0]),
                    min(last[1], box[1]),
                    max(last[2], box[2]),
                    max(last[3], box[3]),
                )
            else:
                boxes.append(box)
        return tuple(boxes)

    def place(self, page: int, start: int, end: int) -> str | None:
        """The cell or paragraph at a span of a page's own text."""
        if self.words[page] is not None:
            return None
        cells = self._cells.get(page)
        if cells is None:
            cells = self._cells[page] = Cells(self.pages[page])
        return cells.at(start, end)


def _laid_out(page: Page, at: int) -> "tuple[str, array[int]]":
    """The words of a page as text: a space between words, two where the gap is wide, a line break between lines."""
    across, down = page.width or 1.0, page.height or 1.0
    parts: list[str] = []
    begins = array("I")
    right = left = middle = tall = 0.0
    for text, (x0, y0, x1, y1) in ((word.text, word.box) for word in page.words):
        if parts:
            if y0 <= middle <= y1 or abs((y0 + y1) / 2 - middle) < 0.25 * tall:
                gap = max(x0 - right, left - x1) * across
                joint = "  " if gap > _WIDE * (y1 - y0) * down else " "
            else:
                joint = "\n"
            parts.append(joint)
            at += len(joint)
        begins.append(at)
        parts.append(text)
        at += len(text)
        right, left, middle, tall = x1, x0, (y0 + y1) / 2, y1 - y0
    return "".join(parts), begins


def _part(word: Word, start: int, end: int) -> Box:
    """The box of some of a word's letters, as if all were equally wide; the whole box when it is upright."""
    length = len(word.text)
    start, end = max(start, 0), min(end, length)
    x0, y0, x1, y1 = word.box
    if end - start >= length or end <= start:
        return word.box
    step = (x1 - x0) / length
    if any("\u0590" <= letter <= "\u08ff" or "\ufb1d" <= letter <= "\ufefc" for letter in word.text):
        return x1 - end * step, y0, x1 - start * step, y1
    return x0 + start * step, y0, x0 + end * step, y1


def _one_line(one: Box, other: Box) -> bool:
    overlap = min(one[3], other[3]) - max(one[1], other[1])
    return overlap > 0.5 * min(one[3] - one[1], other[3] - other[1])
