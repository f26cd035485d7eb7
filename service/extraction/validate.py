"""Whether a record is valid: against the ORIGINAL schema, formats asserted.

``jsonschema`` decides; ``jsonschema_rs`` pre-accepts in microseconds, so that the slow judge is only asked about what
looks wrong, and only then imported: with its format checkers it takes 25 MB and half a second. Patterns never run on Python's backtracking engine, which a schema could stall for hours: they run on
``jsonschema_rs``'s, whose steps are bounded and which reads them as ECMA 262, as JSON Schema asks.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any, Literal

import jsonschema_rs

from service.strict import SchemaRefused

_MAX_FINDINGS = 50
_MAX_MISSING = 100
_MAX_WORK = 200_000
"""Subschemas that one place of a record may have to be tried against, references followed."""

_FAST: Mapping[str, Any] = {
    "4": jsonschema_rs.Draft4Validator,
    "6": jsonschema_rs.Draft6Validator,
    "7": jsonschema_rs.Draft7Validator,
    "2019-09": jsonschema_rs.Draft201909Validator,
    "2020-12": jsonschema_rs.Draft202012Validator,
}


Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem at one place of the record. The message never quotes the record."""

    pointer: str
    rule: str
    message: str
    severity: Severity = "error"
    places: tuple[str, ...] = ()
    """Every place that may be at fault, where that is more than ``pointer``."""
    columns: tuple[str, ...] = ()
    """Of the lists among them, the member of every item that may be (``/lines/*/amount``)."""


_ENDLESS = Finding(
    "", "schema", "cannot be checked: the schema refers to itself without going deeper into the record"
)


class Validator:
    """A validator, built once per schema version.

    Raises ``SchemaRefused`` for schemas whose validation could take unbounded time or that the validators cannot read.
    """

    def __init__(self, schema: Mapping[str, Any] | bool, *, draft: str) -> None:  # noqa: FBT001 - `true` is a schema
        if isinstance(schema, Mapping):
            schema = {
                key: value for key, value in schema.items() if key != "$schema"
            }  # the draft is already decided
        _refuse_explosive(schema)
        try:
            self.accepts: Callable[[Any], bool] = _FAST[draft](
                schema, validate_formats=True, retriever=_offline
            ).is_valid
        except (ValueError, RecursionError) as error:
            raise _unreadable(error) from None
        self._schema = schema
        self._draft = draft

    @cached_property
    def _judge(self) -> Any:
        from jsonschema_specifications import REGISTRY

        judge = _bounded(self._draft)
        return judge(self._schema, format_checker=judge.FORMAT_CHECKER, registry=REGISTRY)

    def findings(self, record: Any) -> list[Finding]:
        """Everything that is wrong with ``record``, at most fifty; empty when it is valid.

        Takes milliseconds, the first time half a second: ask ``accepts`` first, and this away from the event loop.
        """
        found: list[Finding] = []
        try:
            for error in self._judge.iter_errors(record):
                finding = _finding(error)
                if finding.rule == "required" and finding in found[-_MAX_MISSING:]:
                    continue  # the judge tells each missing member apart, the finding tells them all
                found.append(finding)
                if len(found) == _MAX_FINDINGS:
                    break
        except RecursionError:
            found.append(_ENDLESS)
        except BaseException as error:
            # The same limit, met inside the compiled map that holds the references, is a panic of its own kind.
            if type(error).__name__ != "PanicException":
                raise
            found.append(_ENDLESS)
        return found


def _finding(error: Any) -> Finding:
    pointer = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in error.absolute_path)
    rule = str(error.validator)
    if rule == "required" and isinstance(error.validator_value, list) and isinstance(error.instance, dict):
        missing = [str(name) for name in error.validator_value if name not in error.instance]
        places = tuple(f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}" for name in missing)
        return Finding(pointer, rule, f"lacks what is required: {_shown(missing)}", places=places)
    return Finding(
        pointer,
        rule,
        _MESSAGES.get(rule, lambda _: f"the schema's `{rule}` is not met")(error.validator_value),
    )


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


_MESSAGES: Mapping[str, Callable[[Any], str]] = {
    "type": lambda value: f"is not of type {_shown(value)}",
    "required": lambda value: f"lacks a required member (required: {_shown(value)})",
    "format": lambda value: f"is not a valid {_shown(value)}",
    "pattern": lambda value: f"does not match the pattern {_shown(value)}",
    "enum": lambda value: f"is not one of {_shown(value)}",
    "const": lambda value: f"is not {_shown(value)}",
    "minimum": lambda value: f"is less than {_shown(value)}",
    "maximum": lambda value: f"is greater than {_shown(value)}",
    "minLength": lambda value: f"is shorter than {_shown(value)} characters",
    "maxLength": lambda value: f"is longer than {_shown(value)} characters",
    "minItems": lambda value: f"has fewer than {_shown(value)} items",
    "maxItems": lambda value: f"has more than {_shown(value)} items",
    "uniqueItems": lambda _: "holds equal items",
    "additionalProperties": lambda _: "has members that the schema does not know",
    "oneOf": lambda _: "does not match exactly one of the alternatives (`oneOf`)",
    "anyOf": lambda _: "matches none of the alternatives (`anyOf`)",
}


