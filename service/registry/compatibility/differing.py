"""Whether values that differ still do when they are projected: what ``uniqueItems`` of a reader of records asks.

A projection leaves out what the reader does not know, and adds null where the reader requires what may be missing. A
reader that is open gets undeclared members too where it would not be valid without them.
"""

from service.registry.compatibility.facts import Case, Facts, alternatives
from service.registry.compatibility.scope import Walk

_MAX_DEPTH = 8
_CONTAINERS = frozenset(["array", "object"])


def differ(walk: Walk, case: Case | None, reader: Case | None, depth: int = 0) -> bool:
    """Whether it is certain; ``case`` is what is written at a place, ``reader`` what is read there."""
    if reader is None:
        return True
    case = case or Case(frozenset())
    facts = walk.facts_of(case)
    if not facts.kinds & _CONTAINERS or all(walk.unchanged(case, node) for node in reader.holds):
        return True
    if depth > _MAX_DEPTH:
        return False
    told = walk.facts_of(reader, reading=True)
    if facts.choices:
        parts = [
            part
            for part in alternatives(case, *facts.choices[0])
            if walk.facts_of(part).kinds & _CONTAINERS and not walk.empty(part)
        ]
        return not parts or (len(parts) == 1 and differ(walk, parts[0], reader, depth + 1))
    if told.choices:
        parts = [
            part
            for part in alternatives(reader, *told.choices[0])
            if not any(walk.apart(case, node, part) for node in part.holds - reader.holds)
        ]
        return len(parts) == 1 and differ(walk, case, parts[0], depth + 1)
    return ("object" not in facts.kinds or _objects(walk, facts, told, depth)) and (
        "array" not in facts.kinds or _arrays(walk, facts, told, depth)
    )


def _arrays(walk: Walk, facts: Facts, told: Facts, depth: int) -> bool:
    if facts.length_of_prefix() or told.length_of_prefix():
        return False
    return differ(walk, facts.item(None), told.item(None), depth + 1)


def _objects(walk: Walk, facts: Facts, told: Facts, depth: int) -> bool:
    others = facts.others()
    closed = others is not None and walk.empty(others) and not list(facts.under())
    if not closed and not _keeps_undeclared(facts, told):
        return False
    for name in facts.declared():
        outer, inner = facts.member(name), told.member(name)
        if outer is not None and walk.empty(outer):
            continue
        if inner is not None and (walk.empty(inner) or not differ(walk, outer, inner, depth + 1)):
            return False
    # A member that is missing and one that is null must not both be written where null is added.
    return not any(
        _may_be_null(walk, facts.member(name)) for name in told.required if name not in facts.required
    )


def _keeps_undeclared(facts: Facts, told: Facts) -> bool:
    names = any(words.names is not None or words.patterns for _, words in told.said)
    return not names and told.others() is None and set(told.declared()) <= set(facts.declared())


def _may_be_null(walk: Walk, case: Case | None) -> bool:
    return case is None or walk.admits_null(case)
