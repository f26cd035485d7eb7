"""Page ranges (``1-3,7``) and several parts as one document."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace

from service.documents.document import Document, Page, PageRange
from service.documents.errors import PagesOutOfRange
from service.foundation.errors import BadRequest, Fault

_SPAN = re.compile(r"\s*([0-9]{1,9})\s*(?:-\s*([0-9]{1,9})?)?\s*", re.ASCII)
_OPEN_END = 10**9
_MOST_SPANS = 1000


def parse_pages(text: str) -> PageRange:
    """The pages that ``text`` names: numbers from 1 and ranges, separated by commas; ``5-`` goes to the end.

    Raises ``BadRequest``.
    """
    spans: list[tuple[int, int]] = []
    parts = text.split(",")
    if len(parts) > _MOST_SPANS:
        raise BadRequest(f"`pages` names more than {_MOST_SPANS} ranges")
    for place, part in enumerate(parts, start=1):
        match = _SPAN.fullmatch(part)
        if match is None:
            raise BadRequest(
                f"`pages` is not understood at its part {place}: write numbers and ranges such as `1-3,7` or `5-`"
            )
        first = int(match[1])
        last = int(match[2]) if match[2] else (_OPEN_END if "-" in part else first)
        if first < 1:
            raise BadRequest(f"`pages` starts with page {first} at its part {place}: pages count from 1")
        if last < first:
            raise BadRequest(f"`pages` runs backwards at its part {place}: {first}-{last}")
        spans.append((first, last))
    return PageRange(tuple(_merged(sorted(spans))))


def chosen(count: int, wanted: PageRange | None) -> list[int]:
    """The wanted page numbers of a document of ``count`` pages, in order.

    Raises ``PagesOutOfRange`` when a range starts behind the last page.
    """
    if wanted is None:
        return list(range(1, count + 1))
    for first, _ in wanted.spans:
        if first > count:
            raise PagesOutOfRange(
                f"`pages` asks for page {first}, the document has {count}",
                errors=[Fault("/pages", f"Ask for pages from 1 to {count}.")],
                members={"pages": count},
            )
    return [number for first, last in wanted.spans for number in range(first, min(last, count) + 1)]


def combine(documents: Sequence[Document]) -> Document:
    """Several parts as one document: pages renumbered in order, notices kept and marked with their part.

    The digest is that of the parts' digests, so that the same parts in the same order are the same document.
    """
    if len(documents) == 1:
        return documents[0]
    if not documents:
        raise BadRequest("no document was sent")
    pages: list[Page] = []
    for document in documents:
        for page in document.pages:
            pages.append(replace(page, number=len(pages) + 1))
    types = {document.media_type for document in documents}
    digest = hashlib.sha256("\n".join(document.digest for document in documents).encode()).hexdigest()
    return Document(
        digest=f"sha256:{digest}",
        media_type=types.pop() if len(types) == 1 else "multipart/mixed",
        name=documents[0].name,
        size=sum(document.size for document in documents),
        pages=tuple(pages),
        metadata=documents[0].metadata,
        notices=tuple(
            replace(notice, message=f"Part {part}: {notice.message}")
            for part, document in enumerate(documents, start=1)
            for notice in document.notices
        ),
    )


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, last in spans:
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged
