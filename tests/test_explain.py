"""The page of a record and its document, and `winnow extract --explain --html`."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

from service.cli.page import page
from service.documents import Document, Image, Page, Word
from service.extraction.evidence import Index, bodies, confident, locate

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">\'"&amp;</pre></svg>'


def made(document: Document, data: Any) -> str:
    found = bodies(confident(locate(Index.of(document), data, {})))
    return page(document, data, found, title=HOSTILE, about=HOSTILE, findings=[f"/x: {HOSTILE}"])


class Elements(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def documents() -> list[Document]:
    """One of each way in which pages are shown: text, table, picture with words."""
    picture = Image("image/png", b"\x89PNG", 10, 10)
    words = (Word(HOSTILE, (0.1, 0.1, 0.5, 0.12)), Word("12,50", (0.7, 0.1, 0.8, 0.12)))
    table = (("name", "sum"), (HOSTILE, "12,50"))
    shown = "\n".join(" | ".join(row) for row in table)
    return [
        Document("sha256:0", "text/plain", None, 1, (Page(1, f"{HOSTILE} and 12,50"),)),
        Document("sha256:0", "text/csv", None, 1, (Page(1, shown, tables=(table,), label=HOSTILE),)),
        Document(
            "sha256:0",
            "application/pdf",
            None,
            1,
            (Page(1, "", words=words, image=picture, width=9, height=9),),
        ),
    ]


def test_documents_cannot_speak_html() -> None:
    """Whatever a document, a record or a name says is text: no element, no attribute, no address comes of it."""
    for document in documents():
        text = made(
            document,
            {HOSTILE: HOSTILE, "lines": [{HOSTILE: 12.5}], "list": [HOSTILE], "none": None, "yes": True},
        )
        elements = Elements(text).found
        tags = {tag for tag, _ in elements}
        assert tags <= {
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "header",
            "h1",
            "h2",
            "h3",
            "span",
            "div",
            "main",
            "section",
            "article",
            "img",
            "svg",
            "g",
            "rect",
            "pre",
            "mark",
            "p",
            "dl",
            "dt",
            "dd",
            "table",
            "tr",
            "th",
            "td",
            "script",
        }
        assert sum(tag == "script" for tag, _ in elements) == 1
        for tag, attributes in elements:
            assert not [
                name for name in attributes if name.startswith("on") or name in ("style", "href", "srcdoc")
            ]
            if "src" in attributes:
                assert tag == "img"
                assert str(attributes["src"]).startswith("data:image/png;base64,")


def test_the_policy_allows_our_own_style_and_script_only() -> None:
    """The hashes in the content security policy are those of what stands in the page."""
    text = made(documents()[0], {"x": 12.5})
    policy = next(str(one["content"]) for tag, one in Elements(text).found if one.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src data:;")
    for tag in ("style", "script"):
        inner = re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert inner is not None
        digest = base64.b64encode(hashlib.sha256(inner[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_values_are_linked_to_their_places() -> None:
    """A value and its place carry the same number, on text, in cells and on pictures."""
    for document in documents():
        elements = Elements(made(document, {"x": 12.5, "missing": "nowhere at all"})).found
        linked = [(tag, one["data-e"]) for tag, one in elements if "data-e" in one]
        assert ("span", "0") in linked
        assert {tag for tag, _ in linked if tag != "span"} <= {"mark", "g"}
        assert len({number for _, number in linked}) == 1
        assert len(linked) == 2
        assert [one for _, one in elements if one.get("class") == "v not_found short"]


def test_the_edge_of_a_place_on_a_picture_stands_out_from_any_colour() -> None:
    """Each edge lies on a light halo of the same place and size, drawn before it."""
    elements = Elements("".join(made(document, {"x": 12.5}) for document in documents())).found
    drawn = [one for tag, one in elements if tag == "rect"]
    assert [one["class"] for one in drawn] == ["halo", "edge"]
    halo, edge = ({name: text for name, text in one.items() if name != "class"} for one in drawn)
    assert halo == edge
