"""How a page is ordered: which properties stand together, which columns a table has, under which question a claim stands.

The tables name properties, classes and concepts of the ontology by their last part; nothing here is about particular things.
"""

from __future__ import annotations

from collections.abc import Sequence

GROUPS = (
    (
        "Who",
        (
            "owner operator lastOperator brandOf inGroup subOrganizationOf ofBrand developedBy assignedTo passed_by publisher "
            "curator assertedBy reportedBy attributedTo holder issuer groupHead includesProducer producer listedBy legalName "
            "carriedOutThrough participant party controller controlled memberOf member supersededBy isReplacedBy basedIn"
        ),
    ),
    (
        "What",
        (
            "plantKind dealKind measureKind type actStatus plantStatus statusText currentStatus lifeState "
            "description definition scopeNote matterText covers hasComponent concernsModel concernsPlant segment vehicleKind "
            "bodyType fuelType propulsion "
            "customsClass notation broader narrower related keywords identifier bearer stance modality proposition statementText "
            "aspect subject predicate object objectValue aboutNode"
        ),
    ),
    ("What it makes", "buildsBrand productText makeText forVehicleKind marks wmiCode platform generation"),
    ("Where", "locality inPlace region country basedIn inCustomsTerritory takesPlaceIn position neighbour capitalName isPartOf"),
    (
        "Terms and law",
        (
            "jurisdiction importTerritory originScope productScope legalBasis displaces regulatedBy amends based_on "
            "corrects appliesToModelYear condition controlScope allows underRule addressee preferenceOpen propulsionOpen "
            "originOpen valueText"
        ),
    ),
    (
        "When",
        (
            "date_document date_publication date_applicability date_no_longer_in_force validFrom validTo launchYear "
            "firstModelYear lastModelYear modelYearsOpen foundingDate issued reportedOn dateEDTF dateText accessedOn appliesFrom"
        ),
    ),
)
"""Groups of facts in the order in which they stand, with the last parts of their properties in theirs."""
OTHERS = "More"
BOOKKEEPING = ("acceptedFrom", "fromRow", "kind", "seedItem")
HIDDEN = {
    *("acceptedFrom", "basedOnClaim", "fromRow", "fromDataset", "kind", "seedItem", "nsiId", "prefLabel", "altLabel"),
    *("lat", "long", "coordinatePrecision", "resolvedStart", "resolvedEnd", "resolvedAgainst", "broaderTransitive", "url"),
    *("eastBound", "northBound", "southBound", "westBound"),
}
"""Bookkeeping, and what stands elsewhere on the page."""
EXPECTED = {
    "Plant": ("owner", "operator", "plantStatus", "country"),
    "Deal": ("dealKind",),
    "Brand": ("brandOf", "country"),
    "VehicleModel": ("ofBrand", "propulsion", "launchYear"),
    "LegalAct": ("passed_by", "actStatus", "date_document"),
    "TradeMeasure": ("importTerritory", "legalBasis"),
    "Organization": ("basedIn",),
    "SourceDocument": ("publisher",),
}
"""What things of a class should have: where it is missing, the page says that it is not known."""
VOCABULARY = {"passed_by": "eli", "date_document": "eli", "publisher": "dcterms"}
"""Where a property of the table above is not of our own ontology."""
IN_WORDS = {
    "date_document": "date of the document",
    "date_publication": "published on",
    "date_applicability": "applies from",
    "date_no_longer_in_force": "no longer in force from",
    "passed_by": "passed by",
    "based_on": "based on",
}
"""What properties of other vocabularies are called here, by their last part."""
MARKED = {"currentStatus", "plantStatus", "actStatus", "lifeState", "newStatus", "assignmentStatus", "stakeState"}
"""Properties whose values have marks."""
DATED = {"StatusEvent", "DealEvent"}

COLUMNS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "ProductionAssignment": (
        ("Model", ("ofModel",)),
        ("Plant", ("ofPlant",)),
        ("For", ("assembledFor",)),
        ("How", ("method",)),
        ("Status", ("assignmentStatus",)),
        ("Model years", ("firstModelYear", "lastModelYear")),
    ),
    "Capacity": (
        ("What", ("measureConcept", "observedScope")),
        ("How much", ("value",)),
        ("Meant as", ("valueKind",)),
        ("Period", ("period",)),
    ),
    "KpiObservation": (
        ("What", ("measureConcept",)),
        ("Of", ("observedOrg", "ofPlant", "observedScope")),
        ("Market", ("observedMarket",)),
        ("How much", ("value",)),
        ("Meant as", ("valueKind",)),
        ("Period", ("period",)),
    ),
    "Shareholding": (
        ("Holder", ("holder",)),
        ("Company", ("issuer",)),
        ("Share", ("stakePercent",)),
        ("Through", ("heldThrough",)),
        ("State", ("stakeState",)),
    ),
    "ControlRelation": (("Controls", ("controller",)), ("Company", ("controlled",)), ("By", ("controlMeans",))),
    "PlantOperation": (("Owner", ("owner",)), ("Operator", ("operator",)), ("Plant", ("ofPlant",))),
    "DealRole": (("Party", ("party",)), ("Deal", ("inDeal",)), ("Role", ("role",))),
    "StatusEvent": (("Of", ("statusOf",)), ("Status", ("newStatus",))),
    "DutyRate": (
        ("Measure", ("ofMeasure",)),
        ("Rate", ("ratePercent", "ratePercentAtMost", "minimumAmount")),
        ("On", ("productScope", "propulsionScope", "modelScope")),
        ("For", ("exporterScope", "originScope")),
        ("Only if", ("condition", "onlyWhen")),
        ("Act", ("legalBasis",)),
    ),
    "TerritoryMembership": (("Member", ("member",)), ("Of", ("memberOf",))),
    "WorldManufacturerIdentifier": (
        ("Code", ("wmiCode",)),
        ("Maker", ("assignedTo",)),
        ("Brands", ("marks",)),
        ("Country", ("country",)),
    ),
    "BrandOwnership": (("Brand", ("brand", "ofBrand")), ("Owner", ("owner", "brandOf"))),
}
"""What a table of nodes of a class shows: the name of each column and the properties that fill it. Any other class shows all."""
UNLIMITED = (("productScope", "propulsionScope", "modelScope"), ("exporterScope", "originScope"))
"""Columns of scopes: a rate without one is for all."""
VALID = ("validFrom", "validTo", "onDate", "dateEDTF")
"""What fills the last column of every table: since when, until when."""
TABLE_NAMES = {
    "ProductionAssignment": "What is built here, for whom",
    "Capacity": "Capacity",
    "KpiObservation": "Figures",
    "Shareholding": "Shares",
    "ControlRelation": "Control",
    "PlantOperation": "Owners and operators over time",
    "DealRole": "Parts in deals",
    "DealEvent": "Events",
    "StatusEvent": "States over time",
    "DutyRate": "Duty rates",
    "TerritoryMembership": "Membership",
}
UNITS = {"NUM": "", "GigaW-HR": "GWh", "PERCENT": "%"}
"""Units by the last part of their IRIs; one that is not here is called by it."""

