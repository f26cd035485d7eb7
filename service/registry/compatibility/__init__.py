"""Whether one version of a schema may follow another, and records of one version for readers of another. Pure.

A map in words: ``words`` reads every draft into one vocabulary; ``facts`` says what follows for a record that meets
several subschemas; ``inclusion`` walks a reader against a writer, with the rules per kind of value in ``scalars``,
``sequences`` and ``objects``; ``check`` is the gate with its levels and policies; ``witness`` finds records that show a
difference; ``behaviour`` lists what changes what a model writes without changing what is valid; ``projection`` makes a
record of one version one of another.
"""

from service.registry.compatibility.behaviour import behaviour, beside
from service.registry.compatibility.check import Limits, check, compare
from service.registry.compatibility.projection import NotProjectable, Projection, project
from service.registry.compatibility.report import (
    LEVELS,
    NO_WITNESS,
    POLICIES,
    Difference,
    Direction,
    Level,
    Policy,
    Report,
)

__all__ = [
    "LEVELS",
    "NO_WITNESS",
    "POLICIES",
    "Difference",
    "Direction",
    "Level",
    "Limits",
    "NotProjectable",
    "Policy",
    "Projection",
    "Report",
    "behaviour",
    "beside",
    "check",
    "compare",
    "project",
]
