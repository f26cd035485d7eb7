"""Drafts, labels, deletion and modes over HTTP, on both databases and by many at once."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
from conftest import running, settings_for

from tests.registry.parcels import NOTE, TEXT, V1, V2, record

DRAFT = "/v1/schemas/parcel/draft"


async def put(
    client: httpx2.AsyncClient, schema: Any, tag: str | None = None, **more: Any
) -> httpx2.Response:
    headers = {} if tag is None else {"if-match": tag}
    return await client.put(DRAFT, json={"schema": schema, **more}, headers=headers)


async def publish(client: httpx2.AsyncClient, tag: str, **body: Any) -> httpx2.Response:
    return await client.post(f"{DRAFT}/publish", json=body, headers={"if-match": tag})


async def test_a_draft_from_first_to_published(service: httpx2.AsyncClient) -> None:
    """Put, shown, changed by who knows it, published as it stands, and gone."""
    assert (await service.get(DRAFT)).json()["code"] == "schema_not_found"
    assert (await service.get("/v1/schemas/a%00b/draft")).status_code == 400
    first = await put(service, V1)
    tag = first.headers["etag"]
    assert (first.status_code, first.json()["etag"], first.json()["updated_by"]) == (201, tag, "anybody")
    assert first.json()["check"]["publishable"] is True
    shown = await service.get(DRAFT)
    assert (shown.headers["etag"], shown.json()["content"]["schema"]) == (tag, V1)
    listed = (await service.get("/v1/schemas")).json()
    assert listed["drafts"] == ["parcel"]
    assert "parcel" not in [one["name"] for one in listed["schemas"]]
    assert "draft" in (await service.get("/v1/schemas/parcel")).json()["detail"]

    blind = await put(service, V2)
    assert (blind.status_code, blind.json()["code"], blind.json()["etag"]) == (
        428,
        "precondition_required",
        tag,
    )
    same = await put(service, V1, tag)
    assert (same.status_code, same.headers["etag"]) == (200, tag)
    changed = await put(service, V2, tag)
    assert (changed.status_code, changed.headers["etag"] != tag) == (200, True)
    late = await put(service, V1, tag)
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert late.json()["etag"] == changed.headers["etag"]
    assert (await publish(service, tag)).status_code == 412
    assert (await service.post(f"{DRAFT}/publish")).status_code == 428

    answer = await publish(service, changed.headers["etag"])
    assert (answer.status_code, answer.json()["version"]) == (201, 1)
    assert (await service.get("/v1/schemas/parcel")).json()["schema"] == V2
    gone = await service.get(DRAFT)
    assert (gone.status_code, gone.json()["code"]) == (404, "draft_not_found")
    assert (await publish(service, "*")).json()["code"] == "draft_not_found"

    again = await put(service, V2)
    answer = await publish(service, again.headers["etag"])
    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    assert (await service.get(DRAFT)).status_code == 404
    history = (await service.get("/v1/schemas/parcel/history")).json()["changes"]
    assert [line["action"] for line in reversed(history)] == [
        "draft", "draft", "publish_draft", "publish", "draft", "publish_draft"
    ]  # fmt: skip


async def test_conditions(client: httpx2.AsyncClient) -> None:
    """`If-None-Match: *` creates only; lists, weak tags and `*` are understood, anything else is a 400."""
    only_new = {"if-none-match": "*"}
    assert (await client.put(DRAFT, json={"schema": V1}, headers={"if-match": "*"})).status_code == 412
    first = await client.put(DRAFT, json={"schema": V1}, headers=only_new)
    tag = first.headers["etag"]
    assert first.status_code == 201
    assert (await client.put(DRAFT, json={"schema": V2}, headers=only_new)).status_code == 412
    assert (await put(client, V2, f"W/{tag}")).status_code == 412
    assert (await put(client, V2, f'"0", {tag}')).status_code == 200
    assert (await put(client, V1, "*")).status_code == 200
    for headers in (
        {"if-match": "17"},
        {"if-match": ""},
        {"if-none-match": tag},
        {"if-match": "*", **only_new},
    ):
        answer = await client.put(DRAFT, json={"schema": V1}, headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"][:8]) == (400, "/header/")
    assert (await client.delete(DRAFT, headers={"if-match": tag})).status_code == 412
    assert (await client.delete(DRAFT)).status_code == 204
    assert (await client.delete(DRAFT)).json()["code"] == "draft_not_found"
    assert (await client.get(DRAFT)).json()["code"] == "schema_not_found"
    answer = await client.put("/v1/schemas/No%20Name/draft", json={"schema": V1})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/name")


async def test_a_faulty_draft_is_kept_and_told(client: httpx2.AsyncClient) -> None:
    """Everything that is wrong is said when it is put, when it is checked, and when publishing refuses, all at once."""
    body = {
        "rules": [{"rule": "bogus"}],
        "examples": [{"document": "Order: 7", "record": {"order": 7}}],
        "policy": {"model": "gpt-4o"},
    }
    kept = await put(client, V1, **body)
    assert kept.status_code == 201
    check = kept.json()["check"]
    places = [fault["pointer"] for fault in check["faults"]]
    assert places == ["/rules/0", "/examples/0/record/order"] or "/rules/0" in places[0]
    assert "/examples/0/record/order" in places
    assert (check["publishable"], check["compatibility"], check["draft"]) == (False, None, "2020-12")
    assert check["tokens"]["total"] == sum(
        check["tokens"][part] for part in ("schema", "instructions", "examples")
    )
    assert (check["size"]["properties"], check["size"]["max_properties"]) == (1, 5000)
    assert (await client.post(f"{DRAFT}/check")).json() == check
    refused = await publish(client, kept.headers["etag"])
    assert (refused.status_code, refused.json()["code"]) == (422, "schema_rejected")
    assert [fault["pointer"] for fault in refused.json()["errors"]] == places
    assert (await client.get(DRAFT)).json()["content"]["rules"] == body["rules"]
    hopeless = await put(client, {"type": "nonsense"}, kept.headers["etag"])
    assert hopeless.json()["check"]["faults"][0]["pointer"].startswith("/schema")
    assert hopeless.json()["check"]["tokens"] is None


async def test_a_breaking_draft(client: httpx2.AsyncClient) -> None:
    """Refused with what breaks and kept; published with a reason, held."""
    await client.post("/v1/schemas/parcel/versions", json={"schema": V2})
    put_ = await put(client, V1)
    assert put_.json()["check"]["publishable"] is True  # who reads v1 lives without the note
    put_ = await put(client, record(order=NOTE), put_.headers["etag"])
    assert put_.json()["check"]["compatibility"]["compatible"] is False
    tag = put_.headers["etag"]
    assert (await publish(client, tag)).json()["code"] == "schema_incompatible"
    assert (await publish(client, tag, allow_breaking=True)).status_code == 400
    assert (await client.get(DRAFT)).headers["etag"] == tag
    held = await publish(client, tag, allow_breaking=True, reason="agreed with billing")
    assert (held.status_code, held.json()["held"]) == (201, True)
    again = await client.post(
        "/v1/schemas/parcel/versions",
        json={"schema": record(order=NOTE), "allow_breaking": True, "reason": "again"},
    )
    assert (again.status_code, again.json()["version"]) == (200, 2)


async def test_a_held_version_is_released(client: httpx2.AsyncClient) -> None:
    """It becomes latest, and what follows is compared with it and not with what was before."""
    url = "/v1/schemas/parcel/versions"
    await client.post(url, json={"schema": V1})
    broken = {"schema": record(order={"type": "integer"}), "allow_breaking": True, "reason": "agreed"}
    await client.post(url, json=broken)
    assert (await client.get("/v1/schemas/parcel")).json()["version"] == 1
    assert (await client.post(f"{url}/1/release")).json()["code"] == "not_held"
    assert (await client.post(f"{url}/2/release")).json()["held"] is False
    assert (await client.get("/v1/schemas/parcel")).json()["version"] == 2
    assert (await client.post(f"{url}/2/release")).status_code == 409
    wider = {"schema": record(order={"type": "integer"}, note=NOTE)}
    assert (await client.post(url, json=wider)).json()["version"] == 3
    assert (await client.post(url, json={"schema": V1})).json()["code"] == "schema_incompatible"


async def test_replicas_agree_at_once_where_something_is_changed(sandbox: str, tmp_path: Path) -> None:
    """What one process published a moment ago is there for another one's aliases, labels and drafts."""
    settings = settings_for(sandbox, f"sqlite:///{tmp_path}/w.db")
    slow = settings.schemas.model_copy(update={"refresh_s": 60})
    settings = settings.model_copy(update={"schemas": slow})
    async with running(settings) as one, running(settings) as other:
        await one.post("/v1/schemas/parcel/versions", json={"schema": V1})
        answer = await other.put("/v1/schemas/parcel/aliases/live", json={"version": 1})
        assert answer.status_code == 200, answer.text
        again = await one.post("/v1/schemas/parcel/versions", json={"schema": V2})
        assert again.json()["version"] == 2
        same = await other.post("/v1/schemas/parcel/versions", json={"schema": V2})
        assert (same.status_code, same.json()["version"]) == (200, 2)


