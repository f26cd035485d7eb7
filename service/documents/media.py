"""What the bytes are. Signatures decide; what was declared decides only between kinds of text."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from service.documents.document import Notice
from service.documents.encodings import controls, sniff_unicode
from service.documents.errors import DocumentEncrypted, DocumentUnreadable, UnsupportedMedia
from service.foundation.content import Viewed
from service.foundation.errors import Fault

Kind = Literal[
    "text",
    "json",
    "xml",
    "html",
    "table",
    "mail",
    "outlook",
    "word",
    "sheets",
    "slides",
    "rtf",
    "pdf",
    "image",
]

_OOXML = "application/vnd.openxmlformats-officedocument."
_DOCX = f"{_OOXML}wordprocessingml.document"
_XLSX = f"{_OOXML}spreadsheetml.sheet"
_PPTX = f"{_OOXML}presentationml.presentation"
_ODS = "application/vnd.oasis.opendocument.spreadsheet"
_XLS = "application/vnd.ms-excel"
_MSG = "application/vnd.ms-outlook"

_TEXTS: frozenset[Kind] = frozenset({"text", "json", "xml", "html", "table", "mail"})

UNLOCK = "Open it in its office program, save it without a password, and send the new file."
"""What to do about an office file behind a password: unlike that of a PDF it is not taken with a request."""

_KINDS: dict[str, tuple[Kind, str]] = {
    "text/plain": ("text", "plain text in any encoding"),
    "text/markdown": ("text", "Markdown"),
    "text/html": ("html", "HTML"),
    "text/csv": ("table", "CSV"),
    "text/tab-separated-values": ("table", "TSV"),
    "application/json": ("json", "JSON, read as text"),
    "application/xml": ("xml", "XML, read as text"),
    "message/rfc822": ("mail", "e-mail with attachments (EML)"),
    _MSG: ("outlook", "Outlook message with attachments (MSG)"),
    _DOCX: ("word", "Word (DOCX)"),
    _XLSX: ("sheets", "Excel (XLSX, XLSM, XLSB)"),
    _XLS: ("sheets", "Excel 97-2003 (XLS)"),
    _ODS: ("sheets", "OpenDocument spreadsheet (ODS)"),
    _PPTX: ("slides", "PowerPoint (PPTX)"),
    "application/rtf": ("rtf", "RTF"),
    "application/pdf": ("pdf", "PDF, with or without a text layer"),
    "image/png": ("image", "PNG"),
    "image/jpeg": ("image", "JPEG"),
    "image/webp": ("image", "WebP"),
    "image/gif": ("image", "GIF, first frame"),
    "image/tiff": ("image", "TIFF, every frame a page"),
    "image/bmp": ("image", "BMP"),
    "image/heic": ("image", "HEIC and HEIF, first picture (extra `heic`)"),
}

SUPPORTED: Mapping[str, str] = {media_type: words for media_type, (_, words) in _KINDS.items()}
"""Media type → what it is in a few words: the list in every 415 and in README."""

_ALIASES = {
    "application/csv": "text/csv",
    "application/eml": "message/rfc822",
    "application/vnd.ms-excel.sheet.binary.macroenabled.12": _XLSX,
    "application/vnd.ms-excel.sheet.macroenabled.12": _XLSX,
    "application/vnd.ms-powerpoint.presentation.macroenabled.12": _PPTX,
    "application/vnd.ms-word.document.macroenabled.12": _DOCX,
    "application/x-msexcel": _XLS,
    "application/x-pdf": "application/pdf",
    "application/x-rtf": "application/rtf",
    "text/rtf": "application/rtf",
    "text/richtext": "application/rtf",
    "application/xhtml+xml": "text/html",
    "image/heic-sequence": "image/heic",
    "image/heif": "image/heic",
    "image/heif-sequence": "image/heic",
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/tif": "image/tiff",
    "image/x-bmp": "image/bmp",
    "image/x-ms-bmp": "image/bmp",
    "image/x-png": "image/png",
    "message/global": "message/rfc822",
    "text/json": "application/json",
    "text/tsv": "text/tab-separated-values",
    "text/x-csv": "text/csv",
    "text/x-markdown": "text/markdown",
    "text/xml": "application/xml",
}

_EXTENSIONS = {
    "csv": "text/csv",
    "eml": "message/rfc822",
    "htm": "text/html",
    "html": "text/html",
    "json": "application/json",
    "markdown": "text/markdown",
    "md": "text/markdown",
    "tsv": "text/tab-separated-values",
    "txt": "text/plain",
    "xhtml": "text/html",
    "xml": "application/xml",
}

_UNTOLD = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/x-unknown", "*/*"})
"""Declared types that say nothing."""

_HEAD = 4096
_OLE_DIRECTORY = 1024 * 1024
_DIRECTORY = 65_536
"""Bytes at the end of a ZIP in which the names of its first members stand."""


@dataclass(frozen=True, slots=True)
class Media:
    """The verdict: the media type, how to read it, the declared charset, and what was odd about the declaration."""

    media_type: str
    kind: Kind
    charset: str | None = None
    notices: tuple[Notice, ...] = ()


def resolve(data: Viewed, *, declared: str | None, name: str | None) -> Media:
    """What ``data`` is.

    Raises ``UnsupportedMedia`` for a type that is not read, ``DocumentUnreadable`` for bytes that are not at all of the
    supported type they were declared to be, ``DocumentEncrypted`` for office files behind a password.
    """
    told, charset = _split(declared)
    binary = _signature(data)
    if binary is not None:
        return _media(binary, told, None)
    head = _text_head(data)
    if head is None:
        if told in _KINDS:
            raise DocumentUnreadable(f"declared as {told}, but the bytes are not of this type or are damaged")
        raise _unsupported(told)
    # Of what cannot be true, and of nothing said, the name tells more: Windows calls every CSV an Excel file.
    hint = told if told in _KINDS and _KINDS[told][0] in _TEXTS else _EXTENSIONS.get(_extension(name), told)
    return _media(_text_type(head, hint), told, charset)


def kind_of(media_type: str) -> Kind:
    """How a supported media type is read."""
    return _KINDS[media_type][0]


def _media(found: str, told: str, charset: str | None) -> Media:
    if found not in _KINDS:
        raise _unsupported(found)
    if found == "image/heic" and not heic_available():
        raise UnsupportedMedia(
            "image/heic is read with an extra that is not installed here: pip install 'winnow[heic]', or send the picture "
            "as JPEG or PNG",
            errors=[Fault("", "Send the picture as JPEG or PNG.")],
            members={"supported": _served()},
        )
    notices: tuple[Notice, ...] = ()
    if told not in _UNTOLD and told != found:
        shown = told if told in _KINDS else "another type"
        notices = (Notice("media_type", f"declared as {shown}, read as {found}: its content decides"),)
    return Media(found, kind_of(found), charset, notices)


def _unsupported(found: str) -> UnsupportedMedia:
    shown = found if re.fullmatch(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,100}", found) else "this type"
    served = _served()
    return UnsupportedMedia(
        f"{shown} is not read here; supported are {', '.join(served)}", members={"supported": served}
    )


def heic_available() -> bool:
    """Whether the extra that reads HEIC is installed. Loads nothing."""
    return find_spec("pi_heif") is not None


def _served() -> list[str]:
    """The media types that are read by what is installed."""
    return [media_type for media_type in SUPPORTED if media_type != "image/heic" or heic_available()]


def _split(declared: str | None) -> tuple[str, str | None]:
    """The normalised media type (``""`` when nothing was said) and its charset parameter."""
    if declared is None:
        return "", None
    essence, _, parameters = declared.partition(";")
    told = essence.strip().lower()
    told = _ALIASES.get(told, told)
    if told not in _KINDS:
        if told.endswith("+json"):
            told = "application/json"
        elif told.endswith("+xml") and told != "image/svg+xml":
            told = "application/xml"
    match = re.search(r"charset\s*=\s*\"?([A-Za-z0-9._:-]{1,40})", parameters, re.IGNORECASE)
    return told, match[1].lower() if match else None


def _extension(name: str | None) -> str:
    return (name or "").rpartition(".")[2].lower()[:20]


# --------------------------------------------------------------------------------------------- signatures


def _iso_media(data: Viewed) -> str | None:
    if data[4:8] != b"ftyp":
        return None
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, min(int.from_bytes(data[:4]), 256), 4))}
    if brands & {b"heic", b"heix", b"hevc", b"heim", b"heis"}:
        return "image/heic"
    if brands & {b"avif", b"avis"}:
        return "image/avif"
    return "image/heic" if brands & {b"mif1", b"msf1"} else "video/mp4"


def _riff(data: Viewed) -> str | None:
    if not data.startswith(b"RIFF"):
        return None
    return {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}.get(data[8:12])


def _bmp(data: Viewed) -> str | None:
    known = data.startswith(b"BM") and data[14:18] in {
        bytes((n, 0, 0, 0)) for n in (12, 40, 52, 56, 64, 108, 124)
    }
    return "image/bmp" if known else None


def _pdf(data: Viewed) -> str | None:
    """Up to 1 KB of junk before the header is read by every viewer (ISO 32000 leaves it to the reader)."""
    return "application/pdf" if b"%PDF-" in data[:1029] else None


def _zip(data: Viewed) -> str | None:
    """ZIPs name their members in clear; the first kilobytes and the directory at the end tell the office formats."""
    if not data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return None
    if b"mimetypeapplication/vnd.oasis.opendocument" in data[:120]:
        kind = data[38 : data.find(b"PK", 38)][:80].decode("ascii", "replace").lower()
        return _ODS if kind == _ODS else "application/vnd.oasis.opendocument"
    names = data[:_HEAD] + data[-_DIRECTORY:]
    cut_off = b"PK\x05\x06" not in data[-_DIRECTORY:]  # then the member that tells office files may be gone
    if cut_off or b"[Content_Types].xml" in names:
        for member, media_type in ((b"word/", _DOCX), (b"xl/", _XLSX), (b"ppt/", _PPTX)):
            if member in names:
                return media_type
    return "application/zip"


def _ole(data: Viewed) -> str | None:
    """Old office files are little file systems; the names of their streams stand in them as UTF-16."""
    if not data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return None
    shift, first = int.from_bytes(data[30:32], "little"), int.from_bytes(data[48:52], "little")
    start = (first + 1) << min(
        shift, 16
    )  # where the directory begins; the rest of a large file is not searched
    names = data[start : start + _OLE_DIRECTORY] if 0 < start < len(data) else data[:_OLE_DIRECTORY]
    for stream, media_type in _STREAMS:
        if stream.encode("utf-16-le") in names:
            if not media_type:
                raise DocumentEncrypted(
                    "encrypted office files are not opened here: remove the password and send it again",
                    errors=[Fault("", UNLOCK)],
                )
            return media_type
    return "application/x-ole-storage"


_STREAMS: tuple[tuple[str, str], ...] = (
    # The name of a stream or storage → what the file is. Order matters: messages may hold the others inside.
    ("__substg1.0_", _MSG),
    ("__properties_version1.0", _MSG),
    ("EncryptedPackage", ""),
    ("WordDocument", "application/msword"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("Workbook", _XLS),
    ("Book", _XLS),
)


_PREFIXES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
    (b"{\\rtf", "application/rtf"),
    (b"%!PS", "application/postscript"),
    (b"MZ\x90", "application/vnd.microsoft.portable-executable"),
    (b"\x7fELF", "application/x-elf"),
    (b"\x1f\x8b", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"\x00\x00\x00\x0cjP  ", "image/jp2"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
)

_SIGNATURES: tuple[Callable[[Viewed], str | None], ...] = (_pdf, _zip, _ole, _riff, _iso_media, _bmp)


def _signature(data: Viewed) -> str | None:
    """The media type of a binary format (or PDF) by its signature; None for text and for the unknown."""
    for prefix, media_type in _PREFIXES:
        if data.startswith(prefix):
            return media_type
    for sign in _SIGNATURES:
        found = sign(data)
        if found is not None:
            return found
    return None


# --------------------------------------------------------------------------------------------- text


def _text_head(data: Viewed) -> str | None:
    """The beginning as text, good enough to recognise markup; None when these are not the bytes of a text."""
    head = data[:_HEAD]
    unicode = sniff_unicode(head)
    if unicode is not None:
        return head[: len(head) // 4 * 4].decode(unicode, "replace").lstrip("\ufeff")
    share = controls(head) / max(len(head), 1)
    try:
        head.decode("utf-8")
        utf8 = True
    except UnicodeDecodeError as error:
        utf8 = error.start > len(head) - 4  # cut in the middle of a character
    return None if share > (0.3 if utf8 else 0.02) else head.decode("latin-1")


_HTML = re.compile(
    r"\s*(?:<!--.*?-->\s*|<\?xml[^>]*\?>\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_SVG = re.compile(
    r"\s*(?:<!--.*?-->\s*|<\?xml[^>]*\?>\s*|<!doctype[^>\[]*(?:\[.*?\])?\s*>\s*)*<svg\b",
    re.IGNORECASE | re.DOTALL,
)
_XML = re.compile(r"\s*<\?xml\s", re.IGNORECASE)
_MARKUP = re.compile(r"<(?:p|div|table|span|br|h[1-6]|ul|ol|a|td|font)\b[^<>]*>", re.IGNORECASE)
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]*):")
_MAIL_FIELDS = frozenset(
    {
        "from",
        "to",
        "cc",
        "subject",
        "date",
        "received",
        "message-id",
        "mime-version",
        "return-path",
        "delivered-to",
        "content-type",
        "reply-to",
    }
)


def _text_type(head: str, hint: str) -> str:
    """Which kind of text. Markup at the very start decides; otherwise what was declared or the name's ending does."""
    if _SVG.match(head):
        return "image/svg+xml"
    if _HTML.match(head):
        return "text/html"
    if hint in {"text/markdown", "text/html", "text/csv", "text/tab-separated-values", "message/rfc822"}:
        return hint
    if _XML.match(head):
        return "application/xml"
    if hint == "application/json":
        return hint if head.lstrip()[:1] in '{["-0123456789tfn' else "text/plain"
    if hint == "application/xml":
        return hint if head.lstrip()[:1] == "<" else "text/plain"
    if hint.startswith("text/"):
        return "text/plain"
    return _untold_text(head)


