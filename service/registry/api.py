"""HTTP: which schemas exist, their versions, and what may follow them."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.routing import APIRoute
from typing_extensions import override

from service.foundation import jsontext
from service.foundation.errors import BadRequest, Fault
from service.foundation.problems import Problem
from service.registry.contents import Content
from service.registry.errors import AliasNotFound, AliasReserved, SchemaRejected
from service.registry.publishing import changes, checked, compared, config_of, difference_body, publish
from service.registry.registry import Registry
from service.registry.schemas import LATEST, SchemaVersion
from service.registry.snapshot import Config, Published
from service.registry.store import Writer
from service.registry.wire import (
    AliasBody,
    ChangeBody,
    CheckBody,
    CompatibilityBody,
    ConfigBody,
    ContentBody,
    DiffBody,
    DifferenceBody,
    ExampleBody,
    FaultBody,
    HistoryBody,
    LintBody,
    LossBody,
    PolicyBody,
    PublishBody,
    SchemaDetail,
    SchemaList,
    SchemaSummary,
    VersionBody,
    VersionList,
)
from service.strict import Loss

_MAX_DEPTH = 120
"""Levels of a body: nobody writes schemas deeper, and answers that quote one must be writable."""


class _ExactRequest(Request):
    """Reads JSON as everywhere else here: exact integers, no NaN, bounded depth."""

    @override
    async def json(self) -> Any:
        try:
            return jsontext.parse(await self.body(), max_depth=_MAX_DEPTH)
        except jsontext.MalformedJson as error:
            raise json.JSONDecodeError(str(error), "", 0) from None


class _ExactRoute(APIRoute):
    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def exact(request: Request) -> Response:
            return await handle(_ExactRequest(request.scope, request.receive))

        return exact


router = APIRouter(prefix="/v1/schemas", tags=["Schemas"], route_class=_ExactRoute)


def _registry(request: Request) -> Registry:
    registry: Registry = request.app.state.parts.registry
    return registry


CurrentRegistry = Annotated[Registry, Depends(_registry)]


def _summary(version: SchemaVersion) -> SchemaSummary:
    return SchemaSummary(
        name=version.name,
        version=version.version or 1,
        title=version.title,
        description=version.description,
        digest=version.digest,
    )


@router.get("", summary="List schemas", operation_id="list_schemas")
async def list_schemas(registry: CurrentRegistry) -> SchemaList:
    """Every schema that this service extracts with, by name."""
    return SchemaList(schemas=[_summary(version) for version in registry.all()])


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
    return _detail(registry.resolve(name))


def _detail(version: SchemaVersion) -> SchemaDetail:
    compiled = version.compiled
    return SchemaDetail(
        **_summary(version).model_dump(),
        schema=version.schema if version.source is None else version.source,
        bundled=None if version.source is None else version.schema,
        instructions=version.instructions,
        rules=list(version.rules),
        examples=[
            ExampleBody(document=example.document, record=example.record) for example in version.examples
        ],
        policy=PolicyBody.model_validate(version.policy.document()),
        evidence=version.evidence,
        strict=compiled.strict,
        losses=[_loss(loss) for loss in compiled.losses],
    )


def _loss(loss: Loss) -> LossBody:
    return LossBody(pointer=loss.pointer, keyword=loss.keyword, detail=loss.detail)


# ------------------------------------------------------------------------------------------------------- versions

Name = Annotated[str, Path(max_length=64, description="Name of the schema.", examples=["invoice"])]
Number = Annotated[int, Path(ge=1, le=999_999_999, description="Number of the version.", examples=[1])]
_NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "No such schema or version; near names stand in the detail."}
}
_CHANGES: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The request is malformed."},
    409: {
        "model": Problem,
        "description": "It would break consumers (`differences`), or others were faster.",
    },
    413: {"model": Problem, "description": "The body is too large."},
    422: {"model": Problem, "description": "Everything that is wrong with the schema, at once."},
}


def _caller(request: Request) -> str:
    name: str = getattr(request.state, "caller", "anybody")
    return name


@router.get(
    "/{name}/versions", summary="List versions", operation_id="list_schema_versions", responses=_NOT_FOUND
)
async def list_versions(registry: CurrentRegistry, name: Name) -> VersionList:
    """The live versions of a schema, oldest first, and where its aliases point."""
    entry = registry.snapshot.entry(name)
    latest = {} if entry.latest is None else {LATEST: entry.latest.number}
    return VersionList(
        versions=[_version(version) for version in entry.live], aliases={**entry.aliases, **latest}
    )


@router.post(
    "/{name}/versions",
    summary="Publish a version",
    operation_id="publish_schema_version",
    status_code=201,
    response_model=VersionBody,
    responses={
        200: {"model": VersionBody, "description": "The newest version says exactly this already."},
        **_CHANGES,
    },
)
async def publish_version(
    request: Request, response: Response, registry: CurrentRegistry, name: Name, body: PublishBody
) -> VersionBody:
    """Check everything, compare with every version before it, and publish: immutable from then on."""
    if body.allow_breaking and body.reason is None:
        raise BadRequest(
            "`allow_breaking` needs a reason.",
            errors=[Fault("/reason", "Say why, for whoever has to live with it.")],
        )
    published, fresh = await publish(
        registry,
        name,
        body.content(),
        breaking=body.reason if body.allow_breaking else None,
        by=_caller(request),
    )
    if not fresh:
        response.status_code = 200
    return _version(published)


@router.get(
    "/{name}/versions/{version}",
    summary="Show a version",
    operation_id="show_schema_version",
    responses=_NOT_FOUND,
)
async def show_version(registry: CurrentRegistry, name: Name, version: Number) -> SchemaDetail:
    """What one version says, the strict form that is sent to the provider, and what that form cannot hold."""
    return _detail(registry.version(registry.snapshot.find(name, str(version))))


@router.get(
    "/{name}/versions/{version}/diff",
    summary="Compare two versions",
    operation_id="diff_schema_versions",
    responses=_NOT_FOUND,
)
async def diff_versions(
    registry: CurrentRegistry,
    name: Name,
    version: Number,
    against: Annotated[int, Query(ge=1, le=999_999_999, description="The older version.", examples=[1])],
) -> DiffBody:
    """What breaks in either direction from the older version to this one, and what changes a model's behaviour."""
    newer = registry.snapshot.find(name, str(version))
    older = registry.snapshot.find(name, str(against))
    found = await asyncio.to_thread(changes, registry, older, newer)
    return DiffBody(
        name=name,
        old=older.number,
        new=newer.number,
        compatible=all(one.severity == "behaviour" for one in found),
        differences=[DifferenceBody.model_validate(difference_body(one)) for one in found],
    )


