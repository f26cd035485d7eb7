"""What is asked of a model and what may come back: plain values, no I/O.

``Outcome`` is closed: what a model may do is a value. What the network or the provider did wrong is the value
``Failed`` too, so that every attempt can be recorded before anything is raised.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from service.foundation.money import NanoUSD


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text of the user message."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A picture of the user message."""

    media_type: str
    data: bytes = field(repr=False)
    width: int
    height: int
    detail: Literal["low", "high", "auto"] = "auto"


@dataclass(frozen=True, slots=True)
class FilePart:
    """A whole file, which the provider reads itself: of a PDF the text layer and a picture of each page.

    ``pages`` and ``text_bytes`` (UTF-8 of the text layer) are what a worst case reckons with.
    """

    name: str = field(repr=False)
    media_type: str
    data: bytes = field(repr=False)
    pages: int
    text_bytes: int
    detail: Literal["low", "high", "auto"] = "auto"


Part = TextPart | ImagePart | FilePart


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """The strict ``json_schema`` format: ``name`` matches ``^[a-zA-Z0-9_-]{1,64}$``, ``schema`` is the strict form.

    ``rendered`` is the whole ``text.format`` object as JSON text, made once per schema version and spliced into every
    request body.
    """

    name: str
    schema: Mapping[str, Any] = field(repr=False)
    rendered: bytes = field(repr=False)


CallKind = Literal["first", "segment", "repair", "escalation"]
"""``segment``: one part of a long document; ``repair``: what was wrong is asked for again; ``escalation``: of a stronger
model."""

AttemptKind = Literal[CallKind, "retry"]
"""What its call is for, of the first attempt at it; ``retry`` of those that follow because the provider failed."""


@dataclass(frozen=True, slots=True)
class Call:
    """One question to one model. The document stands last so that the provider's prompt cache hits the prefix."""

    model: str
    instructions: str = field(repr=False)
    parts: tuple[Part, ...] = field(repr=False)
    format: ResponseFormat
    max_output_tokens: int
    cache_key: str | None = None
    minimal: ResponseFormat | None = None
    """A simpler form of the same schema, tried once when the provider does not accept ``format``."""
    kind: CallKind = "first"
    """What the call is for; stands on the first of its attempts."""
    logprobs: bool = False
    """Whether the log-probability of each token of the answer is asked for, where the model gives it."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider billed them. ``cached`` is a part of ``input``, ``reasoning`` a part of ``output``.

    ``cache_write`` is the part of ``input`` that filled the provider's cache; newer models charge more for it.
    """

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """A complete answer: JSON text of the strict form (not yet parsed)."""

    text: str = field(repr=False)
    tokens: tuple[tuple[bytes, float], ...] = field(default=(), repr=False)
    """The answer's tokens (UTF-8) and their log-probabilities, where they were asked for and given."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The model declined; ``text`` is its own explanation."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Truncated:
    """The output budget ended before the answer did."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Filtered:
    """The provider's content filter stopped the answer."""


FailureKind = Literal[
    "connection",  # no answer: refused, reset, DNS
    "timeout",  # no answer in time (the provider's or the network's, not the caller's deadline)
    "protocol",  # an answer that the contract does not allow: HTML, no output, unknown status
    "rejected",  # 4xx: our request is at fault (bad request, invalid image, schema refused)
    "context",  # the input is larger than the model's context window
    "credentials",  # 401, 403
    "quota",  # insufficient_quota and its kin: money or limits at the provider, waiting does not help
    "rate",  # 429 that waiting cures
    "too_large",  # one request larger than the whole rate bucket: waiting never cures it
    "model",  # unknown or retired model
    "overloaded",  # 503, mid-stream overload
    "server",  # 5xx, status failed
    "throttled",  # our own queue for the provider's rate limit: full, or longer than the deadline allows
    "deadline",  # the caller's deadline passed while waiting
    "cancelled",  # the caller went away
]


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer. ``message`` is the provider's own text, for logs and operators: it may quote our request."""

    kind: FailureKind
    message: str = field(repr=False)
    http_status: int | None = None
    code: str | None = None
    param: str | None = None
    retry_after: float | None = None
    """Seconds the provider asked us to wait."""
    should_retry: bool | None = None
    """What the provider's ``x-should-retry`` says; None when it says nothing."""


Outcome = Text | Refused | Truncated | Filtered | Failed


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request on the wire: what came of it and what it cost. Recorded before anything else happens."""

    id: str
    asked_model: str
    model: str | None
    """The dated snapshot that answered; None when nothing did."""
    request_id: str | None
    outcome: str
    """``text``, ``refused``, ``truncated``, ``filtered`` or ``failed:<kind>``; the extraction turns ``text`` into
    ``accepted``, ``malformed`` or ``invalid``."""
    usage: Usage
    cost: NanoUSD
    seconds: float
    http_status: int | None
    error_code: str | None
    started_at: datetime
    kind: AttemptKind = "first"


_MAYBE_BILLED = frozenset({"failed:connection", "failed:timeout", "failed:cancelled", "failed:deadline"})


def may_be_billed(attempt: Attempt) -> bool:
    """Whether it ended so that nobody told us what the provider did, and billed. Its ``cost`` then says nothing."""
    return attempt.outcome in _MAYBE_BILLED


class Purse(Protocol):
    """What a call's attempts are paid from. Other calls may draw on the same money meanwhile."""

    def settle(self, attempt: Attempt) -> None:
        """An attempt has ended: what was set aside for it is free again but for what it cost."""

    async def reserve(self) -> bool:
        """Set the worst case of one more attempt aside; False when it does not fit, and then none is begun."""


@dataclass(frozen=True, slots=True)
class Reply:
    """How a call ended. ``attempts`` are in order; the last one brought ``outcome``.

    The earlier ones were handed to the caller's ``record`` as they failed; the last one is left to the caller, who
    knows the verdict on it. No attempt at all: the deadline had passed before the first one.
    """

    outcome: Outcome
    attempts: tuple[Attempt, ...]
    minimal: bool = False
    """The answer is in the form of ``Call.minimal``."""
