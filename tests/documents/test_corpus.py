"""The loader over the shared corpus: real documents with gold records, and hostile files."""

import hashlib
import json
import os
import re
import time
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.documents import Document, Loader, Settings
from service.foundation.errors import WinnowError

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "documents"
FULL = os.environ.get("WINNOW_CORPUS") == "full"
SAMPLE = 4
"""One of so many gold documents is read unless everything is asked for."""

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
        f"\nhostile files: slowest {slowest:.1f} s, {len(ARGUED)} argued, not as expected: {differing or 'none'}"
    )
    assert len(differing) <= 2
    assert slowest < 35


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
async def test_gold_values_are_in_the_text() -> None:
    """The strings of gold records stand in the text of their documents."""
    loader = Loader(Settings(workers=2))
    await loader.open()
    seen: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    try:
        for row in manifest(hostile=False):
            digest = hashlib.sha256(row["id"].encode()).digest()
            if not FULL and digest[0] % SAMPLE:
                continue
            got = await answer(loader, row)
            if isinstance(got, WinnowError):
                assert got.status == 415, row["id"]
                continue
            if not got.text:
                continue  # pictures: there is no text before somebody reads them
            wanted = [_plain(text) for text in _strings(row["expected"]) if _plain(text)]
            words = _plain(got.text)
            counts = seen[f"{row['kind']} {row['media_type']}"]
            counts[0] += 1
            counts[1] += sum(text in words for text in wanted)
            counts[2] += len(wanted)
    finally:
        await loader.close()
    for kind, (files, found, wanted_count) in sorted(seen.items()):
        print(f"\n{kind}: {files} files, {found} of {wanted_count} gold strings", end="")
    easy = [counts for kind, counts in seen.items() if "report" not in kind and "resume" not in kind]
    assert sum(found for _, found, _ in easy) >= 0.95 * sum(wanted for _, _, wanted in easy)


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
