"""Repair and escalation with scripted readers behind the provider's protocol: how many calls, of what, at what cost."""

import copy
import json
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import httpx2
import pytest
from conftest import hearing, running, settings_for

from service.extraction.decide import Accept, Again, Asked, Next, Standing, Stop, decide
from service.extraction.fragments import cut
from service.extraction.validate import Finding
from service.registry.places import parse
from service.sandbox.reader import Reader
from tests.extraction.test_api import attempts_of

INVOICE = Path(__file__).parents[2] / "schemas" / "invoice"
GOLD: dict[str, Any] = json.loads((INVOICE / "expected.json").read_text("utf-8"))
SCHEMA: dict[str, Any] = json.loads((INVOICE / "schema.json").read_text("utf-8"))


class Scripted:
    """Answers the first question about a document with ``first``, and every repair from ``gold``.

    ``worse`` answers repairs in its place for as many times as it says.
    """

    def __init__(self) -> None:
        self.first: Any = None
        self.gold: Any = None
        self.worse = 0
        self.body: Any = None
        self.asked: list[str] = []

    def read(self, text: str, images: Sequence[bytes], schema: Mapping[str, Any]) -> Any:
        """The scripted record, or the part of it that the schema asks for; what is asked stands in the last body."""
        text = "\n".join(part.get("text", "") for part in self.body["input"][0]["content"])
        self.asked.append(text)
        record = self.first
        if "<check>" in text:
            self.worse -= 1
            record = self.first if self.worse >= 0 else self.gold
        names = schema["properties"]
        if " is the record's " not in text:
            return self._strict(record)
        places = dict(
            line.removeprefix("- ").split(" is the record's ", 1)
            for line in text.splitlines()
            if " is the record's " in line
        )
        return {name: _at(record, places[name]) for name in names}

    def _strict(self, record: Any) -> Any:
        from service.registry import SchemaName, SchemaVersion

        return SchemaVersion(SchemaName("x"), 1, self.schema).compiled.encode(record)

    schema: Any = SCHEMA


def _at(node: Any, pointer: str) -> Any:
    steps = pointer.split("/")[1:]
    for index, step in enumerate(steps):
        if step == "*":
            return [_at(item, "/" + "/".join(steps[index + 1 :])) for item in node]
        node = node[int(step)] if isinstance(node, list) else node.get(step)
    return node


class Reading(Reader, Protocol):
    """A reader that looks at the whole request: ``body`` is the one that is being answered."""

    body: Any


@asynccontextmanager
async def service(
    folder: Path, reader: Reading, *, folders: Sequence[Path] = (), **given: Any
) -> AsyncIterator[httpx2.AsyncClient]:
    """A service that asks a sandbox with this reader, with further ``folders`` of schemas."""

    def hear(body: Any) -> None:
        reader.body = body

    with hearing(hear, reader=reader) as url:
        settings = settings_for(url, f"sqlite:///{folder}/w.db", **given)
        settings.schemas.folders.extend(folders)
        async with running(settings) as client:
            yield client


async def extract(client: httpx2.AsyncClient, **options: Any) -> Any:
    answer = await client.post(
        "/v1/extract/invoice",
        files={"file": ("sample.pdf", (INVOICE / "sample.pdf").read_bytes(), "application/pdf")},
        data={"options": json.dumps(options)},
    )
    return answer.json()


def kinds(result: Any) -> list[tuple[str, str]]:
    return [(one["kind"], one["outcome"]) for one in result["provenance"]["attempts"]]


def tokens(result: Any) -> int:
    return int(result["usage"]["input_tokens"] + result["usage"]["output_tokens"])


