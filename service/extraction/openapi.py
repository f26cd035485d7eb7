"""The OpenAPI document of extraction: one typed operation per schema, and one for a schema that comes along.

Pure: schema versions in, paths and components out. Components follow JSON Schema 2020-12, the dialect of OpenAPI 3.1,
whatever draft the schema was written in.
"""

import copy
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service.extraction.wire import Envelope, EstimateBody, ExtractionBody, InlineEnvelope, Options
from service.foundation.problems import MEDIA_TYPE, Problem
from service.registry import NAME, SchemaVersion
from service.strict import children

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
SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "`WINNOW_API_KEY`; not needed on loopback without one.",
    }
}
"""The security schemes of every document."""

_OTHER_BODIES = ("EstimateBody", "InlineEnvelope")
"""Bodies that the document of one version has no operation for."""

_BY_NAME = ("properties", "patternProperties", "dependentSchemas", "$defs")
"""Keywords whose members are schemas by a name, which may be that of a keyword."""

_VALUES = ("const", "default", "enum", "example", "examples")
"""Keywords that hold values of customers or of ours, not schemas."""

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
        _add_record(components, name, record, more)
        paths[f"/v1/extract/{version.name}"] = {"post": _typed(version, name, id)}
    paths["/v1/extract/{schema}"] = {"post": _by_name()}
    paths["/v1/extract"] = {"post": _inline()}
    paths["/v1/estimate/{schema}"] = {"post": _estimate()}
    return paths, components


def pinned(version: SchemaVersion) -> dict[str, Any]:
    """An OpenAPI document of one version: its extract operation, and its stored records. Complete in itself."""
    name = _pascal(version.name)
    components = {kind: body for kind, body in _bodies().items() if kind not in _OTHER_BODIES}
    _, problem = models_json_schema([(Problem, "validation")], ref_template="#/components/schemas/{model}")
    components.update(problem["$defs"])
    record, more = components_of(version, name)
    while {f"{name}Record", f"{name}Extraction", *more} & set(components):
        name += "_"
        record, more = components_of(version, name)
    _add_record(components, name, record, more)
    components.pop("ExtractionBody")
    id = f"extract_{version.name}".replace("-", "_")
    paths = {
        f"/v1/extract/{version.name}@{version.version}": {"post": _typed(version, name, id)},
        "/v1/extractions/{id}": {"get": _stored(name)},
    }
    for path, operations in paths.items():
        finish(path, operations)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": version.title,
            "version": str(version.version),
            "summary": f"Extract `{version.name}`, version {version.version}.",
            "description": version.description or "Documents in, typed records out.",
        },
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": copy.deepcopy(SECURITY)},
    }


def _add_record(components: dict[str, Any], name: str, record: Any, more: Mapping[str, Any]) -> None:
    """Add a record, what it refers to, and the result that holds it, to the components."""
    components.update(more)
    components[f"{name}Record"] = record
    typed = copy.deepcopy(components["ExtractionBody"])
    typed["title"] = f"{name}Extraction"
    typed["properties"]["data"] = {"$ref": f"#/components/schemas/{name}Record"}
    components[f"{name}Extraction"] = typed


def finish(path: str, operations: dict[str, Any]) -> None:
    """What every operation has: the security scheme, the problems that any may answer with, the idempotency key."""
    for method, operation in operations.items():
        responses = operation["responses"]
        if "HTTPValidationError" in str(responses.get("422", "")):
            del responses["422"]  # FastAPI's own; ours is a 400
        protected = path.startswith("/v1/") or path == "/metrics"
        if protected:
            operation["security"] = [{"bearer": []}, {}]
        wanted = {"400", "500", *(("401", "503") if protected else ())}
        if protected and method == "post":
            operation["parameters"] = [*operation.get("parameters", []), _idempotency_key()]
            wanted |= {"409", "422"}
        for status in sorted(wanted - set(responses)):
            responses.update(problems(status))
        for status, response in responses.items():
            content = response.get("content", {})
            if status.isdigit() and int(status) >= 400 and "application/json" in content:
                content[MEDIA_TYPE] = content.pop("application/json")


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
    return {name: without_defaults(schema) for name, schema in found.items()}


