"""The door against the service's own sandbox: every fault it knows, plain and streamed, and a thousand calls at once."""

import asyncio
import gc
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from service.catalogue import Catalogue
from service.foundation import clock
from service.sandbox import Sandbox
from service.upstream import (
    Attempt,
    Call,
    Failed,
    ImagePart,
    Reply,
    Settings,
    TextPart,
    Upstream,
    at_most,
    counted,
    expected,
    problem_for,
)
from service.upstream.settings import ModelLimits
from tests.upstream.provider import until
from tests.upstream.served import sandbox
from tests.upstream.test_client import Journal
from tests.upstream.test_request import a_call

DOCUMENT = "Invoice\nTotal: 1280.50\nCurrency: EUR\n"


@asynccontextmanager
async def connected(
    *, provider: dict[str, Any] | None = None, **settings: Any
) -> AsyncIterator[tuple[Upstream, Sandbox]]:
    async with sandbox(**(provider or {})) as (url, app):
        upstream = Upstream(
            Settings(engine="sandbox", base_url=url, api_key="sk-test", **settings),
            Catalogue.load().with_scenarios(),
        )
        await upstream.open()
        try:
            yield upstream, app
        finally:
            await upstream.close()


async def ask(
    upstream: Upstream, journal: Journal, call: Call, *, streamed: bool, seconds: float = 20.0
) -> Reply:
    deadline = clock.monotonic() + seconds
    if streamed:
        return await upstream.stream(call, deadline=deadline, record=journal.record, on_text=lambda *_: None)
    return await upstream.call(call, deadline=deadline, record=journal.record)


def all_attempts(journal: Journal, reply: Reply) -> list[Attempt]:
    """What was recorded on the way, and the last one, which is the caller's to record."""
    return [*journal.attempts, *reply.attempts[-1:]]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("scenario", "outcomes"),
    [
        ("sandbox", ["text"]),
        ("sandbox-refusal", ["refused"]),
        ("sandbox-truncate", ["truncated"]),
        ("sandbox-filter", ["filtered"]),
        ("sandbox-malformed", ["text"]),
        ("sandbox-failed", ["failed:server"] * 3),
        ("sandbox-429-1", ["failed:rate", "text"]),
        ("sandbox-429", ["failed:rate"] * 3),
        ("sandbox-quota", ["failed:quota"]),
        ("sandbox-401", ["failed:credentials"]),
        ("sandbox-500-2", ["failed:server", "failed:server", "text"]),
        ("sandbox-502-html-1", ["failed:server", "text"]),
        ("sandbox-overloaded-1", ["failed:overloaded", "text"]),
        ("sandbox-reset", ["failed:connection"] * 3),
        ("sandbox-midstream", ["failed:connection"] * 3),
        ("sandbox-slow-1s", ["text"]),
        ("sandbox@gpt-6-luna", ["text"]),
        ("sandbox@gpt-5-mini", ["text"]),
    ],
)
async def test_every_fault_ends_as_it_should(scenario: str, outcomes: list[str], streamed: bool) -> None:
    """Outcome, attempts and cost agree with the sandbox's own books, which it keeps apart from ours."""
    journal = Journal()
    async with connected(max_tries=3) as (upstream, app):
        call = a_call(scenario, parts=(TextPart(DOCUMENT),))
        reply = await ask(upstream, journal, call, streamed=streamed)
        books = app.ledger.report()["totals"]
    attempts = all_attempts(journal, reply)
    assert [attempt.outcome for attempt in attempts] == outcomes
    assert books["requests"] == len(attempts)
    if "midstream" not in scenario:  # cut off before it told what it billed
        assert sum(attempt.cost for attempt in attempts) == books["cost_nano_usd"]
        assert sum(attempt.usage.input_tokens for attempt in attempts) == books["input_tokens"]
    if isinstance(reply.outcome, Failed):
        assert problem_for(reply.outcome).status >= 422


async def test_a_streamed_error_frame_is_a_failure() -> None:
    """The sandbox's error frame, followed by response.failed."""
    journal = Journal()
    async with connected(max_tries=2) as (upstream, _):
        reply = await ask(upstream, journal, a_call("sandbox-stream-error"), streamed=True)
    assert [attempt.outcome for attempt in all_attempts(journal, reply)] == ["failed:server"] * 2


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_provider_that_hangs_is_left_at_the_deadline(streamed: bool) -> None:
    """The deadline holds, and no task of ours survives it."""
    journal = Journal()
    async with connected() as (upstream, _):
        start = clock.monotonic()
        reply = await ask(upstream, journal, a_call("sandbox-hang"), streamed=streamed, seconds=0.5)
        assert clock.monotonic() - start < 20
    assert [attempt.outcome for attempt in all_attempts(journal, reply)] == ["failed:deadline"]
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})


