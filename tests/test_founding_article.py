"""The founding article stands in the graph item by item: what is said, in which mode, by whom, from how many people."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad, QuerySolutions, RdfFormat, Store

ROOT = Path(__file__).parents[1]
BASE = "https://motorgraph.example/"
GRAPH = f"{BASE}graph/"
ACCEPTED = NamedNode(f"{GRAPH}accepted")

# The data declares a prefix for each kind of node and each scheme; the queries below use the same names.
PREFIXES = dict(
    re.findall(r"^@prefix ([\w-]+): <([^>]+)> \.$", (ROOT / "data" / "founding-article.trig").read_text(), re.MULTILINE)
)

Row = tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """One numbered item: its sentence, the pattern that finds its ?proposition, and what the claims on it look like."""

    number: str
    sentence: str
    pattern: str
    said: tuple[Row, ...]
    source: str = "founding-article"


@dataclass(frozen=True)
class Fact:
    """One item about the report itself rather than its matter: a query of its own, and the rows it must give."""

    number: str
    sentence: str
    query: str
    rows: tuple[Row, ...]


def triple(subject: str, predicate: str, object_: str) -> str:
    """The pattern of a proposition that names subject, predicate and object."""
    return f"?proposition mg:subject {subject} ; mg:predicate {predicate} ; mg:object {object_} ."


def figure(subject: str, predicate: str, value: str, qualifier: str) -> str:
    """The pattern of a proposition on a number, which bounds it rather than gives it."""
    return (
        f"{subject} ?proposition mg:subject ?node ; mg:predicate {predicate} ; mg:objectValue {value} ; "
        f"mg:valueQualifier value-qualifier:{qualifier} ."
    )


D1 = "deal:ford-geely-2026"
MANUFACTURING = "component:ford-geely-2026-manufacturing"
TECHNOLOGY = "component:ford-geely-2026-technology"
VALENCIA = "plant:ford-valencia-body-and-assembly"
GEELY_CARS = "set:geely-cars-from-ford-plants"
DUTY_NOW = "measure:eu-cvd-bev-cn-def"
DUTY_THEN = "measure:eu-cvd-bev-cn-prov"
SALES_2025 = (
    "?node mg:observedOrg organization:geely-auto ; mg:measureConcept measure-concept:sales ; mg:period '2025' ; "
    "mg:valueKind value-kind:actual ."
)
TARGET_2030 = (
    "?node mg:observedOrg organization:geely-holding ; mg:measureConcept measure-concept:sales ; mg:period '2030' ; "
    "mg:valueKind value-kind:target ."
)

# who asserts it, stance, modality, who stands behind it (and how many), verdict
ARTICLE = ("just-auto", "asserted", "actual", "", "")
ON_RECORD = ("just-auto", "asserted", "actual", "", "accepted")
IMPLIED = ("just-auto", "asserted", "actual", "", "")
REPORTED = ("reuters", "asserted", "actual", "not-stated, not-given", "")
ANONYMOUS = ("reuters", "asserted", "under-study", "unnamed, not-given", "unresolved")
PREDICTED = ("just-auto", "asserted", "predicted", "", "")
GEELY_AUTO = ("geely-auto", "asserted", "actual", "", "accepted")
GEELY_HOLDING = ("geely-holding", "asserted", "target", "", "accepted")
FINANCIAL_TIMES = ("financial-times", "asserted", "actual", "not-stated, not-given", "unresolved")
DENIED_BY_FORD = ("ford", "denied", "actual", "", "unresolved")
DENIED_BY_XIAOMI = ("xiaomi", "denied", "actual", "", "unresolved")

ITEMS = (
    Item("S02", "Ford is based in the US.", triple("organization:ford", "mg:basedIn", "country:us"), (ON_RECORD,)),
    Item("S03", "Ford is an automaker.", triple("organization:ford", "rdf:type", "mg:Automaker"), (ON_RECORD,)),
    Item(
        "S04",
        "Geely is based in China.",
        triple("?geely", "mg:basedIn", "country:cn") + "?mention mg:mentionText 'Geely' ; mg:resolvedTo ?geely .",
        (ON_RECORD,),
    ),
    Item(
        "S05",
        "Ford and Geely are in talks about a collaboration.",
        """?ford mg:inDeal ?deal ; mg:party organization:ford .
           ?geely mg:inDeal ?deal ; mg:party organization:geely-holding .
           ?event mg:statusOf ?deal ; mg:newStatus status:in-talks .
           ?proposition mg:aboutNode ?event .""",
        (("reuters", "asserted", "actual", "unnamed, not-given", "accepted"),),
    ),
    Item(
        "S06",
        "There is no agreement yet.",
        triple(D1, "mg:currentStatus", "status:in-talks"),
        (("reuters", "asserted", "actual", "unnamed, not-given", ""),),
    ),
    Item(
        "S07",
        "European manufacturing is a part of the deal.",
        triple(D1, "mg:hasComponent", "?part") + "?part mg:dealKind deal-kind:contract-manufacturing .",
        (ANONYMOUS,),
    ),
    Item(
        "S08",
        "Shared vehicle technology is a part of the deal.",
        triple(D1, "mg:hasComponent", "?part") + "?part mg:dealKind deal-kind:technology-sharing .",
        (ANONYMOUS,),
    ),
    Item(
        "S10",
        "Ford's European plants could assemble vehicles for Geely.",
        triple("?plants", "mg:buildsFor", "organization:geely-holding") + "?plants mg:setOf mg:Plant .",
        (ANONYMOUS,),
    ),
    Item("S11", "Geely would sell them.", triple("organization:geely-holding", "mg:sells", GEELY_CARS), (ANONYMOUS,)),
    Item("S12", "They are for the local market.", triple(GEELY_CARS, "mg:soldIn", "market:europe"), (ANONYMOUS,)),
    Item(
        "S13",
        "The technology part covers in-vehicle technologies.",
        triple(TECHNOLOGY, "mg:covers", "technology:in-vehicle-technology"),
        (ANONYMOUS,),
    ),
    Item(
        "S14",
        "The technology part covers automated driving systems.",
        triple(TECHNOLOGY, "mg:covers", "technology:ads"),
        (ANONYMOUS,),
    ),
    Item(
        "S15",
        "An automated driving system is a kind of in-vehicle technology, in the scheme too.",
        triple("technology:ads", "skos:broader", "?kind") + "technology:ads skos:broader ?kind . "
        "?kind skos:prefLabel 'in-vehicle technology'@en .",
        (IMPLIED,),
    ),
    Item(
        "S16",
        "The manufacturing part is further advanced than the others.",
        triple(MANUFACTURING, "mg:furtherAdvancedThan", TECHNOLOGY),
        (("reuters", "asserted", "actual", "unnamed, 2", "unresolved"),),
    ),
    Item(
        "S18",
        "Ford sent a team to China.",
        """?visit a mg:DealEvent ; mg:participant organization:ford ; mg:takesPlaceIn country:cn ; mg:inCourseOf ?deal .
           ?proposition mg:aboutNode ?visit .""",
        (("reuters", "asserted", "actual", "not-stated, not-given", "unresolved"),),
    ),
    Item(
        "S19",
        "The visit was to step up the negotiations.",
        "?visit mg:takesPlaceIn country:cn . "
        "?proposition mg:subject ?visit ; mg:predicate mg:purpose ; mg:objectValue 'Step up the negotiations' .",
        (REPORTED,),
    ),
    Item(
        "S20",
        "Senior executives of both met in Michigan.",
        """?meeting mg:participant organization:ford , organization:geely-holding ; mg:placeText 'Michigan' .
           ?proposition mg:aboutNode ?meeting .""",
        (("reuters", "asserted", "actual", "not-stated, not-given", "unresolved"),),
    ),
    Item(
        "S21",
        "The visit followed the meeting.",
        triple("?visit", "mg:followed", "?meeting") + "?visit mg:takesPlaceIn country:cn . ?meeting mg:placeText 'Michigan' .",
        (REPORTED,),
    ),
    Item(
        "S22",
        "The talks have lasted several months.",
        f"?proposition mg:aboutNode {D1} ; mg:aspect 'duration' . ?said mg:proposition ?proposition ; "
        "mg:dateText 'several months' ; mg:dateEDTF '2025/2026-02-04' .",
        (("reuters", "asserted", "actual", "unnamed, 5", "unresolved"),),
    ),
    Item(
        "S24",
        "Chinese automakers are largely excluded from the US market.",
        triple("?makers", "mg:excludedFrom", "market:us") + "?makers mg:setOf mg:Automaker .",
        (REPORTED,),
    ),
    Item(
        "S25",
        "The exclusion comes from tariffs.",
        triple("?exclusion", "mg:causedBy", "?measure")
        + "?exclusion mg:predicate mg:excludedFrom . ?measure a mg:TradeMeasure .",
        (REPORTED,),
    ),
    Item(
        "S26",
        "The exclusion comes from restrictions.",
        triple("?exclusion", "mg:causedBy", "?measure")
        + "?exclusion mg:predicate mg:excludedFrom . ?measure a mg:ComplianceRule .",
        (REPORTED,),
    ),
    Item(
        "S27",
        "Restrictions, and perhaps tariffs, came during the Biden administration.",
        triple("?measure", "mg:introducedDuring", "office:us-administration-biden"),
        (
            ("reuters", "asserted", "actual", "not-stated, not-given", "accepted"),
            ("reuters", "asserted", "actual", "not-stated, not-given", "unresolved"),
        ),
    ),
    Item(
        "S28",
        "The restrictions are justified with national security.",
        triple("measure:us-cv-rule", "mg:motivatedBy", "concern:national-security"),
        (REPORTED,),
    ),
    Item(
        "S29",
        "The concerns are linked to vehicle software.",
        triple("concern:national-security", "mg:concernsTechnology", "technology:in-vehicle-software"),
        (REPORTED,),
    ),
    Item(
        "S30",
        "The concerns are linked to vehicle data.",
        triple("concern:national-security", "mg:concernsTechnology", "technology:vehicle-data"),
        (REPORTED,),
    ),
    Item(
        "S31",
        "The Trump administration would probably scrutinise such a plan.",
        triple("office:us-administration-trump-2", "mg:scrutinises", "?plans") + "?plans mg:setOf mg:Deal .",
        (PREDICTED,),
    ),
    Item(
        "S32",
        "US lawmakers would probably scrutinise such a plan.",
        triple("organization:us-congress", "mg:scrutinises", "?plans") + "?plans mg:setOf mg:Deal .",
        (PREDICTED,),
    ),
    Item(
        "S33",
        "The Trump administration is in office at report time.",
        "?office mg:validFrom ?from . ?proposition mg:subject ?office ; mg:predicate mg:inOfficeOn ; "
        "mg:objectValue ?day . FILTER(?from <= ?day && ?day = '2026-02-04'^^xsd:date)",
        (IMPLIED,),
    ),
    Item(
        "S34",
        "Valencia is the leading candidate.",
        triple(VALENCIA, "mg:leadingSiteFor", MANUFACTURING),
        (("reuters", "asserted", "actual", "unnamed, 1", "unresolved"),),
    ),
    Item("S35", "Ford has a plant at Valencia.", triple(VALENCIA, "mg:owner", "organization:ford"), (ON_RECORD,)),
    Item(
        "S36",
        "Valencia lies in the EU.",
        triple(VALENCIA, "mg:country", "?country") + "?country mg:inCustomsTerritory territory:eu .",
        (ON_RECORD,),
    ),
    Item(
        "S37",
        "There are other candidate sites.",
        triple("?sites", "mg:candidateSiteFor", MANUFACTURING) + "?sites mg:setOf mg:Plant .",
        (IMPLIED,),
    ),
    Item(
        "S38",
        "Building in the bloc could spare Geely the EU duties.",
        triple(GEELY_CARS, "mg:notSubjectTo", "?measure") + "?measure mg:importTerritory territory:eu .",
        (("just-auto", "asserted", "assessed", "", ""),),
    ),
    Item(
        "S39",
        "The EU imposes duties on China-built electric cars.",
        triple(DUTY_NOW, "mg:importTerritory", "territory:eu"),
        (ON_RECORD,),
    ),
    Item(
        "S40",
        "The duty depends on the place of build.",
        triple(DUTY_NOW, "mg:originScope", "country:cn"),
        (ON_RECORD,),
    ),
    Item(
        "S41",
        "The EU introduced provisional levies, since superseded.",
        triple(DUTY_THEN, "mg:importTerritory", "territory:eu")
        + "?said mg:proposition ?proposition . ?relation mg:toClaim ?said ; "
        "mg:relationKind claim-relation-kind:supersedes .",
        (ON_RECORD,),
    ),
    Item(
        "S42",
        "The levies reach up to 37.6 per cent.",
        figure("?node mg:measureKind measure-kind:countervailing-provisional .", "mg:highestRatePercent", "37.6", "up-to"),
        (ON_RECORD,),
    ),
    Item(
        "S43",
        "Other manufacturers set up European output.",
        triple("?makers", "mg:establishesProductionIn", "market:europe") + "?makers mg:setOf mg:Automaker .",
        (ARTICLE,),
    ),
    Item(
        "S44",
        "Leapmotor plans to use a Stellantis factory.",
        triple("organization:leapmotor", "mg:usesPlant", "?plant") + "?plant mg:owner organization:stellantis .",
        (("just-auto", "asserted", "planned", "", ""),),
    ),
    Item(
        "S45",
        "The factory lies in Spain; another document names Figueruelas.",
        triple("?plant", "mg:country", "country:es") + "?plant skos:altLabel 'Figueruelas'@es .",
        (("just-auto", "asserted", "planned", "", "accepted"),),
    ),
    Item(
        "S46",
        "The plan goes through a joint venture of Leapmotor and Stellantis.",
        triple("?plan", "mg:carriedOutThrough", "?venture")
        + """?plan mg:subject organization:leapmotor ; mg:predicate mg:usesPlant . ?venture a mg:JointVenture .
             [] mg:issuer ?venture ; mg:holder organization:leapmotor .
             [] mg:issuer ?venture ; mg:holder organization:stellantis .""",
        (ARTICLE,),
    ),
    Item(
        "S47",
        "Guangzhou Automobile Group works with Magna.",
        """[] mg:inDeal ?deal ; mg:party organization:gac ; mg:role role-kind:customer .
           [] mg:inDeal ?deal ; mg:party organization:magna ; mg:role role-kind:assembler .
           ?proposition mg:aboutNode ?deal .""",
        (ON_RECORD,),
    ),
    Item(
        "S48",
        "That work takes place in Austria.",
        triple("?deal", "mg:takesPlaceIn", "country:at") + "[] mg:inDeal ?deal ; mg:party organization:gac .",
        (ON_RECORD,),
    ),
    Item(
        "S49",
        "XPeng works with Magna.",
        """[] mg:inDeal ?deal ; mg:party organization:xpeng ; mg:role role-kind:customer .
           [] mg:inDeal ?deal ; mg:party organization:magna ; mg:role role-kind:assembler .
           ?proposition mg:aboutNode ?deal .""",
        (ON_RECORD,),
    ),
    Item(
        "S50",
        "That work takes place in Austria.",
        triple("?deal", "mg:takesPlaceIn", "country:at") + "[] mg:inDeal ?deal ; mg:party organization:xpeng .",
        (ON_RECORD,),
    ),
    Item(
        "S51",
        "Leapmotor, Guangzhou and XPeng are examples of makers that build in Europe.",
        triple("?example", "mg:exampleOf", "?general") + "?general mg:predicate mg:establishesProductionIn .",
        (IMPLIED, IMPLIED, IMPLIED),
    ),
    Item(
        "S52",
        "Geely works with Renault in South Korea.",
        triple("?deal", "mg:takesPlaceIn", "country:kr") + "[] mg:inDeal ?deal ; mg:party organization:geely-holding . "
        "[] mg:inDeal ?deal ; mg:party organization:renault-group .",
        (ON_RECORD,),
    ),
    Item(
        "S53",
        "Geely works with Renault in Brazil.",
        triple("?deal", "mg:takesPlaceIn", "country:br") + "[] mg:inDeal ?deal ; mg:party organization:geely-holding . "
        "[] mg:inDeal ?deal ; mg:party organization:renault-group .",
        (ON_RECORD,),
    ),
    Item(
        "S54",
        "As written, Geely was criticised in Washington over Ford's CATL licence.",
        triple("organization:geely-holding", "mg:criticisedFor", "?deal")
        + "?proposition mg:placeText 'Washington' . ?deal mg:dealKind deal-kind:technology-licence .",
        (("just-auto", "asserted", "actual", "", "rejected"),),
    ),
    Item(
        "S55",
        "Corrected: Ford was criticised in Washington over its CATL licence.",
        triple("organization:ford", "mg:criticisedFor", "?deal")
        + """?proposition mg:placeText 'Washington' . ?said mg:proposition ?proposition .
             ?relation mg:fromClaim ?said ; mg:relationKind claim-relation-kind:corrects ; mg:toClaim ?faulty .
             ?faulty mg:foundIn source:founding-article .""",
        (("benzinga", "asserted", "actual", "", "accepted"),),
        "benzinga-2026-02-04",
    ),
    Item(
        "S56",
        "Ford licenses battery technology from CATL.",
        """?licence a mg:LicenceGrant ; mg:covers/skos:broader* technology:battery .
           [] mg:inDeal ?licence ; mg:party organization:ford .
           ?proposition mg:aboutNode ?licence .""",
        (ON_RECORD,),
    ),
    Item(
        "S57",
        "CATL is licensor and Ford is licensee.",
        """VALUES (?party ?kind) {
               (organization:catl role-kind:licensor) (organization:ford role-kind:licensee)
           }
           ?part mg:inDeal/rdf:type mg:LicenceGrant ; mg:party ?party ; mg:role ?kind .
           ?proposition mg:aboutNode ?part .""",
        (ON_RECORD, ON_RECORD),
    ),
    Item(
        "S58",
        "Geely Auto is home of Zeekr.",
        triple("brand:zeekr", "mg:brandOf", "organization:geely-auto"),
        (ON_RECORD,),
    ),
    Item(
        "S59",
        "Geely Auto is home of Lynk & Co.",
        triple("brand:lynk-and-co", "mg:brandOf", "organization:geely-auto"),
        (ON_RECORD,),
    ),
    Item(
        "S60",
        "Geely Auto's sales grew 39 per cent in 2025.",
        SALES_2025 + "?proposition mg:subject ?node ; mg:predicate mg:yoyPercent ; mg:objectValue 39.0 .",
        (GEELY_AUTO,),
    ),
    Item(
        "S61",
        "Geely Auto sold just above 3 million vehicles in 2025.",
        figure(SALES_2025, "mg:value", "3000000.0", "just-above"),
        (GEELY_AUTO,),
    ),
    Item(
        "S62",
        "The Financial Times reported talks of Ford and Xiaomi, which both deny.",
        """[] mg:inDeal ?deal ; mg:party organization:ford . [] mg:inDeal ?deal ; mg:party organization:xiaomi .
           ?proposition mg:aboutNode ?deal .""",
        (FINANCIAL_TIMES, DENIED_BY_FORD, DENIED_BY_XIAOMI),
    ),
    Item(
        "S63",
        "Those talks were about making electric cars, in the US.",
        """VALUES (?predicate ?object) { (mg:covers technology:bev) (mg:takesPlaceIn country:us) }
           ?proposition mg:subject deal:ford-xiaomi-2026 ; mg:predicate ?predicate ; mg:object ?object .""",
        (FINANCIAL_TIMES, FINANCIAL_TIMES),
    ),
    Item(
        "S64",
        "Ford denied the report.",
        "?proposition mg:aboutNode deal:ford-xiaomi-2026 . ?claim mg:assertedBy organization:ford ; mg:stance stance:denied .",
        (DENIED_BY_FORD,),
    ),
    Item(
        "S65",
        "Xiaomi denied the report.",
        "?proposition mg:aboutNode deal:ford-xiaomi-2026 . ?claim mg:assertedBy organization:xiaomi ; mg:stance stance:denied .",
        (DENIED_BY_XIAOMI,),
    ),
    Item(
        "S66",
        "The report on Xiaomi is a separate matter.",
        triple("deal:ford-xiaomi-2026", "mg:separateFrom", D1),
        (ARTICLE,),
    ),
    Item(
        "S67",
        "Geely Holding Group plans sales beyond 6.5 million.",
        figure(TARGET_2030, "mg:value", "6500000.0", "more-than"),
        (GEELY_HOLDING,),
    ),
    Item(
        "S68",
        "The deadline is 2030.",
        TARGET_2030 + "?proposition mg:subject ?node ; mg:predicate mg:period ; mg:objectValue '2030' .",
        (GEELY_HOLDING,),
    ),
    Item(
        "S69",
        "The target is part of a new strategic blueprint.",
        TARGET_2030 + triple("?node", "dcterms:isPartOf", "?blueprint") + "?blueprint a mg:SourceDocument .",
        (("geely-holding", "asserted", "actual", "", "accepted"),),
    ),
    Item(
        "S70",
        "Geely Auto and Geely Holding Group are two legal entities.",
        triple("organization:geely-auto", "owl:differentFrom", "organization:geely-holding"),
        (ON_RECORD,),
    ),
)

FACTS = (
    Fact(
        "S01",
        "The article is derived from a report of Reuters, on or after 4 February 2026.",
        """SELECT ?publisher ?earliest WHERE {
            source:founding-article prov:wasDerivedFrom/dcterms:publisher/skos:prefLabel ?publisher ;
                mg:resolvedStart ?earliest
        }""",
        (("Reuters", "2026-02-04"),),
    ),
    Fact(
        "S09",
        "Reuters published the report on the talks on 4 February 2026, as another outlet dates it.",
        """SELECT ?report ?day ?datedBy WHERE {
            ?claim mg:citedIn ?report ; mg:proposition/mg:aboutNode/mg:newStatus status:in-talks .
            ?claim mg:foundIn source:founding-article .
            ?report dcterms:publisher organization:reuters ; mg:dateEDTF ?day ;
                mg:resolvedAgainst/mg:assertedBy ?datedBy
        }""",
        (("reuters-ford-geely-2026-02-04", "2026-02-04", "benzinga"),),
    ),
    Fact(
        "S17",
        "Parts of one deal may differ in maturity: each has a status of its own.",
        f"""SELECT ?kind ?status WHERE {{
            ?division mg:subject {D1} ; mg:predicate mg:hasComponent ; mg:object ?part .
            ?part mg:dealKind ?kind . ?event mg:statusOf ?part ; mg:newStatus ?status
        }}""",
        (("contract-manufacturing", "in-talks"), ("technology-sharing", "rumoured")),
    ),
    Fact(
        "S23",
        "Five people stand behind the length of the talks, and that number stands with them.",
        """SELECT ?people ?exactness ?naming WHERE {
            ?claim mg:dateText 'several months' ; mg:attributedTo ?origin .
            ?origin mg:sourceCount ?people ; mg:sourceCountKind ?exactness ; mg:anonymity ?naming
        }""",
        (("5", "exact", "unnamed"),),
    ),
    Fact(
        "S71",
        "Nobody speaks for Ford or Geely about the talks in this text: its silence is no claim.",
        """SELECT ?speaker ?statement WHERE {
            VALUES ?speaker { organization:ford organization:geely-auto organization:geely-holding }
            ?claim mg:foundIn source:founding-article ; mg:assertedBy ?speaker ; mg:proposition ?proposition .
            ?proposition mg:statementText ?statement .
            VALUES ?node { deal:ford-geely-2026
                component:ford-geely-2026-manufacturing component:ford-geely-2026-technology }
            ?proposition (mg:aboutNode|mg:subject)/(mg:statusOf|mg:inCourseOf)? ?node
        }""",
        (),
    ),
)

SAID = """
SELECT ?by ?stance ?modality ?naming ?count ?exactness ?outcome WHERE {{
    ?claim mg:proposition ?proposition ; mg:foundIn source:{source} ; mg:assertedBy ?by ; mg:stance ?stance ;
        mg:modality ?modality .
    OPTIONAL {{
        ?claim mg:attributedTo ?origin .
        ?origin mg:anonymity ?naming ; mg:sourceCountKind ?exactness .
        OPTIONAL {{ ?origin mg:sourceCount ?count }}
    }}
    OPTIONAL {{ ?verdict mg:onProposition ?proposition ; mg:outcome ?outcome }}
    {pattern}
}}"""


@pytest.fixture(scope="module")
def founding() -> Store:
    """The ontology, its schemes and the founding data, each in its graph."""
    store = Store()
    for path in sorted((ROOT / "ontology").glob("*.ttl")):
        store.load(path=path, format=RdfFormat.TURTLE, to_graph=NamedNode(f"{GRAPH}ontology"))
    for path in sorted((ROOT / "ontology" / "schemes").glob("*.ttl")):
        store.load(path=path, format=RdfFormat.TURTLE, to_graph=NamedNode(f"{GRAPH}reference"))
    for name in ("reference", "founding-article"):
        store.load(path=ROOT / "data" / f"{name}.trig", format=RdfFormat.TRIG)
    return store


def name_of(term: object) -> str:
    """The last word of an IRI, the text of a literal, nothing for what is unbound."""
    if isinstance(term, NamedNode):
        return re.split(r"[/#]", term.value)[-1]
    return term.value if isinstance(term, Literal) else ""


def rows(store: Store, query: str, *, union: bool = True) -> list[Row]:
    """The solutions of a query over the union of all graphs, as short names, sorted."""
    solutions = store.query(query, prefixes=PREFIXES, use_default_graph_as_union=union)
    assert isinstance(solutions, QuerySolutions)
    return sorted(tuple(name_of(term) for term in solution) for solution in solutions)


def who_says(store: Store, item: Item) -> list[Row]:
    """For each claim on the item's proposition: speaker, stance, modality, people behind it, verdict."""
    found = rows(store, SAID.format(source=item.source, pattern=item.pattern))
    return sorted(
        (by, stance, modality, ", ".join(filter(None, (naming, count or exactness))), outcome)
        for by, stance, modality, naming, count, exactness, outcome in found
    )


