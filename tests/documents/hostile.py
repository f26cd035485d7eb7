"""All hostile files of the corpus, twice, over HTTP: ``python -m tests.documents.hostile``.

The service runs in a process of its own with the offline provider. While it reads bombs, a second client asks small
healthy things. Printed: which files were answered with another class than expected, what answered 500 or above, the
slowest answer, how the service's own memory grew, and how long healthy requests took before and meanwhile.
"""

import asyncio
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared" / "documents"
SCHEMA = {"type": "object", "properties": {"title": {"type": ["string", "null"]}}, "required": ["title"]}
HEALTHY = {
    "schema": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
    "input": {"text": "Order: 4711"},
}
ROUNDS = 2
QUIET = 60
"""Healthy requests before the first bomb."""


def resident_mb(process: int) -> float:
    """What a process holds."""
    pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


async def healthy(client: httpx2.AsyncClient) -> float:
    """Milliseconds of one small request."""
    began = time.monotonic()
    answer = await client.post("/v1/extract", json=HEALTHY)
    assert answer.status_code == 200, answer.text
    return 1000 * (time.monotonic() - began)


def spread(times: list[float]) -> str:
    """Median and 95th percentile."""
    ordered = sorted(times)
    return f"{statistics.median(ordered):.0f} ms at the median, {ordered[int(0.95 * len(ordered))]:.0f} ms for 95 of 100"


async def one(client: httpx2.AsyncClient, row: dict[str, Any]) -> tuple[int, str, float]:
    """Status, the class of the answer and seconds."""
    content = (CORPUS / row["file"]).read_bytes()
    name = Path(row["file"]).name
    began = time.monotonic()
    answer = await client.post(
        "/v1/extract",
        files={"file": (name, content, row.get("send_as", row["media_type"]))},
        data={"schema": json.dumps(SCHEMA)},
    )
    return (
        answer.status_code,
        "ok" if answer.status_code == 200 else "client_error",
        time.monotonic() - began,
    )


async def measure(url: str, process: int) -> None:
    """A line for each round."""
    lines = (CORPUS / "manifest.jsonl").read_text("utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if "/hostile/" in row["file"]]
    async with httpx2.AsyncClient(base_url=url, timeout=130) as client:
        while True:
            try:
                await client.get("/healthz")
                break
            except httpx2.TransportError:
                await asyncio.sleep(0.2)
        print(f"quiet: {spread([await healthy(client) for _ in range(QUIET)])}")
        start = resident_mb(process)
        for number in range(1, ROUNDS + 1):
            meanwhile: list[float] = []
            over = asyncio.Event()

            async def ask(times: list[float] = meanwhile, end: asyncio.Event = over) -> None:
                while not end.is_set():
                    times.append(await healthy(client))
                    await asyncio.sleep(0.1)

            asking = asyncio.create_task(ask())
            statuses: Counter[int] = Counter()
            differing, slowest = [], (0.0, "")
            for row in rows:
                status, found, seconds = await one(client, row)
                statuses[status] += 1
                slowest = max(slowest, (seconds, row["id"]))
                if status >= 500 or found not in (row.get("accept") or [row["expect"]]):
                    differing.append(f"{row['id']}: {status}")
            over.set()
            await asking
            print(
                f"round {number}: {len(rows) - len(differing)} of {len(rows)} as expected, statuses "
                f"{dict(sorted(statuses.items()))}, slowest {slowest[0]:.1f} s ({slowest[1]}), "
                f"{resident_mb(process) - start:.0f} MB grown; healthy meanwhile: {spread(meanwhile)}; "
                f"not as expected: {differing or 'none'}"
            )


def main() -> None:
    """Start the service, measure, end it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "WINNOW_DATABASE_URL": f"sqlite:///{folder}/w.db",
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "service.cli", "serve", "--sandbox", "--port", str(port)]
        service = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            asyncio.run(measure(f"http://127.0.0.1:{port}", service.pid))
        finally:
            service.terminate()
            service.wait()


if __name__ == "__main__":
    main()
