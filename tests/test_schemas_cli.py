"""`winnow schemas` against a running service, as a pipeline has it: output, exit codes, nothing done twice."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from conftest import serving, settings_for
from typer.testing import CliRunner

from service.cli import app

TEXT = {"type": "string", "description": "As printed."}
NOTE = {"type": ["string", "null"], "description": "As printed; null if there is none."}


def record(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": "An order.",
        "properties": properties,
        "required": list(properties),
    }


def serve(sandbox: str, url: str, **given: Any) -> Any:
    import uvicorn

    from service.app import create_app

    settings = settings_for(sandbox, url, **given)
    settings = settings.model_copy(
        update={"schemas": settings.schemas.model_copy(update={"starter": False, "folders": []})}
    )
    return serving(
        uvicorn.Config(create_app(settings), log_config=None, access_log=False, timeout_graceful_shutdown=1)
    )


@pytest.fixture
def service(sandbox: str, tmp_path: Path) -> Iterator[str]:
    """A service without schemas, on a loopback port."""
    with serve(sandbox, f"sqlite:///{tmp_path}/w.db") as url:
        yield url


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])


def run(*arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and output of a command in this process."""
    result = CliRunner().invoke(app, ["schemas", *arguments], env=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def file(name: str, schema: Any) -> str:
    Path(name).write_text(json.dumps(schema))
    return name


MODEL = """
from datetime import date
from pydantic import BaseModel, Field

class PurchaseOrder(BaseModel):
    '''An order.'''
    number: str = Field(description="As printed.")
    placed: date | None = Field(description="When it was placed; null if it does not say.")

broken = 5
"""


def test_a_model_from_code_to_extraction(service: str) -> None:
    """Push takes a pydantic model to the draft, publish publishes it, and it is extracted with."""
    Path("shop_models.py").write_text(MODEL)
    environment = {"WINNOW_URL": service}
    code, text = run("push", "shop_models:PurchaseOrder", **environment)
    assert code == 0, text
    assert "Draft of purchase_order" in text
    assert "tokens with every call" in text
    assert "a draft only" in run("list", **environment)[1]
    code, text = run("publish", "purchase_order", "--dry-run", **environment)
    assert (code, "It can be published." in text) == (0, True)
    code, text = run("publish", "purchase_order", **environment)
    assert (code, text) == (0, "Published purchase_order@1\n")
    answer = httpx2.post(f"{service}/v1/extract/purchase_order", json={"input": {"text": "Number: A-1\n"}})
    assert answer.json()["data"]["number"] == "A-1"
    shown = json.loads(run("show", "purchase_order", "--json", **environment)[1])
    assert shown["schema"]["properties"]["number"] == {
        "description": "As printed.", "title": "Number", "type": "string"
    }  # fmt: skip
    assert run("push", "shop_models:PurchaseOrder", "--name", "po", **environment)[0] == 0
    code, text = run("publish", "purchase_order", "shop_models:PurchaseOrder", **environment)
    assert (code, "exactly this already" in text) == (0, True)
    for wrong in ("shop_models:Nothing", "no_such_module:X", "shop_models:broken", "nothing.json"):
        assert run("push", wrong, **environment)[0] == 2, wrong
    assert run("publish", "unknown", **environment)[0] == 1


def test_breaking_stops_a_pipeline(service: str) -> None:
    """A breaking change is exit code 1 with a record that shows it; with a reason it is published and held."""
    at = {"WINNOW_URL": service}
    assert run("publish", "parcel", file("parcel.json", record(order=TEXT)), **at)[0] == 0
    assert run("publish", "parcel", file("parcel.json", record(order=TEXT, note=NOTE)), **at)[0] == 0
    code, text = run("diff", "parcel", "1", "2", **at)
    assert (code, "/properties/note PROPERTY_ADDED" in text, "Breaks" in text) == (0, True, False)
    assert "No difference" in run("diff", "parcel", "1", "1", **at)[1]
    bad = file("parcel.json", record(order={"type": "integer", "description": "Its number."}))
    for more in ([], ["--dry-run"]):
        code, text = run("publish", "parcel", bad, *more, **at)
        assert (code, "/properties/order/type" in text, "such as {" in text) == (1, True, True), text
    code, text = run("publish", "parcel", bad, "--json", **at)
    assert (code, json.loads(text)["code"]) == (1, "schema_incompatible")
    assert run("publish", "parcel", bad, "--allow-breaking", **at)[0] == 2
    code, text = run("publish", "parcel", bad, "--allow-breaking", "--reason", "agreed with billing", **at)
    assert (code, "held back" in text) == (0, True)
    assert run("release", "parcel", "2", **at)[0] == 1
    assert run("release", "parcel", "3", **at)[0] == 0
    code, text = run("diff", "parcel", "1", "3", **at)
    assert (code, "Breaks, from 1 to 3" in text) == (1, True)
    assert json.loads(run("diff", "parcel", "1", "3", "--json", **at)[1])["compatible"] is False
    code, text = run("push", file("wrong.json", {"type": "nonsense"}), "--name", "parcel", **at)
    assert (code, "Wrong:" in text) == (1, True)
    code, text = run("publish", "parcel", **at)
    assert (code, "schema_rejected" in text) == (1, True)
    draft = json.loads(run("show", "parcel", "--draft", **at)[1])
    assert run("publish", "parcel", "--etag", '"0"', **at)[0] == 1
    assert draft["content"]["schema"] == {"type": "nonsense"}


def test_apply_syncs_a_folder(service: str) -> None:
    """Created, unchanged, updated; what refers to others comes after them; one that breaks stops all."""
    at = {"WINNOW_URL": service}

    def folder(name: str, schema: Any) -> None:
        place = Path("schemas") / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "schema.json").write_text(json.dumps(schema))

    def states(*more: str) -> tuple[int, dict[str, tuple[str, int | None]]]:
        code, text = run("apply", "schemas", "--json", *more, **at)
        found = json.loads(text)["schemas"]
        return code, {one["name"]: (one["state"], one["version"]) for one in found}

    folder("a_order", record(order=TEXT, to={"$ref": "schema://place/1"}))
    folder("place", record(city=TEXT))
    examples = Path("schemas/place/examples")
    examples.mkdir()
    (examples / "one.txt").write_text("City: Bonn")
    (examples / "one.json").write_text('{"city": "Bonn"}')
    assert states("--dry-run") == (0, {"place": ("created", None), "a_order": ("pending", None)})
    assert "schemas" in run("list", "--json", **at)[1]
    assert states() == (0, {"place": ("created", 1), "a_order": ("pending", 1)})
    assert states() == (0, {"place": ("unchanged", None), "a_order": ("unchanged", None)})
    folder("place", record(city=TEXT, zip=NOTE))
    (examples / "one.json").write_text('{"city": "Bonn", "zip": null}')
    assert states("--dry-run") == (0, {"place": ("updated", None), "a_order": ("unchanged", None)})
    assert states()[1]["place"] == ("updated", 2)

    folder("place", record(zip=NOTE))
    folder("z_new", record(x=TEXT))
    code, text = run("apply", "schemas", **at)
    assert (code, "breaking   place" in text, "Nothing was published" in text) == (1, True, True), text
    assert "/properties/city" in text or "/required" in text
    assert httpx2.get(f"{service}/v1/schemas/z_new").status_code == 404
    code, found = states("--allow-breaking", "--reason", "nobody reads it")
    assert (code, found["place"], found["z_new"]) == (0, ("updated", 3), ("created", 1))
    assert states("--allow-breaking", "--reason", "nobody reads it")[1]["place"] == ("unchanged", None)
    (examples / "one.json").write_text('{"town": 1}')
    folder("place", record(city=TEXT, zip=NOTE))
    code, text = run("apply", "schemas", **at)
    assert (code, "invalid    place" in text, "/examples/0/record" in text) == (1, True, True)
    assert run("apply", "examples-that-are-not-there", **at)[0] == 2
    assert run("apply", "schemas/place/examples", **at)[0] == 2


