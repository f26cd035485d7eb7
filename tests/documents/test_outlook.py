"""MSG files are binary file systems that nothing here writes; the library that reads them is replaced by its values."""

import datetime as dt
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import oxmsg
import pytest

from service.documents.errors import DocumentEncrypted, DocumentUnreadable
from service.documents.parsed import Parsed

Read = Callable[..., Parsed]
MSG = "application/vnd.ms-outlook"


def message(**values: Any) -> SimpleNamespace:
    base: dict[str, Any] = {
        "message_headers": {},
        "sender": "Bob <bob@example.org>",
        "recipients": [SimpleNamespace(name="Ann", email_address="ann@example.org")],
        "sent_date": dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC),
        "subject": "Invoice",
        "body": "Dear Ann",
        "html_body": None,
        "attachments": [],
    }
    return SimpleNamespace(**base | values)


def attachment(
    name: str | None, data: bytes, kind: str | None = None, *, by_value: bool = True
) -> SimpleNamespace:
    return SimpleNamespace(file_name=name, file_bytes=data, mime_type=kind, attached_by_value=by_value)


@pytest.fixture
def outlook(monkeypatch: pytest.MonkeyPatch, read: Read) -> Callable[..., Parsed]:
    def call(**values: Any) -> Parsed:
        monkeypatch.setattr(oxmsg.Message, "load", lambda _: message(**values))
        return read(b"ole", MSG)

    return call


def test_properties(outlook: Callable[..., Parsed]) -> None:
    """A message that never left Outlook shows its properties."""
    assert outlook().pages[0].text == (
        "From: Bob <bob@example.org>\nTo: Ann <ann@example.org>\nDate: 2026-03-02T10:00:00+00:00\nSubject: Invoice\n\nDear Ann"
    )


def test_internet_headers(outlook: Callable[..., Parsed]) -> None:
    """A message that came over the net shows the headers it came with."""
    sent = {"To": "ann@example.org", "Cc": "cid@example.org", "Date": "Mon, 02 Mar 2026 10:00:00 +0100"}
    text = outlook(message_headers=sent).pages[0].text
    assert "To: ann@example.org\nCc: cid@example.org\nDate: Mon, 02 Mar 2026 10:00:00 +0100\n" in text
    assert "Date" not in outlook(message_headers={"Date": "no date"}).pages[0].text


def test_html_body(outlook: Callable[..., Parsed]) -> None:
    """HTML is read when there is no plain body."""
    assert outlook(body=" ", html_body="<p>Dear <b>Ann</b></p>").pages[0].text.endswith("Dear Ann")
    assert outlook(body=None, html_body="<p> </p>").pages[0].text.endswith("Subject: Invoice")


def test_attachments(outlook: Callable[..., Parsed]) -> None:
    """Attachments become pages; linked ones and unknown types are skipped."""
    parsed = outlook(
        attachments=[
            attachment("a.csv", b"k,v\n1,2\n", "text/csv"),
            attachment(None, b"", by_value=False),
            attachment("b.bin", b"\x7fELF" + bytes(50)),
        ]
    )
    assert [page.label for page in parsed.pages] == [None, "a.csv"]
    assert [notice.rule for notice in parsed.notices] == ["attachment_skipped"] * 2


def test_encrypted(outlook: Callable[..., Parsed]) -> None:
    """An envelope without a readable body says that it is encrypted."""
    with pytest.raises(DocumentEncrypted):
        outlook(body="", attachments=[attachment("smime.p7m", b"x")])
    with pytest.raises(DocumentEncrypted):
        outlook(body="", attachments=[attachment("x.bin", b"\n-----BEGIN PGP MESSAGE-----\n")])


def test_damaged(read: Read) -> None:
    """Bytes that are no message are broken."""
    with pytest.raises(DocumentUnreadable):
        read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(3000), MSG)
