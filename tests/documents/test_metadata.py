"""What files say of themselves, and the language that a page seems to be in."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from fpdf import FPDF

from service.documents import Loader, Metadata
from service.documents.language import hint
from service.documents.metadata import LONGEST, of_pdf
from service.documents.parsed import Parsed
from tests.documents import make

Read = Callable[..., Parsed]

CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">'
    "<dc:title>Offer \u202e 7</dc:title><dc:creator>Ada\n Lovelace</dc:creator>"
    "<dcterms:created>2026-04-17T09:30:00Z</dcterms:created><dcterms:modified>never</dcterms:modified>"
    "</cp:coreProperties>"
)


def with_core(office: bytes) -> bytes:
    out = io.BytesIO(office)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("docProps/core.xml", CORE)
    return out.getvalue()


def test_pdf(read: Read) -> None:
    """Title, author and dates with their zone; what a reader would not see is not in them."""
    made = FPDF()
    made.add_page()
    made.set_title("Invoice\u202e 2026-0417")
    made.set_author("Acme GmbH")
    metadata = read(bytes(made.output()), "application/pdf").metadata
    assert metadata is not None
    assert metadata.title == "Invoice 2026-0417"
    assert metadata.author == "Acme GmbH"
    assert metadata.created
    assert read(make.raw_pdf([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
                              b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"]), "application/pdf").metadata is None  # fmt: skip


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("D:20260417093000+02'00'", "2026-04-17T09:30:00+02:00"),
        ("D:20260417093000Z", "2026-04-17T09:30:00+00:00"),
        ("D:20260417", "2026-04-17T00:00:00"),
        ("D:202604", "2026-04-01T00:00:00"),
        ("D:20261399", None),
        ("D:20260417093000+99'00'", None),
        ("yesterday", None),
    ],
)
def test_pdf_dates(written: str, read_as: str | None) -> None:
    """Dates of PDFs in all their lengths; what is none is left out."""
    metadata = of_pdf({"CreationDate": written})
    assert (metadata.created if metadata else None) == read_as


def test_long_titles_are_cut() -> None:
    """A title is a line and no novel."""
    metadata = of_pdf({"Title": "word \n" * 10_000})
    assert metadata is not None
    assert metadata.title is not None
    assert len(metadata.title) <= LONGEST
    assert "\n" not in metadata.title


@pytest.mark.parametrize(
    ("office", "media_type"),
    [
        (
            make.docx(make.paragraph("hello")),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (
            make.xlsx({"a": make.cells(1, "x", 1.0)}),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
    ],
)
async def test_office(loader: Loader, office: bytes, media_type: str) -> None:
    """Office files say it in their core properties; a file without them is read all the same."""
    document = await loader.load(with_core(office), declared=media_type, name=None)
    assert document.metadata == Metadata("Offer 7", "Ada Lovelace", "2026-04-17T09:30:00+00:00", None)
    assert (await loader.load(office, declared=media_type, name=None)).metadata is None


def test_broken_properties_say_nothing(read: Read) -> None:
    """A document whose properties are broken is read without them."""
    out = io.BytesIO(make.docx(make.paragraph("hello")))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("docProps/core.xml", CORE[:300])
    parsed = read(out.getvalue(), "application/vnd.openxmlformats-officedocument.wordprocessingml.document")
    assert parsed.metadata is None
    assert parsed.pages[0].text == "hello"


def test_mail(read: Read) -> None:
    """Of a message, its subject, its sender and when it was sent."""
    data = (
        b"From: =?utf-8?q?Zo=C3=AB?= <zoe@example.org>\r\nSubject: Order 7\r\n"
        b"Date: Fri, 17 Apr 2026 09:30:00 +0200\r\n\r\nhi"
    )
    assert read(data, "message/rfc822").metadata == Metadata(
        "Order 7", "Zoë <zoe@example.org>", "2026-04-17T09:30:00+02:00", None
    )


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Please pay the invoice within 30 days of receipt. Thank you for your order."),
        ("de", "Bitte zahlen Sie die Rechnung innerhalb von 30 Tagen auf das Konto."),
        ("fr", "Merci de régler la facture dans les 30 jours par virement sur le compte."),
        ("es", "El pago de la factura se realizará en los 30 días por transferencia a la cuenta."),
        ("it", "Il pagamento della fattura è previsto per il mese di maggio con bonifico."),
        ("pt", "O pagamento da fatura deve ser feito em 30 dias e não pelo correio."),
        ("nl", "Wij verzoeken u het bedrag van de factuur binnen 30 dagen over te maken."),
        ("pl", "Faktura jest płatna do 30 dni, a towar nie jest własnością klienta przez ten czas."),
        ("sv", "Betalning av fakturan ska ske inom 30 dagar och inte med kontanter till oss."),
        ("tr", "Fatura ile ilgili ödeme 30 gün içinde ve banka için olan hesaba yapılır."),
        ("vi", "Hóa đơn được thanh toán trong 30 ngày và không được trả với tiền mặt."),
        ("ru", "Оплата счёта производится в течение 30 дней по реквизитам, указанным выше."),
        ("uk", "Оплата рахунку здійснюється протягом 30 днів за реквізитами."),
        ("el", "Η πληρωμή του τιμολογίου γίνεται εντός 30 ημερών."),
        ("ar", "يتم الدفع في غضون ثلاثين يوما من تاريخ الفاتورة على الحساب"),
        ("he", "התשלום יתבצע בתוך שלושים יום"),
        ("ko", "청구서는 30일 이내에 지불해 주십시오"),
        ("ja", "お支払いは三十日以内にお願いします"),
        ("zh", "请在三十日内付款，发票号码见上"),
        (None, "4711   12.50   EUR\nSKU-88   3.20"),
        (None, ""),
    ],
)
def test_language(language: str | None, text: str) -> None:
    """One sentence is enough to tell; figures tell nothing."""
    assert hint(text) == language


async def test_pages_have_the_hint(loader: Loader) -> None:
    """Read in the service or in a worker, a page with words says its language."""
    text = "Bitte zahlen Sie die Rechnung innerhalb von 30 Tagen auf das Konto."
    for data, media_type in ((text.encode(), "text/plain"), (make.pdf([(60, 60, text)]), "application/pdf")):
        document = await loader.load(data, declared=media_type, name=None)
        assert [page.language for page in document.pages] == ["de"]


def test_every_script_is_fast_and_safe() -> None:
    """Any text gives a hint or none, however long."""
    samples: list[Any] = ["\ud800" * 10_000, "é" * 1_000_000, "漢" * 1_000_000, "the " * 1_000_000]
    assert [hint(sample) for sample in samples] == [None, None, "zh", "en"]
