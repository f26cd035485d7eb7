"""The words of a PDF page's text layer and where they stand, as the page is displayed."""

import ctypes
import math
from dataclasses import dataclass
from typing import Any

from service.documents import pdfium
from service.documents.layout import Piece

_DEVICE = 1_000_000
_STEP = 1000.0
_HYPHEN = 0x02  # pdfium's mark for a hyphen at the end of a line
_BREAKS = frozenset(
    {0x09, 0x0A, 0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x202F, 0x205F, 0x3000, *range(0x2000, 0x200B)}
)
_NOTHING = frozenset({0x00, 0xAD, 0xFEFF, 0xFFFE, 0xFFFF})


_NOT_DRAWN = frozenset({3, 7})  # text render modes: invisible, and as a clipping path only
_TINY = 1.5
"""Points: smaller letters cannot be read."""

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


def affine(page: Any) -> Affine:
    """The map of a page, asked of pdfium itself at three points."""
    raw = pdfium.raw()

    def at(x: float, y: float) -> tuple[float, float]:
        across, down = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(page, 0, 0, _DEVICE, _DEVICE, 0, x, y, across, down)
        return across.value / _DEVICE, down.value / _DEVICE

    (x0, y0), (x1, y1), (x2, y2) = at(0, 0), at(_STEP, 0), at(0, _STEP)
    return Affine((x1 - x0) / _STEP, (x2 - x0) / _STEP, x0, (y1 - y0) / _STEP, (y2 - y0) / _STEP, y0)


def pieces(textpage: Any, to_share: Affine, width: float, height: float) -> tuple[list[Piece], float]:
    """All words in the order of the text layer, in points; and the share of characters without meaning."""
    raw = pdfium.raw()
    handle, unicode = textpage.raw, raw.FPDFText_GetUnicode
    codes = [unicode(handle, index) for index in range(textpage.count_chars())]
    reader = _Reader(raw, handle, to_share, width, height)
    odd = _odd(raw, handle, codes)
    start: int | None = None
    for index, code in enumerate(codes):
        if code in _BREAKS:
            if start is not None:
                reader.word(codes, start, index)
                start = None
        elif start is None:
            start = index
    if start is not None:
        reader.word(codes, start, len(codes))
    return reader.found, odd


def _odd(raw: Any, handle: Any, codes: list[int]) -> float:
    """The share of characters that the font maps to nothing, or to nothing that has a meaning."""
    strange = {
        code for code in set(codes) if code in _NOTHING or code < 0x20 or code == 0xFFFD or _private(code)
    }
    strange -= _BREAKS
    strange.discard(_HYPHEN)
    if not strange:
        return 0.0
    generated = raw.FPDFText_IsGenerated
    odd = sum(not generated(handle, index) for index, code in enumerate(codes) if code in strange)
    return odd / max(sum(code not in _BREAKS for code in codes), 1)


def _private(code: int) -> bool:
    return 0xE000 <= code <= 0xF8FF


