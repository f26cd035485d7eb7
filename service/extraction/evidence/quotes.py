"""Short quotes that the model gives beside the record, for documents of which only pictures are read. Pure.

The strict form is wrapped: ``{"record": …, "quotes": [{"pointer", "quote"}]}``; quotes come last, so that they do not
change what is written before. A quote is a claim of the model and stays one: it is shown, and located where words exist.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from service.documents import Page
from service.extraction.evidence.candidates import of_number, of_text
from service.extraction.evidence.evidence import LONGEST_QUOTE, Evidence
from service.extraction.evidence.index import Index
from service.extraction.evidence.leaves import walk

INSTRUCTIONS = """\
Write the record under `record`. Then list under `quotes`, for each value of the record that is printed in the document, \
its JSON Pointer (such as /total or /lines/0/amount) and a short quote: the printed characters themselves, at most 12 words, \
as they stand, with a word or two before and after. No quote for what is not printed."""

_MOST = 5000


def wrapped(strict: Mapping[str, Any]) -> dict[str, Any]:
    """The strict schema of record and quotes. Definitions stay at the root; a record that refers to itself becomes one."""
    record = {name: value for name, value in strict.items() if name != "$defs"}
    quote = {
        "type": "object",
        "properties": {"pointer": {"type": "string"}, "quote": {"type": "string"}},
        "required": ["pointer", "quote"],
        "additionalProperties": False,
    }
    definitions = dict(strict.get("$defs", {}))
    name = "record"
    while name in definitions:
        name += "_"
    moved, refers = _moved(record, f"#/$defs/{name}")
    definitions, inside = _moved(definitions, f"#/$defs/{name}")
    if refers or inside:  # the provider follows references to the root and to definitions only
        definitions[name], moved = moved, {"$ref": f"#/$defs/{name}"}
    whole: dict[str, Any] = {
        "type": "object",
        "properties": {"record": moved, "quotes": {"type": "array", "items": quote}},
        "required": ["record", "quotes"],
        "additionalProperties": False,
    }
    if definitions:
        whole["$defs"] = definitions
    return whole


def _moved(schema: Any, home: str) -> tuple[Any, bool]:
    """A copy in which references to the root point to ``home``, and whether there are any."""
    if isinstance(schema, list):
        pairs = [_moved(item, home) for item in schema]
        return [item for item, _ in pairs], any(refers for _, refers in pairs)
    if not isinstance(schema, dict):
        return schema, False
    copy: dict[str, Any] = {}
    found = False
    for name, value in schema.items():
        copy[name], refers = _moved(value, home)
        found = found or refers
    if copy.get("$ref") == "#":
        copy["$ref"] = home
        found = True
    return copy, found


def unwrapped(value: Any) -> tuple[Any, dict[str, str]]:
    """The strict value of the record, and the quotes by pointer. What is no quote is left out.

    Raises ``KeyError`` or ``TypeError`` when the value is not of the wrapped form.
    """
    record, given = value["record"], value["quotes"]
    quotes: dict[str, str] = {}
    for one in given[:_MOST]:
        pointer, quote = one["pointer"], one["quote"]
        if isinstance(pointer, str) and isinstance(quote, str) and quote.strip():
            quotes.setdefault(pointer, " ".join(quote.split())[:LONGEST_QUOTE])
    return record, quotes


def by_record(strict: Any, quotes: Mapping[str, str], decode: Callable[[Any], Any]) -> dict[str, str]:
    """The quotes by pointer into the record. The model points into what it wrote, where maps are lists of entries.

    The decoder is asked what comes out where, as in ``logprobs``: of a copy in which every text and number is a mark.
    """
    marked = _marked(strict, "")
    try:
        record = decode(marked)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return dict(quotes)
    found: dict[str, str] = {}
    stack: list[tuple[str, Any]] = [("", record)]
    while stack:
        pointer, value = stack.pop()
        if isinstance(value, dict):
            stack += [
                (f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}", member)
                for name, member in value.items()
                if not name.startswith(_MARK)
            ]
        elif isinstance(value, list):
            stack += [(f"{pointer}/{at}", item) for at, item in enumerate(value)]
        elif isinstance(value, str) and value.startswith(_MARK) and value[1:] in quotes:
            found[pointer] = quotes[value[1:]]
    return found


_MARK = "\ue001"
"""Begins a mark: a character for private use, which no answer begins a value with."""


def _marked(value: Any, pointer: str) -> Any:
    if isinstance(value, dict):
        # The keys of a map stay: they are names in the record.
        return {
            name: member
            if name == "key" and len(value) == 2 and "value" in value
            else _marked(member, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [_marked(item, f"{pointer}/{at}") for at, item in enumerate(value)]
    return value if value is None or isinstance(value, bool) else f"{_MARK}{pointer}"


def with_quotes(
    index: Index,
    evidence: Mapping[str, Evidence],
    quotes: Mapping[str, str],
    data: Any,
    shown: Mapping[str, frozenset[int]] = MappingProxyType({}),
) -> dict[str, Evidence]:
    """Evidence with the model's quotes where the document's words gave none.

    ``shown``: of a quote from a part of the document, the numbers of the pages where alone it can stand.

    A quote that stands in the document once gives the leaf its page and boxes, status ``ambiguous``: the model points
    there, and the value itself is not printed so. Where pages hold pictures that nobody could read, a quote that says the
    value makes it ``ambiguous`` too, without a place; one that does not say it is shown, and changes nothing else. A quote
    that stands nowhere in a document whose words are known is not shown: it is invented as the value is.
    """
    found = dict(evidence)
    values = {leaf.pointer: leaf.value for leaf in walk(data)} if index.unread else {}
    for pointer, quote in quotes.items():
        one = evidence.get(pointer)
        if one is None or one.status != "not_found":
            continue
        pages = shown.get(pointer)
        places = [
            place
            for place in of_text(index, quote)
            if place.match != "fuzzy"
            and (pages is None or index.pages[index.page_at(place.start)].number in pages)
        ]
        if len(places) == 1:
            start, end, quality, match = places[0]
            page = index.page_at(start)
            begin = index.starts[page]
            boxes = index.boxes(page, start, end)
            found[pointer] = Evidence(
                "ambiguous",
                page=index.pages[page].number,
                boxes=boxes,
                quote=quote,
                span=None if boxes else (start - begin, end - begin),
                place=index.place(page, start - begin, end - begin),
                match=match,
                score=0.5 * quality,
                reason="quoted",
            )
        elif not places and index.unread:
            said = values.get(pointer)
            if said is None or not _says(quote, said):
                found[pointer] = one._replace(quote=quote)
                continue
            numbers = pages or frozenset(page.number for page in index.pages)
            alone = next(iter(numbers)) if len(numbers) == 1 else None
            found[pointer] = Evidence("ambiguous", page=alone, quote=quote, score=_SAID, reason="quoted")
    return found


_SAID = 0.3
"""Score of a value that a quote says, where nobody can look whether the document says so."""


def _says(quote: str, value: Any) -> bool:
    """Whether a value stands in a quote."""
    index = Index((Page(1, quote),))
    if isinstance(value, str):
        return any(place.match != "fuzzy" for place in of_text(index, value))
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(of_number(index, value))
