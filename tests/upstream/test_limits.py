"""The provider's rate limits, kept from our side."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.catalogue import Catalogue
from service.foundation import clock
from service.upstream import Failed, Settings, Text
from service.upstream.buckets import Bucket, Kind, Lane, Need, Ticket
from service.upstream.estimate import need_of
from service.upstream.headers import Seen, seen_in
from service.upstream.limits import Grant, MemoryLimits, Throttled
from service.upstream.settings import ModelLimits
from tests.upstream.provider import Says, error, message, provider, response, text
from tests.upstream.test_client import OK, Journal, ask, opened
from tests.upstream.test_request import a_call

MINI = Catalogue.load().find("gpt-4.1-mini")


def limits(*, window: float = 10.0, queued: int = 100, **per_minute: int) -> MemoryLimits:
    own = ModelLimits(**{f"{kind}_per_minute": value for kind, value in per_minute.items()})
    return MemoryLimits(Settings(limits={MINI.id: own}, limit_window_s=window, max_queued=queued))


async def settle(kept: MemoryLimits, grant: Grant, **told: Any) -> None:
    values: dict[str, Any] = {"used": None, "seen": {}, "limited": False, "retry_after": None} | told
    await kept.settle(grant, **values)


async def admit(kept: MemoryLimits, *, tokens: int = 1, caller: str = "a", seconds: float = 5.0) -> Grant:
    return await kept.admit(MINI, Need(tokens), caller=caller, deadline=clock.monotonic() + seconds)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    asks=st.lists(st.tuples(st.floats(0, 3), st.integers(1, 400), st.sampled_from("abc")), max_size=60),
    per_minute=st.integers(60, 6_000),
    window=st.floats(0.1, 10),
)
def test_no_more_is_granted_than_capacity_and_rate_allow(
    asks: list[tuple[float, int, str]], per_minute: int, window: float
) -> None:
    """At every moment: granted ≤ what the bucket held at first + rate × time; and everyone is served in the end."""
    now = 0.0
    lane = Lane({"tokens": float(per_minute)}, window=window, now=now)
    capacity = lane.buckets["tokens"].capacity
    granted = 0.0
    tickets = [Ticket(caller, Need(amount)) for _, amount, caller in asks]

    def serve() -> None:
        nonlocal granted
        for ticket in lane.grants(now):
            granted += ticket.need.tokens
            assert granted <= capacity + per_minute / 60 * now + 1e-6

    for (pause, _, _), ticket in zip(asks, tickets, strict=True):
        now += pause
        serve()
        lane.join(ticket)
        serve()
    for _ in range(10 * len(asks) + 1):
        wait = lane.next_grant(now)
        if wait is None:
            break
        now += wait + 1e-6
        serve()
    assert all(ticket.left for ticket in tickets)
    assert lane.length == 0


def test_a_caller_with_one_request_does_not_wait_behind_anothers_hundred() -> None:
    """Turns go by the bucket time a caller has had."""
    lane = Lane({"requests": 60.0}, window=1.0, now=0.0)
    crowd = [Ticket("crowd", Need(1)) for _ in range(100)]
    for ticket in crowd:
        lane.join(ticket)
    order = list(lane.grants(0.0))
    assert order == crowd[:1]
    single = Ticket("single", Need(1))
    lane.join(single)
    now = 0.0
    for _ in range(2):
        now += lane.next_grant(now) or 0.0
        order += lane.grants(now)
    assert single in order
    assert len(order) == 3


def test_turns_weigh_what_is_asked_for() -> None:
    """A caller with large requests gets as many tokens as one with small ones, not as many requests."""
    lane = Lane({"tokens": 6_000.0}, window=0.01, now=0.0)
    for _ in range(20):
        lane.join(Ticket("large", Need(100)))
    for _ in range(200):
        lane.join(Ticket("small", Need(10)))
    now, got = 0.0, {"large": 0, "small": 0}
    for _ in range(110):
        now += (lane.next_grant(now) or 0.0) + 1e-6
        for ticket in lane.grants(now):
            got[ticket.caller] += ticket.need.tokens
    assert got["large"] == pytest.approx(got["small"], abs=200)


def test_the_expected_wait_counts_the_line_as_fairness_will_serve_it() -> None:
    """Behind one's own requests fully, behind another's only as far as one's own."""
    lane = Lane({"requests": 60.0}, window=1.0, now=0.0)
    lane.take(Need(1), 0.0)
    for _ in range(10):
        lane.join(Ticket("crowd", Need(1)))
    assert lane.expected_wait(Need(1), "crowd", 0.0) == pytest.approx(11.0)
    assert lane.expected_wait(Need(1), "single", 0.0) == pytest.approx(2.0)


