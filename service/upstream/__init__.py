"""The provider behind one door: the only place that imports the ``openai`` SDK."""

from service.upstream.call import (
    Attempt,
    Call,
    Failed,
    FailureKind,
    Filtered,
    ImagePart,
    Outcome,
    Part,
    Refused,
    Reply,
    ResponseFormat,
    Text,
    TextPart,
    Truncated,
    Usage,
)
from service.upstream.client import Health, Upstream
from service.upstream.errors import problem_for
from service.upstream.estimate import Estimate, at_most, counted
from service.upstream.settings import Settings

__all__ = [
    "Attempt",
    "Call",
    "Estimate",
    "Failed",
    "FailureKind",
    "Filtered",
    "Health",
    "ImagePart",
    "Outcome",
    "Part",
    "Refused",
    "Reply",
    "ResponseFormat",
    "Settings",
    "Text",
    "TextPart",
    "Truncated",
    "Upstream",
    "Usage",
    "at_most",
    "counted",
    "problem_for",
]
