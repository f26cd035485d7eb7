"""Examples of a schema before the document: which, in what form, and never the document itself."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.extraction.examples import chosen, ready
from service.registry import Example
from tests.extraction.test_repair import service

SCHEMA = {
    "type": "object",
    "properties": {
        "order": {"type": "string", "not": {"const": "wrong"}},
        "total": {"type": "number"},
        "note": {"type": "string"},
    },
    "required": ["order", "total"],
}


def document(number: str, total: str, more: str = "") -> str:
    return f"Harper & Sons, Leeds\nYour order number: {number}\nWe thank you for it.\nTotal to pay: {total} EUR\n{more}"


ALIKE = {"document": document("A-1", "10.50"), "record": {"order": "A-1", "total": 10.5}}
OTHER = {"document": "Ordine 77/B\nImporto 99,00", "record": {"order": "77/B", "total": 99.0, "note": "x"}}
SENT = document(
    "Q-8812", "1280.50", "Goods remain ours until they are paid for in full, thank you and see you soon."
)
LEAK = {"document": SENT.replace("Leeds", "London"), "record": {"order": "Q-8812", "total": 1280.5}}


class Keeping:
    """Keeps every question, and answers the first of each document wrongly if it is told to."""

    def __init__(self) -> None:
        self.body: Any = None
        self.wrong = False
        self.asked: list[list[str]] = []

    def read(self, text: str, images: Sequence[bytes], schema: Mapping[str, Any]) -> Any:
        self.asked.append([part.get("text", "") for part in self.body["input"][0]["content"]])
        if "<check>" in self.asked[-1][-1]:
            return {"order": "Q-8812"}
        return {"order": "wrong" if self.wrong else "Q-8812", "total": 1280.5, "note": None}


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[tuple[httpx2.AsyncClient, Keeping]]:
    reader = Keeping()
    async with service(tmp_path, reader) as client:
        yield client, reader


async def publish(client: httpx2.AsyncClient, name: str, examples: list[Any]) -> None:
    answer = await client.post(f"/v1/schemas/{name}/versions", json={"schema": SCHEMA, "examples": examples})
    assert answer.status_code == 201, answer.text


async def test_examples_stand_before_the_document(opened: tuple[httpx2.AsyncClient, Keeping]) -> None:
    """In the form that is asked for, in the schema's order, counted in what an estimate says; not the document itself."""
    client, reader = opened
    await publish(client, "plain", [])
    await publish(client, "taught", [LEAK, OTHER, ALIKE])
    answer = (await client.post("/v1/extract/taught", json={"input": {"text": SENT}})).json()
    assert answer["data"] == {"order": "Q-8812", "total": 1280.5}
    assert answer["provenance"]["examples"] == 2
    ((before, shown),) = reader.asked
    assert before.index('{"order":"77/B","total":99.0,"note":"x"}') < before.index(
        '{"order":"A-1","total":10.5,"note":null}'
    )
    assert "Q-8812" not in before
    assert shown.startswith("<document>")
    plain, taught = [
        (await client.post(f"/v1/estimate/{name}", json={"input": {"text": SENT}})).json()["input_tokens"]
        for name in ("plain", "taught")
    ]
    assert taught > plain + 100
    assert (
        "examples"
        not in (await client.post("/v1/extract/plain", json={"input": {"text": SENT}})).json()["provenance"]
    )


async def test_a_repair_of_a_part_needs_no_examples(opened: tuple[httpx2.AsyncClient, Keeping]) -> None:
    """They show whole records, and would cost more than the part."""
    client, reader = opened
    await publish(client, "taught", [ALIKE])
    reader.wrong = True
    answer = (await client.post("/v1/extract/taught", json={"input": {"text": SENT}})).json()
    assert [one["kind"] for one in answer["provenance"]["attempts"]] == ["first", "repair"]
    first, repair = reader.asked
    assert "<examples>" in first[0]
    assert not any("<examples>" in text for text in repair)


def prepared(*documents: str) -> Any:
    return [ready(Example(text, {"order": "x"}), {"order": "x"}, quoted=False) for text in documents]


def test_the_budget_takes_those_most_alike() -> None:
    """What is most like the document comes first; what does not fit is left out; without text there is none."""
    some = prepared(
        "bericht " * 40, document("A-1", "5.00"), document("B-2", "6.00", "Extra words of no use. " * 30)
    )
    assert chosen(some, SENT, 10_000) == tuple(some)
    assert chosen(some, SENT, some[1].tokens) == (some[1],)
    assert chosen(some, SENT, 3) == ()
    assert chosen(some, " \n", 10_000) == ()


@pytest.mark.parametrize("same", [SENT, SENT.upper(), f"{SENT} page 1 of 1", SENT[: len(SENT) * 2 // 3]])
def test_the_document_itself_is_never_an_example(same: str) -> None:
    """Nor what is nearly the same: other case, a line more, a piece of it."""
    assert chosen(prepared(same), SENT, 10_000) == ()


def test_quotes_of_an_example_stand_in_it() -> None:
    """Where quotes are asked for, an example has those of its own document."""
    one = ready(Example(ALIKE["document"], ALIKE["record"]), {"order": "A-1", "total": 10.5}, quoted=True)
    assert '"quotes":[{"pointer":"/order","quote":"A-1"},{"pointer":"/total","quote":"10.50"}]' in one.text
