import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.documents import Document, Notice, Page, PageRange, combine, parse_pages, select
from service.documents.errors import PagesOutOfRange
from service.documents.pages import chosen
from service.foundation.errors import BadRequest


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("1", ((1, 1),)),
        ("1-3,7", ((1, 3), (7, 7))),
        (" 7 , 1 - 3 ", ((1, 3), (7, 7))),
        ("1-3,2-5,6", ((1, 6),)),
        ("5-", ((5, 10**9),)),
    ],
)
def test_ranges(text: str, spans: tuple[tuple[int, int], ...]) -> None:
    """Ranges are sorted and merged."""
    assert parse_pages(text) == PageRange(spans)


@pytest.mark.parametrize(
    "text", ["", "0", "a", "1-", ",", "3-1", "1,,2", "-2", "1-2-3", "٣", "1," * 2000, "9" * 30]
)
def test_malformed_ranges(text: str) -> None:
    """What is no page range is a 400 that says how one is written."""
    if text == "1-":
        assert 99 in parse_pages(text)
        return
    with pytest.raises(BadRequest, match="pages"):
        parse_pages(text)


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 20)), min_size=1, max_size=8))
def test_ranges_hold_what_they_name(pairs: list[tuple[int, int]]) -> None:
    """A page is in the range exactly when one of its parts names it."""
    wanted = parse_pages(",".join(f"{first}-{first + more}" for first, more in pairs))
    named = {page for first, more in pairs for page in range(first, first + more + 1)}
    assert {page for page in range(1, 80) if page in wanted} == named


def test_chosen_pages() -> None:
    """Ranges may end behind the last page, and may not start there."""
    assert chosen(3, None) == [1, 2, 3]
    assert chosen(10, parse_pages("9-99,1")) == [1, 9, 10]
    with pytest.raises(PagesOutOfRange, match=r"page 11.*has 10"):
        chosen(10, parse_pages("1,11"))


def test_select_keeps_numbers() -> None:
    """Selected pages keep the numbers of the whole document."""
    pages = [Page(number=number, text="x") for number in (1, 2, 3)]
    assert [page.number for page in select(pages, parse_pages("2-"))] == [2, 3]
    assert select(pages, None) == tuple(pages)


def test_combine_renumbers() -> None:
    """Parts become one document: pages numbered through, sizes added, notices marked with their part."""
    one = Document("sha256:1", "text/plain", "a", 3, (Page(1, "a"), Page(2, "b")), (Notice("x", "odd"),))
    two = Document("sha256:2", "image/png", "b", 4, (Page(1, "c"),))
    both = combine([one, two])
    assert [page.number for page in both.pages] == [1, 2, 3]
    assert both.text == "a\n\nb\n\nc"
    assert (both.size, both.media_type, both.name) == (7, "multipart/mixed", "a")
    assert both.notices == (Notice("x", "Part 1: odd"),)
    assert both.digest == combine([one, two]).digest != combine([two, one]).digest
    assert combine([one]) is one
    assert combine([one, one]).media_type == "text/plain"
    with pytest.raises(BadRequest):
        combine([])
