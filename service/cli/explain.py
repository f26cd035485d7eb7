"""Evidence on the command line: a table beside the record, or a page with the document."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from service.cli.client import schema_of
from service.cli.page import page
from service.cli.shared import console, new_table
from service.documents import Document

_STYLES = {"found": "green", "ambiguous": "yellow", "not_found": "red", "derived": "blue", "absent": "dim"}


def evidence_of(
    url: str, file: Path, answer: Mapping[str, Any], options: Mapping[str, str]
) -> tuple[Document, dict[str, dict[str, Any]]]:
    """The document, and the evidence of the answer's record: the service's where it gave any, else worked out here.

    Raises ``WinnowError`` where this machine cannot read the document.
    """
    document = asyncio.run(_loaded(file.read_bytes(), file.name, options))
    given = answer.get("evidence")
    if isinstance(given, dict) and given:
        return document, given
    from service.extraction.evidence import Index, bodies, confident, locate

    reference = answer["schema"]
    schema = schema_of(url, f"{reference['name']}@{reference['version']}")
    found = locate(Index.of(document), answer["data"], schema)
    findings = [(finding["pointer"], finding["severity"]) for finding in answer.get("findings", [])]
    return document, bodies(confident(found, findings=findings))


async def _loaded(data: bytes, name: str, options: Mapping[str, str]) -> Document:
    from service.documents import Loader, Settings, parse_pages

    loader = Loader(Settings(workers=1))
    await loader.open()
    try:
        return await loader.load(
            data,
            declared=None,
            name=name,
            pages=parse_pages(options["pages"]) if "pages" in options else None,
            images="always",
        )
    finally:
        await loader.close()


def print_evidence(data: Any, evidence: Mapping[str, Mapping[str, Any]]) -> None:
    """One line a leaf: where it stands, and how sure that is."""
    table = new_table()
    for title in ("pointer", "value", "status", "where", "quote", "confidence"):
        table.add_column(title, overflow="fold")
    for pointer, one in evidence.items():
        status = str(one["status"])
        places = [f"page {one['page']}"] if "page" in one else []
        where = ", ".join([*places, *(str(one[name]) for name in ("place", "reason") if name in one)])
        sure = f"{one['confidence']:.2f}" if "confidence" in one else ""
        table.add_row(
            _plain(pointer),
            _plain(str(_at(data, pointer))[:60]),
            f"[{_STYLES[status]}]{status}[/]",
            _plain(where),
            _plain(str(one.get("quote", ""))[:60]),
            sure,
        )
    console().print(table)


def write_page(
    out: Path,
    file: Path,
    document: Document,
    answer: Mapping[str, Any],
    evidence: Mapping[str, Mapping[str, Any]],
) -> None:
    """Write the page of a result."""
    provenance, schema = answer["provenance"], answer["schema"]
    about = f"{schema['name']} version {schema['version']} · {provenance['model']} ({provenance['engine']})"
    findings = [
        f"{finding['pointer'] or 'record'}: {finding['message']}"
        for finding in answer.get("findings", [])
        if finding["severity"] != "info"
    ]
    text = page(document, answer["data"], evidence, title=file.name, about=about, findings=findings)
    out.write_text(text, encoding="utf-8", errors="replace")


def _plain(text: str) -> str:
    """Text of a document, harmless on a terminal."""
    from rich.markup import escape

    return escape("".join(letter if letter.isprintable() else " " for letter in text))


def _at(data: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        data = data[int(step)] if isinstance(data, list) else data[step.replace("~1", "/").replace("~0", "~")]
    return data
