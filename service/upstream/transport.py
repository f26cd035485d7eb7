"""The HTTP client under the OpenAI SDK: aiohttp, with as little in between as possible.

The SDK brings an aiohttp transport of its own, below the whole of ``httpx2.AsyncClient``: auth flow, redirects,
cookies, hooks and stream wrappers, none of which an API call needs. Here ``send`` goes to aiohttp at once, which
saves about a fifth of a request's CPU (measured in the report of the first issue). Everything above, from building
the request to raising status errors, stays the SDK's.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx2
from typing_extensions import override
from yarl import URL

_OWN_HEADERS = frozenset({b"host", b"content-length", b"connection", b"transfer-encoding"})
_KEEPALIVE_S = 30.0
_PLAIN_KEEPALIVE_S = 4.0
"""Without TLS a new connection costs little, and servers of one's own (uvicorn: 5 s) close idle ones early; a request
on a connection that is being closed is lost."""
_DNS_TTL_S = 60
_STREAM_FACTOR = 8
"""A streamed answer wraps each few characters in an event, and repeats the whole at the end."""
_URLS = 32
"""Addresses kept parsed: the few endpoints that are called all the time."""


class BodyTooLong(httpx2.RemoteProtocolError):
    """The answer is longer than the settings allow."""


class DirectClient(httpx2.AsyncClient):
    """An ``httpx2.AsyncClient`` for the SDK whose requests go straight to one aiohttp session.

    ``origin`` is the base URL: it decides whether TLS and a proxy of the environment are used. Redirects are not
    followed. Raises the errors of httpx2, so the SDK and its users see what they know.
    """

    def __init__(
        self, *, origin: str, max_connections: int, connect_timeout: float, max_response_bytes: int
    ) -> None:
        super().__init__(transport=_Unused(), timeout=None)
        self._origin = origin
        self._max_connections = max_connections
        self._connect_timeout = connect_timeout
        self._max_bytes = max_response_bytes
        self._session: aiohttp.ClientSession | None = None
        self._proxy: str | None = None
        self._urls: dict[str, httpx2.URL] = {}

    async def open(self) -> None:
        """Make the session; must run in the loop that will use it."""
        secure = self._origin.startswith("https:")
        connector = aiohttp.TCPConnector(
            limit=self._max_connections,
            keepalive_timeout=_KEEPALIVE_S if secure else _PLAIN_KEEPALIVE_S,
            ttl_dns_cache=_DNS_TTL_S,
            # The SDK's own choice of trusted roots, not the interpreter's, which is empty in slim images.
            ssl=httpx2.create_ssl_context() if secure else True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            # The time of an attempt is bounded from outside; only connecting has a limit of its own.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_timeout),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        )
        self._proxy = proxy_for(self._origin)

    @override
    def build_request(
        self,
        method: str,
        url: httpx2.URL | str,
        *,
        headers: Any = None,
        params: Any = None,
        content: Any = None,
        **kwargs: Any,
    ) -> httpx2.Request:
        """The request as the SDK means it.

        ``httpx2`` would merge it with defaults of the client (a base URL, headers, cookies, parameters); there are
        none, and merging nothing costs 70 µs.
        """
        if params or any(value is not None for name, value in kwargs.items() if name != "timeout"):
            return super().build_request(
                method, url, headers=headers, params=params, content=content, **kwargs
            )
        text = str(url)
        known = self._urls.get(text)
        if known is None:
            known = httpx2.URL(text)
            if len(self._urls) < _URLS:
                self._urls[text] = known
        return httpx2.Request(method, known, headers=headers, content=content)

    @override
    async def send(self, request: httpx2.Request, *, stream: bool = False, **_: Any) -> httpx2.Response:
        """One request over the session; the body is read unless ``stream``."""
        session = self._session
        if session is None:
            raise RuntimeError("the client is not open")
        try:
            data = request.content
        except httpx2.RequestNotRead:  # a multipart body, which is made as it is read
            data = await request.aread()
        # On a busy loop the end of an idle connection may have arrived and not been read yet. One turn of the loop
        # reads it, so that no request is lost on a connection that the server closed seconds ago.
        await asyncio.sleep(0)
        with _errors_of_httpx(request):
            answer = await session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=[
                    (name.decode("latin-1"), value.decode("latin-1"))
                    for name, value in request.headers.raw
                    if name.lower() not in _OWN_HEADERS
                ],
                data=data,
                allow_redirects=False,
                proxy=self._proxy,
            )
            if stream:
                body = _Body(answer, request, _STREAM_FACTOR * self._max_bytes)
                return httpx2.Response(
                    answer.status, headers=answer.raw_headers, stream=body, request=request
                )
            async with answer:
                content = await self._read(answer)
        return httpx2.Response(answer.status, headers=answer.raw_headers, content=content, request=request)

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        pieces = []
        size = 0
        async for piece in answer.content.iter_any():
            pieces.append(piece)
            size += len(piece)
            if size > self._max_bytes:
                raise BodyTooLong(f"more than {self._max_bytes} bytes")
        return b"".join(pieces)

    @override
    async def aclose(self) -> None:
        """Close the session and its connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        await super().aclose()


class _Unused(httpx2.AsyncBaseTransport):
    """Takes the place of the pool that httpx2 would build and ``send`` would never use."""


class _Body(httpx2.AsyncByteStream):
    """The body of a streamed answer. Closing it before its end closes the connection."""

    def __init__(self, answer: aiohttp.ClientResponse, request: httpx2.Request, max_bytes: int) -> None:
        self._answer = answer
        self._request = request
        self._max_bytes = max_bytes

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        with _errors_of_httpx(self._request):
            async for piece in self._answer.content.iter_any():
                size += len(piece)
                if size > self._max_bytes:
                    raise BodyTooLong(f"more than {self._max_bytes} bytes")
                yield piece

    @override
    async def aclose(self) -> None:
        self._answer.close()


@contextmanager
def _errors_of_httpx(request: httpx2.Request) -> Iterator[None]:
    """Turn the errors of aiohttp into those of httpx2: timeouts, failed connections, broken bodies, bad URLs."""
    try:
        yield
    except (aiohttp.ServerTimeoutError, TimeoutError) as error:
        raise httpx2.TimeoutException(str(error), request=request) from error
    except aiohttp.ClientConnectionError as error:
        raise httpx2.ConnectError(str(error), request=request) from error
    except (aiohttp.ClientError, ssl.SSLError, OSError, ValueError) as error:
        raise httpx2.ReadError(f"{type(error).__name__}: {error}", request=request) from error


def proxy_for(origin: str) -> str | None:
    """The proxy that the environment names for this origin, by the usual variables; never one for this machine."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    if _is_here(host) or proxy_bypass(host):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
