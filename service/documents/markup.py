"""HTML → text as a reader sees it: blocks on lines of their own, table rows as rows, what is hidden left out."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from service.documents.document import Notice, Page, Table
from service.documents.embedded import pictures_instead
from service.documents.encodings import clean, decode, sniff_unicode
from service.documents.errors import DocumentEmpty, DocumentTooComplex
from service.documents.html_pictures import SMALLEST, Inlined, is_inlined
from service.documents.html_tables import Grid, span
from service.documents.pages import chosen
from service.documents.parsed import Job, Parsed, check_length
from service.documents.styles import Ink, Style, declared, hides, of_nodes
from service.documents.tags import BLOCKS, SKIPPED, SPACED
from service.documents.word_numbers import written

_COUNTS = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
"""Types of numbered lists → the formats of Word's."""

_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_OWN: Mapping[str, Style] = {
    "a": {"color": "#0000ee"},
    "mark": {"background": "yellow", "color": "black"},
    "button": {"background": "#efefef", "color": "black"},
    "textarea": {"background": "white", "color": "black"},
}
"""What browsers set by themselves, that decides whether text is seen."""

_PLAIN: Style = {}

_NESTING = re.compile(
    r"<(/?)(?:div|span|b|i|u|em|strong|font|center|blockquote|section|article|ul|ol|table)\b", re.IGNORECASE
)
_MOST_FRAMES = 2
_FEW = 20
"""Pages inside pages that are read, and letters and digits from which a page is more than its pictures."""

_DEEPEST = 20_000
"""Elements inside each other, of those that nothing closes but their own end: two seconds for the parser."""

_LONGEST_LINK = 120
"""Longer addresses are tracking links: they cost tokens and tell nothing."""

_TALLEST_CELL = 4
"""Lines in a cell, above which a table is taken for layout and read cell by cell."""


def read(data: bytes, job: Job) -> Parsed:
    """One page of text, with the tables as rows.

    Raises ``UndecodableText``, ``DocumentEmpty``, ``DocumentTooLong``, ``DocumentTooComplex``, ``PagesOutOfRange``.
    """
    charset = job.charset
    if charset is None and sniff_unicode(data) is None:
        declared = _META.search(data[:4096])
        charset = declared[1].decode("ascii").lower() if declared else None
    source, notices = decode(data, charset)
    check_length(len(source) // 8, job.limits)  # markup weighs more than text; the exact check follows
    reader = _Reader(job.limits.max_cells)
    reader.walk(source)
    text, more = clean(reader.text())
    check_length(len(text), job.limits)
    more += _left_out(reader.hidden)
    if reader.pictures and sum(map(str.isalnum, text)) < _FEW:
        parsed = pictures_instead(Inlined(reader.pictures), list(reader.pictures), job, text)
        return replace(parsed, notices=(*notices, *more, *parsed.notices))
    chosen(1, job.pages)
    if not text.strip():
        raise DocumentEmpty("the page holds no visible text")
    if reader.pictures:
        more.append(Notice("pictures", f"{len(reader.pictures)} pictures in the page were not read"))
    return Parsed((Page(number=1, text=text, tables=tuple(reader.tables)),), (*notices, *more))


def _check_nesting(source: str) -> None:
    """Refuse what is nested so deep that the parser, which takes quadratic time for it, would be cut off anyway."""
    depth = 0
    for tag in _NESTING.finditer(source):
        depth = max(depth - 1, 0) if tag[1] else depth + 1
        if depth > _DEEPEST:
            raise DocumentTooComplex("the page is nested too deep", members={"limit": "nesting"})


def _left_out(hidden: Counter[str]) -> list[Notice]:
    """What was left out and how much of it."""
    said = {
        "text": ("hidden_text", "{1} characters that a browser does not show were left out"),
        "comments": ("comments", "comments were left out: {0} with {1} characters"),
        "alt": ("alt_text", "alternative texts of pictures were left out: {0} with {1} characters"),
    }
    return [
        Notice(rule, message.format(hidden[kind], hidden[f"{kind} characters"]))
        for kind, (rule, message) in said.items()
        if hidden[kind]
    ]


_FLOWING = frozenset({"inline", "contents", "ruby", "initial", "unset", "revert", "inherit", ""})
"""Ways to be displayed in which text runs on."""


@dataclass(slots=True)
class _Writer:
    """Lines under construction: of the page, or of one cell."""

    lines: list[str] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)

    def flush(self) -> None:
        line = " ".join("".join(self.inline).split())
        self.inline.clear()
        if line:
            self.lines.append(line)

    def space(self) -> None:
        self.flush()
        if self.lines and self.lines[-1]:
            self.lines.append("")


