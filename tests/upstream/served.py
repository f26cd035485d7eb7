"""The service's own sandbox on a loopback port, in a thread of its own, with its ledger open."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from service.sandbox import Sandbox, Settings, create_app


@asynccontextmanager
async def sandbox(**settings: Any) -> AsyncIterator[tuple[str, Sandbox]]:
    """Its base URL and the application, for as long as the block lasts."""
    app = create_app(Settings(**settings))
    listener = socket.create_server(("127.0.0.1", 0), backlog=2_048)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="critical",
            access_log=False,
            ws="none",
            timeout_graceful_shutdown=1,
            timeout_keep_alive=75,  # at uvicorn's 5 s, a slow run meets connections that are just being closed
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        async with asyncio.timeout(10):
            while not server.started:  # noqa: ASYNC110  # the server lives in another thread
                await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", app
    finally:
        server.should_exit = True
        await asyncio.to_thread(thread.join, 10)
        listener.close()
