"""From a checked body to what the model would have written: prompt, budget, reading, shapes, usage.

`/v1/responses`, `/v1/chat/completions` and batches all go through here.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

import orjson

from service.sandbox import models, scenarios, tokens
from service.sandbox.errors import ProviderError
from service.sandbox.faults import fault
from service.sandbox.images import image_tokens
from service.sandbox.inline import schema_in
from service.sandbox.inputs import Prompt
from service.sandbox.ledger import Entry
from service.sandbox.limits import Buckets
from service.sandbox.models import Model
from service.sandbox.reader import Reader
from service.sandbox.scenarios import Rehearsal, Scenario
from service.sandbox.settings import Settings

__all__ = ["WAITED", "Dropped", "Engine", "Job", "Written", "canonical_schema"]

# Reading longer texts blocks for tens of milliseconds: they go to a thread.
_INLINE_CHARACTERS = 20_000
_REASONING = {"none": 0, "minimal": 0, "low": 64, "medium": 192, "high": 512, "xhigh": 1_024, "max": 2_048}
REFUSAL = "I'm sorry, but I can't help with that request."


WAITED: ContextVar[list[float] | None] = ContextVar("waited", default=None)
"""Where a task wants the provider time counted that it waits: one number in a list.

However fast the clock is set, what the sandbox itself computes takes none of it.
"""


class Dropped(Exception):
    """The connection is to be cut: at once, or after half of the body."""

    def __init__(self, *, halfway: bool) -> None:
        super().__init__("connection dropped by scenario")
        self.halfway = halfway


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One admitted request for text."""

    body: Mapping[str, Any]
    key: str
    model: Model
    model_name: str
    echoed_name: str
    scenario: Scenario
    prompt: Prompt
    format: Literal["text", "json_object", "json_schema"]
    schema: Mapping[str, Any] | None
    identity: str
    input_tokens: int
    cached_tokens: int
    max_output: int
    reasoning_tokens: int
    tool: str | None
    """The function that is to be called instead of a text answer."""
    top_logprobs: int | None
    """How many alternatives each token lists; None when no log-probabilities were asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was generated: text or refusal, its tokens, and why it ended."""

    text: str
    pieces: tuple[bytes, ...]
    refusal: bool
    reasoning_tokens: int
    stopped: Literal["max_output_tokens", "content_filter"] | None = None
    failed: bool = False
    tool: str | None = None
    """The function that the text is arguments for."""

    @property
    def output_tokens(self) -> int:
        """Billed output, reasoning included."""
        return len(self.pieces) + self.reasoning_tokens

    @property
    def outcome(self) -> str:
        """One word for the ledger."""
        if self.failed:
            return "failed"
        return self.stopped or ("refusal" if self.refusal else "completed")


@lru_cache(maxsize=512)
def _constant_ids(text: str) -> tuple[int, ...]:
    return tuple(tokens.encode(text))


def canonical_schema(schema: Mapping[str, Any]) -> str:
    """A schema as one line of JSON in its own key order: what is counted, cached and compared."""
    return orjson.dumps(schema).decode()


