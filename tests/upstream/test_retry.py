"""Which failures are tried again, and when."""

from typing import get_args

import pytest

from service.upstream.call import Failed, FailureKind
from service.upstream.durations import go_duration
from service.upstream.retry import delay


def wait(kind: FailureKind, **members: object) -> float | None:
    failed = Failed(
        kind, "", retry_after=members.pop("retry_after", None), should_retry=members.pop("told", None)
    )  # type: ignore[arg-type]
    settings = {"attempt": 1, "max_tries": 4, "remaining": 60.0, "draw": 0.5} | members
    return delay(failed, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", get_args(FailureKind))
def test_only_what_waiting_cures_is_retried(kind: FailureKind) -> None:
    """The table of the provider's contract §5, whatever the wait it names."""
    retried = kind in {"connection", "timeout", "rate", "overloaded", "server"}
    assert (wait(kind) is not None) == retried
    assert (wait(kind, retry_after=1.0) is not None) == retried


def test_backoff_doubles_with_full_jitter_up_to_a_limit() -> None:
    """The draw decides between nothing and the whole step."""
    assert [
        wait("server", attempt=n, max_tries=99, draw=0.999) for n in (1, 2, 3, 4, 5, 6, 60)
    ] == pytest.approx([0.4995, 0.999, 1.998, 3.996, 7.992, 7.992, 7.992])
    assert wait("server", draw=0.0) == 0.0


def test_an_overloaded_provider_is_left_alone_for_a_moment() -> None:
    """Full jitter may draw nothing; an overload waits at least half a second."""
    assert wait("overloaded", draw=0.0) == 0.5


def test_the_providers_wait_is_honoured_also_a_long_one() -> None:
    """Never shorter than asked, at most a second longer; the SDK would give up above two minutes."""
    assert wait("rate", retry_after=300.0, remaining=400.0, draw=0.0) == 300.0
    assert wait("rate", retry_after=300.0, remaining=400.0, draw=0.999) == pytest.approx(301.0, abs=0.01)
    assert wait("rate", retry_after=0.0) == 0.0


def test_a_wait_that_would_pass_the_deadline_ends_the_call_at_once() -> None:
    """There is nothing to gain from waiting for an attempt that cannot be made."""
    assert wait("rate", retry_after=30.0, remaining=29.0) is None
    assert wait("server", remaining=0.0) is None
    assert wait("server", remaining=-1.0) is None


def test_attempts_are_counted() -> None:
    """The last allowed attempt is not followed by another."""
    assert wait("server", attempt=3, max_tries=4) is not None
    assert wait("server", attempt=4, max_tries=4) is None
    assert wait("server", attempt=1, max_tries=1) is None


def test_the_provider_can_forbid_a_retry_and_not_demand_one() -> None:
    """``x-should-retry: false`` is obeyed; ``true`` does not bring money into an empty account."""
    assert wait("server", told=False) is None
    assert wait("quota", told=True) is None


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("1s", 1.0),
        ("84ms", 0.084),
        ("6m0s", 360.0),
        ("1h2m3.5s", 3723.5),
        ("33.023s", 33.023),
        ("250us", 0.00025),
        ("250µs", 0.00025),
        ("0s", 0.0),
        ("", None),
        ("s", None),
        ("5", None),
        ("5x", None),
        ("1s ", None),
        ("-1s", None),
        ("99999999h", 7 * 24 * 3600.0),
    ],
)
def test_go_durations(written: str, seconds: float | None) -> None:
    """The notation of the provider's reset headers, bounded to a week."""
    assert go_duration(written) == (None if seconds is None else pytest.approx(seconds))
