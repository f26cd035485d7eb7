"""Pictures that lie in a web page itself, as `data:` addresses (RFC 2397): saved pages and mails carry scans so."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

SMALLEST = 10_000
"""Characters of an address, below which it is a logo or a button and not a scan."""

_ADDRESS = re.compile(r"\s*data:image/[a-z0-9.+-]{1,40}(?:;[^,;]{0,60}){0,3};base64,", re.IGNORECASE)


def is_inlined(address: str) -> bool:
    """Whether a picture lies in the page itself."""
    return _ADDRESS.match(address) is not None


@dataclass(frozen=True, slots=True)
class Inlined:
    """The pictures of a page by their names there."""

    addresses: Mapping[str, str] = field(repr=False)

    def read(self, name: str) -> bytes:
        """The bytes; none where they are not base 64."""
        address = self.addresses[name]
        begun = _ADDRESS.match(address)
        try:
            return base64.b64decode(address[begun.end() if begun else 0 :])
        except (binascii.Error, ValueError):
            return b""
