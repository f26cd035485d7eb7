"""The days that the texts of records may name."""

import re

from service.extraction.evidence.dates import DIGITS, FIRST_YEAR, LENGTHS, collect
from service.extraction.evidence.months import MONTHS

_ISO = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d)(?:[T ]\d\d:?\d\d.*)?)?", re.DOTALL)


def day(value: str) -> int | None:
    """The day or month that an ISO text names, None for anything else."""
    match = _ISO.fullmatch(value)
    if match is None:
        return None
    month, number = int(match[2]), int(match[3] or 0)
    if not 1 <= month <= 12 or number > LENGTHS[month]:
        return None
    return int(match[1]) * 10000 + month * 100 + number


def is_plain(value: str) -> bool:
    """Whether a text is an ISO date of the years in which it names one day only."""
    return len(value) == 10 and value[:4] < _BUDDHIST and day(value) is not None


_BUDDHIST = "2400"
"""The year from which a day may be one of the Buddhist era as well."""


def meanings(value: str) -> set[int]:
    """The full days that a text may name, if it is a date and little else."""
    if len(value) > _LONGEST_DATE or not _may_be_date(value):
        return set()
    return {
        one
        for one, places in collect(value).items()
        if one > 9999 and any(end - start >= len(value.strip()) - 2 for start, end, _ in places)
    }


def _may_be_date(value: str) -> bool:
    """False for most texts that are none: a date has digits, and more than a few letters only with a month's name."""
    if not value.isascii():
        return FIRST_YEAR in value or DIGITS.search(value) is not None
    if DIGITS.search(value) is None:
        return False
    words = _LETTERS.findall(value.lower())
    return sum(map(len, words)) <= _FEW_LETTERS or "." in value or not MONTHS.keys().isdisjoint(words)


_LONGEST_DATE = 40
_LETTERS = re.compile(r"[a-z]+")
_FEW_LETTERS = 8
"""Letters of an ASCII date without the name of a month: of an era, a word between two days, ordinals."""
