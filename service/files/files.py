"""Uploaded files: kept for some days, used by id, removed when their time is over."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from service.files.blobs import Blobs, Hold
from service.files.errors import FileExpired, FilesUnavailable, UnknownFile
from service.files.settings import Settings
from service.files.store import File, Store
from service.foundation import clock
from service.foundation.content import Content, Spooled
from service.foundation.database import Database
from service.foundation.errors import WinnowError
from service.foundation.spool import Spool
from service.foundation.telemetry import log

Result = TypeVar("Result")

ID = re.compile(r"file_[0-9a-z]{26}\Z")
"""What ids of files look like."""

_LOCK_S = 30.0
_SOON_S = 0.5
_FIRST_SWEEP_S = 5.0
_LOCK_STEP_S = 0.02
_BATCH = 500
"""Contents that are looked at while others wait."""


class Files:
    """Opened in the app's lifespan. ``spool`` is where large request bodies go, in the same folder."""

    def __init__(self, settings: Settings, database: Database, folder: Path) -> None:
        self._settings = settings
        self._store = Store(database)
        self._blobs = Blobs(folder)
        self.spool = Spool(self._blobs.incoming, settings.spool_bytes)
        self._sweeper: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        """Begin to remove what has expired, in the background. Nothing is made on the disk before it is needed."""
        if self._sweeper is None:
            self._sweeper = asyncio.create_task(self._sweep_for_ever())

    async def close(self) -> None:
        """Stop removing, after what is under way."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeper
        if self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def keep(self, content: Content, *, name: str | None, media_type: str | None, caller: str) -> File:
        """Keep bytes under a new id; ``content`` is closed where it lies in a file.

        The bytes are durable before the row is written, so there is never a row without bytes. A cancelled caller does
        not take the file back. Raises ``FilesFull``, ``FilesUnavailable``, ``StorageUnavailable``.
        """

        async def work() -> File:
            now = clock.now()
            async with self._holding(alone=False):
                digest = await _on_disk(self._put, content)
                file = File(
                    id=clock.new_id("file"),
                    digest=digest,
                    size=len(content),
                    media_type=media_type,
                    name=name,
                    created_at=now,
                    created_by=caller[:128],
                    expires_at=now + timedelta(days=self._settings.days),
                )
                try:
                    await self._store.add(file, most=self._settings.max_total_bytes)
                except WinnowError as error:
                    refused: WinnowError | None = error
                else:
                    refused = None
            if refused is not None:
                await self._reclaim_soon([digest])
                raise refused
            return file

        return await self._to_the_end(work())

    def _put(self, content: Content) -> str:
        try:
            return self._blobs.put(content)
        finally:
            if isinstance(content, Spooled):
                content.close()  # in this thread: freeing a large file takes milliseconds

    async def get(self, id: str) -> File:
        """What is known of a file. Raises ``UnknownFile``, ``FileExpired``."""
        if not ID.match(id):
            raise UnknownFile("This is not the id of a file; they look like `file_01k…`.")
        file = await self._store.get(id)
        if file.expires_at <= clock.now():
            raise FileExpired(
                f"The file could be used until {file.expires_at.isoformat(timespec='seconds')}; its bytes are gone."
            )
        return file

    async def read(self, id: str) -> tuple[File, Content]:
        """A file and its bytes, which stay readable when it is deleted meanwhile.

        Raises ``UnknownFile``, ``FileExpired``, ``FilesUnavailable``.
        """
        file = await self.get(id)
        content = await _on_disk(self._open, file)
        if content is None:
            await self.get(id)  # it was deleted or expired just now; if not, somebody emptied the folder
            log.error("file_without_bytes", id=id, digest=file.digest)
            raise FilesUnavailable("The bytes of this file are not in the folder.")
        return file, content

    def _open(self, file: File) -> Content | None:
        try:
            return self._blobs.open(file.digest, file.size, memory=self.spool.memory)
        except FileNotFoundError:
            return None

    async def newest(self, *, before: str | None, limit: int) -> list[File]:
        """Live files, newest first, starting after the id ``before``."""
        return await self._store.newest(now=clock.now(), before=before, limit=limit)

    async def delete(self, id: str) -> None:
        """Forget a file; its bytes go with the last that shares them. Raises ``UnknownFile``, ``FileExpired``."""
        file = await self.get(id)
        await self._store.delete(id)
        await self._to_the_end(self._reclaim_soon([file.digest]))

    async def sweep(self) -> None:
        """Remove the bytes that no live file has, and rows that have been over for as long as files are kept.

        Raises ``FilesUnavailable``, ``StorageUnavailable``.
        """
        await self._store.purge(clock.now() - timedelta(days=self._settings.days))
        if not await _on_disk(self._blobs.incoming.exists):
            return  # nothing was ever uploaded
        digests = self._blobs.digests()
        while batch := await _on_disk(lambda: list(islice(digests, _BATCH))):
            await self._reclaim(batch)
        async with self._holding(alone=True):
            await _on_disk(self._blobs.clear_incoming)

    async def _reclaim_soon(self, digests: list[str]) -> None:
        """The same unless others are busy in the folder; then it is left to the sweep."""
        with suppress(FilesUnavailable):
            await self._reclaim(digests, patience_s=_SOON_S)

    async def _reclaim(self, digests: list[str], *, patience_s: float = _LOCK_S) -> None:
        """Remove those bytes that no live file has."""
        async with self._holding(alone=True, patience_s=patience_s):
            live = await self._store.live(digests, now=clock.now())
            await _on_disk(lambda: self._blobs.remove(set(digests) - live))

    async def _sweep_for_ever(self) -> None:
        await asyncio.sleep(min(_FIRST_SWEEP_S, self._settings.sweep_s))  # not while the service starts
        while True:
            try:
                await self._to_the_end(self.sweep())
            except WinnowError as error:
                log.warning("files_not_swept", code=error.code, detail=error.detail)
            await asyncio.sleep(self._settings.sweep_s)

    @asynccontextmanager
    async def _holding(self, *, alone: bool, patience_s: float = _LOCK_S) -> AsyncIterator[None]:
        """The folder's lock. No thread waits for it: those who hold it need threads to come to an end."""
        until = clock.monotonic() + patience_s
        hold: Hold | None
        while (hold := await _on_disk(lambda: self._blobs.hold(alone=alone))) is None:
            if clock.monotonic() > until:
                raise FilesUnavailable("The folder of files is busy.", retry_after=5)
            await asyncio.sleep(_LOCK_STEP_S)
        try:
            yield
        finally:
            hold.release()

    async def _to_the_end(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do work that its caller's end must not cut in two."""
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)


async def _on_disk(work: Callable[..., Result], *arguments: Any) -> Result:
    """Work in a thread; what the disk refuses becomes ``FilesUnavailable``."""
    try:
        return await asyncio.to_thread(work, *arguments)
    except OSError as error:
        log.warning("files_unavailable", error=type(error).__name__, errno=error.errno)
        raise FilesUnavailable("The folder of files cannot be used now.", retry_after=5) from error
