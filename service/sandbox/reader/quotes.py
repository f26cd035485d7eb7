"""Quotes beside a record, for requests whose form asks for them: `{"record": …, "quotes": [{"pointer", "quote"}]}`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["quotes_of", "record_schema"]

_WORDS_AROUND = 2
_MOST = 1_000
_DIGITS = re.compile(r"\d")


def record_schema(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """The schema of the record in a form that asks for quotes too; None for any other form."""
    members = schema.get("properties")
    if not isinstance(members, Mapping) or set(members) != {"record", "quotes"}:
        return None
    items = members["quotes"].get("items") if isinstance(members["quotes"], Mapping) else None
    named = items.get("properties") if isinstance(items, Mapping) else None
    if not isinstance(named, Mapping) or set(named) != {"pointer", "quote"}:
        return None
    record = members["record"]
    definitions = schema.get("$defs") or {}
    if isinstance(record, Mapping) and set(record) == {"$ref"}:
        record = definitions.get(str(record["$ref"]).rpartition("/")[2])
    if not isinstance(record, Mapping):
        return None
    return {**record, "$defs": definitions} if definitions else dict(record)


def quotes_of(record: Any, text: str) -> list[dict[str, str]]:
    """For each value that the text prints, the words in which it does, with a few around them."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    found: list[dict[str, str]] = []
    for pointer, value in _leaves(record, ""):
        quote = _quote(value, lines)
        if quote is not None:
            found.append({"pointer": pointer, "quote": quote})
        if len(found) >= _MOST:
            break
    return found


def _leaves(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from _leaves(member, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _leaves(item, f"{pointer}/{at}")
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
        yield pointer, value


def _quote(value: str | float, lines: list[list[str]]) -> str | None:
    wanted = str(value).split() if isinstance(value, str) else None
    digits = "" if wanted is not None else _significant(f"{abs(float(value)):.6f}")
    for words in lines:
        for at in range(len(words)):
            if wanted is not None:
                fits = words[at : at + len(wanted)] == wanted
                size = len(wanted)
            else:
                fits, size = bool(digits) and _significant(words[at]) == digits, 1
            if fits:
                return " ".join(words[max(at - _WORDS_AROUND, 0) : at + size + _WORDS_AROUND])
    return None


def _significant(word: str) -> str:
    return "".join(_DIGITS.findall(word)).strip("0")
