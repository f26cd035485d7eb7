"""OCR as the service sees it: which pages need it, what was read before, and what is said of pages that stay pictures.

A page that cannot be read keeps its picture and becomes a notice; no document fails because of it.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from service.documents import ocr, ocr_scripts
from service.documents.document import Image, Notice, Page, Word
from service.documents.errors import DocumentTooHungry, DocumentTooSlow, ParserUnavailable
from service.documents.layout import Piece, arrange
from service.documents.parsed import Job
from service.documents.pool import Pool
from service.documents.settings import Settings
from service.foundation import clock
from service.foundation.errors import DeadlineExceeded, WinnowError

Readiness = Literal["ready", "not installed", "off"]

_SHARE = 0.5
"""Part of the time left until the deadline that OCR may take: somebody still has to be asked about the document."""

_SURE = 0.95
"""Mean confidence of rapidocr's words from which nobody else is asked. Of made pages in Latin letters it is 0.99 and
more, of such in Cyrillic, Greek, Arabic and Hebrew 0.78 to 0.91."""

_NOT_STARTED = "OCR could not be started"
_NAMED = 20
"""Page numbers that a notice lists."""


class Recognition:
    """Reads pictures of pages in processes of their own. One per loader; ``open`` and ``close`` with it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._limits = settings.limits()
        self._pool: Pool | None = None
        self._scripts: Pool | None = None
        self._known: OrderedDict[str, Page] = OrderedDict()
        self._words = 0

    @property
    def readiness(self) -> Readiness:
        """Whether pictures can be read here."""
        if self._settings.ocr == "off":
            return "off"
        return "ready" if ocr.available() or self.scripts else "not installed"

    @property
    def scripts(self) -> tuple[str, ...]:
        """The languages, by tesseract's names, that are read beyond those of the extra."""
        return () if self._settings.ocr == "off" else ocr_scripts.languages()

    async def open(self) -> None:
        """Look once for what the system has."""
        await asyncio.to_thread(ocr_scripts.languages)

    async def close(self) -> None:
        """End all processes, also busy ones."""
        pools, self._pool, self._scripts = (self._pool, self._scripts), None, None
        for pool in pools:
            if pool is not None:
                await pool.close()

    async def read(
        self, pages: Sequence[Page], deadline: float | None
    ) -> tuple[tuple[Page, ...], tuple[Notice, ...]]:
        """The pages, with the text of those that are pictures, and what there is to say of pictures that stay unread.

        Never raises for what a page is: ``deadline`` (of ``clock.monotonic``) ends the reading early, not the request.
        """
        wanted = [
            place for place, page in enumerate(pages) if page.source in {"image", "mixed"} and page.image
        ]
        if not wanted or self.readiness == "off":
            return tuple(pages), ()
        if self.readiness == "not installed":
            unread = [pages[place].number for place in wanted]
            return tuple(pages), (_notice(unread, "OCR is not installed: pip install 'winnow[ocr]'"),)
        until = None
        if deadline is not None:
            now = clock.monotonic()
            until = now + (deadline - now) * _SHARE
        # As many at once as there are processes: other documents get their turn between two pages.
        turns = asyncio.Semaphore(self._settings.ocr_workers)
        most = self._settings.ocr_pages

        broken = False

        async def one(place: int) -> Page | str:
            nonlocal broken
            async with turns:
                outcome = _NOT_STARTED if broken else await self._page(pages[place], until)
                broken = broken or outcome == _NOT_STARTED
                return outcome

        outcomes = await asyncio.gather(*(one(place) for place in wanted[:most]))
        read = list(pages)
        why: dict[str, list[int]] = {}
        for place, outcome in zip(wanted, outcomes, strict=False):
            if isinstance(outcome, Page):
                read[place] = outcome
            else:
                why.setdefault(outcome, []).append(pages[place].number)
        if len(wanted) > most:
            why[f"OCR reads {most} pages of a document"] = [pages[place].number for place in wanted[most:]]
        return tuple(read), tuple(_notice(numbers, reason) for reason, numbers in why.items())

    async def _page(self, page: Page, until: float | None) -> Page | str:
        """The page with what was read in its picture, or why nothing was."""
        picture = page.scan or page.image
        assert picture is not None  # noqa: S101 - narrows the type: only pages with pictures are asked for
        digest = (await asyncio.to_thread(hashlib.sha256, picture.data)).hexdigest()
        found = self._known.get(digest)
        if found is not None:
            self._known.move_to_end(digest)
        else:
            try:
                found = await self._recognised(picture, until)
            except WinnowError as error:
                return _why(error)
            self._keep(digest, found)
        if page.source == "mixed":
            return await asyncio.to_thread(_joined, page, found)
        return replace(page, text=found.text, words=found.words, source="ocr", language=found.language)

    async def _recognised(self, picture: Image, until: float | None) -> Page:
        """By rapidocr; where it is not sure, or not there, by tesseract, if that reads a script that it knows better."""
        found = None
        if ocr.available():
            if self._pool is None:
                self._pool = Pool(self._settings.recognising())
            found = await self._by(self._pool, picture, until)
            if not self.scripts or not _unsure(found):
                return found
        if self._scripts is None:
            self._scripts = Pool(self._settings.recognising_scripts())
        try:
            other = await self._by(self._scripts, picture, until)
        except WinnowError:
            if found is None:
                raise
            return found  # the page is read, if not well
        return other if found is None or ocr_scripts.better(other) else found

    async def _by(self, pool: Pool, picture: Image, until: float | None) -> Page:
        parsed = await pool.run(Job(picture.media_type, self._limits), picture.data, until)
        if len(parsed.pages) != 1:
            raise DocumentTooSlow("OCR gave no page")
        return parsed.pages[0]

    def _keep(self, digest: str, page: Page) -> None:
        """Remember a page, and forget those that were not asked for longest while all are too many words."""
        before = self._known.pop(digest, None)
        self._words -= _weight(before) if before is not None else 0
        self._known[digest] = page
        self._words += _weight(page)
        while self._words > self._settings.ocr_cache_words:
            _, oldest = self._known.popitem(last=False)
            self._words -= _weight(oldest)


