"""All SQL of the extraction: attempts and stored results."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
)

from service.foundation import jsontext
from service.foundation.database import Database, UtcDateTime, tables
from service.foundation.errors import NotFound
from service.foundation.telemetry import log
from service.upstream import Attempt

_LONGEST_NAME = 128
"""Characters kept of a schema's name: subjects of the Confluent face may have 255, and their heads tell them apart."""

attempts = Table(
    "attempts",
    tables,
    Column("id", String(40), primary_key=True),
    Column("extraction_id", String(40), nullable=False, index=True),
    Column("schema_name", String(_LONGEST_NAME), nullable=False),
    Column("engine", String(32), nullable=False),
    Column("asked_model", String(128), nullable=False),
    Column("kind", String(16), nullable=False, server_default="first"),
    Column("model", String(128)),
    Column("request_id", String(128)),
    Column("outcome", String(40), nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("reasoning_tokens", Integer, nullable=False),
    Column("cost_nano_usd", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("http_status", Integer),
    Column("error_code", String(128)),
    Column("started_at", UtcDateTime, nullable=False),
)

extractions = Table(
    "extractions",
    tables,
    Column("id", String(40), primary_key=True),
    Column("schema_name", String(_LONGEST_NAME), nullable=False),
    Column("status", String(16), nullable=False),
    Column("result", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "schema_name", "id"),
)


_INSERT_ATTEMPT = insert(attempts)
_NAMES = [column.name for column in attempts.columns]
# SQLite's driver gives the interpreter's lock away with every row, and a busy event loop returns it 5 ms later: a
# hundred rows took half a second. As one JSON text they are one step.
_TAKEN = ", ".join(f"json_extract(value, '$[{index}]')" for index in range(len(_NAMES)))
_INSERT_ATTEMPTS_AS_JSON = f"INSERT INTO attempts ({', '.join(_NAMES)}) SELECT {_TAKEN} FROM json_each(?)"  # noqa: S608 - our own names
_INSERT_EXTRACTION = insert(extractions)


_SQLITE_TIME = "%Y-%m-%d %H:%M:%S.%f"


class UnknownExtraction(NotFound):
    """No stored extraction has this id."""

    code = "extraction_not_found"
    title = "No such extraction"
    hint = "Only extractions asked for with `store: true` are kept, until they are deleted."


@dataclass(frozen=True, slots=True)
class Stored:
    """A result as it was answered: ``result`` is its JSON text."""

    id: str
    schema_name: str
    status: str
    result: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """What one step of an extraction leaves behind."""

    extraction_id: str
    schema_name: str
    engine: str
    attempt: Attempt | None
    stored: Stored | None = None


class _Waiting(NamedTuple):
    """What one caller handed in, and how he hears that it is committed."""

    entries: Sequence[Entry]
    done: asyncio.Future[None]


class Store:
    """Attempts and results in the database.

    Entries that arrive while a transaction is running are written together by the next one: under load the cost of a
    commit is shared, and ``record`` still returns only after its own entry is committed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Future[list[Exception | None]] | None = None

    async def record(self, *entries: Entry) -> None:
        """Write entries; returns when they are committed. A cancelled caller does not take them back.

        Raises ``StorageUnavailable``.
        """
        if not entries:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(entries, done))
        if self._writing is None:
            self._write()
        await done

    async def close(self) -> None:
        """Wait until everything handed in is committed."""
        while self._writing is not None:
            await asyncio.wait([self._writing])

    def _write(self) -> None:
        batch, self._waiting = self._waiting, []
        self._writing = self._database.in_writer(lambda: self._commit([waiting.entries for waiting in batch]))
        self._writing.add_done_callback(lambda written: self._written(batch, written))

    def _written(self, batch: list[_Waiting], written: asyncio.Future[list[Exception | None]]) -> None:
        self._writing = None
        if self._waiting:
            self._write()
        for (_, done), error in zip(batch, written.result(), strict=True):
            _settle(done, error)

    def _commit(self, batch: Sequence[Sequence[Entry]]) -> list[Exception | None]:
        """What went wrong with each member of the batch. Runs in the thread that writes."""
        try:
            self._insert([entry for entries in batch for entry in entries])
        except Exception:  # noqa: BLE001 - one entry that the database refuses must not take the others with it
            return [self._commit_each(entries) for entries in batch]
        return [None] * len(batch)

    def _commit_each(self, entries: Sequence[Entry]) -> Exception | None:
        failed = None
        for entry in entries:
            try:
                self._insert([entry])
            except Exception as error:  # noqa: BLE001 - handed to the waiting caller, who answers with it
                failed = error
                if entry.attempt is not None:
                    # Money was spent: the log keeps what the database would not.
                    log.error("attempt_not_stored", error=type(error).__name__, **_row(entry, entry.attempt))
        return failed

    def _insert(self, entries: Sequence[Entry]) -> None:
        asked = [_row(entry, entry.attempt) for entry in entries if entry.attempt]
        if self._database.sqlite and len(asked) == len(entries):  # no results to keep: the common case
            self._database.run(_INSERT_ATTEMPTS_AS_JSON, (_as_json(asked),))
            return
        kept = [
            {
                "id": entry.stored.id,
                "schema_name": entry.stored.schema_name[:_LONGEST_NAME],
                "status": entry.stored.status,
                "result": entry.stored.result,
                "created_at": entry.stored.created_at,
            }
            for entry in entries
            if entry.stored
        ]

        def insert_all(connection: Connection) -> None:
            if asked and connection.dialect.name == "sqlite":
                connection.exec_driver_sql(_INSERT_ATTEMPTS_AS_JSON, (_as_json(asked),))
            elif asked:
                connection.execute(_INSERT_ATTEMPT, asked)
            if kept:
                connection.execute(_INSERT_EXTRACTION, kept)

        self._database.transact(insert_all)

    async def get(self, id: str) -> Stored:
        """A stored result. Raises ``UnknownExtraction``."""
        async with self._database.read() as connection:
            row = (
                await connection.execute(select(extractions).where(extractions.c.id == id[:80]))
            ).one_or_none()
        if row is None:
            raise UnknownExtraction("No extraction is stored under this id.")
        return Stored(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name for the row as a mapping

    async def newest(self, *, schema_name: str | None, before: str | None, limit: int) -> list[Stored]:
        """Stored results, newest first, starting after the id ``before``."""
        query = select(extractions).order_by(extractions.c.id.desc()).limit(limit)
        if schema_name is not None:
            query = query.where(extractions.c.schema_name == schema_name[:_LONGEST_NAME])
        if before is not None:
            query = query.where(extractions.c.id < before)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Stored(**row._mapping) for row in rows]  # noqa: SLF001 - as above

    async def delete(self, id: str) -> None:
        """Forget a stored result; its attempts stay, they are the account of what was spent.

        Raises ``UnknownExtraction``.
        """
        query = delete(extractions).where(extractions.c.id == id[:80])
        if await self._database.write(lambda connection: connection.execute(query).rowcount) == 0:
            raise UnknownExtraction("No extraction is stored under this id.")


def _as_json(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as arrays in the order of the columns; times as SQLAlchemy writes them into SQLite."""
    return jsontext.render(
        [
            [
                value.strftime(_SQLITE_TIME) if isinstance(value, datetime) else value
                for value in map(row.get, _NAMES)
            ]
            for row in rows
        ]
    ).decode()


def _settle(done: asyncio.Future[None], error: Exception | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
        done.exception()  # a caller that went away leaves nobody to fetch it


def _row(entry: Entry, attempt: Attempt) -> dict[str, Any]:
    usage = attempt.usage
    return {
        "id": attempt.id,
        "extraction_id": entry.extraction_id,
        "schema_name": entry.schema_name[:_LONGEST_NAME],
        "engine": entry.engine,
        "asked_model": attempt.asked_model[:128],
        "kind": attempt.kind,
        "model": attempt.model[:128] if attempt.model else None,
        "request_id": attempt.request_id[:128] if attempt.request_id else None,
        "outcome": attempt.outcome,
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "cost_nano_usd": attempt.cost,
        "seconds": attempt.seconds,
        "http_status": attempt.http_status,
        "error_code": attempt.error_code[:128] if attempt.error_code else None,
        "started_at": attempt.started_at,
    }
