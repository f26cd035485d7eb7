"""The failing part of a record, cut out of its schema: what a repair asks for instead of the whole record. Pure.

A fragment is a schema of its own with one member per part: a value (``/total``, ``/lines/3/amount``), an item of a list
(``/lines/3``), or one member of every item (``/lines/*/amount``, a list of bare values). What cannot be cut out, because its schema refers to
the whole or depends on its neighbours, is not: then the whole record is asked for.
"""

import copy
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.foundation import jsontext
from service.registry.places import Place, declared

Key = str | int
MAX_PARTS = 12
"""Parts beyond which the whole record is asked for."""

_FEW_IN_ITEM = 2
"""Values of one item that are asked for each by itself; of more, the whole item is."""

_LARGE_SHARE = 0.6
"""Share of the record from which the whole is asked for: it costs as much and says more."""

_PORTABLE = re.compile(r"#/(\$defs|definitions)/")
_NOT_PORTABLE = ("$dynamicRef", "$recursiveRef", "$anchor", "$dynamicAnchor", "$id", "id")


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its name in the fragment, and the steps to it. A None among them stands for every item of a list."""

    name: str
    steps: tuple[Key | None, ...]

    @property
    def pointer(self) -> str:
        """The steps as a pointer; ``*`` for every item."""
        return _pointer(self.steps)

    @property
    def inside(self) -> str:
        """Where what is asked for stands: the item that it is a value of, the list that it is a column of, or itself."""
        steps = self.steps
        if None in steps:
            return _pointer(steps[: steps.index(None)])
        return _pointer(_item(steps) or steps)


@dataclass(frozen=True, slots=True)
class Fragment:
    """What is asked for again. ``schema`` has a member for each part."""

    schema: Mapping[str, Any] = field(repr=False)
    parts: tuple[Part, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """Equal fragments of one schema have equal keys."""
        return tuple(part.pointer for part in self.parts)

    def current(self, record: Any) -> dict[str, Any]:
        """What the record says there now; what it leaves out stays out."""
        found = {part.name: _get(record, part.steps) for part in self.parts}
        return {name: value for name, value in found.items() if value is not _ABSENT}

    def around(self, record: Any) -> dict[str, Any]:
        """The items that single values are asked for of, by pointer: they say which row is meant."""
        items = {item: None for part in self.parts if (item := _item(part.steps)) and item != part.steps}
        return {_pointer(item): _get(record, item) for item in items}

    def graft(self, record: Any, answer: Mapping[str, Any]) -> Any | None:
        """The record with the answer in place of what was there.

        None when a list of bare values has another length than the list it belongs to: then rows are missing, and
        nothing says which.
        """
        result = copy.deepcopy(record)
        for part in self.parts:
            if not _put(result, part.steps, answer.get(part.name, _ABSENT)):
                return None
        return result


def cut(schema: Any, record: Any, pointers: Iterable[str], columns: Iterable[Place] = ()) -> Fragment | None:
    """The fragment that covers the places of a record.

    ``columns`` are members of every item of a list. Of an item more than two values of which fail, the whole is asked
    for; a list that is named itself is asked for whole. None when it cannot be cut out, or when that would ask for most
    of the record.
    """
    if not isinstance(schema, Mapping) or not isinstance(record, dict):
        return None
    wanted = _outermost([*_by_item([_steps(record, one) for one in pointers]), *map(_column, columns)])
    if not wanted or () in wanted or len(wanted) > MAX_PARTS:
        return None
    parts: list[Part] = []
    members: dict[str, Any] = {}
    for steps in wanted:
        found = _subschema(schema, steps)
        if found is None:
            return None
        name = _name(steps, members)
        parts.append(Part(name, steps))
        members[name] = found
    fragment = Fragment(_assembled(schema, members, _optional(schema, parts)), tuple(parts))
    share = len(jsontext.render(fragment.current(record))) / max(len(jsontext.render(record)), 1)
    return None if share > _LARGE_SHARE else fragment


def _assembled(
    schema: Mapping[str, Any], members: dict[str, Any], optional: frozenset[str]
) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    if isinstance(schema.get("$schema"), str):
        whole["$schema"] = schema["$schema"]
    whole |= {
        "type": "object",
        "properties": members,
        "required": [name for name in members if name not in optional],
        "additionalProperties": False,
    }
    if any('"$ref"' in jsontext.render(member).decode() for member in members.values()):
        whole |= {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    return whole


def _steps(record: Any, pointer: str) -> tuple[Key | None, ...]:
    """The steps to ask for: as deep as the record goes."""
    steps: list[Key | None] = []
    node = record
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list) and name.isascii() and name.isdigit() and int(name) < len(node):
            node = node[int(name)]
            steps.append(int(name))
        elif isinstance(node, dict) and name in node:
            node = node[name]
            steps.append(name)
        elif isinstance(node, dict):
            steps.append(name)  # left out: asked for, and put there
            break
        else:
            break
    return tuple(steps)


def _item(steps: tuple[Key | None, ...]) -> tuple[Key | None, ...] | None:
    """The innermost item of a list that steps lead into or to; None outside of lists."""
    last = max((at for at, step in enumerate(steps) if isinstance(step, int)), default=None)
    return None if last is None or None in steps else steps[: last + 1]


def _by_item(wanted: Sequence[tuple[Key | None, ...]]) -> list[tuple[Key | None, ...]]:
    """The same places; whole items instead of many values of one."""
    inside: dict[tuple[Key | None, ...], set[tuple[Key | None, ...]]] = {}
    for steps in wanted:
        item = _item(steps)
        if item is not None:
            inside.setdefault(item, set()).add(steps)
    many = {item for item, places in inside.items() if len(places) > _FEW_IN_ITEM}
    return [item if (item := _item(steps)) in many and item else steps for steps in wanted]


def _pointer(steps: Sequence[Key | None]) -> str:
    return "".join(
        "/" + ("*" if step is None else str(step).replace("~", "~0").replace("/", "~1")) for step in steps
    )


def _column(place: Place) -> tuple[Key | None, ...]:
    """One member of every item; lists in lists, and lists of bare values, are asked for whole."""
    first = place.steps.index(None) if None in place.steps else len(place.steps)
    plain = place.steps.count(None) == 1 and place.steps[-1] is not None
    return tuple(place.steps if plain else place.steps[:first])


def _outermost(wanted: Sequence[tuple[Key | None, ...]]) -> list[tuple[Key | None, ...]]:
    """Each place once, without those inside another one."""
    kept: list[tuple[Key | None, ...]] = []
    for steps in sorted(dict.fromkeys(wanted), key=len):
        if not any(_inside(steps, outer) for outer in kept):
            kept.append(steps)
    return sorted(kept, key=wanted.index)


def _inside(steps: tuple[Key | None, ...], outer: tuple[Key | None, ...]) -> bool:
    return len(steps) >= len(outer) and all(one == other for one, other in zip(steps, outer, strict=False))


def _subschema(schema: Mapping[str, Any], steps: tuple[Key | None, ...]) -> Any | None:
    """The schema of a part; of every item's member a list. None where it does not stand on its own."""
    place = Place(tuple(None if step is None else str(step) for step in steps))
    nodes = declared(schema, place)
    if isinstance(nodes, int):
        return None
    own = _entered(schema, place)
    if own is None or not all(_portable(node) for node in own):
        return None
    found = own[0] if len(own) == 1 else {"anyOf": own}
    return {"type": "array", "items": found} if None in steps else copy.deepcopy(found)


