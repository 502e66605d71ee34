"""What reverse proxies say of their clients is believed where they are trusted, and nobody else is."""

from __future__ import annotations

import pytest

from motorgraph.proxies import MOST_HOPS, Proxies

OURS = Proxies(["127.0.0.1", "10.0.0.0/8", "2001:db8:1::/48"])
CLIENT = "192.0.2.7"


def client(told: str, peer: str = "127.0.0.1") -> str:
    return OURS.seen(peer, "http", {b"x-forwarded-for": told.encode("latin-1")})[0]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.255.0.1", "2001:db8:1:2::3", "::ffff:10.0.0.1"])
def test_the_addresses_and_networks_of_the_setting_are_trusted(address: str) -> None:
    assert OURS.trusts(address)


@pytest.mark.parametrize("address", ["127.0.0.2", "11.0.0.1", "2001:db8:2::3", CLIENT, "", "localhost"])
def test_nobody_else_is_trusted(address: str) -> None:
    assert not OURS.trusts(address)
    assert not Proxies([]).trusts(address)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (CLIENT, CLIENT),
        (f"1.2.3.4, {CLIENT}", CLIENT),  # the first is what the client says of itself
        (f"1.2.3.4,{CLIENT}, 10.0.0.2", CLIENT),  # a second proxy of ours has it from the first
        (f"{CLIENT}:4711", CLIENT),
        ("[2001:db8::9]:4711", "2001:db8::9"),
        ("2001:db8::9", "2001:db8::9"),
        ("::ffff:192.0.2.7", CLIENT),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),  # a client within
        ("", "127.0.0.1"),
        ("unknown", "127.0.0.1"),
        ("_hidden, 10.0.0.2", "10.0.0.2"),
        (f"{CLIENT}, nonsense\xff", "127.0.0.1"),
    ],
)
def test_the_last_that_is_no_proxy_of_ours_is_the_client(told: str, expected: str) -> None:
    assert client(told) == expected


def test_a_list_without_an_end_is_read_no_further_than_the_last_hops() -> None:
    assert client("1.2.3.4," * 100_000 + ",".join(["10.0.0.2"] * MOST_HOPS)) == "10.0.0.2"


@pytest.mark.parametrize(
    ("told", "scheme"), [("https", "https"), ("HTTP", "http"), ("", "http"), ("https, http", "http"), ("gopher", "http")]
)
def test_the_scheme_is_taken_where_it_is_one(told: str, scheme: str) -> None:
    assert OURS.seen("127.0.0.1", "http", {b"x-forwarded-proto": told.encode()})[1] == scheme
