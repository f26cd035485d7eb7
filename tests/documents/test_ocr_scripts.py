"""Pictures in scripts that rapidocr does not know: when tesseract is asked, when it is believed, and the program itself."""

import io
from collections.abc import AsyncIterator

import httpx2
import pytest
from conftest import running, settings_for
from PIL import Image as Pillow
from typing_extensions import override

from service.documents import Image, Loader, Page, Settings, Word, ocr, ocr_scripts
from service.documents.errors import DocumentTooSlow
from service.documents.ocr_scripts import better, composed
from service.documents.pool import Pool
from service.documents.recognition import Recognition
from tests.documents import make

REAL = ocr_scripts.languages()
with_russian = pytest.mark.skipif("rus" not in REAL, reason="the system has no tesseract with Russian")
TABLE = (
    "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"
    "1\t1\t0\t0\t0\t0\t0\t0\t400\t200\t-1\t\n"
    "5\t1\t1\t1\t1\t1\t20\t20\t60\t20\t96.5\tИтого\n"
    '5\t1\t1\t1\t1\t2\t300\t20\t60\t20\t91\t12"500\n'
    "5\t1\t1\t1\t2\t1\t20\t60\t60\t20\t-1\t \n"
    "5\t1\t2\t1\t1\t1\t20\t80\t60\t20\t90\tСрок\n"
)


def page(text: str, confidence: float) -> Page:
    return Page(1, text, tuple(Word(word, (0, 0, 1, 1), confidence) for word in text.split()), source="ocr")


def test_the_table_of_words() -> None:
    """Words come with boxes and confidence; rows keep their layout, quotes are letters."""
    text, words = composed(ocr_scripts._lines(TABLE), 400, 200)
    assert [row.split() for row in text.splitlines() if row] == [["Итого", '12"500'], ["Срок"]]
    assert "Итого     " in text
    assert words[0] == Word("Итого", (0.05, 0.1, 0.2, 0.2), 0.965)


def test_lines_that_run_to_the_left() -> None:
    """Hebrew and Arabic stand in the order of reading, first word first, although that stands on the right."""
    table = (
        TABLE.splitlines()[0]
        + "\n5\t1\t1\t1\t1\t1\t300\t20\t60\t20\t96\tסך\n5\t1\t1\t1\t1\t2\t200\t20\t60\t20\t96\tהכל\n"
    )
    text, words = composed(ocr_scripts._lines(table), 400, 200)
    assert text == "סך הכל"
    assert [word.text for word in words] == ["סך", "הכל"]


@pytest.mark.parametrize(
    ("text", "confidence", "believed"),
    [
        ("Итого к оплате 12", 0.9, True),
        ("Σύνολο EUR 12", 0.9, True),
        ("Итого к оплате", 0.4, False),
        ("Invoice total", 0.99, False),
        ("Total и", 0.99, False),
        ("請求書 合計", 0.99, False),
        ("12 500", 0.99, False),
        ("", 0.99, False),
    ],
)
def test_what_is_believed(text: str, confidence: float, *, believed: bool) -> None:
    """Only what is mostly in a script that rapidocr does not know, and surely so."""
    assert better(page(text, confidence)) is believed


class Both(Recognition):
    """Recognition by engines that say what the test wants."""

    def __init__(self, rapid: Page, tesseract: Page | Exception) -> None:
        super().__init__(Settings())
        self.answers = {"ocr": rapid, "scripts": tesseract}
        self.asked: list[str] = []

    @override
    async def _by(self, pool: Pool, picture: Image, until: float | None) -> Page:
        task = pool._bounds.task
        self.asked.append(task)
        answer = self.answers[task]
        if isinstance(answer, Exception):
            raise answer
        return answer


SCAN = Page(1, "", image=Image("image/png", b"x", 10, 10), source="image")
RUSSIAN, DOUBTFUL, SURE = page("Итого к оплате", 0.9), page("MToro 12", 0.8), page("Total 12", 0.99)


