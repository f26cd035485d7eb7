"""URLs as they come from a request or a redirect: read strictly, so that nobody reads them otherwise later. Pure."""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import quote, unquote, urljoin

from service.files.addresses import Address
from service.files.errors import UrlRefused

LONGEST = 2048

_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_SPLIT = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#\\]*)([^#\\]*)(?:#.*)?", re.DOTALL)
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]@]+)(?::([0-9]{1,5}))?")
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


@dataclass(frozen=True, slots=True)
class Link:
    """A URL in parts. ``host`` is lower-case ASCII without brackets; ``path`` includes the query, percent-encoded."""

    scheme: str
    host: str
    port: int
    path: str
    address: Address | None
    """The host, where it is an address and no name."""

    @property
    def text(self) -> str:
        """The URL as it is asked for."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"

    @property
    def name(self) -> str | None:
        """The last step of the path, as a file's name."""
        last = unquote(self.path.partition("?")[0].rpartition("/")[2])
        return last[:512] or None


def parse(text: str, *, http: bool, ports: Collection[int]) -> Link:
    """Read a URL.

    ``http`` allows that scheme beside https; ``ports`` are those that may be asked. Raises ``UrlRefused``.
    """
    if len(text) > LONGEST:
        raise UrlRefused(f"The URL is longer than {LONGEST} characters.")
    split = _SPLIT.fullmatch(text)
    if split is None or any(letter in text for letter in "\t\r\n\0 "):
        raise UrlRefused("This is not an absolute URL, such as `https://example.com/invoice.pdf`.")
    scheme, authority, path = split[1].lower(), split[2], split[3]
    if scheme != "https" and not (http and scheme == "http"):
        raise UrlRefused(
            "Only `https` and `http` URLs are fetched." if http else "Only `https` URLs are fetched."
        )
    if "@" in authority:
        raise UrlRefused(
            "The URL has a user or password in it; none are sent. Upload the file with `POST /v1/files`."
        )
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise UrlRefused("The URL's host cannot be read.")
    host, address = _host(match[1])
    port = int(match[2]) if match[2] else {"https": 443, "http": 80}[scheme]
    if port not in ports:
        raise UrlRefused(f"Port {port} is not asked; allowed: {', '.join(map(str, sorted(ports)))}.")
    try:
        encoded = quote(path, safe=_PRINTABLE, errors="surrogateescape")
    except UnicodeEncodeError:
        raise UrlRefused("The URL holds what is no character.") from None
    if encoded.find("?") == len(encoded) - 1:  # an empty query is none
        encoded = encoded.removesuffix("?")
    return Link(scheme, host, port, encoded if encoded.startswith("/") else f"/{encoded}", address)


def joined(base: Link, location: str) -> str:
    """Where a redirect leads, still to be read by ``parse``. Raises ``UrlRefused``."""
    try:
        return urljoin(base.text, location)
    except ValueError:
        raise UrlRefused("A redirect leads to what is no URL.") from None


def _host(written: str) -> tuple[str, Address | None]:
    try:
        if written.startswith("["):
            address: Address = ipaddress.IPv6Address(written[1:-1])
            return str(address), address
        # Also what looks like ASCII and is not: full-width digits and dots become plain ones before they are judged.
        host = written if written.isascii() else written.encode("idna").decode("ascii")
        host = host.lower().removesuffix(".")
        if _NUMBER.fullmatch(host.rpartition(".")[2]):
            # Systems read `2130706433`, `0x7f.1` and `0177.0.0.1` as addresses, and not all in the same way.
            address = ipaddress.IPv4Address(host)
            return str(address), address
    except ValueError:
        raise UrlRefused(
            "The URL's host is neither a name nor an address in its usual form (`192.0.2.1`, `[2001:db8::1]`)."
        ) from None
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise UrlRefused("The URL's host is not a host name.")
    return host, None
