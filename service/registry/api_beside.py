"""HTTP: what stands beside the versions of a schema: aliases, labels, config, mode; its end, and its history."""

from typing import Annotated

from fastapi import APIRouter, Query

from service.registry.bodies import history_body, mode_body, version_body
from service.registry.errors import AliasReserved
from service.registry.http import (
    CHANGES,
    NOT_FOUND,
    Alias,
    CurrentCaller,
    CurrentRegistry,
    Cursor,
    ExactRoute,
    FreshRegistry,
    Limit,
    Name,
    Number,
)
from service.registry.lifecycle import (
    delete_schema,
    delete_version,
    release_version,
    restore_schema,
    restore_version,
    set_alias,
    set_config,
    set_labels,
    set_mode,
)
from service.registry.publishing import config_of
from service.registry.schemas import LATEST
from service.registry.wire import (
    AliasBody,
    ConfigBody,
    DeletedBody,
    HistoryBody,
    LabelsBody,
    ModeBody,
    ModeInForceBody,
    VersionBody,
)

router = APIRouter(prefix="/v1/schemas", tags=["Schemas"], route_class=ExactRoute)

Permanent = Annotated[
    bool, Query(description="For good: only what was deleted before, and nothing brings it back.")
]


@router.put(
    "/{name}/aliases/{alias}",
    summary="Move an alias",
    operation_id="put_schema_alias",
    responses={**NOT_FOUND, **CHANGES},
)
async def put_alias(
    registry: FreshRegistry, by: CurrentCaller, name: Name, alias: Alias, body: AliasBody
) -> VersionBody:
    """Point `name@alias` to a version; callers who use it follow at once."""
    if alias == LATEST:
        raise AliasReserved(f"{LATEST!r} is the newest version that is not held back; nobody moves it.")
    found = registry.snapshot.find(name, str(body.version))
    await registry.write(lambda writer: set_alias(writer, name, alias, found.number), by=by)
    return version_body(found)


@router.delete(
    "/{name}/aliases/{alias}",
    summary="Drop an alias",
    operation_id="delete_schema_alias",
    status_code=204,
    responses={**NOT_FOUND, 409: CHANGES[409]},
)
async def delete_alias(registry: FreshRegistry, by: CurrentCaller, name: Name, alias: Alias) -> None:
    """Forget an alias. The version that it pointed to stays."""
    registry.snapshot.entry(name, deleted=True)
    await registry.write(lambda writer: set_alias(writer, name, alias, None), by=by)


@router.get(
    "/{name}/config",
    summary="Show compatibility settings",
    operation_id="show_schema_config",
    responses=NOT_FOUND,
)
async def show_config(registry: CurrentRegistry, name: Name) -> ConfigBody:
    """The level and policy in force for this schema."""
    registry.snapshot.entry(name, deleted=True)
    level, policy = config_of(registry, name)
    return ConfigBody.model_validate({"level": level, "policy": policy})


@router.put(
    "/{name}/config",
    summary="Set compatibility",
    operation_id="put_schema_config",
    responses={**NOT_FOUND, **CHANGES},
)
async def put_config(registry: FreshRegistry, by: CurrentCaller, name: Name, body: ConfigBody) -> ConfigBody:
    """Set the level and policy of one schema; null leaves them to the default (FULL_TRANSITIVE by RECORDS)."""
    registry.snapshot.entry(name, deleted=True)
    await registry.write(lambda writer: set_config(writer, name, body.level, body.policy), by=by)
    return await show_config(registry, name)


@router.put(
    "/{name}/labels",
    summary="Set labels",
    operation_id="put_schema_labels",
    responses={**NOT_FOUND, **CHANGES},
)
async def put_labels(registry: FreshRegistry, by: CurrentCaller, name: Name, body: LabelsBody) -> LabelsBody:
    """Put these labels in place of all there are; `GET /v1/schemas?label=team=billing` finds by them."""
    registry.snapshot.entry(name, deleted=True)
    await registry.write(lambda writer: set_labels(writer, name, body.labels), by=by)
    return body


@router.get("/{name}/mode", summary="Show the mode", operation_id="show_schema_mode", responses=NOT_FOUND)
async def show_mode(registry: CurrentRegistry, name: Name) -> ModeInForceBody:
    """Whether the schema takes changes."""
    return mode_body(registry, registry.snapshot.entry(name, deleted=True))


