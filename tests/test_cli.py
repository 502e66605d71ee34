"""The command line as a user meets it: what it prints, what it says when something is wrong, how it ends."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyoxigraph as ox
import pytest

from motorgraph import __version__
from motorgraph.packing import zstd
from motorgraph.settings import PREFIX, Settings
from tests import warm
from tests.running import START_SECONDS, TOKEN, Service, until
from tests.running import service as running

ROOT = Path(__file__).parents[1]
BASE = "https://motorgraph.example"
GRAPHS = {f"{BASE}/graph/{name}" for name in ("ontology", "shapes", "reference", "accepted", "source/founding-article")}
CLASSES = "SELECT ?class { ?class a <http://www.w3.org/2002/07/owl#Class> } ORDER BY ?class LIMIT 3"
GOOD = "<http://x/s> <http://x/p> 1, 2 .\n"
BROKEN = "@prefix x: <http://x/> .\nx:a x:b x:c .\nx:a x:b ; ; x:c .\n"
NONCONFORMING = f"<{BASE}/id/brand/test> a <{BASE}/ontology/Brand> .\n"
TRACEBACK = "Traceback"
PLAIN = ("--plain",)
"""Where the shipped graph has nothing to do with what is said: it takes seconds to load."""


def environment(**given: str) -> dict[str, str]:
    """The environment without the settings of whoever runs the tests."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return bare | {"NO_COLOR": "1", **given}


def run(*arguments: str | Path, given: str | bytes = b"", status: int = 0, **variables: str) -> str:
    """What `motorgraph …` prints: its standard output, or where another status is expected its standard error."""
    text = given.encode() if isinstance(given, str) else given
    ended, out, err = warm.run(arguments, environment(**variables), text)
    assert TRACEBACK.encode() not in out + err
    assert ended == status, (out + err).decode()
    return (err if status else out).decode()


def printed(*arguments: str | Path, status: int) -> str:
    """The standard output of a command that ends with this status and has nothing to say on standard error."""
    ended, out, err = warm.run(arguments, environment())
    assert (ended, err) == (status, b""), out.decode()
    return out.decode()


def words(text: str) -> str:
    """A text on one line."""
    return " ".join(text.split())


@pytest.fixture
def few(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """What loads a graph of three classes, and a triple in each of the graphs that ship, instead of those."""
    path = tmp_path_factory.mktemp("few") / "few.trig"
    classes = "".join(
        f"<{BASE}/ontology/{name}> a <http://www.w3.org/2002/07/owl#Class> .\n" for name in ("Deal", "Plant", "Brand")
    )
    path.write_text(classes + "".join(f"<{name}> {{ <http://x/s> <http://x/p> 1 }}\n" for name in sorted(GRAPHS)))
    return *PLAIN, "--load", str(path)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A file with two triples that no shape minds."""
    path = tmp_path / "good.ttl"
    path.write_text(GOOD)
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A file that does not parse: line 3."""
    path = tmp_path / "broken.ttl"
    path.write_text(BROKEN)
    return path


@pytest.fixture
def nonconforming(tmp_path: Path) -> Path:
    """A file that parses and breaks the shapes."""
    path = tmp_path / "nonconforming.ttl"
    path.write_text(NONCONFORMING)
    return path


# Help


def test_the_help_names_every_command_with_a_sentence() -> None:
    shown = run("--help", COLUMNS="120")
    for command in (
        "serve",
        "query",
        "validate",
        "dump",
        "canonical",
        "info",
        "load",
        "update",
        "revert",
        "log",
        "show",
        "verify",
        "backup",
        "restore",
    ):
        assert re.search(rf"\b{command} +[A-Z].*\.", shown), command
    assert shown == run("-h", COLUMNS="120")


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("serve", ["--" + name.replace("_", "-") for name in Settings.model_fields]),
        ("query", ["--url", "--format", "-f", "--load", "--plain", "-l", "@FILE"]),
        ("validate", ["--shapes", "--json"]),
        ("dump", ["--output", "-o", "--format", "--graph", "--url", "--load", "--plain"]),
        ("canonical", ["--output", "-o", "--seconds", "--token"]),
        ("info", ["--load", "--plain"]),
        ("load", ["--graph", "--replace", "--message", "-m", "--url", "--token", "--data-dir", "--plain", "--base"]),
        ("update", ["--message", "--url", "--token", "--data-dir", "--plain", "--base", "@FILE"]),
    ],
)
def test_the_help_of_a_command_names_every_option_with_its_meaning(command: str, options: list[str]) -> None:
    shown = run(command, "--help", COLUMNS="140")
    for option in options:
        assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", shown), option


