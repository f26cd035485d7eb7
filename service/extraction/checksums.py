"""Check digits of identifiers. Pure.

python-stdnum does the arithmetic, and knows the structure of IBANs and of each country's VAT number. It is imported when
the first checksum is checked: most schemas have none.
"""

from collections.abc import Callable, Mapping
from functools import cache

from service.registry import ChecksumKind

_MAX_CHARACTERS = 64
"""Longer than any identifier, separators included."""

_VIN_VALUES = {
    **{str(digit): digit for digit in range(10)},
    **dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True)),
}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_GTIN_LENGTHS = (8, 12, 13, 14)


def holds(kind: ChecksumKind, value: str | int) -> bool:
    """Whether the check digits of ``value`` are right; separators that are usual for its kind do not matter."""
    text = str(value) if isinstance(value, str) else _padded(kind, value)
    return len(text) <= _MAX_CHARACTERS and _checks()[kind](text)


def _padded(kind: ChecksumKind, value: int) -> str:
    """An article number that was read as a number has lost its zeros."""
    text = str(value)
    if kind == "ean":
        return text.zfill(next((length for length in _GTIN_LENGTHS if length >= len(text)), 0))
    return text


@cache
def _checks() -> Mapping[ChecksumKind, Callable[[str], bool]]:
    from stdnum import bic, ean, iban, imei, isbn, isin, issn, lei, luhn
    from stdnum.eu import vat
    from stdnum.us import rtn

    return {
        "bic": bic.is_valid,  # no check digit exists: the structure is checked
        "ean": ean.is_valid,
        "eu_vat": vat.is_valid,
        # The lists of banks inside python-stdnum age; an unknown bank is no reason to doubt a number.
        "iban": lambda text: iban.is_valid(text, check_country=False),
        "imei": imei.is_valid,
        "isbn": isbn.is_valid,
        "isin": isin.is_valid,
        "issn": issn.is_valid,
        "lei": lei.is_valid,
        "luhn": lambda text: luhn.is_valid(text.replace(" ", "").replace("-", "")),
        "us_routing": rtn.is_valid,
        "vin": vin,
    }


def vin(text: str) -> bool:
    """The check digit of a vehicle identification number, as North America requires (49 CFR 565.15)."""
    text = text.strip().upper()
    if len(text) != 17 or any(sign not in _VIN_VALUES for sign in text):
        return False
    total = sum(_VIN_VALUES[sign] * weight for sign, weight in zip(text, _VIN_WEIGHTS, strict=True))
    return text[8] == "0123456789X"[total % 11]
