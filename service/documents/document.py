"""The normalised input: one ``Document`` whatever the format was. Plain values; nothing here reads a file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as shares of the page's width and height (0–1); the origin is the top left corner."""


class Word(NamedTuple):
    """One word of the text layer (or of OCR) and where it stands. Documents hold 100,000s: a tuple is made fastest."""

    text: str
    box: Box
    confidence: float | None = None
    """How sure OCR is of it (0–1); None in a text layer."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture as it is sent to the model."""

    media_type: Literal["image/png", "image/jpeg", "image/webp", "image/gif"]
    data: bytes = field(repr=False)
    width: int
    height: int


Source = Literal["text", "ocr", "image", "mixed"]
"""Where a page's text comes from. ``image``: what a reader sees is in the picture, and nobody has read it (``text`` holds
what little or broken text layer there is); ``ocr``: read from the picture; ``mixed``: a text layer and what OCR adds.
"""

Table = tuple[tuple[str, ...], ...]
"""Rows of cells, as the format itself holds them (CSV, HTML, sheets); never guessed from a layout."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page, numbered from 1. Formats without pages have units (a sheet, a message, a whole text) in its place.

    ``text`` is in reading order with the layout kept: columns stay columns. ``width`` and ``height`` are in points for
    paged formats, in pixels for images, None where a unit has no size. ``image`` is there when the text alone does not
    hold what a reader sees: scans, pictures, pages whose text layer is missing or poor.
    """

    number: int
    text: str = field(repr=False)
    words: tuple[Word, ...] = field(default=(), repr=False)
    image: Image | None = field(default=None, repr=False)
    width: float | None = None
    height: float | None = None
    tables: tuple[Table, ...] = field(default=(), repr=False)
    label: str | None = field(default=None, repr=False)
    """What the unit is called in its file: the sheet's or the attachment's name."""
    source: Source = "text"
    language: str | None = None
    """A hint: the ISO 639 code of what most of the text is in; None where that is not clear."""
    scan: Image | None = field(default=None, repr=False)
    """The picture for OCR, where it is larger than ``image``. Never leaves the loader."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What the loader noticed: a declared type that was wrong, a part that was skipped and why. Never content."""

    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a file says of itself: short lines and ISO 8601 dates. Anybody may have written anything there."""

    title: str | None = field(default=None, repr=False)
    author: str | None = field(default=None, repr=False)
    created: str | None = None
    modified: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A part of a document as it came, for models that read files themselves. ``pages`` are the numbers it became."""

    name: str = field(repr=False)
    media_type: str
    data: bytes = field(repr=False)
    pages: range


@dataclass(frozen=True, slots=True)
class Document:
    """A loaded document. ``digest`` is ``sha256:<hex>`` of the bytes as they came; of several parts, of their digests."""

    digest: str
    media_type: str
    """What the bytes are (sniffed), not what was claimed. Parts of several types are ``multipart/mixed``."""
    name: str | None = field(repr=False)
    size: int
    """Bytes as they came."""
    pages: tuple[Page, ...]
    notices: tuple[Notice, ...] = ()
    metadata: Metadata | None = None
    files: tuple[File, ...] = ()
    """The parts that the model is given whole; none unless that was asked for."""

    @property
    def text(self) -> str:
        """All pages' text, separated by blank lines."""
        return "\n\n".join(page.text for page in self.pages if page.text)


@dataclass(frozen=True, slots=True)
class PageRange:
    """The pages a request asked for, as in ``1-3,7``: sorted, without overlap, inclusive."""

    spans: tuple[tuple[int, int], ...]

    def __contains__(self, number: int) -> bool:
        return any(first <= number <= last for first, last in self.spans)


def select(pages: Sequence[Page], wanted: PageRange | None) -> tuple[Page, ...]:
    """The wanted pages, with their own numbers."""
    return tuple(page for page in pages if wanted is None or page.number in wanted)
