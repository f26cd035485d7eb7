"""Typed HTTP: the OpenAPI document of all schemas and of one version, and the types of a version."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import jsonschema_rs
import pytest
from conftest import running, settings_for
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from registry.test_types import imported, needs_corpus, records

from service.extraction import openapi
from service.registry import SchemaName, SchemaVersion

ORDER = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "description": "An order.",
    "properties": {
        "order": {"type": "string", "description": "As printed."},
        "weight": {"type": "number", "minimum": 0, "exclusiveMinimum": True, "description": "In kilograms."},
        "sender": {"$ref": "#/definitions/party", "description": "hidden by draft 4"},
    },
    "required": ["order"],
    "additionalProperties": False,
    "definitions": {
        "party": {"type": "object", "properties": {"name": {"type": "string", "description": "As printed."}}}
    },
}


async def publish(client: httpx2.AsyncClient, name: str, schema: Any) -> None:
    answer = await client.post(f"/v1/schemas/{name}/versions", json={"schema": schema})
    assert answer.status_code == 201, answer.text


async def test_what_is_published_has_an_operation_on_every_replica(sandbox: str, database_url: str) -> None:
    """Within seconds; the document keeps its tag while nothing changes, and is not made anew for a request."""
    settings = settings_for(sandbox, database_url)
    async with running(settings) as one, running(settings) as two:
        before = await two.get("/openapi.json")
        assert (
            await two.get("/openapi.json", headers={"if-none-match": before.headers["etag"]})
        ).status_code == 304
        made, describe = [], openapi.describe
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(openapi, "describe", lambda *a, **k: made.append(1) or describe(*a, **k))
            await publish(one, "parcel", ORDER)
            started = time.monotonic()
            while "/v1/extract/parcel" not in (found := await two.get("/openapi.json")).json()["paths"]:
                assert time.monotonic() - started < 30
                await asyncio.sleep(0.05)
            for _ in range(5):
                assert (await two.get("/openapi.json")).headers["etag"] == found.headers["etag"]
            assert len(made) == 1
        assert found.headers["etag"] != before.headers["etag"]
        record = found.json()["components"]["schemas"]["ParcelRecord"]
        assert record["properties"]["weight"] == {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "In kilograms.",
        }
        assert record["properties"]["sender"] == {"$ref": "#/components/schemas/ParcelParty"}


async def test_the_document_of_one_version(client: httpx2.AsyncClient) -> None:
    """It is valid by itself, pinned to the version, secured as all, and may be kept by its tag."""
    await publish(client, "parcel", ORDER)
    path = "/v1/schemas/parcel/versions/1/openapi.json"
    answer = await client.get(path)
    document = answer.json()
    validate(document)
    assert list(document["paths"]) == ["/v1/extract/parcel@1", "/v1/extractions/{id}"]
    operation = document["paths"]["/v1/extract/parcel@1"]["post"]
    assert operation["security"] == [{"bearer": []}, {}]
    whole = (await client.get("/openapi.json")).json()
    assert document["components"]["securitySchemes"] == whole["components"]["securitySchemes"]
    assert (
        operation["parameters"] == whole["paths"]["/v1/extract/parcel"]["post"]["parameters"]
    )  # what is described there is described here
    assert set(references(document)) <= {
        f"#/components/schemas/{name}" for name in document["components"]["schemas"]
    }
    assert document["components"]["schemas"]["ParcelRecord"] == whole["components"]["schemas"]["ParcelRecord"]
    answers = await client.post(
        "/v1/extract/parcel@1?store=true", content=b"Order: A-1\n", headers={"content-type": "text/plain"}
    )
    components = document["components"]["schemas"]
    typed = {"$ref": "#/components/schemas/ParcelExtraction", "components": {"schemas": components}}
    jsonschema_rs.Draft202012Validator(typed).validate(answers.json())
    stored = (await client.get(f"/v1/extractions/{answers.json()['id']}")).json()
    jsonschema_rs.Draft202012Validator(typed).validate(stored)
    assert answer.headers["cache-control"] == "private, max-age=3600"
    again = await client.get(path, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


async def test_the_types_of_one_version(client: httpx2.AsyncClient) -> None:
    """Modules of the right media types, with tags; what the service answers loads in the models."""
    await publish(client, "parcel", ORDER)
    python = await client.get("/v1/schemas/parcel/versions/1/model.py")
    assert python.headers["content-type"] == "text/x-python; charset=utf-8"
    assert python.headers["x-content-type-options"] == "nosniff"
    models = imported(python.text)
    answer = await client.post(
        "/v1/extract/parcel@1",
        content=b"Order: A-1\nWeight: 2.5 kg\n",
        headers={"content-type": "text/plain"},
    )
    record = models.Parcel.model_validate(answer.json()["data"])
    assert record.order == "A-1"
    script = await client.get("/v1/schemas/parcel/versions/1/model.ts")
    assert script.headers["content-type"] == "text/x-typescript; charset=utf-8"
    assert "export interface Parcel {" in script.text
    assert "sha256:" in script.text
    for kind, first in (("py", python), ("ts", script)):
        again = await client.get(
            f"/v1/schemas/parcel/versions/1/model.{kind}", headers={"if-none-match": first.headers["etag"]}
        )
        assert again.status_code == 304


async def test_no_body_has_defaults(client: httpx2.AsyncClient) -> None:
    """Generated clients would send them over a schema's own policy, or promise members of records that are not there."""
    schema = {
        **ORDER,
        "properties": {"order": {"type": "string", "default": "none", "description": "As printed."}},
    }
    await publish(client, "parcel", schema)
    document = (await client.get("/openapi.json")).json()
    components = document["components"]["schemas"]
    assert components["ParcelRecord"]["properties"]["order"] == {
        "type": "string",
        "description": "As printed.",
    }
    assert 'Default: `"auto"`.' in components["Options"]["properties"]["policy"]["description"]
    for name, component in components.items():
        for member, described in component.get("properties", {}).items():
            assert "default" not in described, f"{name}.{member}"
    for parameter in document["paths"]["/v1/extract/invoice"]["post"]["parameters"]:
        assert "default" not in parameter["schema"], parameter["name"]


