"""A message as pages: headers and body on the first, then what is attached and can be read."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from service.documents.document import Notice, Page
from service.documents.encodings import clean
from service.documents.errors import DocumentEmpty, DocumentEncrypted
from service.documents.media import resolve
from service.documents.pages import chosen
from service.documents.parsed import Job, Parsed, check_length
from service.foundation.errors import Fault, WinnowError

Parse = Callable[[bytes, Job], Parsed]

_SMALL_PICTURE = 10_000
"""Bytes of an inline picture below which it is a logo or a button and not a scan."""

_SEALED = frozenset(
    {"application/pkcs7-mime", "application/x-pkcs7-mime", "application/x-microsoft-rpmsg-message"}
)
_SEALED_NAMES = (".p7m", ".rpmsg", "message_v2.rpmsg")


@dataclass(frozen=True, slots=True)
class Attachment:
    """One part beside the body. ``data`` is None where the format holds nothing for it."""

    name: str
    declared: str
    data: bytes | None = field(repr=False)
    charset: str | None = None
    inline: bool = False
    inner: Callable[[Job], Parsed] | None = field(default=None, repr=False)
    """Reads a message that the format holds taken apart, with no bytes of its own; ``data`` is None then."""


def assemble(
    headers: Sequence[str],
    body: str,
    attached: Sequence[Attachment],
    notices: list[Notice],
    job: Job,
    parse: Parse,
) -> Parsed:
    """The message as page 1, the attachments that ``parse`` reads behind it.

    Raises ``DocumentEmpty``, ``DocumentEncrypted``, ``DocumentTooLong``, ``PagesOutOfRange``.
    """
    if not body.strip() and any(_sealed(part) for part in attached):
        raise DocumentEncrypted(
            "the message is encrypted: save it decrypted and send it again",
            errors=[
                Fault("", "Save it decrypted in the mail program that can read it, and send the new file.")
            ],
        )
    names = [part.name for part in attached if part.name]
    listed = [f"Attachments: {', '.join(names)}"] if names else []
    if not body.strip() and not attached and not headers:
        raise DocumentEmpty("the message has neither headers nor a body")
    text, more = clean("\n".join([*headers, *listed]) + "\n\n" + body)
    notices = [*notices, *more]
    pages = [Page(number=1, text=text.strip())]
    taken = 0
    for place, part in enumerate(attached, start=1):
        why = _skipped(part, taken, job)
        if why is None:
            taken += 1
            why = _read(pages, part, job, parse, notices)
        if why is not None:
            notices.append(Notice("attachment_skipped", f"attachment {place} was skipped: {why}"))
    check_length(sum(len(page.text) for page in pages), job.limits)
    wanted = chosen(len(pages), job.pages)
    return Parsed(tuple(pages[number - 1] for number in wanted), tuple(notices))


def harmless(name: str) -> str:
    """A file name to show: no separators, no control characters, bounded."""
    return re.sub(r"[\x00-\x1f\x7f/\\]+", "_", clean(name)[0]).strip()[:200]


def _skipped(part: Attachment, taken: int, job: Job) -> str | None:
    if taken >= job.limits.max_attachments:
        return f"more than {job.limits.max_attachments} are not read"
    if part.inner is not None:
        return None
    if part.data is None or not part.data.strip():
        return "it is empty"
    if part.inline and part.declared.startswith("image/") and len(part.data) < _SMALL_PICTURE:
        return "it is a small inline picture"
    return None


def _read(pages: list[Page], part: Attachment, job: Job, parse: Parse, notices: list[Notice]) -> str | None:
    """Append the attachment's pages; otherwise why it could not be read."""
    data = part.data or b""
    inner = replace(
        job,
        charset=part.charset,
        pages=None,
        scans=0,  # of many attachments, the scans would be more than one answer may hold
        depth=job.depth + 1,
        limits=replace(job.limits, max_pages=max(job.limits.max_pages - len(pages), 1)),
    )
    try:
        media = None if part.inner is not None else resolve(data, declared=part.declared, name=part.name)
        if (media is None or media.kind in {"mail", "outlook"}) and job.depth >= job.limits.max_nesting:
            return f"messages are nested more than {job.limits.max_nesting} deep"
        if media is None:
            assert part.inner is not None  # noqa: S101 - narrows the type: see above
            parsed = part.inner(inner)
        else:
            charset = part.charset or media.charset
            parsed = parse(data, replace(inner, media_type=media.media_type, charset=charset))
    except WinnowError as error:
        return f"{error.code}: {error.detail.partition('; supported are ')[0]}"
    notices.extend(parsed.notices)
    for page in parsed.pages:
        text = f"[Attachment: {part.name}]\n{page.text}" if part.name and page.text else page.text
        label = page.label or part.name or None
        pages.append(replace(page, number=len(pages) + 1, text=text, label=label))
    return None


def _sealed(part: Attachment) -> bool:
    """Whether it is the envelope of an encrypted message: S/MIME, PGP, or Microsoft's rights management."""
    pgp = b"-----BEGIN PGP MESSAGE-----" in (part.data or b"")[:200]
    return pgp or part.declared in _SEALED or part.name.lower().endswith(_SEALED_NAMES)
