"""CPU of evidence: ``python -m tests.extraction.evidence.speed``. Times of a busy machine are indicative only.

- an invoice of 2 KB of text: index, record of 31 leaves, confidence, JSON;
- 100 pages of words with boxes, and a record of 500 leaves.
"""

import time
from collections.abc import Callable
from typing import Any

from service.documents import Document, Page, Word
from service.extraction.evidence import Index, Outline, bodies, confident, locate
from tests.extraction.evidence import made

LINES = [("Office chair, black", 2, 149.5, 299.0), ("Desk lamp LED", 1, 39.9, 39.9), ("Cable duct 2 m", 5, 12.25, 61.25),
         ("Filing cabinet", 1, 310.0, 310.0)]  # fmt: skip

INVOICE = (
    """\
Harper & Sons Ltd                                   Invoice no.   RE-2024-0815
12 Market Street                                    Invoice date  5 June 2024
Leeds LS1 4AB                                       Due date      5 July 2024

Bill to
Blue Whale Logistics                                Order no.     PO-77123
8 Kings Road
Bristol BS2 0JY

Pos  Item                        Qty      Unit price         Amount
"""
    + "".join(
        f"{at:<5}{name:<26}{qty:>5}{price:>16,.2f}{sum_:>15,.2f}\n"
        for at, (name, qty, price, sum_) in enumerate(LINES, 1)
    )
    + """
                                 Subtotal                    710.15
                                 Sales tax 20%               142.03
                                 Total GBP                   852.18

"""
    + "Please quote the invoice number with your payment. Goods remain ours until they are paid for in full. "
    * 9
)[:2048]

RECORD: dict[str, Any] = {
    "invoice_number": "RE-2024-0815", "issue_date": "2024-06-05", "due_date": "2024-07-05", "currency": "GBP",
    "seller": {"name": "Harper & Sons Ltd", "street": "12 Market Street", "city": "Leeds"},
    "buyer": {"name": "Blue Whale Logistics", "street": "8 Kings Road", "city": "Bristol"},
    "order_number": "PO-77123", "iban": None, "net_total": 710.15, "tax_total": 142.03, "gross_total": 852.18,
    "lines": [{"description": name, "quantity": qty, "unit_price": price, "amount": sum_} for name, qty, price, sum_ in LINES],
}  # fmt: skip


def hundred_pages() -> tuple[Document, dict[str, Any]]:
    """Statements of four pages, one after the other, until there are a hundred; a record of 125 bookings."""
    pages: list[Page] = []
    rows: list[dict[str, Any]] = []
    seed = 0
    while len(pages) < 100:
        sheet = made.statement(made.SCRIPTS["de"], seed)
        document, _ = made.words_of(sheet)
        for page in document.pages[: 100 - len(pages)]:
            filler = tuple(
                Word(f"Hinweis{at}", (0.05 + at % 12 * 0.07, 0.92, 0.1 + at % 12 * 0.07, 0.93))
                for at in range(120)
            )
            pages.append(Page(len(pages) + 1, "", words=(*page.words, *filler), width=595.0, height=842.0))
        rows += sheet.record["transactions"][:: max(len(sheet.record["transactions"]) // 5, 1)]
        seed += 1
    record = {"transactions": rows[:125]}
    return Document("sha256:0", "application/pdf", None, 1, tuple(pages)), record


def cpu(work: Callable[[], object], times: int) -> float:
    """Milliseconds of CPU of one run, the best of five rounds."""
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - began) / times)
    return best * 1e3


def main() -> None:
    invoice = Document("sha256:0", "text/plain", None, 2048, (Page(1, INVOICE),))
    outline = Outline({})
    located = locate(Index.of(invoice), RECORD, outline)
    statuses = {one.status for one in located.values()}
    took = cpu(lambda: bodies(confident(locate(Index.of(invoice), RECORD, outline))), 200)
    print(
        f"invoice, {len(INVOICE)} characters, {len(located)} leaves ({', '.join(sorted(statuses))}): {took:.3f} ms"
    )
    document, record = hundred_pages()
    wanted = sum(len(row) for row in record["transactions"])
    words = sum(len(page.words) for page in document.pages)
    took = cpu(lambda: locate(Index.of(document), record, outline), 1)
    print(f"{len(document.pages)} pages, {words} words, {wanted} leaves: {took:.0f} ms")


if __name__ == "__main__":
    main()
