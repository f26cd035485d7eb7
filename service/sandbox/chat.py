"""`POST /v1/chat/completions`: the older surface over the same engine (contract sections 5 and 9)."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal, cast

import orjson

from service.sandbox import answers
from service.sandbox.engine import Dropped, Engine, Job, Written, canonical_schema
from service.sandbox.errors import ProviderError, bad_type, bad_value, missing, unknown_parameter
from service.sandbox.inputs import Prompt, Turns, decode_image
from service.sandbox.ledger import Entry
from service.sandbox.models import Model, by_name
from service.sandbox.strict import refuse_unsupported
from service.sandbox.tools import wanted
from service.sandbox.validation import CHAT_FIELDS, CHAT_KNOWN, check_schema_format, suggestion

__all__ = ["Chat"]

ROLES = ("system", "assistant", "user", "function", "tool", "developer")
FINISH = {"max_output_tokens": "length", "content_filter": "content_filter"}


class Chat:
    """Creates chat completions."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    # ------------------------------------------------------------------------------------ checking
    def prepare(self, raw: object, key: str, entry: Entry) -> Job:
        """A checked, counted job. Raises `ProviderError`."""
        if isinstance(raw, dict) and isinstance(raw.get("model"), str):
            entry.model = raw["model"][:120]
            entry.stream = raw.get("stream") is True
        body = _checked(raw)
        form = body.get("response_format") or {"type": "text"}
        schema_text, schema = self._schema(form)
        self._tools(body)
        model = by_name(body["model"], today=self.engine.today(), chat=True)
        _capabilities(body, model)
        prompt = _prompt(body["messages"])
        if form["type"] == "json_object" and not any("json" in text.lower() for text in prompt.billed):
            raise ProviderError(
                400,
                "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
                param="messages",
            )
        functions = [
            (
                tool["function"]["name"],
                tool["function"].get("parameters") or {"type": "object", "properties": {}},
            )
            for tool in body.get("tools") or ()
            if tool["type"] == "function"
        ]
        answered = body["messages"][-1]["role"] in ("tool", "function")
        function = wanted(functions, body.get("tool_choice"), answered=answered)
        return self.engine.prepare(
            body,
            key,
            prompt,
            format=cast("Literal['text', 'json_object', 'json_schema']", form["type"]),
            schema=function[1] if function else schema,
            schema_text=schema_text
            or (canonical_schema({"tools": body["tools"]}) if body.get("tools") else ""),
            instructions="",
            max_output=body.get("max_completion_tokens") or body.get("max_tokens"),
            effort=body.get("reasoning_effort"),
            top_logprobs=(body.get("top_logprobs") or 0) if body.get("logprobs") else None,
            tool=function[0] if function else None,
            chat=True,
        )

    def _schema(self, form: Mapping[str, Any]) -> tuple[str, Mapping[str, Any] | None]:
        if form["type"] != "json_schema":
            return "", None
        inner = form["json_schema"]
        if inner.get("strict"):
            refuse_unsupported(
                inner["schema"],
                subject=f"response_format '{inner['name']}'",
                param="response_format",
                code=None,
                allow_lengths=self.engine.settings.allow_lengths,
            )
        text = f"{inner['name']} {inner.get('description') or ''} {canonical_schema(inner['schema'])}"
        return text, inner["schema"]

    def _tools(self, body: Mapping[str, Any]) -> None:
        for index, tool in enumerate(body.get("tools") or ()):
            if tool.get("type") != "function":
                raise bad_value(f"tools[{index}].type", tool.get("type"), ("function", "custom"))
            function = tool.get("function")
            if not isinstance(function, dict) or not isinstance(function.get("name"), str):
                raise missing(f"tools[{index}].function.name")
            if function.get("strict") and function.get("parameters") is not None:
                refuse_unsupported(
                    function["parameters"],
                    subject=f"function '{function['name']}'",
                    param=f"tools[{index}].function.parameters",
                    code="invalid_function_parameters",
                    allow_lengths=self.engine.settings.allow_lengths,
                )

    # ----------------------------------------------------------------------------------- answering
    async def create(self, job: Job, entry: Entry) -> dict[str, Any]:
        """The chat completion. Raises `Dropped` for connections that a scenario cuts."""
        await self.engine.delay(job)
        written = await self.engine.write(job)
        if written.failed:
            raise ProviderError(
                500,
                "The server had an error while processing your request. Sorry about that!",
                type="server_error",
                code="server_error",
            )
        self.engine.bill(job, written, entry)
        if job.scenario.shapes & {"midstream", "stream-error"}:
            raise Dropped(halfway=True)
        choice = {
            "index": 0,
            "message": _message(written),
            "logprobs": _logprobs(job, written),
            "finish_reason": _finish(written),
        }
        return {**self._head(job, "chat.completion"), "choices": [choice], "usage": _usage(job, written)}

    def _head(self, job: Job, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{secrets.token_hex(15)}",
            "object": kind,
            "created": int(self.engine.settings.now()),
            "model": job.echoed_name,
            "service_tier": "default",
            "system_fingerprint": "fp_sandbox",
        }

    async def stream(self, job: Job, entry: Entry) -> AsyncIterator[bytes]:
        """Chunks of a streamed completion, ended by `[DONE]`; the first leaves before the document is read."""
        head = self._head(job, "chat.completion.chunk")
        wants_usage = bool((job.body.get("stream_options") or {}).get("include_usage"))
        usage: dict[str, Any] = {"usage": None} if wants_usage else {}

        def chunk(delta: Mapping[str, Any], finish: str | None = None) -> bytes:
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
            return b"data: %b\n\n" % orjson.dumps({**head, "choices": [choice], **usage})

        yield chunk({"role": "assistant", "content": None if job.tool else "", "refusal": None})
        await self.engine.delay(job)
        written = await self.engine.write(job)
        budget = len(written.pieces) // 2 if job.scenario.shapes & {"midstream", "stream-error"} else None
        call = {"index": 0, "id": f"call_{secrets.token_hex(12)}", "type": "function"}
        if written.tool is not None:
            yield chunk({"tool_calls": [{**call, "function": {"name": written.tool, "arguments": ""}}]})
        for number, (delta, _) in enumerate(answers.deltas(written.pieces)):
            if budget is not None and number >= budget:
                raise Dropped(halfway=True)
            if written.tool is not None:
                yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": delta}}]})
            else:
                yield chunk({"refusal" if written.refusal else "content": delta})
            await asyncio.sleep(self.engine.settings.token_delay_s)
        self.engine.bill(job, written, entry)
        yield chunk({}, _finish(written))
        if wants_usage:
            last = {**head, "choices": [], "usage": _usage(job, written)}
            yield b"data: %b\n\n" % orjson.dumps(last)
        yield b"data: [DONE]\n\n"


