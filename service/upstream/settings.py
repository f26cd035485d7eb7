"""What an operator sets about the provider."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

OPENAI_BASE_URL = "https://api.openai.com/v1"


class ModelLimits(BaseModel):
    """What one model may be asked in a minute; what is left out is not limited."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_minute: int | None = Field(default=None, ge=1, description="Requests in a minute.")
    tokens_per_minute: int | None = Field(
        default=None,
        ge=1,
        description="Tokens in a minute: input, and the output budget until the answer is there.",
    )
    images_per_minute: int | None = Field(default=None, ge=1, description="Images in a minute.")


class Settings(BaseModel):
    """The provider: where it is, as whom we speak to it, and how patient we are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: Literal["openai", "sandbox"] = Field(
        default="openai",
        description="Who answers: a real provider, or the sandbox that comes with the service. Records name it.",
    )
    base_url: str = Field(
        default=OPENAI_BASE_URL,
        pattern=r"^https?://[^\s]+$",
        description="Root of the provider's API, with its version: any server that speaks `/responses`.",
    )
    api_key: SecretStr | None = Field(
        default=None,
        description="The provider's key. Servers of your own may need none.",
    )
    organization: str | None = Field(
        default=None, description="Sent as `OpenAI-Organization`; only for keys of several organizations."
    )
    project: str | None = Field(
        default=None, description="Sent as `OpenAI-Project`; only for keys of several projects."
    )
    connect_timeout_s: float = Field(
        default=5.0, gt=0, le=60, description="Seconds until a connection to the provider must stand."
    )
    attempt_timeout_s: float = Field(
        default=300.0,
        gt=0,
        le=3600,
        description="Seconds one attempt may take, if the deadline of the request does not end it before.",
    )
    max_tries: int = Field(default=4, ge=1, le=20, description="Attempts per call, the first one included.")
    max_connections: int = Field(
        default=2_000, ge=1, le=100_000, description="Connections to the provider at one time."
    )
    max_response_bytes: int = Field(
        default=32_000_000,
        ge=100_000,
        description="Bytes of one answer; what is longer is treated as a broken answer.",
    )
    tier: int | None = Field(
        default=None,
        ge=1,
        le=5,
        description="Usage tier of the account at the provider: its published rate limits are kept from the start. "
        "Without it, limits are learned from the first answer.",
    )
    limits: dict[str, ModelLimits] = Field(
        default_factory=dict, description="Rate limits per model, in place of those of the tier."
    )
    limit_window_s: float = Field(
        default=10.0,
        gt=0,
        le=60,
        description="How much of a minute's limit may be used in one burst, in seconds of it.",
    )
    max_queued: int = Field(
        default=2_000, ge=0, description="Requests that may wait for one model's rate limit at one time."
    )
