"""The registry's JSON bodies."""

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StringConstraints

from service.foundation.errors import BadRequest, Fault
from service.registry.contents import Content, policy_of
from service.registry.schemas import Example


class SchemaSummary(BaseModel):
    """A schema in the list."""

    name: str = Field(examples=["invoice"])
    version: int = Field(examples=[1], description="The newest version.")
    title: str = Field(examples=["Invoice"])
    description: str
    digest: str = Field(
        description="`sha256:<hex>` of all that changes what a model does.", examples=["sha256:4f5c…"]
    )
    labels: dict[str, str] = Field(examples=[{"team": "billing"}])
    deleted_at: str | None = Field(description="RFC 3339, UTC; null for what is live.", examples=[None])


class SchemaList(BaseModel):
    """Every schema of this service, by name."""

    schemas: list[SchemaSummary]
    drafts: list[str] = Field(
        description="Names that have a draft, published before or not.", examples=[["invoice"]]
    )


class LossBody(BaseModel):
    """A rule that the strict form cannot hold. It is checked on the finished record instead."""

    pointer: str = Field(description="JSON Pointer into the schema.")
    keyword: str
    detail: str


_PAGES = r"^[0-9]{1,9}(-([0-9]{1,9})?)?(, ?[0-9]{1,9}(-([0-9]{1,9})?)?)*$"


class PolicyBody(BaseModel):
    """What extraction does with this schema where a request says nothing; the options of these names."""

    model_config = ConfigDict(extra="forbid")

    model: Annotated[str, StringConstraints(max_length=128)] | None = Field(None, examples=["gpt-4.1-mini"])
    escalate_to: Annotated[str, StringConstraints(max_length=128)] | None = Field(None, examples=["gpt-4o"])
    max_attempts: int | None = Field(None, ge=1, le=10)
    max_cost_usd: Annotated[str, StringConstraints(pattern=r"^\d{1,9}(\.\d{1,9})?$")] | None = Field(
        None, description="Cap on a request's worst case, in dollars.", examples=["0.05"]
    )
    policy: Literal["auto", "text", "image", "both", "file"] | None = Field(
        None, description="As what the model is shown pages.", examples=["auto"]
    )
    detail: Literal["low", "high", "auto"] | None = Field(
        None, description="Resolution at which it looks at images.", examples=["high"]
    )
    pages: Annotated[str, StringConstraints(max_length=1000, pattern=_PAGES)] | None = Field(
        None, description="Pages that are read, from 1.", examples=["1-3"]
    )


class ExampleBody(BaseModel):
    """A document and the record a careful person would write for it."""

    model_config = ConfigDict(extra="forbid")

    document: Annotated[str, StringConstraints(min_length=1, max_length=50_000)] = Field(
        description="The document as text.", examples=["Order: A-4711"]
    )
    record: Any = Field(description="Valid against the schema.", examples=[{"order": "A-4711"}])


