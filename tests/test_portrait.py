"""What a page and its JSON show of a thing: a sentence, facts with documents, tables, claims by question, what is around it."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest

from motorgraph.dates import is_vague, vague
from motorgraph.star import shortened, star
from tests.running import Service

VALENCIA = "plant/ford-valencia-body-and-assembly"
TALKS = "deal/ford-geely-2026"
DENIED = "deal/ford-xiaomi-2026"
KINDS = {
    VALENCIA: "Vehicle assembly plant of Ford Motor Company at Almussafes, Spain. Builds Ford Kuga.",
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
