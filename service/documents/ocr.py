"""Words of pictures, by rapidocr on onnxruntime (the extra ``ocr``; its models lie inside the wheel).

Runs in worker processes of its own kind (``Bounds.task``): one engine a process, made before the first page, one thread.
The models (PP-OCRv6 small) know Latin letters, Chinese and Japanese; other scripts are not read.
"""

import io
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from statistics import median
from typing import Any

from service.documents.document import Box, Page, Word
from service.documents.encodings import clean
from service.documents.errors import DocumentUnreadable
from service.documents.language import hint
from service.documents.layout import Piece, arrange
from service.documents.limits import Limits
from service.documents.parsed import Job, Parsed
from service.documents.pictures import check_size

_UPRIGHT = 1.5
"""Height by width from which a line is taken to run down the page: rapidocr turns it before it reads."""

_STEEPEST = 15.0
"""Degrees that a page may lie askew and still be read along its lines."""

_GLUED = re.compile(r"(?<!\d)(\d{1,2}([-/.])\d{1,2}\2\d{4})(?=\d{1,2}:\d\d)", re.ASCII)
"""A date and the time behind it, between which the engine has not seen the space."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Letters:
    """A piece of a line and its box in pixels: a word in Latin letters, one character in other scripts."""

    text: str
    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class Line:
    """What was read in one stretch. ``corners`` in pixels, from the first letter's upper one clockwise."""

    text: str
    confidence: float
    corners: tuple[Point, Point, Point, Point]
    letters: tuple[Letters, ...]
    """The pieces of ``text`` in order, or nothing where their places are not known."""


def available() -> bool:
    """Whether the extra is installed. Loads nothing."""
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def prepare() -> None:
    """Load the models, about 1.5 seconds. A process that reads pages does it before the first one comes."""
    _engine()


def read(data: bytes, job: Job) -> Parsed:
    """The words of one picture, as the only page: text in reading order, words with boxes and confidence.

    Raises ``DocumentTooManyPixels``, ``DocumentEmpty``, ``DocumentUnreadable``.
    """
    picture = decoded(data, job.limits)
    width, height = picture.size
    text, words = compose(recognise(picture), width, height)
    return Parsed(
        (Page(1, text, words, width=float(width), height=float(height), source="ocr", language=hint(text)),)
    )


def decoded(data: bytes, limits: Limits) -> Any:
    """A picture of a page as Pillow has it, in red, green and blue.

    Raises ``DocumentTooManyPixels``, ``DocumentEmpty``, ``DocumentUnreadable``.
    """
    from PIL import Image as pillow  # noqa: N813 - the library's name is taken by our value

    pillow.MAX_IMAGE_PIXELS = None  # checked here
    try:
        with pillow.open(io.BytesIO(data), formats=["PNG", "JPEG", "WEBP", "GIF"]) as opened:
            check_size(opened.width, opened.height, limits)
            return opened.convert("RGB")
    except (OSError, ValueError, SyntaxError) as error:
        raise DocumentUnreadable("the picture of the page is damaged") from error


def recognise(picture: Any) -> list[Line]:
    """The lines in a Pillow picture, in the order in which the detector finds them."""
    engine = _engine()
    try:
        result = engine(picture, return_word_box=True)
    except IndexError:
        # rapidocr 3.10 leaves lines without letters out of its list of words, and then counts both alike.
        result = engine(picture, return_word_box=False)
    boxes, texts = getattr(result, "boxes", None), getattr(result, "txts", None)
    if boxes is None or not texts:
        return []
    pieces = tuple(result.word_results or ())
    if len(pieces) != len(texts):
        pieces = ((),) * len(texts)
    return [
        Line(text, float(score), _corners(box), _letters(text, found))
        for text, score, box, found in zip(texts, result.scores, boxes, pieces, strict=True)
    ]


def compose(lines: Sequence[Line], width: float, height: float) -> tuple[str, tuple[Word, ...]]:
    """Text in reading order and words with boxes as shares of the page, row by row. Pure."""
    lines = [line for line in lines if line.text.strip()]
    turn = _skew(lines)
    rows: list[tuple[float, list[tuple[float, list[Word], list[Piece]]]]] = []
    for line in sorted(lines, key=lambda line: _laid(_middle(line), turn)[1]):
        words, pieces = _words(line, turn, width, height)
        across, down = _laid(_middle(line), turn)
        half = _tall(line) / 2
        if rows and abs(down - rows[-1][0]) <= half:
            rows[-1][1].append((across, words, pieces))
        else:
            rows.append((down, [(across, words, pieces)]))
    ordered = [item for _, row in rows for item in sorted(row, key=lambda item: item[0])]
    # The layout of a page that lies askew is that of the page laid straight; its words keep their own places.
    text = arrange([piece for _, _, pieces in ordered for piece in pieces], width, height)
    return clean(text)[0], tuple(word for _, words, _ in ordered for word in words)


@cache
def _engine() -> Any:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy's library counts the machine's cores
    import cv2
    from rapidocr import RapidOCR

    cv2.setNumThreads(1)
    engine = RapidOCR(
        params={
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Global.log_level": "critical",
        }
    )
    from PIL import Image as pillow  # noqa: N813 - as above

    engine(pillow.new("RGB", (64, 64), "white"))  # models are loaded by the first picture
    return engine


def _corners(box: Any) -> tuple[Point, Point, Point, Point]:
    first, second, third, fourth = ((float(x), float(y)) for x, y in box)
    return first, second, third, fourth


