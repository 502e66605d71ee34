"""What runs here: the version, the commit, what the graph holds, the limits in force, what is kept to."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

import pyoxigraph as ox

from motorgraph import __version__
from motorgraph.access import SECURITY_TXT
from motorgraph.catalogue.stock import Counted, Stock
from motorgraph.inquiry import Inquiry
from motorgraph.judged import Verdict
from motorgraph.limits import Limits
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded
from motorgraph.vocab import LICENCE, Names

Json = dict[str, Any]  # Any: plain JSON
ENGINES = {"pyoxigraph": "graph, SPARQL, RDF formats", "pyshacl": "judgement by the shapes", "rdflib": "terms and shapes"}
MOST_KINDS = 40
MOST_GRAPHS = 40
NO_LIMITS = {"port", "follow_seconds"}
"""Numbers among the settings that bound nothing."""
_LABELS = """PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?class (SAMPLE(?l) AS ?label) { GRAPH $graph { ?class rdfs:label ?l FILTER(LANG(?l) IN ("", "en")) } } GROUP BY ?class"""


@dataclass(frozen=True, slots=True)
class Standard:
    """Something that the service keeps to: its name and text, where it is met here, and what the tests hold it against."""

    name: str
    text: str
    where: str
    tested: str


STANDARDS = (
    Standard(
        "SPARQL 1.1 Query, Update, Protocol, result formats",
        "https://www.w3.org/TR/sparql11-overview/",
        "/sparql",
        "queries, updates and refusals over HTTP, in every format",
    ),
    Standard(
        "SPARQL 1.1 Graph Store HTTP Protocol",
        "https://www.w3.org/TR/sparql11-http-rdf-update/",
        "/graphs",
        "each method, direct and indirect",
    ),
    Standard(
        "SHACL with SPARQL constraints",
        "https://www.w3.org/TR/shacl/",
        "/validate",
        "a valid and an invalid case for each shape; judgement of a change against that in full, on graphs made at random",
    ),
    Standard(
        "RDF 1.1 and JSON-LD 1.1",
        "https://www.w3.org/TR/json-ld11/",
        "/context.jsonld",
        "what is sent, read back as the same graph",
    ),
    Standard("VoID", "https://www.w3.org/TR/void/", "/.well-known/void", "its counts against those of queries"),
    Standard(
        "DCAT 3, DCAT-AP 3.0",
        "https://www.w3.org/TR/vocab-dcat-3/",
        "/catalogue",
        "what the profile makes mandatory, and for the whole what it recommends",
    ),
    Standard(
        "Memento (RFC 7089)",
        "https://www.rfc-editor.org/rfc/rfc7089",
        "/changes",
        "TimeGates, TimeMaps, and each memento's content",
    ),
    Standard(
        "Linked Data Event Streams, TREE",
        "https://w3id.org/ldes/specification",
        "/feed",
        "what both ask of a page; the graph made of the members by a client",
    ),
    Standard(
        "RDF Dataset Canonicalization 1.0",
        "https://www.w3.org/TR/rdf-canon/",
        "/dumps/",
        "graphs that differ only in the names of blank nodes have one form",
    ),
    Standard(
        "Reconciliation Service API 0.2 and 1.0-draft",
        "https://reconciliation-api.github.io/specs/0.2/",
        "/reconcile",
        "the schemas of the specification",
    ),
    Standard(
        "HTTP: negotiation, conditions, ranges (RFC 9110); problems (RFC 9457); digests (RFC 9530); bearer tokens (RFC 6750)",
        "https://www.rfc-editor.org/rfc/rfc9110",
        "/docs/http",
        "each over HTTP; and requests that mean ill",
    ),
    Standard("Model Context Protocol", "https://modelcontextprotocol.io/", "/mcp", "its official client"),
    Standard(
        "OpenAPI 3.1",
        "https://spec.openapis.org/oas/v3.1.0",
        "/openapi.json",
        "the description against the routes and what they answer",
    ),
    Standard(
        "WCAG 2.2 AA", "https://www.w3.org/TR/WCAG22/", "/", "the pages in a browser, by axe; keyboard, 320 pixels, both themes"
    ),
)


class Status:
    """Tells what runs here; nothing of it says where on the machine or who may write."""

    def __init__(self, store: Embedded, settings: Settings, stock: Stock, questions: int) -> None:
        self._store = store
        self._settings = settings
        self._stock = stock
        self._questions = questions
        self._inquiry = Inquiry(store)
        self._started = time.monotonic()
        self._labels: tuple[int, Mapping[str, str]] = (0, {})

    async def told(self) -> Json:
        """All of it as plain JSON; the parts that wait for the graph are null until it is there."""
        is_ready = self._store.is_ready
        return {
            "software": {"name": "motorgraph", "version": __version__, "uptime_seconds": round(time.monotonic() - self._started)},
            "mode": modes(self._settings, keeps_history=self._store.keeps_history if is_ready else None),
            "stage": self._store.stage,
            "commit": await self._commit() if is_ready else None,
            "graph": await self._graph() if is_ready else None,
            "limits": limits(self._settings, self._store.pool.limits),
            "judgement": judgement(self._settings, self._store.verdict) if is_ready else None,
            "questions": self._questions,
            "security": {"model": "/docs/security", "contact": SECURITY_TXT if self._settings.security_contact else None},
            "engines": {name: metadata.version(name) for name in ENGINES} | {"python": platform.python_version()},
            "standards": [asdict(standard) for standard in STANDARDS],
            "licences": {
                "software": "https://www.apache.org/licenses/LICENSE-2.0",
                "data": None if self._settings.plain else LICENCE,
                "credits": "/licence",
            },
        }

    async def _commit(self) -> Json:
        return {"number": self._store.commit, "time": await self._stock.modified(), "lineage": self._store.lineage}

    async def _graph(self) -> Json:
        counted = await self._stock.counted()
        return {"commit": counted.commit, **_held(counted, self._settings.base), "things": await self._things(counted)}

    async def _things(self, counted: Counted) -> list[Json]:
        """How many things there are of each class of the ontology (in a plain store: of each class), the most first."""
        if self._labels[0] != counted.commit:
            graph = ox.NamedNode(Names(self._settings.base).graph("ontology"))
            rows = [] if self._settings.plain else await self._inquiry.rows(_LABELS, graph=graph)
            self._labels = counted.commit, {row["class"]: row["label"] for row in rows}
        labels = self._labels[1]
        space = f"{self._settings.base}/ontology/"
        classes = counted.statistics.classes
        own = {name: count for name, count in classes.items() if self._settings.plain or name.startswith(space)}
        largest = sorted(own, key=lambda name: (-own[name], name))[:MOST_KINDS]
        return [{"class": name, "label": labels.get(name, name), "count": own[name]} for name in largest]


def _held(counted: Counted, base: str) -> Json:
    """Triples in all, by graph, and in the graphs of source documents together."""
    of_documents = f"{base}/graph/source/"
    graphs = counted.statistics.graphs
    sources = [count for name, count in graphs.items() if name.startswith(of_documents)]
    others = sorted((name for name in graphs if not name.startswith(of_documents)), key=lambda name: (-graphs[name], name))
    return {
        "triples": counted.statistics.triples,
        "graphs": {name: graphs[name] for name in others[:MOST_GRAPHS]},
        "further_graphs": max(len(others) - MOST_GRAPHS, 0),
        "source_documents": {"graphs": len(sources), "triples": sum(sources)},
    }


def modes(settings: Settings, *, keeps_history: bool | None) -> list[str]:
    """In which modes the service runs, in words; `keeps_history` is None as long as that is not known."""
    found = [
        "read replica" if settings.follow else "takes changes from bearers of a token" if settings.is_writable else "read-only"
    ]
    if settings.plain:
        found.append("plain store, without the shipped graph")
    if settings.remote:
        found.append("the graph is in another engine")
    found.append("reads need a token" if settings.protect_reads else "reads are open")
    if keeps_history is not None:
        found.append("every commit is kept" if keeps_history else "no journal: the graph is what its files say")
    return found


def limits(settings: Settings, in_force: Limits) -> list[Json]:
    """The limits in force: each by the setting that changes it, with its value and what it bounds."""
    found = []
    for name, field in Settings.model_fields.items():
        value = in_force.readers if name == "readers" else getattr(settings, name)
        if name not in NO_LIMITS and isinstance(value, int | float) and not isinstance(value, bool):
            found.append({"setting": name.replace("_", "-"), "value": value, "what": field.description or ""})
    found.append(
        {
            "setting": "service-hosts",
            "value": len(settings.service_hosts),
            "what": "Hosts that SERVICE may ask." if settings.service_hosts else "Hosts that SERVICE may ask: none.",
        }
    )
    return found


def judgement(settings: Settings, verdict: Verdict | None) -> Json | None:
    """What the shapes said of the graph that the service started with; none of a plain store and of a replica.

    `findings` is null where the verdict was kept by a service that did not count them.
    """
    if settings.plain or verdict is None:
        return None
    return {"conforms": True, "total": verdict.get("warnings_and_infos"), "findings": verdict.get("findings")}
