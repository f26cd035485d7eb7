"""What an estimate says a request may cost at most."""

from typing import Any

import httpx2
import pytest

BODY: dict[str, Any] = {"input": {"text": "Invoice RE-1\nTotal: 12.50 EUR\n" * 20}}


async def estimated(client: httpx2.AsyncClient, **options: Any) -> dict[str, float]:
    answer = await client.post("/v1/estimate/invoice", json={**BODY, "options": options})
    assert answer.status_code == 200, answer.text
    return {name: float(answer.json()[name]) for name in ("low_usd", "needed_usd", "worst_usd")}


async def test_the_worst_case_counts_what_may_follow(client: httpx2.AsyncClient) -> None:
    """One attempt is the first call; each further one may be a repair, and where a stronger model may be asked costs its price."""
    one, two, four = [await estimated(client, max_attempts=most) for most in (1, 2, 4)]
    assert one["worst_usd"] == one["needed_usd"] == two["needed_usd"] == four["needed_usd"]
    more = two["worst_usd"] - one["worst_usd"]
    assert four["worst_usd"] - one["worst_usd"] == pytest.approx(3 * more)
    # gpt-4o, the model that is asked when repairs fail, costs six times as much as gpt-4.1-mini.
    assert more > 5 * one["needed_usd"]
    named = await estimated(client, max_attempts=2, model="gpt-4.1-mini")  # nobody else is asked then
    assert one["needed_usd"] < named["worst_usd"] - named["needed_usd"] < 2 * one["needed_usd"]


async def test_the_cap_is_held_against_the_calls_that_are_made(client: httpx2.AsyncClient) -> None:
    """What is needed lets a request begin, however dear repairs could become; what is spent stays below the worst case."""
    costs = await estimated(client)
    answer = await client.post(
        "/v1/extract/invoice", json={**BODY, "options": {"max_cost_usd": f"{costs['needed_usd']:.9f}"}}
    )
    assert answer.json().get("code") != "money_capped"
    refused = await client.post(
        "/v1/extract/invoice", json={**BODY, "options": {"max_cost_usd": f"{costs['needed_usd'] * 0.99:.9f}"}}
    )
    assert (refused.status_code, float(refused.json()["worst_case_usd"])) == (402, costs["needed_usd"])
