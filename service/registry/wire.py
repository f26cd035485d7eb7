"""The registry's JSON bodies."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class SchemaSummary(BaseModel):
    """A schema in the list."""

    name: str = Field(examples=["invoice"])
    version: int = Field(examples=[1], description="The newest version.")
    title: str = Field(examples=["Invoice"])
    description: str
    digest: str = Field(description="`sha256:<hex>` of schema and instructions.", examples=["sha256:4f5c…"])


class SchemaList(BaseModel):
    """Every schema of this service, by name."""

    schemas: list[SchemaSummary]


class LossBody(BaseModel):
    """A rule that the strict form cannot hold. It is checked on the finished record instead."""

    pointer: str = Field(description="JSON Pointer into the schema.")
    keyword: str
    detail: str


class SchemaDetail(SchemaSummary):
    """A schema with everything that extracting with it uses."""

    model_config = ConfigDict(populate_by_name=True)

    schema_: dict[str, Any] | bool = Field(
        alias="schema", description="The JSON Schema as its author wrote it."
    )
    instructions: str
    strict: dict[str, Any] = Field(description="What is sent to the provider in its place.")
    losses: list[LossBody]
