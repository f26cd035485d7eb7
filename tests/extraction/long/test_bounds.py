"""What bounds the reading of long documents: the deadline, the money, how many parts are read at once."""

import json
import threading
import time
from collections.abc import Sequence
from typing import Any

import httpx2
import pytest

from tests.extraction.long import made
from tests.extraction.long.perfect import Gold, PerfectReader
from tests.extraction.long.test_http import Opened, events, golden, opened, send

__all__ = ["opened"]
TEXT = {"content-type": "text/plain"}


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox reads every text away from its event loop, so that several are read at once."""
    monkeypatch.setattr("service.sandbox.engine._INLINE_CHARACTERS", 0)


class Watched(PerfectReader):
    """Counts how many texts are read at the same time. ``stuck`` texts, of those that come first, take so many seconds."""

    def __init__(self, gold: Gold, *, takes: float = 0.0, stuck: int = 0, stuck_s: float = 0.0) -> None:
        super().__init__(gold)
        self.takes, self.stuck, self.stuck_s = takes, stuck, stuck_s
        self.busy = self.most = 0
        self._count = threading.Lock()
        self._over = threading.Event()

    def read(self, text: str, images: Sequence[bytes], schema: Any) -> Any:
        with self._count:
            self.busy += 1
            self.most = max(self.most, self.busy)
            self.stuck -= 1
            stuck = self.stuck >= 0
        try:
            self._over.wait(self.stuck_s if stuck else self.takes)
            return super().read(text, images, schema)
        finally:
            with self._count:
                self.busy -= 1

    def let_go(self) -> None:
        """Nothing waits any longer."""
        self._over.set()


async def test_no_more_parts_are_read_at_once_than_allowed(opened: Opened) -> None:
    """The bound on parts at once holds, and is made use of."""
    one = made.statement(1, 12)
    data = one.text.encode()
    reader = Watched(await golden(one, data, "text/plain"), takes=0.05)
    async with opened(reader, parts_at_once=3) as client:
        answer = await send(client, one, data, "text/plain")
    assert answer.status_code == 200, answer.json()
    assert len(reader.asked) > 3
    assert reader.most == 3


async def test_a_part_that_hangs_leaves_time_to_ask_again(opened: Opened) -> None:
    """The first reading of a part may take a share of the time that is left; after it the part is asked once more."""
    one = made.statement(1, 12)
    data = one.text.encode()
    gold = await golden(one, data, "text/plain")
    reader = Watched(gold, stuck=1, stuck_s=60)
    async with opened(reader) as client:
        began = time.monotonic()
        answer = await send(client, one, data, "text/plain", deadline_s=16)
        took = time.monotonic() - began
        reader.let_go()
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["data"] == gold.record()
    assert len(body["provenance"]["attempts"]) == len(body["parts"]) + 1
    assert 8 < took < 18


async def test_parts_that_all_hang_end_with_the_deadline(opened: Opened) -> None:
    """Whatever is asked again, the deadline bounds the whole request, and the attempts are recorded."""
    one = made.statement(1, 12)
    data = one.text.encode()
    reader = Watched(await golden(one, data, "text/plain"), stuck=1000, stuck_s=60)
    async with opened(reader) as client:
        began = time.monotonic()
        answer = await send(client, one, data, "text/plain", deadline_s=1.5)
        took = time.monotonic() - began
        reader.let_go()
    body = answer.json()
    assert (answer.status_code, body["code"]) == (504, "deadline_exceeded")
    assert body["extraction_id"].startswith("ext_")
    assert took < 30


async def test_the_estimate_is_what_the_money_cap_is_held_against(client: httpx2.AsyncClient) -> None:
    """The worst case of the first calls is the least cap that is accepted, and the estimated parts are those that are read."""
    text = made.statement(1, 12).text.encode()
    estimate = (await client.post("/v1/estimate/bank_statement", content=text, headers=TEXT)).json()
    least = float(estimate["needed_usd"])

    async def extract(cap: float) -> httpx2.Response:
        query = {"max_cost_usd": f"{cap:.9f}", "allow_partial": "true"}
        return await client.post(
            "/v1/extract/bank_statement", params=query, content=text, headers=TEXT, timeout=60
        )

    refused = await extract(least - 1e-6)
    assert refused.status_code == 402
    assert float(refused.json()["worst_case_usd"]) == pytest.approx(least, abs=1e-9)
    answer = await extract(least)
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["parts"] == estimate["parts"]
    assert estimate["calls"] == len(body["parts"]) > 2
    assert float(body["usage"]["cost_usd"]) <= least <= float(estimate["worst_usd"])


async def test_a_stream_says_how_far_a_long_document_is(opened: Opened) -> None:
    """Parts done, rows and cost so far only grow; parts that are split or asked again are counted once they are read."""
    one = made.orders(2, 8)
    data = one.text.encode()
    gold = await golden(one, data, "text/plain")
    reader = PerfectReader(gold, swell=0.2)
    async with opened(reader, part_rows=40) as client:
        answer = await send(client, one, data, "text/plain", accept="text/event-stream")
    heard = events(answer.text)
    told = [body for name, body in heard if name == "progress" and body["stage"] == "part"]
    for name in ("parts_done", "parts", "rows"):
        values = [body[name] for body in told]
        assert values == sorted(values)
    costs = [float(body["cost_usd"]) for body in told]
    assert costs == sorted(costs)
    assert told[-1]["parts_done"] == told[-1]["parts"] == len(told)
    name, body = heard[-1]
    assert name == "record"
    assert body["data"] == gold.record()
    assert len(body["parts"]) == len(told)
    assert costs[-1] == pytest.approx(float(body["usage"]["cost_usd"]), abs=1e-9)


async def test_a_stream_shows_the_rows_so_far(opened: Opened) -> None:
    """Snapshots of a long document are the parts that are read, merged: rows of the record, in its order, more and more."""
    one = made.statement(1, 30)
    data = one.text.encode()
    gold = await golden(one, data, "text/plain")
    reader = Watched(gold, takes=0.5)
    async with opened(reader, parts_at_once=2) as client:
        answer = await send(client, one, data, "text/plain", accept="text/event-stream")
    heard = events(answer.text)
    name, record = heard[-1]
    assert name == "record"
    assert record["data"] == gold.record()
    wanted = [json.dumps(row) for row in record["data"]["transactions"]]
    sizes = []
    for name, body in heard:
        if name == "snapshot":
            rows = iter(wanted)
            assert all(
                json.dumps(row) in rows for row in body["data"]["transactions"]
            )  # in order: `in` uses rows up
            sizes.append(len(body["data"]["transactions"]))
    assert len(sizes) >= 2
    assert sizes == sorted(sizes)
    assert 0 < sizes[0] < sizes[-1] < len(wanted)
