"""Streamed answers: frames, events, faults in the middle, hang-ups."""

import asyncio
import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.foundation import clock
from service.upstream import Failed, Filtered, Outcome, Refused, Reply, Text, Truncated, Upstream, Usage
from service.upstream.streaming import Frames, ResponsesReader, event_of
from tests.upstream.provider import (
    Says,
    error,
    frame,
    message,
    provider,
    response,
    streamed,
    text,
    until,
)
from tests.upstream.test_client import OK, Journal, opened
from tests.upstream.test_request import a_call

BILLED = Usage(input_tokens=1412, cached_tokens=1280, output_tokens=27)
FLAT = frame("error", 7, code="server_error", message="boom", param=None)
NESTED = frame(
    "error", 7, error={"type": "server_error", "code": "server_error", "message": "boom", "param": None}
)


class Ear:
    """Keeps what it hears, per attempt."""

    def __init__(self) -> None:
        self.heard: dict[int, str] = {}

    def __call__(self, attempt: int, delta: str) -> None:
        """Take a piece."""
        self.heard[attempt] = self.heard.get(attempt, "") + delta


async def listen(upstream: Upstream, journal: Journal, ear: Ear, *, seconds: float = 10.0) -> Reply:
    return await upstream.stream(
        a_call(), deadline=clock.monotonic() + seconds, record=journal.record, on_text=ear
    )


async def test_a_streamed_answer_is_heard_as_it_grows_and_ends_like_a_whole_one() -> None:
    """Deltas come in order; outcome, usage, snapshot and cost are those of the last event."""
    ear = Ear()
    says = Says(pieces=streamed('{"a"', ":1", "}"), headers={"x-request-id": "req_s"})
    async with provider(says) as fake, opened(fake) as upstream:
        reply = await listen(upstream, Journal(), ear)
    assert ear.heard == {1: '{"a":1}'}
    assert reply.outcome == Text('{"a":1}')
    [attempt] = reply.attempts
    assert (attempt.outcome, attempt.usage, attempt.cost) == ("text", BILLED, 224_000)
    assert (attempt.request_id, attempt.model) == ("req_s", "gpt-4.1-mini-2025-04-14")
    assert fake.asked[0].json["stream"] is True


def refusal() -> list[bytes]:
    """A refused answer, streamed."""
    part = {"type": "refusal", "refusal": "I cannot."}
    return [
        frame("response.created", response=response(status="in_progress")),
        frame("response.refusal.delta", 1, output_index=0, content_index=0, delta="I cannot."),
        frame("response.completed", 2, response=response(message(part))),
    ]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (refusal(), Refused("I cannot.")),
        (
            streamed(
                '{"a',
                last=frame(
                    "response.incomplete",
                    9,
                    response=response(
                        message(text('{"a'), status="incomplete"),
                        status="incomplete",
                        incomplete_details={"reason": "max_output_tokens"},
                    ),
                ),
            ),
            Truncated('{"a'),
        ),
        (
            streamed(
                "{",
                last=frame(
                    "response.incomplete",
                    9,
                    response=response(status="incomplete", incomplete_details={"reason": "content_filter"}),
                ),
            ),
            Filtered(),
        ),
        (streamed("{", "}", last=frame("response.completed", 9, response=response())), Text("{}")),
        ([*streamed("{}"), b"data: [DONE]\n\n"], Text("{}")),
        ([b": heartbeat\n\n", b"retry: 10\n\n", *streamed("{}")], Text("{}")),
        ([b"".join(streamed("{}")).replace(b"\n", b"\r\n")], Text("{}")),
    ],
)
async def test_how_a_stream_may_end(pieces: list[bytes], expected: Outcome) -> None:
    """Refusal, budget, filter, a last response without output, comments and other line ends."""
    async with provider(Says(pieces=pieces)) as fake, opened(fake) as upstream:
        reply = await listen(upstream, Journal(), Ear())
    assert reply.outcome == expected
    assert reply.attempts[0].usage == BILLED


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        (Says(pieces=streamed("{", last=FLAT)), "server"),
        (Says(pieces=streamed("{", last=NESTED)), "server"),
        (
            Says(
                pieces=streamed(
                    "{", last=NESTED + frame("response.failed", 8, response=response(status="failed"))
                )
            ),
            "server",
        ),
        (
            Says(
                pieces=streamed(
                    "{",
                    last=frame(
                        "response.failed",
                        8,
                        response=response(
                            status="failed",
                            error={"code": "server_is_overloaded", "message": "x"},
                            usage=None,
                        ),
                    ),
                )
            ),
            "overloaded",
        ),
        (
            Says(pieces=streamed("{", last=frame("error", 8, code="slow_down", message="x", param=None))),
            "overloaded",
        ),
        (Says(pieces=streamed("{", last=b"")), "connection"),
        (Says(pieces=[]), "connection"),
        (Says(pieces=streamed("{", last=b""), reset=True), "connection"),
        (Says(pieces=[*streamed("{")[:6], 30.0]), "timeout"),
        (Says(503, error("busy", code="server_is_overloaded")), "overloaded"),
        (Says(502, b"<html>"), "server"),
    ],
)
async def test_a_stream_that_fails_is_tried_again_from_the_start(says: Says, kind: str) -> None:
    """Both error frames, failed responses, silent ends, resets and hangs; the second attempt is heard on its own."""
    journal, ear = Journal(), Ear()
    seconds = 0.5 if kind == "timeout" else 5.0
    again = Says(pieces=streamed("{", "}"))
    async with provider(says, again) as fake, opened(fake, attempt_timeout_s=seconds) as upstream:
        reply = await listen(upstream, journal, ear)
    assert reply.outcome == Text("{}")
    assert journal.outcomes == [f"failed:{kind}"]
    assert ear.heard[2] == "{}"


