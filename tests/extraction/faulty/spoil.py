"""Faults of readers, put into right records: an invented value, two amounts swapped, a date shifted, a row dropped. Seeded."""

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from extraction.evidence.oracles import Text, scorable
from jsonschema.validators import validator_for

Path = tuple[str | int, ...]

RATES = {"invented": 0.15, "swapped": 0.5, "shifted": 0.5, "dropped": 0.5}
"""How often each fault is put in: invented values per leaf, the others once per record."""


@dataclass
class Spoiled:
    """A record with faults. ``changed`` says what was done at which leaf of it; ``rows`` are those left out."""

    record: Any
    changed: dict[Path, str] = field(default_factory=dict)
    rows: list[tuple[Path, int]] = field(default_factory=list)

    def source(self, path: Path) -> Path:
        """Where a leaf of the spoiled record stands in the right one."""
        for array, row in self.rows:
            size = len(array)
            at = path[size] if len(path) > size and path[:size] == array else -1
            if isinstance(at, int) and at >= row:
                path = (*array, at + 1, *path[size + 1 :])
        return path


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The leaves of a record, in order."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from walk(member, (*path, name))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from walk(item, (*path, at))
    else:
        yield path, value


def pointer(path: Path) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


def way(path: Path) -> tuple[str, ...]:
    """The path with a star for every item."""
    return tuple("*" if isinstance(step, int) else step for step in path)


def get(record: Any, path: Path) -> Any:
    for step in path:
        record = record[step]
    return record


def put(record: Any, path: Path, value: Any) -> None:
    get(record, path[:-1])[path[-1]] = value


class Donors:
    """What other documents of the same schema say at the same place."""

    def __init__(self, records: Sequence[Any]) -> None:
        self._known: dict[tuple[str, ...], list[Any]] = {}
        for record in records:
            for path, value in walk(record):
                if scorable(value):
                    self._known.setdefault(way(path), []).append(value)

    def foreign(self, path: Path, value: Any, text: Text, draw: random.Random) -> Any | None:
        """A value of the same type that does not stand in this document; None where nobody has one."""
        some = self._known.get(way(path), [])
        for other in draw.sample(some, min(len(some), 12)):
            if type(other) is type(value) and other != value and not text.holds(other):
                return other
        return None


class MadeUp(Donors):
    """For documents of which there is only one: values of the same kind, made up."""

    def __init__(self, schema: Any, record: Any) -> None:
        super().__init__([])
        self._validator = validator_for(schema)(schema)
        self._record = record

    def foreign(self, path: Path, value: Any, text: Text, draw: random.Random) -> Any | None:
        """Other digits and other letters in place of those that are there; no member of a closed list."""
        for _ in range(8):
            other = value
            if isinstance(value, str):
                other = "".join(_other(letter, draw) for letter in value)
            elif isinstance(value, float):
                other = round(value + draw.uniform(10, 900), 2)
            elif isinstance(value, int):
                other = value + draw.randint(1000, 9000)
            if len(str(other)) > 3 and other != value and not text.holds(other) and self._fits(path, other):
                return other
        return None

    def _fits(self, path: Path, value: Any) -> bool:
        """Whether the schema takes such a value: faults that it finds are not what is measured."""
        record = copy.deepcopy(self._record)
        put(record, path, value)
        return bool(self._validator.is_valid(record))


def _other(letter: str, draw: random.Random) -> str:
    if letter.isdecimal():
        return draw.choice("123456789") if letter != "0" else "0"
    return draw.choice("aeioulmnrst") if letter.islower() and letter.isascii() else letter


def invented(
    spoiled: Spoiled, donors: Donors, text: Text, draw: random.Random, *, rate: float | None
) -> None:
    """Values of other documents at this rate; None: one, at any leaf."""
    leaves = [
        (path, value)
        for path, value in walk(spoiled.record)
        if path not in spoiled.changed and scorable(value)
    ]
    if rate is None:
        draw.shuffle(leaves)
    for path, value in leaves:
        if rate is not None and draw.random() >= rate:
            continue
        other = donors.foreign(path, value, text, draw)
        if other is not None:
            put(spoiled.record, path, other)
            spoiled.changed[path] = "invented"
            if rate is None:
                return


def swapped(spoiled: Spoiled, draw: random.Random) -> None:
    """Two amounts that differ, of one column if there is one."""
    columns: dict[tuple[str, ...], list[Path]] = {}
    for path, value in walk(spoiled.record):
        if isinstance(value, float) and path not in spoiled.changed:
            columns.setdefault(way(path) if "*" in way(path) else ("",), []).append(path)
    pairs = [
        (one, other)
        for paths in columns.values()
        for one, other in pairwise(paths)
        if get(spoiled.record, one) != get(spoiled.record, other)
    ]
    if not pairs:
        return
    one, other = draw.choice(pairs)
    first, second = get(spoiled.record, one), get(spoiled.record, other)
    put(spoiled.record, one, second)
    put(spoiled.record, other, first)
    spoiled.changed[one] = spoiled.changed[other] = "swapped"


def shifted(spoiled: Spoiled, draw: random.Random) -> None:
    """A date some days earlier or later."""
    days: list[tuple[Path, date]] = []
    for path, value in walk(spoiled.record):
        if isinstance(value, str) and len(value) == 10 and path not in spoiled.changed:
            try:
                days.append((path, date.fromisoformat(value)))
            except ValueError:
                continue
    if days:
        path, day = draw.choice(days)
        put(
            spoiled.record,
            path,
            (day + timedelta(days=draw.choice([-1, 1]) * draw.randint(1, 40))).isoformat(),
        )
        spoiled.changed[path] = "shifted"


def dropped(spoiled: Spoiled, draw: random.Random) -> None:
    """One row of a list of rows."""
    lists = [
        path
        for path in _arrays(spoiled.record)
        if len(rows := get(spoiled.record, path)) > 1 and isinstance(rows[0], dict)
    ]
    if not lists:
        return
    array = draw.choice(lists)
    row = draw.randrange(len(get(spoiled.record, array)))
    del get(spoiled.record, array)[row]
    spoiled.rows.append((array, row))


def _arrays(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _arrays(member, (*path, name))
    elif isinstance(value, list):
        yield path
        for at, item in enumerate(value):
            yield from _arrays(item, (*path, at))


def all_of_them(record: Any, donors: Donors, text: Text, draw: random.Random) -> Spoiled:
    """Every kind of fault, at its rate."""
    spoiled = Spoiled(copy.deepcopy(record))
    if draw.random() < RATES["dropped"]:
        dropped(spoiled, draw)
    if draw.random() < RATES["swapped"]:
        swapped(spoiled, draw)
    if draw.random() < RATES["shifted"]:
        shifted(spoiled, draw)
    invented(spoiled, donors, text, draw, rate=RATES["invented"])
    return spoiled


def one(kind: str, record: Any, donors: Donors, text: Text, draw: random.Random) -> Spoiled | None:
    """A single fault; None where the record offers no place for it."""
    spoiled = Spoiled(copy.deepcopy(record))
    plain: dict[str, Callable[[Spoiled, random.Random], None]] = {
        "swapped": swapped,
        "shifted": shifted,
        "dropped": dropped,
    }
    if kind == "invented":
        invented(spoiled, donors, text, draw, rate=None)
    else:
        plain[kind](spoiled, draw)
    return spoiled if spoiled.changed or spoiled.rows else None