async def test_fifty_at_once(service: httpx2.AsyncClient) -> None:
    """Of fifty who change or publish one draft, one wins and the others are told; nobody's change is lost."""
    tag = (await put(service, V1)).headers["etag"]
    schemas = [record(order=TEXT, **{f"note_{n}": NOTE}) for n in range(50)]
    answers = await asyncio.gather(*(put(service, schema, tag) for schema in schemas))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 49
    (won,) = (n for n, answer in enumerate(answers) if answer.status_code == 200)
    assert (await service.get(DRAFT)).json()["content"]["schema"] == schemas[won]

    tag = answers[won].headers["etag"]
    answers = await asyncio.gather(*(publish(service, tag) for _ in range(50)))
    assert sorted({answer.status_code for answer in answers}) in ([201, 404], [201, 412], [201, 404, 412])
    assert sum(answer.status_code == 201 for answer in answers) == 1
    assert len((await service.get("/v1/schemas/parcel/versions")).json()["versions"]) == 1

    answers = await asyncio.gather(*(put(service, schema) for schema in schemas))
    assert sorted(answer.status_code for answer in answers) == [201] + [428] * 49

    async def add(n: int) -> None:
        while True:
            now = await service.get(DRAFT)
            told = now.json()["content"]["instructions"] + f"{n};"
            answer = await put(service, V1, now.headers["etag"], instructions=told)
            if answer.status_code == 200:
                return
            assert answer.status_code == 412

    await asyncio.gather(*(add(n) for n in range(8)))
    told = (await service.get(DRAFT)).json()["content"]["instructions"]
    assert sorted(told.split(";")) == sorted(["", *map(str, range(8))])


