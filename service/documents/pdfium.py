"""pdfium's Python names, loaded when the first PDF comes. Untyped: the raw bindings are made at import time."""

from importlib import import_module
from typing import Any


def helpers() -> Any:
    """``pypdfium2``: documents, pages, bitmaps."""
    return import_module("pypdfium2")


def raw() -> Any:
    """``pypdfium2.raw``: the C functions."""
    return import_module("pypdfium2.raw")
