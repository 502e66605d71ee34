"""The delta of an update is what the engine's own update changes, no more and no less, whatever the update says."""

from __future__ import annotations

import tempfile
from collections.abc import Callable

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motorgraph.engine import rehearsal
from motorgraph.engine.delta import NQUADS, Delta, Written
from motorgraph.engine.rehearsal import rehearse
from motorgraph.engine.wire import Job
from motorgraph.errors import BadSyntax
from motorgraph.operations import cut
from tests.moving import nameless

PROLOGUE = "BASE <http://e/> PREFIX a: <a:> PREFIX : <http://e/> "
State = tuple[ox.Dataset, set[str]]
Texts = st.SearchStrategy[str]


def filled(quads: list[ox.Quad], *graphs: str) -> ox.Store:
    store = ox.Store()
    store.extend(quads)
    for graph in graphs:
        store.add_graph(ox.NamedNode(graph))
    return store


def state(store: ox.Store) -> State:
    """What a store says, whatever its blank nodes are called, and the names of its graphs."""
    return nameless(store), {str(name) for name in store.named_graphs() if isinstance(name, ox.NamedNode)}


def compared(quads: list[ox.Quad], graphs: list[str], text: str, base: str = "http://base/") -> Delta | None:
    """The delta of an update on a store of these quads and graphs; None if it cannot be made. Fails unless it is exact."""
    theirs, ours, repeated = (filled(quads, *graphs) for _ in range(3))
    before, names = set(ours), {name.value for name in ours.named_graphs() if isinstance(name, ox.NamedNode)}
    refusal = failure(lambda: theirs.update(text, base_iri=base))
    if refusal:
        assert failure(lambda: rehearse(ours, text, base)) == refusal
        return None
    delta = rehearse(ours, text, base)
    assert state(ours) == state(theirs), text
    assert delta.removed <= before
    assert not delta.added & before
    assert delta.dropped <= names
    assert not delta.made & names
    delta.make(repeated)
    assert set(repeated) == set(ours)
    assert state(repeated) == state(theirs), text
    assert as_lines(quads, graphs, text, base) == state(theirs), text
    return delta


def as_lines(quads: list[ox.Quad], graphs: list[str], text: str, base: str) -> State:
    """The state after an update whose delta was held as lines, written down, and made as the keeper makes it."""
    draft, keeper = (filled(quads, *graphs) for _ in range(2))
    delta = rehearse(draft, text, base, as_lines=True)
    before = set(keeper)
    for graph, (removed, added) in delta.lines.items():
        gone, come = list(ox.parse(removed, NQUADS)), list(ox.parse(added, NQUADS))
        assert {quad.graph_name for quad in (*gone, *come)} <= {graph}
        assert set(gone) <= before
        assert not set(come) & before
        assert (len(set(gone)), len(set(come))) == (len(gone), len(come))
    with tempfile.TemporaryFile() as spool:
        delta.write(spool, Job("update"), {})
        spool.seek(0)
        Written.of(spool.read()).make(keeper)
    return state(keeper)


def failure(act: Callable[[], object]) -> str:
    """What the engine says against it, "" if nothing."""
    try:
        act()
    except RuntimeError as error:
        return str(error)
    return ""


# Few names, so that they meet

