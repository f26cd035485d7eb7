import asyncio
import threading
import time

import pytest

from service.foundation.thread import WorkThread


async def test_one_after_the_other_in_order() -> None:
    """All in one thread that is not the loop's; each gets what its own work returned or raised."""
    thread = WorkThread("worker")
    seen: list[int] = []
    threads: set[int] = set()

    def work(number: int) -> int:
        threads.add(threading.get_ident())
        seen.append(number)
        if number == 3:
            raise ValueError("three")
        return number * 10

    futures = [thread.submit(lambda number=number: work(number)) for number in range(6)]
    results = await asyncio.gather(*futures, return_exceptions=True)
    await thread.close()
    assert seen == list(range(6))
    assert [result for result in results if isinstance(result, int)] == [0, 10, 20, 40, 50]
    assert isinstance(results[3], ValueError)
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_cancelled_work_is_done_all_the_same() -> None:
    """Whoever goes away takes nothing back, and closing waits for what was handed in."""
    thread = WorkThread("worker")
    done: list[str] = []

    def slow(name: str) -> None:
        time.sleep(0.05)
        done.append(name)

    waiting = [asyncio.create_task(_until(thread.submit(lambda name=name: slow(name)))) for name in "ab"]
    await asyncio.sleep(0.01)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert done != ["a", "b"]
    await thread.close()
    assert done == ["a", "b"]
    with pytest.raises(RuntimeError, match="closed"):
        thread.submit(lambda: None)


async def _until(future: asyncio.Future[None]) -> None:
    await future


def test_a_loop_that_is_gone() -> None:
    """Its futures are forgotten; the thread goes on for others."""
    thread = WorkThread("worker")
    gone = threading.Event()

    async def leave() -> None:
        thread.submit(lambda: gone.wait(5))

    async def ask() -> str:
        gone.set()
        answer = await thread.submit(lambda: "here")
        await thread.close()
        return answer

    asyncio.run(leave())
    assert asyncio.run(ask()) == "here"