# --- the numbered items


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.number)
def test_the_item_is_found_with_its_status_its_speaker_and_its_sources(founding: Store, item: Item) -> None:
    assert who_says(founding, item) == sorted(item.said), item.sentence


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.number)
def test_what_the_item_says_of_the_report_itself_is_found(founding: Store, fact: Fact) -> None:
    assert rows(founding, fact.query) == sorted(fact.rows), fact.sentence


def test_nothing_of_the_promotional_block_is_in_the_graph_s72(founding: Store) -> None:
    noise = re.compile(r"\bB2B\b|\bmarketing\b|\badvert", re.IGNORECASE)
    texts = [quad.object.value for quad in data_quads(founding) if isinstance(quad.object, Literal)]
    assert len(texts) > 500
    assert [text for text in texts if noise.search(text)] == []


def test_every_item_from_1_to_72_has_a_test() -> None:
    numbers = {int(number[1:]) for number in (*(item.number for item in ITEMS), *(fact.number for fact in FACTS))}
    assert numbers | {72} == set(range(1, 73))


def test_every_item_from_1_to_71_tags_a_node(founding: Store) -> None:
    tags = {number for (number,) in rows(founding, "SELECT DISTINCT ?number WHERE { ?node mg:seedItem ?number }")}
    assert tags == {f"S{number}" for number in range(1, 72)}


