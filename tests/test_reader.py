"""What a reader does with a job: rows counted in what the engine writes, limits, compression, the dataset that a query sees."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from motorgraph.engine.reader import GZIP_FROM_BYTES, TASKS, Outlet, evaluate, refused
from motorgraph.engine.rows import ROW_COUNTERS
from motorgraph.engine.wire import FRAME_BYTES, Frames, Job, Kind
from motorgraph.errors import BadEvaluation, BadSyntax, Failed, Forbidden, OutOfMemory, TooLarge
from motorgraph.media import CSV, JSON, TSV, TURTLE, XML, Format
from motorgraph.syntax import bad_query

steady = examples(derandomize=True, max_examples=250, deadline=None)
G = "http://g/"


# Rows, counted in the bytes that the engine writes


def _written(rows: Sequence[Sequence[object]], form: Format) -> bytes:
    """A table with these values as the engine serialises it; None is unbound."""
    width = max(map(len, rows), default=1)
    variables = " ".join(f"?v{n}" for n in range(width))
    values = " ".join("(" + " ".join(map(_term, [*row, *[None] * (width - len(row))])) + ")" for row in rows)
    results = ox.Store().query(f"SELECT {variables} {{ VALUES ({variables}) {{ {values} }} }}")
    assert isinstance(results, ox.QuerySolutions)
    made = results.serialize(format=ox.QueryResultsFormat.from_media_type(form.media_type))
    assert made is not None
    return made


def _term(value: object) -> str:
    return "UNDEF" if value is None else str(ox.Literal(value)) if isinstance(value, str) else str(value)


def _counted(data: bytes, form: Format, ends: Sequence[int]) -> int:
    count = ROW_COUNTERS[form.media_type]()
    places = [0, *sorted(end % (len(data) + 1) for end in ends), len(data)]
    return sum(count(data[start:end]) for start, end in pairwise(places))


_FORMS = st.sampled_from([JSON, XML, CSV, TSV])
_MEAN = st.sampled_from(
    [
        "",
        '"',
        '""',
        "\n",
        "\r\n",
        "\t",
        ",",
        "<result>",
        "</result><result>",
        '"},{"',
        "},{",
        '},{"v0":{',
        '"bindings":[{',
        '{"x":[{}]}',
        "\\",
        '\\"',
        "\\n",
        "é🚗",
        "]]>",
        "&lt;result&gt;",
    ]
)
_VALUES = st.none() | _MEAN | st.lists(_MEAN, max_size=4).map("".join) | st.sampled_from(["<http://e/a>", "1", "true"])
_TABLES = st.integers(1, 3).flatmap(lambda width: st.lists(st.lists(_VALUES, min_size=width, max_size=width), max_size=8))


def _like_an_end(rows: Sequence[Sequence[str | None]], form: Format) -> int:
    """How often a value looks like the end of a row to the counter of JSON, which trades this for its speed."""
    values = [value for row in rows for value in row if value is not None] if form is JSON else []
    return sum(value.endswith("},{") + value.count(",{}") for value in values)


@steady
@given(_TABLES, _FORMS, st.lists(st.integers(min_value=0), max_size=6))
def test_rows_are_counted_right_wherever_the_bytes_are_cut(rows: list[list[str | None]], form: Format, ends: list[int]) -> None:
    counted = _counted(_written(rows, form), form, ends)
    assert len(rows) <= counted <= len(rows) + _like_an_end(rows, form)


@pytest.mark.parametrize("form", [JSON, XML, CSV, TSV], ids=lambda form: form.name)
def test_rows_are_counted_right_byte_by_byte(form: Format) -> None:
    data = _written([['a"},{"b', "x\ny"], [None, None], ["", "x},{y"], ["<result>", "1"]], form)
    assert _counted(data, form, range(len(data))) == 4


@pytest.mark.parametrize("form", [JSON, XML, CSV, TSV], ids=lambda form: form.name)
@pytest.mark.parametrize("rows", [[], [[None]], [[None], [None]], [[None], ["a"]], [["a"], [None]], [["a"]]], ids=str)
def test_rows_without_a_value_are_rows(form: Format, rows: list[list[str | None]]) -> None:
    assert _counted(_written(rows, form), form, []) == len(rows)


@pytest.mark.parametrize("form", [JSON, XML, CSV, TSV], ids=lambda form: form.name)
def test_a_table_of_many_rows_is_counted_as_the_engine_hands_it_over(form: Format) -> None:
    count, rows = ROW_COUNTERS[form.media_type](), 0

    class Counted:
        def write(self, data: bytes) -> int:
            nonlocal rows
            rows += count(bytes(data))
            return len(data)

        def flush(self) -> None: ...

    numbers = " ".join(map(str, range(5000)))
    results = ox.Store().query("SELECT ?x ?y { VALUES ?x { " + numbers + " } BIND('\"},{\\n' AS ?y) }")
    assert isinstance(results, ox.QuerySolutions)
    results.serialize(Counted(), ox.QueryResultsFormat.from_media_type(form.media_type))  # type: ignore[arg-type]  # write() is all that is used
    assert rows == 5000


# The outlet


class Front:
    """The other end of an outlet: what was sent, taken apart."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        for end in (self.ours, self.theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)

    def frames(self) -> list[tuple[Kind, bytes]]:
        """All frames; the outlet's end is closed."""
        self.theirs.close()
        receiver, found = Frames(), []
        while data := self.ours.recv(1 << 20):
            found += list(receiver.feed(data))
        return found

    def body(self) -> bytes:
        """The pieces of the body, put together."""
        return b"".join(payload for kind, payload in self.frames() if kind is Kind.DATA)


