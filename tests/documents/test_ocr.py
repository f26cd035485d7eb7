"""Text of pictures: what is made of what the engine reads, and the engine itself where the `ocr` extra is."""

import base64
import hashlib
import io
import json
import math
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import SHARED
from fpdf import FPDF
from pictures import bare_texts, interpreter, run
from PIL import Image, ImageDraw, ImageFont
from typing_extensions import override

from service.documents import Document, Loader, Page, Settings, Word, ocr
from service.documents import Image as Picture
from service.documents.errors import DocumentTooSlow, ParserUnavailable
from service.documents.ocr import Letters, Line, compose
from service.documents.recognition import Recognition, _joined
from service.extraction.evidence import Index, locate
from service.foundation.errors import DeadlineExceeded
from tests.documents import make

RECEIPTS = SHARED / "documents"
FULL = os.environ.get("WINNOW_CORPUS") == "full"
PATIENT = {"ocr_wall_s": 300}
"""What is asked here is what OCR reads, not how busy this machine is; its CPU time stays limited."""

SAMPLE = 8
"""One of so many receipts is read unless everything is asked for."""


def line(text: str, left: float, top: float, *, turn: float = 0.0, letters: tuple[Letters, ...] = ()) -> Line:
    """A line of 10 by 20 pixels a letter, on a page that lies askew by ``turn`` degrees."""
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    right = left + 10 * len(text)
    corners = ((left, top), (right, top), (right, top + 20), (left, top + 20))
    return Line(text, 0.9, tuple((x * cos - y * sin, x * sin + y * cos) for x, y in corners), letters)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------------- pure


@pytest.mark.parametrize("turn", [0.0, 3.0, -8.0])
def test_rows_are_read_across_also_on_a_page_that_lies_askew(turn: float) -> None:
    """What stands on one row is read together, from left to right, and stays apart in the text."""
    made = [
        line("Total", 20, 200, turn=turn),
        line("9.00", 700, 200, turn=turn),
        line("Tea", 20, 150, turn=turn),
        line("4.00", 700, 150, turn=turn),
        line("GREEN CORNER", 300, 40, turn=turn),
    ]
    text, words = compose(made, 900, 400)
    assert [found.text for found in words] == ["GREEN", "CORNER", "Tea", "4.00", "Total", "9.00"]
    assert [row.split() for row in text.splitlines() if row] == [
        ["GREEN", "CORNER"],
        ["Tea", "4.00"],
        ["Total", "9.00"],
    ]
    assert "Tea     " in text
    assert all(0 <= edge <= 1 for word in words for edge in word.box)


def test_a_line_without_places_is_shared_out_by_its_letters() -> None:
    """Where the engine places no letters, or other ones than it reads, a word's share of the line is its place."""
    for letters in ((), (Letters("Totally", (0, 0, 1, 1), 0.5),)):
        _, words = compose([line("Total 9.00", 100, 50, letters=letters)], 400, 200)
        assert [(word.text, word.confidence) for word in words] == [("Total", 0.9), ("9.00", 0.9)]
        assert words[0].box == pytest.approx((0.25, 0.25, 0.375, 0.35))
        assert words[1].box == pytest.approx((0.4, 0.25, 0.5, 0.35))


def test_a_word_is_the_pieces_that_the_engine_places() -> None:
    """Pieces between two spaces are one word, as sure as the least sure of them."""
    letters = (
        Letters("R", (100, 50, 110, 70), 0.9),
        Letters(".20", (112, 50, 140, 70), 0.4),
        Letters("漢", (150, 50, 170, 70), 0.8),
        Letters("字", (170, 50, 190, 70), 0.7),
    )
    _, words = compose([line("R.20 漢字", 100, 50, letters=letters)], 400, 200)
    assert [(word.text, word.confidence) for word in words] == [("R.20", 0.4), ("漢字", 0.7)]
    assert words[0].box == pytest.approx((0.25, 0.25, 0.35, 0.35))