async def test_labels(client: httpx2.AsyncClient) -> None:
    """Set as a whole, shown in the list, found by name or value."""
    labels = {"labels": {"team": "billing", "tier": "gold"}}
    assert (await client.put("/v1/schemas/invoice/labels", json=labels)).json() == labels
    await client.put("/v1/schemas/receipt/labels", json={"labels": {"team": "travel"}})

    async def found(*wanted: str) -> list[str]:
        answer = await client.get("/v1/schemas", params=[("label", one) for one in wanted])
        return [one["name"] for one in answer.json()["schemas"]]

    assert await found("team=billing") == ["invoice"]
    assert await found("team") == ["invoice", "receipt"]
    assert await found("team", "tier=silver") == []
    shown = (await client.get("/v1/schemas/invoice")).json()
    assert shown["labels"] == labels["labels"]
    for wrong in ({"Team": "x"}, {"team": "x" * 257}, {str(n): "x" for n in range(33)}):
        assert (await client.put("/v1/schemas/invoice/labels", json={"labels": wrong})).status_code == 400
    assert (await client.put("/v1/schemas/nothing/labels", json=labels)).json()["code"] == "schema_not_found"


async def test_a_deleted_version_over_http(client: httpx2.AsyncClient) -> None:
    """It is not extracted with, listed only on demand, its records stay readable, and it comes back."""
    url = "/v1/schemas/parcel/versions"
    for schema in (V1, V2):
        await client.post(url, json={"schema": schema})
    sent = {"input": {"text": "Order: A-1\n"}, "options": {"store": True}}
    stored = (await client.post("/v1/extract/parcel", json=sent)).json()
    assert (await client.put("/v1/schemas/parcel/aliases/live", json={"version": 2})).status_code == 200
    used = await client.delete(f"{url}/2")
    assert (used.status_code, used.json()["code"]) == (409, "in_use")
    assert used.json()["used_by"] == [{"kind": "alias", "name": "live", "version": 2}]
    assert (await client.delete(f"{url}/1?permanent=true")).json()["code"] == "not_deleted"
    await client.delete("/v1/schemas/parcel/aliases/live")
    assert (await client.delete(f"{url}/2")).json() == {"name": "parcel", "versions": [2]}

    answer = await client.post("/v1/extract/parcel@2", json=sent)
    assert (answer.status_code, answer.json()["code"]) == (404, "schema_deleted")
    assert [one["version"] for one in (await client.get(url)).json()["versions"]] == [1]
    listed = (await client.get(f"{url}?deleted=true")).json()["versions"]
    assert [(one["version"], one["deleted_at"] is None) for one in listed] == [(1, True), (2, False)]
    assert (await client.get(f"{url}/2")).json()["code"] == "schema_deleted"
    assert (await client.get(f"{url}/2?deleted=true")).json()["schema"] == V2
    assert (await client.get(f"/v1/extractions/{stored['id']}")).json()["data"] == stored["data"]
    older = await client.get(f"/v1/extractions/{stored['id']}?as_version=1")
    assert older.json()["data"] == {"order": "A-1"}
    assert (await client.put("/v1/schemas/parcel/aliases/live", json={"version": 2})).status_code == 404

    assert (await client.post(f"{url}/2/restore")).json()["deleted_at"] is None
    assert (await client.post(f"{url}/2/restore")).json()["code"] == "not_deleted"
    await client.delete(f"{url}/2")
    assert (await client.delete(f"{url}/2?permanent=true")).status_code == 200
    assert (await client.post(f"{url}/2/restore")).json()["code"] == "schema_deleted"
    assert (await client.get(f"/v1/extractions/{stored['id']}")).status_code == 200
    assert (await client.post(url, json={"schema": V2})).json()["version"] == 3


