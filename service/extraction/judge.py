"""From an answer's text to a verdict on it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Protocol

from service.extraction.validate import Finding, Validator
from service.foundation import jsontext


@dataclass(frozen=True, slots=True)
class Accepted:
    """A record that validates against the original schema."""

    data: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Malformed:
    """Not JSON, or JSON outside the strict form: the provider broke its promise."""

    reason: str


@dataclass(frozen=True, slots=True)
class Invalid:
    """A record that breaks rules which the strict form cannot hold."""

    findings: tuple[Finding, ...]


Verdict = Accepted | Malformed | Invalid


class Decodes(Protocol):
    """Turns a strict value into a record."""

    def decode(self, value: Any) -> Any:
        """The record. Raises ``ValueError`` and its like for what is not of the form."""


def decoded(text: str, form: Decodes) -> Any | Malformed:
    """The answer in the caller's shape, not yet validated."""
    try:
        value = jsontext.parse(text.encode())
    except (jsontext.MalformedJson, UnicodeEncodeError) as error:
        return Malformed(str(error) if isinstance(error, jsontext.MalformedJson) else "not valid Unicode")
    try:
        return form.decode(value)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return Malformed("the answer is not of the form that was asked for")


async def judge(text: str, form: Decodes, validator: Validator) -> Verdict:
    """Parse, decode, validate against the original schema. What is wrong is looked into away from the event loop."""
    data = decoded(text, form)
    if isinstance(data, Malformed):
        return data
    if validator.accepts(data):
        return Accepted(data)
    findings = await asyncio.to_thread(validator.findings, data)
    return Invalid(tuple(findings)) if findings else Accepted(data)
