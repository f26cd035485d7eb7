"""The OpenAI SDK, and what its answers and errors mean. Imported by whoever opens the door: it takes 0.4 s and 40 MB."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, Self, cast

import httpx2
import openai

from service.foundation import clock
from service.upstream.call import Failed
from service.upstream.faces import Face
from service.upstream.headers import seen_in
from service.upstream.reading import Answer, Understand, parsed, read
from service.upstream.settings import ProviderSettings
from service.upstream.streaming import Frames, Reader, event_of
from service.upstream.transport import BodyTooLong, DirectClient

OnDelta = Callable[[str], None]
_DRAIN_S = 0.1


class Sdk:
    """One ``AsyncOpenAI`` over one aiohttp session, with the SDK's own retries and timeouts off."""

    def __init__(self, client: openai.AsyncOpenAI, base_url: str) -> None:
        self._client = client
        self._root = base_url.rstrip("/")  # a whole address spares the SDK the joining, 20 µs a request

    @classmethod
    async def open(cls, settings: ProviderSettings) -> Self:
        """Build the client in the loop that will use it. Nothing is sent."""
        http = DirectClient(
            origin=settings.base_url,
            max_connections=settings.max_connections,
            connect_timeout=settings.connect_timeout_s,
            max_response_bytes=settings.max_response_bytes,
        )
        await http.open()
        return cls(
            openai.AsyncOpenAI(
                # A server of one's own may need no key; the SDK wants one all the same.
                api_key=settings.api_key.get_secret_value() if settings.api_key else "none",
                organization=settings.organization,
                project=settings.project,
                base_url=settings.base_url,
                max_retries=0,
                timeout=None,
                http_client=http,
            ),
            settings.base_url,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()

    async def respond(self, face: Face, body: bytes, *, client_request_id: str) -> Answer:
        """One request with this body. What goes wrong is an answer too, never an exception.

        This is the SDK's documented way to call any endpoint. Its typed way costs 450 µs to transform the parameters
        and 210 µs to build a Response model, of which we read six members.
        """
        try:
            response = await self._client.post(
                self._root + face.path,
                cast_to=httpx2.Response,
                content=body,
                options=_options(client_request_id),
            )
        except openai.APIError as error:
            return _failure(error)
        return _read(response, face.understand)

    async def stream(self, face: Face, body: bytes, *, client_request_id: str, on_delta: OnDelta) -> Answer:
        """The same with ``"stream": true`` in the body: ``on_delta`` hears the text as it comes.

        Cancelling it hangs up on the provider.
        """
        try:
            streamed = await self._client.post(
                self._root + face.path,
                cast_to=httpx2.Response,
                content=body,
                options=_options(client_request_id),
                stream=True,
                stream_cls=openai.AsyncStream[object],
            )
        except openai.APIError as error:
            return _failure(error)
        # With this cast_to the SDK returns the response itself; its types say otherwise.
        response = cast("httpx2.Response", streamed)
        try:
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                await response.aread()  # a server that does not stream answers all at once
                return _read(response, face.understand)
            return await _heard(response, face.reader(), on_delta)
        except httpx2.HTTPError as error:
            return Answer(
                _broken(error),
                request_id=response.headers.get("x-request-id"),
                http_status=response.status_code,
            )
        finally:
            await response.aclose()

    async def fetch(self, path: str, body: bytes | None = None) -> Any:
        """The JSON value of a small answer; None when there is none, whatever the reason."""
        try:
            if body is None:
                response = await self._client.get(path, cast_to=httpx2.Response)
            else:
                response = await self._client.post(
                    path, cast_to=httpx2.Response, content=body, options=_options(clock.new_id("req"))
                )
        except openai.APIError:
            return None
        return parsed(response.content)


async def _heard(response: httpx2.Response, reader: Reader, on_delta: OnDelta) -> Answer:
    frames = Frames()
    async with aclosing(response.aiter_bytes()) as pieces:
        async for piece in pieces:
            for data in frames.feed(piece):
                event = event_of(data)
                if event is None or reader.done:
                    continue
                delta = reader.hear(event)
                if delta:
                    on_delta(delta)
            if reader.done:
                await _drained(pieces)
                break
    outcome, usage, model = reader.end()
    headers = _headers(response)
    return Answer(
        outcome,
        usage=usage,
        model=model,
        request_id=headers.get("x-request-id"),
        http_status=response.status_code,
        limits=seen_in(headers),
    )


async def _drained(pieces: AsyncIterator[bytes]) -> None:
    """Read the end of the body, which mostly is there already: only then can the connection serve another request."""
    try:
        async with asyncio.timeout(_DRAIN_S):
            async for _ in pieces:
                pass
    except (TimeoutError, httpx2.HTTPError):
        return  # the answer is whole; the connection is closed instead


def _options(client_request_id: str) -> openai.RequestOptions:
    return {"headers": {"Content-Type": "application/json", "X-Client-Request-Id": client_request_id}}


def _read(response: httpx2.Response, understand: Understand | None = None) -> Answer:
    return read(
        response.status_code,
        _headers(response),
        response.content,
        now=clock.now(),
        understand_body=understand,
    )


def _failure(error: openai.APIError) -> Answer:
    match error:
        case openai.APIStatusError():
            return _read(error.response)
        case openai.APITimeoutError():
            return Answer(Failed("timeout", "the connection to the provider timed out"))
        case _:
            return Answer(_broken(error.__cause__ or error))


def _broken(cause: BaseException) -> Failed:
    message = f"{type(cause).__name__}: {cause}"
    if isinstance(cause, httpx2.TimeoutException):
        return Failed("timeout", message)
    return Failed("protocol" if isinstance(cause, BodyTooLong) else "connection", message)


def _headers(response: httpx2.Response) -> dict[str, str]:
    """A plain mapping with lower-case names: each look-up in httpx2's own walks through all of them."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw}
