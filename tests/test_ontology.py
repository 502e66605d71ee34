"""The ontology, its concept schemes and its hygiene queries keep the promises of their documentation."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import owlrl
import pytest
from pyoxigraph import NamedNode, QuerySolutions, RdfFormat, Store
from rdflib import OWL, RDF, RDFS, SKOS, BNode, Graph, URIRef

ROOT = Path(__file__).parents[1]
ONTOLOGY = ROOT / "ontology"
HYGIENE = ONTOLOGY / "hygiene"
CASES = ROOT / "tests" / "cases" / "hygiene"

BASE = "https://motorgraph.example/"
MG = BASE + "ontology/"
OWLRL_ERROR = URIRef("http://www.daml.org/2002/03/agents/agent-ont#error")

PREFIXES = {
    "eli": "http://data.europa.eu/eli/ontology#",
    "geo": "http://www.opengis.net/ont/geosparql#",
    "mg": MG,
    "org": "http://www.w3.org/ns/org#",
    "prov": "http://www.w3.org/ns/prov#",
    "qb": "http://purl.org/linked-data/cube#",
    "rdf": str(RDF),
    "schema": "https://schema.org/",
    "skos": str(SKOS),
}

MODULES = "core org product plant deal tech trade compliance claim kpi place meta"
ALIGNMENTS = "schema org prov fibo gist auto eli qb time sem wikidata np"

SUPERCLASSES = {
    "AutomotiveGroup": "mg:Organization",
    "Automaker": "mg:Organization",
    "Authority": "mg:Organization",
    "BatteryMaker": "mg:Organization",
    "Brand": "schema:Brand",
    "Capacity": "qb:Observation",
    "Claim": "schema:Claim prov:Entity",
    "ClaimRelation": "",
    "ComplianceRule": "mg:RegulatoryMeasure",
    "ContractManufacturer": "mg:Organization",
    "ControlRelation": "mg:TimeBoundRelation",
    "Country": "geo:Feature",
    "CustomsTerritory": "geo:Feature",
    "Deal": "prov:Entity",
    "DealComponent": "mg:Deal",
    "DealRole": "mg:TimeBoundRelation",
    "DutyRate": "",
    "ExporterGroup": "",
    "JointVenture": "mg:Organization org:OrganizationalCollaboration",
    "KpiObservation": "qb:Observation",
    "LegalAct": "eli:LegalResource",
    "LicenceGrant": "mg:DealComponent",
    "Market": "geo:Feature",
    "ModelVariant": "",
    "ModelYear": "skos:Concept",
    "NewsOutlet": "mg:Organization",
    "Organization": "org:FormalOrganization schema:Organization",
    "OriginDetermination": "",
    "OriginalSource": "prov:Agent",
    "Plant": "org:Site geo:Feature",
    "PlantOperation": "mg:TimeBoundRelation",
    "PlantUnit": "org:Site",
    "Platform": "skos:Concept",
    "ProductionAssignment": "mg:TimeBoundRelation",
    "Proposition": "",
    "RegulatoryMeasure": "",
    "Shareholding": "mg:TimeBoundRelation",
    "SourceDocument": "prov:Entity schema:CreativeWork",
    "SourceMention": "",
    "StatusEvent": "prov:Activity",
    "Supplier": "mg:Organization",
    "TariffCode": "skos:Concept",
    "Technology": "skos:Concept",
    "TimeBoundRelation": "",
    "TradeMeasure": "mg:RegulatoryMeasure",
    "Undertaking": "mg:LegalAct",
    "VehicleModel": "schema:ProductModel",
    "Verdict": "schema:ClaimReview",
}

OBJECT_PROPERTIES = """
    aboutNode acceptedFrom anonymity appliesToModelYear assembledFor assertedBy assignmentStatus attributedTo
    basedOnClaim brandOf candidateSiteFor citedIn controlScope controlledBy copies countingBasis country covers
    curator currentStatus customsClass dealKind determinedOrigin displaces excludes exporterScope forModel forPlant
    foundIn fromClaim furtherAdvancedThan grade hasComponent holder importTerritory inCustomsTerritory inDeal
    includesProducer issuer legalBasis measureConcept measureKind mentionOf method modality modelScope newStatus
    object observedMarket observedOrg ofMeasure ofModel ofPlant onProposition operator originScope outcome owner
    parent party precedesYear predicate productScope proposition propulsionScope rateBasis relationKind reportedBy
    resolvedTo role sourceCountKind stakeState stance statusOf subject toClaim unit valueKind valueQualifier
