"""What can be read without a label: currencies, identifiers with check digits, titles, first dates, largest sums."""

import itertools
import re
from typing import Any

from service.sandbox.reader import values
from service.sandbox.reader.kinds import Wish, convert, pick_enum
from service.sandbox.reader.page import Page
from service.sandbox.reader.words import canonical, plain_words

__all__ = ["without_label"]

_ISSUED = frozenset(
    {
        "issue",
        "invoice",
        "receipt",
        "order",
        "document",
        "sent",
        "contract",
        "statement",
        "delivery",
        "reported",
    }
)
_NOT_FIRST = frozenset(
    {"due", "birth", "start", "end", "period", "collected", "received", "value_date", "payment", "signed"}
)


def without_label(page: Page, wish: Wish, topic: frozenset[str]) -> Any | None:
    """A value that shows itself, or None; `topic` are the words of the document's own kind."""
    reader = _BY_KIND.get(wish.kind)
    return reader(page, wish, topic) if reader else None


def _currency(page: Page, _wish: Wish, _topic: frozenset[str]) -> str | None:
    return page.currency


def _iban(page: Page, _wish: Wish, _topic: frozenset[str]) -> str | None:
    for match in values.IBAN.finditer(page.text):
        found = values.valid_iban(match[1])
        if found:
            return found
    return None


def _vat(page: Page, _wish: Wish, _topic: frozenset[str]) -> str | None:
    match = values.VAT_ID.search(page.text)
    return re.sub(r"[\s.]", "", match[1]) if match else None


def _email(page: Page, _wish: Wish, _topic: frozenset[str]) -> str | None:
    match = values.EMAIL.search(page.text)
    return match[0] if match else None


def _url(page: Page, _wish: Wish, _topic: frozenset[str]) -> str | None:
    match = values.URL.search(page.text)
    return match[0] if match else None


def _phone(page: Page, wish: Wish, _topic: frozenset[str]) -> str | None:
    if wish.words - {"phone", "number", "contact", "mobile"}:
        return None
    for line in page.lines[:30]:
        match = values.PHONE.search(line)
        if (
            match
            and sum(c.isdigit() for c in match[0]) >= 8
            and not re.search(r"\d{4}-\d\d-\d\d|\d[.,]\d\d\b", match[0])
        ):
            return match[0].strip()
    return None


def _date(page: Page, wish: Wish, _topic: frozenset[str]) -> Any | None:
    if "period" in wish.words or (
        wish.words <= {"start", "end", "date", "statement"} and wish.words & {"start", "end"}
    ):
        return _range_end(page, wish)
    if not page.dates or wish.words & _NOT_FIRST:
        return None
    if wish.words - _ISSUED - {"date", "time"}:
        return None
    first = page.dates[0]
    return convert(wish, page.text[first.start : first.end], page)


def _range_end(page: Page, wish: Wish) -> Any | None:
    """One end of the first printed range of dates, such as `01.07.2025 - 31.07.2025`."""
    for first, second in itertools.pairwise(page.dates[:200]):
        between = page.text[first.end : second.start]
        if (
            len(between) <= 8
            and re.fullmatch(r"\s*(?:[-–—]|to|bis|au|al|a|do|tot|t/m|until|through)?\s*", between)
            and "\n" not in between
        ):
            day = second if "end" in wish.words else first
            return (
                day.iso
                if wish.schema.get("format") == "date" or not wish.verbatim
                else page.text[day.start : day.end]
            )
    return None


def _datetime(page: Page, wish: Wish, _topic: frozenset[str]) -> Any | None:
    """The first date of the page with the time beside it."""
    if not page.dates or wish.words & {"due", "end", "birth"}:
        return None
    first = page.dates[0]
    stop = page.text.find("\n", first.end)
    return convert(wish, page.text[first.start : stop if stop > 0 else first.end + 60], page)


def _time(page: Page, wish: Wish, _topic: frozenset[str]) -> Any | None:
    """The first time of day, where only one is asked for."""
    if wish.words - {"time", "start", "date", "receipt"} or "time" not in wish.words:
        return None
    return next(
        (value for line in page.lines[:60] if ":" in line and (value := convert(wish, line, page))), None
    )


_GOVERNED = re.compile(
    r"governed by (?:and (?:construed|interpreted) in accordance with )?the laws? of (?:the )?([A-Z][\w ]{2,60}?)(?=[.,;]| without| and )"
)
_STOPWORDS = {
    "en": "the and of to is for with this that are you it we not have has our be was", "de": "der die und das ist nicht mit für den von wir",
    "fr": "le la les des et est pour dans une vous que", "es": "el la los que de y en para con una por",
    "it": "il che di per una con sono del della non", "pt": "o que de para uma com não do da os em",
    "nl": "de het een van en is voor met dat wij niet", "pl": "i w na z do się jest nie że dla",
    "sv": "och att det som en är för på med", "da": "og at det som en er for på med ikke", "cs": "a se na je že s pro v ne",
}  # fmt: skip


