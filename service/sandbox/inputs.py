"""The `input` of a request: checks of items and parts, and what a reader gets to see of them."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from service.sandbox.errors import ProviderError, bad_type, bad_value, missing, unknown_parameter

__all__ = ["Prompt", "Turns", "check_input", "document_text", "file_text", "prompt_of"]

ROLES = ("assistant", "system", "developer", "user")
ITEM_TYPES = (
    "message", "function_call", "function_call_output", "reasoning", "item_reference",
    "custom_tool_call", "custom_tool_call_output", "compaction",
)  # fmt: skip
USER_PARTS = ("input_text", "input_image", "input_file")
ASSISTANT_PARTS = ("output_text", "refusal")
_MESSAGE_KEYS = frozenset({"type", "role", "content", "phase", "id", "status"})
_PART_KEYS: Mapping[str, frozenset[str]] = {
    "input_text": frozenset({"type", "text", "prompt_cache_breakpoint"}),
    "input_image": frozenset({"type", "image_url", "file_id", "detail", "prompt_cache_breakpoint"}),
    "input_file": frozenset(
        {"type", "file_id", "file_data", "filename", "file_url", "detail", "prompt_cache_breakpoint"}
    ),
    "output_text": frozenset({"type", "text", "annotations", "logprobs"}),
    "refusal": frozenset({"type", "refusal"}),
}
_IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"})
_DATA_URL = re.compile(r"data:([^;,\s]*)((?:;[^;,]*)*?)(;base64)?,", re.ASCII)
_OPEN = re.compile(r"^<document\b[^\n>]*>[ \t]*$", re.MULTILINE)
_CLOSE = re.compile(r"^</document>[ \t]*$", re.MULTILINE)


# ----------------------------------------------------------------------------------------- checks
def check_input(value: Any, path: str) -> None:
    """Raises `ProviderError` for the first item or part that the provider would refuse."""
    if isinstance(value, str):
        return
    if not isinstance(value, list):
        raise bad_type(path, "one of a string or array of input items", value)
    for index, item in enumerate(value):
        _item(item, f"{path}[{index}]")


def _item(item: Any, path: str) -> None:
    if not isinstance(item, dict):
        raise bad_type(path, "an object", item)
    kind = item.get("type", "message")
    if kind not in ITEM_TYPES:
        raise bad_value(path, kind, ITEM_TYPES)
    if kind != "message":
        return
    if "role" not in item:
        raise missing(f"{path}.role")
    if item["role"] not in ROLES:
        raise bad_value(path, item["role"], ROLES)
    if item.get("content") is None:
        raise missing(f"{path}.content")
    for name in item:
        if name not in _MESSAGE_KEYS:
            raise unknown_parameter(f"{path}.{name}")
    content = item["content"]
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise bad_type(f"{path}.content", "one of an array of objects or string", content)
    supported = ASSISTANT_PARTS if item["role"] == "assistant" else USER_PARTS
    for index, part in enumerate(content):
        _part(part, f"{path}.content[{index}]", supported)


def _part(part: Any, path: str, supported: tuple[str, ...]) -> None:
    if not isinstance(part, dict):
        raise bad_type(path, "an object", part)
    if "type" not in part:
        raise missing(f"{path}.type")
    kind = part["type"]
    if kind not in supported:
        raise bad_value(path, kind, supported)
    for name in part:
        if name not in _PART_KEYS[kind]:
            raise unknown_parameter(f"{path}.{name}")
    _PART_CHECKS[kind](part, path)


def _text_part(part: Mapping[str, Any], path: str) -> None:
    if "text" not in part:
        raise missing(f"{path}.text")
    if not isinstance(part["text"], str):
        raise bad_type(f"{path}.text", "a string", part["text"])


def _refusal_part(part: Mapping[str, Any], path: str) -> None:
    if "refusal" not in part:
        raise missing(f"{path}.refusal")


def _image_part(part: Mapping[str, Any], path: str) -> None:
    detail = part.get("detail")
    if detail is not None and detail not in ("low", "high", "auto", "original"):
        raise bad_value(f"{path}.detail", detail, ("low", "high", "auto", "original"))
    url = part.get("image_url")
    if url is None:
        if part.get("file_id") is None:
            raise missing(f"{path}.image_url")
        return
    if not isinstance(url, str):
        raise bad_type(f"{path}.image_url", "a string", url)
    if url.startswith("data:"):
        decode_image(url, f"{path}.image_url")
    elif not url.startswith(("https://", "http://")):
        raise _bad_image_url(f"{path}.image_url", "a value without a scheme")


def _bad_image_url(path: str, got: str) -> ProviderError:
    return ProviderError(
        400,
        f"Invalid '{path}'. Expected a base64-encoded data URL with an image MIME type "
        f"(e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got {got}.",
        param=path,
        code="invalid_value",
    )


def decode_image(url: str, path: str) -> bytes:
    """The bytes of an image data URL. Raises `ProviderError` in the words of section 4.2."""
    match = _DATA_URL.match(url, 0, 200)
    media_type = match[1].lower() if match else ""
    if match is None or media_type not in _IMAGE_TYPES:
        raise _bad_image_url(path, f"unsupported MIME type '{media_type[:80]}'")
    data = _base64(url, match.end()) if match[3] else None
    if data is None:
        raise _bad_image_url(path, "an invalid base64-encoded value")
    return data


def _base64(url: str, start: int) -> bytes | None:
    try:
        data = base64.b64decode(url[start:], validate=True)
    except (binascii.Error, ValueError):
        return None
    return data or None


def _file_part(part: Mapping[str, Any], path: str) -> None:
    sent = [name for name in ("file_id", "file_data", "file_url") if part.get(name) is not None]
    if not sent:
        raise missing(f"{path}.file_id")
    if len(sent) > 1:
        raise ProviderError(
            400,
            "Mutually exclusive parameters: ''. Ensure you are only providing one of: "
            "'file_id', 'file_data' or 'file_url'.",
            param=path,
            code="mutually_exclusive_parameters",
        )
    value = part[sent[0]]
    if not isinstance(value, str):
        raise bad_type(f"{path}.{sent[0]}", "a string", value)
    if sent[0] == "file_data":
        if part.get("filename") is None:
            raise missing(f"{path}.filename")
        decode_file(value, f"{path}.file_data")


def decode_file(url: str, path: str) -> tuple[str, bytes]:
    """Media type and bytes of a file data URL. Raises `ProviderError` in the words of section 4.1."""
    match = _DATA_URL.match(url, 0, 400)
    data = _base64(url, match.end()) if match and match[3] else None
    if match is None or data is None:
        raise ProviderError(
            400,
            f"Invalid file data: '{path}'. Expected a base64-encoded data URL with an application/pdf MIME type "
            "(e.g. 'data:application/pdf;base64,SGVsbG8sIFdvcmxkIQ=='), but got an invalid base64-encoded value.",
            param=path,
            code="invalid_value",
        )
    return match[1].lower(), data


_PART_CHECKS = {
    "input_text": _text_part,
    "input_image": _image_part,
    "input_file": _file_part,
    "output_text": _text_part,
    "refusal": _refusal_part,
}


# ----------------------------------------------------------------------------------------- prompt
def file_text(media_type: str, name: str, content: bytes) -> str:
    """The text of an uploaded or inlined file, as far as it is text; nothing is read from other formats."""
    readable = media_type.startswith("text/") or media_type in ("application/json", "application/xml")
    if readable or name.lower().endswith((".txt", ".md", ".csv", ".tsv", ".json", ".xml", ".html", ".eml")):
        return content[:2_000_000].decode("utf-8", "replace")
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a checked request says: `billed` text in cache order, the document to read, images, files."""

    messages: int
    billed: tuple[str, ...]
    document: str
    images: tuple[tuple[bytes | None, str], ...]
    """Bytes (None when the image is only referred to) and detail of each image: what is billed."""
    seen: tuple[bytes, ...]
    """The images that belong to the document."""
    files: tuple[tuple[str, str, bytes], ...]
    """Name, media type and bytes of each file sent inline."""
    file_ids: tuple[tuple[str, str], ...]
    """Id and path of each file or image referred to by id."""


