"""Pictures inside office files and web pages that hold nothing else: scans pasted into a document."""

from dataclasses import replace
from typing import Protocol

from service.documents.document import Notice, Page
from service.documents.errors import DocumentEmpty
from service.documents.media import resolve
from service.documents.pages import chosen
from service.documents.parsed import Job, Parsed
from service.documents.pictures import read as read_picture
from service.foundation.errors import WinnowError


class Source(Protocol):
    """Something that pictures can be taken out of by name."""

    def read(self, name: str, /) -> bytes:
        """The bytes of one."""


def pictures_instead(source: Source, paths: list[str], job: Job, text: str) -> Parsed:
    """The pictures as pages, what little text there is on the first.

    Raises ``DocumentEmpty`` when no picture can be read either, ``PagesOutOfRange``.
    """
    pages: list[Page] = []
    skipped = 0
    for path in dict.fromkeys(paths):
        data = source.read(path)
        try:
            media = resolve(data, declared=None, name=path)
            if media.kind != "image" or len(pages) >= job.limits.max_attachments:
                skipped += 1
                continue
            parsed = read_picture(data, replace(job, media_type=media.media_type, pages=None))
        except WinnowError:
            skipped += 1
            continue
        pages.extend(
            replace(page, number=len(pages) + at) for at, page in enumerate(parsed.pages[:1], start=1)
        )
    if not pages and not text.strip():
        raise DocumentEmpty("the document holds neither text nor pictures that can be read")
    if not pages:
        pages = [Page(number=1, text=text.strip())]
    elif text.strip():
        pages[0] = replace(pages[0], text=text.strip(), source="mixed")
    notices = [Notice("pictures", f"{skipped} pictures in the document were not read")] if skipped else []
    wanted = chosen(len(pages), job.pages)
    return Parsed(tuple(pages[number - 1] for number in wanted), tuple(notices))
