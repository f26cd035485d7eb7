"""What will be asked, of whom, about which pages, and what that can cost. Pure."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from service.catalogue import Model
from service.documents import Document
from service.extraction import prompt
from service.extraction.errors import NothingToShow
from service.extraction.evidence import Outline, quotes
from service.extraction.examples import PreparedExample, ready
from service.extraction.fragments import Required
from service.extraction.segments.excerpts import Excerpt, cut, halves, weight
from service.extraction.segments.lines import Lines
from service.extraction.segments.relaxed import nodes, relaxed, without_lists
from service.extraction.settings import Settings
from service.extraction.shown import Shown, pages_shown
from service.extraction.validate import Validator
from service.extraction.wire import EvidenceMode, Options
from service.foundation import jsontext
from service.foundation.errors import BadRequest, Fault
from service.foundation.money import NanoUSD
from service.registry import Rule, SchemaVersion, parse_rules
from service.strict import Compiled, SchemaRefused, check
from service.upstream import (
    Call,
    Estimate,
    FilePart,
    ImagePart,
    Part,
    ResponseFormat,
    TextPart,
    expected,
)


@dataclass(frozen=True, slots=True)
class Form:
    """A strict form, and the request's ``text.format`` made of it. ``quoted``: wrapped, with quotes beside the record."""

    compiled: Compiled
    format: ResponseFormat
    quoted: bool = False

    def decode(self, value: Any) -> Any:
        """The record in the caller's shape. Raises what ``Compiled.decode`` does for what is not of the form."""
        return self.compiled.decode(value["record"] if self.quoted else value)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is made once per schema version. ``minimal`` is for a provider that refuses ``form``."""

    form: Form
    minimal: Form
    validator: Validator
    outline: Outline = field(repr=False)
    """What the schema says of where values stand."""
    required: Required = field(repr=False)
    rules: tuple[Rule, ...] = ()
    examples: tuple[PreparedExample, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """Pages that are read together: one call, and whatever repairs its answer needs.

    ``document`` is the whole document's with these pages only, each under its own number.
    """

    document: Document
    call: Call = field(repr=False)
    excerpt: Excerpt | None = None
    """The lines of the segment, where the document is read in parts."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A long document, cut to be read in parts, each with the relaxed form of the schema."""

    lines: Lines = field(repr=False)
    excerpts: tuple[Excerpt, ...]
    prepared: Prepared
    once: Prepared
    """For what a document says once, where no part of it said what the record must have."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be asked, of whom, about which document. ``name`` is the model as it was asked for.

    ``parts`` is there when the document is read in parts: then the segments are.
    """

    name: str
    model: Model
    segments: tuple[Segment, ...]
    document: Document
    version: SchemaVersion
    prepared: Prepared
    parts: Parts | None = None
    examples: tuple[PreparedExample, ...] = ()
    """Those that the model is shown before the document."""


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
        outline=Outline(version.schema),
        required=Required(version.schema),
        rules=parse_rules(list(version.rules), version.schema, pointer="/rules"),
        examples=_examples(version, compiled, quoted=False),
    )


def part_of(version: SchemaVersion, schema: Any) -> SchemaVersion:
    """The version with another schema, of some of the record: what is about the whole record does not hold for it."""
    return replace(version, schema=schema, source=None, rules=(), examples=())


def _examples(version: SchemaVersion, compiled: Compiled, *, quoted: bool) -> tuple[PreparedExample, ...]:
    return tuple(
        ready(example, compiled.encode(example.record), quoted=quoted) for example in version.examples
    )


def prepare_quoted(version: SchemaVersion) -> Prepared:
    """The same with forms that ask for quotes beside the record.

    Raises ``SchemaRefused``, and ``BadRequest`` for a schema that leaves no room in the strict form for quotes.
    """
    plain = prepare(version)
    return replace(
        plain,
        form=_with_quotes(version, plain.form),
        minimal=_with_quotes(version, plain.minimal),
        examples=_examples(version, plain.form.compiled, quoted=True),
    )


def _with_quotes(version: SchemaVersion, form: Form) -> Form:
    schema = quotes.wrapped(form.format.schema)
    problems = list(check(schema))
    if problems:
        raise BadRequest(
            f"The schema leaves no room for quotes in the strict form: {problems[0].message}",
            errors=[Fault("/options/evidence", "Use `locations` with this schema.")],
        )
    return Form(form.compiled, _format(version, schema), quoted=True)


def prepare_part(version: SchemaVersion, *, rows: bool, quoted: bool = False) -> Prepared:
    """The same for the relaxed schema, by which parts of a document are read; the schema itself where it cannot be had.

    ``rows`` relaxes rows too; ``quoted``: forms that ask for quotes beside what a part says. What a part says is validated
    with the whole record only.
    """
    relaxed_one = replace(part_of(version, relaxed(version.schema, rows=rows)), examples=version.examples)
    make_one = prepare_quoted if quoted else prepare
    try:
        return make_one(relaxed_one)
    except SchemaRefused:
        return make_one(version)


