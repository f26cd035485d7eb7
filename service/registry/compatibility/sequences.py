"""The reader's rules for arrays."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from service.registry.compatibility.differing import differ
from service.registry.compatibility.facts import Case, Facts, within
from service.registry.compatibility.reach import forms
from service.registry.compatibility.scalars import sizes
from service.registry.compatibility.scope import Break, Scope
from service.registry.compatibility.words import Node

_MAX_COUNTED = 64


def arrays(scope: Scope) -> list[Break]:
    """``prefixItems`` and ``items``, their number, ``contains``, ``uniqueItems``."""
    facts, words = scope.facts, scope.words
    if "array" not in facts.kinds:
        return []
    longest = _longest(scope)
    found = _counts(scope, longest)
    for index, node in enumerate(words.prefix):
        if longest is None or index < longest:
            broken = scope.inside(facts.item(index), node, _item(index))
            declared = index < facts.length_of_prefix()
            found += broken if declared else _added(scope, index, broken)
    found += _rest(scope, longest)
    if words.unique and not facts.unique and (longest is None or longest > 1):
        found.append(
            scope.broken("uniqueItems", "UNIQUE_ITEMS_ADDED", "equal items may be written", False, True)
        )
    elif words.unique and scope.how == "RECORDS" and not _stay_apart(scope):
        message = "items that differ may become equal when they are read as the reader knows them"
        found.append(scope.broken("uniqueItems", "UNIQUE_ITEMS_ADDED", message, True, True))
    if words.contains is not None:
        found += _contains(scope, longest)
    return found


def _item(index: int | None) -> Callable[[Facts], Case | None]:
    return lambda told: told.item(index)


def _stay_apart(scope: Scope) -> bool:
    """Whether items that differ certainly still do when they are projected."""
    facts, told, walk = scope.facts, scope.facts_of_whole(), scope.walk
    length = max(facts.length_of_prefix(), told.length_of_prefix())
    if not length:
        return differ(walk, facts.item(None), told.item(None))
    places = [(facts.item(index), told.item(index)) for index in (*range(length), None)]
    return all(
        walk.unchanged(case or Case(frozenset()), node)
        for case, read in places
        if read
        for node in read.holds
    )


def _longest(scope: Scope) -> int | None:
    """The most items that may be written."""
    facts = scope.facts
    most = facts.size("maxItems")
    for index in range(min(facts.length_of_prefix(), _MAX_COUNTED)):
        if scope.is_empty(facts.item(index)):
            return index if most is None else min(index, most)
    if scope.is_empty(facts.item(None)):
        prefix = facts.length_of_prefix()
        return prefix if most is None else min(prefix, most)
    return most


def _counts(scope: Scope, longest: int | None) -> list[Break]:
    if longest is None:
        return sizes(scope, "Items", "ITEMS")
    known = replace(scope.facts, sizes={**scope.facts.sizes, "maxItems": longest})
    return sizes(replace(scope, facts=known), "Items", "ITEMS")


def _added(scope: Scope, index: int, broken: list[Break]) -> list[Break]:
    if not broken:
        return []
    open_ = scope.facts.item(None) is None
    kind = (
        "ITEM_ADDED_TO_OPEN_CONTENT_MODEL"
        if open_
        else "ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
    )
    return [
        scope.broken(
            f"prefixItems/{index}",
            kind,
            "an item that is not described may be written here, and is not always read",
        ),
        *broken,
    ]


def _rest(scope: Scope, longest: int | None) -> list[Break]:
    """Items behind the reader's prefix."""
    facts, words = scope.facts, scope.words
    node = words.items
    if node is None:
        return []
    found: list[Break] = []
    first, last = len(words.prefix), facts.length_of_prefix()
    for index in range(first, last):
        if longest is not None and index >= longest:
            break
        broken = scope.inside(facts.item(index), node, _item(index))
        if broken:
            closed = node.source.words(node).never
            kind = (
                "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL"
                if closed
                else "ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
            )
            found.append(scope.broken("items", kind, f"item {index} may be written, and is not read"))
            found += [] if closed else broken
    if longest is None or longest > max(first, last):
        broken = scope.inside(facts.item(None), node, _item(None))
        if broken and node.source.words(node).never:
            broken = [
                scope.broken(
                    "items", "ADDITIONAL_ITEMS_REMOVED", "further items may be written, and none are read"
                )
            ]
        found += broken
    return found


