"""What a request may cost at most before it is begun: to begin at all, and with everything that may follow. Pure."""

from service.catalogue import Model, cost
from service.extraction.plan import Plan, Segment
from service.foundation.money import NanoUSD
from service.upstream import Estimate, counted

_FINDINGS = 1500
"""Tokens, at most, of the findings that a repair tells."""


def needed(plan: Plan) -> Estimate:
    """One attempt at each first call: what must fit under the cap for any to be made.

    A millisecond for each few thousand tokens of document.
    """
    return _sum([counted(segment.call, plan.model) for segment in plan.segments])


def worst(plan: Plan, *, most: int, stronger: Model | None) -> Estimate:
    """Every attempt that may be made, each with the longest answer and nothing cached.

    ``most`` attempts in all for a document that is read in one call: beyond the first, each may be a repair, which tells
    what the record says and what is wrong with it besides, or go to ``stronger``. Of a long document each part may take
    as many, and so may what it says once, which is first read with the parts; no question is longer than the longest part.
    """
    models = [plan.model] if stronger is None else [plan.model, stronger]

    def after(segment: Segment) -> Estimate:
        each = (_repair(counted(segment.call, model), model) for model in models)
        return max(each, key=lambda one: one.cost)

    first = [counted(segment.call, plan.model) for segment in plan.segments]
    again = [after(segment) for segment in plan.segments]
    if plan.parts is not None:
        again.append(max(again, key=lambda one: one.cost))
    return _sum([*first, *again * (most - 1)])


def _repair(like: Estimate, model: Model) -> Estimate:
    """A call that tells a whole record, which is no longer than an answer, and its faults."""
    tokens = like.input_tokens + like.output_tokens + _FINDINGS
    price = cost(model, input_tokens=tokens, output_tokens=like.output_tokens, cache_write_tokens=tokens)
    return Estimate(input_tokens=tokens, output_tokens=like.output_tokens, cost=max(price, like.cost))


def _sum(each: list[Estimate]) -> Estimate:
    return Estimate(
        input_tokens=sum(one.input_tokens for one in each),
        output_tokens=sum(one.output_tokens for one in each),
        cost=NanoUSD(sum(one.cost for one in each)),
    )
