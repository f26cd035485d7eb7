"""A record that shows a difference: the writer may write it, and the reader refuses it. Bounded random search.

Records are made from what the writer says, with values that lie at the edges of what either schema says. What is
found has been checked by an independent validator; where nothing is found, nothing is claimed.
"""

import random
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from service.registry.compatibility.facts import Case, Facts, alternatives, facts_of
from service.registry.compatibility.values import kind_of
from service.registry.compatibility.words import Node, Source

_MAX_DEPTH = 8
_MAX_PARTS = 120
"""Values that one record is made of; beyond, members that need not be there are left out."""
_MOST_PARTS = 600
"""Values of one record, from which on even what is required is cut short: required members may branch without end."""
_MAX_MADE = 4_000
"""Values that all records of one search are made of."""
_TEXTS = (
    "",
    "a",
    "text",
    "2026-11-25",
    "2026-11-25T10:00:00Z",
    "ada@example.com",
    "https://example.com/a",
    "A1",
)
_NUMBERS = (0, 1, -1, 2, 1.5, 100)


class Maker:
    """Makes records that ``writer`` may write. Equal schemas make equal records."""

    def __init__(self, writer: Source, reader: Source) -> None:
        self._parts = self._made = 0
        self._known: dict[Case, Facts] = {}
        self._random = random.Random(20261125)  # noqa: S311 - it must repeat itself
        self._writer = writer
        self._constants = list(_constants(writer, reader))
        self._names = list(dict.fromkeys([*_names(reader), *_names(writer), "extra"]))[:64]

    def records(self, most: int) -> Iterator[Any]:
        """Records in no particular order; not all of them are valid."""
        for _ in range(most):
            if self._made > _MAX_MADE:
                return
            self._parts = 0
            yield self._value(Case.of(self._writer.root), 0)

    def _facts(self, case: Case) -> Facts:
        known = self._known.get(case)
        if known is None:
            known = self._known[case] = facts_of(case)
        return known

    def _value(self, case: Case, depth: int) -> Any:
        self._parts += 1
        self._made += 1
        facts = self._facts(case)
        for _ in range(_MAX_DEPTH):
            if not facts.choices:
                break
            parts = alternatives(case, *facts.choices[0])
            if not parts:
                break
            case = self._random.choice(parts)
            facts = self._facts(case)
        if facts.values:
            return self._random.choice(facts.values)
        if facts.never:
            return None
        kind = self._random.choice(sorted(facts.kinds))
        match kind:
            case "null":
                return None
            case "boolean":
                return self._random.random() < 0.5
            case "number":
                return self._number(facts)
            case "string":
                return self._text(facts)
            case "array":
                return self._array(facts, depth)
            case _:
                return self._object(facts, depth)

    def _number(self, facts: Facts) -> Any:
        near: list[Any] = [value for value in self._constants if kind_of(value) == "number"]
        near += _NUMBERS
        for bound in (facts.low, facts.high):
            if bound is not None:
                near += [_plain(bound[0]), _plain(bound[0] + 1), _plain(bound[0] - 1)]
        steps = [step for step in facts.multiples if step]
        if steps:
            near += [_plain(steps[0] * count) for count in (1, 2, 3, 7)]
        fitting = [value for value in near if _fits(value, facts)]
        return self._random.choice(fitting or near)

    def _text(self, facts: Facts) -> str:
        least, most = facts.size("minLength") or 0, facts.size("maxLength")
        texts = [value for value in self._constants if isinstance(value, str)]
        texts += _TEXTS
        texts += [pattern.strip("^$") for pattern in facts.patterns]
        length = self._random.choice([least, least + 1, most if most is not None else least + 40])
        texts.append("x" * min(length, 5000))
        fitting = [text for text in texts if least <= len(text) and (most is None or len(text) <= most)]
        return self._random.choice(fitting or texts)

    def _array(self, facts: Facts, depth: int) -> list[Any]:
        least, most = facts.size("minItems") or 0, facts.size("maxItems")
        length = self._random.choice([least, least + 1, facts.length_of_prefix(), least + 3])
        length = min(length if self._may_grow(depth) else least, 40 if most is None else min(most, 40))
        return [self._part(facts.item(index), depth) for index in range(length)]

    def _object(self, facts: Facts, depth: int) -> dict[str, Any]:
        names = list(facts.required)
        if self._may_grow(depth):
            names += [name for name in facts.declared() if self._random.random() < 0.6]
            others = facts.others()
            if others is None or not self._facts(others).never:
                names += [name for name in self._names if self._random.random() < 0.2]
        made: dict[str, Any] = {}
        for name in dict.fromkeys(names):
            case = facts.member(name)
            if case is None or not self._facts(case).never:
                made[name] = self._part(case, depth)
        return made

    def _may_grow(self, depth: int) -> bool:
        return depth < _MAX_DEPTH and self._parts < _MAX_PARTS

    def _part(self, case: Case | None, depth: int) -> Any:
        if case is None or depth > 4 * _MAX_DEPTH or self._parts > _MOST_PARTS:
            return self._random.choice([None, 1, "a", *self._constants[:20]])
        return self._value(case, depth + 1)


def _fits(value: Any, facts: Facts) -> bool:
    exact = Fraction(str(value))
    low, high = facts.low, facts.high
    return not (
        (facts.whole and exact.denominator != 1)
        or (low is not None and (exact < low[0] or (low[1] and exact == low[0])))
        or (high is not None and (exact > high[0] or (high[1] and exact == high[0])))
        or any(step and (exact / step).denominator != 1 for step in facts.multiples)
    )


def _plain(number: Fraction) -> Any:
    return int(number) if number.denominator == 1 else float(number)


def _constants(*sources: Source) -> Iterator[Any]:
    """Values that either schema names, and what lies just outside of its limits."""
    for source in sources:
        for node in _nodes(source):
            words = source.words(node)
            yield from (words.values or [])[:20]
            for bound in (words.low, words.high):
                if bound is not None:
                    yield from (_plain(bound[0]), _plain(bound[0] - 1), _plain(bound[0] + 1))
            for keyword, size in words.sizes.items():
                if keyword.endswith("Length"):
                    yield from ("x" * min(max(length, 0), 5000) for length in (size, size - 1, size + 1))
            if words.pattern is not None:
                yield words.pattern.strip("^$")


def _names(source: Source) -> Iterator[str]:
    for node in _nodes(source):
        yield from source.words(node).properties


def _nodes(source: Source) -> Iterable[Node]:
    return [source.node(site) for site in source.documents.sites[:400] if isinstance(site.schema, dict)]
