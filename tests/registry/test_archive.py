"""The whole registry as one file, between databases of both kinds, and what is no such file."""

import json
import os
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from conftest import running, settings_for
from sqlalchemy import make_url

TEXT = {"type": "string", "description": "As printed."}
NOTE = {"type": ["string", "null"], "description": "As printed; null if there is none."}
ARCHIVE = "/v1/registry/archive"
LINES = {"content-type": "application/x-ndjson"}


def record(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": "Ünïcode.",
        "properties": properties,
        "required": list(properties),
    }


def empty(sandbox: str, url: str) -> Any:
    """Settings of a service that brings no schemas of its own."""
    settings = settings_for(sandbox, url)
    return settings.model_copy(
        update={"schemas": settings.schemas.model_copy(update={"starter": False, "folders": []})}
    )


async def fill(client: httpx2.AsyncClient) -> None:
    """A registry with everything in it: references, held, deleted and purged versions, aliases, drafts, modes."""

    async def send(method: str, path: str, body: Any = None, **headers: str) -> None:
        answer = await client.request(method, f"/v1/{path}", json=body, headers=headers)
        assert answer.status_code < 300, answer.text

    example = {"document": "City: Bonn", "record": {"city": "Bonn"}}
    await send("POST", "schemas/place/versions", {"schema": record(city=TEXT), "examples": [example]})
    order = record(order=TEXT, to={"$ref": "schema://place/1"})
    policy = {"model": "gpt-4o", "max_cost_usd": "0.050"}
    await send("POST", "schemas/order/versions", {"schema": order, "policy": policy, "evidence": "locations"})
    await send(
        "POST", "schemas/order/versions", {"schema": {**order, "title": "z"}, "instructions": "€\u0000"}
    )
    breaking = {"schema": record(order={"type": "integer", "minimum": -(10**30)}), "allow_breaking": True}
    await send("POST", "schemas/order/versions", {**breaking, "reason": "agreed with billing"})
    for name in ("_a", "-a", "9"):  # databases sort these in other orders
        await send("PUT", f"schemas/n{name}/draft", {"schema": {"type": "nonsense"}, "rules": [{"x": 1.0}]})
    await send("PUT", "schemas/order/draft", {"schema": record(order=TEXT, note=NOTE)})
    await send("PUT", "schemas/order/aliases/production", {"version": 1})
    await send("PUT", "schemas/order/labels", {"labels": {"team": "billing"}})
    await send("PUT", "schemas/order/config", {"level": "FULL", "policy": "STRICT"})
    await send("PUT", "registry/config", {"level": "BACKWARD"})
    await send("DELETE", "schemas/order/versions/2")
    await send("DELETE", "schemas/order/versions/3")
    await send("DELETE", "schemas/order/versions/3?permanent=true")
    subject = "/confluent/subjects/com.acme%2FOrder%20%C3%BC-value"
    sent = {
        "schema": '{"$ref": "there", "x": {"a": 1.50}}',
        "schemaType": "JSON",
        "metadata": {"properties": {"a": "b"}},
    }
    sent["references"] = [{"name": "there", "subject": "place", "version": 1}]
    answer = await client.post(f"{subject}/versions", json=sent)
    assert answer.status_code == 200, answer.text
    await client.put("/confluent/config/com.acme%2FOrder%20%C3%BC-value", json={"compatibility": "NONE"})
    await send("PUT", "schemas/place/mode", {"mode": "READONLY"})


