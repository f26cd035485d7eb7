"""The worker process: ``python -m service.documents.worker PARENT_PID MEMORY_MB TASK SOCKET``; TASK is of ``limits.Task``.

It reads jobs from its standard input and answers on its standard output (see ``frames``), one at a time, until the
input ends. Large documents come as descriptors of files, through the SOCKET that it inherits. Everything that a document can do wrong happens here, behind limits, without a network and without secrets:
the service starts it with an empty environment.
"""

import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO

from service.documents import confinement, frames
from service.documents.parsed import Job, Parsed
from service.foundation.content import read_all
from service.foundation.errors import WinnowError


def main(arguments: list[str]) -> None:
    """Serve jobs until the input ends."""
    parent, memory_mb, task, descriptors = (
        int(arguments[0]),
        int(arguments[1]),
        arguments[2],
        int(arguments[3]),
    )
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C in a terminal reaches the whole group; the service decides
    confinement.die_with_parent(parent)
    jobs, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)  # what a C library prints must not end up among the answers
    confinement.limit(memory_mb)
    isolation = confinement.isolate(programs=task == "scripts")
    work = _task(task)
    _send(answers, frames.pack({"isolation": isolation}))
    while True:
        header = _receive(jobs, descriptors)
        if header is None:
            return
        request, data = header
        confinement.grant_cpu(request["cpu_s"])
        answer, body = _answer(work, request["job"], data)
        answer["held_kb"] = _held_kb()
        del data, header
        _send(answers, frames.pack(answer, body))
        del answer, body


def _task(name: str) -> Callable[[bytes, Job], Parsed]:
    """What this process does with a job. The models of OCR are loaded now: no page pays for them."""
    if name == "ocr":
        from service.documents import ocr  # after the confinement, like every parser

        ocr.prepare()
        return ocr.read
    if name == "scripts":
        from service.documents import ocr_scripts

        return ocr_scripts.read
    return _parse


def _parse(data: bytes, job: Job) -> Parsed:
    from service.documents.parse import parse  # after the confinement: nothing of a parser runs before it

    return parse(data, job)


def _answer(
    work: Callable[[bytes, Job], Parsed], job: dict[str, Any], data: bytes
) -> tuple[dict[str, Any], list[bytes]]:
    """Header and body for one job: the result, or the error as ``code``, ``detail`` and ``members``."""
    try:
        return frames.parsed_header(work(data, frames.read_job(job)))
    except WinnowError as error:
        faults = [[fault.pointer, fault.detail, fault.page] for fault in error.errors]
        return _refusal(error.code, error.detail, error.members, faults=faults)
    except MemoryError:
        return _refusal(
            "document_too_much_memory",
            "parsing it takes more memory than a document may",
            {"limit": "memory"},
        )
    except RecursionError:
        return _refusal("document_too_complex", "it is nested too deep", {"limit": "nesting"})
    except Exception as error:  # noqa: BLE001 - whatever a library raises on a hostile file is the file's fault
        return _refusal(
            "document_unreadable", "the parser gives up on it: it is damaged", {}, fault=_where(error)
        )


def _refusal(
    code: str,
    detail: str,
    members: dict[str, Any],
    *,
    faults: list[Any] | None = None,
    fault: str | None = None,
) -> tuple[dict[str, Any], list[bytes]]:
    error = {"code": code, "detail": detail, "members": members, "faults": faults or [], "fault": fault}
    return {"error": error}, []


def _where(error: Exception) -> str:
    """The kind of an unexpected error and where it was raised; its message may quote the document and stays here."""
    steps = traceback.extract_tb(error.__traceback__)
    places = [f"{os.path.basename(step.filename)}:{step.lineno}" for step in steps[-3:]]  # noqa: PTH119 - one import less
    return f"{type(error).__name__} at {' < '.join(reversed(places))}"


def _held_kb() -> int:
    """Resident memory after a job. Not ``ru_maxrss``: on Linux a new process inherits its parent's."""
    try:
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - one import less
            return int(statm.read().split()[1]) * (resource.getpagesize() // 1024)
    except OSError:
        return 0


def _receive(jobs: BinaryIO, descriptors: int = -1) -> tuple[dict[str, Any], bytes] | None:
    """The next job and its bytes, which come through the pipe or lie in a file that is lent through ``descriptors``."""
    prefix = jobs.read(frames.LENGTHS.size)
    if len(prefix) < frames.LENGTHS.size:
        return None
    header, body = frames.lengths(prefix)
    request = json.loads(jobs.read(header))
    if "spooled" in request:
        return request, _lent(descriptors, request["spooled"])
    return request, jobs.read(body)


def _lent(descriptors: int, size: int) -> bytes:
    import socket  # most workers never see a large document

    with socket.socket(fileno=os.dup(descriptors)) as channel:
        _, (descriptor, *_), _, _ = socket.recv_fds(channel, 1, 1)
    try:
        return read_all(descriptor, size)
    finally:
        os.close(descriptor)


def _send(answers: BinaryIO, pieces: list[bytes]) -> None:
    answers.writelines(pieces)
    answers.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
