"""Whether two subschemas can both hold: a quick look that only says yes when it is sure they cannot."""

from dataclasses import dataclass
from typing import Any

from service.strict.references import Documents, Site
from service.strict.shapes import TYPES
from service.strict.values import identity

_MAX_STEPS = 8


@dataclass(slots=True)
class Signature:
    """What is plain to see about the values of a subschema."""

    types: frozenset[str]
    values: frozenset[Any] | None
    required: frozenset[str]
    tags: dict[str, frozenset[Any]]
    closed: frozenset[str] | None


def disjoint(documents: Documents, one: Site, other: Site) -> bool:
    """True where no value can meet both subschemas."""
    a, b = _signature(documents, one), _signature(documents, other)
    return a is not None and b is not None and _apart(a, b)


def all_disjoint(documents: Documents, sites: list[Site]) -> bool:
    """True where one property with a constant tells all subschemas apart: the usual discriminator, in linear time."""
    signatures = [_signature(documents, site) for site in sites]
    known = [signature for signature in signatures if signature is not None]
    if len(known) < len(sites):
        return False
    for name in known[0].tags:
        if all(one.types == {"object"} and name in one.tags and name in one.required for one in known):
            values = [one.tags[name] for one in known]
            if len(frozenset().union(*values)) == sum(map(len, values)):
                return True
    return False


def _apart(a: Signature, b: Signature) -> bool:
    if not a.types & b.types:
        return True
    if a.values is not None and b.values is not None and not a.values & b.values:
        return True
    if not a.types & b.types <= {"object"}:
        return False
    for name in a.tags.keys() & b.tags.keys():
        if name in a.required | b.required and not a.tags[name] & b.tags[name]:
            return True
    return (a.closed is not None and not b.required <= a.closed) or (
        b.closed is not None and not a.required <= b.closed
    )


def _follow(documents: Documents, site: Site) -> Site | None:
    for _ in range(_MAX_STEPS):
        if not isinstance(site.schema, dict):
            return None
        if not isinstance(site.schema.get("$ref"), str):
            return site
        site = documents.resolve(site, "$ref")
    return None


def _signature(documents: Documents, site: Site) -> Signature | None:
    if site.key not in documents.signatures:
        documents.signatures[site.key] = _read(documents, site)
    known: Signature | None = documents.signatures[site.key]
    return known


def _read(documents: Documents, site: Site) -> Signature | None:
    found = _follow(documents, site)
    if found is None:
        return None
    schema = found.schema
    declared = schema.get("type", TYPES)
    types = {declared} if isinstance(declared, str) else set(declared)
    if "number" in types:
        types.add("integer")
    values = _values(schema)
    if values is not None:
        kinds = {kind for kind, _ in values}
        types &= kinds | ({"integer"} if "number" in kinds else set())
    tags = {}
    properties = schema.get("properties", {})
    for name, child in properties.items():
        inner = (
            _follow(documents, documents.child(found, "properties", name))
            if isinstance(child, dict)
            else None
        )
        tag = _values(inner.schema) if inner is not None else None
        if tag is not None:
            tags[name] = tag
    closed = None
    if schema.get("additionalProperties") is False and not schema.get("patternProperties"):
        closed = frozenset(properties)
    return Signature(frozenset(types), values, frozenset(schema.get("required", ())), tags, closed)


def _values(schema: Any) -> frozenset[Any] | None:
    try:
        if "const" in schema:
            return frozenset((identity(schema["const"]),))
        if "enum" in schema:
            return frozenset(map(identity, schema["enum"]))
    except ValueError:
        return None
    return None
