"""From HTTP to arguments: the three forms of a request become the same plain values.

Raw body (options in the query), ``multipart/form-data`` (parts ``file``…, ``options``, ``metadata``, ``schema``) and
the JSON envelope. Nothing is ignored silently: an unknown member, option or part is a 400 that names it.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from service.extraction.arguments import AnyPiece, Linked, Piece, Uploaded
from service.extraction.errors import UnservedOption
from service.extraction.wire import NOT_SERVED, Envelope, Input, Options
from service.foundation import jsontext
from service.foundation.content import Content
from service.foundation.errors import BadRequest, Fault
from service.foundation.spool import Spool

_SCHEMA_ABSENT = object()
_Body = TypeVar("_Body", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A request's content. ``schema`` is what stood under that name, unchecked; see ``has_schema``."""

    pieces: Sequence[AnyPiece]
    options: Options
    metadata: Mapping[str, str] = field(default_factory=dict)
    schema: Any = _SCHEMA_ABSENT

    @property
    def has_schema(self) -> bool:
        """Whether the request brought a schema of its own."""
        return self.schema is not _SCHEMA_ABSENT


@dataclass(frozen=True, slots=True)
class Form:
    """The parts of a multipart body."""

    files: Sequence[Piece]
    fields: Mapping[str, bytes]


def from_json(data: Content, query: Mapping[str, str], spool: Spool) -> Parsed:
    """The JSON envelope; documents in it that are large go to the spool. Blocks on the disk where they are.

    Raises ``BadRequest`` with a pointer for everything that is wrong, and ``SpoolUnavailable``.
    """
    value = _json(data if isinstance(data, bytes) else data.read(), "")
    if not isinstance(value, dict):
        raise BadRequest(
            "The body is not a JSON object.", errors=[Fault("", 'Send {"input": {"text": "…"}}.')]
        )
    schema = value.pop("schema", _SCHEMA_ABSENT)
    value["options"] = _merge(value.get("options", {}), query)
    envelope = _validated(Envelope, value, "")
    inputs = envelope.inputs
    if (envelope.input is None) == (inputs is None):
        raise BadRequest(
            "Exactly one of `input` and `inputs` is needed.",
            errors=[Fault("", 'Send {"input": {"text": "…"}}.')],
        )
    if inputs is None:
        assert envelope.input is not None  # noqa: S101 - narrows the type: just checked
        pieces = [_piece(envelope.input, "/input", spool)]
    else:
        pieces = [_piece(item, f"/inputs/{index}", spool) for index, item in enumerate(inputs)]
    return Parsed(pieces, envelope.options, envelope.metadata, schema)


def from_raw(data: Content, media_type: str | None, query: Mapping[str, str]) -> Parsed:
    """The file itself; options stand in the query."""
    return Parsed([Piece(data, media_type)], _options({}, query, ""))


def from_form(form: Form, query: Mapping[str, str]) -> Parsed:
    """The parts of a multipart body."""
    unknown = set(form.fields) - {"options", "metadata", "schema", "text"}
    if unknown:
        raise BadRequest(
            "The form has parts that mean nothing here.",
            errors=[
                Fault(_pointer([name]), "Known parts: file, text, options, metadata, schema.")
                for name in sorted(unknown)
            ],
        )
    several = len(form.files) > 1
    pieces = [
        replace(file, pointer=f"/file/{at}" if several else "/file") for at, file in enumerate(form.files)
    ]
    if "text" in form.fields:
        pieces.append(Piece(form.fields["text"], "text/plain; charset=utf-8", pointer="/text"))
    if not pieces:
        raise BadRequest(
            "The form has no document.", errors=[Fault("/file", "Add a part named `file` with the document.")]
        )
    options = _json(form.fields["options"], "/options") if "options" in form.fields else {}
    metadata = _json(form.fields["metadata"], "/metadata") if "metadata" in form.fields else {}
    schema = _json(form.fields["schema"], "/schema") if "schema" in form.fields else _SCHEMA_ABSENT
    checked = _validated(Envelope, {"options": _merge(options, query), "metadata": metadata}, "")
    return Parsed(pieces, checked.options, checked.metadata, schema)


# ----------------------------------------------------------------------------------------------------------- options

