"""Who stands on a page: blocks of name and address, and the role each plays."""

import re
from dataclasses import dataclass
from typing import Any

from service.sandbox.reader import values
from service.sandbox.reader.page import Page, split_label
from service.sandbox.reader.places import country_code, is_street, postcode_city, split_street
from service.sandbox.reader.words import canonical

__all__ = ["ROLES", "Party", "find_parties", "party_for", "role_of"]

ROLES = frozenset(
    [
        "seller",
        "buyer",
        "receiver",
        "sender",
        "supplier",
        "customer",
        "payee",
        "payer",
        "company",
        "bank",
        "holder",
        "patient",
        "doctor",
        "laboratory",
        "requester",
        "organizer",
        "venue",
        "contact",
        "carrier",
        "party",
    ]
)
_SAME = {
    "supplier": "seller", "sender": "seller", "payee": "seller", "company": "seller", "customer": "buyer", "payer": "buyer",
    "holder": "buyer", "laboratory": "seller",
}  # fmt: skip
_LEGAL_FORM = re.compile(
    r"(?<!\w)(?:GmbH|mbH|AG|KG|OHG|UG|e\.? ?K\.?|e\.? ?V\.?|SE|Ltd\.?|Limited|LLC|L\.L\.C\.|LLP|Inc\.?|Incorporated|Corp\.?|Corporation|"
    r"PLC|plc|Co\.|S\.?A\.?|S\.?A\.?S\.?|SARL|S\.?à ?r\.?l\.?|EURL|S\.?L\.?U?\.?|S\.?r\.?l\.?|S\.?p\.?A\.?|B\.?V\.?|N\.?V\.?|"
    r"Sp\. ?z ?o\. ?o\.|sp\.? z o\.?o\.?|Lda\.?|Oy|ApS|A/S|AB|AS|s\.r\.o\.|a\.s\.|Kft\.?|Pty|Sdn\.? ?Bhd\.?|SDN BHD|GbR|株式会社|有限公司)(?!\w)"
)
_MAX_PARTIES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One block: its lines, the role its label or place gives it, and where it starts."""

    role: str | None
    lines: tuple[str, ...]
    line: int
    column: int

    @property
    def name(self) -> str | None:
        """The first line that is no street, city, label or contact datum."""
        for text in self.lines:
            if any(character.isalpha() for character in text) and not _is_detail(text):
                return text.strip(" ,")
        return None

    def read(self, kind: str) -> Any | None:
        """A datum of this block: street, postcode, city, country, vat, email, phone, url, iban, address."""
        joined = "\n".join(self.lines)
        match kind:
            case "street":
                return next(
                    (split_street(text) for text in self.lines if is_street(text) and text != self.name), None
                )
            case "postcode" | "city":
                found = next((pc for text in self.lines if (pc := postcode_city(text))), None)
                return found[0 if kind == "postcode" else 1] if found else None
            case "country":
                return next((text for text in self.lines if country_code(text)), None)
            case "vat":
                match = values.VAT_ID.search(joined)
                return re.sub(r"[\s.]", "", match[1]) if match else None
            case "email":
                match = values.EMAIL.search(joined)
                return match[0] if match else None
            case "address":
                lines = [
                    t
                    for t in self.lines
                    if t != self.name and (is_street(t) or postcode_city(t) or country_code(t))
                ]
                return ", ".join(lines) or None
        return None


def role_of(words: frozenset[str]) -> str | None:
    """The role that a property's words name."""
    for word in (
        "receiver",
        "buyer",
        "customer",
        "seller",
        "supplier",
        "sender",
        "payee",
        "payer",
        "holder",
        "laboratory",
        "company",
    ):
        if word in words:
            return _SAME.get(word, word)
    return None


def _is_detail(text: str) -> bool:
    return bool(
        postcode_city(text)
        or values.EMAIL.search(text)
        or values.URL.search(text)
        or (split_label(text) and split_label(text)[1])  # type: ignore[index]
        or re.match(r"^[\d\s+()./-]+$", text)
        or country_code(text)
    )


