"""Which types a schema needs, what they are called, and in which order they stand: the same for every language. Pure."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.registry.modern import Modern
from service.registry.types.names import fresh, pascal
from service.registry.types.shapes import OPEN, Array, Goal, Object, Scalar, Shape, Shapes

_DEEPEST = 12
"""Lists and maps inside one another; what lies deeper is anything."""

_MOST_TYPES = 2_000
"""Types with names; beyond, objects are maps. Real schemas have hundreds; conjunctions could make endlessly many."""


@dataclass
class Member:
    """One member of a record: ``type`` is the text of its type."""

    name: str
    type: str
    required: bool
    description: str


@dataclass
class Named:
    """A type with a name: a record with members, or (``alias``) another name for a type."""

    name: str
    title: str = ""
    description: str = ""
    members: list[Member] = field(default_factory=list)
    alias: str | None = None
    needs: set[str] = field(default_factory=set)


class Writer(ABC):
    """Works through a schema: records and recursive types get names and are queued, all else is written inline.

    A language says how types are spelled; nothing here recurses further than ``_DEEPEST`` lists and maps in one another.
    """

    def __init__(self, modern: Modern, reserved: Iterable[str]) -> None:
        self.shapes = Shapes(modern)
        self.taken = set(reserved)
        self._records: dict[Any, str] = {}
        self._aliases: dict[tuple[int, ...], str] = {}
        self._waiting: list[tuple[str, Goal, Object | None]] = []
        self._inside: list[tuple[int, ...]] = []
        self._needs: set[str] = set()

    # What a language says.

    @abstractmethod
    def scalar(self, scalar: Scalar) -> Iterable[str]:
        """A scalar; several texts where several types make it up."""

    @abstractmethod
    def list_of(self, item: str) -> str:
        """A list."""

    @abstractmethod
    def tuple_of(self, items: Sequence[str]) -> str:
        """A list of so many items."""

    @abstractmethod
    def map_of(self, value: str) -> str:
        """An object of any members; the empty text for one that has none."""

    @abstractmethod
    def union_of(self, texts: Sequence[str]) -> str:
        """Any of several types, at least two."""

    @property
    @abstractmethod
    def anything(self) -> str:
        """Any JSON."""

    def prepared(self, shapes: Sequence[Shape]) -> Sequence[Shape]:
        """The alternatives of one type, for a language that cannot tell some from one another."""
        return shapes

    # What all share.

    def run(self, name: str, modern: Modern) -> list[Named]:
        """The types of a schema called ``name``; what others need comes first where that is possible, the root last."""
        goal: Goal = (modern.root,)
        root = self._new_name(name)
        shapes = self.shapes.of(goal)
        if len(shapes) == 1 and isinstance(shapes[0], Object) and shapes[0].names:
            self._records[_record_key(shapes[0])] = root
            self._waiting.append((root, goal, shapes[0]))
        else:
            self._waiting.append((root, goal, None))
        found: dict[str, Named] = {}
        while self._waiting:
            named = self._written(*self._waiting.pop())
            found[named.name] = named
        return _ordered(found, root)

    def _written(self, name: str, goal: Goal, shape: Object | None) -> Named:
        self._needs = set()
        named = Named(name, self.shapes.text(goal, "title"), self.shapes.text(goal, "description"))
        if shape is None:
            self._inside = [self.shapes.key(goal)]
            named.alias = self._texts(goal, name)
        else:
            self._inside = []
            for member in shape.names:
                inner = shape.members.get(member, ())
                text = self.type_of(inner, f"{name}_{member}")
                if text is not None:
                    named.members.append(
                        Member(member, text, member in shape.required, self.shapes.text(inner, "description"))
                    )
        named.needs = self._needs
        return named

    def type_of(self, goal: Goal, hint: str) -> str | None:
        """The text of a goal's type; None where nothing is valid."""
        key = self.shapes.key(goal)
        if key and key in self._inside:
            return self._alias(key, goal, hint)
        if len(self._inside) > _DEEPEST:
            return self.anything
        if key in self._aliases:
            return self._use(self._aliases[key])
        self._inside.append(key)
        try:
            return self._texts(goal, hint)
        finally:
            self._inside.pop()

    def _texts(self, goal: Goal, hint: str) -> str | None:
        shapes = self.shapes.of(goal)
        if not shapes:
            return None
        if set(map(_open, shapes)) == {True} and len(shapes) == len(OPEN):
            return self.anything
        texts: dict[str, None] = {}
        for shape in self.prepared(shapes):
            for text in self._shape(shape, goal, hint):
                texts[text] = None
        return self._union(list(texts))

    def _union(self, texts: Sequence[str]) -> str:
        if self.anything in texts:
            return self.anything
        return texts[0] if len(texts) == 1 else self.union_of(texts)

    def _shape(self, shape: Shape, goal: Goal, hint: str) -> Iterable[str]:
        if isinstance(shape, Scalar):
            return self.scalar(shape)
        if isinstance(shape, Array):
            return [self._array(shape, hint)]
        if shape.names:
            return [self._record(shape, goal, hint)]
        if shape.extra is None:
            return [self.map_of("")]
        values = dict.fromkeys(
            text for extra in shape.extra if (text := self.type_of(extra, f"{hint}_value")) is not None
        )
        return [self.map_of(self._union(list(values)) if values else "")]

    def _array(self, shape: Array, hint: str) -> str:
        hint = f"{hint}_item"
        items = [self.type_of(goal, f"{hint}_{index}") for index, goal in enumerate(shape.prefix, 1)]
        if shape.exact and all(item is not None for item in items):
            return self.tuple_of([item for item in items if item is not None])
        if shape.rest is not None:
            items.append(self.type_of(shape.rest, hint))
        texts = list(dict.fromkeys(item for item in items if item is not None))
        return self.list_of(self._union(texts) if texts else self.anything)

    def _record(self, shape: Object, goal: Goal, hint: str) -> str:
        key = _record_key(shape)
        if key not in self._records and len(self.taken) > _MOST_TYPES:
            return self.map_of("")
        if key not in self._records:
            own = self.shapes.definitions.get(shape.nodes[0]) if len(shape.nodes) == 1 else None
            self._records[key] = self._new_name(own or hint)
            described = (*(self.shapes.known[id] for id in shape.nodes), *goal)
            self._waiting.append((self._records[key], described, shape))
        return self._use(self._records[key])

    def _alias(self, key: tuple[int, ...], goal: Goal, hint: str) -> str:
        if key not in self._aliases and len(self.taken) > _MOST_TYPES:
            return self.anything
        if key not in self._aliases:
            own = next((name for id in key if (name := self.shapes.definitions.get(id))), None)
            self._aliases[key] = self._new_name(own or hint)
            self._waiting.append((self._aliases[key], goal, None))
        return self._use(self._aliases[key])

    def _use(self, name: str) -> str:
        self._needs.add(name)
        return name

    def _new_name(self, base: str) -> str:
        name = fresh(pascal(base), self.taken)
        self.taken.add(name)
        return name


def _open(shape: Shape) -> bool:
    """Whether a shape says nothing but its kind."""
    if isinstance(shape, Scalar):
        return shape.values is None and shape.kind != "integer"
    if isinstance(shape, Array):
        return not shape.prefix and shape.rest == ()
    return not shape.names and shape.extra == ((),)


def _record_key(shape: Object) -> Any:
    return shape.nodes, shape.required, tuple(shape.members)


def _ordered(found: dict[str, Named], root: str) -> list[Named]:
    """Every type after those that it needs, as far as there are no cycles."""
    ordered: dict[str, Named] = {}
    opened: set[str] = set()
    stack = [(root, iter(sorted(found[root].needs)))]
    opened.add(root)
    while stack:
        name, needs = stack[-1]
        below = next((need for need in needs if need not in opened), None)
        if below is None:
            ordered[name] = found[name]
            stack.pop()
        else:
            opened.add(below)
            stack.append((below, iter(sorted(found[below].needs))))
    return list(ordered.values())
