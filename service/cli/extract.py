"""``winnow extract``."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.client import follow, own_service, post, print_problem
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
    explain: Annotated[
        bool, typer.Option("--explain", help="Show where each value stands in the document.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT", dir_okay=False, help="Write a page with the document and boxes over the values."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Extract a record from a document."""
    options = dict(_pair(text) for text in option or [])
    if url is None and not sandbox and not os.environ.get("OPENAI_API_KEY"):
        fail("There is no OPENAI_API_KEY. Set it, use --sandbox, or name a running service with --url.")
    service = contextlib.nullcontext(url) if url else own_service(sandbox=sandbox, schemas=schemas)
    with service as base, _progress(file.name) as heard:
        if heard is None:
            status, answer = post(str(base), schema, file, options)
        else:
            status, answer = follow(str(base), schema, file, options, heard)
        if status == 200 and (explain or html is not None):
            answer = _explained(str(base), file, answer, options, html)
    if as_json:
        print(json.dumps(answer, ensure_ascii=False, indent=2))  # noqa: T201 - for programs
    elif status != 200:
        print_problem(answer)
    else:
        console().print_json(data=answer["data"], ensure_ascii=False)
        if explain:
            from service.cli.explain import print_evidence

            print_evidence(answer["data"], answer["evidence"])
        usage, provenance = answer["usage"], answer["provenance"]
        console(stderr=True).print(
            f"{provenance['model']} ({provenance['engine']}) · {usage['input_tokens']} + {usage['output_tokens']} tokens · "
            f"{usage['cost_usd']} USD · {answer['id']}",
            style="dim",
        )
    if status != 200:
        raise typer.Exit(1)


def _explained(
    base: str, file: Path, answer: dict[str, Any], options: dict[str, str], html: Path | None
) -> dict[str, Any]:
    """The answer with its evidence; the page is written where one is asked for."""
    from service.cli.explain import evidence_of, write_page
    from service.foundation.errors import WinnowError

    try:
        document, evidence = evidence_of(base, file, answer, options)
    except WinnowError as error:
        fail(f"The record is there, its evidence is not: {error.detail}")
    if html is not None:
        write_page(html, file, document, answer, evidence)
    return {**answer, "evidence": evidence}


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        fail(f"--option takes NAME=VALUE, not {text!r}.", 2)
    return name, value


@contextlib.contextmanager
def _progress(name: str) -> Iterator[Callable[[dict[str, Any]], None] | None]:
    """A bar that shows how far the service is, on a terminal; None elsewhere. Yields what is to hear of progress."""
    if not console(stderr=True).is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"Reading {name}", total=None)

        def heard(progress: dict[str, Any]) -> None:
            if "parts" in progress:
                bar.update(task, total=progress["parts"], completed=progress.get("parts_done", 0))
            if "rows" in progress:
                bar.update(
                    task, description=f"Reading {name}: {progress['rows']} rows, {progress['cost_usd']} USD"
                )

        yield heard
