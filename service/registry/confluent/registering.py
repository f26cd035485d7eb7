"""From a schema that a client sent to a version: what it must be, whether it is there already, whether it may follow."""

import asyncio
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import jsonschema_rs

from service.foundation import clock, jsontext
from service.registry.compatibility.judge import Judge
from service.registry.confluent import levels
from service.registry.confluent.comparing import gate
from service.registry.confluent.errors import (
    id_mismatch,
    invalid_schema,
    no_schema,
    no_subject,
    not_permitted,
)
from service.registry.confluent.names import LATEST
from service.registry.confluent.wire import Sent
from service.registry.contents import Content, Reference
from service.registry.errors import RegistryBusy
from service.registry.faults import faults_beside
from service.registry.references import bundle
from service.registry.registry import Registry
from service.registry.snapshot import Entry, Line, Published, Snapshot
from service.registry.store import Moved, Writer
from service.strict import guess_draft

MOST_IMPORTED = 900_000_000
"""What comes after an id or version counts on from it, and all have to stay below 2^31."""

_TRIES = 200


class Matches:
    """Which versions say what a client sent. What a content says is worked out once: its id never means another one.

    Compared is what the protocol can say: schema (with the order of its members), references, metadata and rules. The
    instructions, rules and examples of ours that stand beside a schema are not: who registers the schema of ``invoice``
    again means that version, not a new one without them.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[int, bool], bytes] = {}

    def newest(
        self, snapshot: Snapshot, versions: Iterable[Published], content: Content, *, normalize: bool
    ) -> Published | None:
        """The last of the versions that say the same. Reads contents: run it in a thread."""
        wanted = _identity(content, normalize=normalize)
        same = [one for one in versions if self._of(snapshot, one, normalize=normalize) == wanted]
        return same[-1] if same else None

    def _of(self, snapshot: Snapshot, version: Published, *, normalize: bool) -> bytes:
        key = (version.content_id or 0, normalize)
        found = self._kept.get(key)
        if found is None:
            found = _identity(snapshot.content(version), normalize=normalize)
            known = snapshot.contents
            if len(self._kept) > 2 * len(known) + 1000:
                everything = dict(self._kept)  # a copy: other threads may be adding to it
                self._kept = {key: value for key, value in everything.items() if key[0] in known}
            self._kept[key] = found
        return found


def _identity(content: Content, *, normalize: bool) -> bytes:
    text = jsontext.canonical if normalize else jsontext.render
    beside = {
        "references": [[item.name, item.subject, item.version] for item in content.references],
        "metadata": dict(content.metadata),
    }
    return hashlib.sha256(text(content.schema) + b"\0" + jsontext.canonical(beside)).digest()


# ------------------------------------------------------------------------------------------------------------ what it is


def understood(snapshot: Snapshot, subject: str, sent: Sent, *, normalize: bool) -> Content:
    """What was sent, with its references resolved. Raises 42201 for what is no JSON Schema. Run it in a thread."""
    schema = jsontext.parse(jsontext.canonical(sent.schema)) if normalize else sent.schema
    references = tuple(_resolved(snapshot, item) for item in sent.references)
    try:
        bundled = bundle(
            subject,
            schema,
            lambda name, number: _content(snapshot, name, number),
            named=references,
        )
        content = Content(
            schema=schema,
            references=bundled.references,
            metadata=sent.metadata,
            bundled=bundled.bundled,
        )
        faults = [f"{fault.pointer or '#'}: {fault.detail}" for fault in bundled.faults]
        faults = faults or list(_faults(content))
    except RecursionError:
        faults = ["it nests too deep"]
    if faults:
        raise invalid_schema(f"Invalid schema of type JSON, details: {'; '.join(faults)[:2000]}")
    return content


def _resolved(snapshot: Snapshot, reference: Reference) -> Reference:
    """A reference to the latest version means the one that is the latest now: a version never changes."""
    if reference.version != LATEST:
        return reference
    entry = snapshot.entries.get(reference.subject)
    if entry is None or entry.latest is None:
        raise invalid_schema(
            f"Invalid schema of type JSON, details: no schema reference found for subject {reference.subject!r} "
            f"and version {reference.version}"
        )
    return replace(reference, version=entry.latest.number)


def _content(snapshot: Snapshot, subject: str, number: int) -> Content | None:
    entry = snapshot.entries.get(subject)
    found = None if entry is None else entry.versions.get(number)
    return snapshot.content(found) if found is not None and found.live else None


def _faults(content: Content) -> Iterator[str]:
    """Why validators cannot read a schema."""
    try:
        Judge(content.complete, guess_draft(content.complete), formats=False)
    except jsonschema_rs.ValidationError as error:
        place = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in error.instance_path)
        yield f"{place or '#'}: {error.message[:500]}"
    except ValueError as error:
        yield str(error)[:500]


@dataclass(frozen=True, slots=True)
class _Read:
    """What was sent, and the newest version of the subject that says the same, at one snapshot."""

    snapshot: Snapshot
    content: Content
    found: Published | None


async def _read(
    registry: Registry,
    matches: Matches,
    subject: str,
    sent: Sent,
    *,
    normalize: bool,
    deleted: bool = False,
) -> _Read:
    """Raises 42201."""
    snapshot = registry.snapshot
    entry = snapshot.entries.get(subject)
    versions = () if entry is None else entry.kept if deleted else entry.live

    def read() -> _Read:
        content = understood(snapshot, subject, sent, normalize=normalize)
        return _Read(snapshot, content, matches.newest(snapshot, versions, content, normalize=normalize))

    return await asyncio.to_thread(read)


# ------------------------------------------------------------------------------------------------------------- registering


async def register(
    registry: Registry, matches: Matches, subject: str, sent: Sent, *, normalize: bool, by: str
) -> Published:
    """The version that says what was sent: one that is there, else a new one, checked and written in one transaction.

    The check is made on what is known and holds only if nobody changed the subject, what it refers to or the global
    config meanwhile: else it is made again. Raises 409 and 422 refusals, ``RegistryBusy``.
    """
    found = (await _read(registry, matches, subject, sent, normalize=normalize)).found
    if found is not None and sent.id in (None, found.content_id):
        return found
    async with registry.turn(subject):
        return await _register(registry, matches, subject, sent, normalize=normalize, by=by)


async def _register(
    registry: Registry, matches: Matches, subject: str, sent: Sent, *, normalize: bool, by: str
) -> Published:
    for _ in range(_TRIES):
        read = await _read(registry, matches, subject, sent, normalize=normalize)
        if read.found is not None and sent.id in (None, read.found.content_id):
            return read.found
        snapshot, content = read.snapshot, read.content
        entry = snapshot.entries.get(subject)
        importing = levels.permitted(snapshot, subject) == "IMPORT"
        _permit_numbers(sent, entry, importing=importing)
        if not importing:
            content = await asyncio.to_thread(_with_what_stands_beside, snapshot, entry, content)
            await gate(registry, subject, content)

        put = partial(_import, sent=sent, by=by) if importing else _publish
        write = partial(put, subject=subject, content=content, snapshot=snapshot)
        try:
            return await registry.write(write, by=by)
        except Moved:
            await registry.refresh()
    raise RegistryBusy(
        "Others changed this subject again and again meanwhile; nothing was registered.", retry_after=1
    )


def _with_what_stands_beside(snapshot: Snapshot, entry: Entry | None, content: Content) -> Content:
    """The schema with what the subject's latest version says beside its own. Raises 42201 where that does not fit."""
    if entry is None or entry.latest is None:
        return content
    latest = snapshot.content(entry.latest)
    content = replace(
        content,
        instructions=latest.instructions,
        rules=latest.rules,
        examples=latest.examples,
        policy=latest.policy,
        evidence=latest.evidence,
    )
    faults = faults_beside(content, guess_draft(content.complete))
    if faults:
        listed = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults)
        raise invalid_schema(
            f"The rules or examples of the subject's version {entry.latest.number} do not fit this schema; publish it "
            f"with others under /v1/schemas. {listed[:2000]}"
        )
    return content