async def test_a_deleted_schema_over_http(client: httpx2.AsyncClient) -> None:
    """It leaves the list and the OpenAPI document, is shown on demand, and comes back as it was, or never."""
    await client.post("/v1/schemas/parcel/versions", json={"schema": V1})
    refers = record(parcel={"$ref": "schema://parcel/1"})
    await client.post("/v1/schemas/van/versions", json={"schema": refers})
    used = (await client.delete("/v1/schemas/parcel")).json()
    assert used["used_by"] == [{"kind": "schema", "name": "van", "version": 1}]
    await client.delete("/v1/schemas/van")
    assert (await client.delete("/v1/schemas/parcel")).json()["versions"] == [1]
    gone = await client.get("/v1/schemas/parcel")
    assert (gone.status_code, gone.json()["code"]) == (404, "schema_deleted")
    assert "/v1/extract/parcel" not in (await client.get("/openapi.json")).json()["paths"]
    listed = (await client.get("/v1/schemas?deleted=true")).json()["schemas"]
    (one,) = (one for one in listed if one["name"] == "parcel")
    assert one["deleted_at"] is not None
    assert (await client.post("/v1/schemas/van/restore")).json()["code"] == "not_restorable"
    assert (await client.post("/v1/schemas/parcel/restore")).json()["versions"] == [1]
    assert (await client.post("/v1/schemas/van/restore")).status_code == 200
    shown = (await client.get("/v1/schemas/van")).json()
    assert (shown["schema"], "schema://" in str(shown["bundled"])) == (refers, False)
    await client.delete("/v1/schemas/van")
    assert (await client.delete("/v1/schemas/van?permanent=true")).json()["versions"] == [1]
    assert "for good" in (await client.get("/v1/schemas/van")).json()["detail"]
    actions = [one["action"] for one in (await client.get("/v1/schemas/van/history")).json()["changes"]]
    assert actions == ["purge_schema", "delete_schema", "restore_schema", "delete_schema", "publish"]


