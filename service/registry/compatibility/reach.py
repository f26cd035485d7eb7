"""What of a schema speaks of the same place as one of its nodes, and what of it decides how a record is projected."""

from collections.abc import Callable, Hashable, Iterable, Iterator

from service.registry.compatibility.words import Node, Words

FORMING = frozenset(
    [
        "additionalItems", "additionalProperties", "dependencies", "dependentRequired", "dependentSchemas", "items",
        "patternProperties", "prefixItems", "properties", "required", "unevaluatedItems", "unevaluatedProperties",
    ]
)  # fmt: skip


def forms(node: Node) -> bool:
    """Whether a reader's node, references and branches followed, has a say in what projecting leaves of a value."""
    known = node.source.forming.get(node.key)
    if known is None:
        known = any(words.says & FORMING for words in reached([node]))
        node.source.forming[node.key] = known
    return known


def spread(nodes: Iterable[Node], further: Callable[[Words], Iterable[Node]]) -> Iterator[tuple[Node, Words]]:
    """Nodes and those that ``further`` leads to from what each says, every one once."""
    seen: set[Node] = set()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            words = node.source.words(node)
            yield node, words
            stack += further(words)


def reached(nodes: Iterable[Node]) -> list[Words]:
    """What nodes say of the same place, references, ``allOf`` and every branch followed."""
    return [words for _, words in spread(nodes, lambda words: [*words.everywhere, *branches(words)])]


Pick = Callable[[Words], list[Node]]
"""What a subschema's own words say of one member, or of one item."""

_MAX_CHOICES = 8
"""Choices inside each other that are followed."""


def either(owner: Node, keyword: str, place: Hashable, pick: Pick, depth: int = 0) -> Node | None:
    """What the branches of one choice say of a member or item: one of several things. ``place`` names what is picked.

    None where no branch has a say in what of it is declared.
    """
    source, key = owner.source, (owner.key, keyword, place)
    if key not in source.eithers:
        source.eithers[key] = None  # a choice that contains itself adds nothing
        offered = [_picked(branch, place, pick, depth) for branch in _offered(owner, keyword)]
        if any(node is not None and forms(node) for node in offered):
            anything = source.made("anything", {})
            source.eithers[key] = source.one_of_these([node or anything for node in offered])
    return source.eithers[key]


def _offered(owner: Node, keyword: str) -> list[Node | None]:
    """The branches of a choice, one of which holds; None for one that says nothing."""
    words = owner.source.words(owner)
    word, _, name = keyword.partition("\0")
    if word == "anyOf":
        return [*(words.any_of or ())]
    if word == "oneOf":
        return [*(words.one_of or ())]
    if word == "if" and words.conditional is not None:
        return [words.conditional.then, words.conditional.otherwise]
    return [words.holds_with[name], None] if word == "dependentSchemas" else []


def _picked(branch: Node | None, place: Hashable, pick: Pick, depth: int) -> Node | None:
    """What a branch says of the picked member or item, in it and in its own choices."""
    if branch is None or depth > _MAX_CHOICES:
        return None
    found: list[Node] = []
    for node, words in spread([branch], lambda words: words.everywhere):
        found += pick(words)
        inner = [either(node, keyword, place, pick, depth + 1) for keyword in choices(words)]
        found += [one for one in inner if one is not None]
    return branch.source.joined(frozenset(found)) if len(found) > 1 else next(iter(found), None)


def choices(words: Words) -> Iterator[str]:
    """The keywords that offer a choice, with the member that it depends on after a NUL."""
    if words.any_of is not None:
        yield "anyOf"
    if words.one_of is not None:
        yield "oneOf"
    if words.conditional is not None:
        yield "if"
    if words.excluded is not None:
        yield "not"
    yield from (f"dependentRequired\0{name}" for name in words.needed_with)
    yield from (f"dependentSchemas\0{name}" for name in words.holds_with)


def branches(words: Words) -> Iterator[Node]:
    """Subschemas that may be in force at the same place."""
    yield from words.any_of or ()
    yield from words.one_of or ()
    if words.conditional is not None:
        given = words.conditional
        yield from (one for one in (given.condition, given.then, given.otherwise) if one is not None)
    yield from words.holds_with.values()