# -------------------------------------------------------------------------------------------- checks
def _checked(raw: object) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise ProviderError(
            400, "We could not parse the JSON body of your request: it must be a JSON object."
        )
    if raw.get("model") is None:
        raise ProviderError(400, "you must provide a model parameter")
    if not isinstance(raw["model"], str):
        raise bad_type("model", "a string", raw["model"])
    if raw.get("messages") is None:
        raise missing("messages")
    for name in raw:
        if name not in CHAT_KNOWN:
            raise unknown_parameter(name, suggestion(name, CHAT_KNOWN, raw))
    messages = raw["messages"]
    if not isinstance(messages, list):
        raise bad_type("messages", "an array of objects", messages)
    if not messages:
        raise ProviderError(
            400,
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            param="messages",
            code="empty_array",
        )
    for index, message in enumerate(messages):
        _check_message(message, f"messages[{index}]")
    for name, check in CHAT_FIELDS:
        if raw.get(name) is not None:
            check(raw[name], name)
    if raw.get("response_format") is not None:
        _check_format(raw["response_format"])
    return raw


def _check_message(message: Any, path: str) -> None:
    if not isinstance(message, dict):
        raise bad_type(path, "an object", message)
    if "role" not in message:
        raise missing(f"{path}.role")
    if message["role"] not in ROLES:
        raise bad_value(f"{path}.role", message["role"], ROLES)
    content = message.get("content")
    if content is None:
        if message["role"] == "assistant":
            return
        raise missing(f"{path}.content")
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise bad_type(f"{path}.content", "one of a string or array of objects", content)
    for index, part in enumerate(content):
        where = f"{path}.content[{index}]"
        if not isinstance(part, dict):
            raise bad_type(where, "an object", part)
        kind = part.get("type")
        if kind not in ("text", "image_url", "input_audio", "refusal", "file"):
            raise bad_value(where, kind, ("text", "image_url", "input_audio", "refusal", "file"))
        if kind == "text" and not isinstance(part.get("text"), str):
            raise missing(f"{where}.text")
        if kind == "image_url" and not isinstance(_url(part), str):
            raise missing(f"{where}.image_url.url")


