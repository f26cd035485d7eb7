"""Small documents made by code, so that the repository holds no binary fixtures."""

import io
import struct
import zipfile
import zlib
from base64 import b64decode
from collections.abc import Sequence
from email.message import EmailMessage
from html import escape
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


def packed_pdf(objects: list[bytes]) -> bytes:
    """The same as ``raw_pdf`` with all that is no stream in an object stream, as most programs write since PDF 1.5."""
    out = bytearray(b"%PDF-1.7\n")
    places: dict[int, tuple[int, int, int]] = {0: (0, 0, 65535)}
    inner, heads = b"", b""
    container = len(objects) + 1
    for number, body in enumerate(objects, start=1):
        if b"stream" in body:
            places[number] = (1, len(out), 0)
            out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
        else:
            places[number] = (2, container, heads.count(b" ") // 2)
            heads += b"%d %d " % (number, len(inner))
            inner += body + b"\n"
    places[container] = (1, len(out), 0)
    entries = b"/Type/ObjStm/N %d/First %d" % (heads.count(b" ") // 2, len(heads))
    out += b"%d 0 obj\n%s\nendobj\n" % (container, stream(heads + inner, entries))
    start = len(out)
    places[container + 1] = (1, start, 0)
    table = b"".join(struct.pack(">BIH", *places[number]) for number in range(container + 2))
    entries = b"/Type/XRef/W[1 4 2]/Size %d/Root 1 0 R" % (container + 2)
    out += b"%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF" % (container + 1, stream(table, entries), start)
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


def frames(kind: str, count: int, sizes: Sequence[tuple[int, int]] = ()) -> bytes:
    """Several frames in one file, of these sizes or all alike."""
    alike = [(60, 40)] * count
    made = [Image.new("RGB", size, (40 * at % 256, 90, 120)) for at, size in enumerate(sizes or alike)]
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


_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def package(members: dict[str, str | bytes], stored: tuple[str, ...] = ()) -> bytes:
    """A ZIP of these members, some of them not compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content, zipfile.ZIP_STORED if name in stored else None)
    return out.getvalue()


def relations(*pairs: tuple[str, str]) -> str:
    """A relationships part: (kind, target), with ids from r1."""
    inner = "".join(
        f'<Relationship Id="r{at}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for at, (kind, target) in enumerate(pairs, start=1)
    )
    return f'<Relationships xmlns="{_PACKAGE}">{inner}</Relationships>'


def docx(
    body: str, *, parts: dict[str, str | bytes] | None = None, links: tuple[tuple[str, str], ...] = ()
) -> bytes:
    """A Word document with this body; ``w:`` is its namespace."""
    spaces = (
        'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
        'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml" '
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
    )
    made = {name: content.replace("<w:X", f"<w:X {spaces}") if isinstance(content, str) else content
            for name, content in (parts or {}).items()}  # fmt: skip
    return package(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": relations(("officeDocument", "word/document.xml")),
            "word/_rels/document.xml.rels": relations(*links),
            "word/document.xml": f"<w:document {spaces}><w:body>{body}</w:body></w:document>",
            **made,
        }
    )


def paragraph(text: str, properties: str = "") -> str:
    """A paragraph of one run."""
    return f"<w:p>{properties}<w:r><w:t>{text}</w:t></w:r></w:p>"


def pptx(*slides: str, notes: str | None = None, chart: str | None = None) -> bytes:
    """A deck of these slides; ``p:`` and ``a:`` are the namespaces. Notes and ``CHART`` are of the first one."""
    spaces = (
        'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
        f'xmlns:r="{_OFFICE}"'
    )
    ids = "".join(f'<p:sldId id="{256 + at}" r:id="r{at}"/>' for at in range(1, len(slides) + 1))
    members: dict[str, str | bytes] = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": relations(("officeDocument", "ppt/presentation.xml")),
        "ppt/_rels/presentation.xml.rels": relations(
            *(("slide", f"slides/slide{at}.xml") for at in range(1, len(slides) + 1))
        ),
        "ppt/presentation.xml": f"<p:presentation {spaces}><p:sldIdLst>{ids}</p:sldIdLst>"
        '<p:sldSz cx="9144000" cy="6858000"/></p:presentation>',
    }
    for at, slide in enumerate(slides, start=1):
        members[f"ppt/slides/slide{at}.xml"] = slide.replace("<p:sld", f"<p:sld {spaces}", 1)
    if notes is not None:
        members["ppt/slides/_rels/slide1.xml.rels"] = relations(("notesSlide", "../notesSlides/notes1.xml"))
        members["ppt/notesSlides/notes1.xml"] = notes.replace("<p:notes", f"<p:notes {spaces}", 1)
    if chart is not None:
        members["ppt/slides/_rels/slide1.xml.rels"] = relations(("chart", "../charts/chart1.xml"))
        members["ppt/charts/chart1.xml"] = chart
    return package(members)


def chart(title: str, names: Sequence[str], **series: tuple[str, Sequence[float]]) -> str:
    """A chart part; each series is the code of its number format and its values."""

    def points(values: Sequence[object]) -> str:
        return "".join(f'<c:pt idx="{at}"><c:v>{one}</c:v></c:pt>' for at, one in enumerate(values))

    made = "".join(
        f"<c:ser><c:tx><c:strRef><c:strCache>{points([name])}</c:strCache></c:strRef></c:tx>"
        f"<c:cat><c:strRef><c:strCache>{points(names)}</c:strCache></c:strRef></c:cat><c:val><c:numRef><c:numCache>"
        f"<c:formatCode>{code}</c:formatCode>{points(values)}</c:numCache></c:numRef></c:val></c:ser>"
        for name, (code, values) in series.items()
    )
    drawing = "http://schemas.openxmlformats.org/drawingml/2006"
    return (
        f'<c:chartSpace xmlns:c="{drawing}/chart" xmlns:a="{drawing}/main"><c:chart><c:title><c:tx><c:rich><a:p><a:r>'
        f"<a:t>{title}</a:t></a:r></a:p></c:rich></c:tx></c:title><c:plotArea><c:barChart>{made}</c:barChart>"
        "</c:plotArea></c:chart></c:chartSpace>"
    )


CHART = f'<c:chart xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" xmlns:r="{_OFFICE}" r:id="r1"/>'
"""The place of the chart that a part relates to as ``r1``."""


def shape(*lines: str, placeholder: str = "") -> str:
    """A text shape."""
    mark = f'<p:nvSpPr><p:nvPr><p:ph type="{placeholder}"/></p:nvPr></p:nvSpPr>' if placeholder else ""
    inner = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in lines)
    return f"<p:sp>{mark}<p:txBody>{inner}</p:txBody></p:sp>"


def xlsx(
    sheets: dict[str, str],
    *,
    hidden: tuple[str, ...] = (),
    columns: str = "",
    codes: tuple[str, ...] = (),
    styles: str = "",
) -> bytes:
    """A workbook of sheets given as the XML of their rows; ``columns`` is that of the columns of each.

    Style 1 is that of dates; from 2 on, styles have the number formats ``codes``. ``styles`` stands in their place.
    """
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    listed = "".join(
        f'<sheet name="{name}" sheetId="{at}" r:id="r{at}"{" state=" + chr(34) + "hidden" + chr(34) if name in hidden else ""}/>'
        for at, name in enumerate(sheets, start=1)
    )
    defined = "".join(
        f'<numFmt numFmtId="{at}" formatCode="{escape(code, quote=True)}"/>'
        for at, code in enumerate(codes, start=164)
    )
    used = "".join(f'<xf numFmtId="{at}"/>' for at in range(164, 164 + len(codes)))
    usual = f'<numFmts>{defined}</numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/>{used}</cellXfs>'
    styles = f'<styleSheet xmlns="{main}">{styles or usual}</styleSheet>'
    return package(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
            "_rels/.rels": relations(("officeDocument", "xl/workbook.xml")),
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
            "xl/styles.xml": styles,
            "xl/_rels/workbook.xml.rels": relations(
                *(("worksheet", f"worksheets/sheet{at}.xml") for at in range(1, len(sheets) + 1)),
                ("styles", "styles.xml"),
            ),
            **{
                f"xl/worksheets/sheet{at}.xml": f'<worksheet xmlns="{main}">{columns}<sheetData>{rows}</sheetData></worksheet>'
                for at, rows in enumerate(sheets.values(), start=1)
            },
        }
    )


def cells(row: int, *values: str | float) -> str:
    """A row of inline texts and numbers, from column A."""
    made = ""
    for at, cell in enumerate(values):
        place = f'r="{chr(65 + at)}{row}"'
        text = f'<c {place} t="inlineStr"><is><t>{cell}</t></is></c>'
        made += text if isinstance(cell, str) else f"<c {place}><v>{cell}</v></c>"
    return f'<row r="{row}">{made}</row>'


def ods(*rows: tuple[str, ...]) -> bytes:
    """An OpenDocument spreadsheet of one sheet."""
    lines = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
            for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    content = (
        f"<office:document-content {spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="Tab">{lines}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", content)
    return out.getvalue()


def heic() -> bytes:
    """64 by 96 pixels, white with a red square, stored lying on its side and turned upright by its EXIF orientation.

    Encoders of HEIC are no part of what the tests install: it was made once, with pillow-heif, out of nothing else.
    """
    return b64decode(
        "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAaFtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAADRp"
        "bG9jAAAAAERAAAIAAQAAAAABxQABAAAAAAAAAGwAAgAAAAACMQABAAAAAAAAACQAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAAAAABAABo"
        "dmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAAA4GlwcnAAAADAaXBjbwAAAHhodmNDAQNwAAAAkAAAAAAAHvAA"
        "/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoDCBBZbqSSmubgIaDAgAAAMA"
        "yAAAAwAIQGIAAQAHRAHBcrAiQAAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABgAAAAQAAAABBwaXhpAAAAAAMICAgAAAAJ"
        "aXJvdAMAAAAYaXBtYQAAAAAAAAABAAEFgQIDBIUAAAAaaXJlZgAAAAAAAAAOY2RzYwACAAEAAQAAAJhtZGF0AAAAaCgBrxOA25K//VFV"
        "+/aAeFc7QE5cCuGEAKO7CaIegGkH4LGbGEYY2nUUta+hkTBvpgNuj5CccrpeyL9nworHcc2HIp9ymMCaVrPcswKJVXCMp2+Li03Nl03I"
        "w1n7pXXPYXx096r7OFdgAAAABkV4aWYAAE1NACoAAAAIAAEBEgADAAAAAQAGAAAAAAAA"
    )


def cyrillic() -> bytes:
    """A PNG of three lines in Cyrillic letters. Fonts with such letters are no part of what the tests install."""
    return b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAggAAACWAQAAAACTdE3UAAAEJUlEQVR42u2YP2/bRhiHnyNZSUVVhFsVoChpIGsLZeuQWpcuHfsFikII"
        "OnTU1g5GdQoyZPTQoVPMj5EpOQce0in6AAVMZrEmg645UMqR10G0GzeRREdA/4G3CLw7Pnrf935H/o7CsmVzaAgNoSE0hP874RDs928b"
        "DH+HYizkEQ/XE6RcNZqCAaRVawl2ECN+eSugBY4oZZ/hWkIp9Zo0c0CLNTF4wMrhHpBRbqykwY5VJ3GIpodwvxBq8oWfOFF2MUdtIgig"
        "MABoyRjAZNDP6AKzmnowp8EuMMDeUSWBmwa7QMk+mqIWQXwAgByWXwJ4LchjOvyIXzOGxWXH5GJhwg7WfkNEXoegCw9IZFIVzXYAjYe/"
        "WfgOgHhWXUX8GVLXB4WVNbKwoFwLBPqgimGeX+Lv72cbCR78dJF7JQAHKCPE4c/19qaKL3WnGEsIyaED8FCUo3gjwYkk7SXiGOcJWMoU"
        "LDAcUaHWazIJ8TwA7iGOFAvZDsGTl1L6cHBTrc1Ca9zlkt1VTEAor7cU2MADputjECu9XOH+80/aYmvC860JdfMTjStuCA2hITSE/wKh"
        "EOEb3Um4dQyz2gQPsNEb3e146xi6f2Mll97lcPAs2Dk+ECW8GgvbBs6+jo+KgxAb61/zGo5UDSCO0EDOqwxI4zSOI6B8sqiRxaOnu8Fu"
        "oIJl/TIgPRlBoIBC5JsJdoe7EPZRQMoM5reey9407AMLx60Rg/xWXZ5FPKZd6Pm9akZWfy3OZBICM6uWeuhGZxKIqmrXIFSuT5Ne6TFF"
        "7Rhe6GAI+DxeXr8nX2jgM2PqEnzoA5H4+LUe+ErUOqFECtAAtroxnXkKDXjUiEEcO08hXd4haWXA59olVYAzzmuo+p6dwG2SRy/pfYcF"
        "uLkfcptEfTI88m0NPagJhJoQUHgK8EMINSBebtin9i/twF6z/RuetI0rbggNoSE0hIZQ15mz0oYf4VE4+DakkHO16r1pymDVO9E1WCOM"
        "m7dteiMO3uG92SeH0pzOf+P88cloZR1Wf9LWrqdAdBwfL+zI1ZVU21TaAQorQm/uJQoZ4p05VpzJSSe5nLNwsxaz7rS37j9sCbHGDm0J"
        "kE4hUlXUnc2ng4U4f39PmP2YUhU/uDl7N/Sn42AHoFSFqaUo8wD2FQXmAYDfg50hgEGcbiZkIBxF2GeBcKqyWokGBE77OqqurDXzECYK"
        "YMEGY45z5WRYvnFWzK65sz6qfk9iGMf1zp0Or38MvqWWkXSu5NUqugt6WX+2Xg+KeIqDLRUo4sqnE0GN1YzA24ORQmhvDwy5RsRaQiEx"
        "c5uXaWbiXK/c3YOD81LMrR7YQVCK83li4raxajCw3GGcu8bN2+drd7cE4UAoYSQcaOEPYViJ2uu63VaPbr833MrTZt1tn5NZ48wbQkNo"
        "CA3hHdsf0bgOsk4XR5kAAAAASUVORK5CYII="
    )
