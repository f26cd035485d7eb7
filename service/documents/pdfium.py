"""pdfium's Python names, loaded when the first PDF comes. Untyped: the raw bindings are made at import time."""

import ctypes
from array import array
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
    # Of PYFUNCTYPE, which keeps the interpreter's lock: giving it back costs a fifth of a call that takes no time itself.
    return ctypes.PYFUNCTYPE(_KINDS[gives], ctypes.c_void_p, *(_KINDS[letter] for letter in takes))(
        _place(name)
    )


@cache
def unchecked(name: str, gives: str = "i") -> Callable[..., Any]:
    """The C function ``name`` without a look at its arguments, which halves the price again.

    It takes whole numbers that fit a C int and pointers made with ``pointer``. A plain number in a pointer's place is
    cut to 32 bits, and the process dies.
    """
    return ctypes.PYFUNCTYPE(_KINDS[gives])(_place(name))


def _place(name: str) -> int:
    return ctypes.cast(getattr(raw(), name), ctypes.c_void_p).value or 0


def pointer(place: int) -> Any:
    """An address as ``unchecked`` functions take it. One is good for many calls."""
    return ctypes.c_void_p.from_param(place)


def numbers(kind: str, count: int) -> tuple[memoryview, tuple[Any, ...]]:
    """Room for the numbers that a function writes, and the pointers to each of them for ``unchecked`` functions.

    ``kind`` is the letter of ``array``. A view is read faster than an array, and ten times faster than ctypes' own.
    """
    room = array(kind, [0] * count)
    return memoryview(room), tuple(map(pointer, places(room)))


def places(numbers: "array[Any]") -> tuple[int, ...]:
    """Where the numbers lie, for ``bare`` functions that fill them."""
    first, count = numbers.buffer_info()
    return tuple(range(first, first + numbers.itemsize * count, numbers.itemsize))


def address(handle: Any) -> int:
    """A handle of pypdfium2's as a number for ``bare`` functions."""
    return ctypes.cast(handle, ctypes.c_void_p).value or 0
