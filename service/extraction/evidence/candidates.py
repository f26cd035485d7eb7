"""The places at which a document says a value: all of them, each with how well it does."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from service.extraction.evidence import numbers, times, wanted
from service.extraction.evidence.currencies import SIGNS
from service.extraction.evidence.evidence import Match
from service.extraction.evidence.folding import by_itself, edge, is_letter, key
from service.extraction.evidence.fuzzy import approximate, scattered
from service.extraction.evidence.index import Index

MOST = 3000
"""Places of one value that are kept: single digits stand everywhere."""

_ATTEMPTS = 20_000
"""Occurrences of a key that are looked at, whether or not they turn out to be words."""

_MONEY = r"(?:[A-Z]{3}|(?:US|NT|HK|CA|AU|NZ|R|S)?[^\w\s.,()\-−]{1,2}|RM|Rs\.?|Rp|kr\.?|zł|Kč|Ft|TL|円|元|원)"
_NUMERIC = re.compile(rf"[(\-−]?\s?(?:{_MONEY}\s?)?[-−(]?\s?(\d[\d.,'’٫٬ \u00a0\u202f]*)\)?\s?{_MONEY}?\)?")
"""A number as a record may hold it as text: with a sign, a currency, a unit; never an identifier."""

_SURE = 0.9
_AMOUNT = re.compile(r"\d+(?:[.,]\d{1,2}|[.,]\d{3,})")
_SPECIAL = frozenset("+#*%°")


class Candidate(NamedTuple):
    """One place in ``Index.text``. ``quality``: 1 is letter by letter, less the more had to be read into it."""

    start: int
    end: int
    quality: float
    match: Match


def of_number(index: Index, value: float) -> list[Candidate]:
    """The places that print a number."""
    places = index.numbers.get(numbers.significant(value))
    if places is None:
        return []
    text = index.text
    factors = index.table_factors if len(places) < 200 else frozenset[float]
    shown = repr(value).lstrip("-")
    size = abs(value)
    known: dict[str, numbers.Said] = {}
    found = []
    for start, end in places[:MOST]:
        written = text[start:end]
        said = known.get(written)
        if said is None:
            said = known[written] = numbers.said(written, size)
        if said == _NOTHING:
            continue
        quality = numbers.agreement(text, start, end, value, said, factors)
        if quality:
            match: Match = "exact" if quality >= 1.0 and written == shown else "normalized"
            found.append(Candidate(start, end, quality * _inside(text, start, end), match))
    return found


_NOTHING: numbers.Said = (0.0, ())


def _inside(text: str, start: int, end: int) -> float:
    """Less for digits that are part of something longer: a date, a clock time, an identifier."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if before in _OPEN and after in _OPEN:
        return 1.0  # most of them
    if (before in _JOINTS and text[start - 2 : start - 1].isalnum()) or (
        after in _JOINTS and text[end + 1 : end + 2].isalnum()
    ):
        return 0.93
    if after.isalpha() and text[end + 1 : end + 4].isalnum() and len(text[end : end + 4].strip()) == 4:
        return 0.93
    return 1.0


_OPEN = frozenset(("", " ", "\n"))
_JOINTS = frozenset("/-:._#.,")


def of_text(index: Index, value: str) -> list[Candidate]:
    """The places that print a text, a date, a time of day or a number that the record holds as text."""
    if value[:1].isdecimal():
        day = wanted.day(value)
        if day is not None:
            found = _of_day(index, day)
            if found:
                return found
        minutes = times.clock(value)
        if minutes is not None:
            found = [
                Candidate(start, end, sure, "normalized") for start, end, sure in index.times.get(minutes, ())
            ]
            exact = _mentions(index, value)
            if found or exact:
                return _without_doubles([*exact, *found])
    found = _mentions(index, value)
    if found:
        return found
    for other in _OTHERWISE:
        found = other(index, value)
        if found:
            return found
    return []