@pytest.mark.figures
async def test_one_call_when_nothing_is_wrong_and_a_small_one_for_a_leaf(tmp_path: Path) -> None:
    """A right answer costs one call. One broken leaf costs a repair of that leaf: at most 0.3 of the first call."""
    reader = Scripted()
    reader.first = reader.gold = GOLD
    async with service(tmp_path, reader) as client:
        right = await extract(client)
        assert kinds(right) == [("first", "accepted")]
        assert right["data"] == GOLD
        reader.first = {**GOLD, "payment": {**GOLD["payment"], "iban": "DE84998700100428815008"}}
        repaired = await extract(client)
    assert kinds(repaired) == [("first", "doubtful"), ("repair", "accepted")]
    assert repaired["data"] == GOLD
    assert repaired["findings"] == right["findings"]
    ratio = tokens(repaired) / tokens(right)
    print(f"tokens with one broken leaf: {ratio:.2f} of those with none")
    assert ratio <= 1.3


def _swap(record: Any, draw: random.Random) -> None:
    one, other = draw.sample(record["lines"], 2)
    one["amount"], other["amount"] = other["amount"], one["amount"]


CHANGES: dict[str, Callable[[Any, random.Random], None]] = {
    "amounts swapped": _swap,
    "date shifted": lambda record, _: record.update(due_date="2026-01-15"),
    "row dropped": lambda record, draw: record["lines"].pop(draw.randrange(4)),
    "total misread": lambda record, _: record.update(total=1380.5),
    "digit misread": lambda record, _: record["payment"].update(iban="DE84998700100428815008"),
}


@pytest.mark.figures
async def test_repair_restores_what_a_right_second_reading_says(tmp_path: Path) -> None:
    """Each kind of fault, seeded: what breaks a rule is found and restored, within four attempts."""
    draw = random.Random(8)
    reader = Scripted()
    reader.gold = GOLD
    rows = []
    async with service(tmp_path, reader) as client:
        for name, change in CHANGES.items():
            restored = calls = 0
            for _ in range(4):
                reader.first = copy.deepcopy(GOLD)
                change(reader.first, draw)
                result = await extract(client)
                restored += result["data"] == GOLD
                calls += len(result["provenance"]["attempts"])
            rows.append((name, restored, calls))
    for name, restored, calls in rows:
        print(f"  {name:16} restored {restored}/4, {calls / 4:.1f} calls")
    assert all(restored == 4 for _, restored, _ in rows)


ORDER = {
    "type": "object",
    "properties": {
        "order": {"type": "string", "not": {"const": "wrong"}},
        "total": {"type": "number"},
    },
    "required": ["order", "total"],
}
TEXT = "Order: A-4711\nTotal: 1280.50 EUR\n"


def order(**options: Any) -> dict[str, Any]:
    return {"schema": ORDER, "input": {"text": TEXT}, "options": options}


@pytest.fixture
async def ordered(tmp_path: Path) -> AsyncIterator[tuple[httpx2.AsyncClient, Scripted]]:
    reader = Scripted()
    reader.schema = ORDER
    reader.first = {"order": "wrong", "total": 1280.5}
    reader.gold = {"order": "A-4711", "total": 1280.5}
    async with service(tmp_path, reader) as client:
        yield client, reader


async def test_what_repair_cannot_mend_the_stronger_model_is_asked(
    ordered: tuple[httpx2.AsyncClient, Scripted],
) -> None:
    """After a repair in vain the same part goes to the stronger model, unless the request names its model."""
    client, reader = ordered
    reader.worse = 1
    result = (await client.post("/v1/extract", json=order())).json()
    assert kinds(result) == [("first", "invalid"), ("repair", "invalid"), ("escalation", "accepted")]
    assert result["provenance"]["model"].startswith("gpt-4o-")
    assert result["data"] == reader.gold
    reader.worse = 1
    named = (await client.post("/v1/extract", json=order(model="gpt-4.1-mini"))).json()
    assert kinds(named) == [("first", "invalid"), ("repair", "invalid"), ("repair", "accepted")]


