"""Real clients of the Confluent Schema Registry against a running service. `.ci/run` makes their environments."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from conftest import serving, settings_for

from service.app import create_app

VENVS = Path(os.environ.get("WINNOW_CI_VENVS", "/nonexistent"))
PYTHON = VENVS / "venv-confluent" / "bin" / "python"
PACKAGES = VENVS / "npm-confluent" / "node_modules"
NODE = shutil.which("node")
SCRIPTS = Path(__file__).parents[1] / "clients"
KEY = "a key of this test"


@pytest.fixture
def service(sandbox: str, database_url: str) -> Iterator[str]:
    """A service that wants a key, on a loopback port, once with each database."""
    app = create_app(settings_for(sandbox, database_url, api_key=KEY))
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=1
    )
    with serving(config) as url:
        yield url


def passed(command: list[str | Path], service: str, **environment: str) -> set[str]:
    """The names of the checks that a script passed; it is told where the registry is, and the key."""
    known = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
    told = {"REGISTRY_URL": f"{service}/confluent", "REGISTRY_KEY": KEY, "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**known, **told, **environment},
        check=False,
        timeout=500,
    )
    assert run.returncode == 0, f"after {run.stdout.split()}:\n{run.stderr[-4000:]}"
    return set(run.stdout.split())


@pytest.mark.skipif(not PYTHON.exists(), reason="venv-confluent is made by .ci/run")
def test_the_real_client_goes_through_a_full_life_cycle(service: str) -> None:
    """confluent-kafka registers, reads, compares, configures, refers, deletes, writes and reads records, unchanged."""
    names = passed([PYTHON, SCRIPTS / "use_confluent.py"], service)
    assert {"register_and_read", "deletion", "round_trip", "authentication"} <= names


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.skipif(not PACKAGES.is_dir(), reason="npm-confluent is made by .ci/run")
def test_the_node_client_works_unchanged(service: str) -> None:
    """The client of kafkajs registers, finds, encodes, decodes, and is told what is refused."""
    names = passed([NODE or "node", SCRIPTS / "use_confluent.cjs"], service, NODE_PATH=str(PACKAGES))
    assert names == {"registers", "round_trip", "refusals"}