def _permit_numbers(sent: Sent, entry: Entry | None, *, importing: bool) -> None:
    """Ids and versions are chosen by who imports; else an id is not, and a version only says which one is expected."""
    if importing:
        if max(sent.id or 0, sent.version or 0) > MOST_IMPORTED:
            raise not_permitted(
                f"An imported id or version is at most {MOST_IMPORTED:,}, so that others can follow"
            )
        return
    if sent.id is not None:
        raise not_permitted("Subject is not in import mode: an id is chosen by the registry")
    following = 1 if entry is None else entry.last_version + 1
    if sent.version not in (None, following):
        raise invalid_schema(f"Version is not one more than previous version: the next one is {following}")


def _expect(writer: Writer, snapshot: Snapshot, subject: str, content: Content) -> None:
    """Raises ``Moved`` where something that the check looked at is not as it was."""
    if writer.mode != snapshot.mode:
        raise Moved
    for name in dict.fromkeys([subject, *(item.subject for item in content.references)]):
        entry = snapshot.entries.get(name)
        writer.expect(name, 0 if entry is None else entry.changed, snapshot.config_change)


def _publish(writer: Writer, *, subject: str, content: Content, snapshot: Snapshot) -> Published:
    """The next version; an id or number that was asked for is no other, or was refused."""
    _expect(writer, snapshot, subject, content)
    return writer.publish(subject, content, Line(origin="confluent"))


def _import(
    writer: Writer, *, subject: str, content: Content, snapshot: Snapshot, sent: Sent, by: str
) -> Published:
    """A version with the id and number that it had elsewhere."""
    _expect(writer, snapshot, subject, content)
    try:
        id = writer.content(content, id=sent.id)
    except ValueError as error:
        raise id_mismatch(f"Id {sent.id} cannot be given to this schema: {error}") from None
    writer.ensure(subject)
    entry = writer.entry(subject)
    number = sent.version or (1 if entry is None else entry.last_version + 1)
    if entry is not None and number in entry.versions:
        raise not_permitted(f"Version {number} is taken: a version never changes")
    version = Published(
        name=subject,
        number=number,
        content_id=id,
        digest=content.digest,
        created_at=clock.now(),
        created_by=by,
        origin="confluent",
    )
    writer.put_version(version)
    writer.note(
        "publish", subject, number, {"digest": version.digest, "origin": "confluent", "imported": True}
    )
    return version


# ------------------------------------------------------------------------------------------------------------ looking up


async def look_up(
    registry: Registry, matches: Matches, subject: str, sent: Sent, *, normalize: bool, deleted: bool
) -> tuple[Published, Content]:
    """The newest version of a subject that says what was sent. Raises 40401, 40403, 42201."""
    read = await _read(registry, matches, subject, sent, normalize=normalize, deleted=deleted)
    entry = read.snapshot.entries.get(subject)
    if entry is None or not (entry.kept if deleted else entry.live):
        raise no_subject(subject)
    if read.found is None:
        raise no_schema()
    return read.found, read.snapshot.content(read.found)
