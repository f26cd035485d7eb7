"""The OpenAPI document of extraction: one typed operation per schema, and one for a schema that comes along.

Pure: schema versions in, paths and components out. Components follow JSON Schema 2020-12, the dialect of OpenAPI 3.1,
whatever draft the schema was written in.
"""

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service.extraction.wire import Envelope, EstimateBody, ExtractionBody, InlineEnvelope, Options
from service.registry import NAME, SchemaVersion

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

PROBLEMS: Mapping[str, str] = {
    "400": "The request is malformed, or asks for something that is not served.",
    "401": "A valid API key is needed.",
    "402": "The worst case costs more than `max_cost_usd`.",
    "404": "No such schema; near names stand in the detail. Or no such file, or one that has expired.",
    "406": "`Accept` leaves `application/json` out.",
    "409": "The request with this `Idempotency-Key` is still being worked on (`Retry-After`), or its answer is not kept.",
    "413": "The body is too large, or what the URL leads to.",
    "415": "A media type that is not read; the supported ones stand in the detail.",
    "422": "This document or schema cannot become a valid record. Do not retry.",
    "424": "What the URL leads to could not be fetched; it may work later.",
    "429": "Too many requests; see `Retry-After`.",
    "500": "A fault of ours.",
    "502": "The provider failed or broke its protocol.",
    "503": "Overloaded, or the provider's key or quota is the trouble; see `Retry-After`.",
    "504": "The deadline passed.",
}
"""Every status but success that extraction answers with."""

_FILES = (
    "application/pdf",
    "image/png",
    "image/jpeg",
    "text/plain",
    "text/html",
    "text/csv",
    "message/rfc822",
)
_EVENTS = (
    'With `Accept: text/event-stream`: `progress`, `snapshot` (`{"data": …}`, what is known so far, not validated, at most '
    "four a second), then one `record` (the JSON of this answer) or one `problem`. Of a long document, `progress` after each "
    "part says `parts_done`, `parts`, `rows` and `cost_usd`, in place of snapshots."
)
_MAX_IN_URL = 2000
_OPERATIONS = ("extract", "extract_inline", "estimate")
"""Operations that are there whatever schemas are."""
_EXAMPLE_TEXT = "INVOICE 2026-0417\nAcme GmbH\nTotal EUR 1,280.50"


def problems(*statuses: str) -> dict[int | str, dict[str, Any]]:
    """The problem responses of an operation."""
    return {status: {"description": PROBLEMS[status], "content": _PROBLEM} for status in statuses}


