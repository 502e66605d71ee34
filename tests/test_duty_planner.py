"""The duty planner at /questions/duty: the duty question for many combinations at once, as data and as a page."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from motorgraph.duty.plants import CAR_PLANTS
from motorgraph.stepline import Chart, Line, Marked, Step, merged, ticks
from tests.running import MODULES, Service
from tests.test_duty import BEYOND, CASES, TOTALS, UNKNOWN, WITHIN

SEED = "maker=geely-holding&plant=cn&plant=ford-valencia-body-and-assembly&market=eu&date=2024-08-01&date=2024-12-01"
JSON = {"Accept": "application/json"}
PAGE = {"Accept": "text/html"}

Ask = Callable[..., list[dict[str, Any]]]  # Any: free JSON


@pytest.fixture(scope="module")
def ask(shipped: Service) -> Ask:
    """Asks the planner, and gives the rows of its answer."""

    def rows(**parameters: str | list[str]) -> list[dict[str, Any]]:
        response = shipped.client.get("/questions/duty.json", params=parameters)
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()["rows"]
        return found

    return rows


def refused(service: Service, query: str) -> dict[str, Any]:
    response = service.client.get(f"/questions/duty?{query}", headers=JSON)
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    return found


def by_day_and_place(rows: list[dict[str, Any]]) -> dict[tuple[str, str], object]:
    return {(row["plant"]["slug"], row["date"]): row["total_percent"] for row in rows}


def test_the_question_of_the_founding_article_has_its_answer_in_one_link(shipped: Service) -> None:
    response = shipped.client.get(f"/questions/duty.json?{SEED}")
    assert by_day_and_place(response.json()["rows"]) == {
        ("cn", "2024-08-01"): 29.9,
        ("cn", "2024-12-01"): 28.8,
        ("ford-valencia-body-and-assembly", "2024-08-01"): 0,
        ("ford-valencia-body-and-assembly", "2024-12-01"): 0,
    }
    assert response.json()["commit"] == int(response.headers["x-commit"])


def known_by_market() -> dict[tuple[str, str, str, str], dict[str, str]]:
    """The totals worked out by hand, by all but the day."""
    found: dict[tuple[str, str, str, str], dict[str, str]] = {}
    for maker, place, model, market, day, total in TOTALS:
        found.setdefault((maker, place, model, market), {})[day] = total
    return found


@pytest.mark.parametrize("market", ["territory/eu", "country/us", "country/tr", "country/br"])
def test_the_totals_are_those_worked_out_by_hand(ask: Ask, market: str) -> None:
    groups = [(key, days) for key, days in known_by_market().items() if key[3] == market and len(days) > 1]
    assert groups
    for (maker, place, model, _), days in groups:
        rows = ask(maker=maker, plant=place, model=model, market=market, date=list(days))
        assert {row["date"]: f"{row['total_percent']:g}" for row in rows} == days


def test_cases_that_the_consignment_decides_have_a_row_each(ask: Ask) -> None:
    rows = ask(maker="byd", plant="cn", market="canada", date="2026-03-01")
    assert {row["case"]: row["total_percent"] for row in rows} == {WITHIN: 6.1, BEYOND: 106.1}
    assert any(case[4] == "2026-03-01" for case in CASES)


def test_what_is_not_known_is_null_with_its_reason_and_what_is_sure(ask: Ask) -> None:
    (row,) = ask(maker="byd", plant="cn", market="mx", date="2025-12-31")
    (told,) = [case for case in UNKNOWN if case[3] == "country/mx" and case[4] == "2025-12-31"]
    assert row["total_percent"] is None
    assert told[5] in row["unknown_because"]
    assert row["at_least_percent"] == 15


@pytest.mark.parametrize(
    ("maker", "total"),
    [
        ("Geely Holding Group", 28.8),
        ("organization/GEELY_HOLDING", 28.8),
        ("zeekr", 28.8),
        ("Cïtroén", 45.3),
        ("saic", 45.3),
        ("brand/tesla", 17.8),
        ("MINI", 30.7),
        ("Geely Group", 28.8),
        ("smart", None),
    ],
)
def test_a_maker_may_be_a_slug_with_or_without_its_kind_a_label_a_brand_or_a_subsidiary(
    ask: Ask, maker: str, total: float | None
) -> None:
    (row,) = ask(maker=maker, plant="China", market="european union", date="2024-12-01")
    assert row["total_percent"] == total


def test_what_is_asked_may_be_given_as_iris(ask: Ask) -> None:
    base = "https://motorgraph.example"
    (row,) = ask(
        maker=f"{base}/id/organization/geely-holding",
        plant=f"{base}/id/country/cn",
        model=f"{base}/concept/propulsion/phev",
        market=f"{base}/id/territory/eu",
        date="2024-12-01",
    )
    assert (row["total_percent"], row["model"]["slug"]) == (10, "phev")


def test_a_line_names_its_act_its_reference_and_where_the_law_is(ask: Ask) -> None:
    (row,) = ask(maker="geely-holding", plant="cn", market="eu", date="2024-12-01")
    ordinary, countervailing = row["lines"]
    assert ordinary["kind"] == "mfn"
    assert countervailing["legal_reference"] == "(EU) 2024/2754"
    assert countervailing["legal_url"] == "http://data.europa.eu/eli/reg_impl/2024/2754/oj"
    assert (countervailing["rate_percent"], countervailing["specificity"]) == (18.8, 3)
    assert (countervailing["valid_from"], countervailing["valid_to"]) == ("2024-10-30", "2029-10-30")
    assert {source["iri"] for source in row["sources"]} >= set(countervailing["sources"])
    assert all(source["title"] and source["url"] for source in row["sources"])


def test_origin_and_exporter_say_how_they_were_found(ask: Ask) -> None:
    (row,) = ask(maker="volvo-cars", plant="geely-zhangjiakou", model="volvo-ex30", market="fr", date="2024-12-01")
    assert (row["total_percent"], row["origin"]["slug"], row["exporter"]["slug"]) == (28.8, "cn", "geely-holding")
    assert row["origin_because"].startswith("customs territory of the plant")
    assert "counted by its corporate family" in row["exporter_because"]


def test_a_deal_that_would_open_a_route_has_its_status_and_who_says_so(ask: Ask) -> None:
    (row,) = ask(maker="geely-holding", plant="ford-valencia-body-and-assembly", market="eu", date="2024-12-01")
    deals = {deal["iri"].rpartition("/")[2]: deal for deal in row["deals"]}
    assert deals["ford-geely-jv-2026"]["status"] == "agreed"
    talks = deals["ford-geely-2026"]
    leading = [claim for claim in talks["claims"] if "leading candidate" in claim["text"]]
    assert [(claim["said_by"], claim["date"]) for claim in leading] == [("Reuters", "2026-02-04")]
    assert leading[0]["people"] == "1 unnamed"
    assert leading[0]["source"]["title"]
    (other,) = ask(maker="byd", plant="ford-valencia-body-and-assembly", market="eu", date="2024-12-01")
    assert other["deals"] == []


def test_sources_are_dropped_where_they_are_not_wanted(shipped: Service) -> None:
    text = shipped.client.get(f"/questions/duty.json?{SEED}&cite=0").text
    assert '"sources"' not in text
    assert '"source"' not in text
    assert shipped.client.get(f"/questions/duty?{SEED}&cite=2", headers=JSON).status_code == 400


def test_all_plants_are_compared_where_none_is_named(shipped: Service, ask: Ask) -> None:
    kinds = " ".join(f"<https://motorgraph.example/concept/plant-kind/{kind}>" for kind in CAR_PLANTS)
    of_kind = "?p <https://motorgraph.example/ontology/plantKind> ?k"
    plants = f"SELECT (COUNT(DISTINCT ?p) AS ?n) {{ VALUES ?k {{ {kinds} }} {of_kind} }}"
    rows = ask(maker="geely-holding", market="eu", date="2024-12-01", cite="0")
    assert len({row["plant"]["iri"] for row in rows}) == int(shipped.rows(plants)[0]["n"])
    totals = [row["total_percent"] for row in rows if row["total_percent"] is not None]
    assert totals == sorted(totals)
    assert by_day_and_place(rows)["geely-zhangjiakou", "2024-12-01"] == 28.8
    assert by_day_and_place(rows)["saic-lingang", "2024-12-01"] == 45.3  # its operator is listed, and so the exporter
    assert by_day_and_place(rows)["ford-cologne-niehl", "2024-12-01"] == 0


def test_all_markets_are_compared_where_none_is_named(ask: Ask) -> None:
    rows = ask(maker="byd", plant="cn", date="2024-12-01")
    totals = {row["market"]["slug"]: row["total_percent"] for row in rows}
    assert {market: totals[market] for market in ("eu", "us", "ca", "br")} == {"eu": 27, "us": 102.5, "ca": 106.1, "br": 18}


def test_a_model_with_several_drives_has_a_row_for_each(ask: Ask) -> None:
    rows = ask(maker="kia", plant="cn", model="kia-niro", market="eu", date="2025-06-01")
    assert {row["case"]: (row["drive"]["slug"], row["total_percent"]) for row in rows} == {
        "battery electric": ("bev", 45.3),
        "full hybrid": ("hev", 10),
        "plug-in hybrid": ("phev", 10),
    }


def test_reasons_name_companies_and_groups_as_people_do(ask: Ask) -> None:
    (row,) = ask(maker="volkswagen", plant="cn", market="eu", date="2024-12-01")
    assert row["unknown_because"].startswith("unknown, because Volkswagen Passenger Cars is in no group of the act")
    (listed,) = ask(maker="saic", plant="cn", market="eu", date="2024-12-01")
    assert listed["exporter_because"] == "SAIC Motor is listed by the act: SAIC Group"


@pytest.mark.parametrize(
    ("plant", "status"),
    [
        ("ford-saarlouis", "closed"),
        ("volvo-cars-kosice", "under construction"),
        ("ford-cologne-niehl", "operating"),
        ("cn", None),
    ],
)
def test_a_row_tells_how_its_plant_stands_today(ask: Ask, plant: str, status: str | None) -> None:
    (row,) = ask(maker="ford", plant=plant, market="us", date="2026-01-01")
    assert row["plant_status"] == status


def test_the_planner_answers_as_of_a_commit(shipped: Service) -> None:
    link = f"/questions/duty?{SEED}&at=1"
    response = shipped.client.get(link, headers=JSON)
    assert response.json()["commit"] == 1
    assert response.headers["x-commit"] == "1"
    assert by_day_and_place(response.json()["rows"])["cn", "2024-12-01"] == 28.8
    assert 'name="at" value="1"' in shipped.client.get(link, headers=PAGE).text
    assert shipped.client.get(f"/questions/duty?{SEED}&at=999999", headers=JSON).status_code == 404
    assert shipped.client.get(f"/questions/duty?{SEED}&at=soon", headers=JSON).status_code == 400


def test_a_plant_without_a_maker_is_asked_for_its_operator(ask: Ask) -> None:
    (row,) = ask(plant="giga-shanghai", market="eu", date="2024-12-01")
    assert (row["maker"]["slug"], row["total_percent"]) == ("tesla", 17.8)


@pytest.mark.parametrize(
    ("query", "field", "near"),
    [
        ("maker=gely-holding&plant=cn&market=eu", "maker", "geely-holding"),
        ("maker=byd&plant=ford-valencia-body&market=eu", "plant", "ford-valencia-body-and-assembly"),
        ("maker=byd&plant=cn&model=volvo-ex3&market=eu", "model", "volvo-ex30"),
        ("maker=byd&plant=cn&market=europian-union", "market", "eu"),
    ],
)
def test_a_name_that_is_not_known_is_refused_with_those_near_it(shipped: Service, query: str, field: str, near: str) -> None:
    problem = refused(shipped, query)
    assert problem["field"] == field
    assert near in [match["slug"] for match in problem["near"]]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("maker=byd&plant=cn&market=eu&date=2024-13-01", "date"),
        ("maker=byd&plant=cn&market=eu&date=yesterday", "date"),
        ("maker=byd", "market"),
        ("plant=cn&market=eu", "maker"),
        ("maker=byd&plants=cn&market=eu", "plants"),
    ],
)
def test_what_is_wrong_or_missing_is_named(shipped: Service, query: str, field: str) -> None:
    assert refused(shipped, query)["field"] == field


def test_every_field_that_is_wrong_is_told_at_once(shipped: Service) -> None:
    problem = refused(shipped, "maker=xyzzy&plant=cn&market=eu&date=1-2-3")
    assert [error["field"] for error in problem["errors"]] == ["maker", "date"]


def test_too_many_combinations_are_refused_with_the_limit(shipped: Service) -> None:
    days = "&".join(f"date=2024-01-{day:02}" for day in range(1, 32))
    problem = refused(shipped, f"maker=byd&market=eu&{days}")
    assert problem["limit"] == 2000
    assert "duty_combinations" in problem["detail"]


def test_tables_have_a_line_for_each_row(shipped: Service) -> None:
    rows = list(csv.DictReader(io.StringIO(shipped.client.get(f"/questions/duty.csv?{SEED}").text)))
    assert [row["total_percent"] for row in rows] == ["29.9", "28.8", "0", "0"]
    assert "(EU) 2024/2754" in rows[1]["acts"]
    tsv = shipped.client.get(f"/questions/duty?{SEED}&cite=0", headers={"Accept": "text/tab-separated-values"}).text
    assert [len(line.split("\t")) for line in tsv.splitlines()] == [len(rows[0]) - 1] * 5


def test_the_query_behind_an_answer_gives_the_same(shipped: Service) -> None:
    text = shipped.client.get(f"/questions/duty.rq?{SEED}").text
    assert sorted(float(row["total"]) for row in shipped.rows(text)) == [0, 0, 28.8, 29.9]


def test_an_answer_that_the_client_has_is_not_sent_again(shipped: Service) -> None:
    link = f"/questions/duty.csv?{SEED}"
    tag = shipped.client.get(link).headers["etag"]
    assert shipped.client.get(link, headers={"If-None-Match": tag}).status_code == 304
    assert shipped.client.head(link).headers["etag"] == tag
    assert shipped.client.post(link).status_code == 405


def test_a_plain_store_has_no_planner(plain: Service) -> None:
    assert plain.client.get("/questions/duty.json?maker=byd&plant=cn").status_code == 404


def test_the_page_answers_first_and_then_says_why(shipped: Service) -> None:
    text = shipped.client.get(f"/questions/duty?{SEED}", headers=PAGE).text
    plain = " ".join(re.sub(r"<[^>]+>", " ", text).split())
    assert re.search(r"<h1>[^<]*from China, or from Ford Valencia[^<]*\?</h1>", text)
    assert "On 1 Dec 2024: 28.8 % from China and 0 % from Ford Valencia" in plain
    assert "<s>19.3</s>" in text  # the draft, which never counts
    assert 'class="step-line hue-1 dashed"' in text  # what the acts foresee
    assert "no import" in plain
    assert "style=" not in text
    assert "<script" not in MODULES.sub("", text)
    numbers = set(re.findall(r'href="#s(\d+)"', text))
    assert numbers
    assert numbers == set(re.findall(r'<li id="s(\d+)"', text))


def test_the_page_says_not_known_in_words(shipped: Service) -> None:
    text = shipped.client.get("/questions/duty?maker=byd&plant=cn&market=mx&date=2025-12-31", headers=PAGE).text
    assert '<p class="tot unknown">not known</p>' in text
    assert "at least 15 %" in text
    assert "only a range is known" in text


def test_the_page_of_a_wrong_question_has_the_form_with_what_was_meant(shipped: Service) -> None:
    response = shipped.client.get("/questions/duty?maker=gely-holding&plant=cn&market=eu", headers=PAGE)
    assert response.status_code == 422
    assert 'value="gely-holding"' in response.text
    assert 'aria-invalid="true"' in response.text
    assert "maker=geely-holding&amp;plant=cn&amp;market=eu" in response.text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (
            SEED,
            "it is 28.8 points lower than from China: 10 % most-favoured-nation duty and 18.8 % definitive countervailing duty",
        ),
        (
            "maker=byd&plant=cn&market=us&date=2024-09-26&date=2024-09-27",
            "it rises by 75 points: 25 % section 301 duty falls away",
        ),
        ("maker=bmw&plant=cn&plant=jp&market=uk&date=2024-09-26", "By how much they differ cannot be told in one number."),
    ],
)
def test_the_page_says_by_how_much_and_by_what_two_answers_differ(shipped: Service, query: str, words: str) -> None:
    assert words in shipped.client.get(f"/questions/duty?{query}", headers=PAGE).text


@pytest.mark.parametrize(
    ("order", "groups"), [("total", ["0 %", "10 %"]), ("country", ["Argentina", "Australia"]), ("plant", [])]
)
def test_a_long_table_has_an_order_and_groups_with_what_they_come_to(shipped: Service, order: str, groups: list[str]) -> None:
    text = shipped.client.get(f"/questions/duty?maker=geely-holding&market=eu&order={order}&cite=0", headers=PAGE).text
    heads = re.findall(r'scope="rowgroup" colspan="6" id="[^"]+">([^<]+?) <span', text)
    assert heads[:2] == groups
    assert f'<b aria-current="true">{order}</b>' in text
    assert shipped.client.get("/questions/duty?maker=byd&plant=cn&order=size", headers=PAGE).status_code == 400


def test_the_page_without_a_question_offers_some(shipped: Service) -> None:
    text = shipped.client.get("/questions/duty", headers=PAGE).text
    links = re.findall(r'href="(/questions/duty\?[^"]+)"', text)
    assert len(links) >= 3
    assert 'name="maker"' in text


def test_the_page_of_all_markets_is_a_table_by_total(shipped: Service) -> None:
    text = shipped.client.get("/questions/duty?maker=byd&plant=cn&date=2024-12-01", headers=PAGE).text
    totals = [float(total) for total in re.findall(r'data-label="Total"><b>([\d.]+)</b>', text)]
    assert totals == sorted(totals)
    assert totals[-1] == 106.1


def test_a_chart_draws_steps_and_leaves_a_gap_where_nothing_is_known() -> None:
    steps = merged(
        [Step(date(2020, 1, 1), 10), Step(date(2021, 1, 1), 10), Step(date(2022, 1, 1), None), Step(date(2024, 1, 1), 30)]
    )
    assert [step.value for step in steps] == [10, None, 30]
    chart = Chart((Line("a & b", steps),), date(2020, 1, 1), date(2026, 1, 1), (Marked(date(2021, 6, 1), "1 Jun 2021"),))
    svg = chart.svg("c", "A title", "Words")
    assert svg.count('class="step-line hue-1"') == 2
    assert "not known" in svg
    assert "a &amp; b" in svg
    assert svg.count("<circle") == 1
    assert "style=" not in svg


def test_the_scale_of_a_chart_ends_at_a_round_number() -> None:
    assert [ticks(most)[-1] for most in (0, 4, 29.9, 106.1, 127.5)] == [1, 4, 30, 125, 150]
