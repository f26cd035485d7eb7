"""Evidence over the shared corpus and over made documents with known places, in tables per script and kind.

What the tables are held against stands in ``oracles``.
"""

import asyncio
import hashlib
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import SHARED
from extraction.evidence import made
from extraction.evidence.oracles import Text, count, fields_of, inside, leaves, scorable, show

from service.documents import Document, Loader, Settings
from service.extraction.evidence import Evidence, Index, locate

CORPUS = SHARED / "documents"
FULL = os.environ.get("WINNOW_CORPUS") == "full"
SAMPLE = 6
"""One of so many documents is read unless everything is asked for."""

ANALYSED = ("xb-adp-10q", "xb-csco-10q", "xb-mck-10q", "xb-wdc-10q")
"""Records that hold an analyst's own words for each figure (`FY2025 Q2`, a scale, `NA`): their figures only are scored."""

pytestmark = pytest.mark.corpus
needs_corpus = pytest.mark.skipif(not CORPUS.exists(), reason="../shared is absent")

SEEDS = range(12 if FULL else 3)


@pytest.fixture(scope="module")
def documents() -> dict[str, tuple[dict[str, Any], Document]]:
    """Gold documents with text of their own."""
    return asyncio.run(_loaded())


async def _loaded() -> dict[str, tuple[dict[str, Any], Document]]:
    rows = map(json.loads, (CORPUS / "manifest.jsonl").read_text().splitlines())
    wanted = [
        row for row in rows if "/hostile/" not in row["file"] and not row["media_type"].startswith("image/")
    ]
    loader = Loader(Settings(workers=2))
    await loader.open()
    found = {}
    try:
        for row in wanted:
            drawn = hashlib.sha256(row["id"].encode()).digest()[0] % SAMPLE == 0
            if FULL or drawn or row["kind"] == "form":  # there are few, and only they say where fields are
                name = Path(row["file"]).name
                data = (CORPUS / row["file"]).read_bytes()
                document = await loader.load(data, declared=row["media_type"], name=name)
                if any(page.text or page.words for page in document.pages):
                    found[row["id"]] = row, document
    finally:
        await loader.close()
    return found


@needs_corpus
@pytest.mark.figures
def test_true_values_are_found(documents: dict[str, tuple[dict[str, Any], Document]]) -> None:
    """Gold values that stand in their document are found."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for row, document in documents.values():
        kind = f"{row['kind']} {row['media_type'].rpartition('/')[2][:20]}"
        text = Text(document)
        for pointer, value, one in pairs(row, document):
            if row["id"].startswith(ANALYSED) and not pointer.endswith("/value"):
                continue
            stands = text.holds(value)
            table[kind]["leaves"] += 1
            table[kind]["standing"] += stands
            table[kind]["found"] += stands and one.status == "found"
            # What is derived for a reason or said to be absent is no miss: a page number, `NA`.
            table[kind]["explained"] += stands and one.status in ("derived", "absent")
            table[kind]["ambiguous"] += stands and one.status == "ambiguous"
    show("true values", table)
    scored = [counts for kind, counts in table.items() if not kind.startswith("report pdf")]
    standing = sum(counts["standing"] - counts["explained"] for counts in scored)
    assert sum(counts["found"] for counts in scored) >= 0.98 * standing


@needs_corpus
@pytest.mark.figures
def test_invented_values_are_flagged(documents: dict[str, tuple[dict[str, Any], Document]]) -> None:
    """Values of another document that do not stand here are not found."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    entries = list(documents.values())
    missed: list[tuple[str, str]] = []
    for at, (row, document) in enumerate(entries):
        text = Text(document)
        other = next(
            (entries[(at + step) % len(entries)][0] for step in range(1, len(entries))
             if entries[(at + step) % len(entries)][0]["schema"] == row["schema"]),
            entries[at - 1][0],
        )  # fmt: skip
        if other is row:
            continue
        schema = json.loads((CORPUS / other["schema"]).read_text())
        located = locate(Index.of(document), other["expected"], schema)
        for pointer, value in leaves(other["expected"]):
            one = located[pointer]
            # Categories and counts are derived, whatever the document says; placeholders are no value.
            if not scorable(value) or text.holds(value) or one.status in ("derived", "absent"):
                continue
            kind = f"{row['kind']} {type(value).__name__}"
            table[kind]["invented"] += 1
            table[kind]["flagged"] += one.status == "not_found"
            if one.status != "not_found":
                missed.append((row["id"], pointer))
    show("invented values", table)
    print(f"  missed, first of {len(missed)}: {missed[:: max(len(missed) // 40, 1)]}")
    invented = sum(counts["invented"] for counts in table.values())
    assert sum(counts["flagged"] for counts in table.values()) >= 0.97 * invented


