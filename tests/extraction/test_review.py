"""What a finished record says of itself over HTTP: evidence for its values, and the rules that it breaks."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from conftest import running, settings_for

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
    assert 0.9 < total["confidence"] <= 1
    assert evidence["/note"]["status"] == "absent"
    assert answer["provenance"]["evidence"] == {"mode": "locations", "calibrated": False}
    stored = (await client.get(f"/v1/extractions/{answer['id']}")).json()
    assert stored["evidence"] == evidence


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
