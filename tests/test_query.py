"""From the text of a query or update to its dataset, and to the hosts that it would have us ask."""

from __future__ import annotations

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from motorgraph.errors import BadRequest, Forbidden
from motorgraph.query import Dataset, Query, Update, is_repeatable, planned, refuse_hosts, with_using

steady = examples(derandomize=True, max_examples=300, deadline=None)
EVIL = "http://evil.example/"
ALLOWED = ("ok.example",)
P = f"PREFIX ok: <http://ok.example/> PREFIX evil: <{EVIL}> "


# Which hosts a text asks


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT * {{ SERVICE <{EVIL}> {{ ?s ?p ?o }} }}",
        f"SELECT * {{ service silent <{EVIL}> {{ ?s ?p ?o }} }}",
        f"SELECT * {{ SERVICE<{EVIL}>{{}} }}",
        f"SELECT * {{ SERVICE # <http://ok.example/>\n <{EVIL}> {{}} }}",
        f"{P}SELECT * {{ SERVICE evil:x {{}} }}",
        f"PREFIX : <{EVIL}> SELECT * {{ SERVICE :x {{}} }}",
        f"BASE <{EVIL}> SELECT * {{ SERVICE <x> {{}} }}",
        f"BASE <{EVIL}> PREFIX e: <x/> SELECT * {{ SERVICE e:y {{}} }}",
        f"{P}PREFIX ok: <{EVIL}> SELECT * {{ SERVICE ok:x {{}} }}",
        f"BASE <{EVIL}> PREFIX e: <x/> BASE <http://ok.example/> SELECT * {{ SERVICE e:s {{}} }}",
        f"SELECT * {{ SERVICE <http://ok.example/> {{}} SERVICE <{EVIL}> {{}} }}",
        f"SELECT * {{ {{ SELECT * {{ OPTIONAL {{ SERVICE <{EVIL}> {{}} }} }} }} }}",
        f"SELECT * {{ FILTER EXISTS {{ SERVICE <{EVIL}> {{}} }} }}",
        f"SELECT * {{ SERVICE <http://ok.example@{EVIL[7:]}> {{}} }}",
        f"SELECT * {{ SERVICE <{EVIL}?ok.example> {{}} }}",
        f"SELECT * {{ SERVICE <{EVIL}#ok.example> {{}} }}",
        "SELECT * { SERVICE <http://ok.example.evil.example/> {} }",
        "SELECT * { SERVICE <//evil.example/> {} }",
        "SELECT * { SERVICE <file:///etc/passwd> {} }",
        "SELECT * { SERVICE <http://[::1/> {} }",
        "SELECT * { SERVICE ?where {} }",
        "SELECT * { SERVICE unknown:x {} }",
        "SELECT * { SERVICE",
        f"SELECT * {{ ?s ?p 1SERVICE <{EVIL}> {{}} }}",
        f"SELECT * {{ ?s ?p 1.SERVICE <{EVIL}> {{}} }}",
        f'SELECT * {{ ?s ?p ""SERVICE <{EVIL}> {{}} }}',
        f"SELECT * {{ ?s ?p trueSERVICE <{EVIL}> {{}} }}",
        f"SELECT * {{ SERVICESILENT<{EVIL}>{{}} }}",
        f"PREFIX : <{EVIL}> SELECT * {{ SERVICE:x {{}} }}",
        f"PREFIX : <{EVIL}> SELECT * {{ ?s ?p true.SERVICE:x {{}} }}",
        f"{P}SELECT * {{ ?s ?p ok:.SERVICE <{EVIL}> {{}} }}",
        f"SELECT * {{ \\u0053ERVICE <{EVIL}> {{}} }}",
        f'SELECT * {{ ?s ?p "\\u0022" . SERVICE <{EVIL}> {{}} . ?s ?p "\\u0022" }}',
        f'SELECT * {{ ?s ?p "#" . SERVICE <{EVIL}> {{}} }}',
        f"SELECT * {{ ?s <http://e/#> ?o . SERVICE <{EVIL}> {{}} }}",
        f"{P}SELECT * {{ ?s ok:\\# ?o . SERVICE <{EVIL}> {{}} }}",
        f"{P}SELECT * {{ ?s ok:a\\'b ?o . SERVICE <{EVIL}> {{}} . ?s ok:a\\'b ?o }}",
        f"{P}SELECT * {{ ?s ?p ok:x\u0300\\' . SERVICE <{EVIL}> {{}} . ?s ?p ok:x\u0300\\' . ?s ?p 'z' }}",
        f"SELECT * {{ ?s ?p ?a, ?b FILTER(?a<?b#>'''\n) SERVICE <{EVIL}> {{}} #'''\n }}",
        f"{P}SELECT * {{ ?s <http://e/\\u0027> ?o . SERVICE <{EVIL}> {{}} . ?s <http://e/\\u0027> ?o }}",
    ],
)
def test_a_service_on_a_host_that_is_not_allowed_is_refused(text: str) -> None:
    with pytest.raises(Forbidden):
        refuse_hosts(text, ALLOWED)


