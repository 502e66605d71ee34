"""Mappings: SPARQL that says what the rows of tables mean, and what it makes, written down in a fixed order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from motorgraph import corpus
from motorgraph.engine.rehearsal import rehearse
from motorgraph.errors import BadEvaluation, BadRequest, BadSyntax
from motorgraph.functions import FUNCTIONS
from motorgraph.media import TRIG, Format
from motorgraph.syntax import bad_query
from motorgraph.tables import COLUMN, TABLE, Table, column_iri
from motorgraph.vocab import CANONICAL_BASE, RDF, RDFS, XSD, Names

FOLDERS = ("facts", "reference", "names")
PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "eli": "http://data.europa.eu/eli/ontology#",
    "geo": "http://www.opengis.net/ont/geosparql#",
    "graph": f"{CANONICAL_BASE}/graph/",
    "graph-source": f"{CANONICAL_BASE}/graph/source/",
    "mg": f"{CANONICAL_BASE}/ontology/",
    "org": "http://www.w3.org/ns/org#",
    "prov": "http://www.w3.org/ns/prov#",
    "qb": "http://purl.org/linked-data/cube#",
    "rdf": RDF,
    "rdfs": RDFS,
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "source": f"{CANONICAL_BASE}/source/",
    "unit": "http://qudt.org/vocab/unit/",
    "void": "http://rdfs.org/ns/void#",
    "wgs": "http://www.w3.org/2003/01/geo/wgs84_pos#",
    "wikidata": "http://www.wikidata.org/entity/",
    "xsd": XSD,
}
TYPE = ox.NamedNode(f"{RDF}type")
_OWN = re.compile(rf"<{re.escape(CANONICAL_BASE)}/(id|concept)/([a-z-]+)/")
_GRAPH = re.compile(r"^#\s*graph:\s*(\S+)\s*$", re.MULTILINE)
_COMMENT = re.compile(r"<[^<>\s]*>|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|(#[^\n]*)")
_TEXT = re.compile(r"<[^<>\s]*>|(\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')")
_COLUMNS_PREFIX = re.compile(rf"PREFIX\s+([\w-]*):\s*<{re.escape(COLUMN)}>", re.IGNORECASE)
_FORM = re.compile(r"\b(CONSTRUCT|INSERT|SELECT|ASK|DESCRIBE|DELETE|LOAD|CLEAR|DROP|CREATE|COPY|MOVE|ADD)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mapping:
    """A query file: its name, its text, the graph of its triples if it is a CONSTRUCT (a header comment names it)."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """The file's name without suffix, such as `10-documents`."""
        return self.path.stem

    @property
    def graph(self) -> ox.NamedNode | ox.DefaultGraph:
        """Where the triples of a CONSTRUCT go: `# graph: reference` names a graph of the service, or a whole IRI."""
        found = _GRAPH.search(self.text)
        if found is None:
            return ox.DefaultGraph()
        return ox.NamedNode(found[1] if ":" in found[1] else Names().graph(found[1]))

    @property
    def is_helper(self) -> bool:
        """Whether what it makes is only for the mappings after it: it goes to a graph beside the tables."""
        return isinstance(self.graph, ox.NamedNode) and self.graph.value.startswith(TABLE)

    @property
    def code(self) -> str:
        """The text without comments."""
        return _COMMENT.sub(lambda found: " " if found[1] else found[0], self.text)

    @property
    def is_update(self) -> bool:
        """Whether it is an INSERT. Raises BadRequest if it is neither that nor a CONSTRUCT."""
        found = _FORM.search(self.code)
        if found is None or found[1].upper() not in ("CONSTRUCT", "INSERT"):
            raise BadRequest(f"{self.path}: a mapping is a CONSTRUCT, or an INSERT with a WHERE.")
        return found[1].upper() == "INSERT"

    def columns(self) -> set[str]:
        """The columns that it names, as the last part of their IRIs."""
        code = _TEXT.sub(lambda found: " " if found[1] else found[0], self.code)
        named = set(re.findall(rf"<{re.escape(COLUMN)}([^>]+)>", code))
        for prefix in _COLUMNS_PREFIX.findall(code):
            named.update(re.findall(rf"(?<![\w-]){re.escape(prefix)}:((?:[\w-]|%[0-9A-Fa-f]{{2}})+)", code))
        return named


