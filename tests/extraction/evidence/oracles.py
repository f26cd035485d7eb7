"""What is known of documents without the code under test, and how it is counted.

A text stands in a document when its letters and digits do; a number when a run of digits and separators has its digits; a
date when one line has its day, month and year.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from service.documents import Box, Document
from service.extraction.evidence import Evidence


class Text:
    """A document as the oracles see it. ``known``: values that it is known to print, however it does."""

    def __init__(self, document: Document, known: Iterable[Any] = ()) -> None:
        self.text = "".join(
            letter if letter.isascii() or not letter.isdecimal() else str(unicodedata.decimal(letter))
            for letter in document.text
        )
        self.known = {value for value in known if not isinstance(value, bool)}
        # Cells that are broken over lines stand together in the order of the text layer only.
        words = [" ".join(word.text for word in page.words) for page in document.pages]
        self.plain = plain(self.text) + "\n" + plain("".join(words))
        self.digits = {
            re.sub(r"\D", "", match[0]).strip("0")
            for separators in (".,'’ \u00a0\u202f\u2009", ".,'", "")
            for match in re.finditer(rf"\d[\d{separators}]*", self.text)
        }
        self.lines = [set(re.findall(r"\d+", line)) for line in self.text.split("\n")]

    def holds(self, value: Any) -> bool:
        """Whether the document prints a value."""
        return value in self.known or self.prints(value)

    def prints(self, value: Any) -> bool:
        """Whether its text does, as far as can be seen without knowing."""
        if isinstance(value, str):
            match = re.fullmatch(r"(\d{4})-(\d\d)(?:-(\d\d))?", value)
            if match:
                return self._day(match)
            time = re.fullmatch(r"(\d\d):(\d\d)", value)
            if time:
                hour = int(time[1])
                return any(
                    {str(hour % 12), str(hour), time[1], f"{hour % 12:02}"} & line for line in self.lines
                )
            return bool(plain(value)) and plain(value) in self.plain
        if isinstance(value, int | float):
            return re.sub(r"\D", "", f"{abs(value):.8f}").strip("0") in self.digits
        return False

    def _day(self, match: re.Match[str]) -> bool:
        year, month, day = match[1], match[2], match[3]
        for line in self.lines:
            if not ({year, year[2:]} & line):
                continue
            if day is None or {day, str(int(day))} & line:
                return True
        return (
            any({day, str(int(day))} & line and {month, str(int(month))} & line for line in self.lines)
            if day
            else False
        )


def plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from leaves(item, f"{pointer}/{at}")
    else:
        yield pointer, value


def scorable(value: Any) -> bool:
    return not (
        value is None or isinstance(value, bool) or (isinstance(value, str) and len(plain(value)) < 2)
    )


def fields_of(path: Path) -> list[tuple[str, Box]]:
    """The text fields of a PDF form, read by pdfium alone."""
    import pypdfium2
    from pypdfium2 import raw

    found: list[tuple[str, Box]] = []
    pdf = pypdfium2.PdfDocument(path)
    pdf.init_forms()
    for page in pdf:
        width, height = page.get_size()
        for at in range(raw.FPDFPage_GetAnnotCount(page)):
            annotation = raw.FPDFPage_GetAnnot(page, at)
            rect = raw.FS_RECTF()
            if raw.FPDFAnnot_GetSubtype(annotation) == raw.FPDF_ANNOT_WIDGET and raw.FPDFAnnot_GetRect(
                annotation, rect
            ):
                size = raw.FPDFAnnot_GetFormFieldValue(page.formenv, annotation, None, 0)
                buffer = (raw.FPDF_WCHAR * (size // 2 + 1))()
                raw.FPDFAnnot_GetFormFieldValue(page.formenv, annotation, buffer, size)
                text = "".join(map(chr, buffer)).rstrip("\0")
                box = (rect.left / width, 1 - rect.top / height, rect.right / width, 1 - rect.bottom / height)
                found.append((text, box))
            raw.FPDFPage_CloseAnnot(annotation)
        page.close()
    pdf.close()
    return found


def inside(box: Box, gold: Box) -> bool:
    """Whether the middle of a box lies in the gold box, give or take a hair."""
    across, down = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return gold[0] - 0.004 <= across <= gold[2] + 0.004 and gold[1] - 0.002 <= down <= gold[3] + 0.002


def count(counts: Counter[str], one: Evidence, page: int, *, right: bool) -> None:
    counts["leaves"] += 1
    counts["found"] += one.status in ("found", "ambiguous")
    counts["ambiguous"] += one.status == "ambiguous"
    counts["page"] += one.page == page
    counts["place"] += right


def show(title: str, table: Mapping[str, Counter[str]]) -> None:
    print(f"\n{title}")
    total: Counter[str] = Counter()
    for kind, counts in sorted(table.items()):
        total.update(counts)
        print(f"  {kind:38}", "  ".join(f"{name} {number}" for name, number in counts.items()))
    print(f"  {'all':38}", "  ".join(f"{name} {number}" for name, number in total.items()))
