"""What is known of where one value of a record comes from."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from typing_extensions import override

from service.documents import Box

Status = Literal["found", "ambiguous", "not_found", "derived", "absent"]
"""``found``: stands in the document, at this place. ``ambiguous``: stands at several places, and nothing tells which one
is meant. ``not_found``: stands nowhere: probably invented. ``derived``: nothing that is printed as such (a boolean, a
category, a count, a sum of found values). ``absent``: null."""

Match = Literal["exact", "normalized", "fuzzy"]
"""``exact``: letter by letter. ``normalized``: the same number, date or words written otherwise. ``fuzzy``: the same but
for letters that readers of pictures mix up, or for words that stand between."""

_PLACES = 5


class Evidence(NamedTuple):
    """The evidence of one leaf. ``quote`` is what the document prints there, cut at ``LONGEST_QUOTE`` characters.

    A tuple, not a dataclass: a record makes two of each leaf, and these are made in a fifth of the time.
    """

    status: Status
    page: int | None = None
    boxes: tuple[Box, ...] = ()
    """One per line, where the page's words have places."""
    quote: str | None = None
    span: tuple[int, int] | None = None
    """Start and end in ``Page.text``, where the page's words have no places."""
    place: str | None = None
    """The cell (``Sheet1!B4``) or paragraph (``paragraph 12``) in formats that have them."""
    match: Match | None = None
    score: float | None = None
    """How well the place says the value, 0–1: spelling and neighbours; 1 is letter by letter and the only place."""
    confidence: float | None = None
    reason: str | None = None
    """Why there is no place, for ``derived`` and ``absent``; ``no_text``: not found, in a document with pages that hold
    pictures only, so that nothing follows from it; ``quoted``: the place is where the model says it read the value."""
    probability: float | None = None
    """The joint probability of the tokens that spell the value, where the model gives them."""

    @override
    def __repr__(self) -> str:
        """Without the quote: what is logged holds no text of documents."""
        return f"Evidence({self.status!r}, page={self.page!r}, place={self.place!r}, score={self.score!r})"

    def body(self) -> dict[str, Any]:
        """The JSON of it: what is None stays out."""
        (
            status,
            page,
            boxes,
            quote,
            span,
            place,
            match,
            score,
            confidence,
            reason,
            probability,
        ) = self
        found: dict[str, Any] = {"status": status}
        if page is not None:
            found["page"] = page
        if boxes:
            found["box"] = [round(edge, _PLACES) for edge in boxes[0]]
            if len(boxes) > 1:
                found["boxes"] = [[round(edge, _PLACES) for edge in box] for box in boxes]
        if span is not None:
            found["span"] = list(span)
        if place is not None:
            found["place"] = place
        if quote is not None:
            found["quote"] = quote
        if match is not None:
            found["match"] = match
        if score is not None:
            found["score"] = round(score, 2)
        if confidence is not None:
            found["confidence"] = round(confidence, 2)
        if probability is not None:
            found["probability"] = round(probability, 4)
        if reason is not None:
            found["reason"] = reason
        return found


LONGEST_QUOTE = 200


def bodies(evidence: Mapping[str, Evidence]) -> dict[str, dict[str, Any]]:
    """The JSON of all of it, by pointer."""
    return {pointer: one.body() for pointer, one in evidence.items()}
