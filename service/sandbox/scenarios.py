"""Scenarios: model names that ask the sandbox to misbehave in one documented way.

A name is `sandbox`, then any number of parts, then optionally `@` and a real model whose limits, prices and
capabilities it borrows (otherwise gpt-4.1-mini):

    sandbox-refusal            sandbox-429-2+slow-1s            sandbox-truncate@gpt-6-luna

Faults without a count (`sandbox-429`) always fail. With a count N they fail N times for one request and then
work; requests are told apart by prompt_cache_key and a digest of the body. `flaky-20` fails 20 of 100
attempts, the same ones in every run.
"""

import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass

from service.sandbox.errors import ProviderError

__all__ = ["BASE_MODEL", "DESCRIPTIONS", "Fault", "Rehearsal", "Scenario", "is_scenario", "parse", "split"]

BASE_MODEL = "gpt-4.1-mini"

DESCRIPTIONS: dict[str, str] = {
    "refusal": "completed, with a refusal part instead of text",
    "truncate": "incomplete: the text stops half way, reason max_output_tokens",
    "filter": "incomplete: the text stops early, reason content_filter",
    "malformed": "completed, but the text is not JSON",
    "invalid": "completed, JSON, but not of the submitted schema",
    "failed": "status failed with error server_error, HTTP 200",
    "429[-N]": "429 rate_limit_exceeded with retry-after headers, always or N times",
    "quota": "429 insufficient_quota",
    "401": "401 invalid_api_key",
    "500[-N]": "500 server_error",
    "502-html[-N]": "502 with an HTML body, as a gateway sends",
    "overloaded[-N]": "503 server_is_overloaded with retry-after",
    "slow-Ns": "waits N seconds before it answers",
    "hang": "keeps the connection open and never answers",
    "reset": "closes the connection without an answer",
    "midstream": "stops in the middle of the body or stream, without a terminal event",
    "stream-error": "streams an error frame and then response.failed",
    "flaky-P": "500 for P of 100 attempts, chosen by a hash of request and attempt",
}

_PART = re.compile(
    r"(?P<shape>refusal|truncate|filter|malformed|invalid|failed|hang|reset|midstream|stream-error)"
    r"|(?P<fault>429|quota|401|500|502-html|overloaded)(?:-(?P<times>\d{1,4}))?"
    r"|slow-(?P<slow>\d{1,4})s"
    r"|flaky-(?P<flaky>\d{1,3})"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """An HTTP failure: always, or `times` times per distinct request."""

    kind: str
    times: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What one model name asks for; the default asks for nothing."""

    shapes: frozenset[str] = frozenset()
    faults: tuple[Fault, ...] = ()
    slow_s: float = 0.0
    flaky_percent: int = 0


def is_scenario(name: str) -> bool:
    """Whether a model name belongs to the sandbox."""
    return name == "sandbox" or name.startswith(("sandbox-", "sandbox@"))


def split(name: str) -> tuple[str, str]:
    """The scenario part and the real model it borrows from."""
    scenario, _, base = name.partition("@")
    return scenario, base or BASE_MODEL


def parse(name: str) -> Scenario:
    """The scenario of a model name; real models have the empty one.

    Raises `ProviderError` 400 naming the part that is not known.
    """
    if not is_scenario(name):
        return Scenario()
    text = split(name)[0].removeprefix("sandbox").removeprefix("-")
    shapes: set[str] = set()
    faults: list[Fault] = []
    slow = 0.0
    flaky = 0
    for part in text.split("+") if text else ():
        match = _PART.fullmatch(part.removeprefix("sandbox-"))
        if match is None:
            known = ", ".join(DESCRIPTIONS)
            raise ProviderError(
                400,
                f"The requested model '{name[:200]}' does not exist. Sandbox scenarios are: {known}.",
                param="model",
                code="model_not_found",
            )
        if match["shape"]:
            shapes.add(match["shape"])
        elif match["fault"]:
            faults.append(Fault(match["fault"], int(match["times"]) if match["times"] else None))
        elif match["slow"]:
            slow += float(match["slow"])
        else:
            flaky = min(100, int(match["flaky"]))
    return Scenario(shapes=frozenset(shapes), faults=tuple(faults), slow_s=slow, flaky_percent=flaky)


class Rehearsal:
    """Counts attempts per distinct request, so that `-N` faults end and flaky draws are repeatable."""

    _REMEMBERED = 10_000

    def __init__(self) -> None:
        self._attempts: OrderedDict[str, int] = OrderedDict()

    def attempt(self, identity: str) -> int:
        """The number of this attempt, from 1; forgets the oldest requests beyond ten thousand."""
        number = self._attempts.pop(identity, 0) + 1
        self._attempts[identity] = number
        if len(self._attempts) > self._REMEMBERED:
            self._attempts.popitem(last=False)
        return number

    @staticmethod
    def failing(scenario: Scenario, identity: str, attempt: int) -> str | None:
        """The kind of fault that this attempt meets, if any; counted faults follow one another."""
        spent = 0
        for fault in scenario.faults:
            if fault.times is None:
                return fault.kind
            spent += fault.times
            if attempt <= spent:
                return fault.kind
        if scenario.flaky_percent:
            draw = hashlib.sha256(f"{identity}:{attempt}".encode()).digest()
            if int.from_bytes(draw[:4]) % 100 < scenario.flaky_percent:
                return "500"
        return None
