"""Publishing over HTTP: what is checked, what is refused, who may read what, on both databases and by many at once."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from conftest import running, settings_for

from tests.registry.parcels import NOTE, TEXT, V1, V2, record

DOCUMENT = "Order: A-4711\nNote: leave at the door\n"


async def publish(client: httpx2.AsyncClient, schema: Any, **more: Any) -> httpx2.Response:
    return await client.post("/v1/schemas/parcel/versions", json={"schema": schema, **more})


async def test_an_upgrade_story(service: httpx2.AsyncClient) -> None:
    """v2 adds a nullable field; records of v2 are read as v1 and stored ones as either; a breaking v3 is refused."""
    first = await publish(service, V1)
    assert (first.status_code, first.json()["version"]) == (201, 1)
    assert (await publish(service, V2)).json()["version"] == 2
    again = await publish(service, V2)
    assert (again.status_code, again.json()["version"]) == (200, 2)

    sent = {"input": {"text": DOCUMENT}, "options": {"store": True, "evidence": "locations"}}
    new = (await service.post("/v1/extract/parcel", json=sent)).json()
    assert new["data"] == {"order": "A-4711", "note": "leave at the door"}
    sent["options"]["as_version"] = 1
    old = (await service.post("/v1/extract/parcel", json=sent)).json()
    assert old["data"] == {"order": "A-4711"}
    assert (old["schema"]["version"], old["schema"]["as_version"], list(old["evidence"])) == (
        2,
        1,
        ["/order"],
    )
    stored = (await service.get(f"/v1/extractions/{old['id']}")).json()
    assert stored["data"] == new["data"]
    stored = (await service.get(f"/v1/extractions/{old['id']}?as_version=1")).json()
    assert stored["data"] == {"order": "A-4711"}
    await service.put("/v1/schemas/parcel/aliases/first", json={"version": 1})
    for reader, order in (("first", ["order"]), ("1", ["order"]), ("latest", ["order", "note"])):
        sent["options"]["as_version"] = reader
        for answer in (
            await service.post("/v1/extract/parcel", json=sent),
            await service.get(f"/v1/extractions/{old['id']}?as_version={reader}"),
        ):
            assert list(answer.json()["data"]) == order
            assert answer.json()["schema"]["as_version"] == len(order)
    sent["options"]["as_version"] = "nobody"
    assert (await service.post("/v1/extract/parcel", json=sent)).json()["code"] == "schema_not_found"
    sent["options"]["as_version"] = True
    refused = (await service.post("/v1/extract/parcel", json=sent)).json()
    assert (refused["status"], refused["errors"][0]["pointer"]) == (400, "/options/as_version")

    refused = await publish(service, record(order={"type": "integer", "description": "Its number."}))
    problem = refused.json()
    assert (refused.status_code, problem["code"], problem["retryable"]) == (409, "schema_incompatible", False)
    difference = problem["differences"][0]
    assert difference["pointer"] == "/properties/order/type"
    assert difference["witness"]["order"] == str(difference["witness"]["order"])
    assert (await service.get("/v1/schemas/parcel/versions")).json()["aliases"] == {"first": 1, "latest": 2}


async def test_breaking_on_purpose_moves_nobody(service: httpx2.AsyncClient) -> None:
    """With a reason it is published, marked and held: latest and aliases stay, and it is extracted with by number."""
    await publish(service, V1)
    assert (await publish(service, record(order=NOTE), allow_breaking=True)).status_code == 400
    held = (
        await publish(service, record(order=NOTE), allow_breaking=True, reason="agreed with billing")
    ).json()
    assert (held["version"], held["held"], held["reason"]) == (2, True, "agreed with billing")
    assert (await service.get("/v1/schemas/parcel")).json()["version"] == 1
    answer = await service.post("/v1/extract/parcel@2", json={"input": {"text": DOCUMENT}})
    assert answer.json()["schema"]["version"] == 2


async def test_everything_that_is_wrong_is_listed_at_once(service: httpx2.AsyncClient) -> None:
    """Rules and references that do not fit, each at its place; nothing is published."""
    schema = record(order=TEXT, other={"$ref": "schema://nothing/1"})
    answer = await publish(service, schema)
    assert answer.status_code == 422
    assert answer.json()["code"] == "schema_rejected"
    assert "/schema/properties/other/$ref" in [fault["pointer"] for fault in answer.json()["errors"]]
    rules = [{"rule": "sum", "of": "/lines/*/amount", "equals": "/total"}, {"rule": "bogus"}]
    answer = await publish(service, V1, rules=rules)
    assert {fault["pointer"].split("/")[2] for fault in answer.json()["errors"]} == {"0", "1"}
    assert (await publish(service, {"type": "nonsense"})).json()["errors"][0]["pointer"].startswith("/schema")
    assert (await service.get("/v1/schemas/parcel")).status_code == 404


async def test_references_are_bundled(service: httpx2.AsyncClient) -> None:
    """`schema://name/version` stands for that version, for ever."""
    await service.post("/v1/schemas/place/versions", json={"schema": record(city=TEXT)})
    schema = record(order=TEXT, to={"$ref": "schema://place/1"})
    assert (await publish(service, schema)).status_code == 201
    text = "Order: A-4711\nTo:\n  City: Bonn\n"
    answer = await service.post("/v1/extract/parcel", json={"input": {"text": text}})
    assert set(answer.json()["data"]["to"]) == {"city"}


async def test_a_check_says_everything_and_publishes_nothing(service: httpx2.AsyncClient) -> None:
    """Faults, remarks, losses and compatibility in one answer."""
    await publish(service, V1)
    schema = record(order={"type": "string", "format": "uri"}, total={"type": "number"})
    body = {"schema": {"$schema": "https://example.com/own-dialect", **schema}}
    found = (await service.post("/v1/schemas/parcel/check", json=body)).json()
    assert (found["publishable"], found["draft"], found["faults"]) == (False, "2020-12", [])
    assert {("/properties/total", "money_as_float"), ("/$schema", "unknown_draft")} <= {
        (lint["pointer"], lint["rule"]) for lint in found["lints"]
    }
    assert [loss["keyword"] for loss in found["losses"]] == ["format"]
    assert found["compatibility"]["compatible"] is False
    assert len((await service.get("/v1/schemas/parcel/versions")).json()["versions"]) == 1
    dry = await service.post("/v1/schemas/parcel/compatibility", json={"schema": V2})
    assert dry.json() == {
        "compatible": True,
        "level": "FULL_TRANSITIVE",
        "policy": "RECORDS",
        "differences": [],
    }


async def test_aliases_config_diff_and_history(service: httpx2.AsyncClient) -> None:
    """An alias moves where it is put; a schema's own level counts; a diff shows behaviour; the history tells all of it."""
    await publish(service, V1)
    await publish(service, V2)
    assert (
        await service.put("/v1/schemas/parcel/aliases/production", json={"version": 1})
    ).status_code == 200
    answer = await service.post("/v1/extract/parcel@production", json={"input": {"text": DOCUMENT}})
    assert answer.json()["schema"]["version"] == 1
    assert (await service.put("/v1/schemas/parcel/aliases/latest", json={"version": 1})).json()[
        "code"
    ] == "alias_reserved"
    assert (await service.delete("/v1/schemas/parcel/aliases/staging")).json()["code"] == "alias_not_found"
    assert (await service.delete("/v1/schemas/parcel/aliases/production")).status_code == 204

    told = record(order={**TEXT, "description": "The order's number."}, note=NOTE)
    await publish(service, told)
    diff = (await service.get("/v1/schemas/parcel/versions/3/diff?against=2")).json()
    assert (diff["compatible"], [one["severity"] for one in diff["differences"]]) == (True, ["behaviour"])

    await service.put("/v1/schemas/parcel/config", json={"level": "NONE"})
    assert (
        await publish(service, record(order={"type": "integer", "description": "Its number."}))
    ).status_code == 201
    history = (await service.get("/v1/schemas/parcel/history")).json()["changes"]
    assert [one["action"] for one in history][:2] == ["publish", "config"]
    assert {one["by"] for one in history} == {"anybody"}


