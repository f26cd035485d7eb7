"""Schemas made at random: no record refutes a verdict. ``WINNOW_PAIRS`` is how many are tried."""

import os
import random
from collections import Counter

import pytest
from registry.compatibility.made import pair
from registry.compatibility.mutants import shaken

from service.registry.compatibility import NotProjectable, check
from service.registry.compatibility.judge import Judge
from service.registry.compatibility.projection import Projection
from service.registry.compatibility.witness import Maker
from service.registry.compatibility.words import Source

PAIRS = int(os.environ.get("WINNOW_PAIRS", "400"))
FIRST = 1000
"""The first pair: among those that follow is one whose verdict was wrong once."""

RECORDS = 150


@pytest.mark.figures
@pytest.mark.no_cover  # a search: counting lines would triple its time
@pytest.mark.timeout(1800)
def test_no_record_refutes_a_verdict() -> None:
    """What STRICT lets through is valid for the reader as it is; what RECORDS lets through is, once it is projected."""
    verdicts: Counter[str] = Counter()
    refuted = []
    for number in range(FIRST, FIRST + PAIRS):
        chance = random.Random(number)
        old, new = pair(chance)
        records = list(Maker(Source(old, 0), Source(new, 1)).records(RECORDS))
        records += [shaken(record, chance) for record in records]
        writer, reader = Judge(old, "2020-12", formats=True), Judge(new, "2020-12", formats=True)
        written = [record for record in records if writer.accepts(record)]
        if not written:
            continue
        projection = Projection(old, new)
        for policy in ("STRICT", "RECORDS"):
            report = check(new, [old], level="BACKWARD", policy=policy)
            verdicts[f"{policy} {'compatible' if report.compatible else report.differences[0].severity}"] += 1
            if not report.compatible:
                continue
            for record in written:
                try:
                    if policy == "RECORDS":
                        projection.apply(record)
                    elif not reader.accepts(record):
                        raise NotProjectable("")
                except NotProjectable:
                    refuted.append((number, policy, old, new, record))
                    break
    print(f"compatibility of {PAIRS} made pairs: {dict(sorted(verdicts.items()))}")
    assert refuted == []
    assert min(verdicts["STRICT compatible"], verdicts["RECORDS compatible"]) > PAIRS / 10
