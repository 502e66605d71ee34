"""The ontology and the shapes as the graph has them now, read when they are asked for and kept until they change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import orjson
import pyoxigraph as ox

from motorgraph.clauses import Shapes
from motorgraph.engine.wire import Job
from motorgraph.errors import NotFound, TooLarge
from motorgraph.inquiry import MOST_ROWS, Inquiry, solutions
from motorgraph.links import Links
from motorgraph.media import TURTLE, Format
from motorgraph.prefixes import Prefixes
from motorgraph.settings import Settings
from motorgraph.statements import Statements
from motorgraph.stores.embedded import Embedded
from motorgraph.terms import Ontology, Term
from motorgraph.turtle import Turtle

MOST_COUNTED = 100_000
MOST_SHOWN = 100
_TRIPLES = "SELECT ?s ?p ?o { GRAPH $graph { ?s ?p ?o } }"
_SCHEMES = """PREFIX skos: <http://www.w3.org/2004/02/skos/core#> PREFIX dcterms: <http://purl.org/dc/terms/>
SELECT ?scheme (SAMPLE(?name) AS ?label) (SAMPLE(?words) AS ?definition) (COUNT(DISTINCT ?concept) AS ?concepts) {
  GRAPH ?graph { ?scheme a skos:ConceptScheme . OPTIONAL { ?scheme skos:prefLabel|dcterms:title ?name }
    OPTIONAL { ?scheme skos:definition ?words } OPTIONAL { ?concept skos:inScheme ?scheme } } }
