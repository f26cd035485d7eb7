"""A schema version: the unit that is published, pinned and extracted with."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NewType

from service import strict
from service.foundation import jsontext
from service.foundation.errors import BadRequest, Fault, NotFound, Unprocessable

SchemaName = NewType("SchemaName", str)

NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}\Z")
"""What a schema may be called; it stands in paths, in the provider's `text.format.name` and in OpenAPI."""

LATEST = "latest"
_ALIAS = re.compile(r"[a-z][a-z0-9-]*\Z")


class UnknownSchema(NotFound):
    """No schema, version or alias of that name."""

    code = "schema_not_found"
    title = "No such schema"
    hint = "`GET /v1/schemas` lists every schema; near names stand in the detail."


class InvalidSchema(Unprocessable):
    """Not a JSON Schema."""

    code = "schema_invalid"
    title = "Not a valid JSON Schema"
    hint = "Correct the places named in `errors`."


@dataclass(frozen=True)
class SchemaVersion:
    """One immutable version of a schema with what extracting needs beside it.

    ``digest`` covers the schema and the instructions, with descriptions and member order: both change what a model does.
    ``version`` is None for a schema that came inside a request.
    """

    name: SchemaName
    version: int | None
    schema: Mapping[str, Any] | bool = field(repr=False)
    instructions: str = field(default="", repr=False)

    @cached_property
    def digest(self) -> str:
        """``sha256:<hex>`` of the content."""
        content = hashlib.sha256(jsontext.render(self.schema))
        content.update(b"\0" + self.instructions.encode())
        return f"sha256:{content.hexdigest()}"

    @cached_property
    def compiled(self) -> strict.Compiled:
        """The strict form; made once. Raises ``SchemaRefused``."""
        return self.compile()

    def compile(self, profile: strict.Profile = "documented") -> strict.Compiled:
        """The strict form of another profile.

        Members that a schema admits only because nothing forbids them are not asked for: nobody reads them, and they
        would cost a quarter more tokens. Where a record needs them (`minProperties` above what is declared), they are.
        Raises ``SchemaRefused``.
        """
        try:
            return strict.compile(self.schema, profile=profile, undeclared="drop")
        except strict.SchemaRefused:
            return strict.compile(self.schema, profile=profile)

    @property
    def title(self) -> str:
        """The schema's own title, else its name."""
        return _text(self.schema, "title") or self.name

    @property
    def description(self) -> str:
        """The schema's own description."""
        return _text(self.schema, "description")


def parse_reference(reference: str) -> tuple[str, str]:
    """``invoice@3`` → ``("invoice", "3")``; without a version, ``latest``.

    Raises ``BadRequest`` when the part after ``@`` is neither a version nor an alias.
    """
    name, at, version = reference.partition("@")
    if at and not (version.isascii() and version.isdigit()) and not _ALIAS.match(version):
        raise BadRequest(
            "The part after `@` is neither a version (digits) nor an alias (`[a-z][a-z0-9-]*`).",
            errors=[Fault("", "Write `name`, `name@3` or `name@alias`.")],
        )
    return name, version if at else LATEST


def _text(schema: object, member: str) -> str:
    value = schema.get(member) if isinstance(schema, Mapping) else None
    return value if isinstance(value, str) else ""
