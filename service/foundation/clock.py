"""Time and ids: the only place that reads a clock or draws an id."""

import secrets
import time
from datetime import UTC, datetime

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds of a clock that never goes back; only differences mean anything."""
    return time.monotonic()


def new_id(prefix: str) -> str:
    """A fresh id such as ``ext_01k3…``: 48 bits of milliseconds, then 80 random bits, so ids sort by time.

    26 digits of Crockford's base 32, as in ULID.
    """
    number = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
    digits = []
    for _ in range(26):
        number, digit = divmod(number, 32)
        digits.append(_CROCKFORD[digit])
    return f"{prefix}_{''.join(reversed(digits))}"