@router.post(
    "/{name}/check", summary="Check before publishing", operation_id="check_schema", responses=_CHANGES
)
async def check_schema(registry: CurrentRegistry, name: Name, body: ContentBody) -> CheckBody:
    """Everything there is to say of a schema, without publishing: faults, remarks, losses, compatibility."""
    content = body.content()
    result = await asyncio.to_thread(checked, name, content, registry)
    compiled = None if result.version is None else result.version.compiled
    verdict = None
    if not result.faults:
        verdict = await _verdict(registry, name, result.content)
    return CheckBody(
        publishable=not result.faults and (verdict is None or verdict.compatible),
        draft=None if compiled is None else compiled.draft,
        faults=[FaultBody(pointer=one.pointer, detail=one.detail) for one in result.faults],
        lints=[
            LintBody(pointer=one.pointer, rule=one.rule, detail=one.detail, suggestion=one.suggestion)
            for one in result.remarks
        ],
        losses=[] if compiled is None else [_loss(loss) for loss in compiled.losses],
        compatibility=verdict,
    )


@router.post(
    "/{name}/compatibility",
    summary="Would this break consumers?",
    operation_id="check_compatibility",
    responses={**_NOT_FOUND, **_CHANGES},
)
async def check_compatibility(registry: CurrentRegistry, name: Name, body: ContentBody) -> CompatibilityBody:
    """The schema against every version that it would follow, at the level and policy in force. Nothing is published."""
    registry.snapshot.entry(name)
    result = await asyncio.to_thread(checked, name, body.content(), registry)
    if result.faults:
        raise SchemaRejected(
            f"{len(result.faults)} place(s) of the schema are wrong, so it cannot be compared.",
            errors=result.faults,
        )
    return await _verdict(registry, name, result.content)