def test_a_bucket_holds_lowers_and_resizes() -> None:
    """After a 429 nothing for a while; a header may lower the level; a new limit changes the rate."""
    bucket = Bucket(600.0, window=6.0, now=0.0)
    assert bucket.capacity == 60
    assert bucket.wait(60, 0.0) == 0
    bucket.lower(5, 0.0)
    assert bucket.wait(10, 0.0) == pytest.approx(0.5)
    bucket.hold(20.0, 1.0)
    assert bucket.wait(1, 1.0) == pytest.approx(19.0)
    assert bucket.wait(1, 21.0) == 0
    bucket.resize(60.0, window=6.0, now=21.0)
    assert bucket.capacity == 6
    assert bucket.wait(7, 21.0) == pytest.approx(1.0)
    bucket.give_back(100, 21.0)
    assert bucket.level(21.0) == 6


async def test_without_limits_nothing_is_held_back() -> None:
    """A provider whose limits nobody knows is asked at once."""
    kept = MemoryLimits(Settings())
    for _ in range(1_000):
        await admit(kept, tokens=10**9, seconds=0.0)


async def test_the_tier_sets_the_published_limits() -> None:
    """Tier 1 of gpt-4.1-mini: 500 requests and 200,000 tokens a minute; beyond 128k tokens another pool."""
    kept = MemoryLimits(Settings(tier=1, limit_window_s=60), now=lambda: 0.0)
    await admit(kept, tokens=120_000)
    assert await kept.expected_wait(MINI, Need(90_000), caller="a") == pytest.approx(3.0)
    assert await kept.expected_wait(MINI, Need(200_000), caller="a") == 0.0


async def test_a_wait_beyond_the_deadline_is_refused_early() -> None:
    """Nobody waits for what cannot come in time; the expected wait is told."""
    kept = limits(window=1.0, requests=1)
    await admit(kept)
    start = clock.monotonic()
    with pytest.raises(Throttled) as caught:
        await admit(kept, seconds=30)
    assert clock.monotonic() - start < 15
    assert caught.value.seconds == pytest.approx(60, abs=15)


async def test_a_full_line_refuses() -> None:
    """The number that may wait is bounded."""
    kept = limits(window=0.01, requests=600, queued=2)
    await admit(kept)
    waiting = [asyncio.ensure_future(admit(kept)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Throttled):
        await admit(kept)
    assert len(await asyncio.gather(*waiting)) == 2


async def test_who_waits_is_granted_in_time() -> None:
    """Ten a second means that ten wait about one second in all."""
    kept = limits(window=0.1, requests=600)
    start = clock.monotonic()
    await asyncio.gather(*(admit(kept) for _ in range(6)))
    assert 0.45 < clock.monotonic() - start < 30


async def test_who_goes_away_leaves_the_line_to_others() -> None:
    """A cancelled wait takes nothing from the bucket and does not hold up the next one."""
    kept = limits(window=0.05, requests=120)
    await admit(kept)
    gone = [asyncio.ensure_future(admit(kept, seconds=600)) for _ in range(90)]
    await asyncio.sleep(0)
    for task in gone:
        task.cancel()
    assert all(
        isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*gone, return_exceptions=True)
    )
    start = clock.monotonic()
    await admit(kept, caller="b", seconds=60)
    assert clock.monotonic() - start < 15  # after ninety others it would be 45


async def test_unused_tokens_come_back() -> None:
    """The estimate is settled with what the provider billed, and whoever waits is served at once."""
    kept = limits(window=60, tokens=1_000)
    grant = await admit(kept, tokens=1_000)
    waiting = asyncio.ensure_future(admit(kept, tokens=500, seconds=60))
    await asyncio.sleep(0)
    await settle(kept, grant, used=400)
    await asyncio.wait_for(waiting, 15)  # without the settling it would be 30


async def test_limits_are_learned_from_headers() -> None:
    """The first answer tells the limit; a remainder smaller than ours lowers the level."""
    kept = MemoryLimits(Settings(limit_window_s=60))
    grant = await admit(kept)
    await settle(kept, grant, seen={"requests": Seen(limit=60, remaining=59)})
    assert await kept.expected_wait(MINI, Need(1), caller="a") == 0.0
    grant = await admit(kept)
    await settle(kept, grant, seen={"requests": Seen(limit=60, remaining=0)})
    assert await kept.expected_wait(MINI, Need(1), caller="a") == pytest.approx(1.0, abs=0.1)


