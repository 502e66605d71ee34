"""The duty question on the shipped graph, against totals worked out by hand, and what it says where no number would be right."""

import re
from pathlib import Path

import pyoxigraph as ox
import pytest

QUESTION = (Path(__file__).parents[1] / "ontology" / "questions" / "50-duty.rq").read_text()
BASE = "https://motorgraph.example"
CONCEPT, THING = f"{BASE}/concept/", f"{BASE}/id/"
EU, CHINA, US, UK = "territory/eu", "country/cn", "country/us", "country/gb"
BEV, PHEV, EREV, HEV, ICE, FCEV = (f"propulsion/{drive}" for drive in ["bev", "phev", "erev", "hev", "ice", "fcev"])
EX30, TAVASCAN = "model/volvo-ex30", "model/cupra-tavascan"
WITHIN, BEYOND = "within the quota", "outside the quota"
MET, MISSED = "if the car meets the origin rule of the agreement", "if the car misses the origin rule of the agreement"
HELD, NONE_HELD = "with an investment certificate", "without an investment certificate"

Row = dict[str, str]

# maker, plant or country, model or drive, market, day, total: the lines add up as in the remark.
TOTALS = [
    # European Union: ordinary duty 10; provisional from 2024-07-05, definitive from 2024-10-30 for five years
    ("volvo-cars", "plant/geely-zhangjiakou", EX30, EU, "2024-07-04", "10"),
    ("volvo-cars", "plant/geely-zhangjiakou", EX30, EU, "2024-07-05", "29.9"),  # 10 + 19.9
    ("volvo-cars", "plant/geely-zhangjiakou", EX30, EU, "2024-10-29", "29.9"),
    ("volvo-cars", "plant/geely-zhangjiakou", EX30, EU, "2024-10-30", "28.8"),  # 10 + 18.8
    ("volvo-cars", "plant/geely-zhangjiakou", EX30, "country/fr", "2024-12-01", "28.8"),  # a member state is the union
    ("volvo-cars", "plant/volvo-cars-ghent", EX30, EU, "2024-12-01", "0"),  # built inside
    ("geely-holding", "plant/ford-valencia-body-and-assembly", BEV, EU, "2027-08-01", "0"),
    ("geely-holding", CHINA, BEV, EU, "2024-08-20", "29.9"),  # the draft of that day never counts
    ("zhejiang-geely-automobile", CHINA, BEV, EU, "2024-12-01", "28.8"),
    ("zeekr", CHINA, BEV, EU, "2025-06-01", "28.8"),  # through its parents
    ("geely-holding", CHINA, PHEV, EU, "2024-12-01", "10"),  # plug-in hybrids are outside
    ("geely-holding", CHINA, HEV, EU, "2024-08-01", "10"),
    ("geely-holding", CHINA, ICE, EU, "2024-12-01", "10"),
    ("byd", CHINA, BEV, EU, "2024-07-05", "27.4"),  # 10 + 17.4
    ("byd", "plant/byd-xian", BEV, EU, "2024-10-30", "27"),  # 10 + 17
    ("byd-auto", CHINA, BEV, EU, "2029-10-29", "27"),
    ("byd-auto", CHINA, BEV, EU, "2029-10-30", "10"),  # five years are over
    ("byd", CHINA, EREV, EU, "2024-12-01", "27"),  # range extenders are inside
    ("byd", CHINA, FCEV, EU, "2024-12-01", "10"),
    ("byd", "plant/byd-szeged", BEV, EU, "2026-09-01", "0"),
    ("saic", "plant/saic-lingang", "model/mg-mg4", EU, "2024-07-05", "47.6"),  # 10 + 37.6
    ("saic", "plant/saic-lingang", "model/mg-mg4", EU, "2024-12-01", "45.3"),  # 10 + 35.3
    ("tesla", "plant/giga-shanghai", "model/tesla-model-3", EU, "2024-08-01", "30.8"),  # cooperating: 10 + 20.8
    ("tesla", "plant/giga-shanghai", "model/tesla-model-3", EU, "2024-10-30", "17.8"),  # of its own: 10 + 7.8
    ("xpeng", "plant/xpeng-zhaoqing", "model/xpeng-g6", EU, "2025-01-01", "30.7"),  # cooperating: 10 + 20.7
    ("chery", CHINA, BEV, EU, "2024-08-01", "30.8"),
    ("nio", CHINA, BEV, EU, "2025-01-01", "30.7"),  # NIO Holding is listed
    ("bmw", "plant/bmw-brilliance-shenyang-dadong-tiexi-lydia", BEV, EU, "2025-01-01", "30.7"),  # the operator is listed
    ("xiaomi", CHINA, BEV, EU, "2024-08-01", "47.6"),  # not listed
    ("xiaomi", CHINA, BEV, EU, "2025-01-01", "45.3"),
    ("seat", "plant/volkswagen-anhui", TAVASCAN, EU, "2024-08-01", "47.6"),  # not yet among the cooperating
    ("seat", "plant/volkswagen-anhui", TAVASCAN, EU, "2026-02-09", "30.7"),
    ("seat", "plant/volkswagen-anhui", TAVASCAN, EU, "2026-02-10", "10"),  # the undertaking instead of 20.7
    ("vw-anhui", CHINA, BEV, EU, "2026-02-10", "30.7"),  # the undertaking is for one model
    ("ford-otosan", "plant/ford-otosan-kocaeli-golcuk", BEV, EU, "2025-01-01", "0"),  # customs union
    ("nissan", "plant/nissan-sunderland", BEV, EU, "2020-12-31", "0"),  # still inside
    ("hyundai-motor", "country/kr", BEV, EU, "2025-01-01", "10"),
    ("xpeng", "plant/magna-steyr-graz", "model/xpeng-g6", EU, "2025-12-01", "0"),  # from kits, origin assumed
    ("geely-holding", "plant/giga-shanghai", BEV, EU, "2024-12-01", "17.8"),  # who builds it: a company of Tesla is listed
    ("geely-holding", "plant/leapmotor-jinhua", BEV, EU, "2024-12-01", "30.7"),
    ("saic-vw", CHINA, BEV, EU, "2024-12-01", "45.3"),  # a joint venture that the list of the other side names
    ("faw-vw", CHINA, BEV, EU, "2024-12-01", "30.7"),  # likewise, through its parent
    ("leapmotor", CHINA, EREV, EU, "2025-06-01", "30.7"),
    ("gwm", "country/th", BEV, EU, "2025-01-01", "10"),  # not built in China
    ("togg", "country/tr", BEV, EU, "2025-01-01", "0"),
    ("ford", "plant/ford-saarlouis-body-and-assembly", BEV, US, "2026-01-01", "15"),  # closed: what a car from there would pay
    ("byd", CHINA, BEV, UK, "2019-06-01", "10"),  # then in the union
    # United Kingdom
    ("byd", CHINA, BEV, UK, "2025-10-01", "10"),
    # United States: ordinary 2.5; section 301 on electric cars from China; section 232 from 2025-04-03; all-in 15 by deals
    ("byd", CHINA, BEV, US, "2018-07-05", "2.5"),
    ("byd", CHINA, BEV, US, "2018-07-06", "27.5"),
    ("byd", CHINA, BEV, US, "2024-09-26", "27.5"),  # 2.5 + 25
    ("byd", CHINA, BEV, US, "2024-09-27", "102.5"),  # 2.5 + 100
    ("volvo-cars", "plant/geely-zhangjiakou", EX30, US, "2025-06-01", "127.5"),  # 2.5 + 100 + 25
    ("bmw", "plant/bmw-munich", ICE, US, "2025-04-02", "2.5"),
    ("bmw", "plant/bmw-munich", ICE, US, "2025-04-03", "27.5"),
    ("bmw", "plant/bmw-munich", ICE, US, "2025-07-31", "27.5"),
    ("bmw", "plant/bmw-munich", ICE, US, "2025-08-01", "15"),
    ("bmw", "plant/bmw-munich", ICE, US, "2026-07-05", "15"),  # the announced 25 has no act
    ("toyota", "country/jp", HEV, US, "2025-09-15", "27.5"),
    ("toyota", "country/jp", HEV, US, "2025-09-16", "15"),
    ("renault-korea", "plant/renault-korea-busan", "model/polestar-polestar-4", US, "2025-10-31", "27.5"),
    ("renault-korea", "plant/renault-korea-busan", "model/polestar-polestar-4", US, "2025-11-01", "15"),
    ("hyundai-motor", "country/kr", ICE, US, "2026-02-01", "15"),  # the announced 25 has no act
    ("nissan", "plant/nissan-sunderland", BEV, US, "2025-06-29", "27.5"),
    ("ford", US, ICE, US, "2025-06-01", "0"),
    # Canada: ordinary 6.1, surtax 100 from 2024-10-01
    ("byd", CHINA, BEV, "country/ca", "2024-09-30", "6.1"),
    ("byd", CHINA, BEV, "country/ca", "2024-10-01", "106.1"),
    ("byd", CHINA, BEV, "country/ca", "2026-02-28", "106.1"),
    ("byd", CHINA, ICE, "country/ca", "2025-03-01", "6.1"),
    # Mexico, Brazil, Türkiye
    ("byd", CHINA, BEV, "country/mx", "2026-01-01", "50"),
    ("byd", CHINA, BEV, "country/br", "2024-06-30", "10"),
    ("byd", CHINA, BEV, "country/br", "2024-07-01", "18"),
    ("byd", CHINA, BEV, "country/br", "2025-07-01", "25"),
    ("byd", CHINA, BEV, "country/br", "2026-06-30", "25"),
    ("byd", CHINA, BEV, "country/br", "2026-07-01", "35"),
    ("byd", "plant/byd-camacari-former-ford", BEV, "country/br", "2026-07-01", "0"),
    ("byd", CHINA, BEV, "country/tr", "2023-04-01", "50"),  # 10 + 40
    ("byd", CHINA, BEV, "country/tr", "2024-07-04", "50"),
    ("byd", CHINA, ICE, "country/tr", "2024-07-04", "10"),
    ("bmw", "plant/bmw-munich", BEV, "country/tr", "2025-10-01", "0"),  # customs union
]

