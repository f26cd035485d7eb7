"""What values a schema admits, in the terms that types of programming languages have. Pure.

A *goal* is a conjunction of subschemas. Its *shapes* are the alternatives for its values: scalars, arrays and objects,
with the members of all parts of the conjunction together. Shapes are never narrower than the schema: every valid value
is of one of them. What types cannot say (bounds, patterns, `not`, conditions) is left to validation.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from service.registry.modern import Modern

Node = Any
"""A subschema of a `Modern`: an object or a boolean."""

Goal = tuple[Node, ...]
Kind = Literal["null", "boolean", "integer", "number", "string"]

_MOST_SHAPES = 48
"""Alternatives of one goal; where a conjunction would have more, one of its parts is enough."""

_MOST_PARTS = 8
"""Subschemas that a member's conjunction is made of."""

_DEEPEST = 30
"""Choices within choices; what lies deeper, or leads back to itself, is anything."""


@dataclass(frozen=True)
class Scalar:
    """``values`` are the only ones, where the schema lists them."""

    kind: Kind
    values: tuple[Any, ...] | None = None
    format: str | None = None


@dataclass(frozen=True)
class Array:
    """``prefix``, then any number of ``rest`` (None: nothing more); between ``least`` and ``most`` items in all."""

    prefix: tuple[Goal, ...] = ()
    rest: Goal | None = ()
    least: int = 0
    most: int | None = None

    @property
    def exact(self) -> bool:
        """Whether there are exactly the items of the prefix."""
        count = len(self.prefix)
        return count > 0 and self.least >= count and (self.rest is None or self.most == count)


@dataclass(frozen=True)
class Object:
    """Named members, and what the others may be: one of ``extra`` (None: there are no others).

    ``nodes`` are the subschemas that say something of it, by identity.
    """

    members: Mapping[str, Goal] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    extra: tuple[Goal, ...] | None = ((),)
    nodes: tuple[int, ...] = ()

    @property
    def names(self) -> Sequence[str]:
        """Every member that has a name: declared, or required without being declared."""
        return [*self.members, *sorted(self.required - set(self.members))]


Shape = Scalar | Array | Object
OPEN: tuple[Shape, ...] = (
    Object(),
    Array(),
    Scalar("string"),
    Scalar("number"),
    Scalar("boolean"),
    Scalar("null"),
)
"""Any JSON."""

_OBJECT_WORDS = ("properties", "required", "additionalProperties", "patternProperties")


class Shapes:
    """The shapes of goals in one schema."""

    def __init__(self, modern: Modern) -> None:
        self.modern = modern
        self.definitions = {id(schema): name for name, schema in modern.definitions.items()}
        self.known: dict[int, Node] = {}
        """Every subschema that was looked at, by identity."""
        self._memo: dict[tuple[int, ...], tuple[Shape, ...]] = {}
        self._above: set[tuple[int, ...]] = set()

    def of(self, goal: Goal) -> tuple[Shape, ...]:
        """The alternatives for values of a goal; none where nothing is valid."""
        key = self.key(goal)
        if key not in self._memo:
            if key in self._above or len(self._above) > _DEEPEST:
                return OPEN
            self._above.add(key)
            try:
                self._memo[key] = _simplified(self._of(goal))
            finally:
                self._above.discard(key)
        return self._memo[key]

    def key(self, goal: Goal) -> tuple[int, ...]:
        """Equal for goals of the same subschemas; references count as what they lead to."""
        return tuple(sorted({id(node) for node in self.parts(goal)} - {id(True)}))

    def parts(self, goal: Goal) -> list[Node]:
        """The subschemas of a conjunction, with what they refer to and their `allOf`, each once."""
        found: list[Node] = []
        seen: set[int] = set()
        waiting = list(reversed(goal))
        while waiting:
            node = waiting.pop()
            if isinstance(node, dict) and id(node) in seen:
                continue
            seen.add(id(node))
            self.known[id(node)] = node
            if node is not True:
                found.append(node)
            if isinstance(node, dict):
                waiting.extend(reversed(node.get("allOf", [])))
                if "$ref" in node:
                    waiting.append(self.modern.target(node["$ref"]))
        return found

    def text(self, goal: Goal, keyword: str) -> str:
        """The first `title` or `description` of a conjunction."""
        for node in self.parts(goal):
            if isinstance(node, dict) and isinstance(node.get(keyword), str) and node[keyword].strip():
                return str(node[keyword]).strip()
        return ""

    def _of(self, goal: Goal) -> tuple[Shape, ...]:
        found = OPEN
        for node in self.parts(goal):
            if node is False:
                return ()
            found = _meet(found, _own(node))
            for word in ("anyOf", "oneOf"):
                if word in node:
                    options = [shape for option in node[word] for shape in self.of((option,))]
                    found = _meet(found, _simplified(options))
        return found


