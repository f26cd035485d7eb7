"""The model's own certainty of each leaf: the log-probabilities of the tokens that spell it in the answer.

The answer is in the strict form, the record in the caller's. The way from one to the other is asked of the decoder itself:
a copy of the answer in which every text, number and key is a mark is decoded, and the marks say what came out where.
"""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from math import exp
from typing import Any

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]++', re.DOTALL)
_MARK = "\ue000"
"""Begins a mark: a character for private use, which no schema names a property with."""


def leaf_probabilities(
    answer: str,
    tokens: Sequence[tuple[bytes, float]],
    parse: Callable[[str], Any],
    decode: Callable[[Any], Any],
) -> dict[str, float]:
    """The joint probability of the tokens of each leaf, by JSON Pointer into the record.

    ``tokens`` are the UTF-8 bytes and the log-probability of each token of the answer, in order; ``parse`` reads JSON and
    ``decode`` turns strict values into records. Leaves that are null, booleans, or that the decoder makes itself have
    none. Empty when the tokens do not spell the answer, or the answer is not of the strict form.
    """
    if b"".join(text for text, _ in tokens) != answer.encode("utf-8", "surrogatepass"):
        return {}
    marked, spans = _marked(answer)
    try:
        record = decode(parse(marked))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return {}
    starts = array("I")
    at = 0
    for text, _ in tokens:
        starts.append(at)
        at += len(text)
    places = answer if answer.isascii() else _bytes_before(answer)
    found: dict[str, float] = {}
    for pointer, mark in _marks(record, answer, spans):
        start, end = spans[mark]
        if not isinstance(places, str):
            start, end = places[start], places[end]
        first = bisect_right(starts, start) - 1
        last = bisect_left(starts, end)
        found[pointer] = exp(min(sum(chance for _, chance in tokens[first:last]), 0.0))
    return found


def _marked(answer: str) -> tuple[str, list[tuple[int, int]]]:
    """The answer with marks for texts and numbers, and what each mark stands for: the span between the quotes."""
    parts: list[str] = []
    spans: list[tuple[int, int]] = []
    last = 0
    matches = list(_TOKEN.finditer(answer))
    for at, match in enumerate(matches):
        text = match[0]
        if text in ("true", "false", "null") or text in "{}[],:":
            continue
        if text[0] == '"' and at + 1 < len(matches) and matches[at + 1][0] == ":":
            continue  # a name of the strict form
        inner = (match.start() + 1, match.end() - 1) if text[0] == '"' else match.span()
        parts += (answer[last : match.start()], f'"{_MARK}{len(spans)}"')
        spans.append(inner)
        last = match.end()
    parts.append(answer[last:])
    return "".join(parts), spans


def _marks(record: Any, answer: str, spans: list[tuple[int, int]]) -> list[tuple[str, int]]:
    """Where in the record the marks are, by pointer; names that are marks are read back."""
    found: list[tuple[str, int]] = []
    stack: list[tuple[str, Any]] = [("", record)]
    while stack:
        pointer, value = stack.pop()
        if isinstance(value, dict):
            for name, member in value.items():
                if name.startswith(_MARK):
                    name = _unquoted(answer[slice(*spans[int(name[1:])])])
                stack.append((f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}", member))
        elif isinstance(value, list):
            stack += [(f"{pointer}/{at}", item) for at, item in enumerate(value)]
        elif isinstance(value, str) and value.startswith(_MARK):
            found.append((pointer, int(value[1:])))
    return found


def _unquoted(text: str) -> str:
    import json  # the only place that needs escapes read, and only for the keys of maps

    return str(json.loads(f'"{text}"'))


def _bytes_before(text: str) -> "array[int]":
    """For each character, and for the end, how many bytes of UTF-8 come before it."""
    found = array("I", [0])
    at = 0
    for letter in text:
        code = ord(letter)
        at += 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
        found.append(at)
    return found