# The same, where the consignment decides between two cases: the total of each.
CASES = [
    ("nissan", "plant/nissan-sunderland", BEV, US, "2025-06-30", {WITHIN: "10", BEYOND: "27.5"}),
    ("byd", CHINA, BEV, "country/ca", "2026-03-01", {WITHIN: "6.1", BEYOND: "106.1"}),
    ("nissan", "plant/nissan-sunderland", BEV, EU, "2021-01-01", {MET: "0", MISSED: "10"}),
    ("nissan", "plant/nissan-sunderland", BEV, EU, "2027-01-01", {MET: "0", MISSED: "10"}),
    ("bmw", "plant/bmw-munich", BEV, UK, "2027-01-01", {MET: "0", MISSED: "10"}),
    ("ford", "plant/ford-hermosillo", ICE, US, "2025-04-02", {MET: "0", MISSED: "2.5"}),
    ("ford", "plant/ford-hermosillo", ICE, US, "2025-04-03", {MET: None, MISSED: "27.5"}),
    ("byd", CHINA, BEV, "country/tr", "2024-07-05", {HELD: "10", NONE_HELD: "50"}),
    ("byd", CHINA, PHEV, "country/tr", "2024-07-07", {HELD: "10", NONE_HELD: None}),
    ("byd", CHINA, BEV, "country/tr", "2025-10-01", {HELD: "10", NONE_HELD: None}),
]

