"""Evidence for every leaf of a record."""

from typing import Any

from service.extraction.evidence.assign import assign
from service.extraction.evidence.candidates import Candidate, of_number, of_text
from service.extraction.evidence.currencies import SIGNS
from service.extraction.evidence.derive import Derivation, Derivations
from service.extraction.evidence.evidence import LONGEST_QUOTE, Evidence, Match
from service.extraction.evidence.folding import key
from service.extraction.evidence.index import Index
from service.extraction.evidence.leaves import Leaf, walk
from service.extraction.evidence.outline import Outline

_TIE = 0.05
"""Places whose scores differ by less are told apart by nothing."""

_DISTINCTIVE = 6
"""Letters or digits of a text, from which its mentions are mentions of one thing, wherever they stand."""

_WORD = 3
"""The same for words that are printed letter by letter."""

_ABSENT = Evidence("absent", reason="null")
_EMPTY = Evidence("absent", reason="empty")
_PLACEHOLDER = Evidence("absent", reason="placeholder")

_NOT_FOUND = Evidence("not_found", score=0.0)
_UNREAD = Evidence("not_found", score=0.0, reason="no_text")

_PLACEHOLDERS = frozenset(
    {"na", "none", "null", "nil", "unknown", "notfound", "notavailable", "notapplicable", "notspecified"}
)
"""Keys of texts that stand for no value, where the document does not print them."""

_BEFORE_CHANCE: frozenset[Derivation | None] = frozenset({"position", "page"})
"""Small numbers stand everywhere: a better reason goes before a place that nothing speaks for."""


def locate(index: Index, data: Any, schema: Any) -> dict[str, Evidence]:
    """The evidence of every leaf of ``data`` by JSON Pointer.

    ``schema`` is the original JSON Schema, or its ``Outline`` where it is used again. CPU-bound: run it in a thread.
    Never raises for any JSON value; time is bounded by the sizes of text and record.
    """
    outline = schema if isinstance(schema, Outline) else Outline(schema)
    leaves = list(walk(data))
    known: dict[tuple[type, Any], list[Candidate]] = {}
    for leaf in leaves:
        value = leaf.value
        if value is None or value is True or value is False or value == "":
            continue
        candidates = known.get((type(value), value))
        if candidates is None:
            candidates = of_text(index, value) if type(value) is str else of_number(index, value)
            known[type(value), value] = candidates
        leaf.candidates = candidates
    assign(index, leaves, outline)
    derivations = Derivations(index, leaves, outline)
    return {leaf.pointer: _evidence(index, leaf, at, derivations) for at, leaf in enumerate(leaves)}


def _evidence(index: Index, leaf: Leaf, at: int, derivations: Derivations) -> Evidence:
    value = leaf.value
    if value is None:
        return _ABSENT
    if value == "" and type(value) is str:
        return _EMPTY
    why: Derivation | None = None
    if leaf.chosen is None or leaf.margin < _TIE:
        why = derivations.of(at)
    if leaf.chosen is None:
        if why is None and type(value) is str and key(value) in _PLACEHOLDERS:
            return _PLACEHOLDER
        if why is not None:
            return Evidence("derived", reason=why)
        return _UNREAD if index.unread else _NOT_FOUND
    if why in _BEFORE_CHANCE:
        return Evidence("derived", reason=why)
    start, end, quality, match = leaf.chosen
    unclear = leaf.margin < _TIE and not leaf.labelled and not _distinctive(value, match)
    page = index.page_at(start)
    begin = index.starts[page]
    text = index.text[start : min(end, start + LONGEST_QUOTE)]
    boxes, place = index.boxes(page, start, end), index.place(page, start - begin, end - begin)
    return Evidence(
        "ambiguous" if unclear else "found",
        index.pages[page].number,
        boxes,
        text if text.isprintable() and "  " not in text else " ".join(text.split()),
        None if boxes else (start - begin, end - begin),
        place,
        match,
        quality * (0.7 if unclear else 1.0),
    )


def _distinctive(value: Any, match: Match) -> bool:
    """Whether all mentions of a value are mentions of one thing: names and words, not digits and signs."""
    if type(value) is not str:
        return False
    folded = key(value)
    if value in SIGNS:
        return True
    if match == "exact" and len(folded) >= _WORD and not folded.isdecimal():
        return True
    return len(folded) >= (_DISTINCTIVE if folded.isascii() else _WORD - 1)
