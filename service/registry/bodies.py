"""From values to the JSON that clients see."""

import asyncio
from datetime import datetime

from service.foundation.errors import Fault, WinnowError
from service.registry.contents import Content
from service.registry.drafts import etag
from service.registry.publishing import Checked, compared, config_of, difference_body, same_as
from service.registry.registry import Registry
from service.registry.schemas import SchemaVersion
from service.registry.snapshot import Entry, Published, effective_mode
from service.registry.store import Draft
from service.registry.tokens import tokens_of
from service.registry.wire import (
    ChangeBody,
    CheckBody,
    CompatibilityBody,
    ContentBody,
    DifferenceBody,
    DraftBody,
    ExampleBody,
    FaultBody,
    HistoryBody,
    LintBody,
    LossBody,
    ModeInForceBody,
    PolicyBody,
    SchemaDetail,
    SchemaSummary,
    SizeBody,
    TokensBody,
    VersionBody,
)
from service.strict import Loss


def moment(at: datetime) -> str:
    """RFC 3339, UTC."""
    return at.isoformat().replace("+00:00", "Z")


def summary(version: SchemaVersion, entry: Entry) -> SchemaSummary:
    """One line of the list."""
    return SchemaSummary(
        name=version.name,
        version=version.version or 1,
        title=version.title,
        description=version.description,
        digest=version.digest,
        labels=dict(entry.labels),
        deleted_at=None if entry.live or entry.deleted_at is None else moment(entry.deleted_at),
    )


def detail(version: SchemaVersion, entry: Entry) -> SchemaDetail:
    """A version with everything that extracting with it uses. Compiles it: run it in a thread."""
    compiled, refused = None, tuple[Fault, ...]()
    try:
        compiled = version.compiled
    except WinnowError as error:  # other faces of the registry publish what only validators can read
        refused = error.errors or (Fault("", error.detail),)
    return SchemaDetail(
        **summary(version, entry).model_dump(),
        schema=version.schema if version.source is None else version.source,
        bundled=None if version.source is None else version.schema,
        instructions=version.instructions,
        rules=list(version.rules),
        examples=[
            ExampleBody(document=example.document, record=example.record) for example in version.examples
        ],
        policy=PolicyBody.model_validate(version.policy.document()),
        evidence=version.evidence,
        strict=None if compiled is None else compiled.strict,
        losses=[] if compiled is None else [_loss(loss) for loss in compiled.losses],
        refused=[FaultBody(pointer=one.pointer, detail=one.detail) for one in refused],
    )


def version_body(published: Published) -> VersionBody:
    """The facts of a version."""
    return VersionBody(
        name=published.name,
        version=published.number,
        digest=published.digest,
        created_at=moment(published.created_at),
        created_by=published.created_by,
        origin=published.origin,
        held=published.held,
        reason=published.reason,
        deleted_at=None if published.deleted_at is None else moment(published.deleted_at),
    )


async def check_body(registry: Registry, name: str, result: Checked) -> CheckBody:
    """Everything there is to say before publishing, compatibility with the versions before included."""
    compiled = None if result.version is None else result.version.compiled
    tokens = None if result.version is None else await asyncio.to_thread(tokens_of, result.version)
    verdict = None if result.faults else await verdict_body(registry, name, result.content)
    entry = registry.snapshot.entries.get(name)
    latest = None if entry is None else entry.latest
    return CheckBody(
        unchanged=not result.faults and same_as(entry, result.content) is not None,
        latest=None if latest is None else latest.number,
        publishable=not result.faults and (verdict is None or verdict.compatible),
        draft=None if compiled is None else compiled.draft,
        faults=[FaultBody(pointer=one.pointer, detail=one.detail) for one in result.faults],
        lints=[
            LintBody(pointer=one.pointer, rule=one.rule, detail=one.detail, suggestion=one.suggestion)
            for one in result.remarks
        ],
        losses=[] if compiled is None else [_loss(loss) for loss in compiled.losses],
        size=None if compiled is None else SizeBody.model_validate(compiled.stats, from_attributes=True),
        tokens=None if tokens is None else TokensBody.model_validate(tokens, from_attributes=True),
        compatibility=verdict,
    )


async def verdict_body(registry: Registry, name: str, content: Content) -> CompatibilityBody:
    """Whether a content may follow the versions there are, at the level and policy in force."""
    level, policy = config_of(registry, name)
    report = await asyncio.to_thread(compared, registry, name, content, level=level, policy=policy)
    return CompatibilityBody(
        compatible=report.compatible,
        level=level,
        policy=policy,
        differences=[DifferenceBody.model_validate(difference_body(one)) for one in report.differences],
    )


def draft_body(draft: Draft) -> DraftBody:
    """A draft as its author wrote it."""
    return DraftBody(
        name=draft.name,
        etag=etag(draft),
        updated_at=moment(draft.updated_at),
        updated_by=draft.updated_by,
        content=ContentBody.of(draft.content),
    )


def mode_body(registry: Registry, entry: Entry) -> ModeInForceBody:
    """The mode of a schema."""
    return ModeInForceBody(mode=entry.mode, in_force=effective_mode(registry.snapshot.mode, entry.mode))


async def history_body(
    registry: Registry, name: str | None, *, limit: int, cursor: str | None
) -> HistoryBody:
    """A page of the history, newest first, from before the change that ``cursor`` names."""
    before = None
    if cursor is not None:
        change, _, part = cursor.partition(".")
        before = int(change), int(part)
    found = await registry.store.history(name=name, before=before, limit=limit + 1)
    page = found[:limit]
    return HistoryBody(
        changes=[
            ChangeBody(
                name=change.name,
                at=moment(change.at),
                by=change.by,
                action=change.action,
                version=change.number,
                detail=dict(change.detail),
            )
            for change in page
        ],
        next_cursor=f"{page[-1].change}.{page[-1].part}" if len(found) > limit else None,
    )


def _loss(loss: Loss) -> LossBody:
    return LossBody(pointer=loss.pointer, keyword=loss.keyword, detail=loss.detail)
