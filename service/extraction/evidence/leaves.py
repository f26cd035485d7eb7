"""The leaves of a record, and what is being found out about each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.extraction.evidence.candidates import Candidate
from service.extraction.evidence.outline import Way

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Leaf:
    """One value that is not a container."""

    pointer: str
    path: Path
    way: Way
    value: Any = field(repr=False)
    candidates: Sequence[Candidate] = ()
    chosen: Candidate | None = None
    margin: float = 1.0
    """How far the chosen place is ahead of the next best."""
    labelled: bool = False
    """Whether a label that fits stands beside the chosen place."""


def walk(data: Any) -> Iterator[Leaf]:
    """Every leaf in document order. Without recursion: records nest as deep as they like."""
    stack: list[_Open] = []
    if isinstance(data, dict):
        stack.append(("", (), (), iter(data.items())))
    elif isinstance(data, list):
        stack.append(("", (), ("*",), enumerate(data)))
    else:
        yield Leaf("", (), (), data)
    while stack:
        pointer, path, way, members = stack[-1]
        for step, value in members:
            if type(step) is str:
                own, inner = f"{pointer}/{step.replace('~', '~0').replace('/', '~1')}", (*way, step)
            else:
                own, inner = f"{pointer}/{step}", way
            if isinstance(value, dict):
                stack.append((own, (*path, step), inner, iter(value.items())))
                break
            if isinstance(value, list):
                stack.append((own, (*path, step), (*inner, "*"), enumerate(value)))
                break
            yield Leaf(own, (*path, step), inner, value)
        else:
            stack.pop()


_Open = tuple[str, Path, Way, Iterator[tuple[str | int, Any]]]
"""A container that is being walked: its pointer, its path, the way to its items or that of itself, what is left of it."""
