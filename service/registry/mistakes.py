"""Everything that is wrong with a schema, place by place: who corrects one mistake wants to know of the others. Pure.

Compiling stops at the first. ``mistakes`` are what makes a JSON value no schema; ``refusals`` is what only the compiler can
tell: no value can match, no technique fits.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jsonschema_rs

from service.foundation import clock
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
_REFUSALS_S = 3.0
"""Compiling is mostly a matter of milliseconds; for schemas that take seconds, fewer refusals are told at once."""
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


def refusals(schema: Any, mistaken: Sequence[Fault], compiled: Callable[[Any], object]) -> list[Fault]:
    """What ``compiled`` refuses, at most fifty places in at most a few seconds, once the mistakes are out of the way.

    Whatever is refused is taken for a schema that allows anything, and the rest is compiled again.
    """
    rest = copy.deepcopy(schema)
    for fault in mistaken:
        _put(rest, fault.pointer, None)
    found: list[Fault] = []
    until = clock.monotonic() + _REFUSALS_S
    while len(found) < _MOST and clock.monotonic() < until:
        try:
            compiled(rest)
        except SchemaRefused as refused:
            if refused.pointer in {fault.pointer for fault in found}:
                break
            found += refused.errors
            if not _put(rest, refused.pointer, {}):
                break
        else:
            break
    return found


def _put(schema: Any, pointer: str, instead: Any) -> bool:
    """Put something else where a pointer leads, or with None take away what is there; whether there was anything."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    if not steps:
        return False
    node = schema
    for step in steps[:-1]:
        node = _at(node, step)
    last: Any = int(steps[-1]) if isinstance(node, list) and steps[-1].isdigit() else steps[-1]
    if _at(node, steps[-1]) is None:
        return False
    if instead is None:
        del node[last]
    else:
        node[last] = instead
    return True


def _at(node: Any, step: str) -> Any:
    if isinstance(node, dict):
        return node.get(step)
    if isinstance(node, list) and step.isdigit() and int(step) < len(node):
        return node[int(step)]
    return None


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
