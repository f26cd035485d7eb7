"""What was filled into a PDF: form fields and typed notes. None of it is in the page's text layer."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from service.documents import pdfium
from service.documents.document import Box
from service.documents.pdf_words import Affine

_MOST = 5000
"""Annotations of one page that are looked at."""

_LONGEST = 100_000
"""Bytes of one value (UTF-16)."""

_HIDDEN = 2 | 32  # annotation flags Hidden and NoView


@dataclass(frozen=True, slots=True)
class Filled:
    """One field: its name, its value in words, how it looks on the page, and where."""

    name: str
    value: str = field(repr=False)
    shown: str = field(repr=False)
    box: Box


def filled(page: Any, to_share: Affine) -> list[Filled]:
    """The fields of a page that hold a value, in the page's order; check boxes also when they are empty."""
    raw = pdfium.raw()

    form = page.formenv
    found = []
    for at in range(min(raw.FPDFPage_GetAnnotCount(page), _MOST)):
        annotation = raw.FPDFPage_GetAnnot(page, at)
        if not annotation:
            continue
        try:
            if raw.FPDFAnnot_GetFlags(annotation) & _HIDDEN:
                continue
            subtype = raw.FPDFAnnot_GetSubtype(annotation)
            if subtype == raw.FPDF_ANNOT_WIDGET and form is not None:
                one = _widget(raw, form, annotation, to_share)
            elif subtype == raw.FPDF_ANNOT_FREETEXT:
                one = _typed(raw, annotation, to_share)
            else:
                one = None
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
        if one is not None:
            found.append(one)
    return found


def _widget(raw: Any, form: Any, annotation: Any, to_share: Affine) -> Filled | None:
    def text(getter: Callable[..., int]) -> str:
        return _utf16(lambda buffer, size: getter(form, annotation, buffer, size))

    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    name = text(raw.FPDFAnnot_GetFormFieldAlternateName) or text(raw.FPDFAnnot_GetFormFieldName)
    if kind in {raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON}:
        checked = bool(raw.FPDFAnnot_IsChecked(form, annotation))
        if kind == raw.FPDF_FORMFIELD_RADIOBUTTON and not checked:
            return Filled("", "", "[ ]", _box(raw, annotation, to_share))
        export = text(raw.FPDFAnnot_GetFormFieldExportValue)
        value = (export or "Yes") if checked else "Off"
        return Filled(name, value, "[x]" if checked else "[ ]", _box(raw, annotation, to_share))
    if kind in {raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX}:
        value = text(raw.FPDFAnnot_GetFormFieldValue)
        secret = raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & (1 << 13)  # Password
        if value.strip() and not secret:
            return Filled(name, value, value, _box(raw, annotation, to_share))
    return None


def _typed(raw: Any, annotation: Any, to_share: Affine) -> Filled | None:
    """A note typed onto the page: its text is visible, so it belongs to what a reader sees."""
    value = _utf16(lambda buffer, size: raw.FPDFAnnot_GetStringValue(annotation, b"Contents", buffer, size))
    return Filled("", value, value, _box(raw, annotation, to_share)) if value.strip() else None


def _box(raw: Any, annotation: Any, to_share: Affine) -> Box:
    rect = raw.FS_RECTF()
    if not raw.FPDFAnnot_GetRect(annotation, rect):
        return (0.0, 0.0, 0.0, 0.0)
    left, top, right, bottom = to_share.box(rect.left, rect.bottom, rect.right, rect.top)
    return (_share(left), _share(top), _share(right), _share(bottom))


def _utf16(getter: Callable[[Any, int], int]) -> str:
    """A string in pdfium's way: ask for the size in bytes (with the end mark), then for the UTF-16LE text."""
    size = getter(None, 0)
    if not 2 < size <= _LONGEST:
        return ""
    buffer = ctypes.create_string_buffer(size)
    getter(ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace").replace("\r\n", "\n").replace("\r", "\n")


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0) if value == value else 0.0
