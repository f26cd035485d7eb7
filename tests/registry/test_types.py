"""Schemas in the words of 2020-12, and types of their records: nothing valid is refused, nothing in a schema is code."""

import ast
import builtins
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from conftest import SHARED

from service.registry.modern import modern
from service.registry.types import python_types, typescript_types
from service.strict import SchemaRefused, compile, guess_draft

STARTERS = sorted((Path(__file__).parents[2] / "schemas").glob("*/schema.json"))
VENVS = Path(os.environ.get("WINNOW_CI_VENVS", "/nonexistent"))
TSC = VENVS / "npm-client" / "node_modules" / ".bin" / "tsc"
FULL = os.environ.get("WINNOW_CORPUS") == "full"
VALIDATORS = {
    "4": jsonschema_rs.Draft4Validator,
    "6": jsonschema_rs.Draft6Validator,
    "7": jsonschema_rs.Draft7Validator,
    "2019-09": jsonschema_rs.Draft201909Validator,
    "2020-12": jsonschema_rs.Draft202012Validator,
}
EVIL = [
    'quotes """ and \'\'\' and " at the end"',
    "*/ export const evil = 1; /*",
    "a backslash at the end \\",
    '\\"""\nimport os\nos._exit(3)\n"""',
    "line one\r\nline two\rline three\u2028line four\x00\x1b[31m",
    "\u202eright to left\u202c {@link x} @ts-ignore",
    "@ts-expect-error",
    "{% raw %} ${process.exit(1)} `",
    "",
]
needs_corpus = pytest.mark.skipif(not (SHARED / "schemas-corpus").is_dir(), reason="../shared absent")
needs_tsc = pytest.mark.skipif(not TSC.exists(), reason="npm-client is made by .ci/run where there is node")


def records(one_in: int) -> Iterator[dict[str, Any]]:
    """A sample by hash of the corpus records that the registry would take as they are."""
    for path in sorted((SHARED / "schemas-corpus").glob("*.jsonl.gz")):
        with gzip.open(path, "rt") as lines:
            for line in lines:
                record = json.loads(line)
                chosen = int(hashlib.sha256(record["id"].encode()).hexdigest(), 16) % one_in == 0
                if chosen and _held(record):
                    yield record


def _held(record: dict[str, Any]) -> bool:
    if record.get("externals") or record.get("flags") or guess_draft(record["schema"]) != record["draft"]:
        return False
    try:
        compile(record["schema"])
    except SchemaRefused:
        return False
    return True


def same(one: Any, other: Any) -> bool:
    """Equality of JSON: `True` is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def loaded(schema: Any) -> types.ModuleType:
    """The module of a schema's models, imported."""
    return imported(python_types("thing", "A test.", modern(schema)))


def imported(text: str) -> types.ModuleType:
    """A module, imported from its text."""
    module = types.ModuleType(f"made_{len(sys.modules)}_{hashlib.sha256(text.encode()).hexdigest()[:12]}")
    sys.modules[module.__name__] = module
    exec(builtins.compile(text, module.__name__, "exec"), module.__dict__)  # noqa: S102 - what is tested
    return module


def read_and_written(schema: Any, value: Any) -> Any:
    model = loaded(schema).Thing
    return model.model_validate(value).model_dump(by_alias=True, exclude_unset=True, mode="json")


