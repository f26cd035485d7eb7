"""HTTP: which schemas exist."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from service.foundation.problems import Problem
from service.registry.registry import Registry
from service.registry.schemas import SchemaVersion
from service.registry.wire import LossBody, SchemaDetail, SchemaList, SchemaSummary

router = APIRouter(prefix="/v1/schemas", tags=["Schemas"])


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
    version = registry.resolve(name)
    compiled = version.compiled
    return SchemaDetail(
        **_summary(version).model_dump(),
        schema=version.schema,
        instructions=version.instructions,
        strict=compiled.strict,
        losses=[
            LossBody(pointer=loss.pointer, keyword=loss.keyword, detail=loss.detail)
            for loss in compiled.losses
        ],
    )