class _Reader:
    """Walks the tree without recursion: documents nest as deep as they like."""

    def __init__(self, max_cells: int, depth: int = 0) -> None:
        self.pictures: dict[str, str] = {}
        """Name → address, of pictures that lie in the page itself."""
        self._depth = depth
        self.tables: list[Table] = []
        self.hidden: Counter[str] = Counter()
        self._cells_left = max_cells
        self._title = ""
        self._writers = [_Writer()]
        self._open: list[Grid] = []
        self._counts: list[tuple[str, int] | None] = []
        self._cells: list[int] = []
        self._verbatim = 0
        self._sheets: dict[int, dict[str, str]] = {}
        self._ink = [Ink()]
        self._apart: list[tuple[bool, bool]] = [(False, False)]
        """Of each open element: whether it stands apart from the text around it, and whether what it holds does."""

        self._style: Style = _PLAIN

    def text(self) -> str:
        self._writers[0].flush()
        lines = self._writers[0].lines
        body = "\n".join(lines).strip("\n")
        if self._title and self._title not in body:
            body = f"{self._title}\n\n{body}"
        return re.sub(r"\n{3,}", "\n\n", body)

    def walk(self, source: str) -> None:
        from selectolax.lexbor import (
            LexborHTMLParser,
        )  # in the worker only: the service itself never parses HTML

        _check_nesting(source)
        tree = LexborHTMLParser(source)
        self._sheets = of_nodes(tree, (node.text() for node in tree.css("style")))
        title = tree.css_first("head > title")
        if title is not None:
            self._title = " ".join(title.text().split())
        root: Any = tree.root
        self._style = self._styled(root, root.attributes)
        for entering, node in _steps(root, self._wanted):
            if entering:
                self._enter(node)
            else:
                self._leave(node)

    def _wanted(self, node: Any) -> bool:
        """Whether to go into the node."""
        if node.tag in SKIPPED:
            return False
        if node.tag == "select":
            self._writers[-1].inline.append(f" {_selected(node)} ")
            return False
        attributes = node.attributes
        self._style = style = self._styled(node, attributes)
        if hides(style) or "hidden" in attributes or (node.tag == "dialog" and "open" not in attributes):
            self._leave_out("text", node.text(deep=True))
            return False
        if node.tag == "iframe":
            self._frame(attributes.get("srcdoc") or "")
            return False
        return True

    def _frame(self, source: str) -> None:
        """A page inside the page. One that lies elsewhere is not fetched."""
        writer = self._writers[-1]
        if not source or self._depth >= _MOST_FRAMES or self._ink[-1].unseen:
            return
        inner = _Reader(self._cells_left, self._depth + 1)
        inner.walk(source)
        self._cells_left = inner._cells_left
        self.hidden += inner.hidden
        self.tables += inner.tables
        self.pictures |= {f"{len(self.pictures)}.{name}": where for name, where in inner.pictures.items()}
        writer.space()
        writer.lines += inner.text().split("\n")
        writer.space()

    def _styled(self, node: Any, attributes: Mapping[str, str | None]) -> Style:
        """What decides whether an element is seen: of the browser, of attributes, of style sheets, its own."""
        own, sheet = _OWN.get(node.tag, _PLAIN), self._sheets.get(node.mem_id, _PLAIN)
        if not attributes:
            return {**own, **sheet} if own and sheet else own or sheet
        style = dict(own)
        if (told := attributes.get("bgcolor") or attributes.get("background")) is not None:
            style["background"] = told.lower() if "bgcolor" in attributes else "url()"
        if (told := attributes.get("color" if node.tag == "font" else "text")) and node.tag in {
            "font",
            "body",
        }:
            style["color"] = told.lower()
        style.update(sheet)
        style.update(declared(attributes.get("style") or ""))
        return style

    def _leave_out(self, kind: str, text: str) -> None:
        characters = len("".join(text.split()))
        if characters:
            self.hidden[kind] += 1
            self.hidden[f"{kind} characters"] += characters

    def _enter(self, node: Any) -> None:
        tag = node.tag
        writer = self._writers[-1]
        if tag == "-comment":
            self._leave_out("comments", node.comment_content or "")
        elif tag == "-text":
            text = node.text_content or ""
            if self._ink[-1].unseen:
                self._leave_out("text", text)
            else:
                self._say(writer, text)
        else:
            self._ink.append(self._ink[-1].within(self._style) if self._style else self._ink[-1])
            display = self._style.get("display", "inline")
            apart = self._apart[-1][1] or tag == "button" or display not in _FLOWING
            self._apart.append((apart, display.endswith(("flex", "grid"))))
            if apart and not self._verbatim:
                writer.inline.append(" ")
            self._open_element(tag, node, writer)

    def _open_element(self, tag: str, node: Any, writer: _Writer) -> None:
        if tag == "br":
            writer.flush()
        elif tag == "img":
            self._leave_out("alt", node.attributes.get("alt") or "")
            where = node.attributes.get("src") or ""
            if len(where) >= SMALLEST and is_inlined(where):
                self.pictures[str(len(self.pictures) + 1)] = where
        elif tag in {"td", "th"} and self._open:
            self._writers.append(_Writer())
            self._open[-1].spans.append(span(node.attributes))
        elif tag == "input":
            writer.inline.append(_typed(node))
        elif tag in BLOCKS:
            if tag in SPACED:
                writer.space()
            else:
                writer.flush()
            self._open_block(tag, node, writer)

    def _open_block(self, tag: str, node: Any, writer: _Writer) -> None:
        if tag == "li":
            writer.inline.append(self._marker(node))
        elif tag in {"ol", "ul"}:
            self._counts.append(_counting(node.attributes) if tag == "ol" else None)
        elif tag == "pre":
            self._verbatim += 1
        elif tag == "table":
            for outer in self._open:
                outer.nested = True
            self._open.append(Grid())
        elif tag == "tr" and self._open:
            self._open[-1].next_row()

    def _marker(self, item: Any) -> str:
        """What a browser shows before an item: its number, or a point."""
        counting = self._counts[-1] if self._counts else None
        if counting is None:
            return "- "
        format, number = counting
        said = item.attributes.get("value") or ""
        if said.isdecimal() and said.isascii() and len(said) < 8:
            number = int(said)
        self._counts[-1] = format, number + 1
        return f"{written(number, format)}. "

    def _say(self, writer: _Writer, text: str) -> None:
        if not self._verbatim:
            writer.inline.append(text)
            return
        first, *rest = text.split("\n")
        writer.inline.append(first)
        for line in rest:
            head = "".join(writer.inline).rstrip()
            writer.inline.clear()
            writer.lines.append(head)
            writer.inline.append(line)

    def _leave(self, node: Any) -> None:
        tag = node.tag
        writer = self._writers[-1]
        self._ink.pop()
        apart, _ = self._apart.pop()
        if apart and not self._verbatim:
            writer.inline.append(" ")
        if tag in {"td", "th"} and self._open and len(self._writers) > 1:
            self._close_cell()
        elif tag == "a":
            self._link(node, writer)
        elif tag == "table" and self._open:
            writer.flush()
            self._close_table(writer)
        elif tag in BLOCKS:
            if tag in {"ol", "ul"}:
                self._counts.pop()
            elif tag == "pre":
                self._verbatim -= 1
                writer.lines.append("".join(writer.inline).rstrip())
                writer.inline.clear()
            if tag in SPACED:
                writer.space()
            else:
                writer.flush()

    def _close_cell(self) -> None:
        cell = self._writers.pop()
        cell.flush()
        self._cells_left -= self._open[-1].add([line for line in cell.lines if line])
        if self._cells_left < 0:
            raise DocumentTooComplex(
                "the page holds more table cells than are read", members={"limit": "max_cells"}
            )

    def _close_table(self, writer: _Writer) -> None:
        table = self._open.pop()
        layout = table.nested or any(
            len(cell) > _TALLEST_CELL for row in table.rows for cell in row if cell is not None
        )
        # Of a layout no column has a meaning; elsewhere a place that a cell from above takes stays empty.
        filled = [
            [cell or [] for cell in row if cell is not None or not layout] for row in table.rows if any(row)
        ]
        for row in filled:
            if layout and any(len(cell) > 1 for cell in row):
                writer.lines.extend(line for cell in row for line in cell)
            else:
                writer.lines.append(" | ".join(" ".join(cell) for cell in row).strip())
        rows = tuple(tuple(" ".join(cell) for cell in row) for row in filled)
        if not layout and len(rows) > 1 and max(map(len, rows)) > 1:
            self.tables.append(rows)
        writer.space()

    def _link(self, node: Any, writer: _Writer) -> None:
        href = (node.attributes.get("href") or "").strip()
        scheme, _, rest = href.partition(":")
        shown = "".join(writer.inline)
        if (
            scheme.lower() in {"http", "https", "mailto", "tel"}
            and len(href) <= _LONGEST_LINK
            and rest.strip("/") not in shown
            and shown.strip()
        ):
            writer.inline.append(f" ({href})")


