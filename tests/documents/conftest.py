"""An opened loader, and jobs for parsers called in process."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from service.documents import Loader, Settings
from service.documents.parse import parse
from service.documents.parsed import Job, Parsed


@pytest.fixture
def read() -> Callable[..., Parsed]:
    """A parser in this process: ``read(data, media_type, caps…)``."""

    def call(data: bytes, media_type: str, *, limits: dict[str, Any] | None = None, **options: Any) -> Parsed:
        caps = Settings(**(limits or {})).limits()
        return parse(data, Job(media_type=media_type, limits=caps, **options))

    return call


@pytest.fixture
async def loader() -> AsyncIterator[Loader]:
    """A loader with the default settings and two processes at most."""
    opened = Loader(Settings(workers=2))
    await opened.open()
    yield opened
    await opened.close()
