"""All SQL of uploaded files: who they are. Their bytes lie in a folder, see ``blobs``."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import BigInteger, Column, Connection, String, Table, delete, func, insert, select, text

from service.files.errors import FilesFull, UnknownFile
from service.foundation.database import Database, UtcDateTime, tables

files = Table(
    "files",
    tables,
    Column("id", String(40), primary_key=True),
    Column("digest", String(80), nullable=False, index=True),
    Column("size", BigInteger, nullable=False),
    Column("media_type", String(255)),
    Column("name", String(512)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file. Two with the same ``digest`` (``sha256:<hex>``) share their bytes, and nothing else."""

    id: str
    digest: str
    size: int
    media_type: str | None
    name: str | None = field(repr=False)
    created_at: datetime
    created_by: str
    expires_at: datetime


class Store:
    """Rows of files. A row whose time is over stays for a while, so that its file is known to have expired."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, file: File, *, most: int) -> None:
        """Write a row; its bytes must be in place.

        Raises ``FilesFull`` when the bytes of all live files, equal ones counted once, would be more than ``most``.
        """

        def work(connection: Connection) -> None:
            if (
                connection.dialect.name == "postgresql"
            ):  # others must not count while this one is not yet seen
                connection.execute(text("SELECT pg_advisory_xact_lock(7246502)"))
            connection.execute(insert(files).values(**_values(file)))
            distinct = (
                select(files.c.digest, files.c.size)
                .where(files.c.expires_at > file.created_at)
                .distinct()
                .subquery()
            )
            total = connection.execute(select(func.sum(distinct.c.size))).scalar() or 0
            if total > most:
                raise FilesFull(
                    f"All files together would have {int(total):,} bytes; {most:,} are kept at most.",
                    members={"allowed": most},
                )

        await self._database.write(work)

    async def get(self, id: str) -> File:
        """A row, also one whose time is over. Raises ``UnknownFile``."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(files).where(files.c.id == id))).one_or_none()
        if row is None:
            raise UnknownFile("No file has this id.")
        return File(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name for the row as a mapping

    async def newest(self, *, now: datetime, before: str | None, limit: int) -> list[File]:
        """Live files, newest first, starting after the id ``before``."""
        query = select(files).where(files.c.expires_at > now).order_by(files.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(files.c.id < before)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [File(**row._mapping) for row in rows]  # noqa: SLF001 - as above

    async def delete(self, id: str) -> None:
        """Forget a file. Raises ``UnknownFile``."""
        query = delete(files).where(files.c.id == id)
        if await self._database.write(lambda connection: connection.execute(query).rowcount) == 0:
            raise UnknownFile("No file has this id.")

    async def purge(self, before: datetime) -> None:
        """Forget files whose time was over at ``before``."""
        query = delete(files).where(files.c.expires_at <= before)
        await self._database.write(lambda connection: connection.execute(query))

    async def live(self, digests: Collection[str], *, now: datetime) -> set[str]:
        """Those of ``digests`` that a live file has."""
        query = select(files.c.digest).where(files.c.digest.in_(digests), files.c.expires_at > now).distinct()
        # As the writes do, in their thread and in their order: what was handed in before is seen.
        return set(await self._database.write(lambda connection: connection.execute(query).scalars().all()))


def _values(file: File) -> dict[str, object]:
    return {name: getattr(file, name) for name in files.columns.keys()}  # noqa: SIM118 - not a dict
