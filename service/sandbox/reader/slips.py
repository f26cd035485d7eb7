"""Till slips: the shop stands at the head without a label, its address below, and the sum among many sums."""

import re
from collections.abc import Sequence

from service.sandbox.reader.kinds import Wish
from service.sandbox.reader.page import Page
from service.sandbox.reader.parties import legal_name

__all__ = ["read"]

_HEAD = 14
"""Lines in which the head of a slip ends."""

_NAMES = 4
"""Lines among which the company's name stands."""

_SHOP = frozenset({"company", "merchant", "store", "shop", "seller", "vendor", "supplier", "retailer"})
_NAMING = _SHOP | {"name", "legal", "trading"}
_TITLES = re.compile(
    r"\W*(?:(?:simplified|official|cash|sales|duplicate|copy|reprint)\s+)*"
    r"(?:tax\s+invoice|invoice|receipt|bill|quittung|kassenbon|rechnung|facture|ticket|scontrino|recibo|copy|welcome)\b.{0,12}",
    re.IGNORECASE,
)
_REGISTRATION = re.compile(
    r"[(<\[]?\s*(?:co|company|reg|rfg|roc|business)?\b[\s.:-]*(?:reg\w*|rfg)?[\s.:-]*(?:no|number|id)?[\s.:]*"
    r"[A-Z]{0,3}[-\s]?\d[\dA-Z]{3,13}(?:\s?-\s?[A-Z0-9]{1,2})?\s*[)>\]]?\.?",
    re.IGNORECASE,
)
"""A company's number on a line of its own, in brackets or not."""
_END = re.compile(
    r"\b(?:te[l1i]\d*|(?:tele)?phone\w*|site|fax|h/?p|mobile|hotline|guest check|e-?mail|www|http|gst|sst|vat|tax|ust|steuer|mwst|siret|siren|tin|abn|invoice|"
    r"receipt|date|datum|cashier|bill|table|order|counter|pos|terminal|doc(?:ument)?|qty|item|description|website)\b|@|"
    r"\b\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b|\b\d+[.,]\d\d\b",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"(?<![\d.,/-])\d{1,3}(?:[ ,]?\d{3})*\s?[.,]\s?\d\d(?![\d%]|[.,/-]\d)")
_TOTAL = re.compile(
    r"\b(?:total|amount due|amount payable|summe|gesamt\w*|zu zahlen|totale|à payer|importe)\b", re.IGNORECASE
)
_OTHER = re.compile(
    r"\b(?:sub\s*-?\s*total|excl\w*|before|quantity|qty|items?|pcs|discount|saving\w*|disc|tax(?:able)?\s+(?:total|amount)|"
    r"total\s+(?:gst|tax|sst|vat|savings?|discount|rounding|change)|(?:gst|sst|vat)\s+(?:total|payable|amount|summary)|points?|"
    r"zwischensumme|sous-total|netto)\b",
    re.IGNORECASE,
)
_BEST = (
    re.compile(r"round(?:ed|ing)?\b.{0,20}\btotal|total\b.{0,24}\bround|nett?\b.{0,6}\btotal|grand\s+total|total\s+due", re.IGNORECASE),
    re.compile(r"incl|payable|amount|sales?\b|zu zahlen|gesamt", re.IGNORECASE),
)  # fmt: skip
_ROUNDING = re.compile(r"\bround(?:ing|ed|ng)?|\brundung\b|\barrondi\b", re.IGNORECASE)
_PAID = re.compile(r"\b(?:cash|visa|master(?:card)?|paid|card|bar|tender(?:ed)?|payment)\b", re.IGNORECASE)


def read(page: Page, wish: Wish) -> str | None:
    """What a slip says of a member of its record, as printed; None for what slips have no rule for."""
    words = wish.words
    if words & _SHOP and words <= _NAMING:
        return _shop(page)
    if words - _SHOP == {"address"}:
        return _address(page)
    if "total" in words and words <= {"total", "amount", "gross", "grand", "sum", "paid"}:
        return _total(page)
    return None


def _head(page: Page) -> list[str]:
    """Lines before everything that is about the sale."""
    return [line.strip() for line in page.lines[: 2 * _HEAD] if line.strip()][:_HEAD]


