"""What the model is shown of each page, why, and about what that costs. Pure, and cheap: nothing is tokenised."""

from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from service.catalogue import Model, image_tokens, text_tokens_about
from service.documents import Document, Page, Source
from service.extraction import prompt
from service.extraction.prompt import Reason, Showing
from service.extraction.wire import MOST_SHOWN, Detail, Policy
from service.upstream import FILE_PAGE


@dataclass(frozen=True, slots=True)
class Shown:
    """One page as the model sees it. ``tokens`` is about what showing it once takes of the input."""

    page: int
    showing: Showing
    reason: Reason
    tokens: int
    source: Source = "text"
    language: str | None = None


def pages_shown(document: Document, *, model: Model, policy: Policy, detail: Detail) -> tuple[Shown, ...]:
    """The document's first ``MOST_SHOWN`` pages as this model is shown them.

    Raises ``PolicyImpossible`` when the policy asks for something that one of them does not have.
    """
    inside = prompt.in_files(document)
    image = model.image_detail(detail)
    return tuple(
        _in_file(page, model, detail) if page.number in inside else _shown(page, model, policy, image)
        for page in document.pages[:MOST_SHOWN]
    )


def _in_file(page: Page, model: Model, detail: Detail) -> Shown:
    """Of a file the provider takes the text layer and a picture of each page."""
    tokens = ceil(text_tokens_about(page.text)) + image_tokens(model, *FILE_PAGE, detail)
    return Shown(page.number, "file", "policy", tokens, page.source, page.language)


def _shown(page: Page, model: Model, policy: Policy, detail: Detail) -> Shown:
    showing, reason = prompt.choice(page, policy)
    tokens = 0
    if showing != "image" and reason != "blank":
        tokens = ceil(text_tokens_about(page.text))
    if showing != "text" and page.image is not None:
        tokens += image_tokens(model, page.image.width, page.image.height, detail)
    return Shown(page.number, showing, reason, tokens, page.source, page.language)


def document_body(document: Document, shown: tuple[Shown, ...]) -> dict[str, Any]:
    """The JSON of a document that was read (see ``wire.DocumentRef``, which describes it)."""
    return {
        "digest": document.digest,
        "media_type": document.media_type,
        "pages": len(document.pages),
        "metadata": None if document.metadata is None else asdict(document.metadata),
        "shown": [
            {
                "page": one.page,
                "as": one.showing,
                "reason": one.reason,
                "tokens": one.tokens,
                "source": one.source,
                "language": one.language,
            }
            for one in shown
        ],
    }
