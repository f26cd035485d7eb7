"""Till slips: what the reader takes from their heads and sums, and how it does on real ones read by OCR."""

import difflib
import hashlib
import json
import os
import re
from collections import Counter
from typing import Any

import pytest
from conftest import SHARED
from pictures import bare_texts, interpreter

from service.sandbox.reader import RuleReader

DOCUMENTS = SHARED / "documents"
FULL = os.environ.get("WINNOW_CORPUS") == "full"
FLOOR = {"total": 91, "date": 86, "company": 66, "address": 57}
"""Shares that plain regexes get right on the 44 real receipts (the corpus's README)."""

SCHEMA = {
    "title": "Receipt",
    "type": "object",
    "properties": {
        "company": {"type": "string"},
        "address": {"type": ["string", "null"]},
        "total": {"type": "string"},
    },
    "required": ["company", "address", "total"],
    "additionalProperties": False,
}

SLIPS = {
    "a company below a brand": (
        (
            "GREEN CORNER\nGreen Corner Foods Ltd (204-X)\n12 Mill Lane,\n47500 Riverside\nTel: 03-555 1234\nTax Invoice\n"
            "Tea   4.00\nTotal   4.00\nCash   10.00\nChange   6.00"
        ),
        ("Green Corner Foods Ltd", "12 Mill Lane, 47500 Riverside", "4.00"),
    ),
    "a sum that is rounded": (
        (
            "HILLTOP BAKERY\nNo. 7, Hill Road\n10250 Hilltop\nReceipt 0042\nSub Total   9.43\nTotal Incl. Tax   9.98\n"
            "Rounding Adj   0.02\nTotal   10.00\nCash   20.00"
        ),
        ("HILLTOP BAKERY", "No. 7, Hill Road, 10250 Hilltop", "10.00"),
    ),
    "several sums on a line": (
        "HILLTOP BAKERY\nNo. 7, Hill Road\n10250 Hilltop\nDate 01/02/2026\nTOTAL SAVING: 0.00   TOTAL   6.85\nCash   20.00",
        ("HILLTOP BAKERY", "No. 7, Hill Road, 10250 Hilltop", "6.85"),
    ),
    "a sum on the line below": (
        "HILLTOP BAKERY\nNo. 7, Hill Road\n10250 Hilltop\nDate 01/02/2026\nTotal Qty 3\nGRAND TOTAL\nRM 8.40\n",
        ("HILLTOP BAKERY", "No. 7, Hill Road, 10250 Hilltop", "8.40"),
    ),
    "no total at all": (
        "HILLTOP BAKERY\nNo. 7, Hill Road\n10250 Hilltop\nDate 01/02/2026\nBread   3.10\nCASH   3.10",
        ("HILLTOP BAKERY", "No. 7, Hill Road, 10250 Hilltop", "3.10"),
    ),
}


@pytest.mark.parametrize(("text", "expected"), SLIPS.values(), ids=SLIPS)
def test_heads_and_sums(text: str, expected: tuple[str, str, str]) -> None:
    """The company, its address without contact data, and the sum that was paid."""
    record = RuleReader().read(text, [], SCHEMA)
    assert (record["company"], record["address"], record["total"]) == expected


@pytest.mark.corpus
@pytest.mark.timeout(1200)
@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the documents are not beside this checkout")
@pytest.mark.figures
def test_real_receipts_beat_plain_regexes() -> None:
    """Total, date, company and address of scanned receipts reach the floor over all of them; a sample prints its own."""
    python = interpreter()
    if python is None:
        pytest.skip("needs the `ocr` extra, here or in an environment of .ci/run")
    rows = [json.loads(line) for line in (DOCUMENTS / "manifest.jsonl").read_text("utf-8").splitlines()]
    rows = [row for row in rows if row["kind"] == "receipt" and row["media_type"].startswith("image/")]
    if not FULL:
        rows = [row for row in rows if hashlib.sha256(row["id"].encode()).digest()[0] % 8 == 0]
    schema = json.loads((DOCUMENTS / rows[0]["schema"]).read_text("utf-8"))
    right: Counter[str] = Counter()
    close: Counter[str] = Counter()
    texts = bare_texts([(row["sha256"], DOCUMENTS / row["file"]) for row in rows], python)
    for row, text in zip(rows, texts, strict=True):
        record = RuleReader().read(text, [], schema)
        for name in FLOOR:
            one, other = _letters(record.get(name)), _letters(row["expected"][name])
            right[name] += one == other
            close[name] += difflib.SequenceMatcher(None, one, other).ratio() >= 0.85
    print(f"{len(rows)} receipts read by OCR, exact and similar:")
    for name, floor in FLOOR.items():
        shares = [100 * found[name] / len(rows) for found in (right, close)]
        print(f"  {name:8} {shares[0]:.0f} % {shares[1]:.0f} % (floor {floor} %)")
    if FULL:
        assert all(100 * right[name] / len(rows) >= floor - 0.5 for name, floor in FLOOR.items()), right
    assert sum(right.values()) > 2 * len(rows)


def _letters(value: Any) -> str:
    return re.sub(r"[^A-Z0-9]", "", str(value or "").upper())
