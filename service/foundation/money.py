"""Money as integers: nano-dollars (10⁻⁹ USD). A price of 0.40 USD per million tokens is 400 nano-dollars a token."""

from decimal import Decimal, InvalidOperation
from typing import NewType

NanoUSD = NewType("NanoUSD", int)

NANO = 1_000_000_000


def usd(amount: NanoUSD | int) -> str:
    """A decimal string with up to nine places: ``usd(224_000) == "0.000224"``."""
    sign = "-" if amount < 0 else ""
    whole, rest = divmod(abs(amount), NANO)
    return f"{sign}{whole}.{rest:09d}".rstrip("0").rstrip(".") if rest else f"{sign}{whole}"


def parse_usd(text: str | float | Decimal) -> NanoUSD:
    """The inverse of ``usd``; rounds down below a nano-dollar.

    Raises ``ValueError`` for what is not a finite, non-negative amount.
    """
    try:
        amount = Decimal(str(text))
    except InvalidOperation:
        raise ValueError("not a decimal amount") from None
    if not amount.is_finite() or amount < 0:
        raise ValueError("not a finite, non-negative amount")
    if amount.adjusted() > 12:
        raise ValueError("more than any budget")
    return NanoUSD(int(amount * NANO))