# Where no number would be right: words that the reason has, and what is sure.
UNKNOWN = [
    ("byd", CHINA, PHEV, US, "2025-06-01", "Section 301", None),
    ("byd", CHINA, PHEV, "country/ca", "2025-03-01", "Surtax of Canada", None),
    ("byd", CHINA, BEV, "country/mx", "2025-12-31", "only a range is known", "15"),
    ("hyundai-motor", "country/kr", BEV, "country/mx", "2026-01-01", "Duty of Mexico", None),
    ("ford", US, BEV, "country/mx", "2026-01-01", "Duty of Mexico", None),
    ("byd", CHINA, PHEV, "country/br", "2025-08-01", "only a range is known", "0"),
    ("byd", CHINA, ICE, "country/br", "2025-08-01", "no ordinary duty", None),
    ("byd", CHINA, BEV, "country/br", "2023-12-31", "no ordinary duty", None),
    ("byd", "country/ar", BEV, "country/br", "2025-08-01", "Stepwise duty of Brazil", None),
    ("byd", CHINA, BEV, "country/tr", "2023-03-15", "the first day is known only roughly", None),
    ("hyundai-motor", "country/kr", BEV, "country/tr", "2025-10-01", "Revised extra duty", None),
    ("toyota", "country/jp", HEV, "country/ca", "2025-05-01", "Ordinary duty of Canada", None),
    ("byd", CHINA, BEV, "country/no", "2025-01-01", "no duties of this market", None),
    ("xpeng", "plant/magna-steyr-graz", "model/xpeng-g6", US, "2025-12-01", "kits", None),
    ("seat", CHINA, TAVASCAN, EU, "2026-03-01", "companies tied to it", None),
    (
        "vw-group",
        CHINA,
        BEV,
        EU,
        "2025-01-01",
        "companies in several groups of the act",
        None,
    ),  # VW Anhui 20.7, SAIC Volkswagen 35.3
    ("xpeng", "plant/magna-steyr-graz", BEV, US, "2025-12-01", "kits", None),  # all that XPeng has built there is from kits
    ("leapmotor", "plant/stellantis-tychy", "model/leapmotor-t03", US, "2024-12-01", "kits", None),  # from semi or full kits
    ("byd", CHINA, BEV, EU, "1994-12-31", "the first day is known only roughly", None),
    ("byd", CHINA, BEV, UK, "1960-01-01", "the first day is known only roughly", None),  # long before the union
    ("toyota", "country/jp", HEV, UK, "2024-12-15", "a trade agreement of the two sides may lower this", None),
    ("ford", US, "model/ford-f-150", EU, "2025-01-01", "no ordinary duty", None),
    ("nobody", CHINA, BEV, EU, "2025-01-01", "no maker", None),
    ("byd", "plant/nowhere", BEV, EU, "2025-01-01", "no plant", None),
    ("byd", CHINA, "model/nothing", EU, "2025-01-01", "no model", None),
    ("byd", CHINA, BEV, "country/xx", "2025-01-01", "no customs territory", None),
]