class ContentBody(BaseModel):
    """What a version says."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    schema_: dict[str, Any] | bool = Field(
        alias="schema",
        description="The JSON Schema, any draft from 4 to 2020-12. `schema://NAME/VERSION` in `$ref` is another one of ours.",
        examples=[{"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}],
    )
    instructions: Annotated[str, StringConstraints(max_length=20_000)] = Field(
        "", description="Told to the model with every document.", examples=["Amounts are in euros."]
    )
    rules: list[dict[str, Any]] = Field(
        default_factory=list,
        max_length=200,
        description="What a right record adds up to.",
        examples=[[{"rule": "sum", "of": "/lines/*/amount", "equals": "/subtotal"}]],
    )
    examples: list[ExampleBody] = Field(
        default_factory=list,
        max_length=20,
        description="Shown to the model; each record must be valid against the schema.",
    )
    policy: PolicyBody = Field(default_factory=PolicyBody)
    evidence: Literal["off", "locations", "quotes"] = Field(
        "off", description="Whether records say where their values stand, where a request does not choose."
    )

    @classmethod
    def of(cls, content: Content) -> "ContentBody":
        """The inverse of ``content``."""
        told = content.document()
        return cls.model_validate({name: told[name] for name in told if name in _TOLD})

    def content(self) -> Content:
        """The same as a value."""
        return Content(
            schema=self.schema_,
            instructions=self.instructions,
            rules=tuple(self.rules),
            examples=tuple(Example(example.document, example.record) for example in self.examples),
            policy=policy_of(self.policy.model_dump(exclude_none=True)),
            evidence=self.evidence,
        )


class FaultBody(BaseModel):
    """One place that keeps the schema from being published."""

    pointer: str = Field(
        description="JSON Pointer into the version: `/schema/…`, `/rules/…`, `/examples/…`, `/policy/…`.",
        examples=["/examples/0/record/total"],
    )
    detail: str


class SchemaDetail(SchemaSummary):
    """A schema with everything that extracting with it uses."""

    model_config = ConfigDict(populate_by_name=True)

    schema_: dict[str, Any] | bool = Field(
        alias="schema", description="The JSON Schema as its author wrote it."
    )
    bundled: dict[str, Any] | bool | None = Field(
        description="The same with its references to other schemas resolved; null where it has none."
    )
    instructions: str
    rules: list[dict[str, Any]] = Field(description="What a right record adds up to.")
    examples: list[ExampleBody] = Field(description="Documents with the records that belong to them.")
    policy: PolicyBody
    evidence: Literal["off", "locations", "quotes"] = Field(
        description="Whether records say where their values stand, where a request does not choose."
    )
    strict: dict[str, Any] | None = Field(
        description="What is sent to the provider in its place; null where there is no such form, see `refused`."
    )
    losses: list[LossBody]
    refused: list[FaultBody] = Field(
        description="Why it cannot be extracted with, by pointers into the schema; empty for nearly all."
    )


_TOLD = frozenset(["schema", "instructions", "rules", "examples", "policy", "evidence"])


class BreakingBody(BaseModel):
    """Whether consumers may be broken, and why."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    allow_breaking: bool = Field(
        False, description="Publish although it breaks consumers: held back from `latest`. Needs `reason`."
    )
    reason: Annotated[str, StringConstraints(min_length=3, max_length=1000, pattern=r"^[^\x00]*$")] | None = (
        Field(None, examples=["Agreed with the billing team; they read v3 from Monday."])
    )

    def breaking(self) -> str | None:
        """The reason, where consumers may be broken. Raises ``BadRequest`` for none."""
        if self.allow_breaking and self.reason is None:
            raise BadRequest(
                "`allow_breaking` needs a reason.",
                errors=[Fault("/reason", "Say why, for whoever has to live with it.")],
            )
        return self.reason if self.allow_breaking else None


class PublishBody(ContentBody, BreakingBody):
    """A new version."""


class DifferenceBody(BaseModel):
    """One difference between two schemas."""

    pointer: str = Field(
        description="JSON Pointer into the reader's schema.", examples=["/properties/total/type"]
    )
    kind: str = Field(examples=["TYPE_NARROWED"])
    direction: Literal["BACKWARD", "FORWARD"] = Field(
        description="`BACKWARD`: the new schema reads old records; `FORWARD`: the old one reads new records."
    )
    severity: Literal["breaking", "undecided", "behaviour"] = Field(
        description="`undecided` counts as breaking; `behaviour` never does: descriptions and order are prompts."
    )
    old: Any = None
    new: Any = None
    message: str
    version: int | None = Field(None, description="The earlier version it was found with.")
    witness: Any = Field(
        None,
        description="A record that the writer may write and the reader refuses; left out where none was found.",
    )


class CompatibilityBody(BaseModel):
    """Whether a schema may follow the versions there are."""

    compatible: bool
    level: str = Field(examples=["FULL_TRANSITIVE"])
    policy: str = Field(examples=["RECORDS"])
    differences: list[DifferenceBody]


class LintBody(BaseModel):
    """What a careful reviewer would remark."""

    pointer: str = Field(
        description="JSON Pointer into the schema; `/policy/…` of what stands beside it.",
        examples=["/properties/total"],
    )
    rule: str = Field(examples=["no_description"])
    detail: str
    suggestion: str


class SizeBody(BaseModel):
    """How much of the provider's limits the strict form uses."""

    properties: int = Field(examples=[12])
    depth: int = Field(examples=[3])
    characters: int = Field(examples=[940])
    enum_values: int = Field(examples=[5])
    max_properties: int = Field(examples=[5000])
    max_depth: int = Field(examples=[10])
    max_characters: int = Field(examples=[120_000])
    max_enum_values: int = Field(examples=[1000])


class TokensBody(BaseModel):
    """Input tokens that every call costs before there is any document."""

    model_config = ConfigDict(populate_by_name=True)

    schema_: int = Field(alias="schema", validation_alias=AliasChoices("schema", "schema_"), examples=[180])
    instructions: int = Field(examples=[25])
    examples: int = Field(examples=[0])
    total: int = Field(examples=[205])


class CheckBody(BaseModel):
    """Everything there is to say before publishing."""

    publishable: bool
    unchanged: bool = Field(description="The newest version says exactly this already.")
    latest: int | None = Field(description="The newest version; null where there is none.", examples=[2])
    draft: str | None = Field(description="The draft it is read in; null where it has no strict form.")
    faults: list[FaultBody]
    lints: list[LintBody]
    losses: list[LossBody]
    size: SizeBody | None = Field(description="null where it has no strict form.")
    tokens: TokensBody | None = Field(description="null where it has no strict form.")
    compatibility: CompatibilityBody | None = Field(description="null where there are faults.")


