"""Parts of a document that do not come with the request become bytes."""

from collections.abc import Awaitable
from typing import TypeVar

from service.extraction.arguments import AnyPiece, Linked, Piece, Uploaded
from service.files import Fetcher, Files
from service.foundation.errors import Fault, WinnowError

Result = TypeVar("Result")


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
            found.content, piece.media_type or found.media_type, piece.name or found.name, piece.password
        )

    async def _uploaded(self, piece: Uploaded) -> Piece:
        file, content = await _at(f"{piece.pointer}/file_id", self._files.read(piece.id))
        return Piece(content, piece.media_type or file.media_type, piece.name or file.name, piece.password)


async def _at(pointer: str, work: Awaitable[Result]) -> Result:
    try:
        return await work
    except WinnowError as error:
        if not error.errors:
            error.errors = (Fault(pointer, error.hint or error.detail),)
        raise
