"""Dates as documents write them, found in one pass and kept under every day they may mean.

A day is the integer ``yyyymmdd``; ``yyyymm00`` is a month, ``mmdd`` a day of which the year is not printed.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from service.extraction.evidence.folding import key
from service.extraction.evidence.months import MONTHS

Places = dict[int, list[tuple[int, int, float]]]
"""What is meant → where it stands (start, end) and how sure the reading is."""

_ERAS = {
    **dict.fromkeys(("令和", "㋿", "r"), 2018),
    **dict.fromkeys(("平成", "㍻", "h"), 1988),
    **dict.fromkeys(("昭和", "㍼", "s"), 1925),
    **dict.fromkeys(("大正", "㍽", "t"), 1911),
    **dict.fromkeys(("民國", "民国", "中華民國"), 1911),
    **dict.fromkeys(("檀紀", "단기"), -2333),
}
_ERA_BEFORE = re.compile(
    r"(?P<era>令和|平成|昭和|大正|㋿|㍻|㍼|㍽|中華民國|民國|民国|檀紀|단기|(?<![A-Za-z])[RHS])\.?\s?$"
)
_ERA_ENDS = frozenset("和成正㋿㍻㍼㍽國国紀기RHS.")
"""What may stand right before the year of an era. Looking there is cheaper than trying eras at every letter."""

_SEP = r"\s?[./\-‐–−・．／－年년،,]\s?"
_NUMERIC = re.compile(
    rf"(?P<a>\d{{1,4}}+|元)(?:{_SEP})(?P<b>\d{{1,2}}+)"
    r"(?:(?:\s?[./\-‐–−・．／－月월،,]\s?)(?P<c>\d{2,4}+|\d)|(?P<open>\s?月|\s?월)|(?P<dot>\.))?(?P<day>\s?[日일])?(?![\d])"
)
_DAY_FIRST = re.compile(
    r"(?P<d>\d{1,2})(?:st|nd|rd|th|er|re|ère|ª|º|°|\.|-?го)?[\s,/\-–.]{0,3}(?:(?:de|of|den|di|d’|d')\s{0,2})?"
    r"(?P<m>(?:tháng\s\d{1,2})|[^\W\d_]{1,4}\.[^\W\d_]{1,2}|[^\W\d_][\w\u0900-\u097f\u0e00-\u0e7f\u0300-\u036f]{0,13}+)"
    r"[\s.,/\-–'’]{0,3}(?:(?:de|del|of|г|năm|พ\.ศ\.|ค\.ศ\.)[\s,]{0,2})?(?P<y>\d{4}|\d{2})?(?!\d)"
)
_AFTER_MONTH = re.compile(
    r"(?P<d>\d{4}|\d{1,2})(?!\d)(?:(?:st|nd|rd|th)?[\s.,/\-–'’]{1,3}(?P<y>\d{4}|\d{2}(?!\d|:\d)))?"
)
_MONTH_BEFORE = re.compile(r"(?<![^\W_])([^\W\d_]{3,14})[\s.,/\-–'’]{1,3}(?:(?:de|del|of)\s)?$")
_LONGEST_BEFORE = 22
_BETWEEN = " \n\t\u00a0.,/-–'’"
"""What stands between a month and what follows it."""

_BEFORE_NAME = "".join(filter(str.isspace, map(chr, range(0x3001)))) + ",/-–.°"
"""What may stand between a day and its month, but for words."""

_YEAR_BEFORE = re.compile(r"(?<!\d)(\d{4})[\s.,/\-–]{1,2}$")
_PAIR = re.compile(
    r"\d{0,3}?(?P<pair>(?:(?P<m>\d{1,2})(?:\s?[./\-–]\s?(?P<y>\d{4})|[/\-](?P<yy>\d{2}))|(?P<y1>\d{4})\s?[./\-–年년]\s?(?P<m1>\d{1,2}))(?![./\-]?\d))"
)
_PAIR_DIGITS = 4
"""Digits of the first number of a pair, at most: the expression skips one less."""

_RUN = 8
"""Digits of a date that is written without separators."""

_JOINED = frozenset("./-")
_JOINTS = frozenset("./-‐–−・．／－年년،,")
"""What may stand behind the first number of a date, as in the expressions above."""

FIRST_YEAR = "元"

DIGITS = re.compile(r"\d+")
LENGTHS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def collect(text: str) -> Places:
    """Every day and month that a text may name."""
    found: Places = {}
    runs = [match.span() for match in DIGITS.finditer(text)]
    joined = [run for run in runs if _joined(text, run[1])]
    for scan, where in ((_in_numbers, joined), (_in_pairs, joined), (_in_runs, runs), (_with_names, runs)):
        for meant, start, end, sure in scan(text, where):
            places = found.get(meant)
            if places is None:
                found[meant] = [(start, end, sure)]
            else:
                places.append((start, end, sure))
    for meant, start, end, sure in list(_in_ranges(text, runs, found)):
        found.setdefault(meant, []).append((start, end, sure))
    return found


_Runs = list[tuple[int, int]]
"""Where digits in a row begin and end. Every date begins with one, so no other place has to be tried."""

_Scan = Iterator[tuple[int, int, int, float]]
"""What is meant, start, end, how sure."""


def _in_numbers(text: str, runs: _Runs) -> _Scan:
    for match in _numeric_matches(text, runs):
        start = match.start()
        before = text[start - 1 : start] or " "
        if before == " ":
            before = text[start - 2 : start - 1] if start > 1 else " "
        era = _ERA_BEFORE.search(text, max(start - 6, 0), start) if before in _ERA_ENDS else None
        for day, sure in _numeric(match, None if era is None else era["era"]):
            yield day, start if era is None else era.start(), _shown_end(match), sure


def _numeric_matches(text: str, runs: _Runs) -> Iterator[re.Match[str]]:
    if FIRST_YEAR in text:  # years of eras that begin without a digit
        at = 0
        while (match := _NUMERIC.search(text, at)) is not None:
            start = match.start()
            if text[start - 1 : start].isdigit():
                number = DIGITS.match(text, start)
                at = number.end() if number is not None else match.end()
            else:
                yield match
                at = match.end()
        return
    at = 0
    for start, end in runs:
        if start < at or end - start > 4 or text[start - 1 : start].isdigit():
            continue
        match = _NUMERIC.match(text, start)
        if match is not None:
            yield match
            at = match.end()


def _joined(text: str, end: int) -> bool:
    """Whether a sign that joins the numbers of a date follows, with a space before it or none."""
    after = text[end : end + 1]
    return after in _JOINTS or (after.isspace() and text[end + 1 : end + 2] in _JOINTS)


def _in_pairs(text: str, runs: _Runs) -> _Scan:
    """A month and a year."""
    at = 0
    for begin, end in runs:
        if begin < at:
            continue
        # Of a longer number the last digits are tried as well: what they take part in is no pair, and is passed over.
        match = _PAIR.match(text, max(begin, end - _PAIR_DIGITS))
        if match is None:
            continue
        at = match.end()
        start = match.start("pair")
        before = text[start - 1 : start]
        if (before in _JOINED and before) or before.isdigit():
            continue
        years = _years(match["y"] or match["yy"] or match["y1"])
        month = int(match["m"] or match["m1"])
        for year in years if 1 <= month <= 12 else ():
            yield year * 10000 + month * 100, *match.span("pair"), 0.95 if len(years) == 1 else 0.85


def _in_runs(text: str, runs: _Runs) -> _Scan:
    """Eight digits in a row."""
    for start, end in runs:
        if end - start != _RUN or text[start - 1 : start].isdigit():
            continue
        digits = text[start:end]
        for year, month, day in (
            (digits[:4], digits[4:6], digits[6:]),
            (digits[4:], digits[2:4], digits[:2]),
            (digits[4:], digits[:2], digits[2:4]),
        ):
            for meant in _day(int(year), int(month), int(day)):
                yield meant, start, end, 0.9


def _with_names(text: str, runs: _Runs) -> _Scan:
    for start, end in runs:
        if end - start > 2 or text[start - 1 : start].isdigit():
            continue
        behind = text[end : end + _FARTHEST].lstrip(_BEFORE_NAME)[:1]
        if not behind.isalnum() or behind.isdecimal():
            continue
        match = _DAY_FIRST.match(text, start)
        names = _months(match["m"]) if match is not None else ()
        if match is not None and names:
            for day, sure in _named(names, match["d"], match["y"]):
                yield day, start, match.end("y") if match["y"] else match.end("m"), sure
    for start, end in runs:
        if end - start not in (1, 2, 4):
            continue
        if text[start - 1 : start] not in _BETWEEN:
            continue
        if not text[max(start - 3, 0) : start].rstrip(_BETWEEN)[-1:].isalpha():
            continue
        word = _MONTH_BEFORE.search(text, max(start - _LONGEST_BEFORE, 0), start)
        names = MONTHS.get(key(word[1]), ()) if word is not None else ()
        match = _AFTER_MONTH.match(text, start) if names else None
        if word is None or match is None:
            continue
        begin = word.start()
        leading = _YEAR_BEFORE.search(text, max(begin - 7, 0), begin)
        for day, sure, ends in _after_month(names, match, None if leading is None else leading[1]):
            yield day, begin if leading is None else leading.start(), match.end(ends), sure


_TO = frozenset(
    {
        "-",
        "–",
        "—",
        "−",
        "/",
        "&",
        "~",
        "〜",
        "to",
        "and",
        "bis",
        "und",
        "au",
        "et",
        "al",
        "y",
        "e",
        "a",
        "t/m",
    }
)
"""What stands between two days of one month."""

_ORDINAL = re.compile(r"\A(?:\.|st|nd|rd|th|er|º|ª)?\s?")
_FARTHEST = 8
_YEAR_BEHIND = re.compile(r"(?:st|nd|rd|th)?[\s,.]{1,2}(\d{4})(?!\d)")


def _in_ranges(text: str, runs: _Runs, found: Places) -> _Scan:
    """The days of ``14-15 January 2027`` and ``January 14-15, 2027`` that do not stand beside their month and year."""
    pairs = [
        (one, other)
        for one, other in pairwise(runs)
        if other[0] - one[1] <= _FARTHEST
        and one[1] - one[0] <= 2
        and other[1] - other[0] <= 2
        and _ORDINAL.sub("", text[one[1] : other[0]], count=1).strip().lower() in _TO
        and 0 < int(text[slice(*one)]) < int(text[slice(*other)]) <= 31
    ]
    if not pairs:
        return
    begun: dict[int, list[tuple[int, int, float]]] = {}
    for meant, places in found.items():
        for start, end, sure in places:
            begun.setdefault(start, []).append((meant, end, sure))
    for one, other in pairs:
        first, last = int(text[slice(*one)]), int(text[slice(*other)])
        for meant, end, sure in begun.get(other[0], ()):
            if meant % 100 == last:
                yield meant - last + first, one[0], end, 0.97 * sure
        word = _MONTH_BEFORE.search(text, max(one[0] - _LONGEST_BEFORE, 0), one[0])
        year = _YEAR_BEHIND.match(text, other[1]) if word is not None else None
        if word is None or year is None:
            continue
        for month in MONTHS.get(key(word[1]), ()):
            for full in _years(year[1]):
                for day in (first, last):
                    yield from ((meant, word.start(), year.end(), 0.97) for meant in _day(full, month, day))


def _shown_end(match: re.Match[str]) -> int:
    return match.end() - (1 if match["dot"] and not match["c"] and match.end() == match.end("dot") else 0)


def _months(word: str) -> tuple[int, ...]:
    if word.startswith("tháng"):
        number = word.rsplit(maxsplit=1)[-1]  # none behind a number of months: 30 tháng
        return (int(number),) if number.isdecimal() else ()
    return MONTHS.get(key(word), ())


def _numeric(match: re.Match[str], era: str | None) -> Iterator[tuple[int, float]]:
    first, second, third = match["a"], match["b"], match["c"]
    a = 1 if first == "元" else int(first)
    b = int(second)
    if era is not None:
        if third is not None:
            yield from ((day, 0.95) for day in _day(a + _ERAS[era.lower()], b, int(third)))
        elif match["open"] is not None:
            yield from ((day, 0.9) for day in _month(a + _ERAS[era.lower()], b))
        return
    if first == "元":
        return
    if third is None:
        if len(first) <= 2:
            sure = 0.8 if match["dot"] or match["day"] or "/" in match[0] or "-" in match[0] else 0.7
            yield from ((day, sure) for day in {*_yearless(b, a), *_yearless(a, b)})
        elif match["open"] is not None and len(first) == 4:
            yield from ((day, 0.95) for day in _month(a, b))
        return
    yield from _three(first, second, third, swapped="-" not in match[0] and "年" not in match[0])


def _three(first: str, second: str, third: str, *, swapped: bool) -> Iterator[tuple[int, float]]:
    """Every order of day, month and year that three numbers allow; year, day, month only where ``swapped``."""
    a, b, c = int(first), int(second), int(third)
    if len(first) >= 3:
        if len(third) <= 2:
            for year, sure in _long_years(a, len(first)):
                yield from ((day, sure) for day in _day(year, b, c))
                if swapped:
                    yield from ((day, sure - 0.15) for day in _day(year, c, b))
        return
    if len(third) >= 3:
        for year, sure in _long_years(c, len(third)):
            yield from ((day, sure) for day in {*_day(year, b, a), *_day(year, a, b)})
        return
    for year in _years(third):
        yield from ((day, 0.93) for day in {*_day(year, b, a), *_day(year, a, b)})
    if len(first) == 2:
        for year in _years(first):
            yield from ((day, 0.88) for day in _day(year, b, c))


def _long_years(year: int, digits: int) -> Iterator[tuple[int, float]]:
    if digits == 4:
        yield year, 1.0
        if 2400 <= year <= 2700:
            yield year - 543, 0.93  # Buddhist
    elif 1 <= year <= 200:
        yield year + 1911, 0.85  # Minguo


def _years(digits: str) -> tuple[int, ...]:
    if len(digits) == 4:
        year = int(digits)
        return (year, year - 543) if 2400 <= year <= 2700 else (year,)
    year = int(digits)
    return (2000 + year, 1900 + year)


def _day(year: int, month: int, day: int) -> tuple[int, ...]:
    if 1 <= month <= 12 and 1 <= day <= LENGTHS[month] and 1000 <= year <= 2999:
        return (year * 10000 + month * 100 + day,)
    return ()


def _month(year: int, month: int) -> tuple[int, ...]:
    return (year * 10000 + month * 100,) if 1 <= month <= 12 and 1000 <= year <= 2999 else ()


def _yearless(month: int, day: int) -> tuple[int, ...]:
    return (month * 100 + day,) if 1 <= month <= 12 and 1 <= day <= LENGTHS[month] else ()


def _named(months: tuple[int, ...], day: str, year: str | None) -> Iterator[tuple[int, float]]:
    for month in months:
        if year is None:
            yield from ((meant, 0.85) for meant in _yearless(month, int(day)))
            continue
        for full in _years(year):
            yield from ((meant, 1.0 if len(year) == 4 else 0.93) for meant in _day(full, month, int(day)))


def _after_month(
    months: tuple[int, ...], match: re.Match[str], leading: str | None
) -> Iterator[tuple[int, float, str]]:
    digits, year = match["d"], match["y"]
    for month in months:
        if len(digits) == 4:
            for full in _years(digits):
                yield from ((meant, 0.95, "d") for meant in _month(full, month))
            continue
        if leading is not None:
            for full in _years(leading):
                yield from ((meant, 0.97, "d") for meant in _day(full, month, int(digits)))
            if year is None:
                continue
        if year is not None:
            for full in _years(year):
                sure = 1.0 if len(year) == 4 else 0.9
                yield from ((meant, sure, "y") for meant in _day(full, month, int(digits)))
        else:
            yield from ((meant, 0.85, "d") for meant in _yearless(month, int(digits)))
        if len(digits) == 2:  # Feb 21: February 2021
            yield from ((meant, 0.8, "d") for full in _years(digits) for meant in _month(full, month))