_FROM_TEXT: Mapping[str, Callable[[str], Any]] = {
    "deadline_s": float,
    "max_attempts": int,
    "store": lambda text: {"true": True, "1": True, "false": False, "0": False}[text.lower()],
    "allow_partial": lambda text: {"true": True, "1": True, "false": False, "0": False}[text.lower()],
    "cache": lambda text: {"true": True, "1": True, "false": False, "0": False}[text.lower()],
}


def _options(given: Any, query: Mapping[str, str], pointer: str) -> Options:
    return _validated(Options, _merge(given, query), f"{pointer}/options")


def _merge(given: Any, query: Mapping[str, str]) -> Any:
    """Options of body and query together, without those that change nothing.

    Raises ``UnservedOption`` for what is not served, ``BadRequest`` for an option given twice.
    """
    if given is None:
        given = {}
    if not isinstance(given, dict):
        return given  # Options says what is wrong with it
    twice = sorted(set(given) & set(query))
    if twice:
        raise BadRequest(
            "An option stands both in the body and in the query.",
            errors=[Fault(f"/options/{name}", "Give it once.") for name in twice],
        )
    options = {**given, **{name: _from_query(name, text) for name, text in query.items()}}
    faults = []
    for name in list(options):
        if name in NOT_SERVED:
            harmless, advice = NOT_SERVED[name]
            if options.pop(name) not in (harmless, None):
                faults.append(Fault(f"/options/{name}", advice))
        elif name not in Options.model_fields:
            faults.append(
                Fault(
                    _pointer(["options", name]), f"Unknown option. Known: {', '.join(Options.model_fields)}."
                )
            )
    if faults:
        names = ", ".join(fault.pointer.removeprefix("/options/") for fault in faults)
        raise UnservedOption(f"Not served: {names}.", errors=faults)
    return options


def _from_query(name: str, text: str) -> Any:
    try:
        return _FROM_TEXT[name](text) if name in _FROM_TEXT else text
    except (ValueError, KeyError):
        return text  # the model's own message names the type it wants


# ------------------------------------------------------------------------------------------------------------ inputs

_SOURCES = ("text", "base64", "file_id", "url")


def _piece(given: Input, pointer: str, spool: Spool) -> AnyPiece:
    if sum(getattr(given, source) is not None for source in _SOURCES) != 1:
        names = ", ".join(f"`{source}`" for source in _SOURCES)
        raise BadRequest(
            f"An input is one of {names}.",
            errors=[Fault(pointer, f"Send exactly one of {names}.")],
        )
    if given.text is not None:
        text = spool.put(given.text.encode())
        media_type = given.media_type or "text/plain; charset=utf-8"
        return Piece(text, media_type, given.name, given.password, pointer=f"{pointer}/text", beside=pointer)
    if given.file_id is not None:
        return Uploaded(given.file_id, pointer, given.media_type, given.name, given.password)
    if given.url is not None:
        return Linked(given.url, pointer, given.media_type, given.name, given.password)
    assert given.base64 is not None  # noqa: S101 - narrows the type: just counted
    data = spool.put(_decoded(given.base64, pointer))
    return Piece(
        data, given.media_type, given.name, given.password, pointer=f"{pointer}/base64", beside=pointer
    )


def _decoded(text: str, pointer: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest(
            "`base64` is not valid base 64.",
            errors=[
                Fault(
                    f"{pointer}/base64",
                    "Use the standard alphabet with padding, without line breaks or a data: prefix.",
                )
            ],
        ) from None


# --------------------------------------------------------------------------------------------------------- validation


def _json(data: bytes, pointer: str) -> Any:
    try:
        return jsontext.parse(data)
    except jsontext.MalformedJson as error:
        raise BadRequest("The JSON cannot be read.", errors=[Fault(pointer, f"{error}.")]) from None


def _validated(model: type[_Body], value: Any, pointer: str) -> _Body:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = [
            _fault(pointer, item["loc"], item["type"], item["msg"])
            for item in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        raise BadRequest(
            "The request does not have the form that is described in `/docs`.", errors=faults[:20]
        ) from None


def _fault(base: str, location: tuple[object, ...], kind: str, message: str) -> Fault:
    pointer = base + _pointer(location)
    if kind == "extra_forbidden":
        return Fault(pointer, "Unknown member.")
    return Fault(pointer, f"{message.removeprefix('Value error, ')}.")


def _pointer(steps: Iterable[object]) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1")[:100] for step in steps)
