"""Schemas as versioned products: which exist, what they say, how they are found."""

from service.registry.folder import BrokenFolder, Sample, samples, starter
from service.registry.kinds import ChecksumKind
from service.registry.modern import Modern
from service.registry.registry import Registry, Settings
from service.registry.rules import InvalidRules, Rule, parse_rules
from service.registry.schemas import (
    NAME,
    Example,
    InvalidSchema,
    ModelPolicy,
    SchemaName,
    SchemaVersion,
    UnknownSchema,
)

__all__ = [
    "NAME",
    "BrokenFolder",
    "ChecksumKind",
    "Example",
    "InvalidRules",
    "InvalidSchema",
    "ModelPolicy",
    "Modern",
    "Registry",
    "Rule",
    "Sample",
    "SchemaName",
    "SchemaVersion",
    "Settings",
    "UnknownSchema",
    "parse_rules",
    "samples",
    "starter",
]
