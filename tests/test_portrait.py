"""What a page and its JSON show of a thing: a sentence, facts with documents, tables, claims by question, what is around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from typing import Any
from urllib.parse import unquote

import orjson
import pyoxigraph as ox
import pytest

from motorgraph.dates import is_vague, vague
from motorgraph.engine.describing import Known, Source
from motorgraph.entity import Asked, Dialect, Teller
from motorgraph.portrait.painter import painted
from motorgraph.star import NEAREST, shortened, star
from motorgraph.vocab import Names
from tests.running import Service

VALENCIA = "plant/ford-valencia-body-and-assembly"
TALKS = "deal/ford-geely-2026"
DENIED = "deal/ford-xiaomi-2026"
KINDS = {
    VALENCIA: "Vehicle assembly plant of Ford Motor Company at Almussafes, Spain. Builds Ford Kuga. "
    "Agreed: Ford–Geely manufacturing joint venture at Valencia.",
    DENIED: "Joint venture of",
    "organization/geely-holding": "Automotive group in Hangzhou, China.",
    "brand/volvo": "Brand of Volvo Cars, Sweden.",
    "model/volvo-ex30": "Battery electric vehicle model of Volvo",
    "measure/eu-cvd-bev-cn-def": "Definitive countervailing duty of European Union on goods from China, under Implementing",
    "act/us-cv-rule": "Final rule of Bureau of Industry and Security, US Department of Commerce of 14 Jan 2025: in force.",
    "claim/s34": "Asserted by Reuters, 4 Feb 2026.",
    "source/founding-article": "Document of Just Auto",
    "concept/technology/vcs": "Hardware or software by which a vehicle communicates by radio above 450 MHz.",
    "country/es": "Country in the customs territory European Union.",
}
"""What the sentence at the head of each kind of thing begins with."""

Json = Any  # a portrait as the service answers it


@pytest.fixture(scope="module")
def portrait(shipped: Service) -> Any:
    """Gets the portrait of a thing, each once."""

    @cache
    def get(name: str) -> Json:
        response = shipped.client.get(f"/data/{name}.json")
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "application/json"
        return response.json()

    return get


def page(shipped: Service, path: str) -> str:
    return shipped.client.get(path, headers={"Accept": "text/html"}).text


def values(found: Json, group: str, name: str) -> list[Json]:
    section = next(section for section in found["facts"] if section["name"] == group)
    return [value for fact in section["facts"] if fact["name"]["text"] == name for value in fact["values"]]


def test_plain_json_has_to_be_asked_for_by_its_suffix(shipped: Service) -> None:
    answer = shipped.client.get(f"/data/{VALENCIA}", headers={"Accept": "application/json"})
    assert answer.headers["Content-Type"] == "application/ld+json"
    assert (
        shipped.client.get(f"/data/{VALENCIA}.json", headers={"Accept": "text/turtle"}).json()["name"]
        == "Ford Valencia Body & Assembly"
    )


@pytest.mark.parametrize("name", KINDS)
def test_the_head_of_a_page_says_in_a_sentence_what_the_thing_is(portrait: Any, shipped: Service, name: str) -> None:
    assert portrait(name)["lead"]["text"].startswith(KINDS[name])
    text = page(shipped, f"/page/{name}")
    assert text.count("<h1") == 1
    assert set(re.findall(r'href="#(s\d+)"', text)) <= set(re.findall(r'id="(s\d+)"', text))


def test_the_strongest_open_claim_stands_in_the_head(portrait: Any) -> None:
    claim = portrait(VALENCIA)["lead"]["claim"]
    assert claim["text"] == "Ford's Valencia site is the leading candidate for the manufacturing part."
    assert (claim["by"]["text"], claim["tally"]) == ("Reuters", {"number": 1, "is_named": False, "words": "one unnamed person"})


def test_a_fact_is_numbered_by_the_document_that_it_rests_on(portrait: Any) -> None:
    found = portrait(VALENCIA)
    sources = {source["number"]: source for source in found["sources"]}
    (owner,) = values(found, "Who", "Owner")
    assert [sources[n]["link"]["text"] for n in owner["sources"]] == ["Ford and Geely discuss building cars together in Europe"]
    assert sources[owner["sources"][0]]["about"] == "Just Auto, from 4 Feb 2026"
    assert list(sources) == list(range(1, len(sources) + 1))


def test_values_that_sources_give_differently_stand_as_rows_of_one_property(portrait: Any) -> None:
    given = values(portrait(VALENCIA), "Sources disagree", "capacity")
    assert [value["link"]["text"] for value in given] == ["400,000", "300,000"]
    assert given[0]["sources"] != given[1]["sources"]


def test_what_should_be_known_and_is_not_is_said(portrait: Any, shipped: Service) -> None:
    assert not values(portrait("model/volvo-ex30"), "When", "Launch year")
    assert re.search(r'Launch year</a></th><td class="none">not known</td>', page(shipped, "/page/model/volvo-ex30"))


def test_nodes_without_a_name_are_rows_of_tables(portrait: Any) -> None:
    tables = {table["kind"]: table for table in portrait(VALENCIA)["tables"]}
    built = tables["What is built here, for whom"]
    rows = [[", ".join(link["text"] for link in cell["values"]) for cell in row["cells"]] for row in built["rows"]]
    assert built["columns"] == ["Model", "For", "Status", "Model years", "When"]
    assert ["Ford Kuga", "Ford Motor Company", "producing", "", ""] in rows
    assert ["", "Ford–Geely venture at Valencia", "planned", "", "start: Jan 2027 to Jun 2027"] in rows
    assert all(row["sources"] for row in built["rows"])


def test_figures_of_one_time_that_differ_are_marked(portrait: Any) -> None:
    figures = next(table for table in portrait("organization/geely-holding")["tables"] if table["kind"] == "Figures")
    disputed = [row["cells"][3]["values"][0]["text"] for row in figures["rows"] if row["disagrees"]]
    assert sorted(disputed) == ["4,116,321 vehicles", "about 4,120,000 vehicles", "more than 2,170,000 vehicles"]


def test_claims_stand_under_questions_and_contradictions_in_one_box(portrait: Any) -> None:
    topics = {topic["question"]: topic for topic in portrait(TALKS)["topics"]}
    assert list(topics)[:3] == ["Is there a deal, and how far is it?", "What would it cover?", "Where?"]
    (stage,) = topics["Is there a deal, and how far is it?"]["disputes"]
    assert {claim["text"] for claim in stage} == {
        "The talks of Ford and Geely are advanced.",
        "The talks of Ford and Geely are preliminary and on manufacturing only.",
    }


def test_what_was_printed_wrongly_is_struck_through_and_the_right_wording_follows(portrait: Any, shipped: Service) -> None:
    (wrong,) = portrait("source/founding-article")["corrected"]
    assert wrong["mark"]["word"] == "Corrected"
    assert wrong["correction"]["text"] == "Ford was criticised in Washington over its licence from CATL."
    assert re.search(r"<s><a [^>]*>[^<]*Geely was criticised", page(shipped, "/page/source/founding-article"))


def test_a_denied_deal_names_who_denies_it_and_leaves_the_line_of_stages(portrait: Any) -> None:
    found = portrait(DENIED)
    assert "Denied by" in found["lead"]["text"]
    assert {"Ford Motor Company", "Xiaomi"} <= set(re.split(r" and |\.|Denied by ", found["lead"]["text"]))
    assert [(step["words"], step["state"]) for step in found["steps"]][:3] == [
        ("Rumoured", "done"),
        ("Denied", "out"),
        ("Memorandum", "next"),
    ]
    assert {neighbour["line"] for neighbour in found["neighbours"] if neighbour["by"] == "partner"} == {"denied"}


def test_what_a_deal_plans_is_no_stage_that_it_has_reached(portrait: Any) -> None:
    found = portrait("deal/ford-geely-jv-2026")
    assert [(step["words"], step["state"], step["day"]) for step in found["steps"]][3:] == [
        ("Agreed", "now", "2026-07-23"),
        ("Approved", "next", ""),
        ("Operating", "next", ""),
    ]
    planned = {event["text"]: event["mark"]["word"] for event in found["events"] if event["text"].startswith("Planned: ")}
    assert planned == {"Planned: operating": "Planned", "Planned: producing": "Planned"}


def test_the_parts_of_a_deal_are_not_equally_far(portrait: Any) -> None:
    parts = {part["kinds"][0]: part for part in portrait(TALKS)["parts"]}
    assert {kind: part["mark"]["word"] for kind, part in parts.items()} == {
        "contract manufacturing": "In talks",
        "technology sharing": "Rumoured",
    }
    assert all(part["claims"] for part in parts.values())


def test_the_parties_of_a_deal_say_how_sure_their_names_are(portrait: Any) -> None:
    geely = next(party for party in portrait(TALKS)["parties"] if party["link"]["text"] == "Geely Holding Group")
    assert geely["words"] == "the texts say “Geely”, resolved with confidence 0.6"


def test_a_plant_that_a_deal_names_leads_to_the_duty_on_what_it_would_build(portrait: Any) -> None:
    assert portrait(VALENCIA)["duty"] == "maker=geely-auto&plant=ford-valencia-body-and-assembly&plant=cn&market=eu"
    assert portrait("plant/magna-steyr-graz")["name"]
    assert portrait("model/volvo-ex30")["duty"] == ""


@pytest.mark.parametrize(("stance", "words"), [("denied", "Denied"), ("asserted", "Asserted")])
def test_chips_show_the_claims_of_one_mark_without_a_script(shipped: Service, stance: str, words: str) -> None:
    text = page(shipped, f"/page/{DENIED}?stance={stance}")
    shown = re.findall(r'<li><span class="st st-([a-z]+)">', text)
    assert set(shown) == {stance}
    (count,) = re.findall(rf'{words} <span class="num">(\d+)</span>', text)
    assert len(shown) == int(count)


def test_a_chip_that_is_not_there_is_refused_with_those_that_are(shipped: Service) -> None:
    refusal = shipped.client.get(f"/page/{DENIED}?stance=perhaps")
    assert refusal.status_code == 400
    assert "asserted, denied" in refusal.json()["detail"]


def test_every_picture_has_its_list(shipped: Service) -> None:
    text = page(shipped, f"/page/{VALENCIA}")
    figures = re.findall(r"<figure.*?</figure>", text, re.DOTALL)
    assert len(figures) == 2
    assert all("<summary>The same as a list</summary>" in figure for figure in figures)


def test_what_machines_read_in_a_page_is_json_ld(shipped: Service) -> None:
    (found,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page(shipped, f"/page/{VALENCIA}"))
    told = json.loads(found)
    assert told["@id"].endswith(f"/id/{VALENCIA}")
    assert told["name"] == "Ford Valencia Body & Assembly"


@pytest.mark.parametrize(
    ("date", "words"),
    [
        ("2026-02-04", "4 Feb 2026"),
        ("2026-01-26/2026-01-30", "26 Jan 2026 to 30 Jan 2026"),
        ("2026-02~", "about Feb 2026"),
        ("2025/..", "from 2025"),
        ("../2026-02-05", "until 5 Feb 2026"),
    ],
)
def test_a_date_in_edtf_is_said_in_words(date: str, words: str) -> None:
    assert vague(date) == words
    assert is_vague(date) == (date != "2026-02-04")


def test_a_star_draws_a_line_for_each_neighbour_and_escapes_what_it_is_told() -> None:
    link = {"text": "<Ford>", "page": "", "href": "", "iri": ""}
    drawn = star("A & B", [{"link": link, "by": "owner", "line": "talks", "mark": None}] * 3)
    assert drawn.count('class="e e-talks"') == 3
    assert "<Ford>" not in drawn
    assert "A &amp; B" in drawn


def test_a_name_is_shortened_at_a_word() -> None:
    assert shortened("Ford Valencia Body & Assembly", 15) == "Ford Valencia…"
    assert shortened("Ford") == "Ford"


def test_the_picture_draws_the_nearest_and_on_demand_all_each_leading_to_its_page(portrait: Any, shipped: Service) -> None:
    name = "organization/geely-holding"
    neighbours = portrait(name)["neighbours"]
    drawn = [re.findall(r'<a class="next" href="([^"]+)"', page(shipped, f"/page/{name}{more}")) for more in ("", "?around=all")]
    assert set(drawn[0]) == {each["link"]["page"] for each in neighbours[:NEAREST]}
    assert set(drawn[1]) == {each["link"]["page"] for each in neighbours}
    assert len(neighbours) > 2 * NEAREST
    assert f"Show all {len(neighbours)}</a>" in page(shipped, f"/page/{name}")


@pytest.mark.parametrize("asked", ["around=some", "show=duties&show=everything"])
def test_what_a_page_cannot_show_is_refused(shipped: Service, asked: str) -> None:
    assert shipped.client.get(f"/page/{VALENCIA}?{asked}").status_code == 400


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        (VALENCIA, "maker=organization/ford&plant=ford-valencia-body-and-assembly"),
        ("brand/volvo", "maker=brand/volvo&plant=cn&plant=se&plant=us&plant=sk"),
        ("organization/magna-steyr", "maker=organization/magna-steyr&plant=at"),
        ("organization/reuters", ""),
        (TALKS, ""),
    ],
)
def test_a_page_asks_the_duty_planner_for_the_cars_of_a_thing_from_where_they_are_built(
    portrait: Any, name: str, asked: str
) -> None:
    assert unquote(portrait(name)["duties"]) == asked


def test_the_duties_on_a_page_are_those_of_the_planner_with_their_acts_and_what_is_not_known(
    portrait: Any, shipped: Service
) -> None:
    told = shipped.client.get(f"/questions/duty.json?{portrait(VALENCIA)['duties']}&cite=0").json()["rows"]
    (table,) = re.findall(
        r'<table class="data cards duties">.*?</table>', page(shipped, f"/page/{VALENCIA}?show=duties"), re.DOTALL
    )
    totals = sorted(float(total) for total in re.findall(r"<b>([\d.]+) %</b>", table))
    assert totals == sorted(row["total_percent"] for row in told if row["total_percent"] is not None)
    assert table.count('<span class="none">not known') == sum(row["total_percent"] is None for row in told) > 0
    references = {line["legal_reference"] for row in told for line in row["lines"]}
    assert references <= set(re.findall(r'<a href="[^"]+">([^<]+)</a>', unescape(table)))
    why = [unescape(address) for address in re.findall(r'<a class="why" href="([^"]+)"', table)]
    answer = shipped.client.get(why[0].replace("/questions/duty?", "/questions/duty.json?")).json()["rows"]
    assert answer[0]["market"]["label"] in table


def test_without_being_asked_a_page_only_leads_to_its_duties_and_commits(shipped: Service) -> None:
    text = page(shipped, f"/page/{VALENCIA}")
    assert "duties</table>" not in text
    assert f'href="/page/{VALENCIA}?show=duties#duties"' in text
    assert f'href="/page/{VALENCIA}?show=history#history"' in text


def test_a_claim_is_not_told_again_on_its_own_page(portrait: Any) -> None:
    found = portrait("claim/s34")
    assert "Verdict: unresolved, confidence 0.8." in found["lead"]["text"]
    assert found["mark"]["word"] == "Asserted"
    assert found["name"] not in {claim["text"] for topic in found["topics"] for claim in topic["claims"]}


def test_control_of_others_by_others_is_left_to_their_pages(portrait: Any) -> None:
    (table,) = (table for table in portrait("organization/geely-holding")["tables"] if table["kind"] == "Control")
    assert all(
        "Geely Holding Group" in [link["text"] for cell in row["cells"] for link in cell["values"]] for row in table["rows"]
    )


# Over the whole graph

NAMELESS = """SELECT ?thing (SAMPLE(?of) AS ?kind) { ?thing a ?of
  FILTER(STRSTARTS(STR(?thing), "https://motorgraph.example/id/") && STRSTARTS(STR(?of), "https://motorgraph.example/ontology/"))
  FILTER NOT EXISTS { ?thing skos:prefLabel|rdfs:label|dcterms:title|mg:statementText ?name } } GROUP BY ?thing ORDER BY ?thing"""
PREFIXES = {
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "dcterms": "http://purl.org/dc/terms/",
    "mg": "https://motorgraph.example/ontology/",
}
OF_EACH_KIND = 12
MACHINES = {"fromRow", "seedItem", "notation", "identifier", "nsiId"}
"""Properties whose values are for machines, and shown as such or not at all."""
CELL = re.compile(r"(?<![\w/.#?=-])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w/-])|\b[0-9a-f]{20}\b|\.csv\b")


def shown_texts(value: Json, within: str = "") -> Iterator[str]:
    """The texts that a portrait shows, but for addresses and words that choose a mark or line."""
    if isinstance(value, dict):
        for name, part in value.items():
            if name not in ("iri", "page", "href", "glyph", "key", "line", "duty", "duties", "day"):
                yield from shown_texts(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from shown_texts(part, within)
    elif isinstance(value, str):
        yield value


def test_nothing_without_a_name_is_called_by_its_identifier(shipped_store: ox.Store) -> None:
    by_kind: dict[str, list[str]] = {}
    for row in shipped_store.query(NAMELESS, prefixes=PREFIXES):  # type: ignore[union-attr]  # a SELECT
        by_kind.setdefault(row["kind"].value, []).append(row["thing"].value)
    things = [thing for some in by_kind.values() for thing in some[:OF_EACH_KIND]]
    assert len(things) > 100
    named = (thing.rpartition("/")[2] for some in by_kind.values() for thing in some)
    identifiers = {name for name in named if re.search(r"[-\d]", name)}
    dialect = Dialect(is_union=True, with_graphs=True)
    source, teller = Source(shipped_store, dialect, Known()), Teller(dialect, Names())
    wrong = {}
    for thing in things:
        found = source.answered(teller.describe(Asked((thing,))))
        told = orjson.loads(orjson.dumps(source.answered(painted(found, Names(), dialect, ("en",)))))
        wrong[thing] = sorted({text for text in shown_texts(told) if text in identifiers or CELL.search(text)})
    assert {thing: texts for thing, texts in wrong.items() if texts} == {}


def test_no_text_of_the_graph_is_a_cell_of_a_table_or_names_a_column(shipped_store: ox.Store) -> None:
    texts = {
        (quad.subject.value, quad.predicate.value, quad.object.value)
        for quad in shipped_store.quads_for_pattern(None, None, None, ox.DefaultGraph())
        if isinstance(quad.object, ox.Literal)
        and quad.object.datatype.value.endswith(("#string", "#langString"))
        and isinstance(quad.subject, ox.NamedNode)
        and quad.subject.value.startswith(("https://motorgraph.example/id/", "https://motorgraph.example/source/"))
        and quad.predicate.value.rpartition("#")[2].rpartition("/")[2] not in MACHINES
    }
    assert len(texts) > 10_000
    assert sorted(found for found in texts if CELL.search(found[2])) == []


def test_parts_of_a_year_are_told_in_words() -> None:
    assert [vague(day) for day in ("2027-40", "2026-35", "2025-21", "2026-34/2026-36")] == [
        "first half of 2027",
        "third quarter of 2026",
        "spring 2025",
        "second quarter of 2026 to fourth quarter of 2026",
    ]
