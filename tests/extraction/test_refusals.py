"""Refusals of documents over HTTP: the answer itself says what was wrong, where, what to do, and whether to try again."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from conftest import running, settings_for

from tests.documents import make
from tests.files.test_fetch import Server, plain

PDF = "application/pdf"
TEXT = "text/plain"
ENCRYPTED_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\0") + "EncryptedPackage".encode(
    "utf-16-le"
).ljust(512, b"\0")
CAPS = {"max_pages": 3, "max_pixels": 100_000, "max_text_characters": 5000, "max_cells": 500}
LONG = make.pdf(*[[(60, 60, f"Page {at}")] for at in range(5)])
NESTED = "<w:tbl><w:tr><w:tc>" * 400 + make.paragraph("x") + "</w:tc></w:tr></w:tbl>" * 400
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

REFUSED: dict[str, tuple[str, bytes, int, str]] = {
    "broken": (PDF, b"%PDF-1.7\nnothing of the kind", 422, "document_unreadable"),
    "not what it is called": (PDF, b"\x07\x08\x01\x02" * 40, 422, "document_unreadable"),
    "encrypted PDF": (PDF, make.locked_pdf("secret"), 422, "document_encrypted"),
    "encrypted office file": ("application/vnd.ms-excel", ENCRYPTED_OFFICE, 422, "document_encrypted"),
    "no bytes": (TEXT, b"", 422, "document_empty"),
    "white space": (TEXT, b" \n\t \n", 422, "document_empty"),
    "unsupported": ("application/zip", make.package({"a.txt": "x"}), 415, "unsupported_media_type"),
    "too many pages": (PDF, LONG, 422, "document_too_many_pages"),
    "too many pixels": ("image/png", make.picture("PNG", size=(400, 400)), 422, "document_too_many_pixels"),
    "too long": (TEXT, b"word " * 2000, 422, "document_too_long"),
    "too many cells": ("text/csv", b"a,b,c,d\n" * 300, 422, "document_too_complex"),
    "nested too deep": (DOCX, make.docx(NESTED), 422, "document_too_complex"),
}
FORMS = {
    "raw": "",
    "multipart": "/file",
    "base64": "/input/base64",
    "file_id": "/input/file_id",
    "url": "/input/url",
    "second file": "/file/1",
    "second input": "/inputs/1/base64",
}


@pytest.fixture
async def served(sandbox: str, tmp_path: Any) -> AsyncIterator[tuple[httpx2.AsyncClient, Server]]:
    """A service with small caps, and a server for its URLs."""
    async with Server(plain()).open() as server:
        urls = {"allow_http": True, "ports": (server.port,), "allow_networks": ("127.0.0.1/32",)}
        settings = settings_for(
            sandbox, f"sqlite:///{tmp_path}/w.db", urls=urls, documents={**CAPS, "workers": 1}
        )
        async with running(settings) as client:
            yield client, server


async def send(
    client: httpx2.AsyncClient,
    server: Server,
    form: str,
    media_type: str,
    data: bytes,
    path: str = "/v1/extract/order",
    **options: Any,
) -> httpx2.Response:
    """The document in one of the forms of a request."""
    one = {"base64": base64.b64encode(data).decode(), "media_type": media_type}
    fine = ("a.txt", b"Order: 4711", TEXT)
    match form:
        case "raw":
            return await client.post(path, content=data, headers={"content-type": media_type}, params=options)
        case "multipart" | "second file":
            files = [("file", ("x", data, media_type))]
            if form == "second file":
                files.insert(0, ("file", fine))
            return await client.post(path, files=files, data={"options": json.dumps(options)})
        case "file_id":
            kept = await client.post("/v1/files", content=data, headers={"content-type": media_type})
            given: dict[str, Any] = {"input": {"file_id": kept.json()["id"]}}
        case "url":
            server.answer = plain(data)
            url = f"http://127.0.0.1:{server.port}/x"
            given = {"input": {"url": url, "media_type": media_type}}
        case "second input":
            given = {"inputs": [{"text": "Order: 4711"}, one]}
        case _:
            given = {"input": one}
    return await client.post(path, json={**given, "options": options})


@pytest.mark.parametrize("form", FORMS)
async def test_every_refusal_in_every_form(served: tuple[httpx2.AsyncClient, Server], form: str) -> None:
    """Each names its place in the request, the part where there are several, and what to do; none is to be repeated."""
    client, server = served
    for name, (media_type, data, status, code) in REFUSED.items():
        if not data and form == "file_id":
            continue  # no file without bytes is taken: see the tests of files
        answer = await send(client, server, form, media_type, data)
        problem = answer.json()
        assert (answer.status_code, problem.get("code")) == (status, code), (name, problem)
        (fault,) = problem["errors"]
        inside_json = form not in ("raw", "multipart", "second file")
        beside = name == "encrypted PDF" and inside_json
        assert fault["pointer"] == (
            f"{FORMS[form].rpartition('/')[0]}/password" if beside else FORMS[form]
        ), name
        assert fault.get("part") == (2 if form.startswith("second") else None)
        assert problem["detail"].startswith("Part 2: ") == form.startswith("second")
        assert len(fault["detail"]) > 20
        assert fault["detail"] != problem["detail"]
        assert problem["retryable"] is False
        if name == "encrypted office file":
            assert "password" not in fault["pointer"]
            assert "without a password" in fault["detail"]
        if name == "encrypted PDF" and not inside_json:
            assert '"password"' in fault["detail"]


async def test_places_beside_the_bytes(served: tuple[httpx2.AsyncClient, Server]) -> None:
    """A wrong password, pages that there are not and a frame that is too large are named as such."""
    client, server = served
    locked = {"base64": base64.b64encode(make.locked_pdf("secret")).decode(), "password": "other"}
    wrong = (await client.post("/v1/extract/order", json={"input": locked})).json()
    assert (wrong["code"], wrong["errors"][0]["pointer"]) == ("wrong_password", "/input/password")
    for form in ("raw", "base64", "multipart"):
        out = (await send(client, server, form, PDF, LONG, pages="2,9")).json()
        assert out["code"] == "pages_out_of_range"
        assert out["errors"] == [{"pointer": "/options/pages", "detail": "Ask for pages from 1 to 5."}]
    tiff = make.frames("TIFF", 2, sizes=((60, 40), (900, 400)))
    large = (await send(client, server, "second input", "image/tiff", tiff)).json()
    assert large["code"] == "document_too_many_pixels"
    (fault,) = large["errors"]
    assert (fault["pointer"], fault["part"], fault["page"]) == ("/inputs/1/base64", 2, 2)


async def test_estimates_and_streams_say_the_same(served: tuple[httpx2.AsyncClient, Server]) -> None:
    """An estimate and the event `problem` name the same place as the plain answer."""
    client, server = served
    plainly = (await send(client, server, "raw", PDF, LONG)).json()
    estimate = (await send(client, server, "raw", PDF, LONG, path="/v1/estimate/order")).json()
    streamed = await client.post(
        "/v1/extract/order", content=LONG, headers={"content-type": PDF, "accept": "text/event-stream"}
    )
    event = json.loads(streamed.text.partition("event: problem\ndata: ")[2].splitlines()[0])
    assert plainly["errors"] == estimate["errors"] == event["errors"]
    assert "`pages`" in event["errors"][0]["detail"]


async def test_a_deadline_that_passes(served: tuple[httpx2.AsyncClient, Server]) -> None:
    """A document that is not read in the caller's time is a 504 that names the option; it may be tried again."""
    client, server = served
    answer = await send(client, server, "base64", PDF, LONG, deadline_s=0.001)
    problem = answer.json()
    assert (answer.status_code, problem["retryable"]) == (504, True)
    assert problem["errors"][0]["pointer"] == "/options/deadline_s"


async def test_a_body_that_is_too_large(sandbox: str, tmp_path: Any) -> None:
    """A 413 says how many bytes are read and what to do, also where nobody announced them."""
    async with running(settings_for(sandbox, f"sqlite:///{tmp_path}/w.db", max_body_bytes=1200)) as client:

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(5):
                yield b"x" * 300

        for body in (b"x" * 1500, chunks()):
            answer = await client.post("/v1/extract/order", content=body, headers={"content-type": TEXT})
            problem = answer.json()
            assert (answer.status_code, problem["allowed"], problem["retryable"]) == (413, 1200, False)
            assert problem["errors"][0]["pointer"] == ""
            assert "/v1/files" in problem["errors"][0]["detail"]


async def test_problems_without_a_place(client: httpx2.AsyncClient) -> None:
    """Where no place is faulty, the whole is named with what the code says to do about it."""
    missing = (await client.get("/v1/nowhere")).json()
    assert missing["errors"] == [{"pointer": "", "detail": "Check the path; `/docs` lists every operation."}]
    form = await client.post("/v1/extract/order", data={"a": "b"})
    assert form.status_code == 415
    assert form.json()["errors"][0]["pointer"] == ""
