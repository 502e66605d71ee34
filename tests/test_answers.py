"""The questions answer over HTTP with the values that a client gives, and name the documents behind every row."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest

from motorgraph.parameters import Shapes
from motorgraph.questions import Question, Questions
from motorgraph.vocab import CANONICAL_BASE
from tests.running import Service

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "ontology" / "questions").glob("*.rq"))
QUESTIONS = Questions.shipped(CANONICAL_BASE)
TALKS = "/questions/who-is-in-talks-with-ford"
Json = dict[str, Any]  # Any: an answer is free JSON


def slug(path: Path) -> str:
    return path.stem.partition("-")[2]


def answer(shipped: Service, path: str, **values: object) -> Json:
    response = shipped.client.get(f"/questions/{path}", params=values)  # type: ignore[arg-type]  # texts and lists of texts
    assert response.status_code == 200, response.text
    found: Json = response.json()
    return found


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def documents(row: Json) -> set[str]:
    return {source["iri"].rpartition("/source/")[2] for source in row["sources"]}


def refused(shipped: Service, **values: object) -> Json:
    response = shipped.client.get(TALKS, params=values)  # type: ignore[arg-type]  # texts
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: Json = response.json()
    return found


# Answers and their sources


@pytest.mark.parametrize("path", [path for path in FILES if slug(path) != "duty"], ids=slug)  # the planner answers that one
def test_the_question_answers_as_written_beside_it_and_every_row_names_its_documents_and_dates(
    shipped: Service, path: Path
) -> None:
    response = shipped.client.get(f"/questions/{slug(path)}.csv")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    head, *rows = table(response.text)
    assert head[-1] == "sources"
    assert [row[:-1] for row in [head, *rows]] == table(path.with_suffix(".expected.csv").read_text())
    for row in rows:
        assert row[-1], f"no source: {row}"
        for source in row[-1].split("; "):
            assert re.search(r", (?:undated|-?\d{4}\S*), https?://", source), source


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("which-statements-turned-out-wrong", "foundIn"),
        ("who-said-so", "foundIn"),
        ("ford-and-geely-as-known-on-a-day", "foundIn"),
    ],
)
def test_the_source_of_a_claim_is_the_document_that_it_was_found_in(shipped: Service, name: str, column: str) -> None:
    for row in answer(shipped, name)["rows"]:
        assert [source["title"] for source in row["sources"]] == [row[column]]


def test_the_source_of_a_holding_is_the_document_that_the_row_names(shipped: Service) -> None:
    for row in answer(shipped, "what-geely-holding-holds-more-than-20-per-cent-of")["rows"]:
        assert documents(row) == {row["source"]}


def test_the_source_of_a_figure_is_of_the_publisher_that_the_row_names(shipped: Service) -> None:
    for row in answer(shipped, "sales-of-geely-auto-and-geely-holding")["rows"]:
        assert {source["publisher"] for source in row["sources"]} == {row["publisher"]["label"]}


def test_the_rows_of_a_contradiction_name_the_documents_of_both_sides(shipped: Service) -> None:
    rows = answer(shipped, "which-sales-figures-conflict")["rows"]
    assert all({s["publisher"] for s in row["sources"]} == {row[by]["label"] for by in ("largerBy", "smallerBy")} for row in rows)


def test_that_nothing_is_due_at_valencia_rests_on_who_says_that_it_lies_in_spain(shipped: Service) -> None:
    valencia, zhangjiakou = answer(shipped, "eu-duty-by-place-of-build")["rows"]
    assert valencia["duty"] == 0
    assert documents(valencia) == {"founding-article", "gauk-motorbuzz-2026-02"}
    assert not documents(zhangjiakou) & documents(valencia)


def test_a_duty_rests_on_the_documents_that_its_rates_were_accepted_from(shipped: Service) -> None:
    rates = """PREFIX mg: <https://motorgraph.example/ontology/> SELECT ?from ?document {
      ?rate mg:ofMeasure/mg:importTerritory <https://motorgraph.example/id/country/ca> ; mg:ratePercent 106.1 ;
        mg:acceptedFrom/mg:foundIn ?document . OPTIONAL { ?rate mg:validFrom ?from } }"""
    told = {(row.get("from"), row["document"].rpartition("/")[2]) for row in shipped.rows(rates)}
    rows = answer(shipped, "how-the-duty-of-canada-developed")["rows"]
    assert {(row["from"], name) for row in rows if row["percent"] == 106.1 for name in documents(row)} == told


def test_sources_are_left_out_on_demand(shipped: Service) -> None:
    told = answer(shipped, "who-is-in-talks-with-ford", cite="0")
    assert "sources" not in told
    assert all("sources" not in row for row in told["rows"])
    assert shipped.client.get(f"{TALKS}?cite=perhaps").status_code == 400


# What is given


@pytest.mark.parametrize(
    "company", ["byd", "organization/byd", "organization:byd", f"{CANONICAL_BASE}/id/organization/byd", "BYD"]
)
def test_a_thing_is_given_by_slug_kind_and_slug_iri_or_label(shipped: Service, company: str) -> None:
    told = answer(shipped, "who-is-in-talks-with-ford", company=company)
    assert told["parameters"] == {"company": "organization/byd", "asked": "2026-11-22"}
    assert told["question"] == "Who is in talks with BYD, about what, and how do matters stand?"
    assert {row["partner"]["iri"] for row in told["rows"]} == {f"{CANONICAL_BASE}/id/organization/ford"}


def test_several_values_are_asked_one_with_each_of_the_others(shipped: Service) -> None:
    told = answer(
        shipped, "may-a-maker-sell-in-the-us", maker=["byd", "ford"], modelYear="my2027", date=["2026-05-01", "2026-09-01"]
    )
    asked = [(row["makerName"]["label"], row["year"], row["date"]) for row in told["rows"]]
    assert asked == [(m, "model year 2027", d) for m in ("BYD", "Ford Motor Company") for d in ("2026-05-01", "2026-09-01")]


def test_an_empty_field_of_a_form_is_as_good_as_none(shipped: Service) -> None:
    assert answer(shipped, "who-is-in-talks-with-ford", company="", asked="") == answer(shipped, "who-is-in-talks-with-ford")


def test_an_unknown_thing_is_refused_with_those_that_may_have_been_meant(shipped: Service) -> None:
    told = refused(shipped, company="Frod")
    assert (told["field"], told["value"]) == ("company", "Frod")
    assert "Ford Motor Company" in [near["name"] for near in told["near"]]
    assert "Ford Motor Company" in told["detail"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"asked": "2026-13-01"}, "a day, such as 2026-11-22"),
        ({"asked": ["2026-01-01", "2026-01-02"]}, "1 is the most"),
        ({"company": "plant/magna-steyr-graz"}, "a thing of the kind organization"),
        ({"company": 'frod> } # "'}, "a thing of the kind organization"),
        ({"company": 'x" } UNION { ?s ?p ?o'}, "a thing of the kind organization"),
        ({"compny": "ford"}, "It takes company, asked, cite and at"),
    ],
)
def test_a_value_that_cannot_be_taken_is_refused_by_name(shipped: Service, values: Json, words: str) -> None:
    told = refused(shipped, **values)
    assert [fault["field"] for fault in told["errors"]] == list(values)
    assert words in told["detail"]


def test_every_fault_is_named_at_once(shipped: Service) -> None:
    assert [fault["field"] for fault in refused(shipped, company="Frod", asked="soon", compny="x")["errors"]] == [
        "compny",
        "company",
        "asked",
    ]


def test_more_combinations_than_are_asked_are_refused(shipped: Service) -> None:
    days = [f"2026-{month:02}-{day:02}" for month in (1, 2) for day in range(1, 26)]
    many = {"date": days, "maker": ["byd", "ford", "polestar"], "modelYear": ["my2026", "my2027"]}
    response = shipped.client.get("/questions/may-a-maker-sell-in-the-us", params=many)
    assert response.status_code == 422
    assert "300 combinations" in response.json()["detail"]


@pytest.mark.parametrize(
    ("name", "values", "fault"),
    [
        ("which-ventures-are-split-51-to-49", {"larger": "150"}, "to 100"),
        ("which-ventures-are-split-51-to-49", {"larger": "many"}, "a number"),
        ("eu-duty-on-a-plug-in-hybrid", {"drive": "diesel"}, "one of bev, erev"),
        ("who-stands-behind-a-vehicle-number", {"code": "IOQ"}, "of the form"),
        ("which-acts-never-counted", {"state": "act-status/in-force"}, "one of announced"),
    ],
)
def test_numbers_texts_and_choices_have_bounds(shipped: Service, name: str, values: Json, fault: str) -> None:
    response = shipped.client.get(f"/questions/{name}", params=values)
    assert response.status_code == 422
    assert fault in response.json()["detail"]


# Addresses and formats


@pytest.mark.parametrize(
    ("spelling", "leads_to"),
    [
        ("01-who-is-in-talks-with-ford", TALKS),
        ("Who_is_in_talks_with_Ford", TALKS),
        ("1.csv?company=byd", f"{TALKS}.csv?company=byd"),
        ("who-is-in-talks-with-ford/", None),
    ],
)
def test_other_spellings_lead_to_the_question(shipped: Service, spelling: str, leads_to: str | None) -> None:
    response = shipped.client.get(f"/questions/{spelling}")
    assert response.status_code == (301 if leads_to else 200)
    assert response.headers.get("location") == leads_to


def test_an_unknown_question_is_not_found_and_the_likest_are_told(shipped: Service) -> None:
    response = shipped.client.get("/questions/who-is-in-talks-with-frod")
    assert response.status_code == 404
    assert response.json()["near"][0]["page"] == TALKS


@pytest.mark.parametrize(
    ("accept", "suffix", "kind"),
    [
        ("*/*", ".json", "application/json"),
        ("text/csv", ".csv", "text/csv; charset=utf-8"),
        ("text/tab-separated-values", ".tsv", "text/tab-separated-values; charset=utf-8"),
        ("application/sparql-query", ".rq", "application/sparql-query; charset=utf-8"),
        ("text/html", ".html", "text/html; charset=utf-8"),
    ],
)
def test_a_format_is_had_by_accept_and_by_suffix(shipped: Service, accept: str, suffix: str, kind: str) -> None:
    negotiated = shipped.client.get(TALKS, headers={"Accept": accept})
    named = shipped.client.get(TALKS + suffix)
    assert negotiated.headers["content-type"] == named.headers["content-type"] == kind
    assert negotiated.content == named.content
    assert shipped.client.get(TALKS, headers={"Accept": "image/png"}).status_code == 406


def test_the_text_has_the_values_in_place_and_answers_as_the_question_does(shipped: Service) -> None:
    values = {"company": "byd", "asked": "2026-06-01"}
    text = shipped.client.get(f"{TALKS}.rq", params=values).text
    assert f"<{CANONICAL_BASE}/id/organization/byd>" in text
    assert "2026-11-22" not in text
    plain = shipped.client.get(f"{TALKS}.csv", params={**values, "cite": "0"})
    assert plain.text == shipped.query(text, accept="text/csv").text


def test_an_answer_names_its_commit_and_is_not_sent_to_who_has_it(shipped: Service) -> None:
    first = shipped.client.get(f"{TALKS}?at=1")
    assert first.headers["x-commit"] == "1"
    assert first.json()["commit"] == 1
    again = shipped.client.get(f"{TALKS}?at=1", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert shipped.client.get(f"{TALKS}?at=99999").status_code == 404


def test_cells_have_the_type_of_their_column(shipped: Service) -> None:
    told = answer(shipped, "acts-behind-each-rate")
    kinds = {column["name"]: column["type"] for column in told["columns"]}
    assert kinds == {
        "measureName": "entity",
        "exporters": "text",
        "percent": "percent",
        "from": "date",
        "act": "entity",
        "basedOn": "entity",
    }
    assert {type(row["percent"]) for row in told["rows"]} <= {int, float}
    assert all(row["act"]["iri"].startswith(f"{CANONICAL_BASE}/id/act/") or "/eli/" in row["act"]["iri"] for row in told["rows"])
    assert told["columns"][0]["label"] == "measure"


# The shapes, the list, OpenAPI


@pytest.mark.parametrize("question", QUESTIONS.all, ids=lambda question: question.slug)
def test_the_shape_describes_what_the_header_calls_parameters(question: Question) -> None:
    header = question.text.partition("\nPREFIX")[0].replace("\n# ", " ")
    told = re.search(r"# ?Parameters?: (.*?)(?:\. [A-Z]|\.?\n|\.$|; several rows)", header + "\n", re.DOTALL)
    named = set(re.findall(r"\?(\w+)", told[1])) if told else set()
    assert {parameter.name for parameter in question.parameters} == named
    assert question.defaults.keys() == named
    assert question.subject
    for parameter in question.parameters:
        for term in question.defaults[parameter.name]:
            fits = parameter.takes(term.value, CANONICAL_BASE) if parameter.kinds else parameter.literal(term.value)
            assert fits, (parameter.name, term)


def test_every_shape_is_of_a_question_and_rests_on_variables_of_its_text() -> None:
    shapes = Shapes.read((ROOT / "ontology" / "questions" / "parameters.ttl").read_text())
    assert set(shapes.subjects) == {question.slug for question in QUESTIONS.all}
    columns = {column for question in QUESTIONS.all for column in question.columns}
    assert set(shapes.columns) <= columns
    for question in QUESTIONS.all:
        places = set(re.findall(r"\{\?(\w+)\}", question.template))
        assert places <= question.defaults.keys()
        assert question.worded({name: ["x"] for name in places}).endswith("?")
    for question in QUESTIONS.all:
        body = question.text.partition("\nSELECT")[2]
        assert question.rests_on
        assert all(re.search(rf"\?{name}\b", body) for name in question.rests_on), question.name


def test_the_list_is_had_as_json_and_as_shapes(shipped: Service) -> None:
    told = shipped.client.get("/questions").json()["questions"]
    assert [each["slug"] for each in told] == [slug(path) for path in FILES]
    talks = next(each for each in told if each["page"] == TALKS)
    assert [(p["name"], p["default"]) for p in talks["parameters"]] == [
        ("company", [f"{CANONICAL_BASE}/id/organization/ford"]),
        ("asked", ["2026-11-22"]),
    ]
    turtle = shipped.client.get("/questions", headers={"Accept": "text/turtle"})
    assert turtle.headers["content-type"] == "text/turtle; charset=utf-8"
    assert Shapes.read(turtle.text).parameters["what-is-built-at-graz"][0].kinds == ("plant",)


def test_openapi_has_every_question_with_its_parameters_and_examples(shipped: Service) -> None:
    paths = shipped.client.get("/openapi.json").json()["paths"]
    assert {question.page for question in QUESTIONS.all if question.slug != "duty"} <= paths.keys()
    given = {each["name"]: each for each in paths[TALKS]["get"]["parameters"]}
    assert given.keys() == {"company", "asked", "cite", "at"}
    assert given["company"]["example"] == "ford"
    assert given["asked"]["schema"] == {"type": "string", "format": "date"}
    held = {each["name"]: each for each in paths["/questions/which-ventures-are-split-51-to-49"]["get"]["parameters"]}
    assert held["larger"]["schema"] == {"type": "number", "minimum": 0.0, "maximum": 100.0}


# Pages


def test_the_page_of_a_question_has_a_form_links_numbered_sources_and_downloads(shipped: Service) -> None:
    text = shipped.client.get(f"{TALKS}?company=byd", headers={"Accept": "text/html"}).text
    assert "Asked with company: BYD" in text
    assert '<input id="company-1" name="company" type="text" value="BYD"' in text
    assert '<input id="asked-1" name="asked" type="date" value="2026-11-22"' in text
    assert '<a href="/page/organization/ford">Ford Motor Company</a>' in text
    numbers = set(re.findall(r'href="#s(\d+)"', text))
    assert numbers == set(re.findall(r'<li id="s(\d+)">', text)) != set()
    assert f"{TALKS}.csv?company=organization%2Fbyd" in text
    assert "/cite?query=" in text
    assert " style=" not in text


def test_a_page_that_cannot_be_asked_keeps_what_was_written_and_says_what_is_near(shipped: Service) -> None:
    response = shipped.client.get(f"{TALKS}?company=Frod", headers={"Accept": "text/html"})
    assert response.status_code == 422
    assert 'value="Frod"' in response.text
    assert 'aria-invalid="true"' in response.text
    assert f'<a href="{TALKS}?company=organization%2Fford">Ford Motor Company</a>' in response.text


@pytest.mark.parametrize(
    ("path", "shown", "others"),
    [
        ("which-chinese-makers-build-in-the-eu", ("map", "Ford Valencia Body &amp; Assembly"), ["Table only"]),
        ("how-the-duty-of-canada-developed", ("rows", "2024-10-01, 100 %"), ["As bars", "Table only"]),
        ("who-sold-most-in-a-year", ("rows", "10,"), ["Table only"]),
        ("how-the-duty-of-canada-developed?view=chart", ("rows", "6.1 %"), ["In time", "Table only"]),
        ("which-chinese-makers-build-in-the-eu?view=table", ("", ""), ["On a map"]),
        ("do-sources-contradict-each-other", ("", ""), []),
    ],
)
def test_a_page_draws_what_its_rows_have_and_offers_the_other_views(
    shipped: Service, path: str, shown: tuple[str, str], others: list[str]
) -> None:
    text = shipped.client.get(f"/questions/{path}", headers={"Accept": "text/html"}).text
    pictures = re.findall(r'<svg class="(map|rows) [^>]*>.*?</svg>', text, re.DOTALL)
    assert set(pictures) == {shown[0]} - {""}
    assert shown[1] in text
    assert "<tbody>" in text
    assert re.findall(r'<a class="chip" href="[^"]+#answer">([^<]+)</a>', text) == others


def test_a_view_that_there_is_not_is_refused(shipped: Service) -> None:
    assert shipped.client.get(f"{TALKS}?view=globe").status_code == 400


def test_a_cell_without_a_value_is_null_and_its_column_says_what_that_means(shipped: Service) -> None:
    told = answer(shipped, "how-the-duty-of-canada-developed")
    means = {column["name"]: column["null_means"] for column in told["columns"]}
    assert (means["volume"], means["from"], means["percent"]) == ("no quota", "not dated", None)
    assert told["rows"][0]["volume"] is None
    page = shipped.client.get("/questions/who-sold-most-in-a-year", headers={"Accept": "text/html"}).text
    assert '<span class="none" aria-hidden="true">–</span><span class="hidden">not recorded</span>' in page


@pytest.mark.parametrize(
    ("path", "values", "rows", "words"),
    [
        ("which-part-is-further-advanced", {"deal": "ford-geely-2026"}, 1, "Which part of “Talks of Ford and Geely"),
        ("which-part-is-further-advanced", {"until": "2026-02-03"}, 0, "who says so by 2026-02-03"),
        ("which-deals-were-denied-by-every-party", {"company": "xiaomi"}, 1, "deals of Xiaomi has every party denied"),
        ("which-deals-were-denied-by-every-party", {"company": "byd"}, 0, "deals of BYD has every party denied"),
        ("which-statement-was-corrected", {"by": "benzinga"}, 1, "on the word of Benzinga?"),
        ("which-reports-were-denied", {"by": "xiaomi"}, 1, "by Xiaomi, since when"),
        ("which-reports-were-denied", {"outcome": "accepted"}, 1, "were denied and are accepted"),
        ("which-statements-turned-out-wrong", {"document": "founding-article"}, 1, "in “Ford and Geely discuss"),
        ("which-starts-of-production-slipped", {"by": "byd"}, 0, "told differently, by BYD"),
        ("what-may-a-name-mean", {"most": "0.8"}, 2, "how surely (at most 0.8)?"),
        ("who-criticises-or-scrutinises-whom", {"manner": "predicted"}, 2, "(only: predicted)?"),
    ],
)
def test_a_parameter_that_may_be_left_out_narrows_a_question_where_it_is_given(
    shipped: Service, path: str, values: dict[str, str], rows: int, words: str
) -> None:
    told = answer(shipped, path, **values)
    assert len(told["rows"]) == rows
    assert words in told["question"]
    assert len(answer(shipped, path)["rows"]) >= max(rows, 1)


def test_a_plain_store_has_no_questions(plain: Service) -> None:
    assert plain.client.get("/questions").json() == {"questions": []}
    assert plain.client.get(TALKS).status_code == 404