# --- what the graph must be able to say


def test_1_two_parts_of_one_deal_stand_at_two_stages_and_one_is_said_to_be_further(founding: Store) -> None:
    stages = rows(
        founding,
        """SELECT ?further ?order ?behind ?lowerOrder WHERE {
            ?statement mg:subject ?further ; mg:predicate mg:furtherAdvancedThan ; mg:object ?behind .
            [] mg:statusOf ?further ; mg:newStatus/mg:statusOrder ?order .
            [] mg:statusOf ?behind ; mg:newStatus/mg:statusOrder ?lowerOrder .
            FILTER(?order > ?lowerOrder)
        }""",
    )
    assert stages == [("ford-geely-2026-manufacturing", "2", "ford-geely-2026-technology", "1")]


def test_2_counts_of_people_stay_with_their_statements_and_are_never_added(founding: Store) -> None:
    counts = rows(
        founding,
        """SELECT ?count ?origin WHERE {
            ?claim mg:foundIn source:founding-article ; mg:attributedTo ?origin . ?origin mg:sourceCount ?count
        }""",
    )
    assert [count for count, _ in counts] == ["1", "2", "5"]
    assert len({origin for _, origin in counts}) == len(counts)
    assert rows(founding, "SELECT ?origin WHERE { ?origin mg:sourceCount 8 }") == []
    eight = triple("source:reuters-ford-geely-2026-02-04", "mg:sourceCount", "?none").replace(
        "mg:object ?none", "mg:objectValue 8"
    )
    said_elsewhere = f"SELECT ?by WHERE {{ ?claim mg:proposition ?proposition ; mg:assertedBy ?by . {eight} }}"
    assert rows(founding, said_elsewhere) == [("gauk-motorbuzz",)]


