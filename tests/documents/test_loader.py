import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from service.documents import Loader, Settings, frames, parse_pages
from service.documents.errors import (
    DocumentEmpty,
    DocumentTooHungry,
    DocumentTooSlow,
    DocumentUnreadable,
    ParserUnavailable,
)
from service.foundation import clock
from service.foundation.errors import DeadlineExceeded
from tests.documents import make

GOOD = make.pdf([(60, 60, "Total 42.00")])
BOMB = make.laughing_pdf()


@contextlib.asynccontextmanager
async def opened(**settings: Any) -> AsyncIterator[Loader]:
    loader = Loader(Settings(**settings))
    await loader.open()
    try:
        yield loader
    finally:
        await loader.close()


def workers(loader: Loader) -> list[int]:
    """The process ids of all workers."""
    assert loader._pool is not None
    return [worker.process.pid for worker in loader._pool._all]


def running(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


async def gone(pid: int) -> bool:
    """Whether the process ends, which takes a moment: the kernel has to get to it."""
    for _ in range(1500):
        if not running(pid):
            return True
        await asyncio.sleep(0.02)
    return False


async def pdf(loader: Loader, data: bytes = GOOD, **options: Any) -> str:
    return (await loader.load(data, declared="application/pdf", name=None, **options)).text


async def test_document_values(loader: Loader) -> None:
    """A document carries its digest, size, type, a bounded name, and the notices of sniffing and parsing."""
    document = await loader.load(GOOD, declared="text/plain", name="../../etc/" + "n" * 5000 + "\x00.pdf")
    assert document.digest.startswith("sha256:")
    assert len(document.digest) == 71
    assert (document.size, document.media_type) == (len(GOOD), "application/pdf")
    assert document.name == "n" * 200
    assert [notice.rule for notice in document.notices] == ["media_type"]
    assert document.text == "Total 42.00"


async def test_large_digest_is_the_same(loader: Loader) -> None:
    """The digest of a large document is made aside and is the same."""
    data = b"word " * 400_000
    document = await loader.load(data, declared="text/plain", name=None)
    small = await loader.load(b"word", declared=None, name=None)
    assert document.digest == "sha256:" + __import__("hashlib").sha256(data).hexdigest()
    assert small.digest != document.digest


async def test_small_text_needs_no_process(loader: Loader) -> None:
    """Small texts, tables and JSON are read in the service; legacy encodings and PDFs start a process."""
    for declared, data in [
        ("text/plain", b"hello"),
        ("text/markdown", b"# hello"),
        ("text/csv", b"a,b\n1,2"),
        ("application/json", b'{"a": 1}'),
        ("application/xml", b"<a/>"),
        ("text/plain", "Grüße".encode("utf-16")),
    ]:
        assert (await loader.load(data, declared=declared, name=None)).text
    assert workers(loader) == []
    assert loader.isolation() == "unknown"
    assert (await loader.load("Grüße".encode("cp1252"), declared="text/plain", name=None)).text == "Grüße"
    assert len(workers(loader)) == 1
    assert loader.isolation() in {"seccomp", "namespace", "none"}


async def test_warm(loader: Loader) -> None:
    """A service may start a process ahead, and then knows how it is cut off."""
    await loader.warm()
    [pid] = workers(loader)
    assert loader.isolation() != "unknown"
    await loader.warm()
    assert await pdf(loader) == "Total 42.00"
    assert workers(loader) == [pid]
    await loader.close()
    await loader.warm()
    assert loader.isolation() == "unknown"


async def test_workers_stay_warm(loader: Loader) -> None:
    """One after the other, documents use one process."""
    for _ in range(5):
        assert await pdf(loader) == "Total 42.00"
    assert len(workers(loader)) == 1


async def test_many_at_once(loader: Loader) -> None:
    """More documents than processes wait for their turn."""
    texts = await asyncio.gather(*(pdf(loader) for _ in range(12)))
    assert texts == ["Total 42.00"] * 12
    assert len(workers(loader)) == 2


async def test_errors_keep_the_worker(loader: Loader) -> None:
    """A refusal that the parser itself reports costs no process."""
    await pdf(loader)
    before = workers(loader)
    with pytest.raises(DocumentUnreadable):
        await pdf(loader, b"%PDF-1.7 broken")
    assert workers(loader) == before


async def test_cpu_limit() -> None:
    """A PDF that would draw for ever ends at the CPU limit, and the pool heals."""
    async with opened(cpu_s=1, wall_s=250, workers=1) as loader:
        with pytest.raises(DocumentTooSlow) as caught:
            await pdf(loader, BOMB)
        assert caught.value.members["limit"] == "cpu_s"
        assert await pdf(loader) == "Total 42.00"


def bound(loader: Loader, **bounds: float) -> None:
    """Other bounds from now on, when a process is up already: that takes seconds on a busy machine."""
    assert loader._pool is not None
    changed = replace(loader._pool._bounds, **bounds)  # type: ignore[arg-type]
    loader._pool._bounds = changed
    for worker in loader._pool._all:
        worker._bounds = changed


async def test_wall_limit() -> None:
    """The wall clock ends it too."""
    async with opened(wall_s=5, workers=1) as loader:
        await pdf(loader)
        with pytest.raises(DocumentTooSlow) as caught:
            await pdf(loader, BOMB)
        assert caught.value.members == {"limit": "wall_s", "allowed": 5}
        assert await pdf(loader) == "Total 42.00"


def slowly(monkeypatch: pytest.MonkeyPatch, loader: Loader, reports: int, pause_s: float) -> None:
    """The worker's answer comes after so many reports of progress, each after a pause."""
    [worker] = loader._pool._all  # type: ignore[union-attr]
    receive = worker._receive

    async def receive_late() -> tuple[dict[str, Any], bytes]:
        nonlocal reports
        await asyncio.sleep(pause_s)
        reports -= 1
        return ({"progress": True}, b"") if reports >= 0 else await receive()

    monkeypatch.setattr(worker, "_receive", receive_late)


async def test_progress_is_no_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document that gets on page by page may take longer than one that does not, within a bound for all of it."""
    async with opened(workers=1) as loader:
        await pdf(loader)
        bound(loader, wall_s=3)
        slowly(monkeypatch, loader, reports=5, pause_s=0.8)
        assert await pdf(loader) == "Total 42.00"
        bound(loader, wall_s=1.4, most_s=1.5)
        slowly(monkeypatch, loader, reports=9, pause_s=0.5)
        with pytest.raises(DocumentTooSlow) as caught:
            await pdf(loader)
        assert caught.value.members == {"limit": "most_s", "allowed": 1.5}
        bound(loader, wall_s=30, most_s=120)
        assert await pdf(loader) == "Total 42.00"


async def test_pages_are_progress(monkeypatch: pytest.MonkeyPatch, loader: Loader) -> None:
    """The process reports that it gets on with the pages of a PDF."""
    moved = []

    def count(patience: object) -> None:
        moved.append(patience)

    monkeypatch.setattr("service.documents.pool._Patience.moved", count)
    await pdf(loader)
    assert len(moved) == 1


async def test_endless_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that reports more progress than there is time for has broken the protocol."""
    async with opened(workers=1) as loader:
        await pdf(loader)
        [pid] = workers(loader)
        slowly(monkeypatch, loader, reports=10**9, pause_s=0)
        with pytest.raises(DocumentUnreadable):
            await pdf(loader)
        assert await pdf(loader) == "Total 42.00"
        assert pid not in workers(loader)


@pytest.mark.skipif(sys.platform != "linux", reason="priorities are read from Linux")
async def test_who_does_not_get_on_steps_back() -> None:
    """A process that is busy without progress leaves the processor to others, and is not kept."""
    async with opened(workers=1) as loader:
        await pdf(loader)
        bound(loader, stall_s=0.1)
        [pid] = workers(loader)
        began = os.getpriority(os.PRIO_PROCESS, pid)
        load = asyncio.create_task(pdf(loader, BOMB, deadline=clock.monotonic() + 8))
        for _ in range(350):
            await asyncio.sleep(0.02)
            if (now := os.getpriority(os.PRIO_PROCESS, pid)) != began:
                break
        assert now == min(began + 5, 19)
        assert now > os.getpriority(os.PRIO_PROCESS, 0)
        load.cancel()
        with pytest.raises(asyncio.CancelledError):
            await load
        assert workers(loader) == []


async def test_memory_limit() -> None:
    """A picture that needs more memory than a worker may have is refused, and the pool heals."""
    async with opened(memory_mb=256, workers=1) as loader:
        big = make.picture("PNG", size=(9_000, 9_000))
        with pytest.raises((DocumentTooHungry, DocumentUnreadable)):
            await loader.load(big, declared="image/png", name=None)
        assert await pdf(loader) == "Total 42.00"


async def test_deadline() -> None:
    """The caller's deadline ends the load, while it waits for a worker as well as while it runs."""
    async with opened(workers=1) as loader:
        await pdf(loader)
        busy = asyncio.create_task(pdf(loader, BOMB, deadline=clock.monotonic() + 0.6))
        await asyncio.sleep(0.05)
        with pytest.raises(DeadlineExceeded):
            await pdf(loader, deadline=clock.monotonic() + 0.2)
        with pytest.raises(DeadlineExceeded):
            await busy
        with pytest.raises(DeadlineExceeded):
            await pdf(loader, deadline=clock.monotonic() - 1)
        assert await pdf(loader) == "Total 42.00"


async def test_cancelled_load_frees_its_worker() -> None:
    """Who hangs up leaves no busy process behind."""
    async with opened(workers=1) as loader:
        await pdf(loader)
        [pid] = workers(loader)
        load = asyncio.create_task(pdf(loader, BOMB))
        await asyncio.sleep(0.1)
        load.cancel()
        with pytest.raises(asyncio.CancelledError):
            await load
        assert await pdf(loader) == "Total 42.00"
        assert pid not in workers(loader)
        assert await gone(pid)


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (signal.SIGKILL, DocumentTooHungry),
        (signal.SIGABRT, DocumentTooHungry),
        (signal.SIGSEGV, DocumentUnreadable),
    ],
)
async def test_dead_worker(sent: signal.Signals, error: type[Exception]) -> None:
    """A worker that dies with a document is a 422 that says why, and the pool heals."""
    async with opened(workers=1) as loader:
        await pdf(loader)
        [pid] = workers(loader)
        load = asyncio.create_task(pdf(loader, BOMB))
        await asyncio.sleep(0.1)
        os.kill(pid, sent)
        with pytest.raises(error) as caught:
            await load
        assert caught.value.status == 422  # type: ignore[attr-defined]
        assert await pdf(loader) == "Total 42.00"


