"""What a rule may say: read from JSON and held against the schema it is about."""

import json
import time
from typing import Any

import pytest

from service.registry import InvalidRules, parse_rules
from service.registry.kinds import places_of
from service.registry.rules import KINDS, MAX_RULES

NUMBER = {"type": ["number", "null"]}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "subtotal": NUMBER,
        "tax": {"$ref": "#/$defs/money"},
        "total": {"anyOf": [{"$ref": "#/$defs/money"}, {"type": "null"}]},
        "as_text": {"type": "string"},
        "issued": {"type": "string", "format": "date"},
        "due": {"type": "string", "format": "date"},
        "paid": {"type": "boolean"},
        "iban": {"type": "string"},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "quantity": NUMBER,
                    "price": NUMBER,
                    "amount": NUMBER,
                    "parts": {"type": "array", "items": {"type": "object", "properties": {"cost": NUMBER}}},
                },
            },
        },
        "rates": {"type": "object", "additionalProperties": {"type": "number"}},
        "odd/name": {"type": "number"},
        "free": {},
        "rows": {
            "type": "array",
            "items": {"type": "object", "properties": {"n": NUMBER, "balance": NUMBER}},
        },
    },
    "$defs": {"money": {"type": "number"}},
}
GOOD: list[dict[str, Any]] = [
    {"rule": "sum", "of": "/lines/*/amount", "equals": "/subtotal", "tolerance": "0.01"},
    {"rule": "sum", "of": "/rates/*", "equals": 1, "tolerance": "1%", "missing": "zero"},
    {"rule": "sum", "of": "/lines/*/parts/*/cost", "equals": "/lines/*/amount"},
    {"rule": "sum", "of": "/lines/*/parts/*/cost", "equals": "/subtotal"},
    {"rule": "product", "of": ["/lines/*/quantity", "/lines/*/price"], "equals": "/lines/*/amount"},
    {"rule": "percentage", "percent": "19", "of": "/subtotal", "equals": "/tax", "severity": "warning"},
    {"rule": "total", "plus": ["/subtotal", "/tax"], "minus": ["/odd~1name"], "equals": "/total"},
    {"rule": "running", "start": "/subtotal", "of": "/rows/*/n", "equals": "/rows/*/balance"},
    {"rule": "count", "of": "/lines/*", "equals": "/free/anything"},
    {"rule": "equal", "left": "/total", "right": "/subtotal", "when": {"field": "/tax", "equals": 0}},
    {"rule": "order", "of": ["/issued", "/due"], "message": "due before it was issued"},
    {"rule": "order", "of": "/lines/*/amount", "direction": "either", "strict": True},
    {
        "rule": "requires",
        "when": {"all": [{"field": "/tax", "at_least": "0.01"}, {"not": {"field": "/paid", "equals": True}}]},
        "then": {"any": [{"field": "/iban", "present": True}, {"field": "/as_text", "one_of": ["x", "y"]}]},
    },
    {"rule": "checksum", "of": "/iban", "kind": "iban"},
    {"rule": "pattern", "of": "/as_text", "pattern": "^(?!x)[a-z]+$"},
    {"rule": "unique", "of": "/lines/*/price"},
]


@pytest.mark.parametrize("rule", GOOD, ids=lambda rule: rule["rule"])
def test_rules_that_fit(rule: dict[str, Any]) -> None:
    """A rule keeps its source, and every place that it names."""
    (read,) = parse_rules([rule], SCHEMA)
    assert read.kind == rule["rule"]
    assert read.source == rule
    written = json.dumps(rule)
    assert all(f'"{place}"' in written for _, place in places_of(read))


def test_every_kind_is_tried() -> None:
    """The cases above name each kind once at least."""
    assert {rule["rule"] for rule in GOOD} == set(KINDS)


