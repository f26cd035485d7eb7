"""CSV and TSV: dialect sniffed, rows kept, rendered one row a line."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from service.documents.document import Notice, Page
from service.documents.encodings import clean, decode
from service.documents.errors import DocumentEmpty, DocumentTooComplex
from service.documents.pages import chosen
from service.documents.parsed import Job, Parsed, check_length
from service.documents.plain import too_many_pages

BLOCK = 500
"""Rows of one page: sheets have no pages, and a block is what a reader can be pointed to."""

_SAMPLE = 64 * 1024
_JUDGED = 200
"""Rows that are looked at to find the delimiter."""

_DELIMITERS = ",;\t|"
_TOLD = re.compile("\ufeff?sep=([,;\t|])\n(?=.*\\S)", re.DOTALL)
"""A first line by which Excel is told the delimiter. It shows none of it."""


def read(data: bytes, job: Job) -> Parsed:
    """Pages of ``BLOCK`` rows each.

    Raises ``UndecodableText``, ``DocumentEmpty``, ``DocumentTooLong``, ``DocumentTooComplex``, ``PagesOutOfRange``.
    """
    text, notices = decode(data, job.charset)
    text, more = clean(text)
    check_length(len(text), job.limits)
    if not text.strip():
        raise DocumentEmpty("the table holds nothing but white space")
    told = _TOLD.match(text)
    if told is not None:
        text = text[told.end() :]
    delimiter = (
        told[1]
        if told is not None
        else "\t"
        if job.media_type == "text/tab-separated-values" and "\t" in text
        else _delimiter(text)
    )
    rows, broken = _rows(text, delimiter, job)
    if broken:
        more.append(Notice("table", "quotes are not closed: lines were read as they stand"))
    return Parsed(blocks(rows, job), (*notices, *more))


def blocks(rows: Sequence[tuple[str, ...]], job: Job) -> tuple[Page, ...]:
    """Rows as pages of ``BLOCK`` rows, with their table."""
    count = max(1, -(-len(rows) // BLOCK))
    numbers = chosen(count, job.pages)
    if len(numbers) > job.limits.max_pages:
        raise too_many_pages(len(numbers), job)
    cut = [(number, tuple(rows[(number - 1) * BLOCK : number * BLOCK])) for number in numbers]
    return tuple(Page(number=number, text=rendered(part), tables=(part,)) for number, part in cut)


def rendered(rows: Sequence[Sequence[str]]) -> str:
    """One row a line, cells set apart by `` | ``: short for a model, plain for a reader."""
    return "\n".join(" | ".join(" ".join(cell.split()) for cell in row).rstrip() for row in rows)


def _rows(text: str, delimiter: str, job: Job) -> tuple[list[tuple[str, ...]], bool]:
    """The rows, and whether the quoting was broken (then lines are split as they stand)."""
    try:
        return list(
            _counted(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), job)
        ), False
    except csv.Error:
        lines = (line.split(delimiter) for line in text.split("\n"))
        return list(_counted(lines, job)), True


def _counted(rows: Iterator[list[str]], job: Job) -> Iterator[tuple[str, ...]]:
    cells = 0
    csv.field_size_limit(max(job.limits.max_text_characters, 1))
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        cells += len(row)
        if cells > job.limits.max_cells:
            raise DocumentTooComplex(
                f"the tables hold more than {job.limits.max_cells} cells",
                members={"limit": "max_cells", "allowed": job.limits.max_cells},
            )
        yield tuple(row)


def _delimiter(text: str) -> str:
    """The candidate that cuts the first lines into the most even rows of more than one cell."""
    sample = text[:_SAMPLE]
    if len(text) > _SAMPLE:
        sample = sample[: sample.rfind("\n") + 1] or sample
    best, delimiter = 0.0, ","
    for candidate in _DELIMITERS:
        widths = [len(row) for row in _lenient(sample, candidate) if row]
        wide = [width for width in widths if width > 1]
        if not wide:
            continue
        common = max(set(wide), key=wide.count)
        score = wide.count(common) / len(widths) * min(common, 10) ** 0.25
        if score > best:
            best, delimiter = score, candidate
    return delimiter


def _lenient(sample: str, delimiter: str) -> list[list[str]]:
    csv.field_size_limit(_SAMPLE)
    try:
        return list(islice(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter), _JUDGED))
    except csv.Error:
        return []
