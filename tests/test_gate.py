"""The judgement by SHACL: what refuses, what is only shown, and that nothing differs from plain pySHACL."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pyoxigraph as ox
import pyshacl
import pytest
from rdflib import RDFS, SH, Graph
from rdflib.term import Node

from motorgraph.errors import BadSyntax, Refusal
from motorgraph.gate import Report, parse_file, rdflib_graph, validate, validate_files, validate_store

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "cases" / "shapes"
PREFIXES = """
    @prefix : <http://x/> . @prefix sh: <http://www.w3.org/ns/shacl#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
    @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
"""


def _quads(turtle: str) -> list[ox.Quad]:
    return list(ox.parse(PREFIXES + turtle, ox.RdfFormat.TURTLE))


def _judged(data: str, shapes: str) -> Report:
    return validate(rdflib_graph(_quads(data)), rdflib_graph(_quads(shapes)))


def _told(report: Report) -> list[str]:
    return [f"{r.severity} {r.focus.removeprefix('http://x/')}: {r.message}" for r in report.results]


def _shape(constraint: str, target: str = "sh:targetClass :Car") -> str:
    return f":S a sh:NodeShape ; {target} ; {constraint} ."


# What is told, and what it means


@pytest.mark.parametrize(("severity", "conforms"), [("Violation", False), ("Warning", True), ("Info", True)])
def test_violations_refuse_and_warnings_and_infos_are_shown(severity: str, conforms: bool) -> None:
    shape = _shape(f'sh:property [ sh:path :name ; sh:minCount 1 ; sh:severity sh:{severity} ; sh:message "Name it." ]')
    report = _judged(":c a :Car .", shape)
    assert _told(report) == [f"{severity} c: Name it."]
    assert report.conforms is conforms
    assert len(report.violations) == (0 if conforms else 1)


def test_a_violation_beside_a_warning_refuses_and_stands_first() -> None:
    shape = _shape(
        'sh:property [ sh:path :a ; sh:minCount 1 ; sh:severity sh:Warning ; sh:message "a" ] ;'
        'sh:property [ sh:path :b ; sh:minCount 1 ; sh:message "b" ]'
    )
    report = _judged(":c a :Car .", shape)
    assert _told(report) == ["Violation c: b", "Warning c: a"]
    assert not report.conforms


def test_a_result_says_where_and_what_and_by_which_shape() -> None:
    shape = _shape('sh:property [ sh:path :seats ; sh:datatype xsd:integer ; sh:message "Give a number." ]')
    (result,) = _judged(':c a :Car ; :seats "five" .', shape).results
    assert (result.focus, result.path, result.value, result.shape) == ("http://x/c", "http://x/seats", "five", "http://x/S")
    assert str(result) == "Violation: http://x/c http://x/seats: Give a number. (found: five)"


def test_the_focus_of_a_blank_node_is_said_in_words() -> None:
    (result,) = _judged("[] a :Car .", _shape('sh:property [ sh:path :name ; sh:minCount 1 ; sh:message "m" ]')).results
    assert result.focus == "a blank node"


def test_the_details_of_a_result_are_no_results_of_their_own() -> None:
    shapes = """:S a sh:NodeShape ; sh:targetClass :Car ; sh:property [ sh:path :maker ; sh:node :M ; sh:message "A maker." ] .
                :M a sh:NodeShape ; sh:property [ sh:path :name ; sh:minCount 1 ; sh:message "A name." ] ."""
    assert _told(_judged(":c a :Car ; :maker :m .", shapes)) == ["Violation c: A maker."]


def test_what_satisfies_the_shapes_gives_no_result() -> None:
    report = _judged(":c a :Car ; :name 'x' .", _shape("sh:property [ sh:path :name ; sh:minCount 1 ]"))
    assert report == Report(())
    assert report.conforms


def test_the_results_come_in_the_same_order_each_time() -> None:
    shape = _shape("sh:property [ sh:path :name ; sh:minCount 1 ] ; sh:property [ sh:path :maker ; sh:minCount 1 ]")
    data = " ".join(f":c{n} a :Car ." for n in range(9))
    first, again = _judged(data, shape), _judged(data, shape)
    assert [(r.focus, r.path) for r in first.results] == sorted((r.focus, r.path) for r in first.results)
    assert first == again


def test_a_report_survives_the_way_through_json() -> None:
    report = _judged(":c a :Car .", _shape("sh:property [ sh:path :name ; sh:minCount 1 ]"))
    assert Report.from_json(json.loads(json.dumps(report.as_json()))) == report
    assert report.as_json()["conforms"] is False


# Where pyoxigraph's terms meet rdflib's


@pytest.mark.parametrize("written", ['"ev"', '"ev"^^xsd:string', "'ev'"])
@pytest.mark.parametrize("constraint", ['sh:in ( "ev" "ice" )', 'sh:hasValue "ev"', 'sh:in ( "ev"^^xsd:string )'])
def test_plain_strings_are_found_in_lists_and_as_values(written: str, constraint: str) -> None:
    assert _judged(f":c a :Car ; :drive {written} .", _shape(f"sh:property [ sh:path :drive ; {constraint} ]")).conforms


@pytest.mark.parametrize("written", ['"gas"', '"ev"@en', "1", ":ev"])
def test_another_term_is_not_in_the_list(written: str) -> None:
    assert not _judged(f":c a :Car ; :drive {written} .", _shape('sh:property [ sh:path :drive ; sh:in ( "ev" ) ]')).conforms


@pytest.mark.parametrize(
    ("constraint", "right", "wrong"),
    [
        ("sh:datatype xsd:string", '"x"', '"x"@en'),
        ("sh:datatype xsd:date", '"2026-02-28"^^xsd:date', '"2026-02-30"^^xsd:date'),
        ("sh:datatype xsd:decimal", "37.6", "37"),
        ("sh:datatype rdf:langString".replace("rdf:", "<http://www.w3.org/1999/02/22-rdf-syntax-ns#") + ">", '"x"@en', '"x"'),
        ("sh:nodeKind sh:IRI", ":x", '"x"'),
        ("sh:maxInclusive 100.0", "100", "100.5"),
        ('sh:pattern "^[a-z-]+$"', '"plant-unit"', '"Plant Unit"'),
        ('sh:languageIn ( "en" )', '"x"@en-GB', '"x"@fr'),
    ],
)
def test_literals_keep_their_datatype_and_language(constraint: str, right: str, wrong: str) -> None:
    shape = _shape(f"sh:property [ sh:path :value ; {constraint} ]")
    assert _judged(f":c a :Car ; :value {right} .", shape).conforms
    assert not _judged(f":c a :Car ; :value {wrong} .", shape).conforms


def test_a_subclass_that_the_ontology_declares_counts_for_targets_and_for_classes() -> None:
    ontology = ":Electric rdfs:subClassOf :Car . :Hatchback rdfs:subClassOf :Electric . "
    assert _told(_judged(ontology + ":c a :Hatchback .", _shape('sh:property [ sh:path :n ; sh:minCount 1 ; sh:message "m" ]')))
    of_class = _shape("sh:property [ sh:path :built ; sh:class :Car ]", "sh:targetClass :Plant")
    assert _judged(ontology + ":p a :Plant ; :built :c . :c a :Hatchback .", of_class).conforms
    assert not _judged(":p a :Plant ; :built :c . :c a :Hatchback .", of_class).conforms


_SPARQL = """
    :P sh:declare [ sh:prefix "" ; sh:namespace "http://x/"^^xsd:anyURI ] .
    :S a sh:NodeShape ; sh:targetClass :Car ; sh:sparql [ sh:prefixes :P ; sh:message "Built before {?year} by {?value}." ;
       sh:select "SELECT $this ?value ?year { $this :maker ?value ; :year ?year . ?value :since ?s FILTER(?year < ?s) }" ] .
