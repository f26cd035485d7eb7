"""The command line: ``winnow serve | demo | extract | schemas | sandbox | doctor | settings``.

Exit codes: 0 done; 1 the service answered with a problem, or refused to start; 2 the command line is wrong; 3 no service
answers.

What a command needs is imported where it is needed: `winnow --help` must not wait for the whole service.
"""

import typer

from service.cli import schemas
from service.cli.demo import demo
from service.cli.doctor import doctor
from service.cli.extract import extract
from service.cli.sandbox import sandbox
from service.cli.serve import serve
from service.cli.settings import show_settings

app = typer.Typer(
    name="winnow",
    help="Documents in, typed records out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(serve)
app.command()(demo)
app.command()(extract)
app.add_typer(schemas.app, name="schemas")
app.command()(sandbox)
app.command()(doctor)
app.command("settings")(show_settings)


def main() -> None:
    """Entry point of the ``winnow`` command."""
    app()
