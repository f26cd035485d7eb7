"""Nulls beside whose label the document has something."""

from typing import Any

import pytest

from service.documents import Document, Page, Word
from service.extraction.evidence import Evidence, Index, confident, locate

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "due_date": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
        "order_number": {"type": ["string", "null"]},
        "discount": {"type": ["number", "null"]},
        "ref": {"type": ["string", "null"], "title": "Your reference"},
        "status": {"enum": ["paid", "open", None]},
        "paid": {"type": ["boolean", "null"]},
        "seller": {"type": "object", "properties": {"phone": {"type": ["string", "null"]}}},
        "buyer": {"type": "object", "properties": {"phone": {"type": ["string", "null"]}}},
        "lines": {
            "type": "array",
            "items": {"type": "object", "properties": {"weight": {"type": ["number", "null"]}}},
        },
    },
}


def located(text: str, data: Any) -> dict[str, Evidence]:
    return locate(Index((Page(1, text),)), data, SCHEMA)


@pytest.mark.parametrize(
    ("text", "member", "quote"),
    [
        ("Due date: 5 July 2024\n", "due_date", "5 July 2024"),
        ("Total 12.00   Due date:   5 July 2024   Page 1", "due_date", "5 July 2024"),
        ("Order no.: PO-77123 | Total: 4", "order_number", "PO-77123"),
        ("Fälligkeitsdatum: 05.07.2024", "due_date", "05.07.2024"),
        ("Your reference: K. Meyer\n", "ref", "K. Meyer"),
        ("Rabatt: 5,00 EUR\n", "discount", "5,00 EUR"),
    ],
)
def test_something_beside_the_label_of_a_null_is_told(text: str, member: str, quote: str) -> None:
    """The reason says that the null looks left out, and the place says by what."""
    one = located(text, {member: None})[f"/{member}"]
    assert (one.status, one.reason, one.page, one.quote) == ("absent", "left_out", 1, quote)
    assert one.span is not None
    assert text[slice(*one.span)] == quote
    assert confident({"": one})[""].confidence == 0.4


@pytest.mark.parametrize(
    ("text", "data", "pointer"),
    [
        ("Order no. PO-77123\n", {"order_number": None}, "/order_number"),
        ("Order no.: n/a\n", {"order_number": None}, "/order_number"),
        ("Order no.: -\n", {"order_number": None}, "/order_number"),
        ("Order no.:\n", {"order_number": None}, "/order_number"),
        ("Order no.: Order number\n", {"order_number": None}, "/order_number"),
        ("Order no.: PO-1\nOrder no.: PO-2\n", {"order_number": None}, "/order_number"),
        ("Order no.: PO-1\n", {"order_number": None, "other": "PO-1"}, "/order_number"),
        ("Due date: on receipt\n", {"due_date": None}, "/due_date"),
        ("Delivery date: 5 July 2024\n", {"due_date": None}, "/due_date"),
        ("Discount: none\n", {"discount": None}, "/discount"),
        ("Discount: on request, see page 3\n", {"discount": None}, "/discount"),
        ("Status: paid\n", {"status": None}, "/status"),
        ("Paid: yes\n", {"paid": None}, "/paid"),
        ("Phone: 555-0100\n", {"seller": {"phone": None}, "buyer": {"phone": None}}, "/seller/phone"),
        ("Weight: 5\n", {"lines": [{"weight": None}]}, "/lines/0/weight"),
        ("we say this of any discount: 5 of them are gone and nobody knows why or where they went, discount: it", {"discount": None}, "/discount"),
        ("Discount: 5\n", None, ""),
    ],
)  # fmt: skip
def test_a_null_is_right_where_nothing_speaks_against_it(text: str, data: Any, pointer: str) -> None:
    """No label, nothing beside it, something of another kind, or something that the record has elsewhere."""
    one = located(text, data)[pointer]
    assert (one.status, one.reason, one.page) == ("absent", "null", None)


def test_what_was_left_out_has_its_box() -> None:
    """On pages of words the place is a box."""
    words = ("Due", "date:", "5", "July", "2024")
    page = Page(1, "", words=tuple(Word(word, (0.1 * at, 0.1, 0.1 * at + 0.09, 0.12)) for at, word in enumerate(words)),
                width=600.0, height=800.0)  # fmt: skip
    document = Document("sha256:0", "application/pdf", None, 1, (page,))
    one = locate(Index.of(document), {"due_date": None}, SCHEMA)["/due_date"]
    assert (one.reason, one.quote) == ("left_out", "5 July 2024")
    assert one.boxes[0][0] == pytest.approx(0.2)
    assert one.boxes[0][2] == pytest.approx(0.49)
