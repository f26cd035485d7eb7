"""Numbers as documents write them. A number is found by its significant digits, then read in every way it may be meant.

The significant digits of 1280.5 are ``12805``, and so they are of ``1.280,50``, ``1 280.50``, ``(1'280.5)`` and ``١٬٢٨٠٫٥``:
one pass over a document collects them, and only what has the digits of a wanted value is read with care.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

_NUMBER = re.compile(r"\d++(?:[.,'’٫٬．，·](?=\d)\d++|[ \u00a0\u2007\u2009\u202f](?=\d{3}(?!\d))\d{3})*")
"""Digits with the separators of any country; a single space only before a group of three."""

_DECIMAL = re.compile(r"\d+[.,]\d+")
_PLAIN = re.compile(r"\d+[.,](?:\d{1,2}|\d{4,})")
"""One mark that sets no group apart: most amounts."""

_RUN = re.compile(r"\d+")
_SPACES = re.compile(r"[ \u00a0\u2007\u2009\u202f]")
_NOT_DIGITS = dict.fromkeys(map(ord, ".,'’٫٬．，· \u00a0\u2007\u2009\u202f"))
_POINTS = str.maketrans(
    {
        "٫": ".",
        "．": ".",
        "·": ".",
        "，": ",",
        "٬": "'",
        "’": "'",
        "\u00a0": " ",
        "\u2007": " ",
        "\u2009": " ",
        "\u202f": " ",
    }
)
_GROUPED = {
    mark: re.compile(
        rf"\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+|\d{{1,2}}(?:{re.escape(mark)}\d{{2}})+{re.escape(mark)}\d{{3}}"
    )
    for mark in ".,' "
}
"""Thousands, or lakhs and crores."""

Signs = dict[str, list[tuple[int, int]]]
"""Significant digits → where they stand."""


def significant(value: float) -> str:
    """The digits of a value between its first and last that is not 0."""
    text = repr(value)
    if "e" in text or "E" in text:
        text = f"{value:.12f}" if abs(value) < 1 else f"{value:.0f}"
    return text.translate(_SIGNLESS).strip("0")


_SIGNLESS = dict.fromkeys(map(ord, "-.+"))


def collect(text: str) -> Signs:
    """Where a text holds digits, by significant digits. What is grouped by spaces also stands for its parts."""
    found: Signs = {}
    plain = text.isascii()
    for match in _NUMBER.finditer(text):
        written = match[0]
        start, end = match.span()
        if written.isdecimal():  # most are: nothing to take apart
            sign = (written if plain else _ascii(written)).strip("0")
            places = found.get(sign)
            if places is None:
                found[sign] = [(start, end)]
            else:
                places.append((start, end))
            continue
        if plain and _DECIMAL.fullmatch(written):  # always to be read as one
            sign = written.translate(_NOT_DIGITS).strip("0")
            found.setdefault(sign, []).append((start, end))
            continue
        for first, last in _spans(written, start, end):
            digits = text[first:last].translate(_NOT_DIGITS)
            sign = (digits if plain else _ascii(digits)).strip("0")
            found.setdefault(sign, []).append((first, last))
    return found


def _spans(written: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The blob as a whole where it can be one number, and its parts where it can be several."""
    yield start, end
    if _SPACES.search(written):
        at = start
        for part in _SPACES.split(written):
            yield at, at + len(part)
            at += len(part) + 1
    elif not readings(written):
        for run in _RUN.finditer(written):
            yield start + run.start(), start + run.end()


def _ascii(digits: str) -> str:
    return digits if digits.isascii() else "".join(str(unicodedata.digit(digit, 0)) for digit in digits)


