"""Schemas from folders: ``DIR/<name>/schema.json`` with an optional ``instructions.md`` and ``rules.json`` beside it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.foundation import jsontext
from service.foundation.errors import WinnowError
from service.registry.rules import parse_rules
from service.registry.schemas import NAME, SchemaName, SchemaVersion


class BrokenFolder(ValueError):
    """A schema folder that cannot be served; the message names the file and the fault."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A document that comes with a schema and the record a careful person would write for it."""

    schema: SchemaName
    document: Path
    expected: Path


def read(folder: Path) -> Iterator[SchemaVersion]:
    """Every schema of a folder, by name, each as version 1.

    Raises ``BrokenFolder``: a service must not start with half of its schemas.
    """
    if not folder.is_dir():
        raise BrokenFolder(f"{folder} is not a folder of schemas")
    for place in sorted(folder.iterdir()):
        file = place / "schema.json"
        if not file.is_file():
            continue
        if not NAME.match(place.name):
            raise BrokenFolder(f"{place}: a schema is named like `purchase_order`: {NAME.pattern}")
        yield _version(place.name, file)


def samples(folder: Path) -> Iterator[Sample]:
    """The sample documents of a folder's schemas."""
    for place in sorted(folder.iterdir()):
        expected = place / "expected.json"
        for document in sorted(place.glob("sample.*")):
            if expected.is_file():
                yield Sample(SchemaName(place.name), document, expected)


def starter() -> Path:
    """The folder of the starter schemas: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    packaged = package / "starter"
    return packaged if packaged.is_dir() else package.parent / "schemas"


def _rules(file: Path) -> tuple[Any, ...]:
    if not file.is_file():
        return ()
    try:
        rules = jsontext.parse(file.read_bytes())
    except jsontext.MalformedJson as error:
        raise BrokenFolder(f"{file}: {error}") from None
    if not isinstance(rules, list):
        raise BrokenFolder(f"{file}: rules are a list")
    return tuple(rules)


def _version(name: str, file: Path) -> SchemaVersion:
    try:
        schema = jsontext.parse(file.read_bytes())
    except jsontext.MalformedJson as error:
        raise BrokenFolder(f"{file}: {error}") from None
    if not isinstance(schema, dict | bool):
        raise BrokenFolder(f"{file}: a JSON Schema is an object or a boolean")
    instructions = file.with_name("instructions.md")
    version = SchemaVersion(
        SchemaName(name),
        1,
        schema,
        instructions.read_text("utf-8").strip() if instructions.is_file() else "",
        rules=_rules(file.with_name("rules.json")),
    )
    try:
        _ = version.compiled
        parse_rules(list(version.rules), version.schema, pointer="/rules")
    except WinnowError as error:
        where = "; ".join(f"{fault.pointer or '/'}: {fault.detail}" for fault in error.errors)
        raise BrokenFolder(f"{file}: {error.detail} {where}".strip()) from error
    return version
