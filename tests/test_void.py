"""VoID at /.well-known/void: counts that a query confirms, partitions and link sets that tools can use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from motorgraph.media import GRAPHS, Format
from tests.described import DATASET, NTRIPLES, Told, findings, response, told, unanswered
from tests.running import TOKEN, Service, service, until


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that only these tests write to."""
    with service(tmp_path_factory.mktemp("test_void")) as running:
        yield running


PATH = "/.well-known/void"
QUESTIONS = Path(__file__).parents[1] / "ontology" / "questions"
SOME = """@prefix : <http://some.example/> . :a a :Plant ; :label "A"@en , 7 ; :owner :b ; :same <http://other.example/1> .
:b a :Maker ; :same <http://other.example/2> , <http://other.example/3> ."""


@pytest.fixture(scope="module")
def void(shipped: Service) -> Told:
    """What the shipped graph is described by."""
    return told(shipped, PATH)


@pytest.mark.parametrize(
    ("term", "query"),
    [
        ("triples", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"),
        ("distinctSubjects", "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s ?p ?o }"),
        ("distinctObjects", "SELECT (COUNT(DISTINCT ?o) AS ?n) { ?s ?p ?o }"),
        ("properties", "SELECT (COUNT(DISTINCT ?p) AS ?n) { ?s ?p ?o }"),
        ("classes", "SELECT (COUNT(DISTINCT ?c) AS ?n) { ?s a ?c FILTER(ISIRI(?c)) }"),
        ("entities", 'SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s ?p ?o FILTER(STRSTARTS(STR(?s), "https://motorgraph.example/")) }'),
    ],
)
def test_the_counts_of_the_whole_are_those_that_a_query_finds(shipped: Service, term: str, query: str) -> None:
    assert told(shipped, PATH).one(f"SELECT ?n {{ <{DATASET}> void:{term} ?n }}") == shipped.rows(query)[0]["n"]


def test_every_class_has_a_partition_with_its_count(shipped: Service, void: Told) -> None:
    found = dict(void.rows(f"SELECT ?c ?n {{ <{DATASET}> void:classPartition [ void:class ?c ; void:entities ?n ] }}"))
    asked = shipped.rows("SELECT ?c (COUNT(*) AS ?n) { ?s a ?c FILTER(ISIRI(?c)) } GROUP BY ?c")
    assert found == {row["c"]: row["n"] for row in asked}


def test_every_property_has_a_partition_with_its_counts(shipped: Service, void: Told) -> None:
    found = void.rows(
        f"SELECT ?p ?n ?s ?o {{ <{DATASET}> void:propertyPartition "
        "[ void:property ?p ; void:triples ?n ; void:distinctSubjects ?s ; void:distinctObjects ?o ] }"
    )
    asked = shipped.rows(
        "SELECT ?p (COUNT(*) AS ?n) (COUNT(DISTINCT ?s) AS ?ns) (COUNT(DISTINCT ?o) AS ?no) { ?s ?p ?o } GROUP BY ?p"
    )
    assert sorted(found) == sorted((row["p"], row["n"], row["ns"], row["no"]) for row in asked)


def test_a_class_is_told_by_property_and_by_class_and_datatype_of_the_object(shipped: Service, void: Told) -> None:
    plant = "<https://motorgraph.example/ontology/Plant>"
    inner = f"<{DATASET}> void:classPartition [ void:class {plant} ; void:propertyPartition ?part ] . ?part void:property ?p ."
    classes = void.rows(
        f"SELECT ?p ?d ?n {{ {inner} ?part void:classPartition ?o . ?part void-ext:objectClassPartition ?o . "
        "?o void:class ?d ; void:triples ?n }"
    )
    asked = shipped.rows(f"SELECT ?p ?d (COUNT(*) AS ?n) {{ ?s a {plant} ; ?p ?o . ?o a ?d FILTER(ISIRI(?d)) }} GROUP BY ?p ?d")
    assert sorted(classes) == sorted((row["p"], row["d"], row["n"]) for row in asked)
    datatypes = void.rows(
        f"SELECT ?p ?d ?n {{ {inner} ?part void-ext:datatypePartition [ void-ext:datatype ?d ; void:triples ?n ] }}"
    )
    asked = shipped.rows(
        f"SELECT ?p ?d (COUNT(*) AS ?n) {{ ?s a {plant} ; ?p ?o FILTER(ISLITERAL(?o)) BIND(DATATYPE(?o) AS ?d) }} GROUP BY ?p ?d"
    )
    assert sorted(datatypes) == sorted((row["p"], row["d"], row["n"]) for row in asked)


def test_a_link_set_has_two_targets_a_predicate_and_the_count_of_its_links(shipped: Service, void: Told) -> None:
    found = void.rows(
        "SELECT ?linkset ?p ?n (COUNT(DISTINCT ?t) AS ?targets) { ?linkset a void:Linkset ; void:linkPredicate ?p ; "
        "void:triples ?n ; void:target ?t } GROUP BY ?linkset ?p ?n"
    )
    assert found
    assert {targets for *_, targets in found} == {"2"}
    assert len({linkset for linkset, *_ in found}) == len(found)
    geonames = shipped.rows(
        'SELECT (COUNT(*) AS ?n) { ?s <https://schema.org/sameAs> ?o FILTER(STRSTARTS(STR(?o), "https://sws.geonames.org/")) }'
    )[0]["n"]
    base = "https://motorgraph.example/dataset/"
    assert (f"{base}geonames-links", "https://schema.org/sameAs", geonames, "2") in found
    assert {f"{base}wikidata-links", f"{base}wikidata-links-of-makers"} <= {linkset for linkset, *_ in found}
    assert void.ask("ASK { ?linkset void:linkPredicate mg:legalBasis ; void:objectsTarget/dcterms:title 'data.europa.eu'@en }")


def test_no_link_set_leads_into_the_graph_or_to_a_vocabulary(void: Told) -> None:
    spaces = void.rows("SELECT DISTINCT ?space { ?l void:objectsTarget/(void:uriSpace|void:uriRegexPattern) ?space }")
    assert spaces
    assert not [space for (space,) in spaces if any(own in space for own in ("motorgraph.example", "w3.org", "schema.org"))]


def test_every_named_graph_is_a_subset_with_its_triples(shipped: Service, void: Told) -> None:
    graphs = shipped.rows("SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g")
    found = dict(
        void.rows(f"SELECT ?g ?n {{ <{DATASET}> void:subset ?g . ?g void:triples ?n FILTER NOT EXISTS {{ ?g a void:Linkset }} }}")
    )
    assert found == {row["g"]: row["n"] for row in graphs}


def test_what_the_graph_says_of_itself_is_told_in_its_words(shipped: Service, void: Told) -> None:
    for term in ("title", "description", "license", "publisher", "creator"):
        said = shipped.rows(f"SELECT ?v {{ <{DATASET}> <http://purl.org/dc/terms/{term}> ?v }}")
        assert [row["v"] for row in said] == [value for (value,) in void.rows(f"SELECT ?v {{ <{DATASET}> dcterms:{term} ?v }}")]
    assert void.one(f"SELECT ?v {{ <{DATASET}> void:uriSpace ?v }}") == "https://motorgraph.example/"


def test_examples_and_vocabularies_are_those_of_the_graph(shipped: Service, void: Told) -> None:
    examples = [value for (value,) in void.rows(f"SELECT ?v {{ <{DATASET}> void:exampleResource ?v }}")]
    assert 3 <= len(examples) <= 5
    for example in examples:
        assert shipped.query(f"ASK {{ <{example}> a ?class }}").json()["boolean"], example
    vocabularies = {value for (value,) in void.rows(f"SELECT ?v {{ <{DATASET}> void:vocabulary ?v }}")}
    assert {"https://motorgraph.example/ontology/", "http://www.w3.org/ns/prov#", "http://purl.org/dc/terms/"} <= vocabularies


def test_the_questions_are_told_as_executables_of_the_endpoint(shipped: Service, void: Told) -> None:
    found = void.rows(
        f"SELECT ?q ?text {{ ?q a sh:SPARQLExecutable , sh:SPARQLSelectExecutable ; rdfs:comment ?words ; sh:select ?text ; "
        f"schema:target <{shipped.url}/sparql> }}"
    )
    assert {name for name, _ in found} == {f"{shipped.url}/questions/{path.stem}.rq" for path in QUESTIONS.glob("*.rq")}
    for name, text in found[:3]:
        assert shipped.client.get(name).text == text


def test_the_description_is_about_the_data_set_and_says_where_it_is_had(shipped: Service, void: Told) -> None:
    assert void.one(f"SELECT ?d {{ <{shipped.url}{PATH}> a void:DatasetDescription ; foaf:primaryTopic ?d }}") == DATASET
    assert void.one(f"SELECT ?v {{ <{DATASET}> void:sparqlEndpoint ?v }}") == f"{shipped.url}/sparql"
    dumps = [value for (value,) in void.rows(f"SELECT ?v {{ <{DATASET}> void:dataDump ?v }}")]
    assert dumps
    assert DATASET not in dumps


@pytest.mark.parametrize("form", GRAPHS, ids=lambda form: form.name)
def test_every_format_can_be_had_by_accept(plain: Service, form: Format) -> None:
    found = response(plain, PATH, Accept=form.media_type)
    assert found.headers["content-type"].partition(";")[0] == form.media_type


def test_the_short_address_answers_the_same(plain: Service) -> None:
    assert response(plain, "/void").text == response(plain, PATH).text


def test_a_plain_store_is_described_by_the_rules_of_void(plain: Service, graph: str) -> None:
    plain.put(graph, SOME)
    found = told(plain, PATH)
    assert not findings(found.text, "void")
    assert found.ask("ASK { ?d dcterms:title 'A plain SPARQL store'@en }")
    assert found.ask("ASK { [] a void:Linkset ; void:linkPredicate <http://some.example/same> ; void:triples 3 }")


def test_the_rules_of_void_find_what_is_wrong() -> None:
    void = "http://rdfs.org/ns/void#"
    type_ = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
    text = f"<urn:l> <{type_}> <{void}Linkset> .\n<urn:d> <{void}classPartition> <urn:c> .\n"
    assert {focus for _, focus, _ in findings(text, "void")} == {"urn:l", "urn:c"}


def test_a_commit_changes_what_is_told_and_nothing_else_does(plain: Service, graph: str) -> None:
    plain.put(graph, "<http://some.example/x> <http://some.example/p> 1 .")
    first = response(plain, PATH)

    def is_held() -> bool:
        """Whether it is still the same; a dump that was under way may have come between."""
        nonlocal first
        first, before = response(plain, PATH), first
        assert (first.content == before.content) is (first.headers["etag"] == before.headers["etag"])
        held = {"If-None-Match": first.headers["etag"], "Accept": NTRIPLES}
        return plain.client.get(PATH, headers=held).status_code == 304

    assert until(is_held)
    held = {"If-None-Match": first.headers["etag"], "Accept": NTRIPLES}
    plain.update(f"INSERT DATA {{ GRAPH <{graph}> {{ <http://some.example/x> <http://some.example/p> 2 }} }}")
    second = plain.client.get(PATH, headers=held)
    assert second.status_code == 200
    assert int(second.headers["x-commit"]) == int(first.headers["x-commit"]) + 1
    counts = [Told.of(r.text).one(f"SELECT ?n {{ <{graph}> void:triples ?n }}") for r in (first, second)]
    assert counts == ["1", "2"]


def test_head_says_what_get_would_and_other_methods_are_refused(plain: Service) -> None:
    got = plain.client.head(PATH, headers={"Accept": NTRIPLES})
    assert (got.status_code, got.content, got.headers["etag"]) == (200, b"", response(plain, PATH).headers["etag"])
    refused = plain.client.post(PATH, headers={"Authorization": f"Bearer {TOKEN}"})
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_gzip_is_sent_to_who_takes_it_and_has_a_tag_of_its_own(plain: Service) -> None:
    packed = response(plain, PATH, **{"Accept-Encoding": "gzip"})
    bare = response(plain, PATH, **{"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in bare.headers
    assert packed.text == bare.text
    assert packed.headers["etag"] != bare.headers["etag"]


def test_what_cannot_be_had_and_a_host_that_is_none_are_refused(plain: Service) -> None:
    assert response(plain, PATH, Accept="image/png").status_code == 406
    assert response(plain, PATH, Host="a b>c").status_code == 400


def test_addresses_are_on_the_host_that_was_asked(plain: Service) -> None:
    found = Told.of(response(plain, PATH, Host="kg.example:81").text)
    assert found.one("SELECT ?v { ?d void:sparqlEndpoint ?v }") == "http://kg.example:81/sparql"


@pytest.mark.parametrize("path", [PATH, "/sparql"])
def test_every_address_that_is_told_on_our_own_host_answers(shipped: Service, path: str) -> None:
    assert not unanswered(shipped, told(shipped, path).addresses(shipped.url))
