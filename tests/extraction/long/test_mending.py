"""Repair and escalation of records that were merged from parts, over HTTP, by a reader that makes mistakes at first."""

import json
import os
import pathlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, Protocol

import httpx2
import pytest
from conftest import hearing, running, settings_for

from tests.extraction.long import made
from tests.extraction.long.mender import Mender
from tests.extraction.long.perfect import Gold, Path, squeezed
from tests.extraction.long.test_http import golden, send
from tests.extraction.test_api import attempts_of

FULL = os.environ.get("WINNOW_CORPUS") == "full"


class Opening(Protocol):
    def __call__(
        self, reader: Mender, *, folders: Any = (), **extraction: Any
    ) -> AbstractAsyncContextManager[httpx2.AsyncClient]: ...


@contextmanager
def provider(reader: Mender) -> Iterator[str]:
    """The sandbox with a reader that hears whole requests."""
    with hearing(reader.hear, reader=reader) as url:
        yield url


@pytest.fixture
def mended(tmp_path: pathlib.Path) -> Opening:
    """A service that asks a reader which makes mistakes."""

    @asynccontextmanager
    async def open_one(
        reader: Mender, *, folders: Any = (), **extraction: Any
    ) -> AsyncIterator[httpx2.AsyncClient]:
        with provider(reader) as url:
            settings = settings_for(url, f"sqlite:///{tmp_path}/w.db", extraction=extraction)
            settings.schemas.folders.extend(folders)
            async with running(settings) as client:
                yield client

    return open_one


def kinds(body: Any) -> Counter[str]:
    return Counter(one["kind"] for one in body["provenance"]["attempts"])


@pytest.mark.parametrize("pages", (30, 100) if FULL else (30,))
async def test_what_no_part_said_is_asked_for_where_it_may_stand(mended: Opening, pages: int) -> None:
    """A required value of the head that no part gave costs one small call, which shows the beginning and the label."""
    one = made.statement(1, pages)
    data = one.pdf()
    gold = await golden(one, data, "application/pdf")
    reader = Mender(gold, silent=frozenset({("account_holder",)}))
    async with mended(reader) as client:
        answer = await send(client, one, data, "application/pdf")
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["data"] == gold.record()
    assert kinds(body) == {"segment": len(body["parts"]), "repair": 1}
    (check,) = reader.checks
    assert "account_holder is the record's /account_holder" in check
    assert "transactions" not in check
    largest = max(len(text) for text in reader.asked if text not in reader.again)
    assert len(reader.again[0]) < 0.5 * largest


@pytest.mark.parametrize("pages", (12, 60, 100) if FULL else (12,))
async def test_rows_that_were_left_out_come_in_at_their_places(mended: Opening, pages: int) -> None:
    """Lines that look like rows and are none are asked for with the lines around them; rows are merged by position."""
    one = made.statement(1, pages)
    data = one.pdf()
    gold = await golden(one, data, "application/pdf")
    rows = gold.rows()
    dropped = frozenset(rows[20:-20:33])
    reader = Mender(gold, drop=dropped)
    async with mended(reader) as client:
        answer = await send(client, one, data, "application/pdf")
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["data"] == gold.record()
    assert body["status"] == "succeeded"
    asked = kinds(body)
    assert asked["repair"] <= asked["segment"] == len(body["parts"])
    assert set(asked) == {"segment", "repair"}
    assert sum(map(len, reader.again)) < 0.4 * sum(
        len(text) for text in reader.asked if text not in reader.again
    )


async def test_a_row_that_breaks_the_schema_is_asked_for_alone(mended: Opening) -> None:
    """A row's value that does not validate is asked for with the lines around the row; what stays wrong is named."""
    one = made.statement(1, 30)
    data = one.pdf()
    gold = await golden(one, data, "application/pdf")
    reader = Mender(
        gold, wrong={("transactions", 200, "date"): "2025-02-31", ("transactions", 800, "date"): "x"}
    )
    async with mended(reader) as client:
        answer = await send(client, one, data, "application/pdf")
        body = answer.json()
        assert answer.status_code == 200, body
        assert body["data"] == gold.record()
        assert kinds(body) == {"segment": len(body["parts"]), "repair": 2}
        assert all(text.count("\n") < 30 for text in reader.again)
        reader.skip = 10_000
        answer = await send(client, one, data, "application/pdf")
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [
        "/transactions/200/date",
        "/transactions/800/date",
    ]


