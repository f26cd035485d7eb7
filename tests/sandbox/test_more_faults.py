"""The rarer refusals: parts and items of the input, chat messages, pages of lists, values inside schemas."""

from typing import Any

import httpx2
import pytest

from service.sandbox.strict import schema_fault
from tests.sandbox.conftest import body
from tests.sandbox.test_chat import chat


def _part(**part: Any) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": [part]}]}


HERE = "input[0].content[0]"
INPUTS: list[tuple[dict[str, Any], str | None, str | None]] = [
    ({"input": ["x"]}, "input[0]", "invalid_type"),
    ({"input": [{"type": "nope"}]}, "input[0]", "invalid_value"),
    ({"input": [{"content": "x"}]}, "input[0].role", "missing_required_parameter"),
    ({"input": [{"role": "user", "content": 5}]}, "input[0].content", "invalid_type"),
    ({"input": [{"role": "user", "content": ["x"]}]}, HERE, "invalid_type"),
    (_part(text="x"), f"{HERE}.type", "missing_required_parameter"),
    (_part(type="text", text="x"), HERE, "invalid_value"),
    ({"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]}, HERE, "invalid_value"),
    ({"input": [{"role": "assistant", "content": [{"type": "refusal"}]}]}, f"{HERE}.refusal", "missing_required_parameter"),
    (_part(type="input_text"), f"{HERE}.text", "missing_required_parameter"),
    (_part(type="input_text", text=5), f"{HERE}.text", "invalid_type"),
    (_part(type="input_text", text="x", extra=1), f"{HERE}.extra", "unknown_parameter"),
    (_part(type="input_image"), f"{HERE}.image_url", "missing_required_parameter"),
    (_part(type="input_image", image_url=5), f"{HERE}.image_url", "invalid_type"),
    (_part(type="input_image", image_url="x"), f"{HERE}.image_url", "invalid_value"),
    (_part(type="input_image", image_url="https://x/y.png", detail="huge"), f"{HERE}.detail", "invalid_value"),
    (_part(type="input_file"), f"{HERE}.file_id", "missing_required_parameter"),
    (_part(type="input_file", file_id=5), f"{HERE}.file_id", "invalid_type"),
    (_part(type="input_file", file_id="a", file_url="b"), HERE, "mutually_exclusive_parameters"),
    (_part(type="input_file", file_data="data:text/plain;base64,aGk="), f"{HERE}.filename", "missing_required_parameter"),
    (_part(type="input_file", file_data="x", filename="a.txt"), f"{HERE}.file_data", "invalid_value"),
    ({"include": ["nope"]}, "include[0]", "invalid_value"),
    ({"tools": [{}]}, "tools[0].type", "missing_required_parameter"),
    ({"tools": [{"type": "function"}]}, "tools[0].name", "missing_required_parameter"),
    ({"tool_choice": 5}, "tool_choice", "invalid_type"),
    ({"tool_choice": "never"}, "tool_choice", "invalid_value"),
    ({"metadata": {"a" * 65: "x"}}, "metadata", "string_above_max_length"),
    ({"metadata": {"a": "x" * 513}}, "metadata.a", "string_above_max_length"),
    ({"text": {"bogus": 1}}, "text.bogus", "unknown_parameter"),
    ({"text": {"verbosity": "loud"}}, "text.verbosity", "invalid_value"),
    ({"text": {"format": {}}}, "text.format.type", "missing_required_parameter"),
    ({"text": {"format": {"type": "text", "name": "x"}}}, "text.format.name", "unknown_parameter"),
    ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema", "missing_required_parameter"),
    ({"text": {"format": {"type": "json_schema", "name": "x", "schema": {}, "json_schema": {}}}},
     "text.format.json_schema", "unknown_parameter"),
    ({"temperature": -1}, "temperature", "decimal_below_min_value"),
    ({"reasoning": {"effort": "extreme"}}, "reasoning.effort", "invalid_value"),
    ({"reasoning": {"effort": "low"}}, "reasoning.effort", "unsupported_parameter"),
    ({"conversation": "conv_1"}, "conversation", None),
    ({"prompt": {"id": "pmpt_1"}}, "prompt", None),
    ({"context_management": 5}, "context_management", "invalid_type"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "param", "code"), INPUTS)
async def test_every_member_is_checked(
    client: httpx2.AsyncClient, contract: Any, changes: dict[str, Any], param: str | None, code: str | None
) -> None:
    """Each fault names the member it is about."""
    answer = await client.post("/v1/responses", json={**body(), **changes})
    assert answer.status_code in (400, 404)
    contract("ErrorResponse", answer.json())
    assert (answer.json()["error"]["param"], answer.json()["error"]["code"]) == (param, code)


async def test_assistant_turns_and_call_results_are_history(client: httpx2.AsyncClient) -> None:
    """Replayed answers and function results are accepted and counted."""
    history = [
        {"role": "user", "content": "Invoice number: OLD-1"},
        {
            "role": "assistant",
            "content": [{"type": "output_text", "text": "{}"}, {"type": "refusal", "refusal": "no"}],
        },
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "done"},
    ]
    answer = await client.post("/v1/responses", json=body(input=history))
    assert answer.status_code == 200
    assert "OLD-1" in answer.json()["output"][0]["content"][0]["text"]


MESSAGES: list[tuple[dict[str, Any], int]] = [
    ({"model": None}, 400), ({"model": 5}, 400), ({"messages": "x"}, 400), ({"messages": []}, 400), ({"messages": ["x"]}, 400),
    ({"messages": [{"content": "x"}]}, 400), ({"messages": [{"role": "boss", "content": "x"}]}, 400),
    ({"messages": [{"role": "user"}]}, 400), ({"messages": [{"role": "user", "content": 5}]}, 400),
    ({"messages": [{"role": "user", "content": ["x"]}]}, 400),
    ({"messages": [{"role": "user", "content": [{"type": "input_text", "text": "x"}]}]}, 400),
    ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, 400),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]}, 400),
    ({"response_format": 5}, 400), ({"response_format": {}}, 400), ({"response_format": {"type": "xml"}}, 400),
    ({"response_format": {"type": "json_schema"}}, 400), ({"response_format": {"type": "json_object"}}, 400),
    ({"tools": [{"type": "web"}]}, 400), ({"tools": [{"type": "function"}]}, 400), ({"stop": 5}, 400), ({"n": 2}, 400),
    ({"model": "gpt-6-luna", "temperature": 0}, 400), ({"model": "gpt-6-luna", "logprobs": True}, 400),
    ({"logprobs": True, "top_logprobs": 2}, 200), ({"response_format": None}, 200),
    ({"messages": [{"role": "assistant"}, {"role": "user", "content": [{"type": "text", "text": "x"}]}]}, 200),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "status"), MESSAGES)
