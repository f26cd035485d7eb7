"""HTTP: the draft of a schema, changed and published by those who know what stands there."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response

from service.foundation.problems import Problem
from service.registry import drafts
from service.registry.bodies import check_body, draft_body, version_body
from service.registry.drafts import Precondition, etag
from service.registry.http import (
    CHANGES,
    NOT_FOUND,
    CurrentCaller,
    CurrentRegistry,
    ExactRoute,
    FreshRegistry,
    Name,
)
from service.registry.publishing import checked
from service.registry.wire import (
    BreakingBody,
    CheckBody,
    CheckedDraftBody,
    ContentBody,
    DraftBody,
    VersionBody,
)

router = APIRouter(prefix="/v1/schemas/{name}/draft", tags=["Drafts"], route_class=ExactRoute)

IfMatch = Annotated[
    str | None,
    Header(
        max_length=1000,
        description="The `ETag` of the draft that you know, or `*` for any.",
        examples=['"17"'],
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(max_length=1000, description="`*`: only where there is no draft yet.", examples=["*"]),
]
_CONDITIONS: dict[int | str, dict[str, Any]] = {
    412: {"model": Problem, "description": "The draft is not the one that the headers name; see `etag`."},
    428: {"model": Problem, "description": "There is a draft, and `If-Match` does not say that it is known."},
}
_TAGGED: dict[str, Any] = {
    "headers": {"ETag": {"description": "New with every change.", "schema": {"type": "string"}}}
}


@router.get(
    "",
    summary="Show the draft",
    operation_id="show_schema_draft",
    responses={200: _TAGGED, 404: {"model": Problem, "description": "No such schema, or it has no draft."}},
)
async def show_draft(response: Response, registry: CurrentRegistry, name: Name) -> DraftBody:
    """What the draft says, who put it, and its `ETag`."""
    draft = await drafts.read(registry, name)
    response.headers["etag"] = etag(draft)
    return draft_body(draft)


@router.put(
    "",
    summary="Put the draft",
    operation_id="put_schema_draft",
    responses={
        200: _TAGGED,
        201: {"model": CheckedDraftBody, "description": "There was none.", **_TAGGED},
        **CHANGES,
        **_CONDITIONS,
    },
)
async def put_draft(
    response: Response,
    registry: FreshRegistry,
    by: CurrentCaller,
    name: Name,
    body: ContentBody,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> CheckedDraftBody:
    """Keep it, faulty or not, and say all that is wrong with it. Overwriting needs `If-Match`."""
    condition = Precondition.of(if_match, if_none_match)
    content = body.content()
    draft, fresh = await registry.write(lambda writer: drafts.put(writer, name, content, condition), by=by)
    response.headers["etag"] = etag(draft)
    response.status_code = 201 if fresh else 200
    result = await asyncio.to_thread(checked, name, content, registry)
    check = await check_body(registry, name, result)
    return CheckedDraftBody(**dict(draft_body(draft)), check=check)


@router.delete(
    "",
    summary="Delete the draft",
    operation_id="delete_schema_draft",
    status_code=204,
    responses={**NOT_FOUND, 409: CHANGES[409], 412: _CONDITIONS[412]},
)
async def delete_draft(
    registry: FreshRegistry, by: CurrentCaller, name: Name, if_match: IfMatch = None
) -> None:
    """Forget the draft. Published versions stay."""
    condition = Precondition.of(if_match, None)
    await registry.write(lambda writer: drafts.discard(writer, name, condition), by=by)


@router.post(
    "/check",
    summary="Check the draft",
    operation_id="check_schema_draft",
    responses={404: {"model": Problem, "description": "No such schema, or it has no draft."}},
)
async def check_draft(response: Response, registry: FreshRegistry, name: Name) -> CheckBody:
    """Everything there is to say of it before it is published."""
    draft = await drafts.read(registry, name)
    response.headers["etag"] = etag(draft)
    return await check_body(registry, name, await asyncio.to_thread(checked, name, draft.content, registry))


@router.post(
    "/publish",
    summary="Publish the draft",
    operation_id="publish_schema_draft",
    status_code=201,
    response_model=VersionBody,
    responses={
        200: {"model": VersionBody, "description": "The newest version says exactly this already."},
        404: {"model": Problem, "description": "No such schema, or it has no draft."},
        **CHANGES,
        **_CONDITIONS,
    },
)
async def publish_draft(
    response: Response,
    registry: FreshRegistry,
    by: CurrentCaller,
    name: Name,
    body: BreakingBody | None = None,
    if_match: IfMatch = None,
) -> VersionBody:
    """Publish exactly the draft that `If-Match` names, and remove it; or say everything that keeps it from that."""
    published, fresh = await drafts.publish_draft(
        registry,
        name,
        Precondition.of(if_match, None),
        breaking=None if body is None else body.breaking(),
        by=by,
    )
    if not fresh:
        response.status_code = 200
    return version_body(published)