def _name_at(lines: Sequence[str]) -> int | None:
    """Which line names the shop: the first with enough letters that is neither a title nor contact data."""
    for index, line in enumerate(lines):
        letters = sum(character.isalpha() for character in line)
        enough = letters >= 4 and letters >= 0.5 * len(line.replace(" ", ""))
        if (
            enough
            and not _TITLES.fullmatch(line)
            and not _END.search(line)
            and not line.startswith(("*", "#", "-"))
        ):
            return index
    return None


def _shop(page: Page) -> str | None:
    lines = _head(page)
    at = _name_at(lines)
    if at is None:
        return None
    # A person or a brand may stand above the company; its legal form tells which line names it.
    at = next((index for index, line in enumerate(lines[:_NAMES]) if _is_company(line)), at)
    name = re.sub(r"\s{2,}", " ", lines[at])
    bare = re.sub(r"\s*[(\[]\s*(?=[^)]*\d)[^()]{4,24}[)\]]?\s*\Z", "", name).strip(" ,;:-")
    return bare or name


def _address(page: Page) -> str | None:
    lines = _head(page)
    at = _name_at(lines)
    if at is None:
        return None
    found: list[str] = []
    for line in lines[at + 1 :]:
        if not found and _is_company(line):
            continue
        if _REGISTRATION.fullmatch(line) or (not found and _is_name(line)):
            continue
        if _END.search(line) or _TITLES.fullmatch(line):
            if found:
                break
            continue
        found.append(line.strip(" ,;"))
        if len(found) == 6:
            break
    text = re.sub(r"\s{2,}", " ", ", ".join(found))
    return text if re.search(r"\d", text) else None


def _is_company(line: str) -> bool:
    return legal_name(line) and not _END.search(line)


def _is_name(line: str) -> bool:
    """A line between the name and the address that belongs to neither: letters only, or in brackets."""
    return not re.search(r"\d", line) and (line.startswith("(") or len(line.split()) <= 4) and "," not in line


def _total(page: Page) -> str | None:
    """The sum that was paid: of the lines that say so, the one that says it best."""
    best: tuple[int, int, str] | None = None
    lines = page.lines
    rounded = next((number for number, line in enumerate(lines[:400]) if _ROUNDING.search(line)), None)
    for number, line in enumerate(lines[:400]):
        said = _last_said(line)
        if not _TOTAL.search(said) or _OTHER.search(said):
            continue
        rank = next((2 - index for index, pattern in enumerate(_BEST) if pattern.search(said)), 0)
        if rounded is not None and rounded <= number <= rounded + 2:
            rank = 3  # what is to be paid after rounding
        amounts = [match[0] for match in _AMOUNT.finditer(line)]
        if not amounts:
            # Readers of pictures put a sum that is set apart on a line of its own.
            below = [
                _AMOUNT.fullmatch(re.sub(r"^\W*(?:RM|MYR|EUR|USD|€|\$|£)?\s*", "", other.strip()))
                for other in lines[number + 1 : number + 3]
            ]
            amounts = [match[0] for match in below if match is not None][:1]
        if amounts and (best is None or rank > best[0] or (rank == best[0] < 3)):
            best = (rank, number, amounts[-1])
    if best is None:
        best = next(
            (
                (0, number, match[0])
                for number, line in enumerate(lines[:400])
                if re.search(r"\bsub\s*-?\s*total\b", line, re.IGNORECASE)
                for match in _AMOUNT.finditer(line)
            ),
            None,
        )
    if best is None:
        paid = [match[0] for line in lines[:400] if _PAID.search(line) for match in _AMOUNT.finditer(line)]
        return _plain(paid[0]) if paid else None
    return _plain(best[2])


def _last_said(line: str) -> str:
    """A line from behind the amount before its last word for a total: several sums may stand side by side."""
    totals = list(_TOTAL.finditer(line))
    if len(totals) < 2:
        return line
    before = [match.end() for match in _AMOUNT.finditer(line) if match.end() <= totals[-1].start()]
    return line[before[-1] :] if before else line


def _plain(amount: str) -> str:
    return re.sub(r"\s", "", amount)
