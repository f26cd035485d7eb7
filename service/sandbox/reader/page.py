"""A text as a reader sees it: lines of cells, labels with their neighbours, headings with what follows."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

from service.sandbox.reader.dates import Day, day_first, find_dates
from service.sandbox.reader.lexicon import STEMS
from service.sandbox.reader.values import find_currency
from service.sandbox.reader.words import canonical, plain_words, weight

__all__ = ["Cell", "Page", "Pair", "Section", "open_page"]

_MAX_CHARACTERS = 2_000_000
_MAX_CELLS_PER_LINE = 40
_MAX_CELL = 4_000
_MAX_LABEL = 70
_GAP = re.compile(r"\t+| {2,}|[  ]{2,}")
_EMPHASIS = re.compile(r"^(?:>\s|[\s*_`#•·▪◦–\-])*(?=\S)|[*_`]+(?=[:：\s]|$)|(?<=[:：\s])\*{1,3}(?=\S)")
_BULLET = re.compile(r"^\s*(?:[•·▪◦‣●○*\-–—]|\d{1,2}[.)])\s+(?=\S)")
_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+(.+?)\s*#*$")
_COLON = re.compile(r"\s*(?:[:：]|\.{3,}:?|…)\s*")
_DATED = re.compile(
    r"\b(?:vom|du|dated|of|del|de|van|from|z dnia|d\.d\.|date)\s+(?=\d)|\s{1,3}(?=\d{1,2}\.\d{1,2}\.\d{4})",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(?:nr|no|n°|nº|num|number|nummer)\b[.:]?\s*\S*\d", re.IGNORECASE)
_OPEN_ENDS = (" vom", " du", " dated", " of", " del", " van", " from")
_DOCUMENTS = frozenset(
    {"invoice", "order", "credit", "receipt", "delivery", "quote", "statement", "contract", "ticket"}
)
_TITLE = re.compile(
    r"^(?P<title>[^\d:(]{3,60}?)(?:\s*\([^)]{1,20}\))?\s+(?:nr|no|n°|nº|num|number|nummer|#)[.:]*\s*(?P<id>\S*\d\S*)(?P<rest>.{0,60})",
    re.IGNORECASE,
)
_PAGE_MARK = re.compile(r"^\[page \d+(?:: see image)?\]$")
_RULE = re.compile(r"^[\s|:\-=_*+]{3,}$")
_IN_PROSE = re.compile(
    r"\d{1,2}(?:st|nd|rd|th|\.)? [^\W\d_]{3,10} (?:19|20)\d\d|[^\W\d_]{3,10} \d{1,2}(?:st|nd|rd|th)?, (?:19|20)\d\d|\d{4}-\d\d-\d\d"
    r"|\d{1,2}[./]\d{1,2}[./](?:19|20)\d\d|(?:[$€£]|EUR |USD |GBP |CHF )\d[\d.,]{0,18}\d|(?<![\d.,])\d[\d.,]{0,18}\d ?(?:€|EUR|USD|GBP|CHF)(?![A-Za-z])"
)
_COUNTED = re.compile(r"(?<![\w.,/-])\(?(\d{1,4})\)?[ \n](day|month|year|week)s?\b", re.IGNORECASE)
_KNOWN = frozenset(STEMS.values())
_HEADINGS = frozenset(
    {
        "experience", "education", "skill", "language", "certification", "publication", "award", "interest", "summary",
        "contact", "project", "instruction", "note", "terms", "registration", "speaker", "price", "allergy", "diagnosis", "reference",
        "description", "result", "payment", "headline",
    }
)  # fmt: skip
# A label and its value with one space between: the value starts at the first word with a digit.
_INLINE = re.compile(r"^(?P<label>[^\d:]{2,48}?)[\s:.#№\-]*(?P<value>(?:[#№]\s?)?[^\s]*\d.*)$")


@dataclass(frozen=True, slots=True)
class Cell:
    """A run of words on one line, set off by wide gaps; columns count characters."""

    text: str
    line: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A label with what could be its value, nearest first; `trust` says how plainly they belong together."""

    label: str
    words: frozenset[str]
    values: tuple[str, ...]
    line: int
    trust: float
    prose: bool = False
    """Whether the label is running text, which says more than a label would."""
    below: tuple[str, ...] = ()
    """The lines under the label in its own column, when nothing stands to its right."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the lines up to the next heading."""

    heading: str
    words: frozenset[str]
    first: int
    last: int


