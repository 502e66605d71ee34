"""Writes the sitemap: the pages of all things of the graph, in parts, and the index of the parts (sitemaps.org 0.9)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

import pyoxigraph as ox

from motorgraph.address import local
from motorgraph.engine.wire import Job
from motorgraph.errors import NotFound
from motorgraph.vocab import DCTERMS

if TYPE_CHECKING:
    from motorgraph.engine.reader import Outlet

MOST_ADDRESSES = 50_000
"""In one part, as the protocol has it."""
TERMS = ("/ontology/", "/shapes/")
"""Where the page of something has the address of the thing itself, with a suffix."""
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def answer(job: Job, store: ox.Store, outlet: Outlet) -> None:
    """The index, or one part of the sitemap, as XML.

    The job's `text` is a JSON object: the `origin` of the addresses, the `part` (0 for the index), when the graph was `changed`
    ("" if nobody knows), the paths of the other `pages`. Its `base` is what the graph's own IRIs begin with. Raises NotFound.
    """
    asked = json.loads(job.text)
    origin, part, changed = asked["origin"], asked["part"], asked["changed"]
    paths = list(dict.fromkeys([*asked["pages"], *_pages(store, job.base, union=job.union)]))
    parts = range(0, max(len(paths), 1), MOST_ADDRESSES)
    if part > len(parts):
        raise NotFound(f"The sitemap has {len(parts)} part{'s' if len(parts) > 1 else ''}; /sitemap.xml lists them.")
    if part == 0:
        body = _document("sitemapindex", "sitemap", [(f"{origin}/sitemap/{n}.xml", changed) for n in range(1, len(parts) + 1)])
    else:
        days = _days(store, job.base, union=job.union)
        shown = paths[parts[part - 1] :][:MOST_ADDRESSES]
        body = _document("urlset", "url", [(origin + path, days.get(path, changed)) for path in shown])
    outlet.begin("document", "application/xml")
    outlet.write(body)
    outlet.finish()


def _pages(store: ox.Store, base: str, *, union: bool) -> list[str]:
    """The paths of the pages of all things that are of a class, in order."""
    return sorted({_page(row[0].value, base) for row in _rows(store, "SELECT DISTINCT ?s { ?s a ?class }", union=union)} - {""})


def _days(store: ox.Store, base: str, *, union: bool) -> dict[str, str]:
    """When a thing was changed, by the path of its page, as far as the graph says so."""
    rows = _rows(store, f"SELECT ?s ?day {{ ?s <{DCTERMS}modified> ?day }}", union=union)
    return {_page(row[0].value, base): row[1].value for row in rows}


def _rows(store: ox.Store, text: str, *, union: bool) -> Iterator[ox.QuerySolution]:
    solutions = store.query(text, use_default_graph_as_union=not union)
    assert isinstance(solutions, ox.QuerySolutions)
    return (row for row in solutions if isinstance(row[0], ox.NamedNode))


def _page(iri: str, base: str) -> str:
    """The path of a thing's or term's page; "" for what the graph does not name itself."""
    path = local(iri, base)
    if {"?", "#"} & set(iri) or path.startswith("/graph/"):
        return ""
    return f"{path}.html" if path.startswith(TERMS) else path


def _document(root: str, item: str, entries: Sequence[tuple[str, str]]) -> bytes:
    lines = [f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{_NAMESPACE}">']
    for address, day in entries:
        when = f"<lastmod>{escape(day)}</lastmod>" if day else ""
        lines.append(f"<{item}><loc>{escape(address)}</loc>{when}</{item}>")
    return "\n".join([*lines, f"</{root}>\n"]).encode()