@needs_corpus
@pytest.mark.figures
def test_form_fields_are_where_they_are(documents: dict[str, tuple[dict[str, Any], Document]]) -> None:
    """Values of the fields of PDF forms are found at their fields."""
    right = asked = 0
    for row, document in documents.values():
        if row["media_type"] != "application/pdf" or row["kind"] != "form":
            continue
        fields = fields_of(CORPUS / row["file"])
        for _, value, one in pairs(row, document):
            gold = [box for text, box in fields if isinstance(value, str) and text.strip() == value]
            if len(gold) == 1 and one.boxes:
                asked += 1
                right += inside(one.boxes[0], gold[0])
    print(f"form fields: {right} of {asked} at their field")
    assert right >= 0.95 * asked > 0


@pytest.mark.parametrize("script", made.SCRIPTS)
@pytest.mark.figures
def test_made_documents(script: str) -> None:
    """The right page and the right place, in words with boxes and in plain text, per script."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for kind in (made.invoice, made.statement):
        for seed in SEEDS:
            sheet = kind(made.SCRIPTS[script], seed)
            document, places = made.words_of(sheet)
            located = locate(Index.of(document), sheet.record, {})
            for pointer, (page, box) in places.items():
                one = located[pointer]
                at = bool(one.boxes) and one.page == page and inside(one.boxes[0], box)
                count(table[f"{script} {kind.__name__} words"], one, page, right=at)
            plain, lines = made.text_of(sheet)
            located = locate(Index.of(plain), sheet.record, {})
            for pointer, (page, line) in lines.items():
                one = located[pointer]
                before = (
                    "" if one.span is None or one.page != page else plain.pages[page - 1].text[: one.span[0]]
                )
                at = one.page == page and one.span is not None and before.count("\n") == line
                count(table[f"{script} {kind.__name__} text"], one, page, right=at)
    show("made documents", table)
    for counts in table.values():
        assert counts["found"] >= 0.98 * counts["leaves"]
        assert counts["page"] >= 0.99 * counts["leaves"]
        assert counts["place"] >= 0.95 * counts["leaves"]


@pytest.mark.figures
async def test_made_pdfs() -> None:
    """The same through real PDFs and the loader."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    loader = Loader(Settings(workers=1))
    await loader.open()
    try:
        for name, script in made.SCRIPTS.items():
            for kind in (made.invoice, made.statement) if script.latin else ():
                for seed in SEEDS:
                    sheet = kind(script, seed)
                    data, places = made.pdf_of(sheet)
                    document = await loader.load(data, declared="application/pdf", name="made.pdf")
                    located = locate(Index.of(document), sheet.record, {})
                    for pointer, (page, box) in places.items():
                        one = located[pointer]
                        at = bool(one.boxes) and one.page == page and inside(one.boxes[0], box)
                        count(table[f"{name} {kind.__name__}"], one, page, right=at)
    finally:
        await loader.close()
    show("made PDFs", table)
    for counts in table.values():
        assert counts["page"] >= 0.99 * counts["leaves"]
        assert counts["place"] >= 0.95 * counts["leaves"]


def pairs(row: Mapping[str, Any], document: Document) -> Iterator[tuple[str, Any, Evidence]]:
    """The gold leaves of a document and their evidence."""
    schema = json.loads((CORPUS / row["schema"]).read_text())
    located = locate(Index.of(document), row["expected"], schema)
    for pointer, value in leaves(row["expected"]):
        if scorable(value):
            yield pointer, value, located[pointer]