def _entered(schema: Mapping[str, Any], place: Place) -> list[Any] | None:
    """The subschemas that are declared for the last step, as written: with their references unopened."""
    outer = declared(schema, Place(place.steps[:-1]))
    if isinstance(outer, int):
        return None
    found: list[Any] = []
    step = place.steps[-1]
    for node in outer:
        found += [child for child in _direct(node, step) if child not in found]
    return found or None


def _direct(node: Any, step: str | None) -> Iterator[Any]:
    if not isinstance(node, Mapping):
        return
    members = node.get("properties")
    if isinstance(members, Mapping) and step in members:
        yield members[step]
        return
    items, first = node.get("items"), node.get("prefixItems")
    if step is None or step.isdigit():
        if isinstance(items, Mapping) and not first:
            yield items
        return
    rest = node.get("additionalProperties")
    if isinstance(rest, Mapping) and "patternProperties" not in node:
        yield rest


def _portable(node: Any) -> bool:
    """Whether a subschema means the same at another place: it refers to definitions only."""
    stack = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, Mapping):
            reference = one.get("$ref")
            if isinstance(reference, str) and not _PORTABLE.match(reference):
                return False
            if any(isinstance(one.get(keyword), str) for keyword in _NOT_PORTABLE):
                return False
            stack.extend(one.values())
        elif isinstance(one, list):
            stack.extend(one)
    return True


