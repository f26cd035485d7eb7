"""Schemas from folders: ``DIR/<name>/schema.json``, and beside it, where they are wanted, some more.

- ``instructions.md``: told to the model with every document;
- ``rules.json``: a list of rules, what a right record adds up to;
- ``examples/<any>.txt`` with ``examples/<any>.json``: a document as text and its record, in the order of their names;
- ``options.json``: ``{"policy": {…}, "evidence": "locations"}``, what extraction does where a request says nothing.

These are the members of a version over HTTP under other names; ``wire.ContentBody`` says what each may be.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from service.foundation import jsontext
from service.foundation.errors import Fault, WinnowError
from service.registry.contents import Content
from service.registry.faults import faults_beside
from service.registry.schemas import NAME, SchemaName, SchemaVersion
from service.registry.wire import ContentBody


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
        if not (place / "schema.json").is_file():
            continue
        if not NAME.match(place.name):
            raise BrokenFolder(f"{place}: a schema is named like `purchase_order`: {NAME.pattern}")
        yield _version(place)


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


def document(place: Path) -> dict[str, Any]:
    """Everything that a schema's folder says, as the JSON that a draft is put as. Raises ``BrokenFolder``."""
    schema = _json(place / "schema.json")
    if not isinstance(schema, dict | bool):
        raise BrokenFolder(f"{place / 'schema.json'}: a JSON Schema is an object or a boolean")
    found: dict[str, Any] = {"schema": schema}
    instructions = place / "instructions.md"
    if instructions.is_file():
        found["instructions"] = _text(instructions).strip()
    if (place / "rules.json").is_file():
        found["rules"] = _json(place / "rules.json")
    examples = place / "examples"
    if examples.is_dir():
        found["examples"] = [_example(file) for file in sorted(examples.glob("*.json"))]
        for file in sorted(examples.glob("*.txt")):
            if not file.with_suffix(".json").is_file():
                raise BrokenFolder(f"{file}: its record is missing, {file.with_suffix('.json').name}")
    if (place / "options.json").is_file():
        options = _json(place / "options.json")
        if not isinstance(options, dict) or not options.keys() <= {"policy", "evidence"}:
            raise BrokenFolder(
                f"{place / 'options.json'}: an object with `policy` and `evidence`, or one of them"
            )
        found.update(options)
    return found


def _example(file: Path) -> dict[str, Any]:
    text = file.with_suffix(".txt")
    if not text.is_file():
        raise BrokenFolder(f"{file}: its document is missing, {text.name}")
    return {"document": _text(text), "record": _json(file)}


def _json(file: Path) -> Any:
    try:
        return jsontext.parse(file.read_bytes())
    except jsontext.MalformedJson as error:
        raise BrokenFolder(f"{file}: {error}") from None


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise BrokenFolder(f"{file}: is not UTF-8") from None


def content(place: Path) -> Content:
    """The same, checked as far as its form goes. Raises ``BrokenFolder``."""
    try:
        return ContentBody.model_validate(document(place)).content()
    except ValidationError as error:
        faults = (
            f"/{'/'.join(map(str, item['loc']))}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False)
        )
        raise BrokenFolder(f"{place}: {'; '.join(faults)}") from None


def _version(place: Path) -> SchemaVersion:
    held = content(place)
    version = held.version(SchemaName(place.name), 1)
    try:
        draft = version.compiled.draft
    except WinnowError as error:
        faults: Sequence[Fault] = error.errors or [Fault("", error.detail)]
        raise BrokenFolder(f"{place / 'schema.json'}: {error.detail} {_listed(faults)}") from error
    if faults := faults_beside(held, draft):
        raise BrokenFolder(f"{place}: {_listed(faults)}")
    return version


def _listed(faults: Sequence[Fault]) -> str:
    return "; ".join(f"{fault.pointer or '/'}: {fault.detail}" for fault in faults)
