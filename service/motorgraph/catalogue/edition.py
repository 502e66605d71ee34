"""An edition: all that a description is made from, so that every description of one commit says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol
from urllib.parse import quote

import pyoxigraph as ox

from motorgraph.catalogue.about import About, Document
from motorgraph.catalogue.sheet import Sheet, english, iri, typed
from motorgraph.catalogue.statistics import Statistics
from motorgraph.catalogue.stock import Counted
from motorgraph.release import DumpFile, Release
from motorgraph.settings import Settings
from motorgraph.vocab import DCAT, DCTERMS, FOAF, RDF, VOID

WHOLE = "motorgraph."
"""What the files that hold all graphs are called, but for their formats."""
PLAIN_TITLE = "A plain SPARQL store"
PLAIN_DESCRIPTION = "What has been loaded or written into this store. It ships no data and says nothing of itself."
TITLE = "A knowledge graph"
DESCRIPTION = "The graph that this service holds. It says nothing of itself."


class Example(Protocol):
    """A query to start from: its name, what it asks in words, its text."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def words(self) -> str:
        """What it asks, in words."""

    @property
    def text(self) -> str:
        """What it asks, in SPARQL."""


@dataclass(frozen=True)
class Edition:
    """What was counted, for a service at `origin` with these `addresses`; the newest release of dumps, if one was made."""

    settings: Settings
    origin: str
    counted: Counted
    release: Release | None = None
    addresses: frozenset[str] = frozenset()
    queries: Sequence[Example] = ()

    @property
    def statistics(self) -> Statistics:
        """The figures."""
        return self.counted.statistics

    @property
    def about(self) -> About:
        """What the graph says of itself."""
        return self.counted.about

    @property
    def version(self) -> str:
        """The commit as the name of a version."""
        return str(self.counted.commit)

    def address(self, path: str) -> ox.NamedNode:
        """Something that this service answers."""
        return iri(self.origin + path)

    def graph_address(self, graph: str) -> ox.NamedNode:
        """Where one graph can be had; "" is the unnamed one."""
        return self.address(f"/graphs?graph={quote(graph, safe='')}" if graph else "/graphs?default")

    @cached_property
    def wholes(self) -> list[DumpFile]:
        """The files of the newest release that hold all graphs."""
        return [file for file in self._files if file.name.startswith(WHOLE)]

    @cached_property
    def views(self) -> list[DumpFile]:
        """Its files that hold some of it in another form."""
        apart = {*self.wholes, *(file for files in self._by_graph.values() for file in files)}
        return [file for file in self._files if file not in apart]

    def files_of(self, graph: str) -> list[DumpFile]:
        """Its files that hold one graph; "" is the unnamed one."""
        return self._by_graph.get(graph, [])

    @property
    def _files(self) -> Sequence[DumpFile]:
        return self.release.files if self.release else ()

    @cached_property
    def _by_graph(self) -> dict[str, list[DumpFile]]:
        found: dict[str, list[DumpFile]] = {}
        names = set(self.release.of_graphs) if self.release else set()
        for file in self._files:
            if file.name in names:
                found.setdefault(file.graph, []).append(file)
        return found

    def file_address(self, file: DumpFile) -> ox.NamedNode:
        """Where a file of the newest release is."""
        assert self.release is not None
        return self.address(f"/dumps/{self.release.commit}/{quote(file.name)}")

    def offers(self, path: str) -> bool:
        """Whether the service has this address."""
        return path in self.addresses

    @cached_property
    def catalogue(self) -> ox.NamedNode:
        """The catalogue, by the name that the graph has for it."""
        name = f"{self.settings.base}/catalogue"
        return iri(name) if self.about.values(name, f"{RDF}type") else self.address("/catalogue")

    @cached_property
    def dataset(self) -> ox.NamedNode:
        """The graph as a data set, by its own name for it."""
        listed = {value.value for value in self.about.values(self.catalogue.value, f"{DCAT}dataset")}
        own = (name for name in self.about.of_type(f"{VOID}Dataset") if name in listed)
        return iri(next(own, f"{self.origin}/catalogue#dataset"))

    @cached_property
    def title(self) -> str:
        """What the graph is called."""
        return self.about.name(self.dataset.value) or (PLAIN_TITLE if self.settings.plain else TITLE)

    @cached_property
    def description(self) -> str:
        """What it is."""
        said = self.about.one(self.dataset.value, f"{DCTERMS}description")
        return said or (PLAIN_DESCRIPTION if self.settings.plain else DESCRIPTION)

    @property
    def licence(self) -> list[ox.NamedNode]:
        """What it may be used by, as far as the graph says."""
        return self.said("license")

    @property
    def modified(self) -> ox.Literal | None:
        """When the newest commit was made."""
        return typed(self.counted.modified, "dateTime") if self.counted.modified else None

    @property
    def issued(self) -> ox.Literal | None:
        """When the first commit was made."""
        return typed(self.counted.issued, "dateTime") if self.counted.issued else None

    @property
    def uri_space(self) -> str:
        """What the IRIs of the graph's own things begin with, "" where that cannot be said."""
        return self.about.one(self.dataset.value, f"{VOID}uriSpace")

    @property
    def entities(self) -> int:
        """Things that are described: those of its own space, or where there is none all that have an IRI."""
        return self.statistics.own if self.uri_space else sum(self.statistics.spaces.values())

    @cached_property
    def sources(self) -> list[str]:
        """The data sets that the graph rests on: those that its catalogue lists beside itself."""
        listed = [value.value for value in self.about.values(self.catalogue.value, f"{DCAT}dataset")]
        return [name for name in listed if name != self.dataset.value]

    def said(self, name: str) -> list[ox.NamedNode]:
        """What the graph says of the whole with a property of DCMI Terms, as far as it is IRIs."""
        return [value for value in self.about.values(self.dataset.value, DCTERMS + name) if isinstance(value, ox.NamedNode)]

    @property
    def themes(self) -> list[ox.NamedNode]:
        """What it is about, by the list of the European Union."""
        return [value for value in self.about.values(self.dataset.value, f"{DCAT}theme") if isinstance(value, ox.NamedNode)]

    def texts(self, name: str) -> list[ox.Literal]:
        """What the graph says of the whole with a property, as far as it is text."""
        return [value for value in self.about.values(self.dataset.value, name) if isinstance(value, ox.Literal)]

    def titled(self, graph: str) -> str:
        """What a graph is called."""
        document = self.documents.get(graph)
        if document is not None and document.title:
            return f"What “{document.title}” says"
        return f"Graph {graph.removeprefix(f'{self.settings.base}/graph/')}" if graph else "The unnamed graph"

    @cached_property
    def documents(self) -> dict[str, Document]:
        """The source documents by their graph."""
        return {document.graph: document for document in self.about.documents if document.graph in self.statistics.graphs}

    def agents(self, sheet: Sheet, subject: str, name: str) -> list[ox.NamedNode]:
        """Those whom the graph names with a property (publisher, creator), each described with its name."""
        found = [value for value in self.about.values(subject, DCTERMS + name) if isinstance(value, ox.NamedNode)]
        for agent in found:
            sheet.say(agent, f"{FOAF}Agent", {f"{FOAF}name": english(self.about.name(agent.value) or agent.value)})
        return found

    def figures(self) -> dict[str, int]:
        """The counts of the whole, by the terms of VoID; the same in every description."""
        found = self.statistics
        return {
            f"{VOID}triples": found.triples,
            f"{VOID}entities": self.entities,
            f"{VOID}distinctSubjects": found.subjects,
            f"{VOID}distinctObjects": found.objects,
            f"{VOID}classes": len(found.classes),
            f"{VOID}properties": len(found.properties),
        }
