"""Who stands on a page: blocks of name and address, and the role each plays."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from service.sandbox.reader import values
from service.sandbox.reader.lexicon import STEMS
from service.sandbox.reader.page import Page, label_like, split_label
from service.sandbox.reader.places import Address, country_code, is_street, parse_address, postcode_city
from service.sandbox.reader.words import canonical

__all__ = ["Party", "find_parties", "legal_name", "party_for", "role_of"]

_SAME = {
    "supplier": "seller", "sender": "seller", "payee": "seller", "company": "seller", "customer": "buyer", "payer": "buyer",
    "holder": "buyer", "laboratory": "seller", "organizer": "seller",
}  # fmt: skip
_ROLE_ORDER = (
    "receiver", "buyer", "customer", "seller", "supplier", "sender", "payee", "payer", "holder", "laboratory", "company",
)  # fmt: skip
_NOT_A_PARTY = frozenset(
    [
        "number",
        "date",
        "vat",
        "email",
        "phone",
        "account",
        "order",
        "amount",
        "total",
        "terms",
        "website",
        "method",
        "tax",
        "iban",
        "bic",
    ]
)
_LEGAL_FORM = re.compile(
    r"(?<!\w)(?:GmbH|mbH|AG|KG|OHG|UG|e\. ?K\.|e\. ?V\.|eG|SE|Ltd\.?|Limited|LLC|L\.L\.C\.|LLP|Inc\.?|Incorporated|Corp\.?|Corporation|"
    r"PLC|plc|Co\.|S\.?A\.?|S\.?A\.?S\.?|SARL|S\.?à ?r\.?l\.?|EURL|S\.?L\.?U?\.?|S\.?r\.?l\.?|S\.?p\.?A\.?|B\.?V\.?|N\.?V\.?|"
    r"Sp\. ?z ?o\. ?o\.|sp\.? z o\.?o\.?|Lda\.?|Oy|ApS|A/S|AB|AS|s\.r\.o\.|a\.s\.|Kft\.?|Pty|Sdn\.? ?Bhd\.?|SDN BHD|GbR|株式会社|有限公司)(?!\w)"
)
_CONTACT = re.compile(
    r"^(?:attn\.?|attention|fao|c/o|z\.? ?hd\.?|zu händen|contact|kontakt|ansprechpartner(?:in)?|t\.a\.v\.|à l'attention de|att\.?|at\.)\s*[:.]?\s+"
    r"|^(?:herrn?|frau|mr\.?|mrs\.?|ms\.?|mme|monsieur|madame|sr\.?|sra\.?|dhr\.?|mevr\.?)\s+",
    re.IGNORECASE,
)
_MAX_PARTIES = 60
_KNOWN_WORDS = frozenset(STEMS.values())
_PARTY_LABEL = frozenset(
    (
        *_ROLE_ORDER,
        "organizer",
        "name",
        "address",
        "start",
        "to",
        "contact",
        "description",
        "person",
        "invoice",
        "party",
        "delivery",
    )
)


@lru_cache(maxsize=256)
def _parsed(lines: tuple[str, ...]) -> Address:
    return parse_address(lines)


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

    @property
    def address(self) -> Address:
        """The postal address of the block, without its name."""
        name = self.name
        return _parsed(tuple(text for text in self.lines if text.strip(" ,") != name))

    def read(self, kind: str) -> Any | None:
        """A datum of this block by kind; None when the block does not print it."""
        joined = "\n".join(self.lines)
        match kind:
            case "street" | "postcode" | "city" | "region" | "country":
                return getattr(self.address, kind)
            case "country text":
                return self.address.country_text
            case "address":
                return ", ".join(self.address.lines) or None
            case "vat":
                match = values.VAT_ID.search(joined)
                return re.sub(r"[\s.]", "", match[1]) if match else None
            case "email":
                match = values.EMAIL.search(joined)
                return match[0] if match else None
            case "url":
                match = values.URL.search(joined)
                return match[0] if match else None
            case "phone":
                return next((found[0].strip() for text in self.lines if (found := _phone(text))), None)
            case "contact":
                for text in self.lines:
                    match = _CONTACT.match(text)
                    if match and text[match.end() :].strip():
                        return text[match.end() :].strip(" ,")
        return None


def _phone(text: str) -> re.Match[str] | None:
    match = values.PHONE.search(text)
    if match is None or sum(character.isdigit() for character in match[0]) < 7:
        return None
    labelled = re.search(r"tel|phone|fon|mob|call", text, re.IGNORECASE)
    return match if labelled or match[0].startswith("+") else None


def role_of(words: frozenset[str]) -> str | None:
    """The role that a property's words name."""
    return next((_SAME.get(word, word) for word in _ROLE_ORDER if word in words), None)


