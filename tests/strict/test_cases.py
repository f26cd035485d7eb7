"""Case files: one folder per technique, one file per case (schema, instances, expected strict form or refusal)."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from service.strict import SchemaRefused, check, compile

CASES = Path(__file__).parent / "cases"
FILES = sorted(CASES.glob("*/*.json"))


def load(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """A case and the options it compiles with."""
    case = json.loads(path.read_text())
    return case, {
        name: case[name] for name in ("draft", "externals", "profile", "undeclared") if name in case
    }


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name != "refusals"], ids=named)
def test_case(path: Path) -> None:
    """A case compiles to its strict form, says its losses, and its instances survive the way there and back."""
    case, options = load(path)
    compiled = compile(case["schema"], **options)
    assert compiled.strict == case["strict"]
    assert json.dumps(compiled.strict) == json.dumps(case["strict"]), (
        "the order of properties is the order of output"
    )
    assert [[loss.pointer, loss.keyword] for loss in compiled.losses] == case["losses"]
    assert check(compiled.strict, profile=options.get("profile", "documented")) == []
    strict = jsonschema_rs.Draft202012Validator(compiled.strict)
    for instance in case.get("instances", []):
        value = compiled.encode(instance)
        assert strict.is_valid(value)
        assert compiled.decode(value) == instance
    for instance in case.get("invalid", []):
        assert not strict.is_valid(compiled.encode(instance))


@pytest.mark.parametrize("path", sorted((CASES / "refusals").glob("*.json")), ids=named)
def test_refusal(path: Path) -> None:
    """What cannot be compiled is refused with a pointer and a reason."""
    case, options = load(path)
    with pytest.raises(SchemaRefused) as caught:
        compile(case["schema"], **options)
    assert caught.value.pointer == case["refused"]["pointer"]
    assert caught.value.reason == case["refused"]["reason"]
    assert [(fault.pointer, fault.detail) for fault in caught.value.errors] == [
        (case["refused"]["pointer"], case["refused"]["reason"])
    ]
    assert caught.value.status == 422
    assert caught.value.code == "schema_refused"


def test_every_technique_has_cases() -> None:
    """The folders name the techniques, and none is empty."""
    folders = {path.name for path in CASES.iterdir() if path.is_dir()}
    assert folders == {path.parent.name for path in FILES}
    assert len(FILES) >= 60