def without_defaults(schema: Any) -> Any:
    """A schema of ours with its defaults said in words.

    Generators read `default` as a value to send, which would overrule what a schema's own policy says, and as a promise
    that the member is always there (openapi-typescript).
    """
    if isinstance(schema, list):
        return [without_defaults(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {
        key: value
        if key in _VALUES
        else {name: without_defaults(one) for name, one in value.items()}
        if key in _BY_NAME
        else without_defaults(value)
        for key, value in schema.items()
    }
    if "default" in schema and ("type" in schema or "anyOf" in schema or "$ref" in schema):
        default = result.pop("default")
        words = result.get("description", "")
        if default not in (None, "", [], {}):
            result["description"] = f"{words} Default: `{json.dumps(default)}`.".strip()
    return result


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


def _stored(name: str) -> dict[str, Any]:
    return {
        "operationId": "show_extraction",
        "summary": "Show a stored extraction",
        "description": "The result of an extraction with this schema that was asked for with `store`.",
        "tags": ["Extractions"],
        "parameters": [
            {
                "name": "id",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "maxLength": 256},
                "example": "ext_01kahx3v6m8q2d0z4w7y5t9r1c",
            }
        ],
        "responses": {
            "200": {
                "description": "The result as it was written.",
                "content": {
                    "application/json": {"schema": {"$ref": f"#/components/schemas/{name}Extraction"}}
                },
            },
            **problems("404"),
        },
    }


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


@cache
def _options_in_query() -> tuple[dict[str, Any], ...]:
    """The same for every operation, and most of the work of describing one: made once, never changed."""
    schemas = Options.model_json_schema()["properties"]
    schemas["max_cost_usd"] = _money_schema()
    schemas = without_defaults(schemas)
    parameters = []
    for name, schema in schemas.items():
        examples = schema.pop("examples", [])
        choices = [choice for choice in schema.pop("anyOf", []) if choice.get("type") != "null"]
        if choices:
            schema = {**schema, **choices[0]}
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
    return tuple(parameters)


def _prefer() -> dict[str, Any]:
    return {
        "name": "Prefer",
        "in": "header",
        "required": False,
        "description": "`respond-async` is refused by this release; other preferences have no effect (RFC 7240).",
        "schema": {"type": "string"},
        "example": "return=representation",
    }


def _idempotency_key() -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        # Without `example`: fuzzers would send the same key with every request and be told so.
        "description": "A UUID, for instance. Carries the request out once: the same request with the same key within 24 hours is answered with the "
        "first one's answer (`Idempotency-Replayed: true`), if that was a success, a 402 or a 422; any other answer frees the "
        "key. 409 while the first one is worked on, 422 with another path, query or body. Not with `text/event-stream`. The answer is "
        "kept for that time whatever `store` says.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    }


# ------------------------------------------------------------------------------------ components of customers' schemas


def components_of(version: SchemaVersion, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The record's schema in the 2020-12 dialect and the components it refers to, all named after ``name``."""
    modern = version.modern
    names: dict[str, str] = {}
    taken = {f"{name}Record"}
    for key in modern.definitions:
        component = f"{name}{_pascal(key)}"
        while component in taken:
            component += "_"
        taken.add(component)
        names[key] = component
    places = {f"#/$defs/{key}": f"#/components/schemas/{component}" for key, component in names.items()}
    moved = modern.moved({"#": f"#/components/schemas/{name}Record", **places})
    components = {names[key]: _component(definition) for key, definition in moved.definitions.items()}
    return _component(moved.root), components


_SINGLE = ("additionalProperties", "items", "unevaluatedItems", "unevaluatedProperties")
"""Where generators of clients know what a boolean means."""


def _component(schema: Any) -> Any:
    """A schema as a component: no booleans where generators of clients expect an object."""
    if not isinstance(schema, dict):
        return {"not": {}} if schema is False else {}
    result = dict(schema)
    for steps, child in children(schema):
        keyword = str(steps[0])
        if len(steps) == 1:
            result[keyword] = child if keyword in _SINGLE and isinstance(child, bool) else _component(child)
            continue
        if result[keyword] is schema[keyword]:
            result[keyword] = (
                dict(schema[keyword]) if isinstance(schema[keyword], dict) else list(schema[keyword])
            )
        result[keyword][steps[1]] = _component(child)
    # A record holds what the document says, and no default: generators would promise that the member is there.
    result.pop("default", None)
    return result


def _pascal(name: str) -> str:
    words = re.split(r"[^A-Za-z0-9]+", name)
    return "".join(word[:1].upper() + word[1:] for word in words if word) or "Part"
