"""/search finds things by their names, whatever is typed of them, as the graph is after every commit."""

from __future__ import annotations

import asyncio
import csv
import io
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyoxigraph as ox
import pytest
from hypothesis import given, settings, strategies
from pyroaring import BitMap

from motorgraph.errors import DeadlineExceeded
from motorgraph.search import folding
from motorgraph.search.entry import Entry, Gatherer, Look, Role, touched
from motorgraph.search.index import SAYS_ENOUGH, Index, worth_most
from motorgraph.search.likeness import likest_of
from motorgraph.vocab import Names
from tests.forked import Engine, engine, run, stop
from tests.running import TOKEN, Service, until
from tests.test_moves import change

BASE = "https://motorgraph.example"
LABEL = "http://www.w3.org/2004/02/skos/core#prefLabel"
ALIAS = "http://www.w3.org/2004/02/skos/core#altLabel"
ELI = "http://data.europa.eu/eli/reg_impl/2024/2754/oj"
ACT = "iri/" + quote(ELI, safe="")
Json = dict[str, Any]  # Any: plain JSON


def found(service: Service, text: str, **more: str | int) -> Json:
    response = service.client.get("/search", params={"q": text, **more})
    assert response.status_code == 200, response.text
    told: Json = response.json()
    return told


def pages(service: Service, text: str, **more: str | int) -> list[str]:
    return [hit["page"].removeprefix("/page/") for hit in found(service, text, **more)["hits"]]


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("geely", "organization/geely-holding"),
        ("gely", "organization/geely-holding"),
        ("volkswagon", "brand/volkswagen"),
        ("Košice", "place/gn724443"),
        ("KOSICE", "place/gn724443"),
        ("ford val", "plant/ford-valencia-body-and-assembly"),
        ("valencia ford", "plant/ford-valencia-body-and-assembly"),
        ("ford valensia", "plant/ford-valencia-body-and-assembly"),
        ("ford plant valencia", "plant/ford-valencia-body-and-assembly"),
        ("almusafes", "plant/ford-valencia-body-and-assembly"),
        ("mercedesbenz", "brand/mercedes-benz"),
        ("8703 80 10", "concept/tariff-code/cn-87038010"),
        ("87038010", "concept/tariff-code/cn-87038010"),
        ("WMI 102", "wmi/102"),
        ("Q739000", "organization/geely-holding"),
        ("HKEX:175", "organization/geely-auto"),
        ("geely-holding", "organization/geely-holding"),
        ("plant/magna-steyr-graz", "plant/magna-steyr-graz"),
        (f"{BASE}/id/plant/magna-steyr-graz", "plant/magna-steyr-graz"),
        ("definitive duty electric cars china", "measure/eu-cvd-bev-cn-def"),
        ("Škoda", "brand/skoda"),
        ("skoda auto", "organization/skoda"),
        ("Citroen", "brand/citroen"),
        ("VW", "organization/vw-group"),
        ("Volkswagen Group", "organization/vw-group"),
        ("BYD", "organization/byd"),
        ("GWM", "brand/gwm"),
        ("SAIC", "organization/saic"),
        ("GAC", "organization/gac"),
        ("JLR", "organization/jlr"),
        ("GM", "organization/gm"),
        ("CATL", "organization/catl"),
        ("Q27530", "organization/mercedes-benz-group"),
        ("WBA", "wmi/wba"),
        ("XETRA:VOW", "organization/vw-group"),
        ("Tesla Giga Berlin", "plant/gigafactory-berlin-brandenburg"),
        ("giga shanghai", "plant/giga-shanghai"),
        ("Gruenheide", "plant/gigafactory-berlin-brandenburg"),
        ("ford valencia", "plant/ford-valencia-body-and-assembly"),
        ("magna steyr", "organization/magna-steyr"),
        ("nissan sunderland", "plant/nissan-sunderland"),
        ("byd szeged", "plant/byd-szeged"),
        ("chery barcelona", "deal/chery-ebro-2024"),
        ("Horse Powertrain", "organization/horse-powertrain"),
        ("geely in talks with ford", "deal/ford-geely-2026"),
        ("(EU) 2024/2754", ACT),
        ("2024/2754", ACT),
        ("32024R2754", ACT),
        ("8703.80", "concept/tariff-code/hs-870380"),
        ("USMCA", "territory/usmca"),
        ("countervailing duty", "concept/measure-kind/countervailing-definitive"),
        ("us connected vehicle rule", "measure/us-cv-rule"),
        ("LFP", "concept/technology/lfp"),
        ("lithium iron phosphate", "concept/technology/lfp"),
        ("blade battery", "concept/technology/blade-battery"),
        ("EREV", "concept/propulsion/erev"),
        ("SU7", "model/xiaomi-su7"),
        ("id3", "model/volkswagen-id-3"),
        ("polestar 3", "model/polestar-polestar-3"),
        ("xpeng motors", "organization/xpeng"),
        ("dacia spring", "brand/dacia"),
        ("mercedez", "brand/mercedes-benz"),
        ("hyndai", "brand/hyundai"),
        ("toyata", "brand/toyota"),
        ("porshe", "brand/porsche"),
        ("peugot", "brand/peugeot"),
        ("spain", "country/es"),
        ("Turkey", "country/tr"),
        ("turkiye", "country/tr"),
        ("UK", "country/gb"),
        ("USA", "country/us"),
        ("EU", "territory/eu"),
        ("Reuters", "organization/reuters"),
        ("Financial Times", "organization/financial-times"),
    ],
)
def test_what_is_meant_comes_first(shipped: Service, text: str, page: str) -> None:
    assert pages(shipped, text, limit=3)[0] == page