def test_a_date_and_the_time_behind_it_are_two_words() -> None:
    """The space between them is narrow on slips, and often not seen."""
    glued = "06-05-201812:43"
    _, words = compose([line(glued, 100, 50, letters=(Letters(glued, (100, 50, 250, 70), 0.9),))], 400, 200)
    assert [word.text for word in words] == ["06-05-2018", "12:43"]
    assert words[0].box == pytest.approx((0.25, 0.25, 0.5, 0.35))
    assert words[1].box == pytest.approx((0.5, 0.25, 0.625, 0.35))
    for kept in ("1234-05-201812:43", "06-05-2018 12:43", "06-05-2018123"):
        _, words = compose([line(kept, 100, 50)], 400, 200)
        assert [word.text for word in words] == kept.split()


def test_what_ocr_adds_to_a_text_layer() -> None:
    """On a page with a text layer only what that does not cover is added; without places, all of it as text."""
    own = (Word("Stamp", (0.1, 0.1, 0.3, 0.15)),)
    read = Page(
        1,
        "Stamp Total",
        (Word("5tamp", (0.11, 0.1, 0.29, 0.15), 0.6), Word("Total", (0.1, 0.5, 0.2, 0.55), 0.9)),
    )
    joined = _joined(Page(1, "Stamp", own, source="mixed", width=100, height=100), read)
    assert [word.text for word in joined.words] == ["Stamp", "Total"]
    assert joined.text == "Stamp\n\nTotal"
    assert _joined(Page(1, "A caption", source="mixed"), read).text == "A caption\n\nStamp Total"


# ------------------------------------------------------------------------------------------- without the extra


async def test_without_the_extra_pictures_stay_pictures(
    loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture whose text was wanted is there as a picture, with a notice that says what to install."""
    monkeypatch.setattr(ocr, "find_spec", lambda _: None)
    assert loader.ocr() == "not installed"
    data = make.picture("PNG")
    document = await loader.load(data, declared="image/png", name=None, ocr=True)
    (page,) = document.pages
    assert (page.source, page.text, page.image is not None) == ("image", "", True)
    (notice,) = document.notices
    assert notice.rule == "ocr"
    assert "pip install 'winnow[ocr]'" in notice.message
    plain = await loader.load(data, declared="image/png", name=None)
    assert plain.notices == ()


async def test_switched_off_nothing_is_said() -> None:
    """With the setting `off` pictures are not read, and nobody is told to install anything."""
    loader = Loader(Settings(workers=1, ocr="off"))
    await loader.open()
    try:
        assert loader.ocr() == "off"
        document = await loader.load(make.scanned_pdf(), declared="application/pdf", name=None, ocr=True)
    finally:
        await loader.close()
    assert document.notices == ()
    assert [page.source for page in document.pages] == ["image"]


async def test_scans_for_ocr_are_larger_than_what_the_model_is_shown(read: Any) -> None:
    """The picture for OCR keeps what its models can use; where the model is shown as much, there is none."""
    large = io.BytesIO()
    Image.new("RGB", (2400, 1200), "white").save(large, "JPEG")
    (page,) = read(large.getvalue(), "image/jpeg", scans=1).pages
    assert page.image.width == 1600
    assert page.scan.data == large.getvalue()  # its models see what came, and scale it themselves
    bitmap = io.BytesIO()
    Image.new("RGB", (2400, 1200), "white").save(bitmap, "BMP")
    (page,) = read(bitmap.getvalue(), "image/bmp", scans=1).pages
    assert (page.image.width, page.scan.width) == (1600, 2000)
    (page,) = read(large.getvalue(), "image/jpeg").pages
    assert page.scan is None
    (page,) = read(make.scanned_pdf(), "application/pdf", scans=1).pages
    assert (page.image.height, page.scan.height) == (1600, 2000)
    assert read(make.picture("PNG"), "image/png", scans=1).pages[0].scan is None


# --------------------------------------------------------------------------------- what is read, and what not


class Reader(Recognition):
    """Recognition whose processes are told what to say: by the bytes of the picture."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.read_pictures: list[bytes] = []

    @override
    async def _recognised(self, picture: Picture, until: float | None) -> Page:
        self.read_pictures.append(picture.data)
        if picture.data == b"slow":
            raise DocumentTooSlow("x")
        if picture.data == b"late":
            raise DeadlineExceeded("x")
        if picture.data == b"down":
            raise ParserUnavailable("x")
        words = (Word("Total", (0.0, 0.0, 0.1, 0.1), 0.9),) * 3
        return Page(1, "Total Total Total", words, source="ocr", language="en")


def scan(number: int, data: bytes, **changes: Any) -> Page:
    return replace(Page(number, "", image=Picture("image/png", data, 10, 10), source="image"), **changes)


@pytest.fixture
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "find_spec", lambda _: "there")