def test_2_no_claim_rests_on_two_groups_of_people_at_once(founding: Store) -> None:
    doubled = "SELECT ?claim WHERE { ?claim mg:attributedTo ?one , ?other . FILTER(?one != ?other) }"
    assert rows(founding, doubled) == []


def test_3_each_party_has_a_stance_of_its_own_and_silence_is_none(founding: Store) -> None:
    stances = rows(
        founding,
        """SELECT DISTINCT ?party ?stance ?source WHERE {
            VALUES ?party { organization:ford organization:geely-holding }
            ?claim mg:proposition/mg:aboutNode/mg:newStatus status:in-talks ; mg:assertedBy ?party ; mg:stance ?stance ;
                mg:foundIn ?source
        }""",
    )
    assert stances == [
        ("ford", "declined-to-confirm", "el-espanol-2026-02-05"),
        ("ford", "declined-to-confirm", "top-car-news-ford-geely"),
        ("geely-holding", "no-comment", "top-car-news-ford-geely"),
    ]


def test_4_a_report_that_all_parties_deny_stays_in_the_graph_but_never_in_the_accepted_one(founding: Store) -> None:
    denied = rows(
        founding,
        """SELECT DISTINCT ?node ?party WHERE {
            ?denial mg:stance stance:denied ; mg:assertedBy ?party ; mg:proposition/mg:aboutNode ?node
        }""",
    )
    assert denied == [("ford-xiaomi-2026", "ford"), ("ford-xiaomi-2026", "xiaomi")]
    deal = NamedNode(f"{BASE}id/deal/ford-xiaomi-2026")
    assert [*founding.quads_for_pattern(None, None, deal, ACCEPTED)] == []
    assert [*founding.quads_for_pattern(deal, None, None, ACCEPTED)] == []


