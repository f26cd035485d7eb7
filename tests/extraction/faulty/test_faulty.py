"""Evidence, rules and repair against a reader that makes mistakes at known rates, over HTTP.

The reader stands behind the sandbox's protocol. It gives the right record of a document with values of another document
put in, amounts swapped, a date shifted, a row dropped; when it is asked again it reads rightly. ``WINNOW_CORPUS=full``
runs everything, else a sample by hash.
"""

import asyncio
import copy
import json
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from pathlib import Path
from statistics import mean
from typing import Any

import httpx2
import pytest
from extraction.evidence.oracles import inside, scorable, show
from extraction.faulty import spoil
from extraction.faulty.cases import Case, Suite, suite
from extraction.faulty.reader import FaultyReader
from extraction.faulty.spoil import Spoiled

from tests.extraction.test_repair import service

pytestmark = [pytest.mark.corpus, pytest.mark.timeout(1800)]

UNPRINTED = ("report pdf", "contract pdf")
"""Kinds whose records hold an analyst's own words; what of them stands in the document is shown and not scored."""

KINDS = ("invented", "swapped", "shifted", "dropped")

ONE_CALL = {"one_call_pages": 2000, "one_call_rows": 10**6, "part_tokens": 10**6, "escalate_to": ""}
"""Long documents have measures of their own."""


class Bench:
    """The service, the reader behind it, and the cases."""

    def __init__(self, client: httpx2.AsyncClient, reader: FaultyReader, cases: Suite) -> None:
        self.client, self.reader, self.suite = client, reader, cases

    async def read(self, case: Case, first: Spoiled, **options: Any) -> Any:
        """The answer about a document whose first reading is ``first``; None when it is no record."""
        self.reader.first, self.reader.gold, self.reader.calls = first, case.gold, 0
        self.reader.text = case.text
        self.reader.encode = self.suite.version(case).compiled.encode
        answer = await self.client.post(
            f"/v1/extract/{case.schema}",
            files={"file": (case.name, case.data, case.media_type)},
            data={"options": json.dumps({"evidence": "locations", "allow_partial": True, **options})},
            timeout=300,
        )
        return answer.json() if answer.status_code == 200 else None


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    return asyncio.run(suite(tmp_path_factory.mktemp("schemas")))


@pytest.fixture
async def bench(cases: Suite, tmp_path: Path) -> AsyncIterator[Bench]:
    reader = FaultyReader()
    async with service(tmp_path, reader, folders=[cases.folder], extraction=ONE_CALL) as client:
        yield Bench(client, reader, cases)


def tokens(answer: Any) -> int:
    return int(answer["usage"]["input_tokens"] + answer["usage"]["output_tokens"])


@pytest.mark.figures
async def test_faults_show_and_right_values_are_found(bench: Bench) -> None:
    """Invented values are not found, right ones are, at their place, among faults of every kind."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    missed: list[str] = []
    for case in bench.suite.cases:
        first = spoil.all_of_them(case.gold, case.donors, case.text, case.draw("faults"))
        answer = await bench.read(case, first, max_attempts=1)
        if answer is None:
            table[case.kind]["no record"] += 1
            continue
        table[case.kind]["documents"] += 1
        _tally(table[case.kind], case, first, answer["evidence"], missed)
    show("faults among right values", table)
    print(f"  missed, some of {len(missed)}: {missed[:: max(len(missed) // 30, 1)]}")
    total: Counter[str] = Counter()
    for kind, counts in table.items():
        if kind in UNPRINTED:
            counts = Counter({name: n for name, n in counts.items() if name in ("invented", "flagged")})
        total.update(counts)
    assert total["invented"] > 50
    assert total["flagged"] >= 0.97 * total["invented"]
    assert total["found"] >= 0.98 * total["standing"]
    assert total["page"] >= 0.99 * total["placed"]
    assert total["place"] >= 0.95 * total["placed"]


def _tally(
    counts: Counter[str], case: Case, first: Spoiled, evidence: Mapping[str, Any], missed: list[str]
) -> None:
    for path, value in spoil.walk(first.record):
        if not scorable(value):
            continue
        one = evidence[spoil.pointer(path)]
        fault = first.changed.get(path)
        if fault == "shifted" and not case.text.holds(value):
            fault = "invented"  # the document prints that day nowhere
        if fault == "invented":
            if one.get("reason") in ("category", "constant"):
                continue  # one of a closed list: no document need print it
            counts["invented"] += 1
            counts["flagged"] += one["status"] == "not_found"
            if one["status"] != "not_found":
                missed.append(
                    f"{case.id}{spoil.pointer(path)}={value!r:.40} {one['status']} {one.get('reason', '')}"
                )
        elif fault is None:
            if case.text.holds(value) and one["status"] not in ("derived", "absent"):
                counts["standing"] += 1
                counts["found"] += one["status"] == "found"
            place = case.places.get(spoil.pointer(first.source(path)))
            if place is not None:
                page, where = place
                counts["placed"] += 1
                counts["page"] += page in (0, one.get("page"))
                counts["place"] += page in (0, one.get("page")) and _there(case, one, where)


def _there(case: Case, one: Mapping[str, Any], where: Any) -> bool:
    if isinstance(where, int):
        pages = case.data.decode().split("\f")
        return "span" in one and pages[one["page"] - 1][: one["span"][0]].count("\n") == where
    return "box" in one and inside(tuple(one["box"]), where)


@pytest.mark.figures
async def test_what_breaks_a_rule_is_a_finding(bench: Bench) -> None:
    """Every amount that a rule adds up, when it is changed, and every digit of an IBAN, is a finding."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for case in bench.suite.some():
        rules = bench.suite.version(case).rules
        clean = await bench.read(case, Spoiled(case.gold), max_attempts=1) if rules else None
        if clean is None:
            continue
        unmet = {one["rule"] for one in clean["findings"]}
        for rule in rules:
            if rule["rule"] in unmet or rule["rule"] in ("order", "unique", "pattern"):
                continue  # the right record breaks it: nothing can be said
            broken = _broken(case.gold, rule, case.draw(f"rule {rule}"))
            if broken is None:
                continue
            answer = await bench.read(case, Spoiled(broken), max_attempts=1)
            counts = table[rule["rule"]]
            counts["broken"] += 1
            assert answer is not None, (case.id, rule)
            counts["findings"] += any(one["rule"] == rule["rule"] for one in answer["findings"])
    show("broken sums and checksums", table)
    assert {"sum", "total", "checksum", "product", "running"} <= table.keys()
    assert all(counts["findings"] == counts["broken"] for counts in table.values())


