"""Documents with right records, their schemas, and what those add up to: the corpus, made documents, the starter schemas."""

import hashlib
import json
import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conftest import SHARED
from extraction.evidence import made
from extraction.evidence.oracles import Text, fields_of, leaves
from extraction.faulty.spoil import Donors, MadeUp

from service.documents import Box, Loader, Settings
from service.registry import SchemaName, SchemaVersion

CORPUS = SHARED / "documents"
STARTER = Path(__file__).parents[3] / "schemas"
FULL = os.environ.get("WINNOW_CORPUS") == "full"
SAMPLE = 20
"""One of so many documents of the corpus is read unless everything is asked for."""

LONG = 30_000
"""Characters above which a document is not in the sample."""

SEED = 4
"""The one seed of made documents that a sample takes: documents of a page."""

RULES: dict[str, list[dict[str, Any]]] = {
    "statement": [
        {"rule": "running", "start": "/opening_balance", "of": "/transactions/*/amount", "equals": "/transactions/*/balance", "tolerance": "0.01"},
        {"rule": "total", "plus": ["/opening_balance", "/transactions/*/amount"], "equals": "/closing_balance", "tolerance": "0.01"},
        {"rule": "order", "of": ["/period_start", "/period_end"]},
        {"rule": "checksum", "of": "/iban", "kind": "iban"},
    ],
    "invoice": [
        {"rule": "total", "plus": ["/net_total", "/tax_total"], "equals": "/gross_total", "tolerance": "0.02"},
        {"rule": "checksum", "of": "/iban", "kind": "iban"},
        {"rule": "order", "of": ["/issue_date", "/due_date"]},
    ],
    "invoice_basic": [
        {"rule": "total", "plus": ["/amount_untaxed", "/amount_tax"], "equals": "/amount", "tolerance": "0.02"},
        {"rule": "checksum", "of": "/iban", "kind": "iban"},
    ],
    "made_invoice": [
        {"rule": "product", "of": ["/lines/*/quantity", "/lines/*/unit_price"], "equals": "/lines/*/amount", "tolerance": "0.01"},
        {"rule": "sum", "of": "/lines/*/amount", "equals": "/net_total", "tolerance": "0.01"},
        {"rule": "total", "plus": ["/net_total", "/tax_total"], "equals": "/gross_total", "tolerance": "0.01"},
    ],
}  # fmt: skip
"""What the records of the corpus's schemas add up to. Where a right record does not, the document is left out of sums."""

TYPES = {
    ".pdf": "application/pdf",
    ".html": "text/html",
    ".eml": "message/rfc822",
    ".csv": "text/csv",
    ".txt": "text/plain",
}


@dataclass
class Case:
    """A document, its schema's name, and the record that is right. ``places``: where values are known to stand."""

    id: str
    kind: str
    """Row of the table: kind of document and of file, or script and kind of a made one."""
    schema: str
    media_type: str
    data: bytes = field(repr=False)
    gold: Any = field(repr=False)
    text: Text = field(repr=False)
    donors: Donors = field(repr=False)
    places: Mapping[str, tuple[int, Box | int]] = field(default_factory=dict, repr=False)
    """Page, and box or line in a plain text, by pointer."""
    name: str = "document"

    def draw(self, what: str) -> random.Random:
        """The same dice for the same document and purpose, on every machine."""
        return random.Random(f"{what} {self.id}")


@dataclass
class Suite:
    """The cases, and a folder of schemas for the service that reads them."""

    cases: list[Case]
    folder: Path
    versions: dict[str, SchemaVersion]

    def some(self) -> list[Case]:
        """Fewer of the made documents, where scripts make no difference; all with ``WINNOW_CORPUS=full``."""
        return [
            case
            for case in self.cases
            if FULL or not case.schema.startswith("made_") or case.id.startswith(("de-", "ja-i"))
        ]

    def version(self, case: Case) -> SchemaVersion:
        return self.versions[case.schema]


async def suite(folder: Path) -> Suite:
    """Everything that is measured: a sample by hash, or all of it. Writes the schemas into ``folder``."""
    made_cases, schemas = _made()
    cases = [*await _starter(), *made_cases]
    if CORPUS.exists():
        cases += await _corpus()
        schemas |= {
            _named(file): json.loads(file.read_text("utf-8")) for file in (CORPUS / "schemas").glob("*.json")
        }
    wanted = {case.schema for case in cases}
    versions = {}
    for name, schema in schemas.items():
        if name in wanted:
            place = folder / name
            place.mkdir(parents=True)
            rules = RULES.get(name.removeprefix("corpus_"), [])
            (place / "schema.json").write_text(json.dumps(schema), "utf-8")
            (place / "rules.json").write_text(json.dumps(rules), "utf-8")
            versions[name] = SchemaVersion(SchemaName(name), 1, schema, rules=tuple(rules))
    for place in STARTER.glob("*/schema.json"):
        rules_file = place.with_name("rules.json")
        versions[place.parent.name] = SchemaVersion(
            SchemaName(place.parent.name),
            1,
            json.loads(place.read_text("utf-8")),
            rules=tuple(json.loads(rules_file.read_text("utf-8"))) if rules_file.exists() else (),
        )
    return Suite(cases, folder, versions)


