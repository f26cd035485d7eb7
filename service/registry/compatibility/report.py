"""What a comparison of schemas says: levels, policies, differences."""

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from typing_extensions import override

Level = Literal[
    "NONE",
    "BACKWARD",
    "BACKWARD_TRANSITIVE",
    "FORWARD",
    "FORWARD_TRANSITIVE",
    "FULL",
    "FULL_TRANSITIVE",
]
"""Which readers must understand which writers' records; ``_TRANSITIVE`` means all earlier versions, not only the last."""

Policy = Literal["RECORDS", "STRICT", "LENIENT"]
"""How strictly a reader reads.

``STRICT`` is set inclusion: every record valid under the writer is valid under the reader, except that a required
property which is new and has a default counts as present. ``LENIENT`` lets properties come and go, as Confluent's table
of that name. ``RECORDS`` reads as consumers of JSON do: members that are not known are passed over, and a property that
admits null counts as optional; everything else is set inclusion.
"""

Direction = Literal["BACKWARD", "FORWARD"]
"""``BACKWARD``: the new schema reads old records. ``FORWARD``: the old schema reads new records."""

Severity = Literal["breaking", "undecided", "behaviour"]
"""``undecided`` counts as breaking: what cannot be compared is not let through."""

LEVELS: tuple[Level, ...] = get_args(Level)
POLICIES: tuple[Policy, ...] = get_args(Policy)


class _NoWitness:
    """Stands where no record was found; null is a record like any other."""

    @override
    def __repr__(self) -> str:
        return "NO_WITNESS"


NO_WITNESS = _NoWitness()


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two schemas.

    ``pointer`` leads into the reader's schema (the new one for ``BACKWARD``, the old one for ``FORWARD``). ``kind`` is a
    word such as ``MAX_LENGTH_DECREASED``, as Confluent has it where it has one. ``old`` and ``new`` are what the two
    schemas say there, None where they say nothing. ``witness`` is a record that the writer may write and the reader
    refuses, ``NO_WITNESS`` where none was found.
    """

    pointer: str
    kind: str
    direction: Direction
    severity: Severity
    old: Any = field(repr=False)
    new: Any = field(repr=False)
    message: str
    witness: Any = field(default=NO_WITNESS, repr=False)
    version: int | None = None
    """The number of the earlier version it was compared with, where the caller gave numbers."""


@dataclass(frozen=True, slots=True)
class Report:
    """Whether a schema may follow others. ``differences`` holds what breaks, never what is merely different."""

    compatible: bool
    differences: tuple[Difference, ...]
