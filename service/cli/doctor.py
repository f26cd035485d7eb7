"""``winnow doctor``."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

import typer

from service.cli.shared import AsJson, console, load_settings, new_table


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

    settings = load_settings()
    if settings.upstream.api_key is None:
        if as_json:
            console().print_json(
                data=[{"name": probe.name, "question": probe.question} for probe in probes.plan()]
            )
            return
        table = new_table()
        for title in ("probe", "question", "the service assumes"):
            table.add_column(title)
        for probe in probes.plan():
            table.add_row(probe.name, probe.question, probe.assumed)
        console().print(table)
        console().print(
            "There is no OPENAI_API_KEY, so nothing was asked: with one, these are.", style="yellow"
        )
        return
    findings = asyncio.run(_examine(settings, model or settings.extraction.model))
    if as_json:
        console().print_json(
            data=[{**asdict(finding), "surprising": finding.surprising} for finding in findings]
        )
    else:
        table = new_table()
        for title in ("", "probe", "question", "verdict", "detail"):
            table.add_column(title, overflow="fold")
        for finding in findings:
            sign = "[yellow]![/]" if finding.surprising else "[green]✓[/]"
            table.add_row(sign, finding.name, finding.question, finding.verdict, finding.detail)
        console().print(table)
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
