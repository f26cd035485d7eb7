"""The one API key."""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass

from pydantic import BaseModel, Field, SecretStr

from service.foundation.errors import Unauthorized


class Settings(BaseModel):
    """Who may call."""

    api_key: SecretStr | None = Field(
        None,
        description="The bearer token callers must send. Needed on any address but loopback.",
    )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent the request."""

    name: str


_ANYBODY = Caller("anybody")
_KEY_HOLDER = Caller("default")


class Gate:
    """Lets callers in."""

    def __init__(self, settings: Settings) -> None:
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        self._key = key.encode()

    def admit(self, authorization: str | None) -> Caller:
        """The caller behind an ``Authorization`` header.

        Raises ``Unauthorized``. The comparison takes the same time wherever the keys differ.
        """
        if not self._key:
            return _ANYBODY
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized("No API key was sent. Add the header `Authorization: Bearer <key>`.")
        if not hmac.compare_digest(token.strip().encode("utf-8", "surrogateescape"), self._key):
            raise Unauthorized("The API key is not valid.")
        return _KEY_HOLDER

    def scope(self, authorization: str | None) -> str:
        """Whose things these are, for what is kept per caller: the digest of the key; one for all without a key.

        Raises ``Unauthorized``.
        """
        if self.admit(authorization) is _ANYBODY:
            return _ANYBODY.name
        return hashlib.sha256(self._key).hexdigest()


def is_loopback(host: str) -> bool:
    """Whether a server bound to ``host`` can only be reached from its own machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
