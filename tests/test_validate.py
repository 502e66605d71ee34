"""What the shapes say of a text that is sent to `/validate`: beside its lines, in every format, and with nothing stored."""

from __future__ import annotations

import asyncio
import csv
import gzip
import html
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyoxigraph as ox
import pytest

from motorgraph.engine.dropped import converted
from motorgraph.engine.mending import Mender, Spelling
from motorgraph.engine.placing import Placed, lines_of, placed
from motorgraph.errors import BadSyntax
from motorgraph.gate import Result
from motorgraph.media import JSONLD, NQUADS, RDFXML, TRIG, TURTLE
from motorgraph.resources import asset
from tests.running import MODULES, TOKEN, Service, service
from tests.test_consequences import spent

BASE = "https://motorgraph.example"
SH = "http://www.w3.org/ns/shacl#"
MIN = f"{SH}MinCountConstraintComponent"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PREFIXES = f"""@prefix claim: <{BASE}/id/claim/> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix mg: <{BASE}/ontology/> .
@prefix modality: <{BASE}/concept/modality/> .
@prefix organization: <{BASE}/id/organization/> .
@prefix plant: <{BASE}/id/plant/> .
@prefix schema: <https://schema.org/> .
@prefix source: <{BASE}/source/> .
@prefix wgs: <http://www.w3.org/2003/01/geo/wgs84_pos#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""  # ten lines
GOOD = """source:tried a mg:SourceDocument ;
  dcterms:title "A document"@en ;
  dcterms:publisher organization:reuters ;
  mg:accessedOn "2026-01-27"^^xsd:date ;
  schema:url "https://www.example.org/article"^^xsd:anyURI .
"""
BAD = """source:tried a mg:SourceDocument ;
  dcterms:publisher organization:reutters ;
  mg:accessedOn "27 January 2026" ;
  schema:url "www.example.org/article" .
plant:ford-valencia-body-and-assembly
  wgs:lat -0.41667 ; wgs:long 39.28333 .
claim:tried a mg:Claim ; mg:modality modality:under-studi .
[] a mg:OriginalSource ;
  mg:anonymity <https://motorgraph.example/concept/anonymity/unnamed> ;
  mg:sourceCount 0 .
