"""Each test runs a process of its own: what it does to itself cannot be undone."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

linux = pytest.mark.skipif(sys.platform != "linux", reason="the means are Linux's")


def run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", "from service.documents import confinement\nimport os, socket\n" + script],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


@linux
@pytest.mark.parametrize("means", ["_seccomp()", "_libc().unshare(confinement._CLONE_NEWNET) == 0"])
def test_no_network(means: str) -> None:
    """Behind either means, no connection can be made."""
    script = (
        f"if not confinement.{means}: print('not here'); raise SystemExit\n"
        "try:\n"
        "    socket.create_connection(('127.0.0.1', 9), timeout=5)\n"
        "except OSError as error:\n"
        "    print('refused', error.errno)\n"
    )
    assert run(script).split()[0] in {"refused", "not"}


@linux
def test_no_programs() -> None:
    """The filter forbids starting programs and new sockets, and lets files be read."""
    script = (
        "print(confinement.isolate())\n"
        "for forbidden in (lambda: os.execv('/bin/true', ['true']), socket.socket, lambda: os.kill(1, 0)):\n"
        "    try: forbidden(); print('allowed')\n"
        "    except PermissionError: print('denied')\n"
        "print(len(open(os.__file__).read()) > 0)\n"
    )
    means, *rest = run(script).split()
    if means == "seccomp":
        assert rest == ["denied", "denied", "denied", "True"]


@linux
def test_programs_inherit_the_filter() -> None:
    """Where programs may be started, neither they nor the process itself reach a network."""
    inner = "import socket\\ntry: socket.socket(); print('allowed')\\nexcept PermissionError: print('denied')"
    script = (
        "import subprocess, sys\n"
        "print(confinement.isolate(programs=True))\n"
        f"done = subprocess.run([sys.executable, '-c', \"{inner}\"], stdout=subprocess.PIPE)\n"
        "print(done.stdout.decode().strip())\n"
        "try: socket.socket(); print('allowed')\n"
        "except PermissionError: print('denied')\n"
    )
    means, *rest = run(script).split()
    if means == "seccomp":
        assert rest == ["denied", "denied"]


@linux
def test_limits() -> None:
    """Memory ends at the cap, and no file can be written."""
    script = (
        "confinement.limit(512)\n"
        "try: bytearray(600 * 2**20)\n"
        "except MemoryError: print('memory')\n"
        "import tempfile\n"
        "try:\n"
        "    with tempfile.TemporaryFile() as file: file.write(b'x' * 100_000); file.flush()\n"
        "except OSError: print('files')\n"
    )
    assert run(script).split()[:2] == ["memory", "files"]


def test_cpu_budget() -> None:
    """Each grant is on top of what was used before; beyond it the kernel ends the process."""
    script = (
        "import time\n"
        "for _ in range(2):\n"
        "    confinement.grant_cpu(1)\n"
        "    until = time.process_time() + 0.8\n"
        "    while time.process_time() < until: pass\n"
        "print('alive', flush=True)\n"
        "while time.process_time() < 9: pass\n"
        "print('too long')\n"
    )
    assert run(script).split() == ["alive"]


def test_orphan_ends() -> None:
    """A process whose parent is already gone ends at once."""
    assert "still" not in run(
        "confinement.die_with_parent(1 if os.getppid() != 1 else 2)\nprint('still')"
    ) or (sys.platform != "linux")


def test_worker_is_light_and_holds_no_secret() -> None:
    """A worker loads none of the service's libraries, and its environment holds only the module path."""
    script = (
        "import sys, service.documents.worker\n"
        "print(sorted({'pydantic', 'fastapi', 'asyncio', 'structlog', 'PIL', 'pypdfium2'} & set(sys.modules)))\n"
    )
    assert run(script).strip() == "[]"
