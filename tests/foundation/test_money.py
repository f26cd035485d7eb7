from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.foundation.money import parse_usd, usd


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (224_000, "0.000224"),
        (0, "0"),
        (1_000_000_000, "1"),
        (1_500_000_000, "1.5"),
        (1, "0.000000001"),
        (-10, "-0.00000001"),
    ],
)
def test_usd(nano: int, text: str) -> None:
    """Amounts are decimal strings with up to nine places and no trailing zeros."""
    assert usd(nano) == text


@given(st.integers(min_value=0, max_value=10**20))
def test_round_trip(nano: int) -> None:
    """No nano-dollar is lost between text and number."""
    assert parse_usd(usd(nano)) == nano


@pytest.mark.parametrize("text", ["NaN", "inf", "-1", "", "1e400", "abc", "1e13"])
def test_refuses_what_is_not_an_amount(text: str) -> None:
    """Neither NaN nor a negative sum nor a number beyond any budget is an amount."""
    with pytest.raises(ValueError, match=r"amount|budget"):
        parse_usd(text)


def test_floats_and_decimals_mean_what_they_print() -> None:
    """0.1 is a tenth of a dollar, not the binary number next to it."""
    assert parse_usd(0.1) == parse_usd(Decimal("0.1")) == 100_000_000
