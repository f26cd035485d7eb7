"""What changes the values that a model writes without changing which records are valid: words, order, examples."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from service.registry.compatibility.report import Difference

_WORDS = ("title", "description", "examples", "default")
_ORDERED = ("properties",)
_MAX = 200


def behaviour(new: Any, old: Any) -> tuple[Difference, ...]:
    """Differences of severity ``behaviour`` between two schemas, at places that both have; at most 200.

    Descriptions are prompts, properties that come and go are asked for or not, and their order is the order in which a
    model writes. None of it is incompatible as such (what breaks readers is said elsewhere); all of it is worth a look,
    and a run of evaluations, before publishing.
    """
    found: list[Difference] = []
    stack: list[tuple[str, Any, Any]] = [("", old, new)]
    while stack and len(found) < _MAX:
        pointer, before, after = stack.pop()
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            found += _node(pointer, before, after)
            shared = [name for name in after if name in before]
            stack += [(f"{pointer}/{_escaped(name)}", before[name], after[name]) for name in reversed(shared)]
        elif isinstance(before, list) and isinstance(after, list):
            pairs = list(zip(before, after, strict=False))
            stack += [(f"{pointer}/{index}", *pair) for index, pair in reversed(list(enumerate(pairs)))]
    return tuple(found[:_MAX])


_BESIDE = {
    "instructions": ("INSTRUCTIONS_CHANGED", "the model is told something else with every document"),
    "rules": ("RULES_CHANGED", "other records pass for right"),
    "examples": ("SHOWN_EXAMPLES_CHANGED", "the model is shown other examples"),
    "policy": ("MODEL_POLICY_CHANGED", "a request that does not say is answered in another way"),
    "evidence": ("EVIDENCE_CHANGED", "a request that does not say gets other evidence"),
}


def beside(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[Difference, ...]:
    """The same for what stands beside the schema, whose pointers begin in the version: members of ``_BESIDE`` by name.

    Items of lists and members of objects are told apart, by their places; at most 200 differences.
    """
    found = [
        Difference(place, kind, "BACKWARD", "behaviour", before, after, message)
        for name, (kind, message) in _BESIDE.items()
        for place, before, after in _places(f"/{name}", old.get(name), new.get(name))
        if before != after
    ]
    return tuple(found[:_MAX])


def _places(pointer: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, list) and isinstance(new, list):
        for index, (before, after) in enumerate(zip_longest(old, new)):
            yield f"{pointer}/{index}", before, after
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys([*old, *new]):
            yield f"{pointer}/{_escaped(name)}", old.get(name), new.get(name)
    else:
        yield pointer, old, new


def _node(pointer: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    found: list[Difference] = []
    inside_names = pointer.rpartition("/")[2] in ("properties", "$defs", "definitions", "patternProperties")
    for word in () if inside_names else _WORDS:
        if before.get(word) != after.get(word):
            found.append(
                _changed(f"{pointer}/{word}", f"{word.upper()}_CHANGED", before.get(word), after.get(word))
            )
    for word in _ORDERED:
        one, other = before.get(word), after.get(word)
        if not isinstance(one, Mapping) or not isinstance(other, Mapping) or inside_names:
            continue
        for name in dict.fromkeys([*one, *other]):
            if (name in one) != (name in other):
                kind = "PROPERTY_ADDED" if name in other else "PROPERTY_REMOVED"
                place = f"{pointer}/{word}/{_escaped(name)}"
                found.append(_changed(place, kind, one.get(name), other.get(name)))
        if _reordered(list(one), list(other)):
            found.append(_changed(f"{pointer}/{word}", "ORDER_CHANGED", list(one), list(other)))
    one, other = before.get("enum"), after.get("enum")
    if (
        isinstance(one, list)
        and isinstance(other, list)
        and _reordered(list(map(repr, one)), list(map(repr, other)))
    ):
        found.append(_changed(f"{pointer}/enum", "ENUM_ORDER_CHANGED", one, other))
    return found


def _reordered(before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether what both have comes in another order."""
    one, other = set(before), set(after)
    return [name for name in before if name in other] != [name for name in after if name in one]


def _changed(pointer: str, kind: str, old: Any, new: Any) -> Difference:
    word = pointer.rpartition("/")[2]
    message = {
        "PROPERTY_ADDED": "the model is asked for one more value",
        "PROPERTY_REMOVED": "the model is asked for one value less",
        "ORDER_CHANGED": "properties come in another order, and a model writes them in that order",
        "ENUM_ORDER_CHANGED": "the values are listed in another order",
    }.get(kind, f"`{word}` has changed, which may change what a model writes")
    return Difference(pointer, kind, "BACKWARD", "behaviour", old, new, message)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
