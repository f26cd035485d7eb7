"""What a finished record says of itself over HTTP: evidence for its values, and the rules that it breaks."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
from conftest import running, settings_for

from service.extraction.judge import decoded
from service.extraction.plan import prepare_quoted
from service.extraction.said import Said
from service.registry import SchemaName, SchemaVersion
from service.upstream import Text
from tests.extraction.test_repair import service

ORDER = {
    "type": "object",
    "properties": {
        "order": {"type": "string"},
        "total": {"type": "number"},
        "note": {"type": ["string", "null"]},
    },
    "required": ["order", "total", "note"],
}
TEXT = "Order: A-4711\nTotal: 1.280,50 EUR\n"


@pytest.fixture
async def ruled(sandbox: str, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """A service with a schema of its own: the IBAN must check, the total should be at least one."""
    folder = tmp_path / "schemas" / "payment"
    folder.mkdir(parents=True)
    properties = {"iban": {"type": ["string", "null"]}, "reference": {"type": ["string", "null"]}}
    schema = {"type": "object", "properties": properties, "required": ["iban", "reference"]}
    (folder / "schema.json").write_text(json.dumps(schema))
    rules = [
        {"rule": "checksum", "of": "/iban", "kind": "iban"},
        {"rule": "pattern", "of": "/reference", "pattern": "^RF", "severity": "warning"},
    ]
    (folder / "rules.json").write_text(json.dumps(rules))
    settings = settings_for(sandbox, f"sqlite:///{tmp_path}/w.db")
    settings.schemas.folders.append(folder.parent)
    async with running(settings) as client:
        yield client


async def pay(client: httpx2.AsyncClient, text: str, **options: Any) -> httpx2.Response:
    body = {"input": {"text": text}, "options": options}
    return await client.post("/v1/extract/payment", json=body)


GOOD = "IBAN: DE89 3704 0044 0532 0130 00\nReference: RF18 5390\n"
BAD = "IBAN: DE89 3704 0044 0532 0130 01\nReference: 5390\n"


async def test_values_come_with_their_places(client: httpx2.AsyncClient) -> None:
    """With `evidence: locations` every leaf says where it stands, and the schema of the answer holds."""
    body = {"schema": ORDER, "input": {"text": TEXT}, "options": {"evidence": "locations", "store": True}}
    answer = (await client.post("/v1/extract", json=body)).json()
    evidence = answer["evidence"]
    assert set(evidence) == {"/order", "/total", "/note"}
    total = evidence["/total"]
    start, end = total["span"]
    assert (total["status"], total["page"], TEXT[start:end]) == ("found", 1, total["quote"])
    assert "1.280,50" in total["quote"]
    assert 0.6 < total["confidence"] <= 1
    assert 0.5 < total["probability"] <= 1
    assert evidence["/note"]["status"] == "absent"
    assert answer["provenance"]["evidence"] == {
        "mode": "locations",
        "calibrated": False,
        "logprobs": True,
    }
    stored = (await client.get(f"/v1/extractions/{answer['id']}")).json()
    assert stored["evidence"] == evidence


async def test_confidence_takes_the_models_own_certainty_in(client: httpx2.AsyncClient) -> None:
    """Support times certainty: what a model gives of its tokens lowers confidence; models that give none do not."""
    body = {"schema": ORDER, "input": {"text": TEXT}, "options": {"evidence": "locations"}}
    sure = (await client.post("/v1/extract", json=body)).json()["evidence"]
    for one in sure.values():
        support = {"found": 0.6 + 0.39 * one.get("score", 0), "absent": 0.75}[one["status"]]
        assert one["confidence"] == pytest.approx(support * (0.4 + 0.6 * one.get("probability", 1)), abs=0.01)
    assert "probability" not in sure["/note"]  # null has no tokens of its own
    body["options"] = {"evidence": "locations", "model": "gpt-5.4-mini"}
    other = (await client.post("/v1/extract", json=body)).json()
    assert other["provenance"]["evidence"]["logprobs"] is False
    assert "probability" not in other["evidence"]["/total"]
    assert other["evidence"]["/total"]["confidence"] > sure["/total"]["confidence"]


async def test_a_stream_has_the_same_certainty(client: httpx2.AsyncClient) -> None:
    """Log-probabilities come with the last event of the provider's stream too."""
    body = {"schema": ORDER, "input": {"text": TEXT}, "options": {"evidence": "locations"}}
    whole = (await client.post("/v1/extract", json=body)).json()["evidence"]
    heard = await client.post("/v1/extract", json=body, headers={"accept": "text/event-stream"})
    record = json.loads(heard.text.partition("event: record\ndata: ")[2].partition("\n")[0])
    assert record["evidence"] == whole


def test_a_record_without_quotes_is_one_all_the_same() -> None:
    """A server that does not hold its answers to the schema may leave the quotes out."""
    form = prepare_quoted(SchemaVersion(SchemaName("order"), 1, ORDER)).form
    answer = '{"record": {"order": "A-1", "total": 1, "note": null}}'
    assert decoded(answer, form) == {"order": "A-1", "total": 1, "note": None}
    assert Said.of(Text(answer), form) == Said()
    assert Said.of(Text(answer[:-1] + ', "quotes": [7]}'), form) == Said()