def test_5_a_bound_on_a_number_is_kept_as_a_bound(founding: Store) -> None:
    bounds = rows(
        founding,
        """SELECT ?value ?qualifier WHERE {
            ?claim mg:foundIn source:founding-article ; mg:proposition ?proposition .
            ?proposition mg:objectValue ?value ; mg:valueQualifier ?qualifier
        }""",
    )
    assert bounds == [("3000000", "just-above"), ("37.6", "up-to"), ("6500000", "more-than")]
    observed = rows(
        founding,
        """SELECT ?value ?qualifier WHERE {
            GRAPH graph:accepted {
                ?figure mg:observationSource source:founding-article ; mg:value ?value ; mg:valueQualifier ?qualifier
            }
        }""",
    )
    assert observed == [("3000000", "just-above"), ("6500000", "more-than")]


# The most specific rate of each measure at the border of the EU, for a car of the producer, from an origin, on a day.
EU_DUTY = """
SELECT ?measure ?percent ?act WHERE {{
    {origin}
    ?measure mg:importTerritory territory:eu .
    FILTER(?origin != territory:eu)
    FILTER NOT EXISTS {{ ?measure mg:originScope ?other . FILTER(?other != ?origin) }}
    tariff-code:taric-8703801010 skos:broader* ?code .
    ?rate mg:ofMeasure ?measure ; mg:productScope ?code ; mg:specificity ?rank ; mg:ratePercent ?percent ;
        mg:legalBasis ?act .
    OPTIONAL {{ ?rate mg:exporterScope ?group }}
    FILTER(!BOUND(?group) || EXISTS {{ ?group mg:includesProducer organization:zhejiang-geely-automobile }})
    OPTIONAL {{ ?rate mg:validFrom ?from }}
    OPTIONAL {{ ?rate mg:validTo ?to }}
    FILTER(COALESCE(?from <= "{day}"^^xsd:date, true) && COALESCE("{day}"^^xsd:date < ?to, true))
    FILTER NOT EXISTS {{
        ?better mg:ofMeasure ?measure ; mg:specificity ?higher ; mg:validFrom ?begin ; mg:validTo ?end ;
            mg:exporterScope/mg:includesProducer organization:zhejiang-geely-automobile .
        FILTER(?higher > ?rank && ?begin <= "{day}"^^xsd:date && "{day}"^^xsd:date < ?end)
    }}
}}"""
ORIGINS = {
    "China": "BIND(country:cn AS ?origin)",
    "Valencia": f"{VALENCIA} mg:country/mg:inCustomsTerritory ?origin .",
}


