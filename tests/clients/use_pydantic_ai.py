"""pydantic-ai over the sandbox: tool, native and prompted output, both surfaces, streams, refusals, errors."""

from functools import partial

import openai
from common import TEXT, Invoice, raised, run
from pydantic_ai import Agent, ModelHTTPError, NativeOutput, PromptedOutput, ToolOutput
from pydantic_ai.exceptions import ContentFilterError
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

MODEL = "gpt-4.1-mini"
KINDS = (OpenAIResponsesModel, OpenAIChatModel)


def tool_output() -> None:
    for kind in KINDS:
        made = Agent(kind(MODEL), output_type=ToolOutput(Invoice, strict=True)).run_sync(TEXT)
        made.output.check()
        assert made.usage.input_tokens > 50


def native_output() -> None:
    for kind in KINDS:
        Agent(kind(MODEL), output_type=NativeOutput(Invoice)).run_sync(TEXT).output.check()


def prompted_output() -> None:
    for kind in KINDS:
        Agent(kind(MODEL), output_type=PromptedOutput(Invoice)).run_sync(TEXT).output.check()


def by_name() -> None:
    """The entry that its README shows first: a model as a string."""
    Agent(f"openai:{MODEL}", output_type=Invoice).run_sync(TEXT).output.check()


def streaming() -> None:
    for kind in KINDS:
        agent = Agent(kind(MODEL), output_type=NativeOutput(Invoice))
        made = agent.run_stream_sync(TEXT)
        states = list(made.stream_output(debounce_by=None))
        assert len(states) > 1, states
        states[-1].check()


def refusal() -> None:
    for kind in KINDS:
        agent = Agent(kind("sandbox-refusal"), output_type=NativeOutput(Invoice))
        error = raised(ContentFilterError, partial(agent.run_sync, TEXT))
        assert "can't help with that request" in f"{error} {error.body}", error


def own_retries() -> None:
    for kind in KINDS:
        Agent(kind("sandbox-429-2"), output_type=NativeOutput(Invoice)).run_sync(TEXT).output.check()


def quota() -> None:
    provider = OpenAIProvider(openai_client=openai.AsyncOpenAI(max_retries=0))
    for kind in KINDS:
        agent = Agent(kind("sandbox-quota", provider=provider), output_type=NativeOutput(Invoice))
        error = raised(ModelHTTPError, partial(agent.run_sync, TEXT))
        assert error.status_code == 429, error
        assert error.body["code"] == "insufficient_quota", error


if __name__ == "__main__":
    run([tool_output, native_output, prompted_output, by_name, streaming, refusal, own_retries, quota])
