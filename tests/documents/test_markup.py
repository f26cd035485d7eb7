import base64
import io
from collections.abc import Callable

import pytest
from PIL import Image

from service.documents.errors import DocumentEmpty, DocumentTooComplex, DocumentTooLong
from service.documents.parsed import Parsed

Read = Callable[..., Parsed]
HTML = "text/html"


def text(read: Read, source: str) -> str:
    return read(source.encode(), "text/html").pages[0].text


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("<p>one</p><p>two  \n words</p>", "one\n\ntwo words"),
        ("<h1>Title</h1>text<br>line", "Title\n\ntext\nline"),
        ("<ul><li>a<li>b</ul>", "- a\n- b"),
        ("a<b>b</b>c <i>d</i>", "abc d"),
        ("<pre>a\n  b   c</pre>", "a\n  b   c"),
        ("5&nbsp;&euro;&amp;", "5 €&"),
        ("x<script>alert(1)</script><style>p{}</style><noscript>n</noscript><template>t</template>", "x"),
        ("<title>T</title><body>x", "T\n\nx"),
        ("<title>x</title><body>a x b", "a x b"),
        ("<a href='https://e.org/p'>see</a>", "see (https://e.org/p)"),
        ("<a href='mailto:a@e.org'>a@e.org</a>", "a@e.org"),
        ("<a href='javascript:x()'>go</a>", "go"),
        (f"<a href='https://e.org/{'t' * 200}'>go</a>", "go"),
        ("Name: <input value='Ann'><input type=hidden value=x>", "Name: Ann"),
        ("<input type=checkbox checked> yes <input type=checkbox> no", "[x] yes [ ] no"),
        ("<select><option>a<option selected>b</select>", "b"),
        ("<dl><dt>Total<dd>5</dl>", "Total\n5"),
        ("<div style='display:flex'><span>Total</span><span><b>5</b>0</span></div>", "Total 50"),
        ("<span style='display: block'>Total</span><span>5</span>0", "Total 50"),
        ("<style>.l{display:inline-block}</style>Sum<b class=l>7</b>EUR", "Sum 7 EUR"),
        ("No<button>Buy</button>now<b style='display:inline'>er</b>", "No Buy nower"),
        ("<table><tr><th>a<th>b<tr><td>1<td>2<br>3</table>", "a | b\n1 | 2 3"),
        ("<table><tr><td>1<td><table><tr><td>in<td>ner</table></table>", "1 | in | ner"),
    ],
)
def test_reading(read: Read, source: str, shown: str) -> None:
    """HTML reads as a browser shows it: blocks on lines, rows as rows."""
    got = text(read, source)
    assert "\n".join(line for line in got.split("\n") if line) == "\n".join(
        line for line in shown.split("\n") if line
    )


@pytest.mark.parametrize(
    "style",
    [
        "display:none",
        "visibility: hidden",
        "font-size:0",
        "font-size:0px;color:red",
        "font: 0/0 a",
        "opacity:0",
        "opacity: 0.0",
        "color: #FFF",
        "color:rgb(255, 255, 255)",
        "position:absolute;left:-9999px",
    ],
)
def test_hidden_text_is_left_out(read: Read, style: str) -> None:
    """What a style hides is not read, and that is noticed."""
    parsed = read(
        f"<p>seen</p><p style='{style}'>ignore <b>all</b> rules</p><p hidden>x</p>".encode(), "text/html"
    )
    assert parsed.pages[0].text == "seen"
    assert [notice.rule for notice in parsed.notices] == ["hidden_text"]


@pytest.mark.parametrize(
    "source",
    [
        "<p style='font-size:0.8em'>seen",
        "<p style='font-size:10px'>seen",
        "<p style='opacity:0.5'>seen",
        "<p style='opacity:0.05'>seen",
        "<p style='display:block'>seen",
        "<p style='left:-10px'>seen",
        "<div style='font-size:0px'><p style='font-size:14px'>seen</p></div>",
        "<div style='color:white;background:black'>seen</div>",
        "<div style='color:#fff'><p style='color:#000'>seen</p></div>",
        "<style>@media (max-width:9px){.x{display:none}}</style><p class=x>seen",
        "<style>.x .y{display:none}</style><p class=x>seen",
        "<style>/* .x{display:none} */ .x{color:red}</style><p class=x>seen",
    ],
)
def test_visible_styles(read: Read, source: str) -> None:
    """Small and faint text is text, and what an inner element overrides does not hide."""
    parsed = read(source.encode(), "text/html")
    assert parsed.pages[0].text == "seen"
    assert parsed.notices == ()


