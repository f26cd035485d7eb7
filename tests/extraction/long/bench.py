"""Time and memory of long documents: ``python -m tests.extraction.long.bench``.

The service runs in this process, the provider with its perfect reader in another, so that the growth of this process is
what reading a long document in parts holds. Times are ratios to the smallest document of the same run.
"""

import asyncio
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

PAGES = (30, 100, 300)


def _provider(seed: int, pages: int, pipe: Connection) -> None:
    """The sandbox with the reader of one made document, in a process of its own, until the pipe closes."""
    import uvicorn
    from conftest import serving

    from service.documents import Loader
    from service.documents.settings import Settings
    from service.sandbox import create_app
    from tests.extraction.long import made
    from tests.extraction.long.perfect import Gold, PerfectReader

    one = made.statement(seed, pages)
    data = one.pdf()

    async def gold() -> Gold:
        loader = Loader(Settings())
        await loader.open()
        document = await loader.load(data, declared="application/pdf", name=None)
        await loader.close()
        return Gold(document.text, one.leaves)

    aligned = asyncio.run(gold())
    config = uvicorn.Config(
        create_app(reader=PerfectReader(aligned)), log_config=None, access_log=False, lifespan="on"
    )
    with serving(config) as url:
        pipe.send((f"{url}/v1", data, json.dumps(one.schema), len(aligned.record()["transactions"])))
        pipe.recv()


async def _measure(pages: int) -> tuple[float, float, float, int, int]:
    """Seconds, CPU seconds of this process, growth of it in MB, rows, parts."""
    from conftest import running, settings_for

    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    child = multiprocessing.get_context("spawn").Process(target=_provider, args=(1, pages, theirs))
    child.start()
    url, data, schema, rows = await asyncio.to_thread(ours.recv)
    with tempfile.TemporaryDirectory() as folder:
        async with running(settings_for(url, f"sqlite:///{folder}/w.db")) as client:
            small = {"schema": schema, "input": {"text": "Account holder: Ada\n" * 5}}
            await client.post("/v1/extract", json=small, timeout=60)
            idle = _resident()
            began, cpu = time.perf_counter(), time.process_time()
            answer = await client.post(
                "/v1/extract",
                files={"file": ("long.pdf", data, "application/pdf")},
                data={"schema": schema, "options": json.dumps({"deadline_s": 900})},
                timeout=900,
            )
            seconds, used = time.perf_counter() - began, time.process_time() - cpu
            body = answer.json()
            assert answer.status_code == 200, body
            assert len(body["data"]["transactions"]) == rows
    ours.send(None)
    child.join()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - idle
    return seconds, used, grown, rows, len(body["parts"])


def _resident() -> float:
    """Megabytes that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 1024 / 1024


def main() -> None:
    """A line for each size."""
    first = 0.0
    for pages in PAGES:
        seconds, used, grown, rows, parts = asyncio.run(_measure(pages))
        first = first or used / pages
        print(
            f"{pages} pages, {rows} rows, {parts} parts: {seconds:.1f} s, {used:.2f} s CPU in the service, "
            f"{used / pages / first:.2f} times the CPU per page of {PAGES[0]} pages, at most {grown:.0f} MB above idle"
        )


if __name__ == "__main__":
    main()