async def test_read_only_over_http(client: httpx2.AsyncClient) -> None:
    """Every kind of write is a 409 `read_only`; reading and extracting go on."""
    await client.post("/v1/schemas/parcel/versions", json={"schema": V1})
    await put(client, V2)
    assert (await client.get("/v1/schemas/parcel/mode")).json() == {"mode": None, "in_force": "READWRITE"}
    closed = await client.put("/v1/registry/mode", json={"mode": "READONLY"})
    assert closed.json() == {"mode": "READONLY"}
    base = "/v1/schemas/parcel"
    writes: list[tuple[str, str, Any]] = [
        ("POST", f"{base}/versions", {"schema": V2}),
        ("PUT", f"{base}/draft", {"schema": V1}),
        ("DELETE", f"{base}/draft", None),
        ("POST", f"{base}/draft/publish", {}),
        ("PUT", f"{base}/labels", {"labels": {}}),
        ("PUT", f"{base}/config", {"level": "NONE"}),
        ("PUT", f"{base}/aliases/live", {"version": 1}),
        ("DELETE", f"{base}/aliases/live", None),
        ("DELETE", f"{base}/versions/1", None),
        ("POST", f"{base}/versions/1/restore", None),
        ("DELETE", base, None),
        ("POST", f"{base}/restore", None),
        ("PUT", "/v1/registry/config", {"level": "NONE"}),
    ]
    for method, path, body in writes:
        answer = await client.request(method, path, json=body, headers={"if-match": "*"})
        assert (answer.status_code, answer.json()["code"]) == (409, "read_only"), (method, path)
    assert (await client.post("/v1/extract/parcel", json={"input": {"text": "Order: 1"}})).status_code == 200
    assert (await client.post(f"{base}/draft/check")).status_code == 200
    own = await client.put(f"{base}/mode", json={"mode": "READWRITE"})
    assert own.json() == {"mode": "READWRITE", "in_force": "READWRITE"}
    assert (await publish(client, "*")).status_code == 201
    await client.put("/v1/registry/mode", json={"mode": "READONLY_OVERRIDE"})
    assert (await client.get(f"{base}/mode")).json()["in_force"] == "READONLY_OVERRIDE"
    await client.put("/v1/registry/mode", json={"mode": "READWRITE"})


async def test_what_holds_for_all(client: httpx2.AsyncClient) -> None:
    """The registry's config holds for schemas without their own; its history is read in pages."""
    assert (await client.put("/v1/registry/config", json={"level": "NONE"})).json()["level"] == "NONE"
    assert (await client.get("/v1/schemas/invoice/config")).json() == {"level": "NONE", "policy": "RECORDS"}
    await client.post("/v1/schemas/parcel/versions", json={"schema": V1})
    lines: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = (
            await client.get(
                "/v1/registry/history", params={"limit": 5, **({"cursor": cursor} if cursor else {})}
            )
        ).json()
        lines += page["changes"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [(line["action"], line["name"]) for line in lines[:2]] == [("publish", "parcel"), ("config", None)]
    assert len({(line["name"], line["version"], line["action"]) for line in lines}) == len(lines) > 10
    assert (await client.get("/v1/registry/history?cursor=x")).status_code == 400


async def test_a_large_body_is_refused(client: httpx2.AsyncClient) -> None:
    """More than a schema may be is a 413, before it is looked at."""
    body = b'{"schema": {"description": "' + b"x" * (4 * 1024 * 1024) + b'"}}'
    headers = {"content-type": "application/json"}
    for method, path in (("PUT", DRAFT), ("POST", "/v1/schemas/parcel/versions")):
        answer = await client.request(method, path, content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
