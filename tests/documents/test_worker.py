"""The worker's parts in this process; the process itself is tested through the loader."""

import io
import json
import struct
from typing import Any

import pytest

from service.documents import Settings, confinement, frames, parse, parse_pages, worker
from service.documents.parsed import Job, Parsed

LIMITS = Settings().limits()


def header(**options: Any) -> dict[str, Any]:
    return frames.job_header(Job(media_type="text/plain", limits=LIMITS, **options))


def test_frames_over_a_stream() -> None:
    """What one side packs the other reads; the end of the stream ends the worker."""
    stream = io.BytesIO()
    worker._send(stream, frames.pack({"job": 1}, [b"ab", b"c"]))
    stream.seek(0)
    assert worker._receive(stream) == ({"job": 1}, b"abc")
    assert worker._receive(stream) is None


def test_answers() -> None:
    """A job's answer is its pages, or the refusal with its members."""
    answer, body = worker._answer(worker._parse, header(), b"one\ftwo")
    assert [page.text for page in frames.read_parsed(answer, b"".join(body)).pages] == ["one", "two"]
    answer, _ = worker._answer(worker._parse, header(pages=parse_pages("9")), b"one")
    assert answer["error"]["code"] == "pages_out_of_range"
    assert answer["error"]["members"] == {"pages": 1}


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (MemoryError(), "document_too_much_memory"),
        (RecursionError(), "document_too_complex"),
        (ZeroDivisionError("customer text"), "document_unreadable"),
    ],
)
def test_unexpected_errors_are_the_document(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, code: str
) -> None:
    """Whatever a library raises becomes a typed refusal, and its message stays in the worker."""

    def fail(data: bytes, job: Job) -> Parsed:
        raise raised

    monkeypatch.setattr(parse, "parse", fail)
    answer, body = worker._answer(worker._parse, header(), b"x")
    assert answer["error"]["code"] == code
    assert body == []
    assert "customer text" not in json.dumps(answer)
    if code == "document_unreadable":
        assert answer["error"]["fault"].startswith("ZeroDivisionError at test_worker.py:")


def test_memory_is_measured() -> None:
    """A worker knows what it holds."""
    assert worker._held_kb() > 1000


def verdict(program: bytes, architecture: int, call: int) -> str:
    """What a filter answers: a small interpreter of the instructions that it uses."""
    steps = [struct.unpack("=HBBI", program[at : at + 8]) for at in range(0, len(program), 8)]
    at, loaded = 0, 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        if code == 0x20:
            loaded = {0: call, 4: architecture}[value]
        elif code == 0x15:
            at += yes if loaded == value else no
        elif code == 0x35:
            at += yes if loaded >= value else no
        else:
            assert code == 0x06
            return {0x7FFF0000: "allow", 0x00050001: "deny"}[value]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_filter(machine: str) -> None:
    """The filter denies its calls, every call of another architecture and of x32, and allows the rest."""
    architecture, calls = confinement._CALLS[machine]
    program = confinement._program(architecture, sorted(calls.values()))
    for call in range(500):
        assert verdict(program, architecture, call) == ("deny" if call in calls.values() else "allow")
    assert verdict(program, architecture ^ 1, 0) == "deny"
    assert verdict(program, architecture, 0x40000000) == "deny"