def _untold_text(head: str) -> str:
    """Text that nobody declared, or declared as something that it is not."""
    if head.lstrip()[:2] in {'{"', "{\n", "{ ", "{}", "[{", "[\n", '["'} or head.lstrip()[:3] == "{\r\n":
        return "application/json"
    if _looks_like_mail(head):
        return "message/rfc822"
    if len(_MARKUP.findall(head)) >= 3:
        return "text/html"
    for delimiter, media_type in (("\t", "text/tab-separated-values"), (";", "text/csv"), (",", "text/csv")):
        lines = head.splitlines()
        if len(head) == _HEAD:
            lines.pop()  # cut off
        counts = [_QUOTED.sub("", line).count(delimiter) for line in lines[:20] if line.strip()]
        if len(counts) >= 3 and counts[0] >= 1 and len(set(counts)) == 1:
            return media_type
    return "text/plain"


_MAILBOX = re.compile(r"\AFrom [^\n]*\n")
_QUOTED = re.compile('"[^"]*"')
"""A cell of a table in which delimiters delimit nothing."""


def _looks_like_mail(head: str) -> bool:
    """At least three header fields of a message before the first blank line, and nothing else among them.

    Mailboxes put a line without a colon before them.
    """
    seen = 0
    for line in _MAILBOX.sub("", head).splitlines():
        if not line.strip():
            break
        if line[0] in " \t":
            continue
        match = _FIELD.match(line)
        if match is None:
            return False
        seen += match[1].lower() in _MAIL_FIELDS
    return seen >= 3