"""
OWN_SHAPES = f"""@prefix sh: <{SH}> .
<http://x/Shape> a sh:NodeShape ; sh:targetClass <http://x/C> ;
  sh:property [ sh:path <http://x/p> ; sh:minCount 1 ; sh:message "Say p." ] ."""
Json = dict[str, Any]  # Any: plain JSON


def sent(running: Service, text: str | bytes, kind: str = "text/turtle", **headers: str) -> httpx.Response:
    return running.client.post("/validate", content=text, headers={"Content-Type": kind, **headers})


def judged(running: Service, text: str, kind: str = "text/turtle") -> Json:
    response = sent(running, text, kind)
    assert response.status_code == 200, response.text
    found: Json = response.json()
    return found


@pytest.fixture(scope="module")
def report(shipped: Service) -> Json:
    """What is said of the text with six kinds of mistakes."""
    return judged(shipped, PREFIXES + BAD)


def at(report: Json, line: int) -> list[Json]:
    return [result for result in report["results"] if result["line"] == len(PREFIXES.splitlines()) + line]


# The verdict


def test_a_text_that_conforms_would_be_accepted_and_nothing_is_stored(shipped: Service) -> None:
    before = shipped.metric("motorgraph_commit")
    told = judged(shipped, PREFIXES + GOOD)
    assert (told["conforms"], told["total"], told["statements"]) == (True, 0, 5)
    assert told["commit"] == before == shipped.metric("motorgraph_commit")
    assert "source/tried" not in shipped.client.get("/graphs", params={"graph": f"{BASE}/graph/source/validated"}).text


def test_a_warning_does_not_refuse(shipped: Service) -> None:
    day = "mg:reportedOn '2026-01-01'^^xsd:date"
    party = "a mg:Claim ; mg:foundIn source:founding-article ; mg:assertedBy organization:reuters ; mg:modality modality:actual"
    proposition = f"mg:proposition <{BASE}/id/proposition/tried>"
    stance = f"mg:stance <{BASE}/concept/stance/"
    text = f"""<{BASE}/id/proposition/tried> a mg:Proposition ; mg:aboutNode plant:magna-steyr-graz ; mg:aspect "who" .
claim:tried-1 {party} ; {proposition} ; {day} ; {stance}asserted> .
claim:tried-2 {party} ; {proposition} ; {day} ; {stance}denied> ."""
    told = judged(shipped, PREFIXES + text)
    assert told["conforms"]
    assert told["counts"] == {"Violation": 0, "Warning": 2, "Info": 0}
    assert [result["line"] for result in told["results"]] == [12, 13]


def test_what_is_in_the_graph_already_counts(shipped: Service) -> None:
    """The plant has a latitude, so one more is too many; beside the ontology and reference data alone it is the only one."""
    text = PREFIXES + "plant:ford-valencia-body-and-assembly wgs:lat 39.3 ."
    (found,) = judged(shipped, text)["results"]
    assert found["component"] == f"{SH}MaxCountConstraintComponent"
    assert found["labels"]["focus"] == "Ford Valencia Body & Assembly"
    alone = shipped.client.post("/validate?alone=true", content=text, headers={"Content-Type": "text/turtle"}).json()
    assert (alone["conforms"], alone["beside"]) == (True, [f"{BASE}/graph/ontology", f"{BASE}/graph/reference"])


def test_a_graph_that_a_write_may_not_change_is_refused_here_too(shipped: Service) -> None:
    for name in ("ontology", "inferred", "catalogue"):
        response = sent(shipped, f"<{BASE}/graph/{name}> {{ <http://x/s> <http://x/p> 1 }}", "application/trig")
        assert response.status_code == 403, name


# Where, and what would be right


def test_a_finding_stands_on_its_line_and_column(report: Json) -> None:
    (publisher,) = at(report, 2)
    assert (publisher["column"], publisher["length"]) == (21, len("organization:reutters"))
    (day,) = at(report, 3)
    assert (day["column"], day["length"]) == (17, len('"27 January 2026"'))


def test_a_property_that_is_missing_stands_where_the_node_begins(report: Json) -> None:
    (title,) = at(report, 1)
    assert title["suggestion"]["text"].startswith("dcterms:title ")


def test_a_finding_on_a_node_without_a_name_has_its_line(report: Json) -> None:
    (count,) = at(report, 10)
    assert (count["focus"], count["value"], count["expected"]) == ("a blank node", "0", "at least 1")
    assert "node" not in count


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (2, "organization:reuters"),
        (3, '"2026-01-27"^^xsd:date'),
        (4, '"https://www.example.org/article"'),
        (7, "modality:under-study"),
    ],
)
def test_a_mechanical_mend_is_suggested_as_the_text_would_write_it(report: Json, line: int, text: str) -> None:
    mends = [result["suggestion"] for result in at(report, line) if "edits" in result.get("suggestion", {})]
    assert text in [mend["text"] for mend in mends]
    assert all(edit["line"] == len(PREFIXES.splitlines()) + line for mend in mends for edit in mend["edits"])


def test_coordinates_that_may_be_swapped_are_offered_the_other_way_round(report: Json) -> None:
    (swap,) = [r["suggestion"] for r in at(report, 6) if r["component"] == f"{SH}SPARQLConstraintComponent"]
    assert swap["text"] == "wgs:lat 39.28333 ; wgs:long -0.41667"
    assert [edit["text"] for edit in swap["edits"]] == ["39.28333", "-0.41667"]


def test_the_edits_of_a_suggestion_mend_the_text(shipped: Service, report: Json) -> None:
    (day,) = at(report, 3)
    form = {"data": PREFIXES + BAD, "mend": json.dumps(day["suggestion"]["edits"])}
    assert not at(shipped.client.post("/validate", data=form).json(), 3)
    stale = shipped.client.post("/validate", data={**form, "data": PREFIXES + GOOD})
    assert stale.status_code == 400
    assert "no longer as it was" in stale.json()["detail"]


@pytest.mark.parametrize(
    "edits", ["x", "[1]", '[{"line": 0, "column": 1, "length": 1, "was": "", "text": ""}]', '[{"line": "a"}]']
)
def test_edits_that_are_none_are_400(shipped: Service, edits: str) -> None:
    assert shipped.client.post("/validate", data={"data": PREFIXES + GOOD, "mend": edits}).status_code == 400


