"""What is known of where one value of a record comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from service.documents import Box

Status = Literal["found", "ambiguous", "not_found", "derived", "absent"]
"""``found``: stands in the document, at this place. ``ambiguous``: stands at several places, and nothing tells which one
is meant. ``not_found``: stands nowhere: probably invented. ``derived``: nothing that is printed as such (a boolean, a
category, a count, a sum of found values). ``absent``: null."""

Match = Literal["exact", "normalized", "fuzzy"]
"""``exact``: letter by letter. ``normalized``: the same number, date or words written otherwise. ``fuzzy``: the same but
for letters that readers of pictures mix up, or for words that stand between."""

_PLACES = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence of one leaf. ``quote`` is what the document prints there, cut at ``LONGEST_QUOTE`` characters."""

    status: Status
    page: int | None = None
    boxes: tuple[Box, ...] = ()
    """One per line, where the page's words have places."""
    quote: str | None = field(default=None, repr=False)
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

    def body(self) -> dict[str, Any]:
        """The JSON of it: what is None stays out."""
        found: dict[str, Any] = {"status": self.status}
        if self.page is not None:
            found["page"] = self.page
        if self.boxes:
            found["box"] = [round(edge, _PLACES) for edge in self.boxes[0]]
            if len(self.boxes) > 1:
                found["boxes"] = [[round(edge, _PLACES) for edge in box] for box in self.boxes]
        if self.span is not None:
            found["span"] = list(self.span)
        if self.place is not None:
            found["place"] = self.place
        if self.quote is not None:
            found["quote"] = self.quote
        if self.match is not None:
            found["match"] = self.match
        if self.score is not None:
            found["score"] = round(self.score, 2)
        if self.confidence is not None:
            found["confidence"] = round(self.confidence, 2)
        if self.probability is not None:
            found["probability"] = round(self.probability, 4)
        if self.reason is not None:
            found["reason"] = self.reason
        return found


LONGEST_QUOTE = 200


def bodies(evidence: Mapping[str, Evidence]) -> dict[str, dict[str, Any]]:
    """The JSON of all of it, by pointer."""
    return {pointer: one.body() for pointer, one in evidence.items()}
