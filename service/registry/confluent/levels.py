"""Config and mode, of a subject and of the registry: what the protocol says of them, and what it means here.

Levels and policies are those of the registry, seen and set from both sides. Where nothing was ever set, FULL_TRANSITIVE
by policy RECORDS applies; whoever sets a level here without a policy gets the protocol's own policy, STRICT.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from service.registry.compatibility import LEVELS, POLICIES
from service.registry.confluent.errors import (
    invalid_level,
    invalid_mode,
    no_level,
    no_mode,
    no_subject,
    not_permitted,
    unreadable,
)
from service.registry.confluent.wire import members
from service.registry.publishing import DEFAULT_LEVEL, DEFAULT_POLICY
from service.registry.snapshot import CLOSED, Config, Entry, Mode, Snapshot, effective_mode

MODES: tuple[Mode, ...] = ("READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT")
_LEVEL_NAMES = ("compatibility", "compatibilityLevel")
_KNOWN = frozenset([*_LEVEL_NAMES, "compatibilityPolicy", "compatibilityGroup", "normalize"])
_NOT_SERVED = frozenset(
    [
        "alias",
        "defaultMetadata",
        "overrideMetadata",
        "defaultRuleSet",
        "overrideRuleSet",
        "validateFields",
        "validateNames",
        "validateRules",
    ]
)
_IMPLIED = "impliedPolicy"
_MOST_GROUP = 255


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """What a client wants of a config; None leaves a part as it is."""

    level: str | None = None
    policy: str | None = None
    more: Mapping[str, Any] | None = None

    def of(self, config: Config) -> Config:
        """The config with the change."""
        more = {**config.more, **(self.more or {})}
        policy = self.policy or config.policy
        if self.policy is not None:
            more.pop(_IMPLIED, None)
        if self.level is not None and policy is None:
            policy, more[_IMPLIED] = "STRICT", True
        return Config(self.level or config.level, policy, more)


def config_change(body: Any, *, tolerant: bool) -> ConfigChange:
    """What a body asks for. Raises 42203, 42205, 422."""
    given = members(body, _KNOWN, _NOT_SERVED, tolerant=tolerant)
    if not given:
        raise invalid_level()
    levels = {_word(given[name]) for name in _LEVEL_NAMES if name in given}
    if len(levels) > 1 or not levels <= set(LEVELS):
        raise invalid_level()
    policy = _word(given["compatibilityPolicy"]) if "compatibilityPolicy" in given else None
    if policy is not None and policy not in POLICIES:
        raise invalid_level(f"Invalid compatibility policy. Valid values are {', '.join(POLICIES)}")
    more: dict[str, Any] = {}
    if "normalize" in given:
        if not isinstance(given["normalize"], bool):
            raise unreadable("`normalize` is true or false")
        more["normalize"] = given["normalize"]
    if "compatibilityGroup" in given:
        group = given["compatibilityGroup"]
        if not isinstance(group, str) or len(group) > _MOST_GROUP:
            raise unreadable(f"`compatibilityGroup` is a text of at most {_MOST_GROUP} characters")
        more["compatibilityGroup"] = group
    return ConfigChange(next(iter(levels), None), policy, more)


def _word(value: Any) -> str:
    return value.upper() if isinstance(value, str) else ""


def config_body(config: Config) -> dict[str, Any]:
    """A config as it is shown. The protocol's own policy is not named where nobody named it."""
    shown: dict[str, Any] = {}
    if config.level is not None:
        shown["compatibilityLevel"] = config.level
    if config.policy is not None and not (config.policy == "STRICT" and config.more.get(_IMPLIED)):
        shown["compatibilityPolicy"] = config.policy
    return shown | {name: value for name, value in config.more.items() if name != _IMPLIED and value != ""}


def with_defaults(config: Config) -> Config:
    """The registry's config, with what applies where it says nothing."""
    return replace(config, level=config.level or DEFAULT_LEVEL, policy=config.policy or DEFAULT_POLICY)


def subject_config(snapshot: Snapshot, subject: str, *, or_global: bool) -> Config:
    """What a subject says; with ``or_global`` what applies to it. Raises 40408."""
    entry = snapshot.entries.get(subject)
    own = Config() if entry is None else entry.config
    if or_global:
        common = with_defaults(snapshot.config)
        implied = (common if own.policy is None else own).more.get(_IMPLIED, False)
        more = {**common.more, **own.more, _IMPLIED: implied}
        return Config(own.level or common.level, own.policy or common.policy, more)
    if not config_body(own):
        raise no_level(subject)
    return own


def own_config(entry: Entry | None, subject: str) -> Config:
    """What a subject says, to be forgotten. Raises 40401, 40408."""
    if entry is None:
        raise no_subject(subject)
    if not config_body(entry.config):
        raise no_level(subject)
    return entry.config


def normalizes(snapshot: Snapshot, subject: str) -> bool:
    """Whether schemas of this subject are normalized although the request does not say so."""
    entry = snapshot.entries.get(subject)
    own = None if entry is None else entry.config.more.get("normalize")
    return bool(snapshot.config.more.get("normalize") if own is None else own)


# ------------------------------------------------------------------------------------------------------------------ mode


def mode_in(snapshot: Snapshot, subject: str) -> Mode:
    """The mode in force for a subject."""
    entry = snapshot.entries.get(subject)
    return effective_mode(snapshot.mode, None if entry is None else entry.mode)


def permitted(snapshot: Snapshot, subject: str) -> Mode:
    """The mode in force, where it lets a subject be written to. Raises 42205."""
    mode = mode_in(snapshot, subject)
    if mode in CLOSED:
        raise not_permitted(f"Subject {subject} is in read-only mode")
    return mode


def own_mode(entry: Entry | None, subject: str, *, forget: bool = False) -> Mode:
    """The mode that a subject has of its own. Raises 40409; 40401 where there is nothing to ``forget`` one of."""
    if entry is None and forget:
        raise no_subject(subject)
    if entry is None or entry.mode is None:
        raise no_mode(subject)
    return entry.mode


def wanted_mode(body: Any, *, tolerant: bool) -> Mode:
    """The mode that a body asks for. Raises 42204."""
    given = members(body, frozenset(["mode"]), frozenset(), tolerant=tolerant)
    word = _word(given.get("mode"))
    found = next((mode for mode in MODES if mode == word), None)
    if found is None:
        raise invalid_mode()
    return found


def permit_mode(snapshot: Snapshot, subject: str | None, mode: Mode, *, force: bool) -> None:
    """Importing starts empty, so that ids and versions are free, unless it is forced. Raises 42205."""
    if subject is not None and mode == "READONLY_OVERRIDE":
        raise not_permitted("READONLY_OVERRIDE is a mode of the whole registry, not of a subject")
    if mode != "IMPORT" or force:
        return
    entries = snapshot.entries
    found = entries.values() if subject is None else filter(None, [entries.get(subject)])
    if any(entry.kept for entry in found):
        raise not_permitted("Cannot import since found existing subjects; delete them, or send force=true")