@pytest.mark.usefixtures("_installed")
async def test_a_picture_is_read_once() -> None:
    """Pages are known by the digest of their picture, whatever document they are in, until others need the room."""
    reader = Reader(Settings(ocr_cache_words=7))
    for data in (b"a", b"b", b"a", b"c", b"a", b"b"):
        (page,), notices = await reader.read([scan(5, data)], None)
        assert (page.number, page.text, page.source, page.language) == (5, "Total Total Total", "ocr", "en")
        assert page.image is not None
        assert notices == ()
    assert reader.read_pictures == [b"a", b"b", b"c", b"b"]


@pytest.mark.usefixtures("_installed")
async def test_pages_that_cannot_be_read_stay_pictures() -> None:
    """Each reason is one notice with the pages it is true of; the other pages are read."""
    reader = Reader(Settings(ocr_pages=4))
    given = [
        scan(1, b"slow"),
        Page(2, "text"),
        scan(3, b"a"),
        scan(4, b"slow"),
        scan(5, b"late"),
        scan(6, b"b"),
    ]
    pages, notices = await reader.read(given, None)
    assert [page.source for page in pages] == ["image", "text", "ocr", "image", "image", "image"]
    assert all(page.image is not None for page in pages if page.source == "image")
    assert [notice.message.removeprefix("pages that are pictures were not read ") for notice in notices] == [
        "(OCR takes too long for it): 1, 4",
        "(there was not time enough before the deadline): 5",
        "(OCR reads 4 pages of a document): 6",
    ]


@pytest.mark.usefixtures("_installed")
async def test_what_cannot_be_started_is_not_started_for_every_page() -> None:
    """When no process comes up, a document of many scans does not wait for each."""
    reader = Reader(Settings(ocr_workers=1))
    _, (notice,) = await reader.read([scan(number, b"down") for number in range(1, 31)], None)
    assert len(reader.read_pictures) == 1
    assert "could not be started" in notice.message
    assert notice.message.endswith("19, 20, …")


@pytest.mark.usefixtures("_installed")
async def test_the_larger_picture_is_read() -> None:
    """Where the model is shown less than OCR can use, OCR gets its own picture."""
    reader = Reader(Settings())
    await reader.read([scan(1, b"small", scan=Picture("image/png", b"large", 20, 20))], None)
    assert reader.read_pictures == [b"large"]


async def test_text_beside_pictures_in_office_files_is_kept(read: Any) -> None:
    """A Word file that is a scan with a line of text says that both hold something."""
    parsed = read(
        make.docx(
            make.paragraph("Page 1"),
            parts={"word/media/1.png": make.picture("PNG")},
            links=(("image", "media/1.png"),),
        ),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    )
    assert [(page.text, page.source) for page in parsed.pages] == [("Page 1", "mixed")]


# ---------------------------------------------------------------------------------------------- with the extra

