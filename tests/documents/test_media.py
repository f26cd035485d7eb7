import io
import zipfile

import pytest

from service.documents import media
from service.documents.archive import Archive
from service.documents.errors import DocumentUnreadable
from service.documents.media import SUPPORTED, kind_of, resolve
from service.documents.settings import Settings
from service.foundation.errors import UnsupportedMedia
from tests.documents import make

MAIL = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: x\r\n\r\nhi"


@pytest.mark.parametrize(
    ("data", "declared", "name", "found"),
    [
        (b"hello", None, None, "text/plain"),
        (b"hello", "text/plain; charset=utf-8", None, "text/plain"),
        (b"# hello", "text/x-markdown", None, "text/markdown"),
        (b"# hello", "application/octet-stream", "notes.MD", "text/markdown"),
        (b"a,b\n1,2\n3,4\n", None, None, "text/csv"),
        (b"a\tb\n1\t2\n3\t4\n", None, None, "text/tab-separated-values"),
        (b"one line, two parts", None, None, "text/plain"),
        (b"a;b\n1;2", "application/csv", None, "text/csv"),
        (b'{"a": 1}', None, None, "application/json"),
        (b'{"a": 1}', "application/vnd.api+json", None, "application/json"),
        (b"<?xml version='1.0'?><a/>", None, None, "application/xml"),
        (b"<a/>", "text/xml", None, "application/xml"),
        (b"<!-- x -->\n<!DOCTYPE HTML><p>hi", None, None, "text/html"),
        (b"<p>a</p><p>b</p><p>c</p>", None, None, "text/html"),
        (b"<p>a", "text/html", None, "text/html"),
        ("<html><body>Ä".encode("utf-16"), None, None, "text/html"),
        (MAIL, None, None, "message/rfc822"),
        (MAIL, "text/plain", None, "text/plain"),
        (b"x" * 900 + b"%PDF-1.4", None, None, "application/pdf"),
        (make.picture("PNG"), "application/octet-stream", "scan.pdf", "image/png"),
        (make.picture("JPEG"), "image/jpg", None, "image/jpeg"),
        (make.picture("WEBP"), None, None, "image/webp"),
        (make.picture("GIF"), None, None, "image/gif"),
        (make.picture("TIFF"), None, None, "image/tiff"),
        (make.picture("BMP"), None, None, "image/bmp"),
    ],
)
def test_type_of_bytes(data: bytes, declared: str | None, name: str | None, found: str) -> None:
    """Signatures decide; names and declared types only choose between kinds of text."""
    media = resolve(data, declared=declared, name=name)
    assert media.media_type == found
    assert media.kind == kind_of(found)
    assert media.notices == ()


@pytest.mark.parametrize(
    ("data", "declared", "found"),
    [
        (make.picture("PNG"), "application/pdf", "image/png"),
        (b"<html><body>404", "application/pdf", "text/html"),
        (b"<html><body>404", "text/plain", "text/html"),
        (b"plain words", "image/png", "text/plain"),
        (b"plain words", "application/json", "text/plain"),
        (b"%PDF-1.7", "application/msword", "application/pdf"),
    ],
)
def test_lie_is_a_notice(data: bytes, declared: str, found: str) -> None:
    """A declared type that the content contradicts is noticed, and the content is read as what it is."""
    media = resolve(data, declared=declared, name=None)
    assert media.media_type == found
    assert [notice.rule for notice in media.notices] == ["media_type"]


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04" + bytes(60),
        b"MZ\x90\x00" + bytes(60),
        b"\x7fELF" + bytes(60),
        b"\x1f\x8b" + bytes(60),
        b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif" + bytes(60),
        b"<?xml version='1.0'?><!-- x --><svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>",
        b"\x00",
        bytes(range(256)),
    ],
)
def test_unsupported_names_what_is_supported(data: bytes) -> None:
    """What is not read is a 415 that lists every supported type."""
    with pytest.raises(UnsupportedMedia) as caught:
        resolve(data, declared=None, name=None)
    assert all(media_type in caught.value.detail for media_type in SUPPORTED)
    assert caught.value.members["supported"] == list(SUPPORTED)


@pytest.mark.parametrize("declared", ["application/pdf", "image/jpeg", "text/plain"])
def test_noise_under_a_supported_type_is_broken(declared: str) -> None:
    """Random bytes declared as something readable are a damaged document, not an unknown type."""
    with pytest.raises(DocumentUnreadable):
        resolve(bytes(range(256)) * 4, declared=declared, name=None)


@pytest.mark.parametrize(("folder", "subtype"), [("xl", "spreadsheetml"), ("word", "wordprocessingml")])
def test_an_office_file_that_is_cut_off_is_still_one(folder: str, subtype: str) -> None:
    """Many programs write the member that tells its kind last: what is left of a file is damaged, not of another type."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in (f"{folder}/first.xml", f"{folder}/second.xml", "[Content_Types].xml"):
            archive.writestr(name, "<a/>" * 20)
    found = resolve(made.getvalue()[:200], declared=None, name=None)
    assert subtype in found.media_type
    with pytest.raises(DocumentUnreadable, match="cut off"):
        Archive(made.getvalue()[:200], Settings().limits())


def test_unsupported_type_is_not_echoed_when_odd() -> None:
    """A declared type that is no media type does not come back in the answer."""
    with pytest.raises(UnsupportedMedia) as caught:
        resolve(b"\x00\x01\xff\x03", declared="<script>alert(1)</script>", name=None)
    assert "alert" not in caught.value.detail


def test_heic_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra a HEIC picture is a 415 that says what to install, and no list names the type."""
    data = make.heic()
    assert resolve(data, declared="image/heif", name=None).notices == ()
    monkeypatch.setattr(media, "find_spec", lambda _: None)
    with pytest.raises(UnsupportedMedia, match=r"pip install 'winnow\[heic\]'") as caught:
        resolve(data, declared="image/heic", name="IMG_0001.HEIC")
    assert "image/heic" not in caught.value.members["supported"]
    with pytest.raises(UnsupportedMedia) as caught:
        resolve(b"MZ\x90\x00" + bytes(60), declared=None, name=None)
    assert "image/heic" not in caught.value.detail


def test_a_name_beside_a_type_that_cannot_be_true() -> None:
    """Windows calls every CSV an Excel file: of text that was declared as something binary the name tells more."""
    data = b"a,b\n1,2\n"
    assert resolve(data, declared="application/vnd.ms-excel", name="a.csv").media_type == "text/csv"
    assert resolve(data, declared="text/plain", name="a.csv").media_type == "text/plain"
    assert resolve(data, declared="application/vnd.ms-excel", name=None).media_type == "text/plain"


def test_delimiters_in_quotes_do_not_hide_a_table() -> None:
    """A table that nobody declared is told by its delimiters, without those inside of quotes."""
    data = b'a;b;c\n1;"x; y";3\n"p;q;r";5;6\n'
    assert resolve(data, declared=None, name=None).media_type == "text/csv"


def test_a_message_out_of_a_mailbox() -> None:
    """The line that mailboxes put before a message does not hide it."""
    data = b"From ann@x.org Mon Mar  2 10:00:00 2026\nFrom: a@b.c\nTo: c@d.e\nSubject: one\n\nbody\n"
    assert resolve(data, declared=None, name=None).media_type == "message/rfc822"
