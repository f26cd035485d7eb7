"""Tools of other people over our OpenAPI document. They live in environments of their own, which `.ci/run` makes."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from conftest import serving, settings_for

VENVS = Path(os.environ.get("WINNOW_CI_VENVS", "/nonexistent"))


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not (VENVS / tool).is_dir(), reason=f"{tool} is made by .ci/run")


@pytest.fixture
def service(sandbox: str, tmp_path: Path) -> Iterator[str]:
    """The service on a loopback port."""
    import uvicorn

    from service.app import create_app

    # Tools send the URL of the example, and tests ask nobody beyond this machine, name servers neither.
    settings = settings_for(sandbox, f"sqlite:///{tmp_path}/w.db", urls={"enabled": False})
    config = uvicorn.Config(
        create_app(settings), log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    with serving(config) as url:
        yield url


USE = """
import json
import sys
from winnow_client import AuthenticatedClient
from winnow_client.api.extract import extract_invoice
from winnow_client.models import Envelope, Input, InvoiceExtraction, Options, OptionsPolicy

client = AuthenticatedClient(base_url=sys.argv[1], token="not needed on loopback")
with open(sys.argv[2], encoding="utf-8") as document:
    envelope = Envelope(input_=Input(text=document.read()), options=Options(store=True, policy=OptionsPolicy.TEXT))
answer = extract_invoice.sync(client=client, body=envelope, idempotency_key="one")
assert isinstance(answer, InvoiceExtraction), answer
again = extract_invoice.sync(client=client, body=envelope, idempotency_key="one")
assert isinstance(again, InvoiceExtraction), again
assert again.id == answer.id
print(json.dumps(answer.data.to_dict()))
"""

INVOICE = """INVOICE
Invoice number: 2026-0417
Invoice date: 2026-11-03
Due date: 2026-12-03
Currency: EUR
Seller: Nordlicht GmbH, Hafenstr. 12, 20457 Hamburg
Buyer: Kestrel Ltd, 4 Mill Lane, Leeds LS1 4DT

Description        Quantity  Unit price   Amount
Ergonomic chair           2      100.00   200.00

Subtotal 200.00
VAT 19 % 38.00
Total 238.00
"""


@needs("venv-client")
@pytest.mark.timeout(280)
def test_a_generated_python_client_extracts_an_invoice(service: str, tmp_path: Path) -> None:
    """openapi-python-client generates from our document; the result type-checks and returns a typed record."""
    tools = VENVS / "venv-client" / "bin"
    document = tmp_path / "openapi.json"
    document.write_bytes(httpx2.get(f"{service}/openapi.json").content)
    target = tmp_path / "client"
    (tmp_path / "config.yml").write_text(
        "package_name_override: winnow_client\nproject_name_override: winnow-client\n"
    )
    made = subprocess.run(
        [tools / "openapi-python-client", "generate", "--path", document, "--meta", "none",
         "--output-path", target / "winnow_client", "--config", tmp_path / "config.yml"],
        capture_output=True, text=True, cwd=tmp_path, check=False, env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    (target / "use.py").write_text(USE)
    (tmp_path / "invoice.txt").write_text(INVOICE)
    environment = {**os.environ, "PYTHONPATH": str(target)}
    typed = subprocess.run(
        [tools / "mypy", "--ignore-missing-imports", "--follow-imports=silent", target / "use.py"],
        capture_output=True,
        text=True,
        cwd=target,
        check=False,
    )
    assert typed.returncode == 0, typed.stdout[-3000:]
    used = subprocess.run(
        [tools / "python", target / "use.py", service, tmp_path / "invoice.txt"],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert used.returncode == 0, used.stderr[-2000:]
    record = json.loads(used.stdout)
    assert record["invoice_number"] == "2026-0417"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@needs("npm-client")
@pytest.mark.timeout(280)
def test_a_generated_typescript_client_extracts_an_invoice(service: str, tmp_path: Path) -> None:
    """openapi-typescript generates from our document; the client type-checks, extracts, repeats and reads problems."""
    packages = VENVS / "npm-client" / "node_modules"
    (tmp_path / "node_modules").symlink_to(packages.resolve())
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "openapi.json").write_bytes(httpx2.get(f"{service}/openapi.json").content)
    version = f"{service}/v1/schemas/invoice/versions/1"
    (tmp_path / "pinned.json").write_bytes(httpx2.get(f"{version}/openapi.json").content)
    (tmp_path / "invoice.ts").write_bytes(httpx2.get(f"{version}/model.ts").content)
    (tmp_path / "invoice.txt").write_text(INVOICE)
    shutil.copy(Path(__file__).parent / "clients" / "use_typescript.ts", tmp_path / "use.ts")

    def run(*command: str | Path) -> str:
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False, timeout=500)
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
        return done.stdout

    for source, target in (("openapi.json", "schema.d.ts"), ("pinned.json", "pinned.d.ts")):
        run(packages / ".bin" / "openapi-typescript", source, "--output", target)
    run(
        packages / ".bin" / "tsc", "--strict", "--target", "es2022", "--module", "nodenext", "--types", "node",
        "--outDir", "built", "use.ts",
    )  # fmt: skip
    record = json.loads(run("node", "built/use.js", service, "invoice.txt"))
    assert (record["invoice_number"], record["total"]) == ("2026-0417", 238)


@needs("venv-schemathesis")
def test_fuzzing_the_surface(service: str, tmp_path: Path) -> None:
    """schemathesis, bounded: no answer of 500 or above, none outside its own description.

    But 504, which is what a deadline that has passed is: the tool draws some of 1e-38 seconds.
    """
    expected = '[checks]\nnot_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "504"]\n'
    (tmp_path / "schemathesis.toml").write_text(expected)
    tool = VENVS / "venv-schemathesis" / "bin" / "schemathesis"
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"
    run = subprocess.run(
        [tool, "run", f"{service}/openapi.json", "--checks", checks, "--phases", "examples,coverage,fuzzing",
         "--max-examples", "4", "--seed", "7", "--workers", "1", "--generation-database", "none"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(Path(__file__).parent / "clients")},
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-6000:]
