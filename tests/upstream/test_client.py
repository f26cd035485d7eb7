"""The door, against a real HTTP server over loopback: attempts, retries, deadlines, hang-ups."""

import asyncio
import gc
import time
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import pytest

from service.catalogue import Catalogue, UnknownModel
from service.foundation import clock
from service.upstream import Attempt, Failed, Reply, Settings, Text, Truncated, Upstream, Usage
from tests.upstream.provider import Provider, Says, error, message, provider, response, text, until
from tests.upstream.test_request import a_call

OK = Says(body=response(message(text("{}"))), headers={"x-request-id": "req_ok"})
BUSY = Says(429, error("slow", type="requests", code="rate_limit_exceeded"), {"retry-after-ms": "20"})


class Journal:
    """The caller's record of attempts."""

    def __init__(self, *, seconds: float = 0.0) -> None:
        self.attempts: list[Attempt] = []
        self._seconds = seconds

    async def record(self, attempt: Attempt) -> None:
        """Keep an attempt, slowly if asked to."""
        if self._seconds:
            await asyncio.sleep(self._seconds)
        self.attempts.append(attempt)

    @property
    def outcomes(self) -> list[str]:
        """What was recorded."""
        return [attempt.outcome for attempt in self.attempts]


@asynccontextmanager
async def opened(fake: Provider, **settings: Any) -> AsyncIterator[Upstream]:
    upstream = Upstream(Settings(base_url=fake.url, api_key="sk-test", **settings), Catalogue.load())
    await upstream.open()
    try:
        yield upstream
    finally:
        await upstream.close()


async def ask(
    upstream: Upstream, journal: Journal, *, seconds: float = 10.0, model: str = "gpt-4.1-mini"
) -> Reply:
    return await upstream.call(a_call(model), deadline=clock.monotonic() + seconds, record=journal.record)


async def test_an_answer_is_one_attempt_that_the_caller_records() -> None:
    """The attempt carries request id, snapshot, usage, exact cost and seconds; nothing was recorded by us."""
    journal = Journal()
    async with provider(OK) as fake, opened(fake) as upstream:
        reply = await ask(upstream, journal)
    assert reply.outcome == Text("{}")
    [attempt] = reply.attempts
    assert attempt.outcome == "text"
    assert attempt.asked_model == "gpt-4.1-mini"
    assert attempt.model == "gpt-4.1-mini-2025-04-14"
    assert attempt.request_id == "req_ok"
    assert attempt.usage == Usage(input_tokens=1412, cached_tokens=1280, output_tokens=27)
    assert attempt.cost == 224_000
    assert attempt.http_status == 200
    assert attempt.seconds > 0
    assert attempt.id.startswith("att_")
    assert journal.attempts == []


async def test_the_request_that_goes_over_the_wire() -> None:
    """One POST to /responses with our bytes, the key, and the attempt's id; the SDK adds no retry of its own."""
    async with provider(OK) as fake, opened(fake) as upstream:
        reply = await ask(upstream, Journal())
    [asked] = fake.asked
    assert asked.path == "/v1/responses"
    assert asked.headers["authorization"] == "Bearer sk-test"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["x-client-request-id"] == reply.attempts[0].id
    assert asked.headers["x-stainless-retry-count"] == "0"
    assert asked.json["model"] == "gpt-4.1-mini"


async def test_earlier_attempts_are_recorded_before_the_next_one() -> None:
    """Two failures are handed over in order, the answer is left to the caller."""
    journal = Journal()
    script = (BUSY, Says(500, error("x", type="server_error")), OK)
    async with provider(*script) as fake, opened(fake) as upstream:
        reply = await ask(upstream, journal)
    assert reply.outcome == Text("{}")
    assert [attempt.outcome for attempt in reply.attempts] == ["failed:rate", "failed:server", "text"]
    assert journal.attempts == list(reply.attempts[:2])
    assert len({attempt.id for attempt in reply.attempts}) == 3


@pytest.mark.parametrize(
    ("says", "kind", "tries"),
    [
        (Says(400, error("bad", code="invalid_type")), "rejected", 1),
        (Says(401, error("key", code="invalid_api_key")), "credentials", 1),
        (Says(429, error("q", type="insufficient_quota", code="insufficient_quota")), "quota", 1),
        (
            Says(429, error("Request too large for x", type="tokens", code="rate_limit_exceeded")),
            "too_large",
            1,
        ),
        (Says(502, b"<html>", {"content-type": "text/html", "retry-after": "0"}), "server", 3),
        (Says(503, error("b", code="server_is_overloaded"), {"retry-after": "0"}), "overloaded", 3),
        (Says(200, b"<html>"), "protocol", 1),
        (Says(302, b"", {"location": "http://127.0.0.1:9/"}), "protocol", 1),
        (Says(reset=True), "connection", 3),
        (Says(body=response(message(text("{}"))), cut=40), "connection", 3),
        (Says(200, b"x" * 200_000), "protocol", 1),
    ],
)
async def test_failures_end_in_their_kind_after_the_right_number_of_attempts(
    says: Says, kind: str, tries: int
) -> None:
    """What waiting cannot cure is asked once, the rest as often as the settings allow."""
    journal = Journal()
    async with provider(says) as fake, opened(fake, max_tries=3, max_response_bytes=100_000) as upstream:
        reply = await ask(upstream, journal)
    assert isinstance(reply.outcome, Failed)
    assert reply.outcome.kind == kind
    assert len(reply.attempts) == len(fake.asked) == tries
    assert len(journal.attempts) == tries - 1