def asked(maker: str, place: str, model: str, market: str, day: str) -> str:
    """The question with these parameters in its one VALUES line."""
    what = (CONCEPT if model.startswith("propulsion/") else THING) + model
    party = maker.removeprefix("../") if maker.startswith("../") else f"organization/{maker}"
    cells = f'<{THING}{party}> <{THING}{place}> <{what}> <{THING}{market}> "{day}"^^xsd:date'
    question, changed = re.subn(
        r"(VALUES \(\?maker \?plant \?model \?market \?date\)) \{ \(.*\) \}", rf"\1 {{ ({cells}) }}", QUESTION
    )
    assert changed == 1
    return question


def answer(store: ox.Store, *parameters: str) -> list[Row]:
    """The rows of the answer, cells as text, empty ones left out."""
    solutions = store.query(asked(*parameters))
    assert isinstance(solutions, ox.QuerySolutions)
    rows = []
    for solution in solutions:
        cells = {variable.value: solution[variable] for variable in solutions.variables}
        rows.append({name: term.value for name, term in cells.items() if isinstance(term, (ox.Literal, ox.NamedNode))})
    return rows


@pytest.mark.parametrize("case", TOTALS, ids=lambda case: " ".join(case[:5]))
def test_the_total_is_what_was_worked_out_by_hand(shipped_store: ox.Store, case: tuple[str, ...]) -> None:
    *parameters, total = case
    rows = answer(shipped_store, *parameters)
    assert [(row.get("case"), row.get("total"), row.get("unknownBecause")) for row in rows] == [(None, total, None)]


