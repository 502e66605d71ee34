"""What the service says of itself: the SPARQL 1.1 Service Description, from what runs and what the graph holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyoxigraph as ox

from motorgraph.media import GRAPHS, READABLE, SOLUTIONS, Format
from motorgraph.settings import Settings
from motorgraph.vocab import FORMATS, RDF, SD, VOID

PREFIXES = {"sd": SD, "void": VOID, "formats": FORMATS}
LANGUAGES = ("SPARQL10Query", "SPARQL11Query", "SPARQL11Update")


class Description:
    """The triples about one service; `triples` counts them by graph, "" being the default graph."""

    def __init__(self, endpoint: str, settings: Settings, triples: Mapping[str, int]) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self._triples = triples

    def serialised(self, form: Format) -> bytes:
        """The description in an RDF format."""
        made = ox.serialize(self._statements(), format=ox.RdfFormat.from_media_type(form.media_type), prefixes=PREFIXES)
        assert made is not None
        return made

    def _statements(self) -> Iterator[ox.Triple]:
        service, dataset = ox.BlankNode("service"), ox.BlankNode("dataset")
        yield from _about(service, SD + "Service", endpoint=ox.NamedNode(self._endpoint), defaultDataset=dataset)
        for language in self._languages():
            yield _triple(service, "supportedLanguage", ox.NamedNode(SD + language))
        for feature in self._features():
            yield _triple(service, "feature", ox.NamedNode(SD + feature))
        yield from _formats(service, "resultFormat", (*SOLUTIONS, *GRAPHS))
        if self._settings.is_writable:
            yield from _formats(service, "inputFormat", READABLE)
        yield from self._dataset(dataset)

    def _languages(self) -> tuple[str, ...]:
        return LANGUAGES if self._settings.is_writable else LANGUAGES[:-1]

    def _features(self) -> Iterator[str]:
        if self._settings.is_union:
            yield "UnionDefaultGraph"
        else:
            yield "EmptyGraphs"
        if self._settings.service_hosts:
            yield "BasicFederatedQuery"

    def _dataset(self, dataset: ox.BlankNode) -> Iterator[ox.Triple]:
        default = ox.BlankNode("default")
        yield from _about(dataset, SD + "Dataset", defaultGraph=default)
        yield from _graph(default, self._triples.get("", 0))
        for place, (name, count) in enumerate(sorted(self._triples.items())):
            if name:
                named, graph = ox.BlankNode(f"named{place}"), ox.BlankNode(f"graph{place}")
                yield _triple(dataset, "namedGraph", named)
                yield from _about(named, SD + "NamedGraph", name=ox.NamedNode(name), graph=graph)
                yield from _graph(graph, count)


def _triple(subject: ox.BlankNode | ox.NamedNode, name: str, value: ox.NamedNode | ox.BlankNode) -> ox.Triple:
    return ox.Triple(subject, ox.NamedNode(SD + name), value)


def _about(subject: ox.BlankNode, kind: str, **values: ox.NamedNode | ox.BlankNode) -> Iterator[ox.Triple]:
    yield ox.Triple(subject, ox.NamedNode(RDF + "type"), ox.NamedNode(kind))
    for name, value in values.items():
        yield _triple(subject, name, value)


def _graph(graph: ox.BlankNode, count: int) -> Iterator[ox.Triple]:
    yield from _about(graph, SD + "Graph")
    yield ox.Triple(graph, ox.NamedNode(VOID + "triples"), ox.Literal(count))


def _formats(service: ox.BlankNode, name: str, formats: tuple[Format, ...]) -> Iterator[ox.Triple]:
    for form in formats:
        if form.iri:
            yield _triple(service, name, ox.NamedNode(form.iri))
