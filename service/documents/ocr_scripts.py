"""Words of pictures in scripts that rapidocr's models do not know, by tesseract where the system has it.

Tesseract is a program: it is started once a page, by a worker process of its own kind, under that process's limits and
without a network. It reads in all languages at once that are installed for it; of each word it takes the likeliest.
"""

import csv
import io
import os
import shutil
import signal
import subprocess
from collections.abc import Iterable
from functools import cache

from service.documents import confinement, ocr
from service.documents.document import Page, Word
from service.documents.encodings import clean
from service.documents.errors import DocumentTooSlow, DocumentUnreadable
from service.documents.language import hint
from service.documents.ocr import Letters, Line, compose
from service.documents.parsed import Job, Parsed

_PLACES = "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin"
"""Where the program is looked for: a worker has no `PATH`, and both sides must find the same."""

_KNOWN_ELSEWHERE = frozenset({"chi_sim", "chi_sim_vert", "chi_tra", "chi_tra_vert", "jpn", "jpn_vert"})
_NO_LANGUAGE = frozenset({"osd", "equ"})
_LATIN = frozenset(
    [
        "afr",
        "aze",
        "bos",
        "bre",
        "cat",
        "ceb",
        "ces",
        "cos",
        "cym",
        "dan",
        "deu",
        "eng",
        "enm",
        "epo",
        "est",
        "eus",
        "fao",
        "fil",
        "fin",
        "fra",
        "frk",
        "frm",
        "fry",
        "gla",
        "gle",
        "glg",
        "hat",
        "hrv",
        "hun",
        "iku",
        "ind",
        "isl",
        "ita",
        "ita_old",
        "jav",
        "lat",
        "lav",
        "lit",
        "ltz",
        "mlt",
        "mri",
        "msa",
        "nld",
        "nor",
        "oci",
        "pol",
        "por",
        "que",
        "ron",
        "slk",
        "slv",
        "spa",
        "spa_old",
        "sqi",
        "sun",
        "swa",
        "swe",
        "tat",
        "tgl",
        "ton",
        "tur",
        "uzb",
        "vie",
        "yor",
    ]
)
"""Languages of the scripts that rapidocr reads, and reads better."""

_MOST = 8
"""Languages in which a page is read: each takes its time."""

_LIST_S = 10

_SURE = 0.6
"""Mean confidence from which what tesseract reads is believed."""

_FOREIGN = 0.5
"""Share of the letters that have to be of a script that rapidocr does not know."""

_LATIN_LETTERS_END = "\u0250"
_CJK = (("\u3040", "\u30ff"), ("\u3400", "\u9fff"))
_RIGHT_TO_LEFT = ("\u0590", "\u08ff")


@cache
def languages() -> tuple[str, ...]:
    """What the system's tesseract can read and rapidocr cannot: its names of languages; none where it is not there.

    Starts the program once, a few milliseconds.
    """
    return tuple(name for name in _installed() if name not in _LATIN | _KNOWN_ELSEWHERE)