def prompt_of(body: Mapping[str, Any]) -> Prompt:
    """Reads a body that `check_body` has accepted."""
    billed: list[str] = []
    images: list[tuple[bytes | None, str]] = []
    files: list[tuple[str, str, bytes]] = []
    file_ids: list[tuple[str, str]] = []
    messages = 0
    turns = Turns()
    for role, parts, path in _messages(body.get("input")):
        messages += 1
        texts: list[str] = []
        pictures: list[tuple[bytes | None, str]] = []
        attached = len(files) + len(file_ids)
        for index, part in enumerate(parts):
            where = f"{path}.content[{index}]"
            if isinstance(part.get("text"), str):
                texts.append(part["text"])
            elif isinstance(part.get("refusal"), str):
                texts.append(part["refusal"])
            elif part.get("file_id") is not None:
                file_ids.append((part["file_id"], where))
            elif part.get("type") == "input_image":
                url = part["image_url"]
                data = decode_image(url, f"{where}.image_url") if url.startswith("data:") else None
                pictures.append((data, part.get("detail") or "auto"))
            elif part.get("file_data") is not None:
                media_type, content = decode_file(part["file_data"], f"{where}.file_data")
                files.append((part.get("filename") or "", media_type, content))
        billed.extend(texts)
        images.extend(pictures)
        turns.add(role, texts, pictures, files=len(files) + len(file_ids) > attached)
    document, seen = turns.document()
    return Prompt(
        messages=messages + (1 if body.get("instructions") else 0),
        billed=tuple(billed),
        document=document,
        images=tuple(images),
        seen=seen,
        files=tuple(files),
        file_ids=tuple(file_ids),
    )


