"""Bytes that came in: in memory while they are few, beyond that in a file. No event loop here: workers import it too."""

import mmap
import os
import weakref
from typing import IO

from typing_extensions import override


class View(mmap.mmap):
    """The bytes of a file as if they were in memory; slices are ``bytes``."""

    def startswith(self, prefix: bytes | tuple[bytes, ...]) -> bool:
        """As ``bytes.startswith``."""
        prefixes = prefix if isinstance(prefix, tuple) else (prefix,)
        return any(self[: len(one)] == one for one in prefixes)


Viewed = bytes | View


class Spooled:
    """Bytes in a file that is held open here and needs no name: they are gone with the last who holds it.

    So nothing is left behind by a process that is killed, and whoever has it open can read it to the end, whatever
    becomes of its name. ``digest`` is ``sha256:<hex>``.
    """

    __slots__ = ("__weakref__", "_descriptor", "_finalizer", "digest", "size")

    def __init__(self, descriptor: int, *, size: int, digest: str) -> None:
        """Takes ``descriptor`` over: it is closed with this object."""
        self._descriptor = descriptor
        self._finalizer = weakref.finalize(self, os.close, descriptor)
        self.size = size
        self.digest = digest

    @classmethod
    def of(cls, file: IO[bytes], *, size: int, digest: str) -> "Spooled":
        """The bytes of an open file, which may be closed afterwards."""
        return cls(os.dup(file.fileno()), size=size, digest=digest)

    def __len__(self) -> int:
        return self.size

    @override
    def __repr__(self) -> str:
        return f"Spooled({self.size} bytes)"

    def fileno(self) -> int:
        """The descriptor. Read from it by position: its offset is shared by all who hold it."""
        return self._descriptor

    def view(self) -> View:
        """The bytes without reading them all; close it after use."""
        return View(self._descriptor, self.size, access=mmap.ACCESS_READ)

    def read(self) -> bytes:
        """All bytes. Blocks on the disk."""
        return read_all(self._descriptor, self.size)

    def close(self) -> None:
        """Let go of the file now."""
        self._finalizer()


Content = bytes | Spooled
"""The bytes of one document or one body, wherever they are."""


def read_all(descriptor: int, size: int) -> bytes:
    """``size`` bytes of an open file from its beginning; its offset is left alone.

    Raises ``EOFError`` where it is shorter.
    """
    pieces = []
    at = 0
    while at < size:
        piece = os.pread(descriptor, size - at, at)  # all at once, as a rule: one copy
        if not piece:
            raise EOFError("the file is shorter than it was")
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces)
