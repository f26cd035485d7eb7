"""Times of day as documents and records write them."""

import re
from collections.abc import Iterator

from service.extraction.evidence.dates import Places

_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
_TIME = re.compile(
    r"(?<![\d.:])(?P<h>\d{1,2})(?:\s?[:.h時시Hu]\s?(?P<m>\d\d)(?!\d))?(?::\d\d)?\s?"
    r"(?P<half>[ap]\.?\s?m\b\.?|o'?clock|uhr|h\b|時|시)?",
    re.IGNORECASE,
)
_HALF_BEFORE = re.compile(r"(午前|午後|上午|下午|오전|오후)\s?$")
_NOON = re.compile(
    r"\b(noon|midday|mittag|midi|mediodía|mezzogiorno|midnight|mitternacht|minuit)\b", re.IGNORECASE
)


def clock(value: str) -> int | None:
    """Minutes since midnight of an ISO time, None for anything else."""
    match = _CLOCK.fullmatch(value)
    if match is None or int(match[1]) > 24 or int(match[2]) > 59:
        return None
    return int(match[1]) * 60 + int(match[2])


def collect(text: str) -> Places:
    """Every time of day, in minutes since midnight."""
    found: Places = {}
    for match in _TIME.finditer(text):
        hour, minute, half = int(match["h"]), match["m"], (match["half"] or "").lower()
        if hour > 24 or (minute is None and not half) or int(minute or 0) > 59:
            continue
        for at, sure in _of_day(
            hour, int(minute or 0), half, text[max(0, match.start() - 3) : match.start()]
        ):
            found.setdefault(at, []).append((match.start(), len(match[0].rstrip()) + match.start(), sure))
    for match in _NOON.finditer(text):
        night = match[1].lower() in {"midnight", "mitternacht", "minuit"}
        found.setdefault(0 if night else 720, []).append((*match.span(), 0.95))
    return found


def _of_day(hour: int, minute: int, half: str, before: str) -> Iterator[tuple[int, float]]:
    east = _HALF_BEFORE.search(before)
    if east is not None:
        half = "p" if east[1] in "午後下午오후" and east[1] not in "上午" else "a"
    if half[:1] in ("a", "p") and hour <= 12:
        yield (hour % 12 + (12 if half[0] == "p" else 0)) * 60 + minute, 1.0
        return
    yield hour * 60 + minute, 0.97
    if 1 <= hour < 12:
        yield (hour + 12) * 60 + minute, 0.85
