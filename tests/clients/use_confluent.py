"""confluent-kafka's SchemaRegistryClient and JSON serializer, as their documentation uses them, against `/confluent`.

Told by the environment: REGISTRY_URL, REGISTRY_KEY. Prints the names of the checks that passed.
"""

import json
import os
import struct
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from confluent_kafka.schema_registry import (
    ConfigCompatibilityLevel,
    Metadata,
    MetadataProperties,
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    SchemaRegistryError,
    ServerConfig,
)
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError

URL, KEY = os.environ["REGISTRY_URL"], os.environ["REGISTRY_KEY"]


the_client = SchemaRegistryClient({"url": URL, "basic.auth.user.info": f"any user:{KEY}"})


def client() -> SchemaRegistryClient:
    """The client, without what it remembers of earlier answers."""
    the_client.clear_caches()
    return the_client


def schema(*required: str, **more: Any) -> Schema:
    """An order, closed, with text properties; the optional ones are in ``more``."""
    properties = {name: {"type": "string"} for name in required} | more
    said = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Order",
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }
    return Schema(json.dumps(said), "JSON")


def refused(status: int, code: int, call: Callable[[], object]) -> str:
    """The message of an error that a call raises."""
    try:
        answer = call()
    except SchemaRegistryError as error:
        found = error
    else:
        raise AssertionError(f"nothing was raised: {answer}")
    assert (found.http_status_code, found.error_code) == (status, code), found
    return found.error_message


V1, V2, V3 = schema("order"), schema("order", note={"type": "string"}), schema("order", "customer")


def register_and_read() -> None:
    subject = "orders-value"
    first = client().register_schema(subject, V1)
    assert client().register_schema(subject, V1) == first
    assert client().register_schema("copies/of orders-value", V1) == first
    got = client().get_schema(first)
    assert (got.schema_type, json.loads(got.schema_str)) == ("JSON", json.loads(V1.schema_str))
    found = client().lookup_schema(subject, V1)
    assert (found.subject, found.schema_id, found.version) == (subject, first, 1)
    assert uuid.UUID(found.guid)
    by_guid = client().get_schema_by_guid(found.guid)
    assert json.loads(by_guid.schema_str) == json.loads(V1.schema_str)
    assert {subject, "copies/of orders-value"} <= set(client().get_subjects())
    assert client().get_subjects(subject_prefix="copies/") == ["copies/of orders-value"]
    assert client().get_subjects_by_schema_id(first) == ["copies/of orders-value", subject]
    pairs = [(item.subject, item.version) for item in client().get_schema_versions(first)]
    assert pairs == [("copies/of orders-value", 1), (subject, 1)]
    assert client().get_schema_types() == ["JSON"]
    assert client().get_contexts() == ["."]
    refused(404, 40401, lambda: client().lookup_schema("nothing", V1))
    refused(404, 40403, lambda: client().lookup_schema(subject, V2))
    refused(404, 40403, lambda: client().get_schema(2_000_000_000))
    refused(422, 42201, lambda: client().register_schema(subject, Schema('"string"', "AVRO")))
    refused(422, 42201, lambda: client().register_schema(subject, Schema('{"type": 5}', "JSON")))


def compatibility() -> None:
    subject = "compared-value"
    one = client()
    assert one.set_compatibility(subject, "backward") == {"compatibility": "BACKWARD"}
    assert one.get_compatibility(subject) == "BACKWARD"
    one.register_schema(subject, V1)
    assert one.test_compatibility(subject, V2)
    assert not one.test_compatibility(subject, V3)
    assert not one.test_compatibility_all_versions(subject, V3)
    message = refused(409, 40901, lambda: client().register_schema(subject, V3))
    assert "REQUIRED_PROPERTY_ADDED" in message, message
    assert "oldSchemaVersion: 1" in message, message
    assert client().register_schema_full_response(subject, V2).version == 2
    assert client().get_versions(subject) == [1, 2]
    latest = client().get_latest_version(subject)
    assert (latest.version, json.loads(latest.schema.schema_str)) == (2, json.loads(V2.schema_str))
    assert client().get_version(subject, 1).version == 1
    refused(404, 40402, lambda: client().get_version(subject, 7))
    refused(422, 42202, lambda: client().get_version(subject, 0))
    one.set_compatibility(subject, "NONE")
    assert one.test_compatibility(subject, V3)
    refused(422, 42203, lambda: one.set_compatibility(subject, "SIDEWARD"))


