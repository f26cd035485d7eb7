"""Long documents over HTTP, read by a perfect reader behind the sandbox's protocol, and by the sandbox's own."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from conftest import SHARED, running, serving, settings_for

from service.documents import Loader
from service.documents.settings import Settings
from service.sandbox import create_app
from service.sandbox.errors import ProviderError
from tests.extraction.long import made
from tests.extraction.long.made import Made
from tests.extraction.long.measure import compare
from tests.extraction.long.perfect import Gold, PerfectReader

pytestmark = pytest.mark.no_cover  # whole documents over HTTP: counting lines would triple their time

DOCUMENTS = SHARED / "documents"
Opened = Callable[..., AbstractAsyncContextManager[httpx2.AsyncClient]]


@contextmanager
def provider(reader: PerfectReader) -> Iterator[str]:
    config = uvicorn.Config(
        create_app(reader=reader),
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=1,
    )
    with serving(config) as url:
        yield f"{url}/v1"


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """A service that asks a reader."""

    @asynccontextmanager
    async def open_one(reader: PerfectReader, **extraction: Any) -> AsyncIterator[httpx2.AsyncClient]:
        with provider(reader) as url:
            settings = settings_for(url, f"sqlite:///{tmp_path}/w.db", extraction=extraction)
            async with running(settings) as client:
                yield client

    return open_one


async def golden(one: Made, data: bytes, media_type: str) -> Gold:
    loader = Loader(Settings())
    await loader.open()
    try:
        document = await loader.load(data, declared=media_type, name=None)
    finally:
        await loader.close()
    return Gold(document.text, one.leaves)


async def send(
    client: httpx2.AsyncClient,
    one: Made,
    data: bytes,
    media_type: str,
    *,
    accept: str = "application/json",
    **options: Any,
) -> httpx2.Response:
    return await client.post(
        "/v1/extract",
        files={"file": ("long", data, media_type)},
        data={"schema": json.dumps(one.schema), "options": json.dumps(options)},
        headers={"accept": accept},
        timeout=120,
    )


def events(text: str) -> list[tuple[str, Any]]:
    found = []
    for frame in text.split("\n\n"):
        lines = frame.split("\n")
        if lines[0].startswith("event: "):
            found.append((lines[0][7:], json.loads(lines[1][6:])))
    return found


async def test_a_long_statement_is_read_in_parts_and_loses_nothing(opened: Opened) -> None:
    """Every row, once, in order; the parts stand in the result and in the estimate; what they cost is the sum."""
    one = made.statement(1, 30)
    data = one.pdf()
    gold = await golden(one, data, "application/pdf")
    reader = PerfectReader(gold)
    async with opened(reader) as client:
        answer = await send(client, one, data, "application/pdf", store=True)
        body = answer.json()
        assert answer.status_code == 200, body
        assert body["status"] == "succeeded"
        assert body["data"] == gold.record()
        parts = body["parts"]
        assert len(parts) > 5
        assert (parts[0]["first_page"], parts[-1]["last_page"]) == (1, 30)
        assert len(reader.asked) == len(parts) == len(body["provenance"]["attempts"])
        assert body["provenance"]["prompt"].endswith("parts1")
        again = await client.get(f"/v1/extractions/{body['id']}")
        assert again.json() == body


async def test_cut_answers_and_failures_lose_nothing(opened: Opened) -> None:
    """A part whose answer is cut is split and read again; one that fails is asked again: the record is the same."""
    one = made.orders(2, 30)
    data = one.pdf()
    gold = await golden(one, data, "application/pdf")
    fault = ProviderError(500, "The server had an error.", type="server_error")
    reader = PerfectReader(gold, swell=0.2, fail=0.2, error=lambda: fault)
    async with opened(reader, part_rows=40) as client:
        answer = await send(client, one, data, "application/pdf")
    body = answer.json()
    assert answer.status_code == 200, body
    outcomes = {attempt["outcome"] for attempt in body["provenance"]["attempts"]}
    assert outcomes > {"accepted", "truncated"}
    assert compare(body["data"], gold.record()).f1 == 1.0
    assert body["data"] == gold.record()


async def test_one_call_whose_answer_is_cut_goes_on_in_parts(opened: Opened) -> None:
    """A document that was taken for short is split when its answer is longer than one call may be."""
    one = made.statement(0, 2)
    data = one.text.encode()
    gold = await golden(one, data, "text/plain")
    async with opened(PerfectReader(gold), min_output_tokens=2000, output_per_input=0.01) as client:
        answer = await send(client, one, data, "text/plain")
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["provenance"]["attempts"][0]["outcome"] == "truncated"
    assert body["data"] == gold.record()


async def test_rows_that_a_reader_drops_are_a_422_or_a_partial_record(opened: Opened) -> None:
    """What does not add up is named with its pages; with ``allow_partial`` the record comes with it.

    This reader drops the same rows however often it is asked.
    """
    one = made.statement(1, 12)
    data = one.pdf()
    gold = await golden(one, data, "application/pdf")
    dropped = frozenset(gold.rows()[20:400:33])
    async with opened(PerfectReader(gold, drop=dropped)) as client:
        refused = await send(client, one, data, "application/pdf")
        assert refused.status_code == 422
        assert refused.json()["code"] == "record_incomplete"
        assert refused.json()["errors"][0]["pointer"] == "/transactions"
        answer = await send(client, one, data, "application/pdf", allow_partial=True, store=True)
        body = answer.json()
        assert answer.status_code == 200
        assert body["status"] == "partial"
        rules = {finding["rule"] for finding in body["findings"]}
        assert rules >= {"completeness.rows", "completeness.balance"}
        assert len(body["data"]["transactions"]) == len(gold.record()["transactions"]) - len(dropped)
        listed = await client.get("/v1/extractions")
        assert listed.json()["extractions"][0]["status"] == "partial"


async def test_progress_tells_parts_rows_and_cost(opened: Opened) -> None:
    """A stream says how many parts there are, then what is done, how many rows there are and what they cost; then the record."""
    one = made.sheet(1, 600)
    data = one.csv()
    gold = await golden(one, data, "text/csv")
    async with opened(PerfectReader(gold)) as client:
        answer = await send(client, one, data, "text/csv", accept="text/event-stream")
    heard = events(answer.text)
    asking = next(body for name, body in heard if body.get("stage") == "asking")
    parts = [body for name, body in heard if body.get("stage") == "part"]
    assert asking["parts"] == len(parts) > 3
    assert [body["parts_done"] for body in parts] == list(range(1, len(parts) + 1))
    assert parts[-1]["rows"] == 600
    assert float(parts[-1]["cost_usd"]) > 0
    name, body = heard[-1]
    assert name == "record"
    assert (len(body["data"]["items"]), compare(body["data"], gold.record()).f1) == (600, 1.0)


async def test_the_worst_case_of_all_parts_is_known_before_the_first_call(opened: Opened) -> None:
    """A cap below the worst case of all parts is a 402, and nobody is asked; the estimate says the sum."""
    one = made.statement(2, 30)
    data = one.pdf()
    gold = await golden(one, data, "application/pdf")
    reader = PerfectReader(gold)
    async with opened(reader) as client:
        answer = await send(client, one, data, "application/pdf", max_cost_usd="0.05")
        assert answer.status_code == 402
        assert float(answer.json()["worst_case_usd"]) > 0.05
        assert reader.asked == []


async def test_a_document_larger_than_the_context_is_read_in_parts(opened: Opened) -> None:
    """A model with a small window reads a document that is larger than it."""
    one = made.interleaved(3, 120)
    data = one.text.encode()
    gold = await golden(one, data, "text/plain")
    reader = PerfectReader(gold)
    async with opened(
        reader, model="gpt-4o-mini", part_tokens=1_000_000, part_rows=100_000, part_pages=1000
    ) as client:
        answer = await send(client, one, data, "text/plain", deadline_s=110)
    assert answer.status_code == 200, answer.json()
    assert answer.json()["data"] == gold.record()


async def test_the_estimate_says_the_parts(client: httpx2.AsyncClient) -> None:
    """An estimate lists the parts that the extraction would read, a call for each."""
    one = made.statement(1, 30)
    answer = await client.post(
        "/v1/estimate/bank_statement", content=one.text.encode(), headers={"content-type": "text/plain"}
    )
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["calls"] == len(body["parts"]) > 5
    assert body["parts"][0] == {"first_page": 1, "last_page": body["parts"][0]["last_page"], "read": True}


def corpus_row(id: str) -> dict[str, Any]:
    lines = (DOCUMENTS / "manifest.jsonl").read_text("utf-8").splitlines()
    found: dict[str, Any] = next(row for row in map(json.loads, lines) if row["id"] == id)
    return found


@pytest.mark.corpus
@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the documents are not beside this checkout")
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
@pytest.mark.parametrize(
    ("id", "least"), [("xb-mmm-credit-agreement-2019-11-15", 0.0), ("statement-syn-5002", 0.95)]
)
async def test_real_long_documents_run_with_the_sandbox(
    client: httpx2.AsyncClient, id: str, least: float, accept: str
) -> None:
    """An agreement of 112 pages and a statement of 400 rows, sync and streamed, end in a record made of parts."""
    row = corpus_row(id)
    answer = await client.post(
        "/v1/extract",
        files={"file": (Path(row["file"]).name, (DOCUMENTS / row["file"]).read_bytes(), row["media_type"])},
        data={"schema": (DOCUMENTS / row["schema"]).read_text("utf-8")},
        headers={"accept": accept},
        timeout=120,
    )
    body = answer.json() if accept == "application/json" else events(answer.text)[-1][1]
    assert body.get("status") == "succeeded", body
    assert len(body["parts"]) > 1
    assert compare(body["data"], row["expected"]).f1 >= least
