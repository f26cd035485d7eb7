r"""The whole registry as one file: JSON lines, the same bytes for the same registry on every database.

The lines, each an object with ``kind`` first, each kind in the order of its key, so that none can stand twice:

    registry   counters, config, mode, and ``format``: the first line
    content    what versions hold, by id
    schema     name, labels, config, mode, the last number given, by name
    version    by name and number; ``content_id`` null for what was deleted for good
    alias      by name and alias
    draft      by name
    change     the history, oldest first
    end        how many lines there were and the SHA-256 of all before: the last line

Ids, numbers, digests, ETags, times and authors are kept. Reading takes one line at a time, checks everything that the
registry itself takes for granted, and only then is anything written.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Annotated, Any, Literal

import jsonschema_rs
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from service.foundation import jsontext
from service.foundation.errors import Fault
from service.registry.compatibility import LEVELS, POLICIES
from service.registry.compatibility.judge import Judge
from service.registry.contents import Content, parse_stored
from service.registry.errors import ArchiveRejected
from service.registry.faults import faults_beside
from service.registry.store import MAX_ID
from service.registry.wire import ContentBody
from service.strict import guess_draft

FORMAT = 1
MEDIA_TYPE = "application/x-ndjson"
MAX_LINE_BYTES = 16 * 1024 * 1024
_MOST_FAULTS = 20
_BATCH = 200

Text = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=1000)]
Subject = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=255)]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=2**62)]
Number = Annotated[int, Field(ge=1, le=999_999_999)]
By = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=128)]
AnyMode = Literal["READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD"]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False, frozen=True)


class _Config(_Line):
    level: str | None = None
    policy: str | None = None
    more: dict[str, Any] = Field(default_factory=dict)


class _Registry(_Line):
    kind: Literal["registry"]
    format: Literal[1]
    change: Count
    content_id: Annotated[int, Field(ge=0, le=MAX_ID)]
    config_change: Count
    config: _Config
    mode: AnyMode


class _Content(_Line):
    kind: Literal["content"]
    id: Annotated[int, Field(ge=1, le=MAX_ID)]
    digest: Digest
    shape_digest: Digest
    body: dict[str, Any]
    created_at: AwareDatetime


class _Schema(_Line):
    kind: Literal["schema"]
    name: Subject
    last_version: Annotated[int, Field(ge=0, le=999_999_999)]
    labels: dict[str, str]
    config: _Config
    mode: AnyMode | None
    changed: Count
    created_at: AwareDatetime
    created_by: By
    deleted_at: AwareDatetime | None


class _Version(_Line):
    kind: Literal["version"]
    name: Subject
    number: Number
    content_id: Annotated[int, Field(ge=1, le=MAX_ID)] | None
    digest: Digest
    held: bool
    base: bool
    reason: Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=1000)] | None
    origin: Literal["api", "folder", "confluent", "archive"]
    created_at: AwareDatetime
    created_by: By
    deleted_at: AwareDatetime | None


class _Alias(_Line):
    kind: Literal["alias"]
    name: Subject
    alias: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
    number: Number


class _Draft(_Line):
    kind: Literal["draft"]
    name: Subject
    revision: Count
    body: dict[str, Any]
    updated_at: AwareDatetime
    updated_by: By


class _Change(_Line):
    kind: Literal["change"]
    change: Count
    part: Annotated[int, Field(ge=0, le=2**31 - 1)]
    at: AwareDatetime
    by: By
    action: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,32}$")]
    name: Subject | None
    number: Annotated[int, Field(ge=0, le=2**31 - 1)] | None
    detail: dict[str, Any]


class _End(_Line):
    kind: Literal["end"]
    lines: Count
    digest: Digest


_KINDS: Mapping[str, type[_Line]] = {
    "registry": _Registry,
    "content": _Content,
    "schema": _Schema,
    "version": _Version,
    "alias": _Alias,
    "draft": _Draft,
    "change": _Change,
    "end": _End,
}
_ORDER = {kind: place for place, kind in enumerate(_KINDS)}
_KEYS: Mapping[str, tuple[str, ...]] = {
    "registry": (),
    "content": ("id",),
    "schema": ("name",),
    "version": ("name", "number"),
    "alias": ("name", "alias"),
    "draft": ("name",),
    "change": ("change", "part"),
    "end": (),
}
_JSON = frozenset(["body", "labels", "config", "detail"])
"""Columns that hold JSON as text."""


# ------------------------------------------------------------------------------------------------------------ writing


class Archive:
    """Writes an archive to a file, row by row."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._lines = 0

    def add(self, kind: str, row: Mapping[str, Any]) -> None:
        """One row of the database as a line."""
        line: dict[str, Any] = {"kind": kind}
        if kind == "registry":
            line["format"] = FORMAT
        line.update((name, _written(name, row[name])) for name in _KINDS[kind].model_fields if name in row)
        self._put(line)

    def close(self) -> None:
        """The last line."""
        self._put({"kind": "end", "lines": self._lines, "digest": f"sha256:{self._digest.hexdigest()}"})

    def _put(self, line: Mapping[str, Any]) -> None:
        text = jsontext.render(line) + b"\n"
        self._file.write(text)
        self._digest.update(text)
        self._lines += 1


