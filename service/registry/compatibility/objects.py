"""The reader's rules for objects: where the policies differ.

``RECORDS`` takes the writer to write what it declares and nothing else, and the reader to pass over what it does not
know: projecting a record (``projection``) makes both true. ``LENIENT`` follows Confluent's table of that name, in which
properties may come and go whatever the content model says.
"""

from collections.abc import Callable, Sequence

from service.registry.compatibility.facts import Case, Facts, facts_of, within
from service.registry.compatibility.scalars import sizes
from service.registry.compatibility.scope import Break, Scope
from service.registry.compatibility.values import TooDeep, admits, matches
from service.registry.compatibility.words import Node, Words

_EVERY_NAME = frozenset(["", "^", "$", ".*", "^.*", ".*$", "^.*$"])


def properties(scope: Scope) -> list[Break]:
    """``properties``: each that the reader describes."""
    if "object" not in scope.facts.kinds:
        return []
    declared = set(scope.facts.declared())
    found: list[Break] = []
    for name, node in scope.words.properties.items():
        case = scope.facts.member(name)
        if name in declared:
            found += _inside(scope, case, node, _member(name))
            continue
        never_written = case is None and _writes_what_it_declares(scope) and name not in scope.facts.asked()
        if scope.how == "LENIENT" or never_written:
            continue
        broken = _inside(scope, case, node, _member(name))
        if broken:
            kind = (
                "ADDED_TO_OPEN_CONTENT_MODEL"
                if case is None
                else "ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
            )
            prefix = "OPTIONAL_PROPERTY_" if case is None else "PROPERTY_"
            message = "is new, and the writer may write anything under this name"
            if case is not None:
                message = "is new, and what the writer may write under this name is not always read"
            found.append(scope.broken(_at("properties", name), f"{prefix}{kind}", message, None, node.schema))
            found += broken if case is not None else []
    return found


def _inside(
    scope: Scope, case: Case | None, node: Node, place: Callable[[Facts], Case | None]
) -> list[Break]:
    """What of a member does not follow.

    Projecting leaves out a member of which the reader admits nothing: ``required`` sees whether the record does without.
    """
    read = place(scope.facts_of_whole()) if scope.how == "RECORDS" else None
    if read is not None and scope.walk.facts_of(read, reading=True).never:
        return []
    return scope.inside(case, node, place)


def _member(name: str) -> Callable[[Facts], Case | None]:
    return lambda told: told.member(name)


def _matching(pattern: str) -> Callable[[Facts], Case | None]:
    return lambda told: dict(told.under())[pattern]


def _writes_what_it_declares(scope: Scope) -> bool:
    """Not while it is open what is declared: then the case is split, and looked at part by part."""
    return scope.how == "RECORDS" and scope.facts.declares and not scope.walk.may_declare_more(scope.case)


def _written(facts: Facts) -> list[str]:
    """The names of which it is known that they may be written: what is required need not be declared."""
    return list(dict.fromkeys([*facts.declared(), *facts.asked()]))


def patterns(scope: Scope) -> list[Break]:
    """``patternProperties``."""
    if "object" not in scope.facts.kinds:
        return []
    found: list[Break] = []
    facts = scope.facts
    for pattern, node in scope.words.patterns.items():
        for name in _written(facts):
            if matches(pattern, name) is not False:
                found += _inside(scope, facts.member(name), node, _member(name))
        under = dict(facts.under())
        for other, case in under.items():
            if other == pattern or pattern not in under:
                found += _inside(scope, case, node, _matching(pattern))
        if pattern not in under:
            found += _unnamed(scope, node, _matching(pattern))
    return found


def _unnamed(scope: Scope, node: Node, place: Callable[[Facts], Case | None]) -> list[Break]:
    """Members that neither a property nor a pattern of the writer names."""
    case = scope.facts.others()
    if case is None and (_writes_what_it_declares(scope) or scope.how == "LENIENT"):
        return []
    return _inside(scope, case, node, place)


def additional(scope: Scope) -> list[Break]:
    """``additionalProperties``."""
    node = scope.words.additional
    if node is None or "object" not in scope.facts.kinds:
        return []
    return _beyond(scope, node, scope.words.properties, scope.words.patterns, "additionalProperties")


def unevaluated(scope: Scope) -> list[Break]:
    """``unevaluatedProperties``: members that the reader does not name."""
    node = scope.words.unevaluated
    if node is None or "object" not in scope.facts.kinds:
        return []
    # What stands beside it or inside of it, not what stands around it.
    told = list(within(scope.whole, scope.node))
    if any(words.additional is not None for _, words in told):
        return []
    if any(words.unevaluated is not None for one, words in told if one != scope.node):
        return []
    named = {name: child for _, words in told for name, child in words.properties.items()}
    under = {pattern: child for _, words in told for pattern, child in words.patterns.items()}
    return _beyond(scope, node, named, under, "unevaluatedProperties")