def readings(written: str) -> tuple[tuple[float, float], ...]:
    """What digits with separators may mean, each with how likely that is (0–1); nothing for dates and the like."""
    if written.isdecimal():
        return ((float(written[:40]), 1.0),)
    if written.isascii() and _PLAIN.fullmatch(written):
        return ((float(written.replace(",", ".")), 1.0),)
    text = (
        written
        if written.isascii()
        else "".join(letter if letter in ".,' " else _ascii(letter) for letter in written.translate(_POINTS))
    )
    marks = {letter for letter in text if not letter.isdigit()}
    if len(marks) == 1:
        mark = marks.pop()
        return _one_mark(text, mark)
    cut = max(text.rfind(mark) for mark in ".,")
    if cut < 0 or len(marks) > 3:
        return ()
    point = text[cut]
    whole, rest = text[:cut], text[cut + 1 :]
    marks.discard(point)
    if point in whole or not rest.isdigit():
        # 1.234.567,89 has its groups before the point only; 1,234.567,8 is no number
        return ()
    if len(marks) != 1 or not _GROUPED[mark := marks.pop()].fullmatch(whole):
        return ()
    return ((float(f"{whole.replace(mark, '')}.{rest}"), 1.0),)


def _one_mark(text: str, mark: str) -> tuple[tuple[float, float], ...]:
    grouped = _GROUPED[mark].fullmatch(text) is not None
    found = []
    if mark in ".," and text.count(mark) == 1:
        found.append((float(text.replace(mark, ".")), 0.97 if grouped else 1.0))
    if grouped and not (mark in ".," and text.startswith("0")):
        found.append(
            (float(text.replace(mark, "")), 1.0 if mark not in ".," or text.count(mark) > 1 else 0.99)
        )
    return tuple(found)


# ------------------------------------------------------------------------------------- what stands around a number

_MINUS = frozenset("-−–—﹣－")
_OPENING = _MINUS | frozenset("(△▲")
_BEFORE = re.compile(
    r"([(\-−–—﹣－△▲]?)\s?(?:[^\W\d_]{1,4}\.?|[^\w\s()\-−–—.,/]{1,3})?\s?([\-−–﹣－△▲(]?)\s?$"
)
_AFTER = re.compile(r"\s?(?:[^\W\d_]{1,4}|[^\w\s()\-−–—.,/])?\s?([\-−–﹣－)])(?![\w])")
_SCALES = re.compile(
    r"\s?(?:(hundred|cent)|(thousand|tsd|tausend|mille|mil\b|тыс|k\b|千|천|ألف|हज़ार)|(lakh|लाख)|(million|millón|millones|milione|milioni|milhão|milhões|mio\b|mln|млн|m\b|mm\b|백만|百万|百萬|مليون)"
    r"|(crore|करोड़)|(billion|milliard|mrd|mds?\b|miliardi|bn\b|b\b|млрд|مليار)|(万|萬|만)|(億|亿|억)|(兆|조|trillion|billones))",
    re.IGNORECASE,
)
_FACTORS = (1e2, 1e3, 1e5, 1e6, 1e7, 1e9, 1e4, 1e8, 1e12)
_UNIT_OF_TABLE = re.compile(
    r"(?:\bin|\bin|\ben|單位|单位|単位|단위|\bamounts?)[^\n]{0,24}?"
    r"(?:(thousand|tausend|tsd|milliers|miles|migliaia|milhares|千|천)|(million|mio|millones|milioni|milhões|百万|百萬|백만)"
    r"|(billion|milliard|mrd|miliardi|十億|십억)|(万|萬|만)|(億|亿|억))|([$€£¥₹]\s?'?000s?\b|\bT€|\bT ?EUR|\bKEUR|千円|千元|천원)"
    r"|(百万円|백만원|백만 원|\bMEUR|\bMio\.? ?(?:€|EUR))",
    re.IGNORECASE,
)
_UNIT_HINTS = (
    *(
        "thousand",
        "tausend",
        "tsd",
        "millier",
        "miles",
        "migliaia",
        "milhares",
        "million",
        "mio",
        "millones",
        "milioni",
    ),
    *("milhões", "billion", "milliard", "mrd", "miliardi", "t€", "teur", "t eur", "keur", "meur", "000"),
    *"千천万萬만億亿억百백十십",
)
"""What a text has to hold for the expression above to match: looking for it costs a hundredth."""

_TABLE_FACTORS = (1e3, 1e6, 1e9, 1e4, 1e8, 1e3, 1e6)


