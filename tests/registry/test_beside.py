"""What a version holds beside its schema: examples, model policy, evidence, from HTTP and from folders."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.registry import BrokenFolder
from service.registry.folder import read

ORDER = {
    "type": "object",
    "description": "An order.",
    "properties": {"order": {"type": "string", "description": "Its number.", "pattern": "^A-"}},
    "required": ["order"],
}
EXAMPLE = {"document": "Order: A-1", "record": {"order": "A-1"}}


async def test_examples_are_checked_and_shown(client: httpx2.AsyncClient) -> None:
    """A record that the schema refuses is named at its place; a right one is kept with the version."""
    wrong = {"document": "Order: 7", "record": {"order": "7"}}
    body = {"schema": ORDER, "examples": [EXAMPLE, wrong]}
    answer = await client.post("/v1/schemas/parcel/versions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "schema_rejected")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/examples/1/record/order"]
    body["examples"] = [EXAMPLE]
    assert (await client.post("/v1/schemas/parcel/versions", json=body)).status_code == 201
    shown = (await client.get("/v1/schemas/parcel")).json()
    assert (shown["examples"], shown["rules"], shown["policy"]["model"]) == ([EXAMPLE], [], None)


@pytest.mark.parametrize(
    ("examples", "pointer"),
    [
        ([{"document": "", "record": {}}], "/body/examples/0/document"),
        ([{"document": "x" * 50_001, "record": {}}], "/body/examples/0/document"),
        ([{"document": "x"}], "/body/examples/0/record"),
        ([EXAMPLE] * 21, "/body/examples"),
    ],
)
async def test_examples_have_a_form(
    client: httpx2.AsyncClient, examples: list[dict[str, Any]], pointer: str
) -> None:
    """Empty, overlong, half and too many examples are a 400 that names the place."""
    answer = await client.post("/v1/schemas/parcel/versions", json={"schema": ORDER, "examples": examples})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


async def test_what_stands_beside_is_behaviour(client: httpx2.AsyncClient) -> None:
    """Instructions, rules, examples, policy and evidence are told apart in a diff, and never break anybody."""
    await client.post("/v1/schemas/parcel/versions", json={"schema": ORDER, "examples": [EXAMPLE]})
    other = {"document": "Order: A-2", "record": {"order": "A-2"}}
    body = {
        "schema": ORDER,
        "instructions": "Numbers begin with A.",
        "rules": [{"rule": "pattern", "of": "/order", "pattern": "^A-[0-9]+$"}],
        "examples": [EXAMPLE, other],
        "policy": {"model": "gpt-4o", "pages": "1-2"},
        "evidence": "locations",
    }
    answer = await client.post("/v1/schemas/parcel/versions", json=body)
    assert answer.status_code == 201
    found = (await client.get("/v1/schemas/parcel/versions/2/diff?against=1")).json()
    assert found["compatible"] is True
    assert {(one["pointer"], one["kind"]) for one in found["differences"]} == {
        ("/instructions", "INSTRUCTIONS_CHANGED"),
        ("/rules/0", "RULES_CHANGED"),
        ("/examples/1", "SHOWN_EXAMPLES_CHANGED"),
        ("/policy/model", "MODEL_POLICY_CHANGED"),
        ("/policy/pages", "MODEL_POLICY_CHANGED"),
        ("/evidence", "EVIDENCE_CHANGED"),
    }


async def test_the_policy_counts_where_a_request_does_not_say(client: httpx2.AsyncClient) -> None:
    """Model, pages and evidence of the version are used; the request's own go before them."""
    body = {
        "schema": ORDER,
        "policy": {"model": "gpt-4o", "pages": "2", "max_attempts": 1, "policy": "text"},
        "evidence": "locations",
    }
    assert (await client.post("/v1/schemas/parcel/versions", json=body)).status_code == 201
    sent = {"inputs": [{"text": "Order: A-1"}, {"text": "Order: A-2"}]}
    record = (await client.post("/v1/extract/parcel", json=sent)).json()
    assert (record["data"], record["provenance"]["model"]) == ({"order": "A-2"}, "gpt-4o-2024-08-06")
    assert "/order" in record["evidence"]
    sent["options"] = {"pages": "1", "model": "gpt-4.1-mini", "evidence": "off"}
    record = (await client.post("/v1/extract/parcel", json=sent)).json()
    assert (record["data"], record["provenance"]["model"]) == ({"order": "A-1"}, "gpt-4.1-mini-2025-04-14")
    assert "evidence" not in record
    sent["options"] = {"pages": "1", "policy": "image"}
    answer = await client.post("/v1/extract/parcel", json=sent)
    assert answer.json()["errors"][0]["pointer"] == "/options/policy"