LINES = ["GREEN CORNER LTD", "Invoice number: F-2026-0117", "Invoice date: 2026-05-03", "Total: 1,280.50"]


def drawn(width: int = 1000, height: int = 700) -> tuple[Image.Image, tuple[float, float, float, float]]:
    """A picture of an invoice, and where its total stands, as shares."""
    made = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(made)
    font = ImageFont.load_default(36)
    for number, text in enumerate(LINES):
        pen.text((80, 80 + number * 110), text, fill="black", font=font)
    left, top, right, bottom = pen.textbbox((80, 410), LINES[3], font=font)
    begin = pen.textlength("Total: ", font=font) + 80
    assert left < begin
    return made, (begin / width, top / height, right / width, bottom / height)


def bytes_of(made: Image.Image, format: str = "PNG") -> bytes:
    out = io.BytesIO()
    made.save(out, format)
    return out.getvalue()


@pytest.fixture(scope="module")
def python() -> str:
    found = interpreter()
    if found is None:
        pytest.skip("needs the `ocr` extra, here or in an environment of .ci/run")
    return found


def test_pictures_over_http(python: str) -> None:
    """With the extra a picture's values have places, `policy: text` works on it, and `/readyz` says so."""
    picture, place = drawn()
    schema = {
        "type": "object",
        "properties": {"invoice_number": {"type": "string"}, "total": {"type": "number"}},
        "required": ["invoice_number", "total"],
    }

    def asked(path: str, **options: Any) -> dict[str, Any]:
        given = {"base64": base64.b64encode(bytes_of(picture)).decode(), "media_type": "image/png"}
        body = {"schema": schema, "input": given, "options": options}
        return {
            "method": "POST",
            "path": path,
            "headers": {"content-type": "application/json"},
            "base64": base64.b64encode(json.dumps(body).encode()).decode(),
        }

    requests = [
        {"method": "GET", "path": "/readyz"},
        asked("/v1/extract", evidence="locations"),
        asked("/v1/extract", policy="text"),
        asked("/v1/extract"),
    ]
    settings = {
        "documents": {"workers": 1, "ocr_workers": 1, **PATIENT},
        "extraction": {"deadline_s": 600},
    }
    answers = run(python, "ask.py", json.dumps({"settings": settings, "requests": requests}))
    assert [status for status, _ in answers] == [200] * 4, answers
    ready, located, as_text, plain = (body for _, body in answers)
    assert ready["ocr"] == "ready"
    assert located["data"] == {"invoice_number": "F-2026-0117", "total": 1280.5}
    assert located["document"]["shown"][0] | {"tokens": 0} == {
        "page": 1, "as": "image", "reason": "no_text", "tokens": 0, "source": "ocr", "language": None,
    }  # fmt: skip
    total = located["evidence"]["/total"]
    assert (total["status"], total["page"], total["quote"]) == ("found", 1, "1,280.50")
    assert total["box"] == pytest.approx(list(place), abs=0.02)
    assert located["evidence"]["/invoice_number"]["status"] == "found"
    assert as_text["data"] == located["data"]
    assert as_text["document"]["shown"][0]["as"] == "text"
    assert as_text["usage"]["input_tokens"] < plain["usage"]["input_tokens"]


def test_pages_are_read_within_limits(python: str, tmp_path: Path) -> None:
    """Scanned pages of a PDF are read between pages with text; one that takes too long stays a picture."""
    picture, _ = drawn()
    made = FPDF(unit="pt", format="A4")
    made.add_page()
    made.set_font("Helvetica", size=11)
    made.text(60, 60, "A page with a text layer that says all there is to say")
    made.add_page()
    made.image(io.BytesIO(bytes_of(picture)), x=0, y=200, w=595)
    (tmp_path / "scan.pdf").write_bytes(bytes(made.output()))
    files = [str(tmp_path / "scan.pdf")]
    (document,) = run(python, "load.py", json.dumps({"files": files, "settings": PATIENT}))
    assert [page["source"] for page in document["pages"]] == ["text", "ocr"]
    assert [" ".join(row.split()) for row in document["pages"][1]["text"].splitlines() if row] == LINES
    assert all(0.5 < sure <= 1 for _, _, sure in document["pages"][1]["words"])
    assert document["pages"][0]["words"][0][2] is None
    assert document["notices"] == []
    small = {"ocr_wall_s": 0.05}
    (document,) = run(python, "load.py", json.dumps({"files": files, "settings": small}))
    assert [page["source"] for page in document["pages"]] == ["text", "image"]
    assert document["pages"][1]["image"]
    assert document["notices"] == [
        ["ocr", "pages that are pictures were not read (OCR takes too long for it): 2"]
    ]


