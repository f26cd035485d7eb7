"""The other face of the provider: ``/chat/completions``, for servers that do not know ``/responses``. Pure."""

from collections.abc import Mapping
from typing import Any

from service.catalogue import Model
from service.foundation import jsontext
from service.upstream.call import (
    Call,
    Failed,
    FilePart,
    Filtered,
    ImagePart,
    Outcome,
    Refused,
    Text,
    TextPart,
    Truncated,
    Usage,
)
from service.upstream.reading import (
    NO_USAGE,
    Understood,
    failure_of,
    listed,
    mapping,
    string,
    token_chances,
    tokens,
)
from service.upstream.request import data_url, json_string


def encode(call: Call, model: Model, *, stream: bool = False) -> bytes:
    """The request body. A model without ``json_schema`` is shown the schema and held to a JSON object."""
    instructions = call.instructions
    if "json_schema" not in model.can:
        schema = jsontext.render(dict(call.format.schema)).decode()
        instructions += f"\n\nAnswer with one JSON object that is valid against this JSON Schema:\n{schema}"
    pieces = [b'{"model":', json_string(call.model), b',"messages":[{"role":"system","content":']
    pieces += (json_string(instructions), b'},{"role":"user","content":[')
    for index, part in enumerate(call.parts):
        if index:
            pieces.append(b",")
        match part:
            case TextPart():
                pieces += (b'{"type":"text","text":', json_string(part.text), b"}")
            case ImagePart():
                detail = model.image_detail(part.detail).encode()
                pieces += (b'{"type":"image_url","image_url":{"url":', *data_url(part))
                pieces.append(b',"detail":"%b"}}' % detail)
            case FilePart():
                pieces += (b'{"type":"file","file":{"filename":', json_string(part.name))
                pieces += (b',"file_data":', *data_url(part), b"}}")
    pieces.append(b"]}]")
    pieces += (b',"response_format":', _format(call, model))
    # The older name of the budget is the one that every compatible server knows.
    budget = b"max_tokens" if model.reasoning is None else b"max_completion_tokens"
    pieces.append(b',"%b":%d' % (budget, model.output_budget(call.max_output_tokens)))
    if "temperature" in model.can:
        pieces.append(b',"temperature":0')
    if model.reasoning is not None:
        pieces += (b',"reasoning_effort":', json_string(model.reasoning))
    if call.logprobs and "logprobs" in model.can:
        pieces.append(b',"logprobs":true')
    if stream:
        pieces.append(b',"stream":true,"stream_options":{"include_usage":true}')
    pieces.append(b"}")
    return b"".join(pieces)


def understand(value: Mapping[str, Any], http_status: int) -> Understood:
    """What a chat completion says."""
    if isinstance(value.get("error"), dict):
        return failure_of(value["error"], http_status=http_status), NO_USAGE, None
    choice = _first(value)
    message = mapping(choice.get("message"))
    outcome = _outcome(
        string(message.get("content")) or "",
        string(message.get("refusal")) or None,
        choice.get("finish_reason"),
        http_status,
        token_chances(listed(mapping(choice.get("logprobs")).get("content"))),
    )
    return outcome, usage_of(value), string(value.get("model"))


def usage_of(value: Mapping[str, Any]) -> Usage:
    """The billed tokens; zeros where there are none."""
    usage = mapping(value.get("usage"))
    return Usage(
        input_tokens=tokens(usage.get("prompt_tokens")),
        cached_tokens=tokens(mapping(usage.get("prompt_tokens_details")).get("cached_tokens")),
        output_tokens=tokens(usage.get("completion_tokens")),
        reasoning_tokens=tokens(mapping(usage.get("completion_tokens_details")).get("reasoning_tokens")),
    )


class ChatReader:
    """The chunks of a streamed chat completion; the usage comes after the last choice, then ``[DONE]``."""

    def __init__(self) -> None:
        self.done = False
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._chances: list[Any] = []
        self._finish: object = None
        self._usage = NO_USAGE
        self._model: str | None = None
        self._failed: Failed | None = None

    def hear(self, event: Mapping[str, Any]) -> str:
        """Take a chunk in; the text it adds to the answer."""
        if event.get("type") == "[DONE]":
            self.done = True
            return ""
        if "error" in event:
            error = event["error"]
            self._failed = failure_of(
                error if isinstance(error, dict) else {"message": string(error)}, http_status=200
            )
            self.done = True
            return ""
        self._model = string(event.get("model")) or self._model
        if event.get("usage") is not None:
            self._usage = usage_of(event)
        choice = _first(event)
        self._finish = choice.get("finish_reason") or self._finish
        self._chances += listed(mapping(choice.get("logprobs")).get("content"))
        delta = mapping(choice.get("delta"))
        refusal = string(delta.get("refusal"))
        if refusal:
            self._refusal.append(refusal)
        text = string(delta.get("content")) or ""
        if text:
            self._text.append(text)
        return text

    def end(self) -> Understood:
        """What the stream amounts to. One that ended after its finish reason is whole, ``[DONE]`` or not."""
        if self._failed is not None:
            return self._failed, self._usage, self._model
        if self._finish is None:
            failed = Failed("connection", "the stream ended before its last chunk")
            return failed, self._usage, self._model
        refusal = "".join(self._refusal) if self._refusal else None
        outcome = _outcome("".join(self._text), refusal, self._finish, 200, token_chances(self._chances))
        return outcome, self._usage, self._model


def _format(call: Call, model: Model) -> bytes:
    if "json_schema" not in model.can:
        return b'{"type":"json_object"}'
    schema = {"name": call.format.name, "strict": True, "schema": dict(call.format.schema)}
    return jsontext.render({"type": "json_schema", "json_schema": schema})


def _first(value: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = value.get("choices")
    return mapping(choices[0]) if isinstance(choices, list) and choices else {}


def _outcome(
    text: str,
    refusal: str | None,
    finish: object,
    http_status: int,
    chances: tuple[tuple[bytes, float], ...] = (),
) -> Outcome:
    if refusal is not None:
        return Refused(refusal)
    if finish == "length":
        return Truncated(text)
    if finish == "content_filter":
        return Filtered()
    if not text:
        return Failed("protocol", "the completion holds no answer", http_status=http_status)
    return Text(text, chances)
