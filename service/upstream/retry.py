"""Whether a failed attempt is worth another one, and how long to wait before it. Pure.

The table follows the provider's contract (§5): what waiting cures is retried, faults of the request never are.
"""

from service.upstream.call import Failed, FailureKind

RETRIED: frozenset[FailureKind] = frozenset({"connection", "timeout", "rate", "overloaded", "server"})
"""Never: quota (money does not come by waiting), too_large, rejected, context, model, credentials, protocol."""

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 8.0


def delay(failed: Failed, *, attempt: int, max_tries: int, remaining: float, draw: float) -> float | None:
    """Seconds to wait before the next attempt; None when there is to be none.

    ``attempt`` counts from 1, ``remaining`` is the time until the deadline, ``draw`` a random number in [0, 1).
    Backoff doubles, with full jitter. The provider's own wait is honoured, however long, when the deadline allows;
    up to a tenth of it (at most a second) is added, lest everyone returns at the same instant.
    """
    if failed.kind not in RETRIED or failed.should_retry is False or attempt >= max_tries:
        return None
    if failed.retry_after is not None:
        wait = failed.retry_after + draw * min(0.1 * failed.retry_after, 1.0)
    else:
        wait = draw * min(FIRST_BACKOFF_S * 2 ** min(attempt - 1, 10), LONGEST_BACKOFF_S)
        if failed.kind == "overloaded":
            wait = max(wait, FIRST_BACKOFF_S)  # an overloaded server is not asked again at once
    return wait if wait < remaining else None