async def test_fifty_publishers_at_once(service: httpx2.AsyncClient) -> None:
    """Numbers are gapless and unique, no update is lost, and nobody gets a 5xx."""
    schemas = [record(order=TEXT, **{f"note_{n}": NOTE}) for n in range(50)]
    answers = await asyncio.gather(*(publish(service, schema) for schema in schemas))
    assert {answer.status_code for answer in answers} == {201}
    assert sorted(answer.json()["version"] for answer in answers) == list(range(1, 51))
    listed = (await service.get("/v1/schemas/parcel/versions")).json()["versions"]
    assert {one["digest"] for one in listed} == {answer.json()["digest"] for answer in answers}


async def test_another_process_sees_it(sandbox: str, tmp_path: Path) -> None:
    """What one replica publishes, another serves within seconds, in its OpenAPI document too."""
    settings = settings_for(sandbox, f"sqlite:///{tmp_path}/w.db")
    async with running(settings) as one, running(settings) as other:
        await publish(one, V1)
        for _ in range(600):
            if (await other.get("/v1/schemas/parcel")).status_code == 200:
                break
            await asyncio.sleep(0.05)
        assert "/v1/extract/parcel" in (await other.get("/openapi.json")).json()["paths"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[" * 20_000, 400),
        (b'{"schema": ' + b'{"not":' * 200 + b"{}" + b"}" * 200 + b"}", 400),
        (b'{"schema": {"minimum": NaN}}', 400),
        (b'{"schema": "x"}', 400),
        (b'{"schema": {}, "zzz": 1}', 400),
        (b'{"schema": {"type": "object", "properties": 5}}', 422),
        (b'{"schema": {"maximum": 1e999}}', 400),
        (b'{"schema": {"type": "object"}, "policy": {"max_cost_usd": "a lot"}}', 400),
    ],
)
async def test_bad_bodies(client: httpx2.AsyncClient, body: bytes, status: int) -> None:
    """Whatever is sent gets a clear 4xx."""
    headers = {"content-type": "application/json"}
    for path in ("versions", "check", "compatibility"):
        answer = await client.post(f"/v1/schemas/invoice/{path}", content=body, headers=headers)
        expected = 200 if path == "check" and status == 422 else status
        assert answer.status_code == expected, (path, answer.text[:200])


