"""What contracts say in sentences: their parties, each with the name it goes by."""

import re

from service.sandbox.reader.page import Page
from service.sandbox.reader.tables import Table

__all__ = ["contract_parties"]

# NAME, ... at ADDRESS (the "Client"): the quoted word is the role that the text uses from there on.
_ROLE = re.compile(r"\((?:[^()\"“”„«]{0,60}\s)?[\"“„«]\s?(?P<role>[^\"“”»()]{2,40}?)\s?[\"”“»][^()]{0,20}\)")
_NAME = re.compile(
    r"(?:^|\(\w{1,3}\)\s+|\bbetween\s+|\band\s+|\bund\s+|\d\.\s+)(?P<name>[A-Z][^,;:()]{2,90}?),\s"
)
_ADDRESS = re.compile(
    r"\b(?:office|place of business|business|residing|located|seat|sitz|address)\b[^,]{0,30}?\s(?:at|in)\s+(?P<address>[^()]{5,160}?)\s*$"
)
_NUMBER = re.compile(r"\b(?:number|no\.?|nr\.?|HRB)\s*[:.]?\s*(?P<number>[A-Z]{0,4}\s?\d[\d\s/-]{3,15}\d)\b")
_MAX_PARTIES = 12


def contract_parties(page: Page) -> Table | None:
    """The parties that the opening of a contract names, as rows of name, role, address and register number."""
    text = " ".join(page.text[:8_000].split())
    rows: list[tuple[str, ...]] = []
    start = 0
    for match in _ROLE.finditer(text):
        clause = text[max(start, match.start() - 500) : match.start()]
        start = match.end()
        names = list(_NAME.finditer(clause))
        if not names or len(rows) >= _MAX_PARTIES:
            continue
        rest = clause[names[-1].end() :] if len(names) == 1 else clause[names[0].end() :]
        address, number = _ADDRESS.search(rest), _NUMBER.search(rest)
        rows.append(
            (
                names[0]["name"].strip(),
                match["role"].strip(),
                address["address"].strip(" ,") if address else "",
                number["number"].strip() if number else "",
            )
        )
    return (
        Table(("name", "role", "address", "registration number"), tuple(rows), 0) if len(rows) > 1 else None
    )