BAD: list[tuple[str, Any, str]] = [
    ("not a list", {}, ""),
    ("too many", [{}] * (MAX_RULES + 1), ""),
    ("not an object", ["sum"], "/0"),
    ("no kind", [{"of": "/lines"}], "/0/rule"),
    ("unknown kind", [{"rule": "total_of"}], "/0/rule"),
    ("unhashable kind", [{"rule": []}], "/0/rule"),
    ("member missing", [{"rule": "sum", "of": "/lines/*/amount"}], "/0/equals"),
    ("member unknown", [{**GOOD[0], "equal": "/tax"}], "/0/equal"),
    ("no such member", [{**GOOD[0], "equals": "/subtotl"}], "/0/equals"),
    ("no such item", [{**GOOD[0], "of": "/lines/*/amout"}], "/0/of"),
    ("not a list there", [{**GOOD[0], "of": "/tax/*"}], "/0/of"),
    ("wrong type", [{**GOOD[0], "equals": "/paid"}], "/0/equals"),
    ("a list is no number", [{**GOOD[0], "equals": "/lines"}], "/0/equals"),
    ("no star", [{**GOOD[0], "of": "/subtotal"}], "/0/of"),
    ("no star of its own", [{"rule": "sum", "of": "/lines/*/amount", "equals": "/lines/*/price"}], "/0/of"),
    ("stars of two lists", [{"rule": "product", "of": ["/lines/*/price"], "equals": "/rows/*/n"}], "/0"),
    ("not a pointer", [{**GOOD[0], "of": "lines"}], "/0/of"),
    ("endless pointer", [{**GOOD[0], "of": "/a" * 5000}], "/0/of"),
    ("pointer of a type", [{**GOOD[0], "of": 5}], "/0/of"),
    ("tolerance below zero", [{**GOOD[0], "tolerance": -1}], "/0/tolerance"),
    ("tolerance without end", [{**GOOD[0], "tolerance": "1e999999999"}], "/0/tolerance"),
    ("tolerance that is none", [{**GOOD[0], "tolerance": "NaN"}], "/0/tolerance"),
    ("missing", [{**GOOD[0], "missing": "nil"}], "/0/missing"),
    ("severity", [{**GOOD[0], "severity": "fatal"}], "/0/severity"),
    ("empty message", [{**GOOD[0], "message": ""}], "/0/message"),
    ("no operands", [{"rule": "product", "of": [], "equals": "/tax"}], "/0/of"),
    ("operand of a type", [{"rule": "product", "of": ["/tax", True], "equals": "/tax"}], "/0/of/1"),
    ("operand nowhere", [{"rule": "total", "plus": ["/tax", "/taxx"], "equals": "/tax"}], "/0/plus/1"),
    ("balance elsewhere", [{"rule": "running", "of": "/rows/*/n", "equals": "/lines/*/price"}], "/0/equals"),
    ("start inside", [{**GOOD[7], "start": "/rows/*/n"}], "/0/start"),
    ("one place in order", [{"rule": "order", "of": ["/due"]}], "/0/of"),
    ("order of a flag", [{"rule": "order", "of": ["/due", "/paid"]}], "/0/of/1"),
    ("requires nothing", [{"rule": "requires", "then": {"field": "/tax", "present": True}}], "/0/when"),
    ("empty condition", [{"rule": "requires", "when": {}, "then": {}}], "/0/when"),
    ("condition without a test", [{**GOOD[0], "when": {"field": "/tax"}}], "/0/when"),
    ("unknown condition", [{**GOOD[0], "when": {"none": []}}], "/0/when"),
    ("condition on nothing", [{**GOOD[0], "when": {"not": {"field": "/taxx", "present": True}}}], "/0/when/not/field"),
    ("bound of a type", [{**GOOD[0], "when": {"field": "/tax", "at_least": []}}], "/0/when"),
    ("checksum of a kind", [{"rule": "checksum", "of": "/iban", "kind": "ibn"}], "/0/kind"),
    ("checksum of a flag", [{"rule": "checksum", "of": "/paid", "kind": "iban"}], "/0/of"),
    ("pattern that is none", [{"rule": "pattern", "of": "/as_text", "pattern": "("}], "/0/pattern"),
    ("pattern on a number", [{"rule": "pattern", "of": "/tax", "pattern": "1"}], "/0/of"),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "pointer"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_rules_that_do_not_fit(rules: Any, pointer: str) -> None:
    """Each fault is named at its place, below where the rules stand."""
    with pytest.raises(InvalidRules) as refused:
        parse_rules(rules, SCHEMA, pointer="/rules")
    assert f"/rules{pointer}" in [fault.pointer for fault in refused.value.errors], refused.value.errors


def test_all_faults_come_at_once() -> None:
    """An author sees everything that is wrong, up to fifty places."""
    with pytest.raises(InvalidRules) as refused:
        parse_rules([{"rule": "sum", "of": "/no", "equals": "/nothing"}] * 40, SCHEMA)
    assert len(refused.value.errors) == 50


def test_recursive_and_wide_schemas_end() -> None:
    """A schema that refers to itself, and one with thousands of alternatives, are looked up in bounded time."""
    tree: Any = {"properties": {"n": NUMBER, "children": {"type": "array", "items": {"$ref": "#"}}}}
    parse_rules([{"rule": "sum", "of": "/children/*/children/*/n", "equals": "/n"}], tree)
    wide: Any = {
        "$defs": {f"a{i}": {"anyOf": [{"$ref": f"#/$defs/a{j}"} for j in range(200)]} for i in range(200)}
    }
    wide["anyOf"] = [{"$ref": "#/$defs/a0"}]
    started = time.process_time()
    parse_rules([{"rule": "order", "of": ["/a/b/c", "/d/e/f"]}] * 20, wide)
    assert time.process_time() - started < 10
    itself: Any = {"$ref": "#"}
    with pytest.raises(InvalidRules):
        parse_rules([{"rule": "order", "of": ["/a", "/b"]}], itself)
