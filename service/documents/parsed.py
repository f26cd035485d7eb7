"""What a parser is asked and what it gives back: plain values that cross the process boundary."""

from dataclasses import dataclass, field
from typing import Literal

from service.documents.document import Metadata, Notice, Page, PageRange
from service.documents.errors import DocumentTooLong
from service.documents.limits import Limits

Images = Literal["auto", "always"]
"""Which pages get an image: those that need one to be read, or all of a format that can be rendered."""


@dataclass(frozen=True, slots=True)
class Job:
    """How to read the bytes that come with it."""

    media_type: str
    limits: Limits
    charset: str | None = None
    password: str | None = field(default=None, repr=False)
    pages: PageRange | None = None
    images: Images = "auto"
    depth: int = 0
    """How many messages this one lies inside of."""
    scans: int = 0
    """Of how many pages pictures for OCR are wanted too, where those are larger than what the model is shown."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The pages that were asked for, numbered as in the whole document, and what the parser noticed."""

    pages: tuple[Page, ...]
    notices: tuple[Notice, ...] = ()
    metadata: Metadata | None = None


def check_length(characters: int, limits: Limits) -> None:
    """Raise ``DocumentTooLong`` above the cap on text."""
    if characters > limits.max_text_characters:
        raise DocumentTooLong(
            f"the document holds more than {limits.max_text_characters} characters of text",
            members={"limit": "max_text_characters", "allowed": limits.max_text_characters},
        )
