"""What a call may cost before it is made. Pure; for cost caps and rate limits."""

from dataclasses import dataclass

from service.catalogue import (
    Model,
    cost,
    image_tokens,
    image_tokens_at_most,
    text_tokens,
    text_tokens_at_most,
)
from service.foundation.money import NanoUSD
from service.upstream.buckets import Need
from service.upstream.call import Call, FilePart, ImagePart, TextPart

_OVERHEAD = 3 + 4 * 2
"""Tokens around the instructions and one message (contract §8: 3 + 4 for each message)."""

_SCHEMA_OVERHEAD = 20
"""Tokens around the schema, which the provider renders into the prompt (contract §8)."""

FILE_PAGE = (1240, 1754)
"""Pixels of a page that the provider draws of a file: A4 at 150 dpi, as nothing is documented (contract §4.1)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Tokens of one attempt and what they cost when the answer uses its whole budget and nothing is cached."""

    input_tokens: int
    output_tokens: int
    cost: NanoUSD


def at_most(call: Call, model: Model) -> Estimate:
    """The worst case of one attempt, from the sizes alone: a text has at most as many tokens as bytes.

    Costs microseconds, and is some three to four times the truth for English text.
    """
    total = len(call.format.rendered) + text_tokens_at_most(call.instructions)
    total += sum(text_tokens_at_most(part.text) for part in call.parts if isinstance(part, TextPart))
    return _estimate(total + _pictures_at_most(call, model), call, model)


def counted(call: Call, model: Model) -> Estimate:
    """The worst case of one attempt with real token counts: a millisecond for each few thousand tokens.

    The schema is reckoned at 1.2 times its tokens (how the provider renders it is not documented), images and the
    pages of files at the largest budget that any source names.
    """
    schema, rest = _texts(call, model)
    return _estimate(-(-schema * 6 // 5) + rest + _pictures_at_most(call, model), call, model)


def expected(call: Call, model: Model, *, output_tokens: int) -> Estimate:
    """What one attempt will probably cost when the answer takes so many tokens; not a bound."""
    schema, rest = _texts(call, model)
    total = _OVERHEAD + _SCHEMA_OVERHEAD + schema + rest
    for part in call.parts:
        match part:
            case ImagePart():
                total += image_tokens(model, part.width, part.height, model.image_detail(part.detail))
            case FilePart():
                total += part.text_bytes // 4 + part.pages * image_tokens(model, *FILE_PAGE, part.detail)
    price = cost(model, input_tokens=total, output_tokens=output_tokens)
    return Estimate(input_tokens=total, output_tokens=output_tokens, cost=price)


def need_of(call: Call, model: Model) -> Need:
    """What an attempt takes from our rate limits at the provider until its real usage is known.

    The provider admits by the number of characters and the output budget (contract §5); so do we, on the safe side.
    """
    size = len(call.format.rendered) + _size(call.instructions)
    images = 0
    tokens = _OVERHEAD + _SCHEMA_OVERHEAD
    for part in call.parts:
        match part:
            case TextPart():
                size += _size(part.text)
            case ImagePart():
                images += 1
                tokens += image_tokens(model, part.width, part.height, model.image_detail(part.detail))
            case FilePart():
                images += part.pages
                size += part.text_bytes
                tokens += part.pages * image_tokens(model, *FILE_PAGE, part.detail)
    return Need(tokens=tokens + size // 4 + model.output_budget(call.max_output_tokens), images=images)


def _texts(call: Call, model: Model) -> tuple[int, int]:
    """The tokens of the schema, and of instructions and document text."""
    tokenizer = model.tokenizer
    schema = text_tokens(call.format.rendered.decode(), tokenizer)
    rest = text_tokens(call.instructions, tokenizer)
    rest += sum(text_tokens(part.text, tokenizer) for part in call.parts if isinstance(part, TextPart))
    return schema, rest


def _pictures_at_most(call: Call, model: Model) -> int:
    """An upper bound for images and files."""
    total = 0
    for part in call.parts:
        match part:
            case ImagePart():
                detail = model.image_detail(part.detail)
                total += image_tokens_at_most(model, part.width, part.height, detail)
            case FilePart():
                total += part.text_bytes + part.pages * image_tokens_at_most(model, *FILE_PAGE, "high")
    return total


def _size(text: str) -> int:
    """Characters; those outside ASCII count as a token each, four characters' worth."""
    return len(text) if text.isascii() else 2 * len(text.encode("utf-8", "replace"))


def _estimate(input_tokens: int, call: Call, model: Model) -> Estimate:
    input_tokens += _OVERHEAD + _SCHEMA_OVERHEAD
    output_tokens = model.output_budget(call.max_output_tokens)
    return Estimate(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        # A cache that must be written first costs more than fresh input on newer models.
        cost=cost(
            model,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cache_write_tokens=input_tokens,
        ),
    )