def test_an_act_is_found_by_its_number_and_has_a_page_though_its_iri_is_of_elsewhere(shipped: Service) -> None:
    (hit,) = found(shipped, "2024/2754", kind="act")["hits"]
    assert (hit["iri"], hit["page"]) == (ELI, f"/page/{ACT}")
    page = shipped.client.get(hit["page"], headers={"Accept": "text/html"})
    assert f"<h1>{hit['label']}</h1>" in page.text
    assert f'<{ELI}>; rel="describes"' in page.headers["Link"]
    assert ELI in shipped.client.get(hit["page"].replace("/page/", "/data/") + ".nt").text
    assert shipped.client.get(f"/timemap{hit['page']}").status_code == 200
    assert shipped.client.get("/page/iri/nothing").status_code == 404


def test_what_is_claimed_is_found_by_its_words_with_who_says_so(shipped: Service) -> None:
    hits = found(shipped, "Ford and Geely are in talks", kind="proposition")["hits"]
    assert "declined to confirm by Ford Motor Company" in hits[0]["note"]


def test_a_label_is_in_the_language_of_the_reader_where_there_is_one(plain: Service, graph: str) -> None:
    plain.put(graph, f'<{graph}/cn> a <urn:Maker> ; <{LABEL}> "Vimmerholt Motor"@en , "维默霍汽车"@zh , "Brummholz"@de .')

    def labels_of(text: str, language: str) -> list[tuple[str, str]]:
        response = plain.client.get("/search", params={"q": text}, headers={"Accept-Language": language})
        assert "Accept-Language" in response.headers["Vary"]
        return [(hit["label"], hit.get("alias", "")) for hit in response.json()["hits"]]

    assert labels_of("vimmerholt", "fr, zh-CN;q=0.8, en;q=0.5") == [("维默霍汽车", "Vimmerholt Motor")]
    assert labels_of("汽车", "zh") == [("维默霍汽车", "")]
    assert labels_of("brummh", "de-AT") == [("Brummholz", "")]
    assert labels_of("brummh", "fr") == [("Vimmerholt Motor", "Brummholz")]


def test_a_group_comes_before_the_plants_that_are_named_for_it(shipped: Service) -> None:
    kinds = [hit["kind"] for hit in found(shipped, "geely", limit=10)["hits"]]
    assert kinds[:2] == ["organization", "organization"]
    assert "plant" in kinds


def test_a_hit_says_what_it_is_and_what_tells_it_from_its_namesakes(shipped: Service) -> None:
    told = found(shipped, "geely", limit=2)
    holding, auto = told["hits"]
    assert (holding["label"], holding["alias"], holding["match"]) == ("Geely Holding Group", "Geely", [[0, 5]])
    assert (holding["kind"], holding["kind_label"]) == ("organization", "organization")
    assert holding["note"] == "automotive group, Hangzhou, China"
    assert "alias" not in auto
    assert holding["score"] > auto["score"]
    assert told["commit"] >= 1