def _broken(gold: Any, rule: Mapping[str, Any], draw: random.Random) -> Any | None:
    """The record with one value changed so that the rule cannot hold; None where it does not apply."""
    record = copy.deepcopy(gold)
    wanted = {tuple(place.split("/")[1:]) for place in _operands(rule)}
    found = [path for path, value in spoil.walk(record) if spoil.way(path) in wanted and value is not None]
    if rule["rule"] == "product":  # both factors and the product have to be there, and no discount
        lines = defaultdict(set)
        for path in found:
            lines[path[:-1]].add(path[-1])
        found = [path for path in found if len(lines[path[:-1]]) == len(wanted) and path[-1] == "amount"]
        if "when" in rule:
            member = rule["when"]["field"].rpartition("/")[2]
            found = [path for path in found if spoil.get(record, path[:-1]).get(member) is None]
    elif rule["rule"] != "checksum":
        # A rule that lacks a member says nothing.
        if {spoil.way(path) for path in found} < wanted and rule.get("missing") != "zero":
            return None
        found = [path for path in found if spoil.way(path) == tuple(rule["equals"].split("/")[1:])]
    if not found:
        return None
    path = draw.choice(found)
    value = spoil.get(record, path)
    if rule["rule"] == "checksum":
        at = draw.choice([place for place, letter in enumerate(value) if letter.isdigit()])
        value = value[:at] + str((int(value[at]) + draw.randint(1, 9)) % 10) + value[at + 1 :]
    else:
        value = float(Decimal(str(value)) + draw.choice([1, 10, 100]))
    spoil.put(record, path, value)
    return record


def _operands(rule: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for name in ("of", "plus", "minus", "equals", "start", "percent"):
        given = rule.get(name, [])
        found += [given] if isinstance(given, str) else given
    return found


@pytest.mark.figures
async def test_repair_restores_and_costs_little(bench: Bench) -> None:
    """One call when nothing is wrong; what a right second reading can restore is restored, by a small call."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    ratios: dict[str, list[float]] = defaultdict(list)
    again: list[str] = []
    lost: list[str] = []
    for case in bench.suite.some():
        right = await bench.read(case, Spoiled(case.gold))
        if right is None:
            table["nothing"]["no record"] += 1
            continue
        attempts = right["provenance"]["attempts"]
        if case.kind in UNPRINTED or any(
            one["severity"] != "info" and one["rule"] != "evidence" for one in right["findings"]
        ):
            table["set aside"]["documents"] += (
                1  # the right record itself breaks rules, or holds an analyst's words
            )
            continue
        table["nothing"]["documents"] += 1
        table["nothing"]["one call"] += len(attempts) == 1
        if len(attempts) > 1:
            again.append(f"{case.id} {[one['pointer'] for one in right['findings']][:3]}")
        dice = case.draw("repair")
        for kind in KINDS if case.kind != "starter" else (*KINDS, *["invented"] * 3):
            # Of the starter schemas there is one document each: what is invented there is drawn more often.
            first = spoil.one(kind, case.gold, case.donors, case.text, dice)
            if first is None:
                continue
            answer = await bench.read(case, first)
            counts = table[kind]
            counts["documents"] += 1
            if answer is None:
                counts["no record"] += 1
                continue
            calls = len(answer["provenance"]["attempts"])
            counts["calls"] += calls
            counts["noticed"] += calls > 1
            counts["restored"] += answer["data"] == case.gold
            if calls > 1 and answer["data"] != case.gold:
                lost.append(f"{case.id} {kind} {first.changed} {first.rows}")
            if kind == "invented" and calls > 1:
                ratios[case.schema].append(tokens(answer) / tokens(right))
    show("repair", table)
    print("  tokens with one invented value, of those with none")
    for schema, some in sorted(ratios.items()):
        print(f"    {schema:28} {len(some):3} documents, mean {mean(some):.2f}, most {max(some):.2f}")
    every = mean(mean(some) for some in ratios.values())
    print(f"    {len(ratios)} schemas: mean {every:.2f}")
    print(f"  more than one call for a right record: {again[:20]}\n  not restored: {lost[:20]}")
    faults = [table[kind] for kind in KINDS]
    assert sum(one["restored"] for one in faults) >= 0.95 * sum(one["noticed"] for one in faults) > 0
    assert table["nothing"]["one call"] >= 0.97 * table["nothing"]["documents"]
    assert every <= 1.3
