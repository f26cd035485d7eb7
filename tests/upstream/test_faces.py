"""Other servers: the chat-completions face, further providers by name, models of one's own."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from service.catalogue import Catalogue, UnknownModel
from service.foundation import clock
from service.upstream import (
    Failed,
    FilePart,
    Filtered,
    ImagePart,
    Outcome,
    Refused,
    Settings,
    Text,
    TextPart,
    Truncated,
    Usage,
)
from service.upstream.chat import ChatReader, encode, understand
from service.upstream.naming import catalogue_of, route
from service.upstream.settings import OwnModel, ProviderSettings
from service.upstream.streaming import event_of
from tests.upstream.provider import Provider, Says, error, message, provider, response, text
from tests.upstream.test_client import OK, Journal, ask, opened
from tests.upstream.test_request import SCHEMA, a_call
from tests.upstream.test_streaming import Ear, listen

CATALOGUE = Catalogue.load()
CONTRACT = Path(__file__).resolve().parents[3] / "shared" / "openai" / "openapi-subset.json"
NOT_HERE = Says(404, {"detail": "Not Found"})


def completion(content: str | None = "{}", *, finish: str = "stop", **members: Any) -> dict[str, Any]:
    """A chat completion."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1795170000,
        "model": "gpt-4.1-mini-2025-04-14",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, "refusal": None} | members,
                "finish_reason": finish,
            }
        ],
        "usage": {
            "prompt_tokens": 1412,
            "completion_tokens": 27,
            "total_tokens": 1439,
            "prompt_tokens_details": {"cached_tokens": 1280},
        },
    }


def chunk(**members: Any) -> bytes:
    """One event of a streamed completion."""
    return (
        b"data: " + json.dumps({"object": "chat.completion.chunk", "model": "m"} | members).encode() + b"\n\n"
    )


def delta(finish: str | None = None, **members: Any) -> bytes:
    """A chunk with a choice."""
    return chunk(choices=[{"index": 0, "delta": members, "finish_reason": finish}])


def sent(model: str, **members: Any) -> dict[str, Any]:
    call = a_call(model, **members)
    body: dict[str, Any] = json.loads(encode(call, CATALOGUE.find(model)))
    return body


def test_a_chat_request() -> None:
    """System and user message, nested json_schema, the old name of the budget, temperature 0."""
    assert sent("gpt-4.1-mini") == {
        "model": "gpt-4.1-mini",
        "messages": [
            {"role": "system", "content": 'Read the "invoice".\n'},
            {"role": "user", "content": [{"type": "text", "text": "Total: 1.280,50 €"}]},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "invoice", "strict": True, "schema": SCHEMA},
        },
        "max_tokens": 512,
        "temperature": 0,
    }


def test_an_image_is_nested_in_chat() -> None:
    """The picture stands in an object of its own there."""
    body = sent("gpt-4.1-mini", parts=(TextPart("a"), ImagePart("image/png", b"abc", 1, 1, "high")))
    assert body["messages"][1]["content"][1] == {
        "type": "image_url",
        "image_url": {"url": "data:image/png;base64,YWJj", "detail": "high"},
    }


def test_a_file_in_chat() -> None:
    """Name and data URL, one level deeper."""
    pdf = FilePart("a.pdf", "application/pdf", b"%PDF", pages=2, text_bytes=400)
    assert sent("gpt-4.1-mini", parts=(pdf,))["messages"][1]["content"] == [
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}}
    ]


def test_a_reasoning_model_in_chat() -> None:
    """The effort has another name, and the budget its new one."""
    body = sent("o4-mini")
    assert body["reasoning_effort"] == "low"
    assert body["max_completion_tokens"] == 512 + 8_192
    assert "temperature" not in body
    assert "max_tokens" not in body


def test_a_model_without_json_schema_is_shown_the_schema() -> None:
    """It is held to a JSON object, and told which."""
    body = sent("gpt-4-turbo")
    assert body["response_format"] == {"type": "json_object"}
    assert "JSON Schema" in body["messages"][0]["content"]
    assert '"additionalProperties":false' in body["messages"][0]["content"]


