"""Cheap questions to the real provider about what nobody can know from here: strict-mode doubts, models, limits.

Our picture of the strict subset is put together from documentation and reports, some of which contradict each other.
Each probe sends one tiny request and says what came of it. The probes hold no customer's data, so their findings may
quote the provider.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from service.foundation import clock, jsontext
from service.foundation.money import NanoUSD
from service.upstream.call import Attempt, Call, Failed, ImagePart, Part, ResponseFormat, Text, TextPart
from service.upstream.client import Record, Upstream
from service.upstream.errors import is_schema_fault

Verdict = Literal["accepted", "refused", "failed"]

_SECONDS = 60.0
_WORDS = TextPart("Item: bolt, colour: red, quantity: 3, date: 2026-01-31.")
# A white PNG of 1×1 pixels.
_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)


@dataclass(frozen=True, slots=True)
class Probe:
    """One question. ``assumed`` is what the service takes for granted; another verdict is worth a look."""

    name: str
    question: str
    assumed: Verdict
    schema: Mapping[str, Any]
    part: Part = _WORDS
    model: str | None = None
    """Another model than the one that is examined."""
    streamed: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of a probe. ``detail`` is the provider's own message, or what it answered."""

    name: str
    question: str
    assumed: Verdict
    verdict: Verdict
    detail: str
    cost: NanoUSD
    seconds: float

    @property
    def surprising(self) -> bool:
        """The provider does otherwise than the service assumes."""
        return self.verdict != self.assumed


def plan() -> tuple[Probe, ...]:
    """All probes, in order. Together they cost a few hundredths of a cent on a small model."""
    return (*_strict_probes(), *_model_probes())


async def examine(upstream: Upstream, *, model: str, record: Record) -> AsyncIterator[Finding]:
    """Ask every probe, one after the other; each attempt is recorded.

    The first finding is about the key and the list of models. Raises ``UnknownModel``.
    """
    yield await _listing(upstream)
    for probe in plan():
        yield await _ask(upstream, probe, model, record)
    yield await _counter(upstream, model)


