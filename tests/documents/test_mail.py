from collections.abc import Callable

import pytest

from service.documents import parse_pages
from service.documents.errors import DocumentEncrypted, DocumentTooComplex, DocumentUnreadable
from service.documents.parsed import Parsed
from tests.documents import make

Read = Callable[..., Parsed]
EML = "message/rfc822"


def test_headers_then_body(read: Read) -> None:
    """The headers that a reader sees come first, decoded, then the body."""
    text = read(make.mail().as_bytes(), EML).pages[0].text
    assert text.startswith(
        "From: Bob Müller <bob@example.org>\nTo: ann@example.org\nCc: cid@example.org\n"
        "Date: Mon, 02 Mar 2026 10:00:00 +0100\nSubject: Your invoice № 12\n\nDear Ann"
    )


def test_text_is_preferred_to_html(read: Read) -> None:
    """Of two bodies the plain one is read; HTML when it is alone, or when the plain one is empty."""
    both = read(make.mail(text="plain", html="<p>marked up</p>").as_bytes(), EML).pages[0].text
    assert both.endswith("plain")
    assert "marked" not in both
    alone = read(make.mail(text=None, html="<p>marked <b>up</b></p>").as_bytes(), EML).pages[0].text
    assert alone.endswith("marked up")
    assert (
        read(make.mail(text=" ", html="<p>marked up</p>").as_bytes(), EML).pages[0].text.endswith("marked up")
    )


def test_attachments_become_pages(read: Read) -> None:
    """Supported attachments are further pages, others are named and skipped with a notice."""
    message = make.mail()
    message.add_attachment(
        make.pdf([(60, 60, "Total 42.00")]), maintype="application", subtype="pdf", filename="a.pdf"
    )
    message.add_attachment("k,v\n1,2\n", subtype="csv", filename="b.csv")
    message.add_attachment(
        b"\x7fELF" + bytes(99), maintype="application", subtype="octet-stream", filename="c.bin"
    )
    parsed = read(message.as_bytes(), EML)
    assert [(page.number, page.label) for page in parsed.pages] == [(1, None), (2, "a.pdf"), (3, "b.csv")]
    assert "Attachments: a.pdf, b.csv, c.bin" in parsed.pages[0].text
    assert "Total 42.00" in parsed.pages[1].text
    assert parsed.pages[2].tables == ((("k", "v"), ("1", "2")),)
    assert [notice.rule for notice in parsed.notices] == ["attachment_skipped"]
    assert "attachment 3" in parsed.notices[0].message
    chosen = read(message.as_bytes(), EML, pages=parse_pages("2"))
    assert [page.label for page in chosen.pages] == ["a.pdf"]


def test_attachment_caps(read: Read) -> None:
    """More attachments than the cap, empty ones and small inline pictures are skipped."""
    message = make.mail()
    message.add_attachment(make.picture("PNG", size=(30, 30)), maintype="image", subtype="png", cid="<logo>")
    message.add_attachment(b" ", maintype="text", subtype="plain", filename="empty.txt")
    for at in range(3):
        message.add_attachment(f"note {at}", filename=f"{at}.txt")
    parsed = read(message.as_bytes(), EML, limits={"max_attachments": 2})
    assert [page.label for page in parsed.pages] == [None, "0.txt", "1.txt"]
    assert [notice.message.split(": ")[1] for notice in parsed.notices] == [
        "it is a small inline picture",
        "it is empty",
        "more than 2 are not read",
    ]


def test_messages_inside_messages(read: Read) -> None:
    """Forwarded messages are read to the allowed depth."""
    message = make.mail(text="innermost")
    for level in range(5):
        outer = make.mail(text=f"level {level}")
        outer.add_attachment(message)
        message = outer
    parsed = read(message.as_bytes(), EML, limits={"max_nesting": 3})
    assert [page.text.split("\n")[-1] for page in parsed.pages] == [
        "level 4",
        "level 3",
        "level 2",
        "level 1",
    ]
    assert "nested more than 3 deep" in parsed.notices[-1].message


