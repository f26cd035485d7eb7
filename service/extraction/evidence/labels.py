"""Labels of a document with something beside them: what a record that has nothing there may have left out.

Strict on purpose. A null is right where the document has nothing, and most are: only a label that is the name of the leaf
(or its title, or words that stand for it), set off by a colon, with a value of its kind beside it that no other leaf of the
record has, says otherwise. Lists are left alone, and so are names that several objects of the record have.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from service.extraction.evidence.dates import collect
from service.extraction.evidence.folding import key
from service.extraction.evidence.index import Index
from service.extraction.evidence.leaves import Leaf
from service.extraction.evidence.lexicon import SYNONYMS
from service.extraction.evidence.outline import Facts, Outline

_MOST_LABELS = 1000
_MOST_NULLS = 100
"""Labels and leaves that are looked at: a form of many pages costs a few milliseconds."""

_LONGEST_LABEL = 48
_WORDS_MOST = 5
_COMPOUND = 2
"""Words of a name that other languages may print as one (``Fälligkeitsdatum``)."""

_COLON = re.compile("[:：]")
_WORD = re.compile(r"[^\W_]+")
_VALUE = re.compile(r"[ \t\u00a0]{0,80}((?:[^\s|] ?){1,160})")
_BREAKS = ("\n", "  ", "|", "\t")

NOTHING = frozenset(
    {"na", "none", "null", "nil", "unknown", "notfound", "notavailable", "notapplicable", "notspecified"}
)
"""Keys of texts that stand for no value."""


class Label(NamedTuple):
    """A label: the keys of its words, and where what stands beside it begins and ends in ``Index.text``."""

    words: tuple[str, ...]
    start: int
    end: int


def left_out(index: Index, leaves: Sequence[Leaf], outline: Outline) -> Iterator[tuple[Leaf, int, int]]:
    """The nulls beside whose label the document prints something, and where it does."""
    nulls = [leaf for leaf in leaves if leaf.value is None and leaf.way and "*" not in leaf.way]
    nulls = [leaf for leaf in nulls if outline.facts(leaf.way).printed is not None]
    if nulls:
        named = Counter([way[-1] for way in {leaf.way for leaf in leaves}])
        nulls = [leaf for leaf in nulls if named[leaf.way[-1]] == 1]
    if not nulls:
        return
    taken = [leaf.chosen for leaf in leaves if leaf.chosen is not None]
    free = [
        label
        for label in _labels(index.text)
        if not any(place.start < label.end and label.start < place.end for place in taken)
    ]
    for leaf in nulls[:_MOST_NULLS]:
        facts = outline.facts(leaf.way)
        beside = [
            label
            for label in free
            if any(_means(label.words, name) for name in facts.named)
            and _is_printed(index.text[label.start : label.end], facts)
        ]
        if len({key(index.text[label.start : label.end]) for label in beside}) == 1:
            yield leaf, beside[0].start, beside[0].end


def _labels(text: str) -> Iterator[Label]:
    for number, match in enumerate(_COLON.finditer(text)):
        if number == _MOST_LABELS:
            return
        at = match.start()
        head = text[max(at - _LONGEST_LABEL, 0) : at].rstrip(" ")
        begin = max(head.rfind(sign) + len(sign) if sign in head else 0 for sign in _BREAKS)
        if not begin and at > _LONGEST_LABEL:
            continue  # running text
        words = _words(head[begin:])
        value = _VALUE.match(text, at + 1)
        if value is not None and 0 < len(words) <= _WORDS_MOST:
            yield Label(words, value.start(1), value.start(1) + len(value[1].rstrip()))


def _words(text: str) -> tuple[str, ...]:
    return tuple([folded for word in _WORD.findall(text) if (folded := key(word))])


def _means(words: tuple[str, ...], name: tuple[str, ...]) -> bool:
    """Whether a label is a name, or each of its words stands for one of the name's."""
    label, whole = "".join(words), "".join(name)
    if label == whole or label in SYNONYMS.get(whole, ()):
        return True
    if len(words) == 1 and len(name) == _COMPOUND:
        first, second = ({part, *SYNONYMS.get(part, ())} for part in name)
        return any(
            label.startswith(part) and label[len(part) :].removeprefix("s") in second for part in first
        )
    if len(words) != len(name):
        return False
    left = list(words)
    for part in name:
        alike = SYNONYMS.get(part, ())
        found = next((word for word in left if word == part or word in alike), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _is_printed(value: str, facts: Facts) -> bool:
    """Whether what stands beside a label is a value, and of its kind: neither nothing nor the next label."""
    words, printed = _words(value), facts.printed
    if not words or "".join(words) in NOTHING or any(_means(words, name) for name in facts.named):
        return False
    if printed == "number":
        return any(letter.isdecimal() for letter in value.split(maxsplit=1)[0])
    return printed != "date" or any(meant > 9999 for meant in collect(value[:60]))
