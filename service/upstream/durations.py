"""Durations as the provider writes them: Go's (``6m0s``, ``84ms``), seconds, milliseconds, HTTP dates."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_TRY_AGAIN = re.compile(r"try again in ((?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+)")
_LONGEST = 7 * 24 * 3600.0
"""Nobody waits longer; a larger figure is taken for this."""


def go_duration(text: str) -> float | None:
    """Seconds of a Go duration such as ``1h2m3.5s``; None when it is not one."""
    seconds = 0.0
    end = 0
    for match in _PART.finditer(text):
        if match.start() != end:
            return None
        seconds += float(match[1]) * _SECONDS[match[2]]
        end = match.end()
    return _bounded(seconds) if end and end == len(text) else None


def retry_after(headers: Mapping[str, str], message: str, *, now: datetime) -> float | None:
    """Seconds the provider asks us to wait: ``retry-after-ms``, else ``retry-after`` (seconds or an HTTP date).

    Without either, what the message of a 429 says ("Please try again in 84ms"). A date in the past is no wait at all.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _bounded(milliseconds / 1000)
    value = headers.get("retry-after")
    if value is not None:
        seconds = _number(value)
        return _bounded(seconds) if seconds is not None else _until(value, now)
    match = _TRY_AGAIN.search(message)
    return go_duration(match[1]) if match else None


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) and number >= 0 else None


def _until(date: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return _bounded(max((moment - now).total_seconds(), 0.0))


def _bounded(seconds: float) -> float:
    return min(seconds, _LONGEST)
