"""The reader's rules for kinds, numbers and strings."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from service.registry.compatibility.facts import Facts, tighter
from service.registry.compatibility.scope import Break, Scope
from service.registry.compatibility.words import KINDS, Bound

_EVERYTHING = frozenset(["", "^", "$", ".*", "^.*", ".*$", "^.*$"])
"""Patterns that occur in every text."""


def kinds(scope: Scope) -> list[Break]:
    """``type``."""
    written, words = scope.facts.kinds, scope.words
    read = sorted(words.kinds)
    extra = written - words.kinds
    if extra:
        # With nothing in common the type has changed; else the reader reads less than is written.
        kind = "TYPE_NARROWED" if written & words.kinds else "TYPE_CHANGED"
        shown = " or ".join(sorted(extra)) if written != KINDS else "any kind of value"
        return [
            scope.broken(
                "type",
                kind,
                f"{shown} may be written, and {' or '.join(read)} is read",
                sorted(written),
                read,
            )
        ]
    if words.whole and "number" in written and not _is_whole(scope.facts):
        return [
            scope.broken(
                "type",
                "TYPE_NARROWED",
                "numbers with a fraction may be written, and only integers are read",
                "number",
                "integer",
            )
        ]
    return []


def _is_whole(facts: Facts) -> bool:
    return facts.whole or any(step.denominator == 1 for step in facts.multiples)


def values(scope: Scope) -> list[Break]:
    """``enum`` and ``const``, where what is written is not enumerated."""
    words = scope.words
    if words.values is not None:
        return [
            scope.broken(
                "enum",
                "ENUM_ARRAY_CHANGED",
                "only the listed values are read, and others may be written",
                read=words.values,
            )
        ]
    if words.refused is not None:
        return [
            scope.broken(
                "not", "NOT_TYPE_EXTENDED", "a value that is excluded here may be written", read=words.refused
            )
        ]
    return []


def numbers(scope: Scope) -> list[Break]:
    """``minimum`` and its siblings, ``multipleOf``."""
    facts, words = scope.facts, scope.words
    if "number" not in facts.kinds:
        return []
    found: list[Break] = []
    for name, side, upper in (("MINIMUM", "low", False), ("MAXIMUM", "high", True)):
        written: Bound | None = getattr(facts, side)
        read: Bound | None = getattr(words, side)
        if read is None or tighter(written, read, upper=upper) == written:
            continue
        if facts.whole and written is not None and _next(written, upper=upper) == _next(read, upper=upper):
            continue
        exclusive = "EXCLUSIVE_" if read[1] else ""
        keyword = f"{'exclusive' if read[1] else ''}{name.title() if read[1] else name.lower()}"
        change = "ADDED" if written is None else "DECREASED" if upper else "INCREASED"
        message = f"numbers {'above' if upper else 'below'} {_shown(read[0])} may be written and are not read"
        found.append(
            scope.broken(keyword, f"{exclusive}{name}_{change}", message, _limit(written), _limit(read))
        )
    step = words.multiple
    if step and not any((one / step).denominator == 1 for one in _steps(facts)):
        kind = "MULTIPLE_OF_CHANGED" if facts.multiples else "MULTIPLE_OF_ADDED"
        if any((step / one).denominator == 1 for one in facts.multiples if one):
            kind = "MULTIPLE_OF_EXPANDED"
        found.append(
            scope.broken(
                "multipleOf",
                kind,
                f"numbers that are no multiple of {_shown(step)} may be written",
                [_shown(one) for one in facts.multiples],
                _shown(step),
            )
        )
    return found


def _steps(facts: Facts) -> list[Fraction]:
    return [*facts.multiples, Fraction(1)] if facts.whole else facts.multiples


def _next(bound: Bound, *, upper: bool) -> int:
    """The last whole number that a bound admits."""
    value, excluded = bound
    if upper:
        last = value // 1
        return int(last) - (excluded and last == value)
    first = -(-value // 1)
    return int(first) + (excluded and first == value)


def no_number(facts: Facts) -> bool:
    """Whether no number is within the bounds."""
    low, high = facts.low, facts.high
    if low is None or high is None:
        return False
    if facts.whole:
        return _next(low, upper=False) > _next(high, upper=True)
    return low[0] > high[0] or (low[0] == high[0] and (low[1] or high[1]))


def _limit(bound: Bound | None) -> Any:
    return None if bound is None else _shown(bound[0])


def _shown(number: Fraction) -> Any:
    return int(number) if number.denominator == 1 else float(number)


def strings(scope: Scope) -> list[Break]:
    """``minLength``, ``maxLength``, ``pattern``, and ``format`` where it is asserted."""
    facts, words = scope.facts, scope.words
    if "string" not in facts.kinds:
        return []
    found = sizes(scope, "Length", "LENGTH")
    if words.pattern is not None and words.pattern not in facts.patterns | _EVERYTHING:
        kind = "PATTERN_CHANGED" if facts.patterns else "PATTERN_ADDED"
        found.append(
            scope.broken(
                "pattern",
                kind,
                "texts that do not match the pattern may be written, as far as can be told",
                sorted(facts.patterns),
                words.pattern,
            )
        )
    if scope.how == "RECORDS" and words.format is not None and words.format not in facts.formats:
        kind = "FORMAT_CHANGED" if facts.formats else "FORMAT_ADDED"
        found.append(
            scope.broken(
                "format",
                kind,
                f"texts that are no {words.format!r} may be written",
                sorted(facts.formats),
                words.format,
            )
        )
    return found


def sizes(scope: Scope, what: str, name: str) -> list[Break]:
    """The least and the most of a length or a count."""
    found: list[Break] = []
    least, most = scope.words.sizes.get(f"min{what}", 0), scope.words.sizes.get(f"max{what}")
    written = scope.facts.size(f"min{what}") or 0
    if written < least:
        kind = f"MIN_{name}_{'INCREASED' if scope.facts.size(f'min{what}') is not None else 'ADDED'}"
        found.append(scope.broken(f"min{what}", kind, f"fewer than {least} may be written", written, least))
    longest = scope.facts.size(f"max{what}")
    if most is not None and (longest is None or longest > most):
        kind = f"MAX_{name}_{'ADDED' if longest is None else 'DECREASED'}"
        found.append(scope.broken(f"max{what}", kind, f"more than {most} may be written", longest, most))
    return found


CHECKS: Sequence[Callable[[Scope], list[Break]]] = (kinds, values, numbers, strings)
