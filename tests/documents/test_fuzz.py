"""Damaged files of every format: a document or a typed refusal, nothing else."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.documents import Document, Loader
from service.foundation.errors import WinnowError
from tests.documents import make

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
    "csv": b'a,b\n"x;y",2\n',
    "rtf": rb"{\rtf1\ansi{\fonttbl{\f0\fcharset128 x;}}\f0 \'90\'bf\u26085?\par}",
    "docx": make.docx(make.paragraph("hello")),
    "pptx": make.pptx(f"<p:sld>{make.shape('hello')}</p:sld>"),
    "xlsx": make.xlsx({"a": make.cells(1, "x", 1.0)}),
    "ods": make.ods(("a", "b")),
}


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A seed that is cut off, overwritten in places, or repeated."""
    data = bytearray(SEEDS[draw(st.sampled_from(sorted(SEEDS)))])
    for _ in range(draw(st.integers(0, 6))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    if draw(st.booleans()):
        del data[draw(st.integers(0, len(data))) :]
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(data)))
        data[at:at] = data[:at]
    return bytes(data)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
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
