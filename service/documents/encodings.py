"""Bytes → clean text. BOMs first, then valid UTF-8, then what was declared, then detection."""

import codecs
import re
import unicodedata

from service.documents.document import Notice
from service.documents.errors import UndecodableText
from service.documents.guess import guess

_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_CONTROLS = bytes(n for n in range(32) if n not in b"\t\n\r\f\x1b") + b"\x7f"
"""Bytes that no text holds. ESC stays: ISO-2022-JP switches its sets with it."""

_DETECT = 64 * 1024
"""Bytes that detection looks at: more change nothing but the time it takes."""


def controls(data: bytes) -> int:
    """How many bytes are control characters that no text holds."""
    return len(data) - len(data.translate(None, _CONTROLS))


def sniff_unicode(data: bytes) -> str | None:
    """UTF-8, -16, -32 by their marks or by where their zero bytes stand, ISO-2022-JP by its escapes; None for others."""
    for mark, marked in _BOMS:
        if data.startswith(mark):
            return marked
    head = data[:_DETECT]
    if b"\x1b$" in head and max(head) < 0x80:
        return "iso2022_jp"
    if len(head) < 4 or b"\x00" not in head:
        return None
    encoding = _by_zeros(head)
    if encoding is None:
        return None
    text = head[: len(head) // 4 * 4].decode(encoding, "replace")
    return encoding if not _NO_TEXT.search(text) else None


_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def _by_zeros(head: bytes) -> str | None:
    """ASCII letters leave the same bytes of each unit zero."""
    quarter = [head[at::4].count(0) / (len(head) / 4) for at in range(4)]
    if min(quarter[2], quarter[3]) > 0.9 and quarter[0] < 0.1:
        return "utf-32-le"
    if min(quarter[0], quarter[1]) > 0.9 and quarter[3] < 0.1:
        return "utf-32-be"
    even, odd = (quarter[0] + quarter[2]) / 2, (quarter[1] + quarter[3]) / 2
    if odd > 0.3 and even < 0.05:
        return "utf-16-le"
    if even > 0.3 and odd < 0.05:
        return "utf-16-be"
    return None


def decode(data: bytes, charset: str | None = None) -> tuple[str, list[Notice]]:
    """The text of ``data`` and what had to be done to get it.

    Raises ``UndecodableText``.
    """
    marked = sniff_unicode(data)
    if marked is not None:
        text = data.decode(marked, "replace").removeprefix("\ufeff")
        return text, _replaced(text)
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError:
        pass
    if charset is not None and charset not in {"utf-8", "utf8", "us-ascii", "ascii"}:
        told = _decoded(data, charset)
        if told is not None:
            return told, []
    return _detected(data)


def clean(text: str) -> tuple[str, list[Notice]]:
    """Text without control, direction and invisible tag characters, with line feeds as the only line ends."""
    if text.isascii():
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return (
            (text, [])
            if text.translate(_ASCII_CONTROLS) == text
            else (text.translate(_ASCII_CONTROLS), [_DROPPED])
        )
    if len(text) <= _SHORT and not _ODD.search(text) and unicodedata.is_normalized("NFC", text):
        return text, []
    text = _LINE_ENDS.sub("\n", text)
    kept = _UNWANTED.sub("", text)
    notices = [_DROPPED] if _TELLING.search(text) else []
    return _BEYOND_ASCII.sub(_composed, kept), notices


def _composed(run: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", run[0])


_BEYOND_ASCII = re.compile("[\x00-\x7f]?[^\x00-\x7f]{1,64}")
"""Pieces to compose one by one: the library takes quadratic time for a letter with ten thousand accents."""


_ASCII_CONTROLS = {n: None for n in range(32) if chr(n) not in "\t\n\f"} | {127: None}
_LINE_ENDS = re.compile("\r\n|\r|\x85|\u2028|\u2029")
_UNWANTED_SIGNS = (
    "\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\u00ad"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\U000e0000-\U000e007f"
)
_UNWANTED = re.compile(f"[{_UNWANTED_SIGNS}]")
_ODD = re.compile(f"[{_UNWANTED_SIGNS}\r\u2028\u2029]")
_SHORT = 4096
"""Characters of a text that is mostly clean already, which one look tells; a longer one could take the library long."""

_TELLING = re.compile("[\x00\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
"""Of the unwanted, those that can make a reader see something else than what is written."""
_DROPPED = Notice("characters", "control, direction or invisible characters were left out of the text")


def _replaced(text: str) -> list[Notice]:
    return [Notice("encoding", "some bytes are not valid in the text's encoding")] if "\ufffd" in text else []


def _decoded(data: bytes, charset: str) -> str | None:
    try:
        codec = codecs.lookup(_WEB_NAMES.get(charset, charset))
        # Codecs such as rot13 and base64 are no character sets.
        return data.decode(codec.name) if getattr(codec, "_is_text_encoding", True) else None
    except (LookupError, ValueError):
        return None


_WEB_NAMES = {
    # What pages declare and what they mean: the WHATWG encoding standard, §4.2.
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-9": "cp1254",
    "tis-620": "cp874",
}


def _detected(data: bytes) -> tuple[str, list[Notice]]:
    if controls(data[:_DETECT]) > 0.1 * min(len(data), _DETECT):
        raise UndecodableText(
            "the bytes are not text in any known encoding: they hold too many control bytes"
        )
    encoding = guess(data[:_DETECT])
    text = data.decode(encoding, "replace")
    notice = Notice("encoding", f"not UTF-8 and not declared: read as {encoding}")
    return text, [notice, *_replaced(text)]
