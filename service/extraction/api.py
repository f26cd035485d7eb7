"""HTTP: documents in, typed records out."""

import asyncio
import re
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Query, Request, Response
from starlette.responses import StreamingResponse
from starlette.routing import Match, Route
from starlette.types import Scope
from typing_extensions import override

from service.access import Caller, Gate
from service.extraction import requests
from service.extraction.arguments import Arguments, Piece
from service.extraction.errors import NotAcceptable, UnservedOption
from service.extraction.events import stream
from service.extraction.long.joined import pages_of
from service.extraction.plan import as_shown
from service.extraction.projecting import projected_body
from service.extraction.requests import Form, Parsed
from service.extraction.result import body
from service.extraction.run import Extractor
from service.extraction.shown import document_body
from service.extraction.store import Store, Stored, UnknownExtraction
from service.extraction.wire import (
    AsVersion,
    DocumentRef,
    EstimateBody,
    ExtractionBody,
    ExtractionList,
    PartBody,
)
from service.files import Files
from service.foundation import clock, jsontext
from service.foundation.content import Content
from service.foundation.errors import BadRequest, Fault, UnsupportedMedia
from service.foundation.money import usd
from service.foundation.multipart import Part, read_form
from service.foundation.problems import Problem
from service.registry import Registry

router = APIRouter()

_MAX_PARTS = 50
_ACCEPTED = ("*/*", "application/*", "application/json", "text/event-stream")
_MAX_FIELD = 4 * 1024 * 1024
_LARGE = 1024 * 1024
"""Bytes of JSON above which parsing is kept off the event loop."""
_ID = re.compile(r"ext_[0-9a-z]{26}\Z")
_OTHERS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "No stored extraction has this id."}
}


def add_routes(app: FastAPI, gate: Gate) -> None:
    """Add the extract operations as plain routes.

    They read the request themselves, in its three forms, so FastAPI's own reading of it (a seventh of a request's CPU)
    has nothing to do here; `extraction.openapi` describes them, one typed operation per schema.
    """

    async def named(request: Request) -> Response:
        return await extract(request, gate.admit(request.headers.get("authorization")))

    async def inline(request: Request) -> Response:
        return await extract_inline(request, gate.admit(request.headers.get("authorization")))

    async def estimated(request: Request) -> Response:
        return await estimate(request, gate.admit(request.headers.get("authorization")))

    app.router.routes += [
        _PlainRoute("/v1/extract/{schema}", named, methods=["POST"], include_in_schema=False),
        _PlainRoute("/v1/extract", inline, methods=["POST"], include_in_schema=False),
        _PlainRoute("/v1/estimate/{schema}", estimated, methods=["POST"], include_in_schema=False),
    ]


class _PlainRoute(Route):
    """A route that says in the scope which it is, for the access log and the metrics: FastAPI does so for its own."""

    @override
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, found = super().matches(scope)
        found["route"] = self
        return match, found


async def extract(request: Request, caller: Caller) -> Response:
    """One document into one record of a registered schema."""
    return await _answer(request, await _named(request, caller))


async def estimate(request: Request, caller: Caller) -> Response:
    """What the same request to ``extract`` would cost."""
    arguments = await _named(request, caller)
    costs = await _extractor(request).estimate(arguments)
    plan, low = costs.plan, costs.likely
    content = EstimateBody(
        model=plan.name,
        calls=len(plan.segments),
        pages=len(plan.document.pages),
        document=DocumentRef.model_validate(document_body(plan.document, as_shown(plan, arguments.options))),
        parts=[
            PartBody(first_page=first, last_page=last, read=True)
            for segment in plan.segments
            if segment.excerpt is not None
            for first, last in [pages_of(plan, segment.excerpt)]
        ],
        input_tokens=low.input_tokens,
        max_output_tokens=costs.needed.output_tokens,
        low_usd=usd(low.cost),
        needed_usd=usd(costs.needed.cost),
        worst_usd=usd(costs.worst.cost),
    )
    return _json(content.model_dump_json(by_alias=True).encode())


