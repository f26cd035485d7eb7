"""Which schemas exist: looked up by name, version and alias, without a query on the way."""

import asyncio
import difflib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from service.foundation import jsontext
from service.foundation.errors import Fault
from service.registry import folder
from service.registry.schemas import (
    LATEST,
    InvalidSchema,
    SchemaName,
    SchemaVersion,
    UnknownSchema,
    parse_reference,
)

INLINE = SchemaName("inline")
_KEPT_INLINE_BYTES = 16 * 1024 * 1024
"""Schema text whose compiled forms are kept for the next request with the same inline schema."""


class Settings(BaseModel):
    """Which schemas are served."""

    folders: list[Path] = Field(
        default_factory=list,
        description="Further folders of schemas (`DIR/<name>/schema.json`), beside the starter schemas.",
    )
    starter: bool = Field(True, description="Whether the ten starter schemas are served.")


class Registry:
    """The schemas that this process serves.

    Raises ``folder.BrokenFolder`` when a folder cannot be read, so that a service never starts with half its schemas.
    """

    def __init__(self, settings: Settings) -> None:
        places = [folder.starter()] if settings.starter else []
        self._versions: dict[str, SchemaVersion] = {}
        for place in [*places, *settings.folders]:
            self._add(folder.read(place))
        self._inline: OrderedDict[bytes, SchemaVersion] = OrderedDict()
        self._inline_bytes = 0

    def _add(self, versions: Iterable[SchemaVersion]) -> None:
        for version in versions:
            if version.name in self._versions:
                raise folder.BrokenFolder(
                    f"two folders hold a schema named {version.name!r}; rename one of them"
                )
            self._versions[version.name] = version

    def all(self) -> Sequence[SchemaVersion]:
        """The newest version of every schema, by name."""
        return sorted(self._versions.values(), key=lambda version: version.name)

    def resolve(self, reference: str) -> SchemaVersion:
        """The version behind ``invoice``, ``invoice@1`` or ``invoice@latest``.

        Raises ``UnknownSchema`` with near names, ``BadRequest`` for a malformed reference.
        """
        found = self._versions.get(reference)
        if found is not None:
            return found
        name, wanted = parse_reference(reference)
        found = self._versions.get(name)
        if found is None:
            near = difflib.get_close_matches(
                name[:64].lower().replace("-", "_"), self._versions, n=3, cutoff=0.5
            )
            hint = f" Did you mean {_either(near)}?" if near else ""
            raise UnknownSchema(f"No schema has this name.{hint} `GET /v1/schemas` lists all.")
        if wanted != LATEST and wanted.lstrip("0") != str(found.version):
            kind = "version" if wanted.isdigit() else "alias"
            raise UnknownSchema(
                f"Schema {name!r} has no such {kind}; it has version {found.version}, which is also {LATEST!r}."
            )
        return found

    async def inline(self, schema: Any) -> SchemaVersion:
        """The version for a schema that came inside a request; equal texts are compiled once.

        Compiled beside the event loop: a large schema may take seconds. Raises ``InvalidSchema``, ``SchemaRefused``.
        """
        if not isinstance(schema, dict | bool):
            raise InvalidSchema(
                "`schema` is neither a JSON object nor a boolean.",
                errors=[Fault("/schema", "Send the JSON Schema itself, not a string that contains it.")],
            )
        text = jsontext.render(schema)
        kept = self._inline.get(text)
        if kept is not None:
            self._inline.move_to_end(text)
            return kept
        version = SchemaVersion(INLINE, None, schema)
        await asyncio.to_thread(lambda: version.compiled)
        if text not in self._inline:
            self._inline[text] = version
            self._inline_bytes += len(text)
        while self._inline_bytes > _KEPT_INLINE_BYTES:
            oldest, _ = self._inline.popitem(last=False)
            self._inline_bytes -= len(oldest)
        return version


def _either(names: Sequence[str]) -> str:
    return " or ".join(f"`{name}`" for name in names)
