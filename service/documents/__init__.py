"""Inputs of any kind → one normalised ``Document``.

Names are loaded when they are first asked for: the worker processes live in this package too, and must not carry the
service's libraries.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.documents.document import (
        Box,
        Document,
        File,
        Image,
        Metadata,
        Notice,
        Page,
        PageRange,
        Source,
        Table,
        Word,
        select,
    )
    from service.documents.loader import Loader
    from service.documents.media import SUPPORTED
    from service.documents.pages import combine, parse_pages
    from service.documents.settings import Settings

__all__ = [
    "SUPPORTED",
    "Box",
    "Document",
    "File",
    "Image",
    "Loader",
    "Metadata",
    "Notice",
    "Page",
    "PageRange",
    "Settings",
    "Source",
    "Table",
    "Word",
    "combine",
    "parse_pages",
    "select",
]

_HOMES = {
    "Loader": "loader",
    "SUPPORTED": "media",
    "Settings": "settings",
    "combine": "pages",
    "parse_pages": "pages",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'document')}"), name)
