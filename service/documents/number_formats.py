"""Excel's number formats: what a reader calls the value of a cell.

Percent signs, units, currencies, leading zeros and codes such as ``000-00-0000`` are part of a value as it is read;
a file holds 0.175 for ``17.50%``. Digits are never rounded away, though, and thousands are not set apart: which marks a
reader sees there depends on the reader's country. A negative number keeps its sign where a format shows it by
parentheses or colour. The notation is that of ECMA-376, part 1, 18.8.30 and 18.8.31.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne
from typing import Literal

_LONGEST = 255
"""Characters of a format code; Excel takes no longer ones."""

_BUILT_IN: Mapping[int, str] = {
    2: "0.00",
    4: "#,##0.00",
    5: '"$"#,##0;-"$"#,##0',
    6: '"$"#,##0;-"$"#,##0',
    7: '"$"#,##0.00;-"$"#,##0.00',
    8: '"$"#,##0.00;-"$"#,##0.00',
    9: "0%",
    10: "0.00%",
    17: "mmm-yy",
    39: "#,##0.00;-#,##0.00",
    40: "#,##0.00;-#,##0.00",
    42: '"$"#,##0;-"$"#,##0',
    43: "#,##0.00;-#,##0.00",
    44: '"$"#,##0.00;-"$"#,##0.00',
}
"""Formats that files use without saying them, of those that change what is read."""

_TOKEN = re.compile(
    r"""
      "(?P<quoted>[^"]*)"? | \\(?P<escaped>.) | [_*](?P<space>.)   # a space as wide as a letter, or a letter that fills
    | \[\$(?P<currency>[^\]-]*)[^\]]*\] | \[(?P<condition>[<>=]+)(?P<limit>-?[0-9.]+)\] | \[(?P<brackets>[^\]]*)\]
    | (?P<general>general|@) | (?P<exponent>E[+-]) | (?P<digit>[0\#?]) | (?P<mark>[.,%;/]) | (?P<other>.)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "<": lt, "<=": le, ">": gt, ">=": ge, "=": eq, "<>": ne,
}  # fmt: skip
_OF_NEGATIVE = str.maketrans("", "", "()-−–△▲")
"""Signs of negative numbers that a format writes itself; a minus stands in their place."""

_MOST = 1e15
"""Numbers from here on have more digits than a file keeps of them."""

_DASH = re.compile(r"(?<!\w)[-–—](?!\w)")


@dataclass(frozen=True, slots=True)
class Shape:
    """How numbers are shown that one section of a format is for."""

    before: str = ""
    after: str = ""
    whole: int = 0
    """Least digits before the point."""
    decimals: int = 0
    """Least digits behind it."""
    scale: int = 0
    """The power of ten by which the shown number is larger: 2 for percent, -3 for thousands."""
    mask: str = ""
    """Digits (``0``) and what stands between them, where anything does."""
    number: bool = True
    """Whether the number is shown at all."""
    given: tuple[str, float] | None = None
    """The condition that a number has to meet."""
    date: Literal["year", "month", ""] = ""
    """The last part of a date that is shown, where it is not the day."""

    @property
    def plain(self) -> bool:
        """Whether numbers are shown as without a format."""
        return self.number and self.whole < 2 and self == Shape(whole=self.whole, given=self.given)


@dataclass(frozen=True, slots=True)
class Format:
    """Shapes of positive, negative numbers and zero, or by conditions; ``text`` is what texts are set into."""

    shapes: tuple[Shape, ...] = ()
    text: tuple[str, str] | Literal["hidden"] | None = None
    literal: str | None = None
    """What is shown whatever the cell holds."""


HIDDEN = Format(literal="")


def of_id(number: int, codes: Mapping[int, str]) -> Format | None:
    """The format of an id, by the codes that the file defines; None where it changes nothing that is read."""
    return of_code(codes.get(number) or _BUILT_IN.get(number, ""))


@lru_cache(maxsize=512)
def of_code(code: str) -> Format | None:
    """The format that a code says; None where it changes nothing that is read."""
    if not code or len(code) > _LONGEST:
        return None
    sections: list[list[re.Match[str]]] = [[]]
    for token in _TOKEN.finditer(code):
        if token["mark"] == ";":
            sections.append([])
        else:
            sections[-1].append(token)
    text: tuple[str, str] | Literal["hidden"] | None = None
    if len(sections) > 3 or any(token[0] == "@" for token in sections[-1]):
        shown = _shape(sections[3] if len(sections) > 3 else sections[-1])
        if not sections[3:] or sections[3]:
            text = (shown.before, shown.after)
        else:
            text = "hidden"
        if len(sections) > 1:
            sections = sections[: min(len(sections) - 1, 3)]
    if text == ("", ""):
        text = None
    shapes = _signed([_shape(section) for section in sections])
    if text is None and all(shape.plain for shape in shapes):
        return None
    return Format(shapes, text)


def _signed(shapes: list[Shape]) -> tuple[Shape, ...]:
    """The shapes, that of negative numbers without the signs that it writes itself."""
    told = any(shape.given for shape in shapes)
    for at, shape in enumerate(shapes):
        sign, limit = shape.given or ("<" if at == 1 and not told else ">", 0)
        if shape.number and sign.startswith("<") and limit <= 0:
            before, after = shape.before.translate(_OF_NEGATIVE), shape.after.translate(_OF_NEGATIVE)
            shapes[at] = replace(shape, before=before.lstrip(), after=after)
    return tuple(shapes)


def dated(code: str) -> bool:
    """Whether a code is one of days."""
    section = _Section()
    for token in _TOKEN.finditer(code[:_LONGEST].partition(";")[0]):
        section.take(token)
    return not section.numbered and not section.letters.isdisjoint("yd")


@dataclass(slots=True)
class _Section:
    """One section of a code, taken apart."""

    literals: list[str] = field(default_factory=lambda: [""])
    """What stands before the first digit, between digits, and behind the last."""
    digits: list[str] = field(default_factory=lambda: ["", ""])
    """Before and behind the point."""
    point: bool = False
    numbered: bool = False
    """Whether there are places for digits that are not shown as spaces."""
    raw: bool = False
    """Fractions and powers of ten: the number itself says it better."""
    commas: int = 0
    """How many stand behind the last digit."""
    scale: int = 0
    given: tuple[str, float] | None = None
    letters: set[str] = field(default_factory=set)
    """Those not quoted: of dates, where there is no number."""

    def take(self, token: re.Match[str]) -> None:
        literal = token["quoted"] or token["escaped"] or token["currency"] or ""
        if token["digit"]:
            self.numbered |= token[0] != "?"
            self.digits[self.point] += token[0]
            self.literals.append("")
            self.commas = 0
        elif token["general"]:
            self.raw = self.numbered = True
            self.literals.append("")
        elif token["condition"]:
            self.given = _condition(token["condition"], token["limit"])
        elif token["mark"] or token["exponent"]:
            self.point |= token[0] == "."
            self.commas += token[0] == ","
            self.scale += 2 * (token[0] == "%")
            self.raw |= token[0] == "/" or bool(token["exponent"])
            literal = "%" if token[0] == "%" else ""
        elif token["other"]:
            literal = token[0]
            self.letters.update(filter(str.isalpha, literal.lower()))
        self.literals[-1] += literal


def _condition(sign: str, limit: str) -> tuple[str, float] | None:
    try:
        return (sign, float(limit)) if sign in _COMPARED else None
    except ValueError:
        return None


def _shape(tokens: list[re.Match[str]]) -> Shape:
    """What one section says."""
    section = _Section()
    for token in tokens:
        section.take(token)
    literals, given = section.literals, section.given
    if not section.numbered and section.letters:
        return Shape(date=_last_part(section.letters), given=given)
    before, between, after = literals[0], literals[1:-1], literals[-1] if len(literals) > 1 else ""
    if not section.numbered:
        if _DASH.search(before + after):  # of nothing: not worth the number that it stands for
            before, after = before.translate(_OF_NEGATIVE), after.translate(_OF_NEGATIVE)
        elif len(literals) == 1:
            return Shape(before=before, number=False, given=given)
    mask = ""
    if any(between) and not (section.raw or section.point or section.commas):
        mask = "".join("0" + literal for literal in [*between, ""])
    return Shape(
        before=_one_line(before),
        after=_one_line(after),
        whole=0 if section.raw else section.digits[0].count("0"),
        decimals=0 if section.raw else section.digits[1].count("0"),
        scale=section.scale - (3 * section.commas if section.digits[0] else 0),
        mask=mask,
        given=given,
    )


def _last_part(letters: set[str]) -> Literal["year", "month", ""]:
    if "y" not in letters or not letters.isdisjoint("dge"):
        return ""
    return "month" if "m" in letters else "year"


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


Cell = str | float | bool | dt.datetime | dt.date | dt.time | dt.timedelta


def formatted(cell: Cell, format: Format) -> str | None:
    """The cell as it is read; None where the format says nothing of it."""
    if format.literal is not None:
        return format.literal
    if isinstance(cell, float | int) and not isinstance(cell, bool):
        return _number(cell, format.shapes) if abs(cell) < _MOST else None
    if isinstance(cell, str) and cell and format.text is not None:
        return "" if format.text == "hidden" else f"{format.text[0]}{cell}{format.text[1]}"
    if isinstance(cell, dt.date):  # also a datetime
        return {"year": f"{cell:%Y}", "month": f"{cell:%Y-%m}"}.get(format.shapes[0].date)
    return None


def exact(number: float) -> str:
    """The number in the 15 digits that Excel keeps: what is computed in binary has noise behind them."""
    text = f"{number:.15g}"
    return f"{Decimal(text):f}" if "e" in text else text


def _number(value: float, shapes: tuple[Shape, ...]) -> str:
    shape = _chosen(value, shapes)
    before, after = shape.before, shape.after
    if not shape.number:
        return before.strip()
    size = exact(abs(value))
    if shape.scale:
        size = f"{Decimal(size).scaleb(shape.scale):f}"
    whole, _, rest = size.partition(".")
    rest = rest.rstrip("0").ljust(shape.decimals, "0")
    if shape.mask and not rest:
        digits = _masked(whole, shape.mask)
    else:
        digits = whole.zfill(shape.whole) + ("." + rest if rest else "")
    return f"{'-' if value < 0 else ''}{before}{digits}{after}".strip()


def _chosen(value: float, shapes: tuple[Shape, ...]) -> Shape:
    if len(shapes) == 1:
        return shapes[0]
    if any(shape.given for shape in shapes):
        for shape in shapes:
            if shape.given is None or _COMPARED[shape.given[0]](value, shape.given[1]):
                return shape
        return shapes[-1]
    at = 0 if value > 0 else 1 if value < 0 else 2
    return shapes[at] if at < len(shapes) else shapes[0]


def _masked(digits: str, mask: str) -> str:
    """The digits from the right in the places of a mask, what is left over before them."""
    left = list(digits)
    made = [(left.pop() if left else "0") if place == "0" else place for place in reversed(mask)]
    return "".join(left) + "".join(reversed(made))


# ------------------------------------------------------------------------------ formats told by what they made

_CODE = re.compile(r"\d(?:.*\d)?")
_GROUPED = re.compile(r"\d+(?:[.,'’ \u00a0\u202f]\d+)*")
"""Digits with the separators of any country."""

_BETWEEN = re.compile(r"\D+")


def of_shown(text: str, kind: str, value: str) -> Format | None:
    """The format by which a number became ``text``; None where it says nothing more, or another number.

    ``kind`` is OpenDocument's: ``float``, ``percentage`` or ``currency``, or ``time``, whose values are no numbers.
    """
    if kind == "time":
        return Format(literal=text) if _CODE.search(text) else None
    try:
        number = float(value)
    except ValueError:
        return None
    found = _CODE.search(text)
    if found is None or not abs(number) < _MOST or not text.isprintable():
        return None
    before, digits, after = text[: found.start()], found[0], text[found.end() :]
    scale = 2 if kind == "percentage" else 0
    size = Decimal(exact(abs(number))).scaleb(scale)
    bare = _BETWEEN.sub("", digits)
    if number < 0:
        before, after = before.translate(_OF_NEGATIVE), after.translate(_OF_NEGATIVE)
    shape = Shape(before=_one_line(before), after=_one_line(after), scale=scale)
    point = _decimals(digits, size)
    if point is not None:
        whole = len(bare) - point
        shape = replace(shape, whole=whole if bare.startswith("0") else 0, decimals=point)
    elif bare.isascii() and size == size.to_integral_value() and int(bare) == size:
        shape = replace(shape, mask=re.sub(r"\d", "0", digits))
    else:
        return None
    return None if shape.plain else Format((shape,))


def _decimals(digits: str, size: Decimal) -> int | None:
    """How many digits stand behind the point of a number that was rounded to them; None where it is not that number."""
    bare = _BETWEEN.sub("", digits)
    if not bare.isascii() or not _GROUPED.fullmatch(digits):
        return None
    for decimals in (len(digits) - 1 - max(digits.rfind("."), digits.rfind(",")), 0):
        rounded = Decimal(bare).scaleb(-decimals)
        if decimals < len(bare) and abs(rounded - size) <= Decimal(5).scaleb(-decimals - 1):
            return decimals
    return None
