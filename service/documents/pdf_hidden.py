"""Which words of a PDF's text layer a reader of the page does not see, and why.

A cheap look at every page finds the words that might be hidden: pale or see-through ones, those in the colour of what
lies below them, those with something drawn on top, those on a layer where the file switches one off. Only where there are such words the page is drawn twice, with and
without them: what leaves the picture as it was is not seen. The text layer of a scan changes no picture by design;
it is the page's text where the picture shows something in its place.
"""

import contextlib
import itertools
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from service.documents import pdfium
from service.documents.layout import Piece
from service.documents.pdf_layers import Layers, Marks
from service.documents.pdf_words import INK, NOT_DRAWN, TINY, Affine, Look, places, suspect, tiny

Why = Literal["outside", "tiny", "undrawn", "ground", "covered", "layer"]

REASONS: dict[Why, str] = {
    "outside": "that lie outside of the page",
    "tiny": "that are too small to be read",
    "undrawn": "that are in the text layer and not on the page",
    "ground": "in the colour of their ground, or see-through",
    "covered": "that something drawn over them covers",
    "layer": "on layers that are switched off",
}

_NEAR = 40
_CONTRAST = 24
"""Levels of a channel: colours nearer than the first are looked at, and nearer than the second not told apart."""

_SIDE = 1200.0
_LARGEST_SCALE = 4.0
"""Pixels of the longer side when a page is drawn to be looked at, and pixels of a point at most."""

_LEAST = 3.0
"""Points: what is lower or narrower (a rule, a border) covers no word."""

_MOST_OBJECTS = 50_000
_DEEPEST = 6
_MOST_COVERS = 2000
"""Beyond these nothing is told cheaply: all words of the page are looked at."""

_SCANNED = 0.5
"""Share of the page from which a picture is taken for a scan, whose text may lie below it."""

_ROW = 20.0
_MOST_GROUPS = 4
"""Points of a row for finding words that lie on each other, and pictures that are drawn to tell those apart."""

_Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Sifted:
    """The words that are seen, and the others by the reason."""

    seen: list[Piece]
    hidden: dict[Why, list[Piece]] = field(default_factory=dict)


def sift(
    page: Any,
    found: list[Piece],
    looks: dict[int, Look],
    way: Affine,
    size: tuple[float, float],
    layers: Layers | None = None,
) -> Sifted:
    """Tell the words of a page apart. ``way`` leads to points from the top left, as the places of the words are."""
    width, height = size
    across, down = 2 * width, 2 * height
    inside = [  # the middle of the word lies on the page
        piece
        for piece in found
        if 0 <= piece.left + piece.right <= across and 0 <= piece.top + piece.bottom <= down
    ]
    if not inside:
        return Sifted([], {"outside": found} if found else {})
    doubts = _Doubts(page, inside, looks, way, size, layers)
    if len(inside) == len(found) and not doubts.why:
        return Sifted(found)
    hidden: dict[Why, list[Piece]] = {}
    if len(inside) < len(found):
        kept = set(map(id, inside))
        hidden["outside"] = [piece for piece in found if id(piece) not in kept]
    looked = {place: why for place, why in doubts.why.items() if why != "tiny"}
    shown = _shown(page, inside, looked, doubts, size) if looked else set()
    seen = []
    for place, piece in enumerate(inside):
        why = doubts.why.get(place)
        if why is None or place in shown:
            seen.append(piece)
        else:
            hidden.setdefault(why, []).append(piece)
    return Sifted(seen, hidden)


@dataclass(frozen=True, slots=True)
class _Cover:
    """Something with an area that is drawn: when, where (in points), and in which colour where it has a single one."""

    order: int
    box: _Box
    colour: tuple[int, int, int] | None
    picture: bool


