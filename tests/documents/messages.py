"""Outlook messages ([MS-OXMSG]) made by code."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.documents.compound import Folder, compound

UNICODE, BINARY, LONG, ANSI = 0x1F, 0x102, 0x3, 0x1E


@dataclass(frozen=True)
class Msg:
    """A message: property tag → text or bytes; ``attached`` are (name, content) or (name, message)."""

    properties: dict[int, str | bytes]
    attached: Sequence[tuple[str, "bytes | Msg"]] = ()
    recipients: Sequence[tuple[str, str, int]] = field(default=())
    """Name, address, and 1 for To, 2 for Cc, 3 for Bcc."""


def letter(body: str | None = None, **more: str | bytes) -> Msg:
    """A message from Bob with a subject; further properties by names like ``p1013``."""
    given: dict[int, str | bytes] = {
        0x1A: "IPM.Note",
        0x37: "Your order",
        0xC1A: "Bob",
        0xC1F: "bob@example.org",
    }
    if body is not None:
        given[0x1000] = body
    return Msg({**given, **{int(name[1:], 16): value for name, value in more.items()}})


def msg(message: Msg) -> bytes:
    """The file."""
    return compound(_folder(message, top=True))


def _folder(message: Msg, *, top: bool) -> Folder:
    streams, rows = _properties(message.properties, {})
    head = bytes(8) + struct.pack("<IIII", 0, 0, len(message.recipients), len(message.attached))
    made: dict[str, bytes | Folder] = {
        **streams,
        "__properties_version1.0": head + (bytes(8) if top else b"") + rows,
    }
    if top:
        made["__nameid_version1.0"] = {"__substg1.0_00020102": b"", "__substg1.0_00030102": b""}
    for at, (name, address, kind) in enumerate(message.recipients):
        inner, lines = _properties({0x3001: name, 0x39FE: address}, {0xC15: kind})
        made[f"__recip_version1.0_#{at:08X}"] = {**inner, "__properties_version1.0": bytes(8) + lines}
    for at, (name, content) in enumerate(message.attached):
        embedded = isinstance(content, Msg)
        texts: dict[int, str | bytes] = {0x3707: name}
        if isinstance(content, bytes):
            texts[0x3701] = content
        inner, lines = _properties(texts, {0x3705: 5 if embedded else 1})
        more: dict[str, Folder] = (
            {"__substg1.0_3701000D": _folder(content, top=False)} if isinstance(content, Msg) else {}
        )
        made[f"__attach_version1.0_#{at:08X}"] = {
            **inner,
            **more,
            "__properties_version1.0": bytes(8) + lines,
        }
    return made


def _properties(given: dict[int, str | bytes], numbers: dict[int, int]) -> tuple[dict[str, bytes], bytes]:
    """Streams of the values, and the table that lists them."""
    streams: dict[str, bytes] = {}
    rows = b""
    for tag, value in given.items():
        kind = BINARY if isinstance(value, bytes) else UNICODE
        data = value if isinstance(value, bytes) else value.encode("utf-16-le")
        streams[f"__substg1.0_{tag:04X}{kind:04X}"] = data
        size = len(data) + (2 if kind == UNICODE else 0)
        rows += struct.pack("<HHIII", kind, tag, 6, size, 0)
    for tag, number in numbers.items():
        rows += struct.pack("<HHIiI", LONG, tag, 6, number, 0)
    return streams, rows