def _of_day(index: Index, day: int) -> list[Candidate]:
    if not index.may_name(day):
        return []
    known = index.dates
    found = [
        Candidate(start, end, 0.99 * sure, "normalized") for start, end, sure in known.get(day, ())[:MOST]
    ]
    if day % 100:
        full = {candidate.end for candidate in found}
        found += [
            Candidate(start, end, 0.9 * sure, "normalized")
            for start, end, sure in known.get(day % 10000, ())[:MOST]
            if end not in full
        ]
        if not found and day % 100 == 1:  # the first of a month stands for the month
            found = [
                Candidate(start, end, 0.75 * sure, "normalized")
                for start, end, sure in known.get(day - 1, ())
            ]
    iso = f"{day // 10000:04}-{day // 100 % 100:02}" + (f"-{day % 100:02}" if day % 100 else "")
    text = index.text
    return _without_doubles(
        [
            candidate._replace(quality=1.0, match="exact")
            if text[candidate.start : candidate.end] == iso
            else candidate
            for candidate in found
        ]
    )


def _without_doubles(found: list[Candidate]) -> list[Candidate]:
    """The best candidate of each place, in the order of places."""
    best: dict[int, Candidate] = {}
    for candidate in found:
        known = best.get(candidate.start)
        if known is None or candidate.quality > known.quality:
            best[candidate.start] = candidate
    return sorted(best.values())


# ------------------------------------------------------------------------------------------------- words


def _mentions(index: Index, value: str) -> list[Candidate]:
    """Where the key of a text stands, at the edges of words."""
    folded = key(value)
    if not folded:
        return list(_signs(index, value))
    hay = index.folded
    at = hay.find(folded)
    if at < 0:
        return []
    if hay.find(folded, at + 1) < 0:
        begin = index.text.find(value)
        if begin >= 0 and by_itself(value):
            # The only place with this key prints the value letter by letter: no need to know where keys come from.
            return _word(index.text, begin, value)
    return list(_spelled(index, value, folded, at))


def _word(text: str, begin: int, value: str) -> list[Candidate]:
    """The place that prints a text as it is, where words begin and end there."""
    end = begin + len(value)
    lead = 0 if is_letter(value[0]) else _lead(value)
    tail = 0 if is_letter(value[-1]) else _lead(value[::-1])
    if edge(text, begin + lead) and edge(text, end - tail):
        return [Candidate(begin, end, _exact(text, begin, end, value), "exact")]
    return []


def _spelled(index: Index, value: str, folded: str, at: int) -> Iterator[Candidate]:
    """Where the key of a text stands, from its first place on, however it is spelled."""
    hay, positions, text = index.folded, index.positions, index.text
    size = len(folded)
    lead = _lead(value)
    attempts = found = 0
    while at >= 0 and attempts < _ATTEMPTS and found < MOST:
        attempts += 1
        start, end = positions[at], positions[at + size - 1] + 1
        if edge(text, start) and edge(text, end):
            begin = start - lead
            if begin >= 0 and text.startswith(value, begin):
                yield Candidate(
                    begin, begin + len(value), _exact(text, begin, begin + len(value), value), "exact"
                )
                found += 1
            else:
                quality = _spelling(text[start:end], value, folded)
                if quality and not (folded.isdecimal() and _part_of_number(text, start, end)):
                    yield Candidate(start, end, quality, "normalized")
                    found += 1
            at = hay.find(folded, at + size)
        else:
            at = hay.find(folded, at + 1)


def _lead(value: str) -> int:
    """Characters before the first one that is in the key."""
    at = 0
    for letter in value:
        if is_letter(letter):
            break
        at += 1
    return at


def _exact(text: str, start: int, end: int, value: str) -> float:
    return 0.8 if value.isdecimal() and _part_of_number(text, start, end) else 1.0


def _part_of_number(text: str, start: int, end: int) -> bool:
    """Whether the digits go on behind a point or comma: ``234`` within ``1.234``."""
    return (text[start - 1 : start] in (".", ",") and text[max(start - 2, 0) : start - 1].isdecimal()) or (
        text[end : end + 1] in (".", ",") and text[end + 1 : end + 2].isdecimal()
    )


