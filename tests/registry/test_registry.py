import json
from pathlib import Path

import pytest

from service.foundation.errors import BadRequest
from service.registry import BrokenFolder, InvalidSchema, Registry, Settings, UnknownSchema

PLAIN = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


def folder(path: Path, **schemas: object) -> Path:
    for name, schema in schemas.items():
        (path / name).mkdir(parents=True)
        (path / name / "schema.json").write_text(schema if isinstance(schema, str) else json.dumps(schema))
    return path


def registry(*folders: Path) -> Registry:
    return Registry(Settings(folders=list(folders), starter=False))


def test_starter_schemas() -> None:
    """Ten schemas come with the service; each has a title, a description, instructions and a strict form."""
    versions = Registry(Settings()).all()
    assert [version.name for version in versions] == [
        "bank_statement", "contract_summary", "delivery_note", "event_announcement", "invoice", "medical_lab_report",
        "purchase_order", "receipt", "resume", "support_ticket",
    ]  # fmt: skip
    for version in versions:
        assert version.title
        assert version.description
        assert version.instructions
        assert version.compiled.strict["type"] == "object"


def test_resolve(tmp_path: Path) -> None:
    """A schema is found by name, by version and as `latest`."""
    found = registry(folder(tmp_path, order=PLAIN))
    version = found.resolve("order")
    assert found.resolve("order@1") is found.resolve("order@latest") is found.resolve("order@01") is version
    for reference in ("order@2", "order@production", "ordre", "order@" + "9" * 5000):
        with pytest.raises(UnknownSchema):
            found.resolve(reference)
    with pytest.raises(BadRequest):
        found.resolve("order@Ü")


def test_the_digest_covers_what_changes_a_model(tmp_path: Path) -> None:
    """Descriptions, member order and instructions each change the digest; the place of the folder does not."""
    described = {**PLAIN, "description": "x"}
    reordered = dict(reversed(PLAIN.items()))
    a = registry(folder(tmp_path / "a", order=PLAIN, described=described, reordered=reordered))
    b = registry(folder(tmp_path / "b", order=PLAIN))
    (tmp_path / "c" / "order").mkdir(parents=True)
    c = folder(tmp_path / "c2", order=PLAIN)
    (c / "order" / "instructions.md").write_text("Read slowly.")
    digests = [a.resolve(name).digest for name in ("order", "described", "reordered")] + [
        registry(c).resolve("order").digest
    ]
    assert len(set(digests)) == 4
    assert b.resolve("order").digest == digests[0]


@pytest.mark.parametrize("schema", ["{", "[]", {"type": "nonsense"}, {"$ref": "#/nowhere"}], ids=str)
def test_a_broken_folder_names_the_file(tmp_path: Path, schema: object) -> None:
    """A service does not start with half of its schemas; the message names the file."""
    with pytest.raises(BrokenFolder, match=r"order.schema\.json"):
        registry(folder(tmp_path, order=schema))


@pytest.mark.parametrize("rules", ["{", "{}", '[{"rule": "sum", "of": "/a/*", "equals": "/b"}]'])
def test_rules_beside_a_schema(tmp_path: Path, rules: str) -> None:
    """`rules.json` is held against the schema when the folder is read."""
    place = folder(tmp_path, order=PLAIN)
    good = [{"rule": "pattern", "of": "/a", "pattern": "^x"}]
    (place / "order" / "rules.json").write_text(json.dumps(good))
    assert list(registry(place).resolve("order").rules) == good
    (place / "order" / "rules.json").write_text(rules)
    with pytest.raises(BrokenFolder, match=r"order"):
        registry(place)


def test_names(tmp_path: Path) -> None:
    """A folder's name must be usable in a path; the same name twice is refused; other files do not matter."""
    with pytest.raises(BrokenFolder, match="named like"):
        registry(folder(tmp_path / "a", **{"Bad Name": PLAIN}))
    with pytest.raises(BrokenFolder, match="two folders"):
        registry(folder(tmp_path / "b", order=PLAIN), folder(tmp_path / "c", order=PLAIN))
    with pytest.raises(BrokenFolder, match="not a folder"):
        registry(tmp_path / "none")
    (tmp_path / "b" / "notes.txt").write_text("x")
    assert len(registry(tmp_path / "b").all()) == 1


async def test_inline_schemas_are_compiled_once(tmp_path: Path) -> None:
    """Equal inline schemas share one version; what is not a schema is refused."""
    found = registry()
    first = await found.inline(PLAIN)
    assert await found.inline(dict(PLAIN)) is first
    assert first.version is None
    with pytest.raises(InvalidSchema):
        await found.inline("{}")