async def test_an_error_in_the_stream_that_is_ours_is_not_tried_again() -> None:
    """An invalid prompt stays invalid."""
    script = Says(
        pieces=streamed("{", last=frame("error", 3, code="invalid_prompt", message="x", param=None))
    )
    async with provider(script) as fake, opened(fake) as upstream:
        reply = await listen(upstream, Journal(), Ear())
    assert isinstance(reply.outcome, Failed)
    assert (reply.outcome.kind, reply.outcome.code) == ("rejected", "invalid_prompt")
    assert len(fake.asked) == 1


async def test_a_server_that_does_not_stream_is_understood() -> None:
    """A plain JSON answer to a streamed request is an answer."""
    async with provider(OK) as fake, opened(fake) as upstream:
        reply = await listen(upstream, Journal(), Ear())
    assert reply.outcome == Text("{}")


async def test_commentary_is_not_heard() -> None:
    """Only the final answer's text is the record's."""
    pieces = [
        frame("response.output_item.added", 0, output_index=0, item=message(phase="commentary")),
        frame("response.output_text.delta", 1, output_index=0, delta="let me see"),
        frame("response.output_item.added", 2, output_index=1, item=message(phase="final_answer")),
        frame("response.output_text.delta", 3, output_index=1, delta="{}"),
        frame("response.completed", 4, response=response(message(text("{}")))),
    ]
    ear = Ear()
    async with provider(Says(pieces=pieces)) as fake, opened(fake) as upstream:
        await listen(upstream, Journal(), ear)
    assert ear.heard == {1: "{}"}


async def test_a_caller_that_hangs_up_ends_the_stream_at_the_provider() -> None:
    """Cancelling closes the connection and records the attempt."""
    journal, ear = Journal(), Ear()
    pieces: list[bytes | float] = [*streamed("{")[:6]]
    for _ in range(200):
        pieces += [0.02, frame("response.output_text.delta", 9, output_index=0, delta="x")]
    async with provider(Says(pieces=pieces)) as fake, opened(fake) as upstream:
        task = asyncio.ensure_future(listen(upstream, journal, ear))
        await until(lambda: ear.heard)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: fake.hung_up == 1)
    assert journal.outcomes == ["failed:cancelled"]


async def test_streams_share_connections() -> None:
    """The end of each stream is read, so the next one needs no new connection."""
    async with provider(Says(pieces=streamed("{}"))) as fake, opened(fake) as upstream:
        for _ in range(5):
            assert (await listen(upstream, Journal(), Ear())).outcome == Text("{}")
    assert fake.connections == 1


@given(cuts=st.lists(st.integers(0, 4_000), max_size=30))
@settings(deadline=None)
def test_frames_may_come_in_any_pieces(cuts: list[int]) -> None:
    """Where the network cuts the stream does not matter."""
    whole = b"".join(streamed("Füße", " 数据", "}"))
    edges = sorted({min(cut, len(whole)) for cut in cuts} | {0, len(whole)})
    frames, reader = Frames(), ResponsesReader()
    heard = ""
    for start, end in itertools.pairwise(edges):
        for data in frames.feed(whole[start:end]):
            event = event_of(data)
            assert event is not None
            heard += reader.hear(event)
    assert heard == "Füße 数据}"
    assert reader.end() == (Text("Füße 数据}"), BILLED, "gpt-4.1-mini-2025-04-14")


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"type": None},
        {"type": "response.output_text.delta"},
        {"type": "response.output_text.delta", "delta": 5, "output_index": []},
        {"type": "response.created", "response": []},
        {"type": "response.output_item.added", "item": "x"},
        {"type": "error"},
        {"type": "error", "error": "odd", "message": {}},
        {"type": "response.completed"},
        {"type": "response.failed", "response": {"status": "failed", "error": []}},
    ],
)
def test_odd_events_do_not_make_reading_raise(event: dict[str, Any]) -> None:
    """Whatever a frame holds, the stream ends in an outcome."""
    reader = ResponsesReader()
    assert reader.hear(event) == ""
    assert isinstance(reader.end()[0], Failed)
    assert event_of(json.dumps([event]).encode()) is None
