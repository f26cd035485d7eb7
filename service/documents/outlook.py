"""MSG (Outlook): the same pages as of an EML, read from MAPI properties through oxmsg."""

import io
from email.utils import parsedate_to_datetime
from importlib import import_module
from typing import Any

from service.documents.attachments import Attachment, Parse, assemble, harmless
from service.documents.document import Notice
from service.documents.encodings import clean
from service.documents.errors import DocumentEmpty, DocumentUnreadable
from service.documents.parsed import Job, Parsed

_EMBEDDED = 5
"""PidTagAttachMethod of a message inside the message."""


def read(data: bytes, job: Job, parse: Parse) -> Parsed:
    """The message as page 1, its attachments behind it.

    Raises ``DocumentUnreadable``, ``DocumentEmpty``, ``DocumentEncrypted``, ``DocumentTooLong``, ``PagesOutOfRange``.
    """
    oxmsg: Any = import_module("oxmsg")
    try:
        message = oxmsg.Message.load(io.BytesIO(data))
        headers = _headers(message)
        body, html = message.body or "", message.html_body or ""
        attached = [_attachment(part) for part in message.attachments]
    except MemoryError:
        raise
    except Exception as error:
        raise DocumentUnreadable("the Outlook message is damaged") from error
    notices: list[Notice] = []
    if not body.strip() and html.strip():
        body = _html(html, job, parse, notices)
    return assemble(headers, body, attached, notices, job, parse)


def _html(html: str, job: Job, parse: Parse, notices: list[Notice]) -> str:
    from dataclasses import replace

    try:
        parsed = parse(
            html.encode("utf-8", "replace"), replace(job, media_type="text/html", charset="utf-8", pages=None)
        )
    except DocumentEmpty:
        return ""
    notices.extend(parsed.notices)
    return "\n\n".join(page.text for page in parsed.pages)


def _headers(message: Any) -> list[str]:
    """From the internet headers where the message came over the net, from the properties where it did not."""
    sent = {key.lower(): str(value) for key, value in (message.message_headers or {}).items()}
    people = [(one.name or "", one.email_address or "") for one in message.recipients]
    shown = ", ".join(
        f"{name} <{address}>" if name and name != address else address for name, address in people
    )
    date = sent.get("date") or (message.sent_date.isoformat() if message.sent_date else "")
    found = [
        ("From", message.sender or sent.get("from", "")),
        ("To", sent.get("to") or shown),
        ("Cc", sent.get("cc", "")),
        ("Bcc", sent.get("bcc", "")),
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


def _attachment(part: Any) -> Attachment:
    data = None
    if getattr(part, "attached_by_value", False):
        data = part.file_bytes
    return Attachment(
        name=harmless(part.file_name or ""),
        declared=(part.mime_type or "application/octet-stream").lower(),
        data=data,
    )