@pytest.mark.skipif(not CONTRACT.exists(), reason="../shared absent")
@pytest.mark.parametrize("model", ["gpt-4.1-mini", "o4-mini", "gpt-4-turbo"])
def test_chat_requests_are_valid_by_the_providers_description(model: str) -> None:
    """Against the OpenAPI subset."""
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    document = json.loads(CONTRACT.read_text())
    registry = Registry().with_resource("urn:openai", Resource.from_contents(document, DRAFT202012))
    schema = {"$ref": "urn:openai#/components/schemas/CreateChatCompletionRequest"}
    body = sent(model, parts=(TextPart("a"), ImagePart("image/png", b"abc", 1, 1)))
    assert [
        fault.message for fault in Draft202012Validator(schema, registry=registry).iter_errors(body)
    ] == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (completion('{"a":1}'), Text('{"a":1}')),
        (completion(None, refusal="I cannot."), Refused("I cannot.")),
        (completion('{"a', finish="length"), Truncated('{"a')),
        (completion("", finish="content_filter"), Filtered()),
    ],
)
def test_a_completion_becomes_an_outcome(body: dict[str, Any], expected: Outcome) -> None:
    """Text, refusal, budget and filter, with the usage under its other names."""
    usage = Usage(input_tokens=1412, cached_tokens=1280, output_tokens=27)
    assert understand(body, 200) == (expected, usage, "gpt-4.1-mini-2025-04-14")


@pytest.mark.parametrize(
    "body", [{}, {"choices": []}, {"choices": [7]}, completion(None), {"choices": [{"message": []}]}]
)
def test_a_completion_without_an_answer_is_a_protocol_failure(body: dict[str, Any]) -> None:
    """Whatever is missing, there is an outcome."""
    outcome = understand(body, 200)[0]
    assert isinstance(outcome, Failed)
    assert outcome.kind == "protocol"


async def test_a_server_that_knows_only_chat_is_found_out_once() -> None:
    """The first call tries both faces, the next ones only the one that works."""
    async with provider(NOT_HERE, Says(body=completion())) as fake, opened(fake) as upstream:
        first = await ask(upstream, Journal())
        second = await ask(upstream, Journal())
    assert first.outcome == second.outcome == Text("{}")
    assert first.attempts[0].cost == 224_000
    assert [asked.path for asked in fake.asked] == [
        "/v1/responses",
        "/v1/chat/completions",
        "/v1/chat/completions",
    ]


async def test_a_server_that_knows_neither_is_broken() -> None:
    """A wrong base URL does not settle on a face."""
    async with provider(NOT_HERE) as fake, opened(fake) as upstream:
        reply = await ask(upstream, Journal())
        await ask(upstream, Journal())
    assert isinstance(reply.outcome, Failed)
    assert (reply.outcome.kind, reply.outcome.http_status) == ("protocol", 404)
    assert [asked.path for asked in fake.asked] == ["/v1/responses", "/v1/chat/completions"] * 2


async def test_a_face_that_is_set_is_the_only_one() -> None:
    """No guessing against the operator's word; an unknown model is no unknown path."""
    async with provider(Says(body=completion())) as fake, opened(fake, face="chat") as upstream:
        await ask(upstream, Journal())
    assert [asked.path for asked in fake.asked] == ["/v1/chat/completions"]
    gone = Says(404, error("The model `x` does not exist", code="model_not_found"))
    for script, face in ((NOT_HERE, "responses"), (gone, "auto")):
        async with provider(script) as fake, opened(fake, face=face) as upstream:
            await ask(upstream, Journal())
        assert [asked.path for asked in fake.asked] == ["/v1/responses"]


USAGE = chunk(choices=[], usage={"prompt_tokens": 5, "completion_tokens": 2})


