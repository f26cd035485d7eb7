"""The progress of ``winnow extract`` on a terminal."""

import json
import os
import pty
import re
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from tests.extraction.long import made
from tests.test_cli import service

__all__ = ["service"]


def test_extract_shows_how_far_a_long_document_is(
    service: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    """On a terminal a bar tells parts, rows and cost while the service reads; the record on standard output is as without it."""
    _, url = service
    long = tmp_path / "statement.txt"
    long.write_text(made.statement(0, 12).text, "utf-8")
    command = [
        sys.executable,
        "-m",
        "service.cli",
        "extract",
        str(long),
        "--schema",
        "bank_statement",
        "--url",
        url,
        "--json",
    ]
    command += ["-o", "allow_partial=true"]
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"}
    shown: list[bytes] = []

    def hear() -> None:
        with suppress(OSError):  # the terminal is gone
            while piece := os.read(ours, 4096):
                shown.append(piece)

    hearing = threading.Thread(target=hear)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
        os.close(theirs)
        hearing.start()
        assert process.stdout is not None
        answer = json.loads(process.stdout.read())
        assert process.wait(60) == 0
    hearing.join(10)
    os.close(ours)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", b"".join(shown).decode())
    parts = len(answer["parts"])
    assert parts > 3
    assert f"0/{parts}" in text
    assert f"{parts}/{parts}" in text
    rows = [int(count) for count in re.findall(r"Reading statement\.txt: (\d+) rows, 0\.\d+ USD", text)]
    assert rows == sorted(rows)
    assert rows[-1] >= len(answer["data"]["transactions"]) > 100
