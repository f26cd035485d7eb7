"""The columns in which the leaves of one name of an array's items stand below each other."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from service.extraction.evidence.rows import Spot

LEVEL = 1.5
"""Characters that a place may be out of a column it is in."""


class Column(NamedTuple):
    """The edge that is level, of the places of one name."""

    level_right: bool
    """Whether the right edges are level, rather than the left ones."""
    edge: float
    """Where the level edges are, in characters."""
    spread: float
    """How far from there they are on average."""

    def apart(self, spot: Spot) -> float:
        """How far a spot is out of the column."""
        return abs((spot.right if self.level_right else spot.left) - self.edge)


def lined_up(spots: Sequence[Spot]) -> Column | None:
    """The column of places of one name in several items; None for a single one."""
    if len(spots) < 2:
        return None
    left, right = median([spot.left for spot in spots]), median([spot.right for spot in spots])
    off_left = sum([abs(spot.left - left) for spot in spots])
    off_right = sum([abs(spot.right - right) for spot in spots])
    level = off_right < off_left
    return Column(level, right if level else left, min(off_left, off_right) / len(spots))
