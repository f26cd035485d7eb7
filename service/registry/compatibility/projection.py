"""A record for a reader of another version (``as_version``): what RECORDS promises of a compatible change, made true."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from service.foundation.errors import Fault, Unprocessable
from service.registry.compatibility.facts import Case, Facts, alternatives, facts_of
from service.registry.compatibility.judge import Judge
from service.registry.compatibility.values import TooDeep, admits, matches
from service.registry.compatibility.words import Node, Source

_MAX_DEPTH = 200
_MAX_BRANCHES = 64
_KEPT_FACTS = 2048
"""Cases whose facts one projection keeps: what follows from a schema is the same for every record."""


class NotProjectable(Unprocessable):
    """The record cannot be read by the version that was asked for."""

    code = "not_projectable"
    title = "The record does not fit the version that was asked for"
    hint = "Read the record as the version it was made with; `errors` names what the older one refuses."


class Projection:
    """Turns records of ``writer`` into records of ``reader``. Made once for a pair of versions; safe to share.

    Members that the reader does not know, or that the writer does not declare, are left out; members that the reader
    declares, that admit null and that are not there become null. Everything else stays as it is. Members that nobody
    declares stay too where the record would not be valid without them. Raises
    ``service.strict.SchemaRefused`` for what is no schema.
    """

    def __init__(self, writer: Any, reader: Any) -> None:
        self._writer = Source(writer, 0)
        self._reader = Source(reader, 1)
        self._facts = lru_cache(_KEPT_FACTS)(facts_of)
        self._judge = Judge(reader, self._reader.dialect.draft, formats=True)

    def apply(self, record: Any) -> Any:
        """The record as the reader knows it. Raises ``NotProjectable``."""
        roots = Case.of(self._writer.root), Case.of(self._reader.root)
        # Null for every member that may be null, unless that itself breaks a rule of the reader. Then with members that
        # nobody declares, where the reader is open to them: without them, items that must differ may be equal.
        for keep, fill in ((False, True), (False, False), (True, True), (True, False)):
            try:
                projected = _Pass(self._facts, fill_optional=fill, keep=keep).value(record, *roots, 0)
            except TooDeep:
                raise NotProjectable("The record nests too deep to be projected.") from None
            if self._judge.accepts(projected):
                return projected
            if not keep:
                refused = projected
        faults = self._judge.faults(refused)
        raise NotProjectable(
            "The record has values that the version asked for does not admit.",
            errors=[Fault(pointer, detail) for pointer, detail in faults],
        )


def project(record: Any, *, writer: Any, reader: Any) -> Any:
    """One record of ``writer`` for ``reader``. Raises ``NotProjectable``."""
    return Projection(writer, reader).apply(record)


class _Pass:
    def __init__(self, facts: Callable[[Case], Facts], *, fill_optional: bool, keep: bool) -> None:
        self._facts = facts
        self._keep = keep
        self._fill_optional = fill_optional
        self._branches = 0

    def value(self, value: Any, writer: Case | None, reader: Case | None, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise TooDeep
        if reader is None or not isinstance(value, dict | list):
            return value
        writer = self._met(value, writer)
        told = self._facts(reader)
        if told.choices and self._branches < _MAX_BRANCHES:
            self._branches += 1
            return self._chosen(value, writer, reader, told, depth)
        said = None if writer is None else self._facts(writer)
        if isinstance(value, list):
            return [
                self.value(item, None if said is None else said.item(index), told.item(index), depth + 1)
                for index, item in enumerate(value)
            ]
        return self._members(value, said, told, depth)

    def _met(self, value: Any, case: Case | None) -> Case | None:
        """The writer's case with the alternatives taken that this value meets."""
        for _ in range(_MAX_BRANCHES):
            if case is None:
                return None
            choices = self._facts(case).choices
            if not choices:
                return case
            parts = alternatives(case, *choices[0])
            case = next((part for part in parts if _holds(part, value)), parts[0] if parts else None)
        return case

    def _chosen(self, value: Any, writer: Case | None, reader: Case, told: Facts, depth: int) -> Any:
        """As the first of the reader's alternatives that then holds."""
        first: list[Any] = []
        for part in alternatives(reader, *told.choices[0]):
            projected = self.value(value, writer, part, depth + 1)
            if _holds(part, projected):
                return projected
            first.append(projected)
        return first[0] if first else value

    def _members(self, value: dict[str, Any], said: Facts | None, told: Facts, depth: int) -> dict[str, Any]:
        projected: dict[str, Any] = {}
        others = told.others()
        closed = others is not None and self._facts(others).never
        picks = closed or (told.declares and not self._keep)
        written = said is not None and said.declares and not self._keep
        for name, member in value.items():
            inner = told.member(name)
            known = name in told.required if inner is None else not self._facts(inner).never
            if picks and not known:
                continue
            outer = None if said is None else said.member(name)
            if written and outer is None and said is not None and not _is_named(said, name):
                continue
            projected[name] = self.value(member, outer, inner, depth + 1)
        wanted = told.declared() if self._fill_optional else list(told.required)
        for name in wanted:
            inner = told.member(name)
            if name not in projected and inner is not None and _holds(inner, None):
                projected[name] = None
        return projected


def _is_named(said: Facts, name: str) -> bool:
    named = name in said.declared() or name in said.required
    return named or any(matches(pattern, name) is True for pattern, _ in said.under())


def _holds(case: Case, value: Any) -> bool:
    nodes: list[Node] = list(case.holds)
    return all(admits(node, value) for node in nodes) and not any(admits(node, value) for node in case.fails)
