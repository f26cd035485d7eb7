"""The command line as a user has it: real processes, real exit codes."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from service.cli import app

SAMPLES = Path(__file__).parents[1] / "schemas"


def run(*arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and output of a command in this process."""
    result = CliRunner().invoke(app, arguments, env=environment)
    return result.exit_code, result.output


@pytest.mark.parametrize(
    "command",
    [[], ["serve"], ["demo"], ["extract"], ["schemas"], ["schemas", "list"], ["sandbox"], ["settings"]],
)
def test_help(command: list[str]) -> None:
    """Every command explains itself."""
    code, text = run(*command, "--help")
    assert code == 0
    assert "Usage" in text


def test_usage_errors() -> None:
    """A wrong command line is exit code 2."""
    assert run("serve", "--nonsense")[0] == 2
    assert run("extract", "no-such-file", "--schema", "invoice")[0] == 2
    assert (
        run("extract", __file__, "--schema", "invoice", "--url", "http://127.0.0.1:1", "-o", "pages")[0] == 2
    )


def test_serve_refuses_what_is_not_safe(tmp_path: Path) -> None:
    """No key and no sandbox, an open address without a key, a broken schema folder, wrong settings: each says what to do."""
    database = f"sqlite:///{tmp_path}/w.db"
    code, text = run("serve", OPENAI_API_KEY="", WINNOW_DATABASE_URL=database)
    assert code == 1
    assert "--sandbox" in text
    code, text = run("serve", "--sandbox", "--host", "0.0.0.0", WINNOW_DATABASE_URL=database)
    assert code == 1
    assert "WINNOW_API_KEY" in text
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "schema.json").write_text("{")
    code, text = run("serve", "--sandbox", "--schemas", str(tmp_path))
    assert code == 1
    assert "schema.json" in text
    code, text = run("settings", WINNOW_PORT="many")
    assert code == 1
    assert "port" in text


def test_settings_hide_secrets() -> None:
    """The settings in force are shown with their meaning, and no secret among them."""
    code, text = run(
        "settings", "--json", WINNOW_API_KEY="s3cret", OPENAI_API_KEY="sk-s3cret", WINNOW_MAX_IN_FLIGHT="7"
    )
    shown = json.loads(text)
    assert code == 0
    assert "s3cret" not in text
    assert shown["WINNOW_API_KEY"] == "(hidden)"
    assert shown["WINNOW_MAX_IN_FLIGHT"] == "7"
    assert shown["WINNOW_EXTRACTION_MODEL"] == "gpt-4.1-mini"
    assert run("settings")[0] == 0


def test_every_setting_is_described() -> None:
    """An option that nobody can look up does not exist."""
    from service.app import Settings
    from service.cli.settings import _rows

    rows = list(_rows(Settings(), ""))
    assert [name for name, _, meaning in rows if not meaning] == []


def test_schemas() -> None:
    """Schemas are listed and shown; an unknown one is exit code 1 with near names."""
    code, text = run("schemas", "list", "--json")
    assert code == 0
    assert len(json.loads(text)) == 10
    assert "invoice" in run("schemas", "list")[1]
    code, text = run("schemas", "show", "invoice")
    assert json.loads(text) == json.loads((SAMPLES / "invoice" / "schema.json").read_bytes())
    assert json.loads(run("schemas", "show", "invoice", "--strict")[1])["additionalProperties"] is False
    code, text = run("schemas", "show", "invoise")
    assert code == 1
    assert "`invoice`" in text


def test_compile(tmp_path: Path) -> None:
    """A schema's strict form, its losses, or why it is refused."""
    file = tmp_path / "schema.json"
    file.write_text(
        '{"type": "object", "properties": {"a": {"type": "string", "format": "uri"}}, "uniqueItems": true}'
    )
    code, text = run("schemas", "compile", str(file))
    assert code == 0
    assert "format" in text
    made = json.loads(run("schemas", "compile", str(file), "--json")[1])
    assert made["strict"]["additionalProperties"] is False
    file.write_text('{"$ref": "#/nowhere"}')
    code, text = run("schemas", "compile", str(file))
    assert code == 1
    assert "Refused" in text
    assert "refused" in json.loads(run("schemas", "compile", str(file), "--json")[1])
    file.write_text("{")
    assert run("schemas", "compile", str(file))[0] == 1


def test_doctor(sandbox: str) -> None:
    """Without a key the questions, with one the findings; a surprise is exit code 1."""
    code, text = run("doctor", OPENAI_API_KEY="")
    assert code == 0
    assert "nothing was asked" in text
    code, text = run("doctor", "--json", OPENAI_API_KEY="sk-test", OPENAI_BASE_URL=sandbox)
    findings = json.loads(text)
    assert len(findings) >= 20
    assert code == any(finding["surprising"] for finding in findings)


def start(*arguments: str, **environment: str) -> tuple[subprocess.Popen[str], str]:
    """A server process and its URL."""
    child = subprocess.Popen(
        [sys.executable, "-m", "service.cli", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment},
    )  # fmt: skip
    assert child.stdout is not None
    line = child.stdout.readline()
    found = re.search(r"http://\S+", line)
    assert found, child.communicate(timeout=10)
    return child, found[0]


