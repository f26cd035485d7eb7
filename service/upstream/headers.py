"""The rate limits that the provider's answers carry. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from service.upstream.buckets import KINDS, Kind
from service.upstream.durations import go_duration


@dataclass(frozen=True, slots=True)
class Seen:
    """What the headers of an answer say of one kind of limit, per minute."""

    limit: int | None = None
    remaining: int | None = None
    reset: float | None = None
    """Seconds until the bucket is full again."""


def seen_in(headers: Mapping[str, str]) -> dict[Kind, Seen]:
    """The ``x-ratelimit-*`` headers of an answer; reset values are Go durations."""
    found: dict[Kind, Seen] = {}
    for kind in KINDS:
        limit = _whole(headers.get(f"x-ratelimit-limit-{kind}"))
        remaining = _whole(headers.get(f"x-ratelimit-remaining-{kind}"))
        if limit is not None or remaining is not None:
            reset = go_duration(headers.get(f"x-ratelimit-reset-{kind}", ""))
            found[kind] = Seen(limit, remaining, reset)
    return found


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 16 else None
