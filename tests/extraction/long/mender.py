"""A reader of parts that makes mistakes at first, and reads rightly what it is sent when it is asked again.

It knows which question a text came with: what stands in the request beside the document says whether rows, or which values
of the record, are asked for. A value is given when all the lines it stands in were sent, else it is answered as before.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.extraction.long.perfect import Gold, Path, PerfectReader, fit

Question = tuple[str, str, list[str]]
"""Model, check, and the texts that stood before the document."""


class Mender(PerfectReader):
    """``wrong``: leaves that are misread at first; ``silent``: leaves that no part says; ``drop``: rows left out.

    ``until``: only answers of this model are right; ``skip`` so many questions are answered as before all the same.
    """

    def __init__(
        self,
        gold: Gold,
        *,
        wrong: Mapping[Path, Any] | None = None,
        silent: frozenset[Path] = frozenset(),
        drop: frozenset[Path] = frozenset(),
        until: str = "",
        skip: int = 0,
    ) -> None:
        super().__init__(gold)
        self.gold = gold
        self.wrong, self.silent, self.lacking = wrong or {}, silent, drop
        self.until, self.skip = until, skip
        self.questions: dict[str, Question] = {}
        self.checks: list[str] = []
        self.again: list[str] = []

    def hear(self, body: Mapping[str, Any]) -> None:
        """A request arrives; what it asks is known by the text of its document."""
        texts = [part.get("text", "") for part in body["input"][0]["content"] if part["type"] == "input_text"]
        document = next((text for text in texts if text.startswith("<document>")), "")
        check = next((text for text in texts if text.startswith("<check>")), "")
        before = texts[: texts.index(document)] if document else []
        self.questions[_inside(document)] = body["model"], check, before

    def read(self, text: str, images: Sequence[bytes], schema: Mapping[str, Any]) -> Any:
        model, check, _ = self.questions[_inside(text)]
        with self._lock:
            self.asked.append(text)
            if check:
                self.checks.append(check)
                self.again.append(text)
                self.skip -= 1
            right = bool(check) and self.skip < 0 and model.startswith(self.until)
        covered = self.gold.covered(text)
        places = dict(
            line.removeprefix("- ").split(" is the record's ", 1)
            for line in check.splitlines()
            if " is the record's " in line
        )
        if places:
            return {
                name: fit(self._at(places[name], covered if right else set()), member, schema)
                for name, member in schema["properties"].items()
            }
        if schema["properties"].keys() == {"record", "quotes"}:
            record = self._record(covered, right=right)
            quotes = [{"pointer": pointer, "quote": quote} for pointer, quote in self.quoted(record)]
            return {"record": fit(record, schema["properties"]["record"], schema), "quotes": quotes}
        return fit(self._record(covered, right=right), schema)

    def quoted(self, record: Any) -> list[tuple[str, str]]:
        """What is quoted of the record of a part."""
        return []

    def _record(self, covered: set[int], *, right: bool) -> Any:
        if right:
            return self.gold.record(covered)
        return self._spoiled(lambda gold: gold.record(covered, self.lacking))

    def _spoiled(self, read: Callable[[Gold], Any]) -> Any:
        with self._lock:
            values, spans = dict(self.gold.values), dict(self.gold.spans)
            self.gold.values.update(self.wrong)
            for path in self.silent:
                self.gold.spans.pop(path, None)
            try:
                return read(self.gold)
            finally:
                self.gold.values.clear()
                self.gold.values.update(values)
                self.gold.spans.clear()
                self.gold.spans.update(spans)

    def _at(self, pointer: str, covered: set[int]) -> Any:
        """What stands at a pointer of the right record, as far as its lines were sent; else what was said before."""
        path: Path = tuple(int(step) if step.isdigit() else step for step in pointer.split("/")[1:])
        inside = [leaf for leaf in self.gold.spans if leaf[: len(path)] == path]
        if inside == [path]:
            seen = covered.issuperset(self.gold.spans[path])
            return (
                self.gold.values[path]
                if seen
                else self.wrong.get(path, None if path in self.silent else self.gold.values[path])
            )
        found: dict[Any, Any] = {}
        for leaf in inside:
            if covered.issuperset(self.gold.spans[leaf]):
                value = self.gold.values[leaf]
            elif leaf in self.silent:
                continue
            else:
                value = self.wrong.get(leaf, self.gold.values[leaf])
            node = found
            for step in leaf[len(path) : -1]:
                node = node.setdefault(step, {})
            node[leaf[-1]] = value
        return json.loads(json.dumps(_listed(found))) if found else None


def _listed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(isinstance(step, int) for step in node):
        return [_listed(node[step]) for step in sorted(node)]
    return {step: _listed(child) for step, child in node.items()}


def _inside(text: str) -> str:
    return text.removeprefix("<document>\n").removesuffix("\n</document>").strip()
