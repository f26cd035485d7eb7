"""How a parser says that it gets on: a page after the other is no hang, however slow the machine is."""

import time
from collections.abc import Callable

EVERY_S = 1.0
"""Seconds between two reports: more of them tell nobody more."""

_report: Callable[[], None] | None = None
_next = 0.0


def listen(report: Callable[[], None]) -> None:
    """Call ``report`` from now on when a step is done. A process has one job at a time, so one listener is enough."""
    global _report  # noqa: PLW0603 - the worker sets it once, and parsers need not hand it down
    _report = report


def step() -> None:
    """A part of the document is done and another one begins."""
    global _next  # noqa: PLW0603 - see above
    now = time.monotonic()
    if _report is not None and now >= _next:
        _next = now + EVERY_S
        _report()