QUESTIONS = (
    (
        "Is it so, and how far is it?",
        (
            "existence occurrence stage planned agreed contract memorandum delay delayed suspension currentStatus newStatus plan "
            "duration type; in talks; under study; reported near; day of the vote; day of the offer; day of adoption; "
            "opening of the review; owner, operator, products and state; furtherAdvancedThan; followed; supersededBy"
        ),
    ),
    (
        "What does it cover?",
        "scope dealKind hasComponent covers separateFrom sharedTechnology concernsModel technology",
    ),
    (
        "Where?",
        (
            "coordinates candidateSiteFor leadingSiteFor country basedIn concernsPlant unitOf offers takesPlaceIn "
            "inCustomsTerritory; place on the map; sale of a hall; use of the halls"
        ),
    ),
    ("Who owns it, who runs it?", "stake control membership owner operator brandOf; holding or control; size of the holding"),
    (
        "What does it make, from when?",
        "ramp-up ofModel; start of production; next models; first vehicles; assembly method",
    ),
    ("How many, how much?", "figure capacity jobs employees investment price"),
    (
        "What duty is due, by which rule?",
        ("rate legalBasis ratePercent collection; list of producers; additional code; highest total"),
    ),
    ("What would it change?", "criticism criticisedFor scrutinises causedBy; advice to makers on investment"),
)
"""The questions that claims answer, with the aspects and properties of their propositions; names without blanks stand before the
first semicolon, those with blanks after it. A claim of neither stands under its own aspect."""
QUESTIONS_OF_DEALS = {
    "Is it so, and how far is it?": "Is there a deal, and how far is it?",
    "What does it cover?": "What would it cover?",
}
ELSE = "What else is said"

LINES = {"accepted": "active", "study": "talks", "planned": "planned", "denied": "denied", "superseded": "ended"}
"""The line to a neighbour by the glyph of its mark."""
TIES: Sequence[str] = [
    "owner",
    "operator",
    "lastOperator",
    "hasComponent",
    "supersededBy",
    "brandOf",
    "inGroup",
    "subOrganizationOf",
    "buildsBrand",
    "ofBrand",
    "developedBy",
    "concernsPlant",
    "covers",
    "legalBasis",
    "importTerritory",
    "originScope",
    "passed_by",
    "amends",
    "jurisdiction",
    "regulatedBy",
    "broader",
    "publisher",
    "inPlace",
    "country",
    "basedIn",
]
"""Properties that make neighbours, the strongest first."""
MOST_NEIGHBOURS = 60
CRUMBS = {
    "plant": ("Plants", "plants"),
    "deal": ("Deals", "deals"),
    "organization": ("Makers", "makers"),
    "act": ("Acts", "acts"),
}
"""By kind of address, what the list of such things is called and where it is below /explore."""


def question(name: str, kind: str) -> str:
    """The question that a proposition of an aspect, or with a property, is on; `kind` is that of the page."""
    for words, listed in QUESTIONS:
        plain, _, spaced = listed.partition(";")
        if name in plain.split() or name in (part.strip() for part in spaced.split(";")):
            return QUESTIONS_OF_DEALS.get(words, words) if kind in ("deal", "component") else words
    return name[:1].upper() + name[1:] if " " in name else ELSE


def order(words: str) -> tuple[int, str]:
    """Where a question stands on a page: after the table's own the aspects by name, what else is said last."""
    named = [QUESTIONS_OF_DEALS.get(q, q) for q, _ in QUESTIONS]
    plain = [q for q, _ in QUESTIONS]
    known = named.index(words) if words in named else plain.index(words) if words in plain else len(plain)
    return known + (words == ELSE), words


def group(name: str) -> tuple[int, int]:
    """In which group a property stands, and where in it."""
    return PLACES.get(name, (len(GROUPS), 0))


PLACES = {
    name: (number, place)
    for number, (_, listed) in reversed(list(enumerate(GROUPS)))
    for place, name in enumerate(listed.split())
}
