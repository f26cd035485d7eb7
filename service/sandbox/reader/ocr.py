"""Text of images, where the optional OCR engine is installed; otherwise images say nothing."""

import importlib
import importlib.util
import io
from collections.abc import Sequence
from functools import cache
from typing import Any

__all__ = ["available", "read_images"]


@cache
def available() -> bool:
    """Whether the `ocr` extra is installed."""
    return importlib.util.find_spec("rapidocr") is not None


@cache
def _engine() -> Any:
    return importlib.import_module("rapidocr").RapidOCR()


def read_images(images: Sequence[bytes]) -> str:
    """The text of images in reading order, lines kept; empty without the extra."""
    if not available():
        return ""
    return "\n".join(_read(data) for data in images)


def _read(data: bytes) -> str:
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        result = _engine()(image.convert("RGB"))
    boxes, texts = getattr(result, "boxes", None), getattr(result, "txts", None)
    if boxes is None or not texts:
        return ""
    return layout(
        [
            (float(box[0][0]), float(box[0][1]), float(box[2][1]), text)
            for box, text in zip(boxes, texts, strict=True)
        ]
    )


def layout(words: list[tuple[float, float, float, str]]) -> str:
    """Words with left, top and bottom joined to lines: what overlaps by half its height is one line."""
    lines: list[list[tuple[float, float, float, str]]] = []
    for word in sorted(words, key=lambda item: item[1]):
        middle = (word[1] + word[2]) / 2
        for line in reversed(lines[-3:]):
            if line[0][1] <= middle <= line[0][2]:
                line.append(word)
                break
        else:
            lines.append([word])
    return "\n".join("   ".join(item[3] for item in sorted(line)) for line in lines)
