"""openai-python, as its README uses it: sync, async, streams, parsed records, errors, files, batches."""

import asyncio
import io
import json
import time
from functools import partial

import openai
from common import FORMAT, NUMBER, SCHEMA, TEXT, TOTAL, Invoice, raised, run
from openai import AsyncOpenAI, OpenAI

MODEL = "gpt-4.1-mini"
MESSAGES = [{"role": "user", "content": TEXT}]
client = OpenAI()


def is_the_invoice(text: str) -> None:
    record = json.loads(text)
    assert record == {"invoice_number": NUMBER, "invoice_date": "2026-11-03", "total": TOTAL}, record


def strict_extraction() -> None:
    made = client.responses.create(model=MODEL, instructions="Extract.", input=TEXT, text=FORMAT)
    assert made.status == "completed"
    is_the_invoice(made.output_text)
    assert made.usage.input_tokens > 50
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens


def responses_parse() -> None:
    made = client.responses.parse(model=MODEL, input=TEXT, text_format=Invoice)
    assert isinstance(made.output_parsed, Invoice), made
    made.output_parsed.check()


def chat_parse() -> None:
    made = client.chat.completions.parse(model=MODEL, messages=MESSAGES, response_format=Invoice)
    made.choices[0].message.parsed.check()


def chat_tool_parse() -> None:
    made = client.chat.completions.parse(
        model=MODEL,
        messages=MESSAGES,
        tools=[openai.pydantic_function_tool(Invoice, name="keep_invoice")],
        tool_choice={"type": "function", "function": {"name": "keep_invoice"}},
    )
    called = made.choices[0].message.tool_calls[0].function
    assert called.name == "keep_invoice"
    called.parsed_arguments.check()


def streaming() -> None:
    deltas, kinds, final = [], [], None
    for event in client.responses.create(model=MODEL, input=TEXT, text=FORMAT, stream=True):
        kinds.append(event.type)
        if event.type == "response.output_text.delta":
            deltas.append(event.delta)
        if event.type == "response.completed":
            final = event.response
    assert kinds[0] == "response.created", kinds
    assert kinds[-1] == "response.completed", kinds
    assert len(deltas) > 3, deltas
    assert "".join(deltas) == final.output_text
    is_the_invoice(final.output_text)


def streamed_parse() -> None:
    with client.responses.stream(model=MODEL, input=TEXT, text_format=Invoice) as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert text == final.output_text
    final.output_parsed.check()


def chat_streaming() -> None:
    with client.chat.completions.stream(model=MODEL, messages=MESSAGES, response_format=Invoice) as stream:
        text = "".join(event.delta for event in stream if event.type == "content.delta")
        message = stream.get_final_completion().choices[0].message
    assert text == message.content
    message.parsed.check()


def refusal() -> None:
    made = client.responses.parse(model="sandbox-refusal", input=TEXT, text_format=Invoice)
    assert made.output_parsed is None
    assert made.output[-1].content[0].type == "refusal"
    assert made.output[-1].content[0].refusal
    message = client.chat.completions.parse(
        model="sandbox-refusal", messages=MESSAGES, response_format=Invoice
    ).choices[0].message  # fmt: skip
    assert message.refusal
    assert message.parsed is None


def cut_answers() -> None:
    expected = {
        "sandbox-truncate": openai.LengthFinishReasonError,
        "sandbox-filter": openai.ContentFilterFinishReasonError,
    }
    parse = partial(client.chat.completions.parse, messages=MESSAGES, response_format=Invoice)
    for model, kind in expected.items():
        raised(kind, partial(parse, model=model))


def own_retries() -> None:
    raw = client.responses.with_raw_response.create(model="sandbox-429-2", input=TEXT, text=FORMAT)
    assert raw.retries_taken == 2
    is_the_invoice(raw.parse().output_text)


def own_errors() -> None:
    """Each failure is the class, status, code and parameter that users of the client catch."""
    once = client.with_options(max_retries=0, timeout=20)
    loose = {"format": {**FORMAT["format"], "schema": {**SCHEMA, "additionalProperties": True}}}
    for model, text, kind, status, code, param in (
        ("sandbox-quota", FORMAT, openai.RateLimitError, 429, "insufficient_quota", None),
        ("sandbox-429", FORMAT, openai.RateLimitError, 429, "rate_limit_exceeded", None),
        ("sandbox-401", FORMAT, openai.AuthenticationError, 401, "invalid_api_key", None),
        ("sandbox-500", FORMAT, openai.InternalServerError, 500, "server_error", None),
        ("sandbox-502-html", FORMAT, openai.InternalServerError, 502, None, None),
        ("sandbox-overloaded", FORMAT, openai.InternalServerError, 503, "server_is_overloaded", None),
        ("gpt-nope", FORMAT, openai.BadRequestError, 400, "model_not_found", "model"),
        (MODEL, loose, openai.BadRequestError, 400, "invalid_json_schema", "text.format.schema"),
    ):
        error = raised(kind, partial(once.responses.create, model=model, input=TEXT, text=text))
        assert error.status_code == status, (model, error)
        assert error.code == code, (model, error)
        assert param in (None, error.param), (model, error)
        assert error.request_id.startswith("req_"), (model, error)
    # The provider's two surfaces differ in the status of an unknown model.
    unknown = raised(
        openai.NotFoundError, partial(once.chat.completions.create, model="gpt-nope", messages=MESSAGES)
    )
    assert unknown.code == "model_not_found", unknown
    for model in ("sandbox-reset", "sandbox-midstream"):
        call = partial(once.responses.create, model=model, input=TEXT, text=FORMAT)
        raised(openai.APIConnectionError, call)


