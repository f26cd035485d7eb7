"""The warm pool of worker processes: starts them when needed, replaces those that die, are slow or are abandoned."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from typing import Any

import orjson

from service.documents import frames
from service.documents.errors import (
    DocumentTooHungry,
    DocumentTooSlow,
    DocumentUnreadable,
    ParserUnavailable,
    by_code,
)
from service.documents.limits import Bounds
from service.documents.parsed import Job, Parsed
from service.foundation import clock
from service.foundation.content import Content, Spooled
from service.foundation.errors import DeadlineExceeded, Fault, WinnowError
from service.foundation.telemetry import log

_THREAD = 256 * 1024
"""Bytes of a result from which it is decoded in a thread, not in the event loop."""

_DYING_S = 5.0
"""Seconds between the end of a process's output and its end; freeing gigabytes takes a while."""

_OUT_OF_MEMORY = frozenset({-signal.SIGKILL, -signal.SIGABRT})
"""The kernel kills when the machine has none left; C++ and Rust abort when the address space ends."""


class _Gone(Exception):
    """The worker ended while it had a job."""


class _Babbling(Exception):
    """The worker broke the protocol: one that a document has taken over may say anything."""


class _Worker:
    """One process, the pipes to it, and a socket on which it is lent the descriptors of files."""

    def __init__(
        self, process: asyncio.subprocess.Process, bounds: Bounds, descriptors: socket.socket
    ) -> None:
        self.process = process
        self._descriptors = descriptors
        self._bounds = bounds
        self.isolation = "unknown"
        self.idle_since = 0.0
        self.worn = False

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    async def hello(self) -> None:
        header, _ = await self._receive()
        self.isolation = str(header.get("isolation", "none"))

    async def ask(self, job: Job, data: Content) -> Parsed | WinnowError:
        """The result of one job, or the error that the worker reports.

        Raises ``_Gone`` or ``_Babbling``.
        """
        stdin = self.process.stdin
        assert stdin is not None  # noqa: S101 - started with a pipe
        try:
            header: dict[str, Any] = {"job": frames.job_header(job), "cpu_s": self._bounds.cpu_s}
            body: bytes = b""
            if isinstance(data, Spooled):
                # The worker reads the file itself: its bytes cost this process nothing.
                header["spooled"] = len(data)
                socket.send_fds(self._descriptors, [b"f"], [data.fileno()])
            else:
                body = data
            for piece in frames.pack(header, [body]):
                stdin.write(piece)
            await stdin.drain()
            header, body = await self._receive()
            self.worn = not header.get("held_kb", 0) < self._bounds.worn_mb * 1024
            if "error" in header:
                return _reported(header["error"])
            if len(body) + len(header["pages"]) * 4096 > _THREAD:
                return await asyncio.to_thread(frames.read_parsed, header, body)
            return frames.read_parsed(header, body)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            raise _Gone from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _Babbling from error

    async def _receive(self) -> tuple[dict[str, Any], bytes]:
        stdout = self.process.stdout
        assert stdout is not None  # noqa: S101 - started with a pipe
        header_size, body_size = frames.lengths(await stdout.readexactly(frames.LENGTHS.size))
        text = await stdout.readexactly(header_size)
        body = await stdout.readexactly(body_size)
        header = await asyncio.to_thread(orjson.loads, text) if header_size > _THREAD else orjson.loads(text)
        if not isinstance(header, dict):
            raise frames.BrokenFrame("a header that is no object")
        return header, body

    async def exit_code(self) -> int:
        """The exit code of a process whose output has ended."""
        try:
            async with asyncio.timeout(_DYING_S):
                return await self.process.wait()
        except TimeoutError:
            return await self.end()

    async def end(self) -> int:
        """Kill the process if it still runs; its exit code."""
        if self.process.returncode is None:
            # Not process.kill(): of a process that has just died by itself it takes the exit code away from the loop's
            # watcher, which then reports 255 (python/cpython#87744, until 3.13).
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)
        if self.process.stdin is not None:
            self.process.stdin.close()
        self._descriptors.close()
        return await self.process.wait()


