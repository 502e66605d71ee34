"""Every link answers: those of the pages, and those of the descriptions that machines follow."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from html import unescape
from urllib.parse import urljoin, urlsplit

import httpx
import pyoxigraph as ox
import pytest

from motorgraph.vocab import CANONICAL_BASE
from tests.running import Service

PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
RDF = {form.media_type: form for form in (ox.RdfFormat.TURTLE, ox.RdfFormat.TRIG, ox.RdfFormat.RDF_XML, ox.RdfFormat.N_TRIPLES)}
DESCRIPTIONS = (
    *("/.well-known/void", "/catalogue.ttl", "/sparql", "/feed", "/context.jsonld", "/sitemap.xml", "/openapi.json"),
    *(
        "/data/plant/ford-valencia-body-and-assembly.ttl",
        "/data/organization/geely-auto.trig",
        "/data/concept/technology/vcs.ttl",
    ),
    *("/dumps/latest/index.json", "/changes", "/timemap/data/plant/ford-valencia-body-and-assembly.ttl"),
)
MOST_OF_A_KIND = 2
"""How many addresses of one form are asked: the pages of two thousand models are made by one template."""
MOST_BYTES = 1 << 17
OF_ONE_TEMPLATE = re.compile(r"/source/.|/(ontology|shapes)/.*\.")
"""Sources, and the data of terms in every format, which test_terms.py asks of all terms; a link to a term must have a term."""
NUMBER = re.compile(r"\d+")
LINK = re.compile(r'\s(?:href|src)="(?!data:)([^"]+)"')
"""What a page links to, and what it embeds: the templates quote every attribute so, and in a text they write no such quote."""


def kind(address: str) -> tuple[str, ...]:
    """The form of an address: its first parts, the names of its parameters, its suffix."""
    parts = urlsplit(address)
    first, suffix = parts.path.split("/")[:3], parts.path.rpartition("/")[2].partition(".")[2]
    if OF_ONE_TEMPLATE.match(parts.path):
        first = first[:2]
    names = sorted(name.partition("=")[0] for name in parts.query.split("&"))
    if parts.path.startswith("/explore/") and parts.query:
        names = ["facets"]  # robots.txt asks crawlers to leave these alone: they lead to each other in all combinations
    return (*[NUMBER.sub("0", part) for part in first], *names, suffix)


def addresses(response: httpx.Response, url: str) -> Iterator[str]:
    """What a response leads to, on this service: by its links, its headers, and the IRIs of a description."""
    media_type = response.headers.get("content-type", "").partition(";")[0]
    for link in re.findall(r"<([^>]*)>\s*;", response.headers.get("link", "")):
        yield urljoin(str(response.url), link)
    if media_type == "text/html":
        yield from (urljoin(str(response.url), unescape(link)) for link in LINK.findall(response.text))
    elif media_type in RDF:
        for quad in ox.parse(response.content, RDF[media_type], base_iri=str(response.url)):
            yield from (term.value for term in (quad.subject, quad.object) if isinstance(term, ox.NamedNode))
    elif media_type in ("application/json", "application/xml", "application/link-format"):
        yield from re.findall(rf"{re.escape(url)}[^\s\"<>]*", response.text)


def on_this_service(address: str, url: str) -> str | None:
    """The address here, without a fragment; None if it is elsewhere. The graph's own IRIs are answered on any host."""
    plain = address.partition("#")[0]
    if plain.startswith(CANONICAL_BASE + "/"):
        plain = url + plain.removeprefix(CANONICAL_BASE)
    return plain if plain == url or plain.startswith(url + "/") else None


def is_of_the_past(address: str) -> bool:
    """Whether what an address tells may have gone since: other tests write to the service too, and take back what they wrote."""
    return "at=" in address or "/changes/" in address or "/version/" in address


def crawled(running: Service, descriptions: Sequence[str], aside: str = "?") -> tuple[list[str], Counter[tuple[str, ...]]]:
    """What does not answer, from the start page and some descriptions on, and how many addresses of each form there are.

    What is below the path `aside` is not asked.
    """
    url = running.url
    todo = deque([(f"{url}/", "the start")] + [(url + path, "the list of descriptions") for path in descriptions])
    seen, of_a_kind, broken = {address for address, _ in todo}, Counter[tuple[str, ...]](), []
    while todo:
        address, origin = todo.popleft()
        accept = "text/turtle, application/json;q=0.5" if "descriptions" in origin else PAGE
        with running.client.stream("GET", address, headers={"Accept": accept}, follow_redirects=True) as response:
            if response.status_code in (404, 410) and is_of_the_past(origin):
                continue
            if response.status_code >= 400:
                broken.append(f"{response.status_code} {address} (from {origin})")
                continue
            if int(response.headers.get("content-length", 0)) > MOST_BYTES:
                continue
            response.read()
        for found in dict.fromkeys(addresses(response, url)):
            here = on_this_service(found, url)
            if here is None or here in seen or here.startswith(url + aside):
                continue
            seen.add(here)
            form = kind(here)
            of_a_kind[form] += 1
            if of_a_kind[form] <= MOST_OF_A_KIND:
                todo.append((here, address))
    return broken, of_a_kind


@pytest.mark.timeout(500)  # it asks some thousands of addresses, one after the other
def test_every_link_of_pages_and_descriptions_answers(shipped: Service) -> None:
    broken, of_a_kind = crawled(shipped, DESCRIPTIONS)
    assert not broken, "\n".join(broken)
    assert len(of_a_kind) > 30  # else it has not come far


def test_every_link_of_a_bare_service_without_a_journal_answers(read_only: Service) -> None:
    described = ("/.well-known/void", "/sparql", "/feed", "/sitemap.xml", "/openapi.json", "/changes")
    broken, of_a_kind = crawled(read_only, described, aside="/docs/")  # the manual leads to what ships
    assert not broken, "\n".join(broken)
    assert len(of_a_kind) > 10
