"""Whether a schema may follow others, said in the protocol's way."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from service.foundation import jsontext
from service.registry.compatibility import NO_WITNESS, Difference, Report, check
from service.registry.confluent.errors import incompatible, no_subject, no_version
from service.registry.confluent.names import LATEST
from service.registry.confluent.wire import text_of
from service.registry.contents import Content
from service.registry.publishing import compared, config_of
from service.registry.registry import Registry
from service.registry.snapshot import Entry, Snapshot

_LONGEST_MESSAGE = 16_384
_MOST_VERSIONS = 10
"""Earlier versions that an answer goes into; who does not suit ten needs no more to know why."""


async def gate(registry: Registry, subject: str, content: Content) -> None:
    """Raises 40901."""
    level, policy = config_of(registry, subject)
    report = await asyncio.to_thread(compared, registry, subject, content, level=level, policy=policy)
    if not report.compatible:
        messages = told(report, level, {})
        raise incompatible(subject, f"[{', '.join(messages)[:_LONGEST_MESSAGE]}]")


async def compare(
    registry: Registry, subject: str, content: Content, *, number: int | None
) -> tuple[bool, list[str]]:
    """Whether the schema may follow one version (``LATEST`` too), or those that it would follow; and why not.

    Nothing follows nothing: a subject without versions takes every schema. Raises 40401, 40402.
    """
    snapshot = registry.snapshot
    entry = snapshot.entries.get(subject)
    level, policy = config_of(registry, subject)
    if number is None:
        report = await asyncio.to_thread(compared, registry, subject, content, level=level, policy=policy)
        return report.compatible, told(report, level, _olds(snapshot, entry, report))
    old = None if entry is None else entry.latest if number == LATEST else entry.versions.get(number)
    if old is None or not old.live:
        if number == LATEST:
            return True, []
        raise no_version(number) if entry is not None and entry.live else no_subject(subject)
    before = snapshot.content(old)

    def one() -> Report:
        return check(
            content.complete,
            [before.complete],
            level=level,  # type: ignore[arg-type]  # one of LEVELS: the only ones that are taken in
            policy=policy,  # type: ignore[arg-type]  # one of POLICIES
            versions=[old.number],
        )

    report = await asyncio.to_thread(one)
    return report.compatible, told(report, level, {old.number: before})


def _olds(snapshot: Snapshot, entry: Entry | None, report: Report) -> dict[int, Content]:
    if entry is None:
        return {}
    numbers = {one.version for one in report.differences}
    return {one.number: snapshot.content(one) for one in entry.live if one.number in numbers}


def told(report: Report, level: str, olds: Mapping[int, Content]) -> list[str]:
    """Why a schema may not follow others, in the protocol's way: each difference, then with which version, at which level."""
    messages: list[str] = []
    for version, differences in islice(_by_version(report.differences), _MOST_VERSIONS):
        messages += [_difference(one) for one in differences]
        if version is not None:
            messages.append(f"{{oldSchemaVersion: {version}}}")
            if version in olds:
                messages.append(f"{{oldSchema: '{text_of(olds[version])[:_LONGEST_MESSAGE]}'}}")
    return [*messages, f"{{compatibility: '{level}'}}"] if messages else []


def _by_version(differences: Sequence[Difference]) -> Iterator[tuple[int | None, list[Difference]]]:
    for version in dict.fromkeys(one.version for one in differences):
        yield version, [one for one in differences if one.version == version]


def _difference(one: Difference) -> str:
    reader = "new" if one.direction == "BACKWARD" else "old"
    shown = "" if one.witness is NO_WITNESS else jsontext.render(one.witness).decode()[:1000]
    more = f", additionalInfo:'a record that shows it: {shown}'" if shown else ""
    return (
        f"{{errorType:'{one.kind}', description:'{one.message}, at path '#{one.pointer}' of the {reader} schema, "
        f"which has to read records of the other'{more}}}"
    )
