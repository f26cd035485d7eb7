"""What one sandbox is told when it starts: limits, delays, the clock."""

import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of one sandbox; the defaults answer everything at once and never run out of quota."""

    requests_per_minute: int = 30_000
    """Request bucket per key and model; the default is the provider's highest published tier."""
    tokens_per_minute: int = 150_000_000
    """Token bucket per key and model."""
    latency_s: float = 0.0
    """Seconds waited before every generated answer."""
    hang_s: float = 600.0
    """How long `sandbox-hang` keeps a connection before it gives up; the SDK's own timeout is 600 s."""
    token_delay_s: float = 0.0
    """Seconds between two text deltas of a stream."""
    organization: str = "org-sandbox"
    """The organisation that error texts and headers name."""
    allow_lengths: bool = False
    """Accept `minLength` and `maxLength` in strict schemas; reports disagree, so the default refuses."""
    image_patch_budget: int = 6_144
    """Patch budget of gpt-4.1-mini: 6144 (guide of 2026) or 1536 (guide and bills of 2025)."""
    max_body_bytes: int = 64 * 1024 * 1024
    """Largest request body; the provider's files and images stop at 50 MB per request."""
    max_upload_bytes: int = 200 * 1024 * 1024
    """Largest uploaded file: the provider's limit for batches."""
    batch_queue_tokens: int = 15_000_000_000
    """Input tokens that unfinished batches of one model may hold."""
    ledger_entries: int = 10_000
    """How many requests the ledger remembers."""
    clock_speed: float = 1.0
    """How many seconds of provider time pass per second: batches, expiry and windows follow it."""
    webhook_url: str | None = None
    """Where signed events of batches and background responses go; none are sent without it."""
    webhook_secret: str = "whsec_c2FuZGJveC1zZWNyZXQ="  # noqa: S105 - public test value: base64 of "sandbox-secret"
    """Secret that signs webhook events (Standard Webhooks)."""
    now: Callable[[], float] = time.time
    """Unix seconds; tests put their own clock here."""