@pytest.mark.parametrize(
    "said",
    [b"", b"{}", b"[]", b'{"pages": [{}], "notices": []}', b"not json", b'{"error": {}}', b'{"error": 1}'],
)
async def test_babbling_worker(monkeypatch: pytest.MonkeyPatch, loader: Loader, said: bytes) -> None:
    """A worker that breaks the protocol is ended, and the document is to blame."""
    await pdf(loader)
    [pid] = workers(loader)
    [worker] = loader._pool._all  # type: ignore[union-attr]
    frame = frames.LENGTHS.pack(len(said), 0) + said

    async def readexactly(size: int) -> bytes:
        nonlocal frame
        head, frame = frame[:size], frame[size:]
        return head

    monkeypatch.setattr(worker.process.stdout, "readexactly", readexactly)
    with pytest.raises(DocumentUnreadable):
        await pdf(loader)
    monkeypatch.undo()
    assert await pdf(loader) == "Total 42.00"
    assert pid not in workers(loader)


async def test_worker_that_died_idle_is_replaced(loader: Loader) -> None:
    """A worker that was killed while it had nothing to do costs nobody a document."""
    await pdf(loader)
    [pid] = workers(loader)
    [worker] = loader._pool._all  # type: ignore[union-attr]
    os.kill(pid, signal.SIGKILL)
    while worker.alive:  # noqa: ASYNC110 - until the loop has heard of it
        await asyncio.sleep(0.01)
    assert await pdf(loader) == "Total 42.00"


