"""The numbers of lists and headings in a DOCX: Word counts them when it shows the page, the text holds none.

Clauses are referred to by them. Levels are defined once (``abstractNum``), used by lists (``num``) that may start anew,
and asked for by paragraphs or by the style of a paragraph (ISO/IEC 29500-1 §17.9).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from service.documents.archive import Archive, Element, child, local, value

_LEVELS = 9
_LONGEST_CHAIN = 20
"""Styles that a style is based on; what goes on longer runs in a circle."""

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"),
    (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_PLACE = re.compile("%([1-9])")
_BULLET = "-"


@dataclass(frozen=True, slots=True)
class _Level:
    """How one level counts: ``text`` holds ``%1`` to ``%9`` for the numbers of the levels."""

    format: str = "decimal"
    text: str = ""
    start: int = 1
    style: str | None = None
    legal: bool = False


@dataclass(slots=True)
class _List:
    """A list: the definition it counts with, and the levels that it starts anew or writes in its own way."""

    definition: str
    starts: dict[int, int] = field(default_factory=dict)
    own: dict[int, _Level] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Style:
    base: str | None
    list: str | None
    level: int | None


class Numbers:
    """Counts along with the paragraphs; ask once for each, in the order of the text."""

    def __init__(self, archive: Archive, relations: Mapping[str, tuple[str, str]]) -> None:
        self._levels: dict[str, dict[int, _Level]] = {}
        self._lists: dict[str, _List] = {}
        self._styles: dict[str, _Style] = {}
        self._counts: dict[str, dict[int, int]] = {}
        self._begun: set[tuple[str, int]] = set()
        for kind, path in relations.values():
            if kind == "numbering" and (root := archive.xml(path)) is not None:
                self._define(root)
            elif kind == "styles" and (root := archive.xml(path)) is not None:
                self._styles |= dict(_styles(root))

    def label(self, paragraph: Element) -> str:
        """What stands before the paragraph's text: its number, a dash for a bullet, or nothing."""
        properties = child(paragraph, "pPr")
        if properties is None:
            return ""
        style = _said(properties, "pStyle")
        name, level = _asked(properties)
        if name is None:
            name, styled = self._of_style(style)
            level = styled if level is None else level
        if name is None:
            return "" if child(properties, "numPr") is None else _BULLET
        if name == "0":
            return ""
        found = self._lists.get(name)
        if found is None:
            return _BULLET
        return self._counted(name, found, min(max(level or 0, 0), _LEVELS - 1))

    def _of_style(self, style: str | None) -> tuple[str | None, int | None]:
        """List and level of a style, or of those that it is based on."""
        named = style
        for _ in range(_LONGEST_CHAIN):
            found = self._styles.get(style or "")
            if found is None:
                return None, None
            if found.list is not None:
                # A level may name the style that it belongs to, instead of the style naming its level.
                levels = self._levels_of(self._lists.get(found.list))
                linked = next((at for at, level in levels.items() if level.style in (named, style)), None)
                return found.list, found.level if linked is None else linked
            style = found.base
        return None, None

    def _levels_of(self, found: _List | None) -> Mapping[int, _Level]:
        return {} if found is None else {**self._levels.get(found.definition, {}), **found.own}

    def _counted(self, name: str, found: _List, level: int) -> str:
        levels = self._levels_of(found)
        counts = self._counts.setdefault(found.definition, {})
        if level in found.starts and (name, level) not in self._begun:
            counts[level] = found.starts[level] - 1
        self._begun.add((name, level))
        own = levels.get(level, _Level())
        counts[level] = counts.get(level, own.start - 1) + 1
        for deeper in [at for at in counts if at > level]:
            del counts[deeper]
        if own.format == "bullet":
            return _BULLET

        def number(match: re.Match[str]) -> str:
            at = int(match[1]) - 1
            other = levels.get(at, _Level())
            return written(counts.get(at, other.start), "decimal" if own.legal else other.format)

        return _PLACE.sub(number, own.text).strip()

    def _define(self, root: Element) -> None:
        links: dict[str, str] = {}
        for part in root:
            if local(part) == "abstractNum":
                name = value(part, "abstractNumId") or ""
                self._levels[name] = dict(_levels(part))
                if (link := _said(part, "numStyleLink")) is not None:
                    links[name] = link
                elif (own := _said(part, "styleLink")) is not None:
                    links.setdefault(f"style {own}", name)
            elif local(part) == "num":
                made = _List(_said(part, "abstractNumId") or "")
                for change in part:
                    at = _number(value(change, "ilvl"))
                    if local(change) != "lvlOverride" or at is None:
                        continue
                    if (start := _number(_said(change, "startOverride"))) is not None:
                        made.starts[at] = start
                    if (level := child(change, "lvl")) is not None:
                        made.own[at] = _level(level)
                self._lists[value(part, "numId") or ""] = made
        for name, style in links.items():
            if not name.startswith("style ") and (definition := links.get(f"style {style}")) is not None:
                self._levels[name] = self._levels.get(definition, {})


def _levels(definition: Element) -> list[tuple[int, _Level]]:
    return [
        (at, _level(level))
        for level in definition
        if local(level) == "lvl" and (at := _number(value(level, "ilvl"))) is not None
    ]


def _level(level: Element) -> _Level:
    start = _number(_said(level, "start"))
    legal = child(level, "isLgl")
    return _Level(
        format=_said(level, "numFmt") or "decimal",
        text=(_said(level, "lvlText") or "")[:100],
        start=1 if start is None else start,
        style=_said(level, "pStyle"),
        legal=legal is not None and value(legal, "val") not in {"0", "false", "off"},
    )


def _styles(root: Element) -> list[tuple[str, _Style]]:
    found = []
    for style in root:
        if local(style) != "style" or value(style, "type") not in {None, "paragraph"}:
            continue
        properties = child(style, "pPr")
        name, level = (None, None) if properties is None else _asked(properties)
        found.append((value(style, "styleId") or "", _Style(_said(style, "basedOn"), name, level)))
    return found


def _asked(properties: Element) -> tuple[str | None, int | None]:
    """List and level that a paragraph or a style asks for."""
    numbering = child(properties, "numPr")
    if numbering is None:
        return None, None
    return _said(numbering, "numId"), _number(_said(numbering, "ilvl"))


def _said(parent: Element, name: str) -> str | None:
    inner = child(parent, name)
    return None if inner is None else value(inner, "val")


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and text.isascii() and len(text) < 8 else None


def written(number: int, format: str) -> str:
    """A number as the level writes it; in formats that are not known here as a decimal."""
    match format:
        case "none":
            return ""
        case "decimalZero":
            return f"{number:02d}"
        case "upperLetter" | "lowerLetter" if number > 0:
            letter = chr(ord("a") + (number - 1) % 26) * min((number - 1) // 26 + 1, 20)
            return letter.upper() if format == "upperLetter" else letter
        case "upperRoman" | "lowerRoman" if 0 < number < 4000:
            roman = ""
            for worth, sign in _ROMAN:
                roman += sign * (number // worth)
                number %= worth
            return roman.upper() if format == "upperRoman" else roman
        case _:
            return str(number)