def test_the_help_of_serve_names_the_variable_of_each_setting() -> None:
    shown = re.sub(r"[^\w-]", "", run("serve", "--help", COLUMNS="200"))
    for name in Settings.model_fields:
        assert PREFIX + name.upper() in shown, name


def test_the_version_is_shown() -> None:
    assert run("--version") == f"motorgraph {__version__}\n"


def test_no_command_shows_the_help_and_an_unknown_one_is_a_usage_error() -> None:
    assert "No such command" in run("serv", status=2)
    assert "No such option" in run("info", "--speed", status=2)
    assert "Missing argument" in run("validate", status=2)


@pytest.mark.parametrize(
    ("arguments", "variables", "expected"),
    [
        (["serve", "--port", "65536"], {}, r"--port\b.*MOTORGRAPH_PORT\b.*65535"),
        (["serve", "--query-seconds", "0"], {}, r"--query-seconds\b.*greater than 0"),
        (["serve", "--base", "cars"], {}, r"--base\b.*http:// or https://"),
        (["serve", "--default-graph", "both"], {}, r"--default-graph\b.*union.*separate"),
        (["serve"], {"MOTORGRAPH_PORT": "eighty"}, r"MOTORGRAPH_PORT\b.*eighty"),
        (["info"], {"MOTORGRAPH_QUERY_MEMORY": "1"}, r"MOTORGRAPH_QUERY_MEMORY\b.*16"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_setting(
    arguments: list[str], variables: dict[str, str], expected: str
) -> None:
    said = words(run(*arguments, status=2, **variables))
    assert re.search(expected, said), said
    assert "Value error" not in said


def test_a_flag_that_is_no_number_is_refused_by_name() -> None:
    assert "--port" in run("serve", "--port", "eighty", status=2)


# query, on the shipped graph


def test_a_table_comes_as_csv_by_default() -> None:
    name, *rows = csv.reader(io.StringIO(run("query", CLASSES)))
    assert name == ["class"]
    assert len(rows) == 3
    assert all(row[0].startswith(f"{BASE}/ontology/") for row in rows)


@pytest.mark.parametrize(
    ("form", "start"),
    [("csv", "class\r\n"), ("tsv", "?class\n<"), ("json", '{"head":{"vars":["class"]}'), ("xml", "<?xml")],
)
def test_a_table_comes_in_the_format_that_was_asked_for(form: str, start: str, few: tuple[str, ...]) -> None:
    shown = run("query", *few, "--format", form, CLASSES)
    assert shown.startswith(start)
    assert shown.count(f"{BASE}/ontology/") == 3


@pytest.mark.parametrize("form", ["ttl", "jsonld", "rdf"])
def test_a_graph_comes_in_the_format_that_was_asked_for(form: str, few: tuple[str, ...]) -> None:
    text = "CONSTRUCT { ?c a <http://x/T> } WHERE { ?c a <http://www.w3.org/2002/07/owl#Class> }"
    assert len(list(ox.parse(run("query", *few, "-f", form, text), ox.RdfFormat.from_extension(form)))) == 3


def test_a_truth_value_is_printed() -> None:
    assert run("query", f"ASK {{ <{BASE}/ontology/Deal> ?p ?o }}").strip() == "true"


def test_the_query_can_come_from_standard_input_and_from_a_file(tmp_path: Path, few: tuple[str, ...]) -> None:
    (tmp_path / "q.rq").write_text(f"# É\n{CLASSES}")
    from_a_file = run("query", *few, f"@{tmp_path / 'q.rq'}")
    assert run("query", *few, "-", given=CLASSES) == from_a_file == run("query", *few, CLASSES)


def test_files_can_be_asked_beside_the_shipped_graph_or_alone(good: Path) -> None:
    graph = "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { <http://x/s> ?p ?o } } GROUP BY ?g"
    assert run("query", "--load", good, graph).split() == ["g,n", f"{BASE}/graph/source/good,2"]
    assert run("query", "--plain", "--load", good, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }").split() == ["n", "2"]


@pytest.mark.parametrize("name", ["a.jsonld", "a.nq.gz", "a.nq.zst"])
def test_every_format_can_be_asked(tmp_path: Path, name: str) -> None:
    quads = ox.parse("<http://x/s> <http://x/p> <http://x/o> .", ox.RdfFormat.TURTLE)
    data = ox.serialize(quads, format=ox.RdfFormat.from_extension(name.split(".")[1])) or b""
    pack = {"gz": gzip.compress, "zst": zstd.compress}.get(name.rpartition(".")[2], bytes)
    (tmp_path / name).write_bytes(pack(data))
    assert run("query", *PLAIN, "--load", tmp_path / name, "ASK { <http://x/s> ?p ?o }").strip() == "true"


def test_a_relative_iri_is_resolved_and_no_syntax_error(few: tuple[str, ...]) -> None:
    assert run("query", *few, "ASK { <ontology/Deal> ?p ?o }").strip() == "true"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("SELECT * { ?s ?p ?o", "Line 1, column 20"),
        ("SELECT *\n{ ?s ?p\n  ?o ) }", "Line 3, column 6"),
        ("INSERT DATA { <http://x/s> <http://x/p> 1 }", "Line 1, column 1"),
    ],
)
def test_a_syntax_error_says_line_and_column(text: str, place: str) -> None:
    said = run("query", *PLAIN, text, status=1)
    assert said.startswith(f"Syntax error: {place}: ")
    assert len(said) < 400


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["query", ""], "The query is empty"),
        (["query", "@missing.rq"], r"missing\.rq.*No such file"),
        (["query", "-f", "zzz", CLASSES], r"no format 'zzz'.*csv, tsv, json, xml"),
        (["query", "--load", "missing.ttl", CLASSES], r"no file missing\.ttl"),
        (["query", *PLAIN, "SELECT (<http://x/f>(1) AS ?x) {}"], r"<http://x/f> is not supported"),
        (["query", *PLAIN, "SELECT * { SERVICE <http://a.example/> {} }"], r"SERVICE on a\.example is not allowed"),
        (["query", "--url", "elsewhere", CLASSES], r"elsewhere cannot be asked.*http://"),
        (["query", "--url", "http://127.0.0.1:1/sparql", CLASSES], r"127\.0\.0\.1:1/sparql cannot be asked.*refused"),
        (["dump", "--url", "elsewhere"], r"elsewhere cannot be asked"),
        (["dump", "--graph", "nope"], r"nope.*no absolute IRI"),
        (["dump", "-f", "ttl"], r"'ttl' is no format for several graphs.*nq, trig.*--graph"),
        (["dump", "-f", "zz", "--graph", f"{BASE}/graph/accepted"], r"'zz' is no format.*ttl, nt"),
        (["dump", "-o", "a.xyz"], r"a\.xyz does not tell a format.*\.nq"),
        (["dump", *PLAIN, "-o", "/nonexistent/a.nq"], r"/nonexistent/a\.nq cannot be written: No such file or directory"),
        (["validate", "missing.ttl"], r"no file missing\.ttl"),
        (["validate", "/"], r"/ is a folder"),
        (["validate", __file__], r"test_cli\.py does not tell its format.*\.ttl"),
        (["info", "--load", "missing.ttl"], r"no file missing\.ttl"),
    ],
    ids=lambda value: " ".join(value)[:50] if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_refused_in_words_with_status_1(arguments: list[str], expected: str) -> None:
    said = words(run(*arguments, status=1))
    assert re.search(expected, said), said
    assert "Errno" not in said


