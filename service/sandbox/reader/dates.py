"""Dates and times as documents print them, in many languages, to ISO 8601."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from service.sandbox.reader.lexicon import MONTHS
from service.sandbox.reader.words import fold

__all__ = ["Day", "day_first", "find_dates", "find_months", "find_times", "iso_date", "iso_time"]

_MONTH = r"[^\W\d_]{3,12}"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ymd", re.compile(r"(?<![\d./-])((?:19|20)\d\d)[-/.年]\s?(\d{1,2})[-/.月]\s?(\d{1,2})(?!\d|[./-]\d)")),
    (
        "numeric",
        re.compile(r"(?<![\d./-])(\d{1,2})\s?([./-])\s?(\d{1,2})\s?\2\s?((?:19|20)\d\d|\d\d)(?!\d|[./-]\d)"),
    ),
    ("compact", re.compile(r"(?<!\d)(20\d\d)([01]\d)([0-3]\d)(?!\d)")),
    (
        "dmy",
        re.compile(
            rf"(?<![\d.])(\d{{1,2}})(?:st|nd|rd|th|er|º|ª|\.)?(?:\s+(?:de|of|d'))?[\s\-/.]{{0,3}}({_MONTH})\.?"
            r"(?:(?:\s+(?:de|del))?[,\s\-/.]{0,3}(?=\d{4})|[\-/.'](?='?\d\d(?!\d)))((?:19|20)\d\d|'?\d\d(?![\d:%]))"
        ),
    ),
    (
        "mdy",
        re.compile(
            rf"(?<![^\W\d_])({_MONTH})\.?\s{{1,2}}(\d{{1,2}})(?:st|nd|rd|th)?(?:\s?,\s?|\s)\s?((?:19|20)\d\d)"
        ),
    ),
    ("ymdname", re.compile(rf"(?<!\d)((?:19|20)\d\d)[\s\-/.]({_MONTH})[\s\-/.](\d{{1,2}})(?!\d)")),
)
_MONTH_YEAR = re.compile(rf"(?<![^\W\d_])({_MONTH})\.?,?[\s\-/']{{1,2}}((?:19|20)\d\d)(?!\d)")
_NUMERIC_MONTH = re.compile(
    r"(?<![\d./-])(0?[1-9]|1[0-2])[./-]((?:19|20)\d\d)(?![\d./-])|(?<![\d./-])((?:19|20)\d\d)-(0[1-9]|1[0-2])(?![\d./-])"
)
_TIME = re.compile(
    r"(?<![\d:.,])([01]?\d|2[0-3])(?:[:h]|\.(?=\d\d\s*(?:uhr|[ap]\.?m)))([0-5]\d)(?::([0-5]\d))?(?![\d.])\s*([ap])?(?:\.?m\b\.?)?"
    r"|(?<![\d:.,/-])(1[0-2]|0?[1-9])\s*([ap])\.?m\b|(?<![\d:.,/-])([01]?\d|2[0-3])\s*uhr\b|\b(noon|midnight)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Day:
    """A date and where it stands in the text."""

    iso: str
    start: int
    end: int


def day_first(text: str) -> bool:
    """Whether 03/04/2024 is 3 April here: the document's own unambiguous dates decide, else its language."""
    firsts = seconds = 0
    for match in _PATTERNS[1][1].finditer(text):
        if match[2] != "/":
            continue
        firsts += int(match[1]) > 12
        seconds += int(match[3]) > 12
    if firsts != seconds:
        return firsts > seconds
    american = len(re.findall(r"\$|\bUSD\b|\b[A-Z]{2} \d{5}\b", text))
    european = len(re.findall(r"€|\bEUR\b|£|\bGBP\b|\bVAT\b|\bGST\b", text))
    return european >= american


def _build(year: int, month: int, day: int) -> str | None:
    if year < 100:
        year += 2000 if year < 70 else 1900
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _numeric(match: re.Match[str], *, european: bool) -> str | None:
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    if match[2] == "/" and not european:
        first, second = second, first
    return _build(year, second, first) or _build(year, first, second)


