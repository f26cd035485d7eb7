"""Everything that makes a JSON value no schema, place by place: who corrects one mistake wants to know of the others. Pure.

Compiling stops at the first. What only the compiler can tell (no value can match, no technique fits) is not here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

from service.foundation.errors import Fault
from service.registry.compatibility.judge import Judge
from service.strict import (
    Documents,
    SchemaRefused,
    children,
    dialect_of,
    guess_draft,
    shape_faults,
)

_MOST = 50
_REFERENCES = ("$ref", "$dynamicRef")


def mistakes(schema: Any, *, references: bool = True) -> list[Fault]:
    """At most fifty faults with pointers into the schema; ``references`` is whether dangling ones count."""
    try:
        dialect = dialect_of(guess_draft(schema))
    except SchemaRefused:
        return []
    found: list[Fault] = []
    for pointer, node in _subschemas(schema):
        found += [
            Fault(f"{pointer}/{_escaped(keyword)}", f"invalid schema: {keyword!r} {why}")
            for keyword, why in shape_faults(node, dialect)
        ]
        found += _patterns(pointer, node, dialect.draft)
        if len(found) >= _MOST:
            return found[:_MOST]
    if references and not found:
        found += _dangling(Documents(schema, dialect, {}))
    return found[:_MOST]


def unreadable(schema: Any, draft: str) -> Fault | None:
    """Why validators cannot read a schema, None where they can: records could not be checked against it."""
    try:
        Judge(schema, draft, formats=True)
    except jsonschema_rs.ValidationError as error:
        return Fault("".join(f"/{_escaped(str(step))}" for step in error.instance_path), error.message[:500])
    except ValueError as error:
        return Fault("", str(error)[:500])
    return None


def _subschemas(schema: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object subschema with its pointer, parents first."""
    stack: list[tuple[str, Any]] = [("", schema)]
    seen: set[int] = set()
    while stack:
        pointer, node = stack.pop()
        if not isinstance(node, dict) or id(node) in seen:
            continue
        seen.add(id(node))
        yield pointer, node
        below = [
            (pointer + "".join(f"/{_escaped(str(step))}" for step in steps), child)
            for steps, child in children(node)
        ]
        stack.extend(reversed(below))


def _patterns(pointer: str, node: Mapping[str, Any], draft: str) -> Iterator[Fault]:
    """Patterns that are no regular expressions."""
    named = node.get("patternProperties")
    given = [("/pattern", node.get("pattern"))]
    given += (
        [(f"/patternProperties/{_escaped(name)}", name) for name in named]
        if isinstance(named, Mapping)
        else []
    )
    for place, pattern in given:
        if isinstance(pattern, str) and unreadable({"pattern": pattern}, draft) is not None:
            yield Fault(pointer + place, "invalid schema: this is no regular expression")


def _dangling(documents: Documents) -> Iterator[Fault]:
    for site in list(documents.sites):
        for keyword in _REFERENCES:
            if isinstance(site.schema, dict) and isinstance(site.schema.get(keyword), str):
                try:
                    documents.resolve(site, keyword)
                except SchemaRefused as refused:
                    yield from refused.errors


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