def read_mapping(path: Path) -> Mapping:
    """The mapping in a file. Raises NotFound or BadRequest."""
    corpus.require_file(path)
    try:
        return Mapping(path, path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path} is not UTF-8: {error.reason} at byte {error.start}.") from error


def written(quads: Iterable[ox.Quad], form: Format = TRIG) -> bytes:
    """The quads in a format; the same quads in the same order are the same bytes. A format without graphs gets the triples."""
    rdf = ox.RdfFormat.from_media_type(form.media_type)
    assert rdf is not None
    statements = list(quads) if rdf.supports_datasets else [quad.triple for quad in quads]
    text = "".join(f"{part}\n" for statement in statements for part in map(str, _terms(statement)))
    made = ox.serialize(statements, format=rdf, prefixes=_prefixes(text))
    assert made is not None
    lines = made.splitlines(keepends=True)
    head = sum(line.startswith(b"@prefix ") for line in lines)
    return b"".join(sorted(lines[:head]) + lines[head:])  # the engine writes them in no order


def _prefixes(text: str) -> dict[str, str]:
    """The prefixes that a text of IRIs in angle brackets needs; things and concepts have one for each kind and scheme."""
    known = {name: iri for name, iri in PREFIXES.items() if f"<{iri}" in text}
    for part, name in sorted(set(_OWN.findall(text)), reverse=True):  # things before concepts
        known[f"{name}-{part}" if name in known else name] = f"{CANONICAL_BASE}/{part}/{name}/"
    return known


def in_graph(triple: ox.Triple, graph: ox.NamedNode | ox.DefaultGraph) -> ox.Quad:
    """The triple as a quad of a graph."""
    return ox.Quad(triple.subject, triple.predicate, triple.object, graph)


def sorted_quads(quads: Iterable[ox.Quad]) -> list[ox.Quad]:
    """The quads by graph, subject, property (the type first) and value, each once."""
    return sorted(set(quads), key=_place)


def _place(quad: ox.Quad) -> tuple[str, str, bool, str, str]:
    terms = (quad.graph_name, quad.subject, quad.predicate, quad.object)
    graph, subject, predicate, value = map(str, terms)
    return graph, subject, quad.predicate != TYPE, predicate, value


def _terms(statement: ox.Quad | ox.Triple) -> Iterator[object]:
    literal = statement.object
    yield from (statement.subject, statement.predicate, literal)
    if isinstance(literal, ox.Literal):
        yield literal.datatype
    if isinstance(statement, ox.Quad):
        yield statement.graph_name


def made(store: ox.Store, mapping: Mapping) -> set[ox.Quad]:
    """What the mapping makes; an INSERT makes what is not in the store yet, and adds it there."""

    def run(text: str) -> set[ox.Quad]:
        if mapping.is_update:
            return rehearse(store, text, "", functions=dict(FUNCTIONS)).added
        found = store.query(text, custom_functions=FUNCTIONS)  # type: ignore[arg-type]  # a Mapping will do
        assert isinstance(found, ox.QueryTriples)
        return {in_graph(triple, mapping.graph) for triple in found}

    try:
        return run(mapping.text)
    except SyntaxError as error:
        fault = bad_query(mapping.text, run, error)
        raise BadSyntax(f"{mapping.path}: {fault.detail}", **fault.members) from error
    except BadSyntax as fault:  # of an INSERT
        raise BadSyntax(f"{mapping.path}: {fault.detail}", **fault.members) from fault
    except (ValueError, RuntimeError) as error:
        raise BadEvaluation(f"{mapping.path}: {error}. The functions beyond SPARQL 1.1 are {_functions()}.") from error


def _functions() -> str:
    return ", ".join(f"<{name.value}>" for name in FUNCTIONS)


def require_columns(mapping: Mapping, tables: Sequence[Table]) -> None:
    """Raises BadRequest if the mapping names a column that none of the tables has."""
    there = {column_iri(column).value.removeprefix(COLUMN): column for table in tables for column in table.columns}
    for column in sorted(mapping.columns() - set(there)):
        hint = f"there are {', '.join(sorted(there))}" if len(tables) == 1 else "look at the headers of the tables it reads"
        raise BadRequest(f"{mapping.path} names the column {column!r}, which is in no table; {hint}.")
