"""A record for a reader of another version (``as_version``): what RECORDS promises of a compatible change, made true."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, Literal

from service.foundation.errors import Fault, Unprocessable
from service.registry.compatibility.facts import Case, Facts, alternatives, facts_of
from service.registry.compatibility.judge import Judge
from service.registry.compatibility.reach import branches
from service.registry.compatibility.values import TooDeep, admits, kind_of, matches
from service.registry.compatibility.words import Node, Source

_MAX_DEPTH = 200
_MAX_CHOICES = 64
"""Alternatives of one value's schema that are looked at one after the other."""
_TRIES = 64
"""Alternatives that are tried per object or list of a record; beyond, the first that looks right is taken."""
_KEPT_FACTS = 2048
"""Cases whose facts one projection keeps: what follows from a schema is the same for every record."""

_Mode = int
_Kept = Literal["spoken", "declared", "all"]
_MODES: Sequence[tuple[_Kept, bool]] = (
    ("spoken", True),
    ("spoken", False),
    ("declared", True),
    ("declared", False),
    ("all", True),
    ("all", False),
)
"""Which of the writer's members are kept, and whether null stands for every member that may be null.

The first is wanted: members that any of the writer's alternatives speaks of. Those that only others declare than the one
which a record meets may hold anything, and are left out for a reader who does not take them so. Without null is for
readers to whom null itself breaks a rule. All members are kept for those to whom a record without undeclared ones is not
valid: items that must differ may be equal without them.
"""


class NotProjectable(Unprocessable):
    """The record cannot be read by the version that was asked for."""

    code = "not_projectable"
    title = "The record does not fit the version that was asked for"
    hint = "Read the record as the version it was made with; `errors` names what the older one refuses."


class Projection:
    """Turns records of ``writer`` into records of ``reader``. Made once for a pair of versions; safe to share.

    Members that the reader does not know, or that the writer does not declare, are left out; members that the reader
    declares, that admit null and that are not there become null. Everything else stays as it is. Of alternatives the one
    is read that the record meets as it is, else that which leaves out least. Members that nobody declares stay where the
    record would not be valid without them, and the whole record where that is valid and nothing else is. Raises ``service.strict.SchemaRefused`` for what is no schema.
    """

    def __init__(self, writer: Any, reader: Any) -> None:
        self._writer = Source(writer, 0)
        self._reader = Source(reader, 1)
        self._written = lru_cache(_KEPT_FACTS)(facts_of)
        self._read = lru_cache(_KEPT_FACTS)(partial(facts_of, reading=True))
        self._declared = lru_cache(_KEPT_FACTS)(_names_within)
        self._judge = Judge(reader, self._reader.dialect.draft, formats=True)

    def apply(self, record: Any) -> Any:
        """The record as the reader knows it. Raises ``NotProjectable``."""
        try:
            first = self._projected(record, 0, careful=False)
            if self._judge.accepts(first):
                return first
            # As wanted where that is valid, and place by place otherwise where it is not.
            for mode, careful in ((0, True), *((mode, False) for mode in range(1, len(_MODES)))):
                projected = self._projected(record, mode, careful=careful)
                if self._judge.accepts(projected):
                    return projected
        except (TooDeep, RecursionError):
            if self._judge.accepts(record):
                return record
            raise NotProjectable("The record nests too deep to be projected.") from None
        if self._judge.accepts(record):
            return record
        raise NotProjectable(
            "The record has values that the version asked for does not admit.",
            errors=[Fault(pointer, detail) for pointer, detail in self._judge.faults(first)],
        )

    def _projected(self, record: Any, mode: _Mode, *, careful: bool) -> Any:
        one = _Pass(self._written, self._read, self._declared, careful=careful)
        return one.value(record, Case.of(self._writer.root), Case.of(self._reader.root), mode, 0)


def project(record: Any, *, writer: Any, reader: Any) -> Any:
    """One record of ``writer`` for ``reader``. Raises ``NotProjectable``."""
    return Projection(writer, reader).apply(record)