def _named(file: Path) -> str:
    return f"corpus_{file.stem}"


async def _starter() -> list[Case]:
    """The samples of the starter schemas. There is one for each: what is invented is made up."""
    found = []
    loader = Loader(Settings(workers=1))
    await loader.open()
    try:
        for sample in sorted(STARTER.glob("*/sample.*")):
            name, data, kind = sample.parent.name, sample.read_bytes(), TYPES[sample.suffix]
            gold = json.loads((sample.parent / "expected.json").read_text("utf-8"))
            text = Text(await loader.load(data, declared=kind, name=sample.name))
            schema = json.loads((sample.parent / "schema.json").read_text("utf-8"))
            donors = MadeUp(schema, gold)
            found.append(
                Case(f"starter-{name}", "starter", name, kind, data, gold, text, donors, name=sample.name)
            )
    finally:
        await loader.close()
    return found


def _made() -> tuple[list[Case], dict[str, Any]]:
    """Invoices and statements of each script, as plain text and, where the letters are Latin, as PDF."""
    sheets = {
        (name, kind, seed): (made.invoice if kind == "invoice" else made.statement)(script, seed)
        for name, script in made.SCRIPTS.items()
        for kind in ("invoice", "statement")
        for seed in (range(6) if FULL else (SEED,))
    }
    records: dict[str, list[Any]] = {}
    for (_, kind, _), sheet in sheets.items():
        records.setdefault(kind, []).append(sheet.record)
    donors = {kind: Donors(some) for kind, some in records.items()}
    schemas = {f"made_{kind}": _schema_of(some) for kind, some in records.items()}
    cases = []
    for (name, kind, seed), sheet in sheets.items():
        document, lines = made.text_of(sheet)
        plain = "\f".join(page.text for page in document.pages).encode()
        text = Text(document, (value for _, value in leaves(sheet.record)))
        about = (f"made_{kind}",)
        cases.append(
            Case(f"{name}-{kind}-{seed}-text", f"{name} {kind} text", *about, "text/plain; charset=utf-8", plain,
                 sheet.record, text, donors[kind], lines)
        )  # fmt: skip
        if sheet.script.latin:
            data, boxes = made.pdf_of(sheet)
            cases.append(
                Case(f"{name}-{kind}-{seed}-pdf", f"{name} {kind} pdf", *about, "application/pdf", data, sheet.record, text,
                     donors[kind], boxes)
            )  # fmt: skip
    return cases, schemas


def _schema_of(records: Sequence[Any]) -> dict[str, Any]:
    """A schema that these records follow, all members required."""
    first = records[0]
    if isinstance(first, dict):
        return {
            "type": "object",
            "properties": {name: _schema_of([one[name] for one in records]) for name in first},
            "required": list(first),
        }
    if isinstance(first, list):
        return {"type": "array", "items": _schema_of([item for one in records for item in one])}
    if isinstance(first, str):
        return {"type": "string"}
    return {"type": "integer" if all(isinstance(one, int) for one in records) else "number"}


async def _corpus() -> list[Case]:
    """Documents of the corpus that have text of their own."""
    rows = [json.loads(line) for line in (CORPUS / "manifest.jsonl").read_text("utf-8").splitlines()]
    rows = [
        row for row in rows if "/hostile/" not in row["file"] and not row["media_type"].startswith("image/")
    ]
    by_schema: dict[str, list[Any]] = {}
    for row in rows:
        by_schema.setdefault(row["schema"], []).append(row["expected"])
    donors = {schema: Donors(records) for schema, records in by_schema.items()}
    loader = Loader(Settings(workers=1))
    await loader.open()
    found = []
    try:
        for row in rows:
            if not FULL and hashlib.sha256(row["id"].encode()).digest()[1] % SAMPLE:
                continue
            file = CORPUS / row["file"]
            document = await loader.load(file.read_bytes(), declared=row["media_type"], name=file.name)
            if len(document.text) > LONG and not FULL:
                continue
            if any(page.text.strip() or page.words for page in document.pages):
                kind = f"{row['kind']} {row['media_type'].rpartition('/')[2].rpartition('.')[2]}"
                found.append(
                    Case(row["id"], kind, _named(Path(row["schema"])), row["media_type"], file.read_bytes(), row["expected"],
                         Text(document), donors[row["schema"]], _fields(row, file), file.name)
                )  # fmt: skip
    finally:
        await loader.close()
    return found


def _fields(row: Mapping[str, Any], file: Path) -> dict[str, tuple[int, Box]]:
    """Where values stand that one field of a PDF form holds."""
    if row["media_type"] != "application/pdf" or row["kind"] != "form":
        return {}
    places = {}
    fields = fields_of(file)
    for pointer, value in leaves(row["expected"]):
        gold = [box for text, box in fields if isinstance(value, str) and text.strip() == value]
        if len(gold) == 1:
            places[pointer] = (0, gold[0])
    return places
