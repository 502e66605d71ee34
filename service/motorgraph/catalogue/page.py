"""What the catalogue's page shows: the same edition as in the other descriptions, as plain values for a template."""

from __future__ import annotations

from itertools import islice
from typing import Any

from motorgraph.address import local
from motorgraph.catalogue.edition import Edition
from motorgraph.catalogue.schema_org import embedded
from motorgraph.media import GRAPHS
from motorgraph.prefixes import Prefixes
from motorgraph.release import DumpFile
from motorgraph.vocab import DCAT, DCTERMS, LICENCE, SCHEMA, VOID

MOST_CLASSES = 20
MOST_GRAPHS = 100
_FIGURES = ("triples", "entities", "classes", "properties")


def facts(edition: Edition) -> dict[str, Any]:  # Any: a template takes values of every kind
    """The values of the template catalogue.html."""
    figures, graphs, base = edition.figures(), edition.statistics.graphs, edition.settings.base
    return {
        "edition": edition,
        "figures": {name: figures[VOID + name] for name in _FIGURES},
        "classes": [_class(edition, name, count) for name, count in islice(edition.statistics.classes.items(), MOST_CLASSES)],
        "formats": GRAPHS,
        "files": [_file(edition, file) for file in (*edition.wholes, *edition.views)],
        "licences": [(licence.value, "CC BY 4.0" if licence.value == LICENCE else licence.value) for licence in edition.licence],
        "sources": [_source(edition, name) for name in edition.sources],
        "documents": list(edition.documents.values()),
        "pages": {document.source: local(document.source, base) for document in edition.documents.values()},
        "graphs": graphs,
        "others": dict(islice(((name, count) for name, count in graphs.items() if name not in edition.documents), MOST_GRAPHS)),
        "in_documents": sum(graphs[name] for name in edition.documents),
        "graph_paths": {name: edition.graph_address(name).value.removeprefix(edition.origin) for name in graphs},
        "citation": citation(edition),
        "embedded": embedded(edition),
    }


def citation(edition: Edition) -> str:
    """How to cite the graph as it is now."""
    day = f", {edition.counted.modified[:10]}" if edition.counted.modified else ""
    publishers = [edition.about.name(value.value) for value in edition.about.values(edition.dataset.value, f"{DCTERMS}publisher")]
    by = f"{'; '.join(publishers)}: " if publishers else ""
    licence = f" Licence: {edition.licence[0].value}." if edition.licence else ""
    return f"{by}{edition.title}, commit {edition.version}{day}. {edition.origin}/catalogue.{licence}"


def _class(edition: Edition, iri: str, count: int) -> dict[str, Any]:  # Any: as above
    """A class by its short name; one of the graph's own with the page that tells of it."""
    base = edition.settings.base
    page = local(iri, base) if iri.startswith(f"{base}/ontology/") else ""
    return {"name": Prefixes(base).shortened(iri) or iri, "page": page, "count": count}


def _file(edition: Edition, file: DumpFile) -> dict[str, Any]:  # Any: as above
    media_type = file.media_type.partition(";")[0]
    packing = f", {file.encoding}" if file.encoding else ""
    return {
        "name": file.name,
        "path": edition.file_address(file).value.removeprefix(edition.origin),
        "format": next((form.name for form in GRAPHS if form.media_type == media_type), media_type) + packing,
        "size": file.size,
        "sha256": file.sha256,
    }


def _source(edition: Edition, name: str) -> dict[str, str]:
    about = edition.about
    return {
        "name": about.name(name) or name,
        "page": about.one(name, f"{SCHEMA}url"),
        "version": about.one(name, f"{DCAT}version"),
        "licence": about.one(name, f"{DCTERMS}license"),
        "rights": about.one(name, f"{DCTERMS}rights"),
        "credit": about.one(name, f"{DCTERMS}bibliographicCitation"),
    }
