"""Questions to the provider, asked of the sandbox, which holds the rules as we know them."""

import json

from service.upstream.doctor import examine, plan
from tests.upstream.provider import Says, error, message, provider, response, text
from tests.upstream.test_client import Journal, opened
from tests.upstream.test_sandbox import connected


def test_the_plan_is_some_thirty_small_requests() -> None:
    """Names are unique, each probe says what the service assumes, and none is large."""
    probes = plan()
    assert 20 <= len(probes) <= 30
    assert len({probe.name for probe in probes}) == len(probes)
    assert all(len(json.dumps(probe.schema)) < 3_000 for probe in probes)
    assert {probe.assumed for probe in probes} == {"accepted", "refused"}


async def test_the_sandbox_does_what_the_service_assumes() -> None:
    """Every strict-mode doubt gets the verdict that the service was built on, and every attempt is recorded."""
    journal = Journal()
    async with connected(max_tries=1) as (upstream, app):
        findings = [
            finding async for finding in examine(upstream, model="gpt-4.1-mini", record=journal.record)
        ]
        books = app.ledger.report()["totals"]
    surprises = {finding.name for finding in findings if finding.surprising}
    # Accepted by neither report nor sandbox for certain; the counter is not served by every sandbox.
    assert surprises <= {"counter", "strict:examples", "strict:comment", "strict:vendor", "strict:first-keys"}
    assert sum(finding.cost for finding in findings) == books["cost_nano_usd"] > 0
    assert len(journal.attempts) == len(plan())
    assert all(len(finding.detail) <= 300 for finding in findings)


async def test_a_key_that_does_not_work_is_no_verdict_on_a_schema() -> None:
    """Failures of any other kind are told apart from refusals, in the provider's own words."""
    script = (
        Says(body={"data": [{"id": "gpt-4o", "shutdown_date": "2026-12-24"}]}),
        Says(401, error("Incorrect API key", code="invalid_api_key")),
    )
    async with provider(*script) as fake, opened(fake) as upstream:
        found = {
            finding.name: finding
            async for finding in examine(upstream, model="gpt-4.1-mini", record=Journal().record)
        }
    assert found["models"].detail.endswith("gpt-4o 2026-12-24 (we thought 2027-01-14)")
    assert found["strict:plain"].verdict == "failed"
    assert found["strict:plain"].detail == "credentials: Incorrect API key"
    assert found["counter"].verdict == "failed"


async def test_an_answer_that_is_no_text_is_a_failed_probe() -> None:
    """A refusal says nothing about the schema."""
    refusal = Says(body=response(message({"type": "refusal", "refusal": "no"}, text(""))))
    async with provider(refusal) as fake, opened(fake) as upstream:
        found = [
            finding async for finding in examine(upstream, model="gpt-4.1-mini", record=Journal().record)
        ]
    assert {finding.verdict for finding in found if finding.name.startswith("strict:")} == {"failed"}
    assert found[1].detail == "Refused"
