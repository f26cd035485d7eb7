"""PPTX: a page a slide, its shapes' text in order, tables as rows, speaker notes at the end."""

from collections.abc import Iterator
from dataclasses import dataclass

from service.documents.archive import Archive, Element, child, local, value
from service.documents.charts import Charts
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

_TINY = 150
"""Hundredths of a point, up to which letters cannot be read."""

_SHAPES = frozenset({"sp", "grpSp", "graphicFrame", "pic", "cxnSp"})
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
    hidden = _Hidden(width, height)
    pages: list[Page] = []
    notices: dict[Notice, None] = {}
    pictures: list[str] = []
    cells = characters = 0
    for number in numbers:
        text, tables, images = _slide(archive, paths[number - 1], notices, hidden)
        text, dropped = clean(text)
        notices.update(dict.fromkeys(dropped))
        characters += len(text)
        check_length(characters, job.limits)
        cells += sum(len(row) for table in tables for row in table)
        if cells > job.limits.max_cells:
            raise DocumentTooComplex("the slides hold too many cells", members={"limit": "max_cells"})
        pictures += images
        pages.append(Page(number=number, text=text, tables=tables, width=width, height=height))
    notices.update(dict.fromkeys(hidden.notices()))
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


@dataclass(slots=True)
class _Hidden:
    """What of the slides nobody sees, in characters."""

    width: float | None
    height: float | None
    characters: int = 0
    comments: int = 0
    alternatives: int = 0

    def notices(self) -> list[Notice]:
        """How much was left out."""
        found = []
        if self.characters:
            why = "outside of the slides, in hidden shapes, too small or in the colour of their shapes"
            message = f"{self.characters} characters {why} were left out"
            found.append(Notice("hidden_text", message))
        if self.comments:
            found.append(Notice("comments", f"comments were left out: {self.comments} characters"))
        if self.alternatives:
            message = f"alternative texts of pictures were left out: {self.alternatives} characters"
            found.append(Notice("alt_text", message))
        return found

    def takes(self, shape: Element) -> bool:
        """Whether a shape on a slide is not shown; its text is counted."""
        about = next((part for part in shape.iter() if local(part) == "cNvPr"), None)
        if about is not None:
            self.alternatives += len("".join((about.get("descr") or "").split()))
        if (about is None or about.get("hidden") not in {"1", "true"}) and not self._off(shape):
            return False
        self.characters += sum(len("".join(line.split())) for line in _paragraphs(shape))
        return True

    def _off(self, shape: Element) -> bool:
        """Whether a shape lies wholly outside of the slide."""
        properties = next((part for part in shape if local(part) in {"spPr", "grpSpPr", "xfrm"}), None)
        if properties is None or self.width is None or self.height is None:
            return False
        frame = properties if local(properties) == "xfrm" else child(properties, "xfrm")
        place, size = (None, None) if frame is None else (child(frame, "off"), child(frame, "ext"))
        if place is None or size is None:
            return False
        try:
            left, top = int(place.get("x", "0")) / _EMU, int(place.get("y", "0")) / _EMU
            right, bottom = left + int(size.get("cx", "0")) / _EMU, top + int(size.get("cy", "0")) / _EMU
        except ValueError:
            return False
        return left >= self.width or top >= self.height or right <= 0 or bottom <= 0


def _slide(
    archive: Archive, path: str, notices: dict[Notice, None], hidden: _Hidden
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
    lines = list(_said(root, tables, 0, hidden, Charts(archive, relations)))
    for kind, target in relations.values():
        remarks = archive.xml(target) if kind == "comments" else None
        if remarks is not None:
            hidden.comments += sum(
                len("".join((part.text or "").split()))
                for part in remarks.iter()
                if local(part) in {"text", "t"}
            )
    notes = next((target for kind, target in relations.values() if kind == "notesSlide"), None)
    spoken = archive.xml(notes) if notes else None
    if spoken is not None:
        heard = [line for line in _said(spoken, [], 0, None, None) if line.strip()]
        lines += ["", "Notes:", *heard] if heard else []
    images = [target for kind, target in relations.values() if kind == "image"]
    return "\n".join(lines).strip("\n"), tuple(tables), images


def _said(
    parent: Element, tables: list[Table], depth: int, hidden: _Hidden | None, charts: Charts | None
) -> Iterator[str]:
    """The lines of all shapes inside, in the order in which they lie on each other, without the ``hidden`` ones."""
    if depth > _DEEPEST:
        raise DocumentTooComplex("the slides are nested too deep", members={"limit": "nesting"})
    for inner in parent:
        kind = local(inner)
        if kind == "Fallback" or (kind == "sp" and _placeholder(inner) in _NOT_SAID):
            continue
        if hidden is not None and local(parent) == "spTree" and kind in _SHAPES and hidden.takes(inner):
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
        elif kind == "chart" and charts is not None:
            drawn = charts.read(inner)
            if drawn:
                tables.append(drawn)
                yield from ("", *rendered(drawn).split("\n"), "")
        elif kind == "txBody":
            yield from _paragraphs(inner, hidden, _filled(parent))
        else:
            yield from _said(inner, tables, depth + 1, hidden, charts)


def _paragraphs(body: Element, hidden: _Hidden | None = None, ground: str | None = None) -> list[str]:
    """The lines of a text; with ``hidden`` without the runs that cannot be read on their ``ground``."""
    lines = []
    for paragraph in body.iter():
        if local(paragraph) == "p":
            lines.append("".join(_runs(paragraph, hidden, ground)))
    return [line for line in lines if line.strip()]


def _runs(paragraph: Element, hidden: _Hidden | None, ground: str | None) -> Iterator[str]:
    for part in paragraph.iter():
        kind = local(part)
        if kind in {"r", "fld"}:
            text = child(part, "t")
            said = (text.text or "") if text is not None else ""
            if hidden is not None and _unreadable(part, ground):
                hidden.characters += len("".join(said.split()))
            else:
                yield said
        elif kind == "br":
            yield "\n"
        elif kind == "tab":
            yield "\t"


def _unreadable(run: Element, ground: str | None) -> bool:
    """Whether a run is too small to be read, or in the colour of its shape."""
    properties = child(run, "rPr")
    if properties is None:
        return False
    size = properties.get("sz", "")
    if size.isdecimal() and int(size) <= _TINY:
        return True
    return ground is not None and _colour(properties) == ground


def _filled(shape: Element) -> str | None:
    """The one colour that a shape is filled with."""
    properties = child(shape, "spPr")
    return None if properties is None else _colour(properties)


def _colour(properties: Element) -> str | None:
    fill = child(properties, "solidFill")
    colour = None if fill is None else child(fill, "srgbClr")
    return None if colour is None or len(colour) else colour.get("val", "").upper() or None


def _placeholder(shape: Element) -> str | None:
    for part in shape.iter():
        if local(part) == "ph":
            return value(part, "type")
        if local(part) == "txBody":
            break
    return None
