"""The registry on a database: what several processes share."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from service.foundation.database import Database
from service.foundation.database import Settings as DatabaseSettings
from service.registry import Registry, Settings, UnknownSchema
from service.registry.contents import Content
from service.registry.snapshot import Line
from service.registry.store import Moved, Writer

PLAIN = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def folder(path: Path, **schemas: object) -> Path:
    for name, content in schemas.items():
        (path / name).mkdir(parents=True, exist_ok=True)
        (path / name / "schema.json").write_text(json.dumps(content))
    return path


@asynccontextmanager
async def opened(url: str, *folders: Path, refresh_s: float = 0.05) -> AsyncIterator[Registry]:
    database = Database(DatabaseSettings.model_validate({"url": url}))
    await database.open()
    registry = Registry(Settings(folders=list(folders), starter=False, refresh_s=refresh_s))
    await registry.open(database)
    try:
        yield registry
    finally:
        await registry.close()
        await database.close()


async def publish(registry: Registry, name: str, content: Any) -> int:
    def work(writer: Writer) -> int:
        return writer.publish(name, Content(content), Line()).number

    return await registry.write(work, by="test")


async def test_folders_are_published_once(database_url: str, tmp_path: Path) -> None:
    """A folder's schema is version 1; a restart changes nothing, another content is the next version."""
    place = folder(tmp_path / "a", order=PLAIN, note=schema())
    for _ in range(2):
        async with opened(database_url, place) as registry:
            assert registry.resolve("order").version == 1
            assert registry.change == 1
    older = folder(tmp_path / "b", order=PLAIN)
    folder(tmp_path / "a", order=schema(b={"type": "string"}))
    async with opened(database_url, place) as registry:
        assert registry.resolve("order").version == 2
        assert registry.resolve("order@1").schema == PLAIN
        async with opened(database_url, older) as other:  # a process that was not rolled out yet
            assert other.resolve("order").version == 2
            assert [version.name for version in other.all()] == ["note", "order"]
            assert other.change == registry.change


async def test_processes_that_start_at_once_publish_a_folder_once(database_url: str, tmp_path: Path) -> None:
    """Each process finds what another one has published meanwhile."""
    place = folder(tmp_path, order=PLAIN)

    async def start() -> int:
        async with opened(database_url, place) as registry:
            return len(registry.snapshot.entries["order"].versions)

    assert await asyncio.gather(*(start() for _ in range(4))) == [1] * 4


async def test_a_change_is_seen_everywhere(database_url: str) -> None:
    """On the process that wrote it at once, on others with the next look at the counter."""
    async with opened(database_url) as here, opened(database_url) as there:
        await publish(here, "order", PLAIN)
        assert here.resolve("order").schema == PLAIN
        for _ in range(1500):
            if there.change == here.change:
                break
            await asyncio.sleep(0.02)
        assert there.resolve("order@latest").digest == here.resolve("order@1").digest


async def test_reading_asks_nobody(database_url: str) -> None:
    """Resolving, listing and showing cost no query."""
    async with opened(database_url, refresh_s=60) as registry:
        await publish(registry, "order", PLAIN)

        async def fail(*_: Any) -> None:
            raise AssertionError("asked the database")

        registry.store._database.write = fail
        registry.store._database.read = fail
        assert registry.resolve("order").version == 1
        assert len(registry.all()) == 1
        with pytest.raises(UnknownSchema):
            registry.resolve("ordre")
        del registry.store._database.write, registry.store._database.read


async def test_equal_contents_share_an_id(database_url: str) -> None:
    """Ids are given in order, one for each content, and never again after a permanent deletion."""
    async with opened(database_url) as registry:
        for name, content in (("a", PLAIN), ("b", PLAIN), ("b", schema()), ("com.acme/Order-value", PLAIN)):
            await publish(registry, name, content)
        entries = registry.snapshot.entries
        assert [entries["b"].versions[number].content_id for number in (1, 2)] == [1, 2]
        assert [use.name for use in registry.snapshot.users[1]] == ["a", "b", "com.acme/Order-value"]

        def forget(writer: Writer) -> None:
            writer.forget_version("b", 2)
            writer.note("delete_version", "b", 2)

        await registry.write(forget, by="test")
        assert list(registry.snapshot.contents) == [1]
        assert await publish(registry, "b", schema(x=True)) == 3
        assert registry.snapshot.entries["b"].versions[3].content_id == 3


async def test_a_write_on_an_old_state_is_refused(database_url: str) -> None:
    """What was checked must still be so when it is written."""
    async with opened(database_url) as registry:
        await publish(registry, "order", PLAIN)
        seen = registry.snapshot.entries["order"].changed
        await publish(registry, "order", schema())

        def work(writer: Writer) -> None:
            writer.expect("order", seen)
            writer.publish("order", Content(schema(x=True)), Line())

        with pytest.raises(Moved):
            await registry.write(work, by="test")
        assert await publish(registry, "order", schema(y=True)) == 3
