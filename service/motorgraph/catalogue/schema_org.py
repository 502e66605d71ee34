"""The data set in the words of schema.org, for the search engines that look for data sets in pages."""

from __future__ import annotations

from typing import Any

import orjson

from motorgraph.catalogue.edition import Edition
from motorgraph.media import TRIG
from motorgraph.vocab import DCAT, DCTERMS, SCHEMA


def embedded(edition: Edition) -> str:
    """JSON-LD that may stand in a `script` element: no text in it can end the element."""
    return orjson.dumps(dataset(edition), option=orjson.OPT_INDENT_2).decode().replace("<", "\\u003c")


def dataset(edition: Edition) -> dict[str, Any]:  # Any: free JSON
    """The graph as a schema:Dataset; what is not known is left out."""
    about, name = edition.about, edition.dataset.value
    first, last = about.period
    told = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": name,
        "name": edition.title,
        "description": edition.description,
        "url": f"{edition.origin}/catalogue",
        "identifier": name,
        "version": edition.version,
        "keywords": [text.value for text in edition.texts(f"{DCAT}keyword")],
        "license": next((licence.value for licence in edition.licence), ""),
        "creator": _organizations(edition, name, "creator"),
        "publisher": _organizations(edition, name, "publisher"),
        "creditText": f"{edition.title}, commit {edition.version}",
        "dateCreated": edition.counted.issued,
        "dateModified": edition.counted.modified,
        "datePublished": edition.counted.issued,
        "inLanguage": "en" if edition.said("language") else "",
        "isAccessibleForFree": not edition.settings.protect_reads,
        "temporalCoverage": f"{first}/{last}" if first else "",
        "spatialCoverage": [{"@type": "Place", "@id": place, "sameAs": place} for place in about.column("places", "place")],
        "variableMeasured": about.column("measures", "label"),
        "isBasedOn": [_based_on(edition, source) for source in edition.sources],
        "includedInDataCatalog": {
            "@type": "DataCatalog",
            "@id": edition.catalogue.value,
            "name": about.name(edition.catalogue.value) or f"Catalogue of {edition.title}",
            "url": f"{edition.origin}/catalogue",
        },
        "distribution": _distributions(edition),
    }
    return {key: value for key, value in told.items() if value or value is False}


def _organizations(edition: Edition, subject: str, name: str) -> list[dict[str, str]]:
    found = edition.about.values(subject, DCTERMS + name)
    return [{"@type": "Organization", "@id": agent.value, "name": edition.about.name(agent.value)} for agent in found]


def _based_on(edition: Edition, source: str) -> dict[str, Any]:  # Any: as above
    about = edition.about
    told = {
        "@type": "CreativeWork",
        "@id": source,
        "name": about.name(source),
        "license": about.one(source, f"{DCTERMS}license"),
        "creditText": about.one(source, f"{DCTERMS}bibliographicCitation"),
        "url": about.one(source, f"{SCHEMA}url"),
        "version": about.one(source, f"{DCAT}version"),
    }
    return {key: value for key, value in told.items() if value}


def _distributions(edition: Edition) -> list[dict[str, Any]]:  # Any: as above
    """The files of the newest release; before there is one, the graph as the store gives it."""
    files = [
        {
            "@type": "DataDownload",
            "name": file.name,
            "contentUrl": edition.file_address(file).value,
            "encodingFormat": file.content_type if file.encoding else file.media_type,
            "contentSize": f"{file.size} B",
            "sha256": file.sha256,
        }
        for file in edition.wholes
    ]
    store = {"@type": "DataDownload", "contentUrl": f"{edition.origin}/graphs", "encodingFormat": TRIG.media_type}
    return files or [store]