def _is_detail(text: str) -> bool:
    labelled = split_label(text)
    return bool(
        postcode_city(text)
        or values.EMAIL.search(text)
        or values.URL.search(text)
        or labelled
        or label_like(text)
        or _CONTACT.match(text)
        or re.match(r"^[\d\s+()./-]+$", text)
        or country_code(text)
        or (is_street(text) and any(c.isdigit() for c in text) and not _LEGAL_FORM.search(text))
    )


def find_parties(page: Page) -> list[Party]:
    """Labelled blocks first, then blocks around a line with postcode and city, then lines with a legal form."""
    found: list[Party] = []
    for pair in page.pairs:
        role = role_of(pair.words) if len(pair.words) <= 3 else None
        if role is None or pair.words & _NOT_A_PARTY or len(found) >= _MAX_PARTIES:
            continue
        if any(word in _KNOWN_WORDS and word not in _PARTY_LABEL for word in pair.words):
            continue
        lines = pair.below
        if pair.values and (pair.trust >= 0.9 or not lines) and pair.values[0] not in lines:
            lines = (pair.values[0], *_column_below(page, pair.line, pair.values[0]))
        if not lines or not any(character.isalpha() for character in lines[0]):
            continue
        if split_label(lines[0]):
            lines = _labelled_lines(page, pair.line)
        party = Party(role=role, lines=tuple(lines), line=pair.line, column=0)
        if party.name:
            found.append(party)
    mail = _mail_sender(page)
    if mail and not any(party.role == "buyer" for party in found):
        found.append(mail)
    claimed = {text for party in found for text in party.lines}
    found.extend(_blocks(page, claimed))
    return found


def _mail_sender(page: Page) -> Party | None:
    """Who wrote a mail: to a desk that reads it, the customer."""
    head = [
        line for line in page.lines[:20] if re.match(r"^(?:From|Subject|Von|Betreff|De|Objet|Asunto):", line)
    ]
    sender = next(
        (re.match(r"^(?:From|Von|De):\s*\"?([^<\"]*?)\"?\s*<?([^<>\s]+@[^<>\s]+)>?", line) for line in head),
        None,
    )
    if sender is None or len(head) < 2:
        return None
    return Party(role="buyer", lines=tuple(filter(None, (sender[1].strip(), sender[2]))), line=0, column=0)


def _labelled_lines(page: Page, line: int) -> tuple[str, ...]:
    """A block of `Label: value` lines under a role: the name first, then what is not labelled or is an address."""
    name: list[str] = []
    rest: list[str] = []
    for number in range(line + 1, min(line + 14, len(page.cells))):
        cells = page.cells[number]
        if not cells:
            if rest or name:
                break
            continue
        labelled = split_label(cells[0].text)
        if labelled is None:
            rest.append(cells[0].text)
            continue
        value = labelled[1] or (cells[1].text if len(cells) > 1 else "")
        words = frozenset(canonical(labelled[0]))
        if not value:
            break
        if words & {"name", "company"} and not words & {"contact", "bank"}:
            name.append(value)
        elif words & {"address", "street", "city", "postcode", "country"}:
            rest.append(value)
        else:
            rest.append(f"{labelled[0]}: {value}")
    return (*name, *rest)


def _column_below(page: Page, line: int, text: str) -> list[str]:
    cell = next((cell for cell in page.cells[line] if cell.text.endswith(text)), None)
    if cell is None:
        return []
    start = cell.end - len(text)
    lines: list[str] = []
    for number in range(line + 1, min(line + 7, len(page.cells))):
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
            if len(cell.text) > 140 or cell.text in claimed:
                continue
            if _address_line(cell.text):
                lines = _block_lines(page, cell.line, cell.start, cell.text)
                if not any(line in claimed for line in lines[:1]):
                    found.append(Party(role=None, lines=lines, line=cell.line, column=cell.start))
            elif _LEGAL_FORM.search(cell.text) and len(cell.text) < 80 and not split_label(cell.text):
                found.append(Party(role=None, lines=(cell.text,), line=cell.line, column=cell.start))
    return found