async def _named(request: Request, caller: Caller) -> Arguments:
    started = clock.monotonic()
    _refuse_unserved_headers(request)
    version = _registry(request).resolve(request.path_params["schema"])
    parsed = await _parse(request)
    if parsed.has_schema:
        raise BadRequest(
            "The path names a schema and the request brings another.",
            errors=[Fault("/schema", "Post to `/v1/extract` to use a schema of your own.")],
        )
    wanted = parsed.options.as_version
    reader = None if wanted is None else _registry(request).resolve(f"{version.name}@{wanted}")
    return Arguments(version, parsed.pieces, parsed.options, parsed.metadata, started, caller.name, reader)


async def extract_inline(request: Request, caller: Caller) -> Response:
    """One document into one record of the schema in the request."""
    started = clock.monotonic()
    _refuse_unserved_headers(request)
    parsed = await _parse(request)
    if not parsed.has_schema:
        raise BadRequest(
            "The request brings no schema.",
            errors=[
                Fault("/schema", "Add `schema`, or post to `/v1/extract/{schema}` for a registered one.")
            ],
        )
    if parsed.options.as_version is not None:
        raise BadRequest(
            "A schema that comes with the request has no versions.",
            errors=[Fault("/options/as_version", "Leave it out, or use a registered schema.")],
        )
    version = await _registry(request).inline(parsed.schema)
    return await _answer(
        request, Arguments(version, parsed.pieces, parsed.options, parsed.metadata, started, caller.name)
    )


@router.get(
    "/v1/extractions",
    summary="List stored extractions",
    operation_id="list_extractions",
    tags=["Extractions"],
)
async def list_extractions(
    request: Request,
    schema: Annotated[
        str | None, Query(max_length=128, description="Only of this schema.", examples=["invoice"])
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="Most results of one page.")] = 20,
    cursor: Annotated[
        str | None, Query(max_length=80, description="`next_cursor` of the page before.", examples=[None])
    ] = None,
) -> ExtractionList:
    """Results that were asked for with `store`, newest first."""
    if cursor is not None and not _ID.match(cursor):
        raise BadRequest(
            "The cursor is not one of ours.",
            errors=[Fault("/cursor", "Send `next_cursor` of the last page.")],
        )
    found = await _store(request).newest(schema_name=schema, before=cursor, limit=limit + 1)
    page, more = found[:limit], len(found) > limit
    return ExtractionList(
        extractions=[
            ExtractionBody.model_validate(jsontext.parse(stored.result.encode())) for stored in page
        ],
        next_cursor=page[-1].id if more else None,
    )


@router.get(
    "/v1/extractions/{id}",
    summary="Show a stored extraction",
    operation_id="show_extraction",
    tags=["Extractions"],
    response_model=ExtractionBody,
    responses=_OTHERS,
)
async def show_extraction(
    request: Request,
    id: Annotated[str, Path(max_length=256, examples=["ext_01kahx3v6m8q2d0z4w7y5t9r1c"])],
    as_version: Annotated[
        AsVersion | None,
        Query(
            description="Project the record for readers of this version: its number, an alias, or `latest`.",
            examples=["1"],
        ),
    ] = None,
) -> Response:
    """The result as it was written, or as readers of another version know it."""
    text = (await _stored(request, id)).result.encode()
    if as_version is None:
        return _json(text)
    stored = jsontext.parse(text)
    name, number = stored["schema"]["name"], stored["schema"]["version"]
    if number is None:
        raise BadRequest(
            "The schema came with the request and has no versions.",
            errors=[Fault("/as_version", "Leave it out.")],
        )
    registry = _registry(request)
    writer = registry.kept(name, number)  # a record outlives its version
    reader = registry.resolve(f"{name}@{as_version}")
    return _json(jsontext.render(await asyncio.to_thread(projected_body, stored, writer, reader)))


@router.delete(
    "/v1/extractions/{id}",
    summary="Delete a stored extraction",
    operation_id="delete_extraction",
    tags=["Extractions"],
    status_code=204,
    responses=_OTHERS,
)
async def delete_extraction(
    request: Request, id: Annotated[str, Path(max_length=256, examples=["ext_01kahx3v6m8q2d0z4w7y5t9r1c"])]
) -> None:
    """Forget the result. Its attempts stay: they are the account of what was spent."""
    await _stored(request, id)
    await _store(request).delete(id)


