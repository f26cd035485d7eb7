"""Which addresses of the network a URL may lead to: public ones only. Pure.

The lists are our own, not ``ipaddress.is_global``: what that says differs between Python's versions, and it calls
NAT64 and 6to4 global, which carry private IPv4 addresses inside.
"""

import ipaddress
from collections.abc import Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NOT_PUBLIC_4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's metadata, in the middle of public addresses
        "169.254.0.0/16",  # link-local; metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
"""All unicast that was ever given out. Outside lie loopback, unique local and link-local addresses, multicast, IPv4 in
its compatible and mapped forms, NAT64 (64:ff9b::/96 and 64:ff9b:1::/48) and the discard prefix."""

_NOT_PUBLIC_6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, among them Teredo (2001::/32), which carries IPv4
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which carries IPv4
        "3fff::/20",  # documentation
    )
)


def is_allowed(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Whether a request may be sent to ``address``: it is public, or the operator has ``allowed`` its network."""
    if any(address in network for network in allowed):
        return True
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if getattr(address, "scope_id", None) is not None:
        return False
    return address in _PUBLIC_6 and not any(address in network for network in _NOT_PUBLIC_6)
