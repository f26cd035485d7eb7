"""The Confluent face over HTTP: exact bodies, codes and media types of every path, and one registry behind both faces."""

import asyncio
import base64
import hashlib
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from conftest import running, settings_for

V1_JSON = "application/vnd.schemaregistry.v1+json"
CLOSED: dict[str, Any] = {
    "type": "object",
    "properties": {"order": {"type": "string"}},
    "required": ["order"],
    "additionalProperties": False,
}
WIDER = {**CLOSED, "properties": {"order": {"type": "string"}, "note": {"type": "string"}}}
BROKEN = {**CLOSED, "properties": {"order": {"type": "integer"}}}
LEVELS = (
    "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, "
    "forward_transitive, and full_transitive"
)


class Confluent:
    """A client that knows nothing: paths and bodies in, status and body out."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.http = client

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """One request; bytes and text go out as they are."""
        content = body if body is None or isinstance(body, bytes | str) else json.dumps(body)
        told = {"content-type": V1_JSON} if body is not None else {}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(
            method, f"/confluent{path}", content=content, headers={**told, **given}
        )

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The body of an answer that is a success."""
        answer = await self.send(method, path, body, **headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == V1_JSON
        return answer.json()

    async def no(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, int, str]:
        """Status, code and message of an answer that is none."""
        answer = await self.send(method, path, body, **headers)
        found = answer.json()
        assert set(found) == {"error_code", "message"}, answer.text
        assert answer.headers["content-type"] == V1_JSON
        return answer.status_code, found["error_code"], found["message"]

    async def register(self, subject: str, schema: Any, **more: Any) -> int:
        """Register, and the id of what was registered."""
        found: int = (await self.ask("POST", f"/subjects/{subject}/versions", said(schema, **more)))["id"]
        return found


def said(schema: Any, **more: Any) -> dict[str, Any]:
    return {"schema": json.dumps(schema), "schemaType": "JSON", **more}


def text(schema: Any) -> str:
    return json.dumps(schema, separators=(",", ":"))


@pytest.fixture
async def confluent(client: httpx2.AsyncClient) -> Confluent:
    return Confluent(client)


@pytest.fixture
async def on_both(sandbox: str, database_url: str) -> AsyncIterator[Confluent]:
    """A service with an empty database, once of each kind."""
    async with running(settings_for(sandbox, database_url)) as client:
        yield Confluent(client)


async def test_what_is_registered_is_read_back(confluent: Confluent) -> None:
    """Every path that shows a schema has the body that the protocol's clients read."""
    id = await confluent.register("orders-value", CLOSED)
    version = {
        "subject": "orders-value",
        "version": 1,
        "id": id,
        "schemaType": "JSON",
        "references": [],
        "schema": text(CLOSED),
    }
    shown = await confluent.ask("GET", "/subjects/orders-value/versions/1")
    guid = shown.pop("guid")
    assert str(uuid.UUID(guid)) == guid
    assert shown == version
    for path in ("versions/latest", "versions/LATEST", "versions/-1", "versions/1?deleted=False"):
        assert await confluent.ask("GET", f"/subjects/orders-value/{path}") == {**version, "guid": guid}
    found = await confluent.ask("POST", "/subjects/orders-value?normalize=False&deleted=False", said(CLOSED))
    assert found == {**version, "guid": guid}
    assert await confluent.ask("GET", "/schemas?subjectPrefix=orders-") == [{**version, "guid": guid}]
    by_id = {"schemaType": "JSON", "references": [], "schema": text(CLOSED)}
    assert await confluent.ask("GET", f"/schemas/ids/{id}") == by_id
    assert await confluent.ask("GET", f"/schemas/ids/{id}?subject=orders-value") == by_id
    assert await confluent.ask("GET", f"/schemas/guids/{guid}") == by_id
    assert await confluent.ask("GET", f"/schemas/guids/{guid}/ids") == [{"context": ".", "id": id}]
    assert await confluent.ask("GET", f"/schemas/ids/{id}?fetchMaxId=true") == {**by_id, "maxId": id}
    assert await confluent.ask("GET", f"/schemas/ids/{id}/schema") == CLOSED
    assert await confluent.ask("GET", f"/schemas/ids/{id}/subjects") == ["orders-value"]
    assert await confluent.ask("GET", f"/schemas/ids/{id}/versions") == [
        {"subject": "orders-value", "version": 1}
    ]
    assert await confluent.ask("GET", "/subjects/orders-value/versions") == [1]
    assert await confluent.ask("GET", "/subjects/orders-value/versions/1/schema") == CLOSED
    assert await confluent.ask("GET", "/subjects/orders-value/versions/1/referencedby") == []
    tolerant = {"confluent_accept_unknown_properties": "true"}
    assert await confluent.ask("POST", "/subjects/orders-value/versions", said(CLOSED), **tolerant) == {
        "id": id,
        "version": 1,
        "guid": guid,
    }


async def test_what_the_server_says_of_itself(confluent: Confluent) -> None:
    """Clients and consoles ask for these before anything else."""
    assert await confluent.ask("GET", "/") == {}
    assert await confluent.ask("GET", "") == {}
    assert await confluent.ask("GET", "/schemas/types") == ["JSON"]
    assert await confluent.ask("GET", "/contexts?offset=0&limit=-1") == ["."]
    assert await confluent.ask("GET", "/v1/metadata/version") == {"version": "0.1.0", "commitId": ""}
    assert (await confluent.ask("GET", "/v1/metadata/id"))["scope"]["clusters"]["schema-registry-cluster"]
    assert (await confluent.send("HEAD", "/subjects")).content == b""


async def test_both_faces_show_one_registry(confluent: Confluent) -> None:
    """What /v1 publishes is a subject's version, what is registered here is extracted with, and their heads are the same."""
    http = confluent.http
    await http.post("/v1/schemas/parcel/versions", json={"schema": CLOSED, "instructions": "Read it."})
    assert await confluent.ask("GET", "/subjects/parcel/versions") == [1]
    same = await confluent.ask("POST", "/subjects/parcel", said(CLOSED))
    assert (same["version"], same["schema"]) == (1, text(CLOSED))
    assert await confluent.register("parcel", CLOSED) == same["id"], "instructions are not the protocol's"
    noted = {**CLOSED, "properties": {"order": {"type": "string"}, "note": {"type": ["string", "null"]}}}
    await confluent.register("parcel", noted)
    shown = (await http.get("/v1/schemas/parcel")).json()
    assert (shown["version"], shown["schema"], shown["instructions"]) == (2, noted, "Read it.")
    versions = (await http.get("/v1/schemas/parcel/versions")).json()["versions"]
    assert [one["origin"] for one in versions] == ["api", "confluent"]
    answer = await http.post("/v1/extract/parcel", json={"input": {"text": "Order: A-7\nNote: ring twice\n"}})
    assert answer.json()["data"] == {"order": "A-7", "note": "ring twice"}
    document = (await http.get("/openapi.json")).json()
    assert not [path for path in document["paths"] if "confluent" in path]
    assert "/confluent" in document["info"]["description"]


async def test_rules_of_a_subject_still_hold(confluent: Confluent) -> None:
    """Rules that a version has stay with the next one, and a schema that they do not fit is refused."""
    number = {"type": "number"}
    lines = {"type": "array", "items": {"type": "object", "properties": {"amount": number}}}
    summed = {"type": "object", "properties": {"lines": lines, "total": number}}
    rules = [{"rule": "sum", "of": "/lines/*/amount", "equals": "/total"}]
    answer = await confluent.http.post("/v1/schemas/sums/versions", json={"schema": summed, "rules": rules})
    assert answer.status_code == 201, answer.text
    await confluent.ask("PUT", "/config/sums", {"compatibility": "NONE"})
    without = {"type": "object", "properties": {"lines": lines}}
    status, code, message = await confluent.no("POST", "/subjects/sums/versions", said(without))
    assert (status, code) == (422, 42201)
    assert "/rules/0" in message


async def test_any_name_is_a_subject(confluent: Confluent) -> None:
    """Slashes, dots, spaces and all scripts; the same content in all of them has one id."""
    names = ["a/b/c-value", "com.acme.Order", "Grüße, 你好", "100%", "..", ":odd", "x" * 255, "a?b#c"]
    encoded = ["a%2Fb%2Fc-value", "com.acme.Order", "Gr%C3%BC%C3%9Fe%2C%20%E4%BD%A0%E5%A5%BD", "100%25"]
    encoded += ["%2E%2E", "%3Aodd", "x" * 255, "a%3Fb%23c"]
    ids = {await confluent.register(path, CLOSED) for path in encoded}
    assert len(ids) == 1
    [id] = ids
    assert await confluent.ask("GET", f"/schemas/ids/{id}/subjects") == sorted(names)
    for name, path in zip(names, encoded, strict=True):
        assert (await confluent.ask("GET", f"/subjects/{path}/versions/1"))["subject"] == name
    listed = [one["name"] for one in (await confluent.http.get("/v1/schemas")).json()["schemas"]]
    assert set(names) <= set(listed)
    versions = await confluent.http.get(f"/v1/schemas/{'x' * 255}/versions")
    assert [one["version"] for one in versions.json()["versions"]] == [1]
    document = (await confluent.http.get("/openapi.json")).json()
    assert not [path for path in document["paths"] if "acme" in path]
    answer = await confluent.http.post("/v1/extract/com.acme.Order", json={"input": {"text": "Order: A-7"}})
    assert answer.json()["data"] == {"order": "A-7"}
    assert await confluent.ask("GET", "/subjects?subjectPrefix=:.:com.") == ["com.acme.Order"]
    assert await confluent.ask("GET", "/subjects?subjectPrefix=:*:com.") == ["com.acme.Order"]
    assert await confluent.ask("GET", "/subjects?subjectPrefix=:.other:com.") == []
    assert await confluent.ask("GET", "/subjects/:.:com.acme.Order/versions/") == [1]
    for path in ("%00", "a%0Ab", "__GLOBAL", ":.ctx:a", "x" * 256, "%C2%85"):
        status, code, _ = await confluent.no("POST", f"/subjects/{path}/versions", said(CLOSED))
        assert (status, code) == (422, 42208), path
    assert (await confluent.no("POST", "/subjects/%FF/versions", said(CLOSED)))[0] == 400


async def test_lists_come_in_pages(confluent: Confluent) -> None:
    """Prefix, offset and limit; booleans as Python and Java write them."""
    for name in ("p-1", "p-2", "p-3"):
        await confluent.register(name, CLOSED)
    assert await confluent.ask("GET", "/subjects?subjectPrefix=p-&offset=1&limit=1") == ["p-2"]
    assert await confluent.ask("GET", "/subjects?subjectPrefix=p-&offset=0&limit=-1&deleted=False") == [
        "p-1",
        "p-2",
        "p-3",
    ]
    await confluent.ask("DELETE", "/subjects/p-2")
    assert await confluent.ask("GET", "/subjects?subjectPrefix=p-&deleted=True") == ["p-1", "p-2", "p-3"]
    assert await confluent.ask("GET", "/subjects?subjectPrefix=p-&deletedOnly=TRUE") == ["p-2"]
    schemas = await confluent.ask("GET", "/schemas?subjectPrefix=p-&deleted=true&latestOnly=true")
    assert [(one["subject"], one.get("deleted", False)) for one in schemas] == [
        ("p-1", False),
        ("p-2", True),
        ("p-3", False),
    ]
    for query in ("limit=x", "offset=-1", "deleted=maybe", "limit=1e3"):
        assert (await confluent.no("GET", f"/subjects?{query}"))[:2] == (400, 400)


async def test_what_is_missing(confluent: Confluent) -> None:
    """Each kind of absence has its code and message."""
    await confluent.register("here", CLOSED)
    no_subject = (404, 40401, "Subject 'gone' not found.")
    for method, path in (
        ("GET", "/subjects/gone/versions"),
        ("GET", "/subjects/gone/versions/latest"),
        ("GET", "/subjects/gone/versions/1/schema"),
        ("GET", "/subjects/gone/metadata?key=a&value=b"),
        ("DELETE", "/subjects/gone"),
        ("DELETE", "/subjects/gone?permanent=true"),
        ("DELETE", "/subjects/gone/versions/1"),
        ("DELETE", "/config/gone"),
        ("DELETE", "/mode/gone"),
    ):
        assert await confluent.no(method, path) == no_subject, path
    assert await confluent.no("POST", "/subjects/gone", said(CLOSED)) == no_subject
    assert await confluent.no("GET", "/subjects/here/versions/2") == (404, 40402, "Version 2 not found.")
    assert await confluent.no("DELETE", "/subjects/here/versions/2") == (404, 40402, "Version 2 not found.")
    path = "/compatibility/subjects/here/versions/2"
    assert await confluent.no("POST", path, said(CLOSED)) == (404, 40402, "Version 2 not found.")
    assert await confluent.no("POST", "/subjects/here", said(WIDER)) == (404, 40403, "Schema not found")
    for path in ("", "/schema", "/subjects", "/versions"):
        assert await confluent.no("GET", f"/schemas/ids/2147483647{path}") == (
            404,
            40403,
            "Schema 2147483647 not found",
        )
    assert (await confluent.no("GET", "/schemas/ids/one"))[:2] == (404, 40403)
    assert (await confluent.no("GET", f"/schemas/ids/{'9' * 5000}"))[:2] == (404, 40403)
    assert (await confluent.no("GET", f"/schemas/guids/{uuid.uuid4()}"))[:2] == (404, 40403)
    assert await confluent.no("GET", "/config/gone") == (
        404,
        40408,
        "Subject 'gone' does not have subject-level compatibility configured",
    )
    assert await confluent.no("GET", "/mode/gone") == (
        404,
        40409,
        "Subject 'gone' does not have subject-level mode configured",
    )
    for version in ("0", "-2", "one", "2147483648", "9" * 5000, "1.0", "%D9%A1"):
        answer = await confluent.no("GET", f"/subjects/here/versions/{version}")
        assert answer[:2] == (422, 42202), version
        assert answer[2].endswith('Allowed values are between [1, 2^31-1] and the string "latest"')


async def test_deleting_softly_and_for_good(on_both: Confluent) -> None:
    """First softly, then for good; numbers never come back; what is referred to stays."""
    confluent = on_both
    await confluent.ask("PUT", "/config/doomed", {"compatibility": "NONE"})
    first, second = await confluent.register("doomed", CLOSED), await confluent.register("doomed", WIDER)
    assert await confluent.no("DELETE", "/subjects/doomed/versions/1?permanent=true") == (
        404,
        40407,
        "Subject 'doomed' Version 1 was not deleted first before being permanently deleted",
    )
    assert await confluent.ask("DELETE", "/subjects/doomed/versions/1") == 1
    assert await confluent.no("DELETE", "/subjects/doomed/versions/1") == (
        404,
        40406,
        "Subject 'doomed' Version 1 was soft deleted. Set permanent=true to delete permanently",
    )
    assert await confluent.ask("GET", "/subjects/doomed/versions") == [2]
    assert await confluent.ask("GET", "/subjects/doomed/versions?deleted=true") == [1, 2]
    assert await confluent.ask("GET", "/subjects/doomed/versions?deletedOnly=true") == [1]
    assert await confluent.no("GET", "/subjects/doomed/versions/1") == (404, 40402, "Version 1 not found.")
    shown = await confluent.ask("GET", "/subjects/doomed/versions/1?deleted=true")
    assert (shown["id"], shown["deleted"]) == (first, True)
    assert await confluent.ask("GET", f"/schemas/ids/{first}/versions") == []
    assert await confluent.ask("GET", f"/schemas/ids/{first}/subjects?deleted=true") == ["doomed"]
    assert await confluent.no("DELETE", "/subjects/doomed?permanent=true") == (
        404,
        40405,
        "Subject 'doomed' was not deleted first before being permanently deleted",
    )
    assert await confluent.ask("DELETE", "/subjects/doomed/versions/latest") == 2
    assert await confluent.no("DELETE", "/subjects/doomed") == (
        404,
        40404,
        "Subject 'doomed' was soft deleted. Set permanent=true to delete permanently",
    )
    assert (await confluent.no("GET", "/subjects/doomed/versions"))[1] == 40401
    assert await confluent.ask("GET", f"/schemas/ids/{second}") == {
        "schemaType": "JSON",
        "references": [],
        "schema": text(WIDER),
    }
    assert await confluent.ask("DELETE", "/subjects/doomed/versions/1?permanent=true") == 1
    assert await confluent.ask("DELETE", "/subjects/doomed?permanent=true") == [2]
    assert (await confluent.no("GET", f"/schemas/ids/{second}"))[1] == 40403
    assert (await confluent.no("GET", "/subjects/doomed/versions?deleted=true"))[1] == 40401
    await confluent.register("doomed", CLOSED)
    assert await confluent.ask("GET", "/subjects/doomed/versions") == [3]


async def test_references(on_both: Confluent) -> None:
    """They are resolved when registered, listed from both ends, and keep what they refer to alive."""
    confluent = on_both
    person = await confluent.register("people%2Fperson", CLOSED)
    deal = {"type": "object", "properties": {"buyer": {"$ref": "person.json"}}}
    refers = [{"name": "person.json", "subject": "people/person", "version": 1}]
    status, code, message = await confluent.no("POST", "/subjects/deal/versions", said(deal))
    assert (status, code) == (422, 42201)
    assert "person.json" in message
    id = await confluent.register("deal", deal, references=refers)
    assert id != person
    shown = await confluent.ask("GET", f"/schemas/ids/{id}")
    assert shown == {"schemaType": "JSON", "references": refers, "schema": text(deal)}
    assert await confluent.ask("GET", "/subjects/people%2Fperson/versions/1/referencedby") == [id]
    latest = said(deal, references=[{**refers[0], "version": -1}])
    assert (await confluent.ask("POST", "/subjects/deal", latest))["version"] == 1
    assert (await confluent.no("DELETE", "/subjects/people%2Fperson"))[:2] == (422, 42206)
    assert (await confluent.no("DELETE", "/subjects/people%2Fperson/versions/1"))[:2] == (422, 42206)
    missing = said(deal, references=[{**refers[0], "version": 2}])
    assert (await confluent.no("POST", "/subjects/deal/versions", missing))[:2] == (422, 42201)
    ours = {"type": "object", "properties": {"buyer": {"$ref": "schema://parcel/1"}}}
    await confluent.http.post("/v1/schemas/parcel/versions", json={"schema": CLOSED})
    await confluent.http.post("/v1/schemas/order_of_parcel/versions", json={"schema": ours})
    shown = await confluent.ask("GET", "/subjects/order_of_parcel/versions/1")
    assert shown["references"] == [{"name": "schema://parcel/1", "subject": "parcel", "version": 1}]
    assert await confluent.ask("GET", "/subjects/parcel/versions/1/referencedby") == [shown["id"]]


async def test_metadata_and_rules_are_part_of_what_is_registered(confluent: Confluent) -> None:
    """They are kept, handed out and found by, and make another id; what is not as the protocol has it is refused."""
    await confluent.ask("PUT", "/config/labelled", {"compatibility": "NONE"})
    about = {"properties": {"owner": "billing"}, "tags": {"$.order": ["PII"]}}
    rules = {"domainRules": [{"name": "r", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": "x"}]}
    plain = await confluent.register("labelled", CLOSED)
    more = {"metadata": about, "ruleSet": rules}
    id = await confluent.register("labelled", CLOSED, **more)
    assert id != plain
    assert await confluent.register("labelled", CLOSED, **more) == id
    shown = await confluent.ask("GET", f"/schemas/ids/{id}")
    assert (shown["metadata"], shown["ruleSet"]) == (about, rules)
    found = await confluent.ask("GET", "/subjects/labelled/metadata?key=owner&value=billing")
    assert (found["version"], found["id"]) == (2, id)
    assert (await confluent.no("GET", "/subjects/labelled/metadata?key=owner&value=sales"))[1] == 40403
    assert (await confluent.no("GET", "/subjects/labelled/metadata?key=owner"))[0] == 400
    wrong: list[tuple[dict[str, Any], int]] = [
        ({"metadata": {"properties": {"a": 1}}}, 422),
        ({"metadata": {"tags": {"a": "PII"}}}, 422),
        ({"metadata": {"sensitive": "a"}}, 422),
        ({"metadata": []}, 422),
        ({"ruleSet": {"domainRules": [{}]}}, 42210),
        ({"ruleSet": {"domainRules": [rules["domainRules"][0]] * 2}}, 42210),
        ({"ruleSet": []}, 42210),
        ({"schemaTagsToAdd": [{}]}, 42205),
        ({"references": {}}, 422),
        ({"references": [{"name": "a"}]}, 422),
        ({"references": [{"name": "a", "subject": "b", "version": 1}] * 2}, 42201),
        ({"id": 5}, 42205),
        ({"id": "5"}, 422),
        ({"version": 9}, 42201),
    ]
    for extra, code in wrong:
        answer = await confluent.no("POST", "/subjects/labelled/versions", said(BROKEN, **extra))
        assert answer[:2] == (422, code), (extra, answer)
    unknown = said(CLOSED, shoeSize=44)
    assert await confluent.no("POST", "/subjects/labelled/versions", unknown) == (
        422,
        422,
        "Unrecognized field: shoeSize",
    )
    tolerant = {"confluent_accept_unknown_properties": "true"}
    assert (await confluent.ask("POST", "/subjects/labelled/versions", unknown, **tolerant))["id"] == plain


async def test_normalizing(confluent: Confluent) -> None:
    """The order of members makes another schema, unless the request or the config says that it does not."""
    turned = dict(reversed(CLOSED.items()))
    first = await confluent.register("ordered", CLOSED)
    assert (await confluent.no("POST", "/subjects/ordered", said(turned)))[1] == 40403
    assert (await confluent.ask("POST", "/subjects/ordered?normalize=True", said(turned)))["id"] == first
    path = "/subjects/ordered/versions?normalize=true"
    assert await confluent.ask("POST", path, said(turned)) == {"id": first}
    assert await confluent.ask("PUT", "/config/ordered", {"normalize": True}) == {"normalize": True}
    assert await confluent.ask("GET", "/config/ordered") == {"normalize": True}
    assert await confluent.register("ordered", turned) == first
    second = await confluent.register("ordered", {"title": "Order", **turned})
    shown = json.loads((await confluent.ask("GET", f"/schemas/ids/{second}"))["schema"])
    assert list(shown) == sorted(shown)


BAD_BODIES: list[tuple[bytes, int, int]] = [
    (b"{", 400, 400),
    (b"", 400, 400),
    (b"\xff", 400, 400),
    (b"[" * 20_000, 400, 400),
    (b'{"schema": NaN}', 400, 400),
    (b'{"schema": "\\ud800", "schemaType": "JSON"}', 400, 400),
    (b"[]", 422, 422),
    (b"null", 422, 422),
    (b"{}", 422, 42201),
    (b'{"schema": "{}"}', 422, 42201),
    (b'{"schema": "{}", "schemaType": "PROTOBUF"}', 422, 42201),
    (b'{"schema": "{}", "schemaType": 5}', 422, 42201),
    (b'{"schema": {}, "schemaType": "JSON"}', 422, 42201),
    (b'{"schema": "", "schemaType": "JSON"}', 422, 42201),
    (b'{"schema": "{", "schemaType": "JSON"}', 422, 42201),
    (b'{"schema": "[]", "schemaType": "JSON"}', 422, 42201),
    (b'{"schema": "5", "schemaType": "JSON"}', 422, 42201),
    (b'{"schema": "{\\"type\\": \\"nonsense\\"}", "schemaType": "JSON"}', 422, 42201),
    (b'{"schema": "{\\"properties\\": 5}", "schemaType": "JSON"}', 422, 42201),
    (b'{"schema": "{\\"pattern\\": \\"(\\"}", "schemaType": "JSON"}', 422, 42201),
    (b'{"schema": "{\\"$ref\\": \\"#/nowhere\\"}", "schemaType": "JSON"}', 422, 42201),
    (b'{"schema": "{\\"$ref\\": \\"http://127.0.0.1/x\\"}", "schemaType": "JSON"}', 422, 42201),
    (b'{"schema": "{\\"minimum\\": 1e999}", "schemaType": "JSON"}', 422, 42201),
    (
        b'{"schema": "' + b'{\\"not\\":' * 500 + b"{}" + b"}" * 500 + b'", "schemaType": "JSON"}',
        422,
        42201,
    ),
]


async def test_bad_bodies(confluent: Confluent) -> None:
    """Whatever is sent gets a clear 4xx in the protocol's form, on every path that takes a schema."""
    for body, status, code in BAD_BODIES:
        for path in ("/subjects/x/versions", "/subjects/x", "/compatibility/subjects/x/versions/latest"):
            answer = await confluent.no("POST", path, body)
            assert answer[:2] == (status, code), (body[:80], answer)
    assert await confluent.no("GET", "/subjects/x/versions") == (404, 40401, "Subject 'x' not found.")


async def test_sizes_have_limits(confluent: Confluent) -> None:
    """A large schema is 42209; a larger body is a 413, before it is parsed."""
    large = {"enum": ["x" * 1000] + [str(number) + "y" * 1000 for number in range(2200)]}
    assert (await confluent.no("POST", "/subjects/x/versions", said(large)))[:2] == (422, 42209)
    assert (await confluent.no("POST", "/subjects/x/versions", b" " * (8 * 1024 * 1024 + 1)))[:2] == (
        413,
        413,
    )


async def test_what_no_strict_form_can_hold_is_still_registered(confluent: Confluent) -> None:
    """Other teams only validate with it; extraction says why not, and no list or document breaks over it."""
    await confluent.register("impossible", False)
    answer = await confluent.http.post("/v1/extract/impossible", json={"input": {"text": "x"}})
    assert (answer.status_code, answer.json()["code"]) == (422, "schema_refused")
    assert (await confluent.http.get("/v1/schemas")).status_code == 200
    assert (await confluent.http.get("/openapi.json")).status_code == 200


async def test_the_wire(confluent: Confluent) -> None:
    """Unknown paths, other methods and media types are told in the protocol's form, and what is asked for is sent."""
    assert await confluent.no("GET", "/nowhere") == (404, 404, "HTTP 404 Not Found")
    assert await confluent.no("GET", "/subjects/a/b") == (404, 404, "HTTP 404 Not Found")
    assert (await confluent.no("GET", "/associations/resources/-/topic"))[0] == 404
    answer = await confluent.send("PATCH", "/config")
    assert answer.json() == {"error_code": 405, "message": "HTTP 405 Method Not Allowed"}
    assert answer.headers["allow"] == "GET, PUT, DELETE"
    for kind in (V1_JSON, "application/vnd.schemaregistry+json", "application/json; charset=utf-8"):
        found = await confluent.send("POST", "/subjects/x/versions", said(CLOSED), content_type=kind)
        assert found.status_code == 200
    assert (await confluent.no("POST", "/subjects/x/versions", said(CLOSED), content_type="text/csv"))[
        0
    ] == 415
    for accept, kind in (
        ("application/json", "application/json"),
        ("*/*", V1_JSON),
        (
            "application/json;q=0.5, application/vnd.schemaregistry+json",
            "application/vnd.schemaregistry+json",
        ),
        (f"{V1_JSON}, application/vnd.schemaregistry+json, application/json", V1_JSON),
    ):
        assert (await confluent.send("GET", "/subjects", accept=accept)).headers["content-type"] == kind
    for accept in ("text/html", "application/json;q=0"):
        assert (await confluent.no("GET", "/subjects", accept=accept))[0] == 406
    assert (await confluent.send("GET", "/subjects")).headers["x-request-id"]


async def test_compatibility(confluent: Confluent) -> None:
    """Compatible, refused with reasons, against one version and all, at the level that was set, by the protocol's policy."""
    path = "/compatibility/subjects/compared/versions"
    yes = {"is_compatible": True, "messages": []}
    assert await confluent.ask("POST", f"{path}/latest", said(CLOSED)) == yes, "nothing follows nothing"
    assert await confluent.ask("POST", path, said(CLOSED)) == yes
    assert (await confluent.no("POST", f"{path}/1", said(CLOSED)))[1] == 40401
    await confluent.ask("PUT", "/config/compared", {"compatibility": "BACKWARD"})
    await confluent.register("compared", CLOSED)
    assert await confluent.ask("POST", f"{path}/latest?normalize=False&verbose=False", said(WIDER)) == yes
    no = {"is_compatible": False, "messages": []}
    for where in (path, f"{path}/1", f"{path}/latest", f"{path}/-1"):
        assert await confluent.ask("POST", where, said(BROKEN)) == no
    told = await confluent.ask("POST", f"{path}/latest?verbose=True", said(BROKEN))
    assert told["is_compatible"] is False
    assert "errorType:'TYPE_CHANGED'" in told["messages"][0]
    assert "#/properties/order" in told["messages"][0]
    assert told["messages"][1:] == [
        "{oldSchemaVersion: 1}",
        f"{{oldSchema: '{text(CLOSED)}'}}",
        "{compatibility: 'BACKWARD'}",
    ]
    status, code, message = await confluent.no("POST", "/subjects/compared/versions", said(BROKEN))
    assert (status, code) == (409, 40901)
    assert message.startswith(
        'Schema being registered is incompatible with an earlier schema for subject "compared", details: [{errorType:'
    )
    # An optional property more in an open schema: STRICT says no, LENIENT says yes.
    await confluent.ask("PUT", "/config/open", {"compatibility": "BACKWARD"})
    opened = {"type": "object", "properties": {"a": {"type": "string"}}}
    more = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    await confluent.register("open", opened)
    assert (await confluent.no("POST", "/subjects/open/versions", said(more)))[1] == 40901
    await confluent.ask("PUT", "/config/open", {"compatibilityPolicy": "LENIENT"})
    await confluent.register("open", more)


async def test_groups_are_compared_by_themselves(confluent: Confluent) -> None:
    """With a compatibility group, only versions with the same property are held against each other, on both faces."""
    config = {"compatibility": "FULL", "compatibilityGroup": "major"}
    assert await confluent.ask("PUT", "/config/grouped", config) == config
    await confluent.register("grouped", CLOSED, metadata={"properties": {"major": "1"}})
    await confluent.register("grouped", BROKEN, metadata={"properties": {"major": "2"}})
    again = said(
        {**CLOSED, "properties": {"order": {"type": "null"}}}, metadata={"properties": {"major": "1"}}
    )
    assert (await confluent.no("POST", "/subjects/grouped/versions", again))[1] == 40901


async def test_config(on_both: Confluent) -> None:
    """Global and by subject, seen and set from both sides; a level alone brings policy STRICT."""
    confluent = on_both
    default = {"compatibilityLevel": "FULL_TRANSITIVE", "compatibilityPolicy": "RECORDS"}
    assert await confluent.ask("GET", "/config") == default
    assert await confluent.ask("GET", "/config/s?defaultToGlobal=True") == default
    put = {"compatibility": "backward"}
    assert await confluent.ask("PUT", "/config", put) == put
    assert await confluent.ask("GET", "/config") == {"compatibilityLevel": "BACKWARD"}
    assert await confluent.ask("GET", "/config/s?defaultToGlobal=true") == {"compatibilityLevel": "BACKWARD"}
    assert (await confluent.no("GET", "/config/s?defaultToGlobal=false"))[1] == 40408
    body = {"compatibility": "FORWARD", "compatibilityPolicy": "LENIENT"}
    assert await confluent.ask("PUT", "/config/s", body) == body
    assert await confluent.ask("GET", "/config/s") == {
        "compatibilityLevel": "FORWARD",
        "compatibilityPolicy": "LENIENT",
    }
    await confluent.register("s", CLOSED)
    seen = (await confluent.http.get("/v1/schemas/s/config")).json()
    assert (seen["level"], seen["policy"]) == ("FORWARD", "LENIENT")
    await confluent.http.put("/v1/schemas/s/config", json={"level": "FULL", "policy": "RECORDS"})
    assert await confluent.ask("GET", "/config/s") == {
        "compatibilityLevel": "FULL",
        "compatibilityPolicy": "RECORDS",
    }
    assert await confluent.ask("DELETE", "/config/s") == {
        "compatibilityLevel": "FULL",
        "compatibilityPolicy": "RECORDS",
    }
    assert (await confluent.no("DELETE", "/config/s"))[1] == 40408
    seen = (await confluent.http.get("/v1/schemas/s/config")).json()
    assert (seen["level"], seen["policy"]) == ("BACKWARD", "STRICT")
    assert await confluent.ask("DELETE", "/config") == {"compatibilityLevel": "BACKWARD"}
    assert await confluent.ask("GET", "/config") == default
    await confluent.ask("PUT", "/config/s", {"compatibility": "FULL"})
    await confluent.http.put("/v1/schemas/s/config", json={"level": None, "policy": None})
    assert (await confluent.no("GET", "/config/s"))[1] == 40408
    for wrong, code in (
        ({"compatibility": "SIDEWARD"}, 42203),
        ({"compatibility": None}, 42203),
        ({"compatibility": 5}, 42203),
        ({"compatibility": "FULL", "compatibilityLevel": "NONE"}, 42203),
        ({"compatibilityPolicy": "LAX"}, 42203),
        ({}, 42203),
        ({"alias": "other"}, 42205),
        ({"defaultMetadata": {}}, 42205),
        ({"overrideRuleSet": {}}, 42205),
        ({"normalize": "yes"}, 422),
        ({"compatibilityGroup": 5}, 422),
        ({"unknown": 1}, 422),
        ([], 422),
    ):
        for path in ("/config", "/config/s"):
            assert (await confluent.no("PUT", path, wrong))[:2] == (422, code), wrong
    assert await confluent.no("PUT", "/config", {"compatibility": "?"}) == (422, 42203, LEVELS)


async def test_modes(on_both: Confluent) -> None:
    """A closed subject takes nothing on either face, what is registered is still found, and an override beats all."""
    confluent = on_both
    await confluent.register("moody", CLOSED)
    assert await confluent.ask("GET", "/mode") == {"mode": "READWRITE"}
    assert await confluent.ask("GET", "/mode/moody?defaultToGlobal=true") == {"mode": "READWRITE"}
    assert await confluent.ask("PUT", "/mode/moody?force=False", {"mode": "readonly"}) == {"mode": "READONLY"}
    assert await confluent.ask("GET", "/mode/moody") == {"mode": "READONLY"}
    closed = (422, 42205, "Subject moody is in read-only mode")
    assert await confluent.no("POST", "/subjects/moody/versions", said(WIDER)) == closed
    assert await confluent.ask("POST", "/subjects/moody/versions", said(CLOSED))
    for method, path, body in (
        ("DELETE", "/subjects/moody", None),
        ("DELETE", "/subjects/moody/versions/1", None),
        ("PUT", "/config/moody", {"compatibility": "NONE"}),
    ):
        assert (await confluent.no(method, path, body))[:2] == (422, 42205)
    published = await confluent.http.post("/v1/schemas/moody/versions", json={"schema": WIDER})
    assert (published.status_code, published.json()["code"]) == (409, "read_only")
    assert await confluent.ask("DELETE", "/mode/moody") == {"mode": "READONLY"}
    assert (await confluent.no("DELETE", "/mode/moody"))[1] == 40409
    await confluent.ask("PUT", "/mode/moody", {"mode": "READWRITE"})
    assert await confluent.ask("PUT", "/mode", {"mode": "READONLY_OVERRIDE"}) == {"mode": "READONLY_OVERRIDE"}
    assert (await confluent.no("POST", "/subjects/moody/versions", said(WIDER)))[1] == 42205
    assert (await confluent.no("PUT", "/config", {"compatibility": "NONE"}))[1] == 42205
    assert (await confluent.no("DELETE", "/config"))[1] == 42205
    assert await confluent.ask("DELETE", "/mode") == {"mode": "READONLY_OVERRIDE"}
    assert await confluent.ask("GET", "/mode") == {"mode": "READWRITE"}
    for wrong, code in (({"mode": "SLEEPY"}, 42204), ({}, 42204), ({"mode": 5}, 42204), ([], 422)):
        assert (await confluent.no("PUT", "/mode", wrong))[:2] == (422, code)
    assert (await confluent.no("PUT", "/mode/moody", {"mode": "READONLY_OVERRIDE"}))[1] == 42205


async def test_importing_keeps_ids_and_numbers(on_both: Confluent) -> None:
    """In mode IMPORT, who registers chooses id and version; nothing that is there is overwritten."""
    confluent = on_both
    assert (await confluent.no("PUT", "/mode", {"mode": "IMPORT"}))[1] == 42205, "there are subjects"
    await confluent.ask("PUT", "/mode/moved", {"mode": "IMPORT"})
    body = said(CLOSED, id=4711, version=7)
    assert await confluent.ask("POST", "/subjects/moved/versions", body) == {"id": 4711}
    assert await confluent.ask("POST", "/subjects/moved/versions", body) == {"id": 4711}
    shown = await confluent.ask("GET", "/subjects/moved/versions/7")
    assert (shown["id"], shown["schema"]) == (4711, text(CLOSED))
    assert (await confluent.no("POST", "/subjects/moved/versions", said(WIDER, id=4711)))[1] == 42207
    for large in ({"id": 2**31 - 1}, {"version": 2**31 - 1}):
        assert (await confluent.no("POST", "/subjects/moved/versions", said(WIDER, **large)))[1] == 42205
    assert (await confluent.no("POST", "/subjects/moved/versions", said(WIDER, id=5000, version=7)))[
        1
    ] == 42205
    assert await confluent.ask("POST", "/subjects/moved/versions", said(BROKEN, id=5000)) == {"id": 5000}
    assert await confluent.ask("GET", "/subjects/moved/versions") == [7, 8]
    await confluent.ask("DELETE", "/mode/moved")
    assert (await confluent.no("POST", "/subjects/moved/versions", said(WIDER, id=6000)))[1] == 42205
    assert await confluent.register("next", WIDER) == 5001


async def test_many_at_once(on_both: Confluent) -> None:
    """Equal schemas registered at the same time are one version; different ones get gapless numbers; nobody gets a 5xx."""
    confluent = on_both
    await confluent.ask("PUT", "/config", {"compatibility": "NONE"})
    tolerant = {"confluent_accept_unknown_properties": "true"}
    answers = await asyncio.gather(
        *(confluent.send("POST", "/subjects/rush/versions", said(CLOSED), **tolerant) for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    schemas = [{**CLOSED, "title": f"Order {number}"} for number in range(20)]
    answers = await asyncio.gather(
        *(confluent.send("POST", "/subjects/rush/versions", said(schema), **tolerant) for schema in schemas)
    )
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, 22))
    assert len({answer.json()["id"] for answer in answers}) == 20


async def test_another_process_knows_it_at_once(sandbox: str, database_url: str) -> None:
    """A reader asks any replica for the schema of a record whose writer has just registered it with another one."""
    settings = settings_for(sandbox, database_url)
    settings.schemas.refresh_s = 60
    async with running(settings) as one, running(settings) as other:
        writer, reader = Confluent(one), Confluent(other)
        id = await writer.register("fresh", CLOSED)
        assert (await reader.ask("GET", f"/schemas/ids/{id}"))["schema"] == text(CLOSED)
        await writer.register("fresh-too", CLOSED)
        assert (await reader.ask("POST", "/subjects/fresh-too", said(CLOSED)))["id"] == id
        assert (await reader.no("GET", "/subjects/never/versions"))[1] == 40401


async def test_keys(sandbox: str, tmp_path: Any) -> None:
    """The service's key as a bearer token or as a password; without it a 401 in the protocol's form, on every path."""
    settings = settings_for(sandbox, f"sqlite:///{tmp_path}/w.db", api_key="sesame: open")
    async with running(settings) as client:
        confluent = Confluent(client)

        def basic(pair: str) -> str:
            return f"Basic {base64.b64encode(pair.encode()).decode()}"

        assert await confluent.ask("GET", "/schemas/types", authorization="Bearer sesame: open") == ["JSON"]
        assert await confluent.ask("GET", "/schemas/types", authorization=basic("me:sesame: open")) == [
            "JSON"
        ]
        for wrong in (
            "",
            "Bearer nope",
            basic("sesame: open:"),
            basic("x"),
            "Basic %%%",
            "Basic",
            "Digest a",
        ):
            for path in ("/subjects", "/nowhere"):
                answer = await confluent.send("GET", path, authorization=wrong)
                assert (answer.status_code, answer.json()["error_code"]) == (401, 401), wrong
                assert answer.headers["www-authenticate"].startswith("Basic")
                assert "sesame" not in answer.text


async def test_limits_of_the_service_are_told_in_this_form(sandbox: str, tmp_path: Any) -> None:
    """Too many requests at once and too many bytes are refused before this face is asked, and still in its form."""
    url = f"sqlite:///{tmp_path}/w.db"
    async with running(settings_for(sandbox, url, max_in_flight=1, max_body_bytes=2048)) as client:
        confluent = Confluent(client)
        assert (await confluent.no("POST", "/subjects/x/versions", b"x" * 4096))[:2] == (413, 413)
        answers = await asyncio.gather(
            *(confluent.send("POST", "/subjects/x/versions", said(CLOSED)) for _ in range(4))
        )
        busy = [answer for answer in answers if answer.status_code == 503]
        assert busy
        assert set(busy[0].json()) == {"error_code", "message"}
        assert busy[0].headers["retry-after"]


async def test_a_database_that_does_not_answer(confluent: Confluent, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the protocol's 50001, and an unforeseen error is told in its form too."""
    from service.foundation.database import StorageUnavailable
    from service.registry.store import Store

    async def fail(*_: Any, **__: Any) -> None:
        raise StorageUnavailable("The database answered nothing.", retry_after=2)

    async def break_down(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("never shown")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", fail)
        assert (await confluent.no("POST", "/subjects/x/versions", said(CLOSED)))[:2] == (500, 50001)
        patch.setattr(Store, "write", break_down)
        answer = await confluent.send("POST", "/subjects/x/versions", said(CLOSED))
    assert (answer.status_code, answer.json()["error_code"]) == (500, 500)
    assert "never shown" not in answer.text


async def test_it_can_be_switched_off(sandbox: str, tmp_path: Any) -> None:
    """Then nothing lives there, and the service's own form of errors applies."""
    settings = settings_for(sandbox, f"sqlite:///{tmp_path}/w.db")
    settings.schemas.confluent = False
    async with running(settings) as client:
        answer = await client.get("/confluent/subjects")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert "/confluent" not in (await client.get("/openapi.json")).json()["info"]["description"]


def test_a_guid_is_the_head_of_the_digest() -> None:
    """Equal contents have equal guids, on every replica."""
    from service.registry.confluent.wire import guid

    digest = hashlib.sha256(b"x").hexdigest()
    assert guid(f"sha256:{digest}").replace("-", "") == digest[:32]