async def test_names_are_checked(client: httpx2.AsyncClient) -> None:
    """A name that could not stand in paths is a 400."""
    answer = await client.post("/v1/schemas/No%20Name/versions", json={"schema": V1})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/name")


async def test_what_cannot_be_projected(client: httpx2.AsyncClient) -> None:
    """A record that the older version does not admit is a 422 that names its place, and is stored all the same."""
    wide = record(order={"enum": ["A-4711", "B"], "description": "Its number."})
    narrow = record(order={"enum": ["B"], "description": "Its number."})
    await client.post("/v1/schemas/parcel/versions", json={"schema": narrow})
    more = {"schema": wide, "allow_breaking": True, "reason": "for a test"}
    assert (await client.post("/v1/schemas/parcel/versions", json=more)).json()["held"] is True
    sent = {"input": {"text": DOCUMENT}, "options": {"as_version": 1, "store": True}}
    answer = await client.post("/v1/extract/parcel@2", json=sent)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "not_projectable")
    assert problem["errors"][0]["pointer"] == "/order"
    kept = await client.get(f"/v1/extractions/{problem['extraction_id']}")
    assert kept.json()["data"] == {"order": "A-4711"}
    inline = {"schema": V1, "input": {"text": DOCUMENT}, "options": {"as_version": 1}}
    assert (await client.post("/v1/extract", json=inline)).status_code == 400
    assert json.loads((await client.get("/v1/schemas/parcel/versions/9")).text)["code"] == "schema_not_found"


@pytest.mark.parametrize(
    ("schema", "pointers"),
    [
        (
            {"type": "objekt", "properties": {"a": {"type": "strin"}, "b": {"minLength": -1, "maxLength": "x"}}},
            ["/type", "/properties/a/type", "/properties/b/minLength", "/properties/b/maxLength"],
        ),
        (
            {"type": "object", "properties": {"a": {"$ref": "#/nope"}, "b": {"$ref": "#/$defs/nor"}}},
            ["/properties/a/$ref", "/properties/b/$ref"],
        ),
        (
            {"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}, "patternProperties": {"[": {}}},
            ["/patternProperties/[", "/properties/a/pattern"],
        ),
        ({"type": "object", "properties": {"a": {"$ref": "schema://nobody/1"}, "b": {"type": "strin"}}}, None),
        (
            # What only the compiler can tell, also beside mistakes.
            {
                "type": "object",
                "properties": {
                    "a": {"type": "string", "minLength": 5, "maxLength": 2},
                    "b": {"type": "object", "properties": {"c": {"$ref": "#/$defs/n"}}, "required": ["c"]},
                    "d": {"type": "array", "minItems": 3, "maxItems": 1},
                    "e": {"type": "strin"},
                },
                "required": ["a", "b", "d"],
                "$defs": {"n": {"type": "integer", "minimum": 5, "maximum": 3}},
            },
            ["/properties/a", "/$defs/n", "/properties/d", "/properties/e/type"],
        ),
    ],
)  # fmt: skip
async def test_every_mistake_is_told_at_once(
    client: httpx2.AsyncClient, schema: dict[str, Any], pointers: list[str] | None
) -> None:
    """All that is wrong with a schema, its rules and its policy is in one answer, each with its place; nothing is published."""
    body = {"schema": schema, "rules": [{"rule": "nope"}, {"rule": "sum"}], "policy": {"pages": "0"}}
    answer = await client.post("/v1/schemas/parcel/versions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "schema_rejected")
    told = [fault["pointer"] for fault in answer.json()["errors"]]
    wanted = pointers or ["/properties/b/type", "/properties/a/$ref"]
    beside = ["/rules/0/rule", "/rules/1/of", "/rules/1/equals", "/policy/pages"]
    assert sorted(told) == sorted([*(f"/schema{pointer}" for pointer in wanted), *beside])
    assert (await client.get("/v1/schemas/parcel")).status_code == 404


async def test_what_validators_cannot_read_is_not_published(client: httpx2.AsyncClient) -> None:
    """A pattern that is no regular expression would make every extraction with the schema fail: it is refused before."""
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}, "required": ["a"]}
    check = (await client.post("/v1/schemas/parcel/check", json={"schema": schema})).json()
    assert [fault["pointer"] for fault in check["faults"]] == ["/schema/properties/a/pattern"]
    assert not check["publishable"]
