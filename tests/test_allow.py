"""`Allow` at every address: it names the methods that are answered there, and no others."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.running import TOKEN, Service

METHODS = ["HEAD", "POST", "PUT", "PATCH", "DELETE", "QUERY", "TRACE"]
WRITER = {"Authorization": f"Bearer {TOKEN}"}


def asked(running: Service, method: str, address: str, headers: dict[str, str]) -> httpx.Response:
    """The head of an answer."""
    with running.client.stream(method, address, headers=headers) as response:
        return response


def untrue(running: Service, address: str, headers: dict[str, str]) -> list[str]:
    """What `Allow` says falsely of an address."""
    announced = asked(running, "OPTIONS", address, headers).headers["allow"]
    found = [] if ("GET" in announced) == ("HEAD" in announced) else [f"{address}: of GET and HEAD only one in {announced}"]
    for method in METHODS:
        response = asked(running, method, address, headers)
        if (response.status_code == 405) == (method in announced.split(", ")):
            found.append(f"{method} {address}: {response.status_code}, of {announced}")
        if response.status_code == 405 and response.headers["allow"] != announced:
            found.append(f"{method} {address}: {response.headers['allow']}, not {announced}")
    return found


def test_every_address_takes_the_methods_that_it_allows_and_no_others(shipped: Service) -> None:
    described = shipped.client.get("/openapi.json").json()["paths"]
    addresses = [
        re.sub(r"\{\w+\}", "plant", path.replace("{what}", "entity")) for path in described if not path.startswith("/graphs")
    ]
    assert len(addresses) > 50
    assert [lie for address in ("/openapi.json", *addresses) for lie in untrue(shipped, address, {})] == []


@pytest.mark.parametrize("address", ["/graphs?graph=http://x/allow", "/graphs?default", "/graphs/allow"])
def test_a_graph_takes_the_methods_that_it_allows_and_no_others(plain: Service, address: str) -> None:
    assert untrue(plain, address, WRITER) == []
    asked(plain, "DELETE", address, WRITER)
