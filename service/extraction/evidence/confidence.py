"""How sure a value is. One documented formula; ``calibrated: false`` until corrections calibrate it.

``confidence = support × certainty × doubt``, between 0 and 1:

- support, of the evidence: found 0.6 + 0.39 · score; ambiguous 0.45 + 0.3 · score; derived 0.7 (a count or sum of found values
  0.85); absent 0.75; not_found 0.15, or 0.5 where pages hold
  pictures only and nothing follows from it.
- certainty, of the model's log-probabilities where it gives them: 0.4 + 0.6 · p, where p is the joint probability of
  the tokens that spell the leaf; 1 where it gives none.
- doubt, of findings: 0.5 for each error and 0.8 for each warning at the leaf itself; 0.8 and 0.95 for those at what
  contains it; 1 without findings.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from service.extraction.evidence.evidence import Evidence

Severity = Literal["error", "warning", "info"]

CALIBRATED = False

_OWN: Mapping[str, float] = {"error": 0.5, "warning": 0.8}
_OUTER: Mapping[str, float] = {"error": 0.8, "warning": 0.95}
_WELL_DERIVED = frozenset({"count", "position", "computed", "constant"})


def support(evidence: Evidence) -> float:
    """What the document says for a value."""
    score = evidence.score or 0.0
    match evidence.status:
        case "found":
            return 0.6 + 0.39 * score
        case "ambiguous":
            return 0.45 + 0.3 * score
        case "derived":
            return 0.85 if evidence.reason in _WELL_DERIVED else 0.7
        case "absent":
            return 0.75
        case "not_found":
            return 0.5 if evidence.reason == "no_text" else 0.15


def confident(
    evidence: Mapping[str, Evidence],
    *,
    findings: Iterable[tuple[str, Severity]] = (),
    probabilities: Mapping[str, float] | None = None,
) -> dict[str, Evidence]:
    """The same evidence with ``confidence`` set.

    ``findings`` are pairs of JSON Pointer and severity; ``probabilities`` are those of ``leaf_probabilities``, by JSON
    Pointer (leaves it does not name count as certain).
    """
    doubts: dict[str, list[Severity]] = {}
    for pointer, severity in findings:
        if severity in _OWN:
            doubts.setdefault(pointer, []).append(severity)
    if probabilities is None and not doubts:
        return {
            pointer: Evidence._make((*one[:_OWN_FIELDS], support(one), one.reason, None))
            for pointer, one in evidence.items()
        }
    return {
        pointer: one._replace(
            confidence=support(one)
            * (1.0 if probabilities is None else 0.4 + 0.6 * probabilities.get(pointer, 1.0))
            * (_doubt(pointer, doubts) if doubts else 1.0),
            probability=None if probabilities is None else probabilities.get(pointer),
        )
        for pointer, one in evidence.items()
    }


_OWN_FIELDS = Evidence._fields.index("confidence")


def _doubt(pointer: str, doubts: Mapping[str, list[Severity]]) -> float:
    product = 1.0
    for severity in doubts.get(pointer, ()):
        product *= _OWN[severity]
    outer = pointer
    while outer:
        outer = outer.rpartition("/")[0]
        for severity in doubts.get(outer, ()):
            product *= _OUTER[severity]
    return product
