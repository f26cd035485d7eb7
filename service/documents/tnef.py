"""TNEF ([MS-OXTNEF]): the `winmail.dat` in which Outlook wraps attachments, and sometimes the message, for others."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

SIGNATURE = b"\x78\x9f\x3e\x22"
MEDIA_TYPES = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})

_BODY, _MESSAGE_PROPERTIES, _CODEPAGE = 0x2800C, 0x69003, 0x69007
_BEGIN, _TITLE, _DATA, _PROPERTIES = 0x69002, 0x18010, 0x6800F, 0x69005
"""Attributes: of the message, and of the attachment that the last ``_BEGIN`` began."""

_FIXED = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0xA: 4, 0xB: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_ANSI, _UNICODE, _BINARY, _OBJECT = 0x1E, 0x1F, 0x102, 0xD
_NAMED, _MANY = 0x8000, 0x1000

_PLAIN, _HTML, _RTF = 0x1000, 0x1013, 0x1009
_CONTENT, _LONG_NAME, _MIME = 0x3701, 0x3707, 0x370E
_GUID = 16
"""Bytes of an identifier before what an object holds."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file in it. A message inside is TNEF itself."""

    name: str = ""
    declared: str = "application/octet-stream"
    data: bytes = field(default=b"", repr=False)


@dataclass(slots=True)
class Unwrapped:
    """What it holds. ``html`` in the encoding that it says itself, ``rtf`` compressed."""

    text: str = field(default="", repr=False)
    html: bytes = field(default=b"", repr=False)
    rtf: bytes = field(default=b"", repr=False)
    attached: list[Attached] = field(default_factory=list)


def unwrapped(data: bytes) -> Unwrapped | None:
    """What a TNEF stream holds, as far as it goes; None where this is none."""
    if not data.startswith(SIGNATURE):
        return None
    found = Unwrapped()
    codec = "cp1252"
    for attribute, content in _attributes(data):
        if attribute == _CODEPAGE and len(content) >= 4:
            codec = _codec(struct.unpack_from("<I", content)[0])
        elif attribute == _BODY:
            found.text = _text(content, codec)
        elif attribute == _MESSAGE_PROPERTIES:
            known = dict(_properties(content, codec))
            found.text = found.text or _as_text(known.get(_PLAIN))
            found.html, found.rtf = _as_bytes(known.get(_HTML)), _as_bytes(known.get(_RTF))
        elif attribute == _BEGIN:
            found.attached.append(Attached())
        elif found.attached:
            found.attached[-1] = _with(found.attached[-1], attribute, content, codec)
    return found


def _with(part: Attached, attribute: int, content: bytes, codec: str) -> Attached:
    if attribute == _TITLE:
        return replace(part, name=part.name or _text(content, codec))
    if attribute == _DATA:
        return replace(part, data=content)
    if attribute != _PROPERTIES:
        return part
    known = dict(_properties(content, codec))
    inside = _as_bytes(known.get(_CONTENT))
    if inside[_GUID:].startswith(SIGNATURE):
        return replace(part, data=inside[_GUID:], declared="application/ms-tnef")
    return replace(
        part,
        name=_as_text(known.get(_LONG_NAME)) or part.name,
        declared=_as_text(known.get(_MIME)) or part.declared,
        data=part.data or inside,
    )


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The attributes in order; ends where one is cut off."""
    at = 6
    while at + 9 <= len(data):
        attribute, length = struct.unpack_from("<II", data, at + 1)
        at += 9
        if at + length > len(data):
            return
        yield attribute, data[at : at + length]
        at += length + 2  # a checksum, which is often wrong


def _properties(data: bytes, codec: str) -> Iterator[tuple[int, str | bytes]]:
    """Properties that are texts or bytes; ends where one is cut off."""
    try:
        (count,) = struct.unpack_from("<I", data)
        at = 4
        for _ in range(count):
            kind, tag = struct.unpack_from("<HH", data, at)
            at += 4
            if tag >= _NAMED:
                (by_name,) = struct.unpack_from("<I", data, at + _GUID)
                at += _GUID + 4
                length = _padded(struct.unpack_from("<I", data, at)[0]) if by_name else 0
                at += 4 + length
            many = bool(kind & _MANY)
            kind &= ~_MANY
            values = 1
            if many or kind not in _FIXED:
                (values,) = struct.unpack_from("<I", data, at)
                at += 4
            if kind in _FIXED:
                at += values * _FIXED[kind]
                continue
            for number in range(values):
                (length,) = struct.unpack_from("<I", data, at)
                content = data[at + 4 : at + 4 + length]
                at += 4 + _padded(length)
                if at > len(data):
                    return
                if not number:
                    yield tag, _value(kind, content, codec)
    except struct.error:
        return


def _value(kind: int, content: bytes, codec: str) -> str | bytes:
    if kind == _UNICODE:
        return content.decode("utf-16-le", "replace").rstrip("\0")
    return _text(content, codec) if kind == _ANSI else content


def _text(content: bytes, codec: str) -> str:
    return content.decode(codec, "replace").rstrip("\0")


def _codec(page: int) -> str:
    name = "utf-8" if page == 65001 else f"cp{page}"
    try:
        "".encode(name)
    except LookupError:
        return "cp1252"
    return name


def _padded(length: int) -> int:
    return length + -length % 4


def _as_text(value: str | bytes | None) -> str:
    return value if isinstance(value, str) else ""


def _as_bytes(value: str | bytes | None) -> bytes:
    return value if isinstance(value, bytes) else b""
