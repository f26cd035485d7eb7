"""Uploaded files over HTTP: the real app, its database and its folder."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from conftest import running, settings_for

from service.foundation import clock

TEXT = "INVOICE\n\nInvoice number: 2026-0417\nSeller: Acme GmbH\nCurrency: EUR\nTotal: 1280.50\n"
PLAIN = {"content-type": "text/plain"}


def blobs(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "winnow-files" / "blobs").rglob("*") if path.is_file())


async def until(true: Callable[[], bool]) -> None:
    """Wait for what happens in the background."""
    for _ in range(1500):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen")


async def upload(client: httpx2.AsyncClient, content: bytes = TEXT.encode(), **query: Any) -> dict[str, Any]:
    answer = await client.post("/v1/files", content=content, headers=PLAIN, params=query)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/v1/files/{answer.json()['id']}"
    result: dict[str, Any] = answer.json()
    return result


async def test_a_files_life(sandbox: str, tmp_path: Path, database_url: str) -> None:
    """A file is uploaded, shown, listed, used in every way and deleted, on both databases."""
    files = {"folder": tmp_path / "winnow-files"}
    async with running(settings_for(sandbox, database_url, files=files)) as client:
        file = await upload(client, name="order.txt")
        assert (file["name"], file["size"], file["media_type"]) == ("order.txt", len(TEXT), "text/plain")
        assert file["digest"].startswith("sha256:")
        assert file["expires_at"] > file["created_at"]
        assert (await client.get(f"/v1/files/{file['id']}")).json() == file
        assert (await client.get("/v1/files")).json() == {"files": [file], "next_cursor": None}
        used = await client.post("/v1/extract/order", json={"input": {"file_id": file["id"]}})
        assert used.status_code == 200, used.text
        assert used.json()["data"]["invoice_number"] == "2026-0417"
        assert used.json()["document"]["digest"] == file["digest"]
        cost = await client.post("/v1/estimate/order", json={"input": {"file_id": file["id"]}})
        assert cost.status_code == 200, cost.text
        parts = [{"text": "Page one."}, {"file_id": file["id"]}]
        both = await client.post("/v1/extract/order", json={"inputs": parts})
        assert (both.status_code, both.json()["document"]["pages"]) == (200, 2), both.text
        assert (await client.delete(f"/v1/files/{file['id']}")).status_code == 204
        assert blobs(tmp_path) == []
        gone = await client.get(f"/v1/files/{file['id']}")
        assert (gone.status_code, gone.json()["code"]) == (404, "file_not_found")


async def test_multipart(client: httpx2.AsyncClient) -> None:
    """A form has one file, and a name of its own if that is to be another."""
    form = {"file": ("a.txt", TEXT.encode(), "text/plain")}
    plain = (await client.post("/v1/files", files=form)).json()
    named = (await client.post("/v1/files", files=form, data={"name": "b.txt"})).json()
    assert (plain["name"], named["name"]) == ("a.txt", "b.txt")
    assert plain["media_type"] == named["media_type"] == "text/plain"
    assert plain["digest"] == named["digest"]


BROKEN: list[tuple[str, Any, str, int, str]] = [
    ("nothing", b"", "application/pdf", 400, ""),
    ("a curl form", b"a=b", "application/x-www-form-urlencoded", 415, ""),
    ("no boundary", b"x", "multipart/form-data", 400, ""),
    ("no form", b"x", "multipart/form-data; boundary=b", 400, ""),
    ("cut off", b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nabc', "multipart/form-data; boundary=b", 400, ""),
    ("no file", b'--b\r\ncontent-disposition: form-data; name="name"\r\n\r\nabc\r\n--b--\r\n', "multipart/form-data; boundary=b", 400, "/file"),
    ("another part", b'--b\r\ncontent-disposition: form-data; name="zzz"\r\n\r\nabc\r\n--b--\r\n', "multipart/form-data; boundary=b", 400, "/zzz"),
    ("two files", b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n' * 2 + b"--b--\r\n", "multipart/form-data; boundary=b", 400, "/file"),
    ("a part without name", b"--b\r\ncontent-type: text/plain\r\n\r\nabc\r\n--b--\r\n", "multipart/form-data; boundary=b", 400, ""),
    ("a large field", b'--b\r\ncontent-disposition: form-data; name="name"\r\n\r\n' + b"n" * 5000 + b"\r\n--b--\r\n", "multipart/form-data; boundary=b", 413, "/name"),
]  # fmt: skip


async def test_what_is_no_file(client: httpx2.AsyncClient, tmp_path: Path) -> None:
    """What is no upload is a 4xx that says why, and nothing is kept."""
    for case, body, kind, status, pointer in BROKEN:
        answer = await client.post("/v1/files", content=body, headers={"content-type": kind})
        assert answer.status_code == status, (case, answer.text)
        if pointer:
            assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer], case
    assert (await client.get("/v1/files")).json()["files"] == []
    assert blobs(tmp_path) == []


async def test_equal_bytes_are_kept_once(client: httpx2.AsyncClient, tmp_path: Path) -> None:
    """Two uploads of the same bytes share them; they go with the second that is deleted."""
    first, second = await asyncio.gather(upload(client), upload(client))
    assert first["id"] != second["id"]
    assert first["digest"] == second["digest"]
    (blob,) = blobs(tmp_path)
    assert blob.read_bytes() == TEXT.encode()
    await client.delete(f"/v1/files/{first['id']}")
    assert blobs(tmp_path) == [blob]
    again = await client.post("/v1/extract/order", json={"input": {"file_id": second["id"]}})
    assert again.status_code == 200
    await client.delete(f"/v1/files/{second['id']}")
    assert blobs(tmp_path) == []


async def test_pages_of_the_list(client: httpx2.AsyncClient) -> None:
    """The list goes from the newest to the oldest, page by page, none twice."""
    ids = [(await upload(client, f"file {number}".encode()))["id"] for number in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await client.get("/v1/files", params=query)).json()
        seen += [file["id"] for file in page["files"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(ids)
    assert seen == sorted(seen, reverse=True)
    bad = await client.get("/v1/files", params={"cursor": "nonsense"})
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (400, "/cursor")


async def test_expiry(sandbox: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose time is over has a 404 of its own at once, loses its bytes in the background, and is forgotten."""
    settings = settings_for(sandbox, f"sqlite:///{tmp_path}/winnow.db", files={"days": 2, "sweep_s": 0.05})
    async with running(settings) as client:
        old = await upload(client)
        real = clock.now
        monkeypatch.setattr(clock, "now", lambda: real() + timedelta(days=2, seconds=1))
        young = await upload(client, b"Total: 7")
        for answer in (
            await client.get(f"/v1/files/{old['id']}"),
            await client.delete(f"/v1/files/{old['id']}"),
            await client.post("/v1/extract/order", json={"input": {"file_id": old["id"]}}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "file_expired"), answer.text
        assert [file["id"] for file in (await client.get("/v1/files")).json()["files"]] == [young["id"]]
        await until(lambda: len(blobs(tmp_path)) == 1)
        assert blobs(tmp_path)[0].read_bytes() == b"Total: 7"
        assert (await client.get(f"/v1/files/{old['id']}")).json()["code"] == "file_expired"
        monkeypatch.setattr(clock, "now", lambda: real() + timedelta(days=4, seconds=2))
        for _ in range(300):
            found = (await client.get(f"/v1/files/{old['id']}")).json()["code"]
            if found != "file_expired":
                break
            await asyncio.sleep(0.1)
        assert found == "file_not_found"


NOBODY = "file_00000000000000000000000000"
UNKNOWN: list[tuple[dict[str, Any], str]] = [
    ({"input": {"file_id": NOBODY}}, "/input/file_id"),
    ({"input": {"file_id": "../../etc/passwd"}}, "/input/file_id"),
    ({"inputs": [{"text": "x"}, {"file_id": NOBODY}]}, "/inputs/1/file_id"),
]


async def test_unknown_files(client: httpx2.AsyncClient) -> None:
    """An id that leads nowhere is a 404 that names the place."""
    for body, pointer in UNKNOWN:
        for path in ("/v1/extract/order", "/v1/estimate/order"):
            answer = await client.post(path, json=body)
            assert (answer.status_code, answer.json()["code"]) == (404, "file_not_found"), answer.text
            assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


async def test_one_source_per_input(client: httpx2.AsyncClient) -> None:
    """Text and a file at once is a 400."""
    answer = await client.post("/v1/extract/order", json={"input": {"text": "x", "file_id": "y"}})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/input")


async def test_what_is_said_now_goes_first(client: httpx2.AsyncClient) -> None:
    """Media type and name in the request go before those of the upload."""
    file = await upload(client, b"a,b\n1,2\n", name="a.csv")
    given = {"file_id": file["id"], "media_type": "text/csv", "name": "b.csv"}
    answer = await client.post("/v1/extract/order", json={"input": given})
    assert answer.json()["document"]["media_type"] == "text/csv", answer.text


async def test_no_room(sandbox: str, tmp_path: Path) -> None:
    """Above the cap on all bytes a file is refused and leaves nothing behind; equal bytes count once."""
    settings = settings_for(sandbox, f"sqlite:///{tmp_path}/winnow.db", files={"max_total_bytes": 100})
    async with running(settings) as client:
        first = await upload(client, b"a" * 60)
        await upload(client, b"a" * 60)
        full = await client.post("/v1/files", content=b"b" * 41, headers=PLAIN)
        assert (full.status_code, full.json()["code"]) == (409, "files_full"), full.text
        assert [blob.read_bytes() for blob in blobs(tmp_path)] == [b"a" * 60]
        await upload(client, b"b" * 40)
        assert (await client.delete(f"/v1/files/{first['id']}")).status_code == 204
        assert len(blobs(tmp_path)) == 2


async def test_large_uploads_go_through_the_spool(sandbox: str, tmp_path: Path) -> None:
    """Above `spool_bytes` raw bodies, forms, JSON and uploads pass through a nameless file, and are the same."""
    text = TEXT + "filler words\n" * 40
    settings = settings_for(sandbox, f"sqlite:///{tmp_path}/winnow.db", files={"spool_bytes": 64})
    async with running(settings) as client:
        file = await upload(client, text.encode())
        form = {"file": ("invoice.txt", text.encode(), "text/plain")}
        answers = [
            await client.post("/v1/extract/order", content=text.encode(), headers=PLAIN),
            await client.post("/v1/extract/order", files=form, data={"metadata": '{"a": "%s"}' % ("b" * 90)}),
            await client.post("/v1/extract/order", json={"input": {"text": text}}),
            await client.post("/v1/extract/order", json={"input": {"file_id": file["id"]}}),
        ]
        assert [answer.status_code for answer in answers] == [200] * 4, [answer.text for answer in answers]
        assert {answer.json()["document"]["digest"] for answer in answers} == {file["digest"]}
        assert all(answer.json()["data"]["invoice_number"] == "2026-0417" for answer in answers)
        assert list((tmp_path / "winnow-files" / "incoming").iterdir()) == []


async def test_a_folder_that_was_emptied(client: httpx2.AsyncClient, tmp_path: Path) -> None:
    """Bytes that somebody took away are a 503 that says so; other files are served, and the same can come again."""
    file, other = await upload(client), await upload(client, b"Invoice number: 7\n")
    blobs(tmp_path)[0].unlink()
    blobs(tmp_path)[0].rename(tmp_path / "aside")
    lost = await client.post("/v1/extract/order", json={"input": {"file_id": file["id"]}})
    assert (lost.status_code, lost.json()["code"]) == (503, "files_unavailable"), lost.text
    again = await upload(client)
    for one in (file, again):
        found = await client.post("/v1/extract/order", json={"input": {"file_id": one["id"]}})
        assert found.status_code == 200, found.text
    assert (await client.delete(f"/v1/files/{other['id']}")).status_code == 204


async def test_a_folder_that_cannot_be_written(sandbox: str, tmp_path: Path) -> None:
    """Without a folder uploads and large bodies are 503s of their own; small requests are served."""
    (tmp_path / "taken").write_text("a file where a folder should be")
    files = {"folder": tmp_path / "taken", "spool_bytes": 1000}
    async with running(settings_for(sandbox, f"sqlite:///{tmp_path}/winnow.db", files=files)) as client:
        small = await client.post("/v1/extract/order", content=TEXT.encode(), headers=PLAIN)
        assert small.status_code == 200
        kept = await client.post("/v1/files", content=b"x", headers=PLAIN)
        assert (kept.status_code, kept.json()["code"]) == (503, "files_unavailable"), kept.text
        large = await client.post("/v1/extract/order", content=b"x" * 2000, headers=PLAIN)
        assert (large.status_code, large.json()["code"]) == (503, "spool_unavailable"), large.text
