"""What one extraction is asked to do: plain values, parsed but not begun."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from service.extraction.wire import Options
from service.foundation.content import Content
from service.registry import SchemaVersion


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of one part of the document, as they came."""

    data: Content = field(repr=False)
    media_type: str | None
    name: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    pointer: str = ""
    """Where in the request they stand, or what names them."""
    beside: str | None = None
    """Where in a JSON request the object stands that may hold a `password`; None in the other forms, which cannot."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A part of the document that was uploaded before. What is said here goes before what was said then."""

    id: str
    pointer: str
    """Where in the request it stands."""
    media_type: str | None = None
    name: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Linked:
    """A part of the document that a URL leads to. What is said here goes before what its server says."""

    url: str = field(repr=False)
    pointer: str
    """Where in the request it stands."""
    media_type: str | None = None
    name: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


AnyPiece = Piece | Uploaded | Linked


@dataclass(frozen=True, slots=True)
class Arguments:
    """One extraction, parsed but not begun. ``started`` is the monotonic second at which the request came in."""

    version: SchemaVersion
    pieces: Sequence[AnyPiece]
    options: Options
    metadata: Mapping[str, str]
    started: float
    caller: str = ""
    reader: SchemaVersion | None = None
    """The version that the record is to be projected for."""

    def __post_init__(self) -> None:
        """Take from the schema's model policy what the request leaves open of what it is shown."""
        given = self.options.model_fields_set
        said = self.version.policy
        wanted = {"policy": said.policy, "detail": said.detail, "pages": said.pages}
        open_ = {name: value for name, value in wanted.items() if value is not None and name not in given}
        if open_:
            object.__setattr__(self, "options", self.options.model_copy(update=open_))
