"""How extraction behaves where a request does not say."""

from pydantic import BaseModel, Field

from service.catalogue import OnRetirement


class Settings(BaseModel):
    """How extraction behaves where a request does not say."""

    model: str = Field("gpt-4.1-mini", description="Model asked when a request names none.")
    on_retirement: OnRetirement = Field(
        "refuse",
        description="`refuse`: a retired model is refused with its successor named; `successor`: that one is asked instead.",
    )
    deadline_s: float = Field(
        120, gt=0, le=3600, description="Seconds a request may take when it does not say."
    )
    max_cost_usd: float | None = Field(
        None, gt=0, description="Cap on a request's worst case when it does not say."
    )
    max_attempts: int = Field(
        4,
        ge=1,
        le=10,
        description="Requests to the provider when a request does not say: retries, repairs and escalations together.",
    )
    escalate_to: str | None = Field(
        "gpt-4o",
        description="Model asked when repairs by the first one fail and the request names no model; empty for none.",
    )
    examples_tokens: int = Field(
        3000,
        ge=0,
        description="Tokens of a schema's examples that the model is shown before a document at most; 0 shows none.",
    )
    logprobs: bool = Field(
        True,
        description="Ask models that give them for the log-probabilities of their tokens when a record comes with evidence: "
        "they are part of its confidence.",
    )
    min_output_tokens: int = Field(4096, ge=16, description="Output budget of the smallest document.")
    output_per_input: float = Field(
        6,
        gt=0,
        description="Output tokens allowed per token of document above that: rows become larger as JSON.",
    )
    one_call_pages: int = Field(
        20, ge=1, description="Pages above which a document is read in parts when its schema has lists."
    )
    one_call_rows: int = Field(
        150, ge=1, description="Lines that look like rows of a table above which it is read in parts."
    )
    part_pages: int = Field(10, ge=1, description="Pages of a part at most.")
    part_images: int = Field(4, ge=1, description="Pages of a part at most that are shown as images.")
    part_rows: int = Field(80, ge=1, description="Lines of a part, at most, that look like rows of a table.")
    part_tokens: int = Field(
        8000, ge=50, description="Tokens of text that a part is about as long as at most."
    )
    parts_at_once: int = Field(
        8, ge=1, le=256, description="Parts of one document that are read at the same time."
    )