async def test_every_attempt_is_recorded_with_what_it_was_for(
    ordered: tuple[httpx2.AsyncClient, Scripted],
) -> None:
    """In the answer and in the database: a first reading, a repair, and what followed a 500 of each."""
    client, _ = ordered
    result = (await client.post("/v1/extract", json=order(model="sandbox-500-1"))).json()
    assert [kind for kind, _ in kinds(result)] == ["first", "retry", "repair", "retry"]
    assert [row["kind"] for row in await attempts_of(client)] == ["first", "retry", "repair", "retry"]


async def test_caps_end_the_loop(ordered: tuple[httpx2.AsyncClient, Scripted]) -> None:
    """Attempts and money are counted over everything; the problem carries the findings."""
    client, reader = ordered
    reader.worse = 99
    for most in (1, 2, 3, 4):
        reader.asked.clear()
        answer = await client.post("/v1/extract", json=order(max_attempts=most))
        assert (answer.status_code, answer.json()["code"]) == (422, "record_invalid")
        assert answer.json()["errors"][0]["pointer"] == "/order"
        assert len(reader.asked) == most
    needed = (await client.post("/v1/extract", json=order(max_cost_usd="0.000001"))).json()["worst_case_usd"]
    reader.asked.clear()
    answer = await client.post("/v1/extract", json=order(max_cost_usd=needed))
    assert answer.json()["code"] == "record_invalid"
    spent = [
        row for row in await attempts_of(client) if row["extraction_id"] == answer.json()["extraction_id"]
    ]
    assert 1 <= len(spent) < 4
    assert sum(row["cost_nano_usd"] for row in spent) <= float(needed) * 1e9


async def test_a_repair_asks_for_the_failing_part_only(ordered: tuple[httpx2.AsyncClient, Scripted]) -> None:
    """The question names the part and what is wrong, after the document; the answer replaces nothing else."""
    client, reader = ordered
    result = (await client.post("/v1/extract", json=order())).json()
    assert kinds(result) == [("first", "invalid"), ("repair", "accepted")]
    _, question = reader.asked
    assert question.index("</document>") < question.index("<check>")
    assert "order is the record's /order" in question
    assert "total is the record's" not in question


async def test_an_unsupported_value_never_replaces_a_supported_one(
    ordered: tuple[httpx2.AsyncClient, Scripted], tmp_path: Path
) -> None:
    """What stands in the document stays, whatever a repair says."""
    from service.documents import Document, Page
    from service.extraction.evidence import Index, Outline, locate
    from service.extraction.looking import lost, restored

    index = Index.of(Document("sha256:0", "text/plain", None, len(TEXT), (Page(1, TEXT),)))
    before, after = {"order": "A-4711", "total": 7}, {"order": "B-9983", "total": 1280.5}
    outline = Outline(ORDER)
    old, new = (locate(index, one, outline) for one in (before, after))
    assert restored(before, after, lost(old, new)) == {"order": "A-4711", "total": 1280.5}


def finding(**more: Any) -> Finding:
    return Finding("/a", "sum", "is not the sum", **more)


