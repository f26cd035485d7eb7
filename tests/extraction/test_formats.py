"""Every format of a document over HTTP: the value stands in the record, whatever it was wrapped in."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import httpx2
import pytest
from conftest import running, settings_for

from service.documents import SUPPORTED
from service.documents.media import resolve
from tests.documents import make, messages, workbooks
from tests.documents.workbooks import Sheet
from tests.files.test_fetch import Server, plain

SCHEMA = {"type": "object", "properties": {"order_number": {"type": "string"}}, "required": ["order_number"]}
SAID = "Order number: A-4711"
OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX = f"{OFFICE}wordprocessingml.document"


def letter(attached: tuple[bytes, str, str, str] | None = None) -> bytes:
    """A message that says the number, or brings it along."""
    message: EmailMessage = make.mail(text="Dear Ann,\n\nplease see below." if attached else SAID)
    if attached is not None:
        data, main, sub, name = attached
        message.add_attachment(data, maintype=main, subtype=sub, filename=name)
    return message.as_bytes()


def edge(kind: str, root: str) -> bytes:
    """A Word document that says the number in its header, footer or a footnote."""
    inner = make.paragraph(SAID)
    note = f"<w:footnote>{inner}</w:footnote>" if kind == "footnotes" else inner
    return make.docx(
        make.paragraph("A letter without numbers"),
        parts={f"word/{root}.xml": f"<w:X>{note}</w:X>"},
        links=((kind, f"{root}.xml"),),
    )


COLUMNS = [
    *((50.0, 100.0 + 14 * at, f"the left column, line number {at} of prose") for at in range(10)),
    *((320.0, 100.0 + 14 * at, f"the right column, line number {at} of prose") for at in range(10)),
    (320.0, 100.0 + 14 * 10, SAID),
]
BOX = f"<w:p><w:r><w:txbxContent>{make.paragraph(SAID)}</w:txbxContent></w:r></w:p>"
TABLE = "<w:tbl><w:tr><w:tc>{}</w:tc><w:tc>{}</w:tc></w:tr></w:tbl>".format(
    make.paragraph("Order number"), make.paragraph("A-4711")
)
ROWS = ("Order number", "A-4711")
FILES: dict[str, tuple[str, bytes]] = {
    "pdf": ("application/pdf", make.pdf([(60, 60, SAID)])),
    "pdf turned": ("application/pdf", make.pdf([(60, 60, SAID)], rotate=90)),
    "pdf upside down": ("application/pdf", make.pdf([(60, 60, SAID)], rotate=180)),
    "pdf in two columns": ("application/pdf", make.pdf(COLUMNS)),
    "docx": (DOCX, make.docx(make.paragraph(SAID))),
    "docx table": (DOCX, make.docx(TABLE)),
    "docx box": (DOCX, make.docx(BOX)),
    "docx header": (DOCX, edge("header", "header1")),
    "docx footer": (DOCX, edge("footer", "footer1")),
    "docx footnote": (DOCX, edge("footnotes", "footnotes")),
    "pptx": (f"{OFFICE}presentationml.presentation", make.pptx(f"<p:sld>{make.shape(SAID)}</p:sld>")),
    "xlsx": (f"{OFFICE}spreadsheetml.sheet", make.xlsx({"a": make.cells(1, *ROWS)})),
    "xlsm": ("application/vnd.ms-excel.sheet.macroEnabled.12", make.xlsx({"a": make.cells(1, *ROWS)})),
    "xlsb": ("application/vnd.ms-excel.sheet.binary.macroEnabled.12", workbooks.xlsb(Sheet("a", [ROWS]))),
    "xls": ("application/vnd.ms-excel", workbooks.xls(Sheet("a", [ROWS]))),
    "ods": ("application/vnd.oasis.opendocument.spreadsheet", make.ods(ROWS)),
    "csv": ("text/csv", b"Order number;Total\nA-4711;12,50\n"),
    "tsv": ("text/tab-separated-values", b"Order number\tTotal\nA-4711\t12.50\n"),
    "html": ("text/html", f"<html><p>{SAID}".encode()),
    "markdown": ("text/markdown", f"# Order\n\n{SAID}\n".encode()),
    "json": ("application/json", b'{\n  "x": 1,\n  "Order number": "A-4711",\n  "y": 2\n}'),
    "xml": ("application/xml", b"<?xml version='1.0'?>\n<a>\nOrder number: A-4711\n</a>"),
    "rtf": ("application/rtf", rb"{\rtf1\ansi " + SAID.encode() + rb"\par}"),
    "eml": ("message/rfc822", letter()),
    "eml with a pdf": ("message/rfc822", letter((make.pdf([(60, 60, SAID)]), "application", "pdf", "a.pdf"))),
    "eml with a docx": (
        "message/rfc822",
        letter((make.docx(make.paragraph(SAID)), "application", "octet-stream", "a.docx")),
    ),
    "msg": ("application/vnd.ms-outlook", messages.msg(messages.letter(SAID))),
    "msg with a pdf": (
        "application/vnd.ms-outlook",
        messages.msg(replace(messages.letter("see below"), attached=[("a.pdf", make.pdf([(60, 60, SAID)]))])),
    ),
    "utf-16": ("text/plain", f"Größe: 12\n{SAID}\n".encode("utf-16")),
    "shift-jis": ("text/plain", f"請求書 合計金額は以下の通りです\n{SAID}\n".encode("cp932")),
    "euc-kr": ("text/plain", f"견적서 주식회사 한국 합계 금액\n{SAID}\n".encode("cp949")),
    "windows-1251": ("text/plain", f"Счёт на оплату от третьего марта\n{SAID}\n".encode("cp1251")),
    "windows-1252": ("text/plain", f"Rechnung für Müller & Söhne\n{SAID}\n".encode("cp1252")),
    "a pdf that claims to be text": ("text/plain", make.pdf([(60, 60, SAID)])),
}


PICTURES: dict[str, tuple[str, bytes, int]] = {
    "png": ("image/png", make.picture("PNG"), 1),
    "jpeg": ("image/jpeg", make.picture("JPEG"), 1),
    "webp": ("image/webp", make.picture("WEBP"), 1),
    "gif": ("image/gif", make.frames("GIF", 3), 1),
    "tiff": ("image/tiff", make.picture("TIFF"), 1),
    "tiff of three frames": ("image/tiff", make.frames("TIFF", 3), 3),
    "bmp": ("image/bmp", make.picture("BMP"), 1),
    "heic": ("image/heic", make.heic(), 1),
    "a scan as pdf": ("application/pdf", make.scanned_pdf(), 1),
}
"""What the model is shown as a picture: media type, bytes, pages."""

Send = Callable[[httpx2.AsyncClient, Server, str, bytes], Awaitable[httpx2.Response]]
PATH = "/v1/extract/order_number"


async def raw(client: httpx2.AsyncClient, _: Server, media_type: str, data: bytes) -> httpx2.Response:
    return await client.post(PATH, content=data, headers={"content-type": media_type}, timeout=60)


async def multipart(client: httpx2.AsyncClient, _: Server, media_type: str, data: bytes) -> httpx2.Response:
    return await client.post(PATH, files={"file": ("document", data, media_type)}, timeout=60)


async def in_json(client: httpx2.AsyncClient, _: Server, media_type: str, data: bytes) -> httpx2.Response:
    given = {"base64": base64.b64encode(data).decode(), "media_type": media_type}
    return await client.post(PATH, json={"input": given}, timeout=60)


async def uploaded(client: httpx2.AsyncClient, _: Server, media_type: str, data: bytes) -> httpx2.Response:
    kept = await client.post("/v1/files", content=data, headers={"content-type": media_type})
    return await client.post(PATH, json={"input": {"file_id": kept.json()["id"]}}, timeout=60)


async def linked(client: httpx2.AsyncClient, server: Server, media_type: str, data: bytes) -> httpx2.Response:
    async def answer(_: bytes, out: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(data)}\r\ncontent-type: {media_type}\r\n\r\n"
        out.write(head.encode() + data)

    server.answer = answer
    given = {"input": {"url": f"http://127.0.0.1:{server.port}/document"}}
    return await client.post(PATH, json=given, timeout=60)


@pytest.fixture
async def served(sandbox: str, tmp_path: Path) -> AsyncIterator[tuple[httpx2.AsyncClient, Server]]:
    """A service with the schema, and a server for its URLs."""
    async with Server(plain()).open() as server:
        urls = {"allow_http": True, "ports": (server.port,), "allow_networks": ("127.0.0.1/32",)}
        async with running(settings_for(sandbox, f"sqlite:///{tmp_path}/w.db", urls=urls)) as client:
            made = await client.post("/v1/schemas/order_number/versions", json={"schema": SCHEMA})
            assert made.status_code == 201, made.text
            yield client, server


@pytest.mark.parametrize("form", [raw, multipart, in_json, uploaded, linked], ids=lambda form: form.__name__)
async def test_every_format_in_every_form(served: tuple[httpx2.AsyncClient, Server], form: Send) -> None:
    """A file of each format, in each form of a request, gives the record that its text says, or is shown as pictures.

    JSON as the body itself is the envelope; as a document it comes in the other forms.
    """
    client, server = served
    for kind, (media_type, data) in FILES.items():
        if form is raw and media_type == "application/json":
            continue
        answer = await form(client, server, media_type, data)
        assert answer.status_code == 200, (kind, answer.text)
        said = answer.json()["data"]["order_number"]
        assert said.strip('"') == "A-4711", kind  # the sandbox keeps the quotes of JSON
    for kind, (media_type, data, pages) in PICTURES.items():
        answer = await form(client, server, media_type, data)
        assert answer.status_code == 200, (kind, answer.text)
        document = answer.json()["document"]
        assert (document["media_type"], document["pages"]) == (media_type, pages), kind
        assert [page["as"] for page in document["shown"]] == ["image"] * pages, kind


def test_every_supported_type_is_among_them() -> None:
    """The files above cover all that a 415 lists as supported."""
    sent = {resolve(data, declared=media_type, name=None).media_type for media_type, data in FILES.values()}
    assert sent | {media_type for media_type, _, _ in PICTURES.values()} == set(SUPPORTED)


async def test_refused_formats(client: httpx2.AsyncClient) -> None:
    """What is not read is a 415 that lists what is; a locked PDF says that it needs its password."""
    for media_type, data, status, code in (
        (
            "image/svg+xml",
            b"<svg xmlns='http://www.w3.org/2000/svg'><text>x</text></svg>",
            415,
            "unsupported_media_type",
        ),
        ("application/zip", make.package({"a.txt": "x"}), 415, "unsupported_media_type"),
        ("application/pdf", make.locked_pdf("secret"), 422, "document_encrypted"),
    ):
        answer = await client.post(
            "/v1/extract",
            files={"file": ("document", data, media_type)},
            data={"schema": json.dumps(SCHEMA)},
            timeout=60,
        )
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert status != 415 or "application/pdf" in answer.json()["supported"]