SUBJECTS = [ox.NamedNode("http://e/1"), ox.NamedNode("http://e/2"), ox.BlankNode("b")]
OBJECTS = [*SUBJECTS, ox.Literal(1), ox.Literal("01", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#integer"))]
OBJECTS += [ox.Literal("} ; { # ' \""), ox.Literal("x", language="en"), ox.NamedNode("http://e/g")]
NAMES = ["http://e/g", "http://e/h", "http://e/caf\u00e9?q=%20&r#f"]
GRAPHS = [ox.DefaultGraph(), *map(ox.NamedNode, NAMES)]
PREDICATES = [ox.NamedNode("http://e/p"), ox.NamedNode("http://e/q")]
QUADS = st.builds(ox.Quad, *map(st.sampled_from, (SUBJECTS, PREDICATES, OBJECTS, GRAPHS)))
STORES = st.lists(QUADS, min_size=3, max_size=12)

SUBJECT = st.sampled_from(["<1>", ":2", "<http://e/1>"])
VARIABLE = st.sampled_from(["?s", "?o", "$g", "?x"])
PREDICATE = st.sampled_from([":p", "<q>"])
LITERAL = st.sampled_from(["1", "01", "1.0", '"} ; { # \' \\""', "'x'@en", '"""GRAPH <g> { } \' " """', "true"])
GRAPH = st.sampled_from(["<g>", ":g", "<http://e/h>", ":h", f"<{NAMES[2]}>", "<new>"])
GAP = st.sampled_from([" ", " # } ; INSERT '\n", "\t\n"])


def joined(*parts: Texts | str) -> Texts:
    """Texts side by side, with something between."""
    pieces = [piece for part in parts for piece in (st.just(part) if isinstance(part, str) else part, GAP)]
    return st.tuples(*pieces).map("".join)


def triples(subject: Texts, value: Texts) -> Texts:
    several = st.lists(joined(subject, PREDICATE, value), min_size=1, max_size=2).map(" . ".join)
    return st.one_of(several, joined(subject, PREDICATE, value, ";", PREDICATE, value))


def template(subject: Texts, value: Texts, graph: Texts) -> Texts:
    """Triples in braces, those of graphs between those of none, with points where they must and where they may be."""
    some = triples(subject, value)
    inside = joined("GRAPH", graph, "{", st.one_of(some, joined(some, "."), st.just("")), "}")
    parts = st.lists(st.tuples(st.one_of(some, inside), st.booleans()), max_size=3)
    return joined("{", parts.map(_pointed), "}")


def _pointed(parts: list[tuple[str, bool]]) -> str:
    text = ""
    for place, (part, is_pointed) in enumerate(parts):
        is_followed = place + 1 < len(parts) and not parts[place + 1][0].startswith("GRAPH")
        must_be = is_followed and not part.startswith("GRAPH")
        text += part + (" . " if is_pointed or must_be else "\n")
    return text


FIXED = st.one_of(SUBJECT, LITERAL)
ANY = st.one_of(VARIABLE, SUBJECT, LITERAL)
NODE = st.one_of(VARIABLE, SUBJECT)
NEW = st.one_of(NODE, st.sampled_from(["_:n", "[]"]))
PLACE = st.one_of(GRAPH, VARIABLE)
PATTERN = st.sampled_from(
    [
        "{ ?s :p ?o }",
        "{ ?s ?p ?o FILTER(isIRI(?o)) }",
        "{ GRAPH $g { ?s ?p ?o } }",
        "{ GRAPH $g { ?s :p ?o } OPTIONAL { ?s :q ?x } }",
        "{ { ?s :p ?o } UNION { GRAPH ?g { ?s <q> ?x } } BIND('} { ;' AS ?y) }",
        "{ ?s :p ?o BIND(<g> AS ?g) BIND(IRI(CONCAT('http://e/', STR(?o))) AS ?x) }",
        "{ VALUES ($g ?s ?o) { (<g> <1> 1) (<h> <1> UNDEF) (1 <2> 2) (UNDEF :2 <g>) } }",
        "{ SELECT ?s (COUNT(?o) AS ?x) { ?s :p ?o } GROUP BY ?s }",
        "{}",
    ]
)
USING = st.lists(st.one_of(joined("USING", GRAPH), joined("USING NAMED", GRAPH)), max_size=2).map(" ".join)
WITH = st.one_of(st.just(""), joined("WITH", GRAPH))
REMOVED = joined("DELETE", template(NODE, ANY, PLACE))
ADDED = joined("INSERT", template(NEW, st.one_of(ANY, NEW), PLACE))
SWAPPED = template(VARIABLE, VARIABLE, PLACE).map(lambda text: f"DELETE {text} INSERT {text.replace('?s', '<1>')}")
MODIFY = joined(WITH, st.one_of(REMOVED, ADDED, joined(REMOVED, ADDED), SWAPPED), USING, "WHERE", PATTERN)
SILENT = st.sampled_from(["", "SILENT", "silent"])
ONE = st.one_of(st.just("DEFAULT"), joined("GRAPH", GRAPH))
WHOLE = st.one_of(ONE, st.sampled_from(["NAMED", "all"]))
EITHER = st.one_of(ONE, GRAPH)
OPERATION = st.one_of(
    MODIFY,
    MODIFY,
    joined("INSERT", "DATA", template(st.one_of(SUBJECT, st.just("[]")), FIXED, GRAPH)),
    joined("delete", "data", template(SUBJECT, FIXED, GRAPH)),
    joined("DELETE", "WHERE", template(NODE, ANY, PLACE)),
    joined(st.sampled_from(["CLEAR", "DROP"]), SILENT, WHOLE),
    joined("CREATE", SILENT, "GRAPH", GRAPH),
    joined(st.sampled_from(["COPY", "MOVE", "add"]), SILENT, EITHER, "TO", EITHER),
)
UPDATE = st.lists(OPERATION, min_size=1, max_size=3).map(" ; ".join).map(lambda text: PROLOGUE + text)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(STORES, st.lists(st.sampled_from(NAMES), max_size=2), UPDATE)
def test_the_delta_of_an_update_is_what_the_engine_changes(quads: list[ox.Quad], graphs: list[str], text: str) -> None:
    assert cut(text) is not None, text
    compared(quads, graphs, text)


def test_a_text_that_is_no_update_is_refused_without_a_look_at_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[ox.Store] = []
    look = rehearsal._lines

    def watched(store: ox.Store) -> list[bytes]:
        looks.append(store)
        return look(store)

    monkeypatch.setattr(rehearsal, "_lines", watched)
    for text in ("INSERT DATA { GRAPH <g> { <a:a> <a:b> }", "CLEAR", "DELETE { ?s ?p ?o WHERE { ?s ?p ?o }", "no update"):
        with pytest.raises(BadSyntax):
            rehearse(ox.Store(), text, "http://base/")
    assert not looks


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("INSERT DATA { <a:s> <a:p> }", 1, 27),
        ("PREFIX a: <a:> INSERT DATA { a:s a:p 1 } ; INSERT DATA { a:s a:p }", 1, 66),
        ("PREFIX a: <a:>\nINSERT DATA {\n a:s a:p }", 3, 10),
        ("CLEAR GRAPH <a:g> ; SELECT * {}", 1, 21),
    ],
)
def test_a_syntax_error_is_told_where_it_is_before_anything_is_done(text: str, line: int, column: int) -> None:
    store = filled([], "a:g")
    with pytest.raises(BadSyntax) as caught:
        rehearse(store, text, "")
    assert (caught.value.members["line"], caught.value.members["column"]) == (line, column)
    assert [str(name) for name in store.named_graphs()] == ["<a:g>"]