@pytest.mark.parametrize(
    "text",
    [
        f"LOAD <{EVIL}>",
        f"load silent <{EVIL}> into graph <http://g/>",
        "LOAD <http://ok.example/x.ttl>",
        f"LOADSILENT<{EVIL}>",
        f"LOAD<{EVIL}>INTO GRAPH <http://g/>",
        f"CLEAR ALL;LOAD<{EVIL}>",
        f"CLEARALL;LOAD<{EVIL}>",
        f"INSERT DATA {{ <a> <b> 'LOAD' }} ; LOAD <{EVIL}>",
        f"PREFIX : <{EVIL}> LOAD:x",
        "LOAD <file:///etc/passwd>",
    ],
)
def test_a_load_is_refused_whatever_hosts_are_allowed(text: str) -> None:
    with pytest.raises(Forbidden, match="LOAD of"):
        refuse_hosts(text, ALLOWED)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { ?s ?p ?o }",
        "SELECT * { ?service ?load $SERVICE }",
        "SELECT * { ?s ?p 'after-sales SERVICE' }",
        'SELECT * { ?s ?p """it\'s "LOAD" \\u0041""" }',
        "SELECT * { ?s <http://e/SERVICE/load> ?o } # SERVICE and LOAD",
        "PREFIX service: <http://e/> SELECT * { ?s service:load/service:SERVICE ?o }",
        "PREFIX e: <http://e/> SELECT * { ?s e:service ?o . _:load ?p ?o }",
        "SELECT * { ?s ?p 'x'@service }",
        "SELECT * { ?s ?p '\\u0053' }",
        "SELECT * { SERVICE <http://ok.example/sparql> { ?s ?p ?o } }",
        "SELECT * { SERVICE SILENT <https://OK.example:8443/x> { ?s ?p ?o } }",
        f"{P}SELECT * {{ SERVICE ok:x {{ ?s ?p ?o }} }}",
        "BASE <http://ok.example/a/> SELECT * { SERVICE <../b> {} }",
        "SELECT * { SERVICE <http://\\u006Fk.example/> {} }",
    ],
)
def test_a_text_that_asks_no_other_host_passes(text: str) -> None:
    refuse_hosts(text, ALLOWED)


def test_the_refusal_names_the_host_and_what_is_allowed() -> None:
    with pytest.raises(Forbidden, match=r"SERVICE on evil\.example is not allowed\. Allowed are: ok\.example\.") as refused:
        refuse_hosts(f"SELECT * {{ SERVICE <{EVIL}> {{}} }}", ALLOWED)
    assert refused.value.members == {"host": "evil.example"}
    with pytest.raises(Forbidden, match="No host is allowed"):
        refuse_hosts(f"SELECT * {{ SERVICE <{EVIL}> {{}} }}", ())
    with pytest.raises(Forbidden, match="a host that the query does not name"):
        refuse_hosts("SELECT * { SERVICE ?where {} }", ())


