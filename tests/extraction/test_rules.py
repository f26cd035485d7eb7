"""Which rules a record breaks, and what a rule says where the record says nothing."""

import random
import time
from typing import Any

import pytest

from service.extraction.checksums import holds
from service.extraction.rules import broken
from service.registry import parse_rules

ANY: dict[str, Any] = {}


def found(rule: dict[str, Any], record: Any) -> list[str]:
    return [finding.pointer for finding in broken(parse_rules([rule], ANY), record)]


SUM = {"rule": "sum", "of": "/lines/*/amount", "equals": "/sum"}
PRODUCT = {"rule": "product", "of": ["/lines/*/n", "/lines/*/price"], "equals": "/lines/*/amount"}
SHARE = {"rule": "percentage", "percent": "/rate", "of": "/net", "equals": "/tax"}
TOTAL = {"rule": "total", "plus": ["/net", "/tax"], "minus": ["/discount"], "equals": "/gross"}
RUNNING = {"rule": "running", "start": "/start", "of": "/rows/*/n", "equals": "/rows/*/balance"}
COUNT = {"rule": "count", "of": "/lines/*", "equals": "/count"}
EQUAL = {"rule": "equal", "left": "/a", "right": "/b"}
ORDER = {"rule": "order", "of": ["/a", "/b", "/c"]}
ALONG = {"rule": "order", "of": "/rows/*/day"}
NEEDS = {
    "rule": "requires",
    "when": {"field": "/tax", "at_least": 0.01},
    "then": {"field": "/id", "present": True},
}
CASES: list[tuple[str, dict[str, Any], Any, list[str]]] = [
    ("adds up", SUM, {"lines": [{"amount": 0.1}, {"amount": 0.2}], "sum": 0.3}, []),
    ("a cent is within", SUM, {"lines": [{"amount": 1}, {"amount": "2.00"}], "sum": 3.01}, []),
    ("two are not", SUM, {"lines": [{"amount": 1}, {"amount": 2}], "sum": 3.02}, ["/sum"]),
    ("exactly", SUM | {"tolerance": 0}, {"lines": [{"amount": 0.1}, {"amount": 0.2}], "sum": 0.3}, []),
    ("a share", SUM | {"tolerance": "1%"}, {"lines": [{"amount": 100}], "sum": 101}, []),
    ("more than it", SUM | {"tolerance": "1%"}, {"lines": [{"amount": 100}], "sum": 102}, ["/sum"]),
    ("nothing stated", SUM, {"lines": [{"amount": 1}], "sum": None}, []),
    ("an amount missing", SUM, {"lines": [{"amount": 1}, {"amount": None}], "sum": 3}, []),
    ("missing is zero", SUM | {"missing": "zero"}, {"lines": [{"amount": 1}, {}, {"amount": None}], "sum": 3}, ["/sum"]),
    ("no lines", SUM | {"missing": "zero"}, {"lines": [], "sum": 3}, []),
    ("lines left out", SUM, {"sum": 3}, []),
    ("lines of another shape", SUM, {"lines": "none", "sum": 3}, []),
    ("not a number", SUM, {"lines": [{"amount": "1,280.50"}], "sum": 3}, ["/lines/0/amount"]),
    ("true is no number", SUM, {"lines": [{"amount": True}], "sum": 1}, ["/lines/0/amount"]),
    ("huge numbers", SUM, {"lines": [{"amount": 10**40}, {"amount": 1e308}], "sum": 1}, ["/sum"]),
    ("long sums", SUM | {"tolerance": 0}, {"lines": [{"amount": 10**30}, {"amount": 0.01}], "sum": 10**30}, ["/sum"]),
    ("of each order", SUM | {"of": "/o/*/p/*", "equals": "/o/*/s"}, {"o": [{"p": [1], "s": 1}, {"p": [1, 1], "s": 3}]}, ["/o/1/s"]),
    ("of a map", SUM | {"of": "/o/*"}, {"o": {"a": 1, "b": 2}, "sum": 4}, ["/sum"]),
    ("each line", PRODUCT, {"lines": [{"n": 2, "price": 3.5, "amount": 7}, {"n": 2, "price": 3, "amount": 7}]}, ["/lines/1/amount"]),
    ("a factor missing", PRODUCT, {"lines": [{"n": None, "price": 3, "amount": 7}]}, []),
    ("a constant", {"rule": "product", "of": ["/a", 12], "equals": "/b"}, {"a": 2, "b": 25}, ["/b"]),
    ("nineteen per cent", SHARE, {"rate": 19, "net": 1076.05, "tax": 204.45}, []),
    ("seven per cent", SHARE, {"rate": 7, "net": 1076.05, "tax": 204.45}, ["/tax"]),
    ("no rate", SHARE, {"net": 1076.05, "tax": 204.45}, []),
    ("net and tax", TOTAL, {"net": 10, "tax": 2, "discount": 1, "gross": 11}, []),
    ("less than that", TOTAL, {"net": 10, "tax": 2, "discount": 1, "gross": 13}, ["/gross"]),
    ("no discount said", TOTAL, {"net": 10, "tax": 2, "gross": 13}, []),
    ("none is zero", TOTAL | {"missing": "zero"}, {"net": 10, "tax": 2, "gross": 13}, ["/gross"]),
    ("nothing to add", TOTAL | {"missing": "zero"}, {"discount": 2, "gross": 13}, []),
    ("balances", RUNNING, {"start": 10, "rows": [{"n": -3, "balance": 7}, {"n": 1, "balance": 8}]}, []),
    ("one slip", RUNNING, {"start": 10, "rows": [{"n": -3, "balance": 6}, {"n": 1, "balance": 7}]}, ["/rows/0/balance"]),
    ("over a gap", RUNNING, {"start": 10, "rows": [{"n": 1, "balance": None}, {"n": 1, "balance": 13}]}, ["/rows/1/balance"]),
    ("amount unknown", RUNNING, {"start": 10, "rows": [{"n": None, "balance": 5}, {"n": 1, "balance": 6}]}, []),
    ("no start", RUNNING, {"rows": [{"n": 1, "balance": 5}, {"n": 1, "balance": 7}]}, ["/rows/1/balance"]),
    ("counted", COUNT, {"lines": [{}, {}], "count": 2}, []),
    ("one dropped", COUNT, {"lines": [{}], "count": 2}, ["/count"]),
    ("an empty list", COUNT, {"lines": [], "count": 2}, ["/count"]),
    ("no list", COUNT, {"count": 2}, []),
    ("same number", EQUAL, {"a": 5, "b": "5.00"}, []),
    ("same text", EQUAL, {"a": " Acme  GmbH", "b": "ACME GmbH"}, []),
    ("another text", EQUAL, {"a": "Acme", "b": "Acme GmbH"}, ["/a"]),
    ("one of them", EQUAL, {"a": "Acme", "b": None}, []),
    ("lists", EQUAL, {"a": [1], "b": [2]}, ["/a"]),
    ("in order", ORDER, {"a": "2026-11-03", "b": "2026-11-03", "c": "2026-12-01"}, []),
    ("strictly", ORDER | {"strict": True}, {"a": "2026-11-03", "b": "2026-11-03"}, ["/b"]),
    ("backwards", ORDER, {"a": "2026-11-03", "b": None, "c": "2026-10-01"}, ["/c"]),
    ("as far as stated", ORDER | {"strict": False}, {"a": "2026-11-03", "b": "2026-11"}, []),
    ("years", ORDER, {"a": "2026", "b": "2025"}, ["/b"]),
    ("zones", ORDER, {"a": "2026-11-03T23:30:00-02:00", "b": "2026-11-04T01:00:00Z"}, ["/b"]),
    ("clocks", ORDER, {"a": "09:30", "b": "08:15"}, ["/b"]),
    ("numbers", ORDER, {"a": 2, "b": 10.5, "c": 10}, ["/c"]),
    ("not comparable", ORDER, {"a": "soon", "b": "2026-11-03"}, ["/a"]),
    ("of two kinds", ORDER, {"a": "2026-11-03", "b": 7}, ["/b"]),
    ("along a list", ALONG, {"rows": [{"day": "2026-01-02"}, {}, {"day": "2026-01-01"}]}, ["/rows/2/day"]),
    ("newest first", ALONG | {"direction": "descending"}, {"rows": [{"day": "2026-01-02"}, {"day": "2026-01-01"}]}, []),
    ("either way", ALONG | {"direction": "either"}, {"rows": [{"day": d} for d in ("2026-03-01", "2026-02-01", "2026-02-02", "2026-01-01")]}, ["/rows/2/day"]),
    ("needed and there", NEEDS, {"tax": 1, "id": "DE1"}, []),
    ("needed", NEEDS, {"tax": 1}, ["/id"]),
    ("not needed", NEEDS, {"tax": 0}, []),
    ("unknown", NEEDS, {"tax": None}, []),
    ("unreadable", NEEDS, {"tax": "much"}, []),
    ("checked", {"rule": "checksum", "of": "/i", "kind": "iban"}, {"i": "DE84 9987 0010 0428 8150 03"}, []),
    ("misread", {"rule": "checksum", "of": "/i", "kind": "iban"}, {"i": "DE84 9987 0010 0428 8150 08"}, ["/i"]),
    ("nothing to check", {"rule": "checksum", "of": "/i", "kind": "iban"}, {"i": None}, []),
    ("a flag", {"rule": "checksum", "of": "/i", "kind": "ean"}, {"i": True}, ["/i"]),
    ("a look ahead", {"rule": "pattern", "of": "/i", "pattern": "^(?!0)\\d+$"}, {"i": "017"}, ["/i"]),
    ("unlike", {"rule": "unique", "of": "/l/*/n"}, {"l": [{"n": 1}, {"n": True}, {"n": None}, {"n": None}]}, []),
    ("alike", {"rule": "unique", "of": "/l/*/n"}, {"l": [{"n": {"b": 1, "a": 2}}, {"n": {"a": 2, "b": 1}}]}, ["/l/1/n"]),
    ("where it applies", SUM | {"when": {"field": "/kind", "one_of": ["a", "b"]}}, {"kind": "b", "lines": [{"amount": 1}], "sum": 3}, ["/sum"]),
    ("where it does not", SUM | {"when": {"not": {"field": "/kind", "equals": "b"}}}, {"kind": "b", "lines": [{"amount": 1}], "sum": 3}, []),
    ("for this line", PRODUCT | {"when": {"field": "/lines/*/unit", "present": False}}, {"lines": [{"n": 1, "price": 2, "amount": 3, "unit": "h"}, {"n": 1, "price": 2, "amount": 3}]}, ["/lines/1/amount"]),
    ("both bounds", SUM | {"when": {"any": [{"field": "/n", "at_most": 1}, {"field": "/n", "at_least": 5, "at_most": 6}]}}, {"n": 6, "lines": [{"amount": 1}], "sum": 3}, ["/sum"]),
    ("not an object", SUM, [1, 2], []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "record", "pointers"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_cases(rule: dict[str, Any], record: Any, pointers: list[str]) -> None:
    """A finding stands where the rule is broken, and nowhere else."""
    assert found(rule, record) == pointers


def test_what_a_finding_says() -> None:
    """Kind, severity, the author's words or ours without the record's values, and every place that may be at fault."""
    record = {"lines": [{"amount": 77}], "sum": 3}
    (ours,) = broken(parse_rules([SUM], ANY), record)
    assert (ours.rule, ours.severity, ours.places) == ("sum", "error", ("/sum", "/lines"))
    assert ours.message == "is not the sum of /lines/*/amount"
    (theirs,) = broken(parse_rules([SUM | {"severity": "warning", "message": "check by hand"}], ANY), record)
    assert (theirs.severity, theirs.message) == ("warning", "check by hand")


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        ("bic", "ELBHDEHHXXX"), ("ean", "4006381333931"), ("ean", 4006381333931), ("ean", 96385074), ("eu_vat", "DE 136 695 976"),
        ("eu_vat", "BE0428759497"), ("eu_vat", "ATU13585627"), ("iban", "GB82 WEST 1234 5698 7654 32"), ("imei", "35-209900-176148-1"),
        ("isbn", "978-0-471-11709-4"), ("isin", "US0378331005"), ("issn", "0024-9319"), ("lei", "213800KUD8LAJWSQ9D15"),
        ("luhn", "4111 1111 1111 1111"), ("us_routing", "111000025"), ("vin", "1M8GDM9AXKP042788"),
    ],
)  # fmt: skip
def test_check_digits(kind: Any, good: str | int) -> None:
    """A known number passes; with any one digit changed it does not."""
    assert holds(kind, good)
    if kind == "bic":
        assert not holds(kind, "ELBH1EHH")
        return
    text = str(good)
    for index, sign in enumerate(text):
        if sign.isdigit():
            assert not holds(kind, f"{text[:index]}{(int(sign) + 1) % 10}{text[index + 1 :]}"), index
    assert not holds(kind, "")
    assert not holds(kind, "9" * 100)


