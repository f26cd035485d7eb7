"""A thread of one's own for work that blocks: one piece after the other, awaited on the event loop.

An executor does the same and more: a chain of three futures per piece, which at a few requests a second cost more
than the commits they waited for.
"""

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple, TypeVar

Result = TypeVar("Result")


class _Piece(NamedTuple):
    work: Callable[[], Any]
    future: asyncio.Future[Any]


class WorkThread:
    """Runs what ``submit`` gives it, in that order. The thread starts with the first piece."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pieces: SimpleQueue[_Piece | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._closed = False

    def submit(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        """Have ``work`` done: a future of the running loop with what it returns or raises.

        Whoever cancels the future hears no more of it; the work is done all the same. Raises ``RuntimeError`` after
        ``close``.
        """
        if self._closed:
            raise RuntimeError(f"{self._name} is closed")
        if self._thread is None:
            # A daemon, so that a process which ends without closing does not wait for it forever.
            self._thread = Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._pieces.put(_Piece(work, future))
        return future

    async def close(self) -> None:
        """Wait until everything handed in is done."""
        self._closed = True
        if self._thread is not None:
            self._pieces.put(None)
            await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while (piece := self._pieces.get()) is not None:
            try:
                result, error = piece.work(), None
            except BaseException as raised:  # noqa: BLE001 - handed to whoever awaits it
                result, error = None, raised
            try:
                piece.future.get_loop().call_soon_threadsafe(_settle, piece.future, result, error)
            except RuntimeError:  # its loop is closed: nobody awaits it any more
                continue
            finally:
                del piece, result, error  # while it waits, the thread keeps nothing alive


def _settle(future: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if future.done():  # cancelled
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
