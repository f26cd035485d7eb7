"""What the tests of the registry over HTTP stand on."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from conftest import running, settings_for


@pytest.fixture
async def service(sandbox: str, database_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A service with an empty database, once of each kind."""
    async with running(settings_for(sandbox, database_url)) as client:
        yield client
