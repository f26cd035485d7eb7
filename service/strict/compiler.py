"""Any JSON Schema to the strict form, with the way back."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from service.foundation.jsontext import render
from service.strict.analysis import Analysis
from service.strict.check import check
from service.strict.decode import decoder
from service.strict.drafts import dialect_of, guess_draft, subschemas
from service.strict.emit import Emitter
from service.strict.encode import Encoder
from service.strict.goals import Goals, OutOfBudget
from service.strict.layout import VALUE, Layout
from service.strict.limits import MAX_CHARACTERS, MAX_ENUM_VALUES, Stats, hoist, measure
from service.strict.references import Documents
from service.strict.refused import SchemaRefused
from service.strict.rules import Goal, Leaf, Note
from service.strict.scalars import Profile
from service.strict.shapes import fault

_ATTEMPTS = ((32, 12_000), (6, 20_000), (1, 30_000))
"""How many branches one conjunction may spread into, and how many goals that may make; less precise each time."""

_MAX_NODES = 120_000
_ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Loss:
    """A rule of the schema that the strict form does not hold; validation after decoding does.

    ``pointer`` is the JSON Pointer of the subschema, ``keyword`` the rule, ``detail`` what became of it.
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


def compile(  # noqa: A001 - the word for what it does
    schema: Any,
    *,
    draft: str | None = None,
    externals: Mapping[str, Any] | None = None,
    profile: Profile = "documented",
) -> Compiled:
    """The strict form of a JSON Schema.

    ``draft`` is one of "4", "6", "7", "2019-09", "2020-12"; by default it is read or guessed. ``externals`` holds the
    documents that the schema refers to, by URI. Deterministic.

    Raises ``SchemaRefused`` for schemas that are invalid, incomplete, unsatisfiable or too large.
    """
    if not isinstance(schema, dict | bool):
        raise SchemaRefused("", "a schema is an object or a boolean")
    dialect = dialect_of(guess_draft(schema) if draft is None else draft)
    documents = _documents(schema, dialect.draft, externals or {})
    layout = _layout(documents)
    if isinstance(schema, dict) and _is_strict(schema, profile):
        stats = measure(schema)
        return Compiled(schema, (), dialect.draft, _digest(schema), stats, _same, _same)
    strict, notes, stats = _fit(layout, profile)
    encode: Callable[[Any], Any] = Encoder(layout).encode
    decode = decoder(layout)
    if layout.root_wrapped:
        encode, decode = _wrapping(encode), _unwrapping(decode)
    return Compiled(strict, _losses(notes), dialect.draft, _digest(strict), stats, encode, decode)


def _same(value: Any) -> Any:
    return value


def _documents(schema: Any, draft: str, externals: Mapping[str, Any]) -> Documents:
    if sum(1 for _ in subschemas(schema)) > _MAX_NODES:
        raise SchemaRefused("", f"more than {_MAX_NODES} subschemas; split the schema")
    documents = Documents(schema, dialect_of(draft), externals)
    for site in documents.sites:
        wrong = fault(site.schema, site.dialect) if isinstance(site.schema, dict) else None
        if wrong is not None:
            keyword, expected = wrong
            raise SchemaRefused((site.place / keyword).pointer(), f"invalid schema: {keyword!r} {expected}")
    return documents


def _layout(documents: Documents) -> Layout:
    for branches, budget in _ATTEMPTS:
        try:
            goals = Goals(documents, branches=branches, budget=budget, infer=False)
        except OutOfBudget:
            continue
        return Layout(Analysis(goals))
    raise SchemaRefused("", "the schema is too large: its parts combine into too many forms")


def _is_strict(schema: dict[str, Any], profile: Profile) -> bool:
    return not check(schema, profile=profile)


def _fit(layout: Layout, profile: Profile) -> tuple[dict[str, Any], list[Note], Stats]:
    """The strict form within the limits; enumerations are opened, the largest first, as far as that is needed."""
    opened: set[Goal] = set()
    for _ in range(_ROUNDS):
        emitted = Emitter(layout, profile, frozenset(opened)).emit()
        hoist(emitted.strict)
        stats = measure(emitted.strict)
        if stats.within:
            return emitted.strict, emitted.notes, stats
        if not _open(layout, opened, stats):
            break
    raise SchemaRefused(
        "",
        f"over the provider's limits: {stats.properties} of {stats.max_properties} properties, {stats.characters} of"
        f" {stats.max_characters} characters, {stats.enum_values} of {stats.max_enum_values} enumerated values",
    )


def _open(layout: Layout, opened: set[Goal], stats: Stats) -> bool:
    """Open the largest enumerations, as many as are too much. False where none is left."""
    sizes = []
    for goal, shape in enumerate(layout.analysis.shapes):
        if (
            isinstance(shape, Leaf)
            and shape.literals is not None
            and goal not in opened
            and len(shape.literals) > 2
        ):
            sizes.append(
                (len(shape.literals), sum(len(x) for x in shape.literals if isinstance(x, str)), goal)
            )
    values = stats.enum_values - MAX_ENUM_VALUES
    characters = stats.characters - MAX_CHARACTERS
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


def _digest(strict: Mapping[str, Any]) -> str:
    return "sha256:" + hashlib.sha256(render(strict)).hexdigest()


def _wrapping(encode: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda instance: {VALUE: encode(instance)}


def _unwrapping(decode: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def unwrap(value: Any) -> Any:
        return decode(value[VALUE]) if type(value) is dict and VALUE in value else value

    return unwrap