class Pool:
    """At most ``bounds.workers`` processes; each runs one job at a time."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._slots = asyncio.Semaphore(bounds.workers)
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._ending: set[asyncio.Task[int]] = set()
        self._reaper: asyncio.TimerHandle | None = None
        self._closed = False
        self.isolation = "unknown"
        """What the worker that started last says of itself."""

    async def close(self) -> None:
        """End all workers, also busy ones, and wait until they are gone."""
        self._closed = True
        if self._reaper is not None:
            self._reaper.cancel()
        self._idle.clear()
        for worker in list(self._all):
            self._discard(worker)
        if self._ending:
            await asyncio.gather(*self._ending, return_exceptions=True)

    async def warm(self) -> None:
        """Start a worker when there is none yet, so that the first document need not wait for it.

        Raises ``ParserUnavailable``.
        """
        if not self._all:
            async with self._slots:
                self._keep(await self._take(None))

    async def run(self, job: Job, data: Content, deadline: float | None) -> Parsed:
        """The result of one job.

        Raises the parser's typed errors, ``DocumentTooSlow``, ``DocumentTooHungry``, ``ParserUnavailable``, and
        ``DeadlineExceeded`` when ``deadline`` (of ``clock.monotonic``) comes first.
        """
        try:
            async with asyncio.timeout(_left(deadline)):
                await self._slots.acquire()
        except TimeoutError:
            raise _deadline() from None
        try:
            worker = await self._take(deadline)
            outcome = await self._run(worker, job, data, deadline)
        finally:
            self._slots.release()
        if isinstance(outcome, WinnowError):
            raise outcome
        return outcome

    async def _run(
        self, worker: _Worker, job: Job, data: Content, deadline: float | None
    ) -> Parsed | WinnowError:
        left = _left(deadline)
        wall = self._bounds.wall_s
        reusable = False
        try:
            async with asyncio.timeout(wall if left is None else min(left, wall)):
                outcome = await worker.ask(job, data)
            reusable = not worker.worn
        except TimeoutError:
            if left is not None and left < wall:
                return _deadline()
            return DocumentTooSlow(
                f"parsing it takes more than {wall:g} seconds", members={"limit": "wall_s", "allowed": wall}
            )
        except _Gone:
            return self._autopsy(await worker.exit_code())
        except _Babbling:
            log.warning("documents.worker_broke_protocol")
            return _crashed()
        finally:  # also when cancelled: nobody waits for the answer that the worker is about to give
            if reusable:
                self._keep(worker)
            else:
                self._discard(worker)
        return outcome

    def _keep(self, worker: _Worker) -> None:
        if self._closed:
            self._discard(worker)
            return
        worker.idle_since = clock.monotonic()
        self._idle.append(worker)
        self._watch()

    async def _take(self, deadline: float | None) -> _Worker:
        """An idle worker, the one used last first, or a new one."""
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            self._discard(worker)
        try:
            async with asyncio.timeout(_left(deadline)):
                return await self._start()
        except TimeoutError:
            raise _deadline() from None

    async def _start(self) -> _Worker:
        if self._closed:
            raise ParserUnavailable("the service is stopping", retry_after=1)
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-B", "-X", "utf8", "-m", "service.documents.worker"),
                *(str(os.getpid()), str(self._bounds.memory_mb), self._bounds.task, str(theirs.fileno())),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={"PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path)},  # noqa: PTH109
            )
        except OSError as error:
            ours.close()
            log.warning("documents.worker_not_started", error=type(error).__name__, errno=error.errno)
            raise ParserUnavailable("no parser process could be started", retry_after=1) from error
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        worker = _Worker(process, self._bounds, ours)
        self._all.add(worker)
        try:
            async with asyncio.timeout(self._bounds.start_s):
                await worker.hello()
        except (TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
            self._discard(worker)
            log.warning("documents.worker_not_started", error=type(error).__name__)
            raise ParserUnavailable("a parser process did not come up", retry_after=1) from error
        except BaseException:
            self._discard(worker)
            raise
        self.isolation = worker.isolation
        return worker

    def _discard(self, worker: _Worker) -> None:
        """End a worker in the background; ``close`` waits for it."""
        if worker in self._all:
            self._all.discard(worker)
            task = asyncio.ensure_future(worker.end())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    def _watch(self) -> None:
        if self._reaper is None:
            self._reaper = asyncio.get_running_loop().call_later(self._bounds.idle_s, self._reap)

    def _reap(self) -> None:
        """End the workers that have had nothing to do for ``idle_s``."""
        self._reaper = None
        since = clock.monotonic() - self._bounds.idle_s
        for worker in [worker for worker in self._idle if worker.idle_since <= since]:
            self._idle.remove(worker)
            self._discard(worker)
        if self._idle:
            self._watch()

    def _autopsy(self, code: int) -> WinnowError:
        """What a worker died of, by its exit code (negative: the signal)."""
        log.warning("documents.worker_died", exit_code=code)
        if code == -signal.SIGXCPU:
            allowed = self._bounds.cpu_s
            return DocumentTooSlow(
                f"parsing it takes more than {allowed:g} CPU seconds",
                members={"limit": "cpu_s", "allowed": allowed},
            )
        if code in _OUT_OF_MEMORY:
            return DocumentTooHungry(
                "parsing it takes more memory than a document may", members={"limit": "memory"}
            )
        return _crashed()


def _crashed() -> DocumentUnreadable:
    return DocumentUnreadable("the parser crashed on it: it is damaged or made to do harm")


def _reported(error: dict[str, Any]) -> WinnowError:
    if error.get("fault"):
        log.warning("documents.parser_fault", fault=error["fault"])
    faults = [
        Fault(str(pointer), str(detail), page=None if page is None else int(page))
        for pointer, detail, page in error.get("faults") or ()
    ]
    return by_code(str(error["code"]), str(error["detail"]), dict(error.get("members") or {}), faults)


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else deadline - clock.monotonic()


def _deadline() -> DeadlineExceeded:
    return DeadlineExceeded(
        "the deadline passed while the document was being read",
        errors=[Fault("/deadline", DeadlineExceeded.hint)],
    )
