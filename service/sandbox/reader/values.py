"""Single values as documents print them: numbers, money, currencies, identifiers, contact data."""

import re
from dataclasses import dataclass

__all__ = [
    "BIC", "CURRENCY_CODES", "EMAIL", "IBAN", "PHONE", "URL", "VAT_ID", "clean_id", "currency_in", "find_currency",
    "find_numbers", "parse_number", "valid_iban",
]  # fmt: skip

EMAIL = re.compile(r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9][A-Za-z0-9.\-]{0,250}\.[A-Za-z]{2,24}")
URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'()\[\]|]{3,300}[^\s<>\"'()\[\]|.,;:!?]", re.IGNORECASE)
IBAN = re.compile(r"\b([A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?)(?![A-Za-z0-9])")
BIC = re.compile(r"\b([A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)\b")
VAT_ID = re.compile(
    r"\b((?:AT ?U ?\d{8}|BE ?[01]?\d{3}[ .]?\d{3}[ .]?\d{3}|BG ?\d{9,10}|CHE[- ]?\d{3}[. ]?\d{3}[. ]?\d{3}|CY ?\d{8}[A-Z]|CZ ?\d{8,10}"
    r"|DE ?\d{3} ?\d{3} ?\d{3}|DK ?\d{8}|EE ?\d{9}|EL ?\d{9}|ES ?[A-Z0-9]\d{7}[A-Z0-9]|FI ?\d{8}|FR ?[A-Z0-9]{2} ?\d{3} ?\d{3} ?\d{3}"
    r"|GB ?\d{3} ?\d{4} ?\d{2}|HR ?\d{11}|HU ?\d{8}|IE ?\d[A-Z0-9]\d{5}[A-Z]{1,2}|IT ?\d{11}|LT ?\d{9,12}|LU ?\d{8}|LV ?\d{11}|MT ?\d{8}"
    r"|NL ?\d{9} ?B ?\d{2}|PL ?\d{3}-?\d{3}-?\d{2}-?\d{2}|PT ?\d{9}|RO ?\d{6,10}|SE ?\d{12}|SI ?\d{8}|SK ?\d{10}))\b"
)
PHONE = re.compile(r"(?<![\w/.,-])(?:\+|00)?\(?\d[\d ()/.\-]{5,22}\d(?![\w-])")