@pytest.mark.parametrize("from_file", [False, True])
def test_a_query_that_is_not_utf8_is_refused_in_words(tmp_path: Path, from_file: bool) -> None:
    (tmp_path / "q.rq").write_bytes(b"ASK { ?s ?p '\xe9' }")
    said = run("query", f"@{tmp_path / 'q.rq'}" if from_file else "-", given=b"ASK { ?s ?p '\xe9' }", status=1)
    assert "not UTF-8" in said


@pytest.mark.parametrize("command", [["query", "ASK {}"], ["dump", *PLAIN], ["info", *PLAIN]], ids=lambda command: command[0])
def test_a_loaded_file_that_does_not_parse_is_named_with_its_line(command: list[str], broken: Path) -> None:
    said = words(run(*command, "--load", broken, status=1))
    assert re.search(r"broken\.ttl, line 3", said), said


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("bad.nt.gz", b"no gzip"),
        ("cut.nt.gz", gzip.compress(GOOD.encode(), mtime=0)[:-6]),
        ("bad.nt.zst", b"no zstd"),
        ("cut.nt.zst", zstd.compress(GOOD.encode())[:-6]),
    ],
)
def test_a_loaded_file_that_cannot_be_unpacked_is_named(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert name in run("query", *PLAIN, "--load", tmp_path / name, "ASK {}", status=1)


# query and dump, of a service


def test_an_endpoint_can_be_asked(plain: Service, graph: str) -> None:
    plain.put(graph, GOOD)
    text = f"SELECT ?o {{ GRAPH <{graph}> {{ ?s ?p ?o }} }} ORDER BY ?o"
    assert run("query", "--url", f"{plain.url}/sparql", text).split() == ["o", "1", "2"]
    head = json.loads(run("query", "-f", "json", "--url", f"{plain.url}/sparql", text))["head"]
    assert (head["vars"], len(head["link"])) == (["o"], 1)


def test_a_construct_of_an_endpoint_comes_as_turtle(plain: Service, graph: str) -> None:
    plain.put(graph, GOOD)
    shown = run("query", "--url", f"{plain.url}/sparql", f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}")
    assert len(list(ox.parse(shown, ox.RdfFormat.TURTLE))) == 2


def test_what_an_endpoint_refuses_is_told_in_its_words_and_not_as_json(plain: Service) -> None:
    said = run("query", "--url", f"{plain.url}/sparql", "SELECT * { ?s ?p", status=1)
    assert "Syntax error: Line 1, column" in said
    assert "{" not in said.replace('"{"', "").replace('"{|"', "")
    assert "400" in said


def test_a_graph_of_a_service_can_be_dumped(plain: Service, graph: str) -> None:
    plain.put(graph, GOOD)
    shown = run("dump", "--url", f"{plain.url}/graphs", "--graph", graph)
    assert len(list(ox.parse(shown, ox.RdfFormat.TURTLE))) == 2
    whole = run("dump", "--url", f"{plain.url}/graphs")
    assert whole.count(f"<{graph}> .") == 2
    assert f"There is no graph <{graph}/none>" in run(
        "dump", "--url", f"{plain.url}/graphs", "--graph", f"{graph}/none", status=1
    )


# dump, of what ships


def dumped(data: str | bytes, form: ox.RdfFormat) -> set[str]:
    """The names of the graphs in a dump."""
    return {str(quad.graph_name).strip("<>") for quad in ox.parse(data, form)}


def test_a_dump_is_n_quads_of_all_graphs() -> None:
    assert dumped(run("dump"), ox.RdfFormat.N_QUADS) >= GRAPHS


def test_a_dump_can_be_trig_and_says_the_same(few: tuple[str, ...]) -> None:
    in_trig = set(ox.parse(run("dump", *few, "-f", "trig"), ox.RdfFormat.TRIG))
    assert in_trig == set(ox.parse(run("dump", *few), ox.RdfFormat.N_QUADS))
    assert len(in_trig) == 3 + len(GRAPHS)


def test_one_graph_can_be_dumped_as_turtle(few: tuple[str, ...]) -> None:
    shown = run("dump", "--graph", f"{BASE}/graph/accepted", *few)
    found = list(ox.parse(shown, ox.RdfFormat.TURTLE))
    assert found
    assert dumped(run("dump", *few, "-f", "nt", "--graph", f"{BASE}/graph/accepted"), ox.RdfFormat.N_TRIPLES) == {"DEFAULT"}


@pytest.mark.parametrize("name", ["all.nq", "all.trig", "all.nq.gz", "all.nq.zst"])
def test_a_dump_goes_to_a_file_in_the_format_of_its_name(tmp_path: Path, name: str, few: tuple[str, ...]) -> None:
    assert run("dump", *few, "-o", tmp_path / name) == ""
    data = (tmp_path / name).read_bytes()
    data = {"gz": gzip.decompress, "zst": zstd.decompress}.get(name.rpartition(".")[2], bytes)(data)
    assert dumped(data, ox.RdfFormat.from_extension(name.split(".")[1]) or ox.RdfFormat.N_QUADS) >= GRAPHS
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_dump_that_is_refused_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.ttl").write_text("as it was")
    run("dump", *PLAIN, "-o", tmp_path / "a.ttl", "--graph", "http://x/none", status=1)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.ttl", "as it was")]


def test_a_graph_that_is_not_there_is_answered_with_those_that_are(few: tuple[str, ...]) -> None:
    said = run("dump", *few, "--graph", "http://x/none", status=1)
    assert "There is no graph <http://x/none>" in said
    assert all(name in said for name in GRAPHS)


@pytest.mark.parametrize("arguments", [["dump"], ["query", "SELECT * { ?s ?p ?o }"]], ids=lambda arguments: arguments[0])
def test_a_reader_that_leaves_ends_the_command_without_a_word(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "motorgraph", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0


# info


def test_info_shows_version_settings_and_every_graph_with_its_triples() -> None:
    shown = run("info", MOTORGRAPH_PORT="9999", MOTORGRAPH_WRITE_TOKEN=TOKEN)
    assert __version__ in shown
    assert "9999" in shown
    assert TOKEN not in shown
    for name in GRAPHS:
        assert re.search(rf"{re.escape(name)}\W+\d", shown), name
    assert str(ROOT / "ontology") in shown or "_assets" in shown


def test_info_cuts_no_iri_where_it_is_not_shown_on_a_terminal(few: tuple[str, ...]) -> None:
    shown = run("info", *few, COLUMNS="40")
    assert f"{BASE}/graph/source/founding-article" in shown
    assert "…" not in shown


# validate


def test_a_file_that_conforms_is_said_to() -> None:
    assert "conforms" in run("validate", ROOT / "data" / "reference.trig")


def test_a_violation_is_told_with_focus_path_and_what_to_do_and_status_1(nonconforming: Path) -> None:
    shown = printed("validate", nonconforming, status=1)
    assert f"Violation {BASE}/id/brand/test" in shown
    assert re.search(r"\n    [A-Z].*\.\n", shown)
    assert re.search(r"1 file: \d+ violations?, \d+ other findings?\.", shown)


def test_a_report_can_be_had_as_json(nonconforming: Path) -> None:
    report = json.loads(printed("validate", "--json", nonconforming, status=1))
    assert report["conforms"] is False
    for result in report["results"]:
        assert {"severity", "focus", "message", "path", "value", "shape"} <= set(result)
        assert result["shape"].startswith(f"{BASE}/shapes/")


def test_a_conforming_report_as_json_says_so(good: Path) -> None:
    assert json.loads(run("validate", "--json", good)) == {"conforms": True, "total": 0, "results": []}


def test_other_shapes_can_be_used(tmp_path: Path, good: Path) -> None:
    shapes = tmp_path / "shapes.ttl"
    shapes.write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> . [] a sh:NodeShape ; sh:targetSubjectsOf <http://x/p> ;"
        ' sh:property [ sh:path <http://x/p> ; sh:maxCount 1 ; sh:message "[Only] one :smile: value." ] .'
    )
    assert "[Only] one :smile: value." in printed("validate", good, "--shapes", shapes, status=1)


def test_a_file_to_validate_may_be_compressed(tmp_path: Path) -> None:
    path = tmp_path / "good.ttl.gz"
    path.write_bytes(gzip.compress(GOOD.encode()))
    assert "conforms" in run("validate", path)


def test_a_file_to_validate_that_does_not_parse_is_named_with_its_line(broken: Path) -> None:
    said = words(run("validate", broken, status=1))
    assert re.search(r"^Syntax error: .*broken\.ttl, line 3", said), said


# serve


def serve_in_vain(folder: Path, *arguments: str | Path) -> str:
    """What a service says that does not start, with status 1."""
    said = run("serve", "--port", "0", "--data-dir", folder / "data", *arguments, status=1)
    assert "motorgraph is at" not in said
    return said


def test_a_file_to_load_that_is_missing_is_told(tmp_path: Path) -> None:
    assert "There is no file missing.ttl" in serve_in_vain(tmp_path, "--load", "missing.ttl")


@pytest.mark.parametrize("mode", [[], ["--plain"]], ids=["normal", "plain"])
def test_a_file_to_load_that_does_not_parse_is_told_with_its_line(tmp_path: Path, broken: Path, mode: list[str]) -> None:
    assert f"{broken}, line 3" in serve_in_vain(tmp_path, "--load", broken, *mode)


def test_a_file_to_load_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "cut.nt.gz"
    path.write_bytes(gzip.compress(GOOD.encode())[:-6])
    assert str(path) in serve_in_vain(tmp_path, "--plain", "--load", path)


@pytest.mark.parametrize("name", ["[red]", "[/x]:smile:"])
def test_a_name_with_brackets_is_told_as_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "broken.ttl"
    path.parent.mkdir(parents=True)
    path.write_text(BROKEN)
    assert f"{path}, line 3" in serve_in_vain(tmp_path, "--plain", "--load", path)


def test_what_breaks_the_shapes_is_refused_with_the_first_violations_and_nothing_is_remembered(
    tmp_path: Path, nonconforming: Path
) -> None:
    said = serve_in_vain(tmp_path, "--load", nonconforming)
    assert re.search(r"\d+ violations?", said)
    assert "nothing is served" in words(said)
    assert f"{BASE}/id/brand/test" in said
    assert re.search(r"\n +[A-Z].*mg:\w+.*\.\n", said), "what to do is said"
    assert "The change breaks" not in said
    assert not list((tmp_path / "data").rglob("verdicts/*"))


def test_a_plain_store_takes_what_breaks_the_shapes(tmp_path: Path, nonconforming: Path) -> None:
    with running(tmp_path, "--plain", "--load", str(nonconforming)) as service:
        assert service.rows("SELECT ?s { ?s ?p ?o }") == [{"s": f"{BASE}/id/brand/test"}]


def test_a_port_that_is_taken_is_told_in_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = run("serve", "--plain", "--port", port, "--data-dir", tmp_path, status=1)
    assert f"127.0.0.1:{port}" in said
    assert "--port" in said


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_ours_is_told_in_words(tmp_path: Path, host: str) -> None:
    said = run("serve", "--plain", "--host", host, "--port", "0", "--data-dir", tmp_path, status=1)
    assert host in said
    assert "--host" in said


@contextmanager
def starting(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A service whose words go to `service.log` in the folder."""
    command = [sys.executable, "-m", "motorgraph", "serve", "--port", "0", "--data-dir", str(folder / "data"), *arguments]
    with (folder / "service.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment())
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def stages(folder: Path, *arguments: str) -> str:
    """All that a service says from its start to its stop by Ctrl-C, which has to be quiet."""
    log = folder / "service.log"
    with starting(folder, *arguments) as process:
        assert until(lambda: "motorgraph is at" in log.read_text() or process.poll() is not None, START_SECONDS)
        assert "motorgraph is at" in log.read_text(), log.read_text()
        process.send_signal(signal.SIGINT)
        assert process.wait(15) in (0, 130)
    said = log.read_text()
    assert TRACEBACK not in said
    return said


def test_the_verdict_is_remembered_until_the_data_change(shipped: Service, tmp_path: Path, good: Path) -> None:
    verdicts, judged = tmp_path / "data" / "verdicts", '"the graph conforms"'
    known = shutil.copytree(shipped.log.parent / "data" / "verdicts", verdicts)
    before = set(known.iterdir())
    assert before
    assert judged in stages(tmp_path, "--load", str(good))  # with this file they are other data
    assert len(set(verdicts.iterdir()) - before) == 1
    assert judged not in stages(tmp_path, "--load", str(good))
    assert len(list((tmp_path / "data" / "readings").iterdir())) == 1  # all that was read out of shapes, for the next start


def test_ctrl_c_is_quiet_and_nothing_is_said_after_the_address(tmp_path: Path) -> None:
    said = stages(tmp_path, "--plain", "--log-level", "warning")
    assert re.fullmatch(r"motorgraph is at http://127\.0\.0\.1:\d+/ \(Ctrl-C stops it\)\n", said), said


def is_reading(pid: int) -> bool:
    """Whether a process waits in read(0): a program is interrupted at its border only once it has one."""
    return Path(f"/proc/{pid}/syscall").read_text().startswith("0 0x0 ")


@pytest.mark.skipif(not Path("/proc/self/syscall").exists(), reason="only Linux tells what a process waits for")
def test_ctrl_c_while_a_query_waits_for_its_text_is_quiet() -> None:
    command = [sys.executable, "-m", "motorgraph", "query", "-"]
    pipe = subprocess.PIPE
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # where the suite runs behind a shell, it is ignored
    try:
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment())
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        assert until(lambda: is_reading(process.pid), 20)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode in (130, -signal.SIGINT), err
    assert (out, err.strip()) == (b"", b"")


def test_the_service_says_where_it_is_as_a_link(tmp_path: Path) -> None:
    with starting(tmp_path, "--plain", "--host", "localhost"):
        log = tmp_path / "service.log"
        assert until(lambda: "motorgraph is at http://localhost:" in log.read_text(), START_SECONDS)