"""


def test_a_sparql_constraint_is_evaluated_for_each_focus_node() -> None:
    data = """:m :since 2000 . :a a :Car ; :maker :m ; :year 1990 . :b a :Car ; :maker :m ; :year 2010 .
              :c a :Car ; :maker :m ; :year 1980 . :d :maker :m ; :year 1970 ."""
    report = _judged(data, _SPARQL)
    assert [(r.focus, r.value) for r in report.results] == [("http://x/a", "http://x/m"), ("http://x/c", "http://x/m")]
    assert report.results[0].message == "Built before 1990 by http://x/m."


@pytest.mark.parametrize("written", ['"ev"', '"ev"^^xsd:string'])
def test_a_plain_string_in_the_text_of_a_sparql_constraint_is_the_plain_string_of_the_data(written: str) -> None:
    shapes = """:P sh:declare [ sh:prefix "" ; sh:namespace "http://x/"^^xsd:anyURI ] .
        :S a sh:NodeShape ; sh:targetClass :Car ; sh:sparql [ sh:prefixes :P ; sh:message "Electric." ;
           sh:select 'SELECT $this { $this :drive "ev" }' ] ."""
    assert _told(_judged(f":c a :Car ; :drive {written} .", shapes)) == ["Violation c: Electric."]


def test_the_data_are_not_changed_by_the_judgement() -> None:
    data = rdflib_graph(_quads(":Sub rdfs:subClassOf :Car . :c a :Sub . [] :p [ :q 1 ] ."))
    before = set(data)
    validate(data, rdflib_graph(_quads(_shape("sh:property [ sh:path :name ; sh:minCount 1 ]"))))
    assert set(data) == before


@pytest.mark.parametrize("side", ["data", "shapes"])
def test_an_import_is_not_followed(tmp_path: Path, side: str) -> None:
    (tmp_path / "more.ttl").write_text(PREFIXES + ":c a :Car . :S sh:property [ sh:path :p ; sh:minCount 2 ] .")
    imports = f"<http://x/o> a owl:Ontology ; owl:imports <{(tmp_path / 'more.ttl').as_uri()}> . "
    data, shapes = ":c :p 1 . :d a :Car ; :p 1 . ", _shape("sh:property [ sh:path :p ; sh:minCount 1 ; sh:maxCount 0 ]")
    found = _judged(data + imports * (side == "data"), shapes + imports * (side == "shapes"))
    assert [result.focus for result in found.results] == ["http://x/d"]


def test_a_triple_term_is_refused_in_words() -> None:
    with pytest.raises(Refusal, match="triple term"):
        rdflib_graph(_quads(":s :p <<( :a :b :c )>> ."))


# A whole store, and files


def test_the_named_graphs_of_a_store_are_judged_together_and_the_shapes_are_no_data() -> None:
    store = ox.Store()
    shapes, name = "http://x/graph/shapes", ox.NamedNode
    triples = {
        "1": ":c a :Car .",
        "2": ':c :name "x" .',
        "shapes": _shape("sh:property [ sh:path :name ; sh:minCount 1 ]") + ":not-data a :Car .",
    }
    for graph, text in triples.items():
        store.extend(ox.Quad(q.subject, q.predicate, q.object, name(f"http://x/graph/{graph}")) for q in _quads(text))
    store.extend(_quads(":only-merged a :Car ."))
    assert validate_store(store, shapes) == Report(())
    store.remove_graph(name("http://x/graph/2"))
    assert [r.focus for r in validate_store(store, shapes).results] == ["http://x/c"]


@pytest.fixture
def shapes_file(tmp_path: Path) -> Path:
    """Shapes of one constraint."""
    path = tmp_path / "shapes.ttl"
    path.write_text(PREFIXES + _shape('sh:property [ sh:path :name ; sh:maxCount 1 ; sh:message "One name." ]'))
    return path


def test_files_are_judged_together_with_what_stands_behind_them(tmp_path: Path, shapes_file: Path) -> None:
    for name, text in {"a.ttl": ':c :name "a" .', "b.ttl": ':c :name "b" .', "back.ttl": ":c a :Car ."}.items():
        (tmp_path / name).write_text(PREFIXES + text)
    both = [tmp_path / "a.ttl", tmp_path / "b.ttl"]
    assert not validate_files(both, [tmp_path / "back.ttl"], [shapes_file]).conforms
    assert validate_files(both, [], [shapes_file]).conforms
    assert validate_files(both[:1], [tmp_path / "back.ttl"], [shapes_file]).conforms


def test_blank_nodes_of_two_files_stay_two_when_they_are_judged(tmp_path: Path, shapes_file: Path) -> None:
    paths = [tmp_path / "a.nt", tmp_path / "b.nt"]
    for path in paths:
        path.write_text(
            f'_:c <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://x/Car> .\n_:c <http://x/name> "{path.stem}" .'
        )
    assert validate_files(paths, [], [shapes_file]).conforms


def test_a_file_may_be_compressed(tmp_path: Path) -> None:
    path = tmp_path / "a.nt.gz"
    path.write_bytes(gzip.compress(b"<http://x/s> <http://x/p> <http://x/o> ."))
    assert len(parse_file(path)) == 1


def test_a_syntax_error_names_file_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "broken.ttl"
    path.write_text("@prefix x: <http://x/> .\n\nx:a x:b ; .\n")
    with pytest.raises(BadSyntax, match=r"broken\.ttl.* 3") as refused:
        parse_file(path)
    assert refused.value.members["line"] == 3
    assert refused.value.members["column"] >= 1


def test_a_missing_file_and_an_unknown_suffix_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"missing\.ttl"):
        parse_file(tmp_path / "missing.ttl")
    (tmp_path / "a.csv").touch()
    with pytest.raises(Refusal, match=r"a\.csv"):
        parse_file(tmp_path / "a.csv")


# Against plain pySHACL


def _read(paths: Sequence[Path]) -> Graph:
    graph = Graph()
    for path in paths:
        graph.parse(path)
    return graph


@pytest.fixture(scope="module")
def all_shapes() -> list[Path]:
    """The shapes that ship."""
    return sorted((ROOT / "shapes").glob("*.ttl"))


@pytest.fixture(scope="module")
def shapes_graph(all_shapes: list[Path]) -> Graph:
    """The shapes that ship, read by rdflib."""
    return _read(all_shapes)


@pytest.fixture(scope="module")
def gate_shapes(all_shapes: list[Path]) -> Graph:
    """The shapes that ship, read by the gate."""
    return rdflib_graph(quad for path in all_shapes for quad in parse_file(path))


@pytest.fixture(scope="module")
def subclasses() -> str:
    """What of the ontology the shapes need, as N-Triples."""
    ontology = _read(sorted((ROOT / "ontology").glob("*.ttl")))
    return "".join(f"{s.n3()} {RDFS.subClassOf.n3()} {o.n3()} .\n" for s, o in ontology.subject_objects(RDFS.subClassOf))


def _plain_results(data: Graph, shapes: Graph) -> list[tuple[str, str, str, str]]:
    _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inplace=True)
    assert isinstance(report, Graph)
    return sorted(_plain_result(report, node) for node in report.objects(None, SH.result))


def _plain_result(report: Graph, node: Node) -> tuple[str, str, str, str]:
    told = [report.value(node, name) for name in (SH.resultSeverity, SH.focusNode, SH.resultMessage, SH.value)]
    severity, focus, message, value = ("" if term is None else str(term) for term in told)
    return severity.removeprefix(str(SH)), focus, message, value


def test_the_results_are_those_of_plain_pyshacl(shapes_graph: Graph, gate_shapes: Graph, subclasses: str) -> None:
    files = [CASES / "backdrop.ttl", *sorted(CASES.glob("*/invalid.ttl"))]
    quads = [*(quad for path in files for quad in parse_file(path)), *ox.parse(subclasses, ox.RdfFormat.N_TRIPLES)]
    found = validate(rdflib_graph(quads), gate_shapes).results
    as_stored = ox.Store()
    as_stored.extend(quads)  # the decimal 182.0 is 182 there
    plain = _plain_results(rdflib_graph(as_stored), shapes_graph)
    assert len(plain) > 100, "the cases are judged without the concepts that they name, so there is much to find"
    assert sorted((r.severity, r.focus, r.message, r.value) for r in found) == plain