GROUP BY ?scheme ORDER BY ?scheme"""


@dataclass(frozen=True, slots=True)
class Uses:
    """How often the graph uses a term, and the query that shows where."""

    count: int
    what: str
    query: str

    @property
    def words(self) -> str:
        """The count in words."""
        if self.count > MOST_COUNTED:
            return f"more than {MOST_COUNTED:,} {self.what}s"
        return f"{self.count:,} {self.what}{'' if self.count == 1 else 's'}"


class _Kept:
    """The vocabulary of one graph, which is asked for again when there is a new commit, and made again if it is another then."""

    def __init__(self, store: Embedded, root: str) -> None:
        self._store = store
        self._graph = store.names.graph(root)
        self._root = f"{store.names.base}/{root}"
        self._lock = asyncio.Lock()
        self._commit = 0
        self._digest = b""
        self._vocabulary: Ontology | None = None

    async def at(self, commit: int) -> tuple[Ontology, int]:
        """As the graph was after a commit, and that commit. Raises NotFound if it had no triples."""
        answered, body = await self._answer(commit)
        return self._made(body), answered

    async def newest(self) -> tuple[Ontology, int]:
        """As the graph is now, and the commit that it is of. Raises NotFound if it has no triples."""
        async with self._lock:
            if self._vocabulary is None or self._commit != self._store.commit:
                commit, body = await self._answer()
                digest = blake2b(body).digest()
                if self._vocabulary is None or digest != self._digest:
                    self._vocabulary = None
                    self._vocabulary = self._made(body)
                self._commit, self._digest = commit, digest
            return self._vocabulary, self._commit

    async def _answer(self, commit: int = 0) -> tuple[int, bytes]:
        try:
            return await Inquiry(self._store).answer(_TRIPLES, {"graph": ox.NamedNode(self._graph)}, commit)
        except TooLarge:
            raise TooLarge(
                f"The graph <{self._graph}> has more than {MOST_ROWS:,} triples, too many for its pages; /graphs has it whole."
            ) from None

    def _made(self, body: bytes) -> Ontology:
        statements = Statements.of(solutions(body))
        if not len(statements):
            raise NotFound(f"There is nothing in the graph <{self._graph}>, so there is nothing to tell of it here.")
        return Ontology(statements, self._root)


@dataclass(frozen=True, slots=True)
class Document:
    """What is answered as RDF: subjects of a vocabulary with the blank nodes below them, and the commit that they are of."""

    commit: int
    vocabulary: Ontology
    iris: Sequence[str]

    def serialised(self, form: Format, prefixes: Prefixes) -> bytes:
        """In an RDF format. What has more than one subject is kept with the vocabulary, since it is asked for again and long."""
        kept, key = self.vocabulary.written, (tuple(self.iris), form.suffix)
        if key not in kept:
            made = self._serialised(form, prefixes)
            if len(self.iris) == 1:
                return made
            kept[key] = made
        return kept[key]

    def _serialised(self, form: Format, prefixes: Prefixes) -> bytes:
        if form is TURTLE:
            return Turtle(self.vocabulary.statements, prefixes).document(self.iris).encode()
        made = ox.serialize(
            self.vocabulary.statements.whole(self.iris),
            format=ox.RdfFormat.from_media_type(form.media_type),
            prefixes=prefixes.namespaces,
        )
        assert made is not None
        return made


class Documentation:
    """What the pages on terms and shapes are made from."""

    def __init__(self, store: Embedded, settings: Settings) -> None:
        self._store = store
        self._is_union = settings.is_union
        self._base = settings.base
        self.prefixes = Prefixes(settings.base)
        self._inquiry = Inquiry(store)
        self._kept = {root: _Kept(store, root) for root in ("ontology", "shapes")}
        self._lock = asyncio.Lock()
        self._shapes: Shapes | None = None

    async def vocabulary(self, root: str, commit: int = 0) -> tuple[Ontology, int]:
        """The `ontology` or the `shapes` after a commit (0: the newest), and that commit. Raises NotFound if there is none."""
        kept = self._kept[root]
        return await kept.at(commit) if commit else await kept.newest()

    async def ontology(self) -> tuple[Ontology, int]:
        """The ontology, and the commit that it is of. Raises NotFound if there is none."""
        return await self.vocabulary("ontology")

    async def ontology_if_any(self) -> Ontology | None:
        """The ontology; None if there is none."""
        try:
            return (await self.ontology())[0]
        except NotFound:
            return None

    async def shapes(self) -> Shapes:
        """The shapes, each clause of them in words. Raises NotFound if there are none."""
        vocabulary, _ = await self.vocabulary("shapes")
        async with self._lock:
            if self._shapes is None or self._shapes.vocabulary is not vocabulary:
                job = Job("clauses", graph=self._store.names.graph("shapes"))
                told = orjson.loads(await self._store.pool.alone(job, role="judge"))
                self._shapes = Shapes(vocabulary, self.prefixes, told)
            return self._shapes

    async def shapes_if_any(self) -> Shapes | None:
        """The shapes; None if there are none."""
        try:
            return await self.shapes()
        except NotFound:
            return None

    async def links(self) -> Links:
        """The links of pages, which lead to the terms, shapes and modules that there are."""
        ontology, shapes = await self.ontology_if_any(), await self.shapes_if_any()
        vocabularies = [ontology, shapes.vocabulary if shapes else None]
        return Links(self.prefixes, frozenset(iri for found in vocabularies if found for iri in found.iris))

    async def schemes(self) -> list[dict[str, str]]:
        """The concept schemes of the graph: IRI, label, definition, how many concepts."""
        return [row for row in await self._inquiry.rows(_SCHEMES) if "scheme" in row]

    async def uses(self, term: Term) -> Uses:
        """How often the graph uses a term: its instances, or the statements that it makes or stands in."""
        name = self.prefixes.named(term.iri)
        what, variables, pattern = "statement", "?subject ?property", f"?subject ?property {name}"
        if term.kind == "class":
            what, variables, pattern = "instance", "?thing", f"?thing a {name}"
        elif term.is_property:
            what, variables, pattern = "statement", "?subject ?value", f"?subject {name} ?value"
        if not self._is_union:
            pattern = f"GRAPH ?graph {{ {pattern} }}"
        prefix, space = name.partition(":")[0], self.prefixes.namespaces.get(name.partition(":")[0])
        head = f"PREFIX {prefix}: <{space}>\n" if space else ""
        asked = f"SELECT DISTINCT {variables} {{ {pattern} }} LIMIT"
        rows = await self._inquiry.rows(f"{head}SELECT (COUNT(*) AS ?count) {{ {{ {asked} {MOST_COUNTED + 1} }} }}")
        return Uses(int(rows[0]["count"]), what, f"{head}{asked} {MOST_SHOWN}")