def test_an_archive_moves(service: str, sandbox: str) -> None:
    """Export writes what import takes, once; the same registry is the same file."""
    at = {"WINNOW_URL": service}
    run("publish", "parcel", file("parcel.json", record(order=TEXT)), **at)
    code, text = run("export", "registry.jsonl", **at)
    assert (code, "Wrote registry.jsonl" in text) == (0, True)
    with serve(sandbox, f"sqlite:///{Path.cwd()}/other.db", api_key="s3cret") as other:
        there = {"WINNOW_URL": other, "WINNOW_API_KEY": "s3cret"}
        assert run("import", "registry.jsonl", WINNOW_URL=other)[0] == 1  # no key
        code, text = run("import", "registry.jsonl", **there)
        assert (code, "1 schemas, 1 versions" in text) == (0, True)
        assert run("import", "registry.jsonl", **there)[0] == 1
        run("export", "again.jsonl", **there)
    assert Path("again.jsonl").read_bytes() == Path("registry.jsonl").read_bytes()
    Path("half.jsonl").write_bytes(Path("registry.jsonl").read_bytes()[:-10])
    assert run("import", "half.jsonl", **at)[0] == 1


def test_check_needs_no_service() -> None:
    """A file, a model or a folder of folders is checked here: faults are exit code 1, remarks are not."""
    code, text = run("check", file("parcel.json", record(order={"type": "string"})))
    assert (code, "parcel: fine" in text, "no_description" in text) == (0, True, True)
    code, text = run("check", file("bad.json", {"$ref": "#/nowhere"}), "--json")
    assert (code, json.loads(text)["bad"]["publishable"]) == (1, False)
    starters = Path(__file__).parents[1] / "schemas"
    code, text = run("check", str(starters))
    assert (code, text.count(": fine")) == (0, 10), text
    Path("own").mkdir()
    file("own/schema.json", record(order=TEXT))
    file("own/options.json", {"policy": {"max_attempts": 99}})
    code, text = run("check", "own")
    assert (code, "/policy/max_attempts" in text) == (1, True)


def test_without_a_service(service: str) -> None:
    """No URL is exit code 2, nobody there 3, a foreign server 3; in a process of its own as here."""
    assert run("publish", "parcel")[0] == 2
    assert run("list", "--deleted")[0] == 2
    schema = file("parcel.json", record(order=TEXT))
    assert run("push", schema, "--url", "http://127.0.0.1:1")[0] == 3
    assert run("export", "x.jsonl", "--url", "http://127.0.0.1:1")[0] == 3
    assert not Path("x.jsonl").exists()
    assert run("push", schema, "--url", "nonsense")[0] == 3
    environment = {**os.environ, "WINNOW_URL": service, "PYTHONPATH": str(Path(__file__).parents[1])}
    ends = subprocess.run(
        [sys.executable, "-m", "service.cli", "schemas", "publish", "parcel", schema],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ends.returncode, ends.stdout) == (0, "Published parcel@1\n"), ends.stderr