def find_parties(page: Page) -> list[Party]:
    """Labelled blocks first, then blocks around a line with postcode and city, then lines with a legal form."""
    found: list[Party] = []
    taken: set[tuple[int, int]] = set()
    for pair in page.pairs:
        role = role_of(pair.words) if len(pair.words) <= 3 else None
        if role is None or (not pair.below and not pair.values):
            continue
        if pair.words & {"number", "date", "vat", "email", "phone", "account", "order", "amount", "total"}:
            continue
        lines = pair.below or pair.values[:1]
        if pair.trust >= 0.98 and pair.values and pair.values[0] not in lines:
            lines = (pair.values[0], *_column_below(page, pair.line, pair.values[0]))
        if not lines or not any(character.isalpha() for character in lines[0]):
            continue
        party = Party(role=role, lines=tuple(lines), line=pair.line, column=0)
        if party.name and len(found) < _MAX_PARTIES:
            found.append(party)
            taken.update((pair.line + step, 0) for step in range(len(lines) + 1))
    claimed = {text for party in found for text in party.lines}
    found.extend(_blocks(page, claimed))
    return found


def _column_below(page: Page, line: int, text: str) -> list[str]:
    cell = next((cell for cell in page.cells[line] if cell.text.endswith(text)), None)
    if cell is None:
        return []
    start = cell.end - len(text)
    lines: list[str] = []
    for number in range(line + 1, min(line + 6, len(page.cells))):
        under = [other for other in page.cells[number] if abs(other.start - start) <= 3]
        if not under or split_label(under[0].text):
            break
        lines.append(under[0].text)
    return lines


def _blocks(page: Page, claimed: set[str]) -> list[Party]:
    found: list[Party] = []
    for row in page.cells[:4_000]:
        for cell in row:
            if len(found) >= _MAX_PARTIES:
                return found
            if len(cell.text) > 120 or cell.text in claimed:
                continue
            if postcode_city(cell.text) and not split_label(cell.text):
                lines = [
                    *_above(page, cell.line, cell.start),
                    cell.text,
                    *_beneath(page, cell.line, cell.start),
                ]
                # one line may hold the whole address: Name, Street 1, 12345 City
                if len(lines) == 1 or (", " in cell.text and len(lines) < 3):
                    lines = [
                        part.strip() for line in lines for part in re.split(r"\s*[,•·|]\s+|\s+[-–]\s+", line)
                    ]
                if not any(line in claimed for line in lines[:1]):
                    found.append(Party(role=None, lines=tuple(lines), line=cell.line, column=cell.start))
            elif _LEGAL_FORM.search(cell.text) and len(cell.text) < 80 and not split_label(cell.text):
                found.append(Party(role=None, lines=(cell.text,), line=cell.line, column=cell.start))
    return found


def _above(page: Page, line: int, column: int) -> list[str]:
    lines: list[str] = []
    for number in range(line - 1, max(-1, line - 6), -1):
        row = [cell for cell in page.cells[number] if abs(cell.start - column) <= 2]
        if not row or (split_label(row[0].text) or ("", "x"))[1] == "":
            break
        lines.insert(0, row[0].text)
    return lines


def _beneath(page: Page, line: int, column: int) -> list[str]:
    lines: list[str] = []
    for number in range(line + 1, min(len(page.cells), line + 6)):
        row = [cell for cell in page.cells[number] if abs(cell.start - column) <= 2]
        if not row:
            break
        lines.append(row[0].text)
    return lines


def party_for(page: Page, parties: list[Party], role: str) -> Party | None:
    """The block that plays a role; without a label the first unlabelled block is the issuer's."""
    labelled = [party for party in parties if party.role == role]
    if labelled:
        return max(labelled, key=lambda party: (party.read("city") is not None, -party.line))
    if role == "receiver":
        return None
    free = [party for party in parties if party.role is None and party.name]
    if not free:
        return None
    if role == "seller":
        buyers = {party.name for party in parties if party.role == "buyer"}
        formed = [
            party for party in free if party.name not in buyers and _LEGAL_FORM.search(party.name or "")
        ]
        return formed[0] if formed else next((party for party in free if party.name not in buyers), None)
    if role == "buyer":
        seller = party_for(page, parties, "seller")
        others = [party for party in free if seller is None or party.name != seller.name]
        return next((party for party in others if party.read("city")), None)
    return None


def legal_name(text: str) -> bool:
    """Whether a text carries a legal form such as GmbH or Ltd."""
    return _LEGAL_FORM.search(text) is not None


def is_role_word(words: frozenset[str]) -> bool:
    """Whether the words name somebody rather than something."""
    return bool(words & ROLES) and not words & {"number", "date", "terms", "method"}


def heading_words(text: str) -> frozenset[str]:
    """Canonical words of a heading."""
    return frozenset(canonical(text))
