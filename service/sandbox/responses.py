"""`POST /v1/responses`: checks, generation, and the two ways to answer."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, cast

import orjson

from service.sandbox import answers
from service.sandbox.engine import Dropped, Engine, Job, Written, canonical_schema
from service.sandbox.errors import ProviderError
from service.sandbox.files import Files
from service.sandbox.inputs import Prompt, file_text, prompt_of
from service.sandbox.ledger import Entry
from service.sandbox.models import Model, by_name
from service.sandbox.paging import page_of
from service.sandbox.pdf import PDF, page_texts
from service.sandbox.strict import refuse_unsupported
from service.sandbox.tools import wanted
from service.sandbox.validation import check_body
from service.sandbox.webhooks import Webhooks

__all__ = ["Responses", "check_capabilities", "parse_json"]


def parse_json(raw: bytes) -> object:
    """The JSON of a request body. Raises `ProviderError` 400; NaN and absurd depth are refused too."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise ProviderError(
            400,
            "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP "
            "library correctly. The API expects a JSON payload, but what was sent was not valid JSON.)",
        ) from error


@lru_cache(maxsize=256)
def _accepted(schema_text: str, name: str, *, allow_lengths: bool) -> bool:
    refuse_unsupported(
        orjson.loads(schema_text),
        subject=f"response_format '{name}'",
        param="text.format.schema",
        code="invalid_json_schema",
        allow_lengths=allow_lengths,
    )
    return True


