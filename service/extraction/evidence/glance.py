"""Whether a text may name a day at all, told without reading all of its dates.

Every way of writing a full date has the day in digits of its own and the month, in digits of its own or as a name, close
by; or it is eight digits in a row. Most days that a text does not name are told by that.
"""

import re
from collections.abc import Iterator

from service.extraction.evidence.folding import key
from service.extraction.evidence.months import MONTHS

_NEAR = 64
"""Characters between the day and the month of one date, at most, with room."""

_MOST = 16
"""Places of the digits of a day that are looked at: where there are more, reading all dates costs less."""

_LONGEST = 4
"""Digits of a day or month, with the zeros before it."""

_DIGITS = re.compile(r"\d+")
_SHORT = 3
"""Letters of a name, from which it is taken for one within other words too."""

_JOINED_DIGITS = "tháng"
"""The word for month before whose number there may be no space: other digits may stand right behind it."""


def may_name(text: str, day: int) -> bool:
    """Whether reading the dates of a text may give a day (``yyyymmdd``), with its year or without one.

    Of texts in which all digits are ASCII.
    """
    year, month, number = day // 10000, day // 100 % 100, day % 100
    if number <= 1:
        return True  # a month may stand for its first day
    if _JOINED_DIGITS in text or any(
        joined in text
        for joined in (
            f"{year:04}{month:02}{number:02}",
            f"{number:02}{month:02}{year:04}",
            f"{month:02}{number:02}{year:04}",
        )
    ):
        return True
    names, words = _NAMES[month]
    for seen, (start, end) in enumerate(_alone(text, number)):
        if seen == _MOST:
            return True
        before, behind = text[max(start - _NEAR, 0) : start], text[end : end + _NEAR]
        if month in map(int, _DIGITS.findall(before)) or month in map(int, _DIGITS.findall(behind)):
            return True
        folded = key(f"{before} {behind}")
        for name in names:
            if name in folded:
                return True
        if words is not None and (words.search(before) or words.search(behind)):
            return True
    return False


def _alone(text: str, number: int) -> Iterator[tuple[int, int]]:
    """Where a number of one or two digits stands by itself, with zeros before it or none."""
    digits = str(number)
    size = len(digits)
    at = text.find(digits)
    while at >= 0:
        end = at + size
        before = text[at - 1 : at]
        if not text[end : end + 1].isdecimal() and (before == "0" or not before.isdecimal()):
            start = at
            while start and at - start < _LONGEST and text[start - 1] == "0":
                start -= 1
            if not text[start - 1 : start].isdecimal():
                yield start, end
        at = text.find(digits, end)


def _names() -> dict[int, tuple[tuple[str, ...], re.Pattern[str] | None]]:
    """Month → the keys of its names; the short ones among those of the Latin script apart, as whole words."""
    found: dict[int, tuple[tuple[str, ...], re.Pattern[str] | None]] = {}
    for month in range(1, 13):
        # A name with a shorter one in it is found by that.
        named = [name for name, months in MONTHS.items() if month in months]
        short = [name for name in named if name.isascii() and len(name) < _SHORT]
        found[month] = (
            tuple(
                name
                for name in named
                if name not in short
                and not any(other in name for other in named if other not in short and other != name)
            ),
            re.compile(rf"(?<![^\W\d_])(?:{'|'.join(short)})(?!\w)", re.IGNORECASE) if short else None,
        )
    return found


_NAMES = _names()
