"""Which branches a reader of records takes where branches and closed objects hang together.

Projecting a record leaves out what the reader does not name. With ``unevaluatedProperties``, or with branches that are
closed themselves, what is named depends on the branches that hold: the branches cannot be looked at one after the other.
"""

from collections.abc import Callable, Iterator

from service.registry.compatibility.facts import Case, Facts
from service.registry.compatibility.reach import branches, forms, reached
from service.registry.compatibility.scope import Break, Walk
from service.registry.compatibility.words import Node, Words

_MAX_SPLITS = 4
_MAX_TAKEN = 24
_Choice = tuple[Node, str]


def read(walk: Walk, case: Case, whole: Case, splits: int = _MAX_SPLITS) -> list[Break]:
    """What breaks when the reader takes ``whole``, with those branches added which suit this case best."""
    told = walk.facts_of(whole, reading=True)
    choice = next(
        (
            one
            for one in told.choices
            if _entangled(told, one)
            or _nulled(walk, case, whole, told, one)
            or _drops(walk, whole, told, one)
        ),
        None,
    )
    nodes = sorted(whole.holds, key=lambda node: node.key)
    if choice is None or len(whole.taken) >= _MAX_TAKEN:
        found = [one for node in nodes for one in walk.follows(case, node, whole)]
        if choice is not None:
            found.append(_undecided(choice, "there are too many branches"))
        return list(dict.fromkeys(found))
    nearest: list[Break] | None = None
    for part in _takeable(walk, case, whole, choice):
        found = read(walk, case, part, splits)
        if not found:
            return []
        if nearest is None or len(found) < len(nearest):
            nearest = found
    if splits > 0:
        for parts in _partings(walk, case, choice):
            if all(not read(walk, part, whole, splits - 1) for part in parts):
                return []
            break
    return nearest or [_undecided(choice, "which of the branches holds is not certain")]


def _words(node: Node) -> Words:
    return node.source.words(node)


def _entangled(told: Facts, choice: _Choice) -> bool:
    """Whether what is read of an object depends on this choice and on what stands around it."""
    owner, keyword = choice
    word, _, name = keyword.partition("\0")
    words = _words(owner)
    if word in ("not", "dependentRequired"):
        return False
    if word == "dependentSchemas":
        inside = reached([words.holds_with[name]])
    else:
        inside = reached([node for node in branches(words) if node not in words.holds_with.values()])
    around = [one for _, one in told.said]
    spoken = any(one.properties or one.required or one.patterns or one.sizes for one in around)
    if _meet(inside, around):
        return True
    if any(_closes(one) for one in inside):
        return spoken or len(told.choices) > 1
    names = {name for one in inside for name in (*one.properties, *one.required)}
    more = any(one.patterns or one.additional is not None for one in inside)
    if any(one.unevaluated is not None for one in around):
        return more or not names <= {name for one in around for name in one.properties}
    return any(_closes(one) and not names <= set(one.properties) for one in around)


def _nulled(walk: Walk, case: Case, whole: Case, told: Facts, choice: _Choice) -> bool:
    """Whether nulls that projecting adds under one of the branches may matter to it, or to what stands around."""
    owner, keyword = choice
    words = _words(owner)
    if keyword.partition("\0")[0] in ("not", "dependentRequired"):
        return False
    nulls = filled(walk, case, whole).union(*(filled(walk, case, whole.also(one)) for one in branches(words)))
    if not nulls:
        return False
    inside = reached(branches(words))
    return any(_counts_members(one) for one in (*inside, *(one for _, one in told.said))) or any(
        one.patterns or one.additional is not None or nulls & {*one.properties, *one.required}
        for one in inside
    )


def _drops(walk: Walk, whole: Case, told: Facts, choice: _Choice) -> bool:
    """Whether one of the branches has a member left out which what stands around describes, for both admit nothing."""
    owner, keyword = choice
    if keyword.partition("\0")[0] in ("not", "dependentRequired"):
        return False
    described = {*told.declared(), *told.required}
    for branch in branches(_words(owner)):
        names = described & {name for one in reached([branch]) for name in one.properties}
        both = walk.facts_of(whole.also(branch), reading=True)
        members = [both.member(name) for name in names]
        if any(one is not None and walk.facts_of(one, reading=True).never for one in members):
            return True
    return False


def _counts_members(words: Words) -> bool:
    """Whether it matters to a node that a member is there, whatever it holds."""
    sized = {"minProperties", "maxProperties"} & words.sizes.keys()
    return bool(sized or words.names or words.needed_with or words.holds_with or words.excluded)


def _meet(inside: list[Words], around: list[Words]) -> bool:
    """Whether both have a say in what projecting leaves of the same member or item."""
    inner, outer = _formed(inside), _formed(around)
    named = inner[0] & outer[0] or (inner[1] and (outer[0] or outer[1])) or (outer[1] and inner[0])
    return bool(named) or (inner[2] and outer[2])


