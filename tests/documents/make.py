"""Small documents made by code, so that the repository holds no binary fixtures."""

import io
import zlib
from email.message import EmailMessage
from typing import Any

from fpdf import FPDF
from PIL import Image, ImageDraw


def pdf(*pages: list[tuple[float, float, str]], rotate: int = 0) -> bytes:
    """Pages of (x, y, text) in points, Helvetica 11."""
    made = FPDF(unit="pt", format="A4")
    made.set_auto_page_break(auto=False)
    for page in pages:
        made.add_page()
        made.set_font("Helvetica", size=11)
        for x, y, text in page:
            made.text(x, y, text)
    data = bytes(made.output())
    return data if not rotate else data.replace(b"/Type /Page\n", b"/Type /Page\n/Rotate %d\n" % rotate)


def locked_pdf(password: str) -> bytes:
    """A PDF that opens with ``password`` only."""
    made = FPDF(unit="pt", format="A4")
    made.set_encryption(owner_password="the owner", user_password=password)
    made.add_page()
    made.set_font("Helvetica", size=11)
    made.text(60, 60, "Secret total 42.00")
    return bytes(made.output())


def scanned_pdf() -> bytes:
    """A page that is one picture, without a text layer."""
    made = FPDF(unit="pt", format="A4")
    made.add_page()
    made.image(io.BytesIO(picture("PNG", size=(400, 600))), x=0, y=0, w=595, h=842)
    return bytes(made.output())


def raw_pdf(objects: list[bytes], trailer: bytes = b"") -> bytes:
    """A PDF of these objects; the first is the catalogue."""
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<</Size %d /Root 1 0 R %s>>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1,
        trailer,
        start,
    )
    return bytes(out)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """A stream object."""
    packed = zlib.compress(content)
    return b"<</Length %d /Filter /FlateDecode %s>>stream\n%s\nendstream" % (len(packed), entries, packed)


def form_pdf() -> bytes:
    """A form with a text field, a ticked box, an empty box and a hidden field."""
    widget = b"<</Type/Annot/Subtype/Widget/P 3 0 R/Rect[%s]/F %d/T(%s)%s>>"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 8 0 R/Resources<</Font<</F 9 0 R>>>>"
    return raw_pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R 5 0 R 6 0 R 7 0 R]/DA(/F 0 Tf)>>>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            page + b"/Annots[4 0 R 5 0 R 6 0 R 7 0 R]>>",
            widget % (b"200 690 400 710", 4, b"surname", b"/FT/Tx/V(M\\374ller Ltd)"),
            widget
            % (b"200 660 212 672", 4, b"member", b"/FT/Btn/V/Yes/AS/Yes/AP<</N<</Yes 10 0 R/Off 10 0 R>>>>"),
            widget
            % (b"200 630 212 642", 4, b"guest", b"/FT/Btn/V/Off/AS/Off/AP<</N<</Yes 10 0 R/Off 10 0 R>>>>"),
            widget % (b"200 600 400 612", 2, b"secret", b"/FT/Tx/V(invisible)"),
            stream(
                b"BT /F 12 Tf 60 694 Td (Surname of the member) Tj 0 -32 Td (Member) Tj 0 -30 Td (Guest) Tj ET"
            ),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
            stream(b"", b"/Type/XObject/Subtype/Form/BBox[0 0 12 12]"),
        ]
    )


def laughing_pdf(levels: int = 9, width: int = 12) -> bytes:
    """Nested form XObjects: ``width`` to the power of ``levels`` drawings from two kilobytes."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>",
        stream(b"/X Do " * width),
    ]
    for level in range(levels):
        entries = b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]"
        if level < levels - 1:
            entries += b"/Resources<</XObject<</X %d 0 R>>>>" % (level + 6)
        objects.append(stream(b"/X Do " * width if level < levels - 1 else b"0 0 1 1 re f", entries))
    return raw_pdf(objects)


def picture(
    kind: str, *, size: tuple[int, int] = (200, 100), mode: str = "RGB", colour: Any = "white", **options: Any
) -> bytes:
    """A picture of one colour with a dark bar at its top left corner."""
    made = Image.new(mode, size, colour)
    if mode in {"RGB", "L"}:
        ImageDraw.Draw(made).rectangle((0, 0, size[0] // 2, size[1] // 4), fill="black")
    out = io.BytesIO()
    made.save(out, kind, **options)
    return out.getvalue()


def frames(kind: str, count: int) -> bytes:
    """Several frames in one file."""
    made = [Image.new("RGB", (60, 40), (40 * at % 256, 90, 120)) for at in range(count)]
    out = io.BytesIO()
    made[0].save(out, kind, save_all=True, append_images=made[1:])
    return out.getvalue()


def mail(
    *, text: str | None = "Dear Ann,\n\nplease find the invoice.", html: str | None = None
) -> EmailMessage:
    """A message from Bob to Ann."""
    message = EmailMessage()
    message["From"] = "Bob Müller <bob@example.org>"
    message["To"] = "ann@example.org"
    message["Cc"] = "cid@example.org"
    message["Subject"] = "Your invoice № 12"
    message["Date"] = "Mon, 02 Mar 2026 10:00:00 +0100"
    if text is not None:
        message.set_content(text)
    if html is not None and text is None:
        message.set_content(html, subtype="html")
    elif html is not None:
        message.add_alternative(html, subtype="html")
    return message