@pytest.mark.parametrize(
    ("rapid", "tesseract", "asked", "text"),
    [
        (SURE, RUSSIAN, ["ocr"], "Total 12"),
        (DOUBTFUL, RUSSIAN, ["ocr", "scripts"], "Итого к оплате"),
        (page("", 0), RUSSIAN, ["ocr", "scripts"], "Итого к оплате"),
        (DOUBTFUL, page("MTOrO 12", 0.9), ["ocr", "scripts"], "MToro 12"),
        (DOUBTFUL, DocumentTooSlow("x"), ["ocr", "scripts"], "MToro 12"),
    ],
)
async def test_who_reads(
    monkeypatch: pytest.MonkeyPatch, rapid: Page, tesseract: Page | Exception, asked: list[str], text: str
) -> None:
    """Tesseract is asked where rapidocr is not sure, and goes first where it reads another script."""
    monkeypatch.setattr(ocr, "find_spec", lambda _: "there")
    monkeypatch.setattr(ocr_scripts, "languages", lambda: ("rus",))
    both = Both(rapid, tesseract)
    (read,), notices = await both.read([SCAN], None)
    assert (read.text, both.asked, notices) == (text, asked, ())
    await both.close()


async def test_without_tesseract_nobody_else_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has none, rapidocr's word stands."""
    monkeypatch.setattr(ocr, "find_spec", lambda _: "there")
    both = Both(DOUBTFUL, RUSSIAN)
    (read,), _ = await both.read([SCAN], None)
    assert (read.text, both.asked) == ("MToro 12", ["ocr"])
    await both.close()


# ------------------------------------------------------------------------------------------------ the program itself


@pytest.fixture
async def alone(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Loader]:
    """A loader on a machine with tesseract and without the extra."""
    monkeypatch.setattr(ocr, "find_spec", lambda _: None)
    monkeypatch.setattr(ocr_scripts, "languages", lambda: REAL)
    loader = Loader(Settings(workers=1, ocr_workers=1, ocr_wall_s=300))
    await loader.open()
    yield loader
    await loader.close()


@with_russian
async def test_cyrillic(alone: Loader) -> None:
    """A scan in Cyrillic letters is read by the program, in a confined process, with places of its words."""
    assert alone.ocr() == "ready"
    assert "rus" in alone.ocr_scripts()
    document = await alone.load(make.cyrillic(), declared="image/png", name=None, ocr=True)
    (read,) = document.pages
    assert (read.source, read.language) == ("ocr", "ru")
    assert [line.split() for line in read.text.splitlines() if line.strip()] == [
        ["Счёт", "на", "оплату", "№", "4711"],
        ["Поставщик:", "Ромашка"],
        ["Итого", "к", "оплате:", "12", "500,00"],
    ]
    word = next(word for word in read.words if word.text == "4711")
    assert word.confidence is not None
    assert word.confidence > 0.6
    assert 0.4 < word.box[0] < word.box[2] < 0.8
    assert 0.05 < word.box[1] < word.box[3] < 0.35
    assert document.notices == ()


@with_russian
async def test_an_empty_picture(alone: Loader) -> None:
    """A picture without letters has no words, and is no fault."""
    out = io.BytesIO()
    Pillow.new("RGB", (300, 200), "white").save(out, "PNG")
    document = await alone.load(out.getvalue(), declared="image/png", name=None, ocr=True)
    assert document.pages[0].text == ""


@with_russian
async def test_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that takes the program too long stays a picture; the program ends with the process that started it."""
    monkeypatch.setattr(ocr, "find_spec", lambda _: None)
    monkeypatch.setattr(ocr_scripts, "languages", lambda: REAL)
    loader = Loader(Settings(workers=1, ocr_workers=1, ocr_wall_s=0.01))
    await loader.open()
    try:
        document = await loader.load(make.cyrillic(), declared="image/png", name=None, ocr=True)
    finally:
        await loader.close()
    assert document.pages[0].source == "image"
    assert "OCR takes too long" in document.notices[0].message


async def test_readiness_says_what_there_is(
    sandbox: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`/readyz` lists the languages beyond those of the extra."""
    monkeypatch.setattr(ocr_scripts, "languages", lambda: ("ell", "rus"))

    async def ready(**documents: str) -> httpx2.Response:
        settings = settings_for(sandbox, f"sqlite:///{tmp_path}/w.db", documents=documents)
        async with running(settings) as client:
            return await client.get("/readyz")

    there = (await ready()).json()
    assert (there["ocr"], there["ocr_scripts"]) == ("ready", ["ell", "rus"])
    off = (await ready(ocr="off")).json()
    assert (off["ocr"], off["ocr_scripts"]) == ("off", [])
