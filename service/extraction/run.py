"""The pipeline, one pass: document + schema → validated record, every attempt recorded."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Literal, NoReturn, Protocol, TypeVar, assert_never

from pydantic import BaseModel, Field

from service.catalogue import Model, OnRetirement
from service.documents import Document, Loader, PageRange, combine, parse_pages
from service.extraction import prompt
from service.extraction.errors import (
    AnswerMalformed,
    ContentFiltered,
    ModelRefused,
    NothingToShow,
    OutputTruncated,
    RecordInvalid,
)
from service.extraction.judge import Accepted, Invalid, Malformed, judge
from service.extraction.store import Entry, Store, Stored
from service.extraction.validate import Validator
from service.extraction.wire import Options
from service.foundation import clock, jsontext, telemetry
from service.foundation.errors import BadRequest, DeadlineExceeded, Fault, MoneyCapped, WinnowError
from service.foundation.money import NANO, NanoUSD, parse_usd, usd
from service.registry import SchemaVersion
from service.strict import Compiled
from service.upstream import (
    Attempt,
    Call,
    Estimate,
    Failed,
    Filtered,
    Part,
    Refused,
    Reply,
    ResponseFormat,
    Text,
    TextPart,
    Truncated,
    Upstream,
    at_most,
    counted,
    expected,
    problem_for,
)

_MAX_PREPARED = 1024
_GRACE_S = 0.25
Result = TypeVar("Result")


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


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of one part of the document, as they came."""

    data: bytes = field(repr=False)
    media_type: str | None
    name: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Arguments:
    """One extraction, parsed but not begun. ``started`` is the monotonic second at which the request came in."""

    version: SchemaVersion
    pieces: Sequence[Piece]
    options: Options
    metadata: Mapping[str, str]
    started: float
    caller: str = ""


@dataclass(frozen=True, slots=True)
class Extraction:
    """A recorded result."""

    id: str
    data: Any = field(repr=False)
    version: SchemaVersion
    document: Document
    engine: str
    attempts: tuple[Attempt, ...]
    metadata: Mapping[str, str] = field(repr=False)
    created_at: datetime


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
class Plan:
    """What will be asked, of whom, about which document."""

    model: Model
    call: Call
    document: Document
    prepared: Prepared


class Watch(Protocol):
    """Hears how an extraction goes, for callers who look on."""

    def planned(self, plan: Plan) -> None:
        """The document is loaded; the model is about to be asked."""

    def heard(self, attempt: int, delta: str) -> None:
        """A piece of the answer. With a new attempt, what was heard before is void."""

    def attempted(self, attempt: Attempt) -> None:
        """An attempt failed and was recorded; another follows."""


