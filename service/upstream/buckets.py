"""Token buckets and the fair queue before them: no clock, no loop, no waiting of their own.

A bucket never grants more than it started with plus ``rate × time``. A request larger than the bucket is not refused:
while it stands first in line the bucket may fill up to what it needs, so the bound holds for it too.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["requests", "tokens", "images"]
KINDS: tuple[Kind, ...] = ("requests", "tokens", "images")


@dataclass(frozen=True, slots=True)
class Need:
    """What one attempt takes from the buckets."""

    tokens: int
    images: int = 0
    requests: int = 1

    def of(self, kind: Kind) -> int:
        """The amount for one kind of bucket."""
        match kind:
            case "requests":
                return self.requests
            case "tokens":
                return self.tokens
            case "images":
                return self.images


class Bucket:
    """A level that rises by ``per_minute`` / 60 each second up to ``capacity``. Times are monotonic seconds."""

    __slots__ = ("_at", "_held_until", "_level", "capacity", "per_minute", "room", "taken")

    def __init__(self, per_minute: float, *, window: float, now: float) -> None:
        self.per_minute = per_minute
        self.capacity = max(per_minute * window / 60, 1.0)
        self.room = 0.0
        """What the request first in line needs; the level may rise to it even above the capacity."""
        self.taken = 0.0
        """Everything granted so far, settled: what a header of the provider is compared with."""
        self._level = self.capacity
        self._at = now
        self._held_until = now

    @property
    def rate(self) -> float:
        """The rise of the level in a second."""
        return self.per_minute / 60

    def level(self, now: float) -> float:
        """What could be granted now; negative while a debt is being paid."""
        if now > self._at:
            ceiling = max(self.capacity, self.room)
            if self._level < ceiling:
                self._level = min(ceiling, self._level + self.rate * (now - self._at))
            self._at = now
        return self._level

    def wait(self, amount: float, now: float) -> float:
        """Seconds until so much can be granted."""
        missing = amount - self.level(now)
        held = max(self._held_until - now, 0.0)
        return max(held, missing / self.rate) if missing > 0 else held

    def take(self, amount: float, now: float) -> None:
        """Grant so much. The caller has seen that there is no wait."""
        self._level = self.level(now) - amount
        self.taken += amount

    def give_back(self, amount: float, now: float) -> None:
        """Settle: what was granted and not used comes back; a negative amount is a debt."""
        self._level = min(self.level(now) + amount, max(self.capacity, self.room))
        self.taken -= amount

    def lower(self, level: float, now: float) -> None:
        """The provider knows of less than we thought: somebody else uses the same limit."""
        self._level = min(self.level(now), level)

    def hold(self, until: float, now: float) -> None:
        """Grant nothing before this time; the level rises from nothing meanwhile."""
        self.lower(0.0, now)
        self._held_until = max(self._held_until, until)

    def resize(self, per_minute: float, *, window: float, now: float) -> None:
        """The limit is another one than we thought."""
        self.level(now)
        self.per_minute = per_minute
        self.capacity = max(per_minute * window / 60, 1.0)
        self._level = min(self._level, self.capacity)


@dataclass(slots=True, eq=False)
class Ticket:
    """One request in line."""

    caller: str
    need: Need
    left: bool = False
    """It stands in line no longer: granted, or gone."""


@dataclass(slots=True)
class _Line:
    """The requests of one caller, first come first served, and how much of the buckets' time it has had."""

    had: float
    tickets: deque[Ticket] = field(default_factory=deque)
    queued: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))


class Lane:
    """The buckets of one model and the line before them.

    Callers take turns by the bucket time they have had, not by arrival: one with a thousand requests in line delays
    another's single one by about one request.
    """

    def __init__(self, limits: Mapping[Kind, float], *, window: float, now: float) -> None:
        self.buckets: dict[Kind, Bucket] = {
            kind: Bucket(limit, window=window, now=now) for kind, limit in limits.items()
        }
        self._window = window
        self._lines: dict[str, _Line] = {}
        self._turn = 0.0
        self.length = 0

    def set_limit(self, kind: Kind, per_minute: float, *, now: float) -> None:
        """Take over a limit that the provider told us."""
        bucket = self.buckets.get(kind)
        if bucket is None:
            self.buckets[kind] = Bucket(per_minute, window=self._window, now=now)
        elif bucket.per_minute != per_minute:
            bucket.resize(per_minute, window=self._window, now=now)

    def wait(self, need: Need, now: float) -> float:
        """Seconds until all buckets can grant this, if it stood first in line."""
        return max((bucket.wait(need.of(kind), now) for kind, bucket in self.buckets.items()), default=0.0)

    def take(self, need: Need, now: float) -> None:
        """Grant it."""
        for kind, bucket in self.buckets.items():
            bucket.take(need.of(kind), now)

    def give_back(self, need: Need, now: float) -> None:
        """It was granted and never sent."""
        for kind, bucket in self.buckets.items():
            bucket.give_back(need.of(kind), now)

    def expected_wait(self, need: Need, caller: str, now: float) -> float:
        """Seconds until a request of this caller would be granted if it joined the line now.

        Ahead of it stand its own caller's requests, and of every other caller as much as it has itself.
        """
        longest = 0.0
        own = self._lines.get(caller)
        for kind, bucket in self.buckets.items():
            mine = need.of(kind) + (own.queued[kind] if own else 0)
            others = sum(min(line.queued[kind], mine) for name, line in self._lines.items() if name != caller)
            longest = max(longest, bucket.wait(mine + others, now))
        return longest

    def join(self, ticket: Ticket) -> None:
        """Stand in line."""
        line = self._lines.get(ticket.caller)
        if line is None:
            line = self._lines[ticket.caller] = _Line(had=self._turn)
        line.tickets.append(ticket)
        for kind in KINDS:
            line.queued[kind] += ticket.need.of(kind)
        self.length += 1

    def leave(self, ticket: Ticket) -> None:
        """Go away, or be granted."""
        if ticket.left:
            return
        ticket.left = True
        self.length -= 1
        line = self._lines[ticket.caller]
        for kind in KINDS:
            line.queued[kind] -= ticket.need.of(kind)
        while line.tickets and line.tickets[0].left:
            line.tickets.popleft()
        if not line.tickets:
            del self._lines[ticket.caller]
        for bucket in self.buckets.values():
            bucket.room = 0.0

    def grants(self, now: float) -> Iterator[Ticket]:
        """Grant what can be granted now, in fair order."""
        while self._lines:
            line = min(self._lines.values(), key=lambda line: line.had)
            ticket = line.tickets[0]
            for kind, bucket in self.buckets.items():
                bucket.room = float(ticket.need.of(kind))
            if self.wait(ticket.need, now) > 0:
                return
            self.take(ticket.need, now)
            self._turn = line.had
            line.had += max(
                (ticket.need.of(kind) / bucket.rate for kind, bucket in self.buckets.items()), default=0.0
            )
            self.leave(ticket)
            yield ticket

    def next_grant(self, now: float) -> float | None:
        """Seconds until the one whose turn it is can be granted; None when nobody stands in line."""
        if not self._lines:
            return None
        line = min(self._lines.values(), key=lambda line: line.had)
        return self.wait(line.tickets[0].need, now)
