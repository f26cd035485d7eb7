"""Every format of a document over HTTP: the value stands in the record, whatever it was wrapped in."""

import json
from email.message import EmailMessage

import httpx2
import pytest

from tests.documents import make

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
    "utf-16": ("text/plain", f"Größe: 12\n{SAID}\n".encode("utf-16")),
    "shift-jis": ("text/plain", f"請求書 合計金額は以下の通りです\n{SAID}\n".encode("cp932")),
    "euc-kr": ("text/plain", f"견적서 주식회사 한국 합계 금액\n{SAID}\n".encode("cp949")),
    "windows-1251": ("text/plain", f"Счёт на оплату от третьего марта\n{SAID}\n".encode("cp1251")),
    "windows-1252": ("text/plain", f"Rechnung für Müller & Söhne\n{SAID}\n".encode("cp1252")),
    "a pdf that claims to be text": ("text/plain", make.pdf([(60, 60, SAID)])),
}


@pytest.mark.parametrize("kind", FILES)
async def test_every_format(client: httpx2.AsyncClient, kind: str) -> None:
    """A file of the format, sent as it is, gives the record that its text says."""
    media_type, data = FILES[kind]
    answer = await client.post(
        "/v1/extract",
        files={"file": ("document", data, media_type)},
        data={"schema": json.dumps(SCHEMA)},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    assert (
        answer.json()["data"]["order_number"].strip('"') == "A-4711"
    )  # the sandbox keeps the quotes of JSON


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
