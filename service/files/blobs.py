"""The bytes of uploaded files: a folder in which each content lies once, under its digest.

    <folder>/blobs/ab/cdef…     the bytes whose SHA-256 is abcdef…
    <folder>/incoming/new-…     bytes on their way to a name
    <folder>/lock

Whoever adds bytes and then writes the row that names them holds the lock together with others; whoever removes bytes
that no row names holds it alone. So bytes are never removed between their arrival and their row, and what lies in
`incoming` while the lock is held alone was left there by a process that died. The kernel frees the locks of the dead.
Everything here blocks; ``files`` calls it in threads.
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import time
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path

from service.foundation.content import Content, Spooled

_AT_ONCE = 1024 * 1024
_NEW = "new-"
_FORGOTTEN_S = 3600.0
"""Age from which names in `incoming` that are not ours are removed: a spool without O_TMPFILE has one for a moment."""


class Hold:
    """A lock on the folder, until ``release`` or until nobody refers to it."""

    def __init__(self, descriptor: int) -> None:
        self._finalizer = weakref.finalize(self, os.close, descriptor)

    def release(self) -> None:
        """Let others in."""
        self._finalizer()


class Blobs:
    """The folder. Raises ``OSError`` for whatever the disk says."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.incoming = folder / "incoming"
        self._blobs = folder / "blobs"

    def hold(self, *, alone: bool) -> Hold | None:
        """The lock, or None while others have it."""
        self.incoming.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        return Hold(descriptor)

    def put(self, content: Content) -> str:
        """Store bytes durably, unless they are there; their digest. Needs the lock."""
        if isinstance(content, Spooled):
            digest = content.digest
        else:
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        target = self._path(digest)
        with contextlib.suppress(FileNotFoundError):
            if target.stat().st_size == len(content):
                return digest
        made = not target.parent.exists()
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        passing = self.incoming / f"{_NEW}{secrets.token_hex(16)}"
        try:
            with os.fdopen(os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                for piece in _pieces(content):
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            passing.replace(target)
        except BaseException:
            passing.unlink(missing_ok=True)
            raise
        _sync(target.parent)
        if made:
            _sync(self._blobs)
            _sync(self._folder)
        return digest

    def open(self, digest: str, size: int, *, memory: int) -> Content:
        """The bytes under a digest, of ``size``; up to ``memory`` of them are read at once.

        Raises ``FileNotFoundError``. Once open they can be read whatever becomes of their name.
        """
        descriptor = os.open(self._path(digest), os.O_RDONLY | os.O_CLOEXEC)
        spooled = Spooled(descriptor, size=size, digest=digest)
        if size > memory:
            return spooled
        try:
            return spooled.read()
        finally:
            spooled.close()

    def digests(self) -> Iterator[str]:
        """All digests that have bytes."""
        for shelf in sorted(self._blobs.glob("??")):
            for blob in sorted(shelf.iterdir()):
                yield f"sha256:{shelf.name}{blob.name}"

    def remove(self, digests: Iterable[str]) -> None:
        """Remove bytes. Needs the lock alone."""
        for digest in digests:
            self._path(digest).unlink(missing_ok=True)

    def clear_incoming(self) -> None:
        """Remove what dead processes left on the way. Needs the lock alone."""
        for left in self.incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if left.name.startswith(_NEW) or time.time() - left.stat().st_mtime > _FORGOTTEN_S:
                    left.unlink()

    def _path(self, digest: str) -> Path:
        name = digest.removeprefix("sha256:")
        return self._blobs / name[:2] / name[2:]


def _pieces(content: Content) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    at = 0
    while piece := os.pread(content.fileno(), _AT_ONCE, at):
        yield piece
        at += len(piece)


def _sync(folder: Path) -> None:
    """Make names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
