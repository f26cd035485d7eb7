"""What the commands share: the console, common options, failing, settings."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

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


@cache
def console(*, stderr: bool = False) -> "Console":
    """Standard output or error, with colours only on a terminal."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def new_table() -> "Table":
    """A table without lines."""
    from rich.table import Table

    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))


def fail(message: str, code: int = 1) -> NoReturn:
    """Say on standard error what is wrong, and end with ``code``."""
    console(stderr=True).print(message, style="red", markup=False, soft_wrap=True)
    raise typer.Exit(code)


def load_settings(*, schemas: list[Path] | None = None, **given: Any) -> Any:
    """Settings from the environment and the command line; ends the command when they are not valid."""
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
        fail(f"The settings are not valid: {faults}")
