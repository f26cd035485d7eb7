"""PDF through pdfium: text in reading order with its layout, words with boxes, form fields, page images where needed."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from service.documents import pdfium
from service.documents.document import Image, Notice, Page, Source, Word
from service.documents.encodings import clean
from service.documents.errors import (
    DocumentEmpty,
    DocumentEncrypted,
    DocumentUnreadable,
    WrongPassword,
    on_page,
)
from service.documents.layout import Piece, arrange
from service.documents.metadata import of_pdf
from service.documents.pages import chosen
from service.documents.parsed import Job, Parsed, check_length
from service.documents.pdf_fields import Filled, filled
from service.documents.pdf_hidden import REASONS, Why, sift
from service.documents.pdf_layers import Layers, switched_off
from service.documents.pdf_words import Affine, Look, affine, pieces
from service.documents.pictures import SCAN_SIDE, check_bytes, encode_both
from service.documents.plain import too_many_pages
from service.foundation.errors import Fault

_PASSWORD_ERROR = 4  # FPDF_ERR_PASSWORD
_FEW = 20
"""Letters and digits, below which a page's text layer cannot be what a reader sees (a page number, a stamp)."""

_SCAN = 200
"""Letters and digits, below which a page that is mostly pictures is taken for a scan with a caption."""

_ENOUGH = 1000
"""Characters of a page that are counted first: most pages are known for text by then."""

_GARBAGE = 0.2
"""Share of characters without meaning, above which a text layer is not to be trusted."""

_TALL_FIELD = 30.0
_FIRST_LINE = 12.0
"""Points: in fields of several lines the text begins at the top, in others it stands in the middle."""

_LOOKED_AT = 500
"""Objects of a page that are looked at to tell a scan from a text."""

_NAMED = 20
"""Pages that a notice names."""

_LARGEST_SCALE = 4.0
"""288 dpi: small pages are not blown up beyond it."""


def read(data: bytes, job: Job) -> Parsed:
    """The chosen pages.

    Raises ``DocumentUnreadable``, ``DocumentEncrypted``, ``WrongPassword``, ``DocumentEmpty``, ``PagesOutOfRange`` and
    the errors of the caps.
    """
    with _opened(data, job.password) as pdf:
        count = len(pdf)
        if count < 1:
            raise DocumentEmpty("the PDF has no page")
        numbers = chosen(count, job.pages)
        if len(numbers) > job.limits.max_pages:
            raise too_many_pages(len(numbers), job)
        return replace(
            _Reader(pdf, job, switched_off(data)).read(numbers), metadata=of_pdf(_information(pdf))
        )


def _information(pdf: Any) -> dict[str, str]:
    """What the file says of itself; a broken dictionary says nothing."""
    try:
        found: dict[str, str] = pdf.get_metadata_dict(skip_empty=True)
    except (pdfium.helpers().PdfiumError, ValueError):
        return {}
    return found


@contextlib.contextmanager
def _opened(data: bytes, password: str | None) -> Iterator[Any]:
    library = pdfium.helpers()

    try:
        pdf = library.PdfDocument(data, password=password or None)
    except library.PdfiumError as error:
        # pdfium keeps the code of an earlier failure when it fails without one, so the file has to agree.
        if getattr(error, "err_code", None) != _PASSWORD_ERROR or b"/Encrypt" not in data:
            raise DocumentUnreadable("the PDF is damaged beyond repair") from error
        if password:
            raise WrongPassword(
                "the password does not open the PDF", errors=[Fault("/password", WrongPassword.hint)]
            ) from error
        raise DocumentEncrypted(
            "the PDF needs a password to open",
            errors=[Fault("/password", "Send the password that opens it, or remove the protection.")],
        ) from error
    try:
        with contextlib.suppress(library.PdfiumError):
            pdf.init_forms()  # before any page is loaded, or widgets are neither listed nor drawn
        yield pdf
    finally:
        pdf.close()