def _written(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return parse_stored(value.encode()) if name in _JSON and value is not None else value


# ------------------------------------------------------------------------------------------------------------ reading


@dataclass(frozen=True, slots=True)
class Summary:
    """How much an archive holds."""

    schemas: int
    versions: int
    drafts: int
    changes: int


def rows(file: IO[bytes]) -> Iterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """What is to be inserted, kind by kind in the order of the lines, few at a time; of a file that was checked."""
    file.seek(0)
    kind, batch = "", list[Mapping[str, Any]]()
    for text in file:
        line = parse_stored(text)
        if line["kind"] == "end":
            break
        if batch and (line["kind"] != kind or len(batch) == _BATCH):
            yield kind, batch
            batch = []
        kind = line["kind"]
        # The member order of what stands inside is kept: it is part of what a content says.
        model = _KINDS[kind].model_validate({**line, **{name: {} for name in _JSON if name in line}})
        values = {
            name: getattr(model, name) for name in type(model).model_fields if name not in ("kind", "format")
        }
        values.update((name, jsontext.render(line[name]).decode()) for name in _JSON if name in line)
        batch.append(values)
    if batch:
        yield kind, batch


def check(file: IO[bytes]) -> Summary:
    """Read an archive and make sure of everything. Takes a second for some ten megabytes: run it in a thread.

    Raises ``ArchiveRejected`` with the first twenty faults; a pointer begins with the number of the line, from 1.
    """
    file.seek(0)
    reader = _Reader()
    number = 0
    while text := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        reader.take(number, text)
        if len(reader.faults) >= _MOST_FAULTS or reader.hopeless:
            break
    else:
        reader.finish(number)
    if reader.faults:
        raise ArchiveRejected(
            f"{len(reader.faults)} fault(s) in the archive; nothing was imported.", errors=reader.faults
        )
    return Summary(
        len(reader.schemas), reader.counts["version"], reader.counts["draft"], reader.counts["change"]
    )


@dataclass
class _Reader:
    """What was read so far, as far as later lines have to agree with it."""

    faults: list[Fault] = field(default_factory=list)
    hopeless: bool = False
    """What follows cannot be told apart any more."""
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_KINDS, 0))
    schemas: dict[str, int] = field(default_factory=dict)
    _registry: _Registry | None = None
    _contents: dict[int, str] = field(default_factory=dict)
    _used: set[int] = field(default_factory=set)
    _live: set[tuple[str, int]] = field(default_factory=set)
    _last: tuple[int, tuple[Any, ...]] = (-1, ())
    _digest: Any = field(default_factory=hashlib.sha256)
    _ended: bool = False

    def take(self, number: int, text: bytes) -> None:
        """One line, with its end."""
        if len(text) > MAX_LINE_BYTES:
            self.hopeless = True
            self._fault(number, "", f"The line is longer than {MAX_LINE_BYTES:,} bytes.")
            return
        try:
            line = parse_stored(text)
        except jsontext.MalformedJson as error:
            self._fault(number, "", f"Not a line of JSON: {error}.")
            return
        kind = line.get("kind") if isinstance(line, dict) else None
        if not isinstance(kind, str) or kind not in _KINDS:
            self._fault(number, "/kind", f"One of {', '.join(_KINDS)}.")
            return
        if kind == "registry" and line.get("format") != FORMAT:
            self.hopeless = True
            self._fault(number, "/format", f"This service reads format {FORMAT}.")
            return
        try:
            model = _KINDS[kind].model_validate(line)
        except ValidationError as error:
            for item in error.errors(include_input=False, include_url=False)[:3]:
                self._fault(number, "".join(f"/{step}" for step in item["loc"]), f"{item['msg']}.")
            return
        if (self._registry is None) != (kind == "registry") or self._ended:
            self.hopeless = True
            self._fault(number, "/kind", "The first line, and only it, is `registry`; the last one `end`.")
            return
        key = (_ORDER[kind], tuple(getattr(model, name) for name in _KEYS[kind]))
        if key <= self._last:
            self._fault(number, "", "Lines stand in the order of their kinds and keys, each once.")
        self._last = max(key, self._last)
        self.counts[kind] += 1
        for pointer, detail in self._wrong(model):
            self._fault(number, pointer, detail)
        self._digest.update(text)

    def finish(self, lines: int) -> None:
        """After the last line."""
        if not self._ended:
            self._fault(lines, "", "The archive is cut off: its last line is `end`.")
        for id in self._contents.keys() - self._used:
            self._fault(lines, "", f"No version uses the content {id}.")

    def _fault(self, number: int, pointer: str, detail: str) -> None:
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(Fault(f"/{number}{pointer}", detail))

    def _wrong(self, line: _Line) -> Iterator[tuple[str, str]]:
        match line:
            case _Registry():
                self._registry = line
                return _wrong_config(line.config)
            case _Content():
                return self._wrong_content(line)
            case _Schema():
                self.schemas[line.name] = line.last_version
                return self._wrong_schema(line)
            case _Version():
                return self._wrong_version(line)
            case _Alias() if (line.name, line.number) not in self._live:
                return iter([("/number", "No live version of this name has this number.")])
            case _Draft():
                return self._wrong_draft(line)
            case _Change(change=change) if change > self._counters.change:
                return iter([("/change", "It is after the last change.")])
            case _End():
                return self._wrong_end(line)
        return iter(())

    @property
    def _counters(self) -> _Registry:
        assert self._registry is not None  # noqa: S101 - narrows the type: it is the first line
        return self._registry

    def _wrong_content(self, line: _Content) -> Iterator[tuple[str, str]]:
        self._contents[line.id] = line.digest
        if line.id > self._counters.content_id:
            yield "/id", "It is larger than the last id that was given."
        try:
            content = Content.of(line.body)
            if content.document() != line.body or (content.digest, content.shape_digest) != (
                line.digest,
                line.shape_digest,
            ):
                yield "/digest", "The content is not what its digest says."
                return
            draft = guess_draft(content.complete)
            Judge(content.complete, draft, formats=False)
            yield from ((f"/body{fault.pointer}", fault.detail) for fault in faults_beside(content, draft))
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            RecursionError,
            jsonschema_rs.ValidationError,
        ):
            yield "/body", "This is not the content of a version."

    def _wrong_schema(self, line: _Schema) -> Iterator[tuple[str, str]]:
        if line.changed > self._counters.change:
            yield "/changed", "It is after the last change."
        yield from _wrong_config(line.config)

    def _wrong_version(self, line: _Version) -> Iterator[tuple[str, str]]:
        last = self.schemas.get(line.name)
        if last is None:
            yield "/name", "No schema has this name."
        elif line.number > last:
            yield "/number", "It is larger than the last number that was given."
        if line.content_id is None:
            if line.deleted_at is None:
                yield "/content_id", "A version without content was deleted."
            return
        self._used.add(line.content_id)
        if self._contents.get(line.content_id) != line.digest:
            yield "/content_id", "No content has this id and this digest."
        if line.deleted_at is None:
            self._live.add((line.name, line.number))

    def _wrong_draft(self, line: _Draft) -> Iterator[tuple[str, str]]:
        if line.name not in self.schemas:
            yield "/name", "No schema has this name."
        if line.revision > self._counters.change:
            yield "/revision", "It is after the last change."
        try:
            if ContentBody.of(Content.of(line.body)).content().document() != line.body:
                yield "/body", "This is not the content of a draft."
        except (KeyError, TypeError, ValueError, AttributeError):
            yield "/body", "This is not the content of a draft."

    def _wrong_end(self, line: _End) -> Iterator[tuple[str, str]]:
        self._ended = True
        if line.lines != sum(self.counts.values()) - 1:
            yield "/lines", "Lines are missing, or there are too many."
        if line.digest != f"sha256:{self._digest.hexdigest()}":
            yield "/digest", "The archive was changed since it was written."


def _wrong_config(config: _Config) -> Iterator[tuple[str, str]]:
    if config.level is not None and config.level not in LEVELS:
        yield "/config/level", f"One of {', '.join(LEVELS)}."
    if config.policy is not None and config.policy not in POLICIES:
        yield "/config/policy", f"One of {', '.join(POLICIES)}."
