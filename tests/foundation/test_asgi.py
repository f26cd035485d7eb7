"""The outermost layer: how requests that come at once begin."""

import asyncio

from service.foundation.asgi import Front


class _App:
    """An application that notes who began, and in which turn of the event loop."""

    def __init__(self) -> None:
        self.began: list[tuple[int, int]] = []
        self.turn = 0
        self.answer = asyncio.Event()

    async def __call__(self, scope, receive, send) -> None:
        self.began.append((scope["number"], self.turn))
        await self.answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def count_turns(self) -> None:
        while True:
            await asyncio.sleep(0)
            self.turn += 1


def _scope(number: int) -> dict:
    return {"type": "http", "method": "POST", "path": "/v1/extract/x", "headers": [], "number": number}


async def _receive() -> dict:
    return {"type": "http.request", "body": b""}


async def _send(_: object) -> None:
    return None


async def test_a_burst_begins_few_at_a_time_and_in_order():
    app = _App()
    front = Front(app, max_in_flight=1000, max_body_bytes=1000)
    counting = asyncio.create_task(app.count_turns())
    requests = [asyncio.create_task(front(_scope(number), _receive, _send)) for number in range(200)]
    for _ in range(400):  # turns
        await asyncio.sleep(0)
    per_turn: dict[int, int] = {}
    for _, turn in app.began:
        per_turn[turn] = per_turn.get(turn, 0) + 1
    app.answer.set()
    await asyncio.gather(*requests)
    counting.cancel()
    assert [number for number, _ in app.began] == list(range(200))
    assert max(per_turn.values()) <= 16
    assert len(per_turn) >= 200 // 16


async def test_whoever_goes_away_while_waiting_for_a_turn_holds_nobody_up():
    app = _App()
    front = Front(app, max_in_flight=1000, max_body_bytes=1000)
    requests = [asyncio.create_task(front(_scope(number), _receive, _send)) for number in range(100)]
    await asyncio.sleep(0)
    gone = requests[20:90]
    for request in gone:
        request.cancel()
    app.answer.set()
    done = await asyncio.wait_for(asyncio.gather(*requests, return_exceptions=True), 60)
    cancelled = [number for number, result in enumerate(done) if isinstance(result, asyncio.CancelledError)]
    assert cancelled == list(range(20, 90))
    assert [number for number, _ in app.began] == [*range(20), *range(90, 100)]
    await asyncio.wait_for(front(_scope(100), _receive, _send), 60)
