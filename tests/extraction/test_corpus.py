"""Real documents over HTTP, each with its own schema: a valid record or a typed problem, nothing else."""

import asyncio
import hashlib
import json
import os
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import jsonschema
import pytest
from conftest import SHARED, running, settings_for

DOCUMENTS = SHARED / "documents"
TEXT_BEARING = {
    "application/pdf", "text/plain", "text/html", "text/csv", "text/tab-separated-values", "message/rfc822", "application/xml",
}  # fmt: skip
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the documents are not beside this checkout"),
]


def chosen(wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Documents of the corpus: a fifth of them by hash, all with WINNOW_CORPUS=full."""
    rows = [json.loads(line) for line in (DOCUMENTS / "manifest.jsonl").read_text("utf-8").splitlines()]
    rows = [row for row in rows if wanted(row)]
    if os.environ.get("WINNOW_CORPUS") == "full":
        return rows
    return [row for row in rows if int(hashlib.sha256(row["id"].encode()).hexdigest(), 16) % 5 == 0]


def leaves(value: Any, pointer: str = "") -> dict[str, Any]:
    """Scalars by pointer."""
    if isinstance(value, dict):
        return {
            key: leaf
            for name, child in value.items()
            for key, leaf in leaves(child, f"{pointer}/{name}").items()
        }
    if isinstance(value, list):
        return {
            key: leaf
            for index, child in enumerate(value)
            for key, leaf in leaves(child, f"{pointer}/{index}").items()
        }
    return {pointer: value}


def same(got: Any, wanted: Any) -> bool:
    """Equal after case, white space and a hundredth."""
    if isinstance(got, int | float) and isinstance(wanted, int | float):
        return abs(got - wanted) <= 0.01
    if isinstance(got, str) and isinstance(wanted, str):
        return re.sub(r"\s+", " ", got).strip().lower() == re.sub(r"\s+", " ", wanted).strip().lower()
    return bool(got == wanted)


async def extract(client: httpx2.AsyncClient, row: dict[str, Any]) -> tuple[httpx2.Response, float]:
    schema = (DOCUMENTS / row["schema"]).read_text("utf-8")
    content = (DOCUMENTS / row["file"]).read_bytes()
    started = time.monotonic()
    answer = await client.post(
        "/v1/extract",
        files={"file": (Path(row["file"]).name, content, row["media_type"])},
        data={"schema": schema, "options": json.dumps({"deadline_s": 120})},
        timeout=180,
    )
    return answer, time.monotonic() - started


@pytest.mark.timeout(1500)
@pytest.mark.figures
async def test_every_document_ends_in_a_record_or_a_typed_problem(sandbox: str, tmp_path: Path) -> None:
    """No answer is 500 or above, none hangs, every record validates; the table says what the sandbox reads."""
    rows = chosen(lambda row: row["kind"] != "hostile" and row["media_type"] in TEXT_BEARING)
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    slowest = 0.0
    bad = []
    async with running(settings_for(sandbox, f"sqlite:///{tmp_path}/w.db")) as client:
        busy = asyncio.Semaphore(2)

        async def one(row: dict[str, Any]) -> None:
            nonlocal slowest
            async with busy:
                answer, seconds = await extract(client, row)
            slowest = max(slowest, seconds)
            kind = counts[row["kind"]]
            kind["documents"] += 1
            if answer.status_code == 200:
                schema = json.loads((DOCUMENTS / row["schema"]).read_text("utf-8"))
                checker = jsonschema.validators.validator_for(schema)
                data = answer.json()["data"]
                checker(schema, format_checker=checker.FORMAT_CHECKER).validate(data)
                kind["records"] += 1
                found = leaves(data)
                scored = row.get("scored")
                for pointer, wanted in leaves(row["expected"]).items():
                    if wanted is None or (scored and pointer.split("/")[1] not in scored):
                        continue
                    kind["leaves"] += 1
                    kind["right"] += same(found.get(pointer), wanted)
            else:
                kind[answer.json().get("code", "untyped")] += 1
                if answer.status_code >= 500 or "code" not in answer.json():
                    bad.append((row["id"], answer.status_code, answer.text[:300]))

        await asyncio.gather(*(one(row) for row in rows))
    print(f"{len(rows)} documents, slowest {slowest:.1f} s")
    for kind, found in sorted(counts.items()):
        problems = {
            name: n for name, n in found.items() if name not in ("documents", "records", "leaves", "right")
        }
        share = (
            f"{100 * found['right'] / found['leaves']:.0f} % of {found['leaves']} leaves"
            if found["leaves"]
            else "-"
        )
        print(
            f"  {kind:12} {found['documents']:4} documents {found['records']:4} records  {share:24} {problems or ''}"
        )
    assert bad == []
    assert sum(found["records"] for found in counts.values()) > 0


@pytest.mark.timeout(1500)
@pytest.mark.figures
async def test_hostile_files_are_answered(sandbox: str, tmp_path: Path) -> None:
    """Bombs, broken and odd files: a record or a 4xx in bounded time, and the service goes on as before."""
    rows = chosen(lambda row: row["kind"] == "hostile")
    schema = {"type": "object", "properties": {"title": {"type": ["string", "null"]}}, "required": ["title"]}
    statuses: Counter[int] = Counter()
    bad, slowest = [], 0.0
    async with running(settings_for(sandbox, f"sqlite:///{tmp_path}/w.db")) as client:
        for row in rows:
            content = (DOCUMENTS / row["file"]).read_bytes()
            files = {"file": (Path(row["file"]).name, content, row.get("send_as", row["media_type"]))}
            started = time.monotonic()
            answer = await client.post(
                "/v1/extract", files=files, data={"schema": json.dumps(schema)}, timeout=120
            )
            seconds = time.monotonic() - started
            slowest = max(slowest, seconds)
            statuses[answer.status_code] += 1
            if answer.status_code >= 500 or seconds > 90:
                bad.append((row["id"], answer.status_code, round(seconds, 1), answer.text[:200]))
        assert (await client.get("/healthz")).status_code == 200
    print(f"{len(rows)} hostile files: {dict(sorted(statuses.items()))}, slowest {slowest:.1f} s")
    assert bad == []
