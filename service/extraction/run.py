"""The pipeline: document + schema → validated record, every attempt recorded."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, TypeVar

from service.catalogue import Model
from service.documents import Document, Loader, PageRange, combine, parse_pages
from service.extraction import native
from service.extraction import plan as planning
from service.extraction.account import Account
from service.extraction.arguments import Arguments, Piece
from service.extraction.errors import OutputTruncated, RulesBroken
from service.extraction.examples import PreparedExample, chosen
from service.extraction.inputs import Inputs, part_of, placed
from service.extraction.journal import Journal
from service.extraction.long.asking import Asking
from service.extraction.long.parts import PartsReading
from service.extraction.plan import Parts, Plan, Prepared, prepare, prepare_once, prepare_part, prepare_quoted
from service.extraction.projecting import projected
from service.extraction.reading import Stronger, Terms, Watch
from service.extraction.repair import Mending
from service.extraction.result import Extraction, PartSpan, body
from service.extraction.review import Review, review
from service.extraction.settings import Settings
from service.extraction.store import Store, Stored
from service.extraction.validate import Finding
from service.extraction.wire import Options
from service.extraction.worst import needed, worst
from service.foundation import clock, jsontext
from service.foundation.content import Spooled
from service.foundation.errors import BadRequest, DeadlineExceeded, Fault, WinnowError
from service.foundation.money import NanoUSD, parse_usd
from service.registry import SchemaVersion
from service.upstream import ContextExceeded, Estimate, Upstream

_MAX_PREPARED = 1024
_NOTHING_SEEN = Review((), (), None)
_GRACE_S = 0.25
_LARGE = 256 * 1024
"""Bytes of a document from which cutting it is kept off the event loop."""

Result = TypeVar("Result")
FormKind = Literal["whole", "quoted", "groups", "rows", "quoted groups", "quoted rows", "once"]
_PREPARE: dict[FormKind, Callable[[SchemaVersion], Prepared]] = {
    "whole": prepare,
    "quoted": prepare_quoted,
    "groups": partial(prepare_part, rows=False),
    "rows": partial(prepare_part, rows=True),
    "quoted groups": partial(prepare_part, rows=False, quoted=True),
    "quoted rows": partial(prepare_part, rows=True, quoted=True),
    "once": prepare_once,
}
"""Which form of a schema is asked for: with quotes beside the record; of parts, all that rows do not hold is optional, or rows too."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The record of a document, and in what parts it was read; none for one call."""

    data: Any = field(repr=False)
    findings: tuple[Finding, ...] = ()
    parts: tuple[PartSpan, ...] = ()
    partial: bool = False
    review: Review | None = None
    """What was seen in the record, where that was looked at already."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What a request would ask, and what that costs: probably, to begin, and at most."""

    plan: Plan
    likely: Estimate
    needed: Estimate
    worst: Estimate