def describe(
    versions: Iterable[SchemaVersion], *, taken: Iterable[str] = ()
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Paths and component schemas of all extract operations; ``taken`` are components that others made.

    Versions come in the order of their names. Only schemas whose names can stand in a path get an operation.
    """
    components = _bodies()
    ours = {*components, *taken}
    ids = set(_OPERATIONS)
    used: set[str] = set()
    paths: dict[str, Any] = {}
    for version in versions:
        if not NAME.match(version.name):
            continue
        # `a-b`, `a_b` and what a schema defines may come out as the same name, or as one of ours.
        name = _pascal(version.name)
        while True:
            record, more = components_of(version, name)
            made = {f"{name}Record", f"{name}Extraction", *more}
            if not made & ours and name not in used:
                break
            name += "_"
        ours |= made
        used.add(name)
        id = f"extract_{version.name}".replace("-", "_")
        while id in ids:
            id += "_"
        ids.add(id)
        components.update(more)
        components[f"{name}Record"] = record
        typed = copy.deepcopy(components["ExtractionBody"])
        typed["title"] = f"{name}Extraction"
        typed["properties"]["data"] = {"$ref": f"#/components/schemas/{name}Record"}
        components[f"{name}Extraction"] = typed
        paths[f"/v1/extract/{version.name}"] = {"post": _typed(version, name, id)}
    paths["/v1/extract/{schema}"] = {"post": _by_name()}
    paths["/v1/extract"] = {"post": _inline()}
    paths["/v1/estimate/{schema}"] = {"post": _estimate()}
    return paths, components


def _bodies() -> dict[str, Any]:
    models: list[type[BaseModel]] = [Envelope, InlineEnvelope, ExtractionBody, EstimateBody]
    _, schemas = models_json_schema(
        [
            (model, "serialization" if model in (ExtractionBody, EstimateBody) else "validation")
            for model in models
        ],
        ref_template="#/components/schemas/{model}",
    )
    found: dict[str, Any] = schemas["$defs"]
    found["Options"]["properties"]["max_cost_usd"] = _money_schema()
    return found


def _money_schema() -> dict[str, Any]:
    return {
        "anyOf": [
            {"type": "string", "pattern": r"^\d{1,9}(\.\d+)?$"},
            {"type": "number", "minimum": 0, "maximum": 1e9},
            {"type": "null"},
        ],
        "title": "Max Cost Usd",
        "default": None,
        "description": Options.model_fields["max_cost_usd"].description,
        "examples": ["0.05"],
    }


def _typed(version: SchemaVersion, name: str, id: str) -> dict[str, Any]:
    return {
        **_operation(
            id,
            f"Extract: {version.title}",
            f"{name}Extraction",
            "Envelope",
        ),
        "description": version.description or f"One document into one record of `{version.name}`.",
    }


def _by_name() -> dict[str, Any]:
    operation = _operation("extract", "Extract with a schema by name", "ExtractionBody", "Envelope")
    operation["description"] = (
        "One document into one record. `schema` is `invoice`, `invoice@1` or `invoice@latest`."
    )
    operation["parameters"].insert(
        0,
        {
            "name": "schema",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": 256},
            "example": "invoice",
        },
    )
    return operation


def _inline() -> dict[str, Any]:
    operation = _operation(
        "extract_inline", "Extract with a schema of your own", "ExtractionBody", "InlineEnvelope"
    )
    operation["description"] = "One document into one record of the JSON Schema in the request."
    content = operation["requestBody"]["content"]
    for media_type in _FILES:
        del content[media_type]
    content["multipart/form-data"]["schema"]["properties"]["schema"] = {
        "type": "string",
        "description": "The JSON Schema as JSON text.",
    }
    content["multipart/form-data"]["schema"]["required"].append("schema")
    content["application/json"]["example"] = {
        "schema": {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]},
        "input": {"text": _EXAMPLE_TEXT},
    }
    return operation


def _estimate() -> dict[str, Any]:
    operation = _by_name()
    operation["operationId"] = "estimate"
    operation["summary"] = "Estimate tokens and cost"
    operation["description"] = (
        "What the same request to `/v1/extract/{schema}` would cost, low and worst. Nobody is asked."
    )
    operation["responses"]["200"] = {
        "description": "Tokens and cost.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/EstimateBody"}}},
    }
    return operation


def _operation(id: str, summary: str, result: str, envelope: str) -> dict[str, Any]:
    return {
        "operationId": id,
        "summary": summary,
        "tags": ["Extract"],
        "parameters": [*_options_in_query(), _prefer()],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": f"#/components/schemas/{envelope}"},
                    "example": {"input": {"text": _EXAMPLE_TEXT}, "options": {"store": True}},
                },
                "multipart/form-data": {"schema": _multipart()},
                **{media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in _FILES},
            },
        },
        "responses": {
            "200": {
                "description": "The record, validated against the schema.",
                "content": {
                    "application/json": {"schema": {"$ref": f"#/components/schemas/{result}"}},
                    "text/event-stream": {"schema": {"type": "string", "description": _EVENTS}},
                },
            },
            **problems(*PROBLEMS),
        },
    }


def _multipart() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {
                "type": "array",
                "items": {"type": "string", "format": "binary"},
                "minItems": 1,
                "description": "The document; several parts make one document, in order.",
            },
            "options": {
                "type": "string",
                "description": "Options as JSON text (see `Options`).",
                "examples": ['{"store": true}'],
            },
            "metadata": {"type": "string", "description": "Metadata as JSON text: an object of strings."},
        },
    }


def _options_in_query() -> list[dict[str, Any]]:
    schemas = Options.model_json_schema()["properties"]
    schemas["max_cost_usd"] = _money_schema()
    parameters = []
    for name, schema in schemas.items():
        examples = schema.pop("examples", [])
        choices = [choice for choice in schema.pop("anyOf", []) if choice.get("type") != "null"]
        if choices:
            schema = {**schema, **choices[0]}
            schema.pop("default", None)
        if "maxLength" in schema:  # a URL holds less than a body
            schema["maxLength"] = min(schema["maxLength"], _MAX_IN_URL)
        parameter = {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema.pop("description", ""),
            "schema": schema,
        }
        if examples:
            parameter["example"] = examples[0]
        parameters.append(parameter)
    return parameters


def _prefer() -> dict[str, Any]:
    return {
        "name": "Prefer",
        "in": "header",
        "required": False,
        "description": "`respond-async` is refused by this release; other preferences have no effect (RFC 7240).",
        "schema": {"type": "string"},
        "example": "return=representation",
    }


def idempotency_key() -> dict[str, Any]:
    """The header parameter of every operation that is carried out once per key."""
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        # Without `example`: fuzzers would send the same key with every request and be told so.
        "description": "A UUID, for instance. Carries the request out once: the same request with the same key within 24 hours is answered with the "
        "first one's answer (`Idempotency-Replayed: true`), if that was a success, a 402 or a 422; any other answer frees the "
        "key. 409 while the first one is worked on, 422 with another path, query or body. Not with `text/event-stream`.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    }


# ------------------------------------------------------------------------------------ components of customers' schemas


def components_of(version: SchemaVersion, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The record's schema in the 2020-12 dialect and the components it refers to, all named after ``name``.

    A reference that cannot be moved into components opens the whole record: callers still get its JSON, untyped.
    """
    schema = version.schema
    if not isinstance(schema, Mapping):
        return {"description": "Any JSON."}, {}
    moved = {"#": f"#/components/schemas/{name}Record"}
    definitions: dict[str, Any] = {}
    for keyword in ("definitions", "$defs"):
        group = schema.get(keyword)
        for key, definition in group.items() if isinstance(group, Mapping) else ():
            component = f"{name}{_pascal(key)}"
            while component in definitions or component == f"{name}Record":
                component += "_"
            definitions[component] = definition
            moved[f"#/{keyword}/{_escaped(key)}"] = f"#/components/schemas/{component}"
    try:
        record = _rewritten(schema, moved, root=True)
        components = {key: _rewritten(definition, moved) for key, definition in definitions.items()}
    except (_Immovable, RecursionError):
        title = schema.get("title")
        return {
            "title": title if isinstance(title, str) else name,
            "description": "See `GET /v1/schemas/{name}`.",
        }, {}
    return record, components


class _Immovable(Exception):
    """A reference to somewhere else than a definition."""


_IMMOVABLE = ("$anchor", "$dynamicRef", "$recursiveRef", "$dynamicAnchor", "$recursiveAnchor")
_MAPS = ("properties", "patternProperties", "dependentSchemas")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLE = (
    "items",
    "additionalProperties",
    "contains",
    "not",
    "if",
    "then",
    "else",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_PLAIN = (
    "type",
    "title",
    "description",
    "enum",
    "const",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "required",
    "dependentRequired",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "minContains",
    "maxContains",
    "contentEncoding",
    "contentMediaType",
)


def _rewritten(schema: Any, moved: Mapping[str, str], *, root: bool = False) -> Any:
    if not isinstance(schema, Mapping):
        return {"not": {}} if schema is False else {}
    if root and schema.get("$ref") == "#":
        raise _Immovable
    result: dict[str, Any] = {}
    for keyword, value in schema.items():
        result.update(_keyword(keyword, value, schema, moved))
    for bound in ("Minimum", "Maximum"):  # draft 4: a flag beside the bound
        flag = result.get(f"exclusive{bound}")
        if isinstance(flag, bool):
            del result[f"exclusive{bound}"]
            if flag and bound.lower() in result:
                result[f"exclusive{bound}"] = result.pop(bound.lower())
    return result


def _keyword(keyword: str, value: Any, schema: Mapping[str, Any], moved: Mapping[str, str]) -> dict[str, Any]:
    """What becomes of one keyword: nothing, for what 2020-12 does not know."""
    if keyword in _IMMOVABLE or (keyword == "$ref" and value not in moved):
        raise _Immovable
    if keyword == "$ref":
        return {"$ref": moved[value]}
    if keyword in _MAPS and isinstance(value, Mapping):
        return {keyword: {key: _rewritten(child, moved) for key, child in value.items()}}
    if keyword == "items" and isinstance(value, list):  # tuples before 2020-12
        rest = schema.get("additionalItems", True)
        return {
            "prefixItems": [_rewritten(child, moved) for child in value],
            "items": _rewritten(rest, moved),
        }
    if keyword in _LISTS and isinstance(value, list):
        return {keyword: [_rewritten(child, moved) for child in value]}
    if keyword in _SINGLE:
        return {keyword: value if isinstance(value, bool) else _rewritten(value, moved)}
    return {keyword: copy.deepcopy(value)} if keyword in _PLAIN else {}


def _pascal(name: str) -> str:
    words = re.split(r"[^A-Za-z0-9]+", name)
    return "".join(word[:1].upper() + word[1:] for word in words if word) or "Part"


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
