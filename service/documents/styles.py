"""Which styles of a web page hide text from its reader. Pure.

Not a style engine: inline styles, and rules of style sheets with a single class or id. What depends on the device
(``@media``) is not judged. What is inherited and may be overridden inside (size, colour) is kept apart from what is not.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_GONE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|opacity\s*:\s*0*\.?0+(?![.\d])"
    r"|(?:left|top|text-indent)\s*:\s*-\d{4,}",
    re.IGNORECASE,
)
_SIZE = re.compile(r"(?:^|[;\s{])font(?:-size)?\s*:\s*([^;}]+)", re.IGNORECASE)
_COLOUR = re.compile(r"(?:^|[;\s{])color\s*:\s*([^;}!]+)", re.IGNORECASE)
_NOTHING = re.compile(r"0*\.?0+(?![.\d])\s*(?:px|pt|em|rem|%)?(?:$|[\s/!])")
_WHITE = frozenset({"white", "#fff", "#ffffff", "rgb(255,255,255)", "rgba(255,255,255,1)", "transparent"})
_RULE = re.compile(r"[^{}]+|[{}]")
_NAME = re.compile(r"(?:[a-z][a-z0-9]*)?([.#])([A-Za-z_][\w-]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ink:
    """What text inherits from the elements around it."""

    without_size: bool = False
    white: bool = False

    def within(self, style: str) -> "Ink":
        """The same inside an element of this style."""
        size = _SIZE.search(style)
        colour = _COLOUR.search(style)
        return Ink(
            without_size=self.without_size if size is None else bool(_NOTHING.match(size[1].strip())),
            white=self.white if colour is None else "".join(colour[1].lower().split()) in _WHITE,
        )


def gone(style: str) -> bool:
    """Whether an element of this style, with all that is in it, is not shown."""
    return bool(_GONE.search(style))


def gone_names(sheets: Iterator[str]) -> frozenset[str]:
    """Classes (``.name``) and ids (``#name``) that the style sheets hide on every device."""
    names: set[str] = set()
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
                selector = piece.rsplit(";", 1)[-1]
            elif not foreign and gone(piece):
                marks = (_NAME.fullmatch(part.strip()) for part in selector.split(","))
                names.update(mark[1] + mark[2] for mark in marks if mark)
    return frozenset(names)


def _without_comments(sheet: str) -> str:
    """Linear also for a sheet of nothing but opened comments, unlike the obvious pattern."""
    first, *rest = sheet.split("/*")
    return " ".join([first, *(part.partition("*/")[2] for part in rest)])