def test_kinds_are_counted_and_one_can_be_chosen(shipped: Service) -> None:
    whole, plants = found(shipped, "ford", limit=5), found(shipped, "ford", kind="plant", limit=5)
    counts = {kind["kind"]: kind["count"] for kind in whole["kinds"]}
    assert sum(counts.values()) == whole["total"]
    assert plants["kinds"] == whole["kinds"]
    assert plants["total"] == counts["plant"]
    assert {hit["kind"] for hit in plants["hits"]} == {"plant"}


def test_the_rest_is_on_further_pages(shipped: Service) -> None:
    first = found(shipped, "ford", kind="plant", limit=4)
    response = shipped.client.get(first["next"])
    assert f'<{first["next"]}>; rel="next"' not in response.headers["Link"]
    assert 'rel="prev"' in response.headers["Link"]
    second = response.json()
    assert not {hit["iri"] for hit in first["hits"]} & {hit["iri"] for hit in second["hits"]}
    assert first["hits"][-1]["score"] >= second["hits"][0]["score"]


def test_a_table_has_the_same(shipped: Service) -> None:
    response = shipped.client.get("/search?q=kosice&limit=3", headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [row["iri"] for row in rows] == [hit["iri"] for hit in found(shipped, "kosice", limit=3)["hits"]]


def test_a_page_has_the_same_and_marks_what_matched(shipped: Service) -> None:
    page = shipped.client.get("/search?q=geely", headers={"Accept": "text/html"}).text
    assert "<mark>Geely</mark> Auto" in page
    assert 'href="/page/organization/geely-holding"' in page
    assert 'value="geely"' in page
    assert "style=" not in page
    nothing = shipped.client.get("/search?q=%3Czzzzq%3E", headers={"Accept": "text/html"}).text
    assert "<zzzzq>" not in nothing
    assert "Nothing is called so" in nothing


def test_without_a_text_it_says_what_can_be_found(shipped: Service) -> None:
    told = found(shipped, "")
    assert told["hits"] == []
    assert {"plant", "brand", "deal", "act"} <= {kind["kind"] for kind in told["kinds"]}
    assert "identifiers" in shipped.client.get("/search", headers={"Accept": "text/html"}).text


def test_who_has_the_answer_need_not_take_it_again(shipped: Service) -> None:
    first = shipped.client.get("/search?q=byd")
    again = shipped.client.get("/search?q=byd", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "address",
    [*("/search?q=x&limit=0", "/search?q=x&limit=101", "/search?q=x&offset=-1", "/search?q=x&size=3"), f"/search?q={'x' * 501}"],
)
def test_what_cannot_be_is_refused(plain: Service, address: str) -> None:
    assert plain.client.get(address).status_code == 400


@pytest.mark.parametrize("text", ['"', "*", "a AND b", "NEAR(", "x\x00y", "'; DROP TABLE word", "^", "\ud7ff", "🚗", "(" * 400])
def test_no_text_is_more_than_a_text(plain: Service, text: str) -> None:
    assert plain.client.get("/search", params={"q": text}).status_code == 200


# As the graph is after every commit


def told_of(service: Service, text: str) -> list[tuple[str, str]]:
    return [(hit["iri"], hit["label"]) for hit in found(service, text)["hits"]]


def test_a_search_sees_every_commit_before_it(plain: Service, graph: str) -> None:
    thing = f"{graph}/one"
    plain.put(graph, f'<{thing}> a <urn:Engine> ; <{LABEL}> "Quirkwell" ; <{ALIAS}> "Zanzibrio" .')
    assert told_of(plain, "quirkwell") == told_of(plain, "zanzib") == [(thing, "Quirkwell")]
    assert found(plain, "quirkwel")["hits"][0]["kind"] == "engine"

    where = f"WITH <{graph}> DELETE {{ <{thing}> <{LABEL}> ?old }} INSERT {{ <{thing}> <{LABEL}> 'Ploverdale' }}"
    assert plain.update(f"{where} WHERE {{ <{thing}> <{LABEL}> ?old }}").status_code == 204
    assert told_of(plain, "ploverdale") == told_of(plain, "zanzibrio") == [(thing, "Ploverdale")]
    assert told_of(plain, "quirkwell") == []

    plain.update(f"DELETE DATA {{ GRAPH <{graph}> {{ <{thing}> a <urn:Engine> }} }}")
    assert told_of(plain, "ploverdale") == []  # what has no class is no thing
    plain.put(graph, f'<{thing}> a <urn:Engine> ; <{LABEL}> "Ploverdale" .')
    assert told_of(plain, "ploverdale") == [(thing, "Ploverdale")]
    response = plain.client.delete("/graphs", params={"graph": graph}, headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 204
    assert found(plain, "ploverdale")["commit"] == int(response.headers["X-Commit"])
    assert told_of(plain, "ploverdale") == []


def test_after_a_large_commit_a_new_index_takes_over(plain: Service, graph: str) -> None:
    lines = "\n".join(f'<{graph}/{n}> a <urn:Wheel> ; <{LABEL}> "Brobdingwheel {n}" .' for n in range(900))
    made = plain.put(graph, lines)
    first = found(plain, "brobdingwheel")  # perhaps of the old index, which says of which commit it is
    assert (first["total"] == 900) == (first["commit"] >= int(made.headers["X-Commit"]))
    assert until(lambda: found(plain, "brobdingwheel")["total"] == 900, 60)
    plain.update(f'INSERT DATA {{ GRAPH <{graph}> {{ <{graph}/x> a <urn:Wheel> ; <{LABEL}> "Brobdingwheel extra" }} }}')
    assert found(plain, "brobdingwheel")["total"] == 901


# The parts


@pytest.mark.skipif(sys.platform != "linux", reason="stops a process")
def test_a_search_that_waits_for_one_that_has_no_end_is_answered_by_the_next_index(tmp_path: Path) -> None:
    def search(running: Engine) -> Awaitable[tuple[int, bytes]]:
        return running.pool.finding.ask("search", query="5", kind="", limit=1, offset=0)

    async def work() -> list[object]:
        async with engine(tmp_path, base=BASE, seconds=3.0) as running:
            await search(running)
            finder = running.pool.finding._finder
            assert finder is not None
            stop(finder.pid)
            return await asyncio.gather(search(running), search(running), return_exceptions=True)

    endless, waiting = run(work())
    assert isinstance(endless, DeadlineExceeded)
    assert isinstance(waiting, tuple), waiting


def test_texts_are_folded_and_their_words_keep_their_place() -> None:
    assert folding.folded("  Škoda–Auto, Mladá Boleslav (ČR) ") == "skoda auto mlada boleslav cr"
    assert folding.folded("Straße Ørsted Łódź œuvre O’Neill") == "strasse orsted lodz oeuvre oneill"
    text = "Škoda–Auto: Straße"
    assert [(w.text, text[w.start : w.end]) for w in folding.words(text)] == [
        ("skoda", "Škoda"),
        ("auto", "Auto"),
        ("strasse", "Straße"),
    ]
    assert [(w.text, w.start, w.end) for w in folding.words("VW 汽车")] == [("vw", 0, 2), ("汽", 3, 4), ("车", 4, 5)]


def index_of(*names: str) -> Index:
    index = Index()
    index.fill(Entry(f"urn:{name}", "thing", 0.1, ((Role.LABEL, name), (Role.IDENTIFIER, name))) for name in names)
    return index


def labels(index: Index, text: str) -> list[str]:
    return [match.entry.label for match in index.find(text).matches]


def test_an_exact_name_comes_before_one_that_begins_so_and_that_before_one_that_has_the_word() -> None:
    assert labels(index_of("Old Volta Works", "Volta Motors", "Volta"), "volta") == ["Volta", "Volta Motors", "Old Volta Works"]
    assert labels(index_of("Model year 1981", "Tesla Model Y"), "model y") == ["Tesla Model Y", "Model year 1981"]


@pytest.mark.parametrize("text", ["renalt", "renaullt", "rneault", "renault", "renaut clo", "reno renault"])
def test_a_mistyped_word_is_forgiven(text: str) -> None:
    assert "Renault Clio" in labels(index_of("Renault Clio", "Peugeot", "Seat"), text)


def test_a_number_is_not_taken_for_one_like_it() -> None:
    assert labels(index_of("Regulation 2024 2754", "Regulation 2024 2755"), "2754") == ["Regulation 2024 2754"]


def test_spans_are_those_of_the_original() -> None:
    (match,) = index_of("Volvo Cars Košice").find("kosice volvo").matches
    assert [match.name.text[start:end] for start, end in match.spans] == ["Volvo", "Košice"]
    (match,) = index_of("Mercedes-Benz AG").find("mercedesbe").matches
    assert match.spans


def test_an_index_that_was_carried_on_is_as_one_that_is_made_anew() -> None:
    def said(number: int, value: ox.NamedNode | ox.Literal, predicate: str = LABEL) -> ox.Quad:
        return ox.Quad(ox.NamedNode(f"urn:{number}"), ox.NamedNode(predicate), value, ox.NamedNode("urn:g"))

    a_thing = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
    store = ox.Store()
    for n in range(5):
        store.extend([said(n, ox.NamedNode("urn:C"), a_thing), said(n, ox.Literal(f"Name {n}"))])
    gatherer = Gatherer(Look(store, Names(), union=False))
    index = Index()
    index.fill(gatherer.all())
    quads = [said(1, ox.Literal("Other")), said(2, ox.NamedNode("urn:1"), "urn:p"), said(7, ox.Literal("Unclassed"))]
    store.extend(quads)
    store.remove(said(3, ox.Literal("Name 3")))
    for thing in {ox.NamedNode(f"urn:{n}") for n in (1, 2, 3, 7)}:
        index.replace(thing.value, gatherer.entry(thing))
    fresh = {entry.iri: entry for entry in gatherer.all()}
    assert {iri: index.entry(iri) for iri in fresh} == fresh
    assert len(index) == len(fresh) == 4
    assert labels(index, "other") == ["Name 1"]
    assert labels(index, "name 3") != ["Name 3"]
    assert touched(change(4)) == {ox.NamedNode("urn:4")}


WORDS = ("volta", "volts", "motor", "motors", "motorway", "workshop", "a1", "a12345", "model", "modal", "x")
NAMES = strategies.lists(strategies.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
MISTYPED = strategies.sampled_from(("vol", "volat", "mdoel", "a12", "mtoor", "wroks", "motoes x", "x mtoorw"))
THINGS = strategies.tuples(strategies.integers(0, 5), NAMES | strategies.none(), strategies.sampled_from((0.1, 0.5, 0.9)))
SAID = strategies.tuples(strategies.frozensets(strategies.integers(0, 9)), strategies.integers(1, 9))
bounded = settings(max_examples=200, derandomize=True, deadline=None)


@bounded
@given(strategies.lists(THINGS, max_size=12), strategies.lists(NAMES | MISTYPED, min_size=1))
def test_what_a_carried_on_index_finds_is_what_one_that_is_made_anew_finds(
    changes: list[tuple[int, str | None, float]], texts: list[str]
) -> None:
    index, held = Index(), dict[str, Entry]()
    for number, name, weight in changes:
        iri = f"urn:{number}"
        entry = Entry(iri, "thing", weight, ((Role.LABEL, name), (Role.IDENTIFIER, str(number)))) if name else None
        held = {other: what for other, what in held.items() if other != iri} | ({iri: entry} if entry else {})
        for text in ("mdoel mtoor", "x wroks", "x mtoorw"):  # what is worked out for a search must not go stale
            index.find(text)
        index.replace(iri, entry)
    fresh = Index()
    fresh.fill(held.values())
    for text in texts:
        assert index.find(text) == fresh.find(text)


def test_the_weightiest_are_ranked_though_they_came_last() -> None:
    index = index_of(*(f"Volta {number}" for number in range(400)))
    index.replace("urn:new", Entry("urn:new", "thing", 0.9, ((Role.LABEL, "The Volta"), (Role.IDENTIFIER, "new"))))
    assert "The Volta" in [match.entry.label for match in index.find("volta", most=400).matches]
    assert labels(index, "volta the") == ["The Volta"]


@bounded
@given(strategies.lists(SAID, max_size=6))
def test_things_with_some_words_are_found_by_those_that_say_most(words: list[tuple[frozenset[int], int]]) -> None:
    said = {number: sum(worth for having, worth in words if number in having) for number in range(10)}
    best = max(said.values())
    close = {number for number, worth in said.items() if worth and worth >= SAYS_ENOUGH * best}
    assert set(worth_most([BitMap(having) for having, _ in words], [worth for _, worth in words])) == close


def test_near_names_are_like_the_last_part_of_an_iri_or_the_name() -> None:
    names = {"urn:a/ford-valencia": "Plant of Ford", "urn:a/graz": "Magna Steyr", "urn:a/other": "Something"}
    assert likest_of("ford-valensia", names) == ["urn:a/ford-valencia"]
    assert likest_of("magna-steyer", names) == ["urn:a/graz"]
    assert likest_of("qqqqq", names) == []