@pytest.mark.parametrize(("maker", "place", "model", "market", "day", "totals"), CASES)
def test_cases_that_the_consignment_decides_have_a_row_each(
    shipped_store: ox.Store, maker: str, place: str, model: str, market: str, day: str, totals: dict[str, str | None]
) -> None:
    rows = answer(shipped_store, maker, place, model, market, day)
    assert {row["case"]: row.get("total") for row in rows} == totals
    assert all(("total" in row) != ("unknownBecause" in row) for row in rows)


@pytest.mark.parametrize(("maker", "place", "model", "market", "day", "reason", "least"), UNKNOWN)
def test_what_cannot_be_told_is_unknown_for_a_reason(
    shipped_store: ox.Store, maker: str, place: str, model: str, market: str, day: str, reason: str, least: str | None
) -> None:
    (row,) = answer(shipped_store, maker, place, model, market, day)
    assert "total" not in row
    assert row["unknownBecause"].startswith("unknown, because ")
    assert reason in row["unknownBecause"]
    assert row.get("atLeast") == least


def test_a_compound_duty_names_the_least_amount_and_the_rate_that_is_sure(shipped_store: ox.Store) -> None:
    rows = answer(shipped_store, "byd", CHINA, BEV, "country/tr", "2025-10-01")
    (row,) = [row for row in rows if row["case"] == NONE_HELD]
    assert "30 %, at least 8000 USD a car" in row["unknownBecause"]
    assert row["atLeast"] == "40"


def test_each_line_names_its_act_and_the_listing_it_rests_on(shipped_store: ox.Store) -> None:
    (row,) = answer(shipped_store, "volvo-cars", "plant/geely-zhangjiakou", EX30, EU, "2024-12-01")
    assert sorted(row["lines"].split(" + ")) == [
        "10 % Ordinary duty of the EU on passenger cars (Regulation (EEC) No 2658/87 on the common customs tariff)",
        (
            "18.8 % Definitive countervailing duty of the EU on electric cars from China "
            "(Implementing Regulation (EU) 2024/2754, definitive duty)"
        ),
    ]
    assert row["origin"] == f"{THING}{CHINA}"
    assert row["originBecause"] == "customs territory of the plant on the day; no determination says otherwise"
    assert "itself is not listed" in row["exporterBecause"]


def test_a_listed_producer_is_told_from_one_that_counts_by_its_family(shipped_store: ox.Store) -> None:
    (listed,) = answer(shipped_store, "xpeng", CHINA, BEV, EU, "2025-01-01")
    (residual,) = answer(shipped_store, "xiaomi", CHINA, BEV, EU, "2025-01-01")
    assert "is listed by the act" in listed["exporterBecause"]
    assert "the rate for all others" in residual["exporterBecause"]


def test_rates_without_a_source_say_so(shipped_store: ox.Store) -> None:
    (row,) = answer(shipped_store, "byd", CHINA, BEV, "country/br", "2024-06-30")
    assert "background knowledge, no source" in row["lines"]


def test_the_undertaking_and_the_provisional_duty_tell_their_conditions(shipped_store: ox.Store) -> None:
    (undertaking,) = answer(shipped_store, "seat", "plant/volkswagen-anhui", TAVASCAN, EU, "2026-02-10")
    (provisional,) = answer(shipped_store, "byd", CHINA, BEV, EU, "2024-07-05")
    assert "minimum price" in undertaking["conditions"]
    assert "given back" in provisional["conditions"]


