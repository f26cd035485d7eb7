"""``multipart/form-data``, part by part, with large parts in the spool instead of in memory."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from service.foundation.content import Content
from service.foundation.errors import BadRequest, Fault, PayloadTooLarge
from service.foundation.spool import Filling, Spool

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks


@dataclass(frozen=True, slots=True)
class Part:
    """One part. ``filename`` is None for a plain field; ``media_type`` where the part names none."""

    name: str
    filename: str | None = field(repr=False)
    media_type: str | None
    content: Content = field(repr=False)

    @property
    def is_file(self) -> bool:
        """Whether it came as a file, with or without bytes."""
        return self.filename is not None


async def read_form(
    content_type: str, chunks: AsyncIterator[bytes], spool: Spool, *, most: int, field_bytes: int
) -> list[Part]:
    """The parts of a body, in order: at most ``most`` of them; fields that are no files have ``field_bytes`` at most.

    Raises ``BadRequest`` for what is no form, ``PayloadTooLarge``, ``SpoolUnavailable``.
    """
    _, parameters = parse_options_header(content_type)
    boundary = parameters.get(b"boundary")
    if not boundary:
        raise _broken("its `Content-Type` names no boundary")
    form = _Form(spool, most, field_bytes)
    try:
        parser = MultipartParser(boundary, cast("MultipartCallbacks", form.callbacks()))
        async for chunk in chunks:
            parser.write(chunk)
            await form.settle()
        parser.finalize()
    except FormParserError:
        raise _broken("its parts cannot be told apart") from None
    if not form.ended:
        raise _broken("its last boundary is missing")
    return form.parts


@dataclass(slots=True)
class _Head:
    """What stands before the bytes of a part."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: str = ""
    filename: str | None = None


class _Form:
    """What the parser's calls add up to. They only note; ``settle`` then does what may have to wait for a disk."""

    def __init__(self, spool: Spool, most: int, field_bytes: int) -> None:
        self.parts: list[Part] = []
        self.ended = False
        self._spool = spool
        self._most = most
        self._field_bytes = field_bytes
        self._head = _Head()
        self._header_name = self._header_value = b""
        self._begun = 0
        self._field_held = 0
        self._notes: list[_Head | bytes | None] = []
        self._current: tuple[_Head, Filling] | None = None

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._part_begins,
            "on_header_field": self._header_field,
            "on_header_value": self._value,
            "on_header_end": self._header_ends,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_part_end": lambda: self._notes.append(None),
            "on_end": self._end,
        }

    async def settle(self) -> None:
        """Bring what was noted into the parts."""
        notes, self._notes = self._notes, []
        for note in notes:
            if isinstance(note, _Head):
                self._current = note, self._spool.filling()
                continue
            assert self._current is not None  # noqa: S101 - the parser begins a part before it goes on with it
            head, filling = self._current
            if note is not None:
                await filling.add(note)
                continue
            media_type = head.headers.get(b"content-type")
            content = await filling.finish()
            said = None if media_type is None else _decoded(media_type)
            self.parts.append(Part(head.name, head.filename, said, content))

    def _part_begins(self) -> None:
        self._begun += 1
        if self._begun > self._most:
            raise BadRequest(
                f"The form has more than {self._most} parts.",
                errors=[Fault("", f"Send at most {self._most} parts in one form.")],
            )
        self._head = _Head()
        self._field_held = 0

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _header_ends(self) -> None:
        self._head.headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._head.headers.get(b"content-disposition"))
        if b"name" not in options:
            raise _broken("a part has no name")
        self._head.name = _decoded(options[b"name"])
        if b"filename" in options:
            self._head.filename = _decoded(options[b"filename"])
        self._notes.append(self._head)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._head.filename is None:
            self._field_held += end - start
            if self._field_held > self._field_bytes:
                raise PayloadTooLarge(
                    f"A field of the form is larger than {self._field_bytes:,} bytes.",
                    errors=[Fault(f"/{self._head.name[:100]}", "Send it as a file, with a `filename`.")],
                )
        self._notes.append(data[start:end])

    def _end(self) -> None:
        self.ended = True


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _broken(why: str) -> BadRequest:
    return BadRequest(
        f"The multipart body cannot be read: {why}.",
        errors=[Fault("", "Let an HTTP library write the form, or curl with `-F file=@…`.")],
    )
