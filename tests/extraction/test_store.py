import asyncio
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from service.extraction.store import Entry, Store, attempts
from service.foundation.database import Database, Settings, StorageUnavailable, guarded
from service.foundation.money import NanoUSD
from service.upstream import Attempt, Usage

AT = datetime(2026, 11, 20, 12, 0, 0, 7, tzinfo=UTC)


def entry(number: int, *, outcome: str = "accepted") -> Entry:
    attempt = Attempt(
        id=f"att_{number:05d}",
        asked_model="gpt-4.1-mini",
        model=None if number % 2 else "gpt-4.1-mini-2025-04-14",
        request_id=f"req_ü{number}",
        outcome=outcome,
        usage=Usage(input_tokens=number, cached_tokens=1, output_tokens=2, reasoning_tokens=3),
        cost=NanoUSD(10**15 + number),
        seconds=0.25,
        http_status=200,
        error_code=None,
        started_at=AT,
    )
    return Entry("ext_1", "invoice", "sandbox", attempt)


async def test_entries_of_one_moment_are_all_kept(database_url: str) -> None:
    """Whatever shares a commit, every column of every attempt is what was handed in."""
    database = Database(Settings.model_validate({"url": database_url}))
    await database.open()
    store = Store(database)
    await asyncio.gather(*(store.record(entry(number)) for number in range(300)))
    async with database.read() as connection:
        rows = (await connection.execute(select(attempts).order_by(attempts.c.id))).all()
    assert [row.id for row in rows] == [f"att_{number:05d}" for number in range(300)]
    for number, row in enumerate(rows):
        assert row.started_at == AT
        assert (row.cost_nano_usd, row.input_tokens, row.seconds) == (10**15 + number, number, 0.25)
        assert row.model == (None if number % 2 else "gpt-4.1-mini-2025-04-14")
        assert (row.request_id, row.error_code, row.http_status) == (f"req_ü{number}", None, 200)
    await store.close()
    await database.close()


async def test_one_refused_entry_takes_no_other_with_it(database_url: str) -> None:
    """An entry that the database refuses fails alone, also among others."""
    database = Database(Settings.model_validate({"url": database_url}))
    await database.open()
    store = Store(database)
    await store.record(entry(1))
    found = await asyncio.gather(
        *(store.record(entry(number)) for number in range(3)), return_exceptions=True
    )
    assert [type(result) for result in found] == [type(None), StorageUnavailable, type(None)]
    async with database.read() as connection:
        assert len((await connection.execute(select(attempts))).all()) == 3
    with pytest.raises(StorageUnavailable):
        await store.record(entry(1))
    await store.close()
    await database.close()


@pytest.mark.parametrize(("failures", "stored"), [(1, 50), (1000, 0)], ids=["started again", "gone"])
async def test_a_database_that_is_away_is_asked_twice(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failures: int,
    stored: int,
) -> None:
    """Once more for all together, not for each entry alone: behind fifty time-outs every caller would hang."""
    database = Database(Settings.model_validate({"url": f"sqlite:///{tmp_path}/w.db"}))
    await database.open()
    store, run, asked = Store(database), database.run, 0

    def locked(statement: str, parameters: tuple[Any, ...]) -> None:
        nonlocal asked
        asked += 1
        if asked > failures:
            run(statement, parameters)
            return
        with guarded():
            raise OperationalError("INSERT", {}, sqlite3.OperationalError("database is locked"))

    logged: list[Any] = []
    monkeypatch.setattr(
        "service.extraction.store.log",
        SimpleNamespace(error=lambda name, **row: logged.append((name, row["id"]))),
    )
    monkeypatch.setattr(database, "run", locked)
    blocking = database.in_writer(lambda: time.sleep(0.2))
    found = await asyncio.gather(
        *(store.record(entry(number)) for number in range(50)), return_exceptions=True
    )
    await blocking
    monkeypatch.undo()
    async with database.read() as connection:
        assert len((await connection.execute(select(attempts))).all()) == stored
    assert sum(result is None for result in found) == stored
    assert all(result is None or isinstance(result, StorageUnavailable) for result in found)
    # The first entry is a batch of its own; the others come together.
    assert asked == (3 if stored else 4)
    lost = 0 if stored else 50
    assert sorted(logged) == [("attempt_not_stored", f"att_{number:05d}") for number in range(lost)]
    await store.close()
    await database.close()


async def test_a_fault_of_ours_leaves_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong beside the database reaches each who waits for his entry, and the next one is written."""
    database = Database(Settings.model_validate({"url": f"sqlite:///{tmp_path}/w.db"}))
    await database.open()
    store = Store(database)

    def broken(_: Any) -> Any:
        raise KeyError("ours")

    monkeypatch.setattr(store, "_commit", broken)
    with pytest.raises(KeyError):
        await asyncio.wait_for(store.record(entry(1)), 60)
    monkeypatch.undo()
    await store.record(entry(1))
    await store.close()
    await database.close()