def config_and_mode() -> None:
    subject = "governed-value"
    one = client()
    refused(404, 40408, lambda: one.get_compatibility(subject))
    before = one.get_compatibility()
    one.set_config(config=ServerConfig(compatibility=ConfigCompatibilityLevel.FORWARD))
    assert one.get_config().compatibility_level == "FORWARD"
    one.set_config(
        subject, ServerConfig(compatibility=ConfigCompatibilityLevel.FULL, compatibility_group="major")
    )
    found = one.get_config(subject)
    assert (found.compatibility_level, found.compatibility_group) == ("FULL", "major")
    assert one.delete_config(subject).compatibility_level == "FULL"
    assert one.delete_config().compatibility_level == "FORWARD"
    assert one.get_compatibility() == before

    refused(404, 40409, lambda: one.get_mode(subject))
    assert one.update_mode(subject, "READONLY") == "READONLY"
    refused(422, 42205, lambda: client().register_schema(subject, V1))
    assert one.get_mode(subject) == "READONLY"
    assert one.delete_mode(subject) == "READONLY"
    client().register_schema(subject, V1)
    refused(422, 42204, lambda: one.update_mode(subject, "SLEEPY"))
    refused(422, 42205, lambda: one.update_mode(subject, "IMPORT"))
    assert one.get_global_mode() == "READWRITE"
    assert one.update_global_mode("READONLY_OVERRIDE") == "READONLY_OVERRIDE"
    refused(422, 42205, lambda: client().register_schema(subject, V2))
    assert one.update_global_mode("READWRITE") == "READWRITE"


def references() -> None:
    one = client()
    person = {"title": "Person", "type": "object", "properties": {"name": {"type": "string"}}}
    one.register_schema("person", Schema(json.dumps(person), "JSON"))
    said = {"title": "Deal", "type": "object", "properties": {"buyer": {"$ref": "person.json"}}}
    refused(422, 42201, lambda: client().register_schema("deal-value", Schema(json.dumps(said), "JSON")))
    deal = Schema(json.dumps(said), "JSON", [SchemaReference("person.json", "person", 1)])
    id = one.register_schema("deal-value", deal)
    assert client().get_referenced_by("person", 1) == [id]
    got = client().get_latest_version("deal-value").schema
    assert [(item.name, item.subject, item.version) for item in got.references] == [
        ("person.json", "person", 1)
    ]
    assert json.loads(got.schema_str) == said
    refused(422, 42206, lambda: client().delete_subject("person"))
    context = SerializationContext("deal", MessageField.VALUE)
    write = JSONSerializer(deal, client())
    assert JSONDeserializer(None, schema_registry_client=client())(
        write({"buyer": {"name": "Ada"}}, context), context
    ) == {"buyer": {"name": "Ada"}}
    try:
        write({"buyer": {"name": 7}}, context)
    except SerializationError:
        return
    raise AssertionError("a buyer's name is a text")


def metadata() -> None:
    one, subject = client(), "labelled-value"
    one.set_compatibility(subject, "NONE")
    ids = []
    for number, base in ((1, V1), (2, V2)):
        about = Metadata(None, MetadataProperties({"major version": str(number)}), None)
        ids.append(one.register_schema(subject, Schema(base.schema_str, "JSON", [], about)))
    assert len(set(ids)) == 2
    found = client().get_latest_with_metadata(subject, {"major version": "1"})
    assert (found.version, found.schema_id) == (1, ids[0])
    assert found.schema.metadata.properties.properties == {"major version": "1"}
    refused(404, 40403, lambda: client().get_latest_with_metadata(subject, {"major version": "3"}))


