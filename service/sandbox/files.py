"""`/v1/files`: uploads kept in memory, at most a gigabyte of them (contract section 4.1)."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from service.sandbox.errors import ProviderError, above_maximum, bad_value, below_minimum, missing
from service.sandbox.paging import page_of

__all__ = ["Files", "Held"]

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
_MAX_TOTAL = 1024 * 1024 * 1024
_BATCH_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One file and its bytes."""

    id: str
    filename: str
    purpose: str
    created_at: int
    expires_at: int | None
    content: bytes

    def shown(self) -> dict[str, Any]:
        """The file object on the wire."""
        row: dict[str, Any] = {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": self.created_at,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
        }
        if self.expires_at is not None:
            row["expires_at"] = self.expires_at
        return row


class Files:
    """The files of one sandbox; expired ones are gone when they are next looked for."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._held: dict[str, Held] = {}

    def upload(self, content: bytes | None, filename: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """Keeps an upload. Raises `ProviderError` 400 for missing or odd fields, 413 when memory is full."""
        if content is None:
            raise missing("file")
        purpose = fields.get("purpose")
        if not purpose:
            raise missing("purpose")
        if purpose not in PURPOSES:
            raise bad_value("purpose", purpose, PURPOSES)
        return self.keep(content, filename, purpose, self._lifetime(fields, purpose)).shown()

    @staticmethod
    def _lifetime(fields: Mapping[str, str], purpose: str) -> int | None:
        seconds = fields.get("expires_after[seconds]")
        anchor = fields.get("expires_after[anchor]")
        if anchor is not None and anchor != "created_at":
            raise bad_value("expires_after.anchor", anchor, ("created_at",))
        if seconds is None:
            return _BATCH_DAYS * 86_400 if purpose == "batch" else None
        if not seconds.isascii() or not seconds.isdigit():
            raise bad_value("expires_after.seconds", seconds, ("3600", "2592000"))
        return checked_lifetime(int(seconds[:12]), "expires_after.seconds")

    def keep(self, content: bytes, filename: str, purpose: str, lifetime: int | None) -> Held:
        """Keeps bytes under a fresh id; `lifetime` is in seconds."""
        if sum(len(held.content) for held in self._held.values()) + len(content) > _MAX_TOTAL:
            raise ProviderError(413, "The sandbox keeps at most 1 GB of files: delete some of them first.")
        now = int(self._clock())
        held = Held(
            id=f"file-{secrets.token_hex(12)}",
            filename=filename,
            purpose=purpose,
            created_at=now,
            expires_at=None if lifetime is None else now + lifetime,
            content=content,
        )
        self._held[held.id] = held
        return held

    def held(self, file_id: str) -> Held:
        """A file by id. Raises `ProviderError` 404."""
        held = self._held.get(file_id)
        if held is not None and held.expires_at is not None and held.expires_at <= self._clock():
            del self._held[file_id]
            held = None
        if held is None:
            raise ProviderError(404, f"No such File object: {file_id[:80]}", param="id")
        return held

    def delete(self, file_id: str) -> dict[str, Any]:
        """Forgets a file. Raises `ProviderError` 404."""
        self.held(file_id)
        del self._held[file_id]
        return {"id": file_id, "object": "file", "deleted": True}

    def listing(self, query: Mapping[str, str]) -> dict[str, Any]:
        """The files in pages, newest first, of one purpose when asked."""
        purpose = query.get("purpose")
        rows = [held.shown() for held in self._held.values() if purpose in (None, held.purpose)]
        return page_of(rows, query, default_limit=10_000, max_limit=10_000, newest_first=True)


def checked_lifetime(seconds: int, path: str) -> int:
    """Seconds until expiry, from an hour to thirty days. Raises `ProviderError` 400."""
    if seconds < 3_600:
        raise below_minimum(path, seconds, 3_600)
    if seconds > 2_592_000:
        raise above_maximum(path, seconds, 2_592_000)
    return seconds
