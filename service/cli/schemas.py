"""``winnow schemas``."""

import json
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli import publishing
from service.cli.registry import Service, Url, print_json
from service.cli.shared import AsJson, SchemaFolders, console, fail, load_settings, new_table

app = typer.Typer(
    help="Schemas: those in folders here, and with --url the registry of a running service.",
    no_args_is_help=True,
)
app.command()(publishing.push)
app.command()(publishing.publish)
app.command()(publishing.diff)
app.command()(publishing.check)
app.command()(publishing.apply)
app.command()(publishing.release)
app.command()(publishing.export)
app.command("import")(publishing.import_archive)

_MAX_FILE_DEPTH = 400
"""Levels of a schema in a file: the printers below recurse."""


class Profile(Enum):
    """How much of strict mode is relied on (see `service.strict`)."""

    documented = "documented"
    observed = "observed"
    minimal = "minimal"


@app.command("list")
def list_schemas(
    *,
    schemas: SchemaFolders = None,
    url: Url = None,
    label: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE or NAME; may be repeated. Needs --url.")
    ] = None,
    deleted: Annotated[bool, typer.Option("--deleted", help="Deleted ones, too. Needs --url.")] = False,
    as_json: AsJson = False,
) -> None:
    """List schemas: name, version, title; with --url also their labels, and who has a draft."""
    if url is None:
        if label or deleted:
            fail("--label and --deleted ask a running service: name it with --url.", 2)
        found = [
            {"name": v.name, "version": v.version, "title": v.title, "digest": v.digest}
            for v in _registry(schemas).all()
        ]
        if as_json:
            console().print_json(data=found)
            return
        answer: dict[str, Any] = {"schemas": found, "drafts": []}
    else:
        wanted = [("label", one) for one in label or []] + ([("deleted", "true")] if deleted else [])
        answer = Service(url).need("GET", "schemas", params=wanted)
        if as_json:
            print_json(answer)
            return
    from rich.markup import escape

    table = new_table()
    for title in ("name", "version", "title", *(("labels", "") if url is not None else ())):
        table.add_column(title)
    drafts = dict.fromkeys(answer["drafts"])
    for one in answer["schemas"]:
        more = [
            "deleted" if one.get("deleted_at") else "",
            "has a draft" if one["name"] in drafts else "",
        ]
        drafts.pop(one["name"], None)
        labels = ", ".join(f"{key}={value}" for key, value in one.get("labels", {}).items())
        row = [one["name"], str(one["version"]), one["title"], labels, ", ".join(filter(None, more))]
        table.add_row(*(escape(text) for text in row[: len(table.columns)]))
    for name in drafts:
        table.add_row(escape(name), "", "", "", "a draft only")
    console().print(table)


@app.command("show")
def show_schema(
    name: Annotated[str, typer.Argument(help="invoice, invoice@1 or invoice@latest.")],
    *,
    schemas: SchemaFolders = None,
    url: Url = None,
    draft: Annotated[
        bool, typer.Option("--draft", help="The draft, with all that it says. Needs --url.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Show what is sent to the provider instead.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Everything that stands beside the schema, too. Needs --url.")
    ] = False,
) -> None:
    """Print a schema as JSON."""
    from service.foundation.errors import WinnowError

    if url is not None:
        if draft:
            print_json(Service(url).need("GET", f"schemas/{name}/draft"))
            return
        found = Service(url).need("GET", f"schemas/{name}")
        print_json(found if as_json else found["strict" if strict else "schema"])
        return
    if draft or as_json:
        fail("--draft and --json ask a running service: name it with --url.", 2)
    try:
        version = _registry(schemas).resolve(name)
    except WinnowError as error:
        fail(error.detail)
    console().print_json(data=version.compiled.strict if strict else version.schema)


@app.command("compile")
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
        fail(f"{file}: {error}.")
    try:
        compiled = strict.compile(
            schema, draft=draft, profile=profile.value, undeclared="keep" if keep_undeclared else "drop"
        )
    except strict.SchemaRefused as refused:
        if as_json:
            console().print_json(data={"refused": {"pointer": refused.pointer, "reason": refused.reason}})
        else:
            console(stderr=True).print("Refused", style="bold red")
            for fault in refused.errors:
                console(stderr=True).print(
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
    console().print_json(data=compiled.strict, ensure_ascii=False)
    stats = compiled.stats
    console().print(
        f"\nDraft {compiled.draft} · {stats.properties} properties · depth {stats.depth} · {stats.characters} characters · "
        f"{stats.enum_values} enum values · {len(json.dumps(compiled.strict)) / max(1, len(json.dumps(schema))):.2f}× the source",
        style="dim",
    )
    if not losses:
        console().print("[green]The strict form holds every rule.[/]")
        return
    console().print("[yellow]Checked on the finished record instead:[/]")
    for loss in losses:
        console().print(
            f"  {loss['pointer'] or '/'}  {loss['keyword']}: {loss['detail']}", markup=False, soft_wrap=True
        )


def _registry(folders: list[Path] | None) -> Any:
    from service.registry import BrokenFolder, Registry

    try:
        return Registry(load_settings(schemas=folders).schemas)
    except BrokenFolder as error:
        fail(str(error))
