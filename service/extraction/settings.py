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
    min_output_tokens: int = Field(4096, ge=16, description="Output budget of the smallest document.")
    output_per_input: float = Field(
        6,
        gt=0,
        description="Output tokens allowed per token of document above that: rows become larger as JSON.",
    )
