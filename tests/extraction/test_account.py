"""Money and attempts counted over all calls of one extraction."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from service.catalogue import Catalogue
from service.extraction.account import Account
from service.extraction.journal import Journal
from service.extraction.store import Store, Stored, attempts, extractions
from service.foundation.database import Database, Settings
from service.foundation.errors import MoneyCapped
from service.foundation.money import NanoUSD
from service.upstream import Attempt, Usage, at_most, counted
from tests.upstream.test_request import a_call

MODEL = Catalogue.load().find("gpt-4.1-mini")
WORST = counted(a_call(), MODEL).cost


def attempt(outcome: str = "text", *, cost: int = 0, id: str = "att_1") -> Attempt:
    return Attempt(
        id=id,
        asked_model="gpt-4.1-mini",
        model=None,
        request_id=None,
        outcome=outcome,
        usage=Usage(),
        cost=NanoUSD(cost),
        seconds=0.1,
        http_status=None,
        error_code=None,
        started_at=datetime(2026, 11, 25, tzinfo=UTC),
    )


async def test_calls_at_the_same_time_cannot_spend_the_same_cent() -> None:
    """What one call has set aside is not there for another, until it is settled for less."""
    account = Account(NanoUSD(2 * WORST), [].append)
    first, second = await account.begin([(a_call(), MODEL)] * 2)
    third = account.hold(a_call(), MODEL)
    assert not await third.reserve()
    first.settle(attempt(cost=0))
    assert await third.reserve()
    second.settle(attempt(cost=WORST))
    assert not await first.reserve()
    third.release()
    assert await first.reserve()


async def test_nothing_begins_unless_all_first_calls_fit() -> None:
    """The refusal names the sum of the worst cases, and that sum is then enough."""
    account = Account(NanoUSD(3 * WORST - 1), [].append)
    with pytest.raises(MoneyCapped) as refused:
        await account.begin([(a_call(), MODEL)] * 3)
    assert refused.value.members["worst_case_usd"] == f"{3 * WORST / 1e9:.9f}".rstrip("0")
    await Account(NanoUSD(3 * WORST), [].append).begin([(a_call(), MODEL)] * 3)


@pytest.mark.parametrize(
    ("outcome", "more"),
    [("failed:server", True), ("failed:connection", False), ("failed:timeout", False)],
)
async def test_an_attempt_that_broke_counts_in_full(outcome: str, more: bool) -> None:
    """A reported failure costs nothing; one without an answer may have been billed in full."""
    account = Account(NanoUSD(2 * WORST - 1), [].append)
    (hold,) = await account.begin([(a_call(), MODEL)])
    hold.settle(attempt(outcome))
    assert await hold.reserve() is more


async def test_without_a_cap_everything_fits() -> None:
    """And every attempt is still heard of."""
    heard: list[Attempt] = []
    account = Account(None, heard.append)
    (hold,) = await account.begin([(a_call(), MODEL)])
    hold.settle(attempt("failed:timeout"))
    assert await hold.reserve()
    assert [one.outcome for one in heard] == ["failed:timeout"]


def test_the_free_bound_is_above_the_counted_one() -> None:
    """What is set aside without counting is never too little."""
    assert at_most(a_call(), MODEL).cost >= WORST


async def test_attempts_are_recorded_once_also_when_cancelled(tmp_path: Path) -> None:
    """A request cancelled while its attempt waits for a verdict leaves it, and what was judged, in the database."""
    database = Database(Settings.model_validate({"url": f"sqlite:///{tmp_path}/w.db"}))
    await database.open()
    store = Store(database)
    journal = Journal(store, extraction_id="ext_1", schema_name="order", engine="sandbox")

    noted = asyncio.Event()

    async def request() -> None:
        try:
            journal.note(attempt(id="att_1"))
            await journal.record(journal.judge(attempt(id="att_1"), "invalid"))
            journal.note(attempt(id="att_2"))
            noted.set()
            await asyncio.sleep(60)
        finally:
            await journal.close()

    task = asyncio.create_task(request())
    await noted.wait()
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()  # and again, while what is pending is being written
    with pytest.raises(asyncio.CancelledError):
        await task
    await journal.close(Stored("ext_1", "order", "succeeded", "{}", datetime(2026, 11, 25, tzinfo=UTC)))
    await store.close()
    async with database.read() as connection:
        rows = (await connection.execute(select(attempts).order_by(attempts.c.id))).all()
        kept = (await connection.execute(select(extractions.c.id))).scalars().all()
    await database.close()
    assert [(row.id, row.outcome) for row in rows] == [("att_1", "invalid"), ("att_2", "text")]
    assert kept == ["ext_1"]
    assert [one.outcome for one in journal.attempts] == ["invalid", "text"]
