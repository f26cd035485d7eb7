"""What needs the `ocr` extra, which weighs 300 MB: scripts run by an interpreter that has it, and what runs them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


def interpreter() -> str | None:
    """One that has the extra: the environment that `.ci/run` makes, or this one."""
    place = os.environ.get("WINNOW_CI_VENVS")
    if place and (Path(place) / "venv-ocr/bin/python").exists():
        return str(Path(place) / "venv-ocr/bin/python")
    from service.documents.ocr import available

    return sys.executable if available() else None


def run(python: str, script: str, given: str) -> Any:
    """What a script of this folder answers (JSON) to its input."""
    done = subprocess.run(
        [python, str(HERE / script)],
        input=given,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def bare_texts(files: Iterable[tuple[str, Path]], python: str) -> list[str]:
    """What bare rapidocr reads in pictures (digest and path), each once: kept by digest in `.work/`."""
    files = list(files)
    kept = ROOT / ".work" / "ocr"
    kept.mkdir(parents=True, exist_ok=True)
    missing = [(digest, path) for digest, path in files if not (kept / digest).exists()]
    if missing:
        found = run(python, "bare.py", "\n".join(str(path) for _, path in missing))
        for digest, path in missing:
            (kept / digest).write_text(found[str(path)], "utf-8")
    return [(kept / digest).read_text("utf-8") for digest, _ in files]
