"""EML: the headers a reader sees, the body, and the attachments as further pages."""

import email.errors
import email.policy
import re
from collections.abc import Iterator
from dataclasses import replace
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser

from service.documents.attachments import Attachment, Parse, assemble, harmless
from service.documents.document import Notice
from service.documents.errors import DocumentEmpty, DocumentTooComplex, DocumentUnreadable
from service.documents.parsed import Job, Parsed

_SHOWN = ("From", "To", "Cc", "Bcc", "Reply-To", "Date", "Subject")
_FEW_WORDS = 8
_SAME = 0.2
"""Words, and their share, that the versions of a message may differ in: addresses of links, signs for pictures."""

_POLICY = email.policy.default.clone(refold_source="none")


def read(data: bytes, job: Job, parse: Parse) -> Parsed:
    """The message as page 1, the attachments that ``parse`` reads behind it.

    Raises ``DocumentUnreadable``, ``DocumentEmpty``, ``DocumentTooComplex``, ``DocumentTooLong``, ``PagesOutOfRange``.
    """
    try:
        message = BytesParser(policy=_POLICY).parsebytes(re.sub(rb"\A(?:From [^\n]*)?\s+", b"", data))
        leaves = list(_leaves(message))
    except RecursionError:
        raise DocumentTooComplex(
            "the parts of the message are nested too deep", members={"limit": "nesting"}
        ) from None
    except (email.errors.MessageError, ValueError, LookupError, AttributeError) as error:
        raise DocumentUnreadable("the message breaks the mail format beyond repair") from error
    body, rest = _chosen_body(leaves)
    notices: list[Notice] = []
    text = _read_body(body, job, parse, notices)
    unshown = _only_in_text(leaves, body, text, job, parse)
    if unshown:
        notices.append(
            Notice(
                "hidden_text",
                f"the message as text, which was read, has {unshown} words that its HTML version does not show",
            )
        )
    return assemble(_headers(message), text, [_attachment(part) for part in rest], notices, job, parse)


def _attachment(part: Message) -> Attachment:
    return Attachment(
        name=_filename(part),
        declared=part.get_content_type(),
        data=_bytes(part),
        charset=part.get_content_charset(),
        inline=part.get_content_disposition() == "inline" or "Content-ID" in part,
    )


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that hold something, in order; messages inside stay whole. Without recursion."""
    stack = [message]
    while stack:
        part = stack.pop()
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            stack.extend(inner for inner in reversed(payload) if isinstance(inner, Message))
        else:
            yield part


def _chosen_body(leaves: list[Message]) -> tuple[list[Message], list[Message]]:
    """The parts to read as the body (text preferred over HTML), and those that are attachments."""
    texts, pages, rest = [], [], []
    for part in leaves:
        kind = part.get_content_type()
        if (
            part.get_content_disposition() == "attachment"
            or _filename(part)
            or kind not in {"text/plain", "text/html"}
        ):
            rest.append(part)
        elif kind == "text/plain":
            texts.append(part)
        else:
            pages.append(part)
    told = any((_bytes(part) or b"").strip() for part in texts)
    return (texts if told or not pages else pages), rest


def _only_in_text(leaves: list[Message], body: list[Message], text: str, job: Job, parse: Parse) -> int:
    """How many words of a text body the HTML beside it lacks: mail programs show that instead. 0 for a few."""
    pages = [part for part in _chosen_bodies(leaves, "text/html") if part not in body]
    if not pages or not text.strip():
        return 0
    said = set(re.findall(r"\w{2,}", text.casefold()))
    shown = _read_body(pages, job, parse, []).casefold()
    missing = said.difference(re.findall(r"\w{2,}", shown))
    return len(missing) if len(missing) > max(_FEW_WORDS, _SAME * len(said)) else 0


def _chosen_bodies(leaves: list[Message], kind: str) -> list[Message]:
    return [
        part
        for part in leaves
        if part.get_content_type() == kind
        and part.get_content_disposition() != "attachment"
        and not _filename(part)
    ]


def _read_body(parts: list[Message], job: Job, parse: Parse, notices: list[Notice]) -> str:
    bodies: list[str] = []
    for part in parts:
        charset = part.get_content_charset()
        inner = replace(job, media_type=part.get_content_type(), charset=charset, pages=None)
        try:
            parsed = parse(_bytes(part) or b"", inner)
        except DocumentEmpty:
            continue
        notices.extend(parsed.notices)
        bodies.extend(page.text for page in parsed.pages)
    return "\n\n".join(bodies)


def _bytes(part: Message) -> bytes | None:
    """The decoded content; a message inside as its own bytes."""
    payload = part.get_payload()
    if isinstance(payload, list):  # message/rfc822, or a multipart that did not parse
        inner = payload[0] if payload else None
        return inner.as_bytes() if isinstance(inner, Message) else None
    decoded = part.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else None


def _headers(message: Message) -> list[str]:
    found = [(name, " ".join(_header(message, name).split())) for name in _SHOWN]
    return [f"{name}: {value}" for name, value in found if value]


def _header(message: Message, name: str) -> str:
    """The decoded value; the library raises on some malformed ones, then the raw value has to do."""
    try:
        value = str(message.get(name) or "")
    except Exception:  # noqa: BLE001 - header parsing fails in many ways (IndexError, ValueError, …)
        value = ""
    if value:
        return value
    raw = str(next((found for key, found in message.raw_items() if key.lower() == name.lower()), ""))
    try:
        return str(make_header(decode_header(raw))) or raw
    except (ValueError, LookupError, email.errors.MessageError):
        return raw


def _filename(part: Message) -> str:
    try:
        name = part.get_filename() or ""
    except Exception:  # noqa: BLE001 - as above
        name = ""
    if not name and part.get_content_type() == "message/rfc822":
        name = "message.eml"
    return harmless(str(name))
