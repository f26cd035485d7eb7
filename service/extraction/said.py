"""What the model says of its own answer beside the record: how likely its tokens were, and what it quotes. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from service.extraction.evidence import leaf_probabilities
from service.extraction.evidence.quotes import by_record, unwrapped
from service.extraction.fragments import Fragment
from service.extraction.plan import Form
from service.foundation import jsontext
from service.upstream import Text


@dataclass(frozen=True, slots=True)
class Said:
    """``chances``: the joint probability of the tokens of each leaf; ``quotes``: what is printed there, as the model says.

    Both by JSON Pointer into the record; empty where the model was not asked, or said nothing. ``shown``: of quotes from
    parts of a document, the numbers of the pages that the part shows.
    """

    chances: Mapping[str, float] = field(default_factory=dict)
    quotes: Mapping[str, str] = field(default_factory=dict, repr=False)
    shown: Mapping[str, frozenset[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, outcome: Text, form: Form) -> "Said":
        """What an answer says that could be read as a record. CPU-bound: some milliseconds for thousands of tokens."""
        chances: Mapping[str, float] = {}
        if outcome.tokens:
            chances = leaf_probabilities(outcome.text, outcome.tokens, _parsed, form.decode)
        quotes: Mapping[str, str] = {}
        if form.quoted:
            # Servers that hold no answer to its schema may leave quotes out: the record is one all the same.
            with suppress(KeyError, TypeError):
                strict, given = unwrapped(_parsed(outcome.text))
                quotes = by_record(strict, given, form.compiled.decode)
        return cls(chances, quotes)

    @classmethod
    def merged(
        cls, pieces: Sequence[tuple["Said", frozenset[int]]], sources: Mapping[str, tuple[int, str]]
    ) -> "Said":
        """What is said of a record that was merged from the answers about parts, each with the pages that the part shows.

        ``sources``: which piece's value stands at a pointer, and at what pointer into its answer; of what is below, too.
        """
        places = {source: pointer for pointer, source in sources.items()}
        chances: dict[str, float] = {}
        quotes: dict[str, str] = {}
        shown: dict[str, frozenset[int]] = {}
        for number, (piece, pages) in enumerate(pieces):
            for own in piece.chances.keys() | piece.quotes.keys():
                place = _outside(own, number, places)
                if place is not None and own in piece.chances:
                    chances[place] = piece.chances[own]
                if place is not None and own in piece.quotes:
                    quotes[place], shown[place] = piece.quotes[own], pages
        return cls(chances, quotes, shown)

    def grafted(self, fragment: Fragment, other: "Said") -> "Said":
        """What is said of a record into which the answer to a fragment was put."""
        outer = tuple(part.inside if None in part.steps else part.pointer for part in fragment.parts)
        chances = _without(self.chances, outer)
        for part in fragment.parts:
            for pointer, chance in other.chances.items():
                place = _placed(pointer, f"/{part.name}", part.steps)
                if place is not None:
                    chances[place] = chance
        return Said(chances, _without(self.quotes, outer), self.shown)

    def back(self, before: "Said", pointers: Iterable[str]) -> "Said":
        """The same, where values at these pointers were taken from the record before."""
        taken = {pointer: before.chances[pointer] for pointer in pointers if pointer in before.chances}
        return Said({**self.chances, **taken}, self.quotes, self.shown) if taken else self

    def without(self, pointers: Iterable[str]) -> "Said":
        """The same without what is said of these values, and of what is in them."""
        outer = tuple(pointers)
        if not outer:
            return self
        return Said(_without(self.chances, outer), _without(self.quotes, outer), self.shown)


NOTHING_SAID = Said()


def _parsed(text: str) -> Any:
    return jsontext.parse(text.encode("utf-8", "surrogatepass"))


def _without(said: Mapping[str, Any], outer: tuple[str, ...]) -> dict[str, Any]:
    return {
        pointer: value
        for pointer, value in said.items()
        if not any(pointer == one or pointer.startswith(f"{one}/") for one in outer)
    }


def _outside(own: str, number: int, places: Mapping[tuple[int, str], str]) -> str | None:
    """The pointer into the merged record of a pointer into a piece's answer; None for what was not taken."""
    outer = own
    while (number, outer) not in places:
        if not outer:
            return None
        outer = outer.rpartition("/")[0]
    return places[number, outer] + own[len(outer) :]


def _placed(pointer: str, name: str, steps: tuple[str | int | None, ...]) -> str | None:
    """The pointer into the record of a pointer into the answer to a fragment; None for another part's."""
    if pointer != name and not pointer.startswith(f"{name}/"):
        return None
    rest = pointer[len(name) :]
    found = ""
    for step in steps:
        if step is None:  # a column is a list: its items are the rows
            _, row, rest = (*rest.split("/", 2), "")[:3]
            found += f"/{row}"
            rest = f"/{rest}" if rest else ""
        else:
            found += "/" + str(step).replace("~", "~0").replace("/", "~1")
    return found + rest