def test_every_statement_of_turtle_and_trig_has_the_line_on_which_it_ends() -> None:
    text = b"""@prefix : <http://x/> .
:a :p 1 ;
  :q "x" ,
    "y"@en ; :r [
    :s :b ] ;
  :l ( 1
    2 ) .
:b :p \"\"\"long
text\"\"\" ."""
    found = placed(TURTLE, text, "", ox.DefaultGraph())
    lines = {str(triple[2]): line for triple, line in found.lines.items() if isinstance(triple[2], ox.Literal)}
    assert (lines['"x"'], lines['"y"@en'], lines[str(ox.Literal(2))]) == (3, 4, 7)
    assert next(found.of("http://x/a", "http://x/p"))[0] == 2
    assert next(found.of("http://x/a", "http://x/r"))[0] == 5
    named = placed(TRIG, b"<http://x/g> {\n <a:s> <a:p>\n <a:o> }\n", "", ox.DefaultGraph())
    assert list(named.lines.values()) == [3]
    assert named.quads[0].graph_name == ox.NamedNode("http://x/g")


def test_a_line_that_is_longer_than_the_parser_reads_at_once_is_read_whole() -> None:
    found = placed(NQUADS, b'<a:s> <a:p> "%s" .\n<a:s> <a:p> <a:o> .' % (b"x" * 100_000), "", ox.DefaultGraph())
    assert sorted(found.lines.values()) == [1, 2]


def test_lines_are_those_of_the_text_whatever_ends_them() -> None:
    text = "<a:s> <a:p> 1 .\r\n<a:s> <a:q> 2 .\n"
    assert lines_of(text) == ["<a:s> <a:p> 1 .", "<a:s> <a:q> 2 .", ""]
    assert sorted(placed(TURTLE, text.encode(), "", ox.DefaultGraph()).lines.values()) == [1, 2]


# What is sent


@pytest.mark.parametrize("form", [TURTLE, TRIG, NQUADS, RDFXML, JSONLD], ids=lambda form: form.name)
def test_every_format_that_is_read_elsewhere_is_read_here(shipped: Service, form: Any) -> None:  # Any: a Format
    quads = ox.parse(PREFIXES + 'source:tried a mg:SourceDocument ; dcterms:title "A"@en .', ox.RdfFormat.TURTLE)
    text = ox.serialize(quads, format=ox.RdfFormat.from_media_type(form.media_type))
    assert text is not None
    told = judged(shipped, text.decode(), form.media_type)
    assert (told["format"], told["total"]) == (form.suffix, 1)
    assert ("line" in told["results"][0]) == (form is not JSONLD)
    packed = sent(shipped, gzip.compress(text), form.media_type, **{"Content-Encoding": "gzip"}).json()
    assert packed["results"] == told["results"]


@pytest.mark.parametrize(("text", "name"), [(PREFIXES + GOOD, "trig"), ("[]", "jsonld"), ('<?xml version="1.0"?><a/>', "rdf")])
def test_a_form_may_leave_the_format_to_the_look_of_the_text(shipped: Service, text: str, name: str) -> None:
    page = shipped.client.post("/validate", files={"data": (None, text), "file": ("", b"")})
    assert page.status_code in (200, 400)
    assert page.json().get("format", "") == name or "RDF/XML" in page.json()["detail"]


def test_a_file_of_a_form_is_read_by_its_name(shipped: Service) -> None:
    told = shipped.client.post("/validate", files={"file": ("data.ttl", PREFIXES + GOOD)})
    assert told.json()["format"] == "ttl"
    both = shipped.client.post("/validate", files={"file": ("data.ttl", GOOD), "data": (None, GOOD)})
    assert both.status_code == 400
    assert shipped.client.post("/validate", data={"type": "ttl"}).status_code == 400
    assert shipped.client.post("/validate", data={"data": GOOD, "type": "docx"}).status_code == 400


def test_what_is_no_data_is_refused_with_what_would_be_right(shipped: Service) -> None:
    assert sent(shipped, "x", "application/pdf").status_code == 415
    assert sent(shipped, GOOD, **{"Content-Encoding": "br"}).status_code == 415
    assert sent(shipped, GOOD, Accept="image/png").status_code == 406
    assert shipped.client.post("/validate?alone=perhaps", content=GOOD).status_code == 400
    assert shipped.client.put("/validate", content=GOOD).status_code == 405