def test_a_brand_counts_as_the_company_that_it_belongs_to(shipped_store: ox.Store) -> None:
    (row,) = answer(shipped_store, "../brand/tesla", CHINA, BEV, EU, "2024-12-01")
    assert (row["total"], row["exporter"]) == ("17.8", f"{THING}organization/tesla")
    (tied,) = answer(shipped_store, "../brand/skoda", CHINA, BEV, EU, "2024-12-01")
    assert "companies tied to it" in tied["unknownBecause"]


def test_kit_assembly_tells_that_its_origin_is_assumed(shipped_store: ox.Store) -> None:
    (row,) = answer(shipped_store, "xpeng", "plant/magna-steyr-graz", "model/xpeng-g6", EU, "2025-12-01")
    assert "assumed, not settled" in row["originBecause"]


def test_missing_parameters_are_unknown_and_never_a_number(shipped_store: ox.Store) -> None:
    blank, changed = re.subn(r"\{ \(.*\) \}", "{ (UNDEF UNDEF UNDEF UNDEF UNDEF) }", QUESTION)
    assert changed == 1
    solutions = shipped_store.query(blank)
    assert isinstance(solutions, ox.QuerySolutions)
    (row,) = solutions
    assert row["total"] is None
    assert "unknown, because" in str(row["unknownBecause"])


TURTLE = "".join(
    f"@prefix {name}: <{iri}> .\n"
    for name, iri in {
        "act": f"{THING}act/",
        "act-status": f"{CONCEPT}act-status/",
        "claim": f"{THING}claim/",
        "country": f"{THING}country/",
        "measure": f"{THING}measure/",
        "mg": f"{BASE}/ontology/",
        "model": f"{THING}model/",
        "plant": f"{THING}plant/",
        "rate": f"{THING}rate/",
        "tariff-code": f"{CONCEPT}tariff-code/",
    }.items()
)
GRAZ = ("xpeng", "plant/magna-steyr-graz", "model/xpeng-g6", EU, "2025-12-01")


@pytest.fixture
def a_copy(shipped_store: ox.Store) -> ox.Store:
    """The merged graph, to add to."""
    store = ox.Store()
    store.extend(shipped_store.quads_for_pattern(None, None, None, ox.DefaultGraph()))
    return store


def added(store: ox.Store, turtle: str) -> ox.Store:
    """The store with a few statements more."""
    store.load(TURTLE + turtle, ox.RdfFormat.TURTLE)
    return store


def test_an_accepted_determination_overrides_the_origin(a_copy: ox.Store) -> None:
    finding = "rate:finding mg:forPlant plant:magna-steyr-graz ; mg:forModel model:xpeng-g6 ; mg:determinedOrigin country:cn"
    assert [row["total"] for row in answer(added(a_copy, f"{finding} ."), *GRAZ)] == ["0"]  # claimed, not accepted
    assert [row["total"] for row in answer(added(a_copy, f"{finding} ; mg:acceptedFrom claim:s39 ."), *GRAZ)] == ["30.7"]


@pytest.mark.parametrize(
    "grounds", ["mg:legalBasis act:us-kr-threat ; mg:acceptedFrom claim:s39", "mg:legalBasis act:us-kr-auto"]
)
def test_a_rate_on_an_announcement_or_one_that_nobody_accepted_does_not_count(a_copy: ox.Store, grounds: str) -> None:
    rate = f"rate:threat mg:ofMeasure measure:us-kr-auto ; mg:productScope tariff-code:hs-8703 ; mg:ratePercent 25.0 ; {grounds}"
    store = added(a_copy, f"{rate} ; mg:specificity 4 .")
    assert [row["total"] for row in answer(store, "hyundai-motor", "country/kr", ICE, US, "2026-02-01")] == ["15"]
