"""Schemas by their ids: what each path answers."""

import asyncio
from collections.abc import Sequence

from service.registry.confluent import errors, names, wire
from service.registry.confluent.chosen import prefix
from service.registry.confluent.http import Answer, Ask, Route
from service.registry.registry import Registry
from service.registry.snapshot import Published


class Ids:
    """The operations on schemas, whoever published them."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._guids: tuple[int, dict[str, int]] = (-1, {})

    def routes(self) -> Sequence[Route]:
        """The paths with their methods."""
        return [
            Route("GET", "/schemas", self.list_schemas),
            Route("GET", "/schemas/ids/{id}", self.show_schema),
            Route("GET", "/schemas/ids/{id}/schema", self.show_schema_text),
            Route("GET", "/schemas/ids/{id}/subjects", self.subjects_of_schema),
            Route("GET", "/schemas/ids/{id}/versions", self.versions_of_schema),
            Route("GET", "/schemas/guids/{guid}", self.show_schema_by_guid),
            Route("GET", "/schemas/guids/{guid}/ids", self.ids_of_guid),
        ]

    async def list_schemas(self, ask: Ask) -> Answer:
        """Every version of every subject, in the form of `show_version`."""
        begins, deleted, latest = prefix(ask), ask.flag("deleted"), ask.flag("latestOnly")
        snapshot = self._registry.snapshot
        found: list[Published] = []
        for name in sorted(filter(begins, snapshot.entries)):
            entry = snapshot.entries[name]
            versions = entry.kept if deleted else entry.live
            found += [entry.latest or versions[-1]] if latest and versions else versions
        chosen = ask.page(found)

        def bodies() -> Answer:
            return [wire.version_body(version, snapshot.content(version)) for version in chosen]

        return await asyncio.to_thread(bodies)

    def _id(self, ask: Ask) -> int:
        """The id in a path. Raises 40403.

        `subject` only says where clients came across it: records outlive the names of what they were sent to.
        """
        id = names.schema_id(ask.at("id"))
        if id not in self._registry.snapshot.users:
            raise errors.no_schema(id)
        return id

    def _users(self, ask: Ask) -> list[Published]:
        """The versions that have the id in a path, by subject. Raises 40403."""
        users = self._registry.snapshot.users[self._id(ask)]
        subject, deleted = names.plain(ask.text("subject")), ask.flag("deleted")
        mine = [one for one in users if (deleted or one.live) and subject in ("", one.name)]
        return sorted(mine, key=lambda one: (one.name, one.number))

    async def show_schema(self, ask: Ask) -> Answer:
        """The schema behind an id, also of a version that was deleted softly: records with it are still about."""
        body = wire.schema_body(self._registry.content(self._id(ask)))
        if ask.flag("fetchMaxId"):
            body["maxId"] = max(self._registry.snapshot.contents)
        return body

    async def show_schema_text(self, ask: Ask) -> Answer:
        """The same without anything around it."""
        return self._registry.content(self._id(ask)).schema

    async def subjects_of_schema(self, ask: Ask) -> Answer:
        """The subjects that have a version with this id."""
        return ask.page(list(dict.fromkeys(one.name for one in self._users(ask))))

    async def versions_of_schema(self, ask: Ask) -> Answer:
        """The versions with this id."""
        return ask.page([{"subject": one.name, "version": one.number} for one in self._users(ask)])

    def _id_of(self, ask: Ask) -> int:
        snapshot = self._registry.snapshot
        if self._guids[0] != snapshot.change:
            by_guid = {wire.guid(users[0].digest): id for id, users in snapshot.users.items()}
            self._guids = (snapshot.change, by_guid)
        guid = ask.at("guid")
        id = self._guids[1].get(guid.lower())
        if id is None:
            raise errors.no_schema(guid)
        return id

    async def show_schema_by_guid(self, ask: Ask) -> Answer:
        """The schema behind a guid."""
        return wire.schema_body(self._registry.content(self._id_of(ask)))

    async def ids_of_guid(self, ask: Ask) -> Answer:
        """A guid has one id here, for there is one context."""
        return [{"context": ".", "id": self._id_of(ask)}]