def check_capabilities(body: Mapping[str, Any], model: Model, name: str) -> None:
    """Raises `ProviderError` for what this model does not do (step 6 of the provider's order)."""
    text = body.get("text") or {}
    kind = (text.get("format") or {}).get("type", "text")
    if kind == "json_schema" and not model.json_schema:
        raise ProviderError(
            400,
            f"Invalid parameter: 'text.format' of type 'json_schema' is not supported with model version `{name}`.",
            param="text.format",
        )
    effort = (body.get("reasoning") or {}).get("effort")
    if not model.reasoning:
        if effort is not None:
            raise ProviderError(
                400,
                "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
                param="reasoning.effort",
                code="unsupported_parameter",
            )
        return
    for parameter in ("temperature", "top_p"):
        if body.get(parameter) is not None:
            raise ProviderError(
                400,
                f"Unsupported parameter: '{parameter}' is not supported with this model.",
                param=parameter,
            )
    wanted = "message.output_text.logprobs" in (body.get("include") or ())
    if wanted or body.get("top_logprobs"):
        raise ProviderError(
            400,
            "logprobs are not supported with reasoning models.",
            param="include" if wanted else "top_logprobs",
            code="unsupported_parameter",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A response kept for retrieval, and the input items it was made from."""

    response: Mapping[str, Any]
    input: Any
    written: Written | None = None
    """What was generated, once that has ended: the events of a stream can be sent again."""


_MAX_FILE_BYTES = 50 * 1024 * 1024
_BACKGROUND_SECONDS = 1.0


class Responses:
    """Creates responses; keeps the stored ones, at most a thousand."""

    _REMEMBERED = 1_000

    def __init__(self, engine: Engine, files: Files, hooks: Webhooks) -> None:
        self.engine = engine
        self.files = files
        self.hooks = hooks
        self.stored: dict[str, Stored] = {}
        self.running: dict[str, asyncio.Task[None]] = {}

    # ------------------------------------------------------------------------------------ checking
    def check(self, raw: object) -> Mapping[str, Any]:
        """Everything that can be refused before the model is looked up."""
        body = check_body(raw)
        form = (body.get("text") or {}).get("format") or {}
        if form.get("type") == "json_schema" and form.get("strict"):
            _accepted(
                canonical_schema(form["schema"]), form["name"],
                allow_lengths=self.engine.settings.allow_lengths,
            )  # fmt: skip
        for index, tool in enumerate(body.get("tools") or ()):
            if tool["type"] == "function" and tool.get("strict") and tool.get("parameters") is not None:
                refuse_unsupported(
                    tool["parameters"],
                    subject=f"function '{tool['name']}'",
                    param=f"tools[{index}].parameters",
                    code="invalid_function_parameters",
                    allow_lengths=self.engine.settings.allow_lengths,
                )
        self._look_up(body)
        return body

    def _look_up(self, body: Mapping[str, Any]) -> None:
        previous, conversation = body.get("previous_response_id"), body.get("conversation")
        if previous is not None and conversation is not None:
            raise ProviderError(
                400,
                "Mutually exclusive parameters: ''. Ensure you are only providing one of: 'pre..._id' or 'conversation'.",
                code="mutually_exclusive_parameters",
            )
        if conversation is not None:
            shown = conversation.get("id") if isinstance(conversation, dict) else conversation
            raise ProviderError(
                404, f"Conversation with id '{str(shown)[:80]}' not found.", param="conversation"
            )
        if body.get("prompt") is not None:
            shown = body["prompt"].get("id")
            raise ProviderError(404, f"Prompt with id '{str(shown)[:80]}' not found.", param="prompt")
        if previous is not None and previous not in self.stored:
            raise ProviderError(
                400,
                f"Previous response with id '{previous[:80]}' not found.",
                param="previous_response_id",
                code="previous_response_not_found",
            )

    def prepare(self, raw: object, key: str, entry: Entry, *, count_only: bool = False) -> Job:
        """A checked, counted job. Raises `ProviderError` in the provider's order."""
        if isinstance(raw, dict) and isinstance(raw.get("model"), str):
            entry.model = raw["model"][:120]
            entry.stream = raw.get("stream") is True
        body = self.check(raw)
        model = by_name(body["model"], today=self.engine.today())
        check_capabilities(body, model, body["model"])
        prompt = self._prompt(body)
        form = (body.get("text") or {}).get("format") or {"type": "text"}
        kind = cast("Literal['text', 'json_object', 'json_schema']", form["type"])
        if kind == "json_object" and not _says_json(body, prompt):
            raise ProviderError(
                400,
                "Response input messages must contain the word 'json' in some form to use 'text.format' of type "
                "'json_object'.",
                param="input",
            )
        schema_text = ""
        if kind == "json_schema":
            schema_text = f"{form['name']} {form.get('description') or ''} {canonical_schema(form['schema'])}"
        if body.get("tools"):
            schema_text += canonical_schema({"tools": body["tools"]})
        functions = [
            (tool["name"], tool.get("parameters") or {"type": "object", "properties": {}})
            for tool in body.get("tools") or ()
            if tool["type"] == "function"
        ]
        items = body.get("input")
        answered = isinstance(items, list) and items[-1].get("type") == "function_call_output"
        function = wanted(functions, body.get("tool_choice"), answered=answered)
        wants_logprobs = "message.output_text.logprobs" in (body.get("include") or ())
        return self.engine.prepare(
            body,
            key,
            prompt,
            format=kind,
            schema=function[1] if function else form.get("schema"),
            schema_text=schema_text,
            instructions=body.get("instructions") or "",
            max_output=body.get("max_output_tokens"),
            effort=(body.get("reasoning") or {}).get("effort"),
            top_logprobs=(body.get("top_logprobs") or 0) if wants_logprobs else None,
            tool=function[0] if function else None,
            count_only=count_only,
        )

    def _prompt(self, body: Mapping[str, Any]) -> Prompt:
        """The prompt with the text of its files; each page of a PDF, and any other file that is no text, costs an image."""
        prompt = prompt_of({**body, "input": self._conversation(body)})
        texts: list[str] = []
        unread = 0
        given = list(prompt.files)
        for file_id, _ in prompt.file_ids:
            held = self.files.held(file_id)
            given.append((held.filename, "", held.content))
        for name, media_type, content in given:
            if media_type == PDF or content.startswith(b"%PDF-"):
                pages = page_texts(content)
                unread += max(len(pages), 1)
                text = "\n".join(filter(None, pages))
            else:
                text = file_text(media_type, name, content)
                unread += not text
            texts.append(text)
        total = sum(len(content) for _, _, content in prompt.files)
        if total > _MAX_FILE_BYTES:
            raise ProviderError(
                400,
                f"Total file size exceeds the limit of 50 MB per request: got {total} bytes.",
                param="input",
                code="file_above_max_size",
            )
        if not texts:
            return prompt
        shown = "\n".join(filter(None, texts))
        return replace(
            prompt,
            billed=(*prompt.billed, shown),
            document="\n".join(filter(None, (prompt.document, shown))),
            images=(*prompt.images, *((None, "auto"),) * unread),
        )

    def _conversation(self, body: Mapping[str, Any]) -> Any:
        """The input with what went before it: the items of the responses that it follows, and their answers."""
        value = body.get("input")
        before: list[list[Any]] = []
        previous = body.get("previous_response_id")
        while previous is not None and previous in self.stored:
            held = self.stored[previous]
            answered = [
                {"role": "assistant", "content": item["content"]}
                for item in held.response["output"]
                if item["type"] == "message"
            ]
            before.append([*_items(held.input), *answered])
            previous = held.response.get("previous_response_id")
        if not before:
            return value
        return [item for items in reversed(before) for item in items] + _items(value)

    # ----------------------------------------------------------------------------------- answering
    async def create(self, job: Job, entry: Entry) -> dict[str, Any]:
        """The finished Response object. Raises `Dropped` for connections that a scenario cuts."""
        engine = self.engine
        created = int(engine.settings.now())
        response = answers.started(job, answers.identifier("resp"), created)
        await engine.delay(job)
        written = await engine.write(job)
        engine.bill(job, written, entry)
        final = answers.finished(job, written, response, int(engine.settings.now()))
        self._keep(job, final, written)
        if job.scenario.shapes & {"midstream", "stream-error"}:
            raise Dropped(halfway=True)
        return final

    # ------------------------------------------------------------------------------------- stored
    def begin(self, job: Job, entry: Entry) -> dict[str, Any]:
        """A background response: queued now, generated by a task, retrieved later."""
        if job.body.get("store") is False:
            raise ProviderError(
                400,
                "Background mode requires 'store' to be true.",
                param="background",
                code="invalid_value",
            )
        response = answers.started(job, answers.identifier("resp"), int(self.engine.clock()), "queued")
        self._keep(job, response)
        task = asyncio.create_task(self._finish_later(job, entry, response))
        self.running[response["id"]] = task
        task.add_done_callback(lambda _: self.running.pop(response["id"], None))
        return response

    async def _finish_later(self, job: Job, entry: Entry, response: Mapping[str, Any]) -> None:
        await self.engine.pause(_BACKGROUND_SECONDS)
        if "hang" in job.scenario.shapes:
            await self.engine.pause(self.engine.settings.hang_s)
        self._keep(job, {**response, "status": "in_progress"})
        await self.engine.pause(_BACKGROUND_SECONDS + job.scenario.slow_s)
        written = await self.engine.write(job)
        self.engine.bill(job, written, entry)
        final = answers.finished(job, written, response, int(self.engine.clock()))
        self._keep(job, final, written)
        await self.hooks.send(f"response.{final['status']}", final["id"])

    def retrieve(self, response_id: str) -> Mapping[str, Any]:
        """A stored response. Raises `ProviderError` 404."""
        return self._stored(response_id).response

    async def replay(self, response_id: str, after: int) -> AsyncIterator[bytes]:
        """The frames of a stored response from behind the event `after` on; one that still runs is waited for."""
        held = self._stored(response_id)
        task = self.running.get(response_id)
        frames = answers.Frames()
        opening = {
            **held.response,
            "status": "in_progress",
            "output": [],
            "usage": None,
            "completed_at": None,
        }
        for kind in ("response.created", "response.in_progress"):
            event = frames.event(kind, response=opening)
            if event["sequence_number"] > after:
                yield frames.frame(event)
        if task is not None:
            await asyncio.wait([task])
        held = self.stored.get(response_id, held)
        if held.written is None:  # cancelled or deleted before anything was written
            yield frames.frame(frames.event("response.failed", response=held.response))
            return
        for event in answers.stream_body(held.written, held.response, frames, obfuscate=False):
            if event["sequence_number"] > after:
                yield frames.frame(event)

    def delete(self, response_id: str) -> dict[str, Any]:
        """Forgets a stored response, and stops it when it is still running."""
        self._stored(response_id)
        del self.stored[response_id]
        task = self.running.pop(response_id, None)
        if task is not None:
            task.cancel()
        return {"id": response_id, "object": "response", "deleted": True}

    async def cancel(self, response_id: str) -> Mapping[str, Any]:
        """Stops a background response; one that has ended is returned as it is."""
        held = self._stored(response_id)
        if not held.response.get("background"):
            raise ProviderError(400, "Cannot cancel a synchronous response.", param="response_id")
        task = self.running.pop(response_id, None)
        if task is not None:
            task.cancel()
            cancelled = {**held.response, "status": "cancelled"}
            self.stored[response_id] = replace(held, response=cancelled)
            await self.hooks.send("response.cancelled", response_id)
        return self.stored[response_id].response

    def input_items(self, response_id: str, query: Mapping[str, str]) -> dict[str, Any]:
        """The items a stored response was made from, newest first, in pages."""
        held = self._stored(response_id)
        items = _items(held.input)
        rows: list[dict[str, Any]] = []
        for index, item in enumerate(items):
            content = item.get("content")
            kind = "output_text" if item.get("role") == "assistant" else "input_text"
            parts = [{"type": kind, "text": content}] if isinstance(content, str) else content
            row = {"id": f"msg_{response_id[5:]}{index:04}", "type": "message", "status": "completed", **item}
            rows.append({**row, "content": parts} if parts is not None else row)
        return page_of(rows, query, default_limit=20, newest_first=True)

    async def close(self) -> None:
        """Stops every background response that is still running."""
        tasks = list(self.running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _stored(self, response_id: str) -> Stored:
        held = self.stored.get(response_id)
        if held is None:
            raise ProviderError(404, f"Response with id '{response_id[:80]}' not found.")
        return held

    def _keep(self, job: Job, final: Mapping[str, Any], written: Written | None = None) -> None:
        if job.body.get("store") is False:
            return
        self.stored[final["id"]] = Stored(response=final, input=job.body.get("input"), written=written)
        while len(self.stored) > self._REMEMBERED:
            self.stored.pop(next(iter(self.stored)))

    async def stream(self, job: Job, entry: Entry) -> AsyncIterator[bytes]:
        """The frames of a streamed answer; the first two leave before the document is read."""
        engine = self.engine
        frames = answers.Frames()
        response = answers.started(job, answers.identifier("resp"), int(engine.settings.now()))
        yield frames.frame(frames.event("response.created", response=response))
        yield frames.frame(frames.event("response.in_progress", response=response))
        await engine.delay(job)
        written = await engine.write(job)
        final = answers.finished(job, written, response, int(engine.settings.now()))
        shapes = job.scenario.shapes
        options = job.body.get("stream_options") or {}
        budget = len(written.pieces) // 2 if shapes & {"midstream", "stream-error"} else None
        pause = engine.settings.token_delay_s
        for event in answers.stream_body(
            written, final, frames, obfuscate=options.get("include_obfuscation") is not False
        ):
            delta = event["type"].endswith(".delta")
            if delta and budget is not None:
                if budget <= 0:
                    break
                budget -= 1
            if event.get("response") is final:
                engine.bill(job, written, entry)
                self._keep(job, final, written)
            yield frames.frame(event)
            if delta:
                # Other streams get their turn after every token, whatever the pause is.
                await asyncio.sleep(pause)
        else:
            return
        if "stream-error" in shapes:
            error = {
                "type": "server_error",
                "code": "server_error",
                "message": "The server had an error while processing your request. Sorry about that!",
                "param": None,
            }
            yield frames.frame(frames.event("error", error=error))
            failed = {
                **response,
                "status": "failed",
                "error": {"code": "server_error", "message": error["message"]},
            }
            entry.outcome = "failed"
            yield frames.frame(frames.event("response.failed", response=failed))
            return
        raise Dropped(halfway=True)


def _items(value: Any) -> list[Any]:
    return [{"role": "user", "content": value}] if isinstance(value, str) else list(value or ())


def _says_json(body: Mapping[str, Any], prompt: Prompt) -> bool:
    texts = (*prompt.billed, body.get("instructions") or "")
    return any("json" in text.lower() for text in texts)
