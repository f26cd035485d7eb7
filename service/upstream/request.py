"""A ``Call`` as the bytes of ``POST /responses``. Pure.

The body is spliced together: the schema comes as JSON text that was made once per schema version, an image is never
turned into a Python string. What differs between models comes from the catalogue.
"""

from base64 import b64encode
from typing import assert_never

import orjson

from service.catalogue import Model
from service.foundation import jsontext
from service.upstream.call import Call, FilePart, ImagePart, Part, ResponseFormat, TextPart


def encode_count(call: Call, model: Model) -> bytes:
    """The body of ``POST /responses/input_tokens``: what of a request is input."""
    pieces = _input(call, model)
    if model.reasoning is not None:
        pieces += (b',"reasoning":{"effort":', json_string(model.reasoning), b"}")
    pieces.append(b"}")
    return b"".join(pieces)


def encode(call: Call, model: Model, *, stream: bool = False) -> bytes:
    """The request body.

    Sent: model, instructions, one user message, the strict format, ``store: false``, temperature 0 where the model
    has one, reasoning effort where it reasons, log-probabilities where the call wants and the model gives them. A model without ``json_schema`` is given the schema as the parameters
    of a strict function that it must call.
    """
    pieces = _input(call, model)
    pieces.append(b',"max_output_tokens":%d,"store":false' % model.output_budget(call.max_output_tokens))
    if "temperature" in model.can:
        pieces.append(b',"temperature":0')
    if model.reasoning is not None:
        pieces += (b',"reasoning":{"effort":', json_string(model.reasoning), b"}")
    if call.cache_key is not None:
        pieces += (b',"prompt_cache_key":', json_string(call.cache_key))
    if call.logprobs and "logprobs" in model.can and "json_schema" in model.can:
        pieces.append(b',"include":["message.output_text.logprobs"]')
    if stream:
        pieces.append(b',"stream":true,"stream_options":{"include_obfuscation":false}')
    pieces.append(b"}")
    return b"".join(pieces)


def _input(call: Call, model: Model) -> list[bytes]:
    pieces = [b'{"model":', json_string(call.model), b',"instructions":', json_string(call.instructions)]
    pieces.append(b',"input":[{"role":"user","content":[')
    for index, part in enumerate(call.parts):
        if index:
            pieces.append(b",")
        pieces += _part(part, model)
    pieces.append(b"]}]")
    if "json_schema" in model.can:
        pieces += (b',"text":{"format":', call.format.rendered, b"}")
    else:
        pieces.append(_function(call.format))
    return pieces


def _part(part: Part, model: Model) -> tuple[bytes, ...]:
    match part:
        case TextPart():
            return b'{"type":"input_text","text":', json_string(part.text), b"}"
        case ImagePart():
            detail = model.image_detail(part.detail).encode()
            return (
                b'{"type":"input_image","image_url":',
                *data_url(part),
                b',"detail":"%b"}' % detail,
            )
        case FilePart():
            # What auto means changed between models; unless it was asked for, the part does not name it.
            detail = b"" if part.detail == "auto" else b',"detail":"%b"' % part.detail.encode()
            return (
                b'{"type":"input_file","filename":',
                json_string(part.name),
                b',"file_data":',
                *data_url(part),
                detail,
                b"}",
            )
    assert_never(part)


def data_url(part: ImagePart | FilePart) -> tuple[bytes, ...]:
    """The bytes as a JSON string that holds a data URL, in pieces."""
    return b'"data:', json_string(part.media_type)[1:-1], b";base64,", b64encode(part.data), b'"'


def _function(format: ResponseFormat) -> bytes:
    """The schema as a strict function, for models that know nothing else that is strict."""
    tool = {"type": "function", "name": format.name, "parameters": dict(format.schema), "strict": True}
    choice = {"type": "function", "name": format.name}
    return b',"tools":[%b],"tool_choice":%b,"parallel_tool_calls":false' % (
        jsontext.render(tool),
        jsontext.render(choice),
    )


def json_string(text: str) -> bytes:
    """A text as JSON. A lone surrogate, which no UTF-8 can hold, becomes U+FFFD."""
    try:
        return orjson.dumps(text)
    except TypeError:
        return orjson.dumps(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
