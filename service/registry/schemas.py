"""A schema version: the unit that is published, pinned and extracted with."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal, NewType

from service import strict
from service.foundation import jsontext
from service.foundation.errors import BadRequest, Fault, NotFound, Unprocessable
from service.foundation.money import NanoUSD, usd
from service.registry.modern import Modern, modern
from service.registry.shape import shape

SchemaName = NewType("SchemaName", str)

NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}\Z")
"""What a schema may be called; it stands in paths, in the provider's `text.format.name` and in OpenAPI."""

LATEST = "latest"
ALIAS = re.compile(r"[a-z][a-z0-9-]{0,63}\Z")
"""What an alias may be called; digits alone are versions."""

Evidence = Literal["off", "locations", "quotes"]
"""Whether a record comes with where its values stand; see the option `evidence`."""


class UnknownSchema(NotFound):
    """No schema, version or alias of that name."""

    code = "schema_not_found"
    title = "No such schema"
    hint = "`GET /v1/schemas` lists every schema; near names stand in the detail."


class SchemaDeleted(UnknownSchema):
    """The schema or version was deleted. What was stored with it can still be read."""

    code = "schema_deleted"
    title = "The schema was deleted"
    hint = "`POST /v1/schemas/{name}/restore` or `…/versions/{version}/restore` brings it back, unless it was for good."


class InvalidSchema(Unprocessable):
    """Not a JSON Schema."""

    code = "schema_invalid"
    title = "Not a valid JSON Schema"
    hint = "Correct the places named in `errors`."


@dataclass(frozen=True, slots=True)
class Example:
    """A document as text and the record a careful person would write for it; shown to the model."""

    document: str = field(repr=False)
    record: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class ModelPolicy:
    """What extraction does with this schema where a request says nothing; None leaves it to the service's settings.

    ``max_cost`` caps a request's worst case; ``policy``, ``detail`` and ``pages`` are the options of those names.
    """

    model: str | None = None
    escalate_to: str | None = None
    max_attempts: int | None = None
    max_cost: NanoUSD | None = None
    policy: Literal["auto", "text", "image", "both", "file"] | None = None
    detail: Literal["low", "high", "auto"] | None = None
    pages: str | None = None

    def document(self) -> dict[str, Any]:
        """As JSON, with the names that options have; what is None is left out."""
        given = {item.name: getattr(self, item.name) for item in fields(self)}
        cost = given.pop("max_cost")
        given["max_cost_usd"] = None if cost is None else usd(cost)
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class SchemaVersion:
    """One immutable version of a schema with what extracting needs beside it.

    ``schema`` is complete in itself: references to other schemas of the registry are resolved in it, and ``source`` is
    then what its author wrote (None where both are the same). ``rules`` are as written, checked at publish.
    ``version`` is None for a schema that came inside a request.
    """

    name: SchemaName
    version: int | None
    schema: Mapping[str, Any] | bool = field(repr=False)
    instructions: str = field(default="", repr=False)
    rules: tuple[Any, ...] = field(default=(), repr=False)
    examples: tuple[Example, ...] = field(default=(), repr=False)
    policy: ModelPolicy = field(default=ModelPolicy(), repr=False)
    evidence: Evidence = "off"
    source: Mapping[str, Any] | bool | None = field(default=None, repr=False)

    @cached_property
    def digest(self) -> str:
        """``sha256:<hex>`` of all that changes what a model does.

        The schema with descriptions and member order, the instructions, and where there are any the rules, examples,
        model policy and evidence options.
        """
        content = hashlib.sha256(jsontext.render(self.schema))
        content.update(b"\0" + self.instructions.encode("utf-8", "surrogatepass"))
        more = {
            "rules": list(self.rules),
            "examples": [[example.document, example.record] for example in self.examples],
            "policy": self.policy.document(),
            "evidence": "" if self.evidence == "off" else self.evidence,
        }
        given = {name: value for name, value in more.items() if value}
        if given:
            content.update(b"\0" + jsontext.render(given))
        return f"sha256:{content.hexdigest()}"

    @cached_property
    def shape_digest(self) -> str:
        """``sha256:<hex>`` of what a record may look like: without titles, descriptions and the order of members."""
        return f"sha256:{hashlib.sha256(jsontext.canonical(shape(self.schema))).hexdigest()}"

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

    @cached_property
    def modern(self) -> Modern:
        """The schema in the words of 2020-12, for those who write it out for others; made once."""
        return modern(self.schema)

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
    if at and not (version.isascii() and version.isdigit()) and not ALIAS.match(version):
        raise BadRequest(
            "The part after `@` is neither a version (digits) nor an alias (`[a-z][a-z0-9-]*`).",
            errors=[Fault("", "Write `name`, `name@3` or `name@alias`.")],
        )
    return name, version if at else LATEST


def _text(schema: object, member: str) -> str:
    value = schema.get(member) if isinstance(schema, Mapping) else None
    return value if isinstance(value, str) else ""
