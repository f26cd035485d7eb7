"""Images: checked before they are decoded, turned upright, made into what every model reads."""

import io
from typing import Any, Literal

from service.documents.document import Image, Notice, Page
from service.documents.errors import (
    DocumentEmpty,
    DocumentTooComplex,
    DocumentTooManyPixels,
    DocumentUnreadable,
    on_page,
)
from service.documents.limits import Limits
from service.documents.pages import chosen
from service.documents.parsed import Job, Parsed
from service.documents.plain import too_many_pages

_FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/tiff": "TIFF",
    "image/bmp": "BMP",
    "image/heic": "HEIF",
}
_SENDABLE: dict[str, Literal["image/png", "image/jpeg", "image/webp"]] = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
}
_SMALLEST = 8
"""Pixels a side: below, not even one letter fits."""

_ORIENTATION = 0x0112

SCAN_SIDE = 2000
"""Pixels of the longer side of pictures for OCR: its models scale larger ones down to it.

A picture of up to twice that goes as it came, where it can: encoding it anew costs letters.
"""


def read(data: bytes, job: Job) -> Parsed:
    """Every frame of a TIFF a page; of everything else the first frame is the page.

    Raises ``DocumentTooManyPixels``, ``DocumentEmpty``, ``DocumentUnreadable``, ``PagesOutOfRange``.
    """
    from PIL import Image as pillow  # noqa: N813 - the library's name is taken by our value

    pillow.MAX_IMAGE_PIXELS = None  # ours is checked below, with an answer that says the limit
    if job.media_type == "image/heic":
        _teach_heic()
    try:
        opened = pillow.open(io.BytesIO(data), formats=[_FORMATS[job.media_type]])
    except MemoryError:
        raise
    except Exception as error:
        raise _broken() from error
    check_size(opened.width, opened.height, job.limits)
    frames = _frames(opened)
    notices = []
    if frames > 1 and opened.format != "TIFF":
        several = "holds several pictures" if opened.format == "HEIF" else "is animated"
        notices.append(Notice("frames", f"the image {several}: only the first is read"))
        frames = 1
    numbers = chosen(frames, job.pages)
    if len(numbers) > job.limits.max_pages:
        raise too_many_pages(len(numbers), job)
    pages: list[Page] = []
    spent = 0
    for number in numbers:
        with on_page(number):
            image, scan = _frame(opened, number - 1, frames, data, job.limits, scan=len(pages) < job.scans)
            spent += len(image.data)
            check_bytes(spent, job.limits)
        pages.append(
            Page(
                number,
                "",
                image=image,
                width=image.width,
                height=image.height,
                source="image",
                scan=scan,
            )
        )
    return Parsed(tuple(pages), tuple(notices))


def check_size(width: int, height: int, limits: Limits) -> None:
    """Raise when an image is too large or too small to be worth decoding."""
    if width < _SMALLEST or height < _SMALLEST:
        raise DocumentEmpty(f"an image of {width} × {height} pixels holds nothing to read")
    if width * height > limits.max_pixels:
        raise DocumentTooManyPixels(
            f"the image has {width} × {height} pixels, {limits.max_pixels} in all are allowed",
            members={"limit": "max_pixels", "allowed": limits.max_pixels, "found": width * height},
        )
    if max(width, height) > limits.max_side:
        raise DocumentTooManyPixels(
            f"the image has {width} × {height} pixels, {limits.max_side} a side are allowed",
            members={"limit": "max_side", "allowed": limits.max_side, "found": max(width, height)},
        )


def check_bytes(spent: int, limits: Limits) -> None:
    """Raise when all page images of a document together are too many bytes."""
    if spent > limits.max_image_bytes:
        raise DocumentTooComplex(
            f"the page images are more than {limits.max_image_bytes} bytes together: choose some with `pages`",
            members={"limit": "max_image_bytes", "allowed": limits.max_image_bytes},
        )