@pytest.mark.parametrize(
    ("day", "origin", "lines"),
    [
        ("2024-07-04", "China", ["10"]),
        ("2024-08-01", "China", ["10", "19.9"]),
        ("2024-10-29", "China", ["10", "19.9"]),
        ("2024-10-30", "China", ["10", "18.8"]),
        ("2024-12-01", "China", ["10", "18.8"]),
        ("2029-10-30", "China", ["10"]),
        ("2024-08-01", "Valencia", []),
        ("2024-12-01", "Valencia", []),
    ],
)
def test_6_the_duty_on_a_geely_car_follows_the_law_of_the_day_and_the_place_of_build(
    founding: Store, day: str, origin: str, lines: list[str]
) -> None:
    charged = rows(founding, EU_DUTY.format(day=day, origin=ORIGINS[origin]))
    assert sorted(percent for _, percent, _ in charged) == lines


def test_6_the_levy_of_2024_is_marked_as_superseded_by_the_definitive_act(founding: Store) -> None:
    successions = rows(
        founding,
        """SELECT ?later ?older WHERE {
            ?relation mg:relationKind claim-relation-kind:supersedes ; mg:fromClaim ?later ; mg:toClaim ?older .
            ?older mg:foundIn source:founding-article ; mg:proposition/mg:subject measure:eu-cvd-bev-cn-prov .
            ?later mg:foundIn source:wisetech-academy-definitive-duties
        }""",
    )
    assert successions == [("wisetech-act", "s41"), ("wisetech-residual", "s42")]
    standing = rows(
        founding,
        """SELECT ?since ?standing WHERE {
            ?measure mg:originScope country:cn ; mg:importTerritory territory:eu ; mg:legalBasis ?act .
            ?act eli:date_applicability ?since ; mg:actStatus ?standing
        }""",
    )
    assert standing == [("2024-07-05", "superseded"), ("2024-10-30", "in-force")]


def test_6_the_maximum_of_37_6_is_a_bound_and_no_rate_of_the_geely_group(founding: Store) -> None:
    at_the_maximum = rows(
        founding,
        """SELECT ?rate WHERE {
            measure:eu-cvd-bev-cn-prov mg:highestRatePercent ?maximum .
            ?rate mg:ofMeasure measure:eu-cvd-bev-cn-prov ; mg:ratePercent ?maximum
        }""",
    )
    assert at_the_maximum == [("eu-cvd-bev-cn-prov-residual",), ("eu-cvd-bev-cn-prov-saic",)]
    of_geely = rows(
        founding,
        """SELECT ?from ?to ?percent WHERE {
            ?rate mg:exporterScope exporter-group:eu-cvd-bev-cn-geely ; mg:ratePercent ?percent ; mg:validFrom ?from ;
                mg:validTo ?to
        }""",
    )
    assert of_geely == [("2024-07-05", "2024-10-30", "19.9"), ("2024-10-30", "2029-10-30", "18.8")]
    above = """SELECT ?rate WHERE {
        ?measure mg:highestRatePercent ?maximum .
        ?rate mg:ofMeasure ?measure ; mg:ratePercent ?percent . FILTER(?percent > ?maximum)
    }"""
    assert rows(founding, above) == []


