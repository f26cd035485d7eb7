"""JSON text in and out, exact and bounded.

orjson does the work. Two things it would change are kept: integers beyond 64 bits stay exact (orjson turns them into
floats), and such integers can be written back. Refused: NaN and infinities, lone surrogates, invalid UTF-8, more than
``MAX_DEPTH`` levels.
"""

import json
import math
import re
from typing import Any, NoReturn

import orjson

MAX_DEPTH = 512
"""Levels of nesting. Far beyond any real request, far below what a recursive walk survives."""

_LONG_DIGITS = re.compile(rb"\d{19}")


class MalformedJson(ValueError):
    """Not JSON, or JSON that no endpoint accepts. The message is safe to show: it never quotes the text."""


def parse(data: bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """The value of a JSON text.

    Raises ``MalformedJson``.
    """
    try:
        value = orjson.loads(data)
        if _LONG_DIGITS.search(data):
            value = json.loads(data, parse_constant=_refuse_constant, parse_float=_finite)
    except orjson.JSONDecodeError as error:
        raise MalformedJson(f"{error.msg} (line {error.lineno}, column {error.colno})") from None
    except (RecursionError, ValueError):
        raise MalformedJson("not valid JSON within the limits of this service") from None
    if _too_deep(value, max_depth):
        raise MalformedJson(f"nested more than {max_depth} levels deep")
    return value


def render(value: Any) -> bytes:
    """Compact UTF-8 JSON text; member order is kept."""
    try:
        return orjson.dumps(value)
    except TypeError:  # integers beyond 64 bits, or more than orjson's 254 levels
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def canonical(value: Any) -> bytes:
    """Like ``render`` with members sorted: equal values have equal bytes."""
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()


def _too_deep(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        deeper: list[Any] = []
        for item in level:
            if type(item) is dict:
                deeper.extend(child for child in item.values() if type(child) is dict or type(child) is list)
            elif type(item) is list:
                deeper.extend(child for child in item if type(child) is dict or type(child) is list)
        if not deeper:
            return False
        level = deeper
    return True


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("number out of range")
    return number


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN and infinities are not JSON")
