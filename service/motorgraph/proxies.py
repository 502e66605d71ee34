"""Reverse proxies that are trusted: who asks and how, where one of them stands between.

Only `X-Forwarded-For` and `X-Forwarded-Proto` are read. A proxy that adds one kind of header lets others through as the client
sent them, so to read `Forwarded` (RFC 7239) as well would be to believe the client.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from functools import lru_cache

MOST_HOPS = 16
SCHEMES = ("http", "https")


class Proxies:
    """The networks that proxies are in."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(network) for network in networks]

    def trusts(self, address: str) -> bool:
        """Whether a connection from there is a proxy's, so that what it says of its client is true."""
        found = _address(address) if self._networks else None
        return found is not None and any(found in network for network in self._networks)

    def seen(self, peer: str, scheme: str, headers: Mapping[bytes, bytes]) -> tuple[str, str]:
        """The address of the client, and the scheme that it used, from the headers of a `peer` that is trusted.

        Each proxy adds at the end whom it has the request from: so the last that is no proxy of ours is the client, and what
        stands before is what that one says.
        """
        told = headers.get(b"x-forwarded-proto", b"").decode("latin-1").strip().lower()
        return self._client(peer, headers.get(b"x-forwarded-for", b"")), told if told in SCHEMES else scheme

    def _client(self, peer: str, told: bytes) -> str:
        client = peer
        for hop in reversed(told.decode("latin-1").rsplit(",", MOST_HOPS)[-MOST_HOPS:]):
            found = _address(_without_port(hop.strip()))
            if found is None:
                return client
            client = str(found)
            if not self.trusts(client):
                return client
        return client


@lru_cache(maxsize=4096)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address; one of IPv4 that came by IPv6 as the former."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _without_port(hop: str) -> str:
    """`192.0.2.1:4711` and `[2001:db8::1]:4711` without what is no address."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
