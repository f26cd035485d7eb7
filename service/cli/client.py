"""Talking to a service over HTTP: one that runs, or one of our own for a single command."""

import contextlib
import json
import mimetypes
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from service.cli.shared import console, fail

UNREACHABLE = 3
"""Exit code where no service answers."""


@contextlib.contextmanager
def own_service(*, sandbox: bool, schemas: list[Path] | None = None) -> Iterator[str]:
    """A service of our own on a free port, with a database that is forgotten afterwards. Yields its URL."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "service.cli", "serve", "--host", "127.0.0.1", "--port", "0"]
        command += ["--sandbox"] if sandbox else []
        for place in schemas or []:
            command += ["--schemas", str(place)]
        environment = {
            **os.environ,
            "WINNOW_DATABASE_URL": f"sqlite:///{folder}/winnow.db",
            "WINNOW_LOG_LEVEL": "error",
        }
        child = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)  # noqa: S603 - our own command
        try:
            assert child.stdout is not None  # noqa: S101 - narrows the type: it is a pipe
            line = child.stdout.readline()
            if "http://" not in line:
                fail("The service did not start; its own output above says why.")
            yield line.rpartition(" ")[2].strip()
        finally:
            child.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(10)
            child.kill()
            child.wait()
            if child.stdout is not None:
                child.stdout.close()


def post(
    url: str, schema: str, file: Path, options: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Send a file to a service; the answer's status and JSON."""
    import httpx2

    kind = _media_type(file)
    headers = {"content-type": kind, **key_headers()}
    try:
        answer = httpx2.post(
            f"{url.rstrip('/')}/v1/extract/{schema}",
            params=options or {},
            content=file.read_bytes(),
            headers=headers,
            timeout=3700,
            trust_env=False,
        )
        return answer.status_code, answer.json()
    except httpx2.HTTPError as error:
        fail(f"The service at {url} does not answer: {type(error).__name__}.", UNREACHABLE)
    except ValueError:
        fail(f"{url} answered something that is not JSON; is it a Winnow service?", UNREACHABLE)


def follow(
    url: str, schema: str, file: Path, options: dict[str, str], heard: Callable[[dict[str, Any]], None]
) -> tuple[int, dict[str, Any]]:
    """The same as a stream of events: ``heard`` gets each `progress`; then the answer's status and JSON."""
    import httpx2

    headers = {"content-type": _media_type(file), "accept": "text/event-stream", **key_headers()}
    try:
        with (
            httpx2.Client(timeout=3700, trust_env=False) as client,
            client.stream(
                "POST",
                f"{url.rstrip('/')}/v1/extract/{schema}",
                params=options,
                content=file.read_bytes(),
                headers=headers,
            ) as answer,
        ):
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                answer.read()
                return answer.status_code, answer.json()
            name, found = "", None
            for line in answer.iter_lines():
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data" and name == "progress":
                    heard(json.loads(value))
                elif field == "data" and name in ("record", "problem"):
                    body = json.loads(value)
                    found = (200 if name == "record" else int(body["status"])), body
    except httpx2.HTTPError as error:
        fail(f"The service at {url} does not answer: {type(error).__name__}.", UNREACHABLE)
    except ValueError:
        fail(f"{url} answered something that is not JSON; is it a Winnow service?", UNREACHABLE)
    if found is None:
        fail(f"The service at {url} stopped before the record was there.")
    return found


def schema_of(url: str, reference: str) -> Any:
    """The JSON Schema of a version, complete in itself."""
    import httpx2

    try:
        answer = httpx2.get(
            f"{url.rstrip('/')}/v1/schemas/{reference}", headers=key_headers(), timeout=60, trust_env=False
        )
        body = answer.raise_for_status().json()
        return body["schema"] if body["bundled"] is None else body["bundled"]
    except httpx2.HTTPError as error:
        fail(
            f"The service at {url} does not tell its schema {reference}: {type(error).__name__}.", UNREACHABLE
        )


def key_headers() -> dict[str, str]:
    """The bearer token of the environment, where there is one."""
    key = os.environ.get("WINNOW_API_KEY")
    return {"authorization": f"Bearer {key}"} if key else {}


def print_problem(problem: dict[str, Any]) -> None:
    """A problem document for people, on standard error."""
    console(stderr=True).print(
        f"{problem.get('title')} ({problem.get('status')}, {problem.get('code')})",
        style="bold red",
        markup=False,
    )
    console(stderr=True).print(str(problem.get("detail")), markup=False, soft_wrap=True)
    for fault in problem.get("errors", []):
        console(stderr=True).print(
            f"  {fault['pointer'] or '/'}: {fault['detail']}", markup=False, soft_wrap=True
        )
    console(stderr=True).print(f"request {problem.get('request_id')}", style="dim", markup=False)


_MEDIA_TYPES = {
    ".eml": "message/rfc822",
    ".md": "text/markdown",
    ".msg": "application/vnd.ms-outlook",
    ".webp": "image/webp",
}


def _media_type(file: Path) -> str:
    suffix = file.suffix.lower()
    return _MEDIA_TYPES.get(suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