def _letters(text: str, found: Sequence[Any]) -> tuple[Letters, ...]:
    """The pieces that the engine places, if together they are the text."""
    pieces = []
    for piece, score, box in found:
        across, down = [float(x) for x, _ in box], [float(y) for _, y in box]
        pieces.append(
            Letters(
                "".join(str(piece).split()), (min(across), min(down), max(across), max(down)), float(score)
            )
        )
    joined = "".join(piece.text for piece in pieces)
    return tuple(piece for piece in pieces if piece.text) if joined == "".join(text.split()) else ()


def _words(line: Line, turn: float, width: float, height: float) -> tuple[list[Word], list[Piece]]:
    """The words of a line: with their places on the page, and in points of the page laid straight."""
    words, pieces = [], []
    vertical = _vertical(line)
    for text, (x0, y0, x1, y1), confidence in _placed(line):
        word = clean(text)[0].strip()
        if not word:
            continue
        box = (x0 / width, y0 / height, x1 / width, y1 / height)
        words.append(Word(word, tuple(min(max(edge, 0.0), 1.0) for edge in box), confidence))  # type: ignore[arg-type]
        middle = _laid(((x0 + x1) / 2, (y0 + y1) / 2), turn)
        across, down = (x1 - x0) / 2, (_tall(line) / 2 if not vertical else (y1 - y0) / 2)
        left, top, right, bottom = (
            middle[0] - across,
            middle[1] - down,
            middle[0] + across,
            middle[1] + down,
        )
        base = bottom if not vertical else left
        pieces.append(Piece(word, left, top, right, bottom, base, int(vertical)))
    return words, pieces


def _placed(line: Line) -> list[tuple[str, Box, float]]:
    """Words, boxes in pixels and confidence: from the engine's pieces, else by sharing the line out by letters."""
    tokens = _GLUED.sub(r"\1 ", line.text).split()
    if not line.letters:
        return _shared(line, tokens)
    placed = []
    left = list(line.letters)
    for token in tokens:
        taken: list[Letters] = []
        length = 0
        while left and length < len(token):
            piece = left.pop(0)
            if len(piece.text) > len(token) - length:
                piece, rest = _cut(piece, len(token) - length, down=_vertical(line))
                left.insert(0, rest)
            taken.append(piece)
            length += len(piece.text)
        if length != len(token):
            return _shared(line, tokens)
        edges = list(zip(*(piece.box for piece in taken), strict=True))
        box = (min(edges[0]), min(edges[1]), max(edges[2]), max(edges[3]))
        placed.append((token, box, min(piece.confidence for piece in taken)))
    return placed


def _cut(piece: Letters, at: int, *, down: bool) -> tuple[Letters, Letters]:
    """A piece that spans two words, as if all its letters were equally wide."""
    left, top, right, bottom = piece.box
    share = at / len(piece.text)
    if down:
        middle = top + share * (bottom - top)
        boxes = (left, top, right, middle), (left, middle, right, bottom)
    else:
        middle = left + share * (right - left)
        boxes = (left, top, middle, bottom), (middle, top, right, bottom)
    return (
        Letters(piece.text[:at], boxes[0], piece.confidence),
        Letters(piece.text[at:], boxes[1], piece.confidence),
    )


def _shared(line: Line, tokens: Sequence[str]) -> list[tuple[str, Box, float]]:
    """The line's area cut along its way, as if all letters were equally wide."""
    first, second, third, fourth = line.corners
    if _vertical(line):
        first, second, third, fourth = second, third, fourth, first
    total = sum(map(len, tokens)) + len(tokens) - 1
    placed, at = [], 0
    for token in tokens:
        ends = at / total, (at + len(token)) / total
        corners = [
            _between(one, other, end) for end in ends for one, other in ((first, second), (fourth, third))
        ]
        across, down = [x for x, _ in corners], [y for _, y in corners]
        placed.append((token, (min(across), min(down), max(across), max(down)), line.confidence))
        at += len(token) + 1
    return placed


def _between(one: Point, other: Point, share: float) -> Point:
    return one[0] + share * (other[0] - one[0]), one[1] + share * (other[1] - one[1])


def _vertical(line: Line) -> bool:
    first, second, _, fourth = line.corners
    long = len(line.text) > 2  # a single digit is taller than wide
    return long and math.dist(first, fourth) >= _UPRIGHT * math.dist(first, second)


def _tall(line: Line) -> float:
    first, _, _, fourth = line.corners
    return math.dist(first, fourth)


def _middle(line: Line) -> Point:
    return sum(x for x, _ in line.corners) / 4, sum(y for _, y in line.corners) / 4


def _skew(lines: Sequence[Line]) -> float:
    """By how much the lines run down to the right (radians): the median of those that are long enough to tell."""
    angles = [
        math.atan2(second[1] - first[1], second[0] - first[0])
        for first, second, _, fourth in (line.corners for line in lines)
        if math.dist(first, second) > 3 * math.dist(first, fourth)
    ]
    angle = median(angles) if angles else 0.0
    return angle if abs(angle) <= math.radians(_STEEPEST) else 0.0


def _laid(point: Point, turn: float) -> Point:
    """A point after the page was turned back by ``turn``."""
    x, y = point
    cos, sin = math.cos(turn), math.sin(turn)
    return x * cos + y * sin, y * cos - x * sin