@pytest.mark.parametrize(
    "text",
    [
        "DELETEDATA { <http://e/1> <http://e/p> 1 } ; INSERT DATA { <http://e/1> <http://e/p> 2 }",
        "INSERT DATA { <http://e/1> <http://e/p> 2 {| <a:q> 3 |} }",
        "INSERT { <http://e/1> <http://e/p> 2 {| <a:q> ?o |} } WHERE { ?s <http://e/p> ?o }",
        "VERSION '1.2' DELETE WHERE { ?s ?p ?o }",
        "ADD DEFAULT TODEFAULT ; CLEARALL",
    ],
)
def test_what_cannot_be_cut_is_found_by_comparison(text: str) -> None:
    quads = [ox.Quad(SUBJECTS[0], PREDICATES[0], ox.Literal(1))]
    delta = compared(quads, [], text)
    assert delta is not None
    assert not delta.is_empty


@pytest.mark.parametrize(
    "text", ["", "# nothing", "PREFIX a: <a:>", "INSERT DATA { GRAPH <a:g> {} }", "DELETE WHERE { ?s <a:x> ?o }"]
)
def test_an_update_that_says_nothing_changes_nothing(text: str) -> None:
    delta = compared([ox.Quad(SUBJECTS[0], PREDICATES[0], ox.Literal(1))], [], text)
    assert delta is not None
    assert delta.is_empty


