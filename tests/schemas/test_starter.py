"""The starter schemas: complete, well described, and each with a sample that says what its expected record says."""

import email
import email.policy
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pypdfium2
import pytest
from jsonschema import Draft202012Validator
from selectolax.lexbor import LexborHTMLParser

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
NAMES = [
    "bank_statement",
    "contract_summary",
    "delivery_note",
    "event_announcement",
    "invoice",
    "medical_lab_report",
    "purchase_order",
    "receipt",
    "resume",
    "support_ticket",
]

# Enums that cover every case by construction and so need no "other".
CLOSED_ENUMS = {("support_ticket", "priority")}

# Values that a reader concludes: pointers in which * stands for any index, and why they are not in the text.
CONCLUDED = {
    ("support_ticket", "/language"): "the language is recognised, not printed",
}

# Rules that one changed value of the sample cannot break, and why.
UNTRIED = {
    ("invoice", "percentage"): "the sample prints no taxable amount",
    ("contract_summary", "order"): "the sample prints no end date",
    ("delivery_note", "unique"): "another number is another number, not one that repeats",
}

COUNTRIES = {"CA": "Canada", "DE": "Deutschland", "GB": "United Kingdom"}
CURRENCIES = {"CAD": "(CAD)", "EUR": "EUR", "USD": "$"}


def _load(name: str, file: str) -> Any:
    return json.loads((SCHEMAS / name / file).read_text(encoding="utf-8"))


def _sample(name: str) -> Path:
    (path,) = (SCHEMAS / name).glob("sample.*")
    return path


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("starter_generate", SCHEMAS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up while it is being executed
    spec.loader.exec_module(module)
    return module


# --------------------------------------------------------------------------------- the text of a sample
def _text_of_pdf(path: Path) -> str:
    with pypdfium2.PdfDocument(path) as document:
        pages = []
        for page in document:
            text = page.get_textpage()
            pages.append(text.get_text_bounded())
            text.close()
            page.close()
    return "\n".join(pages)


def _text_of_html(path: Path) -> str:
    tree = LexborHTMLParser(path.read_text(encoding="utf-8"))
    assert tree.body is not None
    return tree.body.text(separator="\n")


def _text_of_email(path: Path) -> str:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    sent = message["Date"].datetime
    parts = [f"{message['From']}\n{message['Subject']}\n{sent.isoformat()}\n"]
    for part in message.walk():
        parts.append(part.get_filename() or "")
        if part.get_content_maintype() == "text":
            parts.append(part.get_content())
    return "\n".join(parts)


def _text_of_plain(path: Path) -> str:
    return path.read_text(encoding="utf-8")


READERS = {
    ".pdf": _text_of_pdf,
    ".html": _text_of_html,
    ".eml": _text_of_email,
    ".csv": _text_of_plain,
    ".txt": _text_of_plain,
}


# ------------------------------------------------------------------------- values as a document prints them
def _squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text).casefold()


def _numbers(text: str) -> set[float]:
    """Every number of the text, read with a decimal point and with a decimal comma."""
    found = {0.0} if re.search(r"\bfree\b", text) else set()
    for token in re.findall(r"\d[\d.,]*", text):
        token = token.strip(".,")
        for thousands, decimal in ((",", "."), (".", ",")):
            plain = token.replace(thousands, "").replace(decimal, ".")
            if plain.count(".") <= 1:
                found.add(float(plain))
    return found


def _prints_date(text: str, day: date) -> bool:
    month = f"{day:%B}"
    forms = [
        f"{day:%Y-%m-%d}",
        f"{day:%d.%m.%Y}",
        f"{day:%d-%m-%Y}",
        f"{day:%d/%m/%Y}",
        f"{day:%m/%d/%Y}",
    ]
    written = rf"\b(\d+-)?{day.day}(-\d+)? {month} {day.year}\b"
    return any(form in text for form in forms) or re.search(written, text) is not None


def _prints_time(text: str, clock: str) -> bool:
    moment = datetime.strptime(clock, "%H:%M")  # noqa: DTZ007 - a time of day has no zone
    return clock in text or f"{moment:%I:%M %p}".lstrip("0") in text


def _occurs(value: str | float, text: str) -> bool:
    """Whether the text prints the value, in whatever notation."""
    if not isinstance(value, str):
        return abs(value) in _numbers(text)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return _prints_date(text, date.fromisoformat(value))
    if re.fullmatch(r"\d{4}-\d\d", value):
        return f"{date.fromisoformat(value + '-01'):%B %Y}" in text
    if re.fullmatch(r"\d\d:\d\d", value):
        return _prints_time(text, value)
    printed = COUNTRIES.get(value) or CURRENCIES.get(value) or value
    return _squeeze(printed) in _squeeze(text)


