"""What of a document a repair is shown."""

from typing import Any

from service.documents import Document, Page
from service.extraction.evidence import Index, Outline, locate
from service.extraction.fragments import cut
from service.extraction.narrowing import OMITTED, narrowed

ROW = {"type": "object", "properties": {"name": {"type": "string"}, "amount": {"type": "number"}}}
SCHEMA = {
    "type": "object",
    "properties": {
        "number": {"type": "string"},
        "total": {"type": "number"},
        "rows": {"type": "array", "items": ROW},
    },
}
ROWS = [{"name": f"Article {letter}", "amount": 100.5 + at} for at, letter in enumerate("ABCDEFGHIJKLMNOP")]
TEXT = "\n".join(
    [
        "Invoice RE-77120",
        "Some words of greeting that nobody asked about",
        "Name        Amount",
        *(f"{row['name']}   {row['amount']:.2f}" for row in ROWS),
        "Total   1728.00",
        "Please pay soon",
    ]
)


def shown(record: Any, *pointers: str) -> list[str] | None:
    """The lines that a repair of these places is shown."""
    document = Document("sha256:0", "text/plain", None, len(TEXT), (Page(1, TEXT),))
    fragment = cut(SCHEMA, record, pointers)
    assert fragment is not None
    less = narrowed(document, record, fragment, locate(Index.of(document), record, SCHEMA), Outline(SCHEMA))
    return None if less is None else less.pages[0].text.split("\n")


def test_a_row_is_shown_with_its_neighbours_and_its_head() -> None:
    """Two lines on each side, and those above the first row; what is left out is marked."""
    rows = [*ROWS[:9], {"name": "Article J", "amount": 7.25}, *ROWS[10:]]
    found = shown({"number": "RE-77120", "total": 1728.0, "rows": rows}, "/rows/9/amount")
    assert found == [
        *TEXT.split("\n")[:4],
        OMITTED,
        *(f"{row['name']}   {row['amount']:.2f}" for row in ROWS[7:12]),
        OMITTED,
    ]


def test_for_what_may_stand_anywhere_only_known_rows_are_left_out() -> None:
    """The rows whose every word is accounted for, but for the first and the last."""
    found = shown({"number": "X-1", "total": 1728.0, "rows": ROWS}, "/number")
    lines = TEXT.split("\n")
    assert found == [*lines[:4], OMITTED, *lines[18:]]


def test_nothing_is_left_out_where_it_is_not_known_what_stands_where() -> None:
    """A row that stands nowhere may be any; a list that is asked for is shown whole."""
    rows = [*ROWS[:9], {"name": "Zebra", "amount": 7.25}, *ROWS[10:]]
    record = {"number": "RE-77120", "total": 1728.0, "rows": rows}
    assert shown(record, "/rows/9/amount") is None
    assert shown({**record, "number": "RE-77120" * 99}, "/rows") is None
