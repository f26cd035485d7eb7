"""EML: the headers a reader sees, the body, and the attachments as further pages."""

import email.errors
import email.policy
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser

from service.documents.attachments import Attachment, Parse, assemble, harmless
from service.documents.document import Notice
from service.documents.errors import DocumentEmpty, DocumentTooComplex, DocumentUnreadable
from service.documents.guess import guess
from service.documents.packed_rtf import RTF_LETTER, unpacked
from service.documents.parsed import Job, Parsed
from service.documents.tnef import MEDIA_TYPES, Unwrapped, unwrapped

_SHOWN = ("From", "To", "Cc", "Bcc", "Reply-To", "Date", "Subject")
_FEW_WORDS = 8
_SAME = 0.2
"""Words, and their share, that the versions of a message may differ in: addresses of links, signs for pictures."""

_MOST = 0.5
"""Share of the words of the HTML that the text must lack to be left for it."""

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
    pages = [part for part in _chosen_bodies(leaves, "text/html") if part not in body]
    if pages and text.strip():
        text = _of_two(text, pages, job, parse, notices)
    attached: list[Attachment] = []
    for part in map(_attachment, rest):
        wrapped = unwrapped(part.data or b"") if part.declared in MEDIA_TYPES or _is_winmail(part) else None
        if wrapped is None:
            attached.append(part)
            continue
        attached += _inside(wrapped, parse)
        if not text.strip():
            text = _wrapped_body(wrapped, job, parse, notices)
    return assemble(_headers(message), text, attached, notices, job, parse)


def _is_winmail(part: Attachment) -> bool:
    return part.name.lower() == "winmail.dat"


def _inside(wrapped: Unwrapped, parse: Parse) -> list[Attachment]:
    """The attachments that Outlook has wrapped up."""
    return [
        Attachment(
            name=harmless(part.name),
            declared=part.declared.lower(),
            data=part.data,
            inner=_reader(inner, parse) if (inner := unwrapped(part.data)) is not None else None,
        )
        for part in wrapped.attached
    ]


def _reader(wrapped: Unwrapped, parse: Parse) -> Callable[[Job], Parsed]:
    """Reads a message that is wrapped up inside another one; its headers stay there."""

    def read_inner(inner: Job) -> Parsed:
        notices: list[Notice] = []
        body = _wrapped_body(wrapped, inner, parse, notices)
        return assemble([], body, _inside(wrapped, parse), notices, inner, parse)

    return read_inner


def _wrapped_body(wrapped: Unwrapped, job: Job, parse: Parse, notices: list[Notice]) -> str:
    """The message itself where that was wrapped up too."""
    if wrapped.text.strip():
        return wrapped.text
    rtf = unpacked(wrapped.rtf, RTF_LETTER * job.limits.max_text_characters)
    for data, media_type in ((wrapped.html, "text/html"), (rtf, "application/rtf")):
        if not data.strip():
            continue
        try:
            parsed = parse(data, replace(job, media_type=media_type, charset=None, pages=None))
        except DocumentEmpty:
            continue
        notices.extend(parsed.notices)
        return "\n\n".join(page.text for page in parsed.pages)
    return ""


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


def _of_two(text: str, pages: list[Message], job: Job, parse: Parse, notices: list[Notice]) -> str:
    """The message as text, or as HTML where that says most and the text little more than that there is HTML.

    Mail programs show the HTML. What the text has beside it is noticed.
    """
    more: list[Notice] = []
    shown = _read_body(pages, job, parse, more)
    said, seen = _words(text), _words(shown)
    if len(seen - said) > max(_FEW_WORDS, _MOST * len(seen)):
        notices[:] = more
        if len(said - seen) > _FEW_WORDS:
            notices.append(
                Notice(
                    "hidden_text",
                    f"{len(said - seen)} words of the message as text are not in its HTML version",
                )
            )
        return shown
    unshown = len(said - seen)
    if unshown > max(_FEW_WORDS, _SAME * len(said)):
        notices.append(
            Notice(
                "hidden_text",
                f"the message as text, which was read, has {unshown} words that its HTML version does not show",
            )
        )
    return text


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w{2,}", text.casefold()))


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
    if value and "\ufffd" not in value:
        return value
    raw = str(next((found for key, found in message.raw_items() if key.lower() == name.lower()), ""))
    if not raw.isascii():
        # Bytes that no header may hold, from before UTF-8: the library keeps them as surrogates.
        plain = raw.encode("utf-8", "surrogateescape")
        raw = plain.decode(guess(plain), "replace")
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