def prepare_once(version: SchemaVersion) -> Prepared:
    """The same for the schema without its lists. Raises ``SchemaRefused``."""
    return prepare(part_of(version, without_lists(version.schema)))


Cut = tuple[Lines, tuple[Excerpt, ...]]
"""A document's lines, and the excerpts they are cut into."""


def excerpts(
    document: Document, version: SchemaVersion, *, model: Model, options: Options, settings: Settings
) -> Cut | None:
    """How a document is cut to be read in parts; None for one that is read in one call.

    It is when its schema has lists and it is long (in pages, or in lines that look like rows), and when it is larger than
    what the model can take in. Raises ``PolicyImpossible`` for a policy that the document cannot serve.
    """
    if document.files:
        return None  # a file is given whole or not at all
    room = _room(model, settings)
    size = sum(len(page.text) for page in document.pages)
    pictures = sum(page.image is not None for page in document.pages)
    fits = size / _LEAST_PER_TOKEN + pictures * _IMAGE_AT_MOST < room
    few = (
        len(document.pages) <= settings.one_call_pages
        and sum(page.text.count("\n") + 1 for page in document.pages) <= settings.one_call_rows
        and size <= settings.part_tokens * 4
    )
    if fits and (few or not has_lists(version.schema)):
        return None
    images = prompt.as_images(document, options.policy)
    lines = Lines.of(document, images=images)
    total = sum(weight(line) for line in lines.all)
    lists = has_lists(version.schema)
    long = lists and (
        len(document.pages) > settings.one_call_pages
        or lines.rows > settings.one_call_rows
        or total > settings.part_tokens * 4
    )
    if fits and not long:
        return None
    found = cut(
        lines,
        tokens=min(settings.part_tokens if lists else room / 2, room / 2),
        rows=settings.part_rows if lists else len(lines),
        pages=settings.part_pages if lists else len(document.pages),
        images=settings.part_images if lists else max(int(room / 2 / _IMAGE_AT_MOST), 1),
    )
    return (lines, found) if len(found) > 1 else None


def smaller(document: Document, version: SchemaVersion, *, options: Options) -> Cut | None:
    """The two halves of a document whose answer was too long for one call; None where halves cannot help."""
    if document.files or not has_lists(version.schema):
        return None
    lines = Lines.of(document, images=prompt.as_images(document, options.policy))
    found = halves(lines, Excerpt(0, len(lines), tail=len(lines)))
    return None if found is None else (lines, found)


def has_lists(schema: Any) -> bool:
    """Whether the records of a schema hold lists."""
    return any(
        "items" in node
        or node.get("type") == "array"
        or (isinstance(node.get("type"), list) and "array" in node["type"])
        for node in nodes(schema, schema)
    )


def _room(model: Model, settings: Settings) -> float:
    """Tokens that the document may have in one call: what the context leaves beside schema, instructions and answer."""
    answer = min(model.max_output_tokens, settings.min_output_tokens + model.context_window / 4)
    return max((model.context_window - answer) * 0.8 - 2000, 1000)


_NOT_IN_FORMAT_NAMES = re.compile(r"[^A-Za-z0-9_-]")
_LEAST_PER_TOKEN = 2.0
"""Characters of a token at least, to be sure that a document fits; only a few scripts have fewer."""

_IMAGE_AT_MOST = 3000


def make(
    *,
    name: str,
    model: Model,
    version: SchemaVersion,
    prepared: Prepared,
    document: Document,
    options: Options,
    settings: Settings,
    parts: Parts | None = None,
    examples: tuple[PreparedExample, ...] = (),
) -> Plan:
    """One segment that holds the whole document, or one for each of its parts.

    Raises ``NothingToShow`` for a document without text and images, ``PolicyImpossible`` for a policy that it cannot serve.
    """
    shown = prompt.parts(document, options.policy, options.detail) if parts is None else ()
    if parts is None and not shown:
        raise NothingToShow("The document was read, and holds neither text nor images.")
    form = prepared if parts is None else parts.prepared
    before = prompt.examples(examples)
    call = Call(
        model=name,
        instructions=prompt.instructions(
            version.instructions,
            options.instructions,
            in_parts=parts is not None,
            quotes=form.form.quoted,
        ),
        parts=(*before, *shown),
        format=form.form.format,
        minimal=form.minimal.format,
        max_output_tokens=output_budget(model, shown, settings),
        cache_key=version.digest[7:39],
        logprobs=settings.logprobs and evidence_mode(options, version) != "off",
    )
    plan = Plan(name, model, (Segment(document, call),), document, version, prepared, parts, examples)
    if parts is None:
        return plan
    segments = tuple(
        segment_of(plan, one, call, options=options, settings=settings, part=number, of=len(parts.excerpts))
        for number, one in enumerate(parts.excerpts, start=1)
    )
    return replace(plan, segments=segments)


def evidence_mode(options: Options, version: SchemaVersion) -> EvidenceMode:
    """Which evidence a record comes with: what the request says, else the schema."""
    return options.evidence or version.evidence


