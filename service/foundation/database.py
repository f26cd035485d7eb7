"""The one database: SQLite (WAL) by default, Postgres by URL, the same code for both.

Features declare their tables on ``tables`` in their ``store.py``. Migrations live beside this module and run when the
database is opened; the version that the files lead to is read from their names, so that a start on a current
database never loads alembic.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from sqlite3 import SQLITE_BUSY, OperationalError
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, Field, SecretStr
from sqlalchemy import Connection, DateTime, Dialect, MetaData, Table, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

from service.foundation.errors import Unavailable
from service.foundation.thread import WorkThread

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

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
_BUSY_S = 10  # how long a connection waits for the one that writes


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

    Small writes on a request's path go through ``write``: one thread with a connection of its own, which costs one
    switch of threads where the async driver needs one per statement (0.3 ms instead of 1.1 ms of CPU for an insert and
    its commit, on SQLite). Reads go through ``read``, the async engine; it is made by the first of them, for it brings
    6 MB that a service which only extracts never needs.
    """

    def __init__(self, settings: Settings) -> None:
        url = make_url(settings.url.get_secret_value())
        self.sqlite = url.get_backend_name() == "sqlite"
        if self.sqlite and url.database in (None, "", ":memory:"):
            raise ValueError("the database needs a file: sqlite:///winnow.db")
        self._options: dict[str, Any] = {}
        if not self.sqlite:
            self._options = {"pool_pre_ping": True, "connect_args": {"connect_timeout": 5}}
        drivers = ("pysqlite", "aiosqlite") if self.sqlite else ("psycopg", "psycopg")
        writing, self._reading = (
            url.set(drivername=f"{url.get_backend_name()}+{driver}") for driver in drivers
        )
        self._pool_size = settings.pool_size
        # Two connections of one thread: the one of ``run`` is kept, the other one serves transactions.
        self._writer = create_engine(writing, pool_size=2, max_overflow=0, **self._options)
        self._kept: Connection | None = None
        self._reader: AsyncEngine | None = None
        self._making = asyncio.Lock()
        self._thread = WorkThread("database-writer")
        if self.sqlite:
            event.listen(self._writer, "connect", _prepare_sqlite)

    async def open(self) -> None:
        """Bring the schema up to date: one process does it, others wait and then find nothing to do.

        Raises ``StorageUnavailable`` when the database cannot be reached.
        """

        def migrate() -> None:
            with guarded(), self._writer.connect() as connection:
                if _revision(connection) == head():
                    return
                connection.rollback()
                if self.sqlite:
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                else:
                    connection.execute(text("SELECT pg_advisory_xact_lock(7246501)"))
                _make_current(connection)
                connection.commit()

        await self.in_writer(migrate)

    async def close(self) -> None:
        """Close all connections, after the writes that were handed in."""
        await self._thread.close()
        self._let_go()
        self._writer.dispose()
        if self._reader is not None:
            await self._reader.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator["AsyncConnection"]:
        """A connection to read from. Raises ``StorageUnavailable``."""
        async with self._making:
            if self._reader is None:
                self._reader = await asyncio.to_thread(self._make_reader)
        with guarded():
            async with self._reader.connect() as connection:
                yield connection

    def _make_reader(self) -> "AsyncEngine":
        from sqlalchemy.ext.asyncio import create_async_engine

        engine = create_async_engine(self._reading, pool_size=self._pool_size, **self._options)
        if self.sqlite:
            event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        return engine

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run ``work`` in a transaction and commit it. Writes happen one after the other, in order.

        A cancelled caller does not take the write back. Raises ``StorageUnavailable``.
        """
        return await self.in_writer(partial(self.transact, work))

    def in_writer(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        """Have ``work`` done in the thread that writes, after what was handed in before. It may ``transact``."""
        return self._thread.submit(work)

    def transact(self, work: Callable[[Connection], Result]) -> Result:
        """Run ``work`` in a transaction and commit it, in the thread that writes. Raises ``StorageUnavailable``."""
        with guarded(), self._writer.begin() as connection:
            return work(connection)

    def run(self, statement: str, parameters: tuple[Any, ...]) -> None:
        """Run one statement as a transaction of its own, in the thread that writes. Raises ``StorageUnavailable``.

        ``statement`` is in the driver's own words. At half the price of ``transact`` it is for what every request does.
        """
        try:
            with guarded():
                if self._kept is None:
                    self._kept = self._writer.connect().execution_options(isolation_level="AUTOCOMMIT")
                self._kept.exec_driver_sql(statement, parameters)
        except BaseException:
            self._let_go()
            raise

    def _let_go(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    async def ping(self) -> None:
        """Ask the database anything.

        Raises ``StorageUnavailable``.
        """
        with guarded():
            async with asyncio.timeout(2):
                await self.write(lambda connection: connection.execute(text("SELECT 1")).scalar())


def file_of(settings: Settings) -> Path | None:
    """The file that an SQLite database is; None for a server."""
    url = make_url(settings.url.get_secret_value())
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


@contextmanager
def guarded() -> Iterator[None]:
    """Turn the driver's errors and time-outs into ``StorageUnavailable``."""
    try:
        yield
    except (DBAPIError, OSError, TimeoutError) as error:
        kind = type(getattr(error, "orig", None) or error).__name__
        raise StorageUnavailable(
            f"The database answered {kind}; nothing was stored.", retry_after=2
        ) from error


def upsert(connection: Connection, table: Table) -> Any:
    """An insert that can say what to do on a conflict: both databases have it, each in a dialect of its own.

    Only the dialect at hand is loaded; the other would cost 2 MB.
    """
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        return sqlite_insert(table)
    from sqlalchemy.dialects.postgresql import insert as postgresql_insert

    return postgresql_insert(table)


def head() -> str:
    """The newest revision among the migration files (`0001_….py` → `0001`)."""
    return max(
        match[1]
        for path in (_MIGRATIONS / "versions").iterdir()
        if (match := re.match(r"(\d{4})_\w+\.py$", path.name))
    )


def _revision(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


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
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_S * 1000}")
    _use_wal(cursor)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _use_wal(cursor: Any) -> None:
    """Turn the write-ahead log on, which stays on in the file.

    Processes that open a new file at once all want to, and SQLite refuses all but one of them without waiting:
    ``busy_timeout`` does not hold where a read lock would have to become a write lock.
    """
    until = monotonic() + _BUSY_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except OperationalError as error:
            if error.sqlite_errorcode & 0xFF != SQLITE_BUSY or monotonic() > until:
                raise
            sleep(0.01)
        else:
            return
