"""What a URL leads to, fetched through a guard.

Whoever can make the service fetch a URL must not reach with it what only the service can reach. So for every hop, the
first and each redirect:

1. The URL is read strictly (``links``): https, no user, no odd forms of addresses, few ports.
2. The host is resolved once, here; addresses that are not public are dropped (``addresses``), and none left is a refusal.
3. The connection goes to these addresses and to nothing else: what DNS says a moment later does not matter, and the
   address of every socket is looked at once more before it is opened. TLS still verifies the host's name.
4. Nothing of the caller goes along, no cookie is kept, no proxy of the environment is used.

Size and time are capped while the answer comes in. Answers that are compressed are refused: they were not asked for,
and a small one may be large. No error quotes an answer or says what a private name resolves to.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from service.files import addresses, links
from service.files.addresses import Address
from service.files.errors import UrlBadAnswer, UrlRefused, UrlTooLarge, UrlTooSlow, UrlUnreachable
from service.files.links import Link
from service.files.settings import UrlSettings
from service.foundation import clock
from service.foundation.content import Content
from service.foundation.errors import DeadlineExceeded, WinnowError
from service.foundation.spool import Spool

if TYPE_CHECKING:
    import aiohttp

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to addresses as text. Raises ``OSError``."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_ADDRESSES = 8
_NAME_THREADS = 8
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "winnow"}


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a URL leads to. ``media_type`` is what its server says, which may be wrong."""

    content: Content = field(repr=False)
    media_type: str | None
    name: str | None = field(repr=False)


