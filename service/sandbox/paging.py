"""Lists in pages, as the provider cuts them: `limit`, `after`, `order`."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.sandbox.errors import above_maximum, bad_type, bad_value, below_minimum

__all__ = ["page_of"]


def page_of(
    rows: Sequence[Mapping[str, Any]],
    query: Mapping[str, str],
    *,
    default_limit: int,
    max_limit: int = 100,
    newest_first: bool = False,
) -> dict[str, Any]:
    """One page of `rows`, which come oldest first. Raises `ProviderError` 400 for odd parameters."""
    limit = _limit(query.get("limit"), default_limit, max_limit)
    order = query.get("order", "desc" if newest_first else "asc")
    if order not in ("asc", "desc"):
        raise bad_value("order", order, ("asc", "desc"))
    ordered = list(rows) if order == "asc" else list(reversed(rows))
    after = query.get("after")
    if after:
        place = next((index for index, row in enumerate(ordered) if row["id"] == after), len(ordered))
        ordered = ordered[place + 1 :]
    page = ordered[:limit]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else "",
        "last_id": page[-1]["id"] if page else "",
        "has_more": len(ordered) > limit,
    }


def _limit(text: str | None, default: int, maximum: int) -> int:
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise bad_type("limit", "an integer", text)
    limit = int(text)
    if limit < 1:
        raise below_minimum("limit", limit, 1)
    if limit > maximum:
        raise above_maximum("limit", limit, maximum)
    return limit
