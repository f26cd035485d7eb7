"""What a property asks for (a date, a currency, an identifier, ...) and how a printed text becomes it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from service.sandbox.reader import values
from service.sandbox.reader.dates import find_dates, find_months, find_times, iso_date, iso_time
from service.sandbox.reader.page import Page
from service.sandbox.reader.places import country_code, parse_address, postcode_city, split_street
from service.sandbox.reader.words import canonical, fold, plain_words

__all__ = ["Wish", "convert", "kind_of", "pick_enum"]

_VERBATIM = re.compile(r"exactly as|as printed|verbatim|do not reformat|as written|as shown", re.IGNORECASE)
_ISO_DATE = re.compile(r"YYYY-MM-DD|ISO[ -]?8601|ISO date", re.IGNORECASE)
_YES = frozenset(
    [
        "yes",
        "y",
        "true",
        "ja",
        "oui",
        "si",
        "sim",
        "tak",
        "x",
        "checked",
        "on",
        "ok",
        "wahr",
        "vrai",
        "vero",
        "included",
        "confirmed",
        "✓",
        "✔",
        "☑",
        "☒",
    ]
)
_NO = frozenset(
    [
        "no",
        "n",
        "false",
        "nein",
        "non",
        "nao",
        "nie",
        "off",
        "unchecked",
        "none",
        "keine",
        "kein",
        "falsch",
        "faux",
        "falso",
        "☐",
    ]
)
_NOTHING = frozenset(("", "-", "--", "—", "–", "n/a", "na", "none", "null", "nil", "keine", "k.a.", "/", "."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One leaf of a schema: its own words, its kind, and the schema itself."""

    schema: Mapping[str, Any]
    words: frozenset[str]
    name: str = ""
    kind: str
    verbatim: bool
    description: str


def kind_of(
    schema: Mapping[str, Any], types: tuple[str, ...], words: frozenset[str], description: str
) -> str:
    """The kind of a leaf, from its type, format, pattern, words and description, in that order."""
    if "enum" in schema:
        return "enum"
    if "boolean" in types and "string" not in types:
        return "boolean"
    if "number" in types or "integer" in types:
        return "number" if "string" not in types else "number or text"
    form = schema.get("format")
    if form in ("date", "date-time", "time", "email", "uri", "duration"):
        return {"uri": "url", "date-time": "datetime"}.get(form, str(form))
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        guess = _kind_of_pattern(pattern)
        if guess:
            return guess
    return _kind_of_words(words, description)


def _kind_of_pattern(pattern: str) -> str | None:
    text = pattern.replace("[0-9]", r"\d")
    if re.search(r"\\d\{4\}-.*\\d(\{2\}|.\\d)\$?$", text) and text.count("-") == 2:
        return "date"
    if text.count(":") and "\\d" in text and "-" not in text.replace("0-", "").replace("1-", ""):
        return "time"
    if re.fullmatch(r"\^?\[A-Z\]\{3\}\$?", text):
        return "currency"
    if re.fullmatch(r"\^?\[A-Z\]\{2\}\$?", text):
        return "country"
    if re.fullmatch(r"\^?\[a-z\]\{2\}\$?", text):
        return "language"
    if text.startswith((r"^\d{4}-", r"^(19|20)\d{2}-")) and text.count("-") == 1:
        return "month"
    return None


_BY_WORD: tuple[tuple[str, str], ...] = (
    ("iban", "iban"), ("bic", "bic"), ("currency", "currency"), ("email", "email"), ("phone", "phone"), ("fax", "phone"),
    ("website", "url"), ("link", "url"), ("postcode", "postcode"), ("country", "country"), ("street", "street"),
)  # fmt: skip


def _kind_of_words(words: frozenset[str], description: str) -> str:  # noqa: C901 - a list of plain cases
    if "YYYY-MM" in description and "YYYY-MM-DD" not in description:
        return "month"
    if "HH:MM" in description:
        return "time"
    for word, kind in _BY_WORD:
        if word in words:
            return kind
    if "vat" in words and "number" in words:
        return "vat"
    if "vat" in words and len(words) == 1 and "amount" not in description.lower():
        return "vat"
    if "city" in words and "postcode" not in words:
        return "city"
    if words == {"state"}:
        return "region"
    if "date" in words or _ISO_DATE.search(description):
        return "date"
    if words & {"birth", "due"} and not words & {"city", "amount"}:
        return "date"
    if "time" in words and not words & {"terms", "zone"}:
        return "time"
    if "ISO 4217" in description:
        return "currency"
    if "ISO 3166" in description:
        return "country"
    if words & {"number", "sku", "tracking"} and not words & {"name", "description", "type", "status"}:
        return "id"
    if words & {"total", "amount", "price", "subtotal"} and not words & {
        "description",
        "currency",
        "method",
        "terms",
    }:
        return "printed number"
    return "text"


