"""A perfect reader of what it is sent, for the sandbox: it knows the gold, and gives only what stands in the text it got.

Nothing here uses the product: gold leaves are aligned to the document's full text once, in their order; a text that is
sent is matched to the full text line by line; a leaf is given when all the lines it stands in were sent.
"""

import copy
import hashlib
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Leaf:
    """One value of the gold record, and the pieces of text in which the document prints it, in order."""

    path: Path
    value: Any
    printed: tuple[str, ...]


def squeezed(text: str) -> str:
    """Without differences of white space."""
    return " ".join(text.split())


class Gold:
    """A gold record aligned to a text. Leaves that the text does not print are left out, and counted in ``lost``."""

    def __init__(self, text: str, leaves: Sequence[Leaf], *, ordered: bool = True) -> None:
        self.lines = [squeezed(line) for line in text.split("\n")]
        self.starts: dict[str, list[int]] = {}
        for number, line in enumerate(self.lines):
            if line:
                self.starts.setdefault(line, []).append(number)
        self.spans: dict[Path, tuple[int, ...]] = {}
        self.values: dict[Path, Any] = {}
        self.pieces: dict[Path, tuple[str, ...]] = {}
        """Of texts that go over lines what stands in each."""
        self.concluded: dict[Path, list[tuple[Path, Any]]] = {}
        self.telling: dict[Path, Path] = {}
        """Of a row the leaf without which a reader does not say anything of it."""
        self.lost = 0
        cursors: dict[Any, tuple[int, int]] = {}
        for leaf in leaves:
            group = None if ordered else tuple(step for step in leaf.path if isinstance(step, str))
            at = cursors.get(group, (0, 0))
            found = []
            for piece in leaf.printed:
                place = self._search(squeezed(piece), at)
                if place is None:
                    break
                found.append(place)
                at = place
            if len(found) < len(leaf.printed) or not found:
                self.lost += 1
                continue
            cursors[group] = found[0]  # what a text goes on with stands after the other cells of its row
            self.spans[leaf.path] = tuple(line for line, _ in found)
            self.values[leaf.path] = leaf.value
            if isinstance(leaf.value, str) and leaf.value == " ".join(leaf.printed) and len(found) > 1:
                self.pieces[leaf.path] = leaf.printed

    def note(
        self, path: Path, value: Any, lines: tuple[int, ...] | None, pieces: tuple[str, ...] = ()
    ) -> None:
        """A leaf stands in these lines; None: it is not printed. ``pieces``: what of a text stands in each."""
        if lines is None:
            self.lost += 1
        else:
            self.spans[path], self.values[path] = lines, value
            if len(pieces) == len(lines) > 1:
                self.pieces[path] = pieces

    def conclude(self, row: Path, path: Path, value: Any) -> None:
        """A leaf is not printed: whoever sees any of its row says it."""
        self.concluded.setdefault(row, []).append((path, value))

    def _search(self, piece: str, at: tuple[int, int]) -> tuple[int, int] | None:
        for number in range(at[0], len(self.lines)):
            start = self.lines[number].find(piece, at[1] if number == at[0] else 0)
            if start >= 0:
                return number, start + len(piece)
        return None

    def covered(self, text: str) -> set[int]:
        """The lines of the full text that a sent text holds: as few and as long runs as match it in order."""
        sent = [line for line in (squeezed(line) for line in text.split("\n")) if line]
        found: set[int] = set()
        at = 0
        while at < len(sent):
            best, start = 0, -1
            for candidate in self.starts.get(sent[at], ()):
                length = self._run(sent, at, candidate)
                if length > best:
                    best, start = length, candidate
            if not best:
                if len(sent[at]) > 40:
                    found.update(n for n, line in enumerate(self.lines) if sent[at] in line)
                at += 1
                continue
            number, left = start, best
            while left:
                if self.lines[number]:
                    found.add(number)
                    left -= 1
                number += 1
            at += best
        return found

    def _run(self, sent: list[str], at: int, start: int) -> int:
        length, number = 0, start
        while at + length < len(sent) and number < len(self.lines):
            if not self.lines[number]:
                number += 1
                continue
            if self.lines[number] != sent[at + length]:
                break
            length += 1
            number += 1
        return length

    def record(
        self,
        lines: set[int] | None = None,
        dropped: frozenset[Path] = frozenset(),
        own: frozenset[int] = frozenset(),
    ) -> Any:
        """The record of what stands in these lines (None: in all), without the dropped rows.

        ``own``: of a text that is shown in part, and in these lines, the shown part is read too.
        """
        root: dict[Any, Any] = {}
        seen: set[Path] = set()
        shown = {path for path, span in self.spans.items() if lines is None or lines.issuperset(span)}
        parts = {path: part for path in self.pieces if (part := self._part(path, lines or set(), own))}
        shown |= parts.keys()
        unseen = {row for row, leaf in self.telling.items() if leaf not in shown}
        # A text of several lines is told wherever it is seen, with or without what else its row says.
        texts = parts.keys() | (self.pieces.keys() & shown)
        unseen -= {path[:length] for path in texts for length in range(len(path))}
        for path in self.spans:
            if any(path[: len(row)] == row for row in dropped) if dropped else False:
                continue
            if path in shown and not any(path[:length] in unseen for length in range(len(path))):
                _put(root, path, parts.get(path, self.values[path]))
                seen.update(path[:length] for length in range(1, len(path) + 1))
        for row in self.concluded.keys() & seen if lines is not None or dropped else self.concluded:
            for path, value in self.concluded[row]:
                _put(root, path, value)
        return _listed(root)

    def _part(self, path: Path, lines: set[int], own: frozenset[int]) -> str:
        """Of a text that is shown in part what is shown together; empty when none of it is, or all."""
        span = self.spans.get(path, ())
        seen = [line in lines for line in span]
        if all(seen) or not any(line in own for line in span):
            return ""
        first = next(at for at, line in enumerate(span) if line in own)
        end = start = first
        while start and seen[start - 1]:
            start -= 1
        while end < len(span) and seen[end]:
            end += 1
        return "".join(self._ended(path)[start:end]).strip()

    def _ended(self, path: Path) -> list[str]:
        """The pieces of a text with the white space between them: as in the value."""
        found, value = [], str(self.values[path])
        for piece in self.pieces[path][::-1]:
            at = value.rindex(piece)
            found.append(value[at:])
            value = value[:at]
        return found[::-1]

    def within(self, most: float) -> "Gold":
        """The same without leaves that go over more lines than this, and are not known line by line."""
        kept = copy.copy(self)
        kept.spans = {
            path: span
            for path, span in self.spans.items()
            if span[-1] - span[0] < most or path in self.pieces
        }
        return kept

    def rows(self) -> list[Path]:
        """The paths of all innermost rows."""
        found: dict[Path, None] = {}
        for path in self.spans:
            last = max((place for place, step in enumerate(path) if isinstance(step, int)), default=None)
            if last is not None:
                found[path[: last + 1]] = None
        return list(found)


