"""Layers of a PDF (optional content, ISO 32000-2 §8.11): whether any is switched off, and what lies on one.

pdfium draws only the layers that are on, and its text holds those of all; which are off it does not tell. So the file is
asked whether it switches anything off, which few do. In those, whatever lies on a layer is looked at in the picture.
"""

import re
import zlib
from array import array
from dataclasses import dataclass

from service.documents import pdfium
from service.documents.pdf_words import places

_OFF = re.compile(rb"/OFF\s*(?:\[\s*[0-9]|[0-9]+\s+[0-9]+\s+R)|/BaseState\s*/OFF|/ViewState\s*/OFF")
_OBJECT_STREAM = re.compile(rb"/ObjStm\b.{0,1000}?>>\s*stream\r?\n", re.DOTALL)
_ON_A_LAYER = re.compile(rb"/OC(?:\s*<<|\s+[0-9]+\s+[0-9]+\s+R)")
_MOST = 16 * 2**20
"""Bytes of object streams that are searched: hundreds of pages have fewer."""

_NAME = "OC".encode("utf-16-le")
_MOST_MARKS = 8
"""Marks around one object that are looked at: marks nest, tags outside or inside of layers."""


@dataclass(frozen=True, slots=True)
class Layers:
    """Something in a file is switched off. ``forms``: its forms may lie on a layer, and pdfium does not tell which."""

    forms: bool


def switched_off(data: bytes) -> Layers | None:
    """Whether a file switches a layer off; None where none is."""
    if not _any_off(data):
        return None
    return Layers(forms=_ON_A_LAYER.search(data) is not None)


def _any_off(data: bytes) -> bool:
    if b"/OCProperties" in data:
        # Its default configuration may be an object of its own, in an object stream too.
        return _OFF.search(data) is not None or any(_OFF.search(part) for part in _object_streams(data))
    if b"/ObjStm" not in data:
        return False
    if b"/Encrypt" in data:
        return True  # its object streams cannot be read here: better to look in vain
    layered = off = False
    for part in _object_streams(data):
        layered = layered or b"/OCProperties" in part
        off = off or _OFF.search(part) is not None
    return layered and (off or _OFF.search(data) is not None)


def _object_streams(data: bytes) -> list[bytes]:
    """What the object streams hold, as far as it is deflated and within bounds."""
    found: list[bytes] = []
    left = _MOST
    for match in _OBJECT_STREAM.finditer(data):
        if left <= 0:
            break
        try:
            part = zlib.decompressobj().decompress(data[match.end() : match.end() + left], left)
        except zlib.error:
            continue
        left -= len(part)
        found.append(part)
    return found


class Marks:
    """Asks whether objects of a page stand between the marks of a layer."""

    def __init__(self) -> None:
        self._count = pdfium.bare("FPDFPageObj_CountMarks", "")
        self._mark = pdfium.bare("FPDFPageObj_GetMark", "l", "p")
        self._name = pdfium.bare("FPDFPageObjMark_GetName", "plp")
        self._letters = array("B", bytes(2 * 40))
        self._length = array("L", [0])
        self._where = places(self._letters)[0], places(self._length)[0]

    def on_a_layer(self, item: int) -> bool:
        """Whether the object is marked as optional content; on or off, that is."""
        letters, length = self._where
        for at in range(min(self._count(item), _MOST_MARKS)):
            mark = self._mark(item, at)
            if (
                mark
                and self._name(mark, letters, len(self._letters), length)
                and self._letters[: len(_NAME) + 2].tobytes() == _NAME + b"\0\0"
            ):
                return True
        return False
