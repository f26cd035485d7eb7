"""The provider behind one door: the only place that imports the ``openai`` SDK."""

from service.upstream.call import (
    Attempt,
    Call,
    Failed,
    FailureKind,
    FilePart,
    Filtered,
    ImagePart,
    Outcome,
    Part,
    Purse,
    Refused,
    Reply,
    ResponseFormat,
    Text,
    TextPart,
    Truncated,
    Usage,
    may_be_billed,
)
from service.upstream.client import Health, Upstream
from service.upstream.errors import ContextExceeded, problem_for
from service.upstream.estimate import Estimate, at_most, counted, expected
from service.upstream.settings import ModelLimits, OwnModel, ProviderSettings, Settings

__all__ = [
    "Attempt",
    "Call",
    "ContextExceeded",
    "Estimate",
    "Failed",
    "FailureKind",
    "FilePart",
    "Filtered",
    "Health",
    "ImagePart",
    "ModelLimits",
    "Outcome",
    "OwnModel",
    "Part",
    "ProviderSettings",
    "Purse",
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
    "expected",
    "may_be_billed",
    "problem_for",
]