async def test_there_and_back(
    sandbox: str, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Exported, imported elsewhere and exported again it is the same bytes; everything works there as here."""
    if database_url.startswith("sqlite"):
        url = request.getfixturevalue("postgres")
        name = f"test_{os.urandom(6).hex()}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        there = make_url(url).set(database=name).render_as_string(hide_password=False)
    else:
        there = f"sqlite:///{tmp_path}/there.db"
    async with running(empty(sandbox, database_url)) as one:
        await fill(one)
        first = await one.get(ARCHIVE)
        assert (await one.get(ARCHIVE)).content == first.content
        assert int(first.headers["content-length"]) == len(first.content)
        draft = await one.get("/v1/schemas/order/draft")
        registered = (await one.get("/confluent/subjects/com.acme%2FOrder%20%C3%BC-value/versions/1")).json()
        full = await one.post(ARCHIVE, content=first.content, headers=LINES)
        assert (full.status_code, full.json()["code"]) == (409, "registry_not_empty")
    async with running(empty(sandbox, there)) as other:
        answer = await other.post(ARCHIVE, content=first.content, headers=LINES)
        found = answer.json()
        assert (answer.status_code, found.get("versions"), found.get("drafts")) == (201, 5, 4), answer.text
        assert (await other.get(ARCHIVE)).content == first.content
        again = await other.get("/confluent/subjects/com.acme%2FOrder%20%C3%BC-value/versions/1")
        assert (again.json(), registered["id"]) == (registered, 5)
        shown = (await other.get("/v1/schemas/order@production")).json()
        assert (shown["version"], shown["labels"], shown["policy"]["model"]) == (
            1,
            {"team": "billing"},
            "gpt-4o",
        )
        assert (await other.get("/v1/schemas/order/draft")).headers["etag"] == draft.headers["etag"]
        published = await other.post(
            "/v1/schemas/order/draft/publish", headers={"if-match": draft.headers["etag"]}
        )
        assert published.json()["code"] == "schema_incompatible"  # STRICT is in force there too
        await other.put("/v1/schemas/order/config", json={"level": "NONE"})
        published = await other.post(
            "/v1/schemas/order/draft/publish", headers={"if-match": draft.headers["etag"]}
        )
        assert published.json()["version"] == 4
        closed = await other.delete("/v1/schemas/place/versions/1")
        assert closed.json()["code"] == "read_only"
        history = (await other.get("/v1/schemas/order/history")).json()["changes"]
        assert len(history) == 13
        assert (await other.post("/v1/schemas/order/versions/2/restore")).status_code == 200


async def test_an_empty_one(sandbox: str, tmp_path: Path) -> None:
    """A registry without anything is an archive too."""
    async with running(empty(sandbox, f"sqlite:///{tmp_path}/a.db")) as client:
        content = (await client.get(ARCHIVE)).content
        assert len(content.splitlines()) == 2
        answer = await client.post(ARCHIVE, content=content, headers=LINES)
        assert answer.json() == {"schemas": 0, "versions": 0, "drafts": 0, "changes": 0}


async def test_what_is_no_archive(sandbox: str, tmp_path: Path) -> None:
    """Cut, changed, shuffled or foreign files are a 422 that names lines; nothing is written."""
    async with running(empty(sandbox, f"sqlite:///{tmp_path}/a.db")) as one:
        await fill(one)
        good = (await one.get(ARCHIVE)).content
    lines = good.splitlines(keepends=True)
    kinds = [json.loads(line)["kind"] for line in lines]

    def changed(kind: str, **members: Any) -> bytes:
        place = kinds.index(kind)
        line = {**json.loads(lines[place]), **members}
        return b"".join([*lines[:place], json.dumps(line).encode() + b"\n", *lines[place + 1 :]])

    content = json.loads(lines[kinds.index("content")])
    content["body"]["schema"]["description"] = "another"
    alias, version = kinds.index("alias") + 1, kinds.index("version") + 1
    cases: list[tuple[bytes, str]] = [
        (b"", "/0"),
        (b"{}\n", "/1/kind"),
        (b"\xff\xfe", "/1"),
        (b"[" * 100_000, "/1"),
        (good[:-60], f"/{len(lines)}"),
        (b"".join(lines[:-1]), f"/{len(lines) - 1}"),
        (b"".join([lines[0], lines[2], lines[1], *lines[3:]]), "/3"),
        (b"".join([*lines[:2], *lines[1:]]), "/3"),
        (b"".join(lines[1:]), "/1/kind"),
        (good + lines[0], f"/{len(lines) + 1}/kind"),
        (changed("registry", format=2), "/1/format"),
        (changed("registry", mode="OPEN"), "/1/mode"),
        (changed("registry", config={"level": "SOME"}), "/1/config/level"),
        (changed("content", id=99), "/2/id"),
        (changed("content", body=content["body"]), "/2/digest"),
        (changed("content", body={}), "/2/body"),
        (changed("alias", number=2), f"/{alias}/number"),
        (changed("version", content_id=77), f"/{version}/content_id"),
        (changed("version", name="nobody"), f"/{version}/name"),
        (changed("schema", zzz=1), f"/{kinds.index('schema') + 1}/zzz"),
        (changed("schema", created_at="yesterday"), f"/{kinds.index('schema') + 1}/created_at"),
        (changed("schema", name="n\u0000"), f"/{kinds.index('schema') + 1}/name"),
        (changed("draft", body={"schema": 5}), f"/{kinds.index('draft') + 1}/body"),
        (changed("draft", revision=10**6), f"/{kinds.index('draft') + 1}/revision"),
        (changed("change", action="a b"), f"/{kinds.index('change') + 1}/action"),
        (
            good.replace(b'"labels":{"team":"billing"}', b'"labels":{"team":"Billing"}'),
            f"/{len(lines)}/digest",
        ),
    ]
    async with running(empty(sandbox, f"sqlite:///{tmp_path}/b.db")) as client:
        for body, pointer in cases:
            answer = await client.post(ARCHIVE, content=body, headers=LINES)
            assert (answer.status_code, answer.json()["code"]) == (422, "archive_rejected"), (
                pointer,
                answer.text,
            )
            found = [fault["pointer"] for fault in answer.json()["errors"]]
            assert pointer in found, (pointer, answer.json()["errors"])
            assert len(found) <= 20
        assert (await client.get("/v1/registry/history")).json()["changes"] == []
        assert (await client.post(ARCHIVE, content=good)).status_code == 415
        assert (await client.post(ARCHIVE, content=good, headers=LINES)).status_code == 201
        again = await client.post(ARCHIVE, content=good, headers=LINES)
        assert again.json()["code"] == "registry_not_empty"
