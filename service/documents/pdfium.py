"""pdfium's Python names, loaded when the first PDF comes. Untyped: the raw bindings are made at import time."""

import ctypes
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any


def helpers() -> Any:
    """``pypdfium2``: documents, pages, bitmaps."""
    return import_module("pypdfium2")


def raw() -> Any:
    """``pypdfium2.raw``: the C functions."""
    return import_module("pypdfium2.raw")


_KINDS: dict[str, Any] = {"i": ctypes.c_int, "p": ctypes.c_void_p, "l": ctypes.c_ulong, "f": ctypes.c_float}


@cache
def bare(name: str, takes: str, gives: str = "i") -> Callable[..., Any]:
    """The C function ``name`` with its pointers as plain numbers, which halves the price of a call.

    ``takes`` and ``gives`` say what the arguments behind the handle and the result are: ``i`` int, ``l`` unsigned
    long, ``f`` float, ``p`` pointer.
    """
    place = ctypes.cast(getattr(raw(), name), ctypes.c_void_p).value
    kind = ctypes.CFUNCTYPE(_KINDS[gives], ctypes.c_void_p, *(_KINDS[letter] for letter in takes))
    return kind(place or 0)


def address(handle: Any) -> int:
    """A handle of pypdfium2's as a number for ``bare`` functions."""
    return ctypes.cast(handle, ctypes.c_void_p).value or 0