def _contains(scope: Scope, longest: int | None) -> list[Break]:
    assert scope.words.contains is not None  # noqa: S101 - narrows the type: the caller looked
    _, least, most = scope.words.contains
    found: list[Break] = []
    if least and not _enough(scope, node_least=least):
        found.append(
            scope.broken(
                "contains", "MIN_CONTAINS_INCREASED", "too few matching items may be written", read=least
            )
        )
    if most is not None and not _few_enough(scope, most, longest):
        found.append(
            scope.broken(
                "contains", "MAX_CONTAINS_DECREASED", "too many matching items may be written", read=most
            )
        )
    return found


def _enough(scope: Scope, *, node_least: int) -> bool:
    assert scope.words.contains is not None  # noqa: S101 - as above
    node = scope.words.contains[0]
    places = [*range(scope.facts_of_whole().length_of_prefix()), None]
    for _, words in scope.facts.said:
        if words.contains is None or words.contains[1] < node_least:
            continue
        if all(_stays(scope, Case.of(words.contains[0]), node, place) for place in places):
            return True
    certain = min(scope.facts.size("minItems") or 0, _MAX_COUNTED)
    return sum(_stays(scope, scope.facts.item(place), node, place) for place in range(certain)) >= node_least


def _stays(scope: Scope, case: Case | None, node: Node, place: int | None) -> bool:
    """Whether an item of a case certainly meets ``node``, also with what projecting leaves of it at its place."""
    if scope.how != "RECORDS":
        return not scope.walk.inside(case, node)
    if not scope.walk.unchanged(case or Case(frozenset()), node):
        return False  # null is added for what items require, not for what is looked for among them
    read = scope.facts_of_whole().item(place)
    return (
        read is None
        or not any(map(forms, read.holds))
        or not scope.walk.inside(case, node.source.joined(read.holds | {node}))
    )


def _few_enough(scope: Scope, most: int, longest: int | None) -> bool:
    assert scope.words.contains is not None  # noqa: S101 - as above
    if longest is not None and longest <= most:
        return True
    if scope.how == "RECORDS" and _formed(scope):
        return False  # an item that did not match may do so with what projecting leaves of it
    node = scope.words.contains[0]
    for _, words in scope.facts.said:
        if words.contains is None or words.contains[2] is None or words.contains[2] > most:
            continue
        if not scope.walk.inside(Case.of(node), words.contains[0]):
            return True
    return False


def _formed(scope: Scope) -> bool:
    told = scope.facts_of_whole()
    read = [told.item(place) for place in (*range(told.length_of_prefix()), None)]
    return any(forms(node) for one in read if one is not None for node in one.holds)


def unevaluated(scope: Scope) -> list[Break]:
    """``unevaluatedItems``: items that the reader gives no place."""
    node = scope.words.unevaluated_items
    if node is None or "array" not in scope.facts.kinds:
        return []
    told = [words for _, words in within(scope.whole, scope.node)]
    if any(words.items is not None for words in told):
        return []
    if any(words.unevaluated_items is not None for words in told if words is not scope.words):
        return []
    found: list[Break] = []
    longest, known = _longest(scope), max(len(words.prefix) for words in told)
    for index in range(known, scope.facts.length_of_prefix()):
        if longest is None or index < longest:
            found += scope.inside(scope.facts.item(index), node, _item(index))
    if longest is None or longest > max(known, scope.facts.length_of_prefix()):
        found += scope.inside(scope.facts.item(None), node, _item(None))
    return found


CHECKS: Sequence[Callable[[Scope], list[Break]]] = (arrays, unevaluated)
