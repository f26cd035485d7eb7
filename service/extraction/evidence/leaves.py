"""The leaves of a record, and what is being found out about each."""

from collections.abc import Iterator
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
    candidates: list[Candidate] = field(default_factory=list)
    chosen: Candidate | None = None
    margin: float = 1.0
    """How far the chosen place is ahead of the next best."""
    labelled: bool = False
    """Whether a label that fits stands beside the chosen place."""


def walk(data: Any) -> Iterator[Leaf]:
    """Every leaf in document order. Without recursion: records nest as deep as they like."""
    stack: list[tuple[str, Path, Way, Any]] = [("", (), (), data)]
    while stack:
        pointer, path, way, value = stack.pop()
        if isinstance(value, dict):
            stack += [
                (
                    f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}",
                    (*path, name),
                    (*way, name),
                    member,
                )
                for name, member in reversed(value.items())
            ]
        elif isinstance(value, list):
            inner = (*way, "*")
            stack += [
                (f"{pointer}/{at}", (*path, at), inner, value[at]) for at in range(len(value) - 1, -1, -1)
            ]
        else:
            yield Leaf(pointer, path, way, value)
