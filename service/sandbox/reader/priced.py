"""Lines that end in an amount, without column headings: receipts, price lists, taxes among the totals."""

import re
from typing import cast

from service.sandbox.reader import values
from service.sandbox.reader.page import Page, Section
from service.sandbox.reader.tables import Table
from service.sandbox.reader.words import canonical

__all__ = ["priced_lines", "tax_lines"]

_SUMS = frozenset(
    "subtotal total net gross vat tax balance tip discount paid change payment card amount due opening closing".split()  # noqa: SIM905
)
_PRICED = re.compile(
    r"^\s*(?:(?P<quantity>\d{1,4}(?:[.,]\d{1,3})?)\s?(?:x|×|\*|@)?\s+)?(?P<text>\S.*?\S)(?:\s{2,}|\s+(?=[$€£]|[A-Z]{3}\s)|\t)"
    r"(?P<amount>(?:[A-Z]{3}\s+|[$€£]\s?)?-?\d[\d.,']*[.,]\d\d(?:\s?(?:€|EUR|USD|[A-Z]))?|free|kostenlos|gratis|gratuit)\s*$"
)
_PRICED_END = re.compile(r"(?:[.,]\d\d\s?(?:€|EUR|USD|[A-Z])?|free|kostenlos|gratis|gratuit)\s*$")
_UNIT_PRICE = re.compile(
    r"^\s*(?:(?P<quantity>\d{1,4})\s*(?:x|×|\*|@)\s*|@\s*)(?P<price>\d[\d.,]*[.,]\d\d)\b"
)
_HEADERS = ("quantity", "description", "unit price", "amount", "currency")
_PERCENT = re.compile(r"(\d{1,2}(?:[.,]\d{1,2})?)\s?%")


def priced_lines(page: Page, section: Section | None) -> Table | None:
    """Runs of lines such as `2 Iced Tea   6.50`, up to the first sum; only those of `section` when one is given."""
    key = ("priced", section)
    if key not in page.memo:
        page.memo[key] = _priced(page, section)
    return cast("Table | None", page.memo[key])


def _priced(page: Page, section: Section | None) -> Table | None:
    first, last = (section.first + 1, section.last) if section else (0, len(page.lines))
    rows: list[list[str]] = []
    start = first
    for number in range(first, min(last, first + 3_000)):
        line = page.lines[number]
        match = _PRICED.match(line) if len(line) < 200 and _PRICED_END.search(line[-16:]) else None
        if match is None:
            unit = _UNIT_PRICE.match(line)
            if unit and rows:
                rows[-1][2] = unit["price"]
                rows[-1][0] = unit["quantity"] or rows[-1][0]
            continue
        words = set(canonical(match["text"]))
        if words & _SUMS and len(words) <= 4:
            if rows and section is None:
                break
            continue
        if not any(character.isalpha() for character in match["text"]) or len(match["text"]) > 90:
            continue
        free = match["amount"][0].isalpha() and match["amount"].islower()
        start = start if rows else number
        text = re.sub(r"\s{2,}.*$", "", match["text"])
        rows.append([
            match["quantity"] or "", text, "", "0" if free else match["amount"],
            "" if free else values.currency_in(match["amount"]) or "",
        ])  # fmt: skip
    if len(rows) < (1 if section else 2):
        return None
    headers = ("quantity", "description label", "unit price", "amount", "currency")
    return Table(headers, tuple(map(tuple, rows)), start)


def tax_lines(page: Page) -> Table | None:
    """Lines of the totals that name a tax, with its rate, base and amount."""
    rows: list[tuple[str, ...]] = []
    for number, line in enumerate(page.lines[:5_000]):
        words = set(canonical(line[:120]))
        if (
            not words & {"vat", "tax"}
            or words & {"number", "total", "net", "gross", "subtotal"}
            or ":" in line[-12:]
        ):
            continue
        percent = _PERCENT.search(line)
        numbers = [
            n
            for n in values.find_numbers(line, comma_decimal=page.comma_decimal)
            if n.decimals == 2 and not n.percent
        ]
        if not numbers or (percent is None and len(page.cells[number]) < 2):
            continue
        name = re.split(r"\s{2,}|\d", line.strip().lstrip("0123456789.,% "))[0].strip(" :(@/")
        amounts = sorted(line[n.start : n.end].strip() for n in numbers)
        printed = [line[n.start : n.end].strip() for n in numbers]
        base = printed[0] if len(printed) > 1 else ""
        rows.append((name or "VAT", percent[1] if percent else "", base, printed[-1] if amounts else ""))
    if not rows:
        return None
    unique = tuple(dict.fromkeys(rows))
    return Table(("name", "rate", "taxable base", "amount"), unique[:20], 0)
