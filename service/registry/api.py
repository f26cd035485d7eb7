"""HTTP: which schemas exist, their versions, and what may follow them."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from service.foundation.problems import Problem
from service.registry.bodies import check_body, detail, summary, verdict_body, version_body
from service.registry.errors import SchemaRejected
from service.registry.http import (
    CHANGES,
    NOT_FOUND,
    CurrentCaller,
    CurrentRegistry,
    ExactRoute,
    FreshRegistry,
    Name,
    Which,
    WithDeleted,
)
from service.registry.publishing import changes, checked, difference_body, publish
from service.registry.registry import Registry
from service.registry.schemas import LATEST
from service.registry.wire import (
    CheckBody,
    CompatibilityBody,
    ContentBody,
    DiffBody,
    DifferenceBody,
    PublishBody,
    SchemaDetail,
    SchemaList,
    VersionBody,
    VersionList,
)

router = APIRouter(prefix="/v1/schemas", tags=["Schemas"], route_class=ExactRoute)


@router.get("", summary="List schemas", operation_id="list_schemas")
async def list_schemas(
    registry: CurrentRegistry,
    label: Annotated[
        list[str] | None,
        Query(
            max_length=32,
            description="`NAME=VALUE` or `NAME`: only those with these labels, all of them.",
            examples=[["team=billing"]],
        ),
    ] = None,
    deleted: WithDeleted = False,  # noqa: FBT002 - a query parameter
) -> SchemaList:
    """Every schema that this service extracts with, by name."""
    # Contents that were never asked for are parsed: a second for some thousands of them.
    return await asyncio.to_thread(_listed, registry, label or (), deleted=deleted)


def _listed(registry: Registry, labels: Sequence[str], *, deleted: bool) -> SchemaList:
    snapshot = registry.snapshot
    wanted = [text.partition("=") for text in labels]
    found, drafts = [], []
    for name in sorted(snapshot.entries):
        entry = snapshot.entries[name]
        if not all(
            entry.labels.get(key) == value if equals else key in entry.labels for key, equals, value in wanted
        ):
            continue
        if entry.has_draft:
            drafts.append(name)
        newest = entry.latest or (entry.kept[-1] if deleted and entry.kept else None)
        if newest is not None:
            found.append(summary(registry.version(newest), entry))
    return SchemaList(schemas=found, drafts=drafts)


@router.get(
    "/{name}",
    summary="Show a schema",
    operation_id="show_schema",
    responses={404: {"model": Problem, "description": "No such schema; near names stand in the detail."}},
)
async def show_schema(
    registry: CurrentRegistry,
    name: Annotated[
        str,
        Path(max_length=256, description="`invoice`, `invoice@1` or `invoice@latest`.", examples=["invoice"]),
    ],
) -> SchemaDetail:
    """The schema, its instructions, the strict form that is sent to the provider, and what that form cannot hold."""
    version = registry.resolve(name)
    return await asyncio.to_thread(detail, version, registry.snapshot.entry(version.name))


# ------------------------------------------------------------------------------------------------------- versions


@router.get(
    "/{name}/versions", summary="List versions", operation_id="list_schema_versions", responses=NOT_FOUND
)
async def list_versions(
    registry: CurrentRegistry,
    name: Name,
    deleted: WithDeleted = False,  # noqa: FBT002 - a query parameter
) -> VersionList:
    """The versions of a schema, oldest first, and where its aliases point."""
    entry = registry.snapshot.entry(name, deleted=deleted)
    latest = {} if entry.latest is None else {LATEST: entry.latest.number}
    return VersionList(
        versions=[version_body(version) for version in (entry.kept if deleted else entry.live)],
        aliases={**entry.aliases, **latest},
    )


@router.post(
    "/{name}/versions",
    summary="Publish a version",
    operation_id="publish_schema_version",
    status_code=201,
    response_model=VersionBody,
    responses={
        200: {"model": VersionBody, "description": "The newest version says exactly this already."},
        **CHANGES,
    },
)
async def publish_version(
    response: Response, registry: FreshRegistry, by: CurrentCaller, name: Name, body: PublishBody
) -> VersionBody:
    """Check everything, compare with every version before it, and publish: immutable from then on."""
    published, fresh = await publish(registry, name, body.content(), breaking=body.breaking(), by=by)
    if not fresh:
        response.status_code = 200
    return version_body(published)


@router.get(
    "/{name}/versions/{version}",
    summary="Show a version",
    operation_id="show_schema_version",
    responses=NOT_FOUND,
)
async def show_version(
    registry: CurrentRegistry,
    name: Name,
    version: Which,
    deleted: WithDeleted = False,  # noqa: FBT002 - a query parameter
) -> SchemaDetail:
    """What one version says, the strict form that is sent to the provider, and what that form cannot hold."""
    found = registry.snapshot.find(name, version, deleted=deleted)
    entry = registry.snapshot.entry(name, deleted=deleted)
    return await asyncio.to_thread(lambda: detail(registry.version(found), entry))


@router.get(
    "/{name}/versions/{version}/diff",
    summary="Compare two versions",
    operation_id="diff_schema_versions",
    responses=NOT_FOUND,
)
async def diff_versions(
    registry: CurrentRegistry,
    name: Name,
    version: Which,
    against: Annotated[
        str,
        Query(
            max_length=64,
            pattern="^([1-9][0-9]{0,8}|[a-z][a-z0-9-]*)$",
            description="The older version: its number, an alias, or `latest`.",
            examples=["1"],
        ),
    ],
) -> DiffBody:
    """What breaks in either direction from the older version to this one, and what changes a model's behaviour."""
    newer = registry.snapshot.find(name, version)
    older = registry.snapshot.find(name, against)
    found = await asyncio.to_thread(changes, registry, older, newer)
    return DiffBody(
        name=name,
        old=older.number,
        new=newer.number,
        compatible=all(one.severity == "behaviour" for one in found),
        differences=[DifferenceBody.model_validate(difference_body(one)) for one in found],
    )


@router.post(
    "/{name}/check", summary="Check before publishing", operation_id="check_schema", responses=CHANGES
)
async def check_schema(registry: FreshRegistry, name: Name, body: ContentBody) -> CheckBody:
    """Everything there is to say of a schema, without publishing: faults, remarks, losses, compatibility."""
    result = await asyncio.to_thread(checked, name, body.content(), registry)
    return await check_body(registry, name, result)


@router.post(
    "/{name}/compatibility",
    summary="Would this break consumers?",
    operation_id="check_compatibility",
    responses={**NOT_FOUND, **CHANGES},
)
async def check_compatibility(registry: FreshRegistry, name: Name, body: ContentBody) -> CompatibilityBody:
    """The schema against every version that it would follow, at the level and policy in force. Nothing is published."""
    registry.snapshot.entry(name)
    result = await asyncio.to_thread(checked, name, body.content(), registry)
    if result.faults:
        raise SchemaRejected(
            f"{len(result.faults)} place(s) of the schema are wrong, so it cannot be compared.",
            errors=result.faults,
        )
    return await verdict_body(registry, name, result.content)
