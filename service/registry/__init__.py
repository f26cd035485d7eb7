"""Schemas as versioned products: which exist, what they say, how they are found."""

from service.registry.folder import BrokenFolder, Sample, samples, starter
from service.registry.registry import Registry, Settings
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
    "Example",
    "InvalidSchema",
    "ModelPolicy",
    "Registry",
    "Sample",
    "SchemaName",
    "SchemaVersion",
    "Settings",
    "UnknownSchema",
    "samples",
    "starter",
]