@pytest.mark.parametrize(
    ("pages", "status"), [("1-3,7", 201), ("2-", 201), ("0", 422), ("3-1", 422), ("x", 400)]
)
async def test_pages_that_nobody_has(client: httpx2.AsyncClient, pages: str, status: int) -> None:
    """What every request would be refused for is refused once, at its place."""
    body = {"schema": ORDER, "policy": {"pages": pages}}
    answer = await client.post("/v1/schemas/parcel/versions", json=body)
    assert answer.status_code == status
    if status == 422:
        assert answer.json()["errors"][0]["pointer"] == "/policy/pages"


def test_folders_hold_all_of_it(tmp_path: Path) -> None:
    """Examples are pairs of files in the order of their names; what is half, wrong or unknown is named."""
    place = tmp_path / "order"
    (place / "examples").mkdir(parents=True)
    (place / "schema.json").write_text(json.dumps(ORDER))
    for name, number in (("b", "A-2"), ("a", "A-1")):
        (place / "examples" / f"{name}.txt").write_text(f"Order: {number}")
        (place / "examples" / f"{name}.json").write_text(json.dumps({"order": number}))
    (place / "options.json").write_text('{"policy": {"model": "gpt-4o"}, "evidence": "locations"}')
    (version,) = read(tmp_path)
    assert [(one.document, one.record) for one in version.examples] == [
        ("Order: A-1", {"order": "A-1"}),
        ("Order: A-2", {"order": "A-2"}),
    ]
    assert (version.policy.model, version.evidence) == ("gpt-4o", "locations")

    (place / "examples" / "b.json").write_text('{"order": "B-2"}')
    with pytest.raises(BrokenFolder, match="/examples/1/record/order"):
        list(read(tmp_path))
    (place / "examples" / "b.json").unlink()
    with pytest.raises(BrokenFolder, match=r"b\.txt: its record is missing"):
        list(read(tmp_path))
    (place / "examples" / "b.txt").unlink()
    (place / "options.json").write_text('{"policy": {"modell": "gpt-4o"}}')
    with pytest.raises(BrokenFolder, match="/policy/modell"):
        list(read(tmp_path))
    (place / "options.json").write_text('{"labels": {}}')
    with pytest.raises(BrokenFolder, match=r"options\.json"):
        list(read(tmp_path))


@pytest.mark.parametrize("field", ["model", "escalate_to"])
async def test_models_that_nobody_has(client: httpx2.AsyncClient, field: str) -> None:
    """A name that a request could not give is refused at its place, with the nearest; a draft is told the same."""
    body = {"schema": ORDER, "policy": {field: "gpt-4.1-mnii"}}
    answer = await client.post("/v1/schemas/parcel/versions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "schema_rejected")
    (fault,) = answer.json()["errors"]
    assert fault["pointer"] == f"/policy/{field}"
    assert "gpt-4.1-mini" in fault["detail"]
    check = (await client.put("/v1/schemas/parcel/draft", json=body)).json()["check"]
    assert [one["pointer"] for one in check["faults"]] == [f"/policy/{field}"]
    assert not check["publishable"]
    sent = {"input": {"text": "Order: A-1"}, "schema": ORDER, "options": {"model": "gpt-4.1-mnii"}}
    assert (await client.post("/v1/extract", json=sent)).json()["detail"] == fault["detail"]


@pytest.mark.parametrize(
    ("model", "rule"),
    [("gpt-4.1-nano", "retired_model"), ("gpt-4o", "retiring_model"), ("gpt-6-luna", None)],
)
async def test_models_that_stop(client: httpx2.AsyncClient, model: str, rule: str | None) -> None:
    """What was or is soon switched off is remarked on, with what follows it, and can be published all the same."""
    body = {"schema": ORDER, "policy": {"model": model}}
    check = (await client.post("/v1/schemas/parcel/check", json=body)).json()
    found = [one for one in check["lints"] if one["pointer"] == "/policy/model"]
    assert [one["rule"] for one in found] == ([] if rule is None else [rule])
    assert check["publishable"]
    assert (await client.post("/v1/schemas/parcel/versions", json=body)).status_code == 201