@dataclass
class Page:
    """One document's text, read once; every question about it goes through an index."""

    text: str
    lines: list[str]
    cells: list[list[Cell]]
    breaks: frozenset[int] = frozenset()
    """Lines where another page begins."""
    pairs: list[Pair] = field(default_factory=list)
    index: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    memo: dict[object, object] = field(default_factory=dict)
    """Answers that other modules have worked out for this page once."""

    @cached_property
    def european(self) -> bool:
        """Whether the day comes before the month in dates with slashes."""
        return day_first(self.text)

    @cached_property
    def comma_decimal(self) -> bool | None:
        """Whether amounts use a decimal comma; None when the page does not show it."""
        commas = len(re.findall(r"\d,\d\d(?!\d)", self.text))
        dots = len(re.findall(r"\d\.\d\d(?![\d.])", self.text))
        return None if commas == dots else commas > dots

    @cached_property
    def dates(self) -> list[Day]:
        """Every date in order."""
        return find_dates(self.text, european=self.european)

    @cached_property
    def currency(self) -> str | None:
        """The currency most amounts are printed in."""
        return find_currency(self.text)

    @cached_property
    def sections(self) -> list[Section]:
        """Headings and what follows them."""
        return _sections(self.lines)

    def candidates(self, words: Iterable[str], limit: int = 400) -> list[Pair]:
        """Pairs whose label shares a word with `words`, in page order."""
        found: set[int] = set()
        for word in words:
            found.update(self.index.get(word, ())[:limit])
        return [self.pairs[number] for number in sorted(found)]

    def after(self, line: int, count: int) -> list[str]:
        """The next lines with text."""
        return [text.strip() for text in self.lines[line + 1 : line + 1 + 2 * count] if text.strip()][:count]


