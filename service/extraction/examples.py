"""Which examples of a schema the model is shown before a document, and how. Pure.

An example is shown in the form that is asked for: its record encoded, as the answer would be. Those that are most like the
document are chosen, as many as a budget of tokens takes; they keep the order in which the schema has them, so that the
provider's prompt cache hits where the same ones are chosen. The document itself is never among them, nor anything that is
nearly the same: an answer that is copied is no reading, and would make every measure of the schema worthless.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from service.catalogue import text_tokens_about
from service.documents import Page
from service.extraction.evidence import Index, locate
from service.foundation import jsontext
from service.registry import Example

_INTRODUCTION = "Examples of other documents and their right answers. Take no values from them."
_TAGS = re.compile(r"<(?=/?(?:document|check|examples?)\b)", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_SHINGLE = 3
"""Words of a shingle."""

_SAME = 0.75
"""Share of the shingles of the shorter text in the other one, from which both are one document."""

_LONGEST = 200_000
"""Characters of a document that are compared."""


@dataclass(frozen=True, slots=True)
class PreparedExample:
    """An example as it is shown, and what it is compared by. Made once per schema version."""

    text: str = field(repr=False)
    tokens: int
    words: frozenset[str] = field(repr=False)
    shingles: frozenset[int] = field(repr=False)


def ready(example: Example, answer: Any, *, quoted: bool) -> PreparedExample:
    """An example with its record as ``answer``, a value of the strict form.

    ``quoted``: the form asks for quotes beside the record: those that the example's document has.
    """
    value = {"record": answer, "quotes": _quotes(example.document, answer)} if quoted else answer
    document = _TAGS.sub("< ", example.document)
    text = f"<example>\n[document]\n{document}\n[answer]\n{_TAGS.sub('< ', jsontext.render(value).decode())}\n</example>"
    words = _words(example.document)
    return PreparedExample(text, math.ceil(text_tokens_about(text)), frozenset(words), _shingles(words))


def chosen(examples: Sequence[PreparedExample], document: str, budget: int) -> tuple[PreparedExample, ...]:
    """The examples to show with a document, in their own order; none for a document without text.

    Of pictures nobody can say whether an example is the document itself.
    """
    words = _words(document[:_LONGEST])
    if not words:
        return ()
    own, shingles = frozenset(words), _shingles(words)
    others = [one for one in examples if not _same(one.shingles, shingles)]
    taken: list[PreparedExample] = []
    for one in sorted(others, key=lambda other: -_alike(other.words, own)):
        if one.tokens <= budget:
            budget -= one.tokens
            taken.append(one)
    return tuple(one for one in examples if any(one is other for other in taken))


def shown(examples: Sequence[PreparedExample]) -> str:
    """The text that stands before the document."""
    return "\n".join(("<examples>", _INTRODUCTION, *(one.text for one in examples), "</examples>"))


def _quotes(document: str, answer: Any) -> list[dict[str, str]]:
    found = locate(Index((Page(1, document),)), answer, {})
    return [
        {"pointer": pointer, "quote": one.quote}
        for pointer, one in found.items()
        if one.status == "found" and one.quote is not None
    ]


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _shingles(words: Sequence[str]) -> frozenset[int]:
    if len(words) < _SHINGLE:
        return frozenset({hash(tuple(words))})
    return frozenset(hash(tuple(words[at : at + _SHINGLE])) for at in range(len(words) - _SHINGLE + 1))


def _same(one: frozenset[int], other: frozenset[int]) -> bool:
    return len(one & other) >= _SAME * max(min(len(one), len(other)), 1)


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    """Share of the words that two texts have in common; figures, which differ between all documents, aside."""
    both = {word for word in one & other if not word.isdecimal()}
    either = {word for word in one | other if not word.isdecimal()}
    return len(both) / max(len(either), 1)
