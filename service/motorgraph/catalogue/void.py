"""VoID: what is in the graph, by class and property, what it links to, and where all of it can be had.

Partitions by class of the object are `void:classPartition`s of a property's partition, those by datatype `void-ext`'s: so tools
that write SPARQL look for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

import pyoxigraph as ox

from motorgraph.catalogue.edition import Edition, Example
from motorgraph.catalogue.sheet import Node, Sheet, english, iri, typed
from motorgraph.catalogue.statistics import Partition, Use
from motorgraph.media import GRAPHS
from motorgraph.vocab import DCAT, DCTERMS, FOAF, OWL, RDF, RDFS, SCHEMA, SD, SH, VOID, VOID_EXT

PATH = "/.well-known/void"
MOST_PARTITIONS = 1000
"""Of the whole by class, and by property; those left out are the smallest."""
MOST_LINKSETS = 100
LEAST_LINKS = 2
_SCHEMA_TERMS = (RDF, RDFS, OWL, SH, VOID, SD)
_VOCABULARY_HOSTS = {"www.w3.org", "purl.org", "xmlns.com", "schema.org", "rdfs.org", "www.opengis.net"}
_FORMS = re.compile(r"^\s*(SELECT|ASK|CONSTRUCT|DESCRIBE)\b", re.IGNORECASE | re.MULTILINE)


def void_description(edition: Edition) -> Sheet:
    """The document at /.well-known/void."""
    sheet = Sheet()
    sheet.say(
        edition.address(PATH),
        f"{VOID}DatasetDescription",
        {
            f"{DCTERMS}title": english(f"VoID description of {edition.title}"),
            f"{DCTERMS}creator": edition.agents(sheet, edition.dataset.value, "creator"),
            f"{DCTERMS}publisher": edition.agents(sheet, edition.dataset.value, "publisher"),
            f"{DCTERMS}modified": edition.modified,
            f"{FOAF}primaryTopic": edition.dataset,
        },
    )
    _whole(sheet, edition)
    classes = islice(edition.statistics.classes.items(), MOST_PARTITIONS)
    properties = islice(edition.statistics.properties.items(), MOST_PARTITIONS)
    graphs = filter(None, edition.statistics.graphs)
    parts: dict[str, list[Node]] = {
        f"{VOID}classPartition": [_of_class(sheet, edition, name, count) for name, count in classes],
        f"{VOID}propertyPartition": [_of_property(sheet, name, use) for name, use in properties],
        f"{VOID}subset": [*_linksets(sheet, edition), *(_of_graph(sheet, edition, name) for name in graphs)],
    }
    sheet.say(edition.dataset, (), parts)
    for query in edition.queries:
        _executable(sheet, edition, query)
    return sheet


def _whole(sheet: Sheet, edition: Edition) -> None:
    sheet.say(
        edition.dataset,
        (f"{VOID}Dataset", f"{DCAT}Dataset"),
        {
            f"{DCTERMS}title": english(edition.title),
            f"{DCTERMS}description": english(edition.description),
            f"{DCTERMS}creator": edition.agents(sheet, edition.dataset.value, "creator"),
            f"{DCTERMS}publisher": edition.agents(sheet, edition.dataset.value, "publisher"),
            f"{DCTERMS}license": edition.licence,
            f"{DCTERMS}source": edition.said("source"),
            f"{DCTERMS}modified": _day(edition.counted.modified),
            f"{DCTERMS}issued": _day(edition.counted.issued),
            f"{DCAT}version": edition.version,
            f"{FOAF}homepage": edition.address("/"),
            **edition.figures(),
            f"{VOID}uriSpace": edition.uri_space or None,
            f"{VOID}exampleResource": [iri(example) for example in edition.about.examples],
            f"{VOID}vocabulary": [iri(name) for name in edition.statistics.vocabularies[:MOST_PARTITIONS]],
            f"{VOID}feature": [iri(form.iri) for form in GRAPHS],
            f"{VOID}sparqlEndpoint": edition.address("/sparql"),
            f"{VOID}dataDump": _dumps(edition, ""),
        },
    )


def _day(time: str) -> ox.Literal | None:
    return typed(time[:10], "date") if time else None


def _dumps(edition: Edition, graph: str) -> list[ox.NamedNode]:
    """The files of a graph, "" for the whole; without a release, where the service gives it."""
    there = edition.graph_address(graph) if graph else edition.address("/graphs")
    files = edition.files_of(graph) if graph else edition.wholes
    return [edition.file_address(file) for file in files] or [there]


def _of_class(sheet: Sheet, edition: Edition, name: str, count: int) -> Node:
    parts = edition.statistics.partitions.get(name, {})
    return sheet.part(
        f"{VOID}Dataset",
        {
            f"{VOID}class": iri(name),
            f"{VOID}entities": count,
            f"{VOID}properties": len(parts) or None,
            f"{VOID}triples": sum(part.triples for part in parts.values()) or None,
            f"{VOID}propertyPartition": [_of_both(sheet, property_, part) for property_, part in parts.items()],
        },
    )


def _of_both(sheet: Sheet, name: str, part: Partition) -> Node:
    """A property as the things of a class use it."""
    classes = [
        sheet.part(f"{VOID}Dataset", {f"{VOID}class": iri(of), f"{VOID}triples": count}) for of, count in part.classes.items()
    ]
    datatypes = [
        sheet.part(f"{VOID}Dataset", {f"{VOID_EXT}datatype": iri(of), f"{VOID}triples": count})
        for of, count in part.datatypes.items()
    ]
    return sheet.part(
        f"{VOID}Dataset",
        {
            f"{VOID}property": iri(name),
            f"{VOID}triples": part.triples,
            f"{VOID}distinctSubjects": part.subjects,
            f"{VOID}classPartition": classes,
            f"{VOID_EXT}objectClassPartition": classes,
            f"{VOID_EXT}datatypePartition": datatypes,
        },
    )


def _of_property(sheet: Sheet, name: str, use: Use) -> Node:
    return sheet.part(
        f"{VOID}Dataset",
        {
            f"{VOID}property": iri(name),
            f"{VOID}triples": use.triples,
            f"{VOID}distinctSubjects": use.subjects,
            f"{VOID}distinctObjects": use.objects,
        },
    )


def _of_graph(sheet: Sheet, edition: Edition, name: str) -> Node:
    return sheet.say(
        iri(name),
        f"{VOID}Dataset",
        {
            f"{DCTERMS}title": english(edition.titled(name)),
            f"{VOID}triples": edition.statistics.graphs[name],
            f"{VOID}dataDump": _dumps(edition, name),
        },
    )


def _linksets(sheet: Sheet, edition: Edition) -> Iterator[Node]:
    """What points out of the graph, by property and the host that is pointed at; links to vocabularies are none."""
    own = {host for host, count in edition.statistics.spaces.items() if 100 * count >= edition.statistics.subjects}
    shown = (
        (name, host, count)
        for (name, host), count in edition.statistics.links.items()
        if count >= LEAST_LINKS and host not in own | _VOCABULARY_HOSTS and not name.startswith(_SCHEMA_TERMS)
    )
    stated = list(edition.about.of_type(f"{VOID}Linkset"))
    for name, host, count in islice(shown, MOST_LINKSETS):
        target = edition.about.target(host) or _target(sheet, edition, host)
        known = next((one for one in stated if _is_of(edition, one, name, target)), "")
        title = edition.about.name(known) if known else f"Links to {edition.about.name(target) or host}"
        yield sheet.say(
            iri(known) if known else sheet.blank(),
            f"{VOID}Linkset",
            {
                f"{DCTERMS}title": english(title),
                f"{VOID}linkPredicate": iri(name),
                f"{VOID}target": [edition.dataset, iri(target)],
                f"{VOID}subjectsTarget": edition.dataset,
                f"{VOID}objectsTarget": iri(target),
                f"{VOID}triples": count,
            },
        )
        if title := edition.about.name(target):
            space = edition.about.one(target, f"{VOID}uriSpace")
            sheet.say(iri(target), f"{VOID}Dataset", {f"{DCTERMS}title": english(title), f"{VOID}uriSpace": space})


def _is_of(edition: Edition, linkset: str, name: str, target: str) -> bool:
    """Whether the graph speaks of these links."""
    about = edition.about
    return (about.one(linkset, f"{VOID}linkPredicate"), about.one(linkset, f"{VOID}objectsTarget")) == (name, target)


def _target(sheet: Sheet, edition: Edition, host: str) -> str:
    """A data set that the graph has no name for."""
    name = f"{edition.origin}{PATH}#{host}"
    pattern = f"^https?://{re.escape(host)}/"
    sheet.say(iri(name), f"{VOID}Dataset", {f"{DCTERMS}title": english(host), f"{VOID}uriRegexPattern": pattern})
    return name


def _executable(sheet: Sheet, edition: Edition, query: Example) -> None:
    """A query to start from, as tools look for them."""
    found = _FORMS.search(query.text)
    form = found[1].lower() if found else "select"
    kind = {"select": "Select", "ask": "Ask", "construct": "Construct", "describe": "Describe"}[form]
    sheet.say(
        edition.address(f"/questions/{query.name}.rq"),
        (f"{SH}SPARQLExecutable", f"{SH}SPARQL{kind}Executable"),
        {f"{RDFS}comment": english(query.words), SH + form: query.text, f"{SCHEMA}target": edition.address("/sparql")},
    )
