"""What goes through the pipe between the service and a worker: one JSON header and one raw body per message.

A frame is two big-endian lengths (header 4 bytes, body 8), the header, the body. No pickle: a worker that a hostile
document has taken over can make the parent read nothing but numbers and text. Images and boxes travel in the body;
boxes as four unsigned 16-bit shares, 1/65535 of a page being a hundredth of a point; how sure OCR is of words as bytes.
"""

import json
import struct
import sys
from array import array
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, cast, get_args

from service.documents.document import Image, Metadata, Notice, Page, PageRange, Source, Table, Word
from service.documents.limits import Limits
from service.documents.parsed import Job, Parsed

LENGTHS = struct.Struct(">IQ")
MAX_HEADER = 64 * 2**20
MAX_BODY = 256 * 2**20
_FULL = 65535
_LONGEST = 200


class BrokenFrame(ValueError):
    """The other side does not keep to the protocol."""


def lengths(raw: bytes) -> tuple[int, int]:
    """The header's and the body's length.

    Raises ``BrokenFrame`` above the bounds.
    """
    header, body = LENGTHS.unpack(raw)
    if header > MAX_HEADER or body > MAX_BODY:
        raise BrokenFrame("a frame above the bounds")
    return header, body


def pack(header: dict[str, Any], body: Iterable[bytes] = ()) -> list[bytes]:
    """The pieces of one frame, ready to be written one after the other."""
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    pieces = list(body)
    return [LENGTHS.pack(len(text), sum(map(len, pieces))), text, *pieces]


def job_header(job: Job) -> dict[str, Any]:
    """A job as JSON."""
    return asdict(job)


def read_job(header: dict[str, Any]) -> Job:
    """The job of a header that the service wrote."""
    pages = header["pages"]
    return Job(
        **{
            **header,
            "limits": Limits(**header["limits"]),
            "pages": None if pages is None else PageRange(tuple((a, b) for a, b in pages["spans"])),
        }
    )


def parsed_header(parsed: Parsed) -> tuple[dict[str, Any], list[bytes]]:
    """A result as JSON and the pieces of the body."""
    body: list[bytes] = []
    pages = []
    for page in parsed.pages:
        boxes = array("H", (_share(edge) for word in page.words for edge in word.box))
        if sys.byteorder == "big":
            boxes.byteswap()
        body.append(boxes.tobytes())
        shown: dict[str, Any] = {
            "number": page.number,
            "text": page.text,
            "words": "\n".join(word.text for word in page.words),
            "count": len(page.words),
        }
        if page.words and page.words[0].confidence is not None:
            body.append(bytes(round(255 * min(max(word.confidence or 0.0, 0.0), 1.0)) for word in page.words))
            shown["sure"] = True
        for kind, image in (("image", page.image), ("scan", page.scan)):
            if image is not None:
                body.append(image.data)
                shown[kind] = [image.media_type, image.width, image.height, len(image.data)]
        if page.language is not None:
            shown["language"] = page.language
        if page.source != "text":
            shown["source"] = page.source
        if page.width is not None and page.height is not None:
            shown["size"] = [page.width, page.height]
        if page.tables:
            shown["tables"] = page.tables
        if page.label is not None:
            shown["label"] = page.label
        pages.append(shown)
    header: dict[str, Any] = {
        "pages": pages,
        "notices": [[n.rule, n.message] for n in parsed.notices],
    }
    if parsed.metadata is not None:
        header["metadata"] = asdict(parsed.metadata)
    return header, body


def read_parsed(header: dict[str, Any], body: bytes) -> Parsed:
    """The result in a worker's frame.

    Raises ``BrokenFrame`` when it does not keep to the protocol.
    """
    try:
        at = 0
        pages = []
        for shown in header["pages"]:
            words, at = _read_words(shown, body, at)
            image, at = _read_image(shown.get("image"), body, at)
            scan, at = _read_image(shown.get("scan"), body, at)
            width, height = shown.get("size", (None, None))
            pages.append(
                Page(
                    number=int(shown["number"]),
                    text=_text(shown["text"]),
                    words=words,
                    image=image,
                    width=None if width is None else float(width),
                    height=None if height is None else float(height),
                    tables=tuple(_table(rows) for rows in shown.get("tables", ())),
                    label=_text(shown["label"]) if "label" in shown else None,
                    source=_source(shown.get("source", "text")),
                    language=_text(shown["language"]) if "language" in shown else None,
                    scan=scan,
                )
            )
        return Parsed(
            tuple(pages),
            tuple(Notice(_text(rule), _text(said)) for rule, said in header["notices"]),
            _metadata(header.get("metadata")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenFrame("a result of another shape") from error


def _read_words(shown: dict[str, Any], body: bytes, at: int) -> tuple[tuple[Word, ...], int]:
    count = shown["count"]
    if not isinstance(count, int) or count < 0 or at + 8 * count > len(body):
        raise BrokenFrame("words without boxes")
    if not count:
        return (), at
    texts = _text(shown["words"]).split("\n")
    boxes = array("H", body[at : at + 8 * count])
    if sys.byteorder == "big":
        boxes.byteswap()
    edges = [round(edge / _FULL, 5) for edge in boxes]
    if len(texts) != count:
        raise BrokenFrame("boxes without words")
    quads = zip(edges[0::4], edges[1::4], edges[2::4], edges[3::4], strict=True)
    at += 8 * count
    if not shown.get("sure"):
        return tuple(Word(text, box) for text, box in zip(texts, quads, strict=True)), at
    sure = body[at : at + count]  # too short a body fails in the zip
    return tuple(
        Word(text, box, round(level / 255, 3)) for text, box, level in zip(texts, quads, sure, strict=True)
    ), at + count


def _read_image(shown: Any, body: bytes, at: int) -> tuple[Image | None, int]:
    if shown is None:
        return None, at
    media_type, width, height, size = shown
    if (
        media_type not in {"image/png", "image/jpeg", "image/webp", "image/gif"}
        or not 0 < size <= len(body) - at
    ):
        raise BrokenFrame("an image of another shape")
    return Image(media_type, body[at : at + size], int(width), int(height)), at + size


def _metadata(shown: Any) -> Metadata | None:
    if shown is None:
        return None
    if not isinstance(shown, dict) or any(
        value is not None and type(value) is not str for value in shown.values()
    ):
        raise BrokenFrame("metadata of another shape")
    return Metadata(**{name: value and value[:_LONGEST] for name, value in shown.items()})


def _source(shown: Any) -> Source:
    if shown not in get_args(Source):
        raise BrokenFrame("a source that there is not")
    return cast("Source", shown)


def _table(rows: Any) -> Table:
    return tuple(tuple(_text(cell) for cell in row) for row in rows)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise BrokenFrame("not a text")
    return value


def _share(edge: float) -> int:
    return min(max(round(edge * _FULL), 0), _FULL)