def is_verbatim(description: str) -> bool:
    """Whether a description asks for the printed form."""
    return _VERBATIM.search(description) is not None


# ------------------------------------------------------------------------------------- conversions
def convert(wish: Wish, text: str, page: Page) -> Any | None:
    """The value that a printed text gives for a wish, or None when it gives none."""
    text = text[:4_000].strip().strip("|").strip()
    if len(text) < 10 and fold(text) in _NOTHING:
        return None
    return _CONVERT[wish.kind](wish, text, page)


def _date(wish: Wish, text: str, page: Page) -> str | None:
    if wish.verbatim:
        days = find_dates(text[:200], european=page.european)
        return text[days[0].start : days[0].end].strip() if days else None
    iso = iso_date(text, european=page.european)
    if iso and wish.words & {"end"} and len(text) < 200:
        # `Period: 1 May - 31 May` holds both ends under one label
        days = find_dates(text, european=page.european)
        return days[-1].iso
    return iso


def _datetime(_wish: Wish, text: str, page: Page) -> str | None:
    day = iso_date(text, european=page.european)
    if day is None:
        return None
    zoned = re.search(r"T?\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s?(Z|[+-]\d{2}:?\d{2})", text)
    clock = iso_time(text) or "00:00:00"
    clock = clock if len(clock) == 8 else f"{clock}:00"
    zone = zoned[1] if zoned else "Z"
    if len(zone) == 5:
        zone = f"{zone[:3]}:{zone[3:]}"
    return f"{day}T{clock}{zone}"


def _month(wish: Wish, text: str, page: Page) -> str | None:
    months = find_months(text[:200])
    days = find_dates(text[:200], european=page.european)
    found = [day.iso[:7] for day in (*months, *days)]
    if not found:
        return None
    return found[-1] if "end" in wish.words and len(found) > 1 else found[0]


def _time(wish: Wish, text: str, _page: Page) -> str | None:
    times = list(find_times(text))
    if not times:
        return None
    chosen = times[0]
    if "end" in wish.words:
        if len(times) > 1:
            chosen = times[1]
        elif not re.match(r"\W*\d", text):
            return None
    if wish.schema.get("format") == "time":
        return (chosen if len(chosen) == 8 else f"{chosen}:00") + "Z"
    return chosen if "seconds" in wish.description else chosen[:5]


def _number(wish: Wish, text: str, page: Page) -> float | int | None:
    ranged = _bound(wish, text, page)
    if ranged is not None:
        return ranged[0]
    if re.match(r"\W*\d+[/-]\d+(?![\d.,]*\s?%)", text) and not wish.words & {"year", "result", "value"}:
        return None  # a date or an identifier
    found = values.find_numbers(text[:160], comma_decimal=page.comma_decimal)
    if not found:
        return None
    if "year" in wish.words:
        years = [number for number in found if 1000 <= number.value <= 2100 and not number.decimals]
        return int(years[-1].value) if years else None
    if wish.words & {"rate"}:
        percents = [number for number in found if number.percent]
        found = percents or found
    elif wish.words & {"amount", "total", "price", "subtotal", "net", "gross", "balance", "tax", "vat"}:
        plain = [number for number in found if not number.percent]
        money = [number for number in plain if number.money or number.decimals == 2]
        found = money if wish.words & {"tax", "vat"} else money or plain
        if not found:
            return None
    if find_dates(text[:40], european=page.european) and not any(n.money or n.decimals == 2 for n in found):
        return None
    value = (
        values.parse_number(text[:160], comma_decimal=page.comma_decimal)
        if len(found) == 1
        else found[0].value
    )
    if value is None:
        return None
    whole = float(value).is_integer()
    types = wish.schema.get("type")
    if types == "integer" or (isinstance(types, list) and "integer" in types and "number" not in types):
        return int(value) if whole else round(value)
    return int(value) if whole and abs(value) < 1e15 else value


_LOW = frozenset({"low", "lower", "min", "minimum"})
_HIGH = frozenset({"high", "upper", "max", "maximum"})