CURRENCY_CODES = frozenset(
    [
        "EUR",
        "USD",
        "GBP",
        "CHF",
        "JPY",
        "CNY",
        "PLN",
        "CZK",
        "HUF",
        "SEK",
        "NOK",
        "DKK",
        "RON",
        "BGN",
        "HRK",
        "TRY",
        "RUB",
        "UAH",
        "CAD",
        "AUD",
        "NZD",
        "MXN",
        "BRL",
        "ARS",
        "CLP",
        "COP",
        "PEN",
        "INR",
        "IDR",
        "MYR",
        "SGD",
        "THB",
        "VND",
        "PHP",
        "KRW",
        "TWD",
        "HKD",
        "ZAR",
        "AED",
        "SAR",
        "QAR",
        "ILS",
        "EGP",
        "MAD",
        "TND",
        "NGN",
        "KES",
        "ISK",
    ]
)
_SYMBOLS: tuple[tuple[str, str], ...] = (
    ("€", "EUR"), ("£", "GBP"), ("zł", "PLN"), ("Kč", "CZK"), ("₹", "INR"), ("₩", "KRW"), ("₺", "TRY"), ("₽", "RUB"),
    ("₴", "UAH"), ("₪", "ILS"), ("₫", "VND"), ("R$", "BRL"), ("S$", "SGD"), ("A$", "AUD"), ("C$", "CAD"), ("HK$", "HKD"),
    ("NT$", "TWD"), ("US$", "USD"), ("Fr.", "CHF"), ("CHF", "CHF"), ("Rp", "IDR"), ("RM", "MYR"), ("円", "JPY"),
    ("元", "CNY"), ("¥", "JPY"), ("￥", "JPY"), ("원", "KRW"), ("$", "USD"),
)  # fmt: skip
_CODE = re.compile(r"(?<![A-Za-z])(" + "|".join(sorted(CURRENCY_CODES)) + r")(?![A-Za-z])")
_NUMBER = re.compile(
    r"(?<![\w.,])(?P<open>\()?(?P<sign>[-−–+])?\s?(?P<money>[$€£¥₹₩]|[A-Z]{3}\s|RM\s?|Rp\.?\s?|Kč|kr\.?\s)?\s?(?P<sign2>[-−–])?"
    r"(?P<digits>\d{1,3}(?:[.,'’  \u202f]\d{3})+(?:[.,]\d{1,4})?|\d{1,3}(?: \d{3})+(?:[.,]\d{1,4})?|\d+(?:[.,]\d+)?|[.,]\d+)"
    r"(?P<dash>[.,][-–—]{1,2})?(?P<trail>\s?[-−](?=\s|$|[A-Z]{3}|€))?(?P<close>\))?"
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number on the page: its value, place, and whether it is printed like money or a percentage."""

    value: float
    start: int
    end: int
    decimals: int
    percent: bool
    money: bool


def find_numbers(text: str, *, comma_decimal: bool | None = None) -> list[Number]:
    """Every number of a text; `comma_decimal` decides 1,234 and 1.234 where they could be either."""
    found: list[Number] = []
    for match in _NUMBER.finditer(text):
        value, decimals = _value(match["digits"], comma_decimal=comma_decimal)
        if value is None:
            continue
        tail = text[match.end() : match.end() + 5].lstrip()
        if tail[:1].isalpha() and text[match.end() : match.end() + 1].isalnum():
            continue
        negative = match["sign"] in ("-", "−", "–") or bool(match["sign2"]) or bool(match["trail"])
        if match["open"] and match["close"]:
            negative = True
        money = bool(match["money"]) or tail.startswith(
            ("€", "EUR", "£", "$", "zł", "PLN", "CHF", "Kč", "USD", "kr")
        )
        found.append(
            Number(
                -value if negative and value else value,
                match.start(),
                match.end(),
                decimals,
                tail.startswith("%"),
                money,
            )
        )
    return found


def _value(digits: str, *, comma_decimal: bool | None) -> tuple[float | None, int]:
    text = re.sub(r"['’\s  \u202f]", "", digits)
    commas, dots = text.count(","), text.count(".")
    if commas and dots:
        decimal = "," if text.rfind(",") > text.rfind(".") else "."
    elif commas > 1 or dots > 1:
        decimal = ""
    elif commas or dots:
        mark = "," if commas else "."
        head, _, tail = text.partition(mark)
        thousands = len(tail) == 3 and 1 <= len(head) <= 3 and head != "0"
        if thousands and comma_decimal is not None:
            decimal = mark if comma_decimal == (mark == ",") else ""
        else:
            decimal = "" if thousands and mark == "," else mark
            if thousands and mark == "." and comma_decimal is None:
                decimal = "."
    else:
        decimal = ""
    for mark in ",.":
        if mark != decimal:
            text = text.replace(mark, "")
    text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        return None, 0
    return value, len(text.partition(".")[2])


def parse_number(text: str, *, comma_decimal: bool | None = None) -> float | None:
    """The number a short text prints, or None when it prints none."""
    numbers = find_numbers(text[:200], comma_decimal=comma_decimal)
    if not numbers:
        return None
    money = [number for number in numbers if number.money] or [n for n in numbers if not n.percent] or numbers
    number = money[0]
    if text[number.end : number.end + 12].strip().upper() in ("DR", "D", "S", "SOLL"):
        return -abs(number.value)
    return number.value


def currency_in(text: str) -> str | None:
    """The currency code or symbol of a short text, as ISO 4217."""
    match = _CODE.search(text)
    if match:
        return match[1]
    for symbol, code in _SYMBOLS:
        if symbol in text and (
            not symbol.isalpha() or re.search(rf"(?<![A-Za-z]){symbol}(?![A-Za-z])", text)
        ):
            return code
    return None


def find_currency(text: str) -> str | None:
    """The currency that a document's amounts are printed in: the code or symbol that stands beside most of them."""
    counts: dict[str, int] = {}
    for match in _CODE.finditer(text):
        counts[match[1]] = counts.get(match[1], 0) + 2
    rest = text
    for symbol, code in _SYMBOLS:
        pattern = (
            rf"(?<![A-Za-z]){re.escape(symbol)}(?![A-Za-z])"
            if symbol[-1].isalpha() or symbol == "Fr."
            else re.escape(symbol)
        )
        found = re.findall(rf"\d\s?{pattern}|{pattern}\s?[-(]?\d", rest)
        if found:
            counts[code] = counts.get(code, 0) + len(found)
            rest = re.sub(rf"\d\s?{pattern}|{pattern}\s?[-(]?\d", "0", rest)
    if not counts:
        return next((code for symbol, code in _SYMBOLS[:10] if symbol in text), None)
    return max(counts, key=lambda code: counts[code])


def valid_iban(text: str) -> str | None:
    """An IBAN without spaces when its check digits are right."""
    compact = re.sub(r"\s", "", text).upper()
    for length in range(min(34, len(compact)), 14, -1):
        candidate = compact[:length]
        if not re.fullmatch(r"[A-Z]{2}\d\d[A-Z0-9]+", candidate):
            continue
        moved = candidate[4:] + candidate[:4]
        if int("".join(str(int(character, 36)) for character in moved)) % 97 == 1:
            return candidate
    return None


_DATE_LIKE = re.compile(r"\d{1,2}[./]\d{1,2}[./]\d{2,4}$|\d{4}-\d\d-\d\d$")
_ID_EDGE = re.compile(r"^[\s:#№.\-–*]+|[\s,;.:*]+$")


_NUMBER_WORD = re.compile(
    r"^(?:n[or°º]?\.?|nr\.?|no\.?|num\.?|nummer|numéro|número|numero|number|#|№|id)[\s:.]+(?=\S*\d)|^n°(?=\d)",
    re.IGNORECASE,
)


def clean_id(text: str) -> str | None:
    """The identifier at the start of a text: its first words that hold a digit, or None when none does."""
    text = _NUMBER_WORD.sub("", _ID_EDGE.sub("", text))
    first = re.split(r"\s{2,}|\t|\s(?=[A-Za-zÀ-ÿ]{3,}[\s:])|\s\(", text, maxsplit=1)[0]
    words = first.split(" ")
    if not any(character.isdigit() for character in first):
        return None
    kept: list[str] = []
    for word in words[:6]:
        if kept and (
            (word.isalpha() and word.islower()) or (not any(c.isdigit() for c in word) and len(word) > 2)
        ):
            break
        if kept and any(c.isdigit() for c in kept[-1]) and _DATE_LIKE.match(word):
            break
        kept.append(word)
    return _ID_EDGE.sub("", " ".join(kept)) or None