@pytest.fixture
def front() -> Iterator[Front]:
    made = Front()
    with made.ours, made.theirs:
        yield made


def _job(**values: object) -> Job:
    return Job("query", **values)  # type: ignore[arg-type]  # each test gives what the field takes


def _outlet(front: Front, count_rows: Callable[[bytes], int] | None = None, **values: object) -> Outlet:
    outlet = Outlet(front.theirs, _job(**values))
    outlet.begin("solutions", CSV.media_type, count_rows)
    return outlet


def test_a_short_answer_is_a_head_a_body_and_an_end(front: Front) -> None:
    outlet = _outlet(front)
    outlet.write(b"x\r\n")
    outlet.write(b"1\r\n")
    outlet.finish()
    frames = front.frames()
    assert [kind for kind, _ in frames] == [Kind.HEAD, Kind.DATA, Kind.END]
    assert frames[1][1] == b"x\r\n1\r\n"


def test_an_empty_answer_is_a_head_and_an_end(front: Front) -> None:
    _outlet(front).finish()
    assert [kind for kind, _ in front.frames()] == [Kind.HEAD, Kind.END]


def test_a_long_answer_leaves_in_frames_of_bounded_size(front: Front) -> None:
    outlet = _outlet(front)
    for _ in range(40):
        outlet.write(b"0123456789" * 1000)
    outlet.finish()
    pieces = [payload for kind, payload in front.frames() if kind is Kind.DATA]
    assert sum(map(len, pieces)) == 400_000
    assert max(map(len, pieces)) <= 2 * FRAME_BYTES


def test_the_bytes_limit_stops_the_answer_at_the_first_byte_beyond(front: Front) -> None:
    outlet = _outlet(front, max_bytes=10)
    outlet.write(b"0123456789")
    with pytest.raises(TooLarge, match=r"longer than 10 bytes \(setting query_bytes\)"):
        outlet.write(b"x")


def test_the_rows_limit_stops_the_answer_before_its_frame_leaves(front: Front) -> None:
    outlet = _outlet(front, ROW_COUNTERS[CSV.media_type](), max_rows=2)
    outlet.write(b"x\r\n1\r\n2\r\n")
    outlet.write(b"3\r\n")
    with pytest.raises(TooLarge, match=r"more than 2 rows \(setting query_rows\)"):
        outlet.finish()
    assert front.frames() == []


@pytest.mark.parametrize("form", [JSON, XML, CSV, TSV], ids=lambda form: form.name)
@pytest.mark.parametrize(("limit", "is_whole"), [(3, True), (2, False)])
def test_as_many_rows_as_the_limit_says_come_in_every_format(front: Front, form: Format, limit: int, is_whole: bool) -> None:
    job = _job(text="SELECT ?x { VALUES ?x { UNDEF 2 UNDEF } }", solutions=form.media_type, max_rows=limit)
    outlet = Outlet(front.theirs, job)
    with refused(outlet, "The query"):
        TASKS["query"](job, ox.Store(), outlet)
    assert (front.frames()[-1][0] is Kind.END) is is_whole


