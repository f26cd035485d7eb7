"""RTF: the visible text. Groups that hold fonts, colours, pictures and the like are skipped."""

import codecs
import re
from dataclasses import dataclass, replace

from service.documents.document import Notice, Page
from service.documents.encodings import clean
from service.documents.errors import DocumentEmpty, DocumentTooComplex
from service.documents.pages import chosen
from service.documents.parsed import Job, Parsed, check_length
from service.documents.plain import too_many_pages

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?[0-9]{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])|([{}])|([^\\{}\r\n]+)|[\r\n]+|\\"
)

_SKIPPED = frozenset(
    b"fonttbl colortbl stylesheet info pict object listtable listoverridetable rsidtbl generator themedata xmlnstbl "
    b"colorschememapping datastore latentstyles fldinst filetbl revtbl upr private bkmkstart bkmkend sp shprslt".split()
)
_AROUND = {b"footnote": (" [", "] "), b"shptxt": ("\n", "\n")}
"""What sets notes and text boxes apart from the paragraph in which they are anchored."""

_TEXT = {
    b"par": "\n", b"line": "\n", b"sect": "\n", b"row": "\n", b"tab": "\t", b"cell": " | ", b"nestcell": " | ",
    b"nestrow": "\n", b"page": "\f", b"emdash": "—", b"endash": "–", b"bullet": "•", b"lquote": "‘", b"rquote": "’",
    b"ldblquote": "“", b"rdblquote": "”", b"emspace": " ", b"enspace": " ",
}  # fmt: skip
_CODEPAGES = {0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 134: "gb18030", 136: "big5", 161: "cp1253"} | {
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
_DEEPEST = 1000


@dataclass(slots=True)
class _Group:
    """What a closing brace ends."""

    skipped: bool = False
    hidden: bool = False
    fallback: int = 1
    """Characters that follow a Unicode escape for old readers (``\\ucN``)."""
    codec: str = "cp1252"
    closing: str = ""
    """What is said when it ends."""


def read(data: bytes, job: Job) -> Parsed:
    """Pages as hard page breaks make them.

    Raises ``DocumentEmpty``, ``DocumentTooComplex``, ``DocumentTooLong``, ``PagesOutOfRange``.
    """
    reader = _Reader()
    for match in _TOKEN.finditer(data):
        reader.token(match)
    text, notices = clean(reader.text())
    check_length(len(text), job.limits)
    if reader.hid:
        notices.append(Notice("hidden_text", "text that is marked as hidden or deleted was left out"))
    text = re.sub(r"[ |]+\n", "\n", text)
    if not text.strip():
        raise DocumentEmpty("the RTF holds no text")
    sheets = text.rstrip().split("\f")
    numbers = chosen(len(sheets), job.pages)
    if len(numbers) > job.limits.max_pages:
        raise too_many_pages(len(numbers), job)
    return Parsed(tuple(Page(number=at, text=sheets[at - 1].strip("\n")) for at in numbers), tuple(notices))


class _Reader:
    """One pass over the tokens. Bytes of multi-byte characters are collected until they are complete."""

    def __init__(self) -> None:
        self.hid = False
        self._out: list[str] = []
        self._bytes = bytearray()
        self._groups = [_Group()]
        self._codepage = "cp1252"
        self._fonts: dict[int, str] = {}
        self._font: int | None = None
        self._ignored = 0
        self._star = False

    def text(self) -> str:
        self._flush()
        text = "".join(self._out)
        if any(
            "\ud800" <= letter <= "\udfff" for letter in text
        ):  # characters beyond the first plane come as pairs
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text

    def token(self, match: re.Match[bytes]) -> None:
        word, number, code, sign, brace, plain = match.groups()
        group = self._groups[-1]
        if brace == b"{":
            self._open(group)
        elif brace == b"}":
            self._flush()
            self._ignored = 0
            if group.closing:
                self._say(group.closing, group)
            if len(self._groups) > 1:
                self._groups.pop()
        elif word is not None:
            self._word(word, None if number is None else int(number), group)
        elif sign == b"*":
            self._star = True
        elif code is not None:
            if self._ignored:
                self._ignored -= 1
            else:
                self._add(bytes((int(code, 16),)), group)
        elif sign is not None:
            self._say({b"~": "\xa0", b"_": "-", b"-": ""}.get(sign, sign.decode("latin-1")), group)
        elif plain is not None:
            kept = plain[self._ignored :]
            self._ignored = max(self._ignored - len(plain), 0)
            self._add(kept, group)

    def _open(self, group: _Group) -> None:
        self._flush()
        if len(self._groups) > _DEEPEST:
            raise DocumentTooComplex("the RTF is nested too deep", members={"limit": "nesting"})
        self._groups.append(replace(group, closing=""))
        self._star = False

    def _word(self, word: bytes, number: int | None, group: _Group) -> None:
        starred, self._star = self._star, False
        if word in _AROUND and not group.skipped:
            before, group.closing = _AROUND[word]
            self._say(before, group)
        elif word in _SKIPPED or (starred and word != b"shpinst"):
            group.skipped = True
        elif word == b"u" and number is not None:
            self._flush()
            self._say(_unit(number), group)
            self._ignored = group.fallback
        elif word == b"uc":
            group.fallback = min(max(number or 0, 0), 8)
        elif word in _TEXT:
            self._say(_TEXT[word], group)
        elif word == b"ansicpg" and number is not None:
            self._codepage = group.codec = _codec(f"cp{number}") or "cp1252"
        elif word == b"f" and number is not None:
            self._flush()
            self._font = number
            group.codec = self._fonts.get(number, self._codepage)
        elif word == b"fcharset" and self._font is not None:
            self._fonts[self._font] = (
                _CODEPAGES.get(number or 0, self._codepage) if number else self._codepage
            )
        elif word in {b"v", b"deleted"}:
            self._flush()
            group.hidden = number != 0
        elif word == b"plain":
            group.hidden = False

    def _add(self, data: bytes, group: _Group) -> None:
        if group.hidden and not group.skipped and data.strip():
            self.hid = True
        if not group.skipped and not group.hidden:
            self._bytes += data

    def _say(self, text: str, group: _Group) -> None:
        self._flush()
        if not group.skipped and not group.hidden:
            self._out.append(text)

    def _flush(self) -> None:
        if self._bytes:
            self._out.append(self._bytes.decode(self._groups[-1].codec, "replace"))
            self._bytes.clear()


def _unit(number: int) -> str:
    """A UTF-16 unit, which RTF writes as a signed number."""
    return chr(number % 0x10000)


def _codec(name: str) -> str | None:
    name = {"cp65001": "utf-8", "cp10000": "mac_roman"}.get(name, name)
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None