def _unsure(page: Page) -> bool:
    """Whether the page may be in a script that rapidocr does not know: it leaves letters out, or takes them for others."""
    sure = [word.confidence for word in page.words if word.confidence is not None]
    return not sure or sum(sure) < _SURE * len(sure)


def _weight(page: Page) -> int:
    return max(len(page.words), 1)


def _joined(page: Page, found: Page) -> Page:
    """A text layer and what OCR reads beside it."""
    if not page.words:
        text = f"{page.text}\n\n{found.text}" if page.text.strip() else found.text
        return replace(page, text=text, words=() if page.text.strip() else found.words)
    more = [word for word in found.words if not any(_covers(own, word) for own in page.words)]
    width, height = page.width or 1.0, page.height or 1.0
    pieces = []
    for word in more:
        left, top, right, bottom = word.box
        pieces.append(
            Piece(word.text, left * width, top * height, right * width, bottom * height, bottom * height, 0)
        )
    text = f"{page.text}\n\n{arrange(pieces, width, height)}" if more else page.text
    return replace(page, text=text, words=(*page.words, *more))


def _covers(own: Word, word: Word) -> bool:
    """Whether the middle of a word that was read lies on a word of the text layer."""
    across, down = (word.box[0] + word.box[2]) / 2, (word.box[1] + word.box[3]) / 2
    left, top, right, bottom = own.box
    return left <= across <= right and top <= down <= bottom


def _why(error: WinnowError) -> str:
    match error:
        case DeadlineExceeded():
            return "there was not time enough before the deadline"
        case DocumentTooSlow():
            return "OCR takes too long for it"
        case DocumentTooHungry():
            return "OCR takes too much memory for it"
        case ParserUnavailable():
            return _NOT_STARTED
        case _:
            return "OCR failed on it"


def _notice(numbers: Sequence[int], reason: str) -> Notice:
    shown = ", ".join(map(str, numbers[:_NAMED])) + (", …" if len(numbers) > _NAMED else "")
    return Notice("ocr", f"pages that are pictures were not read ({reason}): {shown}")