def test_7_the_faulty_sentence_stays_beside_its_correction_each_with_its_source(founding: Store) -> None:
    pairs = rows(
        founding,
        """SELECT ?faultySubject ?faultyIn ?rightSubject ?rightIn WHERE {
            ?relation mg:relationKind claim-relation-kind:corrects ; mg:toClaim ?faulty ; mg:fromClaim ?right .
            ?faulty mg:foundIn ?faultyIn ; mg:proposition/mg:subject ?faultySubject .
            ?right mg:foundIn ?rightIn ; mg:proposition/mg:subject ?rightSubject
        }""",
    )
    assert pairs == [("geely-holding", "founding-article", "ford", "benzinga-2026-02-04")]
    believed = "SELECT ?who WHERE { GRAPH graph:accepted { ?who mg:criticisedFor deal:ford-catl-2023 } }"
    assert rows(founding, believed) == [("ford",)]


def test_8_a_relative_date_is_kept_as_written_and_as_resolved_with_what_it_was_resolved_against(
    founding: Store,
) -> None:
    dates = rows(
        founding,
        """SELECT ?written ?edtf ?start ?end ?against WHERE {
            ?claim mg:foundIn source:founding-article ; mg:seedItem ?item ; mg:dateText ?written ; mg:dateEDTF ?edtf ;
                mg:resolvedStart ?start ; mg:resolvedEnd ?end ; mg:resolvedAgainst/mg:assertedBy ?against .
            FILTER(?item IN ("S18", "S20", "S22"))
        }""",
    )
    assert dates == [
        ("last week", "2026-01-26/2026-01-30", "2026-01-26", "2026-01-31", "benzinga"),
        ("recently", "2026-02~", "2026-02-01", "2026-02-05", "benzinga"),
        ("several months", "2025/2026-02-04", "2025-01-01", "2026-02-05", "benzinga"),
    ]


def test_9_three_names_of_geely_are_resolved_to_two_legal_entities_with_a_confidence(founding: Store) -> None:
    mentions = rows(
        founding,
        """SELECT ?text ?entity ?confidence WHERE {
            ?mention a mg:SourceMention ; mg:mentionText ?text ; mg:resolvedTo ?entity ;
                mg:resolutionConfidence ?confidence .
            FILTER(CONTAINS(?text, "Geely") && EXISTS { ?mention mg:mentionOf/mg:foundIn source:founding-article })
        }""",
    )
    assert mentions == [
        ("Geely", "geely-holding", "0.6"),
        ("Geely Auto", "geely-auto", "0.95"),
        ("Geely Holding Group", "geely-holding", "0.98"),
    ]


def test_10_the_eu_duty_looks_at_the_place_of_build_and_the_us_rule_at_who_controls_the_maker(founding: Store) -> None:
    scopes = rows(
        founding,
        """SELECT ?measure ?scope ?country WHERE {
            VALUES ?measure { measure:eu-cvd-bev-cn-def measure:us-cv-rule }
            VALUES ?scope { mg:originScope mg:controlScope }
            GRAPH graph:accepted { ?measure ?scope ?country }
        }""",
    )
    assert scopes == [
        ("eu-cvd-bev-cn-def", "originScope", "cn"),
        ("us-cv-rule", "controlScope", "cn"),
        ("us-cv-rule", "controlScope", "ru"),
    ]


def test_11_hearsay_is_a_chain_from_the_article_over_reuters_to_unnamed_people(founding: Store) -> None:
    chain = rows(
        founding,
        f"""SELECT ?article ?report ?outlet ?naming WHERE {{
            ?claim mg:proposition ?proposition ; mg:foundIn ?article ; mg:citedIn ?report ; mg:reportedBy ?outlet ;
                mg:assertedBy ?outlet ; mg:attributedTo/mg:anonymity ?naming .
            {triple(VALENCIA, "mg:leadingSiteFor", MANUFACTURING)}
            ?article prov:wasDerivedFrom ?report . ?report dcterms:publisher ?outlet ; mg:knownThrough ?article
        }}""",
    )
    assert chain == [("founding-article", "reuters-ford-geely-2026-02-04", "reuters", "unnamed")]


def test_12_a_prediction_or_assessment_is_never_a_plain_statement(founding: Store) -> None:
    guesses = rows(
        founding,
        """SELECT DISTINCT ?item WHERE {
            VALUES ?mode { modality:predicted modality:assessed }
            ?claim mg:modality ?mode ; mg:foundIn source:founding-article ; mg:seedItem ?item
        }""",
    )
    assert guesses == [("S31",), ("S32",), ("S38",)]
    stated = """SELECT ?statement WHERE {
        VALUES ?mode { modality:predicted modality:assessed }
        ?claim mg:modality ?mode ; mg:proposition ?proposition .
        ?proposition mg:statementText ?statement ; mg:subject ?s ; mg:predicate ?p ; mg:object ?o . ?s ?p ?o
    }"""
    assert rows(founding, stated) == []


# --- what holds for all of the data


def data_quads(store: Store) -> Iterator[Quad]:
    """The quads of the founding data: of the accepted graph and of the documents."""
    for quad in store:
        name = quad.graph_name.value if isinstance(quad.graph_name, NamedNode) else ""
        if name == ACCEPTED.value or name.startswith(f"{GRAPH}source/"):
            yield quad


def test_each_accepted_subject_names_a_claim_that_stands_in_a_document_and_was_accepted(founding: Store) -> None:
    subjects = {quad.subject for quad in founding.quads_for_pattern(None, None, None, ACCEPTED)}
    believed = founding.query(
        """SELECT DISTINCT ?subject WHERE {
            GRAPH graph:accepted { ?subject mg:acceptedFrom ?claim }
            GRAPH ?document { ?claim a mg:Claim ; mg:stance stance:asserted ; mg:proposition ?proposition }
            FILTER(STRSTARTS(STR(?document), STR(graph-source:)))
            GRAPH ?other { ?verdict mg:onProposition ?proposition ; mg:outcome outcome:accepted }
        }""",
        prefixes=PREFIXES,
    )
    assert isinstance(believed, QuerySolutions)
    assert {solution["subject"] for solution in believed} == subjects


