"""What the server says of itself."""

from collections.abc import Sequence

from service.registry.confluent.http import Answer, Ask, Route
from service.registry.confluent.wire import JSON

_CLUSTER = {
    "scope": {
        "path": [],
        "clusters": {"kafka-cluster": "winnow", "schema-registry-cluster": "schema-registry"},
    },
    "id": "winnow",
}


class Server:
    """The operations that need no registry."""

    def __init__(self, version: str) -> None:
        self._version = version

    def routes(self) -> Sequence[Route]:
        """The paths with their methods."""
        return [
            Route("GET", "/", self.root),
            Route("GET", "/schemas/types", self.list_types),
            Route("GET", "/contexts", self.list_contexts),
            Route("GET", "/v1/metadata/id", self.show_cluster),
            Route("GET", "/v1/metadata/version", self.show_version),
        ]

    async def root(self, _: Ask) -> Answer:
        """Clients ask whether anybody is there."""
        return {}

    async def list_types(self, _: Ask) -> Answer:
        """JSON Schema only."""
        return [JSON]

    async def list_contexts(self, ask: Ask) -> Answer:
        """There is one, the default."""
        return ask.page(["."])

    async def show_cluster(self, _: Ask) -> Answer:
        """A name for the whole."""
        return _CLUSTER

    async def show_version(self, _: Ask) -> Answer:
        """Ours, not one of the protocol's own server."""
        return {"version": self._version, "commitId": ""}
