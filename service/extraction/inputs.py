"""Parts of a document that do not come with the request become bytes."""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from service.extraction.arguments import AnyPiece, Linked, Piece, Uploaded
from service.files import Fetcher, Files
from service.foundation.errors import Fault, WinnowError

Result = TypeVar("Result")

_LOCKED = (
    "Remove the protection, or send it as JSON, where a password has a place: "
    '{"input": {"base64": "…", "password": "…"}}.'
)


class Inputs:
    """Where the bytes come from that a request only names."""

    def __init__(self, files: Files, urls: Fetcher) -> None:
        self._files = files
        self._urls = urls

    async def bring(self, piece: AnyPiece, deadline: float) -> Piece:
        """The bytes of a part, at once where they came with the request; ``deadline`` is of ``clock.monotonic``.

        Raises the errors of ``service.files``, with the place in the request.
        """
        if isinstance(piece, Piece):
            return piece
        if isinstance(piece, Linked):
            return await self._linked(piece, deadline)
        return await self._uploaded(piece)

    async def _linked(self, piece: Linked, deadline: float) -> Piece:
        found = await _at(f"{piece.pointer}/url", self._urls.fetch(piece.url, deadline=deadline))
        return Piece(
            found.content,
            piece.media_type or found.media_type,
            piece.name or found.name,
            piece.password,
            pointer=f"{piece.pointer}/url",
            beside=piece.pointer,
        )

    async def _uploaded(self, piece: Uploaded) -> Piece:
        file, content = await _at(f"{piece.pointer}/file_id", self._files.read(piece.id))
        return Piece(
            content,
            piece.media_type or file.media_type,
            piece.name or file.name,
            piece.password,
            pointer=f"{piece.pointer}/file_id",
            beside=piece.pointer,
        )


@contextmanager
def part_of(part: int, count: int) -> Iterator[None]:
    """What is refused inside is refused for one of several parts, counted from 1; of a single part nobody says that."""
    try:
        yield
    except WinnowError as error:
        if count > 1:
            error.detail = f"Part {part}: {error.detail}"
            error.errors = tuple(replace(fault, part=part) for fault in error.errors)
        raise


@contextmanager
def placed(piece: Piece) -> Iterator[None]:
    """What the loader refuses inside gets the places in the request in the stead of the loader's own."""
    try:
        yield
    except WinnowError as error:
        error.errors = tuple(_placed(fault, piece) for fault in error.errors)
        raise


def _placed(fault: Fault, piece: Piece) -> Fault:
    match fault.pointer:
        case "/pages":
            return replace(fault, pointer="/options/pages")
        case "/deadline":
            return replace(fault, pointer="/options/deadline_s")
        case "/password" if piece.beside is not None:
            return replace(fault, pointer=f"{piece.beside}/password")
        case "/password":
            return replace(fault, pointer=piece.pointer, detail=_LOCKED)
    return replace(fault, pointer=piece.pointer)


async def _at(pointer: str, work: Awaitable[Result]) -> Result:
    try:
        return await work
    except WinnowError as error:
        if not error.errors:
            error.errors = (Fault(pointer, error.hint or error.detail),)
        raise
