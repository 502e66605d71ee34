"""Files into a store: every format, compressed or not, another base, the merge of the graphs."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from motorgraph.engine.loading import File, follow, load_file, merge
from motorgraph.media import JSONLD, N3, NQUADS, NTRIPLES, RDFXML, READABLE, TRIG, TURTLE, Format

steady = examples(derandomize=True, max_examples=200, deadline=None)
TEXTS = {
    TURTLE: "@prefix x: <http://x/> . x:s x:p x:o .",
    NTRIPLES: "<http://x/s> <http://x/p> <http://x/o> .",
    N3: "@prefix x: <http://x/> . x:s x:p x:o .",
    NQUADS: "<http://x/s> <http://x/p> <http://x/o> .",
    TRIG: "@prefix x: <http://x/> . x:s x:p x:o .",
    JSONLD: '{"@id": "http://x/s", "http://x/p": {"@id": "http://x/o"}}',
    RDFXML: '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="http://x/">'
    '<rdf:Description rdf:about="http://x/s"><x:p rdf:resource="http://x/o"/></rdf:Description></rdf:RDF>',
}
G = "http://g/1"
_TWO_GRAPHS = (
    '[{"@id": "http://g/own", "@graph": [{"@id": "http://x/s", "http://x/p": "n"}]}, {"@id": "http://x/s", "http://x/p": "d"}]'
)
_BLANK = {
    TURTLE: "_:a <http://x/p> <http://x/o> .",
    NTRIPLES: "_:a <http://x/p> <http://x/o> .",
    NQUADS: "_:a <http://x/p> <http://x/o> .",
    TRIG: "_:a <http://x/p> <http://x/o> .",
    JSONLD: '{"@id": "_:a", "http://x/p": {"@id": "http://x/o"}}',
}


def _loaded(path: Path, form: Format, **values: object) -> ox.Store:
    store = ox.Store()
    load_file(store, File(str(path), form.media_type, **values))  # type: ignore[arg-type]  # the fields of File
    return store


def _quads(store: ox.Store) -> list[str]:
    return sorted(map(str, store))


@pytest.mark.parametrize("form", READABLE, ids=lambda form: form.name)
@pytest.mark.parametrize("packed", [False, True], ids=["bare", "gz"])
def test_each_format_is_read_into_the_graph_of_the_file(tmp_path: Path, form: Format, packed: bool) -> None:
    path = tmp_path / (f"a.{form.suffix}" + (".gz" if packed else ""))
    data = TEXTS[form].encode()
    path.write_bytes(gzip.compress(data) if packed else data)
    quad = "<http://x/s> <http://x/p> <http://x/o>"
    assert _quads(_loaded(path, form, graph=G)) == [f"{quad} <{G}>"]
    assert _quads(_loaded(path, form)) == [quad]


def test_the_suffix_gz_is_known_in_capitals_too(tmp_path: Path) -> None:
    path = tmp_path / "A.NT.GZ"
    path.write_bytes(gzip.compress(TEXTS[NTRIPLES].encode()))
    assert len(_loaded(path, NTRIPLES)) == 1


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (NQUADS, "<http://x/s> <http://x/p> 'n' <http://g/own> .\n<http://x/s> <http://x/p> 'd' .".replace("'", '"')),
        (TRIG, "<http://g/own> { <http://x/s> <http://x/p> 'n' } { <http://x/s> <http://x/p> 'd' }"),
        (
            JSONLD,
            _TWO_GRAPHS,
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Format) else "",
)
def test_what_names_its_graph_keeps_it_and_the_rest_goes_to_the_graph_of_the_file(
    tmp_path: Path, form: Format, text: str
) -> None:
    path = tmp_path / f"a.{form.suffix}"
    path.write_text(text)
    found = [f"<http://x/s> <http://x/p> {ox.Literal('d')} <{G}>", f"<http://x/s> <http://x/p> {ox.Literal('n')} <http://g/own>"]
    assert _quads(_loaded(path, form, graph=G)) == sorted(found)


@pytest.mark.parametrize("form", _BLANK, ids=lambda form: form.name)
@pytest.mark.parametrize("graph", [None, G])
def test_a_blank_node_of_one_file_is_none_of_another(tmp_path: Path, form: Format, graph: str | None) -> None:
    store = ox.Store()
    for name in ("one", "two"):
        path = tmp_path / f"{name}.{form.suffix}"
        path.write_text(_BLANK[form])
        load_file(store, File(str(path), form.media_type, graph))
    assert len(store) == 2


def test_the_base_of_what_ships_is_replaced_in_every_iri(tmp_path: Path) -> None:
    path = tmp_path / "a.trig"
    path.write_text("@prefix o: <http://old/> . <http://old/g> { o:s o:p <http://other/o> }")
    store = _loaded(path, TRIG, base=("http://old", "https://new.example"))
    assert _quads(store) == ["<https://new.example/s> <https://new.example/p> <http://other/o> <https://new.example/g>"]


def test_relative_iris_are_resolved_by_the_iri_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.ttl"
    path.write_text("<#s> <p> <../o> .")
    store = _loaded(path, TURTLE, iri="http://x/a/b.ttl")
    assert _quads(store) == ["<http://x/a/b.ttl#s> <http://x/a/p> <http://x/o>"]


@pytest.mark.parametrize("form", [TURTLE, TRIG], ids=lambda form: form.name)
@pytest.mark.parametrize("graph", [None, G])
def test_a_syntax_error_has_the_line(tmp_path: Path, form: Format, graph: str | None) -> None:
    path = tmp_path / "a"
    path.write_text('@prefix x: <http://x/> .\nx:a x:b x:c .\nx:a x:b ; ; " x .\n')
    with pytest.raises(SyntaxError) as caught:
        _loaded(path, form, graph=graph)
    assert caught.value.lineno == 3


def test_a_syntax_error_in_a_file_with_another_base_has_the_line_too(tmp_path: Path) -> None:
    path = tmp_path / "a.nt"
    path.write_text("<http://old/s> <http://x/p> 1 .\n")
    with pytest.raises(SyntaxError) as caught:
        _loaded(path, NTRIPLES, base=("http://old", "http://new"))
    assert caught.value.lineno == 1


def test_a_file_that_is_cut_off_is_an_error_that_its_reader_can_name(tmp_path: Path) -> None:
    path = tmp_path / "a.nt.gz"
    path.write_bytes(gzip.compress(TEXTS[NTRIPLES].encode())[:-5])
    with pytest.raises(EOFError):
        _loaded(path, NTRIPLES)


def test_a_format_that_the_engine_lacks_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="text/csv"):
        load_file(ox.Store(), File(str(tmp_path / "a.csv"), "text/csv"))


def test_progress_is_told_in_bytes_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motorgraph.engine.loading.PROGRESS_SECONDS", 0.0)
    path = tmp_path / "a.nt.gz"
    path.write_bytes(gzip.compress(b"".join(b"<http://x/%d> <http://x/p> <http://x/o> .\n" % n for n in range(50_000))))
    told: list[tuple[str, int, int]] = []
    load_file(ox.Store(), File(str(path), NTRIPLES.media_type), lambda *what: told.append(what))
    assert {(name, total) for name, _, total in told} == {(str(path), path.stat().st_size)}
    done = [done for _, done, _ in told]
    assert done == sorted(done)
    assert done[-1] == path.stat().st_size


_TRIPLES = st.tuples(st.integers(0, 3), st.integers(0, 2))
_STORES = st.lists(st.tuples(_TRIPLES, st.sampled_from(["", "1", "2", "3"])), max_size=12)


def _quad(triple: tuple[int, int], graph: str) -> ox.Quad:
    name = ox.NamedNode(f"http://g/{graph}") if graph else ox.DefaultGraph()
    return ox.Quad(ox.NamedNode(f"http://s/{triple[0]}"), ox.NamedNode("http://p"), ox.Literal(triple[1]), name)


def _default(store: ox.Store) -> list[str]:
    return sorted(str(q.triple) for q in store.quads_for_pattern(None, None, None, ox.DefaultGraph()))


@steady
@given(_STORES)
def test_the_merge_has_each_triple_of_the_named_graphs_once_and_nothing_else(quads: list[tuple[tuple[int, int], str]]) -> None:
    store = ox.Store()
    store.extend(_quad(triple, graph) for triple, graph in quads)
    merge(store)
    assert _default(store) == sorted({str(_quad(triple, "").triple) for triple, graph in quads if graph})
    before = _quads(store)
    merge(store)
    assert _quads(store) == before


@steady
@given(_STORES, _STORES, _STORES)
def test_a_merge_that_follows_changes_is_the_merge_made_anew(
    quads: list[tuple[tuple[int, int], str]],
    removed: list[tuple[tuple[int, int], str]],
    added: list[tuple[tuple[int, int], str]],
) -> None:
    store = ox.Store()
    store.extend(_quad(triple, graph) for triple, graph in quads if graph)
    merge(store)
    there = {_quad(triple, graph) for triple, graph in removed if graph} & set(store)
    for quad in there:
        store.remove(quad)
    more = [_quad(triple, graph) for triple, graph in added if graph]
    store.extend(more)
    follow(store, there, more)
    followed = _quads(store)
    merge(store)
    assert followed == _quads(store)