def test_every_broken_sum_is_found() -> None:
    """Of four thousand invoices with one amount changed, swapped or dropped, none passes; untouched ones all do."""
    draw = random.Random(8)
    rules = parse_rules([SUM, PRODUCT, SHARE, TOTAL | {"missing": "zero"}], ANY)
    for _ in range(1_000):
        lines = []
        for _ in range(draw.randint(1, 12)):
            n, price = draw.randint(1, 20), draw.randint(1, 99_999)
            lines.append({"n": n, "price": price / 100, "amount": n * price / 100})
        net = round(sum(line["amount"] for line in lines), 2)
        tax = round(net * 0.19, 2)
        record = {
            "lines": lines,
            "sum": net,
            "net": net,
            "rate": 19,
            "tax": tax,
            "gross": round(net + tax, 2),
        }
        assert broken(rules, record) == []
        for change in range(4):
            other = {**record, "lines": [dict(line) for line in lines]}
            if change == 0:
                draw.choice(other["lines"])["amount"] += draw.choice((0.05, 10, -3))
            elif change == 1:
                other["gross"], other["net"] = other["net"], other["gross"]
            elif change == 2:
                other["lines"].pop(draw.randrange(len(lines)))
                if not other["lines"]:
                    continue
            else:
                other["tax"] = round(tax + draw.choice((-0.5, 0.5)), 2)
            assert broken(rules, other) != []


@pytest.mark.no_cover  # a bound on time: counting lines would triple it
def test_work_is_bounded() -> None:
    """Two unrelated lists of thousands multiply: the check gives up and says so."""
    rules = parse_rules([{"rule": "sum", "of": "/a/*", "equals": "/b/*"}], ANY)
    started = time.process_time()
    findings = broken(rules, {"a": [0] * 5000, "b": [0] * 5000})
    assert time.process_time() - started < 30
    assert [(finding.rule, finding.severity) for finding in findings] == [("sum", "warning")]
    assert (
        len(broken(parse_rules([{"rule": "checksum", "of": "/*", "kind": "iban"}], ANY), ["x"] * 500)) == 50
    )
