"""The attempts of one extraction: each is recorded once, whatever happens to the request meanwhile."""

from dataclasses import replace

from service.extraction.store import Entry, Store, Stored
from service.foundation import telemetry
from service.foundation.money import NANO
from service.upstream import Attempt


class Journal:
    """Attempts in the order in which they ended.

    An attempt is noted as soon as it ends. It is recorded when the verdict on it is known, and at the latest by
    ``close``, which a cancelled request reaches too.
    """

    def __init__(self, store: Store, *, extraction_id: str, schema_name: str, engine: str) -> None:
        self._store = store
        self._id = extraction_id
        self._schema = schema_name
        self._engine = engine
        self._attempts: dict[str, Attempt] = {}
        self._pending: dict[str, None] = {}

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every attempt so far, with the verdicts known so far."""
        return tuple(self._attempts.values())

    def note(self, attempt: Attempt) -> None:
        """An attempt has ended; the verdict on it may still come."""
        self._attempts[attempt.id] = attempt
        self._pending[attempt.id] = None

    def judge(self, attempt: Attempt, outcome: str) -> Attempt:
        """The verdict on a noted attempt, not yet recorded."""
        judged = replace(self._attempts[attempt.id], outcome=outcome)
        self._attempts[attempt.id] = judged
        return judged

    async def record(self, attempt: Attempt) -> None:
        """Record an attempt whose verdict is final."""
        self._attempts[attempt.id] = attempt
        self._pending.pop(attempt.id, None)
        await self._store.record(self._entry(attempt))

    async def close(self, stored: Stored | None = None) -> None:
        """Record what is still pending, and the result with it."""
        entries = [self._entry(self._attempts[id]) for id in self._pending]
        self._pending = {}
        if stored is not None:
            entries.append(Entry(self._id, self._schema, self._engine, None, stored))
        await self._store.record(*entries)

    def _entry(self, attempt: Attempt) -> Entry:
        count = telemetry.count
        model = attempt.model or attempt.asked_model
        count(telemetry.ATTEMPTS, model, attempt.outcome)
        count(telemetry.TOKENS, model, "input", amount=attempt.usage.input_tokens)
        count(telemetry.TOKENS, model, "output", amount=attempt.usage.output_tokens)
        count(telemetry.COST, model, amount=attempt.cost / NANO)
        return Entry(self._id, self._schema, self._engine, attempt)