async def _answer(request: Request, arguments: Arguments) -> Response:
    if _wants_events(request):
        frames = stream(_extractor(request), arguments, request.scope["state"].get("request_id"))
        return StreamingResponse(
            frames, media_type="text/event-stream", headers={"cache-control": "no-store"}
        )
    return _json(jsontext.render(body(await _extractor(request).run(arguments))))


def _wants_events(request: Request) -> bool:
    accept = request.headers.get("accept", "")
    return "text/event-stream" in accept and "application/json" not in accept


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


async def _stored(request: Request, id: str) -> Stored:
    if not _ID.match(id):
        raise UnknownExtraction("This is not the id of an extraction; they look like `ext_01k…`.")
    return await _store(request).get(id)


# --------------------------------------------------------------------------------------------------- parts of requests


def _extractor(request: Request) -> Extractor:
    extractor: Extractor = request.app.state.parts.extractor
    return extractor


def _files(request: Request) -> Files:
    files: Files = request.app.state.parts.files
    return files


def _registry(request: Request) -> Registry:
    registry: Registry = request.app.state.parts.registry
    return registry


def _store(request: Request) -> Store:
    store: Store = request.app.state.parts.store
    return store


def _refuse_unserved_headers(request: Request) -> None:
    """Headers whose meaning a caller would rely on, and that this release does not honour."""
    headers = request.headers
    if "respond-async" in headers.get("prefer", ""):
        raise UnservedOption(
            "`Prefer: respond-async` is not served by this release; nothing was sent to the model.",
            errors=[Fault("", "Leave the header out and wait for the record.")],
        )
    accept = headers.get("accept")
    if accept and not any(kind in accept for kind in _ACCEPTED):
        raise NotAcceptable(
            "A record is `application/json`, its making `text/event-stream`; `Accept` leaves both out."
        )


async def _parse(request: Request) -> Parsed:
    query = _query(request)
    content_type = request.headers.get("content-type")
    kind = (content_type or "").partition(";")[0].strip().lower()
    spool = _files(request).spool
    if kind == "application/json":
        data = await spool.gather(request.stream())
        if isinstance(data, bytes) and len(data) <= _LARGE:
            return requests.from_json(data, query, spool)
        async with spool.few:
            return await asyncio.to_thread(requests.from_json, data, query, spool)
    if kind == "multipart/form-data":
        parts = await read_form(
            content_type or "", request.stream(), spool, most=2 * _MAX_PARTS, field_bytes=_MAX_FIELD
        )
        return requests.from_form(await _form(parts), query)
    if kind == "application/x-www-form-urlencoded":
        raise UnsupportedMedia(
            "A form says nothing about the document in it (curl sends this type unless told otherwise). Name the file's own "
            "type: `-H 'Content-Type: application/pdf'`."
        )
    return requests.from_raw(await spool.gather(request.stream()), content_type, query)


def _query(request: Request) -> dict[str, str]:
    query: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in query:
            raise BadRequest(
                "An option stands twice in the query.",
                errors=[Fault(f"/options/{name[:100]}", "Give it once.")],
            )
        query[name] = value
    return query


async def _form(parts: Sequence[Part]) -> Form:
    files: list[Piece] = []
    fields: dict[str, bytes] = {}
    for part in parts:
        if part.name == "file" and len(files) == _MAX_PARTS:
            raise BadRequest(
                f"The form has more than {_MAX_PARTS} files.",
                errors=[Fault("/file", f"Send at most {_MAX_PARTS} parts of one document.")],
            )
        if part.name == "file" and part.is_file:
            files.append(Piece(part.content, part.media_type, part.filename))
        elif part.name == "file":
            files.append(Piece(part.content, "text/plain; charset=utf-8"))
        elif part.name in fields:
            raise BadRequest(
                "A part of the form stands twice.", errors=[Fault(f"/{part.name[:100]}", "Send it once.")]
            )
        else:
            fields[part.name] = await _in_memory(part.content)
    return Form(files, fields)


async def _in_memory(content: Content) -> bytes:
    return content if isinstance(content, bytes) else await asyncio.to_thread(content.read)
