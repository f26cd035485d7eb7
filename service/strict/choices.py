"""Keywords that offer alternatives, and what the alternatives are: ``anyOf``, ``oneOf``, ``if``, ``not``, dependencies."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from service.strict.exclusivity import all_disjoint, disjoint
from service.strict.negation import negation
from service.strict.references import Documents, Site
from service.strict.rules import Note

ALL, OWN = "", "own"
Item = tuple[int, str]
"""A site's number and which part of it: ``ALL``, ``OWN``, or a choice by its keyword (and property)."""

CHOICES = frozenset(["anyOf", "dependencies", "dependentRequired", "dependentSchemas", "if", "not", "oneOf"])
_MAX_EXCLUSIONS = 12
_MAX_COMPARED = 100_000
"""Pairs of branches that one compilation compares."""


@dataclass(slots=True)
class Options:
    """The alternatives of one choice: each a list of items, or ``None`` where nothing can meet it.

    ``alternatives`` is ``None`` where the choice is given up; ``notes`` say what was lost. ``rank`` orders choices by
    how little is lost with them. ``pure`` alternatives stand as they are and need no spreading.
    """

    keyword: str
    alternatives: list[list[Item] | None] | None
    rank: int
    words: str = ""
    notes: list[Note] = field(default_factory=list)
    pure: bool = False


def matters(site: Site, keyword: str) -> bool:
    """Whether a keyword says anything in its draft and place."""
    if not site.dialect.knows(keyword):
        return False
    return keyword != "if" or "then" in site.schema or "else" in site.schema


def offers_choices(site: Site) -> bool:
    """Whether a subschema has any keyword with alternatives."""
    return isinstance(site.schema, dict) and not CHOICES.isdisjoint(site.schema)


def items(site: Site, keyword: str) -> list[Item]:
    """The choices that one keyword makes; dependencies make one per property."""
    if keyword.startswith("depend"):
        return [(site.key, f"{keyword}\0{name}") for name in site.schema[keyword]]
    return [(site.key, keyword)]


def options(documents: Documents, item: Item) -> Options:
    """The alternatives of a choice."""
    site = documents.sites[item[0]]
    keyword, _, name = item[1].partition("\0")
    return _OPTIONS[keyword](documents, site, keyword, name)


def _all(sites: Iterable[Site]) -> list[Item] | None:
    found: list[Item] = []
    for site in sites:
        if site.schema is False:
            return None
        if site.schema is not True:
            found.append((site.key, ALL))
    return found


def _any_of(documents: Documents, site: Site, keyword: str, _: str) -> Options:
    branches = [documents.child(site, keyword, index) for index in range(len(site.schema[keyword]))]
    return Options(keyword, [_all([branch]) for branch in branches], rank=1, pure=True)


def _one_of(documents: Documents, site: Site, keyword: str, _: str) -> Options:
    branches = [documents.child(site, keyword, index) for index in range(len(site.schema[keyword]))]
    if all_disjoint(documents, branches):
        return Options(keyword, [_all([branch]) for branch in branches], rank=1, pure=True)
    alternatives: list[list[Item] | None] = []
    documents.compared += len(branches) ** 2
    unknown = documents.compared > _MAX_COMPARED
    overlapping = unknown
    for branch in branches:
        others = [] if unknown else [other for other in branches if other is not branch]
        close = [other for other in others if not disjoint(documents, branch, other)]
        excluded = (
            [_exclusion(documents, other) for other in close] if len(close) <= _MAX_EXCLUSIONS else [None]
        )
        overlapping = overlapping or None in excluded
        alternatives.append(_all([branch, *(site for site in excluded if site is not None)]))
    notes = [Note(site, keyword, "more than one form may match", "exactly one form")] if overlapping else []
    return Options(keyword, alternatives, rank=1, notes=notes, pure=True)


def _exclusion(documents: Documents, other: Site) -> Site | None:
    """A schema for "not this branch", where one small schema can say it."""
    found, exact = _negate(documents, other)
    if not exact or len(found) != 1:
        return None
    text = found[0]
    if "not" in text or "allOf" in text:
        return None
    return documents.synthesise(("exclude", other.key), text, other)


def _negate(documents: Documents, site: Site) -> tuple[list[dict[str, Any]], bool]:
    target = None
    if isinstance(site.schema, dict) and isinstance(site.schema.get("$ref"), str):
        target = documents.resolve(site, "$ref").schema
    return negation(site.schema, site.dialect, target)


def _negated_items(documents: Documents, site: Site) -> tuple[list[list[Item] | None], bool]:
    found, exact = _negate(documents, site)
    sites = [documents.synthesise(("not", site.key, n), text, site) for n, text in enumerate(found)]
    return [_all([one]) for one in sites], exact


def _if(documents: Documents, site: Site, keyword: str, _: str) -> Options:
    condition = documents.child(site, "if")
    then = [documents.child(site, "then")] if "then" in site.schema else []
    other = [documents.child(site, "else")] if "else" in site.schema else []
    refused, exact = _negated_items(documents, condition)
    if not exact:
        refused = [[]]
    otherwise = _all(other)
    alternatives = [_all([condition, *then])]
    for branch in refused:
        alternatives.append(None if branch is None or otherwise is None else [*branch, *otherwise])
    words = "" if exact else "conditional rules apply"
    notes = (
        [] if exact else [Note(site, "if", "the condition cannot be excluded from the other branch", words)]
    )
    return Options(keyword, alternatives, rank=2, words=words, notes=notes)


def _not(documents: Documents, site: Site, keyword: str, _: str) -> Options:
    inner = documents.child(site, "not")
    found, exact = _negated_items(documents, inner)
    notes = [] if exact else [Note(site, "not", "the excluded form cannot be ruled out", "")]
    if not exact and any(branch == [] for branch in found):
        return Options(keyword, None, rank=4, notes=notes)
    return Options(keyword, found, rank=4, notes=notes)


def _absent(documents: Documents, site: Site, name: str) -> Site:
    return documents.synthesise(("absent", name), {"properties": {name: False}}, site)


def _dependency(documents: Documents, site: Site, keyword: str, name: str) -> Options:
    wanted = site.schema[keyword][name]
    absent = _all([_absent(documents, site, name)])
    names = [name, *wanted] if isinstance(wanted, list) else [name]
    present = documents.synthesise(("present", tuple(names)), {"type": "object", "required": names}, site)
    needed = [present] if isinstance(wanted, list) else [present, documents.child(site, keyword, name)]
    if wanted in ([], {}, True):
        return Options(keyword, None, rank=3)
    words = f"with {name}: {', '.join(wanted)}" if isinstance(wanted, list) else ""
    return Options(keyword, [absent, _all(needed)], rank=3, words=words[:120])


_OPTIONS: Mapping[str, Callable[[Documents, Site, str, str], Options]] = {
    "anyOf": _any_of,
    "dependencies": _dependency,
    "dependentRequired": _dependency,
    "dependentSchemas": _dependency,
    "if": _if,
    "not": _not,
    "oneOf": _one_of,
}
