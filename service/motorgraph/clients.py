"""Who a client is where its doings are counted: its network, and how many of them are remembered."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

MOST_KNOWN = 4096
"""Clients in one table; beyond that some are forgotten."""
_NETWORK_BITS = 64  # of an IPv6 address: whoever has one has as many as there are in the rest


def network(address: str) -> str:
    """The address, of IPv6 the network that it is in."""
    return _of_ipv6(address) if ":" in address else address


@lru_cache(maxsize=MOST_KNOWN)
def _of_ipv6(address: str) -> str:
    try:
        whole = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return str(whole.ipv4_mapped or ipaddress.IPv6Network((whole, _NETWORK_BITS), strict=False))
