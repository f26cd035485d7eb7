"""One provider: its client, its rate limits, the API it speaks, and what it was found not to accept."""

import asyncio
from contextlib import suppress
from hashlib import sha256
from importlib import import_module
from typing import TYPE_CHECKING

from service.catalogue import Model
from service.foundation import clock
from service.upstream.call import Call, Failed, ResponseFormat
from service.upstream.faces import CHAT, RESPONSES, Face
from service.upstream.limits import Limits
from service.upstream.reading import Answer
from service.upstream.settings import ProviderSettings

if TYPE_CHECKING:
    from service.upstream.sdk import OnDelta, Sdk

_LASTING_S = 60.0
_REMEMBERED = 10_000
_NO_SUCH_PATH = frozenset({404, 405, 501})


class Provider:
    """Asks one provider once. Retries, prices and records are its user's."""

    def __init__(self, settings: ProviderSettings, limits: Limits) -> None:
        self.settings = settings
        self.limits = limits
        self._failure: Failed | None = None
        self._failed_at = 0.0
        self._face: Face = CHAT if settings.face == "chat" else RESPONSES
        self._refused: dict[bytes, None] = {}
        self._sdk: Sdk | None = None
        self._opening: asyncio.Task[Sdk] | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can be asked, at once or as soon as the client is loaded."""
        return self._opening is not None

    async def client(self) -> "Sdk":
        """The client, once it is loaded. Raises ``RuntimeError`` before ``open``."""
        if self._sdk is None:
            if self._opening is None:
                raise RuntimeError("the upstream is not open")
            self._sdk = await asyncio.shield(self._opening)
        return self._sdk

    def open(self) -> None:
        """Begin to build the client; nothing is sent, and whoever asks meanwhile waits for it.

        Loading the SDK takes 0.8 s of CPU: a service listens before that, and what needs no provider is answered.
        """
        if self._opening is None:
            self._opening = asyncio.create_task(self._load(), name="load the SDK")

    async def _load(self) -> "Sdk":
        # A process that never calls a provider need not hold the SDK.
        module = await asyncio.to_thread(import_module, "service.upstream.sdk")
        sdk: Sdk = await module.Sdk.open(self.settings)
        return sdk

    async def close(self) -> None:
        """Close every connection."""
        opening, self._opening = self._opening, None
        if opening is None:
            return
        with suppress(asyncio.CancelledError):
            # An import under way cannot be interrupted, and what it opens must be closed.
            await (await asyncio.shield(opening)).close()
        self._sdk = None

    async def ask(self, call: Call, model: Model, *, attempt_id: str, on_delta: "OnDelta | None") -> Answer:
        """One attempt. A server that turns out not to know ``/responses`` is asked again, by its other face."""
        face = self._face
        answer = await self._ask(face, call, model, attempt_id, on_delta)
        if face is RESPONSES and self.settings.face == "auto" and _unknown_path(answer):
            other = await self._ask(CHAT, call, model, attempt_id, on_delta)
            if not _unknown_path(other):
                self._face, answer = CHAT, other
        self._failure = answer.outcome if isinstance(answer.outcome, Failed) else None
        self._failed_at = clock.monotonic()
        return answer

    def lasting_failure(self) -> Failed | None:
        """The last answer, if it was a failure that the next request will meet too: our key, or our account.

        Forgotten after a minute: whoever sends no requests because of it would never see it cured.
        """
        failure = self._failure
        if failure is None or failure.kind not in ("credentials", "quota"):
            return None
        return failure if clock.monotonic() - self._failed_at < _LASTING_S else None

    def refuses(self, form: ResponseFormat) -> bool:
        """Whether the provider was found not to accept this form of a schema."""
        return bool(self._refused) and _digest(form) in self._refused

    def note_refusal(self, form: ResponseFormat) -> None:
        """Remember that it does not; the oldest of ten thousand is forgotten."""
        self._refused[_digest(form)] = None
        while len(self._refused) > _REMEMBERED:
            del self._refused[next(iter(self._refused))]

    async def _ask(
        self, face: Face, call: Call, model: Model, attempt_id: str, on_delta: "OnDelta | None"
    ) -> Answer:
        body = face.encode(call, model, stream=on_delta is not None)
        sdk = self._sdk or await self.client()
        if on_delta is None:
            return await sdk.respond(face, body, client_request_id=attempt_id)
        return await sdk.stream(face, body, client_request_id=attempt_id, on_delta=on_delta)


def _unknown_path(answer: Answer) -> bool:
    return (
        isinstance(answer.outcome, Failed)
        and answer.outcome.kind in ("protocol", "rejected", "server")
        and answer.http_status in _NO_SUCH_PATH
    )


def _digest(form: ResponseFormat) -> bytes:
    return sha256(form.rendered).digest()
