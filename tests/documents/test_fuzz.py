"""Damaged files of every format: a document or a typed refusal, nothing else.

``WINNOW_FUZZ=5000`` tries so many files instead of a few, also damaged ones of the corpus where it lies beside.
"""

import io
import json
import os
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.documents import Document, Loader
from service.foundation.errors import WinnowError
from tests.documents import make, messages, workbooks
from tests.documents.test_hidden import LAYERS, layered
from tests.documents.test_outlook_wraps import attached as wrapped
from tests.documents.test_outlook_wraps import packed_rtf, tnef, winmail
from tests.documents.test_word_numbers import NUMBERING, item

FOLDED = workbooks.Sheet("a", [["x", "y"], ["z", "w"]], frozenset({1}), frozenset({1}))
INNER = replace(messages.letter("in"), attached=[("a.csv", b"k,v\n1,2\n")])
message = make.mail(html="<p>hello</p>")
message.add_attachment(make.pdf([(60, 60, "x")]), maintype="application", subtype="pdf", filename="a.pdf")

SEEDS: dict[str, bytes] = {
    "pdf": make.pdf([(60, 60, "Total 42.00")]),
    "form": make.form_pdf(),
    "locked": make.locked_pdf("secret"),
    "png": make.picture("PNG", size=(40, 30)),
    "jpeg": make.picture("JPEG", size=(40, 30)),
    "tiff": make.frames("TIFF", 2),
    "gif": make.frames("GIF", 2),
    "webp": make.picture("WEBP", size=(40, 30)),
    "heic": make.heic(),
    "mail": message.as_bytes(),
    "html": b"<html><table><tr><td>a<td>b</table><a href='x'>y</a>",
    "bmp": make.picture("BMP", size=(40, 30)),
    "utf-16": "Größe: 12\nBetrag: 42,00 €".encode("utf-16"),
    "shift-jis": "合計 1,280円 請求書番号 12".encode("cp932"),
    "json": b'{"a": [1, 2, {"b": "c"}]}',
    "xml": b"<?xml version='1.0' encoding='euc-kr'?><a b='c'>\xb0\xa1</a>",
    "csv": b'a,b\n"x;y",2\n',
    "rtf": rb"{\rtf1\ansi{\fonttbl{\f0\fcharset128 x;}}\f0 \'90\'bf\u26085?\par}",
    "docx": make.docx(make.paragraph("hello")),
    "pptx": make.pptx(f"<p:sld>{make.shape('hello')}</p:sld>"),
    "xlsx": make.xlsx({"a": make.cells(1, "x", 1.0)}),
    "ods": make.ods(("a", "b")),
    "folded ods": workbooks.ods(FOLDED),
    "xls": workbooks.xls(FOLDED),
    "xlsb": workbooks.xlsb(FOLDED),
    "msg": messages.msg(
        replace(messages.letter(p1009=packed_rtf(rb"{\rtf1\ansi hello}")), attached=[("in", INNER)])
    ),
    "winmail": winmail(tnef(wrapped("a.csv", b"k,v\n1,2\n", "a.csv")), "x"),
    "layers": layered(LAYERS, packed=True),
    "numbered docx": make.docx(
        item("a", 1) + item("b", 1, 1),
        parts={"word/numbering.xml": NUMBERING},
        links=(("numbering", "numbering.xml"),),
    ),
}


TRIES = int(os.environ.get("WINNOW_FUZZ", "0"))
CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "documents"
LARGEST = 100_000
"""Bytes of corpus files that are damaged; larger ones take longer and show nothing else."""

if TRIES and CORPUS.exists():
    for row in map(json.loads, (CORPUS / "manifest.jsonl").read_text("utf-8").splitlines()):
        if row["bytes"] <= LARGEST and "/hostile/" not in row["file"]:
            SEEDS[row["id"]] = (CORPUS / row["file"]).read_bytes()


def spoilt(draw: st.DrawFn, whole: bytes) -> bytes:
    """Cut off, with bits flipped and bytes overwritten in places, or with a part repeated."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(0, 6)) if data else 0):
        at = draw(st.integers(0, len(data) - 1))
        data[at] = (
            data[at] ^ 1 << draw(st.integers(0, 7)) if draw(st.booleans()) else draw(st.integers(0, 255))
        )
    if draw(st.booleans()):
        del data[draw(st.integers(0, len(data))) :]
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(data)))
        data[at:at] = data[:at]
    return bytes(data)


def repacked(draw: st.DrawFn, whole: bytes) -> bytes:
    """An office file in which one part is spoilt and the archive is sound: its check sums would give it away."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(whole)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        names = [name for name in source.namelist() if not name.endswith("/")]
        chosen = draw(st.sampled_from(names))
        for name in names:
            data = source.read(name)
            target.writestr(name, spoilt(draw, data) if name == chosen else data)
    return out.getvalue()


def recompressed(draw: st.DrawFn, whole: bytes) -> bytes:
    """A PDF in which what one stream inflates to is spoilt."""
    parts = whole.split(b"stream\n")
    chosen = draw(st.integers(1, len(parts) - 1))
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(parts[chosen], LARGEST)
    except zlib.error:
        return spoilt(draw, whole)
    rest = inflater.unused_data or b"\nend"
    parts[chosen] = zlib.compress(spoilt(draw, content)) + rest
    return b"stream\n".join(parts)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A file of some format that is damaged outside or inside of its packing."""
    whole = SEEDS[draw(st.sampled_from(sorted(SEEDS)))]
    if whole.startswith(b"PK") and draw(st.booleans()):
        return repacked(draw, whole)
    if whole.startswith(b"%PDF") and b"stream\n" in whole and draw(st.booleans()):
        return recompressed(draw, whole)
    return spoilt(draw, whole)


@settings(max_examples=TRIES or 150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    data=st.binary(max_size=200) | damaged(),
    declared=st.none() | st.sampled_from(["application/pdf", "text/plain"]),
)
async def test_damaged_files(loader: Loader, data: bytes, declared: str | None) -> None:
    """Nothing that is uploaded does anything but load or be refused."""
    try:
        assert isinstance(await loader.load(data, declared=declared, name=None), Document)
    except WinnowError as error:
        assert error.status in {400, 415, 422}  # noqa: PT017 - both ways are right