def _steps(root: Any, wanted: Any) -> Iterator[tuple[bool, Any]]:
    """Entering and leaving every wanted node, in document order."""
    stack = [root]
    yield True, root
    node = root.first_child
    while stack:
        if node is None:
            done = stack.pop()
            yield False, done
            node = done.next if stack else None
            continue
        if node.tag in {"-text", "-comment"}:
            yield True, node
        elif node.is_element_node and wanted(node):
            yield True, node
            stack.append(node)
            node = node.first_child
            continue
        node = node.next


def _typed(node: Any) -> str:
    attributes = node.attributes
    kind = (attributes.get("type") or "text").lower()
    if kind in {"checkbox", "radio"}:
        return " [x] " if "checked" in attributes else " [ ] "
    if kind in {"hidden", "password", "file", "submit", "button", "reset", "image"}:
        return ""
    return f" {attributes.get('value') or ''} "


def _selected(node: Any) -> str:
    """What a list of choices shows as chosen: of a single choice the first option, where nothing is."""
    options = node.css("option")
    taken = [" ".join(option.text().split()) for option in options if "selected" in option.attributes]
    if "multiple" in node.attributes:
        return ", ".join(taken)
    return taken[-1] if taken else " ".join(options[0].text().split()) if options else ""


def _counting(attributes: Mapping[str, str | None]) -> tuple[str, int] | None:
    """How a list counts, and from where; None where it shows no numbers, or counts backwards."""
    style = (attributes.get("style") or "").lower()
    if "reversed" in attributes or ("list-style" in style and "none" in style):
        return None
    start = attributes.get("start") or ""
    number = int(start) if start.isdecimal() and start.isascii() and len(start) < 8 else 1
    return _COUNTS.get(attributes.get("type") or "", "decimal"), number
