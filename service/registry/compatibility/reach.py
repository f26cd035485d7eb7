"""What of a schema speaks of the same place as one of its nodes, and what of it decides how a record is projected."""

from collections.abc import Iterable, Iterator

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


def reached(nodes: Iterable[Node]) -> list[Words]:
    """What nodes say of the same place, references, ``allOf`` and every branch followed."""
    found: list[Words] = []
    seen: set[Node] = set()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            found.append(node.source.words(node))
            stack += [*found[-1].everywhere, *branches(found[-1])]
    return found


def branches(words: Words) -> Iterator[Node]:
    """Subschemas that may be in force at the same place."""
    yield from words.any_of or ()
    yield from words.one_of or ()
    if words.conditional is not None:
        given = words.conditional
        yield from (one for one in (given.condition, given.then, given.otherwise) if one is not None)
    yield from words.holds_with.values()
