"""The folder of contents and its lock, also when a process is killed in the middle."""

import asyncio
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from service.files import Files, FilesUnavailable, Settings
from service.files.blobs import Blobs
from service.foundation.content import Spooled
from service.foundation.database import Database
from service.foundation.database import Settings as DatabaseSettings
from service.foundation.spool import Spool

DIES = """
import asyncio, os, signal, sys
from pathlib import Path
from service.files import Files, Settings
from service.foundation.database import Database
from service.foundation.database import Settings as DatabaseSettings

folder, step = Path(sys.argv[1]), sys.argv[2]


def deadly(place, name, *, after):
    real = getattr(place, name)

    def call(*arguments, **options):
        if after:
            real(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(place, name, call)


async def main():
    database = Database(DatabaseSettings.model_validate({"url": f"sqlite:///{folder}/w.db"}))
    await database.open()
    files = Files(Settings(), database, folder / "files")
    if step == "written":
        deadly(os, "fsync", after=True)
    elif step == "named":
        deadly(Path, "replace", after=True)
    else:
        real = database.write

        async def write(work):
            result = await real(work) if step == "committed" else None
            os.kill(os.getpid(), signal.SIGKILL)
            return result

        database.write = write
    await files.keep(b"some bytes", name=None, media_type=None, caller="test")


asyncio.run(main())
"""


async def opened(folder: Path) -> tuple[Database, Files]:
    database = Database(DatabaseSettings.model_validate({"url": f"sqlite:///{folder}/w.db"}))
    await database.open()
    return database, Files(Settings(), database, folder / "files")


@pytest.mark.parametrize(
    ("step", "kept"), [("written", False), ("named", False), ("uncommitted", False), ("committed", True)]
)
async def test_a_killed_process(tmp_path: Path, step: str, *, kept: bool) -> None:
    """Wherever it is killed: no row without bytes, and after the sweep no bytes without a row."""
    died = subprocess.run([sys.executable, "-c", DIES, tmp_path, step], check=False, timeout=60)
    assert died.returncode == -9
    left = [path for path in (tmp_path / "files").rglob("*") if path.is_file() and path.name != "lock"]
    assert len(left) == 1, "the process should have died with bytes on the disk"
    database, files = await opened(tmp_path)
    try:
        await files.sweep()
        rows = await files.newest(before=None, limit=10)
        left = [path for path in (tmp_path / "files").rglob("*") if path.is_file() and path.name != "lock"]
        assert (len(rows), len(left)) == ((1, 1) if kept else (0, 0))
        for row in rows:
            assert (await files.read(row.id))[1] == b"some bytes"
        again = await files.keep(b"some bytes", name=None, media_type=None, caller="test")
        assert (await files.read(again.id))[1] == b"some bytes"
    finally:
        await files.close()
        await database.close()


async def test_bytes_stay_for_those_who_read_them(tmp_path: Path) -> None:
    """A file that is deleted while a request reads it is read to its end."""
    database, files = await opened(tmp_path)
    files.spool.memory = 4
    try:
        file = await files.keep(b"more than four", name=None, media_type=None, caller="test")
        _, content = await files.read(file.id)
        await files.delete(file.id)
        assert isinstance(content, Spooled)
        assert content.read() == b"more than four"
        assert (content.size, content.digest) == (file.size, file.digest)
        content.close()
    finally:
        await files.close()
        await database.close()


def test_the_lock(tmp_path: Path) -> None:
    """Many may add at once; who removes is alone; letting go lets others in."""
    blobs = Blobs(tmp_path)
    first, second = blobs.hold(alone=False), blobs.hold(alone=False)
    assert first is not None
    assert second is not None
    assert blobs.hold(alone=True) is None
    first.release()
    assert blobs.hold(alone=True) is None
    second.release()
    alone = blobs.hold(alone=True)
    assert alone is not None
    assert blobs.hold(alone=False) is None
    del alone
    assert blobs.hold(alone=False) is not None


async def test_a_spool(tmp_path: Path) -> None:
    """Few bytes stay in memory, more become a nameless file with size and digest; a view reads as bytes do."""
    spool = Spool(tmp_path / "spool", 100)

    async def stream(*chunks: bytes):  # type: ignore[no-untyped-def]
        for chunk in chunks:
            yield chunk

    assert await spool.gather(stream(b"a" * 60, b"b" * 40)) == b"a" * 60 + b"b" * 40
    assert not (tmp_path / "spool").exists()
    assert await spool.gather(stream(*[b"x"] * 99)) == b"x" * 99
    whole = b"a" * 60 + b"b" * 41 + b"c" * 500
    large = await spool.gather(stream(b"a" * 60, b"b" * 41, b"c" * 500))
    assert isinstance(large, Spooled)
    assert (large.read(), len(large)) == (whole, len(whole))
    same = spool.put(whole)
    assert isinstance(same, Spooled)
    assert same.digest == large.digest
    assert "aaa" not in repr(large)
    view = large.view()
    assert view.startswith((b"zz", b"aab", b"aaa"))
    assert not view.startswith(b"b")
    assert (view[:3], view[-2:], view.find(b"b")) == (b"aaa", b"cc", 60)
    view.close()
    assert list((tmp_path / "spool").iterdir()) == []


async def test_processes_that_add_and_remove_at_once(tmp_path: Path) -> None:
    """Two services on one folder keep, delete and sweep the same few contents: no row ever lacks its bytes."""
    first, second = await opened(tmp_path), await opened(tmp_path)
    contents = [b"content %d" % number for number in range(3)]

    async def busy(files: Files, seed: int) -> None:
        for turn in range(20):
            file = await files.keep(contents[(turn + seed) % 3], name=None, media_type=None, caller="test")
            found, content = await files.read(file.id)
            assert (found, content) == (file, contents[(turn + seed) % 3])
            await files.delete(file.id)

    async def sweeping(files: Files) -> None:
        while True:
            with suppress(FilesUnavailable):
                await files.sweep()
            await asyncio.sleep(0)

    sweeps = [asyncio.create_task(sweeping(files)) for _, files in (first, second)]
    try:
        async with asyncio.timeout(60):
            await asyncio.gather(*(busy(files, seed) for seed in range(2) for _, files in (first, second)))
    finally:
        for sweep in sweeps:
            sweep.cancel()
        await asyncio.gather(*sweeps, return_exceptions=True)
        for database, files in (first, second):
            await files.close()
            await database.close()
    database, files = await opened(tmp_path)
    await files.sweep()
    assert await files.newest(before=None, limit=10) == []
    assert [path for path in (tmp_path / "files" / "blobs").rglob("*") if path.is_file()] == []
    await database.close()
