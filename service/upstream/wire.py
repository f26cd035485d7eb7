"""The JSON of models."""

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, Field

from service.catalogue import Catalogue, Model, Price


class PriceBody(BaseModel):
    """US dollars per million tokens, as decimal strings."""

    input: str = Field(examples=["0.4"])
    cached_input: str | None = Field(examples=["0.1"])
    output: str = Field(examples=["1.6"])


class ModelBody(BaseModel):
    """A model of the catalogue."""

    id: str = Field(examples=["gpt-4.1-mini"])
    snapshots: list[str] = Field(description="Dated names; the first is what the id means.")
    status: Literal["current", "stopping", "stopped"] = Field(description="`stopping`: within ninety days.")
    context_window: int = Field(description="Tokens.")
    max_output_tokens: int = Field(description="Tokens.")
    capabilities: list[str] = Field(description="Such as `json_schema`, `vision`, `temperature`, `logprobs`.")
    price: PriceBody | None = Field(description="null: not known; such a model is refused.")
    batch_price: PriceBody | None
    shutdown_date: date | None = Field(description="The day on which the provider switches it off.")
    successor: str | None = Field(description="The model that follows it and still runs.")
    as_of: date = Field(description="When these figures were taken.")


class ModelList(BaseModel):
    """Every model that is known, and the one asked by default."""

    default: str
    models: list[ModelBody]


def describe(model: Model, catalogue: Catalogue, *, today: date) -> ModelBody:
    """A model as callers see it."""
    stops = model.stops
    status: Literal["current", "stopping", "stopped"] = "current"
    if stops is not None and stops <= today:
        status = "stopped"
    elif model in catalogue.retiring(today=today):
        status = "stopping"
    successor = catalogue.successor(model, today=today)
    return ModelBody(
        id=model.id,
        snapshots=list(model.snapshots),
        status=status,
        context_window=model.context_window,
        max_output_tokens=model.max_output_tokens,
        capabilities=sorted(model.can),
        price=_price(model.price),
        batch_price=_price(model.batch),
        shutdown_date=stops,
        successor=successor.id if successor else None,
        as_of=model.as_of,
    )


def _price(price: Price | None) -> PriceBody | None:
    if price is None:
        return None
    return PriceBody(
        input=_per_million(price.input),
        cached_input=None if price.cached is None else _per_million(price.cached),
        output=_per_million(price.output),
    )


def _per_million(nano_per_token: int) -> str:
    return f"{(Decimal(nano_per_token) / 1000).normalize():f}"
