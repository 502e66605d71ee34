"""DCAT 3, with what DCAT-AP 3.0 asks for: the catalogue, its data sets and the newest release, the files, the services."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pyoxigraph as ox

from motorgraph.catalogue.about import Document
from motorgraph.catalogue.edition import Edition
from motorgraph.catalogue.sheet import Node, Sheet, Values, english, iri, typed
from motorgraph.media import TRIG, TURTLE
from motorgraph.packing import MEDIA_TYPES
from motorgraph.release import DumpFile, Release
from motorgraph.vocab import DCAT, DCATAP, DCTERMS, EU, FOAF, PROV, RDFS, SCHEMA, SKOS, SPDX, VCARD, VOID

_IANA = "https://www.iana.org/assignments/media-types/"
_FILE_TYPES = {
    "text/turtle": "RDF_TURTLE",
    "application/n-triples": "RDF_N_TRIPLES",
    "application/n-quads": "RDF_N_QUADS",
    "application/trig": "RDF_TRIG",
    "application/ld+json": "JSON_LD",
    "application/rdf+xml": "RDF_XML",
}
"""What the formats are called in the list of the European Union."""
_VIEWS = {"claims.": "The claims as RDF 1.2 reifiers", "nanopubs.": "The claims as nanopublications"}
"""What the files are that hold some of the graph in another form."""
_SERVICES = {
    "/sparql": ("SPARQL endpoint", "SPARQL 1.1 Protocol: queries, and updates by those who may.", "/sparql"),
    "/graphs": ("Graph store", "SPARQL 1.1 Graph Store HTTP Protocol: each graph by its name, or all of them.", "/openapi.json"),
    "/feed": ("Change feed", "A linked data event stream of what each commit changed.", "/feed"),
}
"""By address: what a service is called, what it does, and where it describes itself."""
_CONFORMS_TO = {
    "/sparql": "https://www.w3.org/TR/sparql11-protocol/",
    "/graphs": "https://www.w3.org/TR/sparql11-http-rdf-update/",
    "/feed": "https://w3id.org/ldes/specification",
}
_ALL = "What this service publishes: its graph as a data set, in every format, and the services over it."


def catalogue(edition: Edition) -> Sheet:
    """The catalogue, as RDF."""
    sheet, about = Sheet(), edition.about
    common = _common(sheet, edition)
    datasets = [_whole(sheet, edition, common)]
    datasets += _series(sheet, edition, edition.release, common) if edition.release else ()
    datasets += [_source(sheet, edition, name) for name in edition.sources]
    datasets += [_document(sheet, edition, document) for document in edition.documents.values()]
    sheet.say(
        edition.catalogue,
        f"{DCAT}Catalog",
        {
            f"{DCTERMS}title": english(about.name(edition.catalogue.value) or f"Catalogue of {edition.title}"),
            f"{DCTERMS}description": english(about.one(edition.catalogue.value, f"{DCTERMS}description") or _ALL),
            **{name: common[name] for name in (f"{DCTERMS}{term}" for term in ("publisher", "language", "license", "spatial"))},
            f"{DCTERMS}issued": edition.issued,
            f"{DCTERMS}modified": edition.modified,
            f"{DCAT}themeTaxonomy": _taxonomy(sheet) if common[f"{DCAT}theme"] else None,
            f"{FOAF}homepage": _document_at(sheet, edition, "/catalogue"),
            f"{DCAT}dataset": datasets,
            f"{DCAT}service": list(_services(sheet, edition)),
        },
    )
    return sheet


def _common(sheet: Sheet, edition: Edition) -> dict[str, Values]:
    """What is said of the whole, and holds for what is made from it."""
    first, last = edition.about.period
    period = {f"{DCAT}startDate": typed(first, "date"), f"{DCAT}endDate": typed(last, "date")}
    rights = "RESTRICTED" if edition.settings.protect_reads else "PUBLIC"
    return {
        f"{DCTERMS}creator": edition.agents(sheet, edition.dataset.value, "creator"),
        f"{DCTERMS}publisher": _publishers(sheet, edition),
        f"{DCTERMS}license": _licences(sheet, edition.licence),
        f"{DCTERMS}language": _listed(sheet, edition.said("language"), "LinguisticSystem"),
        f"{DCTERMS}accessRights": _listed(sheet, [iri(f"{EU}access-right/{rights}")], "RightsStatement"),
        f"{DCTERMS}accrualPeriodicity": _listed(sheet, edition.said("accrualPeriodicity"), "Frequency"),
        f"{DCTERMS}spatial": _listed(sheet, [iri(place) for place in edition.about.column("places", "place")], "Location"),
        f"{DCTERMS}temporal": sheet.part(f"{DCTERMS}PeriodOfTime", period) if first else None,
        f"{DCAT}keyword": edition.texts(f"{DCAT}keyword"),
        f"{DCAT}theme": [sheet.say(theme, f"{SKOS}Concept") for theme in edition.themes],
        f"{DCAT}contactPoint": _contact(sheet, edition),
    }


def _taxonomy(sheet: Sheet) -> Node:
    return sheet.say(iri(f"{EU}data-theme"), f"{SKOS}ConceptScheme", {f"{DCTERMS}title": english("Data theme")})


def _whole(sheet: Sheet, edition: Edition, common: dict[str, Values]) -> Node:
    """The graph as a data set: what is said of it, what is counted in it, and every way to have it."""
    release = _release_address(edition, edition.release) if edition.release else None
    sources = [iri(name) for name in edition.sources]
    history = [
        sheet.part(f"{DCTERMS}ProvenanceStatement", {f"{RDFS}label": text}) for text in edition.texts(f"{DCTERMS}provenance")
    ]
    return sheet.say(
        edition.dataset,
        (f"{DCAT}Dataset", f"{VOID}Dataset"),
        {
            f"{DCTERMS}title": english(edition.title),
            f"{DCTERMS}description": english(edition.description),
            **common,
            f"{DCTERMS}identifier": edition.dataset.value,
            f"{DCTERMS}issued": edition.issued,
            f"{DCTERMS}modified": edition.modified,
            f"{DCTERMS}provenance": history,
            f"{DCTERMS}source": sources,
            f"{PROV}wasDerivedFrom": sources,
            f"{DCAT}version": edition.version,
            f"{DCAT}hasVersion": release,
            f"{DCAT}hasCurrentVersion": release,
            f"{DCAT}landingPage": _document_at(sheet, edition, "/catalogue"),
            f"{FOAF}page": _document_at(sheet, edition, "/"),
            **edition.figures(),
            f"{DCAT}distribution": [*_live(sheet, edition), *_released(sheet, edition)],
        },
    )


def _series(sheet: Sheet, edition: Edition, release: Release, common: dict[str, Values]) -> list[Node]:
    """The releases as a series, and the newest of them as a version of the whole."""
    series = sheet.say(
        edition.address("/dumps/"),
        f"{DCAT}DatasetSeries",
        {
            f"{DCTERMS}title": english(f"Releases of {edition.title}"),
            f"{DCTERMS}description": english(f"Dumps of {edition.title}, each of the graph as it was after one commit."),
            **common,
            f"{DCAT}last": _release_address(edition, release),
        },
    )
    newest = sheet.say(
        _release_address(edition, release),
        f"{DCAT}Dataset",
        {
            f"{DCTERMS}title": english(f"{edition.title}, commit {release.commit}"),
            f"{DCTERMS}description": english(f"{edition.description} As it was after commit {release.commit}."),
            **common,
            f"{DCTERMS}identifier": f"{edition.dataset.value}@{release.commit}",
            f"{DCTERMS}issued": typed(release.time, "dateTime"),
            f"{DCAT}version": str(release.commit),
            f"{DCAT}isVersionOf": edition.dataset,
            f"{DCAT}inSeries": series,
            f"{DCAT}distribution": _released(sheet, edition),
        },
    )
    return [series, newest]


def _release_address(edition: Edition, release: Release) -> ox.NamedNode:
    return edition.address(f"/dumps/{release.commit}/")


def _source(sheet: Sheet, edition: Edition, name: str) -> Node:
    """A data set that the graph rests on, as the graph credits it."""
    about = edition.about
    credit = about.one(name, f"{DCTERMS}bibliographicCitation")
    page = about.one(name, f"{SCHEMA}url")
    rights = [sheet.part(f"{DCTERMS}RightsStatement", {f"{RDFS}label": text}) for text in about.values(name, f"{DCTERMS}rights")]
    return sheet.say(
        iri(name),
        f"{DCAT}Dataset",
        {
            f"{DCTERMS}title": english(about.name(name) or name),
            f"{DCTERMS}description": english(credit or f"A data set that {edition.title} rests on."),
            f"{DCTERMS}publisher": edition.agents(sheet, name, "publisher"),
            f"{DCTERMS}license": _licences(sheet, about.values(name, f"{DCTERMS}license")),
            f"{DCTERMS}rights": rights,
            f"{DCTERMS}bibliographicCitation": english(credit) if credit else None,
            f"{DCAT}version": about.one(name, f"{DCAT}version") or None,
            f"{DCAT}landingPage": sheet.say(iri(page), f"{FOAF}Document") if page not in ("", name) else None,
        },
    )


def _document(sheet: Sheet, edition: Edition, document: Document) -> Node:
    """What one source document says, as a data set: a graph of its own."""
    source = sheet.say(iri(document.source), (), {f"{DCTERMS}title": document.title or None})
    by = f" by {document.publisher}" if document.publisher else ""
    when = f" of {document.issued}" if document.issued else ""
    return sheet.say(
        iri(document.graph),
        (f"{DCAT}Dataset", f"{VOID}Dataset"),
        {
            f"{DCTERMS}title": english(edition.titled(document.graph)),
            f"{DCTERMS}description": english(f"What was read in the document “{document.title or document.source}”{by}{when}."),
            f"{DCTERMS}publisher": _publishers(sheet, edition),
            f"{DCTERMS}license": _licences(sheet, edition.licence),
            f"{DCTERMS}isPartOf": edition.dataset,
            f"{DCAT}theme": edition.themes,
            f"{DCAT}contactPoint": _contact(sheet, edition),
            f"{DCTERMS}source": source,
            f"{PROV}wasDerivedFrom": source,
            f"{VOID}triples": edition.statistics.graphs[document.graph],
            f"{DCAT}distribution": [
                _at_store(sheet, edition, document.graph, TURTLE.media_type),
                *(_file(sheet, edition, file) for file in edition.files_of(document.graph)),
            ],
        },
    )


def _live(sheet: Sheet, edition: Edition) -> Iterator[Node]:
    """The newest graph as the services give it."""
    yield sheet.say(
        edition.address("/catalogue#by-sparql"),
        f"{DCAT}Distribution",
        {
            f"{DCTERMS}title": english("By SPARQL"),
            f"{DCTERMS}description": english("The newest graph, by queries."),
            f"{DCTERMS}license": _licences(sheet, edition.licence),
            f"{DCATAP}availability": sheet.say(iri(f"{EU}planned-availability/STABLE"), f"{SKOS}Concept"),
            f"{DCAT}accessURL": edition.address("/sparql"),
            f"{DCAT}accessService": edition.address("/catalogue#sparql"),
        },
    )
    yield _at_store(sheet, edition, "", TRIG.media_type)


def _at_store(sheet: Sheet, edition: Edition, graph: str, media_type: str) -> Node:
    """A graph, or for "" all of them, as the graph store gives it."""
    address = edition.graph_address(graph) if graph else edition.address("/graphs")
    return sheet.part(
        f"{DCAT}Distribution",
        {
            f"{DCTERMS}title": english(f"The newest {'graph' if graph else 'graphs'} as {media_type}"),
            f"{DCTERMS}description": english("As it is now; the header Accept chooses the format."),
            f"{DCTERMS}license": _licences(sheet, edition.licence),
            f"{DCTERMS}format": _format(sheet, media_type),
            f"{DCAT}mediaType": sheet.say(iri(_IANA + media_type), f"{DCTERMS}MediaType"),
            f"{DCAT}accessURL": address,
            f"{DCAT}downloadURL": address,
            f"{DCAT}accessService": edition.address("/catalogue#graphs"),
            f"{DCATAP}availability": sheet.say(iri(f"{EU}planned-availability/STABLE"), f"{SKOS}Concept"),
        },
    )


def _released(sheet: Sheet, edition: Edition) -> list[Node]:
    """The files of the newest release that are not of one graph alone."""
    return [_file(sheet, edition, file) for file in (*edition.wholes, *edition.views)]


def _file(sheet: Sheet, edition: Edition, file: DumpFile) -> Node:
    """A file of the newest release."""
    assert edition.release is not None
    address, packed = edition.file_address(file), MEDIA_TYPES.get(file.encoding)
    media_type = file.media_type.partition(";")[0]
    view = next((words for name, words in _VIEWS.items() if file.name.startswith(name)), "The graph")
    checksum = {
        f"{SPDX}algorithm": sheet.say(iri(f"{SPDX}checksumAlgorithm_sha256"), f"{SPDX}ChecksumAlgorithm"),
        f"{SPDX}checksumValue": typed(file.sha256, "hexBinary"),
    }
    return sheet.say(
        edition.address(f"/catalogue#{quote(file.name)}"),
        f"{DCAT}Distribution",
        {
            f"{DCTERMS}title": english(file.name),
            f"{DCTERMS}description": english(f"{view} as of commit {edition.release.commit}."),
            f"{DCTERMS}license": _licences(sheet, edition.licence),
            f"{DCTERMS}issued": typed(edition.release.time, "dateTime"),
            f"{DCTERMS}format": _format(sheet, media_type),
            f"{DCAT}mediaType": sheet.say(iri(_IANA + media_type), f"{DCTERMS}MediaType"),
            f"{DCAT}compressFormat": sheet.say(iri(_IANA + packed), f"{DCTERMS}MediaType") if packed else None,
            f"{DCAT}accessURL": edition.address(f"/dumps/{edition.release.commit}/"),
            f"{DCAT}downloadURL": address,
            f"{DCAT}byteSize": typed(str(file.size), "nonNegativeInteger"),
            f"{DCAT}version": str(edition.release.commit),
            f"{DCATAP}availability": sheet.say(iri(f"{EU}planned-availability/AVAILABLE"), f"{SKOS}Concept"),
            f"{SPDX}checksum": sheet.say(edition.address(f"/catalogue#sha256-{quote(file.name)}"), f"{SPDX}Checksum", checksum),
        },
    )


def _services(sheet: Sheet, edition: Edition) -> Iterator[Node]:
    """The services over the graph that run here."""
    for path, (title, description, described_at) in _SERVICES.items():
        if edition.offers(path):
            yield sheet.say(
                edition.address(f"/catalogue#{path.removeprefix('/')}"),
                f"{DCAT}DataService",
                {
                    f"{DCTERMS}title": english(f"{title} of {edition.title}"),
                    f"{DCTERMS}description": english(description),
                    f"{DCTERMS}publisher": _publishers(sheet, edition),
                    f"{DCTERMS}license": _licences(sheet, edition.licence),
                    f"{DCTERMS}conformsTo": sheet.say(iri(_CONFORMS_TO[path]), f"{DCTERMS}Standard"),
                    f"{DCAT}endpointURL": edition.address(path),
                    f"{DCAT}endpointDescription": edition.address(described_at),
                    f"{DCAT}servesDataset": edition.dataset,
                    f"{DCAT}contactPoint": _contact(sheet, edition),
                },
            )


def _publishers(sheet: Sheet, edition: Edition) -> list[ox.NamedNode]:
    """Who publishes; where the graph does not say it, whoever runs the service."""
    found = edition.agents(sheet, edition.dataset.value, "publisher")
    if not found:
        operator = edition.address("/catalogue#operator")
        sheet.say(operator, f"{FOAF}Agent", {f"{FOAF}name": english(f"Whoever runs {edition.origin}")})
        found = [operator]
    return found


def _licences(sheet: Sheet, licences: list[ox.NamedNode]) -> list[Node]:
    return _listed(sheet, licences, "LicenseDocument")


def _listed(sheet: Sheet, names: list[ox.NamedNode], kind: str) -> list[Node]:
    """Things of one of the lists that DCAT-AP takes its values from, each of a class of DCMI Terms."""
    return [sheet.say(name, DCTERMS + kind) for name in names]


def _contact(sheet: Sheet, edition: Edition) -> list[Node]:
    """Whom to write to, as the graph has it."""
    found = []
    for contact in edition.about.values(edition.dataset.value, f"{DCAT}contactPoint"):
        told = {f"{VCARD}{term}": edition.about.values(contact.value, f"{VCARD}{term}") for term in ("fn", "hasURL", "hasEmail")}
        found.append(sheet.say(contact, (f"{VCARD}Kind", f"{VCARD}Organization"), told))
    return found


def _format(sheet: Sheet, media_type: str) -> Node | None:
    name = _FILE_TYPES.get(media_type)
    return sheet.say(iri(f"{EU}file-type/{name}"), f"{DCTERMS}MediaTypeOrExtent") if name else None


def _document_at(sheet: Sheet, edition: Edition, path: str) -> Node:
    return sheet.say(edition.address(path), f"{FOAF}Document")
