"""Which rules of its schema a record breaks. Pure; ``registry.rules`` says what the rules mean.

Numbers are compared as decimals, as they were written: no cent is lost to binary fractions. Every rule is held at each
item that its stars name, with a bound on the work of all rules together.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Context, Decimal, localcontext
from functools import lru_cache
from itertools import pairwise
from typing import Any

from service.extraction import checksums
from service.extraction.validate import Finding, matches
from service.foundation import jsontext
from service.registry import kinds
from service.registry.places import Place

_MAX_FINDINGS = 50
_MAX_WORK = 1_000_000
"""Values looked at for all rules of one record: seconds at most. Two unrelated lists multiply."""

_EXACT = Context(prec=80)
_NUMBER = re.compile(r"\s*[-+]?\d{1,40}(\.\d{1,40})?\s*\Z", re.ASCII)
_MOMENT = re.compile(
    r"\s*(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?)?\s*\Z",
    re.ASCII | re.IGNORECASE,
)
_CLOCK = re.compile(r"\s*(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*\Z", re.ASCII)

_Steps = tuple[str | None, ...]
_Key = str | int


@dataclass(frozen=True, slots=True)
class _Item:
    """Which item each star of a rule's scope means, by the number of its step."""

    scope: _Steps
    keys: Mapping[int, _Key]


@lru_cache(maxsize=4096)
def _known(place: Place, scope: _Steps) -> frozenset[int]:
    """The steps of a place whose star is one of the scope's."""
    return frozenset(
        index
        for index, step in enumerate(place.steps)
        if step is None and place.steps[: index + 1] == scope[: index + 1]
    )


class _Unreadable(ValueError):
    """A value that should be a number or a date and is not."""

    def __init__(self, pointer: str) -> None:
        super().__init__(pointer)
        self.pointer = pointer


class _TooMuch(Exception):
    """The bound on work is reached."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A value and where it stands."""

    keys: Sequence[_Key]
    value: Any

    @property
    def pointer(self) -> str:
        """As a JSON Pointer."""
        return _pointer(self.keys)


_EVERYWHERE = _Item((), {})


def broken(rules: Sequence[kinds.Rule], record: Any) -> list[Finding]:
    """A finding for each place where a rule does not hold; at most fifty."""
    view = _View(record)
    found: list[Finding] = []
    with localcontext(_EXACT):
        for rule in rules:
            try:
                for item in view.items(rule.scope):
                    if rule.when is None or view.holds(rule.when, item):
                        found += _checked(rule, view, item)
                    if len(found) >= _MAX_FINDINGS:
                        return found[:_MAX_FINDINGS]
            except _TooMuch:
                found.append(
                    Finding("", rule.kind, "could not be checked: the record is too large", "warning")
                )
                return found
    return found


def _checked(rule: kinds.Rule, view: "_View", item: _Item) -> list[Finding]:
    try:
        return list(_CHECKS[type(rule)](rule, view, item))
    except _Unreadable as bad:
        return [_finding(rule, bad.pointer, "is not a number or date that can be compared", (bad.pointer,))]


def _finding(rule: kinds.Rule, pointer: str, message: str, places: Iterable[str]) -> Finding:
    return Finding(pointer, rule.kind, rule.message or message, rule.severity, tuple(places))


