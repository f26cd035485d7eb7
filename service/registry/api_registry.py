"""HTTP: the registry as a whole: what holds for all schemas, its history, and all of it as one file."""

import asyncio
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from service.foundation.errors import UnsupportedMedia
from service.foundation.problems import Problem
from service.registry.archive import MEDIA_TYPE
from service.registry.archiving import ensure_empty, export_to, import_from
from service.registry.bodies import history_body
from service.registry.http import (
    CHANGES,
    CurrentCaller,
    CurrentRegistry,
    Cursor,
    ExactRoute,
    FreshRegistry,
    Limit,
)
from service.registry.lifecycle import set_config, set_mode
from service.registry.publishing import common_config
from service.registry.wire import ConfigBody, HistoryBody, ImportedBody, RegistryModeBody

router = APIRouter(prefix="/v1/registry", tags=["Registry"], route_class=ExactRoute)


@router.get("/mode", summary="Show the registry's mode", operation_id="show_registry_mode")
async def show_mode(registry: CurrentRegistry) -> RegistryModeBody:
    """Whether the registry takes changes. Schemas may have a mode of their own."""
    mode = registry.snapshot.mode
    return RegistryModeBody.model_validate(
        {"mode": mode if mode in ("READONLY", "READONLY_OVERRIDE") else "READWRITE"}
    )


@router.put(
    "/mode", summary="Open or close the registry", operation_id="put_registry_mode", responses=CHANGES
)
async def put_mode(registry: FreshRegistry, by: CurrentCaller, body: RegistryModeBody) -> RegistryModeBody:
    """`READONLY`: every change is a 409 `read_only`, but of schemas that are `READWRITE` themselves."""
    await registry.write(lambda writer: set_mode(writer, None, body.mode), by=by)
    return await show_mode(registry)


@router.get(
    "/config", summary="Show the registry's compatibility settings", operation_id="show_registry_config"
)
async def show_config(registry: CurrentRegistry) -> ConfigBody:
    """The level and policy of schemas that have none of their own."""
    level, policy = common_config(registry)
    return ConfigBody.model_validate({"level": level, "policy": policy})


@router.put(
    "/config",
    summary="Set the registry's compatibility",
    operation_id="put_registry_config",
    responses=CHANGES,
)
async def put_config(registry: FreshRegistry, by: CurrentCaller, body: ConfigBody) -> ConfigBody:
    """Set the level and policy of schemas that have none of their own; null is FULL_TRANSITIVE by RECORDS."""
    await registry.write(lambda writer: set_config(writer, None, body.level, body.policy), by=by)
    return await show_config(registry)


@router.get("/history", summary="Show the registry's history", operation_id="show_registry_history")
async def show_history(registry: CurrentRegistry, limit: Limit = 50, cursor: Cursor = None) -> HistoryBody:
    """What was done to every schema and to the registry, when and by whom, newest first."""
    return await history_body(registry, None, limit=limit, cursor=cursor)


# ------------------------------------------------------------------------------------------------------------ archive

_TYPES = (MEDIA_TYPE, "application/jsonl", "application/octet-stream")
_CHUNK = 256 * 1024
_LINES: dict[str, Any] = {MEDIA_TYPE: {"schema": {"type": "string", "description": "JSON lines."}}}

archives = APIRouter(prefix="/v1/registry", tags=["Registry"])


@archives.get(
    "/archive",
    summary="Export everything",
    operation_id="export_registry",
    response_class=StreamingResponse,
    responses={200: {"content": _LINES, "description": "Every schema, version, draft, alias and change."}},
)
async def export_archive(registry: CurrentRegistry) -> StreamingResponse:
    """The whole registry as one file of JSON lines, as of one moment; the same registry is always the same bytes."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the answer has been sent
    try:
        size = await export_to(registry, file)
    except BaseException:
        file.close()
        raise
    headers = {
        "content-length": str(size),
        "content-disposition": 'attachment; filename="registry.jsonl"',
    }
    return StreamingResponse(_chunks(file), media_type=MEDIA_TYPE, headers=headers)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


@archives.post(
    "/archive",
    summary="Import everything",
    operation_id="import_registry",
    status_code=201,
    responses={
        409: {"model": Problem, "description": "There is something in this registry already."},
        413: {"model": Problem, "description": "The archive is too large."},
        415: {"model": Problem, "description": f"The archive is `{MEDIA_TYPE}`."},
        422: {"model": Problem, "description": "Not a whole archive; the first twenty faults, by line."},
    },
    # Generators of clients and tests know how to send bytes; JSON lines are unknown to most of them.
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/octet-stream": {
                    "schema": {
                        "type": "string",
                        "format": "binary",
                        "description": f"What `GET /v1/registry/archive` answered; also as `{MEDIA_TYPE}`.",
                    }
                }
            },
        }
    },
)
async def import_archive(request: Request, registry: FreshRegistry, by: CurrentCaller) -> ImportedBody:
    """Take over an archive, ids, numbers, tags and history included, into a registry without anything; all or nothing."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _TYPES:
        raise UnsupportedMedia(f"An archive is sent as `{MEDIA_TYPE}`.")
    ensure_empty(registry)
    with tempfile.TemporaryFile() as file:
        async for chunk in request.stream():
            await asyncio.to_thread(file.write, chunk)
        found = await import_from(registry, file, by=by)
    return ImportedBody.model_validate(found, from_attributes=True)
