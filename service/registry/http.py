"""What the registry's operations share: how bodies are read, who asks, and the problems they answer with."""

import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request, Response
from fastapi.routing import APIRoute
from typing_extensions import override

from service.foundation import jsontext
from service.foundation.errors import PayloadTooLarge
from service.foundation.problems import Problem
from service.registry.registry import Registry

MAX_BODY_BYTES = 4 * 1024 * 1024
"""Of one schema with what stands beside it; no provider takes a tenth of that."""

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


class ExactRoute(APIRoute):
    """An operation whose JSON is read exactly, and is not larger than a schema may be."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def exact(request: Request) -> Response:
            known = _ExactRequest(request.scope, request.receive)
            if len(await known.body()) > MAX_BODY_BYTES:
                raise PayloadTooLarge(f"The registry takes bodies of at most {MAX_BODY_BYTES:,} bytes.")
            return await handle(known)

        return exact


def _registry(request: Request) -> Registry:
    registry: Registry = request.app.state.parts.registry
    return registry


def caller(request: Request) -> str:
    """Who asks, for the history."""
    name: str = getattr(request.state, "caller", "anybody")
    return name


async def _fresh(registry: Annotated[Registry, Depends(_registry)]) -> Registry:
    await registry.refresh()
    return registry


CurrentRegistry = Annotated[Registry, Depends(_registry)]
FreshRegistry = Annotated[Registry, Depends(_fresh)]
"""For what changes something: with all that other processes changed a moment ago; one small query."""

CurrentCaller = Annotated[str, Depends(caller)]
Name = Annotated[
    str,
    Path(
        max_length=255,
        pattern=r"^[^\x00-\x1f\x7f]+$",  # databases do not take NUL, people do not read the others
        description="Name of the schema.",
        examples=["invoice"],
    ),
]
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
Alias = Annotated[
    str,
    Path(
        max_length=64, pattern="^[a-z][a-z0-9-]*$", description="Name of the alias.", examples=["production"]
    ),
]
WithDeleted = Annotated[bool, Query(description="Show what was deleted and can be restored, too.")]
Limit = Annotated[int, Query(ge=1, le=200, description="Most changes of one page.")]
Cursor = Annotated[
    str | None,
    Query(
        max_length=40,
        pattern=r"^\d{1,18}\.\d{1,9}$",
        description="`next_cursor` of the page before.",
        examples=[None],
    ),
]

NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "No such schema or version; near names stand in the detail."}
}
CHANGES: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The request is malformed."},
    409: {
        "model": Problem,
        "description": "It would break consumers (`differences`), is in use (`used_by`) or read-only, or others were faster.",
    },
    413: {"model": Problem, "description": "The body is too large."},
    422: {"model": Problem, "description": "Everything that is wrong with the schema, at once."},
}