class _Pass:
    def __init__(
        self,
        written: Callable[[Case], Facts],
        read: Callable[[Case], Facts],
        declared: Callable[[Case], frozenset[str]],
        *,
        careful: bool,
    ) -> None:
        self._written = written
        self._read = read
        self._declared = declared
        self._careful = careful
        self._known: dict[tuple[int, Case | None, Case, _Mode], Any] = {}
        self._met_before: set[int] = set()
        self._tries = 0

    def value(self, value: Any, writer: Case | None, reader: Case | None, mode: _Mode, depth: int) -> Any:
        """A value in the wanted mode; a careful pass takes the first mode from there on that is valid at this place."""
        if reader is None or not isinstance(value, dict | list):
            return value
        if depth > _MAX_DEPTH:
            raise TooDeep
        if not self._careful:
            return self._made(value, writer, reader, mode, depth)
        first: list[Any] = []
        for one in range(mode, len(_MODES)):
            key = (id(value), writer, reader, one)
            if key not in self._known:
                self._known[key] = self._made(value, writer, reader, one, depth)
            if _holds(reader, self._known[key]):
                return self._known[key]
            first.append(self._known[key])
        return first[0]

    def _made(self, value: Any, writer: Case | None, reader: Case, mode: _Mode, depth: int) -> Any:
        told = self._read(reader)
        if told.choices and len(reader.taken) < _MAX_CHOICES:
            return self._chosen(value, writer, reader, told, mode, depth)
        said = None if writer is None else self._written(self._met(value, writer))
        if isinstance(value, list):
            return [
                self.value(
                    item, None if said is None else said.item(index), told.item(index), mode, depth + 1
                )
                for index, item in enumerate(value)
            ]
        return self._members(value, writer, said, told, mode, depth)

    def _met(self, value: Any, case: Case) -> Case:
        """The writer's case with the alternatives taken that this value meets."""
        for _ in range(_MAX_CHOICES):
            choices = self._written(case).choices
            parts = alternatives(case, *choices[0]) if choices else []
            if not parts:
                return case
            case = next((part for part in parts if _holds(part, value)), parts[0])
        return case

    # -- alternatives

    def _chosen(
        self, value: Any, writer: Case | None, reader: Case, told: Facts, mode: _Mode, depth: int
    ) -> Any:
        if id(value) not in self._met_before:
            self._met_before.add(id(value))
            self._tries += _TRIES
        owner, keyword = told.choices[0]
        first: list[Any] = []
        for group in self._ranked(alternatives(reader, owner, keyword), value):
            held: list[Any] = []
            for part in group:
                if first and self._tries <= 0:
                    break
                self._tries -= 1
                made = self.value(value, writer, part, mode, depth)
                first.append(made)
                if _holds(part, made):
                    held.append(made)
            if held:
                best = max(held, key=lambda made: _shared(value, made)) if len(held) > 1 else held[0]
                if keyword != "anyOf" or len(group) == 1 or _shared(value, best) == _shared(value, value):
                    return best
                both = reader.also(*(node for part in group for node in part.holds), taken=(owner, keyword))
                made = self.value(value, writer, both, mode, depth)
                return made if _shared(value, made) > _shared(value, best) and _holds(both, made) else best
        return first[0] if first else value

    def _ranked(self, parts: Sequence[Case], value: Any) -> Iterator[list[Case]]:
        """What the value meets as it is; what it may meet when members come and go; the rest."""
        exact = [part for part in parts if _holds(part, value)]
        if exact:
            yield exact
        rest = [part for part in parts if part not in exact]
        likely = [part for part in rest if self._may_meet(part, value)]
        yield likely
        yield [part for part in rest if part not in likely]

    def _may_meet(self, part: Case, value: Any) -> bool:
        """Whether kinds and plain members are as this alternative wants them."""
        told = self._read(part)
        if kind_of(value) not in told.kinds:
            return False
        if not isinstance(value, dict):
            return True
        for name in told.declared():
            inner = told.member(name)
            if inner is None or name not in value:
                continue
            member = value[name]
            if isinstance(member, dict | list):
                if kind_of(member) not in self._read(inner).kinds:
                    return False
            elif not _holds(inner, member):
                return False
        return True

    # -- members

    def _members(
        self,
        value: dict[str, Any],
        writer: Case | None,
        said: Facts | None,
        told: Facts,
        mode: _Mode,
        depth: int,
    ) -> dict[str, Any]:
        kept, fill = _MODES[mode]
        keep = kept == "all"
        projected: dict[str, Any] = {}
        others = told.others()
        closed = others is not None and self._read(others).never
        picks = closed or (told.declares and not keep)
        written = said is not None and said.declares and not keep
        for name, member in value.items():
            inner = told.member(name)
            never = inner is not None and self._read(inner).never
            if never or (picks and inner is None and name not in told.required):
                continue
            outer = None if said is None else said.member(name)
            spoken = kept == "spoken" and writer is not None and name in self._declared(writer)
            if written and outer is None and not spoken and not _is_named(said, name):
                continue
            projected[name] = self.value(member, outer, inner, mode, depth + 1)
        for name in told.declared() if fill else list(told.required):
            inner = told.member(name)
            if name not in projected and inner is not None and _holds(inner, None):
                projected[name] = None
        return projected


def _is_named(said: Facts | None, name: str) -> bool:
    """Whether the writer speaks of a member in the alternatives that a record meets."""
    if said is None or name in said.required:
        return True
    return any(matches(pattern, name) is True for pattern, _ in said.under())


def _names_within(case: Case) -> frozenset[str]:
    """Names of properties that a case's schemas describe, alternatives included."""
    names: set[str] = set()
    seen: set[Node] = set()
    stack = list(case.holds)
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        words = node.source.words(node)
        names.update(words.properties)
        stack += [*words.everywhere, *branches(words)]
    return frozenset(names)


def _shared(value: Any, projected: Any) -> int:
    """How many members and items of a value are still there."""
    if isinstance(value, dict) and isinstance(projected, dict):
        return sum(
            1 + _shared(member, projected[name]) for name, member in value.items() if name in projected
        )
    if isinstance(value, list) and isinstance(projected, list):
        return sum(1 + _shared(*pair) for pair in zip(value, projected, strict=False))
    return 0


def _holds(case: Case, value: Any) -> bool:
    return all(admits(node, value, formats=True) for node in case.holds) and not any(
        admits(node, value, formats=True) for node in case.fails
    )
