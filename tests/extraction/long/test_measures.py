"""What long documents lose when they are read in parts by a perfect reader: nothing. Sampled; WINNOW_CORPUS=full for all."""

import json
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from conftest import SHARED

from service.documents import Loader
from service.documents.settings import Settings
from service.extraction.segments.completeness import doubts
from service.extraction.segments.excerpts import cut, weight
from tests.extraction.long import made
from tests.extraction.long.align import Aligned, from_record
from tests.extraction.long.made import Made
from tests.extraction.long.measure import Pipeline, Score, compare
from tests.extraction.long.perfect import Gold

pytestmark = pytest.mark.no_cover  # a measure: counting lines would triple its time

FULL = os.environ.get("WINNOW_CORPUS") == "full"
DOCUMENTS = SHARED / "documents"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SAMPLE = {
    "statement-syn-5002",
    "table-us-020",
    "table-us-002",
    "table-eu-007",
    "xb-ibm-credit-agreement-2019-07-18",
}
"""Without WINNOW_CORPUS=full these alone."""
SHARES = (1 / 2, 1 / 5, 1 / 20)


@pytest.fixture
async def loader() -> AsyncIterator[Loader]:
    opened = Loader(Settings(wall_s=600, cpu_s=600))  # parsing is not what is measured here
    await opened.open()
    yield opened
    await opened.close()


def documents(seed: int, pages: int) -> list[tuple[Made, bytes, str]]:
    """One of each kind."""
    statement, bare = made.statement(seed, pages), made.statement(seed + 1, pages, balances=False)
    orders, mixed = made.orders(seed + 2, pages), made.interleaved(seed + 3, pages)
    sheet, text = made.sheet(seed + 4, 40 * pages), made.statement(seed + 5, pages)
    mapped, listed = made.directory(seed + 6, pages), made.directory(seed + 7, pages, mapped=False)
    return [
        (statement, statement.pdf(), "application/pdf"),
        (bare, bare.pdf(), "application/pdf"),
        (orders, orders.pdf(), "application/pdf"),
        (mixed, mixed.pdf(), "application/pdf"),
        (sheet, sheet.csv(), "text/csv"),
        (sheet, sheet.xlsx(), XLSX),
        (text, text.text.encode(), "text/plain"),
        (mapped, mapped.pdf(), "application/pdf"),
        (listed, listed.text.encode(), "text/plain"),
    ]


async def pipelines(loader: Loader, seed: int, pages: int) -> list[tuple[Made, Pipeline]]:
    found = []
    for one, data, media_type in documents(seed, pages):
        document = await loader.load(data, declared=media_type, name=None)
        gold = Gold(document.text, one.leaves)
        assert gold.lost == 0, (one.name, "the rig must find every leaf that it printed")
        found.append((one, Pipeline(document, one.schema, gold)))
    return found


SIZES = ((1, 30), (7, 100), (12, 300)) if FULL else ((1, 12),)


@pytest.mark.timeout(3600 if FULL else 900)
@pytest.mark.parametrize(("seed", "pages"), SIZES)
async def test_forced_splits_lose_nothing(loader: Loader, seed: int, pages: int) -> None:
    """Halves, fifths and twentieths say what the whole says: every row, once, in order, also when answers are cut."""
    for one, pipeline in await pipelines(loader, seed, pages):
        whole = pipeline.whole()
        for share in SHARES:
            for truncated in (0.0, 0.05):
                score = compare(pipeline.read(share, truncated=truncated).data, whole)
                assert (score.f1, score.ordered) == (1.0, True), (one.name, share, truncated, score)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("pages", (50, 100, 300) if FULL else (50,))
async def test_what_is_shown_twice_costs_little(loader: Loader, pages: int) -> None:
    """Heads, titles and the ends of rows cost at most 12 % above the bare text, in parts as the planner makes them."""
    for one, pipeline in await pipelines(loader, 3, pages):
        lines = pipeline.lines.all
        parts = cut(pipeline.lines, tokens=8000, rows=80, pages=10)
        twice = sum(weight(lines[n]) for part in parts for n in (*part.context, *range(part.last, part.end)))
        assert len(parts) > 5
        assert twice / pipeline.total <= 0.12, one.name