@needs_corpus
@pytest.mark.corpus
@pytest.mark.timeout(1800)
def test_modern_schemas_decide_as_the_originals() -> None:
    """In 2020-12 every valid instance of real schemas is valid, every invalid one is not, but behind dynamic references."""
    judged = 0
    for record in records(1 if FULL else 40):
        schema, draft = record["schema"], record["draft"]
        document = modern(schema).document
        VALIDATORS["2020-12"]({"$ref": "https://json-schema.org/draft/2020-12/schema"}).validate(document)
        judge = VALIDATORS["2020-12"](document)
        assert all(judge.is_valid(value) for value in record["valid"]), record["id"]
        judged += 1
        if any(
            word in json.dumps(schema)
            for word in ("$dynamicRef", "$recursiveRef", '"$ref": "https://json-schema.org/draft/20')
        ):
            continue
        wider = [value for value in record["invalid"] if judge.is_valid(value)]
        if draft == "4" and _has_whole_float(wider):  # 12.0 is an integer in every draft but 4
            wider = [value for value in wider if not VALIDATORS["6"](schema).is_valid(value)]
        assert wider == [], record["id"]
    assert judged > 100


def _has_whole_float(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_has_whole_float, value.values() if isinstance(value, dict) else value))
    return isinstance(value, float) and value.is_integer()


@needs_corpus
@pytest.mark.corpus
@pytest.mark.timeout(1800)
def test_valid_instances_survive_their_models() -> None:
    """Every valid instance of real schemas loads in the pydantic models and is written back equal."""
    judged = 0
    for record in records(1 if FULL else 90):
        model = loaded(record["schema"]).Thing
        for value in record["valid"]:
            back = model.model_validate(value).model_dump(by_alias=True, exclude_unset=True, mode="json")
            assert same(back, value), record["id"]
            judged += 1
    assert judged > 100


