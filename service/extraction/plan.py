"""What will be asked, of whom, about which pages, and what that can cost. Pure."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from service.catalogue import Model
from service.documents import Document
from service.extraction import prompt
from service.extraction.errors import NothingToShow
from service.extraction.settings import Settings
from service.extraction.validate import Validator
from service.extraction.wire import Options
from service.foundation import jsontext
from service.foundation.money import NanoUSD
from service.registry import SchemaVersion
from service.strict import Compiled
from service.upstream import Call, Estimate, Part, ResponseFormat, TextPart, counted, expected


@dataclass(frozen=True, slots=True)
class Form:
    """A strict form, and the request's ``text.format`` made of it."""

    compiled: Compiled
    format: ResponseFormat


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is made once per schema version. ``minimal`` is for a provider that refuses ``form``."""

    form: Form
    minimal: Form
    validator: Validator


@dataclass(frozen=True, slots=True)
class Segment:
    """Pages that are read together: one call, and whatever repairs its answer needs.

    ``document`` is the whole document's with these pages only, each under its own number.
    """

    document: Document
    call: Call = field(repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be asked, of whom, about which document. ``name`` is the model as it was asked for."""

    name: str
    model: Model
    segments: tuple[Segment, ...]
    document: Document
    prepared: Prepared


def prepare(version: SchemaVersion) -> Prepared:
    """Compile and build validators; takes milliseconds, for a large schema seconds.

    Raises ``SchemaRefused``.
    """
    compiled = version.compiled
    minimal = version.compile(profile="minimal")
    return Prepared(
        form=_form(version, compiled),
        minimal=_form(version, minimal),
        validator=Validator(version.schema, draft=compiled.draft),
    )


def make(
    *,
    name: str,
    model: Model,
    version: SchemaVersion,
    prepared: Prepared,
    document: Document,
    options: Options,
    settings: Settings,
) -> Plan:
    """One segment that holds the whole document.

    Raises ``NothingToShow`` for a document without text and images, ``BadRequest`` for a policy that it cannot serve.
    """
    parts = prompt.parts(document, options.policy, options.detail)
    if not parts:
        raise NothingToShow("The document was read, and holds neither text nor images.")
    call = Call(
        model=name,
        instructions=prompt.instructions(version.instructions, options.instructions),
        parts=parts,
        format=prepared.form.format,
        minimal=prepared.minimal.format,
        max_output_tokens=output_budget(model, parts, settings),
        cache_key=version.digest[7:39],
    )
    return Plan(name, model, (Segment(document, call),), document, prepared)


def output_budget(model: Model, parts: Sequence[Part], settings: Settings) -> int:
    """Tokens the answer may have: generous for these parts, and no more.

    The provider charges its rate limit with them, and the worst case pays for them.
    """
    tokens = sum(len(part.text) / 3 if isinstance(part, TextPart) else 2000 for part in parts)
    wanted = settings.min_output_tokens + math.ceil(tokens * settings.output_per_input)
    return min(model.max_output_tokens, wanted)


def likely(plan: Plan, settings: Settings) -> Estimate:
    """What the plan will probably cost, with a short answer to each call; not a bound."""
    short = settings.min_output_tokens // 8
    return _sum(
        plan,
        lambda call, model: expected(call, model, output_tokens=min(call.max_output_tokens, short)),
    )


def worst(plan: Plan) -> Estimate:
    """What one attempt at each call costs at most. A millisecond for each few thousand tokens of document."""
    return _sum(plan, counted)


def _sum(plan: Plan, of: Callable[[Call, Model], Estimate]) -> Estimate:
    each = [of(segment.call, plan.model) for segment in plan.segments]
    return Estimate(
        input_tokens=sum(one.input_tokens for one in each),
        output_tokens=sum(one.output_tokens for one in each),
        cost=NanoUSD(sum(one.cost for one in each)),
    )


def _form(version: SchemaVersion, compiled: Compiled) -> Form:
    wire = {"type": "json_schema", "name": version.name, "strict": True, "schema": compiled.strict}
    return Form(compiled, ResponseFormat(version.name, compiled.strict, jsontext.render(wire)))