@pytest.mark.parametrize(
    ("takes_gzip", "size", "is_compressed"),
    [
        (True, GZIP_FROM_BYTES - 1, False),
        (True, GZIP_FROM_BYTES, True),
        (True, 5 * FRAME_BYTES, True),
        (False, 5 * FRAME_BYTES, False),
    ],
)
def test_what_is_long_enough_is_compressed_for_a_client_that_takes_it(
    front: Front, takes_gzip: bool, size: int, is_compressed: bool
) -> None:
    outlet, data = _outlet(front, gzip=takes_gzip), b"motor, " * (size // 7 + 1)
    outlet.write(data[:size])
    outlet.finish()
    body = front.body()
    assert (body[:2] == b"\x1f\x8b") is is_compressed
    assert (gzip.decompress(body) if is_compressed else body) == data[:size]


def test_the_limit_counts_what_was_written_and_not_what_compression_leaves(front: Front) -> None:
    outlet = _outlet(front, gzip=True, max_bytes=100_000)
    with pytest.raises(TooLarge):
        outlet.write(b" " * 100_001)


def _failure(front: Front, error: Exception) -> dict[str, object]:
    """What the front is told of an error in a reader."""
    outlet = _outlet(front)

    def fails() -> None:
        raise error

    with refused(outlet, "The query"):
        fails()
    (kind, payload), *rest = front.frames()
    assert (kind, rest) == (Kind.FAILED, [])
    told: dict[str, object] = json.loads(payload)
    return told


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TooLarge("x", limit=1), TooLarge.kind),
        (RuntimeError("no such function"), BadEvaluation.kind),
        (ValueError("x"), BadEvaluation.kind),
        (MemoryError(), OutOfMemory.kind),
        (KeyError("x"), Failed.kind),
        (SyntaxError("error at 3:7: expected IRI"), BadSyntax.kind),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_each_error_reaches_the_front_as_the_refusal_that_it_means(front: Front, error: Exception, kind: str) -> None:
    assert _failure(front, error)["kind"] == kind


def test_a_front_that_has_gone_is_no_refusal(front: Front) -> None:
    with pytest.raises(BrokenPipeError), refused(_outlet(front), "The query"):
        raise BrokenPipeError


# Syntax errors


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("SELEC * {}", 1, 1),
        ("SELECT * { ?s ?p ?o ) }", 1, 21),
        ("SELECT ?x WHERE {\n ?x a ?y .\n FILTER(?x >)\n}", 3, 13),
        ("SELECT * {\n\n  ?s ?p 'open\n}", 3, 9),
    ],
)
def test_a_syntax_error_says_where_it_is(text: str, line: int, column: int) -> None:
    store = ox.Store()
    with pytest.raises(SyntaxError) as caught:
        store.query(text)
    error = bad_query(text, store.query, caught.value)
    assert error.detail.startswith(f"Line {error.members['line']}, column {error.members['column']}: ")
    assert (error.members["line"], error.members["column"]) == (line, column)
    assert len(error.detail) < 300


# The dataset that a query sees


@pytest.fixture(scope="module")
def store() -> ox.Store:
    """Graphs 1 and 2 share a triple, 3 shares none; the default graph has one of its own."""
    made = ox.Store()
    made.update(
        """INSERT DATA { <http://s> <http://p> 'default' .
             GRAPH <http://g/1> { <http://s> <http://p> 'a', 'both' . [] <http://q> 'blank' }
             GRAPH <http://g/2> { <http://s> <http://p> 'b', 'both' }
             GRAPH <http://g/3> { <http://s> <http://p> 'c' } }"""
    )
    return made


def _objects(job: Job, store: ox.Store) -> list[str]:
    results = evaluate(job, store)
    assert isinstance(results, ox.QuerySolutions)
    return sorted(row["o"].value for row in results)


ALL_P = "SELECT ?o {0} {{ ?s <http://p> ?o }}"


@pytest.mark.parametrize(
    ("clauses", "expected"),
    [
        ("", ["default"]),
        ("FROM <http://g/1>", ["a", "both"]),
        ("FROM <http://g/1> FROM <http://g/3>", ["a", "both", "c"]),
        ("FROM <http://g/1> FROM <http://g/2>", ["a", "b", "both"]),
        ("FROM <http://g/2> FROM <http://g/3> FROM <http://g/1>", ["a", "b", "both", "c"]),
        ("FROM <http://g/1> FROM <http://g/1>", ["a", "both"]),
        ("FROM <http://g/none>", []),
        ("FROM NAMED <http://g/1>", []),
    ],
)
def test_the_default_graph_of_a_query_is_the_rdf_merge_of_its_from_graphs(
    store: ox.Store, clauses: str, expected: list[str]
) -> None:
    assert _objects(_job(text=ALL_P.format(clauses)), store) == expected


