"""Forms, part by part, from whatever pieces they arrive in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.foundation.content import Spooled
from service.foundation.errors import BadRequest, PayloadTooLarge, WinnowError
from service.foundation.multipart import Part, read_form
from service.foundation.spool import Spool

TYPE = "multipart/form-data; boundary=b"
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="options"\r\n\r\n{"a": 1}\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="gr\xc3\xb6\xc3\x9fe.pdf"\r\n'
    b"Content-Type: application/pdf\r\n\r\n" + b"--x\r\n-- b--\r\n" * 20 + b"\r\n"
    b'--b\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--b--\r\n'
)


async def read(body: bytes, folder: Path, *, size: int = 7, kind: str = TYPE, memory: int = 64) -> list[Part]:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), size):
            yield body[at : at + size]

    return await read_form(kind, pieces(), Spool(folder, memory), most=5, field_bytes=100)


@pytest.mark.parametrize("size", [1, 2, 7, 50, 10_000])
async def test_pieces_do_not_matter(tmp_path: Path, size: int) -> None:
    """However a form arrives its parts are the same; large ones lie in files."""
    options, file, empty = await read(FORM, tmp_path, size=size)
    assert (options.name, options.is_file, options.content) == ("options", False, b'{"a": 1}')
    assert (file.name, file.filename, file.media_type) == ("file", "größe.pdf", "application/pdf")
    assert isinstance(file.content, Spooled)
    assert file.content.read() == b"--x\r\n-- b--\r\n" * 20
    assert (empty.filename, empty.is_file, empty.content) == ("", True, b"")


@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        (FORM, "multipart/form-data", BadRequest),
        (FORM, "multipart/form-data; boundary=" + "b" * 300, BadRequest),
        (FORM[:-6], TYPE, BadRequest),
        (b"", TYPE, BadRequest),
        (FORM[: FORM.index(b'--b\r\nContent-Disposition: form-data; name="file"')] * 6, TYPE, BadRequest),
        (b"--b\r\nX: y\r\n\r\n\r\n--b--\r\n", TYPE, BadRequest),
        (b"--b\r\n" + b"X: y\r\n" * 1000, TYPE, BadRequest),
        (b"--b\r\nX: " + b"y" * 100_000, TYPE, BadRequest),
        (b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"y" * 200, TYPE, PayloadTooLarge),
    ],
    ids=[
        "no boundary",
        "long boundary",
        "cut",
        "empty",
        "many",
        "no name",
        "headers",
        "long header",
        "long field",
    ],
)
async def test_what_is_no_form(tmp_path: Path, body: bytes, kind: str, error: type[WinnowError]) -> None:
    """What cannot be told apart, or is too much, is a typed error."""
    with pytest.raises(error):
        await read(body, tmp_path, kind=kind)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cut=st.integers(0, len(FORM)),
    at=st.integers(0, len(FORM)),
    noise=st.binary(max_size=8),
    size=st.integers(1, 90),
)
async def test_damage(tmp_path: Path, cut: int, at: int, noise: bytes, size: int) -> None:
    """A damaged form is read or refused, never anything else."""
    damaged = (FORM[:at] + noise + FORM[at:])[: max(cut, at)]
    try:
        parts = await read(damaged, tmp_path, size=size)
    except (BadRequest, PayloadTooLarge):
        return
    assert all(part.name for part in parts)