# ------------------------------------------------------------------------------------- patterns without backtracking


def matches(pattern: str, text: str) -> bool:
    """Whether a text matches a pattern of ECMA 262, in bounded time."""
    return _pattern(pattern)(text)


@lru_cache(maxsize=4096)
def _pattern(pattern: str) -> Callable[[str], bool]:
    try:
        return jsonschema_rs.Draft202012Validator({"pattern": pattern}).is_valid
    except ValueError:
        return lambda _: True  # not a pattern of ECMA 262: it says nothing about a record


@cache
def _bounded(draft: str) -> Any:
    """The judge of a draft, with every keyword that runs a pattern replaced."""
    import jsonschema

    judges = {
        "4": jsonschema.Draft4Validator,
        "6": jsonschema.Draft6Validator,
        "7": jsonschema.Draft7Validator,
        "2019-09": jsonschema.Draft201909Validator,
        "2020-12": jsonschema.Draft202012Validator,
    }
    error = jsonschema.ValidationError

    def pattern_keyword(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[Any]:
        if isinstance(instance, str) and not _pattern(pattern)(instance):
            yield error("pattern")

    def pattern_properties(judge: Any, patterns: Mapping[str, Any], instance: Any, _: Any) -> Iterator[Any]:
        if not isinstance(instance, dict):
            return
        for pattern, subschema in patterns.items():
            matches = _pattern(pattern)
            for key, value in instance.items():
                if matches(key):
                    yield from judge.descend(value, subschema, path=key, schema_path=pattern)

    def additional_properties(
        judge: Any, extra: Any, instance: Any, schema: Mapping[str, Any]
    ) -> Iterator[Any]:
        if not isinstance(instance, dict):
            return
        patterns = [_pattern(pattern) for pattern in schema.get("patternProperties", {})]
        declared = schema.get("properties", {})
        undeclared = [
            key for key in instance if key not in declared and not any(matches(key) for matches in patterns)
        ]
        if extra is False and undeclared:
            yield error("additionalProperties")
        elif isinstance(extra, dict):
            for key in undeclared:
                yield from judge.descend(instance[key], extra, path=key)

    return jsonschema.validators.extend(  # type: ignore[no-untyped-call]  # jsonschema annotates most, not this
        judges[draft],
        {
            "pattern": pattern_keyword,
            "patternProperties": pattern_properties,
            "additionalProperties": additional_properties,
        },
    )


# ------------------------------------------------------------------------------------------------- bounded validation

_IN_PLACE_LISTS = ("allOf", "anyOf", "oneOf")
_IN_PLACE = ("not", "if", "then", "else", "$ref")


def _refuse_explosive(schema: Any) -> None:
    """Refuse what multiplies at one place: `anyOf` towers over references double with every level."""
    if not isinstance(schema, Mapping):
        return
    work: dict[int, int] = {}
    stack: list[tuple[Any, bool]] = [(node, False) for node in _subschemas(schema)]
    open_: set[int] = set()
    while stack:
        node, done = stack.pop()
        key = id(node)
        if done:
            open_.discard(key)
            work[key] = min(
                _MAX_WORK + 1, 1 + sum(work.get(id(child), 1) for child in _in_place(node, schema))
            )
            if work[key] > _MAX_WORK:
                raise SchemaRefused(
                    pointer="",
                    reason="its alternatives multiply through references beyond what can be validated",
                )
        elif key not in work and key not in open_:
            open_.add(key)
            stack.append((node, True))
            stack.extend((child, False) for child in _in_place(node, schema))


def _subschemas(root: Any) -> Iterator[Mapping[str, Any]]:
    """Every object of the schema, schemas or not: more is only slower, never wrong."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, Mapping):
            yield node
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)


def _in_place(node: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for keyword in _IN_PLACE_LISTS:
        for child in node.get(keyword) or () if isinstance(node.get(keyword), list) else ():
            if isinstance(child, Mapping):
                yield child
    for keyword in _IN_PLACE:
        child = node.get(keyword)
        if keyword == "$ref" and isinstance(child, str):
            child = _local(root, child)
        if isinstance(child, Mapping):
            yield child


def _local(root: Any, reference: str) -> Any:
    if reference == "#":
        return root
    if not reference.startswith("#/"):
        return None
    node = root
    for step in reference[2:].split("/"):
        step = step.replace("~1", "/").replace("~0", "~")
        if isinstance(node, Mapping):
            node = node.get(step)
        elif isinstance(node, list) and step.isdigit() and int(step) < len(node):
            node = node[int(step)]
        else:
            return None
    return node


def _offline(uri: str) -> Any:
    raise LookupError(f"{uri!r} is outside this schema and nothing is fetched")


def _unreadable(error: Exception) -> SchemaRefused:
    return SchemaRefused(pointer="", reason=f"the validator cannot read it ({type(error).__name__})")