class _Doubts:
    """The words of a page that may be hidden, and what speaks against them."""

    def __init__(
        self,
        page: Any,
        words: list[Piece],
        looks: dict[int, Look],
        way: Affine,
        size: tuple[float, float],
        layers: Layers | None,
    ) -> None:
        self.why: dict[int, Why] = {}
        """Place among the words → the suspicion."""
        self.layer: set[int] = set()
        """Places of words that may be the text layer of a scan."""
        self._words = words
        self._looks = looks
        odd = {look: why for look in set(looks.values()) if (why := _odd(look)) is not None}
        if odd:
            undrawn = all(odd.get(looks[piece.drawn]) == "undrawn" for piece in words if piece.drawn)
            for place, piece in enumerate(words):
                why = odd.get(looks[piece.drawn]) if piece.drawn else None
                if why is not None:
                    self.why[place] = why
                    if why == "undrawn" and undrawn:
                        self.layer.add(place)
        drawn = _drawn(page, looks, way, layers)
        self._doubles = drawn.doubles
        if drawn.covers is None or len(drawn.covers) > _MOST_COVERS:
            for place in range(len(words)):
                self.why.setdefault(place, "covered")
        elif drawn.covers:
            self._compare(drawn.orders(), drawn.covers, _SCANNED * size[0] * size[1])
        if drawn.optional:
            for place, piece in enumerate(words):
                if piece.drawn in drawn.optional:
                    self.why.setdefault(place, "layer")
        for place, piece in enumerate(words):
            if piece.bottom - piece.top < TINY and tiny(
                piece.text, piece.right - piece.left, piece.bottom - piece.top
            ):
                self.why[place] = "tiny"

    def _compare(self, orders: dict[int, int], covers: list[_Cover], scanned: float) -> None:
        """Each word with what is drawn where it stands."""
        middles = sorted(((piece.top + piece.bottom) / 2, at) for at, piece in enumerate(self._words))
        heights = [middle for middle, _ in middles]
        looks = set(self._looks.values())
        earliest = min((order for item, order in orders.items() if item in self._looks), default=0)
        for cover in covers:
            left, top, right, bottom = cover.box
            first, last = bisect_left(heights, top), bisect_right(heights, bottom)
            near = {look for look in looks if cover.colour is None or _near(look, cover.colour)}
            if first == last or (not near and cover.order < earliest):
                continue
            scan = cover.picture and (right - left) * (bottom - top) >= scanned
            for _, place in middles[first:last]:
                piece = self._words[place]
                if not left <= (piece.left + piece.right) / 2 <= right:
                    continue
                below = orders.get(piece.drawn, 0) < cover.order
                why = self.why.get(place)
                if cover.picture and (why == "undrawn" or (below and scan)):
                    self.layer.add(place)
                if why is None and (below or self._looks.get(piece.drawn, INK) in near):
                    self.why[place] = "covered" if below else "ground"

    def doubles(self, drawings: set[int]) -> set[int]:
        """Text without words of its own that looks like one of these: pdfium drops what is drawn twice in a place."""
        looks = {self._looks[drawing] for drawing in drawings}
        mode, fill = (
            pdfium.bare("FPDFTextObj_GetTextRenderMode", ""),
            pdfium.bare("FPDFPageObj_GetFillColor", "pppp"),
        )
        channels = array("I", bytes(4 * 4))
        channel = places(channels)
        return {item for item in self._doubles if fill(item, *channel) and (*channels, mode(item)) in looks}


def _odd(look: Look) -> Why | None:
    if not suspect(look):
        return None
    return "undrawn" if look[4] in NOT_DRAWN else "ground"


def _near(look: Look, colour: tuple[int, int, int]) -> bool:
    return all(abs(one - other) < _NEAR for one, other in zip(look, colour, strict=False))


# --------------------------------------------------------------------------------------------- what is drawn


@dataclass(slots=True)
class _Drawn:
    """What a page draws."""

    covers: list[_Cover] | None
    """All that could lie over or under text; None for pages with too much on them."""
    doubles: list[int] = field(default_factory=list)
    """Text without a word of its own."""
    layers: list[tuple[range, list[int]]] = field(default_factory=list)
    """The objects of the page and of each form on it, with numbers that are greater for what is drawn later."""
    optional: set[int] = field(default_factory=set)
    """Objects on a layer, where the file switches one off."""

    def orders(self) -> dict[int, int]:
        """When each object is drawn."""
        found: dict[int, int] = {}
        for numbers, items in self.layers:
            found.update(zip(items, numbers, strict=True))
        return found


