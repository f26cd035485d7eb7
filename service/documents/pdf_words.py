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
        xs = [self.xx * x + self.xy * y + self.x0 for x, y in ((left, bottom), (right, top))]
        ys = [self.yx * x + self.yy * y + self.y0 for x, y in ((left, bottom), (right, top))]
        return min(xs), min(ys), max(xs), max(ys)


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

    unicode, char_box, generated = raw.FPDFText_GetUnicode, raw.FPDFText_GetCharBox, raw.FPDFText_IsGenerated
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    edges = [ctypes.byref(edge) for edge in (left, right, bottom, top)]
    builder = _Builder(raw, textpage, to_share, width, height)
    odd = seen = 0
    for index in range(textpage.count_chars()):
        code = unicode(textpage, index)
        if code in _BREAKS:
            builder.end()
            continue
        if code == _HYPHEN:
            code = 0x2D
        elif code in _NOTHING or code < 0x20:
            odd += not generated(textpage, index)
            continue
        seen += 1
        odd += code == 0xFFFD or 0xE000 <= code <= 0xF8FF
        char_box(textpage, index, *edges)
        builder.add(code, index, left.value, right.value, bottom.value, top.value)
    builder.end()
    return builder.found, odd / (seen + odd) if odd else 0.0


class _Builder:
    """Collects characters into words. A wide gap or a jump ends a word too, whether or not a space stands there."""

    def __init__(self, raw: Any, textpage: Any, to_share: Affine, width: float, height: float) -> None:
        self.found: list[Piece] = []
        self._raw = raw
        self._textpage = textpage
        self._to_share = to_share
        self._width = width
        self._height = height
        self._codes: list[int] = []
        self._first = 0
        self._box = (0.0, 0.0, 0.0, 0.0)
        self._last = (0.0, 0.0, 0.0, 0.0)

    def add(self, code: int, index: int, left: float, right: float, bottom: float, top: float) -> None:
        if self._codes:
            was_left, was_right, was_bottom, was_top = self._last
            reach = max(top - bottom, right - left, was_top - was_bottom, was_right - was_left, 1.0)
            apart = max(left - was_right, was_left - right, bottom - was_top, was_bottom - top)
            if apart > reach:
                self.end()
        if not self._codes:
            self._first = index
            self._box = (left, right, bottom, top)
        else:
            box = self._box
            self._box = (min(box[0], left), max(box[1], right), min(box[2], bottom), max(box[3], top))
        self._codes.append(code)
        self._last = (left, right, bottom, top)

    def end(self) -> None:
        if not self._codes:
            return
        text = "".join(map(chr, self._codes))
        if any(0xD800 <= code <= 0xDFFF for code in self._codes):
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        self._codes.clear()
        left, right, bottom, top = self._box
        x0, y0, x1, y1 = self._to_share.box(left, bottom, right, top)
        base, vertical = self._baseline()
        if not all(map(math.isfinite, (x0, y0, x1, y1, base))):
            return
        self.found.append(
            Piece(
                text,
                x0 * self._width,
                y0 * self._height,
                x1 * self._width,
                y1 * self._height,
                base if vertical == 0 else y1 * self._height,
                vertical,
            )
        )

    def _baseline(self) -> tuple[float, int]:
        """Where the first character stands, and which way the text runs: 0 across, 1 down, -1 up."""
        x, y = ctypes.c_double(), ctypes.c_double()
        self._raw.FPDFText_GetCharOrigin(self._textpage, self._first, x, y)
        angle = self._raw.FPDFText_GetCharAngle(self._textpage, self._first)
        way = self._to_share
        down = way.yx * x.value + way.yy * y.value + way.y0
        along = (math.cos(angle), -math.sin(angle)) if angle >= 0 else (1.0, 0.0)  # pdfium counts clockwise
        step_x = (way.xx * along[0] + way.xy * along[1]) * self._width
        step_y = (way.yx * along[0] + way.yy * along[1]) * self._height
        if abs(step_y) <= abs(step_x):
            return down * self._height, 0
        return down * self._height, 1 if step_y > 0 else -1
