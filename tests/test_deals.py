"""Deals, their events and claims as the curated tables tell them: what is accepted, what is only said, and nothing twice."""

import shutil
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, QueryBoolean, QuerySolutions, Store

from motorgraph.building import build, read_tables

ROOT = Path(__file__).parents[1]
TABLES = {table.name: table for table in read_tables(ROOT / "data") if table.name.startswith(("facts/claims", "facts/deal"))}
REPORTED = (
    "ford-byd-batt-2026 ford-xiaomi-2026 nissan-dongfeng-export opel-b10 saic-ferrol stla-chinese-talks-2026 "
    "stla-dongfeng-eu-2026 xpeng-vw-plant-2026"
)
PREFIXES = "\n".join(
    f"PREFIX {name}: <https://motorgraph.example/{path}>"
    for name, path in {
        "claim": "id/claim/",
        "component": "id/component/",
        "deal": "id/deal/",
        "deal-kind": "concept/deal-kind/",
        "evidence-grade": "concept/evidence-grade/",
        "graph": "graph/",
        "mg": "ontology/",
        "modality": "concept/modality/",
        "organization": "id/organization/",
        "person": "id/person/",
        "plant": "id/plant/",
        "role": "concept/deal-role/",
        "source": "source/",
        "stance": "concept/stance/",
        "status": "concept/status/",
        "technology": "concept/technology/",
        "verdict-outcome": "concept/verdict-outcome/",
    }.items()
)


def holds(store: Store, pattern: str) -> bool:
    answer = store.query(f"{PREFIXES} ASK {{ {pattern} }}")
    assert isinstance(answer, QueryBoolean)
    return bool(answer)


def values(store: Store, pattern: str) -> list[str]:
    """The values of ?x in the pattern, as the last part of an IRI or the text of a literal, each once."""
    rows = store.query(f"{PREFIXES} SELECT DISTINCT ?x WHERE {{ {pattern} }} ORDER BY ?x")
    assert isinstance(rows, QuerySolutions)
    found = [row["x"] for row in rows]
    return [node.value.rpartition("/")[2] if isinstance(node, NamedNode) else getattr(node, "value", "") for node in found]


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_row_is_in_the_graph(shipped_store: Store, name: str) -> None:
    there = set(values(shipped_store, f'?node mg:fromRow ?x . FILTER(STRSTARTS(?x, "{name}.csv "))'))
    assert there == set(TABLES[name].row_names())


@pytest.mark.parametrize(
    "fact",
    [
        "deal:ford-renault-2025 mg:dealKind deal-kind:co-development , deal-kind:contract-manufacturing",
        "deal:ford-renault-2025 mg:hasComponent component:ford-renault-2025-co-development",
        "?r mg:inDeal deal:ford-otosan-craiova ; mg:party organization:ford ; mg:role role:seller",
        "?r mg:inDeal deal:leap-faw-2025 ; mg:party organization:faw ; mg:role role:investor",
        "?r mg:inDeal deal:polestar4-busan ; mg:party organization:renault-korea ; mg:role role:assembler",
        "deal:gotion-powerco-2026 mg:concernsPlant plant:gotion-surany ; mg:covers technology:lfp",
        "deal:zeekr-private-2025 mg:valueText ?value",
        "deal:ford-geely-2026 mg:supersededBy deal:ford-geely-jv-2026",
        "?e mg:statusOf deal:leap-tychy-2024 ; mg:newStatus status:ended ; mg:onDate '2025-03-30'^^<http://www.w3.org/2001/XMLSchema#date>",
        "?e mg:inCourseOf deal:ford-catl-2023 ; mg:participant person:glenn-youngkin",
    ],
)
def test_a_fact_of_a_row_is_accepted(shipped_store: Store, fact: str) -> None:
    assert holds(shipped_store, f"GRAPH graph:accepted {{ {fact} }}")


@pytest.mark.parametrize("deal", REPORTED.split())
def test_a_deal_that_is_only_reported_is_not_accepted(shipped_store: Store, deal: str) -> None:
    assert holds(shipped_store, f"GRAPH ?any {{ deal:{deal} a mg:Deal ; mg:basedOnClaim ?claim }}")
    assert not holds(shipped_store, f"GRAPH graph:accepted {{ deal:{deal} ?property ?value }}")
    assert not holds(shipped_store, f"GRAPH graph:accepted {{ ?node mg:inDeal|mg:statusOf|mg:inCourseOf deal:{deal} }}")


def test_what_one_outlet_says_and_another_denies_is_not_accepted_of_the_talks(shipped_store: Store) -> None:
    assert not holds(shipped_store, "GRAPH graph:accepted { deal:ford-geely-2026 mg:covers|mg:concernsPlant ?value }")


def test_a_plan_brings_no_status(shipped_store: Store) -> None:
    planned = "?event mg:statusOf deal:ford-geely-jv-2026 ; mg:newStatus ?x ; mg:basedOnClaim/mg:modality modality:planned"
    assert values(shipped_store, planned) == ["operating", "producing"]
    assert values(shipped_store, "deal:ford-geely-jv-2026 mg:currentStatus ?x") == ["agreed"]


