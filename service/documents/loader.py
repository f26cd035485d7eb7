"""The front door: bytes → ``Document``. Small texts are read on the spot, everything else in a worker process."""

import asyncio
import hashlib
from dataclasses import replace

from service.documents import plain, tables
from service.documents.document import Document, PageRange
from service.documents.encodings import sniff_unicode
from service.documents.errors import DocumentEmpty, at_least_the_whole
from service.documents.language import told
from service.documents.media import Media, resolve
from service.documents.parsed import Images, Job, Parsed
from service.documents.pool import Pool
from service.documents.recognition import Readiness, Recognition
from service.documents.settings import Settings
from service.foundation.content import Content, Spooled
from service.foundation.errors import WinnowError

_HASH_THREAD = 1024 * 1024
"""Bytes from which the digest (about 1 ms per MB) is made in a thread."""

_TABLE_WEIGHT = 8
_LETTER_WEIGHT = 4
"""How much longer, at worst, a byte of a table or of text beyond ASCII takes than one of plain ASCII."""

_LONGEST_NAME = 200


class Loader:
    """Opened in the app's lifespan: it owns the worker processes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._limits = settings.limits()
        self._pool: Pool | None = None
        self._recognition = Recognition(settings)

    async def open(self) -> None:
        """Ready to load. No process is started before the first document needs one."""
        if self._pool is None:
            self._pool = Pool(self._settings.parsing())
            await self._recognition.open()

    async def close(self) -> None:
        """End all processes, also busy ones; loads that are under way fail."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()
        await self._recognition.close()

    async def warm(self) -> None:
        """Start one process ahead of the first document. Optional: a service may do it behind its start.

        Raises ``ParserUnavailable``.
        """
        if self._pool is not None:
            await self._pool.warm()

    def isolation(self) -> str:
        """How the processes are cut off: ``seccomp``, ``namespace`` or ``none``; ``unknown`` before the first started."""
        return self._pool.isolation if self._pool is not None else "unknown"

    def ocr(self) -> Readiness:
        """Whether the text of pictures can be read: ``ready``, ``not installed`` or ``off``."""
        return self._recognition.readiness

    def ocr_scripts(self) -> tuple[str, ...]:
        """The languages whose scripts are read beyond those of the extra, by the names that tesseract has for them."""
        return self._recognition.scripts

    async def load(
        self,
        data: Content,
        *,
        declared: str | None,
        name: str | None,
        password: str | None = None,
        pages: PageRange | None = None,
        images: Images = "auto",
        ocr: bool = False,
        deadline: float | None = None,
    ) -> Document:
        """The document in ``data``, only the wanted ``pages`` of it. What is spooled is not read into this process.

        ``declared`` is the media type as it was claimed, with its parameters; ``deadline`` is a moment of
        ``clock.monotonic``. With ``images="always"`` every page of a format that can be rendered has its image. With
        ``ocr`` pages that are pictures have the words in them, where OCR is installed: seconds a page. Pages that it
        cannot read stay pictures, and a notice says why.

        Raises ``UnsupportedMedia`` (415), the errors of ``service.documents.errors``, and ``DeadlineExceeded`` (504). Each
        names a place and what to do: the bytes are ``""``, these arguments ``/password``, ``/pages`` and ``/deadline``.
        """
        try:
            return await self._load(
                data,
                declared=declared,
                name=name,
                password=password,
                pages=pages,
                images=images,
                ocr=ocr,
                deadline=deadline,
            )
        except WinnowError as error:
            at_least_the_whole(error)
            raise

    async def _load(
        self,
        data: Content,
        *,
        declared: str | None,
        name: str | None,
        password: str | None,
        pages: PageRange | None,
        images: Images,
        ocr: bool,
        deadline: float | None,
    ) -> Document:
        if not len(data):
            raise DocumentEmpty("the document has no bytes")
        if isinstance(data, Spooled):
            media = await asyncio.to_thread(_resolve_spooled, data, declared, name)
        else:
            media = resolve(data, declared=declared, name=name)
        job = Job(
            media_type=media.media_type,
            limits=self._limits,
            charset=media.charset,
            password=password,
            pages=pages,
            images=images,
            scans=self._settings.ocr_pages if ocr and self._recognition.readiness == "ready" else 0,
        )
        parsed = None if isinstance(data, Spooled) else self._inline(data, media, job)
        if parsed is None:
            if self._pool is None:
                raise RuntimeError("the loader is not open")
            parsed = await self._pool.run(job, data, deadline)
        if ocr:
            read, unread = await self._recognition.read(parsed.pages, deadline)
            read = tuple(page if page.scan is None else replace(page, scan=None) for page in read)
            parsed = replace(parsed, pages=read, notices=(*parsed.notices, *unread))
        return Document(
            digest=data.digest if isinstance(data, Spooled) else await _digest(data),
            media_type=media.media_type,
            name=_shown_name(name),
            size=len(data),
            pages=parsed.pages,
            notices=(*media.notices, *parsed.notices),
            metadata=parsed.metadata,
        )

    def _inline(self, data: bytes, media: Media, job: Job) -> Parsed | None:
        """Read a small text in marked Unicode or UTF-8 at once; None for what belongs into a worker."""
        if media.kind not in {"text", "json", "xml", "table"}:
            return None
        weight = _TABLE_WEIGHT if media.kind == "table" else 1 if data.isascii() else _LETTER_WEIGHT
        if len(data) * weight > self._settings.inline_bytes:
            return None
        if sniff_unicode(data) is None:
            try:
                data.decode("utf-8")
            except UnicodeDecodeError:
                return None
        parsed = tables.read(data, job) if media.kind == "table" else plain.read(data, job)
        return replace(parsed, pages=told(parsed.pages))


def _resolve_spooled(data: Spooled, declared: str | None, name: str | None) -> Media:
    view = data.view()
    try:
        return resolve(view, declared=declared, name=name)
    finally:
        view.close()


async def _digest(data: bytes) -> str:
    if len(data) < _HASH_THREAD:
        return f"sha256:{hashlib.sha256(data).hexdigest()}"
    return f"sha256:{(await asyncio.to_thread(hashlib.sha256, data)).hexdigest()}"


def _shown_name(name: str | None) -> str | None:
    """The last part of a file name, printable and bounded. It is shown and never opened."""
    if not name:
        return None
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(letter for letter in last if letter.isprintable()).strip()
    return shown[:_LONGEST_NAME] or None