async def test_a_thousand_calls_with_faults_are_accounted_for() -> None:
    """One call in five meets a fault at each attempt; ours and the sandbox's books agree to the nano-dollar."""
    journal = Journal()
    # A thousand connections at once, on a busy machine, take longer than one may in production.
    async with connected(max_tries=6, limits={}, connect_timeout_s=60) as (upstream, app):

        async def one(number: int) -> Reply:
            call = a_call("sandbox-flaky-20", parts=(TextPart(f"{DOCUMENT}No: {number}"),))
            return await ask(upstream, journal, call, streamed=number % 4 == 0, seconds=120)

        replies = await asyncio.gather(*(one(number) for number in range(1_000)))
        books = app.ledger.report()["totals"]
    attempts = journal.attempts + [reply.attempts[-1] for reply in replies]
    # On a busy machine a connection may break before the request is through; the provider never saw such an attempt.
    attempts = [attempt for attempt in attempts if attempt.outcome != "failed:connection"]
    assert {attempt.outcome for attempt in attempts} == {"text", "failed:server"}
    assert books["requests"] == len(attempts)
    assert books["failed"] == Counter(attempt.outcome for attempt in attempts)["failed:server"] > 150
    assert books["cost_nano_usd"] == sum(attempt.cost for attempt in attempts) > 0
    gc.collect()
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})


async def test_our_limits_keep_the_provider_from_ever_saying_429() -> None:
    """With the provider's own limits set, a crowd of calls is spread and none of them is refused."""
    limits = {"sandbox": ModelLimits(requests_per_minute=3_000, tokens_per_minute=3_000_000)}
    provider = {"requests_per_minute": 3_000, "tokens_per_minute": 3_000_000}
    journal = Journal()
    async with connected(provider=provider, limits=limits, limit_window_s=0.5) as (upstream, app):
        calls = (ask(upstream, journal, a_call("sandbox"), streamed=False, seconds=60) for _ in range(150))
        replies = await asyncio.gather(*calls)
        rows = app.ledger.report()["requests"]
    assert {type(reply.outcome).__name__ for reply in replies} == {"Text"}
    assert [row["status"] for row in rows] == [200] * 150
    assert journal.attempts == []


@pytest.mark.parametrize("model", ["gpt-4.1-mini", "gpt-4o", "gpt-6-luna", "gpt-5-mini"])
async def test_the_worst_case_covers_what_is_billed(model: str) -> None:
    """Text in several scripts and an image: the bound from bytes and the counted one are above the bill."""
    import io

    from PIL import Image

    picture = io.BytesIO()
    Image.new("RGB", (1240, 1754), "white").save(picture, "PNG")
    parts = (
        TextPart("Rechnung Nr. 7\nTotal: 1.280,50 €\n数据 合計 99\n" * 20),
        ImagePart("image/png", picture.getvalue(), 1240, 1754),
    )
    call = a_call(model, parts=parts)
    async with connected() as (upstream, _):
        reply = await ask(upstream, Journal(), call, streamed=False)
    billed = reply.attempts[0].usage.input_tokens
    known = Catalogue.load().find(model)
    assert billed > 500
    assert at_most(call, known).input_tokens >= counted(call, known).input_tokens >= billed
    assert counted(call, known).cost >= reply.attempts[0].cost


DOCUMENTS = Path(__file__).resolve().parents[3] / "shared" / "documents"


def sampled() -> list[Path]:
    """Thirty texts, chosen by the hash of their names; all of them with WINNOW_CORPUS=full."""
    texts = [
        path
        for path in sorted(DOCUMENTS.rglob("*"))
        if path.suffix in {".txt", ".html", ".csv", ".eml", ".md"} and path.stat().st_size < 300_000
    ]
    if os.environ.get("WINNOW_CORPUS") == "full":
        return texts
    return sorted(texts, key=lambda path: sha256(path.name.encode()).digest())[:30]


@pytest.mark.corpus
@pytest.mark.skipif(not DOCUMENTS.exists(), reason="../shared absent")
async def test_the_worst_case_covers_the_bill_of_real_documents() -> None:
    """For texts of every kind the bounds hold, and the expected count is within a tenth of what is billed."""
    known = Catalogue.load().find("gpt-4.1-mini")
    far = []
    async with connected() as (upstream, _):
        for path in sampled():
            words = path.read_text(encoding="utf-8", errors="replace")
            call = a_call(parts=(TextPart(words),), cache_key=path.name)
            reply = await ask(upstream, Journal(), call, streamed=False, seconds=60)
            billed = reply.attempts[0].usage.input_tokens
            assert billed > 0
            assert at_most(call, known).input_tokens >= counted(call, known).input_tokens >= billed
            assert counted(call, known).cost >= reply.attempts[0].cost
            likely = expected(call, known, output_tokens=100).input_tokens
            if abs(likely - billed) > max(0.1 * billed, 60):
                far.append((path.name, likely, billed))
    assert far == []