def _put(root: dict[Any, Any], path: Path, value: Any) -> None:
    node = root
    for step in path[:-1]:
        node = node.setdefault(step, {})
    node[path[-1]] = value


def _listed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(isinstance(step, int) for step in node):
        return [_listed(node[step]) for step in sorted(node)]
    return {step: _listed(child) for step, child in node.items()}


def fit(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """A value as the strict form wants it: null or the absent marker for what is not known."""
    root = schema if root is None else root
    while "$ref" in schema:
        node: Any = root
        for step in schema["$ref"].split("/")[1:]:
            node = node[step.replace("~1", "/").replace("~0", "~")]
        schema = node
    if "anyOf" in schema:
        return _chosen(value, schema["anyOf"], root)
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if value is None:
        if "null" in kinds:
            return None
        if "object" in kinds:
            return {name: fit(None, child, root) for name, child in schema.get("properties", {}).items()}
        if "enum" in schema:
            return schema["enum"][0]
        return (
            {"array": [], "string": "", "boolean": False}.get(kinds[0], 0)
            if "const" not in schema
            else schema["const"]
        )
    if isinstance(value, dict) and "object" in kinds:
        return {
            name: fit(value.get(name), child, root) for name, child in schema.get("properties", {}).items()
        }
    if isinstance(value, dict):  # a map: entries
        return [fit({"key": key, "value": child}, schema["items"], root) for key, child in value.items()]
    if isinstance(value, list):
        return [fit(item, schema["items"], root) for item in value]
    return value


def _chosen(value: Any, choices: Sequence[Mapping[str, Any]], root: Mapping[str, Any]) -> Any:
    def kinds(choice: Mapping[str, Any]) -> set[str]:
        while "$ref" in choice:
            node: Any = root
            for step in choice["$ref"].split("/")[1:]:
                node = node[step.replace("~1", "/").replace("~0", "~")]
            choice = node
        if "anyOf" in choice:
            return set().union(*(kinds(one) for one in choice["anyOf"]))
        kind = choice.get("type")
        if kind == "object" and set(choice.get("properties", {})) == {"absent"}:
            return {"absent"}
        return set(kind) if isinstance(kind, list) else {str(kind)}

    wanted = {
        type(None): ("absent", "null"), dict: ("object", "array"), list: ("array",), str: ("string",), bool: ("boolean",),
        int: ("integer", "number"), float: ("number", "integer"),
    }[type(value)]  # fmt: skip
    for kind in wanted:
        for choice in choices:
            if kind in kinds(choice):
                return {"absent": True} if kind == "absent" else fit(value, choice, root)
    return fit(value, choices[0], root)


class PerfectReader:
    """The reader behind the sandbox's protocol. Texts are told apart by the gold that covers most of them.

    ``drop``: of each document these rows are silently left out. ``swell``: for this share of the texts the first
    answer is padded beyond any budget, so that the provider cuts it. ``fail``: this share fails once, with ``error``.
    """

    def __init__(
        self, *golds: Gold, drop: frozenset[Path] = frozenset(), swell: float = 0.0, fail: float = 0.0,
        error: Callable[[], Exception] | None = None,
    ) -> None:  # fmt: skip
        self.golds = golds
        self.drop = drop
        self.swell, self.fail, self.error = swell, fail, error
        self.asked: list[str] = []
        self._seen: set[str] = set()
        self._lock = threading.Lock()

    def read(self, text: str, images: Sequence[bytes], schema: Mapping[str, Any]) -> Any:
        with self._lock:
            self.asked.append(text)
            digest = hashlib.sha256(text.encode()).hexdigest()
            first = digest not in self._seen
            self._seen.add(digest)
        draw = random.Random(digest)
        if first and draw.random() < self.fail and self.error is not None:
            raise self.error()
        gold = (
            max(self.golds, key=lambda gold: len(gold.covered(text)))
            if len(self.golds) > 1
            else self.golds[0]
        )
        value = fit(gold.record(gold.covered(text), self.drop), schema)
        if first and draw.random() < self.swell:
            return _swollen(value)
        return value


def _swollen(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _swollen(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_swollen(item) for item in value] * 40
    return value


def leaves_of(value: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    """The leaves of a record, in order."""
    if isinstance(value, dict):
        return [leaf for name, child in value.items() for leaf in leaves_of(child, (*path, name))]
    if isinstance(value, list):
        return [leaf for number, child in enumerate(value) for leaf in leaves_of(child, (*path, number))]
    return [] if value is None or value == "" else [(path, value)]