@pytest.mark.parametrize(
    "raw",
    [
        b"From: =?x?q?=\r\nTo: ,,,<>\r\nDate: no\r\nSubject: =?utf-8?b?!!!?=\r\n\r\nbody",
        b"Subject: x\r\nContent-Type: multipart/mixed\r\n\r\nbody",
        b"Subject: x\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nbody",
        b"Subject: x\r\nContent-Type: text/plain; charset=no-such\r\n\r\nbody",
        b"Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\nYm9keQ",
        b"From ann Mon Mar 2\nSubject: x\n\nbody",
        b"To: \xff\xfe <a@b>\r\nSubject: x\xff\r\n\r\nbody",
        b"Subject: x\r\nContent-Disposition: attachment; filename*=x''%ZZ\r\n\r\nbody",
    ],
)
def test_malformed_messages(read: Read, raw: bytes) -> None:
    """A malformed header or part costs at most itself."""
    try:
        parsed = read(raw, EML)
    except DocumentUnreadable:
        return
    assert "Subject:" in parsed.pages[0].text


def test_very_deep_multiparts(read: Read) -> None:
    """Hundreds of multiparts inside each other are read or refused, never a crash."""
    raw = b"Subject: deep\r\n"
    for level in range(2000):
        raw += b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
    try:
        text = read(raw + b"\r\nhello", EML).pages[0].text
    except DocumentTooComplex:
        return
    assert "deep" in text


def test_file_names_are_harmless(read: Read) -> None:
    """Names of attachments lose separators and control characters."""
    message = make.mail()
    message.add_attachment("x", filename="../../etc/\u202ecron")
    label = read(message.as_bytes(), EML).pages[1].label
    assert label == ".._.._etc_cron"


def test_encrypted_message(read: Read) -> None:
    """An encrypted message without a readable body says so."""
    raw = (
        b"From: a@b\r\nSubject: x\r\nContent-Type: multipart/encrypted; protocol=application/pgp-encrypted; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
        b"--b\r\nContent-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQ\r\n--b--\r\n"
    )
    with pytest.raises(DocumentEncrypted):
        read(raw, EML)


def test_html_where_the_text_says_next_to_nothing(read: Read) -> None:
    """A text part that only points to the HTML is left for it; one that says the same is read, as ever."""
    words = " ".join(f"word{at}" for at in range(40))
    html = f"<p>Order number: A-4711<p>{words}"
    stub = read(make.mail(text="Please use a mail program that shows HTML.", html=html).as_bytes(), EML)
    assert "A-4711" in stub.pages[0].text
    assert "Please use" not in stub.pages[0].text
    assert stub.notices == ()
    same = read(make.mail(text=f"Order number: A-4711 as text {words}", html=html).as_bytes(), EML)
    assert "as text" in same.pages[0].text
    other = " ".join(f"other{at}" for at in range(20))
    two = read(make.mail(text=other, html=html).as_bytes(), EML)
    assert "A-4711" in two.pages[0].text
    assert [notice.rule for notice in two.notices] == ["hidden_text"]


def test_headers_of_bare_bytes(read: Read) -> None:
    """Headers from before UTF-8, with bytes that no header may hold, are read in the encoding that they look like."""
    text = "From: Jürgen <j@example.org>\nTo: Ann <a@example.org>\nSubject: Grüße zur Bestellung\n\nHallo Müller\n"
    for charset in ("latin-1", "utf-8"):
        shown = read(text.encode(charset), EML).pages[0].text
        assert shown.startswith("From: Jürgen <j@example.org>")
        assert "Subject: Grüße zur Bestellung" in shown


def test_skipped_attachments_are_named_shortly(read: Read) -> None:
    """Why an attachment was skipped does not come with the list of all types that are read."""
    message = make.mail()
    message.add_attachment(
        make.package({"a.txt": "x"}), maintype="application", subtype="zip", filename="a.zip"
    )
    (notice,) = read(message.as_bytes(), EML).notices
    assert notice.message == (
        "attachment 1 was skipped: unsupported_media_type: application/zip is not read here"
    )
