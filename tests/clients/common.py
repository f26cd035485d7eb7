"""What the scripts in this folder share: one invoice, its schema, and a runner that says what was checked.

They run in environments that have other people's clients and nothing of ours. The clients are told where the
provider is as their own users tell them: OPENAI_BASE_URL and OPENAI_API_KEY.
"""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel

NUMBER = "2026-0417"
TOTAL = 238.0
CHAIR = "Ergonomic chair"

TEXT = """INVOICE
Invoice number: 2026-0417
Invoice date: 2026-11-03
Currency: EUR
Seller: Nordlicht GmbH, Hafenstr. 12, 20457 Hamburg
Buyer: Kestrel Ltd, 4 Mill Lane, Leeds LS1 4DT

Description        Quantity  Unit price   Amount
Ergonomic chair           2      100.00   200.00

Subtotal 200.00
VAT 19 % 38.00
Total 238.00
"""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "invoice_number": {"type": "string"},
        "invoice_date": {"type": ["string", "null"], "format": "date"},
        "total": {"type": ["number", "null"]},
    },
    "required": ["invoice_number", "invoice_date", "total"],
    "additionalProperties": False,
}

FORMAT: dict[str, Any] = {
    "format": {"type": "json_schema", "name": "invoice", "strict": True, "schema": SCHEMA}
}


class Item(BaseModel):
    """One row of the invoice."""

    description: str
    quantity: float | None
    amount: float | None


class Invoice(BaseModel):
    """An invoice as a user of these clients would declare it: nested, with an enum."""

    invoice_number: str
    total: float | None
    currency: Literal["EUR", "USD", "GBP"] | None
    items: list[Item]

    def check(self) -> None:
        """Asserts that this is the invoice of `TEXT`."""
        assert self.invoice_number == NUMBER, self
        assert self.total == TOTAL, self
        assert self.currency == "EUR", self
        assert [item.description for item in self.items] == [CHAIR], self
        assert self.items[0].quantity == 2, self


def raised(kind: type[Exception] | tuple[type[Exception], ...], call: Callable[[], object]) -> Any:
    """The error of this kind that a call raises; any other one passes through."""
    try:
        answer = call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind} was raised: {answer}")


def run(checks: list[Callable[[], None]]) -> None:
    """Runs the checks in order and prints the name of each that passed; the first failure ends the process."""
    for check in checks:
        check()
        print(check.__name__, flush=True)
