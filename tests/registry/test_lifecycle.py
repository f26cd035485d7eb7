"""What ends and comes back, on both databases: deletion, restoring, modes, and what stands in their way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from service.foundation.database import Database
from service.foundation.database import Settings as DatabaseSettings
from service.registry import Registry, Settings, UnknownSchema
from service.registry.contents import Content
from service.registry.errors import Incompatible, InUse, NotDeleted, NotRestorable, ReadOnly, SchemaRejected
from service.registry.lifecycle import (
    delete_schema,
    delete_version,
    restore_schema,
    restore_version,
    set_labels,
    set_mode,
)
from service.registry.publishing import publish
from service.registry.schemas import SchemaDeleted
from service.registry.store import Writer


def record(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


TEXT = {"type": "string"}
NOTE = {"type": ["string", "null"]}


@pytest.fixture
async def registry(database_url: str) -> AsyncIterator[Registry]:
    """A registry without folders."""
    database = Database(DatabaseSettings.model_validate({"url": database_url}))
    await database.open()
    registry = Registry(Settings(starter=False, refresh_s=60))
    await registry.open(database)
    yield registry
    await registry.close()
    await database.close()


async def put(registry: Registry, name: str, *schemas: Any) -> list[int]:
    found = [await publish(registry, name, Content(one), breaking=None, by="test") for one in schemas]
    return [version.number for version, _ in found]


async def do(registry: Registry, step: Callable[..., Any], *given: Any, **more: Any) -> Any:
    def run(writer: Writer) -> Any:
        return step(writer, *given, **more)

    return await registry.write(run, by="test")


async def test_a_version_ends_and_comes_back(registry: Registry) -> None:
    """Soft, restored, soft and for good; the number is never given again, and the last one takes its schema along."""
    assert await put(registry, "order", record(a=TEXT), record(a=TEXT, b=NOTE)) == [1, 2]
    with pytest.raises(NotDeleted):
        await do(registry, delete_version, "order", 2, permanent=True)
    with pytest.raises(NotDeleted):
        await do(registry, restore_version, "order", 2)
    await do(registry, delete_version, "order", 2)
    with pytest.raises(SchemaDeleted, match="deleted already"):
        await do(registry, delete_version, "order", 2)
    assert registry.resolve("order").version == 1
    with pytest.raises(SchemaDeleted, match="versions/2/restore"):
        registry.resolve("order@2")
    await do(registry, restore_version, "order", 2)
    assert registry.resolve("order").version == 2
    await do(registry, delete_version, "order", 2)
    await do(registry, delete_version, "order", 2, permanent=True)
    for step in (delete_version, restore_version):
        with pytest.raises(SchemaDeleted, match="for good"):
            await do(registry, step, "order", 2)
    with pytest.raises(SchemaDeleted, match="for good"):
        registry.resolve("order@2")
    assert await put(registry, "order", record(a=TEXT, b=NOTE)) == [3]
    await do(registry, delete_version, "order", 3)
    await do(registry, delete_version, "order", 1)
    assert registry.snapshot.entries["order"].deleted_at is not None
    assert await do(registry, restore_schema, "order") == [1]
    with pytest.raises(UnknownSchema):
        await do(registry, delete_version, "order", 9)


async def test_a_schema_ends_and_comes_back(registry: Registry) -> None:
    """Restoring brings back what went with the schema, not what was deleted before; for good leaves the numbers."""
    await put(registry, "order", record(a=TEXT), record(a=TEXT, b=NOTE), record(a=TEXT, c=NOTE))
    await do(registry, delete_version, "order", 1)
    await do(registry, set_labels, "order", {"team": "billing"})
    with pytest.raises(NotDeleted):
        await do(registry, delete_schema, "order", permanent=True)
    assert await do(registry, delete_schema, "order") == [2, 3]
    with pytest.raises(SchemaDeleted, match="restore"):
        registry.resolve("order")
    with pytest.raises(SchemaDeleted):
        await do(registry, delete_schema, "order")
    assert await do(registry, restore_schema, "order") == [2, 3]
    with pytest.raises(NotDeleted):
        await do(registry, restore_schema, "order")
    assert registry.snapshot.entries["order"].labels == {"team": "billing"}
    await do(registry, delete_schema, "order")
    assert await do(registry, delete_schema, "order", permanent=True) == [1, 2, 3]
    with pytest.raises(SchemaDeleted, match="for good"):
        registry.resolve("order")
    with pytest.raises(SchemaDeleted, match="for good"):
        await do(registry, restore_schema, "order")
    assert registry.snapshot.contents == {}
    assert await put(registry, "order", record(a=TEXT)) == [4]
    assert registry.snapshot.entries["order"].labels == {}


async def test_what_is_in_use_stays(registry: Registry) -> None:
    """An alias and a live schema that refers to it are named; a deleted referrer holds nothing, and cannot come back."""
    await put(registry, "place", record(city=TEXT), record(city=TEXT, zip=NOTE))
    await put(registry, "order", record(to={"$ref": "schema://place/1"}))
    await do(registry, lambda writer: writer.set_alias("place", "production", 1))
    with pytest.raises(InUse) as refused:
        await do(registry, delete_version, "place", 1)
    assert refused.value.members["used_by"] == [
        {"kind": "alias", "name": "production", "version": 1},
        {"kind": "schema", "name": "order", "version": 1},
    ]
    await do(registry, delete_version, "place", 2)  # nobody uses it
    with pytest.raises(InUse):
        await do(registry, delete_schema, "place")
    await do(registry, lambda writer: writer.set_alias("place", "production", None))
    await do(registry, delete_schema, "order")
    await do(registry, delete_schema, "place")
    with pytest.raises(NotRestorable) as stuck:
        await do(registry, restore_schema, "order")
    assert "'place' version 1" in stuck.value.errors[0].detail
    await do(registry, restore_schema, "place")
    await do(registry, restore_schema, "order")
    with pytest.raises(SchemaRejected):  # what was deleted is not referred to anew
        await put(registry, "letter", record(to={"$ref": "schema://place/2"}))


async def test_nothing_refers_to_what_is_deleted_meanwhile(registry: Registry) -> None:
    """Of a deletion and a publish that refers to it, at the same time, one is refused."""
    for n in range(8):
        await put(registry, f"place{n}", record(city=TEXT))
    refers = [record(to={"$ref": f"schema://place{n}/1"}) for n in range(8)]
    steps = [put(registry, f"order{n}", refers[n]) for n in range(8)]
    steps += [do(registry, delete_schema, f"place{n}") for n in range(8)]
    order = [step for pair in zip(steps[:8], steps[8:], strict=True) for step in pair]
    found = await asyncio.gather(*order, return_exceptions=True)
    for published, deleted in zip(found[::2], found[1::2], strict=True):
        assert isinstance(published, SchemaRejected) != isinstance(deleted, InUse), (published, deleted)


async def test_modes(registry: Registry) -> None:
    """A closed schema takes nothing; its own mode goes before the registry's, whose override goes before all."""
    await put(registry, "order", record(a=TEXT))
    await do(registry, set_mode, "order", "READONLY")
    for step, given in (
        (delete_version, ("order", 1)),
        (delete_schema, ("order",)),
        (set_labels, ("order", {})),
    ):
        with pytest.raises(ReadOnly, match="'order' is read-only"):
            await do(registry, step, *given)
    with pytest.raises(ReadOnly):
        await put(registry, "order", record(a=TEXT, b=NOTE))
    assert await put(registry, "other", record(a=TEXT)) == [1]
    await do(registry, set_mode, None, "READONLY")
    await do(registry, set_mode, "order", "READWRITE")
    with pytest.raises(ReadOnly, match="registry is read-only"):
        await put(registry, "other", record(a=TEXT, b=NOTE))
    assert await put(registry, "order", record(a=TEXT, b=NOTE)) == [2]
    await do(registry, set_mode, None, "READONLY_OVERRIDE")
    with pytest.raises(ReadOnly, match="registry is read-only"):
        await put(registry, "order", record(a=TEXT, c=NOTE))
    await do(registry, set_mode, None, "READWRITE")
    await do(registry, set_mode, "order", None)
    with pytest.raises(Incompatible):
        await put(registry, "order", record(a={"type": "integer"}))


async def test_the_history_tells_all_of_it(registry: Registry) -> None:
    """Every step leaves a line with who did it."""
    await put(registry, "order", record(a=TEXT))
    await do(registry, set_labels, "order", {"team": "billing"})
    await do(registry, delete_version, "order", 1)
    await do(registry, restore_version, "order", 1)
    await do(registry, delete_schema, "order")
    await do(registry, delete_schema, "order", permanent=True)
    await do(registry, set_mode, "order", "READONLY")
    lines = await registry.store.history(name="order", before=None, limit=20)
    assert [(line.action, line.number) for line in reversed(lines)] == [
        ("publish", 1),
        ("labels", None),
        ("delete_version", 1),
        ("restore_version", 1),
        ("delete_schema", None),
        ("purge_schema", None),
        ("mode", None),
    ]
    assert {line.by for line in lines} == {"test"}