async def test_chat_bodies_are_checked(
    client: httpx2.AsyncClient, contract: Any, changes: dict[str, Any], status: int
) -> None:
    """Odd messages, formats and tools are refused in the envelope; the rest is answered."""
    answer = await client.post("/v1/chat/completions", json=chat(**changes))
    assert answer.status_code == status
    contract("ErrorResponse" if status == 400 else "CreateChatCompletionResponse", answer.json())


async def test_chat_scenarios_end_as_on_the_other_surface(client: httpx2.AsyncClient) -> None:
    """A failed generation is a 500; a body that is no object is 400; tools stream their arguments."""
    assert (await client.post("/v1/chat/completions", json=chat("sandbox-failed"))).status_code == 500
    assert (await client.post("/v1/chat/completions", json=[])).status_code == 400
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    sent = chat(response_format=None, tools=[tool], tool_choice="required", stream=True)
    text = (await client.post("/v1/chat/completions", json=sent)).text
    assert '"tool_calls"' in text


async def test_a_streamed_call_has_argument_events(client: httpx2.AsyncClient, contract: Any) -> None:
    """Function arguments come as deltas and once whole."""
    from tests.sandbox.test_streaming import events_of

    tool = {
        "type": "function",
        "name": "f",
        "parameters": {"type": "object", "properties": {"total": {"type": "number"}}},
    }
    sent = body(text=None, tools=[tool], tool_choice="required", stream=True)
    events = events_of((await client.post("/v1/responses", json=sent)).text)
    kinds = [event["type"] for event in events]
    assert "response.function_call_arguments.delta" in kinds
    done = next(event for event in events if event["type"] == "response.function_call_arguments.done")
    assert done["arguments"] == "".join(e["delta"] for e in events if e["type"].endswith("arguments.delta"))


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=2", 200),
        ("limit=x", 400),
        ("limit=0", 400),
        ("limit=99999", 400),
        ("order=up", 400),
        ("order=asc&limit=1", 200),
    ],
)
async def test_pages_are_cut_as_asked(client: httpx2.AsyncClient, query: str, status: int) -> None:
    """`limit` and `order` are checked."""
    assert (await client.get(f"/v1/files?{query}")).status_code == status