def test_each_claim_that_an_accepted_node_names_was_asserted_and_accepted(founding: Store) -> None:
    unfit = """SELECT ?node ?claim WHERE {
        GRAPH graph:accepted { ?node mg:acceptedFrom ?claim }
        FILTER NOT EXISTS {
            ?claim mg:stance stance:asserted ; mg:proposition ?proposition .
            ?verdict mg:onProposition ?proposition ; mg:outcome outcome:accepted
        }
    }"""
    assert rows(founding, unfit) == []


def test_no_accepted_node_rests_only_on_predictions_or_assessments(founding: Store) -> None:
    baseless = """SELECT ?node WHERE {
        GRAPH graph:accepted { ?node a ?class }
        FILTER NOT EXISTS {
            ?node mg:acceptedFrom/mg:modality ?mode . FILTER(?mode NOT IN (modality:predicted, modality:assessed))
        }
    }"""
    assert rows(founding, baseless) == []


# Reuters and Bloomberg report the talks independently; the joint venture of July 2026 bears them out.
TALKS_ON_INDEPENDENT_REPORTS = {
    "ford-geely-2026",
    "ford-geely-2026-ford",
    "ford-geely-2026-geely-holding",
    "ford-geely-2026-in-talks",
}


def test_no_accepted_node_rests_only_on_unnamed_people(founding: Store) -> None:
    hearsay = """SELECT ?node WHERE {
        GRAPH graph:accepted { ?node mg:acceptedFrom ?claim }
        FILTER NOT EXISTS { ?node mg:acceptedFrom ?other . FILTER NOT EXISTS {
            ?other mg:attributedTo/mg:anonymity anonymity:unnamed } }
    }"""
    assert {node for (node,) in rows(founding, hearsay)} == TALKS_ON_INDEPENDENT_REPORTS


def test_what_was_accepted_as_a_triple_stands_in_the_accepted_graph(founding: Store) -> None:
    missing = """SELECT ?statement WHERE {
        ?verdict mg:onProposition ?proposition ; mg:outcome outcome:accepted .
        ?proposition mg:statementText ?statement ; mg:subject ?s ; mg:predicate ?p ; mg:object|mg:objectValue ?o .
        FILTER NOT EXISTS { GRAPH graph:accepted { ?s ?p ?o } }
    }"""
    assert rows(founding, missing) == []


def test_what_was_not_accepted_stands_nowhere_as_a_triple(founding: Store) -> None:
    leaked = """SELECT ?statement WHERE {
        ?verdict mg:onProposition ?proposition ; mg:outcome ?outcome . FILTER(?outcome != outcome:accepted)
        ?proposition mg:statementText ?statement ; mg:subject ?s ; mg:predicate ?p ; mg:object|mg:objectValue ?o .
        ?s ?p ?o
    }"""
    assert rows(founding, leaked) == []


def test_a_claim_stands_in_the_graph_of_the_document_in_which_it_was_found(founding: Store) -> None:
    misplaced = """SELECT ?claim ?document WHERE {
        GRAPH ?graph { ?claim a mg:Claim ; mg:foundIn ?document }
        FILTER(STR(?graph) != CONCAT(STR(graph-source:), STRAFTER(STR(?document), STR(source:))))
    }"""
    assert rows(founding, misplaced) == []


def test_a_domain_node_outside_the_accepted_graph_names_the_claim_that_speaks_of_it(founding: Store) -> None:
    unfounded = """SELECT ?node ?class WHERE {
        GRAPH ?graph { ?node a ?class }
        FILTER(STRSTARTS(STR(?graph), STR(graph-source:)) && STRSTARTS(STR(?class), STR(mg:)))
        FILTER(?class NOT IN (mg:Claim, mg:ClaimRelation, mg:OriginalSource, mg:Proposition, mg:SourceDocument,
            mg:SourceMention, mg:Verdict))
        FILTER NOT EXISTS { ?node mg:basedOnClaim/rdf:type mg:Claim }
    }"""
    assert rows(founding, unfounded) == []


def test_no_node_is_both_accepted_and_only_spoken_of(founding: Store) -> None:
    torn = "SELECT ?node WHERE { GRAPH graph:accepted { ?node a ?class } ?node mg:basedOnClaim ?claim }"
    assert rows(founding, torn) == []


def test_a_document_that_was_read_names_its_publisher_its_address_and_the_day_of_reading(founding: Store) -> None:
    bare = """SELECT ?document WHERE {
        ?document a mg:SourceDocument .
        FILTER NOT EXISTS { ?document mg:knownThrough ?relay }
        FILTER NOT EXISTS { ?document dcterms:publisher ?publisher ; dcterms:title ?title ; schema:url ?address ;
            mg:accessedOn ?day }
    }"""
    assert rows(founding, bare) == []


def test_no_quotation_is_longer_than_300_characters(founding: Store) -> None:
    quoted = rows(founding, "SELECT ?text WHERE { ?claim mg:quotedText|mg:mentionText ?text }")
    assert quoted
    assert max(len(text) for (text,) in quoted) <= 300


def test_every_term_of_the_data_is_declared_by_the_ontology(founding: Store) -> None:
    declared = {
        quad.subject.value
        for quad in founding.quads_for_pattern(None, None, None, NamedNode(f"{GRAPH}ontology"))
        if isinstance(quad.subject, NamedNode)
    }
    terms = {
        term.value
        for quad in founding
        for term in (quad.predicate, quad.object)
        if quad.graph_name != NamedNode(f"{GRAPH}ontology") and isinstance(term, NamedNode)
    }
    used = {term for term in terms if term.startswith(PREFIXES["mg"])}
    assert len(used) > 100
    assert used - declared == set()


def test_every_node_of_ours_that_the_data_points_at_is_described_somewhere(founding: Store) -> None:
    described = {quad.subject.value for quad in founding if isinstance(quad.subject, NamedNode)}
    pointed_at = {
        quad.object.value
        for quad in data_quads(founding)
        if isinstance(quad.object, NamedNode) and quad.object.value.startswith((f"{BASE}id/", f"{BASE}concept/"))
    }
    assert pointed_at - described == set()
