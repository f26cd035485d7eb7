"""DOCX: paragraphs and tables in the body's order, with text boxes, notes, headers and footers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

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
from service.documents.word_inks import Inks
from service.documents.word_numbers import Numbers

_BREAK = "\f"
_SKIPPED = frozenset(
    {"del", "moveFrom", "instrText", "delText", "Fallback", "pPr", "sectPr", "tblPr", "tcPr", "trPr"}
)
"""What is not in the text: deletions, field codes, second renderings for old programs, properties."""

_DEEPEST = 200
"""Levels of nesting; Word itself nests a few dozen."""

_FEW = 20


def read(data: bytes, job: Job) -> Parsed:
    """The pages as Word broke them last, or one page when it left no breaks.

    Raises ``DocumentUnreadable``, ``DocumentEmpty``, ``DocumentTooComplex``, ``DocumentTooLong``, ``PagesOutOfRange``.
    """
    archive = Archive(data, job.limits)
    main = next(
        (path for kind, path in archive.relations("").values() if kind == "officeDocument"),
        "word/document.xml",
    )
    root = archive.xml(main)
    body = None if root is None else child(root, "body")
    if body is None:
        raise DocumentUnreadable("the DOCX has no body")
    relations = archive.relations(main)
    reader = _Reader(
        job.limits.max_cells,
        Inks(archive, relations, body),
        Numbers(archive, relations),
        Charts(archive, relations),
    )
    lines = [*_edges(archive, relations, "header", reader), *reader.blocks(body)]
    for kind in ("footnotes", "endnotes"):
        lines += _notes(archive, relations, kind, reader)
    lines += _edges(archive, relations, "footer", reader)
    text, notices = clean("\n".join(lines))
    check_length(len(text), job.limits)
    notices += reader.inks.notices(archive, relations)
    pictures = [path for kind, path in relations.values() if kind == "image"]
    if sum(map(str.isalnum, text)) < _FEW and pictures:
        return pictures_instead(archive, pictures, job, text)
    if pictures:
        notices.append(Notice("pictures", f"{len(pictures)} pictures in the document were not read"))
    if not text.strip():
        raise DocumentEmpty("the DOCX holds no text")
    sheets = [sheet.strip("\n") for sheet in text.split(_BREAK)]
    sheets = [sheet for at, sheet in enumerate(sheets) if sheet.strip() or 0 < at < len(sheets) - 1]
    numbers = chosen(len(sheets), job.pages)
    if len(numbers) > job.limits.max_pages:
        raise too_many_pages(len(numbers), job)
    pages = [Page(number=number, text=sheets[number - 1]) for number in numbers]
    if len(sheets) == 1:
        pages = [Page(number=1, text=sheets[0], tables=tuple(reader.tables))]
    return Parsed(tuple(pages), tuple(notices))


def _joined(blocks: Iterable[list[str]]) -> str:
    return " ".join(line.strip() for lines in blocks for line in lines if line.strip()).replace(_BREAK, "")


@dataclass(slots=True)
class _Reader:
    """Reads blocks; keeps the tables, and whether something hidden was left out."""

    cells_left: int
    inks: Inks
    numbers: Numbers
    charts: Charts
    tables: list[Table] = field(default_factory=list)

    def blocks(self, parent: Element, depth: int = 0) -> list[str]:
        """Paragraphs and tables in order, one line each."""
        if depth > _DEEPEST:
            raise DocumentTooComplex("the DOCX is nested too deep", members={"limit": "nesting"})
        return [line for block in parent for line in self._block(block, depth)]

    def _block(self, block: Element, depth: int) -> list[str]:
        kind = local(block)
        if kind == "tbl":
            return self._table(block, depth)
        if kind in _SKIPPED:
            return []
        if kind != "p":  # content controls, insertions, custom XML: what they hold is the text
            return self.blocks(block, depth + 1)
        boxes: list[Element] = []
        with self.inks.inside(child(block, "pPr")):
            text = "".join(self._runs(block, boxes, depth))
        label = self.numbers.label(block)  # also of an empty paragraph: it counts
        lines = [f"{label} {text}" if label and text.strip() else text]
        for box in boxes:
            lines += self._chart(box) if local(box) == "chart" else self.blocks(box, depth + 1)
        return lines

    def _chart(self, mark: Element) -> list[str]:
        drawn = self.charts.read(mark)
        self._count(sum(map(len, drawn)))
        return self._rows([*drawn])

    def _table(self, table: Element, depth: int) -> list[str]:
        """A line a row. Tables inside of a row follow it: in its line they would be no tables any more."""
        lines: list[str] = []
        rows: list[tuple[str, ...]] = []
        for row in _inside(table, "tr"):
            known = len(self.tables)
            blocks = [self._cell(cell, depth) for cell in self._cells(row)]
            said = tuple(_joined(own for own, nested in cell if not nested) for cell in blocks)
            inner = [block for cell in blocks for block in cell]
            if not any(nested for _, nested in inner):
                rows.append(said)
                continue
            following = self.tables[known:]
            del self.tables[known:]
            if sum(map(bool, said)) > 1:
                lines += self._rows([*rows, said])
                inner = [block for block in inner if block[1]]
            else:  # it only lays out what it holds
                lines += self._rows(rows)
            rows = []
            lines += [line for own, _ in inner for line in own]
            self.tables += following
        return [*lines, *self._rows(rows)]

    def _cell(self, cell: Element, depth: int) -> list[tuple[list[str], bool]]:
        """The lines of each block of a cell, and whether it is a table of several rows."""
        if depth >= _DEEPEST:
            raise DocumentTooComplex("the DOCX is nested too deep", members={"limit": "nesting"})
        with self.inks.inside(child(cell, "tcPr")):
            return [
                (self._block(block, depth + 1), local(block) == "tbl" and len([*_inside(block, "tr")]) > 1)
                for block in cell
            ]

    def _cells(self, row: Element) -> Iterator[Element]:
        for cell in _inside(row, "tc"):
            self._count(1)
            yield cell

    def _count(self, cells: int) -> None:
        self.cells_left -= cells
        if self.cells_left < 0:
            raise DocumentTooComplex("the DOCX holds too many cells", members={"limit": "max_cells"})

    def _rows(self, rows: list[tuple[str, ...]]) -> list[str]:
        kept = tuple(row for row in rows if any(row))
        if len(kept) > 1 and max(map(len, kept)) > 1:
            self.tables.append(kept)
        return ["", *rendered(kept).split("\n"), ""] if kept else []

    def _runs(self, parent: Element, boxes: list[Element], depth: int) -> Iterator[str]:
        """The text of a paragraph; text boxes and charts anchored in it are collected."""
        if depth > _DEEPEST:
            raise DocumentTooComplex("the DOCX is nested too deep", members={"limit": "nesting"})
        for inner in parent:
            kind = local(inner)
            if kind in _SKIPPED:
                self.inks.skip(inner)
                continue
            if kind in {"txbxContent", "chart"}:
                boxes.append(inner)
            elif kind == "r" and self.inks.hide(inner):
                continue
            elif kind in _TOKENS:
                yield _TOKENS[kind]
            elif kind == "t":
                yield inner.text or ""
            elif kind == "br":
                yield _BREAK if value(inner, "type") == "page" else "\n"
            elif kind in {"checkBox", "checkbox"}:
                yield "[x] " if _ticked(inner) else "[ ] "
            elif kind == "sym":
                yield _symbol(inner)
            else:
                yield from self._runs(inner, boxes, depth + 1)


_TOKENS = {"tab": "\t", "cr": "\n", "lastRenderedPageBreak": _BREAK, "noBreakHyphen": "-", "ptab": "\t"}


def _inside(parent: Element, name: str) -> Iterator[Element]:
    """Children of that name, also inside content controls and insertions."""
    for inner in parent:
        if local(inner) == name:
            yield inner
        elif local(inner) in {"sdt", "sdtContent", "ins", "customXml", "smartTag"}:
            yield from _inside(inner, name)


def _ticked(box: Element) -> bool:
    state = child(box, "checked")
    if state is None:
        state = child(box, "default")
    return state is not None and value(state, "val") not in {"0", "false", "off"}


def _symbol(mark: Element) -> str:
    """Tick marks of the Wingdings fonts; other symbols have no meaning outside of their font."""
    code = (value(mark, "char") or "").upper()[-2:]
    return {"FE": "[x]", "FC": "[x]", "FD": "[x]", "A8": "[ ]", "6F": "[ ]"}.get(code, "")


def _edges(
    archive: Archive, relations: Mapping[str, tuple[str, str]], kind: str, reader: _Reader
) -> list[str]:
    """Headers or footers, each text once: sections repeat them."""
    seen: dict[str, None] = {}
    for found, path in relations.values():
        root = archive.xml(path) if found == kind else None
        if root is not None:
            text = "\n".join(line for line in reader.blocks(root) if line.strip()).replace(_BREAK, "")
            if text:
                seen[text] = None
    return [line for text in seen for line in (text, "")]


def _notes(
    archive: Archive, relations: Mapping[str, tuple[str, str]], kind: str, reader: _Reader
) -> list[str]:
    """Footnotes or endnotes, without the separators that Word keeps among them."""
    path = next((path for found, path in relations.values() if found == kind), None)
    root = archive.xml(path) if path else None
    if root is None:
        return []
    notes = [
        " ".join(reader.blocks(note)).strip() for note in root if value(note, "type") in {None, "normal"}
    ]
    return ["", *(note for note in notes if note)]
