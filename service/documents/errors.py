"""What can be wrong with a document.

    Unprocessable (422)
    ├── DocumentEmpty               document_empty               nothing in it to read
    ├── DocumentUnreadable          document_unreadable          broken, or not what it claims to be
    ├── DocumentEncrypted           document_encrypted           a password is needed
    ├── WrongPassword               wrong_password
    ├── UndecodableText             undecodable_text             bytes that are text in no encoding
    └── DocumentTooComplex          document_too_complex         nesting, parts or cells above a cap
        ├── DocumentTooManyPages    document_too_many_pages
        ├── DocumentTooManyPixels   document_too_many_pixels
        ├── DocumentTooLong         document_too_long            characters
        ├── DocumentTooSlow         document_too_slow            CPU or wall time
        └── DocumentTooHungry       document_too_much_memory
    BadRequest (400)
    └── PagesOutOfRange             pages_out_of_range
    Unavailable (503)
    └── ParserUnavailable           parser_unavailable           no worker process could be started

All cross the process boundary as ``(code, detail, members, faults)``: see ``by_code``. The pointers of their faults
are relative to what ``Loader.load`` is given: ``""`` are the bytes, ``/password`` and ``/pages`` those arguments.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from service.foundation.errors import (
    BadRequest,
    DeadlineExceeded,
    Fault,
    Unavailable,
    Unprocessable,
    UnsupportedMedia,
    WinnowError,
    leaves,
)


class DocumentEmpty(Unprocessable):
    """No bytes, only white space, no page, or an image too small to hold a letter."""

    code = "document_empty"
    title = "There is nothing to read in the document"
    hint = "Check that the file was saved and uploaded completely."


class DocumentUnreadable(Unprocessable):
    """Broken beyond what the parser can repair, or not of the type it claims to be."""

    code = "document_unreadable"
    title = "The document is broken or not of the type it claims to be"
    hint = "Open it in its own application, save it again, and send the new file."


class DocumentEncrypted(Unprocessable):
    """It needs a password to open."""

    code = "document_encrypted"
    title = "The document is encrypted"
    hint = "Send it in a JSON request with its password as `password` beside it, or remove the protection."


class WrongPassword(Unprocessable):
    """The password that came with the request does not open it."""

    code = "wrong_password"
    title = "The password does not open the document"
    hint = "Send the user or the owner password of this document, as it is written in its own viewer."


class UndecodableText(Unprocessable):
    """Declared as text, and text in no encoding we know."""

    code = "undecodable_text"
    title = "The bytes are not text in any known encoding"
    hint = "Send the text as UTF-8, or send the file under its real media type."


class DocumentTooComplex(Unprocessable):
    """More nesting, parts or cells than the service takes; the member ``limit`` names the cap."""

    code = "document_too_complex"
    title = "The document exceeds a limit of this service"
    hint = "Send a smaller or simpler document; the detail names the limit."


class DocumentTooManyPages(DocumentTooComplex):
    """More pages than ``max_pages``."""

    code = "document_too_many_pages"
    title = "The document has too many pages"
    hint = "Ask for a part of it with `pages`, such as `1-50`; one of several parts has to be split or sent alone."


class DocumentTooManyPixels(DocumentTooComplex):
    """An image larger than ``max_pixels`` or ``max_side``."""

    code = "document_too_many_pixels"
    title = "The image is too large"
    hint = "Scale the image down; 2000 pixels on the long side are plenty for reading."


class DocumentTooLong(DocumentTooComplex):
    """More text than ``max_text_characters``."""

    code = "document_too_long"
    title = "The document holds too much text"
    hint = "Split the document, or ask for a part of it with `pages`."


class DocumentTooSlow(DocumentTooComplex):
    """Parsing took more time than a document may."""

    code = "document_too_slow"
    title = "The document takes too long to parse"
    hint = "Save it anew (for PDFs: print to PDF), or ask for a part of it with `pages`."


class DocumentTooHungry(DocumentTooComplex):
    """Parsing took more memory than a document may."""

    code = "document_too_much_memory"
    title = "The document takes too much memory to parse"
    hint = "Save it anew with smaller images, or ask for a part of it with `pages`."


class PagesOutOfRange(BadRequest):
    """``pages`` names a page that the document does not have."""

    code = "pages_out_of_range"
    title = "The document does not have these pages"
    hint = "Ask only for pages that exist; the detail says how many there are."


class ParserUnavailable(Unavailable):
    """No worker process could be started: the machine is out of processes or memory."""

    code = "parser_unavailable"
    title = "No parser process could be started"
    hint = "Retry; if it persists, the operator should look at process and memory limits."


def by_code(code: str, detail: str, members: dict[str, Any], faults: Sequence[Fault] = ()) -> WinnowError:
    """The error that a worker reported. A code that is not a 4xx of ours is a broken document, never a fault of ours."""
    classes = {leaf.code: leaf for leaf in leaves() if 400 <= leaf.status < 500}
    return classes.get(code, DocumentUnreadable)(detail, members=members, errors=faults)


def at_least_the_whole(error: WinnowError, *, page: int | None = None) -> None:
    """Let an error name a place and what to do: where it names none, the whole (or one page) and what its code says."""
    if not error.errors:
        error.errors = (Fault("", error.hint or error.detail, page=page),)


@contextmanager
def on_page(number: int) -> Iterator[None]:
    """What is refused inside is refused for this page."""
    try:
        yield
    except WinnowError as error:
        at_least_the_whole(error, page=number)
        raise


__all__ = [
    "DeadlineExceeded",
    "DocumentEmpty",
    "DocumentEncrypted",
    "DocumentTooComplex",
    "DocumentTooHungry",
    "DocumentTooLong",
    "DocumentTooManyPages",
    "DocumentTooManyPixels",
    "DocumentTooSlow",
    "DocumentUnreadable",
    "PagesOutOfRange",
    "ParserUnavailable",
    "UndecodableText",
    "UnsupportedMedia",
    "WrongPassword",
    "at_least_the_whole",
    "by_code",
    "on_page",
]
