"""What ``unevaluatedProperties`` and ``unevaluatedItems`` must leave alone, besides what the merged keywords declare.

Every branch of an ``anyOf`` that happens to hold evaluates what it declares, and so does an ``if`` without consequence.
"""

from dataclasses import dataclass, field

from service.strict.references import Documents, Site

_MAX_STEPS = 500
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


@dataclass(slots=True)
class Evaluated:
    """Names and positions that may be evaluated; ``open_`` where anything may be."""

    names: dict[str, None] = field(default_factory=dict)
    length: int = 0
    open_members: bool = False
    open_items: bool = False


def evaluated(documents: Documents, site: Site) -> Evaluated:
    """What the branches beside an ``unevaluated…`` keyword may evaluate."""
    found = Evaluated()
    stack = [(site, False)]
    seen: set[int] = set()
    while stack and len(seen) < _MAX_STEPS:
        at, inside = stack.pop()
        if at.key in seen or not isinstance(at.schema, dict):
            continue
        seen.add(at.key)
        if inside:
            _collect(found, at)
        for keyword in _REFERENCES:
            if isinstance(at.schema.get(keyword), str) and at.dialect.knows(keyword):
                stack.append((documents.resolve(at, keyword), inside))
        for keyword in ("allOf", "anyOf", "oneOf"):
            for index in range(len(at.schema.get(keyword, ()))):
                branch = documents.child(at, keyword, index)
                stack.append((branch, inside or keyword == "anyOf" or _opens(branch)))
        for keyword in ("if", "then", "else"):
            if keyword in at.schema and (inside or "then" not in at.schema):
                stack.append((documents.child(at, keyword), True))
    return found


def _opens(site: Site) -> bool:
    schema = site.schema
    return isinstance(schema, dict) and ("unevaluatedProperties" in schema or "unevaluatedItems" in schema)


def _collect(found: Evaluated, site: Site) -> None:
    schema = site.schema
    found.names.update(dict.fromkeys(schema.get("properties", ())))
    first = schema.get("prefixItems", schema.get("items"))
    if isinstance(first, list):
        found.length = max(found.length, len(first))
    if schema.keys() & {"additionalProperties", "unevaluatedProperties", "patternProperties"}:
        found.open_members = True
    if isinstance(schema.get("items"), dict | bool) or schema.keys() & {
        "additionalItems",
        "contains",
        "unevaluatedItems",
    }:
        found.open_items = True
