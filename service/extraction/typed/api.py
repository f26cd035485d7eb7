"""HTTP: one version of a schema as an OpenAPI document, as pydantic models, as TypeScript types.

A version never changes, so each text is made once, beside the event loop, and kept while there is room.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from service.extraction import openapi
from service.foundation import jsontext
from service.foundation.problems import Problem
from service.registry import Registry, SchemaVersion
from service.registry.types import python_types, typescript_types

router = APIRouter(prefix="/v1/schemas/{name}/versions/{version}", tags=["Schemas"])

Name = Annotated[str, Path(max_length=64, description="Name of the schema.", examples=["invoice"])]
Number = Annotated[int, Path(ge=1, le=999_999_999, description="Number of the version.", examples=[1])]
Which = Annotated[
    str,
    Path(
        max_length=64,
        pattern="^([1-9][0-9]{0,8}|[a-z][a-z0-9-]*)$",
        description="Number of the version, an alias, or `latest`.",
        examples=["1", "latest"],
    ),
]

_KEPT_BYTES = 32 * 1024 * 1024
_FRESH_S = 3600
"""Seconds for which nobody need ask again. Not for ever: a newer service may write the same version better."""


@dataclass(frozen=True, slots=True)
class _Text:
    content: bytes
    tag: str


@dataclass
class _Kept:
    """Texts by kind, name, number and digest, the oldest unused dropped first. One is made at a time."""

    texts: OrderedDict[tuple[Any, ...], _Text] = field(default_factory=OrderedDict)
    size: int = 0
    making: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def text(self, kind: str, version: SchemaVersion, make: Callable[[SchemaVersion], bytes]) -> _Text:
        """The text, made where it is not there yet."""
        key = (kind, version.name, version.version, version.digest)
        async with self.making:
            found = self.texts.get(key)
            if found is None:
                content = await asyncio.to_thread(make, version)
                found = self.texts[key] = _Text(content, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
                self.size += len(content)
            self.texts.move_to_end(key)
            while self.size > _KEPT_BYTES and len(self.texts) > 1:
                _, dropped = self.texts.popitem(last=False)
                self.size -= len(dropped.content)
            return found


def _answers(media_type: str, description: str) -> dict[int | str, dict[str, Any]]:
    kind = "object" if media_type == "application/json" else "string"
    return {
        200: {"description": description, "content": {media_type: {"schema": {"type": kind}}}},
        304: {"description": "The text under the tag in `If-None-Match` is still right."},
        404: {"model": Problem, "description": "No such schema or version; near names stand in the detail."},
    }


@router.get(
    "/openapi.json",
    summary="The OpenAPI document of a version",
    operation_id="show_schema_version_openapi",
    response_class=Response,
    responses=_answers(
        "application/json", "OpenAPI 3.1: the typed extract operation, pinned to the version."
    ),
)
async def show_openapi(request: Request, name: Name, version: Number) -> Response:
    """For generators of clients that are to keep to one version: complete in itself, with the operation of this version."""
    return await _answer(
        request, name, str(version), "openapi.json", lambda found: jsontext.render(openapi.pinned(found))
    )


@router.get(
    "/model.py",
    summary="A version as pydantic models",
    operation_id="show_schema_version_python",
    response_class=Response,
    responses=_answers("text/x-python", "A Python module."),
)
async def show_python(request: Request, name: Name, version: Which) -> Response:
    """Models that hold every record of this version and write it back as it was; newer members are kept."""
    return await _answer(
        request,
        name,
        version,
        "model.py",
        lambda found: python_types(found.name, _about(found), found.modern).encode(),
    )


@router.get(
    "/model.ts",
    summary="A version as TypeScript types",
    operation_id="show_schema_version_typescript",
    response_class=Response,
    responses=_answers("text/x-typescript", "A TypeScript module of types."),
)
async def show_typescript(request: Request, name: Name, version: Which) -> Response:
    """Types of the records of this version, for `tsc --strict`."""
    return await _answer(
        request,
        name,
        version,
        "model.ts",
        lambda found: typescript_types(found.name, _about(found), found.modern).encode(),
    )


_MEDIA_TYPES: Mapping[str, str] = {
    "openapi.json": "application/json",
    "model.py": "text/x-python; charset=utf-8",
    "model.ts": "text/x-typescript; charset=utf-8",
}


async def _answer(
    request: Request, name: str, which: str, kind: str, make: Callable[[SchemaVersion], bytes]
) -> Response:
    registry: Registry = request.app.state.parts.registry
    version = registry.version(registry.snapshot.find(name, which))
    text = await _kept(request).text(kind, version, make)
    headers = {
        "etag": text.tag,
        # A number always means the same; `latest` and aliases move.
        "cache-control": f"private, max-age={_FRESH_S}" if which.isdigit() else "private, no-cache",
        "x-content-type-options": "nosniff",  # it holds words of customers, and is never a page
    }
    if text.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(text.content, headers={**headers, "content-type": _MEDIA_TYPES[kind]})


def _kept(request: Request) -> _Kept:
    state = request.app.state
    if not hasattr(state, "typed"):
        state.typed = _Kept()
    kept: _Kept = state.typed
    return kept


def _about(version: SchemaVersion) -> str:
    return f"Records of the schema `{version.name}`, version {version.version} ({version.digest})."
