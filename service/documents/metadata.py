"""What a file says of itself: title, author, when it was made and changed. Untrusted: anybody may write anything there.

Texts are one line, cleaned and bounded; dates are ISO 8601, and left out where they are none.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from email.errors import MessageError
from email.parser import BytesHeaderParser
from email.policy import default as mail_policy
from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree import ElementTree as ET

from service.documents.archive import Archive, local
from service.documents.document import Metadata
from service.documents.encodings import clean
from service.documents.media import Kind
from service.documents.parsed import Job
from service.foundation.errors import WinnowError

LONGEST = 200
"""Characters of a title or of an author's name."""

_PDF_DATE = re.compile(
    r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(Z)|([+-])(\d\d)'?(\d\d)?)?", re.ASCII
)
_HEAD = 256 * 1024
"""Bytes of a message in which its headers are looked for."""


def of_pdf(found: Mapping[str, str]) -> Metadata | None:
    """From the entries of a PDF's information dictionary."""
    return _made(
        found.get("Title"),
        found.get("Author"),
        _pdf_date(found.get("CreationDate", "")),
        _pdf_date(found.get("ModDate", "")),
    )


def of_file(data: bytes, kind: Kind, job: Job) -> Metadata | None:
    """From office files and messages; None for formats that say nothing of themselves, and where it is broken."""
    try:
        match kind:
            case "word" | "sheets" | "slides":
                return _of_office(Archive(data, job.limits)) if data[:2] == b"PK" else None
            case "mail":
                return _of_mail(data)
            case _:
                return None
    except (WinnowError, ET.ParseError, MessageError, ValueError, LookupError, AttributeError):
        return None  # what was read of the document stands without it


def _of_office(archive: Archive) -> Metadata | None:
    root = archive.xml("meta.xml" if "meta.xml" in archive.names else "docProps/core.xml")
    if root is None:
        return None
    found: dict[str, str] = {}
    for element in root.iter():
        if element.text and element.text.strip():
            found.setdefault(local(element), element.text)
    return _made(
        found.get("title"),
        found.get("creator") or found.get("initial-creator"),
        _iso(found.get("created") or found.get("creation-date") or ""),
        _iso(found.get("modified") or found.get("date") or ""),
    )


def _of_mail(data: bytes) -> Metadata | None:
    headers = BytesHeaderParser(policy=mail_policy).parsebytes(data[:_HEAD].lstrip())
    sent = str(headers.get("Date") or "")
    return _made(str(headers.get("Subject") or ""), str(headers.get("From") or ""), _mail_date(sent), None)


def _made(title: Any, author: Any, created: datetime | None, modified: datetime | None) -> Metadata | None:
    made = Metadata(
        title=_line(title),
        author=_line(author),
        created=None if created is None else created.isoformat(),
        modified=None if modified is None else modified.isoformat(),
    )
    return None if made == Metadata() else made


def _line(text: Any) -> str | None:
    """One line, without what a reader would not see."""
    if not isinstance(text, str):
        return None
    shown = " ".join(clean(text[: 4 * LONGEST])[0].split())
    return shown[:LONGEST].strip() or None


def _pdf_date(text: str) -> datetime | None:
    match = _PDF_DATE.match(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, utc, sign, hours, minutes = match.groups()
    zone = UTC if utc else None
    try:
        if sign:
            offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
            zone = timezone(-offset if sign == "-" else offset)
        return datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            tzinfo=zone,
        )
    except ValueError:
        return None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip()[:40]).replace(microsecond=0)
    except ValueError:
        return None


def _mail_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text[:100])
    except (ValueError, TypeError, IndexError):
        return None
