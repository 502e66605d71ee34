"""The forty constraints of the design: each has a shape, a severity, a message, a case that breaks it and one that keeps it."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, QuerySolutions, RdfFormat, Store
from rdflib import SH, Graph, URIRef
from rdflib.term import Node

from tests.test_shapes import CASES, INVALID, ROOT, SHAPES, Finding, expected_findings, read

CHECKS = sorted((ROOT / "shapes" / "graphs").glob("*.rq"))
CHECK_CASES = ROOT / "tests" / "cases" / "graphs"


@dataclass(frozen=True)
class Constraint:
    """A constraint by its number in the design: the shape that keeps it, how grave a breach is, how its message begins."""

    number: int
    what: str
    shape: str
    severity: str
    message: str

    def __str__(self) -> str:
        return f"{self.number}-{self.shape}"


# number | what it forbids | shape | severity | message
TABLE = """
1 | a thing without a label | NamedThingShape | Violation | Give the thing a skos:prefLabel
1 | a thing without a kind | NamedThingShape | Violation | Give the thing exactly one mg:kind
2 | an IRI that is not of its kind | PlantShape | Violation | Mint the IRI of a plant
2 | an IRI that is not of its kind | OrganizationShape | Violation | Mint the IRI of an organisation
2 | a slug that is used again after the thing was replaced | ReplacedThingShape | Violation |
3 | a plant outside the box of its country | PlantInCountryShape | Violation | Check wgs:lat
4 | a latitude off the globe | PlantShape | Violation | Give wgs:lat at most once
4 | a longitude off the globe | PlantShape | Violation | Give wgs:long at most once
4 | a plant at zero, zero | NullIslandShape | Violation | Replace the coordinates 0, 0
5 | a stake of more than all | ShareholdingShape | Violation | Give mg:stakePercent at most once
5 | votes of more than all | ShareholdingShape | Violation | Give mg:votePercent at most once
6 | stakes that add up to more than all | StakesOfOneIssuerShape | Violation | End the old holdings
7 | control in a circle | ControlCycleShape | Violation | Cut the loop of mg:controlledBy
8 | shares in a circle | ShareholdingCycleShape | Warning | Check the holdings
9 | an end before the start | ValidityShape | Violation | Put mg:validFrom on or before mg:validTo
9 | an end before the start | DatedNodeShape | Violation | Put mg:resolvedStart on or before mg:resolvedEnd
10 | stages in the wrong order | StatusEventOrderShape | Warning | Check mg:onDate
11 | a status that no event brought | CurrentStatusShape | Violation | Do not type mg:currentStatus by hand
12 | a party that says yes and no on one day | AssertedAndDeniedShape | Warning | Check mg:stance and mg:assertedBy
13 | accepting what all parties deny | DeniedByAllPartiesShape | Violation | Change mg:outcome
14 | a fact without a claim | SourcedFactShape | Violation | Say why we believe it
15 | a prediction as a fact | PredictionAcceptedShape | Violation | Take the node out of the accepted graph
16 | an unnamed source with a name | AnonymousSourceNameShape | Violation | Drop skos:prefLabel or change mg:anonymity
16 | a named source of several people | NamedSourceCountShape | Violation | Split the source
17 | told as done before it begins | ReportedBeforeItHappenedShape | Warning | Check mg:modality
18 | a rate without an act | DutyRateShape | Violation | Name the act behind the rate
19 | a rate that rests on a draft | RateOnLivingActShape | Violation | Take the rate out
20 | two rates for one case | OverlappingRatesShape | Violation | Keep one of the two rates
21 | a rate that begins before its act applies | RateBeforeActShape | Violation | Move mg:validFrom
22 | a countervailing measure without a residual rate | ResidualRateShape | Warning | Add the residual rate
23 | a countervailing duty on hybrids | CountervailingOnElectricCarsShape | Violation | Take this code out
24 | a rate of thousands of per cent | DutyRateShape | Violation | Give mg:ratePercent at most once
25 | a rate for no known tariff code | DutyRateShape | Violation | Point mg:productScope to a mg:TariffCode
26 | a tariff code of another form | TariffCodeShape | Violation | Write skos:notation as the code itself
26 | a rate of the European Union on a short code | EuropeanUnionCodeLengthShape | Violation | Use a code of eight digits
27 | a producer in two groups | ExporterGroupMembershipShape | Violation | Take the producer out of one of the groups
28 | a model year as a date | ComplianceRuleShape | Violation | Point mg:appliesToModelYear to a mg:ModelYear
28 | a date as a model year | ComplianceRuleShape | Violation | Give mg:appliesFrom as an xsd:date
29 | a figure without a period | KpiObservationShape | Violation | Give the observation exactly one mg:period in EDTF
29 | a figure without a unit | KpiObservationShape | Violation | Give the observation exactly one mg:unit
29 | a figure of no kind | KpiObservationShape | Violation | Give the observation exactly one mg:valueKind
29 | a figure without a scope | KpiObservationShape | Violation | Give the observation exactly one mg:observedScope
30 | an actual figure of an open period | FigureInItsTimeShape | Warning | Check mg:valueKind and mg:periodEnd: an actual
30 | a target for a period that is over | FigureInItsTimeShape | Warning | Check mg:valueKind and mg:periodEnd: a target
31 | figures that disagree | ConflictingFiguresShape | Warning | Compare the sources
32 | growth that does not fit the year before | GrowthShape | Warning | Check mg:yoyPercent
33 | more cars than the plant can build | ProductionAboveCapacityShape | Warning | Check mg:value, mg:observedScope
34 | kits in a customs union without a word on origin | KitAssemblyOriginShape | Warning | Add a mg:OriginDetermination
35 | an assignment to a plant that nobody runs | AssignmentAfterOperationShape | Violation | Add the mg:PlantOperation
36 | a licence without licensor | LicenceGrantShape | Violation | Name the licensor
36 | a licence without licensee | LicenceGrantShape | Violation | Name the licensee
36 | a licence to oneself | LicencePartiesShape | Violation | Name two different parties
37 | a document that nobody can look up | SourceDocumentReadShape | Violation | Give the document schema:url
37 | a text copied at length | QuotedTextShape | Violation | Shorten mg:quotedText
38 | a copy that counts as an outlet | CopiedClaimShape | Info | Lower mg:grade
39 | a concept in two schemes or none | ConceptShape | Violation |
39 | broader concepts in a circle | ConceptBroaderCycleShape | Violation |
39 | a related concept that is a broader one too | ConceptRelatedShape | Violation |
39 | a notation that stands for two | ConceptNotationShape | Violation |
40 | a deprecated term in the data | DeprecatedTermShape | Warning | Run the migration query
"""


def constraints() -> list[Constraint]:
    rows = ([cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines())
    return [Constraint(int(number), what, shape, severity, message) for number, what, shape, severity, message in rows]


def messages(shapes: Graph, shape: Node) -> dict[str, str]:
    """Each message of a shape with its severity: its own, that of the shape, or a violation."""
    found = {}
    inherited = shapes.value(shape, SH.severity, default=SH.Violation)
    for constraint in (shape, *shapes.objects(shape, SH.property), *shapes.objects(shape, SH.sparql)):
        severity = shapes.value(constraint, SH.severity, default=inherited)
        for message in shapes.objects(constraint, SH.message):
            found[str(message)] = str(severity).removeprefix(str(SH))
    return found


@pytest.fixture(scope="module")
def shapes() -> Graph:
    return read(sorted((ROOT / "shapes").glob("*.ttl")))


@pytest.fixture(scope="module")
def provoked() -> list[Finding]:
    return [finding for path in INVALID for finding in expected_findings(path)]


def test_none_of_the_forty_is_missing() -> None:
    assert sorted({constraint.number for constraint in constraints()}) == list(range(1, 41))


@pytest.mark.parametrize("constraint", constraints(), ids=str)
def test_a_constraint_has_its_shape_and_severity_and_is_seen_to_bite(
    shapes: Graph, provoked: list[Finding], constraint: Constraint
) -> None:
    said = {
        message
        for message, severity in messages(shapes, URIRef(SHAPES + constraint.shape)).items()
        if message.startswith(constraint.message) and severity == constraint.severity
    }
    assert said, f"{constraint.shape} has no {constraint.severity} that begins with {constraint.message!r}"
    assert [finding for finding in provoked if finding.message in said and finding.severity == constraint.severity]
    assert (CASES / constraint.shape / "valid.ttl").is_file()


# What only the store can tell, since validation merges all graphs into one


def answers(store: Store, check: str) -> set[str]:
    rows = store.query(check, use_default_graph_as_union=True)
    assert isinstance(rows, QuerySolutions)
    return {row["node"].value for row in rows if isinstance(row["node"], NamedNode)}


def case_of(name: str) -> Store:
    store = Store()
    store.load(path=CHECK_CASES / f"{name}.trig", format=RdfFormat.TRIG)
    return store


def culprits(store: Store) -> set[str]:
    """The IRIs of a case that end in `bad`: the nodes that its check has to name."""
    nodes = (node for quad in store for node in (quad.subject, quad.object))
    return {node.value for node in nodes if isinstance(node, NamedNode) and node.value.endswith("bad")}


@pytest.mark.parametrize("check", CHECKS, ids=lambda path: path.stem)
def test_a_check_of_graphs_names_the_bad_nodes_of_its_case_and_no_other(check: Path) -> None:
    case = case_of(check.stem)
    assert culprits(case)
    assert answers(case, check.read_text()) == culprits(case)


@pytest.mark.parametrize("check", CHECKS, ids=lambda path: path.stem)
def test_the_shipped_graph_passes_the_checks_of_graphs(shipped_store: Store, check: Path) -> None:
    assert sorted(answers(shipped_store, check.read_text())) == []


def test_each_check_of_graphs_has_its_case() -> None:
    assert {path.stem for path in CHECKS} == {path.stem for path in CHECK_CASES.glob("*.trig")}
