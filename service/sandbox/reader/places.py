"""Addresses: streets, postcodes and cities, regions, countries."""

import re
from dataclasses import dataclass

from service.sandbox.reader.countries import BY_NAME, CODES
from service.sandbox.reader.words import fold

__all__ = ["Address", "country_code", "is_street", "parse_address", "postcode_city", "split_street"]

_TOWN = r"[^\W\d_][^\W\d_.'’\-]*(?:[ \-/'’.]+(?:[^\W\d_]|\()[^\W\d_.'’()\-]*){0,4}(?: \d{1,2}(?!\d))?"
# 10115, D-10115, 1234 AB, 1234-567, 00-950, 123 45
_CODE = r"(?:[A-Z]{1,3}[-–] ?)?\d{4,6}(?:-\d{3,4})?(?: [A-Z]{2}(?![A-Za-z]))?|\d{2}-\d{3}|\d{3} \d{2}"
_CODE_CITY = re.compile(rf"(?<![\w.,/-])({_CODE})[ ,]+({_TOWN})")
_CITY_CODE = re.compile(rf"(?:^|[,;]\s*)({_TOWN})[ ,]+(\d{{4,6}}(?:-\d{{4}})?)(?=$|[,;.]|\s*$)")
# United Kingdom, Canada, Ireland: letters and digits mixed
_MIXED = r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d|[A-Z]\d[\dW] ?[A-Z\d]{4}"
_CITY_MIXED = re.compile(rf"([^\d,]{{2,40}}?)(?:[ ,]+([A-Z]{{2}}))?[ ,]+({_MIXED})(?![A-Za-z\d])")
_MIXED_CITY = re.compile(rf"^\W*({_MIXED}),? ({_TOWN})")
_MIXED_ONLY = re.compile(rf"^\W*({_MIXED})\W*$")
_US = re.compile(r"([^\W\d_][^\d,]{1,40}),?\s+([A-Z]{2}),?\s+(\d{5}(?:-\d{4})?)\b")
_STREET = re.compile(
    r"(?:\d{1,5}[a-zA-Z]?(?:[-/]\d{1,4})?,? +[^\W\d_].{2,60}"
    r"|[^\W\d_][^\d,;:@]{2,50}?,? *(?:n[°º.]? ?|nr\.? ?|no\.? ?)?\d{1,5} ?[a-zA-Z]?(?:[-/+]\d{1,4}[a-z]?)?(?:,? .{0,30})?)$"
)
_STREET_WORD = re.compile(
    r"(?:str\.|strasse|straße|weg|platz|allee|gasse|ring|ufer|damm|straat|laan|plein|kade|gracht)(?![^\W\d_])"
    r"|(?<![^\W\d_])(?:street|road|rd\.?|avenue|ave\.?|lane|drive|blvd|boulevard|rue|calle|via|viale|piazza|plaza|ulica|ul\.|"
    r"jalan|rua|av\.|avenida|chemin|highway|court|way|suite|floor|p\.?o\.? ?box|postfach|unit|quay|square|terrace|crescent)(?![^\W\d_])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The parts of a postal address; None for what is not printed."""

    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None
    country_text: str | None = None
    lines: tuple[str, ...] = ()
    """The lines that belong to the address, as printed."""


def country_code(text: str) -> str | None:
    """ISO 3166 alpha-2 of a country's name or code."""
    plain = fold(text[:60]).strip(" .,()")
    if plain in BY_NAME:
        return BY_NAME[plain]
    upper = text.strip()
    return upper if upper in CODES else None


def _match(text: str) -> tuple[str, str, str | None] | None:
    """Postcode, city and region of one line."""
    text = text[:200]
    american = _US.search(text)
    if american:
        return american[3], american[1], american[2]
    european = _CODE_CITY.search(text)
    mixed = _CITY_MIXED.search(text)
    leading = _MIXED_CITY.match(text)
    if leading:
        return leading[1], leading[2], None
    if mixed and (european is None or mixed.start() < european.start()):
        return mixed[3], mixed[1], mixed[2]
    if european and not _looks_like_street(text, european):
        return european[1], european[2], None
    trailing = _CITY_CODE.search(text)
    if trailing and not _STREET_WORD.search(trailing[1]):
        return trailing[2], trailing[1], None
    return None


def _looks_like_street(text: str, match: re.Match[str]) -> bool:
    """`1147 Speers Rd` and `2210 Lakeshore Road`: a house number before a street, no postcode."""
    return match.start() == 0 and _STREET_WORD.search(match[2]) is not None and "," not in text[: match.end()]


def postcode_city(text: str) -> tuple[str, str] | None:
    """Postcode and city of one line, in the forms of Europe and North America."""
    found = _match(text)
    if found is None:
        return None
    town = found[1].strip(" ,.-").rsplit(",", 1)[-1].strip()
    if len(town) < 2:
        return None
    return re.sub(r"^[A-Z]{1,3}[-–] ?", "", found[0]), town


def split_street(text: str) -> str | None:
    """The street with its number, when a text looks like one."""
    text = text[:200]
    first = re.split(r"\s*[,;|]\s*(?=\S*\d{4,})|\s{2,}", text.strip(), maxsplit=1)[0].rstrip(" ,;")
    if postcode_city(first) and not _STREET_WORD.search(first):
        return None
    if len(first) <= 90 and (_STREET.match(first) or _STREET_WORD.search(first)) and "@" not in first:
        return first
    return None


def is_street(text: str) -> bool:
    """Whether one line names a street."""
    if len(text) > 90 or not any(character.isalpha() for character in text):
        return False
    return bool(_STREET_WORD.search(text) or _STREET.match(text)) and split_street(text) is not None


def parse_address(lines: tuple[str, ...]) -> Address:
    """The address among the lines of a block, whether it stands on several lines or on one with commas."""
    pieces: list[tuple[str, str]] = []
    for line in lines[:12]:
        line = line[:200]
        parts = [part.strip() for part in re.split(r"\s*[,;•·|]\s+|\s+[-–]\s+", line) if part.strip()]
        joined = _match(line) if len(parts) > 1 else None
        if joined and joined[2]:
            # `Portland, ME 04101` must not be split at its comma
            head = line[: line.rfind(joined[1])].strip(" ,")
            parts = [part for part in re.split(r"\s*[,;]\s+", head) if part]
            parts.append(line[line.rfind(joined[1]) :])
        pieces.extend((part, line) for part in parts or [line])
    place = next((index for index, (part, _) in enumerate(pieces) if _match(part)), None)
    code_only = next((index for index, (part, _) in enumerate(pieces) if _MIXED_ONLY.match(part)), None)
    country = next(
        (
            (index, country_code(part))
            for index, (part, _) in reversed(list(enumerate(pieces)))
            if country_code(part)
        ),
        None,
    )
    code = city = region = None
    if place is not None:
        found = _match(pieces[place][0])
        if found:
            code, city, region = re.sub(r"^[A-Z]{1,3}[-–] ?", "", found[0]), found[1].strip(" ,.-"), found[2]
        limit = place
    elif code_only is not None:
        matched = _MIXED_ONLY.match(pieces[code_only][0])
        code = matched[1] if matched else None
        limit = code_only
    else:
        limit = country[0] if country else len(pieces)
    streets = [index for index, (part, _) in enumerate(pieces[:limit]) if is_street(part)]
    if place is None and code_only is not None:
        between = [part for part, _ in pieces[(streets[-1] + 1 if streets else max(0, limit - 2)) : limit]]
        city = between[0] if between else None
        region = between[1] if len(between) > 1 else None
    elif place is not None and streets and limit - streets[-1] > 1:
        between = [part for part, _ in pieces[streets[-1] + 1 : limit]]
        if city and _MIXED_ONLY.match(str(code)) and region is None and len(between) == 1:
            # `Hebden Bridge, West Yorkshire HX7 8EX`: the county stands before the postcode
            city, region = between[0], city
    used = {pieces[index][1] for index in (*streets, *((limit,) if limit < len(pieces) else ()))}
    if country and country[0] < len(pieces):
        used.add(pieces[country[0]][1])
    return Address(
        street=", ".join(pieces[index][0] for index in streets) or None,
        postcode=code,
        city=city,
        region=region,
        country=country[1] if country else None,
        country_text=pieces[country[0]][0] if country else None,
        lines=tuple(line for line in lines if line in used),
    )
