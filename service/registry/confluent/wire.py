"""The protocol's JSON: what clients send, and what they get."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from service.foundation import jsontext
from service.registry.confluent.errors import (
    invalid_rule_set,
    invalid_schema,
    not_permitted,
    schema_too_large,
    unreadable,
)
from service.registry.confluent.names import MAX_NUMBER, plain, whole
from service.registry.contents import Content, Reference
from service.registry.references import MAX_BUNDLED_BYTES, MAX_REFERENCES
from service.registry.snapshot import Published

JSON = "JSON"
MAX_DEPTH = 120
"""Levels of a body and of a schema, as everywhere in the registry."""

_LONGEST = 1024
"""Characters of a reference's name and subject."""

_MEMBERS = frozenset(["schema", "schemaType", "references", "metadata", "ruleSet", "id", "version"])
_NOT_SERVED = frozenset(["schemaTagsToAdd", "schemaTagsToRemove", "propagateSchemaTags"])
_RULE_LISTS = ("migrationRules", "domainRules", "encodingRules")


@dataclass(frozen=True, slots=True)
class Sent:
    """A schema that a client sent. ``references`` may name a version by -1, the latest. ``id`` and ``version`` are asked for."""

    schema: Mapping[str, Any] | bool = field(repr=False)
    references: tuple[Reference, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    id: int | None = None
    version: int | None = None


def members(body: Any, known: frozenset[str], refused: frozenset[str], *, tolerant: bool) -> dict[str, Any]:
    """The members of a body that say something; null says nothing.

    Clients that send ``Confluent-Accept-Unknown-Properties: true`` (``tolerant``) want to be read without what is not
    known. Raises 422, and 42205 for what the protocol has and this registry has not.
    """
    if not isinstance(body, dict):
        raise unreadable("The body is not a JSON object")
    given = {name: value for name, value in body.items() if value is not None}
    for name, value in given.items():
        if name in refused and value is not False:
            raise not_permitted(f"`{name}` is not served by this registry; leave it out")
        if name not in known and name not in refused and not tolerant:
            raise unreadable(f"Unrecognized field: {name[:64]}")
    return {name: value for name, value in given.items() if name in known}


def sent(body: Any, *, tolerant: bool) -> Sent:
    """The schema in a body. Raises 42201, 42209, 42210, 422."""
    given = members(body, _MEMBERS, _NOT_SERVED, tolerant=tolerant)
    kind = given.get("schemaType", "AVRO")
    if kind != JSON:
        shown = kind[:32] if isinstance(kind, str) else type(kind).__name__
        raise invalid_schema(
            f'Invalid schema type {shown}: this registry holds JSON Schema only; send "schemaType": "JSON"'
        )
    return Sent(
        schema=_schema(given.get("schema")),
        references=_references(given.get("references", [])),
        metadata=_metadata(given, tolerant=tolerant),
        id=whole(given.get("id"), "id"),
        version=whole(given.get("version"), "version"),
    )


def _schema(text: Any) -> Mapping[str, Any] | bool:
    if not isinstance(text, str):
        raise invalid_schema("`schema` is a string that contains the JSON Schema")
    if not text.strip():
        raise invalid_schema("Empty schema")
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > MAX_BUNDLED_BYTES:
        raise schema_too_large(MAX_BUNDLED_BYTES)
    try:
        schema = jsontext.parse(data, max_depth=MAX_DEPTH)
    except jsontext.MalformedJson as error:
        raise invalid_schema(f"Invalid schema of type JSON, details: it is not JSON: {error}") from None
    if not isinstance(schema, dict | bool):
        raise invalid_schema(
            "Invalid schema of type JSON, details: a JSON Schema is an object, true or false"
        )
    return schema


def _references(given: Any) -> tuple[Reference, ...]:
    if not isinstance(given, list):
        raise unreadable("`references` is a list")
    if len(given) > MAX_REFERENCES:
        raise invalid_schema(f"More than {MAX_REFERENCES} references; merge some schemas")
    found: dict[str, Reference] = {}
    for item in given:
        reference = _reference(item)
        if reference.name in found:
            raise invalid_schema("Two references have the same name")
        found[reference.name] = reference
    return tuple(found.values())


def _reference(item: Any) -> Reference:
    wanted = "A reference is an object with `name`, `subject` and `version`, a number or -1 for the latest"
    if not isinstance(item, dict):
        raise unreadable(wanted)
    name, subject, version = item.get("name"), item.get("subject"), item.get("version")
    if not (isinstance(name, str) and isinstance(subject, str) and type(version) is int):
        raise unreadable(wanted)
    if not (0 < len(name) <= _LONGEST and 0 < len(subject) <= _LONGEST and -1 <= version <= MAX_NUMBER):
        raise unreadable(wanted)
    return Reference(name, plain(subject), version or -1)


def _metadata(given: Mapping[str, Any], *, tolerant: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "metadata" in given:
        known = frozenset(["tags", "properties", "sensitive"])
        metadata = members(given["metadata"], known, frozenset(), tolerant=tolerant)
        _check("metadata.properties", metadata.get("properties", {}), _texts_by_name)
        _check("metadata.sensitive", metadata.get("sensitive", []), _texts)
        tags = metadata.get("tags", {})
        _check(
            "metadata.tags", tags, lambda value: isinstance(value, dict) and all(map(_texts, value.values()))
        )
        metadata = {name: value for name, value in metadata.items() if value}
        if metadata:
            found["metadata"] = metadata
    if "ruleSet" in given:
        rules = _rule_set(given["ruleSet"])
        if rules:
            found["ruleSet"] = rules
    return found


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _texts_by_name(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _check(member: str, value: Any, fits: Callable[[Any], bool]) -> None:
    if not fits(value):
        raise unreadable(f"`{member}` does not have the form that the protocol gives it")


def _rule_set(given: Any) -> dict[str, Any]:
    """Rules are run by clients: here they are kept and handed out, as a part of what was registered."""
    if not isinstance(given, dict):
        raise invalid_rule_set("it is an object of lists of rules")
    for name in _RULE_LISTS:
        rules = given.get(name)
        if rules is None:
            continue
        if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
            raise invalid_rule_set(f"`{name}` is a list of rules")
        names = [rule.get("name") for rule in rules]
        if not all(isinstance(item, str) and item for item in names):
            raise invalid_rule_set(f"every rule of `{name}` has a name")
        if len(set(names)) < len(names):
            raise invalid_rule_set(f"two rules of `{name}` have the same name")
    return {name: value for name, value in given.items() if value not in (None, [])}


# ------------------------------------------------------------------------------------------------------------- answers


def guid(digest: str) -> str:
    """The 128-bit name of a content: the head of its digest."""
    return str(uuid.UUID(hex=digest.removeprefix("sha256:")[:32]))


def text_of(content: Content) -> str:
    """The schema as its author wrote it, without white space between tokens."""
    return jsontext.render(content.schema).decode()


def _said(content: Content) -> dict[str, Any]:
    return {
        "schemaType": JSON,
        "references": [
            {"name": item.name, "subject": item.subject, "version": item.version}
            for item in content.references
        ],
        **{name: content.metadata[name] for name in ("metadata", "ruleSet") if name in content.metadata},
        "schema": text_of(content),
    }


def schema_body(content: Content) -> dict[str, Any]:
    """A schema by its id."""
    return _said(content)


def version_body(version: Published, content: Content) -> dict[str, Any]:
    """A version of a subject."""
    return {
        "subject": version.name,
        "version": version.number,
        "id": version.content_id,
        "guid": guid(version.digest),
        **_said(content),
        **({} if version.live else {"deleted": True}),
    }


def registered_body(version: Published, *, tolerant: bool) -> dict[str, Any]:
    """What registering answers; clients that take members they do not know also get the version."""
    body: dict[str, Any] = {"id": version.content_id}
    if tolerant:
        body |= {"version": version.number, "guid": guid(version.digest)}
    return body
