"""Where a command takes a schema from: a file, a folder, or a pydantic model of the code at hand."""

import importlib
import re
import sys
from pathlib import Path
from typing import Any

from service.cli.shared import fail

_MAX_FILE_DEPTH = 120
"""Levels of a schema in a file: as many as the service reads."""

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def document_of(source: str, name: str | None) -> tuple[str, dict[str, Any]]:
    """The name and the JSON that a draft is put as, of ``FILE``, ``DIR`` or ``module:Model``; ends the command with 2."""
    path = Path(source)
    if path.is_dir():
        return name or path.name, folder_document(path)
    if path.is_file():
        own = path.parent.resolve().name if path.name == "schema.json" else path.stem
        return name or own, {"schema": schema_in(path)}
    module, colon, attribute = source.partition(":")
    if not colon:
        fail(f"{source} is neither a file or folder nor module:Model.", 2)
    return name or _snake(attribute.rpartition(".")[2]), {"schema": _schema_of(module, attribute)}


def folder_document(path: Path) -> dict[str, Any]:
    """What a schema's folder says; ends the command with 2 where it has none, with 1 where it cannot be read."""
    from service.registry.folder import BrokenFolder, document

    if not (path / "schema.json").is_file():
        fail(f"{path} holds no schema.json.", 2)
    try:
        return document(path)
    except BrokenFolder as error:
        fail(str(error))


def folders_in(path: Path) -> list[Path]:
    """The folders of schemas in a folder like `schemas/`; the folder itself where it is one. Ends the command with 2."""
    found = [path] if (path / "schema.json").is_file() else []
    found = found or sorted(place.parent for place in path.glob("*/schema.json"))
    if not found:
        fail(f"{path} holds no schema.json, and none of its folders does.", 2)
    return found


def schema_in(path: Path) -> Any:
    """The JSON of a file; ends the command with 1 for what is none."""
    from service.foundation import jsontext

    try:
        schema = jsontext.parse(path.read_bytes(), max_depth=_MAX_FILE_DEPTH)
    except jsontext.MalformedJson as error:
        fail(f"{path}: {error}.")
    if not isinstance(schema, dict | bool):
        fail(f"{path}: a JSON Schema is an object or a boolean.")
    return schema


def _schema_of(module: str, attribute: str) -> Any:
    """The JSON Schema of a pydantic model (or of a `TypeAdapter`); modules are found from here as `python -m` does."""
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(module)
        for step in attribute.split("."):
            found = getattr(found, step)
    except (ImportError, AttributeError, ValueError) as error:
        fail(f"{module}:{attribute} cannot be imported from {Path.cwd()}: {error}", 2)
    make = getattr(found, "model_json_schema", None) or getattr(found, "json_schema", None)
    if make is None:
        fail(f"{module}:{attribute} is neither a pydantic model nor a TypeAdapter.", 2)
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - the model is somebody else's code: whatever it raises, say so
        fail(f"{module}:{attribute} has no JSON Schema: {type(error).__name__}: {error}")


def _snake(name: str) -> str:
    """``PurchaseOrder`` → ``purchase_order``."""
    return _WORD.sub("_", name).lower()