def encode(picture: Any, *, side: int) -> Image:
    """A Pillow image as PNG or JPEG, scaled down to ``side``. Line art stays PNG: it is smaller there, and crisp."""
    picture = _flat(picture)
    if max(picture.size) > side:
        from PIL.Image import Resampling

        picture.thumbnail((side, side), Resampling.LANCZOS)
    out = io.BytesIO()
    if picture.mode == "L" and picture.getcolors(64) is not None:
        picture.save(out, "PNG")
        return Image("image/png", out.getvalue(), *picture.size)
    picture.save(out, "JPEG", quality=85)
    return Image("image/jpeg", out.getvalue(), *picture.size)


def encode_both(picture: Any, *, side: int, scan: bool) -> tuple[Image, Image | None]:
    """``encode`` for the model, and with ``scan`` for OCR too, where that sees more than the model is shown."""
    larger = scan and max(picture.size) > side and side < SCAN_SIDE
    # The larger one first: `encode` may scale the picture in place.
    seen = encode(picture, side=SCAN_SIDE) if larger else None
    return encode(picture, side=side), seen


def _teach_heic() -> None:
    """Let Pillow open HEIC, by the extra ``heic``. It turns pictures upright itself, and says so in their EXIF."""
    from pi_heif.as_plugin import register_heif_opener

    register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)


def _frames(opened: Any) -> int:
    """How many frames; walking a TIFF's directory may find it broken."""
    try:
        return int(getattr(opened, "n_frames", 1))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - Pillow raises whatever the damaged directory provokes
        return 1


def _frame(
    opened: Any, index: int, frames: int, data: bytes, limits: Limits, *, scan: bool
) -> tuple[Image, Image | None]:
    try:
        if index:
            opened.seek(index)
            check_size(opened.width, opened.height, limits)
        turned = opened.getexif().get(_ORIENTATION, 1) != 1
        opened.load()
        sendable = (
            frames == 1
            and not turned
            and opened.format in _SENDABLE
            and opened.mode in {"RGB", "L"}
            and not getattr(opened, "is_animated", False)
            and "transparency" not in opened.info
        )
        as_it_came = Image(_SENDABLE[opened.format], data, *opened.size) if sendable else None
        if as_it_came is not None and max(opened.size) <= limits.image_side:
            return as_it_came, None
        if as_it_came is not None and scan and max(opened.size) <= 2 * SCAN_SIDE:
            return encode(opened.copy(), side=limits.image_side), as_it_came
        from PIL import ImageOps

        upright = ImageOps.exif_transpose(opened) if turned else opened.copy()
        return encode_both(upright, side=limits.image_side, scan=scan)
    except (MemoryError, DocumentTooManyPixels, DocumentEmpty):
        raise
    except Exception as error:
        raise _broken() from error


def _flat(picture: Any) -> Any:
    """As grey or RGB: transparent grounds become white paper, 16 bits are scaled and not clipped."""
    if picture.mode in {"RGB", "L"} and "transparency" not in picture.info:
        return picture
    if picture.mode in {"I", "F"} or picture.mode.startswith("I;16"):
        return _eight_bits(picture)
    if picture.mode == "1":
        return picture.convert("L")
    if picture.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in picture.info:
        from PIL import Image as pillow  # noqa: N813 - as above

        layer = picture.convert("RGBA")
        paper = pillow.new("RGBA", layer.size, "white")
        return pillow.alpha_composite(paper, layer).convert("RGB")
    return picture.convert("RGB")


def _eight_bits(picture: Any) -> Any:
    """Grey of more than 8 bits, stretched over what it holds: Pillow's own conversion clips it to white."""
    wide = picture.convert("F")
    low, high = wide.getextrema()
    if picture.mode.startswith("I;16") or (low >= 0 and 255 < high <= 65_535):
        low, high = 0.0, 65_535.0
    elif low >= 0 and high <= 255:
        low, high = 0.0, 255.0
    scale = 255.0 / ((high - low) or 1.0)
    return wide.point(lambda value: value * scale - low * scale).convert("L")


def _broken() -> DocumentUnreadable:
    return DocumentUnreadable("the image is damaged or cut off")