async def test_pages_follow_one_another(client: httpx2.AsyncClient) -> None:
    """`after` continues behind an id until nothing is left."""
    made = []
    for name in "abc":
        answer = await client.post("/v1/files", data={"purpose": "vision"}, files={"file": (name, b"x")})
        made.append(answer.json()["id"])
    seen: list[str] = []
    page = (await client.get("/v1/files?limit=2")).json()
    seen += [row["id"] for row in page["data"]]
    assert page["has_more"] is True
    page = (await client.get(f"/v1/files?limit=2&after={page['last_id']}")).json()
    seen += [row["id"] for row in page["data"]]
    assert page["has_more"] is False
    assert seen == made[::-1]


def _of(**schema: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": schema}, "required": ["a"], "additionalProperties": False}


ODD: dict[str, dict[str, Any]] = {
    "type unknown": _of(type="text"), "type twice": _of(type=["string", "string"]), "type empty": _of(type=[]),
    "enum empty": _of(type="string", enum=[]), "enum twice": _of(type="string", enum=["a", "a"]),
    "enum mixed": _of(type="string", enum=["a", 1]), "enum composite": _of(type="object", enum=[{}]),
    "const type": _of(type="string", const=5), "anyOf empty": _of(anyOf=[]), "anyOf object": _of(anyOf={}),
    "minimum text": _of(type="number", minimum="1"), "multipleOf zero": _of(type="number", multipleOf=0),
    "minItems negative": _of(type="array", items={"type": "string"}, minItems=-1), "title number": _of(type="string", title=5),
    "pattern number": _of(type="string", pattern=5), "pattern broken": _of(type="string", pattern="["),
    "back-reference": _of(type="string", pattern=r"(a)\1"), "ref missing": _of(**{"$ref": "#/$defs/none"}),
    "ref foreign": _of(**{"$ref": "https://example.com/x"}), "format number": _of(type="string", format=5),
    "nested defs": _of(**{"type": "string", "$defs": {}}), "defs list": {**_of(type="string"), "$defs": []},
    "id": {**_of(type="string"), "$id": "not a uri"}, "root enum": {**_of(type="string"), "enum": [{}]},
    "ref loop": {**_of(**{"$ref": "#/$defs/a"}), "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
    "no properties": _of(type="object", additionalProperties=False), "big enum": _of(type="integer", enum=list(range(1_001))),
    "long enum": _of(type="string", enum=[f"{n:05}" + "x" * 60 for n in range(251)]),
    "many characters": _of(type="string", const="x" * 120_001),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_strict_mode_refuses_what_no_source_accepts(name: str) -> None:
    """Each oddity of a schema is refused with a reason."""
    fault = schema_fault(ODD[name])
    assert fault is not None
    assert len(fault.message) > 10


def test_lengths_are_a_switch() -> None:
    """`minLength` is refused by default and accepted where the setting says so."""
    schema = _of(type="string", minLength=2)
    assert schema_fault(schema) is not None
    assert schema_fault(schema, allow_lengths=True) is None