def open_page(text: str) -> Page:
    """Reads a text into lines, cells, pairs; texts beyond two million characters are read up to there."""
    text = text[:_MAX_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    raw = text.split("\n")
    breaks = frozenset(number for number, line in enumerate(raw) if _PAGE_MARK.match(line))
    lines = ["" if number in breaks else line for number, line in enumerate(raw)]
    cells = [_cells(line, number) for number, line in enumerate(lines)]
    page = Page(text=text, lines=lines, cells=cells, breaks=breaks)
    for number in range(len(lines)):
        for pair in _each_language(_pairs_of(page, number)):
            place = len(page.pairs)
            page.pairs.append(pair)
            for word in pair.words:
                page.index[word].append(place)
    for pair in _prose_pairs(page):
        for word in pair.words:
            page.index[word].append(len(page.pairs))
        page.pairs.append(pair)
    return page


def _each_language(pairs: Iterable[Pair]) -> Iterable[Pair]:
    """`Gesamtbetrag / Total` is one label in two languages: each of them counts."""
    for pair in pairs:
        yield pair
        if "/" not in pair.label:
            continue
        for side in re.split(r"\s*/\s*", pair.label):
            words = label_words(side)
            if words and words != pair.words:
                yield replace(pair, label=side, words=words)


def _prose_pairs(page: Page) -> Iterable[Pair]:
    """Dates and sums in running text, with the words before them as their label."""
    yield from _counts(page)
    for match in islice(_IN_PROSE.finditer(page.text), 3_000):
        start = max(0, match.start() - 70)
        before = re.split(
            r"[.;:\n]\s{2,}|[.;]\s|\n\s*\n|,\s(?=and\b)", page.text[start : match.start()].replace("\n", " ")
        )[-1]
        words = before.split()[-7:]
        if len(words) < 2:
            continue
        label = " ".join(words)
        known = frozenset(word for word in label_words(label) if word in _KNOWN)
        if known:
            line = page.text.count("\n", 0, match.start()) if len(page.text) < 50_000 else 0
            dated = (
                frozenset()
                if re.match(r"[$€£A-Z]{1,4}\s?\d|\d[\d.,]*\s?(?:€|[A-Z]{3})", match[0])
                else frozenset({"date"})
            )
            yield Pair(label, known | dated, (match[0],), line, 0.52, prose=True)


def _counts(page: Page) -> Iterable[Pair]:
    """`at least ninety (90) days' written notice`: numbers of days and months, labelled by the words around."""
    for match in islice(_COUNTED.finditer(page.text), 1_000):
        before = page.text[max(0, match.start() - 60) : match.start()].replace("\n", " ").split()[-6:]
        after = page.text[match.end() : match.end() + 40].replace("\n", " ").split()[:3]
        known = frozenset(word for word in label_words(" ".join((*before, *after))) if word in _KNOWN)
        if known:
            unit = frozenset(canonical(f"{match[2]}s"))
            yield Pair("", known | unit, (match[1],), 0, 0.6, prose=True)


def clean(text: str) -> str:
    """A cell without Markdown emphasis and list marks, at most four thousand characters of it."""
    text = text[:_MAX_CELL].strip()
    if text[:1] in "*_`#•·▪◦" or text[:2] == "> " or "**" in text or "__" in text:
        text = _EMPHASIS.sub("", text).replace("**", "").replace("__", "").strip()
    return text


def _cells(line: str, number: int) -> list[Cell]:
    if not line.strip():
        return []
    found: list[Cell] = []
    if "|" in line:
        pieces, position = line.split("|"), 0
        for piece in pieces[:_MAX_CELLS_PER_LINE]:
            text = clean(piece)
            if text and not _RULE.match(text):
                found.append(Cell(text, number, position, position + len(piece)))
            position += len(piece) + 1
        return found
    start = len(line) - len(line.lstrip())
    for gap in _GAP.finditer(line, start):
        if gap.start() > start:
            found.append(Cell(clean(line[start : gap.start()]), number, start, gap.start()))
        start = gap.end()
        if len(found) >= _MAX_CELLS_PER_LINE:
            break
    if start < len(line.rstrip()):
        found.append(Cell(clean(line[start:]), number, start, len(line.rstrip())))
    return _with_colons([cell for cell in found if cell.text])


def _with_colons(cells: list[Cell]) -> list[Cell]:
    """`Nummer      : 17` is one cell: the colon belongs to what stands before it."""
    joined: list[Cell] = []
    for cell in cells:
        if cell.text[0] in ":：" and joined:
            before = joined.pop()
            cell = Cell(f"{before.text}{cell.text}", cell.line, before.start, cell.end)
        joined.append(cell)
    return joined


def label_words(text: str) -> frozenset[str]:
    """Canonical words of a label without the numbers in it: `VAT 19 %` is VAT."""
    return frozenset(word for word in canonical(text) if not word.isdigit())


def split_label(text: str) -> tuple[str, str] | None:
    """Label and rest of `Label: value`; None when the colon belongs to a time, a URL or a sentence."""
    match = _COLON.search(text, 1, _MAX_LABEL + 12)
    if match is None:
        return None
    label, rest = text[: match.start()], text[match.end() :]
    if not any(character.isalpha() for character in label) or len(label) > _MAX_LABEL:
        return None
    if rest.startswith("//") or (label[-1:].isdigit() and rest[:2].isdigit() and match[0] == ":"):
        return None
    return (label.strip(" .*-"), rest.strip()) if len(label.split()) <= 9 else None


def _pairs_of(page: Page, number: int) -> Iterable[Pair]:
    row = page.cells[number]
    yield from _title_pairs(row, number)
    for place, cell in enumerate(row):
        following = row[place + 1 :]
        labelled = split_label(cell.text)
        if labelled:
            yield from _labelled_pairs(page, cell, labelled, following)
        elif len(cell.text) <= _MAX_LABEL:
            yield from _bare_pairs(page, cell, following)


def _title_pairs(row: list[Cell], number: int) -> Iterable[Pair]:
    """A document's own line, such as `Commercial invoice (380)   No.  471102   of   05.03.2018`."""
    if not row or len(row) > 8 or len(row[0].text) > 60:
        return
    match = _TITLE.match(" ".join(cell.text for cell in row)[:200])
    if match is None:
        return
    words = label_words(match["title"])
    if words & _DOCUMENTS and len(words) <= 3:
        value = f"{match['id']}{match['rest']}"
        yield Pair(match["title"], words | {"number"}, (value,), number, 0.97)
        yield from _dated_pair(words | {"number"}, value, number)


def _labelled_pairs(
    page: Page, cell: Cell, labelled: tuple[str, str], following: list[Cell]
) -> Iterable[Pair]:
    """Pairs of a cell with a colon: the rest of the cell, what stands to its right, or what stands below."""
    label, rest = labelled
    words = label_words(label)
    if not words:
        return
    if rest:
        more = (f"{rest} {following[0].text}",) if following else ()
        yield Pair(label, words, (rest, *more), cell.line, 1.0)
        yield from _dated_pair(words, more[0] if more else rest, cell.line)
        # "Seller: Invoice No: 7": the inner label counts too
        inner = split_label(rest)
        if inner and inner[1]:
            yield Pair(inner[0], label_words(inner[0]), (inner[1],), cell.line, 0.9)
        return
    below = _below(page, cell)
    right = _right(following)
    if right:
        yield Pair(label, words, right, cell.line, 0.98, below=tuple(below))
    elif below:
        yield Pair(label, words, tuple(below[:2]), cell.line, 0.9, below=tuple(below))


def _bare_pairs(page: Page, cell: Cell, following: list[Cell]) -> Iterable[Pair]:
    """Pairs of a short cell without a colon, when at least one of its words is a known one."""
    text, number = cell.text, cell.line
    words = label_words(text)
    inline = _INLINE.match(
        f"{text} {following[0].text[:100]}" if following and text.endswith(_OPEN_ENDS) else text
    )
    if inline:
        yield from _inline_pair(inline, number)
    known = sum(word in _KNOWN for word in words)
    if not known or not any(character.isalpha() for character in text) or len(text.split()) > 6:
        return
    ease = 0.55 + 0.3 * known / len(words)
    right = () if following and label_like(following[0].text) else _right(following)
    below = _below(page, cell)
    if following and _NUMBERED.match(following[0].text):
        # `Commercial invoice (380)    No. 471102`
        yield Pair(text, words | {"number"}, (following[0].text,), number, 0.9)
    if right:
        yield Pair(text, words, right, number, ease)
    if below:
        yield Pair(text, words, tuple(below[:1]), number, ease - 0.1, below=tuple(below))


def label_like(text: str) -> bool:
    """Whether a text can only be a label: all its words are known ones, and it holds no value."""
    if text.endswith((":", "：")):
        return True
    words = [word for word in canonical(text) if word.isalpha() and weight(word) > 0]
    return (
        bool(words)
        and len(words) <= 4
        and not any(c.isdigit() for c in text)
        and all(word in _KNOWN for word in words)
    )


def _inline_pair(match: re.Match[str], number: int) -> Iterable[Pair]:
    label, value = match["label"].strip(), match["value"].strip()
    parts = label.split()
    # currency signs and codes before the digits belong to the value
    while parts and (
        (len(parts[-1]) == 1 and not parts[-1].isalnum())
        or parts[-1] in ("EUR", "USD", "GBP", "CHF", "RM", "PLN")
    ):
        value = f"{parts.pop()} {value}"
    words = label_words(" ".join(parts))
    if words and len(parts) <= 6 and any(word in _KNOWN for word in words):
        yield Pair(" ".join(parts), words, (value,), number, 0.8)
        yield from _dated_pair(words, value, number)


def _dated_pair(words: frozenset[str], value: str, number: int) -> Iterable[Pair]:
    """`Invoice no. 17 of 5 May 2024` also dates the invoice."""
    if "number" not in words and "invoice" not in words and "order" not in words:
        return
    dated = _DATED.search(value[:120])
    if dated:
        kept = frozenset(word for word in words if word != "number") | {"date"}
        yield Pair("", kept, (value[dated.end() :],), number, 0.85)


def _right(following: list[Cell]) -> tuple[str, ...]:
    texts: list[str] = []
    for cell in following:
        if cell.text in (":", "-", "|"):
            continue
        if texts and label_like(cell.text):
            break
        texts.append(cell.text)
    if not texts:
        return ()
    first = texts[0].lstrip(": ")
    return (first, " ".join(texts)) if len(texts) > 1 else (first,)


def _below(page: Page, cell: Cell, count: int = 8) -> list[str]:
    """The texts under a cell that share columns with it, down to a gap."""
    found: list[str] = []
    gaps = 0
    for number in range(cell.line + 1, min(cell.line + 2 + 2 * count, len(page.cells))):
        row = page.cells[number]
        if not row:
            gaps += 1
            if gaps > 1 or found:
                break
            continue
        under = [
            other
            for other in row
            if other.start < max(cell.end, cell.start + 4) and other.end > cell.start - 2
        ]
        if not under:
            # a line of the next column alone does not end this one
            gaps += 1
            if gaps > 1:
                break
            continue
        gaps = 0
        found.append(under[0].text)
        if len(found) >= count:
            break
    return found


def _sections(lines: list[str]) -> list[Section]:
    starts: list[tuple[int, str]] = []
    for number, line in enumerate(lines):
        heading = _heading(lines, number, line)
        if heading:
            starts.append((number, heading))
    found: list[Section] = []
    for place, (number, heading) in enumerate(starts):
        last = starts[place + 1][0] if place + 1 < len(starts) else len(lines)
        found.append(Section(heading, frozenset(canonical(heading)), number, last))
    return found


def _heading(lines: list[str], number: int, line: str) -> str | None:
    text = line.strip()
    if not text or len(text) > 80:
        return None
    marked = _HEADING.match(line)
    if marked:
        return marked[2].strip("*_ ")
    if _RULE.match(text) or _BULLET.match(line) or text[-1] in ".,;" or not text[0].isalpha():
        return None
    underlined = (
        number + 1 < len(lines)
        and _RULE.match(lines[number + 1]) is not None
        and "|" not in lines[number + 1]
    )
    words = plain_words(text)
    if not words or len(words) > 6:
        return None
    bold = text.startswith("**") and text.endswith("**")
    plain = (
        len(words) <= 3
        and text.replace(" ", "").isalpha()
        and all(word in _HEADINGS for word in canonical(text))
    )
    if plain and "  " not in text:
        return text
    shouted = text.isupper() and len(text) > 3 and not any(character.isdigit() for character in text)
    known = sum(word in _HEADINGS for word in canonical(text)) / len(words)
    before = number == 0 or not lines[number - 1].strip()
    if underlined or bold or (shouted and (before or known > 0)):
        return text.strip("*_: ")
    if (
        before
        and known >= 0.5
        and len(words) <= 4
        and ("  " not in text)
        and (":" not in text or text.endswith(":"))
    ):
        return text.strip(": ")
    return None


def bullet_text(line: str) -> str | None:
    """The text of a list item, or None when the line is none."""
    match = _BULLET.match(line)
    return line[match.end() :].strip() if match else None
