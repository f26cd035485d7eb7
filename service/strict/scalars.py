"""Strict text for strings, numbers and enumerated values, and what it cannot hold."""

import math
from collections.abc import Iterable
from typing import Any, Literal

from service.strict.patterns import MAX_LENGTH, of_length, portable, with_length
from service.strict.references import Site
from service.strict.rules import Leaf, Note, Quantity, Text
from service.strict.values import is_integer, kind_of

Profile = Literal["documented", "observed", "minimal"]
"""How much of the subset is used: what the guide documents, also what was observed to work, or only what all agree on."""

Fragment = dict[str, Any]

FORMATS = frozenset(["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"])
"""The formats that the provider knows (contract §3.1)."""

BIG_ENUM_VALUES, BIG_ENUM_CHARACTERS = 250, 15_000
"""Above so many values, one enumeration of strings may have so many characters (contract §3.3)."""

_MAX_WORDS = 100


def describe(text: str, words: Iterable[str]) -> str:
    """A description with the words for lost rules behind it."""
    said = "; ".join(dict.fromkeys(word for word in words if word))
    if not said:
        return text
    return f"{text} ({said})" if text else said


def string(text: Text, profile: Profile, site: Site) -> tuple[Fragment, list[Note]]:
    """A string under its rules."""
    fragment: Fragment = {"type": "string"}
    notes: list[Note] = []
    pattern = None
    for source, place in text.patterns:
        written = portable(source) if profile != "minimal" and pattern is None else None
        if written is not None:
            pattern = written
        else:
            notes.append(Note(place, "pattern", "the pattern is not sent", f"matches {source}"[:_MAX_WORDS]))
    for name, place in text.formats:
        if name in FORMATS and profile != "minimal" and "format" not in fragment:
            fragment["format"] = name
        else:
            notes.append(
                Note(
                    place,
                    "format",
                    f"format {name!r:.40} is not sent",
                    f"format {name}"[:40],
                )
            )
    pattern, lost = _length(text, profile, pattern, fragment)
    if lost:
        for keyword, place in text.sites.items() or {"minLength": site}.items():
            notes.append(Note(place, keyword, "the length is not limited", ""))
        notes[-1] = Note(notes[-1].site, notes[-1].keyword, notes[-1].detail, lost)
    if pattern is not None:
        fragment["pattern"] = pattern
    return fragment, notes


def _length(text: Text, profile: Profile, pattern: str | None, fragment: Fragment) -> tuple[str | None, str]:
    """The pattern with the length in it, or the words for a length that is lost."""
    least, most = text.least, text.most
    if not least and most is None:
        return pattern, ""
    if profile == "observed":
        if least:
            fragment["minLength"] = least
        if most is not None:
            fragment["maxLength"] = most
        return pattern, ""
    words = _length_words(least, most)
    if profile == "minimal":
        return pattern, words
    if pattern is not None:
        longer = with_length(pattern, least, most)
        return (longer, "") if longer is not None else (pattern, words)
    if "format" in fragment:
        return None, words
    if least > MAX_LENGTH:
        return None, words
    if most is not None and most > MAX_LENGTH:
        return (of_length(least, None) if least else None), words
    return of_length(least, most), ""


def _length_words(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {least} characters"
    if least == most:
        return f"{least} characters"
    return f"{least} to {most} characters" if least else f"at most {most} characters"


def number(quantity: Quantity, profile: Profile, site: Site) -> tuple[Fragment, list[Note]]:
    """A number under its rules."""
    fragment: Fragment = {"type": "integer" if quantity.integer else "number"}
    notes: list[Note] = []
    rules: Fragment = {}
    if quantity.low is not None:
        rules["exclusiveMinimum" if quantity.low[1] else "minimum"] = quantity.low[0]
    if quantity.high is not None:
        rules["exclusiveMaximum" if quantity.high[1] else "maximum"] = quantity.high[0]
    steps = quantity.multiples
    if len(steps) > 1 and all(isinstance(step, int) for step, _ in steps):
        rules["multipleOf"] = math.lcm(*(step for step, _ in steps))
    elif steps:
        rules["multipleOf"] = steps[0][0]
        notes += [
            Note(place, "multipleOf", "one step is kept", f"multiple of {step}") for step, place in steps[1:]
        ]
    if profile == "minimal":
        for keyword, value in rules.items():
            place = quantity.sites.get(
                "minimum" if "Min" in keyword or keyword == "minimum" else "maximum", site
            )
            notes.append(Note(place, keyword, "the rule is not sent", f"{keyword} {value}"))
        return fragment, notes
    return {**fragment, **rules}, notes


def literals(leaf: Leaf, *, opened: bool, site: Site) -> tuple[list[Fragment], list[Note]]:
    """Enumerated scalars, one fragment per type; ``null`` is left to the caller."""
    fragments: list[Fragment] = []
    notes: list[Note] = []
    values = leaf.literals or []
    for kind in dict.fromkeys(map(kind_of, values)):
        members = [value for value in values if kind_of(value) == kind]
        if kind == "boolean":
            fragments.append(
                {"type": "boolean"} if len(members) == 2 else {"type": "boolean", "const": members[0]}
            )
        elif kind in {"string", "number"}:
            name = "string" if kind == "string" else "integer" if all(map(is_integer, members)) else "number"
            size = sum(len(value) for value in members if isinstance(value, str))
            if opened or (len(members) > BIG_ENUM_VALUES and size > BIG_ENUM_CHARACTERS):
                fragments.append({"type": name})
                notes.append(Note(site, "enum", f"{len(members)} values are too many to send", ""))
            else:
                fragments.append(
                    {"type": name, "enum": members}
                    if len(members) > 1
                    else {"type": name, "const": members[0]}
                )
    return fragments, notes
