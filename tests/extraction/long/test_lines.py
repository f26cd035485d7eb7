"""Lines, their shapes, and where a document is cut."""

from itertools import pairwise

import pytest

from service.documents import Document, Image, Page
from service.extraction.segments.excerpts import Excerpt, cut, halves, weight
from service.extraction.segments.lines import LONGEST, Lines, is_row, shape_of


def document(*pages: str, images: tuple[int, ...] = ()) -> Document:
    picture = Image("image/png", b"x", 10, 10)
    return Document(
        "sha256:0", "text/plain", None, 1,
        tuple(Page(number, text, image=picture if number - 1 in images else None) for number, text in enumerate(pages, 1)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("01.02.2025   Transfer ACME      -12,50     1.200,00", "d+2"),
        ("2025-02-01 Transfer ACME 12.50 EUR", "d1"),
        ("Date         Description        Amount     Balance", "h4"),
        ("a | 12 | c", "|3n"),
        ("name | place | note", "|3w"),
        ("It was the best of times.", "w0"),
        ("2025年5月1日   振込   1,200", "d+1"),
        ("   ", ""),
    ],
)
def test_shapes_need_no_language(text: str, shape: str) -> None:
    """A line's shape is how it begins, whether it has columns, and how many figures end it."""
    assert shape_of(text) == shape
    assert is_row(shape) == (shape[:1] in {"d", "|"})


def test_overlong_lines_are_cut_at_sentences_and_lose_nothing() -> None:
    """The pieces of a line of a megabyte join to the line, and end where sentences do."""
    text = "A sentence of some length stands here. " * 25_000
    lines = Lines.of(document(text)).all
    assert "".join(line.text for line in lines) == text
    assert max(len(line.text) for line in lines) <= LONGEST
    assert all(line.text.rstrip().endswith(".") for line in lines)
    assert "".join(line.text for line in Lines.of(document("x" * 5000)).all) == "x" * 5000


def test_what_every_page_repeats_is_running() -> None:
    """Heads and feet are told from rows by standing on most pages, but for their digits."""
    pages = [f"ACME Ltd  Page {n}\n\nrow {'abcde'[n]}   {n * 7}\nconfidential" for n in range(5)]
    lines = Lines.of(document(*pages)).all
    assert {line.text.split()[0] for line in lines if line.running} == {"ACME", "confidential"}


def test_what_stands_between_the_edges_as_well_is_not_running() -> None:
    """A line of what every record says may stand first on most pages: it is a line of a record all the same."""
    record = "State: new\nName: number {}\nPlace: Bonn\nNote: none\nValue: {}"
    pages = [
        "ACME Ltd\n" + "\n".join(record.format(10 * page + row, row) for row in range(4)) for page in range(5)
    ]
    assert {line.text for line in Lines.of(document(*pages)).all if line.running} == {"ACME Ltd"}


def test_every_line_is_in_one_excerpt() -> None:
    """Excerpts follow on one another from the first line to the last, whatever bounds the size."""
    lines = Lines.of(
        document(
            *["\n".join(f"2025-01-{d:02d}  item {p}{d}   {d}.50" for d in range(1, 29)) for p in range(9)]
        )
    )
    for bounds in (
        {"tokens": 300, "rows": 999, "pages": 99},
        {"tokens": 1e9, "rows": 10, "pages": 99},
        {"tokens": 1e9, "rows": 999, "pages": 2},
    ):
        found = cut(lines, **bounds)
        assert len(found) > 2
        assert found[0].first == 0
        assert found[-1].last == len(lines)
        assert all(one.last == other.first for one, other in pairwise(found))


def test_cuts_fall_between_rows() -> None:
    """The second line of a row stays with it, within a page and over the border of pages."""
    row = "01.02.2025   Transfer            1,50      9,00\n             reference 4711"
    lines = Lines.of(document("\n".join([row] * 30), "             reference late\n" + "\n".join([row] * 30)))
    for size in range(60, 900, 35):
        for one in cut(lines, tokens=size, rows=999, pages=9)[1:]:
            assert lines.all[one.first].text.startswith("01.02.2025")


def test_a_sheet_shows_the_names_of_its_columns_again() -> None:
    """The first row of a sheet stands before each later part of it."""
    rows = ["SKU | Stock"] + [f"K{n} | {n}" for n in range(400)]
    lines = Lines.of(document("\n".join(rows)))
    for one in cut(lines, tokens=1e9, rows=50, pages=9)[1:]:
        assert 0 in one.context


def test_a_table_is_cut_above_its_head_and_not_within_it() -> None:
    """A head of two lines stays with the rows under it, and later parts of the table are shown it before all else."""
    prose = "What was said about the first of these years is said of the second as well, and of the third.\n"
    head = "                       Number of      Share\nState of the river     stations       of all"
    rows = [f"{n:02d} good             {n + 3}             {n}.5" for n in range(1, 40)]
    text = prose * 12 + "\n" + head + "\n" + "\n".join(rows)
    lines = Lines.of(document(text))
    first = next(line.number for line in lines.all if "Number of" in line.text)
    for size in range(100, 600, 20):
        for one in cut(lines, tokens=size, rows=999, pages=9)[1:]:
            assert one.first not in (first + 1, first + 2), lines.all[one.first].text
            if one.first > first + 2:
                assert first + 1 in one.context


def test_rows_of_several_lines_that_blank_lines_part_are_cut_there() -> None:
    """Each line of such a row looks like the beginning of one; the blank line says where it begins."""
    row = "Name:      Mills {0}\nNumber:    {0}\nOpened:    2025-03-{1:02d}\nBalance:   {0}.50\n"
    lines = Lines.of(document("\n".join(row.format(100 + n, n % 28 + 1) for n in range(60))))
    for size in range(80, 600, 20):
        for one in cut(lines, tokens=size, rows=999, pages=9)[1:]:
            assert lines.all[one.first].text.startswith("Name") or not lines.all[one.first].shape


def test_images_are_cut_by_pages() -> None:
    """A page that is shown as an image is never divided."""
    found = cut(
        Lines.of(document(*["words"] * 9, images=tuple(range(9))), images=frozenset(range(9))),
        tokens=1e9,
        rows=9,
        pages=99,
        images=4,
    )
    assert [(one.first, one.last) for one in found] == [(0, 4), (4, 8), (8, 9)]
    assert all(not one.context and one.end == one.last for one in found)


def test_halves_share_nothing_and_end_with_single_lines() -> None:
    """Halving goes on down to single lines and then says no."""
    lines = Lines.of(document("\n".join(f"line {n} of text." for n in range(40))))
    one: Excerpt | None = Excerpt(0, len(lines))
    depth = 0
    while one is not None:
        two = halves(lines, one)
        if two is None:
            break
        assert (two[0].first, two[0].last, two[1].last) == (one.first, two[1].first, one.last)
        one = two[0]
        depth += 1
    assert 3 < depth < 12
    assert one is not None
    assert one.last - one.first == 1
    assert weight(lines.all[0]) > 0
