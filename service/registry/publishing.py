"""From what somebody wants to publish to a version: everything that is wrong at once, the gate, and one transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from service.foundation.errors import BadRequest, Fault, WinnowError
from service.registry.compatibility import NO_WITNESS, Difference, Report, behaviour, beside, check
from service.registry.contents import Content
from service.registry.errors import Incompatible, PreconditionFailed, RegistryBusy, SchemaRejected
from service.registry.faults import faults_beside
from service.registry.lifecycle import ensure_writable
from service.registry.lints import Lint, lints
from service.registry.mistakes import mistakes, refusals, unreadable
from service.registry.references import bundle
from service.registry.registry import Registry
from service.registry.schemas import NAME, SchemaName, SchemaVersion
from service.registry.snapshot import Config, Entry, Line, Published, Snapshot
from service.registry.store import Draft, Moved, Writer

DEFAULT_LEVEL = "FULL_TRANSITIVE"
DEFAULT_POLICY = "RECORDS"
_TRIES = 200

_compatible: set[tuple[str, str, str, str]] = set()
"""New and old content's digest, direction and policy: facts that never change, whichever registry they are about."""

_MOST_COMPATIBLE = 10_000


@dataclass(frozen=True, slots=True)
class Checked:
    """What there is to say of a content. ``faults`` keep it from being published; the rest does not."""

    content: Content
    faults: tuple[Fault, ...]
    remarks: tuple[Lint, ...]
    version: SchemaVersion | None = field(default=None, repr=False)
    """None where the schema has no strict form."""


def checked(name: str, content: Content, registry: Registry) -> Checked:
    """Everything that is wrong with a content, all at once. Takes as long as compiling: run it in a thread."""
    bundled = bundle(name, content.schema, lambda subject, number: _content(registry, subject, number))
    content = replace(content, references=bundled.references, bundled=bundled.bundled)
    version, faults = _compiled(name, content, bundled.faults)
    wrong = [replace(fault, pointer=f"/schema{fault.pointer}") for fault in faults]
    faults = [*wrong, *faults_beside(content, None if version is None else version.compiled.draft)]
    remarks = lints(content.schema)
    if registry.models is not None:
        unknown, more = registry.models.judged(content.policy)
        faults += unknown
        remarks += more
    return Checked(content, tuple(faults), tuple(remarks), version)


def _compiled(
    name: str, content: Content, unresolved: Sequence[Fault]
) -> tuple[SchemaVersion | None, list[Fault]]:
    """The version, None where its schema cannot be used, and why: with pointers into the schema, each place once."""
    version = SchemaVersion(SchemaName(name), None, content.complete)
    found = list(unresolved)
    try:
        problem = unreadable(content.complete, version.compiled.draft)
        if problem is None and not found:
            return version, []
        found += [] if problem is None or unresolved else [problem]
    except WinnowError as error:
        if not unresolved:
            found += error.errors or [Fault("", error.detail)]
    clearer = mistakes(content.complete, references=not unresolved)
    if not unresolved:
        # The first refusal may be a mistake in other words; the others only show once it is out of the way.
        clearer += refusals(
            content.complete, clearer, lambda rest: SchemaVersion(SchemaName(name), None, rest).compiled
        )
    places = {fault.pointer for fault in clearer}
    return None, [*clearer, *(fault for fault in found if fault.pointer not in places)]


def _content(registry: Registry, subject: str, number: int) -> Content | None:
    snapshot = registry.snapshot
    entry = snapshot.entries.get(subject)
    found = None if entry is None else entry.versions.get(number)
    return snapshot.content(found) if found is not None and found.live else None


def config_of(registry: Registry, name: str) -> tuple[str, str]:
    """The level and policy in force for a schema: its own, else the registry's, else FULL_TRANSITIVE by RECORDS."""
    entry = registry.snapshot.entries.get(name)
    own = Config() if entry is None else entry.config
    common = registry.snapshot.config
    return own.level or common.level or DEFAULT_LEVEL, own.policy or common.policy or DEFAULT_POLICY


def same_as(entry: Entry | None, content: Content) -> Published | None:
    """The newest version, held or not, where it says exactly this already: publishing it again makes no other."""
    if entry is None or entry.latest is None:
        return None
    return next((one for one in (entry.latest, entry.live[-1]) if one.digest == content.digest), None)


def common_config(registry: Registry) -> tuple[str, str]:
    """The same for schemas that have none of their own."""
    common = registry.snapshot.config
    return common.level or DEFAULT_LEVEL, common.policy or DEFAULT_POLICY


def compared(registry: Registry, name: str, content: Content, *, level: str, policy: str) -> Report:
    """The content against the versions that it would follow. Takes up to a second a version: run it in a thread.

    Pairs of contents that were found compatible are not compared again: who publishes at the same time as others checks
    anew after each of them, and only the newest version is news.
    """
    snapshot = registry.snapshot
    entry = snapshot.entries.get(name)
    line: Sequence[Published] = () if entry is None else entry.line
    group = _group(snapshot, name)
    if group:
        line = [one for one in line if snapshot.content(one).property(group) == content.property(group)]
    if not level.endswith("_TRANSITIVE"):
        line = line[-1:]
    direction = level.removesuffix("_TRANSITIVE")
    pairs = {one.number: (content.digest, one.digest, direction, policy) for one in line}
    olds = [one for one in line if pairs[one.number] not in _compatible]
    report = check(
        content.complete,
        [snapshot.content(one).complete for one in olds],
        level=level,  # type: ignore[arg-type]  # one of LEVELS: the only ones that are taken in
        policy=policy,  # type: ignore[arg-type]  # one of POLICIES
        versions=[one.number for one in olds],
    )
    broken = {one.version for one in report.differences}
    if len(_compatible) > _MOST_COMPATIBLE:
        _compatible.clear()
    _compatible.update(pairs[one.number] for one in olds if one.number not in broken)
    return report


