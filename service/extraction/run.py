"""The pipeline, one pass: document + schema → validated record, every attempt recorded."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NoReturn, assert_never

from pydantic import BaseModel, Field

from service.catalogue import Catalogue, Model
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
from service.upstream import (
    Attempt,
    Call,
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
    problem_for,
)

_MAX_PREPARED = 1024
_GRACE_S = 0.25


class Settings(BaseModel):
    """How extraction behaves where a request does not say."""

    model: str = Field("gpt-4.1-mini", description="Model asked when a request names none.")
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
class _Prepared:
    """What is made once per schema version."""

    format: ResponseFormat
    validator: Validator


class Extractor:
    """Runs extractions. One per process."""

    def __init__(
        self,
        settings: Settings,
        *,
        catalogue: Catalogue,
        loader: Loader,
        upstream: Upstream,
        store: Store,
        engine: str,
    ) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._loader = loader
        self._upstream = upstream
        self._store = store
        self._engine = engine
        self._prepared: OrderedDict[str, _Prepared] = OrderedDict()

    async def run(self, arguments: Arguments) -> Extraction:
        """One document into one record.

        Raises a ``WinnowError`` for everything that is not a record; it then carries the ``extraction_id`` under which
        the attempts were recorded. The deadline bounds everything, from the first byte of the request.
        """
        options = arguments.options
        seconds = options.deadline_s or self._settings.deadline_s
        deadline = arguments.started + seconds
        id = clock.new_id("ext")
        try:
            # Every part keeps to the deadline itself and ends in order; this is for one that does not.
            async with asyncio.timeout(deadline + _GRACE_S - clock.monotonic()):
                return await self._run(id, arguments, deadline)
        except TimeoutError:
            error: WinnowError = _late(seconds)
        except WinnowError as caught:
            error = caught
        error.members.setdefault("extraction_id", id)
        raise error

    async def _run(self, id: str, arguments: Arguments, deadline: float) -> Extraction:
        options = arguments.options
        model = self._catalogue.get(options.model or self._settings.model, today=clock.now().date())
        wanted = _pages(options.pages)
        prepared = await self._prepare(arguments.version)
        document = await self._load(arguments.pieces, wanted, deadline)
        call = self._call(model, arguments, prepared, document)
        budget = self._budget(options)
        if budget is not None:
            _check_money(call, model, budget)

        async def record(attempt: Attempt) -> None:
            await self._record(id, arguments.version, attempt)

        reply = await self._upstream.call(
            call, deadline=deadline, record=record, max_tries=options.max_attempts
        )
        return await self._conclude(id, arguments, document, reply, prepared)

    async def _prepare(self, version: SchemaVersion) -> _Prepared:
        digest = version.digest
        found = self._prepared.get(digest)
        if found is None:
            # Building validators of a large schema takes long enough to be kept off the event loop.
            found = await asyncio.to_thread(_prepare, version)
            self._prepared[digest] = found
            if len(self._prepared) > _MAX_PREPARED:
                self._prepared.popitem(last=False)
        return found

    async def _load(self, pieces: Sequence[Piece], wanted: PageRange | None, deadline: float) -> Document:
        loaded = [
            await self._loader.load(
                piece.data,
                declared=piece.media_type,
                name=piece.name,
                password=piece.password,
                pages=wanted if len(pieces) == 1 else None,
                deadline=deadline,
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

    def _call(self, model: Model, arguments: Arguments, prepared: _Prepared, document: Document) -> Call:
        options = arguments.options
        parts = prompt.parts(document, options.policy, options.detail)
        if not parts:
            raise NothingToShow("The document was read, and holds neither text nor images.")
        version = arguments.version
        return Call(
            model=model.id if options.model is None else options.model,
            instructions=prompt.instructions(version.instructions, options.instructions),
            parts=parts,
            format=prepared.format,
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

    async def _conclude(
        self, id: str, arguments: Arguments, document: Document, reply: Reply, prepared: _Prepared
    ) -> Extraction:
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
        verdict = await judge(outcome.text, version.compiled, prepared.validator)
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
                    document=document,
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


def _prepare(version: SchemaVersion) -> _Prepared:
    compiled = version.compiled
    return _Prepared(
        format=ResponseFormat(
            name=version.name,
            schema=compiled.strict,
            rendered=jsontext.render(
                {"type": "json_schema", "name": version.name, "strict": True, "schema": compiled.strict}
            ),
        ),
        validator=Validator(version.schema, draft=compiled.draft),
    )


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


def _late(seconds: float) -> DeadlineExceeded:
    return DeadlineExceeded(f"The record was not ready within {seconds:g} s.")


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