def _url(part: Mapping[str, Any]) -> Any:
    image = part.get("image_url")
    return image.get("url") if isinstance(image, dict) else None


def _check_format(form: Any) -> None:
    if not isinstance(form, dict):
        raise bad_type("response_format", "an object", form)
    if "type" not in form:
        raise missing("response_format.type")
    if form["type"] not in ("json_object", "json_schema", "text"):
        raise bad_value("response_format.type", form["type"], ("json_object", "json_schema", "text"))
    if form["type"] == "json_schema":
        inner = form.get("json_schema")
        if not isinstance(inner, dict):
            raise missing("response_format.json_schema")
        check_schema_format(inner, "response_format.json_schema")


def _capabilities(body: Mapping[str, Any], model: Model) -> None:
    form = (body.get("response_format") or {}).get("type")
    if form == "json_schema" and not model.json_schema:
        raise ProviderError(
            400,
            "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model. Learn more "
            "about supported models at the Structured Outputs guide: "
            "https://platform.openai.com/docs/guides/structured-outputs",
        )
    if not model.reasoning:
        return
    if body.get("max_tokens") is not None:
        raise ProviderError(
            400,
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            param="max_tokens",
            code="unsupported_parameter",
        )
    for name in ("temperature", "top_p"):
        if body.get(name) not in (None, 1):
            raise ProviderError(
                400, f"Unsupported parameter: '{name}' is not supported with this model.", param=name
            )
    if body.get("logprobs"):
        raise ProviderError(
            400,
            "logprobs are not supported with reasoning models.",
            param="logprobs",
            code="unsupported_parameter",
        )


def _prompt(messages: Sequence[Mapping[str, Any]]) -> Prompt:
    billed: list[str] = []
    images: list[tuple[bytes | None, str]] = []
    turns = Turns()
    for index, message in enumerate(messages):
        content = message.get("content")
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        texts = [part["text"] for part in parts if part.get("type") == "text"]
        pictures: list[tuple[bytes | None, str]] = []
        for place, part in enumerate(parts):
            if part.get("type") == "image_url":
                where = f"messages[{index}].content[{place}].image_url.url"
                url = _url(part)
                data = decode_image(url, where) if url.startswith("data:") else None
                pictures.append((data, part["image_url"].get("detail") or "auto"))
        billed.extend(texts)
        images.extend(pictures)
        turns.add(message["role"], texts, pictures)
    document, seen = turns.document()
    return Prompt(
        messages=len(messages),
        billed=tuple(billed),
        document=document,
        images=tuple(images),
        seen=seen,
        files=(),
        file_ids=(),
    )


# ------------------------------------------------------------------------------------------- answers
def _message(written: Written) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if written.refusal or written.tool else written.text,
        "refusal": written.text if written.refusal else None,
        "annotations": [],
    }
    if written.tool is not None:
        message["tool_calls"] = [
            {
                "id": f"call_{secrets.token_hex(12)}",
                "type": "function",
                "function": {"name": written.tool, "arguments": written.text},
            }
        ]
    return message


def _finish(written: Written) -> str:
    if written.stopped:
        return FINISH[written.stopped]
    return "tool_calls" if written.tool is not None else "stop"


def _logprobs(job: Job, written: Written) -> dict[str, Any] | None:
    if job.top_logprobs is None:
        return None
    return {"content": answers.logprobs(written.pieces, job.top_logprobs), "refusal": None}


def _usage(job: Job, written: Written) -> dict[str, Any]:
    return {
        "prompt_tokens": job.input_tokens,
        "completion_tokens": written.output_tokens,
        "total_tokens": job.input_tokens + written.output_tokens,
        "prompt_tokens_details": {"cached_tokens": job.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": written.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