def test_a_text_that_does_not_parse_is_400_with_line_and_column(shipped: Service) -> None:
    response = sent(shipped, PREFIXES + "source:a a mg:Plant ;\n  mg:b [ .")
    assert (response.status_code, response.json()["line"]) == (400, 12)
    page = shipped.client.post("/validate", data={"data": PREFIXES + "source:a mg:b ] ."}, headers=BROWSER)
    assert page.status_code == 400
    assert "Cannot be read." in page.text
    assert "source:a mg:b ] ." in html.unescape(page.text)


@pytest.mark.parametrize(
    ("body", "name", "told"),
    [
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", "deals.xlsx", "an Excel workbook. Save the sheet as CSV (UTF-8)"),
        (b"PK\x03\x04deals.csv", "deals.zip", "a zip archive. Unpack it"),
        (b"%PDF-1.7", "article.pdf", "a PDF. Write down what it says"),
        (b"<!doctype html><title>x</title>", "article.html", "a web page"),
        ("<http://x/s> <http://x/p> 1 .".encode("utf-16"), "a.ttl", "UTF-16. Save it as UTF-8"),
        ("<http://x/s> <http://x/p> 1 .".encode("utf-16-le"), "a.ttl", "UTF-16. Save it as UTF-8"),
    ],
)
def test_a_file_that_is_no_data_is_415_with_what_it_is_and_what_to_do(
    read_only: Service, body: bytes, name: str, told: str
) -> None:
    response = read_only.client.post("/validate", files={"file": (name, body)}, data={"shapes": OWN_SHAPES})
    assert response.status_code == 415
    assert f"{name} is {told}" in response.json()["detail"]


@pytest.mark.parametrize(
    ("text", "kind", "seems"),
    [
        ('{"@id": "http://x/s"}', "text/turtle", "JSON-LD"),
        ('<?xml version="1.0"?>\n<rdf:RDF/>', "text/turtle", "RDF/XML"),
        ("deal_id,name,kind\nx,y,z\n", "text/turtle", "CSV"),
        ("@prefix x: <http://x/> .", "application/rdf+xml", "Turtle"),
    ],
)
def test_what_is_in_another_format_than_is_said_is_told_what_it_looks_like(
    shipped: Service, text: str, kind: str, seems: str
) -> None:
    response = sent(shipped, text, kind)
    assert response.status_code == 400
    assert f" It looks like {seems}: choose that format" in response.json()["detail"]


def test_more_than_is_taken_is_413(read_only: Service, shipped: Service) -> None:
    assert sent(shipped, b"#" * ((8 << 20) + 1)).status_code == 413
    assert sent(shipped, gzip.compress(b"#" * ((8 << 20) + 1)), **{"Content-Encoding": "gzip"}).status_code == 413


# Shapes that are sent along


def test_shapes_that_are_sent_judge_alone_also_in_a_bare_store_that_nobody_writes_to(read_only: Service) -> None:
    form = {"data": "<http://x/a> a <http://x/C> .", "shapes": OWN_SHAPES, "type": "ttl"}
    told = read_only.client.post("/validate", data=form).json()
    assert [(r["message"], r["focus"], r["line"]) for r in told["results"]] == [("Say p.", "http://x/a", 1)]
    assert (told["conforms"], told["shapes"], told["beside"]) == (False, "given", [])
    form["data"] += "<http://x/a> <http://x/p> 1 ."
    assert read_only.client.post("/validate", data=form).json()["conforms"]


def test_a_bare_store_without_shapes_says_that_it_needs_some(read_only: Service) -> None:
    response = sent(read_only, "<http://x/a> a <http://x/C> .")
    assert response.status_code == 400
    assert "'shapes'" in response.json()["detail"]


def test_shapes_that_are_sent_see_the_subclasses_of_the_ontology_and_tell_nothing_of_it(shipped: Service) -> None:
    shapes = OWN_SHAPES.replace("<http://x/C>", f"<{BASE}/ontology/Organization>, <http://www.w3.org/2002/07/owl#Class>")
    form = {"data": f"<http://x/a> a <{BASE}/ontology/Automaker> .", "shapes": shapes, "type": "ttl"}
    told = shipped.client.post("/validate", data=form).json()
    assert [result["focus"] for result in told["results"]] == ["http://x/a"]
    assert told["beside"] == [f"{BASE}/graph/ontology"]


def test_shapes_that_cannot_be_used_or_have_no_targets_are_refused(read_only: Service) -> None:
    form = {"data": "<http://x/a> a <http://x/C> .", "type": "ttl"}
    broken = OWN_SHAPES.replace("sh:minCount 1", 'sh:minCount "many"')
    assert read_only.client.post("/validate", data={**form, "shapes": broken}).status_code == 422
    assert read_only.client.post("/validate", data={**form, "shapes": "<http://x/a> <http://x/b> 1 ."}).status_code == 400


