"""The gate: whether a schema may follow others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from service.registry.compatibility.facts import Case
from service.registry.compatibility.inclusion import Inclusion
from service.registry.compatibility.judge import Judge
from service.registry.compatibility.projection import NotProjectable, Projection
from service.registry.compatibility.report import (
    NO_WITNESS,
    Difference,
    Direction,
    Level,
    Policy,
    Report,
)
from service.registry.compatibility.scope import Break, Budget, OutOfBudget
from service.registry.compatibility.witness import Maker
from service.registry.compatibility.words import Node, Source
from service.strict import SchemaRefused

_MOST_DIFFERENCES = 50
_MOST_BARREN = 20
"""Refused records in a row that show nothing new: projecting in vain tries every way there is, and takes long."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one comparison may take. ``steps`` is roughly 40,000 a second; ``records`` are tried as witnesses."""

    steps: int = 20_000
    records: int = 150


def check(
    new: Any,
    olds: Sequence[Any],
    *,
    level: Level,
    policy: Policy,
    limits: Limits = Limits(),
    versions: Sequence[int] | None = None,
) -> Report:
    """Whether ``new`` may follow ``olds`` (the newest last) at this level and policy.

    Looks at the last of them, at all where the level is transitive; ``versions`` are their numbers, for the report.
    Never raises for a JSON value: what cannot be compared, or not within the limits, is an ``undecided`` difference and
    not compatible.
    """
    numbers: list[int | None] = list(versions) if versions is not None else [None] * len(olds)
    pairs = list(zip(olds, numbers, strict=True))
    if not level.endswith("_TRANSITIVE"):
        pairs = pairs[-1:]
    found: list[Difference] = []
    for old, number in pairs:
        for direction in _directions(level):
            found += [replace(one, version=number) for one in compare(new, old, direction, policy, limits)]
    return Report(not found, tuple(found))


def _directions(level: Level) -> Iterator[Direction]:
    if level.startswith(("BACKWARD", "FULL")):
        yield "BACKWARD"
    if level.startswith(("FORWARD", "FULL")):
        yield "FORWARD"


def compare(
    new: Any, old: Any, direction: Direction, policy: Policy, limits: Limits = Limits()
) -> list[Difference]:
    """What breaks in one direction; nothing where the reader understands every record of the writer."""
    written, read = (old, new) if direction == "BACKWARD" else (new, old)
    try:
        writer, reader = Source(written, 0), Source(read, 1)
        breaks = _breaks(writer, reader, policy, limits)
    except OutOfBudget:
        return [_undecided(direction, "TOO_COMPLEX", "the schemas are too complex to be compared")]
    except SchemaRefused as refused:
        return [_undecided(direction, "UNREADABLE", f"cannot be compared: {refused.reason}", refused.pointer)]
    except RecursionError:
        return [_undecided(direction, "TOO_COMPLEX", "the schemas nest too deep to be compared")]
    differences = [_difference(one, direction) for one in breaks[:_MOST_DIFFERENCES]]
    return _with_witnesses(differences, written, read, writer, reader, policy, limits) if differences else []


def _breaks(writer: Source, reader: Source, policy: Policy, limits: Limits) -> list[Break]:
    walk = Inclusion(writer, reader, policy, Budget(limits.steps))
    if not walk.same_roots():
        ambiguous = reader.ambiguous() or writer.ambiguous()
        if ambiguous is not None:
            return [_led_by_the_way(*ambiguous)]
    found = walk.run()
    if not found and walk.empty(Case.of(writer.root)) and not walk.same_roots():
        # Nothing was ever written, so nothing can break; but a schema that admits nothing is a mistake, not a promise.
        return [
            Break(
                "",
                "WRITER_ADMITS_NOTHING",
                "the writer's schema admits no record; only its equal is let through",
                undecided=True,
            )
        ]
    return found


def _led_by_the_way(node: Node, keyword: str) -> Break:
    return Break(
        f"{node.pointer}/{keyword}",
        "REFERENCE_UNDECIDED",
        "cannot be compared: where this reference leads depends on the way to it; use `$ref`",
        undecided=True,
    )


def _difference(one: Break, direction: Direction) -> Difference:
    old, new = (one.written, one.read) if direction == "BACKWARD" else (one.read, one.written)
    return Difference(
        pointer=one.pointer,
        kind=one.kind,
        direction=direction,
        severity="undecided" if one.undecided else "breaking",
        old=old,
        new=new,
        message=one.message,
    )


def _undecided(direction: Direction, kind: str, message: str, pointer: str = "") -> Difference:
    return Difference(pointer, kind, direction, "undecided", None, None, message)


def _with_witnesses(
    differences: list[Difference],
    written: Any,
    read: Any,
    writer: Source,
    reader: Source,
    policy: Policy,
    limits: Limits,
) -> list[Difference]:
    """The differences with records that show them, as far as such records are found."""
    try:
        mine = Judge(written, writer.dialect.draft, formats=policy == "RECORDS")
        theirs = Judge(read, reader.dialect.draft, formats=policy == "RECORDS")
        projection = Projection(written, read) if policy == "RECORDS" else None
        barren = 0
        for record in Maker(writer, reader).records(limits.records):
            if not mine.accepts(record):
                continue
            paths = _refusals(record, theirs, projection)
            if paths:
                before, differences = differences, _attached(differences, record, paths)
                barren = barren + 1 if differences == before else 0
            if barren > _MOST_BARREN or all(one.witness is not NO_WITNESS for one in differences):
                break
    except (ValueError, RecursionError, SchemaRefused):
        return differences  # a validator that cannot read the schema judges nothing, nor do places that lead nowhere
    return differences


def _refusals(record: Any, reader: Judge, projection: Projection | None) -> list[str]:
    if projection is None:
        return reader.broken(record)
    try:
        projection.apply(record)
    except NotProjectable:
        return reader.broken(record) or ["/"]
    return []


def _attached(differences: list[Difference], record: Any, paths: list[str]) -> list[Difference]:
    """The record goes to the differences at whose places it is refused; the first one takes any."""
    keywords = {path.rpartition("/")[2] for path in paths}
    result = []
    for index, one in enumerate(differences):
        shown = one.pointer in paths or (index == 0 and one.pointer.rpartition("/")[2] in keywords)
        takes = one.witness is NO_WITNESS and (shown or (len(differences) == 1))
        severity = "breaking" if takes else one.severity
        result.append(replace(one, witness=record, severity=severity) if takes else one)
    return result
