"""``winnow serve``."""

import asyncio
import contextlib
import ctypes
import gc
import socket
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from typing_extensions import override

from service.cli.listening import KEEP_ALIVE_S, bind_socket
from service.cli.shared import SchemaFolders, UseSandbox, fail, load_settings

if TYPE_CHECKING:
    from service.upstream import Upstream

_SWITCH_S = 0.002
"""How long a thread may hold the interpreter while another waits for it.

The thread that commits gives the interpreter away three times per transaction, and with the usual 5 ms a busy event
loop returned it too late: answers waited up to half a second for their attempts to be recorded.
"""


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    sandbox: UseSandbox = False,
    schemas: SchemaFolders = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Allow any address without WINNOW_API_KEY.")
    ] = False,
) -> None:
    """Run the service.

    Needs OPENAI_API_KEY, or --sandbox for the offline provider. Listens on loopback; any other address needs
    WINNOW_API_KEY (or --insecure).
    """
    sys.setswitchinterval(_SWITCH_S)
    gc.disable()  # until all is loaded: what a start makes stays, and looking through it over and over takes 0.25 s
    import uvicorn

    from service.access import is_loopback
    from service.app import create_app
    from service.cli.connections import Connection
    from service.registry import BrokenFolder

    settings = load_settings(host=host, port=port, sandbox=sandbox, schemas=schemas, insecure=insecure)
    if settings.upstream.api_key is None and not settings.sandbox:
        fail(
            "There is no OPENAI_API_KEY. Set it, or use `winnow serve --sandbox` to try the service with the offline "
            "provider (its records say `engine: sandbox`)."
        )
    if not is_loopback(settings.host) and settings.api_key is None and not settings.insecure:
        fail(
            f"{settings.host} can be reached by others. Set WINNOW_API_KEY (callers then send it as a bearer token), "
            "or say --insecure."
        )
    try:
        application = create_app(settings)
    except BrokenFolder as error:
        fail(str(error))

    class Server(uvicorn.Server):
        @override
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                self.settling = asyncio.create_task(_settle(application.state.parts.upstream))
                shown = f"[{settings.host}]" if ":" in settings.host else settings.host
                print(f"Winnow listens on http://{shown}:{bound.getsockname()[1]}", flush=True)  # noqa: T201 - for people and parents

    config = uvicorn.Config(
        application,
        http=Connection,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=settings.drain_s,
        timeout_keep_alive=KEEP_ALIVE_S,
        backlog=4096,
    )
    try:
        bound = bind_socket(settings.host, settings.port)
    except OSError as error:
        fail(f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}.")
    server = Server(config)
    server.run(sockets=[bound])
    if not server.started:
        raise typer.Exit(1)


async def _settle(upstream: "Upstream") -> None:
    """Turn the collector on once everything is loaded, and give back what loading left free in the heap.

    What was loaded stays: the collector need not look at it again with every full round.
    """
    try:
        await upstream.loaded()
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
