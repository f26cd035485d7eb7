"""A reader behind the provider's protocol that first says what it is told to, and when asked again reads rightly.

It reads what it is sent: a value that the document prints and the text that is sent does not is answered as before.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from extraction.evidence.oracles import Text, scorable
from extraction.faulty.spoil import Spoiled, walk
from extraction.long.perfect import fit

from service.documents import Document, Page


class FaultyReader:
    """One document at a time. ``body`` is the request that is being answered: what is asked for stands in it."""

    def __init__(self) -> None:
        self.body: Any = None
        self.first = Spoiled(None)
        self.gold: Any = None
        self.text: Text | None = None
        self.encode: Callable[[Any], Any] = lambda record: record
        self.calls = 0

    def read(self, text: str, images: Sequence[bytes], schema: Mapping[str, Any]) -> Any:
        """The record with its faults; for a repair the right one, or the part of it that is asked for."""
        self.calls += 1
        asked = "\n".join(part.get("text", "") for part in self.body["input"][0]["content"])
        if "<check>" not in asked:
            return self.encode(self.first.record)
        places = dict(
            line.removeprefix("- ").split(" is the record's ", 1)
            for line in asked.partition("<check>")[2].splitlines()
            if " is the record's " in line
        )
        if not places:
            return self.encode(self.gold)
        sent = Text(Document("sha256:0", "text/plain", None, 0, (Page(1, asked.partition("<check>")[0]),)))
        return {
            name: fit(self._at(places[name], sent), member, schema)
            for name, member in schema["properties"].items()
        }

    def _at(self, pointer: str, sent: Text) -> Any:
        steps = tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
        path = _typed(self.gold, steps)
        right, before = _get(self.gold, self.first.source(path)), _get(self.first.record, path)
        if right == before or self.text is None:
            return right
        unseen = [
            value
            for _, value in walk(right)
            if scorable(value) and self.text.prints(value) and not sent.holds(value)
        ]
        return before if unseen else right


def _typed(node: Any, steps: Sequence[str]) -> tuple[str | int, ...]:
    """The steps with numbers where the record has lists."""
    path: list[str | int] = []
    for step in steps:
        if isinstance(node, list) and step.isdigit():
            path.append(int(step))
            node = node[int(step)] if int(step) < len(node) else None
        else:
            path.append(step)
            node = node.get(step) if isinstance(node, dict) else None
            if step == "*":
                return (*path, *steps[len(path) :])
    return tuple(path)


def _get(node: Any, path: Sequence[str | int]) -> Any:
    for at, step in enumerate(path):
        if step == "*":
            return [_get(item, path[at + 1 :]) for item in node or []]
        if isinstance(node, list) and isinstance(step, int) and step < len(node):
            node = node[step]
        elif isinstance(node, dict):
            node = node.get(step)
        else:
            return None
    return node
