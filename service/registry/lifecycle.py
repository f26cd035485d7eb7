"""What ends and comes back: deletion, soft and for good, restoring, labels and modes.

Each function is one step of a write: it takes the ``Writer`` that holds the registry's lock, so what it checks stays true
until it is committed, and it writes its line of the history. To run one:
``await registry.write(lambda writer: delete_version(writer, name, 3), by=caller)``.

A version that was deleted softly keeps its content: it is neither listed nor extracted with, and can be restored. The
last live version takes its schema along. Deletion for good needs the soft one first; what stays is the number, which is
never given again, and the digest.
"""

from collections.abc import Iterable, Mapping, Sequence

from service.foundation.errors import Fault
from service.registry.errors import AliasNotFound, InUse, NotDeleted, NotHeld, NotRestorable, ReadOnly
from service.registry.schemas import SchemaDeleted, UnknownSchema
from service.registry.snapshot import CLOSED, Config, Entry, Mode, Published, effective_mode
from service.registry.store import Writer


def ensure_writable(writer: Writer, name: str | None) -> None:
    """Raise ``ReadOnly`` where a schema (None: the registry itself) takes no changes."""
    entry = None if name is None else writer.entry(name)
    own = None if entry is None else entry.mode
    if effective_mode(writer.mode, own) in CLOSED:
        what = f"Schema {name!r}" if own in CLOSED else "The registry"
        raise ReadOnly(f"{what} is read-only; nothing was changed.")


def set_mode(writer: Writer, name: str | None, mode: Mode | None) -> None:
    """Open or close a schema, or with ``name`` None the registry. None leaves a schema to the registry's mode.

    Works in every mode, and for a schema that does not exist yet.
    """
    if name is not None:
        writer.ensure(name)
    writer.set_mode(name, mode)
    writer.note("mode", name, None, {"mode": mode})


def set_labels(writer: Writer, name: str, labels: Mapping[str, str]) -> None:
    """Put these labels in place of all there are. Raises ``UnknownSchema``, ``ReadOnly``."""
    _entry(writer, name)
    writer.set_schema(name, labels=labels)
    writer.note("labels", name, None, {"labels": dict(labels)})


def set_alias(writer: Writer, name: str, alias: str, number: int | None) -> None:
    """Point an alias to a live version, or drop it.

    Raises ``UnknownSchema``, ``SchemaDeleted``, ``AliasNotFound`` (nothing to drop), ``ReadOnly``.
    """
    entry = _entry(writer, name)
    if number is None and alias not in entry.aliases:
        raise AliasNotFound(f"Schema {name!r} has no alias of this name.")
    if number is not None and not _version(entry, number).live:
        raise SchemaDeleted(f"Version {number} of schema {name!r} was deleted.")
    writer.set_alias(name, alias, number)
    writer.note("alias", name, number, {"alias": alias})


def set_config(writer: Writer, name: str | None, level: str | None, policy: str | None) -> None:
    """The compatibility of a schema, or with ``name`` None the default of all; None leaves it to the next one up.

    What the Confluent face keeps there stays. Raises ``UnknownSchema``, ``ReadOnly``.
    """
    if name is None:
        ensure_writable(writer, None)
        writer.set_config(Config(level, policy, writer.config.more))
    else:
        writer.set_schema(name, config=Config(level, policy, _entry(writer, name).config.more))
    writer.note("config", name, None, {"level": level, "policy": policy})


def delete_version(writer: Writer, name: str, number: int, *, permanent: bool = False) -> None:
    """Delete a version; with ``permanent`` one that was deleted already, for good.

    Raises ``UnknownSchema``, ``SchemaDeleted`` (already), ``InUse``, ``NotDeleted`` (permanent before soft), ``ReadOnly``.
    """
    entry = _entry(writer, name)
    version = _version(entry, number)
    if permanent:
        if version.live:
            raise NotDeleted(f"Version {number} of schema {name!r} is live; delete it first, then for good.")
        writer.forget_version(name, number)
        writer.note("purge_version", name, number)
        return
    if not version.live:
        raise SchemaDeleted(f"Version {number} of schema {name!r} was deleted already.")
    _ensure_unused(writer, entry, [number])
    writer.set_version(name, number, deleted_at=writer.at)
    if len(entry.live) == 1:
        writer.set_schema(name, deleted_at=writer.at)
    writer.note("delete_version", name, number)


def restore_version(writer: Writer, name: str, number: int) -> None:
    """Bring a softly deleted version back.

    Raises ``UnknownSchema``, ``SchemaDeleted`` (for good), ``NotDeleted`` (it is live), ``NotRestorable``, ``ReadOnly``.
    """
    entry = _entry(writer, name)
    version = _version(entry, number)
    if version.live:
        raise NotDeleted(f"Version {number} of schema {name!r} is live.")
    _restore(writer, [version])
    writer.note("restore_version", name, number)


def release_version(writer: Writer, name: str, number: int) -> None:
    """Let a held version count as ``latest``; the line of compatibility starts anew with it.

    Raises ``UnknownSchema``, ``SchemaDeleted``, ``NotHeld``, ``ReadOnly``.
    """
    entry = _entry(writer, name)
    version = _version(entry, number)
    if not version.live:
        raise SchemaDeleted(f"Version {number} of schema {name!r} was deleted; restore it first.")
    if not version.held:
        raise NotHeld(f"Version {number} of schema {name!r} is not held back.")
    writer.set_version(name, number, held=False, base=True)
    writer.note("release", name, number)


