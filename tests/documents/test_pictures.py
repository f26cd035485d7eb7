import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from service.documents import Loader, parse_pages
from service.documents.errors import (
    DocumentEmpty,
    DocumentTooComplex,
    DocumentTooManyPages,
    DocumentTooManyPixels,
    DocumentUnreadable,
    PagesOutOfRange,
)
from service.documents.parsed import Parsed
from tests.documents import make

Read = Callable[..., Parsed]


def seen(parsed: Parsed, page: int = 0) -> Any:
    """The page's image as a model would see it, in RGB."""
    image = parsed.pages[page].image
    assert image is not None
    opened = Image.open(io.BytesIO(image.data))
    assert opened.size == (image.width, image.height)
    assert f"image/{opened.format.lower()}" == image.media_type
    return opened.convert("RGB")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_sendable_pictures_go_as_they_are(read: Read, kind: str) -> None:
    """What every model reads is not encoded anew."""
    data = make.picture(kind)
    image = read(data, f"image/{kind.lower()}").pages[0].image
    assert image is not None
    assert image.data == data


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (make.picture("GIF"), "image/gif"),
        (make.picture("BMP"), "image/bmp"),
        (make.picture("TIFF"), "image/tiff"),
        (make.picture("JPEG", mode="CMYK", colour=(0, 0, 0, 0)), "image/jpeg"),
        (make.picture("PNG", mode="RGBA", colour=(0, 0, 0, 0)), "image/png"),
        (make.picture("PNG", mode="LA", colour=(0, 0)), "image/png"),
        (make.picture("PNG", mode="I;16", colour=65535), "image/png"),
        (make.picture("TIFF", mode="F", colour=1.0), "image/tiff"),
        (make.picture("TIFF", mode="I", colour=65535), "image/tiff"),
        (make.picture("PNG", mode="1", colour=1), "image/png"),
        (make.picture("PNG", mode="P", colour=0, transparency=0), "image/png"),
    ],
)
def test_every_mode_becomes_white_paper(read: Read, data: bytes, media_type: str) -> None:
    """White stays white and transparent becomes white, in every colour mode."""
    if media_type == "image/tiff" and Image.open(io.BytesIO(data)).mode == "F":
        assert seen(read(data, media_type)).size == (200, 100)
        return
    assert seen(read(data, media_type)).getpixel((190, 90)) >= (250, 250, 250)


def test_sixteen_bit_grey_is_scaled(read: Read) -> None:
    """Mid grey of 16 bits is mid grey, not white."""
    level = seen(read(make.picture("PNG", mode="I;16", colour=32768), "image/png")).getpixel((5, 5))[0]
    assert 120 <= level <= 135


@pytest.mark.parametrize("orientation", range(2, 9))
def test_exif_orientation(read: Read, orientation: int) -> None:
    """However the camera was held, the dark corner ends at the top left."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = Image.open(io.BytesIO(make.picture("PNG")))
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    upright.transpose(undo[orientation]).save(out, "JPEG", exif=exif, quality=95)
    image = seen(read(out.getvalue(), "image/jpeg"))
    assert image.size == (200, 100)
    assert max(image.getpixel((10, 5))) < 60
    assert min(image.getpixel((190, 90))) > 200


def test_frames(read: Read) -> None:
    """Frames of a TIFF are pages; of an animation the first frame is the page, with a notice."""
    tiff = make.frames("TIFF", 3)
    assert [page.number for page in read(tiff, "image/tiff").pages] == [1, 2, 3]
    assert [page.number for page in read(tiff, "image/tiff", pages=parse_pages("2-")).pages] == [2, 3]
    with pytest.raises(PagesOutOfRange):
        read(tiff, "image/tiff", pages=parse_pages("4"))
    with pytest.raises(DocumentTooManyPages):
        read(tiff, "image/tiff", limits={"max_pages": 2})
    for kind in ("GIF", "PNG", "WEBP"):
        parsed = read(make.frames(kind, 3), f"image/{kind.lower()}")
        assert len(parsed.pages) == 1
        assert [notice.rule for notice in parsed.notices] == ["frames"]


def test_large_pictures_are_scaled_down(read: Read) -> None:
    """The longer side is brought to the size that is sent."""
    image = (
        read(make.picture("PNG", size=(3000, 1000)), "image/png", limits={"image_side": 1500}).pages[0].image
    )
    assert image is not None
    assert (image.width, image.height) == (1500, 500)


@pytest.mark.parametrize(
    ("size", "caps", "error"),
    [
        ((1, 1), {}, DocumentEmpty),
        ((400, 7), {}, DocumentEmpty),
        ((200, 100), {"max_pixels": 19_999}, DocumentTooManyPixels),
        ((200, 100), {"max_side": 199}, DocumentTooManyPixels),
        ((200, 100), {"max_image_bytes": 50}, DocumentTooComplex),
    ],
)
def test_caps(read: Read, size: tuple[int, int], caps: dict[str, int], error: type[Exception]) -> None:
    """Pictures that are too small, too large or too heavy are refused; size on the header alone."""
    with pytest.raises(error):
        read(make.picture("PNG", size=size), "image/png", limits=caps)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
def test_cut_off_pictures(read: Read, kind: str) -> None:
    """A picture that is cut off in the middle is broken."""
    data = make.picture(kind, size=(300, 300), colour=(10, 200, 30))
    with pytest.raises((DocumentUnreadable, DocumentEmpty)):
        read(data[: len(data) // 2], f"image/{kind.lower()}")


def test_heic_is_read_upright(read: Read) -> None:
    """A HEIC picture that lies on its side is turned by its EXIF orientation, and sent as what every model reads."""
    parsed = read(make.heic(), "image/heic")
    picture = seen(parsed)
    assert picture.size == (64, 96)
    red, green, _ = picture.getpixel((58, 6))
    assert red > 200 > 60 > green
    assert min(picture.getpixel((6, 6))) > 230
    with pytest.raises(DocumentUnreadable):
        read(make.heic()[:300], "image/heic")
    with pytest.raises(DocumentTooManyPixels):
        read(make.heic(), "image/heic", limits={"max_pixels": 1000})


async def test_heic_is_read_in_a_worker(loader: Loader) -> None:
    """Inside the confinement of a worker process too."""
    document = await loader.load(make.heic(), declared="image/heic", name="IMG_0001.HEIC")
    assert document.media_type == "image/heic"
    assert [(page.width, page.height) for page in document.pages] == [(64, 96)]