def background() -> None:
    made = client.responses.create(model=MODEL, input=TEXT, text=FORMAT, background=True)
    for _ in range(200):
        if made.status not in ("queued", "in_progress"):
            break
        time.sleep(0.02)
        made = client.responses.retrieve(made.id)
    is_the_invoice(made.output_text)
    assert client.responses.input_items.list(made.id).data


def counting_and_models() -> None:
    counted = client.responses.input_tokens.count(model=MODEL, input=TEXT, text=FORMAT)
    made = client.responses.create(model=MODEL, input=TEXT, text=FORMAT)
    assert counted.input_tokens == made.usage.input_tokens
    assert MODEL in {model.id for model in client.models.list()}
    assert client.models.retrieve(MODEL).id == MODEL
    rows = client.embeddings.create(model="text-embedding-3-small", input=["chair", "table"]).data
    assert len(rows[0].embedding) == 1536
    assert rows[0].embedding != rows[1].embedding


def files_and_batch() -> None:
    """Five good lines and a refused one: output and error files join on custom_id, in whatever order."""
    lines = []
    for number in range(6):
        text = TEXT.replace(NUMBER, f"2026-{number:04d}")
        body = {"model": MODEL, "input": text, "text": FORMAT, "temperature": 9 if number == 5 else 0}
        lines.append({"custom_id": f"doc-{number}", "method": "POST", "url": "/v1/responses", "body": body})
    content = "\n".join(json.dumps(line) for line in lines).encode()
    file = client.files.create(file=("in.jsonl", io.BytesIO(content)), purpose="batch")
    assert client.files.retrieve(file.id).bytes == len(content)
    assert client.files.content(file.id).read() == content
    assert file.id in {held.id for held in client.files.list(purpose="batch")}
    batch = client.batches.create(input_file_id=file.id, endpoint="/v1/responses", completion_window="24h")
    assert batch.status == "validating"
    for _ in range(1_000):  # twenty seconds: at the provider's own pace, six lines take four
        batch = client.batches.retrieve(batch.id)
        if batch.status in ("completed", "failed", "expired", "cancelled"):
            break
        time.sleep(0.02)
    assert batch.status == "completed", batch
    assert batch.id in {known.id for known in client.batches.list()}
    counts = batch.request_counts
    assert (counts.total, counts.completed, counts.failed) == (6, 5, 1)
    rows = [json.loads(row) for row in client.files.content(batch.output_file_id).text.splitlines()]
    numbers = {}
    for row in rows:
        part = row["response"]["body"]["output"][0]["content"][0]
        numbers[row["custom_id"]] = json.loads(part["text"])["invoice_number"]
    assert numbers == {f"doc-{number}": f"2026-{number:04d}" for number in range(5)}
    refused = json.loads(client.files.content(batch.error_file_id).text)
    assert refused["custom_id"] == "doc-5"
    assert refused["response"]["status_code"] == 400
    assert client.files.delete(file.id).deleted
    raised(openai.NotFoundError, partial(client.files.retrieve, file.id))


def asynchronous() -> None:
    """The async client: eight at once, a parsed record, a stream, a retry, an error of its own."""

    async def check() -> None:
        async with AsyncOpenAI() as many:
            made = await asyncio.gather(
                *(many.responses.parse(model=MODEL, input=TEXT, text_format=Invoice) for _ in range(8))
            )
            for one in made:
                one.output_parsed.check()
            async with many.responses.stream(model=MODEL, input=TEXT, text_format=Invoice) as stream:
                deltas = [e.delta async for e in stream if e.type == "response.output_text.delta"]
                final = await stream.get_final_response()
            assert "".join(deltas) == final.output_text
            final.output_parsed.check()
            # Attempts are counted per request: another cache key makes it another one than the sync client's.
            retried = await many.responses.create(
                model="sandbox-429-2", input=TEXT, text=FORMAT, prompt_cache_key="async"
            )
            is_the_invoice(retried.output_text)
            once = many.with_options(max_retries=0)
            (error,) = await asyncio.gather(
                once.responses.create(model="sandbox-quota", input=TEXT), return_exceptions=True
            )
            assert isinstance(error, openai.RateLimitError), error
            assert error.code == "insufficient_quota"

    asyncio.run(check())


if __name__ == "__main__":
    run([
        strict_extraction, responses_parse, chat_parse, chat_tool_parse, streaming, streamed_parse, chat_streaming,
        refusal, cut_answers, own_retries, own_errors, background, counting_and_models, files_and_batch, asynchronous,
    ])  # fmt: skip
