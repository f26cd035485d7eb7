"""The one database: SQLite (WAL) by default, Postgres by URL, the same code for both.

Features declare their tables on ``tables`` in their ``store.py``. Migrations live beside this module and run when the
database is opened; the version that the files lead to is read from their names, so that a start on a current
database never loads alembic.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, Field, SecretStr
from sqlalchemy import Connection, DateTime, Dialect, MetaData, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

from service.foundation.errors import Unavailable

Result = TypeVar("Result")

tables = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_MIGRATIONS = Path(__file__).parent / "migrations"


class Settings(BaseModel):
    """Where records and attempts are kept."""

    url: SecretStr = Field(
        SecretStr("sqlite:///winnow.db"),
        description="`sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`.",
    )
    pool_size: int = Field(8, ge=1, le=200, description="Connections kept open.")


class StorageUnavailable(Unavailable):
    """The database does not answer."""

    code = "storage_unavailable"
    title = "The database does not answer"
    hint = "Retry later; operators: see the log entry with the same request id."


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC on every database (SQLite itself keeps no zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a naive datetime says nothing about when it was")
        return None if value is None else value.astimezone(UTC)

    @override
    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


class Database:
    """Engines with their migrations. ``open`` before use, ``close`` at the end.

    Reads go through the async ``engine``. Small writes on a request's path go through ``write``: one thread with a
    connection of its own, which costs one switch of threads where the async driver needs one per statement (0.3 ms
    instead of 1.1 ms of CPU for an insert and its commit, on SQLite).
    """

    def __init__(self, settings: Settings) -> None:
        url = make_url(settings.url.get_secret_value())
        self._sqlite = url.get_backend_name() == "sqlite"
        if self._sqlite and url.database in (None, "", ":memory:"):
            raise ValueError("the database needs a file: sqlite:///winnow.db")
        options: dict[str, Any] = {}
        if not self._sqlite:
            options = {"pool_pre_ping": True, "connect_args": {"connect_timeout": 5}}
        drivers = ("aiosqlite", "pysqlite") if self._sqlite else ("psycopg", "psycopg")
        urls = [url.set(drivername=f"{url.get_backend_name()}+{driver}") for driver in drivers]
        self.engine: AsyncEngine = create_async_engine(urls[0], pool_size=settings.pool_size, **options)
        self._writer = create_engine(urls[1], pool_size=1, max_overflow=0, **options)
        self._thread = ThreadPoolExecutor(1, "database-writer")
        if self._sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self._writer, "connect", _prepare_sqlite)

    async def open(self) -> None:
        """Bring the schema up to date.

        Raises ``StorageUnavailable`` when the database cannot be reached.
        """
        async with guarded(), self.engine.begin() as connection:
            if await _revision(connection) == head():
                return
        async with guarded(), self.engine.connect() as connection:
            # One process migrates, the others wait for it and then find nothing to do.
            if self._sqlite:
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                await connection.execute(text("SELECT pg_advisory_xact_lock(7246501)"))
            await connection.run_sync(_make_current)
            await connection.commit()

    async def close(self) -> None:
        """Close all connections, after the writes that were handed in."""
        await asyncio.to_thread(self._thread.shutdown)
        self._writer.dispose()
        await self.engine.dispose()

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run ``work`` in a transaction and commit it. Writes happen one after the other, in order.

        A cancelled caller does not take the write back. Raises ``StorageUnavailable``.
        """

        def run() -> Result:
            with self._writer.begin() as connection:
                return work(connection)

        async with guarded():
            return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, run))

    async def ping(self) -> None:
        """Ask the database anything.

        Raises ``StorageUnavailable``.
        """
        async with guarded(), asyncio.timeout(2), self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))


@asynccontextmanager
async def guarded() -> AsyncIterator[None]:
    """Turn the driver's errors and time-outs into ``StorageUnavailable``."""
    try:
        yield
    except (DBAPIError, OSError, TimeoutError) as error:
        kind = type(getattr(error, "orig", None) or error).__name__
        raise StorageUnavailable(
            f"The database answered {kind}; nothing was stored.", retry_after=2
        ) from error


def head() -> str:
    """The newest revision among the migration files (`0001_….py` → `0001`)."""
    return max(
        match[1]
        for path in (_MIGRATIONS / "versions").iterdir()
        if (match := re.match(r"(\d{4})_\w+\.py$", path.name))
    )


async def _revision(connection: AsyncConnection) -> str | None:
    def read(sync: Any) -> str | None:
        if not sync.dialect.has_table(sync, "alembic_version"):
            return None
        found: str | None = sync.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found

    return await connection.run_sync(read)


def _make_current(connection: Connection) -> None:
    """A new database gets the declared tables at once; one with a past goes through the migrations.

    Both lead to the same tables (a test compares them), and a first start needs no alembic.
    """
    if connection.dialect.has_table(connection, "alembic_version"):
        upgrade(connection)
        return
    tables.create_all(connection)
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": head()})


def upgrade(connection: Connection) -> None:
    """Run the migrations that this database has not seen, inside the caller's transaction."""
    # 14 MB and 150 ms that a start on a current database does not need.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
