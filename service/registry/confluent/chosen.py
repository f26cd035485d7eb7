"""Which subjects a list is about, as its query says."""

from collections.abc import Callable

from service.registry.confluent.http import Ask
from service.registry.confluent.names import without_context
from service.registry.snapshot import Entry


def states(ask: Ask) -> Callable[[Entry], bool]:
    """Subjects with live versions; with `deleted` also those without, with `deletedOnly` only these."""
    if only_deleted(ask):
        return lambda entry: bool(entry.kept) and not entry.live
    if ask.flag("deleted"):
        return lambda entry: bool(entry.kept)
    return lambda entry: bool(entry.live)


def only_deleted(ask: Ask) -> bool:
    """`deletedOnly`; confluent-kafka spells it with an underscore."""
    return ask.flag("deletedOnly") or ask.flag("deleted_only")


def prefix(ask: Ask) -> Callable[[str], bool]:
    """Subjects whose names begin with `subjectPrefix`."""
    wanted = without_context(ask.text("subjectPrefix"))
    return (lambda _: False) if wanted is None else (lambda name: name.startswith(wanted))