@pytest.mark.parametrize("in_text", ["", "FROM <http://g/3>", "FROM <http://g/3> FROM NAMED <http://g/3>"])
def test_the_graphs_of_the_protocol_are_merged_too_and_override_the_text(store: ox.Store, in_text: str) -> None:
    job = _job(text=ALL_P.format(in_text), default_graphs=(G + "1", G + "2"))
    assert _objects(job, store) == ["a", "b", "both"]


@pytest.mark.parametrize("default", ["FROM <http://g/1>", "FROM <http://g/1> FROM <http://g/2>"])
def test_graph_sees_the_named_graphs_of_the_dataset_and_no_other(store: ox.Store, default: str) -> None:
    text = "SELECT ?o {} {{ GRAPH ?g {{ ?s <http://p> ?o }} }}"
    assert _objects(_job(text=text.format(default)), store) == []
    assert _objects(_job(text=text.format(default + " FROM NAMED <http://g/3>")), store) == ["c"]
    assert _objects(_job(text=text.format(default + " FROM NAMED <http://g/1>")), store) == ["a", "both"]


def test_a_merge_keeps_blank_nodes_and_what_they_say(store: ox.Store) -> None:
    results = evaluate(_job(text="ASK FROM <http://g/1> FROM <http://g/2> { ?b <http://q> 'blank' FILTER(isBlank(?b)) }"), store)
    assert bool(results)


def test_a_merge_leaves_the_store_as_it_was(store: ox.Store) -> None:
    before = sorted(map(str, store))
    _objects(_job(text=ALL_P.format("FROM <http://g/1> FROM <http://g/2>")), store)
    assert sorted(map(str, store)) == before


def test_a_count_over_overlapping_graphs_counts_each_triple_once(store: ox.Store) -> None:
    text = "SELECT (COUNT(*) AS ?o) FROM <http://g/1> FROM <http://g/2> { <http://s> <http://p> ?x }"
    assert _objects(_job(text=text), store) == ["3"]


def test_relative_graph_names_are_resolved_by_the_base_of_the_job(store: ox.Store) -> None:
    assert _objects(_job(text=ALL_P.format("FROM <1> FROM <2>"), base=G), store) == ["a", "b", "both"]


def test_a_service_is_refused_before_anything_is_evaluated(store: ox.Store) -> None:
    with pytest.raises(Forbidden):
        evaluate(_job(text="SELECT * { SERVICE <http://evil.example/> { ?s ?p ?o } }"), store)


_QUADS = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3), st.integers(0, 3)), max_size=12)


@steady
@given(_QUADS, st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True))
def test_whatever_the_graphs_share_the_merge_is_a_set(quads: list[tuple[int, int, int]], named: list[int]) -> None:
    made = ox.Store()
    for graph, subject, value in quads:
        node = ox.NamedNode(f"http://s/{subject}")
        made.add(ox.Quad(node, ox.NamedNode("http://p"), ox.Literal(str(value)), ox.NamedNode(f"{G}{graph}")))
    clauses = " ".join(f"FROM <{G}{n}>" for n in named)
    results = evaluate(_job(text=f"SELECT ?s ?o {clauses} {{ ?s <http://p> ?o }}"), made)
    assert isinstance(results, ox.QuerySolutions)
    found = sorted(f"{row['s']} {row['o']}" for row in results)
    wanted = {(subject, value) for graph, subject, value in quads if graph in named}
    assert found == sorted(f"<http://s/{subject}> {ox.Literal(str(value))}" for subject, value in wanted)


# The other tasks


def test_a_query_for_a_graph_is_answered_in_the_format_of_the_job(front: Front, store: ox.Store) -> None:
    job = _job(text="CONSTRUCT WHERE { <http://s> <http://p> ?o }", graphs=TURTLE.media_type)
    outlet = Outlet(front.theirs, job)
    TASKS["query"](job, store, outlet)
    assert front.body().strip() == b'<http://s> <http://p> "default" .'


def test_the_census_counts_the_triples_of_each_graph(front: Front, store: ox.Store) -> None:
    job = Job("census")
    TASKS["census"](job, store, Outlet(front.theirs, job))
    assert json.loads(front.body()) == {"commit": 0, "graphs": {"": 1, G + "1": 3, G + "2": 2, G + "3": 1}}


def test_head_only_is_told_the_format_and_gets_no_body(front: Front, store: ox.Store) -> None:
    job = _job(text="SELECT * { ?s ?p ?o }", solutions=JSON.media_type, head_only=True)
    TASKS["query"](job, store, Outlet(front.theirs, job))
    (head, payload), (end, _) = front.frames()
    assert (head, end) == (Kind.HEAD, Kind.END)
    assert JSON.media_type.encode() in payload
