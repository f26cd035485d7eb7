"""The reader's rules for arrays."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from service.registry.compatibility.facts import Case, Facts, facts_of
from service.registry.compatibility.scalars import sizes
from service.registry.compatibility.scope import Break, Scope

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
            broken = scope.walk.inside(facts.item(index), node)
            declared = index < facts.length_of_prefix()
            found += broken if declared else _added(scope, index, broken)
    found += _rest(scope, longest)
    if words.unique and not facts.unique and (longest is None or longest > 1):
        found.append(
            scope.broken("uniqueItems", "UNIQUE_ITEMS_ADDED", "equal items may be written", False, True)
        )
    elif words.unique and scope.how == "RECORDS" and _loses_members(scope):
        message = "items may become equal when members that the reader does not know are left out"
        found.append(scope.broken("uniqueItems", "UNIQUE_ITEMS_ADDED", message, True, True))
    if words.contains is not None:
        found += _contains(scope, longest)
    return found


def _loses_members(scope: Scope) -> bool:
    """Whether projecting the items leaves members out."""
    item = scope.facts.item(None)
    node = scope.words.items
    if item is None or node is None:
        return False
    told, said = facts_of(Case.of(node)), facts_of(item)
    if "object" not in said.kinds:
        return False
    if any(_is_out(told.member(name)) for name in said.declared()):
        return True
    # What nobody declares is kept where the reader admits it.
    others, more = told.others(), said.others()
    closed = others is not None and facts_of(others).never
    return closed and (more is None or not facts_of(more).never)


def _is_out(member: Case | None) -> bool:
    return member is None or facts_of(member).never


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
        broken = scope.walk.inside(facts.item(index), node)
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
        broken = scope.walk.inside(facts.item(None), node)
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
    for _, words in scope.facts.said:
        if words.contains is None or words.contains[1] < node_least:
            continue
        if not scope.walk.inside(Case.of(words.contains[0]), node):
            return True
    certain = min(scope.facts.size("minItems") or 0, _MAX_COUNTED)
    return sum(not scope.walk.inside(scope.facts.item(index), node) for index in range(certain)) >= node_least


def _few_enough(scope: Scope, most: int, longest: int | None) -> bool:
    assert scope.words.contains is not None  # noqa: S101 - as above
    if longest is not None and longest <= most:
        return True
    node = scope.words.contains[0]
    for _, words in scope.facts.said:
        if words.contains is None or words.contains[2] is None or words.contains[2] > most:
            continue
        if not scope.walk.inside(Case.of(node), words.contains[0]):
            return True
    return False


def unevaluated(scope: Scope) -> list[Break]:
    """``unevaluatedItems``: what the whole reader says about items decides which ones it means."""
    node = scope.words.unevaluated_items
    if node is None or "array" not in scope.facts.kinds:
        return []
    told: Facts = scope.facts_of_whole()
    if told.item(None) is not None:
        return []
    found: list[Break] = []
    longest = _longest(scope)
    for index in range(told.length_of_prefix(), scope.facts.length_of_prefix()):
        if longest is None or index < longest:
            found += scope.walk.inside(scope.facts.item(index), node)
    if longest is None or longest > max(told.length_of_prefix(), scope.facts.length_of_prefix()):
        found += scope.walk.inside(scope.facts.item(None), node)
    return found


CHECKS: Sequence[Callable[[Scope], list[Break]]] = (arrays, unevaluated)
