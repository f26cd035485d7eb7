"""Prints how fast the strict compiler is: ``PYTHONPATH=. python tests/strict/speed.py``. Asserts nothing.

Compile times over ``../shared/schemas-corpus`` where it exists; encoding and decoding of an invoice with 40 fields.
"""

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from service.strict import SchemaRefused, compile

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "schemas-corpus"
TEXT = {"type": "string"}
INVOICE = {
    "type": "object",
    "properties": {
        **{f"text{n}": TEXT for n in range(20)},
        **{f"number{n}": {"type": ["number", "null"]} for n in range(10)},
        "seller": {
            "type": "object",
            "properties": {"name": TEXT, "street": TEXT, "city": TEXT, "tax_id": TEXT},
        },
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "text": TEXT,
                    "quantity": {"type": "number"},
                    "price": {"type": "number"},
                    "tax": TEXT,
                },
                "required": ["text"],
            },
        },
    },
    "required": ["text0", "text1"],
}
RECORD = {
    **{f"text{n}": "some text" for n in range(18)},
    **{f"number{n}": 1.5 for n in range(6)},
    "seller": {"name": "ACME", "city": "Oslo"},
    "lines": [{"text": "bolt", "quantity": 3, "price": 0.5} for _ in range(5)],
}


def main() -> None:
    """Measure and print."""
    compiled = compile(INVOICE)
    value = compiled.encode(RECORD)
    print(
        f"encode {_microseconds(compiled.encode, RECORD):7.1f} µs   decode {_microseconds(compiled.decode, value):7.1f} µs"
    )
    times = []
    for path in sorted(CORPUS.glob("*.jsonl.gz")):
        with gzip.open(path, "rt") as lines:
            for record in map(json.loads, lines):
                started = time.perf_counter()
                try:
                    compile(record["schema"], draft=record["draft"], externals=record.get("externals") or {})
                except SchemaRefused:
                    pass
                times.append(time.perf_counter() - started)
    times.sort()
    if times:
        print(
            f"compile, {len(times)} schemas: median {1e3 * times[len(times) // 2]:.1f} ms"
            f"   p99 {1e3 * times[len(times) * 99 // 100]:.0f} ms   max {1e3 * times[-1]:.0f} ms"
        )


def _microseconds(function: Callable[[Any], Any], argument: Any, runs: int = 5_000) -> float:
    started = time.perf_counter()
    for _ in range(runs):
        function(argument)
    return (time.perf_counter() - started) / runs * 1e6


if __name__ == "__main__":
    main()
