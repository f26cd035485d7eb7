"""What an operator sets about the provider, or several of them."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

OPENAI_BASE_URL = "https://api.openai.com/v1"

ProviderName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
"""What stands before the slash in ``local/llama3``."""


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


class OwnModel(BaseModel):
    """A model that the catalogue does not know, at a server of one's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    context_window: int = Field(default=32_768, ge=1_024, description="Tokens of input and output together.")
    max_output_tokens: int = Field(default=8_192, ge=16, description="Tokens the model can write at most.")
    json_schema: bool = Field(default=True, description="The server constrains the answer to a JSON Schema.")
    vision: bool = Field(default=False, description="The model reads images.")
    temperature: bool = Field(default=True, description="The model accepts a temperature.")
    input_usd_per_million: Decimal = Field(
        default=Decimal(0), ge=0, le=10_000, description="Price of a million input tokens."
    )
    output_usd_per_million: Decimal = Field(
        default=Decimal(0), ge=0, le=10_000, description="Price of a million output tokens."
    )


class ProviderSettings(BaseModel):
    """One provider: where it is, as whom we speak to it, what it allows us."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str = Field(
        default=OPENAI_BASE_URL,
        pattern=r"^https?://[^\s]+$",
        description="Root of the provider's API, with its version.",
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
    face: Literal["auto", "responses", "chat"] = Field(
        default="auto",
        description="Which API the server speaks: `/responses`, or `/chat/completions`. `auto` takes the first, and "
        "the second from then on where the server does not know the first.",
    )
    models: dict[str, OwnModel] = Field(
        default_factory=dict, description="Models of this server that the catalogue does not know."
    )
    connect_timeout_s: float = Field(
        default=5.0, gt=0, le=60, description="Seconds until a connection to the provider must stand."
    )
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


class Settings(ProviderSettings):
    """The provider, how patient we are with it, and further providers by name."""

    engine: Literal["openai", "sandbox"] = Field(
        default="openai",
        description="Who answers: a real provider, or the sandbox that comes with the service. Records name it.",
    )
    attempt_timeout_s: float = Field(
        default=300.0,
        gt=0,
        le=3600,
        description="Seconds one attempt may take, if the deadline of the request does not end it before.",
    )
    max_tries: int = Field(default=4, ge=1, le=20, description="Attempts per call, the first one included.")
    providers: dict[ProviderName, ProviderSettings] = Field(
        default_factory=dict,
        description="Further providers: the model `local/llama3` is `llama3` at the provider `local`.",
    )