@cache
def _installed() -> tuple[str, ...]:
    program = _program()
    if program is None:
        return ()
    try:
        listed = subprocess.run(  # noqa: S603 - a fixed program, found in the system's own folders
            [program, "--list-langs"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            timeout=_LIST_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    lines = listed.stdout.decode("ascii", "replace").splitlines()[1:]
    return tuple(
        sorted(line for line in lines if line.replace("_", "").isalnum() and line not in _NO_LANGUAGE)
    )


def _program() -> str | None:
    return shutil.which("tesseract", path=_PLACES)


def _environment() -> dict[str, str]:
    return {"OMP_THREAD_LIMIT": "1", "LC_ALL": "C.UTF-8"}


def prepare() -> None:
    """Nothing to load: the program loads its models with every page."""


def read(data: bytes, job: Job) -> Parsed:
    """The words of one picture, as the only page; without words where it does not show a script that is read here.

    Raises ``DocumentTooManyPixels``, ``DocumentEmpty``, ``DocumentUnreadable``, ``DocumentTooSlow``.
    """
    picture = ocr.decoded(data, job.limits).convert("L")
    width, height = picture.size
    plain = io.BytesIO()
    picture.save(
        plain, "PPM"
    )  # what Pillow has decoded, so that no decoder of the program's sees the document
    text, words = composed(_lines(_read(plain.getvalue())), width, height)
    page = Page(1, text, words, width=float(width), height=float(height), source="ocr", language=hint(text))
    return Parsed((page,))


def _read(picture: bytes) -> str:
    """The program's table of words."""
    program = _program()
    if program is None:
        raise DocumentUnreadable("tesseract is no longer there")
    service = os.getpid()
    wanted = "+".join([*languages()[:_MOST], *(("eng",) if "eng" in _installed() else ())])
    done = subprocess.run(  # noqa: S603 - a fixed program; the picture goes in and text comes out through pipes
        [program, "-", "-", "-l", wanted, "tsv"],
        input=picture,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
        check=False,
        # The process is killed where it takes too long, and takes the program with it.
        preexec_fn=lambda: confinement.die_with_parent(service),
    )
    if done.returncode == -signal.SIGXCPU:
        raise DocumentTooSlow("OCR of the page takes too long", members={"limit": "cpu_s"})
    if done.returncode:
        raise DocumentUnreadable("OCR failed on the page")
    return done.stdout.decode("utf-8", "replace")


def _lines(table: str) -> list[Line]:
    """The lines of a table of words (tesseract's TSV), in its own order of reading."""
    rows: dict[tuple[str, ...], list[Letters]] = {}
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        word = clean(row.get("text") or "")[0].strip()
        if row.get("level") != "5" or not word:
            continue
        left, top, width, height, sure = (
            float(row[name]) for name in ("left", "top", "width", "height", "conf")
        )
        place = tuple(row[name] for name in ("block_num", "par_num", "line_num"))
        box = (left, top, left + width, top + height)
        rows.setdefault(place, []).append(Letters(word, box, min(max(sure / 100, 0.0), 1.0)))
    return [_line(words) for words in rows.values()]


def _line(words: list[Letters]) -> Line:
    lefts, tops, rights, bottoms = zip(*(word.box for word in words), strict=True)
    left, top, right, bottom = min(lefts), min(tops), max(rights), max(bottoms)
    return Line(
        " ".join(word.text for word in words),
        min(word.confidence for word in words),
        ((left, top), (right, top), (right, bottom), (left, bottom)),
        tuple(words),
    )


def composed(lines: list[Line], width: float, height: float) -> tuple[str, tuple[Word, ...]]:
    """Text and words with boxes as shares of the page. Lines that run to the left stand in the order of reading."""
    if not _from_the_right(line.text for line in lines):
        return compose(lines, width, height)
    words = tuple(
        Word(
            piece.text,
            (piece.box[0] / width, piece.box[1] / height, piece.box[2] / width, piece.box[3] / height),
            piece.confidence,
        )
        for line in lines
        for piece in line.letters
    )
    return "\n".join(line.text for line in lines), words


def _from_the_right(texts: Iterable[str]) -> bool:
    letters = [letter for text in texts for letter in text if letter.isalpha()]
    first, last = _RIGHT_TO_LEFT
    return sum(first <= letter <= last for letter in letters) * 2 > len(letters)


def better(page: Page) -> bool:
    """Whether what tesseract read goes before what rapidocr did: mostly letters that this does not know, and surely."""
    letters = [letter for letter in page.text if letter.isalpha()]
    sure = [word.confidence for word in page.words if word.confidence is not None]
    if not letters or not sure:
        return False
    foreign = sum(_foreign(letter) for letter in letters)
    return foreign >= _FOREIGN * len(letters) and sum(sure) >= _SURE * len(sure)


def _foreign(letter: str) -> bool:
    return letter >= _LATIN_LETTERS_END and not any(first <= letter <= last for first, last in _CJK)