# Formats of the report


def test_the_report_can_be_had_as_rdf_and_text(shipped: Service, report: Json) -> None:
    turtle = sent(shipped, PREFIXES + BAD, Accept="text/turtle")
    graph = ox.Store()
    graph.load(turtle.content, ox.RdfFormat.TURTLE)
    results = list(graph.quads_for_pattern(None, None, ox.NamedNode(SH + "ValidationResult")))
    assert len(results) == report["total"]
    text = sent(shipped, PREFIXES + BAD, Accept="text/plain")
    assert text.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "line 12: Violation:" in text.text
    assert text.text.endswith(f"Would be refused: {report['total']} violations, 0 warnings, 0 infos.\n")


def test_a_button_of_the_page_chooses_the_format_of_the_report(shipped: Service) -> None:
    form = {"data": PREFIXES + GOOD, "type": "ttl"}
    response = shipped.client.post("/validate", data={**form, "format": "ttl"}, headers=BROWSER)
    assert response.headers["Content-Type"] == "text/turtle; charset=utf-8"
    assert shipped.client.post("/validate", data={**form, "format": "docx"}).status_code == 400


def test_the_page_shows_each_finding_beside_its_line_with_what_would_be_right(shipped: Service) -> None:
    page = shipped.client.post("/validate", data={"data": PREFIXES + BAD}, headers=BROWSER)
    assert page.status_code == 200
    assert "Would be refused." in page.text
    row = re.search(r'<li data-line="12">(.*?)</ul>', page.text, re.DOTALL)
    assert row is not None
    assert '<span class="name wrong bad">organization:reutters</span>' in row[1]
    assert "organization:reuters</code>" in row[1]
    buttons = [json.loads(html.unescape(value)) for value in re.findall(r'name="mend" value="([^"]*)"', page.text)]
    assert [edit["text"] for edit in buttons[0]] == ["organization:reuters"]
    assert MODULES.sub("", page.text).count("<script") == page.text.count('<script type="application/json"') == 1


