"""Junk in every parameter and below every address of the service as it ships: an answer or a refusal in words, never a fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from tests.running import Service

Json = dict[str, Any]  # Any: OpenAPI is free JSON
BROWSER = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
JUNK = {
    "NUL": "%00",
    "line ends": "%0d%0aX-Injected:%20y%0d%0a",
    "no UTF-8": "%ff%fe",
    "a lone %": "%",
    "no number": "NaN",
    "a number of other letters": quote("²٣"),
    "an enormous number": "9" * 5000,
    "a script": "%22'%3E%3Cscript%3Ealert(1)%3C/script%3E",
    "half an IRI": "http:%2f%2f[",
    "a way up": "..%2f..%2f../../etc/passwd",
    "another host": "/evil.example/%5c",
}
LONGEST = 60_000  # that httpx sends
ROOTS = (
    *("/", "/sparql/", "/graphs/", "/graph/", "/changes/", "/questions/", "/explore/", "/timegate/", "/timemap/", "/ontology/"),
    *("/shapes/", "/term/", "/shape/", "/id/", "/data/", "/page/", "/id/plant/", "/data/plant/", "/page/plant/", "/page/iri/"),
    *("/concept/", "/source/", "/dumps/", "/feed/", "/version/", "/reconcile/", "/reconcile/v1/", "/static/", "/docs/"),
)


@pytest.fixture(scope="module")
def described(shipped: Service) -> Json:
    found: Json = shipped.client.get("/openapi.json").json()["paths"]
    return found


@pytest.fixture(autouse=True)
def _without_faults(shipped: Service) -> Iterator[None]:
    before = shipped.log.read_text().count("a fault of the service")
    yield
    assert shipped.client.get("/health").status_code == 200
    assert shipped.log.read_text().count("a fault of the service") == before


def is_sound(response: httpx.Response, base: str = "https://motorgraph.example/") -> bool:
    """Whether it is an answer of ours that brings nothing of a stranger to where it would be more than a text."""
    kind = response.headers.get("content-type", "")
    to = response.headers.get("location", "/")
    assert response.status_code < 500, response.text[:500]
    assert "x-injected" not in response.headers
    assert to.startswith(base) or (to.startswith("/") and not urlsplit(to.replace("\\", "/")).netloc), to
    assert response.status_code < 400 or kind.startswith(("application/problem+json", "text/html")), kind
    if kind.startswith("text/html"):
        assert "<script>alert" not in response.text
        assert "frame-ancestors" in response.headers["content-security-policy"]
    return True


def addresses(described: Json, junk: str) -> Iterator[str]:
    """Each operation that reads, with the junk in all its parameters together, and (a question reads all) in each alone."""
    for path, item in described.items():
        names = [each["name"] for each in item.get("get", {}).get("parameters", []) if each["in"] == "query"]
        where = path.replace("{kind}", "plant").replace("{", "").replace("}", "")
        if names and len(names) * len(junk) < LONGEST:
            yield f"{where}?{'&'.join(f'{name}={junk}' for name in names)}"
        if not path.startswith("/questions/"):
            yield from (f"{where}?{name}={junk}" for name in names)


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_junk_in_a_parameter_is_no_fault(shipped: Service, described: Json, junk: str) -> None:
    for address in addresses(described, junk):
        assert is_sound(shipped.client.get(address)), address


@pytest.mark.parametrize("accept", ["*/*", BROWSER], ids=["program", "browser"])
@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_junk_in_a_path_is_no_fault(shipped: Service, junk: str, accept: str) -> None:
    for root in ROOTS:
        assert is_sound(shipped.client.get(root + junk, headers={"Accept": accept})), root


def test_a_form_asks_for_no_more_claims_than_it_may_have(shipped: Service) -> None:
    for number in ("0019999999", "21", "-1", "x", "²", "9" * 5000):
        response = shipped.client.post("/validate/new", data={"claims": number, "action": "add"})
        assert response.status_code == 400
        assert "1 to 20 claims" in response.json()["detail"]


@pytest.mark.parametrize("line", ["a,b\rc,d", 'a,"b\rc",d\r', "a;\0;b", "\r"])
def test_a_text_that_looks_like_a_table_for_a_while_is_judged_or_refused(shipped: Service, line: str) -> None:
    assert is_sound(shipped.client.post("/validate", files={"file": ("x", line.encode())}))
