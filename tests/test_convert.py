"""Tables to RDF: functions, faulty tables and mappings, the command `convert`, the example in the README of the data."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pyoxigraph as ox
import pytest

from motorgraph import corpus, gate
from motorgraph.building import build, read_tables, write_built
from motorgraph.engine import loading
from motorgraph.errors import Refusal
from motorgraph.functions import FUNCTION, FUNCTIONS
from motorgraph.mapping import read_mapping, written
from motorgraph.tables import Reading, read_table
from motorgraph.vocab import Names
from tests.test_cli import run

ROOT = Path(__file__).parents[1]
DATA = ROOT / "data"
MG = "https://motorgraph.example/ontology/"
PREFIXES = """PREFIX col: <https://motorgraph.example/csv/column/>
PREFIX csv: <https://motorgraph.example/csv/>
PREFIX fn: <https://motorgraph.example/function/>
PREFIX x: <http://x/>
"""
CARS = "name,maker,colours\nTaycan,Porsche,red; blue\nŠkoda Elroq,Škoda,\n"
NAMES = (
    PREFIXES
    + "CONSTRUCT { ?car x:name ?name } WHERE { ?row col:name ?name BIND(IRI(CONCAT('http://x/', fn:slug(?name))) AS ?car) }"
)


@pytest.fixture
def cars(tmp_path: Path) -> Path:
    """A table of two cars."""
    path = tmp_path / "cars.csv"
    path.write_text(CARS)
    return path


def mapping(folder: Path, text: str, name: str = "mine.rq") -> Path:
    path = folder / name
    path.write_text(text)
    return path


# Functions


def called(name: str, argument: str) -> str | None:
    solutions = ox.Store().query(
        f"SELECT ?value {{ BIND(<{FUNCTION}{name}>({argument}) AS ?value) }}",
        custom_functions=FUNCTIONS,  # type: ignore[arg-type]  # a Mapping will do
    )
    assert isinstance(solutions, ox.QuerySolutions)
    value = next(solutions)["value"]
    return None if value is None else str(value)


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Ford", "ford"),
        ("Lynk & Co", "lynk-and-co"),
        ("Škoda Auto, Mladá Boleslav", "skoda-auto-mlada-boleslav"),
        ("  --Großräschen--  ", "grossraschen"),
        ("Łódź/Ørsted Æ", "lodz-orsted-ae"),
        ("KARSAN Otomotiv Sanayii", "karsan-otomotiv-sanayii"),
        ("İzmir ıhlamur", "izmir-ihlamur"),
        ("ID.4 (2023)", "id-4-2023"),
    ],
)
def test_a_slug_is_lower_case_ascii_with_single_hyphens(text: str, slug: str) -> None:
    assert called("slug", f'"{text}"@en') == f'"{slug}"'


@pytest.mark.parametrize("nothing", ['""', '"比亚迪"', '"--"', "<http://x/>", '"a", "b"'])
def test_there_is_no_slug_of_nothing_and_of_what_is_no_single_text(nothing: str) -> None:
    assert called("slug", nothing) is None


@pytest.mark.parametrize(
    ("text", "start", "after"),
    [
        ("2024", "2024-01-01", "2025-01-01"),
        ("2024-05", "2024-05-01", "2024-06-01"),
        ("2024-12", "2024-12-01", "2025-01-01"),
        ("2024-02-28", "2024-02-28", "2024-02-29"),
        ("2023-12-31", "2023-12-31", "2024-01-01"),
        ("2024-05-07T10:00:00Z", "2024-05-07", "2024-05-08"),
        ("2024-05~", "2024-05-01", "2024-06-01"),
        ("2024?", "2024-01-01", "2025-01-01"),
        ("2026-01-26/2026-01-30", "2026-01-26", "2026-01-31"),
        ("2024-05/2024", "2024-05-01", "2025-01-01"),
        ("2025/..", "2025-01-01", None),
        ("../2025-03", None, "2025-04-01"),
        ("2025/", "2025-01-01", None),
        ("2024-33", "2024-01-01", "2024-04-01"),
        ("2024-36", "2024-10-01", "2025-01-01"),
        ("2024-38", "2024-05-01", "2024-09-01"),
        ("2024-41", "2024-07-01", "2025-01-01"),
        ("202X", "2020-01-01", "2030-01-01"),
        ("19XX", "1900-01-01", "2000-01-01"),
        (" 2024-05 ", "2024-05-01", "2024-06-01"),
        ("2024-21", None, None),
        ("2024-13", None, None),
        ("2023-02-29", None, None),
        ("early 2024", None, None),
        ("9999", None, None),
        ("0000", None, None),
        ("", None, None),
    ],
)
def test_a_date_text_has_a_first_day_and_a_first_day_after(text: str, start: str | None, after: str | None) -> None:
    for name, day in (("start", start), ("after", after)):
        assert called(name, f'"{text}"') == (day and f'"{day}"^^<http://www.w3.org/2001/XMLSchema#date>'), name


# Tables


def test_a_row_is_a_node_with_a_triple_for_each_filled_cell_and_each_part_of_a_list(cars: Path) -> None:
    table = read_table(cars, "mine/cars", Reading(separators={"colours": ";"}))
    column = "https://motorgraph.example/csv/column/"
    found = {
        (str(t.subject.value).partition("#")[2], t.predicate.value.removeprefix(column), t.object.value)  # type: ignore[union-attr]  # names and texts
        for t in table.triples()
        if t.predicate.value.startswith(column)
    }
    assert found == {
        ("1", "name", "Taycan"),
        ("1", "maker", "Porsche"),
        ("1", "colours", "red"),
        ("1", "colours", "blue"),
        ("2", "name", "Škoda Elroq"),
        ("2", "maker", "Škoda"),
    }
    assert list(table.row_names()) == ["mine/cars.csv Taycan", "mine/cars.csv Škoda Elroq"]


def test_quoted_cells_may_hold_commas_quotes_and_ends_of_lines_and_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'\xef\xbb\xbfid,note\r\n1,"a, ""b""\r\nc"\r\n\r\n')
    (row,) = read_table(path, "t").rows
    assert row[1] == {"id": "1", "note": 'a, "b"\r\nc'}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", r"t\.csv, line 1: there are no headers"),
        (b"a,,c\n", r"t\.csv, line 1: column 2 has no header"),
        (b"a,b,a\n", r"t\.csv, line 1: two columns are named 'a'"),
        (b"a,b\n1,2\n1,2,3\n", r"t\.csv, line 3: the row has 3 cells and there are 2 columns.*quotation marks"),
        (b"a,b\n1\n", r"t\.csv, line 2: the row has 1 cells"),
        (b"a,b\n1,\xe9\n", r"t\.csv, line 2: byte 0xe9 is not UTF-8"),
        (b'a,b\n1,"x"y\n', r"t\.csv, line 2: "),
    ],
)
def test_a_faulty_table_is_refused_with_file_and_line(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(Refusal, match=told):
        read_table(path, "t")


# The command


def test_the_rows_of_a_users_table_become_triples(cars: Path, tmp_path: Path) -> None:
    out = run("convert", cars, "--mapping", mapping(tmp_path, NAMES))
    expected = '<http://x/taycan> <http://x/name> "Taycan" . <http://x/skoda-elroq> <http://x/name> "Škoda Elroq" .'
    assert set(ox.parse(out, ox.RdfFormat.TRIG)) == set(ox.parse(expected, ox.RdfFormat.TRIG))


def test_a_mapping_may_name_the_graph_of_its_triples(cars: Path, tmp_path: Path) -> None:
    out = run("convert", cars, "--mapping", mapping(tmp_path, "# graph: source/mine\n" + NAMES))
    assert {str(q.graph_name) for q in ox.parse(out, ox.RdfFormat.TRIG)} == {"<https://motorgraph.example/graph/source/mine>"}


def test_a_mapping_may_insert_into_graphs_that_depend_on_the_row(cars: Path, tmp_path: Path) -> None:
    text = (
        PREFIXES + "INSERT { GRAPH ?g { ?row x:name ?name } } WHERE { ?row col:name ?name ; col:maker ?m "
        "BIND(IRI(CONCAT('http://x/', fn:slug(?m))) AS ?g) }"
    )
    out = run("convert", cars, "--mapping", mapping(tmp_path, text))
    assert {str(q.graph_name) for q in ox.parse(out, ox.RdfFormat.TRIG)} == {"<http://x/porsche>", "<http://x/skoda>"}


def test_lists_are_split_and_the_output_goes_to_a_file_in_the_format_of_its_name(cars: Path, tmp_path: Path) -> None:
    text = PREFIXES + "CONSTRUCT { ?row x:colour ?colour } WHERE { ?row col:colours ?colour }"
    run("convert", cars, "--mapping", mapping(tmp_path, text), "--split", "colours=;", "--output", tmp_path / "cars.nt")
    found = {t.object.value for t in ox.parse(path=str(tmp_path / "cars.nt"), format=ox.RdfFormat.N_TRIPLES)}  # type: ignore[union-attr]  # texts
    assert found == {"red", "blue"}


def test_another_delimiter_may_stand_between_the_cells(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("name;maker\nTaycan;Porsche\n")
    assert "Taycan" in run("convert", tmp_path / "t.csv", "--mapping", mapping(tmp_path, NAMES), "--delimiter", ";")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (NAMES.replace("col:name", "col:nmae"), "names the column 'nmae', which is in no table; there are colours, maker, name"),
        (NAMES.replace("CONSTRUCT", "CONSTRUKT"), "a mapping is a CONSTRUCT, or an INSERT with a WHERE"),
        (PREFIXES + "SELECT * WHERE { ?row col:name ?name }", "a mapping is a CONSTRUCT"),
        (PREFIXES + "DELETE WHERE { ?row col:name ?name }", "a mapping is a CONSTRUCT"),
        (NAMES.replace("?car x:name ?name }", "?car x:name }"), "mine.rq: Line 5, column 25: found } and expected a term"),
        (NAMES.replace("fn:slug", "fn:slugg"), "functions beyond SPARQL 1.1 are"),
        (NAMES.replace("?row col:name", "?row x:name"), "makes nothing of the 2 rows"),
    ],
)
def test_a_faulty_mapping_is_refused_with_what_would_be_right(cars: Path, tmp_path: Path, text: str, told: str) -> None:
    assert told in run("convert", cars, "--mapping", mapping(tmp_path, text), status=1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--split", "colours"], "says no separator"),
        (["--split", "colors=;"], "has no column 'colors'"),
        (["--format", "xlsx"], "There is no format 'xlsx'"),
        (["--delimiter", "||"], "one character"),
    ],
)
def test_a_faulty_flag_is_refused_in_words(cars: Path, tmp_path: Path, arguments: list[str], told: str) -> None:
    assert told in run("convert", cars, "--mapping", mapping(tmp_path, NAMES), *arguments, status=1)


def test_missing_files_are_named(cars: Path, tmp_path: Path) -> None:
    assert "nowhere.csv" in run("convert", tmp_path / "nowhere.csv", "--mapping", mapping(tmp_path, NAMES), status=1)
    assert "nowhere.rq" in run("convert", cars, "--mapping", tmp_path / "nowhere.rq", status=1)


def test_comments_and_texts_name_no_columns_and_make_no_form() -> None:
    text = "# SELECT col:gone\n" + PREFIXES + 'CONSTRUCT { ?r x:p "INSERT # col:gone" } WHERE { ?r col:name ?n } # col:gone'
    path = Path("m.rq")
    made = type(read_mapping(next((DATA / "mappings").glob("*.rq"))))(path, text)
    assert made.columns() == {"name"}
    assert not made.is_update


def test_the_same_quads_are_the_same_bytes_and_come_back_as_they_were() -> None:
    text = '@prefix x: <https://motorgraph.example/id/plant/> . <http://x/g> { x:b a x:c ; x:p "2"@en , 1.5 . x:a x:p x:b }'
    quads = list(ox.parse(text, ox.RdfFormat.TRIG))
    assert len({written(quads) for _ in range(5)}) == 1
    assert set(ox.parse(written(quads), ox.RdfFormat.TRIG)) == set(quads)
    assert b"@prefix plant:" in written(quads)


# The data folder


def folder(tmp_path: Path, **files: str) -> Path:
    """A data folder with one table and these files besides; `_` stands for the point of a name, `__` for a folder."""
    data = tmp_path / "data"
    for name in ("facts", "mappings", "names", "reference"):
        (data / name).mkdir(parents=True)
    (data / "tables.csv").write_text("table,column,use,separator\n")
    (data / "facts/cars.csv").write_text(CARS)
    for name, text in files.items():
        (data / name).write_text(text)
    return data


TO_REFERENCE = (
    f"# graph: reference\n{PREFIXES}CONSTRUCT {{ ?row <{MG}fromRow> ?name }} WHERE {{ GRAPH ?t {{ ?row csv:row ?name }} }}"
)


def test_a_full_build_writes_a_file_for_each_mapping_and_removes_those_of_none(tmp_path: Path) -> None:
    data = folder(tmp_path, **{"mappings/10-all.rq": TO_REFERENCE})
    (data / "built").mkdir()
    (data / "built/09-gone.trig").touch()
    with (tmp_path / "told").open("w") as told:
        write_built(data, [], told)
    assert [path.name for path in (data / "built").iterdir()] == ["10-all.trig"]
    assert (tmp_path / "told").read_text().split() == ["2", "10-all.trig"]


def test_a_full_build_complains_of_rows_that_it_leaves_out(tmp_path: Path) -> None:
    text = TO_REFERENCE.replace("?row csv:row ?name }", "?row csv:row ?name ; col:colours ?any }")
    data = folder(tmp_path, **{"mappings/10-all.rq": text})
    with (
        (tmp_path / "told").open("w") as told,
        pytest.raises(Refusal, match=r"1 rows are in no.*\n  facts/cars\.csv Škoda Elroq$"),
    ):
        write_built(data, [], told)


def test_what_a_helper_makes_is_there_for_the_mappings_after_it_and_is_not_written(tmp_path: Path) -> None:
    helper = (
        "# graph: https://motorgraph.example/csv/help\n"
        + PREFIXES
        + ("CONSTRUCT { ?row x:shout ?loud } WHERE { GRAPH ?t { ?row col:name ?name } BIND(UCASE(?name) AS ?loud) }")
    )
    user = "# graph: reference\n" + PREFIXES + "CONSTRUCT { ?row x:p ?loud } WHERE { GRAPH csv:help { ?row x:shout ?loud } }"
    data = folder(tmp_path, **{"mappings/10-help.rq": helper, "mappings/20-use.rq": user})
    made = {m.name: {q.object.value for q in quads} for m, quads in build(data)}  # type: ignore[union-attr]  # texts
    assert made == {"20-use": {"TAYCAN", "ŠKODA ELROQ"}}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TO_REFERENCE.partition("\n")[2], "makes triples in no graph"),
        (TO_REFERENCE.replace("?row <", "[] <", 1), "makes a blank node"),
        (TO_REFERENCE.replace("csv:row", "csv:rows"), "makes nothing"),
    ],
)
def test_a_mapping_of_the_data_makes_names_in_a_graph(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(Refusal, match=told):
        list(build(folder(tmp_path, **{"mappings/10-all.rq": text})))


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("facts/cars.csv", "name,maker,colours\na,b,c\na,d,e\n", r"facts/cars\.csv, line 3: the key is that of line 2"),
        ("facts/cars.csv", "name,maker,colours\n,b,c\n", r"facts/cars\.csv, line 2: the row has no key"),
        ("tables.csv", "table,column,use,separator\nfacts/cars,gone,list,;\n", "has no column 'gone'"),
        ("tables.csv", "table,column,use,separator\nfacts/vans,name,key,\n", "speaks of facts/vans"),
        ("tables.csv", "table,column,use,separator\nfacts/cars,name,list,\n", "line 2: use is 'key', or 'list' with a separator"),
    ],
)
def test_a_faulty_table_of_the_data_is_refused(tmp_path: Path, name: str, text: str, told: str) -> None:
    data = folder(tmp_path)
    (data / name).write_text(text)
    with pytest.raises(Refusal, match=told):
        list(read_tables(data))


def test_a_mapping_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="There is no mapping 99"):
        list(build(folder(tmp_path, **{"mappings/10-all.rq": TO_REFERENCE}), ["99"]))


EXAMPLE = re.compile(r"```csv (\S+)\n(.*?)```", re.DOTALL)


def test_the_fact_the_source_and_the_plant_of_the_readme_come_into_the_graph_and_conform(tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(DATA, data)
    for name, lines in EXAMPLE.findall((DATA / "README.md").read_text()):
        with (data / name).open("a") as table:
            table.write(lines)
    with (tmp_path / "told").open("w") as told:
        write_built(data, ["10", "11", "20", "21", "22", "31", "40"], told)
    store = ox.Store()
    for file in (*corpus.by_hand(data, Names()), *corpus.shipped(Names())):
        if not file.path.startswith(str(DATA)):
            loading.load_file(store, file)
    for path in (data / "built").glob("*.trig"):
        store.bulk_load(path=str(path), format=ox.RdfFormat.TRIG)
    report = gate.validate_store(store, Names().graph("shapes"))
    assert not [
        str(result) for result in report.violations if "example" in result.focus.removeprefix("https://motorgraph.example")
    ]
    asked = f"""PREFIX mg: <{MG}> SELECT ?stake ?publisher ?plant {{
        GRAPH <https://motorgraph.example/graph/accepted> {{
            ?holding mg:fromRow "facts/ownership.csv o901" ; mg:stakePercent ?stake ; mg:acceptedFrom ?claim .
            ?plant mg:fromRow "facts/plants_curated.csv example-erfurt" ; a mg:Plant .
        }}
        GRAPH ?source {{ ?claim mg:assertedBy ?publisher }}
    }}"""
    solutions = store.query(asked)
    assert isinstance(solutions, ox.QuerySolutions)
    ((stake, publisher, plant),) = {tuple(str(row[name]) for name in ("stake", "publisher", "plant")) for row in solutions}
    assert stake.startswith('"12.5"')
    assert publisher == "<https://motorgraph.example/id/organization/example-news>"
    assert plant == "<https://motorgraph.example/id/plant/example-erfurt>"


def test_the_mapping_of_the_documentation_makes_models(cars: Path, tmp_path: Path) -> None:
    text = (ROOT / "docs/curator.md").read_text().partition("means in `cars.rq`:\n\n```\n")[2].partition("```")[0]
    out = run("convert", cars, "--mapping", mapping(tmp_path, text))
    assert {q.subject.value for q in ox.parse(out, ox.RdfFormat.TRIG) if isinstance(q.subject, ox.NamedNode)} == {
        "https://motorgraph.example/id/model/taycan",
        "https://motorgraph.example/id/model/skoda-elroq",
    }
