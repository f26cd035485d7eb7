"""Verdicts of other registries' own suites: their tables are ours where they are not disputed."""

import json
import time
from collections import Counter
from typing import Any

import pytest
from conftest import SHARED

from service.registry.compatibility import NO_WITNESS, check

CASES = SHARED / "compat_cases.jsonl"
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CASES.is_file(), reason="the cases are not beside this checkout"),
]


@pytest.mark.figures
def test_verdicts_agree() -> None:
    """STRICT and LENIENT decide every undisputed case as Confluent does, STRICT every one of Karapace's as set inclusion."""
    cases: list[dict[str, Any]] = [json.loads(line) for line in CASES.read_text("utf-8").splitlines()]
    counts: Counter[tuple[str, bool, bool]] = Counter()
    witnessed: Counter[bool] = Counter()
    wrong, slowest = [], 0.0
    for case in cases:
        started = time.monotonic()
        policy = "STRICT" if case["policy"] == "KARAPACE" else case["policy"]
        report = check(case["new"], [case["old"]], level=case["level"], policy=policy)
        slowest = max(slowest, time.monotonic() - started)
        agrees = report.compatible == case["compatible"]
        counts[case["policy"], case["disputed"], agrees] += 1
        if not report.compatible and policy == "STRICT":
            witnessed[any(one.witness is not NO_WITNESS for one in report.differences)] += 1
        if not agrees and not case["disputed"]:
            wrong.append((case["name"], [(one.kind, one.pointer) for one in report.differences]))
    print(
        f"\n{len(cases)} cases of compatibility, slowest {slowest:.2f} s; refusals with a witness: {witnessed[True]}"
    )
    for policy in ("STRICT", "LENIENT", "KARAPACE"):
        for disputed in (False, True):
            right, all_ = (
                counts[policy, disputed, True],
                counts[policy, disputed, True] + counts[policy, disputed, False],
            )
            print(f"  {policy:9} {'disputed' if disputed else 'undisputed':10} {right} of {all_}")
    assert wrong == []
    assert slowest < 2
