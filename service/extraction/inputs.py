"""Parts of a document that do not come with the request become bytes."""

from collections.abc import Awaitable
from typing import TypeVar

from service.extraction.arguments import AnyPiece, Piece, Uploaded
from service.files import Files
from service.foundation.errors import Fault, WinnowError

Result = TypeVar("Result")


class Inputs:
    """Where the bytes come from that a request only names."""

    def __init__(self, files: Files) -> None:
        self._files = files

    async def bring(self, piece: AnyPiece) -> Piece:
        """The bytes of a part, at once where they came with the request.

        Raises the errors of ``service.files``, with the place in the request.
        """
        if isinstance(piece, Piece):
            return piece
        return await self._uploaded(piece)

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
