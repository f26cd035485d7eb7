"""The words of a PDF page's text layer and where they stand, as the page is displayed."""

import ctypes
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from service.documents import pdfium
from service.documents.layout import Piece

_DEVICE = 1_000_000
_STEP = 1000.0
_INFINITE = math.inf
_HYPHEN = "\x02"  # pdfium's mark for a hyphen at the end of a line
_BREAKS = frozenset("\t\n\r \x85\xa0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B))))
_RUNS = re.compile(f"[^{''.join(sorted(_BREAKS))}]+")
_NOTHING = frozenset("\x00\xad\ufeff\ufffe\uffff")


TINY = 1.5
"""Points: smaller letters cannot be read."""

Look = tuple[int, int, int, int, int]
"""Red, green, blue and opacity (0 to 255) with which text is filled, and its render mode."""

INK: Look = (0, 0, 0, 255, 0)

NOT_DRAWN = frozenset({3, 7})
"""Render modes: invisible, and as a clipping path only."""

_PALE = 230
_FAINT = 32
"""Channels from which a colour may be taken for white paper, and opacity below which nothing shows."""

_piece: Callable[[tuple[str, float, float, float, float, float, int, int]], Piece] = partial(
    tuple.__new__, Piece
)
"""A piece of all its members: three times as fast as its class, which counts for 100,000 words."""

_Rect = tuple[float, float, float, float]
"""Left, bottom, right, top in the page's own coordinates."""


@dataclass(frozen=True, slots=True)
class Affine:
    """From the page's own coordinates to shares of the displayed page: crop box and rotation applied."""

    xx: float
    xy: float
    x0: float
    yx: float
    yy: float
    y0: float

    def box(self, left: float, bottom: float, right: float, top: float) -> tuple[float, float, float, float]:
        """Left, top, right, bottom as shares."""
        x1, y1 = self.xx * left + self.xy * bottom + self.x0, self.yx * left + self.yy * bottom + self.y0
        x2, y2 = self.xx * right + self.xy * top + self.x0, self.yx * right + self.yy * top + self.y0
        if x2 < x1:
            x1, x2 = x2, x1
        return (x1, y1, x2, y2) if y1 <= y2 else (x1, y2, x2, y1)

    def scaled(self, across: float, down: float) -> "Affine":
        """The same map to other units, of which the page is ``across`` wide and ``down`` high."""
        return Affine(
            self.xx * across,
            self.xy * across,
            self.x0 * across,
            self.yx * down,
            self.yy * down,
            self.y0 * down,
        )


def affine(page: Any) -> Affine:
    """The map of a page, asked of pdfium itself at three points."""
    raw = pdfium.raw()

    def at(x: float, y: float) -> tuple[float, float]:
        across, down = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(page, 0, 0, _DEVICE, _DEVICE, 0, x, y, across, down)
        return across.value / _DEVICE, down.value / _DEVICE

    (x0, y0), (x1, y1), (x2, y2) = at(0, 0), at(_STEP, 0), at(0, _STEP)
    return Affine((x1 - x0) / _STEP, (x2 - x0) / _STEP, x0, (y1 - y0) / _STEP, (y2 - y0) / _STEP, y0)


def pieces(textpage: Any, way: Affine) -> tuple[list[Piece], dict[int, Look], float]:
    """All words in the order of the text layer, the looks of what draws them, the share of characters without meaning.

    ``way`` leads from the page's own coordinates to those of the pieces.
    """
    raw = pdfium.raw()
    text = _letters(raw, textpage)
    reader = _Reader(textpage, way, text)
    reader.words()
    return reader.found, reader.looks, _odd(raw, textpage.raw, text)


def _letters(raw: Any, textpage: Any) -> str:
    """The text layer with one letter for each of pdfium's characters, so that places in it are pdfium's."""
    count = textpage.count_chars()
    if count < 1:
        return ""
    units = ctypes.create_string_buffer(2 * (count + 1))
    raw.FPDFText_GetText(textpage.raw, 0, count, ctypes.cast(units, ctypes.POINTER(ctypes.c_ushort)))
    text = units.raw[: 2 * count].decode("utf-16-le", "surrogatepass")
    if len(text) != count or "\0" in text:  # pairs of surrogates, or characters that its text leaves out
        unicode = raw.FPDFText_GetUnicode
        return "".join(chr(unicode(textpage.raw, index)) for index in range(count))
    return text.replace("\ufffe", _HYPHEN)


def _odd(raw: Any, handle: Any, text: str) -> float:
    """The share of characters that the font maps to nothing, or to nothing that has a meaning."""
    strange = {letter for letter in set(text) if letter in _NOTHING or letter < " " or _meaningless(letter)}
    strange -= _BREAKS
    strange.discard(_HYPHEN)
    if not strange:
        return 0.0
    generated = raw.FPDFText_IsGenerated
    odd = sum(not generated(handle, index) for index, letter in enumerate(text) if letter in strange)
    return odd / max(sum(letter not in _BREAKS for letter in text), 1)


def _meaningless(letter: str) -> bool:
    """The mark of a failed decoding, or private use."""
    return letter == "\ufffd" or "\ue000" <= letter <= "\uf8ff"


class _Reader:
    """Makes words of runs of characters. A wide gap or a jump within a run ends a word too.

    Calls are what costs here, a thousand a page: pointers are made once, and what is the same for all words that one
    operator of the page draws is asked once.
    """

    def __init__(self, textpage: Any, way: Affine, text: str) -> None:
        self.found: list[Piece] = []
        self.looks: dict[int, Look] = {}
        self._text = text
        self._way = way
        self._textpage = pdfium.pointer(pdfium.address(textpage.raw))
        self._numbers, (*self._quad, across, up) = pdfium.numbers("d", 6)
        """Left, top, right and bottom of a word, and the point on its base line where it begins."""
        self._point = (across, up)
        self._letter, self._letter_quad = pdfium.numbers("d", 4)
        self._colour, self._channels = pdfium.numbers("I", 4)
        self._count = pdfium.unchecked("FPDFText_CountRects")
        self._rect = pdfium.unchecked("FPDFText_GetRect")
        self._box = pdfium.unchecked("FPDFText_GetCharBox")
        self._origin = pdfium.unchecked("FPDFText_GetCharOrigin")
        self._drawing = pdfium.unchecked("FPDFText_GetTextObject", "p")
        self._fill = pdfium.unchecked("FPDFText_GetFillColor")
        self._angle = pdfium.unchecked("FPDFText_GetCharAngle", "f")
        self._mode = pdfium.bare("FPDFTextObj_GetTextRenderMode", "")

    def words(self) -> None:
        """All words. Most are read here at once; those that differ from most are left to ``_add``."""
        handle, text, numbers, looks = self._textpage, self._text, self._numbers, self.looks
        count, rect, origin, drawing = self._count, self._rect, self._origin, self._drawing
        quad_0, quad_1, quad_2, quad_3 = self._quad  # named: a star costs a list and a tuple
        point_0, point_1 = self._point
        way = self._way
        xx, x0, yy, y0 = way.xx, way.x0, way.yy, way.y0
        upright = way.xy == way.yx == 0 and xx > 0 > yy
        plain = all(letter in _BREAKS or " " < letter < "\x7f" for letter in set(text))
        add = self.found.append
        for run in _RUNS.finditer(text):
            start, end = run.span()
            many = count(handle, start, end - start)
            if many == 1:
                rect(handle, 0, quad_0, quad_1, quad_2, quad_3)
                drawn = drawing(handle, start) or 0
                if drawn not in looks:
                    self._look(start, drawn)
            elif many < 1 or not self._joined(start, end, many):
                continue
            else:
                drawn = drawing(handle, start) or 0
            origin(handle, start, point_0, point_1)
            left, top, right, bottom, _, up = numbers
            word = text[start:end]
            if upright and (plain or (word.isascii() and word.isprintable())):
                x1, y1, x2, y2 = xx * left + x0, yy * top + y0, xx * right + x0, yy * bottom + y0
                base = yy * up + y0
                # Only finite numbers fulfil all of it.
                if 1.25 * (y2 - y1) < x2 - x1 < _INFINITE and 0.3 * (y2 - y1) < base - y1 < _INFINITE:
                    add(_piece((word, x1, y1, x2, y2, base, 0, drawn)))
                    continue
            self._add(start, end, (left, bottom, right, top), drawn)

    def _word(self, start: int, end: int) -> None:
        """A part of a run, all of it in one look."""
        many = self._count(self._textpage, start, end - start)
        if many > 0 and self._joined(start, end, many, whole=True):
            left, top, right, bottom, _, _ = self._numbers
            self._add(start, end, (left, bottom, right, top), self._known(start))

    def _joined(self, start: int, end: int, many: int, *, whole: bool = False) -> bool:
        """Whether the ``many`` boxes that pdfium has just counted are those of one word; their hull is written down.

        If not, the parts of the run are added. Not ``whole``, a run is also cut where hidden letters touch visible ones.
        """
        handle, rect, letter = self._textpage, self._rect, self._letter
        quad_0, quad_1, quad_2, quad_3 = self._letter_quad
        rect(handle, 0, quad_0, quad_1, quad_2, quad_3)
        left, top, right, bottom = letter
        for index in range(1, many):
            rect(handle, index, quad_0, quad_1, quad_2, quad_3)
            x0, y1, x1, y0 = letter
            if x0 - right > 1.0 or left - x1 > 1.0 or y0 - top > 1.0 or bottom - y1 > 1.0:
                reach = max(y1 - y0, top - bottom, 1.0)
                if x0 - right > reach or left - x1 > reach or y0 - top > reach or bottom - y1 > reach:
                    self._parts(start, end)
                    return False
            if x0 < left:
                left = x0
            if x1 > right:
                right = x1
            if y0 < bottom:
                bottom = y0
            if y1 > top:
                top = y1
        numbers = self._numbers
        numbers[0], numbers[1], numbers[2], numbers[3] = left, top, right, bottom
        drawn = self._drawing(handle, start) or 0
        look = self.looks.get(drawn) or self._look(start, drawn)
        if many > 1 and not whole:
            last = self._drawing(handle, end - 1) or 0
            # Begun and ended in different looks, of which one may be hidden.
            if (
                last != drawn
                and (other := self._look(end - 1, last)) != look
                and (suspect(look) or suspect(other))
            ):
                self._tones(start, end)
                return False
        return True

    def _tones(self, start: int, end: int) -> None:
        """The parts of a run by their looks: what is hidden must not take with it what is not."""
        first, look = start, self._look(start, self._drawing(self._textpage, start) or 0)
        for index in range(start + 1, end):
            other = self._look(index, self._drawing(self._textpage, index) or 0)
            if other != look:
                self._word(first, index)
                first, look = index, other
        self._word(first, end)

    def _look(self, index: int, drawn: int) -> Look:
        """How ``drawn``, which draws a character, fills it."""
        look = self.looks.get(drawn)
        if look is None:
            look = INK
            if drawn:
                mode = self._mode(drawn)
                known = self._fill(self._textpage, index, *self._channels)
                self.looks[drawn] = look = (*self._colour, mode) if known else (*INK[:4], mode)
        return look

    def _parts(self, start: int, end: int) -> None:
        """A run that lies apart: character by character, cut where the gaps are."""
        first = start
        box: _Rect | None = None
        for index in range(start, end):
            if self._text[index] in _NOTHING:
                continue
            self._box(self._textpage, index, *self._letter_quad)
            left, right, bottom, top = self._letter
            at = (left, bottom, right, top)
            if box is not None and _apart(box, at):
                self._add(first, index, box, self._known(first))
                box = None
            if box is None:
                first, box = index, at
            else:
                box = _union(box, at)
        if box is not None:
            self._add(first, end, box, self._known(first))

    def _known(self, index: int) -> int:
        """What draws a character, with its look on record."""
        drawn = self._drawing(self._textpage, index) or 0
        self._look(index, drawn)
        return drawn

    def _add(self, start: int, end: int, rect: _Rect, drawn: int) -> None:
        """A word of any kind in a place that may be no place."""
        text = self._text[start:end]
        if not (text.isascii() and text.isprintable()):
            text = _cleaned(text)
        way = self._way
        x0, y0, x1, y1 = way.box(*rect)
        if not text or not math.isfinite(x0 + y0 + x1 + y1):
            return
        self._origin(self._textpage, start, *self._point)
        *_, across, up = self._numbers
        base = way.yx * across + way.yy * up + way.y0
        # Words much wider than tall, with their base below, run across; of the others the angle tells.
        level = x1 - x0 > 1.25 * (y1 - y0) and base - y0 > 0.3 * (y1 - y0)
        vertical = 0 if level else self._direction(start)
        if vertical in {1, -1} or not math.isfinite(base):
            base = y1
        self.found.append(Piece(text, x0, y0, x1, y1, base, vertical, drawn))

    def _direction(self, index: int) -> int:
        """Which way the text runs on the displayed page: 0 across, 1 down, -1 up, 2 upside down."""
        angle = self._angle(self._textpage, index)  # counted clockwise; below 0: unknown
        along = (math.cos(angle), -math.sin(angle)) if angle >= 0 else (1.0, 0.0)
        step_x = self._way.xx * along[0] + self._way.xy * along[1]
        step_y = self._way.yx * along[0] + self._way.yy * along[1]
        if abs(step_y) <= abs(step_x):
            return 0 if step_x >= 0 else 2
        return 1 if step_y > 0 else -1


def suspect(look: Look) -> bool:
    """Whether text of this look may not be seen: (nearly) white, (nearly) without opacity, or not drawn at all."""
    red, green, blue, alpha, mode = look
    return mode in NOT_DRAWN or alpha < _FAINT or min(red, green, blue) > _PALE


def tiny(text: str, width: float, height: float) -> bool:
    """Whether letters are too small to be read. Points and dashes may be."""
    return height < TINY and width < TINY * len(text) and any(map(str.isalnum, text))


def _apart(word: _Rect, letter: _Rect) -> bool:
    """Whether a letter lies further from the word so far than either of them is high."""
    reach = max(letter[3] - letter[1], word[3] - word[1], 1.0)
    return (
        letter[0] - word[2] > reach
        or word[0] - letter[2] > reach
        or letter[1] - word[3] > reach
        or word[1] - letter[3] > reach
    )


def _union(one: _Rect, other: _Rect) -> _Rect:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _cleaned(text: str) -> str:
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.translate(_CLEANED)


_CLEANED: dict[int, str | None] = {**dict.fromkeys((*range(0x20), *map(ord, _NOTHING))), ord(_HYPHEN): "-"}
