"""``winnow extract``."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from service.cli.client import own_service, post, print_problem
from service.cli.shared import AsJson, SchemaFolders, UseSandbox, console, fail


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
        fail("There is no OPENAI_API_KEY. Set it, use --sandbox, or name a running service with --url.")
    service = contextlib.nullcontext(url) if url else own_service(sandbox=sandbox, schemas=schemas)
    with service as base, _progress(file.name):
        status, answer = post(str(base), schema, file, options)
    if as_json:
        print(json.dumps(answer, ensure_ascii=False, indent=2))  # noqa: T201 - for programs
    elif status != 200:
        print_problem(answer)
    else:
        console().print_json(data=answer["data"], ensure_ascii=False)
        usage, provenance = answer["usage"], answer["provenance"]
        console(stderr=True).print(
            f"{provenance['model']} ({provenance['engine']}) · {usage['input_tokens']} + {usage['output_tokens']} tokens · "
            f"{usage['cost_usd']} USD · {answer['id']}",
            style="dim",
        )
    if status != 200:
        raise typer.Exit(1)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        fail(f"--option takes NAME=VALUE, not {text!r}.", 2)
    return name, value


@contextlib.contextmanager
def _progress(name: str) -> Iterator[None]:
    if not console(stderr=True).is_terminal:
        yield
        return
    with console(stderr=True).status(f"Reading {name} …"):
        yield