@pytest.mark.timeout(900)
async def test_silent_loss_is_found_and_whole_records_are_not_doubted(loader: Loader) -> None:
    """Of documents that print counts, totals or balances, a loss of 3 % is found in 90 %; at most 2 % are doubted wrongly."""
    judged = found = doubted = 0
    for seed in range(12 if FULL else 2):
        for one, pipeline in await pipelines(loader, 20 + seed, 8):
            if not one.checks:
                doubted += bool(doubts(pipeline.read(1 / 5), pipeline.lines))
                continue
            draw = random.Random(one.name)
            rows = pipeline.gold.rows()
            dropped = frozenset(row for row in rows if draw.random() < 0.03) or frozenset(rows[:1])
            judged += 1
            found += bool(doubts(pipeline.read(1 / 5, dropped=dropped), pipeline.lines))
            doubted += bool(doubts(pipeline.read(1 / 5), pipeline.lines))
    assert found >= 0.9 * judged
    assert doubted <= 0.02 * judged


def rows_of_manifest() -> list[dict[str, Any]]:
    if not DOCUMENTS.is_dir():
        return []
    rows = [json.loads(line) for line in (DOCUMENTS / "manifest.jsonl").read_text("utf-8").splitlines()]
    return [row for row in rows if row["kind"] != "hostile" and not row["media_type"].startswith("image/")]


async def _real(loader: Loader, row: dict[str, Any]) -> tuple[Pipeline, Aligned, bool] | None:
    """A document with lists, its gold as far as its text prints it, and whether it has four pages or units at least."""
    record = row["expected"]
    if '": [' not in json.dumps(record):
        return None
    data = (DOCUMENTS / row["file"]).read_bytes()
    document = await loader.load(data, declared=row["media_type"], name=None, password=row.get("password"))
    schema = json.loads((DOCUMENTS / row["schema"]).read_text("utf-8"))
    aligned = from_record(document.text, record)
    pipeline = Pipeline(document, schema, aligned.gold)
    units = len(document.pages) if len(document.pages) > 1 else len(pipeline.lines) // 20
    return pipeline, aligned, units >= 4


@pytest.mark.corpus
@pytest.mark.timeout(900)
@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the documents are not beside this checkout")
@pytest.mark.figures
async def test_real_documents_lose_nothing(loader: Loader) -> None:
    """Splits of real documents say what the whole says, in order, and complete records are not doubted.

    What a text prints of its gold is all that can be read in parts. The reader gives rows of the lines that are shown
    before a part too, though it is told not to: where such a row stands as well in the part, it is one too many.
    """
    totals = {share: Score() for share in SHARES}
    below: list[tuple[float, str, float]] = []
    compared = rows = known = whole = doubted = 0
    for row in rows_of_manifest():
        if not FULL and row["id"] not in SAMPLE:
            continue
        loaded = await _real(loader, row)
        if loaded is None:
            continue
        pipeline, aligned, long = loaded
        if aligned.known == aligned.rows > 0:  # of a record that lacks rows, doubts are right
            whole += 1
            doubted += bool(doubts(pipeline.read(1 / 5), pipeline.lines))
        if not long:
            continue
        rows, known = rows + aligned.rows, known + aligned.known
        for share, total in totals.items():
            score = compare(pipeline.read(share).data, pipeline.whole(share))
            compared += 1
            if score.f1 < 0.995 or (score.f1 == 1.0 and not score.ordered):
                below.append((round(score.f1, 4), row["id"], share))
            total.wanted += score.wanted
            total.got += score.got
            total.common += score.common
    shown = ", ".join(
        f"1/{1 / share:.0f}: {total.f1:.4f} of {total.wanted} rows" for share, total in totals.items()
    )
    print(f"\nreal documents in parts: {shown}; {known} of {rows} rows aligned; {len(below)} of {compared}")
    print(f"readings below 99.5 % or out of order: {sorted(below)}; {doubted} of {whole} doubted wrongly")
    assert all(total.f1 >= 0.995 for total in totals.values())
    assert known >= 0.85 * rows
    assert len(below) <= 0.06 * compared
    assert all(f1 >= 0.97 for f1, _, _ in below)
    assert doubted <= 0.02 * whole


def test_the_rig_reads_only_what_it_was_sent() -> None:
    """A leaf is given when all its lines were sent, and not otherwise."""
    one = made.statement(3, 2)
    gold = Gold(one.text.replace("\f", "\n"), one.leaves)
    half = "\n".join(one.text.replace("\f", "\n").split("\n")[:20])
    record = gold.record(gold.covered(half))
    assert 0 < len(record["transactions"]) < len(gold.record(None)["transactions"])
    assert "closing_balance" not in record
    assert Path(__file__).with_name("perfect.py").read_text("utf-8").count("service.") == 0
