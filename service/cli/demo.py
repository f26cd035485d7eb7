"""``winnow demo``."""

import json
from typing import Any

import typer

from service.cli.client import own_service, post, print_problem
from service.cli.shared import AsJson, console, new_table


def demo(as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Run the main job on sample documents.

    Starts the service on a free port with the offline provider, sends the sample document of every starter schema over
    HTTP, and prints each record beside the expected one, leaf by leaf.
    """
    from service.registry import samples, starter

    total = right = 0
    results = []
    with own_service(sandbox=True) as url:
        for sample in samples(starter()):
            status, answer = post(url, sample.schema, sample.document)
            expected = json.loads(sample.expected.read_bytes())
            if status != 200:
                print_problem(answer)
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
        console().print_json(data=results)
        return
    console().print(
        f"\n[bold]{right} of {total} leaves as expected[/], all records valid against their schemas."
    )
    console().print(
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
    console().print(
        f"\n[bold]{schema}[/] from {document}: {usage['input_tokens']} + {usage['output_tokens']} tokens, "
        f"{usage['cost_usd']} USD at list price"
    )
    table = new_table()
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
    console().print(table)


def _cell(value: Any) -> str:
    from rich.markup import escape

    return "[dim]absent[/]" if value is _ABSENT else escape(json.dumps(value, ensure_ascii=False))