def _beyond(
    scope: Scope, node: Node, named: dict[str, Node], under: dict[str, Node], keyword: str
) -> list[Break]:
    """Members that the reader does not name."""
    words = node.source.words(node)
    if not words.never and not words.says:
        return []
    if any(pattern in _EVERY_NAME for pattern in under) or (words.never and scope.how == "RECORDS"):
        return []
    found: list[Break] = []
    facts = scope.facts
    for name in _written(facts):
        if name in named or any(matches(pattern, name) is True for pattern in under):
            continue
        broken = [] if scope.how == "LENIENT" else _inside(scope, facts.member(name), node, _member(name))
        if broken:
            kind = (
                "REMOVED_FROM_CLOSED_CONTENT_MODEL"
                if words.never
                else "REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
            )
            message = f"the property {name!r} may be written, and is not read any more"
            found.append(scope.broken(keyword, f"PROPERTY_{kind}", message, _schema_of(facts, name), None))
            found += [] if words.never else broken
    for pattern, case in facts.under():
        if pattern not in under:
            found += _inside(scope, case, node, Facts.others)
    others = facts.others()
    open_ = others is None or (words.never and not scope.is_empty(others))
    if scope.how == "LENIENT" and open_:
        return found
    broken = _unnamed(scope, node, Facts.others)
    if broken and words.never:
        broken = [
            scope.broken(
                keyword,
                "ADDITIONAL_PROPERTIES_REMOVED",
                "members of any name may be written, and only known ones are read",
                True,
                False,
            )
        ]
    elif broken and others is None:
        broken = [
            scope.broken(
                keyword,
                "ADDITIONAL_PROPERTIES_NARROWED",
                "members of any name may hold anything, and not all of it is read",
                True,
                node.schema,
            )
        ]
    return found + broken


def _schema_of(facts: Facts, name: str) -> object:
    return next((words.properties[name].schema for _, words in facts.said if name in words.properties), None)


def required(scope: Scope) -> list[Break]:
    """``required``."""
    if "object" not in scope.facts.kinds or not scope.words.required:
        return []
    facts, told = scope.facts, scope.facts_of_whole()
    found: list[Break] = []
    for name in scope.words.required:
        if scope.how == "RECORDS" and scope.is_empty(told.member(name)):
            message = f"the property {name!r} is required, but no value of it is read here"
            found.append(scope.broken("required", "REQUIRED_ATTRIBUTE_ADDED", message, None, name))
        elif name not in facts.required and not _supplied(scope, told, name):
            found.append(_missing(scope, name))
    return found


def _supplied(scope: Scope, told: Facts, name: str) -> bool:
    """Whether the reader does without a member that may be missing."""
    member = told.member(name)
    if scope.how == "RECORDS":
        return member is not None and not scope.is_empty(member.also(_null(scope)))
    if scope.how == "SET":
        return False
    declared = name in scope.facts.declared()
    if any("default" in words.says for words in _said_of(told, name)):
        return declared or scope.how == "LENIENT" or scope.is_empty(scope.facts.others())
    # Confluent's table speaks of properties that one side describes.
    return scope.how == "LENIENT" and not declared and name not in told.declared()


def _null(scope: Scope) -> Node:
    return scope.node.source.made(("kind", "null"), {"type": ["null"]})


def _said_of(told: Facts, name: str) -> list[Words]:
    member = told.member(name)
    return [] if member is None else [words for _, words in facts_of(member).said]


def _missing(scope: Scope, name: str) -> Break:
    if name in scope.facts.declared():
        kind = "REQUIRED_ATTRIBUTE_ADDED"
        message = f"the property {name!r} may be left out, and is required"
    elif scope.is_empty(scope.facts.others()):
        kind = "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL"
        message = f"the property {name!r} is never written, and is required"
    else:
        kind = "REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"
        message = f"the property {name!r} is not known to the writer, and is required"
    return scope.broken("required", kind, message, None, name)


def counts(scope: Scope) -> list[Break]:
    """``minProperties`` and ``maxProperties``."""
    if "object" not in scope.facts.kinds:
        return []
    found = sizes(scope, "Properties", "PROPERTIES")
    most = scope.words.sizes.get("maxProperties")
    facts = scope.facts
    if most is not None and scope.is_empty(facts.others()) and not list(facts.under()):
        possible = sum(not scope.is_empty(facts.member(name)) for name in facts.declared())
        if possible <= most:
            found = [one for one in found if not one.kind.startswith("MAX_")]
    if most is not None and not found and scope.how == "RECORDS":
        found = _too_many_with_nulls(scope, most)
    least = scope.words.sizes.get("minProperties", 0)
    if not found and scope.how == "RECORDS" and least > _certain(scope):
        message = f"fewer than {least} may remain when members that the reader does not know are left out"
        found = [scope.broken("minProperties", "MIN_PROPERTIES_INCREASED", message, None, least)]
    return found


