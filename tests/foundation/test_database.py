import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

import service.extraction.store
import service.files.store
import service.foundation.answers
import service.registry.store  # noqa: F401 - all declare their tables
from service.foundation.database import Database, Settings, StorageUnavailable, head, tables, upgrade


def settings(url: str) -> Settings:
    return Settings.model_validate({"url": url})


@pytest.mark.parametrize("past", [True, False], ids=["migrated", "new"])
async def test_migrations_lead_to_the_declared_tables(database_url: str, *, past: bool) -> None:
    """Nothing differs between a migrated database, a new one, and what the stores declare."""
    database = Database(settings(database_url))
    if past:
        await database.write(upgrade)
    await database.open()

    def drift(connection: Connection) -> list[object]:
        return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), tables)

    async with database.read() as connection:
        assert await connection.run_sync(drift) == []
        assert (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar() == head()
    await database.close()


async def test_several_processes_migrate_at_once(database_url: str) -> None:
    """One of them does the work, the others find it done."""
    databases = [Database(settings(database_url)) for _ in range(4)]
    await asyncio.gather(*(database.open() for database in databases))
    await asyncio.gather(*(database.ping() for database in databases))
    for database in databases:
        await database.close()


async def test_a_new_file_that_another_process_writes_to(tmp_path: Path) -> None:
    """SQLite refuses to change the journal of such a file at once, whatever the time-out: opening waits instead."""
    path = tmp_path / "winnow.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE begun (id)")
    other.execute("BEGIN IMMEDIATE")
    database = Database(settings(f"sqlite:///{path}"))
    opening = asyncio.create_task(database.open())
    await asyncio.sleep(0.1)
    assert not opening.done()
    other.execute("COMMIT")
    await opening
    other.close()
    await database.close()
    with closing(sqlite3.connect(path)) as after:
        assert after.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_a_database_that_is_not_there() -> None:
    """An unreachable database is a typed error without the URL in it."""
    database = Database(settings("postgresql://winnow:secret@127.0.0.1:1/none"))
    with pytest.raises(StorageUnavailable) as caught:
        await database.open()
    assert "secret" not in caught.value.detail
    await database.close()