def test_what_comes_and_goes_within_an_update_is_no_change() -> None:
    text = (
        "INSERT DATA { GRAPH <a:g> { <a:s> <a:p> 1 } } ; DROP GRAPH <a:g> ; "
        "DELETE WHERE { ?s ?p ?o } ; INSERT DATA { <http://e/1> <http://e/p> 1 }"
    )
    delta = compared([ox.Quad(SUBJECTS[0], PREDICATES[0], ox.Literal(1))], [], text)
    assert delta is not None
    assert delta.is_empty


def test_a_graph_that_is_named_by_a_blank_node_is_met_too() -> None:
    quads = [ox.Quad(SUBJECTS[0], PREDICATES[0], ox.Literal(n), ox.BlankNode("g")) for n in range(3)]
    delta = compared(quads, [], "DELETE { GRAPH ?g { ?s ?p 1 } } INSERT { GRAPH ?g { ?s ?p 7 } } WHERE { GRAPH ?g { ?s ?p 1 } }")
    assert delta is not None
    assert len(delta.removed) == len(delta.added) == 1


def test_one_evaluation_tells_both_sets() -> None:
    text = "INSERT { ?s ?p ?x . GRAPH <a:g> { ?s ?p ?x . _:n <a:q> ?x } . _:n <a:r> ?x } WHERE { ?s ?p 1 BIND(UUID() AS ?x) }"
    store = filled([ox.Quad(SUBJECTS[0], PREDICATES[0], ox.Literal(1))])
    delta = rehearse(store, text, "")
    assert len({quad.object for quad in delta.added}) == 1
    assert len({quad.subject for quad in delta.added}) == 2
    assert delta.made == {"a:g"}
    assert {str(name) for name in store.named_graphs()} == {"<a:g>"}


def test_declarations_may_stand_between_operations() -> None:
    store = ox.Store()
    text = (
        "PREFIX a: <http://a/> INSERT DATA { a:s a:p 1 } ;\nPREFIX b: <http://b/> INSERT { b:s ?p ?o } WHERE { a:s ?p ?o } ;\n"
        "PREFIX a: <http://c/> BASE <http://d/>\n"
        "DELETE { ?s ?p 1 } INSERT { GRAPH <g> { a:s ?p 2 } } WHERE { ?s ?p 1 } ; BASE <x:>"
    )
    delta = rehearse(store, text, "")
    assert {str(quad.subject) for quad in delta.added} == {"<http://c/s>"}
    assert delta.made == {"http://d/g"}
    assert len(delta.added) == len(store) == 1
    assert not delta.removed


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("PREFIX a: <a:> INSERT DATA { a:s a:p 1 } ;\nPREFIX b: <b:>\nINSERT DATA { b:s b:p }", 3, 23),
        ("INSERT DATA { <a:s> <a:p> 1 } ; PREFIX b: <b:> INSERT DATA { c:s b:p 1 }", 1, 62),
        ("INSERT DATA { <a:s> <a:p> 1 } ; PREFIX b: <b:> ; CLEAR ALL", 1, 48),
    ],
)
def test_a_mistake_behind_later_declarations_is_told_at_its_place(text: str, line: int, column: int) -> None:
    with pytest.raises(BadSyntax) as caught:
        rehearse(ox.Store(), text, "")
    assert (caught.value.members["line"], caught.value.members["column"]) == (line, column), caught.value.detail