@pytest.mark.parametrize(
    ("pieces", "expected", "heard"),
    [
        (
            [delta(content="{"), delta(content="}"), delta("stop"), USAGE, b"data: [DONE]\n\n"],
            Text("{}"),
            "{}",
        ),
        ([delta(content="{}"), delta("stop")], Text("{}"), "{}"),
        ([delta(content="{"), delta("length"), USAGE], Truncated("{"), "{"),
        ([delta(refusal="no"), delta("stop"), USAGE], Refused("no"), ""),
        ([delta("content_filter")], Filtered(), ""),
    ],
)
async def test_a_streamed_completion(pieces: list[bytes], expected: Outcome, heard: str) -> None:
    """Chunks, finish reason, usage and end mark; the end mark may be missing."""
    ear = Ear()
    async with provider(Says(pieces=pieces)) as fake, opened(fake, face="chat") as upstream:
        reply = await listen(upstream, Journal(), ear)
    assert reply.outcome == expected
    assert ear.heard.get(1, "") == heard
    assert fake.asked[0].json["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    ("pieces", "kind"),
    [
        ([delta(content="{")], "connection"),
        ([delta(content="{"), chunk(error={"message": "x", "code": "rate_limit_exceeded"})], "rate"),
        ([chunk(error="overloaded")], "server"),
        ([delta(content="{"), b"data: [DONE]\n\n"], "connection"),
    ],
)
def test_a_streamed_completion_may_fail(pieces: list[bytes], kind: str) -> None:
    """Errors in the stream, and a stream without a finish reason."""
    reader = ChatReader()
    for piece in pieces:
        event = event_of(piece.removeprefix(b"data: ").strip())
        assert event is not None
        reader.hear(event)
    outcome = reader.end()[0]
    assert isinstance(outcome, Failed)
    assert outcome.kind == kind


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpt-4o", ("", "gpt-4o")),
        ("local/llama3", ("local", "llama3")),
        ("local/org/llama3", ("local", "org/llama3")),
        ("meta/llama3", ("", "meta/llama3")),
        ("local", ("", "local")),
    ],
)
def test_a_name_means_a_provider_and_a_model(name: str, expected: tuple[str, str]) -> None:
    """Only the prefixes that are providers are prefixes."""
    assert route(name, {"local": None}) == expected


def test_the_settings_add_models() -> None:
    """Own models with own prices; known models at a named provider, without a shutdown date there."""
    settings = Settings(
        models={"meta/llama3": OwnModel(input_usd_per_million=Decimal("0.0001"))},
        providers={
            "local": ProviderSettings(
                base_url="http://127.0.0.1:1/v1", models={"qwen": OwnModel(vision=True)}
            ),
            "azure": ProviderSettings(base_url="https://azure.invalid/v1"),
        },
    )
    catalogue = catalogue_of(settings, CATALOGUE)
    llama = catalogue.find("meta/llama3")
    assert llama.price is not None
    assert (llama.price.input, llama.price.output) == (1, 0)
    assert "vision" in catalogue.find("local/qwen").can
    azure = catalogue.find("azure/gpt-4o")
    assert azure.price == CATALOGUE.find("gpt-4o").price
    assert azure.stops is None
    for name in ("qwen", "azure/qwen", "other/gpt-4o", "azure/azure/gpt-4o", "azure/" * 5_000 + "gpt-4o"):
        with pytest.raises(UnknownModel):
            catalogue.find(name)


async def test_a_named_provider_is_asked_at_its_own_address() -> None:
    """With its own key, the model's name without the prefix, and the attempt under the name that was asked for."""
    async with provider(OK) as default, provider(OK) as local:
        own = ProviderSettings(base_url=local.url, api_key="sk-local", models={"llama3": OwnModel()})
        async with opened(default, providers={"local": own}) as upstream:
            reply = await ask(upstream, Journal(), model="local/llama3")
            await ask(upstream, Journal(), model="gpt-4.1-mini")
    assert reply.attempts[0].asked_model == "local/llama3"
    assert [asked.json["model"] for asked in local.asked] == ["llama3"]
    assert local.asked[0].headers["authorization"] == "Bearer sk-local"
    assert [asked.json["model"] for asked in default.asked] == ["gpt-4.1-mini"]


async def test_a_model_of_ones_own_costs_what_the_settings_say() -> None:
    """Also when its server calls it by the name of an expensive one."""
    own = {"llama3": OwnModel(input_usd_per_million=Decimal("0.01"))}
    says = Says(body=response(message(text("{}")), model="gpt-4"))
    async with provider(says) as fake, opened(fake, models=own) as upstream:
        reply = await ask(upstream, Journal(), model="llama3")
    assert reply.attempts[0].cost == 14_120