def deletion() -> None:
    subject = "doomed/value"
    one = client()
    one.set_compatibility(subject, "NONE")
    ids = [one.register_schema(subject, each) for each in (V1, V2, V3)]
    refused(404, 40407, lambda: client().delete_version(subject, 1, permanent=True))
    assert one.delete_version(subject, 1) == 1
    refused(404, 40406, lambda: client().delete_version(subject, 1))
    assert client().get_versions(subject) == [2, 3]
    assert client().get_versions(subject, deleted=True) == [1, 2, 3]
    assert client().get_versions(subject, deleted_only=True) == [1]
    refused(404, 40402, lambda: client().get_version(subject, 1))
    assert client().get_version(subject, 1, deleted=True).schema_id == ids[0]
    assert one.delete_version(subject, 1, permanent=True) == 1
    refused(404, 40402, lambda: client().get_version(subject, 1, deleted=True))
    refused(404, 40405, lambda: client().delete_subject(subject, permanent=True))
    assert one.delete_subject(subject) == [2, 3]
    refused(404, 40404, lambda: client().delete_subject(subject))
    refused(404, 40401, lambda: client().get_versions(subject))
    assert subject not in client().get_subjects()
    assert subject in client().get_subjects(deleted=True)
    assert subject in client().get_subjects(deleted_only=True)
    assert json.loads(client().get_schema(ids[1]).schema_str) == json.loads(V2.schema_str)
    assert client().register_schema_full_response(subject, V2).version == 4
    assert client().lookup_schema(subject, V2).schema_id == ids[1]
    assert client().delete_subject(subject) == [4]
    assert client().delete_subject(subject, permanent=True) == [2, 3, 4]
    refused(404, 40401, lambda: client().delete_subject(subject))


def round_trip() -> None:
    context = SerializationContext("shipments", MessageField.VALUE)
    writer, reader = JSONSerializer(V1.schema_str, client()), client()
    message = writer({"order": "A-4711"}, context)
    magic, id = struct.unpack(">bI", message[:5])
    assert (magic, id) == (0, client().get_latest_version("shipments-value").schema_id)
    assert JSONDeserializer(V1.schema_str, schema_registry_client=reader)(message, context) == {
        "order": "A-4711"
    }
    settings = {"auto.register.schemas": False, "use.latest.version": True}
    latest = JSONSerializer(V1.schema_str, client(), conf=settings)
    assert latest({"order": "A-1"}, context)[:5] == message[:5]
    lookup = JSONSerializer(V1.schema_str, client(), conf={"auto.register.schemas": False})
    assert lookup({"order": "A-1"}, context)[:5] == message[:5]


def many_at_once() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: client().register_schema_full_response("rush-value", V1), range(16)))
    assert len({(one.schema_id, one.version) for one in made}) == 1, made
    assert client().get_versions("rush-value") == [1]


def authentication() -> None:
    for credentials in (f"any user:{KEY}x", ":", "no colon:"):
        wrong = SchemaRegistryClient({"url": URL, "basic.auth.user.info": credentials})
        refused(401, 401, wrong.get_subjects)
    bearer = {
        "url": URL,
        "bearer.auth.credentials.source": "STATIC_TOKEN",
        "bearer.auth.token": KEY,
        "bearer.auth.logical.cluster": "lsrc-1",
        "bearer.auth.identity.pool.id": "pool-1",
    }
    assert SchemaRegistryClient(bearer).get_schema_types() == ["JSON"]


for check in (
    register_and_read,
    compatibility,
    config_and_mode,
    references,
    metadata,
    deletion,
    round_trip,
    many_at_once,
    authentication,
):
    check()
    print(check.__name__, flush=True)
