"""Large documents lie in files and are lent to the workers; nothing else about them differs."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.documents import Loader
from service.documents.errors import DocumentUnreadable
from service.documents.media import resolve
from service.foundation.content import Spooled
from service.foundation.errors import UnsupportedMedia
from service.foundation.spool import Spool
from tests.documents import make

KINDS: dict[str, tuple[bytes, str]] = {
    "pdf": (make.pdf([(60, 60, "Total 42.00")], [(60, 60, "Page two")]), "application/pdf"),
    "docx": (make.docx(make.paragraph("Total 42.00")), "application/octet-stream"),
    "png": (make.picture("PNG"), "image/png"),
    "text": ("Größe: 42,00".encode("utf-16"), "text/plain"),
    "csv": (b"a;b\n1;2\n3;4\n", "text/csv"),
    "mail": (b"From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\n\r\nTotal 42.00\r\n", "message/rfc822"),
    "lie": (b"<html><body>Total 42.00</body></html>", "application/pdf"),
}


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    yield Spool(tmp_path, 0)
    assert list(tmp_path.iterdir()) == [], "nothing has a name"


def spooled(spool: Spool, data: bytes) -> Spooled:
    content = spool.put(data)
    assert isinstance(content, Spooled)
    return content


async def test_every_kind_reads_the_same(loader: Loader, spool: Spool) -> None:
    """A document in a file is the same document as its bytes."""
    for kind, (data, declared) in KINDS.items():
        plain = await loader.load(data, declared=declared, name="a")
        large = await loader.load(spooled(spool, data), declared=declared, name="a")
        assert large == plain, kind
        assert large.digest == plain.digest, kind


async def test_one_file_for_several_workers(loader: Loader, spool: Spool) -> None:
    """Readers of one file do not disturb each other, and it can be read again and again."""
    content = spooled(spool, make.pdf([(60, 60, "Total 42.00")]) + b"%" + b"x" * 3_000_000)
    documents = await asyncio.gather(
        *(loader.load(content, declared="application/pdf", name=None) for _ in range(6))
    )
    assert {document.text.strip() for document in documents} == {"Total 42.00"}
    assert {document.size for document in documents} == {content.size}


async def test_refusals(loader: Loader, spool: Spool) -> None:
    """What is not read, or not what it claims, is refused as it is from memory; the worker goes on."""
    with pytest.raises(UnsupportedMedia):
        await loader.load(spooled(spool, b"\x7fELF" + b"\0" * 100), declared=None, name=None)
    with pytest.raises(DocumentUnreadable):
        await loader.load(spooled(spool, b"%PDF-1.7 and no more"), declared=None, name=None)
    data, declared = KINDS["pdf"]
    good = await loader.load(spooled(spool, data), declared=declared, name=None)
    assert "Total 42.00" in good.text


async def test_workers_keep_no_descriptors(loader: Loader, spool: Spool) -> None:
    """Neither this process nor a worker holds on to what it has read."""
    data, declared = KINDS["pdf"]
    await loader.load(data, declared=declared, name=None)
    assert loader._pool is not None
    (worker,) = loader._pool._all
    folders = [f"/proc/{worker.process.pid}/fd", "/proc/self/fd"]
    if not Path(folders[0]).is_dir():
        pytest.skip("no /proc to count descriptors in")
    await loader.load(spooled(spool, data), declared=declared, name=None)
    before = [len(list(Path(folder).iterdir())) for folder in folders]
    for _ in range(5):
        await loader.load(spooled(spool, data), declared=declared, name=None)
    after = [len(list(Path(folder).iterdir())) for folder in folders]
    # Fewer are no leak: what tests before this one have left behind may be collected meanwhile.
    assert all(now <= then for now, then in zip(after, before, strict=True))


def test_signatures_through_a_view(spool: Spool) -> None:
    """What a file is is seen in a view of it as in its bytes."""
    for data, declared in KINDS.values():
        view = spooled(spool, data).view()
        assert resolve(view, declared=declared, name=None) == resolve(data, declared=declared, name=None)
        view.close()