SCHEMA_FAULT = Says(
    400,
    error(
        "Invalid schema for response_format 'invoice': In context=(), 'oneOf' is not permitted.",
        code="invalid_json_schema",
        param="text.format.schema",
    ),
)


def formats(fake: Provider) -> list[str]:
    return [asked.json["text"]["format"]["name"] for asked in fake.asked]


async def test_a_refused_schema_is_tried_once_in_its_minimal_form_and_remembered() -> None:
    """The refusal is an attempt of its own; the next call of the same schema starts with the minimal form."""
    call = a_call()
    rendered = call.format.rendered.replace(b'"name":"invoice"', b'"name":"minimal"')
    call = replace(call, minimal=replace(call.format, name="minimal", rendered=rendered))
    journal = Journal()
    async with provider(SCHEMA_FAULT, OK) as fake, opened(fake, max_tries=1) as upstream:
        deadline = clock.monotonic() + 10
        first = await upstream.call(call, deadline=deadline, record=journal.record)
        second = await upstream.call(call, deadline=deadline, record=journal.record)
        assert (first.outcome, first.minimal, second.minimal) == (Text("{}"), True, True)
        assert journal.outcomes == ["failed:rejected"]
        assert formats(fake) == ["invoice", "minimal", "minimal"]
        assert (await ask(upstream, journal)).minimal is False


async def test_a_minimal_form_that_is_refused_too_ends_the_call() -> None:
    """There is nothing simpler, and without a minimal form there is nothing to try at all."""
    call = a_call()
    async with provider(SCHEMA_FAULT) as fake, opened(fake) as upstream:
        simpler = replace(call, minimal=call.format)
        for asked, attempts in ((simpler, 2), (call, 1)):
            reply = await upstream.call(asked, deadline=clock.monotonic() + 10, record=Journal().record)
            assert isinstance(reply.outcome, Failed)
            assert reply.outcome.kind == "rejected"
            assert len(reply.attempts) == attempts


async def test_the_provider_counts_input_tokens() -> None:
    """Only what is input is sent; where the endpoint is missing or slow there is no count."""
    script = (Says(body={"object": "response.input_tokens", "input_tokens": 77}), NOT_HERE, Says(delay=20))
    async with provider(*script) as fake, opened(fake) as upstream:
        assert await upstream.count(a_call("gpt-6-luna"), deadline=clock.monotonic() + 5) == 77
        assert await upstream.count(a_call(), deadline=clock.monotonic() + 5) is None
        assert await upstream.count(a_call(), deadline=clock.monotonic() + 0.1) is None
    assert fake.asked[0].path == "/v1/responses/input_tokens"
    assert set(fake.asked[0].json) == {"model", "instructions", "input", "text", "reasoning"}


async def test_the_providers_list_of_models_tells_shutdown_dates() -> None:
    """Dates by name; what is no date is left out."""
    rows = [
        {"id": "gpt-4o", "shutdown_date": "2027-01-14"},
        {"id": "gpt-6-luna", "shutdown_date": None},
        {"id": "odd", "shutdown_date": "soon"},
        7,
    ]
    async with (
        provider(Says(body={"object": "list", "data": rows}), NOT_HERE) as fake,
        opened(fake) as upstream,
    ):
        dates = await upstream.shutdown_dates(deadline=clock.monotonic() + 5)
        assert {name: str(day) for name, day in dates.items()} == {"gpt-4o": "2027-01-14"}
        assert await upstream.shutdown_dates(deadline=clock.monotonic() + 5) == {}
    assert fake.asked[0].path == "/v1/models"


async def test_a_strict_function_call_is_an_answer() -> None:
    """gpt-4-turbo answers in the arguments of the function it must call."""
    call = {"type": "function_call", "name": "invoice", "arguments": '{"a":1}', "status": "completed"}
    body = response(call, model="gpt-4-turbo-2024-04-09")
    async with provider(Says(body=body)) as fake, opened(fake) as upstream:
        reply = await ask(upstream, Journal(), model="gpt-4-turbo")
    assert reply.outcome == Text('{"a":1}')
    assert fake.asked[0].json["tools"][0]["strict"] is True


def test_a_chat_servers_reasoning_is_no_answer() -> None:
    """Text beside the content is ignored."""
    assert understand(completion("{}", reasoning_content="hm"), 200)[0] == Text("{}")