_BEFORE = st.sampled_from(
    [
        "",
        "?s ?p ?o .",
        "?s ?p ?o, true",
        "?s ?p ?o, 1",
        "?s ?p ?o, 1.",
        "?s ?p ?o, ''",
        '?s ?p ?o, "\\"" .',
        "?s ?p ?o, e:x .",
        "?s ?p ?o, e:.",
        "?s ?p ?o, e:x\\' .",
        "?s ?p ?o, e:x\u0300\\' .",
        "?s ?p ?o, e:\u2103\\' .",
        '?s ?p ?o, "\\u0022" .',
        "?s ?p ?o, '\\u0027\\u0027' .",
        "?s ?p ?o, <http://e/#> .",
        "?s ?p ?o, <http://e/\\u0027> .",
        "?s ?p ?o # '\n .",
        "?s ?p ?o FILTER(?o<?p#>\n)",
        "?s ?p ?o FILTER(?o<?p#>'''\n)",
        '?s ?p ?o FILTER(?o<?p#>"""\n)',
    ]
)
_SERVICES = st.sampled_from(
    [
        "SERVICE <http://127.0.0.1:1/> {}",
        "SERVICE<http://127.0.0.1:1/>{}",
        "service\n#<http://ok.example/>\r<http://127.0.0.1:1/> {}",
        "SERVICE e:x {}",
        "SERVICE e: {}",
        "SERVICE:x{}",
        "sErViCe :x {}",
        "SERVICE ?s {}",
        "SERVICE <> {}",
        "OPTIONAL{SERVICE :x {}}",
    ]
)
_AFTER = st.one_of(_BEFORE, st.sampled_from(["#'", "#'''\n", '#"""\n', "?s ?p 'z'", "?s ?p '''z'''", '#" \n ?s ?p """z"""']))


def _one_triple() -> ox.Store:
    """A triple whose subject is an address, so that SERVICE ?s would be asked too."""
    store = ox.Store()
    store.add(ox.Quad(ox.NamedNode("http://127.0.0.1:1/"), ox.NamedNode("http://p"), ox.Literal(1)))
    return store


def _asks_a_host(text: str, store: ox.Store) -> bool:
    """Whether the engine itself tries: to port 1, which its HTTP client never opens."""
    try:
        list(store.query(text))  # type: ignore[arg-type]  # a SELECT gives rows
    except OSError as error:
        return "The port 1 is not allowed" in str(error)
    except (SyntaxError, RuntimeError, ValueError):
        return False
    return False


@examples(steady, max_examples=1000)
@given(_BEFORE, _BEFORE, _SERVICES, _AFTER)
def test_no_text_that_makes_the_engine_ask_a_host_passes(first: str, second: str, service: str, after: str) -> None:
    prologue = "BASE <http://127.0.0.1:1/> PREFIX e: <> PREFIX : <http://127.0.0.1:1/> SELECT * { "
    text = f"{prologue}{first}{second}{service}{after}\n}}"
    if _asks_a_host(text, _one_triple()):
        with pytest.raises(Forbidden):
            refuse_hosts(text, ALLOWED)


# Which dataset a query sees