@needs_corpus
@needs_tsc
@pytest.mark.corpus
@pytest.mark.timeout(1800)
def test_valid_instances_are_of_their_typescript_types(tmp_path: Path) -> None:
    """`tsc --strict` takes the types of real schemas, and their valid instances as values of them."""
    for number, record in enumerate(records(1 if FULL else 150)):
        (tmp_path / f"s{number}.ts").write_text(
            typescript_types("thing", record["id"], modern(record["schema"]))
        )
        values = [
            f"export const v{at}: Thing = {json.dumps(value)};" for at, value in enumerate(record["valid"])
        ]
        (tmp_path / f"u{number}.ts").write_text(
            "\n".join([f"import type {{ Thing }} from './s{number}';", "export {};", *values])
        )
    run = subprocess.run(
        [TSC, "--strict", "--noEmit", "--target", "es2022", "--pretty", "false", *sorted(tmp_path.glob("*.ts"))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    # Members that a type does not name may be met in records, not in literals: the one fault that may be found here.
    faults = [fault for fault in re.split(r"\n(?=\S)", run.stdout.strip()) if ": error TS" in fault]
    assert [fault for fault in faults if "may only specify known properties" not in fault] == []
    assert run.returncode in (0, 2), run.stderr


@needs_tsc
def test_types_pass_tsc(tmp_path: Path) -> None:
    """Starter schemas and words that look like code pass `tsc --strict`; a record without a required member does not."""
    for number, words in enumerate(EVIL):
        schema = {
            "description": words,
            "type": "object",
            "properties": {words: {"description": words, "enum": [words, None]}},
            "required": [words],
        }
        (tmp_path / f"m{number}.ts").write_text(
            typescript_types("thing", words, modern(schema))
            + f"\nexport const fits: Thing = {{ {json.dumps(words)}: {json.dumps(words)} }};\n"
        )
    for path in STARTERS:
        text = typescript_types(path.parent.name, "A test.", modern(json.loads(path.read_text())))
        (tmp_path / f"{path.parent.name}.ts").write_text(text)
    (tmp_path / "wrong.ts").write_text(
        "import type { Invoice } from './invoice';\nexport const one: Invoice = { invoice_number: 1 };\n"
    )
    run = subprocess.run(
        [TSC, "--strict", "--noEmit", "--target", "es2022", "--pretty", "false", *sorted(tmp_path.glob("*.ts"))],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert {line.partition("(")[0] for line in run.stdout.splitlines() if "error TS" in line} == {"wrong.ts"}


@pytest.mark.skipif(not (VENVS / "venv-client").is_dir(), reason="venv-client is made by .ci/run")
@pytest.mark.timeout(280)
def test_starter_schemas_pass_mypy(tmp_path: Path) -> None:
    """The models of every starter schema pass mypy in its strict mode; a wrong use does not."""
    for path in STARTERS:
        text = python_types(path.parent.name, "A test.", modern(json.loads(path.read_text())))
        (tmp_path / f"{path.parent.name}.py").write_text(text)
    (tmp_path / "wrong.py").write_text(
        "from invoice import Invoice\n\n\ndef f(one: Invoice) -> int:\n    return one.seller\n"
    )
    run = subprocess.run(
        [VENVS / "venv-client" / "bin" / "mypy", "--strict", "--config-file=", "--cache-dir", tmp_path / "cache", *sorted(tmp_path.glob("*.py"))],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    faults = [line for line in run.stdout.splitlines() if ": error:" in line]
    assert len(faults) == 1, run.stdout + run.stderr
    assert faults[0].startswith("wrong.py:5: error: Incompatible return value")


@pytest.mark.parametrize("words", EVIL)
def test_words_of_customers_stay_words(words: str) -> None:
    """Titles, descriptions, names, values: whatever they hold, the module has the same statements, and nothing invisible."""

    def schema(text: str) -> Any:
        inner = {
            "type": "object",
            "title": text,
            "description": text,
            "properties": {text or "x": {"const": text}},
        }
        return {
            "title": text,
            "description": text,
            "type": "object",
            "properties": {"a": inner, f"b{text}": inner},
        }

    harmless = ast.parse(python_types("thing", "x", modern(schema("harmless"))))
    text = python_types("thing", "x", modern(schema(words)))
    tree = ast.parse(text)
    assert [type(node) for node in tree.body] == [type(node) for node in harmless.body]
    (thing,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Thing")
    if words.strip():
        said = (ast.get_docstring(thing, clean=False) or "").split()
        assert said == words.replace("\r", "\n").split()
    value = {"a": {words or "x": words}, f"b{words}": {}}
    assert same(read_and_written(schema(words), value), value)
    made = typescript_types("thing", "x", modern(schema(words)))
    for output in (text, made):
        assert all(char.isprintable() or char == "\n" for char in output)
    comments = [line for line in made.splitlines() if line.lstrip().startswith(("/**", "*"))]
    assert not any("@ts" in line.replace("\\@ts", "") for line in comments)
    outside = "".join(part.partition("*/")[2] for part in f"*/{made}".split("/**"))
    assert "evil" not in outside.replace(json.dumps(words)[1:-1], "")


NAMES = ["class", "None", "model_dump", "copy", "json", "_id", "__init__", "1st", "größe", "a-b", "a_b", "aB", "A B", "list",
         "Date", "self", "", "💶", "x" * 300, "schema", "str", "int", "field", "Field", "Thing", "Any", "model_config", "register", "long-term", "camelCase"]  # fmt: skip


def test_any_member_may_have_any_name() -> None:
    """Keywords, names of pydantic's own, equal ones once sanitised: each is a field of its own, under its own alias."""
    schema = {
        "type": "object",
        "properties": {name: {"type": ["integer", "object"], "properties": {"x": {}}} for name in NAMES},
        "required": NAMES,
    }
    value: dict[str, Any] = {name: number for number, name in enumerate(NAMES)}
    assert read_and_written(schema, value) == value
    model = loaded(schema).Thing
    assert len(model.model_fields) == len(NAMES)
    assert {
        name if field.alias is None else field.alias for name, field in model.model_fields.items()
    } == set(NAMES)


def test_undeclared_members_are_kept_under_their_own_names() -> None:
    """Also where one is called like the attribute that a declared one was given."""
    schema = {
        "type": "object",
        "properties": {"long-term": {"type": "integer"}, "class": {"type": "integer"}},
    }
    value = {"long_term": 1, "class": 2, "field": 3, "model_config": 4, "self": {}}
    assert same(read_and_written(schema, value), value)


CASES: list[tuple[Any, list[Any], str]] = [
    ({"type": "string", "format": "date-time"},
     ["2020-01-01T00:00:00Z", "2016-12-31T23:59:60Z", "2020-01-01t00:00:00.123456789+01:30"], "Moment"),
    ({"type": "string", "format": "uuid"}, ["2EB8AA08-AA98-11EA-B4AA-73B441D16380"], "Uuid"),
    ({"$schema": "http://json-schema.org/draft-07/schema#", "type": "string", "format": "uuid"}, ["no uuid"], "[str]"),
    ({"type": ["string", "null"], "format": "date"}, ["2020-02-29", None], "Date | None"),
    ({"enum": ["a", 1, None, True, 0, False]}, ["a", 1, None, True, 0, False], "bool"),
    ({"enum": ["a", "b"]}, ["a", "b"], "Literal['a', 'b']"),
    ({"type": "number"}, [5, 5.5, 2**70], "int | float"),
    ({"type": "object", "additionalProperties": {"type": "integer"}}, [{"a": 1}, {}], "dict[str, int]"),
    ({"type": "array", "items": [{"type": "string"}, {"type": "integer"}], "minItems": 2, "additionalItems": False},
     [["a", 1]], "tuple[str, int]"),
    ({"type": "array", "items": {"type": ["string", "null"]}}, [["a", None], []], "list[str | None]"),
    ({"$ref": "#/definitions/t", "definitions": {"t": {"type": "array", "items": {"$ref": "#/definitions/t"}}}},
     [[], [[], [[]]]], "list["),
    ({"type": "object", "properties": {"next": {"$ref": "#"}}}, [{"next": {"next": {}}}], "next: Thing | None = None"),
    ({"allOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"type": "object", "properties": {"b": {"type": "integer"}}}]},
     [{"a": "x", "b": 1, "c": [1]}], "b: int | None = None"),
    ({"type": "object", "properties": {"k": {"type": "string"}},
      "oneOf": [{"properties": {"k": {"const": "x"}, "n": {"type": "integer"}}}, {"properties": {"k": {"const": "y"}, "s": {"type": "string"}}}]},
     [{"k": "x", "n": 1}, {"k": "y", "s": "t"}], "Literal['x']"),
    (True, [1, None, {"a": []}], "Any"),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "values", "text"), CASES)
def test_types_say_what_schemas_say(schema: Any, values: list[Any], text: str) -> None:
    """Each form of a schema has its type, and values of it survive."""
    module = python_types("thing", "x", modern(schema))
    assert text in module
    for value in values:
        assert same(read_and_written(schema, value), value)


def test_dates_are_dates_to_programs() -> None:
    """A date-time is a `datetime`, a date a `date`, a UUID a `UUID`; those that a program made are written in standard form."""
    from datetime import UTC, date, datetime
    from uuid import UUID

    member = {"at": "date-time", "on": "date", "id": "uuid"}
    schema = {
        "type": "object",
        "properties": {name: {"type": "string", "format": kind} for name, kind in member.items()},
    }
    model = loaded(schema).Thing
    id = "2EB8AA08-AA98-11EA-B4AA-73B441D16380"
    read = model.model_validate({"at": "2020-01-01T10:00:00.50Z", "on": "2020-01-02", "id": id})
    assert read.at == datetime(2020, 1, 1, 10, 0, 0, 500000, UTC)
    assert (read.on, read.id) == (date(2020, 1, 2), UUID(id))
    made = model(at=datetime(2020, 1, 1, tzinfo=UTC), on=date(2020, 1, 2), id=UUID(id))
    assert json.loads(made.model_dump_json()) == {
        "at": "2020-01-01T00:00:00+00:00",
        "on": "2020-01-02",
        "id": id.lower(),
    }
