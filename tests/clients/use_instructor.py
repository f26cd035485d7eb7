"""instructor over the sandbox: tools, strict tools, JSON schema, the Responses API, partial records, refusals."""

import asyncio
from functools import partial
from typing import Any

import instructor
import openai
from common import TEXT, Invoice, raised, run
from instructor.core import InstructorRetryException

MODEL = "gpt-4.1-mini"
MESSAGES = [{"role": "user", "content": TEXT}]


def made(mode: instructor.Mode, model: str = MODEL, **changes: Any) -> Any:
    client = instructor.from_openai(openai.OpenAI(), mode=mode)
    return client.create(model=model, messages=MESSAGES, response_model=Invoice, **changes)


def tools() -> None:
    made(instructor.Mode.TOOLS).check()


def json_schema() -> None:
    made(instructor.Mode.JSON_SCHEMA).check()


def json_mode() -> None:
    made(instructor.Mode.JSON).check()


def responses_tools() -> None:
    made(instructor.Mode.RESPONSES_TOOLS).check()


def from_provider() -> None:
    """The entry that instructor's README shows first."""
    client = instructor.from_provider(f"openai/{MODEL}")
    client.create(messages=MESSAGES, response_model=Invoice).check()


def streaming() -> None:
    client = instructor.from_openai(openai.OpenAI(), mode=instructor.Mode.TOOLS)
    states = list(client.create_partial(model=MODEL, messages=MESSAGES, response_model=Invoice))
    assert len(states) > 3, states
    assert states[0].invoice_number != states[-1].invoice_number
    Invoice.model_validate(states[-1].model_dump()).check()


def refusal() -> None:
    """Its tool mode asserts that nothing was refused; its retry loop may wrap that."""
    call = partial(made, instructor.Mode.TOOLS, model="sandbox-refusal", max_retries=0)
    error = raised((AssertionError, InstructorRetryException), call)
    assert "can't help with that request" in str(error), error


def invalid_answers_are_asked_again() -> None:
    """Its own loop asks again when a record does not validate, and gives up with its own error."""
    call = partial(made, instructor.Mode.JSON_SCHEMA, model="sandbox-invalid", max_retries=1)
    error = raised(InstructorRetryException, call)
    assert error.n_attempts == 2, error.n_attempts


def own_retries() -> None:
    made(instructor.Mode.TOOLS, model="sandbox-429-2").check()


def quota() -> None:
    client = instructor.from_openai(openai.OpenAI(max_retries=0))
    call = partial(
        client.create, model="sandbox-quota", messages=MESSAGES, response_model=Invoice, max_retries=0
    )
    error = raised(InstructorRetryException, call)
    assert isinstance(error.__cause__, openai.RateLimitError), error
    assert error.__cause__.code == "insufficient_quota"


def asynchronous() -> None:
    async def check() -> None:
        client = instructor.from_openai(openai.AsyncOpenAI())
        records = await asyncio.gather(
            *(client.create(model=MODEL, messages=MESSAGES, response_model=Invoice) for _ in range(4))
        )
        for record in records:
            record.check()

    asyncio.run(check())


if __name__ == "__main__":
    run([
        tools, json_schema, json_mode, responses_tools, from_provider, streaming, refusal,
        invalid_answers_are_asked_again, own_retries, quota, asynchronous,
    ])  # fmt: skip