def _drawn(page: Any, looks: dict[int, Look], way: Affine, layers: Layers | None) -> _Drawn:
    kind_of = pdfium.bare("FPDFPageObj_GetType", "")
    inner, count = pdfium.bare("FPDFFormObj_GetObject", "l", "p"), pdfium.bare("FPDFFormObj_CountObjects", "")
    handle = pdfium.address(page.raw)
    left = _MOST_OBJECTS
    drawn = _Drawn(None)
    covers: list[_Cover] = []
    areas = _Areas()
    marks = None if layers is None else Marks()
    waiting: list[tuple[int, int, int, Affine]] = [(0, _DEEPEST, handle, way)]
    while waiting:
        begun, depth, form, to_page = waiting.pop()
        page_itself = depth == _DEEPEST
        many = (pdfium.bare("FPDFPage_CountObjects", "") if page_itself else count)(form)
        left -= many
        if left < 0 or depth < 0:
            return drawn
        get = pdfium.bare("FPDFPage_GetObject", "i", "p") if page_itself else inner
        items = list(map(get, itertools.repeat(form), range(many)))
        step = _MOST_OBJECTS**depth  # so that what a form holds comes between the form and what follows it
        numbers = range(begun + step, begun + step * (many + 1), step)
        drawn.layers.append((numbers, items))
        if marks is not None and layers is not None:
            every = form in drawn.optional or (layers.forms and not page_itself)
            drawn.optional.update(item for item in items if every or marks.on_a_layer(item))
        others = [at for at, item in enumerate(items) if item not in looks]
        kinds = list(map(kind_of, (items[at] for at in others)))
        for at, kind in zip(others, kinds, strict=True):
            if kind == _TEXT:
                drawn.doubles.append(items[at])
            elif kind in _AREAS:
                if (cover := areas.cover(numbers[at], items[at], kind, to_page)) is not None:
                    covers.append(cover)
            elif kind == _FORM:
                waiting.append((numbers[at], depth - 1, items[at], _inside(to_page, items[at])))
    last = _MOST_OBJECTS ** (_DEEPEST + 2)
    covers += (_Cover(last, box, None, picture=False) for box in _annotations(page, way))
    drawn.covers = covers
    return drawn


_TEXT, _PATH, _IMAGE, _SHADING, _FORM = 1, 2, 3, 4, 5
_AREAS = frozenset({_PATH, _IMAGE, _SHADING})  # FPDF_PAGEOBJ_…


class _Areas:
    """Asks of objects where they lie and how they are filled, with the same few numbers over and over."""

    def __init__(self) -> None:
        self._edges = array("f", bytes(4 * 4))
        self._corners = places(self._edges)
        self._numbers = array("I", bytes(4 * 4))
        self._places = places(self._numbers)
        self._bounds = pdfium.bare("FPDFPageObj_GetBounds", "pppp")
        self._mode = pdfium.bare("FPDFPath_GetDrawMode", "pp")
        self._fill = pdfium.bare("FPDFPageObj_GetFillColor", "pppp")

    def cover(self, order: int, item: int, kind: int, way: Affine) -> _Cover | None:
        """An object that could cover a word or be its ground."""
        if not self._bounds(item, *self._corners):
            return None
        box = way.box(*self._edges)
        if box[2] - box[0] < _LEAST or box[3] - box[1] < _LEAST:
            return None
        if kind != _PATH:
            return _Cover(order, box, None, picture=kind == _IMAGE)
        fill = self._filled(item)
        return None if fill is None else _Cover(order, box, fill, picture=False)

    def _filled(self, path: int) -> tuple[int, int, int] | None:
        """The colour that a path's area has; None for paths that are drawn as lines only."""
        if not self._mode(path, *self._places[:2]) or not self._numbers[0]:
            return None
        if not self._fill(path, *self._places):
            return (255, 255, 255)
        red, green, blue, alpha = self._numbers
        return (red, green, blue) if alpha > 0 else None


def _inside(way: Affine, form: int) -> Affine:
    """The map for what a form holds."""
    numbers = array("f", bytes(4 * 6))
    if not pdfium.bare("FPDFPageObj_GetMatrix", "p")(form, places(numbers)[0]):
        return way
    a, b, c, d, e, f = numbers
    return Affine(
        way.xx * a + way.xy * b,
        way.xx * c + way.xy * d,
        way.xx * e + way.xy * f + way.x0,
        way.yx * a + way.yy * b,
        way.yx * c + way.yy * d,
        way.yx * e + way.yy * f + way.y0,
    )


def _annotations(page: Any, way: Affine) -> list[_Box]:
    """Where annotations lie: they are drawn last."""
    raw = pdfium.raw()
    boxes = []
    for at in range(min(raw.FPDFPage_GetAnnotCount(page), _MOST_COVERS)):
        annotation = raw.FPDFPage_GetAnnot(page, at)
        if not annotation:
            continue
        rect = raw.FS_RECTF()
        if raw.FPDFAnnot_GetSubtype(annotation) != raw.FPDF_ANNOT_LINK and raw.FPDFAnnot_GetRect(
            annotation, rect
        ):
            boxes.append(way.box(rect.left, rect.bottom, rect.right, rect.top))
        raw.FPDFPage_CloseAnnot(annotation)
    return [box for box in boxes if box[2] - box[0] >= _LEAST and box[3] - box[1] >= _LEAST]