class Engine:
    """Everything that requests share: buckets, prompt cache, rehearsal of faults, the reader."""

    def __init__(self, settings: Settings, reader: Reader) -> None:
        self.settings = settings
        self._started = settings.now()
        self.reader = reader
        self.rehearsal = Rehearsal()
        self.cache = tokens.PrefixCache()
        self.buckets = Buckets(
            settings.requests_per_minute, settings.tokens_per_minute, settings.organization
        )

    def today(self) -> str:
        """The provider's date: decides which models are retired."""
        return datetime.fromtimestamp(self.settings.now(), UTC).date().isoformat()

    def clock(self) -> float:
        """Provider time, which runs `clock_speed` times as fast as real time from the start of the sandbox."""
        return self._started + (self.settings.now() - self._started) * self.settings.clock_speed

    async def pause(self, seconds: float) -> None:
        """Waits for so many seconds of provider time."""
        waited = WAITED.get()
        if waited is not None:
            waited[0] += seconds
        await asyncio.sleep(seconds / max(1e-9, self.settings.clock_speed))

    # ---------------------------------------------------------------------------------- preparing
    def prepare(
        self,
        body: Mapping[str, Any],
        key: str,
        prompt: Prompt,
        *,
        format: Literal["text", "json_object", "json_schema"],
        schema: Mapping[str, Any] | None,
        schema_text: str,
        instructions: str,
        max_output: int | None,
        effort: str | None,
        top_logprobs: int | None,
        tool: str | None = None,
        chat: bool = False,
        count_only: bool = False,
    ) -> Job:
        """Resolves the model, counts the prompt and checks that it fits.

        Raises `ProviderError`: unknown or retired model, context overflow.
        """
        name = body["model"]
        scenario = scenarios.parse(name)
        model = models.by_name(name, today=self.today(), chat=chat)
        ids = self._prompt_ids(schema_text, instructions, prompt)
        pictures = sum(
            image_tokens(data, detail, model, self.settings.image_patch_budget)
            for data, detail in prompt.images
        )
        overhead = 3 + 4 * max(1, prompt.messages) + (20 if schema_text else 0)
        count = len(ids) + pictures + overhead
        if count > model.context:
            raise ProviderError(
                400,
                "Your input exceeds the context window of this model. Please adjust your input and try again.",
                param="messages" if chat else "input",
                code="context_length_exceeded",
            )
        cached = 0
        if not count_only:
            scope = f"{key}:{name}:{body.get('prompt_cache_key') or ''}"
            cached = min(self.cache.read(scope, ids, self.settings.now()), count // 128 * 128)
        digest = hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
        return Job(
            body=body,
            key=key,
            model=model,
            model_name=name,
            echoed_name=models.snapshot(name, model),
            scenario=scenario,
            prompt=prompt,
            format=format,
            schema=schema,
            identity=f"{body.get('prompt_cache_key') or ''}:{digest}",
            input_tokens=count,
            cached_tokens=cached,
            max_output=min(max_output or model.max_output, model.max_output),
            reasoning_tokens=_REASONING.get(effort or "medium", 192) if model.reasoning else 0,
            tool=tool,
            top_logprobs=top_logprobs,
        )

    @staticmethod
    def _prompt_ids(schema_text: str, instructions: str, prompt: Prompt) -> list[int]:
        ids: list[int] = []
        for constant in (schema_text, instructions):
            if constant:
                ids.extend(_constant_ids(constant))
        for text in prompt.billed:
            ids.extend(tokens.encode(text))
        return ids

    # ---------------------------------------------------------------------------------- admission
    def admit(self, job: Job, entry: Entry, *, limited: bool = True) -> None:
        """Takes the request from the buckets and plays the faults of its scenario; batches are not limited.

        Raises `ProviderError` for limits and faults, `Dropped` for a connection to be cut.
        """
        now = self.settings.now()
        entry.digest = job.identity
        if limited:
            self.buckets.admit(job.key, job.model_name, self._estimate(job), now)
        if not scenarios.is_scenario(job.model_name):
            return
        attempt = self.rehearsal.attempt(f"{job.key}:{job.model_name}:{job.identity}")
        entry.attempt = attempt
        kind = self.rehearsal.failing(job.scenario, job.identity, attempt)
        if kind is not None:
            raise fault(
                kind, job.model_name, self.settings.organization,
                self.buckets.headers(job.key, job.model_name, now),
            )  # fmt: skip
        if "reset" in job.scenario.shapes:
            raise Dropped(halfway=False)

    def _estimate(self, job: Job) -> int:
        """Tokens charged at admission: characters over four, plus the output budget that was asked for."""
        characters = sum(len(text) for text in job.prompt.billed)
        asked = job.body.get("max_output_tokens") or job.body.get("max_completion_tokens") or 0
        return characters // 4 + int(asked)

    # ------------------------------------------------------------------------------------ writing
    async def delay(self, job: Job) -> None:
        """Waits as settings and scenario say; `hang` outlasts every client."""
        wait = self.settings.latency_s + job.scenario.slow_s
        if "hang" in job.scenario.shapes:
            wait += self.settings.hang_s
        if wait > 0:
            await self.pause(wait)
        if "hang" in job.scenario.shapes:
            raise Dropped(halfway=False)

    async def write(self, job: Job) -> Written:
        """Reads the document and shapes the answer as scenario and budget demand."""
        shapes = job.scenario.shapes
        reasoning = job.reasoning_tokens
        if "failed" in shapes:
            return Written(text="", pieces=(), refusal=False, reasoning_tokens=0, failed=True)
        if "refusal" in shapes:
            return Written(
                text=REFUSAL, pieces=tuple(tokens.pieces(REFUSAL)), refusal=True, reasoning_tokens=reasoning
            )
        text = await self._read(job)
        if "malformed" in shapes:
            text = text[: max(1, len(text) - 2)].replace('":', '" ', 1) + ",}"
        if "invalid" in shapes:
            text = '{"unexpected":true}'
        pieces = tuple(tokens.pieces(text))
        stopped: Literal["max_output_tokens", "content_filter"] | None = None
        room = job.max_output
        if reasoning >= room:
            return Written(
                text="", pieces=(), refusal=False, reasoning_tokens=room, stopped="max_output_tokens"
            )
        keep = len(pieces)
        if keep > room - reasoning:
            keep, stopped = room - reasoning, "max_output_tokens"
        if "truncate" in shapes:
            keep, stopped = min(keep, max(1, len(pieces) // 2)), "max_output_tokens"
        if "filter" in shapes:
            keep, stopped = min(keep, max(1, len(pieces) // 4)), "content_filter"
        if keep < len(pieces):
            pieces = pieces[:keep]
            text = b"".join(pieces).decode("utf-8", "ignore")
        return Written(
            text=text,
            pieces=pieces,
            refusal=False,
            reasoning_tokens=reasoning,
            stopped=stopped,
            tool=job.tool,
        )

    async def _read(self, job: Job) -> str:
        document = job.prompt.document
        images = job.prompt.seen
        if job.format == "text" and job.tool is None:
            return f"The sandbox read {len(document)} characters."
        schema = job.schema
        if schema is None:
            described = (*job.prompt.billed, job.body.get("instructions") or "")
            schema = schema_in(described) or {"type": "object", "additionalProperties": {"type": "string"}}
        if len(document) > _INLINE_CHARACTERS or images:
            value = await asyncio.to_thread(self.reader.read, document, images, schema)
        else:
            value = self.reader.read(document, images, schema)
        return orjson.dumps(value).decode()

    # ------------------------------------------------------------------------------------ billing
    @staticmethod
    def bill(job: Job, written: Written, entry: Entry) -> None:
        """Writes tokens and cost of an answer into the ledger."""
        price, cached_price, output_price = job.model.prices
        entry.outcome = written.outcome
        if written.failed:
            return
        entry.input_tokens = job.input_tokens
        entry.cached_tokens = job.cached_tokens
        entry.output_tokens = written.output_tokens
        entry.cost_nano_usd = (
            (job.input_tokens - job.cached_tokens) * price
            + job.cached_tokens * cached_price
            + written.output_tokens * output_price
        )