# -------------------------------------------------------------------------------------- walks over schemas
def _subschemas(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema object below, with its path; values of enum and const are not schemas."""
    if not isinstance(schema, dict):
        return
    yield path, schema
    for keyword in ("properties", "$defs"):
        for name, child in schema.get(keyword, {}).items():
            yield from _subschemas(child, f"{path}/{keyword}/{name}")
    yield from _subschemas(schema.get("items"), f"{path}/items")
    for number, child in enumerate(schema.get("anyOf", [])):
        yield from _subschemas(child, f"{path}/anyOf/{number}")


def _choices(schema: dict[str, Any]) -> set[Any]:
    """Members of all enums and consts: what is chosen by judgement and need not be printed."""
    found: set[Any] = set()
    for _, child in _subschemas(schema):
        found.update(child.get("enum", []))
        if "const" in child:
            found.add(child["const"])
    return found


def _leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _leaves(child, f"{pointer}/{name}")
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _leaves(child, f"{pointer}/{number}")
    else:
        yield pointer, value


def _admits_null(schema: dict[str, Any]) -> bool:
    kinds = schema.get("type")
    return (isinstance(kinds, list) and "null" in kinds) or {"type": "null"} in schema.get("anyOf", [])


# ------------------------------------------------------------------------------------------------- the tests
def test_the_ten_folders_are_there() -> None:
    """Exactly ten schemas are shipped, one folder each."""
    assert sorted(path.parent.name for path in SCHEMAS.glob("*/schema.json")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_folder_is_complete(name: str) -> None:
    """A folder holds schema, instructions, one small sample and the expected record, rules or none, and nothing else."""
    files = {path.name for path in (SCHEMAS / name).iterdir()} - {"rules.json"}
    sample = _sample(name)
    assert files == {"schema.json", "instructions.md", "expected.json", sample.name}
    assert sample.suffix in READERS
    assert 0 < sample.stat().st_size < 60_000
    assert (SCHEMAS / name / "instructions.md").read_text(encoding="utf-8").count("\n- ") >= 2


def test_samples_cover_the_kinds_of_documents() -> None:
    """The samples are PDFs, HTML, mail, CSV and plain text."""
    assert {_sample(name).suffix for name in NAMES} == set(READERS)


@pytest.mark.parametrize("name", NAMES)
def test_schema_is_valid(name: str) -> None:
    """Each schema names draft 2020-12 and is valid against its metaschema."""
    schema = _load(name, "schema.json")
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"]
    assert schema["description"]
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", NAMES)
def test_expected_record_is_valid(name: str) -> None:
    """Each expected record validates with formats asserted."""
    validator = Draft202012Validator(
        _load(name, "schema.json"), format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    assert [error.json_path for error in validator.iter_errors(_load(name, "expected.json"))] == []


@pytest.mark.parametrize("name", NAMES)
def test_formats_used_are_really_checked(name: str) -> None:
    """Every format in the schemas has a checker installed, so asserting it means something."""
    used = {child["format"] for _, child in _subschemas(_load(name, "schema.json")) if "format" in child}
    assert used <= set(Draft202012Validator.FORMAT_CHECKER.checkers)


@pytest.mark.parametrize("name", NAMES)
def test_every_property_is_described(name: str) -> None:
    """Properties, items and definitions have a description; it says what null or absence means."""
    faults = []
    for path, schema in _subschemas(_load(name, "schema.json")):
        for part, child in schema.get("properties", {}).items():
            text = child.get("description", "")
            if len(text) < 8:
                faults.append(f"{path}/{part}: no description")
            if _admits_null(child) and "null" not in text:
                faults.append(f"{path}/{part}: does not say what null means")
            if part not in schema["required"] and "Leave out" not in text:
                faults.append(f"{path}/{part}: does not say when to leave it out")
        if "items" in schema and not schema["items"].get("description"):
            faults.append(f"{path}/items: no description")
        for part, child in schema.get("$defs", {}).items():
            if not child.get("description"):
                faults.append(f"{path}/$defs/{part}: no description")
    assert faults == []


@pytest.mark.parametrize("name", NAMES)
def test_objects_are_closed(name: str) -> None:
    """Every object lists its properties, forbids others, and requires only what it lists."""
    for path, schema in _subschemas(_load(name, "schema.json")):
        if schema.get("type") == "object":
            assert schema["additionalProperties"] is False, path
            assert set(schema["required"]) <= set(schema["properties"]), path


@pytest.mark.parametrize("name", NAMES)
def test_names_are_snake_case(name: str) -> None:
    """Property and definition names are those a backend engineer would type."""
    for _, schema in _subschemas(_load(name, "schema.json")):
        for part in (*schema.get("properties", {}), *schema.get("$defs", {})):
            assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", part), part


@pytest.mark.parametrize("name", NAMES)
def test_definitions_are_used(name: str) -> None:
    """No definition is left over and no reference leads nowhere."""
    schema = _load(name, "schema.json")
    used = {child["$ref"].removeprefix("#/$defs/") for _, child in _subschemas(schema) if "$ref" in child}
    assert used == set(schema.get("$defs", {}))


@pytest.mark.parametrize("name", NAMES)
def test_open_ended_enums_have_other(name: str) -> None:
    """An enum of things that the world may extend has the member "other"; levels and scales need none."""
    for path, schema in _subschemas(_load(name, "schema.json")):
        if "enum" in schema and (name, path.rpartition("/")[2]) not in CLOSED_ENUMS:
            assert "other" in schema["enum"], path


@pytest.mark.parametrize("name", NAMES)
def test_expected_values_stand_in_the_sample(name: str) -> None:
    """Every string and number of an expected record is printed in its sample, apart from judged choices."""
    text = READERS[_sample(name).suffix](_sample(name))
    choices = _choices(_load(name, "schema.json"))
    missing = [
        pointer
        for pointer, value in _leaves(_load(name, "expected.json"))
        if value is not None
        and not isinstance(value, bool)
        and value not in choices
        and (name, re.sub(r"/\d+", "/*", pointer)) not in CONCLUDED
        and not _occurs(value, text)
    ]
    assert missing == []


@pytest.mark.parametrize("name", NAMES)
def test_expected_members_follow_the_schema(name: str) -> None:
    """Members of an expected record stand in the order of the schema, which is the order a model writes."""
    schema = _load(name, "schema.json")
    assert list(_misplaced(_load(name, "expected.json"), schema, schema.get("$defs", {}))) == []


def _misplaced(value: Any, schema: dict[str, Any], defs: dict[str, Any], pointer: str = "") -> Iterator[str]:
    """Pointers of objects whose members are not in the order in which the schema lists them."""
    if "$ref" in schema:
        schema = defs[schema["$ref"].removeprefix("#/$defs/")]
    if "anyOf" in schema:
        alternatives = [
            defs[child["$ref"].removeprefix("#/$defs/")] for child in schema["anyOf"] if "$ref" in child
        ]
        schema = next((child for child in alternatives if set(value or ()) <= set(child["properties"])), {})
    if isinstance(value, dict):
        if list(value) != [part for part in schema["properties"] if part in value]:
            yield pointer
        for part, child in value.items():
            yield from _misplaced(child, schema["properties"][part], defs, f"{pointer}/{part}")
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _misplaced(child, schema["items"], defs, f"{pointer}/{number}")


@pytest.mark.parametrize("name", NAMES)
def test_dates_in_other_notations_are_refused(name: str) -> None:
    """A record that copies dates as printed instead of writing ISO 8601 is invalid."""
    text = (SCHEMAS / name / "expected.json").read_text(encoding="utf-8")
    copied, count = re.subn(r'"\d{4}-\d\d(-\d\d(T[^"]*)?)?"', '"03.11.2026"', text)
    assert count > 0
    validator = Draft202012Validator(
        _load(name, "schema.json"), format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    assert len(list(validator.iter_errors(json.loads(copied)))) == count


# ----------------------------------------------------------------------------------- the sums of the samples
def test_invoice_adds_up() -> None:
    """Quantities times prices make the lines, lines and tax make the total."""
    record = _load("invoice", "expected.json")
    _assert_lines_add_up(record)
    (tax,) = record["taxes"]
    assert tax["amount"] == pytest.approx(record["subtotal"] * tax["rate"] / 100, abs=0.005)
    assert record["total"] == pytest.approx(record["subtotal"] + tax["amount"])


def test_purchase_order_adds_up() -> None:
    """Lines, freight and tax make the total."""
    record = _load("purchase_order", "expected.json")
    _assert_lines_add_up(record)
    (tax,) = record["taxes"]
    net = record["subtotal"] + record["freight"]
    assert tax["amount"] == pytest.approx(net * tax["rate"] / 100, abs=0.005)
    assert record["total"] == pytest.approx(net + tax["amount"])


def _assert_lines_add_up(record: dict[str, Any]) -> None:
    for line in record["lines"]:
        assert line["amount"] == pytest.approx(line["quantity"] * line["unit_price"])
    assert record["subtotal"] == pytest.approx(sum(line["amount"] for line in record["lines"]))


def test_receipt_adds_up() -> None:
    """Items, tax and tip make the total, and the payments cover it."""
    record = _load("receipt", "expected.json")
    for item in record["items"]:
        assert item["amount"] == pytest.approx(item["quantity"] * (item["unit_price"] or item["amount"]))
    assert record["subtotal"] == pytest.approx(sum(item["amount"] for item in record["items"]))
    assert record["total"] == pytest.approx(record["subtotal"] + record["tax"] + record["tip"])
    assert record["total"] == pytest.approx(sum(payment["amount"] for payment in record["payments"]))


def test_bank_statement_adds_up() -> None:
    """Each balance follows from the one before, from opening to closing."""
    record = _load("bank_statement", "expected.json")
    balance = record["opening_balance"]
    for transaction in record["transactions"]:
        balance += transaction["amount"]
        assert transaction["balance"] == pytest.approx(balance)
    assert record["closing_balance"] == pytest.approx(balance)


def test_delivery_note_adds_up() -> None:
    """What was ordered is delivered or outstanding."""
    for line in _load("delivery_note", "expected.json")["lines"]:
        assert line["quantity_ordered"] == line["quantity_delivered"] + line["quantity_outstanding"]


def test_account_numbers_have_valid_checksums() -> None:
    """IBANs in the samples pass ISO 13616, so that checksum rules can be tried on them."""
    ibans = [
        value
        for name in NAMES
        for _, value in _leaves(_load(name, "expected.json"))
        if isinstance(value, str) and re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", value)
    ]
    assert len(ibans) >= 6
    for iban in ibans:
        assert int("".join(str(int(digit, 36)) for digit in iban[4:] + iban[:4])) % 97 == 1, iban


@pytest.mark.parametrize("name", [name for name in NAMES if (SCHEMAS / name / "rules.json").is_file()])
def test_the_expected_record_keeps_every_rule(name: str) -> None:
    """The rules hold on the sample; each with one of its numbers, dates or codes changed is broken."""
    from service.extraction.rules import broken
    from service.registry import parse_rules

    record = _load(name, "expected.json")
    rules = parse_rules(_load(name, "rules.json"), _load(name, "schema.json"))
    assert broken(rules, record) == []
    changed = {
        rule.kind
        for pointer, value in _leaves(record)
        if isinstance(value, int | float | str) and not isinstance(value, bool)
        for rule in rules
        if broken([rule], _with(record, pointer, _changed(value)))
    }
    assert changed == {rule.kind for rule in rules} - {kind for of, kind in UNTRIED if of == name}


def _changed(value: Any) -> Any:
    if isinstance(value, int | float):
        return value * 7 + 1000
    if re.fullmatch(r"\d{4}(-\d\d)*", value):
        return "2050" + value[4:]
    return value[:-1] + str((ord(value[-1]) + 1) % 10)


def _with(record: Any, pointer: str, value: Any) -> Any:
    """A copy of a record with another value at a place."""
    copy = json.loads(json.dumps(record))
    node, steps = copy, pointer.split("/")[1:]
    for step in steps[:-1]:
        node = node[int(step) if isinstance(node, list) else step]
    node[int(steps[-1]) if isinstance(node, list) else steps[-1]] = value
    return copy


# ------------------------------------------------------------------------------------------- the generator
def test_pdfs_are_what_the_generator_makes() -> None:
    """The committed PDFs are byte for byte what generate.py makes, and each PDF has its maker there."""
    generate = _generator()
    assert generate.differing() == []
    assert set(generate.SAMPLES) == {name for name in NAMES if _sample(name).suffix == ".pdf"}


def test_generator_check_passes_as_a_command() -> None:
    """``python schemas/generate.py --check`` ends with 0 on a clean checkout."""
    done = subprocess.run(
        [sys.executable, str(SCHEMAS / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_generator_check_names_a_stale_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing or changed PDF is reported by name."""
    generate = _generator()
    monkeypatch.setattr(generate, "HERE", tmp_path)
    for name in generate.SAMPLES:
        (tmp_path / name).mkdir()
    (tmp_path / "invoice" / "sample.pdf").write_bytes(b"%PDF-1.7 changed")
    (tmp_path / "delivery_note" / "sample.pdf").write_bytes(generate.render("delivery_note"))
    assert generate.differing() == sorted(set(generate.SAMPLES) - {"delivery_note"})