class _Reader:
    """Makes words of runs of characters. A wide gap or a jump within a run ends a word too."""

    def __init__(self, raw: Any, handle: Any, to_share: Affine, width: float, height: float) -> None:
        self.found: list[Piece] = []
        self._raw = raw
        self._handle = handle
        self._way = to_share
        self._width = width
        self._height = height
        self._numbers = [ctypes.c_double() for _ in range(4)]
        self._edges = [ctypes.byref(number) for number in self._numbers]
        self._colour = [ctypes.c_uint() for _ in range(4)]
        self._channels = [ctypes.byref(channel) for channel in self._colour]

    def word(self, codes: list[int], start: int, end: int) -> None:
        """The word in the run from ``start`` to before ``end``, or its parts when pdfium's boxes lie apart."""
        count = self._raw.FPDFText_CountRects(self._handle, start, end - start)
        if count < 1:
            return
        # About five boxes a word and millions a minute: written out, because calls are what costs here.
        rect, handle, edges = self._raw.FPDFText_GetRect, self._handle, self._edges
        first, second, third, fourth = self._numbers
        rect(handle, 0, *edges)
        left, top, right, bottom = first.value, second.value, third.value, fourth.value
        for index in range(1, count):
            rect(handle, index, *edges)
            x0, y1, x1, y0 = first.value, second.value, third.value, fourth.value
            reach = max(y1 - y0, top - bottom, 1.0)
            if x0 - right > reach or left - x1 > reach or y0 - top > reach or bottom - y1 > reach:
                self._parts(codes, start, end)
                return
            left, bottom, right, top = min(left, x0), min(bottom, y0), max(right, x1), max(top, y1)
        self._add(codes, start, end, left, bottom, right, top)

    def _parts(self, codes: list[int], start: int, end: int) -> None:
        """A run that lies apart: character by character, cut where the gaps are."""
        first = start
        box: _Rect | None = None
        left, right, bottom, top = self._numbers
        for index in range(start, end):
            if codes[index] in _NOTHING:
                continue
            self._raw.FPDFText_GetCharBox(self._handle, index, *self._edges)
            at = (left.value, bottom.value, right.value, top.value)
            if box is not None and _apart(box, at):
                self._add(codes, first, index, *box)
                box = None
            if box is None:
                first, box = index, at
            else:
                box = _union(box, at)
        if box is not None:
            self._add(codes, first, end, *box)

    def _add(
        self, codes: list[int], start: int, end: int, left: float, bottom: float, right: float, top: float
    ) -> None:
        text = _text(codes[start:end])
        x0, y0, x1, y1 = self._way.box(left, bottom, right, top)
        if not text or not math.isfinite(x0 + y0 + x1 + y1):
            return
        x0, x1 = x0 * self._width, x1 * self._width
        y0, y1 = y0 * self._height, y1 * self._height
        self._raw.FPDFText_GetCharOrigin(self._handle, start, self._edges[0], self._edges[1])
        way = self._way
        base = (way.yx * self._numbers[0].value + way.yy * self._numbers[1].value + way.y0) * self._height
        # Words much wider than tall run across; of the others the angle tells.
        vertical = 0 if x1 - x0 > 1.25 * (y1 - y0) else self._direction(start)
        if not math.isfinite(base) or vertical:
            base = y1
        suspect = tiny(text, x1 - x0, y1 - y0) or self._pale(start)
        self.found.append(Piece(text, x0, y0, x1, y1, base, vertical, suspect))

    def _pale(self, index: int) -> bool:
        """Whether a character is filled with (nearly) white, with (nearly) nothing, or not drawn at all."""
        known = self._raw.FPDFText_GetFillColor(self._handle, index, *self._channels)
        if known:
            red, green, blue, alpha = self._colour
            if alpha.value < 32 or min(red.value, green.value, blue.value) > 235:
                return True
        drawn = self._raw.FPDFText_GetTextObject(self._handle, index)
        return bool(drawn) and self._raw.FPDFTextObj_GetTextRenderMode(drawn) in _NOT_DRAWN

    def _direction(self, index: int) -> int:
        """Which way the text runs on the displayed page: 0 across, 1 down, -1 up."""
        angle = self._raw.FPDFText_GetCharAngle(self._handle, index)  # counted clockwise; below 0: unknown
        along = (math.cos(angle), -math.sin(angle)) if angle >= 0 else (1.0, 0.0)
        step_x = (self._way.xx * along[0] + self._way.xy * along[1]) * self._width
        step_y = (self._way.yx * along[0] + self._way.yy * along[1]) * self._height
        if abs(step_y) <= abs(step_x):
            return 0
        return 1 if step_y > 0 else -1


def tiny(text: str, width: float, height: float) -> bool:
    """Whether letters are too small to be read. Points and dashes may be."""
    return height < _TINY and width < _TINY * len(text) and any(map(str.isalnum, text))


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


def _text(codes: list[int]) -> str:
    text = "".join(map(chr, codes))
    if text.isascii() and text.isprintable():
        return text
    if any(0xD800 <= code <= 0xDFFF for code in codes):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.translate(_CLEANED)


_CLEANED: dict[int, str | None] = {**dict.fromkeys((*range(0x20), *_NOTHING)), _HYPHEN: "-"}
