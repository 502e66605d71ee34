"""A module of the ontology by its classes: what each is a case of and what its properties lead to, for picture and table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from motorgraph.drawing import Box, Drawing, Line
from motorgraph.links import Links
from motorgraph.terms import Module, Ontology, Term
from motorgraph.vocab import SKOS

MOST_NAMED = 3
MOST_BOXES = 200
CONCEPT = SKOS + "Concept"


@dataclass(frozen=True, slots=True)
class Row:
    """A class and where it leads: its superclasses, and the object properties of the module with their ranges."""

    term: Term
    superiors: tuple[str, ...]
    properties: tuple[tuple[Term, tuple[str, ...]], ...]


def rows(ontology: Ontology, module: str) -> list[Row]:
    """The classes of a module in alphabetical order."""
    return [Row(term, tuple(term.superiors), tuple(_properties(ontology, term, module))) for term in ontology.classes(module)]


def _properties(ontology: Ontology, term: Term, module: str) -> Iterator[tuple[Term, tuple[str, ...]]]:
    for found in ontology.leading_from(term.iri):
        if found.kind == "object property" and found.module == module and not found.is_deprecated:
            yield found, tuple(ontology.range(found))


def picture(module: Module, found: list[Row], links: Links) -> str:
    """The module as SVG; "" if it has no classes, or too many to be drawn."""
    if not 0 < len(found) <= MOST_BOXES:
        return ""
    boxes = [Box(row.term.iri, row.term.name, tuple(_lines(row, links))) for row in found]
    words = f"{len(found)} class{'es' if len(found) > 1 else ''}: {'; '.join(_told(row, links) for row in found)}."
    name = f"picture-{module.name.rpartition('/')[2]}"
    return Drawing(boxes).svg(name, f"The module {module.title}", words, links.address)


def _lines(row: Row, links: Links) -> Iterator[Line]:
    for iri in row.superiors:
        yield Line(f"is a {_short(iri, links)}", iri, (iri,), is_superclass=True)
    for term, ranges in row.properties:
        yield Line(f"{term.name} {_named(ranges, links)}".rstrip(), term.iri, ranges)


def _told(row: Row, links: Links) -> str:
    """A box of the picture in words."""
    superiors = [f"is a {_short(iri, links)}" for iri in row.superiors]
    properties = [f"{term.name} {_named(ranges, links)}".rstrip() for term, ranges in row.properties]
    return ", ".join([row.term.name, *superiors, *properties])


def _named(ranges: tuple[str, ...], links: Links) -> str:
    if not ranges:
        return ""
    names = ["concept" if iri == CONCEPT else _short(iri, links) for iri in ranges]
    more = f" +{len(names) - MOST_NAMED}" if len(names) > MOST_NAMED else ""
    return f"→ {', '.join(names[:MOST_NAMED])}{more}"


def _short(iri: str, links: Links) -> str:
    return links.name(iri).removeprefix("mg:")
