"""What callers are told about failed calls."""

from typing import get_args

import pytest

from service.foundation.errors import WinnowError, leaves
from service.upstream import Failed, FailureKind, problem_for

STATUS = {
    "connection": (502, "provider_unreachable"),
    "timeout": (504, "provider_timeout"),
    "protocol": (502, "provider_protocol"),
    "rejected": (502, "request_rejected"),
    "context": (422, "context_exceeded"),
    "credentials": (503, "provider_credentials"),
    "quota": (503, "provider_quota"),
    "rate": (503, "provider_rate_limited"),
    "too_large": (422, "context_exceeded"),
    "model": (503, "model_unavailable"),
    "overloaded": (503, "provider_overloaded"),
    "server": (502, "provider_error"),
    "throttled": (429, "upstream_throttled"),
    "deadline": (504, "deadline_exceeded"),
    "cancelled": (503, "overloaded"),
}


@pytest.mark.parametrize("kind", get_args(FailureKind))
def test_every_kind_of_failure_has_its_problem(kind: FailureKind) -> None:
    """Status and code are fixed, and the provider's own words are not repeated."""
    problem = problem_for(Failed(kind, "secret quote of the document", http_status=418, code="some_code"))
    assert (problem.status, problem.code) == STATUS[kind]
    assert "secret" not in problem.detail + str(problem.members)
    assert problem.members == {"provider_status": 418, "provider_code": "some_code"}


@pytest.mark.parametrize("code", ["invalid_prompt", "invalid_json_schema", "image_too_large", "bio_policy"])
def test_faults_of_the_input_are_the_callers(code: str) -> None:
    """Image, schema and policy faults are 422: the same input will fail again."""
    problem = problem_for(Failed("rejected", "…", http_status=400, code=code))
    assert (problem.status, problem.code, problem.retryable) == (422, "input_rejected", False)


def test_a_schema_fault_without_a_code_is_known_by_its_words() -> None:
    """The provider's anyOf rule comes with neither code nor param."""
    problem = problem_for(
        Failed("rejected", "Invalid schema: Objects provided via 'anyOf' must", http_status=400)
    )
    assert problem.code == "input_rejected"


def test_waits_are_passed_on() -> None:
    """What the provider asked for becomes our Retry-After; without it there is a sensible one."""
    assert problem_for(Failed("rate", "", retry_after=42.0)).retry_after == 42.0
    assert problem_for(Failed("rate", "")).retry_after == 10
    assert problem_for(Failed("server", "", retry_after=42.0)).retry_after is None


def test_a_code_that_is_no_identifier_is_not_repeated() -> None:
    """A compatible server may put anything there."""
    assert problem_for(Failed("server", "", code="x" * 500)).members["provider_code"] is None
    assert problem_for(Failed("server", "", code="Total 1.280 EUR")).members["provider_code"] is None


def test_codes_are_unique() -> None:
    """No two errors share a code."""
    codes = [error.code for error in leaves(WinnowError)]
    assert len(codes) == len(set(codes))