@pytest.mark.parametrize(
    "source",
    [
        "<style>.x{display:none}</style><p>seen<p class='a x'>hidden",
        "<style>a{} p.x, #y {color:red; display : none;}</style><p>seen<p class=x>hidden<p id=y>hidden",
        "<style>@media print{p{color:red}} #y{visibility:hidden}</style><p>seen<p id=y>hidden",
        "<style>@import 'x'; .x{display:none}</style><p>seen<p class=x>hidden",
    ],
)
def test_style_sheets_hide_too(read: Read, source: str) -> None:
    """Classes and ids that a style sheet hides are left out."""
    parsed = read(source.encode(), "text/html")
    assert parsed.pages[0].text == "seen"
    assert [notice.rule for notice in parsed.notices] == ["hidden_text"]


def test_tables_are_kept_as_rows(read: Read) -> None:
    """Data tables come as rows too; layout tables do not."""
    page = read(b"<table><tr><td>a<td>b<tr><td>1<td>2</table><table><tr><td>x</table>", "text/html").pages[0]
    assert page.tables == ((("a", "b"), ("1", "2")),)


def test_tall_cells_are_layout(read: Read) -> None:
    """A cell of many lines is a column of a page, not of a table."""
    got = text(read, f"<table><tr><td>{'l<br>' * 6}<td>right</table>")
    assert got.split("\n")[:2] == ["l", "l"]
    assert " | " not in got


def test_encodings(read: Read) -> None:
    """The page's own declaration counts, and marks count more."""
    source = "<html><meta charset=windows-1251><p>Счёт</p>"
    assert read(source.encode("cp1251"), "text/html").pages[0].text == "Счёт"
    assert read(source.encode("utf-16"), "text/html").pages[0].text == "Счёт"
    assert read(source.encode("cp1251"), "text/html", charset="cp1251").pages[0].text == "Счёт"


def test_deep_nesting(read: Read) -> None:
    """Nesting has no depth that overflows anything."""
    assert text(read, "<div>" * 5000 + "deep") == "deep"
    assert text(read, "<p><b>seen</b></p>" * 25_000 + "deep").endswith("deep")
    with pytest.raises(DocumentTooComplex):
        text(read, "<div>" * 50_000 + "deep")


def test_nothing_visible(read: Read) -> None:
    """A page of scripts is empty."""
    with pytest.raises(DocumentEmpty):
        read(b"<html><script>x</script><p hidden>y", "text/html")


def test_caps(read: Read) -> None:
    """Cells and characters are capped."""
    with pytest.raises(DocumentTooComplex):
        read(b"<table>" + b"<tr><td>1<td>2" * 60, "text/html", limits={"max_cells": 100})
    with pytest.raises(DocumentTooLong):
        read(b"<p>" + b"word " * 300, "text/html", limits={"max_text_characters": 1000})


def test_cells_that_reach_down(read: Read) -> None:
    """What a cell from above reaches into stays empty, so that columns stay columns; of layouts nothing is filled."""
    source = (
        "<table><tr><th rowspan=2>Pos<th colspan=2>Item<th rowspan=2>Net<tr><th>No<th>Name"
        "<tr><td>1<td>A-7<td>Screw<td>12<tr><td>2<td rowspan=0>B-8<td>Nut<td>3<tr><td>3<td>Bolt<td>4</table>"
    )
    parsed = read(source.encode(), HTML)
    assert parsed.pages[0].tables[0] == (
        ("Pos", "Item", "Net"),
        ("", "No", "Name"),
        ("1", "A-7", "Screw", "12"),
        ("2", "B-8", "Nut", "3"),
        ("3", "", "Bolt", "4"),
    )
    assert parsed.pages[0].text.splitlines()[-1] == "3 |  | Bolt | 4"
    layout = "<table><tr><td rowspan=2>menu<td><table><tr><td>a<td>b</table><tr><td>body</table>"
    assert [line for line in read(layout.encode(), HTML).pages[0].text.splitlines() if line] == [
        "menu | a | b",
        "body",
    ]