async def test_the_stronger_model_is_asked_last(mended: Opening) -> None:
    """What the first model cannot mend is asked of the stronger one: rows that it lacks, and values."""
    one = made.statement(1, 12)
    data = one.pdf()
    gold = await golden(one, data, "application/pdf")
    for faults in (
        {"silent": frozenset({("account_holder",)})},
        {"drop": frozenset(gold.rows()[20:30])},
        {"wrong": {("transactions", 200, "date"): "2025-02-31"}},
    ):
        reader = Mender(gold, until="gpt-4o", **faults)  # type: ignore[arg-type]
        async with mended(reader) as client:
            answer = await send(client, one, data, "application/pdf")
        body = answer.json()
        assert answer.status_code == 200, (faults, body)
        assert body["data"] == gold.record()
        asked = kinds(body)
        assert asked["escalation"] == asked["repair"] == 1
        assert body["provenance"]["model"].startswith("gpt-4o-")


@pytest.mark.no_cover  # its lines are held by the tests around it; counting them would triple its time
async def test_caps_end_it_and_the_worst_case_covers_it(mended: Opening) -> None:
    """With one attempt nothing is asked again; attempts of a part, and money, are counted over everything."""
    one = made.statement(1, 12)
    data = one.pdf()
    gold = await golden(one, data, "application/pdf")
    silent = frozenset({("account_holder",)})
    reader = Mender(gold, silent=silent, drop=frozenset(gold.rows()[20:400:33]), skip=10_000)
    async with mended(reader) as client:
        await publish(client, one)
        estimate = await read(client, data, path="estimate")
        assert estimate.status_code == 200, estimate.text
        parts, needed = len(estimate.json()["parts"]), float(estimate.json()["needed_usd"])
        for most in (1, 2, 4):
            reader.asked.clear()
            answer = await read(client, data, max_attempts=most)
            assert answer.status_code == 422
            again = len(reader.asked) - parts
            assert (again > 0) == (most > 1)
            assert again <= (parts + 1) * (most - 1)
        spent = [row["cost_nano_usd"] for row in await attempts_of(client)]
        assert sum(spent) <= 3 * float(estimate.json()["worst_usd"]) * 1e9
        reader.asked.clear()
        answer = await read(client, data, max_cost_usd=f"{needed:.9f}")
        assert answer.status_code == 422
        rows = await attempts_of(client)
        ours = [
            row["cost_nano_usd"] for row in rows if row["extraction_id"] == answer.json()["extraction_id"]
        ]
        assert sum(ours) <= needed * 1e9


async def test_a_supported_value_is_not_replaced_by_an_invented_one(mended: Opening) -> None:
    """A repair that says what the document does not print changes nothing that it prints."""
    one = made.statement(1, 12)
    data = one.pdf()
    gold = await golden(one, data, "application/pdf")
    rules = [
        {
            "rule": "total",
            "plus": ["/opening_balance", "/transactions/*/amount"],
            "equals": "/closing_balance",
            "tolerance": "0.01",
        }
    ]

    invented: list[str] = []

    class Inventing(Mender):
        def _at(self, pointer: str, covered: set[int]) -> Any:
            invented.append(pointer)
            return 123456.78 if pointer == "/opening_balance" else super()._at(pointer, covered)

    reader = Inventing(gold, wrong={("closing_balance",): gold.values["transactions", 3, "balance"]})
    async with mended(reader) as client:
        await publish(client, one, rules)
        answer = await read(client, data)
        body = answer.json()
        assert answer.status_code == 200, body
        assert body["data"] == gold.record()
        assert kinds(body) == {"segment": len(body["parts"]), "repair": 1}
        assert "/opening_balance" in invented


async def publish(client: httpx2.AsyncClient, one: made.Made, rules: Any = ()) -> None:
    answer = await client.post("/v1/schemas/long/versions", json={"schema": one.schema, "rules": list(rules)})
    assert answer.status_code == 201, answer.text


async def read(
    client: httpx2.AsyncClient, data: bytes, *, path: str = "extract", **options: Any
) -> httpx2.Response:
    """A document read by the published schema."""
    return await client.post(
        f"/v1/{path}/long",
        files={"file": ("long", data, "application/pdf")},
        data={"options": json.dumps(options)},
        timeout=120,
    )


