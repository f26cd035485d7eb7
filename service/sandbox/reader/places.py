"""Addresses: streets, postcodes and cities, countries."""

import re

from service.sandbox.reader.words import fold

__all__ = ["country_code", "postcode_city", "split_street"]

_CODES = (
    r"(?:[A-Z]{1,3}[-–] ?)?\d{4,6}(?:-\d{3,4})?(?: [A-Z]{2}(?![A-Za-z]))?"  # 10115, D-10115, 1234 AB, 1234-567, 00-950
    r"|\d{2}-\d{3}|\d{3} \d{2}"
)
_CODE_CITY = re.compile(
    rf"(?<![\w.,/-])({_CODES})[ ,]+([^\W\d_][^\W\d_.'’\-]*(?:[ \-/'’.]+(?:[^\W\d_]|\()[^\W\d_.'’()\-]*){{0,4}}(?: \d{{1,2}}(?!\d))?)"
)
_UK = re.compile(r"([^\d,]{3,40}?)[ ,]+([A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})\b")
_US = re.compile(r"([^\W\d_][^\d,]{1,40}),?\s+([A-Z]{2}),?\s+(\d{5}(?:-\d{4})?)\b")
_STREET = re.compile(
    r"(?:\d{1,5}[a-zA-Z]?(?:[-/]\d{1,4})?,? +[^\W\d_].{2,60}"
    r"|[^\W\d_][^\d,;:@]{2,50}?,? *(?:n[°º.]? ?|nr\.? ?|no\.? ?)?\d{1,5} ?[a-zA-Z]?(?:[-/+]\d{1,4}[a-z]?)?(?:,? .{0,30})?)$"
)
_STREET_WORD = re.compile(
    r"str\.|strasse|straße|weg\b|platz\b|allee|gasse|ring\b|ufer\b|damm\b|street|road|avenue|ave\b|lane|drive|blvd|boulevard|"
    r"rue |calle |via |viale |piazza|plaza|ulica|ul\. |straat|laan\b|plein\b|kade\b|jalan|rua |avenida|highway|court\b|way\b|suite|floor|po box|p\.o\.",
    re.IGNORECASE,
)

_COUNTRIES = {
    "DE": "germany deutschland allemagne alemania germania niemcy duitsland alemanha",
    "FR": "france frankreich francia francja frankrijk franca",
    "GB": "united_kingdom uk great_britain england scotland wales grossbritannien vereinigtes_konigreich royaume-uni",
    "US": "united_states usa united_states_of_america u.s.a. vereinigte_staaten etats-unis estados_unidos",
    "ES": "spain spanien espagne espana spagna hiszpania spanje espanha",
    "IT": "italy italien italie italia wlochy",
    "NL": "netherlands the_netherlands niederlande pays-bas paises_bajos paesi_bassi holandia nederland holland",
    "BE": "belgium belgien belgique belgica belgio belgia belgie",
    "AT": "austria osterreich autriche oostenrijk",
    "CH": "switzerland schweiz suisse svizzera suiza szwajcaria zwitserland",
    "PL": "poland polen pologne polonia polska",
    "PT": "portugal portogallo",
    "IE": "ireland irland irlande irlanda",
    "LU": "luxembourg luxemburg",
    "DK": "denmark danemark danmark dania",
    "SE": "sweden schweden suede suecia sverige",
    "NO": "norway norwegen norvege noruega norge",
    "FI": "finland finnland finlande suomi",
    "CZ": "czech_republic czechia tschechien ceska_republika tchequie",
    "SK": "slovakia slowakei slovensko",
    "HU": "hungary ungarn hongrie magyarorszag",
    "RO": "romania rumanien roumanie",
    "GR": "greece griechenland grece",
    "CA": "canada kanada", "AU": "australia australien", "NZ": "new_zealand", "IN": "india indien", "CN": "china chine",
    "JP": "japan japon", "KR": "south_korea korea", "SG": "singapore", "MY": "malaysia", "BR": "brazil brasil brasilien",
    "MX": "mexico mexiko", "TR": "turkey turkei", "UA": "ukraine", "ZA": "south_africa", "AE": "united_arab_emirates uae",
    "EE": "estonia eesti", "LV": "latvia", "LT": "lithuania", "SI": "slovenia", "HR": "croatia", "BG": "bulgaria",
}  # fmt: skip
_BY_NAME = {name.replace("_", " "): code for code, names in _COUNTRIES.items() for name in names.split()}


def country_code(text: str) -> str | None:
    """ISO 3166 alpha-2 of a country's name or code."""
    plain = fold(text).strip(" .,()")
    if plain in _BY_NAME:
        return _BY_NAME[plain]
    upper = text.strip()
    return upper if upper in _COUNTRIES else None


def postcode_city(text: str) -> tuple[str, str] | None:
    """Postcode and city of one line, in the forms of Europe and the United States."""
    text = text[:200]
    for pattern, code, city in ((_US, 3, 1), (_CODE_CITY, 1, 2), (_UK, 2, 1)):
        match = pattern.search(text)
        if match:
            town = match[city].strip(" ,.-")
            town = town.rsplit(",", 1)[-1].strip()
            if len(town) >= 2:
                return re.sub(r"^[A-Z]{1,3}[-–] ?", "", match[code]), town
    return None


def split_street(text: str) -> str | None:
    """The street with its number, when a text looks like one."""
    first = re.split(r"\s*[,;|]\s*(?=\S*\d{4,})|\s{2,}", text.strip(), maxsplit=1)[0].rstrip(" ,;")
    if postcode_city(first) and not _STREET_WORD.search(first):
        return None
    if len(first) <= 90 and (_STREET.match(first) or _STREET_WORD.search(first)) and "@" not in first:
        return first
    return None


def is_street(text: str) -> bool:
    """Whether one line names a street."""
    return (
        len(text) <= 90
        and split_street(text) is not None
        and bool(_STREET_WORD.search(text) or _STREET.match(text))
    )