def _bound(wish: Wish, text: str, page: Page) -> tuple[float | int | None] | None:
    """One end of a printed range such as `4.0 - 11.0`, `< 5` or `> 1`; None when no end is asked for."""
    low, high = bool(wish.words & _LOW), bool(wish.words & _HIGH)
    if low == high:
        return None
    pair = re.match(r"^\D{0,12}?(-?\d[\d.,]*)\s*(?:[-–—]|to|bis|à)\s*(-?\d[\d.,]*)", text)
    if pair:
        end: float | int | None = values.parse_number(pair[1 if low else 2], comma_decimal=page.comma_decimal)
    elif re.match(r"^\s*(?:[<≤]|up to|bis)", text):
        end = values.parse_number(text, comma_decimal=page.comma_decimal) if high else None
    elif re.match(r"^\s*(?:[>≥]|from|ab)", text):
        end = values.parse_number(text, comma_decimal=page.comma_decimal) if low else None
    else:
        return None
    return (int(end) if end is not None and float(end).is_integer() else end,)


def _number_or_text(_wish: Wish, text: str, page: Page) -> float | int | str | None:
    """A number when the text is one, else the text."""
    plain = re.fullmatch(r"[-−+(]?\s*[$€£]?\s*[\d][\d.,'’ ]*\s*[%€$£)]?", text)
    value = values.parse_number(text, comma_decimal=page.comma_decimal) if plain else None
    if value is None:
        return text[:4_000]
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def _printed_number(wish: Wish, text: str, page: Page) -> str | None:
    found = values.find_numbers(text[:160], comma_decimal=page.comma_decimal)
    if not found:
        return text[:200] if not wish.words & {"total", "amount"} else None
    number = next((n for n in found if n.money or n.decimals == 2), found[0])
    digits = re.search(r"[\d.,'’ ]*\d", text[number.start : number.end])
    return digits[0].strip() if digits else None


def _currency(_wish: Wish, text: str, _page: Page) -> str | None:
    return values.currency_in(text)


def _first(pattern: re.Pattern[str]) -> Callable[[Wish, str, Page], str | None]:
    def read(_wish: Wish, text: str, _page: Page) -> str | None:
        match = pattern.search(text[:2_000])
        return match[0].strip() if match else None

    return read


def _iban(wish: Wish, text: str, _page: Page) -> str | None:
    for match in values.IBAN.finditer(text[:400]):
        found = values.valid_iban(match[1])
        if found:
            return match[1].strip() if wish.verbatim else found
    compact = re.sub(r"\s", "", text)
    return compact if re.fullmatch(r"[A-Z]{2}\d\d[A-Z0-9]{8,30}", compact) else None


def _bic(_wish: Wish, text: str, _page: Page) -> str | None:
    match = values.BIC.search(text[:200])
    return match[1] if match else None


def _vat(_wish: Wish, text: str, _page: Page) -> str | None:
    match = values.VAT_ID.search(text[:400])
    if match:
        return re.sub(r"[\s.]", "", match[1])
    found = values.clean_id(text)
    money = found is None or re.search(r"\d[.,]\d\d\b|%", found)
    return found if found and not money and len(re.sub(r"\W", "", found)) >= 7 else None


def _phone(_wish: Wish, text: str, _page: Page) -> str | None:
    match = values.PHONE.search(text[:200])
    return match[0].strip() if match and sum(c.isdigit() for c in match[0]) >= 6 else None


def _country(wish: Wish, text: str, _page: Page) -> str | None:
    code = country_code(text)
    two = re.fullmatch(r"\^?\[A-Z\]\{2\}\$?", str(wish.schema.get("pattern", "")))
    if code and (
        two or "3166" in wish.description or "alpha-2" in wish.description or "code" in wish.description
    ):
        return code
    return text if code else None


def _postcode(_wish: Wish, text: str, _page: Page) -> str | None:
    found = parse_address((text,)).postcode
    if found:
        return found
    match = re.fullmatch(r"[A-Z]{0,2}[- ]?\d{2,6}(?:[- ]\w{2,4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", text)
    return text if match else None


def _city(_wish: Wish, text: str, _page: Page) -> str | None:
    found = postcode_city(text)
    if found:
        return found[1]
    return text if len(text) < 60 and not any(character.isdigit() for character in text) else None


def _street(_wish: Wish, text: str, _page: Page) -> str | None:
    return split_street(text)