def _too_many_with_nulls(scope: Scope, most: int) -> list[Break]:
    """Whether null for what the reader requires may be one member more than it reads."""
    facts, told, nulls = scope.facts, scope.facts_of_whole(), scope.filled()
    written = {name for name in facts.declared() if not scope.is_empty(facts.member(name))}
    known = len(nulls | {name for name in written if not _unread(scope, told, name)})
    closed = scope.is_empty(facts.others()) and not list(facts.under())
    longest = facts.size("maxProperties")
    if not nulls or (closed and known <= most) or (longest is not None and longest + len(nulls) <= most):
        return []
    message = f"more than {most} may be there when null stands for what is required and missing"
    return [scope.broken("maxProperties", "MAX_PROPERTIES_DECREASED", message, longest, most)]


def _certain(scope: Scope) -> int:
    """How many members a projected record has at least."""
    facts, told = scope.facts, scope.facts_of_whole()
    if not told.declares and not scope.is_empty(told.others()):
        return facts.size("minProperties") or 0  # nothing is left out
    known = [name for name in facts.declared() if not _unread(scope, told, name)]
    if len(known) == len(facts.declared()) and not list(facts.under()) and scope.is_empty(facts.others()):
        return facts.size("minProperties") or 0
    return sum(not _unread(scope, told, name) for name in facts.required)


def _unread(scope: Scope, told: Facts, name: str) -> bool:
    member = told.member(name)
    return member is None or scope.is_empty(member)


def names(scope: Scope) -> list[Break]:
    """``propertyNames``."""
    node = scope.words.names
    if node is None or "object" not in scope.facts.kinds:
        return []
    facts = scope.facts
    refused = []
    for name in _written(facts):
        try:
            if not admits(node, name) and not scope.is_empty(facts.member(name)):
                refused.append(name)
        except TooDeep:
            refused.append(name)
    refused += [name for name in scope.filled() if not admits(node, name)]
    found: list[Break] = []
    if refused:
        found.append(
            scope.broken(
                "propertyNames",
                "PROPERTY_NAMES_NARROWED",
                f"the name {refused[0]!r} may be written, and is not read",
                refused,
            )
        )
    text = node.source.made(("kind", "string"), {"type": ["string"]})
    said = [words.names for _, words in facts.said if words.names is not None]
    for pattern, _ in facts.under():
        shaped = node.source.made(("pattern", pattern), {"pattern": pattern})
        found += scope.walk.inside(Case.of(text, shaped, *said), node)
    if not scope.is_empty(facts.others()) and not (
        facts.others() is None and _writes_what_it_declares(scope)
    ):
        found += scope.walk.inside(Case.of(text, *said), node)
    return found


def dependencies(scope: Scope) -> list[Break]:
    """``dependentRequired`` and ``dependentSchemas``."""
    if "object" not in scope.facts.kinds:
        return []
    found: list[Break] = []
    nulls, told = scope.filled(), scope.facts_of_whole()
    left_out = [
        name for name in scope.facts.asked() if scope.how == "RECORDS" and scope.is_empty(told.member(name))
    ]
    for name, wanted in scope.words.needed_with.items():
        present = _with(scope, name)
        if name in nulls:
            written = [one for one in wanted if one in scope.facts.required or _supplied(scope, told, one)]
        elif present is not None:
            written = list(facts_of(present).required)
        else:
            continue
        missing = [one for one in wanted if one not in written or one in left_out]
        if missing:
            message = f"{name!r} may be there without {missing[0]!r}"
            found.append(
                scope.broken("dependentRequired", "DEPENDENCY_ARRAY_EXTENDED", message, None, list(wanted))
            )
    for name, node in scope.words.holds_with.items():
        if (scope.node, f"dependentSchemas\0{name}") in scope.whole.taken:
            continue
        present = scope.case if name in nulls else _with(scope, name)
        if present is not None:
            found += scope.walk.follows(present, node)
    return found


def _with(scope: Scope, name: str) -> Case | None:
    """The part of the case in which a member is there; None where it never is."""
    source = scope.node.source
    member = scope.facts.member(name)
    never_written = member is None and _writes_what_it_declares(scope) and name not in scope.facts.asked()
    if scope.is_empty(member) or never_written:
        return None
    return scope.case.also(source.made(("present", name, ()), {"type": "object", "required": [name]}))


def _at(keyword: str, name: str) -> str:
    return f"{keyword}/{name.replace('~', '~0').replace('/', '~1')}"


CHECKS: Sequence[Callable[[Scope], list[Break]]] = (
    properties,
    patterns,
    additional,
    unevaluated,
    required,
    counts,
    names,
    dependencies,
)
