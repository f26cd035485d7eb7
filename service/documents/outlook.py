"""MSG (Outlook): the same pages as of an EML, read from MAPI properties through oxmsg."""

import io
from collections.abc import Callable
from dataclasses import replace
from email.utils import parsedate_to_datetime
from importlib import import_module
from typing import Any

from service.documents.attachments import Attachment, Parse, assemble, harmless
from service.documents.document import Notice
from service.documents.encodings import clean
from service.documents.errors import DocumentEmpty, DocumentUnreadable
from service.documents.packed_rtf import RTF_LETTER, unpacked
from service.documents.parsed import Job, Parsed

_RTF, _EMBEDDED = 0x1009, "__substg1.0_3701000D"
"""The property of a body in compressed RTF, and the folder of a message inside the message."""

_PROPERTIES, _HEAD, _INNER_HEAD = "__properties_version1.0", 32, 24
"""The stream that lists properties, and what stands before them: eight bytes more in a file than in a message inside."""

_KINDS = {2: "Cc", 3: "Bcc"}


def read(data: bytes, job: Job, parse: Parse) -> Parsed:
    """The message as page 1, its attachments behind it.

    Raises ``DocumentUnreadable``, ``DocumentEmpty``, ``DocumentEncrypted``, ``DocumentTooLong``, ``PagesOutOfRange``.
    """
    oxmsg: Any = import_module("oxmsg")
    return _read(lambda: oxmsg.Message.load(io.BytesIO(data)), job, parse)


def _read(load: Callable[[], Any], job: Job, parse: Parse) -> Parsed:
    try:
        message = load()
        headers = _headers(message)
        bodies = {
            "text/plain": _tried(lambda: message.body) or "",
            "text/html": _tried(lambda: message.html_body) or "",
        }
        packed = _tried(lambda: message.properties.binary_prop_value(_RTF)) or b""
        attached = [_attachment(part, parse) for part in message.attachments]
    except MemoryError:
        raise
    except Exception as error:
        raise DocumentUnreadable("the Outlook message is damaged") from error
    notices: list[Notice] = []
    body = bodies["text/plain"]
    if not body.strip() and bodies["text/html"].strip():
        body = _shown(bodies["text/html"].encode("utf-8", "replace"), "text/html", job, parse, notices)
    if not body.strip() and packed:
        rtf = unpacked(packed, RTF_LETTER * job.limits.max_text_characters)
        body = _shown(rtf, "application/rtf", job, parse, notices)
    return assemble(headers, body, attached, notices, job, parse)


def _tried(get: Callable[[], Any]) -> Any:
    """A property, or None where its bytes are not of the encoding that the message claims: another body may be."""
    try:
        return get()
    except (UnicodeError, LookupError, KeyError, AttributeError):
        return None


def _shown(body: bytes, media_type: str, job: Job, parse: Parse, notices: list[Notice]) -> str:
    try:
        parsed = parse(body, replace(job, media_type=media_type, charset="utf-8", pages=None))
    except DocumentEmpty:
        return ""
    notices.extend(parsed.notices)
    return "\n\n".join(page.text for page in parsed.pages)


def _headers(message: Any) -> list[str]:
    """From the internet headers where the message came over the net, from the properties where it did not."""
    sent = {key.lower(): str(value) for key, value in (message.message_headers or {}).items()}
    people: dict[str, list[str]] = {}
    for one in message.recipients:
        name, address = one.name or "", one.email_address or ""
        shown = f"{name} <{address}>" if name and address and name != address else address or name
        people.setdefault(_addressed(one), []).append(shown)
    date = sent.get("date") or (message.sent_date.isoformat() if message.sent_date else "")
    found = [
        ("From", message.sender or sent.get("from", "")),
        *((kind, sent.get(kind.lower()) or ", ".join(people.get(kind, ()))) for kind in ("To", "Cc", "Bcc")),
        ("Reply-To", sent.get("reply-to", "")),
        ("Date", date if not sent.get("date") or _readable(date) else ""),
        ("Subject", message.subject or ""),
    ]
    return [f"{name}: {' '.join(clean(value)[0].split())}" for name, value in found if value.strip()]


def _readable(date: str) -> bool:
    try:
        parsedate_to_datetime(date)
    except (ValueError, TypeError):
        return False
    return True


def _addressed(recipient: Any) -> str:
    """To, Cc or Bcc."""
    kind = _tried(lambda: recipient.properties.int_prop_value(0x0C15))
    return _KINDS.get(kind, "To") if isinstance(kind, int) else "To"


def _attachment(part: Any, parse: Parse) -> Attachment:
    folder = getattr(part, "_storage", None)  # oxmsg shows attachments by value only
    inside = next((one for one in getattr(folder, "storages", ()) if one.name == _EMBEDDED), None)
    if inside is not None and any(stream.name == _PROPERTIES for stream in inside.streams):
        return Attachment(
            name=harmless(_tried(lambda: part.file_name) or ""),
            declared="message/rfc822",
            data=None,
            inner=lambda job: _read(lambda: _message(inside), job, parse),
        )
    data = _tried(lambda: part.file_bytes)
    return Attachment(
        name=harmless(_tried(lambda: part.file_name) or ""),
        declared=(_tried(lambda: part.mime_type) or "application/octet-stream").lower(),
        data=data,
    )


def _message(folder: Any) -> Any:
    """A message inside a message, with the head of its properties as long as that of a file's, which oxmsg expects."""
    oxmsg: Any = import_module("oxmsg")
    longer = bytes(_HEAD - _INNER_HEAD)
    streams = tuple(
        replace(stream, bytes_=stream.bytes_[:_INNER_HEAD] + longer + stream.bytes_[_INNER_HEAD:])
        if stream.name == _PROPERTIES
        else stream
        for stream in folder.streams
    )
    return oxmsg.Message(replace(folder, streams=streams))
