"""The one mutable version of a schema: put, deleted and published only by those who know what stands there.

A draft's ETag is new with every write. Who names it in ``If-Match`` changes exactly the draft that they read; the
conditions are checked while the registry's lock is held, so of many at once one wins and the others are told.
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from service.foundation.errors import BadRequest, Fault
from service.registry.contents import Content
from service.registry.errors import DraftNotFound, PreconditionFailed, PreconditionRequired
from service.registry.lifecycle import ensure_writable
from service.registry.publishing import publish
from service.registry.registry import Registry
from service.registry.schemas import NAME
from service.registry.snapshot import Published
from service.registry.store import Draft, Writer

_TAG = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|\Z)')


def etag(draft: Draft) -> str:
    """The strong entity tag of a draft, with its quotes."""
    return f'"{draft.revision}"'


@dataclass(frozen=True, slots=True)
class Precondition:
    """What must hold of the draft that is there (RFC 9110 §13.1): ``match`` names tags, ``*`` any; ``absent``: none is."""

    match: frozenset[str] | None = None
    absent: bool = False

    @classmethod
    def of(cls, if_match: str | None, if_none_match: str | None) -> "Precondition":
        """Read the headers. Raises ``BadRequest``."""
        if if_none_match is not None and if_none_match.strip() != "*":
            _refuse("If-None-Match", "Only `*` means something here: that there is no draft yet.")
        match = None if if_match is None else _tags(if_match)
        if match is not None and if_none_match is not None:
            _refuse("If-Match", "With `If-None-Match: *` no draft can match; send one of the two.")
        return cls(match, if_none_match is not None)

    def ensure(self, name: str, draft: Draft | None) -> None:
        """Raise ``PreconditionFailed`` where it does not hold."""
        if self.absent and draft is not None:
            raise PreconditionFailed(
                f"Schema {name!r} has a draft already.",
                errors=[
                    Fault("/header/If-None-Match", "Leave it out, and send the draft's `ETag` in `If-Match`.")
                ],
                members=_now(draft),
            )
        if self.match is None:
            return
        if draft is None:
            raise PreconditionFailed(
                f"Schema {name!r} has no draft (any more).",
                errors=[Fault("/header/If-Match", "Leave it out; `If-None-Match: *` makes a new draft.")],
            )
        if "*" not in self.match and etag(draft) not in self.match:
            raise PreconditionFailed(
                f"The draft of schema {name!r} was changed by {draft.updated_by!r} since.",
                errors=[Fault("/header/If-Match", "Get the draft again and send its `ETag`.")],
                members=_now(draft),
            )


def put(writer: Writer, name: str, content: Content, condition: Precondition) -> tuple[Draft, bool]:
    """Write the draft; whether there was none is the second value. What says the same already stays as it is.

    Raises ``BadRequest`` (name), ``PreconditionFailed``, ``PreconditionRequired``, ``ReadOnly``.
    """
    if not NAME.match(name):
        raise BadRequest(
            "A schema is named like `purchase_order`: a small letter, then small letters, digits, `_` or `-`, at most 64.",
            errors=[Fault("/name", "Choose another name.")],
        )
    ensure_writable(writer, name)
    before = writer.draft(name)
    condition.ensure(name, before)
    if before is not None and condition.match is None:
        raise PreconditionRequired(
            f"Schema {name!r} has a draft; it would be overwritten.",
            errors=[Fault("/header/If-Match", "Send the draft's `ETag`, or `*` for whatever is there.")],
            members=_now(before),
        )
    if before is not None and before.content.document() == content.document():
        return before, False
    draft = writer.put_draft(name, content)
    writer.note("draft", name, None, {"revision": draft.revision})
    return draft, before is None


def discard(writer: Writer, name: str, condition: Precondition) -> None:
    """Delete the draft. Raises ``DraftNotFound``, ``PreconditionFailed``, ``ReadOnly``."""
    ensure_writable(writer, name)
    draft = writer.draft(name)
    condition.ensure(name, draft)
    if draft is None:
        raise DraftNotFound(f"Schema {name!r} has no draft.")
    writer.delete_draft(name)
    writer.drop_unused(name)
    writer.note("delete_draft", name, None, {"revision": draft.revision})


async def read(registry: Registry, name: str) -> Draft:
    """The draft as it stands now. Raises ``UnknownSchema`` with near names, ``DraftNotFound``."""
    found = await registry.store.draft(name)
    if found is None:
        registry.snapshot.entry(name, deleted=True)
        raise DraftNotFound(f"Schema {name!r} has no draft.")
    return found


async def publish_draft(
    registry: Registry, name: str, condition: Precondition, *, breaking: str | None, by: str
) -> tuple[Published, bool]:
    """Publish exactly the draft that the condition names, and remove it, in one transaction.

    The version, and whether it is new: a draft that says what ``latest`` says is only removed. Raises what
    ``publishing.publish`` raises, ``DraftNotFound``, ``PreconditionFailed``, ``PreconditionRequired``.
    """
    draft = await read(registry, name)
    if condition.match is None:
        raise PreconditionRequired(
            f"Say which draft of {name!r} is to be published.",
            errors=[Fault("/header/If-Match", "Send the draft's `ETag`, or `*` for whatever is there.")],
            members=_now(draft),
        )
    condition.ensure(name, draft)

    return await publish(registry, name, draft.content, breaking=breaking, by=by, draft=draft)


def _tags(header: str) -> frozenset[str]:
    """The strong tags of a list, or ``*``. Weak ones never match, so they are left out."""
    if header.strip() == "*":
        return frozenset("*")
    found, at = set(), 0
    while at < len(header) or not header:
        match = _TAG.match(header, at)
        if match is None:
            _refuse("If-Match", 'Send `*`, or the `ETag` with its quotes, such as `"17"`.')
        if not match[1]:
            found.add(f'"{match[2]}"')
        at = match.end()
    return frozenset(found)


def _now(draft: Draft) -> dict[str, str]:
    return {"etag": etag(draft)}


def _refuse(header: str, advice: str) -> NoReturn:
    raise BadRequest(f"The header {header} is not understood.", errors=[Fault(f"/header/{header}", advice)])