async def test_what_a_rule_adds_up_and_the_document_does_not_print_is_asked_for(mended: Opening) -> None:
    """Of a total that does not hold, the amount among two thousand that stands nowhere is asked for, in its part."""
    one = made.statement(1, 30)
    data = one.pdf()
    gold = await golden(one, data, "application/pdf")
    rules = [
        {
            "rule": "total",
            "plus": ["/opening_balance", "/transactions/*/amount"],
            "equals": "/closing_balance",
            "tolerance": "0.01",
        }
    ]
    reader = Mender(gold, wrong={("transactions", 700, "amount"): 98765.43})
    async with mended(reader) as client:
        await publish(client, one, rules)
        answer = await read(client, data, allow_partial=True)
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["data"] == gold.record()
    assert body["status"] == "succeeded"
    assert kinds(body) == {"segment": len(body["parts"]), "repair": 1}
    assert "/transactions/700" in reader.checks[0]


@pytest.mark.no_cover  # its lines are held by the tests around it; counting them would triple its time
async def test_certainty_and_examples_reach_the_parts(mended: Opening) -> None:
    """Each leaf of the merged record has the probability that its own part gave; examples stand before every part."""
    one = made.statement(1, 30)
    data = one.pdf()
    gold = await golden(one, data, "application/pdf")
    other = made.statement(2, 1)
    right = Gold(other.text, other.leaves).record()
    reader = Mender(gold)
    async with mended(reader) as client:
        body = {"schema": one.schema, "examples": [{"document": other.text, "record": right}]}
        assert (await client.post("/v1/schemas/long/versions", json=body)).status_code == 201
        plain = await read(client, data, path="estimate")
        answer = await read(client, data, evidence="locations")
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["data"] == gold.record()
    assert body["provenance"]["examples"] == 1
    assert body["provenance"]["evidence"]["logprobs"] is True
    evidence = body["evidence"]
    rows = len(body["data"]["transactions"])
    for pointer in (
        "/account_holder",
        "/transactions/0/amount",
        f"/transactions/{rows - 1}/balance",
        "/closing_balance",
    ):
        assert 0 < evidence[pointer]["probability"] <= 1
    sure = [one["probability"] for one in evidence.values()]
    assert len(set(sure)) > 3
    shown = [before for _, check, before in reader.questions.values() if not check]
    assert len(shown) == len(body["parts"]) == plain.json()["calls"]
    assert all(len(before) == 1 and before[0].startswith("<examples>") for before in shown)


class Quoting(Mender):
    """Misreads one description, and quotes what stands there."""

    at: Path = ()
    printed = ""

    def quoted(self, record: Any) -> list[tuple[str, str]]:
        """The printed words, at the row's number in this part."""
        rows = record.get("transactions", [])
        return [
            (f"/transactions/{number}/description", self.printed)
            for number, row in enumerate(rows)
            if row.get("description") == self.wrong.get(self.at)
        ]


@pytest.mark.no_cover  # its lines are held by the tests around it; counting them would triple its time
async def test_quotes_are_looked_up_on_the_pages_of_their_part(mended: Opening) -> None:
    """A quote that stands on several pages of the document stands on that one which the quoting part shows."""
    one = made.statement(1, 30)
    data = one.pdf()
    gold = await golden(one, data, "application/pdf")
    texts = ["\n".join(map(squeezed, page.split("\n"))) for page in one.text.split("\f")]
    reader = Quoting(gold)
    async with mended(reader) as client:
        await publish(client, one)
        parts = (await read(client, data, path="estimate")).json()["parts"]

        def around(page: int) -> str:
            """All that the parts show which show this page."""
            own = [part for part in parts if part["first_page"] <= page <= part["last_page"]]
            return "\n".join(texts[own[0]["first_page"] - 1 : own[-1]["last_page"]])

        everything = "\n".join(texts)
        path, page, text = next(
            (path, page, text)
            for path in gold.rows()[100:]
            if everything.count(text := gold.values[*path, "description"]) > 1
            for page in [next(n for n, shown in enumerate(texts, 1) if _line(gold, path) in shown)]
            if around(page).count(text) == 1
        )
        reader.at, reader.printed = (*path, "description"), text
        reader.wrong, reader.skip = {reader.at: "zzyzx qwfp"}, 10_000
        answer = await read(client, data, evidence="quotes", max_attempts=1)
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["provenance"]["evidence"]["mode"] == "quotes"
    where = body["evidence"]["/" + "/".join(map(str, reader.at))]
    assert (where["status"], where["reason"], where["page"]) == ("ambiguous", "quoted", page)
    assert where["quote"] == text


def _line(gold: Gold, path: Path) -> str:
    """The printed line of a row's amount: dates and balances make it the only one of its kind."""
    return gold.lines[gold.spans[*path, "amount"][0]]