def _read(kind: str, match: re.Match[str], *, european: bool) -> str | None:
    if kind == "numeric":
        return _numeric(match, european=european)
    if kind in ("ymd", "compact"):
        return _build(int(match[1]), int(match[2]), int(match[3]))
    name = {"dmy": 2, "mdy": 1, "ymdname": 2}[kind]
    month = MONTHS.get(fold(match[name]))
    if month is None:
        return None
    if kind == "dmy":
        return _build(int(match[3].lstrip("'")), month, int(match[1]))
    if kind == "mdy":
        return _build(int(match[3]), month, int(match[2]))
    return _build(int(match[1]), month, int(match[3]))


_RANGE = re.compile(
    rf"(?<!\d)(\d{{1,2}})\.?\s?(?:[-–—/]|to|bis|au|al|and|und|&)\s?(\d{{1,2}})\.?\s+({_MONTH})\.?,?\s+((?:19|20)\d\d)"
    rf"|(?<![^\W\d_])({_MONTH})\.?\s+(\d{{1,2}})\s?[-–—]\s?(\d{{1,2}}),?\s+((?:19|20)\d\d)"
)


def _ranges(text: str) -> Iterator[Day]:
    """Both ends of `14-15 January 2027` and `January 14-15, 2027`."""
    for match in _RANGE.finditer(text):
        first, last, name, year = match.group(1, 2, 3, 4) if match[1] else match.group(6, 7, 5, 8)
        month = MONTHS.get(fold(name))
        ends = [_build(int(year), month, int(day)) for day in (first, last)] if month else []
        if len(ends) == 2 and ends[0] and ends[1]:
            middle = (match.start() + match.end()) // 2
            yield Day(ends[0], match.start(), middle)
            yield Day(ends[1], middle, match.end())


def find_dates(text: str, *, european: bool = True) -> list[Day]:
    """Every date of a text in order; overlapping readings are told apart by their place in the list of forms."""
    taken: list[Day] = list(_ranges(text))
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            iso = _read(kind, match, european=european)
            if iso and not any(
                match.start() < other.end and other.start < match.end() for other in taken[-200:]
            ):
                taken.append(Day(iso, match.start(), match.end()))
    return sorted(taken, key=lambda day: day.start)


def find_months(text: str) -> list[Day]:
    """Months without a day, as `YYYY-MM`."""
    found: list[Day] = []
    for match in _MONTH_YEAR.finditer(text):
        month = MONTHS.get(fold(match[1]))
        if month:
            found.append(Day(f"{match[2]}-{month:02}", match.start(), match.end()))
    for match in _NUMERIC_MONTH.finditer(text):
        number, year = (match[1], match[2]) if match[1] else (match[4], match[3])
        found.append(Day(f"{year}-{int(number):02}", match.start(), match.end()))
    return sorted(found, key=lambda day: day.start)


def iso_date(text: str, *, european: bool = True) -> str | None:
    """The first date of a text as `YYYY-MM-DD`."""
    days = find_dates(text[:400], european=european)
    return days[0].iso if days else None


def find_times(text: str) -> Iterator[str]:
    """Times of day as `HH:MM`, or `HH:MM:SS` when seconds are printed."""
    matches = list(_TIME.finditer(text[:2_000]))
    for index, match in enumerate(matches):
        if match[8]:
            yield "12:00" if match[8].lower() == "noon" else "00:00"
            continue
        hour = int(match[1] or match[5] or match[7])
        half = (match[4] or match[6] or "").lower()
        if (
            not half
            and match[1]
            and index + 1 < len(matches)
            and matches[index + 1].start() - match.end() <= 4
        ):
            # 3:30-5:00 PM: the first time takes the half of the second when that keeps them in order
            following = matches[index + 1]
            other = (following[4] or following[6] or "").lower()
            later = int(following[1] or following[5] or following[7] or 0)
            half = other if other and hour % 12 <= later % 12 else ("a" if other else "")
        if half and hour <= 12:
            hour = hour % 12 + (12 if half == "p" else 0)
        seconds = f":{match[3]}" if match[1] and match[3] else ""
        yield f"{hour:02}:{match[2] or '00'}{seconds}"


def iso_time(text: str) -> str | None:
    """The first time of day of a text."""
    return next(find_times(text), None)