@router.put(
    "/{name}/mode",
    summary="Open or close a schema",
    operation_id="put_schema_mode",
    responses={**NOT_FOUND, **CHANGES},
)
async def put_mode(registry: FreshRegistry, by: CurrentCaller, name: Name, body: ModeBody) -> ModeInForceBody:
    """`READONLY`: every change of it is a 409 `read_only`; it is read and extracted with as before."""
    registry.snapshot.entry(name, deleted=True)
    await registry.write(lambda writer: set_mode(writer, name, body.mode), by=by)
    return mode_body(registry, registry.snapshot.entry(name, deleted=True))


# --------------------------------------------------------------------------------------------- deleting, restoring


@router.delete(
    "/{name}", summary="Delete a schema", operation_id="delete_schema", responses={**NOT_FOUND, **CHANGES}
)
async def delete_whole_schema(
    registry: FreshRegistry,
    by: CurrentCaller,
    name: Name,
    permanent: Permanent = False,  # noqa: FBT002 - a query parameter
) -> DeletedBody:
    """Delete every version; they can be restored. Refused while aliases or other schemas use one (`used_by`)."""
    registry.snapshot.entry(name, deleted=True)
    numbers = await registry.write(lambda writer: delete_schema(writer, name, permanent=permanent), by=by)
    return DeletedBody(name=name, versions=numbers)


@router.post(
    "/{name}/restore",
    summary="Restore a schema",
    operation_id="restore_schema",
    responses={**NOT_FOUND, **CHANGES},
)
async def restore_whole_schema(registry: FreshRegistry, by: CurrentCaller, name: Name) -> DeletedBody:
    """Bring back the versions that were live when the schema was deleted."""
    registry.snapshot.entry(name, deleted=True)
    numbers = await registry.write(lambda writer: restore_schema(writer, name), by=by)
    return DeletedBody(name=name, versions=numbers)


@router.delete(
    "/{name}/versions/{version}",
    summary="Delete a version",
    operation_id="delete_schema_version",
    responses={**NOT_FOUND, **CHANGES},
)
async def delete_one_version(
    registry: FreshRegistry,
    by: CurrentCaller,
    name: Name,
    version: Number,
    permanent: Permanent = False,  # noqa: FBT002 - a query parameter
) -> DeletedBody:
    """Take a version out of use. Its number is never given again; records of it stay readable."""
    registry.snapshot.entry(name, deleted=True)
    await registry.write(lambda writer: delete_version(writer, name, version, permanent=permanent), by=by)
    return DeletedBody(name=name, versions=[version])


@router.post(
    "/{name}/versions/{version}/restore",
    summary="Restore a version",
    operation_id="restore_schema_version",
    responses={**NOT_FOUND, **CHANGES},
)
async def restore_one_version(
    registry: FreshRegistry, by: CurrentCaller, name: Name, version: Number
) -> VersionBody:
    """Bring a deleted version back."""
    registry.snapshot.entry(name, deleted=True)
    await registry.write(lambda writer: restore_version(writer, name, version), by=by)
    return version_body(registry.snapshot.find(name, str(version)))


@router.post(
    "/{name}/versions/{version}/release",
    summary="Release a held version",
    operation_id="release_schema_version",
    responses={**NOT_FOUND, **CHANGES},
)
async def release_one_version(
    registry: FreshRegistry, by: CurrentCaller, name: Name, version: Number
) -> VersionBody:
    """Let a version that was published although it breaks consumers count as `latest`, once they can live with it.

    The line of compatibility starts anew with it: what comes after is no longer compared with what was before.
    """
    registry.snapshot.entry(name, deleted=True)
    await registry.write(lambda writer: release_version(writer, name, version), by=by)
    return version_body(registry.snapshot.find(name, str(version)))


@router.get(
    "/{name}/history", summary="Show the history", operation_id="show_schema_history", responses=NOT_FOUND
)
async def show_history(
    registry: CurrentRegistry, name: Name, limit: Limit = 50, cursor: Cursor = None
) -> HistoryBody:
    """What was done to a schema, when and by whom, newest first; also of one that was deleted for good."""
    if name not in registry.snapshot.entries:
        registry.snapshot.entry(name)
    return await history_body(registry, name, limit=limit, cursor=cursor)
