"""Sockets that servers of this machine listen on."""

import socket

KEEP_ALIVE_S = 75
"""Longer than clients keep idle connections: whoever closes first must not be the server, or requests get lost."""


def bind_socket(host: str, port: int) -> socket.socket:
    """A socket bound to the first address of ``host``; port 0 takes a free one. Raises ``OSError``."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(address)
    return bound