"""

DATATYPE_PROPERTIES = """
    aboutTime appliesFrom aspect condition confidence dateEDTF dateText decidedOn inQuota mentionText minimumAmount
    observedScope onDate period quotedText ratePercent reportedOn resolutionConfidence resolvedEnd resolvedStart
    retroactive seedItem seriesDefinition sourceCount specificity stakePercent statementText statusOrder validFrom
    validTo value votePercent yoyBasis yoyPercent
"""

SCHEMES = {
    "act-status": "draft announced adopted in-force superseded annulled expired",
    "anonymity": "named unnamed not-stated",
    "assembly-method": "full kit ckd skd dkd",
    "bloc-kind": "customs-union customs-union-and-single-market forum free-trade-agreement free-trade-area monetary-union "
    "single-market",
    "claim-relation-kind": "supports contradicts supersedes corrects copies denies",
    "concern": "national-security unfair-subsidy",
    "counting-basis": "direct-capital votes economic-interest held-in-trust acting-in-concert",
    "deal-kind": "equity-stake joint-venture merger plant-sale contract-manufacturing co-development platform-sharing "
    "technology-sharing technology-licence supply price-undertaking memorandum alliance greenfield",
    "deal-role": "licensor licensee assembler customer investor issuer seller buyer host partner supplier",
    "duty-case": "within-quota beyond-quota certificate-held no-certificate origin-rule-met origin-rule-missed",
    "evidence-grade": "grade-1 grade-2 grade-3 grade-4 grade-5 grade-6 grade-7 grade-8",
    "life-state": "announced active defunct",
    "measure-concept": "sales deliveries production registrations exports revenue capacity share rank employees free-cash-flow "
    "growth jobs-cut net-profit quota spare-capacity suppliers writedown",
    "measure-kind": "mfn countervailing-provisional countervailing-definitive anti-dumping section-301 section-232 "
    "surtax all-in safeguard tariff-quota preference price-undertaking additional-duty sales-restriction",
    "modality": "actual under-study planned target predicted assessed",
    "model-year": " ".join(f"my{year}" for year in range(1980, 2033)),
    "plant-kind": "vehicle-assembly truck-assembly bus-assembly contract-assembly battery-cells battery-materials engines "
    "transmissions components",
    "plant-status": "planned under-construction ramp-up operating retooling idled closed repurposed",
    "propulsion": "bev phev erev hev mhev ice fcev",
    "rate-basis": "ad-valorem ad-valorem-part specific compound",
    "source-count-kind": "exact at-least not-given",
    "stake-state": "agreed completed reported",
    "stance": "asserted denied no-comment declined-to-confirm corrected withdrawn",
    "status": "rumoured in-talks memorandum letter-of-intent agreed approved completed operating paused ended denied "
    "cancelled superseded planned producing under-construction",
    "tariff-code": "hs-8703 hs-870380 cn-87038010 taric-8703801010 hts-87038000 hs-8704 hs-850760",
    "technology": "vehicle-technology in-vehicle-technology ads vcs lfp cma gea meb skd ckd battery vehicle-data",
    "value-kind": "actual target forecast estimate plan installed planned up-to",
    "value-qualifier": "exact about more-than at-least up-to fewer-than just-above",
    "vehicle-kind": "passenger-car multipurpose-passenger-vehicle truck bus motorcycle trailer",
    "verdict-outcome": "accepted rejected unresolved",
}
OPEN_SCHEMES = {"tariff-code", "technology"}


@dataclass(frozen=True)
class Finding:
    """One row of a hygiene query: the term at fault and what is wrong with it."""

    term: str
    problem: str

    def __str__(self) -> str:
        return f"{self.term}: {self.problem}"


def names(text: str) -> list[str]:
    return text.split()


def module_files() -> list[Path]:
    return sorted(ONTOLOGY.glob("*.ttl"))


def scheme_files() -> list[Path]:
    return sorted((ONTOLOGY / "schemes").glob("*.ttl"))


def alignment_files() -> list[Path]:
    return sorted((ONTOLOGY / "alignments").glob("*.ttl"))


def hygiene_files() -> list[Path]:
    return sorted(HYGIENE.glob("*.rq"))


def data_and_shape_files() -> list[Path]:
    return sorted((ROOT / "data").glob("*.trig")) + sorted((ROOT / "shapes").glob("*.ttl"))


def stem(path: Path) -> str:
    return path.stem


def expanded(curie: str) -> URIRef:
    prefix, name = curie.split(":")
    return URIRef(PREFIXES[prefix] + name)


def store_of(files: Iterable[Path]) -> Store:
    store = Store()
    for file in files:
        store.load(path=str(file), format=RdfFormat.TRIG if file.suffix == ".trig" else RdfFormat.TURTLE)
    return store


def graph_of(files: Iterable[Path]) -> Graph:
    graph = Graph()
    for file in files:
        graph.parse(file, format="turtle")
    return graph


def findings(store: Store, query: Path) -> list[Finding]:
    rows = store.query(query.read_text(encoding="utf-8"), use_default_graph_as_union=True)
    assert isinstance(rows, QuerySolutions)
    return [Finding(_text(row["term"]), _text(row["problem"])) for row in rows]


def _text(term: object) -> str:
    return str(getattr(term, "value", term))


def report(found: Iterable[Finding]) -> str:
    return "\n".join(str(finding) for finding in found)


def culprits(store: Store) -> set[str]:
    """The IRIs of a bad case that end in `bad`: the terms which its query has to name."""
    terms = (term for quad in store for term in (quad.subject, quad.predicate, quad.object))
    return {term.value for term in terms if isinstance(term, NamedNode) and term.value.lower().endswith("bad")}


def errors_of(graph: Graph) -> list[str]:
    """What the OWL 2 RL rules hold against the graph, which is closed in place."""
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(graph)
    messages = [str(message) for message in graph.objects(None, OWLRL_ERROR)]
    empty = [f"{node} is in owl:Nothing" for node in graph.subjects(RDF.type, OWL.Nothing)]
    return messages + empty


def top_words(graph: Graph, slug: str) -> set[str]:
    prefix = f"{BASE}concept/{slug}/"
    return {str(concept).removeprefix(prefix) for concept in graph.subjects(SKOS.inScheme, URIRef(f"{BASE}scheme/{slug}"))}


def declared(graph: Graph) -> set[URIRef]:
    kinds = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty)
    return {term for kind in kinds for term in graph.subjects(RDF.type, kind) if isinstance(term, URIRef)}


def subjects_in_order(file: Path) -> list[str]:
    """The names that open the blocks of a Turtle file, ontology header and scheme left out."""
    return re.findall(r"^(?:mg|concept):([\w-]+)", file.read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.fixture(scope="module")
def reference() -> Store:
    return store_of(module_files() + scheme_files())


@pytest.fixture(scope="module")
def ontology() -> Graph:
    return graph_of(module_files())


@pytest.fixture(scope="module")
def schemes() -> Graph:
    return graph_of(scheme_files())


@pytest.mark.parametrize("file", module_files() + scheme_files() + alignment_files(), ids=stem)
def test_every_turtle_file_parses_and_says_something(file: Path) -> None:
    assert len(graph_of([file])) > 0


def test_there_is_one_file_for_each_module_scheme_and_alignment() -> None:
    assert {path.stem for path in module_files()} == {f"mg-{name}" for name in names(MODULES)} | {"motorgraph"}
    assert {path.stem for path in scheme_files()} == set(SCHEMES)
    assert {path.stem for path in alignment_files()} == set(names(ALIGNMENTS))


@pytest.mark.parametrize("query", hygiene_files(), ids=stem)
def test_a_hygiene_query_finds_nothing_wrong_in_the_ontology_and_its_schemes(reference: Store, query: Path) -> None:
    found = findings(reference, query)
    assert not found, report(found)


@pytest.mark.parametrize("query", hygiene_files(), ids=stem)
def test_a_hygiene_query_catches_its_bad_case_and_spares_the_good_one_beside_it(query: Path) -> None:
    case = store_of([CASES / f"{query.stem}.ttl"])
    assert culprits(case), "a bad case names its culprits with a final 'bad'"
    assert {finding.term for finding in findings(case, query)} == culprits(case)


@pytest.mark.parametrize("query", hygiene_files(), ids=stem)
def test_a_hygiene_query_opens_with_a_sentence_on_what_it_checks(query: Path) -> None:
    first = query.read_text(encoding="utf-8").splitlines()[0]
    assert re.fullmatch(r"# [A-Z].+\.", first)


def test_every_hygiene_query_has_a_bad_case_and_every_bad_case_a_query() -> None:
    assert {path.stem for path in CASES.glob("*.ttl")} == {path.stem for path in hygiene_files()}


@pytest.mark.parametrize("file", data_and_shape_files(), ids=stem)
@pytest.mark.parametrize("check", ["concept-unknown", "deprecated-used", "property-kind-misused", "term-undeclared"])
def test_shipped_data_and_shapes_use_terms_and_concepts_as_they_are_declared(check: str, file: Path) -> None:
    found = findings(store_of([*module_files(), *scheme_files(), file]), HYGIENE / f"{check}.rq")
    assert not found, report(found)


@pytest.mark.parametrize("name", SUPERCLASSES)
def test_a_class_of_the_design_is_declared_below_its_superclasses(ontology: Graph, name: str) -> None:
    term = expanded(f"mg:{name}")
    assert (term, RDF.type, OWL.Class) in ontology
    above = set(ontology.transitive_objects(term, RDFS.subClassOf))
    assert {expanded(curie) for curie in names(SUPERCLASSES[name])} <= above


@pytest.mark.parametrize("name", names(OBJECT_PROPERTIES))
def test_an_object_property_of_the_design_is_declared(ontology: Graph, name: str) -> None:
    assert (expanded(f"mg:{name}"), RDF.type, OWL.ObjectProperty) in ontology


@pytest.mark.parametrize("name", names(DATATYPE_PROPERTIES))
def test_a_datatype_property_of_the_design_is_declared(ontology: Graph, name: str) -> None:
    assert (expanded(f"mg:{name}"), RDF.type, OWL.DatatypeProperty) in ontology


def test_no_term_is_two_kinds_of_thing_at_once(ontology: Graph) -> None:
    kinds = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty)
    twice = [term for term in declared(ontology) if len(set(ontology.objects(term, RDF.type)) & set(kinds)) != 1]
    assert twice == []


def test_parent_alone_is_transitive(ontology: Graph) -> None:
    assert list(ontology.subjects(RDF.type, OWL.TransitiveProperty)) == [expanded("mg:parent")]


@pytest.mark.parametrize("slug", names(MODULES))
def test_a_module_has_its_ontology_iri_version_iri_and_terms(slug: str) -> None:
    graph = graph_of([ONTOLOGY / f"mg-{slug}.ttl"])
    module = URIRef(f"{MG}module/{slug}")
    assert list(graph.subjects(RDF.type, OWL.Ontology)) == [module]
    assert list(graph.objects(module, OWL.versionIRI)) == [URIRef(f"{MG}module/{slug}/0.1.0")]
    assert {module} == set(graph.objects(None, RDFS.isDefinedBy))


def test_the_whole_ontology_imports_every_module_and_nothing_else() -> None:
    graph = graph_of([ONTOLOGY / "motorgraph.ttl"])
    whole = URIRef(BASE + "ontology")
    assert set(graph.objects(whole, OWL.imports)) == {URIRef(f"{MG}module/{slug}") for slug in names(MODULES)}
    assert list(graph.objects(whole, OWL.versionIRI)) == [URIRef(MG + "version/0.1.0")]


@pytest.mark.parametrize("slug", SCHEMES)
def test_a_scheme_holds_the_concepts_that_data_refer_to(schemes: Graph, slug: str) -> None:
    expected, found = set(names(SCHEMES[slug])), top_words(schemes, slug)
    assert expected <= found if slug in OPEN_SCHEMES else expected == found


def test_the_main_line_of_statuses_is_numbered_from_rumoured_to_ended(schemes: Graph) -> None:
    numbered = sorted((int(str(order)), str(concept)) for concept, order in schemes.subject_objects(expanded("mg:statusOrder")))
    line = names(SCHEMES["status"])[:10]
    assert numbered == [(place, f"{BASE}concept/status/{slug}") for place, slug in enumerate(line, start=1)]


def test_model_years_form_one_unbroken_chain(schemes: Graph) -> None:
    pairs = set(schemes.subject_objects(expanded("mg:precedesYear")))
    years = [URIRef(f"{BASE}concept/model-year/{slug}") for slug in names(SCHEMES["model-year"])]
    assert pairs == set(pairwise(years))


def test_an_automated_driving_system_is_an_in_vehicle_technology(schemes: Graph) -> None:
    prefix = f"{BASE}concept/technology/"
    above = set(schemes.transitive_objects(URIRef(prefix + "ads"), SKOS.broader))
    assert URIRef(prefix + "in-vehicle-technology") in above


@pytest.mark.parametrize("file", alignment_files(), ids=stem)
def test_an_alignment_maps_declared_terms_and_existing_concepts_only(ontology: Graph, schemes: Graph, file: Path) -> None:
    known = declared(ontology) | set(schemes.subjects(SKOS.inScheme, None))
    mapped = [subject for subject in graph_of([file]).subjects(unique=True) if str(subject).startswith(BASE)]
    strangers = [subject for subject in mapped if subject not in known and "/ontology/alignment/" not in str(subject)]
    assert strangers == []


@pytest.mark.parametrize("check", ["full-stop-missing", "header-incomplete", "text-blanks"])
def test_the_alignments_keep_the_style_of_the_ontology(check: str) -> None:
    found = findings(store_of(alignment_files()), HYGIENE / f"{check}.rq")
    assert not found, report(found)


@pytest.mark.parametrize("file", module_files() + scheme_files(), ids=stem)
def test_blocks_stand_in_alphabetical_order(file: Path) -> None:
    names = [name for name in subjects_in_order(file) if not name.startswith("dsd-")]
    assert names == sorted(names)


@pytest.mark.parametrize("file", module_files() + scheme_files() + alignment_files(), ids=stem)
def test_no_shipped_turtle_holds_blank_nodes(file: Path) -> None:
    assert not [node for triple in graph_of([file]) for node in triple if isinstance(node, BNode)]


def test_the_closure_of_ontology_and_schemes_under_owl_2_rl_holds_no_contradiction() -> None:
    assert errors_of(graph_of(module_files() + scheme_files())) == []


def test_a_thing_in_two_disjoint_classes_contradicts_the_ontology() -> None:
    graph = graph_of(module_files())
    muddles = []
    for number, pair in enumerate(sorted(graph.subject_objects(OWL.disjointWith))):
        muddles.append(URIRef(f"{BASE}id/plant/muddle-{number}"))
        graph += [(muddles[-1], RDF.type, named) for named in pair]
    errors = "\n".join(errors_of(graph))
    assert muddles
    assert [muddle for muddle in muddles if muddle not in errors] == []
