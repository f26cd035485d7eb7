"""``winnow sandbox``."""

import os
import signal
import sys
import threading
import time
from typing import Annotated

import typer

from service.cli.listening import KEEP_ALIVE_S, bind_socket


def sandbox(
    *,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8001,
    until_eof: Annotated[
        bool, typer.Option("--until-eof", help="End when standard input ends: a child of another program.")
    ] = False,
) -> None:
    """Run the offline provider alone: OpenAI's wire protocol on loopback, for anyone's tests.

    Point a client at it with OPENAI_BASE_URL=http://127.0.0.1:PORT/v1 and any key. Scenarios are model names.
    """
    import uvicorn

    from service.sandbox import create_app

    bound = bind_socket("127.0.0.1", port)
    bound.listen()  # who reads the line below may connect at once and waits in the backlog
    print(f"http://127.0.0.1:{bound.getsockname()[1]}/v1", flush=True)  # noqa: T201 - for people and parents
    if until_eof:
        threading.Thread(target=_end_with_input, daemon=True).start()
    config = uvicorn.Config(
        create_app(),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    uvicorn.Server(config).run(sockets=[bound])


def _end_with_input() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(3)
    os._exit(0)