class _Reader:
    """One pass over the chosen pages, with what has been spent so far."""

    def __init__(self, pdf: Any, job: Job, layers: Layers | None) -> None:
        self._pdf = pdf
        self._layers = layers
        self._job = job
        self._characters = 0
        self._words = 0
        self._image_bytes = 0
        self._scans = job.scans
        self._notices: dict[Notice, None] = {}
        self._hidden: dict[Why, list[tuple[int, int, int]]] = {}
        """Per reason: page, words, characters."""

    def read(self, numbers: list[int]) -> Parsed:
        library = pdfium.helpers()

        pages: list[Page] = []
        broken: list[int] = []
        for number in numbers:
            try:
                page = self._pdf[number - 1]
            except library.PdfiumError:
                broken.append(number)
                continue
            try:
                with on_page(number):
                    pages.append(self._page(number, page))
            finally:
                page.close()
        if not pages:
            raise DocumentUnreadable("no page of the PDF can be read: its page tree is damaged")
        if broken:
            shown = ", ".join(map(str, broken[:20]))
            self._note("page_unreadable", f"pages that are damaged were skipped: {shown}")
        if not any(page.text or page.image for page in pages):
            pages[0] = self._with_image(pages[0])
            self._note("blank", "the pages hold neither text nor pictures")
        for why, places in self._hidden.items():
            self._note("hidden_text", _left_out(why, places))
        return Parsed(tuple(pages), tuple(self._notices))

    def _page(self, number: int, page: Any) -> Page:
        width, height = page.get_size()
        if not (width > 0 and height > 0):
            width, height = 612.0, 792.0
        to_share = affine(page)
        fields = filled(page, to_share)
        way = to_share.scaled(width, height)
        found, looks, odd = self._pieces(page, way)
        sifted = sift(page, found, looks, way, (width, height), self._layers)
        visible = sifted.seen
        for why, words in sifted.hidden.items():
            self._hidden.setdefault(why, []).append(
                (number, len(words), sum(len(piece.text) for piece in words))
            )
        text = arrange([*visible, *_placed(fields, width, height)], width, height)
        if fields:
            listed = "\n".join(
                f"{field.name}: {' '.join(field.value.split())}" for field in fields if field.name
            )
            text = f"{text}\n\n{listed}" if text and listed else text or listed
        text, dropped = clean(text)
        for notice in dropped:
            self._note(notice.rule, notice.message)
        self._characters += len(text)
        check_length(self._characters, self._job.limits)
        needed = _needs_image(page, text, odd)
        source: Source = "text"
        if needed:
            source = "mixed" if odd <= _GARBAGE and any(map(str.isalnum, text)) else "image"
        image = scan = None
        if needed or self._job.images == "always":
            image, scan = self._rendered(page, width, height, scan=needed and self._scans > 0)
            self._scans -= needed
        return Page(
            number=number,
            text=text,
            words=self._kept_words([*visible, *_field_words(fields, width, height)], width, height),
            image=image,
            width=round(width, 2),
            height=round(height, 2),
            source=source,
            scan=scan,
        )

    def _pieces(self, page: Any, way: Affine) -> tuple[list[Piece], dict[int, Look], float]:
        """The words of the text layer with ``way`` applied, their looks, and the share of characters without meaning."""
        library = pdfium.helpers()

        try:
            textpage = page.get_textpage()
        except library.PdfiumError:
            self._note("text_layer", "a page's text layer is damaged: the page is read as an image")
            return [], {}, 1.0
        try:
            check_length(self._characters + textpage.count_chars(), self._job.limits)
            return pieces(textpage, way)
        finally:
            textpage.close()

    def _kept_words(self, found: list[Piece], width: float, height: float) -> tuple[Word, ...]:
        self._words += len(found)
        if self._words > self._job.limits.max_words:
            self._note("words", f"places are known for the first {self._job.limits.max_words} words only")
            return ()
        words = []
        for text, x0, y0, x1, y1, *_ in found:
            word = text if text.isascii() else "".join(clean(text)[0].split())
            if word:
                box = (x0 / width, y0 / height, x1 / width, y1 / height)
                if x0 < 0 or y0 < 0 or x1 > width or y1 > height:
                    box = (_share(box[0]), _share(box[1]), _share(box[2]), _share(box[3]))
                words.append(Word(word, box))
        return tuple(words)

    def _rendered(
        self, page: Any, width: float, height: float, *, scan: bool = False
    ) -> tuple[Image, Image | None]:
        """The page as the model is shown it, and with ``scan`` as OCR sees it where that is more."""
        shown = self._job.limits.image_side
        side = max(shown, SCAN_SIDE) if scan else shown
        scale = min(side / max(width, height), _LARGEST_SCALE)
        bitmap = page.render(scale=scale, may_draw_forms=True, rev_byteorder=True)
        try:
            image, seen = encode_both(bitmap.to_pil(), side=shown, scan=scan)
        finally:
            bitmap.close()
        self._image_bytes += len(image.data)
        check_bytes(self._image_bytes, self._job.limits)
        return image, seen

    def _with_image(self, blank: Page) -> Page:
        page = self._pdf[blank.number - 1]
        try:
            image, _ = self._rendered(page, blank.width or 612.0, blank.height or 792.0)
        finally:
            page.close()
        return Page(number=blank.number, text=blank.text, image=image, width=blank.width, height=blank.height)

    def _note(self, rule: str, message: str) -> None:
        self._notices[Notice(rule, message)] = None