def _group(snapshot: Snapshot, name: str) -> str:
    """The metadata property that parts the versions of a schema into lines of their own; empty for none."""
    entry = snapshot.entries.get(name)
    own = None if entry is None else entry.config.more.get("compatibilityGroup")
    group: str = snapshot.config.more.get("compatibilityGroup", "") if own is None else own
    return group


def changes(registry: Registry, older: Published, newer: Published) -> list[Difference]:
    """What changed between two versions: what breaks in either direction, and what changes a model's behaviour."""
    before, after = registry.content(older), registry.content(newer)
    report = check(after.complete, [before.complete], level="FULL", policy="RECORDS", versions=[older.number])
    return [
        *report.differences,
        *behaviour(after.schema, before.schema),
        *beside(after.document(), before.document()),
    ]


async def publish(
    registry: Registry,
    name: str,
    content: Content,
    *,
    breaking: str | None,
    by: str,
    draft: Draft | None = None,
) -> tuple[Published, bool]:
    """The version that now holds this content, and whether it is new.

    ``breaking`` is the reason for publishing what breaks consumers; such a version is held back from ``latest``.
    ``draft`` is removed in the same transaction, also when nothing new is published, if it is still the one there. The
    check is made on what is known and holds only if nobody published meanwhile: else it is made again. Raises
    ``BadRequest``, ``SchemaRejected``, ``Incompatible``, ``PreconditionFailed``,
    ``ReadOnly``, ``RegistryBusy``.
    """
    async with registry.turn(name):
        return await _publish(registry, name, content, breaking=breaking, by=by, draft=draft)


async def _publish(
    registry: Registry, name: str, content: Content, *, breaking: str | None, by: str, draft: Draft | None
) -> tuple[Published, bool]:
    if not NAME.match(name):
        raise BadRequest(
            "A schema is named like `purchase_order`: a small letter, then small letters, digits, `_` or `-`, at most 64.",
            errors=[Fault("/name", "Choose another name.")],
        )
    for _ in range(_TRIES):
        result = await asyncio.to_thread(checked, name, content, registry)
        if result.faults:
            raise SchemaRejected(
                f"{len(result.faults)} place(s) of the schema or of what stands beside it are wrong.",
                errors=result.faults,
            )
        snapshot = registry.snapshot
        entry = snapshot.entries.get(name)
        same = same_as(entry, result.content)
        if same is not None:
            if draft is not None:
                await registry.write(lambda writer: _take(writer, draft), by=by)
            return same, False
        held = await _gate(registry, name, result.content, breaking)
        line = Line(held=held, reason=breaking if held else None)

        def write(writer: Writer, ready: Content = result.content, line: Line = line) -> Published:
            ensure_writable(writer, name)
            if draft is not None:
                _ensure_same(writer, draft)
            writer.expect(name, 0 if entry is None else entry.changed, snapshot.config_change)  # noqa: B023 - runs before the loop goes on
            if not all(writer.is_live(one.subject, one.version) for one in ready.references):
                raise Moved
            if draft is not None:
                _take(writer, draft)
            return writer.publish(name, ready, line)

        try:
            return await registry.write(write, by=by), True
        except Moved:
            await registry.refresh()
    raise RegistryBusy(
        "Others changed this schema again and again meanwhile; nothing was published.", retry_after=1
    )


def _ensure_same(writer: Writer, draft: Draft) -> None:
    now = writer.draft(draft.name)
    if now is None or now.revision != draft.revision:
        raise PreconditionFailed(f"The draft of schema {draft.name!r} was changed or published meanwhile.")


def _take(writer: Writer, draft: Draft) -> None:
    ensure_writable(writer, draft.name)
    _ensure_same(writer, draft)
    writer.delete_draft(draft.name)
    writer.note("publish_draft", draft.name, None, {"revision": draft.revision})


async def _gate(registry: Registry, name: str, content: Content, breaking: str | None) -> bool:
    """Whether the version is to be held back. Raises ``Incompatible``."""
    level, policy = config_of(registry, name)
    report = await asyncio.to_thread(compared, registry, name, content, level=level, policy=policy)
    if report.compatible:
        return False
    if breaking is None:
        raise Incompatible(
            f"{len(report.differences)} difference(s) break consumers at level {level} by policy {policy}; nothing was "
            "published.",
            errors=[
                Fault(one.pointer, f"{one.kind} ({one.direction.lower()}): {one.message}.")
                for one in report.differences
            ],
            members={"differences": [difference_body(one) for one in report.differences]},
        )
    return True


def difference_body(one: Difference) -> Mapping[str, Any]:
    """The JSON of a difference; a witness only where one was found."""
    return {
        "pointer": one.pointer,
        "kind": one.kind,
        "direction": one.direction,
        "severity": one.severity,
        "old": one.old,
        "new": one.new,
        "message": one.message,
        "version": one.version,
        **({} if one.witness is NO_WITNESS else {"witness": one.witness}),
    }