def _own(node: Mapping[str, Any]) -> tuple[Shape, ...]:
    """What a subschema says by itself."""
    kinds = node.get("type", ["object", "array", "string", "number", "boolean", "null"])
    wanted = {kinds} if isinstance(kinds, str) else set(kinds)
    values = [node["const"]] if "const" in node else node.get("enum")
    return tuple(_shapes(node, wanted, values))


def _shapes(node: Mapping[str, Any], wanted: set[str], values: Sequence[Any] | None) -> Iterator[Shape]:
    if "object" in wanted and (values is None or any(isinstance(value, dict) for value in values)):
        yield _object(node)
    if "array" in wanted and (values is None or any(isinstance(value, list) for value in values)):
        yield _array(node)
    if "string" in wanted:
        yield from _scalar("string", values, node.get("format"))
    if "number" in wanted or "integer" in wanted:
        yield from _scalar("number" if "number" in wanted else "integer", values)
    if "boolean" in wanted:
        yield from _scalar("boolean", values)
    if "null" in wanted:
        yield from _scalar("null", values)


def _scalar(kind: Kind, values: Sequence[Any] | None, format: Any = None) -> Iterator[Scalar]:
    if values is None:
        yield Scalar(kind, None, format)
        return
    fitting = tuple(dict.fromkeys(value for value in values if _is(kind, value)))
    if kind == "null" and fitting:
        yield Scalar("null")
    elif fitting:
        yield Scalar(kind, fitting)


def _is(kind: Kind, value: Any) -> bool:
    if kind == "null":
        return value is None
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "string":
        return isinstance(value, str)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _object(node: Mapping[str, Any]) -> Object:
    if not any(word in node for word in _OBJECT_WORDS):
        return Object()
    others: list[Goal] = [(schema,) for schema in node.get("patternProperties", {}).values()]
    rest = node.get("additionalProperties", True)
    if rest is not False:
        others.append((rest,))
    return Object(
        members={name: (schema,) for name, schema in node.get("properties", {}).items()},
        required=frozenset(name for name in node.get("required", []) if isinstance(name, str)),
        extra=tuple(others) if others else None,
        nodes=(id(node),),
    )


def _array(node: Mapping[str, Any]) -> Array:
    rest = node.get("items", True)
    most = node.get("maxItems")
    return Array(
        prefix=tuple((schema,) for schema in node.get("prefixItems", [])),
        rest=None if rest is False else () if rest is True else (rest,),
        least=int(node.get("minItems", 0)),
        most=None if most is None else int(most),
    )


# ------------------------------------------------------------------------------------------------------- conjunctions


def _meet(first: Iterable[Shape], second: Iterable[Shape]) -> tuple[Shape, ...]:
    """The shapes of what is of both, or a little more."""
    ones, others = tuple(first), tuple(second)
    if others == OPEN:
        return ones
    found = [shape for one in ones for other in others for shape in _both(one, other)]
    if len(found) <= _MOST_SHAPES:
        return tuple(found)
    kinds = {type(other) if not isinstance(other, Scalar) else other.kind for other in others}
    return tuple(one for one in ones if (one.kind if isinstance(one, Scalar) else type(one)) in kinds)


