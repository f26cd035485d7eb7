"""What a version holds, as one immutable value: what its author wrote, typed, with the JSON it is stored as."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from service.foundation import jsontext
from service.foundation.money import NanoUSD, parse_usd
from service.registry.schemas import Evidence, Example, ModelPolicy, SchemaName, SchemaVersion
from service.registry.shape import shape


@dataclass(frozen=True, slots=True)
class Reference:
    """A schema's use of a version of another: ``$ref: <name>`` stands for version ``version`` of ``subject``.

    Our own references carry the name ``schema://<subject>/<version>``; clients of the Confluent face choose names.
    """

    name: str
    subject: str
    version: int


@dataclass(frozen=True)
class Content:
    """Everything that a draft or version says.

    ``schema`` is as written; ``bundled`` the same with its references resolved, None where there are none.
    ``metadata`` is opaque (the Confluent face keeps properties, tags and the like in it).
    """

    schema: Mapping[str, Any] | bool = field(repr=False)
    instructions: str = field(default="", repr=False)
    rules: tuple[Any, ...] = field(default=(), repr=False)
    examples: tuple[Example, ...] = field(default=(), repr=False)
    policy: ModelPolicy = field(default=ModelPolicy(), repr=False)
    evidence: Evidence = "off"
    references: tuple[Reference, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    bundled: Mapping[str, Any] | bool | None = field(default=None, repr=False)

    @cached_property
    def digest(self) -> str:
        """``sha256:<hex>`` of everything: what is shared between subjects that publish the same.

        That of ``SchemaVersion.digest`` where there are neither references nor metadata.
        """
        more: dict[str, Any] = {}
        if self.references:
            more["references"] = [[item.name, item.subject, item.version] for item in self.references]
        if self.metadata:
            more["metadata"] = self.metadata
        inner = self.version(SchemaName(""), None).digest
        if not more:
            return inner
        return f"sha256:{hashlib.sha256(inner.encode() + jsontext.canonical(more)).hexdigest()}"

    @cached_property
    def shape_digest(self) -> str:
        """``sha256:<hex>`` of which records are valid: without words and order."""
        return f"sha256:{hashlib.sha256(jsontext.canonical(shape(self.complete))).hexdigest()}"

    @property
    def complete(self) -> Mapping[str, Any] | bool:
        """The schema with every reference to another one resolved."""
        return self.schema if self.bundled is None else self.bundled

    def property(self, name: str) -> str | None:
        """A property of the metadata."""
        found: str | None = self.metadata.get("metadata", {}).get("properties", {}).get(name)
        return found

    def version(self, name: SchemaName, number: int | None) -> SchemaVersion:
        """This content as a version of a schema."""
        return SchemaVersion(
            name,
            number,
            self.complete,
            self.instructions,
            self.rules,
            self.examples,
            self.policy,
            self.evidence,
            None if self.bundled is None else self.schema,
        )

    def document(self) -> dict[str, Any]:
        """As JSON: what a draft is put as, and what the database and archives keep."""
        found: dict[str, Any] = {
            "schema": self.schema,
            "instructions": self.instructions,
            "rules": list(self.rules),
            "examples": [
                {"document": example.document, "record": example.record} for example in self.examples
            ],
            "policy": self.policy.document(),
            "evidence": self.evidence,
            "metadata": dict(self.metadata),
        }
        if self.references:
            found["references"] = [
                {"name": item.name, "subject": item.subject, "version": item.version}
                for item in self.references
            ]
        if self.bundled is not None:
            found["bundled"] = self.bundled
        return found

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Content":
        """The inverse of ``document``, for what was checked when it came in."""
        return cls(
            schema=document["schema"],
            instructions=document.get("instructions", ""),
            rules=tuple(document.get("rules", ())),
            examples=tuple(
                Example(example["document"], example["record"]) for example in document.get("examples", ())
            ),
            policy=policy_of(document.get("policy", {})),
            evidence=document.get("evidence", "off"),
            references=tuple(
                Reference(item["name"], item["subject"], item["version"])
                for item in document.get("references", ())
            ),
            metadata=document.get("metadata", {}),
            bundled=document.get("bundled"),
        )


def parse_stored(text: bytes) -> Any:
    """The value of JSON that we wrote: a few levels deeper than what came in."""
    return jsontext.parse(text, max_depth=jsontext.MAX_DEPTH + 8)


def policy_of(document: Mapping[str, Any]) -> ModelPolicy:
    """The inverse of ``ModelPolicy.document``."""
    given = dict(document)
    cost = given.pop("max_cost_usd", None)
    return ModelPolicy(**given, max_cost=None if cost is None else NanoUSD(parse_usd(cost)))


def content_of(version: SchemaVersion) -> Content:
    """The content of a version that came from a folder."""
    return Content(
        schema=version.schema if version.source is None else version.source,
        instructions=version.instructions,
        rules=version.rules,
        examples=version.examples,
        policy=version.policy,
        evidence=version.evidence,
        bundled=None if version.source is None else version.schema,
    )