BAD = Standing(errors=(finding(),))
LISTED = Standing(errors=(finding(columns=("/l/*/n",)),))
SUSPECT = replace(LISTED, suspects=("/l/0/n",))
DOUBTFUL = Standing(doubts=(finding(),))
DECISIONS: list[tuple[str, Standing | None, list[Asked], int, bool, Next]] = [
    ("nothing wrong", Standing(), [], 3, True, Accept()),
    ("not readable", None, [], 3, True, Again("repair", "whole")),
    ("again not readable", None, [Asked("repair", "whole", usable=False)], 2, True, Again("escalation", "whole")),
    ("never readable", None, [Asked("repair", "whole", usable=False)] * 2, 2, True, Stop()),
    ("no stronger model", None, [Asked("repair", "whole", usable=False)], 2, False, Stop()),
    ("wrong", BAD, [], 3, True, Again("repair", "rows")),
    ("wrong lists", LISTED, [], 3, True, Again("repair", "columns")),
    ("rows do not fit", replace(LISTED, errors=(), doubts=LISTED.errors), [Asked("repair", "columns", usable=False)], 2, True, Again("repair", "rows")),
    ("a value of it is not printed", SUSPECT, [], 3, True, Again("repair", "suspects")),
    ("it was not that", SUSPECT, [Asked("repair", "suspects")], 2, True, Again("repair", "columns")),
    ("a warning that was not that", replace(SUSPECT, errors=(), doubts=SUSPECT.errors), [Asked("repair", "suspects")], 2, True, Again("repair", "columns")),
    ("rows missing", LISTED, [Asked("repair", "columns")], 2, True, Again("repair", "rows")),
    ("last try", LISTED, [Asked("repair", "columns")], 1, True, Again("escalation", "rows")),
    ("still wrong", BAD, [Asked("repair", "rows")], 2, True, Again("escalation", "rows")),
    ("even so", BAD, [Asked("repair", "rows"), Asked("escalation", "rows")], 1, True, Again("escalation", "whole")),
    ("no try left", BAD, [Asked("repair", "rows")], 0, True, Stop()),
    ("whole without escalation", BAD, [Asked("repair", "rows")], 2, False, Again("repair", "whole")),
    ("all in vain", BAD, [Asked("repair", "rows"), Asked("repair", "whole")], 2, False, Stop()),
    ("doubtful", DOUBTFUL, [], 3, True, Again("repair", "rows")),
    ("doubtful, no try left", DOUBTFUL, [], 0, True, Accept()),
    ("doubtful still", DOUBTFUL, [Asked("repair", "rows")], 2, True, Accept()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("best", "asked", "left", "stronger", "step"), [case[1:] for case in DECISIONS], ids=[case[0] for case in DECISIONS]
)  # fmt: skip
def test_decisions(best: Standing | None, asked: list[Asked], left: int, stronger: bool, step: Next) -> None:
    """Accept, ask again for what is wrong, ask the stronger model, or stop."""
    assert decide(best, asked, left=left, stronger=stronger) == step


def test_fragments() -> None:
    """A value, an item of a list, a member of every item; a schema that depends on its whole is not cut."""
    fragment = cut(SCHEMA, GOLD, ["/total", "/lines/1/unit"], [])
    assert fragment is not None
    assert fragment.key == ("/total", "/lines/1/unit")
    assert fragment.current(GOLD) == {"total": GOLD["total"], "lines_1_unit": GOLD["lines"][1]["unit"]}
    assert fragment.around(GOLD) == {"/lines/1": GOLD["lines"][1]}
    changed = fragment.graft(GOLD, {"total": 5, "lines_1_unit": "box"})
    assert (changed["total"], changed["lines"][1]["unit"], changed["lines"][0]) == (
        5,
        "box",
        GOLD["lines"][0],
    )
    item = cut(SCHEMA, GOLD, [f"/lines/1/{name}" for name in ("quantity", "unit_price", "amount")], [])
    assert item is not None
    assert item.key == ("/lines/1",)
    assert item.current(GOLD) == {"lines_1": GOLD["lines"][1]}
    column = cut(SCHEMA, GOLD, ["/subtotal"], [parse("/lines/*/amount")])
    assert column is not None
    assert column.current(GOLD)["lines_amount"] == [line["amount"] for line in GOLD["lines"]]
    assert column.graft(GOLD, {"subtotal": 1, "lines_amount": [1, 2]}) is None
    lines = column.graft(GOLD, {"subtotal": 1, "lines_amount": [1, 2, 3, 4]})["lines"]
    assert [line["amount"] for line in lines] == [1, 2, 3, 4]
    assert cut(SCHEMA, GOLD, [""], []) is None
    assert cut(SCHEMA, GOLD, ["/lines", "/seller", "/buyer"], []) is None
    tree = {"type": "object", "properties": {"n": {"type": "number"}, "child": {"$ref": "#"}}}
    assert cut(tree, {"n": 1, "child": {"n": 2}, "x": "y" * 50}, ["/child"], []) is None
