"""What the model itself says: log-probabilities of leaves, and quotes beside the record."""

import json
import math
import re
from typing import Any

import pytest

from service.documents import Document, Image, Page
from service.extraction.evidence import Index, confident, leaf_probabilities, locate
from service.extraction.evidence.quotes import by_record, unwrapped, with_quotes, wrapped
from service.strict import check, compile

SCHEMA = {
    "type": "object",
    "properties": {
        "näme": {"type": "string"},
        "total": {"type": "number"},
        "paid": {"type": "boolean"},
        "note": {"type": "string"},
        "tags": {"type": "object", "additionalProperties": {"type": "integer"}},
        "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "minItems": 2, "maxItems": 2},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"a/b": {"type": "integer"}}, "required": ["a/b"]}},
    },
    "required": ["näme", "total", "tags"],
}  # fmt: skip
RECORD = {
    "näme": 'Jörg "J" Ø',
    "total": 12.5,
    "paid": True,
    "tags": {"k/1": 7, "zwei": 8},
    "pair": ["x", 2.5],
    "lines": [{"a/b": 1}, {"a/b": 2}],
}


def spelled(answer: str) -> list[tuple[bytes, float]]:
    """The answer in tokens of three bytes, each with the log-probability that its place says."""
    data = answer.encode()
    return [(data[at : at + 3], -0.001 * at) for at in range(0, len(data), 3)]


def test_leaves_have_the_probability_of_their_tokens() -> None:
    """Through maps, tuples and dropped members: each leaf of the record has the tokens that spell it."""
    compiled = compile(SCHEMA)
    answer = json.dumps(compiled.encode(RECORD), ensure_ascii=False)
    tokens = spelled(answer)
    found = leaf_probabilities(answer, tokens, json.loads, compiled.decode)
    assert set(found) == {
        "/näme",
        "/total",
        "/tags/k~11",
        "/tags/zwei",
        "/pair/0",
        "/pair/1",
        "/lines/0/a~1b",
        "/lines/1/a~1b",
    }
    match = re.search(r"12\.5", answer)
    assert match is not None
    start, end = len(answer[: match.start()].encode()), len(answer[: match.end()].encode())
    spell = [chance for at, (_, chance) in enumerate(tokens) if at * 3 < end and at * 3 + 3 > start]
    assert found["/total"] == pytest.approx(math.exp(sum(spell)))


@pytest.mark.parametrize("answer", ["", "{", '{"näme": 1}', "[]", "nonsense"])
def test_no_probabilities_of_what_is_not_the_answer(answer: str) -> None:
    """Tokens that spell something else, and answers of another form, say nothing; nothing is raised."""
    compiled = compile(SCHEMA)
    assert leaf_probabilities(answer, [(b"x", -1.0)], json.loads, compiled.decode) == {}
    assert isinstance(leaf_probabilities(answer, spelled(answer), json.loads, compiled.decode), dict)


def test_quotes_are_asked_for_in_the_strict_form() -> None:
    """The wrapped schema is one the provider accepts, recursion included, and unwraps to the same record."""
    tree = {"type": "object", "properties": {"name": {"type": "string"}, "kids": {"type": "array", "items": {"$ref": "#"}}},
            "required": ["name", "kids"]}  # fmt: skip
    for schema in (SCHEMA, tree):
        strict = wrapped(compile(schema).strict)
        assert list(check(strict)) == []
        assert list(strict["properties"]) == ["record", "quotes"]
    given: Any = [
        {"pointer": "/total", "quote": " Total \n 12,50 "},
        {"pointer": "/x", "quote": " "},
        {"pointer": "/total", "quote": "b"},
    ]
    record, quotes = unwrapped({"record": {"total": 12.5}, "quotes": given})
    assert (record, quotes) == ({"total": 12.5}, {"/total": "Total 12,50"})


def test_quotes_are_located_and_never_believed() -> None:
    """A quote gives a place to look at; it does not make a value found."""
    index = Index.of(
        Document("sha256:0", "text/plain", None, 1, (Page(1, "Signed by the younger Smith\nTotal 12,50"),))
    )
    found = locate(index, {"name": "John Smith jr.", "city": "Rome"}, {})
    quoted = with_quotes(index, found, {"/name": "the younger Smith", "/city": "in Rome"}, {})
    assert (quoted["/name"].status, quoted["/name"].reason, quoted["/name"].span) == (
        "ambiguous",
        "quoted",
        (10, 27),
    )
    assert quoted["/city"] == found["/city"]


def test_pictures_without_words_prove_nothing() -> None:
    """Where pages hold pictures only, what is not found is not called invented."""
    page = Page(1, "", image=Image("image/png", b"", 1, 1))
    index = Index.of(Document("sha256:0", "image/png", None, 1, (page,)))
    found = locate(index, {"total": 12.5}, {})
    assert (found["/total"].status, found["/total"].reason) == ("not_found", "no_text")
    assert confident(found)["/total"].confidence == pytest.approx(0.5)
    quoted = with_quotes(index, found, {"/total": "Total 12,50"}, {"total": 12.5})["/total"]
    assert (quoted.status, quoted.reason, quoted.quote, quoted.page) == (
        "ambiguous",
        "quoted",
        "Total 12,50",
        1,
    )
    other = with_quotes(index, found, {"/total": "Total 99,50"}, {"total": 12.5})["/total"]
    assert (other.status, other.reason, other.quote) == ("not_found", "no_text", "Total 99,50")


def test_quotes_point_into_what_was_written() -> None:
    """The model's pointers go through the entries of maps and the members of tuples; the record's do not."""
    compiled = compile(SCHEMA)
    strict = compiled.encode(RECORD)
    given = {"/tags/1/value": "zwei 8", "/total": "12.5", "/nowhere": "x"}
    assert by_record(strict, given, compiled.decode) == {"/tags/zwei": "zwei 8", "/total": "12.5"}