class _View:
    """A record, and how much of it may still be looked at."""

    def __init__(self, record: Any) -> None:
        self._record = record
        self._left = _MAX_WORK

    def items(self, scope: _Steps) -> Iterator[_Item]:
        """Each item that the stars of a scope name."""
        if not scope:
            yield _EVERYWHERE
            return
        stars = [index for index, step in enumerate(scope) if step is None]
        for keys, _ in self._walk(self._record, scope, 0, {}, ()):
            yield _Item(scope, {index: keys[index] for index in stars})

    def all(self, place: Place, item: _Item) -> Iterator[_Found]:
        """Every value that a place names. Of what the record does not have, nothing."""
        keys = {index: item.keys[index] for index in _known(place, item.scope)} if item.keys else item.keys
        for found, value in self._walk(self._record, place.steps, 0, keys, ()):
            yield _Found(found, value)

    def one(self, place: Place, item: _Item) -> _Found:
        """The value at a place all of whose stars are known; None where there is nothing."""
        keys = [item.keys.get(index, "*") if step is None else step for index, step in enumerate(place.steps)]
        node = self._record
        self._left -= len(keys)
        if self._left < 0:
            raise _TooMuch
        for key in keys:
            node = _child(node, key)
            if node is _ABSENT:
                return _Found(keys, None)
        return _Found(keys, node)

    def number(self, operand: kinds.Operand, item: _Item) -> Decimal | None:
        """A number; None for what is not there."""
        return operand if isinstance(operand, Decimal) else _decimal(self.one(operand, item))

    def holds(self, condition: kinds.Condition, item: _Item) -> bool:
        """Whether a condition holds at an item."""
        match condition:
            case kinds.Every(of=inner):
                return all(self.holds(one, item) for one in inner)
            case kinds.Some(of=inner):
                return any(self.holds(one, item) for one in inner)
            case kinds.Not(of=one):
                return not self.holds(one, item)
            case kinds.Test():
                return self._test(condition, item)

    def _test(self, test: kinds.Test, item: _Item) -> bool:
        found = self.one(test.field, item)
        if test.present is not None and (found.value is not None) is not test.present:
            return False
        if test.one_of is not None and not any(_same(found.value, wanted) for wanted in test.one_of):
            return False
        if test.at_least is None and test.at_most is None:
            return True
        try:
            number = _decimal(found)
        except _Unreadable:
            return False
        return number is not None and (
            (test.at_least is None or number >= test.at_least)
            and (test.at_most is None or number <= test.at_most)
        )

    def _walk(
        self, node: Any, steps: _Steps, at: int, known: Mapping[int, _Key], keys: tuple[_Key, ...]
    ) -> Iterator[tuple[tuple[_Key, ...], Any]]:
        self._left -= 1
        if self._left < 0:
            raise _TooMuch
        while at < len(steps):
            step: _Key | None = steps[at]
            if step is None:
                step = known.get(at)
            if step is None:
                for name in _keys(node):
                    yield from self._walk(node[name], steps, at + 1, known, (*keys, name))
                return
            node = _child(node, step)
            if node is _ABSENT:
                return
            keys = (*keys, step)
            at += 1
        yield keys, node


_ABSENT = object()


def _keys(node: Any) -> Sequence[_Key]:
    if isinstance(node, list):
        return range(len(node))
    return list(node) if isinstance(node, dict) else ()


def _child(node: Any, key: _Key) -> Any:
    if isinstance(node, dict):
        return node.get(key, _ABSENT)
    if isinstance(node, list):
        if isinstance(key, str):
            key = int(key) if key.isascii() and key.isdigit() and len(key) < 10 else len(node)
        return node[key] if key < len(node) else _ABSENT
    return _ABSENT


def _pointer(keys: Sequence[_Key]) -> str:
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)


# ------------------------------------------------------------------------------------------------------------- values


def _decimal(found: _Found) -> Decimal | None:
    value = found.value
    match value:
        case None:
            return None
        case bool():
            raise _Unreadable(found.pointer)
        case int():
            return Decimal(value)
        case float():
            return Decimal(repr(value))
        case str() if _NUMBER.match(value):
            return Decimal(value.strip())
    raise _Unreadable(found.pointer)


def _close(one: Decimal, other: Decimal, tolerance: kinds.Tolerance) -> bool:
    return abs(one - other) <= max(tolerance.amount, tolerance.share * abs(other))


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 is 1.0 and not true; texts but for white space at the ends."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, str) and isinstance(other, str):
        return one.strip() == other.strip()
    return bool(one == other)


def _moment(found: _Found) -> tuple[str, tuple[Any, ...]] | None:
    """What can be put in order: its kind, and its parts from the largest to the smallest that is stated."""
    value = found.value
    if value is None:
        return None
    if isinstance(value, str):
        clock = _CLOCK.match(value)
        if clock:
            return "time", tuple(int(part) for part in clock.groups() if part is not None)
        moment = _MOMENT.match(value)
        if moment:
            return "date", _date_parts(value.strip(), moment)
    number = _decimal(found)
    return None if number is None else ("number", (number,))


def _date_parts(text: str, moment: re.Match[str]) -> tuple[int, ...]:
    if moment[7] is not None:
        try:
            at = datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass  # not a day of the calendar: `format` says so; its parts can be compared all the same
        else:
            return (at.year, at.month, at.day, at.hour, at.minute, at.second)
    return tuple(int(part) for part in moment.groups()[:6] if part is not None)


def _compare(one: tuple[str, tuple[Any, ...]], other: tuple[str, tuple[Any, ...]], pointer: str) -> int:
    """Negative, zero or positive, as far as both are stated: 2026-11 and 2026-11-03 are level."""
    if one[0] != other[0] and all(len(parts) == 1 for _, parts in (one, other)):
        one, other = ("number", one[1]), ("number", other[1])  # four digits may be a year or any number
    if one[0] != other[0]:
        raise _Unreadable(pointer)
    length = min(len(one[1]), len(other[1]))
    left, right = one[1][:length], other[1][:length]
    return (left > right) - (left < right)