def _spelling(shown: str, value: str, folded: str) -> float:
    """How well what is printed spells a value with the same key."""
    quality = 0.96
    if folded.isdecimal():
        if _AMOUNT.fullmatch(value.strip()) and "".join(shown.split()) != "".join(value.split()):
            return 0.0  # 2.40 is not 24.0; numbers have their own way
        quality = 0.95
    if len(folded) <= 2 and shown != value.strip():
        quality = 0.8
    if _SPECIAL.intersection(value):
        quality = min(quality, 0.7)
    if value.split(None, 1) == [value.strip()] and (gaps := shown.split()) and len(gaps) > 1:
        quality = _joined(shown, folded, quality)
    return quality


def _joined(shown: str, folded: str, quality: float) -> float:
    """A value of one word that is printed as several: hyphenated, grouped, or only seemingly one."""
    if not folded.isascii() and not folded.isalpha():
        return quality - 0.03
    far = "\n" in shown.replace("-\n", "") or "  " in shown
    if far:
        return 0.78 if len(folded) >= 8 else 0.0
    return quality - (0.1 if folded.isalpha() and "-\n" not in shown else 0.02)


def _signs(index: Index, value: str) -> Iterator[Candidate]:
    """Values without letters or digits: dashes, emoji."""
    wanted = value.strip()
    if not wanted:
        return
    at = index.text.find(wanted)
    found = 0
    while at >= 0 and found < MOST:
        yield Candidate(at, at + len(wanted), 1.0 if wanted == value else 0.96, "exact")
        found += 1
        at = index.text.find(wanted, at + len(wanted))


# ------------------------------------------------------------------------------------------- other spellings


def _as_number(index: Index, value: str) -> list[Candidate]:
    match = _NUMERIC.fullmatch(value.strip()) if len(value) < 40 else None
    if match is None:
        return []
    meant = numbers.readings(match[1].strip(" \u00a0\u202f.,'"))
    if not meant:
        return []
    size = max(meant, key=lambda one: one[1])[0]
    negative = "(" in value or "-" in value or "−" in value
    return [
        candidate._replace(match="normalized")
        for candidate in of_number(index, -size if negative else size)
        if candidate.quality >= _SURE
    ]


def _as_date(index: Index, value: str) -> list[Candidate]:
    found: list[Candidate] = []
    if wanted.is_plain(value):
        return found  # has been looked for
    for day in wanted.meanings(value):
        found += (candidate._replace(quality=0.95 * candidate.quality) for candidate in _of_day(index, day))
    return _without_doubles(found)


def _as_currency(index: Index, value: str) -> list[Candidate]:
    found = [
        candidate._replace(quality=0.93, match="normalized")
        for sign in SIGNS.get(value.strip().upper(), ())
        for candidate in (_mentions(index, sign) if key(sign) else _signs(index, sign))
    ]
    return _without_doubles(found)


def _as_link(index: Index, value: str) -> list[Candidate]:
    head, separator, tail = value.partition("://")
    if not separator:
        head, separator, tail = value.partition(":")
        if head.lower() not in {"mailto", "tel"}:
            return []
    found = _mentions(index, tail.strip("/"))
    return [candidate._replace(quality=0.95 * candidate.quality, match="normalized") for candidate in found]


def _backwards(index: Index, value: str) -> list[Candidate]:
    """Right-to-left text that a file holds in the order in which it is drawn."""
    if value.isascii() or not any("\u0590" <= letter <= "\u08ff" for letter in value):
        return []
    return [
        candidate._replace(quality=0.85, match="normalized") for candidate in _mentions(index, value[::-1])
    ]


def _near(index: Index, value: str) -> list[Candidate]:
    return [Candidate(*found, "fuzzy") for found in (scattered(index, value) or approximate(index, value))]


_OTHERWISE: tuple[Callable[[Index, str], list[Candidate]], ...] = (
    _as_number,
    _as_date,
    _as_currency,
    _as_link,
    _backwards,
    _near,
)
"""What is tried, in this order, for a text that is not printed as it stands."""
