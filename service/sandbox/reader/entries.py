"""Entries of a section, such as the positions of a resume: one object per dated block or list item."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from service.sandbox.reader.dates import find_dates, find_months
from service.sandbox.reader.kinds import Wish, convert
from service.sandbox.reader.legal import Resolver, passes, smallest, types_of
from service.sandbox.reader.page import Page, Section, bullet_text
from service.sandbox.reader.place import Place

__all__ = ["entries_of"]

_YEARS = re.compile(r"(?:19|20)\d\d")
_NOW = re.compile(
    r"\b(?:present|current|now|today|heute|aktuell|aujourd'hui|actual|actualidad|oggi|obecnie|heden)\b",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"\s+[|–—•·]\s+|\s+-\s+|\s{2,}|\t+|,\s+(?=[A-Z])|\s+(?:at|bei|chez|@)\s+")
_DATE_WORDS = frozenset({"start", "end", "date", "year", "period", "due"})
_MAX_ENTRIES = 200


def entries_of(
    page: Page,
    section: Section,
    items: Mapping[str, Any],
    resolver: Resolver,
    wish_of: Callable[[Mapping[str, Any], Place], Wish],
    place: Place,
) -> list[Any]:
    """One object per entry: dates from its dates, texts from its leading lines in the order of properties."""
    blocks = _blocks(page.lines[section.first + 1 : section.last])
    found: list[Any] = []
    for block in blocks[:_MAX_ENTRIES]:
        value, hits = _entry(page, block, items, resolver, wish_of, place)
        if hits:
            found.append(value)
    return found


def _blocks(lines: list[str]) -> list[list[str]]:
    """Lines grouped by what starts an entry: a line with years where there are any, else blank lines or bullets."""
    texts = [line for line in lines if line.strip()]
    dated = [(bool(_YEARS.search(line)) and bullet_text(line) is None) or False for line in texts]
    if not any(dated):
        dated = [bool(_YEARS.search(line)) for line in texts]
    if sum(dated) >= 1:
        return _dated_blocks(texts, dated)
    blocks: list[list[str]] = []
    fresh = True
    for line in lines:
        if not line.strip():
            fresh = True
            continue
        if fresh or bullet_text(line):
            blocks.append([])
        blocks[-1].append(line.strip())
        fresh = False
    return blocks


def _dated_blocks(texts: list[str], dated: list[bool]) -> list[list[str]]:
    # when the first dated line is not the first line, headings stand above their dates
    lead = min(2, dated.index(True))
    starts = [max(0, index - lead) for index, has in enumerate(dated) if has]
    kept: list[int] = []
    for start in starts:
        if not kept or start > kept[-1]:
            kept.append(start)
    ends = [*kept[1:], len(texts)]
    return [[text.strip() for text in texts[start:end]] for start, end in zip(kept, ends, strict=True)]


def _entry(
    page: Page,
    block: list[str],
    items: Mapping[str, Any],
    resolver: Resolver,
    wish_of: Callable[[Mapping[str, Any], Place], Wish],
    place: Place,
) -> tuple[dict[str, Any], int]:
    head = [line for line in block[:4] if bullet_text(line) is None] or block[:1]
    spans = _spans(page, " \n ".join(head))
    names = [part for line in head for part in _parts(line)]
    value: dict[str, Any] = {}
    hits = 0
    required = set(items.get("required") or ())
    for name, member in items["properties"].items():
        member = resolver.follow(member)
        inner = Place(
            name=name, parents=(), depth=place.depth + 1, description=str(member.get("description") or "")
        )
        read: Any = None
        for branch in (member, *(resolver.follow(branch) for branch in member.get("anyOf") or ())):
            types = types_of(branch)
            if not types or types == ("null",) or "object" in types:
                continue
            wish = wish_of(branch, inner)
            if wish.words & _DATE_WORDS or wish.kind in ("date", "month"):
                read = _dated(wish, spans, page)
            elif "array" in types:
                rest = [text for line in block if (text := bullet_text(line))]
                read = (
                    rest
                    if rest and "string" in types_of(resolver.follow(branch.get("items") or {}))
                    else None
                )
            elif wish.kind == "enum":
                read = convert(wish, re.sub(r"[-/|]", " ", " ".join(head)), page)
            elif wish.kind == "boolean":
                current = bool(_NOW.search(" ".join(head)))
                read = (
                    current if wish.words & {"current", "currently", "present", "ongoing", "active"} else None
                )
            elif wish.words & {"description", "summary", "note"} and len(names) > 2:
                rest = [bullet_text(line) or line for line in block[len(head) :]]
                read = " ".join(rest) or None
            elif wish.kind == "text" and names:
                read = _chosen(wish, names)
            if read is not None and passes(branch, read):
                break
            read = None
        if read is not None:
            hits += 1
            value[name] = read
        elif name in required or "null" in types_of(member):
            value[name] = smallest(resolver, member)
    return value, hits


def _parts(line: str) -> list[str]:
    without = _strip_dates(line)
    parts = [part.strip(" ,;()*_-–|") for part in _SPLIT.split(without)]
    return [part for part in parts if len(part) > 1 and any(character.isalpha() for character in part)]


def _strip_dates(line: str) -> str:
    spans = [(day.start, day.end) for day in (*find_dates(line), *find_months(line))]
    for start, end in sorted(spans, reverse=True):
        line = line[:start] + " | " + line[end:]
    line = _YEARS.sub(" | ", line)
    return re.sub(r"(?:\|[\s–—\-,()to]*)+\|", " | ", _NOW.sub(" | ", line))


_INSTITUTION = re.compile(
    r"universit|college|school|schule|institut|academy|akademie|politechn|gymnasium|ecole|école|lycée|hochschule|facult",
    re.IGNORECASE,
)
_DEGREE = re.compile(
    r"\b(?:b\.?sc|m\.?sc|b\.?a\b|m\.?a\b|ph\.?d|bachelor|master|diplom|doctor|mba|abitur|licen|magister|degree|laurea|b\.?eng|m\.?eng)",
    re.IGNORECASE,
)
_JOB = re.compile(
    r"engineer|developer|manager|director|analyst|consultant|assistant|designer|head|lead|officer|specialist|intern\b|entwickler|leiter|berater|"
    r"ingenieur|administrator|architect|scientist|teacher|professor|nurse|accountant|programmer|coordinator|technician|researcher|chief|editor",
    re.IGNORECASE,
)


_NAMED = frozenset(
    "company title role name degree institution position description venue city field subject major headline project".split()  # noqa: SIM905
)


def _chosen(wish: Wish, names: list[str]) -> str | None:
    """The part that looks like what is asked for, taken out of the parts; else the first one left."""
    for word, pattern in (
        ("institution", _INSTITUTION),
        ("degree", _DEGREE),
        ("title", _JOB),
        ("role", _JOB),
        ("position", _JOB),
        ("headline", _JOB),
    ):
        if word in wish.words:
            for index, part in enumerate(names):
                if pattern.search(part):
                    return names.pop(index)
    if wish.words & {"company", "name"}:
        for index, part in enumerate(names):
            if not _JOB.search(part):
                return names.pop(index)
    return names.pop(0) if wish.words & _NAMED else None


def _spans(page: Page, text: str) -> list[str]:
    """Dates of an entry in order, as printed pieces; `present` counts as an open end."""
    found = [(day.start, text[day.start : day.end]) for day in find_dates(text, european=page.european)]
    taken = {start for start, _ in found}
    found.extend(
        (day.start, text[day.start : day.end]) for day in find_months(text) if day.start not in taken
    )
    covered = [range(start, start + len(piece)) for start, piece in found]
    found.extend(
        (m.start(), m[0]) for m in _YEARS.finditer(text) if not any(m.start() in span for span in covered)
    )
    found.extend((match.start(), "") for match in _NOW.finditer(text))
    return [piece for _, piece in sorted(found)]


def _dated(wish: Wish, spans: list[str], page: Page) -> Any | None:
    if not spans:
        return None
    if "year" in wish.words and "start" not in wish.words:
        years = [span for span in spans if span]
        piece = years[-1] if years else ""
    elif "end" in wish.words:
        piece = spans[1] if len(spans) > 1 else ""
    else:
        piece = spans[0]
    if not piece:
        return None
    value = convert(wish, piece, page)
    if value is None and wish.kind in ("text", "date", "month") and wish.schema.get("format") is None:
        return piece
    return value
