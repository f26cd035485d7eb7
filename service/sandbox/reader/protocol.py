"""What fills a submitted schema: the seam behind which tests put scripted answers."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

__all__ = ["Reader"]


class Reader(Protocol):
    """Fills a schema from what a request carries."""

    def read(self, text: str, images: Sequence[bytes], schema: Mapping[str, Any]) -> Any:
        """A JSON value that validates against `schema`, read from the text and images of one request."""
        ...
