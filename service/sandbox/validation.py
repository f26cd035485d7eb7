"""Checks a `/v1/responses` body in the provider's order and words (contract section 1.6)."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from service.sandbox.errors import (
    ProviderError,
    above_maximum,
    bad_type,
    bad_value,
    below_minimum,
    missing,
    too_long,
    unknown_parameter,
)
from service.sandbox.inputs import check_input

__all__ = [
    "CHAT_FIELDS",
    "CHAT_KNOWN",
    "FORMAT_NAME",
    "check_body",
    "check_metadata",
    "check_schema_format",
    "suggestion",
]

Body = Mapping[str, Any]
Check = Callable[[Any, str], None]

FORMAT_NAME = "^[a-zA-Z0-9_-]+$"

INCLUDE = (
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
)
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
SUMMARIES = ("auto", "concise", "detailed")
MOVED = {"messages": "input", "response_format": "text.format", "max_tokens": "max_output_tokens"}
NOTHING_TO_ANSWER = (
    "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation' must be provided."
)


def check_body(body: object) -> Body:
    """The body, when the provider would read it; look-ups and capabilities are checked later.

    Raises `ProviderError` for the first fault in the provider's order.
    """
    if not isinstance(body, dict):
        raise bad_type("", "an object", body) if body is not None else _unparsable()
    _model(body)
    for name, home in MOVED.items():
        if name in body:
            raise ProviderError(
                400,
                f"Unsupported parameter: '{name}'. In the Responses API, this parameter has moved to '{home}'. "
                "Try again with the new parameter. See the API documentation for more information: "
                "https://platform.openai.com/docs/api-reference/responses/create.",
                code="unsupported_parameter",
            )
    _something_to_answer(body)
    for name in body:
        if name not in KNOWN:
            raise unknown_parameter(name, suggestion(name, KNOWN, body))
    for name, check in FIELDS:
        if body.get(name) is not None:
            check(body[name], name)
    return body


def suggestion(name: str, known: frozenset[str], sent: Body) -> str | None:
    """The nearest known key not already sent, at an edit distance of at most two."""
    if len(name) > 60:
        return None
    near = [(distance, key) for key in known - set(sent) if (distance := _distance(name, key)) <= 2]
    return min(near)[1] if near else None


def _distance(left: str, right: str) -> int:
    if abs(len(left) - len(right)) > 2:
        return 3
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


def _unparsable() -> ProviderError:
    return ProviderError(
        400,
        "We could not parse the JSON body of your request. The API expects a JSON object in the request body.",
    )


def _model(body: Body) -> None:
    if "model" not in body:
        raise missing("model")
    model = body["model"]
    if not isinstance(model, str):
        # null is reported as an object: the validator's own typeof (measured)
        raise bad_type("model", "a string", model, got="an object" if model is None else None)


def _something_to_answer(body: Body) -> None:
    if any(body.get(name) is not None for name in ("previous_response_id", "prompt", "conversation")):
        return
    if "input" not in body or body["input"] is None:
        raise missing("input")
    if body["input"] in ("", []):
        raise ProviderError(400, NOTHING_TO_ANSWER, code="missing_required_parameter")


# ------------------------------------------------------------------------------------------ kinds
def _string(value: Any, path: str) -> None:
    if not isinstance(value, str):
        raise bad_type(path, "a string", value)


def _boolean(value: Any, path: str) -> None:
    if not isinstance(value, bool):
        raise bad_type(path, "a boolean", value)


def _object(value: Any, path: str) -> None:
    if not isinstance(value, dict):
        raise bad_type(path, "an object", value)


def _array(value: Any, path: str) -> None:
    if not isinstance(value, list):
        raise bad_type(path, "an array", value)


def _limited(maximum: int) -> Check:
    def check(value: Any, path: str) -> None:
        _string(value, path)
        if len(value) > maximum:
            raise too_long(path, len(value), maximum)

    return check


def _decimal(minimum: int, maximum: int) -> Check:
    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise bad_type(path, "a decimal", value)
        if value < minimum:
            raise below_minimum(path, value, minimum, decimal=True)
        if value > maximum:
            raise above_maximum(path, value, maximum, decimal=True)

    return check


def _integer(minimum: int | None = None, maximum: int | None = None) -> Check:
    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise bad_type(path, "an integer", value)
        if minimum is not None and value < minimum:
            raise below_minimum(path, value, minimum)
        if maximum is not None and value > maximum:
            raise above_maximum(path, value, maximum)

    return check


def _one_of(*supported: str) -> Check:
    def check(value: Any, path: str) -> None:
        _string(value, path)
        if value not in supported:
            raise bad_value(path, value, supported)

    return check


def _members(**checks: Check) -> Check:
    """An object with only these members; null members count as omitted."""
    known = frozenset(checks)

    def check(value: Any, path: str) -> None:
        _object(value, path)
        for name in value:
            if name not in known:
                raise unknown_parameter(f"{path}.{name}")
        for name, member in checks.items():
            if value.get(name) is not None:
                member(value[name], f"{path}.{name}")

    return check


# ----------------------------------------------------------------------------------------- fields
def _include(value: Any, path: str) -> None:
    _array(value, path)
    for index, item in enumerate(value):
        _one_of(*INCLUDE)(item, f"{path}[{index}]")


def _tools(value: Any, path: str) -> None:
    if not isinstance(value, list):
        raise bad_type(path, "an array of tools", value)
    for index, tool in enumerate(value):
        where = f"{path}[{index}]"
        _object(tool, where)
        if not isinstance(tool.get("type"), str):
            raise missing(f"{where}.type")
        if tool["type"] == "function" and not isinstance(tool.get("name"), str):
            raise missing(f"{where}.name")


def _tool_choice(value: Any, path: str) -> None:
    if isinstance(value, str):
        _one_of("none", "auto", "required")(value, path)
    elif not isinstance(value, dict):
        raise bad_type(path, "one of a string or object", value)


def check_metadata(value: Any, path: str) -> None:
    """At most 16 pairs of strings, keys to 64 and values to 512 characters."""
    if not isinstance(value, dict):
        raise bad_type(path, "a metadata object", value)
    if len(value) > 16:
        raise ProviderError(
            400,
            f"Invalid '{path}': too many properties. Expected an object with at most 16 properties, "
            f"but got an object with {len(value)} properties instead.",
            param=path,
            code="object_above_max_properties",
        )
    for key, text in value.items():
        if len(key) > 64:
            raise too_long(path, len(key), 64)
        _limited(512)(text, f"{path}.{key}")


def _text(value: Any, path: str) -> None:
    _object(value, path)
    for name in value:
        if name not in ("format", "verbosity"):
            raise unknown_parameter(f"{path}.{name}")
    if value.get("format") is not None:
        _format(value["format"], f"{path}.format")
    if value.get("verbosity") is not None:
        _one_of("low", "medium", "high")(value["verbosity"], f"{path}.verbosity")


def _format(value: Any, path: str) -> None:
    _object(value, path)
    if "type" not in value:
        raise missing(f"{path}.type")
    _one_of("json_object", "text", "json_schema")(value["type"], f"{path}.type")
    if value["type"] != "json_schema":
        for name in value:
            if name != "type":
                raise unknown_parameter(f"{path}.{name}")
        return
    check_schema_format(value, path, extra=("type",))


def check_schema_format(value: Body, path: str, *, extra: tuple[str, ...] = ()) -> None:
    """The members of a json_schema format: name, schema, strict, description."""
    if value.get("name") is None:
        raise missing(f"{path}.name")
    if value.get("schema") is None:
        raise missing(f"{path}.schema")
    for name in value:
        if name not in ("name", "schema", "strict", "description", *extra):
            raise unknown_parameter(f"{path}.{name}")
    name = value["name"]
    _limited(64)(name, f"{path}.name")
    if re.fullmatch(FORMAT_NAME.strip("^$"), name) is None:
        raise ProviderError(
            400,
            f"Invalid '{path}.name': string does not match pattern. "
            f"Expected a string that matches the pattern '{FORMAT_NAME}'.",
            param=f"{path}.name",
            code="invalid_value",
        )
    _object(value["schema"], f"{path}.schema")
    if value.get("strict") is not None:
        _boolean(value["strict"], f"{path}.strict")
    if value.get("description") is not None:
        _string(value["description"], f"{path}.description")


def _context_management(value: Any, path: str) -> None:
    _array(value, path)


# The order is the provider's own: contract section 1.6.
FIELDS: tuple[tuple[str, Check], ...] = (
    ("input", check_input),
    ("previous_response_id", _string),
    ("prompt", _object),
    ("moderation", _object),
    ("include", _include),
    ("tools", _tools),
    ("tool_choice", _tool_choice),
    ("metadata", check_metadata),
    ("text", _text),
    ("temperature", _decimal(0, 2)),
    ("top_p", _decimal(0, 1)),
    ("presence_penalty", _decimal(-2, 2)),
    ("frequency_penalty", _decimal(-2, 2)),
    ("parallel_tool_calls", _boolean),
    ("stream", _boolean),
    ("stream_options", _members(include_obfuscation=_boolean)),
    ("background", _boolean),
    ("max_output_tokens", _integer(minimum=16)),
    ("max_tool_calls", _integer(minimum=1)),
    (
        "reasoning",
        _members(
            effort=_one_of(*EFFORTS),
            summary=_one_of(*SUMMARIES),
            generate_summary=_one_of(*SUMMARIES),
            mode=_string,
            context=_one_of("auto", "current_turn", "all_turns"),
        ),
    ),
    ("user", _string),
    ("safety_identifier", _limited(128)),
    (
        "prompt_cache_options",
        _members(
            mode=_one_of("implicit", "explicit"),
            ttl=_one_of("30m", "12h"),
            prewarm=_boolean,
            comparison_response_id=_string,
        ),
    ),
    ("prompt_cache_key", _string),
    ("prompt_cache_retention", _one_of("in_memory", "24h")),
    ("truncation", _one_of("auto", "disabled")),
    ("instructions", _string),
    ("store", _boolean),
    ("service_tier", _one_of("auto", "default", "fast", "flex", "priority")),
    ("top_logprobs", _integer(minimum=0, maximum=20)),
    ("context_management", _context_management),
)
KNOWN = frozenset(name for name, _ in FIELDS) | {"model", "conversation", "image", "access_programs"}


# --------------------------------------------------------------------------------------------- chat
def _stop(value: Any, path: str) -> None:
    if not isinstance(value, str | list):
        raise bad_type(path, "one of a string or array of strings", value)


CHAT_FIELDS: tuple[tuple[str, Check], ...] = (
    ("tools", _array),
    ("metadata", check_metadata),
    ("temperature", _decimal(0, 2)),
    ("top_p", _decimal(0, 1)),
    ("presence_penalty", _decimal(-2, 2)),
    ("frequency_penalty", _decimal(-2, 2)),
    ("parallel_tool_calls", _boolean),
    ("stream", _boolean),
    ("stream_options", _members(include_usage=_boolean, include_obfuscation=_boolean)),
    ("max_tokens", _integer(minimum=1)),
    ("max_completion_tokens", _integer(minimum=1)),
    ("reasoning_effort", _one_of(*EFFORTS)),
    ("user", _string),
    ("safety_identifier", _limited(128)),
    ("prompt_cache_key", _string),
    ("prompt_cache_retention", _one_of("in_memory", "24h")),
    ("store", _boolean),
    ("service_tier", _one_of("auto", "default", "fast", "flex", "priority")),
    ("logprobs", _boolean),
    ("top_logprobs", _integer(minimum=0, maximum=20)),
    ("n", _integer(minimum=1, maximum=1)),
    ("seed", _integer()),
    ("stop", _stop),
    ("verbosity", _one_of("low", "medium", "high")),
)
CHAT_KNOWN = frozenset(name for name, _ in CHAT_FIELDS) | {
    "model", "messages", "response_format", "tool_choice", "logit_bias", "modalities", "prediction", "audio",
    "web_search_options", "functions", "function_call", "moderation", "prompt_cache_options",
}  # fmt: skip