async def _verdict(registry: Registry, name: str, content: Content) -> CompatibilityBody:
    level, policy = config_of(registry, name)
    report = await asyncio.to_thread(compared, registry, name, content, level=level, policy=policy)
    return CompatibilityBody(
        compatible=report.compatible,
        level=level,
        policy=policy,
        differences=[DifferenceBody.model_validate(difference_body(one)) for one in report.differences],
    )


# ---------------------------------------------------------------------------------------- aliases, config, history

Alias = Annotated[
    str,
    Path(
        max_length=64, pattern="^[a-z][a-z0-9-]*$", description="Name of the alias.", examples=["production"]
    ),
]


@router.put(
    "/{name}/aliases/{alias}",
    summary="Move an alias",
    operation_id="put_schema_alias",
    responses={**_NOT_FOUND, **_CHANGES},
)
async def put_alias(
    request: Request, registry: CurrentRegistry, name: Name, alias: Alias, body: AliasBody
) -> VersionBody:
    """Point `name@alias` to a version; callers who use it follow at once."""
    if alias == LATEST:
        raise AliasReserved(f"{LATEST!r} is the newest version that is not held back; nobody moves it.")
    found = registry.snapshot.find(name, str(body.version))

    def write(writer: Writer) -> None:
        writer.set_alias(name, alias, found.number)
        writer.note("alias", name, found.number, {"alias": alias})

    await registry.write(write, by=_caller(request))
    return _version(found)


@router.delete(
    "/{name}/aliases/{alias}",
    summary="Drop an alias",
    operation_id="delete_schema_alias",
    status_code=204,
    responses=_NOT_FOUND,
)
async def delete_alias(request: Request, registry: CurrentRegistry, name: Name, alias: Alias) -> None:
    """Forget an alias. The version that it pointed to stays."""
    if alias not in registry.snapshot.entry(name).aliases:
        raise AliasNotFound(f"Schema {name!r} has no alias of this name.")

    def write(writer: Writer) -> None:
        writer.set_alias(name, alias, None)
        writer.note("alias", name, None, {"alias": alias})

    await registry.write(write, by=_caller(request))


@router.get(
    "/{name}/config",
    summary="Show compatibility settings",
    operation_id="show_schema_config",
    responses=_NOT_FOUND,
)
async def show_config(registry: CurrentRegistry, name: Name) -> ConfigBody:
    """The level and policy in force for this schema."""
    registry.snapshot.entry(name)
    level, policy = config_of(registry, name)
    return ConfigBody.model_validate({"level": level, "policy": policy})


@router.put(
    "/{name}/config",
    summary="Set compatibility",
    operation_id="put_schema_config",
    responses={**_NOT_FOUND, **_CHANGES},
)
async def put_config(request: Request, registry: CurrentRegistry, name: Name, body: ConfigBody) -> ConfigBody:
    """Set the level and policy of one schema; null leaves them to the default (FULL_TRANSITIVE by RECORDS)."""
    entry = registry.snapshot.entry(name)

    def write(writer: Writer) -> None:
        writer.set_schema(name, config=Config(body.level, body.policy, entry.config.more))
        writer.note("config", name, None, body.model_dump())

    await registry.write(write, by=_caller(request))
    return await show_config(registry, name)


@router.get(
    "/{name}/history", summary="Show the history", operation_id="show_schema_history", responses=_NOT_FOUND
)
async def show_history(
    registry: CurrentRegistry,
    name: Name,
    limit: Annotated[int, Query(ge=1, le=200, description="Most changes shown.")] = 50,
) -> HistoryBody:
    """What was done to a schema, when and by whom, newest first."""
    registry.snapshot.entry(name, deleted=True)
    found = await registry.store.history(name=name, before=None, limit=limit)
    return HistoryBody(
        changes=[
            ChangeBody(
                at=_moment(change.at),
                by=change.by,
                action=change.action,
                version=change.number,
                detail=dict(change.detail),
            )
            for change in found
        ]
    )


def _version(published: Published) -> VersionBody:
    return VersionBody(
        name=published.name,
        version=published.number,
        digest=published.digest,
        created_at=_moment(published.created_at),
        created_by=published.created_by,
        origin=published.origin,
        held=published.held,
        reason=published.reason,
    )


def _moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