def _id(_wish: Wish, text: str, page: Page) -> str | None:
    found = values.clean_id(text)
    dated = found is not None and _is_datum(found, page) and iso_date(found, european=page.european)
    return None if dated else found


_DATA_WORDS = frozenset(
    "date period time number result value level range year quantity dose age term weight tag version".split()  # noqa: SIM905
)


def _text(wish: Wish, text: str, page: Page) -> str | None:
    text = text[:4_000]
    if wish.words & {"start", "to", "name", "sender", "requester", "customer", "buyer", "author", "contact"}:
        # `Jo Doe <jo@example.com>` names Jo Doe
        named = re.match(r"^\"?([^<\"@]{2,80}?)\"?\s*<[^>]*@[^>]*>", text)
        text = named[1].strip() if named else text
    if not wish.words & _DATA_WORDS and _is_datum(text, page):
        return None
    return text


def _is_datum(text: str, page: Page) -> bool:
    """Whether a text is only a date or only an amount, which no name or title is."""
    if len(text) > 30:
        return False
    days = find_dates(text, european=page.european)
    if days and days[0].end - days[0].start >= len(text) - 6:
        return True
    numbers = values.find_numbers(text)
    if len(numbers) != 1:
        return False
    rest = (text[: numbers[0].start] + text[numbers[0].end :]).strip(" %€$£.,")
    return not rest or rest in values.CURRENCY_CODES


def _boolean(_wish: Wish, text: str, _page: Page) -> bool | None:
    words = plain_words(text) or list(text.strip())
    ticked = re.search(r"(?:\[[xX✓✔]\]|[☒☑])\s*([^\[☐☒☑]*)", text)
    if ticked:
        first = next(iter(plain_words(ticked[1])), "")
        return first not in _NO
    if "[ ]" in text or "☐" in text:
        return False
    if not words:
        return None
    if words[0] in _YES:
        return True
    return False if words[0] in _NO or words[0] in ("not", "nicht", "keine") else None


def pick_enum(choices: list[Any], text: str) -> Any | None:
    """The choice that a text names: whole, as canonical words, or as the only one it mentions."""
    folded = fold(text).strip(" .:")
    words = frozenset(canonical(text)) | frozenset(plain_words(text))
    texts = [choice for choice in choices if isinstance(choice, str)]
    for choice in texts:
        if fold(choice) == folded:
            return choice
    code = values.currency_in(text)
    if code in texts:
        return code
    scored: list[tuple[float, str]] = []
    for choice in texts:
        spelled = choice.replace("_", " ")
        own = frozenset(canonical(spelled)) | frozenset(plain_words(spelled))
        plain = frozenset(plain_words(spelled))
        if plain and plain <= words:
            scored.append((1.0 + len(plain), choice))
        elif frozenset(canonical(spelled)) <= words and own:
            scored.append((1.0, choice))
        elif len(choice) > 3 and any(word.startswith(fold(choice)[:5]) for word in words if len(word) > 4):
            scored.append((0.5, choice))
    letter = fold(text).strip(" .:*()")
    initials = [choice for choice in texts if fold(choice).startswith(letter)] if len(letter) == 1 else []
    if not scored:
        return initials[0] if len(initials) == 1 else None
    return max(scored, key=lambda entry: entry[0])[1]


def _enum(wish: Wish, text: str, _page: Page) -> Any | None:
    ticked = re.search(r"(?:\[[xX✓✔]\]|[☒☑])\s*([^\[☐☒☑]+)", text)
    if ticked is None and re.match(r"\s*(?:\[ ?\]|☐)", text):
        return None  # a box left empty
    return pick_enum(list(wish.schema.get("enum") or ()), (ticked[1] if ticked else text)[:200])


_CONVERT: dict[str, Callable[[Wish, str, Page], Any | None]] = {
    "date": _date, "datetime": _datetime, "month": _month, "time": _time, "duration": lambda *_: None, "number": _number,
    "printed number": _printed_number, "number or text": _number_or_text, "currency": _currency, "email": _first(values.EMAIL), "url": _first(values.URL),
    "iban": _iban, "bic": _bic, "vat": _vat, "phone": _phone, "country": _country, "postcode": _postcode, "city": _city,
    "street": _street, "region": _text, "language": lambda *_: None, "id": _id, "text": _text, "boolean": _boolean, "enum": _enum,
}  # fmt: skip