def _object(node: Any, **definitions: Any) -> dict[str, Any]:
    """A strict object whose one property is the node in question."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"value": node},
        "required": ["value"],
        "additionalProperties": False,
    }
    return schema | ({"$defs": definitions} if definitions else {})


def _nested(levels: int) -> dict[str, Any]:
    node: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        node = _object(node)
    return node


def _strict_probes() -> tuple[Probe, ...]:
    string = {"type": "string"}
    named = _object(string)
    same_key = [
        {**_object({"type": "string"}), "required": ["value"]},
        {**_object({"type": "integer"}), "required": ["value"]},
    ]
    doubts: tuple[tuple[str, str, Verdict, dict[str, Any]], ...] = (
        ("plain", "a plain strict object", "accepted", _object(string)),
        ("title", "title and description", "accepted", _object({**string, "title": "t", "description": "d"})),
        ("pattern", "a simple pattern", "accepted", _object({**string, "pattern": "^[a-z]+$"})),
        ("date", "format date", "accepted", _object({**string, "format": "date"})),
        ("bounds", "minimum and maximum", "accepted", _object({"type": "integer", "minimum": 0, "maximum": 9})),
        ("items", "minItems and maxItems", "accepted", _object({"type": "array", "items": string, "maxItems": 3})),
        ("types", "two types that are not null", "accepted", _object({"type": ["string", "integer"]})),
        ("reference", "a reference into $defs", "accepted", _object({"$ref": "#/$defs/x"}, x=named)),
        ("first-keys", "anyOf branches with the same first key", "accepted", _object({"anyOf": same_key})),
        ("depth-10", "ten levels below the root", "accepted", _nested(11)),
        ("depth-11", "eleven levels below the root", "refused", _nested(12)),
        ("min-length", "minLength", "refused", _object({**string, "minLength": 1})),
        ("max-length", "maxLength", "refused", _object({**string, "maxLength": 9})),
        ("default", "default", "refused", _object({**string, "default": "x"})),
        ("examples", "examples", "refused", _object({**string, "examples": ["x"]})),
        ("comment", "$comment", "refused", _object({**string, "$comment": "x"})),
        ("vendor", "a vendor keyword", "refused", _object({**string, "x-y": 1})),
        ("bare-enum", "an enum without a type", "refused", _object({"enum": ["a", "b"]})),
        ("bare-const", "a const without a type", "refused", _object({"const": "a"})),
        ("object-enum", "an object in an enum", "refused", _object({**named, "enum": [{"value": "a"}]})),
        ("siblings", "a description beside $ref", "refused", _object({"$ref": "#/$defs/x", "description": "d"}, x=named)),
        ("one-of", "oneOf", "refused", _object({"oneOf": [string, {"type": "null"}]})),
        ("unique", "uniqueItems", "refused", _object({"type": "array", "items": string, "uniqueItems": True})),
        ("lookahead", "a pattern that looks ahead", "refused", _object({**string, "pattern": "^(?=a)a"})),
    )  # fmt: skip
    return tuple(
        Probe(f"strict:{name}", question, assumed, schema) for name, question, assumed, schema in doubts
    )


def _model_probes() -> tuple[Probe, ...]:
    schema = _object({"type": "string"})
    picture = ImagePart("image/png", _PIXEL, 1, 1, "low")
    return (
        Probe("image", "an image of the smallest size", "accepted", schema, part=picture),
        Probe("stream", "a streamed answer", "accepted", schema, streamed=True),
        Probe("successor", "gpt-6-luna with effort none", "accepted", schema, model="gpt-6-luna"),
        Probe("retired", "a model that has been switched off", "refused", schema, model="gpt-4.1-nano"),
    )


async def _ask(upstream: Upstream, probe: Probe, model: str, record: Record) -> Finding:
    schema = dict(probe.schema)
    name = "probe"
    form = {"type": "json_schema", "name": name, "strict": True, "schema": schema}
    call = Call(
        model=probe.model or model,
        instructions="Answer with what the text says. Keep it short.",
        parts=(probe.part,),
        format=ResponseFormat(name, schema, jsontext.render(form)),
        max_output_tokens=200,
    )
    deadline = clock.monotonic() + _SECONDS
    if probe.streamed:
        reply = await upstream.stream(call, deadline=deadline, record=record, on_text=lambda *_: None)
    else:
        reply = await upstream.call(call, deadline=deadline, record=record)
    if reply.attempts:
        await record(reply.attempts[-1])
    verdict: Verdict
    match reply.outcome:
        case Text() as text:
            verdict, detail = "accepted", text.text
        case Failed() as failed:
            asked_wrongly = is_schema_fault(failed) or failed.kind in ("rejected", "model")
            verdict, detail = "refused" if asked_wrongly else "failed", f"{failed.kind}: {failed.message}"
        case other:
            verdict, detail = "failed", type(other).__name__
    return _finding(probe.name, probe.question, probe.assumed, verdict, detail, reply.attempts)


async def _listing(upstream: Upstream) -> Finding:
    start = clock.monotonic()
    dates = await upstream.shutdown_dates(deadline=start + _SECONDS)
    moved = sorted(
        f"{name} {day.isoformat()} (we thought {known.isoformat() if known else 'never'})"
        for name, day in dates.items()
        if day != (known := _known_stop(upstream, name)) and upstream.catalogue.known(name)
    )
    if moved:
        detail = f"other shutdown dates than ours: {', '.join(moved)}"
    else:
        detail = f"{len(dates)} models have a shutdown date, none differs from ours"
    return Finding(
        "models", "the provider's list of models and shutdown dates", "accepted",
        "accepted" if dates else "failed", detail if dates else "no list, or no date in it",
        NanoUSD(0), clock.monotonic() - start,
    )  # fmt: skip


def _known_stop(upstream: Upstream, name: str) -> date | None:
    model = upstream.catalogue.known(name)
    return model.stops_on(name) if model is not None else None


async def _counter(upstream: Upstream, model: str) -> Finding:
    start = clock.monotonic()
    schema = _object({"type": "string"})
    form = {"type": "json_schema", "name": "probe", "strict": True, "schema": schema}
    call = Call(model, "Count.", (_WORDS,), ResponseFormat("probe", schema, jsontext.render(form)), 200)
    count = await upstream.count(call, deadline=start + _SECONDS)
    return Finding(
        "counter", "the exact counter of input tokens", "accepted",
        "accepted" if count else "failed", f"{count} tokens" if count else "no count came back",
        NanoUSD(0), clock.monotonic() - start,
    )  # fmt: skip


def _finding(
    name: str,
    question: str,
    assumed: Verdict,
    verdict: Verdict,
    detail: str,
    attempts: tuple[Attempt, ...],
) -> Finding:
    return Finding(
        name=name,
        question=question,
        assumed=assumed,
        verdict=verdict,
        detail=" ".join(detail.split())[:300],
        cost=NanoUSD(sum(attempt.cost for attempt in attempts)),
        seconds=sum(attempt.seconds for attempt in attempts),
    )