def _address_line(text: str) -> bool:
    labelled = split_label(text)
    if labelled and labelled[1]:
        return False
    return postcode_city(text) is not None


def _block_lines(page: Page, line: int, column: int, text: str) -> tuple[str, ...]:
    above, beneath = _above(page, line, column), _beneath(page, line, column)
    parts = [part.strip() for part in re.split(r"\s*[,•·|]\s+|\s+[-–]\s+", text) if part.strip()]
    if len(parts) >= 3 and not any(is_street(other) for other in above[-1:]):
        # one line holds the whole address, and perhaps the name before it
        if _LEGAL_FORM.search(parts[0]) or not above:
            return (*parts, *beneath)
        return (above[-1], text, *beneath)
    return (*above, text, *beneath)


def _above(page: Page, line: int, column: int) -> list[str]:
    lines: list[str] = []
    for number in range(line - 1, max(-1, line - 6), -1):
        row = [
            cell
            for cell in page.cells[number]
            if abs(cell.start - column) <= 2 or _centred(page, number, line)
        ]
        labelled = split_label(row[0].text) if row else None
        if not row or (labelled and not labelled[1]) or postcode_city(row[0].text) or len(row[0].text) > 80:
            break
        lines.insert(0, row[0].text)
    return lines


def _centred(page: Page, number: int, line: int) -> bool:
    """Whether two single-cell lines share their middle, as letterheads and receipts print them."""
    first, second = page.cells[number], page.cells[line]
    if len(first) != 1 or len(second) != 1 or first[0].start == 0:
        return False
    return abs((first[0].start + first[0].end) - (second[0].start + second[0].end)) <= 3


def _beneath(page: Page, line: int, column: int) -> list[str]:
    lines: list[str] = []
    for number in range(line + 1, min(len(page.cells), line + 5)):
        row = [
            cell
            for cell in page.cells[number]
            if abs(cell.start - column) <= 2 or _centred(page, number, line)
        ]
        if not row or postcode_city(row[0].text) or _LEGAL_FORM.search(row[0].text):
            break
        lines.append(row[0].text)
    return lines


def party_for(parties: list[Party], role: str) -> Party | None:
    """The block that plays a role; without a label the first unlabelled block is the issuer's."""
    labelled = [party for party in parties if party.role == role]
    if labelled:
        best = max(labelled, key=lambda party: (party.read("city") is not None, -party.line))
        return _completed(best, parties)
    if role == "receiver":
        return None
    if role == "buyer" and any(party.role == "receiver" for party in parties):
        return party_for(parties, "receiver")
    free = [party for party in parties if party.role is None and party.name]
    if role == "seller":
        others = {party.name for party in parties if party.role in ("buyer", "receiver")}
        free = [party for party in free if party.name not in others]
        formed = [party for party in free if _LEGAL_FORM.search(party.name or "")]
        if formed:
            # a logo may print only half of the name that stands beside the address
            return _completed(next((party for party in formed if party.read("city")), formed[0]), parties)
        return next(iter(free), None)
    if role == "buyer":
        seller = party_for(parties, "seller")
        taken = fold_name(seller.name) if seller and seller.name else None
        others_free = [
            party for party in free if not taken or not _overlap(fold_name(party.name or ""), taken)
        ]
        return next((party for party in others_free if party.read("city")), None)
    return None


def _overlap(left: str, right: str) -> bool:
    return left in right or right in left


def fold_name(name: str) -> str:
    """A name's letters and digits only, for comparing spellings."""
    return re.sub(r"\W", "", name).lower()


def _completed(party: Party, parties: list[Party]) -> Party:
    """A block without an address takes it from another block of the same name, such as the footer's."""
    if party.read("city") or not party.name:
        return party
    own = fold_name(party.name)
    for other in parties:
        if (
            other is not party
            and other.name
            and own in fold_name(" ".join(other.lines))
            and other.read("city")
        ):
            rest = tuple(line for line in other.lines if fold_name(line) != own)
            return Party(role=party.role, lines=(party.name, *rest), line=party.line, column=party.column)
    return party


def legal_name(text: str) -> bool:
    """Whether a text carries a legal form such as GmbH or Ltd."""
    return _LEGAL_FORM.search(text) is not None