def _left_out(why: Why, places: list[tuple[int, int, int]]) -> str:
    """What was left out: how much, why and where, without a word of it."""
    numbers = [str(number) for number, _, _ in places]
    pages = ", ".join(numbers[:_NAMED]) + (
        f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
    )
    words, characters = sum(words for _, words, _ in places), sum(count for _, _, count in places)
    return f"{words} words ({characters} characters) {REASONS[why]} were left out: page {pages}"


def _placed(fields: list[Filled], width: float, height: float) -> list[Piece]:
    """The values of fields where the fields stand, for the layout."""
    placed = []
    for field in fields:
        left, top, right, bottom = field.box
        tall = (bottom - top) * height
        base = top * height + (tall * 0.72 if tall < _TALL_FIELD else _FIRST_LINE)
        shown = " ".join(field.shown.split())
        placed.append(
            Piece(shown, left * width, top * height, right * width, bottom * height, base, vertical=0)
        )
    return placed


def _field_words(fields: list[Filled], width: float, height: float) -> list[Piece]:
    """The words of fields. Where in its field a word stands is the viewer's affair: the box is the field's."""
    return [
        piece._replace(text=word)
        for piece in _placed(fields, width, height)
        for word in ([] if piece.text == "[ ]" else piece.text.split())
    ]


def _needs_image(page: Any, text: str, odd: float) -> bool:
    """Whether the text alone does not hold what a reader of the page sees."""
    raw = pdfium.raw()

    letters = sum(map(str.isalnum, text[:_ENOUGH]))
    if letters >= _SCAN and odd <= _GARBAGE:
        return False
    letters += sum(map(str.isalnum, text[_ENOUGH:]))
    objects = raw.FPDFPage_CountObjects(page)
    if letters == 0:
        return bool(objects > 0 or raw.FPDFPage_GetAnnotCount(page) > 0)
    if odd > _GARBAGE:
        return True
    if letters < _FEW and _drawn(page, min(objects, _LOOKED_AT)):
        return True
    return letters < _SCAN and _picture_share(page, min(objects, _LOOKED_AT)) > 0.5


def _drawn(page: Any, objects: int) -> bool:
    """Whether a page holds pictures, or so many lines and shapes that letters may be drawn with them."""
    raw = pdfium.raw()
    kinds = [raw.FPDFPageObj_GetType(raw.FPDFPage_GetObject(page, at)) for at in range(objects)]
    shapes = kinds.count(raw.FPDF_PAGEOBJ_PATH)
    return shapes > 50 or len(kinds) > shapes + kinds.count(raw.FPDF_PAGEOBJ_TEXT)


def _picture_share(page: Any, objects: int) -> float:
    """How much of the page is pictures, overlaps counted twice."""
    import ctypes

    raw = pdfium.raw()

    width, height = page.get_size()
    edges = [ctypes.c_float() for _ in range(4)]
    area = 0.0
    for at in range(objects):
        item = raw.FPDFPage_GetObject(page, at)
        if raw.FPDFPageObj_GetType(item) == raw.FPDF_PAGEOBJ_IMAGE and raw.FPDFPageObj_GetBounds(
            item, *edges
        ):
            left, bottom, right, top = (edge.value for edge in edges)
            area += abs(right - left) * abs(top - bottom)
    return area / (width * height) if width * height > 0 else 0.0


def _share(value: float) -> float:
    return 0.0 if value < 0 else 1.0 if value > 1 else value
