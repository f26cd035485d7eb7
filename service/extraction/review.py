"""What is said of a finished record: which rules of its schema it breaks, and where its values stand. Pure, CPU-bound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.documents import Document
from service.extraction.evidence import Evidence, Index, Outline, confident, locate
from service.extraction.evidence.quotes import with_quotes
from service.extraction.rules import broken
from service.extraction.said import NOTHING_SAID, Said
from service.extraction.validate import Finding
from service.registry import Rule

_MOST_NOT_FOUND = 50


@dataclass(frozen=True, slots=True)
class Review:
    """``doubts`` are broken rules of severity ``error``; ``evidence`` is None where it was not asked for."""

    findings: tuple[Finding, ...]
    doubts: tuple[Finding, ...]
    evidence: Mapping[str, Evidence] | None = field(repr=False)
    logprobs: bool = False
    """Whether the model's log-probabilities are part of the confidence."""


def review(
    rules: Sequence[Rule],
    data: Any,
    document: Document,
    *,
    evidence: bool,
    outline: Outline,
    known: Sequence[Finding] = (),
    said: Said = NOTHING_SAID,
) -> Review:
    """Look a record over.

    ``known`` are findings of before, which lower the confidence of what they are about; ``said`` is what the model says
    of the record. Takes a millisecond for a page, a second for a hundred pages with five hundred values: run it in a thread.
    """
    unmet = broken(rules, data)
    doubts = tuple(one for one in unmet if one.severity == "error")
    findings = [one for one in unmet if one.severity != "error"]
    if not evidence:
        return Review(tuple(findings), doubts, None)
    index = Index.of(document)
    found = locate(index, data, outline)
    if said.quotes:
        found = with_quotes(index, found, said.quotes, data, said.shown)
    # Pages that are pictures without words prove nothing.
    invented = [
        pointer for pointer, one in found.items() if one.status == "not_found" and one.reason != "no_text"
    ]
    findings += [
        Finding(pointer, "evidence", "does not stand in the document", "warning")
        for pointer in invented[:_MOST_NOT_FOUND]
    ]
    told = [(pointer, one.severity) for one in (*known, *unmet) for pointer in one.places or (one.pointer,)]
    sure = confident(found, findings=told, probabilities=said.chances or None)
    return Review(tuple(findings), doubts, sure, bool(said.chances))