@pytest.mark.corpus
@pytest.mark.timeout(1200)
@pytest.mark.skipif(not RECEIPTS.is_dir(), reason="the documents are not beside this checkout")
@pytest.mark.figures
def test_values_of_real_receipts_are_located(python: str) -> None:
    """Totals and dates of scanned receipts have places, and their text is not below that of bare rapidocr."""
    rows = [json.loads(line) for line in (RECEIPTS / "manifest.jsonl").read_text("utf-8").splitlines()]
    rows = [row for row in rows if row["kind"] == "receipt" and row["media_type"].startswith("image/")]
    if not FULL:
        rows = [row for row in rows if hashlib.sha256(row["id"].encode()).digest()[0] % SAMPLE == 0]
    schema = json.loads((RECEIPTS / rows[0]["schema"]).read_text("utf-8"))
    paths = [RECEIPTS / row["file"] for row in rows]
    bare = bare_texts(zip((row["sha256"] for row in rows), paths, strict=True), python)
    loaded = run(python, "load.py", json.dumps({"files": list(map(str, paths)), "settings": PATIENT}))
    counts: Counter[str] = Counter()
    for row, found, text in zip(rows, loaded, bare, strict=True):
        assert found["notices"] == []
        document = _document(found)
        gold = row["expected"]
        located = locate(Index.of(document), gold, schema)
        for name in gold:
            one = located[f"/{name}"]
            counts[f"{name} present"] += _letters(gold[name]) in _letters(document.text)
            counts[f"{name} present bare"] += _letters(gold[name]) in _letters(text)
            counts[f"{name} located"] += bool(one.boxes) and one.page == 1
            # An oracle of its own: the quote holds the value's digits.
            counts[f"{name} right"] += bool(one.boxes) and _digits(gold[name]) in _digits(one.quote or "")
    print(f"{len(rows)} receipts, located / with the right quote / in the text / in bare rapidocr's:")
    for name in ("total", "date", "company", "address"):
        shares = [
            100 * counts[f"{name} {what}"] / len(rows)
            for what in ("located", "right", "present", "present bare")
        ]
        print(f"  {name:8} " + " ".join(f"{share:5.1f} %" for share in shares))
    for name, floor in (("total", 0.98), ("date", 0.93)):
        missing = len(rows) - counts[f"{name} right"]
        assert missing <= max((1 - floor) * len(rows), 0 if name == "total" else 1), counts
    ours = sum(count for name, count in counts.items() if name.endswith("present"))
    assert ours >= sum(count for name, count in counts.items() if name.endswith("bare")), counts


def _document(found: dict[str, Any]) -> Document:
    pages = tuple(
        Page(
            page["number"],
            page["text"],
            tuple(Word(text, tuple(box), sure) for text, box, sure in page["words"]),
            width=page["size"][0],
            height=page["size"][1],
            source=page["source"],
        )
        for page in found["pages"]
    )
    return Document("sha256:0", "image/jpeg", None, 1, pages)


def _letters(value: str) -> str:
    return "".join(letter for letter in value.casefold() if letter.isalnum())


def _digits(value: str) -> str:
    return "".join(letter for letter in value if letter.isdigit())