class Turns:
    """What the user said, turn by turn: an answer of the assistant ends one.

    What to read is the last turn where it brings a document of its own, as behind worked examples. Where it only comes
    back to an earlier one ("the total is missing, try again"), that one is read too. A turn brings a document with
    marks, a picture or a file, or with half as much text as any turn before it.
    """

    def __init__(self) -> None:
        self._turns: list[_Turn] = [_Turn()]

    def add(
        self, role: str, texts: list[str], pictures: list[tuple[bytes | None, str]], *, files: bool = False
    ) -> None:
        """One message."""
        turn = self._turns[-1]
        if role == "assistant":
            if turn.texts or turn.pictures or turn.files:
                self._turns.append(_Turn())
        elif role == "user":
            turn.texts += texts
            turn.pictures += [data for data, _ in pictures if data is not None]
            turn.files |= files

    def document(self) -> tuple[str, tuple[bytes, ...]]:
        """The text to read and the pictures that go with it."""
        turns = [turn for turn in self._turns if turn.texts or turn.pictures or turn.files]
        if not turns:
            return "", ()
        *before, last = turns
        longest = max((turn.size for turn in before), default=0)
        if last.pictures or last.files or last.marked or last.size * 2 >= longest:
            turns = [last]
        texts = [text for turn in turns for text in turn.texts]
        return document_text(texts), tuple(data for turn in turns for data in turn.pictures)


@dataclass(slots=True)
class _Turn:
    texts: list[str] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)
    files: bool = False

    @property
    def size(self) -> int:
        return sum(map(len, self.texts))

    @property
    def marked(self) -> bool:
        return any(_OPEN.search(text) for text in self.texts)


def _messages(value: Any) -> Iterator[tuple[str, list[Mapping[str, Any]], str]]:
    if isinstance(value, str):
        yield "user", [{"type": "input_text", "text": value}], "input[0]"
        return
    for index, item in enumerate(value or ()):
        if item.get("type", "message") == "message":
            content = item["content"]
            parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
            yield item["role"], parts, f"input[{index}]"
        elif isinstance(item.get("output"), str):
            yield "tool", [{"type": "input_text", "text": item["output"]}], f"input[{index}]"


def document_text(parts: list[str]) -> str:
    """The text to read: what stands between `<document ...>` and `</document>` lines, else everything."""
    text = "\n".join(parts)
    blocks: list[str] = []
    position = 0
    while (opening := _OPEN.search(text, position)) is not None:
        closing = _CLOSE.search(text, opening.end())
        end = closing.start() if closing else len(text)
        blocks.append(text[opening.end() + 1 : end])
        position = closing.end() if closing else len(text)
    return "\n".join(blocks) if blocks else text