def _both(one: Shape, other: Shape) -> Iterator[Shape]:
    match one, other:
        case Scalar(), Scalar():
            yield from _both_scalars(one, other)
        case Array(), Array():
            yield _both_arrays(one, other)
        case Object(), Object():
            yield _both_objects(one, other)
        case _:
            pass


def _both_scalars(one: Scalar, other: Scalar) -> Iterator[Scalar]:
    kinds = {one.kind, other.kind}
    if len(kinds) > 1 and kinds != {"integer", "number"}:
        return
    kind: Kind = "integer" if "integer" in kinds else one.kind
    values = one.values if other.values is None else other.values
    if one.values is not None and other.values is not None:
        values = tuple(value for value in one.values if value in other.values)
    formats = {one.format, other.format} - {None}
    if values != ():
        yield Scalar(kind, values, formats.pop() if len(formats) == 1 else None)


def _both_arrays(one: Array, other: Array) -> Array:
    prefix: list[Goal] = []
    rest = None if one.rest is None or other.rest is None else _joined(one.rest, other.rest)
    for index in range(max(len(one.prefix), len(other.prefix))):
        items = [array.prefix[index] if index < len(array.prefix) else array.rest for array in (one, other)]
        if items[0] is None or items[1] is None:
            rest = None
            break
        prefix.append(_joined(items[0], items[1]))
    mosts = [array.most for array in (one, other) if array.most is not None]
    return Array(tuple(prefix), rest, max(one.least, other.least), min(mosts, default=None))


def _joined(one: Goal, other: Goal) -> Goal:
    """Both conjunctions, each part once; of very many the first ones, which admit more than all."""
    return tuple({id(node): node for node in (*one, *other)}.values())[:_MOST_PARTS]


def _both_objects(one: Object, other: Object) -> Object:
    members = dict(one.members)
    for name, goal in other.members.items():
        members[name] = _joined(members.get(name, ()), goal)
    extra = one.extra if other.extra == ((),) else other.extra
    if one.extra is None:
        extra = None
    nodes = tuple(dict.fromkeys((*one.nodes, *other.nodes)))
    return Object(members, one.required | other.required, extra, nodes)


def _simplified(shapes: Iterable[Shape]) -> tuple[Shape, ...]:
    """Alternatives of one type as one: objects that differ only in what they require, scalars of one kind."""
    found: list[Shape] = []
    known: dict[Any, int] = {}
    for shape in shapes:
        if isinstance(shape, Scalar):
            _add_scalar(found, shape)
            continue
        key = _identity(shape)
        if key not in known:
            known[key] = len(found)
            found.append(shape)
        elif isinstance(shape, Object):
            same = found[known[key]]
            assert isinstance(same, Object)  # noqa: S101 - narrows the type: the keys of arrays and objects differ
            found[known[key]] = replace(same, required=same.required & shape.required)
    return tuple(found)


def _add_scalar(found: list[Shape], scalar: Scalar) -> None:
    """Add a scalar, or put it together with one that it cannot be told from without loss."""
    for index, known in enumerate(found):
        if not isinstance(known, Scalar) or known.kind != scalar.kind:
            continue
        if known.values is not None and scalar.values is not None:
            found[index] = Scalar(known.kind, tuple(dict.fromkeys((*known.values, *scalar.values))))
            return
        if known.format == scalar.format or _loose(known) or _loose(scalar):
            found[index] = Scalar(known.kind, None, known.format if known.format == scalar.format else None)
            return
    found.append(scalar)


def _loose(scalar: Scalar) -> bool:
    return scalar.values is None and scalar.format is None


def _identity(shape: Array | Object) -> Any:
    """Equal for shapes that the same subschemas describe in the same way; values of schemas are not compared."""
    if isinstance(shape, Array):
        rest = None if shape.rest is None else _ids(shape.rest)
        return tuple(_ids(goal) for goal in shape.prefix), rest, shape.least, shape.most
    extra = None if shape.extra is None else tuple(_ids(goal) for goal in shape.extra)
    return frozenset((name, _ids(goal)) for name, goal in shape.members.items()), extra


def _ids(goal: Goal) -> tuple[int, ...]:
    return tuple(id(node) for node in goal)