async def test_every_option_shows_with_an_example(client: httpx2.AsyncClient) -> None:
    """In the JSON form and in the query, each with what it means."""
    document = (await client.get("/openapi.json")).json()
    options = document["components"]["schemas"]["Options"]["properties"]
    query = {
        one["name"]: one
        for one in document["paths"]["/v1/extract/invoice"]["post"]["parameters"]
        if one["in"] == "query"
    }
    assert set(query) >= set(options)
    for name, described in options.items():
        assert described["examples"], name
        assert described["description"], name
        assert query[name].get("example") or query[name]["schema"]["examples"], name


async def test_members_may_be_called_like_keywords(client: httpx2.AsyncClient) -> None:
    """A member named `default` is no default, and one named `examples` holds a schema."""
    names = ["default", "type", "examples", "enum", "properties", "$ref"]
    text = {"type": "string", "description": "As printed."}
    schema = {"type": "object", "properties": dict.fromkeys(names, text), "required": names}
    await publish(client, "parcel", schema)
    components = (await client.get("/openapi.json")).json()["components"]["schemas"]
    assert components["ParcelRecord"]["properties"] == dict.fromkeys(names, text)
    assert components["ParcelRecord"]["required"] == names


@pytest.mark.parametrize("kind", ["openapi.json", "model.py", "model.ts"])
async def test_versions_that_are_not_there(client: httpx2.AsyncClient, kind: str) -> None:
    """A problem that says what there is. What pins a version takes its number only; types are read by alias, too."""
    for path, status in (
        ("nothing/versions/1", 404),
        ("invoice/versions/99", 404),
        ("invoice/versions/x", 400 if kind == "openapi.json" else 404),
    ):
        answer = await client.get(f"/v1/schemas/{path}/{kind}")
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


def test_names_that_come_out_alike_get_components_of_their_own() -> None:
    """Schemas whose names or definitions make the same component name do not share it."""
    one = {
        "type": "object",
        "properties": {"x": {"$ref": "#/definitions/record"}},
        "definitions": {"record": {"type": "string"}},
    }
    names = ["a-b", "a_b", "envelope", "ab", "a-b-record"]
    versions = [SchemaVersion(SchemaName(name), 1, {**one, "title": name}) for name in names]
    paths, components = openapi.describe(versions, taken=["Problem"])
    ids = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert len(ids) == len(set(ids))
    for name in names:
        ref = paths[f"/v1/extract/{name}"]["post"]["responses"]["200"]["content"]["application/json"][
            "schema"
        ]
        extraction = components[ref["$ref"].rpartition("/")[2]]
        record = components[extraction["properties"]["data"]["$ref"].rpartition("/")[2]]
        assert record["title"] == name


@needs_corpus
@pytest.mark.corpus
@pytest.mark.timeout(1800)
def test_documents_of_real_schemas_are_valid() -> None:
    """Whatever a schema holds, the document of its version is valid OpenAPI, and its component decides as the schema does."""
    judged = 0
    for record in records(200):
        schema = record["schema"]
        if not isinstance(schema, dict) or len(json.dumps(schema)) > 30_000:  # the outside validator is slow
            continue
        document = openapi.pinned(SchemaVersion(SchemaName("thing"), 1, schema))
        assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == [], record["id"]
        components = document["components"]["schemas"]
        judge = jsonschema_rs.Draft202012Validator(
            {"$ref": "#/components/schemas/ThingRecord", "components": {"schemas": components}}
        )
        assert all(judge.is_valid(value) for value in record["valid"]), record["id"]
        assert not any(judge.is_valid(value) for value in record["invalid"]), record["id"]
        judged += 1
    assert judged > 10
