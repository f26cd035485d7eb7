"""Logs and metrics. Log events are constant names with fields: identifiers, digests and numbers, never content."""

import logging
import sys
from functools import lru_cache
from typing import Any, Literal

import orjson
from prometheus_client import Counter, Gauge, Histogram
from pydantic import BaseModel, Field

if "rich" in sys.modules:
    import structlog
else:
    # structlog loads rich wherever it is installed, for tracebacks on terminals that we never print: 0.15 s and 6 MB
    # of a start. It has no setting for this (structlog.dev, `try: import rich`). So nobody else imports structlog: an
    # import contract says so.
    sys.modules["rich"] = None  # type: ignore[assignment]  # how Python marks a module that is not to be imported
    try:
        import structlog
    finally:
        del sys.modules["rich"]


class Settings(BaseModel):
    """What the service says about itself."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Log entries below this level are dropped."
    )
    format: Literal["json", "console"] = Field(
        "json", description="`json`: one object a line; `console`: for people."
    )


log: structlog.stdlib.BoundLogger = structlog.get_logger()


def begin(**fields: str) -> None:
    """From here on every entry of this task has these fields, and those of the task before are gone."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**fields)


REQUESTS = Counter("winnow_requests", "HTTP requests answered.", ["route", "method", "status"])
REQUEST_SECONDS = Histogram(
    "winnow_request_seconds",
    "Seconds from the first byte of a request to the last of its answer.",
    ["route"],
    buckets=(0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300),
)
IN_FLIGHT = Gauge("winnow_requests_in_flight", "HTTP requests being worked on.")
PROBLEMS = Counter("winnow_problems", "Problem documents answered.", ["code"])
ATTEMPTS = Counter("winnow_attempts", "Requests sent to the provider.", ["model", "outcome"])
TOKENS = Counter("winnow_tokens", "Tokens billed by the provider.", ["model", "kind"])
COST = Counter("winnow_cost_usd", "Dollars billed by the provider.", ["model"])


@lru_cache(maxsize=4096)
def _child(metric: Counter, labels: tuple[str, ...]) -> Counter:
    return metric.labels(*labels)


def count(metric: Counter, *labels: str, amount: float = 1) -> None:
    """Add to a counter. Finding the child of given labels costs ten times the adding, so children are kept."""
    _child(metric, labels).inc(amount)


@lru_cache(maxsize=4096)
def _route(route: str) -> Histogram:
    return REQUEST_SECONDS.labels(route)


def observe(route: str, seconds: float) -> None:
    """Note how long a request took."""
    _route(route).observe(seconds)


def configure(settings: Settings) -> None:
    """Set logging up for this process; everything goes to standard error."""
    level = getattr(logging, settings.level.upper())
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if settings.format == "json":
        processors += [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=lambda value, **_: orjson.dumps(value, default=str)),
        ]
        factory: Any = structlog.BytesLoggerFactory(sys.stderr.buffer)
    else:
        processors.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
        factory = structlog.PrintLoggerFactory(sys.stderr)
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        level=max(level, logging.WARNING),
        stream=sys.stderr,
        format="%(levelname)s %(name)s %(message)s",
        force=True,
    )
    # The SDK logs whole request bodies at debug level; nothing of the kind may leave this process.
    for name in ("openai", "httpx2", "httpcore2", "aiohttp", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
