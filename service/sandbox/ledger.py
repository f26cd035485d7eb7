"""What the sandbox was asked and would have billed; no document text is kept."""

from collections import deque
from dataclasses import dataclass
from typing import Any

__all__ = ["Entry", "Ledger"]


@dataclass(slots=True, kw_only=True)
class Entry:
    """One request. Amounts are filled when an answer is generated; cost is integer nano-dollars."""

    at: float
    method: str
    path: str
    request_id: str
    status: int = 0
    model: str | None = None
    code: str | None = None
    outcome: str | None = None
    """`completed`, `refusal`, `max_output_tokens`, `content_filter`, `failed`, or a dropped connection."""
    stream: bool = False
    digest: str | None = None
    attempt: int | None = None
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost_nano_usd: int = 0


class Ledger:
    """The last entries, and totals over all of them."""

    def __init__(self, entries: int) -> None:
        self._entries: deque[Entry] = deque(maxlen=max(1, entries))
        self._forgotten = 0

    def open(self, entry: Entry) -> Entry:
        """Adds an entry; it is completed in place while the request is answered."""
        if len(self._entries) == self._entries.maxlen:
            self._forgotten += 1
        self._entries.append(entry)
        return entry

    def clear(self) -> None:
        """Forgets everything."""
        self._entries.clear()
        self._forgotten = 0

    def report(self) -> dict[str, Any]:
        """Entries in order of arrival, and their totals."""
        rows = [
            {name: getattr(entry, name) for name in Entry.__dataclass_fields__} for entry in self._entries
        ]
        return {
            "object": "sandbox.ledger",
            "totals": {
                "requests": len(rows) + self._forgotten,
                "remembered": len(rows),
                "failed": sum(1 for row in rows if row["status"] >= 400),
                **{
                    name: sum(row[name] for row in rows)
                    for name in ("input_tokens", "cached_tokens", "output_tokens", "cost_nano_usd")
                },
            },
            "requests": rows,
        }