@pytest.mark.parametrize(
    ("text", "default", "named"),
    [
        ("SELECT * { ?s ?p ?o }", [], []),
        ("SELECT * FROM <http://g/1> { ?s ?p ?o }", ["1"], []),
        ("select*from<http://g/1>{ ?s ?p ?o }", ["1"], []),
        ("SELECT * FROM <http://g/1> FROM <http://g/2> FROM NAMED <http://g/3> WHERE {}", ["1", "2"], ["3"]),
        ("SELECT * FROM NAMED <http://g/1> FROM<http://g/2> WHERE {}", ["2"], ["1"]),
        ("SELECT * FROM <http://g/1> FROM <http://g/1> {}", ["1"], []),
        ("ASK FROM <http://g/1> {}", ["1"], []),
        ("DESCRIBE <http://x> FROM <http://g/1>", ["1"], []),
        ("DESCRIBE <http://x> FROM <http://g/1> FROM <http://g/2>", ["1", "2"], []),
        ("DESCRIBE ?x FROM NAMED <http://g/1> { ?x ?p ?o }", [], ["1"]),
        ("CONSTRUCT { ?s ?p ?o } FROM <http://g/1> WHERE { ?s ?p ?o }", ["1"], []),
        ("CONSTRUCT FROM <http://g/1> WHERE { ?s ?p ?o }", ["1"], []),
        ("CONSTRUCT { ?s ?p '}' . [] <http://e/{> '{' } FROM <http://g/1> WHERE { ?s ?p ?o }", ["1"], []),
        ("CONSTRUCT { } FROM NAMED <http://g/2> FROM <http://g/1> { { SELECT * { ?s ?p ?o } } }", ["1"], ["2"]),
        ("SELECT (EXISTS { ?s ?p ?o } AS ?e) FROM <http://g/1> {}", ["1"], []),
        ("SELECT ?from FROM <http://g/1> { ?from ?p 'FROM <http://g/2>' } # FROM <http://g/3>", ["1"], []),
        ("SELECT * # FROM <http://g/2>\nFROM <http://g/1> {}", ["1"], []),
        ("SELECT * { { SELECT * { ?s <http://e/FROM> ?o } } }", [], []),
        ("SELECT ('a FROM <http://g/2>' AS ?x) FROM <http://g/1> {}", ["1"], []),
        ("PREFIX e: <http://g/> SELECT * FROM e:1 FROM NAMED e:2 {}", ["1"], ["2"]),
        ("PREFIX from: <http://g/> SELECT * FROM from:1 {}", ["1"], []),
        ("PREFIX : <http://g/> SELECT * FROM :1 {}", ["1"], []),
        ("PREFIX e: <http://x/> PREFIX e: <http://g/> SELECT * FROM e:1 {}", ["1"], []),
        (r"PREFIX e: <http://g/> SELECT * FROM e:a\-b FROM <http://g/\u0031> {}", ["a-b", "1"], []),
        ("BASE <http://g/x/> SELECT * FROM <../1> FROM </2> {}", ["1", "2"], []),
        ("BASE <http://g/> BASE <x/> SELECT * FROM <1> {}", ["x/1"], []),
        ("BASE <http://g/> PREFIX e: <x/> BASE <http://other/> SELECT * FROM e:1 {}", ["x/1"], []),
        ("SELECT * FROM <1> FROM <> {}", ["sparql/../1", "sparql"], []),
    ],
)
def test_the_dataset_is_what_from_and_from_named_say(text: str, default: list[str], named: list[str]) -> None:
    dataset = planned(Query(text, base="http://g/sparql")).dataset
    expected = [iri.replace("sparql/../", "") for iri in default]
    assert dataset == Dataset(tuple("http://g/" + iri for iri in expected), tuple("http://g/" + iri for iri in named))


@pytest.mark.parametrize("text", ["SELECT * FROM", "SELECT * FROM NAMED", "SELECT * FROM {", "SELECT * FROM e:x {}", "FROM FROM"])
def test_a_from_that_names_no_graph_is_left_to_the_parser(text: str) -> None:
    assert not planned(Query(text)).dataset


def test_the_dataset_of_the_protocol_overrides_what_the_text_says() -> None:
    dataset = Dataset(("http://g/9",), ())
    assert planned(Query("SELECT * FROM <http://g/1> {}", dataset)).dataset is dataset


def test_a_host_is_refused_where_the_dataset_is_given_by_the_protocol_too() -> None:
    with pytest.raises(Forbidden):
        planned(Query(f"SELECT * {{ SERVICE <{EVIL}> {{}} }}", Dataset(("http://g/9",))))


_NAMES = st.sampled_from(["<http://g/1>", "<2>", "e:3", ":4", "<http://g/#5>"])
_IRIS = {
    "<http://g/1>": "http://g/1",
    "<2>": "http://g/2",
    "e:3": "http://e/3",
    ":4": "http://g/4",
    "<http://g/#5>": "http://g/#5",
}
_CLAUSES = st.lists(st.tuples(st.booleans(), _NAMES), max_size=5)
_GAPS = st.sampled_from([" ", "\n", "\t# FROM <http://g/7> '\n", ' #"""\r'])
_HEADS = st.sampled_from(
    [
        "SELECT *",
        "SELECT ?from ('FROM <x>' AS ?y)",
        "ASK",
        'CONSTRUCT { ?s e:FROM \'{\' , """}""" }',
        "DESCRIBE <http://x/FROM>",
        "SELECT (EXISTS { ?s ?p '}' } AS ?z)",
    ]
)
_TAILS = st.sampled_from(
    ["{ ?s ?p 'FROM <http://g/8>' }", "WHERE { { SELECT * { ?s e:FROM ?FROM } } }", "{ } #FROM <http://g/6>"]
)


