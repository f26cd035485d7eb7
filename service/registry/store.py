"""All SQL of the registry.

Everything is small and read whole: a process loads the registry once, asks for the change counter every second, and
reads anew only the schemas that the change log names. Requests are answered from that memory (``snapshot.Snapshot``,
reached as ``Registry.snapshot``); nothing here is called on the way of an extraction.

Writing. ``Store.write(work)`` runs ``work(Writer)`` in one transaction that begins by taking the registry's one lock
(the row of ``registry_state``). So writers of all replicas come one after the other, the change counter has no gaps
and grows in the order of commits, numbers are gapless, and what a writer reads stays true until it commits. Checks that
take time (compatibility) are made before, on a snapshot; the writer is told which state they were made on
(``Writer.expect``) and raises ``Moved`` when another writer came in between: check again, then.

For the Confluent face: a subject is a schema (any name up to 255 characters, not only those of ``schemas.NAME``), its
versions are the schema's versions, its ids ``schema_contents.id`` (1 … 2³¹-1, given in order, never reused, the same
for equal contents in several subjects: ``Content.digest`` covers schema, instructions and the rest, references and
metadata). Soft deletion sets ``deleted_at``; a permanent one leaves a row without content, so that numbers are never
given twice. Modes and config per subject and globally are ``Entry.mode``/``Entry.config`` and ``Snapshot.mode``/
``Snapshot.config``; ``Config.more`` is free for what only that face knows. Reads: ``Snapshot.entries`` (also deleted
ones), ``.users[id]`` (subjects and versions of an id), ``.contents[id]`` (the stored JSON), ``Registry.content(id)``
(the same parsed). References: ``Content.references``; who refers to a version: ``Writer.referrers``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from service.foundation import clock, jsontext
from service.foundation.database import Database, UtcDateTime, tables, upsert
from service.registry.contents import Content, parse_stored
from service.registry.snapshot import Config, Entry, Line, Mode, Published, Snapshot

Result = TypeVar("Result")

MAX_ID = 2**31 - 1

state = Table(
    "registry_state",
    tables,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("change", BigInteger, nullable=False),
    Column("content_id", Integer, nullable=False),
    Column("config_change", BigInteger, nullable=False),
    Column("config", Text, nullable=False),
    Column("mode", String(32), nullable=False),
)
schemas = Table(
    "schemas",
    tables,
    Column("name", String(255), primary_key=True),
    Column("last_version", Integer, nullable=False),
    Column("labels", Text, nullable=False),
    Column("config", Text, nullable=False),
    Column("mode", String(32)),
    Column("changed", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("deleted_at", UtcDateTime),
)
contents = Table(
    "schema_contents",
    tables,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(80), nullable=False, unique=True),
    Column("shape_digest", String(80), nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
versions = Table(
    "schema_versions",
    tables,
    Column("name", String(255), ForeignKey("schemas.name"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content_id", Integer, ForeignKey("schema_contents.id"), index=True),
    Column("digest", String(80), nullable=False),
    Column("held", Boolean, nullable=False),
    Column("base", Boolean, nullable=False),
    Column("reason", Text),
    Column("origin", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("deleted_at", UtcDateTime),
)
drafts = Table(
    "schema_drafts",
    tables,
    Column("name", String(255), ForeignKey("schemas.name"), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("updated_by", String(128), nullable=False),
)
aliases = Table(
    "schema_aliases",
    tables,
    Column("name", String(255), ForeignKey("schemas.name"), primary_key=True),
    Column("alias", String(64), primary_key=True),
    Column("number", Integer, nullable=False),
)
changes = Table(
    "schema_changes",
    tables,
    Column("change", BigInteger, primary_key=True, autoincrement=False),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by", String(128), nullable=False),
    Column("action", String(32), nullable=False),
    Column("name", String(255)),
    Column("number", Integer),
    Column("detail", Text, nullable=False),
    Index(None, "name", "change"),
)


_ARCHIVED: tuple[tuple[str, Table, tuple[Column[Any], ...]], ...] = (
    ("registry", state, ()),
    ("content", contents, (contents.c.id,)),
    ("schema", schemas, (schemas.c.name,)),
    ("version", versions, (versions.c.name, versions.c.number)),
    ("alias", aliases, (aliases.c.name, aliases.c.alias)),
    ("draft", drafts, (drafts.c.name,)),
    ("change", changes, (changes.c.change, changes.c.part)),
)
"""Kinds of an archive's lines, with their tables and orders."""


