"""The loader over the shared corpus: real documents with gold records, and hostile files."""

import hashlib
import json
import os
import re
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from service.documents import Document, Loader, Settings
from service.foundation.errors import WinnowError

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "documents"
FULL = os.environ.get("WINNOW_CORPUS") == "full"
SAMPLE = 4
"""One of so many gold documents is read unless everything is asked for."""

FEW = 20
"""Letters and digits, below which a document has no text layer to speak of."""

ARGUED = {
    "odd-Pages-tree-refs-pdf": "one page of the tree loops, the other is whole: it is read, and a notice names the lost one",
}
"""Files for which another answer than the expected one is right, and why."""

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.exists(), reason="../shared is absent"),
]


def manifest(*, hostile: bool) -> list[dict[str, Any]]:
    lines = (CORPUS / "manifest.jsonl").read_text().splitlines()
    return [row for row in map(json.loads, lines) if ("/hostile/" in row["file"]) == hostile]


async def answer(loader: Loader, row: dict[str, Any], **options: Any) -> Document | WinnowError:
    """The document or the typed refusal; anything else fails the test."""
    name = row.get("send_as") or Path(row["file"]).name
    data = (CORPUS / row["file"]).read_bytes()
    try:
        return await loader.load(data, declared=row["media_type"], name=name, **options)
    except WinnowError as error:
        return error


@pytest.mark.timeout(600)
@pytest.mark.figures
async def test_hostile_files() -> None:
    """Every hostile file ends in a document or a 4xx of the expected class, in bounded time."""
    loader = Loader(Settings(cpu_s=8, workers=2))
    await loader.open()
    differing, slowest = [], 0.0
    try:
        for row in manifest(hostile=True):
            began = time.monotonic()
            got = await answer(loader, row)
            slowest = max(slowest, time.monotonic() - began)
            assert isinstance(got, Document) or 400 <= got.status < 500, row["id"]
            found = "ok" if isinstance(got, Document) else "client_error"
            if found not in (row.get("accept") or [row["expect"]]) and row["id"] not in ARGUED:
                differing.append(f"{row['id']}: {found}")
    finally:
        await loader.close()
    print(
        f"hostile files: slowest {slowest:.1f} s, {len(ARGUED)} argued, not as expected: {differing or 'none'}"
    )
    assert len(differing) <= 2
    assert slowest < 90


async def test_passwords() -> None:
    """Files whose password is known open with it."""
    loader = Loader(Settings(workers=1))
    await loader.open()
    try:
        rows = [row for row in manifest(hostile=True) if row.get("password")]
        answers = [await answer(loader, row, password=row["password"]) for row in rows]
    finally:
        await loader.close()
    assert all(isinstance(got, Document) and got.text for got in answers)


@pytest.mark.timeout(600)
@pytest.mark.figures
async def test_gold_values_are_in_the_text() -> None:
    """What gold records say and their documents write stands in the loaded text, for at least 98 of 100 strings.

    A string is there when it stands in one piece, or, because cells of several lines stand beside each other in a
    layout, when all its words stand on one page. Of PDFs and plain texts only those strings count that bare pdfium's
    text, or the text as it came, holds in the same way: records also hold currencies, countries and periods that no
    page writes so.
    """
    loader = Loader(Settings(workers=2))
    await loader.open()
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    try:
        for row in manifest(hostile=False):
            digest = hashlib.sha256(row["id"].encode()).digest()
            if not FULL and digest[0] % SAMPLE:
                continue
            got = await answer(loader, row)
            if isinstance(got, WinnowError):
                assert got.status == 415, row["id"]
                continue
            if sum(map(str.isalnum, got.text)) < FEW:
                continue  # pictures: there is no text before somebody reads them
            pages = [page.text for page in got.pages]
            bare = _bare_text(row, got.media_type)
            seen[f"{row['kind']} {got.media_type}"] += _coverage(row["expected"], pages, bare)
    finally:
        await loader.close()
    for kind, counts in sorted(seen.items()):
        print(f"{kind}: {', '.join(f'{count} {what}' for what, count in counts.items())}")
    assert len(seen) > 5
    for kind, counts in seen.items():
        held = counts["in one piece"] + counts["by words"]
        assert held >= 0.98 * (counts["strings"] - counts["not written"]), kind


def _coverage(record: Any, pages: list[str], bare: list[str] | None) -> Counter[str]:
    """How many strings of a record the pages hold, and of those that they lack, how many bare pdfium lacks too."""
    counts = Counter({"files": 1, "strings": 0, "in one piece": 0, "by words": 0})
    ours, theirs = _Pages(pages), _Pages(bare or pages)
    for text in filter(_plain, _strings(record)):
        counts["strings"] += 1
        how = ours.holds(text)
        if how is not None:
            counts[how] += 1
        else:
            counts["not written" if bare is not None and theirs.holds(text) is None else "lost"] += 1
    return counts


class _Pages:
    """Texts that are looked into often."""

    def __init__(self, pages: list[str]) -> None:
        self._whole = _plain("\n".join(pages))
        self._words = [_words(page) for page in pages]

    def holds(self, text: str) -> str | None:
        """How the pages hold a string, None when they do not."""
        if _plain(text) in self._whole:
            return "in one piece"
        words = _words(text)
        return "by words" if words and any(_within(words, page) for page in self._words) else None


def _within(words: set[str], page: set[str]) -> bool:
    """Whether a page holds all words; gold records run some together where a line of a cell ends."""
    return all(
        word in page or any(word[:at] in page and word[at:] in page for at in range(1, len(word)))
        for word in words
    )


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def _bare_text(row: dict[str, Any], media_type: str) -> list[str] | None:
    """The text of each page as pdfium gives it, a plain text as it is, None for other formats."""
    data = (CORPUS / row["file"]).read_bytes()
    if media_type == "text/plain":
        return [data.decode("utf-8", "replace")]
    if media_type != "application/pdf":
        return None
    document = pypdfium2.PdfDocument(data)
    pages = [page.get_textpage().get_text_range().replace("\ufffe", "-") for page in document]
    document.close()
    return pages


def _strings(value: Any) -> Iterator[str]:
    """The texts of a record, without dates: the gold writes those its own way."""
    if isinstance(value, str):
        if not re.fullmatch(r"\d{4}-\d\d(-\d\d)?|\d\d:\d\d", value):
            yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold()
