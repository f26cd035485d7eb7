"""Any JSON Schema to the strict form, with the way back."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from service.foundation.jsontext import render
from service.strict.analysis import Analysis
from service.strict.check import check
from service.strict.choices import offers_choices
from service.strict.decode import decoder
from service.strict.drafts import dialect_of, guess_draft, subschemas
from service.strict.emit import Emitter
from service.strict.encode import encoder
from service.strict.goals import Goals
from service.strict.layout import VALUE, Layout
from service.strict.limits import MAX_CHARACTERS, MAX_ENUM_VALUES, MAX_PROPERTIES, Stats, hoist, measure
from service.strict.references import Documents
from service.strict.refused import SchemaRefused
from service.strict.rules import Goal, Leaf, Note
from service.strict.scalars import Profile
from service.strict.share import share, unite

_ATTEMPTS = (32, 6, 1)
"""How many branches one conjunction may spread into; less precise each time."""

_BUDGET = 11_000
"""Goals that one attempt may make. The last attempt lets any value through where it would need more."""

Undeclared = Literal["keep", "drop"]

_MAX_NODES = 120_000
_PLAIN_DEPTH = 100
"""Steps of nesting up to which a schema that is strict already is sent as it is."""

_SEARCH = 40_000
"""Goals that may be written again and again in search of the limit."""

_GROWTH, _FIXED_SIZE = 4, 20_000
"""Bytes of strict form that one byte of schema may become before fewer branches are tried, and bytes that are free."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A rule of the schema that the strict form does not hold; validation after decoding does.

    ``pointer`` is the JSON Pointer of the subschema (behind the URI and ``#`` of a document from outside), ``keyword``
    the rule, ``detail`` what became of it.
    """

    pointer: str
    keyword: str
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A schema in its strict form.

    ``strict`` is what is sent as ``text.format.schema``; ``losses`` are the rules it does not hold; ``digest`` names
    the exact text; ``stats`` count it against the provider's limits.
    """

    strict: dict[str, Any]
    losses: tuple[Loss, ...]
    draft: str
    digest: str
    stats: Stats
    _encode: Callable[[Any], Any] = field(repr=False)
    _decode: Callable[[Any], Any] = field(repr=False)

    def encode(self, instance: Any) -> Any:
        """The strict value of an instance. Maps structure; does not validate."""
        return self._encode(instance)

    def decode(self, value: Any) -> Any:
        """The instance that a strict value stands for. Total; changes, drops and repairs nothing."""
        return self._decode(value)


def compile(
    schema: Any,
    *,
    draft: str | None = None,
    externals: Mapping[str, Any] | None = None,
    profile: Profile = "documented",
    undeclared: Undeclared = "keep",
) -> Compiled:
    """The strict form of a JSON Schema.

    ``draft`` is one of "4", "6", "7", "2019-09", "2020-12"; by default it is read or guessed. ``externals`` holds the
    documents that the schema refers to, by URI. ``undeclared`` says what becomes of members that an object admits only
    because nothing forbids them: "keep" carries them as entries; "drop" closes such objects, reads a missing ``type``
    from the other keywords, and lists both as losses, for about a quarter fewer tokens. Deterministic.

    Raises ``SchemaRefused`` for schemas that are invalid, incomplete, unsatisfiable or too large.
    """
    if not isinstance(schema, dict | bool):
        raise SchemaRefused("", "a schema is an object or a boolean")
    dialect = dialect_of(guess_draft(schema) if draft is None else draft)
    documents = _documents(schema, dialect.draft, externals or {})
    if isinstance(schema, dict) and documents.depth <= _PLAIN_DEPTH and not check(schema, profile=profile):
        # Refuses what nothing can satisfy.
        Analysis(Goals(documents, branches=1, budget=_MAX_NODES, overflow=True))
        text = _text(schema)
        return Compiled(json.loads(text), (), dialect.draft, _digest(text), measure(schema), _same, _same)
    result = _fit(documents, profile, _size(schema), infer=undeclared == "drop")
    strict, layout = result.strict, result.layout
    encode, decode = encoder(layout), decoder(layout)
    if layout.root_wrapped:
        encode, decode = _wrapping(encode), _unwrapping(decode)
    return Compiled(
        strict, _losses(result.notes), dialect.draft, _digest(_text(strict)), result.stats, encode, decode
    )


def _same(value: Any) -> Any:
    return value


def _documents(schema: Any, draft: str, externals: Mapping[str, Any]) -> Documents:
    if sum(1 for _ in subschemas(schema)) > _MAX_NODES:
        raise SchemaRefused("", f"more than {_MAX_NODES} subschemas; split the schema")
    return Documents(schema, dialect_of(draft), externals)


@dataclass(slots=True)
class _Result:
    layout: Layout
    strict: dict[str, Any]
    notes: list[Note]
    stats: Stats


def _fit(documents: Documents, profile: Profile, size: int, *, infer: bool) -> _Result:
    """The strict form within the limits and of a sensible size; fewer branches are spread out where it is not."""
    best: _Result | None = None
    widest = max(_ATTEMPTS) + 1 if any(map(offers_choices, documents.sites)) else 1
    for branches in _ATTEMPTS:
        last = branches == _ATTEMPTS[-1]
        if not last and (branches >= widest or widest == 1):
            continue  # would come out the same
        goals = Goals(documents, branches=branches, budget=_BUDGET, overflow=last, infer=infer)
        widest = goals.widest
        if goals.exhausted:
            continue
        analysis = Analysis(goals)
        if analysis.fields_at_root() > MAX_PROPERTIES:
            raise SchemaRefused(
                "", f"the root alone has more than {MAX_PROPERTIES} properties, the provider's limit"
            )
        result = _write(analysis, profile, set())
        if result.stats.within:
            if last or widest <= 1 or len(_text(result.strict)) <= _GROWTH * size + _FIXED_SIZE:
                return result
            best = result
        elif best is None and (last or widest <= 1):
            return _open_until_it_fits(analysis, profile, result.stats)
    if best is None:
        raise AssertionError("the last attempt fits or refuses")
    return best


def _write(analysis: Analysis, profile: Profile, opened: set[Goal]) -> _Result:
    layout = Layout(analysis)
    emitted = Emitter(layout, profile, frozenset(opened)).emit()
    share(emitted.strict)
    hoist(emitted.strict)
    strict = unite(emitted.strict)
    return _Result(layout, strict, emitted.notes, measure(strict))


def _open_until_it_fits(analysis: Analysis, profile: Profile, stats: Stats) -> _Result:
    """Give up what is too much: the largest enumerations, then the structure of what lies farthest from the root."""
    opened: set[Goal] = set()
    now = stats
    while _open(analysis, opened, now):
        result = _write(analysis, profile, opened)
        now = result.stats
        if now.within:
            return result
    analysis.open_beyond(0)
    if not _write(analysis, profile, opened).stats.within:
        raise SchemaRefused(
            "",
            f"over the provider's limits: {stats.properties} of {stats.max_properties} properties,"
            f" {stats.characters} of {stats.max_characters} characters,"
            f" {stats.enum_values} of {stats.max_enum_values} enumerated values",
        )
    low, high = 0, analysis.farthest()
    steps = _SEARCH // len(analysis.shapes)
    while low + 1 < high and steps:  # opening beyond `low` steps from the root fits, beyond `high` does not
        steps -= 1
        middle = (low + high) // 2
        analysis.open_beyond(middle)
        if _write(analysis, profile, opened).stats.within:
            low = middle
        else:
            high = middle
    analysis.open_beyond(low)
    return _write(analysis, profile, opened)


def _open(analysis: Analysis, opened: set[Goal], stats: Stats) -> bool:
    """Open the largest enumerations, as many as are too much. False where that does not help."""
    values = stats.enum_values - MAX_ENUM_VALUES
    characters = stats.characters - MAX_CHARACTERS
    if stats.properties > MAX_PROPERTIES:
        return False
    sizes = []
    for goal, shape in enumerate(analysis.shapes):
        if (
            isinstance(shape, Leaf)
            and shape.literals is not None
            and goal not in opened
            and len(shape.literals) > 2
        ):
            sizes.append(
                (len(shape.literals), sum(len(x) for x in shape.literals if isinstance(x, str)), goal)
            )
    if values <= 0 and sum(size[1] for size in sizes) < characters:
        return False
    by = 0 if values > 0 else 1
    before = len(opened)
    for size in sorted(sizes, key=lambda size: (-size[by], size[2])):
        if values <= 0 and characters <= 0:
            break
        values -= size[0]
        characters -= size[1]
        opened.add(size[2])
    return len(opened) > before


def _losses(notes: list[Note]) -> tuple[Loss, ...]:
    found = (Loss(note.site.place.pointer(), note.keyword, note.detail) for note in notes)
    return tuple(dict.fromkeys(found))


def _size(schema: Any) -> int:
    """About how many bytes a schema has as JSON. Not recursive."""
    total = 0
    stack = [schema]
    seen: set[int] = set()
    while stack:
        node = stack.pop()
        if isinstance(node, dict | list):
            if id(node) in seen:
                continue
            seen.add(id(node))
        if isinstance(node, dict):
            total += sum(len(name) + 4 for name in node)
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
            total += len(node)
        else:
            total += len(node) + 2 if isinstance(node, str) else 4
    return total


def _text(strict: Mapping[str, Any]) -> bytes:
    try:
        return render(strict)
    except UnicodeEncodeError:
        raise SchemaRefused(
            "", "a name or value contains half of a surrogate pair, which is no text"
        ) from None


def _digest(text: bytes) -> str:
    return "sha256:" + hashlib.sha256(text).hexdigest()


def _wrapping(encode: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda instance: {VALUE: encode(instance)}


def _unwrapping(decode: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def unwrap(value: Any) -> Any:
        return decode(value[VALUE]) if type(value) is dict and VALUE in value else value

    return unwrap
