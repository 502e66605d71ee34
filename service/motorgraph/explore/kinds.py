"""What can be explored: for each kind of thing which things are of it, the columns of its sheet, its facets and its views."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from motorgraph.explore import deals
from motorgraph.explore.control import Control
from motorgraph.explore.sheet import Item, Sheet

PREFIXES = """PREFIX mg: <{base}/ontology/> PREFIX outcome: <{base}/concept/verdict-outcome/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX geo: <http://www.w3.org/2003/01/geo/wgs84_pos#>
PREFIX org: <http://www.w3.org/ns/org#> PREFIX eli: <http://data.europa.eu/eli/ontology#>
PREFIX schema: <https://schema.org/> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
"""
SOURCES = "?thing dcterms:source|(mg:acceptedFrom|mg:basedOnClaim)/mg:foundIn ?value . ?value a mg:SourceDocument"


@dataclass(frozen=True, slots=True)
class Column:
    """What is told of each thing of a kind.

    `text` is what binds ?value for ?thing, and ?words where these are not its label; "" for what is worked out from others.
    `type` is entity, concept, status, text, code, day, year or number. The values of a facet narrow the list; what is shown is
    in the table.
    """

    name: str
    words: str
    text: str = ""
    type: str = "entity"
    is_facet: bool = True
    is_shown: bool = True
    none: str = "not known"
    """What is said where there is no value."""

    @property
    def is_labelled(self) -> bool:
        """Whether what stands in it is called by its label."""
        return self.type in ("entity", "concept") and "?words" not in self.text


@dataclass(frozen=True, slots=True)
class View:
    """A way to look at a list: its name in the address, and on the tab."""

    name: str
    words: str


TABLE = View("table", "Table")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of things: `of` is what makes ?thing one and binds its ?label, `sort` the order that is usual.

    `told` are further queries, by name; `derive` works out the columns without a text, from the sheet and who controls whom.
    """

    name: str
    words: str
    one: str
    about: str
    of: str
    columns: tuple[Column, ...]
    sort: str = "name"
    views: tuple[View, ...] = (TABLE,)
    told: Mapping[str, str] = field(default_factory=dict)
    derive: Callable[[Sheet, Control], None] | None = None
    sources: str = SOURCES
    holds: Callable[[Item], bool] | None = None
    """Which things of the sheet it has; all if it is not said."""
    sheet: str = ""
    """The name of its sheet, where it shares one with a kind that came before."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "sheet", self.sheet or self.name)

    @property
    def has_places(self) -> bool:
        """Whether its things are on a map."""
        return any(column.name == "latitude" for column in self.columns)

    @property
    def facets(self) -> tuple[Column, ...]:
        """The columns by which it can be narrowed."""
        return tuple(column for column in self.columns if column.is_facet)

    @property
    def shown(self) -> tuple[Column, ...]:
        """The columns of the table."""
        return tuple(column for column in self.columns if column.is_shown)

    @property
    def sorts(self) -> tuple[str, ...]:
        """What it can be put in order by."""
        return ("name", *(column.name for column in self.columns if column.is_shown))


def _controlled(column: str) -> Callable[[Sheet, Control], None]:
    """Fills the column `control` from who is in another one, or from the thing itself."""

    def derive(sheet: Sheet, control: Control) -> None:
        for item in sheet.items:
            who = [value.iri for value in item.values(column)] if column else [item.iri]
            item.cells["control"] = list(dict.fromkeys(value for each in who for value in control.territories(each)))

    return derive


def _accepted(sheet: Sheet, control: Control) -> None:
    """Tells of a claim without a verdict that there is none."""
    for item in sheet.items:
        item.cells.setdefault("verdict", [])


_BLOC = (
    "?thing a mg:Plant ; mg:country ?country . ?membership mg:member ?country ; mg:memberOf ?value . ?value a mg:TradeBloc . "
    "OPTIONAL { ?membership mg:validTo ?until } FILTER(!BOUND(?until) || ?until > $today)"
)
_CLASS = "?thing a ?value . ?value rdfs:subClassOf+ mg:Organization ; rdfs:label ?words . FILTER(?value != mg:Organization)"
_ABOUT = "?thing mg:proposition ?said . ?said mg:subject|mg:object|mg:aboutNode ?node . "

PLANTS = Kind(
    "plants",
    "Plants",
    "plant",
    "Where cars, batteries and parts are built, by whom, and how it stands",
    "?thing a mg:Plant ; skos:prefLabel ?label",
    (
        Column("country", "Country", "?thing a mg:Plant ; mg:country ?value"),
        Column("bloc", "Bloc", _BLOC, is_shown=False),
        Column("place", "Place", "?thing mg:locality ?value", "text", is_facet=False, is_shown=False),
        Column("group", "Group", "?thing mg:inGroup ?value"),
        Column("operator", "Operator", "?thing mg:operator ?value", is_shown=False),
        Column("control", "Controlled from", is_shown=False),
        Column("kind", "Kind", "?thing mg:plantKind ?value", "concept"),
        Column("status", "Status", "?thing mg:plantStatus ?value", "status"),
        Column("brand", "Builds", "?thing mg:buildsBrand ?value"),
        Column(
            "propulsion",
            "Propulsion",
            "?assignment mg:ofPlant ?thing ; mg:ofModel/mg:propulsion ?value",
            "concept",
            is_shown=False,
        ),
        Column("longitude", "Longitude", "?thing geo:long ?value", "number", is_facet=False, is_shown=False),
        Column("latitude", "Latitude", "?thing geo:lat ?value", "number", is_facet=False, is_shown=False),
    ),
    views=(TABLE, View("map", "Map")),
    derive=_controlled("group"),
)
MAKERS = Kind(
    "makers",
    "Makers",
    "maker",
    "Companies that make vehicles, cells and parts, where they sit, and who stands above them",
    "?thing a mg:Organization ; skos:prefLabel ?label . "
    "FILTER NOT EXISTS { ?thing a mg:NewsOutlet } FILTER NOT EXISTS { ?thing a mg:Authority }",
    (
        Column("kind", "Kind", _CLASS, "concept"),
        Column("country", "Country of seat", "?thing mg:basedIn ?value . ?thing a mg:Organization"),
        Column("group", "Parent", "?thing mg:parent|org:subOrganizationOf ?value", none="none on record"),
        Column("control", "Controlled from", is_shown=False),
        Column("vehicles", "Makes", "?thing mg:forVehicleKind ?value", "concept", is_shown=False),
        Column("status", "Status", "?thing mg:lifeState ?value", "status"),
        Column("brand", "Brands", "?thing mg:marks ?value", is_facet=False, none="none on record"),
        Column(
            "plants",
            "Plants",
            "{ SELECT ?thing (COUNT(DISTINCT ?plant) AS ?value) { ?plant a mg:Plant ; mg:inGroup|mg:operator|mg:owner ?thing } "
            "GROUP BY ?thing }",
            "number",
            is_facet=False,
        ),
    ),
    sort="-plants",
    derive=_controlled(""),
)
DEALS = Kind(
    "deals",
    "Deals",
    "deal",
    "Who works with whom, on what, and how far it has got; also what is only talked of, and what is denied",
    "?thing a mg:Deal ; skos:prefLabel ?label",
    (
        Column("status", "Status", type="status"),
        Column("since", "Since", type="day", is_facet=False),
        Column("kind", "Kind", "?thing mg:dealKind ?value", "concept"),
        Column("group", "Group", is_shown=False),
        Column("control", "Controlled from", is_shown=False),
        Column("year", "Year", type="year", is_shown=False),
        Column("standing", "Standing", type="text", is_shown=False),
        Column("part", "Whole or part", type="text", is_shown=False),
        Column("party", "Parties", "?thing ^mg:hasComponent?/^mg:inDeal/mg:party ?value . ?thing a mg:Deal"),
        Column("plant", "Plants", "?thing mg:concernsPlant ?value", is_shown=False, none="none named"),
    ),
    sort="-since",
    views=(TABLE, View("timeline", "Timeline")),
    told=deals.TOLD,
    derive=deals.derived,
)
NETWORK = replace(
    DEALS,
    name="network",
    words="Partnerships",
    one="partnership",
    about="Which groups work with which, at which status, by the deals between them",
    columns=tuple(column for column in DEALS.columns if column.name not in ("part", "plant")),
    views=(View("sides", "Two sides"), View("matrix", "Matrix"), View("list", "List")),
    holds=deals.is_tie,
)
CLAIMS = Kind(
    "claims",
    "Claims",
    "claim",
    "What somebody said, how surely, in which document, and what a curator made of it",
    "?thing a mg:Claim ; mg:proposition/mg:statementText ?label",
    (
        Column("stance", "Stance", "?thing mg:stance ?value . ?thing a mg:Claim", "concept"),
        Column("modality", "Modality", "?thing mg:modality ?value . ?thing a mg:Claim", "concept"),
        Column(
            "verdict",
            "Verdict",
            "?thing mg:proposition ?said . ?verdict mg:onProposition ?said ; mg:outcome ?value",
            "concept",
        ),
        Column("publisher", "Publisher", "?thing mg:foundIn/dcterms:publisher ?value . ?thing a mg:Claim"),
        Column("by", "Said by", "?thing mg:assertedBy ?value . ?thing a mg:Claim"),
        Column("about", "About kind", f"{_ABOUT} ?node mg:kind ?value", "code", is_shown=False),
        Column("thing", "About", f"{_ABOUT} ?node mg:kind ?kind ; skos:prefLabel ?words BIND(?node AS ?value)", is_shown=False),
        Column("year", "Year", "?thing mg:reportedOn ?value", "year", is_shown=False),
        Column("day", "Reported", "?thing mg:reportedOn ?value", "day", is_facet=False),
    ),
    sort="-day",
    derive=_accepted,
    sources="?thing mg:foundIn ?value . ?thing a mg:Claim",
)
ACTS = Kind(
    "acts",
    "Acts",
    "act",
    "Laws, duties, rules and drafts: who made them, what they are about, and whether they are in force",
    "?thing a mg:LegalAct ; skos:prefLabel ?label",
    (
        Column("jurisdiction", "Jurisdiction", "?thing eli:jurisdiction ?value"),
        Column("status", "Status", "?thing mg:actStatus ?value", "status"),
        Column("kind", "Kind", "?thing a mg:LegalAct ; dcterms:type ?value", "text"),
        Column("subject", "Subject", "?thing a mg:LegalAct ; schema:keywords ?value", "text"),
        Column("by", "Made by", "?thing eli:passed_by ?value", is_shown=False),
        Column("year", "Year", "?thing eli:date_document|eli:date_publication ?value", "year", is_shown=False),
        Column("day", "Dated", "?thing a mg:LegalAct ; eli:date_document ?value", "day", is_facet=False),
        Column("applies", "Applies from", "?thing eli:date_applicability ?value", "day", is_facet=False),
        Column("number", "Number", "?thing a mg:LegalAct ; dcterms:identifier ?value", "text", is_facet=False, is_shown=False),
    ),
    sort="-day",
)
KINDS = {kind.name: kind for kind in (PLANTS, MAKERS, DEALS, NETWORK, CLAIMS, ACTS)}
"""By name, in the order in which they are shown."""
NAMES = "?thing skos:altLabel|schema:legalName ?value"
