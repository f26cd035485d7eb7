"""Subjects and versions as the protocol writes them. Pure."""

import re
import unicodedata

from service.registry.confluent.errors import Refusal, invalid_subject, invalid_version, no_schema, unreadable

MAX_SUBJECT = 255
"""Characters: a Kafka topic's name may have 249, and `-value` comes behind it."""

MAX_NUMBER = 2**31 - 1
LATEST = -1

_RESERVED = frozenset(["__GLOBAL", "__EMPTY"])
_CONTEXT = re.compile(r":(?P<context>\.[^:]*|\*):(?P<subject>.*)", re.DOTALL)
_DEFAULT = "."


def plain(subject: str) -> str:
    """A subject without the name of the default context: ``:.:orders-value`` is ``orders-value``."""
    match = _CONTEXT.fullmatch(subject)
    return match["subject"] if match and match["context"] == _DEFAULT else subject


def without_context(prefix: str) -> str | None:
    """A prefix of subjects, without its context; None where that context is not the one there is.

    ``:*:`` stands for all contexts.
    """
    match = _CONTEXT.fullmatch(prefix)
    if match is None:
        return None if _unfinished(prefix) else prefix
    return match["subject"] if match["context"] in (_DEFAULT, "*") else None


def _unfinished(prefix: str) -> bool:
    """``:.ctx``: a context whose end is missing, so that no subject of ours begins with it."""
    return prefix.startswith(":.") and prefix.count(":") == 1


def new_subject(text: str) -> str:
    """A subject that may be written to. Raises 42208."""
    subject = plain(text)
    if why := _fault(subject):
        raise invalid_subject("" if "control" in why else subject, why)
    return subject


def _fault(subject: str) -> str:
    if not subject:
        return "it is empty"
    if len(subject) > MAX_SUBJECT:
        return f"it has more than {MAX_SUBJECT} characters"
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in subject):
        return "it has control characters"
    if subject in _RESERVED:
        return "the name is reserved"
    if _CONTEXT.fullmatch(subject):
        return "this registry has no contexts but the default one, `.`"
    return ""


def version_number(text: str) -> int:
    """A version in a path: its number, or ``LATEST`` for ``latest`` and ``-1``. Raises 42202."""
    word = text.strip()
    if word.lower() == "latest" or word == "-1":
        return LATEST
    number = _digits(word)
    if number is None or not 1 <= number <= MAX_NUMBER:
        raise invalid_version(text)
    return number


def schema_id(text: str) -> int:
    """An id in a path. Raises 40403: what is no id belongs to nothing."""
    number = _digits(text)
    if number is None or not 1 <= number <= MAX_NUMBER:
        raise no_schema(text)
    return number


def _digits(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,10}", text) else None


def whole(value: object, member: str) -> int | None:
    """An optional number of a body; what is not above zero is none. Raises 422."""
    if value is None:
        return None
    if type(value) is not int or value > MAX_NUMBER:
        raise _not_a_number(member)
    return value if value > 0 else None


def _not_a_number(member: str) -> Refusal:
    return unreadable(f"`{member}` is a whole number up to 2^31-1")
