"""Plain text, Markdown, JSON and XML: the text as it stands. A form feed ends a page, as printers have it."""

from service.documents import escapes
from service.documents.document import Page
from service.documents.encodings import clean, decode
from service.documents.errors import DocumentEmpty, DocumentTooManyPages
from service.documents.media import kind_of
from service.documents.pages import chosen
from service.documents.parsed import Job, Parsed, check_length


def read(data: bytes, job: Job) -> Parsed:
    """One page, or as many as form feeds make.

    Raises ``UndecodableText``, ``DocumentEmpty``, ``DocumentTooLong``, ``DocumentTooManyPages``, ``PagesOutOfRange``.
    """
    kind = kind_of(job.media_type)
    text, notices = decode(data, job.charset or (escapes.declared(data) if kind == "xml" else None))
    text = escapes.of_json(text) if kind == "json" else escapes.of_xml(text) if kind == "xml" else text
    text, more = clean(text)
    check_length(len(text), job.limits)
    if not text.strip():
        raise DocumentEmpty("the text holds nothing but white space")
    sheets = text.rstrip().split("\f")
    numbers = chosen(len(sheets), job.pages)
    if len(numbers) > job.limits.max_pages:
        raise too_many_pages(len(numbers), job)
    pages = tuple(Page(number=number, text=sheets[number - 1].strip("\n").rstrip()) for number in numbers)
    return Parsed(pages, tuple(notices + more))


def too_many_pages(count: int, job: Job) -> DocumentTooManyPages:
    """The refusal above ``max_pages``."""
    allowed = job.limits.max_pages
    return DocumentTooManyPages(
        f"{count} pages are asked for, {allowed} are read at most: choose some with `pages`",
        members={"limit": "max_pages", "allowed": allowed, "found": count},
    )
