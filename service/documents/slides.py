"""PPTX: a page a slide, its shapes' text in order, tables as rows, speaker notes at the end."""

from collections.abc import Iterator

from service.documents.archive import Archive, Element, child, local, value
from service.documents.document import Notice, Page, Table
from service.documents.embedded import pictures_instead
from service.documents.encodings import clean
from service.documents.errors import DocumentEmpty, DocumentTooComplex, DocumentUnreadable
from service.documents.pages import chosen
from service.documents.parsed import Job, Parsed, check_length
from service.documents.plain import too_many_pages
from service.documents.tables import rendered

_EMU = 12_700
"""English metric units of a point."""

_DEEPEST = 100
_NOT_SAID = frozenset({"dt", "ftr", "sldNum", "sldImg", "hdr"})
"""Placeholders of a notes page that repeat the slide."""


def read(data: bytes, job: Job) -> Parsed:
    """One page a slide, in the order of the show.

    Raises ``DocumentUnreadable``, ``DocumentEmpty``, ``DocumentTooComplex``, ``DocumentTooLong``, ``PagesOutOfRange``.
    """
    archive = Archive(data, job.limits)
    main = next(
        (path for kind, path in archive.relations("").values() if kind == "officeDocument"),
        "ppt/presentation.xml",
    )
    root = archive.xml(main)
    if root is None:
        raise DocumentUnreadable("the PPTX has no presentation")
    paths = list(_slides(archive, main, root))
    if not paths:
        raise DocumentEmpty("the PPTX has no slide")
    numbers = chosen(len(paths), job.pages)
    if len(numbers) > job.limits.max_pages:
        raise too_many_pages(len(numbers), job)
    width, height = _size(root)
    pages: list[Page] = []
    notices: dict[Notice, None] = {}
    pictures: list[str] = []
    cells = characters = 0
    for number in numbers:
        text, tables, images = _slide(archive, paths[number - 1], notices)
        text, dropped = clean(text)
        notices.update(dict.fromkeys(dropped))
        characters += len(text)
        check_length(characters, job.limits)
        cells += sum(len(row) for table in tables for row in table)
        if cells > job.limits.max_cells:
            raise DocumentTooComplex("the slides hold too many cells", members={"limit": "max_cells"})
        pictures += images
        pages.append(Page(number=number, text=text, tables=tables, width=width, height=height))
    if not any(page.text for page in pages):
        return pictures_instead(archive, pictures, job, "")
    if pictures:
        notices[Notice("pictures", f"{len(pictures)} pictures on the slides were not read")] = None
    return Parsed(tuple(pages), tuple(notices))


def _slides(archive: Archive, main: str, root: Element) -> Iterator[str]:
    relations = archive.relations(main)
    for element in root.iter():
        if local(element) == "sldId":
            for key, found in element.attrib.items():
                if key.endswith("}id") and found in relations:
                    yield relations[found][1]


def _size(root: Element) -> tuple[float | None, float | None]:
    size = child(root, "sldSz")
    try:
        return (
            (None, None) if size is None else (int(size.get("cx", "")) / _EMU, int(size.get("cy", "")) / _EMU)
        )
    except ValueError:
        return None, None


def _slide(
    archive: Archive, path: str, notices: dict[Notice, None]
) -> tuple[str, tuple[Table, ...], list[str]]:
    """Text, tables and the paths of pictures of one slide. A damaged slide costs only itself."""
    tables: list[Table] = []
    try:
        root = archive.xml(path)
        relations = archive.relations(path)
    except DocumentUnreadable:
        root, relations = None, {}
    if root is None:
        notices[Notice("slide_unreadable", "a slide that is damaged was skipped")] = None
        return "", (), []
    if root.get("show") == "0":
        notices[Notice("hidden_text", "slides that are hidden in the show were left out")] = None
        return "", (), []
    lines = list(_said(root, tables, 0))
    notes = next((target for kind, target in relations.values() if kind == "notesSlide"), None)
    spoken = archive.xml(notes) if notes else None
    if spoken is not None:
        heard = [line for line in _said(spoken, [], 0) if line.strip()]
        lines += ["", "Notes:", *heard] if heard else []
    images = [target for kind, target in relations.values() if kind == "image"]
    return "\n".join(lines).strip(), tuple(tables), images


def _said(parent: Element, tables: list[Table], depth: int) -> Iterator[str]:
    """The lines of all shapes inside, in the order in which they lie on each other."""
    if depth > _DEEPEST:
        raise DocumentTooComplex("the slides are nested too deep", members={"limit": "nesting"})
    for inner in parent:
        kind = local(inner)
        if kind == "Fallback" or (kind == "sp" and _placeholder(inner) in _NOT_SAID):
            continue
        if kind == "tbl":
            rows = tuple(
                tuple(" ".join(_paragraphs(cell)) for cell in row if local(cell) == "tc")
                for row in inner
                if local(row) == "tr"
            )
            kept = tuple(row for row in rows if any(row))
            if kept:
                tables.append(kept)
                yield from ("", *rendered(kept).split("\n"), "")
        elif kind == "txBody":
            yield from _paragraphs(inner)
        else:
            yield from _said(inner, tables, depth + 1)


def _paragraphs(body: Element) -> list[str]:
    lines = []
    for paragraph in body.iter():
        if local(paragraph) == "p":
            lines.append("".join(_runs(paragraph)))
    return [line for line in lines if line.strip()]


def _runs(paragraph: Element) -> Iterator[str]:
    for part in paragraph.iter():
        kind = local(part)
        if kind == "t":
            yield part.text or ""
        elif kind == "br":
            yield "\n"
        elif kind == "tab":
            yield "\t"


def _placeholder(shape: Element) -> str | None:
    for part in shape.iter():
        if local(part) == "ph":
            return value(part, "type")
        if local(part) == "txBody":
            break
    return None