class Extractor:
    """Runs extractions. One per process."""

    def __init__(
        self,
        settings: Settings,
        *,
        loader: Loader,
        upstream: Upstream,
        store: Store,
        engine: str,
    ) -> None:
        self._settings = settings
        self._loader = loader
        self._upstream = upstream
        self._store = store
        self._engine = engine
        self._prepared: OrderedDict[str, Prepared] = OrderedDict()

    async def run(self, arguments: Arguments, watch: Watch | None = None) -> Extraction:
        """One document into one record.

        ``watch`` hears how it goes. Raises a ``WinnowError`` for everything that is not a record; it then carries the
        ``extraction_id`` under which the attempts were recorded. The deadline bounds everything, from the first byte
        of the request.
        """
        id = clock.new_id("ext")
        try:
            return await self._in_time(arguments, lambda deadline: self._run(id, arguments, deadline, watch))
        except WinnowError as error:
            error.members.setdefault("extraction_id", id)
            raise

    async def estimate(self, arguments: Arguments) -> tuple[Plan, Estimate, Estimate]:
        """What a request would ask, what it will probably cost, and what it costs at most. Nobody is asked."""
        plan = await self._in_time(arguments, lambda deadline: self._plan(arguments, deadline))
        likely = min(plan.call.max_output_tokens, self._settings.min_output_tokens // 8)
        low = expected(plan.call, plan.model, output_tokens=likely)
        return plan, low, await asyncio.to_thread(counted, plan.call, plan.model)

    async def _in_time(self, arguments: Arguments, work: Callable[[float], Awaitable[Result]]) -> Result:
        seconds = arguments.options.deadline_s or self._settings.deadline_s
        deadline = arguments.started + seconds
        try:
            # Every part keeps to the deadline itself and ends in order; this is for one that does not.
            async with asyncio.timeout(deadline + _GRACE_S - clock.monotonic()):
                return await work(deadline)
        except TimeoutError:
            raise DeadlineExceeded(f"The record was not ready within {seconds:g} s.") from None

    async def _plan(self, arguments: Arguments, deadline: float) -> Plan:
        options = arguments.options
        asked = options.model or self._settings.model
        model = self._upstream.catalogue.get(
            asked, today=clock.now().date(), on_retirement=self._settings.on_retirement
        )
        wanted = _pages(options.pages)
        prepared = await self._prepare(arguments.version)
        document = await self._load(arguments, wanted, deadline)
        name = asked if self._upstream.catalogue.find(asked) is model else model.id
        call = self._call(name, model, arguments, prepared, document)
        return Plan(model, call, document, prepared)

    async def _run(self, id: str, arguments: Arguments, deadline: float, watch: Watch | None) -> Extraction:
        plan = await self._plan(arguments, deadline)
        budget = self._budget(arguments.options)
        if budget is not None:
            _check_money(plan.call, plan.model, budget)

        async def record(attempt: Attempt) -> None:
            await self._record(id, arguments.version, attempt)
            if watch is not None:
                watch.attempted(attempt)

        if watch is not None:
            watch.planned(plan)
        ask = self._upstream.call if watch is None else partial(self._upstream.stream, on_text=watch.heard)
        reply = await ask(
            plan.call,
            deadline=deadline,
            record=record,
            caller=arguments.caller,
            max_tries=arguments.options.max_attempts,
            budget=budget,
        )
        return await self._conclude(id, arguments, plan, reply)

    async def _prepare(self, version: SchemaVersion) -> Prepared:
        digest = version.digest
        found = self._prepared.get(digest)
        if found is None:
            # Building validators of a large schema takes long enough to be kept off the event loop.
            found = await asyncio.to_thread(_prepare, version)
            self._prepared[digest] = found
            if len(self._prepared) > _MAX_PREPARED:
                self._prepared.popitem(last=False)
        return found

    async def _load(self, arguments: Arguments, wanted: PageRange | None, deadline: float) -> Document:
        pieces = arguments.pieces
        images: Literal["auto", "always"] = (
            "always" if arguments.options.policy in ("image", "both") else "auto"
        )
        loaded = [
            await self._loader.load(
                piece.data,
                declared=piece.media_type,
                name=piece.name,
                password=piece.password,
                pages=wanted if len(pieces) == 1 else None,
                deadline=deadline,
                images=images,
            )
            for piece in pieces
        ]
        if len(loaded) == 1:
            return loaded[0]
        document = combine(loaded)
        if wanted is None:
            return document
        pages = tuple(page for page in document.pages if page.number in wanted)
        if not pages:
            raise BadRequest(
                f"The document has {len(document.pages)} pages and none of those asked for.",
                errors=[Fault("/options/pages", "Count pages from 1, through all parts.")],
            )
        return replace(document, pages=pages)

    def _call(
        self, name: str, model: Model, arguments: Arguments, prepared: Prepared, document: Document
    ) -> Call:
        options = arguments.options
        parts = prompt.parts(document, options.policy, options.detail)
        if not parts:
            raise NothingToShow("The document was read, and holds neither text nor images.")
        version = arguments.version
        return Call(
            model=name,
            instructions=prompt.instructions(version.instructions, options.instructions),
            parts=parts,
            format=prepared.form.format,
            minimal=prepared.minimal.format,
            max_output_tokens=self._output_budget(model, parts),
            cache_key=version.digest[7:39],
        )

    def _output_budget(self, model: Model, parts: Sequence[Part]) -> int:
        """Tokens the answer may have: generous for this document, and no more.

        The provider charges its rate limit with them, and the worst case pays for them.
        """
        tokens = sum(len(part.text) / 3 if isinstance(part, TextPart) else 2000 for part in parts)
        wanted = self._settings.min_output_tokens + math.ceil(tokens * self._settings.output_per_input)
        return min(model.max_output_tokens, wanted)

    def _budget(self, options: Options) -> NanoUSD | None:
        default = self._settings.max_cost_usd
        if options.max_cost_usd is not None:
            return options.max_cost_usd
        return None if default is None else parse_usd(default)

    async def _conclude(self, id: str, arguments: Arguments, plan: Plan, reply: Reply) -> Extraction:
        """Judge the reply and record its last attempt with the verdict, and the result where it is to be kept."""
        version = arguments.version
        outcome = reply.outcome
        if not reply.attempts:
            assert isinstance(outcome, Failed)  # noqa: S101 - narrows the type: only a passed deadline asks nobody
            raise problem_for(outcome)
        last = reply.attempts[-1]
        if not isinstance(outcome, Text):
            await self._record(id, version, last)
            _raise(outcome)
        form = plan.prepared.minimal if reply.minimal else plan.prepared.form
        verdict = await judge(outcome.text, form.compiled, plan.prepared.validator)
        match verdict:
            case Malformed(reason=reason):
                await self._record(id, version, replace(last, outcome="malformed"))
                raise AnswerMalformed(f"The answer could not be read: {reason}.")
            case Invalid(findings=findings):
                await self._record(id, version, replace(last, outcome="invalid"))
                raise RecordInvalid(
                    f"The record breaks {len(findings)} rule(s) of the schema.",
                    errors=[Fault(finding.pointer, finding.message) for finding in findings],
                )
            case Accepted(data=data):
                accepted = replace(last, outcome="accepted")
                extraction = Extraction(
                    id=id,
                    data=data,
                    version=version,
                    document=plan.document,
                    engine=self._engine,
                    attempts=(*reply.attempts[:-1], accepted),
                    metadata=arguments.metadata,
                    created_at=clock.now(),
                )
                stored = None
                if arguments.options.store:
                    text = jsontext.render(body(extraction)).decode()
                    stored = Stored(id, version.name, "succeeded", text, extraction.created_at)
                await self._record(id, version, accepted, stored)
                return extraction
        assert_never(verdict)

    async def _record(
        self, id: str, version: SchemaVersion, attempt: Attempt, stored: Stored | None = None
    ) -> None:
        count = telemetry.count
        model = attempt.model or attempt.asked_model
        count(telemetry.ATTEMPTS, model, attempt.outcome)
        count(telemetry.TOKENS, model, "input", amount=attempt.usage.input_tokens)
        count(telemetry.TOKENS, model, "output", amount=attempt.usage.output_tokens)
        count(telemetry.COST, model, amount=attempt.cost / NANO)
        await self._store.record(Entry(id, version.name, self._engine, attempt, stored))


def _check_money(call: Call, model: Model, budget: NanoUSD) -> None:
    # Most requests fit by the cheap bound; real token counts are for those that may not.
    worst = at_most(call, model).cost
    if worst > budget:
        worst = counted(call, model).cost
    if worst > budget:
        raise MoneyCapped(
            f"The worst case of this request is {usd(worst)} USD, the cap is {usd(budget)} USD; nothing was sent.",
            errors=[Fault("/options/max_cost_usd", f"At least {usd(worst)} is needed.")],
            members={"worst_case_usd": usd(worst)},
        )


def _pages(text: str | None) -> PageRange | None:
    try:
        return None if text is None else parse_pages(text)
    except BadRequest as error:
        raise BadRequest(
            error.detail, errors=[Fault("/options/pages", "Write page numbers like `1-3,7`.")]
        ) from None


def _prepare(version: SchemaVersion) -> Prepared:
    compiled = version.compiled
    minimal = version.compile(profile="minimal")
    return Prepared(
        form=_form(version, compiled),
        minimal=_form(version, minimal),
        validator=Validator(version.schema, draft=compiled.draft),
    )


def _form(version: SchemaVersion, compiled: Compiled) -> Form:
    wire = {"type": "json_schema", "name": version.name, "strict": True, "schema": compiled.strict}
    return Form(compiled, ResponseFormat(version.name, compiled.strict, jsontext.render(wire)))


def _raise(outcome: Refused | Truncated | Filtered | Failed) -> NoReturn:
    match outcome:
        case Refused(text=text):
            raise ModelRefused(
                "The model declined to extract from this document.", members={"refusal": text[:2000]}
            )
        case Truncated():
            raise OutputTruncated("The record is longer than the output budget of the model.")
        case Filtered():
            raise ContentFiltered("The provider's content filter stopped the answer.")
        case Failed():
            raise problem_for(outcome)
        case _:
            assert_never(outcome)


def body(extraction: Extraction) -> dict[str, Any]:
    """The JSON of a result (see ``wire.ExtractionBody``, which describes it)."""
    attempts = extraction.attempts
    version = extraction.version
    document = extraction.document
    return {
        "id": extraction.id,
        "status": "succeeded",
        "data": extraction.data,
        "findings": [
            {"pointer": "", "rule": notice.rule, "severity": "info", "message": notice.message}
            for notice in document.notices
        ],
        "schema": {"name": version.name, "version": version.version, "digest": version.digest},
        "document": {
            "digest": document.digest,
            "media_type": document.media_type,
            "pages": len(document.pages),
        },
        "provenance": {
            "engine": extraction.engine,
            "model": attempts[-1].model or attempts[-1].asked_model,
            "prompt": prompt.VERSION,
            "attempts": [
                {
                    "model": attempt.model or attempt.asked_model,
                    "request_id": attempt.request_id,
                    "outcome": attempt.outcome,
                    "input_tokens": attempt.usage.input_tokens,
                    "cached_tokens": attempt.usage.cached_tokens,
                    "output_tokens": attempt.usage.output_tokens,
                    "cost_usd": usd(attempt.cost),
                    "seconds": round(attempt.seconds, 4),
                }
                for attempt in attempts
            ],
        },
        "usage": {
            "input_tokens": sum(attempt.usage.input_tokens for attempt in attempts),
            "cached_tokens": sum(attempt.usage.cached_tokens for attempt in attempts),
            "output_tokens": sum(attempt.usage.output_tokens for attempt in attempts),
            "cost_usd": usd(sum(attempt.cost for attempt in attempts)),
        },
        "metadata": dict(extraction.metadata),
        "created_at": extraction.created_at.isoformat().replace("+00:00", "Z"),
    }