class VersionBody(BaseModel):
    """One immutable version."""

    model_config = ConfigDict(populate_by_name=True)

    name: str = Field(examples=["invoice"])
    version: int = Field(examples=[2])
    digest: str
    created_at: str = Field(description="RFC 3339, UTC.")
    created_by: str
    origin: str = Field(description="`api` or `folder`: where it came from.")
    deleted_at: str | None = Field(description="RFC 3339, UTC; null for what is live.", examples=[None])
    held: bool = Field(
        description="Published although it breaks consumers: neither `latest` nor an alias by itself."
    )
    reason: str | None


class VersionList(BaseModel):
    """The versions of a schema, oldest first."""

    versions: list[VersionBody]
    aliases: dict[str, int] = Field(examples=[{"latest": 2, "production": 1}])


class AliasBody(BaseModel):
    """Where an alias points."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1, examples=[1])


class ConfigBody(BaseModel):
    """Compatibility of a schema; what is null is left to the registry."""

    model_config = ConfigDict(extra="forbid")

    level: (
        Literal[
            "NONE",
            "BACKWARD",
            "BACKWARD_TRANSITIVE",
            "FORWARD",
            "FORWARD_TRANSITIVE",
            "FULL",
            "FULL_TRANSITIVE",
        ]
        | None
    ) = Field(None, examples=["FULL_TRANSITIVE"])
    policy: Literal["RECORDS", "STRICT", "LENIENT"] | None = Field(None, examples=["RECORDS"])


class DiffBody(BaseModel):
    """What changed between two versions."""

    name: str
    old: int
    new: int
    compatible: bool
    differences: list[DifferenceBody]


class ChangeBody(BaseModel):
    """One line of the history."""

    name: str | None = Field(description="The schema; null for the registry itself.", examples=["invoice"])

    at: str
    by: str
    action: str = Field(examples=["publish"])
    version: int | None
    detail: dict[str, Any]


class HistoryBody(BaseModel):
    """What was done to a schema, newest first."""

    changes: list[ChangeBody]
    next_cursor: str | None = Field(description="Send it as `cursor` for what was before; null at the end.")


class DraftBody(BaseModel):
    """The one mutable version of a schema. It may be faulty; publishing is what refuses."""

    name: str = Field(examples=["invoice"])
    etag: str = Field(description="The header `ETag`, to be sent in `If-Match`.", examples=['"17"'])
    updated_at: str = Field(description="RFC 3339, UTC.")
    updated_by: str
    content: ContentBody


class CheckedDraftBody(DraftBody):
    """A draft, and everything there is to say of it before it is published."""

    check: CheckBody


LabelKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9._/-]{0,61}[a-z0-9])?$")]
LabelValue = Annotated[str, StringConstraints(max_length=256)]


class LabelsBody(BaseModel):
    """What a schema is found by: anything that its owners agree on."""

    model_config = ConfigDict(extra="forbid")

    labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=32)] = Field(
        description="Small letters, digits and `._/-` in names.", examples=[{"team": "billing"}]
    )


class DeletedBody(BaseModel):
    """What was deleted, or came back."""

    name: str = Field(examples=["invoice"])
    versions: list[int] = Field(description="Their numbers.", examples=[[1, 2]])


class ModeBody(BaseModel):
    """Whether a schema takes changes. What is closed is still read and extracted with."""

    model_config = ConfigDict(extra="forbid")

    mode: Literal["READWRITE", "READONLY"] | None = Field(
        description="null: as the registry.", examples=["READONLY"]
    )


class ModeInForceBody(BaseModel):
    """The mode that was set, and the one in force."""

    mode: str | None = Field(description="What was set; null for nothing.", examples=[None])
    in_force: str = Field(
        description="`READONLY` and `READONLY_OVERRIDE` take no changes.", examples=["READWRITE"]
    )


class RegistryModeBody(BaseModel):
    """Whether the registry takes changes."""

    model_config = ConfigDict(extra="forbid")

    mode: Literal["READWRITE", "READONLY", "READONLY_OVERRIDE"] = Field(
        description="`READONLY` closes every schema that has no mode of its own, `READONLY_OVERRIDE` every one.",
        examples=["READONLY"],
    )


class ImportedBody(BaseModel):
    """What an archive brought."""

    schemas: int = Field(examples=[10])
    versions: int = Field(examples=[14])
    drafts: int = Field(examples=[1])
    changes: int = Field(description="Lines of history.", examples=[25])
