"""References between schemas: ``{"$ref": "schema://address/2"}`` stands for version 2 of the schema ``address``. Pure.

A version is immutable and so is what it refers to: the version referred to is bundled at publish, and the bundle, which
is complete in itself, is what is compiled, validated with and compared.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from service.foundation import jsontext
from service.foundation.errors import Fault
from service.registry.contents import Content, Reference
from service.strict import children, guess_draft

SCHEME = "schema://"
MAX_REFERENCES = 100
MAX_BUNDLED_BYTES = 2 * 1024 * 1024
_OURS = re.compile(r"schema://(?P<subject>[^/#]+)/(?P<version>[1-9][0-9]{0,8})\Z")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_IMMOVABLE = ("$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor")

Resolve = Callable[[str, int], Content | None]
"""The content of a live version of a schema, None where there is none."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A schema with its references: what it became (None where it has none), to whom, and what is wrong with them."""

    bundled: Mapping[str, Any] | None
    references: tuple[Reference, ...]
    faults: tuple[Fault, ...] = field(default=())


def bundle(name: str, schema: Any, resolve: Resolve, *, named: tuple[Reference, ...] = ()) -> Bundle:
    """Resolve the references of the schema ``name``.

    ``named`` are references that stand under names of their own in ``$ref`` (the Confluent face has such).
    """
    if not isinstance(schema, Mapping):
        return Bundle(None, named)
    used, faults = _used(schema, {reference.name: reference for reference in named})
    if not used or faults:
        return Bundle(None, tuple(used.values()), tuple(faults))
    draft = guess_draft(schema)
    group = "definitions" if draft in ("4", "6", "7") else "$defs"
    existing = schema.get(group)
    definitions: dict[str, Any] = dict(existing) if isinstance(existing, Mapping) else {}
    moved: dict[str, str] = {}
    added: dict[str, Any] = {}
    for pointer, reference in _places(schema, used):
        content = resolve(reference.subject, reference.version)
        if content is None:
            faults.append(Fault(pointer, f"Schema {reference.subject!r} has no version {reference.version}."))
            continue
        if reference.subject == name or _reaches(content, name, resolve):
            faults.append(Fault(pointer, f"The reference leads back to {name!r} itself."))
            continue
        key = _fresh(f"{reference.subject}_{reference.version}", {**definitions, **added})
        moved[reference.name] = f"#/{group}/{key}"
        part, fault = _embedded(content.complete, moved[reference.name], draft)
        if fault:
            faults.append(Fault(pointer, fault))
        added[key] = part
    if faults:
        return Bundle(None, tuple(used.values()), tuple(faults))
    root = _rewritten(schema, lambda target: _moved(target, moved))
    own = root.get(group)
    result = {**root, group: {**(own if isinstance(own, Mapping) else {}), **added}}
    if len(jsontext.render(result)) > MAX_BUNDLED_BYTES:
        large = f"With everything it refers to, the schema has more than {MAX_BUNDLED_BYTES:,} bytes."
        return Bundle(None, tuple(used.values()), (Fault("", large),))
    return Bundle(result, tuple(used.values()))


def _used(
    schema: Mapping[str, Any], named: Mapping[str, Reference]
) -> tuple[dict[str, Reference], list[Fault]]:
    """The references that stand in a schema, by name, with what is wrong with those of our scheme."""
    found: dict[str, Reference] = dict(named)
    faults: list[Fault] = []
    for pointer, node in _nodes(schema):
        target = node.get("$ref")
        if not isinstance(target, str):
            continue
        base = target.partition("#")[0]
        if base in found or not base.startswith(SCHEME):
            continue
        match = _OURS.match(base)
        if match is None:
            faults.append(
                Fault(f"{pointer}/$ref", "A reference is `schema://name/version`, as `schema://address/2`.")
            )
        elif len(found) >= MAX_REFERENCES:
            faults.append(
                Fault(f"{pointer}/$ref", f"More than {MAX_REFERENCES} references; merge some schemas.")
            )
            break
        else:
            found[base] = Reference(base, match["subject"], int(match["version"]))
    return found, faults


