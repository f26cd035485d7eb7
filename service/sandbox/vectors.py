"""`/v1/embeddings` and `/v1/moderations`: answers that depend on nothing but the text."""

import base64
import hashlib
import math
import secrets
import struct
from collections.abc import Mapping
from typing import Any

from service.sandbox import tokens
from service.sandbox.errors import ProviderError, bad_type, bad_value, below_minimum, missing

__all__ = ["embeddings", "moderations"]

_DIMENSIONS = {"text-embedding-3-small": 1_536, "text-embedding-3-large": 3_072}
_MODERATORS = ("omni-moderation-latest", "omni-moderation-2024-09-26")
_CATEGORIES = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
    "self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip
_FLAGGED = {
    "violence": frozenset({"kill", "murder", "töten", "stab"}),
    "harassment": frozenset({"idiot", "moron"}),
    "hate": frozenset({"subhuman"}),
    "self-harm": frozenset({"suicide", "suizid"}),
    "illicit": frozenset({"bomb", "counterfeit"}),
}
_MAX_INPUTS = 2_048
_MAX_TOKENS = 8_192


def embeddings(raw: object) -> dict[str, Any]:
    """Unit vectors drawn from a hash of each text: equal texts agree, others are nearly orthogonal."""
    body = _object(raw)
    model = body.get("model")
    if not isinstance(model, str):
        raise missing("model")
    if model not in _DIMENSIONS:
        message = f"The model `{model[:200]}` does not exist or you do not have access to it."
        raise ProviderError(404, message, code="model_not_found")
    texts = _inputs(body.get("input"))
    size = body.get("dimensions", _DIMENSIONS[model])
    if isinstance(size, bool) or not isinstance(size, int):
        raise bad_type("dimensions", "an integer", size)
    if not 1 <= size <= _DIMENSIONS[model]:
        raise below_minimum("dimensions", size, 1)
    encoding = body.get("encoding_format", "float")
    if encoding not in ("float", "base64"):
        raise bad_value("encoding_format", encoding, ("float", "base64"))
    count = sum(tokens.count(text) for text in texts)
    rows = []
    for index, text in enumerate(texts):
        vector = _vector(text, size)
        shown: Any = vector
        if encoding == "base64":
            shown = base64.b64encode(struct.pack(f"<{size}f", *vector)).decode()
        rows.append({"object": "embedding", "index": index, "embedding": shown})
    return {
        "object": "list",
        "data": rows,
        "model": model,
        "usage": {"prompt_tokens": count, "total_tokens": count},
    }


def _inputs(value: Any) -> list[str]:
    if isinstance(value, str):
        value = [value]
    if value is None:
        raise missing("input")
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise bad_type("input", "one of a string or array of strings", value)
    if not 1 <= len(value) <= _MAX_INPUTS or not all(value):
        raise ProviderError(400, "'$.input' is invalid: it must hold 1 to 2048 texts, none of them empty.")
    if any(len(text) > 4 * _MAX_TOKENS and tokens.count(text) > _MAX_TOKENS for text in value):
        raise ProviderError(
            400, f"This model's maximum context length is {_MAX_TOKENS} tokens. Please reduce your prompt."
        )
    return value


def _vector(text: str, size: int) -> list[float]:
    drawn = hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(size * 2)
    values = [number - 32_767.5 for (number,) in struct.iter_unpack("<H", drawn)]
    length = math.sqrt(sum(value * value for value in values))
    return [value / length for value in values]


def moderations(raw: object) -> dict[str, Any]:
    """Flags a text by a short list of plain words: enough to test both ways through a gate."""
    body = _object(raw)
    value = body.get("input")
    if value is None:
        raise missing("input")
    model = body.get("model", _MODERATORS[0])
    if model not in _MODERATORS:
        raise bad_value("model", model, _MODERATORS)
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list):
        raise bad_type("input", "one of a string or array of strings", value)
    return {
        "id": f"modr-{secrets.token_hex(12)}",
        "model": _MODERATORS[1],
        "results": [_judged(_text_of(item)) for item in texts],
    }


def _text_of(item: Any) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, dict):
        return str(item.get("text") or "")
    raise bad_type("input", "one of a string or array of strings", item)


def _judged(text: str) -> dict[str, Any]:
    words = set(text.lower().split())
    categories = {name: bool(words & _FLAGGED.get(name, frozenset())) for name in _CATEGORIES}
    return {
        "flagged": any(categories.values()),
        "categories": categories,
        "category_scores": {name: 0.97 if hit else 0.0001 for name, hit in categories.items()},
        "category_applied_input_types": {name: ["text"] for name in _CATEGORIES},
    }


def _object(raw: object) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise ProviderError(
            400, "We could not parse the JSON body of your request: it must be a JSON object."
        )
    return raw