async def test_nobody_listening_is_a_failed_connection() -> None:
    """A refused connection is retried like a broken one."""
    async with provider(OK) as fake:
        pass
    async with opened(fake, max_tries=2) as upstream:
        reply = await ask(upstream, Journal())
    assert isinstance(reply.outcome, Failed)
    assert reply.outcome.kind == "connection"
    assert len(reply.attempts) == 2


async def test_a_wait_beyond_the_deadline_ends_the_call_at_once() -> None:
    """A 429 that asks for five minutes answers in no time when there are only ten seconds."""
    script = Says(429, error("x", code="rate_limit_exceeded"), {"retry-after": "300"})
    start = time.monotonic()
    async with provider(script) as fake, opened(fake) as upstream:
        reply = await ask(upstream, Journal())
    assert isinstance(reply.outcome, Failed)
    assert (reply.outcome.kind, reply.outcome.retry_after) == ("rate", 300.0)
    assert time.monotonic() - start < 20


async def test_the_deadline_cuts_an_attempt_off() -> None:
    """A provider that does not answer is left when the time is up, and the attempt says so."""
    start = time.monotonic()
    async with provider(Says(delay=30)) as fake, opened(fake) as upstream:
        reply = await ask(upstream, Journal(), seconds=0.2)
        assert time.monotonic() - start < 20
        await until(lambda: fake.hung_up == 1)
    assert isinstance(reply.outcome, Failed)
    assert reply.outcome.kind == "deadline"
    assert [attempt.outcome for attempt in reply.attempts] == ["failed:deadline"]


async def test_a_slow_attempt_is_given_up_and_tried_again() -> None:
    """The attempt's own limit is a timeout, which another attempt may cure."""
    journal = Journal()
    async with provider(Says(delay=30), OK) as fake, opened(fake, attempt_timeout_s=0.2) as upstream:
        reply = await ask(upstream, journal)
    assert reply.outcome == Text("{}")
    assert journal.outcomes == ["failed:timeout"]


async def test_a_deadline_in_the_past_asks_nobody() -> None:
    """Without an attempt there is nothing to record."""
    async with provider(OK) as fake, opened(fake) as upstream:
        reply = await ask(upstream, Journal(), seconds=-1)
    assert isinstance(reply.outcome, Failed)
    assert reply.outcome.kind == "deadline"
    assert reply.attempts == ()
    assert fake.asked == []


async def test_a_caller_that_goes_away_leaves_a_recorded_attempt() -> None:
    """Cancelling hangs up on the provider; the attempt is recorded first, even when cancelled twice."""
    journal = Journal(seconds=0.1)
    async with provider(Says(delay=30)) as fake, opened(fake) as upstream:
        task = asyncio.ensure_future(ask(upstream, journal))
        await until(lambda: fake.asked)
        task.cancel()
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: fake.hung_up == 1)
    assert journal.outcomes == ["failed:cancelled"]


async def test_a_caller_that_goes_away_during_the_wait_leaves_nothing_open() -> None:
    """The failed attempt was recorded before the wait; there is no second one."""
    journal = Journal()
    script = Says(429, error("x", code="rate_limit_exceeded"), {"retry-after": "5"})
    async with provider(script) as fake, opened(fake) as upstream:
        task = asyncio.ensure_future(ask(upstream, journal))
        await until(lambda: journal.attempts)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert journal.outcomes == ["failed:rate"]
    assert len(fake.asked) == 1


async def test_a_record_that_fails_fails_the_call() -> None:
    """What cannot be recorded must not go on costing money."""

    async def broken(_: Attempt) -> None:
        raise OSError("the database is away")

    async with provider(BUSY) as fake, opened(fake) as upstream:
        with pytest.raises(OSError, match="database"):
            await upstream.call(a_call(), deadline=clock.monotonic() + 5, record=broken)
    assert len(fake.asked) == 1


@pytest.mark.parametrize(("tries", "asked"), [(1, 1), (2, 2), (9, 3), (None, 3)])
async def test_a_caller_may_lower_the_number_of_attempts(tries: int | None, asked: int) -> None:
    """The settings allow three; a caller can ask for fewer, not for more."""
    says = Says(500, error("x", type="server_error"))
    async with provider(says) as fake, opened(fake, max_tries=3) as upstream:
        await upstream.call(
            a_call(), deadline=clock.monotonic() + 10, record=Journal().record, max_tries=tries
        )
    assert len(fake.asked) == asked