@steady
@given(_HEADS, _CLAUSES, _TAILS, _GAPS, st.booleans())
def test_the_dataset_of_a_text_built_from_pieces_is_the_one_it_was_built_for(
    head: str, clauses: list[tuple[bool, str]], tail: str, gap: str, upper: bool
) -> None:
    keyword = "FROM" if upper else "from"
    said = gap.join(f"{keyword}{gap}{'Named' + gap if named else ''}{name}" for named, name in clauses)
    text = gap.join(["BASE <http://g/>", "PREFIX e: <http://e/>", "prefix : <>", head, said, tail])
    default = tuple(dict.fromkeys(_IRIS[name] for named, name in clauses if not named))
    named = tuple(dict.fromkeys(_IRIS[name] for named, name in clauses if named))
    assert planned(Query(text)).dataset == Dataset(default, named)


# using-graph-uri


USING = " USING <http://g/1> USING <http://g/2> USING NAMED <http://g/3> "
GIVEN = Dataset(("http://g/1", "http://g/2"), ("http://g/3",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("INSERT { ?s ?p 1 } WHERE { ?s ?p ?o }", f"INSERT {{ ?s ?p 1 }} {USING}WHERE {{ ?s ?p ?o }}"),
        ("delete { ?s ?p 1 } where{ ?s ?p ?o }", f"delete {{ ?s ?p 1 }} {USING}where{{ ?s ?p ?o }}"),
        (
            "DELETE { ?s ?p 1 } INSERT { ?s ?p 'WHERE {' } WHERE { ?s ?p ?o }",
            f"DELETE {{ ?s ?p 1 }} INSERT {{ ?s ?p 'WHERE {{' }} {USING}WHERE {{ ?s ?p ?o }}",
        ),
        ("DELETE WHERE { ?s ?p '}' }", f"DELETE  {{ ?s ?p '}}' }}{USING}WHERE {{ ?s ?p '}}' }}"),
        (
            "DELETE WHERE { GRAPH <http://g/9> { ?s ?p ?o } }",
            f"DELETE  {{ GRAPH <http://g/9> {{ ?s ?p ?o }} }}{USING}WHERE {{ GRAPH <http://g/9> {{ ?s ?p ?o }} }}",
        ),
        (
            "INSERT { ?s ?p 1 } WHERE { { SELECT * WHERE { ?s ?p ?o } } }",
            f"INSERT {{ ?s ?p 1 }} {USING}WHERE {{ {{ SELECT * WHERE {{ ?s ?p ?o }} }} }}",
        ),
        ("INSERT DATA { <a> <b> 'WHERE' }", "INSERT DATA { <a> <b> 'WHERE' }"),
        ("CLEAR ALL", "CLEAR ALL"),
        (
            "INSERT DATA { <a> <b> 1 } ; DELETE { ?s ?p 1 } WHERE { ?s ?p ?o } ; INSERT {} WHERE {}",
            f"INSERT DATA {{ <a> <b> 1 }} ; DELETE {{ ?s ?p 1 }} {USING}WHERE {{ ?s ?p ?o }} ; INSERT {{}} {USING}WHERE {{}}",
        ),
        (
            "PREFIX where: <http://e/> INSERT { ?where where:where 1 } # WHERE\nWHERE { ?where ?p ?o }",
            f"PREFIX where: <http://e/> INSERT {{ ?where where:where 1 }} # WHERE\n{USING}WHERE {{ ?where ?p ?o }}",
        ),
    ],
)
def test_using_stands_before_the_where_of_every_operation(text: str, expected: str) -> None:
    told = with_using(Update(text, GIVEN))
    assert told.split() == expected.split()


@pytest.mark.parametrize(
    "text",
    [
        "WITH <http://g/1> INSERT { ?s ?p 1 } WHERE { ?s ?p ?o }",
        "INSERT { ?s ?p 1 } USING <http://g/1> WHERE { ?s ?p ?o }",
        "insert { ?s ?p 1 } using named <http://g/1> where { ?s ?p ?o }",
        "CLEAR ALL ; WITH<http://g/1>DELETE { ?s ?p 1 } WHERE { ?s ?p ?o }",
    ],
)
def test_an_update_that_says_with_or_using_itself_is_refused_beside_the_parameters(text: str) -> None:
    with pytest.raises(BadRequest, match="may not say USING or WITH"):
        with_using(Update(text, GIVEN))
    assert with_using(Update(text)) == text


