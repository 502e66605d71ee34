"""The shapes against their cases, the ontology and the shipped data."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyoxigraph
import pytest
from pyoxigraph import RdfFormat
from pyshacl import validate
from pyshacl.entrypoints import meta_validate
from rdflib import OWL, RDF, RDFS, SH, SKOS, Graph, Literal, Namespace, URIRef
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.query import Result
from rdflib.term import Node

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "cases" / "shapes"
MG = Namespace("https://motorgraph.example/ontology/")
SHAPES = Namespace("https://motorgraph.example/shapes/")
EXPECTATION = re.compile(r"# expect: (?P<focus>\S+) \| (?P<severity>Violation|Warning|Info) \| (?P<message>.+)")
VALID = sorted(CASES.glob("*/valid.ttl"))
INVALID = sorted(CASES.glob("*/invalid*.ttl"))


@dataclass(frozen=True, order=True)
class Finding:
    """One validation result, cut down to what the writer of the data sees."""

    focus: str
    severity: str
    message: str

    def __str__(self) -> str:
        return f"{self.focus} | {self.severity} | {self.message}"


class ParsedOnce(Graph):
    """A graph that parses each query text once: pySHACL hands over the same text for every focus node."""

    parsed: dict[str, Query] = {}  # noqa: RUF012, shared by all graphs on purpose

    def query(self, query_object: str | Query, *args: Any, **options: Any) -> Result:
        if isinstance(query_object, str):
            if query_object not in self.parsed:
                self.parsed[query_object] = prepareQuery(query_object)
            query_object = self.parsed[query_object]
        return super().query(query_object, *args, **options)


def read(paths: Iterable[Path]) -> Graph:
    graph = Graph()
    for path in paths:
        graph.parse(path)
    return graph


@pytest.fixture(scope="module")
def shapes() -> Graph:
    return read(sorted((ROOT / "shapes").glob("*.ttl")))


@pytest.fixture(scope="module")
def ontology() -> Graph:
    return read(sorted((ROOT / "ontology").glob("*.ttl")))


@pytest.fixture(scope="module")
def schemes() -> Graph:
    return read(sorted((ROOT / "ontology" / "schemes").glob("*.ttl")))


@pytest.fixture(scope="module")
def data() -> Graph:
    """All graphs of the shipped data in one: shapes see the merge, as the gate does."""
    merged = Graph()
    for path in sorted((ROOT / "data").glob("*.trig")):
        triples = (quad.triple for quad in pyoxigraph.parse(path=str(path), format=RdfFormat.TRIG))
        merged.parse(pyoxigraph.serialize(triples, format=RdfFormat.N_TRIPLES), format="nt")
    return merged


@pytest.fixture(scope="module")
def backdrop(ontology: Graph) -> Graph:
    return ontology_skeleton(ontology) + read([CASES / "backdrop.ttl"])


def ontology_skeleton(ontology: Graph) -> Graph:
    """The subclass triples: all that the shapes need of the ontology."""
    skeleton = Graph()
    for triple in ontology.triples((None, RDFS.subClassOf, None)):
        skeleton.add(triple)
    return skeleton


def with_concepts(case: Graph, schemes: Graph) -> Graph:
    """The case with the description of each concept that it names, and of the concepts that these name."""
    world = ParsedOnce()
    world += case
    waiting = {node for node in case.objects() if (node, SKOS.inScheme, None) in schemes}
    described: set[Node] = set()
    while waiting:
        concept = waiting.pop()
        described.add(concept)
        for triple in schemes.triples((concept, None, None)):
            world.add(triple)
        named = {node for node in schemes.objects(concept) if (node, SKOS.inScheme, None) in schemes}
        waiting |= named - described
    return world


def findings(graph: Graph, shapes: Graph) -> list[Finding]:
    """What pySHACL says about the graph, each finding once, in order."""
    _, report, _ = validate(graph, shacl_graph=shapes, advanced=False, inplace=True)
    assert isinstance(report, Graph)
    return sorted({finding_of(report, result) for result in report.objects(None, SH.result)})


def finding_of(report: Graph, result: Node) -> Finding:
    severity = str(report.value(result, SH.resultSeverity))
    messages = sorted(str(message) for message in report.objects(result, SH.resultMessage))
    return Finding(str(report.value(result, SH.focusNode)), severity.removeprefix(str(SH)), " / ".join(messages))


def expected_findings(path: Path) -> list[Finding]:
    return sorted(Finding(**match.groupdict()) for match in EXPECTATION.finditer(path.read_text(encoding="utf-8")))


def shapes_with_targets(shapes: Graph) -> set[str]:
    target_kinds = (SH.targetClass, SH.targetSubjectsOf, SH.targetObjectsOf, SH.targetNode)
    return {str(shape) for kind in target_kinds for shape in shapes.subjects(kind, None)}


def reporting_constraints(shapes: Graph) -> Iterator[tuple[Node, Node]]:
    """Each property shape and SPARQL constraint whose results reach the writer, after the node shape it sits in."""
    for shape in shapes.subjects(RDF.type, SH.NodeShape):
        for constraint in (*shapes.objects(shape, SH.property), *shapes.objects(shape, SH.sparql)):
            yield shape, constraint


def above(ontology: Graph, term: Node) -> set[Node]:
    return {each for each in ontology.transitive_objects(term, RDFS.subClassOf) if each is not None}


def case_name(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


def test_the_backdrop_of_the_cases_conforms_by_itself(shapes: Graph, schemes: Graph, backdrop: Graph) -> None:
    assert findings(with_concepts(backdrop, schemes), shapes) == []


@pytest.mark.parametrize("path", VALID, ids=case_name)
def test_a_valid_case_gives_no_result_at_all(path: Path, shapes: Graph, schemes: Graph, backdrop: Graph) -> None:
    assert findings(with_concepts(backdrop + Graph().parse(path), schemes), shapes) == []


@pytest.mark.parametrize("path", INVALID, ids=case_name)
def test_an_invalid_case_gives_just_what_it_expects(path: Path, shapes: Graph, schemes: Graph, backdrop: Graph) -> None:
    expected = expected_findings(path)
    assert expected, "an invalid case names at least one expected result"
    found = findings(with_concepts(backdrop + Graph().parse(path), schemes), shapes)
    assert [str(finding) for finding in found] == [str(finding) for finding in expected]


def test_each_shape_with_a_target_has_a_valid_and_an_invalid_case(shapes: Graph) -> None:
    named = {shape.removeprefix(str(SHAPES)) for shape in shapes_with_targets(shapes)}
    assert {path.parent.name for path in VALID} == named
    assert {path.parent.name for path in INVALID} == named


def test_each_invalid_case_provokes_the_shape_it_is_filed_under(shapes: Graph) -> None:
    for path in INVALID:
        shape = SHAPES[path.parent.name]
        own = set(shapes.objects(shape, SH.message))
        for constraint in (*shapes.objects(shape, SH.property), *shapes.objects(shape, SH.sparql)):
            own |= set(shapes.objects(constraint, SH.message))
        assert {finding.message for finding in expected_findings(path)} & {str(message) for message in own}, path


def test_each_message_is_provoked_by_an_invalid_case(shapes: Graph) -> None:
    targeted = shapes_with_targets(shapes)
    messages = {
        str(message)
        for shape, constraint in reporting_constraints(shapes)
        if str(shape) in targeted
        for message in shapes.objects(constraint, SH.message)
    }
    messages |= {str(message) for shape in targeted for message in shapes.objects(URIRef(shape), SH.message)}
    provoked = {finding.message for path in INVALID for finding in expected_findings(path)}
    assert sorted(messages - provoked) == []


def test_each_constraint_has_one_message_that_ends_in_a_full_stop(shapes: Graph) -> None:
    for shape, constraint in reporting_constraints(shapes):
        messages = [str(message) for message in shapes.objects(constraint, SH.message)]
        assert len(messages) == 1, shape
        assert messages[0].endswith("."), messages[0]


def test_each_shape_with_constraints_on_the_node_itself_has_a_message_that_ends_in_a_full_stop(shapes: Graph) -> None:
    on_the_node = (SH["class"], SH["in"], SH["not"], SH["or"], SH["and"], SH.xone, SH.nodeKind, SH.pattern, SH.node)
    for shape in shapes.subjects(RDF.type, SH.NodeShape):
        messages = [str(message) for message in shapes.objects(shape, SH.message)]
        if any((shape, constraint, None) in shapes for constraint in on_the_node):
            assert len(messages) == 1, shape
            assert messages[0].endswith("."), messages[0]
        else:
            assert messages == [], f"{shape} has a message that no constraint gives"


def test_no_shape_mixes_a_message_of_its_own_with_sparql(shapes: Graph) -> None:
    for shape in shapes.subjects(SH.sparql, None):
        assert (shape, SH.message, None) not in shapes, f"pySHACL would report both messages of {shape}"


def test_each_shape_says_what_it_is_and_where_it_is_defined(shapes: Graph) -> None:
    for shape in shapes.subjects(RDF.type, SH.NodeShape):
        assert isinstance(shapes.value(shape, RDFS.label), Literal), shape
        assert (shapes.value(shape, RDFS.isDefinedBy), RDF.type, OWL.Ontology) in shapes, shape


def test_the_shapes_mirror_the_modules_of_the_ontology_file_by_file() -> None:
    modules = {path.name for path in (ROOT / "ontology").glob("mg-*.ttl")}
    assert {path.name for path in (ROOT / "shapes").glob("*.ttl")} == modules


def test_the_shapes_use_declared_terms_only(shapes: Graph, ontology: Graph, schemes: Graph) -> None:
    declared = set(ontology.subjects()) | set(schemes.subjects())
    base = str(MG).removesuffix("ontology/")
    used = {
        term
        for triple in shapes
        for term in triple
        if isinstance(term, URIRef) and str(term).startswith((str(MG), f"{base}scheme/", f"{base}concept/"))
    }
    prefixes = declared_prefixes(shapes)
    for select in shapes.objects(None, SH.select):
        for prefix, name in re.findall(r"(?<![\w<])([a-z][a-z-]*):([A-Za-z][\w-]*)", str(select)):
            used.add(URIRef(prefixes[prefix] + name))
    ours = {term for term in used if term.startswith(base) and not term.startswith(f"{base}id/")}
    assert sorted(ours - declared) == []


def declared_prefixes(shapes: Graph) -> dict[str, str]:
    declarations = shapes.objects(SHAPES.prefixes, SH.declare)
    return {str(shapes.value(each, SH.prefix)): str(shapes.value(each, SH.namespace)) for each in declarations}


def test_the_shapes_are_well_formed_shacl(shapes: Graph) -> None:
    # What validate(meta_shacl=True) does, save that it keeps the depth at 15: too little for a list in a list.
    conforms, _, text = meta_validate(shapes, inference="none", max_validation_depth=40)
    assert conforms, text


def test_each_class_of_the_ontology_is_reached_by_a_shape(shapes: Graph, ontology: Graph) -> None:
    targeted = set(shapes.objects(None, SH.targetClass))
    unreached = {
        str(term)
        for term in ontology.subjects(RDF.type, OWL.Class)
        if isinstance(term, URIRef) and term in MG and not above(ontology, term) & targeted
    }
    assert unreached <= {str(MG.TimeBoundRelation)}, "only its subclasses are used"


def test_each_class_that_the_data_use_is_reached_by_a_shape(shapes: Graph, ontology: Graph, data: Graph) -> None:
    targeted = set(shapes.objects(None, SH.targetClass))
    used = {kind for kind in data.objects(None, RDF.type) if str(kind).startswith(str(MG))}
    assert {str(kind) for kind in used if not above(ontology, kind) & targeted} == set()


def test_the_shipped_graph_conforms(shapes: Graph, ontology: Graph, schemes: Graph, data: Graph) -> None:
    merged = ParsedOnce()
    for part in (ontology, schemes, data):
        merged += part
    violations = [finding for finding in findings(merged, shapes) if finding.severity == "Violation"]
    assert not violations, "\n".join([f"{len(violations)} violations, first:", *map(str, violations[:20])])