class Counting:
    """A purse that pays for so many retries."""

    def __init__(self, retries: int) -> None:
        self.retries = retries
        self.settled: list[Attempt] = []

    def settle(self, attempt: Attempt) -> None:
        self.settled.append(attempt)

    async def reserve(self) -> bool:
        self.retries -= 1
        return self.retries >= 0


@pytest.mark.parametrize(("retries", "asked"), [(0, 1), (1, 2), (9, 3)])
async def test_no_retry_is_begun_that_the_purse_does_not_pay(retries: int, asked: int) -> None:
    """The purse hears of every attempt, the last one too, and is asked before each retry."""
    says = Says(500, error("x", type="server_error"), {"retry-after": "0"})
    purse, journal = Counting(retries), Journal()
    async with provider(says) as fake, opened(fake, max_tries=3) as upstream:
        reply = await upstream.call(
            a_call(), deadline=clock.monotonic() + 10, record=journal.record, purse=purse
        )
    assert len(fake.asked) == len(reply.attempts) == asked
    assert purse.settled == list(reply.attempts)
    assert journal.attempts == list(reply.attempts[:-1])


async def test_truncated_answers_are_billed() -> None:
    """A cut answer is no failure: it is not retried, and its tokens are paid for."""
    body = response(
        message(text('{"a'), status="incomplete"),
        status="incomplete",
        incomplete_details={"reason": "max_output_tokens"},
    )
    async with provider(Says(body=body)) as fake, opened(fake) as upstream:
        reply = await ask(upstream, Journal())
    assert reply.outcome == Truncated('{"a')
    assert (reply.attempts[0].outcome, reply.attempts[0].cost) == ("truncated", 224_000)


async def test_the_price_is_that_of_the_model_that_answered() -> None:
    """An alias may be answered by a snapshot of another price; an unknown name keeps the price that was asked."""
    for answered, cost in (("gpt-4o-2024-05-13", 7_465_000), ("their-own-name", 224_000)):
        says = Says(body=response(message(text("{}")), model=answered))
        async with provider(says) as fake, opened(fake) as upstream:
            reply = await ask(upstream, Journal())
        assert (reply.attempts[0].model, reply.attempts[0].cost) == (answered, cost)


async def test_an_unknown_model_is_refused_before_anything_is_sent() -> None:
    """The catalogue is asked first."""
    async with provider(OK) as fake, opened(fake) as upstream:
        with pytest.raises(UnknownModel):
            await ask(upstream, Journal(), model="gpt-nope")
    assert fake.asked == []


async def test_many_calls_share_connections_and_leave_none_behind() -> None:
    """Two hundred concurrent calls end in answers; after closing no socket, task or warning is left."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        async with provider(OK) as fake, opened(fake) as upstream:
            journal = Journal()
            replies = await asyncio.gather(*(ask(upstream, journal, seconds=120) for _ in range(200)))
            replies += [await ask(upstream, journal) for _ in range(20)]
        gc.collect()
    assert {reply.outcome for reply in replies} == {Text("{}")}
    assert len(fake.asked) == 220
    assert fake.connections <= 200
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})


async def test_health() -> None:
    """Open or not, the last word of the provider on our key, and the models that will stop."""
    today = date(2026, 11, 20)
    async with provider(Says(401, error("no", code="invalid_api_key")), OK) as fake:
        upstream = Upstream(Settings(base_url=fake.url), Catalogue.load())
        assert not upstream.ready(today=today).ok
        await upstream.open()
        assert upstream.ready(today=today).ok
        await ask(upstream, Journal())
        health = upstream.ready(today=today)
        assert not health.ok
        assert "credentials" in health.problems[0]
        await ask(upstream, Journal())
        assert upstream.ready(today=today).ok
        await upstream.close()
    assert any("gpt-4.1-mini stops on 2027-01-14" in warning for warning in health.warnings)
    assert Upstream(Settings(), Catalogue.load()).ready(today=today).problems == ("no provider key is set",)


async def test_a_refused_key_is_not_held_against_us_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that gets no requests because it is not ready must become ready again by itself."""
    monkeypatch.setattr("service.upstream.provider._LASTING_S", 0.2)
    async with provider(Says(401, error("no", code="invalid_api_key"))) as fake, opened(fake) as upstream:
        await ask(upstream, Journal())
        assert not upstream.ready(today=date(2026, 11, 20)).ok
        await until(lambda: upstream.ready(today=date(2026, 11, 20)).ok)


async def test_a_door_that_is_not_open_says_so() -> None:
    """A call before open is a mistake in our own code."""
    upstream = Upstream(Settings(), Catalogue.load())
    with pytest.raises(RuntimeError, match="not open"):
        await ask(upstream, Journal())
    await upstream.close()