class Extractor:
    """Runs extractions. One per process."""

    def __init__(
        self,
        settings: Settings,
        *,
        loader: Loader,
        inputs: Inputs,
        upstream: Upstream,
        store: Store,
        engine: str,
    ) -> None:
        self._settings = settings
        self._loader = loader
        self._inputs = inputs
        self._upstream = upstream
        self._store = store
        self._engine = engine
        self._prepared: OrderedDict[tuple[str, FormKind], Prepared] = OrderedDict()

    async def run(self, arguments: Arguments, watch: Watch | None = None) -> Extraction:
        """One document into one record.

        ``watch`` hears how it goes. Raises a ``WinnowError`` for everything that is not a record; it then carries the
        ``extraction_id`` under which the attempts were recorded. The deadline bounds everything, from the first byte
        of the request.
        """
        id = clock.new_id("ext")
        journal = Journal(
            self._store, extraction_id=id, schema_name=arguments.version.name, engine=self._engine
        )
        try:
            try:
                return await self._in_time(
                    arguments, lambda deadline: self._run(id, arguments, deadline, journal, watch)
                )
            finally:
                await journal.close()  # what a deadline or a caller who went away left unrecorded
        except WinnowError as error:
            error.members.setdefault("extraction_id", id)
            raise

    async def estimate(self, arguments: Arguments) -> Costs:
        """What a request would ask, what it will probably cost, and what it costs at most. Nobody is asked."""
        plan = await self._in_time(
            arguments, lambda deadline: self._plan(arguments, deadline, evidence=False)
        )
        options = arguments.options
        return await asyncio.to_thread(
            lambda: Costs(
                plan=plan,
                likely=planning.likely(plan, self._settings),
                needed=needed(plan),
                worst=worst(
                    plan,
                    most=self._most(plan.version, options),
                    stronger=None if (strong := self._stronger(plan, options)) is None else strong.model,
                ),
            )
        )

    async def _in_time(self, arguments: Arguments, work: Callable[[float], Awaitable[Result]]) -> Result:
        seconds = arguments.options.deadline_s or self._settings.deadline_s
        deadline = arguments.started + seconds
        try:
            # Every part keeps to the deadline itself and ends in order; this is for one that does not.
            async with asyncio.timeout(deadline + _GRACE_S - clock.monotonic()):
                return await work(deadline)
        except TimeoutError:
            raise DeadlineExceeded(
                f"The record was not ready within {seconds:g} s.",
                errors=[Fault("/options/deadline_s", DeadlineExceeded.hint)],
            ) from None

    async def _plan(self, arguments: Arguments, deadline: float, *, evidence: bool) -> Plan:
        options = arguments.options
        catalogue = self._upstream.catalogue
        asked = options.model or arguments.version.policy.model or self._settings.model
        model = catalogue.get(asked, today=clock.now().date(), on_retirement=self._settings.on_retirement)
        wanted = _pages(options.pages)
        document = await self._load(
            arguments, wanted, model, deadline, ocr=evidence or options.policy == "text"
        )
        cut = await self._cut(document, arguments, model)
        quoted = planning.evidence_mode(options, arguments.version) == "quotes"
        # Of a record that is merged from parts only values are asked for: parts are asked for quotes.
        prepared = await self._prepare(arguments.version, "quoted" if quoted and cut is None else "whole")
        parts = await self._parts(arguments.version, cut, quoted=quoted)
        return planning.make(
            name=asked if catalogue.find(asked) is model else model.id,
            model=model,
            version=arguments.version,
            prepared=prepared,
            document=document,
            options=options,
            settings=self._settings,
            parts=parts,
            examples=await self._examples(prepared if parts is None else parts.prepared, document),
        )

    async def _examples(self, prepared: Prepared, document: Document) -> tuple[PreparedExample, ...]:
        if not prepared.examples:
            return ()
        choose = partial(chosen, prepared.examples, document.text, self._settings.examples_tokens)
        return await asyncio.to_thread(choose) if document.size > _LARGE else choose()

    async def _cut(self, document: Document, arguments: Arguments, model: Model) -> planning.Cut | None:
        cut = partial(
            planning.excerpts,
            document,
            arguments.version,
            model=model,
            options=arguments.options,
            settings=self._settings,
        )
        # Lines of a hundred pages take a tenth of a second.
        return await asyncio.to_thread(cut) if len(document.pages) > 4 or document.size > _LARGE else cut()

    async def _parts(self, version: SchemaVersion, cut: planning.Cut | None, *, quoted: bool) -> Parts | None:
        if cut is None:
            return None
        form: FormKind = "quoted groups" if quoted else "groups"
        if any(line.image for line in cut[0].all):
            form = "quoted rows" if quoted else "rows"
        return Parts(
            *cut,
            prepared=await self._prepare(version, form),
            once=await self._prepare(version, "once"),
        )

    async def _run(
        self, id: str, arguments: Arguments, deadline: float, journal: Journal, watch: Watch | None
    ) -> Extraction:
        plan = await self._plan(arguments, deadline, evidence=_evidence(arguments.options, arguments.version))
        account = Account(self._cap(arguments), journal.note)
        most = arguments.options.max_attempts or arguments.version.policy.max_attempts
        terms = Terms(deadline, most, arguments.caller, watch)
        result = await self._read(plan, account, journal, terms, arguments.options)
        seen = await self._review(arguments, plan, result)
        if seen.doubts and not arguments.options.allow_partial:
            journal.judge(journal.attempts[-1], "invalid")
            raise RulesBroken(
                f"The record breaks {len(seen.doubts)} rule(s) of the schema.",
                errors=[Fault(one.pointer, f"{one.message} (`{one.rule}`).") for one in seen.doubts],
            )
        extraction = Extraction(
            id=id,
            data=result.data,
            findings=(*result.findings, *seen.doubts, *seen.findings),
            parts=result.parts,
            status="partial" if result.partial or seen.doubts else "succeeded",
            evidence=seen.evidence,
            examples=len(plan.examples),
            quoted=planning.evidence_mode(arguments.options, arguments.version) == "quotes",
            logprobs=seen.logprobs,
            version=arguments.version,
            document=plan.document,
            shown=planning.as_shown(plan, arguments.options),
            engine=self._engine,
            attempts=journal.attempts,
            metadata=arguments.metadata,
            created_at=clock.now(),
        )
        stored = None
        if arguments.options.store:
            text = jsontext.render(body(extraction)).decode()
            stored = Stored(id, arguments.version.name, extraction.status, text, extraction.created_at)
        await journal.close(stored)
        if arguments.reader is None:
            return extraction
        # What is stored stays as it was written: others may read it as they know it.
        return await asyncio.to_thread(projected, extraction, arguments.reader)

    async def _review(self, arguments: Arguments, plan: Plan, result: Outcome) -> Review:
        """Rules and evidence, away from the event loop; nothing where neither was asked for."""
        if result.review is not None:
            return result.review
        evidence = _evidence(arguments.options, arguments.version)
        if not evidence and not plan.prepared.rules:
            return _NOTHING_SEEN
        return await asyncio.to_thread(
            review,
            plan.prepared.rules,
            result.data,
            plan.document,
            evidence=evidence,
            outline=plan.prepared.outline,
            known=result.findings,
        )

    async def _read(
        self, plan: Plan, account: Account, journal: Journal, terms: Terms, options: Options
    ) -> Outcome:
        """Every segment of the plan, into one record. Nothing is sent unless all first calls fit the account."""
        holds = await account.begin([(segment.call, plan.model) for segment in plan.segments])
        if terms.watch is not None:
            terms.watch.planned(plan)
        if plan.parts is None:
            (hold,) = holds
            try:
                one = await Mending(
                    plan,
                    account=account,
                    journal=journal,
                    terms=terms,
                    upstream=self._upstream,
                    options=options,
                    most=self._most(plan.version, options),
                    stronger=self._stronger(plan, options),
                    evidence=_evidence(options, plan.version),
                ).read(hold)
            except (OutputTruncated, ContextExceeded):
                halved = await self._halved(plan, options)
                if halved is None:
                    raise
                plan = halved
                holds = [await account.more(half.call, plan.model) for half in plan.segments]
            else:
                return Outcome(one.data, review=one.seen)
        asking = Asking(
            plan,
            account=account,
            journal=journal,
            terms=terms,
            upstream=self._upstream,
            options=options,
            settings=self._settings,
            most=self._most(plan.version, options),
            stronger=self._stronger(plan, options),
            evidence=_evidence(options, plan.version),
        )
        reading = PartsReading(plan, asking, evidence=_evidence(options, plan.version))
        whole = await reading.read(holds, partial=options.allow_partial)
        findings = (*whole.findings, *whole.doubts)
        return Outcome(whole.data, findings, whole.parts, partial=bool(whole.doubts), review=whole.review)

    async def _halved(self, plan: Plan, options: Options) -> Plan | None:
        """The plan for a document whose answer was longer than one call may be; None where parts cannot help."""
        cut = await asyncio.to_thread(planning.smaller, plan.document, plan.version, options=options)
        quoted = planning.evidence_mode(options, plan.version) == "quotes"
        parts = await self._parts(plan.version, cut, quoted=quoted)
        if parts is None:
            return None
        return planning.make(
            name=plan.name,
            model=plan.model,
            version=plan.version,
            prepared=plan.prepared,
            document=plan.document,
            options=options,
            settings=self._settings,
            parts=parts,
            examples=await self._examples(parts.prepared, plan.document),
        )

    async def _prepare(self, version: SchemaVersion, form: FormKind = "whole") -> Prepared:
        key = version.digest, form
        found = self._prepared.get(key)
        if found is None:
            # Building validators of a large schema takes long enough to be kept off the event loop.
            found = await asyncio.to_thread(_PREPARE[form], version)
            self._prepared[key] = found
            if len(self._prepared) > _MAX_PREPARED:
                self._prepared.popitem(last=False)
        return found

    async def _load(
        self, arguments: Arguments, wanted: PageRange | None, model: Model, deadline: float, *, ocr: bool
    ) -> Document:
        """The document. ``ocr``: also the words of pages that are pictures, which nobody needs else."""
        options = arguments.options
        count = len(arguments.pieces)
        pieces: list[Piece] = []
        for part, named in enumerate(arguments.pieces, start=1):
            with part_of(part, count):
                pieces.append(await self._inputs.bring(named, deadline))
        if options.policy == "file":
            native.check(
                model,
                [len(piece.data) for piece in pieces],
                pages=options.pages,
                locked=any(piece.password for piece in pieces),
            )
        images: Literal["auto", "always"] = "always" if options.policy in ("image", "both") else "auto"
        loaded: list[tuple[Document, bytes]] = []
        for part, piece in enumerate(pieces, start=1):
            with part_of(part, count), placed(piece):
                document = await self._loader.load(
                    piece.data,
                    declared=piece.media_type,
                    name=piece.name,
                    password=piece.password,
                    pages=wanted if count == 1 else None,
                    deadline=deadline,
                    images=images,
                    ocr=ocr,
                )
            data = b""
            if options.policy == "file":
                data = (
                    piece.data if isinstance(piece.data, bytes) else await asyncio.to_thread(piece.data.read)
                )
            loaded.append((document, data))
            if isinstance(piece.data, Spooled):
                # A large file need not take room while the model is asked; freeing it takes milliseconds.
                await asyncio.to_thread(piece.data.close)
        document = combine([document for document, _ in loaded])
        if options.policy == "file":
            return replace(document, files=native.files_of(loaded))
        if wanted is None or count == 1:
            return document
        pages = tuple(page for page in document.pages if page.number in wanted)
        if not pages:
            raise BadRequest(
                f"The document has {len(document.pages)} pages and none of those asked for.",
                errors=[Fault("/options/pages", "Count pages from 1, through all parts.")],
            )
        return replace(document, pages=pages)

    def _most(self, version: SchemaVersion, options: Options) -> int:
        """How many requests may be sent in all for a document that is read in one call."""
        return options.max_attempts or version.policy.max_attempts or self._settings.max_attempts

    def _stronger(self, plan: Plan, options: Options) -> Stronger | None:
        """The model to escalate to: the schema's, else ours unless the request names its own; never a retired one."""
        name = plan.version.policy.escalate_to
        if name is None and options.model is None:
            name = self._settings.escalate_to
        if not name:
            return None
        try:
            model = self._upstream.catalogue.get(
                name, today=clock.now().date(), on_retirement=self._settings.on_retirement
            )
        except WinnowError:
            return None
        if model.id == plan.model.id or (plan.document.files and "files" not in model.can):
            return None
        return Stronger(name if self._upstream.catalogue.find(name) is model else model.id, model)

    def _cap(self, arguments: Arguments) -> NanoUSD | None:
        default = self._settings.max_cost_usd
        if arguments.options.max_cost_usd is not None:
            return arguments.options.max_cost_usd
        if arguments.version.policy.max_cost is not None:
            return arguments.version.policy.max_cost
        return None if default is None else parse_usd(default)


def _evidence(options: Options, version: SchemaVersion) -> bool:
    """Whether places in the document are asked for: by the request, else by the schema."""
    return planning.evidence_mode(options, version) != "off"


def _pages(text: str | None) -> PageRange | None:
    try:
        return None if text is None else parse_pages(text)
    except BadRequest as error:
        raise BadRequest(
            error.detail, errors=[Fault("/options/pages", "Write page numbers like `1-3,7`.")]
        ) from None