def _language(page: Page, _wish: Wish, _topic: frozenset[str]) -> str | None:
    """ISO 639-1 code of the language whose small words are the most frequent."""
    prose = re.sub(r"\S*(?:@|://|www\.)\S*", " ", page.text[:20_000].lower())
    words = re.findall(r"[^\W\d_]+", prose)
    counts = {
        code: sum(words.count(small) for small in smalls.split()) for code, smalls in _STOPWORDS.items()
    }
    best = max(counts, key=lambda code: counts[code])
    return best if counts[best] >= 3 else None


def _number(page: Page, wish: Wish, _topic: frozenset[str]) -> float | None:
    """The largest sum of the page stands in for an unlabelled total."""
    if not wish.words & {"total", "gross"} or wish.words & {
        "net",
        "tax",
        "vat",
        "discount",
        "line",
        "position",
        "subtotal",
    }:
        return None
    sums = [
        number.value
        for number in values.find_numbers(page.text[:200_000], comma_decimal=page.comma_decimal)
        if number.decimals == 2 and not number.percent
    ]
    return max(sums, default=None)


def _text(page: Page, wish: Wish, topic: frozenset[str]) -> str | None:
    if wish.words & {"title", "subject"} or wish.words == {"event", "name"}:
        return _first_line(page)
    if wish.words <= {"name", "full", "person", "candidate"} and "name" in wish.words and not topic & _KINDS:
        return _person(page)
    if wish.words == {"headline"}:
        return _after_name(page)
    if wish.words == {"venue"} and "event" not in topic:
        return _city(page, wish, topic)
    if "law" in wish.words:
        governed = _GOVERNED.search(page.text)
        return governed[1].strip() if governed else None
    if wish.words & {"body", "summary"} or (wish.words == {"description"} and "desc" in wish.name.lower()):
        return _longest_paragraph(page)
    return None


_KINDS = frozenset({"invoice", "receipt", "order", "delivery", "statement", "contract", "ticket", "event"})
_CV = re.compile(
    r"\s*[-–—|:]?\s*\b(?:curriculum vitae|curriculum|cv|resume|résumé|lebenslauf|bewerbung)\b\s*[-–—|:]?\s*",
    re.IGNORECASE,
)
_CONTACT = re.compile(r"@|\d{3}|https?:|www\.|^(?:phone|tel|e-?mail|address|home)\b", re.IGNORECASE)


def _openers(page: Page) -> list[str]:
    """The first texts of a page that are neither contact data nor the word for a resume."""
    found: list[str] = []
    for row in page.cells[:25]:
        for cell in row[:2]:
            text = _CV.sub("", cell.text.strip("#*_ =-")).strip()
            if (
                3 <= len(text) <= 80
                and any(c.isalpha() for c in text)
                and not _CONTACT.search(text)
                and text not in found
                and "|" not in page.lines[cell.line]
            ):
                found.append(text)
        if len(found) >= 4:
            break
    return found


def _person(page: Page) -> str | None:
    return next(iter(_openers(page)), None)


def _after_name(page: Page) -> str | None:
    return next(iter(_openers(page)[1:2]), None)


def _city(page: Page, _wish: Wish, _topic: frozenset[str]) -> str | None:
    """The place in a line of contact data: the part without digits or signs beside a phone or an address."""
    for line in page.lines[:15]:
        if not _CONTACT.search(line):
            continue
        for part in re.split(r"\s*[|•·]\s*|\s{3,}|\s+(?=(?:Phone|Tel|E-?mail|Mobile|Handy)\b)", line.strip()):
            if (
                2 < len(part) < 40
                and part[0].isupper()
                and not _CONTACT.search(part)
                and not any(c.isdigit() for c in part)
            ):
                return part
    return None


def _first_line(page: Page) -> str | None:
    for row in page.cells[:12]:
        for cell in row:
            text = cell.text.strip("#*_ =-")
            if 3 <= len(text) <= 120 and any(character.isalpha() for character in text) and "@" not in text:
                return text
    return None


def _longest_paragraph(page: Page) -> str | None:
    best = ""
    current: list[str] = []
    for line in (*page.lines[:3_000], ""):
        if line.strip():
            current.append(line.strip())
            continue
        paragraph = " ".join(current)
        if len(plain_words(paragraph[:400])) >= 8 and len(paragraph) > len(best):
            best = paragraph
        current = []
    return best[:2_000] or None


def _enum(page: Page, wish: Wish, _topic: frozenset[str]) -> Any | None:
    choices = list(wish.schema.get("enum") or ())
    if "currency" in wish.words and page.currency in choices:
        return page.currency
    texts = [choice for choice in choices if isinstance(choice, str) and len(choice) > 3]
    if not texts:
        return None
    words = frozenset(canonical(" ".join(page.lines[:25])[:200])) | frozenset(plain_words(page.text[:3_000]))
    named = [choice for choice in texts if frozenset(plain_words(choice.replace("_", " "))) <= words]
    if len(named) == 1:
        return named[0]
    return pick_enum(named, page.text[:120]) if named else None


_BY_KIND = {
    "currency": _currency, "iban": _iban, "vat": _vat, "email": _email, "url": _url, "phone": _phone, "date": _date,
    "datetime": _datetime, "time": _time, "language": _language, "number": _number, "text": _text, "city": _city, "enum": _enum,
}  # fmt: skip