class Fetcher:
    """Opened in the app's lifespan. ``resolve`` is the system's, unless another is put in its place."""

    def __init__(self, settings: UrlSettings, spool: Spool) -> None:
        self._settings = settings
        self._spool = spool
        self._ports = frozenset(settings.ports) | ({80} if settings.allow_http else frozenset())
        self._threads: ThreadPoolExecutor | None = None
        self._tls: ssl.SSLContext | None = None
        self.resolve: Resolve = self._system

    async def open(self) -> None:
        """Ready to fetch. Raises ``OSError`` when ``ca_file`` cannot be used."""
        # Names are resolved in threads of their own: a name server that hangs must not take those that others need.
        self._threads = ThreadPoolExecutor(_NAME_THREADS, "names")
        if self._settings.ca_file is not None:
            self._tls = await asyncio.to_thread(self._make_tls)

    async def close(self) -> None:
        """Let go of the threads; one that waits for a name server is not waited for."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def fetch(self, url: str, *, deadline: float) -> Fetched:
        """What ``url`` leads to, by ``deadline`` (of ``clock.monotonic``).

        Raises ``UrlRefused``, ``UrlUnreachable``, ``UrlBadAnswer``, ``UrlTooLarge``, ``UrlTooSlow``, ``DeadlineExceeded``,
        ``SpoolUnavailable``.
        """
        if not self._settings.enabled:
            raise UrlRefused("This service does not fetch URLs. Upload the file with `POST /v1/files`.")
        allowed = self._settings.seconds
        left = deadline - clock.monotonic()
        try:
            async with asyncio.timeout(min(allowed, left)):
                return await self._follow(url)
        except TimeoutError:
            if left < allowed:
                raise DeadlineExceeded("The deadline passed while the URL was being fetched.") from None
            raise UrlTooSlow(
                f"Fetching the URL takes more than {allowed:g} seconds.", members={"allowed": allowed}
            ) from None

    async def _follow(self, url: str) -> Fetched:
        for hop in range(self._settings.max_redirects + 1):
            try:
                link = links.parse(url, http=self._settings.allow_http, ports=self._ports)
                found = await self._addresses(link)
            except (UrlRefused, UrlUnreachable) as error:
                if hop:
                    error.detail = f"Redirect {hop} leads to a URL that is not fetched: {error.detail}"
                raise
            async with self._asked(link, found) as response:
                location = response.headers.get("location")
                if response.status not in _REDIRECTS or location is None:
                    return await self._read(link, response)
            url = links.joined(link, location)
        raise UrlBadAnswer(f"The URL redirects more than {self._settings.max_redirects} times.")

    async def _addresses(self, link: Link) -> list[Address]:
        """The addresses of a host that may be asked, as they are now."""
        if link.address is not None:
            found = [link.address]
        else:
            try:
                texts = await self.resolve(link.host, link.port)
            except (OSError, UnicodeError):
                raise UrlUnreachable("The URL's host name cannot be resolved.") from None
            found = [ipaddress.ip_address(text) for text in dict.fromkeys(texts)]
        good = [one for one in found if addresses.is_allowed(one, self._settings.allow_networks)]
        if not good:
            raise UrlRefused("The URL's host has no public address.")
        return good[:_MOST_ADDRESSES]

    async def _system(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [str(entry[4][0]) for entry in found]

    @asynccontextmanager
    async def _asked(self, link: Link, found: Sequence[Address]) -> AsyncIterator["aiohttp.ClientResponse"]:
        """One request to one of the addresses ``found``, and to nothing else."""
        import aiohttp  # a service that fetches nothing need not carry it
        from yarl import URL

        if self._tls is None and link.scheme == "https":
            self._tls = await asyncio.to_thread(self._make_tls)
        connector = aiohttp.TCPConnector(
            resolver=_pinned(found),
            use_dns_cache=False,
            force_close=True,
            limit=1,
            ssl=self._tls or True,
            socket_factory=_only(frozenset(found)),
        )
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),  # ours stands around all hops
            trust_env=False,
            auto_decompress=False,
        )
        try:
            async with (
                session,
                session.get(
                    URL(link.text, encoded=True), allow_redirects=False, headers=_HEADERS
                ) as response,
            ):
                yield response
        except aiohttp.ClientConnectorCertificateError:
            raise UrlUnreachable("The certificate of the URL's host does not prove that it is it.") from None
        except aiohttp.ClientSSLError:
            raise UrlUnreachable("The URL's host cannot be spoken to by TLS.") from None
        except (aiohttp.ClientConnectorError, OSError):
            raise UrlUnreachable("The URL's host cannot be connected to.") from None
        except (aiohttp.ClientError, ValueError) as error:
            if isinstance(error, WinnowError):
                raise
            raise UrlUnreachable("The URL's host broke off, or does not speak HTTP.") from None

    async def _read(self, link: Link, response: "aiohttp.ClientResponse") -> Fetched:
        if response.status != 200:
            raise UrlBadAnswer(
                f"The URL's host answers {response.status}, not 200.", members={"answered": response.status}
            )
        packed = response.headers.get("content-encoding", "identity").strip().lower()
        if packed not in ("", "identity"):
            raise UrlBadAnswer("The URL's host sends a compressed answer, although none was asked for.")
        most = self._settings.max_bytes
        if (response.content_length or 0) > most:
            raise _too_large(most)
        filling = self._spool.filling()
        size = 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > most:
                raise _too_large(most)
            await filling.add(chunk)
        declared = response.headers.get("content-type")
        return Fetched(
            await filling.finish(),
            declared[:255].encode("ascii", "replace").decode() if declared else None,
            link.name,
        )

    def _make_tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._settings.ca_file is not None:
            context.load_verify_locations(self._settings.ca_file)
        return context


def _too_large(most: int) -> UrlTooLarge:
    return UrlTooLarge(
        f"The URL leads to more than {most:,} bytes, the most that is fetched.", members={"allowed": most}
    )


def _pinned(found: Sequence[Address]) -> "aiohttp.abc.AbstractResolver":
    """A resolver that knows one answer, whatever it is asked."""
    from aiohttp.abc import AbstractResolver, ResolveResult

    class Pinned(AbstractResolver):
        @override
        async def resolve(
            self,
            host: str,
            port: int = 0,
            family: socket.AddressFamily = socket.AF_INET,
        ) -> list[ResolveResult]:
            return [
                ResolveResult(
                    hostname=host,
                    host=str(one),
                    port=port,
                    family=socket.AF_INET if one.version == 4 else socket.AF_INET6,
                    proto=0,
                    flags=socket.AI_NUMERICHOST,
                )
                for one in found
            ]

        @override
        async def close(self) -> None:
            pass

    return Pinned()


def _only(found: frozenset[Address]) -> Callable[[Any], socket.socket]:
    """Makes sockets for these addresses, the last look before a connection."""

    def make(info: Any) -> socket.socket:
        family, kind, protocol, _, target = info
        if ipaddress.ip_address(target[0]) not in found:
            raise OSError("not an address that was checked")
        return socket.socket(family, kind, protocol)

    return make