def segment_of(
    plan: Plan, excerpt: Excerpt, like: Call, *, options: Options, settings: Settings, part: int, of: int
) -> Segment:
    """The segment of one excerpt: a call ``like`` the others, about these lines."""
    assert plan.parts is not None  # noqa: S101 - narrows the type: only plans in parts have excerpts
    lines, document = plan.parts.lines, plan.document
    shown = prompt.excerpt(lines, excerpt, document, options.policy, options.detail, part=part, of=of)
    budget = output_budget(plan.model, shown, settings)
    call = replace(
        like, parts=(*prompt.examples(plan.examples), *shown), max_output_tokens=budget, kind="segment"
    )
    return Segment(_pages_of(document, lines, excerpt), call, excerpt)


def segment_once(plan: Plan, like: Call, *, options: Options, settings: Settings) -> Segment:
    """The question for what the document says once: its first and its last part, with the form that requires it."""
    assert plan.parts is not None  # noqa: S101 - narrows the type
    lines, cuts = plan.parts.lines, plan.parts.excerpts
    ends = [Excerpt(cuts[0].first, cuts[0].last), Excerpt(cuts[-1].first, cuts[-1].last)]
    shown = [
        part
        for number, end in zip((1, len(cuts)), ends, strict=True)
        for part in prompt.excerpt(
            lines, end, plan.document, options.policy, options.detail, part=number, of=len(cuts)
        )
    ]
    form = plan.parts.once
    call = replace(
        like,
        parts=tuple(shown),
        format=form.form.format,
        minimal=form.minimal.format,
        max_output_tokens=min(plan.model.max_output_tokens, settings.min_output_tokens),
        kind="segment",
    )
    pages = {page.number: page for end in ends for page in _pages_of(plan.document, lines, end).pages}
    return Segment(replace(plan.document, pages=tuple(pages.values())), call)


def _pages_of(document: Document, lines: Lines, excerpt: Excerpt) -> Document:
    """The document with the pages of an excerpt only; of those that it holds a part of, that part's text."""
    everything = lines.all
    pages = []
    for place in sorted({line.page for line in everything[excerpt.first : excerpt.end]}):
        page = document.pages[place]
        own = [line for line in everything[excerpt.first : excerpt.end] if line.page == place]
        start, end = own[0].start, own[-1].start + len(own[-1].text)
        if own[0].image or (start == 0 and end >= len(page.text)):
            pages.append(page)
        else:
            pages.append(replace(page, text=page.text[start:end], words=(), tables=()))
    return replace(document, pages=tuple(pages))


def output_budget(model: Model, parts: Sequence[Part], settings: Settings) -> int:
    """Tokens the answer may have: generous for these parts, and no more.

    The provider charges its rate limit with them, and the worst case pays for them.
    """
    tokens = 0.0
    for part in parts:
        match part:
            case TextPart():
                tokens += len(part.text) / 3
            case ImagePart():
                tokens += 2000
            case FilePart():
                tokens += max(part.text_bytes / 3, 2000 * part.pages)
    wanted = settings.min_output_tokens + math.ceil(tokens * settings.output_per_input)
    return min(model.max_output_tokens, wanted)


def as_shown(plan: Plan, options: Options) -> tuple[Shown, ...]:
    """What the plan's model is shown of each page, and about what that costs; microseconds a page."""
    return pages_shown(plan.document, model=plan.model, policy=options.policy, detail=options.detail)


def likely(plan: Plan, settings: Settings) -> Estimate:
    """What the plan will probably cost, with a short answer to each call; not a bound."""
    # As many quotes as values, and their pointers.
    quoted = (plan.prepared if plan.parts is None else plan.parts.prepared).form.quoted
    short = settings.min_output_tokens // (4 if quoted else 8)
    return _sum(
        plan,
        lambda call, model: expected(call, model, output_tokens=min(call.max_output_tokens, short)),
    )


def _sum(plan: Plan, of: Callable[[Call, Model], Estimate]) -> Estimate:
    each = [of(segment.call, plan.model) for segment in plan.segments]
    return Estimate(
        input_tokens=sum(one.input_tokens for one in each),
        output_tokens=sum(one.output_tokens for one in each),
        cost=NanoUSD(sum(one.cost for one in each)),
    )


def _form(version: SchemaVersion, compiled: Compiled) -> Form:
    # The dialect says nothing to a model, and would be billed with every call.
    schema = {word: value for word, value in compiled.strict.items() if word != "$schema"}
    return Form(compiled, _format(version, schema))


def _format(version: SchemaVersion, schema: Mapping[str, Any]) -> ResponseFormat:
    # Schemas registered by other protocols may be called anything; the provider takes these characters, and 64 of them.
    name = _NOT_IN_FORMAT_NAMES.sub("_", version.name)[:64]
    wire = {"type": "json_schema", "name": name, "strict": True, "schema": schema}
    return ResponseFormat(name, schema, jsontext.render(wire))
