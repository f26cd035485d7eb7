"""The table of parsers. A parser is a function of the bytes and the job; each loads its library when first used."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from service.documents import mail, markup, outlook, pdf, pictures, plain, rtf, sheets, slides, tables, word
from service.documents.language import told
from service.documents.media import Kind, kind_of
from service.documents.metadata import of_file
from service.documents.parsed import Job, Parsed

Parser = Callable[[bytes, Job], Parsed]

_PARSERS: Mapping[Kind, Parser] = {
    "text": plain.read,
    "json": plain.read,
    "xml": plain.read,
    "table": tables.read,
    "html": markup.read,
    "mail": lambda data, job: mail.read(data, job, parse),
    "outlook": lambda data, job: outlook.read(data, job, parse),
    "word": word.read,
    "sheets": sheets.read,
    "slides": slides.read,
    "rtf": rtf.read,
    "pdf": pdf.read,
    "image": pictures.read,
}


def parse(data: bytes, job: Job) -> Parsed:
    """Read ``data`` as ``job.media_type`` says.

    Raises the errors of ``service.documents.errors``; a parser may also raise anything that its library does, take long
    or die. That is why all but small texts are parsed in a worker process.
    """
    kind = kind_of(job.media_type)
    parsed = _PARSERS[kind](data, job)
    if job.depth:
        return parsed  # an attachment: what it says of itself nobody asks for
    return replace(parsed, pages=told(parsed.pages), metadata=parsed.metadata or of_file(data, kind, job))