def test_a_row_on_what_the_founding_article_has_adds_to_it_and_makes_no_second_node(shipped_store: Store) -> None:
    assert values(shipped_store, "?x a mg:Claim ; mg:fromRow 'facts/claims.csv c007'") == ["s16"]
    assert values(shipped_store, "?x a mg:DealEvent ; mg:inCourseOf deal:ford-geely-2026") == [
        "ford-team-to-china",
        "michigan-meeting",
    ]
    assert values(shipped_store, "?x mg:statusOf deal:gac-magna-2025") == ["gac-magna-2025-operating"]


def test_the_parties_that_speak_together_make_a_claim_each(shipped_store: Store) -> None:
    who = "?claim mg:fromRow 'facts/deal_events.csv e60' ; a mg:Claim ; mg:assertedBy ?x"
    assert values(shipped_store, who) == ["geely-holding", "polestar", "renault-korea"]
    # "companies" are the parties of the deal
    assert values(shipped_store, who.replace("e60", "e58")) == ["rivian", "vw-group"]


def test_a_denial_is_a_stance_on_what_others_assert(shipped_store: Store) -> None:
    stances = "?claim mg:proposition ?p ; mg:stance ?x . ?p mg:statementText 'BYD has suspended its investment at Manisa.'@en"
    assert values(shipped_store, stances) == ["asserted", "denied"]


def test_an_unnamed_voice_is_unnamed_and_counted_only_where_a_number_is_given(shipped_store: Store) -> None:
    origin = "?claim mg:fromRow 'facts/claims.csv {row}' ; mg:attributedTo ?origin . ?origin {property} ?x"
    assert values(shipped_store, origin.format(row="c068", property="mg:anonymity")) == ["unnamed"]
    assert values(shipped_store, origin.format(row="c068", property="mg:sourceCount")) == ["1"]
    assert values(shipped_store, origin.format(row="c035", property="mg:sourceCount")) == []


def test_what_is_recalled_rests_on_the_editors_and_has_the_lowest_grade(shipped_store: Store) -> None:
    pattern = (
        "deal:{deal} mg:acceptedFrom ?claim . ?claim mg:foundIn {what} . ?v mg:onProposition/^mg:proposition ?claim ; {more}"
    )
    assert holds(
        shipped_store, pattern.format(deal="mazda-changan", what="source:editorial", more="mg:grade evidence-grade:grade-8")
    )
    assert values(shipped_store, pattern.format(deal="mazda-changan", what="?d", more="mg:confidence ?x")) == ["0.3"]


def test_two_outlets_with_one_error_share_its_proposition_and_the_copy_says_so(shipped_store: Store) -> None:
    pattern = "?copy mg:fromRow 'facts/claims.csv c024' ; mg:copies ?x ; mg:proposition ?p . ?x mg:proposition ?p"
    assert len(values(shipped_store, pattern)) == 1


# A curator's new rows

PAGE = "https://electrek.co/2026/05/06/ford-in-advanced-talks-sell-eu-plant-geely/,Electrek,2026-10-04,verified,"
NEW_ROWS = {
    "deals": f"made-up-2026,Made up,supply,Ford (buyer); BYD (supplier),Ford Valencia,LFP,signed,2026-10-01,2026-10-01,,,{PAGE}",
    "deal_events": f"e900,made-up-2026,2026-10-02,2026-10-03,first cells delivered,producing,Ford,1,no,{PAGE}",
    "claims": f"c900,,it is worth USD 1bn,made-up-2026,value,USD 1bn,actual,asserted,Reuters,a person,1,yes,,2026-10-04,,{PAGE}",
}


@pytest.fixture(scope="module")
def curated(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """What the mappings make of the shipped tables with a new row in three of them, and of no other table."""
    data = tmp_path_factory.mktemp("curated") / "data"
    shutil.copytree(ROOT / "data", data)
    for name, row in NEW_ROWS.items():
        table = data / "facts" / f"{name}.csv"
        table.chmod(0o644)
        with table.open("a") as file:
            file.write(f"{row}\n")
    store = Store()
    for _, quads in build(data, ["70-", "72-", "74-"]):
        store.extend(quads)
    return store


@pytest.mark.parametrize(
    "pattern",
    [
        "GRAPH graph:accepted { ?r mg:inDeal deal:made-up-2026 ; mg:party organization:byd ; mg:role role:supplier }",
        "GRAPH graph:accepted { deal:made-up-2026 mg:concernsPlant plant:ford-valencia-body-and-assembly }",
        "GRAPH graph:accepted { deal:made-up-2026 mg:covers technology:lfp }",
        "GRAPH graph:accepted { ?e mg:statusOf deal:made-up-2026 ; mg:newStatus status:agreed }",
        "GRAPH graph:accepted { ?e mg:statusOf deal:made-up-2026 ; mg:newStatus status:producing ; mg:acceptedFrom ?claim }",
        "GRAPH ?g { ?c mg:fromRow 'facts/claims.csv c900' ; mg:assertedBy organization:reuters ; mg:attributedTo ?person }",
        "GRAPH ?g { ?p a mg:Proposition ; mg:aboutNode deal:made-up-2026 ; mg:aspect 'value' ; mg:objectValue 'USD 1bn' }",
    ],
)
def test_a_new_row_is_understood_without_a_line_in_any_other_table(curated: Store, pattern: str) -> None:
    assert holds(curated, pattern)