# ------------------------------------------------------------------------------------------------------------- checks


def _sum(rule: kinds.Sum, view: _View, item: _Item) -> Iterator[Finding]:
    stated = view.number(rule.equals, item)
    total = _added(view, (rule.of,), item, rule.missing)
    if stated is not None and total is not None and not _close(total, stated, rule.tolerance):
        yield _unequal(view, rule, (rule.of,), item, f"is not the sum of {rule.of}")


def _total(rule: kinds.Total, view: _View, item: _Item) -> Iterator[Finding]:
    stated = view.number(rule.equals, item)
    plus = _added(view, rule.plus, item, rule.missing)
    minus = _added(view, rule.minus, item, rule.missing) if rule.minus else Decimal(0)
    if minus is None and rule.missing == "zero":
        minus = Decimal(0)
    if stated is None or plus is None or minus is None:
        return
    if not _close(plus - minus, stated, rule.tolerance):
        less = "".join(f" - {operand}" for operand in rule.minus)
        text = f"is not {' + '.join(map(str, rule.plus))}{less}"
        yield _unequal(view, rule, (*rule.plus, *rule.minus), item, text)


def _product(rule: kinds.Product, view: _View, item: _Item) -> Iterator[Finding]:
    stated = view.number(rule.equals, item)
    total = Decimal(1)
    for operand in rule.of:
        number = view.number(operand, item)
        if number is None:
            return
        total *= number
    if stated is not None and not _close(total, stated, rule.tolerance):
        yield _unequal(view, rule, rule.of, item, f"is not {' × '.join(map(str, rule.of))}")


def _percentage(rule: kinds.Percentage, view: _View, item: _Item) -> Iterator[Finding]:
    stated = view.number(rule.equals, item)
    percent = view.number(rule.percent, item)
    base = view.number(rule.of, item)
    if stated is None or percent is None or base is None:
        return
    if not _close(percent * base / 100, stated, rule.tolerance):
        yield _unequal(view, rule, (rule.percent, rule.of), item, f"is not {rule.percent} % of {rule.of}")


_Stated = kinds.Sum | kinds.Total | kinds.Product | kinds.Percentage | kinds.Count


def _unequal(
    view: _View, rule: _Stated, operands: Sequence[kinds.Operand], item: _Item, text: str
) -> Finding:
    """A finding at what is stated; the places that it is reckoned from come along. Whole lists: a row may be missing."""
    places = [_list_of(operand, item) for operand in operands if isinstance(operand, Place)]
    at = view.one(rule.equals, item).pointer if isinstance(rule.equals, Place) else places[0]
    columns = [
        str(operand) for operand in operands if isinstance(operand, Place) and operand.stars and not item.keys
    ]
    return replace(_finding(rule, at, text, dict.fromkeys((at, *places))), columns=tuple(columns))


def _list_of(place: Place, item: _Item) -> str:
    known = _known(place, item.scope)
    keys: list[_Key] = []
    for index, step in enumerate(place.steps):
        if step is None and index not in known:
            break
        keys.append(item.keys[index] if step is None else step)
    return _pointer(keys)


def _added(
    view: _View, operands: Sequence[kinds.Operand], item: _Item, missing: kinds.Missing
) -> Decimal | None:
    """The sum of everything there; None where nothing is, or where something is missing that counts."""
    total, some = Decimal(0), False
    for operand in operands:
        if isinstance(operand, Decimal):
            numbers: list[Decimal | None] = [operand]
        else:
            numbers = [_decimal(found) for found in view.all(operand, item)]
            if not numbers and missing == "skip":
                return None
        for number in numbers:
            if number is None and missing == "skip":
                return None
            total += number or 0
            some = some or number is not None
    return total if some else None


def _running(rule: kinds.Running, view: _View, item: _Item) -> Iterator[Finding]:
    start = None if rule.start is None else view.number(rule.start, item)
    amounts = {_row(found, rule.of): _decimal(found) for found in view.all(rule.of, item)}
    expected = start
    columns = () if item.keys else tuple(dict.fromkeys((str(rule.equals), str(rule.of))))
    for found in view.all(rule.equals, item):
        amount = amounts.get(_row(found, rule.equals))
        stated = _decimal(found)
        expected = None if expected is None or amount is None else expected + amount
        if expected is not None and stated is not None and not _close(expected, stated, rule.tolerance):
            text = f"is not the balance before it and {rule.of}"
            lists = dict.fromkeys(_list_of(place, item) for place in (rule.equals, rule.of))
            yield replace(_finding(rule, found.pointer, text, lists), columns=columns)
        # Each item is held against the one before it, so that one slip is one finding and not one for each row below.
        if stated is not None:
            expected = stated