async def test_the_settings_cap_what_the_provider_allows() -> None:
    """An operator who wants to use less than the account may is obeyed; a smaller limit of the provider holds too."""
    kept = limits(window=60, requests=60)
    grant = await admit(kept)
    await settle(kept, grant, seen={"requests": Seen(limit=6_000), "tokens": Seen(limit=600)})
    assert kept._states[MINI.id].lane.buckets["requests"].per_minute == 60
    assert kept._states[MINI.id].lane.buckets["tokens"].per_minute == 600
    await settle(kept, grant, seen={"requests": Seen(limit=30)})
    assert kept._states[MINI.id].lane.buckets["requests"].per_minute == 30


async def test_a_429_pauses_the_model() -> None:
    """Nothing is asked before the provider's own wait is over."""
    kept = limits(requests=6_000)
    grant = await admit(kept)
    await settle(kept, grant, limited=True, retry_after=30.0)
    assert await kept.expected_wait(MINI, Need(1), caller="a") == pytest.approx(30.0, abs=0.5)


async def test_any_number_of_model_names_is_bounded() -> None:
    """Names of fine-tunes come from callers; idle ones are forgotten, and a late settlement is ignored."""
    catalogue = Catalogue.load()
    kept = MemoryLimits(Settings())
    first: Grant | None = None
    for number in range(2_500):
        model = catalogue.find(f"ft:gpt-4.1-mini-2025-04-14:org::{number}")
        grant = await kept.admit(model, Need(1), caller="a", deadline=clock.monotonic())
        first = first or grant
    assert len(kept._states) <= 1_000
    assert first is not None
    await settle(kept, first, used=1)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, {}),
        (
            {
                "x-ratelimit-limit-requests": "500",
                "x-ratelimit-remaining-requests": "499",
                "x-ratelimit-reset-requests": "120ms",
                "x-ratelimit-limit-tokens": "200000",
                "x-ratelimit-remaining-tokens": "195000",
                "x-ratelimit-reset-tokens": "6m0s",
            },
            {"requests": Seen(500, 499, 0.12), "tokens": Seen(200_000, 195_000, 360.0)},
        ),
        ({"x-ratelimit-limit-requests": "many", "x-ratelimit-remaining-tokens": "-1"}, {}),
        ({"x-ratelimit-limit-tokens": "9" * 99}, {}),
    ],
)
def test_rate_limit_headers(headers: Mapping[str, str], expected: dict[Kind, Seen]) -> None:
    """Whole numbers and Go durations; anything else counts as absent."""
    assert seen_in(headers) == expected


def test_what_an_attempt_needs() -> None:
    """Characters by four, images by their rule, and the output budget."""
    need = need_of(a_call(max_output_tokens=1_000), MINI)
    assert 1_000 < need.tokens < 1_200
    assert (need.requests, need.images) == (1, 0)


async def test_a_call_that_cannot_be_granted_in_time_sends_nothing() -> None:
    """The outcome says how long to wait; there is no attempt to record."""
    async with provider(OK) as fake:
        own = {MINI.id: ModelLimits(requests_per_minute=1)}
        async with opened(fake, limits=own, limit_window_s=1.0) as upstream:
            assert (await ask(upstream, Journal())).outcome == Text("{}")
            reply = await ask(upstream, Journal(), seconds=30)
    assert isinstance(reply.outcome, Failed)
    assert reply.outcome.kind == "throttled"
    assert reply.outcome.retry_after == pytest.approx(60, abs=15)
    assert reply.attempts == ()
    assert len(fake.asked) == 1


async def test_a_retry_that_the_rate_limit_forbids_is_not_begun() -> None:
    """A 429 that pauses the model beyond the deadline ends the call with that 429."""
    journal = Journal()
    script = Says(500, error("x", type="server_error"))
    async with provider(script) as fake:
        own = {MINI.id: ModelLimits(requests_per_minute=1)}
        async with opened(fake, limits=own, limit_window_s=1.0) as upstream:
            reply = await ask(upstream, journal, seconds=30)
    assert isinstance(reply.outcome, Failed)
    assert reply.outcome.kind == "server"
    assert len(reply.attempts) == 1
    assert journal.attempts == []


async def test_the_provider_never_sees_more_than_the_learned_limit() -> None:
    """Two hundred calls with six hundred a minute to spend: the first answer teaches, the rest are spread."""
    headers = {"x-ratelimit-limit-requests": "6000", "x-ratelimit-remaining-requests": "5999"}
    answer = Says(body=response(message(text("{}"))), headers=headers)
    async with provider(answer) as fake, opened(fake, limit_window_s=0.2) as upstream:
        await ask(upstream, Journal())
        start = clock.monotonic()
        replies = await asyncio.gather(*(ask(upstream, Journal()) for _ in range(120)))
        seconds = clock.monotonic() - start
    assert {reply.outcome for reply in replies} == {Text("{}")}
    assert 20 + 100 * seconds >= 120  # a fifth of a second at once, then a hundred a second
