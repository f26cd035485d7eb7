"""``winnow settings``."""

import json
from collections.abc import Iterator
from typing import Any

from service.cli.shared import AsJson, console, load_settings, new_table


def show_settings(as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Show the settings in force, with secrets hidden."""
    settings = load_settings()
    rows = list(_rows(settings, ""))
    if as_json:
        console().print_json(data={name: value for name, value, _ in rows})
        return
    table = new_table()
    table.add_column("variable", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("meaning", style="dim", overflow="fold")
    for name, value, meaning in rows:
        table.add_row(name, value, meaning)
    console().print(table)


def _rows(settings: Any, prefix: str) -> Iterator[tuple[str, str, str]]:
    from pydantic import BaseModel

    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            yield from _rows(value, f"{prefix}{name}_")
            continue
        yield f"WINNOW_{prefix}{name}".upper(), _shown(value), field.description or ""


def _shown(value: Any) -> str:
    """A value as the variable would be written."""
    from pydantic import SecretStr

    if isinstance(value, SecretStr):
        return "(hidden)"
    if isinstance(value, list | tuple):
        return json.dumps(value, default=str)
    return "" if value is None else str(value)