async def test_idle_workers_end() -> None:
    """Processes without work give their memory back."""
    async with opened(idle_s=0.2) as loader:
        await asyncio.gather(pdf(loader), pdf(loader))
        assert workers(loader)
        for _ in range(1000):
            await asyncio.sleep(0.05)
            if not workers(loader):
                break
        assert workers(loader) == []
        assert await pdf(loader) == "Total 42.00"


async def test_close_ends_everything() -> None:
    """After close no process is left, and loads that were under way have failed with a typed error."""
    loader = Loader(Settings(workers=2))
    await loader.open()
    await pdf(loader)
    loads = [asyncio.create_task(pdf(loader, BOMB)) for _ in range(3)]
    await asyncio.sleep(0.3)
    pids = workers(loader)
    await loader.close()
    assert not any(map(running, pids))
    results = await asyncio.gather(*loads, return_exceptions=True)
    assert all(
        isinstance(result, (DocumentTooHungry, DocumentUnreadable, ParserUnavailable)) for result in results
    )
    await loader.close()
    with pytest.raises(RuntimeError, match="not open"):
        await pdf(loader)


async def test_no_process_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the machine gives no process, the answer is a 503 that may be retried."""
    async with opened() as loader:
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        with pytest.raises(ParserUnavailable) as caught:
            await pdf(loader)
        assert caught.value.retry_after == 1
        monkeypatch.setattr(sys, "executable", "/bin/true")
        with pytest.raises(ParserUnavailable):
            await pdf(loader)


async def test_loop_is_not_blocked(loader: Loader) -> None:
    """While large documents are read, the event loop goes on: by its thread's own time, whatever else the machine does."""
    table = b"name,amount\n" + b"Copper pipe,12.00\n" * 40_000
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            began = time.thread_time()
            await asyncio.sleep(0.005)
            longest = max(longest, time.thread_time() - began)

    ticking = asyncio.create_task(tick())
    document = await loader.load(table, declared="text/csv", name=None)
    ticking.cancel()
    assert len(document.pages) == 81
    assert longest < 1.0


async def test_empty_and_ranges(loader: Loader) -> None:
    """No bytes are an empty document; ranges reach the parser."""
    with pytest.raises(DocumentEmpty):
        await loader.load(b"", declared="application/pdf", name=None)
    data = make.pdf([(60, 60, "one")], [(60, 60, "two")])
    assert await pdf(loader, data, pages=parse_pages("2")) == "two"


async def test_workers_end_with_a_killed_service() -> None:
    """A service that is killed leaves no worker behind, not even a busy one."""
    script = (
        "import asyncio, sys\n"
        "from service.documents import Loader, Settings\n"
        "from tests.documents import make\n"
        "async def main():\n"
        "    loader = Loader(Settings(workers=1))\n"
        "    await loader.open()\n"
        "    await loader.load(make.pdf([(60, 60, 'x')]), declared=None, name=None)\n"
        "    print([w.process.pid for w in loader._pool._all][0], flush=True)\n"
        "    await loader.load(make.laughing_pdf(), declared=None, name=None)\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).resolve().parents[2]
    service = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
    )
    assert service.stdout is not None
    pid = int(await service.stdout.readline())
    await asyncio.sleep(0.2)
    assert running(pid)
    service.kill()
    await service.wait()
    assert await gone(pid)
