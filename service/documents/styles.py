"""Which styles of a web page hide text from its reader. Pure, but for the tree that rules of style sheets are matched in.

Not a style engine: no layout, and no cascade beyond specificity and order. What depends on the device (``@media``) is
not judged, and neither is what a style sheet elsewhere may say. What an element hides with all that is in it
(``hides``) is kept apart from what is inherited and may be overridden inside (``Ink``: size and colours).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

Style = Mapping[str, str]
"""Declarations: property → value, both in lower case, the last one of a property."""

Colour = tuple[int, int, int]

_NAMES: Mapping[str, Colour] = {
    "white": (255, 255, 255),
    "snow": (255, 250, 250),
    "ivory": (255, 255, 240),
    "ghostwhite": (248, 248, 255),
    "floralwhite": (255, 250, 240),
    "mintcream": (245, 255, 250),
    "azure": (240, 255, 255),
    "whitesmoke": (245, 245, 245),
    "lightgray": (211, 211, 211),
    "lightgrey": (211, 211, 211),
    "silver": (192, 192, 192),
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "black": (0, 0, 0),
    "red": (255, 0, 0),
    "maroon": (128, 0, 0),
    "yellow": (255, 255, 0),
    "olive": (128, 128, 0),
    "lime": (0, 255, 0),
    "green": (0, 128, 0),
    "aqua": (0, 255, 255),
    "cyan": (0, 255, 255),
    "teal": (0, 128, 128),
    "blue": (0, 0, 255),
    "navy": (0, 0, 128),
    "fuchsia": (255, 0, 255),
    "magenta": (255, 0, 255),
    "purple": (128, 0, 128),
    "orange": (255, 165, 0),
}
_WHITE, _BLACK = _NAMES["white"], _NAMES["black"]

_CONTRAST = 24
"""Levels of a channel by which text has to differ from its ground to be seen."""

_FAR = 1000.0
"""Pixels from the page at which something is put away; an ``em`` counts as 16."""

_MOST_RULES = 500
_MOST_MATCHES = 200_000

_LENGTH = re.compile(r"(-?\d{0,9}\.?\d{1,9})(px|pt|em|rem|ex|ch|vw|vh|%)?$")
_PIXELS = {
    "px": 1.0,
    "pt": 1.33,
    "em": 16.0,
    "rem": 16.0,
    "ex": 8.0,
    "ch": 8.0,
    "vw": 10.0,
    "vh": 8.0,
    "%": 10.0,
}
_ZERO = re.compile(r"0*\.?0+%?$")
_SHRUNK = re.compile(r"scale(?:[xy]|3d)?\(\s*0*\.?0+\s*[,)]|translate(?:[xy]|3d)?\([^)]*-\d{4,}")
_CLIPPED = re.compile(r"inset\(\s*(?:[5-9]\d|100)(?:\.0*)?%\s*\)|circle\(\s*0")
_FONT = re.compile(r"(?:^|\s)(\d{0,9}\.?\d{1,9})(px|pt|em|rem|%)(?=$|[\s/])|(?:^|\s)(0)(?=$|[\s/])")
_FUNCTION = re.compile(r"rgba?\(([^()]{1,80})\)|#[0-9a-f]{3,8}\b|[a-z]+")


def declared(style: str) -> dict[str, str]:
    """The declarations of a ``style`` attribute or of the body of a rule."""
    found: dict[str, str] = {}
    for part in style.lower().split(";"):
        name, colon, value = part.partition(":")
        if colon:
            found[name.strip()] = value.partition("!")[0].strip()
    return found


def hides(style: Style) -> bool:
    """Whether an element of this style, with all that is in it, is not shown."""
    if not style:
        return False
    told = style.get
    if told("display") == "none" or told("visibility") in {"hidden", "collapse"} or told("mso-hide") == "all":
        return True
    if _ZERO.match(told("opacity", "1")) or _SHRUNK.search(told("transform", "")):
        return True
    if any(
        _pixels(told(side, "")) <= -_FAR
        for side in ("left", "top", "text-indent", "margin-left", "margin-top")
    ):
        return True
    if "rect" in told("clip", "") and all(
        float(n) <= 1 for n in re.findall(r"\d{1,9}", told("clip", "auto"))
    ):
        return "auto" not in told("clip", "")
    if _CLIPPED.search(told("clip-path", "")):
        return True
    cut = {told(name) for name in ("overflow", "overflow-x", "overflow-y")} & {"hidden", "clip"}
    return bool(cut) and any(
        0 <= _pixels(told(side, "")) <= 1 for side in ("height", "max-height", "width", "max-width")
    )


def _pixels(value: str) -> float:
    """A length; one that is not understood is neither small nor far."""
    match = _LENGTH.match(value)
    return float(match[1]) * _PIXELS[match[2] or "px"] if match else 100.0


@dataclass(frozen=True, slots=True)
class Ink:
    """What text inherits from the elements around it. Colours are None where nobody knows them."""

    without_size: bool = False
    colour: Colour | None = _BLACK
    ground: Colour | None = _WHITE
    clear: bool = False
    """Written in a colour that lets everything through."""

    @property
    def unseen(self) -> bool:
        """Whether text is not seen: too small, or in the colour of its ground."""
        if self.without_size:
            return True
        if self.ground is None:
            return False
        return self.clear or (
            self.colour is not None
            and all(abs(one - other) < _CONTRAST for one, other in zip(self.colour, self.ground, strict=True))
        )

    def within(self, style: Style) -> "Ink":
        """The same inside an element of this style."""
        ink = self
        if (size := _tiny(style, within=self.without_size)) is not None:
            ink = replace(ink, without_size=size)
        if (told := style.get("color")) is not None and told not in _INHERITED:
            ink = replace(ink, colour=_colour(told), clear=_is_clear(told))
        for name in ("background", "background-color", "background-image"):
            told = style.get(name)
            if told is not None and told not in _UNCHANGED and not _is_clear(told):
                ink = replace(ink, ground=_ground(told))
        return ink


_INHERITED = frozenset({"inherit", "currentcolor", "unset"})
_UNCHANGED = frozenset({"", "none", "inherit", "initial", "unset", "0", "0 0"})


def _tiny(style: Style, *, within: bool) -> bool | None:
    """Whether letters are too small to be read; None when nothing is said about it."""
    told = style.get("font-size", style.get("font"))
    if told is None:
        return None
    match = _FONT.search(told)
    if match is None:
        return within if told in {"inherit", "unset", "smaller", "larger"} else False
    if match[3]:
        return True
    size, unit = float(match[1]), match[2]
    least = {"px": 2.0, "pt": 1.5, "em": 0.12, "rem": 0.12, "%": 12.0}[unit]
    return size < least or (within and unit in {"em", "%"})


def _is_clear(told: str) -> bool:
    """Whether a colour lets (nearly) everything through."""
    if told == "transparent":
        return True
    if told.startswith("#") and len(told) in {5, 9}:
        return int(told[4] * 2 if len(told) == 5 else told[7:], 16) < 20 if _hexadecimal(told) else False
    match = re.fullmatch(r"(?:rgb|hsl)a?\([^()]*[,/]\s*(0?\.\d{1,9}|0|\d{1,3}%)\s*\)", told)
    if match is None or (told.count(",") == 2 and "/" not in told):
        return False
    share = float(match[1].rstrip("%")) / (100 if match[1].endswith("%") else 1)
    return share < 0.08


def _hexadecimal(told: str) -> bool:
    return bool(re.fullmatch(r"#[0-9a-f]{3,8}", told))


def _ground(told: str) -> Colour | None:
    """The colour of a background; pictures, gradients and what shines through are not known."""
    if "(" in told and not told.startswith("rgb"):
        return None
    for match in _FUNCTION.finditer(told):
        found = _colour(match[0])
        if found is not None:
            return found
    return None


def _colour(told: str) -> Colour | None:
    if told in _NAMES:
        return _NAMES[told]
    if _hexadecimal(told):
        if len(told) in {4, 5}:
            return (int(told[1] * 2, 16), int(told[2] * 2, 16), int(told[3] * 2, 16))
        return (int(told[1:3], 16), int(told[3:5], 16), int(told[5:7], 16)) if len(told) in {7, 9} else None
    match = re.fullmatch(
        r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})\s*(?:[,/]\s*(?:1|1\.0*|100%)\s*)?\)", told
    )
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


# --------------------------------------------------------------------------------------------- style sheets

_RULE = re.compile(r"[^{}]+|[{}]")
_TELLING = re.compile(
    r"display|visibility|opacity|mso-hide|font|color|background|transform|clip|text-indent|margin|left|top|height|width",
    re.IGNORECASE,
)
_SELECTOR = re.compile(r"[\w\s.#>*+~-]{1,200}")
"""Elements by names, classes, ids and where they stand; no states, which nothing has when a page is opened."""


def of_nodes(tree: Any, sheets: Iterable[str]) -> dict[int, dict[str, str]]:
    """What the style sheets of a page say of its elements on every device, by the address of a node."""
    from selectolax.lexbor import SelectolaxError

    found: dict[int, dict[str, str]] = {}
    matches = 0
    for _, selector, body in sorted(_rules(sheets), key=lambda rule: rule[0]):
        try:
            nodes = tree.css(selector)
        except SelectolaxError:
            continue
        matches += len(nodes)
        if matches > _MOST_MATCHES:
            break
        for node in nodes:
            found.setdefault(node.mem_id, {}).update(body)
    return found


def _rules(sheets: Iterable[str]) -> Iterator[tuple[tuple[int, int, int], str, dict[str, str]]]:
    """Specificity, selector and declarations of the rules that can hide something, in their order."""
    count = 0
    for selectors, body in _blocks(sheets):
        if not _TELLING.search(body):
            continue
        style = declared(body)
        for selector in map(str.strip, selectors.split(",")):
            if not _SELECTOR.fullmatch(selector):
                continue
            count += 1
            if count > _MOST_RULES:
                return
            weight = (
                selector.count("#"),
                selector.count("."),
                len(re.findall(r"(?:^|[\s>+~])[a-z]", selector, re.IGNORECASE)),
            )
            yield weight, selector, style


def _blocks(sheets: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Selectors and bodies of rules outside of ``@`` blocks."""
    for sheet in sheets:
        selector, depth, foreign = "", 0, False
        for piece in _RULE.findall(_without_comments(sheet)):
            if piece == "{":
                depth += 1
                foreign = foreign or selector.lstrip().startswith("@")
            elif piece == "}":
                depth = max(depth - 1, 0)
                foreign = foreign and depth > 0
            elif depth == 0:
                selector = piece.rsplit(";", 1)[-1].replace("<!--", "").replace("-->", "")
            elif not foreign:
                yield selector, piece


def _without_comments(sheet: str) -> str:
    """Linear also for a sheet of nothing but opened comments, unlike the obvious pattern."""
    first, *rest = sheet.split("/*")
    return " ".join([first, *(part.partition("*/")[2] for part in rest)])
