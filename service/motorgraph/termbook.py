"""The pages of the ontology: the whole, a module, a term."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from motorgraph import modules
from motorgraph.clauses import Clause, Shape, Shapes
from motorgraph.documentation import Documentation
from motorgraph.links import Links
from motorgraph.terms import PLURALS, Module, Ontology, Term
from motorgraph.turtle import Turtle
from motorgraph.vocab import OWL, SKOS


@dataclass(frozen=True, slots=True)
class Picture:
    """A module with what is drawn of it and told in the table beside."""

    module: Module
    svg: str
    rows: Sequence[modules.Row]
    terms: Sequence[Term]


@dataclass(frozen=True, slots=True)
class Carried:
    """A property that instances of a class have: its range, and what shapes ask of it."""

    iri: str
    term: Term | None
    ranges: Sequence[str]
    asked: Sequence[tuple[Shape, Clause]]


class TermBook:
    """Made from the ontology of the newest commit; `render` makes a page from a template and its values."""

    def __init__(self, documentation: Documentation, render: Callable[..., Awaitable[bytes]]) -> None:
        self._documentation = documentation
        self._render = render
        self._whole = (0, b"")  # drawn once a commit

    async def page(self, iri: str) -> bytes:
        """The page of the whole, a module or a term, which there has to be."""
        ontology, commit = await self._documentation.ontology()
        links = await self._documentation.links()
        term, module = ontology.terms.get(iri), ontology.module(iri)
        if term is not None:
            return await self._term(term, ontology, links)
        if module is not None and module.iri != ontology.root:
            picture = await asyncio.to_thread(_picture, ontology, module, links)
            return await self._render("module.html", ontology=ontology, links=links, picture=picture, plurals=PLURALS)
        if self._whole[0] != commit:
            self._whole = commit, await self._overview(ontology, links)
        return self._whole[1]

    async def _overview(self, ontology: Ontology, links: Links) -> bytes:
        return await self._render(
            "ontology.html",
            ontology=ontology,
            links=links,
            plurals=PLURALS,
            pictures=await asyncio.to_thread(_pictures, ontology, links),
            schemes=await self._documentation.schemes(),
            has_shapes=await self._documentation.shapes_if_any() is not None,
        )

    async def _term(self, term: Term, ontology: Ontology, links: Links) -> bytes:
        shapes = await self._documentation.shapes_if_any()
        return await self._render(
            "term.html",
            term=term,
            ontology=ontology,
            links=links,
            module=ontology.modules.get(term.module),
            uses=await self._documentation.uses(term),
            carried=list(_carried(term, ontology, shapes)) if term.kind == "class" else [],
            clauses=list(_clauses(term, shapes)) if term.is_property and shapes else [],
            targeting=shapes.targeting(term.iri) if shapes else [],
            naming=shapes.naming(term.iri) if shapes else [],
            turtle=Turtle(ontology.statements, self._documentation.prefixes).block(term.iri),
            skos=SKOS,
            owl=OWL,
        )


def _pictures(ontology: Ontology, links: Links) -> list[Picture]:
    return [_picture(ontology, module, links) for module in ontology.modules.values()]


def _picture(ontology: Ontology, module: Module, links: Links) -> Picture:
    rows = modules.rows(ontology, module.iri)
    return Picture(module, modules.picture(module, rows, links), rows, ontology.of(module.iri))


def _carried(term: Term, ontology: Ontology, shapes: Shapes | None) -> Iterator[tuple[str, list[Carried]]]:
    """The properties of a class and then of each superclass: those named for it, and those that shapes ask of its instances."""
    told: set[str] = set()
    lineage = ontology.lineage(term.iri)
    asked = shapes.asked(lineage) if shapes else {}
    for iri in lineage:
        named = [found.iri for found in ontology.leading_from(iri) if not found.is_deprecated]
        by_shape = sorted(found for found, clauses in asked.items() if any(shape.is_for(iri) for shape, _ in clauses))
        here = [found for found in dict.fromkeys([*named, *by_shape]) if found not in told]
        told.update(here)
        if here:
            yield iri, [_property(found, ontology, asked) for found in here]


def _property(iri: str, ontology: Ontology, asked: Mapping[str, Sequence[tuple[Shape, Clause]]]) -> Carried:
    known = ontology.terms.get(iri)
    return Carried(iri, known, ontology.range(known) if known else [], asked.get(iri, []))


def _clauses(term: Term, shapes: Shapes) -> Iterator[tuple[Shape, Clause]]:
    """The clauses of shapes about the values of a property alone."""
    for shape in shapes.shapes.values():
        for clause in shape.clauses:
            if clause.is_about_one == term.iri:
                yield shape, clause
