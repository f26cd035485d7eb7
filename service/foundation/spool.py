"""What streams in, kept in little memory: few bytes stay where they are, more go to a file without a name."""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from service.foundation.content import Content, Spooled
from service.foundation.errors import Unavailable
from service.foundation.telemetry import log

_MANY = 1024
"""Pieces in memory from which they become one."""

_FEW = 2
"""How many large contents are in memory at once where one must be: JSON is there three times while it is taken apart."""


class SpoolUnavailable(Unavailable):
    """A large body could not be written to the spool folder: the disk is full, or the folder cannot be written."""

    code = "spool_unavailable"
    title = "The request body could not be kept"
    hint = "Retry later, or send a smaller document; operators: look at the space in WINNOW_FILES_FOLDER."


class Spool:
    """Where large bodies go. ``folder`` is made when it is first needed; above ``memory`` bytes a body goes there."""

    def __init__(self, folder: Path, memory: int) -> None:
        self.folder = folder
        self.memory = memory
        self.few = asyncio.Semaphore(_FEW)
        """Held by whoever reads a large content back into memory as a whole."""

    def filling(self) -> "Filling":
        """A new, empty content that grows."""
        return Filling(self)

    async def gather(self, chunks: AsyncIterator[bytes]) -> Content:
        """All of a stream.

        Raises ``SpoolUnavailable``, and whatever the stream raises.
        """
        filling = Filling(self)
        async for chunk in chunks:
            await filling.add(chunk)
        return await filling.finish()

    def put(self, data: bytes) -> Content:
        """Bytes that are in memory already. Blocks on the disk where they are many.

        Raises ``SpoolUnavailable``.
        """
        if len(data) <= self.memory:
            return data
        filling = Filling(self)
        filling.write([data])
        return filling.spooled()


class Filling:
    """A content that grows. Below the spool's bound nothing but a list is touched; beyond it, threads write."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._pieces: list[bytes] = []
        self._held = 0
        self._descriptor: int | None = None
        self._hash = hashlib.sha256()
        self._written = 0

    async def add(self, chunk: bytes) -> None:
        """Take over one more piece.

        Raises ``SpoolUnavailable``.
        """
        self._pieces.append(chunk)
        self._held += len(chunk)
        if self._held > self._spool.memory:
            await self._flush()
        elif len(self._pieces) > _MANY:  # of one byte each they would take forty times their size
            self._pieces = [b"".join(self._pieces)]

    async def finish(self) -> Content:
        """The whole.

        Raises ``SpoolUnavailable``.
        """
        if self._descriptor is None:
            return b"".join(self._pieces)
        await self._flush()
        return self.spooled()

    def spooled(self) -> Spooled:
        """What was written so far, which must be all; nothing can be added any more."""
        assert self._descriptor is not None  # noqa: S101 - narrows the type: callers have written
        descriptor, self._descriptor = self._descriptor, None
        return Spooled(descriptor, size=self._written, digest=f"sha256:{self._hash.hexdigest()}")

    def write(self, pieces: list[bytes]) -> None:
        """Append to the file. Blocks.

        Raises ``SpoolUnavailable``.
        """
        try:
            if self._descriptor is None:
                self._descriptor = _nameless(self._spool.folder)
            for piece in pieces:
                self._hash.update(piece)
                left = memoryview(piece)
                while left:
                    count = os.write(self._descriptor, left)
                    self._written += count
                    left = left[count:]
        except OSError as error:
            log.warning("spool_unavailable", error=type(error).__name__, errno=error.errno)
            raise SpoolUnavailable("The body is too large for memory, and no file took it.") from error

    async def _flush(self) -> None:
        pieces, self._pieces, self._held = self._pieces, [], 0
        # Shielded: the thread goes on when its caller is gone, and nobody may close the file under it.
        await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, self.write, pieces))

    def __del__(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)


def _nameless(folder: Path) -> int:
    """A new file in ``folder`` that has no name (O_TMPFILE), or none any more."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        return os.dup(file.fileno())