# --------------------------------------------------------------------------------------------- looking


def _shown(
    page: Any, words: list[Piece], looked: Mapping[int, Why], doubts: _Doubts, size: tuple[float, float]
) -> set[int]:
    """The places of the words that are seen: the picture is another one without them, or they are a scan's layer."""
    from PIL import ImageChops

    chosen = {place: words[place] for place in looked}
    picture = _Picture(list(chosen.values()), size)
    whole = picture.drawn(page)
    shown = set()
    for group in _groups({place: words[place] for place, why in looked.items() if why != "undrawn"}):
        drawings = {piece.drawn for piece in group.values() if piece.drawn}
        with _without(drawings | doubts.doubles(drawings)):
            change = ImageChops.difference(whole, picture.drawn(page))
        for place, piece in group.items():
            area = picture.area(piece)
            if area is not None and _change(change.crop(area)) >= _CONTRAST:
                shown.add(place)
    for place in doubts.layer.intersection(looked) - shown:
        area = picture.area(chosen[place])
        if area is not None and _contrast(whole.crop(area)) >= _CONTRAST:
            shown.add(place)
    return shown


@contextlib.contextmanager
def _without(drawings: set[int]) -> Iterator[None]:
    """The page is drawn without these."""
    active = pdfium.bare("FPDFPageObj_SetIsActive", "i")
    for drawing in drawings:
        active(drawing, 0)
    yield
    for drawing in drawings:
        active(drawing, 1)


def _groups(words: dict[int, Piece]) -> list[dict[int, Piece]]:
    """Words that do not lie on each other: of two that do, the one may be seen and the other not."""
    groups: list[dict[int, Piece]] = []
    rows: list[dict[int, list[Piece]]] = []
    for place, piece in words.items():
        span = range(int(piece.top // _ROW), int(piece.bottom // _ROW) + 1)
        at = 0
        while at < len(groups) and any(
            _overlap(piece, other) for row in span for other in rows[at].get(row, ())
        ):
            at += 1
        if at == len(groups):
            if at == _MOST_GROUPS:
                at -= 1
            else:
                groups.append({})
                rows.append({})
        groups[at][place] = piece
        for row in span:
            rows[at].setdefault(row, []).append(piece)
    return groups


def _overlap(one: Piece, other: Piece) -> bool:
    """Whether words share more than their edges."""
    return (
        min(one.right, other.right) - max(one.left, other.left) > 1.0
        and min(one.bottom, other.bottom) - max(one.top, other.top) > 1.0
    )


def _change(part: Any) -> int:
    """The largest change of a channel."""
    return max(int(most) for _, most in part.getextrema())


def _contrast(part: Any) -> int:
    darkest, lightest = part.convert("L").getextrema()
    return int(lightest - darkest)


class _Picture:
    """The part of a page in which some words stand, drawn as often as needed."""

    def __init__(self, words: list[Piece], size: tuple[float, float]) -> None:
        width, height = size
        self._scale = min(_SIDE / max(width, height), _LARGEST_SCALE)
        edges = (
            min(piece.left for piece in words),
            min(piece.top for piece in words),
            width - max(piece.right for piece in words),
            height - max(piece.bottom for piece in words),
        )
        self._cut = [max(int(edge * self._scale) - 2, 0) for edge in edges]

    def drawn(self, page: Any) -> Any:
        """As it is now, in red, green and blue."""
        # Pixels as points, a little less because pypdfium2 rounds up.
        left, top, right, bottom = (max(cut - 0.01, 0) / self._scale for cut in self._cut)
        bitmap = page.render(
            scale=self._scale, crop=(left, bottom, right, top), may_draw_forms=True, rev_byteorder=True
        )
        try:
            image = bitmap.to_pil().convert("RGB")
        finally:
            bitmap.close()
        self._size = image.size
        return image

    def area(self, piece: Piece) -> tuple[int, int, int, int] | None:
        """Where a word stands in the picture; None when it takes no room there."""
        left, top = self._cut[:2]
        area = (
            max(int(piece.left * self._scale) - left, 0),
            max(int(piece.top * self._scale) - top, 0),
            min(int(piece.right * self._scale) + 1 - left, self._size[0]),
            min(int(piece.bottom * self._scale) + 1 - top, self._size[1]),
        )
        return area if area[2] > area[0] and area[3] > area[1] else None