def _places(schema: Mapping[str, Any], used: Mapping[str, Reference]) -> Iterator[tuple[str, Reference]]:
    """Each reference with the place where it first stands; the whole schema for one that stands nowhere."""
    first: dict[str, str] = {}
    for pointer, node in _nodes(schema):
        target = node.get("$ref")
        if isinstance(target, str):
            first.setdefault(target.partition("#")[0], f"{pointer}/$ref")
    for name, reference in used.items():
        yield first.get(name, ""), reference


def _reaches(content: Content, name: str, resolve: Resolve) -> bool:
    stack = list(content.references)
    seen: set[tuple[str, int]] = set()
    while stack:
        reference = stack.pop()
        if reference.subject == name:
            return True
        key = (reference.subject, reference.version)
        if key not in seen:
            seen.add(key)
            inner = resolve(*key)
            stack.extend(inner.references if inner else ())
    return False


def _embedded(schema: Any, place: str, draft: str) -> tuple[Any, str]:
    """A complete schema as a definition at ``place``, and why it cannot be one."""
    if not isinstance(schema, Mapping):
        return schema, ""
    if guess_draft(schema) != draft and not _neutral(schema):
        return None, f"It is written in draft {guess_draft(schema)}, this schema in draft {draft}."
    own = next((schema[word] for word in ("$id", "id") if isinstance(schema.get(word), str)), None)
    plain = {key: value for key, value in schema.items() if key not in ("$schema", "$id")}
    if draft == "4" and isinstance(plain.get("id"), str):
        del plain["id"]
    stuck = ""

    def move(target: str) -> str:
        nonlocal stuck
        base, mark, fragment = target.partition("#")
        if base not in ("", own):
            return target
        if fragment and not fragment.startswith("/"):
            stuck = "It uses anchors, which cannot be moved."
        return place + fragment if mark or base else target

    for _, node in _nodes(plain):
        if any(word in node for word in _IMMOVABLE):
            stuck = "It uses anchors or dynamic references, which cannot be moved."
    return _rewritten(plain, move), stuck


def _neutral(schema: Mapping[str, Any]) -> bool:
    """Whether a schema says nothing that only some drafts know."""
    bare = {key: value for key, value in schema.items() if key != "$schema"}
    return (
        "$schema" not in schema
        and guess_draft(bare) == "2020-12"
        and not any("prefixItems" in node for _, node in _nodes(bare))
    )


def _moved(target: str, moved: Mapping[str, str]) -> str:
    base, _, fragment = target.partition("#")
    return target if base not in moved else moved[base] + fragment


def _rewritten(schema: Any, move: Callable[[str], str]) -> Any:
    """A copy with every ``$ref`` moved. Walks subschemas by keyword."""
    if not isinstance(schema, Mapping):
        return schema
    result = dict(schema)
    target = result.get("$ref")
    if isinstance(target, str):
        result["$ref"] = move(target)
    for steps, child in children(dict(schema)):
        moved = _rewritten(child, move)
        if len(steps) == 1:
            result[str(steps[0])] = moved
            continue
        keyword, step = steps
        group = result[str(keyword)]
        if group is schema[str(keyword)]:
            group = result[str(keyword)] = list(group) if isinstance(group, list) else dict(group)
        group[step] = moved
    return result


def _nodes(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    stack: list[tuple[str, Mapping[str, Any]]] = [("", schema)]
    while stack:
        pointer, node = stack.pop()
        yield pointer, node
        for steps, child in children(dict(node)):
            if isinstance(child, Mapping):
                place = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)
                stack.append((pointer + place, child))


def _fresh(base: str, taken: Mapping[str, Any]) -> str:
    base = _UNSAFE.sub("_", base).strip("_") or "part"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name
