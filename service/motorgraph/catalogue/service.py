"""The SPARQL 1.1 Service Description: what runs, and of the graph the same counts as everywhere."""

from __future__ import annotations

from collections.abc import Iterator

from motorgraph.catalogue.edition import Edition
from motorgraph.catalogue.sheet import Node, Sheet, iri
from motorgraph.media import GRAPHS, READABLE, SOLUTIONS, Format
from motorgraph.settings import Settings
from motorgraph.vocab import SD, VOID

LANGUAGES = ("SPARQL10Query", "SPARQL11Query", "SPARQL11Update")


def service_description(edition: Edition) -> Sheet:
    """The description of the service at /sparql."""
    sheet, settings = Sheet(), edition.settings
    sheet.part(
        f"{SD}Service",
        {
            f"{SD}endpoint": edition.address("/sparql"),
            f"{SD}supportedLanguage": [iri(SD + name) for name in _languages(settings)],
            f"{SD}feature": [iri(SD + name) for name in _features(settings)],
            f"{SD}resultFormat": _names((*SOLUTIONS, *GRAPHS)),
            f"{SD}inputFormat": _names(READABLE) if settings.is_writable else (),
            f"{SD}defaultDataset": edition.dataset,
        },
    )
    sheet.say(
        edition.dataset,
        (f"{SD}Dataset", f"{VOID}Dataset"),
        {
            f"{SD}defaultGraph": _default_graph(sheet, edition),
            f"{SD}namedGraph": [_named_graph(sheet, name, count) for name, count in edition.statistics.graphs.items() if name],
            **edition.figures(),
        },
    )
    return sheet


def _languages(settings: Settings) -> tuple[str, ...]:
    return LANGUAGES if settings.is_writable else LANGUAGES[:-1]


def _features(settings: Settings) -> Iterator[str]:
    yield "UnionDefaultGraph" if settings.is_union else "EmptyGraphs"
    if settings.service_hosts:
        yield "BasicFederatedQuery"


def _names(formats: tuple[Format, ...]) -> list[Node]:
    return [iri(form.iri) for form in formats if form.iri]


def _default_graph(sheet: Sheet, edition: Edition) -> Node:
    """What a query without GRAPH is asked of: the whole, or the unnamed graph alone."""
    if edition.settings.is_union:
        return sheet.part(f"{SD}Graph", edition.figures())
    return sheet.part(f"{SD}Graph", {f"{VOID}triples": edition.statistics.graphs.get("", 0)})


def _named_graph(sheet: Sheet, name: str, count: int) -> Node:
    graph = sheet.part(f"{SD}Graph", {f"{VOID}triples": count})
    return sheet.part(f"{SD}NamedGraph", {f"{SD}name": iri(name), f"{SD}graph": graph})