def _row(found: _Found, place: Place) -> _Key:
    """The item that a value belongs to."""
    return found.keys[len(place.stars[-1]) - 1]


def _count(rule: kinds.Count, view: _View, item: _Item) -> Iterator[Finding]:
    stated = view.number(rule.equals, item)
    if stated is None or not any(True for _ in view.all(_container(rule.of), item)):
        return
    if sum(1 for _ in view.all(rule.of, item)) != stated:
        yield _unequal(view, rule, (rule.of,), item, f"is not the number of items at {rule.of}")


def _container(place: Place) -> Place:
    return Place(place.stars[-1][:-1])


def _equal(rule: kinds.Equal, view: _View, item: _Item) -> Iterator[Finding]:
    left, right = view.one(rule.left, item), view.one(rule.right, item)
    if left.value is None or right.value is None or _says_the_same(left, right, rule.tolerance):
        return
    yield _finding(rule, left.pointer, f"is not what {rule.right} says", (left.pointer, right.pointer))


def _says_the_same(left: _Found, right: _Found, tolerance: kinds.Tolerance) -> bool:
    try:
        one, other = _decimal(left), _decimal(right)
    except _Unreadable:
        if isinstance(left.value, str) and isinstance(right.value, str):
            return " ".join(left.value.split()).casefold() == " ".join(right.value.split()).casefold()
        return _same(left.value, right.value)
    return one is not None and other is not None and _close(one, other, tolerance)


def _order(rule: kinds.Order, view: _View, item: _Item) -> Iterator[Finding]:
    along = len(rule.of) == 1
    found = list(view.all(rule.of[0], item)) if along else [view.one(place, item) for place in rule.of]
    stated = [(one, moment) for one in found if (moment := _moment(one)) is not None]
    pairs = [
        (before[0], after[0], _compare(before[1], after[1], after[0].pointer))
        for before, after in pairwise(stated)
    ]
    signs = {"ascending": (1,), "descending": (-1,), "either": (1, -1)}[rule.direction]
    # Of both directions the one that fewer pairs break is meant.
    wrong = min(
        ([pair for pair in pairs if pair[2] == sign or (rule.strict and pair[2] == 0)] for sign in signs),
        key=len,
    )
    for before, after, _ in wrong:
        yield _finding(
            rule, after.pointer, f"is out of order with {before.pointer}", (after.pointer, before.pointer)
        )


def _requires(rule: kinds.Requires, view: _View, item: _Item) -> Iterator[Finding]:
    if view.holds(rule.then, item):
        return
    places = [view.one(place, item).pointer for place in kinds.places_in(rule.then)]
    yield _finding(rule, places[0], "does not meet the condition that holds here", dict.fromkeys(places))


def _checksum(rule: kinds.Checksum, view: _View, item: _Item) -> Iterator[Finding]:
    found = view.one(rule.of, item)
    if found.value is None:
        return
    plain = isinstance(found.value, str | int) and not isinstance(found.value, bool)
    if not plain or not checksums.holds(rule.of_kind, found.value):
        name = rule.of_kind.replace("_", " ").upper()
        yield _finding(rule, found.pointer, f"has wrong check digits for {name}", (found.pointer,))


def _pattern(rule: kinds.Pattern, view: _View, item: _Item) -> Iterator[Finding]:
    found = view.one(rule.of, item)
    if isinstance(found.value, str) and not matches(rule.pattern, found.value):
        yield _finding(rule, found.pointer, "does not match the pattern of the rule", (found.pointer,))


def _unique(rule: kinds.Unique, view: _View, item: _Item) -> Iterator[Finding]:
    seen: dict[bytes, str] = {}
    for found in view.all(rule.of, item):
        if found.value is None:
            continue
        first = seen.setdefault(jsontext.canonical(found.value), found.pointer)
        if first != found.pointer:
            yield _finding(rule, found.pointer, f"repeats {first}", (first, found.pointer))


_Check = Callable[[Any, _View, _Item], Iterator[Finding]]
_CHECKS: Mapping[type[kinds.Rule], _Check] = {
    kinds.Sum: _sum,
    kinds.Product: _product,
    kinds.Percentage: _percentage,
    kinds.Total: _total,
    kinds.Running: _running,
    kinds.Count: _count,
    kinds.Equal: _equal,
    kinds.Order: _order,
    kinds.Requires: _requires,
    kinds.Checksum: _checksum,
    kinds.Pattern: _pattern,
    kinds.Unique: _unique,
}
