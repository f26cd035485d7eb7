"""Names for types: from definitions, titles and the members that lead to them; each given once. Pure."""

import re
from collections.abc import Container

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORDS = re.compile(r"[^A-Za-z0-9]+")
_LONGEST = 80


def pascal(text: str) -> str:
    """``line_items`` → ``LineItems``; ``Type3D`` for what would begin with a digit, `Part` for what has no letter."""
    joined = "".join(word[:1].upper() + word[1:] for word in _WORDS.split(text[:200]) if word)[:_LONGEST]
    if not joined:
        return "Part"
    return f"Type{joined}" if joined[0].isdigit() else joined


def snake(text: str) -> str:
    """``lineItems`` → ``line_items``; ASCII letters, digits and single underscores, never one at an end."""
    words = (word for part in _WORDS.split(text[:200]) if part for word in _CAMEL.split(part))
    joined = "_".join(word.lower() for word in words if word)[:_LONGEST].strip("_")
    if not joined:
        return "field"
    return f"field_{joined}" if joined[0].isdigit() else joined


def fresh(base: str, taken: Container[str], mark: str = "") -> str:
    """``base``, or with the first number that makes it new."""
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}{mark}{number}"
    return name