def table_factors(text: str) -> frozenset[float]:
    """The units that a document says its figures are in (``in thousands``, ``Mio. EUR``, ``単位：千円``)."""
    lowered = text[:1_000_000].lower()
    if not any(hint in lowered for hint in _UNIT_HINTS):
        return frozenset()
    return frozenset(
        _TABLE_FACTORS[(match.lastindex or 1) - 1] for match in _UNIT_OF_TABLE.finditer(text[:1_000_000])
    )


Said = tuple[float, tuple[tuple[float, float], ...]]
"""How likely digits say a size by themselves; where they do not, the readings that more signs may make say it."""


def said(written: str, size: float) -> Said:
    """What digits with separators say of a size that has the same significant digits."""
    meant = readings(written)
    best = 0.0
    for read, likely in meant:
        if likely > best and (read == size or _same(read, size)):
            best = likely
    if best:
        return best, ()
    # A percent sign makes less of a number by a hundred or more, a scale or unit as much more: most are a zero off.
    return 0.0, tuple(
        [(read, likely) for read, likely in meant if size < _TINY or not size < 50 * read < 2500 * size]
    )


def agreement(
    text: str, start: int, end: int, value: float, known: Said, factors: Callable[[], frozenset[float]]
) -> float:
    """How well the digits at a place say a value: 1 as printed, less for another sign or an unusual reading, 0 not.

    ``known`` is what the digits say by themselves (``said``). ``factors`` gives the units of ``table_factors``; it is asked
    only where the digits alone do not say the value.
    """
    best, others = known
    if others:
        best = _scaled(text, end, abs(value), others, factors)
    if not best:
        return 0.0
    if start and (before := text[start - 1]) != " " and before.isalpha() and before.isascii():
        letters = text[max(0, start - 5) : start]
        if not (letters[-2:].isupper() or not letters[-2:-1].isalnum()):
            best *= 0.9
    if value and _negative(text, start, end) != (value < 0):
        best *= 0.82
    return best


_TINY = 1e-6
"""Below, numbers are the same that are not of one size."""


def _same(read: float, size: float) -> bool:
    return abs(read - size) <= 1e-9 * max(size, 1.0)


def _scaled(
    text: str,
    end: int,
    size: float,
    meant: tuple[tuple[float, float], ...],
    factors: Callable[[], frozenset[float]],
) -> float:
    """Agreement through a percent sign, a word of scale behind the number, or the unit of a table."""
    behind = text[end : end + 14]
    for read, likely in meant:
        if read > size or size < _TINY:
            shown = behind.lstrip()[:1]
            if shown and shown in "%٪﹪％" and _same(read / 100, size):
                return 0.93 * likely
            if shown == "‰" and _same(read / 1000, size):
                return 0.93 * likely
        if read < size or size < _TINY:
            scale = _SCALES.match(behind)
            if scale is not None and _same(read * _FACTORS[(scale.lastindex or 1) - 1], size):
                return 0.95 * likely
            if any(_same(read * factor, size) for factor in factors()):
                return 0.85 * likely
    return 0.0


def _negative(text: str, start: int, end: int) -> bool:
    """Whether a number is printed as negative: with a sign before or behind it, or in parentheses."""
    before = text[max(0, start - 8) : start]
    # Few numbers have any of the signs near them: looking for one costs a tenth of the expressions.
    if not _OPENING.isdisjoint(before) and (
        before[-1] in "(△▲" or before[-1] in _MINUS or not before[-1].isdigit()
    ):
        match = _BEFORE.search(before)
        if match is not None:
            sign = match[1] or match[2]
            if sign and sign != "(":
                at = match.start(1) if match[1] else match.start(2)
                if at == 0 or not before[at - 1].isalnum():  # 5-10 is a range
                    return True
            if sign == "(":
                return ")" in text[end : end + 6]
    if _MINUS.isdisjoint(text[end : end + 8]):
        return False
    match = _AFTER.match(text, end, min(len(text), end + 8))
    return match is not None and match[1] != ")"