def test_with_and_using_inside_of_strings_and_names_are_no_clauses() -> None:
    text = "PREFIX with: <http://e/> INSERT DATA { with:using <http://e/WITH> 'USING' } # WITH"
    assert with_using(Update(text, GIVEN)) == text


@pytest.mark.parametrize("literal", [r'"say \u0022x\u0022"', r'"a\u000Ab"', r'"a\u005Cnb"', r"'\u0027'"])
def test_escapes_in_an_update_stay_as_they_were_written(literal: str) -> None:
    text = f"INSERT {{ <http://s> <http://p> {literal} }} WHERE {{}}"
    assert literal in with_using(Update(text, GIVEN))
    ox.Store().update(with_using(Update(text, GIVEN)))


_OPERATIONS = st.sampled_from(
    [
        ("INSERT DATA { GRAPH <http://e/t> { <http://e/a> <http://e/b> 'WHERE {' } }", 0),
        ("DELETE { ?s ?p ?o } INSERT { ?s ?p '}' } WHERE { ?s ?p ?o }", 1),
        ("INSERT { ?s ?p 1 } where { { SELECT ?s ?p WHERE { ?s ?p ?o } } }", 1),
        ("DELETE WHERE { ?s ?p 3 }", 1),
        ("DELETE# WHERE\nWHERE { GRAPH <http://g/3> { ?s ?p '{' } }", 1),
        ("CREATE SILENT GRAPH <http://e/WHERE>", 0),
        ("DELETE DATA { <http://e/a> <http://e/b> 1 }", 0),
    ]
)


@steady
@given(st.lists(_OPERATIONS, min_size=1, max_size=5))
def test_each_operation_with_a_pattern_gets_the_clauses_once_and_the_engine_still_reads_it(
    operations: list[tuple[str, int]],
) -> None:
    told = with_using(Update(" ; ".join(text for text, _ in operations), GIVEN))
    assert told.count(USING.strip()) == sum(patterns for _, patterns in operations)
    ox.Store().update(told)


def test_the_clauses_decide_what_the_pattern_sees() -> None:
    store = ox.Store()
    store.update("INSERT DATA { GRAPH <http://g/1> { <http://s> <http://p> 1 } GRAPH <http://g/9> { <http://s> <http://p> 9 } }")
    store.update(with_using(Update("INSERT { GRAPH <http://out> { ?s ?p ?o } } WHERE { ?s ?p ?o }", Dataset(("http://g/1",)))))
    assert [str(q.object) for q in store.quads_for_pattern(None, None, None, ox.NamedNode("http://out"))] == [str(ox.Literal(1))]


# What may be remembered


@pytest.mark.parametrize(
    "call", ["NOW()", "now ( )", "RAND#?\n()", "UUID()", "STRUUID()", "BNODE()", "BNODE('a')", "1RAND()", "n\\u006Fw()"]
)
def test_a_query_whose_answer_changes_by_itself_is_not_repeatable(call: str) -> None:
    assert not is_repeatable(f"SELECT ({call} AS ?x) {{}}")


def test_a_query_of_the_graph_alone_is_repeatable() -> None:
    assert is_repeatable("SELECT * { ?s ?p ?o } ORDER BY ?s")


@pytest.mark.parametrize("name", ["?brand", "?known", "mg:brand", "# What is not known?\n?uuid"])
def test_names_that_have_now_or_rand_in_them_keep_no_query_from_being_repeatable(name: str) -> None:
    assert is_repeatable(f"SELECT * {{ {name} ?p ?o FILTER(?o != 1) }} ORDER BY ?p")


def test_a_text_that_is_full_of_such_names_is_looked_through_once() -> None:
    assert is_repeatable("SELECT * {} #" + "now " * 250_000)
    assert not is_repeatable("SELECT * {} #" + "now \n" * 250_000 + "now# is it?\n()")


def test_a_query_that_asks_another_host_is_not_repeatable() -> None:
    assert not is_repeatable("SELECT * { SERVICE <http://ok.example/> {} }")