def _formed(said: list[Words]) -> tuple[set[str], bool, bool]:
    """Members by name, members by other means, and items: of which of them more is said than what they hold."""
    names = {name for words in said for name, node in words.properties.items() if forms(node)}
    wide = [
        node for words in said for node in (*words.patterns.values(), words.additional, words.unevaluated)
    ]
    items = [node for words in said for node in (*words.prefix, words.items, words.unevaluated_items)]
    return (
        names,
        any(node is not None and forms(node) for node in wide),
        any(node is not None and forms(node) for node in items),
    )


def _closes(words: Words) -> bool:
    more = words.additional
    return words.unevaluated is not None or (more is not None and _words(more).never)


def filled(walk: Walk, case: Case, whole: Case) -> frozenset[str]:
    """Members that projecting may add as null, for the reader requires them."""
    facts, told = walk.facts_of(case), walk.facts_of(whole, reading=True)
    missing = [name for name in told.required if name not in facts.required]
    return frozenset(name for name in missing if walk.admits_null(told.member(name)))


def changed(walk: Walk, case: Case, whole: Case) -> Callable[[str], bool]:
    """Tells members of which projecting leaves nothing as it was: null is added, or the reader admits nothing there."""
    nulls, told = filled(walk, case, whole), walk.facts_of(whole, reading=True)

    def is_changed(name: str) -> bool:
        read = told.member(name)
        return name in nulls or (read is not None and walk.facts_of(read, reading=True).never)

    return is_changed


def speaks_of(node: Node, names: frozenset[str]) -> bool:
    """Whether a subschema says anything of members of these names."""
    if not names:
        return False
    return any(
        words.patterns or words.additional is not None or names & {*words.properties, *words.required}
        for words in reached([node])
    )


def may_declare_more(facts: Facts) -> bool:
    """Whether an open choice says something of members that are not declared."""
    nodes: list[Node] = []
    for owner, _ in facts.choices:
        words = _words(owner)
        nodes += branches(words)
        nodes += [] if words.excluded is None else [words.excluded]
    if not nodes:
        return False
    declared = set(facts.declared())
    return any(words.unevaluated is not None for _, words in facts.said) or any(
        words.patterns
        or words.additional is not None
        or words.unevaluated is not None
        or not declared.issuperset(words.properties)
        for words in reached(nodes)
    )


def _takeable(walk: Walk, case: Case, whole: Case, choice: _Choice) -> Iterator[Case]:
    """The reader with one of the branches, of those which certainly may be taken."""
    owner, keyword = choice
    words, (word, _, name) = _words(owner), keyword.partition("\0")
    if word == "anyOf":
        yield from (whole.also(branch, taken=choice) for branch in words.any_of or ())
    elif word == "oneOf":
        alternatives = words.one_of or []
        for branch in alternatives:
            part = whole.also(branch, taken=choice)
            if all(walk.apart(case, other, part) for other in alternatives if other != branch):
                yield part
    elif word == "if" and words.conditional is not None:
        given = words.conditional
        if walk.apart(case, given.condition, whole):
            yield whole.also(*([] if given.otherwise is None else [given.otherwise]), taken=choice)
        elif not walk.follows(case, given.condition) and not speaks_of(
            given.condition, filled(walk, case, whole)
        ):
            yield whole.also(given.condition, *([] if given.then is None else [given.then]), taken=choice)
    else:
        if name in walk.facts_of(case).required:
            yield whole.also(words.holds_with[name], taken=choice)
        elif _is_absent(walk, case, name):
            yield whole.also(taken=choice)


def _is_absent(walk: Walk, case: Case, name: str) -> bool:
    member = walk.facts_of(case).member(name)
    return member is not None and walk.empty(member)


def _partings(walk: Walk, case: Case, choice: _Choice) -> Iterator[list[Case]]:
    """Ways to split what is written, so that each part takes one branch."""
    owner, keyword = choice
    words, (word, _, name) = _words(owner), keyword.partition("\0")
    source = owner.source
    if word == "if" and words.conditional is not None:
        condition = words.conditional.condition
        unmet = case.also(fails=[condition])
        yield [case.also(condition), *(unmet.also(node) for node in source.negated(condition))]
    elif word == "dependentSchemas":
        yield [
            case.also(source.made(("present", name, ()), {"type": "object", "required": [name]})),
            case.also(source.made(("absent", name), {"properties": {name: False}})),
        ]
    else:
        found = words.any_of if word == "anyOf" else words.one_of
        yield from walk.partings(case, found or [])


def _undecided(choice: _Choice, why: str) -> Break:
    owner, keyword = choice
    pointer = f"{owner.pointer}/{keyword.partition(chr(0))[0]}"
    return Break(pointer, "BRANCHES_UNDECIDED", f"cannot be compared: {why}", undecided=True)
