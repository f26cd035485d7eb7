"""The registry as it stands at one change: plain values in memory, read by every request without a query. Pure."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from service.registry.contents import Content, parse_stored
from service.registry.schemas import LATEST, SchemaDeleted, UnknownSchema

Origin = Literal["api", "folder", "confluent", "archive"]
Mode = Literal["READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD"]
"""Of a schema or of the registry; all but READONLY and READONLY_OVERRIDE take writes. The words are Confluent's."""


CLOSED: frozenset[Mode] = frozenset(["READONLY", "READONLY_OVERRIDE"])
"""The modes in which nothing is written."""


def effective_mode(common: Mode, own: Mode | None) -> Mode:
    """The mode in force for a schema: its own, else the registry's, whose READONLY_OVERRIDE goes before everything."""
    return common if own is None or common == "READONLY_OVERRIDE" else own


@dataclass(frozen=True, slots=True)
class Config:
    """Compatibility of one schema or of all; None leaves it to the next one up. ``more`` is the Confluent face's."""

    level: str | None = None
    policy: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As JSON, without what is not set."""
        found: dict[str, Any] = {"level": self.level, "policy": self.policy, "more": dict(self.more)}
        return {name: value for name, value in found.items() if value}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Config":
        """The inverse of ``document``."""
        return cls(document.get("level"), document.get("policy"), document.get("more", {}))


@dataclass(frozen=True, slots=True)
class Published:
    """A version's facts. ``content_id`` is None once it was deleted for good; number and digest are kept for ever.

    ``held``: it was published although it breaks consumers, and does not count as ``latest`` until it is released.
    ``base``: the line of compatibility starts here; older versions are not compared with newer ones.
    """

    name: str
    number: int
    content_id: int | None
    digest: str
    created_at: datetime
    created_by: str
    origin: Origin
    held: bool = False
    base: bool = False
    reason: str | None = None
    deleted_at: datetime | None = None

    @property
    def live(self) -> bool:
        """Whether it can be extracted with."""
        return self.content_id is not None and self.deleted_at is None

    @property
    def gone(self) -> bool:
        """Whether it was deleted for good."""
        return self.content_id is None


@dataclass(frozen=True, slots=True)
class Line:
    """What a version is published with, beside its content."""

    origin: Origin = "api"
    held: bool = False
    reason: str | None = None


@dataclass(frozen=True)
class Entry:
    """One schema: its versions by number (live, deleted softly, and what is left of those deleted for good)."""

    name: str
    versions: Mapping[int, Published]
    aliases: Mapping[str, int]
    labels: Mapping[str, str]
    config: Config
    mode: Mode | None
    created_at: datetime
    created_by: str
    changed: int
    last_version: int
    has_draft: bool = False
    deleted_at: datetime | None = None

    @cached_property
    def live(self) -> tuple[Published, ...]:
        """The versions that can be extracted with, oldest first."""
        return tuple(version for version in self._in_order if version.live)

    @cached_property
    def kept(self) -> tuple[Published, ...]:
        """The live ones and those that can be restored, oldest first."""
        return tuple(version for version in self._in_order if not version.gone)

    @cached_property
    def _in_order(self) -> tuple[Published, ...]:
        return tuple(self.versions[number] for number in sorted(self.versions))

    @cached_property
    def latest(self) -> Published | None:
        """The newest live version that is not held back; where all are, the newest."""
        free = [version for version in self.live if not version.held]
        return free[-1] if free else self.live[-1] if self.live else None

    @cached_property
    def line(self) -> tuple[Published, ...]:
        """The versions that a new one is compared with: live, not held, from the last base on; oldest first."""
        base = max((version.number for version in self.live if version.base), default=0)
        return tuple(version for version in self.live if version.number >= base and not version.held)


@dataclass(frozen=True)
class Snapshot:
    """All schemas at one change. ``contents`` holds the stored JSON text of every content that a version uses."""

    change: int = 0
    config_change: int = 0
    entries: Mapping[str, Entry] = field(default_factory=dict)
    contents: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    config: Config = Config()
    mode: Mode = "READWRITE"

    @cached_property
    def names(self) -> Sequence[str]:
        """Every schema with a live version, sorted."""
        return sorted(name for name, entry in self.entries.items() if entry.live)

    @cached_property
    def users(self) -> Mapping[int, Sequence[Published]]:
        """The versions, live and restorable, that use a content."""
        found: dict[int, list[Published]] = {}
        for entry in self.entries.values():
            for version in entry.kept:
                assert version.content_id is not None  # noqa: S101 - narrows the type: kept versions have contents
                found.setdefault(version.content_id, []).append(version)
        return found

    def content(self, version: Published | int) -> Content:
        """What a version says as its author wrote it; by the version, which must be kept, or by a content's id.

        Work that takes its time holds on to one snapshot: what another one knows may be gone from the newest.
        """
        id = version if isinstance(version, int) else version.content_id
        assert id is not None  # noqa: S101 - narrows the type: only kept versions are asked for
        return Content.of(parse_stored(self.contents[id]))

    def entry(self, name: str, *, deleted: bool = False) -> Entry:
        """A schema with live versions; with ``deleted``, also one without.

        Raises ``UnknownSchema`` with near names, ``SchemaDeleted``.
        """
        found = self.entries.get(name)
        if found is None or not (found.versions or found.has_draft):
            raise UnknownSchema(f"No schema has this name.{self._near(name)} `GET /v1/schemas` lists all.")
        if found.live or (deleted and (found.kept or found.has_draft)):
            return found
        if found.kept:
            raise SchemaDeleted(
                f"Schema {name!r} was deleted; `POST /v1/schemas/{name}/restore` brings it back."
            )
        if found.has_draft:
            raise UnknownSchema(
                f"Schema {name!r} has a draft and no version yet; publish it first: "
                f"`POST /v1/schemas/{name}/draft/publish`."
            )
        raise SchemaDeleted(f"Schema {name!r} was deleted for good; its name can be used for new versions.")

    def find(self, name: str, wanted: str, *, deleted: bool = False) -> Published:
        """The live version behind a number, an alias or ``latest``; with ``deleted``, also one that can be restored.

        Raises ``UnknownSchema``, ``SchemaDeleted``.
        """
        entry = self.entry(name, deleted=deleted)
        found: Published | None
        if wanted == LATEST:
            found = entry.latest
        elif wanted.isdigit():
            digits = wanted.lstrip("0")
            found = entry.versions.get(int(digits)) if 0 < len(digits) < 10 else None
        else:
            found = entry.versions.get(entry.aliases.get(wanted, 0))
        if found is None:
            kind = "version" if wanted.isdigit() else "alias"
            raise UnknownSchema(f"Schema {name!r} has no such {kind}; {_known(entry)}.")
        if not (found.live or (deleted and not found.gone)):
            state = (
                "for good"
                if found.gone
                else f"and `POST /v1/schemas/{name}/versions/{found.number}/restore` brings it back"
            )
            raise SchemaDeleted(
                f"Version {found.number} of schema {name!r} was deleted, {state}; {_known(entry)}."
            )
        return found

    def _near(self, name: str) -> str:
        near = difflib.get_close_matches(
            name[:64].lower().replace("-", "_"), self.names[:5000], n=3, cutoff=0.5
        )
        return f" Did you mean {' or '.join(f'`{item}`' for item in near)}?" if near else ""

    def updated(
        self,
        *,
        change: int,
        entries: Iterable[Entry],
        gone: Iterable[str],
        contents: Mapping[int, bytes],
        config: Config,
        config_change: int,
        mode: Mode,
    ) -> "Snapshot":
        """The same with some entries read anew and some gone; contents that nobody uses any more are dropped."""
        merged = {**self.entries, **{entry.name: entry for entry in entries}}
        for name in gone:
            merged.pop(name, None)
        result = replace(
            self, change=change, entries=merged, config=config, config_change=config_change, mode=mode
        )
        every = {**self.contents, **contents}
        return replace(result, contents={id: every[id] for id in _used(merged.values())})


def _used(entries: Iterable[Entry]) -> Iterator[int]:
    return iter(
        {
            version.content_id
            for entry in entries
            for version in entry.versions.values()
            if version.content_id is not None
        }
    )


def _known(entry: Entry) -> str:
    numbers = [str(version.number) for version in entry.live]
    shown = ", ".join(numbers if len(numbers) <= 6 else [*numbers[:2], "…", *numbers[-3:]])
    latest = entry.latest.number if entry.latest else 0
    aliases = "".join(f", {name!r} is {number}" for name, number in sorted(entry.aliases.items())[:10])
    if len(numbers) == 1:
        return f"it has version {shown}, which is also {LATEST!r}{aliases}"
    return f"it has versions {shown}; {LATEST!r} is {latest}{aliases}"
