"""Other people's clients of the provider, unchanged, against the sandbox. `.ci/run` makes their environments."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import serving

VENVS = Path(os.environ.get("WINNOW_CI_VENVS", "/nonexistent"))
SCRIPTS = Path(__file__).parent / "clients"
NODE = shutil.which("node")

PYTHON = [
    pytest.param(environment, script, marks=pytest.mark.skipif(
        not (VENVS / environment).is_dir(), reason=f"{environment} is made by .ci/run"
    ), id=environment)
    for environment, script in (
        ("venv-openai-3", "use_openai.py"),
        ("venv-openai-2", "use_openai.py"),
        ("venv-instructor", "use_instructor.py"),
        ("venv-pydantic-ai", "use_pydantic_ai.py"),
    )
]  # fmt: skip


@pytest.fixture
def provider() -> Iterator[str]:
    """A sandbox of its own per client, because counted faults are counted per request; its batches take milliseconds."""
    import uvicorn

    from service.sandbox import Settings, create_app

    app = create_app(Settings(clock_speed=1_000.0))
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=1
    )
    with serving(config) as url:
        yield f"{url}/v1"


def checked(command: list[str | Path], provider: str, **environment: str) -> list[str]:
    """The names of the checks that a script passed; it is told where the provider is and nothing else."""
    known = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
    told = {"OPENAI_BASE_URL": provider, "OPENAI_API_KEY": "sk-anything", "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(
        command, capture_output=True, text=True, env={**known, **told, **environment}, check=False, timeout=500,
    )  # fmt: skip
    assert run.returncode == 0, f"after {run.stdout.split()}:\n{run.stderr[-4000:]}"
    return run.stdout.split()


def test_the_command_line_serves_it_to_our_own_client() -> None:
    """`winnow sandbox --port 0` prints the address that openai-python needs, batches at the provider's pace included."""
    command = [sys.executable, "-m", "service.cli", "sandbox", "--port", "0", "--until-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        passed = checked([sys.executable, SCRIPTS / "use_openai.py"], child.stdout.readline().strip())
        child.stdin.close()
        child.wait(10)
    assert {"streaming", "own_retries", "files_and_batch"} <= set(passed), passed


@pytest.mark.parametrize(("environment", "script"), PYTHON)
def test_a_python_client_works_unchanged(provider: str, environment: str, script: str) -> None:
    """openai-python 3 and 2, instructor and pydantic-ai extract, stream, retry, refuse and fail as their users expect."""
    passed = checked([VENVS / environment / "bin" / "python", SCRIPTS / script], provider)
    assert {"streaming", "refusal", "own_retries"} <= set(passed), passed


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.skipif(
    not (VENVS / "npm-openai" / "node_modules").is_dir(), reason="npm-openai is made by .ci/run"
)
def test_the_node_client_works_unchanged(provider: str) -> None:
    """openai-node with zod extracts, streams, retries, refuses, fails and runs a batch."""
    packages = VENVS / "npm-openai" / "node_modules"
    passed = checked([NODE or "node", SCRIPTS / "use_openai.cjs"], provider, NODE_PATH=str(packages))
    assert {"zod_records", "streaming", "refusal", "own_retries", "files_and_batch"} <= set(passed), passed
