"""The policy ``file``: PDFs that the provider reads itself. Pure."""

from collections.abc import Sequence

from service.catalogue import Model
from service.documents import Document, File
from service.extraction.errors import PolicyImpossible
from service.foundation.errors import Fault

PDF = "application/pdf"

MOST_BYTES = 50_000_000
"""Of the files in one request, and of each (contract §4.1)."""


def check(model: Model, sizes: Sequence[int], *, pages: str | None, locked: bool) -> None:
    """Refuse at once what cannot be sent as files: ``sizes`` are those of all parts, PDFs or not.

    Raises ``PolicyImpossible``.
    """
    if "files" not in model.can:
        raise _impossible(
            f"{model.id} takes no files.", "Use `auto`, or a model whose `capabilities` name `files`."
        )
    if pages is not None:
        raise _impossible(
            "A file is sent whole, not some pages of it.", "Leave `pages` out, or use `auto` or `image`."
        )
    if locked:
        raise _impossible(
            "A PDF that needs a password cannot be opened by the provider.",
            "Remove the protection, or use `auto`: then it is opened here.",
        )
    if sum(sizes) > MOST_BYTES:
        raise _impossible(
            f"The provider takes {MOST_BYTES} bytes of files in a request, these are {sum(sizes)}.",
            "Use `auto`, or send fewer parts.",
        )


def files_of(parts: Sequence[tuple[Document, bytes]]) -> tuple[File, ...]:
    """The PDFs among a document's parts, with the page numbers that they have in the whole.

    Raises ``PolicyImpossible`` where no part is one.
    """
    files: list[File] = []
    first = 1
    for document, data in parts:
        pages = range(first, first + len(document.pages))
        first = pages.stop
        if document.media_type == PDF:
            files.append(
                File(_name(document, len(files) + 1, {file.name for file in files}), PDF, data, pages)
            )
    if not files:
        raise _impossible("The document has no part that is a PDF.", "Use `auto` for other formats.")
    return tuple(files)


def _name(document: Document, number: int, taken: set[str]) -> str:
    """What the file is called in the request: its own name, with the ending by which the provider knows a PDF."""
    name = document.name or f"document-{number}.pdf"
    if not name.lower().endswith(".pdf"):
        name += ".pdf"
    return f"{number}-{name}" if name in taken else name


def _impossible(detail: str, advice: str) -> PolicyImpossible:
    return PolicyImpossible(detail, errors=[Fault("/options/policy", advice)])
