"""The words by which values are found in printed lines. Pure.

Values are compared by their letters and digits alone (1280.5 is printed ``1.280,50``, 2025-05-01 ``01.05.2025``), so no
language or country has to be known.
"""

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str | int, ...]
"""Where a leaf stands in its row: names of members, numbers of items."""

_TOKEN = re.compile(
    r"\d[\d.,'’\u00a0\u202f]*\d|\d|[\u0e00-\u0eff\u2e80-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]"
    r"|[^\W\d_\u0e00-\u0eff\u2e80-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]+"
)
_DIGITS = re.compile(r"\d+")
_SPACED = re.compile(r"(?<![\d.,])\d{1,3}(?: \d{3})+(?:[.,]\d+)?(?!\d)")
"""A number whose thousands are set apart by spaces."""

_ISO_DATE = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?(?:[T ].*)?")
_LONG = 5
"""Items from which a list of single values is taken for a list of rows."""

_TEXT = 60
"""Characters of a text that fills a line of its own: a list of such is no row of cells."""

_FIRST = 10
"""Words of a leaf by which it is looked for: a long text goes on over lines, and stands where it begins."""

_BEGINS = 3
"""Words of a text's first line by which it is found."""


def words_of(text: str) -> list[str]:
    """The words of a printed line; of a number its digits, of a date its parts as well."""
    found: list[str] = []
    text = unicodedata.normalize("NFKC", text)
    spaced = {match.start(): match[0] for match in _SPACED.finditer(text)} if " " in text else {}
    for match in _TOKEN.finditer(text):
        word = match[0]
        if match.start() in spaced:
            found.append(_digits(spaced[match.start()]))
        if word[0].isdigit():
            found.append(_digits(word))
            parts = _DIGITS.findall(word)
            if len(parts) > 2:
                found += [_digits(part) for part in parts]
        else:
            found.append(word.casefold())
    return found


def words_in(value: Any) -> list[str]:
    """The words by which a leaf is found; none for a boolean and for null."""
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, int | float):
        return [_digits(_plain(value))]
    if isinstance(value, str):
        date = _ISO_DATE.fullmatch(value.strip())
        if date is not None:
            return [_digits(part) for part in date.groups() if part]
        first = words_of(value.lstrip()[: 40 * _FIRST].partition("\n")[0])
        # A text of several lines begins with the first of them, where that says enough.
        return (first if len(first) >= _BEGINS else words_of(value[: 40 * _FIRST]))[:_FIRST]
    return []


def _plain(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return ""
    text = repr(value)
    return format(value, ".10f") if "e" in text else text


def _digits(text: str) -> str:
    """The significant digits: without separators, without zeros at either end."""
    digits = "".join(
        str(unicodedata.digit(sign))
        for sign in text
        if sign.isdigit() and unicodedata.digit(sign, None) is not None
    )
    return digits.strip("0") or "0"


def leaves(value: Any, path: Path = (), *, lists: bool = True) -> Iterator[tuple[Path, Any]]:
    """The leaves of a value that say something. Without ``lists``, those in its lists of rows are left out."""
    if isinstance(value, Mapping):
        for name, child in value.items():
            if lists or not (isinstance(child, list) and _is_list_of_rows(child)):
                yield from leaves(child, (*path, name), lists=lists)
    elif isinstance(value, list):
        if lists or not _has_items(value):
            for number, child in enumerate(value):
                yield from leaves(child, (*path, number), lists=lists)
    elif value is not None and value != "":
        yield path, value


def _is_list_of_rows(value: list[Any]) -> bool:
    """Whether each item has a place of its own; a few names or figures are cells of the row they stand in."""
    return (
        _has_items(value)
        or len(value) >= _LONG
        or any(isinstance(item, str) and len(item) >= _TEXT for item in value)
    )


def _has_items(value: list[Any]) -> bool:
    return any(isinstance(item, Mapping | list) for item in value)


def nested(row: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """The lists of rows in a row, each with the names that lead to it."""
    if isinstance(row, list):
        if any(isinstance(item, Mapping) for item in row):
            yield path, row
    elif isinstance(row, Mapping):
        for name, child in row.items():
            if isinstance(child, list) and _is_list_of_rows(child):
                yield (*path, name), child
            elif isinstance(child, Mapping):
                yield from nested(child, (*path, name))


def has_lists(value: Any) -> bool:
    """Whether a value, or an object in it, has a list with something in it."""
    if isinstance(value, Mapping):
        return any(has_lists(child) for child in value.values())
    return isinstance(value, list) and bool(value)