def delete_schema(writer: Writer, name: str, *, permanent: bool = False) -> list[int]:
    """Delete every live version; with ``permanent`` every version that was deleted, for good. Returns their numbers.

    Raises ``UnknownSchema``, ``SchemaDeleted`` (already), ``InUse``, ``NotDeleted`` (permanent before soft), ``ReadOnly``.
    """
    entry = _entry(writer, name)
    if not entry.kept:
        raise UnknownSchema(f"Schema {name!r} has no version to delete; a draft is deleted by itself.")
    if permanent:
        return _purge(writer, entry)
    if not entry.live:
        raise SchemaDeleted(f"Schema {name!r} was deleted already.")
    numbers = [version.number for version in entry.live]
    _ensure_unused(writer, entry, numbers)
    for number in numbers:
        writer.set_version(name, number, deleted_at=writer.at)
    writer.set_schema(name, deleted_at=writer.at)
    writer.note("delete_schema", name, None, {"versions": numbers})
    return numbers


def restore_schema(writer: Writer, name: str) -> list[int]:
    """Bring back the versions that were live when the schema was deleted. Returns their numbers.

    Raises ``UnknownSchema``, ``SchemaDeleted`` (for good), ``NotDeleted`` (it is live), ``NotRestorable``, ``ReadOnly``.
    """
    entry = _entry(writer, name)
    if entry.live:
        raise NotDeleted(f"Schema {name!r} is live.")
    if not entry.kept:
        raise SchemaDeleted(f"Schema {name!r} was deleted for good.")
    # Whatever went with the schema has its very moment; where all of that is gone for good, the newest of the others.
    together = [version for version in entry.kept if version.deleted_at == entry.deleted_at]
    chosen = together or entry.kept[-1:]
    _restore(writer, chosen)
    numbers = [version.number for version in chosen]
    writer.note("restore_schema", name, None, {"versions": numbers})
    return numbers


def _purge(writer: Writer, entry: Entry) -> list[int]:
    if entry.live:
        raise NotDeleted(f"Schema {entry.name!r} is live; delete it first, then for good.")
    numbers = [version.number for version in entry.kept]
    for number in numbers:
        writer.forget_version(entry.name, number)
    for alias in entry.aliases:
        writer.set_alias(entry.name, alias, None)
    writer.delete_draft(entry.name)
    writer.set_schema(entry.name, labels={}, config=Config())
    writer.set_mode(entry.name, None)
    writer.note("purge_schema", entry.name, None, {"versions": numbers})
    return numbers


def _restore(writer: Writer, found: Sequence[Published]) -> None:
    for version in found:
        assert version.content_id is not None  # noqa: S101 - narrows the type: what is gone was refused before
        missing = [
            Fault(f"/versions/{version.number}", f"It refers to {one.subject!r} version {one.version}.")
            for one in writer.content_of(version.content_id).references
            if not writer.is_live(one.subject, one.version)
        ]
        if missing:
            raise NotRestorable(
                f"Version {version.number} of schema {version.name!r} refers to what was deleted.",
                errors=missing,
            )
        writer.set_version(version.name, version.number, deleted_at=None)
    writer.set_schema(found[0].name, deleted_at=None)


def _ensure_unused(writer: Writer, entry: Entry, numbers: Iterable[int]) -> None:
    """Raise ``InUse`` where an alias points to one of the versions, or a live version of another schema refers to it."""
    wanted = set(numbers)
    aliases = [(alias, number) for alias, number in sorted(entry.aliases.items()) if number in wanted]
    referrers = writer.referrers(entry.name, wanted)
    if not aliases and not referrers:
        return
    by_name = [
        *(f"alias {alias!r}" for alias, _ in aliases),
        *(f"version {number} of {name!r}" for name, number in referrers),
    ]
    shown = ", ".join(by_name[:5]) + (f" and {len(by_name) - 5} more" if len(by_name) > 5 else "")
    raise InUse(
        f"Schema {entry.name!r} is in use by {shown}; nothing was deleted.",
        errors=[
            *(Fault(f"/aliases/{alias}", f"It points to version {number}.") for alias, number in aliases),
            *(Fault("", f"Version {number} of {name!r} refers to it.") for name, number in referrers[:20]),
        ],
        members={
            "used_by": [
                *({"kind": "alias", "name": alias, "version": number} for alias, number in aliases),
                *({"kind": "schema", "name": name, "version": number} for name, number in referrers),
            ]
        },
    )


def _entry(writer: Writer, name: str) -> Entry:
    """A schema that exists, whatever became of its versions, and takes changes."""
    entry = writer.entry(name)
    if entry is None:
        raise UnknownSchema(f"No schema is called {name!r}.")
    ensure_writable(writer, name)
    return entry


def _version(entry: Entry, number: int) -> Published:
    """A version whose content is still there."""
    version = entry.versions.get(number)
    if version is None:
        raise UnknownSchema(f"Schema {entry.name!r} has no version {number}.")
    if version.gone:
        raise SchemaDeleted(f"Version {number} of schema {entry.name!r} was deleted for good.")
    return version
