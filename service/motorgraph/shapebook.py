"""The pages of the shapes: all of them, a module, one shape."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from motorgraph.clauses import TARGETS, Shape, Shapes
from motorgraph.documentation import Documentation
from motorgraph.links import Links
from motorgraph.terms import Term
from motorgraph.turtle import Turtle


class ShapeBook:
    """Made from the shapes of the newest commit; `render` makes a page from a template and its values."""

    def __init__(self, documentation: Documentation, render: Callable[..., Awaitable[bytes]]) -> None:
        self._documentation = documentation
        self._render = render

    async def page(self, iri: str) -> bytes:
        """The page of all shapes, a module or one shape, which there has to be."""
        shapes, links = await self._documentation.shapes(), await self._documentation.links()
        shape, module = shapes.shapes.get(iri), shapes.vocabulary.module(iri)
        if shape is not None or iri in shapes.others:
            return await self._shape(shape, shape.term if shape else shapes.others[iri], shapes, links)
        ontology = await self._documentation.ontology_if_any()
        groups = [(each, shapes.of(each.iri)) for each in ([module] if module else shapes.vocabulary.modules.values())]
        placed = {shape.term.iri for _, group in groups for shape in group}
        rest = [] if module else [shape for shape in shapes.shapes.values() if shape.term.iri not in placed]
        return await self._render(
            "shapes.html", shapes=shapes, module=module, groups=groups, rest=rest, links=links, ontology=ontology, targets=TARGETS
        )

    async def _shape(self, shape: Shape | None, term: Term, shapes: Shapes, links: Links) -> bytes:
        ontology = await self._documentation.ontology_if_any()
        return await self._render(
            "shape.html",
            shape=shape,
            term=term,
            module=shapes.vocabulary.modules.get(term.module),
            links=links,
            targets=TARGETS,
            terms=[ontology.terms[iri] for iri in sorted(shape.mentions) if iri in ontology.terms] if ontology and shape else [],
            used_by=shapes.naming(term.iri),
            prefixes=shapes.prefixes,
            turtle=Turtle(shapes.vocabulary.statements, self._documentation.prefixes).block(term.iri),
        )
