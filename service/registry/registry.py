"""Which schemas exist: looked up by name, version and alias in memory, without a query on the way."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

from pydantic import BaseModel, Field

from service.foundation import clock, jsontext, telemetry
from service.foundation.errors import Fault, WinnowError
from service.registry import folder
from service.registry.contents import Content, content_of
from service.registry.errors import ReadOnly
from service.registry.schemas import InvalidSchema, SchemaName, SchemaVersion, parse_reference
from service.registry.snapshot import Config, Entry, Line, Published, Snapshot

if TYPE_CHECKING:
    from service.foundation.database import Database
    from service.registry.models import Models
    from service.registry.store import Store, Writer

INLINE = SchemaName("inline")
_KEPT_INLINE_BYTES = 16 * 1024 * 1024
"""Schema text whose compiled forms are kept for the next request with the same inline schema."""

_KEPT_REFERENCES = 4096
Result = TypeVar("Result")


class Settings(BaseModel):
    """Which schemas are served."""

    folders: list[Path] = Field(
        default_factory=list,
        description="Further folders of schemas (`DIR/<name>/schema.json`), beside the starter schemas.",
    )
    starter: bool = Field(True, description="Whether the ten starter schemas are served.")
    confluent: bool = Field(
        True,
        description="Whether clients of the Confluent Schema Registry are served under `/confluent` (JSON Schema only).",
    )
    refresh_s: float = Field(
        1.0,
        gt=0,
        le=60,
        description="Seconds between looks at the database for what other processes published.",
    )


class Registry:
    """The schemas that this process serves.

    Before ``open`` these are the schemas of the folders, each as version 1. ``open`` publishes what the database does
    not know of them, and from then on the database is what is served: so all processes on one database agree, whatever
    folders each was started with. A folder's schema that changed becomes the next version; one whose content was ever
    published under its name, also by a deleted version, is left alone, so that a restart changes nothing.

    Raises ``folder.BrokenFolder`` when a folder cannot be read, so that a service never starts with half its schemas.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.models: Models | None = None
        """What a version's policy may name; None where nobody knows, and nothing is held against it."""
        self._made: dict[tuple[str, int, str], SchemaVersion] = {}
        self._resolved: dict[str, SchemaVersion] = {}
        self._folders = self._read_folders(settings)
        self._snapshot = _of_folders(self._folders)
        self._made.update({(version.name, 1, version.digest): version for version in self._folders.values()})
        self._inline: OrderedDict[bytes, SchemaVersion] = OrderedDict()
        self._inline_bytes = 0
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._store: Store | None = None
        self._refreshing: asyncio.Lock | None = None
        self._watching: asyncio.Task[None] | None = None

    @staticmethod
    def _read_folders(settings: Settings) -> dict[str, SchemaVersion]:
        found: dict[str, SchemaVersion] = {}
        for place in [*([folder.starter()] if settings.starter else []), *settings.folders]:
            for version in folder.read(place):
                if version.name in found:
                    raise folder.BrokenFolder(
                        f"two folders hold a schema named {version.name!r}; rename one of them"
                    )
                found[version.name] = version
        return found

    # ------------------------------------------------------------------------------------------- life with a database

    async def open(self, database: "Database") -> None:
        """Load the registry, publish what the folders bring, and watch for changes. Raises ``StorageUnavailable``."""
        from service.registry.store import Store  # the command line reads folders without a database

        store = self._store = Store(database)
        self._refreshing = asyncio.Lock()
        await store.open()
        await self._take(await store.load(Snapshot()))
        if await self._publish_folders():
            await self.refresh()
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Stop watching."""
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching

    async def refresh(self) -> None:
        """Take over what changed in the database; costs one small query when nothing did."""
        assert self._refreshing is not None  # noqa: S101 - narrows the type: only called once opened
        async with self._refreshing:
            if await self.store.change() != self._snapshot.change:
                await self._take(await self.store.load(self._snapshot))

    async def write(self, work: Callable[["Writer"], Result], *, by: str) -> Result:
        """Change the registry in one transaction; the change is seen here when this returns."""
        result = await self.store.write(work, by=by)
        await self.refresh()
        return result

    def turn(self, name: str) -> asyncio.Lock:
        """What to hold while a schema is checked and then written.

        The transaction keeps writers apart, in other processes too; but of fifty that check at the same time in this one,
        forty-nine would check in vain, and forty-eight again.
        """
        turn = self._turns.get(name)
        if turn is None:
            turn = self._turns[name] = asyncio.Lock()
        return turn

    @property
    def store(self) -> "Store":
        """The database's side."""
        if self._store is None:
            raise RuntimeError("the registry was not opened")
        return self._store

    async def _watch(self) -> None:
        """See what other processes published. Trouble is no reason to stop: what is known is served on."""
        failing = False
        while True:
            await asyncio.sleep(self._settings.refresh_s)
            try:
                await self.refresh()
            except WinnowError as error:
                if not failing:
                    telemetry.log.warning("registry_not_refreshed", code=error.code)
                failing = True
            else:
                failing = False

    async def _take(self, snapshot: Snapshot) -> None:
        if snapshot is self._snapshot:
            return
        kept = {
            (version.name, version.number, version.digest)
            for entry in snapshot.entries.values()
            for version in entry.kept
        }
        for (
            version
        ) in self._folders.values():  # compiled already: the database's version 1 is mostly this one
            kept.add((version.name, 1, version.digest))
        self._made = {key: version for key, version in self._made.items() if key in kept}
        self._resolved = {}
        self._snapshot = snapshot

    async def _publish_folders(self) -> bool:
        """Publish the schemas of the folders whose content was never published under their name."""
        new = [version for version in self._folders.values() if not self._knows(version)]
        if not new:
            return False

        from service.registry.lifecycle import ensure_writable  # it needs the store: see `open`

        def publish(writer: "Writer") -> None:
            for version in new:
                content = content_of(version)
                try:
                    ensure_writable(writer, version.name)
                except ReadOnly as error:
                    telemetry.log.warning("folder_not_published", schema=version.name, code=error.code)
                    continue
                entry = writer.entry(version.name)
                if entry is None or all(old.digest != content.digest for old in entry.versions.values()):
                    writer.publish(version.name, content, Line(origin="folder"))

        await self.store.write(publish, by="folder")
        return True

    def _knows(self, version: SchemaVersion) -> bool:
        entry = self._snapshot.entries.get(version.name)
        return entry is not None and any(old.digest == version.digest for old in entry.versions.values())

    # -------------------------------------------------------------------------------------------------------- reading

    @property
    def snapshot(self) -> Snapshot:
        """Everything, as it stands now."""
        return self._snapshot

    @property
    def change(self) -> int:
        """A number that is new whenever anything changed: what is made of the registry can be kept under it."""
        return self._snapshot.change

    def all(self) -> Sequence[SchemaVersion]:
        """The newest version of every schema, by name."""
        snapshot = self._snapshot
        latest = (snapshot.entries[name].latest for name in snapshot.names)
        return [self.version(found) for found in latest if found is not None]

    def __len__(self) -> int:
        return len(self._snapshot.names)

    def resolve(self, reference: str) -> SchemaVersion:
        """The version behind ``invoice``, ``invoice@1``, ``invoice@production`` or ``invoice@latest``.

        Raises ``UnknownSchema`` with near names, ``BadRequest`` for a malformed reference.
        """
        known = self._resolved.get(reference)
        if known is not None:
            return known
        name, wanted = parse_reference(reference)
        version = self.version(self._snapshot.find(name, wanted))
        if len(self._resolved) >= _KEPT_REFERENCES:
            self._resolved.clear()
        self._resolved[reference] = version
        return version

    def kept(self, name: str, number: int) -> SchemaVersion:
        """A version by its number, also one that was deleted and can be restored.

        Raises ``UnknownSchema``, ``SchemaDeleted`` (for good).
        """
        return self.version(self._snapshot.find(name, str(number), deleted=True))

    def version(self, published: Published) -> SchemaVersion:
        """The version with its content, made once. It must not have been deleted for good."""
        key = (published.name, published.number, published.digest)
        found = self._made.get(key)
        if found is None:
            found = self.content(published).version(SchemaName(published.name), published.number)
            self._made[key] = found
        return found

    def content(self, published: Published | int) -> Content:
        """What a version says as its author wrote it; by the version or by a content's id."""
        return self._snapshot.content(published)

    async def inline(self, schema: Any) -> SchemaVersion:
        """The version for a schema that came inside a request; equal texts are compiled once.

        Compiled beside the event loop: a large schema may take seconds. Raises ``InvalidSchema``, ``SchemaRefused``.
        """
        if not isinstance(schema, dict | bool):
            raise InvalidSchema(
                "`schema` is neither a JSON object nor a boolean.",
                errors=[Fault("/schema", "Send the JSON Schema itself, not a string that contains it.")],
            )
        text = jsontext.render(schema)
        kept = self._inline.get(text)
        if kept is not None:
            self._inline.move_to_end(text)
            return kept
        version = SchemaVersion(INLINE, None, schema)
        await asyncio.to_thread(lambda: version.compiled)
        if text not in self._inline:
            self._inline[text] = version
            self._inline_bytes += len(text)
        while self._inline_bytes > _KEPT_INLINE_BYTES:
            oldest, _ = self._inline.popitem(last=False)
            self._inline_bytes -= len(oldest)
        return version


def _of_folders(versions: Mapping[str, SchemaVersion]) -> Snapshot:
    """What is served without a database: every schema of the folders as its version 1."""
    entries: dict[str, Entry] = {}
    contents: dict[int, bytes] = {}
    now = clock.now()
    for id, version in enumerate(versions.values(), 1):
        content = content_of(version)
        contents[id] = jsontext.render(content.document())
        published = Published(version.name, 1, id, content.digest, now, "folder", "folder")
        entries[version.name] = Entry(
            name=version.name,
            versions={1: published},
            aliases={},
            labels={},
            config=Config(),
            mode=None,
            created_at=now,
            created_by="folder",
            changed=0,
            last_version=1,
        )
    return Snapshot(entries=entries, contents=contents)