async def test_the_model_is_asked_for_quotes(sandbox: str, tmp_path: Path) -> None:
    """With `evidence: quotes` quotes come beside the record, cost tokens, and are never taken for proof."""
    schema = {
        **ORDER,
        "properties": {
            **ORDER["properties"],
            "tags": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    }
    async with running(settings_for(sandbox, f"sqlite:///{tmp_path}/w.db")) as client:
        plain, quoted = [
            (
                await client.post(
                    "/v1/extract",
                    json={"schema": schema, "input": {"text": TEXT}, "options": {"evidence": mode}},
                )
            ).json()
            for mode in ("locations", "quotes")
        ]
        assert quoted["data"] == plain["data"]
        assert quoted["provenance"]["evidence"]["mode"] == "quotes"
        assert quoted["usage"]["output_tokens"] > plain["usage"]["output_tokens"]
        assert quoted["evidence"]["/total"] == {
            **plain["evidence"]["/total"],
            "probability": quoted["evidence"]["/total"]["probability"],
            "confidence": quoted["evidence"]["/total"]["confidence"],
        }
        low, more = [
            (
                await client.post(
                    "/v1/estimate/invoice", json={"input": {"text": TEXT}, "options": {"evidence": mode}}
                )
            ).json()
            for mode in ("locations", "quotes")
        ]
        assert float(more["low_usd"]) > float(low["low_usd"])


class Quoting:
    """Reads nothing: it says what it is told to, in the form that asks for quotes."""

    body: Any = None

    def read(self, text: str, images: Sequence[bytes], schema: Mapping[str, Any]) -> Any:
        assert set(schema["properties"]) == {"record", "quotes"}
        record = {"order": "A-4711", "total": 1280.5, "note": None}
        quotes = [
            {"pointer": "/order", "quote": "Order A-4711"},
            {"pointer": "/total", "quote": "Total 99,00"},
            {"pointer": "/note", "quote": "nothing"},
            {"pointer": "/elsewhere", "quote": "x"},
        ]
        return {"record": record, "quotes": quotes}


async def test_quotes_of_a_picture_are_shown_as_what_the_model_says(tmp_path: Path) -> None:
    """Nobody can look words up in a picture: a quote that says the value is told from one that does not."""
    from PIL import Image

    Image.new("RGB", (80, 40), "white").save(tmp_path / "scan.png")
    async with service(tmp_path, Quoting()) as client:
        answer = await client.post(
            "/v1/extract",
            files={"file": ("scan.png", (tmp_path / "scan.png").read_bytes(), "image/png")},
            data={"schema": json.dumps(ORDER), "options": json.dumps({"evidence": "quotes"})},
        )
    evidence = answer.json()["evidence"]
    order, total = evidence["/order"], evidence["/total"]
    assert (order["status"], order["reason"], order["quote"], order["page"]) == (
        "ambiguous",
        "quoted",
        "Order A-4711",
        1,
    )
    assert (total["status"], total["reason"], total["quote"]) == ("not_found", "no_text", "Total 99,00")
    assert order["confidence"] > total["confidence"]
    assert evidence["/note"]["status"] == "absent"
    assert "/elsewhere" not in evidence


async def test_a_schema_may_leave_no_room_for_quotes(client: httpx2.AsyncClient) -> None:
    """A form that is as deep as the provider takes cannot be wrapped: 400, nothing is sent."""
    schema: dict[str, Any] = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}
    for _ in range(9):
        schema = {"type": "object", "properties": {"x": schema}, "required": ["x"]}
    body = {"schema": schema, "input": {"text": TEXT}}
    assert (await client.post("/v1/extract", json=body)).status_code == 200
    refused = await client.post("/v1/extract", json={**body, "options": {"evidence": "quotes"}})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/options/evidence")


async def test_without_the_option_there_is_no_evidence(client: httpx2.AsyncClient) -> None:
    """Nobody pays for what was not asked for."""
    answer = (await client.post("/v1/extract", json={"schema": ORDER, "input": {"text": TEXT}})).json()
    assert "evidence" not in answer
    assert "evidence" not in answer["provenance"]


async def test_a_record_that_keeps_its_rules(ruled: httpx2.AsyncClient) -> None:
    """Nothing is found where nothing is wrong."""
    answer = (await pay(ruled, GOOD)).json()
    assert (answer["status"], answer["findings"]) == ("succeeded", [])


async def test_a_broken_rule_is_a_problem_that_names_its_place(ruled: httpx2.AsyncClient) -> None:
    """A rule of severity error makes a 422; the attempt is on record as invalid."""
    answer = await pay(ruled, BAD)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["retryable"]) == (422, "rules_broken", False)
    assert [fault["pointer"] for fault in problem["errors"]] == ["/iban"]
    assert "DE89" not in answer.text


async def test_a_broken_rule_is_a_finding_of_a_partial_record(ruled: httpx2.AsyncClient) -> None:
    """With `allow_partial` the record comes with what it breaks, and its confidence is lowered there."""
    answer = (await pay(ruled, BAD, allow_partial=True, evidence="locations")).json()
    assert answer["status"] == "partial"
    found = {(one["pointer"], one["rule"], one["severity"]) for one in answer["findings"]}
    assert found == {("/iban", "checksum", "error"), ("/reference", "pattern", "warning")}
    assert answer["evidence"]["/iban"]["status"] == "found"
    assert answer["evidence"]["/iban"]["confidence"] < answer["evidence"]["/reference"]["confidence"] < 0.9