class Moved(Exception):
    """Another writer came in between a check and its write; the check has to be made again."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The one mutable version of a schema. ``revision`` is new with every write: its ETag."""

    name: str
    revision: int
    content: Content
    updated_at: datetime
    updated_by: str


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the history: what was done to which schema (None: the registry itself), when and by whom."""

    change: int
    part: int
    at: datetime
    by: str
    action: str
    name: str | None
    number: int | None
    detail: Mapping[str, Any]


class Store:
    """The registry's tables. Every method raises ``StorageUnavailable`` when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self) -> None:
        """Make sure that there is a lock to take."""
        first = {
            "id": 1,
            "change": 0,
            "content_id": 0,
            "config_change": 0,
            "config": "{}",
            "mode": "READWRITE",
        }

        def ensure(connection: Connection) -> None:
            if connection.execute(select(state.c.id)).first() is None:
                connection.execute(upsert(connection, state).values(first).on_conflict_do_nothing())

        await self._database.write(ensure)

    async def change(self) -> int:
        """The change counter: equal counters mean equal registries."""

        def read(connection: Connection) -> int:
            change: int = connection.execute(select(state.c.change)).scalar_one()
            return change

        return await self._database.write(read)

    async def load(self, known: Snapshot) -> Snapshot:
        """The registry as it stands: ``known`` with what changed since read anew."""
        return await self._database.write(lambda connection: _load(connection, known))

    async def dump(self, take: Callable[[str, Mapping[str, Any]], None]) -> None:
        """Give every row to ``take``, with its kind, in the order of an archive, as of one moment.

        Runs in the writer's thread and holds the registry's lock; a second for some ten megabytes.
        """

        def run(connection: Connection) -> None:
            connection.execute(update(state).values(change=state.c.change))  # the lock
            c = "C" if connection.dialect.name == "postgresql" else "BINARY"  # by code points on both
            for kind, table, order in _ARCHIVED:
                by = [column.collate(c) if isinstance(column.type, String) else column for column in order]
                query = select(table).order_by(*by).execution_options(yield_per=100)
                for row in connection.execute(query):
                    take(kind, dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's documented name

        await self._database.write(run)

    async def write(self, work: Callable[["Writer"], Result], *, by: str) -> Result:
        """Run ``work`` in a transaction of its own, alone among all writers of the registry."""

        def run(connection: Connection) -> Result:
            connection.execute(update(state).values(change=state.c.change + 1))
            return work(Writer(connection, by[:128]))

        return await self._database.write(run)

    async def draft(self, name: str) -> Draft | None:
        """The draft of a schema."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(drafts).where(drafts.c.name == name))).one_or_none()
        return None if row is None else _draft(row)

    async def history(self, *, name: str | None, before: tuple[int, int] | None, limit: int) -> list[Change]:
        """What was done, newest first, from before the change and part ``before``."""
        query = select(changes).order_by(changes.c.change.desc(), changes.c.part.desc()).limit(limit)
        if name is not None:
            query = query.where(changes.c.name == name)
        if before is not None:
            change, part = before
            query = query.where(
                (changes.c.change < change) | ((changes.c.change == change) & (changes.c.part < part))
            )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Change(**{**row._mapping, "detail": _json(row.detail)}) for row in rows]  # noqa: SLF001 - SQLAlchemy's documented name

    async def all_drafts(self) -> list[Draft]:
        """Every draft, by name."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(drafts).order_by(drafts.c.name))).all()
        return [_draft(row) for row in rows]


class Writer:
    """What can be done to the registry while its lock is held. Nothing is checked here but what must be atomic."""

    def __init__(self, connection: Connection, by: str) -> None:
        self._connection = connection
        self._by = by
        self._at = clock.now()
        self._part = 0
        row = connection.execute(select(state)).one()
        self.change: int = row.change
        self.mode: Mode = row.mode
        self.config = Config.of(_json(row.config))
        self._content_id: int = row.content_id
        self._config_change: int = row.config_change

    def expect(self, name: str, changed: int, config_change: int | None = None) -> None:
        """Go on only if the schema (0: it does not exist) and the global config are as they were.

        Raises ``Moved``.
        """
        now = self._connection.execute(select(schemas.c.changed).where(schemas.c.name == name)).scalar()
        if (now or 0) != changed or config_change not in (None, self._config_change):
            raise Moved

    def entry(self, name: str) -> Entry | None:
        """A schema as it stands now."""
        return next(iter(_entries(self._connection, [name])), None)

    def is_live(self, name: str, number: int) -> bool:
        """Whether a version can be extracted with and referred to now."""
        found = self._connection.execute(
            select(versions.c.number).where(
                versions.c.name == name,
                versions.c.number == number,
                versions.c.content_id.is_not(None),
                versions.c.deleted_at.is_(None),
            )
        )
        return found.first() is not None

    def content_of(self, id: int) -> Content:
        """A content by its id."""
        body = self._connection.execute(select(contents.c.body).where(contents.c.id == id)).scalar_one()
        return Content.of(_json(body))

    def referrers(self, name: str, numbers: Iterable[int]) -> list[tuple[str, int]]:
        """The live versions of other schemas, by name and number, that refer to one of these versions."""
        wanted = {(name, number) for number in numbers}
        # As `Content.document` writes it; what matches by chance is sorted out below.
        pattern = f'"subject":{jsontext.render(name).decode()},"version":'
        rows = self._connection.execute(
            select(versions.c.name, versions.c.number, contents.c.body)
            .join(contents, contents.c.id == versions.c.content_id)
            .where(
                versions.c.name != name,
                versions.c.deleted_at.is_(None),
                contents.c.body.contains(pattern, autoescape=True),
            )
            .order_by(versions.c.name, versions.c.number)
        )
        return [
            (row.name, row.number)
            for row in rows
            if any((one.subject, one.version) in wanted for one in Content.of(_json(row.body)).references)
        ]

    @property
    def at(self) -> datetime:
        """The moment of this change."""
        return self._at

    def draft(self, name: str) -> Draft | None:
        """The draft of a schema as it stands now."""
        row = self._connection.execute(select(drafts).where(drafts.c.name == name)).one_or_none()
        return None if row is None else _draft(row)

    def note(
        self,
        action: str,
        name: str | None,
        number: int | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Write a line of the history, and mark the schema as changed so that every replica reads it anew."""
        self._connection.execute(
            insert(changes).values(
                change=self.change,
                part=self._part,
                at=self._at,
                by=self._by,
                action=action,
                name=name,
                number=number,
                detail=jsontext.render(dict(detail or {})).decode(),
            )
        )
        self._part += 1
        if name is not None:
            self._set(name, changed=self.change)

    def ensure(self, name: str) -> None:
        """Make the schema's row where there is none. A schema that was deleted softly stays so."""
        if self._connection.execute(select(schemas.c.name).where(schemas.c.name == name)).first():
            return
        self._connection.execute(
            insert(schemas).values(
                name=name,
                last_version=0,
                labels="{}",
                config="{}",
                changed=self.change,
                created_at=self._at,
                created_by=self._by,
            )
        )

    def content(self, content: Content, *, id: int | None = None) -> int:
        """The id of a content; it is stored where it is new. ``id`` asks for a certain one.

        Raises ``ValueError`` when that one belongs to another content, or no id is left.
        """
        found: int | None = self._connection.execute(
            select(contents.c.id).where(contents.c.digest == content.digest)
        ).scalar()
        if found is not None:
            if id not in (None, found):
                raise ValueError(f"this content already has the id {found}")
            return found
        wanted = self._content_id + 1 if id is None else id
        if not 0 < wanted <= MAX_ID:
            raise ValueError("no content id is left")
        if self._connection.execute(select(contents.c.id).where(contents.c.id == wanted)).first():
            raise ValueError(f"the id {wanted} belongs to another content")
        self._connection.execute(
            insert(contents).values(
                id=wanted,
                digest=content.digest,
                shape_digest=content.shape_digest,
                body=jsontext.render(content.document()).decode(),
                created_at=self._at,
            )
        )
        self._content_id = max(self._content_id, wanted)
        self._connection.execute(update(state).values(content_id=self._content_id))
        return wanted

    def publish(self, name: str, content: Content, line: Line, *, id: int | None = None) -> Published:
        """The next version of a schema. Brings a softly deleted schema back to life."""
        self.ensure(name)
        content_id = self.content(content, id=id)
        last = self._connection.execute(
            select(schemas.c.last_version).where(schemas.c.name == name)
        ).scalar_one()
        version = Published(
            name=name,
            number=last + 1,
            content_id=content_id,
            digest=content.digest,
            created_at=self._at,
            created_by=self._by,
            origin=line.origin,
            held=line.held,
            reason=line.reason,
        )
        self.put_version(version)
        self.note(
            "publish",
            name,
            version.number,
            {
                "digest": version.digest,
                "origin": line.origin,
                **({"held": True, "reason": line.reason} if line.held else {}),
            },
        )
        return version

    def put_version(self, version: Published) -> None:
        """Insert a version as it is given (publishing, archives)."""
        row = {column.name: getattr(version, column.name) for column in versions.columns}
        self._connection.execute(insert(versions).values(row))
        self._connection.execute(
            update(schemas)
            .where(schemas.c.name == version.name, schemas.c.last_version < version.number)
            .values(last_version=version.number)
        )
        if version.live:
            self._set(version.name, deleted_at=None)

    def set_version(self, name: str, number: int, **given: Any) -> None:
        """Change the marks of a version: ``held``, ``base``, ``deleted_at``."""
        self._connection.execute(
            update(versions).where(versions.c.name == name, versions.c.number == number).values(**given)
        )

    def forget_version(self, name: str, number: int) -> None:
        """Delete a version for good; what stays is its number and digest. Contents that nobody uses go too."""
        content_id = self._connection.execute(
            select(versions.c.content_id).where(versions.c.name == name, versions.c.number == number)
        ).scalar()
        self.set_version(name, number, content_id=None, deleted_at=self._at)
        if content_id is None:
            return
        uses = select(func.count()).select_from(versions).where(versions.c.content_id == content_id)
        if self._connection.execute(uses).scalar_one() == 0:
            self._connection.execute(delete(contents).where(contents.c.id == content_id))

    def set_schema(
        self,
        name: str,
        *,
        labels: Mapping[str, str] | None = None,
        config: Config | None = None,
        deleted_at: datetime | bool | None = False,
    ) -> None:
        """Change what stands beside the versions; what is not given stays."""
        given: dict[str, Any] = {}
        if labels is not None:
            given["labels"] = jsontext.render(dict(labels)).decode()
        if config is not None:
            given["config"] = jsontext.render(config.document()).decode()
        if deleted_at is not False:
            given["deleted_at"] = deleted_at
        if given:
            self._set(name, **given)

    def set_mode(self, name: str | None, mode: Mode | None) -> None:
        """The mode of a schema (None: as the registry), or with ``name`` None of the registry."""
        if name is None:
            self._connection.execute(update(state).values(mode=mode or "READWRITE"))
        else:
            self._set(name, mode=mode)

    def set_config(self, config: Config) -> None:
        """The registry's own config."""
        text = jsontext.render(config.document()).decode()
        self._connection.execute(update(state).values(config=text, config_change=self.change))

    def put_draft(self, name: str, content: Content) -> Draft:
        """Write the draft. Makes the schema's row where there is none."""
        self.ensure(name)
        self.delete_draft(name)
        draft = Draft(name, self.change, content, self._at, self._by)
        self._connection.execute(
            insert(drafts).values(
                name=name,
                revision=draft.revision,
                body=jsontext.render(content.document()).decode(),
                updated_at=draft.updated_at,
                updated_by=draft.updated_by,
            )
        )
        return draft

    def delete_draft(self, name: str) -> None:
        """Drop the draft, where there is one."""
        self._connection.execute(delete(drafts).where(drafts.c.name == name))

    def drop_unused(self, name: str) -> None:
        """Drop the schema's row where nothing was ever published or set."""
        self._connection.execute(
            delete(schemas).where(
                schemas.c.name == name,
                schemas.c.last_version == 0,
                schemas.c.labels == "{}",
                schemas.c.config == "{}",
                schemas.c.mode.is_(None),
            )
        )

    def set_alias(self, name: str, alias: str, number: int | None) -> None:
        """Point an alias to a version, or drop it."""
        mine = (aliases.c.name == name) & (aliases.c.alias == alias)
        self._connection.execute(delete(aliases).where(mine))
        if number is not None:
            self._connection.execute(insert(aliases).values(name=name, alias=alias, number=number))

    def is_empty(self) -> bool:
        """Whether nothing was ever done here."""
        return all(
            self._connection.execute(
                select(table.c.change if table is changes else table.c.name).limit(1)
            ).first()
            is None
            for table in (schemas, changes)
        )

    def load(self, kind: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows of an archive as they are. The change counter never goes back: others watch it."""
        table = next(table for name, table, _ in _ARCHIVED if name == kind)
        if table is state:
            (row,) = rows
            self._connection.execute(update(state).values({**row, "change": max(self.change, row["change"])}))
        else:
            self._connection.execute(insert(table), list(rows))

    def _set(self, name: str, **given: Any) -> None:
        self._connection.execute(update(schemas).where(schemas.c.name == name).values(**given))


# ----------------------------------------------------------------------------------------------------------- reading


def _load(connection: Connection, known: Snapshot) -> Snapshot:
    row = connection.execute(select(state)).one()
    if row.change == known.change:
        return known
    names = None
    if known.change and known.entries:  # an archive brings changes that are older than the counter
        named = select(changes.c.name).where(changes.c.change > known.change, changes.c.name.is_not(None))
        names = [name for (name,) in connection.execute(named.distinct())]
    entries = list(_entries(connection, names))
    wanted = {
        version.content_id
        for entry in entries
        for version in entry.versions.values()
        if version.content_id is not None and version.content_id not in known.contents
    }
    return known.updated(
        change=row.change,
        entries=entries,
        gone=set(names or ()) - {entry.name for entry in entries},
        contents=_bodies(connection, wanted, everything=names is None),
        config=Config.of(_json(row.config)),
        config_change=row.config_change,
        mode=row.mode,
    )


def _bodies(connection: Connection, wanted: Iterable[int], *, everything: bool) -> dict[int, bytes]:
    query = select(contents.c.id, contents.c.body)
    if everything:
        return {id: body.encode() for id, body in connection.execute(query)}
    found: dict[int, bytes] = {}
    for few in _portions(sorted(wanted)):
        found.update(
            (id, body.encode()) for id, body in connection.execute(query.where(contents.c.id.in_(few)))
        )
    return found


def _entries(connection: Connection, names: Sequence[str] | None) -> Iterable[Entry]:
    if names is None:
        yield from _read_entries(connection, None)
        return
    for few in _portions(names):
        yield from _read_entries(connection, few)


def _read_entries(connection: Connection, names: Sequence[str] | None) -> Iterable[Entry]:
    def those(table: Table) -> Any:
        query = select(table)
        return connection.execute(query if names is None else query.where(table.c.name.in_(names)))

    numbered: dict[str, dict[int, Published]] = {}
    for row in those(versions):
        numbered.setdefault(row.name, {})[row.number] = Published(**row._mapping)  # noqa: SLF001 - as above
    pointed: dict[str, dict[str, int]] = {}
    for row in those(aliases):
        pointed.setdefault(row.name, {})[row.alias] = row.number
    query = select(drafts.c.name)
    drafted = set(
        connection.execute(query if names is None else query.where(drafts.c.name.in_(names))).scalars()
    )
    for row in those(schemas):
        yield Entry(
            name=row.name,
            versions=numbered.get(row.name, {}),
            aliases=pointed.get(row.name, {}),
            labels=_json(row.labels),
            config=Config.of(_json(row.config)),
            mode=row.mode,
            created_at=row.created_at,
            created_by=row.created_by,
            changed=row.changed,
            last_version=row.last_version,
            has_draft=row.name in drafted,
            deleted_at=row.deleted_at,
        )


def _portions(items: Sequence[Any], size: int = 500) -> Iterable[Sequence[Any]]:
    """Few at a time: databases limit how many values one statement takes."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _draft(row: Any) -> Draft:
    return Draft(row.name, row.revision, Content.of(_json(row.body)), row.updated_at, row.updated_by)


def _json(text: str) -> Any:
    return parse_stored(text.encode())
