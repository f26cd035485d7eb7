"""What the catalogue knows about one model, and what its tokens cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from service.foundation.money import NanoUSD

Capability = Literal["json_schema", "temperature", "logprobs", "vision", "files"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Detail = Literal["low", "high", "auto"]
Tokenizer = Literal["o200k_base", "cl100k_base"]

REASONING_RESERVE: Mapping[Effort, int] = {
    "none": 0,
    "minimal": 2_048,
    "low": 8_192,
    "medium": 16_384,
    "high": 32_768,
    "xhigh": 65_536,
    "max": 65_536,
}
"""Output tokens kept free for reasoning. Reasoning is billed as output and counts against ``max_output_tokens``."""


@dataclass(frozen=True, slots=True)
class Price:
    """Whole nano-dollars a token. ``cached`` None: cached input costs as much as fresh input.

    ``cache_write`` None: writing the cache costs nothing extra.
    """

    input: int
    output: int
    cached: int | None = None
    cache_write: int | None = None


@dataclass(frozen=True, slots=True)
class LongContext:
    """Above ``above`` input tokens the whole request costs these hundredths of the price."""

    above: int
    input_hundredths: int
    output_hundredths: int


@dataclass(frozen=True, slots=True)
class Tiles:
    """``base`` tokens and ``tile`` more for each 512 px square; low detail costs ``base`` only."""

    base: int
    tile: int


@dataclass(frozen=True, slots=True)
class PatchLimits:
    """What happens to an image at one detail: fitted into ``box`` pixels, then shrunk to ``budget`` patches.

    ``most`` is the largest budget any source names: it is what a worst case reckons with.
    """

    box: int | None = None
    budget: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Patches:
    """32 px squares, times ``hundredths`` / 100. A detail without limits of its own has those of ``auto``."""

    hundredths: int
    auto: PatchLimits
    low: PatchLimits | None = None
    high: PatchLimits | None = None

    def limits(self, detail: Detail) -> PatchLimits:
        """The limits that hold at this detail."""
        own = {"low": self.low, "high": self.high, "auto": self.auto}[detail]
        return own or self.auto


@dataclass(frozen=True, slots=True)
class RateLimits:
    """One usage tier as published: requests and tokens a minute, requests a day, tokens enqueued in batches."""

    rpm: int
    tpm: int
    batch_queue: int
    rpd: int | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """One model. ``id`` is its alias; ``snapshots`` are its dated names, the first is what the alias means.

    ``stops`` is the day on which the provider switches it off; ``reasoning`` the effort we ask for, None for a model
    that does not reason. Sizes are tokens. ``limits`` are the published tiers, lowest first.
    """

    id: str
    context_window: int
    max_output_tokens: int
    tokenizer: Tokenizer
    can: frozenset[Capability]
    as_of: date
    source: tuple[str, ...] = field(repr=False)
    snapshots: tuple[str, ...] = ()
    snapshot_stops: Mapping[str, date] = field(default_factory=dict, repr=False, hash=False)
    reasoning: Effort | None = None
    price: Price | None = None
    batch: Price | None = None
    fine_tuned: Price | None = None
    long_context: LongContext | None = None
    image: Tiles | Patches | None = None
    limits: tuple[RateLimits, ...] = field(default=(), repr=False)
    limits_over_128k: tuple[RateLimits, ...] = field(default=(), repr=False)
    stops: date | None = None
    successor: str | None = None
    note: str = field(default="", repr=False)
    own_price: bool = False
    """A fine-tune or a model of one's own costs what this entry says, whatever name its answers carry."""

    def stops_on(self, name: str) -> date | None:
        """The day on which this alias or snapshot of the model stops."""
        return self.snapshot_stops.get(name, self.stops)

    def output_budget(self, wanted: int) -> int:
        """``max_output_tokens`` of a request whose answer may take ``wanted`` tokens: room to reason is added.

        Never below 16, which is the least the provider accepts, nor above what the model can write.
        """
        reserve = REASONING_RESERVE[self.reasoning] if self.reasoning else 0
        return min(max(wanted + reserve, 16), self.max_output_tokens)

    def image_detail(self, wanted: Detail) -> Detail:
        """The detail to ask for: where ``auto`` has no budget, one image could cost without bound, so ``high``."""
        if wanted == "auto" and isinstance(self.image, Patches) and self.image.auto.budget is None:
            return "high"
        return wanted


def cost(
    model: Model,
    *,
    input_tokens: int,
    output_tokens: int,
    cached_tokens: int = 0,
    cache_write_tokens: int = 0,
    batch: bool = False,
) -> NanoUSD:
    """What a request costs, exactly. Cached and cache-written tokens are parts of the input, reasoning of the output.

    Raises ``ValueError`` for a model without a price; ``Catalogue.get`` refuses those.
    """
    price = model.batch or _half(model.price) if batch else model.price
    if price is None:
        raise ValueError(f"the price of {model.id} is not known")
    cached = min(cached_tokens, input_tokens)
    written = min(cache_write_tokens, input_tokens - cached) if price.cache_write is not None else 0
    fresh = input_tokens - cached - written
    into = (
        fresh * price.input
        + cached * (price.input if price.cached is None else price.cached)
        + written * (price.cache_write or 0)
    )
    out = output_tokens * price.output
    rule = model.long_context
    if rule is not None and input_tokens > rule.above:
        return NanoUSD(-(-(into * rule.input_hundredths + out * rule.output_hundredths) // 100))
    return NanoUSD(into + out)


def _half(price: Price | None) -> Price | None:
    """The batch price where none is printed: half, rounded up."""
    if price is None:
        return None
    return Price(input=-(-price.input // 2), output=-(-price.output // 2))
