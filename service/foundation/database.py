"""The one database: SQLite (WAL) by default, Postgres by URL, the same code for both.

Features declare their tables on ``tables`` in their ``store.py``. Migrations live beside this module and run when the
database is opened; the version that the files lead to is read from their names, so that a start on a current
database never loads alembic.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, SecretStr
from sqlalchemy import DateTime, Dialect, MetaData, event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

from service.foundation.errors import Unavailable

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
        description="`sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`; `sqlite://` keeps everything in memory.",
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
    """An engine with its migrations. ``open`` before use, ``close`` at the end."""

    def __init__(self, settings: Settings) -> None:
        url = make_url(settings.url.get_secret_value())
        self._sqlite = url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {}
        if self._sqlite:
            url = url.set(drivername="sqlite+aiosqlite")
        else:
            url = url.set(drivername="postgresql+psycopg")
            options = {
                "pool_size": settings.pool_size,
                "max_overflow": settings.pool_size,
                "pool_pre_ping": True,
            }
        self.engine: AsyncEngine = create_async_engine(url, **options)
        if self._sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)

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
            await connection.run_sync(_upgrade)
            await connection.commit()

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()

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


def _upgrade(connection: Any) -> None:
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
