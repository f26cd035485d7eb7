"""A schema that a prompt spells out: what `json_object` requests rely on instead of a format."""

import json
from collections.abc import Iterable
from typing import Any

__all__ = ["schema_in"]

_ATTEMPTS = 20
_LONGEST = 100_000


def schema_in(texts: Iterable[str]) -> dict[str, Any] | None:
    """The first JSON object among the texts that describes properties, or None."""
    decoder = json.JSONDecoder()
    for text in texts:
        text = text[:_LONGEST]
        position = text.find("{")
        for _ in range(_ATTEMPTS):
            if position < 0:
                break
            try:
                value, _ = decoder.raw_decode(text, position)
            except (ValueError, RecursionError):
                value = None
            if isinstance(value, dict) and isinstance(value.get("properties"), dict):
                return value
            position = text.find("{", position + 1)
    return None
