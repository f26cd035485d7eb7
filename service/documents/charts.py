"""Charts of slides and documents as tables: files keep the values that are drawn with the chart."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from service.documents.archive import Archive, Element, child, local, value
from service.documents.document import Table
from service.documents.errors import DocumentUnreadable
from service.documents.number_formats import dated, exact, formatted, of_code

_FIRST_DAY = dt.date(1899, 12, 30)
"""Day 0 of the serial numbers of days, as they count from March 1900 on."""

_NAMES, _VALUES = ("cat", "xVal"), ("val", "yVal")


@dataclass(frozen=True, slots=True)
class Charts:
    """The charts that a part refers to."""

    archive: Archive
    relations: Mapping[str, tuple[str, str]]

    def read(self, mark: Element) -> Table:
        """The chart that stands at ``mark``: a column a series, a row a category, the title in the corner.

        Empty where the chart cannot be read. Raises ``DocumentTooComplex``.
        """
        kind, member = self.relations.get(value(mark, "id") or "", ("", ""))
        try:
            root = self.archive.xml(member) if kind == "chart" else None
        except DocumentUnreadable:
            root = None  # Office too shows the rest
        if root is None:
            return ()
        series = [part for part in root.iter() if local(part) == "ser"]
        names = dict(point for one in series for point in _points(one, _NAMES))
        values = [dict(_points(one, _VALUES)) for one in series]
        head = (_title(root), *(_name(one) for one in series))
        rows = [
            (names.get(at, ""), *(column.get(at, "") for column in values))
            for at in sorted(names.keys() | {at for column in values for at in column})
        ]
        return (head, *rows) if any(head) else tuple(rows)


def _title(root: Element) -> str:
    chart = child(root, "chart")
    title = None if chart is None else child(chart, "title")
    return "" if title is None else " ".join("".join(_texts(title)).split())


def _name(series: Element) -> str:
    said = child(series, "tx")
    return "" if said is None else " ".join("".join(_texts(said)).split())


def _texts(parent: Element) -> Iterator[str]:
    return (part.text or "" for part in parent.iter() if local(part) in {"t", "v"})


def _points(series: Element, kinds: tuple[str, str]) -> Iterator[tuple[int, str]]:
    """(number, what is shown) of a series' categories or values; names on several levels are set side by side."""
    data = next((part for part in series if local(part) in kinds), None)
    levels: dict[int, list[str]] = {}
    code = ""
    for part in () if data is None else data.iter():
        if local(part) == "formatCode":
            code = part.text or ""
        elif local(part) == "pt":
            number, said = value(part, "idx") or "", child(part, "v")
            if number.isdecimal() and len(number) < 8 and said is not None:
                levels.setdefault(int(number), []).insert(0, _shown(said.text or "", code))
    return ((number, " ".join(said)) for number, said in levels.items())


def _shown(text: str, code: str) -> str:
    try:
        number = float(text)
    except ValueError:
        return text
    if dated(code) and 60 < number < 2_000_000:
        return (_FIRST_DAY + dt.timedelta(days=int(number))).isoformat()
    format = of_code(code)
    shown = None if format is None else formatted(number, format)
    return shown if shown is not None else exact(number) if abs(number) < 1e15 else text
