"""Real schemas with real instances: how many compile, how many instances survive, how tight the strict form is.

A sample by hash of the record's id; ``WINNOW_CORPUS=full`` runs all. The judge of acceptance is an outside oracle.
"""

import gzip
import hashlib
import importlib.util
import json
import os
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema_rs
import pytest

from service.strict import Compiled, SchemaRefused, check, compile

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
FULL = os.environ.get("WINNOW_CORPUS") == "full"
ONE_IN = 1 if FULL else 12
SAMPLES = 3
SYNTHETIC = {"suite", "jsb:Handwritten", "jsb:Synthesized"}
VALIDATORS = {
    "4": jsonschema_rs.Draft4Validator,
    "6": jsonschema_rs.Draft6Validator,
    "7": jsonschema_rs.Draft7Validator,
    "2019-09": jsonschema_rs.Draft201909Validator,
    "2020-12": jsonschema_rs.Draft202012Validator,
}

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not (SHARED / "schemas-corpus").is_dir(), reason="../shared absent"),
]


def records() -> Iterator[dict[str, Any]]:
    """The records of the sample."""
    for path in sorted((SHARED / "schemas-corpus").glob("*.jsonl.gz")):
        with gzip.open(path, "rt") as lines:
            for line in lines:
                record = json.loads(line)
                if int(hashlib.sha256(record["id"].encode()).hexdigest(), 16) % ONE_IN == 0:
                    yield record


def tool(name: str) -> ModuleType:
    """One of the measuring tools beside the corpus."""
    spec = importlib.util.spec_from_file_location(name, SHARED / "tools" / "strict" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class Score:
    """Counts over one stratum, and the records that failed."""

    records: int = 0
    accepted: int = 0
    with_valid: int = 0
    lossless: int = 0
    tightness: list[float] = field(default_factory=list)
    sampled: int = 0
    sound: int = 0
    failed: list[str] = field(default_factory=list)

    def share(self, count: int, of: int) -> float:
        """A percentage."""
        return 100 * count / max(1, of)


@pytest.fixture(scope="module")
def scores() -> dict[str, Score]:
    """The scores of real-world and of synthetic records."""
    found = {"real": Score(), "synthetic": Score()}
    oracle, generator = tool("strict_oracle"), tool("gen_instances")
    for record in records():
        score = found["synthetic" if record["source"] in SYNTHETIC else "real"]
        try:
            compiled = compile(
                record["schema"], draft=record["draft"], externals=record.get("externals") or {}
            )
        except SchemaRefused:
            if not record.get("flags") and record["valid"]:
                score.records += 1
                score.failed.append(record["id"])
            continue
        _judge(score, record, compiled, oracle, generator)
    return found


def _judge(score: Score, record: dict[str, Any], compiled: Compiled, oracle: Any, generator: Any) -> None:
    score.records += 1
    accepted = not oracle.check(compiled.strict, "documented")
    assert check(compiled.strict) == []
    score.accepted += accepted
    strict = jsonschema_rs.Draft202012Validator(compiled.strict)
    if record["valid"]:
        score.with_valid += 1
        lossless = accepted and all(_survives(compiled, strict, instance) for instance in record["valid"])
        score.lossless += lossless
        if not lossless:
            score.failed.append(record["id"])
    if record["invalid"]:
        refused = [not strict.is_valid(compiled.encode(instance)) for instance in record["invalid"]]
        score.tightness.append(sum(refused) / len(refused))
    original = _original(record) if record["valid"] else None
    if original is not None:
        verdicts = [
            original.is_valid(compiled.decode(value))
            for value in _random_values(compiled.strict, strict, generator, record["id"])
        ]
        score.sampled += bool(verdicts)
        score.sound += bool(verdicts) and all(verdicts)


def _survives(compiled: Compiled, strict: Any, instance: Any) -> bool:
    value = compiled.encode(instance)
    return bool(strict.is_valid(value)) and compiled.decode(value) == instance


def _original(record: dict[str, Any]) -> Any:
    externals = record.get("externals") or {}

    def retrieve(uri: str) -> Any:
        return externals[uri] if uri in externals else externals[uri.partition("#")[0]]

    schema = record["schema"]
    if isinstance(schema, dict):
        schema = {word: value for word, value in schema.items() if word != "$schema"}
    try:
        return VALIDATORS[record["draft"]](schema, validate_formats=False, retriever=retrieve)
    except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError):
        return None


def _random_values(schema: Any, strict: Any, generator: Any, seed: str) -> Iterator[Any]:
    chance = random.Random(seed)
    left = SAMPLES
    for attempt in range(4 * SAMPLES):
        if not left:
            return
        try:
            value = generator.Gen(schema, chance, attempt % 2 == 0).gen(schema)
        except Exception:  # noqa: BLE001, S112 - the generator gives up in many ways; the next attempt may do
            continue
        if strict.is_valid(value):
            left -= 1
            yield value


def test_acceptance(scores: dict[str, Score]) -> None:
    """The provider would accept at least 99 % of real-world schemas."""
    score = scores["real"]
    assert score.records > (4_500 if FULL else 300)
    assert score.share(score.accepted, score.records) >= 99.0, score.failed


def test_losslessness(scores: dict[str, Score]) -> None:
    """All instances survive for at least 98.5 % of real-world schemas, and 90 % of synthetic ones."""
    real, synthetic = scores["real"], scores["synthetic"]
    assert real.share(real.lossless, real.with_valid) >= 98.5, real.failed
    assert synthetic.share(synthetic.lossless, synthetic.with_valid) >= 90.0, synthetic.failed


def test_tightness(scores: dict[str, Score]) -> None:
    """The strict form itself excludes at least 93 % of known-invalid instances."""
    tightness = scores["real"].tightness
    assert 100 * sum(tightness) / len(tightness) >= 93.0


def test_soundness(scores: dict[str, Score]) -> None:
    """For at least 75 % of schemas, random strict values all decode to valid instances."""
    score = scores["real"]
    assert score.share(score.sampled, score.with_valid) >= 95.0
    assert score.share(score.sound, score.sampled) >= 75.0


def test_check_agrees_with_the_oracle() -> None:
    """On schemas as their authors wrote them, ours and the outside judge agree on which would be refused."""
    oracle = tool("strict_oracle")
    for record in records():
        for profile in ("documented", "observed"):
            if isinstance(record["schema"], dict):
                theirs = [found.message for found in oracle.check(record["schema"], profile)]
                ours = check(record["schema"], profile=profile)
                assert bool(ours) == bool(theirs), (record["id"], profile, theirs[:3], ours[:3])
