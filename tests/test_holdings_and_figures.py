"""Holdings, figures and technologies of the shipped graph say what their tables say, and no thing is there twice."""

from __future__ import annotations

import csv
from pathlib import Path

import pyoxigraph as ox
import pytest

ROOT = Path(__file__).parents[1]
BASE = "https://motorgraph.example"
PREFIXES = f"""
    PREFIX graph: <{BASE}/graph/>
    PREFIX mg: <{BASE}/ontology/>
    PREFIX organization: <{BASE}/id/organization/>
    PREFIX plant: <{BASE}/id/plant/>
    PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
"""


def table(name: str) -> list[dict[str, str]]:
    with (ROOT / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def rows(store: ox.Store, question: str) -> list[tuple[str, ...]]:
    """The rows of a SELECT as plain values, without the base; an unbound one is empty."""
    found = store.query(PREFIXES + question)
    assert isinstance(found, ox.QuerySolutions)
    return [tuple(str(getattr(value, "value", "")).removeprefix(f"{BASE}/") for value in solution) for solution in found]


def of_row(store: ox.Store, row: str, *properties: str) -> list[tuple[str, ...]]:
    """What the node of a row has for each property, in some order."""
    patterns = " ".join(f"OPTIONAL {{ ?node mg:{name} ?{name} }}" for name in properties)
    variables = " ".join(f"?{name}" for name in properties)
    return rows(store, f'SELECT {variables} {{ ?node mg:fromRow "{row}" . {patterns} }}')


# Holdings


@pytest.mark.parametrize(
    ("row", "percent", "qualifier", "state", "begin", "end"),
    [
        ("o003", "21.26", "exact", "completed", "2023-11-01", "2025-12-01"),  # the month is shared: the next one begins in it
        ("o006", "5", "exact", "agreed", "2025-12-01", ""),
        ("o010", "50", "more-than", "completed", "", ""),
        ("o011", "50", "exact", "completed", "2024-05-31", "2024-12-02"),  # the last day is told: it ends on the next
        ("o020", "20", "exact", "completed", "", "2025-02-01"),
        ("o059", "50", "fewer-than", "completed", "2024-04-01", ""),
        ("o061", "43", "exact", "completed", "1999-01-01", "2023-11-08"),
        ("o205", "", "", "agreed", "2026-07-23", ""),
    ],
)
def test_a_holding_has_size_state_and_half_open_interval(
    shipped_store: ox.Store, row: str, percent: str, qualifier: str, state: str, begin: str, end: str
) -> None:
    found = of_row(
        shipped_store, f"facts/ownership.csv {row}", "stakePercent", "valueQualifier", "stakeState", "validFrom", "validTo"
    )
    of_value = f"concept/value-qualifier/{qualifier}" if qualifier else ""
    assert found == [(percent, of_value, f"concept/stake-state/{state}", begin, end)]


def test_capital_and_votes_of_volvo_ab_differ(shipped_store: ox.Store) -> None:
    assert of_row(shipped_store, "facts/ownership.csv o035", "stakePercent", "votePercent") == [("8.2", "15.6")]


def test_three_ways_of_counting_nissan_stand_side_by_side(shipped_store: ox.Store) -> None:
    found = rows(
        shipped_store,
        """SELECT ?percent ?way { ?holding mg:issuer organization:nissan ; mg:stakePercent ?percent ;
            mg:countingBasis/skos:notation ?way . FILTER NOT EXISTS { ?holding mg:validTo ?end } } ORDER BY ?percent""",
    )
    assert found == [("15", "directCapital"), ("28.4", "heldInTrust"), ("35.71", "economicInterest")]


def test_a_holding_that_was_described_by_hand_is_not_made_again(shipped_store: ox.Store) -> None:
    found = rows(
        shipped_store,
        """SELECT ?holding ?row { ?holding a mg:Shareholding ; mg:holder organization:stellantis ;
            mg:issuer organization:leapmotor-international ; mg:fromRow ?row } ORDER BY ?row""",
    )
    assert {holding for holding, _ in found} == {"id/shareholding/stellantis-in-leapmotor-international"}
    assert [row for _, row in found] == [
        "facts/ownership.csv o001",
        "reference/ownership.csv own-stellantis--leapmotor-international",
    ]


def test_a_row_of_the_wider_table_makes_no_second_node_for_a_pair_that_facts_know(shipped_store: ox.Store) -> None:
    twice = rows(
        shipped_store,
        """SELECT DISTINCT ?holder ?issuer { ?one mg:holder ?holder ; mg:issuer ?issuer ; mg:fromRow ?fact .
            ?two mg:holder ?holder ; mg:issuer ?issuer . FILTER(STRSTARTS(?fact, "facts/"))
            FILTER NOT EXISTS { ?two mg:fromRow ?other . FILTER(STRSTARTS(?other, "facts/")) } }""",
    )
    assert twice == []


def test_background_knowledge_has_the_lowest_grade_and_little_confidence(shipped_store: ox.Store) -> None:
    for row in table("facts/ownership") + table("facts/kpis"):
        if row["confidence"] != "recalled":
            continue
        name = f"facts/ownership.csv {row['row_id']}" if "row_id" in row else f"facts/kpis.csv {row['obs_id']}"
        found = rows(
            shipped_store,
            f"""SELECT DISTINCT ?grade ?confidence {{ ?node mg:fromRow "{name}" ; mg:acceptedFrom|mg:basedOnClaim ?claim .
                ?claim mg:foundIn ?document ; mg:proposition/^mg:onProposition ?verdict .
                ?document a mg:SourceDocument . FILTER(?document = <{BASE}/source/editorial>)
                ?verdict mg:grade/skos:notation ?grade ; mg:confidence ?confidence }}""",
        )
        assert found, name
        assert all(grade == "grade8" and float(confidence) <= 0.3 for grade, confidence in found), name


# Figures


@pytest.mark.parametrize(
    ("row", "period", "begin", "end"),
    [
        ("k006", "2025", "2025-01-01", "2026-01-01"),
        ("k035", "2025-01/2025-07", "2025-01-01", "2025-08-01"),
        ("k101", "2026-09", "2026-09-01", "2026-10-01"),
        ("k140", "2026-01", "2026-01-01", "2026-02-01"),
        ("k143", "2026-05-14", "2026-05-14", "2026-05-15"),
        ("k147", "2026-05-01/..", "2026-05-01", ""),
        ("k137", "../2026-02-05", "", "2026-02-06"),
    ],
)
def test_a_period_is_written_as_coarse_as_it_is(shipped_store: ox.Store, row: str, period: str, begin: str, end: str) -> None:
    assert of_row(shipped_store, f"facts/kpis.csv {row}", "period", "periodStart", "periodEnd") == [(period, begin, end)]


@pytest.mark.parametrize("row", ["k011", "k029", "k045", "k057", "k110", "k135"])
def test_forecasts_estimates_and_doubted_figures_are_not_accepted(shipped_store: ox.Store, row: str) -> None:
    graphs = rows(shipped_store, f'SELECT ?g {{ GRAPH ?g {{ ?node mg:fromRow "facts/kpis.csv {row}" }} }}')
    assert len(graphs) == 1
    assert graphs[0][0].startswith("graph/source/")


def test_a_forecast_is_asserted_by_who_made_it_and_relayed_by_the_outlet(shipped_store: ox.Store) -> None:
    found = rows(
        shipped_store,
        """SELECT ?who ?outlet { ?node mg:fromRow "facts/kpis.csv k029" ; mg:basedOnClaim ?claim .
            ?claim mg:assertedBy ?who ; mg:reportedBy ?outlet }""",
    )
    assert found == [("id/organization/s-and-p-global-mobility", "id/organization/econotimes")]


def test_every_figure_has_the_number_of_its_row(shipped_store: ox.Store) -> None:
    told = {
        row: float(value) for row, value in rows(shipped_store, "SELECT ?row ?value { ?node mg:fromRow ?row ; mg:value ?value }")
    }
    for row in table("facts/kpis"):
        assert told[f"facts/kpis.csv {row['obs_id']}"] == float(row["value"]), row["obs_id"]


def test_every_holding_of_known_size_has_the_number_of_its_row(shipped_store: ox.Store) -> None:
    question = "SELECT ?row ?value { ?node mg:fromRow ?row ; mg:stakePercent ?value }"
    told = {row: float(value) for row, value in rows(shipped_store, question)}
    for row in table("facts/ownership"):
        if row["stake_percent"]:
            assert told[f"facts/ownership.csv {row['row_id']}"] == float(row["stake_percent"]), row["row_id"]


# Technologies


def test_every_technology_of_the_tables_is_one_concept_of_the_scheme(shipped_store: ox.Store) -> None:
    question = f"""SELECT ?row ?concept {{ ?concept mg:fromRow ?row ; skos:inScheme <{BASE}/scheme/technology> ;
        skos:prefLabel ?label ; skos:definition ?definition }}"""
    told = rows(shipped_store, question)
    assert len(told) == len({row for row, _ in told}) == len(table("facts/technologies")) + len(table("reference/technologies"))
    slugs = {row: concept.rpartition("/")[2] for row, concept in told}
    for row in table("facts/technologies"):
        assert slugs[f"facts/technologies.csv {row['tech_id']}"] == row["tech_id"]
    assert slugs["reference/technologies.csv tech-geely-cma"] == "cma"
    assert slugs["reference/technologies.csv tech-gigacasting"] == "megacasting"
