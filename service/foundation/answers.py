"""The answers kept under idempotency keys: one row per caller and key, claimed by at most one process at a time.

A row is *in flight* while its request is carried out and *kept* afterwards, with the answer. A claim is a lease: its
process renews it every third of ``lease_s``, and when the process dies, nothing renews it and the next request with the
key takes the row over once the lease has run out. See ``foundation.idempotency`` for what that promises.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)

from service.foundation import clock, jsontext, telemetry
from service.foundation.database import Database, tables, upsert
from service.foundation.errors import WinnowError

kept = Table(
    "idempotency_keys",
    tables,
    Column("scope", String(80), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("target", String(64), nullable=False),
    Column("owner", String(40), nullable=False),
    Column("lease_until", Float, nullable=False),  # seconds since 1970; decides only while in flight
    Column("expires_at", Float, nullable=False),
    Column("fingerprint", String(64)),  # null while in flight
    Column("status", Integer),
    Column("headers", Text),
    Column("body", LargeBinary),  # null also where the answer was too large to keep
    Column("size", Integer, nullable=False),
    Index(None, "expires_at"),
)

_SWEEP_S = 300.0
_SWEPT_AT_ONCE = 1000
_TRIES = 5


class Settings(BaseModel):
    """What is kept for `Idempotency-Key`."""

    keep_s: float = Field(
        24 * 3600.0,
        ge=1,
        le=30 * 24 * 3600,
        description="Seconds for which answers are kept under their key.",
    )
    lease_s: float = Field(
        30.0,
        ge=1,
        le=600,
        description="Seconds after which a key is free again whose process died while it worked on the request.",
    )
    max_answer_bytes: int = Field(
        8 * 1024 * 1024,
        ge=0,
        description="Largest answer that is kept; of a larger one only that it was given.",
    )
    max_total_bytes: int = Field(
        512 * 1024 * 1024,
        ge=0,
        description="Bytes of all kept answers; beyond, the oldest are forgotten but for that they were given.",
    )


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry out the request of a key. ``owner`` is new with every claim."""

    scope: str
    key: str
    owner: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What another request with the key left: in flight where ``fingerprint`` is None.

    ``target`` is the digest of method, path and query. ``body`` is None where the answer is not kept (any more).
    """

    target: str
    fingerprint: str | None
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)


class Answers:
    """Claims and kept answers in the database. ``open`` before use, ``close`` at the end."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.settings = settings
        self._database = database
        self._held: set[str] = set()
        self._renewing: asyncio.Task[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Sweep from time to time."""
        self._sweeping = asyncio.create_task(self._sweep_for_ever())

    async def close(self) -> None:
        """Stop sweeping and renewing."""
        for task in (self._sweeping, self._renewing):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def claim(self, scope: str, key: str, target: str) -> Claim | Taken:
        """Claim a key that is new, expired, or whose lease ran out; else say what it was taken for.

        One statement decides, so of any number of processes exactly one gets the claim.
        """
        owner = clock.new_id("idk")
        given = {
            "scope": scope,
            "key": key,
            "target": target,
            "owner": owner,
            "lease": self.settings.lease_s,
            "keep": self.settings.keep_s,
        }

        def work(connection: Connection) -> Taken | None:
            query = select(kept).where(kept.c.scope == scope, kept.c.key == key)
            for _ in range(_TRIES):
                statement, moment = _claiming(connection), _moment(connection)
                if connection.execute(statement, {**given, **moment}).first() is not None:
                    return None
                found = connection.execute(query).first()
                if found is not None:  # else it was released between the two statements
                    headers = jsontext.parse(found.headers.encode()) if found.headers else {}
                    return Taken(found.target, found.fingerprint, found.status or 0, headers, found.body)
            return Taken(target, None)

        taken = await self._database.write(work)
        if taken is not None:
            return taken
        self._held.add(owner)
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew())
        return Claim(scope, key, owner)

    async def keep(
        self, claim: Claim, fingerprint: str, status: int, headers: Mapping[str, str], body: bytes | None
    ) -> bool:
        """Keep the answer to a claimed request. False where the claim was lost meanwhile: then nothing is kept."""
        given = {
            "of_scope": claim.scope,
            "of_key": claim.key,
            "of_owner": claim.owner,
            "fingerprint": fingerprint,
            "status": status,
            "headers": jsontext.render(dict(headers)).decode(),
            "body": body,
            "size": len(body or b""),
            "keep": self.settings.keep_s,
        }

        def work(connection: Connection) -> bool:
            statement, moment = _keeping(connection.dialect.name), _moment(connection)
            return connection.execute(statement, {**given, **moment}).rowcount == 1

        try:
            return await self._database.write(work)
        finally:
            self._held.discard(claim.owner)

    async def release(self, claim: Claim) -> None:
        """Forget a claimed key: the next request with it is carried out."""
        self._held.discard(claim.owner)
        await self._database.write(
            lambda connection: connection.execute(
                delete(kept).where(
                    kept.c.scope == claim.scope, kept.c.key == claim.key, kept.c.owner == claim.owner
                )
            )
        )

    async def _renew(self) -> None:
        """Renew the leases of this process as long as it holds any."""
        while self._held:
            await asyncio.sleep(self.settings.lease_s / 3)
            held = sorted(self._held)
            if not held:
                return

            def work(connection: Connection, held: list[str] = held) -> None:
                until = _now(connection) + self.settings.lease_s
                connection.execute(
                    update(kept)
                    .where(kept.c.owner.in_(held), kept.c.fingerprint.is_(None))
                    .values(lease_until=until)
                )

            try:
                await self._database.write(work)
            except WinnowError as error:
                telemetry.log.warning("idempotency_leases_not_renewed", code=error.code, leases=len(held))

    # ------------------------------------------------------------------------------------------------------- sweeping

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(min(_SWEEP_S, self.settings.keep_s))
            try:
                await self.sweep()
            except WinnowError as error:
                telemetry.log.warning("idempotency_keys_not_swept", code=error.code)

    async def sweep(self) -> None:
        """Delete what expired, a thousand rows at a time, and forget the oldest answers above the cap."""
        while await self._database.write(_delete_expired) == _SWEPT_AT_ONCE:
            pass
        while await self._database.write(lambda connection: _forget(connection, self.settings)):
            pass


def _delete_expired(connection: Connection) -> int:
    now = _now(connection)
    idle = or_(kept.c.fingerprint.is_not(None), kept.c.lease_until <= now)
    found = connection.execute(
        select(kept.c.scope, kept.c.key, kept.c.owner)
        .where(kept.c.expires_at <= now, idle)
        .limit(_SWEPT_AT_ONCE)
    ).all()
    for row in found:
        connection.execute(
            delete(kept).where(kept.c.scope == row.scope, kept.c.key == row.key, kept.c.owner == row.owner)
        )
    return len(found)


def _forget(connection: Connection, settings: Settings) -> bool:
    """Forget the bodies of the oldest answers above the cap; whether more remain to be forgotten."""
    total = connection.execute(select(func.coalesce(func.sum(kept.c.size), 0))).scalar_one()
    excess = total - settings.max_total_bytes
    if excess <= 0:
        return False
    oldest = connection.execute(
        select(kept.c.scope, kept.c.key, kept.c.owner, kept.c.size)
        .where(kept.c.size > 0)
        .order_by(kept.c.expires_at)
        .limit(_SWEPT_AT_ONCE)
    ).all()
    for row in oldest:
        if excess <= 0:
            break
        connection.execute(
            update(kept)
            .where(kept.c.scope == row.scope, kept.c.key == row.key, kept.c.owner == row.owner)
            .values(body=None, size=0)
        )
        excess -= row.size
    return bool(excess > 0)


# Statements are made once for each database: making one takes longer than running it.


_CLAIMING: dict[str, Any] = {}


def _claiming(connection: Connection) -> Any:
    """Insert the row of a key, or take over one that is free; returns a row where that succeeded."""
    dialect = connection.dialect.name
    if dialect in _CLAIMING:
        return _CLAIMING[dialect]
    now = _now_of(dialect)
    fresh = {
        "target": bindparam("target"),
        "owner": bindparam("owner"),
        "lease_until": now + bindparam("lease", type_=Float),
        "expires_at": now + bindparam("keep", type_=Float),
        "fingerprint": None,
        "status": None,
        "headers": None,
        "body": None,
        "size": 0,
    }
    free = or_(
        and_(kept.c.fingerprint.is_(None), kept.c.lease_until <= now),
        and_(kept.c.fingerprint.is_not(None), kept.c.expires_at <= now),
    )
    _CLAIMING[dialect] = (
        upsert(connection, kept)
        .values(scope=bindparam("scope"), key=bindparam("key"), **fresh)
        .on_conflict_do_update(index_elements=["scope", "key"], set_=fresh, where=free)
        .returning(kept.c.owner)
    )
    return _CLAIMING[dialect]


@cache
def _keeping(dialect: str) -> Any:
    """Enter the answer to a claimed request."""
    return (
        update(kept)
        .where(
            kept.c.scope == bindparam("of_scope"),
            kept.c.key == bindparam("of_key"),
            kept.c.owner == bindparam("of_owner"),
        )
        .values(
            fingerprint=bindparam("fingerprint"),
            status=bindparam("status"),
            headers=bindparam("headers"),
            body=bindparam("body"),
            size=bindparam("size"),
            expires_at=_now_of(dialect) + bindparam("keep", type_=Float),
        )
    )


def _now_of(dialect: str) -> ColumnElement[float]:
    """Seconds since 1970 by the database's clock, so that the clocks of replicas need not agree.

    Processes on one SQLite file share a machine and its clock: there it is the parameter ``now``, see ``_moment``.
    """
    if dialect == "sqlite":
        return bindparam("now", type_=Float)
    return func.extract("epoch", func.clock_timestamp()).cast(Float)


def _moment(connection: Connection) -> dict[str, float]:
    return {"now": time.time()} if connection.dialect.name == "sqlite" else {}


def _now(connection: Connection) -> ColumnElement[float]:
    dialect = connection.dialect.name
    return literal(time.time(), Float) if dialect == "sqlite" else _now_of(dialect)
