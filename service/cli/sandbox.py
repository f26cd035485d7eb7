"""``winnow sandbox``."""

import os
import signal
import sys
import threading
import time
from dataclasses import replace
from typing import Annotated

import typer

from service.cli.listening import KEEP_ALIVE_S, bind_socket


def sandbox(
    *,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8001,
    requests_per_minute: Annotated[
        int, typer.Option("--rpm", min=1, help="Requests per minute, for each key and model; then 429.")
    ] = 30_000,
    tokens_per_minute: Annotated[
        int, typer.Option("--tpm", min=1, help="Tokens per minute, for each key and model; then 429.")
    ] = 150_000_000,
    latency: Annotated[float, typer.Option(min=0, help="Seconds before every answer.")] = 0.0,
    token_delay: Annotated[float, typer.Option(min=0, help="Seconds between two pieces of a stream.")] = 0.0,
    clock_speed: Annotated[
        float,
        typer.Option(min=0.001, help="Seconds of provider time per second, for batches and delays."),
    ] = 1.0,
    webhook_url: Annotated[
        str | None, typer.Option(help="Where signed events of batches and background responses go.")
    ] = None,
    until_eof: Annotated[
        bool, typer.Option("--until-eof", help="End when standard input ends: a child of another program.")
    ] = False,
) -> None:
    """Run the offline provider alone: OpenAI's wire protocol on loopback, for anyone's tests.

    Point a client at it with OPENAI_BASE_URL=http://127.0.0.1:PORT/v1 and any key. Scenarios are model names. Events
    are signed with the secret in WINNOW_SANDBOX_WEBHOOK_SECRET (`whsec_…`), or with one that is the same everywhere.
    """
    import uvicorn

    from service.sandbox import Settings, create_app

    settings = Settings(
        requests_per_minute=requests_per_minute,
        tokens_per_minute=tokens_per_minute,
        latency_s=latency,
        token_delay_s=token_delay,
        clock_speed=clock_speed,
        webhook_url=webhook_url,
    )
    secret = os.environ.get("WINNOW_SANDBOX_WEBHOOK_SECRET")
    if secret:
        settings = replace(settings, webhook_secret=secret)

    bound = bind_socket("127.0.0.1", port)
    bound.listen()  # who reads the line below may connect at once and waits in the backlog
    print(f"http://127.0.0.1:{bound.getsockname()[1]}/v1", flush=True)  # noqa: T201 - for people and parents
    if until_eof:
        threading.Thread(target=_end_with_input, daemon=True).start()
    config = uvicorn.Config(
        create_app(settings),
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