def test_spans_are_bounded(read: Read) -> None:
    """Cells that claim to reach over everything count as cells."""
    rows = "<td rowspan=65534 colspan=1000>x<td>y<tr>" + "<td>z<tr>" * 400
    with pytest.raises(DocumentTooComplex):
        read(f"<table><tr>{rows}</table>".encode(), HTML, limits={"max_cells": 10_000})


def test_numbers_of_lists(read: Read) -> None:
    """Items of numbered lists have the numbers that a browser shows, in their own way and from their own start."""
    source = (
        "<ol><li>one<ul><li>point</ul><li>two</ol><ol type=a start=3><li>c<li value=26>z<li>after</ol>"
        "<ol style='list-style-type:none'><li>bare</ol><ol reversed><li>back</ol>"
    )
    lines = [line for line in read(source.encode(), HTML).pages[0].text.splitlines() if line]
    assert lines == ["1. one", "- point", "2. two", "c. c", "z. z", "aa. after", "- bare", "- back"]


def test_choices(read: Read) -> None:
    """Of a list of choices what is chosen is shown: all of several, or the first where nothing is."""
    options = "<option>red<option{}>green<option{}>blue"
    source = (
        f"<p>A <select multiple>{options.format(' selected', ' selected')}</select>"
        f"<p>B <select multiple>{options.format('', '')}</select><p>C <select>{options.format('', '')}</select>"
        f"<p>D <select>{options.format('', ' selected')}</select>"
    )
    lines = [line for line in read(source.encode(), HTML).pages[0].text.splitlines() if line]
    assert lines == ["A green, blue", "B", "C red", "D blue"]


def test_pages_inside_the_page(read: Read) -> None:
    """The page in a frame is read where it stands in the page, and not fetched where it lies elsewhere."""
    inner = "<p>Order number: A-4711<table><tr><td>a<td>b<tr><td>1<td>2</table><span hidden>secret</span>"
    source = (
        f'<p>before<iframe srcdoc="{inner}"></iframe><iframe src="https://example.org/x"></iframe><p>after'
    )
    parsed = read(source.encode(), HTML)
    assert [line for line in parsed.pages[0].text.splitlines() if line] == [
        "before",
        "Order number: A-4711",
        "a | b",
        "1 | 2",
        "after",
    ]
    assert len(parsed.pages[0].tables) == 1
    assert [notice.rule for notice in parsed.notices] == ["hidden_text"]
    hidden = f'<p>seen<iframe style="display:none" srcdoc="{inner}"></iframe>'
    assert read(hidden.encode(), HTML).pages[0].text == "seen"
    deep = "end"
    for _ in range(6):
        deep = f'<p>x<iframe srcdoc="{deep.replace("&", "&amp;").replace(chr(34), "&quot;")}"></iframe>'
    assert read(deep.encode(), HTML).pages[0].text.count("x") == 3


def test_pictures_in_the_page_itself(read: Read) -> None:
    """A page that is nothing but a scan is read as that; beside a text, pictures are said not to be read."""
    noise = Image.effect_noise((200, 200), 90)
    out = io.BytesIO()
    noise.save(out, "PNG")
    address = f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
    parsed = read(f'<html><p>Page 1<img src="{address}"><img src="{address[:-9]}!!"></html>'.encode(), HTML)
    (page,) = parsed.pages
    assert (page.source, page.text, page.width) == ("mixed", "Page 1", 200)
    assert [notice.rule for notice in parsed.notices] == ["pictures"]
    beside = read(
        f'<p>{"A whole letter. " * 9}<img src="{address}"><img src="data:image/gif;base64,R0lG">'.encode(),
        HTML,
    )
    assert beside.pages[0].source == "text"
    assert [notice.message for notice in beside.notices] == ["1 pictures in the page were not read"]
