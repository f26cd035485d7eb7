"""The command line: ``winnow serve | demo | extract | schemas | sandbox | settings``.

Exit codes: 0 done; 1 the service answered with a problem, or refused to start; 2 the command line is wrong.
"""

import asyncio
import contextlib
import ctypes
import gc
import json
import mimetypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typing_extensions import override

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

# What a command needs is imported where it is needed: `winnow --help` must not wait for the whole service.

app = typer.Typer(
    name="winnow",
    help="Documents in, typed records out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
schemas_app = typer.Typer(help="Schemas that this machine's service would serve.", no_args_is_help=True)
app.add_typer(schemas_app, name="schemas")


@cache
def _console(*, stderr: bool = False) -> "Console":
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def _table() -> "Table":
    from rich.table import Table

    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))


_KEEP_ALIVE_S = 75
"""Longer than clients keep idle connections: whoever closes first must not be the server, or requests get lost."""

_MAX_FILE_DEPTH = 400
"""Levels of a schema in a file: the printers below recurse."""


class Profile(Enum):
    """How much of strict mode is relied on (see `service.strict`)."""

    documented = "documented"
    observed = "observed"
    minimal = "minimal"


SchemaFolders = Annotated[
    list[Path] | None,
    typer.Option(
        "--schemas",
        metavar="DIR",
        help="Serve the schemas of this folder too (DIR/<name>/schema.json). May be repeated.",
    ),
]
UseSandbox = Annotated[
    bool, typer.Option("--sandbox", help="Ask the offline provider; nothing leaves this machine.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def main() -> None:
    """Entry point of the ``winnow`` command."""
    app()


def _fail(message: str, code: int = 1) -> NoReturn:
    _console(stderr=True).print(message, style="red", markup=False, soft_wrap=True)
    raise typer.Exit(code)


# ------------------------------------------------------------------------------------------------------------- serve


@app.command()
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
    import uvicorn

    from service.access import is_loopback
    from service.app import create_app
    from service.registry import BrokenFolder

    settings = _settings(host=host, port=port, sandbox=sandbox, schemas=schemas, insecure=insecure)
    if settings.upstream.api_key is None and not settings.sandbox:
        _fail(
            "There is no OPENAI_API_KEY. Set it, or use `winnow serve --sandbox` to try the service with the offline "
            "provider (its records say `engine: sandbox`)."
        )
    if not is_loopback(settings.host) and settings.api_key is None and not settings.insecure:
        _fail(
            f"{settings.host} can be reached by others. Set WINNOW_API_KEY (callers then send it as a bearer token), "
            "or say --insecure."
        )
    try:
        application = create_app(settings)
    except BrokenFolder as error:
        _fail(str(error))

    class Server(uvicorn.Server):
        @override
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                # What was loaded stays: the collector need not look at it again with every full round.
                gc.collect()
                gc.freeze()
                _return_memory()
                shown = f"[{settings.host}]" if ":" in settings.host else settings.host
                print(f"Winnow listens on http://{shown}:{bound.getsockname()[1]}", flush=True)  # noqa: T201 - for people and parents

    config = uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=settings.drain_s,
        timeout_keep_alive=_KEEP_ALIVE_S,
        backlog=4096,
    )
    try:
        bound = _bind(settings.host, settings.port)
    except OSError as error:
        _fail(f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}.")
    server = Server(config)
    server.run(sockets=[bound])
    if not server.started:
        raise typer.Exit(1)


def _return_memory() -> None:
    """Give back to the system what importing left free in the heap: a few megabytes, where the C library can."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(address)
    return bound


def _settings(*, schemas: list[Path] | None = None, **given: Any) -> Any:
    from pydantic import ValidationError

    from service.app import settings_from_environment

    chosen = {name: value for name, value in given.items() if value is not None and value is not False}
    if schemas:
        chosen["schemas"] = {"folders": schemas}
    try:
        return settings_from_environment(**chosen)
    except ValidationError as error:
        faults = "; ".join(
            f"{'_'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors(include_input=False)
        )
        _fail(f"The settings are not valid: {faults}")


# -------------------------------------------------------------------------------------------------------------- demo


@app.command()
def demo(as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Run the main job on sample documents.

    Starts the service on a free port with the offline provider, sends the sample document of every starter schema over
    HTTP, and prints each record beside the expected one, leaf by leaf.
    """
    from service.registry import samples, starter

    total = right = 0
    results = []
    with _service(sandbox=True) as url:
        for sample in samples(starter()):
            status, answer = _post(url, sample.schema, sample.document)
            expected = json.loads(sample.expected.read_bytes())
            if status != 200:
                _print_problem(answer)
                raise typer.Exit(1)
            leaves = _compare(answer["data"], expected)
            total += len(leaves)
            right += sum(1 for _, got, wanted in leaves if _same(got, wanted))
            results.append(
                {"schema": sample.schema, "document": sample.document.name, "record": answer["data"]}
            )
            if not as_json:
                _print_comparison(sample.schema, sample.document.name, answer, leaves)
    if as_json:
        _console().print_json(data=results)
        return
    _console().print(
        f"\n[bold]{right} of {total} leaves as expected[/], all records valid against their schemas."
    )
    _console().print(
        "Read by the sandbox, an offline stand-in for the model that goes by general rules: with OPENAI_API_KEY set, "
        "`winnow serve` asks OpenAI.",
        style="dim",
    )


_ABSENT = object()


def _leaves(value: Any, pointer: str = "") -> dict[str, Any]:
    if isinstance(value, dict) and value:
        return {
            key: leaf
            for name, child in value.items()
            for key, leaf in _leaves(child, f"{pointer}/{name}").items()
        }
    if isinstance(value, list) and value:
        return {
            key: leaf
            for index, child in enumerate(value)
            for key, leaf in _leaves(child, f"{pointer}/{index}").items()
        }
    return {pointer: value}


def _compare(got: Any, expected: Any) -> list[tuple[str, Any, Any]]:
    ours, theirs = _leaves(got), _leaves(expected)
    pointers = list(theirs) + [pointer for pointer in ours if pointer not in theirs]
    return [(pointer, ours.get(pointer, _ABSENT), theirs.get(pointer, _ABSENT)) for pointer in pointers]


def _same(got: Any, wanted: Any) -> bool:
    nothing = (None, _ABSENT)
    return got == wanted or (got in nothing and wanted in nothing)


def _print_comparison(
    schema: str, document: str, answer: dict[str, Any], leaves: list[tuple[str, Any, Any]]
) -> None:
    usage = answer["usage"]
    _console().print(
        f"\n[bold]{schema}[/] from {document}: {usage['input_tokens']} + {usage['output_tokens']} tokens, "
        f"{usage['cost_usd']} USD at list price"
    )
    table = _table()
    table.add_column("")
    table.add_column("leaf", style="dim", no_wrap=True)
    table.add_column("record", overflow="fold")
    table.add_column("expected, where it differs", overflow="fold")
    for pointer, got, wanted in leaves:
        same = _same(got, wanted)
        table.add_row(
            "[green]✓[/]" if same else "[red]✗[/]",
            pointer,
            _cell(got),
            "" if same else f"[yellow]{_cell(wanted)}[/]",
        )
    _console().print(table)


def _cell(value: Any) -> str:
    from rich.markup import escape

    return "[dim]absent[/]" if value is _ABSENT else escape(json.dumps(value, ensure_ascii=False))


# ----------------------------------------------------------------------------------------------------------- extract


@app.command()
def extract(
    file: Annotated[Path, typer.Argument(help="The document.", exists=True, dir_okay=False)],
    *,
    schema: Annotated[
        str, typer.Option("--schema", "-s", help="Name of a schema, such as invoice or invoice@1.")
    ],
    url: Annotated[
        str | None,
        typer.Option(
            envvar="WINNOW_URL", help="A running service; without it, one is started for this call."
        ),
    ] = None,
    sandbox: UseSandbox = False,
    schemas: SchemaFolders = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option", "-o", metavar="NAME=VALUE", help="An option, such as pages=1-3. May be repeated."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Extract a record from a document."""
    options = dict(_pair(text) for text in option or [])
    if url is None and not sandbox and not os.environ.get("OPENAI_API_KEY"):
        _fail("There is no OPENAI_API_KEY. Set it, use --sandbox, or name a running service with --url.")
    service = contextlib.nullcontext(url) if url else _service(sandbox=sandbox, schemas=schemas)
    with service as base, _progress(file.name):
        status, answer = _post(str(base), schema, file, options)
    if as_json:
        print(json.dumps(answer, ensure_ascii=False, indent=2))  # noqa: T201 - for programs
    elif status != 200:
        _print_problem(answer)
    else:
        _console().print_json(data=answer["data"], ensure_ascii=False)
        usage, provenance = answer["usage"], answer["provenance"]
        _console(stderr=True).print(
            f"{provenance['model']} ({provenance['engine']}) · {usage['input_tokens']} + {usage['output_tokens']} tokens · "
            f"{usage['cost_usd']} USD · {answer['id']}",
            style="dim",
        )
    if status != 200:
        raise typer.Exit(1)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        _fail(f"--option takes NAME=VALUE, not {text!r}.", 2)
    return name, value


@contextlib.contextmanager
def _progress(name: str) -> Iterator[None]:
    if not _console(stderr=True).is_terminal:
        yield
        return
    with _console(stderr=True).status(f"Reading {name} …"):
        yield


def _print_problem(problem: dict[str, Any]) -> None:
    _console(stderr=True).print(
        f"{problem.get('title')} ({problem.get('status')}, {problem.get('code')})",
        style="bold red",
        markup=False,
    )
    _console(stderr=True).print(str(problem.get("detail")), markup=False, soft_wrap=True)
    for fault in problem.get("errors", []):
        _console(stderr=True).print(
            f"  {fault['pointer'] or '/'}: {fault['detail']}", markup=False, soft_wrap=True
        )
    _console(stderr=True).print(f"request {problem.get('request_id')}", style="dim", markup=False)


def _post(
    url: str, schema: str, file: Path, options: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Send a file to a service; the answer's status and JSON."""
    import httpx2

    kind = _media_type(file)
    headers = {"content-type": kind}
    key = os.environ.get("WINNOW_API_KEY")
    if key:
        headers["authorization"] = f"Bearer {key}"
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
        _fail(f"The service at {url} does not answer: {type(error).__name__}.")
    except ValueError:
        _fail(f"{url} answered something that is not JSON; is it a Winnow service?")


_MEDIA_TYPES = {
    ".eml": "message/rfc822",
    ".md": "text/markdown",
    ".msg": "application/vnd.ms-outlook",
    ".webp": "image/webp",
}


def _media_type(file: Path) -> str:
    suffix = file.suffix.lower()
    return _MEDIA_TYPES.get(suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"


@contextlib.contextmanager
def _service(*, sandbox: bool, schemas: list[Path] | None = None) -> Iterator[str]:
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
                _fail("The service did not start; its own output above says why.")
            yield line.rpartition(" ")[2].strip()
        finally:
            child.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(10)
            child.kill()
            child.wait()
            if child.stdout is not None:
                child.stdout.close()


# ----------------------------------------------------------------------------------------------------------- schemas


@schemas_app.command("list")
def list_schemas(schemas: SchemaFolders = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - flags of the command line
    """List the schemas: name, version, title."""
    found = _registry(schemas).all()
    if as_json:
        _console().print_json(
            data=[{"name": v.name, "version": v.version, "title": v.title, "digest": v.digest} for v in found]
        )
        return
    table = _table()
    for title in ("name", "version", "title"):
        table.add_column(title)
    for version in found:
        table.add_row(version.name, str(version.version), version.title)
    _console().print(table)


@schemas_app.command("show")
def show_schema(
    name: Annotated[str, typer.Argument(help="invoice, invoice@1 or invoice@latest.")],
    *,
    schemas: SchemaFolders = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Show what is sent to the provider instead.")
    ] = False,
) -> None:
    """Print a schema as JSON."""
    from service.foundation.errors import WinnowError

    try:
        version = _registry(schemas).resolve(name)
    except WinnowError as error:
        _fail(error.detail)
    _console().print_json(data=version.compiled.strict if strict else version.schema)


@schemas_app.command("compile")
def compile_schema(
    file: Annotated[Path, typer.Argument(help="A JSON Schema of any draft.", exists=True, dir_okay=False)],
    *,
    draft: Annotated[
        str | None, typer.Option(help="4, 6, 7, 2019-09 or 2020-12; by default read or guessed.")
    ] = None,
    profile: Annotated[
        Profile, typer.Option(help="Which keywords the provider is trusted with.")
    ] = Profile.documented,
    keep_undeclared: Annotated[
        bool,
        typer.Option(
            "--keep-undeclared",
            help="Carry members that nothing declares or forbids; extraction leaves them out.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what becomes of a schema: the strict form, the rules it cannot hold, or why it is refused."""
    from service import strict
    from service.foundation import jsontext

    try:
        schema = jsontext.parse(file.read_bytes(), max_depth=_MAX_FILE_DEPTH)
    except jsontext.MalformedJson as error:
        _fail(f"{file}: {error}.")
    try:
        compiled = strict.compile(
            schema, draft=draft, profile=profile.value, undeclared="keep" if keep_undeclared else "drop"
        )
    except strict.SchemaRefused as refused:
        if as_json:
            _console().print_json(data={"refused": {"pointer": refused.pointer, "reason": refused.reason}})
        else:
            _console(stderr=True).print("Refused", style="bold red")
            for fault in refused.errors:
                _console(stderr=True).print(
                    f"  {fault.pointer or '/'}: {fault.detail}", markup=False, soft_wrap=True
                )
        raise typer.Exit(1) from None
    losses = [
        {"pointer": loss.pointer, "keyword": loss.keyword, "detail": loss.detail} for loss in compiled.losses
    ]
    if as_json:
        data = {
            "draft": compiled.draft,
            "digest": compiled.digest,
            "strict": compiled.strict,
            "losses": losses,
        }
        print(json.dumps(data, ensure_ascii=False))  # noqa: T201 - for programs
        return
    _console().print_json(data=compiled.strict, ensure_ascii=False)
    stats = compiled.stats
    _console().print(
        f"\nDraft {compiled.draft} · {stats.properties} properties · depth {stats.depth} · {stats.characters} characters · "
        f"{stats.enum_values} enum values · {len(json.dumps(compiled.strict)) / max(1, len(json.dumps(schema))):.2f}× the source",
        style="dim",
    )
    if not losses:
        _console().print("[green]The strict form holds every rule.[/]")
        return
    _console().print("[yellow]Checked on the finished record instead:[/]")
    for loss in losses:
        _console().print(
            f"  {loss['pointer'] or '/'}  {loss['keyword']}: {loss['detail']}", markup=False, soft_wrap=True
        )


def _registry(folders: list[Path] | None) -> Any:
    from service.registry import BrokenFolder, Registry

    try:
        return Registry(_settings(schemas=folders).schemas)
    except BrokenFolder as error:
        _fail(str(error))


# ------------------------------------------------------------------------------------------------- sandbox, settings


@app.command()
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

    bound = _bind("127.0.0.1", port)
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
        timeout_keep_alive=_KEEP_ALIVE_S,
    )
    uvicorn.Server(config).run(sockets=[bound])


def _end_with_input() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(3)
    os._exit(0)


@app.command()
def doctor(
    *,
    model: Annotated[
        str | None, typer.Option(help="Model to examine; by default the one that is asked by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask the real provider some thirty cheap questions about what nobody can know from here.

    Needs OPENAI_API_KEY; costs a fraction of a cent. Without a key it says what it would ask.
    """
    from service.upstream import doctor as probes

    settings = _settings()
    if settings.upstream.api_key is None:
        if as_json:
            _console().print_json(
                data=[{"name": probe.name, "question": probe.question} for probe in probes.plan()]
            )
            return
        table = _table()
        for title in ("probe", "question", "the service assumes"):
            table.add_column(title)
        for probe in probes.plan():
            table.add_row(probe.name, probe.question, probe.assumed)
        _console().print(table)
        _console().print(
            "There is no OPENAI_API_KEY, so nothing was asked: with one, these are.", style="yellow"
        )
        return
    findings = asyncio.run(_examine(settings, model or settings.extraction.model))
    if as_json:
        _console().print_json(
            data=[{**asdict(finding), "surprising": finding.surprising} for finding in findings]
        )
    else:
        table = _table()
        for title in ("", "probe", "question", "verdict", "detail"):
            table.add_column(title, overflow="fold")
        for finding in findings:
            sign = "[yellow]![/]" if finding.surprising else "[green]✓[/]"
            table.add_row(sign, finding.name, finding.question, finding.verdict, finding.detail)
        _console().print(table)
    if any(finding.surprising for finding in findings):
        raise typer.Exit(1)


async def _examine(settings: Any, model: str) -> list[Any]:
    from service.catalogue import Catalogue
    from service.upstream import Upstream
    from service.upstream.doctor import examine

    async def record(_: Any) -> None:
        """Probes are an operator's own; their cost stands in the report."""

    upstream = Upstream(settings.upstream, Catalogue.load())
    await upstream.open()
    try:
        return [finding async for finding in examine(upstream, model=model, record=record)]
    finally:
        await upstream.close()


@app.command("settings")
def show_settings(as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Show the settings in force, with secrets hidden."""
    settings = _settings()
    rows = list(_rows(settings, ""))
    if as_json:
        _console().print_json(data={name: value for name, value, _ in rows})
        return
    table = _table()
    table.add_column("variable", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("meaning", style="dim", overflow="fold")
    for name, value, meaning in rows:
        table.add_row(name, value, meaning)
    _console().print(table)


def _rows(settings: Any, prefix: str) -> Iterator[tuple[str, str, str]]:
    from pydantic import BaseModel, SecretStr

    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            yield from _rows(value, f"{prefix}{name}_")
            continue
        shown = "(hidden)" if isinstance(value, SecretStr) else "" if value is None else str(value)
        yield f"WINNOW_{prefix}{name}".upper(), shown, field.description or ""


if __name__ == "__main__":
    main()
