"""The real client of the Confluent Schema Registry against a running service. `.ci/run` makes its environment."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from conftest import serving, settings_for

from service.app import create_app

PYTHON = Path(os.environ.get("WINNOW_CI_VENVS", "/nonexistent")) / "venv-confluent" / "bin" / "python"
SCRIPT = Path(__file__).parents[1] / "clients" / "use_confluent.py"
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


@pytest.mark.skipif(not PYTHON.exists(), reason="venv-confluent is made by .ci/run")
def test_the_real_client_goes_through_a_full_life_cycle(service: str) -> None:
    """confluent-kafka registers, reads, compares, configures, refers, deletes, writes and reads records, unchanged."""
    known = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
    told = {"REGISTRY_URL": f"{service}/confluent", "REGISTRY_KEY": KEY, "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(
        [PYTHON, SCRIPT], capture_output=True, text=True, env={**known, **told}, check=False, timeout=120
    )
    assert run.returncode == 0, f"after {run.stdout.split()}:\n{run.stderr[-4000:]}"
    assert {"register_and_read", "deletion", "round_trip", "authentication"} <= set(run.stdout.split())
