"""What the provider takes from a PDF: the text layer of its pages. Each page is billed as one picture more."""

from typing import Any

__all__ = ["PDF", "page_texts"]

PDF = "application/pdf"

_MOST_PAGES = 1_000
_MOST_CHARACTERS = 2_000_000


def page_texts(content: bytes) -> list[str]:
    """The text of each page, lines kept, empty for scans; nothing for a file that does not open."""
    # pdfium costs 40 ms to load; only requests with PDFs pay.
    import pypdfium2

    library: Any = pypdfium2  # it has no types
    try:
        document = library.PdfDocument(content)
    except library.PdfiumError:
        return []
    try:
        texts: list[str] = []
        left = _MOST_CHARACTERS
        for number in range(min(len(document), _MOST_PAGES)):
            text = _text(document, number)[:left] if left > 0 else ""
            left -= len(text)
            texts.append(text)
        return texts
    finally:
        document.close()


def _text(document: Any, number: int) -> str:
    import pypdfium2

    try:
        page = document[number]
        layer = page.get_textpage()
    except pypdfium2.PdfiumError:
        return ""
    found: str = layer.get_text_range()
    layer.close()
    page.close()
    return "\n".join(line.rstrip() for line in found.splitlines()).strip()
