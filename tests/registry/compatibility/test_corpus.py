"""Real schemas and changes to them: no verdict is refuted by a record, none raises, none takes long."""

import copy
import random
import time
from collections import Counter
from typing import Any

import jsonschema_rs
import pytest
from registry.compatibility.mutants import CORPUS, FULL, chain, closed, corpus, mutated, shaken

from service.registry.compatibility import NO_WITNESS, NotProjectable, check
from service.registry.compatibility.judge import Judge
from service.registry.compatibility.projection import Projection
from service.registry.compatibility.witness import Maker
from service.registry.compatibility.words import Source
from service.strict import SchemaRefused, guess_draft

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not CORPUS.is_dir(), reason="the schemas are not beside this checkout"),
]


@pytest.mark.figures
def test_no_record_refutes_a_verdict() -> None:
    """Where STRICT says compatible, no instance is valid for the writer and not for the reader; where RECORDS does, every one is projected."""
    counts: Counter[str] = Counter()
    slowest, refuted = 0.0, []
    for row in corpus(one_in=150):
        chance = random.Random(row["id"])
        try:
            first = mutated(row["schema"], chance) if chance.random() < 0.5 else row["schema"]
            pair = first, mutated(first, chance)
            old, new = pair if chance.random() < 0.5 else pair[::-1]
            writer, reader = Source(old, 0), Source(new, 1)
            judges = Judge(old, guess_draft(old), formats=True), Judge(new, guess_draft(new), formats=True)
            made = Maker(
                writer, reader
            )  # which goes where no check need go, and may find a reference that leads nowhere
        except (SchemaRefused, ValueError, jsonschema_rs.ValidationError):
            counts["no schema"] += 1
            continue
        candidates = [*row["valid"], *made.records(2000 if FULL else 100)]
        candidates += [shaken(record, chance) for record in candidates]
        written = [record for record in candidates if judges[0].accepts(record)]
        projection = Projection(old, new)
        for policy in ("STRICT", "RECORDS"):
            started = time.monotonic()
            report = check(new, [old], level="BACKWARD", policy=policy)
            slowest = max(slowest, time.monotonic() - started)
            counts[f"{policy} {'compatible' if report.compatible else report.differences[0].severity}"] += 1
            for one in report.differences:
                counts[f"{policy} witnesses"] += one.witness is not NO_WITNESS
            if not report.compatible:
                continue
            for record in written:
                try:
                    if policy == "RECORDS":
                        projection.apply(record)
                    elif not _strictly(judges[1], record, new):
                        raise NotProjectable("")
                except NotProjectable:
                    refuted.append((policy, row["id"], old, new, record))
                    break
    print(
        f"\ncompatibility of real schemas with mutants, slowest {slowest:.2f} s: {dict(sorted(counts.items()))}"
    )
    assert refuted == []


def _strictly(reader: Judge, record: object, new: object) -> bool:
    # STRICT takes a new required property with a default as present, and does not look at formats.
    return reader.accepts(record) or Judge(_supplied(new), guess_draft(new), formats=False).accepts(record)


def _supplied(schema: Any) -> Any:
    """The schema without requiring what has a default."""
    schema = copy.deepcopy(schema)
    stack = [schema]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack += node
        elif isinstance(node, dict):
            stack += node.values()
            properties, required = node.get("properties"), node.get("required")
            if isinstance(properties, dict) and isinstance(required, list):
                node["required"] = [
                    name for name in required if "default" not in _described(schema, properties.get(name))
                ]
                if not node["required"]:
                    del node["required"]  # draft 4 wants one at least
    return schema


def _described(schema: Any, node: Any) -> Any:
    """What is said of a property, behind a reference to a definition as well."""
    if not isinstance(node, dict):
        return ()
    _, _, name = str(node.get("$ref", "")).rpartition("/")
    for definitions in ("definitions", "$defs"):
        node = {**schema.get(definitions, {}).get(name, {}), **node}
    return node


def test_chains_of_real_schemas_follow_the_table() -> None:
    """Ten schemas and more, each changed step by step: every step gets the verdict of the RECORDS table."""
    steps = chains = 0
    wrong = []
    for row in corpus(one_in=40):
        schema = closed(row["schema"]) if isinstance(row["schema"], dict) else None
        if schema is None:
            continue
        if len(str(schema)) > 6000 and not FULL:
            continue
        chains += 1
        if chains > 10 and not FULL:
            break
        for step, old, new, backward, forward in chain(schema):
            one = check(new, [old], level="BACKWARD", policy="RECORDS")
            other = check(new, [old], level="FORWARD", policy="RECORDS")
            steps += 1
            if (one.compatible, other.compatible) != (backward, forward):
                wrong.append((row["id"], step, one, other))
    assert wrong == []
    assert chains >= 10
    assert steps >= 90
