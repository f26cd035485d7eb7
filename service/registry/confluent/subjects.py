"""Subjects and their versions: what each path answers."""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from service.registry import lifecycle
from service.registry.confluent import errors, levels, names, wire
from service.registry.confluent.chosen import only_deleted, prefix, states
from service.registry.confluent.comparing import compare
from service.registry.confluent.http import Answer, Ask, Route
from service.registry.confluent.registering import Matches, look_up, register, understood
from service.registry.registry import Registry
from service.registry.snapshot import Entry, Published
from service.registry.store import Writer


class Subjects:
    """The operations on subjects and versions."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._matches = Matches()

    def routes(self) -> Sequence[Route]:
        """The paths with their methods."""
        subject, version = "/subjects/{subject}", "/subjects/{subject}/versions/{version}"
        compatibility = "/compatibility/subjects/{subject}/versions"
        return [
            Route("GET", "/subjects", self.list_subjects),
            Route("POST", subject, self.look_up),
            Route("DELETE", subject, self.delete_subject),
            Route("GET", f"{subject}/versions", self.list_versions),
            Route("POST", f"{subject}/versions", self.register),
            Route("GET", f"{subject}/metadata", self.latest_with_metadata),
            Route("GET", version, self.show_version),
            Route("DELETE", version, self.delete_version),
            Route("GET", f"{version}/schema", self.show_version_schema),
            Route("GET", f"{version}/referencedby", self.referenced_by),
            Route("POST", compatibility, self.compare_with_all),
            Route("POST", f"{compatibility}/{{version}}", self.compare_with_one),
        ]

    # ----------------------------------------------------------------------------------------------------------- subjects

    async def list_subjects(self, ask: Ask) -> Answer:
        """Subjects by name."""
        chosen = states(ask)
        begins = prefix(ask)
        entries = self._registry.snapshot.entries
        return ask.page(sorted(name for name, entry in entries.items() if begins(name) and chosen(entry)))

    async def look_up(self, ask: Ask) -> Answer:
        """Whether a schema is registered under a subject, and as what."""
        subject = names.plain(ask.at("subject"))
        version, content = await look_up(
            self._registry,
            self._matches,
            subject,
            wire.sent(await ask.json(), tolerant=ask.tolerant),
            normalize=self._normalize(ask, subject),
            deleted=ask.flag("deleted"),
        )
        return wire.version_body(version, content)

    async def register(self, ask: Ask) -> Answer:
        """Register a schema under a subject; the same schema again changes nothing."""
        subject = names.new_subject(ask.at("subject"))
        version = await register(
            self._registry,
            self._matches,
            subject,
            wire.sent(await ask.json(), tolerant=ask.tolerant),
            normalize=self._normalize(ask, subject),
            by=ask.caller,
        )
        return wire.registered_body(version, tolerant=ask.tolerant)

    def _normalize(self, ask: Ask, subject: str) -> bool:
        return ask.flag("normalize") or levels.normalizes(self._registry.snapshot, subject)

    async def delete_subject(self, ask: Ask) -> Answer:
        """Delete all versions; with `permanent` those that were deleted, for good."""
        subject, permanent = names.plain(ask.at("subject")), ask.flag("permanent")

        def write(writer: Writer) -> list[int]:
            entry = writer.entry(subject)
            if entry is None or not entry.kept:
                raise errors.no_subject(subject)
            if permanent and entry.live:
                raise errors.subject_not_deleted(subject)
            if not permanent and not entry.live:
                raise errors.subject_deleted(subject)
            return lifecycle.delete_schema(writer, subject, permanent=permanent)

        return await self._registry.write(write, by=ask.caller)

    # ----------------------------------------------------------------------------------------------------------- versions

    def _entry(self, subject: str, *, deleted: bool = False) -> Entry:
        entry = self._registry.snapshot.entries.get(subject)
        if entry is None or not (entry.kept if deleted else entry.live):
            raise errors.no_subject(subject)
        return entry

    def _found(self, ask: Ask, *, deleted: bool) -> Published:
        """The version in a path. Raises 40401, 40402, 42202."""
        number = names.version_number(ask.at("version"))
        entry = self._entry(names.plain(ask.at("subject")), deleted=deleted)
        if number == names.LATEST:
            return entry.latest or entry.kept[-1]
        found = entry.versions.get(number)
        if found is None or found.gone or not (found.live or deleted):
            raise errors.no_version(number)
        return found

    def _version_body(self, version: Published) -> dict[str, Any]:
        return wire.version_body(version, self._registry.content(version))

    async def list_versions(self, ask: Ask) -> Answer:
        """The numbers of a subject's versions."""
        only = only_deleted(ask)
        deleted = only or ask.flag("deleted")
        entry = self._entry(names.plain(ask.at("subject")), deleted=deleted)
        versions = entry.kept if deleted else entry.live
        return ask.page([version.number for version in versions if not (only and version.live)])

    async def show_version(self, ask: Ask) -> Answer:
        """One version."""
        return self._version_body(self._found(ask, deleted=ask.flag("deleted")))

    async def show_version_schema(self, ask: Ask) -> Answer:
        """Its schema alone."""
        return self._registry.content(self._found(ask, deleted=ask.flag("deleted"))).schema

    async def referenced_by(self, ask: Ask) -> Answer:
        """The ids of the schemas that refer to a version."""
        version = self._found(ask, deleted=True)
        snapshot = self._registry.snapshot

        def find() -> list[int]:
            return sorted(
                id
                for id, users in snapshot.users.items()
                if any(user.live for user in users)
                and b'"references"' in snapshot.contents[id]
                and any(
                    (item.subject, item.version) == (version.name, version.number)
                    for item in snapshot.content(id).references
                )
            )

        return ask.page(await asyncio.to_thread(find))

    async def latest_with_metadata(self, ask: Ask) -> Answer:
        """The newest version whose metadata has all the properties asked for."""
        keys, values = ask.texts("key"), ask.texts("value")
        if not keys or len(keys) != len(values):
            raise errors.malformed("Send as many `key`s as `value`s, and at least one")
        deleted = ask.flag("deleted")
        entry = self._entry(names.plain(ask.at("subject")), deleted=deleted)
        # confluent-kafka encodes both twice.
        wanted = [
            ({key, unquote(key)}, {value, unquote(value)}) for key, value in zip(keys, values, strict=True)
        ]
        for version in reversed(entry.kept if deleted else entry.live):
            content = self._registry.content(version)
            if all(any(content.property(key) in those for key in these) for these, those in wanted):
                return self._version_body(version)
        raise errors.no_schema()

    async def delete_version(self, ask: Ask) -> Answer:
        """Delete a version; with `permanent` one that was deleted, for good."""
        subject, permanent = names.plain(ask.at("subject")), ask.flag("permanent")
        wanted = names.version_number(ask.at("version"))

        def write(writer: Writer) -> int:
            entry = writer.entry(subject)
            if entry is None or not entry.kept:
                raise errors.no_subject(subject)
            version = entry.latest or entry.kept[-1]
            if wanted != names.LATEST:
                chosen = entry.versions.get(wanted)
                if chosen is None or chosen.gone:
                    raise errors.no_version(wanted)
                version = chosen
            if permanent and version.live:
                raise errors.version_not_deleted(subject, version.number)
            if not permanent and not version.live:
                raise errors.version_deleted(subject, version.number)
            lifecycle.delete_version(writer, subject, version.number, permanent=permanent)
            return version.number

        return await self._registry.write(write, by=ask.caller)

    # ------------------------------------------------------------------------------------------------------ compatibility

    async def compare_with_all(self, ask: Ask) -> Answer:
        """Whether a schema may follow the versions that it would be held against."""
        return await self._compare(ask, None)

    async def compare_with_one(self, ask: Ask) -> Answer:
        """Whether a schema may follow one version, in the directions of the level in force."""
        return await self._compare(ask, names.version_number(ask.at("version")))

    async def _compare(self, ask: Ask, number: int | None) -> Answer:
        verbose, subject = ask.flag("verbose"), names.plain(ask.at("subject"))
        sent = wire.sent(await ask.json(), tolerant=ask.tolerant)
        normalize = self._normalize(ask, subject)
        content = await asyncio.to_thread(
            understood, self._registry.snapshot, subject, sent, normalize=normalize
        )
        compatible, messages = await compare(self._registry, subject, content, number=number)
        return {"is_compatible": compatible, "messages": messages if verbose else []}