def test_long_stretches_without_findings_fold_and_the_text_comes_back_as_it_was(shipped: Service) -> None:
    text = "<b>&amp;\n" + "# nothing\n" * 40
    page = shipped.client.post("/validate", data={"data": "# " + text + PREFIXES + GOOD}, headers=BROWSER).text
    assert "Would be accepted." in page
    assert re.search(r"<summary>Lines \d+ to \d+: nothing was found</summary>", page)
    area = re.search(r'<textarea id="data"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert area is not None
    assert html.unescape(area[1]) == "# " + text + PREFIXES + GOOD


# Tables


def test_a_table_with_the_columns_of_one_that_ships_is_judged_row_by_row() -> None:
    data = Path(__file__).parents[1] / "data" / "facts" / "technologies.csv"
    header, first, *_ = data.read_text().splitlines()
    found = converted(f"{header}\n{first}\n".encode(), BASE)
    assert set(found.lines.values()) == {2}
    assert not found.unread


def test_a_table_is_read_whatever_parts_its_cells_and_told_what_is_wrong_with_it() -> None:
    """Of the rows of other tables that the mappings read nothing is told: these are no part of what was sent."""
    lines = (asset("data") / "facts" / "deals.csv").read_text("utf-8").splitlines()[:3]
    header, *rows = lines
    text = "\n".join(lines)
    found = converted(text.encode(), BASE)
    assert set(found.lines.values()) == {2, 3}
    assert {quad.subject for quad in found.quads} <= {triple[0] for triple in found.lines}
    parted = io.StringIO()
    csv.writer(parted, delimiter="\t").writerows(csv.reader(lines))
    assert set(converted(b"\xef\xbb\xbf" + parted.getvalue().encode(), BASE).quads) == set(found.quads)
    wrong = {
        f"{header}\n=1+1{rows[0]}": "line 2: deal_id holds a formula",
        f'{text}\n"{rows[0]}\n': "line 4: a cell opens with a quotation mark that nothing closes",
        f"{header}\n\udcf6{rows[0]}": "line 2: byte 0xf6 is not UTF-8; save the table as UTF-8",
    }
    for told, words in wrong.items():
        with pytest.raises(BadSyntax, match=re.escape(words)):
            converted(told.encode("utf-8", "surrogateescape"), BASE)


def test_a_table_with_other_columns_is_told_which_tables_there_are(shipped: Service) -> None:
    response = sent(shipped, "claim_id,seedref\n1,2\n", "text/csv")
    assert (response.status_code, response.json()["line"]) == (400, 1)
    assert "did you mean seed_ref?" in response.json()["detail"]
    assert "facts/technologies" in response.json()["tables"]
    assert sent(shipped, "x" * 200_000, "text/csv").status_code == 400


# Beside others


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    limits = ("--validations", "1", "--validation-queue-length", "0", "--validation-bytes", "1")
    with service(tmp_path_factory.mktemp("narrow"), "--plain", *limits) as running:
        yield running


def test_a_write_does_not_wait_for_a_validation_and_both_are_answered(narrow: Service) -> None:
    data = "".join(f"<http://x/{n}> a <http://x/C> .\n" for n in range(1_500))
    form = {"data": data, "shapes": OWN_SHAPES, "type": "ttl"}
    ended = []

    async def timed(name: str, asking: Any) -> httpx.Response:  # Any: a coroutine
        response: httpx.Response = await asking
        ended.append(name)
        return response

    async def both() -> list[httpx.Response]:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle"}
        async with httpx.AsyncClient(base_url=narrow.url, timeout=60, trust_env=False) as client:
            trial = asyncio.create_task(timed("trial", client.post("/validate", data=form)))
            await client.get("/health")  # by now the trial has been sent
            write = client.put("/graphs", params={"graph": "http://x/written"}, content="<a:s> <a:p> 1 .", headers=headers)
            return [await timed("write", write), await trial]

    write, trial = asyncio.run(both())
    assert (write.status_code, trial.json()["total"]) == (201, 1_500)
    assert len(trial.json()["results"]) == 200
    assert ended == ["write", "trial"]


def test_more_than_may_wait_are_503_and_come_again(narrow: Service) -> None:
    form = {"data": "".join(f"<http://x/{n}> a <http://x/C> .\n" for n in range(300)), "shapes": OWN_SHAPES, "type": "ttl"}

    async def all_at_once() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=narrow.url, timeout=60, trust_env=False) as client:
            return list(await asyncio.gather(*(client.post("/validate", data=form) for _ in range(4))))

    answers = asyncio.run(all_at_once())
    assert sorted({answer.status_code for answer in answers}) == [200, 503]
    assert {a.headers["Retry-After"] for a in answers if a.status_code == 503} == {"1"}
    assert narrow.client.post("/validate", data=form).status_code == 200
    assert sent(narrow, b"#" * (1 << 20) + b"#").status_code == 413


def test_what_is_missing_costs_no_look_at_all_properties_of_the_shape() -> None:
    properties = " ".join(f"sh:property [ sh:path <http://x/p{n}> ; sh:datatype xsd:date ] ;" for n in range(4000))
    shapes = ox.Store()
    shapes.load(
        f"@prefix sh: <{SH}> . {PREFIXES} <http://x/S> {properties} a sh:NodeShape .".encode(), format=ox.RdfFormat.TURTLE
    )
    mender = Mender(shapes, ox.Store(), Spelling({}, BASE))

    def missing(*numbers: int) -> list[str]:
        found = [Result("Violation", "http://x/c", "", f"http://x/p{n}", shape="http://x/S", component=MIN) for n in numbers]
        return [told["text"] for result in found if (told := mender.suggestion(result, None, Placed()))]

    first, others = spent(lambda: missing(0)), spent(lambda: missing(*range(1, 101)))
    assert missing(7) == ['<http://x/p7> "2026-01-31"^^xsd:date ;']
    assert others < 3 * first


def test_the_example_to_begin_with_has_as_many_faults_as_it_says(shipped: Service) -> None:
    page = shipped.client.get("/validate?example=plant", headers={"Accept": "text/html"}).text
    text = html.unescape(page.partition('name="data"')[2].partition(">\n")[2].partition("</textarea>")[0])
    report = shipped.client.post("/validate", content=text, headers={"Content-Type": "text/turtle"}).json()
    assert "Five things are wrong" in text
    assert [found["line"] for found in report["results"]] == [6, 7, 9, 10, 11]
    assert "Start from an example" in shipped.client.get("/validate", headers={"Accept": "text/html"}).text