def _optional(schema: Mapping[str, Any], parts: Sequence[Part]) -> frozenset[str]:
    """The parts that the record may leave out."""
    found = set()
    for part in parts:
        last = part.steps[-1]
        if not isinstance(last, str) or None in part.steps:
            continue
        outer = declared(
            schema, Place(tuple(None if step is None else str(step) for step in part.steps[:-1]))
        )
        nodes = () if isinstance(outer, int) else outer
        if not any(isinstance(node, Mapping) and last in (node.get("required") or ()) for node in nodes):
            found.add(part.name)
    return frozenset(found)


def _name(steps: tuple[Key | None, ...], taken: Mapping[str, Any]) -> str:
    words = [re.sub(r"[^A-Za-z0-9_]", "_", str(step)) for step in steps if step is not None]
    name = "_".join(words)[-60:] or "part"
    while name in taken:
        name += "_"
    return name


class Required:
    """Which values a record of a schema must have. Remembers what it was asked: it is asked the same of every record."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._known: dict[str, bool] = {}

    def at(self, pointer: str) -> bool:
        """Whether the record must have a value there that is not null."""
        known = self._known.get(pointer)
        if known is None:
            known = _is_required(self._schema, pointer)
            if len(self._known) < _MOST_KNOWN:
                self._known[pointer] = known
        return known


_MOST_KNOWN = 4096


def _is_required(schema: Any, pointer: str) -> bool:
    steps = tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    if not steps:
        return True
    outer, own = declared(schema, Place(steps[:-1])), declared(schema, Place(steps))
    if isinstance(outer, int) or isinstance(own, int):
        return False
    named = any(isinstance(node, Mapping) and steps[-1] in (node.get("required") or ()) for node in outer)
    return named and not any(isinstance(node, Mapping) and _nullable(node) for node in own)


def _nullable(node: Mapping[str, Any]) -> bool:
    named = node.get("type")
    values = node.get("enum")
    return (
        named == "null"
        or (isinstance(named, list) and "null" in named)
        or (isinstance(values, list) and None in values)
    )


# ------------------------------------------------------------------------------------------------------ reading, putting

_ABSENT: Any = object()


def _get(node: Any, steps: Sequence[Any]) -> Any:
    for index, step in enumerate(steps):
        if step is None:
            rows = [_get(item, steps[index + 1 :]) for item in node] if isinstance(node, list) else []
            return [None if row is _ABSENT else row for row in rows]
        if (isinstance(node, dict) and step in node) or (
            isinstance(node, list) and isinstance(step, int) and step < len(node)
        ):
            node = node[step]
        else:
            return _ABSENT
    return node


def _put(node: Any, steps: Sequence[Any], value: Any) -> bool:
    """Put a value at its place, or take away what is there; False when the rows do not fit."""
    for index, step in enumerate(steps[:-1]):
        if step is None:
            if not isinstance(value, list) or not isinstance(node, list) or len(value) != len(node):
                return False
            return all(_put(item, steps[index + 1 :], row) for item, row in zip(node, value, strict=True))
        node = node[step]
    last: Any = steps[-1]
    if value is not _ABSENT:
        node[last] = value
    elif isinstance(node, dict):
        node.pop(last, None)
    return True
