import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.documents import Image, Metadata, Notice, Page, PageRange, Settings, Word, frames
from service.documents.parsed import Job, Parsed

LIMITS = Settings().limits()


def crossed(parsed: Parsed) -> Parsed:
    """A result after its way through the pipe."""
    header, body = frames.parsed_header(parsed)
    prefix, text, *pieces = frames.pack(header, body)
    assert frames.lengths(prefix) == (len(text), sum(map(len, pieces)))
    return frames.read_parsed(json.loads(text), b"".join(pieces))


shares = st.integers(0, 65535).map(lambda edge: round(edge / 65535, 5))
words = st.builds(
    Word,
    text=st.text("abcäß漢😀", min_size=1, max_size=8),
    box=st.tuples(shares, shares, shares, shares),
    confidence=st.none(),
)
images = st.none() | st.builds(
    Image,
    media_type=st.sampled_from(["image/png", "image/jpeg"]),
    data=st.binary(min_size=1, max_size=50),
    width=st.integers(1, 9999),
    height=st.integers(1, 9999),
)
sizes = st.none() | st.tuples(st.floats(1, 9999), st.floats(1, 9999))
read_words = st.builds(
    lambda word, level: Word(word.text, word.box, round(level / 255, 3)), words, st.integers(0, 255)
)
pages = st.builds(
    lambda number, text, words, image, size, tables, label, source, language, scan: Page(
        number, text, tuple(words), image, *(size or (None, None)), tables, label, source, language, scan
    ),
    st.integers(1, 999),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.lists(words, max_size=4) | st.lists(read_words, max_size=4),
    images,
    sizes,
    st.just(()) | st.just(((("a", "b"), ("1", "")),)),
    st.none() | st.just("sheet"),
    st.sampled_from(["text", "ocr", "image", "mixed"]),
    st.none() | st.just("de"),
    images,
)


@given(st.lists(pages, max_size=3), st.none() | st.just(Metadata("title", None, "2026-01-01", None)))
def test_results_cross_the_pipe(made: list[Page], metadata: Metadata | None) -> None:
    """A result is the same on the other side."""
    parsed = Parsed(tuple(made), (Notice("x", "y"),), metadata)
    assert crossed(parsed) == parsed


def test_boxes_are_bounded() -> None:
    """Boxes that reach beyond the page are cut at its edges."""
    word = Word("x", (-0.5, 0.25, 1.5, 0.75))
    assert crossed(Parsed((Page(1, "x", (word,)),))).pages[0].words[0].box == (0.0, 0.25, 1.0, 0.75)


def test_jobs_cross_the_pipe() -> None:
    """A job is the same on the other side, and its password is in no representation."""
    job = Job("application/pdf", LIMITS, "x", "secret", PageRange(((1, 3), (7, 7))), "always", 2)
    assert frames.read_job(json.loads(json.dumps(frames.job_header(job)))) == job
    assert "secret" not in repr(job)


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"pages": 5, "notices": []},
        {"pages": [{}], "notices": []},
        {"pages": [{"number": 1, "text": 5, "words": "", "count": 0}], "notices": []},
        {"pages": [{"number": 1, "text": "", "words": "a", "count": 9}], "notices": []},
        {"pages": [{"number": 1, "text": "", "words": "a\nb", "count": 1}], "notices": []},
        {"pages": [{"number": 1, "text": "", "words": "", "count": -1}], "notices": []},
        {
            "pages": [{"number": 1, "text": "", "words": "", "count": 0, "image": ["text/html", 1, 1, 1]}],
            "notices": [],
        },
        {
            "pages": [{"number": 1, "text": "", "words": "", "count": 0, "image": ["image/png", 1, 1, 99]}],
            "notices": [],
        },
        {"pages": [{"number": 1, "text": "", "words": "", "count": 0, "tables": [[[1]]]}], "notices": []},
        {"pages": [{"number": 1, "text": "", "words": "a", "count": 1, "sure": True}], "notices": []},
        {"pages": [{"number": 1, "text": "", "words": "", "count": 0, "source": ["text"]}], "notices": []},
        {"pages": [], "notices": [], "metadata": {"title": 5}},
        {"pages": [], "notices": [], "metadata": {"subject": "x"}},
        {"pages": [], "notices": [["one"]]},
    ],
)
def test_broken_results_are_refused(header: dict[str, Any]) -> None:
    """A worker that does not keep to the protocol is noticed, whatever it sends."""
    with pytest.raises(frames.BrokenFrame):
        frames.read_parsed(header, bytes(8))


def test_lengths_are_bounded() -> None:
    """A frame that claims to be huge is refused before it is read."""
    with pytest.raises(frames.BrokenFrame):
        frames.lengths(frames.LENGTHS.pack(2**31, 0))
    with pytest.raises(frames.BrokenFrame):
        frames.lengths(frames.LENGTHS.pack(0, 2**40))
