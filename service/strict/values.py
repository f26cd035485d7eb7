"""JSON values as schemas see them: their kinds, and when two are equal (1 is 1.0, but never ``true``)."""

import math
from typing import Any, Literal

Kind = Literal["null", "boolean", "number", "string", "array", "object"]

KINDS: tuple[Kind, ...] = ("string", "number", "boolean", "null", "array", "object")
"""Short values first: where a model has a free choice, that is the order it is offered."""

MAX_LITERAL_DEPTH = 60

_MAX_BITS = 12_000

_KINDS: dict[type, Kind] = {
    bool: "boolean",
    dict: "object",
    float: "number",
    int: "number",
    list: "array",
    str: "string",
    type(None): "null",
}


def kind_of(value: Any) -> Kind:
    """The kind of a JSON value; anything that is not JSON counts as a string."""
    return _KINDS.get(type(value), "string")


def identity(value: Any, depth: int = 0) -> Any:
    """A hashable stand-in: equal for equal JSON values.

    Raises ``ValueError`` for values that nest more than ``MAX_LITERAL_DEPTH`` levels.
    """
    if depth > MAX_LITERAL_DEPTH:
        raise ValueError("too deep")
    kind = kind_of(value)
    if kind == "object":
        return kind, frozenset((name, identity(member, depth + 1)) for name, member in value.items())
    if kind == "array":
        return kind, tuple(identity(member, depth + 1) for member in value)
    if kind == "number" and not is_sane(value):
        raise ValueError("not a number that JSON text can carry")
    return kind, value


def is_sane(number: Any) -> bool:
    """Whether a number can be written and read: finite, and below the digits that Python converts (4,300)."""
    return number.bit_length() < _MAX_BITS if isinstance(number, int) else math.isfinite(number)


def is_integer(value: Any) -> bool:
    """Whether a number has no fraction; 1.0 counts."""
    return isinstance(value, int) or value.is_integer()