def end(child: subprocess.Popen[str]) -> tuple[int, str]:
    """Ask a process to end; its exit code and what it logged."""
    child.send_signal(signal.SIGTERM)
    _, logged = child.communicate(timeout=40)
    return child.returncode, logged


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`winnow serve --sandbox` on a free port."""
    child, url = start("serve", "--sandbox", "--port", "0", WINNOW_DATABASE_URL=f"sqlite:///{tmp_path}/w.db")
    yield child, url
    if child.poll() is None:
        child.kill()
        child.communicate()


def test_extract_from_a_running_service(service: tuple[subprocess.Popen[str], str]) -> None:
    """A record as JSON for people and for programs; a problem is exit code 1."""
    _, url = service
    sample = str(SAMPLES / "support_ticket" / "sample.eml")
    code, text = run("extract", sample, "--schema", "support_ticket", "--url", url, "--json")
    assert code == 0
    assert json.loads(text)["status"] == "succeeded"
    code, text = run("extract", sample, "--schema", "support_ticket", "--url", url)
    assert code == 0
    assert '"subject"' in text
    code, text = run(
        "extract", sample, "--schema", "support_ticket", "--url", url, "-o", "model=sandbox-refusal"
    )
    assert code == 1
    assert "model_refused" in text
    code, text = run("extract", sample, "--schema", "support_ticket", "--url", "http://127.0.0.1:1")
    assert code == 3
    assert "does not answer" in text


def test_extract_explains(service: tuple[subprocess.Popen[str], str], tmp_path: Path) -> None:
    """Where each value stands, as a table, as JSON and as a page; what cannot be shown says so."""
    _, url = service
    sample = str(SAMPLES / "invoice" / "sample.pdf")
    out = tmp_path / "page.html"
    code, text = run("extract", sample, "--schema", "invoice", "--url", url, "--explain", "--html", str(out))
    assert code == 0
    assert "/invoice_number" in text
    assert "found" in text
    shown = out.read_text()
    assert "data:image/" in shown
    assert "<rect " in shown
    code, text = run("extract", sample, "--schema", "invoice", "--url", url, "--explain", "--json")
    assert code == 0
    assert {one["status"] for one in json.loads(text)["evidence"].values()} >= {"found"}


def test_sigterm_drains(service: tuple[subprocess.Popen[str], str]) -> None:
    """A request in flight gets its record; the process then ends by itself, with everything it started."""
    child, url = service
    schema = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}
    body = {"schema": schema, "input": {"text": "Total: 5"}, "options": {"model": "sandbox-slow-2s"}}
    answers: list[httpx2.Response] = []
    request = threading.Thread(
        target=lambda: answers.append(httpx2.post(f"{url}/v1/extract", json=body, timeout=30))
    )
    request.start()
    for _ in range(100):
        if "winnow_requests_in_flight 1.0" in httpx2.get(f"{url}/metrics").text:
            break
    code, logged = end(child)
    request.join()
    assert [answer.status_code for answer in answers] == [200]
    assert answers[0].json()["data"] == {"total": 5}
    assert code in (0, -signal.SIGTERM)
    events = [json.loads(line)["event"] for line in logged.splitlines() if line.startswith("{")]
    assert "ready" in events
    assert events[-1] == "stopped"
    assert "Total: 5" not in logged


def test_the_sandbox_alone() -> None:
    """The offline provider speaks the wire protocol and ends with its parent's pipe."""
    child, url = start("sandbox", "--port", "0", "--until-eof")
    models = httpx2.get(f"{url}/models", headers={"authorization": "Bearer sk-any"}).json()
    assert "gpt-4.1-mini" in [model["id"] for model in models["data"]]
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(timeout=15) is not None
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    child.stderr.close()


@pytest.mark.timeout(120)
def test_the_demo() -> None:
    """The main job: every sample becomes a valid record, shown beside the expected one."""
    result = subprocess.run(
        [sys.executable, "-m", "service.cli", "demo"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "140"},
    )
    assert result.returncode == 0, result.stderr[-2000:]
    found = re.search(r"(\d+) of (\d+) leaves as expected", result.stdout)
    assert found
    assert int(found[2]) > 500
    for folder in SAMPLES.iterdir():
        if folder.is_dir():
            assert f"{folder.name} from sample." in result.stdout


def test_the_sandbox_is_told_limits_and_a_clock() -> None:
    """A bucket of two requests runs out; at a fast clock a background response is done at once."""
    child, url = start("sandbox", "--port", "0", "--rpm", "2", "--clock-speed", "100000")
    try:
        with httpx2.Client(base_url=url, headers={"authorization": "Bearer sk-test"}) as client:
            body = {"model": "gpt-4.1-mini", "input": "Hello", "background": True}
            made = client.post("/responses", json=body)
            assert made.headers["x-ratelimit-limit-requests"] == "2"
            for _ in range(200):
                found = client.get(f"/responses/{made.json()['id']}").json()
                if found["status"] == "completed":
                    break
                time.sleep(0.02)
            assert found["status"] == "completed"
            assert client.post("/responses", json=body).status_code == 200
            refused = client.post("/responses", json=body)
            assert refused.status_code == 429
            assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    finally:
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=20)
